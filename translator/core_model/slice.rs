//! The model of slices: methods, iterators, indexing by ranges.

use crate::intrinsics::{ptr_offset, ptr_offset_mut, slice_from_raw_parts, slice_from_raw_parts_mut, slice_len, slice_ptr};
use crate::ops::{Index, IndexMut, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// What a slice is indexed by.
pub trait SliceIndex<T: ?Sized> {
    type Output: ?Sized;
    fn get(self, slice: &T) -> Option<&Self::Output>;
    fn get_mut(self, slice: &mut T) -> Option<&mut Self::Output>;
    unsafe fn get_unchecked(self, slice: &T) -> &Self::Output;
    unsafe fn get_unchecked_mut(self, slice: &mut T) -> &mut Self::Output;
}

impl<T> SliceIndex<[T]> for usize {
    type Output = T;
    fn get(self, slice: &[T]) -> Option<&T> {
        if self < slice.len() { Some(&slice[self]) } else { None }
    }
    fn get_mut(self, slice: &mut [T]) -> Option<&mut T> {
        if self < slice.len() { Some(&mut slice[self]) } else { None }
    }
    unsafe fn get_unchecked(self, slice: &[T]) -> &T {
        unsafe { &*ptr_offset(slice_ptr(slice), self) }
    }
    unsafe fn get_unchecked_mut(self, slice: &mut [T]) -> &mut T {
        unsafe { &mut *ptr_offset_mut(slice_ptr(slice) as *mut T, self) }
    }
}

unsafe fn part<T>(slice: &[T], start: usize, end: usize) -> &[T] {
    unsafe { &*slice_from_raw_parts(ptr_offset(slice_ptr(slice), start), end - start) }
}
unsafe fn part_mut<T>(slice: &mut [T], start: usize, end: usize) -> &mut [T] {
    unsafe { &mut *slice_from_raw_parts_mut(ptr_offset_mut(slice_ptr(slice) as *mut T, start), end - start) }
}

// `bounds` are start and end; `fits` says whether they are right for a slice of length `len`. Indexing that does not fit is
// left to native code, which panics.
macro_rules! index_by {
    ($($range:ty: $r:ident, $len:ident, $fits:expr => $start:expr, $end:expr;)*) => { $(
        impl<T> SliceIndex<[T]> for $range {
            type Output = [T];
            fn get(self, slice: &[T]) -> Option<&[T]> {
                let $r = self;
                let $len = slice.len();
                if $fits { Some(unsafe { part(slice, $start, $end) }) } else { None }
            }
            fn get_mut(self, slice: &mut [T]) -> Option<&mut [T]> {
                let $r = self;
                let $len = slice.len();
                if $fits { Some(unsafe { part_mut(slice, $start, $end) }) } else { None }
            }
            unsafe fn get_unchecked(self, slice: &[T]) -> &[T] {
                let $r = self;
                let $len = slice.len();
                unsafe { part(slice, $start, $end) }
            }
            unsafe fn get_unchecked_mut(self, slice: &mut [T]) -> &mut [T] {
                let $r = self;
                let $len = slice.len();
                unsafe { part_mut(slice, $start, $end) }
            }
        }
        impl<T> Index<$range> for [T] {
            type Output = [T];
            fn index(&self, $r: $range) -> &[T] {
                let $len = self.len();
                if $fits {
                    unsafe { part(self, $start, $end) }
                } else {
                    let slice = self;
                    __native!([slice, $r] -> &[T] { &slice[$r] })
                }
            }
        }
        impl<T> IndexMut<$range> for [T] {
            fn index_mut(&mut self, $r: $range) -> &mut [T] {
                let $len = self.len();
                if $fits {
                    unsafe { part_mut(self, $start, $end) }
                } else {
                    let slice = self;
                    __native!([slice, $r] -> &mut [T] { &mut slice[$r] })
                }
            }
        }
    )* };
}
index_by! {
    Range<usize>: r, len, r.start <= r.end && r.end <= len => r.start, r.end;
    RangeFrom<usize>: r, len, r.start <= len => r.start, len;
    RangeTo<usize>: r, len, r.end <= len => 0, r.end;
    RangeFull: _r, len, true => 0, len;
    RangeToInclusive<usize>: r, len, r.end < len => 0, r.end + 1;
}

// One that has been iterated to its end is empty, and begins behind it.
fn first_of(r: &RangeInclusive<usize>) -> usize {
    if r.exhausted { r.end + 1 } else { r.start }
}
impl<T> SliceIndex<[T]> for RangeInclusive<usize> {
    type Output = [T];
    fn get(self, slice: &[T]) -> Option<&[T]> {
        if self.end < slice.len() && first_of(&self) <= self.end + 1 {
            Some(unsafe { part(slice, first_of(&self), self.end + 1) })
        } else {
            None
        }
    }
    fn get_mut(self, slice: &mut [T]) -> Option<&mut [T]> {
        if self.end < slice.len() && first_of(&self) <= self.end + 1 {
            Some(unsafe { part_mut(slice, first_of(&self), self.end + 1) })
        } else {
            None
        }
    }
    unsafe fn get_unchecked(self, slice: &[T]) -> &[T] {
        unsafe { part(slice, first_of(&self), self.end + 1) }
    }
    unsafe fn get_unchecked_mut(self, slice: &mut [T]) -> &mut [T] {
        unsafe { part_mut(slice, first_of(&self), self.end + 1) }
    }
}
impl<T> Index<RangeInclusive<usize>> for [T] {
    type Output = [T];
    fn index(&self, r: RangeInclusive<usize>) -> &[T] {
        if r.end < self.len() && first_of(&r) <= r.end + 1 {
            return unsafe { part(self, first_of(&r), r.end + 1) };
        }
        let (slice, start, end) = (self, r.start, r.end);
        __native!([slice, start, end] -> &[T] { &slice[start..=end] })
    }
}
impl<T> IndexMut<RangeInclusive<usize>> for [T] {
    fn index_mut(&mut self, r: RangeInclusive<usize>) -> &mut [T] {
        if r.end < self.len() && first_of(&r) <= r.end + 1 {
            return unsafe { part_mut(self, first_of(&r), r.end + 1) };
        }
        let (start, end) = (r.start, r.end);
        let slice = self;
        __native!([slice, start, end] -> &mut [T] { &mut slice[start..=end] })
    }
}

impl<T> [T] {
    pub const fn len(&self) -> usize {
        slice_len(self)
    }
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn as_ptr(&self) -> *const T {
        slice_ptr(self)
    }
    pub fn as_mut_ptr(&mut self) -> *mut T {
        slice_ptr(self) as *mut T
    }
    pub fn get<I: SliceIndex<[T]>>(&self, index: I) -> Option<&I::Output> {
        index.get(self)
    }
    pub fn get_mut<I: SliceIndex<[T]>>(&mut self, index: I) -> Option<&mut I::Output> {
        index.get_mut(self)
    }
    pub unsafe fn get_unchecked<I: SliceIndex<[T]>>(&self, index: I) -> &I::Output {
        unsafe { index.get_unchecked(self) }
    }
    pub unsafe fn get_unchecked_mut<I: SliceIndex<[T]>>(&mut self, index: I) -> &mut I::Output {
        unsafe { index.get_unchecked_mut(self) }
    }
    pub fn first_chunk<const N: usize>(&self) -> Option<&[T; N]> {
        if self.len() < N { None } else { Some(unsafe { &*(self.as_ptr() as *const [T; N]) }) }
    }
    pub fn first(&self) -> Option<&T> {
        if self.len() == 0 { None } else { Some(&self[0]) }
    }
    pub fn first_mut(&mut self) -> Option<&mut T> {
        if self.len() == 0 { None } else { Some(&mut self[0]) }
    }
    pub fn last(&self) -> Option<&T> {
        let len = self.len();
        if len == 0 { None } else { Some(&self[len - 1]) }
    }
    pub fn last_mut(&mut self) -> Option<&mut T> {
        let len = self.len();
        if len == 0 { None } else { Some(&mut self[len - 1]) }
    }
    pub fn split_first(&self) -> Option<(&T, &[T])> {
        let len = self.len();
        if len == 0 { None } else { Some((&self[0], unsafe { part(self, 1, len) })) }
    }
    pub fn split_last(&self) -> Option<(&T, &[T])> {
        let len = self.len();
        if len == 0 { None } else { Some((&self[len - 1], unsafe { part(self, 0, len - 1) })) }
    }
    pub fn split_first_mut(&mut self) -> Option<(&mut T, &mut [T])> {
        let len = self.len();
        if len == 0 {
            return None;
        }
        let pointer = slice_ptr(self) as *mut T;
        Some(unsafe { (&mut *pointer, &mut *slice_from_raw_parts_mut(ptr_offset_mut(pointer, 1), len - 1)) })
    }
    pub fn split_last_mut(&mut self) -> Option<(&mut T, &mut [T])> {
        let len = self.len();
        if len == 0 {
            return None;
        }
        let pointer = slice_ptr(self) as *mut T;
        Some(unsafe { (&mut *ptr_offset_mut(pointer, len - 1), &mut *slice_from_raw_parts_mut(pointer, len - 1)) })
    }
    pub fn split_at(&self, mid: usize) -> (&[T], &[T]) {
        let len = self.len();
        if mid <= len {
            unsafe { (part(self, 0, mid), part(self, mid, len)) }
        } else {
            let slice = self;
            __native!([slice, mid] -> (&[T], &[T]) { slice.split_at(mid) })
        }
    }
    pub fn split_at_mut(&mut self, mid: usize) -> (&mut [T], &mut [T]) {
        let len = self.len();
        let slice = self;
        if mid <= len {
            let pointer = slice_ptr(slice) as *mut T;
            unsafe {
                (
                    &mut *slice_from_raw_parts_mut(pointer, mid),
                    &mut *slice_from_raw_parts_mut(ptr_offset_mut(pointer, mid), len - mid),
                )
            }
        } else {
            __native!([slice, mid] -> (&mut [T], &mut [T]) { slice.split_at_mut(mid) })
        }
    }
    pub fn split_at_checked(&self, mid: usize) -> Option<(&[T], &[T])> {
        let len = self.len();
        if mid <= len { Some(unsafe { (part(self, 0, mid), part(self, mid, len)) }) } else { None }
    }
    pub fn swap(&mut self, a: usize, b: usize) {
        let pa: *mut T = &mut self[a];
        let pb: *mut T = &mut self[b];
        unsafe { crate::mem::swap(&mut *pa, &mut *pb) }
    }
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { slice: self, at: 0, end: self.len() }
    }
    pub fn iter_mut(&mut self) -> IterMut<'_, T> {
        let end = self.len();
        IterMut { start: slice_ptr(self) as *mut T, at: 0, end, lifetime: self }
    }
    pub fn windows(&self, size: usize) -> Windows<'_, T> {
        if size == 0 {
            panic!("window size must be non-zero");
        }
        Windows { slice: self, size }
    }
    pub fn chunks(&self, size: usize) -> Chunks<'_, T> {
        if size == 0 {
            panic!("chunk size must be non-zero");
        }
        Chunks { slice: self, size }
    }
    pub fn chunks_exact(&self, size: usize) -> ChunksExact<'_, T> {
        if size == 0 {
            panic!("chunk size must be non-zero");
        }
        let fits = self.len() / size * size;
        ChunksExact { slice: unsafe { part(self, 0, fits) }, rest: unsafe { part(self, fits, self.len()) }, size }
    }
    pub fn chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T> {
        if size == 0 {
            panic!("chunk size must be non-zero");
        }
        let len = self.len();
        ChunksMut { start: slice_ptr(self) as *mut T, len, size, lifetime: self }
    }
    #[opaque]
    pub fn binary_search(&self, x: &T) -> Result<usize, usize>
    where
        T: Ord,
    {
    }
    // The very steps of std: which of several equal elements is found depends on them.
    pub fn binary_search_by<'a, F: FnMut(&'a T) -> crate::cmp::Ordering>(&'a self, f: F) -> Result<usize, usize> {
        let mut f = f;
        let mut size = self.len();
        if size == 0 {
            return Err(0);
        }
        let mut base = 0usize;
        while size > 1 {
            let half = size / 2;
            let mid = base + half;
            let order = f(unsafe { self.get_unchecked(mid) });
            base = if order.is_gt() { base } else { mid };
            size -= half;
        }
        let order = f(unsafe { self.get_unchecked(base) });
        if order.is_eq() { Ok(base) } else { Err(base + order.is_lt() as usize) }
    }
    pub fn binary_search_by_key<'a, B: Ord, F: FnMut(&'a T) -> B>(&'a self, b: &B, f: F) -> Result<usize, usize> {
        let mut f = f;
        self.binary_search_by(|k| f(k).cmp(b))
    }
    pub fn partition_point<P: FnMut(&T) -> bool>(&self, pred: P) -> usize {
        let mut pred = pred;
        let found = self.binary_search_by(|x| {
            if pred(x) { crate::cmp::Ordering::Less } else { crate::cmp::Ordering::Greater }
        });
        match found {
            Ok(i) => i,
            Err(i) => i,
        }
    }
    #[opaque]
    pub fn to_vec(&self) -> Vec<T>
    where
        T: Clone,
    {
    }
    #[opaque]
    pub fn into_vec(self: Box<Self>) -> Vec<T> {}
    #[opaque]
    pub fn fill(&mut self, value: T)
    where
        T: Clone,
    {
    }
    #[opaque]
    pub fn copy_from_slice(&mut self, source: &[T])
    where
        T: Copy,
    {
    }
    #[opaque]
    pub fn clone_from_slice(&mut self, source: &[T])
    where
        T: Clone,
    {
    }
    #[opaque]
    pub fn copy_within<R: crate::ops::RangeBounds<usize>>(&mut self, source: R, to: usize)
    where
        T: Copy,
    {
    }
    #[opaque]
    pub fn swap_with_slice(&mut self, other: &mut [T]) {}
    #[opaque]
    pub fn contains(&self, value: &T) -> bool
    where
        T: PartialEq,
    {
    }
    #[opaque]
    pub fn starts_with(&self, needle: &[T]) -> bool
    where
        T: PartialEq,
    {
    }
    #[opaque]
    pub fn ends_with(&self, needle: &[T]) -> bool
    where
        T: PartialEq,
    {
    }
    #[opaque]
    pub fn is_sorted(&self) -> bool
    where
        T: PartialOrd,
    {
    }
    #[opaque]
    pub fn reverse(&mut self) {}
    #[opaque]
    pub fn rotate_left(&mut self, mid: usize) {}
    #[opaque]
    pub fn rotate_right(&mut self, mid: usize) {}
    #[opaque]
    pub fn sort(&mut self)
    where
        T: Ord,
    {
    }
    #[opaque]
    pub fn sort_unstable(&mut self)
    where
        T: Ord,
    {
    }
    #[opaque]
    pub fn concat<Item: ?Sized>(&self) -> <[T] as Concat<Item>>::Output
    where
        [T]: Concat<Item>,
    {
    }
    #[opaque]
    pub fn join<Separator>(&self, separator: Separator) -> <[T] as Join<Separator>>::Output
    where
        [T]: Join<Separator>,
    {
    }
    #[opaque]
    pub fn repeat(&self, n: usize) -> Vec<T>
    where
        T: Copy,
    {
    }
}

