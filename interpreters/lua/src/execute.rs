//! The loop that executes bytecode: the portal.
//!
//! In: the code of a function, where to go on in it, its registers. Calls of functions of the language and their returns go on in
//! the same loop with the code and registers of the other function; it returns with the call that it was begun for.

use metatrace::{Traced, jit};

use crate::function::Proto;
use crate::hook;
use crate::meta::Event;
use crate::op::Op;
use crate::ops::{access, arith, calls, compare, loops};
use crate::stack::Slot;
use crate::value::Value;
use crate::vm::{Raised, Result, Vm};

metatrace::glue!();

/// Runs code until the call returns for which it was begun.
///
/// # Errors
/// If an error is raised that no `pcall` within catches.
#[jit::portal(owner = proto, greens = [pc, vm])]
pub fn execute(mut pc: usize, mut proto: &'static Traced<Proto>, mut base: Slot, vm: &Vm) -> Result<()> {
    loop {
        jit::merge_point!();
        let instr = proto.instr(pc);
        let (a, b, c) = (usize::from(instr.a), usize::from(instr.b), instr.c as usize);
        pc += 1;

        // An error goes on in the innermost `pcall` of this run of the loop.
        macro_rules! catch {
            () => {
                match vm.catch() {
                    Some(next) => (pc, proto, base) = next,
                    None => return Err(Raised),
                }
            };
        }
        // Goes on where a step says.
        macro_rules! go {
            ($step:expr) => {
                match $step {
                    Ok(next) => (pc, proto, base) = next,
                    Err(Raised) => catch!(),
                }
            };
        }
        // Goes on where a step says, or leaves the loop.
        macro_rules! go_or_leave {
            ($step:expr) => {
                match $step {
                    Ok(calls::After::Go(next)) => (pc, proto, base) = next,
                    Ok(calls::After::Leave) => return Ok(()),
                    Err(Raised) => catch!(),
                }
            };
        }
        // Does something that may fail.
        macro_rules! step {
            ($step:expr) => {
                if $step.is_err() {
                    catch!()
                }
            };
        }
        // Does something that may fail, and may begin a call instead.
        macro_rules! call_or {
            ($step:expr) => {
                match $step {
                    Ok(calls::Step::Done) => {}
                    Ok(calls::Step::Begun(next)) => (pc, proto, base) = next,
                    Err(Raised) => catch!(),
                }
            };
        }
        // Jumps if a comparison, which may fail or begin a call instead, says so.
        macro_rules! jump_if {
            ($wanted:expr, $test:expr) => {
                match $test {
                    Ok(calls::Test::Holds(holds)) => {
                        if holds == $wanted {
                            pc = c;
                        }
                    }
                    Ok(calls::Test::Begun(next)) => (pc, proto, base) = next,
                    Err(Raised) => catch!(),
                }
            };
        }
        macro_rules! access {
            ($name:ident) => {
                call_or!(access::$name(vm, pc, proto, base, instr))
            };
        }
        macro_rules! binary {
            ($name:ident) => {
                call_or!(arith::$name(vm, pc, proto, base, a, base.at(b), base.at(c)))
            };
        }
        macro_rules! constant {
            ($name:ident) => {{
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(arith::$name(vm, pc, proto, base, a, x, y));
            }};
        }
        macro_rules! compare {
            ($wanted:expr, $name:ident) => {
                jump_if!($wanted, compare::$name(vm, pc, proto, base, base.at(a), base.at(b)))
            };
        }
        macro_rules! compare_int {
            ($wanted:expr, $name:ident) => {
                jump_if!($wanted, compare::$name(vm, pc, proto, base, instr))
            };
        }

        match instr.op {
            Op::Move => base.put(a, base.at(b)),
            Op::LoadInt => base.put(a, Value::Int(i64::from(instr.c as i32))),
            Op::LoadK => base.put(a, proto.constant(c)),
            Op::LoadNil => base.up(a).clear(b),
            Op::LoadTrue => base.put(a, Value::True),
            Op::LoadFalse => base.put(a, Value::False),
            Op::FalseSkip => {
                base.put(a, Value::False);
                pc += c;
            }
            Op::GetUp => base.put(a, calls::upvalue(base, b).get()),
            Op::SetUp => calls::upvalue(base, b).set(base.at(a)),
            Op::GetTabUp => access!(get_global),
            Op::SetTabUp => access!(set_global),
            Op::GetTable => access!(get_table),
            Op::GetInt => access!(get_int),
            Op::GetField => access!(get_field),
            Op::SetTable => access!(set_table),
            Op::SetInt => access!(set_int),
            Op::SetField => access!(set_field),
            Op::Method => access!(method),
            Op::NewTable => step!(access::new_table(vm, pc, base, instr)),
            Op::Add => binary!(add),
            Op::Sub => binary!(sub),
            Op::Mul => binary!(mul),
            Op::Div => binary!(div),
            Op::Mod => binary!(modulo),
            Op::IDiv => binary!(floor_div),
            Op::BAnd => binary!(and),
            Op::BOr => binary!(or),
            Op::BXor => binary!(xor),
            Op::Shl => binary!(shl),
            Op::Shr => binary!(shr),
            Op::Pow => {
                call_or!(arith::any(vm, pc, proto, base, a, Event::Pow, base.at(b), base.at(c)))
            }
            Op::AddK => constant!(add),
            Op::SubK => constant!(sub),
            Op::MulK => constant!(mul),
            Op::DivK => constant!(div),
            Op::ModK => constant!(modulo),
            Op::IDivK => constant!(floor_div),
            Op::BAndK => constant!(and),
            Op::BOrK | Op::BXorK | Op::ShlK | Op::ShrK | Op::PowK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(arith::any(vm, pc, proto, base, a, Event::of(instr.op), x, y));
            }
            Op::AddInt => call_or!(arith::add_int(vm, pc, proto, base, instr)),
            Op::SubInt => call_or!(arith::sub_int(vm, pc, proto, base, instr)),
            Op::Neg => call_or!(arith::negate(vm, pc, proto, base, a, base.at(b))),
            Op::BNot => {
                call_or!(arith::any(vm, pc, proto, base, a, Event::BNot, base.at(b), base.at(b)))
            }
            Op::Not => base.put(a, Value::bool(!base.at(b).is_true())),
            Op::Len => access!(length),
            Op::Concat => step!(access::concat(vm, pc, base, instr)),
            Op::Close => step!(calls::close(vm, pc, base.up(a))),
            Op::ToClose => step!(calls::to_close(vm, pc, base.up(a))),
            Op::Jump => pc = c,
            Op::Loop => {
                pc = c;
                jit::can_enter_jit!();
            }
            Op::JumpIf => {
                if base.at(a).is_true() {
                    pc = c;
                }
            }
            Op::JumpIfNot => {
                if !base.at(a).is_true() {
                    pc = c;
                }
            }
            Op::JumpIfSet => {
                let value = base.at(b);
                if value.is_true() {
                    base.put(a, value);
                    pc = c;
                }
            }
            Op::JumpIfNotSet => {
                let value = base.at(b);
                if !value.is_true() {
                    base.put(a, value);
                    pc = c;
                }
            }
            Op::JumpEq => compare!(true, equal),
            Op::JumpNe => compare!(false, equal),
            Op::JumpEqK => {
                if compare::same(base.at(a), proto.constant(b)) {
                    pc = c;
                }
            }
            Op::JumpNeK => {
                if !compare::same(base.at(a), proto.constant(b)) {
                    pc = c;
                }
            }
            Op::JumpLt => compare!(true, less),
            Op::JumpNotLt => compare!(false, less),
            Op::JumpLe => compare!(true, less_equal),
            Op::JumpNotLe => compare!(false, less_equal),
            Op::JumpLtInt => compare_int!(true, less_int),
            Op::JumpNotLtInt => compare_int!(false, less_int),
            Op::JumpLeInt => compare_int!(true, less_equal_int),
            Op::JumpNotLeInt => compare_int!(false, less_equal_int),
            Op::JumpGtInt => compare_int!(true, greater_int),
            Op::JumpNotGtInt => compare_int!(false, greater_int),
            Op::JumpGeInt => compare_int!(true, greater_equal_int),
            Op::JumpNotGeInt => compare_int!(false, greater_equal_int),
            Op::Call => {
                let caller = proto;
                go!(calls::call(vm, pc, proto, base, instr));
                // Recursion is a loop; other functions become part of the loops that call them. There are several references to
                // one owner, but one content.
                if pc == 0 && std::ptr::eq::<Proto>(&**caller, &**proto) {
                    jit::can_enter_jit!();
                }
            }
            Op::TailCall => go_or_leave!(calls::tail_call(vm, pc, proto, base, instr)),
            Op::Return | Op::Return0 | Op::Return1 => go_or_leave!(calls::give_back(vm, pc, base, instr)),
            Op::ForPrep => {
                let begins = loops::prepare(vm, pc, base.up(a)).map(calls::Test::Holds);
                jump_if!(false, begins);
            }
            Op::ForLoop => {
                if loops::advance(base.up(a)) {
                    pc = c;
                    jit::can_enter_jit!();
                }
            }
            Op::ForInPrep => {
                let next = calls::to_close(vm, pc, base.up(a + 3)).map(|()| (c, proto, base));
                go!(next);
            }
            Op::ForInCall => go!(loops::call_iterator(vm, pc, proto, base, instr)),
            Op::ForInLoop => {
                let control = base.at(a + 4);
                if !control.is_nil() {
                    base.put(a + 2, control);
                    pc = c;
                    jit::can_enter_jit!();
                }
            }
            Op::SetList => step!(access::set_list(vm, pc, base, instr)),
            Op::Closure => step!(calls::closure(vm, pc, proto, base, instr)),
            Op::VarArg => step!(calls::var_arg(vm, pc, base, instr)),
            Op::Hook => go!(hook::tell(vm, pc)),
        }
    }
}
