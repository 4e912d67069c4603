//! Translation as an interpreter's build script runs it, and as a library.
//!
//! ```no_run
//! // build.rs of an interpreter
//! metatrace_jitcodegen::build_script();
//! ```
//!
//! In: a package. Out, in `OUT_DIR/metatrace`: a file of glue for each module with `metatrace::glue!()`, the jitcode image
//! (which the glue includes), `jitcode.o`, `report.json`, what the next translation may reuse, and on request the graphs and jitcodes as text.

use std::path::{Path, PathBuf};
use std::time::Instant;

use metatrace_defs::image;
use metatrace_translator::diag::{Diagnostic, Level, span_at};
use metatrace_translator::flow;
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::load::packages::{Switch, interpreter_of, packages, switch};
use metatrace_translator::load::{Files, Manifest};
use metatrace_translator::lower::cache::Cache;
use metatrace_translator::lower::{lower, lower_with};
use metatrace_translator::program::Program;
use metatrace_translator::source::{SourceMap, Span};
use metatrace_translator::translate::hash_of;
use metatrace_translator::with_stack;

use crate::generate::{Error, Output, generate};
use crate::glue::{IMAGE_FILE, file_name as glue_file};
use crate::kept;
use crate::object_file::object_file;
use crate::report::{Stages, report};

/// The environment variable that asks for texts: any of `graph` and `jitcode`, separated by commas.
const EMIT: &str = "METATRACE_EMIT";

/// What to translate, and for what.
#[derive(Clone, Debug)]
pub struct Job {
    /// The package's folder; diagnostics show paths as they are below it.
    pub package: PathBuf,
    /// The conditions that hold in the build.
    pub cfg: Cfg,
    /// The target's processor and system, as Cargo calls them.
    pub target: (String, String),
    /// Whether to write the flow graphs as text.
    pub emit_graph: bool,
    /// Whether to write the jitcodes as text.
    pub emit_jitcode: bool,
    /// The library for which glue is written; none writes that of the package's own crate, and all else.
    pub library: Option<String>,
    /// The file in which what one translation made is kept for the next; none makes everything anew.
    pub kept: Option<PathBuf>,
}

/// What a translation made.
pub struct Translation {
    /// The flow graphs.
    pub graphs: flow::Program,
    /// Jitcode and glue.
    pub output: Output,
    /// The jitcode image.
    pub image: Vec<u8>,
    /// How long each stage took.
    pub stages: Stages,
    /// How many functions' graphs were kept from the translation before, and how many were made.
    pub reused: (usize, usize),
    /// What the author should know, in rustc's form.
    pub warnings: Vec<String>,
    /// The folders of the libraries that take part.
    pub packages: Vec<PathBuf>,
}

impl Translation {
    /// What was translated, what was not and why, and how long it took.
    pub fn report(&self) -> serde_json::Value {
        report(&self.graphs, &self.output, self.image.len(), &self.stages, self.reused)
    }
}

/// The environment variable that says with which features an interpreter is built, separated by commas, to the build scripts of its
/// libraries. Without it they rely on its default features.
const FEATURES: &str = "METATRACE_FEATURES";

/// The whole of the build script of an interpreter, or of a library that it is spread over: translates the interpreter if the package's
/// feature `jit` is on (or it has none, and `metatrace` has), and sets the cfg `metatrace` that makes `metatrace::glue!()` include what was generated.
///
/// On errors in the source, prints them and ends the process with status 1.
pub fn build_script() {
    println!("cargo::rustc-check-cfg=cfg(metatrace)");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-env-changed={EMIT}");
    println!("cargo::rerun-if-env-changed={FEATURES}");
    if !is_on() {
        return;
    }
    if let Err(message) = run_build_script() {
        eprintln!("{message}");
        std::process::exit(1);
    }
    println!("cargo::rustc-cfg=metatrace");
}

/// Whether the package is to be translated; warns if its manifest asks for that in vain.
fn is_on() -> bool {
    let features = build_script_cfg().features();
    let Ok(manifest) = Manifest::read(Path::new(""), &Files::Disk) else {
        // What is wrong with it is said with all else.
        return true;
    };
    match switch(&manifest, &features) {
        Switch::On => true,
        Switch::Off => false,
        // That is an error, which is reported with all others.
        Switch::Lacking { .. } if !manifest.uses_runtime() => true,
        Switch::Lacking { message, help, at } => {
            let line = at.map_or(1, |at| manifest.text[..at.start].lines().count().max(1));
            println!("cargo::warning=Cargo.toml:{line}: {message}, so nothing is translated: {help}");
            false
        }
    }
}

/// The conditions that hold in the build, as Cargo tells a build script.
pub fn build_script_cfg() -> Cfg {
    Cfg::from_build_script(std::env::vars())
}

