//! The library `os`.

use std::time::{SystemTime, UNIX_EPOCH};

use metatrace::gc::Gc;

use super::io::{path, reason};
use crate::call::Call;
use crate::table::Table;
use crate::value::Value;
use crate::vm::{Result, Vm};

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[
            ("clock", clock),
            ("date", date),
            ("difftime", diff_time),
            ("execute", execute),
            ("exit", exit),
            ("getenv", get_env),
            ("remove", remove),
            ("rename", rename),
            ("setlocale", set_locale),
            ("time", time),
            ("tmpname", tmp_name),
        ],
    )
}

fn clock(call: Call) -> Result<usize> {
    let mut spent = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the time into the structure it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut spent) };
    call.one(Value::float(spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9))
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
}

/// The parts of a time, here or at Greenwich.
fn broken_down(time: i64, utc: bool) -> Option<libc::tm> {
    // SAFETY: all bits zero are a valid structure, which the functions fill in.
    unsafe {
        let mut parts: libc::tm = std::mem::zeroed();
        let found =
            if utc { libc::gmtime_r(&time, &mut parts) } else { libc::localtime_r(&time, &mut parts) };
        (!found.is_null()).then_some(parts)
    }
}

const FIELDS: [&str; 7] = ["year", "month", "day", "hour", "min", "sec", "yday"];

fn set_fields(vm: &Vm, table: Gc<Table>, parts: &libc::tm) -> Result<()> {
    let values = [
        i64::from(parts.tm_year) + 1900,
        i64::from(parts.tm_mon) + 1,
        i64::from(parts.tm_mday),
        i64::from(parts.tm_hour),
        i64::from(parts.tm_min),
        i64::from(parts.tm_sec),
        i64::from(parts.tm_yday) + 1,
    ];
    for (name, value) in FIELDS.iter().zip(values) {
        vm.set_field(table, name, Value::Int(value))?;
    }
    vm.set_field(table, "wday", Value::Int(i64::from(parts.tm_wday) + 1))?;
    if parts.tm_isdst >= 0 {
        vm.set_field(table, "isdst", Value::bool(parts.tm_isdst > 0))?;
    }
    Ok(())
}

fn date(call: Call) -> Result<usize> {
    let format = call.bytes_or(0, b"%c")?;
    let time = if call.arg(1).is_nil() { now() } else { call.int(1)? };
    let (utc, format) = match format {
        [b'!', rest @ ..] => (true, rest),
        _ => (false, format),
    };
    let Some(parts) = broken_down(time, utc) else {
        return Err(call.fail("date result cannot be represented in this installation"));
    };
    if format.starts_with(b"*t") {
        let table = call.vm.table()?;
        set_fields(call.vm, table, &parts)?;
        return call.one(Value::Table(table));
    }
    const VALID: &[u8] = b"aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%";
    let mut out = Vec::new();
    let mut at = 0;
    while at < format.len() {
        if format[at] != b'%' {
            out.push(format[at]);
            at += 1;
            continue;
        }
        let valid = match format.get(at + 1) {
            Some(b'E') => format.get(at + 2).is_some_and(|byte| b"cCxXyY".contains(byte)).then_some(3),
            Some(b'O') => format.get(at + 2).is_some_and(|byte| b"deHImMSuUVwWy".contains(byte)).then_some(3),
            Some(byte) => VALID.contains(byte).then_some(2),
            None => None,
        };
        let Some(bytes) = valid else {
            let end = format.len().min(at + 2 + usize::from(matches!(format.get(at + 1), Some(b'E' | b'O'))));
            let spec = String::from_utf8_lossy(&format[at..end]).into_owned();
            return Err(call.bad(0, format!("invalid conversion specifier '{spec}'")));
        };
        let mut spec = format[at..at + bytes].to_vec();
        spec.push(0);
        let mut buffer = [0u8; 250];
        // SAFETY: the format ends with 0, and the buffer has the size that is given.
        let written =
            unsafe { libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), spec.as_ptr().cast(), &parts) };
        out.extend_from_slice(&buffer[..written]);
        at += bytes;
    }
    call.text(&out)
}

fn field(call: &Call, table: Gc<Table>, name: &str, default: Option<i64>, delta: i64) -> Result<i32> {
    let key = call.vm.string(name.as_bytes())?;
    let value = crate::meta::index(call.vm, Value::Table(table), key)?;
    let found = match value.to_int() {
        Some(int) => int,
        None if !value.is_nil() => return Err(call.fail(format!("field '{name}' is not an integer"))),
        None => match default {
            Some(default) => default,
            None => return Err(call.fail(format!("field '{name}' missing in date table"))),
        },
    };
    match found.checked_sub(delta).and_then(|value| i32::try_from(value).ok()) {
        Some(value) => Ok(value),
        None => Err(call.fail(format!("field '{name}' is out-of-bound"))),
    }
}

