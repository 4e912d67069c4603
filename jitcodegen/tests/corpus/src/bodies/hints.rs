//! Bodies with hints that are functions, and calls of functions with hints.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use std::sync::atomic::{AtomicI64, Ordering};

use metatrace::jit;

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

topic! {
    HintConstant => is_constant
    HintGreen => green
    HintLength => length
    HintNotInTrace => not_in_trace
    HintInvariant => invariant
    HintElidable => elidable
}

metatrace::glue!();
