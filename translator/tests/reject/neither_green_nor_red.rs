use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &Traced<Vec<u8>>) -> u64 {
    let mut acc = 0u64; //~ E0402: neither green nor red
    println!("begin"); //~ E0402: outside of the loop
    loop {
        jit::merge_point!();
        if pc >= code.len() { return acc }
        acc += code[pc] as u64;
        pc += 1;
        jit::can_enter_jit!();
    }
}
