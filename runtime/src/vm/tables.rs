//! What a VM knows by owner, by trace and by guard.
//!
//! - An [`Owner`] has a [`LoopCell`] for each portal and key (its other greens) that was seen: counter, and the entry into
//!   compiled code.
//! - A [`Tree`] is a trace that starts at a merge point, with all its bridges. It is valid or not as a whole: it registers
//!   with each owner whose content was folded into any of its traces, and with each tree that it jumps into.
//! - A [`Guard`] knows how to rebuild the activations where it stands.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use metatrace_backend::{CodeId, PartStart};
use metatrace_defs::inst::Operand;
use metatrace_defs::jitcode::PortalId;
use metatrace_defs::param::Params;
use metatrace_defs::{Abort, JitCodeId};
use metatrace_trace::{GuardId, KnownWord, OpenPortal, Opnd, TargetId, Trace, Virtual};
use smallvec::SmallVec;

use super::owner::OwnerId;
use super::{VmState, stats};
use crate::record::Root;
use crate::rt::ProgramGlue;

metatrace_defs::entity! {
    /// A trace that starts at a merge point, with its bridges.
    TreeId = "tree"
}

metatrace_defs::entity! {
    /// Trees that were compiled as one.
    RegionId = "region"
}

/// A portal of a program.
#[derive(Clone, Copy, Debug)]
pub struct Home {
    pub program: &'static ProgramGlue,
    pub portal: PortalId,
}

/// A portal and the greens that are not the owner. The portal is known by the address of its program's glue and its number.
pub type Key = (usize, PortalId, SmallVec<[u64; 2]>);

/// What is known of a place where loops may start.
#[derive(Debug, Default)]
pub struct LoopCell {
    /// The compiled code to enter here.
    pub entry: Cell<Option<Entry>>,
    /// Whether this place is being recorded.
    pub recording: Cell<bool>,
    /// Decides when to record.
    pub heat: Heat,
    /// By what calls between traces call it, if there are any.
    pub called: Cell<Option<TargetId>>,
    /// Whether calls of it are not looked inside, as traces became too long by them.
    pub not_inlined: Cell<bool>,
    /// How many loops were begun here because a bridge came back.
    pub retraced: Cell<u64>,
}

/// Compiled code that is entered at a merge point.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub tree: TreeId,
    pub code: CodeId,
    /// Where other traces jump to.
    pub target: TargetId,
    /// Whether it is a loop, and not what a function does from its beginning on.
    pub is_loop: bool,
}

/// A counter that decides when a place is recorded: it decays, backs off after each failure, and gives up.
#[derive(Debug, Default)]
pub struct Heat {
    count: Cell<u64>,
    epoch: Cell<u64>,
    aborts: Cell<u32>,
}

impl Heat {
    /// Counts one pass at time `epoch` (in halvings): whether the place is to be recorded now. Failed attempts double
    /// the threshold; `max_aborts` of them end the attempts.
    pub fn pass(&self, threshold: u64, epoch: u64, max_aborts: u64) -> bool {
        if u64::from(self.aborts.get()) >= max_aborts {
            return false;
        }
        let halvings = epoch - self.epoch.replace(epoch);
        let count = self.count.get().checked_shr(halvings.min(64) as u32).unwrap_or(0) + 1;
        let hot = count >= threshold.saturating_mul(1 << self.aborts.get().min(32));
        self.count.set(if hot { 0 } else { count });
        hot
    }

    /// Notes a failed attempt: whether it was the last.
    pub fn failed(&self, max_aborts: u64) -> bool {
        self.aborts.set(self.aborts.get() + 1);
        u64::from(self.aborts.get()) == max_aborts
    }
}

/// Where the value of a register comes from when a guard failed.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A value slot of the trace frame.
    Slot(u32),
    /// A constant, by its bits.
    Const(u64),
    /// One of the guard's virtuals.
    Virtual(u32),
}

/// An activation that a failing guard leaves open.
#[derive(Debug)]
pub struct GuardFrame {
    pub jitcode: JitCodeId,
    pub pc: u32,
    pub locals: u32,
    pub registers: Vec<(Operand, Source)>,
}

