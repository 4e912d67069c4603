//! Each rule fires on a sample of what it forbids, is silent on its counterpart, and the workspace keeps them all.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// The files of a small workspace that keeps every rule.
fn tidy_files() -> Vec<(String, String)> {
    let aborts = metatrace_defs::Abort::ALL.iter().map(|reason| format!("fail(Abort::{reason:?});\n"));
    let recorder = format!("//! Records.\nfn record() {{\n{}}}\n", aborts.collect::<String>());
    let manifest = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\n{rest}");
    [
        (
            "ARCHITECTURE.md",
            "See `runtime/src/recorder.rs` and `target/x`; a `a / b` is no path.\n".to_string(),
        ),
        ("runtime/src/recorder.rs", recorder),
        ("runtime/defs/src/abort.rs", String::new()),
        ("runtime/defs/Cargo.toml", manifest("metatrace-defs", "[dev-dependencies]\nsyn = \"3\"\n")),
        (
            "runtime/Cargo.toml",
            manifest("metatrace", "[dependencies]\nmetatrace-backend-cranelift.workspace = true\n"),
        ),
        ("runtime/gc/Cargo.toml", manifest("metatrace-gc", "")),
        ("runtime/optimizer/Cargo.toml", manifest("metatrace-optimizer", "")),
        ("runtime/backend/Cargo.toml", manifest("metatrace-backend", "")),
        ("runtime/backend/reference/Cargo.toml", manifest("metatrace-backend-reference", "")),
        (
            "runtime/backend/cranelift/Cargo.toml",
            manifest("metatrace-backend-cranelift", "[dependencies]\ncranelift-codegen = \"1\"\n"),
        ),
        ("translator/Cargo.toml", manifest("metatrace-translator", "")),
        ("jitcodegen/Cargo.toml", manifest("metatrace-jitcodegen", "")),
        ("xtask/Cargo.toml", manifest("xtask", "[dev-dependencies]\ncranelift-codegen = \"1\"\n")),
        (
            "interpreters/toy/Cargo.toml",
            manifest(
                "toy",
                "[dependencies]\nmetatrace = \"1\"\n[build-dependencies]\nmetatrace-jitcodegen = \"1\"\n",
            ),
        ),
        (
            "Cargo.lock",
            "[[package]]\nname = \"wrapper\"\ndependencies = [\"cranelift-codegen 1.0\"]\n".to_string(),
        ),
    ]
    .map(|(path, text)| (path.to_string(), text))
    .to_vec()
}

/// The names of the rules that the small workspace breaks once some files are put into it, and their messages.
fn broken(changes: &[(&str, &str)]) -> Vec<Violation> {
    let mut files = tidy_files();
    for (path, text) in changes {
        files.retain(|(other, _)| other != path);
        files.push((path.to_string(), text.to_string()));
    }
    Tree { files: files.into_iter().map(|(path, text)| File::new(path, text)).collect() }.check()
}

#[track_caller]
fn fires(rule: &'static str, path: &str, text: &str) {
    let violations = broken(&[(path, text)]);
    let rules: BTreeSet<_> = violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, BTreeSet::from([rule]), "{text}\n{violations:?}");
}

#[track_caller]
fn silent(path: &str, text: &str) {
    assert_eq!(broken(&[(path, text)]), [], "{text}");
}

#[test]
fn the_workspace_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let violations = run(root);
    let list: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(list.is_empty(), "{} breaches:\n{}", list.len(), list.join("\n"));
}

#[test]
fn the_sample_is_tidy() {
    assert_eq!(broken(&[]), []);
}

#[test]
fn a_workspace_that_is_not_there() {
    let violations = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("missing"));
    assert_eq!(violations.len(), 1);
    assert!(violations[0].message.starts_with("cannot read the workspace"));
}

#[test]
fn readable() {
    fires("readable", "xtask/src/a.rs", "fn {");
}

#[test]
fn file_length() {
    let lines = |count: usize| format!("//! Contract.\n{}", "const _: () = ();\n".repeat(count - 1));
    silent("xtask/src/a.rs", &lines(1000));
    fires("file-length", "xtask/src/a.rs", &lines(1001));
}

