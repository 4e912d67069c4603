//! What a guard that holds tells about the operands of what it tests.

use metatrace_defs::PureOp;
use metatrace_trace::{Opnd, Value};

use crate::facts::{self, Fact};
use crate::forward::{Forward, saturated};
use crate::relations::Relation;
use crate::rules::Context;

impl Forward<'_> {
    /// An operand is known to be not 0, or 0.
    pub fn learn(&mut self, opnd: Opnd, is_true: bool) {
        let Opnd::Value(value) = opnd else { return };
        let known = self.fact_of(opnd);
        if if is_true { known.umin > 0 } else { known.umax == 0 } {
            return;
        }
        let fact = if is_true { Fact::unsigned(1, u64::MAX) } else { Fact::exact(0) };
        self.narrow(value, fact);
        let Some((op, args)) = self.definition(opnd) else { return };
        let [a, b, _] = args;
        if let (PureOp::UintLt, true, Opnd::Word(most)) = (op, is_true, a)
            && let Some((PureOp::IntSub, [bound, x, _])) = self.definition(b)
        {
            self.learn_distance(most, bound, x);
        }
        match (op, is_true) {
            (
                PureOp::IntEq
                | PureOp::IntNe
                | PureOp::IntLt
                | PureOp::IntLe
                | PureOp::UintLt
                | PureOp::UintLe,
                _,
            ) => self.learn_comparison(op, a, b, is_true),
            (PureOp::IntAnd, true) => {
                self.learn(a, true);
                self.learn(b, true);
            }
            (PureOp::FloatEq | PureOp::FloatLt | PureOp::FloatLe, true) | (PureOp::FloatNe, false) => {
                self.learn_number(a);
                self.learn_number(b);
            }
            (PureOp::IntOr, false) => {
                self.learn(a, false);
                self.learn(b, false);
            }
            (PureOp::IntXor | PureOp::IntSub, false) => self.learn_comparison(PureOp::IntEq, a, b, true),
            (PureOp::IntAddOvf, false) => self.learn_no_overflow(op, PureOp::IntAdd, a, b),
            (PureOp::IntSubOvf, false) => {
                self.learn_no_overflow(op, PureOp::IntSub, a, b);
                // The rules turn the difference with a constant into a sum.
                if let Opnd::Word(c) = b
                    && let Some(sum) = self.shared_value(PureOp::IntAdd, &[a, Opnd::Word(c.wrapping_neg())])
                {
                    self.refine(sum, saturated(op, self.fact_of(a), self.fact_of(b)));
                }
            }
            (PureOp::IntMulOvf, false) => self.learn_no_overflow(op, PureOp::IntMul, a, b),
            _ => {}
        }
    }

    /// A float is known not to be "not a number".
    fn learn_number(&mut self, opnd: Opnd) {
        let Opnd::Value(value) = opnd else { return };
        self.narrow(value, Fact::number());
        if let Some(bits) = self.shared_value(PureOp::FloatToBits, &[opnd]) {
            self.refine(bits, Fact::number());
        }
    }

    /// Adds to what is known of a value, and so of what it is computed from.
    fn narrow(&mut self, value: Value, fact: Fact) {
        let before = self.fact_of(value.into());
        self.refine(value, fact);
        if self.fact_of(value.into()) != before {
            self.learn_operands(value.into());
        }
    }

    /// What is known of a value tells something of the operand that it is computed from.
    pub fn learn_operands(&mut self, opnd: Opnd) {
        let fact = self.fact_of(opnd);
        let Some((op, [x, y, _])) = self.definition(opnd) else { return };
        let Some(of_x) = facts::of_operand(op, y.as_const(), fact) else { return };
        if let Opnd::Value(x) = x {
            self.narrow(x, of_x);
        }
    }

    fn learn_no_overflow(&mut self, test: PureOp, op: PureOp, a: Opnd, b: Opnd) {
        if let Some(result) = self.shared_value(op, &[a, b]) {
            self.refine(result, saturated(test, self.fact_of(a), self.fact_of(b)));
        }
    }

    /// A comparison of two operands is known to hold, or not to.
    pub fn learn_comparison(&mut self, op: PureOp, a: Opnd, b: Opnd, holds: bool) {
        let Some(relation) = Relation::of(op, holds) else { return };
        self.learn_relation(a, b, relation);
        let (fa, fb) = (self.fact_of(a), self.fact_of(b));
        // A comparison that fails is the opposite one, with its operands exchanged.
        let (op, swapped) = match (op, holds) {
            (PureOp::IntEq, false) => (PureOp::IntNe, false),
            (PureOp::IntNe, false) => (PureOp::IntEq, false),
            (PureOp::IntLt, false) => (PureOp::IntLe, true),
            (PureOp::IntLe, false) => (PureOp::IntLt, true),
            (PureOp::UintLt, false) => (PureOp::UintLe, true),
            (PureOp::UintLe, false) => (PureOp::UintLt, true),
            (op, _) => (op, false),
        };
        let (x, y) = if swapped { (fb, fa) } else { (fa, fb) };
        let (of_x, of_y) = bounds(op, x, y);
        let (of_a, of_b) = if swapped { (of_y, of_x) } else { (of_x, of_y) };
        for (opnd, fact) in [(a, of_a), (b, of_b)] {
            if let Opnd::Value(value) = opnd {
                self.narrow(value, fact);
                if let Some(word) = self.fact_of(opnd).as_exact()
                    && fa != fb
                    && op == PureOp::IntEq
                {
                    self.learn_exact(opnd, Opnd::Word(word));
                }
            }
        }
        if op == PureOp::IntEq {
            self.learn_equal(a, b);
        }
    }
}

/// What each operand is within if the comparison holds.
fn bounds(op: PureOp, x: Fact, y: Fact) -> (Fact, Fact) {
    match op {
        PureOp::IntEq => (y, x),
        PureOp::IntNe => (not_equal(x, y), not_equal(y, x)),
        PureOp::IntLt => (
            Fact::signed(i64::MIN, y.smax.saturating_sub(1)),
            Fact::signed(x.smin.saturating_add(1), i64::MAX),
        ),
        PureOp::IntLe => (Fact::signed(i64::MIN, y.smax), Fact::signed(x.smin, i64::MAX)),
        PureOp::UintLt => {
            (Fact::unsigned(0, y.umax.saturating_sub(1)), Fact::unsigned(x.umin.saturating_add(1), u64::MAX))
        }
        PureOp::UintLe => (Fact::unsigned(0, y.umax), Fact::unsigned(x.umin, u64::MAX)),
        _ => (Fact::ANY, Fact::ANY),
    }
}

/// Moves a bound of `x` that is the only word of `y`.
fn not_equal(x: Fact, y: Fact) -> Fact {
    let Some(word) = y.as_exact() else { return Fact::ANY };
    let mut fact = Fact::ANY;
    if word == x.umin && word != u64::MAX {
        fact = fact.meet(Fact::unsigned(word + 1, u64::MAX));
    }
    if word == x.umax && word != 0 {
        fact = fact.meet(Fact::unsigned(0, word - 1));
    }
    let signed = word as i64;
    if signed == x.smin && signed != i64::MAX {
        fact = fact.meet(Fact::signed(signed + 1, i64::MAX));
    }
    if signed == x.smax && signed != i64::MIN {
        fact = fact.meet(Fact::signed(i64::MIN, signed - 1));
    }
    fact
}
