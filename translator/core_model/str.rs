//! The model of string slices: their bytes can be seen, all else is called.

use crate::slice::SliceIndex;
use crate::string::String;

/// What is looked for in a string.
pub trait Pattern {}
impl Pattern for char {}
impl<'a> Pattern for &'a str {}
impl<'a> Pattern for &'a String {}
impl<'a> Pattern for &'a [char] {}
impl<const N: usize> Pattern for [char; N] {}
impl<'a, const N: usize> Pattern for &'a [char; N] {}

pub trait FromStr {
    type Err;
    fn from_str(s: &str) -> Result<Self, Self::Err>;
}
macro_rules! from_str {
    ($($name:ident $error:ty;)*) => { $(
        impl FromStr for $name {
            type Err = $error;
            #[opaque]
            fn from_str(s: &str) -> Result<$name, $error> {}
        }
    )* };
}
from_str! {
    u8 crate::num::ParseIntError; u16 crate::num::ParseIntError; u32 crate::num::ParseIntError;
    u64 crate::num::ParseIntError; u128 crate::num::ParseIntError; usize crate::num::ParseIntError;
    i8 crate::num::ParseIntError; i16 crate::num::ParseIntError; i32 crate::num::ParseIntError;
    i64 crate::num::ParseIntError; i128 crate::num::ParseIntError; isize crate::num::ParseIntError;
    f32 crate::num::ParseFloatError; f64 crate::num::ParseFloatError;
    bool ParseBoolError; char ParseCharError; String crate::convert::Infallible;
}
macro_rules! opaque {
    ($($name:ident)*) => { $(
        #[opaque(no_drop, freeze)]
        pub struct $name {}
        impl crate::fmt::Debug for $name {
            #[opaque]
            fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
        }
        impl crate::fmt::Display for $name {
            #[opaque]
            fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
        }
    )* };
}
opaque!(ParseBoolError ParseCharError Utf8Error);

#[opaque]
pub fn from_utf8(bytes: &[u8]) -> Result<&str, Utf8Error> {}
#[opaque]
pub unsafe fn from_utf8_unchecked(bytes: &[u8]) -> &str {}

