//! `check-types`: the types of variables and the targets of calls that the front end infers, against rustc's own.
//!
//! In: the packages of the workspace that are translated, and a crate of generated functions. Out: for each how much was
//! compared, and every difference with its place. Both sides are brought to one form: paths by their last name, no
//! lifetimes, no positions of closures. rustc's answers are read from its MIR, which leaves out code that is never
//! reached: what it says nothing about is counted as not seen.
//!
//! It uses unstable options of rustc, so it is tied to the version that the workspace is built with; nothing that is shipped
//! relies on it.

mod mir;

use std::path::{Path, PathBuf};
use std::process::Command;

use metatrace_translator::items::{Container, FnKind, Origin};
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::program::Program;
use metatrace_translator::source::Span;
use metatrace_translator::thir::{Body, Callee, ExprKind};
use metatrace_translator::ty::{Args, FnId};
use metatrace_translator::with_stack;

use mir::{Mir, Place};

/// What came of one package.
#[derive(Debug, Default)]
pub struct Report {
    /// The package's folder.
    pub package: PathBuf,
    /// Variables whose types were compared.
    pub locals: usize,
    /// Calls whose targets were compared.
    pub calls: usize,
    /// Variables and calls that rustc says nothing about.
    pub unseen: usize,
    /// Functions that the front end does not understand.
    pub refused: Vec<String>,
    /// Why.
    pub errors: String,
    /// What differs, with its place.
    pub differences: Vec<String>,
}

/// Packages that cannot be compiled without dependencies of their own.
const COUPLED: &[&str] = &["lua"];

/// How many generated cases are compared.
const CASES: u64 = 40;

/// Compares all packages of the workspace in `root` that are translated, but for interpreters spread over several packages, or
/// with dependencies of their own: what rustc says is asked of one crate at a time, which is given only the runtime.
///
/// # Errors
/// If Cargo or rustc fail, or a package has errors.
pub fn run(root: &Path) -> Result<Vec<Report>, String> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|error| error.to_string())?;
    let translated = |package: &&cargo_metadata::Package| {
        let build = cargo_metadata::DependencyKind::Build;
        let mut dependencies = package.dependencies.iter();
        let generator = package.dependencies.iter().any(|d| d.name == "metatrace-generator");
        dependencies.any(|d| d.kind == build && d.name == "metatrace-jitcodegen") && !generator
    };
    let packages: Vec<_> = metadata.packages.iter().filter(translated).collect();
    let uses = |user: &cargo_metadata::Package, used: &cargo_metadata::Package| {
        user.dependencies.iter().any(|d| *d.name == **used.name && d.path.is_some())
    };
    let is_spread = |package: &cargo_metadata::Package| {
        packages.iter().any(|other| uses(package, other) || uses(other, package))
    };
    let mut dirs: Vec<PathBuf> = packages
        .iter()
        .filter(|package| !is_spread(package) && !COUPLED.contains(&package.name.as_str()))
        .filter_map(|package| package.manifest_path.parent().map(|dir| dir.as_std_path().to_path_buf()))
        .collect();
    dirs.push(write_generated(metadata.target_directory.join("check-types").as_std_path(), 90_000, CASES)?.0);
    let runtime = Runtime::build(root)?;
    dirs.iter().map(|dir| with_stack(|| compare(dir, &runtime))).collect()
}

/// Writes a package of this many generated cases; its folder, and how many lines its source has.
///
/// # Errors
/// If the folder cannot be written.
pub fn write_generated(dir: &Path, seed: u64, count: u64) -> Result<(PathBuf, usize), String> {
    let name = |n: u64| format!("c{n}");
    let cases: Vec<_> = (0..count).map(|n| metatrace_generator::generate(seed + n, &name(n))).collect();
    let manifest =
        "[package]\nname = \"generated\"\nedition = \"2024\"\n\n[dependencies]\nmetatrace = \"*\"\n";
    let text = metatrace_generator::program(&cases);
    std::fs::create_dir_all(dir.join("src"))
        .and_then(|()| std::fs::write(dir.join("Cargo.toml"), manifest))
        .and_then(|()| std::fs::write(dir.join("src/lib.rs"), &text))
        .map_err(|error| format!("{}: {error}", dir.display()))?;
    Ok((dir.to_path_buf(), text.lines().count()))
}

