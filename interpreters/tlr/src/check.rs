use std::fmt;

use crate::bytecode::{INSTRUCTIONS, Instruction, Operand, opcode};

/// What is wrong with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There are no instructions.
    Empty,
    /// A byte that should be an opcode is none.
    BadOpcode(u8),
    /// The operand of the last instruction is missing.
    Truncated(&'static str),
    /// A jump to or behind the end.
    TargetBehindEnd { target: u8, length: usize },
    /// A jump to an operand.
    TargetInsideInstruction { target: u8 },
    /// The instruction can be reached with too few registers.
    NoRegister { register: u8, registers: u8 },
    /// The last instruction can be reached and does not end the program.
    RunsOffEnd(&'static str),
}

/// A fault, and the offset of the instruction that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadError {
    pub offset: usize,
    pub fault: Fault,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "offset {}: ", self.offset)?;
        match self.fault {
            Fault::Empty => write!(f, "the program is empty"),
            Fault::BadOpcode(byte) => {
                write!(f, "{byte} is not an opcode; opcodes are 1 to {}", INSTRUCTIONS.len())
            }
            Fault::Truncated(name) => write!(f, "the operand of {name} is missing"),
            Fault::TargetBehindEnd { target, length } => {
                write!(f, "jump to offset {target}, but the program has only {length} bytes")
            }
            Fault::TargetInsideInstruction { target } => {
                write!(f, "jump to offset {target}, where no instruction begins")
            }
            Fault::NoRegister { register, registers: 0 } => {
                write!(f, "register {register} is used where none may be allocated")
            }
            Fault::NoRegister { register, registers } => {
                write!(f, "register {register} is used where only {registers} may be allocated")
            }
            Fault::RunsOffEnd(name) => write!(f, "execution can run off the end after this {name}"),
        }
    }
}

impl std::error::Error for LoadError {}

/// Checks that a program can run: opcodes, operands, targets, and registers on every path.
pub(crate) fn check(bytes: &[u8]) -> Result<(), LoadError> {
    let starts = decode(bytes)?;
    check_targets(bytes, &starts)?;
    check_registers(bytes, &starts)
}

/// The instruction that begins at each offset, if one does.
type Starts = Vec<Option<Instruction>>;

fn fault<T>(offset: usize, fault: Fault) -> Result<T, LoadError> {
    Err(LoadError { offset, fault })
}

fn decode(bytes: &[u8]) -> Result<Starts, LoadError> {
    if bytes.is_empty() {
        return fault(0, Fault::Empty);
    }
    let mut starts = vec![None; bytes.len()];
    let mut offset = 0;
    while offset < bytes.len() {
        let Some(instruction) = INSTRUCTIONS.iter().find(|row| row.opcode == bytes[offset]) else {
            return fault(offset, Fault::BadOpcode(bytes[offset]));
        };
        if offset + instruction.size() > bytes.len() {
            return fault(offset, Fault::Truncated(instruction.name));
        }
        starts[offset] = Some(*instruction);
        offset += instruction.size();
    }
    Ok(starts)
}

fn check_targets(bytes: &[u8], starts: &Starts) -> Result<(), LoadError> {
    for (offset, start) in starts.iter().enumerate() {
        if start.is_none_or(|instruction| instruction.operand != Operand::Target) {
            continue;
        }
        let target = bytes[offset + 1];
        match starts.get(target as usize) {
            Some(Some(_)) => {}
            Some(None) => return fault(offset, Fault::TargetInsideInstruction { target }),
            None => return fault(offset, Fault::TargetBehindEnd { target, length: bytes.len() }),
        }
    }
    Ok(())
}

/// Follows all paths. Each offset gets the fewest registers that any path leaves allocated there, so the counts
/// only sink, and the search ends.
fn check_registers(bytes: &[u8], starts: &Starts) -> Result<(), LoadError> {
    let mut fewest: Vec<Option<u8>> = vec![None; bytes.len()];
    let mut pending = vec![(0, 0u8)];
    while let Some((offset, registers)) = pending.pop() {
        if fewest[offset].is_some_and(|known| known <= registers) {
            continue;
        }
        fewest[offset] = Some(registers);
        let Some(instruction) = starts[offset] else { continue };
        let operand = bytes.get(offset + 1).copied().unwrap_or(0);
        let mut registers = registers;
        match instruction.operand {
            Operand::Register if operand >= registers => {
                return fault(offset, Fault::NoRegister { register: operand, registers });
            }
            Operand::Count => registers = operand,
            Operand::Target => pending.push((operand as usize, registers)),
            Operand::Register | Operand::Value | Operand::None => {}
        }
        if instruction.opcode == opcode::RETURN_A {
            continue;
        }
        if offset + instruction.size() == bytes.len() {
            return fault(offset, Fault::RunsOffEnd(instruction.name));
        }
        pending.push((offset + instruction.size(), registers));
    }
    Ok(())
}
