//! Functions: prototypes of code, closures with their upvalues, and functions of Rust.

use std::cell::Cell;

use metatrace::gc::{Array, Gc, GcCell, HeapFull, Trace, Tracer};
use metatrace::{Apart, Traced};

use crate::call::Call;
use crate::compile::{Body, Constant, LocalName, UpvalueSource};
use crate::op::Instr;
use crate::shape::Shape;
use crate::stack::Slot;
use crate::thread::Thread;
use crate::value::Value;
use crate::vm::{Raised, Vm};

metatrace::glue!();

/// What a field access found the last time: tables of that shape have the key in that slot.
#[derive(Debug)]
pub struct Cache {
    pub own: Cell<(Shape, u32)>,
    /// The same of the table that the access went on to; or the shape that a store led to.
    pub next: Cell<(Shape, u32)>,
}

/// The name of chunks that are parts of library functions.
pub const HIDDEN: &[u8] = b"\0library";

/// The slot of keys that a shape does not have.
pub const ABSENT: u32 = u32::MAX;

impl Cache {
    pub fn new() -> Cache {
        Cache { own: Cell::new((Shape::NEVER, 0)), next: Cell::new((Shape::NEVER, 0)) }
    }
}

/// Code of a function, as it runs.
pub struct Proto {
    pub code: Box<[Instr]>,
    pub constants: Box<[Value]>,
    pub caches: Box<[Cache]>,
    pub functions: Box<[Gc<Code>]>,
    pub upvalues: Box<[UpvalueSource]>,
    pub params: u8,
    pub is_vararg: bool,
    pub registers: u8,
    pub lines: Box<[u32]>,
    pub locals: Box<[LocalName]>,
    /// The name of the chunk, as it was given.
    pub source: std::rc::Rc<[u8]>,
    /// Whether it is a part of a library function, of which programs see nothing.
    pub is_hidden: bool,
    pub first_line: u32,
    pub last_line: u32,
}

impl Proto {
    /// The instruction at `pc`, which the compiler has made.
    #[inline(always)]
    pub fn instr(&self, pc: usize) -> Instr {
        debug_assert!(pc < self.code.len());
        // SAFETY: execution begins at 0, goes on behind instructions that are not the last, and jumps to targets within the code:
        // the compiler ends each function with a return, and `Code::new` checks the targets.
        unsafe { *self.code.get_unchecked(pc) }
    }

    #[inline(always)]
    pub fn constant(&self, index: usize) -> Value {
        debug_assert!(index < self.constants.len());
        // SAFETY: the compiler only refers to constants that it has made.
        unsafe { *self.constants.get_unchecked(index) }
    }

    /// The line of the instruction before `pc`.
    pub fn line_before(&self, pc: usize) -> Option<u32> {
        self.lines.get(pc.checked_sub(1)?).copied()
    }
}

/// A prototype as an object.
pub struct Code {
    traced: Traced<Proto>,
    /// The copy for threads with a hook, once there was one.
    hooked: GcCell<Option<Gc<Code>>>,
}

// SAFETY: constants and functions are visited, and never change; the copy lies in a cell.
unsafe impl Trace for Code {
    const SHAPE: metatrace::gc::Shape = metatrace::gc::Shape::Traced;

    fn trace(&self, tracer: &mut Tracer) {
        self.traced.constants.iter().for_each(|constant| constant.trace(tracer));
        self.traced.functions.iter().for_each(|function| tracer.reference(*function));
        self.hooked.trace(tracer);
    }
}

impl Code {
    /// The runnable form of a compiled function and those in it.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn new(vm: &Vm, body: Body, source: &std::rc::Rc<[u8]>) -> Result<Gc<Code>, HeapFull> {
        // What is made here has to stay alive until the object holds it.
        let constants = vm.keep();
        for constant in &body.constants {
            constants.try_push(match constant {
                Constant::Nil => Value::Nil,
                Constant::Bool(value) => Value::bool(*value),
                Constant::Int(int) => Value::Int(*int),
                Constant::Float(float) => Value::float(*float),
                Constant::String(text) => Value::Str(vm.strings.make(text)?),
            })?;
        }
        let functions = metatrace::gc::GcVec::new();
        for function in body.functions {
            functions.try_push(Code::new(vm, function, source)?)?;
        }
        let proto = Proto {
            code: body.code.into(),
            constants: constants.iter().collect(),
            caches: (0..body.caches).map(|_| Cache::new()).collect(),
            functions: functions.iter().collect(),
            upvalues: body.upvalues.into(),
            params: body.params,
            is_vararg: body.is_vararg,
            registers: body.registers,
            lines: body.lines.into(),
            locals: body.locals.into(),
            source: std::rc::Rc::clone(source),
            is_hidden: **source == *HIDDEN,
            first_line: body.first_line,
            last_line: body.last_line,
        };
        Gc::try_new(Code { traced: Traced::new(proto), hooked: GcCell::new(None) })
    }

    /// The code that tells a hook what it does.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn hooked(&self) -> Result<Gc<Code>, HeapFull> {
        if let Some(made) = self.hooked.get() {
            return Ok(made);
        }
        let copy = crate::hook::copy(&self.traced);
        let made = Gc::try_new(Code { traced: Traced::new(copy), hooked: GcCell::new(None) })?;
        self.hooked.set(Some(made));
        Ok(made)
    }

    #[inline(always)]
    pub fn traced(&self) -> &Traced<Proto> {
        &self.traced
    }
}

