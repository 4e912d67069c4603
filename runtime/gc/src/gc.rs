//! References to collected objects, and how objects are made.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::heap::{Action, AtDeath, POISON, with_current};
use crate::mark::HEADER;
use crate::sizes::{SMALL_MAX, class_of};
use crate::types::{Shape, Trace, TypeInfo};

/// A reference to an object of the current heap: `Copy`, one word, never 0.
///
/// It keeps its object alive from the native stack, from registers, from other objects and from a [`Root`](crate::Root);
/// see [`Heap::new`](crate::Heap::new) for what that demands. It never gives `&mut`: what is to change lies in a
/// [`GcCell`](crate::GcCell) or a [`GcRefCell`](crate::GcRefCell).
#[repr(transparent)]
pub struct Gc<T> {
    target: NonNull<T>,
    _invariant: PhantomData<*mut T>,
}

/// What a reference points to, as jitcode sees it: content that nobody changes but through its cells.
#[doc(hidden)]
#[repr(transparent)]
pub struct GcBox<T>(T);

/// The heap's limit is reached, and a collection did not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapFull {
    /// Bytes that objects may take.
    pub limit: usize,
    /// Bytes that were asked for.
    pub requested: usize,
}

impl fmt::Display for HeapFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "out of memory: {} bytes do not fit into a heap of {} bytes", self.requested, self.limit)
    }
}

impl std::error::Error for HeapFull {}

impl HeapFull {
    /// The error of an allocation of so many bytes in the current heap.
    ///
    /// # Panics
    /// If no heap is current.
    #[cold]
    pub fn of(requested: usize) -> HeapFull {
        HeapFull { limit: with_current("allocate", |state| state.config.limit), requested }
    }

    /// Panics with the error's text.
    #[doc(hidden)]
    #[cold]
    pub fn panic(self) -> ! {
        panic!("{self}")
    }
}

impl<T: Trace> Gc<T> {
    /// A new object.
    ///
    /// # Panics
    /// If the heap's limit is reached, or no heap is current.
    #[inline(always)]
    pub fn new(value: T) -> Gc<T> {
        match Gc::try_new(value) {
            Ok(object) => object,
            Err(full) => full.panic(),
        }
    }

    /// A new object.
    ///
    /// # Errors
    /// If the heap's limit is reached; the heap is as it was.
    ///
    /// # Panics
    /// If no heap is current.
    #[inline(always)]
    pub fn try_new(value: T) -> Result<Gc<T>, HeapFull> {
        const { assert!(align_of::<T>() <= 8, "objects of a collected heap are aligned to 8 bytes at most") };
        crate::check_stored(&value);
        let bytes = const { size_of::<T>() + HEADER };
        let cell = if bytes <= SMALL_MAX {
            let class = const {
                class_of(
                    if size_of::<T>() + HEADER <= SMALL_MAX { size_of::<T>() + HEADER } else { 0 },
                    T::SHAPE.is_none(),
                )
            };
            // SAFETY: what is current is a heap or nothing.
            unsafe { crate::alloc::cell(crate::heap::hot(), class) }
        } else {
            large(bytes)
        };
        let Some(cell) = cell else { return Err(HeapFull::of(bytes)) };
        // SAFETY: the cell is fresh, and has room for the header and the value, whose alignment was checked.
        unsafe {
            cell.cast::<&'static TypeInfo>().write(const { TypeInfo::of::<T>() });
            let target = cell.byte_add(HEADER).cast::<T>();
            target.write(value);
            if const { std::mem::needs_drop::<T>() } {
                drop_at_death(target.cast(), drop_object::<T>);
            }
            Ok(Gc::from_target(target))
        }
    }

    /// As [`Gc::try_new`], for jitcode.
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    pub fn try_new_native(value: T) -> Result<Gc<T>, HeapFull> {
        Gc::try_new(value)
    }

