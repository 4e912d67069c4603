//! Checks compiled functions that come from outside, so that running them is as safe as running what the compiler has made.
//!
//! In: a [`Body`] of any content. Out: whether code can be made of it. Guarantees for each function and those in it:
//! - Operands are registers, constants, caches, upvalues, functions and instructions that exist; execution does not run off the end.
//! - A register is read only where it was written on every way there: what others have left on the stack is never seen. This holds
//!   for variables that debuggers may look at too.
//! - Instructions that leave as many values as there are and those that take them follow each other, and nothing jumps between.
//! - Registers that closures share or that are to be closed are not given to calls before they are closed; returns close them.
//!
//! The states of registers are followed through the code until nothing changes.

use crate::compile::{Body, Constant};
use crate::op::{FIRST_CONST, FLIP, Instr, Op, Operand};

/// Functions within functions.
const MAX_DEPTH: usize = 200;
/// Registers of a function.
const MAX_REGISTERS: usize = 255;

/// What is wrong with a function is of no use to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsound;

type Checked<T = ()> = Result<T, Unsound>;

fn require(holds: bool) -> Checked {
    if holds { Ok(()) } else { Err(Unsound) }
}

/// Checks a function and those in it.
///
/// # Errors
/// If running it would not be safe.
pub fn verify(body: &Body) -> Checked {
    // A chunk has nothing around it: its upvalues are made for it.
    verify_function(body, MAX_DEPTH)
}

fn verify_function(body: &Body, depth: usize) -> Checked {
    require(depth > 0)?;
    require(!body.code.is_empty() && body.code.len() <= u32::MAX as usize / 4)?;
    require(body.lines.is_empty() || body.lines.len() == body.code.len())?;
    require(usize::from(body.params) <= usize::from(body.registers))?;
    require(usize::from(body.registers) <= MAX_REGISTERS && body.upvalues.len() <= MAX_REGISTERS)?;
    require(body.caches as usize <= body.code.len())?;
    for instr in &body.code {
        check_operands(body, *instr)?;
    }
    for function in &body.functions {
        for source in &function.upvalues {
            let limit = if source.in_register { usize::from(body.registers) } else { body.upvalues.len() };
            require(usize::from(source.index) < limit)?;
        }
        verify_function(function, depth - 1)?;
    }
    let states = follow(body)?;
    for local in &body.locals {
        require(local.register < body.registers && local.start as usize <= body.code.len())?;
        let end = (local.end as usize).min(states.len());
        for state in states.get(local.start as usize..end).unwrap_or_default().iter().flatten() {
            require(state.written.has(usize::from(local.register)))?;
        }
    }
    Ok(())
}

/// Whether each operand is something that exists.
fn check_operands(body: &Body, instr: Instr) -> Checked {
    require(instr.op != Op::Hook)?;
    let fields = [u32::from(instr.a), u32::from(instr.b), instr.c];
    for (operand, field) in instr.op.operands().into_iter().zip(fields) {
        let number = field as usize;
        require(match operand {
            Operand::None | Operand::Int | Operand::Count => true,
            Operand::Reg => number < usize::from(body.registers),
            Operand::RegConst if field < FIRST_CONST => number < usize::from(body.registers),
            Operand::RegConst => number - (FIRST_CONST as usize) < body.constants.len(),
            Operand::Up => number < body.upvalues.len(),
            Operand::Const => number < body.constants.len(),
            Operand::Field => {
                matches!(body.constants.get(instr.key()), Some(Constant::String(_)))
                    && instr.cache() < body.caches as usize
            }
            Operand::Flip => ((field & !FLIP) as usize) < body.constants.len(),
            Operand::Target => number < body.code.len(),
            Operand::Function => number < body.functions.len(),
        })?;
    }
    // Elements of a constructor are instructions, some of which make many.
    require(instr.op != Op::SetList || instr.c as usize / 256 <= body.code.len())
}

/// A set of registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Registers([u64; 4]);

impl Registers {
    fn has(self, register: usize) -> bool {
        self.0[register / 64] >> (register % 64) & 1 != 0
    }

    fn add(&mut self, register: usize) {
        self.0[register / 64] |= 1 << (register % 64);
    }

    /// Takes out all from a register on.
    fn cut(&mut self, from: usize) {
        (from..256).for_each(|register| self.0[register / 64] &= !(1 << (register % 64)));
    }

    fn reaches(self, from: usize) -> bool {
        (from..256).any(|register| self.has(register))
    }

