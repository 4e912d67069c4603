use metatrace::jit;

use super::errors::Fault;
use crate::state::Point;

pub fn twice(n: i64) -> i64 {
    n.wrapping_add(n)
}

#[jit::unroll_safe]
pub fn find(cells: &[i64], wanted: i64) -> Option<i64> {
    let mut index = 0;
    while index < cells.len() {
        if cells[index] == wanted {
            return Some(index as i64);
        }
        index += 1;
    }
    None
}

pub fn point(x: i64, y: i64) -> Point {
    Point { y: x.wrapping_sub(y), x }
}

pub fn apply<F: Fn(i64) -> i64>(f: F, n: i64) -> i64 {
    f(f(n))
}

pub fn checked(n: i64, by: i64) -> Result<i64, Fault> {
    if by == 0 {
        return Err(Fault::Number(n));
    }
    let Some(product) = n.checked_mul(by) else { return Err(Fault::Overflow) };
    Ok(product)
}

metatrace::glue!();
