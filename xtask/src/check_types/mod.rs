//! `check-types`: the types of variables and the targets of calls that the front end infers, against rustc's own.
//!
//! In: the interpreters of the workspace, each of one package or several, and one of generated functions. Out: for each how much
//! was compared, and every difference with its place. Both sides are brought to one form: paths by their last name, no
//! lifetimes, no positions of closures. rustc's answers are read from its MIR, which leaves out code that is never
//! reached: what it says nothing about is counted as not seen.
//!
//! It uses unstable options of rustc, so it is tied to the version that the workspace is built with; nothing that is shipped
//! relies on it.

mod libraries;
mod mir;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, Package};
use metatrace_translator::diag::Code;
use metatrace_translator::items::{Container, FnKind, Origin};
use metatrace_translator::load::Files;
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::program::Program;
use metatrace_translator::source::{FileId, Span};
use metatrace_translator::thir::{Body, Callee, ExprKind, LocalId, PatId, PatKind, Stmt};
use metatrace_translator::ty::{Args, FnId, Ty, TyKind};
use metatrace_translator::with_stack;

pub use libraries::{Libraries, Setting};
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

/// How many generated cases are compared.
const CASES: u64 = 40;

/// Compares all interpreters of the workspace in `root`, and one of generated functions.
///
/// # Errors
/// If Cargo or rustc fail, or a package has errors.
pub fn run(root: &Path) -> Result<Vec<Report>, String> {
    let metadata = metadata(root)?;
    let workspace = Workspace::open(root, &metadata)?;
    let mut reports = Vec::new();
    let mut rootless: Vec<(PathBuf, String)> = Vec::new();
    let mut covered = BTreeSet::new();
    for package in &workspace.packages {
        let dir = dir_of(package);
        let setting = workspace.libraries.of(&package.id)?;
        with_stack(|| -> Result<(), String> {
            let program = Program::load_package(dir, &workspace.cfg.with_features(&setting.features));
            let found = program.diagnostics();
            if !found.is_empty() && found.sorted().iter().all(|error| error.code == Code::NoPortal) {
                rootless.push((dir.to_path_buf(), found.render(program.sources())));
                return Ok(());
            }
            let crates = workspace.crates(&program)?;
            covered.extend(crates.iter().map(|one| one.dir.clone()));
            reports.push(compare(&program, dir, &crates)?);
            Ok(())
        })?;
    }
    if let Some((_, errors)) = rootless.iter().find(|(dir, _)| !covered.contains(dir)) {
        return Err(errors.clone());
    }
    let target = workspace.metadata.target_directory.join("check-types");
    let (dir, _) = write_generated(target.as_std_path(), 90_000, CASES)?;
    let runtime = package_named(&metadata, "metatrace")?;
    let library = workspace.libraries.library(&runtime.id)?;
    let externs = library.map(|file| ("metatrace".to_string(), file)).into_iter().collect();
    reports.push(workspace.compare_alone(&dir, Setting { externs, features: Vec::new() }, &Files::Disk)?);
    Ok(reports)
}

/// What Cargo knows of the workspace in `root`.
///
/// # Errors
/// If Cargo fails.
pub fn metadata(root: &Path) -> Result<Metadata, String> {
    let mut command = cargo_metadata::MetadataCommand::new();
    command.manifest_path(root.join("Cargo.toml")).exec().map_err(|error| error.to_string())
}

/// The package of the workspace that has this name.
///
/// # Errors
/// If there is none.
pub fn package_named<'a>(metadata: &'a Metadata, name: &str) -> Result<&'a Package, String> {
    let mut all = metadata.workspace_packages().into_iter();
    all.find(|package| package.name.as_str() == name).ok_or_else(|| format!("there is no package `{name}`"))
}

fn dir_of(package: &Package) -> &Path {
    package.manifest_path.parent().map_or(Path::new(""), |dir| dir.as_std_path())
}

/// The workspace, compiled.
pub struct Workspace<'a> {
    metadata: &'a Metadata,
    /// Those that are translated.
    packages: Vec<&'a Package>,
    /// What they were compiled with.
    pub libraries: Libraries<'a>,
    cfg: Cfg,
}

/// One crate of an interpreter.
struct Crate {
    dir: PathBuf,
    root: PathBuf,
    edition: String,
    setting: Setting,
}

