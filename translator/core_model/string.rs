#[lang]
#[opaque(freeze)]
pub struct String {}

impl String {
    #[opaque]
    pub const fn new() -> String {}
    #[opaque]
    pub fn len(&self) -> usize {}
    #[opaque]
    pub fn is_empty(&self) -> bool {}
    #[opaque]
    pub fn push_str(&mut self, s: &str) {}
    #[opaque]
    pub fn push(&mut self, c: char) {}
    #[opaque]
    pub fn as_str(&self) -> &str {}
    #[opaque]
    pub fn clear(&mut self) {}
}

impl Clone for String {
    #[opaque]
    fn clone(&self) -> String {}
}

impl crate::ops::Deref for String {
    type Target = str;
    #[opaque]
    fn deref(&self) -> &str {}
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

impl str {
    pub fn len(&self) -> usize {
        crate::intrinsics::str_len(self)
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn as_bytes(&self) -> &[u8] {
        crate::intrinsics::str_as_bytes(self)
    }
}
