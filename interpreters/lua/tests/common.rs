//! Cases: pieces of Lua in the files of `tests/cases`, each below a line `--@ NAME`, with the output of each in a file beside; and
//! snippets: pieces in the files of `tests/snippets`, parted by blank lines, those of a file run by one program.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What every case begins with.
const MARK: &str = "--@ ";

/// A file of cases.
pub struct File {
    pub path: PathBuf,
    /// Names and texts.
    pub cases: Vec<(String, String)>,
}

/// All files of cases.
pub fn files() -> Vec<File> {
    scripts("tests/cases")
        .into_iter()
        .map(|path| File { cases: split(&std::fs::read_to_string(&path).expect("cases")), path })
        .collect()
}

/// All files of snippets, each with the program that runs them.
pub fn snippets() -> Vec<(PathBuf, String)> {
    const HARNESS: &str = include_str!("snippets.harness");
    scripts("tests/snippets")
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("snippets");
            let program = format!("local SNIPPETS = [======[\n{text}]======]\n{HARNESS}");
            (path, program)
        })
        .collect()
}

/// The scripts in a folder of the package.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "lua"))
        .collect();
    paths.sort();
    paths
}

/// The pieces of a file: names and texts.
pub fn split(text: &str) -> Vec<(String, String)> {
    let mut pieces: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix(MARK), pieces.last_mut()) {
            (Some(name), _) => pieces.push((name.trim_end().to_string(), String::new())),
            (None, Some((_, piece))) => piece.push_str(line),
            (None, None) => {}
        }
    }
    pieces
}

/// What an interpreter prints, given a program on standard input. Bytes that are no text are shown as such.
pub fn output(interpreter: &Path, program: &str, environment: &[(&str, &str)]) -> String {
    let mut child = Command::new(interpreter)
        .arg("-")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter starts");
    child.stdin.take().expect("its input").write_all(program.as_bytes()).expect("it reads");
    let done = child.wait_with_output().expect("it ends");
    let mut text: String = done.stdout.utf8_chunks().map(shown).collect();
    if !done.status.success() {
        // The name of the program is not part of what it says.
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        let first = error.lines().next().unwrap_or_default();
        text.push_str(&format!("failed: {}\n", first.split_once(": ").map_or(first, |(_, message)| message)));
    }
    text
}

fn shown(chunk: std::str::Utf8Chunk) -> String {
    let invalid: String = chunk.invalid().iter().map(|byte| format!("<{byte:02x}>")).collect();
    chunk.valid().replace('\r', "<0d>").replace('\0', "<00>") + &invalid
}

/// The file of expected outputs.
pub fn expected_path(file: &Path) -> PathBuf {
    file.with_extension("out")
}
