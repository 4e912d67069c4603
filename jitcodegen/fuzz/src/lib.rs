//! Input that no author meant: interpreters with tokens removed, doubled, exchanged and moved between them, and Rust files of any kind.
//!
//! In: seeds, which are crates as texts by path. Out: for each number a crate, the same on every machine; [`translate`] sends one through
//! everything that an author's crate goes through. Nothing is expected of the answer, but that there is one: whoever runs this looks for
//! panics and for cases without end. Relies on nothing but the seeds: what cannot be read is left out.

mod mutate;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use metatrace_jitcodegen::check;
use metatrace_translator::front::Input;
use metatrace_translator::load::Files;
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::lower::lower_functions;
use metatrace_translator::program::Program;
use metatrace_translator::with_stack;

pub use mutate::{Rng, mutate};

/// A crate as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// The root's path.
    pub root: PathBuf,
    /// The files, in the order of their paths.
    pub files: Vec<(PathBuf, String)>,
}

impl Crate {
    /// The crate whose root is the file `root`, with all files of Rust in its folder and below. `None` if there is no such file.
    pub fn read(root: &Path) -> Option<Crate> {
        let mut files = Vec::new();
        rust_files(root.parent()?, &mut files);
        files.retain(|(path, _)| path == root || !is_root(path));
        files.sort();
        files.iter().any(|(path, _)| path == root).then(|| Crate { root: root.to_path_buf(), files })
    }

    /// All files, each behind a line with its path.
    pub fn text(&self) -> String {
        self.files.iter().map(|(path, text)| format!("//# {}\n{text}\n", path.display())).collect()
    }
}

fn is_root(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "lib.rs" || name == "main.rs")
}

/// Adds all files of Rust below a folder that can be read.
fn rust_files(folder: &Path, out: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            out.push((path, text));
        }
    }
}

/// The interpreters of the workspace, and the crates that are not accepted.
pub fn seeds() -> Vec<Crate> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut roots = Vec::new();
    for folder in ["interpreters", "jitcodegen/tests"] {
        let Ok(entries) = std::fs::read_dir(workspace.join(folder)) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path().join("src"))) {
            roots.extend([path.join("lib.rs"), path.join("main.rs")]);
        }
    }
    let mut seeds: Vec<Crate> = roots.iter().filter_map(|root| Crate::read(root)).collect();
    let mut single = Vec::new();
    rust_files(&workspace.join("translator/tests/reject"), &mut single);
    seeds.extend(
        single.into_iter().map(|(path, text)| Crate { root: path.clone(), files: vec![(path, text)] }),
    );
    seeds.sort_by(|a, b| a.root.cmp(&b.root));
    seeds
}

/// Files of Rust that others wrote: the sources of dependencies below `folder`, at most `most` of them, spread evenly.
pub fn foreign_files(folder: &Path, most: usize) -> Vec<Crate> {
    let mut files = Vec::new();
    rust_files(folder, &mut files);
    files.sort();
    let step = files.len().div_ceil(most.max(1)).max(1);
    let single = |(path, text): (PathBuf, String)| Crate { root: path.clone(), files: vec![(path, text)] };
    files.into_iter().step_by(step).map(single).collect()
}

/// Sends a crate through loading, inference and lowering of all its functions, and generation of code for its portals. Gives how many
/// diagnostics that made.
///
/// # Panics
/// If there is a mistake in the tools.
pub fn translate(input: &Crate) -> usize {
    with_stack(|| {
        let files: HashMap<PathBuf, String> = input.files.iter().cloned().collect();
        let program = Program::load(Input {
            files: Files::Memory(files),
            root: input.root.clone(),
            cfg: Cfg::default(),
            edition: 2024,
            extern_crates: vec![],
            packages: Default::default(),
        });
        let mut all = check(&program);
        // Functions that no portal reaches are looked at too.
        lower_functions(&program);
        all.extend(program.diagnostics().sorted());
        all.iter().map(|d| d.render(program.sources()).len().min(1)).sum()
    })
}