fn run_build_script() -> Result<(), String> {
    let variable = |name: &str| {
        std::env::var(name).map_err(|_| format!("error: `{name}` is not set: this is for build scripts"))
    };
    let out = Path::new(&variable("OUT_DIR")?).join("metatrace");
    let emit = std::env::var(EMIT).unwrap_or_default();
    let mut job = Job {
        // A build script runs in its package's folder.
        package: PathBuf::new(),
        cfg: build_script_cfg(),
        target: (variable("CARGO_CFG_TARGET_ARCH")?, variable("CARGO_CFG_TARGET_OS")?),
        emit_graph: emit.split(',').any(|what| what == "graph"),
        emit_jitcode: emit.split(',').any(|what| what == "jitcode"),
        library: None,
        kept: Some(out.join("graphs.kept")),
    };
    let features = std::env::var(FEATURES).ok();
    match member(&mut job, features.as_deref()) {
        Member::Portal => {}
        Member::Library => {
            println!("cargo::rerun-if-changed={}", job.package.join("src").display());
            println!("cargo::rerun-if-changed={}", job.package.join("Cargo.toml").display());
        }
        Member::Unused(why) => {
            println!("cargo::warning={why}");
            return write_empty(&out);
        }
    }
    let translation = translate(&job)?;
    for folder in &translation.packages {
        println!("cargo::rerun-if-changed={}", folder.join("src").display());
        println!("cargo::rerun-if-changed={}", folder.join("Cargo.toml").display());
    }
    if job.library.is_some() {
        // The interpreter's own build script says what there is to say.
        return write(&job, &translation, &out);
    }
    for warning in &translation.warnings {
        // Cargo shows warnings of the packages one works on, a line at a time.
        for line in warning.lines() {
            println!("cargo::warning={line}");
        }
    }
    write(&job, &translation, &out)
}

/// What a package is to an interpreter.
enum Member {
    /// It has the portal.
    Portal,
    /// It is a library of it.
    Library,
    /// None uses it, or it is not clear which: why.
    Unused(String),
}

/// Makes `job` that of the interpreter that its package is part of. `features` are those of the interpreter.
fn member(job: &mut Job, features: Option<&str>) -> Member {
    // What is wrong with the manifest is said when it is read again.
    let Ok(manifest) = Manifest::read(&job.package, &Files::Disk) else { return Member::Portal };
    let dir = match interpreter_of(&manifest, &Files::Disk) {
        Ok(Some(dir)) if dir == job.package => return Member::Portal,
        Ok(Some(dir)) => dir,
        Ok(None) => return Member::Portal,
        Err(all) => {
            let all: Vec<String> = all.iter().map(|dir| format!("`{}`", dir.display())).collect();
            return Member::Unused(format!(
                "this library is called natively, since several interpreters use it ({}): choose one with `portal = \"…\"` in \
                 `[package.metadata.metatrace]`",
                all.join(", ")
            ));
        }
    };
    let Ok(portal) = Manifest::read(&dir, &Files::Disk) else {
        let message =
            format!("the interpreter of this library should be in `{}`, which is no package", dir.display());
        return Member::Unused(message);
    };
    let asked = match features {
        Some(list) => list.split(',').filter(|name| !name.is_empty()).map(str::to_string).collect(),
        None => vec!["default".to_string()],
    };
    job.cfg = job.cfg.with_features(&portal.closure(&asked));
    let all = packages(&portal, &Files::Disk, &job.cfg);
    if let Some(outsider) = all.outside.iter().find(|outsider| outsider.name == manifest.lib_name) {
        return Member::Unused(format!(
            "this library is called natively: {}: {}",
            outsider.why, outsider.help
        ));
    }
    job.package = dir;
    job.library = Some(manifest.lib_name);
    Member::Library
}

/// Writes no glue for the modules of a library that takes no part.
fn write_empty(out: &Path) -> Result<(), String> {
    with_stack(|| {
        let program = Program::load_package(Path::new(""), &build_script_cfg());
        for module in program.modules_with_glue() {
            let path = out.join(glue_file(&module));
            std::fs::create_dir_all(out)
                .and_then(|()| std::fs::write(&path, ""))
                .map_err(|e| format!("error: cannot write `{}`: {e}", path.display()))?;
        }
        Ok(())
    })
}

/// Translates a package.
///
/// # Errors
/// All mistakes in its source, in rustc's form.
pub fn translate(job: &Job) -> Result<Translation, String> {
    with_stack(|| translate_here(job))
}

