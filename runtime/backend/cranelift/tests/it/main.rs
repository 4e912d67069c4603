//! Traces compiled to machine code do what the reference backend does.

mod common;
mod control;
mod memory;
mod pure;
