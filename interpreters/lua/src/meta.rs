//! What operations mean where the fast ways of `ops` do not apply: conversions, metamethods, errors.
//!
//! The machine's frame of the function that runs knows where it is (`Vm::save_pc`) before anything here is called.

use std::cmp::Ordering;

use metatrace::gc::Gc;
use metatrace::jit;

use crate::error;
use crate::number::{self, Number};
use crate::op::Op;
use crate::stack::Slot;
use crate::table::Table;
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

macro_rules! events {
    ($($name:ident $text:literal,)*) => {
        /// What metamethods are for. Of the first eight a metatable knows that it has none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Event { $($name,)* }

        /// The names of the metamethods.
        pub const EVENTS: &[&str] = &[$($text,)*];

        const ALL: &[Event] = &[$(Event::$name,)*];
    };
}
events! {
    Index "__index",
    NewIndex "__newindex",
    Eq "__eq",
    Len "__len",
    Call "__call",
    Gc "__gc",
    Mode "__mode",
    Close "__close",
    Add "__add",
    Sub "__sub",
    Mul "__mul",
    Mod "__mod",
    Pow "__pow",
    Div "__div",
    IDiv "__idiv",
    BAnd "__band",
    BOr "__bor",
    BXor "__bxor",
    Shl "__shl",
    Shr "__shr",
    Neg "__unm",
    BNot "__bnot",
    Lt "__lt",
    Le "__le",
    Concat "__concat",
    ToString "__tostring",
    Name "__name",
    Pairs "__pairs",
    Metatable "__metatable",
}

/// Steps that `__index` and `__newindex` may take.
const MAX_STEPS: usize = 2000;

impl Event {
    /// The event of an arithmetic operation.
    pub fn of(op: Op) -> Event {
        let op = op as u8;
        let of = |first: Op| (op - first as u8 + Event::Add as u8) as usize;
        if op >= Op::AddK as u8 { ALL[of(Op::AddK)] } else { ALL[of(Op::Add)] }
    }
}

/// `object[key]`.
#[jit::dont_look_inside]
pub fn index(vm: &Vm, object: Value, key: Value) -> Result<Value> {
    let mut object = object;
    for _ in 0..MAX_STEPS {
        let method = if let Value::Table(table) = object {
            let value = table.get(&vm.shapes, key);
            if !value.is_nil() {
                return Ok(value);
            }
            let Some(meta) = table.meta() else { return Ok(Value::Nil) };
            let method = vm.metamethod_of(meta, Event::Index);
            if method.is_nil() {
                return Ok(Value::Nil);
            }
            method
        } else {
            let method = vm.metamethod(object, Event::Index);
            if method.is_nil() {
                return Err(error::not_indexable(vm, object));
            }
            method
        };
        if let Value::Function(_) | Value::Native(_) = method {
            return vm.call(method, &[object, key]);
        }
        object = method;
    }
    Err(vm.error("'__index' chain too long; possible loop"))
}

/// `object[key] = value`.
#[jit::dont_look_inside]
pub fn set_index(vm: &Vm, object: Value, key: Value, value: Value) -> Result<()> {
    let mut object = object;
    for _ in 0..MAX_STEPS {
        let method = if let Value::Table(table) = object {
            let Some(meta) = table.meta() else { return raw_set(vm, table, key, value) };
            let method = vm.metamethod_of(meta, Event::NewIndex);
            if method.is_nil() || !table.get(&vm.shapes, key).is_nil() {
                return raw_set(vm, table, key, value);
            }
            method
        } else {
            let method = vm.metamethod(object, Event::NewIndex);
            if method.is_nil() {
                return Err(error::not_indexable(vm, object));
            }
            method
        };
        if let Value::Function(_) | Value::Native(_) = method {
            let place = vm.scratch();
            vm.call_from(place, method, &[object, key, value], 0)?;
            return Ok(());
        }
        object = method;
    }
    Err(vm.error("'__newindex' chain too long; possible loop"))
}

/// Sets a key of a table that may be any.
#[jit::dont_look_inside]
pub fn raw_set(vm: &Vm, table: Gc<Table>, key: Value, value: Value) -> Result<()> {
    match key {
        Value::Nil => Err(vm.error("table index is nil")),
        Value::Float(float) if float.get().is_nan() => Err(vm.error("table index is NaN")),
        _ => Ok(table.set(vm, key, value)?),
    }
}

