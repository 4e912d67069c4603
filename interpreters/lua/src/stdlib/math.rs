//! The library `math`.

use metatrace::gc::Gc;
use metatrace::jit;

use crate::call::{Call, MOST_MOVED};
use crate::meta;
use crate::number::{self, Number};
use crate::string::Str;
use crate::table::Table;
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[
            ("acos", |call| float(call, f64::acos)),
            ("asin", |call| float(call, f64::asin)),
            ("atan", atan),
            ("cosh", |call| float(call, f64::cosh)),
            ("deg", |call| float(call, |x| x * (180.0 / std::f64::consts::PI))),
            ("fmod", fmod),
            ("frexp", frexp),
            ("ldexp", ldexp),
            ("log10", |call| float(call, f64::log10)),
            ("modf", modf),
            ("pow", pow),
            ("rad", |call| float(call, |x| x * (std::f64::consts::PI / 180.0))),
            ("random", random),
            ("randomseed", random_seed),
            ("sinh", |call| float(call, f64::sinh)),
            ("tan", |call| float(call, f64::tan)),
            ("tanh", |call| float(call, f64::tanh)),
            ("type", kind),
            ("ult", ult),
        ],
    )?;
    super::register_leaves(
        vm,
        table,
        &[
            ("abs", abs),
            ("ceil", ceil),
            ("cos", cos),
            ("exp", exp),
            ("floor", floor),
            ("log", log),
            ("max", max),
            ("min", min),
            ("sin", sin),
            ("sqrt", sqrt),
            ("tointeger", to_integer),
        ],
    )?;
    vm.set_field(table, "pi", Value::float(std::f64::consts::PI))?;
    vm.set_field(table, "huge", Value::float(f64::INFINITY))?;
    vm.set_field(table, "maxinteger", Value::Int(i64::MAX))?;
    vm.set_field(table, "mininteger", Value::Int(i64::MIN))?;
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos() as u64);
    seed(vm, time, std::ptr::from_ref(vm) as u64);
    Ok(())
}

#[inline]
fn float(call: Call, f: impl Fn(f64) -> f64) -> Result<usize> {
    let x = call.float(0)?;
    call.one(Value::float(f(x)))
}

fn abs(call: &Call) -> Result<usize> {
    match call.arg(0) {
        Value::Int(int) => call.one(Value::Int(int.wrapping_abs())),
        _ => call.one(Value::float(call.float(0)?.abs())),
    }
}

fn atan(call: Call) -> Result<usize> {
    let y = call.float(0)?;
    let x = if call.arg(1).is_nil() { 1.0 } else { call.float(1)? };
    call.one(Value::float(y.atan2(x)))
}

#[inline]
fn int_if_fits(float: f64) -> Value {
    match number::float_to_int(float) {
        Some(int) => Value::Int(int),
        None => Value::float(float),
    }
}

fn floor(call: &Call) -> Result<usize> {
    match call.number(0)? {
        Number::Int(int) => call.one(Value::Int(int)),
        Number::Float(float) => call.one(int_if_fits(float.floor())),
    }
}

fn ceil(call: &Call) -> Result<usize> {
    match call.number(0)? {
        Number::Int(int) => call.one(Value::Int(int)),
        Number::Float(float) => call.one(int_if_fits(float.ceil())),
    }
}

fn sqrt(call: &Call) -> Result<usize> {
    call.one(Value::float(call.float(0)?.sqrt()))
}

fn sin(call: &Call) -> Result<usize> {
    call.one(Value::float(sine(call.float(0)?)))
}

fn cos(call: &Call) -> Result<usize> {
    call.one(Value::float(cosine(call.float(0)?)))
}

fn exp(call: &Call) -> Result<usize> {
    call.one(Value::float(power_of_e(call.float(0)?)))
}

#[jit::elidable]
fn sine(x: f64) -> f64 {
    x.sin()
}

#[jit::elidable]
fn cosine(x: f64) -> f64 {
    x.cos()
}

#[jit::elidable]
fn power_of_e(x: f64) -> f64 {
    x.exp()
}

fn fmod(call: Call) -> Result<usize> {
    if let (Number::Int(a), Number::Int(b)) = (call.number(0)?, call.number(1)?) {
        if b == 0 {
            return Err(call.bad(1, "zero"));
        }
        return call.one(Value::Int(a.wrapping_rem(b)));
    }
    let (a, b) = (call.float(0)?, call.float(1)?);
    call.one(Value::float(a % b))
}

fn log(call: &Call) -> Result<usize> {
    let x = call.float(0)?;
    let result = if call.arg(1).is_nil() { natural_logarithm(x) } else { logarithm(x, call.float(1)?) };
    call.one(Value::float(result))
}

#[jit::elidable]
fn natural_logarithm(x: f64) -> f64 {
    x.ln()
}

#[jit::elidable]
fn logarithm(x: f64, base: f64) -> f64 {
    if base == 2.0 {
        x.log2()
    } else if base == 10.0 {
        x.log10()
    } else {
        x.ln() / base.ln()
    }
}

fn max(call: &Call) -> Result<usize> {
    extreme(call, true)
}

fn min(call: &Call) -> Result<usize> {
    extreme(call, false)
}

