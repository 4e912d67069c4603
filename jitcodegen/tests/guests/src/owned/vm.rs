//! The machine. In: a module of checked functions. Out: the result of function 0, or what went wrong; the stack machine trusts
//! slots, targets and handles.

use std::rc::Rc;

use metatrace::{Traced, jit};

metatrace::glue!();

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// An array of the machine.
    Array(usize),
    /// A text, shared.
    Text(Rc<str>),
}

#[derive(Clone, Debug)]
pub enum Instr {
    Const(Value),
    Load(usize),
    Store(usize),
    Dup,
    Pop,
    Add,
    Sub,
    Mul,
    Div,
    Less,
    Equal,
    Not,
    Jump(usize),
    JumpIfFalse(usize),
    Call(usize),
    Return,
    NewArray,
    GetItem,
    SetItem,
    /// The two topmost texts, one behind the other.
    Concat,
    /// The length of a text.
    Length,
}

#[derive(Debug)]
pub enum Error {
    StackUnderflow,
    Type { expected: &'static str, found: Value },
    DivisionByZero,
    Index(i64),
    Other(String),
}

pub struct Function {
    pub name: String,
    pub arity: usize,
    pub locals: usize,
    pub code: Vec<Instr>,
}

pub struct Module {
    pub functions: Vec<Function>,
}

struct Frame {
    function: usize,
    pc: usize,
    base: usize,
}

pub struct Vm {
    stack: Vec<Value>,
    frames: Vec<Frame>,
    arrays: Vec<Vec<Value>>,
    base: usize,
}

impl Value {
    fn as_int(self) -> Result<i64, Error> {
        match self {
            Value::Int(n) => Ok(n),
            found => Err(Error::Type { expected: "an integer", found }),
        }
    }

    fn as_text(self) -> Result<Rc<str>, Error> {
        match self {
            Value::Text(text) => Ok(text),
            found => Err(Error::Type { expected: "a text", found }),
        }
    }

