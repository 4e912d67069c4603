//! Taking values apart into words, exactly as jitcode does.
//!
//! In: a Rust value. Out: its words, floats as their bits, narrow integers canonical (zero-extended if unsigned,
//! sign-extended if signed). The generator scalarises by the same rules; a change here is a change there.
//!
//! - integers, `bool`, `char`, `f32`, `f64`, thin references, raw and function pointers: one word;
//! - slices and `str`: address, length;
//! - tuples and arrays: their parts, one after the other;
//! - enums: the number of the variant, then the words of its payload from the payload's start; unused words are 0;
//! - owners of memory (`Box`, `Rc`, `Arc`, `String`, `Vec`): their bytes, moved, as opaque words.
//!
//! User types get implementations in the generated glue, written with [`put`] and [`take`].

use std::mem::{ManuallyDrop, size_of};
use std::rc::Rc;
use std::sync::Arc;

/// A value that can be taken apart into words.
pub trait Scalars: Sized {
    /// How many words there are.
    const WORDS: usize;

    /// Writes the words to the first [`Scalars::WORDS`] places of `out`; the words own what the value owned.
    ///
    /// # Panics
    /// If `out` is too short.
    fn pack(self, out: &mut [u64]);

    /// Puts a value together again, which owns what the words owned.
    ///
    /// # Safety
    /// The first [`Scalars::WORDS`] words must be what [`Scalars::pack`] made of a valid value (or the same words as
    /// jitcode computes them), must not be put together twice if the value is not `Copy`, and every reference must be
    /// valid for the lifetime that the caller gives it.
    unsafe fn unpack(words: &[u64]) -> Self;
}

/// Packs one part of a value at `*at` and moves `*at` behind it.
pub fn put<T: Scalars>(part: T, out: &mut [u64], at: &mut usize) {
    part.pack(&mut out[*at..*at + T::WORDS]);
    *at += T::WORDS;
}

/// Unpacks one part of a value from `*at` and moves `*at` behind it.
///
/// # Safety
/// As for [`Scalars::unpack`].
pub unsafe fn take<T: Scalars>(words: &[u64], at: &mut usize) -> T {
    let from = *at;
    *at += T::WORDS;
    // SAFETY: passed on to the caller.
    unsafe { T::unpack(&words[from..*at]) }
}

/// The larger of two word counts, for the payloads of enums.
pub const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Packs a value bytewise: its size in bytes must be a multiple of 8, and it must have no padding.
pub fn pack_opaque<T>(value: T, out: &mut [u64]) {
    const { assert!(size_of::<T>().is_multiple_of(8), "opaque values are whole words") };
    let value = ManuallyDrop::new(value);
    let out = &mut out[..size_of::<T>() / 8];
    // SAFETY: `out` has the size of `T`, which has no padding; the value is not dropped, so it was moved.
    unsafe { std::ptr::copy_nonoverlapping((&raw const value).cast(), out.as_mut_ptr(), out.len()) }
}

/// Undoes [`pack_opaque`].
///
/// # Safety
/// The words must be what [`pack_opaque`] made of a `T`, and must not be used again unless `T` is `Copy`.
pub unsafe fn unpack_opaque<T>(words: &[u64]) -> T {
    let words = &words[..size_of::<T>() / 8];
    // SAFETY: the caller vouches for the bytes; `words` has the size of `T`.
    unsafe { words.as_ptr().cast::<T>().read_unaligned() }
}

macro_rules! one_word {
    ($([$($generics:tt)*] $t:ty: |$v:ident| $to:expr, |$w:ident| $from:expr;)*) => { $(
        impl<$($generics)*> Scalars for $t {
            const WORDS: usize = 1;
            fn pack(self, out: &mut [u64]) {
                let $v = self;
                out[0] = $to;
            }
            unsafe fn unpack(words: &[u64]) -> Self {
                let $w = words[0];
                // SAFETY: the caller vouches for the word.
                #[allow(unused_unsafe)]
                unsafe { $from }
            }
        }
    )* };
}

