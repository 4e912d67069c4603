//! The command: arguments, standard input and output, messages and exit status.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A source file of this process that goes away with the test.
struct Source(PathBuf);

impl Source {
    fn new(name: &str, text: &str) -> Source {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}.bf", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Source(path)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn start(source: &Source, options: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_brainfuck"))
        .args(options)
        .arg(&source.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn output(source: &Source, options: &[&str], input: &[u8]) -> Output {
    let mut child = start(source, options);
    // A child that never reads may have gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn message(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn reads_and_writes() {
    let source = Source::new("echo", "+[,.]");
    let done = output(&source, &[], b"some text");
    assert_eq!((done.status.code(), &done.stdout[..]), (Some(0), &b"some text\0"[..]));
    let done = output(&Source::new("echo-eof", ",+[-.,+]"), &["--eof", "-1"], b"some text");
    assert_eq!((done.status.code(), &done.stdout[..]), (Some(0), &b"some text"[..]));
}

#[test]
fn output_comes_before_waiting_for_input() {
    let source = Source::new("prompt", "+++.,.");
    let mut child = start(&source, &[]);
    let mut prompt = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut prompt).unwrap();
    assert_eq!(prompt, [3]);
    child.stdin.take().unwrap().write_all(b"x").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"x");
}

#[test]
fn much_output() {
    let source = Source::new("much", "-[>-[>-[.-]<-]<-]");
    let done = output(&source, &["--tape", "3"], b"");
    assert_eq!((done.status.code(), done.stdout.len()), (Some(0), 255 * 255 * 255));
}

#[test]
fn a_failing_program_keeps_its_output() {
    let source = Source::new("fails", "+.\n  <");
    let done = output(&source, &[], b"");
    assert_eq!((done.status.code(), &done.stdout[..]), (Some(1), &[1][..]));
    assert!(message(&done).ends_with(": line 2, column 3: this `<` moves off the left end of the tape\n"));
    let done = output(&Source::new("right", "+[>+]"), &["--tape", "77"], b"");
    assert_eq!(done.status.code(), Some(1));
    assert!(message(&done).ends_with("this `>` moves off the right end of the tape\n"));
}

#[test]
fn output_that_nobody_reads() {
    let source = Source::new("unread", "+[.]");
    let mut child = start(&source, &[]);
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(message(&done).contains(": input or output failed: "));
}

#[test]
fn what_cannot_be_started() {
    let done = output(&Source::new("open", "+\n+["), &[], b"");
    assert_eq!(done.status.code(), Some(2));
    assert!(message(&done).ends_with(": line 2, column 2: this `[` has no matching `]`\n"));

    let done = output(&Source(PathBuf::from("missing.bf")), &[], b"");
    assert_eq!(done.status.code(), Some(2));
    assert!(message(&done).starts_with("brainfuck: cannot read missing.bf: "));

    let source = Source::new("options", "");
    for options in [["--tape", "0"], ["--tape", "many"], ["--eof", "1"]] {
        assert_eq!(output(&source, &options, b"").status.code(), Some(2));
    }
    let done = output(&source, &["--tape", "9223372036854775807"], b"");
    assert_eq!(done.status.code(), Some(2));
    assert!(message(&done).contains("not enough memory"));
}
