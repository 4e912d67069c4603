//! Allocation: bump through free cells; at their end sweep on, take a block, collect, or say that the heap is full.
//!
//! In: a class or a size. Out: the address of a cell whose header the caller writes before anything else happens, or
//! nothing if the heap's limit is reached. What natively compiled and what generated code share is [`Hot`].

use std::ptr::NonNull;

use crate::heap::State;
use crate::sizes::{BLOCK, CLASSES, GRANULE, LOG_BLOCK, SMALL_MAX, cell_bytes, class_of};
use crate::space::{LOG_CARD, PAGE};
use crate::types::TypeInfo;

/// Cells to hand out: from `cursor` up to `limit`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// The next cell.
    pub cursor: usize,
    /// Behind the last cell.
    pub limit: usize,
}

/// What allocations and barriers read and write inline. It is the first part of a heap, at a stable address.
#[repr(C)]
#[derive(Debug)]
pub struct Hot {
    /// For each class the cells to hand out.
    pub runs: [Run; CLASSES],
    /// The first address of the heap.
    pub base: usize,
    /// Bytes from there that may hold objects.
    pub bytes: usize,
    /// The first card; that of address `a` is at `(a - base) >> 9`.
    pub cards: *mut u8,
}

impl Hot {
    /// What is current where no heap is: nothing to hand out, and no address in it.
    pub const NOTHING: Hot =
        Hot { runs: [Run { cursor: 0, limit: 0 }; CLASSES], base: 0, bytes: 0, cards: std::ptr::null_mut() };
}

/// Cells that a class still has in its blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Class {
    /// Blocks with cells that may be free.
    pub sweep: Vec<u32>,
    /// The block that is handed out, and the granule from which on.
    pub current: Option<(usize, usize)>,
}

/// What may be asked of a collector to find mistakes of those who use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stress {
    /// Collect before each n-th allocation; 0 for never.
    pub collect_every: u64,
    /// Whether these collections are full ones; otherwise every fourth is.
    pub full: bool,
    /// The allocation, counted from 1 on, that finds the heap full; 0 for none.
    pub fail_at: u64,
}

impl Stress {
    fn is_on(self) -> bool {
        self != Stress::default()
    }
}

/// Of how many allocations without collecting one tells under stress that it is time to collect, for each that would collect.
const MADE_PER_COLLECTION: u64 = 31;

/// A cell of a class, by bumping.
///
/// # Safety
/// `hot` is a heap's, or [`Hot::NOTHING`].
#[inline(always)]
pub(crate) unsafe fn cell(hot: *mut Hot, class: usize) -> Option<NonNull<u8>> {
    // SAFETY: the caller vouches for `hot`, and classes are in range; what is handed out is never at address 0.
    unsafe {
        let run = &raw mut (*hot).runs[class];
        let cursor = (*run).cursor;
        let next = cursor + cell_bytes(class);
        if next > (*run).limit {
            return NonNull::new(allocate_slow(hot, class));
        }
        (*run).cursor = next;
        Some(NonNull::new_unchecked(cursor as *mut u8))
    }
}

/// A cell of a class where the run is used up; null if the heap is full.
///
/// # Safety
/// As for [`cell`].
#[cold]
#[inline(never)]
pub(crate) unsafe fn allocate_slow(hot: *mut Hot, class: usize) -> *mut u8 {
    // SAFETY: the caller vouches for it; a heap begins with its `Hot`.
    let state = unsafe { State::of(hot, "allocate") };
    state.allocate(class, false).map_or(std::ptr::null_mut(), |cell| cell as *mut u8)
}

impl State {
    /// A cell of a class. `reserved` may go beyond the limit, into the reserve.
    pub(crate) fn allocate(&mut self, class: usize, reserved: bool) -> Option<usize> {
        assert!(!self.collecting, "an allocation while a collection traces or drops values");
        if !reserved && !self.may_allocate() {
            return None;
        }
        if let Some(cell) = self.bump(class) {
            return Some(cell);
        }
        if self.used > self.config.limit && !reserved {
            // What was taken from the reserve must be free again before anything else is given.
            self.collect(true);
            if self.used > self.config.limit {
                return None;
            }
        } else if self.since >= self.trigger && !reserved {
            self.collect(false);
        }
        if self.next_run(class, reserved) {
            return self.bump(class);
        }
        if reserved {
            return None;
        }
        for full in [false, true] {
            self.collect(full);
            if self.last_was_full && self.is_nearly_full() {
                return None;
            }
            if self.next_run(class, false) {
                return self.bump(class);
            }
        }
        None
    }

