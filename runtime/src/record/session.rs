//! A recording from its start to its end.
//!
//! In: a VM, and where the recording starts: a merge point with the words of the parameters, or a failing guard. Out: an
//! [`End`], and the stack as it is then.

use std::rc::Rc;
use std::sync::Arc;

use metatrace_defs::code::Field;
use metatrace_defs::inst::Operand;
use metatrace_defs::jitcode::{Portal, PortalId};
use metatrace_defs::{Abort, Kind, TraceOp};
use metatrace_trace::{Attached, KnownWord, OpenPortal, Opnd, Trace, short};

use super::greens::set_parameters;
use super::segment::{Segment, join};
use super::{HeapCache, Recorder, Root, Slot, Traced, heap};
use crate::entry::Place;
use crate::loaded::Loaded;
use crate::machine::{Frame, LocalArea, Panic, Stack, Step, Values, step};
use crate::vm::VmState;
use crate::vm::owner::OwnerId;
use crate::vm::tables::{Entry, Guard, Home, LoopCell, TreeId, WordMap, WordSet};

/// How a recording ended.
pub enum End {
    /// At a merge point that stands at the start of segment `.0`: a loop.
    Close(usize),
    /// At a merge point where compiled code starts.
    Jump(Entry),
    /// The portal returned.
    Finish,
    /// It was given up; the stack is to be run on.
    Abort(Abort),
    /// It was given up because a panic left the portal.
    Panic(Panic),
}

/// A recording under way, or its result.
pub struct Session<'a> {
    recorder: Recorder<'a>,
    portal: PortalId,
    place: &'a Place,
    /// The activations.
    pub stack: Stack<Traced>,
    /// What is handed over at the end: the reds at a merge point, or the results.
    pub handed: Values<Traced>,
    /// The words of the parameters at the merge point where it ended.
    pub words: Values<u64>,
    /// The tree of the guard behind which it starts, if that fails again and again as soon as the tree is entered.
    from: Option<TreeId>,
}