/// The compiled crate `metatrace`.
struct Runtime {
    library: PathBuf,
}

impl Runtime {
    fn build(root: &Path) -> Result<Runtime, String> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(root).args(["build", "--quiet", "--package", "metatrace", "--message-format=json"]);
        let output = cargo.output().map_err(|error| format!("cannot start cargo: {error}"))?;
        let messages = cargo_metadata::Message::parse_stream(output.stdout.as_slice());
        for message in messages.map_while(Result::ok) {
            if let cargo_metadata::Message::CompilerArtifact(artifact) = message
                && artifact.target.name == "metatrace"
                && let Some(library) = artifact.filenames.iter().find(|file| file.extension() == Some("rlib"))
            {
                return Ok(Runtime { library: library.as_std_path().to_path_buf() });
            }
        }
        Err(format!("`metatrace` could not be built:\n{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// What rustc finds in a crate.
    fn mir(&self, dir: &Path, root: &Path, edition: u32) -> Result<Mir, String> {
        let dependencies = self.library.parent().unwrap_or(Path::new("")).join("deps");
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .current_dir(dir)
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["-Zunpretty=mir", "-Zmir-include-spans=yes", "-Zmir-opt-level=0", "--crate-type=lib"])
            .args(["--cap-lints=allow", "--crate-name=checked"])
            .arg(format!("--edition={edition}"))
            .arg(format!("--extern=metatrace={}", self.library.display()))
            .arg(format!("-Ldependency={}", dependencies.display()))
            .arg(root);
        let output = rustc.output().map_err(|error| format!("cannot start rustc: {error}"))?;
        if !output.status.success() {
            return Err(format!("{}: {}", dir.display(), String::from_utf8_lossy(&output.stderr)));
        }
        Ok(Mir::parse(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// Compares one package.
fn compare(dir: &Path, runtime: &Runtime) -> Result<Report, String> {
    let program = Program::load_package(dir, &Cfg::default());
    let errors = || program.diagnostics().render(program.sources());
    if !program.diagnostics().is_empty() {
        return Err(errors());
    }
    let files: Vec<PathBuf> = program.sources().files().map(|(_, file)| file.path.clone()).collect();
    let root = files
        .iter()
        .find(|path| path.starts_with(dir) && ["lib.rs", "main.rs"].iter().any(|name| path.ends_with(name)))
        .ok_or_else(|| format!("{}: no root file was read", dir.display()))?;
    let root = root.strip_prefix(dir).unwrap_or(root);
    let mir = runtime.mir(dir, root, program.edition())?;
    let mut check = Check { program: &program, dir, mir: &mir, report: Report::default() };
    check.report.package = dir.to_path_buf();
    for n in 0..program.fn_count() {
        let id = FnId::new(n);
        let def = program.fn_def(id);
        if def.origin == Origin::User && def.kind == FnKind::Source {
            match program.body(id) {
                Ok(body) => check.body(&body),
                // No portal reaches it, or the package would have errors.
                Err(_) => check.report.refused.push(def.path.to_string()),
            }
        }
    }
    check.report.errors = errors();
    Ok(check.report)
}

struct Check<'a> {
    program: &'a Program,
    dir: &'a Path,
    mir: &'a Mir,
    report: Report,
}

impl Check<'_> {
    fn place(&self, span: Span) -> Place {
        let sources = self.program.sources();
        let (from, to) = (sources.line_col(span), sources.line_col(Span { lo: span.hi, ..span }));
        let path = &sources.file(span.file).path;
        let path = path.strip_prefix(self.dir).unwrap_or(path).display().to_string();
        (path, from.line, from.column, to.line, to.column)
    }

    fn text(&self, span: Span) -> &str {
        let text = &self.program.sources().file(span.file).text;
        text.get(span.lo as usize..span.hi as usize).unwrap_or_default()
    }

    fn body(&mut self, body: &Body) {
        for local in &body.locals {
            if !self.text(local.span).contains(local.name.as_str()) {
                // Not written there, but made of what is: by a derive, of `?`.
                continue;
            }
            let place = self.place(local.span);
            let ours = normal(&self.program.ty_name(local.ty));
            match self.mir.locals.get(&place) {
                None => self.report.unseen += 1,
                Some(theirs) => {
                    self.report.locals += 1;
                    // Types of `impl Trait` parameters have no name that both would know.
                    // Nor has what a function's `impl Trait` result stands for, which rustc sees and we do not look at.
                    let hidden = |ty: &str| ty.starts_with("impl ");
                    let same = |ty: &String| {
                        normal(ty) == ours || hidden(ty) && hidden(&ours) || ours.contains(HIDDEN_RESULT)
                    };
                    if !theirs.iter().any(same) {
                        let what = format!("`{}` is `{ours}`", local.name);
                        let theirs = theirs.iter().map(|ty| normal(ty)).collect::<Vec<_>>().join("` or `");
                        self.differs(&place, &what, &theirs);
                    }
                }
            }
        }
        for expr in &body.exprs {
            let ExprKind::Call { callee: Callee::Fn { id, args }, .. } = &expr.kind else { continue };
            if self.text(expr.span).chars().all(|c| c.is_alphanumeric() || c == '_') {
                // No call is one word: this one is of code that a derive makes.
                continue;
            }
            let place = self.place(expr.span);
            let Some(theirs) = self.mir.calls.get(&place) else {
                self.report.unseen += 1;
                continue;
            };
            let ours = self.target(*id, args);
            let theirs: Vec<String> = theirs.iter().map(|path| target(path)).collect();
            // The model of std may have other private functions; what has a name in common is what is compared.
            let name = |target: &str| target.rsplit("::").next().unwrap_or(target).to_string();
            if !theirs.iter().any(|path| name(path) == name(&ours)) && expr_is_generated(&place, self.mir) {
                self.report.unseen += 1;
                continue;
            }
            self.report.calls += 1;
            // A method of a type without a name: the method's name is all there is to compare.
            let hidden = ours.contains("impl ") && theirs.iter().any(|path| name(path) == name(&ours));
            if !theirs.contains(&ours) && !hidden && !self.dereferences(&place, &ours) {
                self.differs(&place, &format!("`{ours}` is called"), &theirs.join("` or `"));
            }
        }
    }

    /// Whether it is a dereference that nobody wrote, which for rustc ends elsewhere: of several, each has its own end.
    fn dereferences(&self, place: &Place, ours: &str) -> bool {
        let implied = ours.ends_with("::deref") || ours.ends_with("::deref_mut");
        let begins = |other: &Place| (&other.0, other.1, other.2) == (&place.0, place.1, place.2);
        let mut near = self.mir.calls.iter().filter(|(other, _)| begins(other)).flat_map(|(_, paths)| paths);
        implied && near.any(|path| target(path) == ours)
    }

    fn differs(&mut self, place: &Place, ours: &str, theirs: &str) {
        let (file, line, column, ..) = place;
        let file = self.dir.join(file);
        let text = format!("{}:{line}:{column}: {ours}, for rustc `{theirs}`", file.display());
        self.report.differences.push(text);
    }

    /// The function in the form of [`target`].
    fn target(&self, id: FnId, args: Args) -> String {
        let def = self.program.fn_def(id);
        match def.container {
            Container::Trait(trait_id) => {
                let of = args.first().map_or(String::new(), |&ty| normal(&self.program.ty_name(ty)));
                let name = normal(&self.program.trait_def(trait_id).path.to_string());
                format!("<{of} as {name}>::{}", def.name)
            }
            _ => target(&def.path.to_string()),
        }
    }
}

/// Whether several calls share the place: a macro's, or those of an operator and what it dereferences.
fn expr_is_generated(place: &Place, mir: &Mir) -> bool {
    mir.calls.get(place).is_some_and(|all| all.len() > 1)
}

/// A called function: `<Self as Trait>::name`, or `name` of any other.
fn target(path: &str) -> String {
    let path = normal(path);
    let (head, name) = split_last(&path);
    // Arguments of the function itself say no more than the variables' types.
    let name = name.split('<').next().unwrap_or(name);
    match head.strip_prefix('<').and_then(|head| head.strip_suffix('>')).and_then(|head| split_as(head)) {
        Some((of, tr)) => {
            let tr = tr.split('<').next().unwrap_or(tr);
            format!("<{of} as {tr}>::{name}")
        }
        None => name.to_string(),
    }
}

/// How the type begins that our side prints for a function's `impl Trait` result.
const HIDDEN_RESULT: &str = "impl result";

/// A path and its last part, which may have arguments with paths of their own.
fn split_last(path: &str) -> (&str, &str) {
    let (mut depth, mut last) = (0, None);
    for (at, c) in path.char_indices() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if path[..at].ends_with('-') => {}
            '>' | ')' | ']' | '}' => depth -= 1,
            ':' if depth == 0 && path[at..].starts_with("::") => last = Some(at),
            _ => {}
        }
    }
    last.map_or(("", path), |at| (&path[..at], &path[at + 2..]))
}

/// `A as B`, where the word stands outside of brackets.
fn split_as(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if text[..at].ends_with('-') => {}
            '>' | ')' | ']' => depth -= 1,
            ' ' if depth == 0 && text[at..].starts_with(" as ") => {
                return Some((&text[..at], &text[at + 4..]));
            }
            _ => {}
        }
    }
    None
}

