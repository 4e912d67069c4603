//! Objects that are not made: allocation removal.
//!
//! In: the operations of the forward walk, one by one. An object that a `new` (or `new_array` of few elements) would make is
//! *put off*: what is written to it is kept as operands by the bytes where it stands, reads give these operands, and
//! neither calls nor stores elsewhere touch them, for nobody else has the object's address. What is computed of its address
//! (addresses inside it, tagged words) is put off with it. `free` and `barrier` of such an object are nothing.
//!
//! What is put off is *made* where something needs it as a word: another memory gets it, a call, a guard, a jump. Then its
//! operations are written there: first what its fields hold, then the object, then its stores; where objects hold each other, the
//! first is made empty. A value keeps its number when it is made, so nothing that names it changes. Snapshots need nothing: they
//! *describe* what is put off.
//!
//! Where an object is made memory may be half-written as a collector sees it (a tag, but not yet what it tells of), so it is
//! made by `make`, which collects nothing.
//!
//! Relies on: fresh memory holds anything (plain) or zero (collected), so that a read of what was not written gives zero.
//! Allocations do not fail; that one took from the heap's reserve is reported by the next `guard_not_pending` of an allocation, which
//! therefore stays as long as something was made that no guard has reported.

use metatrace_defs::alloc::Memory;
use metatrace_defs::descr::{Scalar, access_flag};
use metatrace_defs::{Access, AccessId, Alloc, Kind, Program, PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Snapshot, Trace, Value, Virtual, VirtualField};
use smallvec::SmallVec;

use crate::facts::Fact;
use crate::forward::{Args, Forward};
use crate::hash::Map;
use crate::memory::{Base, Definitions, Entry, Location, Slot};
use crate::pending::{Pending, Wrote};

/// No object with more bytes is put off.
const MOST_BYTES: u64 = 1024;
/// No object with more fields that were written is put off.
const MOST_FIELDS: usize = 128;

/// What is written to an object at some bytes.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Bytes from the object's address.
    pub offset: u64,
    /// How it was written.
    pub access: AccessId,
    pub scalar: Scalar,
    pub value: Opnd,
}

/// An object that is not made.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// `new` or `new_array`.
    pub op: TraceOp,
    pub attached: Attached,
    /// The length of an array.
    pub args: Args,
    /// Ascending by offset; they do not overlap.
    pub fields: Vec<Field>,
}

/// What is put off.
#[derive(Clone, Debug)]
pub(crate) enum PutOff {
    Object(Object),
    /// An operation of which something that is put off is an operand.
    Operation {
        op: TraceOp,
        attached: Attached,
        args: Args,
    },
}

/// What is put off, and what is known of what was made.
#[derive(Clone)]
pub(crate) struct Virtuals {
    put_off: Map<Value, PutOff>,
    /// Objects that are being made, and whether their `new` is written.
    in_progress: Vec<(Value, bool)>,
    /// Objects that nothing was collected since.
    young: Vec<Value>,
    /// An object of the collected heap was made, or may have been before the trace was entered, and no guard has asked since
    /// whether there was memory for it.
    pub unreported: bool,
    /// Stores that are not done.
    pub pending: Vec<Pending>,
    /// What references were written to since the last barrier.
    pub wrote: Wrote,
}

impl Default for Virtuals {
    fn default() -> Virtuals {
        Virtuals {
            put_off: Map::default(),
            in_progress: vec![],
            young: vec![],
            unreported: true,
            pending: vec![],
            wrote: Wrote::Nothing,
        }
    }
}

impl Virtuals {
    /// What is put off for a value.
    pub fn get(&self, opnd: Opnd) -> Option<&PutOff> {
        if self.put_off.is_empty() {
            return None;
        }
        self.put_off.get(&opnd.as_value()?)
    }

