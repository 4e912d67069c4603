//! Writes the package of the cases, and translates it.
//!
//! The cases are those of a fixed seed, or of the crate's root file that `METATRACE_GENERATED` names. Where `METATRACE_PLANTED` is
//! set, they are translated wrongly, which a test of the search for mistakes does.

use std::path::{Path, PathBuf};

use metatrace_defs::PureOp;
use metatrace_jitcodegen::Translation;
use metatrace_translator::flow::OpKind;

/// How many cases are tested where nothing else is asked for, and from which seed on.
const CASES: u64 = 60;
const SEED: u64 = 1;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(metatrace)");
    println!("cargo::rerun-if-env-changed=METATRACE_GENERATED");
    println!("cargo::rerun-if-env-changed=METATRACE_PLANTED");
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
        library: None,
        kept: None,
    };
    let translated = metatrace_jitcodegen::translate(&job).and_then(|mut translation| {
        if std::env::var_os("METATRACE_PLANTED").is_some() {
            plant(&mut translation);
        }
        metatrace_jitcodegen::write(&job, &translation, &out.join("metatrace"))
    });
    if let Err(message) = translated {
        eprintln!("{message}");
        std::process::exit(1);
    }
    println!("cargo::rustc-cfg=metatrace");
}

/// What a wrong lowering of `^` would make: it becomes `|` in all functions of the cases.
fn plant(translation: &mut Translation) {
    for func in translation.graphs.funcs.iter_mut().filter(|func| func.name.contains("crate::c")) {
        let blocks = func.body.iter_mut().flat_map(|graph| &mut graph.blocks);
        for op in blocks.flat_map(|block| &mut block.ops) {
            if let OpKind::Pure(op @ PureOp::IntXor, _) = &mut op.kind {
                *op = PureOp::IntOr;
            }
        }
    }
    let output = metatrace_jitcodegen::generate(&translation.graphs).expect("the same as before");
    translation.image = metatrace_defs::image::encode(&output.program);
    translation.output = output;
}
