//! `bench`: what the toolchain is measured by, as ratios against named peers in one run.
//!
//! In: built interpreters, their programs, the peers beside them. Out: a table on standard output and, if asked for, a
//! JSON file. Every figure is the median of several runs, the commands of a comparison taking turns, so that a change
//! of the machine's speed meets all of them.
//!
//! - `brainfuck/PROGRAM`: the JIT against the interpreter alone (`METATRACE=off`) and against a C interpreter.
//! - `guests/GUEST/PROGRAM`: interpreters written without a thought of the JIT, against the interpreter alone.
//! - `boxed/native`: the loop of the guest program `boxed/sum`, on boxed integers, against the same on plain ones in Rust.
//! - `tlr/square`: a guest loop of 10^9 turns against the same loop in Rust.
//! - `lua/PROGRAM`: the Lua interpreter against the interpreter alone, the reference implementation, and LuaJIT.
//! - `off/INTERPRETER`: what the JIT costs when it is off, in instructions under callgrind, on small inputs.
//! - `code/…`: what it costs to enter compiled code, to cross into a bridge, to call one compiled function from another, and to
//!   leave by a guard until compiled code is entered again.
//! - `compile/GUEST/PROGRAM`: the shares of recording, optimising and code generation in warming up, and the size of code.
//! - `warm-up/GUEST/PROGRAM`: the time until a program has lost no more than a tenth to being interpreted, recorded and compiled.
//! - `rules/RULE`: how often the guests' programs used each of the optimiser's rewrite rules.
//! - `gc/WORKLOAD`: programs that allocate, over the collector and over `malloc` and `free`.
//! - `translate/INTERPRETER`: the translator's own time, as the build script runs it.
//! - `translate/generated`: the same of 5 000 lines of generated functions, from nothing and after an edit of one of them,
//!   compiled as `xtask` is: like a build script, without optimisation unless asked for.

mod code;
mod gc;
mod lua;
mod measure;
mod warm_up;

use crate::build::{self, Translated};
use crate::report;
use crate::{Profile, Result};
use measure::{Cmd, callgrind, medians};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs of each command of a comparison.
const RUNS: usize = 5;

/// One line of the table.
struct Row {
    name: String,
    /// What was measured, with its unit, in order.
    figures: Vec<(String, f64)>,
}

/// What the benchmarks need.
struct Bench<'a> {
    root: PathBuf,
    filter: Option<&'a str>,
    rows: Vec<Row>,
}

/// Runs the benchmarks whose names contain `filter`. `quick`: those of Lua on small inputs, and once.
pub fn bench(filter: Option<&str>, json: Option<&Path>, quick: bool) -> Result<()> {
    let mut bench = Bench { root: build::workspace_root()?, filter, rows: Vec::new() };
    bench.brainfuck()?;
    bench.tlr()?;
    bench.guests()?;
    bench.lua(quick)?;
    bench.boxed()?;
    bench.off()?;
    bench.code()?;
    bench.compile()?;
    bench.warm_up()?;
    bench.rules()?;
    bench.gc()?;
    bench.translate()?;
    bench.translate_generated()?;
    if bench.rows.is_empty() {
        return Err(format!("no benchmark's name contains `{}`", filter.unwrap_or_default()));
    }
    if let Some(path) = json {
        let rows: Vec<Value> = bench.rows.iter().map(Row::json).collect();
        let text = serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?;
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

impl Row {
    fn json(&self) -> Value {
        let figures: serde_json::Map<String, Value> =
            self.figures.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ "name": self.name, "figures": figures })
    }
}

