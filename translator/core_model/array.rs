//! The model of arrays.

use crate::intrinsics::{ptr_offset_mut, read_element, slice_ptr, uninit};
use crate::mem::ManuallyDrop;

impl<T, const N: usize> [T; N] {
    pub fn as_slice(&self) -> &[T] {
        self
    }
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self
    }
    pub fn map<U, F: FnMut(T) -> U>(self, f: F) -> [U; N] {
        let mut f = f;
        let mut from = self.into_iter();
        let mut to: ManuallyDrop<[U; N]> = unsafe { uninit() };
        let mut filled = Filled { pointer: first(&mut *to), len: 0 };
        while let Some(value) = from.next() {
            let value = f(value);
            unsafe { crate::ptr::write(ptr_offset_mut(filled.pointer, filled.len), value) };
            filled.len += 1;
        }
        crate::mem::forget(filled);
        ManuallyDrop::into_inner(to)
    }
}

fn first<T>(slice: &mut [T]) -> *mut T {
    slice_ptr(slice) as *mut T
}

/// Drops what is there when the function that fills the array panics.
struct Filled<T> {
    pointer: *mut T,
    len: usize,
}
impl<T> crate::ops::Drop for Filled<T> {
    fn drop(&mut self) {
        drop_elements(self.pointer, 0, self.len);
    }
}

fn drop_elements<T>(pointer: *mut T, from: usize, to: usize) {
    if crate::mem::needs_drop::<T>() {
        let mut at = from;
        while at < to {
            unsafe { crate::ptr::drop_in_place(ptr_offset_mut(pointer, at)) };
            at += 1;
        }
    }
}

pub fn from_fn<T, const N: usize, F: FnMut(usize) -> T>(f: F) -> [T; N] {
    let mut f = f;
    let mut to: ManuallyDrop<[T; N]> = unsafe { uninit() };
    let mut filled = Filled { pointer: first(&mut *to), len: 0 };
    while filled.len < N {
        let value = f(filled.len);
        unsafe { crate::ptr::write(ptr_offset_mut(filled.pointer, filled.len), value) };
        filled.len += 1;
    }
    crate::mem::forget(filled);
    ManuallyDrop::into_inner(to)
}

// Its layout is this model's own.
#[lang = "ArrayIntoIter"]
pub struct IntoIter<T, const N: usize> {
    data: ManuallyDrop<[T; N]>,
    at: usize,
    end: usize,
}
impl<T, const N: usize> Iterator for IntoIter<T, N> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        if self.at < self.end {
            let at = self.at;
            self.at = at + 1;
            Some(unsafe { read_element(first(&mut *self.data), at) })
        } else {
            None
        }
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
}
impl<T, const N: usize> DoubleEndedIterator for IntoIter<T, N> {
    fn next_back(&mut self) -> Option<T> {
        if self.at < self.end {
            self.end = self.end - 1;
            let end = self.end;
            Some(unsafe { read_element(first(&mut *self.data), end) })
        } else {
            None
        }
    }
}
impl<T, const N: usize> ExactSizeIterator for IntoIter<T, N> {}
impl<T, const N: usize> crate::ops::Drop for IntoIter<T, N> {
    fn drop(&mut self) {
        drop_elements(first(&mut *self.data), self.at, self.end);
    }
}
impl<T, const N: usize> IntoIterator for [T; N] {
    type Item = T;
    type IntoIter = IntoIter<T, N>;
    fn into_iter(self) -> IntoIter<T, N> {
        IntoIter { data: ManuallyDrop::new(self), at: 0, end: N }
    }
}
impl<T, const N: usize> AsRef<[T]> for [T; N] {
    fn as_ref(&self) -> &[T] {
        self
    }
}
impl<T, const N: usize> AsMut<[T]> for [T; N] {
    fn as_mut(&mut self) -> &mut [T] {
        self
    }
}
impl<T: Default, const N: usize> Default for [T; N] {
    fn default() -> [T; N] {
        from_fn(|_| T::default())
    }
}
#[derive(Clone, Copy)]
pub struct TryFromSliceError;
impl crate::fmt::Debug for TryFromSliceError {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<'a, T: Copy, const N: usize> TryFrom<&'a [T]> for [T; N] {
    type Error = TryFromSliceError;
    fn try_from(slice: &'a [T]) -> Result<[T; N], TryFromSliceError> {
        if slice.len() == N { Ok(from_fn(|i| slice[i])) } else { Err(TryFromSliceError) }
    }
}
impl<'a, T, const N: usize> TryFrom<&'a [T]> for &'a [T; N] {
    type Error = TryFromSliceError;
    fn try_from(slice: &'a [T]) -> Result<&'a [T; N], TryFromSliceError> {
        if slice.len() == N {
            Ok(unsafe { &*(slice.as_ptr() as *const [T; N]) })
        } else {
            Err(TryFromSliceError)
        }
    }
}
