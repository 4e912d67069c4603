//! Programs give the same result in every engine, and compiled code carries the work.

use guests::{Program, programs};
use metatrace::{Options, Stats, Vm};

fn run(program: &Program, size: i64, options: Options) -> (String, Stats) {
    let vm = Vm::new(options).expect("machine code can be made");
    (vm.enter(|| (program.run)(size)), vm.stats())
}

#[test]
fn engines_agree() {
    for program in programs() {
        let (expected, _) = run(&program, program.small, Options::parse("off").expect("valid"));
        assert!(expected.starts_with("Ok("), "{}: {expected}", program.name);
        for (engine, options) in Options::engines() {
            let records = options.records();
            let (result, stats) = run(&program, program.small, options);
            assert_eq!(result, expected, "{} on {engine}", program.name);
            if records {
                let compiled = stats.loops > 0 && stats.entries > 0;
                assert!(compiled, "{} on {engine} compiled nothing: {stats:?}", program.name);
            }
        }
    }
}
