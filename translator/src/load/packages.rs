//! The packages that an interpreter is spread over.
//!
//! In: the package with the portal and the conditions of its build. Out: its libraries that take part ([`Packages::libraries`]), those
//! that others need first, and of those that do not why ([`Packages::outside`]).
//!
//! A library takes part if it is given by path, depends on `metatrace`, has the feature `jit` turned on, and a build script with
//! `metatrace-jitcodegen`; it belongs to one interpreter ([`interpreter_of`]). Its build script translates that interpreter too, and
//! generates the glue of its own modules. So both must find the same packages with the same features: features of the portal's
//! package are those of its build in its own build script, its default ones in that of a library; the glue makes rustc compare.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Files;
use super::cfg::Cfg;
use super::manifest::{Manifest, clean, crate_name, workspace};

/// A library that takes part.
#[derive(Clone, Debug)]
pub struct Library {
    /// Its package.
    pub manifest: Manifest,
    /// The conditions of its build.
    pub cfg: Cfg,
    /// Its features that are on.
    pub features: Vec<String>,
    /// By what name each library that takes part is reached from it.
    pub names: Vec<(String, usize)>,
}

/// A library that does not take part: calls into it are native.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outsider {
    /// Its name as Rust spells it.
    pub name: String,
    /// Why it does not.
    pub why: String,
    /// What to do about it.
    pub help: String,
    /// Whether it looks as if it should.
    pub is_meant: bool,
    /// The folder and text of the manifest that names it, and where.
    pub place: Option<(PathBuf, String, Range<usize>)>,
}

/// What an interpreter consists of, beside its own crate.
#[derive(Clone, Debug, Default)]
pub struct Packages {
    /// The libraries that take part, after those that they use.
    pub libraries: Vec<Library>,
    /// By what name each is reached from the portal's crate.
    pub names: Vec<(String, usize)>,
    /// The libraries given by path that do not.
    pub outside: Vec<Outsider>,
}

/// Finds the libraries of the interpreter in a package.
pub fn packages(portal: &Manifest, files: &Files, cfg: &Cfg) -> Packages {
    let mut out = Packages::default();
    let on = portal.closure(&cfg.features());
    let names = visit(portal, &on, files, cfg, portal, &mut vec![portal.dir.clone()], &mut out);
    out.names = names;
    out
}

/// Whether a package is to be translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// Its feature `jit` is off.
    Off,
    /// Its manifest does not turn `metatrace`'s own feature on.
    Lacking {
        /// What is wrong, in one line.
        message: String,
        /// What to do about it.
        help: String,
        /// Where in the manifest.
        at: Option<Range<usize>>,
    },
}

/// Whether a package is to be translated if the features `on` are. A package without a feature `jit` is always, if `metatrace` has it.
pub fn switch(manifest: &Manifest, on: &[String]) -> Switch {
    let has_own = manifest.features.iter().any(|(feature, _)| feature == "jit");
    if has_own && !on.iter().any(|feature| feature == "jit") {
        return Switch::Off;
    }
    let lacking = |message: &str, help: &str, at| Switch::Lacking {
        message: message.to_string(),
        help: help.to_string(),
        at,
    };
    let Some(runtime) = manifest.dependencies.iter().find(|d| d.package == "metatrace") else {
        let at = manifest.place(&["dependencies"]).or(manifest.place(&["package"]));
        return lacking(
            "the package does not depend on `metatrace`",
            "add `metatrace` to `[dependencies]`",
            at,
        );
    };
    let place = manifest.place(&["dependencies", &runtime.key]);
    match manifest.features_of(runtime, on) {
        Some(features) if features.iter().any(|f| f == "default" || f == "jit") => Switch::On,
        Some(_) if has_own => lacking(
            "the feature `jit` does not turn on that of `metatrace`",
            "write `jit = [\"metatrace/jit\"]`",
            manifest.place(&["features", "jit"]),
        ),
        Some(_) => lacking(
            "`metatrace` is built without its feature `jit`, and the package has none to turn it on",
            "add `jit = [\"metatrace/jit\"]` to `[features]`",
            manifest.place(&["features"]).or(place),
        ),
        None => Switch::Off,
    }
}

