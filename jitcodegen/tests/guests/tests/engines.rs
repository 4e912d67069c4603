//! Programs give the same result in every engine, and compiled code carries the work.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use guests::{Program, programs};
use metatrace::{Abort, Options, Stats, Vm};

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
                let compiled = stats.loops + stats.functions > 0 && stats.entries > 0;
                assert!(compiled, "{} on {engine} compiled nothing: {stats:?}", program.name);
            }
        }
    }
}

/// With a collection at every allocation from the collected heap, too.
#[test]
fn collecting_engines_agree() {
    let guests = ["objects/", "boxed/", "classes/", "closures/"];
    let collects = |program: &&Program| guests.iter().any(|guest| program.name.starts_with(guest));
    for program in programs().iter().filter(collects) {
        let (expected, _) = run(program, program.small, Options::parse("off").expect("valid"));
        for (engine, options) in Options::collecting_engines() {
            let (result, _) = run(program, program.small, options);
            assert_eq!(result, expected, "{} on {engine}", program.name);
        }
    }
}

/// Whichever allocation finds the heap full, the program gets its result all the same (if the object was optimised away) or ends
/// with the error that says so.
#[test]
fn the_heap_may_be_full_at_any_allocation() {
    const SIZE: i64 = 12;
    let names = ["objects/list", "objects/sum"];
    for program in programs().iter().filter(|program| names.contains(&program.name)) {
        let (expected, _) = run(program, SIZE, Options::parse("off").expect("valid"));
        for options in ["off", "threshold=2,blackhole_only=1", "threshold=2,trace_eagerness=1,backend=1"]
            .into_iter()
            .chain([
                "threshold=2,trace_eagerness=1",
                "threshold=2,trace_eagerness=2,fail_guards=1,gc_every=3",
            ])
        {
            let mut failed = 0;
            for at in 1..=3 * SIZE as u64 {
                let text = format!("{options},gc_fail_at={at}");
                let parsed = Options::parse(&text).expect("valid");
                let result = std::panic::catch_unwind(|| run(program, SIZE, parsed).0);
                let is_full = match &result {
                    Ok(result) => result == "Err(OutOfMemory)",
                    Err(panic) => {
                        panic.downcast_ref::<String>().is_some_and(|text| text.starts_with("out of memory"))
                    }
                };
                failed += u32::from(is_full);
                let is_right = result.as_ref().is_ok_and(|result| *result == expected);
                assert!(is_full || is_right, "{} with {text}: {result:?}", program.name);
            }
            assert!(failed > 0, "{} with {options} never found the heap full", program.name);
        }
    }
}

/// What a run of the binary logs: statistics and traces.
fn logs(program: &Program) -> (serde_json::Value, String) {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let file = |kind: &str| std::env::temp_dir().join(format!("guests-{}-{run}.{kind}", std::process::id()));
    let (stats, traces) = (file("stats"), file("traces"));
    let output = Command::new(env!("CARGO_BIN_EXE_guests"))
        .args([program.name, &program.medium.to_string()])
        .env_remove("METATRACE")
        .env("METATRACE_LOG", format!("stats:{},traces:{}", stats.display(), traces.display()))
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}: {}", program.name, String::from_utf8_lossy(&output.stderr));
    let read = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path).expect("a log");
        std::fs::remove_file(path).expect("it was there");
        text
    };
    (serde_json::from_str(&read(&stats)).expect("JSON"), read(&traces))
}

/// The optimised traces of a log.
fn optimised(traces: &str) -> Vec<&str> {
    let starts: Vec<usize> = traces.match_indices("\ntrace \"").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([traces.len()]);
    let all = starts.iter().copied().zip(ends).map(|(start, end)| &traces[start..end]);
    all.filter(|trace| trace.lines().nth(1).is_some_and(|line| line.contains("optimised"))).collect()
}

