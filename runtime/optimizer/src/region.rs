//! Traces that are compiled as one, optimised together.
//!
//! In: optimised traces, bridges behind the trace that they leave from. Out: the same traces, where a bridge knows all that
//! its guard's trace knew where the guard stands, and that the guard has failed: facts about values, equal operations, what
//! memory holds. It uses the values of that trace, and of those that it is itself a bridge of, as they are: they are its
//! inputs, and its guard hands them over. Guards that cannot fail any more are gone, and bridges of such guards with them.
//!
//! Relies on: a bridge is entered by its guard alone, and the guard fails if and only if its test does not hold.
//! Guarantees: entries keep their inputs; a guard without a bridge hands over what it handed over before, in its order.
//!
//! The traces are walked once more, from a trace with an entry into its bridges. At a guard with a bridge the state of the
//! walk is kept, and the bridge walked from there. What holds at a label holds in the loop behind it, but for what memory
//! holds, which must not be written to anywhere in the loop.

use metatrace_defs::{Kind, Program, PureOp, TraceOp};
use metatrace_trace::verify::assert_valid;
use metatrace_trace::{Attached, Inst, Opnd, Snapshot, SnapshotId, Trace, Value, ValueData};
use smallvec::SmallVec;

use crate::facts::Fact;
use crate::forward::{End, Forward};
use crate::hash::Map;
use crate::memory::{Base, Definitions, Locals};
use crate::{Counts, barriers, cleanup, delay, demand};

/// A trace of a region.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The trace.
    pub trace: &'a Trace,
    /// Where it starts.
    pub start: Start,
}

/// Where a trace of a region starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At an entry.
    Entry,
    /// Where a guard fails: the number of its part, which stands before this one, and its number among that part's guards.
    Guard(usize, usize),
}

/// What became of a trace of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Which part it is.
    pub part: usize,
    /// The trace.
    pub trace: Trace,
    /// For each of its guards, its number among the guards that the part had.
    pub guards: Vec<usize>,
}

/// Optimises the traces of a region, at whose entries so much local memory is in use (see [`crate::Options`]). Those that are left
/// come in the order of the parts.
///
/// # Panics
/// As [`crate::optimise`].
pub fn optimise_region(
    program: &Program,
    parts: &[Part],
    locals_in_use: Option<u64>,
) -> (Vec<Joined>, Counts) {
    let mut region =
        Region { program, parts, bridges: Map::default(), joined: vec![], counts: Counts::default() };
    for (n, part) in parts.iter().enumerate() {
        if let Start::Guard(of, guard) = part.start {
            region.bridges.insert((of, guard), n);
        }
    }
    for (n, part) in parts.iter().enumerate().filter(|(_, part)| part.start == Start::Entry) {
        let mut walk = Forward::new(program, part.trace.values.len(), locals_in_use);
        let inputs: Vec<Value> = (part.trace.inputs.iter())
            .map(|&input| {
                let data = part.trace.values[input.index()];
                walk.new_value(data.kind, data.recorded, Fact::ANY)
            })
            .collect();
        let handed: Vec<Opnd> = inputs.iter().map(|&input| input.into()).collect();
        region.part(n, walk, 0, &handed, inputs);
    }
    region.joined.sort_by_key(|joined| joined.part);
    (region.joined, region.counts)
}

struct Region<'a> {
    program: &'a Program,
    parts: &'a [Part<'a>],
    /// The part that starts at a guard, by the guard's part and number.
    bridges: Map<(usize, usize), usize>,
    joined: Vec<Joined>,
    counts: Counts,
}

/// A bridge that is still to be walked.
struct Fork<'a> {
    part: usize,
    /// The snapshot of the guard, among those of the trace that has it.
    snapshot: SnapshotId,
    walk: Forward<'a>,
    /// How many values there were.
    values: usize,
    handed: Vec<Opnd>,
}

