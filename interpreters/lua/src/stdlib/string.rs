//! The library `string`.

use metatrace::gc::Gc;
use metatrace::jit;

use super::pattern::{Extent, Malformed, Matcher};
use crate::call::Call;
use crate::meta::{self, Event};
use crate::string::Str;
use crate::table::Table;
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

/// Bytes of a string.
const MAX_BYTES: usize = 0x7FFF_FFFF;

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[
            ("dump", dump),
            ("find", find),
            ("format", super::format::format),
            ("gmatch", gmatch),
            ("gsub", gsub),
            ("lower", lower),
            ("match", matches),
            ("pack", super::pack::pack),
            ("packsize", super::pack::pack_size),
            ("rep", rep),
            ("reverse", reverse),
            ("unpack", super::pack::unpack),
            ("upper", upper),
        ],
    )?;
    super::register_leaves(vm, table, &[("byte", byte), ("char", char), ("len", len), ("sub", sub)])?;
    let meta = vm.table()?;
    vm.set_field(meta, "__index", Value::Table(table))?;
    super::register(
        vm,
        meta,
        &[
            ("__add", |call| arith(call, Event::Add)),
            ("__sub", |call| arith(call, Event::Sub)),
            ("__mul", |call| arith(call, Event::Mul)),
            ("__mod", |call| arith(call, Event::Mod)),
            ("__pow", |call| arith(call, Event::Pow)),
            ("__div", |call| arith(call, Event::Div)),
            ("__idiv", |call| arith(call, Event::IDiv)),
            ("__unm", |call| arith(call, Event::Neg)),
        ],
    )?;
    vm.roots.metas[3].set(Some(meta));
    Ok(())
}

/// Arithmetic with texts of numbers.
fn arith(call: Call, event: Event) -> Result<usize> {
    let (a, b) = (call.arg(0), call.arg(1));
    if let Some(result) = meta::arith_converted(call.vm, event, a, b)? {
        return call.one(result);
    }
    // The other operand may know what to do.
    if !matches!(b, Value::Str(_)) {
        let method = call.vm.metamethod(b, event);
        if !method.is_nil() {
            let result = call.call(method, &[a, b])?;
            return call.one(result);
        }
    }
    let name = meta::EVENTS[event as usize].trim_start_matches('_');
    let (left, right) = (a.type_name(), b.type_name());
    Err(call.fail(format!("attempt to {name} a '{left}' with a '{right}'")))
}

/// A position in a string as programs give it, from 1 on or backwards from -1.
#[inline]
fn position(index: i64, length: usize) -> i64 {
    if index >= 0 { index } else { (length as i64).saturating_add(index).saturating_add(1).max(0) }
}

/// The bytes from one position to another.
fn range(length: usize, first: i64, last: i64) -> std::ops::Range<usize> {
    let first = position(first, length).max(1);
    let last = position(last, length).min(length as i64);
    if first > last { 0..0 } else { first as usize - 1..last as usize }
}

fn byte(call: &Call) -> Result<usize> {
    if call.count > 2 {
        return bytes(call);
    }
    let (text, index) = (call.str(0)?, call.int_or(1, 1)?);
    let at = (position(index, text.len()) as u64).wrapping_sub(1);
    if at < text.len() as u64 { call.one(Value::Int(i64::from(text.byte_at(at as usize)))) } else { Ok(0) }
}

/// Any number of bytes.
#[inline(never)]
#[jit::dont_look_inside]
fn bytes(call: &Call) -> Result<usize> {
    call.needs_frame()?;
    let text = call.bytes(0)?;
    let first = call.int_or(1, 1)?;
    let last = call.int_or(2, position(first, text.len()))?;
    let found = &text[range(text.len(), first, last)];
    if !call.reserve(found.len()) {
        return Err(call.fail("stack overflow (string slice too long)"));
    }
    for (index, byte) in found.iter().enumerate() {
        call.place.put(index, Value::Int(i64::from(*byte)));
    }
    Ok(found.len())
}

fn char(call: &Call) -> Result<usize> {
    match call.arg(0) {
        Value::Int(byte @ 0..=255) if call.count == 1 => call.one(single(call.vm, byte as u8)?),
        _ => chars(call),
    }
}

#[inline(never)]
#[jit::reads_only]
fn single(vm: &Vm, byte: u8) -> Result<Value> {
    Ok(Value::Str(vm.strings.single(byte)?))
}

/// The string of any number of bytes.
#[inline(never)]
#[jit::dont_look_inside]
fn chars(call: &Call) -> Result<usize> {
    let mut text = Vec::with_capacity(call.count);
    for index in 0..call.count {
        let Ok(byte) = u8::try_from(call.int(index)?) else {
            return Err(call.bad(index, "value out of range"));
        };
        text.push(byte);
    }
    call.text(&text)
}

fn dump(call: Call) -> Result<usize> {
    call.callable(0)?;
    match call.arg(0) {
        Value::Function(function) => {
            let strip = call.count > 1 && call.arg(1).is_true();
            call.text(&crate::chunk::write(function.code.traced(), strip))
        }
        _ => Err(call.fail("unable to dump given function")),
    }
}

