//! The model of the `metatrace` crate. Attributes and macros come from the hint table; here are the types and functions.

pub mod jit {
    #[hint]
    pub fn promote<T: Copy>(value: T) -> T {}
    #[hint]
    pub fn we_are_jitted() -> bool {}
    #[hint = "merge_point"]
    #[lang = "hint_merge_point"]
    pub fn __merge_point() {}
    #[hint = "can_enter_jit"]
    #[lang = "hint_can_enter_jit"]
    pub fn __can_enter_jit() {}
}

pub mod rt {
    // What stands before the content is the runtime's own.
    pub struct TracedBox<T> {
        pub content: T,
    }
}

#[lang]
pub struct Traced<T> {
    inner: *const rt::TracedBox<T>,
}

impl<T> ::std::ops::Drop for Traced<T> {
    #[opaque]
    fn drop(&mut self) {}
}

impl<T> Traced<T> {
    #[opaque]
    pub fn new(content: T) -> Traced<T> {}
    #[opaque]
    pub fn get_mut(&mut self) -> &mut T {}
    #[opaque]
    pub fn into_inner(self) -> T {}
}

impl<T> ::std::ops::Deref for Traced<T> {
    type Target = T;
    fn deref(&self) -> &T {
        unsafe { &(*self.inner).content }
    }
}

impl<T: ::std::fmt::Debug> ::std::fmt::Debug for Traced<T> {
    #[opaque]
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {}
}

impl<T: Clone> Clone for Traced<T> {
    #[opaque]
    fn clone(&self) -> Traced<T> {}
}

impl<T: PartialEq> PartialEq for Traced<T> {
    fn eq(&self, other: &Traced<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Traced<T> {}

impl<T: Default> Default for Traced<T> {
    #[opaque]
    fn default() -> Traced<T> {}
}

impl<T> From<T> for Traced<T> {
    #[opaque]
    fn from(content: T) -> Traced<T> {}
}
