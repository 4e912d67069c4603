//! Programs for the machine. In: a size. Out: the result as text, the same for every engine.

use std::rc::Rc;

use Instr::*;
use metatrace::Traced;

use super::vm::{Function, Instr, Module, Value, call};

fn run(functions: Vec<Function>, arguments: &[Value]) -> String {
    let module = Traced::new(Module { functions });
    format!("{:?}", call(&module, arguments))
}

fn int(n: i64) -> Instr {
    Const(Value::Int(n))
}

fn text(text: &str) -> Instr {
    Const(Value::Text(Rc::from(text)))
}

/// `while slot < limit { body; slot = slot + 1 }`, to stand at instruction `at`.
fn count(at: usize, slot: usize, limit: usize, body: &[Instr]) -> Vec<Instr> {
    let end = at + 4 + body.len() + 5;
    let head = [Load(slot), Load(limit), Less, JumpIfFalse(end)];
    let tail = [Load(slot), int(1), Add, Store(slot), Jump(at)];
    [&head, body, &tail].concat()
}

/// Adds up squares.
pub fn squares(n: i64) -> String {
    let (n_, i, sum) = (0, 1, 2);
    let body = [Load(i), Load(i), Mul, Load(sum), Add, Store(sum)];
    let start = [int(0), Store(i), int(0), Store(sum)];
    let code = [&start[..], &count(4, i, n_, &body), &[Load(sum), Return]].concat();
    run(vec![Function { name: "squares".to_string(), arity: 1, locals: 2, code }], &[Value::Int(n)])
}

/// Chooses texts by a flag that changes in each turn, and adds up the lengths of what they make together.
pub fn texts(n: i64) -> String {
    let (n_, i, flag, last, sum) = (0, 1, 2, 3, 4);
    let choose = 8 + 4;
    let body = [
        Load(flag),
        Not,
        Store(flag),
        Load(flag),
        JumpIfFalse(choose + 7),
        text("left"),
        Jump(choose + 8),
        text("rights"),
        Dup,
        Load(last),
        Concat,
        Length,
        Load(sum),
        Add,
        Store(sum),
        Store(last),
    ];
    let start =
        [int(0), Store(i), int(0), Store(sum), text(""), Store(last), Const(Value::Bool(false)), Store(flag)];
    let code = [&start[..], &count(8, i, n_, &body), &[Load(sum), Return]].concat();
    run(vec![Function { name: "texts".to_string(), arity: 1, locals: 4, code }], &[Value::Int(n)])
}

/// Calls a function with a text and an integer in each turn.
pub fn calls(n: i64) -> String {
    let (n_, i, sum) = (0, 1, 2);
    let body = [text("abc"), Load(i), Call(1), Load(sum), Add, Store(sum)];
    let start = [int(0), Store(i), int(0), Store(sum)];
    let code = [&start[..], &count(4, i, n_, &body), &[Load(sum), Return]].concat();
    let main = Function { name: "calls".to_string(), arity: 1, locals: 2, code };
    let code = vec![Load(1), Load(0), Length, Mul, Return];
    let weigh = Function { name: "weigh".to_string(), arity: 2, locals: 0, code };
    run(vec![main, weigh], &[Value::Int(n)])
}