/// An arithmetic operation on numbers; nothing if it is none for these.
fn arith_numbers(vm: &Vm, event: Event, a: Number, b: Number) -> Result<Option<Value>> {
    let ints = match (a, b) {
        (Number::Int(a), Number::Int(b)) => Some((a, b)),
        _ => None,
    };
    let (x, y) = (a.to_float(), b.to_float());
    let int = |number: Number| match number {
        Number::Int(int) => Some(int),
        Number::Float(float) => number::float_to_int(float),
    };
    Ok(Some(match (event, ints) {
        (Event::Add, Some((a, b))) => Value::Int(a.wrapping_add(b)),
        (Event::Sub, Some((a, b))) => Value::Int(a.wrapping_sub(b)),
        (Event::Mul, Some((a, b))) => Value::Int(a.wrapping_mul(b)),
        (Event::Mod, Some((a, b))) => match number::int_modulo(a, b) {
            Some(int) => Value::Int(int),
            None => return Err(vm.error("attempt to perform 'n%0'")),
        },
        (Event::IDiv, Some((a, b))) => match number::int_floor_div(a, b) {
            Some(int) => Value::Int(int),
            None => return Err(vm.error("attempt to divide by zero")),
        },
        (Event::Neg, Some((a, _))) => Value::Int(a.wrapping_neg()),
        (Event::Add, None) => Value::float(x + y),
        (Event::Sub, None) => Value::float(x - y),
        (Event::Mul, None) => Value::float(x * y),
        (Event::Mod, None) => Value::float(number::float_modulo(x, y)),
        (Event::IDiv, None) => Value::float((x / y).floor()),
        (Event::Neg, None) => Value::float(-x),
        (Event::Div, _) => Value::float(x / y),
        (Event::Pow, _) => Value::float(number::power(x, y)),
        _ => {
            let (Some(a), Some(b)) = (int(a), int(b)) else { return Ok(None) };
            Value::Int(match event {
                Event::BAnd => a & b,
                Event::BOr => a | b,
                Event::BXor => a ^ b,
                Event::Shl => number::shift_left(a, b),
                Event::Shr => number::shift_left(a, b.checked_neg().unwrap_or(i64::MAX)),
                Event::BNot => !a,
                _ => return Ok(None),
            })
        }
    }))
}

fn is_bitwise(event: Event) -> bool {
    (Event::BAnd as u8..=Event::Shr as u8).contains(&(event as u8)) || event == Event::BNot
}

/// An arithmetic operation on any values.
#[jit::dont_look_inside]
pub fn arith(vm: &Vm, event: Event, a: Value, b: Value) -> Result<Value> {
    if let (Some(x), Some(y)) = (a.number(), b.number())
        && let Some(result) = arith_numbers(vm, event, x, y)?
    {
        return Ok(result);
    }
    match binary_method(vm, event, a, b)? {
        Some(result) => Ok(result),
        None if is_bitwise(event) => Err(error::not_bitwise(vm, a, b)),
        None => Err(error::not_arithmetic(vm, a, b)),
    }
}

/// An arithmetic operation without metamethods; nothing if the values are not numbers or texts of numbers.
pub fn arith_converted(vm: &Vm, event: Event, a: Value, b: Value) -> Result<Option<Value>> {
    match (a.to_number(), b.to_number()) {
        (Some(a), Some(b)) => arith_numbers(vm, event, a, b),
        _ => Ok(None),
    }
}

/// Calls the metamethod of the first operand that has one.
fn binary_method(vm: &Vm, event: Event, a: Value, b: Value) -> Result<Option<Value>> {
    let mut method = vm.metamethod(a, event);
    if method.is_nil() {
        method = vm.metamethod(b, event);
    }
    if method.is_nil() { Ok(None) } else { vm.call(method, &[a, b]).map(Some) }
}

/// `a == b`.
#[jit::dont_look_inside]
pub fn equal(vm: &Vm, a: Value, b: Value) -> Result<bool> {
    if a.raw_equal(b) {
        return Ok(true);
    }
    if !matches!((a, b), (Value::Table(_), Value::Table(_)) | (Value::UserData(_), Value::UserData(_))) {
        return Ok(false);
    }
    Ok(binary_method(vm, Event::Eq, a, b)?.is_some_and(Value::is_true))
}

/// How an integer compares with a float that is a number.
fn compare_int_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if float < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    let floor = float.floor();
    Some(int.cmp(&(floor as i64)).then(if float > floor { Ordering::Less } else { Ordering::Equal }))
}

/// How numbers compare; nothing if one is not a number.
pub fn compare_numbers(a: Number, b: Number) -> Option<Ordering> {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
        (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b),
        (Number::Int(a), Number::Float(b)) => compare_int_float(a, b),
        (Number::Float(a), Number::Int(b)) => compare_int_float(b, a).map(Ordering::reverse),
    }
}

fn ordered(vm: &Vm, a: Value, b: Value, or_equal: bool) -> Result<bool> {
    let holds = |ordering: Option<Ordering>| match ordering {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => or_equal,
        _ => false,
    };
    if let (Some(a), Some(b)) = (a.number(), b.number()) {
        return Ok(holds(compare_numbers(a, b)));
    }
    if let (Value::Str(a), Value::Str(b)) = (a, b) {
        return Ok(holds(Some(a.bytes().cmp(b.bytes()))));
    }
    let event = if or_equal { Event::Le } else { Event::Lt };
    match binary_method(vm, event, a, b)? {
        Some(result) => Ok(result.is_true()),
        None => Err(error::not_comparable(vm, a, b)),
    }
}

