use std::ops::Deref;

/// An owner of traces: guest code whose content never changes while traces of it exist.
///
/// The content is boxed, so its address is stable for as long as the owner lives.
pub struct Traced<T> {
    content: Box<T>,
}

impl<T> Traced<T> {
    /// Takes ownership of guest code.
    pub fn new(content: T) -> Traced<T> {
        Traced { content: Box::new(content) }
    }

    /// Exclusive access to the content; drops the traces made of it.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.content
    }

    /// Gives the content back and drops the traces made of it.
    pub fn into_inner(self) -> T {
        *self.content
    }
}

impl<T> Deref for Traced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.content
    }
}
