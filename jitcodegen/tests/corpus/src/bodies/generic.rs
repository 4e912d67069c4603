//! Bodies with traits, generics, associated items, operators and closures.
//!
//! Each takes the interpreter's state, or its accumulator, and gives the accumulator's new value; none keeps anything elsewhere, so
//! that comparing state and result compares all that it did.

use std::ops::{Add, Index, Mul, Neg};

use crate::code::Op;
use crate::state::{Point, State};

trait Area {
    const SIDES: i64;
    type Unit: Into<i64>;
    fn area(&self) -> i64;
    fn unit(&self) -> Self::Unit;
    fn doubled(&self) -> i64 {
        self.area().wrapping_mul(2)
    }
}

#[derive(Clone, Copy)]
struct Square(i64);
#[derive(Clone, Copy)]
struct Triangle {
    base: i64,
    height: i64,
}

impl Square {
    /// Is not what a bound finds.
    fn area(&self) -> i64 {
        -1
    }
}

impl Area for Square {
    const SIDES: i64 = 4;
    type Unit = u8;
    fn area(&self) -> i64 {
        self.0.wrapping_mul(self.0)
    }
    fn unit(&self) -> u8 {
        self.0 as u8
    }
}

impl Area for Triangle {
    const SIDES: i64 = 3;
    type Unit = i32;
    fn area(&self) -> i64 {
        self.base.wrapping_mul(self.height) / 2
    }
    fn unit(&self) -> i32 {
        self.base as i32
    }
    fn doubled(&self) -> i64 {
        self.base.wrapping_mul(self.height)
    }
}

fn total<A: Area, B: Area>(a: &A, b: &B) -> i64 {
    a.area() ^ b.area() ^ A::SIDES * 10 + B::SIDES
}

fn associated<T: Area>(t: T) -> i64 {
    let unit: i64 = t.unit().into();
    unit + T::SIDES
}

fn largest<T: PartialOrd + Copy>(a: T, b: T, c: T) -> T {
    let ab = if a > b { a } else { b };
    if ab > c { ab } else { c }
}

struct Pair<A, B> {
    a: A,
    b: B,
}

impl<A: Copy + Into<i64>, B: Copy + Into<i64>> Pair<A, B> {
    fn sum(&self) -> i64 {
        let (a, b): (i64, i64) = (self.a.into(), self.b.into());
        a + b
    }
    fn flip(self) -> Pair<B, A> {
        Pair { a: self.b, b: self.a }
    }
}

fn each<F: FnMut(i64)>(mut f: F) {
    f(1);
    f(20);
}

fn once<R>(f: impl FnOnce() -> R) -> R {
    f()
}

struct Holder<F> {
    f: F,
    calls: i64,
}

impl<F: Fn(i64, i64) -> i64> Holder<F> {
    fn call(&mut self, a: i64, b: i64) -> i64 {
        self.calls += 1;
        (self.f)(a, b)
    }
}

#[derive(Clone, Copy)]
struct Grid<const W: usize, const H: usize> {
    cells: [[i64; W]; H],
}

impl<const W: usize, const H: usize> Grid<W, H> {
    fn at(&self, n: usize) -> i64 {
        self.cells[n / W % H][n % W].wrapping_add(W as i64)
    }
}

impl<const W: usize, const H: usize> Index<usize> for Grid<W, H> {
    type Output = [i64; W];
    fn index(&self, row: usize) -> &[i64; W] {
        &self.cells[row]
    }
}

impl Add for Point {
    type Output = Point;
    fn add(self, other: Point) -> Point {
        Point { x: self.x.wrapping_add(other.x), y: self.y.wrapping_add(other.y) }
    }
}

impl Mul<i64> for Point {
    type Output = Point;
    fn mul(self, n: i64) -> Point {
        Point { x: self.x.wrapping_mul(n), y: self.y.wrapping_mul(n) }
    }
}

impl Neg for Point {
    type Output = Point;
    fn neg(self) -> Point {
        Point { x: self.x.wrapping_neg(), ..self }
    }
}

fn captures(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::CaptureRef => {
            let (base, cells) = (acc, &state.cells);
            let read = |n: i64| base.wrapping_add(cells[(n & 7) as usize]);
            read(x) ^ read(y)
        }
        Op::CaptureMut => {
            let mut sum = acc;
            each(|n| {
                sum = sum.wrapping_add(n);
                state.cells[1] ^= n;
            });
            let mut bump = || {
                sum ^= y;
                sum
            };
            bump();
            bump() ^ sum
        }
        _ => {
            let point = Point { x: acc, y };
            let taken = move |n: i64| point.x ^ n ^ point.y;
            let values = (acc, Some(x));
            once(move || values.1.unwrap_or(values.0)) ^ taken(3)
        }
    }
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::StaticDispatch => total(&Square(acc), &Triangle { base: x, height: y }) ^ Square(3).area(),
        Op::DefaultMethod => Square(acc).doubled() ^ Triangle { base: x, height: acc }.doubled(),
        Op::Associated => associated(Square(acc)) ^ associated(Triangle { base: y, height: 0 }),
        Op::GenericFn => {
            largest(acc, x, y)
                ^ largest(acc as u8, x as u8, y as u8) as i64
                ^ largest(x as f64, y as f64, 2.5) as i64
        }
        Op::GenericStruct => {
            let pair = Pair { a: acc as i32, b: y as u8 };
            let sum = pair.sum();
            sum ^ pair.flip().a as i64
        }
        Op::CaptureRef | Op::CaptureMut | Op::CaptureMove => captures(op, acc, x, y, state),
        Op::ClosureInStruct => {
            let mut holder = Holder { f: |a: i64, b: i64| a.wrapping_sub(b) ^ x, calls: 0 };
            let r = holder.call(acc, y) ^ holder.call(y, acc);
            r.wrapping_add(holder.calls)
        }
        Op::ConstGeneric => {
            let grid = Grid::<3, 2> { cells: [[acc, x, y], [1, 2, 3]] };
            let n = (y & 7) as usize;
            grid.at(n) ^ grid[n & 1][2]
        }
        Op::Operators => {
            let p = Point { x: acc, y };
            let q = -(p + Point { x, y: 1 }) * 3;
            if p == q { 1 } else { q.x ^ q.y }
        }
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
