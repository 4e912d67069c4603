//! From native code into the runtime and back: what the portal attribute's expansion calls at back edges.
//!
//! In: the values of a portal's parameters at its merge point. Out: what they are later, at a merge point again, or the
//! portal's result. In between the runtime may run compiled code, record, or do nothing.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use metatrace_backend::{CodeId, Exit, alloc, pending};
use metatrace_defs::Abort;
use metatrace_defs::jitcode::PortalId;
use metatrace_trace::GuardId;
use smallvec::SmallVec;

use crate::compile::{self, Start};
use crate::loaded::Loaded;
use crate::machine::{Blackhole, Outcome, Panic, Stack, Values, call_native};
use crate::record::{End, Session, merge_point_operands};
use crate::region;
use crate::rt::{Context, PortalGlue, ProgramGlue, Scalars, TracedBox, TracedHeader, catch};
use crate::traced::Traced;
use crate::vm::stats::add;
use crate::vm::tables::{Entry, Guard, GuardFrame, Home, Key, LoopCell, Source};
use crate::vm::{self, Limits, TraceFrame, VmState, recent};

/// Back edges of an owner between two looks at the VM while the current one is off.
const INACTIVE: u32 = 1 << 14;

/// Recordings within recordings that are allowed.
const MAX_NESTED: u32 = 4;

/// The most words that a portal's parameters may have.
const MAX_WORDS: usize = 64;

/// Counts a back edge: whether [`enter`] is to be called.
#[inline(always)]
pub fn tick<T>(owner: &Traced<T>) -> bool {
    let gate = &owner.header().gate;
    let (next, below) = gate.get().overflowing_sub(1);
    gate.set(next);
    below
}

/// Enters the runtime at the merge point of a portal: gives the parameters back as they are at the merge point where native
/// code goes on, or the portal's result.
///
/// The glue comes as a function, for its address would take a register in the portal's loop.
#[cold]
#[inline(never)]
pub fn enter<P: Scalars, R: Scalars>(glue: impl FnOnce() -> &'static PortalGlue, values: P) -> Result<P, R> {
    enter_at(Arrival::BackEdge, glue, values)
}

/// As [`enter`], at the beginning of the portal.
#[cold]
#[inline(never)]
pub fn enter_function<P: Scalars, R: Scalars>(
    glue: impl FnOnce() -> &'static PortalGlue,
    values: P,
) -> Result<P, R> {
    enter_at(Arrival::Call, glue, values)
}

/// How native code came to a merge point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    BackEdge,
    Call,
}

fn enter_at<P: Scalars, R: Scalars>(
    arrival: Arrival,
    glue: impl FnOnce() -> &'static PortalGlue,
    values: P,
) -> Result<P, R> {
    const { assert!(P::WORDS <= MAX_WORDS && R::WORDS <= MAX_WORDS, "a portal with too many words") };
    let mut words: Values<u64> = SmallVec::from_elem(0, P::WORDS);
    values.pack(&mut words);
    let place = Place::new(glue().home());
    match go_on(&vm::current(), &place, words, arrival) {
        // SAFETY: jitcode computed the words as native code would have; they are put together once.
        Outcome::MergePoint(words) => Ok(unsafe { P::unpack(&words) }),
        // SAFETY: as above.
        Outcome::Return(words) => Err(unsafe { R::unpack(&words) }),
        Outcome::Panic(payload) => std::panic::resume_unwind(payload),
    }
}

/// The address of the box of an owner, from the address of a reference to it.
pub fn owner_box(reference: u64) -> u64 {
    // SAFETY: the word is a `&Traced<T>`, whose only field is the address of its box.
    unsafe { (reference as usize as *const u64).read() }
}

/// The address of the canonical reference to an owner, from the address of its box.
pub fn canonical_owner(address: u64) -> u64 {
    // The place does not depend on the content's type: what stands before it has no generic size.
    address + std::mem::offset_of!(TracedBox<()>, canonical) as u64
}

/// A portal, as the runtime finds it.
pub struct Place {
    pub program: &'static ProgramGlue,
    pub loaded: &'static Loaded,
    pub portal: PortalId,
    /// Which word of the parameters is the owner.
    pub owner: usize,
}

