//! Checks every case, or those from the given number on, and prints what is wrong.

fn main() {
    let first = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(0);
    generated::check::report(first);
}
