//! The table of pure operations: shared by flow graphs, jitcode and traces.
//!
//! A pure operation's result depends on its operands alone. Its meaning is written once, in the `eval` column, and
//! serves the blackhole interpreter, the constant folder, the reference backend and the tests of the others.
//!
//! Words are `u64`; operations named `int_` read them as two's complement, `uint_` as unsigned. `float_` operands are
//! `f64`, handed to `eval` as their bits; `f32_` operands are words that hold the bits of an `f32`.
//!
//! To add one, add a row; `eval`, text, encoders and fuzzers follow. The Cranelift lowering is an exhaustive match
//! and will not compile without the new arm.

use crate::Kind;

/// Calls `$m!` with every pure operation.
///
/// Columns: text name, variant, operand kinds, result kind, flags, meaning.
///
/// Flags: `COMMUTATIVE`; `BOOL` (the result is 0 or 1); `PARTIAL` (undefined for some operands: may stand only where
/// earlier guards exclude them, so it must not move above a guard. `eval` is total nevertheless).
#[macro_export]
macro_rules! for_each_pure_op {
    ($m:ident) => {
        $m! {
            /// Wrapping addition.
            int_add = IntAdd(Word, Word) -> Word [COMMUTATIVE] |a, b| a.wrapping_add(b);
            /// Wrapping subtraction.
            int_sub = IntSub(Word, Word) -> Word [] |a, b| a.wrapping_sub(b);
            /// Wrapping multiplication.
            int_mul = IntMul(Word, Word) -> Word [COMMUTATIVE] |a, b| a.wrapping_mul(b);
            /// High 64 bits of the unsigned 128-bit product.
            uint_mul_high = UintMulHigh(Word, Word) -> Word [COMMUTATIVE] |a, b| ((a as u128 * b as u128) >> 64) as u64;
            /// Signed division, rounding to zero; `i64::MIN / -1` wraps. The divisor must not be 0.
            int_div = IntDiv(Word, Word) -> Word [PARTIAL] |a, b| if b == 0 { 0 } else { (a as i64).wrapping_div(b as i64) as u64 };
            /// Signed remainder, with the dividend's sign; `i64::MIN % -1` is 0. The divisor must not be 0.
            int_rem = IntRem(Word, Word) -> Word [PARTIAL] |a, b| if b == 0 { 0 } else { (a as i64).wrapping_rem(b as i64) as u64 };
            /// Unsigned division. The divisor must not be 0.
            uint_div = UintDiv(Word, Word) -> Word [PARTIAL] |a, b| a.checked_div(b).unwrap_or(0);
            /// Unsigned remainder. The divisor must not be 0.
            uint_rem = UintRem(Word, Word) -> Word [PARTIAL] |a, b| a.checked_rem(b).unwrap_or(0);
            /// Bitwise and.
            int_and = IntAnd(Word, Word) -> Word [COMMUTATIVE] |a, b| a & b;
            /// Bitwise or.
            int_or = IntOr(Word, Word) -> Word [COMMUTATIVE] |a, b| a | b;
            /// Bitwise exclusive or.
            int_xor = IntXor(Word, Word) -> Word [COMMUTATIVE] |a, b| a ^ b;
            /// Shift left by the count modulo 64.
            int_shl = IntShl(Word, Word) -> Word [] |a, b| a << (b & 63);
            /// Arithmetic shift right by the count modulo 64.
            int_sar = IntSar(Word, Word) -> Word [] |a, b| ((a as i64) >> (b & 63)) as u64;
            /// Logical shift right by the count modulo 64.
            uint_shr = UintShr(Word, Word) -> Word [] |a, b| a >> (b & 63);
            /// Rotation left by the count modulo 64.
            int_rotl = IntRotl(Word, Word) -> Word [] |a, b| a.rotate_left((b & 63) as u32);
            /// Sign extension of the low 8 bits.
            int_sext8 = IntSext8(Word) -> Word [] |a| a as i8 as u64;
            /// Sign extension of the low 16 bits.
            int_sext16 = IntSext16(Word) -> Word [] |a| a as i16 as u64;
            /// Sign extension of the low 32 bits.
            int_sext32 = IntSext32(Word) -> Word [] |a| a as i32 as u64;
            /// Number of leading zero bits; 64 for 0.
            int_clz = IntClz(Word) -> Word [] |a| a.leading_zeros() as u64;
            /// Number of trailing zero bits; 64 for 0.
            int_ctz = IntCtz(Word) -> Word [] |a| a.trailing_zeros() as u64;
            /// Number of one bits.
            int_popcnt = IntPopcnt(Word) -> Word [] |a| a.count_ones() as u64;
            /// The bytes in reverse order.
            int_bswap = IntBswap(Word) -> Word [] |a| a.swap_bytes();
            /// The bits in reverse order.
            int_bitrev = IntBitrev(Word) -> Word [] |a| a.reverse_bits();
            /// Equality, as 0 or 1.
            int_eq = IntEq(Word, Word) -> Word [COMMUTATIVE, BOOL] |a, b| (a == b) as u64;
            /// Inequality, as 0 or 1.
            int_ne = IntNe(Word, Word) -> Word [COMMUTATIVE, BOOL] |a, b| (a != b) as u64;
            /// Signed less-than, as 0 or 1. Greater-than is this with its operands exchanged.
            int_lt = IntLt(Word, Word) -> Word [BOOL] |a, b| ((a as i64) < (b as i64)) as u64;
            /// Signed less-or-equal, as 0 or 1.
            int_le = IntLe(Word, Word) -> Word [BOOL] |a, b| ((a as i64) <= (b as i64)) as u64;
            /// Unsigned less-than, as 0 or 1.
            uint_lt = UintLt(Word, Word) -> Word [BOOL] |a, b| (a < b) as u64;
            /// Unsigned less-or-equal, as 0 or 1.
            uint_le = UintLe(Word, Word) -> Word [BOOL] |a, b| (a <= b) as u64;
            /// Whether signed 64-bit addition overflows, as 0 or 1.
            int_add_ovf = IntAddOvf(Word, Word) -> Word [COMMUTATIVE, BOOL] |a, b| (a as i64).overflowing_add(b as i64).1 as u64;
            /// Whether signed 64-bit subtraction overflows, as 0 or 1.
            int_sub_ovf = IntSubOvf(Word, Word) -> Word [BOOL] |a, b| (a as i64).overflowing_sub(b as i64).1 as u64;
            /// Whether signed 64-bit multiplication overflows, as 0 or 1.
            int_mul_ovf = IntMulOvf(Word, Word) -> Word [COMMUTATIVE, BOOL] |a, b| (a as i64).overflowing_mul(b as i64).1 as u64;
            /// The second operand if the first is not 0, else the third.
            int_select = IntSelect(Word, Word, Word) -> Word [] |c, a, b| if c != 0 { a } else { b };
            /// IEEE 754 addition.
            float_add = FloatAdd(Float, Float) -> Float [COMMUTATIVE] |a, b| (f64::from_bits(a) + f64::from_bits(b)).to_bits();
            /// IEEE 754 subtraction.
            float_sub = FloatSub(Float, Float) -> Float [] |a, b| (f64::from_bits(a) - f64::from_bits(b)).to_bits();
            /// IEEE 754 multiplication.
            float_mul = FloatMul(Float, Float) -> Float [COMMUTATIVE] |a, b| (f64::from_bits(a) * f64::from_bits(b)).to_bits();
            /// IEEE 754 division.
            float_div = FloatDiv(Float, Float) -> Float [] |a, b| (f64::from_bits(a) / f64::from_bits(b)).to_bits();
            /// The sign bit flipped.
            float_neg = FloatNeg(Float) -> Float [] |a| a ^ (1 << 63);
            /// The sign bit cleared.
            float_abs = FloatAbs(Float) -> Float [] |a| a & !(1 << 63);
            /// Square root.
            float_sqrt = FloatSqrt(Float) -> Float [] |a| f64::from_bits(a).sqrt().to_bits();
            /// Largest integer not above.
            float_floor = FloatFloor(Float) -> Float [] |a| f64::from_bits(a).floor().to_bits();
            /// Smallest integer not below.
            float_ceil = FloatCeil(Float) -> Float [] |a| f64::from_bits(a).ceil().to_bits();
            /// The integer part.
            float_trunc = FloatTrunc(Float) -> Float [] |a| f64::from_bits(a).trunc().to_bits();
            /// Equality, as 0 or 1; false if an operand is not a number.
            float_eq = FloatEq(Float, Float) -> Word [COMMUTATIVE, BOOL] |a, b| (f64::from_bits(a) == f64::from_bits(b)) as u64;
            /// Inequality, as 0 or 1; true if an operand is not a number.
            float_ne = FloatNe(Float, Float) -> Word [COMMUTATIVE, BOOL] |a, b| (f64::from_bits(a) != f64::from_bits(b)) as u64;
            /// Less-than, as 0 or 1; false if an operand is not a number.
            float_lt = FloatLt(Float, Float) -> Word [BOOL] |a, b| (f64::from_bits(a) < f64::from_bits(b)) as u64;
            /// Less-or-equal, as 0 or 1; false if an operand is not a number.
            float_le = FloatLe(Float, Float) -> Word [BOOL] |a, b| (f64::from_bits(a) <= f64::from_bits(b)) as u64;
            /// The nearest float to a signed word.
            float_from_int = FloatFromInt(Word) -> Float [] |a| (a as i64 as f64).to_bits();
            /// The nearest float to an unsigned word.
            float_from_uint = FloatFromUint(Word) -> Float [] |a| (a as f64).to_bits();
            /// Rounded to zero, saturating at the limits of `i64`; 0 for not-a-number.
            float_to_int = FloatToInt(Float) -> Word [] |a| f64::from_bits(a) as i64 as u64;
            /// Rounded to zero, saturating at the limits of `u64`; 0 for not-a-number.
            float_to_uint = FloatToUint(Float) -> Word [] |a| f64::from_bits(a) as u64;
            /// The bits of a float.
            float_to_bits = FloatToBits(Float) -> Word [] |a| a;
            /// The float with these bits.
            float_from_bits = FloatFromBits(Word) -> Float [] |a| a;
            /// IEEE 754 single addition.
            f32_add = F32Add(Word, Word) -> Word [COMMUTATIVE] |a, b| f32_bits(f32_of(a) + f32_of(b));
            /// IEEE 754 single subtraction.
            f32_sub = F32Sub(Word, Word) -> Word [] |a, b| f32_bits(f32_of(a) - f32_of(b));
            /// IEEE 754 single multiplication.
            f32_mul = F32Mul(Word, Word) -> Word [COMMUTATIVE] |a, b| f32_bits(f32_of(a) * f32_of(b));
            /// IEEE 754 single division.
            f32_div = F32Div(Word, Word) -> Word [] |a, b| f32_bits(f32_of(a) / f32_of(b));
            /// Square root of a single.
            f32_sqrt = F32Sqrt(Word) -> Word [] |a| f32_bits(f32_of(a).sqrt());
            /// Equality of singles, as 0 or 1.
            f32_eq = F32Eq(Word, Word) -> Word [COMMUTATIVE, BOOL] |a, b| (f32_of(a) == f32_of(b)) as u64;
            /// Less-than of singles, as 0 or 1.
            f32_lt = F32Lt(Word, Word) -> Word [BOOL] |a, b| (f32_of(a) < f32_of(b)) as u64;
            /// Less-or-equal of singles, as 0 or 1.
            f32_le = F32Le(Word, Word) -> Word [BOOL] |a, b| (f32_of(a) <= f32_of(b)) as u64;
            /// The nearest single to a float.
            f32_from_float = F32FromFloat(Float) -> Word [] |a| f32_bits(f64::from_bits(a) as f32);
            /// A single as a float, exactly.
            f32_to_float = F32ToFloat(Word) -> Float [] |a| (f32_of(a) as f64).to_bits();
            /// The nearest single to a signed word.
            f32_from_int = F32FromInt(Word) -> Word [] |a| f32_bits(a as i64 as f32);
            /// The nearest single to an unsigned word.
            f32_from_uint = F32FromUint(Word) -> Word [] |a| f32_bits(a as f32);
        }
    };
}

