//! A stack machine: values are an enum, instructions too, frames and values stand in vectors.

mod programs;
mod vm;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "stack/loops", run: programs::loops, small: 12, medium: 300, large: 6_000 },
    Program { name: "stack/fib", run: programs::fib, small: 11, medium: 20, large: 34 },
    Program { name: "stack/sort", run: programs::sort, small: 30, medium: 300, large: 8_000 },
    Program { name: "stack/floats", run: programs::floats, small: 40, medium: 30_000, large: 20_000_000 },
];
