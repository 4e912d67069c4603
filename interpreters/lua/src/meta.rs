//! What operations mean where the fast ways of `ops` do not apply: conversions, metamethods, errors.
//!
//! The machine's frame of the function that runs knows where it is (`Vm::save_pc`) before anything here is called.

use std::cmp::Ordering;

use metatrace::gc::Gc;
use metatrace::jit;

use crate::error;
use crate::function::{ABSENT, Function};
use crate::number::{self, Number};
use crate::op::Op;
use crate::shape::Shape;
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

        impl Event {
            /// Each of them, by number.
            pub const ALL: &'static [Event] = &[$(Event::$name,)*];
        }
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
        if op >= Op::AddK as u8 { Event::ALL[of(Op::AddK)] } else { Event::ALL[of(Op::Add)] }
    }
}

/// A value; or what a metamethod that is a function of the language is to be called for, and the metamethod.
pub type Found = (Value, Option<Gc<Function>>);

/// The metamethod of a value for traces, which make the shape of its metatable a constant.
#[inline(always)]
pub fn traced_method(vm: &Vm, value: Value, event: Event) -> Value {
    let Value::Table(table) = value else { return vm.metamethod(value, event) };
    let Some(meta) = table.as_ref().meta() else { return Value::Nil };
    let shape = jit::promote(meta.as_ref().shape.get());
    if shape == Shape::DICTIONARY {
        return vm.metamethod_of(meta, event);
    }
    match vm.event_slot(shape, event as u8) {
        ABSENT => Value::Nil,
        slot => meta.as_ref().slots.get().as_ref()[slot as usize].get(),
    }
}

/// The metamethod of the first operand that has one, if traces are to look at it.
#[inline(always)]
pub fn traced_binary(vm: &Vm, event: Event, a: Value, b: Value) -> Option<Gc<Function>> {
    if !jit::we_are_jitted() {
        return None;
    }
    let mut method =
        if let Value::Table(_) = a { traced_method(vm, a, event) } else { vm.metamethod(a, event) };
    if method.is_nil() {
        method = traced_method(vm, b, event);
    }
    function(method)
}

#[inline(always)]
fn function(method: Value) -> Option<Gc<Function>> {
    if let Value::Function(function) = method { Some(function) } else { None }
}

/// `object[key]`.
#[jit::dont_look_inside]
pub fn index(vm: &Vm, object: Value, key: Value) -> Result<Value> {
    match find(vm, object, key)? {
        (object, Some(method)) => vm.call(Value::Function(method), &[object, key]),
        (value, None) => Ok(value),
    }
}

/// `object[key]`, or what to call for it.
#[jit::dont_look_inside]
pub fn find(vm: &Vm, object: Value, key: Value) -> Result<Found> {
    let mut object = object;
    for _ in 0..MAX_STEPS {
        let method = if let Value::Table(table) = object {
            let value = table.get(&vm.shapes, key);
            if !value.is_nil() {
                return Ok((value, None));
            }
            let Some(meta) = table.meta() else { return Ok((Value::Nil, None)) };
            let method = vm.metamethod_of(meta, Event::Index);
            if method.is_nil() {
                return Ok((Value::Nil, None));
            }
            method
        } else {
            let method = vm.metamethod(object, Event::Index);
            if method.is_nil() {
                return Err(error::not_indexable(vm, object));
            }
            method
        };
        match method {
            Value::Function(method) => return Ok((object, Some(method))),
            Value::Native(_) => return Ok((vm.call(method, &[object, key])?, None)),
            _ => {}
        }
        object = method;
    }
    Err(vm.error("'__index' chain too long; possible loop"))
}

/// `object[key] = value`.
#[jit::dont_look_inside]
pub fn set_index(vm: &Vm, object: Value, key: Value, value: Value) -> Result<()> {
    if let (object, Some(method)) = assign(vm, object, key, value)? {
        vm.call_from(vm.scratch(), Value::Function(method), &[object, key, value], 0)?;
    }
    Ok(())
}

