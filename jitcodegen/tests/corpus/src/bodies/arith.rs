use crate::code::Op;
use crate::state::State;

/// Arithmetic that panics where the build checks overflow.
macro_rules! plain {
    ($($name:ident $ty:ident)*) => { $(
        fn $name(acc: i64, x: i64, y: i64) -> i64 {
            let (a, b) = (x as $ty, y as $ty);
            match acc & 7 {
                0 => (a + b) as i64,
                1 => (a - b) as i64,
                2 => (a * b) as i64,
                3 => (a / b) as i64,
                4 => (a % b) as i64,
                5 => (a << b) as i64,
                6 => (a >> b) as i64,
                _ => (!a ^ (a & b | 3)) as i64,
            }
        }
    )* };
}
plain! {
    plain_i8 i8 plain_u8 u8 plain_i16 i16 plain_u16 u16 plain_i32 i32 plain_u32 u32 plain_i64 i64 plain_u64 u64
    plain_isize isize plain_usize usize
}

/// Arithmetic that says what happens on overflow.
macro_rules! modes {
    ($($name:ident $ty:ident)*) => { $(
        fn $name(acc: i64, x: i64, y: i64) -> i64 {
            let (a, b) = (x as $ty, y as $ty);
            let n = y as u32;
            let option = match acc & 7 {
                0 => a.checked_add(b),
                1 => a.checked_sub(b),
                2 => a.checked_mul(b),
                3 => a.checked_div(b),
                4 => a.checked_rem(b),
                5 => a.checked_shl(n),
                6 => a.checked_shr(n),
                _ => a.checked_neg(),
            };
            let wrapped = match (x ^ y) & 7 {
                0 => a.wrapping_add(b),
                1 => a.wrapping_sub(b),
                2 => a.wrapping_mul(b),
                3 => a.wrapping_neg(),
                4 => a.wrapping_shl(n),
                5 => a.wrapping_shr(n),
                6 => a.rotate_left(n & 7),
                _ => a.swap_bytes(),
            };
            let saturated = match y & 3 {
                0 => a.saturating_add(b),
                1 => a.saturating_sub(b),
                2 => a.saturating_mul(b),
                _ => $ty::MAX / 2 + $ty::MIN / 3,
            };
            let (sum, over) = a.overflowing_add(b);
            let (product, far) = a.overflowing_mul(b);
            option.unwrap_or(77) as i64 ^ (wrapped as i64) << 8 ^ (saturated as i64) << 16
                ^ (sum as i64 ^ product as i64) << 24 ^ (over as i64 * 2 + far as i64) << 60
        }
    )* };
}
modes! {
    modes_i8 i8 modes_u8 u8 modes_i16 i16 modes_u16 u16 modes_i32 i32 modes_u32 u32 modes_i64 i64 modes_u64 u64
}

fn bits(acc: i64, x: i64, y: i64) -> i64 {
    let (b, h, w, l) = (x as u8, y as i16, acc as u32, acc ^ y);
    let counts = b.count_ones() + h.leading_zeros() * 8 + w.trailing_zeros() * 512 + l.count_zeros() * 65_536;
    let turned =
        b.reverse_bits() as i64 ^ h.rotate_right(3) as i64 ^ w.swap_bytes() as i64 ^ l.rotate_left(9);
    turned.wrapping_add(counts as i64).wrapping_add((x as u16).is_power_of_two() as i64)
}

fn casts(acc: i64, x: i64, y: i64) -> i64 {
    let narrow =
        (x as u8 as i8 as i64, x as i8 as u64 as i64, y as i16 as u32 as i64, y as u16 as i32 as i64);
    let wide = (x as i32 as u64 >> 1, y as u32 as i64 >> 1, acc as isize as i8 as usize);
    narrow.0 ^ narrow.1 << 3 ^ narrow.2 << 5 ^ narrow.3 << 7 ^ wide.0 as i64 ^ wide.1 ^ wide.2 as i64
}

fn chars(acc: i64, x: i64, y: i64) -> i64 {
    let letter = (x as u8) as char;
    let class = match letter {
        'a'..='z' | 'A'..='Z' => 1,
        '0'..='9' => 2,
        '\n' | ' ' => 3,
        'ä' => 4,
        _ if letter > '\u{80}' => 5,
        _ => 6,
    };
    let other = if y & 1 == 0 { 'λ' } else { letter };
    class + (other as u32 as i64) * 8 + ((other < 'z') as i64) + char::from(acc as u8) as i64
}

fn bools(acc: i64, x: i64, y: i64) -> i64 {
    let (a, b) = (x > y, acc & 1 == 0);
    let mut c = a & b | (a ^ b) & !a;
    c ^= b;
    c |= a != b;
    c &= x >= 0;
    i64::from(c) + (a as u8 as i64) * 2 + (b < a) as i64 * 4 + bool_number(!c)
}

fn bool_number(b: bool) -> i64 {
    match b {
        true => 8,
        false => 16,
    }
}

fn compare(acc: i64, x: i64, y: i64) -> i64 {
    use std::cmp::Ordering;
    let order = match x.cmp(&y) {
        Ordering::Less => 1,
        Ordering::Equal => 2,
        Ordering::Greater => 3,
    };
    let unsigned = (x as u64).max(y as u64).min(acc as u64) as i64;
    let narrow =
        ((x as i8) < y as i8) as i64 + ((x as u8) < y as u8) as i64 * 2 + (x as u16 == y as u16) as i64 * 4;
    order + narrow * 4 ^ unsigned ^ acc.clamp(-7, 12) ^ std::cmp::max(x, acc)
}

fn compound(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let record = &mut state.record;
    record.small = record.small.wrapping_add(x as i8);
    record.byte ^= y as u8;
    record.half >>= 1u8;
    record.half |= (y & 255) as i16;
    record.word = record.word.wrapping_mul(3);
    record.word %= 1_000_003;
    record.long &= x;
    record.long += 1;
    record.flag ^= x > y;
    record.array[(y & 3) as usize] ^= acc as u16;
    record.point.x = record.point.x.wrapping_sub(acc);
    record.letter = if record.flag { 'b' } else { record.letter };
    record.small as i64 ^ record.byte as i64 ^ record.half as i64 ^ record.word as i64 ^ record.long
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::PlainI8 => plain_i8(acc, x, y),
        Op::PlainU8 => plain_u8(acc, x, y),
        Op::PlainI16 => plain_i16(acc, x, y),
        Op::PlainU16 => plain_u16(acc, x, y),
        Op::PlainI32 => plain_i32(acc, x, y),
        Op::PlainU32 => plain_u32(acc, x, y),
        Op::PlainI64 => plain_i64(acc, x, y),
        Op::PlainU64 => plain_u64(acc, x, y),
        Op::PlainIsize => plain_isize(acc, x, y),
        Op::PlainUsize => plain_usize(acc, x, y),
        Op::ModesI8 => modes_i8(acc, x, y),
        Op::ModesU8 => modes_u8(acc, x, y),
        Op::ModesI16 => modes_i16(acc, x, y),
        Op::ModesU16 => modes_u16(acc, x, y),
        Op::ModesI32 => modes_i32(acc, x, y),
        Op::ModesU32 => modes_u32(acc, x, y),
        Op::ModesI64 => modes_i64(acc, x, y),
        Op::ModesU64 => modes_u64(acc, x, y),
        Op::Bits => bits(acc, x, y),
        Op::Casts => casts(acc, x, y),
        Op::Chars => chars(acc, x, y),
        Op::Bools => bools(acc, x, y),
        Op::Compare => compare(acc, x, y),
        Op::Compound => compound(acc, x, y, state),
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
