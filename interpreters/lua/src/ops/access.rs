//! Elements and fields of tables, constructors, lengths and texts.
//!
//! A field access has a cache: the shape of the table it found last, and the slot. Tables of that shape have the key there, so that
//! it is a comparison and a load. The second half of a cache is for the table that `__index` led to; of a store, for the shape
//! that a table of the first shape gets by it.

use metatrace::gc::Gc;
use metatrace::jit;

use crate::call::{MOST_MOVED, Wanted};
use crate::function::{ABSENT, Cache, Function, Proto};
use crate::meta::{self, Event, Found};
use crate::op::{FIRST_CONST, Instr};
use crate::ops::calls::{Step, begin_for_register, begin_method, few, upvalue};
use crate::shape::Shape;
use crate::stack::Slot;
use crate::string::Str;
use crate::table::Table;
use crate::thread::Running;
use crate::value::Value;
use crate::vm::{Result, Vm};

metatrace::glue!();

/// The key of a field access.
#[inline(always)]
fn key(proto: &Proto, instr: Instr) -> Value {
    proto.constant(instr.key())
}

#[inline(always)]
fn cache(proto: &Proto, instr: Instr) -> &Cache {
    debug_assert!(instr.cache() < proto.caches.len());
    // SAFETY: the compiler has counted the caches.
    unsafe { proto.caches.get_unchecked(instr.cache()) }
}

/// The operand that may be a constant.
#[inline(always)]
fn stored(proto: &Proto, base: Slot, instr: Instr) -> Value {
    let operand = usize::from(instr.b);
    if operand < FIRST_CONST as usize {
        base.at(operand)
    } else {
        proto.constant(operand - FIRST_CONST as usize)
    }
}

/// The value that a table has where the cache says; nil if it does not say.
#[inline(always)]
fn cached(table: Gc<Table>, found: (Shape, u32)) -> Value {
    if table.shape.get() == found.0
        && let Some(cell) = table.slots.get().get(found.1 as usize)
    {
        return cell.get();
    }
    Value::Nil
}

/// The value of a key in a table itself, with the cache brought up to date.
fn lookup(vm: &Vm, table: Gc<Table>, key: Str, cache: &std::cell::Cell<(Shape, u32)>) -> Value {
    let shape = table.shape.get();
    if !key.is_short() {
        return table.get(&vm.shapes, Value::Str(key));
    }
    if shape == Shape::DICTIONARY {
        return table.get_short(&vm.shapes, key);
    }
    let (known, mut slot) = cache.get();
    if known != shape {
        slot = vm.shapes.find(shape, key).unwrap_or(ABSENT);
        cache.set((shape, slot));
    }
    if slot == ABSENT { Value::Nil } else { table.slots.get()[slot as usize].get() }
}

/// `object[key]`, where the fast way did not find it.
#[inline(never)]
#[jit::dont_look_inside]
fn field_slow(vm: &Vm, pc: usize, object: Value, key: Value, cache: &Cache) -> Result<Found> {
    vm.save_pc(pc);
    let Value::Str(name) = key else { return meta::find(vm, object, key) };
    let holder = match object {
        Value::Table(table) => {
            let value = lookup(vm, table, name, &cache.own);
            if !value.is_nil() {
                return Ok((value, None));
            }
            match table.meta() {
                None => return Ok((Value::Nil, None)),
                Some(meta) => index_of(vm, meta),
            }
        }
        _ => match vm.meta(object) {
            None => Value::Nil,
            Some(meta) => index_of(vm, meta),
        },
    };
    if let Value::Table(holder) = holder {
        let value = lookup(vm, holder, name, &cache.next);
        if !value.is_nil() {
            return Ok((value, None));
        }
        return meta::find(vm, Value::Table(holder), key);
    }
    meta::find(vm, object, key)
}

