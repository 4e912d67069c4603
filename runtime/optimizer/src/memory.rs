//! Where accesses go, and what memory holds.
//!
//! A [`Location`] is an address as a sum: a base, an index times a stride, and a number of bytes, all modulo 2^64. Two
//! locations with equal base and index are compared exactly by their bytes; others by their descriptors alone
//! ([`descr::may_alias`]). [`Heap`] holds what is known of memory at a point of a trace: entries are right as long as
//! every store and call since is reported to it.

use metatrace_defs::descr::{self, Access, Scalar};
use metatrace_defs::{AccessId, Program, PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Value};

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
        let mut location = Location { base: Base::Absolute, index: None, offset };
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
                    if location.index.is_none() || program.access(id).stride.is_none() =>
                {
                    let access = program.access(id);
                    location.offset = location.offset.wrapping_add(access.offset.get());
                    let index = access.stride.and_then(|stride| Some((*args.get(1)?, stride.get())));
                    location.add_index(self, index);
                    base = args[0];
                }
                Some((TraceOp::LocalAddr, _, &[Opnd::Word(bytes)])) => {
                    location.offset = location.offset.wrapping_add(bytes);
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

/// Whether an access at a location may touch what another touches.
pub(crate) fn may_touch(program: &Program, a: (&Access, &Location), b: (&Access, &Location)) -> bool {
    match a.1.overlap(a.0.scalar.bytes(), b.1, b.0.scalar.bytes()) {
        Overlap::Same | Overlap::Partial => true,
        Overlap::Disjoint => false,
        Overlap::Unknown => descr::may_alias(a.0, b.0, &program.classes),
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

    /// Forgets what a store may change. `are_apart` tells of a location and a number of bytes whether they are known to be
    /// elsewhere.
    pub fn store(
        &mut self,
        program: &Program,
        access: &Access,
        location: &Location,
        are_apart: impl Fn(&Location, usize) -> bool,
    ) {
        self.entries.retain(|entry| {
            !may_touch(program, (access, location), (program.access(entry.access), &entry.location))
                || are_apart(&entry.location, entry.scalar.bytes())
        });
    }

    /// Forgets what a call may change.
    pub fn call(&mut self, program: &Program, writes: &descr::ClassSet) {
        self.entries.retain(|entry| !writes.touches(program.access(entry.access), &program.classes));
    }

    /// Forgets what any store or call among operations may change, wherever it goes.
    pub fn forget_effects(&mut self, program: &Program, insts: &[Inst]) {
        for inst in insts {
            match (inst.op, inst.attached) {
                (TraceOp::SetField | TraceOp::SetElem, Attached::Access(id)) => {
                    let written = program.access(id);
                    self.entries.retain(|entry| {
                        !descr::may_alias(program.access(entry.access), written, &program.classes)
                    });
                }
                (TraceOp::Call | TraceOp::CallAssembler, Attached::Call(id)) => {
                    self.call(program, &program.call(id).writes)
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
