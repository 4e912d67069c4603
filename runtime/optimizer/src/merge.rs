//! Merging guards that step over neighbouring words into one.
//!
//! `x ≠ 0`, `x ≠ 1`, … `x ≠ n` are together `n < x`; and if `x + k - 1` is below a bound, then `x + k ≠ bound`, …,
//! `x + n ≠ bound` are together `n < bound - x`. The first of such guards tests all, and the others go. A guard may fail
//! early, for it resumes before what it protects; no guard of another kind stands between those that are merged, so that they
//! would have failed soon anyway.

use metatrace_defs::{Kind, PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Trace, Value, ValueData};
use smallvec::SmallVec;

use crate::Counts;
use crate::cleanup::{Defined, remove};
use crate::hash::Map;
use crate::memory::Definitions;

/// What a guard tests: that a value plus a constant is not 0, or not the bound.
type Tested = (Value, Option<Opnd>);

/// Guards that are open to be merged.
struct Run {
    first: usize,
    guards: Vec<usize>,
}

/// Merges guards.
pub(crate) fn guards(trace: &mut Trace, counts: &mut Counts) {
    let mut is_dead = vec![false; trace.insts.len()];
    // The operations that replace a guard.
    let mut replaced: Map<usize, (Tested, u64)> = Map::default();
    {
        let defined = Defined::new(trace);
        // The least constant that the value, or the bound less the value, is not known to be above.
        let mut reached: Map<Tested, i64> = Map::default();
        let mut open: Map<Tested, Run> = Map::default();
        for (n, inst) in trace.insts.iter().enumerate() {
            if inst.op.is_call() || matches!(inst.op, TraceOp::Label) {
                open.clear();
                continue;
            }
            if !inst.op.is_guard() {
                continue;
            }
            if let Some((value, constant)) = is_below(&defined, inst) {
                let floor = reached.get(&(value.0, None)).copied().unwrap_or(0);
                let is_low = constant <= 0 || reached.get(&value).is_some_and(|&next| constant <= next);
                // Only where the sum does not wrap.
                if is_low && floor.checked_add(constant).is_some_and(|least| least >= 0) {
                    let next = reached.entry(value).or_insert(i64::MIN);
                    *next = (*next).max(constant.saturating_add(1));
                }
                open.clear();
                continue;
            }
            let Some((tested, constant)) = steps(&defined, inst, &reached) else {
                open.clear();
                continue;
            };
            if tested.1.is_none() && !open.contains_key(&tested) {
                open.clear();
            }
            reached.insert(tested, constant.saturating_add(1));
            let run = open.entry(tested).or_insert(Run { first: n, guards: vec![] });
            run.guards.push(n);
            if run.guards.len() > 1 {
                is_dead[n] = true;
                counts.guards += 1;
                replaced.insert(run.first, (tested, constant as u64));
            }
        }
    }
    if replaced.is_empty() {
        return;
    }
    write(trace, &replaced, &mut is_dead);
    remove(trace, &is_dead);
}

/// If a guard tells that a sum is below a bound: the value and the bound, and the constant of the sum.
fn is_below(defined: &Defined, inst: &Inst) -> Option<(Tested, i64)> {
    let TraceOp::GuardTrue = inst.op else { return None };
    let (TraceOp::Pure(PureOp::UintLt), _, &[sum, bound]) = defined.definition(inst.args[0].as_value()?)?
    else {
        return None;
    };
    let (value, constant) = defined.linear(sum);
    Some(((value?, Some(bound)), constant as i64))
}

/// If a guard tests the next step from what is reached: what is reached by it.
fn steps(defined: &Defined, inst: &Inst, reached: &Map<Tested, i64>) -> Option<(Tested, i64)> {
    let tested = inst.args.first()?.as_value()?;
    let from = |value: Value| ((value, None), reached.get(&(value, None)).copied().unwrap_or(0));
    match (inst.op, defined.definition(tested)) {
        (TraceOp::GuardFalse, Some((TraceOp::Pure(PureOp::IntEq), _, &[a, b]))) => {
            for (a, b) in [(a, b), (b, a)] {
                let Opnd::Value(x) = a else { continue };
                if let Opnd::Word(word) = b {
                    let (tested, next) = from(x);
                    return (next >= 0 && word == next as u64).then_some((tested, next));
                }
                let (Some(value), constant) = defined.linear(a) else { continue };
                let tested = (value, Some(b));
                if reached.get(&tested) == Some(&(constant as i64)) && constant as i64 >= 0 {
                    return Some((tested, constant as i64));
                }
            }
            None
        }
        (TraceOp::GuardTrue, _) => {
            let (value, constant) = defined.linear(tested.into());
            if constant != 0 || defined.is_comparison(tested) {
                return None;
            }
            let (tested, next) = from(value?);
            (next == 0).then_some((tested, 0))
        }
        _ => None,
    }
}

/// Writes the tests that stand for several.
fn write(trace: &mut Trace, replaced: &Map<usize, (Tested, u64)>, is_dead: &mut Vec<bool>) {
    let before = std::mem::take(&mut trace.insts);
    let dead = std::mem::take(is_dead);
    let mut places = Vec::with_capacity(before.len());
    for (n, mut inst) in before.into_iter().enumerate() {
        places.push(trace.insts.len() as u32);
        if let Some(&((value, bound), constant)) = replaced.get(&n) {
            let mut push = |op: PureOp, args: &[Opnd]| {
                trace.values.push(ValueData { kind: Kind::Word, recorded: None });
                let result = Value::new(trace.values.len() - 1);
                trace.insts.push(Inst {
                    op: TraceOp::Pure(op),
                    args: SmallVec::from_slice(args),
                    attached: Attached::None,
                    results: SmallVec::from_slice(&[result]),
                    snapshot: None,
                });
                is_dead.push(false);
                Opnd::Value(result)
            };
            let distance = match bound {
                None => Opnd::Value(value),
                Some(bound) => push(PureOp::IntSub, &[bound, value.into()]),
            };
            let test = push(PureOp::UintLt, &[Opnd::Word(constant), distance]);
            (inst.op, inst.args) = (TraceOp::GuardTrue, SmallVec::from_slice(&[test]));
        }
        trace.insts.push(inst);
        is_dead.push(dead[n]);
    }
    let end = trace.insts.len() as u32;
    for (at, _) in &mut trace.notes {
        *at = places.get(*at as usize).copied().unwrap_or(end);
    }
}
