//! The library `table`.

use metatrace::gc::Gc;
use metatrace::jit;

use crate::call::{Call, MOST_MOVED};
use crate::error;
use crate::meta::{self, Event};
use crate::table::Table;
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[("concat", concat), ("move", move_elements), ("pack", pack), ("sort", super::sort::sort)],
    )?;
    super::register_leaves(vm, table, &[("insert", insert), ("remove", remove), ("unpack", unpack)])
}

/// The length of what is used as a list.
pub fn length(vm: &Vm, list: Value) -> Result<i64> {
    if let Value::Table(table) = list
        && table.meta().is_none()
    {
        return Ok(table.border());
    }
    match meta::length(vm, list)? {
        Value::Int(length) => Ok(length),
        other => other.to_int().ok_or_else(|| error::of_library(vm, b"object length is not an integer")),
    }
}

/// An element, with metamethods if there are any.
#[inline]
pub fn get(vm: &Vm, list: Value, index: i64) -> Result<Value> {
    if let Value::Table(table) = list {
        let value = table.get_int(index);
        if !value.is_nil() || table.meta().is_none() {
            return Ok(value);
        }
    }
    meta::index(vm, list, Value::Int(index))
}

/// Sets an element.
#[inline]
pub fn set(vm: &Vm, list: Value, index: i64, value: Value) -> Result<()> {
    if let Value::Table(table) = list
        && table.meta().is_none()
    {
        return Ok(table.set_int(vm, index, value)?);
    }
    meta::set_index(vm, list, Value::Int(index), value)
}

const READ: &[Event] = &[Event::Index, Event::Len];
const WRITE: &[Event] = &[Event::Index, Event::NewIndex, Event::Len];

fn concat(call: Call) -> Result<usize> {
    let list = call.table_like(0, READ)?;
    let separator = call.bytes_or(1, b"")?;
    let first = call.int_or(2, 1)?;
    let last = if call.arg(3).is_nil() { length(call.vm, list)? } else { call.int(3)? };
    let mut out = Vec::new();
    let mut index = first;
    while index <= last {
        let value = get(call.vm, list, index)?;
        if !meta::push_text(&mut out, value) {
            let kind = crate::error::type_name(call.vm, value);
            let kind = String::from_utf8_lossy(&kind);
            return Err(call.fail(format!("invalid value ({kind}) at index {index} in table for 'concat'")));
        }
        if index == last {
            break;
        }
        out.extend_from_slice(separator);
        index += 1;
    }
    call.text(&out)
}

/// A table without metamethods.
#[inline]
fn plain(value: Value) -> Option<Gc<Table>> {
    match value {
        Value::Table(table) if table.meta().is_none() => Some(table),
        _ => None,
    }
}

fn insert(call: &Call) -> Result<usize> {
    match plain(call.arg(0)) {
        Some(table) if call.count == 2 && !call.arg(1).is_nil() => {
            let (index, value) = (table.border().wrapping_add(1), call.arg(1));
            if !table.append(index, value) {
                table.set_int(call.vm, index, value)?;
            }
            Ok(0)
        }
        _ => insert_any(call),
    }
}

/// `insert` anywhere into anything.
#[inline(never)]
#[jit::dont_look_inside]
fn insert_any(call: &Call) -> Result<usize> {
    call.needs_frame()?;
    let list = call.table_like(0, WRITE)?;
    let end = length(call.vm, list)?.wrapping_add(1);
    match call.count {
        2 => set(call.vm, list, end, call.arg(1))?,
        3 => {
            let position = call.int(1)?;
            if (position as u64).wrapping_sub(1) >= end as u64 {
                return Err(call.bad(1, "position out of bounds"));
            }
            let mut index = end;
            while index > position {
                let value = get(call.vm, list, index - 1)?;
                set(call.vm, list, index, value)?;
                index -= 1;
            }
            set(call.vm, list, position, call.arg(2))?;
        }
        _ => return Err(call.fail("wrong number of arguments to 'insert'")),
    }
    Ok(0)
}

