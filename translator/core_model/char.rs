//! The model of characters and truth values.

impl char {
    pub const MAX: char = '\u{10ffff}';
    pub const REPLACEMENT_CHARACTER: char = '\u{fffd}';
    pub const fn is_ascii(&self) -> bool {
        (*self as u32) < 128
    }
    pub const fn is_ascii_digit(&self) -> bool {
        matches!(*self, '0'..='9')
    }
    pub const fn is_ascii_hexdigit(&self) -> bool {
        matches!(*self, '0'..='9' | 'a'..='f' | 'A'..='F')
    }
    pub const fn is_ascii_alphabetic(&self) -> bool {
        matches!(*self, 'a'..='z' | 'A'..='Z')
    }
    pub const fn is_ascii_alphanumeric(&self) -> bool {
        matches!(*self, '0'..='9' | 'a'..='z' | 'A'..='Z')
    }
    pub const fn is_ascii_uppercase(&self) -> bool {
        matches!(*self, 'A'..='Z')
    }
    pub const fn is_ascii_lowercase(&self) -> bool {
        matches!(*self, 'a'..='z')
    }
    pub const fn is_ascii_punctuation(&self) -> bool {
        matches!(*self, '!'..='/' | ':'..='@' | '['..='`' | '{'..='~')
    }
    pub const fn is_ascii_graphic(&self) -> bool {
        matches!(*self, '!'..='~')
    }
    pub const fn is_ascii_whitespace(&self) -> bool {
        matches!(*self, '\t' | '\n' | '\x0C' | '\r' | ' ')
    }
    pub const fn is_ascii_control(&self) -> bool {
        matches!(*self, '\0'..='\x1F' | '\x7F')
    }
    pub const fn to_ascii_uppercase(&self) -> char {
        if self.is_ascii_lowercase() { (*self as u8 ^ 0x20) as char } else { *self }
    }
    pub const fn to_ascii_lowercase(&self) -> char {
        if self.is_ascii_uppercase() { (*self as u8 | 0x20) as char } else { *self }
    }
    pub const fn eq_ignore_ascii_case(&self, other: &char) -> bool {
        self.to_ascii_lowercase() == other.to_ascii_lowercase()
    }
    pub const fn len_utf8(self) -> usize {
        let code = self as u32;
        if code < 0x80 {
            1
        } else if code < 0x800 {
            2
        } else if code < 0x10000 {
            3
        } else {
            4
        }
    }
    pub const fn len_utf16(self) -> usize {
        if (self as u32) < 0x10000 { 1 } else { 2 }
    }
    #[pure]
    pub const fn to_digit(self, radix: u32) -> Option<u32> {}
    #[pure]
    pub const fn is_digit(self, radix: u32) -> bool {}
    #[pure]
    pub const fn from_digit(number: u32, radix: u32) -> Option<char> {}
    #[pure(total)]
    pub const fn from_u32(code: u32) -> Option<char> {}
    #[pure(total)]
    pub const unsafe fn from_u32_unchecked(code: u32) -> char {}
    #[pure(total)]
    pub fn is_alphabetic(self) -> bool {}
    #[pure(total)]
    pub fn is_numeric(self) -> bool {}
    #[pure(total)]
    pub fn is_alphanumeric(self) -> bool {}
    #[pure(total)]
    pub fn is_whitespace(self) -> bool {}
    #[pure(total)]
    pub fn is_uppercase(self) -> bool {}
    #[pure(total)]
    pub fn is_lowercase(self) -> bool {}
    #[pure(total)]
    pub fn is_control(self) -> bool {}
    #[opaque]
    pub fn to_uppercase(self) -> ToUppercase {}
    #[opaque]
    pub fn to_lowercase(self) -> ToLowercase {}
}

#[opaque(no_drop)]
pub struct ToUppercase {}
impl Iterator for ToUppercase {
    type Item = char;
    #[opaque]
    fn next(&mut self) -> Option<char> {}
}
#[opaque(no_drop)]
pub struct ToLowercase {}
impl Iterator for ToLowercase {
    type Item = char;
    #[opaque]
    fn next(&mut self) -> Option<char> {}
}

#[pure(total)]
pub const fn from_u32(code: u32) -> Option<char> {}
#[pure]
pub const fn from_digit(number: u32, radix: u32) -> Option<char> {}

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CharTryFromError;
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TryFromCharError;
impl crate::fmt::Debug for CharTryFromError {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl crate::fmt::Debug for TryFromCharError {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl TryFrom<u32> for char {
    type Error = CharTryFromError;
    fn try_from(code: u32) -> Result<char, CharTryFromError> {
        from_u32(code).ok_or(CharTryFromError)
    }
}
impl TryFrom<char> for u8 {
    type Error = TryFromCharError;
    fn try_from(c: char) -> Result<u8, TryFromCharError> {
        if (c as u32) < 256 { Ok(c as u32 as u8) } else { Err(TryFromCharError) }
    }
}

impl bool {
    pub fn then_some<T>(self, value: T) -> Option<T> {
        if self { Some(value) } else { None }
    }
    pub fn then<T, F: FnOnce() -> T>(self, f: F) -> Option<T> {
        if self { Some(f()) } else { None }
    }
}

// Ranges of characters leave out those that are none.
fn after(c: char) -> char {
    let next = c as u32 + 1;
    unsafe { crate::mem::transmute::<u32, char>(if next == 0xd800 { 0xe000 } else { next }) }
}
fn before(c: char) -> char {
    let last = c as u32 - 1;
    unsafe { crate::mem::transmute::<u32, char>(if last == 0xdfff { 0xd7ff } else { last }) }
}
impl Iterator for crate::ops::Range<char> {
    type Item = char;
    fn next(&mut self) -> Option<char> {
        if self.start < self.end {
            let c = self.start;
            self.start = after(c);
            Some(c)
        } else {
            None
        }
    }
}
impl DoubleEndedIterator for crate::ops::Range<char> {
    fn next_back(&mut self) -> Option<char> {
        if self.start < self.end {
            self.end = before(self.end);
            Some(self.end)
        } else {
            None
        }
    }
}
impl Iterator for crate::ops::RangeInclusive<char> {
    type Item = char;
    fn next(&mut self) -> Option<char> {
        if self.exhausted || self.start > self.end {
            return None;
        }
        let c = self.start;
        if c < self.end {
            self.start = after(c);
        } else {
            self.exhausted = true;
        }
        Some(c)
    }
}
impl DoubleEndedIterator for crate::ops::RangeInclusive<char> {
    fn next_back(&mut self) -> Option<char> {
        if self.exhausted || self.start > self.end {
            return None;
        }
        let c = self.end;
        if self.start < c {
            self.end = before(c);
        } else {
            self.exhausted = true;
        }
        Some(c)
    }
}