impl<'a> Session<'a> {
    fn new(vm: &'a Rc<VmState>, place: &'a Place, area: LocalArea) -> Session<'a> {
        let recorder = Recorder {
            vm,
            loaded: place.loaded,
            program: place.program,
            segments: Vec::new(),
            operations: 0,
            heap: HeapCache::default(),
            shared: Default::default(),
            interiors: Default::default(),
            locals: Default::default(),
            invariants: Default::default(),
            objects: WordSet::default(),
            bools: WordSet::default(),
            owners: Default::default(),
            pinned: Vec::new(),
            open: Arc::default(),
            inlined: Default::default(),
            calling: None,
            frozen: WordMap::default(),
            relied: Root::None,
            merge_points: 0,
            passed: 0,
            abort: None,
        };
        let stack = Stack::new(area);
        let (handed, words) = (Values::new(), Values::new());
        Session { recorder, portal: place.portal, place, stack, handed, words, from: None }
    }

    /// A recording that starts at the merge point of a portal.
    pub fn at_merge_point(
        vm: &'a Rc<VmState>,
        place: &'a Place,
        area: LocalArea,
        words: &[u64],
    ) -> Session<'a> {
        let mut session = Session::new(vm, place, area);
        let loaded = place.loaded;
        let portal = loaded.portal(place.portal);
        let at = loaded.body(portal.jitcode).at(portal.merge_point);
        session.stack.push_at::<Recorder>(loaded, portal.jitcode, at, 0);
        session.recorder.rely_on(Root::Owner(crate::entry::owner_box(words[place.owner])));
        let values: Values<Traced> = kinds(portal)
            .zip(words)
            .map(|((kind, _), &bits)| Traced::constant(kind, bits, Root::None))
            .collect();
        let greens = session.recorder.entered_with(place.portal, &values);
        session.recorder.open = [OpenPortal { frame: 0, portal: place.portal, greens }].into();
        session.start_segment(values);
        session
    }

    /// A recording that starts where a guard failed, with its fail values.
    pub fn at_guard(
        vm: &'a Rc<VmState>,
        place: &'a Place,
        area: LocalArea,
        guard: &Guard,
        values: &[u64],
    ) -> Session<'a> {
        let mut session = Session::new(vm, place, area);
        let fails_on = 2 * guard.repeats.get() >= vm.options.params.trace_eagerness;
        session.from = (guard.is_early && fails_on).then_some(guard.tree);
        if let Some(tree) = vm.tables.borrow_mut().tree(guard.tree) {
            session.recorder.frozen.clone_from(&tree.frozen);
        }
        // Nothing is collected between this and the last word's way into a register.
        let made = crate::entry::materialise(vm, place, guard, values);
        super::resumed::open(&mut session.recorder, &mut session.stack, guard, values, &made);
        session.recorder.merge_points = guard.merge_points;
        session.recorder.open = guard.open.clone();
        session.know(&guard.known);
        session
    }

    /// Knows what local memory held where the guard failed.
    fn know(&mut self, known: &[KnownWord]) {
        let loaded = self.place.loaded;
        for word in known {
            let address = self.stack.area.address + u64::from(word.base);
            let slot = Slot { byte: word.base, size: self.slot_at(word.base), activation: 0 };
            let base = self.recorder.local(slot, address).opnd;
            let kind = loaded.program.access(word.access).scalar.kind();
            let root = self.recorder.frozen.get(&word.bits).copied().unwrap_or(Root::None);
            let place = heap::Place { access: word.access, base, index: None };
            self.recorder.heap.put(place, Opnd::constant(kind, word.bits), root);
        }
    }

    /// The size of the open activations' slot that starts at a byte of local memory.
    fn slot_at(&self, byte: u32) -> u32 {
        let of_frame = |frame: &Frame<Traced>| {
            let byte = byte.checked_sub(frame.locals)?;
            self.place.loaded.body(frame.jitcode).slot_at(byte)
        };
        self.stack.frames.iter().filter_map(of_frame).max().unwrap_or(0)
    }

    /// Records until the end.
    pub fn run(&mut self) -> End {
        loop {
            self.recorder.check_length();
            if let Some(reason) = self.recorder.abort {
                return End::Abort(reason);
            }
            match step(&mut self.recorder, self.place.loaded, &mut self.stack) {
                Step::Continue => {}
                Step::MergePoint(values) => {
                    if let Some(end) = self.merge_point(values) {
                        return end;
                    }
                }
                Step::Return(values) => {
                    if let Some(reason) = self.recorder.abort {
                        // Nothing is left to run on: only the trace is lost.
                        self.handed = values;
                        return End::Abort(reason);
                    }
                    self.recorder.count_merge_points();
                    self.handed = values;
                    return End::Finish;
                }
                Step::Panic(payload) => return End::Panic(payload),
            }
        }
    }

    /// The outermost activation stands at its merge point.
    fn merge_point(&mut self, mut values: Values<Traced>) -> Option<End> {
        let portal = self.place.loaded.portal(self.portal);
        self.recorder.fix_greens(&mut self.stack, self.portal, &mut values);
        let header = self.stack.frames[0].loop_header;
        if header && self.recorder.abort.is_none() {
            self.words = short(values.iter().map(|value| value.bits));
            self.handed = short(reds(portal, &values));
            let greens = self.recorder.greens(self.portal, &values);
            let segments = &self.recorder.segments;
            if let Some(n) = segments.iter().position(|segment| segment.greens.as_ref() == Some(&greens)) {
                self.recorder.count_merge_points();
                return Some(End::Close(n));
            }
            let cell = self.place.cell(self.recorder.vm, &self.words);
            if let Some(entry) = cell.entry.get() {
                if !self.begins_a_loop(&cell, entry) {
                    self.recorder.count_merge_points();
                    return Some(End::Jump(entry));
                }
                cell.retraced.set(cell.retraced.get() + 1);
            }
            self.recorder.count_merge_points();
            self.start_segment(values);
        } else {
            self.recorder.note(self.portal, &values);
        }
        self.pass_merge_point();
        None
    }

    /// Whether a bridge that comes back to its own loop is recorded on, to a loop that begins with what is the case here: it
    /// would jump to the loop's entry, and leave it at the same guard again, which is about something that stays as it is.
    fn begins_a_loop(&self, cell: &Rc<LoopCell>, entry: Entry) -> bool {
        let params = &self.recorder.vm.options.params;
        let [bridge] = &self.recorder.segments[..] else { return false };
        let guards = bridge.trace.insts.iter().filter(|inst| inst.op.is_guard()).count() as u64;
        let is_own = self.from.is_some_and(|from| {
            let tables = &mut *self.recorder.vm.tables.borrow_mut();
            tables.tree(from).is_some_and(|tree| Rc::ptr_eq(&tree.cell, cell))
        });
        is_own
            && entry.is_loop
            && cell.retraced.get() < params.retrace_limit
            && guards <= params.max_retrace_guards
    }

    fn pass_merge_point(&mut self) {
        let bottom = &mut self.stack.frames[0];
        (bottom.at, bottom.loop_header) = (bottom.at + 1, false);
        self.recorder.pass_merge_point();
    }

    /// Starts a segment at the merge point where the outermost activation stands: the reds become its inputs.
    fn start_segment(&mut self, mut values: Values<Traced>) {
        let portal = self.place.loaded.portal(self.portal);
        let greens = self.recorder.greens(self.portal, &values);
        let handed = short(reds(portal, &values).map(|value| value.opnd));
        if let Some(segment) = self.recorder.segments.last_mut() {
            segment.handed = handed;
            self.recorder.operations += segment.trace.insts.len();
        }
        self.recorder.forget();
        let mut trace = Trace::new();
        for ((n, value), (kind, green)) in values.iter_mut().enumerate().zip(kinds(portal)) {
            *value = if !green {
                Traced { opnd: trace.new_input(kind, Some(value.bits)).into(), root: Root::None, ..*value }
            } else if n == self.place.owner {
                Traced::constant(kind, value.bits, Root::Owner(crate::entry::owner_box(value.bits)))
            } else {
                Traced::constant(kind, value.bits, Root::None)
            };
        }
        self.recorder.segments.push(Segment { trace, greens: Some(greens), handed: Values::new() });
        self.recorder.note(self.portal, &values);
        set_parameters(&mut self.stack, self.place.loaded, portal, &values);
    }

    /// Passes the merge point at which the recording starts.
    pub fn pass_first(&mut self) {
        self.pass_merge_point();
    }

    /// The greens at the start of a segment, with the reds of another merge point: the words of its parameters.
    pub fn segment_words(&self, n: usize) -> Values<u64> {
        let portal = self.place.loaded.portal(self.portal);
        let mut greens = self.recorder.segments[n].greens.iter().flatten();
        kinds(portal).map(|(_, green)| if green { *greens.next().expect("a green") } else { 0 }).collect()
    }

    /// The number of segments.
    pub fn segments(&self) -> usize {
        self.recorder.segments.len()
    }

    /// Takes the trace of segments `from..to`, which goes on in a following segment (`to` is less than all), or ends as the
    /// recording does. Nothing of it is left in them.
    pub fn take_trace(
        &mut self,
        segments: std::ops::Range<usize>,
        label: Option<metatrace_trace::TargetId>,
        end: (TraceOp, Attached),
    ) -> Trace {
        let all = &mut self.recorder.segments;
        let handed: Values<Opnd> = if segments.end == all.len() {
            self.handed.iter().map(|value| value.opnd).collect()
        } else {
            all[segments.end - 1].handed.clone()
        };
        join(&self.place.loaded.program, &mut all[segments], label, end, &handed)
    }

    /// Constants of its snapshots that are addresses of frozen memory.
    pub fn frozen(&self) -> impl Iterator<Item = (u64, Root)> + '_ {
        self.recorder.frozen.iter().map(|(&bits, &root)| (bits, root))
    }

    /// The portal whose activation is outermost.
    pub fn home(&self) -> Home {
        self.place.home()
    }

    /// Merge points passed.
    pub fn merge_points_passed(&self) -> u64 {
        self.recorder.passed
    }

    /// The owners whose content the recording relies on.
    pub fn owners(&self) -> Vec<OwnerId> {
        self.recorder.owners.iter().copied().collect()
    }
}

/// The kinds of the words of a portal's parameters, and whether they are green.
pub fn kinds(portal: &Portal) -> impl Iterator<Item = (Kind, bool)> + '_ {
    portal.params.iter().flat_map(|param| param.kinds.iter().map(|&kind| (kind, param.green)))
}

fn reds<'v>(portal: &'v Portal, values: &'v [Traced]) -> impl Iterator<Item = Traced> + 'v {
    values.iter().zip(kinds(portal)).filter(|(_, (_, green))| !green).map(|(&value, _)| value)
}

/// What the merge point of a portal reads.
pub fn merge_point_operands<'l>(loaded: &'l Loaded, portal: &Portal) -> &'l [Operand] {
    let body = loaded.body(portal.jitcode);
    match &body.insts[body.at(portal.merge_point)].fields[1] {
        Field::Sources(list) => list,
        _ => panic!("the merge point of {} is none", portal.name),
    }
}
