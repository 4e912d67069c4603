//! The model of `String`: what it is made of is that of a vector of bytes, so its text is read in place, and a byte is pushed and
//! popped where there is room; all else is called.

use crate::intrinsics::slice_from_raw_parts;

// As a vector's.
#[lang]
pub struct String {
    pointer: *mut u8,
    length: usize,
    capacity: usize,
}

impl crate::ops::Drop for String {
    #[opaque]
    fn drop(&mut self) {}
}

impl String {
    #[opaque]
    pub const fn new() -> String {}
    pub fn len(&self) -> usize {
        self.length
    }
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
    #[opaque]
    pub fn push_str(&mut self, s: &str) {}
    pub fn push(&mut self, c: char) {
        if (c as u32) < 128 && self.length < self.capacity {
            unsafe { crate::vec::put_at(self.pointer, self.length, c as u8) }
            self.length = self.length.wrapping_add(1);
        } else {
            let text = self;
            __native!([text, c] -> () { text.push(c); });
        }
    }
    pub fn as_str(&self) -> &str {
        self
    }
    pub fn clear(&mut self) {
        self.length = 0;
    }
    #[opaque]
    pub fn with_capacity(capacity: usize) -> String {}
    pub fn capacity(&self) -> usize {
        self.capacity
    }
    #[opaque]
    pub fn pop(&mut self) -> Option<char> {}
    #[opaque]
    pub fn truncate(&mut self, length: usize) {}
    #[opaque]
    pub fn insert(&mut self, at: usize, c: char) {}
    #[opaque]
    pub fn insert_str(&mut self, at: usize, s: &str) {}
    #[opaque]
    pub fn remove(&mut self, at: usize) -> char {}
    pub fn as_bytes(&self) -> &[u8] {
        unsafe { &*slice_from_raw_parts(self.pointer, self.length) }
    }
    #[opaque]
    pub fn as_mut_str(&mut self) -> &mut str {}
    #[opaque]
    pub fn into_bytes(self) -> Vec<u8> {}
    #[opaque]
    pub fn into_boxed_str(self) -> Box<str> {}
    #[opaque]
    pub fn reserve(&mut self, additional: usize) {}
    #[opaque]
    pub fn from_utf8(bytes: Vec<u8>) -> Result<String, FromUtf8Error> {}
    #[opaque]
    pub unsafe fn from_utf8_unchecked(bytes: Vec<u8>) -> String {}
}
#[opaque]
pub struct FromUtf8Error {}
impl crate::fmt::Debug for FromUtf8Error {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<'a> crate::ops::Add<&'a str> for String {
    type Output = String;
    #[opaque]
    fn add(self, other: &'a str) -> String {}
}
impl<'a> crate::ops::AddAssign<&'a str> for String {
    #[opaque]
    fn add_assign(&mut self, other: &'a str) {}
}
impl From<char> for String {
    #[opaque]
    fn from(c: char) -> String {}
}
impl From<Box<str>> for String {
    #[opaque]
    fn from(text: Box<str>) -> String {}
}
impl<'a> From<&'a String> for String {
    #[opaque]
    fn from(text: &'a String) -> String {}
}
impl AsRef<str> for String {
    fn as_ref(&self) -> &str {
        self
    }
}
impl AsRef<[u8]> for String {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}
impl FromIterator<char> for String {
    fn from_iter<I: IntoIterator<Item = char>>(iter: I) -> String {
        let mut text = String::new();
        text.extend(iter);
        text
    }
}
impl<'a> FromIterator<&'a str> for String {
    fn from_iter<I: IntoIterator<Item = &'a str>>(iter: I) -> String {
        let mut text = String::new();
        text.extend(iter);
        text
    }
}
impl FromIterator<String> for String {
    fn from_iter<I: IntoIterator<Item = String>>(iter: I) -> String {
        let mut text = String::new();
        text.extend(iter);
        text
    }
}
impl Extend<char> for String {
    fn extend<I: IntoIterator<Item = char>>(&mut self, iter: I) {
        let mut iter = iter.into_iter();
        while let Some(c) = iter.next() {
            self.push(c);
        }
    }
}
impl<'a> Extend<&'a str> for String {
    fn extend<I: IntoIterator<Item = &'a str>>(&mut self, iter: I) {
        let mut iter = iter.into_iter();
        while let Some(s) = iter.next() {
            self.push_str(s);
        }
    }
}
impl Extend<String> for String {
    fn extend<I: IntoIterator<Item = String>>(&mut self, iter: I) {
        let mut iter = iter.into_iter();
        while let Some(s) = iter.next() {
            self.push_str(&s);
        }
    }
}

impl Clone for String {
    #[opaque]
    fn clone(&self) -> String {}
}

impl crate::ops::Deref for String {
    type Target = str;
    fn deref(&self) -> &str {
        unsafe { crate::intrinsics::str_of_bytes(self.as_bytes()) }
    }
}

impl crate::ops::DerefMut for String {
    #[opaque]
    fn deref_mut(&mut self) -> &mut str {}
}

impl Default for String {
    #[opaque]
    fn default() -> String {}
}

pub trait ToString {
    fn to_string(&self) -> String;
}
impl<T: crate::fmt::Display + ?Sized> ToString for T {
    #[opaque]
    fn to_string(&self) -> String {}
}

