// Errors in what is reached only through functions with errors come with theirs.
use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(owner = code, greens = [pz])] //~ E0403: `pz` is no parameter
fn interpret(mut pc: usize, code: &Traced<Vec<u8>>) -> i64 {
    loop {
        jit::merge_point!();
        let x: i64 = first(pc);
        let y: bool = x; //~ E0201
        pc += 1;
        jit::can_enter_jit!();
    }
}

fn first(pc: usize) -> i64 {
    second(pc) + missing() //~ E0103: cannot find `missing`
}

fn second(pc: usize) -> i64 {
    pc //~ E0201: expected `i64`, found `usize`
}

fn unreached(pc: usize) -> i64 { pc }
