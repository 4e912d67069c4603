//! Traces to machine code.
//!
//! In: verified traces, as [`Job`]s. Out: code that [`Backend::run`] enters and that leaves through `finish` or a
//! failing guard. Cranelift appears nowhere outside of this crate; its release is pinned.
//!
//! - A trace becomes one function of the calling convention `Tail` that works on the trace frame. A failing guard
//!   continues, by a tail call, where its *cell* says: at first at the deoptimisation entry, which returns to
//!   [`Backend::run`], later in a bridge. Attaching a bridge is one store into the cell.
//! - Code lies in a memory region of the process and refers to everything by absolute address, so that it needs no
//!   relocation and can be freed trace by trace.
//! - Panics may unwind through compiled frames.
//!
//! The state is in cells that are not borrowed while compiled code runs. Code that is freed while some code of this
//! backend runs is only given back when nothing runs any more, as a frame on the stack may still return into it.

mod arena;
mod cells;
mod lower;
mod machine;
mod plan;
mod region;
mod unwind;

pub use machine::{OptLevel, SetupError};

use arena::Block;
use cells::{Cells, GuardCell, TARGET_LEFT, TargetCell};
use cranelift_codegen::CodegenError;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_frontend::FunctionBuilderContext;
use lower::Environment;
use machine::{HEADER_SELECTOR, Machine};
use metatrace_backend::{Backend, CodeId, Compiled, CompiledRegion, Context, Exit, InlineHeap, Job, Region};
use metatrace_defs::{Abort, TraceOp};
use metatrace_trace::{GuardId, TargetId, Trace};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Operations from which on the hot part of quickly compiled code, at some 8 bytes each, would not fit the first-level
/// instruction cache, so that the denser code of [`OptLevel::Speed`] pays.
const LONG_TRACE: usize = 3500;

/// The machine-code backend of one VM.
pub struct CraneliftBackend {
    machine: &'static Machine,
    compiler: RefCell<Compiler>,
    frame: Cell<(usize, usize)>,
    heap: Cell<Option<&'static InlineHeap>>,
    /// Bytes of code memory that may be taken, and that are.
    limit: Cell<usize>,
    used: Cell<usize>,
    /// Where code starts, by its number, and which of its entries; null if it was freed.
    entries: RefCell<Vec<(*const u8, u64)>>,
    codes: RefCell<HashMap<CodeId, Code>>,
    guards: RefCell<HashMap<GuardId, *const GuardCell>>,
    targets: RefCell<HashMap<TargetId, Rc<TargetCell>>>,
    /// What calls between traces call. Code refers to these cells, so that they stay.
    called: RefCell<HashMap<TargetId, Rc<TargetCell>>>,
    /// How many calls of [`Backend::run`] are under way, and what was freed meanwhile.
    running: Cell<usize>,
    freed: RefCell<Vec<Code>>,
    waiting: Cell<bool>,
}

// SAFETY: the pointers lead to code, to cells that the backend owns, and to the process's machine; none is bound to a
// thread.
unsafe impl Send for CraneliftBackend {}

/// Compiled code of one trace or region.
struct Code {
    block: Block,
    cells: Cells,
    /// Its numbers: of a trace one, of a region one for each entry.
    ids: Vec<CodeId>,
    entries: Vec<TargetId>,
    /// The guards that continue here.
    attached: Vec<GuardId>,
    /// When it is freed: cells of its targets, which code that still runs may read.
    target_cells: Vec<Rc<TargetCell>>,
}

/// What compiling needs, kept for its memory.
struct Compiler {
    none: OwnedTargetIsa,
    speed: OwnedTargetIsa,
    rounds: bool,
    context: cranelift_codegen::Context,
    builder_context: FunctionBuilderContext,
}

impl CraneliftBackend {
    /// A backend whose code may take up to `limit` bytes.
    ///
    /// # Errors
    /// If this system offers no executable memory or Cranelift does not know the processor.
    pub fn new(limit: usize) -> Result<CraneliftBackend, SetupError> {
        let machine = Machine::get()?;
        let compiler = Compiler::new(machine.isa(OptLevel::None), machine.isa(OptLevel::Speed));
        Ok(Self::with_compiler(machine, compiler, limit))
    }

