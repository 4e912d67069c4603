//! Small crates in text form, and what the translation says about them.
//!
//! A text is `src/lib.rs`, unless lines `//# PATH` divide it into several files. To be short, it may leave out the portal and define `fn
//! step(n: i64) -> i64` instead: then a portal that calls `step` is added to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use metatrace_jitcodegen::check;
use metatrace_translator::diag::Diagnostic;
use metatrace_translator::front::Input;
use metatrace_translator::load::Files;
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::program::Program;
use metatrace_translator::with_stack;

/// What makes a whole crate of a text with a function `step`.
const PORTAL: &str = "
metatrace::glue!();
#[metatrace::jit::portal(owner = code, greens = [pc])]
fn portal_of_the_example(mut pc: usize, code: &metatrace::Traced<usize>, mut acc: i64) -> i64 {
    loop {
        metatrace::jit::merge_point!();
        if pc == **code { return acc }
        acc = step(acc);
        pc += 1;
        metatrace::jit::can_enter_jit!();
    }
}
";

/// A diagnostic with what tests ask of it.
pub struct Said {
    pub diagnostic: Diagnostic,
    /// The file and line it is about.
    pub place: Option<(String, usize)>,
    /// As an author reads it.
    pub text: String,
}

/// A checked crate: everything said about it.
pub struct Checked(pub Vec<Said>);

impl Checked {
    /// Everything said, as an author reads it.
    pub fn text(&self) -> String {
        self.0.iter().map(|said| said.text.as_str()).collect::<Vec<_>>().join("\n\n")
    }

    /// The codes, each once, in order.
    pub fn codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<&str> = self.0.iter().map(|said| said.diagnostic.code.id()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

fn checked(load: impl FnOnce() -> Program + Send) -> Checked {
    with_stack(|| {
        let program = load();
        let said = |diagnostic: Diagnostic| {
            let place = diagnostic.span.map(|s| {
                let path = program.sources().file(s.file).path.display().to_string();
                (path, program.sources().line_col(s).line as usize)
            });
            let text = diagnostic.render(program.sources());
            Said { diagnostic, place, text }
        };
        Checked(check(&program).into_iter().map(said).collect())
    })
}

/// The text with the portal that calls its `step`, if it has no portal of its own.
pub fn whole(text: &str) -> String {
    let short = text.contains("fn step(") && !text.contains("portal(");
    format!("{text}{}", if short { PORTAL } else { "" })
}

/// Checks a crate given as text.
pub fn check_text(text: &str) -> Checked {
    let mut files: HashMap<PathBuf, String> = HashMap::new();
    let mut path = PathBuf::from("src/lib.rs");
    for line in whole(text).lines() {
        match line.trim().strip_prefix("//# ") {
            Some(next) => path = PathBuf::from(next.trim()),
            None => {
                let file = files.entry(path.clone()).or_default();
                file.push_str(line);
                file.push('\n');
            }
        }
    }
    if files.contains_key(Path::new("Cargo.toml")) {
        return checked(|| Program::load_package_from(&Files::Memory(files), Path::new(""), &Cfg::default()));
    }
    let root = PathBuf::from("src/lib.rs");
    let (files, cfg) = (Files::Memory(files), Cfg::default());
    checked(|| {
        Program::load(Input {
            files,
            root,
            cfg,
            edition: 2024,
            extern_crates: vec![],
            packages: Default::default(),
        })
    })
}

/// Checks the package in a folder.
pub fn check_package(dir: &Path) -> Checked {
    checked(|| Program::load_package(dir, &Cfg::default()))
}

/// A page of Markdown's examples: for each the line it begins in, the code that it is expected to give if any, its text.
pub fn examples(page: &str) -> Vec<(usize, Option<&str>, String)> {
    let mut out = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```rust") else { continue };
        let code = info.strip_prefix(',').map(str::trim);
        let body: Vec<&str> = lines.by_ref().map(|(_, l)| l).take_while(|l| *l != "```").collect();
        out.push((n + 1, code, body.join("\n") + "\n"));
    }
    out
}

/// Checks the examples of a page: those with a code give just that, the others are accepted without a word. Gives what is
/// wrong with each.
pub fn check_examples(name: &str, page: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (line, code, text) in examples(page) {
        let checked = check_text(&text);
        if checked.codes() != code.into_iter().collect::<Vec<_>>() {
            let wanted = code.unwrap_or("nothing");
            wrong.push(format!("{name}:{line}: {wanted} expected, but:\n{}\n", checked.text()));
        }
    }
    wrong
}
