//! Merging guards that step over neighbouring words into one.
//!
//! `d ≠ k`, `d ≠ k + 1`, … `d ≠ n` are together `n - k < d - k`, unsigned and modulo 2^64. The distance `d` is a value, or a bound
//! less a value: `x + k ≠ bound`, …, `x + n ≠ bound` are together `n - k < bound - (x + k)`. The first of such guards tests
//! all, and the others go. A guard may fail early, for it resumes before what it protects; no guard of another kind stands
//! between those that are merged, so that they would have failed soon anyway.

use metatrace_defs::{Kind, PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Trace, Value, ValueData};
use smallvec::SmallVec;

use crate::Counts;
use crate::cleanup::{Defined, remove};
use crate::hash::Map;
use crate::memory::Definitions;

/// A distance: a value, or a bound less a value.
type Distance = (Value, Option<Opnd>);

/// Guards that are open to be merged: the distance is not `begin`, …, not `last`.
#[derive(Clone, Copy)]
struct Run {
    first: usize,
    /// If the distance is to a bound: what the first guard compares with it.
    stands_at: Opnd,
    begin: u64,
    last: u64,
    /// Whether the distance is known not to be less than `begin`.
    is_floor: bool,
}

/// Merges guards.
pub(crate) fn guards(trace: &mut Trace, counts: &mut Counts) {
    let mut is_dead = vec![false; trace.insts.len()];
    // What the first guard of several stands for.
    let mut merged: Map<usize, (Distance, Run)> = Map::default();
    let defined = Defined::new(trace);
    // What values are known not to be less than.
    let mut floors: Map<Value, u64> = Map::default();
    let mut open: Map<Distance, Run> = Map::default();
    for (n, inst) in trace.insts.iter().enumerate() {
        if !inst.op.is_guard() && !inst.op.is_call() && inst.op != TraceOp::Label {
            continue;
        }
        let Some((distance, stands_at, constant)) = excluded(&defined, inst, &open) else {
            open.clear();
            continue;
        };
        let is_next = |run: &Run| run.last.wrapping_add(1) == constant;
        match open.get_mut(&distance).filter(|run| is_next(run)) {
            Some(run) => {
                run.last = constant;
                is_dead[n] = true;
                counts.guards += 1;
                merged.insert(run.first, (distance, *run));
            }
            None => {
                let floor = floors.get(&distance.0).copied().unwrap_or(0);
                let is_floor = distance.1.is_none() && constant == floor;
                if distance.1.is_none() {
                    open.clear();
                }
                open.insert(distance, Run { first: n, stands_at, begin: constant, last: constant, is_floor });
            }
        }
        if distance.1.is_none()
            && open.get(&distance).is_some_and(|run| run.is_floor)
            && let Some(floor) = constant.checked_add(1)
        {
            floors.insert(distance.0, floor);
        }
    }
    if !merged.is_empty() {
        write(trace, &merged, &mut is_dead);
        remove(trace, &is_dead);
    }
}

/// If a guard tells that a distance is not a constant: the distance, what stands at the constant, and the constant. A distance
/// of a run that is open is preferred.
fn excluded(defined: &Defined, inst: &Inst, open: &Map<Distance, Run>) -> Option<(Distance, Opnd, u64)> {
    let tested = inst.args.first()?.as_value()?;
    match (inst.op, defined.definition(tested)) {
        (TraceOp::GuardFalse, Some((TraceOp::Pure(PureOp::IntEq), _, &[a, b]))) => {
            if let (Opnd::Value(x), Opnd::Word(word)) = (a, b) {
                return Some(((x, None), a, word));
            }
            let ways = [(a, b), (b, a)].map(|(x, bound)| {
                let (value, constant) = defined.linear(x);
                value.map(|value| ((value, Some(bound)), x, constant))
            });
            let of_open = ways.iter().flatten().find(|(distance, ..)| open.contains_key(distance));
            let moved = ways.iter().flatten().find(|(.., constant)| *constant != 0);
            of_open.or(moved).copied()
        }
        (TraceOp::GuardTrue, _) if !defined.is_comparison(tested) => Some(((tested, None), tested.into(), 0)),
        _ => None,
    }
}

/// Writes the tests that stand for several.
fn write(trace: &mut Trace, merged: &Map<usize, (Distance, Run)>, is_dead: &mut Vec<bool>) {
    let before = std::mem::take(&mut trace.insts);
    let dead = std::mem::take(is_dead);
    let mut places = Vec::with_capacity(before.len());
    for (n, mut inst) in before.into_iter().enumerate() {
        places.push(trace.insts.len() as u32);
        if let Some(&((value, bound), run)) = merged.get(&n) {
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
            let more = run.last.wrapping_sub(run.begin);
            let (most, distance) = match bound {
                Some(bound) => (more, push(PureOp::IntSub, &[bound, run.stands_at])),
                None if run.is_floor => (run.last, value.into()),
                None => {
                    let back = Opnd::Word(run.begin.wrapping_neg());
                    (more, push(PureOp::IntAdd, &[value.into(), back]))
                }
            };
            let test = push(PureOp::UintLt, &[Opnd::Word(most), distance]);
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
