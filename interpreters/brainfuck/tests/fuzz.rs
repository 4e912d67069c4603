//! Random programs behave the same on every engine and in a model written without any of them.
//!
//! The number of programs is `METATRACE_FUZZ` if that is set.

use brainfuck::{Eof, Host, Program, Tape, run};
use metatrace::{Options, Traced, Vm};

/// The cells that programs run on: few, so that their ends are met.
const CELLS: usize = 40;
/// Instructions after which a program is not tried: it may never end.
const FUEL: usize = 20_000;

/// A generator of numbers (xorshift).
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % n
    }
}

/// A program with loops that mostly count down, and some that do not.
fn generate(rng: &mut Rng, depth: u32, out: &mut String) {
    for _ in 0..1 + rng.below(8) {
        match rng.below(if depth == 0 { 10 } else { 14 }) {
            0..=2 => out.push('+'),
            3 => out.push('-'),
            4..=6 => out.push('>'),
            7 => out.push('<'),
            8 => out.push(if rng.below(4) == 0 { '.' } else { '+' }),
            9 => out.push(if rng.below(4) == 0 { ',' } else { '-' }),
            10 => {
                out.push('[');
                generate(rng, depth - 1, out);
                out.push(']');
            }
            _ => counted(rng, depth, out),
        }
    }
}

/// A loop on a cell to the right of what its body uses.
fn counted(rng: &mut Rng, depth: u32, out: &mut String) {
    let shift = 1 + rng.below(3) as usize;
    out.push_str(&">".repeat(shift));
    out.push_str(&"+".repeat(1 + rng.below(20) as usize));
    out.push_str("[-");
    out.push_str(&"<".repeat(shift));
    generate(rng, depth - 1, out);
    out.push_str(&">".repeat(shift));
    out.push(']');
    out.push_str(&"<".repeat(shift));
}

/// What a program does: whether it ended well, and its output. `None` if it takes too long.
fn model(source: &[u8], input: &[u8]) -> Option<(bool, Vec<u8>)> {
    let mut partner = vec![0; source.len()];
    let mut open = vec![];
    for (at, byte) in source.iter().enumerate() {
        if *byte == b'[' {
            open.push(at);
        } else if *byte == b']' {
            let start = open.pop().unwrap();
            (partner[start], partner[at]) = (at, start);
        }
    }
    let (mut cells, mut head, mut pc, mut read) = ([0u8; CELLS], 0usize, 0, 0);
    let mut output = vec![];
    for _ in 0..FUEL {
        let Some(byte) = source.get(pc) else { return Some((true, output)) };
        match byte {
            b'>' if head + 1 == CELLS => return Some((false, output)),
            b'<' if head == 0 => return Some((false, output)),
            b'>' => head += 1,
            b'<' => head -= 1,
            b'+' => cells[head] = cells[head].wrapping_add(1),
            b'-' => cells[head] = cells[head].wrapping_sub(1),
            b'.' => output.push(cells[head]),
            b',' => {
                cells[head] = input.get(read).copied().unwrap_or(0);
                read += 1;
            }
            b'[' if cells[head] == 0 => pc = partner[pc],
            b']' if cells[head] != 0 => pc = partner[pc],
            _ => {}
        }
        pc += 1;
    }
    None
}

fn execute(options: &Options, source: &[u8], input: &[u8]) -> ((bool, Vec<u8>), u64) {
    let vm = Vm::new(options.clone()).unwrap();
    let program = Traced::new(Program::load(source).unwrap());
    let mut host = Host::memory(Eof::Zero, input);
    let result = vm.enter(|| run(&program, &mut Tape::fixed(CELLS).unwrap(), &mut host));
    ((result.is_ok(), host.into_output()), vm.stats().entries)
}

#[test]
fn random_programs() {
    let count =
        std::env::var("METATRACE_FUZZ").map_or(60, |text| text.parse().expect("METATRACE_FUZZ is a number"));
    let input: Vec<u8> = (0..50u8).map(|n| n.wrapping_mul(37)).collect();
    let (mut tried, mut entries) = (0u64, 0);
    let mut seed = 0;
    while tried < count {
        seed += 1;
        let mut source = String::new();
        generate(&mut Rng(0x9e37_79b9_7f4a_7c15 ^ (seed << 8)), 3, &mut source);
        let Some(expected) = model(source.as_bytes(), &input) else { continue };
        tried += 1;
        for (engine, options) in Options::engines() {
            let (found, entered) = execute(&options, source.as_bytes(), &input);
            assert_eq!(found, expected, "program {seed} on {engine}: {source}");
            entries += entered;
        }
    }
    assert!(entries > count, "hardly any program reached compiled code");
}
