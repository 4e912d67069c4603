//! What errors say: positions, the names of variables and functions, types.
//!
//! Names are found in the code: the instruction that failed says which register or constant was wrong, and the instructions before
//! tell where its value came from.

use metatrace::jit;

use crate::function::Proto;
use crate::meta::Event;
use crate::op::{FLIP, Instr, Op};
use crate::stack::Slot;
use crate::thread::{Frame, Thread};
use crate::value::Value;
use crate::vm::{Raised, Vm};

/// Bytes of a chunk's name in messages.
const ID_SIZE: usize = 60;

/// The name of a chunk for messages: a file's name, or the beginning of a text.
pub fn chunk_id(source: &[u8]) -> Vec<u8> {
    match source {
        [b'=', rest @ ..] => rest[..rest.len().min(ID_SIZE - 1)].to_vec(),
        [b'@', rest @ ..] if rest.len() < ID_SIZE => rest.to_vec(),
        [b'@', rest @ ..] => [b"...", &rest[rest.len() - (ID_SIZE - 4)..]].concat(),
        _ => {
            let line = source.split(|byte| *byte == b'\n').next().unwrap_or(b"");
            let room = ID_SIZE - b"[string \"...\"]".len() - 1;
            let is_whole = line.len() == source.len();
            if is_whole && line.len() < room {
                [b"[string \"", line, b"\"]"].concat()
            } else {
                [b"[string \"", &line[..line.len().min(room)], b"...\"]"].concat()
            }
        }
    }
}

/// The position of a call for the beginning of a message, counted from the innermost; nothing for native functions.
pub fn position(vm: &Vm, level: usize) -> Vec<u8> {
    let thread = vm.thread();
    let seen = thread.frames.seen().nth(level);
    let Some(frame) = seen.and_then(|at| thread.frames.get(at)) else { return Vec::new() };
    let Some(code) = frame.code else { return Vec::new() };
    // Without lines, errors of the function itself say so; those it is blamed for by others have no position.
    let line = match current_line(frame) {
        Some(line) => i64::from(line),
        None if level == 0 => -1,
        None => return Vec::new(),
    };
    let mut text = chunk_id(&code.source);
    text.extend_from_slice(format!(":{line}: ").as_bytes());
    text
}

/// An error that a native function reports: with the position of its caller.
#[cold]
pub fn of_library(vm: &Vm, message: &[u8]) -> Raised {
    let mut text = position(vm, 1);
    text.extend_from_slice(message);
    vm.raise_bytes(&text)
}

/// The line that a call is in.
pub fn current_line(frame: &Frame) -> Option<u32> {
    frame.code.and_then(|code| code.line_before(frame.pc.get().0 as usize))
}

/// The name of a value's type, from its metatable if that has one.
pub fn type_name(vm: &Vm, value: Value) -> Vec<u8> {
    if let Value::Table(_) | Value::UserData(_) = value
        && let Value::Str(name) = vm.metamethod(value, Event::Name)
    {
        return name.bytes().to_vec();
    }
    if let Value::Pointer(_) = value {
        return b"light userdata".to_vec();
    }
    value.type_name().as_bytes().to_vec()
}

/// A text for the value of an error, for those who print it.
pub fn text_of(vm: &Vm, error: Value) -> Vec<u8> {
    match vm.protected(|| crate::meta::to_text(vm, error)) {
        Ok(Value::Str(text)) => text.bytes().to_vec(),
        _ => format!("(error object is a {} value)", error.type_name()).into_bytes(),
    }
}

/// What a value is called.
pub struct Named {
    pub kind: &'static str,
    pub name: Vec<u8>,
}

impl Named {
    fn new(kind: &'static str, name: &[u8]) -> Option<Named> {
        Some(Named { kind, name: name.to_vec() })
    }
}

/// The local variable that a register is at an instruction.
pub fn local_name(proto: &Proto, register: usize, pc: usize) -> Option<&[u8]> {
    proto
        .locals
        .iter()
        .find(|local| {
            usize::from(local.register) == register && (local.start as usize) <= pc && pc < local.end as usize
        })
        .map(|local| &*local.name)
}

