//! Objects with elements: [`Array`], whose length is fixed, [`Headed`], with more than the length before them, and [`GcVec`],
//! which grows.
//!
//! Jitcode works on arrays and vectors by what [`LAYOUT`] says of them.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::offset_of;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::Tracer;
use crate::alloc::barrier;
use crate::cell::GcCell;
use crate::gc::{Gc, HeapFull, drop_at_death};
use crate::heap::with_current;
use crate::mark::HEADER;
use crate::sizes::{SMALL_MAX, class_of};
use crate::types::{Leaf, Shape, Trace, TypeInfo};

/// Bytes to the second of the two fields of [`Array`], of the buffer of a [`GcVec`], and of the vector itself.
pub const LAYOUT: usize = 8;
const _: () = assert!(offset_of!(Array<u64>, length) == 0 && offset_of!(Array<u64>, elements) == LAYOUT);
const _: () = assert!(offset_of!(Buffer<u64>, length) == 0 && offset_of!(Buffer<u64>, elements) == LAYOUT);
const _: () = assert!(offset_of!(GcVec<u64>, buffer) == 0 && offset_of!(GcVec<u64>, capacity) == LAYOUT);

/// A length and elements behind it, in one object: `Gc<Array<T>>` is one word and derefs to a slice.
///
/// The elements never change; for those that do, use `Array<GcCell<T>>`.
#[repr(C)]
pub struct Array<T> {
    length: usize,
    elements: [T; 0],
}

impl<T: Trace> Array<T> {
    /// An array with the value of `element` for each index.
    ///
    /// # Errors
    /// If the heap's limit is reached.
    ///
    /// # Panics
    /// If no heap is current.
    pub fn try_from_fn(length: usize, mut element: impl FnMut(usize) -> T) -> Result<Gc<Array<T>>, HeapFull> {
        let array = Array::try_begin(length)?;
        for index in 0..length {
            let value = element(index);
            // SAFETY: the array was begun for so many elements, and those before are there.
            unsafe { Array::put(array, index, value) };
        }
        Ok(array)
    }

    /// An array without elements and with room for so many, which [`Array::put`] adds.
    ///
    /// # Errors
    /// If the heap's limit is reached.
    ///
    /// # Panics
    /// If no heap is current.
    #[doc(hidden)]
    pub fn try_begin(length: usize) -> Result<Gc<Array<T>>, HeapFull> {
        let (array, _) = allocate::<T>(length)?;
        // SAFETY: the header and a length of 0 were written.
        let array = unsafe { Gc::from_target(array) };
        if const { std::mem::needs_drop::<T>() }
            && let Some(payload) = NonNull::new(array.address() as *mut u8)
        {
            drop_at_death(payload, drop_elements::<T>);
        }
        Ok(array)
    }

    /// Adds an element. Between elements there may be collections: what was added counts as part of the array, and the array
    /// may be old by then.
    ///
    /// # Safety
    /// The array was begun with room for it, and has so many elements.
    #[doc(hidden)]
    #[inline(always)]
    pub unsafe fn put(array: Gc<Array<T>>, index: usize, value: T) {
        crate::check_stored(&value);
        // SAFETY: the caller vouches for the room; nobody reads beyond the length, and nobody holds a slice of the array
        // while it is made.
        unsafe {
            let array = array.address() as *mut Array<T>;
            let element = (&raw mut (*array).elements).cast::<T>().add(index);
            element.write(value);
            (&raw mut (*array).length).write(index + 1);
            if const { !T::SHAPE.is_none() } {
                barrier(element.cast());
            }
        }
    }

    /// As [`Array::try_from_fn`].
    ///
    /// # Panics
    /// If the heap's limit is reached, or no heap is current.
    pub fn from_fn(length: usize, element: impl FnMut(usize) -> T) -> Gc<Array<T>> {
        Array::try_from_fn(length, element).unwrap_or_else(|full| full.panic())
    }

