//! What a backend is: the trait, the context that compiled code works on, and how it is left.
//!
//! # Frame
//!
//! Compiled code works on a *trace frame*: memory that the caller of [`Backend::enter`] owns, [`FRAME_HEADER`] words for the
//! backend, then `frame_values` words of value slots; and local memory, whose address is in the header at
//! [`FRAME_LOCALS`]. A frame starts at a multiple of 16, and so does its local memory. [`Backend::run`] is for frames whose local
//! memory stands behind them, at [`locals_offset`].
//!
//! - Entry: the inputs of the trace are in value slots 0, 1, …, floats as their bits.
//! - A failing guard leaves what it [hands over](metatrace_trace::Trace::handed) in slots 0, 1, …
//! - `finish` leaves its operands in slots 0, 1, …
//! - `jump` to another trace's target leaves its operands in slots 0, 1, …, where that trace's inputs are. Jumps between
//!   parts of a [`Region`] leave nothing in the frame, and are not counted as crossings.
//! - `local_addr(n)` is the address of byte `n` of the local memory.
//!
//! # Calls between traces
//!
//! `call_assembler` calls what [`Backend::set_entry`] said. The callee's frame stands in the unused rest of the caller's, and so
//! does its local memory; both must not lie beyond the limits that the [`Context`] holds, which leave room for a whole frame.
//! Where they do, and where there is no compiled code, the portal is called natively. A callee that is left through `finish` has left
//! its results in its slots; otherwise [`Context::left`] is called, which sees to it that they are there.

pub mod alloc;

pub use alloc::{Allocator, InlineHeap, Spare};

use metatrace_defs::{Abort, CallDescr, Program};
use metatrace_trace::{GuardId, TargetId, Trace};

metatrace_defs::entity! {
    /// Compiled code of one trace, unique in its VM.
    CodeId = "code"
}

/// Words at the start of a trace frame that belong to the backend.
pub const FRAME_HEADER: usize = 4;

/// The word of the header that holds the address of the frame's local memory.
pub const FRAME_LOCALS: usize = 2;

/// Bytes from the start of a frame with so many value slots to its local memory.
pub const fn locals_offset(values: usize) -> usize {
    (FRAME_HEADER + values).next_multiple_of(2) * 8
}

/// Words of a frame with so many value slots and bytes of local memory.
pub const fn frame_words(values: usize, bytes: usize) -> usize {
    locals_offset(values) / 8 + bytes.div_ceil(8)
}

/// What compiled code and call shims share with the runtime. Lives as long as its VM, at a stable address.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Context {
    /// Not 0 if something is pending; see [`pending`]. Tested after calls by `guard_not_pending`.
    pub pending: u64,
    /// Results of the last call, by number; number 0 is unused, as it comes back in a register.
    pub results: [u64; CallDescr::MAX_RESULTS],
    /// Merge points passed in compiled code, as `count_merge_points` counts them.
    pub merge_points: u64,
    /// Jumps from one compiled code to another until code is left by [`Exit::Crossing`]; 0 for never.
    pub crossings: u64,
    /// Where compiled code allocates.
    pub allocator: Allocator,
    /// Plain memory that compiled code gave back.
    pub spare: Spare,
    /// The highest address at which a frame of a call between traces may start.
    pub frames_limit: u64,
    /// The highest address at which its local memory may start.
    pub locals_limit: u64,
    /// Calls between traces to be made until [`Context::sample`] is called; 0 for never.
    pub calls_left: u64,
    /// Calls between traces that were made when none will be left, as [`Context::sample`] counts them.
    pub calls: u64,
    /// Looks at what is called, now and then.
    pub sample: Option<Sample>,
    /// Completes a call between traces whose callee was left otherwise than through `finish`.
    pub left: Option<Left>,
    /// What is used inline of the collected heap that is current while compiled code runs; see [`InlineHeap`].
    pub heap: HeapMemory,
    /// The panic that a call shim caught.
    pub panic: Option<Box<dyn std::any::Any + Send>>,
}

/// Memory of a collected heap that code reads and writes inline; null if there is none.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct HeapMemory(pub *mut u8);

