//! Arithmetic.

use metatrace::gc::Gc;
use metatrace::jit;

use crate::function::{Function, Proto};
use crate::meta::{self, Event};
use crate::number;
use crate::op::{FLIP, Instr};
use crate::ops::calls::{Step, begin_for_register};
use crate::stack::Slot;
use crate::thread::Running;
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

/// The operands of an operation with a constant, in the order of the source.
#[inline(always)]
pub fn operands(proto: &Proto, base: Slot, instr: Instr) -> (Value, Value) {
    let register = base.at(usize::from(instr.b));
    let constant = proto.constant((instr.c & !FLIP) as usize);
    if instr.c & FLIP == 0 { (register, constant) } else { (constant, register) }
}

/// Any operation in the general way.
#[inline(never)]
pub fn any(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    a: usize,
    event: Event,
    x: Value,
    y: Value,
) -> Result<Step> {
    vm.save_pc(pc);
    let method = match traced_operands(vm, event, x, y) {
        Some(method) => method,
        None => match general(vm, base, a, event, x, y)? {
            Some(method) => method,
            None => return Ok(Step::Done),
        },
    };
    begin_for_register(vm, proto, base, a, method, [x, y])
}

/// The metamethod that is called, if a trace sees it.
#[inline(always)]
fn traced_operands(vm: &Vm, event: Event, x: Value, y: Value) -> Option<Gc<Function>> {
    match (x, y) {
        (Value::Table(_), _) | (_, Value::Table(_)) => meta::traced_binary(vm, event, x, y),
        _ => None,
    }
}

/// Does an operation, or finds what to call for it.
#[inline(never)]
#[jit::dont_look_inside]
fn general(vm: &Vm, base: Slot, a: usize, event: Event, x: Value, y: Value) -> Result<Option<Gc<Function>>> {
    if let (Event::Pow, Some(x), Some(y)) = (event, x.number(), y.number()) {
        base.put(a, Value::float(number::power(x.to_float(), y.to_float())));
        return Ok(None);
    }
    let (result, method) = meta::arith(vm, event, x, y)?;
    if method.is_none() {
        base.put(a, result);
    }
    Ok(method)
}

