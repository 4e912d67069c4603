//! The model of `std::cmp`: `Ordering` and the comparison traits, with their implementations for the scalar types, references,
//! tuples and slices. Read by the translator as if it were the crate's source; bodies marked as intrinsics are replaced.

use crate::marker::{__Int, __Num, __Scalar};

#[derive(Clone, Copy)]
#[repr(i8)]
#[lang]
pub enum Ordering {
    Less = -1,
    Equal = 0,
    Greater = 1,
}

impl Ordering {
    pub fn is_eq(self) -> bool {
        self as i8 == 0
    }
    pub fn is_ne(self) -> bool {
        self as i8 != 0
    }
    pub fn is_lt(self) -> bool {
        (self as i8) < 0
    }
    pub fn is_gt(self) -> bool {
        self as i8 > 0
    }
    pub fn is_le(self) -> bool {
        self as i8 <= 0
    }
    pub fn is_ge(self) -> bool {
        self as i8 >= 0
    }
    pub fn then(self, other: Ordering) -> Ordering {
        match self {
            Ordering::Equal => other,
            _ => self,
        }
    }
    pub fn then_with<F: FnOnce() -> Ordering>(self, f: F) -> Ordering {
        match self {
            Ordering::Equal => f(),
            _ => self,
        }
    }
    pub fn reverse(self) -> Ordering {
        match self {
            Ordering::Less => Ordering::Greater,
            Ordering::Equal => Ordering::Equal,
            Ordering::Greater => Ordering::Less,
        }
    }
}

impl PartialEq for Ordering {
    fn eq(&self, other: &Ordering) -> bool {
        *self as i8 == *other as i8
    }
}
impl Eq for Ordering {}
impl PartialOrd for Ordering {
    fn partial_cmp(&self, other: &Ordering) -> Option<Ordering> {
        (*self as i8).partial_cmp(&(*other as i8))
    }
}
impl Ord for Ordering {
    fn cmp(&self, other: &Ordering) -> Ordering {
        (*self as i8).cmp(&(*other as i8))
    }
}

#[lang]
pub trait PartialEq<Rhs: ?Sized = Self> {
    fn eq(&self, other: &Rhs) -> bool;
    fn ne(&self, other: &Rhs) -> bool {
        !self.eq(other)
    }
}

#[lang]
pub trait Eq: PartialEq<Self> {}

#[lang]
pub trait PartialOrd<Rhs: ?Sized = Self>: PartialEq<Rhs> {
    fn partial_cmp(&self, other: &Rhs) -> Option<Ordering>;
    fn lt(&self, other: &Rhs) -> bool {
        match self.partial_cmp(other) {
            Some(o) => o.is_lt(),
            None => false,
        }
    }
    fn le(&self, other: &Rhs) -> bool {
        match self.partial_cmp(other) {
            Some(o) => o.is_le(),
            None => false,
        }
    }
    fn gt(&self, other: &Rhs) -> bool {
        match self.partial_cmp(other) {
            Some(o) => o.is_gt(),
            None => false,
        }
    }
    fn ge(&self, other: &Rhs) -> bool {
        match self.partial_cmp(other) {
            Some(o) => o.is_ge(),
            None => false,
        }
    }
}

#[lang]
pub trait Ord: Eq + PartialOrd<Self> {
    fn cmp(&self, other: &Self) -> Ordering;
    fn max(self, other: Self) -> Self
    where
        Self: Sized,
    {
        if other < self { self } else { other }
    }
    fn min(self, other: Self) -> Self
    where
        Self: Sized,
    {
        if other < self { other } else { self }
    }
    fn clamp(self, min: Self, max: Self) -> Self
    where
        Self: Sized,
    {
        assert!(min <= max);
        if self < min {
            min
        } else if self > max {
            max
        } else {
            self
        }
    }
}

impl<N: __Scalar> PartialEq for N {
    fn eq(&self, other: &N) -> bool {
        *self == *other
    }
    fn ne(&self, other: &N) -> bool {
        *self != *other
    }
}
impl<N: __Int> Eq for N {}
impl Eq for bool {}
impl Eq for char {}

impl<N: __Num> PartialOrd for N {
    fn partial_cmp(&self, other: &N) -> Option<Ordering> {
        if *self < *other {
            Some(Ordering::Less)
        } else if *self == *other {
            Some(Ordering::Equal)
        } else if *self > *other {
            Some(Ordering::Greater)
        } else {
            None
        }
    }
    fn lt(&self, other: &N) -> bool {
        *self < *other
    }
    fn le(&self, other: &N) -> bool {
        *self <= *other
    }
    fn gt(&self, other: &N) -> bool {
        *self > *other
    }
    fn ge(&self, other: &N) -> bool {
        *self >= *other
    }
}