pub trait Concat<Item: ?Sized> {
    type Output;
}
impl<'a, T: Clone> Concat<T> for [&'a [T]] {
    type Output = Vec<T>;
}
impl<T: Clone> Concat<T> for [Vec<T>] {
    type Output = Vec<T>;
}
impl<'a> Concat<str> for [&'a str] {
    type Output = crate::string::String;
}
impl Concat<str> for [crate::string::String] {
    type Output = crate::string::String;
}
pub trait Join<Separator> {
    type Output;
}
impl<'a, 'b> Join<&'a str> for [&'b str] {
    type Output = crate::string::String;
}
impl<'a> Join<&'a str> for [crate::string::String] {
    type Output = crate::string::String;
}

pub const fn from_ref<T>(value: &T) -> &[T] {
    unsafe { &*slice_from_raw_parts(value, 1) }
}
pub unsafe fn from_raw_parts<'a, T>(data: *const T, len: usize) -> &'a [T] {
    unsafe { &*slice_from_raw_parts(data, len) }
}
pub unsafe fn from_raw_parts_mut<'a, T>(data: *mut T, len: usize) -> &'a mut [T] {
    unsafe { &mut *slice_from_raw_parts_mut(data, len) }
}

#[lang = "SliceIter"]
#[derive(Clone)]
pub struct Iter<'a, T> {
    slice: &'a [T],
    at: usize,
    end: usize,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;
    fn next(&mut self) -> Option<&'a T> {
        if self.at < self.end {
            let at = self.at;
            self.at = at + 1;
            Some(unsafe { self.slice.get_unchecked(at) })
        } else {
            None
        }
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
    fn nth(&mut self, n: usize) -> Option<&'a T> {
        if n < self.end - self.at {
            let at = self.at + n;
            self.at = at + 1;
            Some(unsafe { self.slice.get_unchecked(at) })
        } else {
            self.at = self.end;
            None
        }
    }
    fn count(self) -> usize {
        self.end - self.at
    }
    fn last(self) -> Option<&'a T> {
        if self.at < self.end { Some(unsafe { self.slice.get_unchecked(self.end - 1) }) } else { None }
    }
}
impl<'a, T> Iter<'a, T> {
    pub fn as_slice(&self) -> &'a [T] {
        unsafe { part(self.slice, self.at, self.end) }
    }
}
impl<'a, T> ExactSizeIterator for Iter<'a, T> {}
impl<'a, T> DoubleEndedIterator for Iter<'a, T> {
    fn next_back(&mut self) -> Option<&'a T> {
        if self.at < self.end {
            self.end = self.end - 1;
            Some(unsafe { self.slice.get_unchecked(self.end) })
        } else {
            None
        }
    }
}

