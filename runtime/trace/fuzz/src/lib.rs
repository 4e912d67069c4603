//! Generated traces that run, for comparing engines: the optimiser's output with its input, backends with each other.
//!
//! A [`Case`] is a verified trace with inputs and the memory it works on. It was executed once while it was generated,
//! as a recorder does it: so its guards hold in the first passage (but for a few), its memory accesses are valid
//! whichever way it goes, and no division is reached with a divisor of 0. A loop ends, as a counter is among its inputs.
//!
//! [`Case::run`] runs it, or a trace that shall do the same, on any backend from the same memory image, and tells how it
//! was left and all that can then be observed. Guards are told from each other by the `pc` of their innermost frame.

mod generate;
pub mod heap;
mod objects;
pub mod world;

use metatrace_backend::{Backend, CodeId, Context, Exit, FRAME_HEADER, Job, Part, PartStart, Region, alloc};
use metatrace_defs::inst::Operand as Register;
use metatrace_defs::{JitCodeId, Program, TraceOp};
use metatrace_trace::{Attached, GuardId, Inst, Opnd, Snapshot, TargetId, Trace, Value, Virtual};

pub use generate::generate;

/// Value slots of the frame.
pub const FRAME_VALUES: usize = 512;
/// Bytes of the frame's local memory.
pub const FRAME_BYTES: usize = 1024;

/// The target of a generated loop's entry.
pub const ENTRY: TargetId = TargetId(0);
/// The target of the label at the start of some generated loops.
pub const LABEL: TargetId = TargetId(2);
/// A target that no generated trace uses.
pub const FREE_TARGET: TargetId = TargetId(1);

/// A trace with what it works on.
pub struct Case {
    /// The descriptors.
    pub program: Program,
    /// The trace.
    pub trace: Trace,
    /// What the trace starts with.
    pub inputs: Vec<u64>,
    memory: Box<[u64]>,
    image: Vec<u64>,
    frame: Box<[u64]>,
    locals: Vec<u64>,
    /// Whether local memory is only used where the trace has written it before, in the same passage.
    pub has_own_locals: bool,
}

/// How a trace was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// Through `finish`, with these results.
    Finish(Vec<u64>),
    /// Through a guard.
    Guard(Vec<ResumeFrame>),
}

/// An activation to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeFrame {
    /// What runs in it.
    pub jitcode: JitCodeId,
    /// Where it goes on.
    pub pc: u32,
    /// Where its local memory starts.
    pub locals: u32,
    /// Its registers.
    pub registers: Vec<(Register, u64)>,
}

/// All that can be observed of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How the trace was left.
    pub left: Left,
    /// Merge points passed.
    pub merge_points: u64,
    /// What was pending.
    pub pending: u64,
    /// The objects.
    pub memory: Vec<u64>,
    /// The frame's local memory.
    pub locals: Vec<u64>,
    /// What the objects hold that were allocated and can be reached, in the order in which they are met.
    pub objects: Vec<Vec<u64>>,
}

impl Outcome {
    /// The `pc` of the guard that the trace was left through.
    pub fn guard_pc(&self) -> Option<u32> {
        match &self.left {
            Left::Guard(frames) => frames.last().map(|frame| frame.pc),
            Left::Finish(_) => None,
        }
    }
}

/// The `pc` that tells a guard from others, by the guard's number in its trace.
pub fn guard_pcs(trace: &Trace) -> Vec<u32> {
    let snapshots = trace.insts.iter().filter_map(|inst| inst.snapshot);
    snapshots.filter_map(|id| trace.snapshots[id.index()].frames.last()).map(|frame| frame.pc).collect()
}

impl Case {
    /// How much local memory is in use where the trace starts, if that is known.
    pub fn locals_in_use(&self) -> Option<u64> {
        self.has_own_locals.then_some(0)
    }

