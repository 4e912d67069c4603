//! Numbers as text, and conversions between their two kinds.
//!
//! In and out: bytes, `i64`, `f64`. It knows nothing of the machine. Texts are as the manual says: decimal and hexadecimal integers
//! and floats; integers that do not fit are floats in decimal, and wrap around in hexadecimal.

use metatrace::jit;

metatrace::glue!();

/// A number of either kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub fn to_float(self) -> f64 {
        match self {
            Number::Int(int) => int as f64,
            Number::Float(float) => float,
        }
    }
}

/// The integer with exactly this value.
#[inline]
pub fn float_to_int(float: f64) -> Option<i64> {
    // Above this all floats are too large; the bound itself is not an i64.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&float) {
        let int = float as i64;
        (int as f64 == float).then_some(int)
    } else {
        None
    }
}

/// Whether a byte is a space for C.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

/// The text without spaces around it.
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_space(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}

/// The number that a text stands for, with spaces around and a sign allowed.
pub fn parse(text: &[u8]) -> Option<Number> {
    let text = trim(text);
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if let [b'0', b'x' | b'X', rest @ ..] = digits {
        return parse_hexadecimal(rest, negative);
    }
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        if let Some(int) = decimal_integer(digits, negative) {
            return Some(Number::Int(int));
        }
    } else if !is_decimal_float(digits) {
        return None;
    }
    let float: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(Number::Float(if negative { -float } else { float }))
}

fn decimal_integer(digits: &[u8], negative: bool) -> Option<i64> {
    let mut value: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        value = value.checked_mul(10)?;
        value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
    }
    Some(value)
}

/// Digits with a point somewhere, and an exponent: Rust's parser takes more than that.
fn is_decimal_float(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(text);
    let mut rest = &text[whole..];
    let mut count = whole;
    if let [b'.', behind @ ..] = rest {
        let fraction = digits(behind);
        count += fraction;
        rest = &behind[fraction..];
    }
    if count == 0 {
        return false;
    }
    if let [b'e' | b'E', behind @ ..] = rest {
        let behind = match behind {
            [b'+' | b'-', behind @ ..] => behind,
            _ => behind,
        };
        let exponent = digits(behind);
        return exponent > 0 && exponent == behind.len();
    }
    rest.is_empty()
}

fn parse_hexadecimal(text: &[u8], negative: bool) -> Option<Number> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    if !text.is_empty() && text.iter().all(|&byte| digit(byte).is_some()) {
        let value = text.iter().fold(0u64, |value, &byte| {
            value.wrapping_mul(16).wrapping_add(u64::from(digit(byte).unwrap_or(0)))
        });
        let int = value as i64;
        return Some(Number::Int(if negative { int.wrapping_neg() } else { int }));
    }
    // What the mantissa cannot hold only matters for rounding: a set bit below the last stands for it.
    let (mut mantissa, mut exponent, mut any, mut point) = (0u64, 0i64, false, false);
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        if *byte == b'.' && !point {
            point = true;
        } else if let Some(digit) = digit(*byte) {
            any = true;
            if mantissa >> 58 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if point { 4 } else { 0 };
            } else {
                mantissa |= u64::from(digit != 0);
                exponent += if point { 0 } else { 4 };
            }
        } else {
            break;
        }
        rest = behind;
    }
    if !any {
        return None;
    }
    if let [b'p' | b'P', behind @ ..] = rest {
        let (minus, digits) = match behind {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, behind),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = digits.iter().fold(0i64, |value, digit| {
            value.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(1 << 40)
        });
        exponent += if minus { -value } else { value };
        rest = &[];
    }
    if !rest.is_empty() {
        return None;
    }
    let float = scale(mantissa, exponent);
    Some(Number::Float(if negative { -float } else { float }))
}

/// `mantissa * 2^exponent`, rounded once.
fn scale(mantissa: u64, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = i64::from(mantissa.leading_zeros());
    let (mantissa, exponent) = (mantissa << shift, exponent - shift);
    // The value is mantissa * 2^exponent with the mantissa's highest bit set: 2^(exponent + 63) <= value.
    let top = exponent + 63;
    if top > 1023 {
        return f64::INFINITY;
    }
    // Bits that the result has: 53, fewer for subnormal numbers.
    let bits = if top >= -1022 { 53 } else { 53 - (-1022 - top) };
    if bits < 0 {
        return 0.0;
    }
    let drop = (64 - bits) as u32;
    let (kept, rest, half) = if drop >= 64 {
        (0, u128::from(mantissa), 1u128 << (drop - 1))
    } else {
        (mantissa >> drop, u128::from(mantissa & ((1 << drop) - 1)), 1u128 << (drop - 1))
    };
    let kept = if rest > half || rest == half && kept & 1 == 1 { kept + 1 } else { kept };
    let power = exponent + i64::from(drop);
    // Two exact steps, since 2^power alone may be too small to be normal.
    let step = |power: i64| f64::from_bits(((power + 1023) as u64) << 52);
    if power < -1022 { kept as f64 * step(power + 200) * step(-200) } else { kept as f64 * step(power) }
}

