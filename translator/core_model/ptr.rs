//! The model of raw pointers.

use crate::intrinsics::{ptr_offset, ptr_offset_mut, slice_from_raw_parts, slice_from_raw_parts_mut};

#[intrinsic = "read_place"]
pub const unsafe fn read<T>(from: *const T) -> T {}
#[intrinsic = "write_place"]
pub const unsafe fn write<T>(to: *mut T, value: T) {}
#[intrinsic]
pub unsafe fn drop_in_place<T>(to_drop: *mut T) {}
pub const fn null<T>() -> *const T {
    0usize as *const T
}
pub const fn null_mut<T>() -> *mut T {
    0usize as *mut T
}
pub fn eq<T>(a: *const T, b: *const T) -> bool {
    a == b
}
pub unsafe fn swap<T>(a: *mut T, b: *mut T) {
    unsafe {
        let x = read(a);
        let y = read(b);
        write(a, y);
        write(b, x);
    }
}
pub unsafe fn replace<T>(to: *mut T, value: T) -> T {
    unsafe {
        let old = read(to);
        write(to, value);
        old
    }
}

impl<T> *const T {
    pub const fn is_null(self) -> bool {
        self as usize == 0
    }
    pub const unsafe fn add(self, count: usize) -> *const T {
        unsafe { ptr_offset(self, count) }
    }
    pub const unsafe fn sub(self, count: usize) -> *const T {
        unsafe { ptr_offset(self, 0usize.wrapping_sub(count)) }
    }
    pub const unsafe fn offset(self, count: isize) -> *const T {
        unsafe { ptr_offset(self, count as usize) }
    }
    pub const fn wrapping_add(self, count: usize) -> *const T {
        unsafe { ptr_offset(self, count) }
    }
    pub const unsafe fn read(self) -> T {
        unsafe { read(self) }
    }
    pub const fn cast<U>(self) -> *const U {
        self as *const U
    }
    pub const fn cast_mut(self) -> *mut T {
        self as *mut T
    }
    pub unsafe fn as_ref<'a>(self) -> Option<&'a T> {
        if self as usize == 0 { None } else { Some(unsafe { &*self }) }
    }
    pub unsafe fn offset_from(self, origin: *const T) -> isize {
        (self as isize - origin as isize) / crate::mem::size_of::<T>() as isize
    }
    pub fn addr(self) -> usize {
        self as usize
    }
}
impl<T> *mut T {
    pub const fn is_null(self) -> bool {
        self as usize == 0
    }
    pub const unsafe fn add(self, count: usize) -> *mut T {
        unsafe { ptr_offset_mut(self, count) }
    }
    pub const unsafe fn sub(self, count: usize) -> *mut T {
        unsafe { ptr_offset_mut(self, 0usize.wrapping_sub(count)) }
    }
    pub const unsafe fn offset(self, count: isize) -> *mut T {
        unsafe { ptr_offset_mut(self, count as usize) }
    }
    pub const fn wrapping_add(self, count: usize) -> *mut T {
        unsafe { ptr_offset_mut(self, count) }
    }
    pub const unsafe fn read(self) -> T {
        unsafe { read(self) }
    }
    pub const unsafe fn write(self, value: T) {
        unsafe { write(self, value) }
    }
    pub unsafe fn replace(self, value: T) -> T {
        unsafe { replace(self, value) }
    }
    pub unsafe fn drop_in_place(self) {
        unsafe { drop_in_place(self) }
    }
    pub const fn cast<U>(self) -> *mut U {
        self as *mut U
    }
    pub const fn cast_const(self) -> *const T {
        self as *const T
    }
    pub unsafe fn as_ref<'a>(self) -> Option<&'a T> {
        if self as usize == 0 { None } else { Some(unsafe { &*self }) }
    }
    pub unsafe fn as_mut<'a>(self) -> Option<&'a mut T> {
        if self as usize == 0 { None } else { Some(unsafe { &mut *self }) }
    }
    pub unsafe fn offset_from(self, origin: *const T) -> isize {
        (self as isize - origin as isize) / crate::mem::size_of::<T>() as isize
    }
    pub fn addr(self) -> usize {
        self as usize
    }
}

