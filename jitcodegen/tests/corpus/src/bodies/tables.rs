use std::sync::atomic::{AtomicI64, Ordering};

use crate::code::Op;
use crate::state::{Point, State};

const LIMIT: i64 = 3 * inner::BASE + 1;
const TABLE: [i64; 5] = [1, 10, 100, LIMIT, -1];
const ORIGIN: Point = Point { x: 5, y: -5 };
static PRIMES: [u16; 6] = [2, 3, 5, 7, 11, 13];
static NAMES: [&str; 3] = ["zero", "one", "more"];
static START: i64 = 17;
static SHARED: AtomicI64 = AtomicI64::new(3);

mod inner {
    metatrace::glue!();

    pub const BASE: i64 = 4;
    pub fn scaled(n: i64) -> i64 {
        super::twice(n) ^ BASE
    }
    pub mod deeper {
        metatrace::glue!();

        pub use super::scaled as renamed;
        pub struct Level(pub u8);
        impl Level {
            pub const TOP: Level = Level(9);
            pub fn next(self) -> u8 {
                self.0.saturating_add(super::super::STEP)
            }
        }
    }
}

const STEP: u8 = 2;

fn twice(n: i64) -> i64 {
    n.wrapping_mul(2)
}

fn strings(acc: i64) -> i64 {
    let name = NAMES[(acc & 1) as usize];
    let other = if acc & 2 == 0 { "one" } else { "zero" };
    name.len() as i64 * 100 + (name == other) as i64 + name.as_bytes()[1] as i64
}

pub fn run(op: Op, acc: i64, _x: i64, y: i64, _state: &mut State) -> i64 {
    match op {
        Op::Constants => match acc {
            LIMIT => ORIGIN.x,
            n if n > LIMIT => n ^ ORIGIN.y,
            _ => i64::from(u8::MAX) + i32::MIN as i64 + acc % LIMIT,
        },
        Op::Statics => START + PRIMES[(acc as u64 % 6) as usize] as i64 + SHARED.load(Ordering::Relaxed),
        Op::Table => TABLE[y as usize] ^ acc,
        Op::Strings => strings(acc),
        Op::Modules => {
            use inner::deeper::{Level, renamed};
            renamed(acc) ^ Level(y as u8).next() as i64 ^ Level::TOP.next() as i64
        }
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
