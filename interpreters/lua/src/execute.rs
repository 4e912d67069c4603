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

/// Goes on with what a step has decided.
macro_rules! go {
    ($vm:ident, $pc:ident, $proto:ident, $base:ident, $step:expr) => {
        match $step {
            Ok(next) => ($pc, $proto, $base) = next,
            Err(Raised) => match $vm.catch() {
                Some(next) => ($pc, $proto, $base) = next,
                None => return Err(Raised),
            },
        }
    };
}

/// Does something that may fail.
macro_rules! step {
    ($vm:ident, $pc:ident, $proto:ident, $base:ident, $step:expr) => {
        if $step.is_err() {
            match $vm.catch() {
                Some(next) => ($pc, $proto, $base) = next,
                None => return Err(Raised),
            }
        }
    };
}

/// Does something that may fail, and may begin a call instead.
macro_rules! call_or {
    ($vm:ident, $pc:ident, $proto:ident, $base:ident, $step:expr) => {
        match $step {
            Ok(calls::Step::Done) => {}
            Ok(calls::Step::Begun(next)) => ($pc, $proto, $base) = next,
            Err(Raised) => match $vm.catch() {
                Some(next) => ($pc, $proto, $base) = next,
                None => return Err(Raised),
            },
        }
    };
}

/// Jumps if a comparison, which may fail, says so.
macro_rules! jump_if {
    ($vm:ident, $pc:ident, $proto:ident, $base:ident, $instr:ident, $wanted:expr, $test:expr) => {
        match $test {
            Ok(calls::Test::Holds(holds)) => {
                if holds == $wanted {
                    $pc = $instr.c as usize;
                }
            }
            Ok(calls::Test::Begun(next)) => ($pc, $proto, $base) = next,
            Err(Raised) => match $vm.catch() {
                Some(next) => ($pc, $proto, $base) = next,
                None => return Err(Raised),
            },
        }
    };
}

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
            Op::GetTabUp => call_or!(vm, pc, proto, base, access::get_global(vm, pc, proto, base, instr)),
            Op::SetTabUp => call_or!(vm, pc, proto, base, access::set_global(vm, pc, proto, base, instr)),
            Op::GetTable => call_or!(vm, pc, proto, base, access::get_table(vm, pc, proto, base, instr)),
            Op::GetInt => call_or!(vm, pc, proto, base, access::get_int(vm, pc, proto, base, instr)),
            Op::GetField => call_or!(vm, pc, proto, base, access::get_field(vm, pc, proto, base, instr)),
            Op::SetTable => call_or!(vm, pc, proto, base, access::set_table(vm, pc, proto, base, instr)),
            Op::SetInt => call_or!(vm, pc, proto, base, access::set_int(vm, pc, proto, base, instr)),
            Op::SetField => call_or!(vm, pc, proto, base, access::set_field(vm, pc, proto, base, instr)),
            Op::Method => call_or!(vm, pc, proto, base, access::method(vm, pc, proto, base, instr)),
            Op::NewTable => step!(vm, pc, proto, base, access::new_table(vm, pc, base, instr)),
            Op::Add => {
                call_or!(vm, pc, proto, base, arith::add(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::Sub => {
                call_or!(vm, pc, proto, base, arith::sub(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::Mul => {
                call_or!(vm, pc, proto, base, arith::mul(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::Div => {
                call_or!(vm, pc, proto, base, arith::div(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::Mod => {
                call_or!(vm, pc, proto, base, arith::modulo(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::IDiv => call_or!(
                vm,
                pc,
                proto,
                base,
                arith::floor_div(vm, pc, proto, base, a, base.at(b), base.at(c))
            ),
            Op::BAnd => {
                call_or!(vm, pc, proto, base, arith::and(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::BOr => {
                call_or!(vm, pc, proto, base, arith::or(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::BXor => {
                call_or!(vm, pc, proto, base, arith::xor(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::Shl => {
                call_or!(vm, pc, proto, base, arith::shl(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::Shr => {
                call_or!(vm, pc, proto, base, arith::shr(vm, pc, proto, base, a, base.at(b), base.at(c)))
            }
            Op::Pow => {
                call_or!(
                    vm,
                    pc,
                    proto,
                    base,
                    arith::any(vm, pc, proto, base, a, Event::Pow, base.at(b), base.at(c))
                )
            }
            Op::AddK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(vm, pc, proto, base, arith::add(vm, pc, proto, base, a, x, y));
            }
            Op::SubK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(vm, pc, proto, base, arith::sub(vm, pc, proto, base, a, x, y));
            }
            Op::MulK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(vm, pc, proto, base, arith::mul(vm, pc, proto, base, a, x, y));
            }
            Op::DivK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(vm, pc, proto, base, arith::div(vm, pc, proto, base, a, x, y));
            }
            Op::ModK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(vm, pc, proto, base, arith::modulo(vm, pc, proto, base, a, x, y));
            }
            Op::IDivK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(vm, pc, proto, base, arith::floor_div(vm, pc, proto, base, a, x, y));
            }
            Op::BAndK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(vm, pc, proto, base, arith::and(vm, pc, proto, base, a, x, y));
            }
            Op::BOrK | Op::BXorK | Op::ShlK | Op::ShrK | Op::PowK => {
                let (x, y) = arith::operands(proto, base, instr);
                call_or!(vm, pc, proto, base, arith::any(vm, pc, proto, base, a, Event::of(instr.op), x, y));
            }
            Op::AddInt => call_or!(vm, pc, proto, base, arith::add_int(vm, pc, proto, base, instr)),
            Op::SubInt => call_or!(vm, pc, proto, base, arith::sub_int(vm, pc, proto, base, instr)),
            Op::Neg => call_or!(vm, pc, proto, base, arith::negate(vm, pc, proto, base, a, base.at(b))),
            Op::BNot => {
                call_or!(
                    vm,
                    pc,
                    proto,
                    base,
                    arith::any(vm, pc, proto, base, a, Event::BNot, base.at(b), base.at(b))
                )
            }
            Op::Not => base.put(a, Value::bool(!base.at(b).is_true())),
            Op::Len => call_or!(vm, pc, proto, base, access::length(vm, pc, proto, base, instr)),
            Op::Concat => step!(vm, pc, proto, base, access::concat(vm, pc, base, instr)),
            Op::Close => step!(vm, pc, proto, base, calls::close(vm, pc, base.up(a))),
            Op::ToClose => step!(vm, pc, proto, base, calls::to_close(vm, pc, base.up(a))),
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
            Op::JumpEq => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    true,
                    compare::equal(vm, pc, proto, base, base.at(a), base.at(b))
                )
            }
            Op::JumpNe => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    false,
                    compare::equal(vm, pc, proto, base, base.at(a), base.at(b))
                )
            }
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
            Op::JumpLt => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    true,
                    compare::less(vm, pc, proto, base, base.at(a), base.at(b))
                )
            }
            Op::JumpNotLt => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    false,
                    compare::less(vm, pc, proto, base, base.at(a), base.at(b))
                )
            }
            Op::JumpLe => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    true,
                    compare::less_equal(vm, pc, proto, base, base.at(a), base.at(b))
                )
            }
            Op::JumpNotLe => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    false,
                    compare::less_equal(vm, pc, proto, base, base.at(a), base.at(b))
                )
            }
            Op::JumpLtInt => {
                jump_if!(vm, pc, proto, base, instr, true, compare::less_int(vm, pc, proto, base, instr))
            }
            Op::JumpNotLtInt => {
                jump_if!(vm, pc, proto, base, instr, false, compare::less_int(vm, pc, proto, base, instr))
            }
            Op::JumpLeInt => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    true,
                    compare::less_equal_int(vm, pc, proto, base, instr)
                )
            }
            Op::JumpNotLeInt => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    false,
                    compare::less_equal_int(vm, pc, proto, base, instr)
                )
            }
            Op::JumpGtInt => {
                jump_if!(vm, pc, proto, base, instr, true, compare::greater_int(vm, pc, proto, base, instr))
            }
            Op::JumpNotGtInt => {
                jump_if!(vm, pc, proto, base, instr, false, compare::greater_int(vm, pc, proto, base, instr))
            }
            Op::JumpGeInt => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    true,
                    compare::greater_equal_int(vm, pc, proto, base, instr)
                )
            }
            Op::JumpNotGeInt => {
                jump_if!(
                    vm,
                    pc,
                    proto,
                    base,
                    instr,
                    false,
                    compare::greater_equal_int(vm, pc, proto, base, instr)
                )
            }
            Op::Call => {
                let caller = proto;
                go!(vm, pc, proto, base, calls::call(vm, pc, proto, base, instr));
                // Recursion is a loop; other functions become part of the loops that call them. There are several references to
                // one owner, but one content.
                if pc == 0 && std::ptr::eq::<Proto>(&**caller, &**proto) {
                    jit::can_enter_jit!();
                }
            }
            Op::TailCall => match calls::tail_call(vm, pc, proto, base, instr) {
                Ok(calls::After::Go(next)) => (pc, proto, base) = next,
                Ok(calls::After::Leave) => return Ok(()),
                Err(Raised) => match vm.catch() {
                    Some(next) => (pc, proto, base) = next,
                    None => return Err(Raised),
                },
            },
            Op::Return | Op::Return0 | Op::Return1 => match calls::give_back(vm, pc, base, instr) {
                Ok(calls::After::Go(next)) => (pc, proto, base) = next,
                Ok(calls::After::Leave) => return Ok(()),
                Err(Raised) => match vm.catch() {
                    Some(next) => (pc, proto, base) = next,
                    None => return Err(Raised),
                },
            },
            Op::ForPrep => {
                let begins = loops::prepare(vm, pc, base.up(a)).map(calls::Test::Holds);
                jump_if!(vm, pc, proto, base, instr, false, begins);
            }
            Op::ForLoop => {
                if loops::advance(base.up(a)) {
                    pc = c;
                    jit::can_enter_jit!();
                }
            }
            Op::ForInPrep => {
                let next = calls::to_close(vm, pc, base.up(a + 3)).map(|()| (c, proto, base));
                go!(vm, pc, proto, base, next);
            }
            Op::ForInCall => go!(vm, pc, proto, base, loops::call_iterator(vm, pc, proto, base, instr)),
            Op::ForInLoop => {
                let control = base.at(a + 4);
                if !control.is_nil() {
                    base.put(a + 2, control);
                    pc = c;
                    jit::can_enter_jit!();
                }
            }
            Op::SetList => step!(vm, pc, proto, base, access::set_list(vm, pc, base, instr)),
            Op::Closure => step!(vm, pc, proto, base, calls::closure(vm, pc, proto, base, instr)),
            Op::VarArg => step!(vm, pc, proto, base, calls::var_arg(vm, pc, base, instr)),
            Op::Hook => go!(vm, pc, proto, base, hook::tell(vm, pc)),
        }
    }
}
