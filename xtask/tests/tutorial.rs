//! The tutorial is true: its files are those of `docs/tutorial`, and its commands do what it shows.
//!
//! A command is a line that starts with `$` in a `console` block; the lines below it are parts that its output must
//! contain, in that order. Lines are compared up to a `…` and from it on.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn tutorial() -> String {
    std::fs::read_to_string(root().join("docs/tutorial.md")).unwrap()
}

/// The code blocks: the text between the block before and this one, the language, the content.
fn blocks(text: &str) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    let mut parts = text.split("```");
    while let (Some(before), Some(block)) = (parts.next(), parts.next()) {
        let (language, content) = block.split_once('\n').unwrap();
        out.push((before.to_string(), language.to_string(), content.to_string()));
    }
    out
}

#[test]
fn files_are_as_shown() {
    let mut shown = 0;
    for (before, language, content) in blocks(&tutorial()) {
        if language == "console" {
            continue;
        }
        // The file's name stands first in the paragraph above the block.
        let paragraph = before.trim_end().rsplit("\n\n").next().unwrap();
        let name = paragraph.split('`').nth(1).unwrap();
        let file = std::fs::read_to_string(root().join("docs/tutorial").join(name)).unwrap();
        assert!(file == content, "docs/tutorial/{name} is not as docs/tutorial.md shows it");
        shown += 1;
    }
    assert_eq!(shown, 4);
}

#[test]
fn commands_do_what_is_shown() {
    let mut ran = 0;
    for (_, language, content) in blocks(&tutorial()) {
        if language != "console" {
            continue;
        }
        for example in content.split("$ ").skip(1) {
            let (command, expected) = example.split_once('\n').unwrap();
            let output = Command::new("sh")
                .args(["-c", command])
                .current_dir(root())
                .env_remove("METATRACE")
                .env_remove("METATRACE_LOG")
                .output()
                .unwrap();
            let text = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(output.status.success(), "`{command}` failed:\n{text}");
            let mut rest = &text[..];
            for part in expected.lines().flat_map(|line| line.split('…').map(str::trim)) {
                let at =
                    rest.find(part).unwrap_or_else(|| panic!("`{command}` does not print `{part}`:\n{text}"));
                rest = &rest[at + part.len()..];
            }
            ran += 1;
        }
    }
    assert!(ran >= 7);
}
