//! Tables: an array for the keys 1, 2, …; slots for short strings, found by the table's shape; a hash for the rest.
//!
//! Guarantees:
//! - Elements of the array behind its length are nil; the last one before is not. No key that follows the array's last one is
//!   in the hash.
//! - Slots are as many as the shape has keys, or more. A key whose value is nil is absent; its place stays.
//! - Keys of the hash are never taken out but when it is built anew, so that a traversal goes on after assignments of nil.
//! - Tables with weak keys or values do not show these to the collector; `weak` sees to them.

use std::cell::Cell;

use metatrace::gc::{Array, Gc, GcCell, HeapFull, Trace, Tracer};
use metatrace::jit;

use crate::number;
use crate::shape::{Shape, Shapes};
use crate::stack::Slot;
use crate::string::Str;
use crate::value::Value;
use crate::vm::Vm;

metatrace::glue!();

/// Values in an object of their own.
pub type Values = Array<GcCell<Value>>;

/// A place of the hash: empty if the key is nil.
#[derive(Trace)]
pub struct Entry {
    pub key: GcCell<Value>,
    pub value: GcCell<Value>,
}

pub type Entries = Array<Entry>;

/// A table.
#[repr(C)]
pub struct Table {
    meta: GcCell<Option<Gc<Table>>>,
    pub(crate) slots: GcCell<Gc<Values>>,
    pub(crate) array: GcCell<Gc<Values>>,
    pub(crate) entries: GcCell<Gc<Entries>>,
    pub(crate) shape: Cell<Shape>,
    /// Elements of the array.
    pub(crate) length: Cell<u32>,
    /// Places of the hash that are not empty.
    used: Cell<u32>,
    /// For each of the first metamethods: whether the table is known not to have it.
    absent: Cell<u8>,
    weak: Cell<Weakness>,
}

/// What of a table does not keep objects alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Weakness {
    pub keys: bool,
    pub values: bool,
}

// SAFETY: every reference is visited but those that are weak; all that change lie in cells.
unsafe impl Trace for Table {
    const SHAPE: metatrace::gc::Shape = metatrace::gc::Shape::Traced;

    fn trace(&self, tracer: &mut Tracer) {
        self.meta.trace(tracer);
        if self.weak.get() == Weakness::default() {
            self.slots.trace(tracer);
            self.array.trace(tracer);
            self.entries.trace(tracer);
        } else {
            crate::weak::trace(self, tracer);
        }
    }
}

