// What is imported from a crate that is not there is not said to be missing as well.
use fastmath::mul; //~ E0005: there is no crate or module `fastmath`

fn step(n: i64) -> i64 {
    let x = mul(n, 2);
    x + 1
}
