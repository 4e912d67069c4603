//! The model of `core`, `alloc` and `std`: what the translator knows of them. Signatures are theirs. A body is given
//! where the tracer may follow it; `#[opaque]` functions are called, `#[intrinsic]` ones are built into the lowering.
//! Types marked `#[opaque]` show no fields. `#[lang]` names what the language or the lowering refers to. The traits that
//! begin with `__` are the closed sets of primitive types, on which one generic impl stands for std's many.

pub mod boxed;
pub mod cell;
pub mod clone;
pub mod cmp;
pub mod convert;
pub mod iter;
pub mod mem;
pub mod num;
pub mod ops;
pub mod option;
pub mod rc;
pub mod result;
pub mod slice;
pub mod string;
pub mod vec;

pub mod marker {
    #[lang]
    pub trait Sized {}
    #[lang]
    pub trait Copy: super::clone::Clone {}
    #[lang]
    pub trait Send {}
    #[lang]
    pub trait Sync {}
    #[lang]
    pub trait Unpin {}
    #[lang]
    pub trait __Int: Copy {}
    #[lang]
    pub trait __Signed: Copy {}
    #[lang]
    pub trait __Float: Copy {}
    #[lang]
    pub trait __Num: Copy {}
    #[lang]
    pub trait __Scalar: Copy {}
    #[lang]
    #[opaque(no_drop, freeze)]
    pub struct PhantomData<T: ?Sized>(T);
}

pub mod default {
    pub trait Default {
        fn default() -> Self;
    }
    impl<N: crate::marker::__Num> Default for N {
        #[intrinsic = "zero"]
        fn default() -> N {}
    }
    impl Default for bool {
        fn default() -> bool {
            false
        }
    }
    impl Default for () {
        fn default() -> () {}
    }
    impl Default for char {
        fn default() -> char {
            '\0'
        }
    }
}

pub mod hash {
    pub trait Hasher {
        fn finish(&self) -> u64;
    }
    pub trait Hash {
        #[opaque]
        fn hash<H: Hasher>(&self, state: &mut H) {}
    }
    impl<N: crate::marker::__Scalar> Hash for N {}
}

pub mod fmt {
    #[opaque(no_drop)]
    pub struct Formatter<'a> {}
    #[derive(Clone, Copy)]
    pub struct Error;
    #[opaque(no_drop)]
    #[derive(Clone, Copy)]
    pub struct Arguments<'a> {}
    pub type Result = crate::result::Result<(), Error>;
    pub trait Debug {
        fn fmt(&self, f: &mut Formatter<'_>) -> Result;
    }
    pub trait Display {
        fn fmt(&self, f: &mut Formatter<'_>) -> Result;
    }
    pub trait Write {
        fn write_str(&mut self, s: &str) -> Result;
        #[opaque]
        fn write_char(&mut self, c: char) -> Result {}
        #[opaque]
        fn write_fmt(&mut self, args: Arguments<'_>) -> Result {}
    }
    impl Formatter<'_> {
        #[opaque]
        pub fn write_str(&mut self, s: &str) -> Result {}
        #[opaque]
        pub fn write_fmt(&mut self, args: Arguments<'_>) -> Result {}
    }
    impl<N: crate::marker::__Scalar> Debug for N {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl<N: crate::marker::__Scalar> Display for N {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl Debug for str {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl Display for str {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl Debug for crate::string::String {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl Display for crate::string::String {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl<T: Debug + ?Sized> Debug for &T {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl<T: Debug> Debug for crate::vec::Vec<T> {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl<T: Debug> Debug for [T] {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
}

pub mod error {
    pub trait Error {}
}

pub mod io {
    pub type Result<T> = crate::result::Result<T, Error>;
    #[opaque]
    pub struct Error {}
    pub trait Read {
        fn read(&mut self, buf: &mut [u8]) -> Result<usize>;
    }
    pub trait Write {
        fn write(&mut self, buf: &[u8]) -> Result<usize>;
        fn flush(&mut self) -> Result<()>;
        #[opaque]
        fn write_all(&mut self, buf: &[u8]) -> Result<()> {}
    }
}

pub mod intrinsics {
    #[intrinsic]
    pub fn discriminant_value<T>(value: &T) -> isize {}
    #[intrinsic]
    pub unsafe fn slice_from_raw_parts<T>(data: *const T, len: usize) -> *const [T] {}
    #[intrinsic]
    pub unsafe fn slice_from_raw_parts_mut<T>(data: *mut T, len: usize) -> *mut [T] {}
    #[intrinsic]
    pub fn slice_len<T>(slice: *const [T]) -> usize {}
    #[intrinsic]
    pub fn slice_ptr<T>(slice: *const [T]) -> *const T {}
    #[intrinsic]
    pub unsafe fn ptr_offset<T>(pointer: *const T, count: usize) -> *const T {}
    #[intrinsic]
    pub unsafe fn ptr_offset_mut<T>(pointer: *mut T, count: usize) -> *mut T {}
    #[intrinsic]
    pub fn size_of<T>() -> usize {}
    #[intrinsic]
    pub fn str_len(s: &str) -> usize {}
    #[intrinsic]
    pub fn str_as_bytes(s: &str) -> &[u8] {}
}

pub mod hint {
    #[intrinsic]
    pub fn black_box<T>(value: T) -> T {}
}

pub mod prelude {
    pub mod v1 {
        pub use crate::boxed::Box;
        pub use crate::clone::Clone;
        pub use crate::cmp::{Eq, Ord, PartialEq, PartialOrd};
        pub use crate::convert::{AsMut, AsRef, From, Into, TryFrom, TryInto};
        pub use crate::default::Default;
        pub use crate::iter::{DoubleEndedIterator, ExactSizeIterator, Extend, FromIterator, IntoIterator, Iterator};
        pub use crate::marker::{Copy, Send, Sized, Sync, Unpin};
        pub use crate::mem::drop;
        pub use crate::ops::{Drop, Fn, FnMut, FnOnce};
        pub use crate::option::Option::{self, None, Some};
        pub use crate::result::Result::{self, Err, Ok};
        pub use crate::string::{String, ToString};
        pub use crate::borrow::ToOwned;
        pub use crate::vec::Vec;
    }
}

pub mod borrow {
    pub trait ToOwned {
        type Owned;
        fn to_owned(&self) -> Self::Owned;
    }
    impl ToOwned for str {
        type Owned = crate::string::String;
        #[opaque]
        fn to_owned(&self) -> crate::string::String {}
    }
    impl<T: Clone> ToOwned for [T] {
        type Owned = crate::vec::Vec<T>;
        #[opaque]
        fn to_owned(&self) -> crate::vec::Vec<T> {}
    }
}
