//! The optimiser: a trace in, an equivalent trace out.
//!
//! In: a verified trace, as the recorder wrote it, and the program's descriptors. Out: a verified trace that, entered
//! with the same inputs and memory, does the same stores and calls with effects in the same order, leaves at the same
//! guard or terminator, and hands over the same resume values, memory and count of merge points there. A loop's entry
//! keeps its inputs, so that other traces can jump to it.
//!
//! Relies on: descriptors telling the truth about aliasing and effects; guards that resume before what they protect.
//! Guarantees: guest memory is never read and guest code never called here; the outcome depends on the arguments alone
//! (not on addresses of ours, time, or hash seeds), so optimising may happen on another thread.
//!
//! A new optimisation is a rule in [`rules`], a fact in [`facts`], or a step of the forward walk; every one needs a
//! filetest in `tests/`, and the fuzzer must still find no difference.

mod barriers;
mod bounds;
mod cleanup;
mod delay;
mod demand;
pub mod facts;
mod forward;
mod hash;
mod learn;
mod loops;
mod memory;
mod merge;
mod pending;
pub mod region;
mod relations;
pub mod rules;
#[cfg(test)]
mod testing;
mod virtuals;

use metatrace_defs::{Program, TraceOp};
use metatrace_trace::verify::assert_valid;
use metatrace_trace::{Inst, Opnd, TargetId, Trace, Value};

use forward::{Forward, Segment};
use loops::Closed;
use memory::Locals;

/// What the optimiser must know beside the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The target by which the trace's own jump, and other traces, reach its entry; `None` for a trace that is no loop.
    pub entry: Option<TargetId>,
    /// How many bytes of local memory are in use where the trace starts: none at a merge point. `None` if that is not known.
    pub locals_in_use: Option<u64>,
    /// A target that nothing else uses, for the label inside a loop; `None` to leave loops as they are.
    pub label: Option<TargetId>,
}

/// How often each optimisation applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Operations on constants.
    pub folded: u32,
    /// Operations whose result follows from ranges and known bits.
    pub ranges: u32,
    /// Comparisons decided by earlier ones.
    pub relations: u32,
    /// Operations equal to an earlier one.
    pub shared: u32,
    /// Loads of what was known.
    pub loads: u32,
    /// Stores of what was there, or overwritten unseen.
    pub stores: u32,
    /// Stores that only guards which fail do.
    pub delayed: u32,
    /// Objects that were not made where the trace allocates them.
    pub virtuals: u32,
    /// Objects among these that were made further down.
    pub made: u32,
    /// Guards that cannot fail.
    pub guards: u32,
    /// Barriers that say nothing new.
    pub barriers: u32,
    /// Masks, tags and extensions of which nobody asks what they change.
    pub masks: u32,
    /// Operations without use.
    pub dead: u32,
    /// 1 if the loop was peeled.
    pub peeled: u32,
    /// Uses of each of [`rules::RULES`].
    pub rules: Vec<u32>,
}

impl Counts {
    /// Adds what was done elsewhere.
    fn add(&mut self, other: &Counts) {
        let Counts {
            folded,
            ranges,
            relations,
            shared,
            loads,
            stores,
            delayed,
            virtuals,
            made,
            guards,
            barriers,
            masks,
            dead,
            peeled,
            rules,
        } = other;
        self.folded += folded;
        self.ranges += ranges;
        self.relations += relations;
        self.shared += shared;
        self.loads += loads;
        self.stores += stores;
        self.delayed += delayed;
        self.virtuals += virtuals;
        self.made += made;
        self.guards += guards;
        self.barriers += barriers;
        self.masks += masks;
        self.dead += dead;
        self.peeled += peeled;
        self.rules.iter_mut().zip(rules).for_each(|(sum, uses)| *sum += uses);
    }
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            folded: 0,
            ranges: 0,
            relations: 0,
            shared: 0,
            loads: 0,
            stores: 0,
            delayed: 0,
            virtuals: 0,
            made: 0,
            guards: 0,
            barriers: 0,
            masks: 0,
            dead: 0,
            peeled: 0,
            rules: vec![0; rules::RULES.len()],
        }
    }
}

/// Optimises a trace.
///
/// # Panics
/// In debug builds, if a pass wrote a wrong trace, with that trace; or if `trace` is wrong.
pub fn optimise(program: &Program, trace: &Trace, options: Options) -> Trace {
    optimise_counted(program, trace, options).0
}

