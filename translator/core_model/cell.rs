//! The model of `std::cell`. All of it is looked inside. The fields of `RefCell` and of its guards stand for std's, whose
//! places are probed when the program starts; what panics is done by std itself.

#[lang]
pub struct UnsafeCell<T: ?Sized> {
    value: T,
}

impl<T> UnsafeCell<T> {
    pub const fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell { value }
    }
}
impl<T: ?Sized> UnsafeCell<T> {
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


// The fields of these are std's; where they lie is probed when the program starts.
#[lang]
pub struct RefCell<T: ?Sized> {
    // How many shared borrows there are; below zero: borrowed mutably.
    borrow: Cell<isize>,
    value: UnsafeCell<T>,
}
#[lang]
pub struct Ref<'b, T: ?Sized> {
    value: &'b T,
    borrow: &'b Cell<isize>,
}
#[lang]
pub struct RefMut<'b, T: ?Sized> {
    value: &'b mut T,
    borrow: &'b Cell<isize>,
}
impl<'b, T: ?Sized> crate::ops::Drop for Ref<'b, T> {
    fn drop(&mut self) {
        self.borrow.set(self.borrow.get().wrapping_sub(1));
    }
}
impl<'b, T: ?Sized> crate::ops::Drop for RefMut<'b, T> {
    fn drop(&mut self) {
        self.borrow.set(self.borrow.get().wrapping_add(1));
    }
}
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
    pub const fn new(value: T) -> RefCell<T> {
        RefCell { borrow: Cell::new(0), value: UnsafeCell::new(value) }
    }
    pub fn into_inner(self) -> T {
        self.value.value
    }
    pub fn replace(&self, value: T) -> T {
        crate::mem::replace(&mut *self.borrow_mut(), value)
    }
    pub fn replace_with<F: FnOnce(&mut T) -> T>(&self, f: F) -> T {
        let place = &mut *self.borrow_mut();
        let value = f(place);
        crate::mem::replace(place, value)
    }
    pub fn swap(&self, other: &RefCell<T>) {
        crate::mem::swap(&mut *self.borrow_mut(), &mut *other.borrow_mut())
    }
    pub fn take(&self) -> T
    where
        T: Default,
    {
        self.replace(T::default())
    }
}
impl<T: ?Sized> RefCell<T> {
    pub fn borrow(&self) -> Ref<'_, T> {
        let count = self.borrow.get();
        if count < 0 || count == isize::MAX {
            let cell = self;
            // It panics.
            __native!([cell] -> () { _ = cell.borrow(); });
        }
        self.borrow.set(count.wrapping_add(1));
        Ref { value: unsafe { &*self.value.get() }, borrow: &self.borrow }
    }
    pub fn borrow_mut(&self) -> RefMut<'_, T> {
        if self.borrow.get() != 0 {
            let cell = self;
            // It panics.
            __native!([cell] -> () { _ = cell.borrow_mut(); });
        }
        self.borrow.set(-1);
        RefMut { value: unsafe { &mut *self.value.get() }, borrow: &self.borrow }
    }
    pub fn try_borrow(&self) -> Result<Ref<'_, T>, BorrowError> {
        let count = self.borrow.get();
        if count < 0 || count == isize::MAX {
            let cell = self;
            return Err(__native!([cell] -> BorrowError { cell.try_borrow().err().unwrap() }));
        }
        Ok(self.borrow())
    }
    pub fn try_borrow_mut(&self) -> Result<RefMut<'_, T>, BorrowMutError> {
        if self.borrow.get() != 0 {
            let cell = self;
            return Err(__native!([cell] -> BorrowMutError { cell.try_borrow_mut().err().unwrap() }));
        }
        Ok(self.borrow_mut())
    }
    pub fn get_mut(&mut self) -> &mut T {
        unsafe { &mut *self.value.get() }
    }
    pub fn as_ptr(&self) -> *mut T {
        self.value.get()
    }
}
impl<'b, T: ?Sized> Ref<'b, T> {
    pub fn clone(orig: &Ref<'b, T>) -> Ref<'b, T> {
        let count = orig.borrow.get();
        orig.borrow.set(count.wrapping_add(1));
        Ref { value: orig.value, borrow: orig.borrow }
    }
    pub fn map<U: ?Sized, F: FnOnce(&T) -> &U>(orig: Ref<'b, T>, f: F) -> Ref<'b, U> {
        let value = f(orig.value);
        let borrow = orig.borrow;
        crate::mem::forget(orig);
        Ref { value, borrow }
    }
}
impl<'b, T: ?Sized> RefMut<'b, T> {
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(orig: RefMut<'b, T>, f: F) -> RefMut<'b, U> {
        let value = f(&mut *orig.value);
        let borrow = orig.borrow;
        crate::mem::forget(orig);
        RefMut { value, borrow }
    }
}
impl<'b, T: ?Sized> crate::ops::Deref for Ref<'b, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value
    }
}
impl<'b, T: ?Sized> crate::ops::Deref for RefMut<'b, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &*self.value
    }
}
impl<'b, T: ?Sized> crate::ops::DerefMut for RefMut<'b, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut *self.value
    }
}
impl<'b, T: crate::fmt::Debug + ?Sized> crate::fmt::Debug for Ref<'b, T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<'b, T: crate::fmt::Display + ?Sized> crate::fmt::Display for Ref<'b, T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<'b, T: crate::fmt::Debug + ?Sized> crate::fmt::Debug for RefMut<'b, T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<'b, T: crate::fmt::Display + ?Sized> crate::fmt::Display for RefMut<'b, T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl<T: Default> Default for RefCell<T> {
    fn default() -> RefCell<T> {
        RefCell::new(T::default())
    }
}
impl<T> From<T> for RefCell<T> {
    fn from(value: T) -> RefCell<T> {
        RefCell::new(value)
    }
}
impl<T: Clone> Clone for RefCell<T> {
    fn clone(&self) -> RefCell<T> {
        RefCell::new((*self.borrow()).clone())
    }
}
impl<T: PartialEq + ?Sized> PartialEq for RefCell<T> {
    fn eq(&self, other: &RefCell<T>) -> bool {
        *self.borrow() == *other.borrow()
    }
}
impl<T: Eq + ?Sized> Eq for RefCell<T> {}
impl<T: crate::fmt::Debug + ?Sized> crate::fmt::Debug for RefCell<T> {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
