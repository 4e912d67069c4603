//! Coercions: what Rust does to a value of one type where another is wanted.

use super::solve::Answer;
use super::table::Goal;
use super::{FnCx, ops};
use crate::diag::{Code, Diagnostic};
use crate::thir::{CastKind, ExprId, ExprKind};
use crate::ty::{FnId, Mutability, TraitRef, Ty, TyKind, intern_list};

/// Branches whose values become one type.
#[derive(Clone, Debug)]
pub(crate) struct CoerceMany {
    /// The type all are coerced to, if one is wanted from outside.
    pub(crate) wanted: Option<Ty>,
    /// The type of the branches so far.
    pub(crate) merged: Option<Ty>,
}

impl CoerceMany {
    pub(crate) fn new(wanted: Option<Ty>) -> Self {
        CoerceMany { wanted, merged: None }
    }
}

impl FnCx<'_> {
    /// Adds a branch's value to those before; gives it coerced. A branch that never ends fits everywhere and is converted by
    /// [`FnCx::close_many`].
    pub(super) fn merge(&mut self, many: &mut CoerceMany, id: ExprId) -> ExprId {
        let id = self.value(id);
        let ty = self.ty(id);
        if ty.is_never() {
            return id;
        }
        match (many.merged, many.wanted) {
            (Some(t), _) => self.coerce_to(id, t),
            (None, Some(wanted)) if !self.icx.shallow(wanted).is_infer() => {
                let out = self.coerce_to(id, wanted);
                many.merged = Some(wanted);
                out
            }
            _ => {
                // distinct function items become pointers as soon as a second one is seen; one alone stays itself
                many.merged = Some(ty);
                id
            }
        }
    }

    /// The common type, and branches that never end converted to it.
    pub(super) fn close_many(&mut self, many: &CoerceMany, ids: &mut [ExprId]) -> Ty {
        let Some(ty) = many.merged else { return Ty::never() };
        for id in ids.iter_mut() {
            if self.ty(*id).is_never() && !self.icx.shallow(ty).is_never() {
                let span = self.span_at(*id);
                *id = self.node(ExprKind::NeverToAny(*id), ty, span);
            }
        }
        ty
    }

    /// The value as one of type `to`; reports a mismatch.
    pub(super) fn coerce_to(&mut self, id: ExprId, to: Ty) -> ExprId {
        let id = self.value(id);
        match self.try_coerce(id, to) {
            Some(id) => id,
            None => {
                let (found, span) = (self.ty(id), self.span_at(id));
                let d = Diagnostic::new(
                    Code::Mismatch,
                    self.span_at(self.last_value(id)),
                    format!("expected `{}`, found `{}`", self.show(to), self.show(found)),
                )
                .label("this has another type than its place wants")
                .help("`cargo check` says what rustc makes of it; if rustc accepts it, write the conversion out");
                self.report_types(d, &[to, found]);
                let ty = Ty::error();
                self.node(ExprKind::NeverToAny(id), ty, span)
            }
        }
    }

    /// The expression that a block's value comes from.
    fn last_value(&self, mut id: ExprId) -> ExprId {
        loop {
            id = match *self.kind(id) {
                ExprKind::Block(b) => match self.body.block(b).tail {
                    Some(tail) => tail,
                    None => return id,
                },
                ExprKind::Scope(inner) => inner,
                _ => return id,
            }
        }
    }

    /// The value as one of type `to`, if there is a coercion.
    pub(super) fn try_coerce(&mut self, id: ExprId, to: Ty) -> Option<ExprId> {
        let id = self.value(id);
        let span = self.span_at(id);
        let (from, to) = (self.structural(self.ty(id)), self.icx.shallow(to));
        if from == to {
            return Some(self.reborrowed(id, from));
        }
        if from.is_never() {
            return Some(self.node(ExprKind::NeverToAny(id), to, span));
        }
        if to.is_infer() || from.is_infer() {
            return self.icx.unify(from, to).then_some(id);
        }
        match (*from.kind(), *to.kind()) {
            (TyKind::Ref(m, _), TyKind::Ref(n, target)) if m == n || n == Mutability::Not => {
                self.coerce_ref(id, from, n, target)
            }
            (TyKind::Ref(m, inner), TyKind::RawPtr(n, target)) if m == n || n == Mutability::Not => {
                if self.icx.unify(inner, target) {
                    let place = self.node(ExprKind::Deref(id), inner, span);
                    return Some(self.node(ExprKind::RawBorrow { mutability: n, place }, to, span));
                }
                self.unsize(id, inner, target, to)
            }
            (TyKind::RawPtr(Mutability::Mut, inner), TyKind::RawPtr(Mutability::Not, target)) => {
                if self.icx.unify(inner, target) {
                    return Some(self.node(ExprKind::Cast { kind: CastKind::Pointer, value: id }, to, span));
                }
                self.unsize(id, inner, target, to)
            }
            (TyKind::RawPtr(m, inner), TyKind::RawPtr(n, target)) if m == n => {
                if self.icx.unify(inner, target) {
                    return Some(id);
                }
                self.unsize(id, inner, target, to)
            }
            (TyKind::Adt(a, xs), TyKind::Adt(b, ys)) if a == b => {
                if self.icx.unify(from, to) {
                    return Some(id);
                }
                let boxed = self.prog.adt(a).lang.is_some_and(|l| l == "Box" || l == "Rc");
                match (xs.first(), ys.first()) {
                    (Some(x), Some(y)) if boxed => self.unsize(id, *x, *y, to),
                    _ => None,
                }
            }
            (TyKind::FnDef(f, args), TyKind::FnPtr(_)) => {
                let ptr = self.fn_item_pointer(f, args);
                self.icx
                    .unify(ptr, to)
                    .then(|| self.node(ExprKind::Cast { kind: CastKind::ReifyFn, value: id }, to, span))
            }
            (TyKind::Closure(c, args), TyKind::FnPtr(_)) => {
                let sig = self.icx.closure_sig(c)?;
                let params: Vec<Ty> = sig.params.iter().map(|t| t.subst(args)).collect();
                let ptr = Ty::fn_ptr(&params, sig.result.subst(args));
                self.icx
                    .unify(ptr, to)
                    .then(|| self.node(ExprKind::Cast { kind: CastKind::ClosureToFn, value: id }, to, span))
            }
            (TyKind::FnDef(f, args), TyKind::FnDef(g, others)) if (f, args) != (g, others) => {
                self.icx.unify(from, to).then_some(id)
            }
            _ => self.icx.unify(from, to).then_some(id),
        }
    }

    pub(super) fn fn_item_pointer(&self, f: FnId, args: crate::ty::Args) -> Ty {
        let (params, result) = self.icx.fn_sig(f, args);
        Ty::fn_ptr(&params, result)
    }

    /// A `&mut` value is reborrowed where one is wanted, so that the variable it comes from is not moved.
    fn reborrowed(&mut self, id: ExprId, ty: Ty) -> ExprId {
        let TyKind::Ref(Mutability::Mut, inner) = *ty.kind() else { return id };
        if !matches!(self.kind(id), ExprKind::Read { .. }) {
            return id;
        }
        let span = self.span_at(id);
        let place = self.node(ExprKind::Deref(id), inner, span);
        self.node(ExprKind::Borrow { mutability: Mutability::Mut, place }, ty, span)
    }

    /// From one reference to another: the same, by dereferencing, or unsized.
    fn coerce_ref(&mut self, id: ExprId, from: Ty, to_mut: Mutability, target: Ty) -> Option<ExprId> {
        let TyKind::Ref(_, inner) = *from.kind() else { return None };
        let span = self.span_at(id);
        let to = Ty::reference(to_mut, target);
        // unsizing comes first, as in rustc: `&[T; N]` to `&[U]`, `&T` to `&dyn Trait`
        if let Some(done) = self.unsize(id, inner, target, to) {
            return Some(done);
        }
        let mut place = self.node(ExprKind::Deref(id), inner, span);
        for _ in 0..32 {
            let ty = self.structural(self.body.expr(place).ty);
            if self.icx.unify(ty, target) {
                if to_mut == Mutability::Mut {
                    self.make_mut(place);
                }
                return Some(self.node(ExprKind::Borrow { mutability: to_mut, place }, to, span));
            }
            place = self.deref_once(place)?;
        }
        None
    }

    /// The pointer as one to an unsized type, if that is what makes the difference.
    fn unsize(&mut self, id: ExprId, inner: Ty, target: Ty, to: Ty) -> Option<ExprId> {
        let (inner, target) = (self.icx.shallow(inner), self.icx.shallow(target));
        let span = self.span_at(id);
        let fits = match (*inner.kind(), *target.kind()) {
            (TyKind::Array(a, _), TyKind::Slice(b)) => self.icx.unify(a, b),
            (TyKind::Dyn(..), TyKind::Dyn(..)) => false,
            (from, TyKind::Dyn(id, args, bindings)) if !matches!(from, TyKind::Infer(..)) => {
                let mut full = vec![inner];
                full.extend(args);
                let tr = TraitRef { trait_id: id, args: intern_list(&full) };
                let holds = self.icx.probe(|| self.icx.evaluate(Goal::Trait(tr), 0)) != Answer::No;
                if holds {
                    self.icx.require(Goal::Trait(tr), span);
                    for (assoc, ty) in bindings {
                        self.icx.require(Goal::Project(*assoc, tr.args, *ty), span);
                    }
                }
                holds
            }
            _ => false,
        };
        fits.then(|| {
            // a `&mut` is reborrowed before it is converted
            let from = self.ty(id);
            let id = self.reborrowed(id, from);
            self.node(ExprKind::Cast { kind: CastKind::Unsize, value: id }, to, span)
        })
    }

    /// Whether an operand of an operator has a built-in scalar type.
    pub(super) fn scalar(&self, ty: Ty) -> Option<ops::Scalar> {
        ops::scalar_of(self.icx.shallow(ty))
    }
}
