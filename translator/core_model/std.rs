//! The model of `core`, `alloc` and `std`: what the translator knows of them. Signatures are theirs. A body is given
//! where the tracer may follow it; `#[opaque]` functions are called, `#[intrinsic]` ones are built into the lowering.
//! `#[pure]` ones are called too, depend on their arguments alone and, if `#[pure(total)]`, cannot panic.
//! `#[reads(A)]` says that a call reads only what is reached from an `A`, beside its arguments' own memory, `#[moves(A)]` that it also
//! moves values of type `A` without looking into them.
//! `__native!([a, b] -> T
//! { code })` calls such code with these variables. Types marked `#[opaque]` show no fields. `#[lang]` names what the language or the lowering refers to. The traits that
//! begin with `__` are the closed sets of primitive types, on which one generic impl stands for std's many.

pub mod array;
pub mod boxed;
pub mod cell;
pub mod char;
pub mod clone;
pub mod cmp;
pub mod collections;
pub mod convert;
pub mod iter;
pub mod mem;
pub mod num;
pub mod ops;
pub mod option;
pub mod ptr;
pub mod rc;
pub mod result;
pub mod slice;
pub mod str;
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
    pub struct PhantomData<T: ?Sized>;
    impl<T: ?Sized> super::clone::Clone for PhantomData<T> {
        fn clone(&self) -> PhantomData<T> {
            PhantomData
        }
    }
    impl<T: ?Sized> Copy for PhantomData<T> {}
    impl<T: ?Sized> PartialEq for PhantomData<T> {
        fn eq(&self, _other: &PhantomData<T>) -> bool {
            true
        }
    }
    impl<T: ?Sized> Eq for PhantomData<T> {}
    impl<T: ?Sized> PartialOrd for PhantomData<T> {
        fn partial_cmp(&self, _other: &PhantomData<T>) -> Option<crate::cmp::Ordering> {
            Some(crate::cmp::Ordering::Equal)
        }
    }
    impl<T: ?Sized> Ord for PhantomData<T> {
        fn cmp(&self, _other: &PhantomData<T>) -> crate::cmp::Ordering {
            crate::cmp::Ordering::Equal
        }
    }
    impl<T: ?Sized> Default for PhantomData<T> {
        fn default() -> PhantomData<T> {
            PhantomData
        }
    }
    impl<T: ?Sized> crate::hash::Hash for PhantomData<T> {}
    impl<T: ?Sized> crate::fmt::Debug for PhantomData<T> {
        #[opaque]
        fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
    }
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
    impl<'a> Default for &'a str {
        fn default() -> &'a str {
            ""
        }
    }
    impl<'a, T> Default for &'a [T] {
        fn default() -> &'a [T] {
            &[]
        }
    }
    macro_rules! tuples {
        ($($($name:ident)*;)*) => { $(
            impl<$($name: Default),*> Default for ($($name,)*) {
                fn default() -> ($($name,)*) {
                    ($($name::default(),)*)
                }
            }
        )* };
    }
    tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; }
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
        fn write(&mut self, bytes: &[u8]);
    }
    pub trait BuildHasher {}
    pub trait Hash {
        #[opaque]
        fn hash<H: Hasher>(&self, state: &mut H) {}
    }
    impl<N: crate::marker::__Scalar> Hash for N {}
    impl Hash for str {}
    impl Hash for crate::string::String {}
    impl<'a, T: Hash + ?Sized> Hash for &'a T {}
    impl<T: Hash> Hash for [T] {}
    impl<T: Hash, const N: usize> Hash for [T; N] {}
    impl<T: Hash> Hash for crate::vec::Vec<T> {}
    impl<T: Hash> Hash for Option<T> {}
    impl Hash for () {}
    impl<A: Hash, B: Hash> Hash for (A, B) {}
    impl<A: Hash, B: Hash, C: Hash> Hash for (A, B, C) {}
    #[opaque(no_drop)]
    pub struct RandomState {}
    impl Clone for RandomState {
        #[opaque]
        fn clone(&self) -> RandomState {}
    }
    impl Default for RandomState {
        #[opaque]
        fn default() -> RandomState {}
    }
    impl BuildHasher for RandomState {}
    #[opaque(no_drop)]
    pub struct DefaultHasher {}
    impl Clone for DefaultHasher {
        #[opaque]
        fn clone(&self) -> DefaultHasher {}
    }
    impl DefaultHasher {
        #[opaque]
        pub const fn new() -> DefaultHasher {}
    }
    impl Hasher for DefaultHasher {
        #[opaque]
        fn finish(&self) -> u64 {}
        #[opaque]
        fn write(&mut self, bytes: &[u8]) {}
    }
}

