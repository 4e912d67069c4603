//! What the reference and the pages call right is Rust: rustc accepts it, without translation.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use metatrace_translator::diag::Code;

use crate::crates::{examples, whole};

#[test]
fn accepted_examples_are_rust() {
    let mut source = String::from("#![allow(warnings)]\n");
    let reference = include_str!("../../../docs/restricted-rust.md");
    let pages = Code::ALL.iter().map(|code| (code.id(), code.page()));
    let hints = include_str!("../../../docs/hints.md");
    for (name, page) in pages.chain([("reference", reference), ("hints", hints)]) {
        // Examples of several files are about manifests and files, not about Rust.
        for (line, _, text) in examples(page).into_iter().filter(|e| e.1.is_none() && !e.2.contains("//# ")) {
            let _ = writeln!(source, "pub mod {name}_{line} {{\n{}}}", whole(&text));
        }
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = format!(
        "[package]\nname = \"examples\"\nedition = \"2024\"\n[workspace]\n[features]\njit = []\n\
         [dependencies]\nmetatrace = {{ path = {:?}, default-features = false }}\n",
        workspace.join("runtime")
    );
    let write = |name: &str, text: &str| {
        std::fs::write(dir.join(name), text).unwrap_or_else(|e| panic!("{name}: {e}"));
    };
    std::fs::create_dir_all(dir.join("src")).unwrap_or_else(|e| panic!("{e}"));
    write("Cargo.toml", &manifest);
    write("Cargo.lock", include_str!("../../../Cargo.lock"));
    write("src/lib.rs", &source);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["check", "--quiet", "--offline"]).current_dir(&dir);
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples-target"));
    let done = command.output().unwrap_or_else(|e| panic!("cargo: {e}"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
