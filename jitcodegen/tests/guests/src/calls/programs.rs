//! Programs of the machine: recursion of several shapes, loops that call, errors from below.

use super::vm::{Error, Function, Machine, Op};
use crate::Program;
use metatrace::Traced;

metatrace::glue!();

pub const PROGRAMS: &[Program] = &[
    Program { name: "calls/fib", run: |n| run(fib(), n, 1000), small: 12, medium: 23, large: 32 },
    Program { name: "calls/ackermann", run: |n| run(ackermann(), n, 20_000), small: 2, medium: 6, large: 9 },
    Program { name: "calls/even", run: |n| run(even(), n, 1000), small: 60, medium: 15_000, large: 500_000 },
    Program {
        name: "calls/loops",
        run: |n| run(loops(), n, 1000),
        small: 90,
        medium: 20_000,
        large: 5_000_000,
    },
    Program {
        name: "calls/long",
        run: |n| run(long(), n, 1000),
        small: 2000,
        medium: 20_000,
        large: 200_000,
    },
    Program { name: "calls/errors", run: errors, small: 60, medium: 15_000, large: 200_000 },
];

fn run(functions: Vec<Function>, n: i64, most: usize) -> String {
    let mut machine = Machine::new(functions, most);
    // What is recorded at once runs to its end natively: something must be left for compiled code.
    let before = [machine.start(0, &[n / 2]), machine.start(0, &[n / 3])];
    match before {
        [Ok(_), Ok(_)] => format!("{:?}", machine.start(0, &[n])),
        errors => format!("Err({errors:?})"),
    }
}

fn function(arity: usize, code: Vec<Op>) -> Function {
    Function { arity, registers: 8, code: Traced::new(code) }
}

/// `fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }`
fn fib() -> Vec<Function> {
    let code = vec![
        Op::Const(1, 2),
        Op::JumpIfLess(0, 1, 8),
        Op::AddConst(2, 0, -1),
        Op::Call(3, 0, 2),
        Op::AddConst(2, 0, -2),
        Op::Call(4, 0, 2),
        Op::Add(0, 3, 4),
        Op::Return(0),
        Op::Return(0),
    ];
    vec![function(1, code)]
}

/// The function of Ackermann, of 3 and n: recursion within an argument, as deep as the result.
fn ackermann() -> Vec<Function> {
    let start = vec![Op::Move(2, 0), Op::Const(1, 3), Op::Call(3, 1, 1), Op::Return(3)];
    let code = vec![
        Op::Const(7, 1),
        Op::JumpIfLess(0, 7, 8),
        Op::AddConst(3, 0, -1),
        Op::JumpIfLess(1, 7, 10),
        Op::Move(4, 0),
        Op::AddConst(5, 1, -1),
        Op::Call(4, 1, 4),
        Op::JumpIfLess(0, 4, 11),
        Op::AddConst(6, 1, 1),
        Op::Return(6),
        Op::Const(4, 1),
        Op::Call(6, 1, 3),
        Op::Return(6),
    ];
    vec![function(1, start), function(2, code)]
}

/// Two functions that call each other, 40 deep, n times.
fn even() -> Vec<Function> {
    let start = vec![
        Op::Const(1, 0),
        Op::Const(2, 40),
        Op::Call(3, 1, 2),
        Op::Add(4, 4, 3),
        Op::AddConst(1, 1, 1),
        Op::JumpIfLess(1, 0, 7),
        Op::Return(4),
        Op::Loop(2),
    ];
    let step = |answer, other| {
        vec![
            Op::Const(1, 1),
            Op::JumpIfLess(0, 1, 5),
            Op::AddConst(2, 0, -1),
            Op::Call(3, other, 2),
            Op::Return(3),
            Op::Const(4, answer),
            Op::Return(4),
        ]
    };
    vec![function(1, start), function(1, step(1, 2)), function(1, step(0, 1))]
}

/// A loop that calls a function with a loop of ten turns.
fn loops() -> Vec<Function> {
    let start = vec![
        Op::Const(1, 0),
        Op::Move(2, 1),
        Op::Call(3, 1, 2),
        Op::Add(4, 4, 3),
        Op::AddConst(1, 1, 10),
        Op::JumpIfLess(1, 0, 7),
        Op::Return(4),
        Op::Loop(1),
    ];
    let inner = vec![
        Op::Const(1, 0),
        Op::Const(2, 10),
        Op::AddConst(0, 0, 7),
        Op::MulMod(0, 0, 0),
        Op::AddConst(1, 1, 1),
        Op::JumpIfLess(1, 2, 7),
        Op::Return(0),
        Op::Loop(2),
    ];
    vec![function(1, start), function(1, inner)]
}

/// A loop that calls a long function three times.
fn long() -> Vec<Function> {
    let start = vec![
        Op::Const(1, 0),
        Op::Call(2, 1, 1),
        Op::Call(3, 1, 2),
        Op::Call(4, 1, 3),
        Op::Add(5, 5, 4),
        Op::AddConst(1, 1, 1),
        Op::JumpIfLess(1, 0, 8),
        Op::Return(5),
        Op::Loop(1),
    ];
    let mut code: Vec<Op> = (0..100).map(|_| Op::MulMod(0, 0, 0)).collect();
    code.push(Op::Return(0));
    vec![function(1, start), function(1, code)]
}

/// Counts down by calls to an error, from where it passes through all that are open; and runs out of stack.
fn errors(n: i64) -> String {
    let code = vec![Op::Check(0), Op::AddConst(1, 0, -1), Op::Call(2, 0, 1), Op::Return(2)];
    let mut machine = Machine::new(vec![function(1, code)], 60);
    let mut depths = 0;
    for start in 0..n {
        match machine.start(0, &[start % 50]) {
            Err(Error::Check { depth }) => depths += depth,
            other => return format!("Err({other:?})"),
        }
    }
    match machine.start(0, &[100]) {
        Err(Error::StackOverflow) => format!("Ok({depths})"),
        other => format!("Err({other:?})"),
    }
}
