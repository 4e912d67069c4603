//! The places that were looked for last: they are looked for again and again, with the same few greens.

use std::cell::Cell;
use std::ptr::NonNull;
use std::rc::Rc;

use metatrace_defs::jitcode::PortalId;

use super::owner::OwnerId;
use super::tables::LoopCell;

/// How many greens a place may have to be kept here.
pub const GREENS: usize = 2;

/// Slots, a power of two.
const SLOTS: usize = 256;

/// What tells one place of a VM from the others; greens that there are not are 0. Numbers of owners are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    pub owner: OwnerId,
    /// The address of the program's glue.
    pub program: usize,
    pub portal: PortalId,
    pub greens: [u64; GREENS],
}

impl At {
    fn slot(&self) -> usize {
        let [first, second] = self.greens;
        let number = (self.owner.index() as u64) << 8 ^ self.portal.index() as u64;
        let mixed = [number, first, second].iter().fold(self.program as u64, |sum, word| {
            (sum.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        });
        (mixed >> 32) as usize % SLOTS
    }
}

/// A cell that a living owner keeps, or one of a dead owner, for which nobody asks.
type Slot = Cell<Option<(At, NonNull<LoopCell>)>>;

/// See the module.
pub struct Recent([Slot; SLOTS]);

impl Default for Recent {
    fn default() -> Recent {
        Recent([const { Cell::new(None) }; SLOTS])
    }
}

impl Recent {
    /// The cell that was kept for a place of a living owner.
    ///
    /// # Safety
    /// The owner must keep the cells that it has while it lives.
    pub unsafe fn find(&self, at: &At) -> Option<Rc<LoopCell>> {
        let (_, cell) = self.0[at.slot()].get().filter(|(other, _)| other == at)?;
        let cell = cell.as_ptr();
        // SAFETY: the pointer came from an `Rc` that the owner keeps, for it lives and its number was never another's.
        unsafe {
            Rc::increment_strong_count(cell);
            Some(Rc::from_raw(cell))
        }
    }

    /// Keeps a cell for a place.
    pub fn keep(&self, at: At, cell: &Rc<LoopCell>) {
        let cell = NonNull::new(Rc::as_ptr(cell).cast_mut());
        self.0[at.slot()].set(cell.map(|cell| (at, cell)));
    }
}
