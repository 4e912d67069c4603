use metatrace::{Traced, jit};
use std::io::{Read, Write};

metatrace::glue!(); // (1)

/// A loaded program: its instructions, and for each bracket where its partner is.
pub struct Program {
    code: Vec<u8>,
    partner: Vec<usize>,
}

fn load(source: &[u8]) -> Option<Program> {
    let code: Vec<u8> = source.iter().copied().filter(|byte| b"<>+-.,[]".contains(byte)).collect();
    let mut partner = vec![0; code.len()];
    let mut open = Vec::new();
    for (at, byte) in code.iter().enumerate() {
        match byte {
            b'[' => open.push(at),
            b']' => {
                let start: usize = open.pop()?;
                partner[start] = at;
                partner[at] = start;
            }
            _ => {}
        }
    }
    open.is_empty().then_some(Program { code, partner })
}

#[jit::dont_look_inside] // (2)
fn print(byte: u8) {
    let _ = std::io::stdout().write_all(&[byte]);
}

#[jit::dont_look_inside]
fn read() -> u8 {
    let mut byte = [0];
    let _ = std::io::stdin().read(&mut byte);
    byte[0]
}

#[jit::portal(owner = program, greens = [pc])] // (3)
fn run(mut pc: usize, program: &Traced<Program>, mut head: usize, tape: &mut Vec<u8>) {
    loop {
        jit::merge_point!(); // (4)
        if pc == program.code.len() {
            return;
        }
        match program.code[pc] {
            b'>' => {
                head += 1;
                if head == tape.len() {
                    tape.push(0);
                }
            }
            b'<' => head -= 1,
            b'+' => tape[head] = tape[head].wrapping_add(1),
            b'-' => tape[head] = tape[head].wrapping_sub(1),
            b'.' => print(tape[head]),
            b',' => tape[head] = read(),
            b'[' => {
                if tape[head] == 0 {
                    pc = program.partner[pc];
                }
            }
            _ => {
                if tape[head] != 0 {
                    pc = program.partner[pc] + 1;
                    jit::can_enter_jit!(); // (5)
                }
            }
        }
        pc += 1;
    }
}

fn main() {
    let path = std::env::args().nth(1).expect("usage: tutorial FILE");
    let source = std::fs::read(&path).expect("the file can be read");
    let program = Traced::new(load(&source).expect("the brackets are balanced"));
    run(0, &program, 0, &mut vec![0]);
}