fn f32_of(word: u64) -> f32 {
    f32::from_bits(word as u32)
}

fn f32_bits(value: f32) -> u64 {
    value.to_bits() as u64
}

/// Flags of a pure operation, a small bit set.
pub mod flag {
    /// The operands may be exchanged.
    pub const COMMUTATIVE: u8 = 1;
    /// The result is 0 or 1.
    pub const BOOL: u8 = 2;
    /// Undefined for some operands; must not move above a guard.
    pub const PARTIAL: u8 = 4;
}

/// What the table says of one pure operation.
pub struct PureRow {
    /// The name in text forms.
    pub name: &'static str,
    /// The kinds of the operands.
    pub operands: &'static [Kind],
    /// The kind of the result.
    pub result: Kind,
    /// See [`flag`].
    pub flags: u8,
}

macro_rules! eval_arm {
    ($args:ident, |$a:ident| $e:expr) => {{
        let $a: u64 = $args[0];
        $e
    }};
    ($args:ident, |$a:ident, $b:ident| $e:expr) => {{
        let ($a, $b): (u64, u64) = ($args[0], $args[1]);
        $e
    }};
    ($args:ident, |$a:ident, $b:ident, $c:ident| $e:expr) => {{
        let ($a, $b, $c): (u64, u64, u64) = ($args[0], $args[1], $args[2]);
        $e
    }};
}

