//! Hooks of `debug.sethook`: code that tells what it does.
//!
//! The loop knows nothing of hooks. While a thread has one, its calls run a copy of their code (`Code::hooked`) with an instruction
//! [`Op::Hook`] before each other one: what is at `i` in the code is at `2 * i + 1` in the copy. The thread's limit of calls is 0, so
//! that every call takes the slow way (`Vm::begin_slow`, `Vm::call_native_slow`), which chooses the copy or tells of a native function.
//!
//! Guarantees: a hook that is set or taken away counts from the next instruction of the function that did it on, and in its
//! callers when they go on; where it was done in a metamethod, from their next call on. Instructions that are counted are this
//! machine's, which are not as many as the reference's. While a hook runs, nothing is told.

use std::cell::Cell;

use metatrace::gc::{Gc, GcCell, HeapFull, Trace, Tracer};
use metatrace::jit;

use crate::function::{Code, Native, Proto};
use crate::op::{Instr, Op, Operand};
use crate::ops::calls::{Next, resume};
use crate::stack::running;
use crate::thread::{Pc, TAIL, Thread};
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

/// Tells of calls, returns, lines, and after a number of instructions.
pub const CALLS: u8 = 1;
pub const RETURNS: u8 = 2;
pub const LINES: u8 = 4;
const COUNT: u8 = 8;

/// The hook of a thread.
pub struct Hooks {
    function: GcCell<Value>,
    mask: Cell<u8>,
    /// Instructions between two calls of the hook, and how many are left.
    count: Cell<u32>,
    left: Cell<u32>,
    /// Whether there was none before: the native function that set it was called the fast way.
    is_new: Cell<bool>,
    /// While the hook runs: the number of calls below it.
    depth: Cell<Option<usize>>,
    /// Values that the call or return passes that is told of: the first by its number as a local variable, and how many.
    passed: Cell<(usize, usize)>,
}

impl Hooks {
    pub fn new() -> Hooks {
        Hooks {
            function: GcCell::new(Value::Nil),
            mask: Cell::new(0),
            count: Cell::new(0),
            left: Cell::new(0),
            is_new: Cell::new(false),
            depth: Cell::new(None),
            passed: Cell::new((0, 0)),
        }
    }

    pub fn trace(&self, tracer: &mut Tracer) {
        self.function.trace(tracer);
    }

    /// The function, what it is told of, and the number of instructions; nothing if there is no hook.
    pub fn get(&self) -> Option<(Value, u8, u32)> {
        (self.mask.get() != 0).then(|| (self.function.get(), self.mask.get(), self.count.get()))
    }

    /// Whether the hook runs.
    pub fn is_running(&self) -> bool {
        self.depth.get().is_some()
    }

    /// Whether the call at this depth is that of the hook.
    pub fn is_at(&self, index: usize) -> bool {
        self.depth.get() == Some(index)
    }

    /// What is passed, if the hook runs above the call at this depth.
    pub fn passed(&self, index: usize) -> (usize, usize) {
        if self.is_at(index + 1) { self.passed.get() } else { (0, 0) }
    }

    /// Whether calls are to be told of, or to run code that tells.
    fn tells(&self) -> bool {
        self.mask.get() != 0 && !self.is_running()
    }

    fn wants(&self, what: u8) -> bool {
        self.tells() && self.mask.get() & what != 0
    }
}

/// Sets the hook of a thread; nothing to be told of takes it away.
///
/// # Errors
/// If memory is exhausted.
pub fn set(vm: &Vm, thread: &Thread, function: Value, mask: u8, count: u32) -> Result<()> {
    let hooks = &thread.hooks;
    let mask = mask | if count > 0 { COUNT } else { 0 };
    vm.hooks_used.set(true);
    if mask != 0 {
        // All copies exist before anything changes.
        for index in 0..thread.frames.depth() {
            if let Some(Value::Function(function)) = thread
                .frames
                .get(index)
                .filter(|frame| frame.code.is_some() && !frame.is_hidden())
                .map(|frame| frame.function())
            {
                function.code.hooked()?;
            }
        }
    }
    for index in 0..thread.frames.depth() {
        let Some(frame) = thread.frames.get(index) else { break };
        let (Some(code), Value::Function(function)) = (frame.code, frame.function()) else { continue };
        let plain = running(function.code);
        if plain.is_hidden {
            continue;
        }
        let is_plain = std::ptr::eq::<Proto>(&**code, &**plain);
        let pc = frame.pc.get().0;
        if mask != 0 && is_plain {
            thread.frames.exchange_code(index, running(function.code.hooked()?), pc * 2);
        } else if mask == 0 && !is_plain {
            thread.frames.exchange_code(index, plain, pc / 2);
        }
    }
    hooks.is_new.set(hooks.mask.get() == 0);
    hooks.function.set(if mask == 0 { Value::Nil } else { function });
    hooks.mask.set(mask);
    hooks.count.set(count);
    hooks.left.set(count);
    thread.frames.limit_calls(mask == 0);
    Ok(())
}

/// The code that a call runs.
///
/// # Errors
/// If memory is exhausted.
pub fn chosen(thread: &Thread, code: Gc<Code>) -> std::result::Result<Gc<Code>, HeapFull> {
    if thread.hooks.tells() && !code.traced().is_hidden { code.hooked() } else { Ok(code) }
}

