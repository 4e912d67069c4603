//! What is put off goes round a loop without being made.
//!
//! A class that starts with something that is put off, and becomes the same kind of thing in each passage, has a [`Shape`]: it is no
//! parameter of the label. What it is made of goes round instead, in slots of its own; at the label a new value is put off
//! that is made of these. So an object that is made anew in each passage, or whose fields change, costs what its fields cost,
//! and a number in it stays in a register. Objects that share parts, or hold each other, do so at the label too.
//!
//! Where a class becomes something else the loop is given up, what it starts with is made before the label, and the loop is closed
//! again. Where something is put off at the end that the label takes as a word, it is made there.

use metatrace_defs::descr::Scalar;
use metatrace_defs::{AccessId, TraceOp};
use metatrace_trace::{Attached, Opnd, Value};

use super::{Assumed, Class, Round, Slot};
use crate::forward::{Args, Forward};
use crate::hash::Map;
use crate::memory::{Base, Definitions};
use crate::pending::Wrote;
use crate::virtuals::{Field, Object, PutOff};

/// What a class is made of that is put off where the loop starts.
#[derive(Clone)]
pub(super) struct Shape {
    op: TraceOp,
    attached: Attached,
    /// The length of an array.
    length: Args,
    /// The slots of the operands, if it is no object.
    operands: Vec<usize>,
    fields: Vec<ShapeField>,
}

#[derive(Clone)]
struct ShapeField {
    offset: u64,
    access: AccessId,
    scalar: Scalar,
    slot: usize,
}

/// How what a class is in the next passage fits its shape.
enum Fit {
    /// What its slots hold then.
    Parts(Vec<(usize, Opnd)>),
    /// It has these fields too.
    More(Vec<Field>),
    /// It is something else.
    No,
}

impl Shape {
    fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        self.operands.iter().copied().chain(self.fields.iter().map(|field| field.slot))
    }

    fn slots_mut(&mut self) -> impl Iterator<Item = &mut usize> {
        self.operands.iter_mut().chain(self.fields.iter_mut().map(|field| &mut field.slot))
    }

    fn fit(&self, walk: &Forward, next: Opnd) -> Fit {
        match walk.virtuals.get(next) {
            Some(PutOff::Operation { op, attached, args })
                if (*op, *attached, args.len()) == (self.op, self.attached, self.operands.len()) =>
            {
                let args = args.iter().map(|&arg| walk.resolve(arg));
                Fit::Parts(self.operands.iter().copied().zip(args).collect())
            }
            Some(PutOff::Object(object))
                if (object.op, object.attached) == (self.op, self.attached) && object.args == self.length =>
            {
                self.fit_fields(walk, object)
            }
            _ => Fit::No,
        }
    }

    fn fit_fields(&self, walk: &Forward, object: &Object) -> Fit {
        let is_ours =
            |field: &Field, ours: &ShapeField| (field.offset, field.scalar) == (ours.offset, ours.scalar);
        let bytes = |offset: u64, scalar: Scalar| offset..offset + scalar.bytes() as u64;
        let meets = |field: &Field, ours: &ShapeField| {
            let (a, b) = (bytes(field.offset, field.scalar), bytes(ours.offset, ours.scalar));
            a.start < b.end && b.start < a.end
        };
        let mut more = vec![];
        for field in &object.fields {
            if self.fields.iter().any(|ours| is_ours(field, ours)) {
                continue;
            }
            if self.fields.iter().any(|ours| meets(field, ours)) {
                return Fit::No;
            }
            more.push(field.clone());
        }
        if !more.is_empty() {
            return Fit::More(more);
        }
        let parts = self.fields.iter().map(|ours| {
            let field = object.fields.iter().find(|field| is_ours(field, ours));
            let value = field.map_or(unwritten(ours.scalar), |field| walk.resolve(field.value));
            (ours.slot, value)
        });
        Fit::Parts(parts.collect())
    }
}

/// What a field holds that was not written.
fn unwritten(scalar: Scalar) -> Opnd {
    Opnd::constant(scalar.kind(), 0)
}

impl Assumed {
    /// The class that starts with an operand.
    pub(super) fn class_of(&mut self, start: &Forward, by_start: &mut Map<Opnd, usize>, opnd: Opnd) -> usize {
        let opnd = start.resolve(opnd);
        *by_start.entry(opnd).or_insert_with(|| {
            self.classes.push(Class::new(start, opnd));
            self.classes.len() - 1
        })
    }

