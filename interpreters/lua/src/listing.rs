//! Listings of bytecode.

use std::fmt::Write;

use crate::compile::{Body, Constant};
use crate::op::{FIRST_CONST, FLIP, Operand};

/// The instructions of a function and of those in it, one a line.
pub fn list(body: &Body) -> String {
    let mut out = String::new();
    list_into(&mut out, body, "main");
    out
}

fn list_into(out: &mut String, body: &Body, name: &str) {
    let vararg = if body.is_vararg { ", ..." } else { "" };
    let _ = writeln!(
        out,
        "function {name}: lines {} to {}, {} parameters{vararg}, {} registers",
        body.first_line, body.last_line, body.params, body.registers
    );
    for (pc, instr) in body.code.iter().enumerate() {
        let _ = write!(out, "{pc:5} [{:4}] {:14}", body.lines[pc], format!("{:?}", instr.op));
        let fields = [u32::from(instr.a), u32::from(instr.b), instr.c];
        for (operand, field) in instr.op.operands().into_iter().zip(fields) {
            let text = operand_text(body, operand, field);
            if !text.is_empty() {
                let _ = write!(out, " {text}");
            }
        }
        out.push('\n');
    }
    for (index, function) in body.functions.iter().enumerate() {
        list_into(out, function, &format!("{name}.{index}"));
    }
}

fn operand_text(body: &Body, operand: Operand, field: u32) -> String {
    match operand {
        Operand::None => String::new(),
        Operand::Reg => format!("r{field}"),
        Operand::Up => match body.upvalues.get(field as usize) {
            Some(upvalue) => format!("u{field}({})", String::from_utf8_lossy(&upvalue.name)),
            None => format!("u{field}"),
        },
        Operand::Const => constant_text(body, field),
        Operand::RegConst if field < FIRST_CONST => format!("r{field}"),
        Operand::RegConst => constant_text(body, field - FIRST_CONST),
        Operand::Field => format!("{} cache {}", constant_text(body, field & 0xFFFF), field >> 16),
        Operand::Flip => {
            let side = if field & FLIP == 0 { "" } else { " flipped" };
            format!("{}{side}", constant_text(body, field & !FLIP))
        }
        Operand::Int if field > 0xFFFF => format!("{}", field as i32),
        Operand::Int => format!("{}", field as i16),
        Operand::Count => format!("{field}"),
        Operand::Target => format!("-> {field}"),
        Operand::Function => format!("function {field}"),
    }
}

fn constant_text(body: &Body, index: u32) -> String {
    match body.constants.get(index as usize) {
        Some(Constant::String(text)) => format!("{:?}", String::from_utf8_lossy(text)),
        Some(Constant::Nil) => "nil".into(),
        Some(Constant::Bool(value)) => value.to_string(),
        Some(Constant::Int(int)) => int.to_string(),
        Some(Constant::Float(float)) => format!("{float:?}"),
        None => format!("k{index}"),
    }
}
