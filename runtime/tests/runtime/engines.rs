//! Guest programs in every engine, against the native interpreter.

use crate::guest::op::*;
use crate::guest::{Case, Code};
use metatrace::{Abort, Options, Vm};

#[test]
fn a_loop_is_compiled_and_entered() {
    let stats = Case::new(&[ADD, LOOP, 0, RETURN], 1000).check();
    assert_eq!((stats.loops, stats.entries, stats.guard_failures), (1, 1, 1));
}

#[test]
fn a_branch_becomes_a_bridge() {
    let stats = Case::new(&[ADD, IF_ODD, 4, ADD, LOOP, 0, RETURN], 1001).check();
    assert!(stats.bridges >= 1 && stats.guard_failures < 20, "{stats:#?}");
}

#[test]
fn traces_that_jump_to_each_other_become_a_region() {
    let case = Case::new(&[ADD, IF_ODD, 4, ADD, LOOP, 0, RETURN], 20_001);
    let without = "threshold=3,trace_eagerness=2,region_threshold=0";
    let (expected, stats) = case.run(without);
    assert_eq!(stats.regions, 0);
    for options in ["", ",backend=1", ",optimise=0"] {
        let options = format!("threshold=3,trace_eagerness=2,region_threshold=100,region_cost=1{options}");
        let (ran, stats) = case.run(&options);
        assert_eq!(ran, expected, "{options}");
        // Once it is there, nothing crosses from trace to trace.
        assert_eq!(stats.regions, 1, "{options}: {stats:#?}");
        assert!(stats.guard_failures < 20, "{options}: {stats:#?}");
    }
}

#[test]
fn nested_loops() {
    let stats = Case::new(&[SET, 5, ADD, LOOP, 2, HELP, LESS, 0], 4).check();
    assert!(stats.loops >= 1 && stats.guard_failures < 50, "{stats:#?}");
    Case::new(&[SET, 5, ADD, LOOP, 2, IF_ODD, 11, HELP, LESS, 0, RETURN, LOCAL, LESS, 0], 4).check();
}

#[test]
fn calls_inlined_and_residual() {
    Case::new(&[HELP, ADD, TWIST, LOOP, 0], 300).check();
}

#[test]
fn local_memory() {
    Case::new(&[LOCAL, ADD, LOCAL, LOOP, 0], 300).check();
}

#[test]
fn floats_and_bytes() {
    Case::new(&[SCALE, CELL, 3, ADD, CELL, 4, CELL, 3, LOOP, 0], 300).check();
}

#[test]
fn promotion() {
    Case::new(&[PROMOTE, ADD, LOOP, 0], 300).check();
}

#[test]
fn recursion_with_loops_inside() {
    Case::new(&[RECURSE, 6, ADD, LOOP, 0, RETURN, ADD, LOOP, 6, RETURN], 200).check();
    Case::new(&[RECURSE, 6, ADD, LOOP, 0, RETURN, LOCAL, RETURN], 200).check();
}

#[test]
fn a_panic_leaves_as_natively() {
    for limit in [0, 5000, 19_999] {
        let mut case = Case::new(&[ADD, TWIST, IF_ODD, 0, LOOP, 0], 200);
        case.limit = limit;
        let expected = case.expected();
        assert!(expected.0.is_err() && expected.1.cleanups == 1, "{expected:?}");
        for options in [
            "threshold=1",
            "threshold=1,backend=1",
            "threshold=1,fail_guards=1",
            "threshold=1,blackhole_only=1",
        ] {
            assert_eq!(case.run(options).0, expected, "{options}");
        }
    }
    let mut case = Case::new(&[ADD, TWIST, LOCAL, LOOP, 0], 200);
    case.limit = 1 << 40;
    case.check();
}

#[test]
fn off_does_nothing() {
    let (_, stats) = Case::new(&[ADD, LOOP, 0, RETURN], 1000).run("off");
    assert_eq!(stats, metatrace::Stats::default());
}

#[test]
fn owners_that_go_take_their_traces_along() {
    let vm = Vm::new(Options::parse("threshold=2").unwrap()).unwrap();
    vm.enter(|| {
        let case = Case::new(&[ADD, LOOP, 0, RETURN], 100);
        let mut code = Code::new(&case.ops);
        let first = case.run_on(&code);
        assert_eq!(vm.stats().loops, 1);
        assert_eq!(case.run_on(&code), first);
        assert_eq!((vm.stats().loops, vm.stats().invalidated), (1, 0));
        code.get_mut().ops[0] = HELP;
        code.get_mut().ops[1] = ADD;
        code.get_mut().ops[2] = LOOP;
        code.get_mut().ops[3] = 0;
        assert_eq!(vm.stats().invalidated, 1);
        let changed = Case::new(&[HELP, ADD, LOOP, 0], 100);
        assert_eq!(changed.run_on(&code), changed.expected());
        assert_eq!(vm.stats().loops, 2);
        drop(code);
        assert_eq!(vm.stats().invalidated, 2);
    });
}

