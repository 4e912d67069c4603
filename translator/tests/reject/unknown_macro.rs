fn step(n: i64) -> i64 {
    let a: i64 = twice!(n); //~ E0102: there is no macro `twice!`
    a + 1
}
