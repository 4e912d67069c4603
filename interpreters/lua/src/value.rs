//! Values of the language.
//!
//! A value is two words with a defined layout: which kind it is, and what. All payloads are one word of integer kind (floats by their
//! bits), so that the compiler keeps a value in two registers wherever it goes.

use metatrace::gc::{Gc, Trace};

use crate::function::{Function, Native};
use crate::number::{self, Number};
use crate::string::Str;
use crate::table::Table;
use crate::thread::Thread;
use crate::userdata::UserData;

metatrace::glue!();

/// A float, by its bits.
#[derive(Clone, Copy, Debug, Trace)]
#[repr(transparent)]
pub struct Float(u64);

impl Float {
    #[inline(always)]
    pub fn new(float: f64) -> Float {
        Float(float.to_bits())
    }

    #[inline(always)]
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// A value.
#[derive(Clone, Copy, Debug, Trace)]
#[repr(u64)]
pub enum Value {
    Nil,
    False,
    True,
    Int(i64),
    Float(Float),
    Str(Str),
    Table(Gc<Table>),
    Function(Gc<Function>),
    Native(Gc<Native>),
    UserData(Gc<UserData>),
    Thread(Gc<Thread>),
    /// An address that means something to the program the machine is embedded in.
    Pointer(u64),
}

const _: () = assert!(size_of::<Value>() == 16);

/// Kinds before this one are no references, by the first word of a value.
pub const FIRST_REFERENCE: u64 = 5;

/// Kinds of values as the language names them, by number.
pub const TYPE_NAMES: [&str; 9] =
    ["nil", "boolean", "number", "string", "table", "function", "userdata", "thread", "no value"];

impl Value {
    #[inline(always)]
    pub fn bool(value: bool) -> Value {
        if value { Value::True } else { Value::False }
    }

    #[inline(always)]
    pub fn float(value: f64) -> Value {
        Value::Float(Float::new(value))
    }

    /// Whether it counts as true.
    #[inline(always)]
    pub fn is_true(self) -> bool {
        !matches!(self, Value::Nil | Value::False)
    }

    #[inline(always)]
    pub fn is_nil(self) -> bool {
        matches!(self, Value::Nil)
    }

    /// The index in [`TYPE_NAMES`].
    pub fn type_index(self) -> usize {
        match self {
            Value::Nil => 0,
            Value::False | Value::True => 1,
            Value::Int(_) | Value::Float(_) => 2,
            Value::Str(_) => 3,
            Value::Table(_) => 4,
            Value::Function(_) | Value::Native(_) => 5,
            Value::UserData(_) | Value::Pointer(_) => 6,
            Value::Thread(_) => 7,
        }
    }

    pub fn type_name(self) -> &'static str {
        TYPE_NAMES[self.type_index()]
    }

    /// Equality without metamethods.
    #[inline]
    pub fn raw_equal(self, other: Value) -> bool {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.get() == b.get(),
            (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
                number::float_to_int(float.get()) == Some(int)
            }
            (Value::Str(a), Value::Str(b)) => a.equals(b),
            (Value::Nil, Value::Nil) | (Value::False, Value::False) | (Value::True, Value::True) => true,
            _ => match (self.address(), other.address()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }

    /// The address of what has an identity.
    pub fn address(self) -> Option<u64> {
        Some(match self {
            Value::Table(table) => table.to_bits(),
            Value::Function(function) => function.to_bits(),
            Value::Native(function) => function.to_bits(),
            Value::UserData(data) => data.to_bits(),
            Value::Thread(thread) => thread.to_bits(),
            Value::Pointer(address) => address,
            _ => return None,
        })
    }

    /// The number it is; strings are none.
    #[inline]
    pub fn number(self) -> Option<Number> {
        match self {
            Value::Int(int) => Some(Number::Int(int)),
            Value::Float(float) => Some(Number::Float(float.get())),
            _ => None,
        }
    }

    /// The number it is or, as a string, stands for.
    pub fn to_number(self) -> Option<Number> {
        match self {
            Value::Str(text) => number::parse(text.bytes()),
            _ => self.number(),
        }
    }

    pub fn to_float(self) -> Option<f64> {
        self.to_number().map(Number::to_float)
    }

    /// The integer it is, also as a float or a string with an integer's value.
    pub fn to_int(self) -> Option<i64> {
        match self.to_number()? {
            Number::Int(int) => Some(int),
            Number::Float(float) => number::float_to_int(float),
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        match number {
            Number::Int(int) => Value::Int(int),
            Number::Float(float) => Value::float(float),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_before_references() {
        let word = |value: Value| {
            // SAFETY: a value begins with its kind, a word.
            unsafe { (&raw const value).cast::<u64>().read() }
        };
        let plain = [Value::Nil, Value::False, Value::True, Value::Int(1), Value::float(1.0)];
        assert!(plain.iter().all(|value| word(*value) < FIRST_REFERENCE));
        assert!(word(Value::Pointer(0)) > FIRST_REFERENCE);
        assert_eq!(plain.len() as u64, FIRST_REFERENCE);
    }
}
