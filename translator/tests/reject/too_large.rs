use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &Traced<Vec<u8>>, mut registers: [i64; 40]) -> i64 { //~ E0405: is too large
    loop {
        jit::merge_point!();
        if pc >= code.len() { return registers[0] }
        registers[1] += 1;
        pc += 1;
        jit::can_enter_jit!();
    }
}
