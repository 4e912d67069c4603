//! No input makes the tools panic.
//!
//! `METATRACE_FUZZ_MS=600000 cargo test --release -p metatrace-translation-fuzz` runs for ten minutes, from case `METATRACE_FUZZ_SEED` on.
//! The case that fails is printed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use metatrace_translation_fuzz::{Crate, foreign_files, mutate, seeds, translate};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a case on a thread of its own, so that its panic can be told together with its text.
fn run(what: &str, case: &Crate) {
    if number("METATRACE_FUZZ_MS").is_some() {
        println!("{what}: {}", case.root.display());
    }
    let thread = std::thread::scope(|scope| scope.spawn(|| translate(case)).join());
    assert!(thread.is_ok(), "{what} makes the tools panic:\n{}", case.text());
}

/// Runs cases until the time is over.
fn for_a_while(share: u64, mut case: impl FnMut(u64)) {
    let time = Duration::from_millis(number("METATRACE_FUZZ_MS").unwrap_or(1_000) * share / 100);
    let (start, first) = (Instant::now(), number("METATRACE_FUZZ_SEED").unwrap_or(0));
    for n in first.. {
        case(n);
        if start.elapsed() >= time {
            break;
        }
    }
}

#[test]
fn damaged_interpreters_do_not_panic() {
    let seeds = seeds();
    for_a_while(60, |n| run(&format!("case {n}"), &mutate(&seeds, n)));
}

#[test]
fn arbitrary_rust_does_not_panic() {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    // Where no dependency's source is at hand, the tools' own serves.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../translator/src");
    let folder = home.map(|h| h.join("registry/src")).filter(|f| f.is_dir()).unwrap_or(own);
    let files = foreign_files(&folder, 2_000);
    if files.is_empty() {
        return;
    }
    for_a_while(40, |n| {
        let file = &files[(n as usize * 37) % files.len()];
        match n % 2 {
            0 => run("an arbitrary file", file),
            _ => run(&format!("case {n} of arbitrary files"), &mutate(&files, n)),
        }
    });
}
