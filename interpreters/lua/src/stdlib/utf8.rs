//! The library `utf8`.

use metatrace::gc::Gc;

use crate::call::Call;
use crate::number;
use crate::table::Table;
use crate::value::Value;
use crate::vm::{Result, Vm};

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[("char", char), ("codepoint", code_point), ("codes", codes), ("len", len), ("offset", offset)],
    )?;
    let pattern = vm.string(b"[\0-\x7F\xC2-\xFD][\x80-\xBF]*")?;
    vm.set_field(table, "charpattern", pattern)
}

/// The value of a sequence, and how many bytes it has.
fn decode(bytes: &[u8], strict: bool) -> Option<(u32, usize)> {
    const SMALLEST: [u32; 6] = [0, 0x80, 0x800, 0x1_0000, 0x20_0000, 0x400_0000];
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((u32::from(first), 1));
    }
    let count = first.leading_ones() as usize;
    if !(2..=6).contains(&count) {
        return None;
    }
    let mut value = u32::from(first) & (0x7F >> count);
    for byte in bytes.get(1..count)? {
        if byte & 0xC0 != 0x80 {
            return None;
        }
        value = value << 6 | u32::from(byte & 0x3F);
    }
    if value < SMALLEST[count - 1] {
        return None;
    }
    if strict && (value > 0x10_FFFF || (0xD800..0xE000).contains(&value)) {
        return None;
    }
    Some((value, count))
}

fn is_continuation(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte & 0xC0 == 0x80)
}

/// A position as programs give it, from 0 on; may be out of the string.
fn position(index: i64, length: usize) -> i64 {
    if index >= 0 {
        index - 1
    } else if index.unsigned_abs() > length as u64 {
        -1
    } else {
        length as i64 + index
    }
}

fn char(call: Call) -> Result<usize> {
    let mut out = Vec::new();
    for index in 0..call.count {
        let code = call.int(index)?;
        match u32::try_from(code) {
            Ok(code) if code <= 0x7FFF_FFFF => number::push_utf8(&mut out, code),
            _ => return Err(call.bad(index, "value out of range")),
        }
    }
    call.text(&out)
}

fn code_point(call: Call) -> Result<usize> {
    let text = call.bytes(0)?;
    let first_arg = call.int_or(1, 1)?;
    let first = position(first_arg, text.len());
    let last = position(call.int_or(2, first + 1)?, text.len());
    let strict = !call.arg(3).is_true();
    if first < 0 {
        return Err(call.bad(1, "out of bounds"));
    }
    if last >= text.len() as i64 {
        return Err(call.bad(2, "out of bounds"));
    }
    let (mut at, mut count) = (first as usize, 0);
    while at as i64 <= last {
        let Some((code, bytes)) = decode(&text[at..], strict) else {
            return Err(call.fail("invalid UTF-8 code"));
        };
        if !call.reserve(call.count + count + 2) {
            return Err(call.fail("stack overflow (string slice too long)"));
        }
        call.place.put(call.count + 1 + count, Value::Int(i64::from(code)));
        at += bytes;
        count += 1;
    }
    call.place.copy_from(call.place.up(call.count + 1), count);
    Ok(count)
}

fn len(call: Call) -> Result<usize> {
    let text = call.bytes(0)?;
    let first = position(call.int_or(1, 1)?, text.len());
    let last = position(call.int_or(2, -1)?, text.len());
    let strict = !call.arg(3).is_true();
    if !(0..=text.len() as i64).contains(&first) {
        return Err(call.bad(1, "initial position out of bounds"));
    }
    if last >= text.len() as i64 {
        return Err(call.bad(2, "final position out of bounds"));
    }
    let (mut at, mut count) = (first as usize, 0);
    while at as i64 <= last {
        let Some((_, bytes)) = decode(&text[at..], strict) else {
            return call.many(&[Value::Nil, Value::Int(at as i64 + 1)]);
        };
        at += bytes;
        count += 1;
    }
    call.one(Value::Int(count))
}

fn offset(call: Call) -> Result<usize> {
    let text = call.bytes(0)?;
    let mut n = call.int(1)?;
    let default = if n > 0 { 1 } else { text.len() as i64 + 1 };
    let start = position(call.int_or(2, default)?, text.len());
    if !(0..=text.len() as i64).contains(&start) {
        return Err(call.bad(2, "position out of bounds"));
    }
    let mut at = start as usize;
    if n == 0 {
        while at > 0 && is_continuation(text.get(at)) {
            at -= 1;
        }
        return call.one(Value::Int(at as i64 + 1));
    }
    if is_continuation(text.get(at)) {
        return Err(call.fail("initial position is a continuation byte"));
    }
    if n < 0 {
        while n < 0 && at > 0 {
            at -= 1;
            while at > 0 && is_continuation(text.get(at)) {
                at -= 1;
            }
            n += 1;
        }
    } else {
        n -= 1;
        while n > 0 && at < text.len() {
            at += 1;
            while is_continuation(text.get(at)) {
                at += 1;
            }
            n -= 1;
        }
    }
    call.one(if n == 0 { Value::Int(at as i64 + 1) } else { Value::Nil })
}

fn codes(call: Call) -> Result<usize> {
    let text = call.str(0)?;
    let lax = call.arg(1).is_true();
    if is_continuation(text.bytes().first()) {
        return Err(call.bad(0, "invalid UTF-8 code"));
    }
    let iterator = call.vm.native(if lax { next_lax } else { next_strict }, &[])?;
    call.many(&[iterator, Value::Str(text), Value::Int(0)])
}

fn next_strict(call: Call) -> Result<usize> {
    next(call, true)
}

fn next_lax(call: Call) -> Result<usize> {
    next(call, false)
}

fn next(call: Call, strict: bool) -> Result<usize> {
    let text = call.bytes(0)?;
    let mut at = usize::try_from(call.int(1)?).unwrap_or(0);
    // Behind the character that the position is in.
    while at > 0 && is_continuation(text.get(at)) {
        at += 1;
    }
    if at >= text.len() {
        return Ok(0);
    }
    match decode(&text[at..], strict) {
        Some((code, bytes)) if !is_continuation(text.get(at + bytes)) => {
            call.many(&[Value::Int(at as i64 + 1), Value::Int(i64::from(code))])
        }
        _ => Err(call.fail("invalid UTF-8 code")),
    }
}
