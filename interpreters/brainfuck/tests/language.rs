//! What the language means: cells, brackets, the ends of the tape and of the input, and errors with their places.

use brainfuck::{Eof, Host, LoadError, Op, Position, Program, RunError, Tape, run};
use metatrace::Traced;

fn load(source: &str) -> Program {
    Program::load(source.as_bytes()).unwrap()
}

fn output_of(source: &str, eof: Eof, input: &[u8]) -> Vec<u8> {
    let mut host = Host::memory(eof, input);
    run(&Traced::new(load(source)), &mut Tape::fixed(100).unwrap(), &mut host).unwrap();
    host.into_output()
}

fn at(line: u32, column: u32) -> Position {
    Position { line, column }
}

#[test]
fn brackets_are_matched() {
    let program = load("[+ comment [] ]");
    assert_eq!(program.ops(), [Op::Open, Op::Increment, Op::Open, Op::Close, Op::Close, Op::End]);
    assert_eq!([0, 2, 3, 4].map(|bracket| program.partner(bracket)), [4, 3, 2, 0]);
    assert_eq!(load("").ops(), [Op::End]);
}

#[test]
fn positions_count_characters() {
    let program = load("+\n ü+");
    assert_eq!((program.position(0), program.position(1)), (at(1, 1), at(2, 3)));
}

#[test]
fn unbalanced_brackets() {
    assert_eq!(Program::load(b"+[\n [+]").unwrap_err(), LoadError::Unclosed(at(1, 2)));
    assert_eq!(Program::load(b"[\n [+").unwrap_err(), LoadError::Unclosed(at(2, 2)));
    assert_eq!(Program::load(b"[]\n\n]").unwrap_err(), LoadError::Unopened(at(3, 1)));
    assert_eq!(LoadError::Unopened(at(3, 1)).to_string(), "line 3, column 1: this `]` has no matching `[`");
}

#[test]
fn cells_wrap() {
    assert_eq!(output_of("-.+.", Eof::Zero, b""), [255, 0]);
    assert_eq!(output_of("-[>+<-]>.", Eof::Zero, b""), [255]);
}

#[test]
fn loops() {
    assert_eq!(output_of("[.]+++[.-]", Eof::Zero, b""), [3, 2, 1]);
    assert_eq!(output_of(">,[>,]<[.<]", Eof::Zero, b"abc"), b"cba");
}

#[test]
fn end_of_input() {
    assert_eq!(output_of("+++,.,.", Eof::Zero, b"a"), [b'a', 0]);
    assert_eq!(output_of("+++,.,.", Eof::MinusOne, b"a"), [b'a', 255]);
    assert_eq!(output_of("+++,.,.", Eof::Unchanged, b"a"), [b'a', b'a']);
}

#[test]
fn left_end_of_the_tape() {
    let mut host = Host::memory(Eof::Zero, b"");
    let result = run(&Traced::new(load("+.\n>< <+.")), &mut Tape::growing(), &mut host);
    assert!(matches!(result, Err(RunError::LeftEnd(place)) if place == at(2, 4)));
    assert_eq!(host.into_output(), [1]);
}

#[test]
fn right_end_of_the_tape() {
    let mut tape = Tape::fixed(5).unwrap();
    let program = Traced::new(load(">>>>+[>+]"));
    let result = run(&program, &mut tape, &mut Host::memory(Eof::Zero, b""));
    assert!(matches!(result, Err(RunError::RightEnd(place)) if place == at(1, 7)));
    assert_eq!(tape.cells(), [0, 0, 0, 0, 1]);
}

#[test]
fn a_growing_tape_has_no_right_end() {
    let source = format!("{}+", ">".repeat(100_000));
    let mut tape = Tape::growing();
    run(&Traced::new(load(&source)), &mut tape, &mut Host::memory(Eof::Zero, b"")).unwrap();
    assert_eq!(tape.cells()[100_000], 1);
    assert!(tape.cells().len() > 100_000);
}

#[test]
fn a_tape_that_does_not_fit_into_memory() {
    assert!(Tape::fixed(isize::MAX as usize).is_none());
}
