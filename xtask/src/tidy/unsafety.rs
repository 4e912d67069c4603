//! `unsafe` only where it belongs, and with the argument for it beside it.
//!
//! The rules read lines, not syntax, because macros hold much of the unsafe code. An argument is a comment with
//! `SAFETY:` in front of the statement, on the line itself, or first in the block; for a function or trait that is
//! unsafe to use it is a `# Safety` section of its documentation.

use super::scan::{Scan, has_word};
use super::{File, Finding, Tree};

/// Folders of crates that may hold unsafe code. In `jitcodegen` and the macros it stands in what they generate.
///
/// The models of the standard library are read by the translator and never compiled. The fuzzer makes memory for traces to
/// work on. The peer that traces are compared with needs a barrier. The Lua machine has stacks of its own.
const ALLOWED: &[&str] = &[
    "runtime/",
    "jitcodegen/",
    "translator/core_model/",
    "interpreters/lua/src/",
    "interpreters/tlr/examples/native_square.rs",
];
/// Folders below those that may not.
const DENIED: &[&str] = &["runtime/trace/src/", "runtime/optimizer/"];
/// Folders whose `unsafe` claims nothing of what runs.
const NEVER_COMPILED: &[&str] = &["translator/core_model/"];

pub fn only_in_allowed_crates(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let within = |folders: &[&str]| folders.iter().any(|folder| file.path.starts_with(folder));
        if within(ALLOWED) && !within(DENIED) {
            continue;
        }
        for line in unsafe_lines(file) {
            let message =
                format!("`unsafe` outside {}: find a safe way, or move it there", ALLOWED.join(" and "));
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    findings
}

pub fn with_an_argument(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let Some(scan) = &file.scan else { continue };
        if NEVER_COMPILED.iter().any(|folder| file.path.starts_with(folder)) {
            continue;
        }
        for line in unsafe_lines(file) {
            let declares = declares(&scan.code[line - 1]);
            let argued = if declares && implements_trait(scan, line) {
                // The trait's documentation says when.
                true
            } else if declares {
                above(scan, file, line).contains("# Safety")
            } else {
                above(scan, file, line).contains("SAFETY:") || inside(scan, line).contains("SAFETY:")
            };
            if !argued {
                let message = if declares {
                    "unsafe to use, and does not say when: add a `# Safety` section to its documentation"
                } else {
                    "`unsafe` without an argument: say in a `// SAFETY:` comment why it holds"
                };
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings
}

/// Lines with `unsafe` in code that claims something, which attributes and types of functions do not.
fn unsafe_lines(file: &File) -> Vec<usize> {
    let Some(scan) = &file.scan else { return Vec::new() };
    let claims = |code: &String| {
        let code = code.replace("#[unsafe(", "").replace("Token![unsafe]", "");
        has_word(&code, "unsafe") && (declares(&code) || !is_function_type(&code))
    };
    (1..=scan.code.len()).filter(|line| claims(&scan.code[line - 1])).collect()
}

/// What follows the first `unsafe` of a line.
fn behind(code: &str) -> &str {
    code.find("unsafe").map_or("", |at| code[at + "unsafe".len()..].trim_start())
}

/// Whether the line declares a function with a name, or a trait, that is unsafe to use.
fn declares(code: &str) -> bool {
    let rest = behind(code);
    let named = |rest: &str| rest.strip_prefix("fn ").is_some_and(|name| !name.trim_start().starts_with('('));
    let foreign = rest.strip_prefix("extern").map(|rest| rest.trim_start());
    rest.starts_with("trait ") || named(rest) || foreign.is_some_and(named)
}

/// Whether `unsafe` on this line belongs to the type of a function pointer.
fn is_function_type(code: &str) -> bool {
    let rest = behind(code);
    let rest = rest.strip_prefix("extern").map_or(rest, |rest| rest.trim_start());
    rest.strip_prefix("fn").is_some_and(|rest| rest.trim_start().starts_with('('))
}

/// Whether the block around a line is that of a trait's implementation, seen by the indentation.
fn implements_trait(scan: &Scan, line: usize) -> bool {
    let indentation = |code: &str| code.len() - code.trim_start().len();
    let inner = indentation(&scan.code[line - 1]);
    let outer = scan.code[..line - 1].iter().rev().filter(|code| !code.trim().is_empty());
    let mut header = outer.filter(|code| indentation(code) < inner).map(|code| code.trim_start());
    let first = header.find(|code| !code.starts_with("where") && !code.starts_with('{'));
    first.is_some_and(|code| has_word(code, "impl") && has_word(code, "for"))
}

/// The comments in front of the statement or item that holds a line, and those on the line.
fn above(scan: &Scan, file: &File, line: usize) -> String {
    let lines: Vec<&str> = file.text.lines().collect();
    let is_comment = |line: usize| lines[line - 1].trim_start().starts_with("//");
    let mut first = line;
    while first > 1 {
        let before = scan.code[first - 2].trim_end();
        let ends_statement =
            before.ends_with([';', '{', '}', ',']) || before.is_empty() && !is_comment(first - 1);
        if ends_statement {
            break;
        }
        first -= 1;
    }
    text_of_comments(scan, first, line)
}

/// The comments of the line behind, where a block may open with its argument.
fn inside(scan: &Scan, line: usize) -> String {
    text_of_comments(scan, line + 1, line + 1)
}

fn text_of_comments(scan: &Scan, first: usize, last: usize) -> String {
    let within = scan.comments.iter().filter(|comment| (first..=last).contains(&comment.line));
    within.map(|comment| comment.text.as_str()).collect::<Vec<_>>().join("\n")
}