fn len(call: &Call) -> Result<usize> {
    let text = call.str(0)?;
    call.one(Value::Int(text.len() as i64))
}

fn lower(call: Call) -> Result<usize> {
    let text = call.bytes(0)?.to_ascii_lowercase();
    call.text(&text)
}

fn upper(call: Call) -> Result<usize> {
    let text = call.bytes(0)?.to_ascii_uppercase();
    call.text(&text)
}

fn reverse(call: Call) -> Result<usize> {
    let mut text = call.bytes(0)?.to_vec();
    text.reverse();
    call.text(&text)
}

fn sub(call: &Call) -> Result<usize> {
    let text = call.str(0)?;
    let (first, last) = (call.int(1)?, call.int_or(2, -1)?);
    call.one(part(call.vm, text, first, last)?)
}

#[inline(never)]
#[jit::reads_only]
fn part(vm: &Vm, text: Str, first: i64, last: i64) -> Result<Value> {
    let bytes = text.bytes();
    vm.string(&bytes[range(bytes.len(), first, last)])
}

fn rep(call: Call) -> Result<usize> {
    let (text, count, separator) = (call.bytes(0)?, call.int(1)?, call.bytes_or(2, b"")?);
    let Ok(count) = usize::try_from(count) else { return call.text(b"") };
    if count == 0 {
        return call.text(b"");
    }
    let bytes = (text.len() + separator.len()).checked_mul(count).filter(|bytes| *bytes < MAX_BYTES);
    let Some(bytes) = bytes else { return Err(call.fail("resulting string too large")) };
    if bytes > call.vm.heap.config().limit {
        return Err(call.vm.raise(Value::Str(call.vm.no_memory.get())));
    }
    let mut out = Vec::with_capacity(bytes);
    for index in 0..count {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(text);
    }
    call.text(&out)
}

// Patterns.

fn malformed(call: &Call, message: Malformed) -> crate::vm::Raised {
    call.fail(message)
}

/// The value of a capture; of the whole match if the pattern has none.
fn capture(call: &Call, matcher: &Matcher, index: usize, start: usize, end: usize) -> Result<Value> {
    if index >= matcher.count {
        if index == 0 {
            return call.vm.string(&matcher.subject[start..end]);
        }
        return Err(call.fail(format!("invalid capture index %{}", index + 1)));
    }
    match matcher.captures[index] {
        (at, Extent::Position) => Ok(Value::Int(at as i64 + 1)),
        (at, Extent::Length(length)) => call.vm.string(&matcher.subject[at..at + length]),
        (_, Extent::Open) => Err(call.fail("unfinished capture")),
    }
}

/// Puts all captures, or the whole match, at a place of the results.
fn captures(call: &Call, matcher: &Matcher, start: usize, end: usize, first: usize) -> Result<usize> {
    let count = matcher.count.max(1);
    for index in 0..count {
        let value = capture(call, matcher, index, start, end)?;
        // Behind the arguments until all are there.
        call.place.put(call.count + 1 + index, value);
    }
    call.place.up(first).copy_from(call.place.up(call.count + 1), count);
    Ok(count)
}

fn find(call: Call) -> Result<usize> {
    search(call, true)
}

fn matches(call: Call) -> Result<usize> {
    search(call, false)
}

fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

