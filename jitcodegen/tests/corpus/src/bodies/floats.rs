use crate::code::Op;
use crate::state::State;

fn double(acc: i64, x: i64, y: i64) -> f64 {
    let (a, b) = (x as f64 / 4.0, y as f64);
    match acc & 7 {
        0 => a + b,
        1 => a - b,
        2 => a * b,
        3 => a / (b - 2.0),
        4 => a % b,
        5 => -a,
        6 => (a * a + b).sqrt(),
        _ => (b - a).abs(),
    }
}

fn single(acc: i64, x: i64, y: i64) -> f32 {
    let (a, b) = (x as f32 / 3.0, y as f32);
    match acc & 3 {
        0 => a + b * 16_777_217.0,
        1 => a * b - 0.1,
        2 => a / b,
        _ => -a % b,
    }
}

fn to_int(x: f64) -> i64 {
    let narrow = (x as u8 as i64) ^ (x as i8 as i64) << 8 ^ (x as u16 as i64) << 16 ^ (x as i32 as i64) << 20;
    narrow ^ x as i64 ^ (x as u64) as i64 ^ (x as f32 as i16) as i64
}

fn compare(a: f64, b: f64) -> i64 {
    let bits = [a < b, a <= b, a > b, a >= b, a == b, a != b, a.is_nan(), !(a < b)];
    let mut sum = 0;
    if bits[0] {
        sum += 1
    }
    if bits[1] {
        sum += 2
    }
    if bits[2] {
        sum += 4
    }
    if bits[3] {
        sum += 8
    }
    if bits[4] {
        sum += 16
    }
    if bits[5] {
        sum += 32
    }
    if bits[6] {
        sum += 64
    }
    if bits[7] {
        sum += 128
    }
    sum
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::Double => (double(acc, x, y) * 100.0) as i64,
        Op::Single => (single(acc, x, y) * 100.0) as i64,
        Op::FromInt => {
            let sum = x as i8 as f64 + y as u8 as f64 + acc as u64 as f64 + x as u32 as f64;
            (sum / 1024.0) as i64 ^ (acc as f32 as f64 / 7.0) as i64 ^ f64::from(x as i32) as i64
        }
        Op::ToInt => to_int(double(acc, x, y)),
        Op::FloatCompare => {
            let nan = 0.0 / (y as f64 - 3.0) * 0.0;
            compare(double(acc, x, y), double(y, x, y)) ^ compare(nan, x as f64) << 8
        }
        Op::FloatState => {
            state.floats[(y & 1) as usize] += x as f64 * 0.5;
            state.floats[2] = state.floats[0] - state.floats[1];
            state.record.single += 0.1;
            state.record.float = state.floats[2] / state.record.single as f64;
            state.floats[2] as i64
        }
        Op::Rounding => {
            let n = double(acc, x, y);
            n.floor() as i64 ^ (n.ceil() as i64) << 8 ^ (n.trunc() as i64) << 16
        }
        Op::FloatBits => {
            let bits = (x as f64 + 0.1).to_bits();
            let back = f64::from_bits(bits ^ 1);
            (back * 8.0) as i64 ^ (y as f32).to_bits() as i64
        }
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
