//! Closing a loop: the body, optimised with all that holds whenever its label is reached.
//!
//! Takes the state of a walk at the place where the label shall stand, the source of the body, and the operands that its
//! first passage starts with. Gives label, body and jump, or nothing if no stable state was found.
//!
//! What holds at the label is found by assuming the most and taking back what the end of the body does not keep:
//!
//! - *Slots* are what is handed from one passage to the next: the loop's inputs, and the content of memory known at the
//!   label. Slots that start equal are assumed to stay equal (one *class*), and each class is assumed not to change at all.
//! - The body is walked under these assumptions. Then each slot's operand for the next passage is known: an argument of
//!   the jump, or what memory holds at the end at the same place, as seen from the next passage.
//! - Slots of a class that differ there part; a class that changes becomes a parameter of the label; content that is not
//!   known at the end, relations and ranges that do not hold there are given up. Then the body is walked again.
//!
//! This ends, because classes only split and only become parameters, and ranges are widened. At the end nothing was
//! taken back: everything that the body relied on holds after it if it held before, and it holds after the preamble.
//! No operation is moved, so guards and partial operations keep their order; what does not change in the loop is
//! computed in the preamble only, because equal operations are shared. Facts about values of the preamble need no check:
//! values do not change.
//!
//! A parameter that every passage puts into a box of bits (a tag over an integer, the bits of a float) is handed over
//! *unboxed*: the label takes what is inside, and what the box is follows behind it, where often only exits need it.

mod carried;

use metatrace_defs::{Kind, PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, TargetId, Trace, Value};
use smallvec::SmallVec;

use crate::facts::Fact;
use crate::forward::{Forward, Segment};
use crate::hash::Map;
use crate::memory::{Base, Definitions, Entry, Location};
use crate::relations::Relation;
use crate::rules;
use carried::Shape;

/// A label, a body and a jump, in one segment; the walk stands behind them.
pub(crate) struct Closed<'a> {
    pub walk: Forward<'a>,
    pub body: Segment,
}

/// Walks over a body before a loop is given up.
const MOST_ROUNDS: usize = 20;
/// Attempts to close a loop, each with more made before the label, before it is given up.
const MOST_STARTS: usize = 10;

/// Closes the loop whose body is `source` from operation `from` on. `places` are the values of `source` that the loop
/// hands over, and `starts` the operands they start with.
pub(crate) fn close<'a>(
    start: &Forward<'a>,
    source: &Trace,
    from: usize,
    places: &[Value],
    starts: &[Opnd],
    label: TargetId,
) -> Option<Closed<'a>> {
    let mut start = start.clone();
    'starts: for _ in 0..MOST_STARTS {
        start.store_pending_unknown();
        let mut assumed = Assumed::all(&start, starts);
        for _ in 0..MOST_ROUNDS {
            let mut round = assumed.walk(&start, source, from, places);
            match assumed.take_back(&start, &mut round) {
                Ok(true) => return Some(assumed.write(round, label)),
                Ok(false) => {}
                Err(to_make) => {
                    if to_make.is_empty() {
                        start.store_pending(|_| true);
                    }
                    to_make.into_iter().for_each(|value| start.need(value.into()));
                    continue 'starts;
                }
            }
        }
        return None;
    }
    None
}

/// What is handed from one passage to the next.
struct Slot {
    class: usize,
    /// If it is the content of memory: where, as seen from the label.
    content: Option<Entry>,
    /// If it is a part of what a class is made of: that class.
    part_of: Option<usize>,
    is_assumed: bool,
}

/// Slots that are always equal.
#[derive(Clone)]
struct Class {
    start: Opnd,
    kind: Kind,
    /// Whether it is a parameter of the label.
    changes: bool,
    /// What is known of the parameter.
    fact: Fact,
    widened: u32,
    boxing: Boxing,
    /// What it is made of, if it is put off: it is no parameter then.
    shape: Option<Shape>,
}

