//! `require` and the library `package`.

use crate::call::Call;
use crate::function::NativeFn;
use crate::meta;
use crate::value::Value;
use crate::vm::{Result, Vm};

/// Where modules are looked for if the environment does not say.
const PATH: &str = "/usr/local/share/lua/5.4/?.lua;/usr/local/share/lua/5.4/?/init.lua;/usr/local/lib/lua/5.4/?.lua;\
                    /usr/local/lib/lua/5.4/?/init.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua;./?.lua;\
                    ./?/init.lua";

/// Where libraries of C are looked for: none can be loaded, but that is said of the ones that are found.
const LIBRARIES: &str =
    "/usr/local/lib/lua/5.4/?.so;/usr/lib/lua/5.4/?.so;/usr/local/lib/lua/5.4/loadall.so;./?.so";
const NO_LIBRARIES: &str = "dynamic libraries not enabled; check your Lua installation";

pub fn open(vm: &Vm) -> Result<()> {
    let globals = vm.globals();
    let package = vm.table()?;
    vm.set_field(globals, "package", Value::Table(package))?;
    super::publish(vm, "package", package)?;
    vm.set_field(package, "loaded", Value::Table(vm.loaded()))?;
    vm.set_field(vm.registry(), "_LOADED", Value::Table(vm.loaded()))?;
    let preload = vm.table()?;
    vm.set_field(package, "preload", Value::Table(preload))?;
    let path = std::env::var("LUA_PATH_5_4").or_else(|_| std::env::var("LUA_PATH")).ok();
    let path = match path {
        Some(path) => path.replace(";;", &format!(";{PATH};")).trim_matches(';').to_string(),
        None => PATH.to_string(),
    };
    let path = vm.string(path.as_bytes())?;
    vm.set_field(package, "path", path)?;
    let libraries = std::env::var("LUA_CPATH_5_4").or_else(|_| std::env::var("LUA_CPATH")).ok();
    let libraries = match libraries {
        Some(path) => path.replace(";;", &format!(";{LIBRARIES};")).trim_matches(';').to_string(),
        None => LIBRARIES.to_string(),
    };
    let libraries = vm.string(libraries.as_bytes())?;
    vm.set_field(package, "cpath", libraries)?;
    let config = vm.string(b"/\n;\n?\n!\n-\n")?;
    vm.set_field(package, "config", config)?;
    super::register(vm, package, &[("loadlib", load_library), ("searchpath", search_path)])?;
    let searchers = vm.table()?;
    for (index, searcher) in
        [search_preloaded as NativeFn, search_file, search_library, search_root].into_iter().enumerate()
    {
        let searcher = vm.native(searcher, &[Value::Table(package)])?;
        searchers.set_int(vm, index as i64 + 1, searcher)?;
    }
    vm.set_field(package, "searchers", Value::Table(searchers))?;
    let require = vm.native(require, &[Value::Table(package)])?;
    vm.set_field(globals, "require", require)
}

fn require(call: Call) -> Result<usize> {
    let vm = call.vm;
    let name = call.str(0)?;
    let loaded = vm.loaded();
    let found = loaded.get(&vm.shapes, Value::Str(name));
    if found.is_true() {
        return call.one(found);
    }
    let Value::Table(package) = call.upvalue(0) else { return Ok(0) };
    let Value::Table(searchers) = vm.get_field(package, "searchers")? else {
        return Err(call.fail("'package.searchers' must be a table"));
    };
    let mut messages = Vec::new();
    for index in 1.. {
        let searcher = searchers.get_int(index);
        if searcher.is_nil() {
            let name = name.lossy();
            let messages = String::from_utf8_lossy(&messages).into_owned();
            return Err(call.fail(format!("module '{name}' not found:{messages}")));
        }
        let place = vm.scratch();
        vm.call_from(place, searcher, &[Value::Str(name)], 2)?;
        match place.get() {
            loader @ (Value::Function(_) | Value::Native(_)) => {
                let extra = place.at(1);
                // The extra value is a result: its place is behind the arguments.
                call.place.put(call.count + 1, extra);
                call.reserve(call.count + 2);
                let value = call.call(loader, &[Value::Str(name), extra])?;
                if !value.is_nil() {
                    loaded.set(vm, Value::Str(name), value)?;
                }
                let mut result = loaded.get(&vm.shapes, Value::Str(name));
                if result.is_nil() {
                    result = Value::True;
                    loaded.set(vm, Value::Str(name), result)?;
                }
                return call.many(&[result, extra]);
            }
            Value::Str(message) => {
                messages.extend_from_slice(b"\n\t");
                messages.extend_from_slice(message.bytes());
            }
            _ => {}
        }
    }
    Ok(0)
}

