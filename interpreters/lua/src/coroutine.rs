//! Coroutines: each has a native stack of its own, so that it can stop anywhere.
//!
//! In: a thread and what it is to call. Values pass on the threads' stacks of values: whoever resumes puts them where the
//! coroutine goes on, whoever yields leaves them there. The collector is told which native stack is in use, and finds the part in
//! use of the others by the threads they belong to (`Thread::native`); what lies below a stack pointer by less than [`MARGIN`] bytes counts
//! as used, for the registers that a switch saves there.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use corosensei::stack::{DefaultStack, Stack};
use corosensei::{CoroutineResult, Yielder};
use metatrace::NativeStack;
use metatrace::gc::Gc;

use crate::stack::Slot;
use crate::thread::{Frame, Status, Thread};
use crate::value::Value;
use crate::vm::{Raised, Result, Vm, with_current};

metatrace::glue!();

type Inner = corosensei::Coroutine<(), (), std::result::Result<usize, Raised>, DefaultStack>;

/// A native stack, and what the JIT keeps of it.
struct Native {
    inner: Option<Inner>,
    jit: NativeStack,
}

impl Native {
    fn resume(&mut self) -> Option<CoroutineResult<(), std::result::Result<usize, Raised>>> {
        let inner = self.inner.as_mut()?;
        Some(self.jit.run(|| inner.resume(())))
    }

    /// Leaves all its frames; the stack is free again.
    fn into_stack(mut self) -> Option<DefaultStack> {
        self.unwind();
        self.inner.take().map(Inner::into_stack)
    }

    fn unwind(&mut self) {
        if let Some(inner) = &mut self.inner
            && !inner.done()
        {
            self.jit.run(|| inner.force_unwind());
        }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        self.unwind();
    }
}

/// Bytes of a coroutine's native stack.
const STACK: usize = if cfg!(debug_assertions) { 4 << 20 } else { 1 << 20 };
/// Bytes of it that are kept for what does not look whether there is room.
const RESERVE: usize = if cfg!(debug_assertions) { 3 << 20 } else { 512 << 10 };
const MARGIN: usize = 1024;
/// Native stacks that are kept for later.
const KEPT: usize = 64;

/// Native stacks to be used again, and coroutines that are dead without having ended.
#[derive(Default)]
pub struct Stacks {
    free: RefCell<Vec<DefaultStack>>,
    abandoned: RefCell<Vec<Box<Native>>>,
}

impl Stacks {
    fn take(&self) -> std::io::Result<DefaultStack> {
        while let Some(native) = self.abandoned.borrow_mut().pop() {
            self.give_back(native);
        }
        match self.free.borrow_mut().pop() {
            Some(stack) => Ok(stack),
            None => DefaultStack::new(STACK),
        }
    }

    fn give_back(&self, native: Box<Native>) {
        let Some(stack) = native.into_stack() else { return };
        let mut free = self.free.borrow_mut();
        if free.len() < KEPT {
            free.push(stack);
        }
    }
}

/// The native side of a coroutine.
pub struct Coroutine {
    native: Option<Box<Native>>,
    yielder: Rc<Cell<*const Yielder<(), ()>>>,
    /// The addresses of its stack.
    low: usize,
    high: usize,
    /// Where values pass, and how many.
    place: Slot,
    count: usize,
    stacks: Rc<Stacks>,
}

impl Drop for Coroutine {
    fn drop(&mut self) {
        // Its frames are left at a time when that may run code.
        if let Some(native) = self.native.take()
            && native.inner.as_ref().is_some_and(|inner| !inner.done())
        {
            self.stacks.abandoned.borrow_mut().push(native);
        }
    }
}

/// An address on the stack that is in use.
#[inline(never)]
fn stack_pointer() -> usize {
    let here = 0u8;
    std::hint::black_box(&raw const here as usize)
}

/// A thread that will call a function when it is resumed.
pub fn create(vm: &Vm, function: Value) -> Result<Gc<Thread>> {
    let no_memory = || vm.raise(Value::Str(vm.no_memory.get()));
    let Some(thread) = Thread::new(&vm.pool, false)? else { return Err(no_memory()) };
    let stack = vm.stacks.take().map_err(|_| no_memory())?;
    let (high, low) = (stack.base().get(), stack.limit().get());
    let yielder = Rc::new(Cell::new(std::ptr::null()));
    let shown = Rc::clone(&yielder);
    let inner = Inner::with_stack(stack, move |yielder, ()| {
        shown.set(std::ptr::from_ref(yielder));
        with_current(|vm| {
            let thread = vm.thread();
            let (place, count) = transfer(thread);
            let result = vm.call_at(place, count, -1);
            if let (Ok(count), Some(coroutine)) = (result, &mut *thread.coroutine.borrow_mut()) {
                (coroutine.place, coroutine.count) = (place, count);
            }
            result
        })
    });
    // The thread's own outermost frame, and the function behind it.
    let before = vm.thread();
    vm.switch_to(thread);
    vm.base_frame();
    vm.switch_to(before);
    let place = thread.values.up(2);
    place.set(function);
    thread.top.set(place.up(1));
    thread.frames.last().limit.set(place.up(1));
    let stacks = Rc::clone(&vm.stacks);
    *thread.coroutine.borrow_mut() = Some(Box::new(Coroutine {
        native: Some(Box::new(Native { inner: Some(inner), jit: NativeStack::new() })),
        yielder,
        low,
        high,
        place,
        count: 0,
        stacks,
    }));
    Ok(thread)
}

