//! The machine. In: a program whose registers, targets and function numbers are valid. Out: what function 0 returns, or what
//! went wrong.

use metatrace::{Traced, jit};
use std::fmt;

use super::heap::{Handle, Heap, Object};
use super::value::{Unboxed, Value};

metatrace::glue!();

/// A register of the current window.
pub type Reg = u8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arith {
    Add,
    Sub,
    Mul,
    Div,
}

#[derive(Clone, Debug)]
pub enum Op {
    Move { to: Reg, from: Reg },
    Int { to: Reg, value: i32 },
    Constant { to: Reg, index: u16 },
    Arith { op: Arith, to: Reg, left: Reg, right: Reg },
    AddInt { to: Reg, left: Reg, right: i8 },
    Less { to: Reg, left: Reg, right: Reg },
    Equal { to: Reg, left: Reg, right: Reg },
    Jump { target: u32 },
    JumpIfNot { condition: Reg, target: u32 },
    Call { function: u16, first: Reg },
    Return { from: Reg },
    NewList { to: Reg },
    Push { list: Reg, item: Reg },
    Get { to: Reg, list: Reg, index: Reg },
    Set { list: Reg, index: Reg, item: Reg },
    Len { to: Reg, of: Reg },
}

#[derive(Debug)]
pub enum Error {
    Type { wanted: &'static str, found: String },
    Index(i32),
    DivisionByZero,
    StackOverflow,
}

pub type Result<T> = std::result::Result<T, Error>;

pub struct Function {
    pub registers: usize,
    pub code: Vec<Op>,
}

pub struct Program {
    pub functions: Vec<Function>,
    pub constants: Vec<Constant>,
}

#[derive(Clone, Debug)]
pub enum Constant {
    Float(f64),
    Text(String),
}

#[derive(Clone, Copy)]
struct Frame {
    function: usize,
    pc: usize,
    base: usize,
}

pub struct Machine {
    registers: Vec<Value>,
    frames: Vec<Frame>,
    base: usize,
    constants: Vec<Value>,
    heap: Heap,
}

const MAX_FRAMES: usize = 10_000;

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unbox() {
            Unboxed::Nil => write!(f, "nil"),
            Unboxed::Bool(b) => write!(f, "{b}"),
            Unboxed::Int(n) => write!(f, "{n}"),
            Unboxed::Float(x) => write!(f, "{x:?}"),
            Unboxed::Object(Handle(n)) => write!(f, "object {n}"),
        }
    }
}

impl Machine {
    pub fn new(program: &Program) -> Machine {
        let mut heap = Heap::default();
        let constants = program
            .constants
            .iter()
            .map(|constant| match constant {
                Constant::Float(x) => Value::float(*x),
                Constant::Text(text) => heap.add(Object::Text(text.clone())),
            })
            .collect();
        Machine { registers: vec![Value::NIL; 16], frames: Vec::new(), base: 0, constants, heap }
    }

    /// Calls function 0 with an integer.
    pub fn run(&mut self, program: &Traced<Program>, argument: i32) -> Result<Value> {
        self.reserve(program.functions[0].registers);
        self.set(0, Value::int(argument));
        execute(0, 0, program, self)
    }

    /// Makes room for a window of so many registers.
    fn reserve(&mut self, registers: usize) {
        let needed = self.base + registers;
        if needed > self.registers.len() {
            self.registers.resize(2 * needed, Value::NIL);
        }
    }

    fn get(&self, register: Reg) -> Value {
        self.registers[self.base + register as usize]
    }

    fn set(&mut self, register: Reg, value: Value) {
        let at = self.base + register as usize;
        self.registers[at] = value;
    }

    fn mismatch<T>(&self, wanted: &'static str, found: Value) -> Result<T> {
        Err(Error::Type { wanted, found: format!("{found:?}") })
    }

