//! Memory that is no object: stacks of values and of calls.
//!
//! This file and `coroutine` hold what of the machine is not checked by Rust. A stack's memory is reserved once at its full size,
//! so that addresses on it stay, and is used from its beginning on. A [`Slot`] is such an address. Relied on: the compiler
//! numbers registers below what a function needs, and whoever begins a function or takes slots sees that the stack has them.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

use metatrace::gc::GcCell;
use metatrace::{Apart, jit};

use crate::thread::Frame;
use crate::value::Value;

metatrace::glue!();

/// A place for a value: on a stack, or in an object that lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Slot(*mut Apart<Value>);

impl Slot {
    /// No place.
    pub const NOWHERE: Slot = Slot(std::ptr::null_mut());

    #[inline(always)]
    pub fn is_nowhere(self) -> bool {
        self.0.is_null()
    }

    /// The place of an element, for functions that are called: traces take it for one of a stack.
    pub fn of_element(cell: &GcCell<Value>) -> Slot {
        Slot((&raw const *cell).cast_mut().cast())
    }

    #[inline(always)]
    pub fn get(self) -> Value {
        // SAFETY: the place exists, and holds a value from the beginning on: memory of stacks is 0, which is nil.
        unsafe { (*self.0).0 }
    }

    #[inline(always)]
    pub fn set(self, value: Value) {
        // SAFETY: the place exists; no reference to it does.
        unsafe { (*self.0).0 = value }
    }

    /// The place that many further up.
    #[inline(always)]
    pub fn up(self, count: usize) -> Slot {
        // SAFETY: within the stack, or at its end: whoever takes places sees to it.
        Slot(unsafe { self.0.add(count) })
    }

    /// The place that many further down.
    #[inline(always)]
    pub fn down(self, count: usize) -> Slot {
        // SAFETY: as above.
        Slot(unsafe { self.0.sub(count) })
    }

    /// The value that many places further up.
    #[inline(always)]
    pub fn at(self, count: usize) -> Value {
        self.up(count).get()
    }

    /// Sets the value that many places further up.
    #[inline(always)]
    pub fn put(self, count: usize, value: Value) {
        self.up(count).set(value);
    }

    /// How many places this one is above another of the same stack.
    #[inline(always)]
    pub fn above(self, other: Slot) -> usize {
        (self.0 as usize).wrapping_sub(other.0 as usize) / size_of::<Value>()
    }

    /// The address of the reference that the place holds, if it does. What a reference was before nil was put there is none.
    #[inline]
    pub fn reference(self) -> Option<usize> {
        // SAFETY: the place exists, and is two words: the kind and what.
        let kind = unsafe { self.0.cast::<u64>().read_volatile() };
        (kind >= crate::value::FIRST_REFERENCE).then_some(self.0 as usize + size_of::<u64>())
    }

    #[inline(always)]
    pub fn address(self) -> *const u8 {
        self.0.cast()
    }

    /// Copies values to places from here on; the areas may overlap.
    #[inline]
    pub fn copy_from(self, from: Slot, count: usize) {
        if count == 1 {
            return self.set(from.get());
        }
        // SAFETY: both areas exist.
        unsafe { std::ptr::copy(from.0, self.0, count) }
    }

    /// Sets that many places to nil.
    #[inline]
    #[jit::unroll_safe]
    pub fn clear(self, count: usize) {
        for index in 0..count {
            self.put(index, Value::Nil);
        }
    }
}

/// Values on a stack: more are an error of the program that runs.
pub const MAX_VALUES: usize = 1_000_000;
/// Beyond that, for handling the error.
const SPARE_VALUES: usize = 70_000;
/// Calls on a stack.
pub const MAX_FRAMES: usize = 199_000;
const SPARE_FRAMES: usize = 1_000;

/// The memory of a thread's stacks.
#[derive(Debug)]
pub struct Memory {
    address: NonNull<u8>,
}

const VALUES_BYTES: usize = (MAX_VALUES + SPARE_VALUES) * size_of::<Value>();
const BYTES: usize = VALUES_BYTES + (MAX_FRAMES + SPARE_FRAMES) * size_of::<Frame>();