fn visit(
    of: &Manifest,
    on: &[String],
    files: &Files,
    cfg: &Cfg,
    portal: &Manifest,
    open: &mut Vec<PathBuf>,
    out: &mut Packages,
) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    for dependency in &of.dependencies {
        let Some(path) = &dependency.path else { continue };
        let name = crate_name(&dependency.key);
        let keys = of.place(&["dependencies", &dependency.key]);
        let place = keys.map(|at| (of.dir.clone(), of.text.clone(), at));
        if dependency.package == "metatrace" || open.contains(path) {
            continue;
        }
        let Some(asked) = of.features_of(dependency, on) else { continue };
        if let Some(known) = out.libraries.iter().position(|l| l.manifest.dir == *path) {
            // Features that several packages ask for are all on.
            let library = &mut out.libraries[known];
            let more = library.manifest.closure(&asked);
            let new: Vec<String> = more.into_iter().filter(|f| !library.features.contains(f)).collect();
            library.features.extend(new);
            library.cfg = cfg.with_features(&library.features);
            names.push((name, known));
            continue;
        }
        let manifest = match Manifest::read(path, files) {
            Ok(manifest) => manifest,
            Err(error) => {
                let help = error.help.to_string();
                out.outside.push(Outsider { name, why: error.message, help, is_meant: true, place });
                continue;
            }
        };
        let features = manifest.closure(&asked);
        if let Err(mut outsider) = takes_part(&manifest, &name, &features, files, portal) {
            outsider.place = place;
            if !out.outside.contains(&outsider) {
                out.outside.push(outsider);
            }
            continue;
        }
        open.push(path.clone());
        let inner = visit(&manifest, &features, files, cfg, portal, open, out);
        open.pop();
        let cfg = cfg.with_features(&features);
        out.libraries.push(Library { manifest, cfg, features, names: inner });
        names.push((name, out.libraries.len() - 1));
    }
    names
}

/// What a package lacks to be translated when it is built: why it is not, and what to do about it.
pub fn lacks_to_build(manifest: &Manifest, files: &Files) -> Option<(&'static str, String)> {
    if !manifest.builds() {
        let at = manifest.dir.join("Cargo.toml");
        let help = format!("add `metatrace-jitcodegen` to `[build-dependencies]` in `{}`", at.display());
        return Some(("its build script cannot generate glue", help));
    }
    if !manifest.has_build_script || !files.exists(&manifest.dir.join("build.rs")) {
        let file = manifest.dir.join("build.rs");
        let help = format!(
            "create `{}` with `fn main() {{ metatrace_jitcodegen::build_script(); }}`",
            file.display()
        );
        return Some(("it has no build script", help));
    }
    None
}

