//! Functions that are being compiled: their variables, blocks, labels and jumps to labels.

use std::collections::HashMap;

use super::expr::Chain;
use super::{Body, Constant, LocalName, SyntaxError, UpvalueSource};

/// What may be done with a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    Regular,
    /// Never assigned again.
    Const,
    /// Closed when its block ends.
    Close,
    /// Without a register: its value is known.
    Known(Constant),
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Variable<'s> {
    pub name: &'s [u8],
    pub attribute: Attribute,
    pub register: u8,
    /// Its index among the function's names for debuggers.
    pub debug: Option<usize>,
}

/// A block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Variables of the function before it.
    pub variables: usize,
    pub first_label: usize,
    pub first_goto: usize,
    pub is_loop: bool,
    /// A closure has captured one of its variables, or one is to be closed.
    pub needs_close: bool,
    /// It is in the scope of a variable that is to be closed.
    pub inside_close: bool,
}

/// A label, or a jump to one that was not seen yet.
#[derive(Clone, Debug)]
pub struct Label<'s> {
    pub name: &'s [u8],
    pub pc: usize,
    pub line: u32,
    /// Variables that are alive there.
    pub variables: usize,
    /// For a jump: whether it leaves the scope of a captured variable.
    pub needs_close: bool,
}

/// The name that `break` jumps to: no program can write it.
pub const BREAK: &[u8] = b"break";

/// A key among constants: floats by their bits.
#[derive(PartialEq, Eq, Hash)]
pub enum Key {
    Nil,
    Bool(bool),
    Int(i64),
    Float(u64),
    String(Box<[u8]>),
}

/// A function that is being compiled.
pub struct Function<'s> {
    pub body: Body,
    pub variables: Vec<Variable<'s>>,
    /// Variables that are alive; those behind are declared, but not yet visible.
    pub active: usize,
    pub blocks: Vec<Block>,
    pub labels: Vec<Label<'s>>,
    pub gotos: Vec<Label<'s>>,
    /// The first register that is free.
    pub free: u8,
    pub constants: HashMap<Key, u32>,
    /// The last instruction that something jumps to.
    pub last_target: usize,
    /// The line of the instructions that are written.
    pub line: u32,
    /// Some variable needs closing on return.
    pub closes: bool,
}

