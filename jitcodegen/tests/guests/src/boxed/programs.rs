use metatrace::Traced;
use metatrace::gc::{Config, Heap};

use super::vm::Instr::{self, *};
use super::vm::{Code, Frame, Value, interpret};

/// Runs code with `n` in local 0, and gives the integer that it returns.
fn run(instrs: Vec<Instr>, texts: &[&str], n: i64) -> String {
    let config = Config { limit: 64 << 20, nursery: 256 << 10, ..Config::default() };
    // SAFETY: the references stay in the machine, which is gone when the heap goes.
    let heap = unsafe { Heap::new(config) }.expect("address space");
    let texts = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let code = Traced::new(Code { instrs, texts });
    heap.enter(|| {
        let frame = Frame::new(Value::integer(n));
        format!("{:?}", interpret(0, &code, frame).and_then(Value::as_integer))
    })
}

/// `local = local + n`.
fn count(local: usize, n: i64) -> [Instr; 4] {
    [Load(local), Integer(n), Add, Store(local)]
}

/// The sum of the numbers below `n`.
pub fn sum(n: i64) -> String {
    let (limit, i, sum) = (0, 1, 2);
    let mut code = vec![Integer(0), Store(i), Integer(0), Store(sum)];
    code.extend([Load(i), Load(limit), Less, JumpIfNot(17)]); // 4
    code.extend([Load(sum), Load(i), Add, Store(sum)]);
    code.extend(count(i, 1));
    code.extend([Jump(4), Load(sum), Return]); // 16, 17
    run(code, &[], n)
}

/// How many steps of halving and tripling all numbers below `n` take to 1.
pub fn collatz(n: i64) -> String {
    let (limit, start, x, steps) = (0, 1, 2, 3);
    let mut code = vec![Integer(1), Store(start), Integer(0), Store(steps)];
    code.extend([Load(start), Load(limit), Less, JumpIfNot(44)]); // 4
    code.extend([Load(start), Store(x)]);
    code.extend([Load(x), Integer(1), Equal, Integer(0), Equal, JumpIfNot(39)]); // 10
    code.extend([Load(x), Integer(2), Remainder, JumpIfNot(28)]); // 16
    code.extend([Load(x), Integer(3), Multiply, Integer(1), Add, Store(x), Jump(32), Jump(32)]); // 20
    code.extend([Load(x), Integer(2), Divide, Store(x)]); // 28
    code.extend(count(steps, 1)); // 32
    code.extend([Jump(10), Jump(10), Jump(10)]); // 36
    code.extend(count(start, 1)); // 39
    code.extend([Jump(4), Load(steps), Return]); // 43, 44
    run(code, &[], n)
}

/// How many of `n` letters of a text, read round and round, are the letter `a`.
pub fn letters(n: i64) -> String {
    let (limit, i, text, found) = (0, 1, 2, 3);
    let mut code = vec![Integer(0), Store(i), Integer(0), Store(found), Text(0), Store(text)];
    code.extend([Load(i), Load(limit), Less, JumpIfNot(28)]); // 6
    code.extend([Load(text), Load(i), Load(text), Length, Remainder, At]); // 10
    code.extend([Integer(97), Equal, JumpIfNot(23)]); // 16
    code.extend(count(found, 1)); // 19
    code.extend(count(i, 1)); // 23
    code.extend([Jump(6), Load(found), Return]); // 27, 28
    run(code, &["the quick brown fox and a lazy dog"], n)
}

/// A text that grows by two letters a turn, until it is `n` bytes long, and starts anew then: how often it was compared equal.
pub fn text(n: i64) -> String {
    let (limit, i, text, equal) = (0, 1, 2, 3);
    let mut code = vec![Integer(0), Store(i), Integer(0), Store(equal), Text(0), Store(text)];
    code.extend([Load(i), Load(limit), Less, JumpIfNot(36)]); // 6
    code.extend([Load(text), Text(1), Concat, Store(text)]); // 10
    code.extend([Load(text), Text(2), Equal, JumpIfNot(22)]); // 14
    code.extend(count(equal, 1)); // 18
    code.extend([Integer(40), Load(text), Length, Less, JumpIfNot(31)]); // 22
    code.extend([Text(0), Store(text), Jump(31), Jump(31)]); // 27
    code.extend(count(i, 1)); // 31
    code.extend([Jump(6), Load(equal), Return]); // 35, 36
    run(code, &["", "ab", "abab"], n)
}