/// `object[key] = value`, unless something is to be called for it.
#[jit::dont_look_inside]
pub fn assign(vm: &Vm, object: Value, key: Value, value: Value) -> Result<Found> {
    let mut object = object;
    for _ in 0..MAX_STEPS {
        let method = if let Value::Table(table) = object {
            let method = table.meta().map_or(Value::Nil, |meta| vm.metamethod_of(meta, Event::NewIndex));
            if method.is_nil() || !table.get(&vm.shapes, key).is_nil() {
                raw_set(vm, table, key, value)?;
                return Ok((Value::Nil, None));
            }
            method
        } else {
            let method = vm.metamethod(object, Event::NewIndex);
            if method.is_nil() {
                return Err(error::not_indexable(vm, object));
            }
            method
        };
        match method {
            Value::Function(method) => return Ok((object, Some(method))),
            Value::Native(_) => {
                vm.call_from(vm.scratch(), method, &[object, key, value], 0)?;
                return Ok((Value::Nil, None));
            }
            _ => {}
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

/// An arithmetic operation on any values, or what to call for it.
#[jit::dont_look_inside]
pub fn arith(vm: &Vm, event: Event, a: Value, b: Value) -> Result<Found> {
    if let (Some(x), Some(y)) = (a.number(), b.number())
        && let Some(result) = arith_numbers(vm, event, x, y)?
    {
        return Ok((result, None));
    }
    match binary_method(vm, event, a, b)? {
        Some(found) => Ok(found),
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

/// The metamethod of the first operand that has one, or its result; nothing if there is none.
fn binary_method(vm: &Vm, event: Event, a: Value, b: Value) -> Result<Option<Found>> {
    let mut method = vm.metamethod(a, event);
    if method.is_nil() {
        method = vm.metamethod(b, event);
    }
    match method {
        Value::Nil => Ok(None),
        Value::Function(method) => Ok(Some((Value::Nil, Some(method)))),
        _ => Ok(Some((vm.call(method, &[a, b])?, None))),
    }
}

/// The result of a metamethod for two operands.
fn called(vm: &Vm, found: Found, a: Value, b: Value) -> Result<Value> {
    match found {
        (_, Some(method)) => vm.call(Value::Function(method), &[a, b]),
        (value, None) => Ok(value),
    }
}

/// `a == b`, or what to call for it.
#[jit::dont_look_inside]
pub fn compare_equal(vm: &Vm, a: Value, b: Value) -> Result<Found> {
    if a.raw_equal(b) {
        return Ok((Value::True, None));
    }
    if !matches!((a, b), (Value::Table(_), Value::Table(_)) | (Value::UserData(_), Value::UserData(_))) {
        return Ok((Value::False, None));
    }
    Ok(binary_method(vm, Event::Eq, a, b)?.unwrap_or((Value::False, None)))
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

/// `a < b`, or `a <= b`; or what to call for it.
#[jit::dont_look_inside]
pub fn compare_order(vm: &Vm, a: Value, b: Value, or_equal: bool) -> Result<Found> {
    let holds = |ordering: Option<Ordering>| {
        let holds = match ordering {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => or_equal,
            _ => false,
        };
        (Value::bool(holds), None)
    };
    if let (Some(a), Some(b)) = (a.number(), b.number()) {
        return Ok(holds(compare_numbers(a, b)));
    }
    if let (Value::Str(a), Value::Str(b)) = (a, b) {
        return Ok(holds(Some(a.bytes().cmp(b.bytes()))));
    }
    let event = if or_equal { Event::Le } else { Event::Lt };
    if let Some(found) = binary_method(vm, event, a, b)? {
        return Ok(found);
    }
    // As in earlier versions, what knows only "less" is less or equal to what is not less than it.
    if or_equal && let Some(found) = binary_method(vm, Event::Lt, b, a)? {
        return Ok((Value::bool(!called(vm, found, b, a)?.is_true()), None));
    }
    Err(error::not_comparable(vm, a, b))
}

/// `a < b`.
#[jit::dont_look_inside]
pub fn less(vm: &Vm, a: Value, b: Value) -> Result<bool> {
    let found = compare_order(vm, a, b, false)?;
    Ok(called(vm, found, a, b)?.is_true())
}

/// `#value`.
#[jit::dont_look_inside]
pub fn length(vm: &Vm, value: Value) -> Result<Value> {
    let found = find_length(vm, value)?;
    called(vm, found, value, value)
}

/// `#value`, or what to call for it.
#[jit::dont_look_inside]
pub fn find_length(vm: &Vm, value: Value) -> Result<Found> {
    match value {
        Value::Str(text) => return Ok((Value::Int(text.len() as i64), None)),
        Value::Table(table) if table.meta().is_none() => return Ok((Value::Int(table.border()), None)),
        _ => {}
    }
    match (vm.metamethod(value, Event::Len), value) {
        (Value::Function(method), _) => Ok((Value::Nil, Some(method))),
        (Value::Nil, Value::Table(table)) => Ok((Value::Int(table.border()), None)),
        (Value::Nil, _) => Err(error::no_length(vm, value)),
        (method, _) => Ok((vm.call(method, &[value, value])?, None)),
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
            let Some(found) = binary_method(vm, Event::Concat, a, b)? else {
                return Err(error::not_concatenable(vm, a, b));
            };
            let result = called(vm, found, a, b)?;
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
            _ => Err(error::of_library(vm, b"'__tostring' must return a string")),
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
