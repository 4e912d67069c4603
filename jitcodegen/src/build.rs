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
use metatrace_translator::diag::{Diagnostic, span_at};
use metatrace_translator::flow;
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::lower::cache::Cache;
use metatrace_translator::lower::{lower, lower_with};
use metatrace_translator::program::Program;
use metatrace_translator::source::{SourceMap, Span};
use metatrace_translator::translate::hash_of;
use metatrace_translator::with_stack;

use crate::generate::{Error, Output, generate};
use crate::glue::IMAGE_FILE;
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
}

impl Translation {
    /// What was translated, what was not and why, and how long it took.
    pub fn report(&self) -> serde_json::Value {
        report(&self.graphs, &self.output, self.image.len(), &self.stages, self.reused)
    }
}

/// The whole of an interpreter's build script: translates the package if its feature `jit` is on, and sets the cfg
/// `metatrace` that makes `metatrace::glue!()` include what was generated.
///
/// On errors in the source, prints them and ends the process with status 1.
pub fn build_script() {
    println!("cargo::rustc-check-cfg=cfg(metatrace)");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-env-changed={EMIT}");
    if std::env::var_os("CARGO_FEATURE_JIT").is_none() {
        return;
    }
    if let Err(message) = run_build_script() {
        eprintln!("{message}");
        std::process::exit(1);
    }
    println!("cargo::rustc-cfg=metatrace");
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
    let job = Job {
        // A build script runs in its package's folder.
        package: PathBuf::new(),
        cfg: build_script_cfg(),
        target: (variable("CARGO_CFG_TARGET_ARCH")?, variable("CARGO_CFG_TARGET_OS")?),
        emit_graph: emit.split(',').any(|what| what == "graph"),
        emit_jitcode: emit.split(',').any(|what| what == "jitcode"),
        kept: Some(out.join("graphs.kept")),
    };
    let translation = translate(&job)?;
    for warning in &translation.warnings {
        // Cargo shows warnings of the packages one works on, a line at a time.
        for line in warning.lines() {
            println!("cargo::warning={line}");
        }
    }
    write(&job, &translation, &out)
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
        Some(path) => kept::open(path, &program, &job.package, &job.cfg),
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
            return failed();
        }
    };
    stage("generate", &mut stages);
    let image = image::encode(&output.program);
    stage("encode", &mut stages);
    let warning = |note| Diagnostic::from_note(note, program.sources()).render(program.sources());
    let warnings = output.notes.iter().map(warning).collect();
    Ok(Translation { graphs, output, image, stages, reused: cache.counts(), warnings })
}

/// Everything that there is to say about a loaded crate, errors and warnings. To be run [with stack](with_stack).
pub fn check(program: &Program) -> Vec<Diagnostic> {
    let notes = match lower(program, program.crate_name(), 0, Path::new("")) {
        Ok(graphs) => match generate(&graphs) {
            Ok(output) => output.notes,
            Err(errors) => {
                errors.iter().for_each(|e| program.diagnostics().push(diagnostic(e, program.sources())));
                vec![]
            }
        },
        Err(_) => vec![],
    };
    let mut all = program.diagnostics().sorted();
    all.extend(notes.iter().map(|note| Diagnostic::from_note(note, program.sources())));
    all
}

/// The errors, and how many there are.
fn summary(program: &Program) -> String {
    let all = program.diagnostics();
    let mut text = all.render(program.sources());
    let errors = if all.len() == 1 { "error" } else { "errors" };
    text += &format!("\n\nerror: metatrace could not translate the crate: {} {errors}\n", all.len());
    let mut codes: Vec<&str> = all.sorted().iter().map(|d| d.code.id()).collect();
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
    for (name, text) in &translation.output.glue {
        put(name, text.as_bytes())?;
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
