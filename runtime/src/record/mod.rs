//! The recorder: the meta-interpreter as a domain of [`step`](crate::machine::step).
//!
//! In: the instructions that the interpreter executes. Out: [`Segment`]s of a trace. Every value is a [`Traced`]: what
//! it is now, and what stands for it in the trace. Operations on constants are folded; so are loads from frozen memory.
//!
//! A recording is cut into segments at each merge point behind a back edge whose greens are new: all that lives there are the
//! portal's parameters, so that a loop may be closed at any of them. Constants and cached loads end with a segment.
//!
//! Relies on, beside what the interpreter relies on: nothing of a value lives across the merge point of the outermost
//! activation but the parameters.
//!
//! Guarantees: a guard stands before the test it protects, with everything live there in its snapshot, or directly after a
//! call. Whenever a step is over, recording may be given up and the stack run on by the blackhole interpreter.

mod calls;
mod greens;
mod heap;
mod resumed;
mod segment;
mod session;
mod shared;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use metatrace_backend::alloc;
use metatrace_defs::descr::{Reach, access_flag, call_flag};
use metatrace_defs::jitcode::{Constant, JitCodeId, PortalId, SwitchTable};
use metatrace_defs::{Abort, AccessId, AllocId, CallId, Kind, PureOp, TraceOp};
use metatrace_trace::{Attached, CalledEntry, KnownWord, OpenPortal, Opnd, Value, short};

use smallvec::SmallVec;

use crate::loaded::Loaded;
use crate::machine::{Domain, Panic, Stack, Values, Way, call_native};
use crate::rt::ProgramGlue;
use crate::vm::owner::OwnerId;
use crate::vm::tables::{WordMap, WordSet};
use crate::vm::{VmState, log};
use heap::{HeapCache, Known};
use segment::Segment;
pub use session::{End, Session, kinds, merge_point_operands};
use shared::Shared;

/// A value while it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Traced {
    /// What it is, a float as its bits.
    pub bits: u64,
    /// What stands for it in the trace.
    pub opnd: Opnd,
    /// Whether it is an address of frozen memory, and whose.
    pub root: Root,
}

/// Why memory at an address is frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// It is not.
    None,
    /// It is a static.
    Static,
    /// It is content of the owner whose box is at this address.
    Owner(u64),
    /// It is in a collected object.
    Object,
}

impl Traced {
    fn constant(kind: Kind, bits: u64, root: Root) -> Traced {
        Traced { bits, opnd: Opnd::constant(kind, bits), root }
    }
}

/// A slot of local memory.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slot {
    /// Where it starts, in bytes from the start of the trace frame's local memory.
    byte: u32,
    /// Its size in bytes.
    size: u32,
    /// The number of the activation that has it.
    activation: u32,
}

/// Where an address inside an object comes from.
#[derive(Clone, Copy)]
struct Interior {
    access: AccessId,
    base: Traced,
    index: Option<Traced>,
}

/// See the module.
pub struct Recorder<'a> {
    vm: &'a Rc<VmState>,
    loaded: &'a Loaded,
    program: &'static ProgramGlue,
    segments: Vec<Segment>,
    /// Operations in all segments but the last.
    operations: usize,
    heap: HeapCache,
    shared: Shared,
    interiors: WordMap<Value, Interior>,
    /// The slots of local memory that were used last, by where they start, and their addresses.
    locals: WordMap<u32, (Slot, Traced)>,
    invariants: WordMap<(CallId, Values<Opnd>), Values<Traced>>,
    /// Values that are 0 or 1.
    bools: WordSet<Value>,
    /// Values that are addresses of objects which were allocated: not 0.
    objects: WordSet<Value>,
    /// Constants of snapshots that are addresses of frozen memory.
    frozen: WordMap<u64, Root>,
    /// What it was last found to rely on.
    relied: Root,
    /// Owners whose content the trace relies on.
    owners: BTreeSet<OwnerId>,
    /// Portals that are open, and perhaps some that are closed, above the topmost activation.
    open: Arc<[OpenPortal]>,
    /// Calls of portals that are looked inside and open, and the longest that is closed.
    inlined: calls::Inlined,
    /// The compiled code that is about to be called.
    calling: Option<CalledEntry>,
    /// Merge points passed since they were last counted.
    merge_points: u32,
    /// Merge points passed in all.
    passed: u64,
    /// Constants that may be references which only the trace holds.
    pinned: Vec<u64>,
    /// Why recording must be given up.
    pub abort: Option<Abort>,
}