impl Class {
    fn new(start: &Forward, opnd: Opnd) -> Class {
        Class { fact: start.fact_of(opnd), kind: start.kind(opnd), ..Class::of_constant(opnd, Kind::Word) }
    }

    fn of_constant(start: Opnd, kind: Kind) -> Class {
        let fact = start.as_const().map_or(Fact::ANY, Fact::exact);
        Class { start, kind, changes: false, fact, widened: 0, boxing: Boxing::Unknown, shape: None }
    }

    /// Hands the class over as it is.
    fn make_plain(&mut self, start: &Forward) {
        self.boxing = Boxing::Plain;
        self.fact = inexact(start.fact_of(self.start));
        self.widened = 0;
    }
}

/// How a class is made of the parameter that stands for it.
#[derive(Clone, PartialEq, Eq)]
enum Boxing {
    /// It is the parameter; whether it could be more has not been asked.
    Unknown,
    /// It is the parameter.
    Plain,
    /// These operations make it of the parameter, one after the other, each with this second operand.
    Of(SmallVec<[(PureOp, Opnd); 3]>),
}

impl Boxing {
    /// The operations by which an operand was put in a box; `Plain` if there is no box.
    fn of(walk: &Forward, opnd: Opnd) -> Boxing {
        let mut steps = SmallVec::new();
        let mut opnd = opnd;
        let mut is_tagged = false;
        while steps.len() < 4
            && let Some((op, [x, y, _])) = rules::Context::definition(walk, opnd)
        {
            match (op, y) {
                (PureOp::FloatToBits, _) => is_tagged = true,
                (PureOp::IntOr, Opnd::Word(_)) if !is_tagged => is_tagged = true,
                (PureOp::IntAnd | PureOp::IntShl, Opnd::Word(_)) if is_tagged => {}
                _ => break,
            }
            steps.insert(0, (op, y));
            opnd = x;
        }
        if is_tagged { Boxing::Of(steps) } else { Boxing::Plain }
    }

    /// Writes what is in the box that `opnd` is, if it is such a box.
    fn unbox(&self, walk: &mut Forward, opnd: Opnd) -> Option<Opnd> {
        let Boxing::Of(steps) = self else { return Some(opnd) };
        let mut inside = walk.resolve(opnd);
        for &(op, with) in steps.iter().rev() {
            inside = match (op, with) {
                (PureOp::FloatToBits, _) => walk.pure(PureOp::FloatFromBits, &[inside], None),
                (PureOp::IntOr, Opnd::Word(tag)) => {
                    walk.pure(PureOp::IntAnd, &[inside, Opnd::Word(!tag)], None)
                }
                (PureOp::IntAnd, Opnd::Word(0xffff_ffff)) => walk.pure(PureOp::IntSext32, &[inside], None),
                (PureOp::IntShl, count) => walk.pure(PureOp::IntSar, &[inside, count], None),
                _ => inside,
            };
        }
        let again = self.wrap(walk, inside);
        (again == walk.resolve(opnd)).then_some(inside)
    }

    /// Writes the box around a value.
    fn wrap(&self, walk: &mut Forward, inside: Opnd) -> Opnd {
        let Boxing::Of(steps) = self else { return inside };
        steps.iter().fold(inside, |opnd, &(op, with)| {
            let args = [walk.resolve(opnd), with];
            walk.pure(op, &args[..op.row().operands.len()], None)
        })
    }
}

struct Assumed {
    /// The loop's inputs, then the contents of memory.
    slots: Vec<Slot>,
    classes: Vec<Class>,
    relations: Vec<(Opnd, Opnd, Relation)>,
    /// Something may have been made that no guard has reported, see [`crate::virtuals`].
    unreported: bool,
    /// The slots of what is pending at the label.
    pending: Vec<usize>,
}

