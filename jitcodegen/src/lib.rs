//! Flow graphs to jitcode image and glue.
//!
//! ```text
//! classify   which functions are looked inside                      classify
//! lower      values to scalars, places to access descriptors        lower, layout, shape, tables
//! effects    what native calls may touch, from types                effects
//! emit       dead code, registers, moves, assembly, liveness        regalloc, emit
//! glue       what only rustc knows, call shims, witnesses           glue
//! ```
//!
//! [`generate`] is all of it. [`build_script`] runs it, after the translator, in an interpreter's build script;
//! [`inspect`] reads the result back from a linked binary.

mod build;
mod classify;
mod effects;
mod emit;
#[cfg(test)]
mod filetests;
mod generate;
mod glue;
pub mod inspect;
mod kept;
mod layout;
mod lower;
mod object_file;
mod regalloc;
mod report;
mod scalar;
mod shape;
mod tables;

pub use build::{Job, Translation, build_script, build_script_cfg, check, translate, write};
pub use generate::{Error, Output, Outside, generate};
pub use object_file::object_file;
