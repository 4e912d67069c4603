fn step(n: i64) -> i64 {
    let twice = ; //~ E0003: syntax error
    twice
}
