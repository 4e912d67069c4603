//! Making a failing case smaller as long as it fails in the same way.

use metatrace_generator::{Case, shrink};

use super::crates::Crates;
use super::{Failure, Kind};
use crate::Result;

/// How many smaller cases are tried together, where each try is a build.
const TOGETHER: usize = 60;
/// How often a build is made for one failure.
const BUILDS: usize = 14;

/// The smallest case found that fails as this one does, and how it fails.
pub fn reduce(crates: &Crates, case: &Case, failure: &Failure) -> Result<(Case, Failure)> {
    match failure.kind {
        Kind::Refused | Kind::Panicked | Kind::Called => Ok(alone(crates, case, failure)),
        Kind::NotCompiled | Kind::Wrong | Kind::Crashed => together(crates, case, failure),
    }
}

/// One by one, in this process.
fn alone(crates: &Crates, case: &Case, failure: &Failure) -> (Case, Failure) {
    let (mut best, mut how) = (case.clone(), failure.clone());
    let class = failure.class();
    loop {
        let smaller = shrink(&best, usize::MAX).into_iter().find_map(|case| {
            let failure = crates.translate(std::slice::from_ref(&case)).err()?;
            (failure.class() == class).then_some((case, failure))
        });
        match smaller {
            Some(found) => (best, how) = found,
            None => return (best, how),
        }
    }
}

/// Many in one crate.
fn together(crates: &Crates, case: &Case, failure: &Failure) -> Result<(Case, Failure)> {
    let (mut best, mut how) = (case.clone(), failure.clone());
    for _ in 0..BUILDS {
        let mut tried = shrink(&best, TOGETHER);
        for (n, case) in tried.iter_mut().enumerate() {
            case.name = format!("c{n}");
        }
        crates.translate_each(&mut tried);
        let found = crates.run(&tried)?;
        let same = found.into_iter().filter(|(_, other)| other.kind == failure.kind);
        match same.min_by_key(|(case, _)| case.size()) {
            Some(found) => (best, how) = found,
            None => break,
        }
    }
    Ok((best, how))
}
