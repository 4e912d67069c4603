//! Sums that are below a bound.
//!
//! An entry says that a value plus a constant (which may be negative) is below an operand, unsigned, without wrapping. What lies
//! between 0 and such a sum is below the bound too; what is one more, and not equal to it, is below it again. So one test of
//! an index serves all that is reached from it step by step.

use metatrace_defs::PureOp;
use metatrace_trace::{Opnd, Value};
use smallvec::SmallVec;

use crate::facts::Fact;
use crate::forward::Forward;
use crate::hash::Map;
use crate::memory::{Definitions, Location};
use crate::relations::Relation;

/// For each value the bounds, with the greatest constant known.
#[derive(Clone, Default)]
pub(crate) struct Bounds {
    below: Map<Value, SmallVec<[(Opnd, i64); 2]>>,
    /// Constants, from the first to the last, with which the sum is known not to be the bound.
    apart: Map<(Value, Opnd), (u64, u64)>,
}

impl Bounds {
    fn get(&self, value: Value, bound: Opnd) -> Option<i64> {
        self.of(value).find(|known| known.0 == bound).map(|known| known.1)
    }

    fn of(&self, value: Value) -> impl Iterator<Item = (Opnd, i64)> + '_ {
        self.below.get(&value).into_iter().flatten().copied()
    }

    fn learn(&mut self, value: Value, bound: Opnd, constant: i64) {
        let bounds = self.below.entry(value).or_default();
        match bounds.iter_mut().find(|known| known.0 == bound) {
            Some(known) => known.1 = constant.max(known.1),
            None => bounds.push((bound, constant)),
        }
    }
}

/// An element of an array: a value plus a constant.
type Slot = (Value, i64);

