//! Bodies with strings, maps and boxed closures, of which only some of the work is looked inside.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State};

/// Texts that grow and shrink: with room, without, and by characters of several bytes.
fn pushed(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut text = String::with_capacity(4);
    text.push((b'a' + (x & 15) as u8) as char);
    let first = text.len();
    text.push('é');
    text.push(if y & 1 == 0 { 'z' } else { '€' });
    text.push('.');
    let bytes = text.as_bytes();
    let sum = bytes.iter().fold(0, |sum: i64, &b| sum.wrapping_mul(31).wrapping_add(b as i64));
    let last = bytes[bytes.len() - 1] as i64;
    let equal = (text == "aéz.") as i64 + 2 * (*text < *"c") as i64;
    state.host.note(&text);
    let length = text.len() as i64;
    text.clear();
    text.push('q');
    sum ^ acc ^ last ^ equal ^ (length << 8) ^ first as i64 ^ (text.as_str().len() as i64) << 12
}

/// What native code did to a text is seen afterwards, and what was done here by native code.
fn shared_texts(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    #[jit::dont_look_inside]
    fn append(text: &mut String, n: i64) {
        text.push_str(&n.to_string());
    }
    let mut text = String::from("n");
    let before = text.len();
    append(&mut text, x & 0xff);
    let between = text.len();
    text.push('!');
    append(&mut text, y & 7);
    let copy = text.clone();
    let moved = std::mem::take(&mut text);
    let other = &moved[1..];
    acc ^ before as i64
        ^ (between as i64) << 4
        ^ (moved.len() as i64) << 8
        ^ other.bytes().map(i64::from).sum::<i64>()
        ^ (copy == moved && text.is_empty()) as i64
}

/// Slices to arrays, with results that may fail, and numbers to narrower ones.
fn converted(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let at = (x & 3) as usize;
    let bytes = acc.to_le_bytes();
    let word = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let pair: Result<[i64; 2], _> = state.cells[1..3].try_into();
    let wrong: Result<&[i64; 3], _> = state.cells[..2].try_into();
    let narrow = u8::try_from(y & 0x1ff).map_or_else(|e| e.to_string().len() as i64, i64::from);
    let [a, b] = pair.unwrap_or_default();
    word as i64 ^ a ^ b ^ wrong.is_err() as i64 ^ narrow ^ u16::try_from(y & 0x7fff).expect("it fits") as i64
}

/// Looking into maps leaves everything else as it is, and what is reached through them is found as it was left.
fn looked_up(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut map: HashMap<String, Point> = HashMap::new();
    map.insert("a".to_string(), Point { x, y });
    map.insert("b".to_string(), Point { x: y, y: x });
    state.cells[0] = x ^ 3;
    if let Some(point) = map.get_mut("a") {
        point.x = acc;
    }
    state.cells[0] = state.cells[0].wrapping_add(1);
    let a = map.get("a").map_or(0, |p| p.x ^ p.y);
    let missing = map.get("c").is_none() as i64 + 2 * map.contains_key("b") as i64;
    let mut tree: BTreeMap<i64, Rc<str>> = BTreeMap::new();
    tree.insert(x & 3, "three".into());
    tree.insert(9, "nine".into());
    let text = tree.get(&(y & 3)).map_or(0, |t| t.len() as i64) ^ tree[&9].len() as i64;
    let set: HashSet<i64> = [x, y].into_iter().collect();
    let mut queue = VecDeque::new();
    queue.push_back(state.cells[0]);
    queue.push_back(y);
    if let Some(front) = queue.get(0) {
        state.cells[1] = *front;
    }
    let first = queue.pop_front().unwrap_or(0);
    a ^ missing ^ text ^ set.contains(&x) as i64 ^ first ^ queue.len() as i64 ^ state.cells[0] ^ map["b"].x
}

/// Vectors whose elements own something, moved about by native code.
fn rearranged(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut list: Vec<Rc<i64>> = vec![Rc::new(acc), Rc::new(x)];
    list.insert(1, Rc::new(y));
    let kept = list[1].clone();
    let tail = list.split_off((x & 1) as usize);
    let mut all = tail;
    list.push(kept);
    all.append(&mut list);
    let gone = all.swap_remove(0);
    let one = all.remove(0);
    let sum = all.iter().fold(0, |sum: i64, n| sum.wrapping_mul(7).wrapping_add(**n));
    sum ^ *gone ^ *one ^ (Rc::strong_count(&one) as i64) << 3 ^ all.len() as i64 ^ list.len() as i64
}

type Step = Box<dyn Fn(&Point, &[i64]) -> Result<i64, String>>;

struct Steps {
    all: Vec<(char, Step)>,
}

#[jit::dont_look_inside]
fn steps(by: i64) -> Steps {
    let add: Step = Box::new(move |p, args| Ok(p.x.wrapping_add(by).wrapping_add(args.len() as i64)));
    let fail: Step = Box::new(|p, args| match args {
        [] => Err(format!("{p:?}")),
        [first, ..] => Ok(first ^ p.y),
    });
    Steps { all: vec![('a', add), ('f', fail)] }
}

/// Closures in a table, made natively and called through trait objects.
fn boxed_steps(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let table = steps(y);
    let point = Point { x, y: acc };
    let (name, step) = &table.all[(x & 1) as usize];
    let args = [acc, x];
    let result = step(&point, &args[..(y & 1) as usize * 2]);
    result.unwrap_or_else(|text| text.len() as i64) ^ *name as i64
}

topic! {
    TextsPushed => pushed
    TextsShared => shared_texts
    TextsConverted => converted
    MapsLookedUp => looked_up
    VecsRearranged => rearranged
    BoxedSteps => boxed_steps
}

metatrace::glue!();