    fn merge(self, other: Registers, merge: fn(u64, u64) -> u64) -> Registers {
        Registers(std::array::from_fn(|index| merge(self.0[index], other.0[index])))
    }
}

/// What is known before an instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// Registers with a value of this call.
    written: Registers,
    /// Those that a closure may share, and those that may wait to be closed.
    shared: Registers,
    closing: Registers,
}

impl State {
    fn read(&self, first: usize, count: usize) -> Checked {
        require(first + count <= 256 && (first..first + count).all(|register| self.written.has(register)))
    }

    /// Registers are set, of which the function has so many.
    fn write(&mut self, body: &Body, first: usize, count: usize) -> Checked {
        require(first + count <= usize::from(body.registers))?;
        (first..first + count).for_each(|register| self.written.add(register));
        Ok(())
    }

    /// A call uses the registers from one on.
    fn give(&mut self, from: usize) -> Checked {
        require(!self.shared.reaches(from) && !self.closing.reaches(from))?;
        self.written.cut(from);
        Ok(())
    }

    fn to_close(&mut self, register: usize) -> Checked {
        self.read(register, 1)?;
        // They are closed from the last one on.
        require(!self.closing.reaches(register))?;
        self.closing.add(register);
        Ok(())
    }

    fn merge(self, other: State) -> State {
        State {
            written: self.written.merge(other.written, |a, b| a & b),
            shared: self.shared.merge(other.shared, |a, b| a | b),
            closing: self.closing.merge(other.closing, |a, b| a | b),
        }
    }
}

/// The state before each instruction that can be reached.
fn follow(body: &Body) -> Checked<Vec<Option<State>>> {
    let mut is_target = vec![false; body.code.len()];
    for (pc, instr) in body.code.iter().enumerate() {
        if let Some(target) = target_of(pc, *instr) {
            *is_target.get_mut(target).ok_or(Unsound)? = true;
        }
    }
    let mut states: Vec<Option<State>> = vec![None; body.code.len()];
    let mut first = State::default();
    first.write(body, 0, usize::from(body.params))?;
    states[0] = Some(first);
    let mut waiting = vec![0];
    while let Some(pc) = waiting.pop() {
        let Some(before) = states[pc] else { continue };
        let instr = body.code[pc];
        let open = open_values(body, &is_target, pc)?;
        let mut next = before;
        step(body, instr, open, &mut next)?;
        let mut arrive = |at: usize, state: State| {
            let known = states.get_mut(at).ok_or(Unsound)?;
            let merged = known.map_or(state, |known| known.merge(state));
            if *known != Some(merged) {
                *known = Some(merged);
                waiting.push(at);
            }
            Ok(())
        };
        if let Some(target) = target_of(pc, instr) {
            let mut there = next;
            match instr.op {
                Op::JumpIfSet | Op::JumpIfNotSet => there.write(body, usize::from(instr.a), 1)?,
                Op::ForLoop => there.write(body, usize::from(instr.a) + 3, 1)?,
                Op::ForInLoop => there.write(body, usize::from(instr.a) + 2, 1)?,
                _ => {}
            }
            arrive(target, there)?;
        }
        if instr.op == Op::ForPrep {
            next.write(body, usize::from(instr.a) + 3, 1)?;
        }
        let ends = [
            Op::Jump,
            Op::Loop,
            Op::FalseSkip,
            Op::ForInPrep,
            Op::Return,
            Op::Return0,
            Op::Return1,
            Op::TailCall,
        ];
        if !ends.contains(&instr.op) {
            arrive(pc + 1, next)?;
        }
    }
    Ok(states)
}

/// Where an instruction may go on but behind itself.
fn target_of(pc: usize, instr: Instr) -> Option<usize> {
    match instr.op {
        Op::FalseSkip => Some((pc + 1).saturating_add(instr.c as usize)),
        op if op.operands()[2] == Operand::Target => Some(instr.c as usize),
        _ => None,
    }
}

/// Whether an instruction leaves as many values as there are.
fn leaves_open(instr: Instr) -> bool {
    instr.op == Op::Call && instr.c == 0 || instr.op == Op::VarArg && instr.b == 0
}

fn takes_open(instr: Instr) -> bool {
    matches!(instr.op, Op::Call | Op::TailCall | Op::Return | Op::SetList) && instr.b == 0
}

