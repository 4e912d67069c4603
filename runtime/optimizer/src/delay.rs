//! Delaying stores that only those who leave the trace would see.
//!
//! In: a finished trace. Out: the same trace, where
//!
//! - a store that another one overwrites is gone, if nothing but guards would see it between the two: each of these does the
//!   store itself if it fails;
//! - memory that a loop writes at a place that does not change, and does not read, is written by whoever leaves the loop. What
//!   it holds at the label is handed over from one passage to the next.
//!
//! A store is *pending* from where it stood until it is overwritten, or until the label. It may be pending only across
//! what neither reads nor writes what it writes; calls and allocations, which may collect, are taken to touch everything but local
//! memory whose address went nowhere. So stores that are pending at a guard write different memory. What a barrier tells stays told
//! until something is collected, so that a store may follow it. Where the portal is left local memory ends, so that stores to it need
//! not be done. A trace whose stores were delayed before may come here again: what its
//! guards do already is newer than what becomes pending now, and stays behind it.

use metatrace_defs::{AccessId, Kind, Program, PureOp, TraceOp};
use metatrace_trace::{Attached, DelayedStore, Inst, Opnd, SnapshotId, Trace, Value, ValueData};

use smallvec::SmallVec;

use crate::Counts;
use crate::cleanup::{Defined, remove};
use crate::hash::Map;
use crate::memory::{Base, Definitions, Entry, Heap, Locals, Location, Overlap};

/// The most stores that are pending at once: each makes every exit longer.
const MOST_PENDING: usize = 16;
/// The same where stores to local memory are among them, which is rarely written otherwise.
const MOST_LOCAL: usize = 48;

/// A store that may be pending.
#[derive(Clone)]
struct Pending {
    at: usize,
    access: AccessId,
    location: Location,
}

/// What an operation means for a pending store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meets {
    Nothing,
    Overwrites,
    Touches,
}

/// Memory that a loop writes for those who leave it.
struct Carried {
    store: Pending,
    /// What it holds at the label, as seen before it.
    start: Opnd,
    /// The stores of the body that write it.
    writes: Vec<usize>,
}

/// Delays stores.
pub(crate) fn stores(program: &Program, locals: &Locals, trace: &mut Trace, counts: &mut Counts) {
    let delayed = Scan::new(program, locals, trace).delayed(trace);
    let Some((mut of_guards, is_dead, carried)) = delayed else { return };
    let made = if carried.is_empty() { vec![] } else { carry(trace, &carried, &mut of_guards) };
    for (n, stores) in of_guards.into_iter().enumerate().filter(|(_, stores)| !stores.is_empty()) {
        let id = trace.insts[n].snapshot.expect("a guard has a snapshot");
        let mut snapshot = trace.snapshots[id.index()].clone();
        // What the snapshot had is what was stored last.
        let is_new = |store: &DelayedStore| snapshot.stores.iter().all(|had| !had.is_to_the_same(store));
        let new: Vec<DelayedStore> = stores.into_iter().filter(is_new).collect();
        snapshot.stores.splice(0..0, new);
        trace.snapshots.push(snapshot);
        trace.insts[n].snapshot = Some(SnapshotId::new(trace.snapshots.len() - 1));
    }
    counts.delayed += is_dead.iter().filter(|&&dead| dead).count() as u32;
    remove(trace, &is_dead);
    if !made.is_empty() {
        write_behind_label(trace, made);
    }
}

/// For each operation the stores that it does if it is a guard that fails; which operations go; what a loop carries.
type Delayed = (Vec<Vec<DelayedStore>>, Vec<bool>, Vec<Carried>);

