//! Interpreters written without any thought of a JIT: what a Rust programmer would write, plus merge points.
//!
//! A module for each; [`programs`] lists their programs. Their tests demand the right answers of every engine, and that compiled
//! code carries the work. `cargo xtask bench guests` tells how much faster it is.

pub mod advised;
pub mod boxed;
pub mod calls;
pub mod classes;
pub mod closures;
pub mod nodes;
pub mod objects;
pub mod owned;
pub mod registers;
pub mod scopes;
pub mod stack;
pub mod tree;

metatrace::glue!();

/// A program of a guest: its name, and what runs it with a size and gives its result as text.
#[derive(Clone, Copy)]
pub struct Program {
    /// `GUEST/PROGRAM`.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(size: i64) -> String,
    /// The size that tests use: loops are hot, and every engine is done soon.
    pub small: i64,
    /// The size with which nearly all time is spent in hot loops.
    pub medium: i64,
    /// The size that benchmarks use.
    pub large: i64,
}

/// All programs of all guests.
pub fn programs() -> Vec<Program> {
    [
        advised::PROGRAMS,
        boxed::PROGRAMS,
        calls::PROGRAMS,
        classes::PROGRAMS,
        closures::PROGRAMS,
        nodes::PROGRAMS,
        objects::PROGRAMS,
        owned::PROGRAMS,
        registers::PROGRAMS,
        scopes::PROGRAMS,
        stack::PROGRAMS,
        tree::PROGRAMS,
    ]
    .concat()
}
