//! A stack machine where every value is an object, integers too, and a frame lies in the collected heap.

mod programs;
mod vm;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "boxed/sum", run: programs::sum, small: 60, medium: 30_000, large: 10_000_000 },
    Program { name: "boxed/collatz", run: programs::collatz, small: 30, medium: 400, large: 30_000 },
    Program { name: "boxed/letters", run: programs::letters, small: 60, medium: 30_000, large: 3_000_000 },
    Program { name: "boxed/text", run: programs::text, small: 60, medium: 20_000, large: 2_000_000 },
];
