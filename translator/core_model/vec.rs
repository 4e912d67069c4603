//! The model of `Vec`: reads, writes, pushes and pops are looked inside. So are buffers that are allocated and given back, and
//! the filling of those whose few elements the recorder can count; buffers that grow are called. Iterators by value are opaque.

use crate::intrinsics::{dangling, free_elements, is_constant, new_elements, promote, ptr_offset_mut};
use crate::intrinsics::{slice_from_raw_parts, slice_from_raw_parts_mut};
use crate::ops::{Deref, DerefMut, Index, IndexMut, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo};
use crate::slice::{Iter, IterMut};

// The fields in the order in which flow graphs number them; where they lie is probed when the program starts.
#[lang]
pub struct Vec<T> {
    pointer: *mut T,
    length: usize,
    capacity: usize,
}

impl<T> crate::ops::Drop for Vec<T> {
    fn drop(&mut self) {
        if crate::mem::needs_drop::<T>() {
            drop_elements(self.pointer, self.length);
        }
        unsafe { free_elements(self.pointer, self.capacity) }
    }
}

/// Drops elements from the first to the last. None of them panics when it is dropped.
fn drop_elements<T>(pointer: *mut T, length: usize) {
    if length <= MOST_UNROLLED {
        let mut n = 0usize;
        while n < length {
            unsafe { crate::ptr::drop_in_place(ptr_offset_mut(pointer, n)) };
            n = n.wrapping_add(1);
        }
    } else {
        __native!([pointer, length] -> () {
            unsafe { ::core::ptr::drop_in_place(::core::ptr::slice_from_raw_parts_mut(pointer, length)) }
        })
    }
}

// What happens to more elements is not written out one by one.
const MOST_UNROLLED: usize = 8;
// Buffers of more elements are left to native code, which knows how many bytes are too many.
const MOST_ALLOCATED: usize = 0x10_0000;

fn is_allocated_here<T>(capacity: usize) -> bool {
    crate::mem::size_of::<T>().wrapping_sub(1) < MOST_ALLOCATED && capacity <= MOST_ALLOCATED
}

fn is_unrolled(count: usize) -> bool {
    count <= 2 * MOST_UNROLLED && is_constant(count)
}

// A number of elements, to be a constant of the trace if they are few: frames are of few sizes.
fn counted(count: usize) -> usize {
    if count <= MOST_UNROLLED { promote(count) } else { count }
}

/// What `vec![value; count]` calls.
pub fn from_elem<T: Clone>(value: T, count: usize) -> Vec<T> {
    let count = counted(count);
    if is_unrolled(count) {
        let mut list = Vec::with_capacity(count);
        list.fill_up(count, value);
        list
    } else {
        __native!([value, count] -> Vec<T> { ::std::vec![value; count] })
    }
}

