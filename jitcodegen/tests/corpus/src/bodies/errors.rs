use metatrace::jit;

use crate::code::Op;
use crate::state::{Host, State};

/// What a body may fail with.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    Overflow,
    Number(i64),
    Text(String),
}

/// A narrower error.
#[derive(Debug)]
pub struct Low(u8);

impl From<Low> for Fault {
    fn from(low: Low) -> Fault {
        Fault::Number(low.0 as i64 + 1000)
    }
}

fn low(n: i64) -> Result<i64, Low> {
    if n > 1 << 20 { Err(Low(n as u8)) } else { Ok(n ^ 3) }
}

fn converted(acc: i64, x: i64) -> Result<i64, Fault> {
    let a = low(acc)?;
    let b = low(x)? + 1;
    Ok(a ^ b)
}

#[jit::dont_look_inside]
fn complaint(n: i64) -> String {
    format!("{n} is too much")
}

fn text(acc: i64, y: i64) -> Result<i64, Fault> {
    if acc > 1 << 40 {
        return Err(Fault::Text(complaint(acc)));
    }
    if y == 77 { Err(Fault::Text("seventy-seven".to_string())) } else { Ok(acc + y) }
}

fn small(n: i64) -> Option<i64> {
    if n < 5 { Some(n) } else { None }
}

fn both(a: i64, b: i64) -> Option<i64> {
    let a = small(a)?;
    Some(a * 10 + small(b)?)
}

/// Counts when it goes.
struct Guard<'a> {
    host: &'a mut Host,
    n: i64,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.host.drops = self.host.drops.wrapping_add(self.n);
    }
}

fn dropped(acc: i64, y: i64, host: &mut Host) -> Result<i64, Fault> {
    let guard = Guard { host, n: 1 };
    if y == 4 {
        let inner = Guard { host: &mut *guard.host, n: 10 };
        return Ok(inner.n + acc % 10);
    }
    let value = text(acc, y)?;
    Ok(value ^ guard.n)
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> Result<i64, Fault> {
    match op {
        Op::Chain => {
            let n = small(y).map(|n| n + 1).filter(|n| *n != 3).and_then(|n| n.checked_mul(acc)).or(Some(-4));
            Ok(n.unwrap_or_else(|| x) ^ small(y).is_some() as i64)
        }
        Op::ResultChain => {
            let r = low(acc).map(|n| n + 1).and_then(low).unwrap_or(x);
            Ok(r ^ low(y).is_ok() as i64 ^ low(x).ok().unwrap_or_default())
        }
        Op::StringError => text(acc, y),
        Op::Convert => converted(acc, x),
        Op::OptionQuestion => Ok(both(y, y - 1).unwrap_or(-1)),
        Op::Fallback => match text(acc, y) {
            Ok(n) => Ok(n),
            Err(Fault::Text(text)) => {
                state.host.note(&text);
                Ok(-1)
            }
            Err(other) => Err(other),
        },
        Op::Dropped => dropped(acc, y, &mut state.host),
        Op::MapErr => low(acc).map_err(|Low(n)| Fault::Number(n as i64)),
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
