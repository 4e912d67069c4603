//! The library `io`.
//!
//! A file is shared by whoever refers to it, and closed when nobody does. Reading and writing are buffered here; the standard files are
//! those of the process.

use std::cell::RefCell;
use std::fs::File;
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::rc::Rc;

use metatrace::gc::Gc;

use super::os::{exit_status, outcome, shell};
use crate::call::Call;
use crate::meta;
use crate::number;
use crate::table::Table;
use crate::userdata::UserData;
use crate::value::Value;
use crate::vm::{Result, Vm};

#[derive(Clone, Copy, PartialEq)]
enum Buffering {
    No,
    Line,
    Full,
}

/// A file, or a command's input or output.
pub struct Stream {
    file: Option<File>,
    child: Option<Child>,
    /// What was read ahead, and how much of it was taken.
    ahead: Vec<u8>,
    taken: usize,
    /// What is to be written.
    behind: Vec<u8>,
    limit: usize,
    buffering: Buffering,
    /// A standard file, which programs cannot close.
    is_standard: bool,
    /// Its mode has no writing.
    is_read_only: bool,
}

type Shared = Rc<RefCell<Stream>>;

const BUFFER: usize = 1 << 14;

impl Stream {
    fn new(file: Option<File>) -> Stream {
        Stream {
            file,
            child: None,
            ahead: Vec::new(),
            taken: 0,
            behind: Vec::new(),
            limit: BUFFER,
            buffering: Buffering::Full,
            is_standard: false,
            is_read_only: false,
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.behind.is_empty() {
            return Ok(());
        }
        let behind = std::mem::take(&mut self.behind);
        match &mut self.file {
            Some(file) => file.write_all(&behind),
            None => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.is_read_only {
            return Err(closed());
        }
        if self.taken < self.ahead.len() {
            // What was read ahead is given back.
            let back = (self.ahead.len() - self.taken) as i64;
            if let Some(file) = &mut self.file {
                file.seek(SeekFrom::Current(-back))?;
            }
        }
        self.ahead.clear();
        self.taken = 0;
        self.behind.extend_from_slice(bytes);
        let flush = match self.buffering {
            Buffering::No => true,
            Buffering::Line => bytes.contains(&b'\n') || self.behind.len() >= self.limit,
            Buffering::Full => self.behind.len() >= self.limit,
        };
        if flush { self.flush() } else { Ok(()) }
    }

    /// Reads more ahead; false at the end.
    fn fill(&mut self) -> std::io::Result<bool> {
        self.flush()?;
        if self.taken == self.ahead.len() {
            self.ahead.clear();
            self.taken = 0;
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        let start = self.ahead.len();
        self.ahead.resize(start + BUFFER, 0);
        let found = loop {
            match file.read(&mut self.ahead[start..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                found => break found,
            }
        };
        self.ahead.truncate(start + *found.as_ref().unwrap_or(&0));
        found.map(|count| count > 0)
    }

    fn peek(&mut self) -> std::io::Result<Option<u8>> {
        if self.taken == self.ahead.len() && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.ahead[self.taken]))
    }

    /// A line without its end, which is read too; nothing at the end of the file.
    fn line(&mut self, keep_end: bool) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            if self.peek()?.is_none() {
                return Ok((!line.is_empty()).then_some(line));
            }
            let rest = &self.ahead[self.taken..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                line.extend_from_slice(&rest[..end + usize::from(keep_end)]);
                self.taken += end + 1;
                return Ok(Some(line));
            }
            line.extend_from_slice(rest);
            self.taken = self.ahead.len();
        }
    }

    fn all(&mut self) -> std::io::Result<Vec<u8>> {
        while self.fill()? {}
        let all = self.ahead.split_off(self.taken);
        self.ahead.clear();
        self.taken = 0;
        Ok(all)
    }