#[lang = "SliceIterMut"]
pub struct IterMut<'a, T> {
    start: *mut T,
    at: usize,
    end: usize,
    lifetime: &'a mut [T],
}

impl<'a, T> Iterator for IterMut<'a, T> {
    type Item = &'a mut T;
    fn next(&mut self) -> Option<&'a mut T> {
        if self.at < self.end {
            let at = self.at;
            self.at = at + 1;
            Some(unsafe { &mut *ptr_offset_mut(self.start, at) })
        } else {
            None
        }
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
}
impl<'a, T> ExactSizeIterator for IterMut<'a, T> {}
impl<'a, T> DoubleEndedIterator for IterMut<'a, T> {
    fn next_back(&mut self) -> Option<&'a mut T> {
        if self.at < self.end {
            self.end = self.end - 1;
            Some(unsafe { &mut *ptr_offset_mut(self.start, self.end) })
        } else {
            None
        }
    }
}

impl<'a, T> IntoIterator for &'a [T] {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
impl<'a, T> IntoIterator for &'a mut [T] {
    type Item = &'a mut T;
    type IntoIter = IterMut<'a, T>;
    fn into_iter(self) -> IterMut<'a, T> {
        self.iter_mut()
    }
}
impl<'a, T, const N: usize> IntoIterator for &'a [T; N] {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
impl<'a, T, const N: usize> IntoIterator for &'a mut [T; N] {
    type Item = &'a mut T;
    type IntoIter = IterMut<'a, T>;
    fn into_iter(self) -> IterMut<'a, T> {
        self.iter_mut()
    }
}

