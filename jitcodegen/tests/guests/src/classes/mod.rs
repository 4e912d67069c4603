//! Objects with classes and methods. A class has a version, which is a quasi-immutable field and changes whenever a method does; methods
//! are looked up by a function whose result depends on class, version and name alone.

mod programs;
mod vm;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "classes/account", run: programs::account, small: 60, medium: 20_000, large: 3_000_000 },
    Program { name: "classes/shapes", run: programs::shapes, small: 60, medium: 20_000, large: 2_000_000 },
    Program {
        name: "classes/unstable",
        run: programs::unstable,
        small: 60,
        medium: 200_000,
        large: 2_000_000,
    },
    Program {
        name: "classes/redefined",
        run: programs::redefined,
        small: 60,
        medium: 40_000,
        large: 3_000_000,
    },
];
