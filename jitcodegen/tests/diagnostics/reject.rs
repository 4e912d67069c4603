//! Crates that are not accepted, in `translator/tests/reject`: a file each, or a folder with a package.
//!
//! Each diagnostic stands in the line that causes it, as `//~ E0103: part of the text`, with a `^` behind the `~` for each line that it
//! is below that line; `//~? E0401: text` is one without a place. In a manifest, `#` takes the place of `//`. The text is part of the message, the
//! label, a note or the help. All that is expected comes, and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use metatrace_translator::diag::Code;

use crate::crates::{Checked, Said, check_package, check_text};

/// What a comment asks for.
#[derive(Clone, Debug)]
struct Expected {
    file: String,
    /// `None` for a diagnostic without a place.
    line: Option<usize>,
    code: String,
    text: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../translator/tests/reject")
}

fn read(path: &Path) -> String {
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) => panic!("{}: {e}", path.display()),
    }
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut all: Vec<PathBuf> = list.filter_map(|entry| Some(entry.ok()?.path())).collect();
    all.sort();
    all
}

/// All files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    entries(dir).into_iter().flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] }).collect()
}

fn expectations(file: &str, text: &str) -> Vec<Expected> {
    let mut out = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for comment in line.split("//~").skip(1).chain(line.split("#~").skip(1)) {
            let ups = comment.bytes().take_while(|b| *b == b'^').count();
            let nowhere = comment.starts_with('?');
            let rest = comment.trim_start_matches(['^', '?']).trim();
            let (code, text) = rest.split_once(':').unwrap_or((rest, ""));
            out.push(Expected {
                file: file.to_string(),
                line: (!nowhere).then(|| n + 1 - ups),
                code: code.trim().to_string(),
                text: text.trim().to_string(),
            });
        }
    }
    out
}

fn fits(expected: &Expected, said: &Said) -> bool {
    let d = &said.diagnostic;
    let there = match (&said.place, expected.line) {
        (None, None) => true,
        (Some((file, line)), Some(wanted)) => file.ends_with(&expected.file) && *line == wanted,
        _ => false,
    };
    let texts = [&d.message, &d.label].into_iter().chain(&d.notes).chain(&d.help);
    let suggested = d.suggestion.iter().map(|s| &s.message);
    let said = texts.chain(suggested).any(|t| t.contains(&expected.text));
    there && d.code.id() == expected.code && said
}

/// What is wrong with a case.
fn compare(name: &str, expected: &[Expected], checked: &Checked) -> Vec<String> {
    let mut left: Vec<&Expected> = expected.iter().collect();
    let mut wrong = Vec::new();
    for said in &checked.0 {
        match left.iter().position(|e| fits(e, said)) {
            Some(n) => _ = left.remove(n),
            None => wrong.push(format!("{name}: not expected:\n{}\n", said.text)),
        }
    }
    wrong.extend(left.iter().map(|e| format!("{name}: did not come: {e:?}\n")));
    wrong
}

#[test]
fn what_is_not_accepted_is_said_where_it_stands() {
    let (mut wrong, mut covered) = (Vec::new(), BTreeSet::new());
    for path in entries(&folder()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (expected, checked) = if path.is_dir() {
            let expect = |p: &PathBuf| {
                let file = p.strip_prefix(&path).unwrap_or(p).display().to_string();
                expectations(&file, &read(p))
            };
            (files(&path).iter().flat_map(expect).collect::<Vec<_>>(), check_package(&path))
        } else {
            let text = read(&path);
            (expectations("src/lib.rs", &text), check_text(&text))
        };
        assert!(!expected.is_empty(), "{name} expects nothing");
        covered.extend(expected.iter().map(|e| e.code.clone()));
        wrong.extend(compare(&name, &expected, &checked));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = Code::ALL.iter().map(|c| c.id()).filter(|id| !covered.contains(*id));
    assert_eq!(all.collect::<Vec<_>>(), [""; 0], "codes without a reject test");
}
