use metatrace::jit;

#[jit::elidible] //~ E0404: `elidible` is no attribute of metatrace
fn square(n: i64) -> i64 { n * n }

#[jit::look_inside_iff] //~ E0404: `look_inside_iff` takes the name of a function
fn no_predicate(n: i64) -> i64 {
    n
}

#[jit::dont_look_inside(why)] //~ E0404: `dont_look_inside` takes no arguments
fn outside(n: i64) -> i64 { n }

fn step(n: i64) -> i64 {
    let n = no_predicate(n);
    let a = jit::promote(n, 1); //~ E0206
    let b = jit::demote(n); //~ E0404: there is no hint `demote`
    square(n) + outside(n) + a
}
