//! Where accesses go, and what memory holds.
//!
//! A [`Location`] is an address as a sum: a base, an index times a stride, and a number of bytes, all modulo 2^64. Two
//! locations with equal base and index are compared exactly by their bytes; others by their descriptors
//! ([`descr::may_alias`]) and by what their bases are: nothing that was there before points into memory that is allocated
//! later, nor into local memory whose address went nowhere ([`Locals`]). [`Heap`] holds what is known of memory at a point of
//! a trace: entries are right as long as every store and call since is reported to it.

use metatrace_defs::descr::{self, Access, Scalar};
use metatrace_defs::{AccessId, Program, PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Value};
use smallvec::SmallVec;

/// What a location starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// Address 0.
    Absolute,
    /// The local memory of the trace frame.
    Local,
    /// A value.
    Value(Value),
}

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub base: Base,
    /// A value and the number of bytes that it counts.
    pub index: Option<(Value, u64)>,
    pub offset: u64,
    /// The slot that it is in, if it is in local memory.
    pub slot: Slot,
}

/// A slot of local memory, as an activation has it: where it starts and ends, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub start: u64,
    pub end: u64,
    /// The activation, 0 if it is one of those that were there where the trace starts.
    pub activation: u64,
}

impl Slot {
    /// That of an operation that gives its address.
    fn of(args: &[Opnd]) -> Option<Slot> {
        let &[Opnd::Word(start), Opnd::Word(size), Opnd::Word(activation)] = args else { return None };
        Some(Slot { start, end: start.saturating_add(size), activation })
    }

    /// The operands of an operation that gives its address.
    pub fn operands(self) -> [Opnd; 3] {
        [self.start, self.end - self.start, self.activation].map(Opnd::Word)
    }

    fn piece(self) -> Piece {
        (self.start, self.end)
    }
}

/// A piece of local memory: where it starts and ends, in bytes.
type Piece = (u64, u64);

/// What is known of who else knows addresses of local memory.
///
/// An address of a slot leads to no byte outside of it. Activations that follow each other have their slots in the same memory, so
/// that what is in a slot tells nothing of what another one holds there: not even the classes of accesses do.
#[derive(Clone, Debug)]
pub(crate) struct Locals {
    /// From this byte on, nobody knew an address before the trace but those of `escaped`. So it is everywhere at a merge point,
    /// across which no local memory lives, and behind the open activations at a guard.
    new_from: u64,
    /// The slots whose address others may know, and since when: what came to be before is not that address.
    escaped: Vec<(Slot, usize)>,
}

/// What a value may be an address in.
enum Reaches {
    Nothing,
    /// The slot that was asked for.
    Slot,
    /// Another one, which had the same memory.
    Another,
}

impl Locals {
    /// Of a trace where so much local memory is in use at the start, or any.
    pub fn new(in_use: Option<u64>) -> Locals {
        Locals { new_from: in_use.unwrap_or(u64::MAX), escaped: vec![] }
    }

    /// Of a trace that goes on where these are known.
    pub fn before(&self) -> Locals {
        let escaped = self.escaped.iter().map(|&(slot, _)| (slot, 0)).collect();
        Locals { new_from: self.new_from, escaped }
    }

    /// Whether there was no local memory before the trace and those that it is a bridge of, so that all of it ends with them.
    pub fn are_new(&self) -> bool {
        self.new_from == 0
    }

    /// Whether nobody but the trace knows an address in a piece.
    fn are_private(&self, piece: Piece) -> bool {
        self.new_from <= piece.0 && self.escaped.iter().all(|&(slot, _)| are_disjoint(slot.piece(), piece))
    }

    /// What of a piece of a slot is reached by a value that came to be then.
    fn reached(&self, piece: Piece, slot: Slot, birth: usize) -> Reaches {
        let mut reaches = Reaches::Nothing;
        if piece.0 < self.new_from {
            if slot.activation != 0 {
                return Reaches::Another;
            }
            reaches = Reaches::Slot;
        }
        for &(other, since) in &self.escaped {
            if since <= birth && !are_disjoint(other.piece(), piece) {
                if other != slot {
                    return Reaches::Another;
                }
                reaches = Reaches::Slot;
            }
        }
        reaches
    }

    /// From now on others may know an address in a slot.
    pub fn escape(&mut self, slot: Slot, now: usize) {
        match self.escaped.iter_mut().find(|(other, _)| *other == slot) {
            Some((_, since)) => *since = now.min(*since),
            None => self.escaped.push((slot, now)),
        }
    }
}

