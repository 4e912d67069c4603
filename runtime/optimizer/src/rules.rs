//! The algebraic rewrite rules: data, each with a name under which its uses are counted.
//!
//! A rule is a pattern over pure operations, what to put in its place, and conditions. In patterns:
//!
//! - `x`, `y`, `z` are any operands (the same name twice: the same operand); `a`, `b` are constants;
//! - a number, `ones` (all bits set) and `min` (only the sign bit set) are those constants;
//! - operations of the table of pure operations stand before their operands; operands of commutative operations may
//!   stand in either order.
//!
//! - in replacements, `(magic a)` and `(magic_shift a)` are what division by `a` multiplies by and shifts by.
//!
//! Conditions are constant expressions that must not be 0; they may use `(umin x)`, `(umax x)`, `(smin x)`, `(smax x)`,
//! `(zeros x)`, `(ones x)` and `(number x)`: what is known of an operand. A replacement is built by the same code that simplifies
//! operations, so it is simplified too. Every rule must hold for all operands; the tests check each on all 8-bit words
//! and on the edges of 64. No rule may undo another.

use std::sync::OnceLock;

use metatrace_defs::PureOp;
use metatrace_trace::Opnd;

use crate::facts::Fact;

/// A pattern or a replacement.
#[derive(Clone, Copy, Debug)]
pub enum Term {
    /// Any operand, by its number.
    Any(usize),
    /// A constant, by its number.
    Const(usize),
    /// This constant.
    Literal(u64),
    /// An operation.
    Op(PureOp, &'static [Term]),
    /// In conditions: what is known of an operand.
    Known(Known, usize),
    /// In replacements: what a division by a constant multiplies by; see [`magic`].
    Magic(usize),
    /// In replacements: by how much the product's upper half is shifted.
    MagicShift(usize),
}

/// What a condition may ask of an operand.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// The smallest it can be, unsigned.
    UMin,
    /// The largest it can be, unsigned.
    UMax,
    /// The smallest it can be, signed.
    SMin,
    /// The largest it can be, signed.
    SMax,
    /// Bits known to be 0.
    Zeros,
    /// Bits known to be 1.
    Ones,
    /// Whether, as a float, it is known not to be "not a number".
    Number,
}

/// A rewrite rule.
#[derive(Debug)]
pub struct Rule {
    /// The name.
    pub name: &'static str,
    /// What is replaced.
    pub pattern: Term,
    /// What takes its place.
    pub replacement: Term,
    /// What must not be 0.
    pub conditions: &'static [Term],
}

macro_rules! term {
    (x) => { Term::Any(0) };
    (y) => { Term::Any(1) };
    (z) => { Term::Any(2) };
    (a) => { Term::Const(0) };
    (b) => { Term::Const(1) };
    (ones) => { Term::Literal(u64::MAX) };
    (min) => { Term::Literal(1 << 63) };
    ($number:literal) => { Term::Literal($number) };
    ((umin $v:tt)) => { Term::Known(Known::UMin, variable!($v)) };
    ((umax $v:tt)) => { Term::Known(Known::UMax, variable!($v)) };
    ((smin $v:tt)) => { Term::Known(Known::SMin, variable!($v)) };
    ((smax $v:tt)) => { Term::Known(Known::SMax, variable!($v)) };
    ((zeros $v:tt)) => { Term::Known(Known::Zeros, variable!($v)) };
    ((ones $v:tt)) => { Term::Known(Known::Ones, variable!($v)) };
    ((number $v:tt)) => { Term::Known(Known::Number, variable!($v)) };
    ((magic a)) => { Term::Magic(0) };
    ((magic_shift a)) => { Term::MagicShift(0) };
    (($op:ident $($operand:tt)*)) => { Term::Op(PureOp::$op, &[$(term!($operand)),*]) };
}

macro_rules! variable {
    (x) => {
        0
    };
    (y) => {
        1
    };
    (z) => {
        2
    };
}

