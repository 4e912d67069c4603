use std::{fmt, io};

use metatrace::{Traced, jit};

use crate::{Host, Op, Position, Program, Tape};

metatrace::glue!();

/// What ended a running program early.
#[derive(Debug)]
pub enum RunError {
    /// `<` on the first cell.
    LeftEnd(Position),
    /// `>` on the last cell of a tape that does not grow, or for which there is no more memory.
    RightEnd(Position),
    /// Input or output failed.
    Io(io::Error),
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> RunError {
        RunError::Io(error)
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            RunError::LeftEnd(at) => write!(f, "{at}: this `<` moves off the left end of the tape"),
            RunError::RightEnd(at) => write!(f, "{at}: this `>` moves off the right end of the tape"),
            RunError::Io(error) => write!(f, "input or output failed: {error}"),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs a program from its beginning, with the head on the first cell, and flushes its output.
///
/// # Errors
/// Moves off the tape, and input or output that fails. What was written before is flushed all the same.
pub fn run(program: &Traced<Program>, tape: &mut Tape, host: &mut Host) -> Result<(), RunError> {
    let result = interpret(0, program, 0, tape, host);
    let flushed = host.flush();
    result?;
    Ok(flushed?)
}

/// Runs the instructions from `pc` on, with the head on cell `head`, until the program ends.
///
/// # Errors
/// Moves off the tape, and input or output that fails.
///
/// # Panics
/// If `pc` is no instruction of the program, or `head` no cell of the tape.
#[jit::portal(owner = program, greens = [pc])]
pub fn interpret(
    mut pc: usize,
    program: &Traced<Program>,
    mut head: usize,
    tape: &mut Tape,
    host: &mut Host,
) -> Result<(), RunError> {
    loop {
        jit::merge_point!();
        match program.ops[pc] {
            Op::Right => {
                head += 1;
                if head == tape.cells.len() && !tape.grow() {
                    return Err(RunError::RightEnd(program.position(pc)));
                }
                pc += 1;
            }
            Op::Left => {
                if head == 0 {
                    return Err(RunError::LeftEnd(program.position(pc)));
                }
                head -= 1;
                pc += 1;
            }
            Op::Increment => {
                tape.cells[head] = tape.cells[head].wrapping_add(1);
                pc += 1;
            }
            Op::Decrement => {
                tape.cells[head] = tape.cells[head].wrapping_sub(1);
                pc += 1;
            }
            Op::Write => {
                host.write(tape.cells[head])?;
                pc += 1;
            }
            Op::Read => {
                tape.cells[head] = host.read(tape.cells[head])?;
                pc += 1;
            }
            Op::Open => {
                if tape.cells[head] == 0 {
                    pc = program.partner(pc);
                }
                pc += 1;
            }
            Op::Close => {
                if tape.cells[head] != 0 {
                    pc = program.partner(pc) + 1;
                    jit::can_enter_jit!();
                } else {
                    pc += 1;
                }
            }
            Op::End => return Ok(()),
        }
    }
}
