//! The basic functions.

use metatrace::gc::Gc;
use metatrace::jit;

use crate::call::Call;
use crate::error;
use crate::function::{Known, NativeFn};
use crate::meta::{self, Event};
use crate::number;
use crate::ops::calls::few;
use crate::shape::{ON_SETTING, Shape};
use crate::string::Str;
use crate::table::{Table, Weakness};
use crate::value::Value;
use crate::vm::{Raised, Result, Vm};

metatrace::glue!();

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[
            ("collectgarbage", collect_garbage),
            ("error", raise_error),
            ("load", load),
            ("loadfile", load_file),
            ("print", print),
            ("rawset", raw_set),
            ("warn", warn_function),
        ],
    )?;
    super::register_leaves(
        vm,
        table,
        &[
            ("assert", assert),
            ("getmetatable", get_metatable),
            ("ipairs", ipairs),
            ("rawequal", raw_equal),
            ("rawget", raw_get),
            ("rawlen", raw_len),
            ("select", select),
            ("setmetatable", set_metatable),
            ("tonumber", to_number),
            ("tostring", to_string),
            ("type", type_of),
        ],
    )?;
    let next_function = vm.known_native(next, Known::Next, &[])?;
    vm.set_field(table, "next", next_function)?;
    let pcall_function = vm.known_native(pcall, Known::Pcall, &[])?;
    vm.set_field(table, "pcall", pcall_function)?;
    let pairs_function = vm.leaf(pairs, Known::Through)?;
    vm.set_field(table, "pairs", pairs_function)?;
    for (name, function) in [("dofile", do_file as NativeFn), ("xpcall", xpcall)] {
        let function = vm.known_native(function, Known::Through, &[])?;
        vm.set_field(table, name, function)?;
    }
    let iterator = vm.known_native(ipairs_next, Known::IpairsNext, &[])?;
    vm.ipairs_next.set(iterator);
    vm.next.set(next_function);
    vm.set_field(table, "_G", Value::Table(table))?;
    let version = vm.string(b"Lua 5.4")?;
    vm.set_field(table, "_VERSION", version)
}

fn assert(call: &Call) -> Result<usize> {
    if call.any(0)?.is_true() { call.arguments_from(0) } else { Err(assertion_failed(call)) }
}

#[cold]
#[inline(never)]
#[jit::dont_look_inside]
fn assertion_failed(call: &Call) -> Raised {
    match (call.count, call.arg(1)) {
        (1, _) => call.fail("assertion failed!"),
        (_, Value::Str(text)) => call.fail(text.bytes()),
        (_, value) => call.vm.raise(value),
    }
}

fn collect_garbage(call: Call) -> Result<usize> {
    const OPTIONS: [&str; 10] = [
        "collect",
        "stop",
        "restart",
        "count",
        "step",
        "setpause",
        "setstepmul",
        "isrunning",
        "generational",
        "incremental",
    ];
    let (vm, collector) = (call.vm, &call.vm.collector);
    let option = call.option(0, Some("collect"), &OPTIONS)?;
    let number = if option >= 4 && option != 7 { call.int_or(1, 0)? } else { 0 };
    if vm.finalizing.get() {
        // A collection is not over before its finalizers are.
        return call.one(Value::Nil);
    }
    let result = match OPTIONS[option] {
        "collect" => {
            vm.heap.collect();
            vm.safe_point();
            vm.heap.collect();
            collector.stepped.set(0);
            Value::Int(0)
        }
        "step" => Value::bool(collector_step(vm, number)),
        option @ ("stop" | "restart") => {
            collector.is_stopped.set(option == "stop");
            vm.heap.set_stopped(option == "stop");
            Value::Int(0)
        }
        "count" => Value::float(vm.heap.bytes() as f64 / 1024.0),
        "setpause" => {
            let before = collector.pause.replace(parameter(number));
            vm.heap.set_growth(collector.pause.get() as usize);
            Value::Int(before)
        }
        "setstepmul" => Value::Int(collector.speed.replace(parameter(number))),
        "isrunning" => Value::bool(!collector.is_stopped.get()),
        mode => {
            let before = collector.is_generational.replace(mode == "generational");
            if mode == "incremental" {
                if number != 0 {
                    collector.pause.set(parameter(number));
                    vm.heap.set_growth(collector.pause.get() as usize);
                }
                match call.int_or(2, 0)? {
                    0 => {}
                    speed => collector.speed.set(parameter(speed)),
                }
            }
            return call.text(if before { b"generational" } else { b"incremental" });
        }
    };
    call.one(result)
}

