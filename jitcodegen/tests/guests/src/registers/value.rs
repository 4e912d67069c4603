//! Values in 64 bits: a float is itself, all others are quiet NaNs with a tag in bits 48 to 50 and a payload below.

use super::heap::Handle;

metatrace::glue!();

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Value(u64);

const QUIET: u64 = 0xfff8_0000_0000_0000;
const TAG: u64 = 0xffff_0000_0000_0000;
const PAYLOAD: u64 = !TAG;
const INT: u64 = QUIET | 1 << 48;
const BOOL: u64 = QUIET | 2 << 48;
const NIL: u64 = QUIET | 3 << 48;
const OBJECT: u64 = QUIET | 4 << 48;

/// What a value is, taken out of its box.
pub enum Unboxed {
    Nil,
    Bool(bool),
    Int(i32),
    Float(f64),
    Object(Handle),
}

impl Value {
    pub const NIL: Value = Value(NIL);

    pub fn int(n: i32) -> Value {
        Value(INT | u64::from(n as u32))
    }

    pub fn float(x: f64) -> Value {
        // There is one NaN, and it has no tag.
        if x.is_nan() { Value(QUIET) } else { Value(x.to_bits()) }
    }

    pub fn bool(b: bool) -> Value {
        Value(BOOL | b as u64)
    }

    pub fn object(handle: Handle) -> Value {
        Value(OBJECT | handle.0 as u64)
    }

    pub fn is_int(self) -> bool {
        self.0 & TAG == INT
    }

    pub fn is_float(self) -> bool {
        self.0 & QUIET != QUIET || self.0 & TAG == QUIET
    }

    pub fn as_int(self) -> Option<i32> {
        if self.is_int() { Some(self.0 as u32 as i32) } else { None }
    }

    /// The number, be it an integer or a float.
    pub fn as_number(self) -> Option<f64> {
        match self.unbox() {
            Unboxed::Int(n) => Some(f64::from(n)),
            Unboxed::Float(x) => Some(x),
            _ => None,
        }
    }

    pub fn is_true(self) -> bool {
        self.0 != NIL && self.0 != BOOL
    }

    pub fn unbox(self) -> Unboxed {
        if self.is_float() {
            return Unboxed::Float(f64::from_bits(self.0));
        }
        match self.0 & TAG {
            INT => Unboxed::Int(self.0 as u32 as i32),
            BOOL => Unboxed::Bool(self.0 & 1 != 0),
            OBJECT => Unboxed::Object(Handle((self.0 & PAYLOAD) as usize)),
            _ => Unboxed::Nil,
        }
    }
}