    /// A backend that uses only what every processor of the host's kind offers.
    ///
    /// # Errors
    /// As for [`CraneliftBackend::new`].
    pub fn with_baseline_processor(limit: usize) -> Result<CraneliftBackend, SetupError> {
        let isa = |level| machine::baseline(level).map_err(SetupError);
        let compiler = Compiler::new(&isa(OptLevel::None)?, &isa(OptLevel::Speed)?);
        Ok(Self::with_compiler(Machine::get()?, compiler, limit))
    }

    fn with_compiler(machine: &'static Machine, compiler: Compiler, limit: usize) -> CraneliftBackend {
        CraneliftBackend {
            machine,
            compiler: RefCell::new(compiler),
            frame: Cell::new((0, 0)),
            heap: Cell::new(None),
            limit: Cell::new(limit),
            used: Cell::new(0),
            entries: RefCell::default(),
            codes: RefCell::default(),
            guards: RefCell::default(),
            targets: RefCell::default(),
            called: RefCell::default(),
            running: Cell::new(0),
            freed: RefCell::default(),
            waiting: Cell::new(false),
        }
    }

    /// The cell that says what calls of an entry call.
    fn called(&self, entry: TargetId) -> Rc<TargetCell> {
        let mut called = self.called.borrow_mut();
        let cell = called.entry(entry).or_insert_with(|| {
            let cell = TargetCell::new(entry);
            cell.set(self.machine.absent, 0);
            Rc::new(cell)
        });
        cell.clone()
    }

    /// Bytes of code memory that are taken.
    pub fn code_memory(&self) -> usize {
        self.used.get()
    }

    /// The machine code of a trace that was not freed, for people and tools.
    pub fn code_bytes(&self, code: CodeId) -> Option<Vec<u8>> {
        self.codes.borrow().get(&code).map(|code| self.machine.arena.bytes(&code.block).to_vec())
    }

    /// Where the machine code of a trace lies.
    pub fn code_address(&self, code: CodeId) -> Option<usize> {
        self.codes.borrow().get(&code).map(|code| self.machine.arena.address(&code.block) as usize)
    }

    /// The Cranelift IR of a job, each instruction with `@` and the number, in hexadecimal, of its operation.
    pub fn clif_text(&self, job: &Job) -> String {
        let compiler = &mut *self.compiler.borrow_mut();
        self.build(compiler, job, &Cells::new(&[], self.machine.deoptimise), OptLevel::None, true);
        let text = compiler.context.func.display().to_string();
        compiler.context.clear();
        text
    }

    /// The machine code of a job as Cranelift prints it, or why there is none.
    pub fn assembly_text(&self, job: &Job) -> String {
        let compiler = &mut *self.compiler.borrow_mut();
        self.build(compiler, job, &Cells::new(&[], self.machine.deoptimise), OptLevel::None, false);
        compiler.context.set_disasm(true);
        let text = match compiler.context.compile(&*compiler.none, &mut ControlPlane::default()) {
            Ok(code) => code.vcode.clone().unwrap_or_default(),
            Err(error) => error.inner.to_string(),
        };
        compiler.context.set_disasm(false);
        compiler.context.clear();
        text
    }

    /// Compiles a job at a level of optimisation.
    ///
    /// # Errors
    /// With the reason, if the trace needs too large a frame, memory is full, or Cranelift refuses.
    ///
    /// # Panics
    /// If the trace jumps to an entry that does not exist, or, in debug builds, if Cranelift's verifier rejects what
    /// the lowering made: both are bugs.
    pub fn compile_at(&self, job: &Job, level: OptLevel) -> Result<Compiled, Abort> {
        self.check_frame(job.trace)?;
        if self.used.get() >= self.limit.get() {
            return Err(Abort::CodeMemoryFull);
        }
        let cells = Cells::new(job.guards, self.machine.deoptimise);
        let compiler = &mut *self.compiler.borrow_mut();
        self.build(compiler, job, &cells, level, false);
        let block = self.place(compiler, level)?;
        let entries = job.entry.into_iter().collect();
        let (ids, bytes) = self.adopt(block, cells, entries)?;
        Ok(Compiled { code: ids[0], bytes })
    }