/// One walk over the body.
struct Round<'a> {
    walk: Forward<'a>,
    /// How much was written before the label.
    before_label: usize,
    /// The parameters, by class.
    params: Vec<Option<Value>>,
    /// What they start with.
    starts: Vec<Opnd>,
    /// What they are in the next passage.
    next_params: Vec<Option<Opnd>>,
    /// The arguments of the jump.
    args: Vec<Opnd>,
}

impl Assumed {
    fn all(start: &Forward, starts: &[Opnd]) -> Assumed {
        let unreported = start.virtuals.unreported;
        let mut assumed =
            Assumed { slots: vec![], classes: vec![], relations: vec![], unreported, pending: vec![] };
        let mut by_start = Map::default();
        let contents = start.heap.entries().iter().map(|entry| (entry.value, Some(entry.clone())));
        for (opnd, content) in starts.iter().map(|&opnd| (opnd, None)).chain(contents) {
            let class = assumed.class_of(start, &mut by_start, opnd);
            assumed.slots.push(Slot { class, content, part_of: None, is_assumed: true });
        }
        assumed.find_pending(start);
        assumed.find_shapes(start, &mut by_start);
        assumed.relations = start.relations.iter().collect();
        assumed.relations.retain(|(a, b, _)| by_start.contains_key(a) || by_start.contains_key(b));
        assumed.relations.sort_by_key(|&(a, b, _)| (a, b));
        assumed
    }

    /// The classes that change, by the value that they start from and the constant that is added to it there.
    fn moving(&self, start: &Forward) -> Map<Value, (usize, u64)> {
        let mut moving = Map::default();
        for (n, class) in self.classes.iter().enumerate() {
            if let (Some(value), constant) = start.linear(class.start)
                && class.changes
                && class.kind == Kind::Word
            {
                moving.entry(value).or_insert((n, constant));
            }
        }
        for class in self.classes.iter().filter(|class| !class.changes) {
            if let Opnd::Value(value) = class.start {
                moving.remove(&value);
            }
        }
        moving
    }

    /// A location known at the label, where the classes that change are what `now` says; nothing if it does not say.
    fn location(
        &self,
        walk: &Forward,
        moving: &Map<Value, (usize, u64)>,
        location: &Location,
        now: &[Option<Opnd>],
    ) -> Option<Location> {
        let moved = |value: Value| match moving.get(&value) {
            Some(&(class, constant)) => now[class].map(|opnd| (opnd, constant)),
            None => Some((Opnd::Value(value), 0)),
        };
        let mut offset = location.offset;
        let base = match location.base {
            Base::Absolute => Some(Opnd::Word(0)),
            Base::Local => None,
            Base::Value(value) => {
                let (opnd, constant) = moved(value)?;
                offset = offset.wrapping_sub(constant);
                Some(opnd)
            }
        };
        let index = match location.index {
            Some((value, stride)) => {
                let (opnd, constant) = moved(value)?;
                offset = offset.wrapping_sub(constant.wrapping_mul(stride));
                Some((opnd, stride))
            }
            None => None,
        };
        let slot = location.slot;
        let now = walk.normal_location(walk.program, base, index, offset);
        Some(if now.base == Base::Local { Location { slot, ..now } } else { now })
    }

    /// What stands for a class at the label.
    fn at_label(&self, now: &[Option<Opnd>], class: usize) -> Opnd {
        now[class].unwrap_or(self.classes[class].start)
    }

    /// What stands for an operand of the preamble that a relation is about, where the classes that change are what
    /// `now` says; nothing if it does not say.
    fn related(&self, by_start: &Map<Opnd, usize>, now: &[Option<Opnd>], opnd: Opnd) -> Option<Opnd> {
        match by_start.get(&opnd) {
            Some(&class) => now[class],
            None => Some(opnd),
        }
    }

    /// The first class that changes, by what it starts with.
    fn changing_by_start(&self) -> Map<Opnd, usize> {
        let mut by_start = Map::default();
        for (n, class) in self.classes.iter().enumerate().filter(|(_, class)| class.changes) {
            by_start.entry(class.start).or_insert(n);
        }
        by_start
    }

