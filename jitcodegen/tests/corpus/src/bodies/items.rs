//! Bodies with items of every kind: modules, imports, constants, statics, tables, macros, items in functions.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State};

use self::shapes::{Shape as Form, prelude::*};

/// A row of the table of instructions.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    cost: u8,
    args: &'static [u8],
    run: fn(i64) -> i64,
    at: Point,
}

const fn row(name: &'static str, cost: u8) -> Row {
    Row { name, cost, args: &[1, 2], run: negate, at: Point { x: 1, y: cost as i64 } }
}

fn negate(n: i64) -> i64 {
    n.wrapping_neg()
}

fn same(n: i64) -> i64 {
    n
}

const ROWS: [Row; 3] = [
    row("add", 1),
    Row { name: "sub", cost: 2, args: &[], run: same, at: Point { x: 0, y: 0 } },
    row("mul", 9),
];
static TABLE: &[Row] = &ROWS;
static MATRIX: [[i16; 3]; 2] = [[1, -2, 3], [4, 5, -6]];
static NAMES: [(&str, i64); 3] = [("one", 1), ("two", 2), ("three", 3)];
const SQUARES: [i64; 8] = squares();
const MASK: u64 = !0 >> 3;
const TEXT: &str = concat!("a", 1, "b");

const fn squares() -> [i64; 8] {
    let mut list = [0; 8];
    let mut i = 0;
    while i < 8 {
        list[i] = (i * i) as i64;
        i += 1;
    }
    list
}

mod shapes {
    pub mod prelude {
        pub(crate) use super::Shape::{self, *};
        pub use super::area::{area, scaled as enlarged};
        metatrace::glue!();
    }
    #[derive(Clone, Copy)]
    pub enum Shape {
        Dot,
        Square(i64),
    }
    impl Shape {
        pub const ORIGIN: Shape = Shape::Dot;
        pub const SIDES: &'static [u8] = &[0, 4];
    }
    mod area {
        use super::Shape;
        metatrace::glue!();
        pub fn area(shape: Shape) -> i64 {
            match shape {
                Shape::Dot => 0,
                Shape::Square(n) => n.wrapping_mul(n),
            }
        }
        pub fn scaled(shape: Shape, by: i64) -> Shape {
            use super::Shape as S;
            match shape {
                S::Dot => S::ORIGIN,
                S::Square(n) => S::Square(n.wrapping_mul(by)),
            }
        }
    }
    metatrace::glue!();
}

fn tables(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let row = &TABLE[(y as u64 % 3) as usize];
    let other = ROWS[(x & 1) as usize];
    let cell = MATRIX[(x & 1) as usize][(acc as u64 % 3) as usize];
    let (name, n) = NAMES[(y as u64 % 3) as usize];
    row.name.len() as i64
        ^ (row.cost as i64) << 4
        ^ other.args.len() as i64
        ^ row.at.y
        ^ cell as i64
        ^ name.len() as i64
        ^ n
        ^ SQUARES[(y & 7) as usize]
        ^ (MASK & 7) as i64
        ^ TEXT.len() as i64
        ^ (other.run)(acc)
}

fn lookup(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let found = TABLE.iter().find(|r| r.cost as i64 == (x & 3)).map_or(-1, |r| r.at.y);
    let position = NAMES.iter().position(|(name, _)| *name == "two").unwrap_or(9);
    found ^ position as i64 ^ acc
}

fn modules(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let shape: Form = enlarged(Square(x), 3);
    let dot = Dot;
    let third = self::shapes::Shape::ORIGIN;
    area(shape) ^ area(dot) ^ area(third) ^ Shape::SIDES[(y & 1) as usize] as i64 ^ super::helper::twice(acc)
}

static BASE: [i64; 2] = [3, 6];

fn local_items(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    const STEP: i64 = 3;
    #[derive(Clone, Copy, PartialEq)]
    enum Way {
        Up,
        Down,
    }
    struct Walker {
        at: i64,
    }
    impl Walker {
        fn go(&mut self, way: Way) -> &mut Self {
            self.at = if way == Way::Up { self.at.wrapping_add(STEP) } else { self.at.wrapping_sub(STEP) };
            self
        }
    }
    trait Bump {
        fn bump(self) -> Self;
    }
    impl Bump for i64 {
        fn bump(self) -> i64 {
            self ^ BASE[1]
        }
    }
    use Way::*;
    let mut walker = Walker { at: acc };
    walker.go(Up).go(if x > y { Down } else { Up });
    walker.at.bump()
}