impl<'s> Function<'s> {
    pub fn new(line: u32) -> Function<'s> {
        Function {
            body: Body { first_line: line, registers: 2, ..Body::default() },
            variables: Vec::new(),
            active: 0,
            blocks: Vec::new(),
            labels: Vec::new(),
            gotos: Vec::new(),
            free: 0,
            constants: HashMap::new(),
            last_target: 0,
            line,
            closes: false,
        }
    }

    /// The number of the next instruction.
    pub fn pc(&self) -> usize {
        self.body.code.len()
    }

    /// Registers that the first `count` variables take.
    pub fn registers_of(&self, count: usize) -> u8 {
        self.variables[..count]
            .iter()
            .rev()
            .find(|variable| !matches!(variable.attribute, Attribute::Known(_)))
            .map_or(0, |variable| variable.register + 1)
    }

    pub fn active_registers(&self) -> u8 {
        self.registers_of(self.active)
    }

    /// Makes `count` declared variables visible, in the registers that follow.
    pub fn activate(&mut self, count: usize) {
        let mut register = self.active_registers();
        let start = self.pc() as u32;
        for index in self.active..self.active + count {
            let variable = &mut self.variables[index];
            variable.register = register;
            if matches!(variable.attribute, Attribute::Known(_)) {
                continue;
            }
            variable.debug = Some(self.body.locals.len());
            self.body.locals.push(LocalName { name: variable.name.into(), register, start, end: start });
            register += 1;
        }
        self.active += count;
    }

    /// Ends the scope of the variables behind the first `count`.
    pub fn deactivate(&mut self, count: usize) {
        let end = self.pc() as u32;
        for variable in self.variables.drain(count..) {
            if let Some(debug) = variable.debug {
                self.body.locals[debug].end = end;
            }
        }
        self.active = count;
    }

    /// The index of the visible variable of a name.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.variables[..self.active].iter().rposition(|variable| variable.name == name)
    }

    /// A variable is captured: its block closes upvalues at its end.
    pub fn mark_captured(&mut self, variable: usize) {
        if let Some(block) = self.blocks.iter_mut().rev().find(|block| block.variables <= variable) {
            block.needs_close = true;
        }
        self.closes = true;
    }

    /// A variable that is to be closed was declared in the innermost block.
    pub fn mark_to_close(&mut self) {
        if let Some(block) = self.blocks.last_mut() {
            block.needs_close = true;
            block.inside_close = true;
        }
        self.closes = true;
    }

    pub fn find_upvalue(&self, name: &[u8]) -> Option<u8> {
        self.body.upvalues.iter().position(|upvalue| &*upvalue.name == name).map(|index| index as u8)
    }

    pub fn add_upvalue(&mut self, name: &[u8], in_register: bool, index: u8) -> Option<u8> {
        let new = u8::try_from(self.body.upvalues.len()).ok().filter(|&new| new < 255)?;
        self.body.upvalues.push(UpvalueSource { name: name.into(), in_register, index });
        Some(new)
    }

    pub fn enter_block(&mut self, is_loop: bool) {
        let inside_close = self.blocks.last().is_some_and(|block| block.inside_close);
        self.blocks.push(Block {
            variables: self.active,
            first_label: self.labels.len(),
            first_goto: self.gotos.len(),
            is_loop,
            needs_close: false,
            inside_close,
        });
    }

    /// Ends the innermost block: its variables go, jumps out of it wait in the one around it.
    pub fn leave_block(&mut self) -> Result<(), SyntaxError> {
        let Some(block) = self.blocks.pop() else { return Ok(()) };
        let registers = self.registers_of(block.variables);
        self.deactivate(block.variables);
        let mut has_close = false;
        if block.is_loop {
            has_close = self.add_label(BREAK, 0, false, block.first_goto)?;
        }
        if !has_close && block.needs_close && !self.blocks.is_empty() {
            self.emit_abc(crate::op::Op::Close, registers, 0, 0);
        }
        self.free = registers;
        self.labels.truncate(block.first_label);
        if self.blocks.is_empty() {
            if let Some(goto) = self.gotos.first() {
                return Err(undefined_goto(goto));
            }
        } else {
            for goto in &mut self.gotos[block.first_goto..] {
                if goto.variables > block.variables {
                    goto.needs_close |= block.needs_close;
                }
                goto.variables = goto.variables.min(block.variables);
            }
        }
        Ok(())
    }

    /// Puts a label here, and has the jumps of the innermost block that wait for it go to it. Returns whether code to close
    /// variables was written.
    pub fn add_label(
        &mut self,
        name: &'s [u8],
        line: u32,
        is_last: bool,
        first_goto: usize,
    ) -> Result<bool, SyntaxError> {
        let pc = self.label_here();
        let variables = match self.blocks.last() {
            // Behind the last statement of a block its variables are dead.
            Some(block) if is_last => block.variables,
            _ => self.active,
        };
        self.labels.push(Label { name, pc, line, variables, needs_close: false });
        let mut needs_close = false;
        let mut index = first_goto;
        while index < self.gotos.len() {
            if self.gotos[index].name != name {
                index += 1;
                continue;
            }
            let goto = self.gotos.remove(index);
            needs_close |= goto.needs_close;
            if goto.variables < variables {
                let variable = String::from_utf8_lossy(self.variables[goto.variables].name).into_owned();
                let name = String::from_utf8_lossy(goto.name).into_owned();
                let text =
                    format!("<goto {name}> at line {} jumps into the scope of local '{variable}'", goto.line);
                return Err(SyntaxError { line: self.line, text: text.into_bytes() });
            }
            self.patch(Chain(Some(goto.pc)), pc);
        }
        if needs_close {
            let register = self.active_registers();
            self.emit_abc(crate::op::Op::Close, register, 0, 0);
        }
        Ok(needs_close)
    }
}

fn undefined_goto(goto: &Label) -> SyntaxError {
    let text = if goto.name == BREAK {
        format!("break outside loop at line {}", goto.line)
    } else {
        format!("no visible label '{}' for <goto> at line {}", String::from_utf8_lossy(goto.name), goto.line)
    };
    SyntaxError { line: goto.line, text: text.into_bytes() }
}
