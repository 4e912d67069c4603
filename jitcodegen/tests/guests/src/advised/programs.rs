//! Programs of the machine: one instruction or a few, again and again.

use metatrace::Traced;

use super::vm::Op::{self, *};
use super::vm::Operand::{Constant, Counter, Given};
use super::vm::{Machine, run};
use crate::Program;

metatrace::glue!();

const fn program(name: &'static str, run: fn(i64) -> String) -> Program {
    Program { name, run, small: 60, medium: 20_000, large: 10_000_000 }
}

pub const PROGRAMS: &[Program] = &[
    program("advised/power", |n| repeat(n, &[Power(Constant(4))])),
    program("advised/power_called", |n| repeat(n, &[Power(Counter)])),
    program("advised/scale", |n| repeat(n, &[Scale(Constant(4))])),
    program("advised/scale_called", |n| repeat(n, &[Scale(Counter)])),
    program("advised/made", |n| repeat(n, &[MadePair])),
    program("advised/kept", |n| repeat(n, &[KeptPair])),
    program("advised/kind", |n| repeat(n, &[Kind(Counter)])),
    program("advised/saturate", |n| repeat(n, &[MadePair, Saturate(Constant(1 << 40))])),
    program("advised/digits", |n| repeat(n, &[Digits(Given), Digits(Counter)])),
    program("advised/all_digits", |n| {
        repeat(n, &[AllDigits(Constant(1234)), AllDigits(Given), AllDigits(Given)])
    }),
    program("advised/sum", |n| repeat(n, &[Sum(Constant(3))])),
    program("advised/sum_called", |n| repeat(n, &[Sum(Constant(30)), Sum(Counter)])),
    program("advised/note", |n| repeat(n, &[Note(Counter), Scale(Constant(2))])),
    program("advised/weight", |n| repeat(n, &[Weight(Given), Weight(Given)])),
    program("advised/remainder", |n| repeat(n, &[Remainder(Given)])),
    program("advised/green", |n| repeat(n, &[Green(Constant(9))])),
    program("advised/long", |n| repeat(n, &[Long(Counter); 12])),
];

fn repeat(n: i64, ops: &[Op]) -> String {
    let code = Traced::new([ops, &[Loop]].concat());
    let mut machine = Machine::new(12_345);
    format!("Ok({})", run(&mut machine, 0, &code, n))
}

/// A program that says of what changes in every turn that it is constant.
pub fn not_green(n: i64) -> String {
    repeat(n, &[Green(Counter)])
}
