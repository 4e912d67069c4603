//! Virtual machines: what one thread keeps of loops, traces, owners and counters, and which VM is current.
//!
//! A thread has a stack of VMs entered with [`Vm::enter`], and below it one of its own, made at the first use from the
//! environment (see [`options`]).
//!
//! Guest code may run within any call that leaves this crate (shims, backends), and may come back: no [`RefCell`] here
//! stays borrowed across such a call.

pub(crate) mod log;
pub(crate) mod options;
pub(crate) mod owner;
pub(crate) mod recent;
pub(crate) mod stats;
pub(crate) mod tables;

use std::cell::{Cell, OnceCell, RefCell, UnsafeCell};
use std::ops::Range;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use metatrace_backend::{
    Backend, Context, FRAME_HEADER, FRAME_LOCALS, HeapMemory, Spare, locals_offset, pending,
};
use metatrace_backend_cranelift::CraneliftBackend;
use metatrace_backend_reference::Reference;
use metatrace_defs::param::Params;

use crate::machine::LocalArea;
use options::{OptionError, Options};
use stats::{Counters, Stats};
use tables::Tables;

/// A virtual machine: all that the JIT of one thread knows.
#[derive(Clone)]
pub struct Vm(Rc<VmState>);

impl Vm {
    /// A VM with these parameters, or with options that were parsed.
    ///
    /// # Errors
    /// A system that does not let machine code be made.
    pub fn new(options: impl Into<Options>) -> Result<Vm, OptionError> {
        VmState::new(options.into()).map(Vm)
    }

    /// Runs `f` with this VM as the current one of the thread.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(Vec::pop);
            }
        }
        CURRENT.with_borrow_mut(|stack| stack.push(self.0.clone()));
        let _leave = Leave;
        f()
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.0.shared.stats()
    }
}

thread_local! {
    static CURRENT: RefCell<Vec<Rc<VmState>>> = const { RefCell::new(Vec::new()) };
    static DEFAULT: OnceCell<Rc<VmState>> = const { OnceCell::new() };
    /// The VMs of this thread, to tell them that an owner is gone.
    static LIVING: RefCell<Vec<Weak<VmState>>> = const { RefCell::new(Vec::new()) };
}

/// The current VM of the thread.
pub(crate) fn current() -> Rc<VmState> {
    CURRENT.with_borrow(|stack| stack.last().cloned()).unwrap_or_else(|| {
        DEFAULT.with(|vm| {
            vm.get_or_init(|| {
                let made = Options::from_env().and_then(VmState::new);
                made.unwrap_or_else(|error| log::refuse(&error))
            })
            .clone()
        })
    })
}

/// The VM of this thread with that identity.
pub(crate) fn find(id: u32) -> Option<Rc<VmState>> {
    let find = |living: &RefCell<Vec<Weak<VmState>>>| {
        living.borrow().iter().filter_map(Weak::upgrade).find(|vm| vm.id == id)
    };
    LIVING.try_with(find).ok().flatten()
}

/// What other threads, and the end of the process, may look at.
#[derive(Default)]
pub(crate) struct Shared {
    context: UnsafeCell<Context>,
    pub counters: Counters,
}

// SAFETY: the counters are atomic. The context belongs to the VM's thread; others read one counter of it, see `stats`.
unsafe impl Sync for Shared {}
// SAFETY: as above; the panic in the context is `Send`.
unsafe impl Send for Shared {}

impl Shared {
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        stats.add(&self.counters);
        let context = self.context.get();
        // SAFETY: the context lives as long as this. Compiled code of another thread may count at the same time; the reads are
        // volatile, of one word each, and only inform.
        let [merge_points, calls, calls_left] = unsafe {
            [
                &raw const (*context).merge_points,
                &raw const (*context).calls,
                &raw const (*context).calls_left,
            ]
            .map(|counter| counter.read_volatile())
        };
        stats.merge_points_compiled += merge_points;
        stats.calls += calls.wrapping_sub(calls_left);
        stats
    }
}

/// The state of a VM.
pub(crate) struct VmState {
    pub id: u32,
    pub options: Options,
    /// Whether merge points are counted.
    pub counting: bool,
    pub shared: Arc<Shared>,
    pub backend: Box<dyn Backend>,
    pub tables: RefCell<Tables>,
    /// Places that were looked for last.
    pub recent: recent::Recent,
    /// Back edges that were counted.
    pub ticks: Cell<u64>,
    /// The guard that failed last.
    pub last_failed: Cell<Option<metatrace_trace::GuardId>>,
    /// Recordings under way.
    pub recordings: Cell<u32>,
    /// How much mail of other threads was seen.
    mail_seen: Cell<u64>,
    /// Compiled code took an object from the reserve of a heap: the next turn of the loop is the interpreter's.
    pub goes_on_natively: Cell<bool>,
    /// The heaps that it serves, innermost last.
    pub heaps: RefCell<Vec<NonNull<metatrace_gc::Heap>>>,
    /// Frames to use again.
    frames: RefCell<Vec<FrameMemory>>,
    /// The activations of compiled code on the native stack in use, innermost last.
    activations: RefCell<Vec<Activation>>,
    /// Activations on other stacks.
    elsewhere: Cell<usize>,
    /// How often all compiled code had to be left.
    departures: Cell<u64>,
}