/// What is found in one walk over a trace.
struct Scan<'a> {
    program: &'a Program,
    defined: Defined<'a>,
    /// For each store where it is overwritten, if it is pending until there.
    ends: Vec<Option<usize>>,
    /// What words are at most, and the guard that tells.
    most: Map<Value, (u64, usize)>,
    /// The label that the trace's jump goes to.
    label: Option<usize>,
    /// What is pending before the label, and what memory is known to hold there.
    at_label: (Vec<Pending>, Heap),
    /// What is pending at the end.
    at_end: Vec<Pending>,
}

impl<'a> Scan<'a> {
    fn new(program: &'a Program, locals: &Locals, trace: &'a Trace) -> Scan<'a> {
        let last = trace.insts.last().expect("a verified trace has a terminator");
        let label = trace.insts.iter().position(|inst| {
            inst.op == TraceOp::Label && last.op == TraceOp::Jump && inst.attached == last.attached
        });
        let mut scan = Scan {
            program,
            defined: Defined::with_locals(program, trace, locals),
            ends: vec![None; trace.insts.len()],
            most: Map::default(),
            label,
            at_label: (vec![], Heap::default()),
            at_end: vec![],
        };
        let mut pending: Vec<Pending> = vec![];
        let mut heap = Heap::default();
        for (n, inst) in trace.insts.iter().enumerate() {
            if inst.op == TraceOp::Finish && scan.defined.locals().are_new() {
                // Local memory ends here.
                let local = pending.iter().filter(|store| store.location.base == Base::Local);
                local.for_each(|store| scan.ends[store.at] = Some(n));
            }
            if inst.op.is_terminator() {
                scan.at_end = std::mem::take(&mut pending);
                break;
            }
            let own = scan.pending(n, inst);
            pending.retain(|store| {
                let meets = scan.meets(n, inst, store);
                if meets == Meets::Overwrites {
                    scan.ends[store.at] = Some(n);
                }
                meets == Meets::Nothing
            });
            if inst.op == TraceOp::Label {
                scan.at_label = (std::mem::take(&mut pending), std::mem::take(&mut heap));
                continue;
            }
            scan.learn(n, &mut heap, inst);
            scan.learn_bound(n, inst);
            if let Some(own) = own
                && pending.len() < scan.most_pending(&own)
            {
                pending.push(own);
            }
        }
        scan
    }

    fn pending(&self, at: usize, inst: &Inst) -> Option<Pending> {
        matches!(inst.op, TraceOp::SetField | TraceOp::SetElem).then(|| {
            let access = inst.access();
            let address = &inst.args[..inst.args.len() - 1];
            let location = self.defined.location(self.program, self.program.access(access), address);
            Pending { at, access, location }
        })
    }

    /// The most stores that may be pending with this one.
    fn most_pending(&self, store: &Pending) -> usize {
        if self.is_private(store) { MOST_LOCAL } else { MOST_PENDING }
    }

    /// Whether a store is to local memory of which nobody else knows the address.
    fn is_private(&self, store: &Pending) -> bool {
        let bytes = self.program.access(store.access).scalar.bytes();
        store.location.is_private(bytes, self.defined.locals())
    }

    /// What operation `at`, which is `inst`, means for a store.
    fn meets(&self, at: usize, inst: &Inst, store: &Pending) -> Meets {
        let own = self.program.access(store.access);
        let touches = |address: &[Opnd]| {
            let access = self.program.access(inst.access());
            let location = self.defined.location(self.program, access, address);
            let overlap = location.overlap(access.scalar.bytes(), &store.location, own.scalar.bytes());
            let bytes = (access.scalar.bytes(), own.scalar.bytes());
            let touches = self.defined.may_touch(self.program, (access, &location), (own, &store.location))
                && !self.are_apart(at, (&location, bytes.0), (&store.location, bytes.1));
            (overlap, if touches { Meets::Touches } else { Meets::Nothing })
        };
        match inst.op {
            TraceOp::SetField | TraceOp::SetElem => match touches(&inst.args[..inst.args.len() - 1]) {
                (Overlap::Same, _) => Meets::Overwrites,
                (_, meets) => meets,
            },
            TraceOp::GetField | TraceOp::GetElem => touches(&inst.args).1,
            TraceOp::Pure(_)
            | TraceOp::GuardTrue
            | TraceOp::GuardFalse
            | TraceOp::GuardValue
            | TraceOp::GuardFloatValue
            | TraceOp::GuardNotPending
            | TraceOp::GetFieldFrozen
            | TraceOp::GetElemFrozen
            | TraceOp::InteriorField
            | TraceOp::InteriorElem
            | TraceOp::LocalAddr
            | TraceOp::Make
            | TraceOp::MakeArray
            | TraceOp::Barrier
            | TraceOp::CountMergePoints
            | TraceOp::Label => Meets::Nothing,
            TraceOp::New
            | TraceOp::NewArray
            | TraceOp::Free
            | TraceOp::FreeArray
            | TraceOp::Call
            | TraceOp::CallElidable
            | TraceOp::CallAssembler => {
                if self.is_private(store) {
                    Meets::Nothing
                } else {
                    Meets::Touches
                }
            }
            TraceOp::Jump | TraceOp::Finish => Meets::Touches,
        }
    }

    /// Notes what a guard tells of an index.
    fn learn_bound(&mut self, at: usize, inst: &Inst) {
        if inst.op == TraceOp::GuardTrue
            && let Some(Opnd::Value(test)) = inst.args.first()
            && let Some((TraceOp::Pure(PureOp::UintLt), _, &[Opnd::Value(index), Opnd::Word(bound)])) =
                self.defined.definition(*test)
            && bound > 0
        {
            self.most.entry(index).or_insert((bound - 1, at));
        }
    }

    /// Whether bytes at two locations are known to be apart where operation `at` stands, because they are in different fields or
    /// elements of one object.
    fn are_apart(&self, at: usize, a: (&Location, usize), b: (&Location, usize)) -> bool {
        // Where it starts and ends, without wrapping.
        let range = |(location, bytes): (&Location, usize)| {
            let index = match location.index {
                None => 0,
                Some((value, stride)) => {
                    let &(most, _) = self.most.get(&value).filter(|&&(_, guard)| guard < at)?;
                    most.checked_mul(stride).filter(|&bytes| bytes < 1 << 48)?
                }
            };
            let start = location.offset as i64;
            (start.unsigned_abs() < 1 << 48).then(|| (start, start + index as i64 + bytes as i64))
        };
        match (range(a), range(b)) {
            (Some(x), Some(y)) if a.0.base == b.0.base => x.1 <= y.0 || y.1 <= x.0,
            _ => false,
        }
    }

    /// Notes what memory holds after an operation.
    fn learn(&self, at: usize, heap: &mut Heap, inst: &Inst) {
        let (address, value) = match inst.op {
            TraceOp::GetField | TraceOp::GetElem => (&inst.args[..], Opnd::Value(inst.result())),
            TraceOp::SetField | TraceOp::SetElem => {
                let (&value, address) = inst.args.split_last().expect("a store has operands");
                (address, value)
            }
            TraceOp::Call | TraceOp::CallAssembler => {
                let writes = &self.program.call(inst.call()).writes;
                return heap.call(self.program, self.defined.locals(), writes);
            }
            TraceOp::New | TraceOp::NewArray | TraceOp::Free | TraceOp::FreeArray => return heap.clear(),
            _ => return,
        };
        let access = self.program.access(inst.access());
        let location = self.defined.location(self.program, access, address);
        if inst.op.has_effect() {
            heap.store(|entry| {
                let other = (self.program.access(entry.access), &entry.location);
                self.defined.may_touch(self.program, (access, &location), other)
                    && !self.are_apart(
                        at,
                        (&location, access.scalar.bytes()),
                        (&entry.location, entry.scalar.bytes()),
                    )
            });
        }
        heap.insert(Entry { location, access: inst.access(), scalar: access.scalar, value, carried: None });
    }

    /// What is to be delayed; nothing if there is nothing.
    fn delayed(mut self, trace: &Trace) -> Option<Delayed> {
        let carried = self.carried(trace);
        let count = trace.insts.len();
        let mut is_dead = vec![false; count];
        let mut of_guards: Vec<Vec<DelayedStore>> = vec![vec![]; count];
        for at in 0..count {
            let Some(end) = self.ends[at] else { continue };
            is_dead[at] = true;
            if carried.iter().any(|carried| carried.writes.contains(&at)) {
                continue;
            }
            let inst = &trace.insts[at];
            let store = DelayedStore { access: inst.access(), args: inst.args.clone() };
            for n in (at + 1..end).filter(|&n| trace.insts[n].op.is_guard()) {
                of_guards[n].push(store.clone());
            }
        }
        carried.iter().flat_map(|carried| &carried.writes).for_each(|&at| is_dead[at] = true);
        is_dead.contains(&true).then_some((of_guards, is_dead, carried))
    }

    /// What a loop can carry. Stores before the label become pending until it.
    fn carried(&mut self, trace: &Trace) -> Vec<Carried> {
        let Some(label) = self.label else { return vec![] };
        let mut carried = vec![];
        let at_end = std::mem::take(&mut self.at_end);
        let (before, mut heap) = std::mem::take(&mut self.at_label);
        for store in at_end.into_iter().filter(|store| store.at > label) {
            let inst = &trace.insts[store.at];
            let scalar = self.program.access(store.access).scalar;
            let is_fixed = inst.args[..inst.args.len() - 1].iter().all(|&arg| self.is_before(label, arg));
            // What is stored goes round as one value, which is of one kind.
            let is_of_kind = |inst: &Inst| self.program.access(inst.access()).scalar.kind() == scalar.kind();
            let body = trace.insts.iter().enumerate().take(trace.insts.len() - 1).skip(label + 1);
            let is_free = body.clone().all(|(at, inst)| match self.meets(at, inst, &store) {
                Meets::Nothing => true,
                Meets::Overwrites => is_of_kind(inst),
                Meets::Touches => false,
            });
            let known = heap.find(&store.location, scalar.bytes(), false).filter(|e| e.scalar == scalar);
            if let (true, true, Some(known)) = (is_fixed, is_free, known) {
                let start = known.value;
                let own = self.program.access(store.access);
                for pending in &before {
                    let other = self.program.access(pending.access);
                    let (bytes, other_bytes) = (own.scalar.bytes(), other.scalar.bytes());
                    if store.location.overlap(bytes, &pending.location, other_bytes) == Overlap::Same {
                        self.ends[pending.at] = Some(label);
                    }
                }
                let writes = body
                    .filter(|(at, inst)| self.meets(*at, inst, &store) == Meets::Overwrites)
                    .map(|(at, _)| at)
                    .collect();
                carried.push(Carried { store, start, writes });
            }
        }
        carried
    }

    fn is_before(&self, label: usize, opnd: Opnd) -> bool {
        opnd.as_value().is_none_or(|value| self.defined.place(value).is_none_or(|at| at < label))
    }
}

