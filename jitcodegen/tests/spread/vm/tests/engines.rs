//! The interpreter gives the same result in every engine, and compiled code carries the work.

use metatrace::{Options, Stats, Vm};

fn run(program: fn() -> String, options: Options) -> (String, Stats) {
    let vm = Vm::new(options).expect("machine code can be made");
    (vm.enter(program), vm.stats())
}

fn agree(program: fn() -> String, expected: &str) {
    let (result, _) = run(program, Options::parse("off").expect("valid"));
    assert_eq!(result, expected);
    for (engine, options) in Options::engines() {
        let records = options.records();
        let (result, stats) = run(program, options);
        assert_eq!(result, expected, "on {engine}");
        if records {
            assert!(stats.loops > 0 && stats.entries > 0, "{engine} compiled nothing: {stats:?}");
        }
    }
}

#[test]
fn crates_work_together() {
    agree(|| spread_vm::sum(60), "sum: [(Some((15840008, 2)), 1830), (Some((15840008, 2)), 60)]");
}

#[test]
fn portals_of_one_name_are_told_apart() {
    agree(|| spread_vm::methods::both(60), "1830 -323594816525227447 183");
}
