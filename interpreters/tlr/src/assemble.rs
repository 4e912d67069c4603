//! Makes bytecode from text.
//!
//! In: lines of the form `label:`, `NAME` or `NAME operand`, each with an optional comment after `;`. An operand is
//! a number from 0 to 255, or for a jump a label, which may be defined anywhere in the text.
//! Out: the bytes, checked for nothing that the text does not show; `Bytecode::load` checks the rest.

use std::collections::HashMap;
use std::fmt;

use crate::bytecode::{INSTRUCTIONS, Operand};

/// What is wrong in a text, and in which line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssembleError {
    pub line: usize,
    pub reason: String,
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for AssembleError {}

/// Makes bytecode from text.
///
/// # Errors
/// The first line that cannot be understood, or that names a label that is undefined, or further than a byte reaches.
pub fn assemble(text: &str) -> Result<Vec<u8>, AssembleError> {
    let mut bytes = Vec::new();
    let mut labels = HashMap::new();
    let mut uses = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        let fail = |reason| Err(AssembleError { line, reason });
        let code = text.split(';').next().unwrap_or("").trim();
        if let Some(label) = code.strip_suffix(':') {
            if labels.insert(label, bytes.len()).is_some() {
                return fail(format!("the label `{label}` is defined a second time"));
            }
            continue;
        }
        let mut words = code.split_whitespace();
        let Some(name) = words.next() else { continue };
        let Some(instruction) = INSTRUCTIONS.iter().find(|row| row.name == name) else {
            let names = INSTRUCTIONS.map(|row| row.name).join(", ");
            return fail(format!("there is no instruction `{name}`; the instructions are {names}"));
        };
        bytes.push(instruction.opcode);
        match (instruction.operand, words.next(), words.next()) {
            (Operand::None, None, _) => {}
            (Operand::None, Some(_), _) => return fail(format!("{name} takes no operand")),
            (_, None, _) | (_, _, Some(_)) => return fail(format!("{name} takes one operand")),
            (Operand::Target, Some(label), None) => {
                uses.push((line, label, bytes.len()));
                bytes.push(0);
            }
            (_, Some(number), None) => match number.parse() {
                Ok(byte) => bytes.push(byte),
                Err(_) => return fail(format!("`{number}` is not a number from 0 to 255")),
            },
        }
    }
    for (line, label, at) in uses {
        let fail = |reason| Err(AssembleError { line, reason });
        let Some(&target) = labels.get(label) else {
            return fail(format!("the label `{label}` is not defined"));
        };
        let Ok(byte) = u8::try_from(target) else {
            return fail(format!("the label `{label}` is at offset {target}, and a jump reaches only 255"));
        };
        bytes[at] = byte;
    }
    Ok(bytes)
}
