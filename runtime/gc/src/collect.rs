//! Collections, from beginning to end.
//!
//! In: a heap at an allocation or safe point. Out: the same heap with mark bits on what lives; what died is counted as
//! free, and swept when its class needs cells. Objects never move.
//!
//! Mark bits stay set: in a *minor* collection marked objects count as living and scanned, but for the parts of them on
//! marked cards. So every object that a collection finds alive is old afterwards, no old object refers to a young one, and
//! all cards are clean, save those of objects that ask to be scanned again. A *full* collection forgets all marks first.
//!
//! What happens to the dead: weak references to them are cleared; those with a finalizer are kept for it, with all they
//! refer to; ephemerons whose key is dead even so are cleared; values with something to drop are dropped.

use std::time::Instant;

use crate::heap::{AtDeath, ByAge, POISON, State, WeakPhase};
use crate::mark::{HEADER, Tracer, word_at};
use crate::roots::{in_use, with_registers};
use crate::sizes::{BITMAP, BLOCK, CLASSES, GRANULE};
use crate::space::PAGE;

/// Bytes that must live before a minor collection makes way for a full one.
const FULL_FLOOR: usize = 4 << 20;

impl State {
    /// Collects; a minor collection may turn out a full one.
    #[cold]
    #[inline(never)]
    pub(crate) fn collect(&mut self, full: bool) {
        // What the stack is scanned from is a small frame: those of the collection have places that nobody has set, where an
        // earlier one may have left addresses.
        with_registers(|pointer| self.collect_from(full, pointer));
    }

    #[inline(never)]
    fn collect_from(&mut self, full: bool, pointer: usize) {
        assert!(!self.collecting, "a collection while a collection traces or drops values");
        let start = Instant::now();
        let grown = self.live_full.max(FULL_FLOOR) / 100 * self.growth;
        let full = full || !self.config.generational || self.live > grown;
        let bomb = Bomb;
        self.collecting = true;
        self.is_due = false;
        self.retire_runs();
        self.check("before");
        self.stats.allocated_bytes += self.since as u64;
        self.mark_all(full, pointer);
        self.handle_dead(full);
        self.finish(full);
        self.check("after");
        self.collecting = false;
        if let Some(tell) = self.on_due.as_ref().filter(|_| !self.due.is_empty()) {
            tell();
        }
        std::mem::forget(bomb);
        let time = start.elapsed();
        self.stats.collections += 1;
        self.stats.minor_collections += u64::from(!full);
        self.stats.time += time;
        self.stats.longest = self.stats.longest.max(time);
    }

    fn check(&mut self, when: &str) {
        if self.config.verify
            && let Err(errors) = crate::verify::verify(self)
        {
            panic!("the heap is broken {when} a collection:\n{}", errors.join("\n"));
        }
    }

    fn mark_all(&mut self, full: bool, pointer: usize) {
        let tracer = &mut self.tracer;
        tracer.full = full;
        tracer.again.clear();
        if full {
            for index in 0..tracer.space.top {
                tracer.space.block_mut(index).mark = [0; BITMAP];
            }
            tracer.space.larges.iter_mut().for_each(|large| large.marked = false);
            tracer.space.clean_cards();
        } else {
            tracer.scan_cards();
        }
        tracer.stacks = crate::roots::stacks();
        if self.entered != 0 {
            mark_stack(tracer, pointer, self.stack.end, &self.areas);
        }
        for area in self.areas.iter().filter(|area| !area.is_empty()) {
            // SAFETY: whoever added the area keeps it readable.
            unsafe { tracer.area(in_use(area, pointer)) };
        }
        crate::roots::mark_shown(tracer);
        self.roots.trace(tracer);
        for source in self.sources.iter().flatten() {
            source(tracer);
        }
        crate::roots::mark_stacks(tracer);
        for due in &self.due {
            tracer.mark(due.object);
        }
        tracer.drain();
    }

    /// Has the sources of weak structures mark until nothing more is found.
    fn propagate(&mut self) {
        loop {
            for source in &self.weak_sources {
                source(&mut self.tracer, WeakPhase::Propagate);
            }
            if !self.tracer.has_work() {
                break;
            }
            self.tracer.drain();
        }
    }

    fn weak_phase(&mut self, phase: WeakPhase) {
        for source in &self.weak_sources {
            source(&mut self.tracer, phase);
        }
    }

    fn handle_dead(&mut self, full: bool) {
        self.propagate();
        self.weak_phase(WeakPhase::BeforeFinalizers);
        clear_weak(&mut self.tracer);
        let finalizers = self.finalizers.dead(full, &self.tracer);
        for due in &finalizers {
            self.tracer.mark(due.object);
        }
        self.due.extend(finalizers);
        self.tracer.drain();
        self.propagate();
        self.weak_phase(WeakPhase::Clear);
        clear_weak(&mut self.tracer);
        for cell in std::mem::take(&mut self.tracer.ephemerons) {
            set_word(cell, 0);
        }
        for AtDeath { object, action, data } in self.droppers.dead(full, &self.tracer) {
            // SAFETY: the object is dead, and dropping it follows no reference, as `Trace` demands.
            unsafe { action(object as *mut u8, data) };
        }
    }

