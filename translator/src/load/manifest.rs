//! What the translator needs of a `Cargo.toml`: names, roots, edition, dependencies.
//!
//! Cargo itself has accepted the manifest before a build script runs, so this reader takes lines of the usual form
//! (`[section]`, `key = …`) and passes over everything else.

use std::path::{Path, PathBuf};

use super::Files;

/// A package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// Edition, as a year; 2015 if none is given, the workspace's counted as the newest.
    pub edition: u32,
    /// Crate roots that exist: the library first, then binaries.
    pub roots: Vec<PathBuf>,
    /// Names by which other crates are reached, with `_` for `-`.
    pub extern_crates: Vec<String>,
    /// The library's own name.
    pub lib_name: String,
}

impl Manifest {
    /// Reads `dir/Cargo.toml`.
    ///
    /// # Errors
    /// A text for the user if the file cannot be read or no root exists.
    pub fn read(dir: &Path, files: &Files) -> Result<Manifest, String> {
        let path = dir.join("Cargo.toml");
        let text = files.read(&path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
        let mut m = Manifest { edition: 2015, ..Manifest::default() };
        let (mut lib, mut bins): (Option<PathBuf>, Vec<PathBuf>) = (None, Vec::new());
        let mut section = String::new();
        let mut has_package = false;
        let mut open_list = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if open_list {
                open_list = !line.starts_with(']');
                continue;
            }
            open_list = line.ends_with('[');
            if let Some(head) = line.strip_prefix('[') {
                if !line.contains(']') {
                    let at = path.display();
                    return Err(format!(
                        "`{at}` is malformed: line {} begins a section without end",
                        number + 1
                    ));
                }
                section = head.trim_start_matches('[').split(']').next().unwrap_or("").trim().to_string();
                if let Some((_, name)) = section.split_once("dependencies.")
                    && !section.starts_with("build-")
                {
                    m.extern_crates.push(crate_name(name));
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let (key, value) = (key.trim(), string_value(value));
            has_package |= section == "package";
            match (section.as_str(), key) {
                ("package", "name") => m.name = value.unwrap_or_default(),
                ("package", "edition") => m.edition = value.and_then(|v| v.parse().ok()).unwrap_or(2024),
                ("package", "edition.workspace") => m.edition = 2024,
                ("lib", "path") => lib = value.map(|v| dir.join(v)),
                ("lib", "name") => m.lib_name = value.unwrap_or_default(),
                ("bin", "path") => bins.extend(value.map(|v| dir.join(v))),
                (s, key) if is_dependencies(s) => {
                    m.extern_crates.push(crate_name(key.split('.').next().unwrap_or(key)));
                }
                _ => {}
            }
        }
        if !has_package {
            return Err(format!("`{}` has no `[package]`", path.display()));
        }
        if m.lib_name.is_empty() {
            m.lib_name = crate_name(&m.name);
        }
        m.roots.extend(lib.or_else(|| Some(dir.join("src/lib.rs"))).filter(|p| files.exists(p)));
        bins.push(dir.join("src/main.rs"));
        m.roots.extend(bins.into_iter().filter(|p| files.exists(p)));
        if m.roots.is_empty() {
            return Err(format!("package `{}` has neither `src/lib.rs` nor `src/main.rs`", m.name));
        }
        Ok(m)
    }
}

fn is_dependencies(section: &str) -> bool {
    section == "dependencies" || section.starts_with("target.") && section.ends_with(".dependencies")
}

fn crate_name(name: &str) -> String {
    name.trim_matches(['"', '\'']).replace('-', "_")
}

fn string_value(value: &str) -> Option<String> {
    let value = value.trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(value[1..].split(quote).next()?.to_string())
}
