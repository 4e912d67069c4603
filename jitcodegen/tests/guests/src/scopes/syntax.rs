use metatrace::Traced;
use std::rc::Rc;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operator {
    Plus,
    Minus,
    Times,
    Less,
    Equal,
}

#[derive(Debug)]
pub enum Expr {
    Number(f64),
    Text(Rc<str>),
    Variable(Rc<str>),
    Binary { op: Operator, left: Box<Expr>, right: Box<Expr> },
    Call { callee: Box<Expr>, arguments: Vec<Expr> },
    Function(Rc<Function>),
}

#[derive(Debug)]
pub enum Stmt {
    Expression(Expr),
    Let(Rc<str>, Expr),
    Assign(Rc<str>, Expr),
    If { condition: Expr, then: Vec<Stmt>, otherwise: Option<Vec<Stmt>> },
    While(Traced<Loop>),
    Return(Option<Expr>),
}

#[derive(Debug)]
pub struct Loop {
    pub condition: Expr,
    pub body: Vec<Stmt>,
}

#[derive(Debug)]
pub struct Function {
    pub parameters: Vec<Rc<str>>,
    pub body: Vec<Stmt>,
}

metatrace::glue!();