/// `__index` of a metatable.
#[inline(always)]
fn index_of(vm: &Vm, meta: Gc<Table>) -> Value {
    let shape = meta.shape.get();
    if shape == Shape::DICTIONARY {
        return vm.metamethod_of(meta, Event::Index);
    }
    match vm.shapes.index_slot(shape) {
        Some(slot) => meta.slots.get()[slot as usize].get(),
        None => Value::Nil,
    }
}

/// The value of a short string in a table itself, of whose shape the trace makes a constant.
#[inline(always)]
fn in_shape(vm: &Vm, table: Gc<Table>, name: Str) -> Value {
    let shape = jit::promote(table.shape.get());
    if shape == Shape::DICTIONARY {
        return table.get_short(&vm.shapes, name);
    }
    match vm.shapes.slot_of(shape, name) {
        ABSENT => Value::Nil,
        slot => table.slots.get()[slot as usize].get(),
    }
}

/// Tables that traces look at for `__index`, one behind the other.
const MAX_TRACED: usize = 8;

/// `object[name]` for traces: shapes take the place of caches. Nothing if it is to be done in the general way.
#[jit::unroll_safe]
fn traced_field(vm: &Vm, object: Value, name: Str) -> Option<Found> {
    let mut object = object;
    for _ in 0..MAX_TRACED {
        let meta = match object {
            Value::Table(table) => {
                let value = in_shape(vm, table, name);
                if !value.is_nil() {
                    return Some((value, None));
                }
                match table.meta() {
                    Some(meta) => meta,
                    None => return Some((Value::Nil, None)),
                }
            }
            Value::Str(_) => match vm.text_meta() {
                Some(meta) => meta,
                None => return None,
            },
            _ => return None,
        };
        let shape = jit::promote(meta.shape.get());
        if shape == Shape::DICTIONARY {
            return None;
        }
        let is_table = matches!(object, Value::Table(_));
        let next = match vm.shapes.index_slot(shape) {
            Some(slot) => meta.slots.get()[slot as usize].get(),
            None => Value::Nil,
        };
        match next {
            Value::Nil => return if is_table { Some((Value::Nil, None)) } else { None },
            Value::Function(method) => return Some((object, Some(method))),
            _ => object = next,
        }
    }
    None
}

#[inline(always)]
fn find_field(vm: &Vm, pc: usize, proto: &Proto, object: Value, instr: Instr) -> Result<Found> {
    let cache = cache(proto, instr);
    if jit::we_are_jitted()
        && let Value::Str(name) = key(proto, instr)
        && name.is_short()
        && let Some(found) = traced_field(vm, object, name)
    {
        vm.save_pc(pc);
        return Ok(found);
    }
    if let Value::Table(table) = object {
        let value = cached(table, cache.own.get());
        if !value.is_nil() {
            return Ok((value, None));
        }
    }
    field_slow(vm, pc, object, key(proto, instr), cache)
}

/// `R[a] = object[K[c]]`.
#[inline(always)]
fn read_field(vm: &Vm, pc: usize, proto: Running, base: Slot, object: Value, instr: Instr) -> Result<Step> {
    match find_field(vm, pc, proto, object, instr)? {
        (value, None) => {
            base.put(usize::from(instr.a), value);
            Ok(Step::Done)
        }
        (object, Some(method)) => field_by_method(vm, proto, base, method, object, instr),
    }
}

#[inline(never)]
fn field_by_method(
    vm: &Vm,
    proto: Running,
    base: Slot,
    method: Gc<Function>,
    object: Value,
    instr: Instr,
) -> Result<Step> {
    let arguments = [object, key(proto, instr)];
    begin_for_register(vm, proto, base, usize::from(instr.a), method, arguments)
}

/// `R[a] = R[b][K[c]]`.
#[inline(always)]
pub fn get_field(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    read_field(vm, pc, proto, base, base.at(usize::from(instr.b)), instr)
}

/// `R[a] = U[b][K[c]]`.
#[inline(always)]
pub fn get_global(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    read_field(vm, pc, proto, base, upvalue(base, usize::from(instr.b)).get(), instr)
}

