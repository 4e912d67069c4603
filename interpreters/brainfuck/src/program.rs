use std::fmt;

metatrace::glue!();

/// One instruction. A bracket carries the index of its partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// `>`
    Right,
    /// `<`
    Left,
    /// `+`
    Increment,
    /// `-`
    Decrement,
    /// `.`
    Write,
    /// `,`
    Read,
    /// `[`, with the index of the matching `]`
    Open(u32),
    /// `]`, with the index of the matching `[`
    Close(u32),
    /// Stands behind the last instruction.
    End,
}

/// A place in the source: line and column count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A loaded program: its instructions, ended by [`Op::End`], and the place each came from.
#[derive(Debug)]
pub struct Program {
    pub(crate) ops: Vec<Op>,
    positions: Vec<Position>,
}

/// Why a source text is not a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// A `[` that no `]` closes; the innermost one if there are several.
    Unclosed(Position),
    /// A `]` without a `[` before it.
    Unopened(Position),
    /// The program has 2³² instructions or more.
    TooLong,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            LoadError::Unclosed(at) => write!(f, "{at}: this `[` has no matching `]`"),
            LoadError::Unopened(at) => write!(f, "{at}: this `]` has no matching `[`"),
            LoadError::TooLong => write!(f, "the program is too long: at most {} instructions", u32::MAX),
        }
    }
}

impl std::error::Error for LoadError {}

impl Program {
    /// Loads a source text, in which every byte that is not an instruction is a comment.
    ///
    /// # Errors
    /// Brackets that do not match, and programs of 2³² instructions.
    pub fn load(source: &[u8]) -> Result<Program, LoadError> {
        let mut program = Program { ops: Vec::new(), positions: Vec::new() };
        let mut open = Vec::new();
        let mut at = Position { line: 1, column: 0 };
        for &byte in source {
            // The bytes that continue a UTF-8 character take no column of their own.
            if byte & 0xc0 != 0x80 {
                at.column += 1;
            }
            let op = match byte {
                b'>' => Op::Right,
                b'<' => Op::Left,
                b'+' => Op::Increment,
                b'-' => Op::Decrement,
                b'.' => Op::Write,
                b',' => Op::Read,
                b'[' => {
                    open.push(program.next_index()?);
                    Op::Open(0)
                }
                b']' => {
                    let opening = open.pop().ok_or(LoadError::Unopened(at))?;
                    program.ops[opening as usize] = Op::Open(program.next_index()?);
                    Op::Close(opening)
                }
                b'\n' => {
                    at = Position { line: at.line + 1, column: 0 };
                    continue;
                }
                _ => continue,
            };
            program.push(op, at);
        }
        if let Some(opening) = open.pop() {
            return Err(LoadError::Unclosed(program.positions[opening as usize]));
        }
        program.push(Op::End, at);
        Ok(program)
    }

    fn next_index(&self) -> Result<u32, LoadError> {
        u32::try_from(self.ops.len()).map_err(|_| LoadError::TooLong)
    }

    fn push(&mut self, op: Op, at: Position) {
        self.ops.push(op);
        self.positions.push(at);
    }

    /// The instructions, the last of which is [`Op::End`].
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Where the instruction `pc` stands in the source.
    ///
    /// # Panics
    /// If there is no such instruction.
    pub fn position(&self, pc: usize) -> Position {
        self.positions[pc]
    }
}
