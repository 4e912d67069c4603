//! Bodies with iterators and their adaptors over slices, ranges and vectors.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State};

#[jit::unroll_safe]
fn enumerate_rev(acc: i64, _x: i64, _y: i64, state: &mut State) -> i64 {
    let mut sum = acc & 0xffff;
    for (i, cell) in state.cells.iter().enumerate() {
        sum += i as i64 * (*cell & 0xff);
    }
    for (i, cell) in state.cells.iter().enumerate().rev() {
        sum = sum * 3 % 65_537 + i as i64 - (cell & 7);
    }
    for i in (0..state.cells.len()).rev().step_by(3) {
        sum ^= state.cells[i] & 0xfff;
    }
    sum
}

#[jit::unroll_safe]
fn zip_mut(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let others = [x, y, acc, 3];
    for (cell, other) in state.cells.iter_mut().zip(others) {
        *cell = cell.wrapping_add(other);
    }
    for (cell, other) in state.cells.iter_mut().rev().zip(others.iter()) {
        *cell ^= other;
    }
    let dot = state.cells.iter().zip(&others).map(|(a, b)| a.wrapping_mul(*b)).fold(0i64, i64::wrapping_add);
    dot ^ state.cells[2]
}

fn map_filter(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let a = state.cells.iter().filter(|c| **c > y).map(|c| c ^ acc).fold(0i64, |s, c| s.wrapping_add(c));
    let b = state.cells.iter().copied().filter_map(|c| c.checked_mul(x)).max().unwrap_or(-1);
    let c = state.points.iter().map(|p| p.x).min().unwrap_or(0);
    let d = state.cells.iter().filter(|&&c| c == x).count() as i64;
    a ^ b ^ c ^ d
}

fn any_all(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let a = state.cells.iter().any(|&c| c == y) as i64;
    let b = state.cells.iter().all(|&c| c < acc) as i64;
    let c = state.cells.iter().position(|&c| c == x).map_or(-1, |i| i as i64);
    let d = state.cells.iter().rposition(|&c| c > y).map_or(-1, |i| i as i64);
    let e = state.points.iter().find(|p| p.y == y).map_or(-5, |p| p.x);
    let f = state.cells.iter().find_map(|&c| if c > y { Some(c * 2 % 1000) } else { None }).unwrap_or(1);
    a | b << 1 ^ c << 2 ^ d << 6 ^ e << 9 ^ f << 12
}

fn sums(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a: i64 = (0..y & 7).sum();
    let b: i64 = (1..=(x & 3)).product();
    let c = [acc as u8, 3, 9].iter().map(|&b| b as u32).sum::<u32>();
    let d = (0..5).map(|n| n as f64 * 0.5).sum::<f64>() as i64;
    a ^ b << 8 ^ (c as i64) << 16 ^ d
}

#[jit::unroll_safe]
fn skip_take(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut sum = 0i64;
    for c in state.cells.iter().skip((y & 3) as usize).take(3) {
        sum = sum.wrapping_mul(3).wrapping_add(*c);
    }
    for c in state.cells.iter().skip_while(|c| **c < x).take_while(|c| **c != acc) {
        sum ^= c;
    }
    for c in state.cells.iter().step_by(2) {
        sum = sum.wrapping_sub(*c);
    }
    sum
}

#[jit::unroll_safe]
fn chained(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut sum = 0i64;
    for c in state.cells.iter().chain(&[x, y]).chain(std::iter::once(&acc)) {
        sum = sum.wrapping_mul(5) ^ c;
    }
    for n in std::iter::repeat_n(acc & 7, 3) {
        sum += n & 1;
    }
    sum
}

#[jit::unroll_safe]
fn windows(acc: i64, _x: i64, y: i64, state: &mut State) -> i64 {
    let mut sum = acc;
    for pair in state.cells.windows(2) {
        if pair[0] > pair[1] {
            sum = sum.wrapping_add(y);
        }
    }
    for part in state.cells.chunks(3) {
        sum ^= part.len() as i64 * (part[0] & 0xff);
    }
    for part in state.cells.chunks_exact(2) {
        if let [a, b] = part {
            sum = sum.wrapping_add(a ^ b);
        }
    }
    sum
}

fn last_nth(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let a = state.cells.iter().nth((y & 15) as usize).copied().unwrap_or(acc);
    let b = state.cells.iter().last().unwrap();
    let c = (x..).nth(2).unwrap_or(0);
    let d = state.cells.first().zip(state.cells.last()).map_or(0, |(a, b)| a ^ b);
    a ^ b ^ c ^ d
}

#[jit::unroll_safe]
fn by_hand(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut cells = state.cells.iter();
    let mut sum = acc & 0xff;
    while let Some(c) = cells.next() {
        sum ^= c;
        if sum & 3 == y & 3 {
            if let Some(next) = cells.next_back() {
                sum = sum.wrapping_add(*next);
            }
        }
    }
    let mut peek = [x, y, sum].into_iter().peekable();
    while let Some(n) = peek.next() {
        if peek.peek().is_some_and(|next| *next > n) {
            sum ^= n;
        }
    }
    sum
}

struct Count {
    at: i64,
    end: i64,
}

