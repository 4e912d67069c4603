use metatrace::{Traced, jit};

/// One set of inputs.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub a: i64,
    pub b: i64,
    pub c: i64,
    pub x: f64,
    pub y: f64,
}

/// A program.
#[derive(Debug)]
pub struct Code {
    pub ops: Vec<u16>,
}

/// A generic struct.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Wrap<T> {
    pub inner: T,
    pub n: i32,
}

impl<T: Copy> Wrap<T> {
    pub fn new(inner: T) -> Wrap<T> {
        Wrap { inner, n: 1 }
    }
    pub fn get(&self) -> T {
        self.inner
    }
    pub fn set(&mut self, inner: T) -> T {
        self.n = self.n.wrapping_add(1);
        std::mem::replace(&mut self.inner, inner)
    }
    pub fn map<U: Copy, F: FnOnce(T) -> U>(self, f: F) -> Wrap<U> {
        Wrap { inner: f(self.inner), n: self.n }
    }
}

impl<T: Copy + std::ops::BitXor<Output = T>> std::ops::Add for Wrap<T> {
    type Output = Wrap<T>;
    fn add(self, other: Wrap<T>) -> Wrap<T> {
        Wrap { inner: self.inner ^ other.inner, n: self.n.wrapping_add(other.n) }
    }
}

impl<T> std::ops::Deref for Wrap<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

/// A trait with a default method, a constant and an associated type.
pub trait Shape {
    const FACTOR: i64;
    type Side: Copy;
    fn side(&self) -> Self::Side;
    fn area(&self, by: i64) -> i64;
    fn twice(&self, by: i64) -> i64 {
        self.area(by).wrapping_mul(Self::FACTOR).wrapping_add(self.area(by ^ 1))
    }
}

impl Shape for i64 {
    const FACTOR: i64 = 3;
    type Side = u8;
    fn side(&self) -> u8 {
        *self as u8
    }
    fn area(&self, by: i64) -> i64 {
        self.wrapping_mul(by)
    }
}

impl Shape for bool {
    const FACTOR: i64 = -1;
    type Side = bool;
    fn side(&self) -> bool {
        !*self
    }
    fn area(&self, by: i64) -> i64 {
        if *self { by } else { 7 }
    }
    fn twice(&self, by: i64) -> i64 {
        self.area(by) ^ 5
    }
}

impl<T: Shape> Shape for Option<T> {
    const FACTOR: i64 = T::FACTOR.wrapping_add(1);
    type Side = Option<T::Side>;
    fn side(&self) -> Option<T::Side> {
        match self {
            Some(inner) => Some(inner.side()),
            None => None,
        }
    }
    fn area(&self, by: i64) -> i64 {
        self.as_ref().map_or(by, |inner| inner.twice(by))
    }
}

pub fn measure<T: Shape>(shape: &T, by: i64) -> i64 {
    shape.twice(by).wrapping_sub(T::FACTOR)
}

pub fn sides<A: Shape, B: Shape<Side = A::Side>>(a: A, b: B, first: bool) -> A::Side {
    if first { a.side() } else { b.side() }
}

pub fn largest<T: Copy + PartialOrd>(a: T, b: T) -> T {
    if a < b { b } else { a }
}

pub fn apply<A, B, F: Fn(A) -> B>(f: F, a: A) -> B {
    f(a)
}

pub fn apply_twice<A: Copy, F: FnMut(A) -> A>(mut f: F, a: A) -> A {
    let once = f(a);
    f(once)
}

pub fn apply_once<B>(f: impl FnOnce() -> B) -> B {
    f()
}

#[jit::unroll_safe]
pub fn total<T: Copy + Into<i64>, const N: usize>(all: [T; N]) -> i64 {
    let mut sum = 0i64;
    for one in all.iter() {
        sum = sum.wrapping_mul(3).wrapping_add((*one).into());
    }
    sum
}

/// Called, not looked inside.
#[jit::dont_look_inside]
pub fn opaque<T: Copy>(value: T) -> T {
    value
}