    /// A cell for a large object of `bytes` bytes with its header. Its memory holds anything.
    pub(crate) fn allocate_large(&mut self, bytes: usize, reserved: bool) -> Option<usize> {
        assert!(!self.collecting, "an allocation while a collection traces or drops values");
        if !reserved && !self.may_allocate() {
            return None;
        }
        let bytes = bytes.checked_next_multiple_of(PAGE)?;
        if bytes > self.config.limit.saturating_add(self.config.reserve) {
            return None;
        }
        if self.since >= self.trigger && !reserved {
            self.collect(false);
        }
        if !self.fits(bytes, reserved) && !reserved {
            self.collect(false);
            if !self.fits(bytes, false) {
                self.collect(true);
            }
        }
        if !self.fits(bytes, reserved) {
            return None;
        }
        let cell = self.tracer.space.take_pages(bytes)?;
        self.count_used(bytes);
        self.since += bytes;
        Some(cell)
    }

    /// Has a large object have room for `bytes` bytes with its header, more than it has, if there is memory behind it: whether
    /// there is. The memory holds anything.
    pub(crate) fn extend_large(&mut self, reference: usize, bytes: usize) -> bool {
        let Some(index) = self.tracer.space.large_at(reference) else { return false };
        let before = self.tracer.space.larges[index].pages as usize;
        let pages = bytes.div_ceil(PAGE);
        if pages <= before {
            return true;
        }
        if self.since >= self.trigger {
            self.collect(false);
        }
        let more = (pages - before) * PAGE;
        if !self.fits(more, false) || !self.tracer.space.extend(index, pages) {
            return false;
        }
        self.count_used(more);
        self.since += more;
        true
    }

    /// Tells that no object refers to this one any more: if it is large the next collection sees whether something else does.
    pub(crate) fn replaced(&mut self, reference: usize) {
        if let Some(index) = self.tracer.space.large_at(reference) {
            let large = &mut self.tracer.space.larges[index];
            (large.marked, large.is_replaced) = (false, true);
        }
    }

    /// A cell for an object with `payload` bytes, small or large. `reserved` as for [`State::allocate`].
    pub(crate) fn allocate_bytes(&mut self, payload: usize, leaf: bool, reserved: bool) -> Option<usize> {
        let bytes = payload.checked_add(crate::mark::HEADER)?;
        if bytes <= SMALL_MAX {
            self.allocate(class_of(bytes, leaf), reserved)
        } else {
            self.allocate_large(bytes, reserved)
        }
    }

    /// An object with `payload` bytes, all 0. `reserved` as for [`State::allocate`].
    pub(crate) fn allocate_zeroed(
        &mut self,
        info: &'static TypeInfo,
        payload: usize,
        reserved: bool,
    ) -> Option<NonNull<u8>> {
        let cell = self.allocate_bytes(payload, info.is_leaf(), reserved)?;
        // SAFETY: the cell is fresh and has room for the header and the payload.
        unsafe {
            (cell as *mut *const TypeInfo).write(info);
            let payload_at = (cell + crate::mark::HEADER) as *mut u8;
            payload_at.write_bytes(0, payload);
            Some(NonNull::new_unchecked(payload_at))
        }
    }

    /// Whether less than a part in 32 of the limit is free, so that collecting again and again would gain little.
    fn is_nearly_full(&self) -> bool {
        self.live > self.config.limit - self.config.limit / 32
    }

    fn fits(&self, bytes: usize, reserved: bool) -> bool {
        let limit = if reserved { self.config.limit + self.config.reserve } else { self.config.limit };
        self.used.saturating_add(bytes) <= limit
    }

    fn count_used(&mut self, bytes: usize) {
        self.used += bytes;
        self.stats.peak_bytes = self.stats.peak_bytes.max(self.used as u64);
    }

    /// Does what a stress mode asks for at an allocation; false if it fails.
    fn may_allocate(&mut self) -> bool {
        let stress = self.stress;
        if !stress.is_on() {
            return true;
        }
        self.allocations += 1;
        if self.allocations == stress.fail_at {
            return false;
        }
        if stress.collect_every != 0 && self.allocations.is_multiple_of(stress.collect_every) {
            let turn = self.allocations / stress.collect_every;
            self.collect(stress.full || turn.is_multiple_of(4));
        }
        true
    }

