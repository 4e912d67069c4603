//! The forward walk: simplifies each operation with all that is known where it stands.
//!
//! Takes operations of a source trace and, for each of its values, the operand that stands for it; writes operations of
//! a new trace and learns from them. In one walk, because each of these feeds the others: constant folding, the rewrite
//! rules, sharing of equal operations, forwarding of loads, removal of redundant stores and guards.
//!
//! What is known of values (facts, relations, definitions, equal operations) stays true from where it was learnt on,
//! because values do not change; what is known of memory is true until something writes. Guards, calls and stores keep
//! their order, and nothing moves up: what is computed stands where it stood, or is what was computed before.

use metatrace_defs::descr::{Access, CallDescr, Scalar, access_flag, call_flag};
use metatrace_defs::{AccessId, Kind, Program, PureOp, TraceOp};
use metatrace_trace::{
    Attached, DelayedStore, Inst, Opnd, Snapshot, SnapshotFrame, SnapshotId, Trace, Value, ValueData, short,
};
use smallvec::SmallVec;

use crate::Counts;
use crate::bounds::Bounds;
use crate::facts::{Fact, transfer};
use crate::hash::Map;
use crate::memory::{Base, Definitions, Entry, Heap, Locals, Location};
use crate::pending::Wrote;
use crate::relations::Relations;
use crate::rules::{self, Bindings, RULES, Term};
use crate::virtuals::{PutOff, Virtuals};

pub(crate) type Args = SmallVec<[Opnd; 3]>;

/// What is known of a value of the new trace.
#[derive(Clone)]
struct Info {
    data: ValueData,
    fact: Fact,
    /// The operand that stands for it now.
    same_as: Option<Opnd>,
    /// Whether it is the address of what was allocated then.
    is_fresh: bool,
    /// The operation that yields it, if it may be looked through or shared.
    definition: Option<(TraceOp, Attached, Args)>,
}

/// The terminator that a walk ended at.
pub(crate) struct End {
    pub op: TraceOp,
    pub attached: Attached,
    pub args: Args,
}

/// The state of a walk.
#[derive(Clone)]
pub(crate) struct Forward<'a> {
    pub program: &'a Program,
    /// What was written since [`Forward::take`].
    pub written: Segment,
    first_snapshot: usize,
    values: Vec<Info>,
    shared: Map<(TraceOp, Attached, Args), SmallVec<[Value; 1]>>,
    pub relations: Relations,
    pub bounds: Bounds,
    pub heap: Heap,
    pub virtuals: Virtuals,
    pub locals: Locals,
    pub counts: Counts,
    /// The last operation was a call whose results were known.
    call_was_shared: bool,
    /// Some operation tells whether another one overflows.
    tests_overflow: bool,
    /// How deep replacements of rules are nested.
    depth: u32,
}

/// A part of the new trace.
#[derive(Clone, Default)]
pub(crate) struct Segment {
    pub insts: Vec<Inst>,
    pub snapshots: Vec<Snapshot>,
    pub notes: Vec<(u32, String)>,
}

impl Definitions for Forward<'_> {
    fn resolve(&self, opnd: Opnd) -> Opnd {
        let mut opnd = opnd;
        while let Opnd::Value(value) = opnd {
            let info = &self.values[value.index()];
            opnd = match (info.same_as, info.data.kind) {
                (Some(same), _) => same,
                (None, Kind::Word) => match info.fact.as_exact() {
                    Some(word) => return Opnd::Word(word),
                    None => return opnd,
                },
                (None, Kind::Float) => return opnd,
            };
        }
        opnd
    }

    fn definition(&self, value: Value) -> Option<(TraceOp, Attached, &[Opnd])> {
        let (op, attached, args) = self.values[value.index()].definition.as_ref()?;
        Some((*op, *attached, args))
    }

    fn birth(&self, value: Value) -> (usize, bool) {
        let info = &self.values[value.index()];
        let is_fresh = info.is_fresh && info.same_as.is_none() && info.fact.as_exact().is_none();
        (value.index(), is_fresh)
    }

    fn locals(&self) -> &Locals {
        &self.locals
    }
}

impl rules::Context for Forward<'_> {
    fn definition(&self, opnd: Opnd) -> Option<(PureOp, [Opnd; 3])> {
        let (op, _, args) = self.values[opnd.as_value()?.index()].definition.as_ref()?;
        let TraceOp::Pure(op) = *op else { return None };
        let mut now = [Opnd::Word(0); 3];
        for (now, &arg) in now.iter_mut().zip(args) {
            *now = self.resolve(arg);
        }
        Some((op, now))
    }

    fn head(&self, opnd: Opnd) -> Option<PureOp> {
        match self.values[opnd.as_value()?.index()].definition {
            Some((TraceOp::Pure(op), ..)) => Some(op),
            _ => None,
        }
    }

    fn fact(&self, opnd: Opnd) -> Fact {
        match opnd {
            Opnd::Value(value) => self.values[value.index()].fact,
            Opnd::Word(bits) | Opnd::Float(bits) => Fact::exact(bits),
        }
    }
}

