//! How functions are called, and how errors are caught.
//!
//! The function and its arguments lie on the stack; results take the place of the function and those behind it. Functions of the
//! language run in `execute`, without recursion of Rust but where a native function or a metamethod calls one. The frames that an error
//! has passed stay until it is caught, for messages and handlers.

use std::cell::Cell;

use metatrace::gc::{Array, Gc, GcCell};
use metatrace::jit;

use crate::execute::execute;
use crate::function::{Function, Known, Native, Proto, Upvalue};
use crate::meta::{self, Event};
use crate::ops::calls::few;
use crate::stack::{Slot, running};
use crate::thread::{FRESH, Flags, Frame, PROTECTED, Pc, Running};
use crate::value::Value;
use crate::vm::{Raised, Result, Vm};

metatrace::glue!();

/// What becomes of a call's results.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Where they go.
    pub results: Slot,
    /// How many; negative for all.
    pub want: i32,
    /// What is special about the call, see [`Flags`].
    pub flags: u32,
}

/// Nested calls of native functions that call back.
pub(crate) const MAX_NATIVE_CALLS: u32 = 197;
/// Arguments that are moved one by one in traces.
pub(crate) const MOST_MOVED: usize = 16;
/// Errors of a handler that it is called with in its turn.
const HANDLED: usize = 100;

impl Vm {
    /// The first place of the stack that nobody uses.
    #[inline(always)]
    pub(crate) fn scratch(&self) -> Slot {
        self.thread().frames.last().limit.get()
    }

    #[inline(always)]
    pub(crate) fn save_pc(&self, pc: usize) {
        self.thread().frames.last().pc.set(Pc(pc as u32));
    }

    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    pub(crate) fn stack_overflow(&self) -> Raised {
        self.error("stack overflow")
    }

    /// Begins a call of a function of the language, whose arguments lie behind it. The results take its place.
    #[inline(always)]
    pub(crate) fn begin(
        &self,
        function: Gc<Function>,
        place: Slot,
        count: usize,
        want: i32,
        flags: u32,
    ) -> Result<(Running, Slot)> {
        self.begin_for(function, place, count, Wanted { results: place, want, flags })
    }

    /// Begins a call of a function of the language, whose arguments lie behind it.
    #[inline(always)]
    #[jit::unroll_safe]
    pub(crate) fn begin_for(
        &self,
        function: Gc<Function>,
        place: Slot,
        count: usize,
        wanted: Wanted,
    ) -> Result<(Running, Slot)> {
        let code = jit::promote(running(function.as_ref().code));
        let limit = Self::limit_of(code, place, count);
        let thread = self.thread();
        if !thread.has_room(limit) || !thread.frames.is_fast() {
            return self.begin_slow(function, place, count, wanted);
        }
        Ok(self.push_call(code, place, count, wanted))
    }

    /// Begins a call where there is little room, or which a hook is to be told of.
    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    fn begin_slow(
        &self,
        function: Gc<Function>,
        place: Slot,
        count: usize,
        wanted: Wanted,
    ) -> Result<(Running, Slot)> {
        self.check_overflow(Self::limit_of(running(function.code), place, count))?;
        let code = running(crate::hook::chosen(&self.thread(), function.code)?);
        Ok(self.push_call(code, place, count, wanted))
    }

    /// Behind the registers of a call of this code.
    #[inline(always)]
    fn limit_of(code: Running, place: Slot, count: usize) -> Slot {
        let proto: &Proto = code;
        let before = if proto.is_vararg { count.max(usize::from(proto.params)) + 2 } else { 1 };
        place.up(before + usize::from(proto.registers))
    }

    /// Begins a call for which there is room.
    #[inline(always)]
    #[jit::unroll_safe]
    fn push_call(&self, code: Running, place: Slot, count: usize, wanted: Wanted) -> (Running, Slot) {
        let thread = self.thread();
        let proto: &Proto = code;
        let params = usize::from(proto.params);
        let mut base = place.up(1);
        let mut extra = 0;
        if proto.is_vararg {
            extra = count.saturating_sub(params);
            base = place.up(count.max(params) + 2);
        }
        let limit = base.up(usize::from(proto.registers));
        if proto.is_vararg {
            base.down(1).set(place.get());
            for index in 0..params {
                let value = if index < count { place.at(index + 1) } else { Value::Nil };
                base.put(index, value);
                if index < count {
                    place.put(index + 1, Value::Nil);
                }
            }
        } else {
            for index in count..params {
                base.put(index, Value::Nil);
            }
        }
        thread.frames.push(Frame {
            base,
            results: wanted.results,
            limit: Cell::new(limit),
            code: Some(code),
            pc: Cell::new(Pc(0)),
            want: wanted.want,
            extra: extra as u32,
            flags: Cell::new(Flags(wanted.flags)),
        });
        (code, base)
    }