#[test]
fn vms_in_threads() {
    let case = Case::new(&[ADD, HELP, LOCAL, LOOP, 0], 500);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (ran, stats) = case.run("threshold=5");
                assert_eq!((ran, stats.loops), (case.expected(), 1));
            });
        }
    });
}

#[test]
fn an_owner_that_moves_to_another_thread() {
    let case = Case::new(&[ADD, LOOP, 0, RETURN], 100);
    let vm = Vm::new(Options::parse("threshold=2").unwrap()).unwrap();
    let code = Code::new(&case.ops);
    let first = vm.enter(|| case.run_on(&code));
    let (code, second) = std::thread::spawn(move || {
        let vm = Vm::new(Options::parse("threshold=2").unwrap()).unwrap();
        let case = Case::new(&[ADD, LOOP, 0, RETURN], 100);
        let ran = vm.enter(|| case.run_on(&code));
        (code, (ran, vm.stats().loops))
    })
    .join()
    .unwrap();
    assert_eq!((first.clone(), 1), second);
    assert_eq!(vm.enter(|| case.run_on(&code)), first);
    assert_eq!((vm.stats().loops, vm.stats().invalidated), (2, 1));
}

#[test]
fn other_owners_that_go_while_their_traces_run() {
    for swap in [SWAP, CHANGE] {
        // Each time round the trace's constant is out of date: only recordings without a change are kept.
        let case = Case::new(&[PEEK, swap, PEEK, ADD, LOOP, 0], 60);
        case.check_results();
        let (_, stats) = case.run("threshold=2,max_aborts=3");
        assert_eq!((stats.aborted(Abort::OwnerChanged), stats.blacklisted), (3, 1), "{stats:#?}");
        // A change now and then: the loop is compiled, invalidated while it runs, and compiled again.
        let case = Case::new(&[PEEK, ADD, LOOP, 0, SET, 50, swap, LESS, 0], 50);
        let stats = case.check();
        assert!(stats.loops > 1 && stats.invalidated > 0, "{stats:#?}");
    }
}

#[test]
fn recordings_that_fail_back_off_and_end() {
    let loops = Case::new(&[HELP, ADD, LOCAL, LOOP, 0], 500);
    let (_, stats) = loops.run("threshold=1,trace_limit=10,max_aborts=3");
    assert_eq!((stats.aborted(Abort::TraceTooLong), stats.blacklisted, stats.loops), (3, 1, 0), "{stats:#?}");
    let (_, stats) = loops.run("threshold=1,max_inline_depth=1,max_aborts=2");
    assert_eq!((stats.aborted(Abort::TooDeep), stats.blacklisted, stats.loops), (2, 1, 0), "{stats:#?}");
    let branch = Case::new(&[ADD, IF_ODD, 4, ADD, LOOP, 0, RETURN], 1001);
    let (ran, stats) = branch.run("threshold=1,max_bridges=0,trace_eagerness=2,max_aborts=2");
    assert_eq!(ran, branch.expected());
    assert_eq!((stats.aborted(Abort::TooManyBridges), stats.bridges), (2, 0), "{stats:#?}");
    // Each activation of the portal that is followed has local memory of its own.
    let mut deep = vec![RECURSE, 6, ADD, LOOP, 0, RETURN];
    for level in 1..8 {
        deep.extend([LOCAL, RECURSE, 6 + 4 * level, RETURN]);
    }
    let deep = Case::new(&[&deep[..], &[LOCAL, RETURN]].concat(), 30);
    deep.check();
    let (ran, stats) = deep.run("threshold=1,frame_bytes=64");
    assert_eq!(ran, deep.expected());
    assert!(stats.aborted(Abort::FrameTooLarge) > 0, "{stats:#?}");
}

#[test]
fn code_memory_is_bounded() {
    let mut ops = vec![];
    for _ in 0..12 {
        let start = ops.len() as u64;
        ops.extend([SET, 9, SCALE, ADD, LOOP, start + 2]);
    }
    ops.truncate(60);
    let case = Case::new(&ops, 0);
    case.check();
    let (ran, stats) = case.run("threshold=2,trace_eagerness=1,fail_guards=1,code_limit=4096");
    assert_eq!(ran, case.expected());
    assert!(stats.aborted(Abort::CodeMemoryFull) > 0 && stats.loops > 0, "{stats:#?}");
}

#[test]
fn vms_within_vms() {
    let case = Case::new(&[ADD, LOOP, 0, RETURN], 100);
    let make = || Vm::new(Options::parse("threshold=2").unwrap()).unwrap();
    let (outer, inner) = (make(), make());
    let code = Code::new(&case.ops);
    let (first, second, third) =
        outer.enter(|| (case.run_on(&code), inner.enter(|| case.run_on(&code)), case.run_on(&code)));
    assert!(first == second && second == third);
    // The owner follows the VM that runs it.
    assert_eq!((outer.stats().loops, outer.stats().invalidated, inner.stats().invalidated), (2, 1, 1));
}