impl Bench<'_> {
    fn wants(&self, name: &str) -> bool {
        self.filter.is_none_or(|filter| name.contains(filter))
    }

    fn add(&mut self, name: String, figures: &[(&str, f64)]) {
        let text: Vec<String> = figures.iter().map(|(what, value)| format!("{what} {value:.3}")).collect();
        println!("{name:28} {}", text.join(" · "));
        let figures = figures.iter().map(|&(what, value)| (what.to_string(), value)).collect();
        self.rows.push(Row { name, figures });
    }

    fn translated(&self, interpreter: &str) -> Result<Translated> {
        build::translate(interpreter, Profile::Release, &[], true)
    }

    /// Builds a C peer with the optimisation that its authors would use.
    fn c_peer(&self, source: &str, name: &str) -> Result<PathBuf> {
        let out = self.root.join("target").join("bench");
        std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
        let binary = out.join(name);
        let status = Command::new("gcc")
            .args(["-O2", "-o"])
            .arg(&binary)
            .arg(self.root.join(source))
            .status()
            .map_err(|error| format!("the C peer needs gcc: {error}"))?;
        if status.success() { Ok(binary) } else { Err(format!("gcc could not build {source}")) }
    }

    fn brainfuck(&mut self) -> Result<()> {
        let programs = programs(&self.root.join("interpreters/brainfuck/programs"), "bf")?;
        let wanted: Vec<&PathBuf> =
            programs.iter().filter(|path| self.wants(&format!("brainfuck/{}", stem(path)))).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let jit = self.translated("brainfuck")?.binary;
        let peer = self.c_peer("interpreters/brainfuck/benches/peer.c", "brainfuck-c")?;
        let (mut over_off, mut over_c, mut off_over_c) = (Vec::new(), Vec::new(), Vec::new());
        for program in wanted {
            let input = Some(program.with_extension("in")).filter(|path| path.is_file());
            let cmd = |binary: &Path| Cmd::new(binary).arg(program).input(input.as_deref());
            let stats = cmd(&jit).stats(&self.root)?;
            let times = medians(&[cmd(&jit), cmd(&jit).env("METATRACE", "off"), cmd(&peer)], RUNS)?;
            let (on, off, c) = (times[0], times[1], times[2]);
            over_off.push(off / on);
            over_c.push(c / on);
            off_over_c.push(off / c);
            self.add(
                format!("brainfuck/{}", stem(program)),
                &[
                    ("JIT s", on),
                    ("off/JIT", off / on),
                    ("C/JIT", c / on),
                    ("off/C", off / c),
                    ("share of merge points compiled", share_compiled(&stats)),
                ],
            );
        }
        self.add(
            "brainfuck/geometric mean".to_string(),
            &[
                ("off/JIT", geometric_mean(&over_off)),
                ("C/JIT", geometric_mean(&over_c)),
                ("off/C", geometric_mean(&off_over_c)),
            ],
        );
        Ok(())
    }

    fn tlr(&mut self) -> Result<()> {
        if !self.wants("tlr/square") {
            return Ok(());
        }
        let turns = "1000000000";
        let jit = self.translated("tlr")?.binary;
        let native = self.native("tlr", "native_square")?;
        let program = self.root.join("interpreters/tlr/programs/square.tlr");
        let cmd = Cmd::new(&jit).arg(&program).arg(Path::new(turns));
        let stats = Cmd::new(&jit).arg(&program).arg(Path::new(turns)).stats(&self.root)?;
        let times = medians(&[cmd, Cmd::new(&native).arg(Path::new(turns))], RUNS)?;
        let per_turn = |seconds: f64| seconds * 1e9 / 1e9;
        self.add(
            "tlr/square".to_string(),
            &[
                ("JIT ns/turn", per_turn(times[0])),
                ("native ns/turn", per_turn(times[1])),
                ("JIT/native", times[0] / times[1]),
                ("share of merge points compiled", share_compiled(&stats)),
            ],
        );
        Ok(())
    }

    fn guests(&mut self) -> Result<()> {
        if self.filter.is_some_and(|filter| !filter.contains("guests")) {
            return Ok(());
        }
        let binary = self.translated("guests")?.binary;
        let list = Command::new(&binary).arg("list").output().map_err(|error| format!("guests: {error}"))?;
        let mut over_off = Vec::new();
        for program in String::from_utf8_lossy(&list.stdout).lines() {
            let name = format!("guests/{program}");
            if !self.wants(&name) {
                continue;
            }
            let cmd = Cmd::new(&binary).arg(Path::new(program));
            let stats = cmd.stats(&self.root)?;
            let times = medians(&[cmd.clone(), cmd.env("METATRACE", "off")], RUNS)?;
            over_off.push(times[1] / times[0]);
            self.add(
                name,
                &[
                    ("JIT s", times[0]),
                    ("off/JIT", times[1] / times[0]),
                    ("share of merge points compiled", share_compiled(&stats)),
                ],
            );
        }
        if !over_off.is_empty() {
            self.add("guests/geometric mean".to_string(), &[("off/JIT", geometric_mean(&over_off))]);
        }
        Ok(())
    }

    /// A loop on boxed integers against the same on plain ones.
    fn boxed(&mut self) -> Result<()> {
        if !self.wants("boxed/native") {
            return Ok(());
        }
        const TURNS: &str = "300000000";
        let jit = self.translated("guests")?.binary;
        let native = self.native("guests", "native_sum")?;
        let cmd = Cmd::new(&jit).arg(Path::new("boxed/sum")).arg(Path::new(TURNS));
        let times = medians(&[cmd, Cmd::new(&native).arg(Path::new(TURNS))], RUNS)?;
        self.add("boxed/native".to_string(), &[("JIT/native", times[0] / times[1])]);
        Ok(())
    }

    /// An example of a package: a program's loop in Rust, with a barrier that keeps it a loop.
    fn native(&self, package: &str, example: &str) -> Result<PathBuf> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).args(["build", "--quiet", "--release", "--package", package]);
        cargo.args(["--example", example]);
        match cargo.status() {
            Ok(status) if status.success() => Ok(self.root.join("target/release/examples").join(example)),
            _ => Err("the native loop could not be built".to_string()),
        }
    }

    /// Instructions with the JIT linked and off against a build without it.
    fn off(&mut self) -> Result<()> {
        let cases = [("brainfuck", "bf", None), ("tlr", "tlr", Some("1500"))];
        for (interpreter, extension, arg) in cases {
            let name = format!("off/{interpreter}");
            if !self.wants(&name) {
                continue;
            }
            let with = self.translated(interpreter)?.binary;
            let without = self.without_jit(interpreter)?;
            let (mut on, mut plain) = (0.0, 0.0);
            let dir = self.root.join("interpreters").join(interpreter).join("programs");
            for program in programs(&dir, extension)? {
                let input = Some(program.with_extension("small.in")).filter(|path| path.is_file());
                let cmd = |binary: &Path| {
                    let cmd = Cmd::new(binary).arg(&program).input(input.as_deref());
                    arg.map_or(cmd.clone(), |arg| cmd.arg(Path::new(arg)))
                };
                on += callgrind(&cmd(&with).env("METATRACE", "off"), &self.root)?;
                plain += callgrind(&cmd(&without), &self.root)?;
            }
            self.add(name, &[("instructions off/without JIT", on / plain)]);
        }
        Ok(())
    }

    /// The interpreter built without feature `jit`.
    fn without_jit(&self, interpreter: &str) -> Result<PathBuf> {
        let target = self.root.join("target").join("without-jit");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).args(["build", "--quiet", "--release", "--no-default-features"]);
        cargo.args(["--package", interpreter, "--target-dir"]).arg(&target);
        match cargo.status() {
            Ok(status) if status.success() => Ok(target.join("release").join(interpreter)),
            _ => Err(format!("`{interpreter}` could not be built without the JIT")),
        }
    }

    fn translate(&mut self) -> Result<()> {
        for interpreter in ["brainfuck", "tlr"] {
            let name = format!("translate/{interpreter}");
            if !self.wants(&name) {
                continue;
            }
            let report = self.translated(interpreter)?.report;
            let figures: Vec<(String, f64)> =
                report::stages(&report).into_iter().map(|(stage, ms)| (format!("{stage} ms"), ms)).collect();
            let total: f64 = figures.iter().map(|(_, ms)| ms).sum();
            let mut all: Vec<(&str, f64)> = figures.iter().map(|(name, ms)| (name.as_str(), *ms)).collect();
            all.push(("in all ms", total));
            self.add(name, &all);
        }
        Ok(())
    }

    fn translate_generated(&mut self) -> Result<()> {
        let name = "translate/generated";
        if !self.wants(name) {
            return Ok(());
        }
        let dir = self.root.join("target").join("bench").join("generated");
        let (package, lines) = xtask::check_types::write_generated(&dir, 1, 38)?;
        let job = metatrace_jitcodegen::Job {
            package,
            cfg: Default::default(),
            target: (std::env::consts::ARCH.to_string(), std::env::consts::OS.to_string()),
            emit_graph: false,
            emit_jitcode: false,
            library: None,
            kept: Some(dir.join("graphs.kept")),
        };
        let source = job.package.join("src/lib.rs");
        let failed = |error: std::io::Error| format!("{}: {error}", source.display());
        let text = std::fs::read_to_string(&source).map_err(failed)?;
        let (mut whole, mut edited) = (Vec::new(), Vec::new());
        let mut last = None;
        for _ in 0..RUNS {
            std::fs::write(&source, &text).map_err(failed)?;
            if let Some(kept) = &job.kept {
                let _ = std::fs::remove_file(kept);
            }
            whole.push(total(&metatrace_jitcodegen::translate(&job)?));
            std::fs::write(&source, edit(&text)?).map_err(failed)?;
            let made = metatrace_jitcodegen::translate(&job)?;
            edited.push(total(&made));
            last = Some(made);
        }
        let Some(made) = last else { return Ok(()) };
        let (reused, translated) = made.reused;
        let mut figures = vec![
            ("lines", lines as f64),
            ("from nothing ms (median)", measure::median(whole)),
            ("after an edit ms (median)", measure::median(edited)),
            ("functions reused", reused as f64),
            ("functions translated", translated as f64),
        ];
        let stages = made.stages.0.iter().map(|(stage, time)| (*stage, time.as_secs_f64() * 1e3));
        figures.extend(stages);
        self.add(name.to_string(), &figures);
        Ok(())
    }
}