    fn build(&self, compiler: &mut Compiler, job: &Job, cells: &Cells, level: OptLevel, note_sources: bool) {
        self.with_environment(
            compiler,
            cells,
            level,
            note_sources,
            |environment, function, builder_context| {
                lower::build(job, environment, function, builder_context);
            },
        );
    }

    fn with_environment(
        &self,
        compiler: &mut Compiler,
        cells: &Cells,
        level: OptLevel,
        note_sources: bool,
        build: impl FnOnce(&Environment, &mut Function, &mut FunctionBuilderContext),
    ) {
        let targets = self.targets.borrow();
        let environment = Environment {
            isa: &*compiler.isa(level).clone(),
            rounds: compiler.rounds,
            cells: cells.address(),
            entries: &|target| targets.get(&target).map(|cell| cell.expose_address()),
            called: &|target| self.called(target).expose_address(),
            heap: self.heap.get(),
            allocate_slow: self.machine.allocate_slow as u64,
            note_sources,
        };
        build(&environment, &mut compiler.context.func, &mut compiler.builder_context);
    }

    /// Compiles the function that was built, into code memory.
    fn place(&self, compiler: &mut Compiler, level: OptLevel) -> Result<Block, Abort> {
        let block = match compiler.compile(level) {
            Ok(code) => self.machine.arena.place(code).ok_or(Abort::CodeMemoryFull),
            Err(abort) => Err(abort),
        };
        compiler.context.clear();
        block
    }

    /// Whether the frame has room for all that the trace keeps in it.
    fn check_frame(&self, trace: &Trace) -> Result<(), Abort> {
        let (values, bytes) = self.frame.get();
        let mut needed = trace.inputs.len();
        for inst in &trace.insts {
            if inst.op.is_terminator() {
                needed = needed.max(inst.args.len());
            } else if inst.op == TraceOp::LocalAddr
                && !inst.local_end().is_some_and(|end| end <= bytes as u64)
            {
                return Err(Abort::FrameTooLarge);
            }
        }
        for (n, snapshot) in trace.snapshots.iter().enumerate() {
            if snapshot.operands().count() > values {
                needed = needed.max(trace.handed(metatrace_trace::SnapshotId::new(n)).len());
            }
        }
        if needed > values { Err(Abort::FrameTooLarge) } else { Ok(()) }
    }

    /// Takes code into the tables, as what its guards and targets are from now on: its numbers, at least one, and its size.
    fn adopt(
        &self,
        block: Block,
        cells: Cells,
        entries: Vec<TargetId>,
    ) -> Result<(Vec<CodeId>, usize), Abort> {
        let used = self.used.get() + block.size();
        if used > self.limit.get() {
            self.machine.arena.free(block);
            return Err(Abort::CodeMemoryFull);
        }
        self.used.set(used);
        let address = self.machine.arena.address(&block);
        let first = self.entries.borrow().len();
        let count = entries.len().max(1);
        self.entries.borrow_mut().extend((0..count).map(|selector| (address, selector as u64)));
        let ids: Vec<CodeId> = (first..first + count).map(CodeId::new).collect();
        for cell in cells.as_slice() {
            self.guards.borrow_mut().insert(cell.guard(), cell);
        }
        let mut targets = self.targets.borrow_mut();
        for (selector, &target) in entries.iter().enumerate() {
            let cell = targets.entry(target).or_insert_with(|| Rc::new(TargetCell::new(target)));
            cell.set(address, selector as u64);
        }
        let bytes = block.len;
        let code =
            Code { block, cells, ids: ids.clone(), entries, attached: Vec::new(), target_cells: Vec::new() };
        self.codes.borrow_mut().insert(ids[0], code);
        Ok((ids, bytes))
    }

