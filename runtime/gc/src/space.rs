//! The memory of a heap: where objects lie, their mark bits, and which address belongs to which object.
//!
//! In: demands for blocks of cells and for runs of pages. Out: memory, and the answer to "which object is this address
//! in". It knows nothing of types, roots or when to collect.
//!
//! One range of addresses is reserved: blocks of cells of one size first, then pages for large objects. Beside it lie a
//! record for each block, a number for each page, and a card of one byte for each [`CARD`] bytes of the range. Memory of
//! the operating system is used from the first touch on, so a reservation costs nothing.
//!
//! An object's *cell* starts with a header word (the address of its `TypeInfo`); a reference points behind it.

use std::collections::BTreeMap;
use std::ptr;

use crate::sizes::{BITMAP, BLOCK, BLOCK_GRANULES, GRANULE, LOG_BLOCK, STARTS, cell_bytes};

/// Bytes that a card stands for.
pub const CARD: usize = 1 << LOG_CARD;
pub const LOG_CARD: usize = 9;
/// Cards of a block.
pub const BLOCK_CARDS: usize = BLOCK / CARD;
/// Bytes of a page, the unit of large objects.
pub const PAGE: usize = 4096;
/// Address space for large objects, in multiples of the limit: room for fragmentation.
const LARGE_FACTOR: usize = 4;

/// What is known of a block.
#[repr(C)]
pub struct Block {
    /// The objects that are known to live, by the granule at which they start.
    pub mark: [u64; BITMAP],
    /// The granules at which objects start. While a class bumps through free cells, all of these count.
    pub valid: [u64; BITMAP],
    pub used: bool,
    pub class: u8,
    /// Granules of a cell.
    pub stride: u32,
    /// 2^32 divided by `stride`, rounded up: multiplying by it divides exactly.
    reciprocal: u32,
    pub cells: u32,
}

/// A large object.
pub struct Large {
    /// The address of its cell; 0 if the record is free.
    pub cell: usize,
    pub pages: u32,
    pub marked: bool,
    /// Whether another object has taken its place: its memory goes back to the system with it.
    pub is_replaced: bool,
}

/// A mapping of zeroed memory that is touched when it is used.
struct Mapping {
    address: usize,
    bytes: usize,
}

impl Mapping {
    fn new(bytes: usize) -> std::io::Result<Mapping> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping touches nothing that exists.
        let address =
            unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        Ok(Mapping { address: address as usize, bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, and whoever drops it gives up all that lies in it.
        unsafe { libc::munmap(self.address as *mut _, self.bytes) };
    }
}

pub struct Space {
    /// The first address.
    pub base: usize,
    /// Bytes of the range, small and large.
    pub bytes: usize,
    /// Blocks that were ever used.
    pub top: usize,
    max_blocks: usize,
    pub free_blocks: Vec<u32>,
    blocks: *mut Block,
    pub cards: *mut u8,
    /// For each page of the large part, 1 + the index of its object.
    page_owner: *mut u32,
    large_base: usize,
    max_pages: usize,
    /// Pages of the large part that were ever used.
    large_top: usize,
    /// Free runs of pages below `large_top`: length by first page.
    free_pages: BTreeMap<usize, usize>,
    pub larges: Vec<Large>,
    free_larges: Vec<u32>,
    _mappings: [Mapping; 4],
}

impl Space {
    /// Address space for `limit` bytes of objects.
    pub fn new(limit: usize) -> std::io::Result<Space> {
        let max_blocks = limit.div_ceil(BLOCK);
        let small = max_blocks * BLOCK;
        let large = (limit.max(1 << 20) * LARGE_FACTOR).next_multiple_of(BLOCK);
        let bytes = small + large;
        let memory = Mapping::new(bytes + BLOCK)?;
        let blocks = Mapping::new(max_blocks * size_of::<Block>())?;
        let cards = Mapping::new(bytes / CARD)?;
        let pages = Mapping::new(large / PAGE * size_of::<u32>())?;
        let base = memory.address.next_multiple_of(BLOCK);
        Ok(Space {
            base,
            bytes,
            top: 0,
            max_blocks,
            free_blocks: Vec::new(),
            blocks: blocks.address as *mut Block,
            cards: cards.address as *mut u8,
            page_owner: pages.address as *mut u32,
            large_base: base + small,
            max_pages: large / PAGE,
            large_top: 0,
            free_pages: BTreeMap::new(),
            larges: Vec::new(),
            free_larges: Vec::new(),
            _mappings: [memory, blocks, cards, pages],
        })
    }