/// A guard of compiled code.
#[derive(Debug)]
pub struct Guard {
    /// The tree it belongs to.
    pub tree: TreeId,
    /// The portal of the outermost activation.
    pub home: Home,
    /// The activations, outermost first.
    pub frames: Vec<GuardFrame>,
    /// What they hold that nothing else holds.
    pub virtuals: Vec<Virtual<Source>>,
    /// Merge points passed before it that compiled code has not counted.
    pub merge_points: u32,
    /// Constants in local memory.
    pub known: Vec<KnownWord>,
    /// Portals that are open.
    pub open: Arc<[OpenPortal]>,
    /// Whether a bridge from here is being recorded.
    pub recording: Cell<bool>,
    /// Decides when to record.
    pub heat: Heat,
    /// Whether it stands before the label of its loop, so that it fails in the first passage only.
    pub is_early: bool,
    /// How often it failed when it was the last guard that had failed.
    pub repeats: Cell<u64>,
    /// The word that makes the guard fail once, by its address.
    pub flag: Option<u64>,
}

/// A trace as it was compiled.
#[derive(Debug)]
pub struct Part {
    pub trace: Trace,
    pub guards: Vec<GuardId>,
    pub start: PartStart,
    /// Keeps the objects alive that constants of the trace may be references to.
    pub _constants: metatrace_gc::Words,
}

/// Shows the constants of a trace to the collector of a heap.
pub fn show_constants(trace: &Trace) -> metatrace_gc::Words {
    // Smaller ones are no addresses.
    const LEAST: u64 = 1 << 16;
    let args = trace.insts.iter().flat_map(|inst| inst.args.iter().copied());
    let operands = args.chain(trace.snapshots.iter().flat_map(|snapshot| snapshot.operands()));
    let words: BTreeSet<u64> = operands.filter_map(Opnd::as_const).filter(|&word| word >= LEAST).collect();
    metatrace_gc::Words::new(words.into_iter().collect())
}

/// Trees that were compiled as one.
#[derive(Debug)]
pub struct Region {
    pub code: CodeId,
    /// Those that are not freed, and perhaps some that are.
    pub trees: Vec<TreeId>,
    /// Bytes of machine code.
    pub bytes: usize,
}

/// A trace that starts at a merge point, with its bridges.
#[derive(Debug)]
pub struct Tree {
    pub cell: Rc<LoopCell>,
    pub home: Home,
    /// Its traces, bridges behind the trace that they leave from.
    pub parts: Vec<Rc<Part>>,
    /// What it is compiled as, beside its region.
    pub codes: Vec<CodeId>,
    pub region: Option<RegionId>,
    /// Jumps into it from other traces since it was compiled, as sampled.
    pub crossings: u64,
    /// How many of its parts, from the first on, its region has.
    pub merged: usize,
    /// Bytes of machine code.
    pub bytes: usize,
    pub bridges: u64,
    /// Trees that jump into this one.
    pub jumped_from: Vec<TreeId>,
    /// The words that make guards fail once.
    pub flags: Vec<Box<[u64]>>,
    /// Constants of its snapshots that are addresses of frozen memory.
    pub frozen: WordMap<u64, Root>,
}

/// What a VM keeps for an owner.
#[derive(Debug, Default)]
pub struct Owner {
    cells: WordMap<Key, Rc<LoopCell>>,
    /// Trees that rely on its content.
    trees: Vec<TreeId>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Tables {
    owners: Vec<Option<Box<Owner>>>,
    trees: HashMap<TreeId, Tree>,
    guards: WordMap<GuardId, Rc<Guard>>,
    /// The tree and the code at each target.
    targets: HashMap<TargetId, (TreeId, CodeId)>,
    /// The places that calls between traces call, by what they call them.
    called: HashMap<TargetId, Weak<LoopCell>>,
    regions: HashMap<RegionId, Region>,
    next_region: u32,
    /// Trees that are not valid any more, but may still run.
    dead: Vec<Tree>,
    next_tree: u32,
    next_guard: u32,
    next_target: u32,
    /// Bytes of machine code that are not freed.
    pub code_bytes: usize,
}

impl Tables {
    pub fn new_owner(&mut self) -> OwnerId {
        self.owners.push(Some(Box::default()));
        OwnerId::new(self.owners.len() - 1)
    }

    /// Whether the owner was neither dropped nor changed.
    pub fn is_living(&self, owner: OwnerId) -> bool {
        self.owners[owner.index()].is_some()
    }

    /// The place with this key in an owner.
    ///
    /// # Panics
    /// If the owner is gone.
    pub fn cell(&mut self, owner: OwnerId, key: &Key) -> Rc<LoopCell> {
        let cells = &mut self.owners[owner.index()].as_mut().expect("a living owner").cells;
        match cells.get(key) {
            Some(cell) => cell.clone(),
            None => cells.entry(key.clone()).or_default().clone(),
        }
    }

