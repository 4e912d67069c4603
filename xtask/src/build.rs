//! Translating an interpreter: one `cargo build` of its package, whose build script runs the translator.
//!
//! The binary, the image, the report and the emitted texts are copied to `target/translated/NAME/`.

use crate::{Emit, Profile, Result};
use cargo_metadata::{Message, MetadataCommand, Package};
use indicatif::{ProgressBar, ProgressStyle};
use metatrace_translator::load::packages::lacks_to_build;
use metatrace_translator::load::{Files, Manifest};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What a translation produced.
pub struct Translated {
    /// The folder with everything in it.
    pub dir: PathBuf,
    /// The binary.
    pub binary: PathBuf,
    /// The report, as the build script wrote it.
    pub report: serde_json::Value,
}

/// The workspace that `xtask` belongs to.
pub fn workspace_root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(Path::to_path_buf).ok_or_else(|| "xtask is not inside a workspace".to_string())
}

/// The package called `interpreter`, or the one in the folder `interpreter`, and its workspace's target folder.
fn find_package(interpreter: &str) -> Result<(Package, PathBuf)> {
    let mut command = MetadataCommand::new();
    command.no_deps();
    let as_dir = Path::new(interpreter).join("Cargo.toml");
    let by_path = as_dir.is_file();
    command.manifest_path(if by_path { as_dir.clone() } else { workspace_root()?.join("Cargo.toml") });
    let metadata = command.exec().map_err(|error| format!("cargo metadata: {error}"))?;
    let target = metadata.target_directory.clone().into_std_path_buf();
    let mut packages = metadata.packages;
    let found = packages.iter().position(|package| match by_path {
        true => {
            let dir = package.manifest_path.as_std_path().canonicalize().ok();
            dir.is_some() && dir == as_dir.canonicalize().ok()
        }
        false => package.name.as_str() == interpreter,
    });
    match found {
        Some(n) => Ok((packages.swap_remove(n), target)),
        None => {
            let root = workspace_root()?.join("interpreters");
            let names: Vec<&str> = packages
                .iter()
                .filter(|package| package.manifest_path.as_std_path().starts_with(&root))
                .map(|package| package.name.as_str())
                .collect();
            Err(format!(
                "no interpreter called `{interpreter}`; the workspace has {}, and a folder with a Cargo.toml can be named too",
                names.join(", ")
            ))
        }
    }
}