/// The register from which on the instruction before this one has left values for it, if it takes such.
fn open_values(body: &Body, is_target: &[bool], pc: usize) -> Checked<Option<usize>> {
    if leaves_open(body.code[pc]) {
        require(body.code.get(pc + 1).is_some_and(|next| takes_open(*next)))?;
    }
    if !takes_open(body.code[pc]) {
        return Ok(None);
    }
    let before = pc.checked_sub(1).and_then(|before| body.code.get(before)).ok_or(Unsound)?;
    require(leaves_open(*before) && !is_target[pc])?;
    Ok(Some(usize::from(before.a)))
}

/// What an instruction reads and does, where it goes on behind itself.
fn step(body: &Body, instr: Instr, open: Option<usize>, state: &mut State) -> Checked {
    let (a, b, c) = (usize::from(instr.a), usize::from(instr.b), instr.c as usize);
    // Values from `a` on, of which some may be open.
    let values = |fixed: usize, least: usize| match open {
        Some(from) => from.checked_sub(a).filter(|count| *count >= least).ok_or(Unsound),
        None => Ok(fixed),
    };
    match instr.op {
        Op::Concat => {
            require(b >= 2)?;
            state.read(a, b)?;
        }
        Op::LoadNil => state.write(body, a, b)?,
        Op::Call => {
            state.read(a, values(b, 1)?)?;
            state.give(a)?;
            state.write(body, a, c.saturating_sub(1))?;
        }
        Op::VarArg => {
            state.give(a)?;
            state.write(body, a, b.saturating_sub(1))?;
        }
        Op::TailCall => {
            state.read(a, values(b, 1)?)?;
            require(!state.closing.reaches(0) && (c != 0 || !state.shared.reaches(0)))?;
        }
        Op::Return | Op::Return0 | Op::Return1 => {
            match instr.op {
                Op::Return => state.read(a, values(b.saturating_sub(1), 0)?)?,
                Op::Return1 => state.read(a, 1)?,
                _ => {}
            }
            require(c != 0 || !state.closing.reaches(0) && !state.shared.reaches(0))?;
        }
        Op::SetList => state.read(a, values(b + 1, 1)?)?,
        Op::Close => {
            state.shared.cut(a);
            state.closing.cut(a);
        }
        Op::ToClose => state.to_close(a)?,
        Op::ForPrep | Op::ForLoop => state.read(a, 3)?,
        Op::ForInPrep => {
            state.read(a, 4)?;
            state.to_close(a + 3)?;
        }
        Op::ForInCall => {
            require(b > 0)?;
            state.read(a, 4)?;
            state.give(a + 4)?;
            state.write(body, a + 4, b)?;
        }
        Op::ForInLoop => state.read(a + 4, 1)?,
        Op::Closure => {
            let sources = &body.functions[c].upvalues;
            for source in sources.iter().filter(|source| source.in_register) {
                // A local function may refer to itself.
                require(usize::from(source.index) == a || state.written.has(usize::from(source.index)))?;
                state.shared.add(usize::from(source.index));
            }
            state.write(body, a, 1)?;
        }
        Op::Method => {
            state.read(b, 1)?;
            state.write(body, a, 2)?;
        }
        _ => simple(body, instr, state)?,
    }
    Ok(())
}