impl<T> Vec<T> {
    pub const fn new() -> Vec<T> {
        Vec { pointer: dangling::<T>(), length: 0, capacity: 0 }
    }
    pub fn with_capacity(capacity: usize) -> Vec<T> {
        if is_allocated_here::<T>(capacity) {
            Vec { pointer: unsafe { new_elements::<T>(capacity) }, length: 0, capacity }
        } else {
            __native!([capacity] -> Vec<T> { ::std::vec::Vec::with_capacity(capacity) })
        }
    }
    // Appends clones, for which there is room, and at last the value itself.
    fn fill_up(&mut self, length: usize, value: T)
    where
        T: Clone,
    {
        if self.length < length {
            while self.length.wrapping_add(1) < length {
                let next = value.clone();
                unsafe { crate::vec::put_at(self.pointer, self.length, next) }
                self.length = self.length.wrapping_add(1);
            }
            unsafe { crate::vec::put_at(self.pointer, self.length, value) }
            self.length = length;
        }
    }
    // Appends clones, for which there is room.
    fn append_clones(&mut self, other: &[T], count: usize)
    where
        T: Clone,
    {
        let mut n = 0usize;
        while n < count {
            let next = other[n].clone();
            unsafe { crate::vec::put_at(self.pointer, self.length, next) }
            self.length = self.length.wrapping_add(1);
            n = n.wrapping_add(1);
        }
    }
    // As `Vec` does for what has no buffer yet.
    fn first_capacity(additional: usize) -> usize {
        let size = crate::mem::size_of::<T>();
        let least: usize = if size == 1 {
            8
        } else if size <= 1024 {
            4
        } else {
            1
        };
        if additional < least { least } else { additional }
    }
    fn grow(&mut self, additional: usize) {
        if self.capacity == 0 && is_allocated_here::<T>(additional) {
            let capacity = Self::first_capacity(additional);
            self.pointer = unsafe { new_elements::<T>(capacity) };
            self.capacity = capacity;
        } else {
            self.reserve_natively(additional);
        }
    }
    fn reserve_natively(&mut self, additional: usize) {
        let list = self;
        __native!([list, additional] -> () { list.reserve(additional) })
    }
    pub fn len(&self) -> usize {
        self.length
    }
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
    pub fn capacity(&self) -> usize {
        self.capacity
    }
    pub fn as_slice(&self) -> &[T] {
        self
    }
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self
    }
    pub fn push(&mut self, value: T) {
        if self.length == self.capacity {
            self.grow(1);
        }
        unsafe { crate::vec::put_at(self.pointer, self.length, value) }
        self.length = self.length.wrapping_add(1);
    }
    pub fn pop(&mut self) -> Option<T> {
        if self.length == 0 {
            None
        } else {
            self.length = self.length.wrapping_sub(1);
            Some(unsafe { crate::vec::take_at(self.pointer, self.length) })
        }
    }
    pub fn clear(&mut self) {
        self.truncate(0)
    }
    pub fn truncate(&mut self, length: usize) {
        if length < self.length {
            if !crate::mem::needs_drop::<T>() {
                self.length = length;
            } else if self.length.wrapping_sub(length) <= 8 {
                self.pop_down_to(length, |value| crate::mem::drop(value));
            } else {
                crate::mem::drop(self.split_off(length));
            }
        }
    }
    // Taking a closure, it is looked inside though it has a loop.
    fn pop_down_to<F: FnMut(T)>(&mut self, length: usize, mut f: F) {
        while length < self.length {
            self.length = self.length.wrapping_sub(1);
            f(unsafe { crate::vec::take_at(self.pointer, self.length) })
        }
    }
    #[opaque]
    #[moves(T)]
    pub fn split_off(&mut self, at: usize) -> Vec<T> {}
    #[opaque]
    #[moves(T)]
    pub fn insert(&mut self, index: usize, value: T) {}
    #[opaque]
    #[moves(T)]
    pub fn remove(&mut self, index: usize) -> T {}
    #[opaque]
    #[moves(T)]
    pub fn swap_remove(&mut self, index: usize) -> T {}
    pub fn reserve(&mut self, additional: usize) {
        if additional > self.capacity.wrapping_sub(self.length) {
            self.grow(additional);
        }
    }
    #[opaque]
    #[moves(T)]
    pub fn append(&mut self, other: &mut Vec<T>) {}
    pub fn resize(&mut self, length: usize, value: T)
    where
        T: Clone,
    {
        let more = counted(length.wrapping_sub(self.length));
        if length <= self.length {
            self.truncate(length);
        } else if is_unrolled(more) {
            self.reserve(more);
            self.fill_up(self.length.wrapping_add(more), value);
        } else {
            let list = self;
            __native!([list, length, value] -> () { list.resize(length, value) })
        }
    }
    pub fn extend_from_slice(&mut self, other: &[T])
    where
        T: Clone,
    {
        let more = counted(other.len());
        if is_unrolled(more) {
            self.reserve(more);
            self.append_clones(other, more);
        } else {
            let list = self;
            __native!([list, other] -> () { list.extend_from_slice(other) })
        }
    }
}

#[intrinsic = "read_element"]
pub unsafe fn take_at<T>(pointer: *mut T, index: usize) -> T {}
#[intrinsic = "write_element"]
pub unsafe fn put_at<T>(pointer: *mut T, index: usize, value: T) {}

