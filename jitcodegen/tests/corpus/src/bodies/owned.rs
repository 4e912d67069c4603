//! Bodies with values that own memory: strings, vectors, boxes, counted references, cells.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::collections::HashMap;
use std::mem;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};

use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State, Value};

fn strings(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut text = String::new();
    text.push_str("ab");
    text.push((b'a' + (y & 7) as u8) as char);
    text += "cd";
    let more = text.clone() + &x.to_string();
    let cut = &more[1..3];
    let part = more.get(2..4).unwrap_or("");
    state.host.note(&more);
    let equal = (cut == "bc") as i64 + (more == "abacd") as i64 + (text.as_str() < "abc") as i64 * 4;
    text.len() as i64 ^ equal << 4 ^ part.len() as i64 ^ acc ^ text.is_empty() as i64
}

#[jit::unroll_safe]
fn string_walk(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let text = if x > 12 { "héllo wörld" } else { "plain" };
    let mut sum = acc & 0xff;
    for b in text.bytes() {
        sum = sum * 3 % 10_007 + b as i64;
    }
    for c in text.chars() {
        sum ^= c as i64;
    }
    for (i, c) in text.char_indices() {
        sum += i as i64 * (c as i64 & 3);
    }
    let bytes = text.as_bytes();
    sum ^ bytes[0] as i64
        ^ text.starts_with("pl") as i64
        ^ text.find('l').map_or(-1, |n| n as i64) << 8
        ^ text.contains("wör") as i64
        ^ text.split(' ').count() as i64
        ^ text.trim().len() as i64
}

fn vectors(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut list = vec![acc, x, y];
    list.insert(1, 7);
    list.swap(0, 2);
    let removed = list.remove(1);
    list.truncate(5);
    list.resize(6, 3);
    let popped = list.pop().unwrap_or(0);
    let last = list.last().copied().unwrap_or_default();
    list.reverse();
    list.dedup();
    list.retain(|n| *n != 3);
    let swapped = list.swap_remove(0);
    let other = vec![0u8; 4];
    let joined = [&list[..], &[1, 2]].concat();
    removed ^ popped ^ last ^ swapped ^ list.len() as i64 ^ other.len() as i64 ^ joined.len() as i64
}

fn vec_of_vec(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut grid = vec![vec![0i64; 3]; 2];
    grid[1][(y & 1) as usize] = acc;
    grid[0][2] ^= x;
    let row = &mut grid[1];
    row[2] = row[0] ^ row[1];
    let first = grid.first().map(|r| r[2]).unwrap_or(0);
    let moved = mem::take(&mut grid[1]);
    first ^ moved[2] ^ grid[1].len() as i64 ^ grid.iter().map(|r| r.len()).sum::<usize>() as i64
}

fn slicing(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let at = (y & 3) as usize;
    let v = &mut state.cells;
    let part = &v[at..at + 3];
    let sum = part[0] ^ part[2];
    let (left, right) = v.split_at_mut(4);
    left[0] = right[1];
    mem::swap(&mut left[1], &mut right[0]);
    right[..2].copy_from_slice(&left[2..]);
    v[1..=2].fill(acc);
    let (first, rest) = v.split_first().unwrap();
    let (last, _) = v.split_last().unwrap();
    let found = v[..5].contains(&x) as i64 + v.starts_with(&[acc]) as i64 * 2;
    let (a, b) = v.split_at(3);
    sum ^ first ^ last ^ rest.len() as i64 ^ found << 9 ^ (a.len() * 8 + b.len()) as i64
}

fn slice_methods(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let v = &mut state.cells;
    v.rotate_left(1);
    v[2..].reverse();
    v.copy_within(0..2, 3);
    v.sort_unstable();
    let at = match v.binary_search(&x) {
        Ok(n) => n as i64,
        Err(n) => -(n as i64),
    };
    let get = v.get(1..3).map_or(0, |s| s[0] ^ s[1]);
    let none = v.get(6..20).is_none() as i64;
    if let Some(n) = v.get_mut((y & 15) as usize) {
        *n = acc;
    }
    if let Some(n) = v.first_mut() {
        *n ^= 1;
    }
    let owned = v.to_vec();
    at ^ get ^ none << 4 ^ owned[0] ^ owned.iter().rev().take(2).sum::<i64>() & 0xff
}

#[derive(Debug)]
enum List {
    Nil,
    Cons(i64, Box<List>),
}

impl List {
    #[jit::unroll_safe]
    fn sum(&self) -> i64 {
        let mut at = self;
        let mut sum = 0i64;
        while let List::Cons(n, next) = at {
            sum = sum.wrapping_mul(3) ^ n;
            at = next;
        }
        sum
    }
}

