//! From source text to bytecode, in one pass.
//!
//! In: bytes and the name of the chunk. Out: a [`Body`], which knows nothing of a machine: constants are plain data. Guarantees: bad
//! source is a [`SyntaxError`], worded with its line; code only uses registers, constants and targets that exist; nesting is limited.
//!
//! `lex` reads tokens; `parse` and `statement` follow the grammar; `expr` says how values are held while that is not decided; `emit`
//! writes instructions; `scope` knows variables, blocks and jumps to labels. `verify` checks functions that come from elsewhere.

metatrace::glue!();

mod emit;
mod expr;
mod lex;
mod parse;
mod scope;
mod statement;
mod verify;

pub(crate) use verify::verify;

use crate::op::Instr;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(Box<[u8]>),
}

/// Where a closure finds an upvalue when it is made.
#[derive(Clone, Debug)]
pub struct UpvalueSource {
    /// Empty if it was left out of a binary chunk.
    pub name: Box<[u8]>,
    /// In a register of the function around it, otherwise an upvalue of that.
    pub in_register: bool,
    pub index: u8,
}

impl UpvalueSource {
    /// What messages call it.
    pub fn shown(&self) -> &[u8] {
        if self.name.is_empty() { b"?" } else { &self.name }
    }
}

/// A local variable, for messages and debuggers.
#[derive(Clone, Debug)]
pub struct LocalName {
    pub name: Box<[u8]>,
    pub register: u8,
    /// The instructions where it is alive.
    pub start: u32,
    pub end: u32,
}

/// A compiled function.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pub code: Vec<Instr>,
    pub constants: Vec<Constant>,
    pub functions: Vec<Body>,
    pub upvalues: Vec<UpvalueSource>,
    pub params: u8,
    pub is_vararg: bool,
    /// Registers it needs.
    pub registers: u8,
    /// Caches its instructions refer to.
    pub caches: u32,
    /// The line of each instruction; none if they were left out of a binary chunk.
    pub lines: Vec<u32>,
    pub locals: Vec<LocalName>,
    /// The lines of its definition; 0 for a chunk.
    pub first_line: u32,
    pub last_line: u32,
}

/// Source that is no program.
#[derive(Clone, Debug)]
pub struct SyntaxError {
    pub line: u32,
    /// What is wrong, without the position.
    pub text: Vec<u8>,
}

/// Compiles a chunk.
///
/// # Errors
/// If the source is not a program.
pub fn compile(source: &[u8]) -> Result<Body, SyntaxError> {
    parse::Parser::new(source)?.chunk()
}
