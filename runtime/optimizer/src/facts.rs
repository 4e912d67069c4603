//! What is known of a word: its possible bits and its ranges, unsigned and signed.
//!
//! A [`Fact`] stands for a set of words, never empty. [`transfer`] gives a set that contains the result of a pure operation
//! for all operands from given sets; the tests check this by sampling. `meet` of sets that exclude each other happens
//! only in code that is never reached; it then keeps the first set.

use metatrace_defs::descr::{Access, Scalar, access_flag};
use metatrace_defs::{Kind, PureOp};

/// A set of words; of floats, the set of their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Bits that are 0 in each.
    pub zeros: u64,
    /// Bits that are 1 in each.
    pub ones: u64,
    /// The smallest, unsigned.
    pub umin: u64,
    /// The largest, unsigned.
    pub umax: u64,
    /// The smallest, signed.
    pub smin: i64,
    /// The largest, signed.
    pub smax: i64,
    /// Whether none is, taken as the bits of a float, "not a number".
    pub number: bool,
}

/// The bits of the infinities: what lies above them is not a number.
const INFINITY: u64 = 0x7ff0_0000_0000_0000;
const MINUS_INFINITY: u64 = 0xfff0_0000_0000_0000;

impl Fact {
    /// All words.
    pub const ANY: Fact =
        Fact { zeros: 0, ones: 0, umin: 0, umax: u64::MAX, smin: i64::MIN, smax: i64::MAX, number: false };

    /// The bits of all floats but "not a number".
    pub fn number() -> Fact {
        Fact { number: true, ..Fact::ANY }.normal().unwrap_or(Fact::ANY)
    }

    /// 0 and 1.
    pub fn bool() -> Fact {
        Fact::unsigned(0, 1)
    }

    /// One word.
    pub fn exact(word: u64) -> Fact {
        let number = !f64::from_bits(word).is_nan();
        Fact {
            zeros: !word,
            ones: word,
            umin: word,
            umax: word,
            smin: word as i64,
            smax: word as i64,
            number,
        }
    }

    /// The words from `umin` to `umax`, unsigned.
    pub fn unsigned(umin: u64, umax: u64) -> Fact {
        Fact { umin, umax, ..Fact::ANY }.normal().unwrap_or(Fact::ANY)
    }

    /// The words from `smin` to `smax`, signed.
    pub fn signed(smin: i64, smax: i64) -> Fact {
        Fact { smin, smax, ..Fact::ANY }.normal().unwrap_or(Fact::ANY)
    }

    /// The words with these bits 0 and those 1.
    pub fn bits(zeros: u64, ones: u64) -> Fact {
        Fact { zeros, ones, ..Fact::ANY }.normal().unwrap_or(Fact::ANY)
    }

    /// What a read of a scalar can give.
    pub fn of_scalar(scalar: Scalar) -> Fact {
        match scalar {
            Scalar::U8 => Fact::unsigned(0, 0xff),
            Scalar::I8 => Fact::signed(i8::MIN.into(), i8::MAX.into()),
            Scalar::U16 => Fact::unsigned(0, 0xffff),
            Scalar::I16 => Fact::signed(i16::MIN.into(), i16::MAX.into()),
            Scalar::U32 => Fact::unsigned(0, 0xffff_ffff),
            Scalar::I32 => Fact::signed(i32::MIN.into(), i32::MAX.into()),
            Scalar::Word | Scalar::Float => Fact::ANY,
        }
    }

    /// What a read by an access can give.
    pub fn of_access(access: &Access) -> Fact {
        match access.flags & access_flag::LENGTH {
            0 => Fact::of_scalar(access.scalar),
            _ => Fact::unsigned(0, i64::MAX as u64),
        }
    }

    /// The only word, if there is only one.
    pub fn as_exact(self) -> Option<u64> {
        (self.umin == self.umax).then_some(self.umin)
    }

