//! The parts of `cargo xtask` that other crates' tests may use too.

pub mod check_types;
pub mod tidy;