/// `R[a+1] = R[b]; R[a] = R[b][K[c]]`.
#[inline(always)]
pub fn method(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let object = base.at(usize::from(instr.b));
    base.put(usize::from(instr.a) + 1, object);
    read_field(vm, pc, proto, base, object, instr)
}

#[inline(never)]
fn get_slow(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    a: u8,
    object: Value,
    key: Value,
) -> Result<Step> {
    vm.save_pc(pc);
    match meta::find(vm, object, key)? {
        (value, None) => {
            base.put(usize::from(a), value);
            Ok(Step::Done)
        }
        (object, Some(method)) => begin_for_register(vm, proto, base, usize::from(a), method, [object, key]),
    }
}

/// `R[a] = R[b][R[c]]`.
#[inline(always)]
pub fn get_table(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let (object, key) = (base.at(usize::from(instr.b)), base.at(instr.c as usize));
    if let Value::Table(table) = object {
        let value = match key {
            Value::Int(index) => table.get_int(index),
            Value::Str(name) if name.is_short() => table.get_short(&vm.shapes, name),
            _ => table.get_any(&vm.shapes, key),
        };
        if !value.is_nil() || table.meta().is_none() {
            base.put(usize::from(instr.a), value);
            return Ok(Step::Done);
        }
    }
    get_slow(vm, pc, proto, base, instr.a, object, key)
}

/// `R[a] = R[b][c]`.
#[inline(always)]
pub fn get_int(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let (object, index) = (base.at(usize::from(instr.b)), i64::from(instr.c as i32));
    if let Value::Table(table) = object {
        let value = table.get_int(index);
        if !value.is_nil() || table.meta().is_none() {
            base.put(usize::from(instr.a), value);
            return Ok(Step::Done);
        }
    }
    get_slow(vm, pc, proto, base, instr.a, object, Value::Int(index))
}

#[inline(never)]
fn set_slow(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    object: Value,
    key: Value,
    value: Value,
) -> Result<Step> {
    vm.save_pc(pc);
    let found = meta::assign(vm, object, key, value)?;
    set_by_method(vm, proto, base, found, key, value)
}

/// What follows an assignment that may have to be done by a metamethod.
#[inline(always)]
fn set_by_method(
    vm: &Vm,
    proto: Running,
    base: Slot,
    found: Found,
    key: Value,
    value: Value,
) -> Result<Step> {
    let (object, Some(method)) = found else { return Ok(Step::Done) };
    let wanted = Wanted { results: base.up(usize::from(proto.registers)), want: 0, flags: 0 };
    Ok(Step::Begun(begin_method(vm, proto, base, method, [object, key, value], wanted)?))
}

/// Sets an element of a table without a metatable, or one that is there.
#[inline(always)]
fn store_int(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    object: Value,
    index: i64,
    value: Value,
) -> Result<Step> {
    if let Value::Table(table) = object
        && !value.is_nil()
    {
        let at = (index as u64).wrapping_sub(1);
        if at < u64::from(table.length.get()) {
            let cell = &table.array.get()[at as usize];
            if table.meta().is_none() || !cell.get().is_nil() {
                cell.set(value);
                return Ok(Step::Done);
            }
        } else if table.meta().is_none() {
            let is_done = jit::we_are_jitted()
                && (table.append(index, value)
                    || !table.is_list() && table.replace_hashed(Value::Int(index), value));
            if !is_done {
                table.set_int(vm, index, value)?;
            }
            return Ok(Step::Done);
        }
    }
    set_slow(vm, pc, proto, base, object, Value::Int(index), value)
}

