use super::vm::{Function, Instr, Module, Value, call};
use Instr::*;
use metatrace::Traced;

/// Makes code, with the jumps of loops and conditions.
#[derive(Default)]
struct Assembler {
    code: Vec<Instr>,
}

impl Assembler {
    fn emit(&mut self, instrs: &[Instr]) -> &mut Assembler {
        self.code.extend_from_slice(instrs);
        self
    }

    fn int(&mut self, n: i64) -> &mut Assembler {
        self.emit(&[Const(Value::Int(n))])
    }

    fn float(&mut self, x: f64) -> &mut Assembler {
        self.emit(&[Const(Value::Float(x))])
    }

    /// `slot = slot + n`.
    fn count(&mut self, slot: usize, n: i64) -> &mut Assembler {
        self.emit(&[Load(slot)]).int(n).emit(&[Add, Store(slot)])
    }

    /// `while condition { body }`.
    fn repeat(
        &mut self,
        condition: impl FnOnce(&mut Assembler),
        body: impl FnOnce(&mut Assembler),
    ) -> &mut Assembler {
        let start = self.code.len();
        condition(self);
        self.when(|asm| {
            body(asm);
            asm.emit(&[Jump(start)]);
        })
    }

    /// `if top { body }`.
    fn when(&mut self, body: impl FnOnce(&mut Assembler)) -> &mut Assembler {
        let jump = self.code.len();
        self.emit(&[JumpIfFalse(0)]);
        body(self);
        self.code[jump] = JumpIfFalse(self.code.len());
        self
    }

    fn function(&mut self, name: &str, arity: usize, locals: usize) -> Function {
        Function { name: name.to_string(), arity, locals, code: std::mem::take(&mut self.code) }
    }
}

fn run(functions: Vec<Function>, arguments: &[Value]) -> String {
    let module = Traced::new(Module { functions });
    format!("{:?}", call(&module, arguments))
}

/// Two nested loops that add up products.
pub fn loops(n: i64) -> String {
    let mut asm = Assembler::default();
    let (n_, i, j, sum) = (0, 1, 2, 3);
    asm.int(0).emit(&[Store(i)]).int(0).emit(&[Store(sum)]);
    asm.repeat(
        |asm| {
            asm.emit(&[Load(i), Load(n_), Less]);
        },
        |asm| {
            asm.int(0).emit(&[Store(j)]);
            asm.repeat(
                |asm| {
                    asm.emit(&[Load(j), Load(n_), Less]);
                },
                |asm| {
                    asm.emit(&[Load(sum), Load(i), Load(j), Mul, Add, Store(sum)]).count(j, 1);
                },
            );
            asm.count(i, 1);
        },
    );
    asm.emit(&[Load(sum), Return]);
    run(vec![asm.function("loops", 1, 3)], &[Value::Int(n)])
}

/// Fibonacci numbers by two recursive calls.
pub fn fib(n: i64) -> String {
    let mut asm = Assembler::default();
    asm.emit(&[Load(0)]).int(2).emit(&[Less]).when(|asm| {
        asm.emit(&[Load(0), Return]);
    });
    asm.emit(&[Load(0)]).int(1).emit(&[Sub, Call(0), Load(0)]).int(2).emit(&[Sub, Call(0), Add, Return]);
    run(vec![asm.function("fib", 1, 0)], &[Value::Int(n)])
}

/// Sorts an array of numbers by insertion, and weighs it.
pub fn sort(n: i64) -> String {
    let mut asm = Assembler::default();
    let (n_, array, i, j, x) = (0, 1, 2, 3, 4);
    asm.emit(&[Load(n_), NewArray, Store(array)]).int(0).emit(&[Store(i)]).int(12345).emit(&[Store(x)]);
    asm.repeat(
        |asm| {
            asm.emit(&[Load(i), Load(n_), Less]);
        },
        |asm| {
            // x = (x * 1103 + 12345) mod 65536, written with what there is.
            asm.emit(&[Load(x)]).int(1103).emit(&[Mul]).int(12345).emit(&[Add, Dup]).int(65536);
            asm.emit(&[Div]).int(65536).emit(&[Mul, Sub, Store(x)]);
            asm.emit(&[Load(array), Load(i), Load(x), SetItem]).count(i, 1);
        },
    );
    asm.int(1).emit(&[Store(i)]);
    asm.repeat(
        |asm| {
            asm.emit(&[Load(i), Load(n_), Less]);
        },
        |asm| {
            asm.emit(&[Load(array), Load(i), GetItem, Store(x), Load(i), Store(j)]);
            asm.repeat(
                |asm| {
                    // While x < array[j - 1] and 0 < j.
                    asm.int(0).emit(&[Load(j), Less, Dup]).when(|asm| {
                        asm.emit(&[Pop, Load(x), Load(array), Load(j)]).int(1).emit(&[Sub, GetItem, Less]);
                    });
                },
                |asm| {
                    asm.emit(&[Load(array), Load(j), Load(array), Load(j)]).int(1);
                    asm.emit(&[Sub, GetItem, SetItem]).count(j, -1);
                },
            );
            asm.emit(&[Load(array), Load(j), Load(x), SetItem]).count(i, 1);
        },
    );
    asm.int(0).emit(&[Store(i)]).int(0).emit(&[Store(x)]);
    asm.repeat(
        |asm| {
            asm.emit(&[Load(i), Load(n_), Less]);
        },
        |asm| {
            asm.emit(&[Load(x), Load(array), Load(i), GetItem, Load(i), Mul, Add, Store(x)]).count(i, 1);
        },
    );
    asm.emit(&[Load(x), Return]);
    run(vec![asm.function("sort", 1, 4)], &[Value::Int(n)])
}

/// Follows a logistic map, and counts how often it is low.
pub fn floats(n: i64) -> String {
    let mut asm = Assembler::default();
    let (n_, i, x, low) = (0, 1, 2, 3);
    asm.int(0).emit(&[Store(i)]).float(0.3).emit(&[Store(x)]).int(0).emit(&[Store(low)]);
    asm.repeat(
        |asm| {
            asm.emit(&[Load(i), Load(n_), Less]);
        },
        |asm| {
            asm.float(3.75).emit(&[Load(x), Mul]).float(1.0).emit(&[Load(x), Sub, Mul, Store(x)]);
            asm.emit(&[Load(x)]).float(0.5).emit(&[Less]).when(|asm| {
                asm.count(low, 1);
            });
            asm.count(i, 1);
        },
    );
    asm.emit(&[Load(low), Return]);
    run(vec![asm.function("floats", 1, 3)], &[Value::Int(n)])
}
