//! The model of numbers. One impl stands for all integer types, one for both float types; what differs in types from width to
//! width is made by macros.

use crate::marker::{__Float, __Int, __Num};

impl<N: __Num> N {
    #[intrinsic = "sum_start"]
    pub fn __sum_start() -> N {}
    #[intrinsic = "product_start"]
    pub fn __product_start() -> N {}
}

// One impl for all twelve integer types. `__u` and `__i` types of equal width differ only in these methods' results,
// which the intrinsics' names tell the lowering.
impl<N: __Int> N {
    #[intrinsic]
    pub const MAX: N = loop {};
    #[intrinsic]
    pub const MIN: N = loop {};
    #[intrinsic]
    pub const BITS: u32 = loop {};
    #[intrinsic = "one"]
    const __ONE: N = loop {};
    #[intrinsic = "wrapping_inc"]
    pub fn __forward(self) -> N {}
    #[intrinsic = "wrapping_dec"]
    pub fn __backward(self) -> N {}
    #[intrinsic]
    pub fn wrapping_add(self, rhs: N) -> N {}
    #[intrinsic]
    pub fn wrapping_sub(self, rhs: N) -> N {}
    #[intrinsic]
    pub fn wrapping_mul(self, rhs: N) -> N {}
    pub fn wrapping_div(self, rhs: N) -> N {
        if self.__div_overflows(rhs) { self } else { self / rhs }
    }
    pub fn wrapping_rem(self, rhs: N) -> N {
        if self.__div_overflows(rhs) { self ^ self } else { self % rhs }
    }
    #[intrinsic]
    pub fn wrapping_neg(self) -> N {}
    #[intrinsic]
    pub fn wrapping_shl(self, rhs: u32) -> N {}
    #[intrinsic]
    pub fn wrapping_shr(self, rhs: u32) -> N {}
    #[intrinsic]
    pub fn wrapping_abs(self) -> N {}
    #[intrinsic]
    pub fn overflowing_add(self, rhs: N) -> (N, bool) {}
    #[intrinsic]
    pub fn overflowing_sub(self, rhs: N) -> (N, bool) {}
    #[intrinsic]
    pub fn overflowing_mul(self, rhs: N) -> (N, bool) {}
    #[intrinsic]
    pub fn overflowing_neg(self) -> (N, bool) {}
    #[intrinsic]
    pub fn saturating_add(self, rhs: N) -> N {}
    #[intrinsic]
    pub fn saturating_sub(self, rhs: N) -> N {}
    #[intrinsic]
    pub fn saturating_mul(self, rhs: N) -> N {}
    pub fn checked_add(self, rhs: N) -> Option<N> {
        let (value, overflow) = self.overflowing_add(rhs);
        if overflow { None } else { Some(value) }
    }
    pub fn checked_sub(self, rhs: N) -> Option<N> {
        let (value, overflow) = self.overflowing_sub(rhs);
        if overflow { None } else { Some(value) }
    }
    pub fn checked_mul(self, rhs: N) -> Option<N> {
        let (value, overflow) = self.overflowing_mul(rhs);
        if overflow { None } else { Some(value) }
    }
    pub fn checked_neg(self) -> Option<N> {
        let (value, overflow) = self.overflowing_neg();
        if overflow { None } else { Some(value) }
    }
    pub fn checked_div(self, rhs: N) -> Option<N> {
        if rhs.__is_zero() || self.__div_overflows(rhs) { None } else { Some(self / rhs) }
    }
    pub fn checked_rem(self, rhs: N) -> Option<N> {
        if rhs.__is_zero() || self.__div_overflows(rhs) { None } else { Some(self % rhs) }
    }
    pub fn checked_shl(self, rhs: u32) -> Option<N> {
        if rhs < N::BITS { Some(self << rhs) } else { None }
    }
    pub fn checked_shr(self, rhs: u32) -> Option<N> {
        if rhs < N::BITS { Some(self >> rhs) } else { None }
    }
    #[intrinsic = "is_zero"]
    fn __is_zero(self) -> bool {}
    #[intrinsic = "div_overflows"]
    fn __div_overflows(self, rhs: N) -> bool {}
    #[intrinsic]
    pub fn abs(self) -> N {}
    #[intrinsic]
    pub fn signum(self) -> N {}
    #[intrinsic]
    pub fn is_negative(self) -> bool {}
    #[intrinsic]
    pub fn is_positive(self) -> bool {}
    pub fn rem_euclid(self, rhs: N) -> N {
        let rest = self % rhs;
        if rest < rest ^ rest { rest.wrapping_add(rhs.wrapping_abs()) } else { rest }
    }
    pub fn div_euclid(self, rhs: N) -> N {
        let quotient = self / rhs;
        let zero = self ^ self;
        if self % rhs >= zero {
            quotient
        } else if rhs > zero {
            quotient.wrapping_sub(N::__ONE)
        } else {
            quotient.wrapping_add(N::__ONE)
        }
    }
    #[pure]
    pub const fn pow(self, exponent: u32) -> N {}
    #[pure(total)]
    pub const fn checked_pow(self, exponent: u32) -> Option<N> {}
    #[pure(total)]
    pub const fn wrapping_pow(self, exponent: u32) -> N {}
    #[pure(total)]
    pub const fn saturating_pow(self, exponent: u32) -> N {}
    #[pure(total)]
    pub const fn overflowing_pow(self, exponent: u32) -> (N, bool) {}
    #[pure]
    pub const fn isqrt(self) -> N {}
    #[pure]
    pub const fn ilog2(self) -> u32 {}
    #[pure]
    pub const fn ilog10(self) -> u32 {}
    #[pure]
    pub const fn ilog(self, base: N) -> u32 {}
    #[pure(total)]
    pub const fn checked_ilog2(self) -> Option<u32> {}
    #[pure(total)]
    pub const fn checked_ilog10(self) -> Option<u32> {}
    #[pure(total)]
    pub const fn saturating_neg(self) -> N {}
    #[pure(total)]
    pub const fn saturating_abs(self) -> N {}
    #[pure]
    pub const fn saturating_div(self, rhs: N) -> N {}
    #[pure(total)]
    pub const fn checked_abs(self) -> Option<N> {}
    #[pure(total)]
    pub const fn checked_rem_euclid(self, rhs: N) -> Option<N> {}
    #[pure(total)]
    pub const fn checked_div_euclid(self, rhs: N) -> Option<N> {}
    #[pure(total)]
    pub const fn checked_next_power_of_two(self) -> Option<N> {}
    #[pure]
    pub const fn next_power_of_two(self) -> N {}
    #[pure]
    pub const fn next_multiple_of(self, rhs: N) -> N {}
    #[pure]
    pub const fn div_ceil(self, rhs: N) -> N {}
    #[pure]
    pub const fn div_floor(self, rhs: N) -> N {}
    #[pure(total)]
    pub const fn midpoint(self, rhs: N) -> N {}
    #[pure]
    pub const fn strict_add(self, rhs: N) -> N {}
    #[pure(total)]
    pub const fn to_be(self) -> N {}
    #[pure(total)]
    pub const fn to_le(self) -> N {}
    #[opaque]
    pub fn from_str_radix(text: &str, radix: u32) -> Result<N, ParseIntError> {}
    #[intrinsic = "as_usize"]
    pub fn __as_usize(self) -> usize {}
    #[intrinsic = "from_usize"]
    pub fn __from_usize(n: usize) -> N {}
    pub const fn min_value() -> N {
        N::MIN
    }
    pub const fn max_value() -> N {
        N::MAX
    }
    pub const fn is_multiple_of(self, rhs: N) -> bool {
        if rhs.__is_zero() { self.__is_zero() } else { (self % rhs).__is_zero() }
    }
    pub const fn overflowing_shl(self, rhs: u32) -> (N, bool) {
        (self.wrapping_shl(rhs), rhs >= N::BITS)
    }
    pub const fn overflowing_shr(self, rhs: u32) -> (N, bool) {
        (self.wrapping_shr(rhs), rhs >= N::BITS)
    }
    pub const fn leading_ones(self) -> u32 {
        (!self).leading_zeros()
    }
    pub const fn trailing_ones(self) -> u32 {
        (!self).trailing_zeros()
    }
    pub const unsafe fn unchecked_add(self, rhs: N) -> N {
        self.wrapping_add(rhs)
    }
    pub const unsafe fn unchecked_sub(self, rhs: N) -> N {
        self.wrapping_sub(rhs)
    }
    pub const unsafe fn unchecked_mul(self, rhs: N) -> N {
        self.wrapping_mul(rhs)
    }
    #[intrinsic]
    pub fn rotate_left(self, n: u32) -> N {}
    #[intrinsic]
    pub fn rotate_right(self, n: u32) -> N {}
    #[intrinsic]
    pub fn count_ones(self) -> u32 {}
    #[intrinsic]
    pub fn count_zeros(self) -> u32 {}
    #[intrinsic]
    pub fn leading_zeros(self) -> u32 {}
    #[intrinsic]
    pub fn trailing_zeros(self) -> u32 {}
    #[intrinsic]
    pub fn swap_bytes(self) -> N {}
    #[intrinsic]
    pub fn reverse_bits(self) -> N {}
    #[intrinsic]
    pub fn is_power_of_two(self) -> bool {}
}

