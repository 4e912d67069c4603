//! Every body through every engine, on generated programs and inputs: results, panics, state and calls must be native's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use metatrace::{Traced, Vm};
use metatrace_corpus::{BODIES, Host, run};

/// The engines, as options.
const ENGINES: &[(&str, &str)] = &[
    ("blackhole", "threshold=1,blackhole_only=1"),
    ("reference backend", "threshold=1,trace_eagerness=1,backend=1"),
    ("reference backend, unoptimised", "threshold=1,trace_eagerness=1,backend=1,optimise=0"),
    ("reference backend, guards fail", "threshold=1,trace_eagerness=1,backend=1,fail_guards=1"),
    ("Cranelift", "threshold=1,trace_eagerness=1"),
    ("Cranelift, guards fail", "threshold=1,trace_eagerness=1,fail_guards=1"),
];

/// All that can be seen of a run.
#[derive(Debug, PartialEq)]
struct Seen {
    result: String,
    host: Host,
}

/// Runs a program in an engine; also whether jitcode ran, and in compiled engines compiled code.
fn observe(options: &str, code: &[u8], acc: i64, rounds: i64) -> (Seen, bool) {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let vm = Vm::new(metatrace::Options::parse(options).expect("known options")).expect("a VM");
    let mut host = Host::default();
    let code = Traced::new(code.to_vec());
    let result = vm.enter(|| catch_unwind(AssertUnwindSafe(|| run(&code, acc, rounds, &mut host))));
    let result = match result {
        Ok(result) => format!("{result:?}"),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => format!("panic: {text}"),
            Err(payload) => format!("panic: {:?}", payload.downcast::<&str>().ok()),
        },
    };
    let stats = vm.stats();
    drop(code);
    let ran =
        if options.contains("blackhole_only") { stats.blackholes } else { stats.loops.min(stats.entries) };
    (Seen { result, host }, ran > 0)
}

#[track_caller]
fn check(code: &[u8], acc: i64, rounds: i64) -> Vec<bool> {
    let (native, _) = observe("off", code, acc, rounds);
    let compare = |(name, options): &(&str, &str)| {
        let (seen, ran) = observe(options, code, acc, rounds);
        assert_eq!(seen, native, "{name}, bodies {code:?}, acc {acc}, {rounds} rounds");
        ran
    };
    ENGINES.iter().map(compare).collect()
}

#[test]
fn every_body_alone() {
    for body in 0..BODIES {
        let mut ran = vec![false; ENGINES.len()];
        for acc in [0, 1, -1, 5, 200, -1_000, i64::from(u32::MAX), i64::MIN / 9] {
            let now = check(&[body], acc, 9);
            ran.iter_mut().zip(now).for_each(|(ran, now)| *ran |= now);
        }
        for (ran, (name, _)) in ran.iter().zip(ENGINES) {
            assert!(ran, "{name} did not run body {body}");
        }
    }
}

#[test]
fn every_body_with_another() {
    for body in 0..BODIES {
        for other in [body + 1, body + 7, body + 13] {
            check(&[body, other % BODIES], i64::from(body) - 3, 7);
        }
    }
}

#[test]
fn division_by_zero_panics_as_natively() {
    check(&[6], 5, 1_003);
}

#[test]
fn generated_programs() {
    arbtest::arbtest(|u| {
        let length = u.int_in_range(1..=6)?;
        let code: Vec<u8> = (0..length).map(|_| u.int_in_range(0..=BODIES - 1)).collect::<Result<_, _>>()?;
        check(&code, u.arbitrary()?, u.int_in_range(1..=12)?);
        Ok(())
    })
    .budget_ms(1_000);
}