impl Default for HeapMemory {
    fn default() -> HeapMemory {
        HeapMemory(std::ptr::null_mut())
    }
}

/// Takes the callee's frame and what it was left with (see [`Backend::exit`]), and puts the portal's results into the frame's
/// slots; or makes a panic pending.
///
/// # Safety
/// The context must be the current VM's, and compiled code must have left the frame so.
pub type Left = unsafe extern "C" fn(context: *mut Context, frame: *mut u64, left_with: u64);

/// Takes the entry that is about to be called, and says how many calls are left until the next look.
///
/// # Safety
/// The context must be the current VM's.
pub type Sample = unsafe extern "C" fn(context: *mut Context, entry: u64);

/// Bits of [`Context::pending`].
pub mod pending {
    /// A call shim caught a panic; it is in [`super::Context::panic`].
    pub const PANIC: u64 = 1;
    /// Something that the running code relies on changed: it must be left.
    pub const INVALIDATED: u64 = 2;
    /// Compiled code took an object from the reserve of the collected heap: it must be left, and who allocates next for the
    /// guest's sake finds the heap full.
    pub const HEAP_FULL: u64 = 4;
    /// Finalizers of the collected heap wait to be run.
    pub const FINALIZERS: u64 = 8;
}

impl Context {
    /// Takes the panic that a call shim caught: nothing is pending for it any more.
    pub fn take_panic(&mut self) -> Option<Box<dyn std::any::Any + Send>> {
        self.pending &= !pending::PANIC;
        self.panic.take()
    }
}

/// The type-erased address of a call shim: `extern "C" fn(*mut Context, u64…) -> u64`.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Shim(pub *const ());

// SAFETY: the address of a function may be used from every thread.
unsafe impl Send for Shim {}
// SAFETY: as above.
unsafe impl Sync for Shim {}

impl Shim {
    /// Calls the shim and returns its first result (0 if it has none).
    ///
    /// # Safety
    /// The shim must have been made for `args.len()` arguments, the arguments must be what the callee demands, and
    /// `context` must be the current VM's.
    ///
    /// # Panics
    /// If there are more than [`CallDescr::MAX_ARGS`] arguments: the generator refuses such calls.
    pub unsafe fn call(self, context: *mut Context, args: &[u64]) -> u64 {
        // From no argument on, one more each time.
        macro_rules! try_with {
            ([$($arg:ident)*] $($more:ident)*) => {
                if let [$($arg),*] = *args {
                    // SAFETY: the caller vouches that the shim has this signature.
                    let f: extern "C" fn(*mut Context $(, try_with!(@word $arg))*) -> u64 =
                        unsafe { std::mem::transmute(self.0) };
                    f(context $(, $arg)*)
                } else {
                    try_with!(@next [$($arg)*] $($more)*)
                }
            };
            (@next [$($arg:ident)*] $next:ident $($more:ident)*) => { try_with!([$($arg)* $next] $($more)*) };
            (@next [$($arg:ident)*]) => { panic!("a call with {} arguments", args.len()) };
            (@word $arg:ident) => { u64 };
        }
        const { assert!(CallDescr::MAX_ARGS == 24) };
        try_with!([] a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 a12 a13 a14 a15 a16 a17 a18 a19 a20 a21 a22 a23)
    }
}

/// What is compiled.
pub struct Job<'a> {
    /// The descriptors that the trace refers to, resolved. Those of allocations live as long as the code.
    pub program: &'a Program,
    /// The shims of the program's calls, by shim number.
    pub shims: &'a [Shim],
    /// The trace, verified.
    pub trace: &'a Trace,
    /// The number of each guard of the trace, in order.
    pub guards: &'a [GuardId],
    /// If the trace is a loop: the target by which other traces may jump to its entry.
    pub entry: Option<TargetId>,
}

/// Traces that are compiled as one.
///
/// Bridges stand behind the trace that they leave from, and every part that starts at a guard has that guard in a part.
pub struct Region<'a> {
    /// The descriptors that the traces refer to, resolved.
    pub program: &'a Program,
    /// The shims of the program's calls, by shim number.
    pub shims: &'a [Shim],
    /// The traces; at least one has an entry.
    pub parts: &'a [Part<'a>],
}

