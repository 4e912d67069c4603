//! Removes barriers that tell the collector nothing new.
//!
//! In: a trace whose addresses were resolved. Out: the same without barriers of two kinds:
//! - for an object that was allocated since anything may have been collected: it is young, and all of it is looked at;
//! - for an address that was told of since.
//!
//! What may collect are calls that say so and allocations in the collected heap (what is *made* collects nothing), and whatever a loop
//! does around its label, unless nothing of the kind is in it. Leaving
//! through a guard changes nothing: what was told stays told until something is collected.

use std::collections::HashSet;

use metatrace_defs::descr::call_flag;
use metatrace_defs::{Program, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Trace, Value};

use crate::Counts;
use crate::cleanup::{Defined, remove};
use crate::memory::Definitions;

pub(crate) fn barriers(program: &Program, trace: &mut Trace, counts: &mut Counts) {
    if !trace.insts.iter().any(|inst| inst.op == TraceOp::Barrier) {
        return;
    }
    let defined = Defined::new(trace);
    let mut young: HashSet<Value> = HashSet::new();
    let mut told: HashSet<Opnd> = HashSet::new();
    let mut is_dead = vec![false; trace.insts.len()];
    let stays_told = label_of_quiet_loop(program, trace);
    for (n, inst) in trace.insts.iter().enumerate() {
        let dead = &mut is_dead[n];
        if inst.op == TraceOp::Barrier {
            let address = inst.args[0];
            let is_young = object(&defined, address).is_some_and(|object| young.contains(&object));
            *dead = is_young || !told.insert(address);
            counts.barriers += u32::from(*dead);
        } else if may_collect(program, inst) && stays_told != Some(n) {
            young.clear();
            told.clear();
        }
        if inst.op.is_allocation() && program.alloc(inst.alloc()).is_collected() {
            young.insert(inst.result());
        }
    }
    remove(trace, &is_dead);
}

/// The label of the trace's loop, if nothing in it may collect. Nobody else jumps there: what was told before it stays told.
fn label_of_quiet_loop(program: &Program, trace: &Trace) -> Option<usize> {
    let last = trace.insts.last().filter(|last| last.op == TraceOp::Jump)?;
    let label =
        trace.insts.iter().position(|inst| inst.op == TraceOp::Label && inst.attached == last.attached)?;
    let is_quiet = !trace.insts[label + 1..].iter().any(|inst| may_collect(program, inst));
    is_quiet.then_some(label)
}

/// The object that an address is in, as far as the trace says.
fn object(defined: &Defined, address: Opnd) -> Option<Value> {
    let mut value = address.as_value()?;
    while let Some((TraceOp::InteriorField | TraceOp::InteriorElem, _, args)) = defined.definition(value) {
        value = args[0].as_value()?;
    }
    Some(value)
}

fn may_collect(program: &Program, inst: &Inst) -> bool {
    match inst.attached {
        Attached::Call(call) if inst.op.is_call() => program.call(call).has(call_flag::CAN_COLLECT),
        Attached::Alloc(alloc) => inst.op.may_collect() && program.alloc(alloc).is_collected(),
        _ => inst.op.is_call() || inst.op == TraceOp::Label,
    }
}