macro_rules! rules {
    ($( $name:ident: $pattern:tt => $replacement:tt $(if $($condition:tt),*)?; )*) => {
        /// Every rule; of those with the same operation at the root, the first that fits is used.
        pub static RULES: &[Rule] = &[$(Rule {
            name: stringify!($name),
            pattern: term!($pattern),
            replacement: term!($replacement),
            conditions: &[$($(term!($condition)),*)?],
        }),*];
    };
}

rules! {
    // Sums: constants move outward and meet; differences with constants are sums.
    add_zero: (IntAdd x 0) => x;
    add_add: (IntAdd (IntAdd x a) b) => (IntAdd x (IntAdd a b));
    add_sub_from: (IntAdd (IntSub a x) b) => (IntSub (IntAdd a b) x);
    add_sub_same: (IntAdd (IntSub x y) y) => x;
    sub_self: (IntSub x x) => 0;
    sub_const: (IntSub x a) => (IntAdd x (IntSub 0 a));
    sub_add_same: (IntSub (IntAdd x y) y) => x;
    sub_from_add_same: (IntSub y (IntAdd x y)) => (IntSub 0 x);
    sub_from_add: (IntSub a (IntAdd x b)) => (IntSub (IntSub a b) x);
    sub_from_sub_from: (IntSub a (IntSub b x)) => (IntAdd x (IntSub a b));
    sub_from_sub_same: (IntSub x (IntSub x y)) => y;

    // Products.
    mul_zero: (IntMul x 0) => 0;
    mul_one: (IntMul x 1) => x;
    mul_minus_one: (IntMul x ones) => (IntSub 0 x);
    mul_mul: (IntMul (IntMul x a) b) => (IntMul x (IntMul a b));
    mul_shl: (IntMul (IntShl x a) b) => (IntMul x (IntShl b a));
    mul_power_of_two: (IntMul x a) => (IntShl x (IntCtz a)) if (IntEq (IntPopcnt a) 1);
    mul_high_zero: (UintMulHigh x 0) => 0;
    mul_high_one: (UintMulHigh x 1) => 0;

    // Quotients and remainders.
    div_one: (IntDiv x 1) => x;
    div_power_of_two: (IntDiv x a) => (UintShr x (IntCtz a))
        if (IntLe 0 (smin x)), (IntEq (IntPopcnt a) 1), (IntLt 0 a);
    rem_one: (IntRem x 1) => 0;
    rem_power_of_two: (IntRem x a) => (IntAnd x (IntSub a 1))
        if (IntLe 0 (smin x)), (IntEq (IntPopcnt a) 1), (IntLt 0 a);
    udiv_power_of_two: (UintDiv x a) => (UintShr x (IntCtz a)) if (IntEq (IntPopcnt a) 1);
    div_const: (IntDiv x a) => (UintShr (UintMulHigh x (magic a)) (magic_shift a))
        if (IntLe 0 (smin x)), (IntLt 2 a), (UintLt 1 (IntPopcnt a));
    div_power_of_two_any: (IntDiv x a) => (IntSar (IntAdd x (UintShr (IntSar x 63) (IntSub 64 (IntCtz a)))) (IntCtz a))
        if (IntLt 1 a), (IntEq (IntPopcnt a) 1);
    div_const_any: (IntDiv x a) =>
        (IntSub (IntXor (UintShr (UintMulHigh (IntSub (IntXor x (IntSar x 63)) (IntSar x 63)) (magic a)) (magic_shift a))
            (IntSar x 63)) (IntSar x 63))
        if (IntLt 2 a), (UintLt 1 (IntPopcnt a));
    rem_const: (IntRem x a) => (IntSub x (IntMul (IntDiv x a) a)) if (IntLt 1 a);
    udiv_const: (UintDiv x a) => (UintShr (UintMulHigh x (magic a)) (magic_shift a))
        if (IntLe 0 (smin x)), (UintLt 2 a), (UintLt 1 (IntPopcnt a));
    urem_power_of_two: (UintRem x a) => (IntAnd x (IntSub a 1)) if (IntEq (IntPopcnt a) 1);
    urem_const: (UintRem x a) => (IntSub x (IntMul (UintDiv x a) a)) if (IntLe 0 (smin x)), (UintLt 2 a);

    // And: masks meet, and what a mask does not show need not be masked or extended.
    and_self: (IntAnd x x) => x;
    and_and: (IntAnd (IntAnd x a) b) => (IntAnd x (IntAnd a b));
    and_redundant: (IntAnd x a) => x if (IntEq (IntOr a (zeros x)) ones);
    and_or: (IntAnd (IntOr x a) b) => (IntAnd x b) if (IntEq (IntAnd a b) 0);
    and_xor: (IntAnd (IntXor x a) b) => (IntAnd x b) if (IntEq (IntAnd a b) 0);
    and_add_and: (IntAnd (IntAdd (IntAnd x a) y) b) => (IntAnd (IntAdd x y) b)
        if (IntEq (IntAnd b (IntAdd b 1)) 0), (IntEq (IntAnd a b) b);
    and_sub_and: (IntAnd (IntSub (IntAnd x a) y) b) => (IntAnd (IntSub x y) b)
        if (IntEq (IntAnd b (IntAdd b 1)) 0), (IntEq (IntAnd a b) b);
    and_sub_of_and: (IntAnd (IntSub y (IntAnd x a)) b) => (IntAnd (IntSub y x) b)
        if (IntEq (IntAnd b (IntAdd b 1)) 0), (IntEq (IntAnd a b) b);
    and_mul_and: (IntAnd (IntMul (IntAnd x a) y) b) => (IntAnd (IntMul x y) b)
        if (IntEq (IntAnd b (IntAdd b 1)) 0), (IntEq (IntAnd a b) b);
    and_sext8: (IntAnd (IntSext8 x) a) => (IntAnd x a) if (UintLe a 0xff);
    and_sext16: (IntAnd (IntSext16 x) a) => (IntAnd x a) if (UintLe a 0xffff);
    and_sext32: (IntAnd (IntSext32 x) a) => (IntAnd x a) if (UintLe a 0xffff_ffff);

    // Or, exclusive or.
    or_zero: (IntOr x 0) => x;
    or_self: (IntOr x x) => x;
    or_or: (IntOr (IntOr x a) b) => (IntOr x (IntOr a b));
    or_redundant: (IntOr x a) => x if (IntEq (IntAnd a (ones x)) a);
    or_and_known: (IntOr (IntAnd x a) b) => x
        if (IntEq (IntAnd b (ones x)) b), (IntEq (IntOr (IntOr a b) (zeros x)) ones);
    or_and_shown: (IntOr (IntAnd x a) b) => (IntOr x b) if (IntEq (IntOr (IntOr a b) (zeros x)) ones);
    xor_zero: (IntXor x 0) => x;
    xor_self: (IntXor x x) => 0;
    xor_xor: (IntXor (IntXor x a) b) => (IntXor x (IntXor a b));
    xor_xor_same: (IntXor (IntXor x y) y) => x;
    xor_bool: (IntXor x 1) => (IntEq x 0) if (UintLe (umax x) 1);

    // Shifts.
    shl_zero: (IntShl x a) => x if (IntEq (IntAnd a 63) 0);
    shr_zero: (UintShr x a) => x if (IntEq (IntAnd a 63) 0);
    sar_zero: (IntSar x a) => x if (IntEq (IntAnd a 63) 0);
    rotl_zero: (IntRotl x a) => x if (IntEq (IntAnd a 63) 0);
    shl_of_zero: (IntShl 0 x) => 0;
    shr_of_zero: (UintShr 0 x) => 0;
    sar_of_zero: (IntSar 0 x) => 0;
    shl_shl: (IntShl (IntShl x a) b) => (IntShl x (IntAdd a b))
        if (UintLt a 64), (UintLt b 64), (UintLt (IntAdd a b) 64);
    shr_shr: (UintShr (UintShr x a) b) => (UintShr x (IntAdd a b))
        if (UintLt a 64), (UintLt b 64), (UintLt (IntAdd a b) 64);
    sar_sar: (IntSar (IntSar x a) b) => (IntSar x (IntAdd a b))
        if (UintLt a 64), (UintLt b 64), (UintLt (IntAdd a b) 64);
    sar_not_negative: (IntSar x y) => (UintShr x y) if (IntLe 0 (smin x));
    shr_of_shl: (UintShr (IntShl x a) a) => (IntAnd x (UintShr ones a)) if (UintLt a 64);
    shl_of_shr: (IntShl (UintShr x a) a) => (IntAnd x (IntShl ones a)) if (UintLt a 64);
    shl_of_sar: (IntShl (IntSar x a) a) => (IntAnd x (IntShl ones a)) if (UintLt a 64);
    sar_of_shl: (IntSar (IntShl x a) a) => x
        if (UintLt a 64), (IntLe (IntSar min a) (smin x)), (IntLe (smax x) (IntSar (IntSub min 1) a));
    shr_of_or: (UintShr (IntOr x a) b) => (UintShr x b) if (UintLt a (IntShl 1 b)), (UintLt b 64);
    sar_of_or: (IntSar (IntOr x a) b) => (IntSar x b) if (UintLt a (IntShl 1 b)), (UintLt b 63);
    sext32_of_shifts: (IntSar (IntShl x 32) 32) => (IntSext32 x);
    sext16_of_shifts: (IntSar (IntShl x 48) 48) => (IntSext16 x);
    sext8_of_shifts: (IntSar (IntShl x 56) 56) => (IntSext8 x);

    // Sign extensions: of what is narrow already, and of what is narrowed inside.
    sext8_narrow: (IntSext8 x) => x if (IntLe (IntSub 0 0x80) (smin x)), (IntLe (smax x) 0x7f);
    sext16_narrow: (IntSext16 x) => x if (IntLe (IntSub 0 0x8000) (smin x)), (IntLe (smax x) 0x7fff);
    sext32_narrow: (IntSext32 x) => x if (IntLe (IntSub 0 0x8000_0000) (smin x)), (IntLe (smax x) 0x7fff_ffff);
    sext8_and: (IntSext8 (IntAnd x a)) => (IntSext8 x) if (IntEq (IntAnd a 0xff) 0xff);
    sext8_or: (IntSext8 (IntOr x a)) => (IntSext8 x) if (IntEq (IntAnd a 0xff) 0);
    sext16_and: (IntSext16 (IntAnd x a)) => (IntSext16 x) if (IntEq (IntAnd a 0xffff) 0xffff);
    sext16_or: (IntSext16 (IntOr x a)) => (IntSext16 x) if (IntEq (IntAnd a 0xffff) 0);
    sext32_and: (IntSext32 (IntAnd x a)) => (IntSext32 x) if (IntEq (IntAnd a 0xffff_ffff) 0xffff_ffff);
    sext32_or: (IntSext32 (IntOr x a)) => (IntSext32 x) if (IntEq (IntAnd a 0xffff_ffff) 0);
    sext8_sext16: (IntSext8 (IntSext16 x)) => (IntSext8 x);
    sext8_sext32: (IntSext8 (IntSext32 x)) => (IntSext8 x);
    sext16_sext32: (IntSext16 (IntSext32 x)) => (IntSext16 x);

    // Bits in other orders.
    bswap_bswap: (IntBswap (IntBswap x)) => x;
    bitrev_bitrev: (IntBitrev (IntBitrev x)) => x;

    // Comparisons: with themselves, of booleans, with constants, inverted.
    eq_self: (IntEq x x) => 1;
    ne_self: (IntNe x x) => 0;
    lt_self: (IntLt x x) => 0;
    le_self: (IntLe x x) => 1;
    ult_self: (UintLt x x) => 0;
    ule_self: (UintLe x x) => 1;
    ne_zero_bool: (IntNe x 0) => x if (UintLe (umax x) 1);
    eq_one_bool: (IntEq x 1) => x if (UintLe (umax x) 1);
    ne_one_bool: (IntNe x 1) => (IntEq x 0) if (UintLe (umax x) 1);
    not_eq: (IntEq (IntEq x y) 0) => (IntNe x y);
    not_ne: (IntEq (IntNe x y) 0) => (IntEq x y);
    not_lt: (IntEq (IntLt x y) 0) => (IntLe y x);
    not_le: (IntEq (IntLe x y) 0) => (IntLt y x);
    not_ult: (IntEq (UintLt x y) 0) => (UintLe y x);
    not_ule: (IntEq (UintLe x y) 0) => (UintLt y x);
    not_float_eq: (IntEq (FloatEq x y) 0) => (FloatNe x y);
    not_float_ne: (IntEq (FloatNe x y) 0) => (FloatEq x y);
    eq_add: (IntEq (IntAdd x a) b) => (IntEq x (IntSub b a));
    ne_add: (IntNe (IntAdd x a) b) => (IntNe x (IntSub b a));
    eq_sub_from: (IntEq (IntSub a x) b) => (IntEq x (IntSub a b));
    ne_sub_from: (IntNe (IntSub a x) b) => (IntNe x (IntSub a b));
    eq_difference: (IntEq (IntSub x y) 0) => (IntEq x y);
    ne_difference: (IntNe (IntSub x y) 0) => (IntNe x y);
    eq_xor: (IntEq (IntXor x a) b) => (IntEq x (IntXor a b));
    ne_xor: (IntNe (IntXor x a) b) => (IntNe x (IntXor a b));
    eq_xor_zero: (IntEq (IntXor x y) 0) => (IntEq x y);
    ne_xor_zero: (IntNe (IntXor x y) 0) => (IntNe x y);
    eq_or: (IntEq (IntOr x a) b) => (IntEq x (IntAnd b (IntXor a ones)))
        if (IntEq (IntAnd a (zeros x)) a), (IntEq (IntAnd b a) a);
    ne_or: (IntNe (IntOr x a) b) => (IntNe x (IntAnd b (IntXor a ones)))
        if (IntEq (IntAnd a (zeros x)) a), (IntEq (IntAnd b a) a);
    eq_and_top: (IntEq (IntAnd x a) a) => (UintLt (IntSub a 1) x) if (IntEq (IntPopcnt (IntSub 0 a)) 1);
    ne_and_top: (IntNe (IntAnd x a) a) => (UintLt x a) if (IntEq (IntPopcnt (IntSub 0 a)) 1);
    ult_one: (UintLt x 1) => (IntEq x 0);
    ult_zero: (UintLt 0 x) => (IntNe x 0);
    le_const: (IntLe x a) => (IntLt x (IntAdd a 1)) if (IntNe a (IntSub min 1));
    le_from_const: (IntLe a x) => (IntLt (IntSub a 1) x) if (IntNe a min);
    ule_const: (UintLe x a) => (UintLt x (IntAdd a 1)) if (IntNe a ones);
    ule_from_const: (UintLe a x) => (UintLt (IntSub a 1) x) if (IntNe a 0);
    add_ovf_zero: (IntAddOvf x 0) => 0;
    sub_ovf_self: (IntSubOvf x x) => 0;
    mul_ovf_zero: (IntMulOvf x 0) => 0;
    mul_ovf_one: (IntMulOvf x 1) => 0;

    // Selections.
    select_known: (IntSelect a x y) => x if (IntNe a 0);
    select_zero: (IntSelect 0 x y) => y;
    select_not_zero: (IntSelect x y z) => y if (UintLt 0 (umin x));
    select_same: (IntSelect x y y) => y;
    select_one_zero: (IntSelect x 1 0) => (IntNe x 0);
    select_zero_one: (IntSelect x 0 1) => (IntEq x 0);
    select_ne_zero: (IntSelect (IntNe x 0) y z) => (IntSelect x y z);
    select_eq_zero: (IntSelect (IntEq x 0) y z) => (IntSelect x z y);

    // Floats: only what keeps every bit, also of what is not a number.
    float_eq_self: (FloatEq x x) => 1 if (number x);
    float_ne_self: (FloatNe x x) => 0 if (number x);
    float_lt_self: (FloatLt x x) => 0;
    float_le_self: (FloatLe x x) => 1 if (number x);
    float_neg_neg: (FloatNeg (FloatNeg x)) => x;
    float_abs_neg: (FloatAbs (FloatNeg x)) => (FloatAbs x);
    float_abs_abs: (FloatAbs (FloatAbs x)) => (FloatAbs x);
    bits_of_float: (FloatToBits (FloatFromBits x)) => x;
    float_of_bits: (FloatFromBits (FloatToBits x)) => x;
}