#[derive(Clone)]
pub struct Windows<'a, T> {
    slice: &'a [T],
    size: usize,
}
impl<'a, T> Iterator for Windows<'a, T> {
    type Item = &'a [T];
    fn next(&mut self) -> Option<&'a [T]> {
        let len = self.slice.len();
        if self.size > len {
            return None;
        }
        let found = unsafe { part(self.slice, 0, self.size) };
        self.slice = unsafe { part(self.slice, 1, len) };
        Some(found)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.slice.len();
        let n = if self.size > len { 0 } else { len - self.size + 1 };
        (n, Some(n))
    }
}
impl<'a, T> ExactSizeIterator for Windows<'a, T> {}

#[derive(Clone)]
pub struct Chunks<'a, T> {
    slice: &'a [T],
    size: usize,
}
impl<'a, T> Iterator for Chunks<'a, T> {
    type Item = &'a [T];
    fn next(&mut self) -> Option<&'a [T]> {
        let len = self.slice.len();
        if len == 0 {
            return None;
        }
        let n = if self.size < len { self.size } else { len };
        let found = unsafe { part(self.slice, 0, n) };
        self.slice = unsafe { part(self.slice, n, len) };
        Some(found)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.slice.len();
        let n = len / self.size + (len % self.size != 0) as usize;
        (n, Some(n))
    }
}
impl<'a, T> ExactSizeIterator for Chunks<'a, T> {}

