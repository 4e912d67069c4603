//! Bodies with the methods of numbers, characters and bools, wide integers and conversions.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use std::num::Wrapping;

use crate::code::Op;
use crate::state::State;

fn wide(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let product = acc as i128 * x as i128;
    let unsigned = (acc as u64 as u128) * (y as u64 as u128);
    let high = (unsigned >> 64) as u64;
    let sum = product + i128::from(y) - 1;
    let compare = (product > i128::from(i64::MAX)) as i64 + (unsigned < 1 << 70) as i64 * 2;
    high as i64 ^ (unsigned as u64) as i64 ^ (sum >> 3) as i64 ^ compare << 50
}

fn wide_ops(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = (acc as i128) << 40 | x as u64 as i128;
    let b = (y | 1) as i128;
    let (q, r) = (a / b, a % b);
    let narrowed = i64::try_from(a / (1 << 42)).unwrap_or(-1);
    let checked = a.checked_mul(b).map_or(0, |n| n as i64);
    let bits = a.count_ones() + (a as u128).leading_zeros();
    q as i64 ^ r as i64 ^ narrowed ^ checked ^ bits as i64 ^ (a ^ b & !a) as i64 ^ (-a == b) as i64
}

fn checked(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = acc.checked_pow((y & 7) as u32).unwrap_or(-1);
    let b = acc.checked_abs().unwrap_or(1) ^ x.checked_rem_euclid(y).unwrap_or(2);
    let c = (acc as u32).checked_add_signed(x as i32).unwrap_or(3) as i64;
    let d = (acc as u64).checked_next_power_of_two().unwrap_or(4) as i64;
    let e = x.checked_ilog2().unwrap_or(5) as i64;
    let f = (acc as u8).checked_shl(y as u32).unwrap_or(6) as i64;
    a ^ b ^ c << 1 ^ d ^ e << 2 ^ f << 3
}

fn saturating(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = (acc as i32).saturating_add(x as i32) as i64;
    let b = (acc as u8).saturating_sub(y as u8) as i64;
    let c = acc.saturating_mul(x).saturating_neg();
    let d = (x as u16).saturating_pow(3) as i64;
    let e = (acc as i8).saturating_abs() as i64;
    a ^ b << 3 ^ c ^ d << 7 ^ e << 20
}

fn powers(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = (acc & 7).pow((y & 7) as u32);
    let b = 2u64.pow((x & 31) as u32) as i64;
    let c = x.wrapping_pow(3) ^ (y as u32).wrapping_pow(5) as i64;
    let (d, over) = (acc as i32).overflowing_pow(2);
    let e = (acc as u64).isqrt() as i64 ^ ((x as u64) | 1).ilog2() as i64 ^ ((y as u64) | 1).ilog10() as i64;
    a ^ b ^ c ^ d as i64 ^ over as i64 ^ e
}

fn distances(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = acc.abs_diff(x) as i64 ^ (x as u8).abs_diff(y as u8) as i64;
    let b = acc.unsigned_abs() as i64 ^ (y as i32).unsigned_abs() as i64;
    let c = acc.rem_euclid(7) ^ acc.div_euclid(5) ^ x.signum() ^ (y as u64).div_ceil(3) as i64;
    let d = (x as u64).next_multiple_of(8) as i64 ^ (acc as u32).next_power_of_two() as i64;
    let e = (x as u16).midpoint(y as u16) as i64;
    a ^ b << 1 ^ c ^ d << 2 ^ e << 3
}

fn bit_tricks(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = (acc as u32).leading_ones() + (x as u16).trailing_ones() + (y as u8).leading_zeros();
    let b = (acc as u64).rotate_left(y as u32 & 63) ^ (x as u64).swap_bytes() ^ (y as u64).reverse_bits();
    let c = u32::from_le_bytes((x as u32).to_be_bytes()) ^ u32::from_be_bytes([acc as u8, 1, 2, y as u8]);
    let d = i64::from_ne_bytes(acc.to_ne_bytes());
    a as i64 ^ b as i64 ^ c as i64 ^ d ^ (x as u32).is_power_of_two() as i64 ^ u64::MAX.count_ones() as i64
}

fn conversions(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = u8::try_from(acc).map_or(-1, i64::from);
    let b: Result<i16, _> = x.try_into();
    let b = b.unwrap_or(i16::MIN) as i64;
    let c = usize::try_from(y).unwrap_or_default() as i64;
    let d = u32::try_from(acc as u64).is_ok() as i64;
    let e = i8::try_from(x as u8).unwrap_or(-1) as i64;
    let f =
        char::from_u32(acc as u32).map_or(7, |c| c as i64) ^ char::try_from(x as u8 as u32).is_ok() as i64;
    let g = i64::from(y as i32) ^ i64::from(true) ^ u64::from('c') as i64 ^ f64::from(3u8) as i64;
    a ^ b << 2 ^ c ^ d << 9 ^ e << 10 ^ f ^ g
}