    /// Whether the word is in the set.
    pub fn contains(self, word: u64) -> bool {
        word & self.zeros == 0
            && word & self.ones == self.ones
            && (self.umin..=self.umax).contains(&word)
            && (self.smin..=self.smax).contains(&(word as i64))
            && !(self.number && f64::from_bits(word).is_nan())
    }

    /// Whether every word of `self` is one of `other`, as far as their bounds tell.
    pub fn is_within(self, other: Fact) -> bool {
        other.zeros & !self.zeros == 0
            && other.ones & !self.ones == 0
            && self.umin >= other.umin
            && self.umax <= other.umax
            && self.smin >= other.smin
            && self.smax <= other.smax
            && (self.number || !other.number)
    }

    /// The words of both.
    pub fn meet(self, other: Fact) -> Fact {
        let both = Fact {
            zeros: self.zeros | other.zeros,
            ones: self.ones | other.ones,
            umin: self.umin.max(other.umin),
            umax: self.umax.min(other.umax),
            smin: self.smin.max(other.smin),
            smax: self.smax.min(other.smax),
            number: self.number | other.number,
        };
        both.normal().unwrap_or(self)
    }

    /// The words of either, and maybe more.
    pub fn join(self, other: Fact) -> Fact {
        Fact {
            zeros: self.zeros & other.zeros,
            ones: self.ones & other.ones,
            umin: self.umin.min(other.umin),
            umax: self.umax.max(other.umax),
            smin: self.smin.min(other.smin),
            smax: self.smax.max(other.smax),
            number: self.number & other.number,
        }
    }

    /// Gives up every bound that `next`, a larger set, moved.
    pub fn widen(self, next: Fact) -> Fact {
        let wide = Fact {
            zeros: next.zeros,
            ones: next.ones,
            umin: if next.umin < self.umin { 0 } else { next.umin },
            umax: if next.umax > self.umax { u64::MAX } else { next.umax },
            smin: if next.smin < self.smin { i64::MIN } else { next.smin },
            smax: if next.smax > self.smax { i64::MAX } else { next.smax },
            number: next.number,
        };
        wide.normal().unwrap_or(Fact::ANY)
    }

    /// Bits that are known.
    pub fn known(self) -> u64 {
        self.zeros | self.ones
    }

    /// Lets each bound tighten the others; `None` if nothing is left.
    fn normal(mut self) -> Option<Fact> {
        if self.number {
            self.umax = self.umax.min(MINUS_INFINITY);
        }
        for _ in 0..2 {
            self.umin = self.umin.max(self.ones);
            self.umax = self.umax.min(!self.zeros);
            if self.umax <= i64::MAX as u64 || self.umin > i64::MAX as u64 {
                self.smin = self.smin.max(self.umin as i64);
                self.smax = self.smax.min(self.umax as i64);
            }
            if self.smin >= 0 || self.smax < 0 {
                self.umin = self.umin.max(self.smin as u64);
                self.umax = self.umax.min(self.smax as u64);
            }
            if self.umin > self.umax || self.smin > self.smax || self.zeros & self.ones != 0 {
                return None;
            }
            let differing = self.umin ^ self.umax;
            let prefix = if differing == 0 { u64::MAX } else { !(u64::MAX >> differing.leading_zeros()) };
            self.ones |= self.umin & prefix;
            self.zeros |= !self.umin & prefix;
            if self.zeros & self.ones != 0 {
                return None;
            }
        }
        self.number |= self.umax <= INFINITY || (self.umin > i64::MAX as u64 && self.umax <= MINUS_INFINITY);
        Some(self)
    }
}

