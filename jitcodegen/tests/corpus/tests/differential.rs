//! Each body in a hot loop, in every engine, against native code: results, memory and panics must be equal.

use std::panic::{AssertUnwindSafe, catch_unwind};

use corpus::{Code, Op, Point, State, run};
use metatrace::gc::{Config, Heap};
use metatrace::{Options, Stats, Traced, Vm};

/// Values at which something often changes.
const EDGES: &[i64] = &[
    0,
    1,
    -1,
    2,
    3,
    5,
    7,
    8,
    9,
    31,
    32,
    63,
    64,
    77,
    97,
    127,
    128,
    255,
    256,
    -2,
    -127,
    -128,
    -129,
    32_767,
    32_768,
    65_535,
    65_536,
    1 << 20,
    i32::MAX as i64,
    i32::MAX as i64 + 1,
    i32::MIN as i64,
    u32::MAX as i64,
    1 << 32,
    1 << 53,
    i64::MAX,
    i64::MAX - 1,
    i64::MIN,
    i64::MIN + 1,
];

/// A generator of numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    /// Small numbers with which no body panics.
    fn tame(&mut self) -> Point {
        Point { x: 10 + self.below(9) as i64, y: 1 + self.below(6) as i64 }
    }

    fn number(&mut self) -> i64 {
        match self.below(4) {
            0 => self.below(30) as i64 - 10,
            1 => self.below(u64::MAX) as i64,
            _ => EDGES[self.below(EDGES.len() as u64) as usize],
        }
    }
}

/// Inputs that make loops hot, and then any.
fn inputs(seed: u64) -> Vec<Point> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut inputs: Vec<Point> = (0..40).map(|_| random.tame()).collect();
    for _ in 0..20 {
        let any = Point { x: random.number(), y: random.number() };
        inputs.push(if random.below(2) == 0 { any } else { Point { y: random.tame().y, ..any } });
    }
    inputs
}

/// The result or the panic's message, and the state, as text: not all floats equal themselves.
fn ran(ops: &[Op], inputs: &[Point], options: Options) -> (String, Stats) {
    let vm = Vm::new(options).expect("machine code can be made");
    // SAFETY: objects are only referred to from local variables of bodies.
    let heap = unsafe { Heap::new(Config { limit: 64 << 20, ..Config::default() }) }.expect("address space");
    let run_all = || {
        let code = Traced::new(Code { ops: ops.to_vec() });
        let mut state = State::new(inputs.to_vec());
        let result = catch_unwind(AssertUnwindSafe(|| run(&code, &mut state))).map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
            text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("panics have messages")
        });
        state.inputs.clear();
        format!("{result:#?}\n{state:#?}")
    };
    let text = vm.enter(|| metatrace::enter(&heap, run_all));
    (text, vm.stats())
}

/// The lines in which two texts differ.
fn difference(native: &str, other: &str) -> String {
    let lines = native.lines().zip(other.lines()).enumerate().filter(|(_, (a, b))| a != b).take(8);
    let shown: Vec<String> = lines.map(|(n, (a, b))| format!("{n}: {} | {}", a.trim(), b.trim())).collect();
    format!("{} lines | {} lines\n{}", native.lines().count(), other.lines().count(), shown.join("\n"))
}

/// The topic of a single body.
fn name_of(body: &[Op]) -> Option<&'static str> {
    let [op] = body else { return None };
    Op::TOPICS.iter().find(|(_, ops)| ops.contains(op)).map(|&(name, _)| name)
}

/// What comes of comparing engines.
struct Checked {
    /// What is wrong.
    wrong: Vec<String>,
    /// What the JIT did where loops are hot.
    stats: Stats,
    /// Whether the program ends in a panic natively.
    panics: bool,
}

impl Checked {
    fn was_entered(&self) -> bool {
        self.stats.loops > 0 && self.stats.entries > 0
    }
}

