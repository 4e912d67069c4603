use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(owner = code, greens = [pc])]
fn generic<T>(mut pc: usize, code: &Traced<u8>, t: T) { //~ E0402: a portal cannot be generic
    loop { jit::merge_point!(); pc += 1; }
}

#[jit::portal(owner = code, greens = [pc])]
const fn constant(mut pc: usize, code: &Traced<u8>) { //~ E0402: a portal cannot be `const`
    loop { jit::merge_point!(); pc += 1; }
}

#[jit::portal(owner = code, greens = [pc])]
fn pattern(mut pc: usize, code: &Traced<u8>, (a, b): (u8, u8)) { //~ E0402: must be plain names
    loop { jit::merge_point!(); pc += 1; }
}

#[jit::portal(owner = code, greens = [pc])]
fn empty(mut pc: usize, code: &Traced<u8>) {} //~ E0402: the portal has no `loop`
