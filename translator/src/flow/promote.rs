//! Slots become values: a local that has an address only because some function, now inlined, took it by reference need
//! not be in memory.
//!
//! In: a graph. Out: the same, where no slot of a value type is left whose address is only used to read and write it, by
//! paths of fields and constant elements. Also takes apart what was just put together (`Extract` of `Make`), which is
//! what shows that an address goes nowhere.
//!
//! Relies on: what a slot holds before it is written is never looked at (it becomes 0), and nothing reaches a slot but
//! through its address.

use std::collections::{HashMap, HashSet};

use crate::flow::simplify::replace_values;
use crate::flow::types::{Type, TypeId, Types};
use crate::flow::verify::postorder;
use crate::flow::{Graph, Op, OpKind, Place, Pos, Proj, SlotId, ValueId};

/// Promotes all slots that can be: whether anything changed.
pub fn promote(graph: &mut Graph, types: &Types) -> bool {
    let mut changed = take_apart(graph);
    let slots = Pointers::find(graph, types);
    for slot in (0..graph.slots.len()).map(SlotId::new) {
        if slots.promotable(slot, graph, types) {
            changed |= Promotion::new(graph, types, &slots, slot).run();
        }
    }
    changed
}

/// Replaces `Extract` and `VariantOf` of what a `Make` put together.
fn take_apart(graph: &mut Graph) -> bool {
    let mut made: HashMap<ValueId, (u32, Vec<ValueId>)> = HashMap::new();
    for op in graph.blocks.iter().flat_map(|block| &block.ops) {
        if let (Some(result), OpKind::Make { variant, fields }) = (op.result, &op.kind) {
            made.insert(result, (*variant, fields.clone()));
        }
    }
    let mut replaced: Vec<ValueId> = (0..graph.values.len()).map(ValueId::new).collect();
    let mut changed = false;
    for op in graph.blocks.iter_mut().flat_map(|block| &mut block.ops) {
        let Some(result) = op.result else { continue };
        match &op.kind {
            OpKind::Extract { value, variant, field } => {
                let found = made.get(value).filter(|(made, _)| made == variant);
                let found = found.map(|(_, fields)| fields[*field as usize]);
                if let Some(found) = found.filter(|v| graph.values[v.index()] == graph.values[result.index()])
                {
                    replaced[result.index()] = found;
                    changed = true;
                }
            }
            OpKind::VariantOf(value) => {
                if let Some((variant, _)) = made.get(value) {
                    op.kind = OpKind::Const(u64::from(*variant));
                    changed = true;
                }
            }
            _ => {}
        }
    }
    if changed {
        resolve(&mut replaced);
        replace_values(graph, &replaced);
    }
    changed
}

/// Follows chains of replacements to their ends.
fn resolve(replaced: &mut [ValueId]) {
    for n in 0..replaced.len() {
        let mut value = replaced[n];
        while replaced[value.index()] != value {
            value = replaced[value.index()];
        }
        replaced[n] = value;
    }
}

/// The values that are addresses in slots, and the slots whose address goes elsewhere.
struct Pointers {
    /// Which slot, and the path to where the value points.
    of: HashMap<ValueId, (SlotId, Vec<Proj>)>,
    escaped: HashSet<SlotId>,
    constants: HashMap<ValueId, u64>,
}

impl Pointers {
    fn find(graph: &Graph, types: &Types) -> Pointers {
        let mut pointers =
            Pointers { of: HashMap::new(), escaped: HashSet::new(), constants: HashMap::new() };
        let mut order = postorder(graph);
        order.reverse();
        for block in order.iter().map(|block| &graph.blocks[block.index()]) {
            for op in &block.ops {
                if let (Some(result), OpKind::Const(bits)) = (op.result, &op.kind) {
                    pointers.constants.insert(result, *bits);
                }
            }
        }
        // Definitions come before uses in this order, but for block parameters, which are uses here.
        for block in order.iter().map(|block| &graph.blocks[block.index()]) {
            for op in &block.ops {
                pointers.op(op, graph, types);
            }
            for value in block.term.uses() {
                pointers.escape(value);
            }
        }
        pointers
    }

    fn escape(&mut self, value: ValueId) {
        if let Some((slot, _)) = self.of.get(&value) {
            self.escaped.insert(*slot);
        }
    }

    fn op(&mut self, op: &Op, graph: &Graph, types: &Types) {
        let direct = match &op.kind {
            OpKind::SlotAddr(slot) => Some((*slot, Vec::new())),
            OpKind::Ref(place) => self.place(place, graph, types),
            OpKind::Retype(value) => {
                let pointee = |v: ValueId| types.pointee(graph.values[v.index()]);
                let same = op.result.is_some_and(|result| pointee(result) == pointee(*value));
                self.of.get(value).filter(|_| same).cloned()
            }
            OpKind::Load(place) | OpKind::LoadVariant(place) => {
                if self.place(place, graph, types).is_none() {
                    self.escape(place.base);
                }
                return;
            }
            OpKind::Store(place, value) => {
                self.escape(*value);
                let written = graph.values[value.index()];
                let fits = self.place(place, graph, types).is_some_and(|(slot, path)| {
                    self.type_at(graph.slots[slot.index()].ty, &path, types) == Some(written)
                });
                if !fits {
                    self.escape(place.base);
                }
                return;
            }
            _ => None,
        };
        match (direct, op.result) {
            (Some(pointer), Some(result)) => _ = self.of.insert(result, pointer),
            _ => op.kind.uses().into_iter().for_each(|value| self.escape(value)),
        }
    }

