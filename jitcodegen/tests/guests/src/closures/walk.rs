//! Walking the tree.

use std::cell::Cell;

use metatrace::gc::{Array, Gc, GcCell, Trace};
use metatrace::{Traced, jit};

use super::syntax::{Expr, Operator, Place, Program, While};

metatrace::glue!();

#[derive(Clone, Copy, Trace)]
pub enum Value {
    Nil,
    Int(i64),
    Closure(Gc<Closure>),
}

#[derive(Trace)]
pub struct Closure {
    function: usize,
    environment: Gc<Environment>,
}

#[derive(Trace)]
pub struct Environment {
    pub slots: Gc<Array<GcCell<Value>>>,
    outer: Option<Gc<Environment>>,
}

#[derive(Debug)]
pub enum Error {
    NoInteger,
    NoClosure,
    Arguments,
    Unbound,
    TooDeep,
}

impl Value {
    pub fn as_int(self) -> Result<i64, Error> {
        match self {
            Value::Int(value) => Ok(value),
            _ => Err(Error::NoInteger),
        }
    }
}

impl Environment {
    pub fn new(slots: usize, outer: Option<Gc<Environment>>) -> Gc<Environment> {
        Gc::new(Environment { slots: Array::cells(slots, Value::Nil), outer })
    }
}

pub struct Walker<'p> {
    pub program: &'p Program,
    pub depth: Cell<usize>,
}

impl Walker<'_> {
    /// The environment that a place means.
    #[jit::unroll_safe]
    fn outward(&self, environment: Gc<Environment>, place: Place) -> Result<Gc<Environment>, Error> {
        let mut environment = environment;
        for _ in 0..place.depth {
            environment = environment.outer.ok_or(Error::Unbound)?;
        }
        Ok(environment)
    }

    #[jit::unroll_safe]
    fn call(&self, callee: Value, arguments: &[Expr], environment: Gc<Environment>) -> Result<Value, Error> {
        let Value::Closure(closure) = callee else { return Err(Error::NoClosure) };
        let function = &self.program.functions[jit::promote(closure.function)];
        if arguments.len() != function.params {
            return Err(Error::Arguments);
        }
        let inner = Environment::new(function.slots, Some(closure.environment));
        for (slot, argument) in arguments.iter().enumerate() {
            inner.slots[slot].set(self.eval(argument, environment)?);
        }
        let depth = self.depth.get();
        if depth == 400 {
            return Err(Error::TooDeep);
        }
        self.depth.set(depth + 1);
        let result = self.run(&function.body, inner);
        self.depth.set(depth);
        result
    }

    #[jit::portal(owner = body)]
    pub fn run(&self, body: &Traced<Expr>, environment: Gc<Environment>) -> Result<Value, Error> {
        jit::merge_point!();
        self.eval(body, environment)
    }

    #[jit::portal(owner = node)]
    fn repeat(&self, node: &Traced<While>, environment: Gc<Environment>) -> Result<(), Error> {
        loop {
            jit::merge_point!();
            if self.eval(&node.condition, environment)?.as_int()? == 0 {
                return Ok(());
            }
            self.eval(&node.body, environment)?;
            jit::can_enter_jit!();
        }
    }

    #[jit::unroll_safe]
    fn eval(&self, expr: &Expr, environment: Gc<Environment>) -> Result<Value, Error> {
        Ok(match expr {
            Expr::Int(value) => Value::Int(*value),
            Expr::Get(place) => self.outward(environment, *place)?.slots[place.slot].get(),
            Expr::Set(place, value) => {
                let value = self.eval(value, environment)?;
                self.outward(environment, *place)?.slots[place.slot].set(value);
                value
            }
            Expr::Binary(operator, left, right) => {
                let left = self.eval(left, environment)?.as_int()?;
                let right = self.eval(right, environment)?.as_int()?;
                Value::Int(match operator {
                    Operator::Add => left.wrapping_add(right),
                    Operator::Subtract => left.wrapping_sub(right),
                    Operator::Multiply => left.wrapping_mul(right),
                    Operator::Less => (left < right) as i64,
                })
            }
            Expr::If(condition, then, otherwise) => {
                if self.eval(condition, environment)?.as_int()? != 0 {
                    self.eval(then, environment)?
                } else {
                    self.eval(otherwise, environment)?
                }
            }
            Expr::While(node) => {
                self.repeat(node, environment)?;
                Value::Nil
            }
            Expr::Block(exprs) => {
                let mut last = Value::Nil;
                for expr in exprs {
                    last = self.eval(expr, environment)?;
                }
                last
            }
            Expr::Lambda(function) => Value::Closure(Gc::new(Closure { function: *function, environment })),
            Expr::Call(callee, arguments) => {
                let callee = self.eval(callee, environment)?;
                self.call(callee, arguments, environment)?
            }
        })
    }
}
