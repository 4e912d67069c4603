#[lang]
pub struct Box<T: ?Sized> {
    pointer: *mut T,
}

impl<T> Box<T> {
    pub fn new(value: T) -> Box<T> {
        unsafe {
            let pointer = crate::intrinsics::new_plain::<T>();
            crate::intrinsics::write_place(pointer, value);
            crate::mem::transmute::<*mut T, Box<T>>(pointer)
        }
    }
}

impl<T: ?Sized> crate::ops::Drop for Box<T> {
    #[opaque]
    fn drop(&mut self) {}
}

impl<T: Clone> Clone for Box<T> {
    #[opaque]
    fn clone(&self) -> Box<T> {}
}

impl<T: ?Sized> crate::ops::Deref for Box<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &**self
    }
}

impl<T: ?Sized> crate::ops::DerefMut for Box<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut **self
    }
}

impl<T: ?Sized> Box<T> {
    pub fn leak<'a>(b: Box<T>) -> &'a mut T {
        unsafe { &mut *Box::into_raw(b) }
    }
    pub fn into_raw(b: Box<T>) -> *mut T {
        unsafe { crate::mem::transmute::<Box<T>, *mut T>(b) }
    }
    pub unsafe fn from_raw(raw: *mut T) -> Box<T> {
        unsafe { crate::mem::transmute::<*mut T, Box<T>>(raw) }
    }
}
impl<T: Default> Default for Box<T> {
    fn default() -> Box<T> {
        Box::new(T::default())
    }
}
impl<T> From<T> for Box<T> {
    fn from(value: T) -> Box<T> {
        Box::new(value)
    }
}
impl<'a> From<&'a str> for Box<str> {
    #[opaque]
    fn from(text: &'a str) -> Box<str> {}
}
impl From<crate::string::String> for Box<str> {
    #[opaque]
    fn from(text: crate::string::String) -> Box<str> {}
}
impl<T> From<Vec<T>> for Box<[T]> {
    #[opaque]
    fn from(list: Vec<T>) -> Box<[T]> {}
}
impl<T: ?Sized> AsRef<T> for Box<T> {
    fn as_ref(&self) -> &T {
        &**self
    }
}
impl<T: ?Sized> AsMut<T> for Box<T> {
    fn as_mut(&mut self) -> &mut T {
        &mut **self
    }
}
impl<T: PartialEq + ?Sized> PartialEq for Box<T> {
    fn eq(&self, other: &Box<T>) -> bool {
        PartialEq::eq(&**self, &**other)
    }
}
impl<T: Eq + ?Sized> Eq for Box<T> {}
impl<T: PartialOrd + ?Sized> PartialOrd for Box<T> {
    fn partial_cmp(&self, other: &Box<T>) -> Option<crate::cmp::Ordering> {
        PartialOrd::partial_cmp(&**self, &**other)
    }
}
impl<T: Ord + ?Sized> Ord for Box<T> {
    fn cmp(&self, other: &Box<T>) -> crate::cmp::Ordering {
        Ord::cmp(&**self, &**other)
    }
}
impl<T: crate::fmt::Debug + ?Sized> crate::fmt::Debug for Box<T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<T: crate::fmt::Display + ?Sized> crate::fmt::Display for Box<T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<T: crate::hash::Hash + ?Sized> crate::hash::Hash for Box<T> {}
