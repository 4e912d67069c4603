//! `lua`: runs programs, expressions, and a prompt.
//!
//! Exit status: 0 if the program ends, 1 if it fails or cannot be loaded, or what it asks for.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
