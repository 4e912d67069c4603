//! What the translator needs of a `Cargo.toml`: names, roots, edition, dependencies, features.
//!
//! Cargo itself has accepted the manifest before a build script runs; this reader also says where things are, for diagnostics.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use super::Files;
use super::toml::{self, Entry};

/// A package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The package's folder.
    pub dir: PathBuf,
    /// The text of its `Cargo.toml`.
    pub text: String,
    /// The package's name.
    pub name: String,
    /// Edition, as a year; 2015 if none is given.
    pub edition: u32,
    /// Crate roots that exist: the library first, then binaries.
    pub roots: Vec<PathBuf>,
    /// The library's root, if it exists.
    pub library: Option<PathBuf>,
    /// Names by which other crates are reached, with `_` for `-`.
    pub extern_crates: Vec<String>,
    /// The library's own name.
    pub lib_name: String,
    /// Other packages that the crate's code may name.
    pub dependencies: Vec<Dependency>,
    /// Names of the packages that the build script may name.
    pub build_dependencies: Vec<String>,
    /// Features, and what each turns on.
    pub features: Vec<(String, Vec<String>)>,
    /// Whether there is a build script.
    pub has_build_script: bool,
    /// `[package.metadata.metatrace] portal`: the folder of the package whose interpreter this one is part of.
    pub portal: Option<PathBuf>,
    entries: Vec<Entry>,
}

/// A package that another depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// Its name in the manifest.
    pub key: String,
    /// The package's own name.
    pub package: String,
    /// Its folder, if it is given by path.
    pub path: Option<PathBuf>,
    /// Whether a feature turns it on.
    pub optional: bool,
    /// Features of it that are asked for.
    pub features: Vec<String>,
    /// Whether its default features are asked for.
    pub default_features: bool,
}

/// Why a manifest says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
    /// The manifest's text, and where in it.
    pub at: Option<(String, Range<usize>)>,
}

impl Manifest {
    /// Reads `dir/Cargo.toml`.
    ///
    /// # Errors
    /// If the file cannot be read, is malformed, describes no package, or no root exists.
    pub fn read(dir: &Path, files: &Files) -> Result<Manifest, ManifestError> {
        let path = dir.join("Cargo.toml");
        let shown = path.display();
        let error = |message: String, help, at| ManifestError { message, help, at };
        let text = files.read(&path).map_err(|e| {
            error(format!("cannot read `{shown}`: {e}"), "name the folder of a Cargo package", None)
        })?;
        let entries = toml::parse(&text).map_err(|e| {
            let message = format!("`{shown}` is malformed: {}", e.message);
            error(message, "`cargo metadata` reports the same error", Some((text.clone(), e.at)))
        })?;
        if !entries.iter().any(|e| e.path.first().is_some_and(|name| name == "package")) {
            let help = "name the folder of a package, not of a workspace";
            return Err(error(format!("`{shown}` has no `[package]`"), help, Some((text, 0..0))));
        }
        let mut m = Manifest { dir: dir.to_path_buf(), text, edition: 2015, entries, ..Manifest::default() };
        let shared = m.shared(files);
        let (lib, bins) = m.take(&shared);
        if m.lib_name.is_empty() {
            m.lib_name = crate_name(&m.name);
        }
        m.library = Some(lib.unwrap_or_else(|| dir.join("src/lib.rs"))).filter(|p| files.exists(p));
        m.roots.extend(m.library.clone());
        let main = [dir.join("src/main.rs")];
        for bin in bins.into_iter().chain(main).filter(|p| files.exists(p)) {
            if !m.roots.contains(&bin) {
                m.roots.push(bin);
            }
        }
        if m.roots.is_empty() {
            let at = m.place(&["package", "name"]).map(|at| (m.text.clone(), at));
            let message = format!("package `{}` has neither `src/lib.rs` nor `src/main.rs`", m.name);
            return Err(error(
                message,
                "create one, or name the file with `path` in `[lib]` or `[[bin]]`",
                at,
            ));
        }
        Ok(m)
    }

    /// Fills in what the entries say; gives the paths of library and binaries that they name.
    fn take(&mut self, shared: &[Entry]) -> (Option<PathBuf>, Vec<PathBuf>) {
        let (mut lib, mut bins, mut build) = (None, Vec::new(), None);
        let dir = self.dir.clone();
        for entry in std::mem::take(&mut self.entries).iter() {
            let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
            let text = || entry.text().unwrap_or_default().to_string();
            match &path[..] {
                ["package", "name"] => self.name = text(),
                ["package", "edition"] => self.edition = text().parse().unwrap_or(2024),
                ["package", "edition", "workspace"] => {
                    let given = shared.iter().find(|e| e.is_at(&["workspace", "package", "edition"]));
                    self.edition = given.and_then(Entry::text).and_then(|v| v.parse().ok()).unwrap_or(2024);
                }
                ["package", "build"] => build = Some(!entry.is("false")),
                ["package", "metadata", "metatrace", "portal"] => {
                    self.portal = Some(clean(&dir.join(text())))
                }
                ["lib", "path"] => lib = Some(dir.join(text())),
                ["lib", "name"] => self.lib_name = text(),
                ["bin", "path"] => bins.push(dir.join(text())),
                ["features", name] => self.features.push((name.to_string(), entry.list().to_vec())),
                ["dependencies", rest @ ..] | ["target", _, "dependencies", rest @ ..]
                    if !rest.is_empty() =>
                {
                    self.dependency(rest, entry, shared);
                }
                ["build-dependencies", key, rest @ ..] => match rest {
                    ["package"] => self.build_dependencies.push(text()),
                    _ => self.build_dependencies.push(key.to_string()),
                },
                _ => {}
            }
            self.entries.push(entry.clone());
        }
        let names = self.dependencies.iter().map(|d| crate_name(&d.key)).collect();
        self.extern_crates = names;
        self.has_build_script = build.unwrap_or(true);
        (lib, bins)
    }

