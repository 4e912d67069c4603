//! Bodies with patterns of every form.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State, Value};

const ORIGIN: Point = Point { x: 12, y: 3 };
const LIMITS: (i64, i64) = (11, 15);
const MAYBE: Option<i64> = Some(13);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Unit;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Pair(i64, u8);

#[derive(Clone, Debug)]
enum Tree {
    Leaf(i64),
    Node(Box<Tree>, Box<Tree>),
}

fn slice_pat(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let n = (y & 7) as usize;
    let a = match &state.cells[..n.min(5)] {
        [] => -1,
        [one] => *one,
        [first, .., last] if first > last => first ^ last,
        [first, middle @ .., _] => *first ^ middle.len() as i64,
    };
    let b = match [acc, x, y] {
        [0, ..] => 1,
        [.., 3 | 4] => 2,
        [p, q @ 12..=14, _] => p ^ q,
        [p, rest @ ..] => p ^ rest[1],
    };
    if let [p, q, ..] = &mut state.points[..] {
        p.x ^= 1;
        q.y = q.y.wrapping_add(p.x);
    }
    a ^ b << 3
}

fn slice_deep(acc: i64, x: i64, _y: i64, state: &mut State) -> i64 {
    let [a, b, ref rest @ ..] = state.record.array;
    let [Point { x: px, .. }, .., Point { y: py, .. }] = state.points.as_slice() else { return acc };
    let text = match b"let" {
        [b'l', tail @ ..] => tail.len() as i64,
        _ => 0,
    };
    let word = match state.log.as_slice() {
        b"abc" => 1,
        [1, 2, ..] => 2,
        _ => 3,
    };
    a as i64 ^ b as i64 ^ rest.len() as i64 ^ px ^ py ^ x ^ text << 9 ^ word << 11
}

fn struct_consts(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = match (Point { x, y }) {
        ORIGIN => 100,
        Point { x: 13, .. } => 200,
        Point { x, y } => x ^ y,
    };
    let b = match (x, y) {
        LIMITS => 1,
        (i64::MAX, _) => 2,
        (_, i64::MIN..0) => 3,
        _ => 4,
    };
    let c = match if acc > 3 { Some(x) } else { None } {
        MAYBE => 1,
        None => 2,
        Some(_) => 3,
    };
    a ^ b << 8 ^ c << 12
}

fn at_bindings(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let whole = Point { x, y };
    let ref point @ Point { x: px, y: ref py } = whole;
    let a = match acc {
        n @ (1..=5 | 12..=15) => n * 2,
        n @ ..=0 => n ^ 1,
        n => n ^ 3,
    };
    let b = match Some(Pair(x, y as u8)) {
        Some(p @ Pair(12 | 13, _)) => p.1 as i64,
        Some(ref p @ Pair(n, m)) if m > 3 => n ^ p.0 ^ 7,
        Some(Pair(..)) => 5,
        None => 0,
    };
    a ^ b << 4 ^ point.x ^ px ^ *py
}

fn ref_mut(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut pair = (acc, Some(x));
    let (ref mut a, ref b) = pair;
    *a ^= b.unwrap_or(0);
    if let (n, Some(ref mut m)) = pair {
        *m = m.wrapping_add(n);
    }
    let &mut Point { x: ref mut px, .. } = &mut state.points[0];
    *px ^= y;
    let Point { x: cx, y: cy } = &mut state.points[1];
    std::mem::swap(cx, cy);
    pair.0 ^ pair.1.unwrap_or(1) ^ state.points[0].x
}

#[jit::unroll_safe]
fn ergonomics(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let value = &Some((x, Point { x: y, y: acc }));
    let Some((a, Point { x: b, y: c })) = value else { return 0 };
    let nested = &&(a, &b);
    let (d, e) = nested;
    let mut list = [(1u8, x), (2, y)];
    for (k, v) in &mut list {
        *k += 1;
        *v ^= *k as i64;
    }
    let first = state.values.iter().map(|v| match v {
        Value::Int(n) => *n,
        Value::Pair(a, b) if *b > 3 => *a as i64,
        Value::Named { x, .. } => *x,
        _ => 0,
    });
    let sum = first.fold(0i64, |a, b| a ^ b);
    *a ^ *c ^ **d ^ **e ^ list[0].1 ^ list[1].1 ^ sum ^ list[1].0 as i64
}

