//! Passes over a whole trace that remove what nothing needs: overwritten stores, operations without use.

use metatrace_defs::descr::call_flag;
use metatrace_defs::{AccessId, Program, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, SnapshotId, TargetId, Trace, Value};

use crate::Counts;
use crate::memory::{Definitions, Locals, Location, Overlap, compares};

/// The most stores that are watched at once: a bound on the time that an access takes.
const MOST_WATCHED: usize = 64;

/// The definitions of a finished trace.
pub(crate) struct Defined<'a> {
    trace: &'a Trace,
    /// The operation that yields a value.
    by_value: Vec<Option<u32>>,
    /// The addresses of what is allocated that may turn out to be words that were there before.
    compared: Vec<Value>,
    locals: Locals,
}

impl<'a> Defined<'a> {
    /// With what is known of local memory where the trace starts.
    pub(crate) fn with_locals(program: &Program, trace: &'a Trace, locals: &Locals) -> Defined<'a> {
        let mut defined = Defined::new(trace);
        let mut locals = locals.clone();
        let has_locals = trace.insts.iter().any(|inst| inst.op == TraceOp::LocalAddr);
        for (n, inst) in trace.insts.iter().enumerate() {
            if has_locals {
                for (slot, of_old) in defined.escapes(program, inst.op, &inst.args) {
                    locals.escape(slot, if of_old { 0 } else { n + 1 });
                }
            }
            if compares(inst.op, &inst.args) {
                let bases = inst.args.iter().filter_map(|&arg| defined.linear(arg).0);
                let bases: Vec<Value> = bases.collect();
                defined.compared.extend(bases);
            }
        }
        defined.compared.sort_unstable();
        defined.locals = locals;
        defined
    }

    pub(crate) fn new(trace: &'a Trace) -> Defined<'a> {
        let mut by_value = vec![None; trace.values.len()];
        for (n, inst) in trace.insts.iter().enumerate() {
            for value in &inst.results {
                by_value[value.index()] = Some(n as u32);
            }
        }
        Defined { trace, by_value, compared: vec![], locals: Locals::new(None) }
    }

    /// Which operation yields a value; `None` for an input.
    pub(crate) fn place(&self, value: Value) -> Option<usize> {
        self.by_value[value.index()].map(|at| at as usize)
    }

    /// Whether a value is the result of a comparison or another test.
    pub(crate) fn is_comparison(&self, value: Value) -> bool {
        matches!(self.definition(value), Some((TraceOp::Pure(op), ..)) if op.is_bool())
    }
}

impl Definitions for Defined<'_> {
    fn resolve(&self, opnd: Opnd) -> Opnd {
        opnd
    }

    fn definition(&self, value: Value) -> Option<(TraceOp, Attached, &[Opnd])> {
        let inst = &self.trace.insts[self.by_value[value.index()]? as usize];
        Some((inst.op, inst.attached, &inst.args))
    }

    fn birth(&self, value: Value) -> (usize, bool) {
        let Some(at) = self.place(value) else { return (0, false) };
        let is_fresh =
            self.trace.insts[at].op.is_allocation() && self.compared.binary_search(&value).is_err();
        (at + 1, is_fresh)
    }

    fn locals(&self) -> &Locals {
        &self.locals
    }
}

/// Removes stores that are overwritten before a guard, call, label, end, read, or collection can see them.
pub(crate) fn dead_stores(program: &Program, locals: &Locals, trace: &mut Trace, counts: &mut Counts) {
    let defined = Defined::with_locals(program, trace, locals);
    let mut is_dead = vec![false; trace.insts.len()];
    // Places that are written further down, before anything sees them.
    let mut watched: Vec<(AccessId, Location)> = Vec::new();
    for (n, inst) in trace.insts.iter().enumerate().rev() {
        let (is_load, is_store) = match inst.op {
            TraceOp::SetField | TraceOp::SetElem => (false, true),
            TraceOp::GetField | TraceOp::GetElem | TraceOp::GetFieldFrozen | TraceOp::GetElemFrozen => {
                (true, false)
            }
            TraceOp::Pure(_)
            | TraceOp::InteriorField
            | TraceOp::InteriorElem
            | TraceOp::LocalAddr
            | TraceOp::Make
            | TraceOp::MakeArray
            | TraceOp::Free
            | TraceOp::FreeArray
            | TraceOp::Barrier
            | TraceOp::CountMergePoints => (false, false),
            TraceOp::GuardTrue
            | TraceOp::GuardFalse
            | TraceOp::GuardValue
            | TraceOp::GuardFloatValue
            | TraceOp::GuardNotPending
            | TraceOp::Label
            | TraceOp::Jump
            | TraceOp::Finish => {
                watched.clear();
                continue;
            }
            TraceOp::Call
            | TraceOp::CallElidable
            | TraceOp::CallAssembler
            | TraceOp::New
            | TraceOp::NewArray => {
                let bytes = |id: AccessId| program.access(id).scalar.bytes();
                watched.retain(|(id, place)| place.is_private(bytes(*id), defined.locals()));
                continue;
            }
        };
        if !is_load && !is_store {
            continue;
        }
        let access = program.access(inst.access());
        let address = if is_store { &inst.args[..inst.args.len() - 1] } else { &inst.args[..] };
        let location = defined.location(program, access, address);
        if is_load {
            watched.retain(|(id, other)| {
                !defined.may_touch(program, (access, &location), (program.access(*id), other))
            });
            continue;
        }
        let bytes = access.scalar.bytes();
        is_dead[n] = watched.iter().any(|(id, other)| {
            location.overlap(bytes, other, program.access(*id).scalar.bytes()) == Overlap::Same
        });
        if is_dead[n] {
            counts.stores += 1;
        } else if watched.len() < MOST_WATCHED {
            watched.push((inst.access(), location));
        }
    }
    remove(trace, &is_dead);
}

pub(crate) fn remove(trace: &mut Trace, is_dead: &[bool]) {
    let mut kept_before = 0;
    let places: Vec<u32> = is_dead
        .iter()
        .map(|&dead| {
            let place = kept_before;
            kept_before += u32::from(!dead);
            place
        })
        .collect();
    for (at, _) in &mut trace.notes {
        *at = places.get(*at as usize).copied().unwrap_or(kept_before);
    }
    let mut dead = is_dead.iter();
    trace.insts.retain(|_| !dead.next().expect("as many marks as operations"));
}

/// Removes operations whose results nobody uses, and label parameters likewise; then numbers values and snapshots
/// without gaps, in the order of their definition and use.
pub(crate) fn dead_operations(program: &Program, trace: &mut Trace, counts: &mut Counts) {
    let is_live = live_values(program, trace);
    let is_dead: Vec<bool> =
        trace.insts.iter().map(|inst| !must_stay(program, inst) && !any_live(&is_live, inst)).collect();
    counts.dead += is_dead.iter().filter(|&&dead| dead).count() as u32;
    let labels: Vec<(TargetId, Vec<bool>)> = (trace.insts.iter())
        .filter(|inst| inst.op == TraceOp::Label)
        .map(|inst| (inst.target(), inst.results.iter().map(|value| is_live[value.index()]).collect()))
        .collect();
    for inst in &mut trace.insts {
        let Attached::Target(target) = inst.attached else { continue };
        if let Some((_, kept)) = labels.iter().find(|(label, _)| *label == target) {
            let mut mask = kept.iter();
            inst.args.retain(|_| *mask.next().expect("a jump brings what its label takes"));
            let mut mask = kept.iter();
            inst.results.retain(|_| *mask.next().expect("a label yields what it takes"));
        }
    }
    remove(trace, &is_dead);
    renumber(trace);
}

/// Whether an operation stays though nobody uses its results.
fn must_stay(program: &Program, inst: &Inst) -> bool {
    inst.op.has_effect()
        || (inst.op == TraceOp::CallElidable && program.call(inst.call()).has(call_flag::CAN_PANIC))
}

fn any_live(is_live: &[bool], inst: &Inst) -> bool {
    inst.results.iter().any(|value| is_live[value.index()])
}

fn live_values(program: &Program, trace: &Trace) -> Vec<bool> {
    let mut is_live = vec![false; trace.values.len()];
    let mark = |is_live: &mut Vec<bool>, opnd: Opnd| {
        if let Opnd::Value(value) = opnd {
            is_live[value.index()] = true;
        }
    };
    // Each round may find more parameters of labels alive, and so more arguments of jumps.
    loop {
        let before = live_params(trace, &is_live);
        for inst in trace.insts.iter().rev() {
            let target = match inst.attached {
                Attached::Target(target) => own_label(trace, target),
                _ => None,
            };
            if let Some(label) = target {
                for (&arg, param) in inst.args.iter().zip(&label.results) {
                    if is_live[param.index()] {
                        mark(&mut is_live, arg);
                    }
                }
            } else if must_stay(program, inst) || any_live(&is_live, inst) {
                inst.args.iter().for_each(|&arg| mark(&mut is_live, arg));
                if let Some(id) = inst.snapshot {
                    trace.snapshots[id.index()].operands().for_each(|opnd| mark(&mut is_live, opnd));
                }
            }
        }
        if live_params(trace, &is_live) == before {
            return is_live;
        }
    }
}

/// Which values something uses.
pub(crate) fn used_values(trace: &Trace) -> Vec<bool> {
    let mut is_used = vec![false; trace.values.len()];
    let args = trace.insts.iter().flat_map(|inst| inst.args.iter().copied());
    for opnd in args.chain(trace.snapshots.iter().flat_map(|snapshot| snapshot.operands())) {
        if let Opnd::Value(value) = opnd {
            is_used[value.index()] = true;
        }
    }
    is_used
}

fn own_label(trace: &Trace, target: TargetId) -> Option<&Inst> {
    trace.insts.iter().find(|inst| inst.op == TraceOp::Label && inst.target() == target)
}

fn live_params(trace: &Trace, is_live: &[bool]) -> usize {
    let labels = trace.insts.iter().filter(|inst| inst.op == TraceOp::Label);
    labels.flat_map(|label| &label.results).filter(|value| is_live[value.index()]).count()
}

pub(crate) fn renumber(trace: &mut Trace) {
    let old_values = std::mem::take(&mut trace.values);
    let mut numbers: Vec<Option<Value>> = vec![None; old_values.len()];
    let mut values = Vec::new();
    let mut define = |value: &mut Value| {
        let new = Value::new(values.len());
        values.push(old_values[value.index()]);
        numbers[value.index()] = Some(new);
        *value = new;
    };
    trace.inputs.iter_mut().for_each(&mut define);
    trace.insts.iter_mut().flat_map(|inst| &mut inst.results).for_each(&mut define);
    let ids: std::collections::BTreeSet<_> = trace.insts.iter().filter_map(|inst| inst.snapshot).collect();
    for id in ids {
        for (value, _) in &mut trace.snapshots[id.index()].virtuals {
            let number = &mut numbers[value.index()];
            *value = *number.get_or_insert_with(|| {
                values.push(old_values[value.index()]);
                Value::new(values.len() - 1)
            });
        }
    }
    let rename = |opnd: &mut Opnd| {
        if let Opnd::Value(value) = opnd {
            *value = numbers[value.index()].expect("what is used is defined");
        }
    };
    let mut old_snapshots: Vec<_> = std::mem::take(&mut trace.snapshots).into_iter().map(Some).collect();
    let mut new_ids: Vec<Option<SnapshotId>> = vec![None; old_snapshots.len()];
    for inst in &mut trace.insts {
        inst.args.iter_mut().for_each(rename);
        let Some(id) = &mut inst.snapshot else { continue };
        *id = *new_ids[id.index()].get_or_insert_with(|| {
            let mut snapshot = old_snapshots[id.index()].take().expect("each snapshot is moved once");
            snapshot.operands_mut().for_each(rename);
            trace.snapshots.push(snapshot);
            SnapshotId::new(trace.snapshots.len() - 1)
        });
    }
    trace.values = values;
}
