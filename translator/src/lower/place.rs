//! Places: variables and memory, and the steps from them.
//!
//! A [`PlaceAt`] is a variable in SSA form with a path of fields into its value, or memory with a path. Making one reads
//! pointers and checks bounds; using one does not. It knows which part of which variable it is, if no pointer or index
//! lies between, since that is what can be moved out of.

use crate::flow::types::{Type, TypeId};
use crate::flow::{LoadTimeValue, OpKind, Place, Proj, SlotId, ValueId};
use crate::lower::build::{Var, pointee_place};
use crate::lower::escape::{PartPath, RootKey, Step, single_parts};
use crate::lower::func::{Lower, Root, Storage};
use crate::lower::{Result, unsupported};
use crate::source::Span;
use crate::thir::{CaptureMode, ExprId, ExprKind, FieldIdx, Lit, TempLifetime, UpvarId, VariantIdx};
use crate::ty::{StaticId, Ty, TyKind};
use metatrace_defs::PureOp;

/// Where a place begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Base {
    Var(Var),
    Slot(SlotId),
    /// What a pointer points to.
    Memory(ValueId),
}

/// A place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PlaceAt {
    pub(super) base: Base,
    pub(super) path: Vec<Proj>,
    pub(super) ty: Ty,
    pub(super) flow: TypeId,
    /// The variable that it is a part of.
    pub(super) part: Option<(Root, PartPath)>,
}

impl Lower<'_, '_> {
    /// Evaluates a place expression.
    pub(super) fn place(&mut self, e: ExprId) -> Result<PlaceAt> {
        let ty = self.expr_ty(e);
        let span = self.span(e);
        self.b.pos = self.cx.pos(span);
        match self.body.expr(e).kind.clone() {
            ExprKind::Local(local) => match self.locals.get(&local) {
                Some(place) => Ok(place.clone()),
                // Assigned later; declared without a value.
                None => {
                    self.declare(local);
                    Ok(self.locals[&local].clone())
                }
            },
            ExprKind::Upvar(upvar) => self.upvar(upvar),
            ExprKind::Static(id) => {
                let span = self.span(e);
                self.static_place(id, ty, span)
            }
            ExprKind::Field { base, field } => {
                let base = self.place(base)?;
                Ok(self.field(&base, None, field, ty))
            }
            ExprKind::Index { base, index } => {
                let base = self.place(base)?;
                let constant = match self.body.expr(index).kind {
                    ExprKind::Literal(Lit::Int(n)) => u64::try_from(n).ok(),
                    _ => None,
                };
                let index = self.value(index)?;
                self.b.pos = self.cx.pos(span);
                self.index(&base, index, constant, ty, span)
            }
            ExprKind::Deref(pointer) => {
                if matches!(self.expr_ty(pointer).kind(), TyKind::Adt(..)) {
                    let boxed = self.place(pointer)?;
                    return Ok(self.content(&boxed, ty));
                }
                let value = self.value(pointer)?;
                Ok(self.deref_value(value, ty))
            }
            ExprKind::Temp { value, lifetime } => self.temporary(e, value, lifetime, ty),
            other => panic!("not a place: {other:?}"),
        }
    }