/// A parameter of the collector, as the reference keeps them: multiples of 4 up to 1020.
fn parameter(number: i64) -> i64 {
    number.clamp(0, 1023) & !3
}

/// A step of a cycle, of that many kilobytes; 0 for a basic one. True if it ends a cycle. As collections are done at once, a cycle is so
/// many steps as account for what lives, and its collection comes with the last; with generations, each step is one of the young.
fn collector_step(vm: &Vm, kilobytes: i64) -> bool {
    const BASIC: usize = 64 << 10;
    let collector = &vm.collector;
    if collector.is_generational.get() {
        vm.heap.collect_minor();
        vm.safe_point();
        return true;
    }
    let bytes = usize::try_from(kilobytes).unwrap_or(0).saturating_mul(1024);
    let bytes = if bytes == 0 { BASIC } else { bytes };
    collector.stepped.set(collector.stepped.get().saturating_add(bytes));
    if collector.stepped.get() < vm.heap.bytes() {
        return false;
    }
    collector.stepped.set(0);
    vm.heap.collect();
    vm.safe_point();
    true
}

fn do_file(call: Call) -> Result<usize> {
    let name = if call.arg(0).is_nil() { None } else { Some(call.bytes(0)?) };
    let function = load_path(call.vm, name, Value::Table(call.vm.globals()))?;
    call.place.set(function);
    call.vm.call_at(call.place, 0, -1)
}

fn raise_error(call: Call) -> Result<usize> {
    let level = call.int_or(1, 1)?;
    if let Value::Str(message) = call.arg(0)
        && level > 0
    {
        let mut text = error::position(call.vm, usize::try_from(level).unwrap_or(0));
        text.extend_from_slice(message.bytes());
        return Err(call.vm.raise_bytes(&text));
    }
    Err(call.vm.raise(call.arg(0)))
}

fn get_metatable(call: &Call) -> Result<usize> {
    let value = call.any(0)?;
    let protection = meta::traced_method(call.vm, value, Event::Metatable);
    if !protection.is_nil() {
        return call.one(protection);
    }
    let meta = match value {
        Value::Table(table) => table.meta(),
        value => metatable(call.vm, value),
    };
    call.one(match meta {
        Some(meta) => Value::Table(meta),
        None => Value::Nil,
    })
}

#[inline(never)]
#[jit::reads_only]
fn metatable(vm: &Vm, value: Value) -> Option<Gc<Table>> {
    vm.meta(value)
}

fn set_metatable(call: &Call) -> Result<usize> {
    let table = call.table(0)?;
    let meta = match call.arg(1) {
        Value::Table(meta) => Some(meta),
        Value::Nil if call.count > 1 => None,
        _ => return Err(call.bad_type(1, "nil or table")),
    };
    if !meta::traced_method(call.vm, Value::Table(table), Event::Metatable).is_nil() {
        return Err(is_protected(call));
    }
    attach(call.vm, table, meta);
    call.one(Value::Table(table))
}

#[cold]
#[inline(never)]
#[jit::dont_look_inside]
fn is_protected(call: &Call) -> Raised {
    call.fail("cannot change a protected metatable")
}

/// Gives a table a metatable, with what follows from that for the collector.
#[inline]
pub fn attach(vm: &Vm, table: Gc<Table>, meta: Option<Gc<Table>>) {
    let is_first = table.meta().is_none();
    table.set_meta(meta);
    let is_plain = match meta {
        Some(meta) => {
            let shape = jit::promote(meta.shape.get());
            shape != Shape::DICTIONARY && vm.shapes.has_none(shape, ON_SETTING)
        }
        None => true,
    };
    if !(is_first && is_plain) {
        tell_collector(vm, table, meta);
    }
}

