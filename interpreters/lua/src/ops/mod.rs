//! The operations of the bytecode, by families. The fast way of each is inline; all else is in functions of their own, which
//! note where the program is before they do anything that may fail or call.

metatrace::glue!();

pub mod access;
pub mod arith;
pub mod calls;
pub mod compare;
pub mod loops;
