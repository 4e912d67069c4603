//! Cells that compiled code reads: where a failing guard continues, and where a target is.

use metatrace_trace::{GuardId, TargetId};
use std::cell::Cell;
use std::mem::offset_of;
use std::ptr::NonNull;

/// A guard's cell. Compiled code reads the target and hands over the cell's address.
#[repr(C)]
pub(crate) struct GuardCell {
    target: Cell<*const u8>,
    guard: GuardId,
}

/// Bytes from one cell of a trace to the next.
pub(crate) const CELL_BYTES: usize = size_of::<GuardCell>();
/// Bytes from the start of a cell to the address where its guard continues.
pub(crate) const CELL_TARGET: i32 = offset_of!(GuardCell, target) as i32;

impl GuardCell {
    /// Whose cell it is.
    pub(crate) fn guard(&self) -> GuardId {
        self.guard
    }

    /// From now on the guard continues at `target`.
    pub(crate) fn set_target(&self, target: *const u8) {
        self.target.set(target);
    }

    /// Where the guard continues.
    pub(crate) fn target(&self) -> *const u8 {
        self.target.get()
    }
}

/// Where a target is. Jumps from other code read it; its address stays.
#[repr(C)]
pub(crate) struct TargetCell {
    address: Cell<*const u8>,
    selector: Cell<u64>,
    target: TargetId,
}

impl TargetCell {
    /// A cell that is not set.
    pub(crate) fn new(target: TargetId) -> TargetCell {
        TargetCell { address: Cell::new(std::ptr::null()), selector: Cell::new(0), target }
    }

    /// From now on the target is at an entry of the code at `address`.
    pub(crate) fn set(&self, address: *const u8, selector: u64) {
        self.address.set(address);
        self.selector.set(selector);
    }

    /// The start of the code.
    pub(crate) fn address(&self) -> *const u8 {
        self.address.get()
    }

    /// Whose cell it is.
    pub(crate) fn target(&self) -> TargetId {
        self.target
    }

    /// The address by which compiled code reaches it.
    pub(crate) fn expose_address(&self) -> u64 {
        std::ptr::from_ref(self).expose_provenance() as u64
    }
}

/// Bytes from the start of a target's cell to the address of its code.
pub(crate) const TARGET_ADDRESS: i32 = offset_of!(TargetCell, address) as i32;
/// Bytes from the start of a target's cell to the number of the entry.
pub(crate) const TARGET_SELECTOR: i32 = offset_of!(TargetCell, selector) as i32;
/// Added to the address of the cell of a target when code is left at a jump to it.
pub(crate) const TARGET_LEFT: usize = 1;
const _: () = assert!(align_of::<TargetCell>() > TARGET_LEFT && align_of::<GuardCell>() > TARGET_LEFT);

/// The cells of a trace's guards, in order, at an address that stays.
pub(crate) struct Cells(NonNull<[GuardCell]>);

impl Cells {
    /// Cells that all continue at `target`.
    pub(crate) fn new(guards: &[GuardId], target: *const u8) -> Cells {
        let cells: Box<[GuardCell]> =
            guards.iter().map(|&guard| GuardCell { target: Cell::new(target), guard }).collect();
        Cells(NonNull::from(Box::leak(cells)))
    }

    /// The address of the first cell.
    pub(crate) fn address(&self) -> u64 {
        self.0.as_ptr().cast::<GuardCell>().expose_provenance() as u64
    }

    /// The cells.
    pub(crate) fn as_slice(&self) -> &[GuardCell] {
        // SAFETY: the memory was allocated in `new` and is freed in `drop`; nobody has an exclusive reference to it.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        // SAFETY: the memory comes from a leaked box.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}
