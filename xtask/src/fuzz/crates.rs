//! Crates of generated cases: translated in this process, built, run.

use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use metatrace_generator::{Case, program};
use metatrace_jitcodegen::{Job, translate};

use super::{Failure, Kind};
use crate::{Result, build};

/// Where crates are made.
pub struct Crates {
    /// The folder of everything written.
    pub dir: PathBuf,
    root: PathBuf,
    release: bool,
    /// Whether they are translated wrongly on purpose.
    planted: bool,
}

const MANIFEST: &str =
    "[package]\nname = \"generated\"\nedition = \"2024\"\n\n[dependencies]\nmetatrace = \"*\"\n";

impl Crates {
    /// Makes the folder.
    pub fn new(release: bool) -> Result<Crates> {
        let root = build::workspace_root()?;
        let dir = root.join("target").join("fuzz");
        std::fs::create_dir_all(dir.join("package/src"))
            .and_then(|()| std::fs::write(dir.join("package/Cargo.toml"), MANIFEST))
            .map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(Crates { dir, root, release, planted: false })
    }

    /// Crates of which one operation is lowered wrongly, to see that this is found.
    #[cfg(test)]
    pub fn planted() -> Result<Crates> {
        Ok(Crates { planted: true, ..Crates::new(false)? })
    }

    /// Translates these cases as one crate.
    pub fn translate(&self, cases: &[Case]) -> std::result::Result<(), Failure> {
        let package = self.dir.join("package");
        let path = package.join("src/lib.rs");
        std::fs::write(&path, program(cases)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let job = Job {
            package,
            cfg: Default::default(),
            target: ("x86_64".to_string(), "linux".to_string()),
            emit_graph: false,
            emit_jitcode: false,
            library: None,
            kept: None,
        };
        match catch_unwind(AssertUnwindSafe(|| translate(&job))) {
            Ok(Ok(translation)) => {
                let unexpected = translation.output.outside.iter().find(|outside| {
                    !["marked `dont_look_inside`", "is a portal"].iter().any(|why| outside.why.contains(why))
                        && outside.name.starts_with("generated::c")
                });
                unexpected.map_or(Ok(()), |outside| {
                    let note = translation.output.notes.iter().find(|note| note.subject == outside.name);
                    let why = note.map_or(&outside.why, |note| &note.message);
                    Err(Failure { kind: Kind::Called, message: format!("{}: {why}", outside.name) })
                })
            }
            Ok(Err(message)) => Err(Failure { kind: Kind::Refused, message }),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
                let text = text.unwrap_or_default();
                let message = text.lines().take(60).collect::<Vec<_>>().join("\n");
                Err(Failure { kind: Kind::Panicked, message })
            }
        }
    }

    /// Translates all; takes those that cannot be translated out of `cases`, and gives them with the reasons.
    pub fn translate_each(&self, cases: &mut Vec<Case>) -> Vec<(Case, Failure)> {
        let mut failures = Vec::new();
        let mut good = Vec::new();
        // Halves, as most of the time most cases are all right.
        let mut waiting = vec![std::mem::take(cases)];
        while let Some(mut some) = waiting.pop() {
            match self.translate(&some) {
                Ok(()) => good.extend(some),
                Err(failure) if some.len() == 1 => {
                    if failure.kind == Kind::Called {
                        // It can be run all the same.
                        good.extend(some.clone());
                    }
                    failures.extend(some.pop().map(|case| (case, failure)));
                }
                Err(_) => {
                    let rest = some.split_off(some.len() / 2);
                    waiting.extend([some, rest]);
                }
            }
        }
        *cases = good;
        failures
    }

    /// Builds the crate of these cases; gives those that rustc does not accept.
    fn build(&self, cases: &[Case]) -> Result<std::result::Result<PathBuf, Vec<(usize, String)>>> {
        let source = self.dir.join("generated.rs");
        let text = program(cases);
        std::fs::write(&source, &text).map_err(|error| format!("{}: {error}", source.display()))?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).args([
            "build",
            "--quiet",
            "--package",
            "generated",
            "--bin",
            "generated",
        ]);
        if self.release {
            cargo.arg("--release");
        }
        match self.planted {
            true => cargo.env("METATRACE_PLANTED", "1"),
            false => cargo.env_remove("METATRACE_PLANTED"),
        };
        let output = cargo
            .env("METATRACE_GENERATED", &source)
            .output()
            .map_err(|error| format!("cannot start cargo: {error}"))?;
        let profile = if self.release { "release" } else { "debug" };
        if output.status.success() {
            return Ok(Ok(self.root.join("target").join(profile).join("generated")));
        }
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut bad: Vec<(usize, String)> = Vec::new();
        let lines: Vec<&str> = errors.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            let Some((_, at)) = line.split_once("package/src/lib.rs:") else { continue };
            let number: usize = at.split(':').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            let before: String = text.lines().take(number).map(|line| format!("{line}\n")).collect();
            let last = before.rfind("pub mod c").map(|at| &before[at + "pub mod ".len()..]);
            let name = last.and_then(|rest| rest.split_whitespace().next());
            let case = cases.iter().position(|case| Some(case.name.as_str()) == name);
            let said = lines[n.saturating_sub(1)..(n + 12).min(lines.len())].join("\n");
            if let Some(case) = case.filter(|case| bad.iter().all(|(other, _)| other != case)) {
                bad.push((case, said));
            }
        }
        if bad.is_empty() { Err(errors) } else { Ok(Err(bad)) }
    }

    /// Runs the cases in every engine, and gives those that fail.
    pub fn run(&self, cases: &[Case]) -> Result<Vec<(Case, Failure)>> {
        let mut cases = cases.to_vec();
        let mut failures = Vec::new();
        let binary = loop {
            if cases.is_empty() {
                return Ok(failures);
            }
            match self.build(&cases)? {
                Ok(binary) => break binary,
                Err(mut bad) => {
                    bad.sort();
                    for (n, message) in bad.into_iter().rev() {
                        failures.push((cases.remove(n), Failure { kind: Kind::NotCompiled, message }));
                    }
                }
            }
        };
        let mut first = 0;
        while first < cases.len() {
            let (at, wrong, done) = self.run_from(&binary, first)?;
            for (n, message) in wrong {
                failures.push((cases[n].clone(), Failure { kind: Kind::Wrong, message }));
            }
            if done {
                break;
            }
            let message = "the process ended or hung".to_string();
            failures.push((cases[at].clone(), Failure { kind: Kind::Crashed, message }));
            first = at + 1;
        }
        Ok(failures)
    }

    /// Runs the binary from a case on: the last case begun, what was wrong, and whether it came to its end.
    fn run_from(&self, binary: &PathBuf, first: usize) -> Result<(usize, Vec<(usize, String)>, bool)> {
        let fail = |error| format!("{}: {error}", binary.display());
        let mut child = Command::new("timeout")
            .arg("300")
            .arg(binary)
            .arg(first.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(fail)?;
        let (mut at, mut wrong, mut done) = (first, Vec::new(), false);
        let out = child.stdout.take().ok_or("the binary's output is not there")?;
        for line in BufReader::new(out).lines().map_while(std::io::Result::ok) {
            match line.split_once(' ') {
                Some(("case", rest)) => {
                    at = rest.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(at);
                }
                Some(("wrong", rest)) => wrong.push((at, rest.replace("\\n", "\n"))),
                _ => done |= line == "done",
            }
        }
        child.wait().map_err(fail)?;
        Ok((at, wrong, done))
    }
}
