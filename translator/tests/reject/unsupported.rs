use metatrace::{Traced, jit};
metatrace::glue!();

union Bits { int: u64, float: f64 }

#[jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &Traced<Vec<u8>>, mut acc: f64) -> f64 {
    loop {
        jit::merge_point!();
        if pc >= code.len() { return acc }
        let later = async { 1 }; //~ E0301: `async` code cannot be translated
        let later = async || 1; //~ E0301: an `async` closure cannot be translated
        let bits = Bits { float: acc }; //~ E0302: `crate::Bits`
        let c = c"text"; //~ E0301: this kind of literal
        pc += 1;
        jit::can_enter_jit!();
    }
}