/// Compiled code that runs, or waits for a call.
#[derive(Clone, Copy, Default)]
struct Activation {
    /// [`VmState::departures`] when it was entered: if there were more since, it must be left.
    departures: u64,
    /// The collected heap that was current when it was entered, and is where it goes on.
    heap: HeapMemory,
}

impl VmState {
    fn new(options: Options) -> Result<Rc<VmState>, OptionError> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let params = &options.params;
        let backend: Box<dyn Backend> = if params.backend == 1 || !options.enabled {
            Box::new(Reference::new())
        } else {
            let made = CraneliftBackend::new(params.code_limit as usize);
            Box::new(made.map_err(|e| OptionError::new(format!("{e}; set `off` or `backend=1`")))?)
        };
        let (values, bytes) = (frame_values(params), params.frame_bytes as usize);
        backend.set_frame(values, bytes);
        backend.set_heap(&crate::rt::INLINE_HEAP);
        let shared = Arc::new(Shared::default());
        // SAFETY: nobody else has the context yet.
        unsafe { (*shared.context.get()).allocator = crate::rt::allocator() };
        // SAFETY: as above. That allocator's plain memory is from Rust's.
        unsafe { (*shared.context.get()).spare.most = Spare::MOST as u64 };
        let counting = log::register(&shared)?;
        let vm = Rc::new(VmState {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            options,
            counting,
            shared,
            backend,
            tables: RefCell::default(),
            recent: Default::default(),
            ticks: Cell::new(0),
            last_failed: Cell::new(None),
            recordings: Cell::new(0),
            mail_seen: Cell::new(0),
            goes_on_natively: Cell::new(false),
            heaps: RefCell::default(),
            frames: RefCell::default(),
            activations: RefCell::default(),
            elsewhere: Cell::new(0),
            departures: Cell::new(0),
        });
        crate::region::wait(&vm);
        // SAFETY: the context is this thread's, and no reference to it is held.
        unsafe {
            (*vm.context()).left = Some(crate::entry::left);
            (*vm.context()).sample = Some(crate::region::sample);
        }
        owner::living(vm.id, true);
        let _ = LIVING.try_with(|living| {
            let mut living = living.borrow_mut();
            living.retain(|vm| vm.strong_count() > 0);
            living.push(Rc::downgrade(&vm));
        });
        Ok(vm)
    }

    /// The context that compiled code and shims work on.
    pub fn context(&self) -> *mut Context {
        self.shared.context.get()
    }

    /// Memory for a trace frame, and for frames of calls that its code makes.
    pub fn frame(&self) -> TraceFrame<'_> {
        let shape = FrameShape::new(&self.options.params);
        let mut memory = self.frames.borrow_mut().pop().unwrap_or_else(|| FrameMemory::new(&shape));
        let address = memory.address();
        // SAFETY: the frame has a header; local memory is where its shape says.
        unsafe { address.add(FRAME_LOCALS).write(address as u64 + shape.locals as u64) };
        TraceFrame { address, memory: Some(memory), vm: self }
    }

    /// A frame that compiled code made for a call.
    ///
    /// # Safety
    /// It must be one of this VM, which nothing else uses.
    pub unsafe fn nested_frame(&self, address: *mut u64) -> TraceFrame<'_> {
        TraceFrame { address, memory: None, vm: self }
    }

    /// Sets how far frames of calls may reach, and tells how far they could.
    pub fn set_limits(&self, limits: Limits) -> Limits {
        // SAFETY: the context is this thread's, and no reference to it is held.
        let context = unsafe { &mut *self.context() };
        Limits {
            frames: std::mem::replace(&mut context.frames_limit, limits.frames),
            locals: std::mem::replace(&mut context.locals_limit, limits.locals),
        }
    }

    /// Marks that compiled code is entered, which has no reason to be left.
    pub fn activate(&self) {
        let (departures, heap) = (self.departures.get(), crate::rt::current_heap());
        self.activations.borrow_mut().push(Activation { departures, heap });
        self.update_context();
    }

    /// Marks that compiled code was left.
    pub fn deactivate(&self) {
        self.activations.borrow_mut().pop();
        self.update_context();
    }

    /// Has all compiled code left at its next call.
    pub fn leave_all(&self) {
        self.departures.set(self.departures.get() + 1);
        self.update_context();
    }

    /// Whether a return address on the stack may point into compiled code.
    pub fn is_active(&self) -> bool {
        self.elsewhere.get() > 0 || !self.activations.borrow().is_empty()
    }

    fn update_context(&self) {
        let innermost = self.activations.borrow().last().copied();
        let leave = innermost.is_some_and(|active| active.departures != self.departures.get());
        let heap = innermost.unwrap_or_default().heap;
        // SAFETY: the context is this thread's, and no reference to it is held.
        let context = unsafe { &mut *self.context() };
        context.pending =
            context.pending & !pending::INVALIDATED | if leave { pending::INVALIDATED } else { 0 };
        context.heap = heap;
    }
}