    /// An error, unless one is being handled and there is room for that.
    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    pub(crate) fn check_overflow(&self, limit: Slot) -> Result<()> {
        let thread = self.thread();
        if thread.has_room(limit) && thread.frames.has_room(false) {
            return Ok(());
        }
        let top = thread.frames.last().limit.get();
        let handles = !thread.has_room(top) || thread.frames.depth() > crate::stack::MAX_FRAMES;
        if handles
            && thread.frames.has_room(true)
            && limit <= thread.values.up(crate::stack::MAX_VALUES + 60_000)
        {
            return Ok(());
        }
        Err(self.stack_overflow())
    }

    /// Calls a native function; how many results there are.
    #[inline(always)]
    pub(crate) fn call_native(
        &self,
        native: Gc<Native>,
        place: Slot,
        count: usize,
        want: i32,
    ) -> Result<usize> {
        let thread = self.thread();
        let base = place.up(1);
        let limit = base.up(count);
        if !thread.has_room(limit.up(64)) || !thread.frames.is_fast() {
            return self.call_native_slow(native, place, count, want);
        }
        self.push_native(place, count, want);
        let found = self.invoke(native, place, count, want)?;
        thread.frames.pop();
        self.finish(place, found, want);
        Ok(found)
    }

    /// Calls a native function where there is little room, or which a hook is to be told of.
    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    fn call_native_slow(&self, native: Gc<Native>, place: Slot, count: usize, want: i32) -> Result<usize> {
        self.check_overflow(place.up(1 + count + 64))?;
        self.push_native(place, count, want);
        let found =
            crate::hook::call_native(self, native, Call { vm: self, place, count, want, has_frame: true })?;
        self.thread().frames.pop();
        self.finish(place, found, want);
        Ok(found)
    }

    #[inline(always)]
    fn push_native(&self, place: Slot, count: usize, want: i32) {
        let base = place.up(1);
        self.thread().frames.push(Frame {
            base,
            results: place,
            limit: Cell::new(base.up(count)),
            code: None,
            pc: Cell::new(Pc(0)),
            want,
            extra: 0,
            flags: Cell::new(Flags(0)),
        });
    }

    #[inline(always)]
    #[jit::dont_look_inside]
    fn invoke(&self, native: Gc<Native>, place: Slot, count: usize, want: i32) -> Result<usize> {
        (native.as_ref().function)(Call { vm: self, place, count, want, has_frame: true })
    }

    /// Has the results of a call be as many as wanted.
    #[inline(always)]
    #[jit::unroll_safe]
    pub(crate) fn finish(&self, place: Slot, found: usize, want: i32) {
        if want < 0 {
            self.thread().top.set(place.up(found));
        } else {
            for index in found..want as usize {
                place.put(index, Value::Nil);
            }
        }
    }

    /// Ends the innermost call of a function of the language, with results from `first` on. What was special about the call.
    #[inline(always)]
    #[jit::unroll_safe]
    pub(crate) fn end(&self, first: Slot, count: usize) -> u32 {
        let frames = &self.thread().as_ref().frames;
        let frame = frames.last();
        let (results, want, flags) = (frame.results, frame.want, frame.flags.get().0);
        frames.pop();
        if want == 1 {
            results.set(if count > 0 { first.get() } else { Value::Nil });
        } else {
            let copied = if want < 0 { count } else { count.min(want as usize) };
            for index in 0..copied {
                results.put(index, first.at(index));
            }
            self.finish(results, copied, want);
        }
        flags
    }

    /// Begins a `pcall` whose function and arguments lie behind it: the call of the function follows.
    pub(crate) fn begin_protected(&self, place: Slot, count: usize, want: i32) -> Result<()> {
        let thread = self.thread();
        let limit = place.up(1 + count);
        if !thread.has_room(limit.up(64)) || !thread.frames.has_room(false) {
            self.check_overflow(limit.up(64))?;
        }
        let calls = self.native_calls.get();
        thread.frames.push(Frame {
            base: place.up(1),
            results: place,
            limit: Cell::new(limit),
            code: None,
            pc: Cell::new(Pc(0)),
            want,
            extra: calls,
            flags: Cell::new(Flags(PROTECTED)),
        });
        // It counts as a native call, as which the reference implementation makes it.
        self.native_calls.set(calls + 1);
        if calls >= MAX_NATIVE_CALLS {
            return self.native_overflow(calls + 1);
        }
        Ok(())
    }

