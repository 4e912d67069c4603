//! Files and functions small enough to be read, and files that say what they are.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::{Finding, Tree};

const FILE_LINES: usize = 1000;
const FUNCTION_LINES: usize = 120;
const LINES_WITHOUT_CONTRACT: usize = 200;

/// Files of one row or function per operation, which may be longer.
const LONG_FILES: &[&str] = &[];
/// Functions that are tables, which may be longer: the file and the function's name.
const LONG_FUNCTIONS: &[(&str, &str)] = &[("interpreters/lua/src/execute.rs", "execute")];

/// Every Rust file parses, or the other rules would not see into it.
pub fn parses(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        if let Some(Err(error)) = &file.syntax {
            let line = error.span().start().line;
            findings.push(Finding::new(&file.path, line, format!("does not parse: {error}")));
        }
    }
    findings
}

pub fn file_length(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES && !LONG_FILES.contains(&file.path.as_str()) {
            let message = format!(
                "{lines} lines, at most {FILE_LINES} are allowed: split the file by what its parts do"
            );
            findings.push(Finding::new(&file.path, 0, message));
        }
    }
    for path in LONG_FILES {
        if tree.file(path).is_none_or(|file| file.text.lines().count() <= FILE_LINES) {
            findings.push(Finding::new(path, 0, "needs no exemption: strike it from the list"));
        }
    }
    findings
}

pub fn file_contract(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let lines = file.text.lines().count();
        if lines > LINES_WITHOUT_CONTRACT && !file.text.starts_with("//!") {
            let message = format!(
                "{lines} lines without a contract: open the file with `//!` lines that say what goes in, what comes \
                 out, what it relies on and guarantees"
            );
            findings.push(Finding::new(&file.path, 1, message));
        }
    }
    findings
}

pub fn function_length(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let Some(Ok(syntax)) = &file.syntax else { continue };
        let mut functions = Functions { found: Vec::new() };
        functions.visit_file(syntax);
        for (name, line, lines) in functions.found {
            if lines > FUNCTION_LINES && !LONG_FUNCTIONS.contains(&(file.path.as_str(), name.as_str())) {
                let message =
                    format!("`{name}` has {lines} lines, at most {FUNCTION_LINES} are allowed: split it");
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings
}

/// Collects names, first lines and numbers of lines.
struct Functions {
    found: Vec<(String, usize, usize)>,
}

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.span().start().line;
        let last = block.span().end().line;
        self.found.push((signature.ident.to_string(), first, last + 1 - first));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
