//! The machine: objects, classes, frames, and the loop.
//!
//! In: a program whose jumps and registers are valid, a function of it, and its frame. Out: the value that the function returns, or
//! the first error.

use std::cell::Cell;

use metatrace::gc::{Gc, GcCell, GcVec, Trace};
use metatrace::{QuasiImmut, Traced, jit};

metatrace::glue!();

#[derive(Clone, Copy, Debug, Trace)]
pub enum Value {
    Nil,
    Int(i64),
    Object(Gc<Object>),
}

#[derive(Trace)]
pub struct Object {
    pub class: Gc<Class>,
    pub fields: [GcCell<Value>; FIELDS],
}

pub const FIELDS: usize = 2;

/// The function with a number is the method of a name.
#[derive(Clone, Copy, Trace)]
pub struct Method {
    name: u32,
    function: usize,
}

#[derive(Trace)]
pub struct Class {
    pub parent: Option<Gc<Class>>,
    methods: GcVec<Method>,
    /// The methods are the same as long as this is.
    version: QuasiImmut<u64>,
    subclasses: GcVec<Gc<Class>>,
}

impl Class {
    pub fn new(parent: Option<Gc<Class>>) -> Gc<Class> {
        let version = QuasiImmut::new(0);
        let class =
            Gc::new(Class { parent, methods: GcVec::default(), version, subclasses: GcVec::default() });
        if let Some(parent) = parent {
            parent.subclasses.push(class);
        }
        class
    }

    /// Adds or replaces a method.
    pub fn define(&self, name: u32, function: usize) {
        let method = Method { name, function };
        match (0..self.methods.len()).find(|&at| self.methods.get(at).is_some_and(|m| m.name == name)) {
            Some(at) => self.methods.set(at, method),
            None => self.methods.push(method),
        }
        self.changed();
    }

    fn changed(&self) {
        self.version.set(self.version.get() + 1);
        self.subclasses.iter().for_each(|class| class.changed());
    }
}

/// The method of a name in a class of this version, or in the nearest of its parents that has one.
#[jit::elidable]
fn lookup(class: Gc<Class>, _: u64, name: u32) -> Option<usize> {
    let own = class.methods.iter().find(|method| method.name == name);
    match (own, class.parent) {
        (Some(method), _) => Some(method.function),
        (None, Some(parent)) => lookup(parent, parent.version.get(), name),
        (None, None) => None,
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Instr {
    Int(usize, i64),
    Move(usize, usize),
    Add(usize, usize, usize),
    Multiply(usize, usize, usize),
    Less(usize, usize, usize),
    Jump(usize),
    JumpIfNot(usize, usize),
    /// An object of the class with this number.
    New(usize, usize),
    GetField(usize, usize, usize),
    SetField(usize, usize, usize),
    /// The result, the receiver (the argument is in the register behind it), and the method's name.
    Send(usize, usize, u32),
    /// From now on, a method of a class is a function.
    Define(usize, u32, usize),
    Return(usize),
}

#[derive(Debug)]
pub enum Error {
    NoInteger,
    NoObject,
    NoMethod,
    TooDeep,
}

pub struct Function {
    pub instrs: Vec<Instr>,
}

pub struct Program {
    pub functions: Vec<Traced<Function>>,
}

/// What the machine knows beside the program.
#[derive(Trace)]
pub struct World {
    pub classes: GcVec<Gc<Class>>,
    pub depth: Cell<usize>,
}

pub const REGISTERS: usize = 8;

#[derive(Trace)]
pub struct Frame {
    pub registers: [GcCell<Value>; REGISTERS],
}

impl Frame {
    pub fn new() -> Gc<Frame> {
        Gc::new(Frame { registers: [const { GcCell::new(Value::Nil) }; REGISTERS] })
    }

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

fn send(
    program: &Program,
    world: Gc<World>,
    receiver: Gc<Object>,
    argument: Value,
    name: u32,
) -> Result<Value, Error> {
    let class = jit::promote(receiver.class);
    let function = lookup(class, class.version.get(), name).ok_or(Error::NoMethod)?;
    let depth = world.depth.get();
    if depth == 500 {
        return Err(Error::TooDeep);
    }
    world.depth.set(depth + 1);
    let frame = Frame::new();
    frame.registers[0].set(Value::Object(receiver));
    frame.registers[1].set(argument);
    let result = interpret(0, &program.functions[function], program, world, frame);
    world.depth.set(depth);
    result
}

#[jit::portal(owner = function, greens = [pc])]
pub fn interpret(
    mut pc: usize,
    function: &Traced<Function>,
    program: &Program,
    world: Gc<World>,
    frame: Gc<Frame>,
) -> Result<Value, Error> {
    loop {
        jit::merge_point!();
        let instr = function.instrs[pc];
        pc += 1;
        match instr {
            Instr::Int(to, value) => frame.registers[to].set(Value::Int(value)),
            Instr::Move(to, from) => frame.registers[to].set(frame.registers[from].get()),
            Instr::Add(to, a, b) => {
                let sum = frame.int(a)?.wrapping_add(frame.int(b)?);
                frame.registers[to].set(Value::Int(sum));
            }
            Instr::Multiply(to, a, b) => {
                let product = frame.int(a)?.wrapping_mul(frame.int(b)?);
                frame.registers[to].set(Value::Int(product));
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
            Instr::New(to, class) => {
                let class = world.classes.get(class).ok_or(Error::NoObject)?;
                let fields = [const { GcCell::new(Value::Int(0)) }; FIELDS];
                frame.registers[to].set(Value::Object(Gc::new(Object { class, fields })));
            }
            Instr::GetField(to, object, field) => {
                frame.registers[to].set(frame.object(object)?.fields[field].get());
            }
            Instr::SetField(object, field, value) => {
                frame.object(object)?.fields[field].set(frame.registers[value].get());
            }
            Instr::Send(to, receiver, name) => {
                let argument = frame.registers[receiver + 1].get();
                let result = send(program, world, frame.object(receiver)?, argument, name)?;
                frame.registers[to].set(result);
            }
            Instr::Define(class, name, function) => {
                world.classes.get(class).ok_or(Error::NoObject)?.define(name, function);
            }
            Instr::Return(register) => return Ok(frame.registers[register].get()),
        }
    }
}
