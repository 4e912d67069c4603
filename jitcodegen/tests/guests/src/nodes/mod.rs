//! A tree of trait objects: nodes run themselves; operators are function pointers.

mod frame;
#[allow(clippy::module_inception)]
mod nodes;
mod programs;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "nodes/sums", run: programs::sums, small: 60, medium: 60_000, large: 10_000_000 },
    Program { name: "nodes/nested", run: programs::nested, small: 12, medium: 300, large: 4_000 },
    Program { name: "nodes/fib", run: programs::fib, small: 13, medium: 20, large: 29 },
];
