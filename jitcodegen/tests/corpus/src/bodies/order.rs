//! Bodies in which the order of evaluation and of drops can be seen.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value; a drop mixes its number into
//! a cell, so that another order gives another result.

use std::cell::Cell;

use metatrace::jit;

use crate::code::Op;
use crate::state::State;

/// Tells when it is dropped.
struct Noisy<'a> {
    n: i64,
    log: &'a Cell<i64>,
}

impl Drop for Noisy<'_> {
    fn drop(&mut self) {
        self.log.set(self.log.get().wrapping_mul(31).wrapping_add(self.n));
    }
}

impl<'a> Noisy<'a> {
    fn new(n: i64, log: &'a Cell<i64>) -> Noisy<'a> {
        Noisy { n, log }
    }
    fn get(&self) -> i64 {
        self.n
    }
    fn next(&self) -> Noisy<'a> {
        Noisy { n: self.n + 1, log: self.log }
    }
    fn some(self) -> Option<Noisy<'a>> {
        if self.n % 3 == 0 { None } else { Some(self) }
    }
}

fn mark(log: &Cell<i64>, n: i64) -> i64 {
    log.set(log.get().wrapping_mul(31).wrapping_add(n));
    n
}

fn locals(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    {
        let a = Noisy::new(1, &log);
        let _b = Noisy::new(2, &log);
        let _ = Noisy::new(3, &log);
        _ = Noisy::new(4, &log);
        let c = Noisy::new(5, &log);
        if x > y {
            drop(a);
        }
        let _kept = &c;
        Noisy::new(6, &log);
        mark(&log, 7);
    }
    log.get()
}

fn moves(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    {
        let a = Noisy::new(1, &log);
        let b;
        let c = (Noisy::new(2, &log), Noisy::new(3, &log));
        if x & 1 == 0 {
            b = a;
            mark(&log, b.n);
        } else {
            let (first, _) = c;
            mark(&log, first.n);
        }
        let mut d = Noisy::new(8, &log);
        d = Noisy::new(d.n + 1, &log);
        mark(&log, d.n);
    }
    log.get()
}

#[jit::unroll_safe]
fn temporaries(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    let n = Noisy::new(1, &log).next().get() + Noisy::new(x & 3, &log).get();
    mark(&log, n);
    let kept = &Noisy::new(7, &log);
    mark(&log, kept.n);
    match Noisy::new(8, &log).get() {
        8 => mark(&log, 9),
        _ => 0,
    };
    if Noisy::new(10, &log).get() == 10 {
        mark(&log, 11);
    }
    while Noisy::new(12, &log).get() > 12 {}
    n ^ log.get()
}

fn if_let_scope(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    if let Some(n) = Noisy::new(x & 7, &log).next().some() {
        mark(&log, n.n);
    } else {
        mark(&log, 20);
    }
    match Noisy::new(y & 7, &log).next().some() {
        Some(n) if n.n > 4 => mark(&log, n.n),
        Some(_) => mark(&log, 21),
        None => mark(&log, 22),
    };
    let Some(n) = Noisy::new(x & 3, &log).some() else {
        mark(&log, 23);
        return log.get();
    };
    mark(&log, n.n + 1);
    drop(n);
    log.get()
}

fn tail(log: &Cell<i64>, n: i64) -> i64 {
    let a = Noisy::new(n, log);
    Noisy::new(a.n + 1, log).get()
}

fn tails(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    let n = tail(&log, x & 7);
    let m = { Noisy::new(3, &log).get() } + {
        let b = Noisy::new(4, &log);
        b.next().get()
    };
    n + m ^ log.get()
}