impl<N: __Int> Ord for N {
    fn cmp(&self, other: &N) -> Ordering {
        if *self < *other {
            Ordering::Less
        } else if *self == *other {
            Ordering::Equal
        } else {
            Ordering::Greater
        }
    }
    fn clamp(self, min: N, max: N) -> N {
        if min > max {
            panic!("min > max. min = {min:?}, max = {max:?}");
        }
        if self < min {
            min
        } else if self > max {
            max
        } else {
            self
        }
    }
}

impl PartialOrd for bool {
    fn partial_cmp(&self, other: &bool) -> Option<Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}
impl Ord for bool {
    fn cmp(&self, other: &bool) -> Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}
impl PartialOrd for char {
    fn partial_cmp(&self, other: &char) -> Option<Ordering> {
        (*self as u32).partial_cmp(&(*other as u32))
    }
}
impl Ord for char {
    fn cmp(&self, other: &char) -> Ordering {
        (*self as u32).cmp(&(*other as u32))
    }
}

impl PartialEq for () {
    fn eq(&self, _other: &()) -> bool {
        true
    }
}
impl Eq for () {}

impl PartialOrd for () {
    fn partial_cmp(&self, _other: &()) -> Option<Ordering> {
        Some(Ordering::Equal)
    }
}
impl Ord for () {
    fn cmp(&self, _other: &()) -> Ordering {
        Ordering::Equal
    }
}

// The comparisons are those of each pair of fields in turn. A pair that has no order decides: then nothing is less.
macro_rules! compare_tuples {
    ($(($($name:ident $field:tt)*))*) => { $(
        impl<$($name: PartialEq),*> PartialEq for ($($name,)*) {
            fn eq(&self, other: &($($name,)*)) -> bool {
                $(self.$field == other.$field)&&*
            }
        }
        impl<$($name: Eq),*> Eq for ($($name,)*) {}
        impl<$($name: PartialOrd),*> PartialOrd for ($($name,)*) {
            fn partial_cmp(&self, other: &($($name,)*)) -> Option<Ordering> {
                $(match self.$field.partial_cmp(&other.$field) {
                    Some(Ordering::Equal) => {}
                    decided => return decided,
                })*
                Some(Ordering::Equal)
            }
        }
        impl<$($name: Ord),*> Ord for ($($name,)*) {
            fn cmp(&self, other: &($($name,)*)) -> Ordering {
                $(match self.$field.cmp(&other.$field) {
                    Ordering::Equal => {}
                    decided => return decided,
                })*
                Ordering::Equal
            }
        }
    )* };
}
compare_tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
}

impl<A: PartialEq<B> + ?Sized, B: ?Sized> PartialEq<&B> for &A {
    fn eq(&self, other: &&B) -> bool {
        PartialEq::eq(*self, *other)
    }
}
impl<A: Eq + ?Sized> Eq for &A {}
impl<A: PartialOrd<B> + ?Sized, B: ?Sized> PartialOrd<&B> for &A {
    fn partial_cmp(&self, other: &&B) -> Option<Ordering> {
        PartialOrd::partial_cmp(*self, *other)
    }
}
impl<A: Ord + ?Sized> Ord for &A {
    fn cmp(&self, other: &&A) -> Ordering {
        Ord::cmp(*self, *other)
    }
}
impl<A: PartialEq<B> + ?Sized, B: ?Sized> PartialEq<&mut B> for &mut A {
    fn eq(&self, other: &&mut B) -> bool {
        PartialEq::eq(&**self, &**other)
    }
}

impl<A: Eq + ?Sized> Eq for &mut A {}
impl<A: PartialEq<B> + ?Sized, B: ?Sized> PartialEq<&mut B> for &A {
    fn eq(&self, other: &&mut B) -> bool {
        PartialEq::eq(*self, &**other)
    }
}
impl<A: PartialEq<B> + ?Sized, B: ?Sized> PartialEq<&B> for &mut A {
    fn eq(&self, other: &&B) -> bool {
        PartialEq::eq(&**self, *other)
    }
}
impl<A: PartialOrd<B> + ?Sized, B: ?Sized> PartialOrd<&mut B> for &mut A {
    fn partial_cmp(&self, other: &&mut B) -> Option<Ordering> {
        PartialOrd::partial_cmp(&**self, &**other)
    }
}
impl<A: Ord + ?Sized> Ord for &mut A {
    fn cmp(&self, other: &&mut A) -> Ordering {
        Ord::cmp(&**self, &**other)
    }
}