/// Hands over from passage to passage what memory should hold, and tells the guards of the body. Gives what is to be
/// written behind the label.
fn carry(trace: &mut Trace, carried: &[Carried], of_guards: &mut [Vec<DelayedStore>]) -> Vec<Inst> {
    let jump = trace.insts.len() - 1;
    let target = trace.insts[jump].attached;
    let is_label = |inst: &Inst| inst.op == TraceOp::Label && inst.attached == target;
    let label = trace.insts.iter().position(is_label).expect("the trace jumps to its own label");
    let mut passage = Passage { trace, label, jump, known: Map::default(), made: vec![] };
    for Carried { store, start, writes } in carried {
        let (&next, address) = passage.trace.insts[store.at].args.split_last().expect("a store has operands");
        let address = address.to_vec();
        let mut holds = passage.at_label(*start, next, 0);
        for n in label + 1..jump {
            let inst = &passage.trace.insts[n];
            if inst.op.is_guard() {
                let args = address.iter().copied().chain([holds]).collect();
                of_guards[n].push(DelayedStore { access: store.access, args });
            } else if writes.contains(&n) {
                holds = *inst.args.last().expect("a store has operands");
            }
        }
    }
    passage.made
}

/// Pairs of what is seen before the label and at the jump, and what stands for both behind the label.
struct Passage<'a> {
    trace: &'a mut Trace,
    label: usize,
    jump: usize,
    known: Map<(Opnd, Opnd), Opnd>,
    /// Operations to be written behind the label.
    made: Vec<Inst>,
}

