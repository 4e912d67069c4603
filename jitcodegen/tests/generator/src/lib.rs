//! Well-typed functions of restricted Rust, by seed.
//!
//! [`generate`] makes a case: types, functions that call each other, and memory that they work on. [`program`] writes the
//! crate of some cases: an interpreter whose every instruction is a case. [`shrink`] says how a case could be smaller.

mod calls;
mod case;
mod expr;
mod gen_state;
mod owned;
mod pattern;
mod place;
mod random;
mod shrink;
mod stmt;
mod tree;
mod types;

pub use case::{Case, program};
pub use random::Random;
pub use shrink::shrink;

/// The case of a seed, whose module is called `name`.
pub fn generate(seed: u64, name: &str) -> Case {
    let mut case = gen_state::Gen::case(seed);
    case.name = name.to_string();
    case.repair();
    case
}