    /// The path from a slot to a place in it that can be followed in a value.
    fn place(&self, place: &Place, graph: &Graph, types: &Types) -> Option<(SlotId, Vec<Proj>)> {
        let (slot, path) = self.of.get(&place.base)?;
        let mut path = path.clone();
        path.extend(&place.path);
        self.type_at(graph.slots[slot.index()].ty, &path, types)?;
        Some((*slot, path))
    }

    /// The field of its container that a step leads to.
    fn step(&self, step: Proj) -> Option<(u32, u32)> {
        match step {
            Proj::Field(field) => Some((0, field)),
            Proj::Variant { variant, field } => Some((variant, field)),
            Proj::Index(index) => Some((0, u32::try_from(*self.constants.get(&index)?).ok()?)),
        }
    }

    /// The type of what a path leads to; `None` if a value cannot be taken apart like that.
    fn type_at(&self, mut ty: TypeId, path: &[Proj], types: &Types) -> Option<TypeId> {
        for &step in path {
            let (variant, field) = self.step(step)?;
            if matches!(step, Proj::Index(_)) != matches!(types.get(ty), Type::Array(..)) {
                return None;
            }
            ty = *fields(types, ty, variant)?.get(field as usize)?;
        }
        Some(ty)
    }

    fn promotable(&self, slot: SlotId, graph: &Graph, types: &Types) -> bool {
        !self.escaped.contains(&slot)
            && !types.is_memory(graph.slots[slot.index()].ty)
            && self.of.values().any(|(of, _)| *of == slot)
    }
}

/// The types of the fields of a variant.
fn fields(types: &Types, ty: TypeId, variant: u32) -> Option<Vec<TypeId>> {
    Some(match types.get(ty) {
        Type::Tuple(parts) | Type::Closure { captures: parts, .. } => parts.clone(),
        Type::Array(elem, len) => vec![*elem; usize::try_from(*len).ok()?],
        Type::Adt(adt) => adt.variants.get(variant as usize)?.fields.iter().map(|field| field.ty).collect(),
        _ => return None,
    })
}

/// One slot on its way to being values.
struct Promotion<'a> {
    graph: &'a mut Graph,
    types: &'a Types,
    pointers: &'a Pointers,
    slot: SlotId,
    ty: TypeId,
    /// What stands for the results of loads.
    replaced: Vec<ValueId>,
}

