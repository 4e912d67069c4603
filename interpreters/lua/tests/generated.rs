//! Generated programs print the same in every mode of the machine, and some of their loops are compiled.

use std::path::Path;

/// How many programs.
const PROGRAMS: u64 = 3;

/// Modes in which much is compiled, and guards fail.
const MODES: [&str; 2] =
    ["threshold=7,function_threshold=7,trace_eagerness=3", "threshold=2,trace_eagerness=2,fail_guards=1"];

#[test]
fn generated_programs_do_the_same_when_compiled() {
    let interpreter = Path::new(env!("CARGO_BIN_EXE_lua"));
    let log = std::env::temp_dir().join(format!("lua-generated-{}.json", std::process::id()));
    let stats = format!("stats:{}", log.display());
    let mut loops = 0;
    for seed in 0..PROGRAMS {
        let text = lua_fuzz::generate(seed).text();
        let run = |mode: &str| {
            let environment = [("METATRACE", mode), ("METATRACE_LOG", &*stats)];
            lua_fuzz::run(interpreter, &text, &environment).expect("the interpreter starts")
        };
        let expected = run("off");
        assert!(expected.lines().count() > 1, "seed {seed} prints little: {expected}");
        for mode in MODES {
            assert!(run(mode) == expected, "seed {seed} prints something else with METATRACE={mode}");
        }
        let counted: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&log).expect("statistics")).expect("JSON");
        loops += counted["loops"].as_u64().expect("a number");
    }
    std::fs::remove_file(&log).expect("it was written");
    assert!(loops > PROGRAMS, "{loops} loops were compiled");
}
