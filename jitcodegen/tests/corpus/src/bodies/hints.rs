//! Bodies with hints that are functions, and calls of functions with hints.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

use metatrace::gc::{Gc, Trace};
use metatrace::{QuasiImmut, jit};

use crate::code::Op;
use crate::state::State;

static SEEN: AtomicI64 = AtomicI64::new(0);

/// Nothing that a program sees depends on it.
#[jit::not_in_trace]
fn note(n: i64) {
    SEEN.fetch_add(n & 1, Ordering::Relaxed);
}

#[jit::loop_invariant]
fn weight(n: i64) -> i64 {
    n.wrapping_mul(7) ^ 3
}

#[jit::elidable]
fn digits(n: i64) -> i64 {
    n.to_string().len() as i64
}

fn is_constant(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let n = jit::promote(x & 3);
    let three = if jit::isconstant(n) { n * 3 } else { n + n + n };
    let both = if jit::isconstant((n, acc)) { n ^ acc } else { acc ^ n };
    three ^ both ^ y
}

fn green(acc: i64, _x: i64, y: i64, _state: &mut State) -> i64 {
    let n = jit::promote(y & 7);
    jit::assert_green(n + 1);
    acc.wrapping_add(n)
}

fn length(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    if jit::current_trace_length() > 1_000_000 { x.wrapping_sub(acc) } else { acc ^ y }
}

fn not_in_trace(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    note(acc);
    note(x ^ y);
    acc ^ x
}

fn invariant(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let limit = weight(state.host.limit as i64);
    let again = weight(state.host.limit as i64);
    acc ^ limit.wrapping_sub(again) ^ x ^ y
}

fn elidable(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    digits(x) ^ digits(x).wrapping_mul(y) ^ acc
}

#[derive(Clone, Copy, Debug, Default, Trace)]
enum Held {
    #[default]
    Nothing,
    Number(i64),
    Holder(Gc<Holder>),
}

#[derive(Debug, Trace)]
struct Holder {
    before: i64,
    held: QuasiImmut<Held>,
    small: QuasiImmut<u8>,
}

fn held(holder: &Holder) -> i64 {
    match holder.held.get() {
        Held::Nothing => holder.before,
        Held::Number(n) => n.wrapping_mul(3),
        Held::Holder(inner) => inner.before ^ i64::from(inner.small.get()),
    }
}

fn quasi_immut(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let make =
        |held| Gc::new(Holder { before: acc, held: QuasiImmut::new(held), small: QuasiImmut::new(x as u8) });
    let holder = make(Held::default());
    let known = make(Held::Holder(holder));
    let first = held(&holder) ^ held(&known);
    holder.held.set(Held::Number(y));
    known.small.set(y as u8);
    let second = held(&holder).wrapping_add(held(&known)) ^ i64::from(known.small.get());
    known.held.set(Held::Number(x));
    first.wrapping_mul(5) ^ second.wrapping_add(held(&known))
}

fn quasi_immut_elsewhere(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut fields = [QuasiImmut::new(x), QuasiImmut::new(y), QuasiImmut::default()];
    fields[2].set(acc);
    fields.swap(0, 1);
    let boxed = Box::new(QuasiImmut::new((x, 2.5f64)));
    boxed.set((boxed.get().0 ^ y, boxed.get().1 * 2.0));
    fields[0].get().wrapping_sub(fields[1].get()) ^ fields[2].get() ^ boxed.get().0 ^ boxed.get().1 as i64
}

fn is_virtual(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let holder = Gc::new(Holder { before: x, held: QuasiImmut::default(), small: QuasiImmut::new(1) });
    let boxed = Box::new(acc ^ y);
    let made = if jit::isvirtual(holder) { holder.before } else { x };
    let part = if jit::isvirtual(&*boxed) { *boxed } else { acc ^ y };
    made.wrapping_mul(7) ^ part
}

#[jit::dont_look_inside]
fn seven(n: i64) -> (i64, f64) {
    (n.wrapping_sub(n) + 7, 0.5)
}

fn record_exact(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let both = seven(acc);
    jit::record_exact_value(both, (7, 0.5));
    acc.wrapping_mul(both.0) ^ x ^ (y as f64 * both.1) as i64
}

/// Says what is not so: recordings are given up, and nothing else happens.
fn record_wrongly(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    if jit::we_are_jitted() && x & 7 == 5 {
        jit::record_exact_value(y | 1, 0);
    }
    acc ^ y
}

/// Writes nothing that traces read: what they know of memory is as good behind it.
#[jit::reads_only]
fn weigh(cells: &[Cell<i64>; 2]) -> i64 {
    cells[0].get().wrapping_mul(3) ^ cells[1].get()
}

fn reads_only(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let cells = [Cell::new(acc), Cell::new(x)];
    let first = weigh(&cells);
    cells[0].set(y);
    let second = weigh(&cells);
    first.wrapping_sub(second) ^ cells[0].get() ^ cells[1].get()
}

fn saturate((host, by): (&Cell<i64>, i64)) {
    host.set(host.get() % by);
}

fn fail(by: i64) {
    assert!(by > 0, "by {by}");
}

fn conditional(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let cell = Cell::new(acc);
    jit::conditional_call(x > y, saturate, (&cell, (x | 1).wrapping_abs().max(1)));
    jit::conditional_call(false, saturate, (&cell, 0));
    jit::conditional_call(true, fail, 1);
    cell.get() ^ x
}

fn conditional_panics(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    jit::conditional_call(x > 18, fail, y.min(0));
    acc.wrapping_add(y)
}

fn conditional_elidable(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let known = if x > y { Some(x) } else { None };
    let first = jit::conditional_call_elidable(known, digits, y);
    let second = jit::conditional_call_elidable(Some(acc), digits, y);
    let third = jit::conditional_call_elidable(None, digits, x);
    first ^ second.wrapping_add(third)
}

#[jit::unroll_safe]
fn few(numbers: &[i64]) -> i64 {
    let mut sum = 0i64;
    for &n in numbers {
        sum = sum.wrapping_add(n);
    }
    sum
}

fn is_short(numbers: &[i64], limit: usize) -> bool {
    jit::isconstant(limit) && numbers.len() < limit
}

#[jit::look_inside_iff(is_short)]
fn product(numbers: &[i64], limit: usize) -> i64 {
    let mut product = 1i64;
    for &n in numbers.iter().take(limit) {
        product = product.wrapping_mul(n | 1);
    }
    product
}

fn look_inside_iff(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let numbers = [acc, x, y];
    product(&numbers, 4) ^ product(&numbers[..(x & 3) as usize], (y & 3) as usize) ^ product(&numbers[1..], 2)
}

fn unrolling(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let numbers = [acc, x, y];
    let numbers = &numbers[..(x & 3) as usize];
    if jit::loop_unrolling_heuristic(numbers, jit::promote(numbers.len()), 2) {
        few(numbers)
    } else {
        numbers.iter().fold(0, |a, &b| a.wrapping_add(b))
    }
}

topic! {
    HintConstant => is_constant
    HintGreen => green
    HintLength => length
    HintNotInTrace => not_in_trace
    HintInvariant => invariant
    HintElidable => elidable
    HintVirtual => is_virtual
    HintExact => record_exact
    HintWrong => record_wrongly
    HintReadsOnly => reads_only
    HintConditional => conditional
    HintConditionalPanics => conditional_panics
    HintConditionalElidable => conditional_elidable
    HintUnrolling => unrolling
    HintIff => look_inside_iff
    HintQuasiImmut => quasi_immut
    HintQuasiElsewhere => quasi_immut_elsewhere
}

metatrace::glue!();
