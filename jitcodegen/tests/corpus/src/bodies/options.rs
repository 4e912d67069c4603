//! Bodies with the methods of `Option` and `Result`, and `?`.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use std::ops::ControlFlow;

use crate::code::Op;
use crate::state::{Point, State};

fn small(n: i64) -> Option<i64> {
    if (-20..40).contains(&n) { Some(n) } else { None }
}

fn even(n: i64) -> Result<i64, u8> {
    if n % 2 == 0 { Ok(n / 2) } else { Err(n as u8) }
}

#[derive(Debug, Clone, PartialEq)]
enum Trouble {
    Odd(u8),
    Text(String),
}

impl From<u8> for Trouble {
    fn from(n: u8) -> Trouble {
        Trouble::Odd(n)
    }
}

impl From<&str> for Trouble {
    fn from(text: &str) -> Trouble {
        Trouble::Text(text.to_string())
    }
}

fn option_map(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = small(acc).map_or(-1, |n| n + 1);
    let b = small(x).map_or_else(|| y, |n| n ^ y);
    let c = small(y).is_some_and(|n| n > 3) as i64;
    let d = small(acc).is_none_or(|n| n > 3) as i64;
    a ^ b.wrapping_mul(8) ^ c ^ d << 1
}

fn option_combine(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = small(acc).and(small(x)).unwrap_or(1);
    let b = small(acc).xor(small(y)).unwrap_or(2);
    let (c, d) = small(x).zip(small(y)).unwrap_or((3, 4));
    let e = small(acc).or_else(|| small(y)).unwrap_or_default();
    a ^ b << 3 ^ c << 6 ^ d << 9 ^ e << 12
}

fn option_take(acc: i64, x: i64, _y: i64, state: &mut State) -> i64 {
    let slot = &mut state.record.option;
    if acc & 1 == 0 {
        let n = slot.get_or_insert(x);
        *n = n.wrapping_add(1);
    } else if acc & 2 == 0 {
        *slot.insert(acc) ^= 1;
    } else {
        let old = slot.take_if(|n| *n > 14);
        return old.unwrap_or(-7);
    }
    let inserted = *slot.get_or_insert_with(|| x);
    let replaced = slot.replace(inserted ^ 5);
    replaced.unwrap_or(0) ^ slot.take().unwrap_or(9)
}

fn option_as_ref(acc: i64, x: i64, _y: i64, state: &mut State) -> i64 {
    if acc % 3 == 0 {
        state.record.option = small(x);
    }
    if let Some(n) = state.record.option.as_mut() {
        *n += 1;
    }
    let sum = state.record.option.as_ref().map(|n| *n + 1).unwrap_or(0);
    let copied = state.record.option.iter().count() as i64;
    let point = Some(Point { x, y: sum });
    let field = point.as_ref().map(|p| p.y).unwrap();
    sum ^ copied << 4 ^ field << 8
}

fn option_nested(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let nested: Option<Option<i64>> = small(acc).map(small);
    let flat = nested.flatten().unwrap_or(y);
    let turned: Result<Option<i64>, u8> = small(x).map(even).transpose();
    let other: Option<Result<i64, u8>> = even(y).map(small).transpose();
    let last = match other {
        Some(Ok(n)) => n,
        Some(Err(e)) => e as i64,
        None => -1,
    };
    let mid = match turned {
        Ok(Some(n)) => n,
        Ok(None) => -2,
        Err(e) => e as i64 + 100,
    };
    flat ^ mid << 4 ^ last << 8
}

fn option_order(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let (a, b) = (small(acc), small(x));
    let order = (a < b) as i64 + (a == b) as i64 * 2 + (a.max(b) == small(y)) as i64 * 4;
    order + (a.cmp(&b) as i64) * 8 + (Some(3) == small(y)) as i64 * 64
}

fn result_methods(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = even(acc).unwrap_or_default();
    let b = even(x).map_or(-1, |n| n * 3);
    let c = even(y).map_or_else(|e| e as i64, |n| n);
    let d = even(acc).or_else(|e| if e > 9 { Ok(e as i64) } else { Err(e as i64) }).unwrap_or_else(|e| e ^ 1);
    let e = even(x).and(even(y)).unwrap_or(6);
    let f = even(x).or(even(y)).unwrap_or(6);
    let g = even(y).err().unwrap_or(1) as i64;
    let h = even(acc).is_ok_and(|n| n > 4) as i64 + even(acc).is_err_and(|e| e > 4) as i64 * 2;
    a ^ b ^ c << 2 ^ d << 4 ^ e << 6 ^ f << 8 ^ g << 10 ^ h << 12
}

