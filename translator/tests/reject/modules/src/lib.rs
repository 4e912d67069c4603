metatrace::glue!();
mod missing; //~ E0002: no file for module `missing`
mod twice; //~ E0002: two files for module `twice`
mod bytes; //~ E0002: this is no UTF-8 text
mod broken;
mod itself;
#[path = "elsewhere/file.rs"]
mod found;
#[path = "elsewhere/nothing.rs"]
mod lost; //~ E0002: no file for module `lost`
use missing::Opcode;

#[metatrace::jit::portal(owner = code, greens = [pc])]
fn interpret(mut pc: usize, code: &metatrace::Traced<Vec<u8>>) -> usize {
    loop {
        metatrace::jit::merge_point!();
        if pc >= code.len() { return pc }
        pc += 1;
        metatrace::jit::can_enter_jit!();
    }
}

fn uses(op: Opcode) -> u8 { op.code() }