impl<T> Deref for Vec<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        unsafe { &*slice_from_raw_parts(self.pointer, self.length) }
    }
}
impl<T> DerefMut for Vec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        unsafe { &mut *slice_from_raw_parts_mut(self.pointer, self.length) }
    }
}

impl<T> Index<usize> for Vec<T> {
    type Output = T;
    fn index(&self, index: usize) -> &T {
        &(**self)[index]
    }
}
impl<T> IndexMut<usize> for Vec<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut (**self)[index]
    }
}

macro_rules! index_by {
    ($($range:ty)*) => { $(
        impl<T> Index<$range> for Vec<T> {
            type Output = [T];
            fn index(&self, index: $range) -> &[T] { &(**self)[index] }
        }
        impl<T> IndexMut<$range> for Vec<T> {
            fn index_mut(&mut self, index: $range) -> &mut [T] { &mut (**self)[index] }
        }
    )* };
}
index_by! {
    Range<usize> RangeFrom<usize> RangeTo<usize> RangeInclusive<usize> RangeFull crate::ops::RangeToInclusive<usize>
}

impl<T: Clone> Clone for Vec<T> {
    fn clone(&self) -> Vec<T> {
        let count = counted(self.length);
        if is_unrolled(count) {
            let mut list = Vec::with_capacity(count);
            list.append_clones(self, count);
            list
        } else {
            let list = self;
            __native!([list] -> Vec<T> { list.clone() })
        }
    }
}
impl<T> Default for Vec<T> {
    fn default() -> Vec<T> {
        Vec::new()
    }
}

impl<'a, T> IntoIterator for &'a Vec<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
impl<'a, T> IntoIterator for &'a mut Vec<T> {
    type Item = &'a mut T;
    type IntoIter = IterMut<'a, T>;
    fn into_iter(self) -> IterMut<'a, T> {
        self.iter_mut()
    }
}

#[opaque]
#[lang = "VecIntoIter"]
pub struct IntoIter<T> {}
impl<T> Iterator for IntoIter<T> {
    type Item = T;
    #[opaque]
    fn next(&mut self) -> Option<T> {}
}
impl<T> IntoIterator for Vec<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    #[opaque]
    fn into_iter(self) -> IntoIter<T> {}
}
impl<T> ExactSizeIterator for IntoIter<T> {
    #[opaque]
    fn len(&self) -> usize {}
}
impl<T> DoubleEndedIterator for IntoIter<T> {
    #[opaque]
    fn next_back(&mut self) -> Option<T> {}
}
impl<T> FromIterator<T> for Vec<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Vec<T> {
        let mut list = Vec::new();
        let mut iter = iter.into_iter();
        while let Some(item) = iter.next() {
            list.push(item);
        }
        list
    }
}
impl<T> Extend<T> for Vec<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, iter: I) {
        let mut iter = iter.into_iter();
        while let Some(item) = iter.next() {
            self.push(item);
        }
    }
}
impl<'a, T: Copy + 'a> Extend<&'a T> for Vec<T> {
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, iter: I) {
        let mut iter = iter.into_iter();
        while let Some(item) = iter.next() {
            self.push(*item);
        }
    }
}
#[opaque]
pub struct Drain<'a, T> {}
impl<'a, T> Iterator for Drain<'a, T> {
    type Item = T;
    #[opaque]
    fn next(&mut self) -> Option<T> {}
}
impl<'a, T> DoubleEndedIterator for Drain<'a, T> {
    #[opaque]
    fn next_back(&mut self) -> Option<T> {}
}
impl<T> Vec<T> {
    pub fn as_ptr(&self) -> *const T {
        self.pointer as *const T
    }
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.pointer
    }
    pub unsafe fn set_len(&mut self, length: usize) {
        self.length = length;
    }
    #[opaque]
    pub fn drain<R: crate::ops::RangeBounds<usize>>(&mut self, range: R) -> Drain<'_, T> {}
    #[opaque]
    pub fn shrink_to_fit(&mut self) {}
    #[opaque]
    pub fn reserve_exact(&mut self, additional: usize) {}
    #[opaque]
    pub fn into_boxed_slice(self) -> Box<[T]> {}
    #[opaque]
    pub fn leak<'a>(self) -> &'a mut [T] {}
    #[opaque]
    pub fn dedup(&mut self)
    where
        T: PartialEq,
    {
    }
    pub fn pop_if(&mut self, predicate: impl FnOnce(&mut T) -> bool) -> Option<T> {
        let last = self.last_mut()?;
        if predicate(last) { self.pop() } else { None }
    }
    pub fn retain<F: FnMut(&T) -> bool>(&mut self, f: F) {
        let mut f = f;
        self.retain_mut(|item| f(item));
    }
    pub fn retain_mut<F: FnMut(&mut T) -> bool>(&mut self, f: F) {
        let mut f = f;
        let length = self.length;
        self.length = 0;
        let mut left = Retain { list: self, seen: 0, deleted: 0, length };
        while left.seen < length {
            let at = left.seen;
            let item = unsafe { &mut *crate::intrinsics::ptr_offset_mut(left.list.pointer, at) };
            let keep = f(item);
            left.seen = at + 1;
            if !keep {
                left.deleted += 1;
                unsafe { crate::ptr::drop_in_place(item) };
            } else if left.deleted > 0 {
                unsafe {
                    let item = take_at(left.list.pointer, at);
                    crate::ptr::write(
                        crate::intrinsics::ptr_offset_mut(left.list.pointer, at - left.deleted),
                        item,
                    );
                }
            }
        }
    }
    pub fn resize_with<F: FnMut() -> T>(&mut self, length: usize, f: F) {
        let mut f = f;
        if length < self.length {
            self.truncate(length);
        } else {
            while self.length < length {
                self.push(f());
            }
        }
    }
}