    fn arith(&self, op: Arith, left: Value, right: Value) -> Result<Value> {
        if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
            let exact = match op {
                Arith::Add => a.checked_add(b),
                Arith::Sub => a.checked_sub(b),
                Arith::Mul => a.checked_mul(b),
                Arith::Div if b == 0 => return Err(Error::DivisionByZero),
                Arith::Div => a.checked_rem(b).filter(|rest| *rest == 0).and_then(|_| a.checked_div(b)),
            };
            if let Some(n) = exact {
                return Ok(Value::int(n));
            }
        }
        let Some(a) = left.as_number() else { return self.mismatch("a number", left) };
        let Some(b) = right.as_number() else { return self.mismatch("a number", right) };
        Ok(Value::float(match op {
            Arith::Add => a + b,
            Arith::Sub => a - b,
            Arith::Mul => a * b,
            Arith::Div => a / b,
        }))
    }

    fn less(&self, left: Value, right: Value) -> Result<bool> {
        match (left.unbox(), right.unbox()) {
            (Unboxed::Int(a), Unboxed::Int(b)) => Ok(a < b),
            (Unboxed::Object(a), Unboxed::Object(b)) => self.text_less(a, b),
            _ => match (left.as_number(), right.as_number()) {
                (Some(a), Some(b)) => Ok(a < b),
                (None, _) => self.mismatch("a number", left),
                (_, None) => self.mismatch("a number", right),
            },
        }
    }

    fn text_less(&self, a: Handle, b: Handle) -> Result<bool> {
        match (self.heap.text(a), self.heap.text(b)) {
            (Some(a), Some(b)) => Ok(a.len() < b.len()),
            _ => self.mismatch("texts", Value::object(a)),
        }
    }

    fn list(&mut self, value: Value) -> Result<&mut Vec<Value>> {
        if let Unboxed::Object(handle) = value.unbox() {
            if self.heap.list(handle).is_some() {
                return Ok(self.heap.list_mut(handle).expect("it is a list"));
            }
        }
        self.mismatch("a list", value)
    }

    fn index(&self, value: Value) -> Result<usize> {
        match value.as_int() {
            Some(n) if n >= 0 => Ok(n as usize),
            Some(n) => Err(Error::Index(n)),
            None => self.mismatch("an index", value),
        }
    }
}

#[jit::portal(owner = program, greens = [function, pc])]
fn execute(mut function: usize, mut pc: usize, program: &Traced<Program>, vm: &mut Machine) -> Result<Value> {
    loop {
        jit::merge_point!();
        let op = &program.functions[function].code[pc];
        pc += 1;
        match *op {
            Op::Move { to, from } => vm.set(to, vm.get(from)),
            Op::Int { to, value } => vm.set(to, Value::int(value)),
            Op::Constant { to, index } => vm.set(to, vm.constants[index as usize]),
            Op::Arith { op, to, left, right } => {
                let result = vm.arith(op, vm.get(left), vm.get(right))?;
                vm.set(to, result);
            }
            Op::AddInt { to, left, right } => {
                let result = vm.arith(Arith::Add, vm.get(left), Value::int(right.into()))?;
                vm.set(to, result);
            }
            Op::Less { to, left, right } => {
                let result = vm.less(vm.get(left), vm.get(right))?;
                vm.set(to, Value::bool(result));
            }
            Op::Equal { to, left, right } => vm.set(to, Value::bool(vm.get(left) == vm.get(right))),
            Op::Jump { target } => {
                let from = pc;
                pc = target as usize;
                if pc < from {
                    jit::can_enter_jit!();
                }
            }
            Op::JumpIfNot { condition, target } => {
                if !vm.get(condition).is_true() {
                    pc = target as usize;
                }
            }
            Op::Call { function: callee, first } => {
                if vm.frames.len() >= MAX_FRAMES {
                    return Err(Error::StackOverflow);
                }
                vm.frames.push(Frame { function, pc, base: vm.base });
                vm.base += first as usize;
                vm.reserve(program.functions[callee as usize].registers);
                function = callee as usize;
                pc = 0;
                jit::can_enter_jit!();
            }
            Op::Return { from } => {
                let result = vm.get(from);
                vm.set(0, result);
                match vm.frames.pop() {
                    None => return Ok(result),
                    Some(frame) => {
                        vm.base = frame.base;
                        function = frame.function;
                        pc = frame.pc;
                    }
                }
            }
            Op::NewList { to } => {
                let list = vm.heap.add(Object::List(Vec::new()));
                vm.set(to, list);
            }
            Op::Push { list, item } => {
                let item = vm.get(item);
                vm.list(vm.get(list))?.push(item);
            }
            Op::Get { to, list, index } => {
                let (list, number) = (vm.get(list), vm.get(index));
                let index = vm.index(number)?;
                let item = vm.list(list)?.get(index).copied();
                vm.set(to, item.ok_or(Error::Index(index as i32))?);
            }
            Op::Set { list, index, item } => {
                let (list, index, item) = (vm.get(list), vm.index(vm.get(index))?, vm.get(item));
                match vm.list(list)?.get_mut(index) {
                    Some(place) => *place = item,
                    None => return Err(Error::Index(index as i32)),
                }
            }
            Op::Len { to, of } => {
                let length = vm.list(vm.get(of))?.len();
                vm.set(to, Value::int(length as i32));
            }
        }
    }
}