#[test]
fn function_length() {
    let function = |count: usize| format!("fn long() {{\n{}}}\n", "    call();\n".repeat(count - 2));
    let method = |count: usize| format!("impl A {{\n{}}}\n", function(count));
    silent("xtask/src/a.rs", &function(120));
    silent("xtask/src/a.rs", &method(120));
    fires("function-length", "xtask/src/a.rs", &function(121));
    fires("function-length", "xtask/src/a.rs", &method(121));
    fires("function-length", "xtask/src/a.rs", &format!("trait A {{\n{}}}\n", function(121)));
    fires(
        "function-length",
        "xtask/src/a.rs",
        &format!("fn outer() {{ {} }}", function(121)).replace("outer", "o"),
    );
}

#[test]
fn file_contract() {
    let lines = |count: usize| "const _: () = ();\n".repeat(count);
    silent("xtask/src/a.rs", &lines(200));
    fires("file-contract", "xtask/src/a.rs", &lines(201));
}

#[test]
fn unsafe_where() {
    let text = "// SAFETY: it is a sample.\nunsafe impl Send for A {}\n";
    silent("runtime/src/a.rs", text);
    for path in
        ["xtask/src/a.rs", "translator/src/a.rs", "runtime/optimizer/src/a.rs", "interpreters/toy/src/a.rs"]
    {
        fires("unsafe-where", path, text);
    }
    silent("xtask/src/a.rs", "// unsafe\nconst A: &str = \"unsafe\";\nconst is_unsafe: bool = true;\n");
}

#[test]
fn unsafe_argued() {
    let path = "runtime/src/a.rs";
    fires("unsafe-argued", path, "unsafe impl Send for A {}\n");
    fires("unsafe-argued", path, "// SAFETY: one\nunsafe impl Send for A {}\nunsafe impl Sync for A {}\n");
    fires("unsafe-argued", path, "fn f() {\n    // SAFETY: another\n    g();\n    unsafe { h() }\n}\n");
    fires("unsafe-argued", path, "macro_rules! m { () => {\n    unsafe { h() }\n}; }\n");
    fires("unsafe-argued", path, "/// Does it.\npub unsafe fn f() {}\n");
    silent(path, "/// Does it.\n///\n/// # Safety\n/// Never.\n#[inline]\npub unsafe fn f() {}\n");
    silent(path, "impl A for B {\n    fn g() {\n    }\n\n    unsafe fn f() {}\n}\n");
    fires("unsafe-argued", path, "impl B {\n    pub unsafe fn f() {}\n}\n");
    silent(path, "fn f() {\n    // SAFETY: here\n    let a =\n        unsafe { h() };\n}\n");
    silent(path, "fn f() {\n    unsafe {\n        // SAFETY: here\n        h()\n    }\n}\n");
    silent(path, "type F = unsafe extern \"C\" fn(u64);\n#[unsafe(no_mangle)]\nstatic A: u8 = 0;\n");
}

#[test]
fn environment() {
    let text = "fn f() {\n    std::env::var(\"A\").ok();\n}\n";
    fires("environment", "runtime/src/a.rs", text);
    silent("runtime/src/vm/options.rs", text);
    silent("interpreters/toy/build.rs", text);
}

#[test]
fn unfinished() {
    fires("unfinished", "xtask/src/a.rs", "fn f() {\n    todo!()\n}\n");
    fires("unfinished", "xtask/src/a.rs", "fn f() {\n    unimplemented!(\"later\")\n}\n");
    fires("unfinished", "xtask/src/a.rs", "#[test]\n#[ignore]\nfn f() {}\n");
    fires("unfinished", "xtask/src/a.rs", "#[allow(dead_code)]\nfn f() {}\n");
    silent("xtask/src/a.rs", "const A: &str = \"todo! #[ignore]\";\nconst B: &str = r#\"\" todo!\"#;\n");
}

#[test]
fn operation_names() {
    fires("operation-names", "runtime/src/a.rs", "const A: &str = \"guard_true\";\n");
    fires("operation-names", "runtime/src/a.rs", "const A: &str = \"%1 = guard_true(%0)\";\n");
    silent("runtime/src/a.rs", "const A: &str = \"not_guard_true\";\nfn guard_true() {}\n");
    silent("runtime/tests/a.rs", "const A: &str = \"guard_true\";\n");
    silent("runtime/src/a.rs", "#[cfg(test)]\nmod tests {\n    const A: &str = \"guard_true\";\n}\n");
}

