//! Reading jitcode back from linked binaries.
//!
//! In: a file (ELF, Mach-O or COFF/PE), whatever it is. Out: the programs in its jitcode section, verified; or an
//! [`InspectError`] that says what the file is instead. No source is needed: names, liveness and positions are in the
//! image.

use std::path::Path;

use metatrace_defs::image::{self, ImageError};
use metatrace_defs::jitcode::{JitCode, JitCodeId, Program};
use metatrace_defs::{code, text, verify::verify};
use object::{Object, ObjectSection};
use serde_json::{Value, json};

/// Why there is nothing to inspect.
#[derive(Debug)]
pub enum InspectError {
    /// The file cannot be read.
    Read(std::io::Error),
    /// It is no object file or executable.
    NotABinary(String),
    /// It has no jitcode section.
    NoSection,
    /// Its jitcode section is damaged or of another version.
    Image(ImageError),
    /// Its jitcode breaks the rules: the first that it breaks.
    Broken(String),
}

impl std::fmt::Display for InspectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InspectError::Read(error) => write!(f, "it cannot be read: {error}"),
            InspectError::NotABinary(why) => write!(f, "it is no executable or object file: {why}"),
            InspectError::NoSection => f.write_str(
                "it has no jitcode: it is no interpreter that metatrace translated, or it was built without feature \
                 `jit`",
            ),
            InspectError::Image(error) => error.fmt(f),
            InspectError::Broken(rule) => write!(f, "its jitcode is damaged: {rule}"),
        }
    }
}

