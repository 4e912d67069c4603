//! The library `debug`, and tracebacks.

use metatrace::gc::Gc;

use crate::call::Call;
use crate::compile::UpvalueSource;
use crate::error::{self, Named};
use crate::function::Function;
use crate::hook;
use crate::table::Table;
use crate::thread::{Frame, TAIL, Thread};
use crate::value::Value;
use crate::vm::{Result, Vm};

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[
            ("gethook", get_hook),
            ("getinfo", get_info),
            ("getlocal", get_local),
            ("getmetatable", get_metatable),
            ("getregistry", |call| call.one(Value::Table(call.vm.registry()))),
            ("getupvalue", get_upvalue),
            ("getuservalue", get_user_value),
            ("sethook", set_hook),
            ("setlocal", set_local),
            ("setmetatable", set_metatable),
            ("setupvalue", set_upvalue),
            ("setuservalue", set_user_value),
            ("traceback", traceback_function),
            ("upvalueid", upvalue_id),
            ("upvaluejoin", upvalue_join),
        ],
    )
}

/// The thread that a function is about, and how many arguments that takes.
fn about(call: &Call) -> (Gc<Thread>, usize) {
    match call.arg(0) {
        Value::Thread(thread) => (thread, 1),
        _ => (call.vm.thread(), 0),
    }
}

/// The depth of a call by its level, 0 for the innermost.
fn depth_of(thread: Gc<Thread>, level: i64) -> Option<usize> {
    let depth = thread.frames.seen().nth(usize::try_from(level).ok()?)?;
    // The outermost frame is nobody's call.
    (depth >= 1).then_some(depth)
}

/// The name under which a library has a function.
pub fn library_name(vm: &Vm, function: Value) -> Option<Vec<u8>> {
    let loaded = vm.loaded();
    let mut position = 0;
    while let Some((next, name, library)) = loaded.next_at(&vm.shapes, position) {
        position = next;
        let (Value::Str(library_name), Value::Table(library)) = (name, library) else { continue };
        let mut inner = 0;
        while let Some((next, name, value)) = library.next_at(&vm.shapes, inner) {
            inner = next;
            if let Value::Str(name) = name
                && value.raw_equal(function)
                && value.address().is_some()
            {
                return Some(if library_name.bytes() == b"_G" {
                    name.bytes().to_vec()
                } else {
                    [library_name.bytes(), b".", name.bytes()].concat()
                });
            }
        }
    }
    None
}

// Tracebacks.

/// Calls shown at either end of a traceback.
const SHOWN: usize = 10;

/// The calls of the current thread from a level on, as text behind a message.
pub fn traceback(vm: &Vm, message: Option<&[u8]>, level: usize) -> Vec<u8> {
    traceback_of(vm, vm.thread(), message, level)
}

fn traceback_of(vm: &Vm, thread: Gc<Thread>, message: Option<&[u8]>, level: usize) -> Vec<u8> {
    let mut out = match message {
        Some(message) => [message, b"\n"].concat(),
        None => Vec::new(),
    };
    out.extend_from_slice(b"stack traceback:");
    let seen: Vec<usize> = thread.frames.seen().filter(|index| *index >= 1).collect();
    let count = seen.len().saturating_sub(level);
    for (shown, index) in seen.iter().copied().skip(level).enumerate() {
        if count > SHOWN + SHOWN + 2 && shown == SHOWN {
            out.extend_from_slice(
                format!("\n\t...\t(skipping {} levels)", count - SHOWN - SHOWN - 1).as_bytes(),
            );
        }
        if count > SHOWN + SHOWN + 2 && shown >= SHOWN && shown < count - SHOWN - 1 {
            continue;
        }
        let Some(frame) = thread.frames.get(index) else { break };
        out.extend_from_slice(b"\n\t");
        match (frame.code, error::current_line(frame)) {
            (Some(code), Some(line)) => {
                out.extend_from_slice(&error::chunk_id(&code.source));
                out.extend_from_slice(format!(":{line}: in ").as_bytes());
            }
            (Some(code), None) => {
                out.extend_from_slice(&error::chunk_id(&code.source));
                out.extend_from_slice(b": in ");
            }
            _ => out.extend_from_slice(b"[C]: in "),
        }
        out.extend_from_slice(&describe(vm, thread, index, frame));
        if frame.has(TAIL) {
            out.extend_from_slice(b"\n\t(...tail calls...)");
        }
    }
    if thread.is_main && level <= seen.len() {
        out.extend_from_slice(b"\n\t[C]: in ?");
    }
    out
}