    /// Gives shapes to all classes that start with what is put off.
    pub(super) fn find_shapes(&mut self, start: &Forward, by_start: &mut Map<Opnd, usize>) {
        let mut n = 0;
        while n < self.classes.len() {
            if let Some(put_off) = start.virtuals.get(self.classes[n].start) {
                self.classes[n].changes = true;
                self.classes[n].shape = Some(match put_off {
                    PutOff::Operation { op, attached, args } => {
                        let operands = args.iter().map(|&arg| self.part(start, by_start, n, arg)).collect();
                        Shape { op: *op, attached: *attached, length: Args::new(), operands, fields: vec![] }
                    }
                    PutOff::Object(Object { op, attached, args, fields }) => {
                        let fields = fields.iter().map(|field| {
                            let &Field { offset, access, scalar, value } = field;
                            let slot = self.part(start, by_start, n, value);
                            ShapeField { offset, access, scalar, slot }
                        });
                        let fields = fields.collect();
                        let (op, attached, length) = (*op, *attached, args.clone());
                        Shape { op, attached, length, operands: vec![], fields }
                    }
                });
            }
            n += 1;
        }
    }

    /// A new slot for a part of a class.
    fn part(&mut self, start: &Forward, by_start: &mut Map<Opnd, usize>, of: usize, opnd: Opnd) -> usize {
        let class = self.class_of(start, by_start, opnd);
        self.slots.push(Slot { class, content: None, part_of: Some(of), is_assumed: true });
        self.slots.len() - 1
    }

    /// Puts off at the label what the shapes say, of what goes round.
    pub(super) fn put_off_shapes(&self, walk: &mut Forward, now: &[Option<Opnd>]) {
        for (class, opnd) in self.classes.iter().zip(now) {
            let (Some(shape), &Some(Opnd::Value(value))) = (&class.shape, opnd) else { continue };
            let part = |slot: usize| self.at_label(now, self.slots[slot].class);
            let put_off = if matches!(shape.op, TraceOp::New | TraceOp::NewArray) {
                let fields = shape.fields.iter().map(|field| {
                    let &ShapeField { offset, access, scalar, slot } = field;
                    Field { offset, access, scalar, value: part(slot) }
                });
                let (op, attached, args) = (shape.op, shape.attached, shape.length.clone());
                PutOff::Object(Object { op, attached, args, fields: fields.collect() })
            } else {
                let args: Args = shape.operands.iter().map(|&slot| part(slot)).collect();
                walk.define(value, (shape.op, shape.attached, args.clone()));
                PutOff::Operation { op: shape.op, attached: shape.attached, args }
            };
            walk.virtuals.put_off(value, put_off);
        }
    }

    /// Finds the slots of what is pending where the loop starts.
    pub(super) fn find_pending(&mut self, start: &Forward) {
        for store in &start.virtuals.pending {
            let is_it = |slot: &Slot| {
                slot.content
                    .as_ref()
                    .is_some_and(|entry| entry.location == store.location && entry.scalar == Scalar::Word)
            };
            // The newest entry is what was stored.
            let slot = self.slots.iter().rposition(is_it);
            self.pending.push(slot.expect("memory is known where a store is pending"));
        }
    }

    /// Stores pending at the label store what is there now.
    pub(super) fn pend_at_label(&self, walk: &mut Forward, now: &[Option<Opnd>]) {
        for (n, &slot) in self.pending.iter().enumerate() {
            walk.virtuals.pending[n].value = self.at_label(now, self.slots[slot].class);
        }
        walk.virtuals.wrote = Wrote::Nothing;
    }

    /// At the end of a passage the stores must be pending that were so at its start, at places that do not move: they come first,
    /// in that order. All others are done. Fails if they are not.
    pub(super) fn keep_pending(
        &self,
        round: &mut Round,
        moving: &Map<Value, (usize, u64)>,
    ) -> Result<(), Vec<Value>> {
        let mut kept = vec![];
        for &slot in &self.pending {
            let entry = self.slots[slot].content.as_ref().expect("what is pending is content");
            let location = &entry.location;
            let moves = |value: &Value| moving.contains_key(value);
            let base = match location.base {
                Base::Value(value) => Some(value),
                Base::Absolute | Base::Local => None,
            };
            let index = location.index.map(|(value, _)| value);
            if base.iter().chain(&index).any(moves) {
                return Err(vec![]);
            }
            let pending = &mut round.walk.virtuals.pending;
            match pending.iter().position(|store| store.location == *location) {
                Some(n) => kept.push(pending.remove(n)),
                None => return Err(vec![]),
            }
        }
        round.walk.store_pending(|_| true);
        round.walk.virtuals.pending = kept;
        Ok(())
    }