/// Where a text first occurs.
fn find_plain(subject: &[u8], text: &[u8]) -> Option<usize> {
    let Some((&first, rest)) = text.split_first() else { return Some(0) };
    let last = subject.len().checked_sub(text.len())?;
    let mut at = 0;
    while at <= last {
        at += subject[at..=last].iter().position(|byte| *byte == first)?;
        if subject[at + 1..].starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn search(call: Call, is_find: bool) -> Result<usize> {
    let (subject, pattern) = (call.bytes(0)?, call.bytes(1)?);
    let init = position(call.int_or(2, 1)?, subject.len()).max(1) as usize - 1;
    if init > subject.len() {
        return call.one(Value::Nil);
    }
    if is_find && (call.arg(3).is_true() || is_plain(pattern)) {
        return match find_plain(&subject[init..], pattern) {
            Some(at) => {
                let start = init + at;
                call.many(&[Value::Int(start as i64 + 1), Value::Int((start + pattern.len()) as i64)])
            }
            None => call.one(Value::Nil),
        };
    }
    call.reserve(call.count + 40);
    let (anchored, pattern) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    let mut matcher = Matcher::new(subject, pattern);
    for start in init..=subject.len() {
        if let Some(end) = matcher.run(start).map_err(|message| malformed(&call, message))? {
            if !is_find {
                return captures(&call, &matcher, start, end, 0);
            }
            if matcher.count == 0 {
                return call.many(&[Value::Int(start as i64 + 1), Value::Int(end as i64)]);
            }
            let count = captures(&call, &matcher, start, end, 2)?;
            call.many(&[Value::Int(start as i64 + 1), Value::Int(end as i64)])?;
            return Ok(count + 2);
        }
        if anchored {
            break;
        }
    }
    call.one(Value::Nil)
}

fn gmatch(call: Call) -> Result<usize> {
    let (subject, pattern) = (call.str(0)?, call.str(1)?);
    let init = position(call.int_or(2, 1)?, subject.len()).max(1);
    let init = if init > subject.len() as i64 { subject.len() as i64 + 1 } else { init - 1 };
    let state = [Value::Str(subject), Value::Str(pattern), Value::Int(init), Value::Int(-1)];
    let iterator = call.vm.native(gmatch_next, &state)?;
    call.one(iterator)
}

fn gmatch_next(call: Call) -> Result<usize> {
    let (Value::Str(subject), Value::Str(pattern)) = (call.upvalue(0), call.upvalue(1)) else {
        return call.one(Value::Nil);
    };
    let (Value::Int(from), Value::Int(last)) = (call.upvalue(2), call.upvalue(3)) else {
        return call.one(Value::Nil);
    };
    call.reserve(call.count + 40);
    let subject = subject.bytes();
    let mut matcher = Matcher::new(subject, pattern.bytes());
    for start in from as usize..=subject.len() {
        if let Some(end) = matcher.run(start).map_err(|message| malformed(&call, message))?
            && end as i64 != last
        {
            call.set_upvalue(2, Value::Int(end as i64));
            call.set_upvalue(3, Value::Int(end as i64));
            return captures(&call, &matcher, start, end, 0);
        }
    }
    call.set_upvalue(2, Value::Int(subject.len() as i64 + 1));
    call.one(Value::Nil)
}

fn gsub(call: Call) -> Result<usize> {
    let (subject, pattern) = (call.bytes(0)?, call.bytes(1)?);
    let replacement = call.arg(2);
    let is_text = match replacement {
        Value::Str(_) | Value::Int(_) | Value::Float(_) => true,
        Value::Table(_) | Value::Function(_) | Value::Native(_) => false,
        _ => return Err(call.bad_type(2, "string/function/table")),
    };
    let text = if is_text { call.bytes(2)? } else { b"" };
    let limit = call.int_or(3, subject.len() as i64 + 1)?;
    call.reserve(call.count + 40);
    let (anchored, pattern) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    let mut matcher = Matcher::new(subject, pattern);
    let mut out = Vec::with_capacity(subject.len());
    let (mut at, mut count, mut last) = (0, 0, None);
    while count < limit {
        let found = matcher.run(at).map_err(|message| malformed(&call, message))?;
        if let Some(end) = found
            && last != Some(end)
        {
            count += 1;
            if is_text {
                add_text(&call, &matcher, &mut out, text, at, end)?;
            } else {
                add_value(&call, &matcher, &mut out, replacement, at, end)?;
            }
            at = end;
            last = Some(end);
        } else if at < subject.len() {
            out.push(subject[at]);
            at += 1;
        } else {
            break;
        }
        if anchored {
            break;
        }
    }
    let result = if count == 0 {
        Value::Str(call.str(0)?)
    } else {
        out.extend_from_slice(subject.get(at..).unwrap_or(b""));
        call.vm.string(&out)?
    };
    call.many(&[result, Value::Int(count)])
}

fn add_text(
    call: &Call,
    matcher: &Matcher,
    out: &mut Vec<u8>,
    text: &[u8],
    start: usize,
    end: usize,
) -> Result<()> {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        match bytes.next() {
            Some(b'%') => out.push(b'%'),
            Some(b'0') => out.extend_from_slice(&matcher.subject[start..end]),
            Some(digit @ b'1'..=b'9') => {
                let index = usize::from(digit - b'1');
                if index >= matcher.count.max(1) {
                    return Err(call.fail(format!("invalid capture index %{}", index + 1)));
                }
                let value = capture(call, matcher, index, start, end)?;
                meta::push_text(out, value);
            }
            _ => return Err(call.fail("invalid use of '%' in replacement string")),
        }
    }
    Ok(())
}

fn add_value(
    call: &Call,
    matcher: &Matcher,
    out: &mut Vec<u8>,
    replacement: Value,
    start: usize,
    end: usize,
) -> Result<()> {
    let value = match replacement {
        Value::Table(_) => {
            let key = capture(call, matcher, 0, start, end)?;
            meta::index(call.vm, replacement, key)?
        }
        _ => {
            let place = call.vm.scratch();
            let count = matcher.count.max(1);
            place.set(replacement);
            for index in 0..count {
                let value = capture(call, matcher, index, start, end)?;
                place.put(index + 1, value);
            }
            call.vm.call_at(place, count, 1)?;
            place.get()
        }
    };
    match value {
        Value::Nil | Value::False => out.extend_from_slice(&matcher.subject[start..end]),
        value => {
            if !meta::push_text(out, value) {
                let kind = String::from_utf8_lossy(&crate::error::type_name(call.vm, value)).into_owned();
                return Err(call.fail(format!("invalid replacement value (a {kind})")));
            }
        }
    }
    Ok(())
}
