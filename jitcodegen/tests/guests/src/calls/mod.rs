//! A register machine whose functions call functions: each call of the guest is a call of the interpreter, with registers of
//! its own.

mod programs;
mod vm;

pub use programs::PROGRAMS;

metatrace::glue!();
