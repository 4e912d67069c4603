//! Method calls: rustc's probing order.
//!
//! The receiver's type is dereferenced step by step; at each step candidates are tried that take the step's type by
//! value, then by `&`, then by `&mut`; each time inherent candidates (impls, bounds, a trait object's own traits) come
//! before methods of traits in scope. The first attempt with a candidate decides; with several it is refused.

use syn::PathArguments;

use super::path::ValuePath;
use super::solve::Answer;
use super::table::Goal;
use super::{Exp, FnCx, R, spans};
use crate::collect::sigs::head_of;
use crate::diag::{Code, Diagnostic};
use crate::expand::plain_name;
use crate::items::Container;
use crate::names::Name;
use crate::source::Span;
use crate::thir::*;
use crate::ty::{Args, FnId, ImplId, Mutability, TraitRef, Ty, TyKind, intern_list};

/// A method that may be meant.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Source {
    Impl(ImplId),
    /// A bound or object trait, with its arguments.
    Bound(TraitRef),
    /// A trait in scope.
    Trait(crate::ty::TraitId),
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Candidate {
    method: FnId,
    source: Source,
}

/// How the receiver is passed after dereferencing.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Adjust {
    Value,
    Ref(Mutability),
}

struct Pick {
    candidate: Candidate,
    derefs: usize,
    unsize: bool,
    adjust: Adjust,
}

struct Step {
    ty: Ty,
    derefs: usize,
    unsize: bool,
}