impl<'a> Workspace<'a> {
    /// Builds the workspace's interpreters.
    ///
    /// # Errors
    /// If Cargo or rustc fail.
    pub fn open(root: &Path, metadata: &'a Metadata) -> Result<Workspace<'a>, String> {
        let is_translated = |package: &&Package| {
            let has = |kind, name| package.dependencies.iter().any(|d| d.kind == kind && d.name == name);
            let generator = package.dependencies.iter().any(|d| d.name == "metatrace-generator");
            has(DependencyKind::Build, "metatrace-jitcodegen") && !generator
        };
        let packages: Vec<_> = metadata.workspace_packages().into_iter().filter(is_translated).collect();
        let mut names: Vec<_> = packages.iter().map(|package| package.name.as_str()).collect();
        names.push("metatrace");
        let libraries = Libraries::build(root, metadata, &names)?;
        Ok(Workspace { metadata, packages, libraries, cfg: platform()? })
    }

    /// Compares the crate in `dir`, which is none of the workspace, as our side finds it in `files`.
    ///
    /// # Errors
    /// If rustc fails, or the crate has errors.
    pub fn compare_alone(&self, dir: &Path, setting: Setting, files: &Files) -> Result<Report, String> {
        with_stack(|| {
            let cfg = self.cfg.with_features(&setting.features);
            let program = Program::load_package_from(files, dir, &cfg);
            let (root, edition) = (PathBuf::from("src/lib.rs"), program.edition().to_string());
            compare(&program, dir, &[Crate { dir: dir.to_path_buf(), root, edition, setting }])
        })
    }

    /// The crates whose files were read.
    fn crates(&self, program: &Program) -> Result<Vec<Crate>, String> {
        let mut crates = Vec::new();
        for package in self.metadata.workspace_packages() {
            let target = |target: &&cargo_metadata::Target| {
                let mut read = program.sources().files().map(|(_, file)| absolute(&file.path));
                (target.is_lib() || target.is_bin())
                    && read.any(|path| path == absolute(target.src_path.as_std_path()))
            };
            if let Some(target) = package.targets.iter().find(target) {
                crates.push(Crate {
                    dir: dir_of(package).to_path_buf(),
                    root: target.src_path.as_std_path().to_path_buf(),
                    edition: target.edition.to_string(),
                    setting: self.libraries.of(&package.id)?,
                });
            }
        }
        Ok(crates)
    }
}

/// The conditions that rustc sets for this platform.
fn platform() -> Result<Cfg, String> {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output =
        rustc.args(["--print", "cfg"]).output().map_err(|error| format!("cannot start rustc: {error}"))?;
    let mut cfg = Cfg::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match line.split_once('=') {
            Some((name, value)) => cfg.set(name, Some(value.trim_matches('"'))),
            None => cfg.set(line, None),
        }
    }
    Ok(cfg)
}

/// The one name of a file that may be reached in several ways.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
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

/// Compares one interpreter, whose package is `dir`.
fn compare(program: &Program, dir: &Path, crates: &[Crate]) -> Result<Report, String> {
    let errors = || program.diagnostics().render(program.sources());
    if !program.diagnostics().is_empty() {
        return Err(errors());
    }
    let mut mir = Mir::default();
    for one in crates {
        mir.extend(one.setting.mir(&absolute(&one.dir), &one.root, &one.edition)?);
    }
    let paths = program.sources().files().map(|(id, file)| (id, absolute(&file.path).display().to_string()));
    let mut check = Check { program, paths: paths.collect(), mir: &mir, report: Report::default() };
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
    /// The files' names as rustc's side has them.
    paths: HashMap<FileId, String>,
    mir: &'a Mir,
    report: Report,
}

