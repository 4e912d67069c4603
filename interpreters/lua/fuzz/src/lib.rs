//! Programs of Lua by seed, to compare interpreters and their modes.
//!
//! [`generate`] writes a program that ends, prints what it computes and depends on nothing but the language: no addresses, no order of
//! `pairs`, no lengths of lists with holes, no signs of NaN. Errors are caught and printed, with the names of variables that they speak of. [`run`] says what
//! an interpreter prints; [`reduce`] makes a program smaller as long as something holds of it.

mod expression;
mod program;
mod statement;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub use program::{Program, reduce};

/// What every program begins with: a limit of its steps and of what it prints, and the class of its objects.
const PRELUDE: &str = include_str!("prelude.lua");

/// The program of a seed.
pub fn generate(seed: u64) -> Program {
    statement::Writer::new(seed).program()
}

/// What an interpreter prints, given a program on standard input, and whether it ended well.
///
/// # Errors
/// If it cannot be started.
pub fn run(interpreter: &Path, program: &str, environment: &[(&str, &str)]) -> std::io::Result<String> {
    let mut child = Command::new(interpreter)
        .arg("-")
        .env_remove("METATRACE")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that stops reading says why below.
        let _ = input.write_all(program.as_bytes());
    }
    let done = child.wait_with_output()?;
    let mut text = String::from_utf8_lossy(&done.stdout).into_owned();
    if !done.status.success() {
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        let first = error.lines().next().unwrap_or_default();
        let message = first.split_once(": ").map_or(first, |(_, message)| message);
        text.push_str(&format!(
            "{}: {message}\n",
            if done.status.code().is_some() { "failed" } else { "crashed" }
        ));
    }
    Ok(text)
}