fn time(call: Call) -> Result<usize> {
    if call.arg(0).is_nil() {
        return call.one(Value::Int(now()));
    }
    let table = call.table(0)?;
    // SAFETY: all bits zero are a valid structure.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    parts.tm_year = field(&call, table, "year", None, 1900)?;
    parts.tm_mon = field(&call, table, "month", None, 1)?;
    parts.tm_mday = field(&call, table, "day", None, 0)?;
    parts.tm_hour = field(&call, table, "hour", Some(12), 0)?;
    parts.tm_min = field(&call, table, "min", Some(0), 0)?;
    parts.tm_sec = field(&call, table, "sec", Some(0), 0)?;
    parts.tm_isdst = match call.vm.get_field(table, "isdst")? {
        Value::Nil => -1,
        value => i32::from(value.is_true()),
    };
    // SAFETY: reads and normalizes the structure.
    let time = unsafe { libc::mktime(&mut parts) };
    if time == -1 && parts.tm_year != 69 {
        return Err(call.fail("time result cannot be represented in this installation"));
    }
    set_fields(call.vm, table, &parts)?;
    call.one(Value::Int(time))
}

fn diff_time(call: Call) -> Result<usize> {
    let (a, b) = (call.int(0)?, call.int(1)?);
    call.one(Value::float(a as f64 - b as f64))
}

/// The results of a command or file operation that may have failed.
pub fn outcome(call: &Call, result: std::io::Result<()>, name: Option<&[u8]>) -> Result<usize> {
    match result {
        Ok(()) => call.one(Value::True),
        Err(error) => {
            let mut text = name.map(|name| [name, b": "].concat()).unwrap_or_default();
            text.extend_from_slice(reason(&error).as_bytes());
            let text = call.vm.string(&text)?;
            call.many(&[Value::Nil, text, Value::Int(i64::from(error.raw_os_error().unwrap_or(0)))])
        }
    }
}

/// The results for how a command ended.
pub fn exit_status(call: &Call, status: std::process::ExitStatus) -> Result<usize> {
    use std::os::unix::process::ExitStatusExt;
    let (kind, code) = match status.signal() {
        Some(signal) => ("signal", signal),
        None => ("exit", status.code().unwrap_or(0)),
    };
    let kind = call.vm.string(kind.as_bytes())?;
    let first = if status.success() { Value::True } else { Value::Nil };
    call.many(&[first, kind, Value::Int(i64::from(code))])
}

/// The shell, about to run a command.
pub fn shell(command: &[u8]) -> std::process::Command {
    let mut shell = std::process::Command::new("/bin/sh");
    shell.arg("-c").arg(path(command));
    shell
}

fn execute(call: Call) -> Result<usize> {
    if call.arg(0).is_nil() {
        return call.one(Value::True);
    }
    super::io::flush_standard();
    match shell(call.bytes(0)?).status() {
        Ok(status) => exit_status(&call, status),
        Err(error) => outcome(&call, Err(error), None),
    }
}

fn exit(call: Call) -> Result<usize> {
    let code = match call.arg(0) {
        Value::Nil | Value::True => 0,
        Value::False => 1,
        _ => call.int(0)? as i32,
    };
    if call.arg(1).is_true() {
        call.vm.close_state();
    }
    super::io::flush_standard();
    std::process::exit(code)
}

fn get_env(call: Call) -> Result<usize> {
    use std::os::unix::ffi::OsStrExt;
    let name = call.bytes(0)?;
    if name.is_empty() || name.contains(&b'=') || name.contains(&0) {
        return call.one(Value::Nil);
    }
    match std::env::var_os(path(name)) {
        Some(value) => call.text(value.as_bytes()),
        None => call.one(Value::Nil),
    }
}

fn remove(call: Call) -> Result<usize> {
    let name = call.bytes(0)?;
    let file = path(name);
    let result = match std::fs::symlink_metadata(file) {
        Ok(data) if data.is_dir() => std::fs::remove_dir(file),
        _ => std::fs::remove_file(file),
    };
    outcome(&call, result, Some(name))
}

fn rename(call: Call) -> Result<usize> {
    let (from, to) = (call.bytes(0)?, call.bytes(1)?);
    outcome(&call, std::fs::rename(path(from), path(to)), None)
}

fn set_locale(call: Call) -> Result<usize> {
    call.option(1, Some("all"), &["all", "collate", "ctype", "monetary", "numeric", "time"])?;
    // The language's own behaviour is that of the locale "C", always.
    match call.bytes_or(0, b"C")? {
        b"" | b"C" | b"POSIX" => call.text(b"C"),
        _ => call.one(Value::Nil),
    }
}

/// A fresh file of its own, open for reading and writing, with its name.
pub fn temporary() -> std::io::Result<(Vec<u8>, std::fs::File)> {
    use std::os::fd::FromRawFd;
    use std::os::unix::ffi::OsStrExt;
    let mut name = std::env::temp_dir().as_os_str().as_bytes().to_vec();
    name.extend_from_slice(b"/lua_XXXXXX\0");
    // SAFETY: the name ends with 0, and is replaced in place.
    let file = unsafe { libc::mkstemp(name.as_mut_ptr().cast()) };
    if file < 0 {
        return Err(std::io::Error::last_os_error());
    }
    name.pop();
    // SAFETY: the file was just opened, and nobody else knows of it.
    Ok((name, unsafe { std::fs::File::from_raw_fd(file) }))
}

fn tmp_name(call: Call) -> Result<usize> {
    match temporary() {
        Ok((name, _)) => call.text(&name),
        Err(_) => Err(call.fail("unable to generate a unique filename")),
    }
}
