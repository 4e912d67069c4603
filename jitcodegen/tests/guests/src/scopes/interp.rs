//! Walks the tree. In: statements, and the environment in which they run. Out: what they did to it, and how they ended.
//! Loops are portals, owned by their node; what names mean is looked up in maps.

use super::syntax::{Expr, Function, Loop, Operator, Stmt};
use metatrace::{Traced, jit};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

#[derive(Clone)]
pub enum Value {
    Nil,
    Number(f64),
    Bool(bool),
    Text(Rc<str>),
    Closure(Rc<Closure>),
    Native(fn(&[Value]) -> Result<Value, Error>),
}

pub struct Closure {
    function: Rc<Function>,
    scope: Scope,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    Undefined(String),
    NotCallable(String),
    Operands(Operator, String, String),
    Arguments { expected: usize, found: usize },
}

pub enum Completion {
    Normal,
    Return(Value),
}

/// Names and what they mean, and the scope around.
#[derive(Clone)]
pub struct Scope(Rc<RefCell<Names>>);

struct Names {
    names: HashMap<Rc<str>, Value>,
    outer: Option<Scope>,
}

impl Scope {
    #[jit::dont_look_inside]
    pub fn new(outer: Option<Scope>) -> Scope {
        Scope(Rc::new(RefCell::new(Names { names: HashMap::new(), outer })))
    }

    #[jit::dont_look_inside]
    pub fn define(&self, name: &Rc<str>, value: Value) {
        self.0.borrow_mut().names.insert(name.clone(), value);
    }

    #[jit::dont_look_inside]
    fn get(&self, name: &str) -> Result<Value, Error> {
        let names = self.0.borrow();
        match (names.names.get(name), &names.outer) {
            (Some(value), _) => Ok(value.clone()),
            (None, Some(outer)) => outer.get(name),
            (None, None) => Err(Error::Undefined(name.to_string())),
        }
    }

    #[jit::dont_look_inside]
    fn set(&self, name: &str, value: Value) -> Result<(), Error> {
        let mut names = self.0.borrow_mut();
        if let Some(place) = names.names.get_mut(name) {
            *place = value;
            return Ok(());
        }
        match &names.outer {
            Some(outer) => outer.set(name, value),
            None => Err(Error::Undefined(name.to_string())),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nil"),
            Value::Number(n) => write!(f, "{n}"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Text(text) => f.write_str(text),
            Value::Closure(_) | Value::Native(_) => f.write_str("function"),
        }
    }
}

impl Value {
    fn is_true(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }
}

#[derive(Default)]
pub struct Interpreter {
    calls: u64,
}

impl Interpreter {
    pub fn calls(&self) -> u64 {
        self.calls
    }

    #[jit::unroll_safe]
    pub fn run(&mut self, body: &[Stmt], scope: &Scope) -> Result<Completion, Error> {
        for stmt in body {
            if let Completion::Return(value) = self.execute(stmt, scope)? {
                return Ok(Completion::Return(value));
            }
        }
        Ok(Completion::Normal)
    }

    fn execute(&mut self, stmt: &Stmt, scope: &Scope) -> Result<Completion, Error> {
        match stmt {
            Stmt::Expression(expr) => {
                self.evaluate(expr, scope)?;
            }
            Stmt::Let(name, expr) => {
                let value = self.evaluate(expr, scope)?;
                scope.define(name, value);
            }
            Stmt::Assign(name, expr) => scope.set(name, self.evaluate(expr, scope)?)?,
            Stmt::If { condition, then, otherwise } => {
                if self.evaluate(condition, scope)?.is_true() {
                    return self.run(then, scope);
                } else if let Some(otherwise) = otherwise {
                    return self.run(otherwise, scope);
                }
            }
            Stmt::While(node) => return self.repeat(node, scope),
            Stmt::Return(None) => return Ok(Completion::Return(Value::Nil)),
            Stmt::Return(Some(expr)) => return self.evaluate(expr, scope).map(Completion::Return),
        }
        Ok(Completion::Normal)
    }

    #[jit::portal(owner = node)]
    fn repeat(&mut self, node: &Traced<Loop>, scope: &Scope) -> Result<Completion, Error> {
        loop {
            jit::merge_point!();
            if !self.evaluate(&node.condition, scope)?.is_true() {
                return Ok(Completion::Normal);
            }
            if let Completion::Return(value) = self.run(&node.body, scope)? {
                return Ok(Completion::Return(value));
            }
            jit::can_enter_jit!();
        }
    }

    #[jit::unroll_safe]
    fn evaluate(&mut self, expr: &Expr, scope: &Scope) -> Result<Value, Error> {
        match expr {
            Expr::Number(n) => Ok(Value::Number(*n)),
            Expr::Text(text) => Ok(Value::Text(text.clone())),
            Expr::Variable(name) => scope.get(name),
            Expr::Binary { op, left, right } => {
                let left = self.evaluate(left, scope)?;
                let right = self.evaluate(right, scope)?;
                binary(*op, left, right)
            }
            Expr::Call { callee, arguments } => {
                let callee = self.evaluate(callee, scope)?;
                let mut values = Vec::new();
                for argument in arguments {
                    values.push(self.evaluate(argument, scope)?);
                }
                self.call(callee, values)
            }
            Expr::Function(function) => {
                let closure = Closure { function: Rc::clone(function), scope: scope.clone() };
                Ok(Value::Closure(Rc::new(closure)))
            }
        }
    }

    fn call(&mut self, callee: Value, arguments: Vec<Value>) -> Result<Value, Error> {
        self.calls += 1;
        match callee {
            Value::Closure(closure) => {
                let expected = closure.function.parameters.len();
                if expected != arguments.len() {
                    return Err(Error::Arguments { expected, found: arguments.len() });
                }
                let scope = Scope::new(Some(closure.scope.clone()));
                for (name, value) in closure.function.parameters.iter().zip(arguments) {
                    scope.define(name, value);
                }
                match self.run(&closure.function.body, &scope)? {
                    Completion::Return(value) => Ok(value),
                    Completion::Normal => Ok(Value::Nil),
                }
            }
            Value::Native(function) => function(&arguments),
            other => Err(Error::NotCallable(other.to_string())),
        }
    }
}

fn binary(op: Operator, left: Value, right: Value) -> Result<Value, Error> {
    Ok(match (op, &left, &right) {
        (Operator::Plus, Value::Number(a), Value::Number(b)) => Value::Number(a + b),
        (Operator::Minus, Value::Number(a), Value::Number(b)) => Value::Number(a - b),
        (Operator::Times, Value::Number(a), Value::Number(b)) => Value::Number(a * b),
        (Operator::Less, Value::Number(a), Value::Number(b)) => Value::Bool(a < b),
        (Operator::Equal, Value::Number(a), Value::Number(b)) => Value::Bool(a == b),
        (Operator::Plus, Value::Text(a), b) => Value::Text(format!("{a}{b}").into()),
        _ => return Err(Error::Operands(op, left.to_string(), right.to_string())),
    })
}

/// How many bytes a text has.
pub fn length(arguments: &[Value]) -> Result<Value, Error> {
    match arguments {
        [Value::Text(text)] => Ok(Value::Number(text.len() as f64)),
        _ => Err(Error::Arguments { expected: 1, found: arguments.len() }),
    }
}

metatrace::glue!();