#[jit::unroll_safe]
fn boxes(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut list = List::Nil;
    for n in [acc, x, y] {
        list = List::Cons(n, Box::new(list));
    }
    let sum = list.sum();
    if let List::Cons(n, rest) = &mut list {
        *n += 1;
        **rest = List::Cons(5, Box::new(List::Nil));
    }
    let head = match list {
        List::Cons(n, rest) => n ^ rest.sum(),
        List::Nil => 0,
    };
    let mut boxed = Box::new(Point { x, y });
    boxed.x ^= 3;
    let Point { x: a, y: b } = *boxed;
    sum ^ head ^ a ^ b
}

#[derive(Clone, Debug)]
enum Obj {
    Int(i64),
    Str(Rc<str>),
    List(Rc<RefCell<Vec<Obj>>>),
    Pair(Rc<(Obj, Obj)>),
}

impl Obj {
    fn size(&self) -> i64 {
        match self {
            Obj::Int(n) => *n & 0xff,
            Obj::Str(s) => s.len() as i64,
            Obj::List(l) => l.borrow().len() as i64 * 100,
            Obj::Pair(p) => p.0.size() ^ p.1.size(),
        }
    }
}

fn counted(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let list = Rc::new(RefCell::new(vec![Obj::Int(acc)]));
    let value = Obj::List(Rc::clone(&list));
    list.borrow_mut().push(Obj::Int(x));
    let text = Obj::Str("hello".into());
    let pair = Obj::Pair(Rc::new((value.clone(), text)));
    if let Obj::List(l) = &value {
        let mut l = l.borrow_mut();
        l.push(Obj::Int(y));
        if let Some(Obj::Int(n)) = l.first_mut() {
            *n += 1;
        }
    }
    let same = Rc::ptr_eq(&list, &list.clone()) as i64;
    pair.size() ^ value.size() ^ Rc::strong_count(&list) as i64 ^ same << 5
}

fn cells(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let cell = Cell::new(acc);
    cell.set(cell.get() ^ x);
    let old = cell.replace(y);
    let taken = cell.take();
    let shared = RefCell::new(Point { x, y });
    {
        let mut p = shared.borrow_mut();
        p.x ^= old;
        p.y += 1;
    }
    let sum = shared.borrow().x ^ shared.borrow().y;
    let busy = {
        let _held = shared.borrow();
        shared.try_borrow_mut().is_err() as i64
    };
    let was = shared.replace(Point { x: 1, y: 2 });
    sum ^ taken ^ busy << 7 ^ was.x ^ shared.into_inner().y
}

fn memory(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut a = Point { x: acc, y: x };
    let mut b = Point { x, y };
    mem::swap(&mut a, &mut b);
    let old = mem::replace(&mut a.x, 5);
    let values = mem::take(&mut state.values);
    let count = values.len() as i64;
    state.values = values;
    let log = mem::replace(&mut state.log, Vec::new());
    let mut option = Some(String::from("x"));
    let taken = mem::take(&mut option);
    let size = mem::size_of::<Point>() as i64 + mem::size_of_val(&x) as i64;
    old ^ a.y ^ b.x ^ count ^ log.len() as i64 ^ taken.map_or(0, |t| t.len() as i64) ^ size
}

fn pointers(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut local = x;
    let raw = &raw mut local;
    // SAFETY: the pointer is to a live variable.
    unsafe {
        *raw ^= acc;
        raw.write(raw.read().wrapping_add(1));
    }
    let mut nn = NonNull::from(&mut state.record.point);
    // SAFETY: the pointer is to a field of the state, which is borrowed mutably.
    let p = unsafe { nn.as_mut() };
    p.x = p.x.wrapping_add(y);
    let cells = state.cells.as_mut_ptr();
    // SAFETY: there are eight cells.
    let third = unsafe {
        *cells.add(1) = 77;
        *cells.add((y & 7) as usize)
    };
    let null: *const i64 = std::ptr::null();
    local ^ third ^ null.is_null() as i64 ^ std::ptr::eq(&local, &raw const local) as i64
}

fn maps(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut map: HashMap<i64, i64> = HashMap::new();
    map.insert(x, y);
    *map.entry(acc).or_insert(0) += 1;
    let a = map.get(&x).copied().unwrap_or(0);
    let b = map.contains_key(&y) as i64;
    if let Some(n) = map.get_mut(&acc) {
        *n ^= 3;
    }
    a ^ b << 2 ^ map.len() as i64 ^ map[&acc]
}

fn clones(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let text = String::from("ab");
    let pair = (text, vec![acc, x]);
    let copy = pair.clone();
    let list = [Some(String::from("q")), None];
    let other = list.clone();
    let closure = move || copy.1.len() + other.len();
    let again = closure.clone();
    let record = state.record.clone();
    (closure() + again()) as i64
        ^ pair.0.len() as i64
        ^ record.long
        ^ y
        ^ list[0].as_ref().map_or(0, |s| s.len() as i64)
}