/// Appends a decimal integer.
pub fn push_int(out: &mut Vec<u8>, int: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = int.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if int < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a float as `tostring` writes it: 14 digits, and recognizable as a float.
pub fn push_float(out: &mut Vec<u8>, float: f64) {
    let start = out.len();
    if float == float.trunc() && float.abs() < 1e15 {
        // Exact integers of at most 14 digits need no rounding.
        let int = float as i64;
        if int.unsigned_abs() < 100_000_000_000_000 && (int != 0 || float.is_sign_positive()) {
            push_int(out, int);
            out.extend_from_slice(b".0");
            return;
        }
    }
    push_general(out, float, 14, false, false);
    if out[start..].iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') {
        out.extend_from_slice(b".0");
    }
}

/// Appends a float as C's `%.{precision}g` does; `alternate` keeps trailing zeros.
pub fn push_general(out: &mut Vec<u8>, float: f64, precision: usize, alternate: bool, upper: bool) {
    if !float.is_finite() {
        return push_special(out, float, upper);
    }
    let precision = precision.max(1);
    let text = format!("{:.*e}", precision - 1, float);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= precision as i32 {
        let mantissa = if alternate { mantissa } else { without_zeros(mantissa) };
        out.extend_from_slice(mantissa.as_bytes());
        push_exponent(out, exponent, upper);
    } else {
        let text = format!("{:.*}", (precision as i32 - 1 - exponent) as usize, float);
        out.extend_from_slice(if alternate { &text } else { without_zeros(&text) }.as_bytes());
    }
}

/// Appends `e+05`.
pub fn push_exponent(out: &mut Vec<u8>, exponent: i32, upper: bool) {
    out.push(if upper { b'E' } else { b'e' });
    out.push(if exponent < 0 { b'-' } else { b'+' });
    out.extend_from_slice(format!("{:02}", exponent.abs()).as_bytes());
}

/// Appends an infinity or what is no number.
pub fn push_special(out: &mut Vec<u8>, float: f64, upper: bool) {
    if float.is_sign_negative() {
        out.push(b'-');
    }
    let text = if float.is_nan() { "nan" } else { "inf" };
    if upper {
        out.extend_from_slice(text.to_ascii_uppercase().as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Appends the UTF-8 sequence of a value up to 2^31, in up to six bytes.
pub fn push_utf8(out: &mut Vec<u8>, value: u32) {
    if value < 0x80 {
        out.push(value as u8);
        return;
    }
    let mut bytes = [0; 6];
    let mut at = bytes.len();
    let mut rest = value;
    // What the first byte has room for beside its marker.
    let mut room = 0x3F;
    while rest > room {
        at -= 1;
        bytes[at] = 0x80 | (rest & 0x3F) as u8;
        rest >>= 6;
        room >>= 1;
    }
    at -= 1;
    bytes[at] = (!room << 1) as u8 | rest as u8;
    out.extend_from_slice(&bytes[at..]);
}

/// `a // b` for integers; nothing if `b` is 0.
#[inline]
pub fn int_floor_div(a: i64, b: i64) -> Option<i64> {
    if b == 0 {
        return None;
    }
    let quotient = a.wrapping_div(b);
    let remainder = a.wrapping_rem(b);
    Some(if remainder != 0 && (remainder ^ b) < 0 { quotient - 1 } else { quotient })
}

/// `a % b` for integers; nothing if `b` is 0.
#[inline]
pub fn int_modulo(a: i64, b: i64) -> Option<i64> {
    if b == 0 {
        return None;
    }
    let remainder = a.wrapping_rem(b);
    Some(if remainder != 0 && (remainder ^ b) < 0 { remainder + b } else { remainder })
}

/// `a % b` for floats.
#[inline]
pub fn float_modulo(a: f64, b: f64) -> f64 {
    let remainder = a % b;
    if remainder != 0.0 && (remainder < 0.0) != (b < 0.0) { remainder + b } else { remainder }
}

/// `a ^ b`.
#[inline]
#[jit::dont_look_inside]
pub fn power(a: f64, b: f64) -> f64 {
    if b == 2.0 { a * a } else { a.powf(b) }
}

/// `a << b`, to the right for negative `b`, with zeros shifted in.
#[inline]
pub fn shift_left(a: i64, b: i64) -> i64 {
    match b {
        0..=63 => ((a as u64) << b) as i64,
        -63..0 => ((a as u64) >> -b) as i64,
        _ => 0,
    }
}
