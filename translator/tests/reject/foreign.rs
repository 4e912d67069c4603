use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &Traced<Vec<u8>>) -> usize {
    loop {
        jit::merge_point!();
        if pc >= code.len() { return pc }
        let path = std::env::temp_dir(); //~ E0302
        pc += 1;
        jit::can_enter_jit!();
    }
}
