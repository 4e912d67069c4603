//! What the report says of each function: looked inside, called and why, elidable, never reached; and of each call, its effects.

use metatrace_jitcodegen::{Job, translate};
use metatrace_translator::load::cfg::Cfg;
use serde_json::Value;

const SOURCE: &str = "
use std::cell::Cell;
use metatrace::{Traced, jit};
metatrace::glue!();

pub struct Log { lines: Cell<u64> }

#[jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &Traced<Vec<u8>>, mut acc: i64, log: &Log, out: &mut Vec<i64>) -> i64 {
    loop {
        jit::merge_point!();
        match code.get(pc) {
            Some(1) => acc = followed(acc),
            Some(2) => acc = square(acc),
            Some(3) => acc = looping(acc, out),
            Some(4) => print(log), Some(5) => acc = out[0],
            _ => return acc,
        }
        pc += 1;
        jit::can_enter_jit!();
    }
}

fn followed(n: i64) -> i64 { n.wrapping_add(1) }

#[jit::elidable]
fn square(n: i64) -> i64 { n * n }

fn looping(n: i64, out: &mut Vec<i64>) -> i64 {
    let mut sum = 0;
    for k in 0..n { sum += k }
    out[0] = sum;
    sum
}

#[jit::dont_look_inside]
fn print(log: &Log) { log.lines.set(log.lines.get() + 1); only_called_natively() }

fn only_called_natively() {}
fn unused() {}
";

fn entry<'r>(report: &'r Value, section: &str, name: &str) -> &'r Value {
    let list = report[section].as_array().unwrap_or_else(|| panic!("no section {section}"));
    let found = list.iter().find(|e| e["name"].as_str().is_some_and(|n| n.ends_with(name)));
    found.unwrap_or_else(|| panic!("{name} is not in {section}: {:#}", report[section]))
}

#[test]
fn the_report_tells_the_fate_of_every_function() {
    let dir = std::env::temp_dir().join(format!("metatrace-policy-{}", std::process::id()));
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("the folder is ours");
    std::fs::create_dir_all(dir.join("src")).expect("the temporary folder can be written to");
    write(
        "Cargo.toml",
        "[package]\nname = \"policy\"\nedition = \"2024\"\n[dependencies]\nmetatrace = \"1\"\n",
    );
    write("src/lib.rs", SOURCE);
    let job = Job {
        package: dir.clone(),
        cfg: Cfg::default(),
        target: ("x86_64".to_string(), "linux".to_string()),
        emit_graph: false,
        emit_jitcode: false,
        library: None,
        kept: None,
    };
    let made = translate(&job);
    let _ = std::fs::remove_dir_all(&dir);
    let report = made.unwrap_or_else(|e| panic!("{e}")).report();

    assert_eq!(entry(&report, "looked_inside", "::followed")["at"], "src/lib.rs:24:4");
    entry(&report, "looked_inside", "::interpret");
    assert_eq!(entry(&report, "elidable", "::square")["why"], "is marked `#[jit::elidable]`");
    let why = entry(&report, "called", "::looping")["why"].as_str().unwrap_or_default();
    assert!(why.contains("has a loop"), "{why}");
    assert_eq!(entry(&report, "called", "::print")["why"], "is marked `#[jit::dont_look_inside]`");
    for unreached in ["::only_called_natively", "::unused"] {
        entry(&report, "never_reached", unreached);
    }

    let print = entry(&report, "effects", "::print");
    assert_eq!(print["may_panic"], true);
    assert!(print["writes"].as_array().is_none_or(|w| !w.contains(&"[i64]".into())), "{print:#}");
    let square = entry(&report, "effects", "::square");
    assert_eq!((&square["elidable"], &square["writes"]), (&true.into(), &Value::Array(vec![])));
    let looping = entry(&report, "effects", "::looping");
    assert_ne!(looping["writes"], Value::Array(vec![]), "{looping:#}");
}
