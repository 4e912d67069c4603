//! Comparisons.

use std::cmp::Ordering;

use crate::meta::{self, Event};
use crate::op::Instr;
use crate::ops::calls::{Test, begin_test};
use crate::stack::Slot;
use crate::thread::Running;
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

/// `x == y` with a constant: no metamethod.
#[inline(always)]
pub fn same(x: Value, y: Value) -> bool {
    match (x, y) {
        (Value::Nil, Value::Nil) => true,
        (Value::Int(x), Value::Int(y)) => x == y,
        (Value::Str(x), Value::Str(y)) => x.equals(y),
        _ => x.raw_equal(y),
    }
}

/// `x == y`.
#[inline(always)]
pub fn equal(vm: &Vm, pc: usize, proto: Running, base: Slot, x: Value, y: Value) -> Result<Test> {
    match (x, y) {
        (Value::Int(x), Value::Int(y)) => Ok(Test::Holds(x == y)),
        (Value::Str(x), Value::Str(y)) => Ok(Test::Holds(x.equals(y))),
        (Value::Nil, Value::Nil) => Ok(Test::Holds(true)),
        (Value::Table(x), Value::Table(y)) if x.ptr_eq(y) => Ok(Test::Holds(true)),
        _ => general_equal(vm, pc, proto, base, x, y),
    }
}

#[inline(never)]
fn general_equal(vm: &Vm, pc: usize, proto: Running, base: Slot, x: Value, y: Value) -> Result<Test> {
    vm.save_pc(pc);
    if let (Value::Table(_), Value::Table(_)) = (x, y)
        && let Some(method) = meta::traced_binary(vm, Event::Eq, x, y)
    {
        return begin_test(vm, proto, base, method, [x, y]);
    }
    let (result, method) = meta::compare_equal(vm, x, y)?;
    test(vm, proto, base, (result, method), [x, y])
}

/// What an answer leads to.
#[inline(always)]
fn test(vm: &Vm, proto: Running, base: Slot, found: meta::Found, operands: [Value; 2]) -> Result<Test> {
    match found {
        (_, Some(method)) => begin_test(vm, proto, base, method, operands),
        (result, None) => Ok(Test::Holds(result.is_true())),
    }
}

#[inline(always)]
fn general_order(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    operands: [Value; 2],
    or_equal: bool,
) -> Result<Test> {
    vm.save_pc(pc);
    let [x, y] = operands;
    let event = if or_equal { Event::Le } else { Event::Lt };
    if let (Value::Table(_), _) | (_, Value::Table(_)) = (x, y)
        && let Some(method) = meta::traced_binary(vm, event, x, y)
    {
        return begin_test(vm, proto, base, method, operands);
    }
    let found = meta::compare_order(vm, x, y, or_equal)?;
    test(vm, proto, base, found, operands)
}

#[inline(never)]
fn general_less(vm: &Vm, pc: usize, proto: Running, base: Slot, x: Value, y: Value) -> Result<Test> {
    general_order(vm, pc, proto, base, [x, y], false)
}

#[inline(never)]
fn general_less_equal(vm: &Vm, pc: usize, proto: Running, base: Slot, x: Value, y: Value) -> Result<Test> {
    general_order(vm, pc, proto, base, [x, y], true)
}

/// `x < y`.
#[inline(always)]
pub fn less(vm: &Vm, pc: usize, proto: Running, base: Slot, x: Value, y: Value) -> Result<Test> {
    match (x, y) {
        (Value::Int(x), Value::Int(y)) => Ok(Test::Holds(x < y)),
        (Value::Float(x), Value::Float(y)) => Ok(Test::Holds(x.get() < y.get())),
        _ => general_less(vm, pc, proto, base, x, y),
    }
}

/// `x <= y`.
#[inline(always)]
pub fn less_equal(vm: &Vm, pc: usize, proto: Running, base: Slot, x: Value, y: Value) -> Result<Test> {
    match (x, y) {
        (Value::Int(x), Value::Int(y)) => Ok(Test::Holds(x <= y)),
        (Value::Float(x), Value::Float(y)) => Ok(Test::Holds(x.get() <= y.get())),
        _ => general_less_equal(vm, pc, proto, base, x, y),
    }
}

#[inline(always)]
fn with_int(instr: Instr, base: Slot) -> (Value, i64) {
    (base.at(usize::from(instr.a)), i64::from(instr.b as i16))
}

/// How a number compares with a small integer.
#[inline(always)]
fn order(value: Value, int: i64) -> Option<Option<Ordering>> {
    match value {
        Value::Int(value) => Some(Some(value.cmp(&int))),
        Value::Float(value) => Some(value.get().partial_cmp(&(int as f64))),
        _ => None,
    }
}

/// `R[a] < b`.
#[inline(always)]
pub fn less_int(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Test> {
    let (value, int) = with_int(instr, base);
    match order(value, int) {
        Some(ordering) => Ok(Test::Holds(ordering == Some(Ordering::Less))),
        None => general_less(vm, pc, proto, base, value, Value::Int(int)),
    }
}

/// `R[a] <= b`.
#[inline(always)]
pub fn less_equal_int(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Test> {
    let (value, int) = with_int(instr, base);
    match order(value, int) {
        Some(ordering) => Ok(Test::Holds(matches!(ordering, Some(Ordering::Less | Ordering::Equal)))),
        None => general_less_equal(vm, pc, proto, base, value, Value::Int(int)),
    }
}

/// `R[a] > b`.
#[inline(always)]
pub fn greater_int(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Test> {
    let (value, int) = with_int(instr, base);
    match order(value, int) {
        Some(ordering) => Ok(Test::Holds(ordering == Some(Ordering::Greater))),
        None => general_less(vm, pc, proto, base, Value::Int(int), value),
    }
}

/// `R[a] >= b`.
#[inline(always)]
pub fn greater_equal_int(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Test> {
    let (value, int) = with_int(instr, base);
    match order(value, int) {
        Some(ordering) => Ok(Test::Holds(matches!(ordering, Some(Ordering::Greater | Ordering::Equal)))),
        None => general_less_equal(vm, pc, proto, base, Value::Int(int), value),
    }
}