/// What matching asks of the trace.
pub trait Context {
    /// The pure operation that computes a value, with its operands as they are now.
    fn definition(&self, opnd: Opnd) -> Option<(PureOp, [Opnd; 3])>;
    /// The pure operation alone.
    fn head(&self, opnd: Opnd) -> Option<PureOp> {
        self.definition(opnd).map(|(op, _)| op)
    }
    /// What is known of an operand.
    fn fact(&self, opnd: Opnd) -> Fact;
}

/// What the names of a rule stand for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bindings {
    any: [Option<Opnd>; 3],
    constants: [Option<u64>; 2],
}

impl Bindings {
    /// The operand that a variable stands for.
    ///
    /// # Panics
    /// If the pattern does not bind it.
    pub fn operand(&self, n: usize) -> Opnd {
        self.any[n].expect("the pattern binds every variable of the rule")
    }

    /// The constant that a name stands for.
    ///
    /// # Panics
    /// If the pattern does not bind it.
    pub fn constant(&self, n: usize) -> u64 {
        self.constants[n].expect("the pattern binds every constant of the rule")
    }
}

/// What an operand looks like from outside: most rules need no closer look.
#[derive(Clone, Copy)]
enum Head {
    Word(u64),
    Op(PureOp),
    Other,
}

impl Head {
    fn may_match(self, pattern: &Term) -> bool {
        match (pattern, self) {
            (Term::Any(_), _) | (Term::Const(_), Head::Word(_)) => true,
            (Term::Literal(literal), Head::Word(word)) => *literal == word,
            (Term::Op(op, _), Head::Op(found)) => *op == found,
            _ => false,
        }
    }
}