/// Closes the gap that `retain` made, also when the predicate panics.
struct Retain<'a, T> {
    list: &'a mut Vec<T>,
    seen: usize,
    deleted: usize,
    length: usize,
}
impl<'a, T> crate::ops::Drop for Retain<'a, T> {
    fn drop(&mut self) {
        let mut at = self.seen;
        if self.deleted > 0 {
            while at < self.length {
                unsafe {
                    let item = take_at(self.list.pointer, at);
                    crate::ptr::write(
                        crate::intrinsics::ptr_offset_mut(self.list.pointer, at - self.deleted),
                        item,
                    );
                }
                at += 1;
            }
        }
        self.list.length = self.length - self.deleted;
    }
}

impl<'a, T: Clone> From<&'a [T]> for Vec<T> {
    #[opaque]
    fn from(list: &'a [T]) -> Vec<T> {}
}
impl<T, const N: usize> From<[T; N]> for Vec<T> {
    fn from(list: [T; N]) -> Vec<T> {
        if N <= 2 * MOST_UNROLLED && is_allocated_here::<T>(N) {
            unsafe {
                let pointer = new_elements::<T>(N);
                crate::intrinsics::write_place(pointer as *mut [T; N], list);
                Vec { pointer, length: N, capacity: N }
            }
        } else {
            __native!([list] -> Vec<T> { ::std::vec::Vec::from(list) })
        }
    }
}
impl<T> From<Box<[T]>> for Vec<T> {
    #[opaque]
    fn from(list: Box<[T]>) -> Vec<T> {}
}
impl<'a> From<&'a str> for Vec<u8> {
    #[opaque]
    fn from(list: &'a str) -> Vec<u8> {}
}
impl From<crate::string::String> for Vec<u8> {
    #[opaque]
    fn from(list: crate::string::String) -> Vec<u8> {}
}
impl<T> AsMut<[T]> for Vec<T> {
    fn as_mut(&mut self) -> &mut [T] {
        self
    }
}
impl<T> AsRef<Vec<T>> for Vec<T> {
    fn as_ref(&self) -> &Vec<T> {
        self
    }
}
impl<T> AsRef<[T]> for Vec<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}
