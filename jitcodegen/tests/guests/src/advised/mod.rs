//! A machine with an accumulator whose instructions take the JIT's advice, each by another hint; what is left of an instruction in
//! a trace tells whether the hint did what it says.

mod programs;
mod vm;

pub use programs::{PROGRAMS, not_green};

metatrace::glue!();
