//! Functions of the libraries that are done in place: they call nothing and keep nothing but what they are given, so they need no frame.
//!
//! What does not go this way is called as any other function, and says what is wrong with its arguments.

use metatrace::jit;

use crate::function::Known;
use crate::number;
use crate::shape::{ON_SETTING, PAIRS, PROTECTED, Shape};
use crate::stack::Slot;
use crate::string::Str;
use crate::value::Value;
use crate::vm::Vm;

metatrace::glue!();

/// Values that are moved one by one.
const FEW: usize = 16;

/// Does what a known function does with the arguments behind `place`, if this is the place to do it; how many results there are.
#[inline(never)]
pub fn quick(vm: &Vm, known: Known, place: Slot, count: usize, want: i32) -> Option<usize> {
    let value = match (known, count) {
        (Known::Floor, 1) => match place.at(1) {
            Value::Float(float) => whole(float.get().floor()),
            value => number_only(value)?,
        },
        (Known::Ceil, 1) => match place.at(1) {
            Value::Float(float) => whole(float.get().ceil()),
            value => number_only(value)?,
        },
        (Known::Sqrt, 1) => Value::float(float(place.at(1))?.sqrt()),
        (Known::Sin, 1) => Value::float(sine(float(place.at(1))?)),
        (Known::Cos, 1) => Value::float(cosine(float(place.at(1))?)),
        (Known::Exp, 1) => Value::float(power_of_e(float(place.at(1))?)),
        (Known::Log, 1) => Value::float(logarithm(float(place.at(1))?)),
        (Known::Abs, 1) => match place.at(1) {
            Value::Float(float) => Value::float(float.get().abs()),
            Value::Int(int) => Value::Int(int.wrapping_abs()),
            _ => return None,
        },
        (Known::Max, 2) => match (place.at(1), place.at(2)) {
            (Value::Int(a), Value::Int(b)) => Value::Int(if b > a { b } else { a }),
            (Value::Float(a), Value::Float(b)) => Value::Float(if b.get() > a.get() { b } else { a }),
            _ => return None,
        },
        (Known::Min, 2) => match (place.at(1), place.at(2)) {
            (Value::Int(a), Value::Int(b)) => Value::Int(if b < a { b } else { a }),
            (Value::Float(a), Value::Float(b)) => Value::Float(if b.get() < a.get() { b } else { a }),
            _ => return None,
        },
        (Known::ToInteger, 1) => match place.at(1) {
            Value::Float(float) => match number::float_to_int(float.get()) {
                Some(int) => Value::Int(int),
                None => Value::Nil,
            },
            value => number_only(value)?,
        },
        (Known::Byte | Known::Length | Known::Sub | Known::Char | Known::ToString | Known::ToNumber, _) => {
            of_text(vm, known, place, count)?
        }
        (Known::Type, 1) => Value::Str(vm.kind_name(place.at(1).type_index())),
        (Known::RawGet, 2) => match (place.at(1), place.at(2)) {
            (Value::Table(table), Value::Int(index)) => table.get_int(index),
            (Value::Table(table), key) => table.get_any(&vm.shapes, key),
            _ => return None,
        },
        (Known::RawEqual, 2) => Value::bool(place.at(1).raw_equal(place.at(2))),
        (Known::RawLength, 1) => match place.at(1) {
            Value::Table(table) => Value::Int(table.border()),
            Value::Str(text) => Value::Int(text.len() as i64),
            _ => return None,
        },
        (Known::GetMetatable, 1) => metatable(vm, place.at(1))?,
        (Known::SetMetatable, 2) => set_metatable(vm, place.at(1), place.at(2))?,
        (Known::Remove, 1) => match place.at(1) {
            Value::Table(table) if table.meta().is_none() => table.pop()?,
            _ => return None,
        },
        _ => return several(vm, known, place, count, want),
    };
    place.set(value);
    Some(1)
}

/// Functions of any number of results.
#[inline(never)]
#[jit::unroll_safe]
fn several(vm: &Vm, known: Known, place: Slot, count: usize, want: i32) -> Option<usize> {
    match known {
        Known::Insert if count == 2 => {
            let (Value::Table(table), value) = (place.at(1), place.at(2)) else { return None };
            if table.meta().is_some() || value.is_nil() {
                return None;
            }
            let index = table.border().wrapping_add(1);
            if !table.append(index, value) && table.set_int(vm, index, value).is_err() {
                return None;
            }
            Some(0)
        }
        Known::Unpack if count == 1 => {
            let Value::Table(table) = place.at(1) else { return None };
            let length = table.border() as usize;
            if table.meta().is_some() || length > FEW || !vm.thread().has_room(place.up(FEW)) {
                return None;
            }
            let length = jit::promote(length);
            for index in 0..length {
                place.put(index, table.get_int(index as i64 + 1));
            }
            Some(length)
        }
        Known::Assert if count > 0 && count <= FEW && place.at(1).is_true() => {
            for index in 0..count {
                place.put(index, place.at(index + 1));
            }
            Some(count)
        }
        Known::Select if count > 0 => match place.at(1) {
            Value::Int(index) if want == 1 && index > 0 => {
                place.set(if index < count as i64 { place.at(index as usize + 1) } else { Value::Nil });
                Some(1)
            }
            Value::Str(text) if text.len() == 1 && text.byte_at(0) == b'#' => {
                place.set(Value::Int(count as i64 - 1));
                Some(1)
            }
            _ => None,
        },
        Known::Pairs if count == 1 => {
            let value = place.at(1);
            let Value::Table(table) = value else { return None };
            if let Some(meta) = table.meta() {
                let shape = jit::promote(meta.shape.get());
                if shape == Shape::DICTIONARY || !vm.shapes.has_none(shape, PAIRS) {
                    return None;
                }
            }
            place.set(vm.next.get());
            place.put(2, Value::Nil);
            Some(3)
        }
        Known::Ipairs if count == 1 => {
            place.set(vm.ipairs_next.get());
            place.put(2, Value::Int(0));
            Some(3)
        }
        _ => None,
    }
}