/// How long a translation took, in milliseconds.
fn total(made: &metatrace_jitcodegen::Translation) -> f64 {
    made.stages.0.iter().map(|(_, time)| time.as_secs_f64() * 1e3).sum()
}

/// A source with one function in its middle changed.
fn edit(text: &str) -> Result<String> {
    let middle = text.len() / 2;
    let at =
        text.get(middle..).and_then(|rest| rest.find("    let ")).ok_or("no statement to edit")? + middle;
    Ok(format!("{}    let _edited = 1u8;\n{}", &text[..at], &text[at..]))
}

/// The files with `extension` in `dir`, sorted.
fn programs(dir: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    if paths.is_empty() { Err(format!("{} has no .{extension} files", dir.display())) } else { Ok(paths) }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn share_compiled(stats: &Value) -> f64 {
    let count = |key: &str| stats.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    let compiled = count("merge_points_compiled");
    let all = compiled + count("merge_points_interpreted");
    if all == 0.0 { 0.0 } else { compiled / all }
}

fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_means() {
        assert_eq!(
            share_compiled(&json!({ "merge_points_compiled": 9, "merge_points_interpreted": 1 })),
            0.9
        );
        assert_eq!(share_compiled(&json!({})), 0.0);
        assert!((geometric_mean(&[2.0, 8.0]) - 4.0).abs() < 1e-9);
    }
}
