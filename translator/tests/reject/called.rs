// What cannot be looked inside is called, if it has a name; how the portal reaches it is shown.
fn odd(n: i64) -> i64 {
    static mut COUNT: i64 = 0;
    unsafe { COUNT += n }; //~ E0501: the portal reaches it through `crate::portal_of_the_example` → `crate::step` → `crate::odd`
    n
}
fn step(n: i64) -> i64 { odd(n) }
