use super::ast::{BinOp, Expr, Function, Program, Stmt, While};
use super::value::{Error, Value};
use metatrace::{Traced, jit};
use std::rc::Rc;

/// What a statement tells the enclosing one.
pub enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

pub struct Interpreter<'p> {
    program: &'p Program,
    /// What the guest printed.
    pub output: Vec<String>,
}

impl<'p> Interpreter<'p> {
    pub fn new(program: &'p Program) -> Self {
        Interpreter { program, output: Vec::new() }
    }

    pub fn call(&mut self, function: &Function, args: Vec<Value>) -> Result<Value, Error> {
        if args.len() != function.params {
            return Err(Error::Arity {
                name: function.name.clone(),
                expected: function.params,
                found: args.len(),
            });
        }
        let mut locals = args;
        locals.resize(function.locals, Value::Nil);
        self.run(&function.body, &mut locals)
    }

    #[jit::portal(owner = body)]
    fn run(&mut self, body: &Traced<Vec<Stmt>>, locals: &mut Vec<Value>) -> Result<Value, Error> {
        jit::merge_point!();
        match self.block(body, locals)? {
            Flow::Return(value) => Ok(value),
            _ => Ok(Value::Nil),
        }
    }

    #[jit::unroll_safe]
    fn block(&mut self, stmts: &[Stmt], locals: &mut Vec<Value>) -> Result<Flow, Error> {
        for stmt in stmts {
            match self.stmt(stmt, locals)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    #[jit::portal(owner = node)]
    fn while_loop(&mut self, node: &Traced<While>, locals: &mut Vec<Value>) -> Result<Flow, Error> {
        loop {
            jit::merge_point!();
            if !self.eval(&node.cond, locals)?.is_truthy() {
                return Ok(Flow::Next);
            }
            match self.block(&node.body, locals)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                Flow::Return(value) => return Ok(Flow::Return(value)),
            }
            jit::can_enter_jit!();
        }
    }

    fn stmt(&mut self, stmt: &Stmt, locals: &mut Vec<Value>) -> Result<Flow, Error> {
        match stmt {
            Stmt::Expr(e) => {
                self.eval(e, locals)?;
            }
            Stmt::Assign(slot, e) => {
                let value = self.eval(e, locals)?;
                locals[*slot] = value;
            }
            Stmt::If(cond, yes, no) => {
                return if self.eval(cond, locals)?.is_truthy() {
                    self.block(yes, locals)
                } else {
                    self.block(no, locals)
                };
            }
            Stmt::While(node) => return self.while_loop(node, locals),
            Stmt::Return(e) => return Ok(Flow::Return(self.eval(e, locals)?)),
            Stmt::Print(e) => {
                let text = self.eval(e, locals)?.to_string();
                self.output.push(text);
            }
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    #[jit::unroll_safe]
    fn eval(&mut self, expr: &Expr, locals: &mut Vec<Value>) -> Result<Value, Error> {
        Ok(match expr {
            Expr::Int(n) => Value::Int(*n),
            Expr::Bool(b) => Value::Bool(*b),
            Expr::Str(s) => Value::Str(Rc::from(s.as_str())),
            Expr::Local(slot) => locals[*slot].clone(),
            Expr::Neg(e) => {
                let n = self.eval(e, locals)?.as_int("-")?;
                Value::Int(n.checked_neg().ok_or(Error::Overflow)?)
            }
            Expr::Not(e) => Value::Bool(!self.eval(e, locals)?.is_truthy()),
            Expr::And(a, b) => {
                let left = self.eval(a, locals)?;
                if left.is_truthy() { self.eval(b, locals)? } else { left }
            }
            Expr::Or(a, b) => {
                let left = self.eval(a, locals)?;
                if left.is_truthy() { left } else { self.eval(b, locals)? }
            }
            Expr::Bin(op, a, b) => {
                let a = self.eval(a, locals)?;
                let b = self.eval(b, locals)?;
                binary(*op, a, b)?
            }
            Expr::Call(index, args) => {
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    values.push(self.eval(arg, locals)?);
                }
                let function = &self.program.functions[*index];
                self.call(function, values)?
            }
        })
    }
}

fn binary(op: BinOp, a: Value, b: Value) -> Result<Value, Error> {
    match op {
        BinOp::Eq => return Ok(Value::Bool(a == b)),
        BinOp::Ne => return Ok(Value::Bool(a != b)),
        BinOp::Add => {
            if let (Value::Str(a), Value::Str(b)) = (&a, &b) {
                return Ok(Value::Str(format!("{a}{b}").into()));
            }
        }
        _ => {}
    }
    let (a, b) = match (&a, &b) {
        (Value::Int(a), Value::Int(b)) => (*a, *b),
        (Value::Int(_), other) | (other, _) => {
            return Err(Error::Type { op: "arithmetic", found: other.type_name() });
        }
    };
    let result = match op {
        BinOp::Add => a.checked_add(b),
        BinOp::Sub => a.checked_sub(b),
        BinOp::Mul => a.checked_mul(b),
        BinOp::Div => {
            if b == 0 {
                return Err(Error::DivisionByZero);
            }
            a.checked_div(b)
        }
        BinOp::Rem => {
            if b == 0 {
                return Err(Error::DivisionByZero);
            }
            a.checked_rem(b)
        }
        BinOp::Lt => return Ok(Value::Bool(a < b)),
        BinOp::Le => return Ok(Value::Bool(a <= b)),
        BinOp::Eq | BinOp::Ne => unreachable!("handled above"),
    };
    result.map(Value::Int).ok_or(Error::Overflow)
}

metatrace::glue!();