#[allow(unused_parens, reason = "an expression in parentheses where a pattern with alternatives is bound")]
fn or_patterns(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let a = match state.values[(acc & 3) as usize] {
        Value::Int(n) | Value::Named { x: n, .. } if n > 3 => n,
        Value::Int(n) | Value::Named { x: n, at: _ } => -n,
        Value::Bool(true) | Value::Nil => 1,
        Value::Bool(false) => 2,
        Value::Float(f) => f as i64,
        Value::Pair(a, _) => a as i64,
    };
    let (Ok(n) | Err(n)) = (if x > 12 { Ok(x) } else { Err(y) });
    let b = if let (1 | 2, m) | (m, 1 | 2) = (y, x) { m } else { 0 };
    let c = matches!((x, y), (11..=13, 1) | (_, 4..)) as i64;
    a ^ n << 3 ^ b << 5 ^ c << 7
}

fn closures_params(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let f = |(a, b): (i64, i64), Point { x, y }: Point, &c: &i64| a ^ b << 1 ^ x << 2 ^ y << 3 ^ c;
    let g = |[a, b]: [i64; 2], _: u8| a.wrapping_sub(b);
    f((acc, x), Point { x, y }, &y) ^ g([x, y], 3)
}

fn params((a, b): (i64, i64), Pair(c, d): Pair, [e, ..]: [i64; 3], Unit: Unit) -> i64 {
    a ^ b << 1 ^ c << 2 ^ (d as i64) << 3 ^ e << 4
}

fn fn_params(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    params((acc, x), Pair(y, x as u8), [x, y, acc], Unit)
}

fn assign_struct(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let (mut a, mut b, c);
    (a, b) = (acc, x);
    (b, a) = (a, b);
    [a, b] = [b, a];
    Point { x: a, .. } = Point { x: a ^ y, y: 3 };
    Pair(b, _) = Pair(b ^ 1, 2);
    (state.cells[0], [c, .., state.points[1]]) = (a, [state.points[0]; 3]);
    (_, (state.record.long, ..)) = (1, (b, 2, 3));
    a ^ b ^ c.x ^ state.record.long
}

fn tree(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let tree = Tree::Node(
        Box::new(Tree::Leaf(x)),
        Box::new(Tree::Node(Box::new(Tree::Leaf(y)), Box::new(Tree::Leaf(acc)))),
    );
    fn sum(tree: &Tree) -> i64 {
        match tree {
            Tree::Leaf(n) => *n,
            Tree::Node(a, b) => sum(a).wrapping_mul(3) ^ sum(b),
        }
    }
    let total = sum(&tree);
    match tree {
        Tree::Node(left, right) => match (*left, *right) {
            (Tree::Leaf(n), Tree::Node(a, _)) => n ^ sum(&a) ^ total,
            (other, _) => sum(&other),
        },
        Tree::Leaf(n) => n,
    }
}

fn string_match(acc: i64, _x: i64, y: i64, _state: &mut State) -> i64 {
    let name = ["add", "sub", "multiply", ""][(y & 3) as usize];
    let a = match name {
        "add" => 1,
        "sub" | "subtract" => 2,
        "" => 3,
        other => other.len() as i64,
    };
    let b = match (name, acc & 1) {
        ("add", 0) => 10,
        ("add", _) => 20,
        (_, 1) => 30,
        _ => 40,
    };
    a + b
}

fn bools_chars(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = match (x > y, acc & 1 == 0) {
        (true, true) => 1,
        (true, false) => 2,
        (false, _) => 3,
    };
    let c = char::from(acc as u8);
    let b = match c {
        'a'..='f' | 'A'..='F' => 1,
        '0'..='9' => 2,
        '_' => 3,
        c if c.is_ascii_punctuation() => 4,
        _ => 5,
    };
    let d = match x as u8 {
        0..=9 => 1,
        b'a'..=b'z' => 2,
        u8::MAX => 3,
        _ => 4,
    };
    a + b * 10 + d * 100
}

#[jit::unroll_safe]
fn let_chains(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let first = state.cells.first().copied();
    if x > 10
        && let Some(a) = first
        && let b = a ^ acc
        && b > y
        && let Some(c) = state.cells.get((b & 7) as usize)
    {
        return b ^ c;
    }
    let mut n = acc & 15;
    let mut steps = 0;
    while let Some(m) = n.checked_sub(3)
        && m > 0
        && steps < 4
    {
        n = m;
        steps += 1;
    }
    n * 10 + steps
}

topic! {
    SlicePat => slice_pat
    SliceDeep => slice_deep
    StructConsts => struct_consts
    AtBindings => at_bindings
    RefMut => ref_mut
    Ergonomics => ergonomics
    OrPatterns => or_patterns
    ClosureParams => closures_params
    FnParams => fn_params
    AssignStruct => assign_struct
    TreeMatch => tree
    StringMatch => string_match
    BoolsChars => bools_chars
    LetChains => let_chains
}

metatrace::glue!();
