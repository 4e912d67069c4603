//! The machine. In: instructions, and how often they are to run. Out: the accumulator. Overflow wraps around.

use std::cell::Cell;

use metatrace::{Traced, jit};

metatrace::glue!();

/// What an instruction works with.
#[derive(Clone, Copy, Debug)]
pub enum Operand {
    Constant(i64),
    /// Counts the turns.
    Counter,
    /// What the program was given.
    Given,
}

/// An instruction; `acc` is the accumulator and `x` the operand.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// `acc += 3 ^ x`
    Power(Operand),
    /// `acc += x * 5`
    Scale(Operand),
    /// `acc += a + b` of a pair that is made for it
    MadePair,
    /// `acc += a + b` of a pair that was there before
    KeptPair,
    /// `acc += kind(x)`, which is always 1.
    Kind(Operand),
    /// `acc %= 1000003` if it is larger than `x`
    Saturate(Operand),
    /// `acc += digits(x)`, which is remembered for the counter only
    Digits(Operand),
    /// `acc += digits(x)`
    AllDigits(Operand),
    /// `acc += ` the sum of the first `x` numbers
    Sum(Operand),
    /// Counts that it was here; nobody sees it.
    Note(Operand),
    /// `acc += weight(x)`
    Weight(Operand),
    /// `acc += acc % (x | 1) + 7`
    Remainder(Operand),
    /// `acc ^= x`, which must be constant in traces
    Green(Operand),
    /// `acc += x`, in short traces without a call
    Long(Operand),
    /// Goes back to the first instruction while there are turns left.
    Loop,
}

#[derive(Clone, Copy)]
struct Pair {
    a: i64,
    b: i64,
}

pub struct Machine {
    acc: Cell<i64>,
    given: i64,
    pair: Box<Pair>,
    numbers: Vec<i64>,
    notes: i64,
}

impl Machine {
    pub fn new(given: i64) -> Machine {
        Machine {
            acc: Cell::new(1),
            given,
            pair: Box::new(Pair { a: 3, b: given }),
            numbers: (0..40).map(|n| n * n).collect(),
            notes: 0,
        }
    }

    fn add(&self, n: i64) {
        self.acc.set(self.acc.get().wrapping_add(n));
    }
}

fn is_small(_: i64, exponent: i64) -> bool {
    jit::isconstant(exponent) && exponent < 8
}

#[jit::look_inside_iff(is_small)]
fn power(base: i64, exponent: i64) -> i64 {
    let mut result = 1i64;
    for _ in 0..exponent {
        result = result.wrapping_mul(base);
    }
    result
}

#[jit::dont_look_inside]
fn scale_natively(x: i64) -> i64 {
    x.wrapping_mul(5)
}

#[jit::dont_look_inside]
fn total_natively(pair: &Pair) -> i64 {
    pair.a.wrapping_add(pair.b)
}

fn total(pair: &Pair) -> i64 {
    if jit::isvirtual(pair) { pair.a.wrapping_add(pair.b) } else { total_natively(pair) }
}

#[jit::dont_look_inside]
fn kind(x: i64) -> i64 {
    x.wrapping_sub(x) + 1
}

fn saturate(acc: &Cell<i64>) {
    acc.set(acc.get() % 1_000_003);
}

#[jit::elidable]
fn digits(x: i64) -> i64 {
    x.to_string().len() as i64
}

#[jit::unroll_safe]
fn sum(numbers: &[i64]) -> i64 {
    let mut sum = 0i64;
    for &n in numbers {
        sum = sum.wrapping_add(n);
    }
    sum
}

#[jit::dont_look_inside]
fn sum_natively(numbers: &[i64]) -> i64 {
    numbers.iter().sum()
}

#[jit::not_in_trace]
fn note(machine: &mut Machine, x: i64) {
    machine.notes = machine.notes.wrapping_add(x);
}

#[jit::loop_invariant]
fn weight(x: i64) -> i64 {
    x.wrapping_mul(7) ^ 3
}

#[jit::dont_look_inside]
fn same(x: i64) -> i64 {
    x
}

fn value(operand: Operand, counter: i64, given: i64) -> i64 {
    match operand {
        Operand::Constant(n) => n,
        Operand::Counter => counter,
        Operand::Given => given,
    }
}

#[jit::portal(owner = code, greens = [pc])]
pub fn run(machine: &mut Machine, mut pc: usize, code: &Traced<Vec<Op>>, mut counter: i64) -> i64 {
    loop {
        jit::merge_point!();
        let op = code[pc];
        pc += 1;
        let given = machine.given;
        match op {
            Op::Power(x) => machine.add(power(3, value(x, counter, given) & 31)),
            Op::Scale(x) => {
                let x = value(x, counter, given);
                machine.add(if jit::isconstant(x) { x.wrapping_mul(5) } else { scale_natively(x) });
            }
            Op::MadePair => {
                let pair = Box::new(Pair { a: counter, b: machine.acc.get() });
                machine.add(total(&pair));
            }
            Op::KeptPair => machine.add(total(&machine.pair)),
            Op::Kind(x) => {
                let kind = kind(value(x, counter, given));
                jit::record_exact_value(kind, 1);
                match kind {
                    1 => machine.add(1),
                    _ => machine.add(-1),
                }
            }
            Op::Saturate(x) => {
                let limit = value(x, counter, given);
                jit::conditional_call(machine.acc.get() > limit, saturate, &machine.acc);
            }
            Op::Digits(x) => {
                let x = value(x, counter, given);
                let known = if x == counter { Some(7) } else { None };
                machine.add(jit::conditional_call_elidable(known, digits, x));
            }
            Op::AllDigits(x) => machine.add(digits(value(x, counter, given))),
            Op::Sum(x) => {
                let count = (value(x, counter, given) & 31) as usize;
                let numbers = &machine.numbers[..count];
                let is_short = jit::loop_unrolling_heuristic(numbers, count, 4);
                machine.add(if is_short { sum(numbers) } else { sum_natively(numbers) });
            }
            Op::Note(x) => note(machine, value(x, counter, given)),
            Op::Weight(x) => machine.add(weight(value(x, counter, given))),
            Op::Remainder(x) => {
                let by = jit::promote(value(x, counter, given)) | 1;
                machine.add(machine.acc.get() % by + 7);
            }
            Op::Green(x) => {
                let x = value(x, counter, given);
                jit::assert_green(x);
                machine.acc.set(machine.acc.get() ^ x);
            }
            Op::Long(x) => {
                let x = value(x, counter, given);
                machine.add(if jit::current_trace_length() > 15 { same(x) } else { x });
            }
            Op::Loop => {
                if counter == 0 {
                    return machine.acc.get();
                }
                counter -= 1;
                pc = 0;
                jit::can_enter_jit!();
            }
        }
    }
}
