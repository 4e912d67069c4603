//! Random guest programs in every engine.

use std::panic::AssertUnwindSafe;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;

use crate::guest::Case;
use crate::guest::op::*;

/// A program that ends: jumps back, and calls of the portal, take fuel; other jumps go forward.
fn program(u: &mut Unstructured) -> Result<Vec<u64>> {
    const MOST: usize = 60;
    let plain = [ADD, TWIST, LOCAL, HELP, SCALE, PROMOTE, PEEK, PEEK, SWAP, CHANGE];
    let mut starts: Vec<usize> = vec![];
    let mut ops: Vec<u64> = vec![];
    let mut forward: Vec<usize> = vec![];
    for _ in 0..u.int_in_range(3..=18)? {
        starts.push(ops.len());
        match u.int_in_range(0..=9)? {
            0..=3 => ops.push(*u.choose(&plain)?),
            4 => ops.extend([CELL, u.int_in_range(0..=15)?]),
            5 => ops.extend([SET, u.int_in_range(0..=6)?]),
            6 | 7 => ops.extend([FUEL, *u.choose(&[LOOP, LESS])?, *u.choose(&starts)? as u64]),
            8 => {
                forward.push(ops.len() + 1);
                ops.extend([IF_ODD, 0]);
            }
            _ => {
                forward.push(ops.len() + 2);
                ops.extend([FUEL, RECURSE, 0]);
            }
        }
    }
    for at in forward {
        // To any later start, or the end, where the rest of memory returns.
        let later: Vec<usize> =
            starts.iter().copied().filter(|&start| start > at).chain([ops.len()]).collect();
        ops[at] = *u.choose(&later)? as u64;
    }
    assert!(ops.len() < MOST);
    Ok(ops)
}

#[test]
fn random_programs_agree() {
    let mut loops = 0;
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let check = arbtest(|u| {
            let mut case = Case::new(&program(u)?, u.int_in_range(0..=20)?);
            case.bound = u.int_in_range(0..=100_000)?;
            if u.ratio(1, 3)? {
                case.limit = u.int_in_range(0..=1 << 40)?;
            }
            loops += case.check_results().loops;
            Ok(())
        });
        let milliseconds = std::env::var("METATRACE_FUZZ_MS").ok().and_then(|text| text.parse().ok());
        check.budget_ms(milliseconds.unwrap_or(1000)).run();
    }));
    std::panic::set_hook(quiet);
    if let Err(payload) = result {
        std::panic::resume_unwind(payload);
    }
    assert!(loops > 0);
}
