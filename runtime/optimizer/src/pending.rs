//! Stores of what is put off are put off too.
//!
//! A store that writes something that is put off (see [`virtuals`](crate::virtuals)) to other memory does not make it yet: the
//! store is *pending*. Loads of the place give what is to be stored; a store to the same place replaces it; snapshots describe
//! it, and who goes on from there does it. So a box that an interpreter keeps in its frame from one instruction to the next is
//! never made. It is done where memory must be right: before what may read or write the place otherwise, before calls that may,
//! before a label, and at the end. Going round a loop it stays pending if it is pending at the end of each passage.
//!
//! Guarantees: pending stores write different memory, at addresses that are made, so that their order does not matter.

use metatrace_defs::descr::{ClassSet, Scalar};
use metatrace_defs::{AccessId, Kind, PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Value, Virtual, VirtualField, short};
use smallvec::SmallVec;

use crate::facts::Fact;
use crate::forward::{Args, Forward};
use crate::memory::{Base, Definitions, Entry, Location, Overlap};

/// The most stores that are pending at once: each makes every exit longer.
const MOST_PENDING: usize = 24;

/// A store that is not done.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub access: AccessId,
    /// The address operands; an index is a constant.
    pub args: Args,
    pub location: Location,
    pub value: Opnd,
    /// What snapshots describe it by.
    place: Value,
}

/// What references were written to since the last barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrote {
    Nothing,
    /// Nothing but what is pending. Its barriers follow when it is done.
    Pending,
    Memory,
}

