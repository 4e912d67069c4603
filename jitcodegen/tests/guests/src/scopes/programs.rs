use super::interp::{Completion, Interpreter, Scope, Value, length};
use super::syntax::{Expr, Function, Loop, Operator, Stmt};
use metatrace::Traced;

fn var(name: &str) -> Expr {
    Expr::Variable(name.into())
}

fn bin(op: Operator, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

fn call(callee: Expr, arguments: Vec<Expr>) -> Expr {
    Expr::Call { callee: Box::new(callee), arguments }
}

fn function(parameters: &[&str], body: Vec<Stmt>) -> Expr {
    let parameters = parameters.iter().map(|&name| name.into()).collect();
    Expr::Function(Function { parameters, body }.into())
}

fn add(name: &str, expr: Expr) -> Stmt {
    Stmt::Assign(name.into(), bin(Operator::Plus, var(name), expr))
}

fn repeat(condition: Expr, body: Vec<Stmt>) -> Stmt {
    Stmt::While(Traced::new(Loop { condition, body }))
}

fn run(program: Vec<Stmt>, n: i64) -> String {
    let globals = Scope::new(None);
    globals.define(&"n".into(), Value::Number(n as f64));
    globals.define(&"length".into(), Value::Native(length));
    let mut interpreter = Interpreter::default();
    match interpreter.run(&program, &globals) {
        Ok(Completion::Return(value)) => format!("Ok({value}) after {} calls", interpreter.calls()),
        Ok(Completion::Normal) => "Ok()".to_string(),
        Err(error) => format!("Err({error:?})"),
    }
}

/// A loop on variables.
pub fn counter(n: i64) -> String {
    run(
        vec![
            Stmt::Let("i".into(), Expr::Number(0.0)),
            Stmt::Let("sum".into(), Expr::Number(0.0)),
            repeat(
                bin(Operator::Less, var("i"), var("n")),
                vec![
                    Stmt::If {
                        condition: bin(Operator::Less, var("sum"), Expr::Number(1e9)),
                        then: vec![add("sum", bin(Operator::Times, var("i"), Expr::Number(0.5)))],
                        otherwise: Some(vec![Stmt::Assign("sum".into(), Expr::Number(0.0))]),
                    },
                    add("i", Expr::Number(1.0)),
                ],
            ),
            Stmt::Return(Some(var("sum"))),
        ],
        n,
    )
}

/// Texts that grow, and a native function.
pub fn strings(n: i64) -> String {
    run(
        vec![
            Stmt::Let("i".into(), Expr::Number(0.0)),
            Stmt::Let("total".into(), Expr::Number(0.0)),
            repeat(
                bin(Operator::Less, var("i"), var("n")),
                vec![
                    Stmt::Let("text".into(), bin(Operator::Plus, Expr::Text("i = ".into()), var("i"))),
                    add("total", call(var("length"), vec![var("text")])),
                    add("i", Expr::Number(1.0)),
                ],
            ),
            Stmt::Return(Some(bin(Operator::Plus, var("text"), var("total")))),
        ],
        n,
    )
}

/// A closure that makes closures, called in a loop.
pub fn compose(n: i64) -> String {
    let adder = function(
        &["amount"],
        vec![Stmt::Return(Some(function(
            &["x"],
            vec![Stmt::Return(Some(bin(Operator::Plus, var("x"), var("amount"))))],
        )))],
    );
    run(
        vec![
            Stmt::Let("adder".into(), adder),
            Stmt::Let("three".into(), call(var("adder"), vec![Expr::Number(3.0)])),
            Stmt::Let("i".into(), Expr::Number(0.0)),
            Stmt::Let("sum".into(), Expr::Number(0.0)),
            repeat(
                bin(Operator::Less, var("i"), var("n")),
                vec![
                    Stmt::Assign("sum".into(), call(var("three"), vec![var("sum")])),
                    Stmt::If {
                        condition: bin(Operator::Equal, var("i"), Expr::Number(50.0)),
                        then: vec![Stmt::Expression(call(var("adder"), vec![var("i")]))],
                        otherwise: None,
                    },
                    add("i", bin(Operator::Minus, Expr::Number(3.0), Expr::Number(2.0))),
                ],
            ),
            Stmt::Return(Some(var("sum"))),
        ],
        n,
    )
}
