use std::fmt;
use std::rc::Rc;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Str(Rc<str>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    Type { op: &'static str, found: &'static str },
    DivisionByZero,
    Overflow,
    Arity { name: String, expected: usize, found: usize },
    Undefined(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Type { op, found } => write!(f, "{op} of {found}"),
            Error::DivisionByZero => write!(f, "division by zero"),
            Error::Overflow => write!(f, "overflow"),
            Error::Arity { name, expected, found } => {
                write!(f, "{name} takes {expected} arguments, not {found}")
            }
            Error::Undefined(name) => write!(f, "{name} is undefined"),
        }
    }
}

impl std::error::Error for Error {}

impl Value {
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Str(_) => "string",
        }
    }

    pub fn is_truthy(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    pub fn as_int(&self, op: &'static str) -> Result<i64, Error> {
        match self {
            Value::Int(n) => Ok(*n),
            other => Err(Error::Type { op, found: other.type_name() }),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Nil => write!(f, "nil"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(n) => write!(f, "{n}"),
            Value::Str(s) => write!(f, "{s}"),
        }
    }
}

metatrace::glue!();
