//! Marking: from references to the objects that live.
//!
//! In: references (precise, from traced values), and words and areas of memory that may hold some (conservative). Out: mark
//! bits; the weak references and ephemerons whose target has no mark yet; the objects that must be looked at again. An
//! object that is marked is scanned once, by [`Tracer::drain`]; in a minor collection those marked before count as scanned.
//!
//! The same walk lists the references of a value without marking, for the verifier and for checks of debug builds.

use std::collections::HashMap;
use std::ops::Range;

use crate::sizes::{BLOCK, GRANULE, LOG_BLOCK};
use crate::space::{BLOCK_CARDS, CARD, PAGE, Space};
use crate::types::{Kind, TraceFn, TypeInfo};

/// Bytes of an object's header.
pub(crate) const HEADER: usize = 8;

/// What finds the references in values: handed to [`Trace::trace`](crate::Trace::trace).
pub struct Tracer {
    pub(crate) space: Space,
    /// Cells that are marked and not scanned.
    stack: Vec<usize>,
    /// Weak references, by cell, whose target was not marked when they were scanned.
    pub(crate) weak: Vec<usize>,
    /// Ephemerons, by cell, whose key was not marked when they were scanned.
    pub(crate) ephemerons: Vec<usize>,
    /// If not empty, marking looks here for ephemerons by the cell of their key.
    waiting: HashMap<usize, Vec<usize>>,
    /// Whether leaves are scanned too, because of `waiting`.
    watch: bool,
    /// The object that is scanned; 0 for a root.
    current: usize,
    /// Cells to scan in the next minor collection whatever happens.
    pub(crate) again: Vec<usize>,
    /// References are listed here instead of marked.
    list: Option<Vec<usize>>,
    pub(crate) pointer_mask: usize,
    /// Stacks that are visited as far as roots hold addresses in them.
    pub(crate) stacks: crate::roots::Stacks,
    /// Memory to use again.
    cards: Vec<usize>,
    /// Whether the collection, or the last one, is a full one.
    pub(crate) full: bool,
}

impl Tracer {
    pub(crate) fn new(space: Space, pointer_mask: usize) -> Tracer {
        Tracer {
            space,
            stack: Vec::new(),
            weak: Vec::new(),
            ephemerons: Vec::new(),
            waiting: HashMap::new(),
            watch: false,
            current: 0,
            again: Vec::new(),
            list: None,
            pointer_mask,
            stacks: Default::default(),
            cards: Vec::new(),
            full: false,
        }
    }

    /// Whether all objects are marked anew, in contrast to a minor collection, in which those that lived before do.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Visits a reference.
    #[inline]
    pub fn reference<T>(&mut self, reference: crate::Gc<T>) {
        self.visit(reference.address());
    }

    /// Visits a word that may be a reference, an address in an object, or one of them under the heap's pointer mask.
    pub fn word(&mut self, word: u64) {
        let word = word as usize;
        if let Some(cell) = self.space.find(word) {
            self.visit(cell + HEADER);
        }
        let masked = word & self.pointer_mask;
        if masked != word
            && let Some(cell) = self.space.find(masked)
        {
            self.visit(cell + HEADER);
        }
    }

    /// Marks an object without looking into it: what it refers to may die. References written to it later, by cells with a
    /// barrier, may be looked at in minor collections.
    pub fn shallow<T>(&mut self, reference: crate::Gc<T>) {
        if let Some(list) = &mut self.list {
            return list.push(reference.address());
        }
        let stacked = self.stack.len();
        self.mark(reference.address());
        self.stack.truncate(stacked);
    }

    /// Whether an object is known to live: in collections only.
    pub fn is_marked<T>(&self, reference: crate::Gc<T>) -> bool {
        self.space.is_marked(reference.address())
    }

    /// Whether the object of this address is known to live: in collections only.
    pub fn is_marked_at(&self, address: usize) -> bool {
        self.space.is_marked(address)
    }

    /// Whether this walk marks, in contrast to one that lists the references of an object for checks.
    pub fn is_marking(&self) -> bool {
        self.list.is_none()
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.stack.is_empty()
    }

    /// Has the object that is being traced be scanned in the next minor collection too, although no card is marked.
    pub fn rescan(&mut self) {
        if self.current != 0 && self.list.is_none() {
            self.again.push(self.current);
        }
    }

    /// Tells that a cell with a barrier lies at an address: outside the heap the barrier finds no card.
    #[doc(hidden)]
    #[inline]
    pub fn cell_at(&mut self, address: usize) {
        if !self.space.contains(address) {
            self.rescan();
        }
    }

    #[inline(always)]
    pub(crate) fn visit(&mut self, reference: usize) {
        match &mut self.list {
            None => self.mark(reference),
            Some(list) => list.push(reference),
        }
    }