impl Check<'_> {
    fn place(&self, span: Span) -> Place {
        let sources = self.program.sources();
        let (from, to) = (sources.line_col(span), sources.line_col(Span { lo: span.hi, ..span }));
        let path = self.paths.get(&span.file).cloned().unwrap_or_default();
        (path, from.line, from.column, to.line, to.column)
    }

    fn text(&self, span: Span) -> &str {
        let text = &self.program.sources().file(span.file).text;
        text.get(span.lo as usize..span.hi as usize).unwrap_or_default()
    }

    /// The type in the form of [`normal`]. rustc leaves out arguments that are their parameters' defaults, which for types that are
    /// neither the interpreter's nor of a model are not known here: each number of their last arguments may be such.
    fn spellings(&self, ty: Ty) -> Vec<String> {
        let mut all = vec![normal(&self.program.ty_name(ty))];
        for n in 1.. {
            let less = normal(&self.program.ty_name(self.without_last(ty, n)));
            if all.last() == Some(&less) {
                break;
            }
            all.push(less);
        }
        all
    }

    /// The type with all but the last `n` arguments of types whose parameters are not known.
    fn without_last(&self, ty: Ty, n: usize) -> Ty {
        let ty = ty.map_children(|child| self.without_last(child, n));
        match *ty.kind() {
            TyKind::Adt(id, args) if self.program.adt(id).generics.params.len() < args.len() => {
                Ty::adt(id, &args[..args.len().saturating_sub(n)])
            }
            _ => ty,
        }
    }

    fn body(&mut self, body: &Body) {
        let declared = declared(body);
        for (n, local) in body.locals.iter().enumerate() {
            if !declared.contains(&LocalId::new(n)) || !declares(self.text(local.span), &local.name) {
                // Of an attempt that was undone; or not written there, but made of what is: by a derive, of `?`.
                continue;
            }
            let place = self.place(local.span);
            let spellings = self.spellings(local.ty);
            let ours = &spellings[0];
            match self.mir.locals.get(&place) {
                None => self.report.unseen += 1,
                Some(theirs) => {
                    self.report.locals += 1;
                    // Types of `impl Trait` parameters have no name that both would know.
                    // Nor has what a function's `impl Trait` result stands for, which rustc sees and we do not look at.
                    let hidden = |ty: &str| ty.starts_with("impl ");
                    let same = |ty: &String| {
                        spellings.contains(&normal(ty))
                            || hidden(ty) && hidden(ours)
                            || ours.contains(HIDDEN_RESULT)
                    };
                    if !theirs.iter().any(same) {
                        let what = format!("`{}` is `{ours}`", local.name);
                        let theirs = theirs.iter().map(|ty| normal(ty)).collect::<Vec<_>>().join("` or `");
                        self.differs(&place, &what, &theirs);
                    }
                }
            }
        }
        for (expr, _) in body.exprs.iter().zip(body.reachable()).filter(|(_, is_there)| *is_there) {
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
        let text = format!("{file}:{line}:{column}: {ours}, for rustc `{theirs}`");
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

/// The variables that belong to the body: attempts of inference that were undone leave others behind.
fn declared(body: &Body) -> BTreeSet<LocalId> {
    let mut pats: Vec<PatId> = body.params.iter().map(|param| param.pat).collect();
    pats.extend(body.closures.iter().flat_map(|closure| closure.params.iter().map(|param| param.pat)));
    let mut blocks = Vec::new();
    for (expr, _) in body.exprs.iter().zip(body.reachable()).filter(|(_, is_there)| *is_there) {
        match &expr.kind {
            ExprKind::Block(block) => blocks.push(*block),
            ExprKind::Let { pat, .. } => pats.push(*pat),
            ExprKind::Match { arms, .. } => pats.extend(arms.iter().map(|arm| arm.pat)),
            _ => {}
        }
    }
    while let Some(block) = blocks.pop() {
        for stmt in &body.block(block).stmts {
            if let Stmt::Let { pat, els, .. } = stmt {
                pats.push(*pat);
                blocks.extend(*els);
            }
        }
    }
    let mut found = BTreeSet::new();
    while let Some(pat) = pats.pop() {
        match &body.pat(pat).kind {
            PatKind::Wild | PatKind::Literal(_) | PatKind::Range { .. } => {}
            PatKind::Binding { local, sub, .. } => {
                found.insert(*local);
                pats.extend(*sub);
            }
            PatKind::Variant { fields, .. } | PatKind::Tuple(fields) => {
                pats.extend(fields.iter().map(|(_, pat)| *pat));
            }
            PatKind::Deref(pat) => pats.push(*pat),
            PatKind::Slice { prefix, rest, suffix } => {
                pats.extend(prefix.iter().chain(rest).chain(suffix));
            }
            PatKind::Or(all) => pats.extend(all),
        }
    }
    found
}

/// Whether the text of a pattern binds the name itself; `self` may be a parameter in each of its forms.
fn declares(text: &str, name: &str) -> bool {
    let words = text.trim_start_matches('&').trim_start();
    let mut words =
        words.split_whitespace().skip_while(|word| ["ref", "mut"].contains(word) || word.starts_with('\''));
    let first = words.next().unwrap_or_default();
    let end = first.find(['@', ':']).unwrap_or(first.len());
    let is_whole = end < first.len() || words.next().is_none_or(|next| next.starts_with(['@', ':']));
    is_whole && first[..end].trim_start_matches("r#") == name
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
    function_items(out.replace("<>", "").replace(",>", ">"))
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
    fn a_place_that_only_mentions_a_name_declares_nothing() {
        for text in ["x", "mut x", "ref mut x", "x @ Some(_)", "x@1..=2", "r#x", "mut x: u8"] {
            assert!(declares(text, "x"), "{text}");
        }
        assert!(
            declares("&mut self", "self")
                && declares("&'a self", "self")
                && declares("self: &Rc<Self>", "self")
        );
        for text in ["x?", "f(x)", "x + 1", "return Err(x)", "y", "xy", "x.y", "x y", ""] {
            assert!(!declares(text, "x"), "{text}");
        }
    }

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
