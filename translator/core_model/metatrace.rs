//! The model of the `metatrace` crate. Attributes and macros come from the hint table; here are the types and functions.

pub mod jit {
    #[hint]
    pub fn promote<T: Copy>(value: T) -> T {}
    #[hint]
    pub fn we_are_jitted() -> bool {}
    #[hint = "merge_point"]
    #[lang = "hint_merge_point"]
    pub fn __merge_point() {}
    #[hint = "can_enter_jit"]
    #[lang = "hint_can_enter_jit"]
    pub fn __can_enter_jit() {}
}

pub mod rt {
    // What stands before the content is the runtime's own.
    pub struct TracedBox<T> {
        pub content: T,
    }
}

#[lang]
pub struct Traced<T> {
    inner: *const rt::TracedBox<T>,
}

impl<T> ::std::ops::Drop for Traced<T> {
    #[opaque]
    fn drop(&mut self) {}
}

impl<T> Traced<T> {
    #[opaque]
    pub fn new(content: T) -> Traced<T> {}
    #[opaque]
    pub fn get_mut(&mut self) -> &mut T {}
    #[opaque]
    pub fn into_inner(self) -> T {}
}

impl<T> ::std::ops::Deref for Traced<T> {
    type Target = T;
    fn deref(&self) -> &T {
        unsafe { &(*self.inner).content }
    }
}

impl<T: ::std::fmt::Debug> ::std::fmt::Debug for Traced<T> {
    #[opaque]
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {}
}

impl<T: Clone> Clone for Traced<T> {
    #[opaque]
    fn clone(&self) -> Traced<T> {}
}

impl<T: PartialEq> PartialEq for Traced<T> {
    fn eq(&self, other: &Traced<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Traced<T> {}

impl<T: Default> Default for Traced<T> {
    #[opaque]
    fn default() -> Traced<T> {}
}

impl<T> From<T> for Traced<T> {
    #[opaque]
    fn from(content: T) -> Traced<T> {}
}

pub mod gc {
    use ::std::cell::Cell;

    pub trait Trace {}

    // The address of an object: a reference in all but its lifetime, so that it is never null.
    #[lang]
    pub struct Gc<T> {
        target: &'static T,
    }

    impl<T> ::std::clone::Clone for Gc<T> {
        fn clone(&self) -> Gc<T> {
            *self
        }
    }

    impl<T> ::std::marker::Copy for Gc<T> {}

    impl<T> Gc<T> {
        #[opaque]
        pub fn new(value: T) -> Gc<T> {}
        #[opaque]
        pub fn on_death(self, finalizer: fn(Gc<T>)) {}
        pub fn as_ref<'a>(self) -> &'a T {
            self.target
        }
        pub fn address(self) -> usize {
            self.target as *const T as usize
        }
        pub fn ptr_eq(self, other: Gc<T>) -> bool {
            self.address() == other.address()
        }
    }

    impl<T> ::std::ops::Deref for Gc<T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.target
        }
    }

    // An address that is a number gives nothing away: the call touches no memory of the interpreter.
    #[opaque]
    pub fn barrier_at(address: usize) {}

    #[lang]
    pub struct GcCell<T> {
        value: Cell<T>,
    }

    impl<T> GcCell<T> {
        pub fn new(value: T) -> GcCell<T> {
            GcCell { value: Cell::new(value) }
        }
    }

    impl<T: Copy> GcCell<T> {
        pub fn get(&self) -> T {
            self.value.get()
        }
        pub fn set(&self, value: T) {
            self.value.set(value);
            barrier_at(self as *const GcCell<T> as usize);
        }
        pub fn replace(&self, value: T) -> T {
            let before = self.get();
            self.set(value);
            before
        }
    }
}
