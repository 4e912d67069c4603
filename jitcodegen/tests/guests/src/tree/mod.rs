//! A tree walker: expressions and statements are enums with boxed children, results are `Result`s, values an enum.

mod ast;
mod interp;
mod programs;
mod value;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "tree/collatz", run: programs::collatz, small: 40, medium: 1_000, large: 30_000 },
    Program { name: "tree/sums", run: programs::sums, small: 60, medium: 60_000, large: 3_000_000 },
    Program { name: "tree/primes", run: programs::primes, small: 60, medium: 6_000, large: 6_000 },
    Program { name: "tree/fib", run: programs::fib, small: 13, medium: 20, large: 29 },
];