/// Has the collector know what a table's metatable says of it.
#[inline(never)]
#[jit::dont_look_inside]
fn tell_collector(vm: &Vm, table: Gc<Table>, meta: Option<Gc<Table>>) {
    let mut weak = Weakness::default();
    if let Some(meta) = meta {
        if let Value::Str(mode) = vm.metamethod_of(meta, Event::Mode) {
            weak = Weakness { keys: mode.bytes().contains(&b'k'), values: mode.bytes().contains(&b'v') };
        }
        if !vm.metamethod_of(meta, Event::Gc).is_nil() {
            vm.finalize_at_death(Value::Table(table));
        }
    }
    if weak != table.weakness() {
        if table.weakness() == Weakness::default() {
            vm.weak_tables.borrow_mut().push(table);
        }
        table.set_weakness(weak);
    }
}

fn ipairs(call: &Call) -> Result<usize> {
    call.any(0)?;
    call.place.set(call.vm.ipairs_next.get());
    call.place.put(2, Value::Int(0));
    Ok(3)
}

fn ipairs_next(call: Call) -> Result<usize> {
    let index = call.int(1)?.wrapping_add(1);
    let value = meta::index(call.vm, call.arg(0), Value::Int(index))?;
    if value.is_nil() { call.one(Value::Nil) } else { call.many(&[Value::Int(index), value]) }
}

fn pairs(call: &Call) -> Result<usize> {
    let method = meta::traced_method(call.vm, call.any(0)?, Event::Pairs);
    if !method.is_nil() {
        return pairs_by(call, method);
    }
    call.place.set(call.vm.next.get());
    call.place.put(2, Value::Nil);
    Ok(3)
}

/// `pairs` by a metamethod.
#[inline(never)]
#[jit::dont_look_inside]
fn pairs_by(call: &Call, method: Value) -> Result<usize> {
    call.needs_frame()?;
    let place = call.vm.scratch();
    call.vm.call_from(place, method, &[call.arg(0)], 3)?;
    call.place.copy_from(place, 3);
    Ok(3)
}

fn next(call: Call) -> Result<usize> {
    let table = call.table(0)?;
    let Some(position) = table.position_behind(&call.vm.shapes, call.arg(1)) else {
        return Err(call.fail_plain("invalid key to 'next'"));
    };
    match table.next_at(&call.vm.shapes, position) {
        Some((_, key, value)) => call.many(&[key, value]),
        None => call.one(Value::Nil),
    }
}

fn print(call: Call) -> Result<usize> {
    let mut out = Vec::new();
    for index in 0..call.count {
        if index > 0 {
            out.push(b'\t');
        }
        let value = call.arg(index);
        let is_plain = call.vm.metamethod(value, Event::ToString).is_nil();
        if !(is_plain && meta::push_text(&mut out, value))
            && let Value::Str(text) = meta::to_text(call.vm, value)?
        {
            out.extend_from_slice(text.bytes());
        }
    }
    out.push(b'\n');
    super::io::write_standard(&out);
    Ok(0)
}

fn raw_equal(call: &Call) -> Result<usize> {
    let (a, b) = (call.any(0)?, call.any(1)?);
    call.one(Value::bool(a.raw_equal(b)))
}

fn raw_get(call: &Call) -> Result<usize> {
    let (table, key) = (call.table(0)?, call.any(1)?);
    call.one(match key {
        Value::Int(index) => table.get_int(index),
        key => table.get_any(&call.vm.shapes, key),
    })
}

fn raw_len(call: &Call) -> Result<usize> {
    match call.arg(0) {
        Value::Table(table) => call.one(Value::Int(table.border())),
        Value::Str(text) => call.one(Value::Int(text.len() as i64)),
        _ => Err(call.bad_type(0, "table or string")),
    }
}

fn raw_set(call: Call) -> Result<usize> {
    let table = call.table(0)?;
    let (key, value) = (call.any(1)?, call.any(2)?);
    meta::raw_set(call.vm, table, key, value)?;
    call.one(Value::Table(table))
}

fn select(call: &Call) -> Result<usize> {
    if let Value::Str(text) = call.arg(0)
        && text.len() == 1
        && text.byte_at(0) == b'#'
    {
        return call.one(Value::Int(call.count as i64 - 1));
    }
    let index = call.int(0)?;
    let count = call.count as i64;
    let first = if index > 0 { index } else { count.wrapping_add(index) };
    if first < 1 || index == 0 {
        return Err(no_such_argument(call));
    }
    if call.want == 1 {
        return call.one(if first < count { call.place.at(first as usize + 1) } else { Value::Nil });
    }
    let first = if first < count { first } else { count };
    call.arguments_from(few(first as usize))
}