impl<'a> Region<'a> {
    /// Optimises a part and its bridges. The state of `walk` holds at its start; of its values, those before number `outer` are
    /// of other parts; `handed` stands for its inputs. Gives the values of other parts that it uses, which become its inputs
    /// behind `inputs`.
    fn part(
        &mut self,
        n: usize,
        mut walk: Forward<'a>,
        outer: usize,
        handed: &[Opnd],
        mut inputs: Vec<Value>,
    ) -> Vec<Value> {
        let mut source = with_what_guards_hand_over(self.parts[n].trace);
        number_activations(&mut source, n);
        let mut map = vec![Opnd::Word(0); source.values.len()];
        for (input, &opnd) in source.inputs.iter().zip(handed) {
            map[input.index()] = opnd;
        }
        let mut locals = walk.locals.before();
        let (guards, forks) = self.walk(n, &source, &mut walk, &mut map);
        let mut written = walk.take();
        for fork in forks {
            let used = self.part(fork.part, fork.walk, fork.values, &fork.handed, vec![]);
            let used = used.into_iter().map(Opnd::Value).collect();
            written.snapshots[fork.snapshot.index()].handed = Some(used);
        }
        let mut trace = Trace {
            inputs: vec![],
            values: walk.value_data(),
            insts: written.insts,
            snapshots: written.snapshots,
            notes: vec![],
        };
        let mut used = outer_values(&trace, outer);
        with_local_addresses(&walk, &mut trace, &mut used, &mut locals);
        let own = inputs.len();
        inputs.extend(&used);
        trace.inputs = inputs;
        cleanup::dead_stores(self.program, &locals, &mut trace, &mut walk.counts);
        barriers::barriers(self.program, &mut trace, &mut walk.counts);
        demand::unmask(self.program, &mut trace, &mut walk.counts);
        delay::stores(self.program, &locals, &mut trace, &mut walk.counts);
        cleanup::dead_operations(self.program, &mut trace, &mut walk.counts);
        let is_used = cleanup::used_values(&trace);
        let mut kept = trace.inputs.iter().map(|input| is_used[input.index()]).skip(own);
        used.retain(|_| kept.next().expect("as many inputs as values of other parts"));
        let mut at = 0;
        trace.inputs.retain(|input| {
            at += 1;
            at <= own || is_used[input.index()]
        });
        cleanup::renumber(&mut trace);
        if cfg!(debug_assertions) {
            assert_valid(self.program, &trace, "the optimiser of regions");
        }
        self.counts.add(&walk.counts);
        self.joined.push(Joined { part: n, trace, guards });
        used
    }

    /// Walks over a part: its guards that are left, and its bridges.
    fn walk(
        &self,
        n: usize,
        source: &Trace,
        walk: &mut Forward<'a>,
        map: &mut [Opnd],
    ) -> (Vec<usize>, Vec<Fork<'a>>) {
        let (mut guards, mut forks) = (vec![], vec![]);
        let mut guard = 0;
        for (at, inst) in source.insts.iter().enumerate() {
            if inst.op.is_terminator() {
                let args = walk.mapped_all(map, &inst.args).into();
                walk.end(End { op: inst.op, attached: inst.attached, args });
            } else if inst.op == TraceOp::Label {
                walk.need_for(source, at, map);
                walk.heap.forget_effects(self.program, &source.insts[at..]);
                walk.label(inst, map);
            } else if let Some(id) = inst.snapshot {
                if self.bridges.contains_key(&(n, guard)) {
                    // The bridge finds done and made what the guard hands over.
                    walk.store_pending(|_| true);
                    let handed = source.snapshots[id.index()].handed.as_deref().unwrap_or_default();
                    walk.mapped_all(map, handed).into_iter().for_each(|opnd| walk.need(opnd));
                }
                let fork = self.bridges.get(&(n, guard)).map(|&part| {
                    let (mut fork, values) = walk.fork();
                    let handed = source.snapshots[id.index()].handed.as_deref().unwrap_or_default();
                    let args = walk.mapped_all(map, &inst.args);
                    fork.learn_failed(inst.op, &args);
                    let handed = fork.mapped_all(map, handed);
                    for store in &source.snapshots[id.index()].stores {
                        fork.delayed_store(store, map);
                    }
                    (part, fork, values, handed)
                });
                let before = walk.written.insts.len();
                walk.step(source, inst, map, true);
                if walk.written.insts.len() > before {
                    guards.push(guard);
                    if let Some((part, fork, values, handed)) = fork {
                        let snapshot = SnapshotId::new(guards.len() - 1);
                        // The bridge does them.
                        walk.written.snapshots[snapshot.index()].stores.clear();
                        forks.push(Fork { part, snapshot, walk: fork, values, handed });
                    }
                }
                guard += 1;
            } else {
                if inst.op.may_collect() && !walk.can_put_off(inst, &walk.mapped_all(map, &inst.args)) {
                    // Nothing is made or stored between an allocation that may collect and its guard.
                    walk.store_pending(|_| true);
                    let guard = source.insts.get(at + 1).and_then(|next| next.snapshot);
                    let named = guard.into_iter().flat_map(|id| source.snapshots[id.index()].operands());
                    let named: Vec<Opnd> = named.collect();
                    walk.mapped_all(map, &named).into_iter().for_each(|opnd| walk.need(opnd));
                }
                walk.step(source, inst, map, true);
            }
        }
        (guards, forks)
    }
}

