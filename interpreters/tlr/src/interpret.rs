use metatrace::{Traced, jit};

use crate::bytecode::{Bytecode, opcode};

metatrace::glue!();

/// Runs a program with `a` in the accumulator: its result.
pub fn run(code: &Traced<Bytecode>, a: i64) -> i64 {
    interpret(0, code, a, &mut Vec::new())
}

/// Stands apart so that the interpreter's loop does not take the address of `pc`, which would keep it in memory.
#[cold]
fn bad_opcode(byte: u8, pc: usize) -> ! {
    unreachable!("{byte} at {pc} passed the check")
}

/// Runs the instructions from `pc` on until one returns.
///
/// # Panics
/// If `pc` is no instruction that can be reached with these registers.
#[jit::portal(owner = code, greens = [pc])]
pub fn interpret(mut pc: usize, code: &Traced<Bytecode>, mut a: i64, regs: &mut Vec<i64>) -> i64 {
    loop {
        jit::merge_point!();
        match code.bytes[pc] {
            opcode::MOV_A_R => {
                regs[code.bytes[pc + 1] as usize] = a;
                pc += 2;
            }
            opcode::MOV_R_A => {
                a = regs[code.bytes[pc + 1] as usize];
                pc += 2;
            }
            opcode::JUMP_IF_A => {
                if a == 0 {
                    pc += 2;
                } else {
                    // Jumps forward count too: no test for them costs less than it saves.
                    pc = code.bytes[pc + 1] as usize;
                    jit::can_enter_jit!();
                }
            }
            opcode::SET_A => {
                a = i64::from(code.bytes[pc + 1]);
                pc += 2;
            }
            opcode::ADD_R_TO_A => {
                a = a.wrapping_add(regs[code.bytes[pc + 1] as usize]);
                pc += 2;
            }
            opcode::RETURN_A => return a,
            opcode::ALLOCATE => {
                regs.clear();
                regs.resize(code.bytes[pc + 1] as usize, 0);
                pc += 2;
            }
            opcode::NEG_A => {
                a = a.wrapping_neg();
                pc += 1;
            }
            byte => bad_opcode(byte, pc),
        }
    }
}
