//! Malformed bytecode and text are refused before anything runs.

use metatrace::Traced;
use tlr::opcode::*;
use tlr::{Bytecode, Fault, LoadError, assemble, run};

fn refused(bytes: &[u8]) -> (usize, Fault) {
    let LoadError { offset, fault } = Bytecode::load(bytes.to_vec()).unwrap_err();
    (offset, fault)
}

fn returns(bytes: &[u8], a: i64) -> i64 {
    run(&Traced::new(Bytecode::load(bytes.to_vec()).unwrap()), a)
}

#[test]
fn malformed_bytecode() {
    assert_eq!(refused(&[]), (0, Fault::Empty));
    assert_eq!(refused(&[0]), (0, Fault::BadOpcode(0)));
    assert_eq!(refused(&[NEG_A, 9, RETURN_A]), (1, Fault::BadOpcode(9)));
    assert_eq!(refused(&[RETURN_A, SET_A]), (1, Fault::Truncated("SET_A")));
    assert_eq!(refused(&[JUMP_IF_A, 3, RETURN_A]), (0, Fault::TargetBehindEnd { target: 3, length: 3 }));
    assert_eq!(refused(&[JUMP_IF_A, 1, RETURN_A]), (0, Fault::TargetInsideInstruction { target: 1 }));
    assert_eq!(refused(&[NEG_A]), (0, Fault::RunsOffEnd("NEG_A")));
    assert_eq!(refused(&[NEG_A, JUMP_IF_A, 0]), (1, Fault::RunsOffEnd("JUMP_IF_A")));
}

#[test]
fn registers_are_checked_on_every_path() {
    assert_eq!(refused(&[MOV_A_R, 0, RETURN_A]), (0, Fault::NoRegister { register: 0, registers: 0 }));
    assert_eq!(
        refused(&[ALLOCATE, 2, MOV_R_A, 2, RETURN_A]),
        (2, Fault::NoRegister { register: 2, registers: 2 })
    );
    // The jump skips the allocation.
    assert_eq!(
        refused(&[JUMP_IF_A, 4, ALLOCATE, 1, MOV_A_R, 0, RETURN_A]),
        (4, Fault::NoRegister { register: 0, registers: 0 })
    );
    // The loop comes back with fewer registers than it began with.
    assert_eq!(
        refused(&[ALLOCATE, 2, MOV_A_R, 1, ALLOCATE, 1, JUMP_IF_A, 2, RETURN_A]),
        (2, Fault::NoRegister { register: 1, registers: 1 })
    );
    // Nothing reaches the second instruction.
    assert_eq!(returns(&[RETURN_A, MOV_A_R, 0], 7), 7);
}

#[test]
fn arithmetic_wraps_and_operands_are_unsigned() {
    assert_eq!(returns(&[NEG_A, RETURN_A], i64::MIN), i64::MIN);
    assert_eq!(returns(&[ALLOCATE, 1, MOV_A_R, 0, ADD_R_TO_A, 0, RETURN_A], i64::MAX), -2);
    assert_eq!(returns(&[SET_A, 255, RETURN_A], 0), 255);
    assert_eq!(returns(&[ALLOCATE, 255, MOV_A_R, 254, MOV_R_A, 254, RETURN_A], 3), 3);
}

#[test]
fn text_that_is_no_program() {
    for (text, expected) in [
        ("NEG_A\nMOVE 1", "line 2: there is no instruction `MOVE`; the instructions are MOV_A_R"),
        ("SET_A 256", "line 1: `256` is not a number from 0 to 255"),
        ("SET_A", "line 1: SET_A takes one operand"),
        ("SET_A 1 2", "line 1: SET_A takes one operand"),
        ("NEG_A 1", "line 1: NEG_A takes no operand"),
        ("JUMP_IF_A away", "line 1: the label `away` is not defined"),
        ("x:\n\nx: ; again", "line 3: the label `x` is defined a second time"),
    ] {
        let error = assemble(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let far = format!("JUMP_IF_A far\n{}far:\nRETURN_A", "NEG_A\n".repeat(300));
    assert_eq!(
        assemble(&far).unwrap_err().to_string(),
        "line 1: the label `far` is at offset 302, and a jump reaches only 255"
    );
}
