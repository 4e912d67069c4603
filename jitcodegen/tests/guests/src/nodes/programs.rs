use super::frame::Frame;
use super::nodes::*;
use metatrace::Traced;

type Expression = Box<dyn Node>;
type Step = Box<dyn Statement>;

fn bin(op: Op, left: Expression, right: Expression) -> Expression {
    Box::new(Binary { op, left, right })
}

fn local(slot: usize) -> Expression {
    Box::new(ReadLocal { slot })
}

fn int(n: i64) -> Expression {
    Box::new(Literal(n))
}

fn unary(apply: fn(i64) -> i64, operand: Expression) -> Expression {
    Box::new(Unary { apply, operand })
}

fn call(callee: usize, argument: Expression) -> Expression {
    Box::new(CallNode { callee, arguments: vec![argument] })
}

fn assign(slot: usize, value: Expression) -> Step {
    Box::new(Assign { slot, value })
}

fn block(statements: Vec<Step>) -> Step {
    Box::new(Block { statements })
}

fn when(condition: Expression, then: Step, otherwise: Option<Step>) -> Step {
    assert!(!condition.is_constant(), "a condition that never changes");
    Box::new(If { condition, then, otherwise })
}

fn repeat(condition: Expression, body: Step) -> Step {
    Box::new(Traced::new(While { condition, body }))
}

fn give(value: Expression) -> Step {
    Box::new(Return(value))
}

fn function(slots: usize, body: Step) -> FunctionNode {
    FunctionNode { slots, body: Traced::new(body) }
}

fn run(functions: Vec<FunctionNode>, n: i64) -> String {
    let mut frame = Frame { slots: vec![n], functions: &functions, depth: 0 };
    format!("{:?}", call(0, local(0)).eval(&mut frame))
}

/// A sum with a condition, a call, and operators behind function pointers.
pub fn sums(n: i64) -> String {
    let (limit, i, sum) = (0, 1, 2);
    let body = block(vec![
        repeat(
            bin(Op::Less, local(i), local(limit)),
            block(vec![
                when(
                    bin(Op::Equal, bin(Op::Mod, local(i), int(3)), int(0)),
                    assign(sum, bin(Op::Add, local(sum), call(1, local(i)))),
                    Some(assign(sum, bin(Op::Add, local(sum), unary(negate, int(1))))),
                ),
                assign(i, bin(Op::Add, local(i), int(1))),
            ]),
        ),
        give(local(sum)),
    ]);
    let twice = give(bin(Op::Add, local(0), local(0)));
    run(vec![function(3, body), function(1, twice)], n)
}

/// Loops in loops, left by `break`.
pub fn nested(n: i64) -> String {
    let (limit, i, j, sum) = (0, 1, 2, 3);
    let body = block(vec![
        repeat(
            unary(not, bin(Op::Equal, local(i), local(limit))),
            block(vec![
                assign(j, int(0)),
                repeat(
                    int(1),
                    block(vec![
                        when(bin(Op::Equal, local(j), local(limit)), Box::new(Break), None),
                        assign(sum, bin(Op::Add, local(sum), bin(Op::Mul, local(i), local(j)))),
                        assign(j, bin(Op::Sub, local(j), int(-1))),
                    ]),
                ),
                assign(i, bin(Op::Add, local(i), int(1))),
            ]),
        ),
        give(bin(Op::Div, local(sum), int(7))),
    ]);
    run(vec![function(4, body)], n)
}

/// Fibonacci numbers by two recursive calls, all below `n` added up.
pub fn fib(n: i64) -> String {
    let (limit, i, sum) = (0, 1, 2);
    let body = block(vec![
        repeat(
            bin(Op::Less, local(i), local(limit)),
            block(vec![
                assign(sum, bin(Op::Add, local(sum), call(1, local(i)))),
                assign(i, bin(Op::Add, local(i), int(1))),
            ]),
        ),
        give(local(sum)),
    ]);
    let earlier = |n| call(1, bin(Op::Sub, local(0), int(n)));
    let fib = when(
        bin(Op::Less, local(0), int(2)),
        give(local(0)),
        Some(give(bin(Op::Add, earlier(1), earlier(2)))),
    );
    run(vec![function(3, body), function(1, fib)], n)
}