pub mod fmt {
    #[opaque(no_drop)]
    pub struct Formatter<'a> {}
    #[derive(Clone, Copy)]
    pub struct Error;
    #[opaque(no_drop)]
    pub struct Arguments<'a> {}
    impl<'a> Clone for Arguments<'a> {
        #[opaque]
        fn clone(&self) -> Arguments<'a> {}
    }
    impl<'a> Copy for Arguments<'a> {}
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
    impl<T: Display + ?Sized> Display for &T {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl Debug for () {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl<A: Debug, B: Debug> Debug for (A, B) {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl<A: Debug, B: Debug, C: Debug> Debug for (A, B, C) {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl<T: Debug, const N: usize> Debug for [T; N] {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl Debug for crate::cmp::Ordering {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl Debug for Error {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {}
    }
    impl Write for crate::string::String {
        #[opaque]
        fn write_str(&mut self, s: &str) -> Result {}
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
    pub fn shared_counts<T: ?Sized>(rc: &crate::rc::Rc<T>) -> &mut ::metatrace::rt::RcCounts<T> {}
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
    pub unsafe fn read_element<T>(pointer: *mut T, index: usize) -> T {}
    #[intrinsic]
    pub unsafe fn uninit<T>() -> T {}
    #[intrinsic]
    pub unsafe fn ptr_offset<T>(pointer: *const T, count: usize) -> *const T {}
    #[intrinsic]
    pub unsafe fn ptr_offset_mut<T>(pointer: *mut T, count: usize) -> *mut T {}
    #[intrinsic]
    pub fn size_of<T>() -> usize {}
    #[intrinsic]
    pub unsafe fn new_collected<T>() -> *mut T {}
    #[intrinsic]
    pub unsafe fn new_plain<T>() -> *mut T {}
    #[intrinsic]
    pub unsafe fn free<T>(pointer: *mut T) {}
    #[intrinsic]
    pub unsafe fn new_elements<T>(length: usize) -> *mut T {}
    #[intrinsic]
    pub unsafe fn new_collected_array<T>(length: usize) -> *mut T {}
    #[intrinsic]
    pub unsafe fn free_elements<T>(pointer: *mut T, length: usize) {}
    #[intrinsic]
    pub const fn dangling<T>() -> *mut T {}
    #[intrinsic]
    pub fn is_constant(value: usize) -> bool {}
    #[intrinsic]
    pub fn promote(value: usize) -> usize {}
    #[intrinsic]
    pub fn reference_written<T>(pointer: *const T, value: T) {}
    #[intrinsic]
    pub fn quasi_immutable<'a, L, T>(link: &'a L, value: *const T) -> &'a T {}
    #[intrinsic]
    pub unsafe fn write_place<T>(pointer: *mut T, value: T) {}
    #[intrinsic]
    pub fn str_len(s: &str) -> usize {}
    #[intrinsic]
    pub fn str_as_bytes(s: &str) -> &[u8] {}
    #[intrinsic]
    pub unsafe fn str_of_bytes(bytes: &[u8]) -> &str {}
}

macro_rules! number_modules {
    ($($name:ident)*) => { $(
        pub mod $name {
            pub const MIN: $name = $name::MIN;
            pub const MAX: $name = $name::MAX;
        }
    )* };
}
number_modules!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
macro_rules! float_modules {
    ($($name:ident)*) => { $(
        pub mod $name {
            pub const MIN: $name = $name::MIN;
            pub const MAX: $name = $name::MAX;
            pub const EPSILON: $name = $name::EPSILON;
            pub const INFINITY: $name = $name::INFINITY;
            pub const NEG_INFINITY: $name = $name::NEG_INFINITY;
            pub const NAN: $name = $name::NAN;
            pub mod consts {
                pub const PI: $name = 3.14159265358979323846264338327950288;
                pub const TAU: $name = 6.28318530717958647692528676655900577;
                pub const E: $name = 2.71828182845904523536028747135266250;
                pub const SQRT_2: $name = 1.41421356237309504880168872420969808;
                pub const LN_2: $name = 0.693147180559945309417232121458176568;
                pub const LN_10: $name = 2.30258509299404568401799145468436421;
                pub const FRAC_PI_2: $name = 1.57079632679489661923132169163975144;
                pub const FRAC_PI_3: $name = 1.04719755119659774615421446109316763;
                pub const FRAC_PI_4: $name = 0.785398163397448309615660845819875721;
                pub const FRAC_PI_6: $name = 0.52359877559829887307710723054658381;
                pub const FRAC_PI_8: $name = 0.39269908169872415480783042290993786;
                pub const FRAC_1_PI: $name = 0.318309886183790671537767526745028724;
                pub const FRAC_1_SQRT_2: $name = 0.707106781186547524400844362104849039;
            }
        }
    )* };
}
float_modules!(f32 f64);

pub mod hint {
    #[intrinsic]
    pub fn black_box<T>(value: T) -> T {}
    #[intrinsic = "unreachable"]
    pub const unsafe fn unreachable_unchecked() -> ! {}
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
        pub use crate::mem::{align_of, drop, size_of, size_of_val};
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