macro_rules! define_pure_op {
    ($( $(#[$doc:meta])* $name:ident = $variant:ident($($kind:ident),*) -> $result:ident [$($flag:ident),*] |$($p:ident),*| $eval:expr; )*) => {
        /// A pure operation.
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum PureOp {
            $( $(#[$doc])* $variant, )*
        }

        impl PureOp {
            /// Every pure operation, in the table's order.
            pub const ALL: &'static [PureOp] = &[$(PureOp::$variant),*];

            const ROWS: &'static [PureRow] = &[$(PureRow {
                name: stringify!($name),
                operands: &[$(Kind::$kind),*],
                result: Kind::$result,
                flags: 0 $(| flag::$flag)*,
            }),*];

            /// The operation's value on `args`, floats as their bits.
            ///
            /// # Panics
            /// If there are fewer arguments than operands.
            pub fn eval(self, args: &[u64]) -> u64 {
                match self {
                    $( PureOp::$variant => eval_arm!(args, |$($p),*| $eval), )*
                }
            }
        }

        impl core::str::FromStr for PureOp {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $( stringify!($name) => Ok(PureOp::$variant), )*
                    _ => Err(()),
                }
            }
        }
    };
}
for_each_pure_op!(define_pure_op);

const _: () = assert!(PureOp::ALL.len() <= 128);

