use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(owner = code, greens = [pc])]
fn second(mut pc: usize, code: &Traced<u8>) {
    loop {
        jit::merge_point!();
        if pc > 3 {
            jit::merge_point!(); //~ E0406: a second merge point
        }
        pc += 1;
        jit::can_enter_jit!();
    }
}

#[jit::portal(owner = code, greens = [pc])]
fn late(mut pc: usize, code: &Traced<u8>) {
    loop {
        pc += 1;
        jit::merge_point!(); //~ E0406: not the first statement
        jit::can_enter_jit!();
    }
}

#[jit::portal(owner = code, greens = [pc])]
fn none(mut pc: usize, code: &Traced<u8>) { //~ E0406: no merge point
    loop {
        pc += 1;
        jit::can_enter_jit!();
    }
}

fn elsewhere(n: i64) -> i64 {
    jit::merge_point!(); //~ E0406: outside of a portal
    n
}
