use metatrace::Traced;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Lt,
    Le,
    Eq,
    Ne,
}

#[derive(Debug)]
pub enum Expr {
    Int(i64),
    Bool(bool),
    Str(String),
    Local(usize),
    Neg(Box<Expr>),
    Not(Box<Expr>),
    Bin(BinOp, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Call(usize, Vec<Expr>),
}

#[derive(Debug)]
pub enum Stmt {
    Expr(Expr),
    Assign(usize, Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    While(Box<Traced<While>>),
    Print(Expr),
    Return(Expr),
    Break,
    Continue,
}

#[derive(Debug)]
pub struct While {
    pub cond: Expr,
    pub body: Vec<Stmt>,
}

#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub params: usize,
    pub locals: usize,
    pub body: Traced<Vec<Stmt>>,
}

#[derive(Debug)]
pub struct Program {
    pub functions: Vec<Function>,
}

metatrace::glue!();
