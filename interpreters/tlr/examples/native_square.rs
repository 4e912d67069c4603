//! The loop of `programs/square.tlr` in Rust: the peer that the benchmarks compare with.
//!
//! Usage: `native_square TURNS`. The barrier keeps the compiler from replacing the loop by its result, but leaves the
//! values in registers.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(turns) = std::env::args().nth(1).and_then(|arg| arg.parse::<i64>().ok()) else {
        eprintln!("usage: native_square TURNS");
        return ExitCode::from(2);
    };
    println!("{}", square(turns));
    ExitCode::SUCCESS
}

fn square(turns: i64) -> i64 {
    let (mut left, mut sum) = (turns, 0i64);
    while left != 0 {
        sum = barrier(sum.wrapping_add(turns));
        left -= 1;
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
