//! Bodies with expressions of every form that other topics do not have.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State, Value};

#[jit::unroll_safe]
fn loops(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut n = acc & 31;
    let found = 'search: loop {
        n += 1;
        let mut m = 0;
        while m < 4 {
            m += 1;
            if n * m > (x & 63) {
                break 'search Some((n, m));
            }
            if m == (y & 3) {
                continue 'search;
            }
        }
        if n > 40 {
            break None;
        }
    };
    let (a, b) = found.unwrap_or((0, 0));
    let unit = loop {
        if a >= 0 {
            break;
        }
    };
    let () = unit;
    a * 10 + b
}

fn blocks(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = {
        let x = x ^ 1;
        let y = { x ^ y };
        y + 1
    };
    let b = if let 0..5 = y {
        'inner: {
            if x > 12 {
                break 'inner 3;
            }
            4
        }
    } else {
        5
    };
    // SAFETY: the pointer is to a live variable.
    let c = unsafe { *(&raw const acc) };
    let d = const { 3 * 7 };
    let e = (|| {
        return acc ^ 1;
    })();
    a ^ b ^ c ^ d ^ e
}

fn diverging(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let n: i64 = if x > 1 << 40 { return 7 } else { x };
    let m = match y {
        i64::MIN..0 => return -1,
        0..100 => y,
        _ => {
            if acc > 3 {
                return n;
            }
            9
        }
    };
    let list = [n, if m > 50 { return 3 } else { m }];
    let point = Point { x: list[0], y: list[1] };
    let Point { x: a, y: b } = point;
    if a == b {
        unreachable!("they differ in practice: {a} {b}")
    }
    a ^ b
}

fn casts(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    #[derive(Clone, Copy)]
    #[repr(u8)]
    enum Small {
        A = 1,
        B = 200,
    }
    let small = if y > 3 { Small::A } else { Small::B };
    let f = acc as f32 as u8 as char as u32;
    let p = &x as *const i64;
    let q = p as usize & 7;
    let r = x as u8 as i8 as i16 as u32 as i64;
    let s = true as u8 + false as u8 + small as u8;
    let t = (y as f64 * 1.5) as i32 as u64 as i64;
    f as i64 ^ q as i64 ^ r ^ s as i64 ^ t
}

fn ranges(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let r = 1..5;
    let i = 1..=4;
    let from = 2..;
    let to = ..3;
    let a =
        state.cells[r.clone()].len() + state.cells[i].len() + state.cells[from].len() + state.cells[to].len();
    let b = r.contains(&(y as usize & 7)) as i64 + (..=3).contains(&x) as i64 * 2;
    a as i64 ^ b << 8 ^ r.start as i64 ^ acc
}

fn tuples(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut t = ((acc, x), [y; 2], ());
    t.0.1 ^= 3;
    t.1[1] = t.0.0;
    let ((a, _), [b, c], ()) = t;
    let u = (1u8,);
    let nested = (((x),),);
    fn swap<A, B>((a, b): (A, B)) -> (B, A) {
        (b, a)
    }
    let (p, q) = swap((a, t.0.1));
    let larger = (a, b, c, p, q, 1i8, true);
    a ^ b ^ c ^ u.0 as i64 ^ nested.0.0 ^ p ^ q ^ larger.5 as i64
}

fn structs(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let y2 = y ^ 1;
    let p = Point { y: y2, ..state.points[0] };
    let q = Point { x, ..Default::default() };
    let record = crate::state::Record { small: 3, long: acc, ..state.record.clone() };
    p.x ^ p.y ^ q.x ^ q.y ^ record.long ^ record.small as i64
}

fn references(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut a = acc;
    let r = &mut a;
    *r ^= 1;
    let rr = &r;
    let b = **rr;
    let s: &i64 = if y > 3 { &x } else { &y };
    let mut points = [Point { x, y }; 2];
    let [p, q] = &mut points;
    std::mem::swap(p, q);
    p.x = 3;
    let field = &mut state.record.point.x;
    *field = field.wrapping_add(*s);
    let opt: Option<&mut i64> = state.cells.get_mut(0);
    if let Some(n) = opt {
        *n ^= b;
    }
    let konst: &'static [i64] = &[1, 2, 3];
    b ^ *s ^ points[0].x ^ konst[(y & 1) as usize] ^ *&x
}

