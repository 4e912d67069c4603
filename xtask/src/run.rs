//! `run`: translate if stale, then hand over to the binary.

use crate::{Profile, Result, build};
use std::process::Command;

/// Translates `interpreter` if needed and runs it with `args`; exits as it exits.
pub fn run(interpreter: &str, args: &[String]) -> Result<()> {
    let translated = build::translate(interpreter, Profile::Release, &[], true)?;
    let status = Command::new(&translated.binary)
        .args(args)
        .status()
        .map_err(|error| format!("{}: {error}", translated.binary.display()))?;
    std::process::exit(status.code().unwrap_or(101))
}