    /// Compiles `trace` (the case's own, or one that shall do the same), runs it from the case's inputs and memory image,
    /// and frees it. The guards are numbered from 0 in their order.
    ///
    /// # Panics
    /// If the backend refuses the trace.
    pub fn run(&mut self, backend: &dyn Backend, trace: &Trace) -> Outcome {
        backend.set_frame(FRAME_VALUES, FRAME_BYTES);
        let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
        let guards: Vec<GuardId> = (0..count).map(GuardId::new).collect();
        let shims = world::shims();
        let job = Job { program: &self.program, shims: &shims, trace, guards: &guards, entry: Some(ENTRY) };
        let compiled = backend.compile(&job).unwrap_or_else(|abort| panic!("{abort}:\n{trace}"));

        let (exit, mut context) = self.execute(backend, compiled.code);
        backend.free(compiled.code);
        let (left, merge_points) = match exit {
            Exit::Finish => (self.finished(trace), 0),
            Exit::Guard(guard) => self.resume(trace, guard.index(), &mut context),
            Exit::Crossing(target) => unreachable!("one trace does not cross to {target}"),
        };
        self.outcome(left, merge_points, &context)
    }

    /// Compiles two traces that were [`cut`] from one (or what became of them, with the numbers that their guards had), runs
    /// them as [`Case::run`] does, and frees them.
    ///
    /// # Panics
    /// If the backend refuses them, or parts have no guard for the bridge.
    pub fn run_cut(
        &mut self,
        backend: &dyn Backend,
        cut: &Cut,
        parts: &[(usize, &Trace, Vec<usize>)],
    ) -> Outcome {
        backend.set_frame(FRAME_VALUES, FRAME_BYTES);
        let first = cut.traces[0].insts.iter().filter(|inst| inst.op.is_guard()).count();
        let guards: Vec<Vec<GuardId>> = (parts.iter())
            .map(|(part, _, guards)| guards.iter().map(|guard| GuardId::new(part * first + guard)).collect())
            .collect();
        let starts = [PartStart::Entry(ENTRY), PartStart::Guard(GuardId::new(cut.guard))];
        let parts: Vec<Part> = (parts.iter().zip(&guards))
            .map(|((part, trace, _), guards)| Part { trace, guards, start: starts[*part] })
            .collect();
        let shims = world::shims();
        let region = Region { program: &self.program, shims: &shims, parts: &parts };
        let compiled = backend.compile_region(&region).unwrap_or_else(|abort| panic!("{abort}"));
        let code = compiled.entries[0].1;
        let (exit, mut context) = self.execute(backend, code);
        backend.free(code);
        let (left, merge_points) = match exit {
            Exit::Finish => (self.finished(cut.traces.last().expect("two traces")), 0),
            Exit::Guard(guard) if guard.index() < first => {
                self.resume(&cut.traces[0], guard.index(), &mut context)
            }
            Exit::Guard(guard) => self.resume(&cut.traces[1], guard.index() - first, &mut context),
            Exit::Crossing(target) => unreachable!("a region does not cross to {target}"),
        };
        self.outcome(left, merge_points, &context)
    }

    /// Runs code from the inputs and the memory image.
    fn execute(&mut self, backend: &dyn Backend, code: CodeId) -> (Exit, Context) {
        self.memory.copy_from_slice(&self.image);
        let slots = FRAME_HEADER..FRAME_HEADER + FRAME_VALUES;
        self.frame[slots.end..].copy_from_slice(&self.locals);
        self.frame[slots][..self.inputs.len()].copy_from_slice(&self.inputs);
        heap::clear();
        let mut context = Context { allocator: heap::allocator(), ..Context::default() };
        // SAFETY: the frame has the size that was set, and the inputs are those the trace was generated for.
        let exit = unsafe { backend.run(code, self.frame.as_mut_ptr(), &mut context) };
        (exit, context)
    }

    fn slots(&self) -> &[u64] {
        &self.frame[FRAME_HEADER..FRAME_HEADER + FRAME_VALUES]
    }

    fn finished(&self, trace: &Trace) -> Left {
        let count = trace.insts.last().map_or(0, |inst| inst.args.len());
        Left::Finish(self.slots()[..count].to_vec())
    }

    fn outcome(&self, left: Left, merge_points: u64, context: &Context) -> Outcome {
        let mut canonical = heap::Canonical::default();
        let left = match left {
            Left::Finish(words) => Left::Finish(canonical.words(&words)),
            Left::Guard(mut frames) => {
                for (_, word) in frames.iter_mut().flat_map(|frame| &mut frame.registers) {
                    *word = canonical.word(*word);
                }
                Left::Guard(frames)
            }
        };
        // What a trace keeps for itself in local memory ends where it finishes.
        let have_ended = self.has_own_locals && matches!(left, Left::Finish(_));
        let locals = if have_ended { &[] } else { &self.frame[FRAME_HEADER + FRAME_VALUES..] };
        Outcome {
            left,
            merge_points: context.merge_points + merge_points,
            pending: context.pending,
            memory: canonical.words(&self.memory),
            locals: canonical.words(locals),
            objects: canonical.objects(),
        }
    }

