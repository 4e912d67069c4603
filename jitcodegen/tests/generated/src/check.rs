//! Running a case natively and in every engine.
//!
//! Each case runs on a list of inputs: first small ones that make it hot, then any. A panic ends a run; the next one goes on
//! after the input that panicked, in the same VM. Results, memory and messages are compared as text, in which all NaNs are equal.

use std::panic::{AssertUnwindSafe, catch_unwind};

use metatrace::{Options, Traced, Vm};
use metatrace_generator::Random;

use crate::{CASES, Code, Input, World, interpret};

/// Values at which something often changes.
const EDGES: &[i64] = &[
    0,
    -1,
    7,
    8,
    63,
    64,
    127,
    128,
    255,
    256,
    -128,
    -129,
    32_767,
    65_536,
    i32::MAX as i64,
    i32::MIN as i64,
    u32::MAX as i64,
    1 << 53,
    i64::MAX,
    i64::MIN,
];

fn any(random: &mut Random) -> i64 {
    match random.below(4) {
        0 => random.below(40) as i64 - 20,
        1 => random.word() as i64,
        _ => *random.pick(EDGES),
    }
}

fn float(random: &mut Random) -> f64 {
    match random.below(8) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => -0.0,
        3 => f64::from_bits(random.word()),
        4 => any(random) as f64,
        _ => (random.below(200) as f64 - 100.0) / 8.0,
    }
}

/// Inputs that make loops hot, and then any.
fn inputs(seed: u64) -> Vec<Input> {
    let mut random = Random::new(seed);
    let mut inputs = Vec::new();
    for n in 0..36 {
        let tame = Input {
            a: 2 + random.below(3) as i64,
            b: random.below(4) as i64,
            c: 5,
            x: 1.5 + random.below(3) as f64,
            y: 0.25,
        };
        let wild = Input {
            a: any(&mut random),
            b: any(&mut random),
            c: any(&mut random),
            x: float(&mut random),
            y: float(&mut random),
        };
        inputs.push(match n {
            0..16 => tame,
            16..24 => Input { a: wild.a, x: wild.x, ..tame },
            _ => wild,
        });
    }
    inputs
}

/// What a case leaves behind: messages of panics, and all memory; and how often compiled code was entered.
fn ran(case: usize, inputs: &[Input], options: Options) -> (String, u64) {
    let vm = Vm::new(options).expect("machine code can be made");
    let text = vm.enter(|| {
        let code = Traced::new(Code { ops: vec![case as u16 + 1, 0] });
        let mut world = World::new(inputs.to_vec());
        let mut out = String::new();
        while world.at < world.inputs.len() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| interpret(0, &code, &mut world))) {
                let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                out.push_str(&format!("input {}: {}\n", world.at, text.expect("panics have messages")));
                world.at += 1;
            }
        }
        world.inputs.clear();
        out.push_str(&format!("{world:#?}"));
        out
    });
    (text, vm.stats().entries)
}

/// The first lines in which two texts differ.
fn difference(native: &str, other: &str) -> String {
    let lines = native.lines().zip(other.lines()).enumerate().filter(|(_, (a, b))| a != b).take(4);
    let shown: Vec<String> = lines.map(|(n, (a, b))| format!("{n}: {} | {}", a.trim(), b.trim())).collect();
    format!("{} lines | {} lines; {}", native.lines().count(), other.lines().count(), shown.join("; "))
}

/// What came of a case.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is wrong, if anything: the engine, and how it differs from native code.
    pub wrong: Option<String>,
    /// Of how many inputs there was a result natively, and not a panic.
    pub results: usize,
    /// How often compiled code was entered, over all engines.
    pub entries: u64,
}

/// Runs a case in every engine.
pub fn check(case: usize, seed: u64) -> Outcome {
    let inputs = inputs(seed);
    let (native, _) = ran(case, &inputs, Options::parse("off").expect("valid"));
    let panics = native.lines().filter(|line| line.starts_with("input ")).count();
    let mut out = Outcome { results: inputs.len() - panics, ..Outcome::default() };
    for (engine, options) in Options::engines() {
        let found = catch_unwind(|| ran(case, &inputs, options));
        let wrong = match found {
            Ok((text, entries)) => {
                out.entries += entries;
                if text == native {
                    continue;
                }
                format!("{engine}: native | this: {}", difference(&native, &text))
            }
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
                format!("{engine}: the JIT panicked: {}", text.unwrap_or_default())
            }
        };
        out.wrong.get_or_insert(wrong);
    }
    out
}

/// Checks the cases from `first` on, one line on standard output for each: its number before it runs, so that whoever reads
/// knows which one ended the process, then what is wrong with it.
pub fn report(first: usize) {
    std::panic::set_hook(Box::new(|_| {}));
    for (n, (name, seed)) in CASES.iter().enumerate().skip(first) {
        println!("case {n} {name}");
        let outcome = check(n, *seed);
        if let Some(wrong) = outcome.wrong {
            println!("wrong {}", wrong.replace('\n', "\\n"));
        }
        println!("ran {} {}", outcome.results, outcome.entries);
    }
    println!("done");
}