impl PureOp {
    /// The row of the table.
    pub const fn row(self) -> &'static PureRow {
        &Self::ROWS[self as usize]
    }

    /// The name in text forms.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether the operands may be exchanged.
    pub const fn is_commutative(self) -> bool {
        self.row().flags & flag::COMMUTATIVE != 0
    }

    /// Whether the result is 0 or 1.
    pub const fn is_bool(self) -> bool {
        self.row().flags & flag::BOOL != 0
    }

    /// Whether the operation is undefined for some operands, so that it must stay below the guards before it.
    pub const fn is_partial(self) -> bool {
        self.row().flags & flag::PARTIAL != 0
    }

    /// The operation with number `code`, if there is one.
    pub fn from_u8(code: u8) -> Option<PureOp> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl core::fmt::Display for PureOp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_round_trip() {
        for &op in PureOp::ALL {
            assert_eq!(op.name().parse(), Ok(op));
            assert_eq!(PureOp::from_u8(op as u8), Some(op));
        }
    }

    #[test]
    fn eval_is_total_and_flags_hold() {
        let samples = [
            0,
            1,
            2,
            63,
            64,
            255,
            u64::MAX,
            i64::MIN as u64,
            i64::MAX as u64,
            1.5f64.to_bits(),
            f64::NAN.to_bits(),
        ];
        for &op in PureOp::ALL {
            for &a in &samples {
                for &b in &samples {
                    let r = op.eval(&[a, b, 7]);
                    assert!(!op.is_bool() || r <= 1, "{op} {a} {b}");
                    let nan = matches!(op.row().result, Kind::Float) && f64::from_bits(r).is_nan();
                    assert!(!op.is_commutative() || nan || r == op.eval(&[b, a, 7]), "{op} {a} {b}");
                }
            }
        }
    }

    #[test]
    fn division_at_the_edges() {
        let (min, minus_one) = (i64::MIN as u64, -1i64 as u64);
        assert_eq!(PureOp::IntDiv.eval(&[min, minus_one]), min);
        assert_eq!(PureOp::IntRem.eval(&[min, minus_one]), 0);
        assert_eq!(PureOp::IntDiv.eval(&[-7i64 as u64, 2]), -3i64 as u64);
    }
}