/// The bodies of the loops in optimised traces: from a label to the jump that goes back to it.
fn loop_bodies<'a>(optimised: &[&'a str]) -> Vec<Vec<&'a str>> {
    let target = |line: &str, op: &str| {
        let (_, rest) = line.split_once(op)?;
        rest.split_once(']').map(|(target, _)| target.to_string())
    };
    let body = |trace: &&'a str| {
        let lines: Vec<&str> = trace.lines().collect();
        let end = lines.iter().position(|line| line.trim_start().starts_with("jump["))?;
        let back = target(lines[end], "jump[");
        let start = lines[..end].iter().rposition(|line| target(line, " = label[") == back)?;
        Some(lines[start + 1..end].to_vec())
    };
    optimised.iter().filter_map(body).collect()
}

/// Objects that a loop makes and drops are optimised away.
#[test]
fn loops_allocate_nothing() {
    for (name, loops) in [("objects/sum", 1), ("classes/account", 1), ("boxed/sum", 1), ("boxed/letters", 1)]
    {
        let programs = programs();
        let program = programs.iter().find(|program| program.name == name).expect("the program is there");
        let (_, traces) = logs(program);
        let bodies = loop_bodies(&optimised(&traces));
        assert_eq!(bodies.len(), loops, "{name}");
        let allocates = |line: &&&str| {
            ["new", "new_array", "make", "make_array"].iter().any(|op| line.contains(&format!("= {op}[")))
        };
        let allocation = bodies.iter().flatten().find(allocates);
        assert_eq!(allocation, None, "{name}");
    }
}

