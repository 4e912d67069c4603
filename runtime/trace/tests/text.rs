//! The text form parses back, and the parser and the verifier tell what is wrong.

use std::fs;
use std::path::Path;

use metatrace_defs::{AccessId, Kind};
use metatrace_trace::{Attached, TextWriter, Trace, parse, parse_file, parse_with, to_text, verify};

const EXAMPLE: &str = r#"
class class0 "Point.x" leaf 1
class class1 "[f64]" leaf 2
access a0 "Point.x" offset 8 u8 class0 class interior_mut keeps_frozen
access a2 "[f64] of \"v\"" offset 0 stride glue(3) float class1 anything
call call1 "host::tick" shim 2 (w, f) -> (w, f) reads all writes {class0, class1} can_panic can_collect
jitcode j0 "interpret" words 4 floats 1
jitcode j2 "helper" words 2 floats 0
trace "loop \\ 1" (%0 w = 5, %1 f = -1.5) {
    ; tape.bf:3
    %2 = getfield[a0](%0) => 7
    guard_true(%2) s0
    setelem[a2](%0, -1, f0x7ff8000000000000)
    %3, %4 = call[call1](%2, 1e300) => _, 0.5
    ; two notes
    ; in one place
    guard_not_pending() s1
    %5, %6 = label[t7](%3, %4)
    jump[t7](0x10, %6)
    ; at the end
}
s0 = j0 @12 locals 0 (w0 = %0, w2 = 18446744073709551615) merge_points 0
s1 = j0 @40 locals 0 (f0 = %4) j2 @7 locals 16 () merge_points 1
"#;

#[test]
fn the_text_parses_back() {
    let file = parse_file(EXAMPLE).unwrap();
    let text = TextWriter::new(&file.program).write(&file.traces[0].0, &file.traces[0].1);
    let again = parse_file(&text).unwrap();
    assert_eq!(again, file, "{text}");
    assert_eq!(TextWriter::new(&again.program).write(&again.traces[0].0, &again.traces[0].1), text);
    assert!(text.contains("getfield[a0 \"Point.x\"](%0) => 7"), "{text}");
    let (program, trace) = parse(&text).unwrap();
    assert_eq!(parse_with(&program, &trace.to_string()).unwrap(), trace);
    assert_eq!(verify(&program, &trace), Ok(()));
    assert_eq!(trace.notes.len(), 4);
}

#[test]
fn a_log_declares_once() {
    let file = parse_file(EXAMPLE).unwrap();
    let mut writer = TextWriter::new(&file.program);
    let (title, trace) = &file.traces[0];
    let log = writer.write(title, trace) + &writer.write("again", trace);
    assert_eq!(log.matches("class class0").count(), 1);
    let parsed = parse_file(&log).unwrap();
    assert_eq!(parsed.traces[1], ("again".to_string(), trace.clone()));
}

#[test]
fn parse_errors_have_a_place() {
    for (text, expected) in [
        ("trace () {\n    frob()\n}", "2:5: `frob` is no trace operation"),
        ("trace (%0 q) {", "1:11: `q` is no kind: w or f"),
        ("trace () {", "2:1: expected an operation, not the end of the text"),
        ("trace () {\n %0 = getfield[a0](1)", "2:16: a0 is not declared"),
        ("trace () {\n %0 = int_add[t0](1, 2)", "2:15: int_add cannot carry t0"),
        ("trace () {\n %0 = getfield(1)", "2:15: getfield needs its descriptor in brackets"),
        ("trace () {\n int_add(1, 2)\n", "2:14: int_add yields 1 values, not 0"),
        ("trace () { finish(12x) }", "1:19: `12x` is no constant of 64 bits"),
        (
            "trace () { finish(99999999999999999999) }",
            "1:19: `99999999999999999999` is no constant of 64 bits",
        ),
        ("trace (%4000000000 w) {}", "1:8: the number of `%4000000000` is larger than 1000000"),
        ("trace () { é }", "1:12: unexpected character `é`"),
        ("class class0 \"a", "1:14: this string has no end on its line, or a wrong escape"),
        ("trace () {}\ns1 = merge_points 0", "2:1: expected s0 here, not s1"),
        ("", "1:1: the text has 0 traces where one was expected"),
        ("jitcode j0 \"x\" words 99999 floats 0", "1:22: a jitcode has at most 16384 registers of a kind"),
    ] {
        match parse(text) {
            Err(error) => assert_eq!(error.to_string(), expected, "{text}"),
            Ok((_, trace)) => panic!("{text}\nwas read as\n{trace}"),
        }
    }
}

/// Every prefix of a good text, and every text with one character changed, is read or refused without a panic.
#[test]
fn wrong_texts_do_not_panic() {
    for at in (0..EXAMPLE.len()).filter(|&at| EXAMPLE.is_char_boundary(at)) {
        let _ = parse_file(&EXAMPLE[..at]);
        for replacement in ["0", "%", "(", "\"", "é", "t9", ""] {
            let text = format!("{}{replacement}{}", &EXAMPLE[..at], EXAMPLE.get(at + 1..).unwrap_or(""));
            if let Ok((program, trace)) = parse(&text) {
                let _ = verify(&program, &trace);
                let _ = to_text(&program, &trace);
            }
        }
    }
}

/// Each file in `tests/verify` has its expected errors as `# error: …` on the lines of the operations that cause them.
/// An error of the trace as a whole stands on the line with its closing brace.
#[test]
fn the_verifier_finds_what_is_wrong() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify");
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 12, "a file for each check");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let (program, trace) = parse(&text).unwrap_or_else(|error| panic!("{}:{error}", file.display()));
        let found: Vec<String> = verify(&program, &trace)
            .err()
            .unwrap_or_default()
            .iter()
            .map(|error| format!("{:?}: {}", error.inst, error.reason))
            .collect();
        assert_eq!(found, expected_errors(&text, &trace), "{}", file.display());
    }
}

/// What the parser does not let through.
#[test]
fn the_verifier_checks_what_code_may_get_wrong() {
    let (program, good) = parse(EXAMPLE).unwrap();
    let check = |change: fn(&mut Trace), expected: &str| {
        let mut trace = good.clone();
        change(&mut trace);
        let errors = verify(&program, &trace).unwrap_err();
        assert_eq!(errors[0].reason, expected);
    };
    check(|trace| trace.insts[0].attached = Attached::None, "getfield cannot carry None");
    check(|trace| trace.insts[0].attached = Attached::Access(AccessId(9)), "the program has no Access(a9)");
    check(|trace| trace.insts[0].results.clear(), "getfield yields 1 values, not 0");
    check(|trace| trace.values[2].kind = Kind::Float, "%2, a result of getfield, is of the wrong kind");
    check(|trace| trace.values.truncate(6), "%6 is no value of the trace");
    check(|trace| trace.notes.reverse(), "the notes do not stand in order within the trace");
}

fn expected_errors(text: &str, trace: &Trace) -> Vec<String> {
    let mut errors = Vec::new();
    let mut inst = 0;
    for line in text.lines().skip_while(|line| !line.starts_with("trace")).skip(1) {
        let line = line.trim();
        let at = if line.starts_with('}') { None } else { Some(inst) };
        let (code, comment) = line.split_once('#').unwrap_or((line, ""));
        for error in comment.split("error: ").skip(1) {
            errors.push(format!("{at:?}: {}", error.trim()));
        }
        if !code.is_empty() && !code.starts_with(';') {
            inst += 1;
        }
        if at.is_none() {
            break;
        }
    }
    assert!(inst >= trace.insts.len());
    errors
}
