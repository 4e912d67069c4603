//! Each file in `tests/traces` is a trace, a line `#### optimised`, and what the optimiser makes of it. Each in
//! `tests/regions` is the traces of a region, titled `entry` or `bridge of PART guard NUMBER`, and what becomes of them.
//!
//! A comment `# loop t0 t1` before the trace says that its entry is `t0` and that `t1` is free for a label; without it
//! the trace is no loop. `METATRACE_BLESS=1 cargo test -p metatrace-optimizer --test filetests` accepts what is new.

use std::fs;
use std::path::Path;

use metatrace_optimizer::region::{Joined, Part, Start, optimise_region};
use metatrace_optimizer::{Options, optimise_counted, rules::RULES};
use metatrace_trace::{ParseError, TargetId, TraceFile, parse, parse_file};

const SEPARATOR: &str = "#### optimised\n";

#[test]
fn traces_become_what_the_files_say() {
    check("traces", optimised);
}

/// The trace in a text, optimised, as text.
fn optimised(input: &str) -> Result<String, ParseError> {
    let (program, trace) = parse(input)?;
    let (optimised, counts) = optimise_counted(&program, &trace, options(input));
    let rules = RULES.iter().zip(&counts.rules).filter(|(_, uses)| **uses > 0);
    let rules: Vec<String> = rules.map(|(rule, uses)| format!("{} {uses}", rule.name)).collect();
    let rules = if rules.is_empty() { String::new() } else { format!("# rules: {}\n", rules.join(", ")) };
    Ok(rules + &optimised.to_string())
}

/// The examples of the manual are blocks of the language `trace`.
#[test]
fn the_manual_tells_the_truth() {
    const BEGIN: &str = "```trace\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/optimiser.md");
    let manual = fs::read_to_string(&file).unwrap();
    let mut parts = manual.split(BEGIN);
    let mut written = parts.next().unwrap().to_string();
    for part in parts {
        let (example, text) = part.split_once("```\n").expect("a block ends");
        let (input, _) = example.split_once(SEPARATOR).unwrap_or((example, ""));
        let output = optimised(input).unwrap_or_else(|error| panic!("{error} in\n{input}"));
        written += &format!("{BEGIN}{input}{SEPARATOR}{output}```\n{text}");
    }
    if written != manual && std::env::var_os("METATRACE_BLESS").is_some() {
        fs::write(&file, written).unwrap();
    } else if written != manual {
        let how = "METATRACE_BLESS=1 cargo test -p metatrace-optimizer --test filetests";
        panic!("docs/optimiser.md: {}to accept this: {how}", difference(&manual, &written));
    }
}

#[test]
fn regions_become_what_the_files_say() {
    check("regions", |input| {
        let TraceFile { program, traces } = parse_file(input)?;
        let start = |title: &str| match title.split(' ').collect::<Vec<_>>()[..] {
            ["bridge", "of", part, "guard", guard] => {
                Start::Guard(part.parse().unwrap(), guard.parse().unwrap())
            }
            _ => Start::Entry,
        };
        let parts: Vec<Part> =
            traces.iter().map(|(title, trace)| Part { trace, start: start(title) }).collect();
        let (joined, _) =
            optimise_region(&program, &parts, input.lines().any(|line| line == AT_MERGE_POINT).then_some(0));
        let text = joined
            .iter()
            .map(|Joined { part, trace, guards }| format!("# part {part}, guards {guards:?}\n{trace}"));
        Ok(text.collect())
    });
}

/// Compares what the files of a directory say with what `optimised` gives.
fn check(directory: &str, optimised: impl Fn(&str) -> Result<String, ParseError>) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(directory);
    let bless = std::env::var_os("METATRACE_BLESS").is_some();
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let (input, expected) = text.split_once(SEPARATOR).unwrap_or((&text, ""));
        let actual = optimised(input).unwrap_or_else(|error| panic!("{}:{error}", file.display()));
        if actual != expected && bless {
            fs::write(&file, format!("{input}{SEPARATOR}{actual}")).unwrap();
        } else if actual != expected {
            wrong.push(format!("{}:\n{}", file.display(), difference(expected, &actual)));
        }
    }
    let how = "METATRACE_BLESS=1 cargo test -p metatrace-optimizer --test filetests";
    assert!(wrong.is_empty(), "{}\nto accept this: {how}", wrong.join("\n"));
}

/// A line of those files whose traces start at a merge point.
const AT_MERGE_POINT: &str = "# at a merge point";

fn options(input: &str) -> Options {
    let locals_in_use = input.lines().any(|line| line == AT_MERGE_POINT).then_some(0);
    let Some(line) = input.lines().find_map(|line| line.strip_prefix("# loop ")) else {
        return Options { locals_in_use, ..Options::default() };
    };
    let targets: Vec<TargetId> = line.split(' ').map(|word| word.parse().unwrap()).collect();
    Options { entry: Some(targets[0]), label: Some(targets[1]), locals_in_use }
}

/// The lines that differ, after what is equal at the start.
fn difference(expected: &str, actual: &str) -> String {
    let equal = expected.lines().zip(actual.lines()).take_while(|(a, b)| a == b).count();
    let rest = |text: &str, sign: &str| {
        text.lines().skip(equal).map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    format!("after {equal} equal lines:\n{}{}", rest(expected, "-"), rest(actual, "+"))
}
