#[lang]
pub struct Box<T: ?Sized> {
    pointer: *mut T,
}

impl<T> Box<T> {
    #[opaque]
    pub fn new(value: T) -> Box<T> {}
}

impl<T: ?Sized> crate::ops::Drop for Box<T> {
    #[opaque]
    fn drop(&mut self) {}
}

impl<T: Clone> Clone for Box<T> {
    #[opaque]
    fn clone(&self) -> Box<T> {}
}

impl<T: ?Sized> crate::ops::Deref for Box<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &**self
    }
}

impl<T: ?Sized> crate::ops::DerefMut for Box<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut **self
    }
}