impl std::error::Error for InspectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            InspectError::Read(error) => Some(error),
            InspectError::Image(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ImageError> for InspectError {
    fn from(error: ImageError) -> InspectError {
        InspectError::Image(error)
    }
}

/// The programs in a file.
///
/// # Errors
/// See [`InspectError`].
pub fn read_file(path: &Path) -> Result<Vec<Program>, InspectError> {
    read_binary(&std::fs::read(path).map_err(InspectError::Read)?)
}

/// The programs in the bytes of a binary.
///
/// # Errors
/// See [`InspectError`].
pub fn read_binary(bytes: &[u8]) -> Result<Vec<Program>, InspectError> {
    let file = object::File::parse(bytes).map_err(|e| InspectError::NotABinary(e.to_string()))?;
    let ours = [image::SECTION_ELF, image::SECTION_MACHO.1, image::SECTION_COFF];
    let section = file.sections().find(|section| section.name().is_ok_and(|name| ours.contains(&name)));
    let section = section.ok_or(InspectError::NoSection)?;
    let data = section.data().map_err(|_| InspectError::Image(ImageError::Truncated))?;
    let mut programs = Vec::new();
    for record in image::records(data)? {
        let program = image::decode(&record)?;
        if let Err(errors) = verify(&program) {
            return Err(InspectError::Broken(errors.into_iter().next().unwrap_or_default()));
        }
        programs.push(program);
    }
    Ok(programs)
}

/// One line for each jitcode: size, name, kinds.
pub fn list(program: &Program) -> String {
    let count = program.jitcodes.len();
    let mut out = format!("{}: {count} jitcode{}\n", program.name, if count == 1 { "" } else { "s" });
    for (n, jitcode) in program.jitcodes.iter().enumerate() {
        let portal = program.portals.iter().any(|portal| portal.jitcode.index() == n);
        let note = if portal { "  portal" } else { "" };
        out += &format!("{:>8} bytes  {}{note}\n", jitcode.code.len(), jitcode.name);
    }
    out
}

/// The jitcodes whose name is `path` or ends with `::` and `path`; a last part that is the whole path comes first.
pub fn find(program: &Program, path: &str) -> Vec<JitCodeId> {
    let suffix = format!("::{path}");
    let matches = |jitcode: &JitCode| jitcode.name == path || jitcode.name.ends_with(&suffix);
    let exact = program.jitcodes.iter().position(|jitcode| jitcode.name == path);
    let all = program.jitcodes.iter().enumerate().filter(|(_, jitcode)| matches(jitcode));
    match exact {
        Some(n) => vec![JitCodeId::new(n)],
        None => all.map(|(n, _)| JitCodeId::new(n)).collect(),
    }
}

/// One jitcode as text: symbolic names, liveness, source positions, and the position of each instruction.
pub fn show(program: &Program, id: JitCodeId) -> String {
    text::print_jitcode(program, id)
}

/// All of a program as text that parses back.
pub fn show_all(program: &Program) -> String {
    text::print(program)
}

/// The jitcodes of a program as JSON; with `functions`, their instructions too.
pub fn to_json(program: &Program, only: Option<&[JitCodeId]>, functions: bool) -> Value {
    let jitcodes = program.jitcodes.iter().enumerate();
    let wanted = jitcodes.filter(|(n, _)| only.is_none_or(|only| only.contains(&JitCodeId::new(*n))));
    let jitcodes: Vec<Value> =
        wanted.map(|(n, jitcode)| jitcode_json(program, JitCodeId::new(n), jitcode, functions)).collect();
    json!({
        "name": program.name,
        "hash": format!("{:#018x}", program.hash),
        "portals": program.portals.iter().map(|portal| json!({
            "name": portal.name,
            "jitcode": program.jitcode(portal.jitcode).name,
            "merge_point": portal.merge_point,
            "params": portal.params.iter().map(|param| json!({
                "name": param.name,
                "kinds": letters(&param.kinds),
                "green": param.green,
                "owner": param.owner,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "jitcodes": jitcodes,
    })
}

fn letters(kinds: &[metatrace_defs::Kind]) -> String {
    kinds.iter().map(|kind| kind.letter()).collect()
}

fn jitcode_json(program: &Program, id: JitCodeId, jitcode: &JitCode, functions: bool) -> Value {
    let mut out = json!({
        "name": jitcode.name,
        "bytes": jitcode.code.len(),
        "params": letters(&jitcode.params),
        "results": letters(&jitcode.results),
        "words": jitcode.words,
        "floats": jitcode.floats,
    });
    if functions {
        let instructions = code::decode_all(&jitcode.code).unwrap_or_default();
        let instructions: Vec<Value> = instructions
            .iter()
            .map(|inst| {
                let mut row = json!({ "pc": inst.pc, "op": inst.inst.name() });
                if let Ok(n) = jitcode.live.binary_search_by_key(&inst.pc, |live| live.pc) {
                    let live = &jitcode.live[n];
                    row["live"] = json!({ "words": live.words, "floats": live.floats });
                }
                if let Some(at) = jitcode.position_at(inst.pc) {
                    let file = program.files.get(at.file as usize);
                    row["at"] = json!({ "file": file, "line": at.line, "column": at.column });
                }
                row
            })
            .collect();
        out["instructions"] = Value::Array(instructions);
        out["text"] = Value::String(show(program, id));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_file::object_file;

    const TEXT: &str = "program \"demo\" hash 0x9\njitcode \"demo::a\" (w) -> (w) {\n  return (w0)\n}\n\
                        jitcode \"demo::b\" () -> () {\n  unreachable\n}\n";

    #[test]
    fn every_format_is_read_back() {
        let program = text::parse(TEXT).unwrap();
        let image = image::encode(&program);
        for (arch, os) in [
            ("x86_64", "linux"),
            ("aarch64", "linux"),
            ("x86_64", "macos"),
            ("aarch64", "macos"),
            ("x86_64", "windows"),
        ] {
            let file = object_file(&image, arch, os).unwrap();
            let found = read_binary(&file).unwrap_or_else(|e| panic!("{arch} {os}: {e}"));
            assert_eq!(found, [program.clone()], "{arch} {os}");
        }
        assert!(object_file(&image, "sparc", "linux").unwrap_err().contains("sparc"));
    }

    #[test]
    fn other_files_are_refused() {
        let program = text::parse(TEXT).unwrap();
        let check = |bytes: &[u8], expected: &str| {
            let error = read_binary(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(b"", "no executable");
        check(b"#!/bin/sh\necho hello\n", "no executable");
        let image = image::encode(&program);
        check(&object_file(&[], "x86_64", "linux").unwrap(), "no jitcode image");
        check(&object_file(&image[..60], "x86_64", "linux").unwrap(), "truncated");
        check(&object_file(&[1; 64], "x86_64", "linux").unwrap(), "not a jitcode image");
        let mut other = image.clone();
        other[8] = 99;
        check(&object_file(&other, "x86_64", "linux").unwrap(), "version 99");
        let mut broken = program.clone();
        broken.jitcodes[0].words = 0;
        check(&object_file(&image::encode(&broken), "x86_64", "linux").unwrap(), "J2");
        let whole = object_file(&image, "x86_64", "linux").unwrap();
        for cut in (0..whole.len()).step_by(7) {
            assert!(read_binary(&whole[..cut]).is_err());
        }
    }

    #[test]
    fn functions_are_found_by_the_end_of_their_path() {
        let program = text::parse(TEXT).unwrap();
        assert_eq!(find(&program, "b"), [JitCodeId(1)]);
        assert_eq!(find(&program, "demo::a"), [JitCodeId(0)]);
        assert!(find(&program, "c").is_empty());
        assert!(list(&program).contains("demo::b"));
        assert!(show(&program, JitCodeId(0)).contains("return (w0)"));
        let json = to_json(&program, Some(&[JitCodeId(0)]), true);
        assert_eq!(json["jitcodes"][0]["instructions"][0]["op"], "return");
    }
}