/// A set that contains the operation's result for all operands from `args`.
pub fn transfer(op: PureOp, args: &[Fact]) -> Fact {
    if args.iter().all(|arg| arg.as_exact().is_some()) && op.row().operands.iter().all(|&k| k == Kind::Word) {
        let words: Vec<u64> = args.iter().map(|arg| arg.umin).collect();
        return Fact::exact(op.eval(&words));
    }
    let a = args[0];
    let b = args.get(1).copied().unwrap_or(Fact::ANY);
    match op {
        PureOp::IntAdd => add(a, b),
        PureOp::IntSub => sub(a, b),
        PureOp::IntMul => mul(a, b),
        PureOp::UintMulHigh => {
            let high = |a: u64, b: u64| ((u128::from(a) * u128::from(b)) >> 64) as u64;
            Fact::unsigned(high(a.umin, b.umin), high(a.umax, b.umax))
        }
        PureOp::IntDiv => div(a, b),
        PureOp::IntRem => rem(a, b),
        PureOp::UintDiv => {
            let least = if b.umin == 0 { 0 } else { a.umin / b.umax };
            Fact::unsigned(least, a.umax / b.umin.max(1))
        }
        PureOp::UintRem => Fact::unsigned(0, a.umax.min(b.umax.saturating_sub(1))),
        PureOp::IntAnd => {
            Fact::bits(a.zeros | b.zeros, a.ones & b.ones).meet(Fact::unsigned(0, a.umax.min(b.umax)))
        }
        PureOp::IntOr => {
            Fact::bits(a.zeros & b.zeros, a.ones | b.ones).meet(Fact::unsigned(a.umin.max(b.umin), u64::MAX))
        }
        PureOp::IntXor => {
            Fact::bits((a.zeros & b.zeros) | (a.ones & b.ones), (a.zeros & b.ones) | (a.ones & b.zeros))
        }
        PureOp::IntShl | PureOp::IntSar | PureOp::UintShr | PureOp::IntRotl => shift(op, a, b),
        PureOp::IntSext8 => sext(a, 8),
        PureOp::IntSext16 => sext(a, 16),
        PureOp::IntSext32 => sext(a, 32),
        PureOp::IntClz | PureOp::IntCtz | PureOp::IntPopcnt => Fact::unsigned(0, 64),
        PureOp::IntBswap => Fact::bits(a.zeros.swap_bytes(), a.ones.swap_bytes()),
        PureOp::IntBitrev => Fact::bits(a.zeros.reverse_bits(), a.ones.reverse_bits()),
        PureOp::IntEq | PureOp::IntNe | PureOp::IntLt | PureOp::IntLe | PureOp::UintLt | PureOp::UintLe => {
            compare(op, a, b)
        }
        PureOp::IntAddOvf | PureOp::IntSubOvf | PureOp::IntMulOvf => overflow(op, a, b),
        PureOp::IntSelect => {
            let otherwise = args[2];
            match (a.umin > 0, a.umax) {
                (true, _) => b,
                (_, 0) => otherwise,
                _ => b.join(otherwise),
            }
        }
        PureOp::FloatEq
        | PureOp::FloatNe
        | PureOp::FloatLt
        | PureOp::FloatLe
        | PureOp::F32Eq
        | PureOp::F32Lt
        | PureOp::F32Le => Fact::bool(),
        PureOp::F32Add
        | PureOp::F32Sub
        | PureOp::F32Mul
        | PureOp::F32Div
        | PureOp::F32Sqrt
        | PureOp::F32FromFloat
        | PureOp::F32FromInt
        | PureOp::F32FromUint => Fact::unsigned(0, u32::MAX.into()),
        PureOp::FloatFromInt | PureOp::FloatFromUint => Fact::number(),
        PureOp::FloatNeg | PureOp::FloatAbs | PureOp::FloatFloor | PureOp::FloatCeil | PureOp::FloatTrunc
            if a.number =>
        {
            Fact::number()
        }
        PureOp::FloatToBits | PureOp::FloatFromBits => a,
        PureOp::FloatAdd
        | PureOp::FloatSub
        | PureOp::FloatMul
        | PureOp::FloatDiv
        | PureOp::FloatNeg
        | PureOp::FloatAbs
        | PureOp::FloatSqrt
        | PureOp::FloatFloor
        | PureOp::FloatCeil
        | PureOp::FloatTrunc
        | PureOp::FloatToInt
        | PureOp::FloatToUint
        | PureOp::F32ToFloat => Fact::ANY,
    }
}