/// A type or path in the form in which both are compared.
fn normal(text: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = text.chars().collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let rest: String = chars[at..].iter().take(12).collect();
        if c == '\'' {
            // A lifetime, with what separates it from the rest.
            at += 1;
            while at < chars.len() && is_word(chars[at]) {
                at += 1;
            }
            while at < chars.len() && matches!(chars[at], ' ' | ',') {
                at += 1;
            }
        } else if rest.starts_with("{closure") {
            out.push_str("{closure}");
            while at < chars.len() && chars[at] != '}' {
                at += 1;
            }
            at += 1;
        } else if rest.starts_with("::<") && !rest.starts_with("::<impl") {
            // Arguments of a type in a path, or of the function.
            at += 2;
        } else if is_word(c) {
            let start = at;
            while at < chars.len() && is_word(chars[at]) {
                at += 1;
            }
            let word: String = chars[start..at].iter().collect();
            let path = chars.get(at..at + 2) == Some(&[':', ':']) && chars.get(at + 2) != Some(&'<');
            if word == "for" && chars.get(at) == Some(&'<') {
                // The lifetimes of a function pointer.
                at += chars[at..].iter().position(|&c| c == '>').map_or(1, |end| end + 1);
            } else if path {
                at += 2;
            } else if word == "as" || word == "dyn" || word == "mut" || word == "const" || word == "impl" {
                out.push_str(if word == "as" { "as" } else { &word });
                out.push(' ');
            } else {
                out.push_str(&word);
            }
        } else {
            if c != ' ' || rest.starts_with(" as ") {
                out.push(c);
            }
            at += 1;
        }
    }
    // The default hasher of maps and sets is left out by rustc.
    function_items(out.replace("<>", "").replace(",>", ">").replace(",RandomState>", ">"))
}

