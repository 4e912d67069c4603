//! Loops of `for`.

use std::cmp::Ordering;

use metatrace::jit;

use crate::function::Known;
use crate::meta::compare_numbers;
use crate::number::{self, Number};
use crate::op::Instr;
use crate::ops::calls::{Next, resume};
use crate::stack::Slot;
use crate::thread::Running;
use crate::value::Value;
use crate::vm::{Raised, Result, Vm};

metatrace::glue!();

/// Begins a loop over numbers: value, limit and step lie at `place`. Of a loop over integers the limit becomes the number of
/// turns after the first, so that nothing overflows. False if there is no turn.
#[inline(always)]
pub fn prepare(vm: &Vm, pc: usize, place: Slot) -> Result<bool> {
    if let (Value::Int(first), Value::Int(limit), Value::Int(1)) = (place.get(), place.at(1), place.at(2)) {
        if first > limit {
            return Ok(false);
        }
        place.put(1, Value::Int(limit.wrapping_sub(first)));
        place.put(3, Value::Int(first));
        return Ok(true);
    }
    prepare_other(vm, pc, place)
}

#[inline(never)]
#[jit::dont_look_inside]
fn prepare_other(vm: &Vm, pc: usize, place: Slot) -> Result<bool> {
    vm.save_pc(pc);
    let (first, limit, step) = (place.get(), place.at(1), place.at(2));
    if let (Value::Int(first), Value::Int(step)) = (first, step) {
        if step == 0 {
            return Err(vm.error("'for' step is zero"));
        }
        let Some(limit) = int_limit(vm, first, limit, step)? else { return Ok(false) };
        let distance = if step > 0 {
            (limit as u64).wrapping_sub(first as u64) / step as u64
        } else {
            (first as u64).wrapping_sub(limit as u64) / step.unsigned_abs()
        };
        place.put(1, Value::Int(distance as i64));
        place.put(3, Value::Int(first));
        return Ok(true);
    }
    let limit = float(vm, limit, "limit")?;
    let step = float(vm, step, "step")?;
    let first = float(vm, first, "initial value")?;
    if step == 0.0 {
        return Err(vm.error("'for' step is zero"));
    }
    if if step > 0.0 { first > limit } else { limit > first } || first.is_nan() || limit.is_nan() {
        return Ok(false);
    }
    for (index, value) in [first, limit, step, first].into_iter().enumerate() {
        place.put(index, Value::float(value));
    }
    Ok(true)
}

fn float(vm: &Vm, value: Value, what: &str) -> Result<f64> {
    match value.to_number() {
        Some(number) => Ok(number.to_float()),
        None => Err(wrong(vm, value, what)),
    }
}

fn wrong(vm: &Vm, value: Value, what: &str) -> Raised {
    let kind = crate::error::type_name(vm, value);
    let kind = String::from_utf8_lossy(&kind);
    vm.error(format!("bad 'for' {what} (number expected, got {kind})"))
}

/// The limit of a loop over integers; nothing if there is no turn.
fn int_limit(vm: &Vm, first: i64, limit: Value, step: i64) -> Result<Option<i64>> {
    let limit = match limit.to_number() {
        Some(Number::Int(limit)) => limit,
        Some(Number::Float(limit)) => {
            let rounded = if step > 0 { limit.floor() } else { limit.ceil() };
            match number::float_to_int(rounded) {
                Some(limit) => limit,
                None if limit.is_nan() => return Ok(None),
                None => {
                    if compare_numbers(Number::Float(limit), Number::Int(0)) == Some(Ordering::Greater) {
                        if step < 0 {
                            return Ok(None);
                        }
                        i64::MAX
                    } else {
                        if step > 0 {
                            return Ok(None);
                        }
                        i64::MIN
                    }
                }
            }
        }
        None => return Err(wrong(vm, limit, "limit")),
    };
    Ok(if if step > 0 { first > limit } else { first < limit } { None } else { Some(limit) })
}

/// The next turn of a loop over numbers, if there is one.
#[inline(always)]
pub fn advance(place: Slot) -> bool {
    match (place.get(), place.at(1), place.at(2)) {
        (Value::Int(index), Value::Int(left), Value::Int(step)) => {
            if left == 0 {
                return false;
            }
            let next = index.wrapping_add(step);
            place.put(1, Value::Int(left.wrapping_sub(1)));
            place.set(Value::Int(next));
            place.put(3, Value::Int(next));
            true
        }
        (Value::Float(index), Value::Float(limit), Value::Float(step)) => {
            let (step, limit) = (step.get(), limit.get());
            let next = index.get() + step;
            if if step > 0.0 { next <= limit } else { limit <= next } {
                place.set(Value::float(next));
                place.put(3, Value::float(next));
                true
            } else {
                false
            }
        }
        _ => false,
    }
}

/// Calls the iterator of a loop: function, state and control lie at `R[a]`. Iterators that the machine knows are not called.
#[inline(always)]
#[jit::unroll_safe]
pub fn call_iterator(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Next> {
    let place = base.up(usize::from(instr.a));
    if let (Value::Native(native), Value::Table(table)) = (place.get(), place.at(1)) {
        match native.known {
            Known::Next => {
                // The place of what is to be closed is free to note where the traversal is.
                let position = match (place.at(3), place.at(2)) {
                    (Value::Int(position), _) => Some(position as usize),
                    (Value::Nil, Value::Nil) => Some(0),
                    (Value::Nil, key) => table.position_behind(&vm.shapes, key),
                    _ => None,
                };
                if let Some(position) = position {
                    return Ok(finish_next(vm, pc, proto, base, place, position, usize::from(instr.b)));
                }
            }
            Known::IpairsNext => {
                if let Value::Int(index) = place.at(2)
                    && table.meta().is_none()
                {
                    let next = index.wrapping_add(1);
                    let value = table.get_int(next);
                    place.put(4, if value.is_nil() { Value::Nil } else { Value::Int(next) });
                    place.put(5, value);
                    for extra in 2..usize::from(instr.b) {
                        place.put(4 + extra, Value::Nil);
                    }
                    return Ok((pc, proto, base));
                }
            }
            _ => {}
        }
    }
    call_other(vm, pc, place, i32::from(instr.b as i16))
}

#[inline(always)]
#[jit::unroll_safe]
fn finish_next(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    place: Slot,
    position: usize,
    count: usize,
) -> Next {
    let Value::Table(table) = place.at(1) else { return (pc, proto, base) };
    match table.next_at(&vm.shapes, position) {
        Some((position, key, value)) => {
            place.put(3, Value::Int(position as i64));
            place.put(4, key);
            place.put(5, value);
        }
        None => {
            place.put(4, Value::Nil);
            place.put(5, Value::Nil);
        }
    }
    for extra in 2..count {
        place.put(4 + extra, Value::Nil);
    }
    (pc, proto, base)
}

#[inline(never)]
fn call_other(vm: &Vm, pc: usize, place: Slot, want: i32) -> Result<Next> {
    vm.save_pc(pc);
    let call = place.up(4);
    call.copy_from(place, 3);
    match vm.callable(call, 2)? {
        (Value::Function(function), count) => {
            let (code, base) = vm.begin(function, call, count, want, 0)?;
            Ok((0, code, base))
        }
        (Value::Native(native), count) if native.known != Known::Pcall => {
            vm.call_native(native, call, count, want)?;
            Ok(resume(vm))
        }
        (_, count) => {
            vm.call_at(call, count, want)?;
            Ok(resume(vm))
        }
    }
}