/// What of a VM belongs to a native stack that is not in use.
pub(crate) struct Suspended {
    vm: Rc<VmState>,
    activations: Vec<Activation>,
    limits: Limits,
    recordings: u32,
}

impl Suspended {
    /// Of a stack that nothing runs on yet, for the current VM.
    pub fn new() -> Suspended {
        let limits = Limits { frames: 0, locals: 0 };
        Suspended { vm: current(), activations: Vec::new(), limits, recordings: 0 }
    }

    /// Exchanges this stack with the one in use.
    pub fn switch(&mut self) {
        let vm = &self.vm;
        let elsewhere = vm.elsewhere.get() - self.activations.len();
        std::mem::swap(&mut *vm.activations.borrow_mut(), &mut self.activations);
        vm.elsewhere.set(elsewhere + self.activations.len());
        self.limits = vm.set_limits(self.limits);
        self.recordings = vm.recordings.replace(self.recordings);
        vm.update_context();
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        self.vm.elsewhere.set(self.vm.elsewhere.get() - self.activations.len());
    }
}

impl Drop for VmState {
    fn drop(&mut self) {
        owner::living(self.id, false);
    }
}

/// The number of value slots in frames: even, so that local memory is aligned to 16 bytes.
fn frame_values(params: &Params) -> usize {
    (params.frame_values as usize).next_multiple_of(2)
}

/// How frames lie in memory: slots, room for those of calls, local memory, room for that of calls. In bytes.
struct FrameShape {
    /// Where local memory starts.
    locals: usize,
    /// Room for frames of calls.
    nested_frames: usize,
    /// Room for their local memory.
    nested_locals: usize,
    size: usize,
}

impl FrameShape {
    fn new(params: &Params) -> FrameShape {
        let nested_locals = params.nested_bytes as usize;
        let nested_frames = (nested_locals / 4).next_multiple_of(16);
        let locals = locals_offset(frame_values(params)) + nested_frames;
        let size = locals + params.frame_bytes as usize + nested_locals;
        FrameShape { locals, nested_frames, nested_locals, size }
    }
}

/// How far frames of calls may reach; see [`Context`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    frames: u64,
    locals: u64,
}

/// Memory for frames, in which references keep their objects alive.
#[derive(Debug)]
struct FrameMemory {
    // First, to be dropped first.
    _shown: [metatrace_gc::Area; 2],
    memory: Box<[u128]>,
}

impl FrameMemory {
    fn new(shape: &FrameShape) -> FrameMemory {
        let memory: Box<[u128]> = vec![0; shape.size.div_ceil(16)].into();
        let Range { start, end } = memory.as_ptr_range();
        let (start, end) = (start.cast::<u8>(), end.cast::<u8>());
        // Whoever uses a frame holds its address, and the frame that of its local memory.
        let frame_bytes = shape.locals - shape.nested_frames;
        let local_bytes = shape.size - shape.locals - shape.nested_locals;
        // SAFETY: the memory stays where it is, and is freed after the areas are dropped; both parts lie in it.
        let shown = unsafe {
            let locals = start.add(shape.locals);
            [
                metatrace_gc::Area::stack(start..locals, frame_bytes),
                metatrace_gc::Area::stack(locals..end, local_bytes),
            ]
        };
        FrameMemory { _shown: shown, memory }
    }

    fn address(&mut self) -> *mut u64 {
        self.memory.as_mut_ptr().cast()
    }
}

/// A trace frame. What its VM gave memory for is given back when it is dropped.
pub(crate) struct TraceFrame<'a> {
    address: *mut u64,
    memory: Option<FrameMemory>,
    vm: &'a VmState,
}

impl TraceFrame<'_> {
    /// The address of the frame.
    pub fn address(&mut self) -> *mut u64 {
        self.address
    }

    /// How far frames of calls may reach, unless those are this frame's limits already.
    pub fn limits(&self) -> Option<Limits> {
        let shape = FrameShape::new(&self.vm.options.params);
        let (frames, locals) = (shape.nested_frames, shape.locals + shape.nested_locals);
        let limits = |address| Limits { frames: address + frames as u64, locals: address + locals as u64 };
        self.memory.as_ref().map(|_| limits(self.address as u64))
    }

    /// The value slots.
    pub fn values(&mut self) -> &mut [u64] {
        let count = frame_values(&self.vm.options.params);
        // SAFETY: the memory has that many words behind the header.
        unsafe { std::slice::from_raw_parts_mut(self.address.add(FRAME_HEADER), count) }
    }

    /// The local memory.
    pub fn area(&mut self) -> LocalArea {
        // SAFETY: the frame has a header.
        let address = unsafe { self.address.add(FRAME_LOCALS).read() };
        LocalArea { address, size: self.vm.options.params.frame_bytes as u32 }
    }
}

impl Drop for TraceFrame<'_> {
    fn drop(&mut self) {
        self.vm.frames.borrow_mut().extend(self.memory.take());
    }
}
