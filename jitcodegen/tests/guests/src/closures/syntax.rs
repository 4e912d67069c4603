//! The tree.

use metatrace::Traced;

metatrace::glue!();

/// Where a variable is: how many environments outward, and its slot there.
#[derive(Clone, Copy)]
pub struct Place {
    pub depth: usize,
    pub slot: usize,
}

#[derive(Clone, Copy)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Less,
}

pub enum Expr {
    Int(i64),
    Get(Place),
    Set(Place, Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    While(Box<Traced<While>>),
    /// All of them; the value is the last one's.
    Block(Vec<Expr>),
    /// A closure of the function with this number.
    Lambda(usize),
    Call(Box<Expr>, Vec<Expr>),
}

pub struct While {
    pub condition: Expr,
    pub body: Expr,
}

pub struct Function {
    pub params: usize,
    /// Of its environment: parameters and variables.
    pub slots: usize,
    pub body: Traced<Expr>,
}

pub struct Program {
    pub functions: Vec<Function>,
}