/// The first rule that fits, with what its names stand for.
pub fn find(op: PureOp, args: &[Opnd], context: &impl Context) -> Option<(usize, Bindings)> {
    let mut heads = [Head::Other; 3];
    for (head, &arg) in heads.iter_mut().zip(args) {
        *head = match arg {
            Opnd::Word(word) => Head::Word(word),
            opnd => context.head(opnd).map_or(Head::Other, Head::Op),
        };
    }
    by_root()[op as usize].iter().find_map(|&n| {
        let rule = &RULES[n];
        let Term::Op(_, operands) = rule.pattern else { return None };
        let in_order = operands.iter().zip(&heads).all(|(operand, head)| head.may_match(operand));
        if !in_order && !(op.is_commutative() && heads[1].may_match(&operands[0])) {
            return None;
        }
        let mut bindings = Bindings::default();
        let fits = match_operands(op, operands, args, &mut bindings, context)
            && rule.conditions.iter().all(|&condition| evaluate(condition, &bindings, context) != 0);
        fits.then_some((n, bindings))
    })
}

fn by_root() -> &'static [Vec<usize>] {
    static TABLE: OnceLock<Vec<Vec<usize>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = vec![Vec::new(); PureOp::ALL.len()];
        for (n, rule) in RULES.iter().enumerate() {
            match rule.pattern {
                Term::Op(op, _) => table[op as usize].push(n),
                _ => panic!("the pattern of {} is no operation", rule.name),
            }
        }
        table
    })
}

