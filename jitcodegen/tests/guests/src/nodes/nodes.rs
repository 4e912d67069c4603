//! Nodes that run themselves: each kind is a type with its own `eval` or `run`, and children are trait objects.
//!
//! In: a frame with the slots of the function that runs. Out: values, or how a statement ended; errors end the program. Loops
//! and functions are portals.

use super::frame::{Error, Frame};
use metatrace::{Traced, jit};

/// How a statement ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Completion {
    Normal,
    Break,
    Continue,
    Return(i64),
}

/// An expression.
pub trait Node {
    fn eval(&self, frame: &mut Frame) -> Result<i64, Error>;

    fn is_constant(&self) -> bool {
        false
    }
}

/// A statement.
pub trait Statement {
    fn run(&self, frame: &mut Frame) -> Result<Completion, Error>;
}

pub struct Literal(pub i64);

impl Node for Literal {
    fn eval(&self, _: &mut Frame) -> Result<i64, Error> {
        Ok(self.0)
    }

    fn is_constant(&self) -> bool {
        true
    }
}

pub struct ReadLocal {
    pub slot: usize,
}

impl Node for ReadLocal {
    fn eval(&self, frame: &mut Frame) -> Result<i64, Error> {
        Ok(frame.slots[self.slot])
    }
}

#[derive(Clone, Copy)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Less,
    Equal,
}

pub struct Binary {
    pub op: Op,
    pub left: Box<dyn Node>,
    pub right: Box<dyn Node>,
}

impl Node for Binary {
    fn eval(&self, frame: &mut Frame) -> Result<i64, Error> {
        let left = self.left.eval(frame)?;
        let right = self.right.eval(frame)?;
        match self.op {
            Op::Add => Ok(left.wrapping_add(right)),
            Op::Sub => Ok(left.wrapping_sub(right)),
            Op::Mul => Ok(left.wrapping_mul(right)),
            Op::Div | Op::Mod if right == 0 => Err(Error::DivisionByZero),
            Op::Div => Ok(left.wrapping_div(right)),
            Op::Mod => Ok(left.wrapping_rem(right)),
            Op::Less => Ok((left < right) as i64),
            Op::Equal => Ok((left == right) as i64),
        }
    }

    fn is_constant(&self) -> bool {
        self.left.is_constant() && self.right.is_constant()
    }
}

/// A function pointer stands for the operation.
pub struct Unary {
    pub apply: fn(i64) -> i64,
    pub operand: Box<dyn Node>,
}

pub fn negate(n: i64) -> i64 {
    n.wrapping_neg()
}

pub fn not(n: i64) -> i64 {
    (n == 0) as i64
}

impl Node for Unary {
    fn eval(&self, frame: &mut Frame) -> Result<i64, Error> {
        let operand = self.operand.eval(frame)?;
        Ok((self.apply)(operand))
    }
}

pub struct CallNode {
    pub callee: usize,
    pub arguments: Vec<Box<dyn Node>>,
}

pub struct FunctionNode {
    pub slots: usize,
    pub body: Traced<Box<dyn Statement>>,
}

impl Node for CallNode {
    #[jit::unroll_safe]
    fn eval(&self, frame: &mut Frame) -> Result<i64, Error> {
        let functions = frame.functions;
        let function = functions.get(self.callee).ok_or(Error::NotAFunction(self.callee as i64))?;
        if frame.depth > 1000 {
            return Err(Error::StackOverflow);
        }
        let mut slots = vec![0; function.slots];
        for (n, argument) in self.arguments.iter().enumerate() {
            slots[n] = argument.eval(frame)?;
        }
        let mut inner = Frame { slots, functions, depth: frame.depth + 1 };
        invoke(&function.body, &mut inner)
    }
}

#[jit::portal(owner = body)]
fn invoke(body: &Traced<Box<dyn Statement>>, frame: &mut Frame) -> Result<i64, Error> {
    jit::merge_point!();
    match body.run(frame)? {
        Completion::Return(value) => Ok(value),
        _ => Ok(0),
    }
}

pub struct Assign {
    pub slot: usize,
    pub value: Box<dyn Node>,
}

impl Statement for Assign {
    fn run(&self, frame: &mut Frame) -> Result<Completion, Error> {
        frame.slots[self.slot] = self.value.eval(frame)?;
        Ok(Completion::Normal)
    }
}

pub struct Block {
    pub statements: Vec<Box<dyn Statement>>,
}

impl Statement for Block {
    #[jit::unroll_safe]
    fn run(&self, frame: &mut Frame) -> Result<Completion, Error> {
        for statement in &self.statements {
            let completion = statement.run(frame)?;
            if completion != Completion::Normal {
                return Ok(completion);
            }
        }
        Ok(Completion::Normal)
    }
}

pub struct If {
    pub condition: Box<dyn Node>,
    pub then: Box<dyn Statement>,
    pub otherwise: Option<Box<dyn Statement>>,
}

impl Statement for If {
    fn run(&self, frame: &mut Frame) -> Result<Completion, Error> {
        if self.condition.eval(frame)? != 0 {
            self.then.run(frame)
        } else if let Some(otherwise) = &self.otherwise {
            otherwise.run(frame)
        } else {
            Ok(Completion::Normal)
        }
    }
}

pub struct While {
    pub condition: Box<dyn Node>,
    pub body: Box<dyn Statement>,
}

#[jit::portal(owner = node)]
fn run_while(node: &Traced<While>, frame: &mut Frame) -> Result<Completion, Error> {
    loop {
        jit::merge_point!();
        if node.condition.eval(frame)? == 0 {
            return Ok(Completion::Normal);
        }
        match node.body.run(frame)? {
            Completion::Break => return Ok(Completion::Normal),
            Completion::Return(value) => return Ok(Completion::Return(value)),
            Completion::Normal | Completion::Continue => {}
        }
        jit::can_enter_jit!();
    }
}

impl Statement for Traced<While> {
    fn run(&self, frame: &mut Frame) -> Result<Completion, Error> {
        run_while(self, frame)
    }
}

pub struct Return(pub Box<dyn Node>);

impl Statement for Return {
    fn run(&self, frame: &mut Frame) -> Result<Completion, Error> {
        self.0.eval(frame).map(Completion::Return)
    }
}

pub struct Break;

impl Statement for Break {
    fn run(&self, _: &mut Frame) -> Result<Completion, Error> {
        Ok(Completion::Break)
    }
}

metatrace::glue!();
