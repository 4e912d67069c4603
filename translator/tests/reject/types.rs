// Types that do not fit: each is said once, and what follows from it is not.
struct Pair { a: i64 }

fn step(n: i64) -> i64 {
    let s = &Pair { a: n };
    let low: u8 = n; //~ E0201: expected `u8`, found `i64`
    let grown = low + 1;
    s.b; //~ E0207: no field `b`
    s.go(); //~ E0203: no method `go`
    step(); //~ E0206: 0 arguments for 1 parameter
    n(1); //~ E0208
    s as u8; //~ E0209
    n + s; //~ E0211
    n + 1 = 2; //~ E0212
    let (x, y) = n; //~ E0210: a tuple pattern for what is no tuple
    break; //~ E0213: no loop or block to leave
    x + y
}
