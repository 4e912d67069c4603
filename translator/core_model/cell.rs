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
}

impl<T: Copy> Cell<T> {
    pub fn get(&self) -> T {
        unsafe { *self.value.get() }
    }
}

#[opaque]
#[lang]
pub struct RefCell<T> {
    value: UnsafeCell<T>,
}