impl Place {
    /// A portal of a program.
    pub fn new(Home { program, portal }: Home) -> Place {
        let loaded = program.loaded().unwrap_or_else(|message| {
            eprintln!("{message}");
            std::process::exit(2)
        });
        Place { program, loaded, portal, owner: loaded.facts(portal).owner }
    }

    /// The portal of the program.
    pub fn home(&self) -> Home {
        Home { program: self.program, portal: self.portal }
    }

    /// The cell of the merge point with these parameters.
    pub fn cell(&self, vm: &VmState, words: &[u64]) -> Rc<LoopCell> {
        // SAFETY: the word is a reference to a living owner.
        let owner = unsafe { vm.link(owner_box(words[self.owner])) };
        let numbers = &self.loaded.facts(self.portal).greens;
        let program = std::ptr::from_ref(self.program) as usize;
        let find = || {
            let key: Key = (program, self.portal, numbers.iter().map(|&n| words[n]).collect());
            vm.tables.borrow_mut().cell(owner, &key)
        };
        if numbers.len() > recent::GREENS {
            return find();
        }
        let mut greens = [0; recent::GREENS];
        greens.iter_mut().zip(numbers).for_each(|(green, &n)| *green = words[n]);
        let at = recent::At { owner, program, portal: self.portal, greens };
        // SAFETY: the tables keep the cells of an owner until it is gone, and it lives.
        unsafe { vm.recent.find(&at) }.unwrap_or_else(|| {
            let cell = find();
            vm.recent.keep(at, &cell);
            cell
        })
    }

    /// The words of the reds.
    fn reds<'w>(&self, words: &'w [u64]) -> impl Iterator<Item = u64> + use<'w> {
        self.loaded.facts(self.portal).reds.iter().map(|&n| words[n])
    }
}

/// Calls a portal from jitcode or compiled code, with the words of its parameters: where there is compiled code for them,
/// that is entered; otherwise, and where native code is to go on, `native` is called with the words.
///
/// # Errors
/// What the portal panicked with, if `native` did not run.
pub fn call(
    glue: &'static PortalGlue,
    words: &[u64],
    native: impl FnOnce(&[u64]) -> u64,
) -> Result<u64, Panic> {
    let vm = vm::current();
    if !vm.options.enabled {
        return Ok(native(words));
    }
    let place = Place::new(glue.home());
    let Some(entry) = place.cell(&vm, words).entry.get() else { return Ok(native(words)) };
    let give = |results: &[u64]| {
        // SAFETY: the context is this VM's, and no reference to it is held.
        let context = unsafe { &mut *vm.context() };
        context.results[..results.len()].copy_from_slice(results);
        Ok(results.first().copied().unwrap_or(0))
    };
    let mut frame = vm.frame();
    let Some(guard) = run_code(&vm, &place, entry, words, &mut frame) else {
        return give(&frame.values()[..place.loaded.portal(place.portal).results.len()]);
    };
    let outcome = complete(&vm, &place, guard, &mut frame);
    drop(frame);
    match outcome {
        Outcome::Return(results) => give(&results),
        Outcome::MergePoint(words) => Ok(native(&words)),
        Outcome::Panic(payload) => Err(payload),
    }
}

/// Goes on where a guard failed, until native code is to go on or the portal is left.
fn complete(vm: &Rc<VmState>, place: &Place, guard: GuardId, frame: &mut TraceFrame) -> Outcome {
    match guard_failed(vm, place, guard, frame) {
        Left::AtHeader(words) => go_on(vm, place, words, Arrival::BackEdge),
        Left::Out(outcome) => outcome,
    }
}

/// Completes a call between traces: what [`Context::left`](metatrace_backend::Context::left) is.
///
/// # Safety
/// The context must be the current VM's, and compiled code must have left the frame so.
pub unsafe extern "C" fn left(context: *mut Context, frame: *mut u64, left_with: u64) {
    let vm = vm::current();
    // SAFETY: the frame is one that compiled code made, and has left.
    let mut frame = unsafe { vm.nested_frame(frame) };
    let Some(id) = run_on(&vm, vm.backend.exit(left_with), &mut frame) else { return };
    let place = Place::new(vm.tables.borrow().guard(id).home);
    let outcome = match complete(&vm, &place, id, &mut frame) {
        Outcome::Return(results) => Ok(results),
        Outcome::MergePoint(words) => {
            let call = place.loaded.portal(place.portal).call;
            // SAFETY: the words are those of the portal's parameters; the context is the current VM's.
            unsafe { call_native(place.loaded, context, call, &words) }
        }
        Outcome::Panic(payload) => Err(payload),
    };
    match outcome {
        Ok(results) => frame.values()[..results.len()].copy_from_slice(&results),
        // SAFETY: the context is the current VM's, and no reference to it is held.
        Err(payload) => unsafe { catch(context, payload) },
    }
}