/// A set that contains the first operand of an operation, where the second is `constant` and the result is one of `fact`;
/// `None` if the operation tells nothing.
pub fn of_operand(op: PureOp, constant: Option<u64>, fact: Fact) -> Option<Fact> {
    let exact = constant.map_or(Fact::ANY, Fact::exact);
    match (op, constant) {
        (PureOp::IntAnd, Some(mask)) => Some(Fact::bits(fact.zeros & mask, fact.ones & mask)),
        (PureOp::IntOr, Some(set)) => Some(Fact::bits(fact.zeros, fact.ones & !set)),
        (PureOp::IntXor, Some(_)) => Some(transfer(op, &[fact, exact])),
        (PureOp::IntAdd, Some(_)) => Some(transfer(PureOp::IntSub, &[fact, exact])),
        (PureOp::UintShr, Some(count @ 0..64)) => {
            let fact = fact.meet(Fact::unsigned(0, u64::MAX >> count));
            let bits = Fact::bits(fact.zeros << count, fact.ones << count);
            Some(bits.meet(Fact::unsigned(fact.umin << count, !(!fact.umax << count))))
        }
        (PureOp::IntShl, Some(count @ 0..64)) => Some(Fact::bits(fact.zeros >> count, fact.ones >> count)),
        (PureOp::IntSext32, _) => Some(Fact::bits(fact.zeros & 0xffff_ffff, fact.ones & 0xffff_ffff)),
        (PureOp::FloatToBits | PureOp::FloatFromBits, _) => Some(fact),
        _ => None,
    }
}

/// The bits of a sum that follow from those of its terms and the carry into the lowest bit.
fn sum_bits(a: Fact, b_zeros: u64, b_ones: u64, carry: u64) -> Fact {
    let largest = (!a.zeros).wrapping_add(!b_zeros).wrapping_add(carry);
    let smallest = a.ones.wrapping_add(b_ones).wrapping_add(carry);
    let carries_known = !(largest ^ a.zeros ^ b_zeros) | (smallest ^ a.ones ^ b_ones);
    let known = carries_known & a.known() & (b_zeros | b_ones);
    Fact::bits(!largest & known, smallest & known)
}

fn add(a: Fact, b: Fact) -> Fact {
    let mut fact = sum_bits(a, b.zeros, b.ones, 0);
    if let (Some(umin), Some(umax)) = (a.umin.checked_add(b.umin), a.umax.checked_add(b.umax)) {
        fact = fact.meet(Fact::unsigned(umin, umax));
    }
    if let (Some(smin), Some(smax)) = (a.smin.checked_add(b.smin), a.smax.checked_add(b.smax)) {
        fact = fact.meet(Fact::signed(smin, smax));
    }
    fact
}

fn sub(a: Fact, b: Fact) -> Fact {
    let mut fact = sum_bits(a, b.ones, b.zeros, 1);
    if let (Some(umin), Some(umax)) = (a.umin.checked_sub(b.umax), a.umax.checked_sub(b.umin)) {
        fact = fact.meet(Fact::unsigned(umin, umax));
    }
    if let (Some(smin), Some(smax)) = (a.smin.checked_sub(b.smax), a.smax.checked_sub(b.smin)) {
        fact = fact.meet(Fact::signed(smin, smax));
    }
    fact
}

/// Smallest and largest of what `f` gives at the corners, if it gives something at each.
fn corners(a: Fact, b: Fact, f: impl Fn(i64, i64) -> Option<i64>) -> Option<Fact> {
    let all = [f(a.smin, b.smin)?, f(a.smin, b.smax)?, f(a.smax, b.smin)?, f(a.smax, b.smax)?];
    Some(Fact::signed(*all.iter().min()?, *all.iter().max()?))
}

fn mul(a: Fact, b: Fact) -> Fact {
    let zeros = a.zeros.trailing_ones() + b.zeros.trailing_ones();
    let mut fact = Fact::bits(u64::MAX.checked_shl(zeros).map_or(u64::MAX, |high| !high), 0);
    if let (Some(umin), Some(umax)) = (a.umin.checked_mul(b.umin), a.umax.checked_mul(b.umax)) {
        fact = fact.meet(Fact::unsigned(umin, umax));
    }
    fact.meet(corners(a, b, i64::checked_mul).unwrap_or(Fact::ANY))
}