/// An instruction whose operands say all: `a` is the result, or is read too.
fn simple(body: &Body, instr: Instr, state: &mut State) -> Checked {
    let operands = instr.op.operands();
    for (operand, field) in [(operands[1], u32::from(instr.b)), (operands[2], instr.c)] {
        if operand == Operand::Reg || operand == Operand::RegConst && field < FIRST_CONST {
            state.read(field as usize, 1)?;
        }
    }
    let a = usize::from(instr.a);
    let compares = (Op::JumpEq as u8..=Op::JumpNotGeInt as u8).contains(&(instr.op as u8));
    match instr.op {
        // These set the register only where they jump to.
        Op::JumpIfSet | Op::JumpIfNotSet => Ok(()),
        Op::SetUp | Op::SetTable | Op::SetInt | Op::SetField | Op::JumpIf | Op::JumpIfNot => state.read(a, 1),
        _ if compares => state.read(a, 1),
        _ if operands[0] == Operand::Reg => state.write(body, a, 1),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::compile;

    fn compiled(source: &str) -> Body {
        compile(source.as_bytes()).expect("a program")
    }

    /// The programs in a folder of the crate, whole and by cases.
    fn programs(folder: &str) -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "lua"));
        let texts = files.map(|path| std::fs::read(path).expect("a program"));
        texts
            .flat_map(|text| {
                let text = String::from_utf8_lossy(&text).into_owned();
                text.split("--@ ").map(str::to_string).collect::<Vec<String>>()
            })
            .collect()
    }

    #[test]
    fn what_the_compiler_makes_is_sound() {
        let mut count = 0;
        for program in programs("tests/cases").iter().chain(&programs("bench")) {
            // The first line of a case is its name.
            let program = if program.starts_with("--") { program.clone() } else { format!("-- {program}") };
            if let Ok(body) = compile(program.as_bytes()) {
                count += 1;
                assert_eq!(verify(&body), Ok(()), "{}\n{program}", crate::listing::list(&body));
            }
        }
        assert!(count > 100, "only {count} programs");
    }

    /// A program with an instruction changed is unsound.
    fn refuses(source: &str, op: Op, change: impl Fn(&mut Instr)) {
        let mut body = compiled(source);
        assert_eq!(verify(&body), Ok(()));
        let instr = body.code.iter_mut().find(|instr| instr.op == op).expect("the instruction");
        change(instr);
        assert_eq!(verify(&body), Err(Unsound), "{source}: {op:?}");
    }

    #[test]
    fn operands_exist() {
        refuses("local a = ... return a + 1.5", Op::AddK, |instr| instr.c = 7);
        refuses("local a = 1 local b = a", Op::Move, |instr| instr.b = 200);
        refuses("return x", Op::GetTabUp, |instr| instr.b = 1);
        refuses("return x", Op::GetTabUp, |instr| instr.c |= 9 << 16);
        refuses("while x do y() end", Op::Loop, |instr| instr.c = 1000);
        refuses("return x == nil", Op::FalseSkip, |instr| instr.c = 1000);
        refuses("return function() end", Op::Closure, |instr| instr.c = 1);
        refuses("f()", Op::Call, |instr| instr.c = 300);
        refuses("local a return a", Op::LoadNil, |instr| instr.b = 300);
    }

    #[test]
    fn registers_are_written_before_they_are_read() {
        refuses("local a = 1 return a", Op::LoadInt, |instr| instr.op = Op::Jump);
        refuses("local a = 1 local b = 2 return a + b", Op::Add, |instr| instr.c = 2);
        refuses("if x then local a = 1 else local b = 2 end local c = 3 return c", Op::LoadInt, |instr| {
            *instr = Instr::new(Op::Return, 0, 4, 0);
        });
        refuses("f(1)", Op::Call, |instr| instr.b = 4);
    }

    #[test]
    fn open_values_are_taken_where_they_are_left() {
        refuses("f(g())", Op::Call, |instr| instr.c = 1);
        refuses("return 1, ...", Op::VarArg, |instr| instr.b = 2);
        refuses("f(1)", Op::Call, |instr| instr.b = 0);
        refuses("local t = {...}", Op::SetList, |instr| instr.op = Op::Return0);
    }

    #[test]
    fn what_is_shared_or_to_be_closed_is_closed() {
        let source = "local a = 1 local f = function() a = a + 1 end f() return 5";
        refuses(source, Op::Return1, |instr| instr.c = 0);
        let source = "do local a <close> = x end";
        refuses(source, Op::Return0, |instr| instr.op = Op::ToClose);
        refuses("local a <close> = x return 1", Op::Return1, |instr| instr.c = 0);
        let source = "for i = 1, 2 do local j = i local f = function() j = j + 1 end f() end g(1)";
        refuses(source, Op::Close, |instr| *instr = Instr::new(Op::LoadInt, 0, 0, 0));
    }

    #[test]
    fn any_change_is_either_sound_or_refused() {
        let mut refused = 0;
        let mut changed = 0;
        for program in &programs("bench") {
            let body = compiled(program);
            for pc in (0..body.code.len()).step_by(11) {
                for change in 0..6 {
                    let mut body = body.clone();
                    let instr = &mut body.code[pc];
                    match change {
                        0 => instr.op = Op::ALL[(instr.op as usize + 1 + pc) % Op::ALL.len()],
                        1 => instr.a = instr.a.wrapping_add(pc as u8 | 1),
                        2 => instr.b ^= 1 << (pc % 16),
                        3 => instr.c ^= 1 << (pc % 32),
                        4 => instr.b = 0,
                        _ => instr.c = u32::MAX,
                    }
                    changed += 1;
                    refused += usize::from(verify(&body).is_err());
                }
            }
        }
        assert!(refused * 3 > changed, "{refused} of {changed}");
    }
}
