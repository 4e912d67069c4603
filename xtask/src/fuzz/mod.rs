//! `fuzz translation`: generated functions, natively against every engine, by the thousand.
//!
//! In: a seed and a number of cases. Out: on standard output every kind of failure once, shrunk if asked for, and written to
//! `target/fuzz/`; an error if there was any. Cases are translated in this process, many as one crate; then the crate is built
//! as package `generated`, and its binary compares the engines.

mod crates;
mod lua;
mod reduce;

use std::collections::BTreeMap;
use std::path::PathBuf;

use metatrace_generator::{Case, generate};

use crate::Result;
use crates::Crates;

pub use lua::lua;

/// What is asked for.
pub struct Options {
    /// The first case's seed; the others follow.
    pub seed: u64,
    /// How many cases.
    pub count: u64,
    /// How many of them become one crate.
    pub batch: u64,
    /// Whether the crates are built as releases.
    pub release: bool,
    /// Whether failures are made smaller.
    pub shrink: bool,
    /// Whether cases are only translated, not run.
    pub translate_only: bool,
}

/// A failure of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How it came to light.
    pub kind: Kind,
    /// What was said.
    pub message: String,
}

/// How a failure comes to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The translator says no.
    Refused,
    /// The translator panics.
    Panicked,
    /// Some function is called that should be looked inside.
    Called,
    /// rustc says no: a mistake of the generator, or glue that it does not accept.
    NotCompiled,
    /// An engine differs from native code.
    Wrong,
    /// The process ended.
    Crashed,
}

impl Failure {
    /// What failures of the same cause have in common: the message's first line without numbers and names.
    pub fn class(&self) -> String {
        let line = self.message.lines().next().unwrap_or_default();
        let line = match self.kind {
            Kind::Wrong => line.split(": native").next().unwrap_or(line),
            _ => line,
        };
        let mut out = format!("{:?}: ", self.kind);
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '`' => {
                    quoted = !quoted;
                    out.push(c);
                }
                _ if quoted => {}
                '0'..='9' => {}
                c => out.push(c),
            }
        }
        out.truncate(out.char_indices().nth(200).map_or(out.len(), |(at, _)| at));
        out
    }
}

/// Runs generated cases.
pub fn translation(options: &Options) -> Result<()> {
    let crates = Crates::new(options.release)?;
    // What panics is caught and reported.
    std::panic::set_hook(Box::new(|_| {}));
    let mut classes: BTreeMap<String, (usize, Case, Failure)> = BTreeMap::new();
    let (mut functions, mut ran) = (0, 0);
    let mut at = 0;
    while at < options.count {
        let size = options.batch.min(options.count - at);
        let mut cases: Vec<Case> =
            (0..size).map(|n| generate(options.seed + at + n, &format!("c{n}"))).collect();
        let mut failures = crates.translate_each(&mut cases);
        if !options.translate_only {
            failures.extend(crates.run(&cases)?);
        }
        functions += cases.iter().map(Case::function_count).sum::<usize>();
        ran += cases.len();
        for (case, failure) in failures {
            let class = failure.class();
            let known = classes.entry(class.clone()).or_insert_with(|| {
                println!("seed {}: {class}\n    {}", case.seed, failure.message.replace('\n', "\n    "));
                (0, case.clone(), failure.clone())
            });
            known.0 += 1;
            if case.size() < known.1.size() {
                (known.1, known.2) = (case, failure);
            }
        }
        at += size;
        println!(
            "{at} of {} cases, {functions} functions, {} kinds of failure",
            options.count,
            classes.len()
        );
    }
    let found: usize = classes.values().map(|(count, ..)| count).sum();
    for (class, (count, case, failure)) in &classes {
        println!("\n{count} × {class}");
        let (case, failure) = match options.shrink {
            true => reduce::reduce(&crates, case, failure)?,
            false => (case.clone(), failure.clone()),
        };
        let path = write(&crates, class, &case, &failure)?;
        println!("{}\n{}", failure.message, path.display());
        if options.shrink {
            println!("{}", case.text());
        }
    }
    println!("{ran} cases of {functions} functions ran, {found} failed in {} ways", classes.len());
    if found == 0 { Ok(()) } else { Err(format!("{found} cases failed")) }
}

/// Keeps a failing case.
fn write(crates: &Crates, class: &str, case: &Case, failure: &Failure) -> Result<PathBuf> {
    let name: String =
        class.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    let path = crates.dir.join(format!("{}-{}.rs", name.trim_matches('-'), case.seed));
    let message: String = failure.message.lines().map(|line| format!("// {line}\n")).collect();
    let text = format!("{message}{}", metatrace_generator::program(std::slice::from_ref(case)));
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seed of which some of the first cases use the operation that is lowered wrongly.
    const SEED: u64 = 300;

    #[test]
    fn a_wrong_lowering_is_found_and_shrunk_to_what_shows_it() {
        let crates = Crates::planted().expect("a folder");
        let mut cases: Vec<Case> = (0..24).map(|n| generate(SEED + n, &format!("c{n}"))).collect();
        cases.sort_by_key(Case::size);
        cases.truncate(12);
        let found = crates.run(&cases).expect("they can be built");
        let wrong = found.into_iter().filter(|(_, failure)| failure.kind == Kind::Wrong);
        let (case, failure) = wrong.min_by_key(|(case, _)| case.size()).expect("some case shows the mistake");
        let (small, failure) = reduce::reduce(&crates, &case, &failure).expect("they can be built");
        let text = small.text();
        assert_eq!(failure.kind, Kind::Wrong, "{}", failure.message);
        // What is left is the operation and little around it.
        assert!(text.contains('^'), "{text}");
        assert!(small.size() <= 30 && small.size() <= case.size(), "{} nodes:\n{text}", small.size());
        // And it is the lowering that was wrong.
        let right = Crates::new(false).and_then(|crates| crates.run(&[small])).expect("it can be built");
        assert!(right.is_empty(), "{}", right[0].1.message);
    }
}