macro_rules! sized {
    ($($n:ident $u:ident $i:ident $bytes:literal;)*) => { $(
        impl $n {
            pub const fn abs_diff(self, other: $n) -> $u {
                if self < other {
                    (other as $u).wrapping_sub(self as $u)
                } else {
                    (self as $u).wrapping_sub(other as $u)
                }
            }
            pub const fn unsigned_abs(self) -> $u {
                self.wrapping_abs() as $u
            }
            pub const fn cast_signed(self) -> $i {
                self as $i
            }
            pub const fn cast_unsigned(self) -> $u {
                self as $u
            }
            pub const fn wrapping_add_signed(self, rhs: $i) -> $n {
                self.wrapping_add(rhs as $n)
            }
            pub const fn wrapping_add_unsigned(self, rhs: $u) -> $n {
                self.wrapping_add(rhs as $n)
            }
            pub const fn wrapping_sub_unsigned(self, rhs: $u) -> $n {
                self.wrapping_sub(rhs as $n)
            }
            #[pure(total)]
            pub const fn checked_add_signed(self, rhs: $i) -> Option<$n> {}
            #[pure(total)]
            pub const fn checked_add_unsigned(self, rhs: $u) -> Option<$n> {}
            #[pure(total)]
            pub const fn checked_sub_unsigned(self, rhs: $u) -> Option<$n> {}
            #[pure(total)]
            pub const fn checked_signed_diff(self, rhs: $n) -> Option<$i> {}
            #[pure(total)]
            pub const fn saturating_add_signed(self, rhs: $i) -> $n {}
            #[pure(total)]
            pub const fn saturating_add_unsigned(self, rhs: $u) -> $n {}
            #[pure(total)]
            pub const fn saturating_sub_unsigned(self, rhs: $u) -> $n {}
            #[pure(total)]
            pub const fn to_le_bytes(self) -> [u8; $bytes] {}
            #[pure(total)]
            pub const fn to_be_bytes(self) -> [u8; $bytes] {}
            #[pure(total)]
            pub const fn to_ne_bytes(self) -> [u8; $bytes] {}
            #[pure(total)]
            pub const fn from_le_bytes(bytes: [u8; $bytes]) -> $n {}
            #[pure(total)]
            pub const fn from_be_bytes(bytes: [u8; $bytes]) -> $n {}
            #[pure(total)]
            pub const fn from_ne_bytes(bytes: [u8; $bytes]) -> $n {}
        }
    )* };
}
sized! {
    u8 u8 i8 1; u16 u16 i16 2; u32 u32 i32 4; u64 u64 i64 8; u128 u128 i128 16; usize usize isize 8;
    i8 u8 i8 1; i16 u16 i16 2; i32 u32 i32 4; i64 u64 i64 8; i128 u128 i128 16; isize usize isize 8;
}

