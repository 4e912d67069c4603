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

#[lang]
pub struct Traced<T> {
    content: Box<T>,
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
        &*self.content
    }
}