    /// Sets what is called once when nothing but finalizers refers to the object any more, at a safe point: see
    /// [`Heap::run_finalizers`](crate::Heap::run_finalizers). Until then the object and all it refers to live.
    ///
    /// Weak references to the object are cleared before, and entries of weak tables it is the key of after. An object may be
    /// given several finalizers, and one again when it was finalized.
    pub fn on_death(self, finalizer: fn(Gc<T>)) {
        /// # Safety
        /// The object is a `T` and lives; the action is a `fn(Gc<T>)`.
        unsafe fn run<T: Trace>(object: *mut u8, finalizer: *const ()) {
            // SAFETY: the caller vouches for both.
            unsafe {
                let finalizer = std::mem::transmute::<*const (), fn(Gc<T>)>(finalizer);
                finalizer(Gc::from_target(NonNull::new_unchecked(object.cast())));
            }
        }
        let entry = AtDeath { object: self.address(), action: run::<T>, data: finalizer as *const () };
        with_current("set a finalizer", |state| state.finalizers.young.push(entry));
    }
}

impl<T> Gc<T> {
    /// # Safety
    /// The address is that of the payload of a living object that is a `T`.
    #[inline(always)]
    pub(crate) unsafe fn from_target(target: NonNull<T>) -> Gc<T> {
        Gc { target, _invariant: PhantomData }
    }

    /// Whether both refer to the same object.
    #[inline(always)]
    pub fn ptr_eq(self, other: Gc<T>) -> bool {
        self.target == other.target
    }

    /// The address of the object, which never changes while it lives.
    #[inline(always)]
    pub fn address(self) -> usize {
        self.target.as_ptr() as usize
    }

    /// The address as a word, for values that are one word with a tag.
    #[inline(always)]
    pub fn to_bits(self) -> u64 {
        self.address() as u64
    }

    /// A reference from [`Gc::to_bits`].
    ///
    /// # Safety
    /// The bits come from a reference of this type whose object lives.
    #[inline(always)]
    pub unsafe fn from_bits(bits: u64) -> Gc<T> {
        // SAFETY: the caller vouches for it.
        unsafe { Gc::from_target(NonNull::new_unchecked(bits as usize as *mut T)) }
    }

    /// The object, for as long as the caller keeps the reference where the collector sees it.
    #[inline(always)]
    pub fn as_ref<'a>(self) -> &'a T
    where
        T: 'a,
    {
        self.check_alive();
        // SAFETY: an object lives while a reference to it is on the stack, and is never borrowed mutably.
        unsafe { self.target.as_ref() }
    }

    #[inline(always)]
    fn check_alive(self) {
        if cfg!(debug_assertions) {
            // SAFETY: the memory of a heap stays readable.
            let header = unsafe { self.target.as_ptr().cast::<u8>().sub(HEADER).read() };
            assert!(header != POISON, "an object was used that nothing the collector sees kept alive");
        }
    }
}

/// Memory for a large object.
#[cold]
pub(crate) fn large(bytes: usize) -> Option<NonNull<u8>> {
    let cell = with_current("allocate", |state| state.allocate_large(bytes, false))?;
    NonNull::new(cell as *mut u8)
}

#[cold]
pub(crate) fn drop_at_death(object: NonNull<u8>, action: Action) {
    let entry = AtDeath { object: object.as_ptr() as usize, action, data: std::ptr::null() };
    with_current("allocate", |state| state.droppers.young.push(entry));
}

/// # Safety
/// A `T` that is never used again lies at the address.
unsafe fn drop_object<T>(object: *mut u8, _: *const ()) {
    // SAFETY: the caller vouches for it.
    unsafe { object.cast::<T>().drop_in_place() };
}

impl<T> Clone for Gc<T> {
    #[inline(always)]
    fn clone(&self) -> Gc<T> {
        *self
    }
}

impl<T> Copy for Gc<T> {}

impl<T> Deref for Gc<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        self.check_alive();
        // SAFETY: an object lives while something the collector sees refers to it.
        unsafe { self.target.as_ref() }
    }
}

impl<T> fmt::Debug for Gc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gc({:#x})", self.address())
    }
}

// SAFETY: the one reference is visited.
unsafe impl<T> Trace for Gc<T> {
    const SHAPE: Shape = Shape::WORD;
    const NON_ZERO_WORD: bool = true;

    #[inline(always)]
    fn trace(&self, tracer: &mut crate::Tracer) {
        tracer.reference(*self);
    }
}
