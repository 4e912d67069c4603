macro_rules! one { ($x:expr) => { $x }; }
macro_rules! endless { ($x:expr) => { endless!($x + 1) }; }
macro_rules! items { () => { fn helper() {} }; }
macro_rules! bad { ($x:nothing) => { $x }; } //~ E0101: malformed macro: unknown fragment `nothing`
macro_rules! twice { ($x:expr) => { $x }; }
macro_rules! twice { ($x:expr) => { $x + 1 }; } //~ E0101: `twice!` is defined twice here
macro_rules! growing { ($($x:tt)*) => { growing!($($x)* $($x)*) }; }

fn step(n: i64) -> i64 {
    let a = one!(n, 1); //~ E0101: no rule of `one!` matches
    let b = endless!(n); //~ E0101: macro expansion does not end
    let c = bad!(n);
    let e = growing!(n n); //~ E0101: macro expansion does not end
    a + b + c
}