/// `R[a][R[c]] = RK[b]`.
#[inline(always)]
pub fn set_table(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let (object, key) = (base.at(usize::from(instr.a)), base.at(instr.c as usize));
    let value = stored(proto, base, instr);
    match key {
        Value::Int(index) => store_int(vm, pc, proto, base, object, index, value),
        Value::Str(name) if name.is_short() => {
            if let Value::Table(table) = object
                && table.replace_short(&vm.shapes, name, value)
            {
                return Ok(Step::Done);
            }
            set_slow(vm, pc, proto, base, object, key, value)
        }
        _ => set_slow(vm, pc, proto, base, object, key, value),
    }
}

/// `R[a][c] = RK[b]`.
#[inline(always)]
pub fn set_int(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let (object, value) = (base.at(usize::from(instr.a)), stored(proto, base, instr));
    store_int(vm, pc, proto, base, object, i64::from(instr.c as i32), value)
}

/// `table[name] = value` for traces, where no metamethod is asked: whether it is done.
#[inline(always)]
fn traced_store(vm: &Vm, table: Gc<Table>, name: Str, value: Value) -> Result<bool> {
    let shape = jit::promote(table.shape.get());
    if shape == Shape::DICTIONARY {
        return Ok(false);
    }
    let slot = vm.shapes.slot_of(shape, name);
    if slot == ABSENT {
        if table.meta().is_some() || value.is_nil() {
            return Ok(false);
        }
        let next = vm.shapes.successor(shape, name);
        if next == Shape::NEVER {
            return Ok(false);
        }
        table.add_slot(vm.shapes.count(shape), next, value)?;
        return Ok(true);
    }
    let cell = &table.slots.get()[slot as usize];
    if cell.get().is_nil() {
        if table.meta().is_some() {
            return Ok(false);
        }
        table.forget_absent();
    }
    cell.set(value);
    Ok(true)
}

#[inline(always)]
fn store_field(
    vm: &Vm,
    pc: usize,
    proto: Running,
    base: Slot,
    object: Value,
    value: Value,
    instr: Instr,
) -> Result<Step> {
    let cache = cache(proto, instr);
    if jit::we_are_jitted()
        && let (Value::Table(table), Value::Str(name)) = (object, key(proto, instr))
        && name.is_short()
        && traced_store(vm, table, name, value)?
    {
        return Ok(Step::Done);
    }
    if let Value::Table(table) = object {
        let (shape, slot) = cache.own.get();
        if table.shape.get() == shape
            && let Some(cell) = table.slots.get().get(slot as usize)
            && !cell.get().is_nil()
        {
            cell.set(value);
            return Ok(Step::Done);
        }
    }
    let key = key(proto, instr);
    let found = store_field_slow(vm, pc, object, key, value, cache)?;
    set_by_method(vm, proto, base, found, key, value)
}

#[inline(never)]
#[jit::dont_look_inside]
fn store_field_slow(
    vm: &Vm,
    pc: usize,
    object: Value,
    key: Value,
    value: Value,
    cache: &Cache,
) -> Result<Found> {
    vm.save_pc(pc);
    let (Value::Table(table), Value::Str(name)) = (object, key) else {
        return meta::assign(vm, object, key, value);
    };
    let has_handler = table.meta().is_some_and(|meta| !vm.metamethod_of(meta, Event::NewIndex).is_nil());
    if has_handler || !name.is_short() || table.shape.get() == Shape::DICTIONARY || value.is_nil() {
        return meta::assign(vm, object, key, value);
    }
    let before = table.shape.get();
    let (shape, slot) = cache.own.get();
    let (from, to) = cache.next.get();
    if before == from && shape.0 == to {
        // As the last time: the table gets the key, and its next shape.
        table.add_slot(slot as usize, shape, value)?;
        return Ok((Value::Nil, None));
    }
    table.set_short(vm, name, value, false)?;
    let after = table.shape.get();
    if after != Shape::DICTIONARY
        && let Some(slot) = vm.shapes.find(after, name)
    {
        cache.own.set((after, slot));
        cache.next.set(if before == after { (Shape::NEVER, 0) } else { (before, after.0) });
    }
    Ok((Value::Nil, None))
}

