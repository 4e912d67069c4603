//! The rules of the house, checked as a test.
//!
//! In: the root of the workspace. Out: every breach, with its place and what to do about it. The rules are the rows of
//! [`RULES`]; a rule sees the whole [`Tree`] and knows nothing of the others. What a rule allows to some files is a
//! list at its head, which is meant to shrink.

mod comments;
mod layers;
mod names;
mod scan;
mod sizes;
#[cfg(test)]
mod tests;
mod unsafety;

use std::fmt;
use std::io;
use std::path::Path;

use scan::Scan;

/// A breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file, relative to the root, with `/` between its parts.
    pub file: String,
    /// The line, counted from 1; 0 if the file as a whole is meant.
    pub line: usize,
    /// The rule's name in [`RULES`].
    pub rule: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {} [{}]", self.file, self.message, self.rule),
            line => write!(f, "{}:{line}: {} [{}]", self.file, self.message, self.rule),
        }
    }
}

/// What a rule reports, before it has the rule's name.
struct Finding {
    file: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding { file: file.to_string(), line, message: message.into() }
    }
}

/// A rule of the house.
pub struct Rule {
    /// Stands in brackets behind its messages.
    pub name: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

/// Every rule.
pub const RULES: &[Rule] = &[
    Rule { name: "readable", check: sizes::parses },
    Rule { name: "file-length", check: sizes::file_length },
    Rule { name: "function-length", check: sizes::function_length },
    Rule { name: "file-contract", check: sizes::file_contract },
    Rule { name: "unsafe-where", check: unsafety::only_in_allowed_crates },
    Rule { name: "unsafe-argued", check: unsafety::with_an_argument },
    Rule { name: "environment", check: names::environment },
    Rule { name: "unfinished", check: names::unfinished },
    Rule { name: "operation-names", check: names::operation_names },
    Rule { name: "abort-reasons", check: names::abort_reasons },
    Rule { name: "named-paths", check: names::named_paths },
    Rule { name: "machine-paths", check: names::machine_paths },
    Rule { name: "history", check: comments::history },
    Rule { name: "layers", check: layers::layers },
];

/// Checks the workspace at `root` against every rule; the breaches are sorted by place.
///
/// A file that cannot be read is a breach too.
pub fn run(root: &Path) -> Vec<Violation> {
    match Tree::read(root) {
        Ok(tree) => tree.check(),
        Err(error) => vec![Violation {
            file: ".".to_string(),
            line: 0,
            rule: "readable",
            message: format!("cannot read the workspace at {}: {error}", root.display()),
        }],
    }
}

/// A text file of the workspace.
struct File {
    /// Relative to the root, with `/` between its parts.
    path: String,
    text: String,
    /// Comments, strings and code of a Rust or C file.
    scan: Option<Scan>,
    /// The syntax of a Rust file, or why it has none.
    syntax: Option<syn::Result<syn::File>>,
}

impl File {
    fn new(path: String, text: String) -> File {
        let rust = path.ends_with(".rs");
        File {
            scan: (rust || path.ends_with(".c")).then(|| Scan::of(&text)),
            syntax: rust.then(|| syn::parse_file(&text)),
            path,
            text,
        }
    }

    fn is_rust(&self) -> bool {
        self.syntax.is_some()
    }

    /// The line from which on a file is about tests: all of it in a folder of tests, and what follows
    /// `#[cfg(test)]` in front of a module with a body.
    fn first_test_line(&self) -> usize {
        let name = self.path.rsplit('/').next().unwrap_or("");
        if ["tests/", "benches/", "examples/"].iter().any(|folder| self.path.contains(folder))
            || name == "tests.rs"
        {
            return 1;
        }
        let Some(scan) = &self.scan else { return usize::MAX };
        let mut lines = scan.code.iter().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let opens = |next: &&(usize, &String)| next.1.contains("mod ") && next.1.contains('{');
            if line.contains("#[cfg(test)]") && lines.peek().filter(opens).is_some() {
                return index + 1;
            }
        }
        usize::MAX
    }
}

/// The text files of a workspace.
struct Tree {
    files: Vec<File>,
}

/// Files of these kinds are read; the others are data.
const READ: [&str; 8] = ["rs", "c", "toml", "md", "sh", "yml", "lock", "tlasm"];

impl Tree {
    fn read(root: &Path) -> io::Result<Tree> {
        let mut files = Vec::new();
        read_folder(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Tree { files })
    }

    fn check(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for rule in RULES {
            violations.extend((rule.check)(self).into_iter().map(|finding| Violation {
                file: finding.file,
                line: finding.line,
                rule: rule.name,
                message: finding.message,
            }));
        }
        violations.sort();
        violations
    }

    fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// Whether there is a file of that path, or one in a folder of that path.
    fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let hidden = name.starts_with('.') && ![".ci", ".cargo"].contains(&name.as_str());
            // What must not be accepted need not be tidy.
            let rejected = name == "reject" && folder.ends_with("tests");
            if !hidden && name != "target" && !rejected {
                read_folder(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file() {
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            let text = if READ.contains(&extension) || prefix == ".ci/" {
                String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned()
            } else {
                String::new()
            };
            files.push(File::new(path, text));
        }
    }
    Ok(())
}
