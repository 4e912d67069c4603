//! Owners of traces.

use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

/// An owner of traces: guest code whose content never changes while traces of it exist.
///
/// The content is boxed, so its address is stable for as long as the owner lives.
///
/// Jitcode reads through a `&Traced<T>` in two steps: field `inner` (whose target is frozen), then field `content` of
/// [`TracedBox`].
#[repr(C)]
pub struct Traced<T> {
    /// The content and what the runtime keeps of it.
    #[doc(hidden)]
    pub inner: NonNull<TracedBox<T>>,
}

/// What a [`Traced`] points to.
#[doc(hidden)]
#[repr(C)]
pub struct TracedBox<T> {
    /// What the runtime keeps.
    pub header: TracedHeader,
    /// A `Traced` that points to this box, at an address that is as stable as the box: references to the owner are
    /// replaced by references to it, so that equal owners have equal addresses.
    pub canonical: ManuallyDrop<Traced<T>>,
    /// The guest code.
    pub content: T,
}

/// What the runtime keeps of an owner.
#[doc(hidden)]
#[repr(C)]
#[derive(Default)]
pub struct TracedHeader {
    /// Counts down at back edges; below 0 the runtime is asked.
    pub gate: Cell<u32>,
    /// Which VM keeps traces of it.
    #[cfg(feature = "jit")]
    pub(crate) link: crate::vm::owner::Link,
}

impl TracedHeader {
    /// Drops the traces.
    fn drop_traces(&self) {
        #[cfg(feature = "jit")]
        self.link.cut();
    }
}

impl<T> Traced<T> {
    /// What the runtime keeps of it.
    #[doc(hidden)]
    #[inline(always)]
    pub fn header(&self) -> &TracedHeader {
        // SAFETY: the box lives as long as its `Traced`.
        unsafe { &self.inner.as_ref().header }
    }

    /// Takes ownership of guest code.
    pub fn new(content: T) -> Traced<T> {
        let canonical = ManuallyDrop::new(Traced { inner: NonNull::dangling() });
        let boxed = Box::new(TracedBox { header: TracedHeader::default(), canonical, content });
        let inner = NonNull::from(Box::leak(boxed));
        // SAFETY: the box was just made, and nothing else refers to it; the old value needs no drop.
        unsafe { (&raw mut (*inner.as_ptr()).canonical).write(ManuallyDrop::new(Traced { inner })) };
        Traced { inner }
    }

    /// Exclusive access to the content; drops the traces made of it.
    pub fn get_mut(&mut self) -> &mut T {
        self.header().drop_traces();
        // SAFETY: `self` owns the box, and is borrowed exclusively.
        unsafe { &mut self.inner.as_mut().content }
    }

    /// Gives the content back and drops the traces made of it.
    pub fn into_inner(self) -> T {
        self.header().drop_traces();
        let this = ManuallyDrop::new(self);
        // SAFETY: `self` owned the box and is not dropped.
        unsafe { Box::from_raw(this.inner.as_ptr()) }.content
    }
}

impl<T> Drop for Traced<T> {
    fn drop(&mut self) {
        self.header().drop_traces();
        // SAFETY: a `Traced` that is dropped owns its box; the one inside the box is never dropped.
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}

impl<T> Deref for Traced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the box lives as long as its `Traced`.
        unsafe { &self.inner.as_ref().content }
    }
}

impl<T: fmt::Debug> fmt::Debug for Traced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// The copy has no traces.
impl<T: Clone> Clone for Traced<T> {
    fn clone(&self) -> Traced<T> {
        Traced::new(T::clone(self))
    }
}

impl<T: PartialEq> PartialEq for Traced<T> {
    fn eq(&self, other: &Traced<T>) -> bool {
        T::eq(self, other)
    }
}

impl<T: Eq> Eq for Traced<T> {}

impl<T: Default> Default for Traced<T> {
    fn default() -> Traced<T> {
        Traced::new(T::default())
    }
}

impl<T> From<T> for Traced<T> {
    fn from(content: T) -> Traced<T> {
        Traced::new(content)
    }
}

// SAFETY: a `Traced` owns its content; nothing in the header belongs to a thread.
unsafe impl<T: Send> Send for Traced<T> {}