impl u8 {
    pub const fn is_ascii(&self) -> bool {
        *self < 128
    }
    pub const fn is_ascii_digit(&self) -> bool {
        matches!(*self, b'0'..=b'9')
    }
    pub const fn is_ascii_hexdigit(&self) -> bool {
        matches!(*self, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
    }
    pub const fn is_ascii_alphabetic(&self) -> bool {
        matches!(*self, b'a'..=b'z' | b'A'..=b'Z')
    }
    pub const fn is_ascii_alphanumeric(&self) -> bool {
        matches!(*self, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
    }
    pub const fn is_ascii_uppercase(&self) -> bool {
        matches!(*self, b'A'..=b'Z')
    }
    pub const fn is_ascii_lowercase(&self) -> bool {
        matches!(*self, b'a'..=b'z')
    }
    pub const fn is_ascii_punctuation(&self) -> bool {
        matches!(*self, b'!'..=b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~')
    }
    pub const fn is_ascii_graphic(&self) -> bool {
        matches!(*self, b'!'..=b'~')
    }
    pub const fn is_ascii_whitespace(&self) -> bool {
        matches!(*self, b'\t' | b'\n' | b'\x0C' | b'\r' | b' ')
    }
    pub const fn is_ascii_control(&self) -> bool {
        matches!(*self, b'\0'..=b'\x1F' | b'\x7F')
    }
    pub const fn to_ascii_uppercase(&self) -> u8 {
        if self.is_ascii_lowercase() { *self ^ 0x20 } else { *self }
    }
    pub const fn to_ascii_lowercase(&self) -> u8 {
        if self.is_ascii_uppercase() { *self | 0x20 } else { *self }
    }
    pub const fn make_ascii_uppercase(&mut self) {
        *self = self.to_ascii_uppercase();
    }
    pub const fn make_ascii_lowercase(&mut self) {
        *self = self.to_ascii_lowercase();
    }
    pub const fn eq_ignore_ascii_case(&self, other: &u8) -> bool {
        self.to_ascii_lowercase() == other.to_ascii_lowercase()
    }
}

macro_rules! float {
    ($($f:ident $bits:ident $bytes:literal;)*) => { $(
        impl $f {
            pub const INFINITY: $f = 1.0 / 0.0;
            pub const NEG_INFINITY: $f = -1.0 / 0.0;
            pub const NAN: $f = 0.0 / 0.0;
            #[intrinsic]
            pub const fn to_bits(self) -> $bits {}
            #[intrinsic]
            pub const fn from_bits(bits: $bits) -> $f {}
            #[pure(total)]
            pub const fn to_le_bytes(self) -> [u8; $bytes] {}
            #[pure(total)]
            pub const fn to_be_bytes(self) -> [u8; $bytes] {}
            #[pure(total)]
            pub const fn to_ne_bytes(self) -> [u8; $bytes] {}
            #[pure(total)]
            pub const fn from_le_bytes(bytes: [u8; $bytes]) -> $f {}
            #[pure(total)]
            pub const fn from_be_bytes(bytes: [u8; $bytes]) -> $f {}
            #[pure(total)]
            pub const fn from_ne_bytes(bytes: [u8; $bytes]) -> $f {}
        }
    )* };
}
float! {
    f32 u32 4;
    f64 u64 8;
}
impl f64 {
    pub const MAX: f64 = 1.7976931348623157e308;
    pub const MIN: f64 = -1.7976931348623157e308;
    pub const MIN_POSITIVE: f64 = 2.2250738585072014e-308;
    pub const EPSILON: f64 = 2.2204460492503131e-16;
}
impl f32 {
    pub const MAX: f32 = 3.40282347e38;
    pub const MIN: f32 = -3.40282347e38;
    pub const MIN_POSITIVE: f32 = 1.17549435e-38;
    pub const EPSILON: f32 = 1.19209290e-07;
}
impl<F: __Float> F {
    #[intrinsic]
    pub fn sqrt(self) -> F {}
    #[intrinsic = "absolute"]
    pub const fn abs(self) -> F {}
    #[intrinsic]
    pub fn floor(self) -> F {}
    #[intrinsic]
    pub fn ceil(self) -> F {}
    #[intrinsic]
    pub fn trunc(self) -> F {}
    pub const fn is_nan(self) -> bool {
        self != self
    }
    #[pure(total)]
    pub const fn is_finite(self) -> bool {}
    #[pure(total)]
    pub const fn is_infinite(self) -> bool {}
    #[pure(total)]
    pub const fn is_normal(self) -> bool {}
    #[pure(total)]
    pub const fn is_sign_positive(self) -> bool {}
    #[pure(total)]
    pub const fn is_sign_negative(self) -> bool {}
    #[pure(total)]
    pub fn round(self) -> F {}
    #[pure(total)]
    pub fn round_ties_even(self) -> F {}
    #[pure(total)]
    pub fn fract(self) -> F {}
    #[pure(total)]
    pub fn signum(self) -> F {}
    #[pure(total)]
    pub fn copysign(self, sign: F) -> F {}
    #[pure(total)]
    pub fn mul_add(self, a: F, b: F) -> F {}
    #[pure(total)]
    pub fn div_euclid(self, rhs: F) -> F {}
    #[pure(total)]
    pub fn rem_euclid(self, rhs: F) -> F {}
    #[pure(total)]
    pub fn powi(self, n: i32) -> F {}
    #[pure(total)]
    pub fn powf(self, n: F) -> F {}
    #[pure(total)]
    pub fn exp(self) -> F {}
    #[pure(total)]
    pub fn exp2(self) -> F {}
    #[pure(total)]
    pub fn exp_m1(self) -> F {}
    #[pure(total)]
    pub fn ln(self) -> F {}
    #[pure(total)]
    pub fn ln_1p(self) -> F {}
    #[pure(total)]
    pub fn log(self, base: F) -> F {}
    #[pure(total)]
    pub fn log2(self) -> F {}
    #[pure(total)]
    pub fn log10(self) -> F {}
    #[pure(total)]
    pub fn cbrt(self) -> F {}
    #[pure(total)]
    pub fn hypot(self, other: F) -> F {}
    #[pure(total)]
    pub fn sin(self) -> F {}
    #[pure(total)]
    pub fn cos(self) -> F {}
    #[pure(total)]
    pub fn tan(self) -> F {}
    #[pure(total)]
    pub fn asin(self) -> F {}
    #[pure(total)]
    pub fn acos(self) -> F {}
    #[pure(total)]
    pub fn atan(self) -> F {}
    #[pure(total)]
    pub fn atan2(self, other: F) -> F {}
    #[pure(total)]
    pub fn sin_cos(self) -> (F, F) {}
    #[pure(total)]
    pub fn sinh(self) -> F {}
    #[pure(total)]
    pub fn cosh(self) -> F {}
    #[pure(total)]
    pub fn tanh(self) -> F {}
    #[pure(total)]
    pub fn recip(self) -> F {}
    #[pure(total)]
    pub fn to_degrees(self) -> F {}
    #[pure(total)]
    pub fn to_radians(self) -> F {}
    #[pure(total)]
    pub const fn max(self, other: F) -> F {}
    #[pure(total)]
    pub const fn min(self, other: F) -> F {}
    #[pure]
    pub const fn clamp(self, min: F, max: F) -> F {}
    #[pure(total)]
    pub const fn total_cmp(&self, other: &F) -> crate::cmp::Ordering {}
}

#[opaque(no_drop, freeze)]
pub struct ParseIntError {}
#[opaque(no_drop, freeze)]
pub struct ParseFloatError {}
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TryFromIntError;
macro_rules! shown {
    ($($name:ident)*) => { $(
        impl crate::fmt::Debug for $name {
            #[opaque]
            fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
        }
        impl crate::fmt::Display for $name {
            #[opaque]
            fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
        }
        impl crate::error::Error for $name {}
    )* };
}
shown!(ParseIntError ParseFloatError TryFromIntError);

#[lang]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Hash)]
#[repr(transparent)]
pub struct Wrapping<T>(pub T);

macro_rules! wrapping {
    ($($name:ident $method:ident $assign:ident $assign_method:ident $a:ident $b:ident $value:expr;)*) => { $(
        impl<N: __Int> crate::ops::$name<Wrapping<N>> for Wrapping<N> {
            type Output = Wrapping<N>;
            fn $method(self, rhs: Wrapping<N>) -> Wrapping<N> {
                let $a = self.0;
                let $b = rhs.0;
                Wrapping($value)
            }
        }
        impl<N: __Int> crate::ops::$assign<Wrapping<N>> for Wrapping<N> {
            fn $assign_method(&mut self, rhs: Wrapping<N>) {
                let $a = self.0;
                let $b = rhs.0;
                self.0 = $value;
            }
        }
        impl<N: __Int> crate::ops::$assign<N> for Wrapping<N> {
            fn $assign_method(&mut self, rhs: N) {
                let $a = self.0;
                let $b = rhs;
                self.0 = $value;
            }
        }
    )* };
}
wrapping! {
    Add add AddAssign add_assign a b a.wrapping_add(b);
    Sub sub SubAssign sub_assign a b a.wrapping_sub(b);
    Mul mul MulAssign mul_assign a b a.wrapping_mul(b);
    Div div DivAssign div_assign a b a.wrapping_div(b);
    Rem rem RemAssign rem_assign a b a.wrapping_rem(b);
    BitAnd bitand BitAndAssign bitand_assign a b a & b;
    BitOr bitor BitOrAssign bitor_assign a b a | b;
    BitXor bitxor BitXorAssign bitxor_assign a b a ^ b;
}
impl<N: __Int> crate::ops::Shl<usize> for Wrapping<N> {
    type Output = Wrapping<N>;
    fn shl(self, rhs: usize) -> Wrapping<N> {
        Wrapping(self.0.wrapping_shl((rhs & (N::BITS as usize - 1)) as u32))
    }
}
impl<N: __Int> crate::ops::Shr<usize> for Wrapping<N> {
    type Output = Wrapping<N>;
    fn shr(self, rhs: usize) -> Wrapping<N> {
        Wrapping(self.0.wrapping_shr((rhs & (N::BITS as usize - 1)) as u32))
    }
}
impl<N: __Int> crate::ops::Neg for Wrapping<N> {
    type Output = Wrapping<N>;
    fn neg(self) -> Wrapping<N> {
        Wrapping(self.0.wrapping_neg())
    }
}
impl<N: __Int> crate::ops::Not for Wrapping<N> {
    type Output = Wrapping<N>;
    fn not(self) -> Wrapping<N> {
        Wrapping(!self.0)
    }
}
impl<N: crate::fmt::Display> crate::fmt::Display for Wrapping<N> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<N: __Int> Wrapping<N> {
    pub const MIN: Wrapping<N> = Wrapping(N::MIN);
    pub const MAX: Wrapping<N> = Wrapping(N::MAX);
    pub fn pow(self, exponent: u32) -> Wrapping<N> {
        Wrapping(self.0.wrapping_pow(exponent))
    }
}
