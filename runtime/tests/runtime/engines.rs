//! Guest programs in every engine, against the native interpreter.

use crate::guest::op::*;
use crate::guest::{Case, Code};
use metatrace::{Options, Vm};

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
    let expected = case.expected();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (ran, stats) = case.run("threshold=5");
                assert_eq!((ran, stats.loops), (expected.clone(), 1));
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