fn are_disjoint(a: Piece, b: Piece) -> bool {
    a.1 <= b.0 || b.1 <= a.0
}

/// The operands of an operation by which an address becomes known to others, or something else than an address plus a constant.
/// Addresses that memory is accessed by do not.
fn escaping(op: TraceOp, args: &[Opnd]) -> &[Opnd] {
    match op {
        TraceOp::Pure(PureOp::IntAdd) if args.iter().any(|arg| arg.as_const().is_some()) => &[],
        TraceOp::Pure(op) if op.is_bool() => &[],
        TraceOp::GetField
        | TraceOp::GetFieldFrozen
        | TraceOp::GetElem
        | TraceOp::GetElemFrozen
        | TraceOp::SetField
        | TraceOp::SetElem
        | TraceOp::InteriorField
        | TraceOp::InteriorElem => &args[1..],
        TraceOp::GuardTrue
        | TraceOp::GuardFalse
        | TraceOp::GuardNotPending
        | TraceOp::LocalAddr
        | TraceOp::Barrier
        | TraceOp::CountMergePoints => &[],
        TraceOp::Pure(_)
        | TraceOp::GuardValue
        | TraceOp::GuardFloatValue
        | TraceOp::New
        | TraceOp::NewArray
        | TraceOp::Make
        | TraceOp::MakeArray
        | TraceOp::Free
        | TraceOp::FreeArray
        | TraceOp::Call
        | TraceOp::CallElidable
        | TraceOp::CallAssembler
        | TraceOp::Label
        | TraceOp::Jump
        | TraceOp::Finish => args,
    }
}

/// The least address that an object may have: what is compared with less is tested for being no address.
const LEAST_ADDRESS: u64 = 4096;

/// Whether an operation may find that an address is some other word that was there before: addresses of memory that was given back
/// may be compared, but nothing is behind them.
pub(crate) fn compares(op: TraceOp, args: &[Opnd]) -> bool {
    matches!(op, TraceOp::GuardValue | TraceOp::Pure(PureOp::IntEq | PureOp::IntNe))
        && args.iter().all(|arg| arg.as_const().is_none_or(|word| word >= LEAST_ADDRESS))
}

/// How the bytes at two locations lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overlap {
    Same,
    Partial,
    Disjoint,
    Unknown,
}

/// What defines the values of a trace.
pub(crate) trait Definitions {
    /// The operand that stands for this one now.
    fn resolve(&self, opnd: Opnd) -> Opnd;
    /// The operation that yields a value.
    fn definition(&self, value: Value) -> Option<(TraceOp, Attached, &[Opnd])>;
    /// When a value came to be, and whether it is the address of what was allocated then.
    fn birth(&self, value: Value) -> (usize, bool);
    /// Who knows addresses of local memory.
    fn locals(&self) -> &Locals;

    /// Whether two values are addresses of different objects, or a value is none at a constant address.
    fn are_of_different_objects(&self, a: Base, b: Base) -> bool {
        match (a, b) {
            (Base::Value(a), Base::Value(b)) if a != b => {
                let ((a, a_is_fresh), (b, b_is_fresh)) = (self.birth(a), self.birth(b));
                (a_is_fresh && (b < a || b_is_fresh)) || (b_is_fresh && a < b)
            }
            (Base::Absolute, Base::Value(value)) | (Base::Value(value), Base::Absolute) => {
                self.birth(value).1
            }
            _ => false,
        }
    }

    /// The slots of local memory of which others know addresses by an operation, and whether what was there before may be such an
    /// address.
    fn escapes(&self, program: &Program, op: TraceOp, args: &[Opnd]) -> SmallVec<[(Slot, bool); 2]> {
        let mut found = SmallVec::new();
        let mut add = |arg: Opnd, of_old: bool| {
            let location = arg.as_value().map(|_| self.normal_location(program, Some(arg), None, 0));
            found.extend(location.filter(|at| at.base == Base::Local).map(|at| (at.slot, of_old)));
        };
        escaping(op, args).iter().for_each(|&arg| add(arg, false));
        if compares(op, args) {
            args.iter().for_each(|&arg| add(arg, true));
        }
        // A location has one index: what is behind another one is not told from other addresses.
        if let (
            TraceOp::GetElem | TraceOp::GetElemFrozen | TraceOp::SetElem | TraceOp::InteriorElem,
            [base, index, ..],
        ) = (op, args)
            && index.as_const().is_none()
            && base.as_value().is_some()
            && self.normal_location(program, Some(*base), None, 0).index.is_some()
        {
            add(*base, true);
        }
        found
    }

