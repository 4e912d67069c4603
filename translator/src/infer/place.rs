//! Places: fields, indexing, dereferencing, and making them mutable.

use super::solve::{Answer, Candidate, Selection};
use super::table::Goal;
use super::{FnCx, R};
use crate::diag::{Code, Diagnostic};
use crate::expand::plain_name;
use crate::items::AdtKind;
use crate::names::Name;
use crate::source::Span;
use crate::thir::{Callee, ExprId, ExprKind, FieldIdx, VariantIdx};
use crate::ty::{FnId, Mutability, TraitId, TraitRef, Ty, TyKind, intern_list};

impl FnCx<'_> {
    /// The place one dereference further, built in or by `Deref`; `None` if the type has none.
    pub(super) fn deref_once(&mut self, place: ExprId) -> Option<ExprId> {
        self.deref_at(place, self.span_at(place))
    }

    /// As [`FnCx::deref_once`], of a dereference that stands at `span`.
    pub(super) fn deref_at(&mut self, place: ExprId, span: Span) -> Option<ExprId> {
        let ty = self.structural(self.body.expr(place).ty);
        match *ty.kind() {
            TyKind::Ref(_, inner) => {
                let value = self.value(place);
                Some(self.node(ExprKind::Deref(value), inner, span))
            }
            TyKind::Adt(id, args) if self.prog.adt(id).lang.is_some_and(|l| l == "Box") => {
                let place = self.place(place);
                Some(self.node(ExprKind::Deref(place), *args.first()?, span))
            }
            TyKind::Adt(..) | TyKind::Param(..) | TyKind::Projection(..) => {
                self.deref_overloaded(place, ty, span)
            }
            _ => None,
        }
    }

    /// The type one dereference further, without building anything.
    pub(super) fn deref_ty(&self, ty: Ty) -> Option<Ty> {
        let ty = self.structural(ty);
        match *ty.kind() {
            TyKind::Ref(_, inner) => Some(inner),
            TyKind::Adt(id, args) if self.prog.adt(id).lang.is_some_and(|l| l == "Box") => {
                args.first().copied()
            }
            TyKind::Adt(..) | TyKind::Param(..) | TyKind::Projection(..) => self.overloaded_target(ty),
            _ => None,
        }
    }

    fn overloaded_target(&self, ty: Ty) -> Option<Ty> {
        if self.icx.implements(ty, "Deref") != Answer::Yes {
            return None;
        }
        let target = self.prog.lang_assoc("deref_target")?;
        let t = self.icx.normalize(Ty::new(TyKind::Projection(target, intern_list(&[ty]))));
        Some(self.structural(t))
    }

    fn deref_overloaded(&mut self, place: ExprId, ty: Ty, span: Span) -> Option<ExprId> {
        let target = self.overloaded_target(ty)?;
        let place = self.place(place);
        let (_, method) = self.trait_method("Deref", "deref")?;
        let recv = self.borrow(Mutability::Not, place, span);
        let args = intern_list(&[ty]);
        let callee = Callee::Fn { id: method, args };
        let call = self.node(ExprKind::Call { callee, args: vec![recv] }, Ty::shared_ref(target), span);
        Some(self.node(ExprKind::Deref(call), target, span))
    }

    /// A method of a language trait.
    pub(super) fn trait_method(&self, lang: &str, method: &str) -> Option<(TraitId, FnId)> {
        let id = self.prog.lang_trait(lang)?;
        let m = self.prog.trait_def(id).methods.iter().find(|(n, _)| *n == method)?.1;
        Some((id, m))
    }

    /// `&place` or `&mut place`.
    pub(super) fn borrow(&mut self, mutability: Mutability, place: ExprId, span: Span) -> ExprId {
        let place = self.place(place);
        let ty = Ty::reference(mutability, self.body.expr(place).ty);
        if mutability == Mutability::Mut {
            self.make_mut(place);
        }
        self.node(ExprKind::Borrow { mutability, place }, ty, span)
    }

    /// The place is written through: overloaded dereferences and indexings on the way become the mutable ones.
    pub(super) fn make_mut(&mut self, place: ExprId) {
        match self.kind(place).clone() {
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => self.make_mut(base),
            ExprKind::Deref(operand) => match self.kind(operand).clone() {
                ExprKind::Call { callee: Callee::Fn { id, args }, args: list } => {
                    let swap = |from: (&str, &str), to: (&str, &str)| {
                        let (_, a) = self.trait_method(from.0, from.1)?;
                        let (_, b) = self.trait_method(to.0, to.1)?;
                        (a == id).then_some(b)
                    };
                    let better = swap(("Deref", "deref"), ("DerefMut", "deref_mut"))
                        .or_else(|| swap(("Index", "index"), ("IndexMut", "index_mut")));
                    if let Some(id) = better {
                        if let ExprKind::Borrow { place: inner, .. } = *self.kind(list[0]) {
                            self.make_mut(inner);
                            let inner_ty = self.body.expr(inner).ty;
                            let node = &mut self.body.exprs[list[0].index()];
                            node.kind = ExprKind::Borrow { mutability: Mutability::Mut, place: inner };
                            node.ty = Ty::reference(Mutability::Mut, inner_ty);
                        }
                        let result = self.body.expr(place).ty;
                        let node = &mut self.body.exprs[operand.index()];
                        node.kind = ExprKind::Call { callee: Callee::Fn { id, args }, args: list };
                        node.ty = Ty::reference(Mutability::Mut, result);
                        let tr = self.prog.fn_def(id).container;
                        if let crate::items::Container::Trait(trait_id) = tr {
                            let span = self.span_at(operand);
                            self.icx.require(Goal::Trait(TraitRef { trait_id, args }), span);
                        }
                    }
                }
                ExprKind::Cast { kind: crate::thir::CastKind::Unsize, value } => {
                    if let ExprKind::Borrow { mutability: Mutability::Not, place: inner } = *self.kind(value)
                    {
                        self.make_mut(inner);
                        for id in [value, operand] {
                            let node = &mut self.body.exprs[id.index()];
                            if let TyKind::Ref(_, t) = *node.ty.kind() {
                                node.ty = Ty::reference(Mutability::Mut, t);
                            }
                        }
                        self.body.exprs[value.index()].kind =
                            ExprKind::Borrow { mutability: Mutability::Mut, place: inner };
                    }
                }
                // a box is a place itself; through a reference nothing on the way changes
                _ if self.is_place(operand) => self.make_mut(operand),
                ExprKind::Read { place: inner, .. }
                    if matches!(self.ty(operand).kind(), TyKind::Ref(Mutability::Mut, _)) =>
                {
                    self.make_mut(inner);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// `base.member`, with dereferencing.
    pub(super) fn check_field(&mut self, e: &syn::ExprField) -> R<ExprId> {
        let span = super::spans::expr(&self.prog.sources, &syn::Expr::Field(e.clone()));
        let base = self.check_expr(&e.base, super::Exp::None)?;
        let name = match &e.member {
            syn::Member::Named(i) => plain_name(i),
            syn::Member::Unnamed(i) => Name::new(&i.index.to_string()),
        };
        self.field_of(base, name, span)
    }

    /// The field of this name of a value or of what it points to.
    pub(super) fn field_of(&mut self, base: ExprId, name: Name, span: Span) -> R<ExprId> {
        let first = self.structural(self.ty(base));
        if first.is_error() {
            return Ok(self.error_node(span));
        }
        if first.is_infer() {
            self.cannot_infer(span, "the type of this must be known before its fields");
            return Ok(self.error_node(span));
        }
        let mut at = self.place(base);
        let mut foreign = None;
        for _ in 0..32 {
            let ty = self.structural(self.body.expr(at).ty);
            match *ty.kind() {
                TyKind::Adt(id, args) => {
                    let def = self.prog.adt(id);
                    if def.kind == AdtKind::Struct
                        && let Some(v) = def.variants.first()
                        && let Some(f) = v.field(&name)
                        && self.prog.scopes.visible(v.fields[f.index()].vis, self.tycx.scope)
                    {
                        self.prog.report_item(crate::resolve::Def::Adt(id));
                        let fty = self.icx.normalize(v.fields[f.index()].ty.subst(args));
                        return Ok(self.node(ExprKind::Field { base: at, field: f }, fty, span));
                    }
                    if def.opaque.is_some() {
                        foreign = Some(def.path);
                    }
                }
                TyKind::Tuple(list) => {
                    if let Some(i) = name.parse::<usize>().ok().filter(|i| *i < list.len()) {
                        let kind = ExprKind::Field { base: at, field: FieldIdx::new(i) };
                        return Ok(self.node(kind, list[i], span));
                    }
                }
                _ => {}
            }
            match self.deref_once(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        if let Some(path) = foreign {
            return self.opaque(span, format!("field `{name}` of `{path}`, whose definition cannot be seen"));
        }
        let d = Diagnostic::new(
            Code::UnknownField,
            span,
            format!("no field `{name}` on type `{}`", self.show(first)),
        )
        .label("unknown field")
        .help("check the name; fields of macro-generated types are not seen");
        self.report_types(d, &[first]);
        Ok(self.error_node(span))
    }

    /// `base[index]`: arrays and slices by `usize` are built in, all else goes through `Index`.
    pub(super) fn check_index(&mut self, e: &syn::ExprIndex) -> R<ExprId> {
        let span = super::spans::expr(&self.prog.sources, &syn::Expr::Index(e.clone()));
        let base = self.check_expr(&e.expr, super::Exp::None)?;
        let index = self.check_expr(&e.index, super::Exp::None)?;
        let index = self.value(index);
        let base_ty = self.structural(self.ty(base));
        let index_ty = self.structural(self.ty(index));
        if base_ty.is_error() || index_ty.is_error() {
            return Ok(self.error_node(span));
        }
        let mut at = self.place(base);
        for _ in 0..32 {
            let ty = self.structural(self.body.expr(at).ty);
            if let TyKind::Array(elem, _) | TyKind::Slice(elem) = *ty.kind() {
                let usize_like = index_ty.is_integral();
                if usize_like && self.icx.unify(index_ty, Ty::usize()) {
                    return Ok(self.node(ExprKind::Index { base: at, index }, elem, span));
                }
            }
            if let Some(found) = self.index_overloaded(at, ty, index, index_ty, span) {
                return Ok(found);
            }
            // an array also indexes as the slice it can become
            if let TyKind::Array(elem, _) = *ty.kind() {
                let slice = Ty::new(TyKind::Slice(elem));
                let r = self.borrow(Mutability::Not, at, span);
                let kind = ExprKind::Cast { kind: crate::thir::CastKind::Unsize, value: r };
                let r = self.node(kind, Ty::shared_ref(slice), span);
                let place = self.node(ExprKind::Deref(r), slice, span);
                if let Some(found) = self.index_overloaded(place, slice, index, index_ty, span) {
                    return Ok(found);
                }
            }
            match self.deref_once(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        if let TyKind::Adt(id, _) = base_ty.kind()
            && self.prog.adt(*id).origin != crate::items::Origin::User
        {
            return self
                .opaque(span, format!("indexing `{}` by `{}`", self.show(base_ty), self.show(index_ty)));
        }
        let d = Diagnostic::new(
            Code::BadOperand,
            span,
            format!(
                "a value of type `{}` cannot be indexed by `{}`",
                self.show(base_ty),
                self.show(index_ty)
            ),
        )
        .label("no `Index` impl is known")
        .help("index arrays, slices and vectors by `usize` or a range of it");
        self.report_types(d, &[base_ty, index_ty]);
        Ok(self.error_node(span))
    }

    fn index_overloaded(
        &mut self,
        place: ExprId,
        ty: Ty,
        index: ExprId,
        index_ty: Ty,
        span: Span,
    ) -> Option<ExprId> {
        let (trait_id, method) = self.trait_method("Index", "index")?;
        // the impl is found by the indexed type; the index may still be open (`v[0]`)
        let open = index_ty.is_infer();
        let arg = if open { self.fresh() } else { index_ty };
        let tr = TraitRef { trait_id, args: intern_list(&[ty, arg]) };
        let selected = self.icx.probe(|| match self.icx.select(tr, 0) {
            Selection::One(c) => self.icx.confirm(&c, tr).is_some(),
            Selection::Ambiguous => true,
            Selection::None => false,
        });
        if !selected {
            return None;
        }
        if open {
            let integral = index_ty.is_integral();
            let only = matches!(self.icx.select(tr, 0), Selection::One(Candidate::Impl(_)));
            if integral && !only {
                // among several impls an integer literal can only mean `usize`
                let usize_tr = TraitRef { trait_id, args: intern_list(&[ty, Ty::usize()]) };
                let holds = self.icx.probe(|| self.icx.evaluate(Goal::Trait(usize_tr), 0)) == Answer::Yes;
                if holds {
                    self.icx.unify(index_ty, Ty::usize());
                    self.icx.unify(arg, Ty::usize());
                }
            }
            if !self.icx.unify(arg, index_ty) {
                return None;
            }
        }
        self.icx.require(Goal::Trait(tr), span);
        let output = self.prog.lang_assoc("index_output")?;
        let out = self.icx.normalize(Ty::new(TyKind::Projection(output, tr.args)));
        self.icx.select_where_possible();
        let recv = self.borrow(Mutability::Not, place, span);
        let callee = Callee::Fn { id: method, args: tr.args };
        let call = self.node(ExprKind::Call { callee, args: vec![recv, index] }, Ty::shared_ref(out), span);
        Some(self.node(ExprKind::Deref(call), out, span))
    }

    /// A place that is assigned to or mutably borrowed must be one.
    pub(super) fn expect_place(&mut self, id: ExprId, what: &str) {
        if !self.is_place(id) && !self.ty(id).is_error() {
            self.report(
                Diagnostic::new(
                    Code::BadPlace,
                    self.span_at(id),
                    format!("this is no place that can be {what}"),
                )
                .label("a temporary value")
                .help("bind it to a variable first"),
            );
        }
    }

    pub(super) fn cannot_infer(&self, span: Span, why: &str) {
        self.doubtful.borrow_mut().push(
            Diagnostic::new(Code::CannotInfer, span, "the type of this cannot be determined here")
                .label(why.to_string())
                .help("write the type: `let x: T = …`, a suffix on the literal, or `::<T>`"),
        );
    }

    /// The type of a variant's field.
    pub(super) fn variant_field_ty(&self, ty: Ty, v: VariantIdx, f: FieldIdx) -> Ty {
        match *self.icx.shallow(ty).kind() {
            TyKind::Adt(id, args) => {
                let field = &self.prog.adt(id).variants[v.index()].fields[f.index()];
                self.icx.normalize(field.ty.subst(args))
            }
            _ => Ty::error(),
        }
    }
}
