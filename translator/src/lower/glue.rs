//! Drop glue: what runs when a value is dropped.
//!
//! Structs, enums, tuples and closures are taken apart field by field, after their own `Drop::drop`, so that a value
//! whose variant owns nothing costs a test. So are boxes, but for those of lists and trees. These, containers and types that
//! are not looked into are dropped in place by native code. So is everything while a panic unwinds, unless parts of it were
//! moved out.

use crate::flow::OpKind;
use crate::flow::types::Type;
use crate::lower::build::Var;
use crate::lower::escape::{PartPath, Step};
use crate::lower::func::Lower;
use crate::lower::place::{Base, PlaceAt};
use crate::thir::{FieldIdx, VariantIdx};
use crate::ty::{Ty, TyKind};
use metatrace_defs::PureOp;

/// Deeper than this, values are dropped in place: such types are recursive or nobody's idea of a value.
const MAX_DEPTH: usize = 6;

impl Lower<'_, '_> {
    /// Drops the content of a place but for the parts that were moved out. Paths in `moved` begin at the variable, of which
    /// the place is the part after `depth` steps.
    pub(super) fn drop_place(&mut self, place: &PlaceAt, moved: &[(PartPath, Var)], depth: usize) {
        if !self.cx.out.types.data(place.flow).needs_drop {
            return;
        }
        let path: PartPath = place.part.as_ref().map(|(_, path)| path.clone()).unwrap_or_default();
        if let Some(&(_, flag)) = moved.iter().find(|(part, _)| !part.is_empty() && *part == path) {
            let is_moved = self.b.read(flag);
            if self.b.known_const(is_moved) == Some(1) {
                return;
            }
            let (run, after) = (self.b.new_block(), self.b.new_block());
            self.b.branch(is_moved, after, run);
            self.b.seal_and_switch(run);
            self.drop_whole(place, moved, depth);
            self.b.goto(after);
            self.b.seal_and_switch(after);
            return;
        }
        self.drop_whole(place, moved, depth);
    }

    fn drop_whole(&mut self, place: &PlaceAt, moved: &[(PartPath, Var)], depth: usize) {
        let path: PartPath = place.part.as_ref().map(|(_, path)| path.clone()).unwrap_or_default();
        let below: Vec<(PartPath, Var)> = moved
            .iter()
            .filter(|(part, _)| part.len() > path.len() && part.starts_with(&path))
            .cloned()
            .collect();
        let is_whole = below.iter().all(|&(_, flag)| {
            let value = self.b.read(flag);
            self.b.known_const(value) == Some(0)
        });
        let native = (self.in_cleanup || depth > MAX_DEPTH)
            && is_whole
            && self.cx.can_spell(place.ty)
            && !self.cx.is_of_model(place.ty);
        if !is_whole {
            match *place.ty.kind() {
                TyKind::Array(elem, len) => {
                    let len = len.const_value().unwrap_or_default() as u64;
                    let is_known = |n: u64| {
                        below.iter().any(|(part, _)| part.get(path.len()) == Some(&Step::Element(n as u32)))
                    };
                    for n in array_order(len, is_known) {
                        let element = self.element(place, n, elem);
                        self.drop_place(&element, moved, depth + 1);
                    }
                    return;
                }
                TyKind::Adt(id, args) if self.cx.program.adt(id).lang.as_deref() == Some("Box") => {
                    let content = self.content(place, args[0]);
                    self.drop_place(&content, moved, depth + 1);
                    return self.free_box(place, args[0]);
                }
                _ => {}
            }
        }
        if !native && let Some(content) = self.owned_by_box(place.ty) {
            let inside = self.content(place, content);
            self.drop_place(&inside, &[], depth + 1);
            return self.free_box(place, content);
        }
        if let TyKind::Adt(id, args) = *place.ty.kind()
            && self.cx.program.adt(id).lang.as_deref() == Some("Rc")
            && !self.in_cleanup
        {
            return self.drop_counted(place, args[0]);
        }
        let is_vec = !native && self.is_vec_taken_apart(place.ty);
        if !is_vec && (native || !self.is_taken_apart(place.ty)) {
            let at = self.memory(place);
            self.b.effect(OpKind::DropInPlace(at, place.flow));
            return;
        }
        if let Some((id, args)) = self.cx.program.drop_impl(place.ty) {
            let pointer = self.cx.ref_to(place.flow, true);
            let address = self.address(place, pointer);
            let unit = self.cx.unit();
            self.call_instance(id, args, vec![address], unit);
            if is_vec {
                return;
            }
            if matches!(place.base, Base::Var(_)) {
                // `drop` changed the copy in memory; its fields are dropped there.
                let mut at = self.deref_value(address, place.ty);
                at.part = place.part.clone();
                return self.drop_fields(&at, &below, depth);
            }
        }
        self.drop_fields(place, &below, depth);
    }

