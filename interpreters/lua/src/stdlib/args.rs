//! Arguments of native functions, and what errors say of wrong ones.

use metatrace::gc::Gc;
use metatrace::jit;

use crate::call::Call;
use crate::error;
use crate::meta::Event;
use crate::number::Number;
use crate::string::Str;
use crate::table::Table;
use crate::value::Value;
use crate::vm::{Raised, Result};

metatrace::glue!();

impl Call<'_> {
    /// A message with the position of the caller.
    #[cold]
    pub(crate) fn fail(&self, message: impl AsRef<[u8]>) -> Raised {
        if !self.has_frame {
            return Raised;
        }
        let mut text = error::position(self.vm, 1);
        text.extend_from_slice(message.as_ref());
        self.vm.raise_bytes(&text)
    }

    /// A message without a position.
    #[cold]
    pub(crate) fn fail_plain(&self, message: &str) -> Raised {
        self.vm.raise_bytes(message.as_bytes())
    }

    /// An argument, counted from 0, is wrong.
    #[cold]
    pub(crate) fn bad(&self, index: usize, message: impl AsRef<[u8]>) -> Raised {
        if !self.has_frame {
            return Raised;
        }
        let message = String::from_utf8_lossy(message.as_ref()).into_owned();
        let depth = self.vm.thread().frames.depth();
        let named = error::function_name(&self.vm.thread(), depth - 1);
        let mut number = index + 1;
        if let Some(named) = &named
            && named.kind == "method"
        {
            number -= 1;
            if number == 0 {
                let name = String::from_utf8_lossy(&named.name).into_owned();
                return self.fail(format!("calling '{name}' on bad self ({message})"));
            }
        }
        let name = named
            .map(|named| named.name)
            .or_else(|| super::debug::library_name(self.vm, self.function()))
            .unwrap_or_else(|| b"?".to_vec());
        let name = String::from_utf8_lossy(&name).into_owned();
        self.fail(format!("bad argument #{number} to '{name}' ({message})"))
    }

    /// An argument is of a wrong type.
    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    pub(crate) fn bad_type(&self, index: usize, expected: &str) -> Raised {
        let found = if index >= self.count {
            b"no value".to_vec()
        } else {
            error::type_name(self.vm, self.arg(index))
        };
        self.bad(index, format!("{expected} expected, got {}", String::from_utf8_lossy(&found)))
    }

    /// Any argument, which must be there.
    #[inline]
    pub(crate) fn any(&self, index: usize) -> Result<Value> {
        if index < self.count { Ok(self.arg(index)) } else { Err(self.missing(index)) }
    }

    /// An argument is not there.
    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    fn missing(&self, index: usize) -> Raised {
        self.bad(index, "value expected")
    }

    #[inline]
    pub(crate) fn int(&self, index: usize) -> Result<i64> {
        match self.arg(index) {
            Value::Int(int) => Ok(int),
            value => self.int_slow(index, value),
        }
    }

    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    fn int_slow(&self, index: usize, value: Value) -> Result<i64> {
        match value.to_int() {
            Some(int) => Ok(int),
            None if value.to_number().is_some() => {
                Err(self.bad(index, "number has no integer representation"))
            }
            None => Err(self.bad_type(index, "number")),
        }
    }

    #[inline]
    pub(crate) fn int_or(&self, index: usize, default: i64) -> Result<i64> {
        if self.arg(index).is_nil() { Ok(default) } else { self.int(index) }
    }

    #[inline]
    pub(crate) fn float(&self, index: usize) -> Result<f64> {
        match self.arg(index) {
            Value::Float(float) => Ok(float.get()),
            Value::Int(int) => Ok(int as f64),
            value => self.float_slow(index, value),
        }
    }

    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    fn float_slow(&self, index: usize, value: Value) -> Result<f64> {
        value.to_float().ok_or_else(|| self.bad_type(index, "number"))
    }

    /// An argument that is a number or the text of one.
    #[inline]
    pub(crate) fn number(&self, index: usize) -> Result<Number> {
        match self.arg(index) {
            Value::Int(int) => Ok(Number::Int(int)),
            Value::Float(float) => Ok(Number::Float(float.get())),
            value => self.number_slow(index, value),
        }
    }

    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    fn number_slow(&self, index: usize, value: Value) -> Result<Number> {
        value.to_number().ok_or_else(|| self.bad_type(index, "number"))
    }

    /// A string, or a number as one.
    #[inline]
    pub(crate) fn str(&self, index: usize) -> Result<Str> {
        match self.arg(index) {
            Value::Str(text) => Ok(text),
            value => self.str_slow(index, value),
        }
    }

    #[inline(never)]
    #[jit::dont_look_inside]
    fn str_slow(&self, index: usize, value: Value) -> Result<Str> {
        let (Value::Int(_) | Value::Float(_)) = value else { return Err(self.bad_type(index, "string")) };
        self.needs_frame()?;
        let text = self.vm.strings.make(&crate::meta::plain_text(self.vm, value))?;
        // It lives as long as the argument does.
        self.place.put(index + 1, Value::Str(text));
        Ok(text)
    }

    /// The bytes of a string argument, which live as long as the arguments stay.
    #[inline]
    pub(crate) fn bytes<'b>(&self, index: usize) -> Result<&'b [u8]> {
        Ok(self.str(index)?.bytes())
    }

    pub(crate) fn bytes_or<'b>(&self, index: usize, default: &'b [u8]) -> Result<&'b [u8]> {
        if self.arg(index).is_nil() { Ok(default) } else { self.bytes(index) }
    }

    #[inline]
    pub(crate) fn table(&self, index: usize) -> Result<Gc<Table>> {
        match self.arg(index) {
            Value::Table(table) => Ok(table),
            _ => Err(self.bad_type(index, "table")),
        }
    }

    pub(crate) fn callable(&self, index: usize) -> Result<Value> {
        match self.arg(index) {
            value @ (Value::Function(_) | Value::Native(_)) => Ok(value),
            _ => Err(self.bad_type(index, "function")),
        }
    }

    /// One of several words.
    pub(crate) fn option(&self, index: usize, default: Option<&str>, options: &[&str]) -> Result<usize> {
        let word = match default {
            Some(default) if self.arg(index).is_nil() => default.as_bytes(),
            _ => self.bytes(index)?,
        };
        options
            .iter()
            .position(|option| option.as_bytes() == word)
            .ok_or_else(|| self.bad(index, format!("invalid option '{}'", String::from_utf8_lossy(word))))
    }

    /// Whether a value can be used where a table is asked for, with these metamethods.
    pub(crate) fn table_like(&self, index: usize, events: &[Event]) -> Result<Value> {
        let value = self.arg(index);
        if let Value::Table(_) = value {
            return Ok(value);
        }
        if self.vm.meta(value).is_some()
            && events.iter().all(|event| !self.vm.metamethod(value, *event).is_nil())
        {
            return Ok(value);
        }
        Err(self.bad_type(index, "table"))
    }

    /// Calls a function for one result, from a place behind the arguments.
    pub(crate) fn call(&self, function: Value, args: &[Value]) -> Result<Value> {
        self.vm.call(function, args)
    }
}
