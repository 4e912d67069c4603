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
    pub(crate) start: Idx,
    pub(crate) end: Idx,
    pub(crate) exhausted: bool,
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

/// A bound of a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound<T> {
    Included(T),
    Excluded(T),
    Unbounded,
}
pub trait RangeBounds<T: ?Sized> {
    fn start_bound(&self) -> Bound<&T>;
    fn end_bound(&self) -> Bound<&T>;
}
macro_rules! bounds {
    ($($range:ty, $this:ident => $start:expr, $end:expr;)*) => { $(
        impl<T> RangeBounds<T> for $range {
            fn start_bound(&self) -> Bound<&T> {
                let $this = self;
                $start
            }
            fn end_bound(&self) -> Bound<&T> {
                let $this = self;
                $end
            }
        }
    )* };
}
bounds! {
    Range<T>, r => Bound::Included(&r.start), Bound::Excluded(&r.end);
    RangeFrom<T>, r => Bound::Included(&r.start), Bound::Unbounded;
    RangeTo<T>, r => Bound::Unbounded, Bound::Excluded(&r.end);
    RangeToInclusive<T>, r => Bound::Unbounded, Bound::Included(&r.end);
    RangeFull, _r => Bound::Unbounded, Bound::Unbounded;
    RangeInclusive<T>, r => Bound::Included(&r.start),
        if r.exhausted { Bound::Excluded(&r.end) } else { Bound::Included(&r.end) };
}

impl<T: PartialOrd> Range<T> {
    pub fn contains<U: PartialOrd<T> + ?Sized>(&self, item: &U) -> bool
    where
        T: PartialOrd<U>,
    {
        self.start <= *item && *item < self.end
    }
    pub fn is_empty(&self) -> bool {
        !(self.start < self.end)
    }
}
impl<T: PartialOrd> RangeFrom<T> {
    pub fn contains<U: PartialOrd<T> + ?Sized>(&self, item: &U) -> bool
    where
        T: PartialOrd<U>,
    {
        self.start <= *item
    }
}
impl<T: PartialOrd> RangeTo<T> {
    pub fn contains<U: PartialOrd<T> + ?Sized>(&self, item: &U) -> bool
    where
        T: PartialOrd<U>,
    {
        *item < self.end
    }
}
impl<T: PartialOrd> RangeToInclusive<T> {
    pub fn contains<U: PartialOrd<T> + ?Sized>(&self, item: &U) -> bool
    where
        T: PartialOrd<U>,
    {
        *item <= self.end
    }
}
impl<T> RangeInclusive<T> {
    pub const fn new(start: T, end: T) -> RangeInclusive<T> {
        RangeInclusive { start, end, exhausted: false }
    }
    pub const fn start(&self) -> &T {
        &self.start
    }
    pub const fn end(&self) -> &T {
        &self.end
    }
    pub fn into_inner(self) -> (T, T) {
        (self.start, self.end)
    }
}
impl<T: PartialOrd> RangeInclusive<T> {
    pub fn contains<U: PartialOrd<T> + ?Sized>(&self, item: &U) -> bool
    where
        T: PartialOrd<U>,
    {
        self.start <= *item && if self.exhausted { *item < self.end } else { *item <= self.end }
    }
    pub fn is_empty(&self) -> bool {
        self.exhausted || !(self.start <= self.end)
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
    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = if self.start < self.end { self.end.wrapping_sub(self.start).__as_usize() } else { 0 };
        (n, Some(n))
    }
    fn nth(&mut self, n: usize) -> Option<N> {
        if n < self.size_hint().0 {
            let value = self.start.wrapping_add(N::__from_usize(n));
            self.start = value.__forward();
            Some(value)
        } else {
            self.start = self.end;
            None
        }
    }
}
impl<N: __Int> ExactSizeIterator for Range<N> {}
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

/// Whether a chain of steps goes on.
#[lang]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ControlFlow<B, C = ()> {
    Continue(C),
    Break(B),
}
impl<B, C> ControlFlow<B, C> {
    pub fn is_break(&self) -> bool {
        match *self {
            ControlFlow::Break(_) => true,
            ControlFlow::Continue(_) => false,
        }
    }
    pub fn is_continue(&self) -> bool {
        match *self {
            ControlFlow::Break(_) => false,
            ControlFlow::Continue(_) => true,
        }
    }
    pub fn break_value(self) -> Option<B> {
        match self {
            ControlFlow::Break(b) => Some(b),
            ControlFlow::Continue(_) => None,
        }
    }
    pub fn continue_value(self) -> Option<C> {
        match self {
            ControlFlow::Break(_) => None,
            ControlFlow::Continue(c) => Some(c),
        }
    }
    pub fn map_break<T, F: FnOnce(B) -> T>(self, f: F) -> ControlFlow<T, C> {
        match self {
            ControlFlow::Break(b) => ControlFlow::Break(f(b)),
            ControlFlow::Continue(c) => ControlFlow::Continue(c),
        }
    }
}

/// What `try_fold` and `try_for_each` understand.
pub trait Try {
    type Output;
    fn from_output(output: Self::Output) -> Self;
    /// The output to go on with, or what to leave with.
    fn __split(self) -> Result<Self::Output, Self>;
}
impl<T> Try for Option<T> {
    type Output = T;
    fn from_output(output: T) -> Option<T> {
        Some(output)
    }
    fn __split(self) -> Result<T, Option<T>> {
        match self {
            Some(x) => Ok(x),
            None => Err(None),
        }
    }
}
impl<T, E> Try for Result<T, E> {
    type Output = T;
    fn from_output(output: T) -> Result<T, E> {
        Ok(output)
    }
    fn __split(self) -> Result<T, Result<T, E>> {
        match self {
            Ok(x) => Ok(x),
            Err(e) => Err(Err(e)),
        }
    }
}
impl<B, C> Try for ControlFlow<B, C> {
    type Output = C;
    fn from_output(output: C) -> ControlFlow<B, C> {
        ControlFlow::Continue(output)
    }
    fn __split(self) -> Result<C, ControlFlow<B, C>> {
        match self {
            ControlFlow::Continue(c) => Ok(c),
            ControlFlow::Break(b) => Err(ControlFlow::Break(b)),
        }
    }
}
