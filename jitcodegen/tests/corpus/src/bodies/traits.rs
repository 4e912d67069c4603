//! Bodies with traits: operators of own types, derives, generics with constants, blanket impls, trait objects.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{
    Add, AddAssign, BitAnd, BitOr, BitXor, Deref, DerefMut, Div, Index, IndexMut, Mul, Neg, Not, Rem, Shl,
    Shr, Sub, SubAssign,
};

use crate::code::Op;
use crate::state::{Point, State};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Int(i64);

macro_rules! by_value {
    ($($tr:ident $method:ident $wrapping:ident;)*) => { $(
        impl $tr for Int {
            type Output = Int;
            fn $method(self, other: Int) -> Int {
                Int(self.0.$wrapping(other.0))
            }
        }
        impl $tr<i64> for Int {
            type Output = Int;
            fn $method(self, other: i64) -> Int {
                Int(self.0.$wrapping(other))
            }
        }
        impl<'a> $tr<&'a Int> for &Int {
            type Output = Int;
            fn $method(self, other: &'a Int) -> Int {
                $tr::$method(*self, *other)
            }
        }
    )* };
}
by_value! {
    Add add wrapping_add;
    Sub sub wrapping_sub;
    Mul mul wrapping_mul;
    BitAnd bitand bitand;
    BitOr bitor bitor;
    BitXor bitxor bitxor;
}

impl Div for Int {
    type Output = Option<Int>;
    fn div(self, other: Int) -> Option<Int> {
        self.0.checked_div(other.0).map(Int)
    }
}
impl Rem<i64> for Int {
    type Output = i64;
    fn rem(self, other: i64) -> i64 {
        if other == 0 { 0 } else { self.0.wrapping_rem(other) }
    }
}
impl Shl<u32> for Int {
    type Output = Int;
    fn shl(self, n: u32) -> Int {
        Int(self.0 << (n & 63))
    }
}
impl Shr<u32> for Int {
    type Output = Int;
    fn shr(self, n: u32) -> Int {
        Int(self.0 >> (n & 63))
    }
}
impl Neg for Int {
    type Output = Int;
    fn neg(self) -> Int {
        Int(self.0.wrapping_neg())
    }
}
impl Not for Int {
    type Output = bool;
    fn not(self) -> bool {
        self.0 == 0
    }
}
impl AddAssign for Int {
    fn add_assign(&mut self, other: Int) {
        *self = *self + other;
    }
}
impl AddAssign<i64> for Int {
    fn add_assign(&mut self, other: i64) {
        self.0 = self.0.wrapping_add(other);
    }
}
impl SubAssign<&Int> for Int {
    fn sub_assign(&mut self, other: &Int) {
        self.0 = self.0.wrapping_sub(other.0);
    }
}
impl PartialEq<i64> for Int {
    fn eq(&self, other: &i64) -> bool {
        self.0 == *other
    }
}
impl PartialOrd<i64> for Int {
    fn partial_cmp(&self, other: &i64) -> Option<Ordering> {
        self.0.partial_cmp(other)
    }
}
impl From<i64> for Int {
    fn from(n: i64) -> Int {
        Int(n)
    }
}
impl From<Int> for i64 {
    fn from(n: Int) -> i64 {
        n.0
    }
}
impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

fn operators(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let (a, b, c) = (Int(acc), Int(x), Int::from(y));
    let mut sum = a + b * c - (a & b | c ^ b) + 7;
    sum += a;
    sum += 3;
    sum -= &b;
    let refs = &a + &b;
    let ratio = (a / c).unwrap_or(Int(1));
    let shifted = (a << 3) ^ (b >> 1) ^ -c;
    let n: i64 = shifted.into();
    sum.0 ^ refs.0 ^ ratio.0 ^ n ^ (!a) as i64 ^ a % y ^ (a == 5) as i64 ^ ((b > 12) as i64) << 1
}

struct Row {
    cells: [i64; 4],
    reads: std::cell::Cell<u32>,
}

impl Index<usize> for Row {
    type Output = i64;
    fn index(&self, at: usize) -> &i64 {
        self.reads.set(self.reads.get() + 1);
        &self.cells[at % 4]
    }
}
impl IndexMut<usize> for Row {
    fn index_mut(&mut self, at: usize) -> &mut i64 {
        &mut self.cells[at % 4]
    }
}
impl Index<&str> for Row {
    type Output = i64;
    fn index(&self, name: &str) -> &i64 {
        &self.cells[name.len() % 4]
    }
}

fn indexing(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut row = Row { cells: [acc, x, y, 1], reads: Default::default() };
    row[5] ^= row[2];
    row[0] = row[1].wrapping_add(row[3]);
    let last = &mut row[3];
    *last += 1;
    row[(y & 7) as usize] ^ row["ab"] ^ row.reads.get() as i64
}

struct Wrapper {
    inner: Point,
    touched: i64,
}

