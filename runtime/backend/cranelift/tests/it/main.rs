//! Traces compiled to machine code do what the reference backend does.

mod assembler;
mod calls;
mod common;
mod control;
mod limits;
mod memory;
mod pure;