    fn temporary(&mut self, e: ExprId, value: ExprId, lifetime: TempLifetime, ty: Ty) -> Result<PlaceAt> {
        if lifetime == TempLifetime::Static {
            return self.promoted(value, ty);
        }
        let flow = self.flow_ty(ty);
        let is_plain = {
            let data = self.cx.out.types.data(flow);
            // Also short arrays, though they may be values: what is wanted of them is mostly one element.
            let is_array = matches!(data.ty, Type::Array(..));
            data.freeze && !data.needs_drop && (is_array || self.is_memory(flow))
        };
        if is_plain
            && !self.info.is_changed(RootKey::Temp(e))
            && let ExprKind::Const { id, args } = self.body.expr(value).kind
        {
            // Nobody sees that it is not a copy.
            if let Ok((id, args)) = self.cx.program.resolve_const(id, self.inst_args(args)) {
                return self.const_memory(id, args, ty, value);
            }
        }
        let operand = self.value(value)?;
        let root = if self.is_memory(flow) {
            let info = std::rc::Rc::clone(&self.info);
            let root = self.root_with(Storage::Pointer(operand), ty, info.moved_parts(RootKey::Temp(e)));
            self.mark_init(root);
            root
        } else {
            let root = self.root(RootKey::Temp(e), ty, "");
            self.init_root(root, operand);
            root
        };
        match lifetime {
            TempLifetime::Scope => self.schedule_temporary(root),
            TempLifetime::Block | TempLifetime::Static => self.schedule(root),
        }
        Ok(self.root_place(root))
    }

    /// A constant expression in memory that lives for ever.
    fn promoted(&mut self, value: ExprId, ty: Ty) -> Result<PlaceAt> {
        let span = self.span(value);
        let Some(text) = self.const_text(value).filter(|_| self.cx.can_spell(ty)) else {
            let help = "bind the value to a `const` or `static` item and borrow that";
            return unsupported(span, "this borrowed constant expression is not supported", help);
        };
        let spelled = self.cx.spell(ty);
        let module = self.cx.module_of(ty);
        Ok(self.frozen_memory(
            format!("{{ const P: &'static {spelled} = &{text}; P as *const {spelled} as u64 }}"),
            &text,
            module,
            ty,
        ))
    }

    /// Memory that never changes, at an address that the glue tells.
    pub(super) fn frozen_memory(
        &mut self,
        rust: String,
        name: &str,
        module: crate::flow::ModuleId,
        ty: Ty,
    ) -> PlaceAt {
        let flow = self.flow_ty(ty);
        let pointer = self.cx.ref_to(flow, false);
        let value = LoadTimeValue { rust, module, name: name.to_string(), frozen: true };
        let base = self.load_time(pointer, value);
        PlaceAt { base: Base::Memory(base), path: vec![], ty, flow, part: None }
    }

    fn static_place(&mut self, id: StaticId, ty: Ty, span: Span) -> Result<PlaceAt> {
        let def = self.cx.program.static_def(id);
        let flow = self.flow_ty(ty);
        let frozen = !def.mutable && self.cx.out.types.data(flow).freeze;
        let module = self.cx.item_module(def.origin, def.module);
        let rust = if self.cx.program.scopes.in_body(def.module) {
            let expr = format!("&raw const {} as u64", def.name);
            match self
                .cx
                .program
                .outside_of_body(def.module, &expr)
                .filter(|_| frozen && self.cx.can_spell(ty))
            {
                Some(rust) => rust,
                None => {
                    let message = format!(
                        "`{}` is declared inside a function, so its address cannot be known",
                        def.name
                    );
                    return unsupported(span, message, "declare it in the module, or make it a `const`");
                }
            }
        } else {
            format!("&raw const {} as u64", def.path)
        };
        let value = LoadTimeValue { rust, module, name: def.name.to_string(), frozen };
        let pointer = self.cx.ptr_to(flow);
        let base = self.load_time(pointer, value);
        Ok(PlaceAt { base: Base::Memory(base), path: vec![], ty, flow, part: None })
    }

    /// A captured place of the closure that is lowered.
    fn upvar(&mut self, upvar: UpvarId) -> Result<PlaceAt> {
        let Some(env) = self.closure.clone() else {
            panic!("{upvar} outside a closure");
        };
        let Some(capture) = self.body.closure(env.id).and_then(|c| c.captures.get(upvar.index())).cloned()
        else {
            panic!("{upvar} is no capture of {}", env.id);
        };
        let ty = self.inst(capture.ty);
        let field = FieldIdx(upvar.0);
        match capture.mode {
            CaptureMode::Value => Ok(self.field(&env.place, None, field, ty)),
            CaptureMode::Shared | CaptureMode::Mut => {
                let mutability = match capture.mode {
                    CaptureMode::Mut => crate::ty::Mutability::Mut,
                    _ => crate::ty::Mutability::Not,
                };
                let reference = self.field(&env.place, None, field, Ty::reference(mutability, ty));
                let pointer = self.read(&reference);
                Ok(self.deref_value(pointer, ty))
            }
        }
    }

