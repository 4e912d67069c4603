//! Bodies that read and write memory of several layouts: enums whose layout Rust defines and does not, tuples, single floats.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use crate::code::Op;
use crate::state::{Form, State, Word};

fn read_word(acc: i64, _x: i64, y: i64, state: &mut State) -> i64 {
    match state.words[(y & 3) as usize] {
        Word::Nil => acc,
        Word::Int(n) => acc ^ n,
        Word::Float(f) => f as i64,
        Word::Pair { a, b } => a as i64 - b as i64,
    }
}

fn write_word(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    state.words[(x & 3) as usize] = match acc & 3 {
        0 => Word::Nil,
        1 => Word::Int(acc),
        2 => Word::Float(acc as f64 * 0.125),
        _ => Word::Pair { a: acc as u8, b: y as i16 },
    };
    if let Word::Int(n) = &mut state.words[1] {
        *n = n.wrapping_add(y);
    }
    acc
}

fn move_word(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let word = state.words[(acc & 3) as usize];
    state.words[(y & 3) as usize] = word;
    (state.words[(x & 3) as usize] == word) as i64
}

fn change_small(acc: i64, _x: i64, y: i64, state: &mut State) -> i64 {
    state.small.0 = state.small.0.wrapping_add(acc as u8);
    state.small.1 = state.small.1.wrapping_mul(3) >> 1;
    state.small.2 = (state.small.2 << 1) | (state.small.2 >> 31);
    let high = &mut state.small.2;
    *high ^= y as u32;
    acc.wrapping_add(state.small.0 as i64 + state.small.1 as i64 + state.small.2 as i64)
}

fn change_forms(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let form = state.forms[(y as u64 % 3) as usize];
    let acc = match form {
        Form::Dot => acc,
        Form::Circle(radius) => acc ^ radius,
        Form::Box { width, height } => acc ^ (width as i64 * height as i64),
    };
    state.forms[(acc & 1) as usize] = Form::Circle(acc & 0xff);
    state.forms[2] = Form::Box { width: acc as i32, height: x as u32 };
    acc
}

fn half(acc: i64, _x: i64, y: i64, state: &mut State) -> i64 {
    let f = acc as f64 / 3.0;
    state.half = state.half * 1.5 + f as f32;
    state.half += y as f32;
    (f.abs().sqrt() + state.half as f64) as i64
}

topic! {
    ReadWord => read_word
    WriteWord => write_word
    MoveWord => move_word
    ChangeSmall => change_small
    ChangeForms => change_forms
    HalfFloat => half
}

metatrace::glue!();
