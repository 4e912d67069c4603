//! Runs a brainfuck program on standard input and output.
//!
//! Exit status: 0 when the program ends, 1 when it fails while it runs, 2 when it cannot be started.

use std::path::PathBuf;
use std::process::ExitCode;

use brainfuck::{DEFAULT_CELLS, Eof, Host, Program, Tape, run};
use clap::Parser;
use metatrace::Traced;

/// Runs a brainfuck program on standard input and output.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The program's source file
    program: PathBuf,
    /// How many cells the tape has, or `growing`
    #[arg(long, value_name = "CELLS", value_parser = parse_tape, default_value_t = TapeKind::Fixed(DEFAULT_CELLS))]
    tape: TapeKind,
    /// What `,` leaves in the cell at the end of the input: `0`, `-1` or `unchanged`
    #[arg(long, value_name = "VALUE", value_parser = parse_eof, default_value = "0", allow_hyphen_values = true)]
    eof: Eof,
}

#[derive(Clone, Copy)]
enum TapeKind {
    Fixed(usize),
    Growing,
}

impl std::fmt::Display for TapeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            TapeKind::Fixed(cells) => write!(f, "{cells}"),
            TapeKind::Growing => write!(f, "growing"),
        }
    }
}

fn parse_tape(text: &str) -> Result<TapeKind, String> {
    match text {
        "growing" => Ok(TapeKind::Growing),
        _ => match text.parse() {
            Ok(cells) if (1..=isize::MAX as usize).contains(&cells) => Ok(TapeKind::Fixed(cells)),
            _ => Err("expected a number of cells from 1, or `growing`".to_string()),
        },
    }
}

fn parse_eof(text: &str) -> Result<Eof, String> {
    match text {
        "0" => Ok(Eof::Zero),
        "-1" => Ok(Eof::MinusOne),
        "unchanged" => Ok(Eof::Unchanged),
        _ => Err("expected `0`, `-1` or `unchanged`".to_string()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = arguments.program.display();
    let source = match std::fs::read(&arguments.program) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("brainfuck: cannot read {path}: {error}");
            return ExitCode::from(2);
        }
    };
    let program = match Program::load(&source) {
        Ok(program) => Traced::new(program),
        Err(error) => {
            eprintln!("brainfuck: {path}: {error}");
            return ExitCode::from(2);
        }
    };
    let tape = match arguments.tape {
        TapeKind::Fixed(cells) => Tape::fixed(cells),
        TapeKind::Growing => Some(Tape::growing()),
    };
    let Some(mut tape) = tape else {
        eprintln!("brainfuck: there is not enough memory for a tape of {} cells", arguments.tape);
        return ExitCode::from(2);
    };
    match run(&program, &mut tape, &mut Host::standard(arguments.eof)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("brainfuck: {path}: {error}");
            ExitCode::from(1)
        }
    }
}
