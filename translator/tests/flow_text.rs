//! The flow text form and its verifier: the form reads back what it prints, and each rule refuses a broken function.

use metatrace_translator::flow::{parse, print, verify};

const WHOLE: &str = include_str!("flow/whole.flow");

#[test]
fn text_reads_back() {
    let program = parse::program(WHOLE).unwrap();
    let printed = print::program(&program, print::Style::default());
    let again = parse::program(&printed).unwrap();
    assert_eq!(printed, print::program(&again, print::Style::default()));
    let lines = |text: &str| text.lines().map(str::to_string).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(lines(WHOLE), lines(&printed));
    assert_eq!(verify::program(&program), []);
}

#[test]
fn errors_have_lines() {
    for (text, line, message) in [
        ("program \"x\" 0\nfn fn1", 2, "expected `fn0`, found `fn1`"),
        ("frob", 1, "`frob` starts no item"),
        ("program \"x\" 0\nextern ext0 \"e\" (a::B) -> i64 = \"e\"", 2, "the type `a::B` is not declared"),
        ("fn fn0 \"f\" () -> () {\nb0():\n  v0: () = cons 0\n}", 3, "there is no operation `cons`"),
        ("fn fn0 \"f\" () -> () {\nb0():\n  v1: () = const 0\n  return v1\n}", 5, "v0 has no definition"),
        ("program \"x", 1, "cannot read `\"x`"),
    ] {
        let error = parse::program(text).unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (line, message), "{text}");
    }
}

/// What precedes each broken function.
const PRELUDE: &str = r#"
program "t" 0x0
module mod0 "t"
enum E in mod0 {A, B{0: i64}}
struct S in mod0 {x: i64, y: [i64; 9]}
portal portal0 "t" fn0 f params(a, b)
extern ext0 "e" in mod0 (i64) -> i64 = "e"
extern ext1 "never" in mod0 () -> ! = "never"
load_time lt0 "n" in mod0 = "0"
"#;