fn wrappers(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut a = Wrapping(acc as i32);
    let b = Wrapping(x as i32);
    a += b;
    a = a * b - Wrapping(7);
    a += 3;
    let c = Wrapping(y as u8) << 3;
    a.0 as i64 ^ (c ^ Wrapping(5)).0 as i64 ^ (a == b) as i64 ^ (-b).0 as i64
}

fn chars(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let c = (acc as u8 & 127) as char;
    let d = char::from_digit((y & 15) as u32, 16).unwrap_or('?');
    let classes = [
        c.is_ascii_digit(),
        c.is_ascii_alphabetic(),
        c.is_ascii_alphanumeric(),
        c.is_ascii_whitespace(),
        c.is_ascii_uppercase(),
        c.is_ascii_hexdigit(),
        c.is_alphabetic(),
        c.is_whitespace(),
        c.is_numeric(),
        c.is_control(),
    ];
    let bits = classes.iter().fold(0i64, |n, b| n * 2 + *b as i64);
    let digit = c.to_digit(16).map_or(-1, i64::from);
    let cased = c.to_ascii_uppercase() as i64 ^ d.to_ascii_lowercase() as i64;
    bits ^ digit << 12 ^ cased << 16 ^ c.len_utf8() as i64 ^ c.eq_ignore_ascii_case(&(x as u8 as char)) as i64
}

fn bytes(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let b = acc as u8;
    let a = if b.is_ascii_digit() { (b - b'0') as i64 } else { -1 };
    let c = b.to_ascii_lowercase() as i64 ^ (x as u8).to_ascii_uppercase() as i64;
    let d = b.is_ascii_alphabetic() as i64 + b.is_ascii_whitespace() as i64 * 2 + b.is_ascii() as i64 * 4;
    a ^ c << 4 ^ d << 12
}

fn bools(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = (acc > x).then_some(acc).unwrap_or(1);
    let b = (y > 3).then(|| x ^ y);
    let c = (acc & 1 == 0) ^ (x > y) | !(x == 3) & (acc < y);
    a ^ b.unwrap_or(7) ^ i64::from(c) ^ bool::then_some(c, 5).map_or(0, |n| n)
}

fn floats(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let (a, b) = (acc as f64 / 3.0, y as f64);
    let m = a.max(b).min(1e6) + a.mul_add(2.0, b) + a.powi(2) + b.hypot(3.0);
    let r = (a / 7.0).round() + b.fract() + a.signum() + a.copysign(b) + b.recip();
    let t = (b / 9.0).sin() + (b / 9.0).atan2(a) + b.exp().ln() + (b * b + 1.0).log2() + b.powf(0.5).cbrt();
    state.floats[1] = m + r + t;
    let tests = a.is_finite() as i64 + b.is_sign_negative() as i64 * 2 + (a.to_degrees() > b) as i64 * 4;
    let c =
        a.clamp(-1000.0, 1000.0) + a.rem_euclid(7.0) + f64::from(x as f32) + f64::EPSILON + f64::MAX.min(1.0);
    (m + r + c) as i64
        ^ tests << 3
        ^ (a == f64::INFINITY) as i64
        ^ (f64::NAN.max(b)) as i64
        ^ (std::f64::consts::PI * b) as i64
}

fn constants(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = i64::MAX ^ u32::MAX as i64 ^ std::i32::MIN as i64 ^ i8::MIN as i64 ^ usize::BITS as i64;
    let b = 1_000_000u64 as i64 + 0xff_i64 + 0o17 + 0b1010 + b'\n' as i64 + '\u{41}' as i64 + 'é' as i64;
    let c = 1e3 as i64 + 2.5f32 as i64 + b"bytes"[1] as i64 + "text".len() as i64 + r#"raw"#.len() as i64;
    a ^ b ^ c ^ acc ^ x ^ y
}

fn parsed(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let text = if acc & 1 == 0 { "123" } else { "12x" };
    let n: i64 = text.parse().unwrap_or(-1);
    let m = i64::from_str_radix("ff", 16).unwrap_or(0);
    let f = "2.5".parse::<f64>().map_or(0, |f| f as i64);
    n ^ m ^ f ^ x
}

topic! {
    Wide => wide
    WideOps => wide_ops
    CheckedMethods => checked
    SaturatingMethods => saturating
    Powers => powers
    Distances => distances
    BitTricks => bit_tricks
    Conversions => conversions
    Wrappers => wrappers
    CharMethods => chars
    ByteMethods => bytes
    BoolMethods => bools
    FloatMethods => floats
    NumberLiterals => constants
    Parsed => parsed
}

metatrace::glue!();
