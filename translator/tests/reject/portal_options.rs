use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(owner = code, greens = [pz], colour = 1)] //~ E0403: `pz` is no parameter //~ E0403: `colour` is no option
fn a(mut pc: usize, code: &Traced<u8>) {
    loop { jit::merge_point!(); pc += 1; }
}

#[jit::portal(owner = code, greens = pc, name = 3)] //~ E0403: `greens` takes a list //~ E0403: `name` takes a string
fn b(mut pc: usize, code: &Traced<u8>) {
    loop { jit::merge_point!(); pc += 1; }
}

#[jit::portal(owner = code, owner = code, greens = [pc])] //~ E0403: `owner` is given twice
fn c(mut pc: usize, code: &Traced<u8>) {
    loop { jit::merge_point!(); pc += 1; }
}

#[jit::portal(owner = code, greens = [pc, x, s])]
fn d(
    mut pc: usize,
    code: &Traced<u8>,
    x: f64, //~ E0403: `x` cannot be green
    s: String, //~ E0403: `s` cannot be green
) {
    loop { jit::merge_point!(); pc += 1; }
}

#[jit::portal(owner: code)] //~ E0403: malformed option
fn e(mut pc: usize, code: &Traced<u8>) {
    loop { jit::merge_point!(); pc += 1; }
}
