use std::fmt;

metatrace::glue!();

/// One instruction.
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
    /// `[`
    Open,
    /// `]`
    Close,
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
    /// For each bracket the index of the matching one. Not a payload of `Op`: a load that only a taken jump makes
    /// keeps rustc from turning the jump into a conditional move, which would wait for the cell to be stored.
    pub(crate) partners: Vec<u32>,
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
        let mut program = Program { ops: Vec::new(), partners: Vec::new(), positions: Vec::new() };
        let mut open = Vec::new();
        let mut at = Position { line: 1, column: 0 };
        for &byte in source {
            // The bytes that continue a UTF-8 character take no column of their own.
            if byte & 0xc0 != 0x80 {
                at.column += 1;
            }
            let mut partner = 0;
            let op = match byte {
                b'>' => Op::Right,
                b'<' => Op::Left,
                b'+' => Op::Increment,
                b'-' => Op::Decrement,
                b'.' => Op::Write,
                b',' => Op::Read,
                b'[' => {
                    open.push(program.next_index()?);
                    Op::Open
                }
                b']' => {
                    let opening = open.pop().ok_or(LoadError::Unopened(at))?;
                    program.partners[opening as usize] = program.next_index()?;
                    partner = opening;
                    Op::Close
                }
                b'\n' => {
                    at = Position { line: at.line + 1, column: 0 };
                    continue;
                }
                _ => continue,
            };
            program.push(op, partner, at);
        }
        if let Some(opening) = open.pop() {
            return Err(LoadError::Unclosed(program.positions[opening as usize]));
        }
        program.push(Op::End, 0, at);
        Ok(program)
    }

    fn next_index(&self) -> Result<u32, LoadError> {
        u32::try_from(self.ops.len()).map_err(|_| LoadError::TooLong)
    }

    fn push(&mut self, op: Op, partner: u32, at: Position) {
        self.ops.push(op);
        self.partners.push(partner);
        self.positions.push(at);
    }

    /// The instructions, the last of which is [`Op::End`].
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The index of the bracket that matches the one at `pc`.
    ///
    /// # Panics
    /// If there is no such instruction.
    pub fn partner(&self, pc: usize) -> usize {
        self.partners[pc] as usize
    }

    /// Where the instruction `pc` stands in the source.
    ///
    /// # Panics
    /// If there is no such instruction.
    pub fn position(&self, pc: usize) -> Position {
        self.positions[pc]
    }
}
