//! The machine. In: functions that were checked, and arguments. Out: what the function returns, or what went wrong; errors pass
//! through all functions that are open.

use metatrace::{Traced, jit};

metatrace::glue!();

#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// `a = constant`
    Const(u8, i64),
    /// `a = b`
    Move(u8, u8),
    /// `a = b + c`
    Add(u8, u8, u8),
    /// `a = b + constant`
    AddConst(u8, u8, i64),
    /// `a = b * c % 1000003`
    MulMod(u8, u8, u8),
    /// Goes on at `target` if `a < b`.
    JumpIfLess(u8, u8, usize),
    /// Goes on at `target`, which is further up.
    Loop(usize),
    /// `a = function(b, b + 1, …)`
    Call(u8, usize, u8),
    Return(u8),
    /// Ends the program if `a` is 0.
    Check(u8),
}

pub struct Function {
    pub arity: usize,
    pub registers: usize,
    pub code: Traced<Vec<Op>>,
}

#[derive(Debug, PartialEq)]
pub enum Error {
    StackOverflow,
    Check { depth: usize },
}

pub struct Machine {
    pub functions: Vec<Function>,
    /// Open calls.
    depth: usize,
    most: usize,
}

impl Machine {
    pub fn new(functions: Vec<Function>, most: usize) -> Machine {
        Machine { functions, depth: 0, most }
    }

    /// Calls a function from outside.
    pub fn start(&mut self, function: usize, arguments: &[i64]) -> Result<i64, Error> {
        self.depth = 0;
        let mut registers = vec![0; self.functions[function].registers];
        registers[..arguments.len()].copy_from_slice(arguments);
        let functions = std::mem::take(&mut self.functions);
        let result = run(self, &functions, 0, &functions[function].code, &mut registers);
        self.functions = functions;
        result
    }
}

#[jit::unroll_safe]
fn call(
    machine: &mut Machine,
    functions: &[Function],
    function: usize,
    caller: &[i64],
    first: usize,
) -> Result<i64, Error> {
    if machine.depth == machine.most {
        return Err(Error::StackOverflow);
    }
    machine.depth += 1;
    let callee = &functions[function];
    let mut registers = [0; 8];
    for n in 0..callee.arity {
        registers[n] = caller[first + n];
    }
    let result = run(machine, functions, 0, &callee.code, &mut registers);
    machine.depth -= 1;
    result
}

#[jit::portal(owner = code, greens = [pc])]
fn run(
    machine: &mut Machine,
    functions: &[Function],
    mut pc: usize,
    code: &Traced<Vec<Op>>,
    registers: &mut [i64],
) -> Result<i64, Error> {
    loop {
        jit::merge_point!();
        let op = code[pc];
        pc += 1;
        match op {
            Op::Const(a, value) => registers[a as usize] = value,
            Op::Move(a, b) => registers[a as usize] = registers[b as usize],
            Op::Add(a, b, c) => {
                registers[a as usize] = registers[b as usize].wrapping_add(registers[c as usize])
            }
            Op::AddConst(a, b, value) => registers[a as usize] = registers[b as usize].wrapping_add(value),
            Op::MulMod(a, b, c) => {
                registers[a as usize] = registers[b as usize].wrapping_mul(registers[c as usize]) % 1_000_003
            }
            Op::JumpIfLess(a, b, target) => {
                if registers[a as usize] < registers[b as usize] {
                    pc = target;
                }
            }
            Op::Loop(target) => {
                pc = target;
                jit::can_enter_jit!();
            }
            Op::Call(a, function, first) => {
                let result = call(machine, functions, function, registers, first as usize)?;
                registers[a as usize] = result;
            }
            Op::Return(a) => return Ok(registers[a as usize]),
            Op::Check(a) => {
                if registers[a as usize] == 0 {
                    return Err(Error::Check { depth: machine.depth });
                }
            }
        }
    }
}