/// Translates and links an interpreter; shows progress if `progress` and standard error is a terminal.
pub fn translate(interpreter: &str, profile: Profile, emit: &[Emit], progress: bool) -> Result<Translated> {
    let (package, target) = find_package(interpreter)?;
    if !package.targets.iter().any(|target| target.is_bin()) {
        return Err(format!("package `{}` has no binary", package.name));
    }
    let emitted: Vec<&str> = emit
        .iter()
        .map(|emit| match emit {
            Emit::Graph => "graph",
            Emit::Jitcode => "jitcode",
        })
        .collect();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--message-format=json-render-diagnostics", "--manifest-path"]);
    cargo.arg(package.manifest_path.as_std_path());
    cargo.args(["--package", package.name.as_str(), "--bins"]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    if !emitted.is_empty() {
        cargo.env("METATRACE_EMIT", emitted.join(","));
    }
    let folder =
        package.manifest_path.parent().map(|path| path.as_std_path().to_path_buf()).unwrap_or_default();
    let manifest = Manifest::read(&folder, &Files::Disk).map_err(|error| error.message)?;
    if let Some((why, help)) = lacks_to_build(&manifest, &Files::Disk) {
        return Err(format!("package `{}` cannot be translated: {why}\n  help: {help}", package.name));
    }
    let (binary, out_dir) = run_cargo(cargo, &package, progress)?;
    collect(package.name.as_str(), &target, &binary, &out_dir.join("metatrace"))
}

/// Runs the build; returns the binary and the build script's output folder.
fn run_cargo(mut cargo: Command, package: &Package, progress: bool) -> Result<(PathBuf, PathBuf)> {
    let bar = if progress { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar.set_message(format!("building {}", package.name));
    let mut child = cargo
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    let stderr = child.stderr.take().ok_or("cargo's standard error is not there")?;
    let shown = bar.clone();
    let errors = std::thread::spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(stderr).lines().map_while(std::io::Result::ok) {
            let text = line.trim();
            if text.starts_with("Compiling") || text.starts_with("Building") || text.starts_with("Finished") {
                shown.set_message(text.to_string());
            }
            all.push_str(&line);
            all.push('\n');
        }
        all
    });
    let mut stdout = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_string(&mut stdout).map_err(|error| format!("cannot read what cargo says: {error}"))?;
    }
    let status = child.wait().map_err(|error| format!("cargo: {error}"))?;
    let errors = errors.join().unwrap_or_default();
    bar.finish_and_clear();
    if !status.success() {
        eprint!("{}", translation_errors(&errors).unwrap_or(errors));
        return Err(format!("`{}` was not translated", package.name));
    }
    let (mut binary, mut out_dir) = (None, None);
    for message in Message::parse_stream(stdout.as_bytes()).map_while(std::io::Result::ok) {
        match message {
            Message::CompilerArtifact(artifact) if artifact.package_id == package.id => {
                binary = artifact.executable.or(binary);
            }
            Message::BuildScriptExecuted(script) if script.package_id == package.id => {
                out_dir = Some(script.out_dir)
            }
            _ => {}
        }
    }
    let binary = binary.ok_or_else(|| format!("cargo built no binary of `{}`", package.name))?;
    let out_dir = out_dir.ok_or_else(|| {
        format!(
            "package `{}` has no build script: write `fn main() {{ metatrace_jitcodegen::build_script() }}` in build.rs",
            package.name
        )
    })?;
    Ok((binary.into_std_path_buf(), out_dir.into_std_path_buf()))
}

/// The build script's own messages out of what cargo says when it failed.
fn translation_errors(text: &str) -> Option<String> {
    let (_, own) = text.split_once("--- stderr\n")?;
    let mut out = String::new();
    for line in own.lines() {
        out.push_str(line.strip_prefix("  ").unwrap_or(line));
        out.push('\n');
    }
    Some(out)
}

/// Copies what was produced to the folder of the translation.
fn collect(name: &str, target: &Path, binary: &Path, from: &Path) -> Result<Translated> {
    let dir = target.join("translated").join(name);
    let fail = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
    std::fs::create_dir_all(&dir).map_err(|error| fail(&dir, error))?;
    let report_path = from.join("report.json");
    let text = std::fs::read_to_string(&report_path).map_err(|_| {
        format!(
            "the build script of `{name}` did not translate it: does the package build with feature `jit`?"
        )
    })?;
    let report =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", report_path.display()))?;
    for entry in std::fs::read_dir(from).map_err(|error| fail(from, error))?.flatten() {
        let path = entry.path();
        let wanted =
            matches!(path.extension().and_then(|e| e.to_str()), Some("json" | "mtjit" | "o" | "txt"));
        if wanted && path.is_file() {
            replace(&path, &dir.join(entry.file_name())).map_err(|error| fail(&path, error))?;
        }
    }
    let linked = dir.join(binary.file_name().unwrap_or_default());
    replace(binary, &linked).map_err(|error| fail(binary, error))?;
    Ok(Translated { dir, binary: linked, report })
}

/// Copies a file over another, which may be running.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    let fresh = to.with_extension("new");
    std::fs::copy(from, &fresh)?;
    std::fs::rename(&fresh, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_errors_are_cut_out_of_cargos() {
        let text = "error: failed to run custom build command\n  --- stdout\n  x\n\n  --- stderr\n  error[E0101]: no portal\n   --> src/lib.rs:1:1\n";
        assert_eq!(translation_errors(text).unwrap(), "error[E0101]: no portal\n --> src/lib.rs:1:1\n");
        assert_eq!(translation_errors("error: could not compile"), None);
    }

    #[test]
    fn unknown_interpreters_are_refused_with_the_known_ones() {
        let error = find_package("no-such-interpreter").err().unwrap();
        assert!(error.contains("brainfuck") && error.contains("tlr"), "{error}");
    }
}
