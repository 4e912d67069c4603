//! Which crate may depend on which, read from the manifests and the lock file.
//!
//! In: every `Cargo.toml` of the workspace and `Cargo.lock`. A crate *reaches* another through normal and build
//! dependencies, optional ones included, of crates of the workspace as their manifests say, and of others as the lock
//! file says. Dev-dependencies do not count: they are in no product.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{Finding, Tree};

/// Crates that must not reach those whose name begins with a prefix, and why.
const UNREACHED: &[(&str, &str, &str)] = &[
    ("metatrace-translator", "cranelift", "every build of an interpreter would wait for it"),
    ("metatrace-jitcodegen", "cranelift", "every build of an interpreter would wait for it"),
    ("xtask", "cranelift", "every command would wait for it"),
    ("metatrace-optimizer", "metatrace-backend", "the optimiser knows no machine"),
    ("metatrace-optimizer", "metatrace-gc", "the optimiser reads no guest memory"),
    ("metatrace-gc", "metatrace", "the collector knows nothing of the runtime"),
    ("metatrace-gc", "metatrace-backend", "the collector knows no traces and no machine code"),
    ("metatrace-backend", "metatrace", "a backend knows nothing of the runtime"),
    ("metatrace-backend-reference", "metatrace", "a backend knows nothing of the runtime"),
    ("metatrace-backend-cranelift", "metatrace", "a backend knows nothing of the runtime"),
];
/// The crates of the build, which interpreters reach as build-dependencies only.
const BUILD_ONLY: &[&str] = &["metatrace-translator", "metatrace-jitcodegen"];
/// The crate that depends on nothing.
const LEAF: &str = "metatrace-defs";

/// A crate of the workspace.
struct Package {
    manifest: String,
    normal: BTreeSet<String>,
    build: BTreeSet<String>,
}

struct Packages {
    members: BTreeMap<String, Package>,
    /// The dependencies of the crates that are not of the workspace.
    others: BTreeMap<String, BTreeSet<String>>,
}

pub fn layers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let packages = Packages::read(tree, &mut findings);
    if packages.members.is_empty() {
        return findings;
    }
    for &(from, to, why) in UNREACHED {
        let forbidden = |name: &str| if to == "metatrace" { name == to } else { name.starts_with(to) };
        let Some(package) = packages.members.get(from) else {
            findings.push(Finding::new(
                "Cargo.toml",
                0,
                format!("there is no crate `{from}`: correct this rule"),
            ));
            continue;
        };
        let start = package.normal.union(&package.build).cloned().collect();
        if let Some(way) = packages.way(from, start, &forbidden) {
            findings.push(Finding::new(&package.manifest, 0, format!("reaches {}: {why}", way.join(" → "))));
        }
    }
    if let Some(leaf) = packages.members.get(LEAF) {
        for name in leaf.normal.union(&leaf.build) {
            findings.push(Finding::new(
                &leaf.manifest,
                0,
                format!("depends on `{name}`, and must on nothing"),
            ));
        }
    }
    for (name, package) in &packages.members {
        if !package.manifest.starts_with("interpreters/") {
            continue;
        }
        let forbidden = |name: &str| BUILD_ONLY.contains(&name);
        if let Some(way) = packages.way(name, package.normal.clone(), &forbidden) {
            let message = format!("reaches {} outside build-dependencies", way.join(" → "));
            findings.push(Finding::new(&package.manifest, 0, message));
        }
    }
    findings
}

impl Packages {
    fn read(tree: &Tree, findings: &mut Vec<Finding>) -> Packages {
        let mut packages = Packages { members: BTreeMap::new(), others: BTreeMap::new() };
        for file in &tree.files {
            let is_manifest = file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml");
            if !is_manifest && file.path != "Cargo.lock" {
                continue;
            }
            let table = match file.text.parse::<Table>() {
                Ok(table) => table,
                Err(error) => {
                    findings.push(Finding::new(
                        &file.path,
                        0,
                        format!("does not parse: {}", error.message()),
                    ));
                    continue;
                }
            };
            if is_manifest {
                if let Some(name) = table.get("package").and_then(|package| package.get("name")?.as_str()) {
                    let package = Package {
                        manifest: file.path.clone(),
                        normal: dependencies(&table, "dependencies"),
                        build: dependencies(&table, "build-dependencies"),
                    };
                    packages.members.insert(name.to_string(), package);
                }
            } else {
                packages.others = locked(&table);
            }
        }
        packages
    }

    /// The shortest way from a crate that depends on `start` to a crate that is forbidden.
    fn way(
        &self,
        from: &str,
        start: BTreeSet<String>,
        forbidden: &dyn Fn(&str) -> bool,
    ) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut ways: Vec<Vec<String>> = start.into_iter().map(|name| vec![from.to_string(), name]).collect();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let Some(last) = way.last() else { continue };
                if forbidden(last) {
                    return Some(way);
                }
                if !seen.insert(last.clone()) {
                    continue;
                }
                for next in self.reached_from(last) {
                    longer.push(way.iter().cloned().chain([next]).collect());
                }
            }
            ways = longer;
        }
        None
    }

    fn reached_from(&self, name: &str) -> BTreeSet<String> {
        match self.members.get(name) {
            Some(package) => package.normal.union(&package.build).cloned().collect(),
            None => self.others.get(name).cloned().unwrap_or_default(),
        }
    }
}

/// The crates that a section of a manifest names, also for some targets only, by the names of their packages.
fn dependencies(manifest: &Table, section: &str) -> BTreeSet<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let per_target = targets.into_iter().flat_map(|targets| targets.values()).filter_map(Value::as_table);
    let tables = per_target.chain([manifest]).filter_map(|table| table.get(section)?.as_table());
    tables
        .flat_map(|table| table.iter())
        .map(|(name, value)| value.get("package").and_then(Value::as_str).unwrap_or(name).to_string())
        .collect()
}

/// The dependencies of each crate in a lock file.
fn locked(lock: &Table) -> BTreeMap<String, BTreeSet<String>> {
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock.get("package").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = package.get("name").and_then(Value::as_str) else { continue };
        let names = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let names = names.filter_map(|name| name.as_str()?.split(' ').next()).map(str::to_string);
        packages.entry(name.to_string()).or_default().extend(names);
    }
    packages
}