    #[inline(always)]
    pub(crate) fn mark(&mut self, reference: usize) {
        let offset = reference.wrapping_sub(self.space.base);
        let index = offset >> LOG_BLOCK;
        if index >= self.space.top {
            return self.mark_large(reference);
        }
        let watch = self.watch;
        let block = self.space.block_mut(index);
        let granule = (offset % BLOCK) / GRANULE;
        debug_assert!(
            block.used && block.valid[granule / 64] >> (granule % 64) & 1 != 0,
            "a reference to what is no object: {reference:#x}"
        );
        let bit = 1 << (granule % 64);
        if block.mark[granule / 64] & bit != 0 {
            return;
        }
        block.mark[granule / 64] |= bit;
        if block.is_leaf() && !watch {
            return;
        }
        let cell = reference & !(GRANULE - 1);
        prefetch(cell);
        self.stack.push(cell);
    }

    fn mark_large(&mut self, reference: usize) {
        let index = self.space.large_at(reference);
        debug_assert!(index.is_some(), "a reference to what is no object: {reference:#x}");
        let Some(index) = index else { return };
        let large = &mut self.space.larges[index];
        if !std::mem::replace(&mut large.marked, true) {
            self.stack.push(large.cell);
        }
    }

    /// Visits all words in an area of memory.
    ///
    /// # Safety
    /// The area can be read.
    pub unsafe fn area(&mut self, area: Range<usize>) {
        const GROUP: usize = 8;
        let mut address = area.start.next_multiple_of(8);
        while address + 8 <= area.end {
            // Most of a trace frame or of a deep stack's slack is 0.
            // SAFETY: as below.
            let word = |n: usize| unsafe { (address as *const u64).add(n).read_volatile() };
            if address + 8 * GROUP <= area.end && (0..GROUP).all(|n| word(n) == 0) {
                address += 8 * GROUP;
                continue;
            }
            // SAFETY: the area can be read. Others may write it at the same time only if they are suspended.
            let word = unsafe { (address as *const u64).read_volatile() };
            self.stacks.note(word as usize);
            if self.space.may_contain(word as usize)
                || self.space.may_contain(word as usize & self.pointer_mask)
            {
                self.word(word);
            }
            address += 8;
        }
    }

    /// Scans what is marked until nothing more is found, ephemerons with marked keys included.
    pub(crate) fn drain(&mut self) {
        self.drain_stack();
        if self.ephemerons.is_empty() {
            return;
        }
        // From here on the object that a key is leads to its ephemerons, so that the time is linear.
        for cell in std::mem::take(&mut self.ephemerons) {
            self.wait(cell);
        }
        self.watch = true;
        self.drain_stack();
        self.watch = false;
        self.ephemerons.extend(std::mem::take(&mut self.waiting).into_values().flatten());
    }

    /// Scans an ephemeron, or keeps it until its key is marked.
    fn wait(&mut self, cell: usize) {
        let key = word_at(cell, 0);
        if key == 0 {
            return;
        }
        if self.space.is_marked(key) {
            self.scan(cell);
        } else {
            self.waiting.entry(key & !(GRANULE - 1)).or_default().push(cell);
        }
    }

    fn drain_stack(&mut self) {
        // A short queue in front of the stack, so that what was prefetched has time to arrive.
        const QUEUE: usize = 8;
        let mut queue = [0; QUEUE];
        let (mut next, mut queued) = (0, 0);
        loop {
            let pushed = self.stack.pop().unwrap_or(0);
            if pushed != 0 {
                queued += 1;
            } else if queued == 0 {
                break;
            }
            let cell = std::mem::replace(&mut queue[next], pushed);
            next = (next + 1) % QUEUE;
            if cell == 0 {
                continue;
            }
            queued -= 1;
            self.scan(cell);
            if self.watch {
                if let Some(keyed) = self.waiting.remove(&cell) {
                    keyed.into_iter().for_each(|cell| self.scan(cell));
                }
                for cell in std::mem::take(&mut self.ephemerons) {
                    self.wait(cell);
                }
            }
        }
    }

    /// Visits the references of an object.
    #[inline(always)]
    pub(crate) fn scan(&mut self, cell: usize) {
        self.scan_between(cell, 0, usize::MAX);
    }

