//! Bodies of Rust that every engine must run as rustc does.
//!
//! A guest program is a list of bodies that is run `rounds` times; each body changes the state in its own way. The tests
//! run programs natively, in the blackhole interpreter and in compiled code, and compare all that can be seen.

mod bodies;
mod values;

pub use bodies::{BODIES, Failure, run};
pub use values::{Host, Shape, Value};

metatrace::glue!();
