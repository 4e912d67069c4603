use crate::check::{LoadError, check};

metatrace::glue!();

/// The opcodes.
pub mod opcode {
    /// `reg[n] = a`
    pub const MOV_A_R: u8 = 1;
    /// `a = reg[n]`
    pub const MOV_R_A: u8 = 2;
    /// Go to `t` if `a` is not 0.
    pub const JUMP_IF_A: u8 = 3;
    /// `a = v`, from 0 to 255.
    pub const SET_A: u8 = 4;
    /// `a = a + reg[n]`, wrapping.
    pub const ADD_R_TO_A: u8 = 5;
    /// Ends the program; `a` is its result.
    pub const RETURN_A: u8 = 6;
    /// From here on there are `n` registers, all zero.
    pub const ALLOCATE: u8 = 7;
    /// `a = -a`, wrapping.
    pub const NEG_A: u8 = 8;
}

/// What the byte behind an opcode means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// There is none.
    None,
    /// The number of a register.
    Register,
    /// The offset of an instruction.
    Target,
    /// An unsigned number.
    Value,
    /// How many registers there are.
    Count,
}

/// One row of the instruction set.
#[derive(Clone, Copy, Debug)]
pub struct Instruction {
    pub opcode: u8,
    pub name: &'static str,
    pub operand: Operand,
}

impl Instruction {
    /// Bytes of opcode and operand.
    pub fn size(&self) -> usize {
        if self.operand == Operand::None { 1 } else { 2 }
    }
}

/// The instruction set.
pub const INSTRUCTIONS: [Instruction; 8] = [
    Instruction { opcode: opcode::MOV_A_R, name: "MOV_A_R", operand: Operand::Register },
    Instruction { opcode: opcode::MOV_R_A, name: "MOV_R_A", operand: Operand::Register },
    Instruction { opcode: opcode::JUMP_IF_A, name: "JUMP_IF_A", operand: Operand::Target },
    Instruction { opcode: opcode::SET_A, name: "SET_A", operand: Operand::Value },
    Instruction { opcode: opcode::ADD_R_TO_A, name: "ADD_R_TO_A", operand: Operand::Register },
    Instruction { opcode: opcode::RETURN_A, name: "RETURN_A", operand: Operand::None },
    Instruction { opcode: opcode::ALLOCATE, name: "ALLOCATE", operand: Operand::Count },
    Instruction { opcode: opcode::NEG_A, name: "NEG_A", operand: Operand::None },
];

/// A checked program: every instruction and operand in it is valid wherever it may be reached.
#[derive(Debug)]
pub struct Bytecode {
    pub(crate) bytes: Vec<u8>,
}

impl Bytecode {
    /// Checks a program.
    ///
    /// # Errors
    /// The first thing wrong with it, with its offset.
    pub fn load(bytes: Vec<u8>) -> Result<Bytecode, LoadError> {
        check(&bytes)?;
        Ok(Bytecode { bytes })
    }

    /// The program's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
