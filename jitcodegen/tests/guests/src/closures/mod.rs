//! A walked tree with environments and closures, both in the collected heap.

mod programs;
mod syntax;
mod walk;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "closures/counter", run: programs::counter, small: 60, medium: 20_000, large: 3_000_000 },
    Program { name: "closures/fold", run: programs::fold, small: 60, medium: 20_000, large: 3_000_000 },
    Program { name: "closures/fib", run: programs::fib, small: 12, medium: 22, large: 33 },
];
