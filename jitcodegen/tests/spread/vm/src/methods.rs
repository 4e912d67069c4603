//! Two machines whose portals have one name.

use metatrace::{Traced, jit};

metatrace::glue!();

/// Adds.
struct Adder {
    step: i64,
}

/// Multiplies.
struct Doubler {
    turns: u32,
}

impl Adder {
    #[jit::portal(owner = code, greens = [pc], name = "adder")]
    fn run(&mut self, mut pc: usize, code: &Traced<Vec<u8>>, mut left: u32, mut sum: i64) -> i64 {
        loop {
            jit::merge_point!();
            if pc < code.len() {
                sum += self.step * i64::from(code[pc]);
                pc += 1;
            } else {
                if left == 0 {
                    return sum;
                }
                left -= 1;
                pc = 0;
                jit::can_enter_jit!();
            }
        }
    }
}

impl Doubler {
    #[jit::portal(owner = code, greens = [pc], name = "doubler")]
    fn run(&mut self, mut pc: usize, code: &Traced<Vec<u8>>, mut left: u32, mut product: i64) -> i64 {
        loop {
            jit::merge_point!();
            if pc < code.len() {
                product = product.wrapping_mul(i64::from(code[pc]));
                self.turns += 1;
                pc += 1;
            } else {
                if left == 0 {
                    return product;
                }
                left -= 1;
                pc = 0;
                jit::can_enter_jit!();
            }
        }
    }
}

/// Runs both over a few numbers, `n` times; their results as text.
pub fn both(n: u32) -> String {
    let code = Traced::new(vec![3, 5, 7]);
    let (mut adder, mut doubler) = (Adder { step: 2 }, Doubler { turns: 0 });
    let (sum, product) = (adder.run(0, &code, n, 0), doubler.run(0, &code, n, 1));
    format!("{sum} {product} {}", doubler.turns)
}