    /// What a pointer value points to.
    pub(super) fn deref_value(&mut self, pointer: ValueId, ty: Ty) -> PlaceAt {
        let flow = self.flow_ty(ty);
        let place = pointee_place(&self.b, pointer);
        PlaceAt { base: Base::Memory(place.base), path: place.path, ty, flow, part: None }
    }

    /// What a box holds.
    pub(super) fn content(&mut self, boxed: &PlaceAt, ty: Ty) -> PlaceAt {
        let pointer = self.read(boxed);
        let mut place = self.deref_value(pointer, ty);
        place.part = boxed.part.clone();
        if let Some((_, path)) = &mut place.part {
            path.push(Step::Content);
        }
        place
    }

    /// A field; of an enum, of the variant that it is known to be.
    pub(super) fn field(
        &mut self,
        base: &PlaceAt,
        variant: Option<VariantIdx>,
        field: FieldIdx,
        ty: Ty,
    ) -> PlaceAt {
        let mut place = base.clone();
        place.path.push(match variant {
            Some(variant) => Proj::Variant { variant: variant.0, field: field.0 },
            None => Proj::Field(field.0),
        });
        if let Some((_, path)) = &mut place.part {
            path.push(Step::Field(variant.unwrap_or(VariantIdx(0)), field));
        }
        place.ty = ty;
        place.flow = self.flow_ty(ty);
        place
    }

    /// An element, with a bounds check.
    fn index(
        &mut self,
        base: &PlaceAt,
        index: ValueId,
        constant: Option<u64>,
        ty: Ty,
        span: Span,
    ) -> Result<PlaceAt> {
        let is_var = matches!(base.base, Base::Var(_));
        let in_bounds = match (self.get(base.flow), constant) {
            (Type::Array(_, len), Some(index)) => index < *len,
            _ => false,
        };
        if !in_bounds {
            if is_var {
                let help = "use an index that is in bounds";
                return unsupported(span, "this index is out of bounds", help);
            }
            let len = self.len(base);
            self.bounds_check(index, len);
        }
        if let Some(constant) = constant.filter(|_| is_var) {
            return Ok(self.element(base, constant, ty));
        }
        Ok(self.element_at(base, index, ty))
    }

    /// The number of elements of an array or slice place.
    pub(super) fn len(&mut self, base: &PlaceAt) -> ValueId {
        let usize = self.cx.usize();
        if let Type::Array(_, len) = *self.get(base.flow) {
            return self.b.constant(usize, len);
        }
        let pointer = self.fat_pointer(base);
        match self.b.made_by(pointer) {
            Some(&OpKind::MakeFat { len, .. }) => len,
            _ => self.b.op(usize, OpKind::FatLen(pointer)),
        }
    }

    /// The pointer to an unsized place.
    fn fat_pointer(&mut self, base: &PlaceAt) -> ValueId {
        match base.base {
            Base::Memory(pointer) if base.path.is_empty() => pointer,
            _ => panic!("an unsized place that is not what a pointer points to: {base:?}"),
        }
    }

    /// An element whose index is in bounds.
    pub(super) fn element_at(&mut self, base: &PlaceAt, index: ValueId, ty: Ty) -> PlaceAt {
        let mut place = base.clone();
        place.path.push(Proj::Index(index));
        place.part = None;
        place.ty = ty;
        place.flow = self.flow_ty(ty);
        place
    }

