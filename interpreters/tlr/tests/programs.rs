//! The programs of the `programs` folder give the results that arithmetic says, and their bytecode is what the
//! assembler makes of their text.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use metatrace::Traced;
use tlr::{Bytecode, assemble, run};

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs")
}

fn result(name: &str, a: i64) -> i64 {
    let bytes = std::fs::read(programs().join(name).with_extension("tlr")).unwrap();
    run(&Traced::new(Bytecode::load(bytes).unwrap()), a)
}

fn command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tlr")).args(arguments).output().unwrap()
}

#[test]
fn bytecode_is_assembled_from_the_text_beside_it() {
    let mut count = 0;
    for entry in std::fs::read_dir(programs()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "tlasm") {
            let text = std::fs::read_to_string(&path).unwrap();
            let kept = std::fs::read(path.with_extension("tlr")).unwrap_or_default();
            assert_eq!(
                assemble(&text).unwrap(),
                kept,
                "{0} is stale: run `cargo run -p tlr --example assemble -- {0}`",
                path.display()
            );
            count += 1;
        }
    }
    assert!(count >= 6);
}

#[test]
fn square() {
    for a in [1, 2, 16, 1000, 65537] {
        assert_eq!(result("square", a), a * a);
    }
}

#[test]
fn triangle() {
    for a in [0, 1, 10, 12345] {
        assert_eq!(result("triangle", a), a * (a + 1) / 2);
    }
}

#[test]
fn fibonacci_wraps() {
    let mut numbers = vec![0i64, 1];
    for index in 2..=200 {
        numbers.push(numbers[index - 1].wrapping_add(numbers[index - 2]));
    }
    for index in [1, 2, 10, 92, 93, 200] {
        assert_eq!(result("fibonacci", index as i64), numbers[index]);
    }
}

#[test]
fn cube() {
    for a in [1, 2, 7, 30] {
        assert_eq!(result("cube", a), a * a * a);
    }
}

#[test]
fn alternate() {
    for a in [1, 2, 9, 1000] {
        assert_eq!(result("alternate", a), 3 * ((a + 1) / 2) - a / 2);
    }
}

#[test]
fn registers_are_zero_after_every_allocation() {
    assert_eq!(result("reallocate", 1000), 0);
}

#[test]
fn the_command_prints_the_result() {
    let path = programs().join("square.tlr");
    let output = command(&[path.to_str().unwrap(), "12"]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"144\n"[..]));
    let output = command(&[programs().join("negate.tlr").to_str().unwrap(), "-9"]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"9\n"[..]));
}

#[test]
fn the_command_refuses_what_it_cannot_run() {
    let missing = command(&["missing.tlr", "1"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).starts_with("tlr: cannot read missing.tlr: "));
    let text = programs().join("square.tlasm");
    let malformed = command(&[text.to_str().unwrap(), "1"]);
    assert_eq!(malformed.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&malformed.stderr).contains("offset 0: 59 is not an opcode"));
    assert_eq!(command(&[text.to_str().unwrap(), "one"]).status.code(), Some(2));
}
