//! A language with closures: environments are `Rc<RefCell<…>>` with a map of names, values hold functions, strings and
//! natives.

mod interp;
mod programs;
mod syntax;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "scopes/counter", run: programs::counter, small: 60, medium: 20_000, large: 2_000_000 },
    Program { name: "scopes/strings", run: programs::strings, small: 60, medium: 20_000, large: 20_000 },
    Program { name: "scopes/compose", run: programs::compose, small: 60, medium: 20_000, large: 300_000 },
];