    /// An element of an array by a number that is in bounds.
    pub(super) fn element(&mut self, base: &PlaceAt, number: u64, ty: Ty) -> PlaceAt {
        let mut place = if let Base::Var(_) = base.base {
            self.field(base, None, FieldIdx(number as u32), ty)
        } else {
            let usize = self.cx.usize();
            let index = self.b.constant(usize, number);
            self.element_at(base, index, ty)
        };
        let is_array = matches!(base.ty.kind(), TyKind::Array(..));
        place.part = base.part.clone().filter(|_| is_array).map(|(root, mut path)| {
            path.push(Step::Element(number as u32));
            (root, path)
        });
        place
    }

    fn bounds_check(&mut self, index: ValueId, len: ValueId) {
        let bool = self.cx.bool();
        let fits = self.b.pure(bool, PureOp::UintLt, &[index, len]);
        let (good, bad) = (self.b.new_block(), self.b.new_block());
        self.b.branch(fits, good, bad);
        self.b.seal_and_switch(bad);
        let (usize, never) = (self.cx.usize(), self.cx.never());
        let text = "|index: usize, len: usize| -> ! { panic!(\"index out of bounds: the len is {len} but the index is {index}\") }";
        self.call_helper(
            "index out of bounds",
            text.to_string(),
            &[(index, usize), (len, usize)],
            never,
            true,
        );
        self.b.seal_and_switch(good);
    }

    // ---- use --------------------------------------------------------------------------------------------------

    /// The place as memory. A variable in SSA form has none: its value is copied to fresh memory, which serves reading.
    pub(super) fn memory(&mut self, place: &PlaceAt) -> Place {
        match place.base {
            Base::Memory(base) => Place { base, path: place.path.clone() },
            Base::Slot(slot) => {
                let ty = self.b.slot_type(slot);
                let pointer = self.cx.ptr_to(ty);
                Place { base: self.b.slot_addr(pointer, slot), path: place.path.clone() }
            }
            Base::Var(_) => {
                let value = self.read(place);
                let base = self.temp_memory(place.flow);
                let at = Place { base, path: vec![] };
                self.b.effect(OpKind::Store(at.clone(), value));
                at
            }
        }
    }

    /// The content as an operand.
    pub(super) fn read(&mut self, place: &PlaceAt) -> ValueId {
        if let Base::Var(var) = place.base {
            let mut value = self.b.read(var);
            let mut ty = self.b.ty(value);
            for step in &place.path {
                let (variant, field) = match *step {
                    Proj::Field(field) => (0, field),
                    Proj::Variant { variant, field } => (variant, field),
                    Proj::Index(_) => panic!("an element of a variable in SSA form"),
                };
                ty = self.part_type(ty, variant, field);
                value = self.extract(ty, value, variant, field);
            }
            return value;
        }
        let at = self.memory(place);
        if self.is_memory(place.flow) {
            let base = self.temp_memory(place.flow);
            let to = Place { base, path: vec![] };
            self.b.effect(OpKind::CopyMemory { to, from: at, ty: place.flow });
            return base;
        }
        if self.cx.out.types.scalars(place.flow).is_some_and(|s| s.is_empty()) {
            return self.b.constant(place.flow, 0);
        }
        self.b.op(place.flow, OpKind::Load(at))
    }

    /// A field of a value; if the value was just made, what it was made of.
    pub(super) fn extract(&mut self, ty: TypeId, value: ValueId, variant: u32, field: u32) -> ValueId {
        if let Some(OpKind::Make { variant: made, fields }) = self.b.made_by(value)
            && *made == variant
        {
            return fields[field as usize];
        }
        self.b.op(ty, OpKind::Extract { value, variant, field })
    }

    /// The type of a field.
    pub(super) fn part_type(&self, ty: TypeId, variant: u32, field: u32) -> TypeId {
        match self.get(ty) {
            Type::Adt(adt) => adt.variants[variant as usize].fields[field as usize].ty,
            Type::Tuple(parts) | Type::Closure { captures: parts, .. } => parts[field as usize],
            Type::Array(elem, _) => *elem,
            Type::Vec(_) | Type::String => match self.cx.out.types.container_field(ty, field) {
                Some(ty) => ty,
                None => panic!("a container has no field {field}"),
            },
            other => panic!("{other:?} has no fields"),
        }
    }

