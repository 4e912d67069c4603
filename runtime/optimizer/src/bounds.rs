//! Sums that are below a bound.
//!
//! An entry says that a value plus a constant (which may be negative) is below an operand, unsigned, without wrapping. What lies
//! between 0 and such a sum is below the bound too; what is one more, and not equal to it, is below it again. So one test of
//! an index serves all that is reached from it step by step.

use metatrace_defs::PureOp;
use metatrace_trace::{Opnd, Value};

use crate::facts::Fact;
use crate::forward::Forward;
use crate::hash::Map;
use crate::memory::Definitions;
use crate::relations::Relation;

/// The greatest constant known, by value and bound.
#[derive(Clone, Default)]
pub(crate) struct Bounds {
    below: Map<(Value, Opnd), i64>,
    /// Constants, from the first to the last, with which the sum is known not to be the bound.
    apart: Map<(Value, Opnd), (u64, u64)>,
}

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
                && let Some(&most) = self.bounds.below.get(&(value, b))
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
            return;
        }
        let known = self.bounds.below.entry((value, b)).or_insert(constant);
        *known = constant.max(*known);
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
        self.bounds.below.get(&(value, b)).is_some_and(|&most| constant <= most)
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
}