impl Forward<'_> {
    /// Two operands are known to compare in some way.
    pub fn learn_relation(&mut self, a: Opnd, b: Opnd, relation: Relation) {
        self.relations.learn(a, b, relation);
        let below = Relation::of(PureOp::UintLt, true).expect("a comparison");
        let apart = Relation::of(PureOp::IntEq, false).expect("a comparison");
        for (a, b) in [(a, b), (b, a)] {
            let known = self.relations.get(a, b);
            if known.is_within(below) {
                self.note_below(a, b);
            } else if known.is_within(apart)
                && let (Some(value), constant) = self.linear(a)
                && let Some(most) = self.bounds.get(value, b)
                && most.checked_add(1) == Some(constant as i64)
            {
                // At most the bound, and not the bound.
                self.relations.learn(a, b, below);
                self.note_below(a, b);
            }
        }
    }

    fn note_below(&mut self, a: Opnd, b: Opnd) {
        let (Some(value), constant) = self.linear(a) else { return };
        let constant = constant as i64;
        let fact = self.fact_of(value.into());
        let least = i128::from(fact.umin) + i128::from(constant);
        let most = i128::from(fact.umax) + i128::from(constant);
        if least < 0 || most > i128::from(u64::MAX) {
            // The sum may wrap, but it is what it is.
            if let Opnd::Value(sum) = a {
                self.bounds.learn(sum, b, 0);
            }
            return;
        }
        self.bounds.learn(value, b, constant);
        if constant >= 0 {
            self.refine(value, Fact::unsigned(0, u64::MAX - 1 - constant as u64));
        }
    }

    /// `most < bound - x` is known to hold, unsigned and modulo 2^64: neither `x` nor the words behind it up to `x + most`
    /// are the bound.
    pub fn learn_distance(&mut self, most: u64, bound: Opnd, x: Opnd) {
        if let (Some(value), first) = self.linear(x) {
            self.bounds.apart.insert((value, bound), (first, most));
        }
    }

    fn is_apart(&self, a: Opnd, b: Opnd) -> bool {
        let (Some(value), constant) = self.linear(a) else { return false };
        let known = self.bounds.apart.get(&(value, b));
        known.is_some_and(|&(first, most)| constant.wrapping_sub(first) <= most)
    }

    fn is_below(&self, a: Opnd, b: Opnd) -> bool {
        let (Some(value), constant) = self.linear(a) else { return false };
        let constant = constant as i64;
        self.bounds.get(value, b).is_some_and(|most| constant <= most)
            && i128::from(self.fact_of(value.into()).umin) + i128::from(constant) >= 0
    }

    /// What a comparison gives, if bounds tell.
    pub fn decide_by_bounds(&self, op: PureOp, a: Opnd, b: Opnd) -> Option<bool> {
        let (below, above) = match op {
            PureOp::IntEq => (false, false),
            PureOp::IntNe => (true, true),
            PureOp::UintLt | PureOp::UintLe => (true, false),
            _ => return None,
        };
        if matches!(op, PureOp::IntEq | PureOp::IntNe) && (self.is_apart(a, b) || self.is_apart(b, a)) {
            Some(op == PureOp::IntNe)
        } else if self.is_below(a, b) {
            Some(below)
        } else if self.is_below(b, a) {
            Some(above)
        } else {
            None
        }
    }

    /// Whether two places do not overlap because they are in different elements of one array.
    ///
    /// Accesses are to objects, so that the addresses of different elements differ although they are computed modulo 2^64.
    pub fn are_apart(&self, a: (&Location, usize), b: (&Location, usize)) -> bool {
        let stride = match (a.0.index, b.0.index) {
            (Some((_, s)), Some((_, t))) if s != t => return false,
            (Some((_, stride)), _) | (_, Some((_, stride))) => stride,
            (None, None) => return false,
        };
        if a.0.base != b.0.base || stride == 0 || stride > i64::MAX as u64 {
            return false;
        }
        let slot = |(location, bytes): (&Location, usize)| {
            let (offset, stride) = (location.offset as i64, stride as i64);
            let fits = offset.rem_euclid(stride) + bytes as i64 <= stride;
            fits.then(|| (location.index.map(|(value, _)| value), offset.div_euclid(stride)))
        };
        let (Some((i, c)), Some((j, d))) = (slot(a), slot(b)) else { return false };
        match (i, j) {
            (Some(i), Some(j)) => self.differ((i, c), (j, d)),
            (Some(i), None) => self.is_beside((i, c), d),
            (None, Some(j)) => self.is_beside((j, d), c),
            (None, None) => false,
        }
    }

    /// Whether the range of a slot tells that it is not this one.
    fn is_beside(&self, (value, constant): Slot, other: i64) -> bool {
        let fact = self.fact_of(value.into());
        let (least, most) = (i128::from(fact.umin), i128::from(fact.umax));
        let other = i128::from(other) - i128::from(constant);
        // What is below 0 would be a wrapped value.
        other >= 0 && (other < least || most < other) || other < 0 && most < 1 << 63
    }

    fn differ(&self, a: Slot, b: Slot) -> bool {
        let spell = |(value, constant): Slot| {
            let sum = self.shared_value(PureOp::IntAdd, &[value.into(), Opnd::Word(constant as u64)]);
            [Some((value, constant)), sum.map(|sum| (sum, 0))].into_iter().flatten()
        };
        spell(a).any(|a| spell(b).any(|b| self.is_less(a, b) || self.is_less(b, a)))
    }

    /// Whether a slot is before another, by a bound of the first.
    fn is_less(&self, (value, constant): Slot, (other, other_constant): Slot) -> bool {
        // So that what is less is not the same modulo 2^64.
        let is_small = |n: i64| n.unsigned_abs() < 1 << 61;
        let bounded = self.fact_of(other.into()).umax <= 1 << 63;
        bounded
            && is_small(constant)
            && is_small(other_constant)
            && self.bounds.of(value).any(|(bound, known)| {
                let (of, more) = match self.linear(bound) {
                    _ if bound == Opnd::Value(other) => (Some(other), 0),
                    (of, more) => (of, more as i64),
                };
                let fact = self.fact_of(other.into());
                let wraps = i128::from(fact.umin) + i128::from(more) < 0
                    || i128::from(fact.umax) + i128::from(more) > i128::from(u64::MAX);
                // value + known < other + more
                of == Some(other)
                    && !wraps
                    && i128::from(constant) - i128::from(known)
                        <= i128::from(other_constant) - i128::from(more)
            })
    }
}
