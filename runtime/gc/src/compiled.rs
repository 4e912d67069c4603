//! What generated code needs to allocate and to write references inline.
//!
//! Generated code has the address of the heap's [`Hot`](crate::alloc::Hot) in its context or as a constant.
//!
//! *Allocation* of a small object, from its [`Site`]: load the run's cursor at `cursor_offset`, add `cell_bytes`, compare with
//! the run's limit at `limit_offset` (unsigned; more: take the slow path), store the cursor, store `header` at the cursor
//! loaded; the reference is that address plus [`HEADER_BYTES`]. The payload holds anything: before the next thing that may
//! collect, all of it must be written, or at least its reference words be 0. The slow path is [`allocate_slow`], which
//! gives the cell, or null if the heap is full; the header is the caller's to write then too.
//!
//! *Barrier* behind a store of a reference to address `a` in an object: store the byte 1 at
//! `cards + ((a - base) >> CARD_SHIFT)`, with the address of the stored word or of any other byte of the same object if that has no
//! elements. It can be left out for objects allocated since anything last collected, and for values that are no reference.

use std::mem::offset_of;
use std::ptr::NonNull;

use crate::alloc::{Hot, Run};
use crate::mark::HEADER;
use crate::sizes::{SMALL_MAX, cell_bytes, class_of};
use crate::space::LOG_CARD;
use crate::types::TypeInfo;

/// From the start of an object's cell to what references point to.
pub const HEADER_BYTES: usize = HEADER;
/// An address in the heap, less its base, is shifted right by this to find its card.
pub const CARD_SHIFT: usize = LOG_CARD;

/// What allocating objects of one type and size takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// For [`allocate_slow`].
    pub class: usize,
    /// From the start of [`Hot`] to the run's cursor.
    pub cursor_offset: usize,
    /// From the start of [`Hot`] to the run's limit.
    pub limit_offset: usize,
    /// What the cursor advances by.
    pub cell_bytes: usize,
    /// The word to write at the start of the cell.
    pub header: u64,
}

impl Site {
    /// For objects with `payload` bytes; nothing if they are large: those are allocated by [`Heap::allocate`](crate::Heap::allocate).
    pub fn of(info: &'static TypeInfo, payload: usize) -> Option<Site> {
        let bytes = payload.checked_add(HEADER).filter(|&bytes| bytes <= SMALL_MAX)?;
        let class = class_of(bytes, info.is_leaf());
        let run = offset_of!(Hot, runs) + class * size_of::<Run>();
        Some(Site {
            class,
            cursor_offset: run + offset_of!(Run, cursor),
            limit_offset: run + offset_of!(Run, limit),
            cell_bytes: cell_bytes(class),
            header: std::ptr::from_ref(info) as u64,
        })
    }
}

/// A cell of a class where the run is used up; null if the heap is full. It may collect.
///
/// # Safety
/// `hot` is a heap's that is entered on this thread, and nothing is being collected.
pub unsafe extern "C" fn allocate_slow(hot: *mut Hot, class: usize) -> *mut u8 {
    // SAFETY: the caller vouches for it.
    unsafe { crate::alloc::allocate_slow(hot, class) }
}

/// What generated code uses inline of the heap that is current on this thread; without one it has no room and no cards.
pub fn current() -> *mut Hot {
    crate::heap::hot()
}

/// An object of a type known at run time only, its payload 0; `payload` is its size in bytes. It may collect. Nothing if the
/// heap is full, or none is current.
///
/// # Safety
/// `info` is the address of a type's descriptor.
pub unsafe fn allocate(info: *const TypeInfo, payload: usize) -> Option<NonNull<u8>> {
    // SAFETY: the caller vouches for the address; descriptors are statics.
    let info: &'static TypeInfo = unsafe { &*info };
    if !crate::heap::is_any() {
        return None;
    }
    crate::heap::with_current("allocate", |state| state.allocate_zeroed(info, payload, false))
}

/// As [`allocate`], but from the reserve beyond the heap's limit, and nothing is collected. Whoever allocates next otherwise
/// finds the heap full, if a collection does not help. Nothing if the reserve is used up too, or no heap is current.
///
/// # Safety
/// `info` is the address of a type's descriptor.
pub unsafe fn allocate_reserved(info: *const TypeInfo, payload: usize) -> Option<NonNull<u8>> {
    // SAFETY: the caller vouches for the address; descriptors are statics.
    let info: &'static TypeInfo = unsafe { &*info };
    if !crate::heap::is_any() {
        return None;
    }
    crate::heap::with_current("allocate", |state| {
        let object = state.allocate_zeroed(info, payload, true);
        state.after_reserved();
        object
    })
}

/// As [`allocate_reserved`], where more may follow before anything can be collected: memory is taken below the heap's limit while
/// there is some. Tells too whether an allocation that may collect should follow soon, which then does so or finds the heap full.
///
/// # Safety
/// `info` is the address of a type's descriptor.
pub unsafe fn make(info: *const TypeInfo, payload: usize) -> Option<(NonNull<u8>, bool)> {
    // SAFETY: the caller vouches for the address; descriptors are statics.
    let info: &'static TypeInfo = unsafe { &*info };
    if !crate::heap::is_any() {
        return None;
    }
    crate::heap::with_current("allocate", |state| state.make(info, payload))
}
