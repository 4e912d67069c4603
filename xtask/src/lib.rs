//! The parts of `cargo xtask` that other crates' tests may use too.

pub mod tidy;
