//! The machine.

use std::cell::Cell;

use metatrace::gc::{Gc, GcCell, Trace};
use metatrace::{Traced, jit};

metatrace::glue!();

#[derive(Clone, Copy, Debug, Trace)]
pub enum Value {
    Nil,
    Int(i64),
    Object(Gc<Object>),
}

#[derive(Trace)]
pub struct Object {
    pub value: GcCell<Value>,
    pub next: GcCell<Option<Gc<Object>>>,
}

#[derive(Clone, Copy, Debug)]
pub enum Instr {
    Int(usize, i64),
    Move(usize, usize),
    Add(usize, usize, usize),
    Less(usize, usize, usize),
    Jump(usize),
    JumpIfNot(usize, usize),
    /// An object with this value and that one as the next.
    New(usize, usize, usize),
    Get(usize, usize),
    Set(usize, usize),
    Next(usize, usize),
    /// Have the object's end counted.
    Watch(usize),
    /// Whether it is an object.
    IsObject(usize, usize),
    Return(usize),
}

#[derive(Debug)]
pub enum Error {
    NoInteger,
    NoObject,
    OutOfMemory,
}

pub const REGISTERS: usize = 8;

#[derive(Trace)]
pub struct Frame {
    pub registers: [GcCell<Value>; REGISTERS],
}

impl Frame {
    fn int(&self, register: usize) -> Result<i64, Error> {
        match self.registers[register].get() {
            Value::Int(value) => Ok(value),
            _ => Err(Error::NoInteger),
        }
    }

    fn object(&self, register: usize) -> Result<Gc<Object>, Error> {
        match self.registers[register].get() {
            Value::Object(object) => Ok(object),
            _ => Err(Error::NoObject),
        }
    }
}

thread_local! {
    static ENDED: Cell<i64> = const { Cell::new(0) };
}

/// A finalizer: counts, and adds what the object holds to nothing, for it lives still.
fn ended(object: Gc<Object>) {
    assert!(
        matches!(object.value.get(), Value::Int(_)),
        "an object that lives as long as its finalizer runs"
    );
    ENDED.set(ENDED.get() + 1);
}

/// How many objects ended since this was last asked.
pub fn count_ended() -> i64 {
    ENDED.replace(0)
}

fn reference(value: Value) -> Option<Gc<Object>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

#[jit::portal(owner = code, greens = [pc])]
pub fn interpret(mut pc: usize, code: &Traced<Vec<Instr>>, frame: Gc<Frame>) -> Result<Value, Error> {
    loop {
        jit::merge_point!();
        let instr = code[pc];
        pc += 1;
        match instr {
            Instr::Int(to, value) => frame.registers[to].set(Value::Int(value)),
            Instr::Move(to, from) => frame.registers[to].set(frame.registers[from].get()),
            Instr::Add(to, a, b) => {
                let sum = frame.int(a)?.wrapping_add(frame.int(b)?);
                frame.registers[to].set(Value::Int(sum));
            }
            Instr::Less(to, a, b) => {
                let less = frame.int(a)? < frame.int(b)?;
                frame.registers[to].set(Value::Int(less as i64));
            }
            Instr::Jump(target) => {
                let back = target < pc;
                pc = target;
                if back {
                    jit::can_enter_jit!();
                }
            }
            Instr::JumpIfNot(register, target) => {
                if frame.int(register)? == 0 {
                    pc = target;
                }
            }
            Instr::New(to, value, next) => {
                let next = reference(frame.registers[next].get());
                let value = frame.registers[value].get();
                let object = Object { value: GcCell::new(value), next: GcCell::new(next) };
                let object = Gc::try_new(object).map_err(|_| Error::OutOfMemory)?;
                frame.registers[to].set(Value::Object(object));
            }
            Instr::Get(to, object) => frame.registers[to].set(frame.object(object)?.value.get()),
            Instr::Set(object, value) => frame.object(object)?.value.set(frame.registers[value].get()),
            Instr::Next(to, object) => {
                let next = frame.object(object)?.next.get();
                frame.registers[to].set(next.map_or(Value::Nil, Value::Object));
            }
            Instr::Watch(object) => frame.object(object)?.on_death(ended),
            Instr::IsObject(to, value) => {
                let is = reference(frame.registers[value].get()).is_some();
                frame.registers[to].set(Value::Int(is as i64));
            }
            Instr::Return(register) => return Ok(frame.registers[register].get()),
        }
    }
}
