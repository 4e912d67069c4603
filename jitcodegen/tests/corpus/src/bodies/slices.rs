use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State};

fn patterns(cells: &[i64]) -> i64 {
    match cells {
        [] => 0,
        [a] => *a,
        [a, b] if a < b => a.wrapping_sub(*b),
        [first, .., 6] => *first,
        [_, second, rest @ ..] => second.wrapping_add(rest.len() as i64),
    }
}

#[jit::unroll_safe]
fn iterate(cells: &[i64], y: i64) -> i64 {
    let mut sum = 0i64;
    for (index, cell) in cells.iter().enumerate() {
        if index as i64 > y {
            break;
        }
        sum = sum.wrapping_mul(3).wrapping_add(*cell);
    }
    for cell in cells {
        sum ^= cell;
    }
    sum
}

#[jit::unroll_safe]
fn iterate_mut(cells: &mut [i64], by: i64) -> i64 {
    for cell in cells.iter_mut() {
        *cell = cell.wrapping_add(by);
    }
    for cell in cells.iter_mut() {
        if *cell > 40 {
            *cell = 0;
        }
    }
    cells[0]
}

#[jit::unroll_safe]
fn zipped(a: &[i64], b: &[u8]) -> i64 {
    let mut sum = 0i64;
    for (x, y) in a.iter().zip(b.iter()) {
        sum = sum.wrapping_add(x.wrapping_mul(*y as i64));
    }
    sum
}

fn arrays(acc: i64, x: i64, y: i64) -> i64 {
    let mut a = [acc, x, y, 7];
    let b = a;
    a[(y & 3) as usize] = 100;
    a[0] ^= b[3];
    let [p, q, ..] = a;
    let grid = [[1i64, 2], [3, acc]];
    p ^ q ^ sum4(a) ^ grid[(x & 1) as usize][(y & 1) as usize] ^ b.len() as i64
}

fn sum4(a: [i64; 4]) -> i64 {
    a[0].wrapping_add(a[1]).wrapping_add(a[2]).wrapping_add(a[3])
}

fn array_of_structs(points: &mut [Point], x: i64, y: i64) -> i64 {
    let index = (y as u64 % 3) as usize;
    points[index].x = points[index].x.wrapping_add(x);
    let point = &mut points[(index + 1) % 3];
    point.y ^= y;
    let copy = *point;
    points[2] = Point { x: copy.y, ..copy };
    copy.x.wrapping_sub(points[index].x)
}

fn bytes(log: &mut Vec<u8>, acc: i64) -> i64 {
    let text = b"0123456789abcdef";
    log.push(text[(acc & 15) as usize]);
    let last = log[log.len() - 1];
    if last == b'a' {
        log[0] = b'!';
    }
    last as i64 + text.len() as i64
}

fn vec_ops(state: &mut State, acc: i64, y: i64) -> i64 {
    state.cells.push(acc);
    if state.cells.len() > 12 {
        state.cells.truncate(8);
    }
    if y == 3 {
        state.cells.insert(1, y);
    }
    let popped = match state.cells.pop() {
        Some(n) => n,
        None => -1,
    };
    let first = state.cells.first().copied().unwrap_or(0);
    let last = *state.cells.last().unwrap_or(&5);
    if state.cells.is_empty() { 0 } else { popped ^ first ^ last }
}

fn subslice(cells: &[i64], y: i64) -> i64 {
    let middle = &cells[1..4];
    let tail = &cells[y as usize..];
    middle[2].wrapping_add(tail.len() as i64)
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::Index => {
            state.cells[y as usize] = acc;
            state.cells[7 - y as usize].wrapping_add(state.cells[2])
        }
        Op::Patterns => {
            if acc & 7 == 0 {
                state.cells.clear();
            }
            state.cells.push(y);
            patterns(&state.cells)
        }
        Op::Iterate => iterate(&state.cells, y),
        Op::IterateMut => iterate_mut(&mut state.cells, y),
        Op::Zipped => {
            if state.log.len() < 5 {
                state.log.push(x as u8);
            }
            zipped(&state.cells, &state.log)
        }
        Op::Arrays => arrays(acc, x, y),
        Op::ArrayOfStructs => array_of_structs(&mut state.points, x, y),
        Op::Bytes => bytes(&mut state.log, acc),
        Op::VecOps => vec_ops(state, acc, y),
        Op::Swaps => {
            state.cells.swap((acc & 7) as usize, (y & 7) as usize);
            state.cells[0]
        }
        Op::Subslice => subslice(&state.cells, y),
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