    /// The record of a block that was used.
    #[inline(always)]
    pub fn block(&self, index: usize) -> &Block {
        debug_assert!(index < self.top);
        // SAFETY: blocks below `top` have records, and zeroed memory is a valid one.
        unsafe { &*self.blocks.add(index) }
    }

    /// The record of a block that was used.
    #[inline(always)]
    pub fn block_mut(&mut self, index: usize) -> &mut Block {
        debug_assert!(index < self.top);
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { &mut *self.blocks.add(index) }
    }

    /// The address of a block.
    pub fn block_address(&self, index: usize) -> usize {
        self.base + (index << LOG_BLOCK)
    }

    /// A block for cells of a class, with no cell in use.
    pub fn take_block(&mut self, class: usize) -> Option<usize> {
        let index = match self.free_blocks.pop() {
            Some(index) => index as usize,
            None if self.top < self.max_blocks => {
                self.top += 1;
                self.top - 1
            }
            None => return None,
        };
        let stride = (cell_bytes(class) / GRANULE) as u32;
        *self.block_mut(index) = Block {
            mark: [0; BITMAP],
            valid: [0; BITMAP],
            used: true,
            class: class as u8,
            stride,
            reciprocal: ((1u64 << 32).div_ceil(u64::from(stride)) & 0xFFFF_FFFF) as u32,
            cells: BLOCK_GRANULES as u32 / stride,
        };
        Some(index)
    }

    /// The run of unmarked cells in a block at granule `from` or behind it, in granules; its cells become valid.
    pub fn free_run(&mut self, index: usize, from: usize) -> Option<(usize, usize)> {
        let block = self.block_mut(index);
        let stride = block.stride as usize;
        let end = block.cells as usize * stride;
        let mut start = from;
        while start < end && block.mark[start / 64] >> (start % 64) & 1 != 0 {
            start += stride;
        }
        if start >= end {
            return None;
        }
        let mut word = start / 64;
        let mut bits = block.mark[word] & (!0 << (start % 64));
        while bits == 0 && word + 1 < BITMAP {
            word += 1;
            bits = block.mark[word];
        }
        let stop = if bits == 0 { end } else { word * 64 + bits.trailing_zeros() as usize };
        let starts = &STARTS[usize::from(block.class) / 2];
        for word in start / 64..=(stop - 1) / 64 {
            block.valid[word] |= starts[word] & granule_mask(word, start, stop);
        }
        Some((start, stop))
    }

    /// Takes back that the cells in an area of a block are objects: they were never handed out.
    pub fn retire(&mut self, from: usize, to: usize) {
        if from >= to {
            return;
        }
        let offset = from - self.base;
        let start = (offset % BLOCK) / GRANULE;
        let stop = start + (to - from) / GRANULE;
        let block = self.block_mut(offset >> LOG_BLOCK);
        for word in start / 64..=(stop - 1) / 64 {
            block.valid[word] &= !granule_mask(word, start, stop);
        }
    }

    /// Pages for a large object; the memory holds what was there before.
    pub fn take_pages(&mut self, bytes: usize) -> Option<usize> {
        let pages = bytes.div_ceil(PAGE);
        let fit =
            self.free_pages.iter().find(|&(_, &length)| length >= pages).map(|(&at, &length)| (at, length));
        let first = match fit {
            Some((at, length)) => {
                self.free_pages.remove(&at);
                if length > pages {
                    self.free_pages.insert(at + pages, length - pages);
                }
                at
            }
            None if self.max_pages - self.large_top >= pages => {
                self.large_top += pages;
                self.large_top - pages
            }
            None => return None,
        };
        let cell = self.large_base + first * PAGE;
        let record = Large { cell, pages: u32::try_from(pages).ok()?, marked: false, is_replaced: false };
        let index = match self.free_larges.pop() {
            Some(index) => {
                self.larges[index as usize] = record;
                index as usize
            }
            None => {
                self.larges.push(record);
                self.larges.len() - 1
            }
        };
        self.own_pages(first, pages, index as u32 + 1);
        Some(cell)
    }

