fn step(n: i64) -> i64 {
    (n + 1
} //~ E0003: this is not a sequence of Rust tokens