    /// Ends a `pcall` whose function has returned, with its results up to the top.
    pub(crate) fn end_protected(&self) {
        let thread = self.thread();
        let frame = thread.frames.last();
        let (place, want) = (frame.results, frame.want);
        self.native_calls.set(frame.extra);
        thread.frames.pop();
        place.set(Value::True);
        let found = thread.top.get().above(place);
        self.finish(place, found, want);
    }

    /// Calls a native function that a `pcall` protects: the innermost frame is that of the `pcall`.
    pub(crate) fn call_native_protected(&self, native: Gc<Native>, place: Slot, count: usize) -> Result<()> {
        if native.known == Known::Pcall {
            self.call_at(place, count, -1)?;
        } else {
            self.call_native(native, place, count, -1)?;
        }
        Ok(())
    }

    /// Puts a frame back that another call was to take the place of.
    #[cold]
    #[jit::dont_look_inside]
    pub(crate) fn restore_frame(&self, place: Slot, wanted: Wanted) {
        self.thread().frames.push(Frame {
            base: place.up(1),
            results: wanted.results,
            limit: Cell::new(place.up(2)),
            code: None,
            pc: Cell::new(Pc(0)),
            want: wanted.want,
            extra: 0,
            flags: Cell::new(Flags(wanted.flags)),
        });
    }

    /// The upvalues of functions that have none.
    pub(crate) fn no_upvalues(&self) -> Gc<Array<GcCell<Gc<Upvalue>>>> {
        self.no_upvalues.get()
    }

    /// An upvalue of nobody.
    pub(crate) fn some_upvalue(&self) -> Gc<Upvalue> {
        self.some_upvalue.get()
    }

    /// Looks for a `pcall` in the loop that an error has reached: if there is one, its caller goes on with the results.
    #[cold]
    #[inline(never)]
    #[jit::dont_look_inside]
    pub(crate) fn catch(&self) -> Option<(usize, Running, Slot)> {
        let thread = self.thread();
        let frames = &thread.as_ref().frames;
        let mut depth = frames.depth();
        loop {
            let frame = frames.get(depth - 1)?;
            if frame.has(PROTECTED) {
                break;
            }
            if frame.has(FRESH) {
                // Whoever looks on from outside passes it.
                frame.flags.set(Flags(frame.flags.get().0 & !FRESH));
                return None;
            }
            depth -= 1;
        }
        let (place, want, calls) =
            frames.get(depth - 1).map(|frame| (frame.results, frame.want, frame.extra))?;
        self.native_calls.set(calls);
        let error = self.unwind(depth, place.up(1));
        thread.frames.truncate(depth - 1);
        place.set(Value::False);
        place.put(1, error);
        self.finish(place, 2, want);
        let caller = thread.frames.last();
        Some((caller.pc.get().0 as usize, caller.code?, caller.base))
    }

    /// Ends the calls beyond `depth` after an error: closes what has to be. Returns the error's value, or that of another one.
    #[jit::dont_look_inside]
    pub(crate) fn unwind(&self, depth: usize, level: Slot) -> Value {
        let thread = self.thread();
        let mut error = self.take_error();
        thread.frames.truncate(depth);
        loop {
            match self.close(level, Some(error), None) {
                Ok(()) => return error,
                Err(Raised) => {
                    thread.frames.truncate(depth);
                    error = self.take_error();
                }
            }
        }
    }

    /// Closes upvalues and variables from a place on. `scratch`: behind what has to stay, if that is not known from the frames.
    #[jit::dont_look_inside]
    pub(crate) fn close(&self, level: Slot, error: Option<Value>, scratch: Option<Slot>) -> Result<()> {
        let thread = self.thread();
        loop {
            let next = thread.to_close.borrow().last().copied();
            let Some(slot) = next.filter(|slot| *slot >= level) else { break };
            thread.to_close.borrow_mut().pop();
            thread.close_upvalues(slot.up(1));
            let value = slot.get();
            let method = self.metamethod(value, Event::Close);
            let above = scratch.unwrap_or(level).max(slot.up(1));
            self.call_from(self.scratch().max(above), method, &[value, error.unwrap_or(Value::Nil)], 0)?;
        }
        thread.close_upvalues(level);
        Ok(())
    }

