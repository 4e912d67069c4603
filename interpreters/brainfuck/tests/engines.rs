//! Every program of the `programs` folder writes the same on every engine, and the JIT carries the work.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use brainfuck::{Eof, Host, Program, RunError, Tape, run};
use metatrace::{Options, Stats, Traced, Vm};

fn programs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bf"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 6);
    paths
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn execute(
    options: &Options,
    source: &[u8],
    input: &[u8],
    mut tape: Tape,
) -> (Result<(), String>, Vec<u8>, Stats) {
    let vm = Vm::new(options.clone()).unwrap();
    let program = Traced::new(Program::load(source).unwrap());
    let mut host = Host::memory(Eof::Zero, input);
    let result = vm.enter(|| run(&program, &mut tape, &mut host));
    (result.map_err(|error: RunError| error.to_string()), host.into_output(), vm.stats())
}

#[test]
fn engines_agree() {
    // Without optimisation this takes minutes; random programs go through every engine in any build.
    if cfg!(debug_assertions) {
        return;
    }
    for path in programs() {
        let (source, input) = (read(&path), read(&path.with_extension("small.in")));
        let expected = read(&path.with_extension("small.out"));
        for (engine, options) in Options::engines() {
            for tape in [Tape::fixed(30_000).unwrap(), Tape::growing()] {
                let (result, output, stats) = execute(&options, &source, &input, tape);
                let name = format!("{} on {engine}", path.display());
                assert_eq!(result, Ok(()), "{name}");
                assert!(output == expected, "{name} wrote {}", String::from_utf8_lossy(&output));
                if options.records() {
                    assert!(stats.loops > 0 && stats.entries > 0, "{name} compiled nothing: {stats:?}");
                } else {
                    assert_eq!(stats.loops, 0, "{name}");
                }
            }
        }
    }
}

#[test]
fn ends_of_the_tape_are_found_on_every_engine() {
    // The head walks off either end from inside a loop that is compiled by then.
    let right = b"+[>+]";
    let left = b"++++++++[>++++++++<-]>[>+>+<<-]>>+[<+]";
    for source in [&right[..], left] {
        let outcomes: Vec<(Result<(), String>, Vec<u8>)> = Options::engines()
            .into_iter()
            .map(|(_, options)| {
                let (result, output, _) = execute(&options, source, b"", Tape::fixed(300).unwrap());
                (result, output)
            })
            .collect();
        assert!(outcomes[0].0.is_err());
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    }
}

#[test]
fn most_of_the_work_is_compiled() {
    // Without optimisation the long runs take minutes.
    if cfg!(debug_assertions) {
        return;
    }
    for path in programs() {
        let log = std::env::temp_dir().join(format!(
            "brainfuck-{}-{}.json",
            std::process::id(),
            path.file_stem().unwrap().display()
        ));
        let output = Command::new(env!("CARGO_BIN_EXE_brainfuck"))
            .arg(&path)
            .env_remove("METATRACE")
            .env("METATRACE_LOG", format!("stats:{}", log.display()))
            .stdin(File::open(path.with_extension("in")).unwrap())
            .output()
            .unwrap();
        let name = path.display();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == read(&path.with_extension("out")), "{name}");
        let stats: serde_json::Value = serde_json::from_slice(&read(&log)).unwrap();
        std::fs::remove_file(&log).unwrap();
        let count =
            |key: &str| stats[key].as_f64().unwrap_or_else(|| panic!("{name} has no `{key}`: {stats}"));
        assert!(count("loops") > 0.0 && count("entries") > 0.0, "{name}: {stats}");
        let (compiled, interpreted) = (count("merge_points_compiled"), count("merge_points_interpreted"));
        let share = compiled / (compiled + interpreted);
        assert!(share >= 0.9, "{name}: {share}: {stats}");
    }
}

#[test]
fn programs_run_on_several_threads_at_once() {
    let path = &programs()[0];
    let (source, input) = (read(path), read(&path.with_extension("small.in")));
    let expected = read(&path.with_extension("small.out"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (_, output, stats) = execute(&Options::default(), &source, &input, Tape::growing());
                assert!(output == expected && stats.loops > 0);
            });
        }
    });
}