#[derive(Clone)]
pub struct Bytes<'a> {
    inner: crate::slice::Iter<'a, u8>,
}
impl<'a> Iterator for Bytes<'a> {
    type Item = u8;
    fn next(&mut self) -> Option<u8> {
        self.inner.next().copied()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
    fn nth(&mut self, n: usize) -> Option<u8> {
        self.inner.nth(n).copied()
    }
}
impl<'a> DoubleEndedIterator for Bytes<'a> {
    fn next_back(&mut self) -> Option<u8> {
        self.inner.next_back().copied()
    }
}
impl<'a> ExactSizeIterator for Bytes<'a> {}

macro_rules! iterators {
    ($($name:ident $item:ty;)*) => { $(
        #[opaque(no_drop)]
        pub struct $name<'a> {}
        impl<'a> Clone for $name<'a> {
            #[opaque]
            fn clone(&self) -> $name<'a> {}
        }
        impl<'a> Iterator for $name<'a> {
            type Item = $item;
            #[opaque]
            fn next(&mut self) -> Option<$item> {}
        }
        impl<'a> DoubleEndedIterator for $name<'a> {
            #[opaque]
            fn next_back(&mut self) -> Option<$item> {}
        }
    )* };
}
iterators! {
    Chars char;
    CharIndices (usize, char);
    Lines &'a str;
    SplitWhitespace &'a str;
    SplitAsciiWhitespace &'a str;
}
impl<'a> Chars<'a> {
    #[opaque]
    pub fn as_str(&self) -> &'a str {}
}
impl<'a> CharIndices<'a> {
    #[opaque]
    pub fn as_str(&self) -> &'a str {}
}
macro_rules! splits {
    ($($name:ident)*) => { $(
        #[opaque(no_drop)]
        pub struct $name<'a, P: Pattern> {}
        impl<'a, P: Pattern> Iterator for $name<'a, P> {
            type Item = &'a str;
            #[opaque]
            fn next(&mut self) -> Option<&'a str> {}
        }
    )* };
}
splits!(Split SplitN RSplit SplitTerminator SplitInclusive);

impl str {
    pub const fn len(&self) -> usize {
        crate::intrinsics::str_len(self)
    }
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub const fn as_bytes(&self) -> &[u8] {
        crate::intrinsics::str_as_bytes(self)
    }
    pub fn as_ptr(&self) -> *const u8 {
        self.as_bytes().as_ptr()
    }
    pub fn bytes(&self) -> Bytes<'_> {
        Bytes { inner: self.as_bytes().iter() }
    }
    pub const fn is_char_boundary(&self, index: usize) -> bool {
        let bytes = self.as_bytes();
        if index >= bytes.len() { index == bytes.len() } else { (bytes[index] as i8) >= -0x40 }
    }
    #[opaque]
    pub fn chars(&self) -> Chars<'_> {}
    #[opaque]
    pub fn char_indices(&self) -> CharIndices<'_> {}
    #[opaque]
    pub fn lines(&self) -> Lines<'_> {}
    #[opaque]
    pub fn split_whitespace(&self) -> SplitWhitespace<'_> {}
    #[opaque]
    pub fn split_ascii_whitespace(&self) -> SplitAsciiWhitespace<'_> {}
    #[opaque]
    pub fn split<P: Pattern>(&self, pattern: P) -> Split<'_, P> {}
    #[opaque]
    pub fn rsplit<P: Pattern>(&self, pattern: P) -> RSplit<'_, P> {}
    #[opaque]
    pub fn splitn<P: Pattern>(&self, n: usize, pattern: P) -> SplitN<'_, P> {}
    #[opaque]
    pub fn split_terminator<P: Pattern>(&self, pattern: P) -> SplitTerminator<'_, P> {}
    #[opaque]
    pub fn split_inclusive<P: Pattern>(&self, pattern: P) -> SplitInclusive<'_, P> {}
    #[opaque]
    pub fn split_once<P: Pattern>(&self, delimiter: P) -> Option<(&str, &str)> {}
    #[opaque]
    pub fn rsplit_once<P: Pattern>(&self, delimiter: P) -> Option<(&str, &str)> {}
    #[opaque]
    pub fn split_at(&self, mid: usize) -> (&str, &str) {}
    #[opaque]
    pub fn contains<P: Pattern>(&self, pattern: P) -> bool {}
    #[opaque]
    pub fn starts_with<P: Pattern>(&self, pattern: P) -> bool {}
    #[opaque]
    pub fn ends_with<P: Pattern>(&self, pattern: P) -> bool {}
    #[opaque]
    pub fn find<P: Pattern>(&self, pattern: P) -> Option<usize> {}
    #[opaque]
    pub fn rfind<P: Pattern>(&self, pattern: P) -> Option<usize> {}
    #[opaque]
    pub fn strip_prefix<P: Pattern>(&self, prefix: P) -> Option<&str> {}
    #[opaque]
    pub fn strip_suffix<P: Pattern>(&self, suffix: P) -> Option<&str> {}
    #[opaque]
    pub fn trim(&self) -> &str {}
    #[opaque]
    pub fn trim_start(&self) -> &str {}
    #[opaque]
    pub fn trim_end(&self) -> &str {}
    #[opaque]
    pub fn trim_start_matches<P: Pattern>(&self, pattern: P) -> &str {}
    #[opaque]
    pub fn trim_matches<P: Pattern>(&self, pattern: P) -> &str {}
    #[opaque]
    pub fn replace<P: Pattern>(&self, from: P, to: &str) -> String {}
    #[opaque]
    pub fn repeat(&self, n: usize) -> String {}
    #[opaque]
    pub fn to_uppercase(&self) -> String {}
    #[opaque]
    pub fn to_lowercase(&self) -> String {}
    #[opaque]
    pub fn to_ascii_uppercase(&self) -> String {}
    #[opaque]
    pub fn to_ascii_lowercase(&self) -> String {}
    #[opaque]
    pub fn eq_ignore_ascii_case(&self, other: &str) -> bool {}
    #[opaque]
    pub fn is_ascii(&self) -> bool {}
    #[opaque]
    pub fn parse<F: FromStr>(&self) -> Result<F, F::Err> {}
    #[opaque]
    pub fn into_string(self: Box<str>) -> String {}
    pub fn get<I: SliceIndex<str>>(&self, index: I) -> Option<&I::Output> {
        index.get(self)
    }
}

macro_rules! index_by {
    ($($range:ty)*) => { $(
        impl SliceIndex<str> for $range {
            type Output = str;
            fn get(self, slice: &str) -> Option<&str> {
                let range = self;
                __native!([slice, range] -> Option<&str> { slice.get(range) })
            }
            fn get_mut(self, slice: &mut str) -> Option<&mut str> {
                let range = self;
                __native!([slice, range] -> Option<&mut str> { slice.get_mut(range) })
            }
            unsafe fn get_unchecked(self, slice: &str) -> &str {
                let range = self;
                __native!([slice, range] -> &str { unsafe { slice.get_unchecked(range) } })
            }
            unsafe fn get_unchecked_mut(self, slice: &mut str) -> &mut str {
                let range = self;
                __native!([slice, range] -> &mut str { unsafe { slice.get_unchecked_mut(range) } })
            }
        }
        impl crate::ops::Index<$range> for str {
            type Output = str;
            #[opaque]
            fn index(&self, index: $range) -> &str {}
        }
        impl crate::ops::Index<$range> for String {
            type Output = str;
            #[opaque]
            fn index(&self, index: $range) -> &str {}
        }
    )* };
}
index_by! {
    crate::ops::Range<usize> crate::ops::RangeFrom<usize> crate::ops::RangeTo<usize> crate::ops::RangeFull
    crate::ops::RangeInclusive<usize> crate::ops::RangeToInclusive<usize>
}

impl AsRef<str> for str {
    fn as_ref(&self) -> &str {
        self
    }
}
impl AsRef<[u8]> for str {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}
