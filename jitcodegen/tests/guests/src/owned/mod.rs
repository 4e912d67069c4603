//! A stack machine whose values own memory: an enum with shared texts, cloned and dropped.

mod programs;
mod vm;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "owned/squares", run: programs::squares, small: 60, medium: 60_000, large: 20_000_000 },
    Program { name: "owned/texts", run: programs::texts, small: 60, medium: 60_000, large: 3_000_000 },
    Program { name: "owned/calls", run: programs::calls, small: 60, medium: 60_000, large: 10_000_000 },
];