    fn own_pages(&mut self, first: usize, pages: usize, owner: u32) {
        debug_assert!(first + pages <= self.max_pages);
        for page in first..first + pages {
            // SAFETY: there is an entry for each of the `max_pages` pages.
            unsafe { self.page_owner.add(page).write(owner) };
        }
    }

    /// Has a large object have `pages` pages, more than before, if those behind it are free.
    pub fn extend(&mut self, index: usize, pages: usize) -> bool {
        let Large { cell, pages: before, .. } = self.larges[index];
        let (end, Ok(total)) = ((cell - self.large_base) / PAGE + before as usize, u32::try_from(pages))
        else {
            return false;
        };
        let more = pages - before as usize;
        let free = self.free_pages.get(&end).copied().unwrap_or(0);
        let fresh = more.saturating_sub(free);
        if fresh > 0 && (end + free != self.large_top || self.max_pages - self.large_top < fresh) {
            return false;
        }
        self.free_pages.remove(&end);
        self.large_top += fresh;
        if free > more {
            self.free_pages.insert(end + more, free - more);
        }
        self.own_pages(end, more, index as u32 + 1);
        self.larges[index].pages = total;
        true
    }

    /// Gives the pages of a large object back.
    pub fn free_large(&mut self, index: usize) {
        let Large { cell, pages, is_replaced, .. } = self.larges[index];
        if is_replaced {
            discard(cell, pages as usize * PAGE);
        }
        self.larges[index] = Large { cell: 0, pages: 0, marked: false, is_replaced: false };
        self.free_larges.push(index as u32);
        let (mut first, mut length) = ((cell - self.large_base) / PAGE, pages as usize);
        self.own_pages(first, length, 0);
        if let Some(next) = self.free_pages.remove(&(first + length)) {
            length += next;
        }
        if let Some((&at, &before)) = self.free_pages.range(..first).next_back()
            && at + before == first
        {
            self.free_pages.remove(&at);
            (first, length) = (at, before + length);
        }
        self.free_pages.insert(first, length);
    }

    /// Gives the memory of free blocks and pages back to the system, but for `keep` bytes.
    pub fn release(&mut self, keep: usize) {
        // The last of the list are used first.
        let count = self.free_blocks.len().saturating_sub(keep / BLOCK);
        for &index in &self.free_blocks[..count] {
            discard(self.block_address(index as usize), BLOCK);
        }
        let mut kept = (self.free_blocks.len() - count) * BLOCK;
        for (&first, &length) in &self.free_pages {
            kept += length * PAGE;
            if kept > keep {
                discard(self.large_base + first * PAGE, length * PAGE);
            }
        }
    }

    /// Whether an address is in the range in which objects lie.
    #[inline(always)]
    pub fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.bytes
    }

    /// Whether an address lies in the heap's part of the address space.
    #[inline(always)]
    pub fn may_contain(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.bytes
    }

    /// The cell of the object that an address lies in, if it lies in one.
    #[inline(always)]
    pub fn find(&self, address: usize) -> Option<usize> {
        let offset = address.wrapping_sub(self.base);
        if offset >= self.bytes {
            return None;
        }
        let index = offset >> LOG_BLOCK;
        if index >= self.top {
            return self.find_large(address);
        }
        let block = self.block(index);
        if !block.used {
            return None;
        }
        let granule = block.cell_start((offset % BLOCK) / GRANULE);
        if block.valid[granule / 64] >> (granule % 64) & 1 == 0 {
            return None;
        }
        Some(self.block_address(index) + granule * GRANULE)
    }

    fn find_large(&self, address: usize) -> Option<usize> {
        self.large_at(address).map(|index| self.larges[index].cell)
    }

    /// The index of the large object that an address of the range lies in.
    pub fn large_at(&self, address: usize) -> Option<usize> {
        let page = address.checked_sub(self.large_base)? / PAGE;
        if page >= self.large_top {
            return None;
        }
        // SAFETY: there is an entry for each page.
        let owner = unsafe { self.page_owner.add(page).read() };
        owner.checked_sub(1).map(|index| index as usize)
    }