fn match_operands(
    op: PureOp,
    patterns: &[Term],
    args: &[Opnd],
    bindings: &mut Bindings,
    context: &impl Context,
) -> bool {
    let before = *bindings;
    if patterns.iter().zip(args).all(|(&pattern, &arg)| matches(pattern, arg, bindings, context)) {
        return true;
    }
    *bindings = before;
    op.is_commutative()
        && matches(patterns[0], args[1], bindings, context)
        && matches(patterns[1], args[0], bindings, context)
}

fn matches(pattern: Term, opnd: Opnd, bindings: &mut Bindings, context: &impl Context) -> bool {
    match pattern {
        Term::Any(n) => *bindings.any[n].get_or_insert(opnd) == opnd,
        Term::Const(n) => match opnd {
            Opnd::Word(word) => *bindings.constants[n].get_or_insert(word) == word,
            _ => false,
        },
        Term::Literal(word) => opnd == Opnd::Word(word),
        Term::Op(op, patterns) => match context.definition(opnd) {
            Some((found, args)) if found == op => {
                match_operands(op, patterns, &args[..patterns.len()], bindings, context)
            }
            _ => false,
        },
        Term::Known(..) | Term::Magic(_) | Term::MagicShift(_) => false,
    }
}

/// For a divisor that is no power of two the factor `m` and the shift `s` with which `(x * m) >> (64 + s)` is the quotient
/// of every `x` up to 2^63.
///
/// With 2^s < divisor < 2^(s+1) and `m` the next above 2^(64+s) / divisor, `m * divisor` is more than 2^(64+s) by at most
/// the divisor, so the product is too large by less than 1 / divisor of the unit as long as `x` is at most 2^63. For other
/// divisors the factor means nothing.
pub fn magic(divisor: u64) -> (u64, u64) {
    let shift = u64::from(63 - divisor.max(1).leading_zeros());
    ((((1u128 << (64 + shift)) / u128::from(divisor.max(1))) as u64).wrapping_add(1), shift)
}

