//! Runs a program of the toy register machine and prints its result.
//!
//! Exit status: 0 when the program returns, 2 when it cannot be started.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use metatrace::Traced;
use tlr::{Bytecode, run};

/// Runs a program of the toy register machine and prints its result.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The file of bytecode
    program: PathBuf,
    /// What the accumulator holds at the start
    #[arg(allow_negative_numbers = true)]
    a: i64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = arguments.program.display();
    let bytes = match std::fs::read(&arguments.program) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("tlr: cannot read {path}: {error}");
            return ExitCode::from(2);
        }
    };
    match Bytecode::load(bytes) {
        Ok(code) => {
            println!("{}", run(&Traced::new(code), arguments.a));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tlr: {path}: {error}");
            ExitCode::from(2)
        }
    }
}
