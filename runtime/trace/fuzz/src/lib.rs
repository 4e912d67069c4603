//! Generated traces that run, for comparing engines: the optimiser's output with its input, backends with each other.
//!
//! A [`Case`] is a verified trace with inputs and the memory it works on. It was executed once while it was generated,
//! as a recorder does it: so its guards hold in the first passage (but for a few), its memory accesses are valid
//! whichever way it goes, and no division is reached with a divisor of 0. A loop ends, as a counter is among its inputs.
//!
//! [`Case::run`] runs it, or a trace that shall do the same, on any backend from the same memory image, and tells how it
//! was left and all that can then be observed. Guards are told from each other by the `pc` of their innermost frame.

mod generate;
pub mod world;

use metatrace_backend::{Backend, Context, Exit, FRAME_HEADER, Job};
use metatrace_defs::inst::Operand as Register;
use metatrace_defs::{JitCodeId, Program};
use metatrace_trace::{GuardId, Opnd, TargetId, Trace};

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

        self.memory.copy_from_slice(&self.image);
        let slots = FRAME_HEADER..FRAME_HEADER + FRAME_VALUES;
        self.frame[slots.end..].copy_from_slice(&self.locals);
        self.frame[slots.clone()][..self.inputs.len()].copy_from_slice(&self.inputs);
        let mut context = Context::default();
        // SAFETY: the frame has the size that was set, and the inputs are those the trace was generated for.
        let exit = unsafe { backend.run(compiled.code, self.frame.as_mut_ptr(), &mut context) };
        backend.free(compiled.code);

        let values = &self.frame[slots.clone()];
        let (left, merge_points) = match exit {
            Exit::Finish => {
                let count = trace.insts.last().map_or(0, |inst| inst.args.len());
                (Left::Finish(values[..count].to_vec()), 0)
            }
            Exit::Guard(guard) => resume(trace, guard, values),
            Exit::Crossing(target) => unreachable!("one trace does not cross to {target}"),
        };
        Outcome {
            left,
            merge_points: context.merge_points + merge_points,
            pending: context.pending,
            memory: self.memory.to_vec(),
            locals: self.frame[slots.end..].to_vec(),
        }
    }
}

/// What a guard's snapshot says, with the values that were handed over.
fn resume(trace: &Trace, guard: GuardId, values: &[u64]) -> (Left, u64) {
    let mut snapshots = trace.insts.iter().filter_map(|inst| inst.snapshot);
    let id = snapshots.nth(guard.index()).expect("the guard is one of the trace");
    let fail_values = trace.fail_values(id);
    let value = |opnd: Opnd| match opnd {
        Opnd::Value(value) => {
            let slot = fail_values.iter().position(|&v| v == value).expect("what is used is handed over");
            values[slot]
        }
        Opnd::Word(bits) | Opnd::Float(bits) => bits,
    };
    let snapshot = &trace.snapshots[id.index()];
    let frames = snapshot.frames.iter().map(|frame| ResumeFrame {
        jitcode: frame.jitcode,
        pc: frame.pc,
        locals: frame.locals,
        registers: frame.registers.iter().map(|&(register, opnd)| (register, value(opnd))).collect(),
    });
    (Left::Guard(frames.collect()), snapshot.merge_points.into())
}
