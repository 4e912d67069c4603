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