fn operands(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    let sum = mark(&log, 1) + mark(&log, 2) * mark(&log, 3);
    let tuple = (mark(&log, x & 3), mark(&log, 4), [mark(&log, 5), mark(&log, 6)]);
    let mut cells = [0i64; 4];
    cells[mark(&log, 1) as usize] = mark(&log, 9);
    cells[(mark(&log, 2) & 3) as usize] += mark(&log, 8);
    let mut n = 3i64;
    n += mark(&log, n) + {
        n = 10;
        mark(&log, 4)
    };
    let a = Some(n).map(|v| mark(&log, v)).unwrap_or(mark(&log, 17));
    let both = mark(&log, y & 1) == 0 && mark(&log, 12) == 12 || mark(&log, 13) == 0;
    sum ^ tuple.0 ^ tuple.2[1] ^ cells[1] ^ cells[2] ^ n ^ a ^ both as i64 ^ log.get()
}

struct Three<'a> {
    a: Noisy<'a>,
    b: Noisy<'a>,
    c: Option<Noisy<'a>>,
}

fn fields(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    {
        let three = Three { c: Noisy::new(3, &log).some(), b: Noisy::new(2, &log), a: Noisy::new(1, &log) };
        if x > 13 {
            let Three { b, .. } = three;
            mark(&log, b.n);
            mark(&log, three.a.n + three.c.is_some() as i64);
        } else {
            let other = Three { a: Noisy::new(7, &log), ..three };
            if y > 3 {
                drop(other.b);
            }
        }
        mark(&log, 100);
    }
    log.get()
}

#[jit::unroll_safe]
fn jumps(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    let mut i = 0;
    'outer: loop {
        let _a = Noisy::new(i, &log);
        i += 1;
        for j in 0..3 {
            let b = Noisy::new(10 + j, &log);
            if b.n == 11 + (x & 1) {
                continue 'outer;
            }
            if i > (y & 3) {
                let _c = Noisy::new(50, &log);
                break 'outer;
            }
        }
    }
    let n = 'block: {
        let a = Noisy::new(60, &log);
        if x > 12 {
            break 'block a.n;
        }
        a.next().n
    };
    n ^ log.get()
}

fn early(log: &Cell<i64>, x: i64) -> Option<i64> {
    let _a = Noisy::new(1, log);
    let b = Noisy::new(x, log).some()?;
    let _c = Noisy::new(3, log);
    if x > 15 {
        return None;
    }
    Some(b.n)
}

fn returns(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    let n = early(&log, x).unwrap_or(-1);
    n ^ log.get()
}

fn take(a: Noisy<'_>, b: &Noisy<'_>, c: Noisy<'_>) -> i64 {
    let _ = a;
    mark(b.log, 40) + c.n
}

fn arguments(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    let a = Noisy::new(x & 7, &log);
    let n = take(Noisy::new(1, &log), &a, a.next());
    fn ignore(_: Noisy<'_>, n: Noisy<'_>) -> i64 {
        n.n
    }
    n ^ ignore(a, Noisy::new(9, &log)) ^ log.get()
}

#[allow(unused_assignments, reason = "what is assigned is dropped, which is what is tested")]
fn assigns(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    {
        let mut slot = None;
        if x & 1 == 0 {
            slot = Some(Noisy::new(1, &log));
        }
        slot = Noisy::new(y & 7, &log).some();
        mark(&log, 5);
        let mut pair = (Noisy::new(6, &log), slot);
        pair.0 = Noisy::new(7, &log);
        pair.1 = None;
        mark(&log, 8);
        let old = std::mem::replace(&mut pair.0, Noisy::new(9, &log));
        mark(&log, old.n);
    }
    log.get()
}

fn boxes(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    {
        let a = Box::new(Noisy::new(1, &log));
        let b = Box::new((Noisy::new(2, &log), Noisy::new(3, &log)));
        if x > 13 {
            let inner = *a;
            mark(&log, inner.n);
        }
        let (c, _) = *b;
        mark(&log, c.n);
    }
    log.get()
}