impl<'a> Recorder<'a> {
    fn trace(&mut self) -> &mut metatrace_trace::Trace {
        &mut self.segments.last_mut().expect("a segment is open").trace
    }

    /// Appends an operation: the values of its results, which are `bits`.
    fn push(&mut self, op: TraceOp, args: &[Opnd], attached: Attached, bits: &[u64]) -> Values<Traced> {
        let program = &self.loaded.program;
        let results = self.trace().push(program, op, args, attached, bits);
        let value =
            |(&value, &bits): (&Value, &u64)| Traced { bits, opnd: Opnd::Value(value), root: Root::None };
        short(results.iter().zip(bits).map(value))
    }

    fn push_one(&mut self, op: TraceOp, args: &[Opnd], attached: Attached, bits: u64, root: Root) -> Traced {
        let program = &self.loaded.program;
        let value = self.trace().push(program, op, args, attached, &[bits])[0];
        Traced { bits, opnd: Opnd::Value(value), root }
    }

    /// How many operations were recorded.
    fn length(&mut self) -> usize {
        self.operations + self.trace().insts.len()
    }

    /// Gives up if there are too many operations.
    fn check_length(&mut self) {
        let length = self.length();
        if length > self.vm.options.params.trace_limit as usize && self.abort.is_none() {
            self.abort = Some(Abort::TraceTooLong);
            self.inlined.too_long(length);
        }
    }

    /// Does something that may collect, and shows the constants that may be references.
    fn showing_constants<R>(&self, native: impl FnOnce() -> R) -> R {
        let show = |tracer: &mut metatrace_gc::Tracer| self.pinned.iter().for_each(|&word| tracer.word(word));
        metatrace_gc::showing(&show, native)
    }

    /// Appends a guard that resumes where the topmost activation stands.
    fn guard(&mut self, stack: &Stack<Traced>, op: TraceOp, args: &[Opnd]) {
        let registers = stack.frames.iter().flat_map(|frame| &frame.registers);
        for value in registers.filter(|value| value.root != Root::None && value.opnd.as_const().is_some()) {
            if self.frozen.insert(value.bits, value.root).is_none() {
                self.rely_on(value.root);
            }
        }
        let merge_points = if self.vm.counting { self.merge_points } else { 0 };
        let known = self.known_locals(stack);
        let open = self.open_portals(stack);
        let snapshot = segment::snapshot(self.loaded, stack, merge_points, known, open);
        let trace = self.trace();
        let snapshot = trace.push_snapshot(snapshot);
        trace.push_guard(op, args, snapshot);
    }

    /// The address, which is `bits`, of a slot of local memory that starts `byte` bytes from the start of the trace frame's.
    fn local(&mut self, slot: Slot, bits: u64) -> Traced {
        let Slot { byte, size, activation } = slot;
        if let Some(&(known, address)) = self.locals.get(&byte)
            && known == slot
        {
            return address;
        }
        let operands = [byte, size, activation].map(|word| Opnd::Word(word.into()));
        let address = self.push_one(TraceOp::LocalAddr, &operands, Attached::None, bits, Root::None);
        self.locals.insert(byte, (slot, address));
        address
    }

    /// The constants in the local memory of open activations.
    fn known_locals(&mut self, stack: &Stack<Traced>) -> Vec<KnownWord> {
        let Some(top) = stack.frames.last().filter(|_| !self.locals.is_empty()) else { return vec![] };
        let end = top.locals + self.loaded.body(top.jitcode).locals;
        let open = self.locals.iter().filter(|&(&byte, _)| byte < end);
        let bases: WordMap<Opnd, u32> = open.map(|(&byte, (_, address))| (address.opnd, byte)).collect();
        let (mut known, mut roots) = (vec![], vec![]);
        for (access, base, Known { value, root }) in self.heap.constants() {
            let (Some(&base), Opnd::Word(bits) | Opnd::Float(bits)) = (bases.get(&base), value) else {
                continue;
            };
            known.push(KnownWord { access, base, bits });
            if root != Root::None {
                roots.push((bits, root));
            }
        }
        for (bits, root) in roots {
            if self.frozen.insert(bits, root).is_none() {
                self.rely_on(root);
            }
        }
        // In an order that does not depend on addresses.
        known.sort_unstable_by_key(|word| (word.base, word.access.0));
        known
    }