    /// The object that is not made.
    pub fn object(&self, opnd: Opnd) -> Option<&Object> {
        match self.get(opnd) {
            Some(PutOff::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// Whether nothing is put off.
    pub fn is_empty(&self) -> bool {
        self.put_off.is_empty()
    }

    /// Puts something off.
    pub fn put_off(&mut self, value: Value, what: PutOff) {
        self.put_off.insert(value, what);
    }

    /// Something may be collected now: what is young was made before.
    pub fn collects(&mut self) {
        self.young.clear();
    }
}

impl Object {
    /// The place of the field that stands exactly there.
    fn find(&self, offset: u64, bytes: usize) -> Option<usize> {
        self.fields.iter().position(|field| field.offset == offset && field.scalar.bytes() == bytes)
    }

    /// The fields that some bytes overlap.
    fn overlapping(&self, offset: u64, bytes: usize) -> impl Iterator<Item = &Field> {
        let end = offset.wrapping_add(bytes as u64);
        self.fields.iter().filter(move |field| {
            field.offset < end && offset < field.offset.wrapping_add(field.scalar.bytes() as u64)
        })
    }

    /// What a read of bytes gives at which no field of that size stands: the low bits of a wider one, the length, or what fresh
    /// memory holds. Nothing if it would take more than one field.
    fn inexact(&self, program: &Program, offset: u64, scalar: Scalar) -> Option<(Opnd, Scalar)> {
        let mut overlapping = self.overlapping(offset, scalar.bytes());
        match (overlapping.next(), overlapping.next()) {
            (None, _) => {
                let length = alloc_of(program, self.attached).elements.and_then(|e| e.length);
                let is_length = length.is_some_and(|at| at.get() == offset) && scalar == Scalar::Word;
                let value = if is_length { self.args[0] } else { Opnd::constant(scalar.kind(), 0) };
                let overlaps_length = length.is_some_and(|at| {
                    offset < at.get().wrapping_add(8) && at.get() < offset.wrapping_add(scalar.bytes() as u64)
                });
                (is_length || !overlaps_length).then_some((value, scalar))
            }
            (Some(field), None)
                if field.offset == offset && scalar != Scalar::Float && field.scalar != Scalar::Float =>
            {
                (field.scalar.bytes() > scalar.bytes()).then_some((field.value, field.scalar))
            }
            _ => None,
        }
    }

    /// Sets the field that stands exactly at some bytes, in the place of all that lie within. Whether it could be done.
    fn set(&mut self, new: Field) -> bool {
        let (start, end) = (new.offset, new.offset.wrapping_add(new.scalar.bytes() as u64));
        let within =
            |field: &Field| field.offset >= start && field.offset + field.scalar.bytes() as u64 <= end;
        if !self.overlapping(start, new.scalar.bytes()).all(within) || end < start {
            return false;
        }
        self.fields.retain(|field| !within(field));
        let place = self.fields.partition_point(|field| field.offset < start);
        self.fields.insert(place, new);
        self.fields.len() <= MOST_FIELDS
    }
}

/// How an access that stands at `offset` of an object is done: bytes from the object to where it starts from, and the index.
pub(crate) fn way_to(access: &Access, offset: u64) -> (u64, Option<u64>) {
    let beyond = offset.wrapping_sub(access.offset.get());
    match access.stride.map(|stride| stride.get()) {
        Some(stride) if stride != 0 && beyond.is_multiple_of(stride) => (0, Some(beyond / stride)),
        Some(_) => (beyond, Some(0)),
        None => (beyond, None),
    }
}

impl Forward<'_> {
    /// The object whose address a location starts from, and the bytes from there, if it is not made and they are constant.
    fn in_object(&self, location: &Location) -> Option<(Value, u64)> {
        let Base::Value(base) = location.base else { return None };
        self.virtuals.object(base.into())?;
        location.index.is_none().then_some((base, location.offset))
    }

    /// Whether an allocation can be put off.
    pub(crate) fn can_put_off(&self, inst: &Inst, args: &[Opnd]) -> bool {
        let length = args.first().map_or(Some(0), |length| length.as_const());
        length.is_some_and(|length| self.program.alloc(inst.alloc()).bytes(length) <= MOST_BYTES)
    }

    /// Puts an allocation off; nothing if it has to be done.
    pub(crate) fn put_off_allocation(
        &mut self,
        inst: &Inst,
        args: &Args,
        recorded: Option<u64>,
    ) -> Option<Opnd> {
        if !self.can_put_off(inst, args) {
            return None;
        }
        let alloc = self.program.alloc(inst.alloc());
        let op = if args.is_empty() { TraceOp::New } else { TraceOp::NewArray };
        let object = Object { op, attached: inst.attached, args: args.clone(), fields: vec![] };
        let value = self.new_value(Kind::Word, recorded, address_of(alloc));
        self.is_fresh(value);
        self.virtuals.put_off(value, PutOff::Object(object));
        self.counts.virtuals += 1;
        Some(value.into())
    }

    /// Reads from an object that is not made.
    pub(crate) fn load_put_off(&mut self, access: &Access, location: &Location) -> Option<Opnd> {
        let (base, offset) = self.in_object(location)?;
        let object = self.virtuals.object(base.into())?;
        let scalar = access.scalar;
        if let Some(n) = object.find(offset, scalar.bytes()) {
            let (value, from) = (object.fields[n].value, object.fields[n].scalar);
            let value = self.resolve(value);
            self.counts.loads += 1;
            return Some(self.read_back(value, from, scalar));
        }
        let found = object.inexact(self.program, offset, scalar);
        match found {
            Some((value, from)) => {
                self.counts.loads += 1;
                let value = self.resolve(value);
                Some(self.read_back(value, from, scalar))
            }
            None => {
                self.make(base);
                None
            }
        }
    }

    /// Writes to an object that is not made. Whether that was done.
    pub(crate) fn store_put_off(&mut self, id: AccessId, location: &Location, value: Opnd) -> bool {
        let Some((base, offset)) = self.in_object(location) else { return false };
        let access = self.program.access(id);
        if let Opnd::Value(stored) = self.resolve(value)
            && access.flags & access_flag::LENGTH != 0
        {
            self.refine(stored, Fact::of_access(access));
        }
        let new = Field { offset, access: id, scalar: access.scalar, value };
        if let Some(PutOff::Object(object)) = self.virtuals.put_off.get_mut(&base)
            && object.set(new)
        {
            self.counts.stores += 1;
            return true;
        }
        self.make(base);
        false
    }

    /// Gives an object back that is not made. Whether it was not.
    pub(crate) fn free_put_off(&mut self, address: Opnd) -> bool {
        let Some(value) = address.as_value() else { return false };
        match self.virtuals.put_off.get_mut(&value) {
            Some(PutOff::Object(object)) => {
                self.virtuals.pending.retain(|store| store.value != address);
                // Nobody reads it any more, but a register may still hold its address.
                object.fields.clear();
                true
            }
            _ => false,
        }
    }

    /// Whether a barrier for an address tells the collector nothing.
    pub(crate) fn needs_no_barrier(&self, address: Opnd) -> bool {
        match self.normal_location(self.program, Some(address), None, 0).base {
            Base::Value(base) => {
                self.virtuals.object(base.into()).is_some() || self.virtuals.young.contains(&base)
            }
            Base::Local => true,
            Base::Absolute => false,
        }
    }

    /// Whether two words are known to differ, because one is the address of an object that is not made and the other has nothing
    /// to do with it.
    pub(crate) fn are_known_apart(&self, a: Opnd, b: Opnd) -> bool {
        let (of_a, of_b) = (self.address_in(a), self.address_in(b));
        match (of_a, of_b) {
            (Some(a), Some(b)) => a != b && self.virtuals.get(b.into()).is_some(),
            (Some(_), None) => self.virtuals.get(b).is_none(),
            (None, Some(_)) => self.virtuals.get(a).is_none(),
            (None, None) => false,
        }
    }

    /// The object that is not made whose address, perhaps with a tag in bits that it has not, a word is.
    fn address_in(&self, opnd: Opnd) -> Option<Value> {
        match self.virtuals.get(opnd)? {
            PutOff::Object(_) => opnd.as_value(),
            PutOff::Operation { op: TraceOp::Pure(PureOp::IntOr | PureOp::IntAdd), args, .. } => {
                let (&[x, Opnd::Word(tag)] | &[Opnd::Word(tag), x]) = &args[..] else { return None };
                let object = self.address_in(self.resolve(x))?;
                (self.fact_of(x).zeros & tag == tag).then_some(object)
            }
            PutOff::Operation { .. } => None,
        }
    }

    /// Whether an operation is to be put off: it can be done at any time, and an operand is put off.
    pub(crate) fn is_put_off(&self, op: TraceOp, args: &[Opnd]) -> bool {
        let may_wait = match op {
            TraceOp::Pure(op) => !op.is_partial(),
            TraceOp::InteriorField | TraceOp::InteriorElem => true,
            _ => false,
        };
        may_wait && args.iter().any(|&arg| self.virtuals.get(arg).is_some())
    }

    /// Makes an operand, if it is put off.
    pub(crate) fn need(&mut self, opnd: Opnd) {
        if let Opnd::Value(value) = self.resolve(opnd) {
            self.make(value);
        }
    }

    /// Makes all that `source` uses from operation `at` on, a label: behind it nothing is put off that was before it.
    pub(crate) fn need_for(&mut self, source: &Trace, at: usize, map: &[Opnd]) {
        self.virtuals.collects();
        self.virtuals.unreported = true;
        self.store_pending(|_| true);
        if self.virtuals.is_empty() {
            return;
        }
        for inst in &source.insts[at..] {
            let snapshot = inst.snapshot.map(|id| &source.snapshots[id.index()]);
            let handed = snapshot.into_iter().flat_map(|snapshot| snapshot.operands());
            for opnd in inst.args.iter().copied().chain(handed) {
                if let Opnd::Value(value) = opnd {
                    self.need(map[value.index()]);
                }
            }
        }
    }

    /// Makes all that is put off.
    pub(crate) fn make_all(&mut self) {
        let mut all: Vec<Value> = self.virtuals.put_off.keys().copied().collect();
        all.sort_unstable();
        all.into_iter().for_each(|value| self.make(value));
    }

    /// Makes what is put off for a value, if anything is.
    fn make(&mut self, value: Value) {
        if let Some(n) = self.virtuals.in_progress.iter().position(|&(of, _)| of == value) {
            self.write_new(n);
            return;
        }
        match self.virtuals.put_off.get(&value).cloned() {
            None => {}
            Some(PutOff::Operation { op, attached, args }) => {
                args.iter().for_each(|&arg| self.need(arg));
                if self.virtuals.put_off.remove(&value).is_none() {
                    // An object that it is computed of holds it too.
                    return;
                }
                let args = args.iter().map(|&arg| self.resolve(arg)).collect();
                self.written.insts.push(Inst {
                    op,
                    args,
                    attached,
                    results: SmallVec::from_slice(&[value]),
                    snapshot: None,
                });
            }
            Some(PutOff::Object(object)) => self.make_object(value, object),
        }
    }

    fn make_object(&mut self, value: Value, object: Object) {
        self.counts.made += 1;
        let n = self.virtuals.in_progress.len();
        self.virtuals.in_progress.push((value, false));
        self.virtuals.put_off.insert(value, PutOff::Object(Object { fields: vec![], ..object.clone() }));
        for field in &object.fields {
            self.need(field.value);
        }
        self.write_new(n);
        self.virtuals.in_progress.truncate(n);
        for field in &object.fields {
            self.store_made(value, field);
        }
    }

    /// Writes the allocation of an object that is being made.
    fn write_new(&mut self, n: usize) {
        let (value, is_written) = self.virtuals.in_progress[n];
        if is_written {
            return;
        }
        self.virtuals.in_progress[n].1 = true;
        if let Some(PutOff::Object(Object { op, attached, args, .. })) = self.virtuals.put_off.remove(&value)
        {
            let op = match op {
                op if !alloc_of(self.program, attached).is_collected() => op,
                TraceOp::NewArray => TraceOp::MakeArray,
                _ => TraceOp::Make,
            };
            self.push(op, attached, &args, &[value]);
            self.made(value, op, attached);
        }
    }

    /// An allocation was written.
    pub(crate) fn made(&mut self, value: Value, op: TraceOp, attached: Attached) {
        if alloc_of(self.program, attached).is_collected() {
            if op.may_collect() {
                self.virtuals.collects();
            }
            self.virtuals.unreported = true;
            self.virtuals.young.push(value);
        }
    }

    fn store_made(&mut self, object: Value, field: &Field) {
        let access = self.program.access(field.access);
        let (base, index) = way_to(access, field.offset);
        let mut address = Opnd::Value(object);
        if base != 0 {
            address = self.pure(PureOp::IntAdd, &[address, Opnd::Word(base)], None);
            self.need(address);
        }
        let value = self.resolve(field.value);
        let stored = self.narrowed(value, access.scalar);
        self.need(stored);
        let attached = Attached::Access(field.access);
        match index {
            Some(index) => {
                self.push(TraceOp::SetElem, attached, &[address, Opnd::Word(index), stored], &[]);
            }
            None => self.push(TraceOp::SetField, attached, &[address, stored], &[]),
        }
        let location =
            Location { base: Base::Value(object), index: None, offset: field.offset, slot: Slot::default() };
        let (access, scalar) = (field.access, field.scalar);
        self.heap.insert(Entry { location, access, scalar, value, carried: None });
    }

    /// Writes an operation whose operands are made.
    fn push(&mut self, op: TraceOp, attached: Attached, args: &[Opnd], results: &[Value]) {
        self.note_escapes(op, args);
        let (args, results) = (SmallVec::from_slice(args), SmallVec::from_slice(results));
        self.written.insts.push(Inst { op, args, attached, results, snapshot: None });
    }

    /// Describes what is put off and named by registers of a snapshot, or by what is described.
    pub(crate) fn describe(&self, snapshot: &mut Snapshot) {
        if self.virtuals.put_off.is_empty() {
            return;
        }
        let registers = snapshot.frames.iter().flat_map(|frame| &frame.registers);
        let named: SmallVec<[Opnd; 16]> = registers.map(|&(_, opnd)| opnd).collect();
        for opnd in named {
            self.describe_one(opnd, &mut snapshot.virtuals);
        }
    }

    pub(crate) fn describe_one(&self, opnd: Opnd, described: &mut Vec<(Value, Virtual)>) {
        let (Some(value), Some(put_off)) = (opnd.as_value(), self.virtuals.get(opnd)) else { return };
        if described.iter().any(|&(of, _)| of == value) {
            return;
        }
        match put_off {
            PutOff::Operation { op, attached, args } => {
                let args: SmallVec<[Opnd; 3]> = args.iter().map(|&arg| self.resolve(arg)).collect();
                args.iter().for_each(|&arg| self.describe_one(arg, described));
                // An object that it is computed of may hold it too.
                if described.iter().any(|&(of, _)| of == value) {
                    return;
                }
                described.push((value, Virtual { op: *op, attached: *attached, args, fields: vec![] }));
            }
            PutOff::Object(object) => {
                let fields: Vec<VirtualField> =
                    object.fields.iter().map(|field| self.described_field(field)).collect();
                let held: SmallVec<[Opnd; 8]> = fields.iter().map(|field| field.value).collect();
                let &Object { op, attached, ref args, .. } = object;
                described.push((value, Virtual { op, attached, args: args.clone(), fields }));
                held.iter().for_each(|&opnd| self.describe_one(opnd, described));
            }
        }
    }

    fn described_field(&self, field: &Field) -> VirtualField {
        let (base, index) = way_to(self.program.access(field.access), field.offset);
        let value = self.narrowed(field.value, field.scalar);
        VirtualField { access: field.access, base, index, value }
    }
}

/// The allocation that an operation carries.
pub(crate) fn alloc_of(program: &Program, attached: Attached) -> &Alloc {
    match attached {
        Attached::Alloc(id) => program.alloc(id),
        _ => panic!("an allocation carries {attached:?}"),
    }
}

/// What is known of the address of an object. Addresses have 48 bits: kernels give others only to those who ask for them.
fn address_of(alloc: &Alloc) -> Fact {
    let align = match alloc.memory {
        Memory::Collected { .. } => 8,
        Memory::Plain { align } => align.get().max(1),
    };
    Fact::unsigned(1, (1 << 48) - 1).meet(Fact::bits(align - 1, 0))
}