impl Forward<'_> {
    /// Whether a barrier that stands here is about nothing but stores that are pending.
    pub(crate) fn is_about_pending(&mut self) -> bool {
        std::mem::replace(&mut self.virtuals.wrote, Wrote::Nothing) == Wrote::Pending
    }

    /// Puts a store to other memory off, if what it stores is put off. Whether that was done.
    pub(crate) fn put_off_store(
        &mut self,
        access: AccessId,
        args: &Args,
        location: &Location,
        value: Opnd,
    ) -> bool {
        let stored = self.resolve_put_off(value);
        let descr = self.program.access(access);
        let is_simple = args.get(1).is_none_or(|index| index.as_const().is_some())
            && args.iter().all(|&arg| self.virtuals.get(arg).is_none());
        let Some(stored) = stored.filter(|_| is_simple && descr.scalar == Scalar::Word) else { return false };
        if self.virtuals.pending.len() == MOST_PENDING {
            self.store_pending(|_| true);
        }
        self.before_write(access, location);
        let place = self.new_value(Kind::Word, None, Fact::ANY);
        let (args, location) = (args.clone(), *location);
        self.virtuals.pending.push(Pending { access, args, location, value: stored, place });
        if self.virtuals.wrote == Wrote::Nothing {
            self.virtuals.wrote = Wrote::Pending;
        }
        self.forget_stored(access, &location);
        self.heap.insert(Entry { location, access, scalar: Scalar::Word, value: stored, carried: None });
        true
    }

    fn resolve_put_off(&self, value: Opnd) -> Option<Opnd> {
        let value = self.resolve(value);
        self.virtuals.get(value).map(|_| value)
    }

    /// A place is about to be written: what is pending for it is not needed any more, and what touches it is done.
    pub(crate) fn before_write(&mut self, access: AccessId, location: &Location) {
        if self.virtuals.pending.is_empty() {
            return;
        }
        let bytes = self.program.access(access).scalar.bytes();
        self.virtuals.pending.retain(|store| location.overlap(bytes, &store.location, 8) != Overlap::Same);
        self.before_read(access, location);
    }

    /// Memory is about to be read: does what is pending there.
    pub(crate) fn before_read(&mut self, access: AccessId, location: &Location) {
        let program = self.program;
        let read = program.access(access);
        let touches = |store: &&Pending| {
            self.may_touch(program, (read, location), (program.access(store.access), &store.location))
                && !self.are_apart((location, read.scalar.bytes()), (&store.location, 8))
        };
        let touched: SmallVec<[Value; 4]> =
            short(self.virtuals.pending.iter().filter(touches).map(|store| store.place));
        if !touched.is_empty() {
            self.store_pending(|store| touched.contains(&store.place));
        }
    }

    /// Classes of memory are about to be touched.
    pub(crate) fn before_touching(&mut self, classes: &ClassSet) {
        let program = self.program;
        self.store_unless_private(|store| classes.touches(program.access(store.access), &program.classes));
    }

    /// Does pending stores but those to local memory of which nobody else knows an address.
    pub(crate) fn store_pending_for_others(&mut self) {
        self.store_unless_private(|_| true);
    }

    fn store_unless_private(&mut self, which: impl Fn(&Pending) -> bool) {
        // What is made for one may let others know the address that another is to be done at.
        loop {
            let for_others = |store: &&Pending| which(store) && !store.location.is_private(8, &self.locals);
            let places: SmallVec<[Value; 8]> =
                short(self.virtuals.pending.iter().filter(for_others).map(|store| store.place));
            if places.is_empty() {
                return;
            }
            self.store_pending(|store| places.contains(&store.place));
        }
    }

    /// Does pending stores.
    pub(crate) fn store_pending(&mut self, which: impl Fn(&Pending) -> bool) {
        let mut n = 0;
        while n < self.virtuals.pending.len() {
            if !which(&self.virtuals.pending[n]) {
                n += 1;
                continue;
            }
            let Pending { access, mut args, location, value, .. } = self.virtuals.pending.remove(n);
            self.need(value);
            let address = args.clone();
            let op = if args.len() == 2 { TraceOp::SetElem } else { TraceOp::SetField };
            args.push(value);
            let (attached, results) = (Attached::Access(access), SmallVec::new());
            self.note_escapes(op, &args);
            self.written.insts.push(Inst { op, args, attached, results, snapshot: None });
            if location.base != Base::Local {
                self.push_barrier(access, &address);
            }
        }
    }

    /// Tells the collector of a store.
    fn push_barrier(&mut self, access: AccessId, address: &Args) {
        let offset = self.program.access(access).offset.get();
        let mut stored_to = address[0];
        if offset != 0 || address.len() == 2 {
            let op = if address.len() == 2 { TraceOp::InteriorElem } else { TraceOp::InteriorField };
            let value = self.new_value(Kind::Word, None, Fact::ANY);
            let (args, results) = (address.clone(), SmallVec::from_slice(&[value]));
            let attached = Attached::Access(access);
            self.written.insts.push(Inst { op, args, attached, results, snapshot: None });
            stored_to = value.into();
        }
        let (op, args) = (TraceOp::Barrier, SmallVec::from_slice(&[stored_to]));
        let (attached, results) = (Attached::None, SmallVec::new());
        self.written.insts.push(Inst { op, args, attached, results, snapshot: None });
    }

    /// Does pending stores of which it is not known any more what they leave in memory.
    pub(crate) fn store_pending_unknown(&mut self) {
        let known: Vec<Location> = self.heap.entries().iter().map(|entry| entry.location).collect();
        self.store_pending(|store| !known.contains(&store.location));
    }

    /// Describes pending stores.
    pub(crate) fn describe_pending(&self, described: &mut Vec<(Value, Virtual)>) {
        for store in &self.virtuals.pending {
            let value = self.resolve(store.value);
            let base = self.resolve(store.args[0]);
            let index = store.args.get(1).and_then(|index| index.as_const());
            let field = VirtualField { access: store.access, base: 0, index, value };
            let made = Virtual {
                op: TraceOp::Pure(PureOp::IntAdd),
                attached: Attached::None,
                args: SmallVec::from_slice(&[base, Opnd::Word(0)]),
                fields: vec![field],
            };
            described.push((store.place, made));
            self.describe_one(value, described);
        }
    }
}