fn div(a: Fact, b: Fact) -> Fact {
    if b.smin >= 1 { corners(a, b, i64::checked_div).unwrap_or(Fact::ANY) } else { Fact::ANY }
}

fn rem(a: Fact, b: Fact) -> Fact {
    if b.smin < 1 {
        return Fact::ANY;
    }
    let most = b.smax - 1;
    let smin = if a.smin >= 0 { 0 } else { a.smin.max(-most) };
    let smax = if a.smax <= 0 { 0 } else { a.smax.min(most) };
    Fact::signed(smin, smax)
}

fn shift(op: PureOp, a: Fact, count: Fact) -> Fact {
    let Some(count) = count.as_exact().map(|count| (count & 63) as u32) else {
        return match op {
            PureOp::UintShr => Fact::unsigned(0, a.umax),
            PureOp::IntSar => Fact::signed(a.smin.min(0), a.smax.max(-1)),
            _ => Fact::ANY,
        };
    };
    match op {
        PureOp::IntShl => {
            let fact = Fact::bits((a.zeros << count) | !(u64::MAX << count), a.ones << count);
            if a.umax.leading_zeros() >= count {
                fact.meet(Fact::unsigned(a.umin << count, a.umax << count))
            } else {
                fact
            }
        }
        PureOp::UintShr => Fact::bits((a.zeros >> count) | !(u64::MAX >> count), a.ones >> count)
            .meet(Fact::unsigned(a.umin >> count, a.umax >> count)),
        PureOp::IntSar => {
            let bits = |bits: u64| ((bits as i64) >> count) as u64;
            Fact::bits(bits(a.zeros), bits(a.ones)).meet(Fact::signed(a.smin >> count, a.smax >> count))
        }
        _ => Fact::bits(a.zeros.rotate_left(count), a.ones.rotate_left(count)),
    }
}

fn sext(a: Fact, width: u32) -> Fact {
    let range = Fact::signed(-1i64 << (width - 1), !(-1i64 << (width - 1)));
    if a.is_within(Fact { zeros: 0, ones: 0, number: false, ..range }) {
        return a;
    }
    let extend = |bits: u64| (((bits << (64 - width)) as i64) >> (64 - width)) as u64;
    range.meet(Fact::bits(extend(a.zeros), extend(a.ones)))
}

fn known_bool(known: Option<bool>) -> Fact {
    known.map_or(Fact::bool(), |value| Fact::exact(value.into()))
}

/// Whether `less` holds for all or for none, given the bounds of both sides.
fn less<T: Ord>(strict: bool, a: (T, T), b: (T, T)) -> Option<bool> {
    if a.1 < b.0 || (!strict && a.1 == b.0) {
        Some(true)
    } else if a.0 > b.1 || (strict && a.0 == b.1) {
        Some(false)
    } else {
        None
    }
}

fn compare(op: PureOp, a: Fact, b: Fact) -> Fact {
    let conflict = (a.zeros & b.ones) | (a.ones & b.zeros) != 0;
    let apart = conflict || a.umax < b.umin || b.umax < a.umin || a.smax < b.smin || b.smax < a.smin;
    let equal = match (a.as_exact(), b.as_exact()) {
        (Some(a), Some(b)) => Some(a == b),
        _ => apart.then_some(false),
    };
    known_bool(match op {
        PureOp::IntEq => equal,
        PureOp::IntNe => equal.map(|equal| !equal),
        PureOp::IntLt => less(true, (a.smin, a.smax), (b.smin, b.smax)),
        PureOp::IntLe => less(false, (a.smin, a.smax), (b.smin, b.smax)),
        PureOp::UintLt => less(true, (a.umin, a.umax), (b.umin, b.umax)),
        PureOp::UintLe => less(false, (a.umin, a.umax), (b.umin, b.umax)),
        _ => None,
    })
}

