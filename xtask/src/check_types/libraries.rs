//! The compiled libraries that rustc needs to look at a crate of the workspace once more.
//!
//! In: packages of the workspace, which are built. Out: for each the files of what it depends on, by the names that its source uses,
//! and the features with which it was built ([`Libraries::of`]). Which file belongs to which dependency is what Cargo says.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Artifact, DependencyKind, Message, Metadata, PackageId};

use super::mir::Mir;

/// How a crate is compiled.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The libraries that it names.
    pub externs: Vec<(String, PathBuf)>,
    /// Its features that are on.
    pub features: Vec<String>,
}

/// What Cargo built.
pub struct Libraries<'a> {
    metadata: &'a Metadata,
    artifacts: HashMap<PackageId, Vec<Artifact>>,
}

impl Libraries<'_> {
    /// Builds the packages of these names.
    ///
    /// # Errors
    /// If Cargo fails.
    pub fn build<'a>(
        root: &Path,
        metadata: &'a Metadata,
        packages: &[&str],
    ) -> Result<Libraries<'a>, String> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(root).args(["build", "--quiet", "--message-format=json"]);
        packages.iter().for_each(|name| {
            cargo.args(["--package", name]);
        });
        let output = cargo.output().map_err(|error| format!("cannot start cargo: {error}"))?;
        let mut artifacts: HashMap<PackageId, Vec<Artifact>> = HashMap::new();
        let mut errors = String::new();
        for message in Message::parse_stream(output.stdout.as_slice()).map_while(Result::ok) {
            match message {
                Message::CompilerArtifact(a) => artifacts.entry(a.package_id.clone()).or_default().push(a),
                Message::CompilerMessage(m) => errors.push_str(&m.message.rendered.unwrap_or_default()),
                _ => {}
            }
        }
        match output.status.success() {
            true => Ok(Libraries { metadata, artifacts }),
            false => Err(format!("{errors}{}", String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// How the package was compiled.
    ///
    /// # Errors
    /// If one of its libraries was not built, or in several ways of which one cannot be told to be its.
    pub fn of(&self, package: &PackageId) -> Result<Setting, String> {
        let nodes = self.metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
        let node = nodes.iter().find(|node| node.id == *package).ok_or(format!("{package} is no package"))?;
        let used =
            node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal));
        let mut setting = Setting::default();
        for dep in used {
            if let Some(file) = self.library(&dep.pkg)? {
                setting.externs.push((dep.name.clone(), file));
            }
        }
        let own =
            self.artifacts.get(package).and_then(|all| all.iter().find(|a| !a.target.is_custom_build()));
        setting.features = own.map_or(Vec::new(), |artifact| artifact.features.clone());
        Ok(setting)
    }

    /// The file of a package's library; `None` for one that this platform does not need.
    pub fn library(&self, package: &PackageId) -> Result<Option<PathBuf>, String> {
        let built = self.artifacts.get(package).map_or(&[][..], Vec::as_slice);
        let is_library = |file: &&cargo_metadata::camino::Utf8PathBuf| {
            matches!(file.extension(), Some("rlib" | "so" | "dylib" | "dll"))
        };
        let mut files: Vec<_> = built
            .iter()
            .filter(|a| !a.target.is_custom_build())
            .flat_map(|a| a.filenames.iter().filter(is_library))
            .map(|file| file.as_std_path().to_path_buf())
            .collect();
        files.dedup();
        match files.len() {
            0 | 1 => Ok(files.pop()),
            n => Err(format!("{package} was built in {n} ways: which one is linked cannot be told")),
        }
    }
}

impl Setting {
    /// What rustc finds in a crate whose root file is `root` in the folder `dir`.
    ///
    /// # Errors
    /// If it does not compile.
    pub fn mir(&self, dir: &Path, root: &Path, edition: &str) -> Result<Mir, String> {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .current_dir(dir)
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["-Zunpretty=mir", "-Zmir-include-spans=yes", "-Zmir-opt-level=0", "--crate-type=lib"])
            .args(["--cap-lints=allow", "--crate-name=checked"])
            .arg(format!("--edition={edition}"));
        for (name, file) in &self.externs {
            let parent = file.parent().unwrap_or(Path::new(""));
            let deps = if parent.ends_with("deps") { parent.to_path_buf() } else { parent.join("deps") };
            rustc.arg(format!("--extern={name}={}", file.display()));
            rustc.arg(format!("-Ldependency={}", deps.display()));
        }
        for feature in &self.features {
            rustc.arg(format!("--cfg=feature={feature:?}"));
        }
        // What is outside of the folder keeps its whole path.
        let output = rustc.arg(root).output().map_err(|error| format!("cannot start rustc: {error}"))?;
        if !output.status.success() {
            return Err(format!("{}: {}", dir.display(), String::from_utf8_lossy(&output.stderr)));
        }
        Ok(Mir::parse(&String::from_utf8_lossy(&output.stdout), dir))
    }
}