    /// Whether an access at a location may touch what another touches.
    fn may_touch(&self, program: &Program, a: (&Access, &Location), b: (&Access, &Location)) -> bool {
        let (bytes, other_bytes) = (a.0.scalar.bytes(), b.0.scalar.bytes());
        match a.1.overlap(bytes, b.1, other_bytes) {
            Overlap::Same | Overlap::Partial => true,
            Overlap::Disjoint => false,
            Overlap::Unknown => {
                let by_class = descr::may_alias(a.0, b.0, &program.classes);
                match (a.1.base, b.1.base) {
                    (Base::Local, Base::Local) => {
                        let are_apart = are_disjoint(a.1.piece(bytes), b.1.piece(other_bytes));
                        !are_apart && (by_class || a.1.slot != b.1.slot)
                    }
                    (Base::Local, Base::Value(value)) => self.reaches(value, a.1, bytes, by_class),
                    (Base::Value(value), Base::Local) => self.reaches(value, b.1, other_bytes, by_class),
                    (Base::Local, Base::Absolute) => by_class && !a.1.is_private(bytes, self.locals()),
                    (Base::Absolute, Base::Local) => by_class && !b.1.is_private(other_bytes, self.locals()),
                    (of_a, of_b) => by_class && !self.are_of_different_objects(of_a, of_b),
                }
            }
        }
    }

    /// Whether an access by a value may touch local memory, where their classes tell whether it may if it is in the same slot.
    fn reaches(&self, value: Value, local: &Location, bytes: usize, by_class: bool) -> bool {
        let (birth, is_fresh) = self.birth(value);
        match self.locals().reached(local.piece(bytes), local.slot, birth) {
            Reaches::Nothing => false,
            _ if is_fresh => false,
            Reaches::Slot => by_class,
            Reaches::Another => true,
        }
    }

    /// A word as a value plus a constant.
    fn linear(&self, opnd: Opnd) -> (Option<Value>, u64) {
        let (mut opnd, mut sum) = (opnd, 0u64);
        loop {
            match self.resolve(opnd) {
                Opnd::Word(word) | Opnd::Float(word) => return (None, sum.wrapping_add(word)),
                Opnd::Value(value) => match self.definition(value) {
                    Some((TraceOp::Pure(PureOp::IntAdd), _, &[x, Opnd::Word(word)])) => {
                        (opnd, sum) = (x, sum.wrapping_add(word));
                    }
                    _ => return (Some(value), sum),
                },
            }
        }
    }

    /// Where an access with these address operands goes.
    fn location(&self, program: &Program, access: &Access, address: &[Opnd]) -> Location {
        let index = access.stride.and_then(|stride| Some((*address.get(1)?, stride.get())));
        self.normal_location(program, Some(address[0]), index, access.offset.get())
    }

    /// The location of a base (none for local memory), an index with its stride, and an offset, with constants taken out
    /// of all of them and addresses inside objects taken apart.
    fn normal_location(
        &self,
        program: &Program,
        base: Option<Opnd>,
        index: Option<(Opnd, u64)>,
        offset: u64,
    ) -> Location {
        let mut location = Location { base: Base::Absolute, index: None, offset, slot: Slot::default() };
        location.add_index(self, index);
        let Some(mut base) = base else {
            return Location { base: Base::Local, ..location };
        };
        loop {
            let (value, constant) = self.linear(base);
            location.offset = location.offset.wrapping_add(constant);
            let Some(value) = value else { return location };
            match self.definition(value) {
                Some((TraceOp::InteriorField | TraceOp::InteriorElem, Attached::Access(id), args))
                    if location.index.is_none()
                        || program.access(id).stride.is_none()
                        || args.get(1).is_some_and(|&index| self.resolve(index).as_const().is_some()) =>
                {
                    let access = program.access(id);
                    location.offset = location.offset.wrapping_add(access.offset.get());
                    let index = access.stride.and_then(|stride| Some((*args.get(1)?, stride.get())));
                    location.add_index(self, index);
                    base = args[0];
                }
                Some((TraceOp::LocalAddr, _, args)) => {
                    location.slot = Slot::of(args).expect("a verified slot is constant");
                    location.offset = location.offset.wrapping_add(location.slot.start);
                    location.base = Base::Local;
                    return location;
                }
                _ => {
                    location.base = Base::Value(value);
                    return location;
                }
            }
        }
    }
}

impl Location {
    /// Where the bytes are of an access in local memory.
    fn piece(&self, bytes: usize) -> Piece {
        if self.index.is_some() {
            self.slot.piece()
        } else {
            (self.offset, self.offset.saturating_add(bytes as u64))
        }
    }