/// With functions as types by their names alone: rustc gives their signatures too.
fn function_items(mut text: String) -> String {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let start = text[..open].rfind("fn").filter(|_| !text[open..].starts_with("{closure"));
        let Some((start, close)) = start.zip(text[open..].find('}').map(|at| open + at)) else {
            from = open + 1;
            continue;
        };
        let path = text[open + 1..close].to_string();
        let last = path.rsplit("::").next().unwrap_or(&path);
        let item = format!("fn item {}", last.split('<').next().unwrap_or(last));
        text.replace_range(start..=close, &item);
        from = start + item.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_become_one() {
        assert_eq!(
            normal("std::iter::Map<std::slice::Iter<'_, u8>, {closure@src/lib.rs:1:2: 1:3}>"),
            "Map<Iter<u8>,{closure}>"
        );
        assert_eq!(normal("&'a mut core::option::Option<(i64, u8)>"), "&mut Option<(i64,u8)>");
        assert_eq!(
            normal("Map<fn(u8) -> i64 {<i64 as From<u8>>::from}, T>"),
            normal("Map<fn{i::from<i64, u8>}, T>")
        );
        assert_eq!(target("<crate::S as m::T<i64>>::m"), "<S as T>::m");
        assert_eq!(target("Option::<i64>::map::<u8, {closure@a:1:1: 1:2}>"), "map");
        assert_eq!(target("core::num::<impl i64>::wrapping_add"), "wrapping_add");
    }
}