    /// A guard established that the value of `opnd` is `bits`: it is a constant from here on.
    fn replace(&mut self, stack: &mut Stack<Traced>, opnd: Opnd, bits: u64) {
        let kind = self.trace().kind(opnd);
        if let Opnd::Value(value) = opnd {
            self.shared.learn(value, Opnd::constant(kind, bits));
        }
        for register in stack.frames.iter_mut().flat_map(|frame| &mut frame.registers) {
            if register.opnd == opnd {
                register.opnd = Opnd::constant(kind, bits);
            }
        }
    }

    /// Makes a value a constant by a guard.
    fn promoted(&mut self, stack: &mut Stack<Traced>, value: Traced) -> Traced {
        if value.opnd.as_const().is_some() {
            return value;
        }
        let kind = self.trace().kind(value.opnd);
        let op = if kind == Kind::Word { TraceOp::GuardValue } else { TraceOp::GuardFloatValue };
        self.guard(stack, op, &[value.opnd, Opnd::constant(kind, value.bits)]);
        self.replace(stack, value.opnd, value.bits);
        self.pinned.push(value.bits);
        Traced::constant(kind, value.bits, value.root)
    }

    /// Notes that the trace relies on what is frozen there.
    fn rely_on(&mut self, root: Root) {
        if std::mem::replace(&mut self.relied, root) == root {
            return;
        }
        if let Root::Owner(address) = root {
            // SAFETY: the address was read through a reference to a living owner, or is that of the trace's own.
            let owner = unsafe { self.vm.link(address) };
            self.owners.insert(owner);
        }
    }

    /// The access, base and index by which memory is reached that was addressed through an interior address: the
    /// field or element itself, where that is certain.
    fn canonical(
        &self,
        access: AccessId,
        base: Traced,
        index: Option<Traced>,
    ) -> (AccessId, Traced, Option<Traced>) {
        let program = &self.loaded.program;
        let wild = program.access(access);
        if let Opnd::Value(value) = base.opnd
            && let Some(interior) = self.interiors.get(&value)
            && wild.stride.is_none()
            && wild.reach != Reach::Class
            && wild.offset.get() == 0
        {
            let inner = program.access(interior.access);
            let leaf = |class: metatrace_defs::descr::ClassId| program.classes[class.index()].leaf;
            if inner.scalar == wild.scalar && leaf(inner.class) == leaf(wild.class) {
                return (interior.access, interior.base, interior.index);
            }
        }
        (access, base, index)
    }

    /// Drops what is known of memory and values: nothing of it holds beyond the merge point.
    fn forget(&mut self) {
        self.heap = HeapCache::default();
        self.shared = Shared::default();
        self.interiors.clear();
        self.locals.clear();
        self.invariants.clear();
        self.bools.clear();
        self.objects.clear();
    }

    fn pass_merge_point(&mut self) {
        self.merge_points += 1;
        self.passed += 1;
    }

    /// Notes the guest's position, for people.
    fn note(&mut self, portal: PortalId, args: &[Traced]) {
        if !log::wants_traces() {
            return;
        }
        let portal = self.loaded.portal(portal);
        let mut text = portal.name.clone();
        let mut at = 0;
        for param in &portal.params {
            let words = &args[at..at + param.kinds.len()];
            at += words.len();
            if param.green && !param.owner {
                let words: Vec<String> = words.iter().map(|word| (word.bits as i64).to_string()).collect();
                text.push_str(&format!(" {}={}", param.name, words.join(",")));
            }
        }
        let trace = self.trace();
        trace.notes.push((trace.insts.len() as u32, text));
    }