#[cold]
#[inline(never)]
#[jit::dont_look_inside]
fn no_such_argument(call: &Call) -> Raised {
    call.bad(0, "index out of range")
}

fn to_number(call: &Call) -> Result<usize> {
    if !call.arg(1).is_nil() {
        return to_number_of_base(call);
    }
    let value = match call.any(0)? {
        value @ (Value::Int(_) | Value::Float(_)) => value,
        Value::Str(text) => number_of_text(text),
        _ => Value::Nil,
    };
    call.one(value)
}

#[inline(never)]
#[jit::reads_only]
fn number_of_text(text: Str) -> Value {
    number::parse(text.bytes()).map_or(Value::Nil, Value::from)
}

#[inline(never)]
#[jit::dont_look_inside]
fn to_number_of_base(call: &Call) -> Result<usize> {
    let base = call.int(1)?;
    let Value::Str(text) = call.arg(0) else { return Err(call.bad_type(0, "string")) };
    let Some(base) = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)) else {
        return Err(call.bad(1, "base out of range"));
    };
    let text = number::trim(text.bytes());
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for byte in digits {
        let Some(digit) = (*byte as char).to_digit(base) else { return call.one(Value::Nil) };
        value = value.wrapping_mul(i64::from(base)).wrapping_add(i64::from(digit));
    }
    if digits.is_empty() {
        return call.one(Value::Nil);
    }
    call.one(Value::Int(if negative { value.wrapping_neg() } else { value }))
}

fn to_string(call: &Call) -> Result<usize> {
    let value = call.any(0)?;
    let is_plain = match value {
        Value::Str(_) | Value::Int(_) | Value::Float(_) => {
            call.vm.metamethod(value, Event::ToString).is_nil()
        }
        _ => false,
    };
    let text = match value {
        Value::Str(_) if is_plain => value,
        _ if is_plain => text_of_number(call.vm, value)?,
        _ => to_text(call, value)?,
    };
    call.one(text)
}

#[inline(never)]
#[jit::reads_only]
fn text_of_number(vm: &Vm, number: Value) -> Result<Value> {
    let made = vm.with_buffer(|out| {
        meta::push_text(out, number);
        vm.strings.make(out)
    });
    Ok(Value::Str(made?))
}

#[inline(never)]
#[jit::dont_look_inside]
fn to_text(call: &Call, value: Value) -> Result<Value> {
    call.needs_frame()?;
    meta::to_text(call.vm, value)
}

fn type_of(call: &Call) -> Result<usize> {
    let value = call.any(0)?;
    call.one(Value::Str(call.vm.kind_name(value.type_index())))
}

// Errors.

fn pcall(call: Call) -> Result<usize> {
    call.any(0)?;
    let vm = call.vm;
    match vm.protected(|| vm.call_at(call.place.up(1), call.count - 1, -1)) {
        Ok(found) => {
            call.place.set(Value::True);
            Ok(found + 1)
        }
        Err(error) => call.many(&[Value::False, error]),
    }
}

fn xpcall(call: Call) -> Result<usize> {
    let handler = call.callable(1)?;
    let vm = call.vm;
    let function = call.arg(0);
    // The function and its arguments in front of each other, behind the handler.
    call.place.up(1).set(handler);
    call.place.up(2).set(function);
    let (depth, calls) = (vm.thread().frames.depth(), vm.native_calls());
    match vm.call_at(call.place.up(2), call.count - 2, -1) {
        Ok(found) => {
            call.place.set(Value::True);
            call.place.up(1).copy_from(call.place.up(2), found);
            Ok(found + 1)
        }
        Err(Raised) => {
            let handled = vm.handle_error(handler, calls);
            vm.set_native_calls(calls);
            vm.raise(handled);
            let error = vm.unwind(depth, call.place.up(2));
            call.many(&[Value::False, error])
        }
    }
}

// Loading.