/// How a part of the work ended.
enum Left {
    /// At a merge point behind a back edge, with the words of the parameters.
    AtHeader(Values<u64>),
    /// Otherwise.
    Out(Outcome),
}

/// Goes on at a merge point, until native code is to go on or the portal is left.
fn go_on(vm: &Rc<VmState>, place: &Place, mut words: Values<u64>, mut arrival: Arrival) -> Outcome {
    loop {
        let address = owner_box(words[place.owner]);
        words[place.owner] = canonical_owner(address);
        // SAFETY: the owner lives, for the parameters refer to it; its header is the first field of the box.
        let header = unsafe { &*(address as usize as *const TracedHeader) };
        // Compiled code that used the heap's reserve would allocate on without collecting, and only who allocates natively is told
        // that the heap is full.
        let goes_on_natively = vm.goes_on_natively.take();
        if goes_on_natively {
            vm.collect_due(&words);
        }
        if let Err(payload) = vm.run_finalizers(&words) {
            return Outcome::Panic(payload);
        }
        if !vm.options.enabled {
            header.gate.set(INACTIVE);
            return Outcome::MergePoint(words);
        }
        header.gate.set(0);
        vm.read_mail();
        vm.free_dead();
        if goes_on_natively {
            return Outcome::MergePoint(words);
        }
        let cell = place.cell(vm, &words);
        let left = match cell.entry.get() {
            Some(entry) => run(vm, place, entry, &words),
            None if !is_hot(vm, arrival, &cell) => return Outcome::MergePoint(words),
            None if vm.options.params.blackhole_only == 1 => return interpret(vm, place, &words),
            None => record_loop(vm, place, &cell, &words),
        };
        match left {
            Left::AtHeader(next) => (words, arrival) = (next, Arrival::BackEdge),
            Left::Out(outcome) => return outcome,
        }
    }
}

/// Counts an arrival at a place: whether to record it now.
fn is_hot(vm: &VmState, arrival: Arrival, cell: &LoopCell) -> bool {
    vm.ticks.set(vm.ticks.get() + 1);
    let params = &vm.options.params;
    let threshold = match arrival {
        Arrival::BackEdge => params.threshold,
        Arrival::Call => params.function_threshold,
    };
    if cell.recording.get() || !cell.heat.pass(threshold, vm.epoch(), params.max_aborts) {
        return false;
    }
    may_record(vm)
}

fn may_record(vm: &VmState) -> bool {
    let nested = vm.recordings.get() >= MAX_NESTED;
    if nested {
        vm.shared.counters.abort(Abort::NestedRecording);
    }
    !nested
}

/// Runs one guest iteration in the blackhole interpreter.
fn interpret(vm: &VmState, place: &Place, words: &[u64]) -> Outcome {
    let mut frame = vm.frame();
    let mut stack: Stack<u64> = Stack::new(frame.area());
    let portal = place.loaded.portal(place.portal);
    let at = place.loaded.body(portal.jitcode).at(portal.merge_point);
    stack.push_at::<Blackhole>(place.loaded, portal.jitcode, at, 0);
    for (&operand, &word) in merge_point_operands(place.loaded, portal).iter().zip(words) {
        if !operand.is_const() {
            stack.set(place.loaded, operand, word);
        }
    }
    let mut blackhole = Blackhole::new(place.loaded, vm.context());
    let outcome = blackhole.run_iteration(&mut stack);
    add(&vm.shared.counters.blackholes, 1);
    add(&vm.shared.counters.merge_points_interpreted, blackhole.merge_points);
    outcome
}