    fn count_merge_points(&mut self) {
        if self.vm.counting && self.merge_points > 0 {
            let count = Opnd::Word(self.merge_points.into());
            self.push(TraceOp::CountMergePoints, &[count], Attached::None, &[]);
        }
        self.merge_points = 0;
    }

    /// Guards that a value that matched no case of a switch matches none again.
    fn guard_default(&mut self, stack: &Stack<Traced>, value: Traced, table: &SwitchTable) {
        const FEW: usize = 4;
        if table.cases.len() <= FEW {
            for &(case, _) in &table.cases {
                let equal = TraceOp::Pure(PureOp::IntEq);
                let test = self.push(equal, &[value.opnd, Opnd::Word(case)], Attached::None, &[0])[0];
                self.guard(stack, TraceOp::GuardFalse, &[test.opnd]);
            }
            return;
        }
        // The value lies between two neighbouring cases, or beyond the first or the last.
        let above = table.cases.partition_point(|&(case, _)| case < value.bits);
        let less = TraceOp::Pure(PureOp::UintLt);
        if let Some(&(low, _)) = above.checked_sub(1).and_then(|below| table.cases.get(below)) {
            let test = self.push(less, &[Opnd::Word(low), value.opnd], Attached::None, &[1])[0];
            self.guard(stack, TraceOp::GuardTrue, &[test.opnd]);
        }
        if let Some(&(high, _)) = table.cases.get(above) {
            let test = self.push(less, &[value.opnd, Opnd::Word(high)], Attached::None, &[1])[0];
            self.guard(stack, TraceOp::GuardTrue, &[test.opnd]);
        }
    }

    fn greens(&self, portal: PortalId, args: &[Traced]) -> Values<u64> {
        let params = &self.loaded.portal(portal).params;
        let greens = params.iter().flat_map(|param| param.kinds.iter().map(|_| param.green));
        short(args.iter().zip(greens).filter(|&(_, green)| green).map(|(arg, _)| arg.bits))
    }
}

