//! What stands not in the portal's arms but in functions of other files, by topic. Each file's `run` has one arm for each
//! instruction of its topic.

/// The function `run` of a topic whose bodies all have the same signature.
macro_rules! topic {
    ($($op:ident => $body:ident)*) => {
        pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
            match op {
                $( Op::$op => $body(acc, x, y, state), )*
                _ => unreachable!("not of this topic"),
            }
        }
    };
}

pub mod arith;
pub mod buffers;
pub mod closures;
pub mod collected;
pub mod enums;
pub mod errors;
pub mod exprs;
pub mod floats;
pub mod flow;
pub mod generic;
pub mod helper;
pub mod hints;
pub mod items;
pub mod iters;
pub mod numbers;
pub mod options;
pub mod order;
pub mod owned;
pub mod panics;
pub mod patterns;
pub mod slices;
pub mod stores;
pub mod structs;
pub mod tables;
pub mod texts;
pub mod traits;

metatrace::glue!();
