//! A brainfuck interpreter: `program` loads, `interpret` runs, `tape` and `host` are what it runs on.
//!
//! Cells are bytes and wrap. Brackets are matched when a program is loaded; nothing else is precomputed.

mod host;
mod interpret;
mod program;
mod tape;

pub use host::{Eof, Host};
pub use interpret::{RunError, interpret, run};
pub use program::{LoadError, Op, Position, Program};
pub use tape::{DEFAULT_CELLS, Tape};

metatrace::glue!();