fn transfer(thread: Gc<Thread>) -> (Slot, usize) {
    match &*thread.coroutine.borrow() {
        Some(coroutine) => (coroutine.place, coroutine.count),
        None => (thread.values, 0),
    }
}

/// Runs a coroutine until it yields or ends: where the values are that it gives, and how many. An error is its result.
pub fn resume(
    vm: &Vm,
    thread: Gc<Thread>,
    args: Slot,
    count: usize,
) -> std::result::Result<(Slot, usize), Value> {
    let message = |text: &str| vm.string(text.as_bytes()).unwrap_or(Value::Nil);
    match thread.status.get() {
        Status::Suspended => {}
        Status::Dead => return Err(message("cannot resume dead coroutine")),
        _ => return Err(message("cannot resume non-suspended coroutine")),
    }
    let resumer = vm.thread();
    let calls = vm.native_calls();
    let here = stack_pointer();
    if calls + 1 >= crate::call::MAX_NATIVE_CALLS || here < vm.stack_limit.get() {
        return Err(message("C stack overflow"));
    }
    let Some(mut native) = begin_resume(thread, args, count) else {
        return Err(message("stack overflow"));
    };
    let (low, high) = thread.coroutine.borrow().as_ref().map_or((0, 0), |made| (made.low, made.high));
    thread.status.set(Status::Running);
    resumer.status.set(Status::Normal);
    let limit = vm.stack_limit.replace(low + RESERVE);
    // SAFETY: the coroutine's stack is readable up to its highest address, and the one that is left from what is in use of it on.
    let end = unsafe { vm.heap.set_stack_end(high) };
    resumer.native.set((here - MARGIN, end));
    thread.native.set((0, 0));
    vm.switch_to(thread);
    vm.set_native_calls(calls + 1 + thread.native_calls.get());
    let result = native.resume();
    thread.native_calls.set(vm.native_calls().saturating_sub(calls + 1));
    vm.set_native_calls(calls);
    vm.switch_to(resumer);
    resumer.native.set((0, 0));
    // SAFETY: this stack is in use again.
    unsafe { vm.heap.set_stack_end(end) };
    vm.stack_limit.set(limit);
    resumer.status.set(Status::Running);
    match result {
        Some(CoroutineResult::Yield(())) => {
            thread.status.set(Status::Suspended);
            if let Some(coroutine) = &mut *thread.coroutine.borrow_mut() {
                coroutine.native = Some(native);
            }
            Ok(transfer(thread))
        }
        Some(CoroutineResult::Return(result)) => {
            thread.status.set(Status::Dead);
            thread.native.set((0, 0));
            vm.stacks.give_back(native);
            result.map(|_| transfer(thread)).map_err(|Raised| {
                let error = vm.take_error();
                thread.failure.set(Some(error));
                error
            })
        }
        // Its stack is taken while it runs, and runs only here.
        None => Err(message("cannot resume dead coroutine")),
    }
}

/// Puts the arguments where the coroutine goes on.
fn begin_resume(thread: Gc<Thread>, args: Slot, count: usize) -> Option<Box<Native>> {
    let mut coroutine = thread.coroutine.borrow_mut();
    let coroutine = coroutine.as_mut()?;
    let is_start = coroutine.yielder.get().is_null();
    let first = if is_start { coroutine.place.up(1) } else { coroutine.place };
    if !thread.has_room(first.up(count + 64)) {
        return None;
    }
    let limit = &thread.frames.last().limit;
    limit.set(limit.get().max(first.up(count)));
    first.copy_from(args, count);
    coroutine.count = count;
    coroutine.native.take()
}

/// Whether a coroutine may stop where it is: no native function in it waits for what it has called, but those that let that pass.
pub fn may_stop(thread: &Thread) -> bool {
    let frames = &thread.frames;
    // One that is dead runs only to be closed.
    !thread.is_main
        && thread.status.get() != Status::Dead
        && !thread.hooks.is_running()
        && (2..frames.depth()).all(|index| frames.get(index - 1).is_none_or(Frame::lets_stop))
}

/// Stops the coroutine that runs, with values at `place`; how many it is resumed with, at the same place.
pub fn stop(vm: &Vm, place: Slot, count: usize) -> usize {
    let thread = vm.thread();
    let (yielder, high) = match &mut *thread.coroutine.borrow_mut() {
        Some(coroutine) => {
            (coroutine.place, coroutine.count) = (place, count);
            (coroutine.yielder.get(), coroutine.high)
        }
        None => return 0,
    };
    thread.native.set((stack_pointer() - MARGIN, high));
    // SAFETY: the yielder belongs to the coroutine that runs on this stack, and lives as long as that.
    unsafe { (*yielder).suspend(()) };
    transfer(thread).1
}

/// Ends a coroutine that does not run: closes its variables. An error, be it the one that ended it, is its result.
pub fn close(vm: &Vm, thread: Gc<Thread>) -> std::result::Result<(), Value> {
    let native = thread.coroutine.borrow_mut().as_mut().and_then(|coroutine| coroutine.native.take());
    thread.status.set(Status::Dead);
    thread.native.set((0, 0));
    if let Some(native) = native {
        vm.stacks.give_back(native);
    }
    let current = vm.thread();
    let calls = vm.native_calls();
    vm.switch_to(thread);
    thread.frames.truncate(1);
    let level = thread.values.up(1);
    let mut last = thread.failure.replace(None);
    loop {
        match vm.close(level, last, None) {
            Ok(()) => break,
            Err(Raised) => {
                thread.frames.truncate(1);
                last = Some(vm.take_error());
            }
        }
    }
    vm.set_native_calls(calls);
    vm.switch_to(current);
    match last {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
