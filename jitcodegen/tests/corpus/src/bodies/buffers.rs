//! Bodies that allocate, fill, grow and drop vectors.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use std::rc::Rc;

use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State};

fn filled(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut slots = vec![acc; 3];
    slots[1] = x;
    let mut bytes = vec![y as u8; 5];
    bytes[4] ^= 1;
    let zeros = vec![0i64; (y & 3) as usize];
    let sum = zeros.iter().sum::<i64>() + zeros.len() as i64;
    slots[0] ^ slots[1] ^ slots[2].rotate_left(7) ^ bytes[4] as i64 ^ bytes.len() as i64 ^ sum
}

fn sum_of(frame: &mut Vec<i64>, by: i64) -> i64 {
    frame[0] += by;
    frame.iter().fold(0, |sum: i64, n| sum.wrapping_mul(3).wrapping_add(*n))
}

/// A frame as interpreters make them: arguments first, then room for locals.
fn frame(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut locals = Vec::with_capacity(2);
    locals.push(acc & 0xffff);
    locals.push(x & 0xffff);
    locals.resize(6, 7);
    locals[5] = y & 0xffff;
    sum_of(&mut locals, 3) ^ locals.len() as i64 ^ (locals.capacity() as i64) << 8
}

#[jit::unroll_safe]
fn grown(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut list = Vec::new();
    for n in 0..6 {
        list.push(acc ^ n);
    }
    let mut bytes: Vec<u8> = Vec::new();
    bytes.push(x as u8);
    let mut large: Vec<[u64; 150]> = Vec::new();
    large.push([y as u64; 150]);
    let mut some: Vec<(i64, u8)> = Vec::new();
    some.reserve(x.unsigned_abs() as usize % 20);
    some.extend_from_slice(&[(x, 1), (y, 2)]);
    let capacities = [list.capacity(), bytes.capacity(), large.capacity(), some.capacity()];
    let shape = capacities.iter().fold(0, |all, &n| all * 100 + n as i64);
    let folded = list.iter().fold(0i64, |sum, n| sum.rotate_left(3) ^ *n);
    folded ^ shape ^ large[0][149] as i64 ^ some[1].0 ^ some[0].1 as i64
}

fn copied(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let list = vec![Point { x, y }, Point { x: acc, y: x }];
    let mut copy = list.clone();
    copy[0].x ^= 5;
    copy.extend_from_slice(&list);
    let from = Vec::from([acc, x, y]);
    let long = vec![x as u16; 40 + (y & 3) as usize];
    let again = long.clone();
    state.host.calls += list.len() as u64;
    copy[0].x
        ^ copy[2].x
        ^ copy[3].y
        ^ from[2]
        ^ from.capacity() as i64
        ^ again.len() as i64
        ^ again[39] as i64
}

#[derive(Clone, Debug)]
enum Slot {
    Nil,
    Int(i64),
    Text(Rc<str>),
    Shared(Rc<i64>),
}

fn shared(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let text: Rc<str> = Rc::from("shared");
    let one = Rc::new(acc);
    let mut slots = vec![Slot::Nil; 3];
    slots[0] = Slot::Text(text.clone());
    slots[1] = Slot::Shared(one.clone());
    slots.push(Slot::Int(y));
    let before = Rc::strong_count(&text) + Rc::strong_count(&one);
    let copy = slots.clone();
    let between = Rc::strong_count(&text) * 8 + Rc::strong_count(&one);
    drop(slots);
    slots_of(x, &copy, state);
    if x & 1 == 0 {
        drop(copy);
    }
    let after = Rc::strong_count(&text) * 8 + Rc::strong_count(&one);
    before as i64 ^ (between as i64) << 8 ^ (after as i64) << 16 ^ acc
}

#[jit::unroll_safe]
fn slots_of(x: i64, slots: &[Slot], state: &mut State) {
    let mut all = Vec::with_capacity(slots.len());
    for slot in slots {
        match slot {
            Slot::Int(n) => all.push(*n),
            Slot::Shared(n) => all.push(**n),
            Slot::Text(text) => all.push(text.len() as i64),
            Slot::Nil => {}
        }
    }
    state.host.calls = state.host.calls.wrapping_add(all.len() as u64 ^ x as u64 & 1);
}

/// More elements than are dropped one by one.
fn many_shared(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let one = Rc::new(x);
    let list = vec![one.clone(); 12];
    let most = Rc::strong_count(&one);
    drop(list);
    acc ^ most as i64 ^ (Rc::strong_count(&one) as i64) << 8
}

fn of_nothing(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut list = vec![(); (x & 7) as usize];
    list.push(());
    list.resize(9, ());
    let more: Vec<()> = Vec::with_capacity(3);
    let empty: Vec<i64> = Vec::with_capacity((y & 0) as usize);
    acc ^ list.len() as i64 ^ more.len() as i64 ^ empty.len() as i64 ^ empty.capacity() as i64
}

/// A vector of vectors, one of which moves out.
fn nested(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut rows = vec![vec![x; 2]; 3];
    rows[1][0] = y;
    let row = std::mem::take(&mut rows[2]);
    let kept = rows.pop().unwrap_or_default();
    acc ^ row[1] ^ kept.len() as i64 ^ rows[1][0] ^ rows[0][1] ^ rows.len() as i64
}

struct Noisy<'a>(&'a std::cell::Cell<i64>, i64);

impl Drop for Noisy<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().wrapping_mul(31).wrapping_add(self.1));
    }
}

/// Elements whose destructors are the interpreter's.
fn noisy(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let seen = std::cell::Cell::new(acc & 0xff);
    {
        let mut list = Vec::with_capacity(2);
        list.push(Noisy(&seen, x));
        list.push(Noisy(&seen, y));
        list.push(Noisy(&seen, 3));
        list.truncate(2);
    }
    state.host.drops = state.host.drops.wrapping_add(seen.get());
    seen.get()
}

/// No memory has so much room.
fn too_many(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let count = if x == 0 { usize::MAX } else { 2 };
    let list: Vec<i64> = Vec::with_capacity(count);
    acc ^ list.capacity() as i64
}

/// What is dropped while a panic passes.
fn panicking(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let one = Rc::new(acc);
    let mut list = vec![one.clone(); 2];
    let boxed = vec![Box::new(x); 2];
    list.push(Rc::new(100 / y));
    *list[2] ^ *boxed[1] ^ Rc::strong_count(&one) as i64
}

topic! {
    BufferFilled => filled
    BufferFrame => frame
    BufferGrown => grown
    BufferCopied => copied
    BufferShared => shared
    BufferManyShared => many_shared
    BufferOfNothing => of_nothing
    BufferNested => nested
    BufferNoisy => noisy
    BufferTooMany => too_many
    BufferPanicking => panicking
}

metatrace::glue!();