    /// Calls whatever lies at `place` with the arguments behind it; how many results there are.
    #[jit::dont_look_inside]
    pub fn call_at(&self, place: Slot, count: usize, want: i32) -> Result<usize> {
        let (function, count) = self.callable(place, count)?;
        match function {
            Value::Native(native) => {
                self.enter_native_call()?;
                let found = self.call_native(native, place, count, want)?;
                self.native_calls.set(self.native_calls.get() - 1);
                Ok(if want < 0 { found } else { want as usize })
            }
            Value::Function(function) => {
                self.enter_native_call()?;
                let (code, base) = self.begin(function, place, count, want, FRESH)?;
                execute(0, code, base, self)?;
                self.native_calls.set(self.native_calls.get() - 1);
                Ok(if want < 0 { self.thread().top.get().above(place) } else { want as usize })
            }
            _ => Ok(0),
        }
    }

    #[inline(always)]
    fn enter_native_call(&self) -> Result<()> {
        let here = 0u8;
        let calls = self.native_calls.get() + 1;
        self.native_calls.set(calls);
        if calls > MAX_NATIVE_CALLS || (&raw const here as usize) < self.stack_limit.get() {
            return self.native_overflow(calls);
        }
        Ok(())
    }

    #[cold]
    #[jit::dont_look_inside]
    fn native_overflow(&self, calls: u32) -> Result<()> {
        let here = 0u8;
        // Some room is kept for handling the error.
        let deep = (&raw const here as usize) + (self.options.native_stack / 8) < self.stack_limit.get();
        if calls > MAX_NATIVE_CALLS + 1 && calls < MAX_NATIVE_CALLS + 25 && !deep {
            return Ok(());
        }
        Err(self.error("C stack overflow"))
    }

    pub(crate) fn native_calls(&self) -> u32 {
        self.native_calls.get()
    }

    pub(crate) fn set_native_calls(&self, calls: u32) {
        self.native_calls.set(calls);
    }

    /// What is called where a value is: values with `__call` become its first argument.
    #[inline(always)]
    pub(crate) fn callable(&self, place: Slot, count: usize) -> Result<(Value, usize)> {
        match place.get() {
            value @ (Value::Function(_) | Value::Native(_)) => Ok((value, count)),
            value => self.called_instead(value, place, count),
        }
    }

    /// The function that is called for a value that is none.
    #[inline(never)]
    #[jit::unroll_safe]
    fn called_instead(&self, value: Value, place: Slot, count: usize) -> Result<(Value, usize)> {
        if jit::we_are_jitted()
            && let method = meta::traced_method(self, value, Event::Call)
            && let Value::Function(_) = method
            && count < MOST_MOVED
            && self.thread().has_room(place.up(count + 64))
        {
            let count = jit::promote(count);
            for index in 0..=count {
                place.put(count + 1 - index, place.at(count - index));
            }
            place.set(method);
            return Ok((method, count + 1));
        }
        self.callable_slow(place, count)
    }

    #[inline(never)]
    #[jit::dont_look_inside]
    fn callable_slow(&self, place: Slot, mut count: usize) -> Result<(Value, usize)> {
        loop {
            let value = place.get();
            if let Value::Function(_) | Value::Native(_) = value {
                return Ok((value, count));
            }
            let method = self.metamethod(value, Event::Call);
            if method.is_nil() || count > 200_000 {
                return Err(crate::error::not_callable(self, value, place));
            }
            place.up(1).copy_from(place, count + 1);
            place.set(method);
            count += 1;
            if !self.thread().has_room(place.up(count + 64)) {
                return Err(self.stack_overflow());
            }
        }
    }

    /// Calls a function from a place on that is free; where the results are.
    pub(crate) fn call_from(&self, place: Slot, function: Value, args: &[Value], want: i32) -> Result<usize> {
        if !self.thread().has_room(place.up(args.len() + 64)) {
            self.check_overflow(place.up(args.len() + 64))?;
        }
        place.set(function);
        for (index, arg) in args.iter().enumerate() {
            place.put(index + 1, *arg);
        }
        self.call_at(place, args.len(), want)
    }

