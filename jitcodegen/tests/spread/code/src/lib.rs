//! The code of the interpreted programs.

use values::Value;

metatrace::glue!();

/// What a listener is told.
pub trait Listener {
    /// A value was shown.
    fn shown(&mut self, value: Value);

    /// What it makes of all.
    fn result(&self) -> i64;
}

/// An instruction.
#[derive(Clone, Debug)]
pub enum Op {
    /// Puts a value on the stack.
    Push(Value),
    /// Puts a variable on the stack.
    Load(u8),
    /// Takes a variable from the stack.
    Store(u8),
    /// Puts the sum of two values in their place.
    Add,
    /// Puts four times a value in its place.
    Four,
    /// Puts something else of a value in its place, by number.
    Call(u8),
    /// Shows a value.
    Show,
    /// Goes elsewhere if the first variable is less than the second.
    JumpIfLess(u8, u8, u32),
    /// Ends the program.
    Halt,
}

/// A program: its instructions, and what it is called.
#[derive(Debug)]
pub struct Code {
    ops: Vec<Op>,
    name: String,
}

impl Code {
    /// A program of these.
    pub fn new(name: &str, ops: Vec<Op>) -> Code {
        Code { ops, name: name.to_string() }
    }

    /// The instruction at a place.
    pub fn op(&self, pc: usize) -> &Op {
        &self.ops[pc]
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }
}
