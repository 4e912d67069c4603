//! A register machine: values in boxes of 64 bits, windows of one vector of registers, objects behind handles.

mod heap;
mod programs;
mod value;
mod vm;

use crate::Program;

metatrace::glue!();

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "registers/loops", run: programs::loops, small: 12, medium: 300, large: 6_000 },
    Program { name: "registers/fib", run: programs::fib, small: 11, medium: 20, large: 33 },
    Program { name: "registers/sort", run: programs::sort, small: 30, medium: 300, large: 8_000 },
    Program { name: "registers/mandelbrot", run: programs::mandelbrot, small: 6, medium: 40, large: 400 },
    Program { name: "registers/words", run: programs::words, small: 20, medium: 40_000, large: 300_000 },
];