impl Memory {
    fn new() -> Option<Memory> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping touches nothing that exists.
        let address = unsafe {
            libc::mmap(std::ptr::null_mut(), BYTES, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        if address == libc::MAP_FAILED {
            return None;
        }
        NonNull::new(address.cast()).map(|address| Memory { address })
    }

    /// The first place for a value.
    pub fn values(&self) -> Slot {
        Slot(self.address.as_ptr().cast())
    }

    /// The first place for a call.
    pub fn frames(&self) -> *mut Frame {
        // SAFETY: within the mapping.
        unsafe { self.address.as_ptr().add(VALUES_BYTES).cast() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, and whoever drops it gives up what lies in it.
        unsafe { libc::munmap(self.address.as_ptr().cast(), BYTES) };
    }
}

/// Memory of threads that are gone, to be used again.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    free: Rc<RefCell<Vec<Memory>>>,
}

/// Memories that are kept.
const KEPT: usize = 64;

impl Pool {
    /// Memory for a thread; nothing if the system gives none.
    pub fn take(&self) -> Option<Memory> {
        self.free.borrow_mut().pop().or_else(Memory::new)
    }

    pub fn give_back(&self, memory: Memory) {
        let mut free = self.free.borrow_mut();
        if free.len() < KEPT {
            free.push(memory);
        }
    }
}

/// The calls of a thread, the innermost last.
#[derive(Debug)]
pub struct Frames {
    first: *mut Frame,
    depth: std::cell::Cell<usize>,
    /// Calls that begin without further ado.
    limit: std::cell::Cell<usize>,
}

impl Frames {
    /// Of fresh memory.
    pub fn new(memory: &Memory) -> Frames {
        let limit = std::cell::Cell::new(MAX_FRAMES);
        Frames { first: memory.frames(), depth: std::cell::Cell::new(0), limit }
    }

    /// Whether calls go the fast way while there is room; otherwise all go the slow one.
    pub fn limit_calls(&self, fast: bool) {
        self.limit.set(if fast { MAX_FRAMES } else { 0 });
    }

    /// Whether a call goes the fast way.
    #[inline(always)]
    pub fn is_fast(&self) -> bool {
        self.depth.get() < self.limit.get()
    }

    /// Has a call go on in other code.
    pub fn exchange_code(&self, index: usize, code: crate::thread::Running, pc: u32) {
        if index < self.depth.get() {
            // SAFETY: the frame is written, and no reference to it is in use: whoever runs the code takes it anew.
            unsafe {
                let frame = self.first.add(index);
                (*frame).code = Some(code);
                (*frame).pc.set(crate::thread::Pc(pc));
            }
        }
    }

    #[inline(always)]
    pub fn depth(&self) -> usize {
        self.depth.get()
    }

    /// Whether there is room for another call; `spare` counts the room for handling errors.
    #[inline(always)]
    pub fn has_room(&self, spare: bool) -> bool {
        self.depth.get() < MAX_FRAMES + if spare { SPARE_FRAMES } else { 0 }
    }

    /// Begins a call, for which there is room.
    #[inline(always)]
    pub fn push(&self, frame: Frame) {
        let depth = self.depth.get();
        debug_assert!(depth < MAX_FRAMES + SPARE_FRAMES);
        // SAFETY: whoever pushes has asked for room; nobody refers to places beyond the depth.
        let place = unsafe { &mut *self.first.add(depth) };
        *place = frame;
        self.depth.set(depth + 1);
    }

    #[inline(always)]
    pub fn pop(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    /// Ends all calls but the outermost ones.
    pub fn truncate(&self, depth: usize) {
        self.depth.set(self.depth.get().min(depth));
    }

    /// The innermost call, of which there is one.
    #[inline(always)]
    pub fn last(&self) -> &Frame {
        debug_assert!(self.depth.get() > 0);
        // SAFETY: frames below the depth are written; their fields change in cells only, or when no reference is in use.
        unsafe { &*self.first.add(self.depth.get() - 1) }
    }

    /// The depths of the calls that programs see, from the innermost on.
    pub fn seen(&self) -> impl Iterator<Item = usize> + '_ {
        let is_seen = |index: &usize| self.get(*index).is_some_and(|frame| !frame.is_hidden());
        (0..self.depth()).rev().filter(is_seen)
    }

    /// A call by its depth, 0 for the outermost.
    pub fn get(&self, index: usize) -> Option<&Frame> {
        // SAFETY: as above.
        (index < self.depth.get()).then(|| unsafe { &*self.first.add(index) })
    }
}

/// The code of a function that runs: the function stands below its registers for as long as it does.
#[inline(always)]
pub fn running(code: metatrace::gc::Gc<crate::function::Code>) -> crate::thread::Running {
    // SAFETY: the object lives while the function runs, and is not moved; whoever runs it takes the reference anew from the
    // frame after each call.
    unsafe { &*(&raw const *code.as_ref().traced()) }
}