fn translate_here(job: &Job) -> Result<Translation, String> {
    let mut stages = Stages::default();
    let mut start = Instant::now();
    let mut stage = |name: &'static str, stages: &mut Stages| {
        stages.0.push((name, start.elapsed()));
        start = Instant::now();
    };
    let program = Program::load_package(&job.package, &job.cfg);
    stage("load", &mut stages);
    let name = program.crate_name();
    let tools = format!("{} {}", env!("CARGO_PKG_VERSION"), image::VERSION);
    let hash = hash_of(&program, &[tools.as_bytes(), name.as_bytes(), format!("{:?}", job.cfg).as_bytes()]);
    let failed = || Err(summary(&program));
    // What can be looked at is looked at even if something is wrong elsewhere, so that all errors come together.
    let mut cache = match &job.kept {
        Some(path) => kept::open(path, &program, &job.cfg),
        None => Cache::off(),
    };
    let Ok(graphs) = lower_with(&program, name, hash, &job.package, &mut cache) else { return failed() };
    if let Some(path) = &job.kept {
        kept::close(path, &cache);
    }
    stage("infer and lower", &mut stages);
    let output = match generate(&graphs) {
        Ok(output) => output,
        Err(errors) => {
            errors.iter().for_each(|e| program.diagnostics().push(diagnostic(e, program.sources())));
            program.keep_notes(&graphs.notes);
            return failed();
        }
    };
    stage("generate", &mut stages);
    let image = image::encode(&output.program);
    stage("encode", &mut stages);
    program.keep_notes(&output.notes);
    let warnings = program.warnings().sorted().iter().map(|w| w.render(program.sources())).collect();
    let packages = program.packages();
    Ok(Translation { graphs, output, image, stages, reused: cache.counts(), warnings, packages })
}

/// Everything that there is to say about a loaded crate, errors and warnings. To be run [with stack](with_stack).
pub fn check(program: &Program) -> Vec<Diagnostic> {
    if let Ok(graphs) = lower(program, program.crate_name(), 0, Path::new("")) {
        match generate(&graphs) {
            Ok(output) => program.keep_notes(&output.notes),
            Err(errors) => {
                errors.iter().for_each(|e| program.diagnostics().push(diagnostic(e, program.sources())));
                program.keep_notes(&graphs.notes);
            }
        }
    }
    program.everything()
}

/// The errors and warnings, and how many there are.
fn summary(program: &Program) -> String {
    let all = program.everything();
    let mut text: String = all.iter().map(|d| d.render(program.sources()) + "\n\n").collect();
    let count = |level: Level, one: &str| {
        let count = all.iter().filter(|d| d.code.level() == level).count();
        format!("{count} {one}{}", if count == 1 { "" } else { "s" })
    };
    let mut counts = count(Level::Error, "error");
    if all.iter().any(|d| d.code.level() == Level::Warning) {
        counts += &format!(", {}", count(Level::Warning, "warning"));
    }
    text += &format!("error: metatrace could not translate the crate: {counts}\n");
    let mut codes: Vec<&str> = all.iter().map(|d| d.code.id()).collect();
    codes.sort_unstable();
    codes.dedup();
    text += &format!("for more about an error: `cargo xtask explain-error {}`", codes.join("`, `"));
    text
}

/// An error of code generation as one of the translator's.
fn diagnostic(error: &Error, sources: &SourceMap) -> Diagnostic {
    let mut out = Diagnostic::nowhere(error.code, error.message.as_str()).label(error.label.as_str());
    out.span = span_at(sources, error.pos, 0);
    match (out.span, &error.insert) {
        (Some(Span { file, lo, .. }), Some(text)) => {
            out.suggest(error.help.as_str(), Span { file, lo, hi: lo }, text.as_str())
        }
        _ => out.help(error.help.as_str()),
    }
}

/// Writes the results of a translation to a folder.
///
/// # Errors
/// A text for the user if a file cannot be written.
pub fn write(job: &Job, translation: &Translation, out: &Path) -> Result<(), String> {
    let start = Instant::now();
    let failed = |path: &Path, e: std::io::Error| format!("error: cannot write `{}`: {e}", path.display());
    std::fs::create_dir_all(out).map_err(|e| failed(out, e))?;
    // An unchanged file keeps its time, so that rustc need not run again.
    let put = |name: &str, bytes: &[u8]| {
        let path = out.join(name);
        match std::fs::read(&path) {
            Ok(old) if old == bytes => Ok(()),
            _ => std::fs::write(&path, bytes).map_err(|e| failed(&path, e)),
        }
    };
    let own = job.library.as_deref().unwrap_or(&translation.graphs.name);
    for (name, text) in &translation.output.glue {
        if name.split("::").next() == Some(own) {
            put(name, text.as_bytes())?;
        }
    }
    if job.library.is_some() {
        return Ok(());
    }
    put(IMAGE_FILE, &translation.image)?;
    let (arch, os) = &job.target;
    if let Ok(object) = object_file(&translation.image, arch, os) {
        put("jitcode.o", &object)?;
    }
    if job.emit_graph {
        let text = flow::print::program(&translation.graphs, flow::print::Style::default());
        put("graph.txt", text.as_bytes())?;
    }
    if job.emit_jitcode {
        put("jitcode.txt", metatrace_defs::text::print(&translation.output.program).as_bytes())?;
    }
    let mut stages = translation.stages.clone();
    stages.0.push(("write", start.elapsed()));
    let Translation { graphs, output, image, reused, .. } = translation;
    let report = report(graphs, output, image.len(), &stages, *reused);
    put("report.json", format!("{report:#}\n").as_bytes())
}