/// Functions of strings.
#[inline(never)]
fn of_text(vm: &Vm, known: Known, place: Slot, count: usize) -> Option<Value> {
    let value = place.at(1);
    match (known, count, value) {
        (Known::Byte, 1, Value::Str(text)) => byte(text, 1),
        (Known::Byte, 2, Value::Str(text)) => match place.at(2) {
            Value::Int(index) => byte(text, index),
            _ => None,
        },
        (Known::Length, 1, Value::Str(text)) => Some(Value::Int(text.len() as i64)),
        (Known::Sub, 2, Value::Str(text)) => match place.at(2) {
            Value::Int(first) => part(vm, text, first, -1),
            _ => None,
        },
        (Known::Sub, 3, Value::Str(text)) => match (place.at(2), place.at(3)) {
            (Value::Int(first), Value::Int(last)) => part(vm, text, first, last),
            _ => None,
        },
        (Known::Char, 1, Value::Int(byte @ 0..=255)) => single(vm, byte as u8),
        (Known::ToString, 1, Value::Str(_)) => Some(value),
        (Known::ToString, 1, Value::Int(_) | Value::Float(_)) => text_of_number(vm, value),
        (Known::ToNumber, 1, Value::Int(_) | Value::Float(_)) => Some(value),
        (Known::ToNumber, 1, Value::Str(text)) => Some(number_of_text(text)),
        _ => None,
    }
}

#[inline(always)]
fn byte(text: Str, index: i64) -> Option<Value> {
    let at = (index as u64).wrapping_sub(1);
    let is_there = at < text.len() as u64;
    if is_there { Some(Value::Int(i64::from(text.byte_at(at as usize)))) } else { None }
}

/// A part of a string; nothing if the heap is full.
#[inline(never)]
#[jit::reads_only]
fn part(vm: &Vm, text: Str, first: i64, last: i64) -> Option<Value> {
    let bytes = text.bytes();
    vm.string(&bytes[crate::stdlib::range(bytes.len(), first, last)]).ok()
}

#[inline(never)]
#[jit::reads_only]
fn single(vm: &Vm, byte: u8) -> Option<Value> {
    vm.strings.single(byte).ok().map(Value::Str)
}

#[inline(never)]
#[jit::reads_only]
fn text_of_number(vm: &Vm, value: Value) -> Option<Value> {
    let made = vm.with_buffer(|out| {
        crate::meta::push_text(out, value);
        vm.strings.make(out)
    });
    made.ok().map(Value::Str)
}

#[inline(never)]
#[jit::reads_only]
fn number_of_text(text: Str) -> Value {
    number::parse(text.bytes()).map_or(Value::Nil, Value::from)
}

/// The metatable that programs are shown.
#[inline(always)]
fn metatable(vm: &Vm, value: Value) -> Option<Value> {
    let Value::Table(table) = value else { return None };
    let Some(meta) = table.meta() else { return Some(Value::Nil) };
    let shape = jit::promote(meta.shape.get());
    let is_shown = shape != Shape::DICTIONARY && vm.shapes.has_none(shape, PROTECTED);
    if is_shown { Some(Value::Table(meta)) } else { None }
}

/// Gives a table its first metatable, if nothing follows from that for the collector.
#[inline(always)]
fn set_metatable(vm: &Vm, value: Value, meta: Value) -> Option<Value> {
    let (Value::Table(table), Value::Table(meta)) = (value, meta) else { return None };
    let shape = jit::promote(meta.shape.get());
    if table.meta().is_some() || shape == Shape::DICTIONARY || !vm.shapes.has_none(shape, ON_SETTING) {
        return None;
    }
    table.set_meta(Some(meta));
    Some(value)
}

#[inline(always)]
fn whole(float: f64) -> Value {
    match number::float_to_int(float) {
        Some(int) => Value::Int(int),
        None => Value::float(float),
    }
}

#[inline(always)]
fn float(value: Value) -> Option<f64> {
    match value {
        Value::Float(float) => Some(float.get()),
        Value::Int(int) => Some(int as f64),
        _ => None,
    }
}

#[inline(always)]
fn number_only(value: Value) -> Option<Value> {
    if let Value::Int(_) = value { Some(value) } else { None }
}

#[jit::elidable]
fn sine(x: f64) -> f64 {
    x.sin()
}

#[jit::elidable]
fn cosine(x: f64) -> f64 {
    x.cos()
}

#[jit::elidable]
fn power_of_e(x: f64) -> f64 {
    x.exp()
}

#[jit::elidable]
fn logarithm(x: f64) -> f64 {
    x.ln()
}