macro_rules! both_kinds {
    ($(#[doc = $doc:literal])* $name:ident $event:ident, $x:ident $y:ident, $int:expr, $float:expr) => {
        $(#[doc = $doc])*
        #[inline(always)]
        pub fn $name(vm: &Vm, pc: usize, proto: Running, base: Slot, a: usize, x: Value, y: Value) -> Result<Step> {
            match (x, y) {
                (Value::Int($x), Value::Int($y)) => base.put(a, Value::Int($int)),
                (Value::Float(x), Value::Float(y)) => {
                    let ($x, $y) = (x.get(), y.get());
                    base.put(a, Value::float($float));
                }
                (Value::Int(x), Value::Float(y)) => {
                    let ($x, $y) = (x as f64, y.get());
                    base.put(a, Value::float($float));
                }
                (Value::Float(x), Value::Int(y)) => {
                    let ($x, $y) = (x.get(), y as f64);
                    base.put(a, Value::float($float));
                }
                _ => return any(vm, pc, proto, base, a, Event::$event, x, y),
            }
            Ok(Step::Done)
        }
    };
}

both_kinds!(
    /// `x + y`.
    add Add, x y, x.wrapping_add(y), x + y
);
both_kinds!(
    /// `x - y`.
    sub Sub, x y, x.wrapping_sub(y), x - y
);
both_kinds!(
    /// `x * y`.
    mul Mul, x y, x.wrapping_mul(y), x * y
);

/// `x / y`.
#[inline(always)]
pub fn div(vm: &Vm, pc: usize, proto: Running, base: Slot, a: usize, x: Value, y: Value) -> Result<Step> {
    let (x, y) = match (x, y) {
        (Value::Float(x), Value::Float(y)) => (x.get(), y.get()),
        (Value::Int(x), Value::Int(y)) => (x as f64, y as f64),
        (Value::Int(x), Value::Float(y)) => (x as f64, y.get()),
        (Value::Float(x), Value::Int(y)) => (x.get(), y as f64),
        _ => return any(vm, pc, proto, base, a, Event::Div, x, y),
    };
    base.put(a, Value::float(x / y));
    Ok(Step::Done)
}

/// `x % y`.
#[inline(always)]
pub fn modulo(vm: &Vm, pc: usize, proto: Running, base: Slot, a: usize, x: Value, y: Value) -> Result<Step> {
    if let (Value::Int(x), Value::Int(y)) = (x, y)
        && y > 0
    {
        let remainder = x.wrapping_rem(y);
        base.put(a, Value::Int(if remainder < 0 { remainder + y } else { remainder }));
        return Ok(Step::Done);
    }
    any(vm, pc, proto, base, a, Event::Mod, x, y)
}

/// `x // y`.
#[inline(always)]
pub fn floor_div(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    a: usize,
    x: Value,
    y: Value,
) -> Result<Step> {
    match (x, y) {
        (Value::Int(x), Value::Int(y)) if y > 0 => {
            let quotient = x.wrapping_div(y);
            base.put(a, Value::Int(if quotient.wrapping_mul(y) > x { quotient - 1 } else { quotient }));
        }
        (Value::Float(x), Value::Float(y)) => base.put(a, Value::float((x.get() / y.get()).floor())),
        _ => return any(vm, pc, proto, base, a, Event::IDiv, x, y),
    }
    Ok(Step::Done)
}

macro_rules! ints_only {
    ($(#[doc = $doc:literal])* $name:ident $event:ident, $x:ident $y:ident, $int:expr) => {
        $(#[doc = $doc])*
        #[inline(always)]
        pub fn $name(vm: &Vm, pc: usize, proto: Running, base: Slot, a: usize, x: Value, y: Value) -> Result<Step> {
            if let (Value::Int($x), Value::Int($y)) = (x, y) {
                base.put(a, Value::Int($int));
                return Ok(Step::Done);
            }
            any(vm, pc, proto, base, a, Event::$event, x, y)
        }
    };
}
ints_only!(
    /// `x & y`.
    and BAnd, x y, x & y
);
ints_only!(
    /// `x | y`.
    or BOr, x y, x | y
);
ints_only!(
    /// `x ~ y`.
    xor BXor, x y, x ^ y
);
ints_only!(
    /// `x << y`.
    shl Shl, x y, number::shift_left(x, y)
);
ints_only!(
    /// `x >> y`.
    shr Shr, x y, number::shift_left(x, y.checked_neg().unwrap_or(i64::MAX))
);

/// `x + c`.
#[inline(always)]
pub fn add_int(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let (a, int) = (usize::from(instr.a), i64::from(instr.c as i32));
    match base.at(usize::from(instr.b)) {
        Value::Int(x) => base.put(a, Value::Int(x.wrapping_add(int))),
        Value::Float(x) => base.put(a, Value::float(x.get() + int as f64)),
        x => return any(vm, pc, proto, base, a, Event::Add, x, Value::Int(int)),
    }
    Ok(Step::Done)
}

/// `x - c`.
#[inline(always)]
pub fn sub_int(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let (a, int) = (usize::from(instr.a), i64::from(instr.c as i32));
    match base.at(usize::from(instr.b)) {
        Value::Int(x) => base.put(a, Value::Int(x.wrapping_sub(int))),
        Value::Float(x) => base.put(a, Value::float(x.get() - int as f64)),
        x => return any(vm, pc, proto, base, a, Event::Sub, x, Value::Int(int)),
    }
    Ok(Step::Done)
}

/// `-x`.
#[inline(always)]
pub fn negate(vm: &Vm, pc: usize, proto: Running, base: Slot, a: usize, x: Value) -> Result<Step> {
    match x {
        Value::Int(int) => base.put(a, Value::Int(int.wrapping_neg())),
        Value::Float(float) => base.put(a, Value::float(-float.get())),
        _ => return any(vm, pc, proto, base, a, Event::Neg, x, x),
    }
    Ok(Step::Done)
}