fn load(call: Call) -> Result<usize> {
    let vm = call.vm;
    let mode = call.bytes_or(2, b"bt")?;
    let env = if call.count > 3 { call.arg(3) } else { Value::Table(vm.globals()) };
    let (source, default): (Vec<u8>, Vec<u8>) = match call.arg(0) {
        Value::Str(_) | Value::Int(_) | Value::Float(_) => (call.bytes(0)?.to_vec(), call.bytes(0)?.to_vec()),
        _ => {
            call.callable(0)?;
            match vm.protected(|| read_pieces(&call)) {
                Ok(source) => (source, b"=(load)".to_vec()),
                Err(error) => return call.many(&[Value::Nil, error]),
            }
        }
    };
    let name = call.bytes_or(1, &default)?;
    match vm.protected(|| vm.load_mode(&source, name, env, mode)) {
        Ok(function) => call.one(function),
        Err(error) => call.many(&[Value::Nil, error]),
    }
}

fn read_pieces(call: &Call) -> Result<Vec<u8>> {
    let mut source = Vec::new();
    loop {
        match call.call(call.arg(0), &[])? {
            Value::Nil => return Ok(source),
            Value::Str(piece) if piece.is_empty() => return Ok(source),
            Value::Str(piece) => source.extend_from_slice(piece.bytes()),
            number @ (Value::Int(_) | Value::Float(_)) => {
                source.extend_from_slice(&meta::plain_text(call.vm, number));
            }
            _ => return Err(call.fail("reader function must return a string")),
        }
    }
}

fn load_file(call: Call) -> Result<usize> {
    let name = if call.arg(0).is_nil() { None } else { Some(call.bytes(0)?) };
    let mode = call.bytes_or(1, b"bt")?;
    let env = if call.count > 2 { call.arg(2) } else { Value::Table(call.vm.globals()) };
    match call.vm.protected(|| load_path_mode(call.vm, name, env, mode)) {
        Ok(function) => call.one(function),
        Err(error) => call.many(&[Value::Nil, error]),
    }
}

/// The function of a file, or of standard input.
pub fn load_path(vm: &Vm, path: Option<&[u8]>, env: Value) -> Result<Value> {
    load_path_mode(vm, path, env, b"bt")
}

fn load_path_mode(vm: &Vm, path: Option<&[u8]>, env: Value, mode: &[u8]) -> Result<Value> {
    let (source, name) = match path {
        None => {
            let mut source = Vec::new();
            let _ = std::io::Read::read_to_end(&mut std::io::stdin(), &mut source);
            (source, b"=stdin".to_vec())
        }
        Some(path) => match std::fs::read(super::io::path(path)) {
            Ok(source) => (source, [b"@", path].concat()),
            Err(error) => {
                let text = format!("cannot open {}", String::from_utf8_lossy(path));
                return Err(vm.raise_bytes(format!("{text}: {}", super::io::reason(&error)).as_bytes()));
            }
        },
    };
    let mut text = &source[..];
    if let [0xEF, 0xBB, 0xBF, rest @ ..] = text {
        text = rest;
    }
    let first_line;
    if text.first() == Some(&b'#') {
        // The end of the line stays, so that lines count as in the file.
        let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
        first_line = &text[end..];
        text = match first_line {
            [b'\n', binary @ ..] if binary.first() == Some(&crate::chunk::ESCAPE) => binary,
            _ => first_line,
        };
    }
    vm.load_mode(text, &name, env, mode)
}

// Warnings.

fn warn_function(call: Call) -> Result<usize> {
    call.bytes(0)?;
    let mut parts = Vec::new();
    for index in 0..call.count {
        parts.push(call.bytes(index)?);
    }
    warn(call.vm, &parts);
    Ok(0)
}

/// Writes a warning, if they are on.
pub fn warn(vm: &Vm, parts: &[&[u8]]) {
    if let [control] = parts
        && let [b'@', control @ ..] = *control
    {
        match control {
            b"on" => vm.warnings.set(true),
            b"off" => vm.warnings.set(false),
            _ => {}
        }
        return;
    }
    if vm.warnings.get() {
        let text = [b"Lua warning: ", parts.concat().as_slice(), b"\n"].concat();
        super::io::write_error(&text);
    }
}
