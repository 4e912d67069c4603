//! A register machine whose frames and objects lie in the collected heap.

mod programs;
mod vm;

use crate::Program;
pub use vm::count_ended;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "objects/sum", run: programs::sum, small: 60, medium: 30_000, large: 10_000_000 },
    Program { name: "objects/list", run: programs::list, small: 60, medium: 20_000, large: 1_000_000 },
    Program {
        name: "objects/finalized",
        run: programs::finalized,
        small: 200,
        medium: 20_000,
        large: 10_000,
    },
    Program { name: "objects/stressed", run: programs::stressed, small: 60, medium: 20_000, large: 10_000 },
];