    fn walk<'a>(&mut self, start: &Forward<'a>, source: &Trace, from: usize, places: &[Value]) -> Round<'a> {
        let mut walk = start.clone();
        let mut starts = Vec::new();
        for class in &mut self.classes {
            if class.shape.is_some() {
                starts.push(class.start);
                continue;
            }
            let inside = match class.changes {
                true => class.boxing.unbox(&mut walk, class.start),
                false => None,
            };
            if inside.is_none() && class.changes {
                class.make_plain(start);
            }
            let inside = inside.unwrap_or(class.start);
            if matches!(class.boxing, Boxing::Of(_)) && class.widened == 0 {
                class.fact = inexact(walk.fact_of(inside));
            }
            starts.push(inside);
        }
        let before_label = walk.written.insts.len();
        let mut params: Vec<Option<Value>> = Vec::new();
        for (class, &start) in self.classes.iter().zip(&starts) {
            let kind = walk.kind(start);
            let is_param = class.changes && class.shape.is_none();
            params.push(is_param.then(|| walk.new_value(kind, None, class.fact)));
        }
        let mut now: Vec<Option<Opnd>> = Vec::new();
        for (class, param) in self.classes.iter().zip(&params) {
            now.push(match &class.shape {
                Some(_) => Some(walk.new_value(class.kind, None, class.fact).into()),
                None => param.map(|param| class.boxing.wrap(&mut walk, param.into())),
            });
        }
        walk.virtuals.collects();
        walk.virtuals.unreported = self.unreported;
        self.put_off_shapes(&mut walk, &now);
        self.pend_at_label(&mut walk, &now);
        let moving = self.moving(start);
        walk.heap.clear();
        for (n, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.is_assumed) {
            if let Some(entry) = &slot.content
                && let Some(location) = self.location(&walk, &moving, &entry.location, &now)
            {
                let value = self.at_label(&now, slot.class);
                walk.heap.insert(Entry { location, value, carried: Some(n), ..entry.clone() });
            }
        }
        let by_start = self.changing_by_start();
        for &(a, b, relation) in &self.relations {
            if let (Some(a), Some(b)) = (self.related(&by_start, &now, a), self.related(&by_start, &now, b)) {
                walk.learn_relation(a, b, relation);
            }
        }
        let mut map = vec![Opnd::Word(0); source.values.len()];
        for (slot, place) in self.slots.iter().zip(places) {
            map[place.index()] = self.at_label(&now, slot.class);
        }
        let end = walk.walk(source, from, &mut map, false);
        Round { walk, before_label, params, starts, next_params: Vec::new(), args: end.args.to_vec() }
    }

    /// Takes back what does not hold at the end of the body. Whether all of it held.
    ///
    /// Fails with what must be made before the label, or with nothing if pending stores must be done.
    fn take_back(&mut self, start: &Forward, round: &mut Round) -> Result<bool, Vec<Value>> {
        let mut holds = true;
        let moving = self.moving(start);
        self.keep_pending(round, &moving)?;
        let mut next = self.next_of_parts(round, &mut holds)?;
        let mut used = std::mem::take(&mut round.walk.heap.used);
        let of_class = self.next_of_classes(&next, round, &moving, &mut used);
        used.sort();
        for n in 0..self.slots.len() {
            if self.slots[n].content.is_none() || self.pending.contains(&n) {
                continue;
            }
            let is_used = used.binary_search(&n).is_ok();
            let found = match &self.slots[n] {
                Slot { is_assumed: true, content: Some(entry), .. } if is_used => self
                    .location(&round.walk, &moving, &entry.location, &of_class)
                    .and_then(|location| round.content(entry, &location)),
                _ => None,
            };
            self.slots[n].is_assumed = found.is_some();
            holds &= found.is_some() || !is_used;
            next[n] = found;
        }
        holds &= self.take_back_relations(&round.walk, &of_class);
        let classes = self.classes.len();
        holds &= self.split(&next, round);
        self.part_shapes(classes);
        debug_assert!(self.shapes_are_whole());
        holds &= self.unbox(start, &next, round);
        holds &= self.widen(round);
        // Last, because only in the end it is known what goes round.
        if round.walk.virtuals.unreported && !self.unreported {
            self.unreported = true;
            holds = false;
        }
        Ok(holds && self.find_boxes(round))
    }

    /// What each class that changes is in the next passage, as one of its slots tells: an input, a part, or the content of a
    /// place that does not move, which is then `used`. Locations and relations are seen from there; that the other
    /// slots of the class agree is for [`Assumed::split`] to see.
    fn next_of_classes(
        &self,
        next: &[Option<Opnd>],
        round: &mut Round,
        moving: &Map<Value, (usize, u64)>,
        used: &mut Vec<usize>,
    ) -> Vec<Option<Opnd>> {
        let mut of_class = vec![None; self.classes.len()];
        for (n, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.is_assumed) {
            if !self.classes[slot.class].changes || of_class[slot.class].is_some() {
                continue;
            }
            of_class[slot.class] = match &slot.content {
                None => next[n],
                Some(entry) => {
                    let stays = |value: Value| !moving.contains_key(&value);
                    let is_still = match entry.location.base {
                        Base::Value(value) => stays(value),
                        Base::Absolute | Base::Local => true,
                    } && entry.location.index.is_none_or(|(value, _)| stays(value));
                    let found = if is_still { round.content(entry, &entry.location) } else { None };
                    used.extend(found.map(|_| n));
                    found
                }
            };
        }
        of_class
    }

    fn take_back_relations(&mut self, walk: &Forward, of_class: &[Option<Opnd>]) -> bool {
        let by_start = self.changing_by_start();
        let before = self.relations.len();
        let mut relations = std::mem::take(&mut self.relations);
        relations.retain(|&(a, b, relation)| {
            let is_about_change = by_start.contains_key(&a) || by_start.contains_key(&b);
            let now = (self.related(&by_start, of_class, a), self.related(&by_start, of_class, b));
            !is_about_change
                || matches!(now, (Some(a), Some(b)) if walk.relations.get(a, b).is_within(relation))
        });
        self.relations = relations;
        self.relations.len() == before
    }

    /// Parts the slots of a class that are not equal at the end; makes classes that change parameters.
    fn split(&mut self, next: &[Option<Opnd>], round: &Round) -> bool {
        let mut holds = true;
        // The class that goes on for the slots of a class with the same operand at the end.
        let mut goes_on: Map<(usize, Opnd), usize> = Map::default();
        let mut is_taken = vec![false; self.classes.len()];
        for (n, class) in self.classes.iter().enumerate().filter(|(_, class)| !class.changes) {
            goes_on.insert((n, round.walk.resolve(class.start)), n);
            is_taken[n] = true;
        }
        for (slot, next) in self.slots.iter_mut().zip(next) {
            let &Some(next) = next else { continue };
            let class = slot.class;
            slot.class = *goes_on.entry((class, next)).or_insert_with(|| {
                if !std::mem::replace(&mut is_taken[class], true) {
                    return class;
                }
                holds = false;
                let fact = match self.classes[class].fact {
                    // A parameter that were known to be one word would be taken for it, and the walk would be vain.
                    fact if fact.as_exact().is_some() => fact.join(round.walk.fact_of(next)),
                    fact => fact,
                };
                self.classes.push(Class { changes: true, fact, ..self.classes[class].clone() });
                self.classes.len() - 1
            });
        }
        holds
    }

    /// Finds what the parameters are in the next passage: what is inside of boxes.
    fn unbox(&mut self, start: &Forward, next: &[Option<Opnd>], round: &mut Round) -> bool {
        let mut holds = true;
        round.next_params = vec![None; self.classes.len()];
        for (slot, next) in self.slots.iter().zip(next).filter(|(slot, _)| slot.is_assumed) {
            let class = &mut self.classes[slot.class];
            let has_param = round.params.get(slot.class).is_some_and(|param| param.is_some());
            if let &Some(next) = next
                && has_param
                && round.next_params[slot.class].is_none()
            {
                let inside = class.boxing.unbox(&mut round.walk, next);
                if inside.is_none() {
                    class.make_plain(start);
                    holds = false;
                }
                round.next_params[slot.class] = inside;
            }
        }
        holds
    }

    /// Asks of each class that changes whether what it becomes is a box. Whether none is.
    fn find_boxes(&mut self, round: &Round) -> bool {
        let mut holds = true;
        for (class, next) in self.classes.iter_mut().zip(&round.next_params) {
            if let &Some(next) = next
                && class.boxing == Boxing::Unknown
            {
                class.boxing = Boxing::of(&round.walk, next);
                class.widened = 0;
                holds &= class.boxing == Boxing::Plain;
            }
        }
        holds
    }

    /// Widens what is assumed of the parameters to what holds at the end.
    fn widen(&mut self, round: &Round) -> bool {
        let mut holds = true;
        for (class, next) in self.classes.iter_mut().zip(&round.next_params) {
            let &Some(next) = next else { continue };
            let fact = round.walk.fact_of(next);
            if class.changes && !fact.is_within(class.fact) {
                let joined = class.fact.join(fact);
                class.fact = if class.widened < 1 { joined } else { class.fact.widen(joined) };
                class.widened += 1;
                holds = false;
            }
        }
        holds
    }

    fn write<'a>(&self, mut round: Round<'a>, label: TargetId) -> Closed<'a> {
        let (mut params, mut starts, mut nexts) = (SmallVec::new(), SmallVec::new(), SmallVec::new());
        for n in 0..self.classes.len() {
            // A class without a slot left is nowhere used: what it is in the next passage does not matter.
            if let (Some(param), Some(next)) = (round.params[n], round.next_params[n]) {
                params.push(param);
                starts.push(round.starts[n]);
                nexts.push(next);
            }
        }
        let attached = Attached::Target(label);
        let mut body = round.walk.take();
        let first = Inst { op: TraceOp::Label, args: starts, attached, results: params, snapshot: None };
        let last =
            Inst { op: TraceOp::Jump, args: nexts, attached, results: SmallVec::new(), snapshot: None };
        body.insts.insert(round.before_label, first);
        body.insts.push(last);
        body.notes.iter_mut().for_each(|(at, _)| *at += 1);
        Closed { walk: round.walk, body }
    }
}

