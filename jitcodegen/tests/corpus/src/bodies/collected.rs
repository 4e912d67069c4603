//! Bodies that work on objects of the collected heap: made, read, written, compared, weakly referred to.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use metatrace::gc::{Array, Gc, GcCell, GcRefCell, GcVec, HeapFull, Trace, Weak, WeakMap};
use metatrace::jit;

use crate::code::Op;
use crate::state::State;

#[derive(Clone, Copy, Trace)]
enum Item {
    Nil,
    Int(i64),
    Pair(Gc<Pair>),
}

#[derive(Trace)]
struct Pair {
    head: GcCell<Item>,
    tail: GcCell<Option<Gc<Pair>>>,
    tag: i64,
}

#[derive(Trace)]
struct Named {
    name: GcRefCell<String>,
    pair: Gc<Pair>,
}

fn pair(head: Item, tag: i64) -> Gc<Pair> {
    Gc::new(Pair { head: GcCell::new(head), tail: GcCell::new(None), tag })
}

fn number(item: Item) -> i64 {
    match item {
        Item::Nil => -1,
        Item::Int(n) => n,
        Item::Pair(pair) => pair.tag,
    }
}

fn objects(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let first = pair(Item::Int(acc), x);
    let second = pair(Item::Pair(first), y);
    first.tail.set(Some(second));
    let before = first.head.replace(Item::Nil);
    let through = second.head.get();
    number(before).wrapping_add(number(through)).wrapping_add(number(first.head.get()))
        ^ first.tail.get().map_or(0, |pair| pair.tag)
}

fn fallible(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    fn cons(head: i64, tail: Option<Gc<Pair>>) -> Result<Gc<Pair>, HeapFull> {
        let new = Gc::try_new(Pair { head: GcCell::new(Item::Int(head)), tail: GcCell::new(tail), tag: 1 })?;
        Ok(new)
    }
    let list = cons(acc, None).and_then(|last| cons(x, Some(last)));
    match list {
        Ok(list) => number(list.head.get()) ^ list.tail.get().map_or(7, |pair| number(pair.head.get())),
        Err(full) => full.limit as i64,
    }
}

#[jit::unroll_safe]
fn sum(mut list: Option<Gc<Pair>>) -> i64 {
    let mut sum = 0i64;
    while let Some(pair) = list {
        sum = sum.wrapping_mul(3).wrapping_add(number(pair.head.get()));
        list = pair.tail.get();
    }
    sum
}

#[jit::unroll_safe]
fn lists(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut list = None;
    for value in [acc, x, y] {
        let new = pair(Item::Int(value), 0);
        new.tail.set(list);
        list = Some(new);
    }
    sum(list)
}

fn arrays(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let cells = Array::cells(4, Item::Nil);
    let at = (acc & 3) as usize;
    cells[at].set(Item::Int(x));
    cells[(y & 3) as usize].set(Item::Pair(pair(Item::Nil, y)));
    let plain = Array::from_slice(&[acc, x, y]);
    let made = Array::from_fn(3, |n| Item::Int(plain[n].wrapping_mul(n as i64)));
    let total: i64 = made.iter().map(|&item| number(item)).fold(0, |a, b| a.wrapping_add(b));
    number(cells[at].get()).wrapping_add(total).wrapping_add(cells.len() as i64)
}

#[jit::unroll_safe]
fn vectors(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let stack = GcVec::new();
    stack.push(Item::Int(acc));
    stack.push(Item::Pair(pair(Item::Int(x), y)));
    for n in 0..4 {
        stack.push(Item::Int(n));
    }
    stack.set(0, Item::Int(y));
    let popped = stack.pop().map_or(-5, number);
    stack.truncate(3);
    let missing = stack.get(9).is_none() as i64;
    let first = stack.get(0).map_or(-6, number);
    let second = stack.get(1).map_or(-7, number);
    popped.wrapping_add(first).wrapping_mul(5).wrapping_add(second ^ missing).wrapping_add(stack.len() as i64)
}

fn beyond(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let stack = GcVec::new();
    stack.push(acc);
    stack.set((x > 18) as usize, x);
    stack.get(0).unwrap_or(0)
}

fn identity(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let (a, b) = (pair(Item::Int(acc), x), pair(Item::Int(acc), x));
    let c = if x & 1 == 0 { a } else { b };
    let bits = c.to_bits();
    // SAFETY: the bits are those of a reference that is still there.
    let again: Gc<Pair> = unsafe { Gc::from_bits(bits) };
    a.ptr_eq(c) as i64 * 2 + again.ptr_eq(b) as i64 + (a.ptr_eq(b) as i64) * 8 + again.tag
}

fn weak(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let target = pair(Item::Int(acc), x);
    let weak = Weak::new(target);
    let copy = weak;
    let map = WeakMap::new();
    map.insert(target, y);
    let kept = map.get(target).unwrap_or(-1);
    let seen = match copy.get() {
        Some(pair) => pair.tag,
        None => -2,
    };
    kept.wrapping_mul(seen).wrapping_add(map.len() as i64).wrapping_add(target.tag)
}

fn named(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let object = Gc::new(Named { name: GcRefCell::new(String::from("n")), pair: pair(Item::Int(acc), y) });
    if x & 1 == 0 {
        object.name.borrow_mut().push_str("ame");
    }
    state.host.note(&object.name.borrow());
    object.pair.tag ^ object.name.borrow().len() as i64
}

topic! {
    GcObjects => objects
    GcFallible => fallible
    GcLists => lists
    GcArrays => arrays
    GcVectors => vectors
    GcBeyond => beyond
    GcIdentity => identity
    GcWeak => weak
    GcNamed => named
}

metatrace::glue!();