    /// One entry about a dependency: `[key, field…]`.
    fn dependency(&mut self, path: &[&str], entry: &Entry, shared: &[Entry]) {
        let key = path[0];
        let at = self.dependencies.iter().position(|d| d.key == key).unwrap_or_else(|| {
            let (key, package) = (key.to_string(), key.to_string());
            self.dependencies.push(Dependency {
                key,
                package,
                default_features: true,
                ..Dependency::default()
            });
            self.dependencies.len() - 1
        });
        let out = &mut self.dependencies[at];
        match path[1..] {
            ["path"] => out.path = entry.text().map(|path| clean(&self.dir.join(path))),
            ["package"] => out.package = entry.text().unwrap_or(key).to_string(),
            ["optional"] => out.optional = entry.is("true"),
            ["features"] => out.features.extend(entry.list().iter().cloned()),
            ["default-features"] => out.default_features = entry.is("true"),
            ["workspace"] => {
                let root = shared.first().map(|e| PathBuf::from(e.text().unwrap_or_default()));
                let is_ours =
                    |e: &&Entry| e.path.len() > 3 && e.path[..3] == ["workspace", "dependencies", key];
                for e in shared.iter().filter(is_ours) {
                    match e.path[3].as_str() {
                        "path" => {
                            out.path = e.text().zip(root.as_ref()).map(|(path, root)| clean(&root.join(path)))
                        }
                        "package" => out.package = e.text().unwrap_or(key).to_string(),
                        "features" => out.features.extend(e.list().iter().cloned()),
                        "default-features" => out.default_features = e.is("true"),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// What the workspace's manifest says, after an entry with its folder; nothing if it is not asked for anything.
    fn shared(&self, files: &Files) -> Vec<Entry> {
        if !self.entries.iter().any(|e| e.path.last().is_some_and(|name| name == "workspace")) {
            return Vec::new();
        }
        let Some((dir, entries)) = workspace(&self.dir, files) else { return Vec::new() };
        let dir = toml::Value::Text(dir.to_string_lossy().into_owned());
        let first = Entry { path: vec![], value: Some(dir), at: 0..0 };
        [first].into_iter().chain(entries).collect()
    }

    /// Whether the crate's code may name `metatrace`.
    pub fn uses_runtime(&self) -> bool {
        self.dependencies.iter().any(|d| d.package == "metatrace")
    }

    /// Whether the build script may name the translator.
    pub fn builds(&self) -> bool {
        self.build_dependencies.iter().any(|package| package == "metatrace-jitcodegen")
    }

    /// Where the manifest says that the library is a procedural macro.
    pub fn proc_macro(&self) -> Option<Range<usize>> {
        let says =
            |e: &&Entry| e.is("true") && (e.is_at(&["lib", "proc-macro"]) || e.is_at(&["lib", "proc_macro"]));
        self.entries.iter().find(says).map(|e| e.at.clone())
    }

    /// Where a key or the head of a table is written, or the first below it.
    pub fn place(&self, path: &[&str]) -> Option<Range<usize>> {
        let is_below =
            |e: &&Entry| e.path.len() >= path.len() && e.path.iter().zip(path).all(|(a, b)| a == b);
        self.entries.iter().find(is_below).map(|e| e.at.clone())
    }

    /// The features that are on if those in `asked` are: these, and what they turn on in the package itself.
    pub fn closure(&self, asked: &[String]) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut open = asked.to_vec();
        while let Some(name) = open.pop() {
            if out.contains(&name) || name.contains('/') || name.starts_with("dep:") {
                continue;
            }
            if let Some((_, more)) = self.features.iter().find(|(feature, _)| same_feature(feature, &name)) {
                open.extend(more.iter().cloned());
            }
            out.push(name);
        }
        out
    }

    /// The features of `dependency` that are on if those in `on` are in this package; none if it is not used at all.
    pub fn features_of(&self, dependency: &Dependency, on: &[String]) -> Option<Vec<String>> {
        let mut out = dependency.features.clone();
        if dependency.default_features {
            out.push("default".to_string());
        }
        let mut used = !dependency.optional || on.iter().any(|name| same_feature(name, &dependency.key));
        for (_, more) in self.features.iter().filter(|(name, _)| on.iter().any(|o| same_feature(o, name))) {
            for what in more {
                used |= what.strip_prefix("dep:") == Some(&dependency.key);
                let Some((key, feature)) = what.split_once('/') else { continue };
                if key.trim_end_matches('?') == dependency.key {
                    used |= !key.ends_with('?');
                    out.push(feature.to_string());
                }
            }
        }
        used.then_some(out)
    }
}

/// The manifest of the workspace that a folder is in: its folder, and what it says.
pub(super) fn workspace(dir: &Path, files: &Files) -> Option<(PathBuf, Vec<Entry>)> {
    let mut at = dir.to_path_buf();
    // Deeper than any tree of folders is.
    for _ in 0..32 {
        if let Ok(text) = files.read(&at.join("Cargo.toml"))
            && let Ok(entries) = toml::parse(&text)
            && entries.iter().any(|e| e.path.first().is_some_and(|name| name == "workspace"))
        {
            return Some((at, entries));
        }
        at = match files {
            Files::Disk => clean(&at.join("..")),
            Files::Memory(_) => at.parent()?.to_path_buf(),
        };
    }
    None
}

/// A path without `.` and without `NAME/..`.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

fn same_feature(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase().replace('-', "_") == b.to_lowercase().replace('-', "_")
}

/// A package's name as Rust spells it.
pub fn crate_name(name: &str) -> String {
    name.replace('-', "_")
}
