//! What `METATRACE` and `METATRACE_LOG` do to a process: this test program runs itself.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::guest::op::*;
use crate::guest::{Case, Code};

/// What the program does when it is run by itself: `end` is how it ends.
fn child(end: &str) {
    // A loop; then an inner loop and an outer one with two paths.
    let ops = [
        ADD, LOOP, 0, SET, 5, ADD, LOOP, 5, IF_ODD, 14, HELP, LESS, 3, RETURN, LOCAL, TWIST, RECURSE, 21,
        LESS, 3, RETURN, RETURN,
    ];
    let mut case = Case::new(&ops, 300);
    case.bound = 1 << 40;
    let (result, _) = case.run_on(&Code::new(&case.ops));
    println!("result {}", result.expect("no panic"));
    match end {
        "exit" => std::process::exit(0),
        "thread" => {
            std::thread::spawn(move || drop(case.run_on(&Code::new(&case.ops)))).join().expect("no panic")
        }
        _ => {}
    }
}

#[test]
fn child_process() {
    if let Ok(end) = std::env::var("GUEST_CHILD") {
        child(&end);
    }
}

fn run(options: &str, log: &str, end: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("a test program"));
    command.args(["environment::child_process", "--exact", "--nocapture", "--test-threads=1"]);
    command.env("METATRACE", options).env("METATRACE_LOG", log).env("GUEST_CHILD", end);
    command.output().expect("the test program runs")
}

/// A file of this test, for the temporary folder.
fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("metatrace-{}-{name}", std::process::id()))
}

fn number(json: &str, field: &str) -> u64 {
    let rest = json.split_once(&format!("\"{field}\": ")).unwrap_or_else(|| panic!("{field} in {json}")).1;
    let end = rest.find(|c: char| !c.is_ascii_digit()).expect("the object ends");
    rest[..end].parse().expect("a number")
}

fn stats(options: &str, end: &str) -> String {
    let file = file(&format!("{}-{end}", options.replace([',', '='], "-")));
    let output = run(options, &format!("stats:{}", file.display()), end);
    assert!(output.status.success(), "{output:?}");
    let json = std::fs::read_to_string(&file).expect("statistics were written");
    std::fs::remove_file(&file).expect("the file can be removed");
    json
}

#[test]
fn every_merge_point_is_counted_once() {
    let total = number(&stats("off", "return"), "merge_points_interpreted");
    assert!(total > 500, "{total}");
    for options in [
        "threshold=3,trace_eagerness=2",
        "threshold=3,trace_eagerness=2,backend=1,optimise=0",
        "threshold=1,trace_eagerness=1,fail_guards=1",
        "threshold=1,trace_eagerness=1,blackhole_only=1",
        "threshold=2,trace_limit=30",
    ] {
        let json = stats(options, "return");
        let (interpreted, compiled) =
            (number(&json, "merge_points_interpreted"), number(&json, "merge_points_compiled"));
        assert_eq!(interpreted + compiled, total, "{options}: {json}");
    }
}

#[test]
fn statistics_survive_every_end() {
    let once = stats("threshold=3", "return");
    assert!(number(&once, "loops") > 0 && number(&once, "merge_points_compiled") > 0, "{once}");
    assert_eq!(number(&stats("threshold=3", "exit"), "entries"), number(&once, "entries"));
    assert_eq!(number(&stats("threshold=3", "thread"), "entries"), 2 * number(&once, "entries"));
}

#[test]
fn traces_are_logged_and_parse_back() {
    let file = file("traces");
    let output = run("threshold=3,trace_eagerness=2", &format!("traces:{}", file.display()), "return");
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(&file).expect("traces were written");
    std::fs::remove_file(&file).expect("the file can be removed");
    let parsed = metatrace_trace::parse_file(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert!(parsed.traces.len() >= 2, "{text}");
    assert!(text.contains("; run pc="), "{text}");
}

#[test]
fn mistakes_end_the_process() {
    for (options, log, expected) in [
        ("treshold=3", "", "unknown option `treshold`; valid are `off`"),
        ("threshold=0", "", "`threshold` needs a number from 1 to"),
        ("", "stat:x", "valid are `stats:FILE`"),
        ("", "traces:/nowhere/at/all", "cannot write `/nowhere/at/all`"),
    ] {
        let output = run(options, log, "return");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(message.contains(expected), "{message}");
    }
}
