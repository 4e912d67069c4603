//! What stands not in the portal's arms but in functions of other files, by topic. Each file's `run` has one arm for each
//! instruction of its topic.

pub mod arith;
pub mod enums;
pub mod errors;
pub mod floats;
pub mod flow;
pub mod generic;
pub mod helper;
pub mod panics;
pub mod slices;
pub mod structs;
pub mod tables;

metatrace::glue!();
