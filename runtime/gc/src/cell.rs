//! Fields of objects that change: they tell the collector of the references written to them.

use std::cell::{BorrowError, BorrowMutError, Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::Tracer;
use crate::alloc::barrier;
use crate::types::{Leaf, Shape, Trace};

/// A [`Cell`] that may hold references.
#[repr(transparent)]
pub struct GcCell<T> {
    value: Cell<T>,
}

impl<T: Trace + Copy> GcCell<T> {
    /// A cell that holds `value`.
    #[inline(always)]
    pub const fn new(value: T) -> GcCell<T> {
        GcCell { value: Cell::new(value) }
    }

    /// What it holds.
    #[inline(always)]
    pub fn get(&self) -> T {
        self.value.get()
    }

    /// Writes a value.
    #[inline(always)]
    pub fn set(&self, value: T) {
        crate::check_stored(&value);
        self.value.set(value);
        if const { !T::SHAPE.is_none() } {
            barrier((&raw const self.value).cast());
        }
    }

    /// Writes a value and returns the one before.
    #[inline(always)]
    pub fn replace(&self, value: T) -> T {
        let before = self.get();
        self.set(value);
        before
    }
}

impl<T: Trace + Copy + Default> Default for GcCell<T> {
    fn default() -> GcCell<T> {
        GcCell::new(T::default())
    }
}

impl<T: Trace + Copy + fmt::Debug> fmt::Debug for GcCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GcCell").field(&self.get()).finish()
    }
}

// SAFETY: the value is visited; every write marks a card, and where there is none the object is scanned again.
unsafe impl<T: Trace + Copy> Trace for GcCell<T> {
    const SHAPE: Shape = T::SHAPE;

    #[inline(always)]
    fn trace(&self, tracer: &mut Tracer) {
        if const { !T::SHAPE.is_none() } {
            tracer.cell_at(&raw const *self as usize);
            self.get().trace(tracer);
        }
    }
}
// SAFETY: what it holds holds no reference.
unsafe impl<T: Leaf> Leaf for GcCell<T> {}

/// A [`RefCell`] that may hold references.
pub struct GcRefCell<T> {
    value: RefCell<T>,
}

impl<T: Trace> GcRefCell<T> {
    /// A cell that holds `value`.
    pub const fn new(value: T) -> GcRefCell<T> {
        GcRefCell { value: RefCell::new(value) }
    }

    /// Borrows the value.
    ///
    /// # Panics
    /// If it is borrowed mutably.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.value.borrow()
    }

    /// Borrows the value.
    ///
    /// # Errors
    /// If it is borrowed mutably.
    pub fn try_borrow(&self) -> Result<Ref<'_, T>, BorrowError> {
        self.value.try_borrow()
    }

    /// Borrows the value mutably.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn borrow_mut(&self) -> GcRefMut<'_, T> {
        GcRefMut::new(self.value.borrow_mut(), self)
    }

    /// Borrows the value mutably.
    ///
    /// # Errors
    /// If it is borrowed.
    pub fn try_borrow_mut(&self) -> Result<GcRefMut<'_, T>, BorrowMutError> {
        Ok(GcRefMut::new(self.value.try_borrow_mut()?, self))
    }
}

impl<T: Trace + Default> Default for GcRefCell<T> {
    fn default() -> GcRefCell<T> {
        GcRefCell::new(T::default())
    }
}

/// A mutable borrow of a [`GcRefCell`].
pub struct GcRefMut<'a, T> {
    value: RefMut<'a, T>,
    cell: &'a GcRefCell<T>,
}

impl<'a, T> GcRefMut<'a, T> {
    fn new(value: RefMut<'a, T>, cell: &'a GcRefCell<T>) -> GcRefMut<'a, T> {
        // For the first collection during the borrow: it sees that the value is borrowed, and has the next one look again.
        barrier((&raw const *cell).cast());
        GcRefMut { value, cell }
    }
}

impl<T> Deref for GcRefMut<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for GcRefMut<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Drop for GcRefMut<'_, T> {
    fn drop(&mut self) {
        // For the first collection after the borrow.
        barrier((&raw const *self.cell).cast());
    }
}

// SAFETY: the value is visited; a card is marked at both ends of each mutable borrow, and a collection during one has the next
// scan the object again, as it is if there is no card.
unsafe impl<T: Trace> Trace for GcRefCell<T> {
    const SHAPE: Shape = Shape::either(&[T::SHAPE]);

    fn trace(&self, tracer: &mut Tracer) {
        if const { T::SHAPE.is_none() } {
            return;
        }
        tracer.cell_at(&raw const *self as usize);
        match self.value.try_borrow() {
            Ok(value) => value.trace(tracer),
            Err(_) => {
                tracer.rescan();
                // SAFETY: whoever borrows the value is suspended in an allocation or at a safe point, and every value it
                // may have left there is whole.
                unsafe { &*self.value.as_ptr() }.trace(tracer);
            }
        }
    }
}
// SAFETY: what it holds holds no reference.
unsafe impl<T: Leaf> Leaf for GcRefCell<T> {}