    /// Whether it is in local memory of which nobody but the trace knows an address.
    pub fn is_private(&self, bytes: usize, locals: &Locals) -> bool {
        self.base == Base::Local && locals.are_private(self.piece(bytes))
    }

    fn add_index(&mut self, defs: &(impl Definitions + ?Sized), index: Option<(Opnd, u64)>) {
        if let Some((index, stride)) = index {
            let (value, constant) = defs.linear(index);
            self.offset = self.offset.wrapping_add(constant.wrapping_mul(stride));
            self.index = value.map(|value| (value, stride)).or(self.index);
        }
    }

    /// How `bytes` here and `other_bytes` there overlap.
    pub fn overlap(&self, bytes: usize, other: &Location, other_bytes: usize) -> Overlap {
        if self.base != other.base || self.index != other.index {
            return Overlap::Unknown;
        }
        let distance = other.offset.wrapping_sub(self.offset);
        if distance == 0 && bytes == other_bytes {
            Overlap::Same
        } else if distance >= bytes as u64 && distance.wrapping_neg() >= other_bytes as u64 {
            Overlap::Disjoint
        } else {
            Overlap::Partial
        }
    }
}

/// What one location is known to hold.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub location: Location,
    /// How it was accessed.
    pub access: AccessId,
    /// How the scalar stands in memory.
    pub scalar: Scalar,
    /// What was read or written there; of a narrow scalar, its low bits.
    pub value: Opnd,
    /// If the entry was known at the label of the loop: which of its entries.
    pub carried: Option<usize>,
}

/// What memory is known to hold.
#[derive(Clone, Default)]
pub(crate) struct Heap {
    entries: Vec<Entry>,
    /// The carried entries that something relied on.
    pub used: Vec<usize>,
}

/// The most entries kept: a bound on the time that a store takes. The oldest goes first.
const MOST_ENTRIES: usize = 256;

impl Heap {
    /// The entries, the newest last.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is known of `bytes` bytes at a location; `relied_on` tells that something will depend on it.
    pub fn find(&mut self, location: &Location, bytes: usize, relied_on: bool) -> Option<&Entry> {
        let found =
            self.entries.iter().rev().find(|entry| {
                entry.location.overlap(entry.scalar.bytes(), location, bytes) == Overlap::Same
            })?;
        if relied_on {
            self.used.extend(found.carried);
        }
        Some(found)
    }

    /// What is known of a wider word at a location, of which `bytes` bytes are read: its low bits.
    pub fn find_wider(&mut self, location: &Location, bytes: usize) -> Option<&Entry> {
        let found = self.entries.iter().rev().find(|entry| {
            let wider = entry.scalar.bytes();
            entry.scalar != Scalar::Float
                && wider > bytes
                && entry.location.overlap(wider, location, wider) == Overlap::Same
        })?;
        self.used.extend(found.carried);
        Some(found)
    }

    /// Adds what a read gave, or, after [`Heap::store`], what was written.
    pub fn insert(&mut self, entry: Entry) {
        if self.entries.len() == MOST_ENTRIES {
            self.entries.remove(0);
        }
        self.entries.push(entry);
    }

    /// Forgets what a store may change, which touches what `touches` says.
    pub fn store(&mut self, touches: impl Fn(&Entry) -> bool) {
        self.entries.retain(|entry| !touches(entry));
    }

    /// Forgets what a call may change.
    pub fn call(&mut self, program: &Program, locals: &Locals, writes: &descr::ClassSet) {
        self.entries.retain(|entry| {
            entry.location.is_private(entry.scalar.bytes(), locals)
                || !writes.touches(program.access(entry.access), &program.classes)
        });
    }

    /// Forgets what any store or call among operations may change, wherever it goes.
    pub fn forget_effects(&mut self, program: &Program, insts: &[Inst]) {
        // Of local memory nothing is known round a loop: others have it in between.
        self.entries.retain(|entry| entry.location.base != Base::Local);
        for inst in insts {
            match (inst.op, inst.attached) {
                (TraceOp::SetField | TraceOp::SetElem, Attached::Access(id)) => {
                    let written = program.access(id);
                    self.entries.retain(|entry| {
                        !descr::may_alias(program.access(entry.access), written, &program.classes)
                    });
                }
                (TraceOp::Call | TraceOp::CallAssembler, Attached::Call(id)) => {
                    self.call(program, &Locals::new(None), &program.call(id).writes)
                }
                _ => {}
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}
