use std::cell::Cell;

use metatrace::Traced;
use metatrace::gc::{Config, Gc, GcVec, Heap};

use super::vm::Instr::{self, *};
use super::vm::{Class, Error, Frame, Function, Program, Value, World, interpret};

/// The names of methods.
const ADD: u32 = 0;
const AREA: u32 = 1;

/// A class: its parent, and names and functions of its methods.
type Definition<'a> = (Option<usize>, &'a [(u32, usize)]);

/// Runs the first function with `n` in register 0, and gives the integer that it returns.
fn run(functions: Vec<Vec<Instr>>, classes: &[Definition], n: i64) -> String {
    let config = Config { limit: 64 << 20, nursery: 256 << 10, ..Config::default() };
    // SAFETY: the references stay in the machine, which is gone when the heap goes.
    let heap = unsafe { Heap::new(config) }.expect("address space");
    let functions = functions.into_iter().map(|instrs| Traced::new(Function { instrs })).collect();
    let program = Program { functions };
    heap.enter(|| {
        let world = Gc::new(World { classes: GcVec::default(), depth: Cell::new(0) });
        for (parent, methods) in classes {
            let class = Class::new(parent.and_then(|parent| world.classes.get(parent)));
            methods.iter().for_each(|&(name, function)| class.define(name, function));
            world.classes.push(class);
        }
        let frame = Frame::new();
        frame.registers[0].set(Value::Int(n));
        let result = interpret(0, &program.functions[0], &program, world, frame);
        let result = result.and_then(|value| match value {
            Value::Int(value) => Ok(value),
            _ => Err(Error::NoInteger),
        });
        format!("{result:?}")
    })
}

/// Adds an amount to the first field, and counts in the second.
fn add() -> Vec<Instr> {
    vec![
        GetField(2, 0, 0),
        Add(2, 2, 1),
        SetField(0, 0, 2),
        GetField(3, 0, 1),
        Int(4, 1),
        Add(3, 3, 4),
        SetField(0, 1, 3),
        Return(2),
    ]
}

/// An account to which each number below `n` is added. The method is the parent's.
pub fn account(n: i64) -> String {
    let main = vec![
        New(2, 1),
        Int(1, 0),
        Int(5, 1),
        Less(4, 1, 0),     // 3
        JumpIfNot(4, 9),   // 4
        Move(3, 1),        // 5
        Send(6, 2, ADD),   // 6
        Add(1, 1, 5),      // 7
        Jump(3),           // 8
        GetField(4, 2, 1), // 9
        Add(6, 6, 4),
        Return(6),
    ];
    run(vec![main, add()], &[(None, &[(ADD, 1)]), (Some(0), &[])], n)
}

/// Three kinds of shapes in turn, each with an area of its own.
pub fn shapes(n: i64) -> String {
    let main = vec![
        Int(6, 0),
        Int(7, 0),
        Int(1, 0),
        New(2, 0),         // 3: a square
        SetField(2, 0, 1), // 4
        Move(3, 1),        // 5
        Send(3, 2, AREA),  // 6
        Add(6, 6, 3),      // 7
        New(2, 1),         // 8: a rectangle
        SetField(2, 0, 1), // 9
        SetField(2, 1, 7), // 10
        Send(3, 2, AREA),  // 11
        Add(6, 6, 3),      // 12
        New(2, 2),         // 13: a unit
        Send(3, 2, AREA),  // 14
        Add(6, 6, 3),      // 15
        Int(5, 1),         // 16
        Add(1, 1, 5),      // 17
        Move(7, 1),        // 18
        Less(4, 1, 0),     // 19
        JumpIfNot(4, 22),  // 20
        Jump(3),           // 21
        Return(6),         // 22
    ];
    let square = vec![GetField(2, 0, 0), Multiply(2, 2, 2), Return(2)];
    let rectangle = vec![GetField(2, 0, 0), GetField(3, 0, 1), Multiply(2, 2, 3), Return(2)];
    let unit = vec![Int(2, 1), Return(2)];
    let classes: &[Definition] = &[(None, &[(AREA, 1)]), (Some(0), &[(AREA, 2)]), (None, &[(AREA, 3)])];
    run(vec![main, square, rectangle, unit], classes, n)
}

/// The method is defined again, as it was, in every turn.
pub fn unstable(n: i64) -> String {
    let main = vec![
        New(2, 0),
        Int(1, 0),
        Int(5, 1),
        Less(4, 1, 0),     // 3
        JumpIfNot(4, 10),  // 4
        Define(0, ADD, 1), // 5
        Move(3, 1),        // 6
        Send(6, 2, ADD),   // 7
        Add(1, 1, 5),      // 8
        Jump(3),           // 9
        GetField(4, 2, 1), // 10
        Add(6, 6, 4),
        Return(6),
    ];
    run(vec![main, add()], &[(None, &[(ADD, 1)])], n)
}

/// The method changes in the middle.
pub fn redefined(n: i64) -> String {
    let main = vec![
        New(2, 0),
        Int(1, 0),
        Int(5, 1),
        Int(7, 0),
        Less(4, 1, 0),     // 4
        JumpIfNot(4, 16),  // 5
        Move(3, 1),        // 6
        Send(6, 2, ADD),   // 7
        Add(1, 1, 5),      // 8
        Add(4, 1, 1),      // 9
        Less(4, 4, 0),     // 10
        JumpIfNot(4, 13),  // 11
        Jump(4),           // 12
        Less(4, 7, 5),     // 13: not yet defined anew
        JumpIfNot(4, 12),  // 14
        Jump(19),          // 15
        GetField(4, 2, 1), // 16
        Add(6, 6, 4),      // 17
        Return(6),         // 18
        Define(0, ADD, 2), // 19
        Int(7, 1),         // 20
        Jump(4),           // 21
    ];
    let mut twice = add();
    twice.insert(1, Add(2, 2, 1));
    run(vec![main, add(), twice], &[(None, &[(ADD, 1)])], n)
}
