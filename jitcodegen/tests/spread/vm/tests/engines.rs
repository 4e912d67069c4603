//! The interpreter gives the same result in every engine, and compiled code carries the work.

use metatrace::{Options, Stats, Vm};

fn run(options: Options) -> (String, Stats) {
    let vm = Vm::new(options).expect("machine code can be made");
    (vm.enter(|| spread_vm::sum(60)), vm.stats())
}

#[test]
fn engines_agree() {
    let (expected, _) = run(Options::parse("off").expect("valid"));
    assert_eq!(expected, "sum: [(Some((15840008, 2)), 1830), (Some((15840008, 2)), 60)]");
    for (engine, options) in Options::engines() {
        let records = options.records();
        let (result, stats) = run(options);
        assert_eq!(result, expected, "on {engine}");
        if records {
            assert!(stats.loops > 0 && stats.entries > 0, "{engine} compiled nothing: {stats:?}");
        }
    }
}