macro_rules! opaque {
    ($([$($params:tt)*] $a:ty, $b:ty;)*) => { $(
        impl<$($params)*> PartialEq<$b> for $a {
            #[opaque]
            fn eq(&self, other: &$b) -> bool {}
        }
    )* };
}
opaque! {
    [] str, crate::string::String;
    ['a] &'a str, crate::string::String;
    [T: PartialEq<U>, U, const N: usize] [T; N], [U];
    [T: PartialEq<U>, U, const N: usize] [T], [U; N];
    ['a, T: PartialEq<U>, U, const N: usize] [T; N], &'a [U];
    ['a, T: PartialEq<U>, U, const N: usize] &'a [T], [U; N];
    [T: PartialEq<U>, U, const N: usize] crate::vec::Vec<T>, [U; N];
    ['a, T: PartialEq<U>, U, const N: usize] crate::vec::Vec<T>, &'a [U; N];
    ['a, T: PartialEq<U>, U] crate::vec::Vec<T>, &'a [U];
    [T: PartialEq<U>, U] crate::vec::Vec<T>, [U];
    ['a, T: PartialEq<U>, U] &'a [T], crate::vec::Vec<U>;
    [T: PartialEq<U>, U] [T], crate::vec::Vec<U>;
}
macro_rules! ordered {
    ($([$($params:tt)*] [$($total:tt)*] $a:ty;)*) => { $(
        impl<$($params)*> PartialOrd for $a {
            #[opaque]
            fn partial_cmp(&self, other: &$a) -> Option<Ordering> {}
        }
        impl<$($total)*> Ord for $a {
            #[opaque]
            fn cmp(&self, other: &$a) -> Ordering {}
        }
    )* };
}
ordered! {
    [] [] str;
    [] [] crate::string::String;
    [T: PartialOrd] [T: Ord] crate::vec::Vec<T>;
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Hash)]
pub struct Reverse<T>(pub T);
impl<T: PartialOrd> PartialOrd for Reverse<T> {
    fn partial_cmp(&self, other: &Reverse<T>) -> Option<Ordering> {
        other.0.partial_cmp(&self.0)
    }
}
impl<T: Ord> Ord for Reverse<T> {
    fn cmp(&self, other: &Reverse<T>) -> Ordering {
        other.0.cmp(&self.0)
    }
}

impl PartialEq for str {
    #[opaque]
    fn eq(&self, other: &str) -> bool {}
}
impl Eq for str {}
impl PartialEq for crate::string::String {
    #[opaque]
    fn eq(&self, other: &crate::string::String) -> bool {}
}
impl Eq for crate::string::String {}
impl PartialEq<str> for crate::string::String {
    #[opaque]
    fn eq(&self, other: &str) -> bool {}
}
impl<'a> PartialEq<&'a str> for crate::string::String {
    #[opaque]
    fn eq(&self, other: &&'a str) -> bool {}
}

impl<T: PartialEq<U>, U> PartialEq<[U]> for [T] {
    #[opaque]
    fn eq(&self, other: &[U]) -> bool {}
}
impl<T: Eq> Eq for [T] {}
impl<T: PartialOrd> PartialOrd for [T] {
    #[opaque]
    fn partial_cmp(&self, other: &[T]) -> Option<Ordering> {}
}
impl<T: Ord> Ord for [T] {
    #[opaque]
    fn cmp(&self, other: &[T]) -> Ordering {}
}
impl<T: PartialEq<U>, U, const N: usize> PartialEq<[U; N]> for [T; N] {
    #[opaque]
    fn eq(&self, other: &[U; N]) -> bool {}
}
impl<T: Eq, const N: usize> Eq for [T; N] {}
impl<T: PartialOrd, const N: usize> PartialOrd for [T; N] {
    #[opaque]
    fn partial_cmp(&self, other: &[T; N]) -> Option<Ordering> {}
}
impl<T: Ord, const N: usize> Ord for [T; N] {
    #[opaque]
    fn cmp(&self, other: &[T; N]) -> Ordering {}
}
impl<T: PartialEq<U>, U> PartialEq<crate::vec::Vec<U>> for crate::vec::Vec<T> {
    #[opaque]
    fn eq(&self, other: &crate::vec::Vec<U>) -> bool {}
}
impl<T: Eq> Eq for crate::vec::Vec<T> {}

pub fn max<T: Ord>(a: T, b: T) -> T {
    a.max(b)
}
pub fn min<T: Ord>(a: T, b: T) -> T {
    a.min(b)
}