one_word! {
    [] u8: |v| v as u64, |w| w as u8;
    [] u16: |v| v as u64, |w| w as u16;
    [] u32: |v| v as u64, |w| w as u32;
    [] u64: |v| v, |w| w;
    [] usize: |v| v as u64, |w| w as usize;
    [] i8: |v| v as u64, |w| w as i8;
    [] i16: |v| v as u64, |w| w as i16;
    [] i32: |v| v as u64, |w| w as i32;
    [] i64: |v| v as u64, |w| w as i64;
    [] isize: |v| v as u64, |w| w as isize;
    [] bool: |v| v as u64, |w| w as u8 != 0;
    [] char: |v| v as u64, |w| char::from_u32_unchecked(w as u32);
    [] f32: |v| v.to_bits() as u64, |w| f32::from_bits(w as u32);
    [] f64: |v| v.to_bits(), |w| f64::from_bits(w);
    ['a, T] &'a T: |v| v as *const T as u64, |w| &*(w as usize as *const T);
    ['a, T] &'a mut T: |v| v as *mut T as u64, |w| &mut *(w as usize as *mut T);
    [T] *const T: |v| v as u64, |w| w as usize as *const T;
    [T] *mut T: |v| v as u64, |w| w as usize as *mut T;
    [T] std::ptr::NonNull<T>: |v| v.as_ptr() as u64, |w| std::ptr::NonNull::new_unchecked(w as usize as *mut T);
}

macro_rules! slices {
    ($([$($generics:tt)*] $t:ty: |$v:ident| $address:expr, |$a:ident, $n:ident| $from:expr;)*) => { $(
        impl<$($generics)*> Scalars for $t {
            const WORDS: usize = 2;
            fn pack(self, out: &mut [u64]) {
                let $v = self;
                out[1] = $v.len() as u64;
                out[0] = $address as u64;
            }
            unsafe fn unpack(words: &[u64]) -> Self {
                let ($a, $n) = (words[0] as usize, words[1] as usize);
                // SAFETY: the caller vouches for address and length.
                unsafe { $from }
            }
        }
    )* };
}

slices! {
    ['a, T] &'a [T]: |v| v.as_ptr(), |a, n| std::slice::from_raw_parts(a as *const T, n);
    ['a, T] &'a mut [T]: |v| v.as_mut_ptr(), |a, n| std::slice::from_raw_parts_mut(a as *mut T, n);
    ['a] &'a str: |v| v.as_ptr(), |a, n| std::str::from_utf8_unchecked(std::slice::from_raw_parts(a as *const u8, n));
    ['a] &'a mut str: |v| v.as_mut_ptr(),
        |a, n| std::str::from_utf8_unchecked_mut(std::slice::from_raw_parts_mut(a as *mut u8, n));
}

macro_rules! opaque {
    ($([$($generics:tt)*] $t:ty;)*) => { $(
        impl<$($generics)*> Scalars for $t {
            const WORDS: usize = size_of::<$t>() / 8;
            fn pack(self, out: &mut [u64]) {
                pack_opaque(self, out)
            }
            unsafe fn unpack(words: &[u64]) -> Self {
                // SAFETY: passed on to the caller.
                unsafe { unpack_opaque(words) }
            }
        }
    )* };
}

opaque! {
    [T: ?Sized] Box<T>;
    [T: ?Sized] Rc<T>;
    [T: ?Sized] Arc<T>;
    [T] Vec<T>;
    [] String;
    [T] crate::Traced<T>;
}

const _: () = assert!(
    <Box<u8> as Scalars>::WORDS == 1
        && <Vec<u8> as Scalars>::WORDS == 3
        && <String as Scalars>::WORDS == 3
        && <crate::Traced<u8> as Scalars>::WORDS == 1
);

macro_rules! functions {
    ($($($a:ident)*;)*) => { $(
        impl<Out $(, $a)*> Scalars for fn($($a),*) -> Out {
            const WORDS: usize = 1;
            fn pack(self, out: &mut [u64]) {
                out[0] = self as usize as u64;
            }
            unsafe fn unpack(words: &[u64]) -> Self {
                // SAFETY: the caller vouches that the word is the address of such a function.
                unsafe { std::mem::transmute::<usize, Self>(words[0] as usize) }
            }
        }
    )* };
}
functions! { ; A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H; }

macro_rules! tuples {
    ($($($t:ident)*;)*) => { $(
        impl<$($t: Scalars),*> Scalars for ($($t,)*) {
            const WORDS: usize = 0 $(+ $t::WORDS)*;
            #[allow(non_snake_case, unused_mut, unused_variables)]
            fn pack(self, out: &mut [u64]) {
                let ($($t,)*) = self;
                let mut at = 0;
                $( put($t, out, &mut at); )*
            }
            #[allow(unused_mut, unused_variables)]
            unsafe fn unpack(words: &[u64]) -> Self {
                let mut at = 0;
                // SAFETY: passed on to the caller.
                #[allow(unused_unsafe, clippy::unused_unit)]
                unsafe { ($(take::<$t>(words, &mut at),)*) }
            }
        }
    )* };
}
tuples! { ; A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H; }

impl<T: Scalars, const N: usize> Scalars for [T; N] {
    const WORDS: usize = N * T::WORDS;

    fn pack(self, out: &mut [u64]) {
        let mut at = 0;
        for element in self {
            put(element, out, &mut at);
        }
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        let mut at = 0;
        // SAFETY: passed on to the caller.
        std::array::from_fn(|_| unsafe { take(words, &mut at) })
    }
}

/// A reference into the collected heap is the address of its object.
impl<T> Scalars for metatrace_gc::Gc<T> {
    const WORDS: usize = 1;

    fn pack(self, out: &mut [u64]) {
        out[0] = self.to_bits();
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { metatrace_gc::Gc::from_bits(words[0]) }
    }
}

impl<T: Scalars + metatrace_gc::Trace + Copy> Scalars for metatrace_gc::GcCell<T> {
    const WORDS: usize = T::WORDS;

    fn pack(self, out: &mut [u64]) {
        self.get().pack(out);
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        // SAFETY: passed on to the caller.
        metatrace_gc::GcCell::new(unsafe { T::unpack(words) })
    }
}

/// A weak reference is the address of its cell.
impl<T> Scalars for metatrace_gc::Weak<T> {
    const WORDS: usize = 1;

    fn pack(self, out: &mut [u64]) {
        out[0] = self.to_bits();
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { metatrace_gc::Weak::from_bits(words[0]) }
    }
}

impl<T: metatrace_gc::Trace + Copy> Scalars for metatrace_gc::GcVec<T> {
    const WORDS: usize = <(Option<metatrace_gc::Gc<metatrace_gc::Buffer<T>>>, usize)>::WORDS;

    fn pack(self, out: &mut [u64]) {
        self.into_parts().pack(out);
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        // SAFETY: passed on to the caller: the parts are those of a vector.
        unsafe {
            let (buffer, capacity) = Scalars::unpack(words);
            metatrace_gc::GcVec::from_parts(buffer, capacity)
        }
    }
}

impl Scalars for metatrace_gc::HeapFull {
    const WORDS: usize = 2;

    fn pack(self, out: &mut [u64]) {
        (self.limit, self.requested).pack(out);
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        // SAFETY: two words that are numbers.
        let (limit, requested) = unsafe { Scalars::unpack(words) };
        metatrace_gc::HeapFull { limit, requested }
    }
}

impl<T> Scalars for std::marker::PhantomData<T> {
    const WORDS: usize = 0;

    fn pack(self, _: &mut [u64]) {}

    unsafe fn unpack(_: &[u64]) -> Self {
        std::marker::PhantomData
    }
}

impl<T: Scalars> Scalars for std::ops::Range<T> {
    const WORDS: usize = 2 * T::WORDS;

    fn pack(self, out: &mut [u64]) {
        (self.start, self.end).pack(out)
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        // SAFETY: passed on to the caller.
        let (start, end) = unsafe { Scalars::unpack(words) };
        start..end
    }
}

/// Ranges with one end.
macro_rules! half_ranges {
    ($($range:ident $end:ident;)*) => { $(
        impl<T: Scalars> Scalars for std::ops::$range<T> {
            const WORDS: usize = T::WORDS;

            fn pack(self, out: &mut [u64]) {
                self.$end.pack(out);
            }

            unsafe fn unpack(words: &[u64]) -> Self {
                // SAFETY: passed on to the caller.
                std::ops::$range { $end: unsafe { T::unpack(words) } }
            }
        }
    )* };
}
half_ranges! {
    RangeFrom start;
    RangeTo end;
    RangeToInclusive end;
}

impl Scalars for std::ops::RangeFull {
    const WORDS: usize = 0;

    fn pack(self, _: &mut [u64]) {}

    unsafe fn unpack(_: &[u64]) -> Self {
        ..
    }
}

impl Scalars for std::fmt::Error {
    const WORDS: usize = 0;

    fn pack(self, _: &mut [u64]) {}

    unsafe fn unpack(_: &[u64]) -> Self {
        std::fmt::Error
    }
}

/// Start, end, and whether iterating came to the end, after which the range is empty whatever its ends.
impl Scalars for std::ops::RangeInclusive<usize> {
    const WORDS: usize = 3;

    fn pack(self, out: &mut [u64]) {
        let exhausted = self.is_empty() && self.start() <= self.end();
        (*self.start(), *self.end(), exhausted).pack(out);
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        // SAFETY: passed on to the caller.
        let (start, end, exhausted): (usize, usize, bool) = unsafe { Scalars::unpack(words) };
        let mut range = if exhausted { end..=end } else { start..=end };
        if exhausted {
            range.next();
        }
        range
    }
}

impl Scalars for std::cmp::Ordering {
    const WORDS: usize = 1;

    fn pack(self, out: &mut [u64]) {
        out[0] = (self as i8 + 1) as u64;
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        words[0].cmp(&1)
    }
}

impl<T: Scalars> Scalars for Option<T> {
    const WORDS: usize = 1 + T::WORDS;

    fn pack(self, out: &mut [u64]) {
        out[..Self::WORDS].fill(0);
        if let Some(value) = self {
            out[0] = 1;
            value.pack(&mut out[1..]);
        }
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        match words[0] {
            0 => None,
            // SAFETY: passed on to the caller.
            _ => Some(unsafe { T::unpack(&words[1..]) }),
        }
    }
}

impl<T: Scalars, E: Scalars> Scalars for Result<T, E> {
    const WORDS: usize = 1 + larger(T::WORDS, E::WORDS);

    fn pack(self, out: &mut [u64]) {
        out[..Self::WORDS].fill(0);
        match self {
            Ok(value) => value.pack(&mut out[1..]),
            Err(error) => {
                out[0] = 1;
                error.pack(&mut out[1..]);
            }
        }
    }

    unsafe fn unpack(words: &[u64]) -> Self {
        // SAFETY: passed on to the caller.
        unsafe {
            match words[0] {
                0 => Ok(T::unpack(&words[1..])),
                _ => Err(E::unpack(&words[1..])),
            }
        }
    }
}

// An enum is at least the number of its variant, also if there is none.
impl Scalars for std::convert::Infallible {
    const WORDS: usize = 1;

    fn pack(self, _: &mut [u64]) {
        match self {}
    }

    unsafe fn unpack(_: &[u64]) -> Self {
        unreachable!("a value of an empty type was put together")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: Scalars + Clone + PartialEq + std::fmt::Debug>(value: T, expected: &[u64]) {
        assert_eq!(T::WORDS, expected.len());
        let mut words = vec![7; T::WORDS];
        value.clone().pack(&mut words);
        assert_eq!(words, expected);
        // SAFETY: the words were just packed and are used once.
        assert_eq!(unsafe { T::unpack(&words) }, value);
    }

    #[test]
    fn values_round_trip() {
        check((), &[]);
        check(-1i8, &[u64::MAX]);
        check((true, 'x', 1.5f32), &[1, 120, 1.5f32.to_bits() as u64]);
        check(Some(-2.5f64), &[1, (-2.5f64).to_bits()]);
        check(None::<(u8, u8)>, &[0, 0, 0]);
        check(Ok::<u8, (u16, i16)>(3), &[0, 3, 0]);
        check(Err::<u8, (u16, i16)>((3, -1)), &[1, 3, u64::MAX]);
        check([Some(1u8), None], &[1, 1, 0, 0]);
        check(std::cmp::Ordering::Less, &[0]);
        let text = "hello";
        check(text, &[text.as_ptr() as u64, 5]);
        check(3..9u8, &[3, 9]);
        check(3usize.., &[3]);
        check(..-1i64, &[u64::MAX]);
        check(3..=9usize, &[3, 9, 0]);
        let mut ended = 9..=9usize;
        ended.next();
        check(ended, &[9, 9, 1]);
    }

    #[test]
    fn owners_move() {
        let mut words = [0; 4];
        Some(String::from("kept")).pack(&mut words);
        // SAFETY: the words were just packed and are used once.
        let back: Option<String> = unsafe { Scalars::unpack(&words) };
        assert_eq!(back.as_deref(), Some("kept"));
        let mut words = [0; 2];
        let boxed: Box<[u8]> = vec![1, 2].into();
        boxed.pack(&mut words);
        // SAFETY: the words were just packed and are used once.
        assert_eq!(*unsafe { Box::<[u8]>::unpack(&words) }, [1, 2]);
    }
}