    /// An array of copies.
    ///
    /// # Errors
    /// If the heap's limit is reached.
    ///
    /// # Panics
    /// If no heap is current.
    pub fn try_from_slice(elements: &[T]) -> Result<Gc<Array<T>>, HeapFull>
    where
        T: Copy,
    {
        let (array, place) = allocate::<T>(elements.len())?;
        // SAFETY: the memory is for a length and that many elements, and nothing happens before it holds them.
        unsafe {
            place.copy_from_nonoverlapping(NonNull::from(elements).cast(), elements.len());
            (&raw mut (*array.as_ptr()).length).write(elements.len());
            Ok(Gc::from_target(array))
        }
    }

    /// As [`Array::try_from_slice`].
    ///
    /// # Panics
    /// If the heap's limit is reached, or no heap is current.
    pub fn from_slice(elements: &[T]) -> Gc<Array<T>>
    where
        T: Copy,
    {
        Array::try_from_slice(elements).unwrap_or_else(|full| full.panic())
    }
}

impl<T> Array<T> {
    /// Has the memory of a large array that nothing needs any more be used again from the next collection on, a minor one included,
    /// unless a stack refers to it still.
    ///
    /// # Panics
    /// If no heap is current.
    ///
    /// # Safety
    /// No object of the heap refers to it when the next collection begins.
    pub unsafe fn give_up(array: Gc<Array<T>>) {
        if array.len() * size_of::<T>() > SMALL_MAX - HEADER - 8 {
            with_current("use memory again", |state| state.replaced(array.address()));
        }
    }
}

impl<T: Trace + Copy> Array<GcCell<T>> {
    /// An array of cells that all hold `value`.
    ///
    /// # Errors
    /// If the heap's limit is reached.
    ///
    /// # Panics
    /// If no heap is current.
    #[inline]
    pub fn try_cells(length: usize, value: T) -> Result<Gc<Array<GcCell<T>>>, HeapFull> {
        crate::check_stored(&value);
        let (array, place) = allocate::<GcCell<T>>(length)?;
        // SAFETY: the memory is for a length and that many elements, and nothing happens before it holds them.
        unsafe {
            for index in 0..length {
                place.add(index).write(GcCell::new(value));
            }
            (&raw mut (*array.as_ptr()).length).write(length);
            Ok(Gc::from_target(array))
        }
    }

    /// An array that takes the place of another: with its elements, and cells that hold `value` behind them. It is the same one
    /// where there is memory behind it. The other's memory is used again from the next collection on, a minor one
    /// included, at which nothing on a stack refers to it.
    ///
    /// # Errors
    /// If the heap's limit is reached; the array is as it was.
    ///
    /// # Panics
    /// If no heap is current.
    ///
    /// # Safety
    /// `length` is not less than the array's, and `value` holds no reference. At most one object refers to the array, where the new one takes its place before
    /// anything is allocated. No reference to its elements is in use.
    pub unsafe fn try_grown(
        array: Gc<Array<GcCell<T>>>,
        length: usize,
        value: T,
    ) -> Result<Gc<Array<GcCell<T>>>, HeapFull> {
        crate::check_stored(&value);
        let before = array.len();
        let bytes = size_of::<T>().checked_mul(length).and_then(|bytes| bytes.checked_add(8 + HEADER));
        let Some(bytes) = bytes else { return Err(HeapFull::of(usize::MAX)) };
        let extended =
            bytes > SMALL_MAX && with_current("allocate", |state| state.extend_large(array.address(), bytes));
        let (grown, place) = if extended {
            let grown = NonNull::new(array.address() as *mut Array<GcCell<T>>);
            let Some(grown) = grown else { return Err(HeapFull::of(bytes)) };
            // SAFETY: the elements lie behind the length.
            (grown, unsafe { grown.cast::<u8>().add(8).cast() })
        } else {
            let (grown, place) = allocate::<GcCell<T>>(length)?;
            // SAFETY: both have room for as many elements as there were.
            unsafe {
                place.copy_from_nonoverlapping(NonNull::from(&**array).cast(), before);
            }
            (grown, place)
        };
        // SAFETY: the memory is for a length and that many elements, and nothing happens before it holds them.
        unsafe {
            for index in before..length {
                place.add(index).write(GcCell::new(value));
            }
            (&raw mut (*grown.as_ptr()).length).write(length);
        }
        if !extended {
            // SAFETY: the caller puts the new array where the other is referred to.
            unsafe { Array::give_up(array) };
        }
        // SAFETY: the header and the elements are there.
        Ok(unsafe { Gc::from_target(grown) })
    }

