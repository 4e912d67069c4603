//! Calls, returns, closures and variables that are closed.

use metatrace::gc::{Array, Gc};
use metatrace::jit;

use crate::call::{Call, MOST_MOVED, Wanted};
use crate::function::{Function, Known, Proto, Upvalue};
use crate::meta::Event;
use crate::op::{Instr, Op};
use crate::stack::{Slot, running};
use crate::thread::{DECIDES, FRESH, PROTECTED, Running, TAIL};
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

/// Where execution goes on.
pub type Next = (usize, Running, Slot);

/// What an operation that may call a metamethod leads to.
pub enum Step {
    /// It is done.
    Done,
    /// A call has begun that does it.
    Begun(Next),
}

/// What a comparison leads to.
pub enum Test {
    Holds(bool),
    /// A call has begun whose result decides.
    Begun(Next),
}

/// What follows a return.
pub enum After {
    Go(Next),
    /// The native function that runs the code returns.
    Leave,
}

/// The function whose registers these are.
#[inline(always)]
pub fn current(base: Slot) -> Gc<Function> {
    match base.down(1).get() {
        Value::Function(function) => function,
        _ => unreachable!("the function lies below its registers"),
    }
}

/// An upvalue of the function that runs.
#[inline(always)]
pub fn upvalue(base: Slot, index: usize) -> Gc<Upvalue> {
    current(base).as_ref().upvalues.as_ref()[index].get()
}

/// How many arguments an instruction passes.
#[inline(always)]
fn arguments(vm: &Vm, place: Slot, instr: Instr) -> usize {
    if instr.b == 0 { few(vm.thread().take_top().above(place) - 1) } else { usize::from(instr.b) - 1 }
}

/// A number of values, which a trace makes a constant if they are few.
#[inline(always)]
pub fn few(count: usize) -> usize {
    if jit::we_are_jitted() && count < MOST_MOVED { jit::promote(count) } else { count }
}

/// Begins a call of a metamethod that is a function of the language, with its arguments above the registers.
#[inline(always)]
#[jit::unroll_safe]
pub fn begin_method<const N: usize>(
    vm: &Vm,
    proto: Running,
    base: Slot,
    function: Gc<Function>,
    arguments: [Value; N],
    wanted: Wanted,
) -> Result<Next> {
    // What is behind the registers is in use between an instruction that leaves any number of values and the one that takes
    // them only.
    let place = base.up(usize::from(proto.registers));
    place.set(Value::Function(function));
    for (index, argument) in arguments.into_iter().enumerate() {
        place.put(index + 1, argument);
    }
    let (code, base) = vm.begin_for(function, place, N, wanted)?;
    Ok((0, code, base))
}

/// Begins a call of a metamethod whose result goes to a register.
#[inline(always)]
pub fn begin_for_register<const N: usize>(
    vm: &Vm,
    proto: Running,
    base: Slot,
    a: usize,
    function: Gc<Function>,
    arguments: [Value; N],
) -> Result<Step> {
    let wanted = Wanted { results: base.up(a), want: 1, flags: 0 };
    Ok(Step::Begun(begin_method(vm, proto, base, function, arguments, wanted)?))
}

/// Begins a call of a metamethod whose result decides a comparison.
#[inline(always)]
pub fn begin_test(
    vm: &Vm,
    proto: Running,
    base: Slot,
    function: Gc<Function>,
    arguments: [Value; 2],
) -> Result<Test> {
    let wanted = Wanted { results: base.up(usize::from(proto.registers)), want: 1, flags: DECIDES };
    Ok(Test::Begun(begin_method(vm, proto, base, function, arguments, wanted)?))
}

