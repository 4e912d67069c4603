use metatrace::jit;
metatrace::glue!();

#[jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &Tracked<Vec<u8>>) -> usize { //~ E0103: cannot find type `Tracked`
    loop {
        jit::merge_point!();
        pc += 1;
        jit::can_enter_jit!();
    }
}
