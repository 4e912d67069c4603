//! Each program of the `programs` folder writes what stands beside it: `NAME.bf` reads `NAME.in` and writes
//! `NAME.out`, and `NAME.small.in` and `NAME.small.out` are a run short enough for an unoptimised interpreter.

use std::path::{Path, PathBuf};

use brainfuck::{Eof, Host, Program, Tape, run};
use metatrace::Traced;

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs")
}

/// Runs a program of the folder with `NAME.<size>in` and compares with `NAME.<size>out`.
#[track_caller]
fn check(name: &str, size: &str, mut tape: Tape) {
    let file = |extension: &str| {
        let path = programs().join(format!("{name}.{extension}"));
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let program = Traced::new(Program::load(&file("bf")).unwrap());
    let mut host = Host::memory(Eof::Zero, &file(&format!("{size}in")));
    run(&program, &mut tape, &mut host).unwrap();
    let output = host.into_output();
    assert!(
        output == file(&format!("{size}out")),
        "{name} wrote something else:\n{}",
        String::from_utf8_lossy(&output)
    );
}

macro_rules! programs {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), "small.", Tape::fixed(30_000).unwrap());
                check(stringify!($name), "small.", Tape::growing());
                // The long runs take seconds with optimisation and minutes without.
                if !cfg!(debug_assertions) {
                    check(stringify!($name), "", Tape::fixed(30_000).unwrap());
                }
            }
        )*

        #[test]
        fn no_program_is_forgotten() {
            let mut found: Vec<String> = std::fs::read_dir(programs())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter_map(|name| name.strip_suffix(".bf").map(str::to_string))
                .collect();
            found.sort();
            assert_eq!(found, [$(stringify!($name)),*]);
        }
    };
}

programs! { automaton collatz fibonacci hanoi mandelbrot primes sort }