/// A function body after `b0(v0: i64, v1: &mut S, …)` that breaks the rule.
const BROKEN: &[(&str, &str)] = &[
    ("S1", "return v9"),
    ("S1", "goto b7"),
    ("S1", "v2: i64 = call fn7()\n return v2"),
    ("S2", "return v0 }\nfn fn1 \"g\" in mod0 (i64) -> i64 {\nb0(v0: u8):\nunreachable"),
    ("S3", "v2: i64 = int_add v3, v0\n v3: i64 = const 1\n return v2"),
    ("S3", "v2: bool = const 1\n if v2 b1 else b2\nb1():\n v3: i64 = const 1\n goto b2\nb2():\n return v3"),
    ("S4", "return v0\nb1():\n return v0"),
    ("S4", "goto b0(v0, v1)"),
    ("S5", "goto b1\nb1(v2: i64):\n return v2"),
    ("S5", "goto b1(v1)\nb1(v2: i64):\n return v2"),
    ("S5", "invoke ext0(v0) -> b1 unwind b2\nb1():\n return v0\nb2():\n resume_unwind"),
    ("S6", "resume_unwind"),
    ("S7", "switch v0 [1: b1, 1: b1] else b1\nb1():\n return v0"),
    ("S7", "v2: u8 = const 1\n switch v2 [256: b1] else b1\nb1():\n return v0"),
    ("T1", "v2: [i64; 9] = load v1.1\n return v0"),
    ("T1", "v2: [u8] = load v1\n return v0"),
    ("T2", "v2: i64 = int_add v0\n return v2"),
    ("T2", "v2: f64 = int_add v0, v0\n return v0"),
    ("T2", "v2: f64 = float_from_int v0\n v3: f64 = float_add v2, v0\n return v0"),
    ("T3", "v2: u8 = const 256\n return v0"),
    ("T3", "v2: i8 = const 128\n return v0"),
    ("T3", "v2: (i64, i64) = const 1\n return v0"),
    ("T3", "v2: f64 = load_time lt0\n return v0"),
    ("T3", "v2: f64 = retype v0\n return v0"),
    ("T4", "v2: E = make(v0)\n return v0"),
    ("T4", "v2: E = make.1(v0)\n v3: i64 = extract v2.0:0\n return v3"),
    ("T4", "v2: usize = variant_of v0\n return v0"),
    ("T5", "v2: usize = fat_len v1\n return v0"),
    ("T5", "v2: i64 = make_fat v0, v0\n return v0"),
    ("T6", "v2: i64 = load v0\n return v2"),
    ("T6", "v2: i64 = load v1.2\n return v2"),
    ("T6", "v2: i64 = load v1.1[v0]\n return v2"),
    ("T7", "v2: u8 = load v1.0\n return v0"),
    ("T7", "v2: u8 = const 1\n store v1.0, v2\n return v0"),
    ("T7", "v2: &u8 = ref v1.0\n return v0"),
    ("T7", "v2: usize = load_variant v1.0\n return v0"),
    ("T7", "copy_memory v1, v1.1 as S\n return v0"),
    ("T7", "drop_in_place v1 as E\n return v0"),
    ("T8", "v2: i64 = call ext0()\n return v0"),
    ("T8", "call ext0(v0)\n return v0"),
    ("T8", "v2: u8 = const 1\n return v2"),
    ("T9", "v2: f64 = float_from_int v0\n if v2 b1 else b1\nb1():\n return v0"),
    ("T9", "v2: f64 = float_from_int v0\n switch v2 [] else b1\nb1():\n return v0"),
    ("P1", "v2: i64 = const 1\n merge_point portal0(v0, v1)\n return v0"),
    ("P1", "merge_point portal0(v0)\n return v0"),
    (
        "P1",
        "return v0 }\nfn fn1 \"g\" in mod0 (i64, &mut S) -> i64 {\nb0(v0: i64, v1: &mut S):\n merge_point portal0(v0, v1)\n unreachable",
    ),
    ("P1", "merge_point portal0(v0, v1)\n goto b1\nb1():\n merge_point portal0(v0, v1)\n return v0"),
    ("P2", "can_enter_jit\n return v0"),
    (
        "P2",
        "goto b1\nb1():\n merge_point portal0(v0, v1)\n goto b2\nb2():\n can_enter_jit\n goto b3\nb3():\n v2: i64 = const 1\n goto b1",
    ),
    ("P2", "goto b1\nb1():\n merge_point portal0(v0, v1)\n can_enter_jit\n v2: i64 = const 1\n goto b1"),
    ("P2", "can_enter_jit\n goto b1\nb1():\n goto b1"),
];

#[test]
fn each_rule_refuses() {
    for (rule, body) in BROKEN {
        let head = "fn fn0 \"f\" in mod0 (i64, &mut S) -> i64 {\nb0(v0: i64, v1: &mut S):";
        let program =
            parse::program(&format!("{PRELUDE}{head}\n{body}\n}}")).unwrap_or_else(|e| panic!("{e}: {body}"));
        let errors = verify::program(&program);
        assert!(errors.iter().any(|e| e.rule == *rule), "{rule}: {body}: {errors:?}");
    }
}

#[test]
fn program_rules_refuse() {
    for text in [
        "program \"t\" 0x0\nload_time lt0 \"n\" in mod0 = \"0\"",
        "program \"t\" 0x0\nmodule mod0 \"t\"\nfn fn0 \"f\" in mod0 (i64) -> i64 opaque \"x\"\nportal portal0 \"p\" fn0 f params(a)",
        "program \"t\" 0x0\nfn fn0 \"f\" in mod1 (i64) -> i64 opaque \"x\"",
    ] {
        assert_eq!(verify::program(&parse::program(text).unwrap())[0].rule, "program", "{text}");
    }
}

#[test]
fn every_rule_has_a_test() {
    let head = include_str!("../src/flow/verify.rs");
    for line in head.lines().filter_map(|l| l.strip_prefix("//! - ")) {
        let rule = line.split(' ').next().unwrap_or("");
        assert!(BROKEN.iter().any(|(tested, _)| *tested == rule), "{rule}");
    }
}
