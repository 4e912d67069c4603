//! Bodies with closures and function pointers: captured, passed down, returned, kept.
//!
//! Each takes the accumulator, two inputs and the state, and gives the accumulator's new value.

use metatrace::jit;

use crate::code::Op;
use crate::state::{Point, State};

fn adder(n: i64) -> impl Fn(i64) -> i64 {
    move |m| n.wrapping_add(m)
}

fn counter(start: i64) -> impl FnMut() -> i64 {
    let mut n = start;
    move || {
        n = n.wrapping_add(3);
        n
    }
}

fn compose<A, B, C>(f: impl Fn(A) -> B, g: impl Fn(B) -> C) -> impl Fn(A) -> C {
    move |a| g(f(a))
}

fn returned(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let add = adder(x);
    let mut count = counter(y);
    count();
    let both = compose(&add, |n| n ^ 7);
    let chained = compose(compose(add_one, i64::wrapping_neg), |n: i64| n as u8);
    add(acc) ^ count() ^ both(y) ^ chained(x) as i64
}

fn add_one(n: i64) -> i64 {
    n.wrapping_add(1)
}

fn twice(f: &dyn Fn(i64) -> i64, n: i64) -> i64 {
    f(f(n))
}

fn each(f: &mut dyn FnMut(i64), n: i64) {
    f(n);
    f(n ^ 1);
}

fn dyn_closures(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut sum = acc;
    each(&mut |n| sum = sum.wrapping_mul(3) ^ n, x);
    let boxed: Box<dyn Fn(i64) -> i64> =
        if y & 1 == 0 { Box::new(move |n| n ^ x) } else { Box::new(|n| n ^ 1) };
    twice(&|n| n.wrapping_sub(y), sum) ^ boxed(acc)
}

fn pointers(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    fn sub(a: i64, b: i64) -> i64 {
        a.wrapping_sub(b)
    }
    let ops: [fn(i64, i64) -> i64; 4] = [i64::wrapping_add, sub, |a, b| a ^ b, |a, _| a];
    let f: fn(i64) -> i64 = add_one;
    let g = if y > 3 { f } else { |n| n ^ 3 };
    let chosen = ops[(y & 3) as usize];
    chosen(acc, x) ^ g(x) ^ apply_pointer(f, y)
}

fn apply_pointer(f: fn(i64) -> i64, n: i64) -> i64 {
    f(n)
}

fn by_kind(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let point = Point { x, y };
    let text = String::from("abc");
    let by_ref = || point.x ^ text.len() as i64;
    let a = by_ref();
    let by_move = move || text.len() as i64 + point.y;
    let b = by_move();
    let once = {
        let list = vec![acc, x];
        move || list
    };
    let list = once();
    a ^ b << 3 ^ list[0] ^ list.len() as i64
}

fn partial_capture(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let mut point = Point { x, y };
    let mut bump = |by: i64| {
        point.x = point.x.wrapping_add(by);
        state.record.long ^= by;
    };
    bump(acc);
    bump(2);
    let cells = &mut state.cells;
    let mut set = |at: usize, n: i64| {
        let old = cells[at & 7];
        cells[at & 7] = n;
        old
    };
    let old = set(1, acc);
    let other = set(y as usize, old);
    point.x ^ point.y ^ old ^ other
}

fn nested(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut total = 0i64;
    let mut outer = |n: i64| {
        let mut inner = |m: i64| {
            total = total.wrapping_add(m ^ x);
            total
        };
        inner(n) ^ inner(y)
    };
    let a = outer(acc);
    let b = outer(3);
    let curried = |a: i64| move |b: i64| a.wrapping_mul(b);
    a ^ b ^ total ^ curried(x)(y)
}

fn generic<F>(f: F, n: i64) -> i64
where
    F: FnOnce(i64) -> i64,
{
    f(n)
}

fn forward<F: FnMut(i64) -> i64>(f: &mut F, n: i64) -> i64 {
    repeat(f, n)
}

fn repeat(mut f: impl FnMut(i64) -> i64, n: i64) -> i64 {
    let once = f(n);
    f(once)
}

fn passed(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let mut calls = 0;
    let mut f = |n: i64| {
        calls += 1;
        n.wrapping_mul(3) ^ x
    };
    let a = forward(&mut f, acc);
    let b = repeat(&mut f, y);
    let c = generic(f, x);
    let d = generic(|n| n ^ 1, y) ^ generic(add_one, y) ^ generic(Into::into, y);
    a ^ b ^ c ^ d ^ calls << 20
}

#[derive(Clone, Copy)]
struct Handler<F: Fn(i64) -> i64> {
    run: F,
    scale: i64,
}

impl<F: Fn(i64) -> i64> Handler<F> {
    fn go(&self, n: i64) -> i64 {
        (self.run)(n).wrapping_mul(self.scale)
    }
    fn map<G: Fn(i64) -> i64>(self, g: G) -> Handler<impl Fn(i64) -> i64> {
        Handler { run: move |n| g((self.run)(n)), scale: self.scale + 1 }
    }
}

fn in_struct(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    let h = Handler { run: |n| n ^ y, scale: 3 };
    let copy = h;
    let mapped = copy.map(|n| n.wrapping_add(x));
    h.go(acc) ^ mapped.go(x)
}

#[jit::unroll_safe]
fn recursion(acc: i64, x: i64, y: i64, _state: &mut State) -> i64 {
    fn fib(n: i64) -> i64 {
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }
    fn even(n: i64) -> bool {
        n == 0 || odd(n - 1)
    }
    fn odd(n: i64) -> bool {
        n != 0 && even(n - 1)
    }
    fib(x & 7) ^ even(y & 7) as i64 ^ acc
}

struct Machine<'a> {
    state: &'a mut State,
    stack: Vec<i64>,
}

impl Machine<'_> {
    fn binary(&mut self, f: impl FnOnce(i64, i64) -> Option<i64>) -> Option<()> {
        let b = self.stack.pop()?;
        let a = self.stack.pop()?;
        let r = f(a, b)?;
        self.stack.push(r);
        Some(())
    }
    fn with<R>(&mut self, f: impl FnOnce(&mut Vec<i64>) -> R) -> R {
        self.state.record.long += 1;
        f(&mut self.stack)
    }
}

fn machine(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    state.record.long &= 0xffff;
    let mut m = Machine { state, stack: vec![acc, x, y] };
    let ok = m.binary(|a, b| a.checked_mul(b)).is_some();
    m.binary(i64::checked_sub);
    let len = m.with(|stack| {
        stack.push(9);
        stack.len()
    });
    m.stack[0] ^ len as i64 ^ ok as i64
}

topic! {
    ClosureReturned => returned
    ClosureDyn => dyn_closures
    FnPointers => pointers
    ClosureKinds => by_kind
    PartialCapture => partial_capture
    ClosureNested => nested
    ClosurePassed => passed
    ClosureField => in_struct
    Recursion => recursion
    ClosureMachine => machine
}

metatrace::glue!();
