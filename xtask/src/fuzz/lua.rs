//! `fuzz lua`: generated programs of Lua, by the reference implementation, without the JIT and in its stress modes.
//!
//! In: a seed and a number of programs. Out: on standard output each program that prints something else in some mode, made smaller, and
//! written to `target/fuzz/`; an error if there was any. Without the reference implementation the modes are compared with each other.

use std::path::{Path, PathBuf};

use lua_fuzz::Program;

use crate::build::translate;
use crate::{Profile, Result};

/// The reference implementation's command.
const REFERENCE: &str = "lua5.4";

/// The modes that are compared: values of `METATRACE`.
const MODES: [&str; 4] = [
    "off",
    "threshold=7,function_threshold=7,trace_eagerness=3",
    "threshold=1,function_threshold=1,trace_eagerness=2,fail_guards=1",
    "threshold=2,trace_eagerness=2,gc_every=7",
];

/// The interpreters.
struct Peers {
    ours: PathBuf,
    has_reference: bool,
}

impl Peers {
    /// The mode in which a program prints something else than it should, with both outputs.
    fn difference(&self, program: &Program) -> Result<Option<(&'static str, String, String)>> {
        let text = program.text();
        let run = |interpreter: &Path, mode: &str| {
            lua_fuzz::run(interpreter, &text, &[("METATRACE", mode)])
                .map_err(|error| format!("{}: {error}", interpreter.display()))
        };
        let expected =
            if self.has_reference { run(Path::new(REFERENCE), "off")? } else { run(&self.ours, "off")? };
        for mode in MODES {
            let found = run(&self.ours, mode)?;
            if found != expected {
                return Ok(Some((mode, expected, found)));
            }
        }
        Ok(None)
    }
}

/// Runs the programs of `count` seeds from `seed` on.
pub fn lua(seed: u64, count: u64) -> Result<()> {
    let ours = translate("lua", Profile::Release, &[], false)?.binary;
    let has_reference = lua_fuzz::run(Path::new(REFERENCE), "", &[]).is_ok();
    if !has_reference {
        println!("`{REFERENCE}` is not installed: only the modes are compared with each other");
    }
    let peers = Peers { ours, has_reference };
    let mut failed = 0;
    for seed in seed..seed.saturating_add(count) {
        let program = lua_fuzz::generate(seed);
        if peers.difference(&program)?.is_none() {
            continue;
        }
        failed += 1;
        let reduced = lua_fuzz::reduce(&program, |smaller| matches!(peers.difference(smaller), Ok(Some(_))));
        let Some((mode, expected, found)) = peers.difference(&reduced)? else { continue };
        let path = write(seed, &reduced.text())?;
        println!("seed {seed}, METATRACE={mode}: {}", path.display());
        for (expected, found) in expected.lines().zip(found.lines()).filter(|(a, b)| a != b).take(3) {
            println!("    expected {expected}\n    found    {found}");
        }
    }
    println!("{count} programs ran, {failed} differ");
    if failed == 0 { Ok(()) } else { Err(format!("{failed} programs differ")) }
}

/// Keeps a program that differs.
fn write(seed: u64, text: &str) -> Result<PathBuf> {
    let folder = Path::new("target").join("fuzz");
    let path = folder.join(format!("lua-{seed}.lua"));
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
