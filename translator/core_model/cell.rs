#[lang]
pub struct UnsafeCell<T> {
    value: T,
}

impl<T> UnsafeCell<T> {
    pub const fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell { value }
    }
    pub fn get(&self) -> *mut T {
        &raw const self.value as *mut T
    }
}

#[lang]
pub struct Cell<T> {
    value: UnsafeCell<T>,
}

impl<T> Cell<T> {
    pub const fn new(value: T) -> Cell<T> {
        Cell { value: UnsafeCell::new(value) }
    }
    pub fn set(&self, value: T) {
        unsafe { *self.value.get() = value; }
    }
    pub fn replace(&self, value: T) -> T {
        crate::mem::replace(unsafe { &mut *self.value.get() }, value)
    }
    pub fn into_inner(self) -> T {
        self.value.value
    }
    pub fn as_ptr(&self) -> *mut T {
        self.value.get()
    }
    pub fn get_mut(&mut self) -> &mut T {
        unsafe { &mut *self.value.get() }
    }
    pub fn swap(&self, other: &Cell<T>) {
        let (a, b) = (self.value.get(), other.value.get());
        if a != b {
            unsafe { crate::mem::swap(&mut *a, &mut *b) }
        }
    }
}
impl<T: Default> Cell<T> {
    pub fn take(&self) -> T {
        self.replace(T::default())
    }
}
impl<T: Default> Default for Cell<T> {
    fn default() -> Cell<T> {
        Cell::new(T::default())
    }
}
impl<T> From<T> for Cell<T> {
    fn from(value: T) -> Cell<T> {
        Cell::new(value)
    }
}
impl<T: Copy> Clone for Cell<T> {
    fn clone(&self) -> Cell<T> {
        Cell::new(self.get())
    }
}
impl<T: PartialEq + Copy> PartialEq for Cell<T> {
    fn eq(&self, other: &Cell<T>) -> bool {
        self.get() == other.get()
    }
}
impl<T: crate::fmt::Debug + Copy> crate::fmt::Debug for Cell<T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}

impl<T: Copy> Cell<T> {
    pub fn get(&self) -> T {
        unsafe { *self.value.get() }
    }
    pub fn update(&self, f: impl FnOnce(T) -> T) {
        let old = self.get();
        self.set(f(old));
    }
}


#[opaque]
#[lang]
pub struct RefCell<T: ?Sized> {}
#[opaque]
pub struct Ref<'b, T: ?Sized> {}
#[opaque]
pub struct RefMut<'b, T: ?Sized> {}
#[opaque(no_drop, freeze)]
pub struct BorrowError {}
#[opaque(no_drop, freeze)]
pub struct BorrowMutError {}
impl crate::fmt::Debug for BorrowError {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl crate::fmt::Debug for BorrowMutError {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<T> RefCell<T> {
    #[opaque]
    pub const fn new(value: T) -> RefCell<T> {}
    #[opaque]
    pub fn into_inner(self) -> T {}
    #[opaque]
    pub fn replace(&self, value: T) -> T {}
    #[opaque]
    pub fn swap(&self, other: &RefCell<T>) {}
    #[opaque]
    pub fn take(&self) -> T
    where
        T: Default,
    {
    }
}
impl<T: ?Sized> RefCell<T> {
    #[opaque]
    pub fn borrow(&self) -> Ref<'_, T> {}
    #[opaque]
    pub fn borrow_mut(&self) -> RefMut<'_, T> {}
    #[opaque]
    pub fn try_borrow(&self) -> Result<Ref<'_, T>, BorrowError> {}
    #[opaque]
    pub fn try_borrow_mut(&self) -> Result<RefMut<'_, T>, BorrowMutError> {}
    #[opaque]
    pub fn get_mut(&mut self) -> &mut T {}
    #[opaque]
    pub fn as_ptr(&self) -> *mut T {}
}
impl<'b, T: ?Sized> crate::ops::Deref for Ref<'b, T> {
    type Target = T;
    #[opaque]
    fn deref(&self) -> &T {}
}
impl<'b, T: ?Sized> crate::ops::Deref for RefMut<'b, T> {
    type Target = T;
    #[opaque]
    fn deref(&self) -> &T {}
}
impl<'b, T: ?Sized> crate::ops::DerefMut for RefMut<'b, T> {
    #[opaque]
    fn deref_mut(&mut self) -> &mut T {}
}
impl<T: Default> Default for RefCell<T> {
    fn default() -> RefCell<T> {
        RefCell::new(T::default())
    }
}
impl<T: Clone> Clone for RefCell<T> {
    #[opaque]
    fn clone(&self) -> RefCell<T> {}
}
impl<T: PartialEq + ?Sized> PartialEq for RefCell<T> {
    #[opaque]
    fn eq(&self, other: &RefCell<T>) -> bool {}
}
impl<T: crate::fmt::Debug + ?Sized> crate::fmt::Debug for RefCell<T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
