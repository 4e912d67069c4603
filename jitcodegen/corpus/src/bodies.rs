//! The portal, with a body of Rust in each arm.

use metatrace::{Traced, jit};

use crate::values::{Host, Shape, Value, apply, checked, even, mix, point};

metatrace::glue!();

/// Why a program ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure(text)
    }
}

/// How many bodies there are.
pub const BODIES: u8 = 28;

/// What the bodies change.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    values: Vec<Value>,
    shapes: [Shape; 3],
    small: (u8, i16, u32),
    half: f32,
    log: Vec<u8>,
}

/// Runs the bodies of `code` so often: the accumulator, and the rest of the state as text.
///
/// # Errors
/// What a body reports.
///
/// # Panics
/// As its bodies do.
pub fn run(code: &Traced<Vec<u8>>, acc: i64, rounds: i64, host: &mut Host) -> (Result<i64, Failure>, String) {
    let mut state = State {
        values: vec![Value::Nil, Value::Int(1), Value::Float(0.25), Value::Pair { a: 1, b: -2 }],
        shapes: [Shape::Dot, Shape::Circle(2), Shape::Box { width: -3, height: 4 }],
        small: (250, -300, 7),
        half: 0.5,
        log: vec![],
    };
    let result = interpret(0, code, acc, rounds, &mut state, host);
    (result, format!("{state:?}"))
}

#[jit::portal(owner = code, greens = [pc])]
fn interpret(
    mut pc: usize,
    code: &Traced<Vec<u8>>,
    mut acc: i64,
    mut n: i64,
    state: &mut State,
    host: &mut Host,
) -> Result<i64, Failure> {
    loop {
        jit::merge_point!();
        if pc == code.len() {
            n -= 1;
            if n <= 0 {
                return Ok(acc);
            }
            pc = 0;
            jit::can_enter_jit!();
        }
        match code[pc] {
            0 => acc = ((acc + 7) as u8) as i64,
            1 => acc = ((acc * 3 + 1) as i32) as i64,
            2 => state.log.push(1u8),
            3 => {
                let mut count = n;
                count = count + 1;
                acc ^= count;
            }
            4 => acc = acc.wrapping_add(host.next() as i64),
            5 => {
                for k in 0..3 {
                    acc += k
                }
            }
            6 => acc = (0 - n) / 2 + acc / (n - 1_000),
            7 => acc = unsigned(acc as u64),
            8 => {
                if acc > 5 && n > 2 || !(acc < 100) {
                    acc = acc & 0xffff
                } else {
                    acc = acc.wrapping_sub(n)
                }
            }
            9 => acc = acc.wrapping_mul(1_000_003),
            10 => {
                let (a, b) = (acc, n);
                acc = a ^ (b << 3);
            }
            11 => acc = mix(acc, n),
            12 => match n {
                1 => acc = 1,
                2 | 3 => acc = acc.wrapping_add(2),
                _ => acc = acc.wrapping_add(n),
            },
            13 => {
                if let Some(half) = even(acc) {
                    acc = half
                }
            }
            14 => {
                let mut k = acc & 7;
                while k > 0 {
                    k -= 1;
                    acc ^= k
                }
            }
            15 => {
                let p = point(acc);
                acc = p.x ^ (p.y as i64);
            }
            16 => acc = apply(|x| x.wrapping_add(n), acc),
            17 => acc = checked(acc & 0xfff)?,
            18 => {
                let f = acc as f64 / 3.0;
                state.half = state.half * 1.5 + f as f32;
                acc = (f.sqrt() + state.half as f64) as i64;
            }
            19 => acc = read(&state.values, acc),
            20 => {
                let at = (n & 3) as usize;
                state.values[at] = match acc & 3 {
                    0 => Value::Nil,
                    1 => Value::Int(acc),
                    2 => Value::Float(acc as f64 * 0.125),
                    _ => Value::Pair { a: acc as u8, b: n as i16 },
                };
            }
            21 => {
                let at = (acc & 3) as usize;
                let to = (n & 3) as usize;
                let value = state.values[at];
                state.values[to] = value;
            }
            22 => acc = change_small(state, acc),
            23 => acc = change_shapes(state, acc, n),
            24 => host.say(acc),
            25 => {
                let bytes = [acc as u8, n as u8, 3];
                let mut sum = 0u32;
                for &byte in &bytes {
                    sum = sum * 5 + byte as u32;
                }
                acc = sum as i64 - bytes[(acc & 1) as usize] as i64;
            }
            26 => {
                let high = &mut state.small.2;
                *high ^= acc as u32;
                if let Value::Int(x) = &mut state.values[1] {
                    *x = x.wrapping_add(n);
                    acc ^= *x;
                }
            }
            _ => acc = acc % 10_007 - (acc as i16 >> 2) as i64 + (acc as u16 / 3) as i64,
        }
        pc += 1;
    }
}

fn read(values: &[Value], acc: i64) -> i64 {
    match values[(acc & 3) as usize] {
        Value::Nil => acc,
        Value::Int(x) => acc ^ x,
        Value::Float(f) => f as i64,
        Value::Pair { a, b } => a as i64 - b as i64,
    }
}

fn change_small(state: &mut State, acc: i64) -> i64 {
    state.small.0 = state.small.0.wrapping_add(acc as u8);
    state.small.1 = state.small.1.wrapping_mul(3) >> 1;
    state.small.2 = (state.small.2 << 1) | (state.small.2 >> 31);
    acc.wrapping_add(state.small.0 as i64 + state.small.1 as i64 + state.small.2 as i64)
}

fn change_shapes(state: &mut State, acc: i64, n: i64) -> i64 {
    let shape = state.shapes[(n % 3) as usize];
    let acc = match shape {
        Shape::Dot => acc,
        Shape::Circle(radius) => acc ^ radius,
        Shape::Box { width, height } => acc ^ (width as i64 * height as i64),
    };
    state.shapes[(acc & 1) as usize] = Shape::Circle(acc & 0xff);
    state.shapes[2] = Shape::Box { width: acc as i32, height: n as u32 };
    acc
}

fn unsigned(u: u64) -> i64 {
    let acc = ((u >> 3) ^ (u / 7)) as i64;
    if u > 1 << 62 { acc.wrapping_neg() } else { acc }
}