    /// Counts what lives, and what can be used again.
    fn finish(&mut self, full: bool) {
        if self.config.poison {
            self.poison();
        }
        let space = &mut self.tracer.space;
        for class in &mut self.classes {
            class.sweep.clear();
            class.current = None;
        }
        space.free_blocks.clear();
        let (mut used, mut live) = (0, 0);
        for index in (0..space.top).rev() {
            let block = space.block_mut(index);
            if block.used {
                block.valid = block.mark;
                let marked = block.marked();
                live += marked as usize * block.stride as usize * GRANULE;
                block.used = marked != 0;
                if marked < block.cells && marked != 0 {
                    self.classes[usize::from(block.class)].sweep.push(index as u32);
                }
            }
            if space.block(index).used {
                used += BLOCK;
            } else {
                space.free_blocks.push(index as u32);
            }
        }
        for index in 0..space.larges.len() {
            let large = &space.larges[index];
            if large.cell == 0 {
            } else if large.marked {
                used += large.pages as usize * PAGE;
                live += large.pages as usize * PAGE;
            } else {
                space.free_large(index);
            }
        }
        for cell in std::mem::take(&mut self.tracer.again) {
            self.tracer.space.dirty(cell);
        }
        (self.used, self.live) = (used, live);
        self.last_was_full = full;
        self.since = 0;
        self.set_trigger();
        if full {
            self.live_full = live;
            // What is likely to be used again before the next full collection stays.
            let room = self.trigger.saturating_mul(2);
            self.tracer.space.release(live.max(FULL_FLOOR).saturating_add(room));
        }
    }

    /// Decides after how many bytes the next collection runs.
    pub(crate) fn set_trigger(&mut self) {
        self.trigger = if self.stopped {
            usize::MAX
        } else if self.config.generational {
            self.config.nursery.max(self.live / 4)
        } else {
            (4 * self.config.nursery).max(self.live)
        };
    }

    fn poison(&mut self) {
        for class in 0..CLASSES {
            debug_assert!(self.hot.runs[class].cursor == 0, "runs are retired");
        }
        let space = &self.tracer.space;
        for index in 0..space.top {
            let block = space.block(index);
            if !block.used {
                continue;
            }
            let stride = block.stride as usize;
            for granule in (0..block.cells as usize * stride).step_by(stride) {
                if block.mark[granule / 64] >> (granule % 64) & 1 == 0 {
                    let cell = space.block_address(index) + granule * GRANULE;
                    // SAFETY: a cell of the heap in which no object lives.
                    unsafe { (cell as *mut u8).write_bytes(POISON, stride * GRANULE) };
                }
            }
        }
        for large in space.larges.iter().filter(|large| large.cell != 0 && !large.marked) {
            // SAFETY: as above.
            unsafe { (large.cell as *mut u8).write_bytes(POISON, large.pages as usize * PAGE) };
        }
    }
}

/// Ends the process if a collection is left by a panic: half-done, the heap is not one.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        eprintln!("a panic while a collection traced or dropped values");
        std::process::abort();
    }
}

/// Visits the words on the native stack, unless `pointer` is in an area that was added: then it is on another stack.
fn mark_stack(tracer: &mut Tracer, pointer: usize, start: usize, areas: &[std::ops::Range<usize>]) {
    let elsewhere = areas.iter().any(|area| area.contains(&pointer));
    if !elsewhere && pointer < start {
        // SAFETY: the stack is readable from its pointer up to where it begins.
        unsafe { tracer.area(pointer..start) };
    }
}

fn clear_weak(tracer: &mut Tracer) {
    for cell in std::mem::take(&mut tracer.weak) {
        if !tracer.space.is_marked(word_at(cell, 0)) {
            set_word(cell, 0);
        }
    }
}

/// Sets the first word of an object's payload.
fn set_word(cell: usize, value: usize) {
    // SAFETY: only for weak references and ephemerons, which begin with a word.
    unsafe { ((cell + HEADER) as *mut usize).write(value) };
}

impl ByAge {
    /// Takes the entries of objects without a mark; the others are old from here on.
    fn dead(&mut self, full: bool, tracer: &Tracer) -> Vec<AtDeath> {
        let mut dead = Vec::new();
        let mut lives = |entry: &AtDeath| {
            let marked = tracer.space.is_marked(entry.object);
            if !marked {
                dead.push(*entry);
            }
            marked
        };
        if full {
            self.old.retain(&mut lives);
        }
        self.young.retain(&mut lives);
        self.old.append(&mut self.young);
        dead
    }
}