#[derive(Clone)]
pub struct ChunksExact<'a, T> {
    slice: &'a [T],
    rest: &'a [T],
    size: usize,
}
impl<'a, T> ChunksExact<'a, T> {
    pub fn remainder(&self) -> &'a [T] {
        self.rest
    }
}
impl<'a, T> Iterator for ChunksExact<'a, T> {
    type Item = &'a [T];
    fn next(&mut self) -> Option<&'a [T]> {
        let len = self.slice.len();
        if len < self.size {
            return None;
        }
        let found = unsafe { part(self.slice, 0, self.size) };
        self.slice = unsafe { part(self.slice, self.size, len) };
        Some(found)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = self.slice.len() / self.size;
        (n, Some(n))
    }
}
impl<'a, T> ExactSizeIterator for ChunksExact<'a, T> {}

pub struct ChunksMut<'a, T> {
    start: *mut T,
    len: usize,
    size: usize,
    lifetime: &'a mut [T],
}
impl<'a, T> Iterator for ChunksMut<'a, T> {
    type Item = &'a mut [T];
    fn next(&mut self) -> Option<&'a mut [T]> {
        if self.len == 0 {
            return None;
        }
        let n = if self.size < self.len { self.size } else { self.len };
        let found = unsafe { &mut *slice_from_raw_parts_mut(self.start, n) };
        self.start = unsafe { ptr_offset_mut(self.start, n) };
        self.len = self.len - n;
        Some(found)
    }
}

impl<T> AsRef<[T]> for [T] {
    fn as_ref(&self) -> &[T] {
        self
    }
}
