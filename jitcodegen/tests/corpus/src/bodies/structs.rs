use std::cell::Cell;

use crate::code::Op;
use crate::state::{Point, Record, State};

impl Point {
    fn shift(&mut self, by: i64) -> &mut Point {
        self.x = self.x.wrapping_add(by);
        self
    }
    fn flip(&mut self) {
        let Point { x, y } = *self;
        self.x = y;
        self.y = x;
    }
    fn length(self) -> i64 {
        self.x.wrapping_mul(self.x).wrapping_add(self.y.wrapping_mul(self.y))
    }
    fn with_x(mut self, x: i64) -> Point {
        self.x = x;
        self
    }
}

impl Record {
    fn set_flag(&mut self, flag: bool) -> bool {
        let old = self.flag;
        self.flag = flag;
        old
    }
    fn widest(&mut self) -> &mut i64 {
        if self.flag { &mut self.long } else { &mut self.point.y }
    }
}

#[derive(Clone, Copy)]
struct Meters(i64, u8);

#[derive(Clone, Copy)]
struct Line {
    from: Point,
    to: Point,
    name: Meters,
}

fn places(acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    let record = &mut state.record;
    *record.widest() ^= acc;
    record.array[1] = record.array[0].wrapping_add(record.array[(y & 3) as usize]);
    let p = &mut record.point;
    p.x = x;
    let q = &mut *p;
    q.y = q.y.wrapping_add(q.x);
    let x_place = &mut state.points[1].x;
    *x_place = x_place.wrapping_add(1);
    *x_place ^ record.point.y
}

fn swaps(acc: i64, y: i64, state: &mut State) -> i64 {
    let (mut a, mut b) = (acc, y);
    std::mem::swap(&mut a, &mut b);
    std::mem::swap(&mut a, &mut state.record.long);
    std::mem::swap(&mut state.points[0], &mut state.record.point);
    let (left, right) = (&mut state.floats, &mut state.record.float);
    std::mem::swap(&mut left[1], right);
    a ^ b
}

fn replaces(acc: i64, x: i64, state: &mut State) -> i64 {
    let old = std::mem::replace(&mut state.record.point, Point { x: acc, y: x });
    let option = std::mem::replace(&mut state.record.option, Some(acc));
    let taken = std::mem::take(&mut state.record.long);
    state.record.long = taken.wrapping_add(3);
    old.x ^ option.unwrap_or(9) ^ taken
}

fn nested(acc: i64, x: i64, y: i64) -> i64 {
    let mut line = Line { from: Point { x, y }, to: Point { x: acc, y: 1 }, name: Meters(y, x as u8) };
    line.from.flip();
    line.to.y = line.from.x;
    let Line { from: Point { x: a, .. }, to, name: Meters(_, n) } = line;
    let copy = Line { name: Meters(a, n.wrapping_add(1)), ..line };
    to.length() ^ a ^ copy.name.1 as i64 ^ copy.from.y
}

fn pick<'a>(a: &'a mut Point, b: &'a mut Point, first: bool) -> &'a mut Point {
    if first { a } else { b }
}

fn references(acc: i64, x: i64, y: i64) -> i64 {
    let mut a = Point { x: acc, y };
    let mut b = Point { x, y: 7 };
    let chosen = pick(&mut a, &mut b, acc & 1 == 0);
    chosen.x = 99;
    let inner = &mut chosen.y;
    *inner = inner.wrapping_mul(3);
    let (pa, pb) = (&a, &b);
    let both = &&pa.x;
    **both ^ pb.y ^ pb.x
}

fn cells(acc: i64, y: i64) -> i64 {
    let cell = Cell::new(acc);
    let (a, b) = (&cell, &cell);
    a.set(a.get() ^ y);
    b.set(b.get().wrapping_mul(3));
    a.replace(5) ^ b.get()
}

pub fn run(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> i64 {
    match op {
        Op::Methods => {
            let old = state.record.set_flag(acc & 1 == 0);
            state.points[2].shift(y).shift(1).flip();
            state.points[2].length() ^ old as i64
        }
        Op::Places => places(acc, x, y, state),
        Op::MemSwap => swaps(acc, y, state),
        Op::MemReplace => replaces(acc, x, state),
        Op::TupleStruct => {
            let Meters(a, b) = Meters(acc, y as u8);
            let mut m = Meters(x, b);
            m.1 = m.1.wrapping_mul(3);
            a ^ m.0 ^ m.1 as i64
        }
        Op::NestedStruct => nested(acc, x, y),
        Op::Builder => Point::default().with_x(acc).with_x(y).shift(x).with_x(x ^ y).length(),
        Op::References => references(acc, x, y),
        Op::TakeOption => {
            if y > 3 {
                state.record.option = Some(acc);
            }
            let taken = state.record.option.take();
            let again = state.record.option;
            taken.map_or(-1, |n| n ^ 1) ^ again.is_none() as i64
        }
        Op::Cells => cells(acc, y),
        _ => unreachable!("not of this topic"),
    }
}

metatrace::glue!();