    /// Calls a function for one result.
    ///
    /// # Errors
    /// If it raises one.
    pub fn call(&self, function: Value, args: &[Value]) -> Result<Value> {
        let place = self.scratch();
        self.call_from(place, function, args, 1)?;
        Ok(place.get())
    }

    /// Calls a function; an error is a result.
    pub fn protected<T>(&self, f: impl FnOnce() -> Result<T>) -> std::result::Result<T, Value> {
        let (depth, level, calls) = (self.thread().frames.depth(), self.scratch(), self.native_calls.get());
        f().map_err(|Raised| {
            self.native_calls.set(calls);
            self.unwind(depth, level)
        })
    }

    /// Calls a handler for the error that was raised, while the calls it passed are still there. The handler's result.
    #[jit::dont_look_inside]
    pub(crate) fn handle_error(&self, handler: Value, calls: u32) -> Value {
        let thread = self.thread();
        let depth = thread.frames.depth();
        for _ in 0..HANDLED {
            let error = self.take_error();
            // Native calls of the error's own are over.
            self.native_calls.set(calls.min(MAX_NATIVE_CALLS - 1));
            let place = self.scratch();
            if self.call_from(place, handler, &[error], 1).is_ok() {
                return place.get();
            }
            // Where even the room for handling errors is used up, there is no point in going on.
            let is_full =
                !thread.has_room(self.scratch()) || thread.frames.depth() >= crate::stack::MAX_FRAMES;
            thread.frames.truncate(depth);
            if is_full {
                break;
            }
        }
        self.string(b"error in error handling").unwrap_or(Value::Str(self.no_memory.get()))
    }
}

/// A call of a native function.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub vm: &'a Vm,
    /// Where the function is; the arguments are behind it.
    pub place: Slot,
    /// The number of arguments.
    pub count: usize,
    /// The number of results that are looked at; negative for all.
    pub(crate) want: i32,
    /// Whether there is a frame for it, which errors and calls of others need.
    pub(crate) has_frame: bool,
}

impl Call<'_> {
    pub fn function(&self) -> Value {
        self.place.get()
    }

    /// An upvalue of the function.
    pub fn upvalue(&self, index: usize) -> Value {
        match self.function() {
            Value::Native(native) => native.upvalues[index].get(),
            _ => Value::Nil,
        }
    }

    pub fn set_upvalue(&self, index: usize, value: Value) {
        if let Value::Native(native) = self.function() {
            native.upvalues[index].set(value);
        }
    }

    /// An argument, counted from 0; nil if there are fewer.
    #[inline(always)]
    pub fn arg(&self, index: usize) -> Value {
        if index < self.count { self.place.at(index + 1) } else { Value::Nil }
    }

    /// Returns one value.
    #[inline(always)]
    pub fn one(&self, value: Value) -> Result<usize> {
        self.place.set(value);
        Ok(1)
    }

    /// Returns the arguments from one on.
    #[inline(always)]
    #[jit::unroll_safe]
    pub(crate) fn arguments_from(&self, first: usize) -> Result<usize> {
        let count = few(self.count - first);
        if count < MOST_MOVED {
            for index in 0..count {
                self.place.put(index, self.place.at(first + 1 + index));
            }
        } else {
            self.place.copy_from(self.place.up(first + 1), count);
        }
        Ok(count)
    }

    /// Raises, unless there is a frame: then it is called again with one.
    #[inline(always)]
    pub(crate) fn needs_frame(&self) -> Result<()> {
        if self.has_frame { Ok(()) } else { Err(Raised) }
    }

    /// Returns a string.
    #[inline]
    pub fn text(&self, bytes: &[u8]) -> Result<usize> {
        let value = self.vm.string(bytes)?;
        self.one(value)
    }

    /// Returns values.
    #[inline]
    pub fn many(&self, values: &[Value]) -> Result<usize> {
        for (index, value) in values.iter().enumerate() {
            self.place.put(index, *value);
        }
        Ok(values.len())
    }

    /// Makes sure that there is room for that many results, and keeps others off it.
    pub fn reserve(&self, count: usize) -> bool {
        let limit = self.place.up(count + 1);
        if count > crate::stack::MAX_VALUES || !self.vm.thread().has_room(limit.up(64)) {
            return false;
        }
        let frame = self.vm.thread();
        let frame = frame.frames.last();
        frame.limit.set(frame.limit.get().max(limit));
        true
    }
}
