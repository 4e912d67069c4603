//! `Rc`. What it points to lies behind its counters, at an offset that is found out at start-up.

macro_rules! shared {
    ($name:ident $weak:ident) => {
        #[opaque(freeze)]
        #[lang]
        pub struct $name<T: ?Sized> {}
        impl<T> $name<T> {
            #[opaque]
            pub fn new(value: T) -> $name<T> {}
            #[opaque]
            pub fn try_unwrap(this: $name<T>) -> Result<T, $name<T>> {}
            #[opaque]
            pub fn into_inner(this: $name<T>) -> Option<T> {}
        }
        impl<T: ?Sized> $name<T> {
            #[opaque]
            pub fn ptr_eq(this: &$name<T>, other: &$name<T>) -> bool {}
            pub fn strong_count(this: &$name<T>) -> usize {
                crate::intrinsics::shared_counts(this).strong
            }
            #[opaque]
            pub fn weak_count(this: &$name<T>) -> usize {}
            #[opaque]
            pub fn as_ptr(this: &$name<T>) -> *const T {}
            #[opaque]
            pub fn get_mut(this: &mut $name<T>) -> Option<&mut T> {}
        }
        #[opaque(freeze)]
        pub struct $weak<T: ?Sized> {}
        impl<T: ?Sized> $weak<T> {
            #[opaque]
            pub fn upgrade(&self) -> Option<$name<T>> {}
        }
        impl<T> $weak<T> {
            #[opaque]
            pub const fn new() -> $weak<T> {}
        }
        impl<T: ?Sized> Clone for $weak<T> {
            #[opaque]
            fn clone(&self) -> $weak<T> {}
        }
        impl<T: ?Sized> $name<T> {
            #[opaque]
            pub fn downgrade(this: &$name<T>) -> $weak<T> {}
        }
        impl<'a, T: Clone> From<&'a [T]> for $name<[T]> {
            #[opaque]
            fn from(list: &'a [T]) -> $name<[T]> {}
        }
        impl<T: ?Sized> From<Box<T>> for $name<T> {
            #[opaque]
            fn from(value: Box<T>) -> $name<T> {}
        }
        impl<T: Clone> $name<T> {
            #[opaque]
            pub fn unwrap_or_clone(this: $name<T>) -> T {}
            #[opaque]
            pub fn make_mut(this: &mut $name<T>) -> &mut T {}
        }
        impl<T: ?Sized> Clone for $name<T> {
            fn clone(&self) -> $name<T> {
                let counts = crate::intrinsics::shared_counts(self);
                counts.strong = counts.strong.wrapping_add(1);
                unsafe { crate::ptr::read(self) }
            }
        }
        impl<T: ?Sized> crate::ops::Deref for $name<T> {
            type Target = T;
            #[intrinsic = "shared_content"]
            fn deref(&self) -> &T {}
        }
        impl<T: ?Sized> AsRef<T> for $name<T> {
            fn as_ref(&self) -> &T {
                &**self
            }
        }
        impl<T: Default> Default for $name<T> {
            #[opaque]
            fn default() -> $name<T> {}
        }
        impl<T> From<T> for $name<T> {
            #[opaque]
            fn from(value: T) -> $name<T> {}
        }
        impl<'a> From<&'a str> for $name<str> {
            #[opaque]
            fn from(value: &'a str) -> $name<str> {}
        }
        impl From<crate::string::String> for $name<str> {
            #[opaque]
            fn from(value: crate::string::String) -> $name<str> {}
        }
        impl<T> From<crate::vec::Vec<T>> for $name<[T]> {
            #[opaque]
            fn from(value: crate::vec::Vec<T>) -> $name<[T]> {}
        }
        impl<T: PartialEq + ?Sized> PartialEq for $name<T> {
            fn eq(&self, other: &$name<T>) -> bool {
                **self == **other
            }
        }
        impl<T: Eq + ?Sized> Eq for $name<T> {}
        impl<T: PartialOrd + ?Sized> PartialOrd for $name<T> {
            fn partial_cmp(&self, other: &$name<T>) -> Option<crate::cmp::Ordering> {
                (**self).partial_cmp(&**other)
            }
        }
        impl<T: Ord + ?Sized> Ord for $name<T> {
            fn cmp(&self, other: &$name<T>) -> crate::cmp::Ordering {
                (**self).cmp(&**other)
            }
        }
        impl<T: crate::hash::Hash + ?Sized> crate::hash::Hash for $name<T> {}
        impl<T: crate::fmt::Debug + ?Sized> crate::fmt::Debug for $name<T> {
            #[opaque]
            fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
        }
        impl<T: crate::fmt::Display + ?Sized> crate::fmt::Display for $name<T> {
            #[opaque]
            fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
        }
    };
}
shared!(Rc Weak);