/// A trace of a region.
pub struct Part<'a> {
    /// The trace, verified.
    pub trace: &'a Trace,
    /// The number of each guard of the trace, in order. These are the numbers that the trace had when it was compiled alone.
    pub guards: &'a [GuardId],
    /// Where it starts.
    pub start: PartStart,
}

/// Where a trace of a region starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartStart {
    /// At an entry, from outside or by jumps.
    Entry(TargetId),
    /// Where a guard of another part fails; the inputs are its fail values.
    Guard(GuardId),
}

/// What came out of compiling a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledRegion {
    /// What to run to start at each entry. Freeing the first frees the region.
    pub entries: Vec<(TargetId, CodeId)>,
    /// The size of the code in bytes; 0 for a backend without machine code.
    pub bytes: usize,
}

/// What came out of compiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The code.
    pub code: CodeId,
    /// Its size in bytes; 0 for a backend without machine code.
    pub bytes: usize,
}

/// How compiled code was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Through `finish`: the portal's results are in the value slots.
    Finish,
    /// A guard without a bridge failed: its fail values are in the value slots.
    Guard(GuardId),
    /// [`Context::crossings`] came to 0 at a jump to this target: its inputs are in the value slots.
    Crossing(TargetId),
}

/// Turns traces into something that runs.
///
/// Methods take `&self`, because compiled code may call native code that enters or records other traces while it runs:
/// implementations keep their state in cells that are not borrowed while guest code runs.
pub trait Backend {
    /// The number of value slots and the bytes of local memory that frames have. Called once, before all else.
    fn set_frame(&self, values: usize, bytes: usize);

    /// How to allocate in the collected heap inline. Without this, or if the backend does not care, it calls the
    /// [`Context::allocator`].
    fn set_heap(&self, _: &'static InlineHeap) {}

    /// Compiles a trace. Fails with a row of the table of abort reasons.
    fn compile(&self, job: &Job) -> Result<Compiled, Abort>;

    /// Compiles traces as one, which replaces their code: from now on jumps to their entries arrive in the region, and bridges
    /// are attached to its guards. Code that they had before stays as it is until it is freed. Fails with a row of the table of
    /// abort reasons.
    fn compile_region(&self, region: &Region) -> Result<CompiledRegion, Abort>;

    /// From now on a failure of `guard` continues in `bridge`, whose inputs are what the guard hands over. Nothing happens if
    /// no code has the guard any more.
    fn attach_bridge(&self, guard: GuardId, bridge: CodeId);

    /// From now on `call_assembler` of `entry` runs `code`; or calls natively if there is none, as before the first time. Code
    /// must not be freed while it is set here.
    fn set_entry(&self, entry: TargetId, code: Option<CodeId>);

    /// What [`Context::left`] was told.
    fn exit(&self, left_with: u64) -> Exit;

    /// Gives the memory of `code` back. Its guards and its entry must not be used any more.
    fn free(&self, code: CodeId);

    /// Runs code from its entry until it is left.
    ///
    /// # Safety
    /// `frame` must be a frame of the size that was set, with the trace's inputs in its slots and the address of local memory in
    /// its header; the inputs must be such that every memory access of the trace is valid; `context` must be the context of
    /// the VM that owns the backend, and its limits must leave room behind every address below them for a frame.
    unsafe fn enter(&self, code: CodeId, frame: *mut u64, context: *mut Context) -> Exit;

    /// The number of value slots that was set.
    fn frame_values(&self) -> usize;

    /// Runs code in a frame with local memory behind it.
    ///
    /// # Safety
    /// As for [`Backend::enter`], but for the header.
    unsafe fn run(&self, code: CodeId, frame: *mut u64, context: *mut Context) -> Exit {
        let locals = frame as u64 + locals_offset(self.frame_values()) as u64;
        // SAFETY: the frame has a header.
        unsafe { frame.add(FRAME_LOCALS).write(locals) };
        // SAFETY: as the caller vouches.
        unsafe { self.enter(code, frame, context) }
    }
}