/// Runs compiled code, and whatever follows when it is left.
fn run(vm: &Rc<VmState>, place: &Place, entry: Entry, words: &[u64]) -> Left {
    let mut frame = vm.frame();
    match run_code(vm, place, entry, words, &mut frame) {
        None => {
            let results = place.loaded.portal(place.portal).results.len();
            Left::Out(Outcome::Return(frame.values()[..results].into()))
        }
        Some(guard) => guard_failed(vm, place, guard, &mut frame),
    }
}

/// Runs compiled code until it returns, or until the guard that is given back fails.
fn run_code(
    vm: &VmState,
    place: &Place,
    entry: Entry,
    words: &[u64],
    frame: &mut TraceFrame,
) -> Option<GuardId> {
    for (slot, word) in frame.values().iter_mut().zip(place.reds(words)) {
        *slot = word;
    }
    add(&vm.shared.counters.entries, 1);
    run_on(vm, execute(vm, entry.code, frame), frame)
}

/// Goes on where compiled code was left, until it returns, or until the guard that is given back fails.
fn run_on(vm: &VmState, mut exit: Exit, frame: &mut TraceFrame) -> Option<GuardId> {
    loop {
        match exit {
            Exit::Finish => return None,
            Exit::Guard(guard) => return Some(guard),
            Exit::Crossing(target) => exit = execute(vm, region::crossed(vm, target), frame),
        }
    }
}

fn execute(vm: &VmState, code: CodeId, frame: &mut TraceFrame) -> Exit {
    struct Active<'a>(&'a VmState, Option<Limits>);
    impl Drop for Active<'_> {
        fn drop(&mut self) {
            self.1.take().inspect(|&limits| _ = self.0.set_limits(limits));
            self.0.deactivate();
        }
    }
    vm.activate();
    let _active = Active(vm, frame.limits().map(|limits| vm.set_limits(limits)));
    // SAFETY: the frame is one of this VM with the inputs in its slots, made of the portal's parameters; the context is
    // this VM's, with limits that leave room for frames.
    unsafe { vm.backend.enter(code, frame.address(), vm.context()) }
}

/// Goes on where a guard failed: records a bridge, or runs the activations on.
fn guard_failed(vm: &Rc<VmState>, place: &Place, id: GuardId, frame: &mut TraceFrame) -> Left {
    let guard = vm.tables.borrow().guard(id);
    let counters = &vm.shared.counters;
    add(&counters.guard_failures, 1);
    let every = vm.options.params.invalidate_every;
    if every > 0 && counters.guard_failures.load(std::sync::atomic::Ordering::Relaxed) % every == 0 {
        vm.invalidate(guard.tree);
    }
    if vm.last_failed.replace(Some(id)) == Some(id) {
        guard.repeats.set(guard.repeats.get() + 1);
    }
    // SAFETY: the context is this VM's, and no reference to it is held.
    let (panic, must_leave) = unsafe {
        let context = &mut *vm.context();
        context.merge_points += u64::from(guard.merge_points);
        let must_leave = context.pending & (pending::FINALIZERS | pending::HEAP_FULL) != 0;
        if context.pending & pending::HEAP_FULL != 0 {
            vm.goes_on_natively.set(true);
        }
        context.pending &= !pending::HEAP_FULL;
        (context.take_panic(), must_leave)
    };
    if let Some(flag) = guard.flag {
        // SAFETY: the flag is memory of the guard's tree, which lives as long as its guards.
        unsafe { (flag as usize as *mut u64).write(1) };
    }
    if panic.is_none() && !must_leave && guard_is_hot(vm, &guard) {
        return record_bridge(vm, place, id, &guard, frame);
    }
    let area = frame.area();
    let mut stack: Stack<u64> = Stack::new(area);
    let made = materialise(vm, place, &guard, frame.values());
    for GuardFrame { jitcode, pc, locals, registers } in &guard.frames {
        stack.push_at::<Blackhole>(place.loaded, *jitcode, place.loaded.body(*jitcode).at(*pc), *locals);
        for &(register, source) in registers {
            let word = match source {
                Source::Slot(slot) => frame.values()[slot as usize],
                Source::Const(bits) => bits,
                Source::Virtual(n) => made[n as usize],
            };
            stack.set(place.loaded, register, word);
        }
    }
    resume(vm, place, stack, panic)
}