fn remove(call: &Call) -> Result<usize> {
    if let Some(table) = plain(call.arg(0))
        && call.count == 1
        && let Some(last) = table.pop()
    {
        return call.one(last);
    }
    remove_any(call)
}

/// `remove` anywhere from anything.
#[inline(never)]
#[jit::dont_look_inside]
fn remove_any(call: &Call) -> Result<usize> {
    call.needs_frame()?;
    let list = call.table_like(0, WRITE)?;
    let size = length(call.vm, list)?;
    let mut position = call.int_or(1, size)?;
    if position != size && (size as u64).wrapping_add(1).wrapping_sub(position as u64) > size as u64 {
        return Err(call.bad(0, "position out of bounds"));
    }
    let value = get(call.vm, list, position)?;
    while position < size {
        let next = get(call.vm, list, position + 1)?;
        set(call.vm, list, position, next)?;
        position += 1;
    }
    set(call.vm, list, position, Value::Nil)?;
    call.one(value)
}

fn move_elements(call: Call) -> Result<usize> {
    let (first, last, target) = (call.int(1)?, call.int(2)?, call.int(3)?);
    let from = call.table_like(0, &[Event::Index])?;
    let to = if call.arg(4).is_nil() { from } else { call.table_like(4, &[Event::NewIndex])? };
    if last >= first {
        if !(first > 0 || last < i64::MAX + first) {
            return Err(call.bad(2, "too many elements to move"));
        }
        let count = last - first + 1;
        if target > i64::MAX - count + 1 {
            return Err(call.bad(3, "destination wrap around"));
        }
        let forward = target > last || target <= first || !from.raw_equal(to);
        for step in 0..count {
            let step = if forward { step } else { count - 1 - step };
            let value = get(call.vm, from, first + step)?;
            set(call.vm, to, target + step, value)?;
        }
    }
    call.one(to)
}

fn pack(call: Call) -> Result<usize> {
    let table = Table::with_room(call.vm, call.count, 1)?;
    table.set_list(call.vm, 1, (0..call.count).map(|index| call.arg(index)))?;
    call.vm.set_field(table, "n", Value::Int(call.count as i64))?;
    call.one(Value::Table(table))
}

#[jit::unroll_safe]
fn unpack(call: &Call) -> Result<usize> {
    let Some(table) = plain(call.arg(0)) else { return unpack_any(call) };
    let first = call.int_or(1, 1)?;
    let last = if call.arg(2).is_nil() { table.border() } else { call.int(2)? };
    if first > last {
        return Ok(0);
    }
    let behind = (last as u64).wrapping_sub(first as u64);
    if behind >= MOST_MOVED as u64 || !call.vm.thread().has_room(call.place.up(MOST_MOVED)) {
        return unpack_any(call);
    }
    let count = jit::promote(behind as usize) + 1;
    for index in 0..count {
        call.place.put(index, table.get_int(first.wrapping_add(index as i64)));
    }
    Ok(count)
}

/// Any number of elements of anything.
#[inline(never)]
#[jit::dont_look_inside]
fn unpack_any(call: &Call) -> Result<usize> {
    call.needs_frame()?;
    let list = call.arg(0);
    let first = call.int_or(1, 1)?;
    let last = if call.arg(2).is_nil() { length(call.vm, list)? } else { call.int(2)? };
    if first > last {
        return Ok(0);
    }
    let count = (last as u64).wrapping_sub(first as u64);
    let count = usize::try_from(count).ok().and_then(|count| count.checked_add(1));
    let Some(count) = count.filter(|count| *count < 1 << 24 && call.reserve(*count + call.count)) else {
        return Err(call.fail("too many results to unpack"));
    };
    for index in 0..count {
        let value = get(call.vm, list, first.wrapping_add(index as i64))?;
        call.place.put(index, value);
    }
    Ok(count)
}
