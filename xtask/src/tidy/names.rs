//! Names that may stand only in some places, or must stand in some place.

use metatrace_defs::{Abort, PureOp, TraceOp};

use super::scan::has_word;
use super::{File, Finding, Tree};

/// Files, or folders of files, that may read the environment.
const ENVIRONMENT: &[&str] = &[
    "runtime/src/vm/options",
    "jitcodegen/src/build",
    "xtask/src/",
    // What a language's own library and program read of it.
    "interpreters/lua/src/cli",
    "interpreters/lua/src/stdlib/",
];
/// The crate of the tables, where the names of operations stand.
const TABLES: &str = "runtime/defs/src/";

/// What the code of a file may not hold, and what to do instead.
const UNFINISHED: &[(&str, &str)] = &[
    ("todo!", "write it, or refuse the case with an error that says so"),
    ("unimplemented!", "write it, or refuse the case with an error that says so"),
    ("#[ignore", "make the test run, or take it away"),
    ("(dead_code", "take away what is not used"),
];

/// The findings on lines of a file's code that hold one of some words.
fn on_lines<'a>(file: &'a File, words: &'a [(&str, &str)]) -> impl Iterator<Item = Finding> + 'a {
    let code = file.scan.iter().flat_map(|scan| scan.code.iter().enumerate());
    code.flat_map(move |(index, code)| {
        let found = words.iter().filter(move |(word, _)| code.contains(word));
        found.map(move |(word, instead)| Finding::new(&file.path, index + 1, format!("`{word}`: {instead}")))
    })
}

pub fn unfinished(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(|file| on_lines(file, UNFINISHED)).collect()
}

pub fn environment(tree: &Tree) -> Vec<Finding> {
    let allowed = |file: &File| {
        ENVIRONMENT.iter().any(|prefix| file.path.starts_with(prefix))
            || file.path.ends_with("/build.rs")
            || file.first_test_line() == 1
    };
    let words = &[("env::var", "read the environment in the one place for it, and hand the value on")];
    tree.rust().filter(|file| !allowed(file)).flat_map(|file| on_lines(file, words)).collect()
}

/// The text names of trace operations that are no ordinary words.
fn operations() -> Vec<&'static str> {
    let all = TraceOp::IMPURE.iter().map(|op| op.name()).chain(PureOp::ALL.iter().map(|op| op.name()));
    all.filter(|name| name.contains('_')).collect()
}

pub fn operation_names(tree: &Tree) -> Vec<Finding> {
    let operations = operations();
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !file.path.starts_with(TABLES)) {
        let Some(scan) = &file.scan else { continue };
        let tests = file.first_test_line();
        for string in scan.strings.iter().filter(|string| string.line < tests) {
            if let Some(name) = operations.iter().find(|name| has_word(&string.text, name)) {
                let message =
                    format!("the name of the operation `{name}` as a string: ask its row in the table");
                findings.push(Finding::new(&file.path, string.line, message));
            }
        }
    }
    findings
}

pub fn abort_reasons(tree: &Tree) -> Vec<Finding> {
    let table = format!("{TABLES}abort.rs");
    if tree.file(&table).is_none() {
        return vec![Finding::new(
            &table,
            0,
            "the table of abort reasons is not here: tell this rule where it is",
        )];
    }
    let raised = |reason: &str| {
        tree.rust().filter(|file| !file.path.starts_with(TABLES)).any(|file| {
            let code = file.scan.iter().flat_map(|scan| &scan.code);
            code.take(file.first_test_line() - 1).any(|line| has_word(line, reason))
        })
    };
    let reasons = Abort::ALL.iter().map(|reason| format!("Abort::{reason:?}"));
    let unused = reasons.filter(|reason| !raised(reason));
    unused
        .map(|reason| {
            Finding::new(&table, 0, format!("`{reason}` is raised nowhere: raise it or strike its row"))
        })
        .collect()
}

/// Every path in backquotes that `ARCHITECTURE.md` names exists.
pub fn named_paths(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file("ARCHITECTURE.md") else {
        return vec![Finding::new("ARCHITECTURE.md", 0, "is missing: say there where things are")];
    };
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for quoted in line.split('`').skip(1).step_by(2) {
            let is_path = quoted.contains('/')
                && quoted.chars().all(|char| char.is_ascii_alphanumeric() || "/._-".contains(char))
                && !quoted.starts_with("target/");
            if is_path && !tree.has(quoted) {
                let message = format!("names `{quoted}`, which does not exist");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

/// Beginnings of paths that exist on one machine only.
const MACHINE: &[&str] = &[
    concat!("/", "home/"),
    concat!("/", "root/"),
    concat!("/", "work/"),
    concat!("/", "tmp/"),
    concat!("/", "Users/"),
    concat!("C:", "\\"),
];

pub fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            let begins = |at: usize| {
                !line[..at].ends_with(|char: char| char.is_alphanumeric() || "_.})-".contains(char))
            };
            let found = MACHINE.iter().find(|path| line.match_indices(**path).any(|(at, _)| begins(at)));
            findings.extend(found.map(|path| {
                let message = format!(
                    "`{path}…` is a path of one machine: make it relative, or ask for it at run time"
                );
                Finding::new(&file.path, index + 1, message)
            }));
        }
    }
    findings
}