#[test]
fn most_of_the_work_is_compiled() {
    let mut wrong = Vec::new();
    for program in programs() {
        let (stats, traces) = logs(&program);
        let count = |key: &str| stats[key].as_f64().unwrap_or_else(|| panic!("no `{key}`: {stats}"));
        let compiled = count("merge_points_compiled");
        let share = compiled / (compiled + count("merge_points_interpreted"));
        if count("entries") == 0.0 || share < 0.9 {
            wrong.push(format!(
                "{}: {share} of the merge points passed in compiled code: {stats}",
                program.name
            ));
        }
        let optimised = optimised(&traces);
        assert!(!optimised.is_empty(), "{} has no optimised trace", program.name);
        // Enums are read and written in traces, not by generated accessors.
        for name in ["read", "write", "variant of", "address of"] {
            let calls = optimised.iter().flat_map(|trace| trace.lines());
            let accessor = |line: &&str| line.contains("call[") && line.contains(&format!(" \"{name} "));
            if let Some(line) = calls.clone().find(accessor) {
                wrong.push(format!("{}: an accessor is called: {line}", program.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a method is found by is a quasi-immutable field: nothing of it is left in traces, but where it changes all the time.
#[test]
fn versions_are_not_read() {
    // When the program ends, its code goes with its owners.
    for (name, most) in [("account", 1), ("shapes", 1), ("redefined", 2), ("unstable", 40)] {
        let all = programs();
        let program = all.iter().find(|p| p.name == format!("classes/{name}")).expect("it exists");
        let (stats, traces) = logs(program);
        let is_read = optimised(&traces).iter().any(|trace| trace.contains("\"Class.version\""));
        assert_eq!(is_read, name == "unstable", "{name}");
        let invalidated = stats["invalidated"].as_u64().expect("a number");
        let as_often =
            if name == "unstable" { invalidated > 2 && invalidated <= most } else { invalidated == most };
        assert!(as_often, "{name}: {stats}");
    }
}

/// What became invalid gives its memory back.
#[test]
fn invalid_code_is_freed() {
    let all = programs();
    let program = all.iter().find(|program| program.name == "classes/unstable").expect("it exists");
    let options = Options::parse("threshold=20,function_threshold=40,code_limit=12288").expect("valid");
    let (_, stats) = run(program, program.small * 100, options);
    assert!(stats.code_bytes > 2 * 12_288, "{stats:?}");
    assert_eq!(stats.aborted(Abort::CodeMemoryFull), 0, "{stats:?}");
}

/// Code may become invalid at every guard.
#[test]
fn code_may_become_invalid_anywhere() {
    let others = ["stack/sort", "scopes/counter", "boxed/sum"];
    let is_tried =
        |program: &&Program| program.name.starts_with("classes/") || others.contains(&program.name);
    for program in programs().iter().filter(is_tried) {
        let size = program.small.min(30);
        let (expected, _) = run(program, size, Options::parse("off").expect("valid"));
        for (every, options) in
            [(1, "backend=1"), (1, "trace_eagerness=1"), (3, "trace_eagerness=3"), (4, "optimise=0")]
        {
            let text =
                format!("threshold=2,function_threshold=2,fail_guards=1,invalidate_every={every},{options}");
            let (result, stats) = run(program, size, Options::parse(&text).expect("valid"));
            assert_eq!(result, expected, "{} with {text}", program.name);
            assert!(stats.invalidated > 1, "{} with {text}: {stats:?}", program.name);
        }
    }
}

/// Finalizers run at merge points, whoever passes them: of objects that die young, as one of those in use at a collection does not,
/// and of eight that are made between two collections at least four do.
#[test]
fn finalizers_run_in_every_engine() {
    let all = programs();
    let program = all.iter().find(|program| program.name == "objects/finalized").expect("it exists");
    let size = 400;
    let (expected, _) = run(program, size, Options::parse("off").expect("valid"));
    guests::objects::count_ended();
    for (engine, options) in Options::engines().into_iter().filter(|(_, options)| options.enabled) {
        let (result, stats) = run(program, size, options);
        assert_eq!(result, expected, "on {engine}");
        let ended = guests::objects::count_ended();
        assert!((size / 2..=size).contains(&ended), "{ended} of {size} on {engine}: {stats:?}");
    }
}

/// Walking a tree leaves nothing of the walk: neither calls of the functions that walk, nor of what is behind a trait object
/// or function pointer. Functions and loops that are portals may be called where they are recursive or compiled already.
#[test]
fn trees_are_looked_inside() {
    let walks = ["<dyn ", "fn(", "::eval\"", "::stmt\"", "::block\"", "::binary\""];
    let is_tree = |program: &Program| ["tree/", "nodes/"].iter().any(|guest| program.name.starts_with(guest));
    for program in programs().iter().filter(|program| is_tree(program)) {
        let (_, traces) = logs(program);
        // What a walk has compiled for itself, such as a macro's code, is called and is no walk.
        let walks_on =
            |line: &str| walks.iter().any(|name| line.contains(name)) && !line.contains(" \"code in ");
        let call = |line: &&str| line.contains("call[") && walks_on(line);
        let called = optimised(&traces).into_iter().flat_map(str::lines).find(call);
        assert_eq!(called, None, "{}", program.name);
    }
}

/// Functions that call themselves or each other are compiled from their beginning, and their code calls code.
#[test]
fn recursion_stays_in_compiled_code() {
    let recursive = ["calls/fib", "calls/ackermann", "calls/even", "tree/fib", "nodes/fib"];
    for program in programs().iter().filter(|program| recursive.contains(&program.name)) {
        let (stats, traces) = logs(program);
        let count = |key: &str| stats[key].as_f64().unwrap_or_else(|| panic!("no `{key}`: {stats}"));
        let calls = optimised(&traces).iter().any(|trace| trace.contains("= call_assembler["));
        assert!(calls, "{}: no trace calls one", program.name);
        assert!(count("calls") > 10.0 * count("entries"), "{}: {stats}", program.name);
        let merge_points = count("merge_points_compiled");
        assert!(
            merge_points > 0.9 * (merge_points + count("merge_points_interpreted")),
            "{}: {stats}",
            program.name
        );
    }
}

/// Where looking inside calls makes a trace too long, the longest of them is called instead.
#[test]
fn what_makes_traces_too_long_is_called() {
    let all = programs();
    let program = all.iter().find(|program| program.name == "calls/long").expect("it exists");
    let (expected, _) = run(program, program.small, Options::parse("off").expect("valid"));
    let options = Options::parse("threshold=10,function_threshold=10,trace_limit=800").expect("valid");
    let (result, stats) = run(program, program.small, options);
    assert_eq!(result, expected);
    let is_compiled = stats.loops > 0 && stats.functions > 0 && stats.calls > 0;
    assert!(is_compiled && stats.aborted(Abort::TraceTooLong) > 0, "{stats:?}");
    assert!(
        stats.calls > 10 * stats.merge_points_interpreted,
        "most is called from compiled code: {stats:?}"
    );
}

/// What each hint leaves in a loop, and what would be there otherwise.
#[test]
fn hints_shape_traces() {
    // How many lines of the loop's body have the text.
    let left: &[(&str, &[(&str, usize)])] = &[
        ("power", &[("call", 0), ("guard", 2)]),
        ("power_called", &[("vm::power\"]", 1), ("guard", 3)]),
        ("scale", &[("call", 0)]),
        ("scale_called", &[("vm::scale_natively\"]", 1)]),
        ("made", &[("call", 0), ("new[", 0), ("guard", 2)]),
        ("kept", &[("vm::total_natively\"]", 1)]),
        // The call stays, for it is not elidable; nothing tests its result.
        ("kind", &[("vm::kind\"]", 1), ("guard_not_pending", 1), ("guard", 3)]),
        // The condition is computed and no guard's.
        ("saturate", &[("vm::saturate", 1), ("int_lt", 1), ("guard_not_pending", 1), ("guard", 3)]),
        ("digits", &[("call", 0)]),
        ("all_digits", &[("call", 0), ("guard", 2)]),
        ("sum", &[("call", 0), ("= getelem[", 3), ("guard", 2)]),
        ("sum_called", &[("vm::sum_natively\"]", 2), ("= getelem[", 0)]),
        ("note", &[("vm::note", 0), ("guard", 2)]),
        ("weight", &[("call", 0), ("guard", 2)]),
        // Division by what is constant is multiplication.
        ("remainder", &[("int_rem", 0), ("= int_mul(", 1)]),
        ("green", &[("guard", 2)]),
    ];
    let all = programs();
    let find = |name: &str| all.iter().find(|p| p.name == format!("advised/{name}")).expect("it exists");
    for (name, counts) in left {
        let (_, traces) = logs(find(name));
        let bodies = loop_bodies(&optimised(&traces));
        assert_eq!(bodies.len(), 1, "{name}");
        for (text, count) in counts.iter() {
            let found = bodies[0].iter().filter(|line| line.contains(text)).count();
            assert_eq!(found, *count, "`{text}` in {name}:\n{}", bodies[0].join("\n"));
        }
    }
    // The first additions find the trace short.
    let (_, traces) = logs(find("long"));
    let bodies = loop_bodies(&optimised(&traces));
    let called = bodies[0].iter().filter(|line| line.contains("vm::same\"]")).count();
    assert!((1..12).contains(&called), "{}", bodies[0].join("\n"));
}

/// A recording that finds a value not to be constant, which the interpreter says is, ends there; the program goes on.
#[test]
fn what_must_be_green_ends_recordings() {
    let run = |options| {
        let vm = Vm::new(Options::parse(options).expect("valid")).expect("machine code can be made");
        (vm.enter(|| guests::advised::not_green(500)), vm.stats())
    };
    let (result, stats) = run("threshold=5");
    assert_eq!(result, run("off").0);
    assert!(stats.aborted(Abort::NotGreen) > 0 && stats.loops == 0, "{stats:?}");
}