    /// What a guard's snapshot says, with the values that were handed over.
    fn resume(&self, trace: &Trace, guard: usize, context: &mut Context) -> (Left, u64) {
        let mut snapshots = trace.insts.iter().filter_map(|inst| inst.snapshot);
        let id = snapshots.nth(guard).expect("the guard is one of the trace");
        let (fail_values, words) = (trace.fail_values(id), self.slots());
        let snapshot = &trace.snapshots[id.index()];
        let value = |opnd: Opnd, made: &[u64]| match opnd {
            Opnd::Value(value) => match snapshot.virtual_number(value) {
                Some(n) => made[n],
                None => {
                    let slot = fail_values.iter().position(|&v| v == value);
                    words[slot.expect("what is used is handed over")]
                }
            },
            Opnd::Word(bits) | Opnd::Float(bits) => bits,
        };
        let virtuals: Vec<Virtual> = snapshot.virtuals.iter().map(|(_, made)| made.clone()).collect();
        // SAFETY: the context is the run's, and the trace was verified.
        let made = unsafe { alloc::materialise(context, &self.program, &virtuals, value) };
        let frames = snapshot.frames.iter().map(|frame| ResumeFrame {
            jitcode: frame.jitcode,
            pc: frame.pc,
            locals: frame.locals,
            registers: (frame.registers.iter())
                .map(|&(register, opnd)| (register, value(opnd, &made)))
                .collect(),
        });
        (Left::Guard(frames.collect()), snapshot.merge_points.into())
    }
}

/// A trace in two: one with an entry, and a bridge of one of its guards.
pub struct Cut {
    /// The two.
    pub traces: [Trace; 2],
    /// The number of the bridge's guard among the first one's.
    pub guard: usize,
}

/// Cuts a trace at operation `at`, if that is a guard on a truth value and the trace has no label: a guard before it fails if
/// it would hold, and what follows is that guard's bridge.
pub fn cut(trace: &Trace, at: usize) -> Option<Cut> {
    let inst = &trace.insts[at];
    let opposite = match inst.op {
        TraceOp::GuardTrue => TraceOp::GuardFalse,
        TraceOp::GuardFalse => TraceOp::GuardTrue,
        _ => return None,
    };
    if trace.insts.iter().any(|inst| inst.op == TraceOp::Label) {
        return None;
    }
    let (before, after) = trace.insts.split_at(at);
    let mut is_used = vec![false; trace.values.len()];
    for inst in &after[1..] {
        let snapshot = inst.snapshot.map(|id| &trace.snapshots[id.index()]);
        let opnds =
            inst.args.iter().copied().chain(snapshot.into_iter().flat_map(|snapshot| snapshot.operands()));
        opnds.filter_map(Opnd::as_value).for_each(|value| is_used[value.index()] = true);
    }
    let defined = trace.inputs.iter().chain(before.iter().flat_map(|inst| &inst.results)).copied();
    let handed: Vec<Value> = defined.filter(|value| is_used[value.index()]).collect();
    let mut first = Trace { insts: before.to_vec(), ..trace.clone() };
    let id = inst.snapshot.expect("a verified guard has a snapshot");
    let handed_over = Some(handed.iter().map(|&value| value.into()).collect());
    let snapshot =
        first.push_snapshot(Snapshot { handed: handed_over, ..trace.snapshots[id.index()].clone() });
    first.insts.push(Inst { op: opposite, snapshot: Some(snapshot), ..inst.clone() });
    first.insts.push(inst.clone());
    let again = trace.inputs.iter().map(|&input| input.into()).collect();
    let (attached, results) = (Attached::Target(ENTRY), Default::default());
    first.insts.push(Inst { op: TraceOp::Jump, args: again, attached, results, snapshot: None });
    first.notes.clear();
    let bridge = Trace { inputs: handed, insts: after[1..].to_vec(), notes: vec![], ..trace.clone() };
    let guard = before.iter().filter(|inst| inst.op.is_guard()).count();
    Some(Cut { traces: [first, bridge], guard })
}