/// Compares the engines on one body, or on several.
fn check(body: &[Op], seed: u64) -> Checked {
    let mut wrong = Vec::new();
    let ops = [&[Op::Input], body, &[Op::Loop]].concat();
    let inputs = inputs(seed);
    let (native, _) = ran(&ops, &inputs, Options::parse("off").expect("valid"));
    let mut seen = |engine: &str, options: Options| {
        let (text, stats) = ran(&ops, &inputs, options);
        if text != native {
            let lines = difference(&native, &text);
            wrong.push(format!("{body:?} with seed {seed} and {engine}: native | this\n{lines}"));
        }
        stats
    };
    for (engine, options) in Options::engines() {
        seen(engine, options);
    }
    if name_of(body) == Some("collected") {
        for (engine, options) in Options::collecting_engines() {
            seen(engine, options);
        }
    }
    let stats = seen("hot loops", Options::parse("threshold=3,trace_eagerness=2").expect("valid"));
    Checked { wrong, stats, panics: native.starts_with("Err") }
}

/// How many programs of several bodies are made.
const PROGRAMS: u64 = 20;

/// How many sets of inputs each body gets.
const SEEDS: u64 = 3;

fn check_topic(name: &str) {
    let (_, bodies) = Op::TOPICS.iter().find(|(topic, _)| *topic == name).expect("a topic");
    let mut wrong = Vec::new();
    for &body in *bodies {
        for seed in 1..=SEEDS {
            match catch_unwind(|| check(&[body], seed)) {
                Ok(checked) => {
                    if !checked.was_entered() {
                        wrong.push(format!("{body:?} was not compiled and entered: {:#?}", checked.stats));
                    }
                    wrong.extend(checked.wrong);
                }
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                    wrong.push(format!("{body:?} with seed {seed}: the JIT panicked: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

macro_rules! topics {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check_topic(stringify!($name));
            }
        )*

        #[test]
        fn no_topic_is_forgotten() {
            let names: Vec<&str> = Op::TOPICS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

topics! {
    arms arith enums flow slices generic structs floats errors panics tables options iters patterns order traits closures
    numbers owned items stores exprs hints texts buffers collected
}

/// Bodies one after the other: what one leaves in memory the next finds there.
#[test]
fn generated_programs() {
    let bodies: Vec<Op> = Op::TOPICS.iter().flat_map(|(_, ops)| ops.iter().copied()).collect();
    let mut random = Random(0x5eed_1e55_0b5e_55ed);
    let mut wrong = Vec::new();
    for seed in 1..=PROGRAMS {
        let length = 2 + random.below(5);
        let body: Vec<Op> = (0..length).map(|_| bodies[random.below(bodies.len() as u64) as usize]).collect();
        let checked = check(&body, seed);
        // A panic may come before anything is hot.
        if !checked.panics && !checked.was_entered() {
            wrong.push(format!("{body:?} was not compiled and entered: {:#?}", checked.stats));
        }
        wrong.extend(checked.wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Bodies that use what is not looked inside yet: they are called, which must give the same results.
const CALLED: &[&str] = &["closures::dyn_closures"];

/// What is called and not looked inside is what says so, and nothing that the author might expect to be looked inside.
#[test]
fn all_bodies_are_looked_inside() {
    let report: serde_json::Value =
        serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/metatrace/report.json"))).expect("JSON");
    let called = report["called"].as_array().expect("a list").iter();
    let unexpected: Vec<String> = called
        .filter(|f| {
            let why = f["why"].as_str().unwrap_or_default();
            let name = f["name"].as_str().unwrap_or_default();
            if CALLED.iter().any(|known| name.strip_prefix("crate::bodies::") == Some(known)) {
                return false;
            }
            !why.starts_with("is marked `#[jit::") && why != "is a portal"
        })
        .map(|f| f.to_string())
        .collect();
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    assert!(report["looked_inside"].as_array().expect("a list").len() > 200);
}
