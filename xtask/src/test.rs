//! `test`: every test of the project.
//!
//! Three runs of cargo: the workspace in the development profile, with assertions and verifiers on; the interpreters'
//! tests in the release profile, where the long programs run; and the documentation's examples as part of the first.

use crate::{Result, build};
use std::process::Command;

/// Runs the tests whose names contain `filter`; with `bless`, accepts their output as expected.
pub fn test(filter: Option<&str>, bless: bool) -> Result<()> {
    let root = build::workspace_root()?;
    let runs: [(&str, &[&str]); 2] = [
        ("all crates", &["--workspace"]),
        ("translated interpreters, optimised", &["--release", "--package", "brainfuck", "--package", "tlr"]),
    ];
    for (what, args) in runs {
        println!("== {what}");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&root).args(["test", "--no-fail-fast"]).args(args).args(filter);
        if bless {
            cargo.env("METATRACE_BLESS", "1").env("UPDATE_EXPECT", "1");
        }
        let status = cargo.status().map_err(|error| format!("cannot start cargo: {error}"))?;
        if !status.success() {
            return Err(format!("tests failed: {what}"));
        }
    }
    Ok(())
}