    /// As [`Array::try_cells`], for jitcode.
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    pub fn try_cells_native(length: usize, value: T) -> Result<Gc<Array<GcCell<T>>>, HeapFull> {
        Array::try_cells(length, value)
    }

    /// As [`Array::try_cells`].
    ///
    /// # Panics
    /// If the heap's limit is reached, or no heap is current.
    #[inline]
    pub fn cells(length: usize, value: T) -> Gc<Array<GcCell<T>>> {
        Array::try_cells(length, value).unwrap_or_else(|full| full.panic())
    }
}

/// Memory for an array, its header written and its length 0, and where the elements go.
fn allocate<T: Trace>(length: usize) -> Result<(NonNull<Array<T>>, NonNull<T>), HeapFull> {
    const { assert!(align_of::<T>() <= 8, "objects of a collected heap are aligned to 8 bytes at most") };
    let info = const { TypeInfo::of_elements::<T>() };
    let bytes = size_of::<T>().checked_mul(length).and_then(|bytes| bytes.checked_add(8));
    let cell = match bytes {
        Some(bytes) if bytes <= SMALL_MAX - HEADER => {
            // SAFETY: what is current is a heap or nothing.
            unsafe { crate::alloc::cell(crate::heap::hot(), class_of(bytes + HEADER, info.is_leaf())) }
        }
        Some(bytes) => bytes.checked_add(HEADER).and_then(crate::gc::large),
        None => None,
    };
    let Some(cell) = cell else { return Err(HeapFull::of(bytes.unwrap_or(usize::MAX))) };
    // SAFETY: the cell is fresh, and has room for the header, the length and the elements.
    unsafe {
        cell.cast::<&'static TypeInfo>().write(info);
        let payload = cell.add(HEADER);
        payload.cast::<usize>().write(0);
        Ok((payload.cast(), payload.add(8).cast()))
    }
}

/// # Safety
/// An array of `T` that is never used again lies at the address.
unsafe fn drop_elements<T>(array: *mut u8, _: *const ()) {
    // SAFETY: the caller vouches for it.
    unsafe {
        let length = array.cast::<usize>().read();
        std::ptr::slice_from_raw_parts_mut(array.add(8).cast::<T>(), length).drop_in_place();
    }
}

impl<T> Deref for Array<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: an array only exists with its elements behind it.
        unsafe { std::slice::from_raw_parts((&raw const self.elements).cast(), self.length) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(f)
    }
}

/// A length, a header and elements, in one object that holds no reference: for strings with their hash and the like.
///
/// The elements never change. Derefs to the header; [`Headed::elements`] are the elements.
#[repr(C)]
pub struct Headed<H, T> {
    length: usize,
    header: H,
    elements: [T; 0],
}

impl<H, T> Headed<H, T> {
    /// Bytes to the elements.
    #[doc(hidden)]
    pub const ELEMENTS: usize = {
        assert!(offset_of!(Self, length) == 0 && offset_of!(Self, header) == LAYOUT);
        offset_of!(Self, elements)
    };
}