    fn count(&mut self, count: usize) -> std::io::Result<Option<Vec<u8>>> {
        while self.ahead.len() - self.taken < count && self.fill()? {}
        let found = count.min(self.ahead.len() - self.taken);
        if found == 0 && (count > 0 || self.peek()?.is_none()) {
            return Ok(None);
        }
        let bytes = self.ahead[self.taken..self.taken + found].to_vec();
        self.taken += found;
        Ok(Some(bytes))
    }

    /// A numeral: as much as looks like one, 200 bytes at most.
    fn numeral(&mut self) -> std::io::Result<Option<Value>> {
        while self.peek()?.is_some_and(number::is_space) {
            self.taken += 1;
        }
        let mut text = Vec::new();
        self.take_one(&mut text, b"+-")?;
        let hexadecimal = self.take_one(&mut text, b"0")? && self.take_one(&mut text, b"xX")?;
        let mut count = if hexadecimal { 0 } else { text.iter().filter(|byte| **byte == b'0').count() };
        count += self.take_digits(&mut text, hexadecimal)?;
        if self.take_one(&mut text, b".")? {
            count += self.take_digits(&mut text, hexadecimal)?;
        }
        if count > 0 && self.take_one(&mut text, if hexadecimal { b"pP" } else { b"eE" })? {
            self.take_one(&mut text, b"+-")?;
            self.take_digits(&mut text, false)?;
        }
        Ok(if text.len() >= 200 { None } else { number::parse(&text).map(Value::from) })
    }