// `#[repr(transparent)]`, and never null.
#[lang]
#[repr(transparent)]
pub struct NonNull<T: ?Sized> {
    pointer: *const T,
}
impl<T: ?Sized> Clone for NonNull<T> {
    fn clone(&self) -> NonNull<T> {
        NonNull { pointer: self.pointer }
    }
}
impl<T: ?Sized> Copy for NonNull<T> {}
impl<T: ?Sized> PartialEq for NonNull<T> {
    fn eq(&self, other: &NonNull<T>) -> bool {
        self.pointer == other.pointer
    }
}
impl<T: ?Sized> Eq for NonNull<T> {}
impl<T> NonNull<T> {
    pub const unsafe fn new_unchecked(pointer: *mut T) -> NonNull<T> {
        NonNull { pointer: pointer as *const T }
    }
    pub const fn new(pointer: *mut T) -> Option<NonNull<T>> {
        if pointer as usize == 0 { None } else { Some(NonNull { pointer: pointer as *const T }) }
    }
    pub const fn dangling() -> NonNull<T> {
        NonNull { pointer: crate::mem::align_of::<T>() as *const T }
    }
    pub const fn as_ptr(self) -> *mut T {
        self.pointer as *mut T
    }
    pub const unsafe fn as_ref<'a>(&self) -> &'a T {
        unsafe { &*self.pointer }
    }
    pub const unsafe fn as_mut<'a>(&mut self) -> &'a mut T {
        unsafe { &mut *(self.pointer as *mut T) }
    }
    pub const fn cast<U>(self) -> NonNull<U> {
        NonNull { pointer: self.pointer as *const U }
    }
    pub const unsafe fn add(self, count: usize) -> NonNull<T> {
        NonNull { pointer: unsafe { ptr_offset(self.pointer, count) } }
    }
    pub const unsafe fn sub(self, count: usize) -> NonNull<T> {
        NonNull { pointer: unsafe { ptr_offset(self.pointer, 0usize.wrapping_sub(count)) } }
    }
    pub const unsafe fn read(self) -> T {
        unsafe { read(self.pointer) }
    }
    pub const unsafe fn write(self, value: T) {
        unsafe { write(self.pointer as *mut T, value) }
    }
}
impl<'a, T> From<&'a mut T> for NonNull<T> {
    fn from(to: &'a mut T) -> NonNull<T> {
        NonNull { pointer: to as *mut T as *const T }
    }
}
impl<'a, T> From<&'a T> for NonNull<T> {
    fn from(to: &'a T) -> NonNull<T> {
        NonNull { pointer: to as *const T }
    }
}

macro_rules! ordered_by_address {
    ($($pointer:ty)*) => {$(
        impl<T> PartialEq for $pointer {
            fn eq(&self, other: &$pointer) -> bool {
                *self as usize == *other as usize
            }
        }
        impl<T> Eq for $pointer {}
        impl<T> PartialOrd for $pointer {
            fn partial_cmp(&self, other: &$pointer) -> Option<crate::cmp::Ordering> {
                Some(Ord::cmp(self, other))
            }
            fn lt(&self, other: &$pointer) -> bool {
                (*self as usize) < *other as usize
            }
            fn le(&self, other: &$pointer) -> bool {
                *self as usize <= *other as usize
            }
            fn gt(&self, other: &$pointer) -> bool {
                *self as usize > *other as usize
            }
            fn ge(&self, other: &$pointer) -> bool {
                *self as usize >= *other as usize
            }
        }
        impl<T> Ord for $pointer {
            fn cmp(&self, other: &$pointer) -> crate::cmp::Ordering {
                (*self as usize).cmp(&(*other as usize))
            }
        }
    )*};
}
ordered_by_address! { *const T *mut T }