impl<'a> Forward<'a> {
    /// The state at the start of a trace of some `values` values, where so much local memory is in use.
    pub fn new(program: &'a Program, values: usize, locals_in_use: Option<u64>) -> Forward<'a> {
        Forward {
            program,
            written: Segment::default(),
            first_snapshot: 0,
            values: Vec::with_capacity(values),
            shared: Map::default(),
            relations: Relations::default(),
            bounds: Bounds::default(),
            heap: Heap::default(),
            virtuals: Virtuals::default(),
            locals: Locals::new(locals_in_use),
            counts: Counts::default(),
            call_was_shared: false,
            tests_overflow: false,
            depth: 0,
        }
    }

    /// Takes what was written; the walk goes on as if behind it.
    pub fn take(&mut self) -> Segment {
        self.first_snapshot += self.written.snapshots.len();
        std::mem::take(&mut self.written)
    }

    /// A new value.
    pub fn new_value(&mut self, kind: Kind, recorded: Option<u64>, fact: Fact) -> Value {
        let data = ValueData { kind, recorded };
        self.values.push(Info { data, fact, same_as: None, is_fresh: false, definition: None });
        Value::new(self.values.len() - 1)
    }

    /// A value that was just made is the address of what is allocated.
    pub fn is_fresh(&mut self, value: Value) {
        self.values[value.index()].is_fresh = true;
    }

    /// An operation is about to be done: the addresses of local memory that others know by it.
    pub fn note_escapes(&mut self, op: TraceOp, args: &[Opnd]) {
        for (slot, of_old) in self.escapes(self.program, op, args) {
            self.locals.escape(slot, if of_old { 0 } else { self.values.len() });
        }
    }

    /// Kinds and recorded results of all values.
    pub fn value_data(&self) -> Vec<ValueData> {
        self.values.iter().map(|info| info.data).collect()
    }

    /// Says what yields a value that is not written.
    pub fn define(&mut self, value: Value, definition: (TraceOp, Attached, Args)) {
        self.values[value.index()].definition = Some(definition);
    }

    pub fn kind(&self, opnd: Opnd) -> Kind {
        match opnd {
            Opnd::Value(value) => self.values[value.index()].data.kind,
            Opnd::Word(_) => Kind::Word,
            Opnd::Float(_) => Kind::Float,
        }
    }

    fn recorded(&self, opnd: Opnd) -> Option<u64> {
        match opnd {
            Opnd::Value(value) => self.values[value.index()].data.recorded,
            Opnd::Word(bits) | Opnd::Float(bits) => Some(bits),
        }
    }

    /// What is known of an operand.
    pub fn fact_of(&self, opnd: Opnd) -> Fact {
        rules::Context::fact(self, opnd)
    }

    /// Walks over `source` from operation `from` to its end. `map` has an operand for each value defined before, and
    /// gets one for each that is met. Recorded results are kept if `keep_recorded`.
    pub fn walk(&mut self, source: &Trace, from: usize, map: &mut [Opnd], keep_recorded: bool) -> End {
        self.call_was_shared = false;
        let mut notes = source.notes.iter().filter(|(at, _)| *at as usize >= from).peekable();
        for (n, inst) in source.insts.iter().enumerate().skip(from) {
            while let Some((_, note)) = notes.next_if(|(at, _)| *at as usize <= n) {
                self.written.notes.push((self.written.insts.len() as u32, note.clone()));
            }
            if inst.op.is_terminator() {
                let args = short(inst.args.iter().map(|&arg| self.mapped(map, arg)));
                return End { op: inst.op, attached: inst.attached, args };
            }
            self.step(source, inst, map, keep_recorded);
        }
        panic!("a verified trace ends with a terminator:\n{source}")
    }

    fn mapped(&self, map: &[Opnd], opnd: Opnd) -> Opnd {
        match opnd {
            Opnd::Value(value) => self.resolve(map[value.index()]),
            constant => constant,
        }
    }

    /// What stands for operands of the source.
    pub fn mapped_all(&self, map: &[Opnd], opnds: &[Opnd]) -> Vec<Opnd> {
        opnds.iter().map(|&opnd| self.mapped(map, opnd)).collect()
    }

    /// The same state with nothing written, to go on in another trace; with the number of values there are.
    pub fn fork(&mut self) -> (Forward<'a>, usize) {
        let written = std::mem::take(&mut self.written);
        let counts = std::mem::take(&mut self.counts);
        let fork = Forward { first_snapshot: 0, call_was_shared: false, ..self.clone() };
        self.counts = counts;
        self.written = written;
        let values = fork.values.len();
        (fork, values)
    }

    /// A guard is known to have failed.
    pub fn learn_failed(&mut self, op: TraceOp, args: &[Opnd]) {
        match op {
            TraceOp::GuardTrue => self.learn_exact(args[0], Opnd::Word(0)),
            TraceOp::GuardFalse => {
                self.learn(args[0], true);
                if self.fact_of(args[0]).umax == 1 {
                    self.learn_exact(args[0], Opnd::Word(1));
                }
            }
            TraceOp::GuardValue => self.learn_comparison(PureOp::IntEq, args[0], args[1], false),
            _ => {}
        }
    }

    /// Simplifies an operation of `source` that is neither label nor terminator.
    pub fn step(&mut self, source: &Trace, inst: &Inst, map: &mut [Opnd], keep_recorded: bool) {
        let args: Args = short(inst.args.iter().map(|&arg| self.mapped(map, arg)));
        let recorded = |value: &Value| source.values[value.index()].recorded.filter(|_| keep_recorded);
        let recorded: SmallVec<[Option<u64>; 1]> = short(inst.results.iter().map(recorded));
        let snapshot = inst.snapshot.map(|id| &source.snapshots[id.index()]);
        let results = self.inst(inst, args, &recorded, snapshot, map);
        for (&value, opnd) in inst.results.iter().zip(results) {
            map[value.index()] = opnd;
        }
    }

    /// Does a store that the guard behind which this walk starts has delayed.
    pub fn delayed_store(&mut self, store: &DelayedStore, map: &[Opnd]) {
        let op = if store.args.len() == 3 { TraceOp::SetElem } else { TraceOp::SetField };
        let (attached, results) = (Attached::Access(store.access), SmallVec::new());
        let inst = Inst { op, args: SmallVec::new(), attached, results, snapshot: None };
        let args = self.mapped_all(map, &store.args).into();
        self.store(&inst, args);
    }

    /// Writes the label of a loop whose body keeps what the heap is known to hold.
    pub fn label(&mut self, label: &Inst, map: &mut [Opnd]) {
        let args: Args = self.mapped_all(map, &label.args).into();
        let recorded: Vec<Option<u64>> = vec![None; label.results.len()];
        let results = self.emit(label.op, label.attached, args, &recorded);
        for (&value, opnd) in label.results.iter().zip(results) {
            map[value.index()] = opnd;
        }
    }

    /// Simplifies one operation; gives the operands that stand for its results.
    fn inst(
        &mut self,
        inst: &Inst,
        args: Args,
        recorded: &[Option<u64>],
        snapshot: Option<&Snapshot>,
        map: &[Opnd],
    ) -> SmallVec<[Opnd; 1]> {
        let call_was_shared = std::mem::take(&mut self.call_was_shared);
        match inst.op {
            TraceOp::Pure(op) => SmallVec::from_slice(&[self.pure(op, &args, recorded[0])]),
            TraceOp::GuardTrue
            | TraceOp::GuardFalse
            | TraceOp::GuardValue
            | TraceOp::GuardFloatValue
            | TraceOp::GuardNotPending => {
                let snapshot = snapshot.expect("a verified guard has a snapshot");
                if inst.op == TraceOp::GuardNotPending && call_was_shared {
                    self.counts.guards += 1;
                } else {
                    self.guard(inst.op, args, snapshot, map);
                }
                SmallVec::new()
            }
            TraceOp::GetField | TraceOp::GetElem => {
                SmallVec::from_slice(&[self.load(inst, args, recorded[0])])
            }
            TraceOp::SetField | TraceOp::SetElem => {
                self.store(inst, args);
                SmallVec::new()
            }
            TraceOp::GetFieldFrozen | TraceOp::GetElemFrozen => self.load_frozen(inst, args, recorded),
            TraceOp::InteriorField | TraceOp::InteriorElem => {
                let access = self.program.access(inst.access());
                let index = args.get(1).map_or(Some(0), |index| index.as_const());
                let is_base = index.is_some_and(|index| access.address(0, index) == 0);
                match (args[0], index) {
                    (base, _) if is_base => SmallVec::from_slice(&[base]),
                    (Opnd::Word(base), Some(index)) => {
                        SmallVec::from_slice(&[Opnd::Word(access.address(base, index))])
                    }
                    _ => self.foldable(inst, args, recorded),
                }
            }
            TraceOp::LocalAddr => self.foldable(inst, args, recorded),
            TraceOp::CallElidable => {
                let call = self.program.call(inst.call());
                self.note_escapes(inst.op, &args);
                if call.has(call_flag::CAN_COLLECT) {
                    self.store_pending_for_others();
                }
                self.before_touching(&call.reads);
                let before = self.written.insts.len();
                let results = self.foldable(inst, args, recorded);
                self.call_was_shared = self.written.insts.len() == before;
                results
            }
            TraceOp::Call => self.call(inst, args, recorded, snapshot, map),
            TraceOp::CallAssembler => {
                self.note_escapes(inst.op, &args);
                self.store_pending_for_others();
                args.iter().for_each(|&arg| self.need(arg));
                self.store_pending_for_others();
                self.heap.call(self.program, &self.locals, &self.program.call(inst.call()).writes);
                self.virtuals.collects();
                self.emit(inst.op, inst.attached, args, recorded)
            }
            TraceOp::New | TraceOp::NewArray | TraceOp::Make | TraceOp::MakeArray => {
                if let Some(object) = self.put_off_allocation(inst, &args, recorded[0]) {
                    self.call_was_shared = !self.virtuals.unreported;
                    return SmallVec::from_slice(&[object]);
                }
                if inst.op.may_collect() {
                    // The collector looks at memory.
                    self.store_pending_for_others();
                }
                let results = self.emit(inst.op, inst.attached, args, recorded);
                if let Some(value) = results[0].as_value() {
                    self.is_fresh(value);
                    self.made(value, inst.op, inst.attached);
                }
                results
            }
            TraceOp::Free | TraceOp::FreeArray => {
                let is_empty = inst.op == TraceOp::FreeArray
                    && args[1].as_const().is_some_and(|n| self.program.alloc(inst.alloc()).bytes(n) == 0);
                if !is_empty && !self.free_put_off(args[0]) {
                    self.store_pending_for_others();
                    self.emit(inst.op, inst.attached, args, recorded);
                }
                SmallVec::new()
            }
            TraceOp::Barrier => {
                if !self.is_about_pending() && !self.needs_no_barrier(args[0]) {
                    self.emit(inst.op, inst.attached, args, recorded);
                }
                SmallVec::new()
            }
            TraceOp::CountMergePoints => self.emit(inst.op, inst.attached, args, recorded),
            TraceOp::Label => {
                self.store_pending(|_| true);
                self.make_all();
                self.heap.clear();
                self.virtuals.collects();
                self.emit(inst.op, inst.attached, args, recorded)
            }
            TraceOp::Jump | TraceOp::Finish => panic!("{} ends a walk", inst.op),
        }
    }

    fn call(
        &mut self,
        inst: &Inst,
        args: Args,
        recorded: &[Option<u64>],
        snapshot: Option<&Snapshot>,
        map: &[Opnd],
    ) -> SmallVec<[Opnd; 1]> {
        let call = self.program.call(inst.call());
        if call.has(call_flag::ELIDABLE) {
            let elidable = Inst { op: TraceOp::CallElidable, ..inst.clone() };
            return self.inst(&elidable, args, recorded, snapshot, map);
        }
        if call.has(call_flag::CONDITIONAL) && args[0].as_const() == Some(0) {
            // Nor is anything pending then.
            self.call_was_shared = true;
            return SmallVec::new();
        }
        let is_invariant = call.has(call_flag::LOOP_INVARIANT);
        let key = (inst.op, inst.attached, args);
        if is_invariant && let Some(values) = self.shared.get(&key) {
            self.counts.shared += 1;
            self.call_was_shared = true;
            return short(values.iter().map(|&value| self.resolve(value.into())));
        }
        self.note_escapes(key.0, &key.2);
        self.before_call(call);
        key.2.iter().for_each(|&arg| self.need(arg));
        // What was made may have let others know of local memory.
        self.before_call(call);
        self.heap.call(self.program, &self.locals, &call.writes);
        if call.has(call_flag::CAN_COLLECT) {
            self.virtuals.collects();
        }
        let results = self.emit(key.0, key.1, key.2.clone(), recorded);
        if is_invariant {
            let values = short(results.iter().filter_map(|opnd| opnd.as_value()));
            self.shared.insert(key, values);
        }
        results
    }

    /// Does pending stores that a call may know of.
    fn before_call(&mut self, call: &CallDescr) {
        if call.has(call_flag::CAN_COLLECT) {
            // The collector looks at memory.
            self.store_pending_for_others();
        }
        self.before_touching(&call.reads);
        self.before_touching(&call.writes);
    }

    /// Writes an operation as it is.
    fn emit(
        &mut self,
        op: TraceOp,
        attached: Attached,
        args: Args,
        recorded: &[Option<u64>],
    ) -> SmallVec<[Opnd; 1]> {
        let kinds: SmallVec<[Kind; 1]> = match (op, attached) {
            (TraceOp::Pure(op), _) => SmallVec::from_slice(&[op.row().result]),
            (TraceOp::Label, _) => short(args.iter().map(|&arg| self.kind(arg))),
            (_, Attached::Call(id)) => SmallVec::from_slice(&self.program.call(id).results),
            (TraceOp::SetField | TraceOp::SetElem, _) => SmallVec::new(),
            (TraceOp::New | TraceOp::NewArray | TraceOp::Make | TraceOp::MakeArray, _)
            | (TraceOp::InteriorField | TraceOp::InteriorElem | TraceOp::LocalAddr, _) => {
                SmallVec::from_slice(&[Kind::Word])
            }
            (_, Attached::Access(id)) => SmallVec::from_slice(&[self.program.access(id).scalar.kind()]),
            (_, Attached::None | Attached::Target(_) | Attached::Alloc(_)) => SmallVec::new(),
        };
        let is_put_off = self.is_put_off(op, &args);
        if !is_put_off {
            args.iter().for_each(|&arg| self.need(arg));
        }
        self.note_escapes(op, &args);
        let mut results: SmallVec<[Value; 1]> = SmallVec::new();
        for (n, &kind) in kinds.iter().enumerate() {
            results.push(self.new_value(kind, recorded.get(n).copied().flatten(), Fact::ANY));
        }
        if op.is_foldable() && results.len() == 1 {
            self.values[results[0].index()].definition = Some((op, attached, args.clone()));
        }
        let opnds = short(results.iter().map(|&value| Opnd::Value(value)));
        if is_put_off {
            self.virtuals.put_off(results[0], PutOff::Operation { op, attached, args });
            return opnds;
        }
        self.written.insts.push(Inst { op, args, attached, results, snapshot: None });
        opnds
    }

    /// Writes an operation unless an equal one was written before.
    fn foldable(&mut self, inst: &Inst, args: Args, recorded: &[Option<u64>]) -> SmallVec<[Opnd; 1]> {
        let key = (inst.op, inst.attached, args);
        if let Some(values) = self.shared.get(&key) {
            self.counts.shared += 1;
            return short(values.iter().map(|&value| self.resolve(value.into())));
        }
        let opnds = self.emit(key.0, key.1, key.2.clone(), recorded);
        let values = short(opnds.iter().filter_map(|opnd| opnd.as_value()));
        self.shared.insert(key, values);
        opnds
    }

    /// The value of a pure operation, as simple as it can be had. The operands are resolved.
    pub fn pure(&mut self, op: PureOp, args: &[Opnd], recorded: Option<u64>) -> Opnd {
        let kind = op.row().result;
        if args.iter().all(|arg| arg.as_const().is_some()) {
            let constants: SmallVec<[u64; 3]> = short(args.iter().filter_map(|arg| arg.as_const()));
            self.counts.folded += 1;
            return Opnd::constant(kind, op.eval(&constants));
        }
        let mut args: Args = SmallVec::from_slice(args);
        if may_exchange(op)
            && (args[0].as_const().is_some() || (args[1].as_const().is_none() && args[1] < args[0]))
        {
            args.swap(0, 1);
        }
        let fact = self.transferred(op, &args);
        if let Some(bits) = fact.as_exact() {
            self.counts.ranges += 1;
            return Opnd::constant(kind, bits);
        }
        if let [a, b] = args[..]
            && op.is_bool()
            && let Some(holds) =
                self.relations.get(a, b).decide(op).or_else(|| self.decide_by_bounds(op, a, b))
        {
            self.counts.relations += 1;
            return Opnd::Word(holds.into());
        }
        if matches!(op, PureOp::IntEq | PureOp::IntNe)
            && !self.virtuals.is_empty()
            && self.are_known_apart(args[0], args[1])
        {
            self.counts.relations += 1;
            return Opnd::Word((op == PureOp::IntNe).into());
        }
        if let Some((n, bindings)) = rules::find(op, &args, self)
            && self.depth < 32
        {
            self.counts.rules[n] += 1;
            self.depth += 1;
            let opnd = self.build(RULES[n].replacement, &bindings);
            self.depth -= 1;
            if let Opnd::Value(value) = opnd {
                // The same value, so what was known of it before it was rewritten holds too.
                let fact = self.without_overflow(op, &args, fact);
                self.refine(value, fact);
                return self.resolve(opnd);
            }
            return opnd;
        }
        let key = (TraceOp::Pure(op), Attached::None, args);
        if let Some(values) = self.shared.get(&key) {
            let value = values[0];
            self.counts.shared += 1;
            // More may be known of the operands than when the operation was written.
            self.refine(value, fact);
            return self.resolve(value.into());
        }
        let recorded = recorded.or_else(|| {
            let words: Option<SmallVec<[u64; 3]>> = key.2.iter().map(|&arg| self.recorded(arg)).collect();
            words.map(|words| op.eval(&words))
        });
        self.tests_overflow |= matches!(op, PureOp::IntAddOvf | PureOp::IntSubOvf | PureOp::IntMulOvf);
        let fact = self.without_overflow(op, &key.2, fact);
        let opnds = self.emit(key.0, key.1, key.2.clone(), &[recorded]);
        let value = opnds[0].as_value().expect("an operation was written");
        self.values[value.index()].fact = fact;
        self.shared.insert(key, SmallVec::from_slice(&[value]));
        opnds[0]
    }

    /// What the operands' facts tell about the result.
    fn transferred(&self, op: PureOp, args: &[Opnd]) -> Fact {
        let mut facts = [Fact::ANY; 3];
        for (fact, &arg) in facts.iter_mut().zip(args) {
            *fact = self.fact_of(arg);
        }
        transfer(op, &facts[..args.len()])
    }

    fn build(&mut self, term: Term, bindings: &Bindings) -> Opnd {
        match term {
            Term::Any(n) => bindings.operand(n),
            Term::Const(n) => Opnd::Word(bindings.constant(n)),
            Term::Literal(word) => Opnd::Word(word),
            Term::Op(op, operands) => {
                let args: Args = short(operands.iter().map(|&term| self.build(term, bindings)));
                self.pure(op, &args, None)
            }
            Term::Magic(n) => Opnd::Word(rules::magic(bindings.constant(n)).0),
            Term::MagicShift(n) => Opnd::Word(rules::magic(bindings.constant(n)).1),
            Term::Known(..) => panic!("a replacement does not ask what is known"),
        }
    }

    /// Sharpens the range of a sum, difference or product that is known not to overflow.
    fn without_overflow(&self, op: PureOp, args: &[Opnd], fact: Fact) -> Fact {
        if !self.tests_overflow {
            return fact;
        }
        let test = match op {
            PureOp::IntAdd => PureOp::IntAddOvf,
            PureOp::IntSub => PureOp::IntSubOvf,
            PureOp::IntMul => PureOp::IntMulOvf,
            _ => return fact,
        };
        // The rules turn the difference with a constant into a sum; the test for overflow stays a difference.
        let negated = match (op, args) {
            (PureOp::IntAdd, &[x, Opnd::Word(c)]) if c != 1 << 63 => {
                Some((PureOp::IntSubOvf, [x, Opnd::Word(c.wrapping_neg())]))
            }
            _ => None,
        };
        let own = Some((test, [args[0], args[1]]));
        for (test, args) in [own, negated].into_iter().flatten() {
            let key = (TraceOp::Pure(test), Attached::None, Args::from_slice(&args));
            if let Some(values) = self.shared.get(&key)
                && self.fact_of(values[0].into()).as_exact() == Some(0)
            {
                return fact.meet(saturated(test, self.fact_of(args[0]), self.fact_of(args[1])));
            }
        }
        fact
    }

    /// Adds to what is known of a value.
    pub fn refine(&mut self, value: Value, fact: Fact) {
        let info = &mut self.values[value.index()];
        info.fact = info.fact.meet(fact);
    }

    fn load(&mut self, inst: &Inst, args: Args, recorded: Option<u64>) -> Opnd {
        let access = self.program.access(inst.access());
        self.note_escapes(inst.op, &args);
        let location = self.location(self.program, access, &args);
        if let Some(value) = self.known_load(access, &location) {
            return value;
        }
        self.before_read(inst.access(), &location);
        let result = self.emit(inst.op, inst.attached, args, &[recorded])[0];
        if let (Opnd::Value(value), Kind::Word) = (result, access.scalar.kind()) {
            self.refine(value, Fact::of_access(access));
        }
        let scalar = access.scalar;
        self.heap.insert(Entry { location, access: inst.access(), scalar, value: result, carried: None });
        result
    }

    /// Reads what does not change while the trace is valid.
    fn load_frozen(&mut self, inst: &Inst, args: Args, recorded: &[Option<u64>]) -> SmallVec<[Opnd; 1]> {
        let access = self.program.access(inst.access());
        let location = self.location(self.program, access, &args);
        if let Some(value) = self.known_load(access, &location) {
            return SmallVec::from_slice(&[value]);
        }
        self.before_read(inst.access(), &location);
        let results = self.foldable(inst, args, recorded);
        if let Opnd::Value(value) = results[0] {
            self.refine(value, Fact::of_access(access));
        }
        results
    }

    /// What a read gives, if that is known.
    fn known_load(&mut self, access: &Access, location: &Location) -> Option<Opnd> {
        if let Some(value) = self.load_put_off(access, location) {
            return Some(value);
        }
        let bytes = access.scalar.bytes();
        let exact = self.heap.find(location, bytes, true).map(|entry| (entry.value, entry.scalar));
        let (value, from) = match exact {
            Some(found) => found,
            None if access.scalar.kind() == Kind::Word => {
                let wider = self.heap.find_wider(location, bytes)?;
                (wider.value, wider.scalar)
            }
            None => return None,
        };
        self.counts.loads += 1;
        let value = self.resolve(value);
        Some(self.read_back(value, from, access.scalar))
    }

    /// What a read of a scalar gives where `value` was written or read as another scalar of the same size.
    pub fn read_back(&mut self, value: Opnd, from: Scalar, to: Scalar) -> Opnd {
        let (op, args): (PureOp, Args) = match (from.kind(), to.kind()) {
            (Kind::Float, Kind::Float) => return value,
            (Kind::Float, Kind::Word) => (PureOp::FloatToBits, SmallVec::from_slice(&[value])),
            (Kind::Word, Kind::Float) => (PureOp::FloatFromBits, SmallVec::from_slice(&[value])),
            (Kind::Word, Kind::Word) => match to {
                Scalar::U8 => (PureOp::IntAnd, SmallVec::from_slice(&[value, Opnd::Word(0xff)])),
                Scalar::U16 => (PureOp::IntAnd, SmallVec::from_slice(&[value, Opnd::Word(0xffff)])),
                Scalar::U32 => (PureOp::IntAnd, SmallVec::from_slice(&[value, Opnd::Word(0xffff_ffff)])),
                Scalar::I8 => (PureOp::IntSext8, SmallVec::from_slice(&[value])),
                Scalar::I16 => (PureOp::IntSext16, SmallVec::from_slice(&[value])),
                Scalar::I32 => (PureOp::IntSext32, SmallVec::from_slice(&[value])),
                Scalar::Word | Scalar::Float => return value,
            },
        };
        self.pure(op, &args, None)
    }

    fn store(&mut self, inst: &Inst, mut args: Args) {
        let program = self.program;
        let access = program.access(inst.access());
        let value = args.pop().expect("a store has an operand to store");
        self.note_escapes(inst.op, &args);
        let location = self.location(program, access, &args);
        if self.store_put_off(inst.access(), &location, value)
            || self.put_off_store(inst.access(), &args, &location, value)
        {
            return;
        }
        // Before memory is looked at: making an object writes to it.
        args.iter().for_each(|&arg| self.need(arg));
        self.need(value);
        let stored = self.narrowed(value, access.scalar);
        let known = self.heap.find(&location, access.scalar.bytes(), false).map(|e| (e.value, e.scalar));
        if let Some((known, scalar)) = known
            && scalar.kind() == access.scalar.kind()
            && self.narrowed(known, scalar) == stored
        {
            self.heap.find(&location, access.scalar.bytes(), true);
            self.counts.stores += 1;
            return;
        }
        if let Opnd::Value(stored) = self.resolve(value)
            && access.flags & access_flag::LENGTH != 0
        {
            self.refine(stored, Fact::of_access(access));
        }
        self.before_write(inst.access(), &location);
        if access.scalar == Scalar::Word && stored.as_const().is_none() {
            self.virtuals.wrote = Wrote::Memory;
        }
        self.forget_stored(inst.access(), &location);
        args.push(stored);
        self.emit(inst.op, inst.attached, args, &[]);
        let (scalar, access) = (access.scalar, inst.access());
        self.heap.insert(Entry { location, access, scalar, value, carried: None });
    }

    /// Forgets what a store may change.
    pub fn forget_stored(&mut self, id: AccessId, location: &Location) {
        let access = self.program.access(id);
        let mut heap = std::mem::take(&mut self.heap);
        heap.store(|entry| {
            let other = (self.program.access(entry.access), &entry.location);
            self.may_touch(self.program, (access, location), other)
                && !self.are_apart((location, access.scalar.bytes()), (&entry.location, entry.scalar.bytes()))
        });
        self.heap = heap;
    }

    /// The simplest operand with the low bits that a store of `scalar` writes.
    pub fn narrowed(&self, value: Opnd, scalar: Scalar) -> Opnd {
        let bits = 8 * scalar.bytes() as u32;
        let mut opnd = self.resolve(value);
        if bits == 64 {
            return opnd;
        }
        let mask = (1u64 << bits) - 1;
        while let Some((op, args)) = rules::Context::definition(self, opnd) {
            opnd = match (op, args[1]) {
                (PureOp::IntAnd, Opnd::Word(kept)) if kept & mask == mask => args[0],
                (PureOp::IntSext8, _) if bits <= 8 => args[0],
                (PureOp::IntSext16, _) if bits <= 16 => args[0],
                (PureOp::IntSext32, _) if bits <= 32 => args[0],
                _ => break,
            };
        }
        match opnd {
            Opnd::Word(word) => Opnd::Word(word & mask),
            opnd => opnd,
        }
    }

    fn guard(&mut self, op: TraceOp, mut args: Args, snapshot: &Snapshot, map: &[Opnd]) {
        let mut op = op;
        if matches!(op, TraceOp::GuardTrue | TraceOp::GuardFalse) {
            let fact = self.fact_of(args[0]);
            let is_known = if op == TraceOp::GuardTrue { fact.umin > 0 } else { fact.umax == 0 };
            if is_known {
                self.counts.guards += 1;
                return;
            }
        } else if matches!(op, TraceOp::GuardValue | TraceOp::GuardFloatValue) && args[0] == args[1] {
            self.counts.guards += 1;
            return;
        }
        let tested = args.clone();
        let tested_op = op;
        // A test against 0 needs no comparison.
        while matches!(op, TraceOp::GuardTrue | TraceOp::GuardFalse)
            && let Some((compare, [x, Opnd::Word(0), _])) = rules::Context::definition(self, args[0])
        {
            op = match (compare, op) {
                (PureOp::IntNe, op) => op,
                (PureOp::IntEq, TraceOp::GuardTrue) => TraceOp::GuardFalse,
                (PureOp::IntEq, _) => TraceOp::GuardTrue,
                _ => break,
            };
            args[0] = x;
        }
        args.iter().for_each(|&arg| self.need(arg));
        if op == TraceOp::GuardNotPending {
            self.virtuals.unreported = false;
        }
        let id = self.snapshot(snapshot, map);
        let results = SmallVec::new();
        self.note_escapes(op, &args);
        self.written.insts.push(Inst { op, args, attached: Attached::None, results, snapshot: Some(id) });
        match tested_op {
            TraceOp::GuardTrue => self.learn(tested[0], true),
            TraceOp::GuardFalse => self.learn(tested[0], false),
            TraceOp::GuardValue => self.learn_exact(tested[0], tested[1]),
            TraceOp::GuardFloatValue => self.learn_exact(tested[0], tested[1]),
            _ => {}
        }
    }

    fn snapshot(&mut self, source: &Snapshot, map: &[Opnd]) -> SnapshotId {
        let frames = source.frames.iter().map(|frame| SnapshotFrame {
            registers: frame.registers.iter().map(|&(reg, opnd)| (reg, self.mapped(map, opnd))).collect(),
            ..*frame
        });
        let handed = source.handed.as_ref().map(|handed| self.mapped_all(map, handed));
        let stores: Vec<DelayedStore> = (source.stores.iter())
            .map(|store| DelayedStore {
                access: store.access,
                args: self.mapped_all(map, &store.args).into(),
            })
            .collect();
        let frames = frames.collect();
        let by_guard = handed.iter().flatten().chain(stores.iter().flat_map(|store| &store.args));
        by_guard.for_each(|&opnd| self.need(opnd));
        if handed.is_some() {
            self.store_pending(|_| true);
        }
        let (known, open, merge_points) = (source.known.clone(), source.open.clone(), source.merge_points);
        let mut snapshot = Snapshot { frames, virtuals: vec![], merge_points, handed, stores, known, open };
        self.describe(&mut snapshot);
        self.describe_pending(&mut snapshot.virtuals);
        self.written.snapshots.push(snapshot);
        SnapshotId::new(self.first_snapshot + self.written.snapshots.len() - 1)
    }

    /// Lets `constant` stand for the operand from here on.
    pub fn learn_exact(&mut self, opnd: Opnd, constant: Opnd) {
        let (Opnd::Value(value), Some(bits)) = (opnd, constant.as_const()) else { return };
        match constant {
            Opnd::Word(_) => {
                if let Base::Value(base) = self.normal_location(self.program, Some(opnd), None, 0).base {
                    self.values[base.index()].is_fresh = false;
                }
                self.learn(opnd, bits != 0);
                self.values[value.index()].fact = Fact::exact(bits);
                self.learn_operands(opnd);
            }
            _ => self.values[value.index()].same_as = Some(constant),
        }
    }

    /// Two values are known to be equal words: from here on the one that was there first stands for both, unless the address of new
    /// memory turns out to be a word that was there before.
    pub fn learn_equal(&mut self, a: Opnd, b: Opnd) {
        let (a, b) = (self.resolve(a), self.resolve(b));
        let is_new = |opnd| match self.normal_location(self.program, Some(opnd), None, 0).base {
            Base::Value(base) => self.birth(base).1,
            Base::Local => true,
            Base::Absolute => false,
        };
        if let (Opnd::Value(a), Opnd::Value(b)) = (a, b)
            && a != b
            && !is_new(a.into())
            && !is_new(b.into())
        {
            let (first, later) = (a.min(b), a.max(b));
            self.values[later.index()].same_as = Some(first.into());
        }
    }

    /// Writes the terminator that a walk ended at.
    pub fn end(&mut self, end: End) {
        self.store_pending(|_| true);
        self.emit(end.op, end.attached, end.args, &[]);
    }

    /// The value of an equal operation that was written before.
    pub fn shared_value(&self, op: PureOp, args: &[Opnd]) -> Option<Value> {
        let key = (TraceOp::Pure(op), Attached::None, Args::from_slice(args));
        self.shared.get(&key).map(|values| values[0])
    }
}

/// Whether exchanging the operands keeps every bit: of floats, it could change which of two not-a-numbers comes out.
fn may_exchange(op: PureOp) -> bool {
    op.is_commutative()
        && (op.is_bool() || op.row().operands[0] == Kind::Word)
        && !matches!(op, PureOp::F32Add | PureOp::F32Mul)
}

/// The range of a sum, difference or product that does not overflow, where `test` is its overflow test.
pub(crate) fn saturated(test: PureOp, a: Fact, b: Fact) -> Fact {
    match test {
        PureOp::IntAddOvf => Fact::signed(a.smin.saturating_add(b.smin), a.smax.saturating_add(b.smax)),
        PureOp::IntSubOvf => Fact::signed(a.smin.saturating_sub(b.smax), a.smax.saturating_sub(b.smin)),
        _ if a.smin >= 0 && b.smin >= 0 => {
            Fact::signed(a.smin.saturating_mul(b.smin), a.smax.saturating_mul(b.smax))
        }
        _ => Fact::ANY,
    }
}
