//! Threads of the language: a stack of values, the calls on it, and what has to be closed when they end.

use std::cell::{Cell, RefCell};

use metatrace::gc::{Gc, GcCell, HeapFull, Trace, Tracer};
use metatrace::{Traced, jit};

use crate::coroutine::Coroutine;
use crate::function::{Known, Proto, Upvalue};
use crate::hook::Hooks;
use crate::stack::{Frames, MAX_VALUES, Memory, Pool, Slot};
use crate::value::Value;

metatrace::glue!();

/// Code that runs.
pub type Running = &'static Traced<Proto>;

/// The instruction to go on with. A type of its own, so that traces know that nothing else changes with it.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Pc(pub u32);

/// What is special about a call: a set of the constants below.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Flags(pub u32);

/// A call.
pub struct Frame {
    /// The first register, or the first argument of a native function. The function is the place before.
    pub base: Slot,
    /// Where the results go.
    pub results: Slot,
    /// Behind what the call uses of the stack.
    pub limit: Cell<Slot>,
    /// The code; none of a native function.
    pub code: Option<Running>,
    /// The instruction to go on with.
    pub pc: Cell<Pc>,
    /// How many results are wanted; negative for all.
    pub want: i32,
    /// Arguments beyond the parameters: they lie before the function. Of a `pcall`: native calls when it began.
    pub extra: u32,
    pub flags: Cell<Flags>,
}

/// The native function that runs the code returns when this call does.
pub const FRESH: u32 = 1;
/// A `pcall` that the loop handles.
pub const PROTECTED: u32 = 2;
/// The function was called by a tail call.
pub const TAIL: u32 = 4;
/// Finalizers run in the middle of it.
pub const FINALIZER: u32 = 8;
/// It is a metamethod of a comparison: the caller jumps or not as the first result says.
pub const DECIDES: u32 = 16;

impl Frame {
    pub fn has(&self, flag: u32) -> bool {
        self.flags.get().0 & flag != 0
    }

    /// Whether it is a part of a library function, of which programs see nothing.
    pub fn is_hidden(&self) -> bool {
        self.code.is_some_and(|code| code.is_hidden)
    }

    /// Where the call's places on the stack begin: that of the function, before the arguments.
    pub fn place(&self) -> Slot {
        match self.code {
            Some(code) if code.is_vararg => {
                self.base.down(2 + self.extra as usize + usize::from(code.params))
            }
            _ => self.base.down(1),
        }
    }

    pub fn function(&self) -> Value {
        self.base.down(1).get()
    }

    /// Whether what the call waits for may stop the coroutine.
    pub fn lets_stop(&self) -> bool {
        match self.function() {
            _ if self.has(FINALIZER) => false,
            _ if self.code.is_some() || self.has(PROTECTED) => true,
            Value::Native(native) => matches!(native.known, Known::Pcall | Known::Through),
            _ => false,
        }
    }
}

/// What a coroutine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Suspended,
    Running,
    /// It has resumed another one.
    Normal,
    Dead,
}

/// Memory that is used again when the thread is gone.
struct Kept {
    memory: Option<Memory>,
    pool: Pool,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.pool.give_back(memory);
        }
    }
}

/// A thread.
pub struct Thread {
    memory: Kept,
    pub values: Slot,
    pub frames: Frames,
    /// Behind the last value, where instructions take or leave as many as there are.
    pub top: Cell<Slot>,
    pub open: GcCell<Option<Gc<Upvalue>>>,
    /// The places of variables that are to be closed.
    pub to_close: RefCell<Vec<Slot>>,
    pub status: Cell<Status>,
    pub coroutine: RefCell<Option<Box<Coroutine>>>,
    /// The part of its native stack that is in use while it does not run.
    pub native: Cell<(usize, usize)>,
    /// Native calls within it.
    pub native_calls: Cell<u32>,
    pub hooks: Hooks,
    /// The error that ended it, until it is closed.
    pub failure: GcCell<Option<Value>>,
    pub is_main: bool,
}

// SAFETY: what is on the stacks is visited in every collection: references on that of values, and all words of the native one.
unsafe impl Trace for Thread {
    const SHAPE: metatrace::gc::Shape = metatrace::gc::Shape::Traced;

    fn trace(&self, tracer: &mut Tracer) {
        self.open.trace(tracer);
        self.hooks.trace(tracer);
        self.failure.trace(tracer);
        if !tracer.is_marking() || self.memory.memory.is_none() {
            return;
        }
        tracer.rescan();
        let mut limit = self.top.get();
        if self.frames.depth() > 0 {
            limit = limit.max(self.frames.last().limit.get());
        }
        for index in 0..limit.above(self.values) {
            if let Some(reference) = self.values.up(index).reference() {
                // SAFETY: the word lies in the thread's memory.
                unsafe { tracer.area(reference..reference + size_of::<u64>()) };
            }
        }
        // SAFETY: the native stack is that of a coroutine that is suspended or has resumed another.
        unsafe {
            let (start, end) = self.native.get();
            tracer.area(start..end);
        }
    }
}

impl Thread {
    /// A thread without calls. Nothing if the system gives no memory for its stack.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn new(pool: &Pool, is_main: bool) -> Result<Option<Gc<Thread>>, HeapFull> {
        let Some(memory) = pool.take() else { return Ok(None) };
        let values = memory.values();
        let frames = Frames::new(&memory);
        let thread = Gc::try_new(Thread {
            memory: Kept { memory: Some(memory), pool: pool.clone() },
            values,
            frames,
            top: Cell::new(values),
            open: GcCell::new(None),
            to_close: RefCell::default(),
            status: Cell::new(if is_main { Status::Running } else { Status::Suspended }),
            coroutine: RefCell::new(None),
            native: Cell::new((0, 0)),
            native_calls: Cell::new(0),
            hooks: Hooks::new(),
            failure: GcCell::new(None),
            is_main,
        })?;
        Ok(Some(thread))
    }

    /// The top, for whoever takes what lies below it: nothing else does from there on, and what is left there is dead.
    #[inline(always)]
    pub fn take_top(&self) -> Slot {
        self.top.replace(self.values)
    }

    /// Whether the stack has room up to this place.
    #[inline(always)]
    pub fn has_room(&self, limit: Slot) -> bool {
        limit <= self.values.up(MAX_VALUES)
    }

    /// Whether there is a variable from a place on that is to be closed.
    #[inline(always)]
    pub fn has_to_close(&self, level: Slot) -> bool {
        self.to_close.borrow().last().is_some_and(|slot| *slot >= level)
    }

    /// Closes the upvalues from a place on.
    #[inline(always)]
    #[jit::unroll_safe]
    pub fn close_upvalues(&self, level: Slot) {
        while let Some(upvalue) = self.open.get()
            && upvalue.as_ref().slot() >= level
        {
            self.open.set(upvalue.as_ref().below.get());
            upvalue.as_ref().close();
        }
    }
}
