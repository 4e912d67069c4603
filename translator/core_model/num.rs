use crate::marker::{__Float, __Int};

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
    #[opaque]
    pub fn pow(self, exponent: u32) -> N {}
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

impl f64 {
    #[intrinsic]
    pub fn to_bits(self) -> u64 {}
    #[intrinsic]
    pub fn from_bits(bits: u64) -> f64 {}
}
impl f32 {
    #[intrinsic]
    pub fn to_bits(self) -> u32 {}
    #[intrinsic]
    pub fn from_bits(bits: u32) -> f32 {}
}
impl<F: __Float> F {
    #[intrinsic]
    pub fn sqrt(self) -> F {}
    #[intrinsic = "absolute"]
    pub fn abs(self) -> F {}
    #[intrinsic]
    pub fn floor(self) -> F {}
    #[intrinsic]
    pub fn ceil(self) -> F {}
    #[intrinsic]
    pub fn trunc(self) -> F {}
    pub fn is_nan(self) -> bool {
        self != self
    }
}
