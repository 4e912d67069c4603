//! What the reference and the pages call right is Rust: rustc accepts it, without translation.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use metatrace_translator::diag::Code;

use crate::crates::{examples, whole};

/// A package without the feature: a portal and hints of every form, the machinery in optional dependencies.
const PLAIN: &str = "use metatrace::{Traced, jit};
metatrace::glue!();

struct Machine { acc: i64 }

#[jit::elidable]
fn square(n: i64) -> i64 { n * n }

#[jit::unroll_safe]
fn sum(n: i64) -> i64 { if jit::isconstant(n) { 3 } else { (0..n).sum() } }

impl Machine {
    #[jit::portal(owner = code, greens = [pc])]
    fn run(&mut self, mut pc: usize, code: &Traced<Vec<u8>>) -> i64 {
        loop {
            jit::merge_point!();
            match code.get(pc) {
                Some(0) if self.acc < 1000 => { pc = 0; jit::can_enter_jit!(); }
                Some(&n) => self.acc += square(jit::promote(n as i64)) + sum(3) + i64::from(jit::we_are_jitted()),
                None => return self.acc,
            }
            pc += 1;
        }
    }
}

fn main() {
    println!(\"{}\", Machine { acc: 0 }.run(0, &Traced::new(vec![1, 2, 0, 9])));
}
";

#[test]
fn without_its_feature_a_package_is_a_plain_program() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plain");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = format!(
        "[package]\nname = \"plain\"\nedition = \"2024\"\n[workspace]\n\
         [features]\ndefault = [\"jit\"]\njit = [\"metatrace/jit\", \"dep:metatrace-jitcodegen\"]\n\
         [dependencies]\nmetatrace = {{ path = {:?}, default-features = false }}\n\
         [build-dependencies]\nmetatrace-jitcodegen = {{ path = {:?}, optional = true }}\n",
        workspace.join("runtime"),
        workspace.join("jitcodegen"),
    );
    let write = |name: &str, text: &str| {
        std::fs::write(dir.join(name), text).unwrap_or_else(|e| panic!("{name}: {e}"));
    };
    std::fs::create_dir_all(dir.join("src")).unwrap_or_else(|e| panic!("{e}"));
    write("Cargo.toml", &manifest);
    write("Cargo.lock", include_str!("../../../Cargo.lock"));
    write(
        "build.rs",
        "fn main() {\n    #[cfg(feature = \"jit\")]\n    metatrace_jitcodegen::build_script();\n}\n",
    );
    write("src/main.rs", PLAIN);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--offline", "--no-default-features"]).current_dir(&dir);
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples-target"));
    let done = command.output().unwrap_or_else(|e| panic!("cargo: {e}"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(String::from_utf8_lossy(&done.stdout), "1088\n");
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples-target/debug/deps");
    let names = std::fs::read_dir(built).unwrap_or_else(|e| panic!("{e}"));
    let machinery = names.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let machinery: Vec<String> = machinery
        .filter(|name| name.contains("cranelift") || name.contains("metatrace_jitcodegen"))
        .collect();
    assert_eq!(machinery, [""; 0], "machinery was built");
}

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
