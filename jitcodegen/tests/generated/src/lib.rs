//! The interpreter of the generated cases, and the comparison of its engines.
#![allow(warnings, arithmetic_overflow, unconditional_panic)]

include!(concat!(env!("OUT_DIR"), "/package/src/lib.rs"));

#[cfg(feature = "jit")]
pub mod check;