/// How deep operands are looked into for what is handed over anyway.
const MOST_DEPTH: u32 = 4;

impl Passage<'_> {
    /// What starts as one operand and is another in the next passage: a parameter that is there, or made of such as both
    /// operands are, or a new one.
    fn at_label(&mut self, start: Opnd, next: Opnd, depth: u32) -> Opnd {
        if let Some(opnd) = self.find(start, next, depth) {
            return opnd;
        }
        let kind = self.trace.kind(start);
        let value = self.new_value(kind);
        self.trace.insts[self.label].args.push(start);
        self.trace.insts[self.label].results.push(value);
        self.trace.insts[self.jump].args.push(next);
        self.known.insert((start, next), value.into());
        value.into()
    }

    fn find(&mut self, start: Opnd, next: Opnd, depth: u32) -> Option<Opnd> {
        if start == next {
            return Some(start);
        }
        if let Some(&known) = self.known.get(&(start, next)) {
            return Some(known);
        }
        let (label, jump) = (&self.trace.insts[self.label], &self.trace.insts[self.jump]);
        let mut pairs = label.args.iter().zip(&jump.args);
        if let Some(n) = pairs.position(|(&from, &to)| (from, to) == (start, next)) {
            return Some(label.results[n].into());
        }
        if depth == MOST_DEPTH {
            return None;
        }
        let (op, first) = self.pure(start)?;
        let (other, second) = self.pure(next)?;
        if op != other || op.is_partial() {
            return None;
        }
        let mut args = SmallVec::new();
        for (start, next) in first.into_iter().zip(second) {
            args.push(self.find(start, next, depth + 1)?);
        }
        let value = self.new_value(op.row().result);
        let (results, attached) = (SmallVec::from_slice(&[value]), Attached::None);
        self.made.push(Inst { op: TraceOp::Pure(op), args, attached, results, snapshot: None });
        self.known.insert((start, next), value.into());
        Some(value.into())
    }

    fn pure(&self, opnd: Opnd) -> Option<(PureOp, SmallVec<[Opnd; 3]>)> {
        let value = opnd.as_value()?;
        let inst = self.trace.insts.iter().find(|inst| inst.results.contains(&value))?;
        match inst.op {
            TraceOp::Pure(op) => Some((op, inst.args.clone())),
            _ => None,
        }
    }

    fn new_value(&mut self, kind: Kind) -> Value {
        self.trace.values.push(ValueData { kind, recorded: None });
        Value::new(self.trace.values.len() - 1)
    }
}

/// Writes operations behind the label that the trace's jump goes to.
fn write_behind_label(trace: &mut Trace, made: Vec<Inst>) {
    let target = trace.insts.last().expect("a verified trace has a terminator").attached;
    let is_label = |inst: &Inst| inst.op == TraceOp::Label && inst.attached == target;
    let place = 1 + trace.insts.iter().position(is_label).expect("the trace jumps to its own label");
    let count = made.len() as u32;
    trace.insts.splice(place..place, made);
    trace.notes.iter_mut().filter(|(at, _)| *at >= place as u32).for_each(|(at, _)| *at += count);
}
