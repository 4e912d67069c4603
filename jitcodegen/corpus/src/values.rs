//! What the bodies work on.

use metatrace::jit;

metatrace::glue!();

/// A world outside: its answers change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    state: u64,
    /// What was said to it.
    pub heard: Vec<i64>,
}

impl Host {
    /// A number that is different every time.
    #[jit::dont_look_inside]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.state >> 33
    }

    /// Remembers a number.
    #[jit::dont_look_inside]
    pub fn say(&mut self, number: i64) {
        self.heard.push(number);
    }
}

/// A value whose layout Rust defines.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A number.
    Int(i64),
    /// Another.
    Float(f64),
    /// Two small ones.
    Pair { a: u8, b: i16 },
}

/// A value whose layout Rust does not define.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// A point.
    Dot,
    /// With a radius.
    Circle(i64),
    /// With two sides.
    Box { width: i32, height: u32 },
}

/// Two numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: i64,
    pub(crate) y: f64,
}

/// A helper in another file than its caller.
pub(crate) fn mix(a: i64, b: i64) -> i64 {
    a.wrapping_mul(31) ^ b.rotate_left(7)
}

/// A struct by value.
pub(crate) fn point(x: i64) -> Point {
    Point { x: x.wrapping_add(1), y: x as f64 * 0.5 }
}

/// A closure argument.
pub(crate) fn apply(f: impl Fn(i64) -> i64, x: i64) -> i64 {
    f(x).wrapping_sub(f(1))
}

pub(crate) fn even(x: i64) -> Option<i64> {
    if x & 1 == 0 { Some(x >> 1) } else { None }
}

pub(crate) fn checked(x: i64) -> Result<i64, String> {
    if x % 97 == 13 { Err(String::from("thirteen")) } else { Ok(x + 1) }
}
