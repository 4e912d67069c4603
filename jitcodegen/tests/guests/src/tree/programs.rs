use super::ast::BinOp::*;
use super::ast::Expr::{self, *};
use super::ast::{BinOp, Function, Program, Stmt, While};
use super::interp::Interpreter;
use super::value::Value;
use metatrace::Traced;

fn bin(op: BinOp, a: Expr, b: Expr) -> Expr {
    Bin(op, Box::new(a), Box::new(b))
}

/// `slot = slot + n`.
fn count(slot: usize, n: i64) -> Stmt {
    Stmt::Assign(slot, bin(Add, Local(slot), Int(n)))
}

fn repeat(cond: Expr, body: Vec<Stmt>) -> Stmt {
    Stmt::While(Box::new(Traced::new(While { cond, body })))
}

fn function(name: &str, params: usize, locals: usize, body: Vec<Stmt>) -> Function {
    Function { name: name.to_string(), params, locals, body: Traced::new(body) }
}

fn run(functions: Vec<Function>, n: i64) -> String {
    let program = Program { functions };
    let mut interpreter = Interpreter::new(&program);
    let result = interpreter.call(&program.functions[0], vec![Value::Int(n)]);
    match (result, interpreter.output.is_empty()) {
        (result, true) => format!("{result:?}"),
        (result, false) => format!("{result:?} {:?}", interpreter.output),
    }
}

/// The longest chain of halving and tripling that begins below `n`.
pub fn collatz(n: i64) -> String {
    let (limit, start, x, length, longest) = (0, 1, 2, 3, 4);
    let body = vec![
        Stmt::Assign(start, Int(1)),
        Stmt::Assign(longest, Int(0)),
        repeat(
            bin(Lt, Local(start), Local(limit)),
            vec![
                Stmt::Assign(x, Local(start)),
                Stmt::Assign(length, Int(0)),
                repeat(
                    bin(Ne, Local(x), Int(1)),
                    vec![
                        Stmt::If(
                            bin(Eq, bin(Rem, Local(x), Int(2)), Int(0)),
                            vec![Stmt::Assign(x, bin(Div, Local(x), Int(2)))],
                            vec![Stmt::Assign(x, bin(Add, bin(Mul, Local(x), Int(3)), Int(1)))],
                        ),
                        count(length, 1),
                    ],
                ),
                Stmt::If(
                    bin(Lt, Local(longest), Local(length)),
                    vec![Stmt::Assign(longest, Local(length))],
                    vec![],
                ),
                count(start, 1),
            ],
        ),
        Stmt::Return(Local(longest)),
    ];
    run(vec![function("collatz", 1, 5, body)], n)
}

/// A sum with a condition and a call.
pub fn sums(n: i64) -> String {
    let (limit, i, sum) = (0, 1, 2);
    let body = vec![
        Stmt::Assign(i, Int(0)),
        Stmt::Assign(sum, Int(0)),
        repeat(
            bin(Lt, Local(i), Local(limit)),
            vec![
                Stmt::If(
                    And(
                        Box::new(bin(Eq, bin(Rem, Local(i), Int(3)), Int(0))),
                        Box::new(Not(Box::new(bin(Eq, Local(i), Int(33))))),
                    ),
                    vec![Stmt::Assign(sum, bin(Add, Local(sum), Call(1, vec![Local(i)])))],
                    vec![Stmt::Assign(sum, bin(Add, Local(sum), Neg(Box::new(Int(1)))))],
                ),
                count(i, 1),
            ],
        ),
        Stmt::Print(bin(Add, Str("sum ".to_string()), Str("of sums".to_string()))),
        Stmt::Return(Local(sum)),
    ];
    let twice = vec![Stmt::Return(bin(Add, Local(0), Local(0)))];
    run(vec![function("sums", 1, 3, body), function("twice", 1, 1, twice)], n)
}

/// How many primes there are below `n`, by trial division with `break` and `continue`.
pub fn primes(n: i64) -> String {
    let (limit, i, found, d, prime) = (0, 1, 2, 3, 4);
    let body = vec![
        Stmt::Assign(i, Int(1)),
        Stmt::Assign(found, Int(0)),
        repeat(
            Bool(true),
            vec![
                count(i, 1),
                Stmt::If(bin(Le, Local(limit), Local(i)), vec![Stmt::Break], vec![]),
                Stmt::Assign(d, Int(2)),
                Stmt::Assign(prime, Bool(true)),
                repeat(
                    bin(Le, bin(Mul, Local(d), Local(d)), Local(i)),
                    vec![
                        Stmt::If(
                            bin(Eq, bin(Rem, Local(i), Local(d)), Int(0)),
                            vec![Stmt::Assign(prime, Bool(false)), Stmt::Break],
                            vec![],
                        ),
                        count(d, 1),
                    ],
                ),
                Stmt::If(
                    Or(Box::new(Not(Box::new(Local(prime)))), Box::new(Bool(false))),
                    vec![Stmt::Continue],
                    vec![],
                ),
                count(found, 1),
            ],
        ),
        Stmt::Return(Local(found)),
    ];
    run(vec![function("primes", 1, 5, body)], n)
}

/// Fibonacci numbers by two recursive calls, all below `n` added up.
pub fn fib(n: i64) -> String {
    let call = |argument| Call(1, vec![argument]);
    let body = vec![
        Stmt::Assign(1, Int(0)),
        Stmt::Assign(2, Int(0)),
        repeat(
            bin(Lt, Local(1), Local(0)),
            vec![Stmt::Assign(2, bin(Add, Local(2), call(Local(1)))), count(1, 1)],
        ),
        Stmt::Return(Local(2)),
    ];
    let fib = vec![Stmt::If(
        bin(Lt, Local(0), Int(2)),
        vec![Stmt::Return(Local(0))],
        vec![Stmt::Return(bin(Add, call(bin(Sub, Local(0), Int(1))), call(bin(Sub, Local(0), Int(2)))))],
    )];
    run(vec![function("main", 1, 3, body), function("fib", 1, 1, fib)], n)
}