fn describe(vm: &Vm, thread: Gc<Thread>, index: usize, frame: &Frame) -> Vec<u8> {
    if let Some(name) = library_name(vm, frame.function()) {
        return [b"function '", name.as_slice(), b"'"].concat();
    }
    let named = error::function_name(&thread, index);
    match (named, frame.code) {
        (Some(Named { kind, name }), _) => {
            let kind = if kind == "global" { "function" } else { kind };
            [kind.as_bytes(), b" '", &name, b"'"].concat()
        }
        (None, Some(code)) if code.first_line == 0 => b"main chunk".to_vec(),
        (None, Some(code)) => {
            let id = error::chunk_id(&code.source);
            [b"function <", id.as_slice(), format!(":{}>", code.first_line).as_bytes()].concat()
        }
        (None, None) => b"?".to_vec(),
    }
}

fn traceback_function(call: Call) -> Result<usize> {
    let (thread, first) = about(&call);
    let message = call.arg(first);
    if !matches!(message, Value::Nil | Value::Str(_) | Value::Int(_) | Value::Float(_)) {
        return call.one(message);
    }
    let default = if thread.ptr_eq(call.vm.thread()) { 1 } else { 0 };
    let level = call.int_or(first + 1, default)?;
    let message = if message.is_nil() { None } else { Some(call.bytes(first)?) };
    let text = traceback_of(call.vm, thread, message, usize::try_from(level).unwrap_or(0));
    call.text(&text)
}

// Information.

fn get_info(call: Call) -> Result<usize> {
    let vm = call.vm;
    let (thread, first) = about(&call);
    let what = call.bytes_or(first + 1, b"flnSrtu")?;
    if what.contains(&b'>') || what.iter().any(|option| !b"SlnrutLf".contains(option)) {
        let shown = String::from_utf8_lossy(what);
        let message =
            if what.contains(&b'>') { format!("invalid option '{shown}'") } else { "invalid option".into() };
        return Err(call.bad(first + 1, message));
    }
    let (function, index) = match call.arg(first) {
        function @ (Value::Function(_) | Value::Native(_)) => (function, None),
        _ => {
            let level = call.int(first)?;
            let Some(index) = depth_of(thread, level) else { return call.one(Value::Nil) };
            let function = thread.frames.get(index).map_or(Value::Nil, Frame::function);
            (function, Some(index))
        }
    };
    let table = vm.table()?;
    // It is kept by its place, and the function by another.
    call.place.set(Value::Table(table));
    let frame = index.and_then(|index| thread.frames.get(index));
    let lua = match function {
        Value::Function(function) => Some(function),
        _ => None,
    };
    for option in what {
        match option {
            b'S' => source_info(vm, table, lua)?,
            b'l' => {
                let line = frame.and_then(error::current_line).map_or(-1, i64::from);
                vm.set_field(table, "currentline", Value::Int(line))?;
            }
            b'u' => {
                let (count, params, vararg) = match (lua, function) {
                    (Some(function), _) => {
                        let proto = function.code.traced();
                        (proto.upvalues.len(), i64::from(proto.params), proto.is_vararg)
                    }
                    (None, Value::Native(native)) => (native.upvalues.len(), 0, true),
                    _ => (0, 0, true),
                };
                vm.set_field(table, "nups", Value::Int(count as i64))?;
                vm.set_field(table, "nparams", Value::Int(params))?;
                vm.set_field(table, "isvararg", Value::bool(vararg))?;
            }
            b'n' => {
                let named = index.and_then(|index| error::function_name(&thread, index));
                let (kind, name) = match named {
                    Some(named) => (vm.string(named.kind.as_bytes())?, vm.string(&named.name)?),
                    None => (vm.string(b"")?, Value::Nil),
                };
                vm.set_field(table, "namewhat", kind)?;
                vm.set_field(table, "name", name)?;
            }
            b'r' => {
                let (first, count) = index.map_or((0, 0), |index| thread.hooks.passed(index));
                vm.set_field(table, "ftransfer", Value::Int(first as i64))?;
                vm.set_field(table, "ntransfer", Value::Int(count as i64))?;
            }
            b't' => {
                let tail = frame.is_some_and(|frame| frame.has(TAIL));
                vm.set_field(table, "istailcall", Value::bool(tail))?;
            }
            b'L' => {
                if let Some(function) = lua {
                    let lines = vm.table()?;
                    vm.set_field(table, "activelines", Value::Table(lines))?;
                    for line in &function.code.traced().lines {
                        lines.set_int(vm, i64::from(*line), Value::True)?;
                    }
                }
            }
            _ => vm.set_field(table, "func", function)?,
        }
    }
    call.one(Value::Table(table))
}