/// Whether an instruction sets a register.
fn sets(instr: Instr, register: usize) -> bool {
    let a = usize::from(instr.a);
    match instr.op {
        Op::LoadNil => (a..a + usize::from(instr.b)).contains(&register),
        Op::Call | Op::TailCall | Op::VarArg => register >= a,
        Op::ForInCall => register >= a + 2,
        Op::ForLoop | Op::ForPrep => (a..a + 4).contains(&register),
        Op::Method => register == a || register == a + 1,
        Op::SetUp | Op::SetTabUp | Op::SetTable | Op::SetInt | Op::SetField | Op::SetList => false,
        Op::Close | Op::ToClose | Op::Jump | Op::Loop | Op::Return | Op::Return0 | Op::Return1 => false,
        Op::JumpIf | Op::JumpIfNot | Op::ForInPrep | Op::ForInLoop | Op::Hook => false,
        op if op as u8 >= Op::JumpEq as u8 && op as u8 <= Op::JumpNotGeInt as u8 => false,
        _ => register == a,
    }
}

fn jumps_to(instr: Instr) -> Option<usize> {
    let is_jump = (Op::Jump as u8..=Op::JumpNotGeInt as u8).contains(&(instr.op as u8))
        || matches!(instr.op, Op::ForPrep | Op::ForInPrep);
    is_jump.then_some(instr.c as usize)
}

/// The last instruction before `pc` that surely set a register.
fn setter(proto: &Proto, pc: usize, register: usize) -> Option<usize> {
    let (mut found, mut target) = (None, 0);
    for at in 0..pc {
        let instr = proto.code[at];
        // Behind a forward jump one does not know whether the instructions between were executed.
        if let Some(to) = jumps_to(instr).filter(|&to| to > at && to <= pc) {
            target = target.max(to);
        }
        if sets(instr, register) {
            found = if at < target { None } else { Some(at) };
        }
    }
    found
}

fn constant_name(value: Value) -> Vec<u8> {
    match value {
        Value::Str(text) => text.bytes().to_vec(),
        _ => b"?".to_vec(),
    }
}

/// Whether a field of a table is a global variable.
fn field_kind(proto: &Proto, table: Option<&[u8]>) -> &'static str {
    let _ = proto;
    if table == Some(b"_ENV") { "global" } else { "field" }
}

/// What the value of a register is called at an instruction.
pub fn register_name(proto: &Proto, pc: usize, register: usize) -> Option<Named> {
    if let Some(name) = local_name(proto, register, pc) {
        return Named::new("local", name);
    }
    let at = setter(proto, pc, register)?;
    let instr = proto.code[at];
    let key = || constant_name(proto.constants[instr.key()]);
    match instr.op {
        Op::Move if usize::from(instr.b) < usize::from(instr.a) => {
            register_name(proto, at, usize::from(instr.b))
        }
        Op::GetTabUp => {
            let table = proto.upvalues[usize::from(instr.b)].shown();
            Named::new(field_kind(proto, Some(table)), &key())
        }
        Op::GetField => {
            let table = local_name(proto, usize::from(instr.b), at).map(<[u8]>::to_vec).or_else(|| {
                register_name(proto, at, usize::from(instr.b)).filter(|n| n.kind == "upvalue").map(|n| n.name)
            });
            Named::new(field_kind(proto, table.as_deref()), &key())
        }
        Op::GetTable => {
            let key = register_name(proto, at, instr.c as usize);
            match key {
                Some(named) if named.kind == "constant" => Named::new("field", &named.name),
                _ => Named::new("field", b"?"),
            }
        }
        Op::GetInt => Named::new("field", b"integer index"),
        Op::GetUp => Named::new("upvalue", proto.upvalues[usize::from(instr.b)].shown()),
        Op::LoadK => match proto.constants[instr.c as usize] {
            Value::Str(text) => Named::new("constant", text.bytes()),
            _ => None,
        },
        Op::Method if register == usize::from(instr.a) => Named::new("method", &key()),
        _ => None,
    }
}

/// What an operand of the instruction that runs is called, in parentheses.
fn operand_name(vm: &Vm, value: Value) -> Vec<u8> {
    let thread = vm.thread();
    operand_name_in(thread.frames.last(), value)
}