/// `R[a](…)`.
#[inline(always)]
pub fn call(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Next> {
    vm.save_pc(pc);
    let place = base.up(usize::from(instr.a));
    let count = arguments(vm, place, instr);
    let want = instr.c as i32 - 1;
    match place.get() {
        Value::Function(function) => {
            let (code, base) = vm.begin(function, place, count, want, 0)?;
            Ok((0, code, base))
        }
        Value::Native(native) if native.known != Known::Pcall => {
            let known = jit::promote(native.known as u8);
            if known >= Known::Leaf as u8 && !vm.hooks_used.get() {
                let call = Call { vm, place, count, want, has_frame: false };
                if let Ok(found) = (native.as_ref().leaf)(&call) {
                    vm.finish(place, found, want);
                    return Ok((pc, proto, base));
                }
            }
            vm.call_native(native, place, count, want)?;
            Ok(if vm.hooks_used.get() { resume(vm) } else { (pc, proto, base) })
        }
        _ => call_other(vm, pc, proto, base, place, count, want),
    }
}

#[inline(never)]
fn call_other(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    place: Slot,
    count: usize,
    want: i32,
) -> Result<Next> {
    let (function, count) = vm.callable(place, count)?;
    match function {
        Value::Function(function) => {
            let (code, base) = vm.begin(function, place, count, want, 0)?;
            Ok((0, code, base))
        }
        // With a hook it is called as others are, and told of.
        Value::Native(native)
            if native.known == Known::Pcall && count > 0 && vm.thread().hooks.get().is_none() =>
        {
            vm.begin_protected(place, count, want)?;
            match vm.callable(place.up(1), count - 1)? {
                (Value::Function(function), count) => {
                    let (code, base) = vm.begin(function, place.up(1), count, -1, 0)?;
                    Ok((0, code, base))
                }
                (Value::Native(native), count) => {
                    vm.call_native_protected(native, place.up(1), count)?;
                    vm.end_protected();
                    Ok(resume(vm))
                }
                _ => Ok((pc, proto, base)),
            }
        }
        Value::Native(native) => {
            match native.known {
                Known::Pcall => vm.call_at(place, count, want)?,
                _ => vm.call_native(native, place, count, want)?,
            };
            Ok(resume(vm))
        }
        _ => Ok((pc, proto, base)),
    }
}

/// Where the caller of a call that has ended goes on.
#[inline(always)]
pub fn resume(vm: &Vm) -> Next {
    let frames = &vm.thread().as_ref().frames;
    let frame = frames.last();
    match frame.code {
        Some(code) => (frame.pc.get().0 as usize, code, frame.base),
        None => resume_protected(vm),
    }
}

/// The caller is a `pcall`: its caller goes on.
#[inline(never)]
fn resume_protected(vm: &Vm) -> Next {
    loop {
        let frames = &vm.thread().as_ref().frames;
        let frame = frames.last();
        if let Some(code) = frame.code {
            return (frame.pc.get().0 as usize, code, frame.base);
        }
        debug_assert!(frame.has(PROTECTED));
        vm.end_protected();
    }
}

/// Returns from the function.
#[inline(always)]
pub fn give_back(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<After> {
    let first = base.up(usize::from(instr.a));
    let count = match instr.op {
        Op::Return0 => 0,
        Op::Return1 => 1,
        _ if instr.b == 0 => few(vm.thread().take_top().above(first)),
        _ => usize::from(instr.b) - 1,
    };
    if instr.c != 0 {
        close_before_return(vm, pc, base, first.up(count))?;
    }
    Ok(leave(vm, first, count))
}

/// Ends the call that runs, with results from `first` on.
#[inline(always)]
fn leave(vm: &Vm, first: Slot, count: usize) -> After {
    let holds = count > 0 && first.get().is_true();
    let flags = vm.end(first, count);
    if flags & (FRESH | DECIDES) == 0 {
        After::Go(resume(vm))
    } else if flags & FRESH != 0 {
        After::Leave
    } else {
        After::Go(decided(vm, holds))
    }
}

/// Where the caller goes on whose comparison a metamethod has decided.
#[inline(never)]
fn decided(vm: &Vm, holds: bool) -> Next {
    let (pc, code, base) = resume(vm);
    let code = jit::promote(code);
    let pc = jit::promote(pc);
    let instr = code.instr(pc - 1);
    let is_negated = matches!(
        instr.op,
        Op::JumpNe
            | Op::JumpNotLt
            | Op::JumpNotLe
            | Op::JumpNotLtInt
            | Op::JumpNotLeInt
            | Op::JumpNotGtInt
            | Op::JumpNotGeInt
    );
    (if holds != is_negated { instr.c as usize } else { pc }, code, base)
}

#[inline(never)]
fn close_before_return(vm: &Vm, pc: usize, base: Slot, scratch: Slot) -> Result<()> {
    vm.save_pc(pc);
    let thread = vm.thread();
    if thread.as_ref().has_to_close(base) {
        close_variables(vm, base, scratch)?;
    }
    thread.as_ref().close_upvalues(base);
    Ok(())
}

#[inline(never)]
#[jit::dont_look_inside]
fn close_variables(vm: &Vm, base: Slot, scratch: Slot) -> Result<()> {
    let thread = vm.thread();
    let frame = thread.frames.last();
    let limit = frame.limit.get();
    frame.limit.set(limit.max(scratch));
    vm.close(base, None, Some(scratch))
}

/// `return R[a](…)`: the function that is called takes the place of this one.
#[inline(never)]
#[jit::unroll_safe]
pub fn tail_call(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<After> {
    vm.save_pc(pc);
    let place = base.up(usize::from(instr.a));
    let count = arguments(vm, place, instr);
    if instr.c != 0 {
        vm.thread().close_upvalues(base);
    }
    let (function, count) = vm.callable(place, count)?;
    match function {
        Value::Function(function) => {
            let thread = vm.thread();
            let frame = thread.frames.last();
            let mut wanted = Wanted { results: frame.results, want: frame.want, flags: frame.flags.get().0 };
            let to = if proto.is_vararg { frame.place() } else { base.down(1) };
            if count < MOST_MOVED {
                for index in 0..=count {
                    to.put(index, place.at(index));
                }
            } else {
                to.copy_from(place, count + 1);
            }
            thread.frames.pop();
            wanted.flags |= TAIL;
            match vm.begin_for(function, to, count, wanted) {
                Ok((code, base)) => Ok(After::Go((0, code, base))),
                Err(raised) => {
                    // The boundary of the loop must be found.
                    vm.restore_frame(to, wanted);
                    Err(raised)
                }
            }
        }
        Value::Native(native) => {
            let found = match native.known {
                Known::Pcall => vm.call_at(place, count, -1)?,
                _ => vm.call_native(native, place, count, -1)?,
            };
            Ok(leave(vm, place, found))
        }
        _ => Ok(After::Leave),
    }
}

/// Closes upvalues and variables from a place on.
#[inline(never)]
pub fn close(vm: &Vm, pc: usize, level: Slot) -> Result<()> {
    vm.save_pc(pc);
    let thread = vm.thread();
    if thread.as_ref().has_to_close(level) {
        return vm.close(level, None, None);
    }
    thread.as_ref().close_upvalues(level);
    Ok(())
}

/// The variable at a place is to be closed.
#[inline(always)]
pub fn to_close(vm: &Vm, pc: usize, place: Slot) -> Result<()> {
    if place.get().is_true() { to_close_value(vm, pc, place) } else { Ok(()) }
}

#[inline(never)]
#[jit::dont_look_inside]
fn to_close_value(vm: &Vm, pc: usize, place: Slot) -> Result<()> {
    vm.save_pc(pc);
    let value = place.get();
    if vm.metamethod(value, Event::Close).is_nil() {
        let frame = vm.thread();
        let frame = frame.frames.last();
        let name = frame.code.and_then(|code| {
            let register = place.above(frame.base);
            crate::error::local_name(code, register, pc)
                .map(|name| String::from_utf8_lossy(name).into_owned())
        });
        let name = name.unwrap_or_else(|| "(temporary)".into());
        return Err(vm.error(format!("variable '{name}' got a non-closable value")));
    }
    vm.thread().to_close.borrow_mut().push(place);
    Ok(())
}

/// `R[a]` = a closure.
#[inline(never)]
#[jit::unroll_safe]
pub fn closure(vm: &Vm, pc: usize, proto: &Proto, base: Slot, instr: Instr) -> Result<()> {
    vm.save_pc(pc);
    let code = proto.functions[instr.c as usize];
    let sources = &running(code).upvalues;
    let parent = current(base);
    let upvalues = if sources.is_empty() {
        vm.no_upvalues()
    } else {
        let array = Array::try_cells(sources.len(), vm.some_upvalue())?;
        for (cell, source) in array.as_ref().iter().zip(&**sources) {
            let index = usize::from(source.index);
            cell.set(if source.in_register {
                find_upvalue(vm, base.up(index))?
            } else {
                parent.as_ref().upvalues.as_ref()[index].get()
            });
        }
        array
    };
    let function = Gc::try_new(Function { code, upvalues })?;
    base.put(usize::from(instr.a), Value::Function(function));
    vm.safe_point();
    Ok(())
}

/// The open upvalue for a place, which is made if there is none.
#[inline(always)]
fn find_upvalue(vm: &Vm, slot: Slot) -> Result<Gc<Upvalue>> {
    let thread = vm.thread();
    let first = thread.as_ref().open.get();
    match first {
        Some(upvalue) if upvalue.as_ref().slot() == slot => Ok(upvalue),
        Some(upvalue) if upvalue.as_ref().slot() > slot => find_below(vm, slot),
        _ => {
            let made = Upvalue::open(slot, thread, first)?;
            thread.as_ref().open.set(Some(made));
            Ok(made)
        }
    }
}

/// The same where places above have open upvalues.
#[inline(never)]
#[jit::dont_look_inside]
fn find_below(vm: &Vm, slot: Slot) -> Result<Gc<Upvalue>> {
    let thread = vm.thread();
    let mut above: Option<Gc<Upvalue>> = None;
    let mut next = thread.open.get();
    while let Some(upvalue) = next
        && upvalue.slot() >= slot
    {
        if upvalue.slot() == slot {
            return Ok(upvalue);
        }
        above = Some(upvalue);
        next = upvalue.below.get();
    }
    let made = Upvalue::open(slot, thread, next)?;
    match above {
        Some(above) => above.below.set(Some(made)),
        None => thread.open.set(Some(made)),
    }
    Ok(made)
}

/// `R[a], … = ...`.
#[inline(never)]
#[jit::unroll_safe]
pub fn var_arg(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<()> {
    let thread = vm.thread();
    let frame = thread.frames.last();
    let extra = few(frame.extra as usize);
    let place = base.up(usize::from(instr.a));
    let count = if instr.b == 0 { extra } else { usize::from(instr.b) - 1 };
    if instr.b == 0 {
        let limit = place.up(count + 8);
        if limit > frame.limit.get() {
            vm.save_pc(pc);
            if !thread.has_room(limit) {
                return Err(vm.stack_overflow());
            }
            frame.limit.set(limit);
        }
        thread.top.set(place.up(count));
    }
    // The arguments lie before the function.
    let from = base.down(1 + extra);
    if count.min(extra) < MOST_MOVED {
        for index in 0..count.min(extra) {
            place.put(index, from.at(index));
        }
    } else {
        place.copy_from(from, count.min(extra));
    }
    for index in extra..count {
        place.put(index, Value::Nil);
    }
    Ok(())
}