    pub fn new_target(&mut self) -> TargetId {
        self.next_target += 1;
        TargetId(self.next_target - 1)
    }

    pub fn new_guards(&mut self, count: usize) -> Vec<GuardId> {
        let first = self.next_guard;
        self.next_guard += u32::try_from(count).expect("fewer than 2^32 guards");
        (first..self.next_guard).map(GuardId).collect()
    }

    pub fn new_tree(&mut self, tree: Tree) -> TreeId {
        self.next_tree += 1;
        let id = TreeId(self.next_tree - 1);
        self.trees.insert(id, tree);
        id
    }

    /// A tree, if it is valid.
    pub fn tree(&mut self, id: TreeId) -> Option<&mut Tree> {
        self.trees.get_mut(&id)
    }

    /// The tree at a target, and what to run to start there.
    pub fn target(&self, id: TargetId) -> (TreeId, CodeId) {
        self.targets[&id]
    }

    /// The tree at a target, if it is not freed.
    pub fn find_target(&self, id: TargetId) -> Option<TreeId> {
        self.targets.get(&id).map(|&(tree, _)| tree)
    }

    /// Says what to run to start at a target. Gives the place that is entered there, if it is.
    pub fn set_target(&mut self, id: TargetId, tree: TreeId, code: CodeId) -> Option<Rc<LoopCell>> {
        self.targets.insert(id, (tree, code));
        let cell = &self.trees.get(&tree)?.cell;
        let entry = cell.entry.get().filter(|entry| entry.target == id)?;
        cell.entry.set(Some(Entry { code, ..entry }));
        Some(cell.clone())
    }

    /// The tree that calls between traces of an entry call.
    pub fn called(&self, entry: TargetId) -> Option<TreeId> {
        self.called.get(&entry)?.upgrade()?.entry.get().map(|entry| entry.tree)
    }

    /// A region whose trees are not all freed.
    pub fn region(&mut self, id: RegionId) -> &mut Region {
        self.regions.get_mut(&id).expect("a region of a tree that is not freed")
    }

    /// Has trees belong to a new region. Gives what they were compiled as before, all of which it replaces.
    pub fn new_region(&mut self, region: Region) -> Vec<CodeId> {
        self.next_region += 1;
        let id = RegionId(self.next_region - 1);
        let mut replaced = vec![];
        for tree in &region.trees {
            let tree = self.trees.get_mut(tree).expect("a valid tree");
            replaced.append(&mut tree.codes);
            tree.merged = tree.parts.len();
            tree.crossings = 0;
            self.code_bytes -= std::mem::take(&mut tree.bytes);
            if let Some(before) = tree.region.replace(id).and_then(|before| self.regions.remove(&before)) {
                replaced.push(before.code);
                self.code_bytes -= before.bytes;
            }
        }
        self.code_bytes += region.bytes;
        self.regions.insert(id, region);
        replaced
    }

    pub fn guard(&self, id: GuardId) -> Rc<Guard> {
        self.guards[&id].clone()
    }

    pub fn add_guards(&mut self, guards: impl IntoIterator<Item = (GuardId, Guard)>) {
        self.guards.extend(guards.into_iter().map(|(id, guard)| (id, Rc::new(guard))));
    }

    /// Has a tree rely on owners and on a tree that it jumps into.
    pub fn rely(&mut self, tree: TreeId, owners: &[OwnerId], jumps_into: Option<TreeId>) {
        for owner in owners {
            let trees = &mut self.owners[owner.index()].as_mut().expect("a living owner").trees;
            if !trees.contains(&tree) {
                trees.push(tree);
            }
        }
        if let Some(target) = jumps_into.filter(|&target| target != tree)
            && let Some(target) = self.trees.get_mut(&target)
            && !target.jumped_from.contains(&tree)
        {
            target.jumped_from.push(tree);
        }
    }

    /// Makes a tree and all that jump into it unenterable: appends the places at which they were entered.
    fn invalidate(&mut self, id: TreeId, places: &mut Vec<Rc<LoopCell>>) {
        let Some(mut tree) = self.trees.remove(&id) else { return };
        tree.cell.entry.set(None);
        places.push(tree.cell.clone());
        let jumped_from = std::mem::take(&mut tree.jumped_from);
        self.dead.push(tree);
        jumped_from.into_iter().for_each(|tree| self.invalidate(tree, places));
    }
}

impl VmState {
    /// An owner was dropped or changes: what relies on it is not entered any more, and left if it runs.
    pub fn owner_gone(&self, owner: OwnerId) {
        let mut places = vec![];
        {
            let tables = &mut *self.tables.borrow_mut();
            let trees = tables.owners[owner.index()].take().map(|owner| owner.trees).unwrap_or_default();
            trees.into_iter().for_each(|tree| tables.invalidate(tree, &mut places));
        }
        self.invalidated(&places);
    }