    fn is_true(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }
}

impl Vm {
    pub fn new() -> Vm {
        Vm { stack: Vec::new(), frames: Vec::new(), arrays: Vec::new(), base: 0 }
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn pop(&mut self) -> Result<Value, Error> {
        self.stack.pop().ok_or(Error::StackUnderflow)
    }

    fn arithmetic(&mut self, op: &Instr) -> Result<(), Error> {
        let right = self.pop()?;
        let left = self.pop()?;
        let result = match (left, right) {
            (Value::Int(a), Value::Int(b)) => match op {
                Instr::Add => Value::Int(a.wrapping_add(b)),
                Instr::Sub => Value::Int(a.wrapping_sub(b)),
                Instr::Mul => Value::Int(a.wrapping_mul(b)),
                _ if b == 0 => return Err(Error::DivisionByZero),
                _ => Value::Int(a.wrapping_div(b)),
            },
            (Value::Float(a), Value::Float(b)) => match op {
                Instr::Add => Value::Float(a + b),
                Instr::Sub => Value::Float(a - b),
                Instr::Mul => Value::Float(a * b),
                _ => Value::Float(a / b),
            },
            (Value::Int(_) | Value::Float(_), found) | (found, _) => {
                return Err(Error::Type { expected: "two numbers of a kind", found });
            }
        };
        self.push(result);
        Ok(())
    }

    fn less(&mut self) -> Result<(), Error> {
        let right = self.pop()?;
        let left = self.pop()?;
        let result = match (left, right) {
            (Value::Int(a), Value::Int(b)) => a < b,
            (Value::Float(a), Value::Float(b)) => a < b,
            (found, _) => return Err(Error::Type { expected: "two numbers of a kind", found }),
        };
        self.push(Value::Bool(result));
        Ok(())
    }

    fn item(&mut self, array: Value, index: i64) -> Result<&mut Value, Error> {
        let Value::Array(handle) = array else {
            return Err(Error::Type { expected: "an array", found: array });
        };
        if index < 0 {
            return Err(Error::Index(index));
        }
        self.arrays[handle].get_mut(index as usize).ok_or(Error::Index(index))
    }

    #[jit::unroll_safe]
    fn enter(&mut self, callee: &Function) -> Result<(), Error> {
        if self.stack.len() < callee.arity {
            return Err(Error::Other(format!("too few arguments for {}", callee.name)));
        }
        self.base = self.stack.len() - callee.arity;
        for _ in 0..callee.locals {
            self.stack.push(Value::Nil);
        }
        Ok(())
    }
}

fn concat(left: &str, right: &str) -> Value {
    let text = format!("{left}{right}");
    Value::Text(Rc::from(text.as_str()))
}

/// Calls function 0 with these arguments.
pub fn call(module: &Traced<Module>, arguments: &[Value]) -> Result<Value, Error> {
    let mut vm = Vm::new();
    vm.stack.extend_from_slice(arguments);
    vm.enter(&module.functions[0])?;
    interpret(0, 0, module, &mut vm)
}

#[jit::portal(owner = module, greens = [function, pc])]
fn interpret(
    mut function: usize,
    mut pc: usize,
    module: &Traced<Module>,
    vm: &mut Vm,
) -> Result<Value, Error> {
    loop {
        jit::merge_point!();
        let instr = &module.functions[function].code[pc];
        pc += 1;
        match instr {
            Instr::Const(value) => vm.push(value.clone()),
            Instr::Load(slot) => {
                let value = vm.stack[vm.base + slot].clone();
                vm.push(value);
            }
            Instr::Store(slot) => {
                let value = vm.pop()?;
                let base = vm.base;
                vm.stack[base + slot] = value;
            }
            Instr::Dup => {
                let value = vm.stack.last().ok_or(Error::StackUnderflow)?.clone();
                vm.push(value);
            }
            Instr::Pop => {
                vm.pop()?;
            }
            Instr::Add | Instr::Sub | Instr::Mul | Instr::Div => vm.arithmetic(instr)?,
            Instr::Less => vm.less()?,
            Instr::Equal => {
                let right = vm.pop()?;
                let left = vm.pop()?;
                vm.push(Value::Bool(left == right));
            }
            Instr::Not => {
                let value = vm.pop()?;
                vm.push(Value::Bool(!value.is_true()));
            }
            Instr::Jump(target) => {
                let backwards = *target < pc;
                pc = *target;
                if backwards {
                    jit::can_enter_jit!();
                }
            }
            Instr::JumpIfFalse(target) => {
                if !vm.pop()?.is_true() {
                    pc = *target;
                }
            }
            Instr::Call(callee) => {
                vm.frames.push(Frame { function, pc, base: vm.base });
                vm.enter(&module.functions[*callee])?;
                function = *callee;
                pc = 0;
                jit::can_enter_jit!();
            }
            Instr::Return => {
                let result = vm.pop()?;
                vm.stack.truncate(vm.base);
                let Some(frame) = vm.frames.pop() else { return Ok(result) };
                vm.base = frame.base;
                function = frame.function;
                pc = frame.pc;
                vm.push(result);
            }
            Instr::NewArray => {
                let length = vm.pop()?.as_int()?;
                let handle = vm.arrays.len();
                vm.arrays.push(vec![Value::Int(0); length.max(0) as usize]);
                vm.push(Value::Array(handle));
            }
            Instr::GetItem => {
                let index = vm.pop()?.as_int()?;
                let array = vm.pop()?;
                let value = vm.item(array, index)?.clone();
                vm.push(value);
            }
            Instr::SetItem => {
                let value = vm.pop()?;
                let index = vm.pop()?.as_int()?;
                let array = vm.pop()?;
                *vm.item(array, index)? = value;
            }
            Instr::Concat => {
                let right = vm.pop()?.as_text()?;
                let left = vm.pop()?.as_text()?;
                vm.push(concat(&left, &right));
            }
            Instr::Length => {
                let text = vm.pop()?.as_text()?;
                vm.push(Value::Int(text.len() as i64));
            }
        }
    }
}
