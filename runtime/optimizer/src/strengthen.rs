//! Guards that a later guard implies take over its test.
//!
//! In: a finished trace. Out: the same trace, where of several guards on bits of one value, the last of which implies the
//! others, only the first is left, with the test of the last. So it may fail early; it resumes before what it protects,
//! so that this is right. What the test needs moves up to it: pure operations on the value. No test moves across calls and labels,
//! so that a guard still stands behind the operations whose results decide it in most cases.

use metatrace_defs::{PureOp, TraceOp};
use metatrace_trace::{Inst, Opnd, Trace, Value};

use crate::Counts;
use crate::cleanup::{Defined, remove};
use crate::facts::{self, Fact, transfer};
use crate::memory::Definitions;

/// The most guards that a guard is compared with.
const MOST_GUARDS: usize = 16;

/// How deep tests are looked into.
const MOST_DEPTH: u32 = 4;

/// What a guard that holds tells about a value.
struct Told {
    value: Value,
    fact: Fact,
    /// The operations that the test consists of.
    steps: Vec<usize>,
}

/// Merges guards into earlier ones that they imply.
pub(crate) fn guards(trace: &mut Trace, counts: &mut Counts) {
    let count = trace.insts.len();
    let mut is_dead = vec![false; count];
    // For each operation those that move to the place before it.
    let mut moved: Vec<Vec<usize>> = vec![vec![]; count];
    // For each guard the one whose test it has.
    let mut test_of: Vec<usize> = (0..count).collect();
    let mut open: Vec<usize> = vec![];
    let defined = Defined::new(trace);
    for (n, inst) in trace.insts.iter().enumerate() {
        if inst.op.is_call() || inst.op == TraceOp::Label {
            open.clear();
        }
        if !inst.op.is_guard() {
            continue;
        }
        let implied: Vec<usize> = match told(&defined, inst) {
            Some(told) => {
                let guards = open.iter().copied().rev().take(MOST_GUARDS);
                guards.filter(|&guard| is_implied(&defined, &trace.insts[test_of[guard]], &told)).collect()
            }
            None => vec![],
        };
        let Some((&first, others)) = implied.split_last() else {
            open.push(n);
            continue;
        };
        test_of[first] = n;
        let steps = told(&defined, inst).map(|told| told.steps).unwrap_or_default();
        let later =
            steps.into_iter().filter(|&step| step > first && !moved.iter().flatten().any(|&m| m == step));
        let later: Vec<usize> = later.collect();
        moved[first].extend(later.into_iter().rev());
        for &guard in others.iter().chain([&n]) {
            is_dead[guard] = true;
            counts.guards += 1;
        }
        open.retain(|guard| !others.contains(guard));
    }
    if is_dead.contains(&true) {
        write(trace, &test_of, &moved, &is_dead);
    }
}

/// What a guard tells, if it tests bits of one value.
fn told(defined: &Defined, guard: &Inst) -> Option<Told> {
    let (mut value, mut fact, mut steps) = match (guard.op, guard.args.as_slice()) {
        (TraceOp::GuardValue, &[Opnd::Value(value), Opnd::Word(word)]) => (value, Fact::exact(word), vec![]),
        (TraceOp::GuardTrue, &[Opnd::Value(test)]) => match defined.definition(test)? {
            (TraceOp::Pure(PureOp::IntEq), _, &[Opnd::Value(value), Opnd::Word(word)]) => {
                (value, Fact::exact(word), vec![defined.place(test)?])
            }
            _ => return None,
        },
        _ => return None,
    };
    while steps.len() < MOST_DEPTH as usize
        && let Some((TraceOp::Pure(op), _, args)) = defined.definition(value)
        && let [Opnd::Value(inner), rest @ ..] = args
        && rest.iter().all(|arg| arg.as_const().is_some())
        && let Some(of_inner) = facts::of_operand(op, rest.first().and_then(|arg| arg.as_const()), fact)
    {
        steps.push(defined.place(value)?);
        (value, fact) = (*inner, of_inner);
    }
    Some(Told { value, fact, steps })
}

/// Whether a guard holds if a value is what was told.
fn is_implied(defined: &Defined, guard: &Inst, told: &Told) -> bool {
    let Some(&Opnd::Value(tested)) = guard.args.first() else { return false };
    let Some(fact) = under(defined, tested, told, 0) else { return false };
    match guard.op {
        TraceOp::GuardTrue => fact.umin > 0,
        TraceOp::GuardFalse => fact.umax == 0,
        TraceOp::GuardValue => fact.as_exact().is_some() && fact.as_exact() == guard.args[1].as_const(),
        _ => false,
    }
}

/// What follows for a value that is computed from what was told.
fn under(defined: &Defined, value: Value, told: &Told, depth: u32) -> Option<Fact> {
    if value == told.value {
        return Some(told.fact);
    }
    let Some((TraceOp::Pure(op), _, args)) = defined.definition(value).filter(|_| depth < MOST_DEPTH) else {
        return None;
    };
    let mut facts = Vec::with_capacity(args.len());
    for arg in args {
        facts.push(match *arg {
            Opnd::Value(arg) => under(defined, arg, told, depth + 1)?,
            Opnd::Word(bits) | Opnd::Float(bits) => Fact::exact(bits),
        });
    }
    Some(transfer(op, &facts))
}

fn write(trace: &mut Trace, test_of: &[usize], moved: &[Vec<usize>], is_dead: &[bool]) {
    let before = std::mem::take(&mut trace.insts);
    let moves: Vec<usize> = moved.iter().flatten().copied().collect();
    let (mut places, mut dead) = (vec![], vec![]);
    for (n, inst) in before.iter().enumerate() {
        for &step in &moved[n] {
            trace.insts.push(before[step].clone());
            dead.push(false);
        }
        places.push(trace.insts.len() as u32);
        let test = &before[test_of[n]];
        let (op, args) = (test.op, test.args.clone());
        trace.insts.push(Inst { op, args, ..inst.clone() });
        dead.push(is_dead[n] || moves.contains(&n));
    }
    let end = trace.insts.len() as u32;
    for (at, _) in &mut trace.notes {
        *at = places.get(*at as usize).copied().unwrap_or(end);
    }
    remove(trace, &dead);
}
