//! Programs for the register machine. In: a size. Out: the result as text, the same for every engine.

use metatrace::Traced;

use super::vm::{Arith, Constant, Function, Machine, Op, Program};
use Arith::{Add, Div, Mul, Sub};

/// Makes code; jumps are to instructions that stand before or are patched.
#[derive(Default)]
struct Code(Vec<Op>);

impl Code {
    fn int(&mut self, to: u8, value: i32) -> &mut Code {
        self.op(Op::Int { to, value })
    }

    fn op(&mut self, op: Op) -> &mut Code {
        self.0.push(op);
        self
    }

    fn arith(&mut self, to: u8, left: u8, op: Arith, right: u8) -> &mut Code {
        self.op(Op::Arith { op, to, left, right })
    }

    fn count(&mut self, to: u8, by: i8) -> &mut Code {
        self.op(Op::AddInt { to, left: to, right: by })
    }

    /// `if condition { body }`; the condition is evaluated into register `r`.
    fn when(&mut self, r: u8, body: impl FnOnce(&mut Code)) -> &mut Code {
        let at = self.0.len();
        self.op(Op::Jump { target: 0 });
        body(self);
        self.0[at] = Op::JumpIfNot { condition: r, target: self.0.len() as u32 };
        self
    }

    /// `while left < right { body }`; register `r` is used for the test.
    fn while_less(&mut self, r: u8, left: u8, right: u8, body: impl FnOnce(&mut Code)) -> &mut Code {
        let target = self.0.len() as u32;
        self.op(Op::Less { to: r, left, right });
        self.when(r, |code| {
            body(code);
            code.op(Op::Jump { target });
        })
    }

    fn function(&mut self, registers: usize) -> Function {
        Function { registers, code: std::mem::take(&mut self.0) }
    }
}

fn run(functions: Vec<Function>, constants: Vec<Constant>, argument: i64) -> String {
    let program = Traced::new(Program { functions, constants });
    let mut machine = Machine::new(&program);
    format!("{:?}", machine.run(&program, argument as i32))
}

/// Two nested loops that add up products; the sum becomes a float when it is large.
pub fn loops(n: i64) -> String {
    let mut code = Code::default();
    let (n_, i, j, sum, t) = (0, 1, 2, 3, 4);
    code.int(i, 0).int(sum, 0).while_less(t, i, n_, |code| {
        code.int(j, 0).while_less(t, j, n_, |code| {
            code.arith(t, i, Mul, j).arith(sum, sum, Add, t).count(j, 1);
        });
        code.count(i, 1);
    });
    code.op(Op::Return { from: sum });
    run(vec![code.function(5)], vec![], n)
}

/// Fibonacci numbers by two recursive calls.
pub fn fib(n: i64) -> String {
    let mut code = Code::default();
    let (n_, t, a, b) = (0, 1, 2, 3);
    code.int(t, 2).op(Op::Less { to: t, left: n_, right: t });
    code.when(t, |code| {
        code.op(Op::Return { from: n_ });
    });
    code.op(Op::AddInt { to: a, left: n_, right: -1 }).op(Op::Call { function: 0, first: a });
    code.op(Op::AddInt { to: b, left: n_, right: -2 }).op(Op::Call { function: 0, first: b });
    code.arith(a, a, Add, b).op(Op::Return { from: a });
    run(vec![code.function(4)], vec![], n)
}

/// Sorts a list of numbers by insertion, and weighs it.
pub fn sort(n: i64) -> String {
    let mut code = Code::default();
    let (n_, list, i, j, x, y, t) = (0, 1, 2, 3, 4, 5, 6);
    code.op(Op::NewList { to: list }).int(i, 0).int(x, 17);
    code.while_less(t, i, n_, |code| {
        // x = x * 113 + 41, brought back below 8192 by steps.
        code.int(t, 113).arith(x, x, Mul, t).int(t, 41).arith(x, x, Add, t);
        code.int(y, 8192).while_less(t, y, x, |code| {
            code.int(t, 8192).arith(x, x, Sub, t);
        });
        code.op(Op::Push { list, item: x }).count(i, 1);
    });
    code.int(i, 1).while_less(t, i, n_, |code| {
        code.op(Op::Get { to: x, list, index: i }).op(Op::Move { to: j, from: i });
        let start = code.0.len() as u32;
        code.int(t, 0).op(Op::Less { to: t, left: t, right: j });
        code.when(t, |code| {
            code.op(Op::AddInt { to: y, left: j, right: -1 }).op(Op::Get { to: y, list, index: y });
            code.op(Op::Less { to: t, left: x, right: y }).when(t, |code| {
                code.op(Op::Set { list, index: j, item: y }).count(j, -1).op(Op::Jump { target: start });
            });
        });
        code.op(Op::Set { list, index: j, item: x }).count(i, 1);
    });
    code.int(i, 0).int(x, 0).op(Op::Len { to: n_, of: list }).while_less(t, i, n_, |code| {
        code.op(Op::Get { to: y, list, index: i }).arith(y, y, Mul, i).arith(x, x, Add, y).count(i, 1);
    });
    code.op(Op::Return { from: x });
    run(vec![code.function(7)], vec![], n)
}

