use crate::code::Op;
use crate::state::{Host, State};

fn small(n: i64) -> Option<i64> {
    if n.wrapping_abs() < 1 << 30 { Some(n) } else { None }
}

/// Counts when it goes, also while a panic goes by.
struct Guard<'a>(&'a mut Host);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.drops += 1;
    }
}

fn guarded(acc: i64, y: i64, host: &mut Host) -> i64 {
    let guard = Guard(host);
    let n = guard.0.limited(acc);
    if n > 1 << 16 {
        panic!("more than {}", 1 << 16);
    }
    n / y
}

fn deep(acc: i64, y: i64, depth: u8) -> i64 {
    if depth == 0 { acc / (y - 70) } else { deep(acc, y, depth - 1) + 1 }
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::Unwrap => small(acc).unwrap(),
        Op::Expect => small(x).expect("a small number"),
        Op::Bounds => state.cells[y as usize],
        Op::Explicit => {
            if acc > 1 << 20 {
                panic!("too much")
            }
            acc
        }
        Op::Formatted => {
            if acc > 1 << 20 {
                panic!("{acc} is too much for {y:?}")
            }
            acc
        }
        Op::Assert => {
            assert!(acc < 1 << 20, "{acc} is too much");
            assert_eq!(x & 0, 0);
            debug_assert!(y < 1 << 20);
            #[rustfmt::skip]
            assert!(!(x>1<<20)&&state.cells .len( )>1);
            acc
        }
        Op::Unreached => match y {
            ..0 => unreachable!(),
            0..1000 => y,
            _ => unreachable!("{y} cannot be"),
        },
        Op::InHost => state.host.limited(acc),
        Op::DropWhilePanicking => guarded(acc, y, &mut state.host),
        Op::DivideDeep => deep(acc, y, 3),
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