fn overflow(op: PureOp, a: Fact, b: Fact) -> Fact {
    let (smin, smax): (i128, i128) = match op {
        PureOp::IntAddOvf => (wide(a.smin) + wide(b.smin), wide(a.smax) + wide(b.smax)),
        PureOp::IntSubOvf => (wide(a.smin) - wide(b.smax), wide(a.smax) - wide(b.smin)),
        _ => {
            let all = [(a.smin, b.smin), (a.smin, b.smax), (a.smax, b.smin), (a.smax, b.smax)]
                .map(|(a, b)| wide(a) * wide(b));
            (all.iter().copied().fold(all[0], i128::min), all.iter().copied().fold(all[0], i128::max))
        }
    };
    let (least, most) = (wide(i64::MIN), wide(i64::MAX));
    known_bool(if smin >= least && smax <= most {
        Some(false)
    } else if smax < least || smin > most {
        Some(true)
    } else {
        None
    })
}

fn wide(word: i64) -> i128 {
    word.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Rng, edge_words};

    /// A set that contains `word`, and words near to it or with some of its bits.
    fn fact_around(rng: &mut Rng, word: u64) -> Fact {
        let mut fact = Fact::ANY;
        for _ in 0..rng.below(3) {
            let spread = rng.next() >> rng.below(64);
            let other = match rng.below(5) {
                4 if !f64::from_bits(word).is_nan() => Fact::number(),
                0 => Fact::unsigned(word.saturating_sub(spread), word.saturating_add(rng.below(9))),
                1 => {
                    let signed = word as i64;
                    Fact::signed(signed.saturating_sub_unsigned(spread), signed.saturating_add(3))
                }
                2 => Fact::bits(!word & rng.next(), word & rng.next()),
                _ => Fact::exact(word),
            };
            fact = fact.meet(other);
        }
        assert!(fact.contains(word), "{fact:?} {word}");
        fact
    }

    #[test]
    fn results_are_within_the_transferred_facts() {
        let mut rng = Rng::new(7);
        let edges = edge_words();
        for &op in PureOp::ALL {
            for _ in 0..4000 {
                let words: Vec<u64> = (op.row().operands.iter()).map(|_| rng.word(&edges)).collect();
                let facts: Vec<Fact> = words.iter().map(|&word| fact_around(&mut rng, word)).collect();
                let result = op.eval(&words);
                let fact = transfer(op, &facts);
                assert!(fact.contains(result), "{op} {words:?} = {result}, not in {fact:?}, from {facts:?}");
            }
        }
    }

    #[test]
    fn operands_are_within_what_results_tell() {
        let mut rng = Rng::new(9);
        let edges = edge_words();
        for &op in PureOp::ALL {
            if op.row().operands.contains(&Kind::Float) || op.is_partial() {
                continue;
            }
            for _ in 0..4000 {
                let words: Vec<u64> = (op.row().operands.iter()).map(|_| rng.word(&edges)).collect();
                let fact = fact_around(&mut rng, op.eval(&words));
                let known = transfer(op, &words.iter().map(|_| Fact::ANY).collect::<Vec<_>>()).meet(fact);
                if let Some(of_x) = of_operand(op, words.get(1).copied(), known) {
                    assert!(of_x.contains(words[0]), "{op} {words:x?} of {known:?}: {of_x:?}");
                }
            }
        }
    }

    #[test]
    fn lattice() {
        let mut rng = Rng::new(3);
        let edges = edge_words();
        for _ in 0..20_000 {
            let (a, b) = (rng.word(&edges), rng.word(&edges));
            let (fa, fb) = (fact_around(&mut rng, a), fact_around(&mut rng, b));
            let join = fa.join(fb);
            assert!(join.contains(a) && join.contains(b) && fa.is_within(join));
            assert!(fa.widen(join).contains(a) && fa.widen(join).contains(b));
            let same = fact_around(&mut rng, a);
            assert!(fa.meet(same).contains(a), "{fa:?} {same:?} {a}");
        }
    }
}