fn evaluate(term: Term, bindings: &Bindings, context: &impl Context) -> u64 {
    match term {
        Term::Const(n) => bindings.constant(n),
        Term::Literal(word) => word,
        Term::Op(op, operands) => {
            let mut words = [0; 3];
            for (word, &operand) in words.iter_mut().zip(operands) {
                *word = evaluate(operand, bindings, context);
            }
            op.eval(&words)
        }
        Term::Known(known, n) => {
            let fact = context.fact(bindings.operand(n));
            match known {
                Known::UMin => fact.umin,
                Known::UMax => fact.umax,
                Known::SMin => fact.smin as u64,
                Known::SMax => fact.smax as u64,
                Known::Zeros => fact.zeros,
                Known::Ones => fact.ones,
                Known::Number => fact.number.into(),
            }
        }
        Term::Magic(n) => magic(bindings.constant(n)).0,
        Term::MagicShift(n) => magic(bindings.constant(n)).1,
        Term::Any(_) => panic!("a condition asks for a value that is not known"),
    }
}

#[cfg(test)]
mod tests {
    use metatrace_trace::Value;

    use super::*;
    use crate::testing::{Rng, edge_words};

    /// Operands whose values are chosen: `%n` is `words[n]`.
    struct Chosen<'a> {
        facts: &'a [Fact],
    }

    impl Context for Chosen<'_> {
        fn definition(&self, _: Opnd) -> Option<(PureOp, [Opnd; 3])> {
            None
        }

        fn fact(&self, opnd: Opnd) -> Fact {
            match opnd {
                Opnd::Value(value) => self.facts[value.index()],
                Opnd::Word(word) => Fact::exact(word),
                Opnd::Float(_) => Fact::ANY,
            }
        }
    }

    fn value_of(term: Term, words: &[u64; 3], bindings: &Bindings) -> u64 {
        match term {
            Term::Any(n) => words[n],
            Term::Const(n) => bindings.constant(n),
            Term::Literal(word) => word,
            Term::Op(op, operands) => {
                let args: Vec<u64> = operands.iter().map(|&term| value_of(term, words, bindings)).collect();
                op.eval(&args)
            }
            Term::Magic(n) => magic(bindings.constant(n)).0,
            Term::MagicShift(n) => magic(bindings.constant(n)).1,
            Term::Known(..) => panic!("only conditions ask what is known"),
        }
    }

    fn names(term: Term, any: &mut [bool; 3], constants: &mut [bool; 2]) {
        match term {
            Term::Any(n) => any[n] = true,
            Term::Const(n) | Term::Magic(n) | Term::MagicShift(n) => constants[n] = true,
            Term::Op(_, operands) => operands.iter().for_each(|&term| names(term, any, constants)),
            Term::Literal(_) | Term::Known(..) => {}
        }
    }

    /// Whether the conditions hold; if so, both sides must be equal. A division by 0 says nothing.
    fn check(rule: &Rule, words: &[u64; 3], facts: &[Fact; 3], constants: [u64; 2]) -> bool {
        let bindings = Bindings {
            any: [0, 1, 2].map(|n| Some(Opnd::Value(Value::new(n)))),
            constants: constants.map(Some),
        };
        let context = Chosen { facts };
        if !rule.conditions.iter().all(|&condition| evaluate(condition, &bindings, &context) != 0) {
            return false;
        }
        if let Term::Op(op, operands) = rule.pattern
            && op.is_partial()
            && value_of(operands[1], words, &bindings) == 0
        {
            return false;
        }
        let left = value_of(rule.pattern, words, &bindings);
        let right = value_of(rule.replacement, words, &bindings);
        assert_eq!(left, right, "{}: x, y, z = {words:?}, a, b = {constants:?}", rule.name);
        true
    }

    /// All 8-bit words for two variables, and edges and random words of 64 bits, with constants at the edges.
    #[test]
    fn every_rule_holds() {
        let edges = edge_words();
        let mut rng = Rng::new(11);
        for rule in RULES {
            let (mut any, mut constants) = ([false; 3], [false; 2]);
            names(rule.pattern, &mut any, &mut constants);
            let mut held = 0u64;
            let mut check_all = |words: [u64; 3], rng: &mut Rng| {
                let facts = words.map(|word| match rng.below(4) {
                    _ if rule.conditions.is_empty() => Fact::ANY,
                    3 if !f64::from_bits(word).is_nan() => Fact::number(),
                    0 => Fact::exact(word),
                    1 => Fact::unsigned(0, word.max(1)).meet(Fact::signed(word as i64, i64::MAX)),
                    _ => Fact::bits(!word & rng.next(), word & rng.next()),
                });
                let pairs = if constants[0] && !any[1] { 6 } else { 1 };
                for _ in 0..pairs {
                    let chosen = [rng.word(&edges), rng.word(&edges)];
                    held += u64::from(check(rule, &words, &facts, chosen));
                }
            };
            for x in i8::MIN..=i8::MAX {
                for y in i8::MIN..=i8::MAX {
                    if any[1] || y == 0 {
                        let z = rng.word(&edges);
                        check_all([x as u64, y as u64, z], &mut rng);
                    }
                }
            }
            for &x in &edges {
                for &y in &edges {
                    let z = rng.word(&edges);
                    check_all([x, y, z], &mut rng);
                }
            }
            for &a in &edges {
                for &b in &edges {
                    let words = [0; 3].map(|_: u64| rng.word(&edges));
                    held += u64::from(check(rule, &words, &words.map(Fact::exact), [a, b]));
                }
            }
            assert!(held > 20, "{} was hardly ever tried: {held}", rule.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut all: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), RULES.len());
    }
}