impl Domain for Recorder<'_> {
    type Value = Traced;

    fn constant(&mut self, kind: Kind, constant: &Constant) -> Traced {
        let root = if constant.frozen { Root::Static } else { Root::None };
        Traced::constant(kind, constant.value.get(), root)
    }

    fn number(kind: Kind, bits: u64) -> Traced {
        Traced::constant(kind, bits, Root::None)
    }

    fn bits(value: Traced) -> u64 {
        value.bits
    }

    fn pure(&mut self, op: PureOp, args: &[Traced]) -> Traced {
        let bits: SmallVec<[u64; 3]> = short(args.iter().map(|arg| arg.bits));
        let result = op.eval(&bits);
        if args.iter().all(|arg| arg.opnd.as_const().is_some()) {
            return Traced::constant(op.row().result, result, Root::None);
        }
        if let (PureOp::IntEq | PureOp::IntNe, [a, b]) = (op, args)
            && let (Opnd::Value(object), Opnd::Word(0)) | (Opnd::Word(0), Opnd::Value(object)) =
                (a.opnd, b.opnd)
            && self.objects.contains(&object)
        {
            return Traced::constant(Kind::Word, result, Root::None);
        }
        let opnds: SmallVec<[Opnd; 3]> = short(args.iter().map(|arg| arg.opnd));
        if let Some(value) = self.shared.find(op, &opnds) {
            return Traced { bits: result, opnd: self.shared.resolve(value.into()), root: Root::None };
        }
        let value = self.push_one(TraceOp::Pure(op), &opnds, Attached::None, result, Root::None);
        if let Opnd::Value(value) = value.opnd {
            self.shared.note(op, &opnds, value);
        }
        if op.is_bool() {
            self.bools.extend(value.opnd.as_value());
        }
        value
    }

    fn read(&mut self, access: AccessId, base: Traced, index: Option<Traced>) -> Traced {
        let (access, base, index) = self.canonical(access, base, index);
        let descr = self.loaded.program.access(access);
        // SAFETY: jitcode does to memory what the interpreter's own code does.
        let bits = unsafe { descr.scalar.read(descr.address(base.bits, index.map_or(0, |i| i.bits))) };
        let frozen = base.root != Root::None && descr.flags & access_flag::INTERIOR_MUT == 0;
        let root = if descr.flags & access_flag::FREEZES != 0 {
            Root::Owner(bits)
        } else if frozen && descr.flags & access_flag::KEEPS_FROZEN != 0 {
            base.root
        } else {
            Root::None
        };
        let place = heap::Place { access, base: base.opnd, index: index.map(|i| i.opnd) };
        if frozen {
            self.rely_on(base.root);
            if place.is_constant() {
                if base.root == Root::Object {
                    self.pinned.push(base.bits);
                }
                return Traced::constant(descr.scalar.kind(), bits, root);
            }
        }
        if let Some(known) = self.heap.get(&place) {
            debug_assert_eq!(
                self.trace().recorded(known.value),
                Some(bits),
                "`{}` changed without a store that the trace knows",
                descr.name
            );
            return Traced { bits, opnd: self.shared.resolve(known.value), root: known.root };
        }
        let op = match (index.is_some(), frozen) {
            (false, false) => TraceOp::GetField,
            (false, true) => TraceOp::GetFieldFrozen,
            (true, false) => TraceOp::GetElem,
            (true, true) => TraceOp::GetElemFrozen,
        };
        let value = self.push_one(op, &place.operands(), Attached::Access(access), bits, root);
        if !frozen {
            self.heap.put(place, value.opnd, root);
        }
        value
    }

    fn write(&mut self, access: AccessId, base: Traced, index: Option<Traced>, value: Traced) {
        let (access, base, index) = self.canonical(access, base, index);
        let descr = self.loaded.program.access(access);
        // SAFETY: as for `read`.
        unsafe { descr.scalar.write(descr.address(base.bits, index.map_or(0, |i| i.bits)), value.bits) };
        let place = heap::Place { access, base: base.opnd, index: index.map(|i| i.opnd) };
        let mut operands = place.operands();
        operands.push(value.opnd);
        let op = if index.is_some() { TraceOp::SetElem } else { TraceOp::SetField };
        self.push(op, &operands, Attached::Access(access), &[]);
        self.heap.store(&self.loaded.program, &place);
        self.heap.put(place, value.opnd, value.root);
    }

    fn interior(&mut self, access: AccessId, base: Traced, index: Option<Traced>) -> Traced {
        let descr = self.loaded.program.access(access);
        let bits = descr.address(base.bits, index.map_or(0, |i| i.bits));
        if descr.flags & access_flag::FREEZES != 0 && index.is_none() && descr.offset.get() == 0 {
            // The object itself, of which nothing is known but this.
            let root = if base.root == Root::None { Root::Object } else { base.root };
            return Traced { root, ..base };
        }
        let root = if descr.flags & access_flag::KEEPS_FROZEN != 0 { base.root } else { Root::None };
        let place = heap::Place { access, base: base.opnd, index: index.map(|i| i.opnd) };
        if place.is_constant() {
            return Traced::constant(Kind::Word, bits, root);
        }
        if let Some(address) = self.shared.interior(&place) {
            return Traced { bits, opnd: self.shared.resolve(address.into()), root };
        }
        let op = if index.is_some() { TraceOp::InteriorElem } else { TraceOp::InteriorField };
        let value = self.push_one(op, &place.operands(), Attached::Access(access), bits, root);
        if let Opnd::Value(address) = value.opnd {
            self.interiors.insert(address, Interior { access, base, index });
            self.shared.note_interior(place, address);
        }
        value
    }

    fn local_addr(&mut self, stack: &Stack<Traced>, (byte, size): (u32, u32)) -> Traced {
        let frame = stack.top();
        let (byte, bits) = (frame.locals + byte, stack.local_address(byte));
        if !frame.in_area() {
            self.abort = Some(Abort::FrameTooLarge);
            return Traced::constant(Kind::Word, bits, Root::None);
        }
        self.local(Slot { byte, size, activation: frame.number }, bits)
    }

    fn branch(&mut self, stack: &mut Stack<Traced>, value: Traced) {
        let Opnd::Value(test) = value.opnd else { return };
        let op = if value.bits == 0 { TraceOp::GuardFalse } else { TraceOp::GuardTrue };
        self.guard(stack, op, &[value.opnd]);
        if value.bits == 0 || self.bools.contains(&test) {
            self.replace(stack, value.opnd, value.bits);
        }
    }

    fn switch(&mut self, stack: &mut Stack<Traced>, value: Traced, table: &SwitchTable) {
        if value.opnd.as_const().is_some() {
            return;
        }
        if table.cases.binary_search_by_key(&value.bits, |&(case, _)| case).is_ok() {
            self.promoted(stack, value);
        } else {
            self.guard_default(stack, value, table);
        }
    }

    fn is_constant(&self, value: Traced) -> bool {
        value.opnd.as_const().is_some()
    }

    fn assert_green(&mut self, value: Traced) {
        if value.opnd.as_const().is_none() {
            self.abort = Some(Abort::NotGreen);
        }
    }

    fn trace_length(&mut self) -> i64 {
        (self.operations + self.trace().insts.len()) as i64
    }

    fn is_virtual(&self, value: Traced) -> bool {
        value.opnd.as_value().is_some_and(|value| self.objects.contains(&value))
    }

    fn record_exact(&mut self, stack: &mut Stack<Traced>, value: Traced, known: Traced) {
        if value.bits != known.bits {
            self.abort.get_or_insert(Abort::WrongValue);
        } else if known.opnd.as_const().is_none() {
            self.abort.get_or_insert(Abort::NotGreen);
        } else if value.opnd.as_const().is_none() {
            self.replace(stack, value.opnd, value.bits);
            self.pinned.push(value.bits);
        }
    }

    fn quasi_immut(&mut self, link: Traced, value: Traced) -> Traced {
        let is_constant = link.opnd.as_const().is_some() && value.opnd.as_const().is_some();
        // The holder stays where it is, and alive, as it is frozen.
        if link.root == Root::None || !is_constant {
            return Traced { root: Root::None, ..value };
        }
        // SAFETY: jitcode gives the address of the link of a field that lives.
        let Some(owner) = (unsafe { self.vm.link_field(link.bits) }) else {
            return Traced { root: Root::None, ..value };
        };
        self.rely_on(link.root);
        self.owners.insert(owner);
        if link.root == Root::Object {
            self.pinned.push(link.bits);
        }
        Traced { root: link.root, ..value }
    }

    fn promote(&mut self, stack: &mut Stack<Traced>, value: Traced) -> Traced {
        self.promoted(stack, value)
    }

    fn promote_owner(&mut self, stack: &mut Stack<Traced>, reference: Traced) -> Traced {
        self.fix_owner(stack, reference)
    }

    fn allocate(&mut self, stack: &Stack<Traced>, alloc: AllocId, length: Option<Traced>) -> Traced {
        let descr = self.loaded.program.alloc(alloc);
        let elements = length.map_or(0, |length| length.bits);
        let context = self.vm.context();
        // SAFETY: the context is the current VM's; the program is resolved.
        let address =
            self.showing_constants(|| unsafe { alloc::allocate_for_guest(context, descr, elements) });
        if address == 0 {
            self.abort.get_or_insert(Abort::HeapFull);
            return Traced::constant(Kind::Word, 0, Root::None);
        }
        let op = if length.is_some() { TraceOp::NewArray } else { TraceOp::New };
        let args: SmallVec<[Opnd; 1]> = short(length.map(|length| length.opnd));
        let object = self.push_one(op, &args, Attached::Alloc(alloc), address, Root::None);
        self.objects.extend(object.opnd.as_value());
        if descr.is_collected() {
            self.guard(stack, TraceOp::GuardNotPending, &[]);
        }
        object
    }

    fn free(&mut self, alloc: AllocId, address: Traced, length: Option<Traced>) {
        let descr = self.loaded.program.alloc(alloc);
        let elements = length.map_or(0, |length| length.bits);
        // SAFETY: as for `call`; jitcode gives back what it allocated, once.
        unsafe { alloc::release(self.vm.context(), descr, address.bits, elements) };
        let op = if length.is_some() { TraceOp::FreeArray } else { TraceOp::Free };
        let args: SmallVec<[Opnd; 2]> = short(std::iter::once(address).chain(length).map(|word| word.opnd));
        self.push(op, &args, Attached::Alloc(alloc), &[]);
    }

    fn barrier(&mut self, address: Traced) {
        // SAFETY: the context is the current VM's.
        unsafe { alloc::barrier(self.vm.context(), address.bits) };
        self.push(TraceOp::Barrier, &[address.opnd], Attached::None, &[]);
    }

    fn call(&mut self, call: CallId, args: &[Traced]) -> Result<Values<Traced>, Panic> {
        let descr = self.loaded.program.call(call);
        let opnds: Values<Opnd> = short(args.iter().map(|arg| arg.opnd));
        let invariant = (call, opnds.clone());
        if descr.has(call_flag::LOOP_INVARIANT)
            && let Some(results) = self.invariants.get(&invariant)
        {
            return Ok(results.clone());
        }
        let bits: Values<u64> = short(args.iter().map(|arg| arg.bits));
        // SAFETY: jitcode does what the interpreter's own code does; the context is the current VM's.
        let native = || unsafe { call_native(self.loaded, self.vm.context(), call, &bits) };
        let results = self.showing_constants(native);
        let results = results.inspect_err(|_| self.abort = Some(Abort::Panicked))?;
        if descr.has(call_flag::NOT_IN_TRACE) {
            let results = descr.results.iter().zip(&results);
            return Ok(results.map(|(&kind, &bits)| Traced::constant(kind, bits, Root::None)).collect());
        }
        let base = args.first().map_or(Root::None, |arg| arg.root);
        let root = if descr.has(call_flag::INTERIOR) { base } else { Root::None };
        let frozen = descr.has(call_flag::FROZEN_FOLDS) && base != Root::None;
        if frozen {
            self.rely_on(base);
        }
        let elidable = descr.has(call_flag::ELIDABLE) || frozen;
        if elidable && opnds.iter().all(|opnd| opnd.as_const().is_some()) {
            self.pinned.extend(&results);
            let constants = descr.results.iter().zip(&results);
            return Ok(constants.map(|(&kind, &bits)| Traced::constant(kind, bits, root)).collect());
        }
        let mut results = match self.calling.take() {
            Some(entry) => {
                let opnds: Values<Opnd> = short(entry.operands().into_iter().chain(opnds.iter().copied()));
                self.push(TraceOp::CallAssembler, &opnds, Attached::Call(call), &results)
            }
            None => {
                let op = if elidable { TraceOp::CallElidable } else { TraceOp::Call };
                self.push(op, &opnds, Attached::Call(call), &results)
            }
        };
        results.iter_mut().for_each(|result| result.root = root);
        if !elidable {
            self.heap.call(&self.loaded.program, &descr.writes);
        }
        if descr.has(call_flag::LOOP_INVARIANT) {
            self.pinned.extend(results.iter().map(|result| result.bits));
            self.invariants.insert(invariant, results.clone());
        }
        Ok(results)
    }

    fn called(&mut self, stack: &Stack<Traced>, call: CallId) {
        let last = self.trace().insts.last().map(|inst| (inst.op.is_call(), inst.attached));
        let recorded = last == Some((true, Attached::Call(call)));
        if recorded && self.loaded.program.call(call).has(call_flag::CAN_PANIC) {
            self.guard(stack, TraceOp::GuardNotPending, &[]);
        }
    }

    fn inline(&mut self, stack: &mut Stack<Traced>, callee: JitCodeId, args: &mut Values<Traced>) -> Way {
        let too_deep = stack.frames.len() as u64 >= self.vm.options.params.max_inline_depth;
        match self.loaded.portal_of(callee) {
            Some(portal) => self.call_portal(stack, portal, args, too_deep),
            None => {
                if too_deep {
                    self.abort = Some(Abort::TooDeep);
                }
                Way::Jitcode
            }
        }
    }

    fn inner_merge_point(
        &mut self,
        stack: &mut Stack<Traced>,
        portal: PortalId,
        args: &mut Values<Traced>,
    ) -> Way {
        self.fix_greens(stack, portal, args);
        if stack.top().loop_header {
            self.call_compiled(stack, portal, args);
            return Way::Native;
        }
        self.pass_merge_point();
        self.note(portal, args);
        Way::Jitcode
    }
}
