#[lang]
pub trait From<T> {
    fn from(value: T) -> Self;
}
#[lang]
pub trait Into<T> {
    fn into(self) -> T;
}
pub trait TryFrom<T> {
    type Error;
    fn try_from(value: T) -> Result<Self, Self::Error>;
}
pub trait TryInto<T> {
    type Error;
    fn try_into(self) -> Result<T, Self::Error>;
}
pub trait AsRef<T: ?Sized> {
    fn as_ref(&self) -> &T;
}
pub trait AsMut<T: ?Sized> {
    fn as_mut(&mut self) -> &mut T;
}
#[derive(Clone, Copy)]
pub enum Infallible {}
impl crate::fmt::Debug for Infallible {
    #[opaque]
    fn fmt(&self, f: &mut crate::fmt::Formatter<'_>) -> crate::fmt::Result {}
}
impl PartialEq for Infallible {
    fn eq(&self, _other: &Infallible) -> bool {
        match *self {}
    }
}
pub const fn identity<T>(value: T) -> T {
    value
}
impl<'a, T: AsRef<U> + ?Sized, U: ?Sized> AsRef<U> for &'a T {
    fn as_ref(&self) -> &U {
        (**self).as_ref()
    }
}
impl<'a, T: AsRef<U> + ?Sized, U: ?Sized> AsRef<U> for &'a mut T {
    fn as_ref(&self) -> &U {
        (**self).as_ref()
    }
}

impl<T> From<T> for T {
    fn from(value: T) -> T {
        value
    }
}
impl<T, U: From<T>> Into<U> for T {
    fn into(self) -> U {
        U::from(self)
    }
}
impl<T, U: Into<T>> TryFrom<U> for T {
    type Error = Infallible;
    fn try_from(value: U) -> Result<T, Infallible> {
        Ok(value.into())
    }
}
impl<T, U: TryFrom<T>> TryInto<U> for T {
    type Error = U::Error;
    fn try_into(self) -> Result<U, U::Error> {
        U::try_from(self)
    }
}

macro_rules! widen {
    ($($from:ident => $($to:ident)*;)*) => { $($(
        impl From<$from> for $to { fn from(value: $from) -> $to { value as $to } }
    )*)* };
}
widen! {
    bool => u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize;
    u8 => u16 u32 u64 u128 usize i16 i32 i64 i128 isize f32 f64 char;
    u16 => u32 u64 u128 usize i32 i64 i128 f32 f64;
    u32 => u64 u128 i64 i128 f64;
    u64 => u128 i128;
    i8 => i16 i32 i64 i128 isize f32 f64;
    i16 => i32 i64 i128 isize f32 f64;
    i32 => i64 i128 f64;
    i64 => i128;
    f32 => f64;
    char => u32 u64 u128;
}

impl<'a> From<&'a str> for crate::string::String {
    #[opaque]
    fn from(value: &'a str) -> crate::string::String {}
}
impl<T> From<T> for Option<T> {
    fn from(value: T) -> Option<T> {
        Some(value)
    }
}

// The conversions that may fail; those between other types are `From`'s.
macro_rules! narrow {
    ($($from:ident => $($to:ident)*;)*) => { $($(
        impl TryFrom<$from> for $to {
            type Error = crate::num::TryFromIntError;
            fn try_from(value: $from) -> Result<$to, crate::num::TryFromIntError> {
                let result = value as $to;
                if result as $from == value && (result < 0) == (value < 0) {
                    Ok(result)
                } else {
                    Err(crate::num::TryFromIntError)
                }
            }
        }
    )*)* };
}
narrow! {
    u8 => i8;
    u16 => u8 i8 i16 isize;
    u32 => u8 u16 i8 i16 i32 usize isize;
    u64 => u8 u16 u32 i8 i16 i32 i64 usize isize;
    u128 => u8 u16 u32 u64 i8 i16 i32 i64 i128 usize isize;
    usize => u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 isize;
    i8 => u8 u16 u32 u64 u128 usize;
    i16 => u8 u16 u32 u64 u128 usize i8;
    i32 => u8 u16 u32 u64 u128 usize i8 i16 isize;
    i64 => u8 u16 u32 u64 u128 usize i8 i16 i32 isize;
    i128 => u8 u16 u32 u64 u128 usize i8 i16 i32 i64 isize;
    isize => u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128;
}