/// Optimises a trace, and tells what was done.
///
/// # Panics
/// As [`optimise`].
pub fn optimise_counted(program: &Program, trace: &Trace, options: Options) -> (Trace, Counts) {
    let check = |trace: &Trace, pass: &str| {
        if cfg!(debug_assertions) {
            assert_valid(program, trace, pass);
        }
    };
    check(trace, "whoever called the optimiser");

    // First, because all else profits from what is folded, forwarded and proven in one walk. Loops are peeled in it, so
    // that the second passage knows all that the first established.
    let locals = Locals::new(options.locals_in_use);
    let (mut trace, mut counts) = simplify(program, trace, options);
    check(&trace, "the forward walk");

    // After all that decides guards one by one.
    merge::guards(&mut trace, &mut counts);
    check(&trace, "the merging of guards");

    // After loads were forwarded and guards removed, because both keep stores alive.
    cleanup::dead_stores(program, &locals, &mut trace, &mut counts);
    check(&trace, "the removal of dead stores");

    // After addresses are what they will be, and before their uses are counted.
    barriers::barriers(program, &mut trace, &mut counts);
    check(&trace, "the removal of barriers");

    // When all uses are known.
    demand::unmask(program, &mut trace, &mut counts);
    check(&trace, "the removal of masks");

    // When it is known which stores are left, and what they store.
    delay::stores(program, &locals, &mut trace, &mut counts);
    check(&trace, "the delaying of stores");

    // Last, because every other pass leaves operations behind that nobody uses.
    cleanup::dead_operations(program, &mut trace, &mut counts);
    check(&trace, "the removal of dead operations");
    (trace, counts)
}

/// Walks over the trace; over a loop once as its preamble and again as its body.
fn simplify(program: &Program, source: &Trace, options: Options) -> (Trace, Counts) {
    let mut walk = Forward::new(program, source.values.len(), options.locals_in_use);
    let mut map = vec![Opnd::Word(0); source.values.len()];
    let mut inputs: Vec<Value> = Vec::new();
    for &input in &source.inputs {
        let data = source.values[input.index()];
        let value = walk.new_value(data.kind, data.recorded, facts::Fact::ANY);
        map[input.index()] = value.into();
        inputs.push(value);
    }
    let at_entry = walk.clone();
    let closed = Loop::find(source, options).and_then(|shape| shape.close(source, walk, map.clone()));
    if let Some((segments, walk)) = closed {
        return finish(inputs, segments, walk);
    }
    let mut walk = at_entry;
    let end = walk.walk(source, 0, &mut map, true);
    walk.end(end);
    let segment = walk.take();
    finish(inputs, vec![segment], walk)
}

fn mapped(map: &[Opnd], opnd: Opnd) -> Opnd {
    opnd.as_value().map_or(opnd, |value| map[value.index()])
}

/// A trace that jumps to its own beginning.
struct Loop {
    /// The label of the closed loop.
    label: TargetId,
    /// The first operation of the body.
    from: usize,
    /// The values that the jump hands over.
    places: Vec<Value>,
    /// What they start with.
    starts: Vec<Opnd>,
}

impl Loop {
    fn find(source: &Trace, options: Options) -> Option<Loop> {
        let label = options.label?;
        let jump = source.insts.last().filter(|inst| inst.op == TraceOp::Jump)?;
        let target = jump.target();
        let first = &source.insts[0];
        if first.op == TraceOp::Label && first.target() == target {
            let (places, starts) = (first.results.to_vec(), first.args.to_vec());
            return Some(Loop { label, from: 1, places, starts });
        }
        let has_label = source.insts.iter().any(|inst| inst.op == TraceOp::Label);
        if options.entry != Some(target) || has_label {
            return None;
        }
        let starts = source.inputs.iter().map(|&input| input.into()).collect();
        Some(Loop { label, from: 0, places: source.inputs.clone(), starts })
    }

    /// Preamble, if it makes the body cheaper, and body; nothing if the loop cannot be closed.
    fn close<'a>(
        &self,
        source: &Trace,
        mut walk: Forward<'a>,
        mut map: Vec<Opnd>,
    ) -> Option<(Vec<Segment>, Forward<'a>)> {
        let starts: Vec<Opnd> = self.starts.iter().map(|&opnd| mapped(&map, opnd)).collect();
        for (place, &start) in self.places.iter().zip(&starts) {
            map[place.index()] = start;
        }
        let at_entry = walk.clone();
        let end = walk.walk(source, self.from, &mut map, true);
        let preamble = walk.take();
        let peeled = loops::close(&walk, source, self.from, &self.places, &end.args, self.label);
        // A body has a label and a jump that its preamble has not.
        if let Some(Closed { mut walk, body }) = peeled
            && cost(&body) < cost(&preamble) + 2
        {
            walk.counts.peeled = 1;
            return Some((vec![preamble, body], walk));
        }
        let closed = loops::close(&at_entry, source, self.from, &self.places, &starts, self.label)?;
        Some((vec![closed.body], closed.walk))
    }
}

/// What a segment costs, in simple operations.
fn cost(segment: &Segment) -> usize {
    let allocates =
        |inst: &&Inst| inst.op.is_allocation() || matches!(inst.op, TraceOp::Free | TraceOp::FreeArray);
    segment.insts.len() + 8 * segment.insts.iter().filter(allocates).count()
}

/// Puts the segments together.
fn finish(inputs: Vec<Value>, segments: Vec<Segment>, walk: Forward) -> (Trace, Counts) {
    let mut trace = Trace { inputs, values: walk.value_data(), ..Trace::default() };
    for segment in segments {
        let start = trace.insts.len() as u32;
        trace.notes.extend(segment.notes.into_iter().map(|(at, note)| (at + start, note)));
        trace.insts.extend(segment.insts);
        trace.snapshots.extend(segment.snapshots);
    }
    (trace, walk.counts)
}