    /// Writes an operand; what was there is forgotten, not dropped.
    pub(super) fn store(&mut self, place: &PlaceAt, operand: ValueId) {
        if let Base::Var(var) = place.base {
            let value = if place.path.is_empty() {
                operand
            } else {
                let whole = self.b.read(var);
                self.replace(whole, &place.path, operand)
            };
            self.b.write(var, value);
            return;
        }
        let at = self.memory(place);
        if self.is_memory(place.flow) {
            let from = Place { base: operand, path: vec![] };
            self.b.effect(OpKind::CopyMemory { to: at, from, ty: place.flow });
        } else {
            self.b.effect(OpKind::Store(at, operand));
        }
    }

    /// The value with one part replaced.
    fn replace(&mut self, whole: ValueId, path: &[Proj], part: ValueId) -> ValueId {
        let Some((step, rest)) = path.split_first() else { return part };
        let ty = self.b.ty(whole);
        let (variant, field) = match *step {
            Proj::Field(field) => (0, field),
            Proj::Variant { variant, field } => (variant, field),
            Proj::Index(_) => panic!("an element of a variable in SSA form"),
        };
        let count = match self.get(ty) {
            Type::Adt(adt) => adt.variants[variant as usize].fields.len(),
            Type::Tuple(parts) | Type::Closure { captures: parts, .. } => parts.len(),
            Type::Array(_, len) => *len as usize,
            _ => 3,
        };
        let mut fields = Vec::new();
        for n in 0..count as u32 {
            let ty = self.part_type(ty, variant, n);
            let old = self.extract(ty, whole, variant, n);
            fields.push(if n == field { self.replace(old, rest, part) } else { old });
        }
        self.b.op(ty, OpKind::Make { variant, fields })
    }

    /// The address of a place as a pointer of this type.
    pub(super) fn address(&mut self, place: &PlaceAt, pointer: TypeId) -> ValueId {
        let at = self.memory(place);
        if at.path.is_empty() {
            return self.retype(pointer, at.base);
        }
        self.b.op(pointer, OpKind::Ref(at))
    }

    /// The same word or words as another type.
    pub(super) fn retype(&mut self, ty: TypeId, value: ValueId) -> ValueId {
        if self.b.ty(value) == ty {
            return value;
        }
        if self.b.known_const(value) == Some(0) {
            return self.b.constant(ty, 0);
        }
        self.b.op(ty, OpKind::Retype(value))
    }

    /// Notes that the content of a place was moved out.
    pub(super) fn moved_out(&mut self, place: &PlaceAt, span: Span) -> Result<()> {
        if !self.cx.out.types.data(place.flow).needs_drop {
            return Ok(());
        }
        let Some((root, path)) = &place.part else {
            let help = "take it with `std::mem::replace` or `Option::take`";
            return unsupported(span, "moving this part out of a pointer is not supported", help);
        };
        let data = self.roots[root.index()].clone();
        let Some(flag) = data.flag else {
            // It drops nothing of what it holds (`ManuallyDrop`).
            return Ok(());
        };
        if path.is_empty() {
            let no = self.flag_value(false);
            self.b.write(flag, no);
            return Ok(());
        }
        let yes = self.flag_value(true);
        for gone in single_parts(path) {
            match data.moved.iter().find(|(part, _)| *part == gone) {
                Some(&(_, moved)) => self.b.write(moved, yes),
                // Only elements of arrays of generic or great length are not foreseen.
                None => {
                    let help = "take it with `std::mem::replace` or `Option::take`";
                    return unsupported(span, "moving elements out of this array is not supported", help);
                }
            }
        }
        Ok(())
    }
}
