//! Every case prints what the reference implementation printed when the outputs were recorded, in each mode of the machine.

use std::path::Path;

mod common;

/// Cases with so many objects that a collection at every allocation takes minutes: there one in some hundreds does it.
const LARGE_HEAPS: &[&str] = &["memory falls", "many coroutines"];

/// The case that sees that nothing is collected: not where the stress mode collects all the same.
const NOTHING_COLLECTED: &str = "stop";

/// Runs all cases and compares.
fn check(environment: &[(&str, &str)]) {
    let interpreter = Path::new(env!("CARGO_BIN_EXE_lua"));
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in common::files() {
        let expected = std::fs::read_to_string(common::expected_path(&file.path)).expect("recorded outputs");
        let expected = common::split(&expected);
        assert_eq!(expected.len(), file.cases.len(), "{}: record the outputs anew", file.path.display());
        for ((name, program), (recorded, output)) in file.cases.iter().zip(expected) {
            assert_eq!(*name, recorded, "{}: record the outputs anew", file.path.display());
            if name == NOTHING_COLLECTED && environment.iter().any(|(_, value)| value.contains("gc_every")) {
                continue;
            }
            count += 1;
            let rarer =
                environment.iter().map(|(name, value)| (*name, value.replace("gc_every=1", "gc_every=500")));
            let rarer: Vec<(&str, String)> = rarer.collect();
            let rarer: Vec<(&str, &str)> =
                rarer.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let fills = LARGE_HEAPS.contains(&name.as_str());
            let found = common::output(interpreter, program, if fills { &rarer } else { environment });
            if found != output {
                let differing = found.lines().zip(output.lines()).find(|(found, output)| found != output);
                wrong.push(format!("{}: {name}: {differing:?}", file.path.display()));
            }
        }
    }
    for (path, program) in common::snippets() {
        let expected = std::fs::read_to_string(common::expected_path(&path)).expect("recorded outputs");
        let found = common::output(interpreter, &program, environment);
        let (expected, found) = (common::split(&expected), common::split(&found));
        count += expected.len();
        for index in 0..expected.len().max(found.len()) {
            let (found, output) = (found.get(index), expected.get(index));
            if found != output {
                wrong.push(format!("{}: {found:?}, not {output:?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn as_the_reference() {
    check(&[("METATRACE", "off")]);
}

#[test]
fn compiled_when_hot() {
    check(&[("METATRACE", "threshold=1039")]);
}

#[test]
fn compiled_at_once() {
    check(&[("METATRACE", "threshold=1,function_threshold=1,trace_eagerness=1")]);
}

#[test]
fn every_guard_failing_once() {
    check(&[("METATRACE", "threshold=1,function_threshold=1,trace_eagerness=2,fail_guards=1")]);
}

#[test]
fn collecting_at_every_allocation() {
    check(&[("METATRACE", "off,gc_every=1")]);
}

#[test]
fn compiled_and_collecting_at_every_allocation() {
    check(&[("METATRACE", "threshold=1,trace_eagerness=2,fail_guards=1,gc_every=1")]);
}
