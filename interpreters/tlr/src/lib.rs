//! A toy register machine: one accumulator, registers, one byte per opcode and per operand.
//!
//! `bytecode` holds the table of instructions and checks programs before they run, `interpret` runs them,
//! `assemble` makes them from text.

mod assemble;
mod bytecode;
mod check;
mod interpret;

pub use assemble::{AssembleError, assemble};
pub use bytecode::{Bytecode, INSTRUCTIONS, Instruction, Operand, opcode};
pub use check::{Fault, LoadError};
pub use interpret::{interpret, run};

metatrace::glue!();