/// `a < b`.
#[jit::dont_look_inside]
pub fn less(vm: &Vm, a: Value, b: Value) -> Result<bool> {
    ordered(vm, a, b, false)
}

/// `a <= b`.
#[jit::dont_look_inside]
pub fn less_equal(vm: &Vm, a: Value, b: Value) -> Result<bool> {
    ordered(vm, a, b, true)
}

/// `#value`.
#[jit::dont_look_inside]
pub fn length(vm: &Vm, value: Value) -> Result<Value> {
    match value {
        Value::Str(text) => return Ok(Value::Int(text.len() as i64)),
        Value::Table(table) if table.meta().is_none() => return Ok(Value::Int(table.border())),
        _ => {}
    }
    let method = vm.metamethod(value, Event::Len);
    match value {
        _ if !method.is_nil() => vm.call(method, &[value, value]),
        Value::Table(table) => Ok(Value::Int(table.border())),
        _ => Err(error::no_length(vm, value)),
    }
}

/// Appends a string or number as `..` does; false if it is neither.
#[inline]
pub fn push_text(out: &mut Vec<u8>, value: Value) -> bool {
    match value {
        Value::Str(text) => out.extend_from_slice(text.bytes()),
        Value::Int(int) => number::push_int(out, int),
        Value::Float(float) => number::push_float(out, float.get()),
        _ => return false,
    }
    true
}

/// The text of values on the stack; nothing if some are no texts, or the heap is full.
#[inline(never)]
#[jit::reads_only]
pub fn joined(vm: &Vm, first: Slot, count: usize) -> Option<crate::string::Str> {
    let is_text = |value: Value| matches!(value, Value::Str(_) | Value::Int(_) | Value::Float(_));
    if !(0..count).all(|index| is_text(first.at(index))) {
        return None;
    }
    match join(vm, first, count) {
        Ok(Value::Str(text)) => Some(text),
        _ => None,
    }
}

/// Joins values on the stack, the result in the first place.
#[jit::dont_look_inside]
pub fn concat(vm: &Vm, first: Slot, count: usize) -> Result<()> {
    let mut rest = count;
    while rest > 1 {
        let (a, b) = (first.at(rest - 2), first.at(rest - 1));
        let is_text = |value: Value| matches!(value, Value::Str(_) | Value::Int(_) | Value::Float(_));
        if !is_text(a) || !is_text(b) {
            let Some(result) = binary_method(vm, Event::Concat, a, b)? else {
                return Err(error::not_concatenable(vm, a, b));
            };
            first.put(rest - 2, result);
            rest -= 1;
            continue;
        }
        // As many as are texts.
        let mut start = rest - 2;
        while start > 0 && is_text(first.at(start - 1)) {
            start -= 1;
        }
        let joined = join(vm, first.up(start), rest - start)?;
        first.put(start, joined);
        rest = start + 1;
    }
    Ok(())
}

fn join(vm: &Vm, first: Slot, count: usize) -> Result<Value> {
    if count == 2
        && let (Value::Str(a), Value::Str(b)) = (first.get(), first.at(1))
    {
        if b.is_empty() {
            return Ok(first.get());
        }
        if a.is_empty() {
            return Ok(first.at(1));
        }
    }
    vm.with_buffer(|out| {
        for index in 0..count {
            push_text(out, first.at(index));
        }
        vm.string(out)
    })
}

/// A text for any value, as `tostring` gives.
pub fn to_text(vm: &Vm, value: Value) -> Result<Value> {
    let method = vm.metamethod(value, Event::ToString);
    if !method.is_nil() {
        let text = vm.call(method, &[value])?;
        return match text {
            Value::Str(_) => Ok(text),
            Value::Int(_) | Value::Float(_) => vm.string(&plain_text(vm, text)),
            _ => Err(vm.error("'__tostring' must return a string")),
        };
    }
    match value {
        Value::Str(_) => Ok(value),
        _ => vm.string(&plain_text(vm, value)),
    }
}

/// A text for any value, without `__tostring`.
pub fn plain_text(vm: &Vm, value: Value) -> Vec<u8> {
    let mut out = Vec::new();
    if push_text(&mut out, value) {
        return out;
    }
    match value {
        Value::Nil => out.extend_from_slice(b"nil"),
        Value::False => out.extend_from_slice(b"false"),
        Value::True => out.extend_from_slice(b"true"),
        _ => {
            out.extend_from_slice(&error::type_name(vm, value));
            let address = value.address().unwrap_or(0);
            out.extend_from_slice(format!(": 0x{address:014x}").as_bytes());
        }
    }
    out
}