fn longest<'a>(a: &'a [i64], b: &'a [i64]) -> &'a [i64] {
    if a.len() > b.len() { a } else { b }
}

fn pick<'a, T>(flag: bool, a: &'a mut T, b: &'a mut T) -> &'a mut T {
    if flag { a } else { b }
}

fn lifetimes(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let (left, right) = state.cells.split_at((y & 7) as usize);
    let long = longest(left, right);
    let first = long.first().copied().unwrap_or(0);
    let (mut a, mut b) = (acc, x);
    *pick(y > 3, &mut a, &mut b) = first;
    a ^ b
}

fn inference(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut best = None;
    if x > 12 {
        best = Some(acc);
    }
    let mut list = Vec::new();
    list.push(y);
    let zero: i64 = Default::default();
    let sum: i64 = list[0] + zero;
    let n = 3;
    let m: u8 = n;
    let wide = 1 << 40_i64 | x;
    let parsed = "7".parse::<i32>().unwrap();
    best.unwrap_or(sum) ^ m as i64 ^ wide ^ parsed as i64 ^ [1, 2, 3].len() as i64 ^ -(-5)
}

#[allow(double_negations, reason = "what it warns of is what is tested")]
fn unusual(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let r#type = acc;
    let _unused = 5;
    let a = !-!x;
    let b = --y;
    let c = ((acc as i8) as u8) < (x as u8) || !(y > 3) ^ true;
    let d = 7 - 3 - 1 + 2 * 3 % 4 << 1 & 0xff | 1 ^ 2;
    let e = if c { 1 } else { 2 } + 3;
    let f = match x {
        _ if x > 3 => 1,
        _ => 2,
    } as i64;
    let g = [3, 4, 5][(y & 1) as usize];
    let h = { 3 }.max(x & 3);
    r#type ^ a ^ b ^ d ^ e ^ f ^ g ^ h
}

fn formats(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let text = format!("{acc}-{:?}-{0:x}-{y:>5}", x);
    state.host.note(&text);
    if acc == 123_456_789 {
        println!("never {text}");
    }
    let mut out = String::new();
    {
        use std::fmt::Write;
        write!(out, "{}", x & 7).unwrap();
        let _ = writeln!(&mut out, "!");
    }
    out.len() as i64 ^ text.len() as i64
}

fn generic_calls(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    fn default_of<T: Default>() -> T {
        T::default()
    }
    fn convert<T, U: From<T>>(t: T) -> U {
        U::from(t)
    }
    let a = default_of::<i64>() ^ convert::<i32, i64>(x as i32);
    let b: u64 = convert(y as u8);
    let c = <i64 as Ord>::max(acc, x);
    let d = i64::max(1, 2) ^ Ord::min(3, y) ^ <i64>::abs(-5) ^ Iterator::count(0..3) as i64;
    let e = Vec::<u8>::with_capacity(4).len() + <[i64]>::len(&[1, 2]);
    a ^ b as i64 ^ c ^ d ^ e as i64
}

fn value_of(value: &Value) -> Option<&i64> {
    match value {
        Value::Int(n) | Value::Named { x: n, .. } => Some(n),
        _ => None,
    }
}

#[jit::unroll_safe]
fn combined(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut total = 0i64;
    for (i, value) in state.values.iter().enumerate().filter(|(i, _)| i % 2 == (y & 1) as usize) {
        let Some(n) = value_of(value) else { continue };
        total = total.wrapping_add(n ^ i as i64);
    }
    let mut i = 0;
    let limit = loop {
        match state.values.get(i) {
            Some(Value::Float(f)) if *f > 0.0 => break *f as i64,
            Some(_) => i += 1,
            None => break x,
        }
    };
    total ^ limit ^ acc
}

topic! {
    LoopForms => loops
    Blocks => blocks
    Diverging => diverging
    CastForms => casts
    RangeForms => ranges
    Tuples => tuples
    StructUpdate => structs
    ReferenceForms => references
    Lifetimes => lifetimes
    InferenceForms => inference
    Unusual => unusual
    Formats => formats
    GenericCalls => generic_calls
    Combined => combined
}

metatrace::glue!();