fn unsized_values(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let array = [acc, x, y];
    let slice: &[i64] = &array;
    let boxed: Box<[i64]> = vec![x, y].into_boxed_slice();
    let other: Box<[i64]> = Box::new([1, 2, 3]);
    let rc: Rc<[i64]> = Rc::from(&array[..]);
    fn sum(list: &[i64]) -> i64 {
        list[0] ^ list.len() as i64
    }
    let cells: &mut [i64] = &mut state.cells;
    cells[0] ^= 1;
    sum(slice) ^ sum(&boxed) ^ sum(&other) ^ sum(&rc) ^ sum(&array) ^ sum(cells)
}

fn value_moves(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut stack = vec![Value::Int(acc), Value::Int(x), Value::Nil];
    let top = stack.pop();
    let (Some(Value::Int(a)), Some(Value::Int(b))) = (stack.pop(), stack.pop()) else { return -1 };
    stack.push(Value::Int(a ^ b));
    stack.push(if y > 3 { Value::Bool(true) } else { Value::Float(0.5) });
    let truthy = matches!(stack.last(), Some(Value::Bool(true)));
    state.values.extend(stack.drain(..).take(1));
    state.values.truncate(6);
    (top == Some(Value::Nil)) as i64 + truthy as i64 * 2 + stack.len() as i64 * 4 + state.values.len() as i64
}

#[derive(Debug)]
struct Link {
    value: Cell<i64>,
    next: RefCell<Option<Rc<Link>>>,
    back: RefCell<Weak<Link>>,
}

fn link(value: i64) -> Rc<Link> {
    Rc::new(Link { value: Cell::new(value), next: RefCell::new(None), back: RefCell::new(Weak::new()) })
}

fn shared_cells(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let (a, b) = (link(acc), link(x));
    *a.next.borrow_mut() = Some(Rc::clone(&b));
    *b.back.borrow_mut() = Rc::downgrade(&a);
    if let Some(next) = a.next.borrow().as_ref() {
        next.value.set(next.value.get() ^ y);
    }
    let back = b.back.borrow().upgrade().map_or(0, |a| a.value.get());
    let counts = Rc::strong_count(&b) + 4 * Rc::weak_count(&a);
    let taken = a.next.take();
    let left = Rc::strong_count(&b);
    drop(taken);
    drop(a);
    let gone = b.back.borrow().upgrade().is_none() as i64;
    back ^ b.value.get() ^ (counts + 16 * left) as i64 ^ Rc::strong_count(&b) as i64 ^ gone << 7
}

fn borrow_guards(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let cell = RefCell::new((vec![acc, x], Some(String::from("ab"))));
    let first = Ref::map(cell.borrow(), |c| &c.0[(y & 1) as usize]);
    let copy = Ref::clone(&first);
    let sum = *first ^ *copy;
    let shown = format!("{first}").len() as i64;
    drop(first);
    let busy = cell.try_borrow_mut().is_err() as i64;
    drop(copy);
    {
        let mut list = RefMut::map(cell.borrow_mut(), |c| &mut c.0);
        list.push(y);
        list[0] ^= 3;
    }
    let old = cell.replace((Vec::new(), None));
    let text: Rc<str> = old.1.as_deref().unwrap_or("").into();
    let other = text.clone();
    let shared: [Rc<str>; 2] = [text, other];
    sum ^ shown
        ^ busy << 5
        ^ old.0.len() as i64
        ^ Rc::strong_count(&shared[0]) as i64
        ^ shared[1].len() as i64
}

fn twice_borrowed(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let cell = RefCell::new(acc);
    let held = cell.borrow();
    if x > 1 << 40 {
        *cell.borrow_mut() += 1;
    }
    let n = *held;
    drop(held);
    let mut held = cell.borrow_mut();
    *held ^= x;
    if y < -(1 << 40) {
        return *cell.borrow();
    }
    n ^ *held
}

topic! {
    StringBuilding => strings
    StringWalk => string_walk
    VecMethods => vectors
    VecOfVec => vec_of_vec
    Slicing => slicing
    SliceMethods => slice_methods
    BoxedList => boxes
    Counted => counted
    CellsAndRefs => cells
    MemFunctions => memory
    RawPointers => pointers
    Maps => maps
    Clones => clones
    Unsized => unsized_values
    ValueMoves => value_moves
    SharedCells => shared_cells
    BorrowGuards => borrow_guards
    TwiceBorrowed => twice_borrowed
}

metatrace::glue!();