    /// Whether the object that a reference points to is marked.
    #[inline(always)]
    pub fn is_marked(&self, reference: usize) -> bool {
        let offset = reference.wrapping_sub(self.base);
        let index = offset >> LOG_BLOCK;
        if index < self.top {
            let granule = (offset % BLOCK) / GRANULE;
            self.block(index).mark[granule / 64] >> (granule % 64) & 1 != 0
        } else {
            self.large_at(reference).is_some_and(|index| self.larges[index].marked)
        }
    }

    /// The bytes of a cell.
    pub fn bytes_of(&self, cell: usize) -> usize {
        let index = (cell - self.base) >> LOG_BLOCK;
        if index < self.top {
            self.block(index).stride as usize * GRANULE
        } else {
            self.large_at(cell).map_or(0, |index| self.larges[index].pages as usize * PAGE)
        }
    }

    /// Marks a card, or does nothing if the address is not in the range.
    #[inline(always)]
    pub fn dirty(&mut self, address: usize) {
        let offset = address.wrapping_sub(self.base);
        if offset < self.bytes {
            // SAFETY: there is a card for each part of the range.
            unsafe { self.cards.add(offset >> LOG_CARD).write(1) };
        }
    }

    /// Whether a card is marked on which a byte of the area lies.
    pub fn is_dirty(&self, from: usize, to: usize) -> bool {
        let cards = (from - self.base) >> LOG_CARD..=(to - 1 - self.base) >> LOG_CARD;
        // SAFETY: there is a card for each part of the range.
        cards.into_iter().any(|card| unsafe { self.cards.add(card).read() } != 0)
    }

    /// Cleans the cards of all memory in use.
    pub fn clean_cards(&mut self) {
        // SAFETY: there are cards for the whole range.
        unsafe { self.cards.write_bytes(0, self.top * BLOCK_CARDS) };
        for large in self.larges.iter().filter(|large| large.cell != 0) {
            let first = (large.cell - self.base) >> LOG_CARD;
            // SAFETY: as above.
            unsafe { self.cards.add(first).write_bytes(0, large.pages as usize * PAGE / CARD) };
        }
    }

    /// Takes the marked cards among `count` cards (a multiple of 8) from the one of `address` on: calls `found` with
    /// the address that a marked card starts at, and cleans it.
    pub fn take_cards(&mut self, address: usize, count: usize, found: &mut Vec<usize>) {
        let first = (address - self.base) >> LOG_CARD;
        for group in (first..first + count).step_by(8) {
            // SAFETY: there are cards for the whole range; the groups are aligned, as blocks and pages are.
            let cards = unsafe { &mut *self.cards.add(group).cast::<[u8; 8]>() };
            if u64::from_ne_bytes(*cards) == 0 {
                continue;
            }
            for (index, card) in cards.iter_mut().enumerate() {
                if std::mem::take(card) != 0 {
                    found.push(self.base + ((group + index) << LOG_CARD));
                }
            }
        }
    }
}

impl Block {
    /// The granule at which the cell starts that has a granule.
    #[inline(always)]
    pub fn cell_start(&self, granule: usize) -> usize {
        if self.stride == 1 {
            return granule;
        }
        let cell = (granule as u64 * u64::from(self.reciprocal)) >> 32;
        cell as usize * self.stride as usize
    }

    /// Whether its objects hold no references.
    #[inline(always)]
    pub fn is_leaf(&self) -> bool {
        self.class & 1 != 0
    }

    pub fn marked(&self) -> u32 {
        self.mark.iter().map(|word| word.count_ones()).sum()
    }
}

/// The bits of word `word` of a bitmap that stand for granules from `start` to `stop`.
fn granule_mask(word: usize, start: usize, stop: usize) -> u64 {
    let low = start.saturating_sub(word * 64).min(64);
    let high = stop.saturating_sub(word * 64).min(64);
    let below = |bit: usize| if bit == 64 { !0 } else { (1u64 << bit) - 1 };
    below(high) & !below(low)
}

/// Gives memory back to the system; it reads as 0 afterwards.
fn discard(address: usize, bytes: usize) {
    // SAFETY: the memory is the heap's, and nothing lives in it.
    unsafe { libc::madvise(address as *mut _, bytes, libc::MADV_DONTNEED) };
}