impl Deref for Wrapper {
    type Target = Point;
    fn deref(&self) -> &Point {
        &self.inner
    }
}
impl DerefMut for Wrapper {
    fn deref_mut(&mut self) -> &mut Point {
        self.touched += 1;
        &mut self.inner
    }
}

fn dereferencing(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut w = Wrapper { inner: Point { x, y }, touched: 0 };
    w.x ^= acc;
    w.y += 1;
    let Point { x: a, .. } = *w;
    *w = Point { x: a, y: a };
    let p: &Point = &w;
    fn add(p: &Point) -> i64 {
        p.x ^ p.y.wrapping_mul(3)
    }
    p.x ^ add(&w) ^ w.touched << 8
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Name {
    text: String,
    number: u16,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    #[default]
    Plain,
    Numbered(u8),
    Full {
        a: i8,
        b: bool,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
struct Pair<A, B = i64>(A, B);

fn kind(n: i64) -> Kind {
    match n & 3 {
        0 => Kind::Plain,
        1 => Kind::Numbered((n >> 2) as u8),
        _ => Kind::Full { a: n as i8, b: n & 4 == 0 },
    }
}

fn derives(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let (a, b) = (kind(acc), kind(x));
    let order =
        a.cmp(&b) as i64 + (a == b) as i64 * 4 + (a < b) as i64 * 8 + (a != Kind::default()) as i64 * 16;
    let pairs = (Pair(x, 2u8), Pair(y, 2u8));
    let partial = match pairs.0.partial_cmp(&pairs.1) {
        Some(Ordering::Less) => 1,
        Some(Ordering::Equal) => 2,
        Some(Ordering::Greater) => 3,
        None => 4,
    };
    let floats = Pair(x as f64, 0.5) < Pair(y as f64, 0.25);
    let zero: Pair<i32, u8> = Default::default();
    order ^ partial << 5 ^ (floats as i64) << 8 ^ zero.0 as i64 ^ (a.max(b) == b) as i64
}

fn derived_clone(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let a = Name { text: "name".to_string(), number: acc as u16, kind: kind(x) };
    let mut b = a.clone();
    b.number ^= 1;
    let same = a == b;
    b.clone_from(&a);
    let c = Name { number: 7, ..Default::default() };
    (a == b) as i64 + same as i64 * 2 + (a < c) as i64 * 4 + b.number as i64 * 8 + c.text.len() as i64
}

struct Sum(u64);
impl Hasher for Sum {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.0 = self.0.wrapping_mul(31).wrapping_add(b as u64);
        }
    }
}

fn hashed(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let mut h = Sum(7);
    Int(acc).hash(&mut h);
    x.hash(&mut h);
    kind(x).hash(&mut h);
    h.finish() as i64
}

trait Visitor {
    type Out;
    fn number(&mut self, n: i64) -> Self::Out;
    fn twice(&mut self, n: i64) -> (Self::Out, Self::Out) {
        (self.number(n), self.number(n + 1))
    }
}

struct Adder(i64);
impl Visitor for Adder {
    type Out = i64;
    fn number(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_add(n);
        self.0
    }
}
struct Counter {
    count: u8,
}
impl Visitor for Counter {
    type Out = ();
    fn number(&mut self, _: i64) {
        self.count = self.count.wrapping_add(1);
    }
}

fn walk<V: Visitor>(v: &mut V, n: i64) -> V::Out {
    v.twice(n);
    v.number(n ^ 3)
}

fn visitors(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let mut adder = Adder(acc);
    let mut counter = Counter { count: 0 };
    let sum = walk(&mut adder, x & 0xffff);
    walk(&mut counter, x);
    sum ^ counter.count as i64
}

trait Named {
    const ID: u32;
    const TABLE: [i64; 3];
    fn make(n: i64) -> Self
    where
        Self: Sized;
    fn id(&self) -> u32 {
        Self::ID
    }
}

impl Named for Int {
    const ID: u32 = 7;
    const TABLE: [i64; 3] = [1, 2, 3];
    fn make(n: i64) -> Int {
        Int(n)
    }
}
impl Named for u8 {
    const ID: u32 = Int::ID * 2;
    const TABLE: [i64; 3] = [Self::ID as i64, <Int as Named>::TABLE[1], 9];
    fn make(n: i64) -> u8 {
        n as u8
    }
    fn id(&self) -> u32 {
        Self::ID + *self as u32
    }
}

fn made<T: Named + Into<i64>>(n: i64) -> i64 {
    let t = T::make(n);
    let id = t.id() as i64;
    let n: i64 = t.into();
    n ^ id << 8 ^ T::TABLE[(n & 1) as usize + 1]
}

fn associated(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    made::<Int>(acc) ^ made::<u8>(x) ^ <u8 as Named>::TABLE[(y as u64 % 3) as usize] ^ Int::make(y).0
}

trait Describe {
    fn weight(&self) -> i64;
}
impl<T: Copy + Into<i64>> Describe for T {
    fn weight(&self) -> i64 {
        (*self).into() ^ 5
    }
}
impl<T: Describe> Describe for [T] {
    fn weight(&self) -> i64 {
        self.first().map_or(0, |t| t.weight()) ^ self.len() as i64
    }
}
struct Holder<T: ?Sized>(Box<T>);
impl<T: Describe + ?Sized> Describe for Holder<T> {
    fn weight(&self) -> i64 {
        self.0.weight() + 1
    }
}

fn blanket(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let list = [Int(acc), Int(x)];
    let boxed = Holder(Box::new(Int(y)));
    acc.weight() ^ (x as u8).weight() ^ list[..].weight() ^ boxed.weight() ^ true.weight()
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Matrix<T, const R: usize, const C: usize> {
    rows: [[T; C]; R],
}

impl<T: Copy + Default + Add<Output = T> + Mul<Output = T>, const R: usize, const C: usize> Matrix<T, R, C> {
    const CELLS: usize = R * C;
    fn filled(with: T) -> Self {
        Matrix { rows: [[with; C]; R] }
    }
    fn at(&self, r: usize, c: usize) -> T {
        self.rows[r % R][c % C]
    }
    fn set(&mut self, r: usize, c: usize, t: T) -> &mut Self {
        self.rows[r % R][c % C] = t;
        self
    }
    fn corner_sum(&self) -> T {
        self.at(0, 0) + self.at(R - 1, C - 1) * self.at(0, C - 1)
    }
}

fn const_generics(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut m = Matrix::<Int, 2, 3>::filled(Int(acc));
    m.set(0, 0, Int(x)).set(1, y as usize & 7, Int(y));
    let small: Matrix<i32, 2, 2> = Matrix::filled(3);
    fn length<const N: usize>(list: [i64; N]) -> usize {
        list.len() * N
    }
    m.corner_sum().0
        ^ Matrix::<u8, 2, 5>::CELLS as i64
        ^ small.corner_sum() as i64
        ^ length([x, y]) as i64
        ^ length::<3>([acc; 3]) as i64
}

trait Animal {
    fn noise(&self) -> i64;
    fn grow(&mut self, by: i64);
    fn twice(&self) -> i64 {
        self.noise().wrapping_mul(2)
    }
}
struct Cat(i64);
struct Cow {
    weight: i64,
}
impl Animal for Cat {
    fn noise(&self) -> i64 {
        self.0 ^ 0x55
    }
    fn grow(&mut self, by: i64) {
        self.0 = self.0.wrapping_add(by);
    }
}
impl Animal for Cow {
    fn noise(&self) -> i64 {
        self.weight
    }
    fn grow(&mut self, by: i64) {
        self.weight ^= by;
    }
    fn twice(&self) -> i64 {
        1
    }
}

fn noises(animal: &dyn Animal) -> i64 {
    animal.noise() ^ animal.twice()
}

fn objects(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut cat = Cat(acc);
    let mut cow = Cow { weight: x };
    let animal: &mut dyn Animal = if y & 1 == 0 { &mut cat } else { &mut cow };
    animal.grow(y);
    let boxed: Box<dyn Animal> = Box::new(Cow { weight: y });
    noises(animal) ^ noises(boxed.as_ref()) ^ noises(&Cat(3))
}

trait Base {
    fn base(&self) -> i64;
}
trait Derived: Base {
    fn derived(&self) -> i64 {
        self.base() + 1
    }
}
impl Base for Point {
    fn base(&self) -> i64 {
        self.x & 0xffff
    }
}
impl Derived for Point {}

fn supertraits(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    fn both<D: Derived>(d: &D) -> i64 {
        d.base() * 2 + d.derived()
    }
    let p = Point { x: acc, y };
    both(&p) ^ Derived::derived(&Point { x, y })
}

fn ordering_chain(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let (p, q) = (Point { x: acc & 3, y }, Point { x: x & 3, y: acc });
    let order = p.x.cmp(&q.x).then(p.y.cmp(&q.y)).reverse();
    let lazy = p.x.cmp(&q.x).then_with(|| q.y.cmp(&p.y));
    order as i64
        + 3 * (lazy as i64)
        + order.is_lt() as i64 * 16
        + (lazy == Ordering::Equal) as i64 * 32
        + ((p.x, p.y) < (q.x, q.y)) as i64 * 64
        + ([x, y] <= [y, x]) as i64 * 128
        + (x as f64).total_cmp(&(y as f64)) as i64 * 256
}

fn shown(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let text = format!("{} {:?} {:>4}|{x:03}|{}", Int(acc), kind(x), y, Name::default().number);
    state.host.note(&text);
    let other = Int(x).to_string();
    text.len() as i64 ^ other.len() as i64
}

topic! {
    OwnOperators => operators
    OwnIndex => indexing
    OwnDeref => dereferencing
    Derives => derives
    DerivedClone => derived_clone
    DerivedHash => hashed
    Visitors => visitors
    AssociatedConsts => associated
    Blanket => blanket
    ConstGenerics => const_generics
    Objects => objects
    Supertraits => supertraits
    OrderingChain => ordering_chain
    Shown => shown
}

metatrace::glue!();