/// `R[a][K[c]] = RK[b]`.
#[inline(always)]
pub fn set_field(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let value = stored(proto, base, instr);
    store_field(vm, pc, proto, base, base.at(usize::from(instr.a)), value, instr)
}

/// `U[a][K[c]] = RK[b]`.
#[inline(always)]
pub fn set_global(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let value = stored(proto, base, instr);
    store_field(vm, pc, proto, base, upvalue(base, usize::from(instr.a)).get(), value, instr)
}

/// `R[a] = {}`.
#[inline(always)]
pub fn new_table(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<()> {
    let table = if instr.b == 0 && instr.c == 0 {
        Table::new(vm)
    } else {
        Table::with_room(vm, usize::from(instr.b), instr.c as usize)
    };
    vm.save_pc(pc);
    base.put(usize::from(instr.a), Value::Table(table?));
    vm.safe_point();
    Ok(())
}

/// `R[a] = #R[b]`.
#[inline(always)]
pub fn length(vm: &Vm, pc: usize, proto: Running, base: Slot, instr: Instr) -> Result<Step> {
    let value = base.at(usize::from(instr.b));
    match value {
        Value::Table(table) if table.meta().is_none() => {
            base.put(usize::from(instr.a), Value::Int(table.border()));
            Ok(Step::Done)
        }
        _ => length_slow(vm, pc, proto, base, value, usize::from(instr.a)),
    }
}

#[inline(never)]
fn length_slow(vm: &Vm, pc: usize, proto: Running, base: Slot, value: Value, a: usize) -> Result<Step> {
    vm.save_pc(pc);
    if jit::we_are_jitted()
        && let Value::Table(table) = value
    {
        match meta::traced_method(vm, value, Event::Len) {
            Value::Nil => {
                base.put(a, Value::Int(table.border()));
                return Ok(Step::Done);
            }
            Value::Function(method) => {
                return begin_for_register(vm, proto, base, a, method, [value, value]);
            }
            _ => {}
        }
    }
    match meta::find_length(vm, value)? {
        (length, None) => {
            base.put(a, length);
            Ok(Step::Done)
        }
        (_, Some(method)) => begin_for_register(vm, proto, base, a, method, [value, value]),
    }
}

/// `R[a] = R[a] .. … .. R[a+b-1]`.
#[inline(never)]
pub fn concat(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<()> {
    vm.save_pc(pc);
    let (first, count) = (base.up(usize::from(instr.a)), usize::from(instr.b));
    match meta::joined(vm, first, count) {
        Some(text) => first.set(Value::Str(text)),
        None => meta::concat(vm, first, count)?,
    }
    vm.safe_point();
    Ok(())
}

/// `R[a][c + i] = R[a + i]`.
#[inline(never)]
pub fn set_list(vm: &Vm, pc: usize, base: Slot, instr: Instr) -> Result<()> {
    vm.save_pc(pc);
    let place = base.up(usize::from(instr.a));
    let count =
        if instr.b == 0 { few(vm.thread().take_top().above(place) - 1) } else { usize::from(instr.b) };
    if jit::we_are_jitted()
        && count < MOST_MOVED
        && instr.c == 0
        && let Value::Table(table) = place.get()
        && table.as_ref().fill(place.up(1), count)?
    {
        return Ok(());
    }
    set_list_slow(vm, place, count, instr.c as usize)
}

#[inline(never)]
#[jit::dont_look_inside]
fn set_list_slow(vm: &Vm, place: Slot, count: usize, first: usize) -> Result<()> {
    let Value::Table(table) = place.get() else { return Ok(()) };
    let thread = vm.thread();
    // What is to be set is alive until it is.
    let frame = thread.frames.last();
    let limit = frame.limit.replace(frame.limit.get().max(place.up(count + 1)));
    table.reserve_elements(first + count)?;
    table.set_list(vm, first as i64 + 1, (1..=count).map(|index| place.at(index)))?;
    frame.limit.set(limit);
    Ok(())
}