impl Iterator for Count {
    type Item = i64;
    fn next(&mut self) -> Option<i64> {
        if self.at >= self.end {
            return None;
        }
        self.at += 1;
        Some(self.at * self.at)
    }
}

#[jit::unroll_safe]
fn own_iterator(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut sum = 0;
    for n in (Count { at: 0, end: y & 7 }) {
        sum += n;
    }
    let total: i64 = Count { at: x & 3, end: 6 }.map(|n| n + 1).sum();
    let evens = Count { at: 0, end: acc & 7 }.filter(|n| n % 2 == 0).count() as i64;
    sum ^ total << 8 ^ evens << 4
}

struct Bag {
    items: [i64; 4],
}

impl<'a> IntoIterator for &'a Bag {
    type Item = &'a i64;
    type IntoIter = std::slice::Iter<'a, i64>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

#[jit::unroll_safe]
fn own_into_iter(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let bag = Bag { items: [acc, x, y, 3] };
    let mut sum = 0i64;
    for n in &bag {
        sum = sum.wrapping_mul(7).wrapping_add(*n);
    }
    sum
}

#[jit::unroll_safe]
fn by_value(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut sum = 0i64;
    for n in [acc, x, y] {
        sum = sum.wrapping_mul(3) ^ n;
    }
    for (i, p) in [Point { x, y }, Point { x: y, y: acc }].into_iter().enumerate() {
        sum ^= p.x.wrapping_shl(i as u32) ^ p.y;
    }
    let arr = [x, y, acc].map(|n| n.wrapping_add(1));
    sum ^ arr[0] ^ arr[2]
}

fn min_max(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let a = state.cells.iter().max().copied().unwrap_or(0);
    let b = *state.cells.iter().min_by_key(|c| (**c ^ x) & 0xff).unwrap();
    let c = state.points.iter().max_by(|a, b| a.x.cmp(&b.x)).map_or(0, |p| p.y);
    let d = state.points.iter().map(|p| p.y).reduce(|a, b| a.wrapping_sub(b)).unwrap_or(acc);
    a ^ b << 3 ^ c << 5 ^ d ^ y
}

#[jit::unroll_safe]
fn collected(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let list: Vec<i64> = state.cells.iter().map(|c| c ^ x).collect();
    let sum: i64 = list.iter().fold(0, |a, b| a ^ b);
    let all: Option<Vec<i64>> = list.iter().map(|c| c.checked_add(y)).collect();
    let mut other = Vec::new();
    other.extend(list.iter().take(2).cloned());
    other.extend_from_slice(&list[..2]);
    sum ^ all.map_or(acc, |l| l[0]) ^ other.len() as i64
}

fn scan_flat(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let a: i64 = state
        .cells
        .iter()
        .scan(acc & 3, |s, c| {
            *s = s.wrapping_add(*c);
            Some(*s)
        })
        .fold(0, |a, b| a ^ b);
    let b = state.points.iter().flat_map(|p| [p.x, p.y]).fold(x, |a, b| a.wrapping_mul(3) ^ b);
    let c = state.cells.iter().map_while(|c| c.checked_add(y)).count() as i64;
    let d = state.cells.iter().try_fold(0i64, |a, c| a.checked_add(*c)).unwrap_or(-1);
    a ^ b ^ c ^ d
}

#[jit::unroll_safe]
fn ranges(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut sum = 0i64;
    for i in (x & 7..=(x & 7) + 2).rev() {
        sum = sum * 10 + i;
    }
    for i in 0..=(y as u8 & 3) {
        sum += i as i64;
    }
    for c in 'a'..='d' {
        sum += c as i64;
    }
    let r = 3..(acc & 15);
    let inside = r.contains(&(y & 15)) as i64;
    sum ^ inside << 20 ^ r.len_like() << 21
}

trait LenLike {
    fn len_like(&self) -> i64;
}

impl LenLike for std::ops::Range<i64> {
    fn len_like(&self) -> i64 {
        if self.is_empty() { 0 } else { self.end - self.start }
    }
}

fn evens(cells: &[i64]) -> impl Iterator<Item = &i64> {
    cells.iter().filter(|c| **c % 2 == 0)
}

fn total(cells: impl Iterator<Item = i64>) -> i64 {
    cells.fold(0, |a, b| a.wrapping_mul(31).wrapping_add(b))
}

#[jit::unroll_safe]
fn impl_iterator(acc: i64, x: i64, _y: i64, state: &mut State) -> i64 {
    let mut sum = acc & 3;
    for c in evens(&state.cells) {
        sum ^= c;
    }
    sum ^ total(state.cells.iter().map(|c| c ^ x)) ^ total([x, sum].into_iter())
}

topic! {
    EnumerateRev => enumerate_rev
    ZipMut => zip_mut
    MapFilter => map_filter
    AnyAll => any_all
    Sums => sums
    SkipTake => skip_take
    Chained => chained
    Windows => windows
    LastNth => last_nth
    ByHand => by_hand
    OwnIterator => own_iterator
    OwnIntoIter => own_into_iter
    IterByValue => by_value
    MinMax => min_max
    Collected => collected
    ScanFlat => scan_flat
    Ranges => ranges
    ImplIterator => impl_iterator
}

metatrace::glue!();
