//! Generated traces do the same before and after optimisation, on the reference backend.
//!
//! `METATRACE_FUZZ=100000 cargo test --release -p metatrace-optimizer --test fuzz` runs that many cases, from
//! `METATRACE_FUZZ_SEED` on.

use metatrace_backend_reference::Reference;
use metatrace_optimizer::region::{Part, Start, optimise_region};
use metatrace_optimizer::{Options, optimise};
use metatrace_trace::{Attached, Trace, to_text, verify};
use metatrace_trace_fuzz::{Case, Cut, ENTRY, FREE_TARGET, Outcome, cut, generate, guard_pcs};

const CASES: u64 = 150;

/// No run of a generated trace tests more guards.
const MOST_GUARDS: u32 = 100_000;

#[test]
fn optimised_traces_do_the_same() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let first = number("METATRACE_FUZZ_SEED").unwrap_or(0);
    let (mut peeled, mut removed) = (0, 0);
    for seed in first..first + number("METATRACE_FUZZ").unwrap_or(CASES) {
        let size = 3 + (seed as usize * 7) % 45;
        let done = check(seed, size);
        peeled += done.0;
        removed += done.1;
    }
    assert!(peeled > 0, "no loop was peeled");
    assert!(removed > 0, "no allocation was removed");
}

#[test]
fn regions_do_the_same() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let first = number("METATRACE_FUZZ_SEED").unwrap_or(0);
    let mut cuts = 0;
    for seed in first..first + number("METATRACE_FUZZ").unwrap_or(CASES) {
        let size = 3 + (seed as usize * 7) % 45;
        let mut case = generate(seed, size);
        let expected = case.run(&Reference::new(), &case.trace.clone());
        let source = optimise(&case.program, &case.trace, Options::default());
        for trace in [case.trace.clone(), source] {
            for at in (0..trace.insts.len()).step_by(1 + seed as usize % 3) {
                let Some(cut) = cut(&trace, at) else { continue };
                check_region(&mut case, &cut, &expected, seed);
                cuts += 1;
            }
        }
    }
    assert!(cuts > 0, "no trace was cut");
}

/// Compares a trace in two with what comes out of optimising the two together.
fn check_region(case: &mut Case, cut: &Cut, expected: &Outcome, seed: u64) {
    let [first, bridge] = &cut.traces;
    for trace in &cut.traces {
        assert_eq!(verify(&case.program, trace), Ok(()), "seed {seed}");
    }
    let parts = [
        Part { trace: first, start: Start::Entry },
        Part { trace: bridge, start: Start::Guard(0, cut.guard) },
    ];
    let (joined, _) = optimise_region(&case.program, &parts, case.locals_in_use());
    let parts: Vec<_> =
        joined.iter().map(|joined| (joined.part, &joined.trace, joined.guards.clone())).collect();
    let actual = case.run_cut(&Reference::new(), cut, &parts);
    assert!(
        actual == *expected,
        "seed {seed}\n{first}\n{bridge}\nbecame\n{}\nexpected {:?}\nactual {:?}",
        joined.iter().map(|joined| joined.trace.to_string()).collect::<Vec<_>>().join("\n"),
        expected.left,
        actual.left,
    );
}

/// Compares a case before and after optimisation; gives 1 if it has a label afterwards, and the number of allocations that were
/// removed.
fn check(seed: u64, size: usize) -> (u64, u64) {
    let mut case = generate(seed, size);
    assert_eq!(verify(&case.program, &case.trace), Ok(()), "seed {seed} size {size}");
    let options =
        Options { entry: Some(ENTRY), label: Some(FREE_TARGET), locals_in_use: case.locals_in_use() };
    let optimised = optimise(&case.program, &case.trace, options);
    let expected = run(&mut case, None, false);
    let actual = run(&mut case, None, true);
    compare(&case, &optimised, seed, size, &expected.0, &actual.0, "unforced");

    // Whatever guard fails, the state must be what it is in the original: force some, and the same ones there.
    let total = actual.1.len();
    for n in (0..total).step_by(1 + total / 6) {
        let (forced, tested) = run(&mut case, Some(Stop::Count(n)), true);
        let Some(&(pc, merge_points)) = tested.last().filter(|_| forced.guard_pc().is_some()) else {
            continue;
        };
        let (original, _) = run(&mut case, Some(Stop::At(pc, merge_points)), false);
        compare(
            &case,
            &optimised,
            seed,
            size,
            &original,
            &forced,
            &format!("forced at pc {pc}, guard test {n}"),
        );
    }
    let label = Attached::Target(FREE_TARGET);
    let labels = optimised.insts.iter().filter(|inst| inst.attached == label).count() as u64 / 2;
    (labels, allocations(&case.trace).saturating_sub(allocations(&optimised)))
}

fn allocations(trace: &Trace) -> u64 {
    trace.insts.iter().filter(|inst| inst.op.is_allocation()).count() as u64
}

/// Which test of a guard fails in any case.
#[derive(Clone, Copy)]
enum Stop {
    /// The one with this number.
    Count(usize),
    /// The one of the guard with this `pc` when so many merge points were counted.
    At(u32, u64),
}

/// Runs the case's trace, or what the optimiser makes of it; gives the outcome and the tests of guards: `pc` and merge
/// points counted.
fn run(case: &mut Case, stop: Option<Stop>, is_optimised: bool) -> (Outcome, Vec<(u32, u64)>) {
    let options =
        Options { entry: Some(ENTRY), label: Some(FREE_TARGET), locals_in_use: case.locals_in_use() };
    let trace = if is_optimised { optimise(&case.program, &case.trace, options) } else { case.trace.clone() };
    let backend = Reference::new();
    let pcs = guard_pcs(&trace);
    let tested = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let log = tested.clone();
    backend.force(Some(Box::new(move |guard, context| {
        let mut log = log.borrow_mut();
        assert!(log.len() < MOST_GUARDS as usize, "the trace does not end");
        let now = (pcs[guard.index()], context.merge_points);
        log.push(now);
        match stop {
            None => false,
            Some(Stop::Count(n)) => log.len() == n + 1,
            Some(Stop::At(pc, merge_points)) => now == (pc, merge_points),
        }
    })));
    let outcome = case.run(&backend, &trace);
    let tested = tested.borrow().clone();
    (outcome, tested)
}

fn compare(
    case: &Case,
    optimised: &Trace,
    seed: u64,
    size: usize,
    expected: &Outcome,
    actual: &Outcome,
    how: &str,
) {
    if expected == actual {
        return;
    }
    let memory = |outcome: &Outcome| outcome.memory.clone();
    let differing: Vec<String> = (memory(expected).iter().zip(&memory(actual)).enumerate())
        .filter(|(_, (a, b))| a != b)
        .map(|(n, (a, b))| format!("byte {}: {a:#x} is {b:#x}", 8 * n))
        .collect();
    panic!(
        "seed {seed} size {size}, {how}:\n{}\noptimised:\n{optimised}\nexpected {:?} {} {}\nactual   {:?} {} {}\n{}",
        to_text(&case.program, &case.trace),
        expected.left,
        expected.merge_points,
        expected.pending,
        actual.left,
        actual.merge_points,
        actual.pending,
        differing.join("\n"),
    );
}