/// The greatest or the least argument.
#[inline(always)]
#[jit::unroll_safe]
fn extreme(call: &Call, greatest: bool) -> Result<usize> {
    let mut best = call.any(0)?;
    if call.count > MOST_MOVED {
        call.needs_frame()?;
    }
    for index in 1..call.count {
        let next = call.arg(index);
        let is_better = if greatest { is_less(call, best, next)? } else { is_less(call, next, best)? };
        if is_better {
            best = next;
        }
    }
    call.one(best)
}

#[inline(always)]
fn is_less(call: &Call, a: Value, b: Value) -> Result<bool> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a < b),
        (Value::Float(a), Value::Float(b)) => Ok(a.get() < b.get()),
        _ => is_less_slow(call, a, b),
    }
}

#[inline(never)]
#[jit::dont_look_inside]
fn is_less_slow(call: &Call, a: Value, b: Value) -> Result<bool> {
    call.needs_frame()?;
    meta::less(call.vm, a, b)
}

// Functions of earlier versions, which the reference implementation has as it is usually built.

fn pow(call: Call) -> Result<usize> {
    let (x, y) = (call.float(0)?, call.float(1)?);
    call.one(Value::float(x.powf(y)))
}

/// Fraction and exponent: the fraction is at least a half and less than one.
fn frexp(call: Call) -> Result<usize> {
    let x = call.float(0)?;
    if x == 0.0 || !x.is_finite() {
        return call.many(&[Value::float(x), Value::Int(0)]);
    }
    // What is too small for a full exponent is scaled first.
    let (scaled, shift) = if x.abs() < f64::MIN_POSITIVE { (x * 2f64.powi(54), 54) } else { (x, 0) };
    let bits = scaled.to_bits();
    let exponent = (bits >> 52 & 0x7FF) as i64 - 1022;
    let fraction = f64::from_bits(bits & !(0x7FF << 52) | 1022 << 52);
    call.many(&[Value::float(fraction), Value::Int(exponent - shift)])
}

fn ldexp(call: Call) -> Result<usize> {
    // SAFETY: the C library's function of this name and type takes any arguments.
    unsafe extern "C" {
        safe fn ldexp(x: f64, exponent: std::ffi::c_int) -> f64;
    }
    let (x, exponent) = (call.float(0)?, call.int(1)?);
    // Beyond these, all are infinite or zero.
    call.one(Value::float(ldexp(x, exponent.clamp(-5000, 5000) as std::ffi::c_int)))
}

fn modf(call: Call) -> Result<usize> {
    let x = call.float(0)?;
    let whole = x.trunc();
    let fraction = if x.is_infinite() { 0.0 } else { x - whole };
    call.many(&[int_if_fits(whole), Value::float(fraction)])
}

fn to_integer(call: &Call) -> Result<usize> {
    let found = match call.any(0)? {
        Value::Int(int) => Some(int),
        Value::Float(float) => number::float_to_int(float.get()),
        Value::Str(text) => int_of_text(text),
        _ => None,
    };
    call.one(match found {
        Some(int) => Value::Int(int),
        None => Value::Nil,
    })
}

#[inline(never)]
#[jit::reads_only]
fn int_of_text(text: Str) -> Option<i64> {
    Value::Str(text).to_int()
}

fn kind(call: Call) -> Result<usize> {
    match call.any(0)? {
        Value::Int(_) => call.text(b"integer"),
        Value::Float(_) => call.text(b"float"),
        _ => call.one(Value::Nil),
    }
}

fn ult(call: Call) -> Result<usize> {
    let (a, b) = (call.int(0)?, call.int(1)?);
    call.one(Value::bool((a as u64) < b as u64))
}

// Random numbers: xoshiro256**.

fn next_random(vm: &Vm) -> u64 {
    let [mut a, mut b, mut c, mut d] = vm.random.get();
    let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
    let shifted = b << 17;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = d.rotate_left(45);
    vm.random.set([a, b, c, d]);
    result
}

fn seed(vm: &Vm, first: u64, second: u64) {
    vm.random.set([first, 0xFF, second, 0]);
    for _ in 0..16 {
        next_random(vm);
    }
}

fn random(call: Call) -> Result<usize> {
    let bits = next_random(call.vm);
    let (low, high) = match call.count {
        0 => return call.one(Value::float((bits >> 11) as f64 * (0.5 / (1u64 << 52) as f64))),
        1 => {
            let high = call.int(0)?;
            if high == 0 {
                return call.one(Value::Int(bits as i64));
            }
            (1, high)
        }
        2 => (call.int(0)?, call.int(1)?),
        _ => return Err(call.fail("wrong number of arguments")),
    };
    if low > high {
        return Err(call.bad(0, "interval is empty"));
    }
    let span = (high as u64).wrapping_sub(low as u64);
    let mut value = bits;
    if span & span.wrapping_add(1) == 0 {
        value &= span;
    } else {
        let mask = u64::MAX >> span.leading_zeros();
        value &= mask;
        while value > span {
            value = next_random(call.vm) & mask;
        }
    }
    call.one(Value::Int(value.wrapping_add(low as u64) as i64))
}

fn random_seed(call: Call) -> Result<usize> {
    let (first, second) = if call.count == 0 {
        let time = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| time.as_nanos() as u64);
        (time, next_random(call.vm))
    } else {
        (call.int(0)? as u64, call.int_or(1, 0)? as u64)
    };
    seed(call.vm, first, second);
    call.many(&[Value::Int(first as i64), Value::Int(second as i64)])
}