impl FnCx<'_> {
    /// The inherent impls that may be for this type.
    pub(super) fn inherent_candidates(&self, ty: Ty) -> Vec<ImplId> {
        let impls = self.prog.inherent_impls.borrow();
        // a parameter's are those of the models for all types of a marker trait
        impls.get(&head_of(ty)).cloned().unwrap_or_default()
    }

    /// Unifies an inherent impl's type with a type; gives the impl's arguments and whether its bounds hold.
    pub(super) fn match_inherent(&self, id: ImplId, ty: Ty) -> Option<(Args, Answer)> {
        let def = self.prog.impl_def(id);
        let fresh: Vec<Ty> = def.generics.params.iter().map(|_| self.icx.fresh()).collect();
        let args = intern_list(&fresh);
        let header = self.icx.normalize(def.self_ty.subst(args));
        if !self.icx.unify(header, ty) {
            return None;
        }
        let answer = self.icx.probe(|| {
            let before = self.icx.pending.borrow().len();
            self.icx.require_predicates(&def.generics.predicates, args, def.span);
            let goals: Vec<Goal> = self.icx.pending.borrow_mut().drain(before..).map(|o| o.goal).collect();
            self.icx.evaluate_all(&goals, 1)
        });
        Some((args, answer))
    }

    fn steps(&self, ty: Ty) -> Vec<Step> {
        let mut out = Vec::new();
        let mut at = ty;
        for derefs in 0..16 {
            at = self.structural(at);
            out.push(Step { ty: at, derefs, unsize: false });
            match self.deref_ty(at) {
                Some(next) => at = next,
                None => {
                    if let TyKind::Array(elem, _) = *at.kind() {
                        let slice = Ty::new(TyKind::Slice(elem));
                        out.push(Step { ty: slice, derefs, unsize: true });
                    }
                    break;
                }
            }
        }
        out
    }

    fn inherent_methods(&self, steps: &[Step], name: Name) -> Vec<Candidate> {
        let mut out: Vec<Candidate> = Vec::new();
        for s in steps {
            for id in self.inherent_candidates(s.ty) {
                let def = self.prog.impl_def(id);
                if let Some(&method) = def.methods.get(&name)
                    && self.prog.fn_def(method).has_self
                    && self.may_name(method)
                {
                    out.push(Candidate { method, source: Source::Impl(id) });
                }
            }
            if matches!(s.ty.kind(), TyKind::Param(..) | TyKind::Projection(..) | TyKind::Dyn(..)) {
                for tr in self.bounds_on(s.ty) {
                    let methods = &self.prog.trait_def(tr.trait_id).methods;
                    if let Some((_, method)) = methods.iter().find(|(n, _)| *n == name)
                        && self.prog.fn_def(*method).has_self
                    {
                        out.push(Candidate { method: *method, source: Source::Bound(tr) });
                    }
                }
            }
        }
        let mut unique: Vec<Candidate> = Vec::new();
        for c in out {
            if !unique.contains(&c) {
                unique.push(c);
            }
        }
        unique
    }

    fn trait_methods(&self, name: Name) -> Vec<Candidate> {
        let mut out = Vec::new();
        for id in self.prog.scopes.traits_in_scope(self.tycx.scope) {
            if let Some((_, method)) = self.prog.trait_def(id).methods.iter().find(|(n, _)| *n == name)
                && self.prog.fn_def(*method).has_self
            {
                out.push(Candidate { method: *method, source: Source::Trait(id) });
            }
        }
        out
    }

    /// The arguments of what a candidate's method stands in, fresh.
    fn parent_args(&self, c: Candidate) -> Args {
        match c.source {
            Source::Impl(id) => {
                let fresh: Vec<Ty> =
                    self.prog.impl_def(id).generics.params.iter().map(|_| self.icx.fresh()).collect();
                intern_list(&fresh)
            }
            Source::Bound(tr) => tr.args,
            Source::Trait(id) => {
                let fresh: Vec<Ty> =
                    self.prog.trait_def(id).generics.params.iter().map(|_| self.icx.fresh()).collect();
                intern_list(&fresh)
            }
        }
    }

    /// Whether the candidate takes a receiver of this type.
    fn fits(&self, c: Candidate, ty: Ty) -> bool {
        self.icx.probe(|| {
            let parent = self.parent_args(c);
            let def = self.prog.fn_def(c.method);
            let mut args = parent.to_vec();
            while args.len() < def.generics.params.len() {
                args.push(self.icx.fresh());
            }
            let Some(first) = def.sig.params.first() else { return false };
            let receiver = self.icx.normalize(first.subst(intern_list(&args)));
            if !self.icx.unify(receiver, ty) {
                return false;
            }
            let goals: Vec<Goal> = match c.source {
                Source::Impl(id) => {
                    let before = self.icx.pending.borrow().len();
                    let def = self.prog.impl_def(id);
                    self.icx.require_predicates(&def.generics.predicates, parent, def.span);
                    self.icx.pending.borrow_mut().drain(before..).map(|o| o.goal).collect()
                }
                Source::Bound(_) => Vec::new(),
                Source::Trait(id) => vec![Goal::Trait(TraitRef { trait_id: id, args: parent })],
            };
            self.icx.evaluate_all(&goals, 0) != Answer::No
        })
    }

    fn choose(&self, list: &[Candidate], ty: Ty) -> Result<Option<Candidate>, ()> {
        let mut fitting = list.iter().filter(|c| self.fits(**c, ty));
        match (fitting.next(), fitting.next()) {
            (None, _) => Ok(None),
            (Some(c), None) => Ok(Some(*c)),
            (Some(a), Some(b)) => {
                // two bounds on one method of one trait mean the same
                if a.method == b.method && fitting.all(|c| c.method == a.method) {
                    return match (a.source, b.source) {
                        (Source::Bound(x), Source::Bound(y)) if x != y => Err(()),
                        _ => Ok(Some(*a)),
                    };
                }
                Err(())
            }
        }
    }

    fn probe_method(&self, receiver: Ty, name: Name) -> Result<Option<Pick>, ()> {
        let steps = self.steps(receiver);
        let inherent = self.inherent_methods(&steps, name);
        let extension = self.trait_methods(name);
        for s in &steps {
            if s.ty.is_error() {
                continue;
            }
            let ways = [
                (Adjust::Value, s.ty),
                (Adjust::Ref(Mutability::Not), Ty::shared_ref(s.ty)),
                (Adjust::Ref(Mutability::Mut), Ty::reference(Mutability::Mut, s.ty)),
            ];
            for (adjust, ty) in ways {
                if s.unsize && adjust == Adjust::Value {
                    continue;
                }
                for list in [&inherent, &extension] {
                    if let Some(candidate) = self.choose(list, ty)? {
                        return Ok(Some(Pick { candidate, derefs: s.derefs, unsize: s.unsize, adjust }));
                    }
                }
            }
        }
        Ok(None)
    }

    pub(super) fn check_method_call(&mut self, m: &syn::ExprMethodCall, exp: Exp) -> R<ExprId> {
        let span = spans::expr(&self.prog.sources, &syn::Expr::MethodCall(m.clone()));
        let at = self.span(m.method.span());
        let name = plain_name(&m.method);
        let receiver = self.check_expr(&m.receiver, Exp::None)?;
        let ty = self.structural(self.ty(receiver));
        if ty.is_error() {
            // the arguments may still hold errors of their own, but none would be worth more than the first
            return Ok(self.error_node(span));
        }
        if matches!(ty.kind(), TyKind::Infer(_, crate::ty::InferKind::General)) {
            self.cannot_infer(at, "the type of the receiver must be known here");
            return Ok(self.error_node(span));
        }
        let pick = match self.probe_method(ty, name) {
            Ok(Some(p)) => p,
            Ok(None) => return self.no_method(m, receiver, ty, name, at, span),
            Err(()) => {
                self.ambiguous(at, &name, &format!("several fit a receiver of type `{}`", self.show(ty)));
                return Ok(self.error_node(span));
            }
        };
        let mut place = receiver;
        for _ in 0..pick.derefs {
            place = self.deref_once(place).unwrap_or(place);
        }
        let parent = self.parent_args(pick.candidate);
        let none = PathArguments::None;
        let written = m.turbofish.clone().map(PathArguments::AngleBracketed).unwrap_or(none);
        let found = self.fn_value(pick.candidate.method, parent.to_vec(), &written, m.method.span())?;
        let ValuePath::Fn { id, args } = found else { return Ok(self.error_node(span)) };
        let (params, result) = self.icx.fn_sig(id, args);
        let recv = match pick.adjust {
            Adjust::Value => self.value(place),
            Adjust::Ref(mutability) => {
                let recv_span = self.span_at(receiver);
                let r = self.borrow(mutability, place, recv_span);
                if pick.unsize { self.unsized_receiver(r, mutability, recv_span) } else { r }
            }
        };
        let found = self.ty(recv);
        let recv = match params.first() {
            Some(p) if self.icx.unify(found, *p) => self.reborrow_receiver(recv),
            Some(p) => self.coerce_to(recv, *p),
            None => recv,
        };
        if let Container::Impl(imp) = self.prog.fn_def(id).container
            && self.prog.impl_def(imp).trait_ref.is_none()
        {
            self.icx.select_where_possible();
        }
        let args_nodes = self.check_args(&params[1.min(params.len())..], m.args.iter(), result, exp, at)?;
        let mut all = vec![recv];
        all.extend(args_nodes);
        Ok(self.node(ExprKind::Call { callee: Callee::Fn { id, args }, args: all }, result, span))
    }

    /// The result of a method without type parameters, if it is known which one would be called.
    pub(super) fn method_result(&mut self, receiver: ExprId, name: Name) -> Option<Ty> {
        let ty = self.structural(self.ty(receiver));
        if ty.is_infer() || ty.is_error() {
            return None;
        }
        let pick = self.probe_method(ty, name).ok().flatten()?;
        let args = intern_list(&self.parent_args(pick.candidate));
        let result = self.icx.fn_sig(pick.candidate.method, args).1;
        let result = self.icx.resolve(result);
        (!result.flags().has_infer).then_some(result)
    }

    /// A `&mut` variable used as a receiver by value is reborrowed, not moved.
    fn reborrow_receiver(&mut self, recv: ExprId) -> ExprId {
        let ty = self.ty(recv);
        self.try_coerce(recv, ty).unwrap_or(recv)
    }

    fn unsized_receiver(&mut self, r: ExprId, m: Mutability, span: Span) -> ExprId {
        let ty = self.ty(r);
        match *ty.kind() {
            TyKind::Ref(_, inner) => match *self.structural(inner).kind() {
                TyKind::Array(elem, _) => {
                    let slice = Ty::reference(m, Ty::new(TyKind::Slice(elem)));
                    self.node(ExprKind::Cast { kind: CastKind::Unsize, value: r }, slice, span)
                }
                _ => r,
            },
            _ => r,
        }
    }

    fn no_method(
        &mut self,
        m: &syn::ExprMethodCall,
        receiver: ExprId,
        ty: Ty,
        name: Name,
        at: Span,
        span: Span,
    ) -> R<ExprId> {
        // a field that holds something callable is a frequent slip, and has a clear way out
        let field = self.has_field(ty, name);
        let foreign = self.steps(ty).iter().any(|s| self.is_foreign(s.ty));
        if !field && foreign {
            return self.opaque(at, format!("method `{name}` of `{}`, which is not modelled", self.show(ty)));
        }
        let _ = (m, receiver);
        let mut d = Diagnostic::new(
            Code::UnknownMethod,
            at,
            format!("no method `{name}` is known for `{}`", self.show(ty)),
        )
        .label("method not found");
        d = if field {
            d.help(format!("to call the function in the field, write `(value.{name})(…)`"))
        } else {
            d.help("import the trait that declares it; impls made by procedural macros must be named by `metatrace::assume_impl!`")
        };
        self.report_types(d, &[ty]);
        Ok(self.error_node(span))
    }

    fn has_field(&self, ty: Ty, name: Name) -> bool {
        self.steps(ty).iter().any(|s| match *s.ty.kind() {
            TyKind::Adt(id, _) => self.prog.adt(id).variants.iter().any(|v| v.field(&name).is_some()),
            _ => false,
        })
    }
}
