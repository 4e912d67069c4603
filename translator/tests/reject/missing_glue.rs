use metatrace::{Traced, jit}; //~ E0409: needs the line `metatrace::glue!();`

#[jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &Traced<Vec<u8>>) -> usize {
    loop {
        jit::merge_point!();
        if pc >= code.len() { return inner::last(pc) }
        pc += 1;
        jit::can_enter_jit!();
    }
}

mod inner {
    struct Private(usize); //~ E0409: needs the line `metatrace::glue!();`

    #[metatrace::jit::dont_look_inside]
    pub fn last(pc: usize) -> usize { Private(pc).0 }
}
