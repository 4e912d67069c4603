metatrace::glue!();

#[metatrace::jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &metatrace::Traced<usize>, mut acc: i64) -> i64 {
    loop {
        metatrace::jit::merge_point!();
        if pc == **code {
            return acc;
        }
        acc += 1;
        pc += 1;
        metatrace::jit::can_enter_jit!();
    }
}
