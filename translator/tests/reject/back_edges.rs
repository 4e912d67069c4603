use metatrace::{Traced, jit};
metatrace::glue!();

#[jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &Traced<u8>) -> usize {
    loop {
        jit::merge_point!();
        pc += 1;
        let jump = || jit::can_enter_jit!(); //~ E0407: inside a closure
        jump();
        helper(pc);
    }
}

fn helper(pc: usize) {
    jit::can_enter_jit!(); //~ E0407: outside of a portal's loop
}
