use metatrace::Traced;
use metatrace::gc::{Config, Gc, GcCell, Heap, Stress};

use super::vm::{Error, Frame, Instr, Value, interpret};

/// Runs code with `n` in register 0, and gives the integer that it returns.
fn run(code: Vec<Instr>, n: i64, stress: Stress) -> String {
    let config = Config { limit: 64 << 20, nursery: 256 << 10, ..Config::default() };
    // SAFETY: the references stay in the machine, which is gone when the heap goes.
    let heap = unsafe { Heap::new(config) }.expect("address space");
    heap.set_stress(stress);
    let code = Traced::new(code);
    metatrace::enter(&heap, || {
        let frame = Gc::new(Frame { registers: [const { GcCell::new(Value::Nil) }; super::vm::REGISTERS] });
        frame.registers[0].set(Value::Int(n));
        let result = interpret(0, &code, frame).and_then(|value| match value {
            Value::Int(value) => Ok(value),
            _ => Err(Error::NoInteger),
        });
        format!("{result:?}")
    })
}

use Instr::*;

/// A sum kept in an object.
pub fn sum(n: i64) -> String {
    let code = vec![
        Int(1, 0),
        New(2, 1, 7),
        Int(3, 1),
        Less(4, 1, 0),
        JumpIfNot(4, 10),
        Get(5, 2),
        Add(5, 5, 1),
        Set(2, 5),
        Add(1, 1, 3),
        Jump(3),
        Get(5, 2),
        Return(5),
    ];
    run(code, n, Stress::default())
}

/// For each number an object that refers to what register `next` holds, and one that dies; then the list is added up.
fn lists(next: usize) -> Vec<Instr> {
    vec![
        Int(1, 0),        // 0: the turn
        Int(3, 1),        // 1
        Int(6, 0),        // 2: the sum
        Less(4, 1, 0),    // 3
        JumpIfNot(4, 14), // 4
        New(2, 1, next),  // 5
        New(5, 2, 2),     // 6: one that dies, and holds the list
        Get(5, 5),        // 7
        Next(7, 5),       // 8
        IsObject(7, 7),   // 9
        Add(6, 6, 7),     // 10
        Add(1, 1, 3),     // 11
        Int(7, 0),        // 12
        Jump(3),          // 13
        IsObject(4, 2),   // 14
        JumpIfNot(4, 20), // 15
        Get(5, 2),        // 16
        Add(6, 6, 5),     // 17
        Next(2, 2),       // 18
        Jump(14),         // 19
        Return(6),        // 20
    ]
}

pub fn list(n: i64) -> String {
    run(lists(2), n, Stress::default())
}

/// An object for each number, whose end is counted.
pub fn finalized(n: i64) -> String {
    let code = vec![
        Int(1, 0),
        Int(3, 1),
        Int(6, 0),
        Less(4, 1, 0),    // 3
        JumpIfNot(4, 11), // 4
        New(2, 1, 7),     // 5
        Watch(2),         // 6
        Get(5, 2),        // 7
        Add(6, 6, 5),     // 8
        Add(1, 1, 3),     // 9
        Jump(3),          // 10
        Return(6),        // 11
    ];
    run(code, n, Stress { collect_every: 8, ..Stress::default() })
}

/// The same with a collection at every allocation, and a list of one object.
pub fn stressed(n: i64) -> String {
    run(lists(1), n, Stress { collect_every: 1, ..Stress::default() })
}