    /// Gives back what was freed, if nothing runs.
    fn reclaim(&self) {
        let runs = self.running.get() > 0;
        self.waiting.set(runs);
        if !runs {
            for code in self.freed.borrow_mut().drain(..) {
                self.used.set(self.used.get() - code.block.size());
                self.machine.arena.free(code.block);
            }
        }
    }
}

impl Compiler {
    fn new(none: &OwnedTargetIsa, speed: &OwnedTargetIsa) -> Compiler {
        // Only x86-64 has processors that cannot.
        let rounds = cfg!(not(target_arch = "x86_64"))
            || none.isa_flags().iter().any(|flag| flag.name == "has_sse41" && flag.as_bool() == Some(true));
        Compiler {
            none: none.clone(),
            speed: speed.clone(),
            rounds,
            context: cranelift_codegen::Context::new(),
            builder_context: FunctionBuilderContext::new(),
        }
    }

    fn isa(&self, level: OptLevel) -> &OwnedTargetIsa {
        match level {
            OptLevel::None => &self.none,
            OptLevel::Speed => &self.speed,
        }
    }

    /// Compiles the function that was built. A panic of Cranelift's counts as a refusal.
    fn compile(&mut self, level: OptLevel) -> Result<&[u8], Abort> {
        let isa = self.isa(level).clone();
        let context = &mut self.context;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            context.compile(&*isa, &mut ControlPlane::default()).map(drop).map_err(|error| error.inner)
        }));
        match outcome {
            Ok(Ok(())) => {
                let compiled = self.context.compiled_code().expect("it was just compiled");
                assert!(compiled.buffer.relocs().is_empty(), "traces refer to nothing by name");
                Ok(compiled.code_buffer())
            }
            Ok(Err(CodegenError::Verifier(errors))) => {
                panic!("Cranelift rejects the code of a trace:\n{errors}\n{}", self.context.func)
            }
            Ok(Err(_)) => Err(Abort::NotCompilable),
            Err(_) => {
                // It may have left anything in the context.
                self.context = cranelift_codegen::Context::new();
                Err(Abort::NotCompilable)
            }
        }
    }
}

impl Backend for CraneliftBackend {
    fn set_frame(&self, values: usize, bytes: usize) {
        self.frame.set((values, bytes));
    }

    fn set_heap(&self, heap: &'static InlineHeap) {
        self.heap.set(Some(heap));
    }

    fn compile(&self, job: &Job) -> Result<Compiled, Abort> {
        let long = job.trace.insts.len() > LONG_TRACE;
        self.compile_at(job, if long { OptLevel::Speed } else { OptLevel::None })
    }

    fn compile_region(&self, region: &Region) -> Result<CompiledRegion, Abort> {
        self.compile_region_at(region, OptLevel::Speed)
    }

    fn attach_bridge(&self, guard: GuardId, bridge: CodeId) {
        let mut codes = self.codes.borrow_mut();
        let bridge = codes.get_mut(&bridge).unwrap_or_else(|| panic!("{bridge} is no code"));
        let guards = self.guards.borrow();
        let Some(&cell) = guards.get(&guard) else { return };
        bridge.attached.push(guard);
        // SAFETY: cells are taken out of the table before they are freed.
        unsafe { (*cell).set_target(self.machine.arena.address(&bridge.block)) };
    }

    fn set_entry(&self, entry: TargetId, code: Option<CodeId>) {
        let (address, selector) = match code {
            Some(code) => self.entries.borrow()[code.index()],
            None => (self.machine.absent, 0),
        };
        assert!(!address.is_null(), "code of {entry} was freed");
        self.called(entry).set(address, selector);
    }

    fn exit(&self, left_with: u64) -> Exit {
        exit(left_with as usize)
    }

    fn frame_values(&self) -> usize {
        self.frame.get().0
    }

