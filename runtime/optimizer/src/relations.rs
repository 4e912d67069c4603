//! What guards and ranges told about pairs of values.

use metatrace_defs::PureOp;
use metatrace_trace::Opnd;

use crate::hash::Map;

/// How two words may compare: a set of outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relation(u8);

impl Relation {
    const EQUAL: u8 = 1;
    const LESS: u8 = 2;
    const GREATER: u8 = 4;
    const BELOW: u8 = 8;
    const ABOVE: u8 = 16;
    /// Nothing is known.
    pub const ANY: Relation = Relation(31);

    /// What is left if a comparison of the two gave `holds`; `None` if the operation compares nothing.
    pub fn of(op: PureOp, holds: bool) -> Option<Relation> {
        let excluded = match (op, holds) {
            (PureOp::IntEq, true) | (PureOp::IntNe, false) => !Self::EQUAL,
            (PureOp::IntEq, false) | (PureOp::IntNe, true) => Self::EQUAL,
            (PureOp::IntLt, true) => Self::EQUAL | Self::GREATER,
            (PureOp::IntLt, false) => Self::LESS,
            (PureOp::IntLe, true) => Self::GREATER,
            (PureOp::IntLe, false) => Self::EQUAL | Self::LESS,
            (PureOp::UintLt, true) => Self::EQUAL | Self::ABOVE,
            (PureOp::UintLt, false) => Self::BELOW,
            (PureOp::UintLe, true) => Self::ABOVE,
            (PureOp::UintLe, false) => Self::EQUAL | Self::BELOW,
            _ => return None,
        };
        Some(Relation(Self::ANY.0 & !excluded))
    }

    /// What both leave. Two words that are not equal are one way apart, signed and unsigned.
    pub fn meet(self, other: Relation) -> Relation {
        let both = self.0 & other.0;
        let apart_signed = both & (Self::LESS | Self::GREATER) != 0;
        let apart_unsigned = both & (Self::BELOW | Self::ABOVE) != 0;
        if apart_signed && apart_unsigned { Relation(both) } else { Relation(both & Self::EQUAL) }
    }

    /// Whether `self` leaves only what `other` leaves.
    pub fn is_within(self, other: Relation) -> bool {
        self.0 & !other.0 == 0
    }

    /// The same with the two exchanged.
    fn flip(self) -> Relation {
        let swap = |bits: u8, a: u8, b: u8| if bits & a != 0 { b } else { 0 };
        Relation(
            (self.0 & Self::EQUAL)
                | swap(self.0, Self::LESS, Self::GREATER)
                | swap(self.0, Self::GREATER, Self::LESS)
                | swap(self.0, Self::BELOW, Self::ABOVE)
                | swap(self.0, Self::ABOVE, Self::BELOW),
        )
    }

    /// What a comparison of the two gives, if it is known.
    pub fn decide(self, op: PureOp) -> Option<bool> {
        let holds = Self::of(op, true)?;
        let fails = Self::of(op, false)?;
        match (self.is_within(holds), self.is_within(fails)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// What is known about pairs of operands.
#[derive(Clone, Default)]
pub(crate) struct Relations(Map<(Opnd, Opnd), Relation>);

impl Relations {
    pub fn get(&self, a: Opnd, b: Opnd) -> Relation {
        let (key, flipped) = if a <= b { ((a, b), false) } else { ((b, a), true) };
        match self.0.get(&key) {
            Some(relation) if flipped => relation.flip(),
            Some(&relation) => relation,
            None => Relation::ANY,
        }
    }

    pub fn learn(&mut self, a: Opnd, b: Opnd, relation: Relation) {
        let known = self.get(a, b).meet(relation);
        if a <= b {
            self.0.insert((a, b), known)
        } else {
            self.0.insert((b, a), known.flip())
        };
    }

    /// All that is known, in no order that may be relied on.
    pub fn iter(&self) -> impl Iterator<Item = (Opnd, Opnd, Relation)> + '_ {
        self.0.iter().map(|(&(a, b), &relation)| (a, b, relation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::edge_words;

    const OPS: [PureOp; 6] =
        [PureOp::IntEq, PureOp::IntNe, PureOp::IntLt, PureOp::IntLe, PureOp::UintLt, PureOp::UintLe];

    /// What two comparisons of the same words told decides a third as those words do.
    #[test]
    fn decisions_are_right() {
        let edges = edge_words();
        let words = [Opnd::Word(0), Opnd::Word(1)];
        for &a in edges.iter().step_by(3) {
            for &b in &edges {
                for first in OPS {
                    for second in OPS {
                        let mut relations = Relations::default();
                        for (op, swapped) in [(first, false), (second, true)] {
                            let [x, y] = if swapped { [1, 0] } else { [0, 1] };
                            let holds = op.eval(&[[a, b][x], [a, b][y]]) != 0;
                            relations.learn(words[x], words[y], Relation::of(op, holds).unwrap());
                        }
                        for op in OPS {
                            let holds = op.eval(&[b, a]) != 0;
                            let decided = relations.get(words[1], words[0]).decide(op);
                            assert!(decided.is_none_or(|d| d == holds), "{first} {second} {op} {a} {b}");
                        }
                    }
                }
            }
        }
        assert_eq!(Relation::of(PureOp::IntLt, true).unwrap().decide(PureOp::IntNe), Some(true));
        assert_eq!(Relation::of(PureOp::UintLt, true).unwrap().decide(PureOp::IntLt), None);
    }
}
