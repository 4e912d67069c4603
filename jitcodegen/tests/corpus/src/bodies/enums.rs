use crate::code::Op;
use crate::state::{Point, State, Value};

/// An expression that owns nothing.
#[derive(Clone, Copy)]
enum Shape {
    Dot,
    Circle(i64),
    Box { width: i64, height: i64 },
    At(Point, u8),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Colour {
    Red = 3,
    Green,
    Blue = -1,
}

fn shape(acc: i64, y: i64) -> Shape {
    match acc & 3 {
        0 => Shape::Dot,
        1 => Shape::Circle(y),
        2 => Shape::Box { width: y, height: acc },
        _ => Shape::At(Point { x: acc, y }, acc as u8),
    }
}

fn area(shape: Shape) -> i64 {
    match shape {
        Shape::Dot => 0,
        Shape::Circle(r) => r.wrapping_mul(r).wrapping_mul(3),
        Shape::Box { width, height } => width.wrapping_mul(height),
        Shape::At(Point { x, y: 3 }, _) => x,
        Shape::At(Point { x, y }, n) => x ^ y ^ n as i64,
    }
}

fn weight(shape: &Shape) -> i64 {
    match shape {
        Shape::Circle(r) if *r > 3 => *r,
        Shape::Circle(r) => r.wrapping_neg(),
        Shape::Box { height, .. } => *height,
        Shape::At(point, n) => point.y.wrapping_add(i64::from(*n)),
        &Shape::Dot => 1,
    }
}

fn grow(shape: &mut Shape, by: i64) {
    match shape {
        Shape::Dot => *shape = Shape::Circle(by),
        Shape::Circle(r) => *r = r.wrapping_add(by),
        Shape::Box { width, .. } => *width ^= by,
        Shape::At(Point { y, .. }, n) => {
            *y = y.wrapping_mul(by);
            *n = n.wrapping_add(1);
        }
    }
}

fn guards(acc: i64, x: i64, y: i64) -> i64 {
    match (acc & 3, x, y) {
        (0, n @ 11..=14, _) => n,
        (0 | 1, n, m) if n > m && m != 3 => n.wrapping_sub(m),
        (k @ (1 | 2), _, m) if m > 4 => k + m,
        (_, n, m) if let Some(s) = n.checked_add(m) => s,
        (_, n, _) => n,
    }
}

fn nested(acc: i64, x: i64, y: i64) -> i64 {
    let outer = if acc & 1 == 0 { Some(shape(x, y)) } else { None };
    match outer {
        Some(Shape::Circle(r @ 1..=3)) => r,
        Some(Shape::Box { width: 4 | 5, height }) => height,
        Some(inner @ (Shape::Dot | Shape::At(..))) => match inner {
            Shape::At(Point { x: px, .. }, n) if n > 12 => match px {
                13 => -13,
                other => other,
            },
            _ => area(inner),
        },
        Some(other) => weight(&other),
        None => -1,
    }
}

fn payloads(value: Value) -> i64 {
    match value {
        Value::Nil => -1,
        Value::Bool(b) => b as i64,
        Value::Int(n) => n,
        Value::Float(f) => f as i64,
        Value::Pair(a, b) => a as i64 * 256 + b as i64,
        Value::Named { at, x } => x ^ at as i64,
    }
}

fn discriminants(acc: i64) -> i64 {
    let colour = match acc & 3 {
        0 => Colour::Red,
        1 => Colour::Green,
        _ => Colour::Blue,
    };
    let order = (colour < Colour::Green) as i64 + (colour == Colour::Blue) as i64 * 2;
    colour as i64 * 16 + order + matches!(colour, Colour::Red | Colour::Blue) as i64 * 8
}

fn stored(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let index = (y & 3) as usize;
    let old = state.values[index];
    state.values[index] = match old {
        Value::Nil => Value::Bool(x > 12),
        Value::Bool(b) => Value::Int(b as i64 + acc),
        Value::Int(n) => Value::Float(n as f64),
        Value::Float(f) => Value::Pair(f as i32, acc as u8),
        Value::Pair(a, b) => Value::Named { at: b as u16, x: a as i64 },
        Value::Named { .. } => Value::Nil,
    };
    if let Value::Int(n) = &mut state.values[index] {
        *n ^= 1;
    }
    state.record.value = state.values[index];
    payloads(old).wrapping_add(payloads(state.record.value))
}

fn option_payload(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let slot = &mut state.record.option;
    let result = match slot {
        Some(n) if *n > 20 => {
            *n -= 1;
            *n
        }
        Some(_) => {
            *slot = None;
            0
        }
        None => {
            *slot = if y > 2 { Some(x) } else { None };
            acc
        }
    };
    result ^ slot.is_some() as i64
}

fn niche(acc: i64, state: &mut State) -> i64 {
    let cell: Option<&mut i64> = state.cells.get_mut((acc & 15) as usize);
    let letter = if acc & 1 == 0 { Some('x') } else { None };
    let flag = letter.map(|c| c > 'w');
    let found = match cell {
        Some(cell) => {
            *cell = cell.wrapping_add(1);
            *cell
        }
        None => -9,
    };
    match flag {
        Some(true) => found,
        Some(false) => 5,
        None => found ^ 1,
    }
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::ByValue => area(shape(acc, y)),
        Op::ByReference => weight(&shape(acc, y)),
        Op::ByMutable => {
            let mut s = shape(acc, y);
            grow(&mut s, x);
            grow(&mut s, y);
            area(s)
        }
        Op::Guards => guards(acc, x, y),
        Op::Nested => nested(acc, x, y),
        Op::Payloads => payloads(state.values[(acc as u64 % 6) as usize]),
        Op::Discriminants => discriminants(acc),
        Op::StoredEnum => stored(acc & 0xffff, x, y, state),
        Op::OptionPayload => option_payload(acc, x, y, state),
        Op::Niche => niche(acc, state),
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