/// Makes what the activations of a failed guard hold that nothing else holds.
pub fn materialise(vm: &VmState, place: &Place, guard: &Guard, values: &[u64]) -> Vec<u64> {
    let get = |source, made: &[u64]| match source {
        Source::Slot(slot) => values[slot as usize],
        Source::Const(bits) => bits,
        Source::Virtual(n) => made[n as usize],
    };
    // SAFETY: the context is this VM's; the trace of the guard was verified.
    unsafe { alloc::materialise(vm.context(), &place.loaded.program, &guard.virtuals, get) }
}

fn guard_is_hot(vm: &VmState, guard: &Guard) -> bool {
    let params = &vm.options.params;
    if guard.recording.get() || !guard.heat.pass(params.trace_eagerness, vm.epoch(), params.max_aborts) {
        return false;
    }
    let bridges = match vm.tables.borrow_mut().tree(guard.tree) {
        Some(tree) => tree.bridges,
        // The tree was invalidated while it ran.
        None => return false,
    };
    if bridges >= params.max_bridges {
        vm.failed(&guard.heat, Abort::TooManyBridges);
        return false;
    }
    may_record(vm)
}

/// Runs activations on in the blackhole interpreter, or their clean-up for a panic.
fn resume(vm: &VmState, place: &Place, mut stack: Stack<u64>, panic: Option<Panic>) -> Left {
    add(&vm.shared.counters.blackholes, 1);
    if let Some(payload) = panic
        && let Some(payload) = stack.unwind(place.loaded, payload)
    {
        return Left::Out(Outcome::Panic(payload));
    }
    let mut blackhole = Blackhole::new(place.loaded, vm.context());
    let outcome = blackhole.run(&mut stack);
    add(&vm.shared.counters.merge_points_interpreted, blackhole.merge_points);
    match outcome {
        Outcome::MergePoint(words) if stack.frames[0].loop_header => Left::AtHeader(words),
        outcome => Left::Out(outcome),
    }
}

fn record_loop(vm: &Rc<VmState>, place: &Place, cell: &Rc<LoopCell>, words: &[u64]) -> Left {
    let mut frame = vm.frame();
    let mut session = Session::at_merge_point(vm, place, frame.area(), words);
    session.pass_first();
    let _recording = Recording::begin(&cell.recording);
    record(vm, place, session, Start::Cell(cell))
}

/// Marks that a recording is under way, which a coroutine that is given up does not end.
struct Recording<'a>(&'a Cell<bool>);

impl Recording<'_> {
    fn begin(flag: &Cell<bool>) -> Recording<'_> {
        flag.set(true);
        Recording(flag)
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn record_bridge(
    vm: &Rc<VmState>,
    place: &Place,
    id: GuardId,
    guard: &Guard,
    frame: &mut TraceFrame,
) -> Left {
    let area = frame.area();
    let session = Session::at_guard(vm, place, area, guard, frame.values());
    let _recording = Recording::begin(&guard.recording);
    record(vm, place, session, Start::Guard(id, guard))
}

/// Records to the end, installs what was recorded, and says how to go on.
fn record(vm: &Rc<VmState>, place: &Place, mut session: Session, start: Start) -> Left {
    vm.recordings.set(vm.recordings.get() + 1);
    let began = Instant::now();
    let end = session.run();
    add(&vm.shared.counters.recording, began.elapsed().as_nanos() as u64);
    vm.recordings.set(vm.recordings.get() - 1);
    add(&vm.shared.counters.merge_points_interpreted, session.merge_points_passed());
    let heat = start.heat();
    match end {
        End::Panic(payload) => {
            vm.failed(heat, Abort::Panicked);
            Left::Out(Outcome::Panic(payload))
        }
        End::Abort(reason) => {
            vm.failed(heat, reason);
            let Session { stack, handed, .. } = session;
            if stack.frames.is_empty() {
                return Left::Out(Outcome::Return(handed.iter().map(|value| value.bits).collect()));
            }
            resume(vm, place, stack.map(|value| value.bits), None)
        }
        end => {
            if let Err(reason) = compile::install(vm, place, &mut session, &end, &start) {
                vm.failed(heat, reason);
            }
            match end {
                End::Finish => {
                    Left::Out(Outcome::Return(session.handed.iter().map(|value| value.bits).collect()))
                }
                _ => Left::AtHeader(session.words),
            }
        }
    }
}
