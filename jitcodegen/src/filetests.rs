//! Filetests: flow text in, jitcode text out, compared with `tests/jitcode/NAME.jitcode`.
//!
//! `UPDATE_EXPECT=1 cargo test -p metatrace-jitcodegen` accepts what comes out.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use metatrace_translator::flow::{parse, verify};

use crate::generate;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jitcode")
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
        expect_file![path.with_extension("jitcode")].assert_eq(&found);
    }
}