/// The trace, each guard with a snapshot of its own that has nothing but what the guard hands over.
fn with_what_guards_hand_over(trace: &Trace) -> Trace {
    let mut source = Trace { snapshots: vec![], notes: vec![], ..trace.clone() };
    for inst in source.insts.iter_mut().filter(|inst| inst.op.is_guard()) {
        let id = inst.snapshot.expect("a verified guard has a snapshot");
        let Snapshot { merge_points, stores, .. } = &trace.snapshots[id.index()];
        let (merge_points, stores) = (*merge_points, stores.clone());
        inst.snapshot = Some(SnapshotId::new(source.snapshots.len()));
        source.snapshots.push(Snapshot {
            frames: vec![],
            merge_points,
            handed: Some(trace.handed(id)),
            stores,
            virtuals: vec![],
            known: vec![],
            open: Default::default(),
        });
    }
    source
}

/// Tells the activations of a part from those of others.
fn number_activations(trace: &mut Trace, part: usize) {
    for inst in trace.insts.iter_mut().filter(|inst| inst.op == TraceOp::LocalAddr) {
        if let Opnd::Word(activation) = &mut inst.args[2] {
            *activation += (part as u64) << 32;
        }
    }
}

/// Has a trace compute addresses of local memory itself, which it would take from other parts; others know the slots of those that are
/// not so simple.
fn with_local_addresses(walk: &Forward, trace: &mut Trace, used: &mut Vec<Value>, locals: &mut Locals) {
    let mut own = vec![];
    used.retain(|&value| {
        let location = walk.normal_location(walk.program, Some(value.into()), None, 0);
        if location.base != Base::Local {
            return true;
        }
        if location.index.is_some() {
            locals.escape(location.slot, 0);
            return true;
        }
        let mut write = |op, args: &[Opnd], result| {
            let (args, results) = (SmallVec::from_slice(args), SmallVec::from_slice(&[result]));
            own.push(Inst { op, args, attached: Attached::None, results, snapshot: None });
        };
        let (start, slot) = (location.slot.start, location.slot.operands());
        if location.offset == start {
            write(TraceOp::LocalAddr, &slot, value);
            return false;
        }
        trace.values.push(ValueData { kind: Kind::Word, recorded: None });
        let base = Value::new(trace.values.len() - 1);
        write(TraceOp::LocalAddr, &slot, base);
        let more = Opnd::Word(location.offset.wrapping_sub(start));
        write(TraceOp::Pure(PureOp::IntAdd), &[base.into(), more], value);
        false
    });
    trace.insts.splice(0..0, own);
}

/// The values of other parts that a trace takes from them, ascending.
fn outer_values(trace: &Trace, outer: usize) -> Vec<Value> {
    let mut is_used = cleanup::used_values(trace);
    // What was put off where the trace starts may be made in it.
    for value in trace.insts.iter().flat_map(|inst| &inst.results) {
        is_used[value.index()] = false;
    }
    (0..outer).filter(|&n| is_used[n]).map(Value::new).collect()
}
