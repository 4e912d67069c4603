//! The model of `std::ops`: the operator traits with their implementations for the scalar types, ranges, and the closure traits.
//! Operators on scalars are built in; the implementations exist so that generic code finds them.

use crate::marker::{__Int, __Num, __Signed};

macro_rules! binary {
    ($($name:ident $method:ident $assign:ident $assign_method:ident $set:ident $op:tt;)*) => { $(
        #[lang]
        pub trait $name<Rhs = Self> {
            type Output;
            fn $method(self, rhs: Rhs) -> Self::Output;
        }
        impl<N: $set> $name<N> for N {
            type Output = N;
            fn $method(self, rhs: N) -> N { self $op rhs }
        }
        impl<'a, N: $set> $name<&'a N> for N {
            type Output = N;
            fn $method(self, rhs: &'a N) -> N { self $op *rhs }
        }
        impl<'a, N: $set> $name<N> for &'a N {
            type Output = N;
            fn $method(self, rhs: N) -> N { *self $op rhs }
        }
        impl<'a, 'b, N: $set> $name<&'b N> for &'a N {
            type Output = N;
            fn $method(self, rhs: &'b N) -> N { *self $op *rhs }
        }
        #[lang]
        pub trait $assign<Rhs = Self> {
            fn $assign_method(&mut self, rhs: Rhs);
        }
        impl<N: $set> $assign<N> for N {
            fn $assign_method(&mut self, rhs: N) { *self = *self $op rhs; }
        }
        impl<'a, N: $set> $assign<&'a N> for N {
            fn $assign_method(&mut self, rhs: &'a N) { *self = *self $op *rhs; }
        }
    )* };
}
binary! {
    Add add AddAssign add_assign __Num +;
    Sub sub SubAssign sub_assign __Num -;
    Mul mul MulAssign mul_assign __Num *;
    Div div DivAssign div_assign __Num /;
    Rem rem RemAssign rem_assign __Num %;
    BitAnd bitand BitAndAssign bitand_assign __Int &;
    BitOr bitor BitOrAssign bitor_assign __Int |;
    BitXor bitxor BitXorAssign bitxor_assign __Int ^;
}

macro_rules! shift {
    ($($name:ident $method:ident $assign:ident $assign_method:ident $op:tt;)*) => { $(
        #[lang]
        pub trait $name<Rhs = Self> {
            type Output;
            fn $method(self, rhs: Rhs) -> Self::Output;
        }
        impl<N: __Int, M: __Int> $name<M> for N {
            type Output = N;
            fn $method(self, rhs: M) -> N { self $op rhs }
        }
        impl<'a, N: __Int, M: __Int> $name<&'a M> for N {
            type Output = N;
            fn $method(self, rhs: &'a M) -> N { self $op *rhs }
        }
        impl<'a, N: __Int, M: __Int> $name<M> for &'a N {
            type Output = N;
            fn $method(self, rhs: M) -> N { *self $op rhs }
        }
        #[lang]
        pub trait $assign<Rhs = Self> {
            fn $assign_method(&mut self, rhs: Rhs);
        }
        impl<N: __Int, M: __Int> $assign<M> for N {
            fn $assign_method(&mut self, rhs: M) { *self = *self $op rhs; }
        }
    )* };
}
shift! {
    Shl shl ShlAssign shl_assign <<;
    Shr shr ShrAssign shr_assign >>;
}

macro_rules! on_bool {
    ($($name:ident $method:ident $op:tt;)*) => { $(
        impl $name<bool> for bool {
            type Output = bool;
            fn $method(self, rhs: bool) -> bool { self $op rhs }
        }
    )* };
}
on_bool! {
    BitAnd bitand &;
    BitOr bitor |;
    BitXor bitxor ^;
}

#[lang]
pub trait Not {
    type Output;
    fn not(self) -> Self::Output;
}
impl<N: __Int> Not for N {
    type Output = N;
    fn not(self) -> N {
        !self
    }
}
impl<'a, N: __Int> Not for &'a N {
    type Output = N;
    fn not(self) -> N {
        !*self
    }
}
impl Not for bool {
    type Output = bool;
    fn not(self) -> bool {
        !self
    }
}
impl<'a> Not for &'a bool {
    type Output = bool;
    fn not(self) -> bool {
        !*self
    }
}

#[lang]
pub trait Neg {
    type Output;
    fn neg(self) -> Self::Output;
}
impl<N: __Signed + __Num> Neg for N {
    type Output = N;
    fn neg(self) -> N {
        -self
    }
}
impl<'a, N: __Signed + __Num> Neg for &'a N {
    type Output = N;
    fn neg(self) -> N {
        -*self
    }
}

#[lang]
pub trait Drop {
    fn drop(&mut self);
}

#[lang]
pub trait Deref {
    #[lang = "deref_target"]
    type Target: ?Sized;
    fn deref(&self) -> &Self::Target;
}
#[lang]
pub trait DerefMut: Deref {
    fn deref_mut(&mut self) -> &mut Self::Target;
}
impl<T: ?Sized> Deref for &T {
    type Target = T;
    fn deref(&self) -> &T {
        *self
    }
}
impl<T: ?Sized> Deref for &mut T {
    type Target = T;
    fn deref(&self) -> &T {
        *self
    }
}
impl<T: ?Sized> DerefMut for &mut T {
    fn deref_mut(&mut self) -> &mut T {
        *self
    }
}

#[lang]
pub trait Index<Idx: ?Sized> {
    #[lang = "index_output"]
    type Output: ?Sized;
    fn index(&self, index: Idx) -> &Self::Output;
}
#[lang]
pub trait IndexMut<Idx: ?Sized>: Index<Idx> {
    fn index_mut(&mut self, index: Idx) -> &mut Self::Output;
}

#[lang]
pub trait FnOnce<Args> {
    #[lang = "fn_output"]
    type Output;
    fn call_once(self, args: Args) -> Self::Output;
}
#[lang]
pub trait FnMut<Args>: FnOnce<Args> {
    fn call_mut(&mut self, args: Args) -> Self::Output;
}
#[lang]
pub trait Fn<Args>: FnMut<Args> {
    fn call(&self, args: Args) -> Self::Output;
}

#[lang]
#[derive(Clone, PartialEq, Eq)]
pub struct Range<Idx> {
    pub start: Idx,
    pub end: Idx,
}
#[lang]
#[derive(Clone, PartialEq, Eq)]
pub struct RangeInclusive<Idx> {
    start: Idx,
    end: Idx,
    exhausted: bool,
}
#[lang]
#[derive(Clone, PartialEq, Eq)]
pub struct RangeFrom<Idx> {
    pub start: Idx,
}
#[lang]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RangeTo<Idx> {
    pub end: Idx,
}
#[lang]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RangeToInclusive<Idx> {
    pub end: Idx,
}
#[lang]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RangeFull;

impl<N: __Int> Range<N> {
    pub fn contains(&self, item: &N) -> bool {
        self.start <= *item && *item < self.end
    }
    pub fn is_empty(&self) -> bool {
        !(self.start < self.end)
    }
}
impl<N: __Int> RangeInclusive<N> {
    pub fn contains(&self, item: &N) -> bool {
        self.start <= *item && *item <= self.end
    }
    pub fn start(&self) -> &N {
        &self.start
    }
    pub fn end(&self) -> &N {
        &self.end
    }
}

impl<N: __Int> Iterator for Range<N> {
    type Item = N;
    fn next(&mut self) -> Option<N> {
        if self.start < self.end {
            let value = self.start;
            self.start = value.__forward();
            Some(value)
        } else {
            None
        }
    }
}
impl<N: __Int> DoubleEndedIterator for Range<N> {
    fn next_back(&mut self) -> Option<N> {
        if self.start < self.end {
            self.end = self.end.__backward();
            Some(self.end)
        } else {
            None
        }
    }
}
impl<N: __Int> Iterator for RangeFrom<N> {
    type Item = N;
    fn next(&mut self) -> Option<N> {
        let value = self.start;
        self.start = value + N::__ONE;
        Some(value)
    }
}
impl<N: __Int> Iterator for RangeInclusive<N> {
    type Item = N;
    fn next(&mut self) -> Option<N> {
        if self.exhausted || self.start > self.end {
            return None;
        }
        let value = self.start;
        if value < self.end {
            self.start = value.__forward();
        } else {
            self.exhausted = true;
        }
        Some(value)
    }
}
impl<N: __Int> DoubleEndedIterator for RangeInclusive<N> {
    fn next_back(&mut self) -> Option<N> {
        if self.exhausted || self.start > self.end {
            return None;
        }
        let value = self.end;
        if self.start < value {
            self.end = value.__backward();
        } else {
            self.exhausted = true;
        }
        Some(value)
    }
}