    /// What the loop's inputs and the parts of shapes are in the next passage, all others nothing. What the label takes as a word
    /// is made. Fails with what must be made before the label.
    pub(super) fn next_of_parts(
        &mut self,
        round: &mut Round,
        holds: &mut bool,
    ) -> Result<Vec<Option<Opnd>>, Vec<Value>> {
        loop {
            let next = self.next_as_it_is(round, holds)?;
            let is_word = |slot: &Slot| slot.is_assumed && self.classes[slot.class].shape.is_none();
            let to_make = self.slots.iter().zip(&next).filter(|(slot, _)| is_word(slot));
            let to_make = to_make.filter_map(|(_, next)| *next);
            let to_make: Vec<Opnd> =
                to_make.filter(|&next| round.walk.virtuals.get(next).is_some()).collect();
            if to_make.is_empty() {
                return Ok(next);
            }
            to_make.into_iter().for_each(|opnd| round.walk.need(opnd));
        }
    }

    fn next_as_it_is(
        &mut self,
        round: &mut Round,
        holds: &mut bool,
    ) -> Result<Vec<Option<Opnd>>, Vec<Value>> {
        let mut next: Vec<Option<Opnd>> =
            round.args.iter().map(|&arg| Some(round.walk.resolve(arg))).collect();
        next.resize(self.slots.len(), None);
        // What it stands for is made of slots behind the one where a class is met first.
        let mut is_met = vec![false; self.classes.len()];
        let mut met: Vec<usize> = (0..round.args.len()).collect();
        for (&slot, store) in self.pending.iter().zip(&round.walk.virtuals.pending) {
            next[slot] = Some(round.walk.resolve(store.value));
            met.push(slot);
        }
        let mut to_make = vec![];
        while let Some(slot) = met.pop() {
            let class = self.slots[slot].class;
            let (Some(opnd), Some(shape)) = (next[slot], &self.classes[class].shape) else { continue };
            if std::mem::replace(&mut is_met[class], true) {
                continue;
            }
            match shape.fit(&round.walk, opnd) {
                Fit::Parts(parts) => {
                    for (slot, opnd) in parts {
                        next[slot] = Some(opnd);
                        met.push(slot);
                    }
                }
                Fit::More(fields) => {
                    *holds = false;
                    for field in fields {
                        self.add_field(class, &field);
                    }
                    next.resize(self.slots.len(), None);
                }
                Fit::No => to_make.extend(self.classes[class].start.as_value()),
            }
        }
        if to_make.is_empty() { Ok(next) } else { Err(to_make) }
    }

    /// Lets a class have one more field, which was not written where the loop starts.
    fn add_field(&mut self, class: usize, field: &Field) {
        let &Field { offset, access, scalar, .. } = field;
        let start = unwritten(scalar);
        self.classes.push(Class::of_constant(start, scalar.kind()));
        let slot =
            Slot { class: self.classes.len() - 1, content: None, part_of: Some(class), is_assumed: true };
        self.slots.push(slot);
        let slot = self.slots.len() - 1;
        if let Some(shape) = &mut self.classes[class].shape {
            shape.fields.push(ShapeField { offset, access, scalar, slot });
            shape.fields.sort_by_key(|field| field.offset);
        }
    }

    /// Gives classes from number `first` on, which were parted from others, slots of their own for what they are made of.
    pub(super) fn part_shapes(&mut self, first: usize) {
        for class in first..self.classes.len() {
            let Some(mut shape) = self.classes[class].shape.clone() else { continue };
            for slot in shape.slots_mut() {
                let of = self.slots[*slot].class;
                self.slots.push(Slot { class: of, content: None, part_of: Some(class), is_assumed: true });
                *slot = self.slots.len() - 1;
            }
            self.classes[class].shape = Some(shape);
        }
    }

    /// Whether slots that a shape has are all parts of the class that has it.
    pub(super) fn shapes_are_whole(&self) -> bool {
        self.classes.iter().enumerate().all(|(n, class)| {
            class.shape.iter().flat_map(Shape::slots).all(|slot| self.slots[slot].part_of == Some(n))
        })
    }
}
