//! The machine: objects, frames, and the loop.
//!
//! In: code whose jumps stay inside it and whose stack never holds more than [`STACK`] values, and a frame. Out: the value that the
//! code returns, or the first error.

use std::cell::Cell;

use metatrace::gc::{Array, Gc, GcCell, Trace};
use metatrace::{Traced, jit};

metatrace::glue!();

#[derive(Trace)]
pub struct Integer {
    pub value: i64,
}

#[derive(Trace)]
pub struct Text {
    pub bytes: Gc<Array<u8>>,
}

#[derive(Clone, Copy, Trace)]
pub enum Value {
    None,
    Integer(Gc<Integer>),
    Text(Gc<Text>),
}

impl Value {
    pub fn integer(value: i64) -> Value {
        Value::Integer(Gc::new(Integer { value }))
    }

    pub fn text(bytes: &[u8]) -> Value {
        Value::Text(Gc::new(Text { bytes: Array::from_slice(bytes) }))
    }

    pub fn as_integer(self) -> Result<i64, Error> {
        match self {
            Value::Integer(integer) => Ok(integer.value),
            _ => Err(Error::NoInteger),
        }
    }

    fn as_text(self) -> Result<Gc<Text>, Error> {
        match self {
            Value::Text(text) => Ok(text),
            _ => Err(Error::NoText),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Instr {
    Integer(i64),
    /// The text with this number.
    Text(usize),
    Load(usize),
    Store(usize),
    Add,
    Multiply,
    Divide,
    Remainder,
    Less,
    Equal,
    /// One text after the other.
    Concat,
    Length,
    /// The byte of a text at an index.
    At,
    Jump(usize),
    JumpIfNot(usize),
    Return,
}

#[derive(Debug)]
pub enum Error {
    NoInteger,
    NoText,
    Index,
    DivisionByZero,
}

pub struct Code {
    pub instrs: Vec<Instr>,
    pub texts: Vec<Vec<u8>>,
}

pub const LOCALS: usize = 8;
pub const STACK: usize = 8;

#[derive(Trace)]
pub struct Frame {
    locals: [GcCell<Value>; LOCALS],
    stack: [GcCell<Value>; STACK],
    top: Cell<usize>,
}

impl Frame {
    pub fn new(argument: Value) -> Gc<Frame> {
        let frame = Gc::new(Frame {
            locals: [const { GcCell::new(Value::None) }; LOCALS],
            stack: [const { GcCell::new(Value::None) }; STACK],
            top: Cell::new(0),
        });
        frame.locals[0].set(argument);
        frame
    }

    fn push(&self, value: Value) {
        let top = self.top.get();
        self.stack[top].set(value);
        self.top.set(top + 1);
    }

    /// The place is cleared, so that the stack does not keep the value alive.
    fn pop(&self) -> Value {
        let top = self.top.get() - 1;
        self.top.set(top);
        self.stack[top].replace(Value::None)
    }
}

fn equal(a: Value, b: Value) -> bool {
    match (a, b) {
        (Value::None, Value::None) => true,
        (Value::Integer(a), Value::Integer(b)) => a.value == b.value,
        (Value::Text(a), Value::Text(b)) => a.ptr_eq(b) || a.bytes[..] == b.bytes[..],
        _ => false,
    }
}

#[jit::dont_look_inside]
fn concat(a: Gc<Text>, b: Gc<Text>) -> Value {
    let length = a.bytes.len() + b.bytes.len();
    let byte = |at: usize| if at < a.bytes.len() { a.bytes[at] } else { b.bytes[at - a.bytes.len()] };
    Value::Text(Gc::new(Text { bytes: Array::from_fn(length, byte) }))
}

fn arithmetic(instr: Instr, a: i64, b: i64) -> Result<i64, Error> {
    Ok(match instr {
        Instr::Multiply => a.wrapping_mul(b),
        Instr::Divide if b == 0 => return Err(Error::DivisionByZero),
        Instr::Divide => a.wrapping_div(b),
        Instr::Remainder if b == 0 => return Err(Error::DivisionByZero),
        Instr::Remainder => a.wrapping_rem(b),
        Instr::Less => (a < b) as i64,
        _ => a.wrapping_add(b),
    })
}

#[jit::portal(owner = code, greens = [pc])]
pub fn interpret(mut pc: usize, code: &Traced<Code>, frame: Gc<Frame>) -> Result<Value, Error> {
    loop {
        jit::merge_point!();
        let instr = code.instrs[pc];
        pc += 1;
        match instr {
            Instr::Integer(value) => frame.push(Value::integer(value)),
            Instr::Text(number) => frame.push(Value::text(&code.texts[number])),
            Instr::Load(local) => frame.push(frame.locals[local].get()),
            Instr::Store(local) => frame.locals[local].set(frame.pop()),
            Instr::Add | Instr::Multiply | Instr::Divide | Instr::Remainder | Instr::Less => {
                let b = frame.pop().as_integer()?;
                let a = frame.pop().as_integer()?;
                frame.push(Value::integer(arithmetic(instr, a, b)?));
            }
            Instr::Equal => {
                let b = frame.pop();
                let a = frame.pop();
                frame.push(Value::integer(equal(a, b) as i64));
            }
            Instr::Concat => {
                let b = frame.pop().as_text()?;
                let a = frame.pop().as_text()?;
                frame.push(concat(a, b));
            }
            Instr::Length => {
                let text = frame.pop().as_text()?;
                frame.push(Value::integer(text.bytes.len() as i64));
            }
            Instr::At => {
                let index = frame.pop().as_integer()?;
                let text = frame.pop().as_text()?;
                let byte = text.bytes.get(index as usize).ok_or(Error::Index)?;
                frame.push(Value::integer(*byte as i64));
            }
            Instr::Jump(target) => {
                let back = target < pc;
                pc = target;
                if back {
                    jit::can_enter_jit!();
                }
            }
            Instr::JumpIfNot(target) => {
                if frame.pop().as_integer()? == 0 {
                    pc = target;
                }
            }
            Instr::Return => return Ok(frame.pop()),
        }
    }
}
