use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(greens = [pc])] //~ E0408: `code` can be it
fn without(mut pc: usize, code: &Traced<u8>) {
    loop { jit::merge_point!(); pc += 1; }
}

#[jit::portal(owner = code, greens = [pc])]
fn wrong(mut pc: usize, code: &Vec<u8>) { //~ E0408: cannot own traces
    loop { jit::merge_point!(); pc += 1; }
}
