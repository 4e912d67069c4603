// What cannot be looked inside is called, if it has a name; how the portal reaches it is shown.
fn apply(f: fn(i64) -> i64, n: i64) -> i64 { f(n) }
fn odd(n: i64) -> i64 {
    apply(|x| x + 1, n) //~ E0501: the portal reaches it through `crate::portal_of_the_example` → `crate::step` → `crate::odd`
}
fn step(n: i64) -> i64 { odd(n) }