fn closures(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    {
        let a = Noisy::new(1, &log);
        let b = Noisy::new(2, &log);
        let f = move || a.n + 1;
        mark(&log, f());
        let g = || {
            let inner = b;
            inner.n
        };
        if x > 12 {
            mark(&log, g());
        }
        mark(&log, 5);
    }
    log.get()
}

fn arrays(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    {
        let list = [Noisy::new(1, &log), Noisy::new(2, &log), Noisy::new(3, &log)];
        mark(&log, list[1].n);
        if x > 12 {
            let [a, _, c] = list;
            mark(&log, a.n ^ c.n);
        }
        let _v = vec![Noisy::new(5, &log), Noisy::new(6, &log)];
    }
    log.get()
}

fn array_parts(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    let make = |n: i64| [Noisy::new(n, &log), Noisy::new(n + 1, &log), Noisy::new(n + 2, &log)];
    let list = make(1);
    let other = [make(5), make(8)];
    if x > 12 {
        let [_, middle @ .., _] = list;
        mark(&log, middle[0].n);
    } else if x > 11 {
        let [.., last] = list;
        mark(&log, last.n);
    }
    if y > 2 {
        let [[a, ..], [_, rest @ ..]] = other;
        mark(&log, a.n ^ rest.len() as i64);
    }
    let pair = Box::new((Noisy::new(3, &log), Some(Box::new(Noisy::new(4, &log)))));
    if let (first, Some(second)) = *pair
        && x > 13
    {
        mark(&log, first.n);
        let inner = *second;
        mark(&log, inner.n);
    }
    let mut again = Box::new(Noisy::new(6, &log));
    let moved = *again;
    if y > 3 {
        *again = Noisy::new(7, &log);
    }
    drop(moved);
    log.get()
}

fn two_phase(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let v = &mut state.cells;
    v[0] = v[1] ^ v[2];
    let n = v.len();
    v[n - 1] = v[n - 2];
    let mut list = vec![acc, x];
    list.push(list.len() as i64);
    list.push(list[0] ^ y);
    let mut count = 1i64;
    count += count * 2;
    let mut a = [1usize, 2, 0];
    a[a[0]] = a[2];
    list[3] ^ list[2] ^ count ^ a[1] as i64 ^ v[0]
}

fn guards(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    let value = if x > 12 { Some(Noisy::new(x & 15, &log)) } else { None };
    let n = match value {
        Some(n) if mark(&log, n.n) > 14 => n.n,
        Some(ref n) if n.n == y => mark(&log, 2),
        Some(Noisy { n: 13, .. }) => mark(&log, 3),
        Some(n) => n.next().n,
        None => mark(&log, 4),
    };
    n ^ log.get()
}

fn results(acc: i64, x: i64, _y: i64, _state: &mut State) -> i64 {
    let log = Cell::new(acc);
    fn make(log: &Cell<i64>, n: i64) -> Result<Noisy<'_>, Noisy<'_>> {
        if n & 1 == 0 { Ok(Noisy::new(n, log)) } else { Err(Noisy::new(-n, log)) }
    }
    fn chain(log: &Cell<i64>, n: i64) -> Result<i64, Noisy<'_>> {
        let a = make(log, n & 7)?;
        let b = make(log, a.n + 2)?.next();
        Ok(a.n + b.n)
    }
    let n = chain(&log, x).unwrap_or_else(|e| e.n);
    let m = chain(&log, x + 1).map_or(0, |n| n);
    n ^ m ^ log.get()
}

topic! {
    DropLocals => locals
    DropMoves => moves
    DropTemporaries => temporaries
    DropIfLet => if_let_scope
    DropTails => tails
    OperandOrder => operands
    DropFields => fields
    DropJumps => jumps
    DropReturns => returns
    DropArguments => arguments
    DropAssigned => assigns
    DropBoxes => boxes
    DropClosures => closures
    DropArrays => arrays
    DropParts => array_parts
    TwoPhase => two_phase
    DropGuards => guards
    DropResults => results
}

metatrace::glue!();
