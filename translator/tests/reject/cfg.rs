#[cfg(not(unix, windows))] //~ E0004: `not` takes one condition
fn a() {}

#[cfg_attr(unix = 3, inline)] //~ E0004
fn b() {}

fn step(n: i64) -> i64 {
    a();
    n
}
