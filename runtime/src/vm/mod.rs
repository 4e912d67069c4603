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
pub(crate) mod stats;
pub(crate) mod tables;

use std::cell::{Cell, OnceCell, RefCell, UnsafeCell};
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use metatrace_backend::{Backend, Context, FRAME_HEADER, pending};
use metatrace_backend_cranelift::CraneliftBackend;
use metatrace_backend_reference::Reference;

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
        // SAFETY: compiled code of another thread may count at the same time; the read is volatile, of one word, and
        // only informs.
        stats.merge_points_compiled +=
            unsafe { (&raw const (*self.context.get()).merge_points).read_volatile() };
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
    /// Back edges that were counted.
    pub ticks: Cell<u64>,
    /// Recordings under way.
    pub recordings: Cell<u32>,
    /// How much mail of other threads was seen.
    mail_seen: Cell<u64>,
    /// The heaps that it serves, innermost last.
    pub heaps: RefCell<Vec<NonNull<metatrace_gc::Heap>>>,
    /// Frames to use again.
    frames: RefCell<Vec<FrameMemory>>,
    /// For each activation of compiled code, whether it must be left: innermost last.
    activations: RefCell<Vec<bool>>,
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
        let shared = Arc::new(Shared::default());
        // SAFETY: nobody else has the context yet.
        unsafe { (*shared.context.get()).allocator = crate::rt::allocator() };
        let counting = log::register(&shared)?;
        let vm = Rc::new(VmState {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            options,
            counting,
            shared,
            backend,
            tables: RefCell::default(),
            ticks: Cell::new(0),
            recordings: Cell::new(0),
            mail_seen: Cell::new(0),
            heaps: RefCell::default(),
            frames: RefCell::default(),
            activations: RefCell::default(),
        });
        crate::region::wait(&vm);
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

    /// Memory for a trace frame.
    pub fn frame(&self) -> TraceFrame<'_> {
        let (values, bytes) = (frame_values(&self.options.params), self.options.params.frame_bytes as usize);
        let size = ((FRAME_HEADER + values) * 8 + bytes).div_ceil(16);
        let memory = self.frames.borrow_mut().pop().unwrap_or_else(|| FrameMemory::new(size));
        TraceFrame { memory: Some(memory), vm: self }
    }

    /// Marks that compiled code is entered, which has no reason to be left.
    pub fn activate(&self) {
        self.activations.borrow_mut().push(false);
        self.update_pending();
    }

    /// Marks that compiled code was left.
    pub fn deactivate(&self) {
        self.activations.borrow_mut().pop();
        self.update_pending();
    }

    /// Has all compiled code left at its next call.
    pub fn leave_all(&self) {
        self.activations.borrow_mut().fill(true);
        self.update_pending();
    }

    /// Whether a return address on the stack may point into compiled code.
    pub fn is_active(&self) -> bool {
        !self.activations.borrow().is_empty()
    }

    fn update_pending(&self) {
        let leave = self.activations.borrow().last().copied().unwrap_or(false);
        // SAFETY: the context is this thread's, and no reference to it is held.
        let context = unsafe { &mut *self.context() };
        context.pending =
            context.pending & !pending::INVALIDATED | if leave { pending::INVALIDATED } else { 0 };
    }
}

impl Drop for VmState {
    fn drop(&mut self) {
        owner::living(self.id, false);
    }
}

/// The number of value slots in frames: even, so that local memory is aligned to 16 bytes.
fn frame_values(params: &metatrace_defs::param::Params) -> usize {
    (params.frame_values as usize).next_multiple_of(2)
}

/// Memory for a frame, in which references keep their objects alive.
#[derive(Debug)]
struct FrameMemory {
    // First, to be dropped first.
    _shown: metatrace_gc::Area,
    memory: Box<[u128]>,
}

impl FrameMemory {
    fn new(size: usize) -> FrameMemory {
        let memory: Box<[u128]> = vec![0; size].into();
        let range = memory.as_ptr_range();
        // SAFETY: the memory stays where it is, and is freed after the area is dropped.
        let shown = unsafe { metatrace_gc::Area::new(range.start.cast()..range.end.cast()) };
        FrameMemory { _shown: shown, memory }
    }
}

/// Memory of a trace frame, given back to its VM when dropped.
pub(crate) struct TraceFrame<'a> {
    /// There until it is dropped.
    memory: Option<FrameMemory>,
    vm: &'a VmState,
}

impl TraceFrame<'_> {
    /// The address of the frame.
    pub fn address(&mut self) -> *mut u64 {
        self.memory.as_mut().expect("the frame is in use").memory.as_mut_ptr().cast()
    }

    /// The value slots.
    pub fn values(&mut self) -> &mut [u64] {
        let count = frame_values(&self.vm.options.params);
        // SAFETY: the memory has that many words behind the header.
        unsafe { std::slice::from_raw_parts_mut(self.address().add(FRAME_HEADER), count) }
    }

    /// The local memory.
    pub fn area(&mut self) -> LocalArea {
        let start = FRAME_HEADER + frame_values(&self.vm.options.params);
        LocalArea {
            address: self.address() as u64 + start as u64 * 8,
            size: self.vm.options.params.frame_bytes as u32,
        }
    }
}

impl Drop for TraceFrame<'_> {
    fn drop(&mut self) {
        self.vm.frames.borrow_mut().extend(self.memory.take());
    }
}
