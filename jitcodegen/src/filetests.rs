//! Filetests: flow text in, jitcode text out, compared with `tests/jitcode/NAME.jitcode`.
//!
//! `METATRACE_BLESS=1 cargo test -p metatrace-jitcodegen` accepts what comes out.

use std::path::{Path, PathBuf};

use metatrace_translator::flow::{parse, verify};

use crate::generate;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jitcode")
}

/// Compares `found` with the content of a file, or writes it.
fn compare(file: &Path, found: &str) {
    if std::env::var_os("METATRACE_BLESS").is_some() {
        std::fs::write(file, found).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    let first = expected.lines().zip(found.lines()).position(|(a, b)| a != b);
    let line = first.unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
    assert!(
        expected == found,
        "{} differs from line {} on; METATRACE_BLESS=1 accepts it\n{found}",
        file.display(),
        line + 1
    );
}

#[test]
fn graphs_become_jitcode() {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap_or_else(|e| panic!("{e}"))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "flow"))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for path in names {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{e}"));
        let program = parse::program(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let errors = verify::program(&program);
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        let found = match generate(&program) {
            Ok(output) => {
                let mut text = metatrace_defs::text::print(&output.program);
                for note in &output.notes {
                    text += &format!("; note: {}\n", note.message);
                }
                for (name, glue) in &output.glue {
                    text += &format!("; ---- {name}\n");
                    text.extend(glue.lines().map(|line| format!("; {line}\n")));
                }
                text
            }
            Err(errors) => {
                let lines = errors.iter().map(|e| {
                    format!("error at {}:{}: {}\nhelp: {}\n", e.pos.line, e.pos.column, e.message, e.help)
                });
                lines.collect()
            }
        };
        compare(&path.with_extension("jitcode"), &found);
    }
}
