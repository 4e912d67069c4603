//! Comparisons.

use std::cmp::Ordering;

use crate::meta;
use crate::op::Instr;
use crate::stack::Slot;
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
pub fn equal(vm: &Vm, pc: usize, x: Value, y: Value) -> Result<bool> {
    match (x, y) {
        (Value::Int(x), Value::Int(y)) => Ok(x == y),
        (Value::Str(x), Value::Str(y)) => Ok(x.equals(y)),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Table(x), Value::Table(y)) if x.ptr_eq(y) => Ok(true),
        _ => general_equal(vm, pc, x, y),
    }
}

#[inline(never)]
fn general_equal(vm: &Vm, pc: usize, x: Value, y: Value) -> Result<bool> {
    vm.save_pc(pc);
    meta::equal(vm, x, y)
}

#[inline(never)]
fn general_less(vm: &Vm, pc: usize, x: Value, y: Value) -> Result<bool> {
    vm.save_pc(pc);
    meta::less(vm, x, y)
}

#[inline(never)]
fn general_less_equal(vm: &Vm, pc: usize, x: Value, y: Value) -> Result<bool> {
    vm.save_pc(pc);
    meta::less_equal(vm, x, y)
}

/// `x < y`.
#[inline(always)]
pub fn less(vm: &Vm, pc: usize, x: Value, y: Value) -> Result<bool> {
    match (x, y) {
        (Value::Int(x), Value::Int(y)) => Ok(x < y),
        (Value::Float(x), Value::Float(y)) => Ok(x.get() < y.get()),
        _ => general_less(vm, pc, x, y),
    }
}

/// `x <= y`.
#[inline(always)]
pub fn less_equal(vm: &Vm, pc: usize, x: Value, y: Value) -> Result<bool> {
    match (x, y) {
        (Value::Int(x), Value::Int(y)) => Ok(x <= y),
        (Value::Float(x), Value::Float(y)) => Ok(x.get() <= y.get()),
        _ => general_less_equal(vm, pc, x, y),
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
pub fn less_int(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<bool> {
    let (value, int) = with_int(instr, base);
    match order(value, int) {
        Some(ordering) => Ok(ordering == Some(Ordering::Less)),
        None => general_less(vm, pc, value, Value::Int(int)),
    }
}

/// `R[a] <= b`.
#[inline(always)]
pub fn less_equal_int(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<bool> {
    let (value, int) = with_int(instr, base);
    match order(value, int) {
        Some(ordering) => Ok(matches!(ordering, Some(Ordering::Less | Ordering::Equal))),
        None => general_less_equal(vm, pc, value, Value::Int(int)),
    }
}

/// `R[a] > b`.
#[inline(always)]
pub fn greater_int(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<bool> {
    let (value, int) = with_int(instr, base);
    match order(value, int) {
        Some(ordering) => Ok(ordering == Some(Ordering::Greater)),
        None => general_less(vm, pc, Value::Int(int), value),
    }
}

/// `R[a] >= b`.
#[inline(always)]
pub fn greater_equal_int(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<bool> {
    let (value, int) = with_int(instr, base);
    match order(value, int) {
        Some(ordering) => Ok(matches!(ordering, Some(Ordering::Greater | Ordering::Equal))),
        None => general_less_equal(vm, pc, Value::Int(int), value),
    }
}
