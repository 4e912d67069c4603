use std::cell::Cell;

use metatrace::Traced;
use metatrace::gc::{Config, Heap};

use super::syntax::Expr::{self, *};
use super::syntax::Operator::{self, *};
use super::syntax::{Function, Place, Program};
use super::walk::{Environment, Value, Walker};

fn get(slot: usize) -> Expr {
    Get(Place { depth: 0, slot })
}

fn outer(slot: usize) -> Expr {
    Get(Place { depth: 1, slot })
}

fn set(slot: usize, value: Expr) -> Expr {
    Set(Place { depth: 0, slot }, Box::new(value))
}

fn binary(operator: Operator, left: Expr, right: Expr) -> Expr {
    Binary(operator, Box::new(left), Box::new(right))
}

fn call(callee: Expr, arguments: Vec<Expr>) -> Expr {
    Call(Box::new(callee), arguments)
}

fn repeat(condition: Expr, body: Vec<Expr>) -> Expr {
    While(Box::new(Traced::new(super::syntax::While { condition, body: Block(body) })))
}

fn function(params: usize, slots: usize, body: Expr) -> Function {
    Function { params, slots, body: Traced::new(body) }
}

/// Runs the first function with `n` in slot 0 of its environment.
fn run(functions: Vec<Function>, n: i64) -> String {
    let config = Config { limit: 64 << 20, nursery: 256 << 10, ..Config::default() };
    // SAFETY: the references stay in the walker, which is gone when the heap goes.
    let heap = unsafe { Heap::new(config) }.expect("address space");
    let program = Program { functions };
    let walker = Walker { program: &program, depth: Cell::new(0) };
    heap.enter(|| {
        let main = &program.functions[0];
        let environment = Environment::new(main.slots, None);
        environment.slots[0].set(Value::Int(n));
        format!("{:?}", walker.run(&main.body, environment).and_then(Value::as_int))
    })
}

/// A counter that is a closure, called for every number below `n`.
pub fn counter(n: i64) -> String {
    let (limit, i, counter, last) = (0, 1, 2, 3);
    let main = Block(vec![
        set(i, Int(0)),
        set(counter, call(Lambda(1), vec![Int(100)])),
        repeat(
            binary(Less, get(i), get(limit)),
            vec![set(last, call(get(counter), vec![get(i)])), set(i, binary(Add, get(i), Int(1)))],
        ),
        get(last),
    ]);
    let step = Set(Place { depth: 1, slot: 0 }, Box::new(binary(Add, outer(0), get(0))));
    run(vec![function(1, 4, main), function(1, 1, Lambda(2)), function(1, 1, step)], n)
}

/// The numbers below `n`, folded by a closure that a higher function makes of two others anew for each.
pub fn fold(n: i64) -> String {
    let (limit, i, sum) = (0, 1, 2);
    let composed = call(Lambda(1), vec![Lambda(3), Lambda(4)]);
    let main = Block(vec![
        set(i, Int(0)),
        set(sum, Int(0)),
        repeat(
            binary(Less, get(i), get(limit)),
            vec![
                set(sum, binary(Add, get(sum), call(composed, vec![get(i)]))),
                set(i, binary(Add, get(i), Int(1))),
            ],
        ),
        get(sum),
    ]);
    let compose = Lambda(2);
    let both = call(outer(0), vec![call(outer(1), vec![get(0)])]);
    let square = binary(Multiply, get(0), get(0));
    let next = binary(Add, get(0), Int(1));
    let functions = [function(1, 3, main), function(2, 2, compose), function(1, 1, both)];
    run(functions.into_iter().chain([function(1, 1, square), function(1, 1, next)]).collect(), n)
}

/// Fibonacci numbers by a closure that finds itself in its environment.
pub fn fib(n: i64) -> String {
    let main = Block(vec![set(1, Lambda(1)), call(get(1), vec![get(0)])]);
    let less = |by| call(outer(1), vec![binary(Subtract, get(0), Int(by))]);
    let body =
        If(Box::new(binary(Less, get(0), Int(2))), Box::new(get(0)), Box::new(binary(Add, less(1), less(2))));
    run(vec![function(1, 2, main), function(1, 1, body)], n)
}