fn source_info(vm: &Vm, table: Gc<Table>, lua: Option<Gc<Function>>) -> Result<()> {
    let (what, source, id, first, last) = match lua {
        Some(function) => {
            let proto = function.code.traced();
            let what: &[u8] = if proto.first_line == 0 { b"main" } else { b"Lua" };
            let id = error::chunk_id(&proto.source);
            (what, proto.source.to_vec(), id, i64::from(proto.first_line), i64::from(proto.last_line))
        }
        None => (b"C".as_slice(), b"=[C]".to_vec(), b"[C]".to_vec(), -1, -1),
    };
    let what = vm.string(what)?;
    vm.set_field(table, "what", what)?;
    let source = vm.string(&source)?;
    vm.set_field(table, "source", source)?;
    let id = vm.string(&id)?;
    vm.set_field(table, "short_src", id)?;
    vm.set_field(table, "linedefined", Value::Int(first))?;
    vm.set_field(table, "lastlinedefined", Value::Int(if first == 0 { 0 } else { last }))
}

/// The local variable of a call: its name and its place. Those without a name end where the next call begins.
fn find_local(thread: Gc<Thread>, index: usize, number: i64) -> Option<(Vec<u8>, crate::stack::Slot)> {
    let frame = thread.frames.get(index)?;
    let limit = thread.frames.get(index + 1).map_or(frame.limit.get(), |next| next.place());
    if number < 0 {
        let index = usize::try_from(number.checked_neg()?).ok()?;
        let extra = frame.extra as usize;
        if frame.code.is_none() || index > extra {
            return None;
        }
        return Some((b"(vararg)".to_vec(), frame.base.down(1 + extra).up(index - 1)));
    }
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    let pc = frame.pc.get().0 as usize;
    if let Some(code) = frame.code {
        let mut alive =
            code.locals.iter().filter(|local| (local.start as usize) < pc.max(1) && pc <= local.end as usize);
        if let Some(local) = alive.nth(index) {
            return Some((local.name.to_vec(), frame.base.up(usize::from(local.register))));
        }
    }
    if limit > frame.base && index < limit.above(frame.base) {
        let name: &[u8] = if frame.code.is_some() { b"(temporary)" } else { b"(C temporary)" };
        return Some((name.to_vec(), frame.base.up(index)));
    }
    None
}

fn get_local(call: Call) -> Result<usize> {
    let (thread, first) = about(&call);
    let number = call.int(first + 1)?;
    if let Value::Native(_) = call.arg(first) {
        return call.one(Value::Nil);
    }
    if let Value::Function(function) = call.arg(first) {
        let proto = function.code.traced();
        let name = usize::try_from(number - 1)
            .ok()
            .filter(|index| *index < usize::from(proto.params))
            .and_then(|index| proto.locals.get(index));
        return match name {
            Some(local) => call.text(&local.name),
            None => call.one(Value::Nil),
        };
    }
    let level = call.int(first)?;
    let Some(index) = depth_of(thread, level) else { return Err(call.bad(first, "level out of range")) };
    match find_local(thread, index, number) {
        Some((name, place)) => {
            let name = call.vm.string(&name)?;
            call.many(&[name, place.get()])
        }
        None => call.one(Value::Nil),
    }
}

fn set_local(call: Call) -> Result<usize> {
    let (thread, first) = about(&call);
    let (level, number) = (call.int(first)?, call.int(first + 1)?);
    let Some(index) = depth_of(thread, level) else { return Err(call.bad(first, "level out of range")) };
    match find_local(thread, index, number) {
        Some((name, place)) => {
            place.set(call.arg(first + 2));
            call.text(&name)
        }
        None => call.one(Value::Nil),
    }
}

fn get_metatable(call: Call) -> Result<usize> {
    let meta = call.vm.meta(call.any(0)?);
    call.one(meta.map_or(Value::Nil, Value::Table))
}

fn set_metatable(call: Call) -> Result<usize> {
    let meta = match call.arg(1) {
        Value::Nil => None,
        Value::Table(meta) => Some(meta),
        _ => return Err(call.bad_type(1, "nil or table")),
    };
    match call.arg(0) {
        Value::Table(table) => super::base::attach(call.vm, table, meta),
        Value::UserData(data) => data.meta.set(meta),
        value => call.vm.roots.metas[value.type_index()].set(meta),
    }
    call.one(call.arg(0))
}

// Values of users: no userdata has any.

fn get_user_value(call: Call) -> Result<usize> {
    call.int_or(1, 1)?;
    call.one(Value::Nil)
}

fn set_user_value(call: Call) -> Result<usize> {
    call.int_or(2, 1)?;
    let Value::UserData(_) = call.arg(0) else { return Err(call.bad_type(0, "userdata")) };
    call.any(1)?;
    call.one(Value::Nil)
}

