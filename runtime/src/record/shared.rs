//! What a recording knows of its values, whatever memory does: operations that are equal to earlier ones are not recorded
//! again, and values that a guard made known are constants.

use metatrace_defs::PureOp;
use metatrace_trace::{Opnd, Value};

use super::heap::Place;
use crate::vm::tables::WordMap;

/// See the module. Holds from where it was learnt to the end of the segment.
#[derive(Default)]
pub struct Shared {
    /// Values by operation and operands, the missing ones 0.
    pure: WordMap<(PureOp, [Opnd; 3]), Value>,
    /// Values that are another plus a constant.
    sums: WordMap<Value, (Value, u64)>,
    by_sum: WordMap<(Value, u64), Value>,
    /// Values that a guard made known.
    known: WordMap<Value, Opnd>,
    interiors: WordMap<Place, Value>,
}

impl Shared {
    /// The value of an equal operation.
    pub fn find(&self, op: PureOp, args: &[Opnd]) -> Option<Value> {
        match self.sum(op, args) {
            Some((base, 0)) => Some(base),
            Some(sum) => self.by_sum.get(&sum).copied(),
            None => self.pure.get(&(op, padded(args))).copied(),
        }
    }

    /// Notes an operation that was recorded.
    pub fn note(&mut self, op: PureOp, args: &[Opnd], value: Value) {
        match self.sum(op, args) {
            Some(sum) => {
                self.sums.insert(value, sum);
                self.by_sum.insert(sum, value);
            }
            None => {
                self.pure.insert((op, padded(args)), value);
            }
        }
    }

    /// A sum or difference with a constant, as what it starts from and all that is added to that.
    fn sum(&self, op: PureOp, args: &[Opnd]) -> Option<(Value, u64)> {
        let (value, added) = match (op, args) {
            (PureOp::IntAdd, &[Opnd::Value(value), Opnd::Word(word)])
            | (PureOp::IntAdd, &[Opnd::Word(word), Opnd::Value(value)]) => (value, word),
            (PureOp::IntSub, &[Opnd::Value(value), Opnd::Word(word)]) => (value, word.wrapping_neg()),
            _ => return None,
        };
        let (base, before) = self.sums.get(&value).copied().unwrap_or((value, 0));
        Some((base, before.wrapping_add(added)))
    }

    /// The address inside an object, if it was computed before.
    pub fn interior(&self, place: &Place) -> Option<Value> {
        self.interiors.get(place).copied()
    }

    /// Notes an address inside an object.
    pub fn note_interior(&mut self, place: Place, address: Value) {
        self.interiors.insert(place, address);
    }

    /// A guard made a value known.
    pub fn learn(&mut self, value: Value, constant: Opnd) {
        self.known.insert(value, constant);
    }

    /// The constant that an operand is known to be, or itself.
    pub fn resolve(&self, opnd: Opnd) -> Opnd {
        match opnd {
            Opnd::Value(value) => self.known.get(&value).copied().unwrap_or(opnd),
            constant => constant,
        }
    }
}

fn padded(args: &[Opnd]) -> [Opnd; 3] {
    let mut padded = [Opnd::Word(0); 3];
    padded[..args.len()].copy_from_slice(args);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_operations_are_found() {
        let (x, y, z) = (Value::new(0), Value::new(1), Value::new(2));
        let word = Opnd::Word;
        let mut shared = Shared::default();
        shared.note(PureOp::IntAdd, &[x.into(), word(1)], y);
        assert_eq!(shared.find(PureOp::IntAdd, &[word(1), x.into()]), Some(y));
        assert_eq!(shared.find(PureOp::IntSub, &[y.into(), word(1)]), Some(x));
        assert_eq!(shared.find(PureOp::IntSub, &[x.into(), word(1)]), None);
        shared.note(PureOp::IntSub, &[x.into(), word(1)], z);
        assert_eq!(shared.find(PureOp::IntSub, &[y.into(), word(2)]), Some(z));
        assert_eq!(shared.find(PureOp::UintLt, &[x.into(), y.into()]), None);
        shared.note(PureOp::UintLt, &[x.into(), y.into()], z);
        assert_eq!(shared.find(PureOp::UintLt, &[x.into(), y.into()]), Some(z));
        assert_eq!(shared.find(PureOp::UintLt, &[y.into(), x.into()]), None);
        shared.learn(z, word(1));
        assert_eq!((shared.resolve(z.into()), shared.resolve(x.into())), (word(1), x.into()));
    }
}