    /// Visits the references of an object; of its elements only those that lie in an area.
    #[inline(always)]
    fn scan_between(&mut self, cell: usize, from: usize, to: usize) {
        let info = info_of(cell);
        let payload = cell + HEADER;
        match info.kind {
            Kind::Words(mut mask) => {
                while mask != 0 {
                    self.visit_word(payload + mask.trailing_zeros() as usize * 8);
                    mask &= mask - 1;
                }
            }
            Kind::Elements { words: 1, .. } => {
                for index in elements(cell, 8, from, to) {
                    self.visit_word(payload + 8 + index * 8);
                }
            }
            Kind::Elements { words, mask } => {
                for index in elements(cell, words * 8, from, to) {
                    let mut mask = mask;
                    while mask != 0 {
                        let word = index * words + mask.trailing_zeros() as usize;
                        self.visit_word(payload + 8 + word * 8);
                        mask &= mask - 1;
                    }
                }
            }
            Kind::Traced => self.call(info.trace, cell, payload),
            Kind::TracedElements { bytes } => {
                for index in elements(cell, bytes, from, to) {
                    self.call(info.trace, cell, payload + 8 + index * bytes);
                }
            }
            Kind::Weak => {
                let target = word_at(cell, 0);
                if self.list.is_none() && target != 0 && !self.space.is_marked(target) {
                    self.weak.push(cell);
                }
            }
            Kind::Ephemeron => self.scan_ephemeron(info, cell),
        }
    }

    #[cold]
    fn scan_ephemeron(&mut self, info: &TypeInfo, cell: usize) {
        let key = word_at(cell, 0);
        if key == 0 {
        } else if self.space.is_marked(key) || self.list.is_some() {
            self.call(info.trace, cell, cell + HEADER + 8);
        } else {
            self.ephemerons.push(cell);
        }
    }

    #[inline(always)]
    fn visit_word(&mut self, address: usize) {
        // SAFETY: the shape of the object's type says that a word is here.
        let reference = unsafe { (address as *const usize).read() };
        if reference != 0 {
            self.visit(reference);
        }
    }

    #[inline(always)]
    fn call(&mut self, trace: TraceFn, cell: usize, at: usize) {
        self.current = cell;
        // SAFETY: the object's descriptor says that what `trace` is for lies there.
        unsafe { trace(at as *const u8, self) };
        self.current = 0;
    }

    /// Scans what lies on marked cards among the objects that were marked before, and cleans the cards.
    pub(crate) fn scan_cards(&mut self) {
        let mut cards = std::mem::take(&mut self.cards);
        for index in 0..self.space.top {
            let block = self.space.block(index);
            if !block.used || block.is_leaf() {
                continue;
            }
            let address = self.space.block_address(index);
            self.space.take_cards(address, BLOCK_CARDS, &mut cards);
            for card in cards.drain(..) {
                self.scan_card(index, card);
            }
        }
        for index in 0..self.space.larges.len() {
            let (cell, pages) = (self.space.larges[index].cell, self.space.larges[index].pages as usize);
            if cell == 0 {
                continue;
            }
            self.space.take_cards(cell, pages * PAGE / CARD, &mut cards);
            for card in cards.drain(..) {
                if self.space.larges[index].marked {
                    self.scan_between(cell, card, card + CARD);
                }
            }
        }
        self.cards = cards;
    }

    fn scan_card(&mut self, index: usize, card: usize) {
        let first = (card % BLOCK) / GRANULE;
        let block = self.space.block(index);
        let (stride, mut granule) = (block.stride as usize, block.cell_start(first));
        let end = (first + CARD / GRANULE).min(block.cells as usize * stride);
        while granule < end {
            if self.space.block(index).mark[granule / 64] >> (granule % 64) & 1 != 0 {
                let cell = self.space.block_address(index) + granule * GRANULE;
                self.scan_between(cell, card, card + CARD);
            }
            granule += stride;
        }
    }

    /// The references that `walk` visits, without marking them.
    pub(crate) fn listed(&mut self, walk: impl FnOnce(&mut Tracer)) -> Vec<usize> {
        let before = self.list.replace(Vec::new());
        walk(self);
        std::mem::replace(&mut self.list, before).unwrap_or_default()
    }
}

/// The descriptor of an object.
#[inline(always)]
pub(crate) fn info_of(cell: usize) -> &'static TypeInfo {
    // SAFETY: the header of an object is the address of a descriptor, which is static.
    unsafe { &**(cell as *const *const TypeInfo) }
}

/// A word of an object's payload.
#[inline(always)]
pub(crate) fn word_at(cell: usize, index: usize) -> usize {
    // SAFETY: only asked of objects whose type has that word.
    unsafe { ((cell + HEADER) as *const usize).add(index).read() }
}

/// The elements of an object, each of `bytes` bytes, that lie in an area, be it in part.
#[inline(always)]
fn elements(cell: usize, bytes: usize, from: usize, to: usize) -> Range<usize> {
    let (start, length) = (cell + HEADER + 8, word_at(cell, 0));
    if from <= start && to == usize::MAX || bytes == 0 {
        return 0..length;
    }
    let first = from.saturating_sub(start) / bytes;
    first..to.saturating_sub(start).div_ceil(bytes).min(length)
}

#[inline(always)]
fn prefetch(address: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address as *const i8);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
