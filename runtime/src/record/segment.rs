//! Pieces of a recording, and putting them together to a trace.

use std::sync::Arc;

use metatrace_defs::inst::Operand;
use metatrace_defs::{Kind, Program, TraceOp};
use metatrace_trace::{
    Attached, KnownWord, OpenPortal, Opnd, Snapshot, SnapshotFrame, SnapshotId, TargetId, Trace,
};

use super::Traced;
use crate::loaded::Loaded;
use crate::machine::{Frame, Stack, Values, call_results};

/// A recording from one merge point (or guard) to the next merge point whose greens were new.
pub struct Segment {
    /// The operations; no terminator.
    pub trace: Trace,
    /// The greens of the merge point at its start; `None` behind a guard.
    pub greens: Option<Values<u64>>,
    /// What it hands over to the next segment's inputs.
    pub handed: Values<Opnd>,
}

/// The snapshot of a stack, whose topmost activation stands at what is to be executed again.
pub fn snapshot(
    loaded: &Loaded,
    stack: &Stack<Traced>,
    merge_points: u32,
    known: Vec<KnownWord>,
    open: Arc<[OpenPortal]>,
) -> Snapshot {
    let top = stack.frames.len() - 1;
    let frames = stack.frames.iter().enumerate().map(|(n, frame)| snapshot_frame(loaded, frame, n < top));
    let frames = frames.collect();
    Snapshot { frames, virtuals: vec![], merge_points, handed: None, stores: vec![], known, open }
}

fn snapshot_frame(loaded: &Loaded, frame: &Frame<Traced>, in_call: bool) -> SnapshotFrame {
    let (code, body) = (loaded.program.jitcode(frame.jitcode), loaded.body(frame.jitcode));
    let pc = body.pc(frame.at);
    let live = code.live_at(pc);
    let results = if in_call { call_results(loaded, frame.jitcode, frame.at) } else { &[] };
    let words = live.words.iter().map(|&n| Operand::reg(Kind::Word, n));
    let floats = live.floats.iter().map(|&n| Operand::reg(Kind::Float, n));
    let mut registers = Vec::with_capacity(live.words.len() + live.floats.len());
    registers.extend(
        words
            .chain(floats)
            .filter(|register| !results.contains(register))
            .map(|register| (register, frame.registers[body.register(register)].opnd)),
    );
    SnapshotFrame { jitcode: frame.jitcode, pc, locals: frame.locals, registers }
}

/// The trace of consecutive segments, moved out of them, ended by a terminator with `args`.
///
/// With `label`, a label stands at its start, to which the trace may jump.
pub fn join(
    program: &Program,
    segments: &mut [Segment],
    label: Option<TargetId>,
    end: (TraceOp, Attached),
    args: &[Opnd],
) -> Trace {
    let mut joined = Trace::new();
    joined.insts.reserve(segments.iter().map(|segment| segment.trace.insts.len() + 1).sum());
    joined.values.reserve(segments.iter().map(|segment| segment.trace.values.len()).sum());
    let first = &segments[0].trace;
    let inputs: Vec<Opnd> = first
        .inputs
        .iter()
        .map(|&input| {
            let data = first.values[input.index()];
            Opnd::Value(joined.new_input(data.kind, data.recorded))
        })
        .collect();
    let mut handed = inputs;
    if let Some(target) = label {
        let recorded: Vec<u64> = handed.iter().map(|&opnd| joined.recorded(opnd).unwrap_or(0)).collect();
        let params = joined.push(program, TraceOp::Label, &handed, Attached::Target(target), &recorded);
        handed = params.into_iter().map(Opnd::Value).collect();
    }
    let mut ended = vec![];
    let all = segments.len();
    for (n, segment) in segments.iter_mut().enumerate() {
        let renaming = append(&mut joined, std::mem::take(&mut segment.trace), &handed);
        let last = if n + 1 == all { args } else { &segment.handed };
        handed = last.iter().map(|&opnd| renaming.opnd(opnd)).collect();
        ended.clone_from(&handed);
    }
    joined.push(program, end.0, &ended, end.1, &[]);
    joined
}

/// What stands for the values of a segment in the joined trace.
struct Renaming(Vec<Opnd>);

impl Renaming {
    fn opnd(&self, opnd: Opnd) -> Opnd {
        match opnd {
            Opnd::Value(value) => self.0[value.index()],
            constant => constant,
        }
    }
}

fn append(joined: &mut Trace, trace: Trace, inputs: &[Opnd]) -> Renaming {
    let mut renaming = Renaming(vec![Opnd::Word(0); trace.values.len()]);
    for (input, &opnd) in trace.inputs.iter().zip(inputs) {
        renaming.0[input.index()] = opnd;
    }
    let (first, first_snapshot) = (joined.insts.len() as u32, joined.snapshots.len());
    joined.notes.extend(trace.notes.into_iter().map(|(at, text)| (at + first, text)));
    for mut inst in trace.insts {
        inst.args.iter_mut().for_each(|arg| *arg = renaming.opnd(*arg));
        for result in &mut inst.results {
            let data = trace.values[result.index()];
            let value = joined.new_value(data.kind, data.recorded);
            renaming.0[result.index()] = Opnd::Value(value);
            *result = value;
        }
        inst.snapshot = inst.snapshot.map(|id| SnapshotId::new(first_snapshot + id.index()));
        joined.insts.push(inst);
    }
    for mut snapshot in trace.snapshots {
        snapshot.operands_mut().for_each(|opnd| *opnd = renaming.opnd(*opnd));
        joined.push_snapshot(snapshot);
    }
    renaming
}