/// Where a key of the hash begins to be looked for.
#[inline(always)]
fn spread(hash: u64) -> usize {
    (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
}

#[inline]
fn hash_of(key: Value) -> usize {
    match key {
        Value::Int(int) => spread(int as u64),
        Value::Str(text) => text.hash() as usize,
        Value::Float(float) => spread(float.get().to_bits()),
        Value::True => 1,
        _ => spread(key.address().unwrap_or(0) >> 4),
    }
}

/// Keys that are floats with an integer's value are that integer.
#[inline]
pub fn normalized(key: Value) -> Value {
    if let Value::Float(float) = key
        && let Some(int) = number::float_to_int(float.get())
    {
        return Value::Int(int);
    }
    key
}

impl Table {
    /// An empty table.
    ///
    /// # Errors
    /// If the heap is full.
    #[inline]
    pub fn new(vm: &Vm) -> Result<Gc<Table>, HeapFull> {
        Gc::try_new(Table {
            meta: GcCell::new(None),
            slots: GcCell::new(vm.empty_values()),
            array: GcCell::new(vm.empty_values()),
            entries: GcCell::new(vm.empty_entries()),
            shape: Cell::new(Shape::EMPTY),
            length: Cell::new(0),
            used: Cell::new(0),
            absent: Cell::new(0),
            weak: Cell::new(Weakness::default()),
        })
    }

    /// An empty table with room.
    ///
    /// # Errors
    /// If the heap is full.
    #[inline]
    pub fn with_room(vm: &Vm, elements: usize, fields: usize) -> Result<Gc<Table>, HeapFull> {
        let table = Table::new(vm)?;
        if elements > 0 {
            table.array.set(Array::try_cells(elements, Value::Nil)?);
        }
        if fields > 0 && fields <= 64 {
            table.slots.set(Array::try_cells(fields, Value::Nil)?);
        }
        Ok(table)
    }

    #[inline(always)]
    pub fn meta(&self) -> Option<Gc<Table>> {
        self.meta.get()
    }

    pub fn set_meta(&self, meta: Option<Gc<Table>>) {
        self.meta.set(meta);
    }

    pub fn weakness(&self) -> Weakness {
        self.weak.get()
    }

    pub fn set_weakness(&self, weakness: Weakness) {
        self.weak.set(weakness);
    }

    /// Has all metamethods looked up again: a name may have got a value.
    #[inline(always)]
    pub fn forget_absent(&self) {
        self.absent.set(0);
    }

    /// Whether the metamethod with that number is known to be absent.
    #[inline(always)]
    pub fn is_absent(&self, event: u8) -> bool {
        self.absent.get() >> event & 1 != 0
    }

    pub fn set_absent(&self, event: u8) {
        self.absent.set(self.absent.get() | 1 << event);
    }

    // Reading.

    #[inline(always)]
    pub fn get_int(&self, index: i64) -> Value {
        let at = (index as u64).wrapping_sub(1);
        if at < u64::from(self.length.get()) {
            return self.array.get()[at as usize].get();
        }
        self.get_int_hashed(index)
    }

    #[inline(never)]
    #[jit::reads_only]
    fn get_int_hashed(&self, index: i64) -> Value {
        if self.used.get() == 0 { Value::Nil } else { self.get_hashed(Value::Int(index)) }
    }

    /// The value of a short string.
    #[inline]
    #[jit::reads_only]
    pub fn get_short(&self, shapes: &Shapes, key: Str) -> Value {
        let shape = self.shape.get();
        if shape == Shape::DICTIONARY {
            return self.get_hashed_short(key);
        }
        match shapes.find(shape, key) {
            Some(slot) => self.slots.get()[slot as usize].get(),
            None => Value::Nil,
        }
    }

    /// The value of any key, for traces.
    #[jit::reads_only]
    pub fn get_any(&self, shapes: &Shapes, key: Value) -> Value {
        self.get(shapes, key)
    }

    /// Replaces the value of a short string that has one: whether it has.
    #[inline(always)]
    pub fn replace_short(&self, shapes: &Shapes, key: Str, value: Value) -> bool {
        if self.shape.get() == Shape::DICTIONARY {
            self.replace_hashed(Value::Str(key), value)
        } else {
            self.replace_slot(shapes, key, value)
        }
    }

    #[inline(never)]
    #[jit::dont_look_inside]
    fn replace_slot(&self, shapes: &Shapes, key: Str, value: Value) -> bool {
        let Some(slot) = shapes.find(self.shape.get(), key) else { return false };
        let cell = &self.slots.get()[slot as usize];
        let is_there = !cell.get().is_nil();
        if is_there {
            cell.set(value);
        }
        is_there
    }

    /// Replaces the value of a key of the hash that has one: whether it has. Only native code looks into hashes.
    #[inline(never)]
    #[jit::reads_only]
    pub fn replace_hashed(&self, key: Value, value: Value) -> bool {
        let Some(at) = self.entry(key) else { return false };
        let cell = &self.entries.get()[at].value;
        let is_there = !cell.get().is_nil();
        if is_there {
            cell.set(value);
        }
        is_there
    }

    /// Takes the last element of the array away, if that is the last of the list and has one before it.
    #[inline(always)]
    pub fn pop(&self) -> Option<Value> {
        let (length, array) = (self.length.get() as usize, self.array.get());
        if length < 2 || self.used.get() != 0 || array[length - 2].get().is_nil() {
            return None;
        }
        let last = array[length - 1].replace(Value::Nil);
        self.length.set(length as u32 - 1);
        Some(last)
    }

    /// Whether the hash has no keys.
    #[inline(always)]
    pub fn is_list(&self) -> bool {
        self.used.get() == 0
    }

    /// The place of a short string in a hash.
    #[inline(always)]
    fn entry_of_short(entries: &Entries, key: Str) -> Option<usize> {
        let mask = entries.len() - 1;
        let mut at = key.hash() as usize & mask;
        loop {
            match entries[at].key.get() {
                Value::Str(found) if found.is(key) => return Some(at),
                Value::Nil => return None,
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn get_hashed_short(&self, key: Str) -> Value {
        let entries = self.entries.get();
        Table::entry_of_short(&entries, key).map_or(Value::Nil, |at| entries[at].value.get())
    }

    /// The value of any key.
    #[inline]
    pub fn get(&self, shapes: &Shapes, key: Value) -> Value {
        match key {
            Value::Int(index) => self.get_int(index),
            Value::Str(text) if text.is_short() => self.get_short(shapes, text),
            Value::Nil => Value::Nil,
            Value::Float(_) => match normalized(key) {
                Value::Int(index) => self.get_int(index),
                key => self.get_hashed(key),
            },
            _ => self.get_hashed(key),
        }
    }

    fn get_hashed(&self, key: Value) -> Value {
        self.entry(key).map_or(Value::Nil, |at| self.entries.get()[at].value.get())
    }

    /// The place of a key in the hash.
    fn entry(&self, key: Value) -> Option<usize> {
        let entries = self.entries.get();
        if let Value::Str(text) = key
            && text.is_short()
        {
            return Table::entry_of_short(&entries, text);
        }
        let mask = entries.len() - 1;
        let mut at = hash_of(key) & mask;
        loop {
            match entries[at].key.get() {
                Value::Nil => return None,
                found if found.raw_equal(key) => return Some(at),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// The border that `#` gives.
    #[inline]
    pub fn border(&self) -> i64 {
        let length = i64::from(self.length.get());
        if self.used.get() == 0 { length } else { self.border_hashed(length) }
    }

    #[jit::reads_only]
    fn border_hashed(&self, length: i64) -> i64 {
        let has = |index: i64| !self.get_hashed(Value::Int(index)).is_nil();
        if !has(length.saturating_add(1)) {
            return length;
        }
        let (mut low, mut high) = (length + 1, (length + 1).saturating_mul(2));
        while has(high) {
            if high == i64::MAX {
                return high;
            }
            (low, high) = (high, high.saturating_mul(2));
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if has(middle) { low = middle } else { high = middle }
        }
        low
    }

    // Writing.

    /// Sets the value of an integer.
    ///
    /// # Errors
    /// If the heap is full.
    #[inline(always)]
    pub fn set_int(&self, vm: &Vm, index: i64, value: Value) -> Result<(), HeapFull> {
        let at = (index as u64).wrapping_sub(1);
        if at < u64::from(self.length.get()) && !value.is_nil() {
            self.array.get()[at as usize].set(value);
            return Ok(());
        }
        self.set_int_slow(vm, index, value)
    }

    /// Appends an element for which there is room: whether it is one.
    #[inline(always)]
    pub fn append(&self, index: i64, value: Value) -> bool {
        let (at, array) = ((index as u64).wrapping_sub(1), self.array.get());
        if at != u64::from(self.length.get()) || self.used.get() != 0 || at as usize >= array.len() {
            return false;
        }
        array[at as usize].set(value);
        self.length.set(at as u32 + 1);
        true
    }

    /// Sets the first elements of an empty table to values on the stack, whose number a trace knows: whether that was possible.
    ///
    /// # Errors
    /// If the heap is full.
    #[jit::unroll_safe]
    pub(crate) fn fill(&self, from: Slot, count: usize) -> Result<bool, HeapFull> {
        if self.length.get() != 0 || self.used.get() != 0 || count == 0 || from.at(count - 1).is_nil() {
            return Ok(false);
        }
        if self.array.get().as_ref().len() < count {
            self.array.set(Array::try_cells(count, Value::Nil)?);
        }
        let array = self.array.get();
        for index in 0..count {
            array.as_ref()[index].set(from.at(index));
        }
        self.length.set(count as u32);
        Ok(true)
    }

    #[inline(never)]
    #[jit::dont_look_inside]
    fn set_int_slow(&self, vm: &Vm, index: i64, value: Value) -> Result<(), HeapFull> {
        let at = (index as u64).wrapping_sub(1);
        let length = self.length.get();
        if at < u64::from(length) {
            self.array.get()[at as usize].set(value);
            self.shrink();
            return Ok(());
        }
        if at == u64::from(length) && !value.is_nil() && length < u32::MAX - 1 {
            if self.used.get() != 0
                && let Some(entry) = self.entry(Value::Int(index))
            {
                self.entries.get()[entry].value.set(Value::Nil);
            }
            self.push(value)?;
            if self.used.get() != 0 {
                self.migrate()?;
            }
            return Ok(());
        }
        self.set_hashed(vm, Value::Int(index), value)
    }

    /// Appends to the array.
    fn push(&self, value: Value) -> Result<(), HeapFull> {
        let length = self.length.get() as usize;
        if length == self.array.get().len() {
            // Large ones mostly grow where they are.
            let more = if length < 1 << 16 { length.max(4) } else { length / 2 };
            self.resize_array(length + more)?;
        }
        self.array.get()[length].set(value);
        self.length.set(length as u32 + 1);
        Ok(())
    }

    #[jit::dont_look_inside]
    fn resize_array(&self, capacity: usize) -> Result<(), HeapFull> {
        // SAFETY: the capacity is larger than before; the array is this table's alone, or small; nil is no reference.
        let array = unsafe { Array::try_grown(self.array.get(), capacity, Value::Nil) }?;
        self.array.set(array);
        Ok(())
    }

    /// Makes room for that many elements.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn reserve_elements(&self, count: usize) -> Result<(), HeapFull> {
        if count > self.array.get().len() { self.resize_array(count) } else { Ok(()) }
    }

    /// Sets elements that follow each other. Those behind the array's end must follow it.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn set_list(&self, vm: &Vm, first: i64, values: impl Iterator<Item = Value>) -> Result<(), HeapFull> {
        let array = self.array.get();
        let mut index = first;
        for value in values {
            // Within the room that was made: nil among them does not end the array yet.
            let at = index as usize - 1;
            if at < array.len() && at >= self.length.get() as usize && self.used.get() == 0 {
                array[at].set(value);
                if !value.is_nil() {
                    self.length.set(at as u32 + 1);
                }
            } else {
                self.set_int(vm, index, value)?;
            }
            index += 1;
        }
        Ok(())
    }

    /// To be called when elements were cleared from outside.
    pub fn shrink_after_clearing(&self) {
        self.shrink();
    }

    /// Has the array end with its last element that is not nil.
    fn shrink(&self) {
        let array = self.array.get();
        let mut length = self.length.get();
        while length > 0 && array[length as usize - 1].get().is_nil() {
            length -= 1;
        }
        self.length.set(length);
    }

    /// Moves the elements that follow the array's out of the hash.
    fn migrate(&self) -> Result<(), HeapFull> {
        loop {
            let next = i64::from(self.length.get()) + 1;
            let Some(at) = self.entry(Value::Int(next)) else { return Ok(()) };
            let value = self.entries.get()[at].value.get();
            if value.is_nil() {
                return Ok(());
            }
            self.push(value)?;
            self.entries.get()[at].value.set(Value::Nil);
        }
    }

    /// Sets the value of a short string. `computed`: the name is not written in the program.
    ///
    /// # Errors
    /// If the heap is full.
    #[jit::dont_look_inside]
    pub fn set_short(&self, vm: &Vm, key: Str, value: Value, computed: bool) -> Result<(), HeapFull> {
        self.absent.set(0);
        let shape = self.shape.get();
        if shape == Shape::DICTIONARY {
            return self.set_hashed(vm, Value::Str(key), value);
        }
        if let Some(slot) = vm.shapes.find(shape, key) {
            self.slots.get()[slot as usize].set(value);
            return Ok(());
        }
        if value.is_nil() {
            return Ok(());
        }
        match vm.shapes.with(shape, key, computed) {
            Some(next) => self.add_slot(vm.shapes.count(shape), next, value),
            None => {
                self.become_dictionary(vm)?;
                self.set_hashed(vm, Value::Str(key), value)
            }
        }
    }

    /// Takes the shape with one key more.
    ///
    /// # Errors
    /// If the heap is full.
    #[inline]
    pub fn add_slot(&self, slot: usize, shape: Shape, value: Value) -> Result<(), HeapFull> {
        if slot >= self.slots.get().len() {
            self.grow_slots(slot)?;
        }
        self.slots.get()[slot].set(value);
        self.shape.set(shape);
        self.absent.set(0);
        Ok(())
    }

    /// Makes room for a slot more than those that are full.
    #[jit::dont_look_inside]
    fn grow_slots(&self, slot: usize) -> Result<(), HeapFull> {
        let slots = self.slots.get();
        let capacity = match slot {
            0 => 2,
            1..4 => 4,
            _ => slot * 2,
        };
        let larger = Array::try_from_fn(capacity, |index| {
            GcCell::new(if index < slot { slots[index].get() } else { Value::Nil })
        })?;
        self.slots.set(larger);
        Ok(())
    }

    fn become_dictionary(&self, vm: &Vm) -> Result<(), HeapFull> {
        let (shape, slots) = (self.shape.get(), self.slots.get());
        let count = vm.shapes.count(shape);
        self.reserve_entries(vm, count + 1)?;
        for slot in 0..count {
            let value = slots[slot].get();
            if let Some(key) = vm.shapes.key(shape, slot)
                && !value.is_nil()
            {
                self.insert(Value::Str(key), value);
            }
        }
        self.shape.set(Shape::DICTIONARY);
        self.slots.set(vm.empty_values());
        Ok(())
    }

    /// Sets the value of any key but nil and what is no number.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn set(&self, vm: &Vm, key: Value, value: Value) -> Result<(), HeapFull> {
        match normalized(key) {
            Value::Int(index) => self.set_int(vm, index, value),
            Value::Str(text) if text.is_short() => self.set_short(vm, text, value, true),
            key => self.set_hashed(vm, key, value),
        }
    }

    fn set_hashed(&self, vm: &Vm, key: Value, value: Value) -> Result<(), HeapFull> {
        if let Some(at) = self.entry(key) {
            self.entries.get()[at].value.set(value);
            return Ok(());
        }
        if value.is_nil() {
            return Ok(());
        }
        if (self.used.get() as usize + 1) * 4 > self.entries.get().len() * 3 {
            if matches!(key, Value::Int(_)) && self.rebuild_array(vm, key)? {
                return self.set(vm, key, value);
            }
            self.reserve_entries(vm, 1)?;
        }
        self.insert(key, value);
        Ok(())
    }

    /// Puts a key that is not there into an empty place, of which there is one.
    fn insert(&self, key: Value, value: Value) {
        let entries = self.entries.get();
        let mask = entries.len() - 1;
        let mut at = hash_of(key) & mask;
        while !entries[at].key.get().is_nil() {
            at = (at + 1) & mask;
        }
        entries[at].key.set(key);
        entries[at].value.set(value);
        self.used.set(self.used.get() + 1);
    }

    /// Builds the hash anew, with room for `more` keys.
    fn reserve_entries(&self, vm: &Vm, more: usize) -> Result<(), HeapFull> {
        let before = self.entries.get();
        let count = before.iter().filter(|entry| !entry.value.get().is_nil()).count();
        let wanted = count + more;
        let capacity = (wanted * 4 / 3 + 1).next_power_of_two().max(4);
        // Half full at most after growing, so that it does not grow again at once.
        let capacity = if wanted * 3 > capacity * 2 { capacity * 2 } else { capacity };
        let entries = vm.new_entries(capacity)?;
        self.entries.set(entries);
        self.used.set(0);
        for entry in before.iter() {
            let value = entry.value.get();
            if !value.is_nil() {
                self.insert(entry.key.get(), value);
            }
        }
        // SAFETY: the entries before were this table's alone, or are small.
        unsafe { Array::give_up(before) };
        Ok(())
    }

    /// If many small integers are in the hash, moves them to the array: true if there were.
    fn rebuild_array(&self, vm: &Vm, extra: Value) -> Result<bool, HeapFull> {
        // Keys by the power of two that they do not exceed.
        let mut counts = [0usize; 33];
        let mut note = |index: i64| {
            if let 1..=0x1_0000_0000 = index {
                counts[(64 - (index - 1).leading_zeros()) as usize] += 1;
            }
        };
        let entries = self.entries.get();
        for entry in entries.iter() {
            if let Value::Int(index) = entry.key.get()
                && !entry.value.get().is_nil()
            {
                note(index);
            }
        }
        if let Value::Int(index) = extra {
            note(index);
        }
        let length = self.length.get() as usize;
        let (mut total, mut size) = (0, 0);
        for (power, count) in counts.iter().enumerate() {
            total += count;
            let within = total + length.min(1 << power);
            if within > (1usize << power) / 2 {
                size = 1 << power;
            }
        }
        if size <= length || size < 4 {
            return Ok(false);
        }
        self.reserve_elements(size)?;
        let array = self.array.get();
        let mut last = length;
        for entry in entries.iter() {
            if let Value::Int(index @ 1..) = entry.key.get()
                && index as usize <= size
                && !entry.value.get().is_nil()
            {
                array[index as usize - 1].set(entry.value.get());
                entry.value.set(Value::Nil);
                last = last.max(index as usize);
            }
        }
        let moves_extra = matches!(extra, Value::Int(index) if index as usize <= size && index > 0);
        if let Value::Int(index) = extra
            && moves_extra
            && index as usize > last
        {
            // The caller sets it: the array ends before it until then, where nothing is.
            last = last.max(index as usize - 1);
            array[index as usize - 1].set(Value::Nil);
        }
        self.length.set(last as u32);
        let _ = vm;
        if moves_extra {
            return Ok(true);
        }
        self.shrink();
        Ok(false)
    }

    // Traversal.

    /// The first key at a position or behind, its value, and the position behind it.
    #[inline]
    pub fn next_at(&self, shapes: &Shapes, position: usize) -> Option<(usize, Value, Value)> {
        let mut position = position;
        let array = self.array.get();
        let length = self.length.get() as usize;
        while position < length {
            let value = array[position].get();
            position += 1;
            if !value.is_nil() {
                return Some((position, Value::Int(position as i64), value));
            }
        }
        self.next_keyed(shapes, position.max(array.len()))
    }

    #[jit::reads_only]
    fn next_keyed(&self, shapes: &Shapes, mut position: usize) -> Option<(usize, Value, Value)> {
        let first_slot = self.array.get().len();
        let shape = self.shape.get();
        let count = if shape == Shape::DICTIONARY { 0 } else { shapes.count(shape) };
        let slots = self.slots.get();
        while position < first_slot + count {
            let slot = position - first_slot;
            let value = slots[slot].get();
            position += 1;
            if !value.is_nil()
                && let Some(key) = shapes.key(shape, slot)
            {
                return Some((position, Value::Str(key), value));
            }
        }
        let entries = self.entries.get();
        while let Some(entry) = entries.get(position - first_slot - count) {
            let value = entry.value.get();
            position += 1;
            if !value.is_nil() {
                return Some((position, entry.key.get(), value));
            }
        }
        None
    }

    /// The position behind a key; nothing if it is none of the table's.
    #[jit::reads_only]
    pub fn position_behind(&self, shapes: &Shapes, key: Value) -> Option<usize> {
        let first_slot = self.array.get().len();
        let key = normalized(key);
        match key {
            Value::Nil => return Some(0),
            Value::Int(index @ 1..) if index as u64 <= first_slot as u64 => return Some(index as usize),
            _ => {}
        }
        let shape = self.shape.get();
        let mut count = 0;
        if shape != Shape::DICTIONARY {
            count = shapes.count(shape);
            if let Value::Str(text) = key
                && text.is_short()
            {
                return shapes.find(shape, text).map(|slot| first_slot + slot as usize + 1);
            }
        }
        self.entry(key).map(|at| first_slot + count + at + 1)
    }
}
