//! The machine: a portal over code and values of two other crates.

use metatrace::{Traced, jit};
use spread_code::{Code, Listener, Op};
use spread_values::{Number, Stack, Sum, Value, WEIGHTS, half, number};

pub mod methods;

metatrace::glue!();

/// What is remembered between two instructions, for the stack: a value, and how it came to be.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    value: Value,
    weight: i64,
}

impl Sum for Cell {
    const NOTHING: Cell = Cell { value: Value::NOTHING, weight: 0 };

    fn plus(self, other: Cell) -> Cell {
        Cell { value: self.value.plus(other.value), weight: self.weight.plus(other.weight) % 1_000 }
    }
}

/// Adds up what is shown.
#[derive(Debug, Default)]
pub struct Total {
    /// The sum.
    pub sum: i64,
}

impl Listener for Total {
    fn shown(&mut self, value: Value) {
        self.sum = self.sum.wrapping_add(value.number().unwrap_or(-1));
    }

    fn result(&self) -> i64 {
        self.sum
    }
}

/// Counts what is shown.
#[derive(Debug, Default)]
pub struct Count(pub i64);

impl Listener for Count {
    fn shown(&mut self, _: Value) {
        self.0 += 1;
    }

    fn result(&self) -> i64 {
        self.0
    }
}

/// Who is told.
pub struct Audience {
    listener: Box<dyn Listener>,
}

fn call(which: u8, cell: Cell) -> Option<Cell> {
    let n = cell.value.number()?;
    let weight = WEIGHTS[usize::from(which) % WEIGHTS.len()];
    let value = match which {
        0 => number!(half(n)),
        1 => Number::new(n.times_four()),
        _ => number!(n + weight),
    };
    Some(Cell { value: Value::Number(value), weight: cell.weight + weight })
}

/// Runs a program; gives what is on the stack in the end, and how deep it was.
#[jit::portal(owner = code, greens = [pc])]
pub fn interpret(
    mut pc: usize,
    code: &Traced<Code>,
    stack: &mut Stack<Cell>,
    variables: &mut [Value; 4],
    audience: &mut Audience,
) -> Option<(i64, usize)> {
    loop {
        jit::merge_point!();
        match *code.op(pc) {
            Op::Push(value) => stack.push(Cell { value, weight: 1 }),
            Op::Load(n) => stack.push(Cell { value: variables[usize::from(n)], weight: 2 }),
            Op::Store(n) => variables[usize::from(n)] = stack.pop()?.value,
            Op::Add => {
                if !stack.add() {
                    return None;
                }
            }
            Op::Four => {
                let cell = stack.pop()?;
                stack.push(cell.times_four());
            }
            Op::Call(which) => {
                let cell = stack.pop()?;
                stack.push(call(which, cell)?);
            }
            Op::Show => audience.listener.shown(stack.pop()?.value),
            Op::JumpIfLess(a, b, to) => {
                let (a, b) = (variables[usize::from(a)], variables[usize::from(b)]);
                if a.number()? < b.number()? {
                    pc = to as usize;
                    jit::can_enter_jit!();
                }
            }
            Op::Halt => {
                let cell = stack.pop()?;
                return Some((cell.value.number()? * 1_000 + cell.weight, stack.deepest()));
            }
        }
        pc += 1;
    }
}

/// A program that counts to `n` and adds up; its result as text.
pub fn sum(n: i64) -> String {
    let (i, limit, total) = (0, 1, 2);
    let ops = vec![
        Op::Load(i),
        Op::Push(Value::Number(Number::new(1))),
        Op::Add,
        Op::Store(i),
        Op::Load(total),
        Op::Load(i),
        Op::Call(0),
        Op::Call(1),
        Op::Call(2),
        Op::Add,
        Op::Push(Value::Truth(true)),
        Op::Add,
        Op::Store(total),
        Op::Load(i),
        Op::Show,
        Op::JumpIfLess(i, limit, 0),
        Op::Load(total),
        Op::Four,
        Op::Halt,
    ];
    let code = Traced::new(Code::new("sum", ops));
    let mut results = Vec::new();
    let zero = Value::Number(Number::new(0));
    let listeners: [Box<dyn Listener>; 2] = [Box::new(Total::default()), Box::new(Count::default())];
    for listener in listeners {
        let mut audience = Audience { listener };
        let mut variables = [zero, Value::Number(Number::new(n)), zero, Value::Nil];
        let result = interpret(0, &code, &mut Stack::new(), &mut variables, &mut audience);
        results.push((result, audience.listener.result()));
    }
    format!("{}: {results:?}", code.name())
}
