//! Operations of which nobody asks the bits that they change.
//!
//! In: a finished trace. Out: the same trace, where a mask, tag or sign extension is left out if all uses of its result
//! ask only for bits that it leaves alone. Which bits a use asks for follows from its operation: of what is stored as 32 bits
//! the lower 32, of the terms of a sum those up to the highest that is asked of the sum. Snapshots and whatever is not
//! known here ask for all.

use metatrace_defs::{Kind, Program, PureOp, TraceOp};
use metatrace_trace::{Opnd, Trace};
use smallvec::SmallVec;

use crate::Counts;

/// Leaves out what nobody asks for.
pub(crate) fn unmask(program: &Program, trace: &mut Trace, counts: &mut Counts) {
    let demanded = demanded(program, trace);
    let mut stands_for: Vec<Option<Opnd>> = vec![None; trace.values.len()];
    for inst in &trace.insts {
        let TraceOp::Pure(op) = inst.op else { continue };
        let value = inst.result();
        let bits = demanded[value.index()];
        let is_unseen = match (op, inst.args.get(1)) {
            _ if bits == 0 => false,
            (PureOp::IntAnd, Some(&Opnd::Word(mask))) => bits & !mask == 0,
            (PureOp::IntOr, Some(&Opnd::Word(set))) => bits & set == 0,
            (PureOp::IntSext8, _) => bits <= 0xff,
            (PureOp::IntSext16, _) => bits <= 0xffff,
            (PureOp::IntSext32, _) => bits <= 0xffff_ffff,
            _ => false,
        };
        if is_unseen {
            let inner = inst.args[0].as_value().and_then(|value| stands_for[value.index()]);
            stands_for[value.index()] = Some(inner.unwrap_or(inst.args[0]));
            counts.masks += 1;
        }
    }
    let replace = |opnd: &mut Opnd| {
        if let Opnd::Value(value) = opnd
            && let Some(inner) = stands_for[value.index()]
        {
            *opnd = inner;
        }
    };
    trace.insts.iter_mut().flat_map(|inst| &mut inst.args).for_each(replace);
    trace.snapshots.iter_mut().flat_map(|snapshot| snapshot.operands_mut()).for_each(replace);
    record_again(trace);
}

/// Upper bits of results may be others now than when they were recorded.
fn record_again(trace: &mut Trace) {
    for inst in &trace.insts {
        let TraceOp::Pure(op) = inst.op else { continue };
        if op.is_partial() {
            continue;
        }
        let words: Option<SmallVec<[u64; 3]>> = (inst.args.iter())
            .map(|&arg| arg.as_value().map_or(arg.as_const(), |value| trace.values[value.index()].recorded))
            .collect();
        if let Some(words) = words {
            trace.values[inst.result().index()].recorded = Some(op.eval(&words));
        }
    }
}

/// The bits of each value that something asks for.
fn demanded(program: &Program, trace: &Trace) -> Vec<u64> {
    let mut demanded = vec![0u64; trace.values.len()];
    for inst in trace.insts.iter().rev() {
        let of_result = match inst.op {
            TraceOp::Pure(_) => demanded[inst.result().index()],
            _ => u64::MAX,
        };
        for (n, arg) in inst.args.iter().enumerate() {
            let Opnd::Value(value) = arg else { continue };
            demanded[value.index()] |= match inst.op {
                TraceOp::Pure(op) => of_operand(op, n, &inst.args, of_result),
                TraceOp::SetField | TraceOp::SetElem if n == inst.args.len() - 1 => {
                    let scalar = program.access(inst.access()).scalar;
                    match scalar.kind() {
                        Kind::Word => u64::MAX >> (64 - 8 * scalar.bytes()),
                        Kind::Float => u64::MAX,
                    }
                }
                _ => u64::MAX,
            };
        }
        if let Some(id) = inst.snapshot {
            for value in trace.snapshots[id.index()].operands().filter_map(Opnd::as_value) {
                demanded[value.index()] = u64::MAX;
            }
        }
    }
    demanded
}

/// The bits of operand `n` on which the `bits` of the result depend.
fn of_operand(op: PureOp, n: usize, args: &[Opnd], bits: u64) -> u64 {
    let other = args.get(1 - n.min(1)).copied();
    let up_to = |highest: u64| if highest == 0 { 0 } else { u64::MAX >> highest.leading_zeros() };
    let count = match other {
        Some(Opnd::Word(count @ 0..64)) if n == 0 => Some(count),
        _ => None,
    };
    let extended = |width: u32| {
        let low = u64::MAX >> (64 - width);
        bits & low | if bits & !low == 0 { 0 } else { 1 << (width - 1) }
    };
    match (op, other, count) {
        (PureOp::IntAnd, Some(Opnd::Word(mask)), _) => bits & mask,
        (PureOp::IntOr, Some(Opnd::Word(set)), _) => bits & !set,
        (PureOp::IntAnd | PureOp::IntOr | PureOp::IntXor, ..) => bits,
        (PureOp::IntAdd | PureOp::IntSub | PureOp::IntMul, ..) => up_to(bits),
        (PureOp::IntShl, _, Some(count)) => bits >> count,
        (PureOp::UintShr, _, Some(count)) => bits << count,
        (PureOp::IntSar, _, Some(count)) => {
            let of_sign = bits & !(u64::MAX >> count);
            bits << count | if of_sign == 0 { 0 } else { 1 << 63 }
        }
        (PureOp::IntSext8, ..) => extended(8),
        (PureOp::IntSext16, ..) => extended(16),
        (PureOp::IntSext32, ..) => extended(32),
        (PureOp::IntSelect, ..) if n > 0 => bits,
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Rng, edge_words};

    /// Bits of operands that are not asked for do not change the bits that are.
    #[test]
    fn results_depend_on_what_is_asked_for() {
        let mut rng = Rng::new(5);
        let edges = edge_words();
        for &op in PureOp::ALL {
            if op.row().operands.contains(&Kind::Float) || op.is_partial() {
                continue;
            }
            for _ in 0..4000 {
                let args: Vec<Opnd> =
                    (op.row().operands.iter()).map(|_| Opnd::Word(rng.word(&edges))).collect();
                let bits = rng.word(&edges);
                let words: Vec<u64> = args.iter().filter_map(|arg| arg.as_const()).collect();
                let expected = op.eval(&words) & bits;
                for n in 0..args.len() {
                    let asked = of_operand(op, n, &args, bits);
                    let mut other = words.clone();
                    other[n] = (words[n] & asked) | (rng.next() & !asked);
                    assert_eq!(op.eval(&other) & bits, expected, "{op} {words:x?} {other:x?} {bits:x}");
                }
            }
        }
    }
}