fn result_refs(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let mut r = even(acc);
    if let Ok(n) = &mut r {
        *n += x;
    }
    if let Ok(n) = r.as_mut() {
        *n ^= 3;
    }
    let by_ref = r.as_ref().map(|n| *n).unwrap_or(7);
    let copied = r.as_ref().ok().copied().unwrap_or(8);
    by_ref ^ copied << 3 ^ r.as_ref().err().copied().unwrap_or(0) as i64
}

fn result_unwrap(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = even(acc & !1).unwrap();
    let b = even(x & !1).expect("an even number");
    let c = even(y | 1).unwrap_err() as i64;
    let d = if x > 1 << 40 { even(x).expect("even") } else { 0 };
    let e = if acc > 1 << 40 { even(acc).unwrap() } else { 0 };
    a ^ b ^ c ^ d ^ e
}

fn convert_error(acc: i64, x: i64) -> Result<i64, Trouble> {
    let a = even(acc)?;
    if x > 1 << 32 {
        return Err("too big".into());
    }
    let b = small(x).ok_or("not small")?;
    let c = small(acc).ok_or_else(|| Trouble::Text(String::from("acc")))?;
    Ok(a ^ b ^ c)
}

fn question_convert(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match convert_error(acc, x) {
        Ok(n) => n,
        Err(Trouble::Odd(n)) if n < 9 => n as i64,
        Err(Trouble::Odd(_)) => y,
        Err(Trouble::Text(text)) => {
            state.host.note(&text);
            text.len() as i64
        }
    }
}

fn chain(state: &State, at: usize) -> Option<&Point> {
    let point = state.points.get(at)?;
    let other = state.points.iter().find(|p| p.x > point.y)?;
    Some(other)
}

fn question_refs(acc: i64, _x: i64, y: i64, state: &mut State) -> i64 {
    let found = chain(state, (y & 3) as usize);
    let Some(&Point { x, .. }) = found else { return acc };
    found.map(|p| p.y).unwrap_or(x)
}

fn question_inside(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let closure = |n: i64| -> Option<i64> { Some(small(n)? + small(n + y)?) };
    let a = closure(acc).unwrap_or(1);
    let b = (|| -> Result<i64, u8> { Ok(even(even(x)?)?) })().unwrap_or_else(i64::from);
    a ^ b
}

fn boxed_error(acc: i64, x: i64) -> Result<i64, Box<Trouble>> {
    if acc == 17 {
        return Err(Box::new(Trouble::Odd(3)));
    }
    Ok(acc ^ x)
}

fn result_boxed(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    match boxed_error(acc, x) {
        Ok(n) => n,
        Err(trouble) => match *trouble {
            Trouble::Odd(n) => n as i64,
            Trouble::Text(_) => -1,
        },
    }
}

fn option_map_fn(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let a = small(acc).map(i64::wrapping_neg).unwrap_or(y);
    let b = small(x).map(Some).is_some() as i64;
    let c = small(y).map(Box::new).map(|b| *b + 1).unwrap_or(1);
    let d = even(x).map_err(i64::from).unwrap_or_else(std::convert::identity);
    a ^ b ^ c << 3 ^ d << 5
}

fn option_inspect(acc: i64, x: i64, _y: i64, state: &mut State) -> i64 {
    let mut seen = 0;
    let a = small(acc).inspect(|n| seen += *n).unwrap_or(x);
    let Some(b) = small(x).filter(|&n| n != 12).or(Some(acc)) else { unreachable!() };
    state.cells[0] = seen;
    a ^ b
}

fn steps(n: i64) -> ControlFlow<i64, i64> {
    if n & 3 == 1 { ControlFlow::Break(n) } else { ControlFlow::Continue(n >> 1) }
}

fn walk(n: i64) -> ControlFlow<i64> {
    let n = steps(n)?;
    steps(n ^ 6)?;
    ControlFlow::Continue(())
}

fn flow_question(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    fn bytes<const N: usize>(n: i64) -> Option<[u8; N]> {
        n.to_le_bytes().first_chunk::<N>().copied()
    }
    let a = match walk(x) {
        ControlFlow::Break(n) => n,
        ControlFlow::Continue(()) => -1,
    };
    let Some([low]) = bytes(acc) else { return 0 };
    a ^ low as i64 ^ walk(y).is_break() as i64 * 256
}

topic! {
    OptionMap => option_map
    OptionCombine => option_combine
    OptionTake => option_take
    OptionAsRef => option_as_ref
    OptionNested => option_nested
    OptionOrder => option_order
    ResultMethods => result_methods
    ResultRefs => result_refs
    ResultUnwrap => result_unwrap
    QuestionConvert => question_convert
    QuestionRefs => question_refs
    QuestionInside => question_inside
    ResultBoxed => result_boxed
    OptionMapFn => option_map_fn
    OptionInspect => option_inspect
    FlowQuestion => flow_question
}

metatrace::glue!();
