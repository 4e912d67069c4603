use metatrace::{Traced, jit};

use crate::bodies::{arith, buffers, enums, errors, floats, flow, generic, panics, slices, structs, tables};
use crate::bodies::{
    closures, collected, exprs, hints, items, iters, numbers, options, order, owned, patterns, stores, texts,
    traits,
};
use crate::bodies::{errors::Fault, helper};
use crate::code::{Code, Op};
use crate::state::State;

/// Runs a program over all inputs.
///
/// # Errors
/// The first fault of a body.
pub fn run(code: &Traced<Code>, state: &mut State) -> Result<i64, Fault> {
    interpret(0, code, 0, state)
}

/// Runs the instructions from `pc` on.
///
/// # Errors
/// The first fault of a body.
///
/// # Panics
/// If a body does, natively.
#[jit::portal(owner = code, greens = [pc])]
pub fn interpret(mut pc: usize, code: &Traced<Code>, mut acc: i64, state: &mut State) -> Result<i64, Fault> {
    loop {
        jit::merge_point!();
        let op = code.ops[pc];
        let (x, y) = (state.inputs[state.at].x, state.inputs[state.at].y);
        match op {
            Op::Input => acc = x.wrapping_add(acc & 15),
            Op::Loop => {
                state.results.push(acc);
                state.at += 1;
                if state.at == state.inputs.len() {
                    return Ok(acc);
                }
                pc = 0;
                jit::can_enter_jit!();
                continue;
            }
            Op::CastU8 => acc = ((acc + 7) as u8) as i64,
            Op::CastI32 => acc = ((acc * 3 + 1) as i32) as i64,
            Op::LogPush => {
                let log = &mut state.log;
                log.push(1u8);
                acc = log.len() as i64;
            }
            Op::CountLocal => {
                let mut count = acc;
                count = count + 1;
                acc = count;
            }
            Op::HostCall => acc = acc.wrapping_add(state.host.tick()),
            Op::ForRange => {
                for k in 0..3 {
                    acc += k
                }
            }
            Op::NegHalf => acc = (0 - acc) / 2,
            Op::Divide => acc = acc / y + acc % y,
            Op::Unsigned => {
                let (a, b) = (acc as u64, y as u64);
                acc = ((a >> (b & 63)) > 7) as i64 + (a / b) as i64;
            }
            Op::Logic => {
                let both = acc > 20 && y < 4 || !(x == acc);
                if both {
                    acc -= 1
                } else if !both || x / 0i64.max(y) > 1 {
                    acc += 1
                }
            }
            Op::WrappingMul => acc = acc.wrapping_mul(y).wrapping_mul(0x5851_f42d_4c95_7f2d),
            Op::TuplePattern => {
                let (a, (b, _)) = (acc, (y, x));
                (acc, _) = (b ^ a, a);
            }
            Op::HelperFile => acc = helper::twice(acc),
            Op::MatchValues => {
                acc = match acc {
                    1 => 10,
                    20 | 21 => 2,
                    i64::MIN..=-5 => 3,
                    22..25 => acc - 22,
                    _ => acc.wrapping_sub(1),
                }
            }
            Op::IfLet => {
                if let Some(value) = helper::find(&state.cells, y) {
                    acc = value;
                } else {
                    acc = -1;
                }
            }
            Op::While => {
                while acc > 3 {
                    acc /= 2;
                }
            }
            Op::StructReturn => {
                let point = helper::point(acc, y);
                acc = point.x ^ point.y;
            }
            Op::ClosureArgument => acc = helper::apply(|v| v.wrapping_add(x).wrapping_mul(3), acc),
            Op::Question => acc = helper::checked(acc, y)?,
            op => acc = topic(op, acc, x, y, state)?,
        }
        pc += 1;
    }
}

/// The bodies that stand in other files.
fn topic(op: Op, acc: i64, x: i64, y: i64, state: &mut State) -> Result<i64, Fault> {
    let number = op as u16;
    if number < Op::ByValue as u16 {
        Ok(arith::run(op, acc, x, y, state))
    } else if number < Op::Labels as u16 {
        Ok(enums::run(op, acc, x, y, state))
    } else if number < Op::Index as u16 {
        Ok(flow::run(op, acc, x, y, state))
    } else if number < Op::StaticDispatch as u16 {
        Ok(slices::run(op, acc, x, y, state))
    } else if number < Op::Methods as u16 {
        Ok(generic::run(op, acc, x, y, state))
    } else if number < Op::Double as u16 {
        Ok(structs::run(op, acc, x, y, state))
    } else if number < Op::Chain as u16 {
        Ok(floats::run(op, acc, x, y, state))
    } else if number < Op::Unwrap as u16 {
        errors::run(op, acc, x, y, state)
    } else if number < Op::Constants as u16 {
        Ok(panics::run(op, acc, x, y, state))
    } else if number < Op::OptionMap as u16 {
        Ok(tables::run(op, acc, x, y, state))
    } else if number < Op::EnumerateRev as u16 {
        Ok(options::run(op, acc, x, y, state))
    } else if number < Op::SlicePat as u16 {
        Ok(iters::run(op, acc, x, y, state))
    } else if number < Op::DropLocals as u16 {
        Ok(patterns::run(op, acc, x, y, state))
    } else if number < Op::OwnOperators as u16 {
        Ok(order::run(op, acc, x, y, state))
    } else if number < Op::ClosureReturned as u16 {
        Ok(traits::run(op, acc, x, y, state))
    } else if number < Op::Wide as u16 {
        Ok(closures::run(op, acc, x, y, state))
    } else if number < Op::StringBuilding as u16 {
        Ok(numbers::run(op, acc, x, y, state))
    } else if number < Op::ConstTables as u16 {
        Ok(owned::run(op, acc, x, y, state))
    } else if number < Op::ReadWord as u16 {
        Ok(items::run(op, acc, x, y, state))
    } else if number < Op::LoopForms as u16 {
        Ok(stores::run(op, acc, x, y, state))
    } else if number < Op::HintConstant as u16 {
        Ok(exprs::run(op, acc, x, y, state))
    } else if number < Op::TextsPushed as u16 {
        Ok(hints::run(op, acc, x, y, state))
    } else if number < Op::BufferFilled as u16 {
        Ok(texts::run(op, acc, x, y, state))
    } else if number < Op::GcObjects as u16 {
        Ok(buffers::run(op, acc, x, y, state))
    } else {
        Ok(collected::run(op, acc, x, y, state))
    }
}

metatrace::glue!();