    /// An object with `payload` bytes, all 0, without collecting, and whether it is time to collect.
    pub(crate) fn make(&mut self, info: &'static TypeInfo, payload: usize) -> Option<(NonNull<u8>, bool)> {
        let mut is_due = false;
        if self.stress.is_on() {
            self.allocations += 1;
            // Who is told leaves compiled code, of which the rest is to be stressed too.
            let every = MADE_PER_COLLECTION * self.stress.collect_every;
            is_due = self.allocations == self.stress.fail_at
                || every != 0 && self.allocations.is_multiple_of(every);
        }
        let object = self.allocate_zeroed(info, payload, true)?;
        is_due |= self.since >= self.trigger || self.used > self.config.limit;
        if is_due {
            self.is_due = true;
            self.after_reserved();
        }
        Some((object, is_due))
    }

    /// Sees to it that the next allocation that is not from the reserve comes here, and fails if the one before was to fail.
    pub(crate) fn after_reserved(&mut self) {
        self.retire_runs();
        if self.stress.fail_at != 0 && self.allocations == self.stress.fail_at {
            self.stress.fail_at += 1;
        }
    }

    /// Sets a stress mode and counts allocations from 0 on.
    pub(crate) fn set_stress(&mut self, stress: Stress) {
        self.retire_runs();
        self.stress = stress;
        self.allocations = 0;
    }

    /// The cells to hand out: under stress they are kept from [`Hot`], so that each allocation comes here.
    fn run(&mut self, class: usize) -> &mut Run {
        if self.stress.is_on() { &mut self.hidden_runs[class] } else { &mut self.hot.runs[class] }
    }

    fn bump(&mut self, class: usize) -> Option<usize> {
        let run = self.run(class);
        let cell = run.cursor;
        let next = cell + cell_bytes(class);
        if next > run.limit {
            return None;
        }
        run.cursor = next;
        Some(cell)
    }

    /// Finds the next free cells of a class.
    fn next_run(&mut self, class: usize, reserved: bool) -> bool {
        loop {
            let (block, from) = match self.classes[class].current {
                Some(current) => current,
                None => match self.classes[class].sweep.pop() {
                    Some(block) => (block as usize, 0),
                    None if self.fits(BLOCK, reserved) => match self.tracer.space.take_block(class) {
                        Some(block) => {
                            self.count_used(BLOCK);
                            (block, 0)
                        }
                        None => return false,
                    },
                    None => return false,
                },
            };
            let Some((start, stop)) = self.tracer.space.free_run(block, from) else {
                self.classes[class].current = None;
                continue;
            };
            self.classes[class].current = Some((block, stop));
            let address = self.tracer.space.block_address(block);
            *self.run(class) = Run { cursor: address + start * GRANULE, limit: address + stop * GRANULE };
            self.since += (stop - start) * GRANULE;
            return true;
        }
    }

    /// Takes the cells back that were not handed out. Until the next collection they are nothing: sweeping cannot tell the
    /// others of their block, which have no mark yet, from free ones.
    pub(crate) fn retire_runs(&mut self) {
        for class in 0..CLASSES {
            for run in
                [std::mem::take(&mut self.hot.runs[class]), std::mem::take(&mut self.hidden_runs[class])]
            {
                self.tracer.space.retire(run.cursor, run.limit);
            }
        }
    }
}

/// Tells the collector that a reference was written at an address, so that a minor collection finds it.
///
/// It costs a few instructions, and nothing happens for addresses outside the current heap.
#[inline(always)]
pub fn barrier(address: *const u8) {
    let hot = crate::heap::hot();
    // SAFETY: what is current lives; there is a card for each part of its range.
    unsafe {
        let offset = (address as usize).wrapping_sub((*hot).base);
        if offset < (*hot).bytes {
            (*hot).cards.add(offset >> LOG_CARD).write(1);
        }
    }
}

/// [`barrier`], for those who have the address as a number.
#[inline]
pub fn barrier_at(address: usize) {
    barrier(address as *const u8);
}

const _: () = assert!(LOG_BLOCK > LOG_CARD && cell_bytes(0) == GRANULE);