/// A parameter that were known to be one word would be taken for it.
fn inexact(fact: Fact) -> Fact {
    match fact.as_exact() {
        Some(word) => Fact::signed((word as i64).min(0), (word as i64).max(1)),
        None => fact,
    }
}

impl Round<'_> {
    /// What a location holds at the end of the body, written or read as `entry` was.
    fn content(&mut self, entry: &Entry, location: &Location) -> Option<Opnd> {
        let Some(found) = self.walk.heap.find(location, entry.scalar.bytes(), false) else {
            return self.wider_content(entry, location);
        };
        if found.scalar != entry.scalar {
            return None;
        }
        let value = found.value;
        Some(self.walk.resolve(value))
    }

    /// What it holds where a wider constant was written: its low bits.
    fn wider_content(&mut self, entry: &Entry, location: &Location) -> Option<Opnd> {
        if entry.scalar.kind() != Kind::Word {
            return None;
        }
        let found = self.walk.heap.find_wider(location, entry.scalar.bytes())?;
        if found.carried.is_some() {
            // Whether that holds at the end is not known yet.
            return None;
        }
        let (value, from) = (found.value, found.scalar);
        match self.walk.resolve(value) {
            constant @ Opnd::Word(_) => Some(self.walk.read_back(constant, from, entry.scalar)),
            _ => None,
        }
    }
}