fn search_preloaded(call: Call) -> Result<usize> {
    let name = call.str(0)?;
    let Value::Table(package) = call.upvalue(0) else { return Ok(0) };
    let preload = call.vm.get_field(package, "preload")?;
    let found = meta::index(call.vm, preload, Value::Str(name))?;
    if found.is_nil() {
        return call.text(format!("no field package.preload['{}']", name.lossy()).as_bytes());
    }
    let origin = call.vm.string(b":preload:")?;
    call.many(&[found, origin])
}

/// The first file that a path leads to; otherwise a message.
fn find_file(
    name: &[u8],
    path: &[u8],
    separator: &[u8],
    replacement: &[u8],
) -> std::result::Result<Vec<u8>, Vec<u8>> {
    let name = if separator.is_empty() { name.to_vec() } else { replace(name, separator, replacement) };
    let mut message = Vec::new();
    for template in path.split(|byte| *byte == b';').filter(|template| !template.is_empty()) {
        let file = replace(template, b"?", &name);
        if std::fs::File::open(super::io::path(&file)).is_ok() {
            return Ok(file);
        }
        if !message.is_empty() {
            message.extend_from_slice(b"\n\t");
        }
        message.extend_from_slice(&[b"no file '", file.as_slice(), b"'"].concat());
    }
    Err(message)
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(from) {
            out.extend_from_slice(to);
            at += from.len();
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

fn search_path(call: Call) -> Result<usize> {
    let (name, path) = (call.bytes(0)?, call.bytes(1)?);
    let (separator, replacement) = (call.bytes_or(2, b".")?, call.bytes_or(3, b"/")?);
    match find_file(name, path, separator, replacement) {
        Ok(file) => call.text(&file),
        Err(message) => {
            let message = call.vm.string(&message)?;
            call.many(&[Value::Nil, message])
        }
    }
}

fn search_file(call: Call) -> Result<usize> {
    let name = call.str(0)?;
    let Value::Table(package) = call.upvalue(0) else { return Ok(0) };
    let Value::Str(path) = call.vm.get_field(package, "path")? else {
        return Err(call.fail("'package.path' must be a string"));
    };
    match find_file(name.bytes(), path.bytes(), b".", b"/") {
        Err(message) => call.text(&message),
        Ok(file) => {
            match super::base::load_path(call.vm, Some(&file), Value::Table(call.vm.globals())) {
                Ok(loader) => {
                    // The loader is kept by the place of the function.
                    call.place.set(loader);
                    let file = call.vm.string(&file)?;
                    call.many(&[loader, file])
                }
                Err(_) => {
                    let error = call.vm.take_error();
                    let text = String::from_utf8_lossy(&crate::error::text_of(call.vm, error)).into_owned();
                    Err(call.fail(format!(
                        "error loading module '{}' from file '{}':\n\t{text}",
                        name.lossy(),
                        String::from_utf8_lossy(&file)
                    )))
                }
            }
        }
    }
}

fn search_library(call: Call) -> Result<usize> {
    let name = call.str(0)?;
    find_library(&call, name.bytes())
}

/// Looks for a library of the first part of a name, which may have what the others name.
fn search_root(call: Call) -> Result<usize> {
    let name = call.str(0)?;
    match name.bytes().iter().position(|byte| *byte == b'.') {
        Some(end) => find_library(&call, &name.bytes()[..end]),
        None => Ok(0),
    }
}

fn find_library(call: &Call, name: &[u8]) -> Result<usize> {
    let Value::Table(package) = call.upvalue(0) else { return Ok(0) };
    let Value::Str(path) = call.vm.get_field(package, "cpath")? else {
        return Err(call.fail("'package.cpath' must be a string"));
    };
    match find_file(name, path.bytes(), b".", b"/") {
        Err(message) => call.text(&message),
        Ok(file) => Err(call.fail(format!(
            "error loading module '{}' from file '{}':\n\t{NO_LIBRARIES}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(&file)
        ))),
    }
}

fn load_library(call: Call) -> Result<usize> {
    call.bytes(0)?;
    call.bytes(1)?;
    let message = call.vm.string(NO_LIBRARIES.as_bytes())?;
    let kind = call.vm.string(b"absent")?;
    call.many(&[Value::Nil, message, kind])
}
