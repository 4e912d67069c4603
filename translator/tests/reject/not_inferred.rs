fn step(n: i64) -> i64 {
    let none = None; //~ E0202
    n
}