fn operand_name_in(frame: &Frame, value: Value) -> Vec<u8> {
    let Some(code) = frame.code else { return Vec::new() };
    let proto: &Proto = code;
    let Some(pc) = (frame.pc.get().0 as usize).checked_sub(1) else { return Vec::new() };
    let Some(instr) = proto.code.get(pc).copied() else { return Vec::new() };
    let same = |candidate: Value| match (candidate, value) {
        (Value::Str(a), Value::Str(b)) => a.is(b),
        (Value::Float(a), Value::Float(b)) => a.get().to_bits() == b.get().to_bits(),
        _ => candidate.type_index() == value.type_index() && candidate.raw_equal(value),
    };
    let named = match instr.op {
        Op::GetTabUp => upvalue_if(proto, usize::from(instr.b)),
        Op::SetTabUp => upvalue_if(proto, usize::from(instr.a)),
        _ => operands(instr)
            .into_iter()
            .flatten()
            .find_map(|operand| match operand {
                Operand::Register(register) if same(frame.base.at(register)) => {
                    Some(register_name(proto, pc, register))
                }
                Operand::Constant(index) if same(proto.constants[index]) => match proto.constants[index] {
                    Value::Str(text) => Some(Named::new("constant", text.bytes())),
                    _ => None,
                },
                _ => None,
            })
            .flatten(),
    };
    match named {
        Some(named) => [b" (", named.kind.as_bytes(), b" '", &named.name, b"')"].concat(),
        None => Vec::new(),
    }
}

fn upvalue_if(proto: &Proto, index: usize) -> Option<Named> {
    Named::new("upvalue", proto.upvalues[index].shown())
}

enum Operand {
    Register(usize),
    Constant(usize),
}

/// The operands of an instruction whose types can be wrong.
fn operands(instr: Instr) -> [Option<Operand>; 2] {
    let register = |register: usize| Some(Operand::Register(register));
    let (a, b, c) = (usize::from(instr.a), usize::from(instr.b), instr.c as usize);
    match instr.op {
        Op::GetTable | Op::GetInt | Op::GetField | Op::Method => [register(b), None],
        Op::SetTable | Op::SetInt | Op::SetField => [register(a), None],
        Op::Neg | Op::BNot | Op::Len | Op::AddInt | Op::SubInt => [register(b), None],
        op if (Op::Add as u8..=Op::Shr as u8).contains(&(op as u8)) => [register(c), register(b)],
        op if (Op::AddK as u8..=Op::ShrK as u8).contains(&(op as u8)) => {
            [Some(Operand::Constant((instr.c & !FLIP) as usize)), register(b)]
        }
        Op::Call | Op::TailCall | Op::ForInCall => [register(a), None],
        _ => [None, None],
    }
}

fn type_error(vm: &Vm, value: Value, what: &str) -> Raised {
    let name = operand_name(vm, value);
    named_type_error(vm, value, what, &name)
}

fn named_type_error(vm: &Vm, value: Value, what: &str, name: &[u8]) -> Raised {
    let kind = type_name(vm, value);
    vm.error([b"attempt to ", what.as_bytes(), b" a ", &kind, b" value", name].concat())
}

/// `value[key]` of what has no elements.
#[cold]
pub fn not_indexable(vm: &Vm, value: Value) -> Raised {
    type_error(vm, value, "index")
}

/// An arithmetic operation on what is no number.
#[cold]
pub fn not_arithmetic(vm: &Vm, a: Value, b: Value) -> Raised {
    let culprit = if a.number().is_some() { b } else { a };
    // A text that is a number is not to blame.
    let culprit = if matches!(culprit, Value::Str(_)) && culprit.to_number().is_some() { b } else { culprit };
    type_error(vm, culprit, "perform arithmetic on")
}

/// A bitwise operation on what is no integer.
#[cold]
pub fn not_bitwise(vm: &Vm, a: Value, b: Value) -> Raised {
    if a.number().is_some() && b.number().is_some() {
        let culprit = if a.to_int().is_some() { b } else { a };
        let name = operand_name(vm, culprit);
        return vm.error([b"number".as_slice(), &name, b" has no integer representation"].concat());
    }
    let culprit = if a.number().is_some() { b } else { a };
    type_error(vm, culprit, "perform bitwise operation on")
}

/// `..` of what is no text.
#[cold]
pub fn not_concatenable(vm: &Vm, a: Value, b: Value) -> Raised {
    let culprit = if matches!(a, Value::Str(_) | Value::Int(_) | Value::Float(_)) { b } else { a };
    let thread = vm.thread();
    let frame = thread.frames.last();
    let name = frame.code.and_then(|code| {
        let pc = (frame.pc.get().0 as usize).checked_sub(1)?;
        let instr = code.code.get(pc).copied().filter(|instr| instr.op == Op::Concat)?;
        let first = usize::from(instr.a);
        let registers = first..first + usize::from(instr.b);
        let is_culprit = |register: &usize| {
            let value = frame.base.at(*register);
            value.type_index() == culprit.type_index() && value.raw_equal(culprit)
        };
        let last = registers.end - 1;
        let found = registers.rev().find(is_culprit)?;
        // Of two that are none, the first is to blame.
        let found =
            if found == last && found > first && is_culprit(&(found - 1)) { found - 1 } else { found };
        let named = register_name(code, pc, found)?;
        Some([b" (", named.kind.as_bytes(), b" '", &named.name, b"')"].concat())
    });
    named_type_error(vm, culprit, "concatenate", &name.unwrap_or_default())
}

