//! Quasi-immutable fields.

use std::cell::Cell;
use std::fmt;

use metatrace_gc::{Shape, Trace, Tracer, barrier};

/// A field that is read often and written rarely: traces take its value for constant, and are invalid as soon as it is written.
///
/// Where the holder is a constant of the trace, reading it costs nothing, not even a guard. The holder must be memory that
/// stays where it is: a collected object, or content of an owner of traces ([`Traced`](crate::Traced)), in it or behind boxes,
/// vectors, shared references and `Rc`s. Elsewhere, it is an ordinary field.
///
/// A field that is written often, as parameter `max_invalidations` says, becomes an ordinary one.
#[repr(C)]
pub struct QuasiImmut<T> {
    /// Which VM keeps traces that rely on the value.
    #[cfg(feature = "jit")]
    #[doc(hidden)]
    pub link: Cell<u64>,
    /// The value.
    #[doc(hidden)]
    pub value: Cell<T>,
}

impl<T: Copy> QuasiImmut<T> {
    /// A field that holds `value`.
    #[inline(always)]
    pub const fn new(value: T) -> QuasiImmut<T> {
        QuasiImmut {
            #[cfg(feature = "jit")]
            link: Cell::new(0),
            value: Cell::new(value),
        }
    }

    /// What it holds.
    #[inline(always)]
    pub fn get(&self) -> T {
        self.value.get()
    }

    /// Writes a value, though it be the same. Compiled code that relies on the value is left and never entered again.
    #[inline]
    pub fn set(&self, value: T) {
        self.value.set(value);
        barrier((&raw const self.value).cast());
        #[cfg(feature = "jit")]
        if crate::vm::owner::is_linked(&self.link) {
            crate::vm::owner::cut_field(&self.link);
        }
    }
}

impl<T: Copy + Default> Default for QuasiImmut<T> {
    fn default() -> QuasiImmut<T> {
        QuasiImmut::new(T::default())
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for QuasiImmut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("QuasiImmut").field(&self.get()).finish()
    }
}

// SAFETY: the value is visited; every write marks a card, and where there is none the object is scanned again.
unsafe impl<T: Trace + Copy> Trace for QuasiImmut<T> {
    const SHAPE: Shape = Shape::NONE.with(std::mem::offset_of!(QuasiImmut<T>, value), T::SHAPE);

    fn trace(&self, tracer: &mut Tracer) {
        if const { !T::SHAPE.is_none() } {
            tracer.cell_at(&raw const self.value as usize);
            self.get().trace(tracer);
        }
    }
}
// SAFETY: what it holds holds no reference.
unsafe impl<T: metatrace_gc::Leaf> metatrace_gc::Leaf for QuasiImmut<T> {}
