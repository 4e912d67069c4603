//! Writes the package of the cases, and translates it.
//!
//! The cases are those of a fixed seed, or of the crate's root file that `METATRACE_GENERATED` names.

use std::path::{Path, PathBuf};

/// How many cases are tested where nothing else is asked for, and from which seed on.
const CASES: u64 = 60;
const SEED: u64 = 1;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(metatrace)");
    println!("cargo::rerun-if-env-changed=METATRACE_GENERATED");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("Cargo sets it"));
    let text = match std::env::var_os("METATRACE_GENERATED") {
        Some(path) => {
            println!("cargo::rerun-if-changed={}", Path::new(&path).display());
            std::fs::read_to_string(&path).expect("the named file can be read")
        }
        None => {
            let name = |n: u64| format!("c{n}");
            let cases: Vec<_> =
                (0..CASES).map(|n| metatrace_generator::generate(SEED + n, &name(n))).collect();
            metatrace_generator::program(&cases)
        }
    };
    let package = out.join("package");
    let manifest =
        "[package]\nname = \"generated\"\nedition = \"2024\"\n\n[dependencies]\nmetatrace = \"*\"\n";
    std::fs::create_dir_all(package.join("src")).expect("OUT_DIR can be written");
    std::fs::write(package.join("Cargo.toml"), manifest).expect("OUT_DIR can be written");
    std::fs::write(package.join("src/lib.rs"), text).expect("OUT_DIR can be written");
    if std::env::var_os("CARGO_FEATURE_JIT").is_none() {
        return;
    }
    let job = metatrace_jitcodegen::Job {
        package,
        cfg: metatrace_jitcodegen::build_script_cfg(),
        target: (
            std::env::var("CARGO_CFG_TARGET_ARCH").expect("Cargo sets it"),
            std::env::var("CARGO_CFG_TARGET_OS").expect("Cargo sets it"),
        ),
        emit_graph: false,
        emit_jitcode: true,
        kept: None,
    };
    let translated = metatrace_jitcodegen::translate(&job)
        .and_then(|translation| metatrace_jitcodegen::write(&job, &translation, &out.join("metatrace")));
    if let Err(message) = translated {
        eprintln!("{message}");
        std::process::exit(1);
    }
    println!("cargo::rustc-cfg=metatrace");
}
