//! The verifier of a heap.
//!
//! In: a heap outside of a collection, or at its beginning or end. Out: what is wrong. It checks that
//! - the header of every object is a descriptor, and the object fits its cell;
//! - every reference in an object, a root or a finalizer's entry points behind the header of an object;
//! - marked granules are objects;
//! - an old object that refers to a young one lies on a marked card, or asked to be scanned again: no barrier was forgotten;
//! - the memory in use is what the heap counted.

use crate::heap::State;
use crate::mark::{HEADER, info_of, word_at};
use crate::sizes::{BLOCK, GRANULE};
use crate::space::PAGE;
use crate::types::{Kind, MAGIC, TypeInfo};

/// At most so many lines are reported.
const LINES: usize = 20;

pub(crate) fn verify(state: &mut State) -> Result<(), Vec<String>> {
    state.retire_runs();
    let mut errors = Vec::new();
    let mut used = 0;
    let mut cells = Vec::new();
    for index in 0..state.tracer.space.top {
        let block = state.tracer.space.block(index);
        if !block.used {
            continue;
        }
        used += BLOCK;
        for (word, (mark, valid)) in block.mark.iter().zip(&block.valid).enumerate() {
            if mark & !valid != 0 {
                errors
                    .push(format!("block {index}: marks {:#x} of no objects at word {word}", mark & !valid));
            }
            let mut valid = *valid;
            while valid != 0 {
                let granule = word * 64 + valid.trailing_zeros() as usize;
                cells.push(state.tracer.space.block_address(index) + granule * GRANULE);
                valid &= valid - 1;
            }
        }
    }
    for large in state.tracer.space.larges.iter().filter(|large| large.cell != 0) {
        used += large.pages as usize * PAGE;
        cells.push(large.cell);
    }
    if used != state.used {
        errors.push(format!("{used} bytes are in use, and {} were counted", state.used));
    }
    for cell in cells {
        check_object(state, cell, &mut errors);
        if errors.len() >= LINES {
            break;
        }
    }
    let roots = std::rc::Rc::clone(&state.roots);
    let entries =
        [&state.finalizers.young, &state.finalizers.old, &state.droppers.young, &state.droppers.old];
    let mut outside: Vec<usize> = entries.into_iter().flatten().map(|entry| entry.object).collect();
    outside.extend(state.due.iter().map(|entry| entry.object));
    outside.extend(state.tracer.listed(|tracer| roots.trace(tracer)));
    for reference in outside {
        if !is_object(state, reference) {
            errors.push(format!("a root or an entry refers to {reference:#x}, which is no object"));
        }
    }
    errors.truncate(LINES);
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn is_object(state: &State, reference: usize) -> bool {
    reference >= HEADER && state.tracer.space.find(reference) == Some(reference - HEADER)
}

fn check_object(state: &mut State, cell: usize, errors: &mut Vec<String>) {
    // SAFETY: the memory of a heap stays readable.
    let header = unsafe { (cell as *const usize).read() };
    // SAFETY: an address that is aligned and in no heap is that of a descriptor, if the heap is not broken.
    let known = header % align_of::<TypeInfo>() == 0
        && header > 0xFFFF
        && header >> 48 == 0
        && !state.tracer.space.contains(header)
        && unsafe { (*(header as *const TypeInfo)).magic } == MAGIC;
    if !known {
        return errors.push(format!("the header {header:#x} of the object at {cell:#x} is no descriptor"));
    }
    let info = info_of(cell);
    let bytes = match info.kind {
        Kind::Elements { words, .. } => 8 + words * 8 * word_at(cell, 0),
        Kind::TracedElements { bytes } => 8 + bytes * word_at(cell, 0),
        _ => info.bytes,
    };
    if HEADER + bytes > state.tracer.space.bytes_of(cell) {
        return errors
            .push(format!("a {} of {bytes} bytes is larger than its cell at {cell:#x}", info.name()));
    }
    let (old, mut asks_again) = (state.tracer.space.is_marked(cell), false);
    let dead_key =
        info.kind == Kind::Ephemeron && word_at(cell, 0) != 0 && !is_object(state, word_at(cell, 0));
    if dead_key {
        errors.push(format!("the key of the entry at {cell:#x} of a {} is no object", info.name()));
    }
    for reference in state.tracer.listed(|tracer| tracer.scan(cell)) {
        if !is_object(state, reference) {
            errors.push(format!(
                "the {} at {cell:#x} refers to {reference:#x}, which is no object",
                info.name()
            ));
        } else if old && !state.tracer.space.is_marked(reference) {
            asks_again |= state.tracer.space.is_dirty(cell, cell + HEADER + bytes);
            if !asks_again {
                errors.push(format!(
                    "the old {} at {cell:#x} refers to a young object at {reference:#x} without a marked card: a \
                     barrier is missing",
                    info.name()
                ));
            }
        }
    }
}