impl<'a> Promotion<'a> {
    fn new(graph: &'a mut Graph, types: &'a Types, pointers: &'a Pointers, slot: SlotId) -> Promotion<'a> {
        let ty = graph.slots[slot.index()].ty;
        let replaced = (0..graph.values.len()).map(ValueId::new).collect();
        Promotion { graph, types, pointers, slot, ty, replaced }
    }

    fn run(mut self) -> bool {
        let live = self.live_in();
        let starts_loop = |index: usize| {
            let first = self.graph.blocks[index].ops.first();
            first.is_some_and(|op| matches!(op.kind, OpKind::MergePoint(..)))
        };
        if (0..live.len()).any(|index| live[index] && starts_loop(index)) {
            // Nothing but the portal's parameters lives across the merge point.
            return false;
        }
        let mut params: Vec<Option<ValueId>> = Vec::new();
        for (index, &live) in live.iter().enumerate() {
            let param = (live && index > 0).then(|| self.value(self.ty));
            self.graph.blocks[index].params.splice(0..0, param);
            params.push(param);
        }
        for index in 0..self.graph.blocks.len() {
            self.block(index, params[index], &live);
        }
        self.replaced.extend((self.replaced.len()..self.graph.values.len()).map(ValueId::new));
        resolve(&mut self.replaced);
        replace_values(self.graph, &self.replaced);
        true
    }

    fn value(&mut self, ty: TypeId) -> ValueId {
        self.graph.values.push(ty);
        ValueId::new(self.graph.values.len() - 1)
    }

    /// Which blocks need what is in the slot when they begin.
    fn live_in(&self) -> Vec<bool> {
        let blocks = &self.graph.blocks;
        let first: Vec<Option<bool>> = blocks.iter().map(|block| self.first_access(&block.ops)).collect();
        let mut live: Vec<bool> = first.iter().map(|first| *first == Some(true)).collect();
        loop {
            let mut changed = false;
            for (index, block) in blocks.iter().enumerate() {
                let after = || block.term.targets().iter().any(|target| live[target.block.index()]);
                if !live[index] && first[index].is_none() && after() {
                    live[index] = true;
                    changed = true;
                }
            }
            if !changed {
                return live;
            }
        }
    }

    /// Whether the first access reads what is there (to write a part is to read the rest).
    fn first_access(&self, ops: &[Op]) -> Option<bool> {
        ops.iter().find_map(|op| match &op.kind {
            OpKind::Load(place) | OpKind::LoadVariant(place) => self.path(place).map(|_| true),
            OpKind::Store(place, _) => self.path(place).map(|path| !path.is_empty()),
            _ => None,
        })
    }

    /// The path to a place, if it is in the slot.
    fn path(&self, place: &Place) -> Option<Vec<Proj>> {
        let (slot, path) = self.pointers.of.get(&place.base)?;
        (*slot == self.slot).then(|| path.iter().chain(&place.path).copied().collect())
    }

    fn block(&mut self, index: usize, param: Option<ValueId>, live: &[bool]) {
        let mut current = param;
        let ops = std::mem::take(&mut self.graph.blocks[index].ops);
        let mut out = Vec::with_capacity(ops.len());
        for op in ops {
            let (place, stored) = match &op.kind {
                OpKind::Load(place) | OpKind::LoadVariant(place) => (Some(place), None),
                OpKind::Store(place, value) => (Some(place), Some(*value)),
                _ => (None, None),
            };
            let Some(path) = place.and_then(|place| self.path(place)) else {
                // Addresses in the slot go: nothing uses them any more.
                let is_address = op
                    .result
                    .and_then(|r| self.pointers.of.get(&r))
                    .is_some_and(|(slot, _)| *slot == self.slot);
                out.extend((!is_address).then_some(op));
                continue;
            };
            let whole = match current {
                Some(value) => value,
                None if stored.is_some() && path.is_empty() => ValueId(0),
                None => self.undefined(&mut out, op.pos),
            };
            match (stored, op.result) {
                (Some(value), _) => {
                    current = Some(self.written(whole, self.ty, &path, value, op.pos, &mut out))
                }
                (None, Some(result)) => {
                    current = Some(whole);
                    let part = self.part(whole, self.ty, &path, op.pos, &mut out);
                    match op.kind {
                        OpKind::LoadVariant(_) => {
                            out.push(Op { result: Some(result), kind: OpKind::VariantOf(part), pos: op.pos });
                        }
                        _ => self.replaced[result.index()] = part,
                    }
                }
                (None, None) => {}
            }
        }
        let pos = self.graph.blocks[index].term_pos;
        let needed = self.graph.blocks[index].term.targets().iter().any(|t| live[t.block.index()]);
        if needed && current.is_none() {
            // Before what must come last in its block.
            let last = out.pop_if(|op| matches!(op.kind, OpKind::CanEnterJit));
            current = Some(self.undefined(&mut out, pos));
            out.extend(last);
        }
        self.graph.blocks[index].ops = out;
        for target in self.graph.blocks[index].term.targets_mut() {
            if live[target.block.index()] {
                target.args.splice(0..0, current);
            }
        }
    }

    /// What is in the slot before it is written.
    fn undefined(&mut self, out: &mut Vec<Op>, pos: Pos) -> ValueId {
        let value = self.value(self.ty);
        out.push(Op { result: Some(value), kind: OpKind::Const(0), pos });
        value
    }

    /// A part of a value.
    fn part(&mut self, whole: ValueId, ty: TypeId, path: &[Proj], pos: Pos, out: &mut Vec<Op>) -> ValueId {
        let (mut value, mut ty) = (whole, ty);
        for &step in path {
            let (variant, field) = self.pointers.step(step).expect("a path of fields");
            ty = fields(self.types, ty, variant).expect("a container")[field as usize];
            let result = self.value(ty);
            out.push(Op { result: Some(result), kind: OpKind::Extract { value, variant, field }, pos });
            value = result;
        }
        value
    }

    /// A value with a part replaced.
    fn written(
        &mut self,
        whole: ValueId,
        ty: TypeId,
        path: &[Proj],
        new: ValueId,
        pos: Pos,
        out: &mut Vec<Op>,
    ) -> ValueId {
        let Some((&step, rest)) = path.split_first() else { return new };
        let (variant, field) = self.pointers.step(step).expect("a path of fields");
        let types = fields(self.types, ty, variant).expect("a container");
        let mut parts = Vec::new();
        for (n, &part) in types.iter().enumerate() {
            let n = n as u32;
            if n == field && rest.is_empty() {
                parts.push(new);
                continue;
            }
            let old = self.value(part);
            let kind = OpKind::Extract { value: whole, variant, field: n };
            out.push(Op { result: Some(old), kind, pos });
            parts.push(if n == field { self.written(old, part, rest, new, pos, out) } else { old });
        }
        let result = self.value(ty);
        out.push(Op { result: Some(result), kind: OpKind::Make { variant, fields: parts }, pos });
        result
    }
}