/// A function of the language.
#[derive(Trace)]
pub struct Function {
    pub code: Gc<Code>,
    pub upvalues: Gc<Array<GcCell<Gc<Upvalue>>>>,
}

/// A variable that a function shares with those around it: on the stack while its block runs, in itself afterwards.
pub struct Upvalue {
    /// Its place on the stack; none if it is closed.
    slot: Cell<Slot>,
    closed: GcCell<Apart<Value>>,
    /// While it is open: the thread whose stack it is on, and the next open one below.
    thread: GcCell<Option<Gc<Thread>>>,
    pub(crate) below: GcCell<Option<Gc<Upvalue>>>,
}

// SAFETY: every reference is visited; a value on a stack is shown by its thread.
unsafe impl Trace for Upvalue {
    const SHAPE: metatrace::gc::Shape = metatrace::gc::Shape::Traced;

    fn trace(&self, tracer: &mut Tracer) {
        self.closed.trace(tracer);
        self.thread.trace(tracer);
        self.below.trace(tracer);
    }
}

impl Upvalue {
    /// One that is a place on a thread's stack.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn open(slot: Slot, thread: Gc<Thread>, below: Option<Gc<Upvalue>>) -> Result<Gc<Upvalue>, HeapFull> {
        Gc::try_new(Upvalue {
            slot: Cell::new(slot),
            closed: GcCell::new(Apart(Value::Nil)),
            thread: GcCell::new(Some(thread)),
            below: GcCell::new(below),
        })
    }

    /// One that is nowhere else.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn closed(value: Value) -> Result<Gc<Upvalue>, HeapFull> {
        Gc::try_new(Upvalue {
            slot: Cell::new(Slot::NOWHERE),
            closed: GcCell::new(Apart(value)),
            thread: GcCell::new(None),
            below: GcCell::new(None),
        })
    }

    /// Takes the value off the stack.
    pub fn close(&self) {
        self.closed.set(Apart(self.slot.get().get()));
        self.slot.set(Slot::NOWHERE);
        self.thread.set(None);
        self.below.set(None);
    }

    /// The place of an open one.
    #[inline(always)]
    pub fn slot(&self) -> Slot {
        self.slot.get()
    }

    #[inline(always)]
    pub fn get(&self) -> Value {
        let slot = self.slot.get();
        if slot.is_nowhere() { self.closed.get().0 } else { slot.get() }
    }

    #[inline(always)]
    pub fn set(&self, value: Value) {
        let slot = self.slot.get();
        if slot.is_nowhere() {
            self.closed.set(Apart(value));
        } else {
            slot.set(value);
        }
    }
}

/// A function of Rust: its results are in the places from that of the function on; it returns how many.
pub type NativeFn = fn(Call<'_>) -> Result<usize, Raised>;

/// A function of Rust that mostly needs no frame: called without one, it does all, or raises and has done nothing. Its results are as those
/// of a [`NativeFn`].
pub type LeafFn = fn(&Call<'_>) -> Result<usize, Raised>;

/// What of a native function the machine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Other,
    /// `next`, and what `pairs` returns.
    Next,
    /// What `ipairs` returns.
    IpairsNext,
    Pcall,
    /// It is tried without a frame first.
    Leaf,
    /// So is this, and what it calls may stop the coroutine that it runs in.
    Through,
}

/// A function of Rust, as a value.
#[derive(Trace)]
pub struct Native {
    #[trace(unsafe_skip)]
    pub function: NativeFn,
    /// What is tried without a frame.
    #[trace(unsafe_skip)]
    pub leaf: LeafFn,
    #[trace(unsafe_skip)]
    pub known: Known,
    pub upvalues: Gc<Array<GcCell<Value>>>,
    /// What a program that embeds the machine has registered.
    #[trace(unsafe_skip)]
    pub closure: Option<Box<dyn Fn(Call<'_>) -> Result<usize, Raised>>>,
}