/// Counts the points of a grid that stay near the origin under z = z² + c.
pub fn mandelbrot(n: i64) -> String {
    let mut code = Code::default();
    let (n_, row, column, count, cr, ci, zr, zi, t, u, k, limit, four) =
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    let constants = vec![Constant::Float(2.0), Constant::Float(4.0), Constant::Float(1.5)];
    code.int(count, 0).int(limit, 50).op(Op::Constant { to: four, index: 1 });
    code.int(row, 0).while_less(t, row, n_, |code| {
        code.int(column, 0).while_less(t, column, n_, |code| {
            code.op(Op::Constant { to: t, index: 0 }).arith(cr, column, Mul, t).arith(cr, cr, Div, n_);
            code.op(Op::Constant { to: u, index: 2 }).arith(cr, cr, Sub, u);
            code.arith(ci, row, Mul, t).arith(ci, ci, Div, n_).int(u, 1).arith(ci, ci, Sub, u);
            code.op(Op::Constant { to: zr, index: 0 })
                .arith(zr, zr, Sub, zr)
                .op(Op::Move { to: zi, from: zr });
            code.int(k, 0).while_less(t, k, limit, |code| {
                code.arith(t, zr, Mul, zr)
                    .arith(u, zi, Mul, zi)
                    .arith(zi, zr, Mul, zi)
                    .arith(zi, zi, Add, zi);
                code.arith(zi, zi, Add, ci).arith(zr, t, Sub, u).arith(zr, zr, Add, cr).count(k, 1);
                code.arith(t, t, Add, u).op(Op::Less { to: u, left: four, right: t }).when(u, |code| {
                    code.int(k, 1000);
                });
            });
            code.int(t, 1000).op(Op::Less { to: t, left: k, right: t }).when(t, |code| {
                code.count(count, 1);
            });
            code.count(column, 1);
        });
        code.count(row, 1);
    });
    code.op(Op::Return { from: count });
    run(vec![code.function(13)], constants, n)
}

/// Picks texts in turn and counts how often one comes before the one before it.
pub fn words(n: i64) -> String {
    let mut code = Code::default();
    let (n_, i, list, last, next, at, size, count, t) = (0, 1, 2, 3, 4, 5, 6, 7, 8);
    let texts = ["pear", "apple", "quince", "fig", "plum", "apricot", "cherry"];
    code.op(Op::NewList { to: list });
    for index in 0..texts.len() {
        code.op(Op::Constant { to: t, index: index as u16 }).op(Op::Push { list, item: t });
    }
    code.op(Op::Len { to: size, of: list }).op(Op::Constant { to: last, index: 0 });
    code.int(count, 0).int(at, 0).int(i, 0).while_less(t, i, n_, |code| {
        // at = (at + 3) mod size
        code.count(at, 3).op(Op::Less { to: t, left: at, right: size });
        let test = code.0.len();
        code.op(Op::Jump { target: 0 }).op(Op::Jump { target: test as u32 + 3 });
        code.0[test] = Op::JumpIfNot { condition: t, target: test as u32 + 2 };
        code.arith(at, at, Sub, size);
        code.op(Op::Get { to: next, list, index: at }).op(Op::Less { to: t, left: next, right: last });
        code.when(t, |code| {
            code.count(count, 1);
        });
        code.op(Op::Move { to: last, from: next }).count(i, 1);
    });
    code.op(Op::Return { from: count });
    let constants = texts.map(|text| Constant::Text(text.to_string())).to_vec();
    run(vec![code.function(9)], constants, n)
}