/// The copy of code that tells what it does.
pub fn copy(proto: &Proto) -> Proto {
    let mut code = Vec::with_capacity(proto.code.len() * 2);
    for instr in &proto.code {
        let mut instr = *instr;
        if instr.op.operands()[2] == Operand::Target {
            instr.c *= 2;
        } else if instr.op == Op::FalseSkip {
            instr.c += 1;
        }
        code.extend([Instr::new(Op::Hook, 0, 0, 0), instr]);
    }
    let locals = proto.locals.iter().cloned().map(|mut local| {
        (local.start, local.end) = (local.start * 2, local.end.saturating_mul(2));
        local
    });
    Proto {
        code: code.into(),
        constants: proto.constants.clone(),
        caches: proto.caches.iter().map(|_| crate::function::Cache::new()).collect(),
        functions: proto.functions.clone(),
        upvalues: proto.upvalues.clone(),
        is_hidden: proto.is_hidden,
        params: proto.params,
        is_vararg: proto.is_vararg,
        registers: proto.registers,
        lines: proto.lines.iter().flat_map(|line| [*line, *line]).collect(),
        locals: locals.collect(),
        source: std::rc::Rc::clone(&proto.source),
        first_line: proto.first_line,
        last_line: proto.last_line,
    }
}

/// `Hook`: tells of the instruction behind it, and that the function begins or ends with it.
#[inline(never)]
#[jit::dont_look_inside]
pub fn tell(vm: &Vm, pc: usize) -> Result<Next> {
    let thread = vm.thread();
    let frame = thread.frames.last();
    let before = frame.pc.replace(Pc(pc as u32)).0 as usize;
    let (hooks, Some(code)) = (&thread.as_ref().hooks, frame.code) else { return Ok(resume(vm)) };
    // The instruction before this one in the same call.
    let last = before.checked_sub(1).map(|last| last / 2);
    let at = pc / 2;
    if last.is_none() && hooks.wants(CALLS) {
        let event = if frame.has(TAIL) { "tail call" } else { "call" };
        fire(vm, event, None, (1, usize::from(code.params)))?;
    }
    if hooks.wants(COUNT) {
        hooks.left.set(hooks.left.get() - 1);
        if hooks.left.get() == 0 {
            hooks.left.set(hooks.count.get());
            fire(vm, "count", None, (0, 0))?;
        }
    }
    // Without lines, as from a binary chunk, all are as one.
    let line_of = |at: usize| code.lines.get(2 * at).copied();
    let line = line_of(at);
    if hooks.wants(LINES) && last.is_none_or(|last| at <= last || line_of(last) != line) {
        fire(vm, "line", line, (0, 0))?;
    }
    let instr = code.code[2 * at + 1];
    if matches!(instr.op, Op::Return | Op::Return0 | Op::Return1) && hooks.wants(RETURNS) {
        let first = frame.base.up(usize::from(instr.a));
        let count = match instr.op {
            Op::Return0 => 0,
            Op::Return1 => 1,
            _ if instr.b == 0 => thread.top.get().above(first),
            _ => usize::from(instr.b) - 1,
        };
        fire(vm, "return", None, (usize::from(instr.a) + 1, count))?;
    }
    // The hook may have been changed, and with it the code.
    Ok(resume(vm))
}

/// Calls a native function whose call is begun, and tells of it.
///
/// # Errors
/// If the function raises one, or the hook.
pub fn call_native(vm: &Vm, native: Gc<Native>, call: crate::call::Call<'_>) -> Result<usize> {
    let thread = vm.thread();
    if thread.hooks.wants(CALLS) {
        fire(vm, "call", None, (1, call.count))?;
    }
    let found = (native.as_ref().function)(call)?;
    if !thread.hooks.wants(RETURNS) {
        return Ok(found);
    }
    // The results make room for the function, so that they are what the hook sees as local variables.
    let place = call.place;
    place.up(1).copy_from(place, found);
    place.set(Value::Native(native));
    let limit = &thread.frames.last().limit;
    limit.set(limit.get().max(place.up(found + 1)));
    fire(vm, "return", None, (1, found))?;
    place.copy_from(place.up(1), found);
    Ok(found)
}

/// Tells of the return of the function that has set a hook where none was.
///
/// # Errors
/// If the hook raises one.
pub fn tell_of_setting(vm: &Vm) -> Result<()> {
    let thread = vm.thread();
    if thread.hooks.is_new.get() && thread.hooks.wants(RETURNS) {
        fire(vm, "return", None, (1, 0))?;
    }
    Ok(())
}

fn fire(vm: &Vm, event: &str, line: Option<u32>, passed: (usize, usize)) -> Result<()> {
    let thread = vm.thread();
    let hooks = &thread.as_ref().hooks;
    let event = vm.string(event.as_bytes())?;
    hooks.depth.set(Some(thread.frames.depth()));
    hooks.passed.set(passed);
    // What instructions have left up to the top stays.
    let top = thread.top.get();
    let place = vm.scratch().max(top);
    let limit = thread.frames.last().limit.replace(place);
    let depth = thread.frames.depth();
    let line = line.map_or(Value::Nil, |line| Value::Int(i64::from(line)));
    let result = vm.call_from(place, hooks.function.get(), &[event, line], 0);
    hooks.depth.set(None);
    if result.is_ok() {
        debug_assert_eq!(depth, thread.frames.depth());
        thread.frames.last().limit.set(limit);
        thread.top.set(top);
    }
    result.map(drop)
}
