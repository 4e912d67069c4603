// What an unknown name is used for is not said to be wrong as well.
use std::collections::BTreeMap;

enum Op { Add }
struct Wrapped<T>(T);

fn step(n: i64) -> i64 {
    let a = nothing(n); //~ E0103: cannot find `nothing`
    let b = a.length() + 1;
    let c: Missing = b; //~ E0103: cannot find type `Missing`
    let d = match c { Op::Sub => 1, _ => 2 }; //~ E0103
    let e: Wrapped<i64, i64> = Wrapped(n); //~ E0104: too many generic arguments
    let f = crate::nowhere::thing(); //~ E0103
    n
}