    /// A tree is not entered any more, and left if it runs.
    pub fn invalidate(&self, tree: TreeId) {
        let mut places = vec![];
        self.tables.borrow_mut().invalidate(tree, &mut places);
        self.invalidated(&places);
    }

    fn invalidated(&self, places: &[Rc<LoopCell>]) {
        if !places.is_empty() {
            stats::add(&self.shared.counters.invalidated, places.len() as u64);
            places.iter().for_each(|cell| self.tell_callers(cell));
            self.leave_all();
        }
    }

    /// By what calls between traces call what is entered at a place.
    pub fn called(&self, cell: &Rc<LoopCell>) -> TargetId {
        cell.called.get().unwrap_or_else(|| {
            let tables = &mut *self.tables.borrow_mut();
            let target = tables.new_target();
            tables.called.insert(target, Rc::downgrade(cell));
            cell.called.set(Some(target));
            self.tell_callers(cell);
            target
        })
    }

    /// Has calls between traces call what is entered at a place now.
    pub fn tell_callers(&self, cell: &LoopCell) {
        if let Some(called) = cell.called.get() {
            self.backend.set_entry(called, cell.entry.get().map(|entry| entry.code));
        }
    }

    /// Gives back the memory of code that is invalid, unless it may still run.
    pub fn free_dead(&self) {
        if self.is_active() {
            return;
        }
        let dead = std::mem::take(&mut self.tables.borrow_mut().dead);
        if !dead.is_empty() {
            self.tables.borrow_mut().called.retain(|_, place| place.strong_count() > 0);
        }
        for tree in dead {
            tree.codes.iter().for_each(|&code| self.backend.free(code));
            let tables = &mut *self.tables.borrow_mut();
            tables.code_bytes -= tree.bytes;
            for part in &tree.parts {
                part.guards.iter().for_each(|guard| drop(tables.guards.remove(guard)));
                if let PartStart::Entry(target) = part.start {
                    tables.targets.remove(&target);
                }
            }
            let Some(id) = tree.region else { continue };
            let Tables { regions, trees, code_bytes, .. } = tables;
            let Some(region) = regions.get_mut(&id) else { continue };
            region.trees.retain(|tree| trees.contains_key(tree));
            // A region without valid trees goes with the first of its dead ones; nothing runs here.
            if region.trees.is_empty() {
                *code_bytes -= region.bytes;
                self.backend.free(region.code);
                regions.remove(&id);
            }
        }
    }

    /// Counts an aborted recording at a place: the place backs off.
    pub fn failed(&self, heat: &Heat, reason: Abort) {
        self.shared.counters.abort(reason);
        if heat.failed(self.options.params.max_aborts) {
            stats::add(&self.shared.counters.blacklisted, 1);
        }
    }

    /// The time of counters, in halvings.
    pub fn epoch(&self) -> u64 {
        let Params { decay, .. } = self.options.params;
        if decay == 0 { 0 } else { self.ticks.get() / (decay * 1000) }
    }
}

/// A map with the fast hash.
pub type WordMap<K, V> = HashMap<K, V, BuildHasherDefault<WordHasher>>;
/// A set with the fast hash.
pub type WordSet<K> = HashSet<K, BuildHasherDefault<WordHasher>>;

/// Hashes words: keys are few and come from trusted code.
#[derive(Default)]
pub struct WordHasher(u64);

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.chunks(8).for_each(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        });
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_decays_backs_off_and_gives_up() {
        let heat = Heat::default();
        let passes = |threshold, epoch| (1..1000).find(|_| heat.pass(threshold, epoch, 2)).unwrap_or(0);
        assert_eq!(passes(10, 0), 10);
        assert!((0..8).all(|_| !heat.pass(10, 0, 2)));
        assert_eq!(passes(10, 1), 6, "8 passes count as 4 after a halving");
        assert!(!heat.failed(2));
        assert_eq!(passes(10, 1), 20);
        assert!(heat.failed(2));
        assert_eq!(passes(10, 1), 0);
    }
}
