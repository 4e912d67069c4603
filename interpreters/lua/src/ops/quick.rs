//! Functions of the libraries that are done in place: they neither call nor keep anything, so they need no frame.
//!
//! What does not go this way is called as any other function, and says what is wrong with its arguments.

use crate::function::Known;
use crate::number;
use crate::stack::Slot;
use crate::value::Value;

metatrace::glue!();

/// The result of a known function for the arguments behind `place`, if this is the place to do it.
#[inline(always)]
pub fn quick(known: Known, place: Slot, count: usize) -> Option<Value> {
    match (known, count) {
        (Known::Floor, 1) => match place.at(1) {
            Value::Float(float) => {
                let floor = float.get().floor();
                Some(match number::float_to_int(floor) {
                    Some(int) => Value::Int(int),
                    None => Value::float(floor),
                })
            }
            value => number_only(value),
        },
        (Known::Sqrt, 1) => match place.at(1) {
            Value::Float(float) => Some(Value::float(float.get().sqrt())),
            Value::Int(int) => Some(Value::float((int as f64).sqrt())),
            _ => None,
        },
        (Known::Abs, 1) => match place.at(1) {
            Value::Float(float) => Some(Value::float(float.get().abs())),
            Value::Int(int) => Some(Value::Int(int.wrapping_abs())),
            _ => None,
        },
        (Known::Max, 2) => match (place.at(1), place.at(2)) {
            (Value::Int(a), Value::Int(b)) => Some(Value::Int(if b > a { b } else { a })),
            (Value::Float(a), Value::Float(b)) => Some(Value::Float(if b.get() > a.get() { b } else { a })),
            _ => None,
        },
        (Known::Min, 2) => match (place.at(1), place.at(2)) {
            (Value::Int(a), Value::Int(b)) => Some(Value::Int(if b < a { b } else { a })),
            (Value::Float(a), Value::Float(b)) => Some(Value::Float(if b.get() < a.get() { b } else { a })),
            _ => None,
        },
        (Known::Byte, 2) => match (place.at(1), place.at(2)) {
            (Value::Str(text), Value::Int(index)) => {
                let at = (index as u64).wrapping_sub(1);
                let is_there = at < text.len() as u64;
                if is_there { Some(Value::Int(i64::from(text.byte_at(at as usize)))) } else { None }
            }
            _ => None,
        },
        (Known::Length, 1) => match place.at(1) {
            Value::Str(text) => Some(Value::Int(text.len() as i64)),
            _ => None,
        },
        _ => None,
    }
}

#[inline(always)]
fn number_only(value: Value) -> Option<Value> {
    if let Value::Int(_) = value { Some(value) } else { None }
}