#[test]
fn abort_reasons() {
    fires(
        "abort-reasons",
        "runtime/src/recorder.rs",
        "//! Records.\nfn record() { fail(Abort::TooDeep); }\n",
    );
    let tested = tidy_files().swap_remove(1).1;
    fires(
        "abort-reasons",
        "runtime/src/recorder.rs",
        &format!("#[cfg(test)]\nmod tests {{\n{tested}}}\n").replace("//!", "//"),
    );
}

#[test]
fn named_paths() {
    let text = "See `runtime/src/recorder.rs`.\nSee `runtime/src/missing.rs` as well.\n";
    fires("named-paths", "ARCHITECTURE.md", text);
    assert_eq!(broken(&[("ARCHITECTURE.md", text)])[0].line, 2);
    fires("named-paths", "ARCHITECTURE.md", "See `missing/`.\n");
    silent("ARCHITECTURE.md", "See `runtime/` and `interpreters/toy`.\n");
}

#[test]
fn machine_paths() {
    for path in ["README.md", ".ci/run", "xtask/src/a.rs"] {
        fires("machine-paths", path, concat!("// see /", "home/me/file\n"));
    }
    silent("README.md", concat!("see doc/", "home/page and $(mktemp)\n"));
}

#[test]
fn history() {
    for comment in [
        "// it no longer fails",
        "/// It used to fail.",
        "/* a\n * TODO */",
        "// see #12",
        "// it (issue 12) is",
    ] {
        fires("history", "xtask/src/a.rs", &format!("{comment}\nfn f() {{}}\n"));
    }
    fires("history", "interpreters/toy/a.c", "/* FIXME */ int a;\n");
    silent(
        "xtask/src/a.rs",
        "// is used to read names no longer than this, `#[a]`, r#1, add #5 to #6\nconst A: &str = \"TODO\";\n",
    );
}

#[test]
fn layers() {
    let manifest = |name: &str, dependency: &str| {
        format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependency}\n")
    };
    for (path, name, dependency) in [
        ("xtask/Cargo.toml", "xtask", "cranelift-codegen = \"1\""),
        ("xtask/Cargo.toml", "xtask", "metatrace-backend-cranelift.workspace = true"),
        ("xtask/Cargo.toml", "xtask", "wrapper = \"1\""),
        ("xtask/Cargo.toml", "xtask", "other = { version = \"1\", package = \"cranelift-jit\" }"),
        ("xtask/Cargo.toml", "xtask", "[target.'cfg(unix)'.build-dependencies]\ncranelift-jit = \"1\""),
        ("jitcodegen/Cargo.toml", "metatrace-jitcodegen", "metatrace = { path = \"..\", optional = true }"),
        ("translator/Cargo.toml", "metatrace-translator", "cranelift-jit = \"1\""),
        ("runtime/defs/Cargo.toml", "metatrace-defs", "libc = \"1\""),
        (
            "runtime/optimizer/Cargo.toml",
            "metatrace-optimizer",
            "metatrace-backend-reference.workspace = true",
        ),
        ("runtime/gc/Cargo.toml", "metatrace-gc", "metatrace = \"1\""),
        ("runtime/backend/Cargo.toml", "metatrace-backend", "metatrace = \"1\""),
        ("interpreters/toy/Cargo.toml", "toy", "metatrace-translator.workspace = true"),
        ("interpreters/toy/Cargo.toml", "toy", "metatrace-jitcodegen.workspace = true"),
        ("xtask/Cargo.toml", "renamed", ""),
        ("xtask/Cargo.toml", "xtask", "= 1"),
    ] {
        fires("layers", path, &manifest(name, dependency));
    }
    let way = broken(&[("xtask/Cargo.toml", &manifest("xtask", "metatrace = \"1\""))]);
    let message = "reaches xtask → metatrace → metatrace-backend-cranelift → cranelift-codegen: every command would wait for it";
    assert_eq!(way[0].message, message);
}
