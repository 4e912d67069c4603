use metatrace::jit;

use crate::code::Op;
use crate::state::State;

#[jit::unroll_safe]
fn labels(acc: i64, y: i64) -> i64 {
    let mut sum = 0;
    'rows: for row in 0..4 {
        for column in (0..=3).rev() {
            if column == y & 3 {
                continue 'rows;
            }
            if row == acc & 7 {
                break 'rows;
            }
            sum += row * 10 + column;
        }
        sum += 1000;
    }
    sum
}

#[jit::unroll_safe]
fn break_value(acc: i64, y: i64) -> i64 {
    let mut n = 0;
    let found = loop {
        n += 1;
        if n * 3 > (acc & 15) {
            break n;
        }
        let inner = 'block: {
            if n == y & 7 {
                break 'block 100;
            }
            n & 1
        };
        if inner == 100 {
            break inner + n;
        }
    };
    found * 2
}

fn conditions(acc: i64, x: i64, y: i64) -> i64 {
    let sign = if acc < 0 {
        -1
    } else if acc == 0 {
        0
    } else {
        1
    };
    let lazy = y != 0 && x / y > 2 || (acc & 1 == 1 && x % 2 == 0);
    let chosen = if lazy { if y > 3 { 7 } else { 8 } } else { 9 };
    sign * chosen
}

fn half(n: i64) -> Option<i64> {
    if n & 1 == 0 { Some(n / 2) } else { None }
}

fn let_else(acc: i64, y: i64) -> i64 {
    let Some(h) = half(acc) else { return -y };
    let (Some(a), b) = (half(h), h) else {
        return h;
    };
    a ^ b
}

fn early(acc: i64, x: i64, y: i64) -> i64 {
    if acc > 30 {
        return 1;
    }
    let v = if y > 4 { return 2 } else { x };
    match v {
        11 => return 3,
        12 => {}
        _ => return v,
    }
    4
}

#[jit::unroll_safe]
fn nested_loops(acc: i64, y: i64, state: &mut State) -> i64 {
    let mut i = 0usize;
    let mut sum = 0i64;
    while i < state.cells.len() {
        let mut j = i;
        while j < state.cells.len() && j < i + 2 {
            sum = sum.wrapping_add(state.cells[j]);
            j += 1;
        }
        if i as i64 == y {
            state.cells[i] = acc;
        }
        i += 3;
    }
    sum
}

fn if_let_chain(acc: i64, x: i64, y: i64) -> i64 {
    if let Some(a) = half(acc)
        && let Some(b) = half(x)
        && a > b - y
    {
        a - b
    } else if let (Some(a), 0..) | (None, a @ 20..) = (half(y), acc) {
        a
    } else {
        -1
    }
}

fn shadow(acc: i64, x: i64) -> i64 {
    let x = x as u8;
    let acc = {
        let x = x as i64 + 1;
        let acc = acc.wrapping_mul(x);
        acc ^ x
    };
    let x = (x, acc);
    x.0 as i64 ^ x.1
}

fn never(acc: i64, y: i64) -> i64 {
    let n: u8 = match y {
        0..=255 => y as u8,
        _ => panic!("{y} is no byte"),
    };
    n as i64 + acc % 100
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::Labels => labels(acc, y),
        Op::BreakValue => break_value(acc, y),
        Op::Conditions => conditions(acc, x, y),
        Op::LetElse => let_else(acc, y),
        Op::EarlyReturn => early(acc, x, y),
        Op::NestedLoops => nested_loops(acc, y, state),
        Op::IfLetChain => if_let_chain(acc, x, y),
        Op::Shadow => shadow(acc, x),
        Op::Never => never(acc, y),
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