impl<H: Leaf + Trace + Copy, T: Leaf + Trace + Copy> Headed<H, T> {
    /// An object with this header and copies of the elements.
    ///
    /// # Errors
    /// If the heap's limit is reached.
    ///
    /// # Panics
    /// If no heap is current.
    #[inline]
    pub fn try_new(header: H, elements: &[T]) -> Result<Gc<Headed<H, T>>, HeapFull> {
        const {
            assert!(
                align_of::<Headed<H, T>>() <= 8,
                "objects of a collected heap are aligned to 8 bytes at most"
            )
        };
        let info = const { TypeInfo::of::<LeafInfo>() };
        let bytes = size_of_val(elements).saturating_add(size_of::<Headed<H, T>>());
        let cell = if bytes <= SMALL_MAX - HEADER {
            // SAFETY: what is current is a heap or nothing.
            unsafe { crate::alloc::cell(crate::heap::hot(), class_of(bytes + HEADER, true)) }
        } else {
            bytes.checked_add(HEADER).and_then(crate::gc::large)
        };
        let Some(cell) = cell else { return Err(HeapFull::of(bytes)) };
        // SAFETY: the cell is fresh, and has room for the object's own header, and for this with its elements behind it.
        unsafe {
            cell.cast::<&'static TypeInfo>().write(info);
            let object = cell.add(HEADER).cast::<Headed<H, T>>();
            object.write(Headed { length: elements.len(), header, elements: [] });
            let place = (&raw mut (*object.as_ptr()).elements).cast::<T>();
            place.copy_from_nonoverlapping(elements.as_ptr(), elements.len());
            Ok(Gc::from_target(object))
        }
    }

    /// The elements.
    #[inline(always)]
    pub fn elements(&self) -> &[T] {
        // SAFETY: the object only exists with its elements behind it.
        unsafe { std::slice::from_raw_parts((&raw const self.elements).cast(), self.length) }
    }
}

impl<H, T> Deref for Headed<H, T> {
    type Target = H;

    #[inline(always)]
    fn deref(&self) -> &H {
        &self.header
    }
}

// SAFETY: it holds no reference.
unsafe impl<H: Leaf, T: Leaf> Trace for Headed<H, T> {
    const SHAPE: Shape = Shape::NONE;

    fn trace(&self, _: &mut Tracer) {}
}
// SAFETY: as above.
unsafe impl<H: Leaf, T: Leaf> Leaf for Headed<H, T> {}

/// What the descriptor of all [`Headed`] is of: an object without references.
type LeafInfo = usize;

/// The elements of a [`GcVec`] and how many they are; the room behind them is the object's own business.
#[doc(hidden)]
#[repr(C)]
pub struct Buffer<T> {
    length: Cell<usize>,
    elements: [GcCell<T>; 0],
}

/// A vector in the collected heap: its elements keep their objects alive wherever the vector itself lies, and it changes
/// through a shared reference.
///
/// One without elements has no memory. Clones share nothing.
#[repr(C)]
pub struct GcVec<T> {
    buffer: GcCell<Option<Gc<Buffer<T>>>>,
    capacity: Cell<usize>,
    _elements: PhantomData<T>,
}

impl<T: Trace + Copy> GcVec<T> {
    /// An empty vector.
    pub const fn new() -> GcVec<T> {
        GcVec { buffer: GcCell::new(None), capacity: Cell::new(0), _elements: PhantomData }
    }

    /// Number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.buffer.get().map_or(0, |buffer| buffer.as_ref().length.get())
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The words that a vector is.
    #[doc(hidden)]
    pub fn into_parts(self) -> (Option<Gc<Buffer<T>>>, usize) {
        (self.buffer.get(), self.capacity.get())
    }

    /// The vector that is these words.
    ///
    /// # Safety
    /// They come from [`GcVec::into_parts`], once.
    #[doc(hidden)]
    pub unsafe fn from_parts(buffer: Option<Gc<Buffer<T>>>, capacity: usize) -> GcVec<T> {
        GcVec { buffer: GcCell::new(buffer), capacity: Cell::new(capacity), _elements: PhantomData }
    }

