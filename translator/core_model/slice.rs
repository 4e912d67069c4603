use crate::intrinsics::{ptr_offset, ptr_offset_mut, slice_len, slice_ptr};
use crate::ops::{Index, IndexMut, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo};

impl<T> [T] {
    pub fn len(&self) -> usize {
        slice_len(self)
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn as_ptr(&self) -> *const T {
        slice_ptr(self)
    }
    pub fn get(&self, index: usize) -> Option<&T> {
        if index < self.len() { Some(&self[index]) } else { None }
    }
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        if index < self.len() { Some(&mut self[index]) } else { None }
    }
    pub unsafe fn get_unchecked(&self, index: usize) -> &T {
        unsafe { &*ptr_offset(slice_ptr(self), index) }
    }
    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }
    pub fn last(&self) -> Option<&T> {
        let len = self.len();
        if len == 0 { None } else { Some(&self[len - 1]) }
    }
    pub fn last_mut(&mut self) -> Option<&mut T> {
        let len = self.len();
        if len == 0 { None } else { Some(&mut self[len - 1]) }
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
    #[opaque]
    pub fn to_vec(&self) -> Vec<T>
    where
        T: Clone,
    {
    }
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
    pub fn contains(&self, value: &T) -> bool
    where
        T: PartialEq,
    {
    }
    #[opaque]
    pub fn reverse(&mut self) {}
}

#[lang = "SliceIter"]
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
}
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

#[opaque]
#[lang = "ArrayIntoIter"]
pub struct ArrayIntoIter<T, const N: usize> {}
impl<T, const N: usize> Iterator for ArrayIntoIter<T, N> {
    type Item = T;
    #[opaque]
    fn next(&mut self) -> Option<T> {}
}
impl<T, const N: usize> IntoIterator for [T; N] {
    type Item = T;
    type IntoIter = ArrayIntoIter<T, N>;
    #[opaque]
    fn into_iter(self) -> ArrayIntoIter<T, N> {}
}

macro_rules! index_by {
    ($($range:ty)*) => { $(
        impl<T> Index<$range> for [T] {
            type Output = [T];
            #[opaque]
            fn index(&self, index: $range) -> &[T] {}
        }
        impl<T> IndexMut<$range> for [T] {
            #[opaque]
            fn index_mut(&mut self, index: $range) -> &mut [T] {}
        }
    )* };
}
index_by!(Range<usize> RangeFrom<usize> RangeTo<usize> RangeInclusive<usize> RangeFull);

impl<T> AsRef<[T]> for [T] {
    fn as_ref(&self) -> &[T] {
        self
    }
}