    fn take_one(&mut self, text: &mut Vec<u8>, set: &[u8]) -> std::io::Result<bool> {
        match self.peek()? {
            Some(byte) if set.contains(&byte) && text.len() < 200 => {
                text.push(byte);
                self.taken += 1;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn take_digits(&mut self, text: &mut Vec<u8>, hexadecimal: bool) -> std::io::Result<usize> {
        let set: &[u8] = if hexadecimal { b"0123456789abcdefABCDEF" } else { b"0123456789" };
        let mut count = 0;
        while self.take_one(text, set)? {
            count += 1;
        }
        Ok(count)
    }

    fn seek(&mut self, from: usize, offset: i64) -> std::io::Result<u64> {
        self.flush()?;
        let ahead = (self.ahead.len() - self.taken) as i64;
        let Some(file) = &mut self.file else { return Err(closed()) };
        let position = match from {
            0 => match u64::try_from(offset) {
                Ok(offset) => file.seek(SeekFrom::Start(offset)),
                Err(_) => return Err(std::io::Error::from_raw_os_error(libc::EINVAL)),
            },
            1 => file.seek(SeekFrom::Current(offset - ahead)),
            _ => file.seek(SeekFrom::End(offset)),
        }?;
        self.ahead.clear();
        self.taken = 0;
        Ok(position)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

fn closed() -> std::io::Error {
    std::io::Error::from_raw_os_error(libc::EBADF)
}

/// A path as the system wants it.
pub fn path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// What the system says of an error.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

thread_local! {
    static STANDARD: [Shared; 3] = {
        let shared = |fd: std::io::Result<OwnedFd>, output: bool, terminal: bool| {
            let mut stream = Stream::new(fd.ok().map(File::from));
            stream.is_standard = true;
            stream.buffering = match (output, terminal) {
                (true, true) => Buffering::Line,
                (true, false) => Buffering::Full,
                _ => Buffering::No,
            };
            Rc::new(RefCell::new(stream))
        };
        let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        [
            shared(input.as_fd().try_clone_to_owned(), false, false),
            shared(output.as_fd().try_clone_to_owned(), true, output.is_terminal()),
            shared(error.as_fd().try_clone_to_owned(), false, false),
        ]
    };
}

/// Writes to standard output.
pub fn write_standard(bytes: &[u8]) {
    STANDARD.with(|streams| {
        let _ = streams[1].borrow_mut().write(bytes);
    });
}

/// Writes to standard error, behind what standard output has.
pub fn write_error(bytes: &[u8]) {
    flush_standard();
    STANDARD.with(|streams| {
        let _ = streams[2].borrow_mut().write(bytes);
    });
}

/// Writes what standard output still has.
pub fn flush_standard() {
    STANDARD.with(|streams| {
        let _ = streams[1].borrow_mut().flush();
    });
}

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[
            ("close", close_default),
            ("flush", |call| flush(call, &default(&call, "output")?)),
            ("input", |call| choose(call, "input", "r")),
            ("lines", lines_of_name),
            ("open", open_file),
            ("output", |call| choose(call, "output", "w")),
            ("popen", popen),
            ("read", |call| read(call, &default(&call, "input")?, 0)),
            ("tmpfile", tmp_file),
            ("type", type_of),
            ("write", |call| write(call, default_value(&call, "output")?, 0)),
        ],
    )?;
    let meta = vm.table()?;
    let name = vm.string(b"FILE*")?;
    vm.set_field(meta, "__name", name)?;
    super::register(vm, meta, &[("__gc", collect), ("__close", collect), ("__tostring", to_string)])?;
    let methods = vm.table()?;
    super::register(
        vm,
        methods,
        &[
            ("close", |call| close(call, &file(&call, 0)?)),
            ("flush", |call| flush(call, &file(&call, 0)?)),
            ("lines", lines),
            ("read", |call| read(call, &file(&call, 0)?, 1)),
            ("seek", seek),
            ("setvbuf", set_buffer),
            ("write", |call| write(call, call.arg(0), 1)),
        ],
    )?;
    vm.set_field(meta, "__index", Value::Table(methods))?;
    vm.set_field(vm.registry(), "FILE*", Value::Table(meta))?;
    STANDARD.with(|streams| {
        for (name, stream) in ["stdin", "stdout", "stderr"].iter().zip(streams) {
            let value = make(vm, Rc::clone(stream))?;
            vm.set_field(table, name, value)?;
            match *name {
                "stdin" => vm.set_field(vm.registry(), "input", value)?,
                "stdout" => vm.set_field(vm.registry(), "output", value)?,
                _ => {}
            }
        }
        Ok(())
    })
}

fn make(vm: &Vm, stream: Shared) -> Result<Value> {
    let meta = match vm.get_field(vm.registry(), "FILE*")? {
        Value::Table(meta) => Some(meta),
        _ => None,
    };
    Ok(Value::UserData(UserData::new(Box::new(stream), meta)?))
}

fn stream(value: Value) -> Option<Shared> {
    let Value::UserData(data) = value else { return None };
    data.data.borrow().downcast_ref::<Shared>().cloned()
}

/// An argument that is a file, open or not.
fn any_file(call: &Call, index: usize) -> Result<Shared> {
    stream(call.arg(index)).ok_or_else(|| call.bad_type(index, "FILE*"))
}

/// An argument that is an open file.
fn file(call: &Call, index: usize) -> Result<Shared> {
    let file = any_file(call, index)?;
    if file.borrow().file.is_none() {
        return Err(call.fail("attempt to use a closed file"));
    }
    Ok(file)
}

fn default_value(call: &Call, name: &str) -> Result<Value> {
    let value = call.vm.get_field(call.vm.registry(), name)?;
    match stream(value) {
        Some(file) if file.borrow().file.is_some() => Ok(value),
        _ => Err(call.fail(format!("default {name} file is closed"))),
    }
}

fn default(call: &Call, name: &str) -> Result<Shared> {
    let value = default_value(call, name)?;
    stream(value).ok_or_else(|| call.fail("no file"))
}

fn failure(call: &Call, error: std::io::Error, name: Option<&[u8]>) -> Result<usize> {
    outcome(call, Err(error), name)
}

fn open_path(name: &[u8], mode: &[u8]) -> std::io::Result<Shared> {
    let mut options = std::fs::OpenOptions::new();
    let plus = mode.contains(&b'+');
    match mode[0] {
        b'r' => options.read(true).write(plus),
        b'w' => options.write(true).create(true).truncate(true).read(plus),
        _ => options.append(true).create(true).read(plus),
    };
    let file = options.open(path(name))?;
    let mut stream = Stream::new(Some(file));
    stream.is_read_only = mode[0] == b'r' && !plus;
    Ok(Rc::new(RefCell::new(stream)))
}

fn open_file(call: Call) -> Result<usize> {
    let (name, mode) = (call.bytes(0)?, call.bytes_or(1, b"r")?);
    let rest = mode.strip_prefix(b"r").or(mode.strip_prefix(b"w")).or(mode.strip_prefix(b"a"));
    let rest = rest.map(|rest| rest.strip_prefix(b"+").unwrap_or(rest));
    if !matches!(rest, Some(b"" | b"b")) {
        return Err(call.bad(1, "invalid mode"));
    }
    match open_path(name, mode) {
        Ok(stream) => {
            let value = make(call.vm, stream)?;
            call.one(value)
        }
        Err(error) => failure(&call, error, Some(name)),
    }
}

fn popen(call: Call) -> Result<usize> {
    let (command, mode) = (call.bytes(0)?, call.bytes_or(1, b"r")?);
    flush_standard();
    let mut shell = shell(command);
    match mode {
        b"r" => shell.stdout(Stdio::piped()),
        b"w" => shell.stdin(Stdio::piped()),
        _ => return Err(call.bad(1, "invalid mode")),
    };
    match shell.spawn() {
        Ok(mut child) => {
            let end = match (child.stdout.take(), child.stdin.take()) {
                (Some(output), _) => Some(OwnedFd::from(output)),
                (None, Some(input)) => Some(OwnedFd::from(input)),
                _ => None,
            };
            let mut stream = Stream::new(end.map(File::from));
            stream.child = Some(child);
            stream.is_read_only = mode == b"r";
            let value = make(call.vm, Rc::new(RefCell::new(stream)))?;
            call.one(value)
        }
        Err(error) => failure(&call, error, Some(command)),
    }
}

fn tmp_file(call: Call) -> Result<usize> {
    let (name, file) = match super::os::temporary() {
        Ok(made) => made,
        Err(error) => return failure(&call, error, None),
    };
    let _ = std::fs::remove_file(path(&name));
    let value = make(call.vm, Rc::new(RefCell::new(Stream::new(Some(file)))))?;
    call.one(value)
}

fn type_of(call: Call) -> Result<usize> {
    match stream(call.any(0)?) {
        Some(file) if file.borrow().file.is_some() => call.text(b"file"),
        Some(_) => call.text(b"closed file"),
        None => call.one(Value::Nil),
    }
}

fn to_string(call: Call) -> Result<usize> {
    let file = any_file(&call, 0)?;
    if file.borrow().file.is_none() {
        return call.text(b"file (closed)");
    }
    let address = call.arg(0).address().unwrap_or(0);
    call.text(format!("file (0x{address:014x})").as_bytes())
}

fn collect(call: Call) -> Result<usize> {
    let file = any_file(&call, 0)?;
    if file.borrow().file.is_some() && !file.borrow().is_standard {
        close(call, &file)?;
    }
    Ok(0)
}

fn close_default(call: Call) -> Result<usize> {
    if call.count == 0 { close(call, &default(&call, "output")?) } else { close(call, &file(&call, 0)?) }
}

fn close(call: Call, file: &Shared) -> Result<usize> {
    let mut stream = file.borrow_mut();
    if stream.is_standard {
        let message = call.vm.string(b"cannot close standard file")?;
        return call.many(&[Value::Nil, message]);
    }
    let flushed = stream.flush();
    stream.file = None;
    stream.ahead.clear();
    stream.taken = 0;
    if let Some(mut child) = stream.child.take() {
        return match child.wait() {
            Ok(status) => exit_status(&call, status),
            Err(error) => failure(&call, error, None),
        };
    }
    outcome(&call, flushed, None)
}

fn flush(call: Call, file: &Shared) -> Result<usize> {
    let result = file.borrow_mut().flush();
    match result {
        Ok(()) => call.one(Value::True),
        Err(error) => failure(&call, error, None),
    }
}

/// `io.input` and `io.output`.
fn choose(call: Call, which: &str, mode: &str) -> Result<usize> {
    if !call.arg(0).is_nil() {
        let value = if let Value::Str(_) | Value::Int(_) | Value::Float(_) = call.arg(0) {
            let name = call.str(0)?;
            match open_path(name.bytes(), mode.as_bytes()) {
                Ok(stream) => make(call.vm, stream)?,
                Err(error) => {
                    let name = name.lossy();
                    return Err(call.fail(format!("cannot open file '{name}' ({})", reason(&error))));
                }
            }
        } else {
            any_file(&call, 0)?;
            call.arg(0)
        };
        call.vm.set_field(call.vm.registry(), which, value)?;
    }
    let value = call.vm.get_field(call.vm.registry(), which)?;
    call.one(value)
}

/// Reads by formats; the values, the last of which is nil if there was nothing for it.
fn read_formats(call: &Call, file: &Shared, formats: &[Value], first: usize) -> Result<Vec<ReadValue>> {
    if Rc::ptr_eq(file, &STANDARD.with(|streams| Rc::clone(&streams[0]))) {
        flush_standard();
    }
    let mut stream = file.borrow_mut();
    let line = [Value::Nil];
    let formats = if formats.is_empty() { &line } else { formats };
    let mut values = Vec::new();
    for (index, format) in formats.iter().enumerate() {
        let found = match format {
            Value::Nil => stream.line(false).map(ReadValue::bytes),
            Value::Int(count) => match usize::try_from(*count) {
                Ok(count) => stream.count(count).map(ReadValue::bytes),
                Err(_) => return Err(call.bad(first + index, "invalid format")),
            },
            Value::Float(_) => match format.to_int().and_then(|count| usize::try_from(count).ok()) {
                Some(count) => stream.count(count).map(ReadValue::bytes),
                None => return Err(call.bad(first + index, "number has no integer representation")),
            },
            Value::Str(text) => match text.bytes().strip_prefix(b"*").unwrap_or(text.bytes()).first() {
                Some(b'n') => stream.numeral().map(|value| value.map_or(ReadValue::None, ReadValue::Number)),
                Some(b'l') => stream.line(false).map(ReadValue::bytes),
                Some(b'L') => stream.line(true).map(ReadValue::bytes),
                Some(b'a') => stream.all().map(ReadValue::Bytes),
                _ => return Err(call.bad(first + index, "invalid format")),
            },
            _ => return Err(call.bad(first + index, "invalid format")),
        };
        let found = found.unwrap_or_else(ReadValue::Failed);
        let ends = matches!(found, ReadValue::None | ReadValue::Failed(_));
        values.push(found);
        if ends {
            break;
        }
    }
    Ok(values)
}

enum ReadValue {
    None,
    Bytes(Vec<u8>),
    Number(Value),
    Failed(std::io::Error),
}

impl ReadValue {
    fn bytes(bytes: Option<Vec<u8>>) -> ReadValue {
        bytes.map_or(ReadValue::None, ReadValue::Bytes)
    }
}

/// Puts what was read where the results go.
fn give(call: &Call, values: Vec<ReadValue>) -> Result<usize> {
    let count = values.len();
    call.reserve(call.count + count + 2);
    for (index, value) in values.into_iter().enumerate() {
        let value = match value {
            ReadValue::None => Value::Nil,
            ReadValue::Bytes(bytes) => call.vm.string(&bytes)?,
            ReadValue::Number(number) => number,
            ReadValue::Failed(error) => return failure(call, error, None),
        };
        call.place.put(call.count + 1 + index, value);
    }
    call.place.copy_from(call.place.up(call.count + 1), count);
    Ok(count)
}

fn read(call: Call, file: &Shared, first: usize) -> Result<usize> {
    let formats: Vec<Value> = (first..call.count).map(|index| call.arg(index)).collect();
    let values = read_formats(&call, file, &formats, first)?;
    give(&call, values)
}

fn write(call: Call, value: Value, first: usize) -> Result<usize> {
    let file = match first {
        0 => stream(value).ok_or_else(|| call.fail("no file"))?,
        _ => file(&call, 0)?,
    };
    for index in first..call.count {
        let arg = call.arg(index);
        let result = if let Value::Str(text) = arg {
            file.borrow_mut().write(text.bytes())
        } else {
            let mut out = Vec::new();
            match arg {
                Value::Float(float) => number::push_general(&mut out, float.get(), 14, false, false),
                _ if meta::push_text(&mut out, arg) => {}
                _ => return Err(call.bad_type(index, "string")),
            }
            file.borrow_mut().write(&out)
        };
        if let Err(error) = result {
            return failure(&call, error, None);
        }
    }
    call.one(value)
}

fn seek(call: Call) -> Result<usize> {
    let file = file(&call, 0)?;
    let from = call.option(1, Some("cur"), &["set", "cur", "end"])?;
    let offset = call.int_or(2, 0)?;
    let result = file.borrow_mut().seek(from, offset);
    match result {
        Ok(position) => call.one(Value::Int(position as i64)),
        Err(error) => failure(&call, error, None),
    }
}

fn set_buffer(call: Call) -> Result<usize> {
    let file = file(&call, 0)?;
    let kind = call.option(1, None, &["no", "full", "line"])?;
    let size = call.int_or(2, BUFFER as i64)?;
    let mut stream = file.borrow_mut();
    stream.buffering = [Buffering::No, Buffering::Full, Buffering::Line][kind];
    stream.limit = usize::try_from(size).unwrap_or(BUFFER).clamp(1, 1 << 24);
    let result = if kind == 0 { stream.flush() } else { Ok(()) };
    outcome(&call, result, None)
}

/// An iterator over lines: upvalues are the file, whether it is closed at its end, and the formats.
fn make_lines(call: Call, value: Value, first: usize, closes: bool) -> Result<Value> {
    if call.count > 250 {
        return Err(call.bad(251, "too many arguments"));
    }
    let mut state = vec![value, Value::bool(closes)];
    state.extend((first..call.count).map(|index| call.arg(index)));
    call.vm.native(next_line, &state)
}

fn lines(call: Call) -> Result<usize> {
    file(&call, 0)?;
    let iterator = make_lines(call, call.arg(0), 1, false)?;
    call.one(iterator)
}

fn lines_of_name(call: Call) -> Result<usize> {
    if call.arg(0).is_nil() {
        let value = default_value(&call, "input")?;
        let iterator = make_lines(call, value, 1, false)?;
        return call.one(iterator);
    }
    let name = call.bytes(0)?;
    let stream = match open_path(name, b"r") {
        Ok(stream) => stream,
        Err(error) => {
            let name = String::from_utf8_lossy(name).into_owned();
            return Err(call.fail(format!("cannot open file '{name}' ({})", reason(&error))));
        }
    };
    let value = make(call.vm, stream)?;
    // The name is not needed any more; its place keeps the file alive.
    call.place.put(1, value);
    let iterator = make_lines(call, value, 1, true)?;
    call.many(&[iterator, Value::Nil, Value::Nil, value])
}

fn next_line(call: Call) -> Result<usize> {
    let Value::Native(native) = call.function() else { return Ok(0) };
    let value = call.upvalue(0);
    let Some(file) = stream(value).filter(|file| file.borrow().file.is_some()) else {
        return Err(call.fail("file is already closed"));
    };
    let formats: Vec<Value> = native.upvalues.iter().skip(2).map(|cell| cell.get()).collect();
    let mut values = read_formats(&call, &file, &formats, 1)?;
    if let Some(ReadValue::Failed(error)) = values.first() {
        return Err(call.fail(reason(error)));
    }
    if matches!(values.first(), Some(ReadValue::None)) && call.upvalue(1).is_true() {
        values.truncate(1);
        close(call, &file)?;
        return call.one(Value::Nil);
    }
    give(&call, values)
}
