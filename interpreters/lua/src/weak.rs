//! Weak tables: what of them is shown to the collector, and what they forget.
//!
//! The machine lists its weak tables; `trace` shows what a table holds strongly. When all else is marked, values of weak keys that
//! live are marked ([`propagate`]), then entries with dead keys or values are cleared ([`clear`]). Values go before finalizers run,
//! keys that are to be finalized after. Strings are values: they are never dead.

use metatrace::gc::{Gc, Trace, Tracer};

use crate::table::{Entry, Table};
use crate::value::Value;

/// Whether a value is known to live, or has no life.
fn lives(tracer: &Tracer, value: Value) -> bool {
    match value {
        Value::Table(table) => tracer.is_marked(table),
        Value::Function(function) => tracer.is_marked(function),
        Value::Native(function) => tracer.is_marked(function),
        Value::UserData(data) => tracer.is_marked(data),
        Value::Thread(thread) => tracer.is_marked(thread),
        Value::Str(text) => tracer.is_marked(text.reference()),
        _ => true,
    }
}

/// Shows what a weak table holds strongly.
pub fn trace(table: &Table, tracer: &mut Tracer) {
    let weak = table.weakness();
    let (slots, array, entries) = (table.slots.get(), table.array.get(), table.entries.get());
    if !tracer.is_marking() {
        slots.trace(tracer);
        array.trace(tracer);
        entries.trace(tracer);
        return;
    }
    tracer.shallow(slots);
    tracer.shallow(array);
    tracer.shallow(entries);
    // What is written to the parts from here on is told of by their cards only; so the table is looked at each time.
    tracer.rescan();
    let strings_only = weak.values;
    for cell in slots.iter().chain(array.iter()) {
        let value = cell.get();
        if !strings_only || matches!(value, Value::Str(_)) {
            value.trace(tracer);
        }
    }
    for entry in entries.iter().filter(|entry| !entry.value.get().is_nil()) {
        let (key, value) = (entry.key.get(), entry.value.get());
        if !weak.keys || matches!(key, Value::Str(_)) {
            key.trace(tracer);
        }
        if matches!(value, Value::Str(_)) || !weak.values && (!weak.keys || lives(tracer, key)) {
            value.trace(tracer);
        }
    }
}

/// Marks the values of weak keys that live.
pub fn propagate(table: Gc<Table>, tracer: &mut Tracer) {
    let weak = table.weakness();
    if !weak.keys || weak.values || !tracer.is_marked(table) {
        return;
    }
    for entry in table.entries.get().iter() {
        if lives(tracer, entry.key.get()) {
            entry.value.get().trace(tracer);
        }
    }
}

/// Clears the entries whose values are dead; if `keys`, also those whose keys are.
pub fn clear(table: Gc<Table>, tracer: &Tracer, keys: bool) {
    let weak = table.weakness();
    let dead = |value: Value| !lives(tracer, value);
    if weak.values {
        for cell in table.slots.get().iter().chain(table.array.get().iter()) {
            if dead(cell.get()) {
                cell.set(Value::Nil);
            }
        }
        table.shrink_after_clearing();
    }
    let is_gone =
        |entry: &&Entry| weak.values && dead(entry.value.get()) || keys && weak.keys && dead(entry.key.get());
    for entry in table.entries.get().iter().filter(is_gone) {
        entry.value.set(Value::Nil);
        // The place stays taken, by a key that is equal to none.
        if dead(entry.key.get()) {
            entry.key.set(Value::float(f64::NAN));
        }
    }
    if keys {
        // Keys of values that were cleared before may be dead as well.
        for entry in table.entries.get().iter() {
            if entry.value.get().is_nil() && dead(entry.key.get()) {
                entry.key.set(Value::float(f64::NAN));
            }
        }
    }
}