/// `#` of what has no length.
#[cold]
pub fn no_length(vm: &Vm, value: Value) -> Raised {
    type_error(vm, value, "get length of")
}

/// A comparison of what has no order.
#[cold]
pub fn not_comparable(vm: &Vm, a: Value, b: Value) -> Raised {
    let (a, b) = (type_name(vm, a), type_name(vm, b));
    if a == b {
        vm.error([b"attempt to compare two ".as_slice(), &a, b" values"].concat())
    } else {
        vm.error([b"attempt to compare ".as_slice(), &a, b" with ", &b].concat())
    }
}

/// A call of what is no function.
#[cold]
#[jit::dont_look_inside]
pub fn not_callable(vm: &Vm, value: Value, place: Slot) -> Raised {
    let thread = vm.thread();
    let frame = thread.frames.last();
    let name = frame.code.and_then(|code| {
        let pc = (frame.pc.get().0 as usize).checked_sub(1)?;
        let instr = *code.code.get(pc)?;
        match instr.op {
            Op::Call | Op::TailCall if place == frame.base.up(usize::from(instr.a)) => {
                let named = register_name(code, pc, usize::from(instr.a))?;
                Some([b" (", named.kind.as_bytes(), b" '", &named.name, b"')"].concat())
            }
            Op::ForInCall => Some(b" (for iterator 'for iterator')".to_vec()),
            _ => metamethod_of(instr)
                .map(|event| [b" (metamethod '", event.trim_start_matches('_').as_bytes(), b"')"].concat()),
        }
    });
    named_type_error(vm, value, "call", &name.unwrap_or_default())
}

/// The metamethod that an instruction calls.
fn metamethod_of(instr: Instr) -> Option<&'static str> {
    let event = match instr.op {
        Op::GetTabUp | Op::GetTable | Op::GetInt | Op::GetField | Op::Method => Event::Index,
        Op::SetTabUp | Op::SetTable | Op::SetInt | Op::SetField => Event::NewIndex,
        Op::AddInt => Event::Add,
        Op::SubInt => Event::Sub,
        Op::Neg => Event::Neg,
        Op::BNot => Event::BNot,
        Op::Len => Event::Len,
        Op::Concat => Event::Concat,
        Op::JumpEq | Op::JumpNe => Event::Eq,
        Op::Close | Op::Return | Op::Return0 | Op::Return1 => Event::Close,
        op if (Op::Add as u8..=Op::ShrK as u8).contains(&(op as u8)) => Event::of(op),
        Op::JumpLt | Op::JumpNotLt | Op::JumpLtInt | Op::JumpNotLtInt | Op::JumpGtInt | Op::JumpNotGtInt => {
            Event::Lt
        }
        Op::JumpLe | Op::JumpNotLe | Op::JumpLeInt | Op::JumpNotLeInt | Op::JumpGeInt | Op::JumpNotGeInt => {
            Event::Le
        }
        _ => return None,
    };
    crate::meta::EVENTS.get(event as usize).copied()
}

/// What the function of a call is called, by the instruction of its caller.
pub fn function_name(thread: &Thread, index: usize) -> Option<Named> {
    let frame = thread.frames.get(index)?;
    if frame.has(crate::thread::TAIL) {
        return None;
    }
    let caller = thread.frames.get(index.checked_sub(1)?)?;
    if thread.hooks.is_at(index) {
        return Named::new("hook", b"?");
    }
    if caller.has(crate::thread::FINALIZER) {
        return Named::new("metamethod", b"__gc");
    }
    let code = caller.code.filter(|code| !code.is_hidden)?;
    let pc = (caller.pc.get().0 as usize).checked_sub(1)?;
    let instr = *code.code.get(pc)?;
    match instr.op {
        Op::Call | Op::TailCall => register_name(code, pc, usize::from(instr.a)),
        Op::ForInCall => Named::new("for iterator", b"for iterator"),
        Op::Hook => Named::new("hook", b"?"),
        _ => Named::new("metamethod", metamethod_of(instr)?.trim_start_matches('_').as_bytes()),
    }
}