    /// One reference less; native code drops the last one.
    fn drop_counted(&mut self, place: &PlaceAt, content: Ty) {
        let Some(counts) = self.cx.program.lang_adt("RcCounts") else { return };
        let ty = Ty::adt(counts, &[content]);
        let flow = self.flow_ty(ty);
        let pointer = self.cx.ref_to(flow, true);
        let rc = self.read(place);
        let address = self.counts(rc, pointer);
        let counts = self.deref_value(address, ty);
        let strong = self.field(&counts, None, FieldIdx(0), Ty::usize());
        let count = self.read(&strong);
        let (usize, bool) = (self.cx.usize(), self.cx.bool());
        let one = self.b.constant(usize, 1);
        let is_last = self.b.pure(bool, PureOp::IntEq, &[count, one]);
        let (last, more, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(is_last, last, more);
        self.b.seal_and_switch(more);
        let less = self.b.pure(usize, PureOp::IntSub, &[count, one]);
        self.store(&strong, less);
        self.b.goto(after);
        self.b.seal_and_switch(last);
        let at = self.memory(place);
        self.b.effect(OpKind::DropInPlace(at, place.flow));
        self.b.goto(after);
        self.b.seal_and_switch(after);
    }

    /// Frees the memory of a box whose content is gone.
    fn free_box(&mut self, place: &PlaceAt, content: Ty) {
        let boxed = self.read(place);
        let to = self.flow_ty(content);
        let pointer = self.cx.add(Type::RawPtr { to, mutable: true });
        let pointer = self.retype(pointer, boxed);
        self.b.effect(OpKind::Free(pointer));
    }

    /// What a box holds, if its drop is that of the content and of the memory: not of contents without a size, nor of those
    /// that own boxes of the same type, which could go on for ever.
    fn owned_by_box(&self, ty: Ty) -> Option<Ty> {
        let TyKind::Adt(id, args) = *ty.kind() else { return None };
        if self.cx.program.adt(id).lang.as_deref() != Some("Box") || !self.cx.program.is_sized(args[0]) {
            return None;
        }
        let mut seen = vec![];
        (!self.contains(args[0], ty, &mut seen)).then_some(args[0])
    }

    /// Whether the type is a vector whose drop is that of the elements and of the buffer: elements do not own vectors of the same
    /// type, and dropping them runs none of the interpreter's code, which might panic and leave the other elements to be dropped.
    fn is_vec_taken_apart(&self, ty: Ty) -> bool {
        let TyKind::Adt(id, args) = *ty.kind() else { return false };
        self.cx.program.adt(id).lang.as_deref() == Some("Vec")
            && self.cx.can_spell(ty)
            && !self.contains(args[0], ty, &mut vec![])
            && self.drops_quietly(args[0], &mut vec![])
    }

    /// Whether dropping a value runs no code of the interpreter.
    fn drops_quietly(&self, ty: Ty, seen: &mut Vec<Ty>) -> bool {
        if seen.contains(&ty) || !self.cx.program.needs_drop(ty) {
            return true;
        }
        if ty.is_endless() {
            return false;
        }
        seen.push(ty);
        let mut quiet = true;
        match *ty.kind() {
            TyKind::Adt(id, args) => {
                let def = self.cx.program.adt(id);
                let is_container = matches!(def.lang.as_deref(), Some("Box" | "Vec" | "Rc" | "String"));
                if is_container {
                    return args.iter().all(|&arg| self.drops_quietly(arg, seen));
                }
                if def.opaque.is_some() || self.cx.program.drop_impl(ty).is_some() {
                    return false;
                }
                for (v, variant) in def.variants.iter().enumerate() {
                    for n in 0..variant.fields.len() {
                        let field = self.cx.program.field_ty(ty, VariantIdx::new(v), FieldIdx::new(n));
                        quiet = quiet && self.drops_quietly(self.cx.program.normalize(field), seen);
                    }
                }
                quiet
            }
            TyKind::Tuple(_) | TyKind::Array(..) | TyKind::Slice(_) => {
                ty.for_each_child(|child| quiet &= self.drops_quietly(child, seen));
                quiet
            }
            _ => false,
        }
    }

    /// Whether a type is `wanted` or may own one whose drop is taken apart too.
    fn contains(&self, ty: Ty, wanted: Ty, seen: &mut Vec<Ty>) -> bool {
        // What has no end may own anything.
        if ty == wanted || ty.is_endless() {
            return true;
        }
        if seen.contains(&ty) || !self.cx.program.needs_drop(ty) {
            return false;
        }
        // What native code drops is not taken apart.
        if let TyKind::Adt(id, _) = *ty.kind()
            && (self.cx.program.adt(id).lang.as_deref() == Some("Rc")
                || self.cx.program.adt(id).opaque.is_some())
        {
            return false;
        }
        seen.push(ty);
        let mut found = false;
        ty.for_each_child(|child| found |= self.contains(child, wanted, seen));
        if let TyKind::Adt(id, _) = *ty.kind() {
            let def = self.cx.program.adt(id);
            for (v, variant) in def.variants.iter().enumerate() {
                for n in 0..variant.fields.len() {
                    let field = self.cx.program.field_ty(ty, VariantIdx::new(v), FieldIdx::new(n));
                    found = found || self.contains(self.cx.program.normalize(field), wanted, seen);
                }
            }
        }
        found
    }

    fn is_taken_apart(&self, ty: Ty) -> bool {
        match *ty.kind() {
            TyKind::Tuple(_) | TyKind::Closure(..) => true,
            TyKind::Adt(id, _) => {
                let def = self.cx.program.adt(id);
                def.opaque.is_none()
                    && !matches!(def.lang.as_deref(), Some("Box" | "Vec" | "String" | "Traced"))
            }
            _ => false,
        }
    }

    fn drop_fields(&mut self, place: &PlaceAt, moved: &[(PartPath, Var)], depth: usize) {
        let fields: Vec<Vec<Ty>> = match *place.ty.kind() {
            TyKind::Tuple(parts) => vec![parts.to_vec()],
            TyKind::Closure(id, args) => vec![self.cx.program.closure_captures(id, args)],
            TyKind::Adt(id, _) => {
                let def = self.cx.program.adt(id);
                let variants = def.variants.iter().enumerate();
                let of = |v: usize, n: usize| {
                    self.cx.program.field_ty(place.ty, VariantIdx::new(v), FieldIdx::new(n))
                };
                variants.map(|(v, variant)| (0..variant.fields.len()).map(|n| of(v, n)).collect()).collect()
            }
            _ => vec![],
        };
        let is_enum = matches!(self.get(place.flow), Type::Adt(adt) if adt.is_enum);
        if !is_enum {
            return self.drop_list(place, None, fields.first().map_or(&[], |f| f), moved, depth);
        }
        let droppable: Vec<usize> =
            (0..fields.len()).filter(|&v| fields[v].iter().any(|&t| self.cx.program.needs_drop(t))).collect();
        let after = self.b.new_block();
        let variant = self.variant_of(place);
        let mut cases = Vec::new();
        for &v in &droppable {
            cases.push((v as u64, self.b.new_block()));
        }
        let default = (droppable.len() < fields.len()).then_some(after);
        self.switch(variant, &cases, default);
        for (&v, &(_, block)) in droppable.iter().zip(&cases) {
            self.b.seal_and_switch(block);
            self.drop_list(place, Some(VariantIdx::new(v)), &fields[v], moved, depth);
            self.b.goto(after);
        }
        self.b.seal_and_switch(after);
    }

    fn drop_list(
        &mut self,
        place: &PlaceAt,
        variant: Option<VariantIdx>,
        fields: &[Ty],
        moved: &[(PartPath, Var)],
        depth: usize,
    ) {
        for (n, &ty) in fields.iter().enumerate() {
            let field = self.field(place, variant, FieldIdx::new(n), ty);
            self.drop_place(&field, moved, depth + 1);
        }
    }

    /// The index of the variant of the enum at a place.
    pub(super) fn variant_of(&mut self, place: &PlaceAt) -> crate::flow::ValueId {
        let usize = self.cx.usize();
        if let Base::Var(_) = place.base {
            let value = self.read(place);
            return match self.b.made_by(value) {
                Some(&OpKind::Make { variant, .. }) => self.b.constant(usize, u64::from(variant)),
                _ => self.b.op(usize, OpKind::VariantOf(value)),
            };
        }
        let at = self.memory(place);
        self.b.op(usize, OpKind::LoadVariant(at))
    }
}

/// The order in which rustc drops the elements of an array of which some were moved out: it treats elements that are moved out
/// somewhere one by one, the others in runs, and begins with the last; within a run it begins with the first.
fn array_order(len: u64, is_known: impl Fn(u64) -> bool) -> Vec<u64> {
    let mut runs: Vec<Vec<u64>> = Vec::new();
    for n in 0..len {
        match runs.last_mut() {
            Some(run) if !is_known(n) && run.last().is_some_and(|&last| !is_known(last)) => run.push(n),
            _ => runs.push(vec![n]),
        }
    }
    runs.into_iter().rev().flatten().collect()
}
