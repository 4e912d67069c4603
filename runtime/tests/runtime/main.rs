//! The runtime on small guest languages, whose jitcode and glue are written by hand.

mod engines;
mod environment;
mod fuzz;
mod guest;
mod method;