    fn free(&self, code: CodeId) {
        let mut freed =
            self.codes.borrow_mut().remove(&code).unwrap_or_else(|| panic!("{code} is freed twice"));
        for id in &freed.ids {
            self.entries.borrow_mut()[id.index()] = (std::ptr::null(), 0);
        }
        let start = self.machine.arena.address(&freed.block);
        let mut targets = self.targets.borrow_mut();
        for target in &freed.entries {
            // It may be in another code by now.
            if targets.get(target).is_some_and(|cell| cell.address() == start) {
                freed.target_cells.extend(targets.remove(target));
            }
        }
        let mut guards = self.guards.borrow_mut();
        for guard in &freed.attached {
            // SAFETY: cells are taken out of the table before they are freed.
            let cell = guards.get(guard).map(|&cell| unsafe { &*cell });
            if let Some(cell) = cell.filter(|cell| cell.target() == start) {
                cell.set_target(self.machine.deoptimise);
            }
        }
        for cell in freed.cells.as_slice() {
            if guards.get(&cell.guard()).is_some_and(|&newest| std::ptr::eq(newest, cell)) {
                guards.remove(&cell.guard());
            }
        }
        drop((guards, targets));
        self.freed.borrow_mut().push(freed);
        self.reclaim();
    }

    unsafe fn enter(&self, code: CodeId, frame: *mut u64, context: *mut Context) -> Exit {
        let (entry, selector) = self.entries.borrow()[code.index()];
        assert!(!entry.is_null(), "{code} was freed");
        // SAFETY: the frame has a header, which belongs to the backend.
        unsafe { frame.byte_add(HEADER_SELECTOR as usize).write(selector) };
        let _running = Running::new(self);
        // SAFETY: the entry is that of a trace; the caller vouches for frame and context.
        exit(unsafe { (self.machine.enter)(entry, frame, context) })
    }
}

/// What compiled code means by what it leaves with. Cells are not given back while code runs, and what runs called this code
/// or is it.
fn exit(left_with: usize) -> Exit {
    if left_with & TARGET_LEFT != 0 {
        let cell = std::ptr::with_exposed_provenance::<TargetCell>(left_with & !TARGET_LEFT);
        // SAFETY: compiled code leaves so with the cell of a target that it jumps to.
        return Exit::Crossing(unsafe { (*cell).target() });
    }
    match std::ptr::with_exposed_provenance::<GuardCell>(left_with) {
        cell if cell.is_null() => Exit::Finish,
        // SAFETY: the deoptimisation entry hands over the cell of the guard that failed.
        cell => Exit::Guard(unsafe { (*cell).guard() }),
    }
}

/// Counts a call of [`Backend::run`] while it is under way, also if it ends by a panic.
struct Running<'a>(&'a CraneliftBackend);

impl<'a> Running<'a> {
    fn new(backend: &'a CraneliftBackend) -> Running<'a> {
        backend.running.set(backend.running.get() + 1);
        Running(backend)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
        if self.0.waiting.get() {
            self.0.reclaim();
        }
    }
}

impl Drop for CraneliftBackend {
    fn drop(&mut self) {
        self.running.set(0);
        self.freed.borrow_mut().extend(self.codes.borrow_mut().drain().map(|(_, code)| code));
        self.reclaim();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cranelift_codegen::ir::{InstBuilder, types::F128};

    #[test]
    fn what_cranelift_refuses_is_not_compilable() {
        let machine = Machine::get().unwrap();
        let mut compiler = Compiler::new(machine.isa(OptLevel::None), machine.isa(OptLevel::Speed));
        compiler.context.func.signature = machine::trace_signature();
        let function = &mut compiler.context.func;
        let mut b = cranelift_frontend::FunctionBuilder::new(function, &mut compiler.builder_context);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let word = b.block_params(entry)[0];
        let float = b.ins().load(F128, cranelift_codegen::ir::MemFlagsData::new(), word, 0);
        let root = b.ins().sqrt(float);
        b.ins().store(cranelift_codegen::ir::MemFlagsData::new(), root, word, 0);
        b.ins().return_(&[word]);
        b.seal_all_blocks();
        b.finalize(machine.isa(OptLevel::None).frontend_config());
        assert_eq!(compiler.compile(OptLevel::None).err(), Some(Abort::NotCompilable));
    }
}