macro_rules! largest {
    ($one:expr) => { $one };
    ($first:expr, $($rest:expr),+ $(,)?) => {{
        let (a, b) = ($first, largest!($($rest),+));
        if a > b { a } else { b }
    }};
}

macro_rules! instructions {
    ($on:expr; $($number:pat => $body:expr),* $(,)?) => {
        match $on { $($number => $body,)* }
    };
}

macro_rules! define {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($field:ident: $ty:ty = $value:expr),* $(,)? }) => {
        $(#[$meta])*
        $vis struct $name { $($field: $ty),* }
        impl $name {
            fn fresh() -> $name { $name { $($field: $value),* } }
            fn total(&self) -> i64 { 0 $(+ self.$field as i64)* }
        }
    };
}
define! {
    #[derive(Clone, Debug)]
    struct Settings { depth: u8 = 3, width: i16 = -4, flag: bool = true }
}

macro_rules! with_stack {
    ($stack:ident, |$a:ident, $b:ident| $body:expr) => {{
        let $b = $stack.pop().unwrap();
        let $a = $stack.pop().unwrap();
        $stack.push($body);
    }};
}

macro_rules! checked {
    ($e:expr, else $alternative:block) => {
        match $e {
            Some(value) => value,
            None => $alternative,
        }
    };
}

#[jit::unroll_safe]
fn macros(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let big = largest!(acc, x, y);
    let mut settings = Settings::fresh();
    settings.depth = y as u8 & 15;
    let mut stack = vec![acc, x];
    with_stack!(stack, |a, b| a.wrapping_sub(b));
    let n = instructions! { y & 3; 0 => x, 1 | 2 => { let value = acc; value ^ 1 }, _ => largest!(1, 2) };
    let value = 3;
    let m = checked!(x.checked_mul(acc), else { value });
    macro_rules! local {
        ($($n:literal)*) => { [$($n + value),*] };
    }
    let list = local!(1 2 3);
    big ^ settings.total() ^ stack[0] ^ n ^ m ^ list[2]
}

type Pair<T> = (T, T);
type Outcome<T = i64> = Result<T, Pair<u8>>;

fn outcome(n: i64) -> Outcome {
    if n & 1 == 0 { Ok(n) } else { Err((n as u8, 1)) }
}

fn aliases(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let pair: Pair<i64> = (acc, x);
    let n = match outcome(x) {
        Outcome::Ok(n) => n,
        Err((a, b)) => (a ^ b) as i64,
    };
    pair.0 ^ pair.1 ^ n
}

#[cfg(target_pointer_width = "64")]
const WIDTH: i64 = 64;
#[cfg(not(target_pointer_width = "64"))]
const WIDTH: i64 = 32;

fn conditional(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    #[cfg(test)]
    let bonus = 1000;
    #[cfg(not(test))]
    let bonus = 1;
    let base = if cfg!(target_endian = "little") { x } else { acc };
    match acc & 1 {
        #[cfg(any())]
        0 => 5,
        0 => base ^ WIDTH,
        _ => bonus,
    }
}

struct Builder {
    total: i64,
    parts: u8,
}

impl Builder {
    const START: Self = Self { total: 1, parts: 0 };
    fn with(mut self, n: i64) -> Self {
        self.total = self.total.wrapping_mul(31).wrapping_add(n);
        self.parts += 1;
        self
    }
    fn build(Self { total, parts }: Self) -> i64 {
        total ^ parts as i64
    }
}

fn self_types(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let b = Builder::START.with(acc).with(x).with(y);
    Builder::build(b)
}

fn own_items(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    use std::fmt::Write as _;
    static TABLE: [i64; 4] = [3, 5, 8, 13];
    const NAMES: [&str; 2] = ["one", "three"];
    #[metatrace::jit::dont_look_inside]
    fn gcd(a: i64, b: i64) -> i64 {
        let (mut a, mut b) = (a, b);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    }
    let apply: fn(i64, i64) -> i64 = if y > 3 { gcd } else { |a, b| a ^ b };
    let name = NAMES[(x & 1) as usize];
    let mut text = String::new();
    write!(text, "{name} {}", gcd(12, 18)).unwrap();
    apply(x, y) ^ TABLE[(y & 3) as usize] ^ text.len() as i64 ^ acc
}

topic! {
    ConstTables => tables
    TableLookup => lookup
    ModuleTree => modules
    LocalItems => local_items
    OwnMacros => macros
    Aliases => aliases
    Conditional => conditional
    SelfTypes => self_types
    OwnItems => own_items
}

metatrace::glue!();