// Upvalues.

/// The name of an upvalue for programs.
fn upvalue_name(upvalue: &UpvalueSource) -> &[u8] {
    if upvalue.name.is_empty() { b"(no name)" } else { &upvalue.name }
}

fn upvalue_index(call: &Call, index: usize) -> Result<usize> {
    Ok(usize::try_from(call.int(index)?).unwrap_or(0).wrapping_sub(1))
}

fn get_upvalue(call: Call) -> Result<usize> {
    call.callable(0)?;
    let index = upvalue_index(&call, 1)?;
    match call.arg(0) {
        Value::Function(function) => match function.upvalues.get(index) {
            Some(upvalue) => {
                let name = call.vm.string(upvalue_name(&function.code.traced().upvalues[index]))?;
                call.many(&[name, upvalue.get().get()])
            }
            None => Ok(0),
        },
        Value::Native(native) => match native.upvalues.get(index) {
            Some(upvalue) => {
                let name = call.vm.string(b"")?;
                call.many(&[name, upvalue.get()])
            }
            None => Ok(0),
        },
        _ => Ok(0),
    }
}

fn set_upvalue(call: Call) -> Result<usize> {
    call.callable(0)?;
    let index = upvalue_index(&call, 1)?;
    let value = call.any(2)?;
    match call.arg(0) {
        Value::Function(function) => match function.upvalues.get(index) {
            Some(upvalue) => {
                upvalue.get().set(value);
                call.text(upvalue_name(&function.code.traced().upvalues[index]))
            }
            None => Ok(0),
        },
        Value::Native(native) => match native.upvalues.get(index) {
            Some(upvalue) => {
                upvalue.set(value);
                call.text(b"")
            }
            None => Ok(0),
        },
        _ => Ok(0),
    }
}

fn upvalue_id(call: Call) -> Result<usize> {
    call.callable(0)?;
    let index = upvalue_index(&call, 1)?;
    let id = match call.arg(0) {
        Value::Function(function) => function.upvalues.get(index).map(|upvalue| upvalue.get().to_bits()),
        Value::Native(native) => (index < native.upvalues.len()).then(|| native.to_bits() + index as u64 + 1),
        _ => None,
    };
    call.one(id.map_or(Value::Nil, Value::Pointer))
}

fn upvalue_join(call: Call) -> Result<usize> {
    let function = |index: usize| match call.arg(index) {
        Value::Function(function) => Ok(function),
        _ => Err(call.bad(index, "Lua function expected")),
    };
    let index = |function: usize| {
        let index = upvalue_index(&call, function + 1)?;
        let count = match call.callable(function)? {
            Value::Function(function) => function.upvalues.len(),
            Value::Native(native) => native.upvalues.len(),
            _ => 0,
        };
        if index < count { Ok(index) } else { Err(call.bad(function + 1, "invalid upvalue index")) }
    };
    let (a, b) = (index(0)?, index(2)?);
    let (first, second) = (function(0)?, function(2)?);
    let (target, source) = (&first.upvalues[a], &second.upvalues[b]);
    target.set(source.get());
    Ok(0)
}

// Hooks.

/// What hooks are told of, as their masks say it.
const MASKS: [(u8, u8); 3] = [(b'c', hook::CALLS), (b'r', hook::RETURNS), (b'l', hook::LINES)];

fn set_hook(call: Call) -> Result<usize> {
    let (thread, first) = about(&call);
    if call.arg(first).is_nil() {
        hook::set(call.vm, &thread, Value::Nil, 0, 0)?;
        return Ok(0);
    }
    let text = call.bytes(first + 1)?;
    let function = call.callable(first)?;
    let count = u32::try_from(call.int_or(first + 2, 0)?.max(0)).unwrap_or(u32::MAX);
    let wanted = MASKS.iter().filter(|(letter, _)| text.contains(letter));
    let mask = wanted.fold(0, |mask, (_, what)| mask | what);
    hook::set(call.vm, &thread, function, mask, count)?;
    if thread.ptr_eq(call.vm.thread()) {
        hook::tell_of_setting(call.vm)?;
    }
    Ok(0)
}

fn get_hook(call: Call) -> Result<usize> {
    let (thread, _) = about(&call);
    let Some((function, mask, count)) = thread.hooks.get() else { return call.one(Value::Nil) };
    let shown = MASKS.iter().filter(|(_, what)| mask & what != 0);
    let text: Vec<u8> = shown.map(|(letter, _)| *letter).collect();
    let text = call.vm.string(&text)?;
    call.many(&[function, text, Value::Int(i64::from(count))])
}