/// Whether a library takes part in the interpreter of `portal`.
fn takes_part(
    library: &Manifest,
    name: &str,
    features: &[String],
    files: &Files,
    portal: &Manifest,
) -> Result<(), Outsider> {
    let at = library.dir.join("Cargo.toml");
    let uses_hints = library.uses_runtime();
    let is_meant = uses_hints || library.builds();
    let no = |why: String, help: String| {
        Err(Outsider { name: name.to_string(), why, help, is_meant, place: None })
    };
    if library.library.is_none() {
        return no("it has no library".to_string(), "move its code to `src/lib.rs`".to_string());
    }
    if !uses_hints {
        let help = format!("add `metatrace` to `[dependencies]` in `{}`", at.display());
        return no("it does not depend on `metatrace`".to_string(), help);
    }
    if let Some((why, help)) = lacks_to_build(library, files) {
        return no(why.to_string(), help);
    }
    match switch(library, features) {
        Switch::On => {}
        Switch::Off => {
            let help = format!("let the feature `jit` of `{}` turn on `{name}/jit`", portal.name);
            return no("its feature `jit` is off".to_string(), help);
        }
        Switch::Lacking { message, help, .. } => return no(message, format!("{help} in `{}`", at.display())),
    }
    match interpreter_of(library, files) {
        Ok(Some(dir)) if files.same(&dir, &portal.dir) => Ok(()),
        Ok(Some(dir)) => no(
            format!("it is part of the interpreter in `{}`", dir.display()),
            "a library is part of one interpreter".to_string(),
        ),
        Ok(None) => Ok(()),
        Err(all) => {
            let all: Vec<String> = all.iter().map(|dir| format!("`{}`", dir.display())).collect();
            no(
                format!("it is used by several interpreters: {}", all.join(", ")),
                format!(
                    "choose one with `portal = \"…\"` in `[package.metadata.metatrace]` in `{}`",
                    at.display()
                ),
            )
        }
    }
}

/// The folder of the package whose interpreter a library is part of: the one that its manifest names, or the package of the workspace
/// with a portal that uses it.
///
/// # Errors
/// If there are several.
pub fn interpreter_of(library: &Manifest, files: &Files) -> Result<Option<PathBuf>, Vec<PathBuf>> {
    if has_portal(&library.dir, files) {
        return Ok(Some(library.dir.clone()));
    }
    if let Some(dir) = &library.portal {
        return Ok(Some(dir.clone()));
    }
    let Some((root, entries)) = workspace(&library.dir, files) else { return Ok(None) };
    let lists = |key: &str| {
        let list = entries.iter().find(|e| e.is_at(&["workspace", key]));
        list.map(|e| e.list().to_vec()).unwrap_or_default()
    };
    let excluded: Vec<PathBuf> = lists("exclude").iter().map(|path| clean(&root.join(path))).collect();
    let mut members: Vec<PathBuf> = vec![root.clone()];
    for pattern in lists("members") {
        match pattern.strip_suffix("/*") {
            Some(folder) => members.extend(files.folders(&clean(&root.join(folder)))),
            None => members.push(clean(&root.join(&pattern))),
        }
    }
    members.sort();
    members.dedup();
    members.retain(|dir| !excluded.contains(dir));
    let manifests: Vec<Manifest> = members.iter().filter_map(|dir| Manifest::read(dir, files).ok()).collect();
    let uses = |manifest: &Manifest, seen: &[PathBuf]| {
        let mut paths = manifest.dependencies.iter().filter_map(|d| d.path.as_ref());
        paths.any(|path| seen.iter().any(|dir| files.same(dir, path)))
    };
    // All that use the library, directly or by others that do.
    let mut users = vec![library.dir.clone()];
    loop {
        let new: Vec<PathBuf> = manifests
            .iter()
            .filter(|m| !users.iter().any(|dir| files.same(dir, &m.dir)) && uses(m, &users))
            .map(|m| m.dir.clone())
            .collect();
        if new.is_empty() {
            break;
        }
        users.extend(new);
    }
    users.remove(0);
    users.retain(|dir| has_portal(dir, files));
    users.sort();
    match users.len() {
        0 | 1 => Ok(users.pop()),
        _ => Err(users),
    }
}

/// Whether a function in a package's sources is marked as a portal.
fn has_portal(dir: &Path, files: &Files) -> bool {
    files
        .rust_files(&dir.join("src"))
        .iter()
        .any(|path| files.read(path).is_ok_and(|text| marks_portal(&text)))
}