    #[inline(always)]
    fn cells(&self) -> &[GcCell<T>] {
        match self.buffer.get() {
            // SAFETY: a buffer holds as many elements as it says; the vector keeps it.
            Some(buffer) => unsafe {
                let buffer = buffer.as_ref();
                std::slice::from_raw_parts((&raw const buffer.elements).cast(), buffer.length.get())
            },
            None => &[],
        }
    }

    /// The element at an index, if there is one.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<T> {
        self.cells().get(index).map(GcCell::get)
    }

    /// Replaces an element.
    ///
    /// # Panics
    /// If there is no such index.
    #[inline(always)]
    pub fn set(&self, index: usize, value: T) {
        self.cells()[index].set(value);
    }

    /// Adds an element.
    ///
    /// # Panics
    /// If the heap's limit is reached.
    #[inline]
    pub fn push(&self, value: T) {
        if let Err(full) = self.try_push(value) {
            full.panic();
        }
    }

    /// Adds an element.
    ///
    /// # Errors
    /// If the heap's limit is reached; the vector is as it was.
    pub fn try_push(&self, value: T) -> Result<(), HeapFull> {
        let length = self.len();
        if length == self.capacity.get() {
            self.try_grow()?;
        }
        let Some(buffer) = self.buffer.get() else { unreachable!("a vector that has grown has a buffer") };
        let buffer = buffer.as_ref();
        crate::check_stored(&value);
        // SAFETY: the buffer has room for `capacity` elements.
        unsafe {
            let place = (&raw const buffer.elements).cast::<GcCell<T>>().add(length).cast_mut();
            place.write(GcCell::new(value));
            buffer.length.set(length + 1);
            if const { !T::SHAPE.is_none() } {
                barrier(place.cast());
            }
        }
        Ok(())
    }

    /// Takes the last element away.
    #[inline]
    pub fn pop(&self) -> Option<T> {
        let last = self.cells().last()?.get();
        self.truncate(self.len() - 1);
        Some(last)
    }

    /// Keeps the first `length` elements, or all if there are fewer.
    #[inline]
    pub fn truncate(&self, length: usize) {
        if let Some(buffer) = self.buffer.get()
            && length < buffer.length.get()
        {
            buffer.length.set(length);
        }
    }

    /// Copies of the elements, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        (0..).map_while(|index| self.get(index))
    }

    /// Makes room for more elements.
    ///
    /// # Errors
    /// If the heap's limit is reached; the vector is as it was.
    #[doc(hidden)]
    #[cold]
    pub fn try_grow(&self) -> Result<(), HeapFull> {
        let capacity = (self.capacity.get() * 2).max(4);
        let (array, place) = allocate::<GcCell<T>>(capacity)?;
        let cells = self.cells();
        // SAFETY: the new buffer has the layout of an array and room for more than the elements there are.
        unsafe {
            place.copy_from_nonoverlapping(NonNull::from(cells).cast(), cells.len());
            let buffer = array.cast::<Buffer<T>>();
            buffer.as_ref().length.set(cells.len());
            self.buffer.set(Some(Gc::from_target(buffer)));
        }
        self.capacity.set(capacity);
        Ok(())
    }
}

impl<T: Trace + Copy> Default for GcVec<T> {
    fn default() -> GcVec<T> {
        GcVec::new()
    }
}

impl<T: Trace + Copy> Clone for GcVec<T> {
    fn clone(&self) -> GcVec<T> {
        let clone = GcVec::new();
        self.iter().for_each(|value| clone.push(value));
        clone
    }
}

impl<T: Trace + Copy + fmt::Debug> fmt::Debug for GcVec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

// SAFETY: the reference to the buffer is visited.
unsafe impl<T> Trace for GcVec<T> {
    const SHAPE: Shape = Shape::NONE.with(std::mem::offset_of!(Self, buffer), Shape::WORD);

    fn trace(&self, tracer: &mut Tracer) {
        self.buffer.trace(tracer);
    }
}
