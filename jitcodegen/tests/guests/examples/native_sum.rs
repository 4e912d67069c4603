//! The loop of the program `boxed/sum` in Rust, on plain integers: the peer that the benchmarks compare with.
//!
//! Usage: `native_sum N`. The barrier keeps the compiler from replacing the loop by its result, but leaves the values in
//! registers.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(limit) = std::env::args().nth(1).and_then(|arg| arg.parse::<i64>().ok()) else {
        eprintln!("usage: native_sum N");
        return ExitCode::from(2);
    };
    println!("{}", sum(limit));
    ExitCode::SUCCESS
}

fn sum(limit: i64) -> i64 {
    let (mut i, mut sum) = (0i64, 0i64);
    while i < limit {
        sum = barrier(sum.wrapping_add(i));
        i += 1;
    }
    sum
}

/// The value, which the compiler knows nothing of.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn barrier(mut value: i64) -> i64 {
    // SAFETY: no instruction is emitted; the register is only declared changed.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) value, options(pure, nomem, nostack, preserves_flags)) };
    value
}

/// The value, which the compiler is asked not to look through.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn barrier(value: i64) -> i64 {
    std::hint::black_box(value)
}