/// Whether the attribute stands in a text, in a line that begins with it or with `cfg_attr`.
fn marks_portal(text: &str) -> bool {
    let is_mark = |line: &str| {
        let Some(rest) = line.trim_start().strip_prefix("#[") else { return false };
        rest.match_indices("portal").any(|(at, word)| {
            let before = rest[..at].trim_end();
            let is_path = before.is_empty() || before.ends_with("::");
            let is_conditional = before.starts_with("cfg_attr") && before.ends_with(',');
            let after = rest[at + word.len()..].trim_start();
            (is_path || is_conditional) && after.starts_with(['(', ']', ')'])
        })
    };
    text.lines().any(is_mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn files(list: &[(&str, &str)]) -> Files {
        Files::Memory(list.iter().map(|(p, t)| (PathBuf::from(p), t.to_string())).collect::<HashMap<_, _>>())
    }

    const LIBRARY: &str = "[package]\nname = 'NAME'\nedition = '2024'\n[features]\ndefault = ['jit']\n\
        jit = ['metatrace/jit']\n[dependencies]\nmetatrace = '1'\n[build-dependencies]\nmetatrace-jitcodegen = '1'\n";

    fn library(name: &str) -> String {
        LIBRARY.replace("NAME", name)
    }

    fn found(list: &[(&str, &str)]) -> (Vec<String>, Vec<(String, String)>) {
        let files = files(list);
        let portal = Manifest::read(Path::new("vm"), &files).unwrap_or_else(|e| panic!("{e:?}"));
        let mut cfg = Cfg::default();
        cfg.set("feature", Some("jit"));
        let all = packages(&portal, &files, &cfg);
        let outside = all.outside.into_iter().map(|o| (o.name, o.why)).collect();
        (all.libraries.into_iter().map(|l| l.manifest.name).collect(), outside)
    }

    const VM: &str = "[package]\nname = 'vm'\n[features]\njit = ['metatrace/jit', 'code/jit']\n\
        [dependencies]\nmetatrace = '1'\ncode = { path = '../code' }\nwords.workspace = true\n";
    const ROOT: &str = "[workspace]\nmembers = ['vm', 'lib/*', 'code']\n[workspace.dependencies]\nwords = { path = 'lib/words' }\n";

    #[test]
    fn libraries_come_after_those_they_use() {
        let code =
            library("code").replace("metatrace = '1'\n[", "metatrace = '1'\nwords.workspace = true\n[");
        let all = [
            ("Cargo.toml", ROOT),
            ("vm/Cargo.toml", VM),
            ("vm/src/main.rs", "#[jit::portal(owner = x)]"),
            ("code/Cargo.toml", &code),
            ("code/src/lib.rs", ""),
            ("code/build.rs", ""),
            ("lib/words/Cargo.toml", &library("words")),
            ("lib/words/src/lib.rs", ""),
            ("lib/words/build.rs", ""),
        ];
        assert_eq!(found(&all), (vec!["words".to_string(), "code".to_string()], vec![]));
        let of = |dir: &str| {
            interpreter_of(&Manifest::read(Path::new(dir), &files(&all)).expect("read"), &files(&all))
        };
        assert_eq!(of("lib/words"), Ok(Some(PathBuf::from("vm"))));
        assert_eq!(of("vm"), Ok(Some(PathBuf::from("vm"))));
    }

    #[test]
    fn what_turns_translation_on_is_the_manifest() {
        let of = |text: &str, on: &[&str]| {
            let text = format!("[package]\nname = 'a'\n{text}");
            let files = files(&[("Cargo.toml", &text), ("src/lib.rs", "")]);
            let manifest = Manifest::read(Path::new(""), &files).unwrap_or_else(|e| panic!("{e:?}"));
            let on: Vec<String> = on.iter().map(|f| f.to_string()).collect();
            match switch(&manifest, &manifest.closure(&on)) {
                Switch::Lacking { message, at, .. } => {
                    format!("{message} ({})", text[at.map_or(0..0, |at| at)].trim())
                }
                other => format!("{other:?}"),
            }
        };
        let usual = "[features]\ndefault = ['jit']\njit = ['metatrace/jit']\n[dependencies]\nmetatrace.default-features = false";
        assert_eq!(of(usual, &["default"]), "On");
        assert_eq!(of(usual, &[]), "Off");
        assert_eq!(of("[dependencies]\nmetatrace = '1'", &[]), "On");
        let other = "[features]\nfast = ['metatrace/jit']\n[dependencies]\nmetatrace = { version = '1', default-features = false }";
        assert_eq!(of(other, &["fast"]), "On");
        let lacks = "`metatrace` is built without its feature `jit`, and the package has none to turn it on";
        assert_eq!(of(other, &[]), format!("{lacks} ([features])"));
        let empty = "[features]\njit = []\n[dependencies]\nmetatrace.default-features = false";
        assert_eq!(of(empty, &["jit"]), "the feature `jit` does not turn on that of `metatrace` (jit)");
        let optional = "[features]\njit = ['dep:metatrace']\n[dependencies]\nmetatrace = { version = '1', optional = true }";
        assert_eq!(of(optional, &["jit"]), "On");
        assert_eq!(of(optional, &[]), "Off");
        assert_eq!(
            of("[dependencies]\nother = '1'", &[]),
            "the package does not depend on `metatrace` ([dependencies])"
        );
    }

    #[test]
    fn portals_are_found_in_attributes() {
        let marks = [
            "#[jit::portal(owner = c)]",
            "  #[portal]",
            "#[cfg_attr(feature = \"jit\", jit :: portal (greens = [pc]))]",
        ];
        assert!(marks.iter().all(|text| marks_portal(text)), "{marks:?}");
        let others = [
            "// #[jit::portal]",
            "fn portal(x: u8) {",
            "#[doc = \"portal(\"]",
            "#[my_portal(x)]",
            "#[portals]",
        ];
        assert!(!others.iter().any(|text| marks_portal(text)), "{others:?}");
    }

    #[test]
    fn who_does_not_take_part_is_told_why() {
        let why = |code: &str, more: &[(&str, &str)]| {
            let vm = VM.replace("words.workspace = true\n", "");
            let mut all = vec![
                ("Cargo.toml", ROOT),
                ("vm/Cargo.toml", &vm),
                ("vm/src/main.rs", "#[jit::portal(owner = x)]"),
                ("code/Cargo.toml", code),
                ("code/src/lib.rs", ""),
            ];
            all.extend(more);
            found(&all).1.into_iter().map(|(_, why)| why).next().unwrap_or_default()
        };
        let (whole, script) = (library("code"), ("code/build.rs", ""));
        assert_eq!(why(&whole, &[script]), "");
        assert_eq!(why(&whole, &[]), "it has no build script");
        assert_eq!(
            why(&whole.replace("metatrace = ", "other = "), &[script]),
            "it does not depend on `metatrace`"
        );
        let without = whole.replace("metatrace-jitcodegen", "other");
        assert_eq!(why(&without, &[script]), "its build script cannot generate glue");
        let without = whole
            .replace("['metatrace/jit']", "[]")
            .replace("metatrace = '1'", "metatrace.default-features = false");
        assert_eq!(why(&without, &[script]), "the feature `jit` does not turn on that of `metatrace`");
        assert_eq!(
            why("[package", &[script]),
            "`code/Cargo.toml` is malformed: unclosed table, expected `]`"
        );
        let second = "[package]\nname = 'b'\n[dependencies]\ncode = { path = '../../code' }\n";
        let more =
            [script, ("lib/b/Cargo.toml", second), ("lib/b/src/lib.rs", "  #[metatrace::jit::portal]")];
        assert_eq!(why(&whole, &more), "it is used by several interpreters: `lib/b`, `vm`");
        let chosen = format!("{whole}[package.metadata.metatrace]\nportal = '../lib/b'\n");
        assert_eq!(why(&chosen, &more), "it is part of the interpreter in `lib/b`");
        let chosen = format!("{whole}[package.metadata.metatrace]\nportal = '../vm'\n");
        assert_eq!(why(&chosen, &more), "");
    }
}
