//! Control flow: branches, loops, jumps, `?`, closures.

use super::coerce::CoerceMany;
use super::ops::has_let;
use super::solve::Answer;
use super::table::Goal;
use super::{Exp, FnCx, LoopCx, R, spans, unmark};
use crate::diag::{Code, Diagnostic};
use crate::expand::marked_name;
use crate::names::Name;
use crate::program::ClosureSig;
use crate::resolve::Def;
use crate::source::Span;
use crate::thir::*;
use crate::ty::{ClosureKind, Mutability, TraitRef, Ty, TyKind, intern_list};
use quote::ToTokens;
use std::rc::Rc;

impl FnCx<'_> {
    // ---- branches ---------------------------------------------------------------------------------------------------

    pub(super) fn check_if(&mut self, e: &syn::ExprIf, exp: Exp) -> R<ExprId> {
        let span = self.span(e.if_token.span).to(self.span(e.then_branch.brace_token.span.close()));
        let names = self.names.len();
        let cond = self.check_coerced(&e.cond, Ty::bool())?;
        let cond = if has_let(&e.cond) { cond } else { self.scope(cond) };
        let before = self.diverges;
        let wanted = exp.has().filter(|_| e.else_branch.is_some());
        let inner = match wanted {
            Some(t) => Exp::Has(t),
            None if e.else_branch.is_none() => Exp::Has(Ty::unit()),
            None => Exp::None,
        };
        let then = self.check_block_expr(&e.then_branch, None, inner);
        self.names.truncate(names);
        let then = then?;
        let then_diverges = std::mem::replace(&mut self.diverges, before);
        let Some((_, els)) = &e.else_branch else {
            let then = self.coerce_to(then, Ty::unit());
            self.diverges = before;
            return Ok(self.node(ExprKind::If { cond, then, els: None }, Ty::unit(), span));
        };
        let mut many = CoerceMany::new(wanted);
        let then = self.merge(&mut many, then);
        let inner = match (many.merged, wanted) {
            (_, Some(t)) | (Some(t), None) => Exp::Has(t),
            (None, None) => Exp::None,
        };
        let els = match inner {
            Exp::Has(t) if !matches!(**els, syn::Expr::Block(_) | syn::Expr::If(_)) => {
                self.check_outlining(els, t)?
            }
            _ => self.check_expr(els, inner)?,
        };
        let els = self.merge(&mut many, els);
        self.diverges = before || then_diverges && self.diverges;
        let mut ids = [then, els];
        let ty = self.close_many(&many, &mut ids);
        Ok(self.node(ExprKind::If { cond, then: ids[0], els: Some(ids[1]) }, ty, span))
    }

    /// `let pat = place` in a condition. Its names stay in scope; whoever types the condition removes them.
    pub(super) fn check_let_condition(&mut self, l: &syn::ExprLet) -> R<ExprId> {
        let span = self.span(l.let_token.span).to(spans::expr(&self.prog.sources, &l.expr));
        let place = self.check_expr(&l.expr, Exp::None)?;
        let place = self.place(place);
        let ty = self.body.expr(place).ty;
        let pat = self.check_pat_on(&l.pat, ty, place);
        Ok(self.node(ExprKind::Let { place, pat }, Ty::bool(), span))
    }

    pub(super) fn check_match(&mut self, m: &syn::ExprMatch, exp: Exp) -> R<ExprId> {
        let span = self.span(m.match_token.span).to(self.span(m.brace_token.span.close()));
        let scrutinee = self.check_expr(&m.expr, Exp::None)?;
        let scrutinee = self.place(scrutinee);
        let ty = self.body.expr(scrutinee).ty;
        let before = self.diverges;
        let mut all_diverge = true;
        let wanted = exp.has();
        let mut many = CoerceMany::new(wanted);
        let (mut arms, mut bodies) = (Vec::new(), Vec::new());
        for arm in &m.arms {
            self.diverges = before;
            let names = self.names.len();
            let (pat, guard) = match &arm.pat {
                syn::Pat::Guard(g) => (&*g.pat, Some(&*g.guard)),
                other => (other, None),
            };
            let pat = self.check_pat_on(pat, ty, scrutinee);
            let guard = match guard {
                Some(g) => {
                    let id = self.check_coerced(g, Ty::bool())?;
                    Some(if has_let(g) { id } else { self.scope(id) })
                }
                None => None,
            };
            self.diverges = before;
            let inner = match (wanted, many.merged) {
                (Some(t), _) | (None, Some(t)) => Exp::Has(t),
                _ => Exp::None,
            };
            let body = match inner {
                Exp::Has(t) => self.check_outlining(&arm.body, t),
                _ => self.check_expr(&arm.body, inner),
            };
            self.names.truncate(names);
            let body = self.merge(&mut many, body?);
            bodies.push(self.scope(body));
            all_diverge &= self.diverges;
            arms.push((pat, guard));
        }
        self.diverges = before || all_diverge;
        let ty = self.close_many(&many, &mut bodies);
        let arms =
            arms.into_iter().zip(bodies).map(|((pat, guard), body)| Arm { pat, guard, body }).collect();
        Ok(self.node(ExprKind::Match { scrutinee, arms }, ty, span))
    }

    // ---- loops ------------------------------------------------------------------------------------------------------

    fn label(label: Option<&syn::Label>) -> Option<Name> {
        label.map(|l| marked_name(&l.name.ident))
    }

    fn enter(&mut self, label: Option<Name>, is_loop: bool, breaks: Option<CoerceMany>) -> LoopId {
        let id = self.loop_node(label, Ty::unit());
        self.loops.push(LoopCx { label, id, is_loop, breaks, broken: false });
        id
    }

    pub(super) fn check_loop(&mut self, l: &syn::ExprLoop, exp: Exp) -> R<ExprId> {
        let span = self.span(l.loop_token.span).to(self.span(l.body.brace_token.span.close()));
        let id = self.enter(Self::label(l.label.as_ref()), true, Some(CoerceMany::new(exp.has())));
        if let Some(at) = self.begins_with_merge_point(&l.body) {
            self.portal_loops.push((id, at));
        }
        let body = self.check_block_expr(&l.body, None, Exp::Has(Ty::unit()));
        let Some(cx) = self.loops.pop() else { return body };
        let body = self.coerce_to(body?, Ty::unit());
        let body = self.scope(body);
        let ty = match (cx.broken, cx.breaks.and_then(|b| b.merged)) {
            (false, _) => Ty::never(),
            (true, Some(t)) => t,
            (true, None) => exp.has().unwrap_or_else(Ty::unit),
        };
        self.diverges = !cx.broken;
        self.body.loops[id.index()].ty = ty;
        Ok(self.node(ExprKind::Loop { id, body }, ty, span))
    }

    /// The place of the merge point, if the block begins with it.
    fn begins_with_merge_point(&self, b: &syn::Block) -> Option<Span> {
        let mac = match b.stmts.first()? {
            syn::Stmt::Macro(m) => &m.mac,
            syn::Stmt::Expr(syn::Expr::Macro(m), _) => &m.mac,
            _ => return None,
        };
        match self.prog.find_macro(self.tycx.scope, &mac.path)? {
            Def::Hint(n) if n == "merge_point" => Some(self.span(mac.path.segments.last()?.ident.span())),
            _ => None,
        }
    }

    pub(super) fn check_while(&mut self, w: &syn::ExprWhile) -> R<ExprId> {
        let span = self.span(w.while_token.span).to(self.span(w.body.brace_token.span.close()));
        let id = self.enter(Self::label(w.label.as_ref()), true, None);
        let names = self.names.len();
        let typed = self.check_coerced(&w.cond, Ty::bool()).and_then(|cond| {
            let cond = if has_let(&w.cond) { cond } else { self.scope(cond) };
            let before = self.diverges;
            let body = self.check_block_expr(&w.body, None, Exp::Has(Ty::unit()))?;
            self.diverges = before;
            Ok((cond, self.coerce_to(body, Ty::unit())))
        });
        self.names.truncate(names);
        self.loops.pop();
        let (cond, then) = typed?;
        let leave = self.node(ExprKind::Break { target: id, value: None }, Ty::never(), span);
        let leave = self.node(ExprKind::NeverToAny(leave), Ty::unit(), span);
        let body = self.node(ExprKind::If { cond, then, els: Some(leave) }, Ty::unit(), span);
        let body = self.scope(body);
        Ok(self.node(ExprKind::Loop { id, body }, Ty::unit(), span))
    }

    /// `match IntoIterator::into_iter(e) { mut iter => loop { match Iterator::next(&mut iter) { None => break, Some(p) => body } } }`
    pub(super) fn check_for(&mut self, f: &syn::ExprForLoop) -> R<ExprId> {
        let span = self.span(f.for_token.span).to(self.span(f.body.brace_token.span.close()));
        let at = spans::expr(&self.prog.sources, &f.expr);
        let source = self.check_value(&f.expr, Exp::None)?;
        let source_ty = self.structural(self.ty(source));
        if source_ty.is_error() {
            return Ok(self.error_node(span));
        }
        let parts = self.for_parts(source_ty, at)?;
        let Some((into_iter, iter_ty, next, item_ty)) = parts else { return Ok(self.error_node(span)) };
        let callee = Callee::Fn { id: into_iter, args: intern_list(&[source_ty]) };
        let made = self.node(ExprKind::Call { callee, args: vec![source] }, iter_ty, at);
        let made = self.place(made);
        let (iter, iter_pat) = self.hidden_local("iter", iter_ty, true, at);

        let id = self.enter(Self::label(f.label.as_ref()), true, None);
        let names = self.names.len();
        let pat = self.check_pat_top(&f.pat, item_ty);
        let before = self.diverges;
        let body = self.check_block_expr(&f.body, None, Exp::Has(Ty::unit()));
        self.diverges = before;
        self.names.truncate(names);
        self.loops.pop();
        let body = self.coerce_to(body?, Ty::unit());
        let body = self.scope(body);

        let place = self.node(ExprKind::Local(iter), iter_ty, at);
        let recv = self.borrow(Mutability::Mut, place, at);
        let (some_ty, some, none) = self.option_of(item_ty, at);
        let callee = Callee::Fn { id: next, args: intern_list(&[iter_ty]) };
        let call = self.node(ExprKind::Call { callee, args: vec![recv] }, some_ty, at);
        let scrutinee = self.place(call);
        let leave = self.node(ExprKind::Break { target: id, value: None }, Ty::never(), at);
        let leave = self.node(ExprKind::NeverToAny(leave), Ty::unit(), at);
        let none_pat = self.variant_pat(some_ty, none, Vec::new(), at);
        let some_pat = self.variant_pat(some_ty, some, vec![(FieldIdx(0), pat)], at);
        let arms =
            vec![Arm { pat: none_pat, guard: None, body: leave }, Arm { pat: some_pat, guard: None, body }];
        let turn = self.node(ExprKind::Match { scrutinee, arms }, Ty::unit(), span);
        let turn = self.scope(turn);
        let looped = self.node(ExprKind::Loop { id, body: turn }, Ty::unit(), span);
        let arms = vec![Arm { pat: iter_pat, guard: None, body: looped }];
        Ok(self.node(ExprKind::Match { scrutinee: made, arms }, Ty::unit(), span))
    }

    /// `into_iter`, the iterator's type, `next`, the item's type.
    fn for_parts(&mut self, source: Ty, at: Span) -> R<Option<(crate::ty::FnId, Ty, crate::ty::FnId, Ty)>> {
        let (Some((into, into_iter)), Some((iterator, next))) =
            (self.trait_method("IntoIterator", "into_iter"), self.trait_method("Iterator", "next"))
        else {
            return Ok(None);
        };
        let tr = TraitRef { trait_id: into, args: intern_list(&[source]) };
        if self.icx.probe(|| self.icx.evaluate(Goal::Trait(tr), 0)) == Answer::No {
            let foreign = matches!(source.kind(), TyKind::Adt(id, _) if self.prog.adt(*id).origin != crate::items::Origin::User);
            if foreign {
                return self.opaque(at, format!("iteration over `{}`", self.show(source)));
            }
            let d =
                Diagnostic::new(Code::Unsatisfied, at, format!("`{}` is not iterable", self.show(source)))
                    .label("no `IntoIterator` impl is known")
                    .help("iterate over a range, slice, array or vector, or use `while`");
            self.report_types(d, &[source]);
            return Ok(None);
        }
        self.icx.require(Goal::Trait(tr), at);
        let project = |cx: &Self, trait_id, name: &str, ty: Ty| {
            let tr = TraitRef { trait_id, args: intern_list(&[ty]) };
            let (assoc, args) = cx.prog.find_assoc(tr, Name::new(name))?;
            Some(cx.icx.normalize(Ty::new(TyKind::Projection(assoc, args))))
        };
        let Some(iter) = project(self, into, "IntoIter", source) else { return Ok(None) };
        let iter = self.structural(iter);
        self.icx.require(Goal::Trait(TraitRef { trait_id: iterator, args: intern_list(&[iter]) }), at);
        let Some(item) = project(self, iterator, "Item", iter) else { return Ok(None) };
        let item = self.structural(item);
        Ok(Some((into_iter, iter, next, item)))
    }

    /// `Option<ty>` with its variants `Some` and `None`.
    pub(super) fn option_of(&self, ty: Ty, _at: Span) -> (Ty, VariantIdx, VariantIdx) {
        match self.prog.lang_adt("Option") {
            Some(id) => (Ty::adt(id, &[ty]), VariantIdx(1), VariantIdx(0)),
            None => (Ty::error(), VariantIdx(0), VariantIdx(0)),
        }
    }

    pub(super) fn variant_pat(
        &mut self,
        ty: Ty,
        variant: VariantIdx,
        fields: Vec<(FieldIdx, PatId)>,
        at: Span,
    ) -> PatId {
        let kind = match *self.icx.shallow(ty).kind() {
            TyKind::Adt(adt, args) => PatKind::Variant { adt, args, variant, fields },
            _ => PatKind::Wild,
        };
        self.pat_node(kind, ty, at)
    }

    // ---- jumps ------------------------------------------------------------------------------------------------------

    fn find_loop(&self, label: Option<&syn::Lifetime>, want_loop: bool) -> Option<usize> {
        match label {
            Some(l) => {
                let mut name = Some(marked_name(&l.ident));
                while let Some(n) = name {
                    if let Some(i) = self.loops.iter().rposition(|c| c.label == Some(n)) {
                        return (self.loops[i].is_loop || !want_loop).then_some(i);
                    }
                    name = crate::expand::peel(n);
                }
                None
            }
            None => self.loops.iter().rposition(|c| c.is_loop),
        }
    }

    fn bad_jump(&mut self, span: Span, what: &str) -> ExprId {
        self.report(
            Diagnostic::new(Code::BadJump, span, format!("`{what}` has no loop or block to leave"))
                .label("no such target here")
                .help("check the label; a closure is a border that jumps do not cross"),
        );
        self.error_node(span)
    }

    pub(super) fn check_break(&mut self, b: &syn::ExprBreak) -> R<ExprId> {
        let span = self.span(b.break_token.span);
        let Some(at) = self.find_loop(b.label.as_ref(), false) else {
            return Ok(self.bad_jump(span, "break"));
        };
        let target = self.loops[at].id;
        let wanted = self.loops[at].breaks.as_ref().and_then(|m| m.merged.or(m.wanted));
        let value = match &b.expr {
            Some(e) => Some(match wanted {
                Some(t) => self.check_outlining(e, t)?,
                None => self.check_expr(e, Exp::None)?,
            }),
            None => None,
        };
        self.loops[at].broken = true;
        let value = match self.loops[at].breaks.take() {
            Some(mut many) => {
                let given = match value {
                    Some(v) => v,
                    None => self.unit(span),
                };
                let merged = self.merge(&mut many, given);
                self.loops[at].breaks = Some(many);
                value.map(|_| merged)
            }
            None => {
                if let Some(v) = value {
                    self.coerce_to(v, Ty::unit());
                }
                None
            }
        };
        Ok(self.node(ExprKind::Break { target, value }, Ty::never(), span))
    }

    pub(super) fn check_continue(&mut self, c: &syn::ExprContinue) -> R<ExprId> {
        let span = self.span(c.continue_token.span);
        match self.find_loop(c.label.as_ref(), true) {
            Some(at) => {
                let target = self.loops[at].id;
                Ok(self.node(ExprKind::Continue { target }, Ty::never(), span))
            }
            None => Ok(self.bad_jump(span, "continue")),
        }
    }

    pub(super) fn check_return(&mut self, r: &syn::ExprReturn) -> R<ExprId> {
        let span = spans::expr(&self.prog.sources, &syn::Expr::Return(r.clone()));
        let result = self.result;
        let value = match &r.expr {
            Some(e) => Some(self.check_coerced(e, result)?),
            None => {
                let unit = self.unit(span);
                self.coerce_to(unit, result);
                None
            }
        };
        Ok(self.node(ExprKind::Return(value), Ty::never(), span))
    }

    /// `e?`: `match e { Ok(v) => v, Err(e) => return Err(From::from(e)) }`, and the like for `Option`.
    pub(super) fn check_try(&mut self, t: &syn::ExprTry) -> R<ExprId> {
        let span = spans::expr(&self.prog.sources, &syn::Expr::Try(t.clone()));
        let operand = self.check_expr(&t.expr, Exp::None)?;
        let scrutinee = self.place(operand);
        let ty = self.structural(self.body.expr(scrutinee).ty);
        if ty.is_error() {
            return Ok(self.error_node(span));
        }
        let TyKind::Adt(id, args) = *ty.kind() else {
            return Ok(self.no_try(ty, span));
        };
        let (option, result) = (self.prog.lang_adt("Option"), self.prog.lang_adt("Result"));
        let flow = self.prog.lang_adt("ControlFlow");
        let (good, bad) = if Some(id) == option {
            (VariantIdx(1), VariantIdx(0))
        } else if Some(id) == result || Some(id) == flow {
            (VariantIdx(0), VariantIdx(1))
        } else {
            return Ok(self.no_try(ty, span));
        };
        // `ControlFlow<B, C>` names what it leaves with first.
        let is_flow = Some(id) == flow;
        let (value_ty, left_with) =
            if is_flow { (args[1], Some(args[0])) } else { (args[0], args.get(1).copied()) };
        let (value, value_pat) = self.hidden_local("value", value_ty, false, span);
        let good_pat = self.variant_pat(ty, good, vec![(FieldIdx(0), value_pat)], span);
        let read = self.node(ExprKind::Local(value), value_ty, span);
        let read = self.value(read);

        let ret = self.structural(self.result);
        let fail_ty = self.fresh();
        let (bad_fields, failure) = if let Some(left_with) = left_with {
            let (error, pat) = self.hidden_local("error", left_with, false, span);
            let place = self.node(ExprKind::Local(error), left_with, span);
            let read = self.value(place);
            if is_flow {
                self.icx.unify(fail_ty, left_with);
                (vec![(FieldIdx(0), pat)], Some(read))
            } else {
                let Some((from, method)) = self.trait_method("From", "from") else {
                    return Ok(self.error_node(span));
                };
                let tr = TraitRef { trait_id: from, args: intern_list(&[fail_ty, left_with]) };
                self.icx.require(Goal::Trait(tr), span);
                let callee = Callee::Fn { id: method, args: tr.args };
                (
                    vec![(FieldIdx(0), pat)],
                    Some(self.node(ExprKind::Call { callee, args: vec![read] }, fail_ty, span)),
                )
            }
        } else {
            (Vec::new(), None)
        };
        let wanted = if Some(id) == option {
            Ty::adt(id, &[self.fresh()])
        } else if is_flow {
            Ty::adt(id, &[fail_ty, self.fresh()])
        } else {
            Ty::adt(id, &[self.fresh(), fail_ty])
        };
        if !self.icx.unify(wanted, ret) {
            let d = Diagnostic::new(
                Code::BadJump,
                span,
                format!("`?` on `{}` in a function that gives `{}`", self.show(ty), self.show(ret)),
            )
            .label("the failure cannot be returned from here")
            .help("the function must give `Result` for `?` on a `Result`, `Option` for `?` on an `Option`");
            self.report_types(d, &[ty, ret]);
            return Ok(self.error_node(span));
        }
        let fields = failure.map(|f| (FieldIdx(0), f)).into_iter().collect();
        let failed = self.node(ExprKind::Adt { adt: id, variant: bad, fields, base: None }, ret, span);
        let ret_node = self.node(ExprKind::Return(Some(failed)), Ty::never(), span);
        let leave = self.node(ExprKind::NeverToAny(ret_node), value_ty, span);
        let bad_pat = self.variant_pat(ty, bad, bad_fields, span);
        let arms = vec![
            Arm { pat: good_pat, guard: None, body: read },
            Arm { pat: bad_pat, guard: None, body: leave },
        ];
        Ok(self.node(ExprKind::Match { scrutinee, arms }, value_ty, span))
    }

    fn no_try(&mut self, ty: Ty, span: Span) -> ExprId {
        if ty.is_infer() {
            self.cannot_infer(
                span,
                "the operand of `?` must be known to be a `Result`, `Option` or `ControlFlow`",
            );
        } else {
            let d = Diagnostic::new(
                Code::Unsupported,
                span,
                format!("`?` on a value of type `{}`", self.show(ty)),
            )
            .label("only `Result`, `Option` and `ControlFlow` are understood")
            .help("match on the value instead");
            self.report_types(d, &[ty]);
        }
        self.error_node(span)
    }

    // ---- closures ---------------------------------------------------------------------------------------------------

    /// Parameters, result and kind that the surroundings want of a closure.
    fn expected_closure(&self, exp: Exp) -> (Option<Vec<Ty>>, Option<Ty>) {
        let Some(ty) = exp.hint() else { return (None, None) };
        let ty = self.icx.shallow(ty);
        let tuple = |t: Ty| match *self.icx.shallow(t).kind() {
            TyKind::Tuple(list) => Some(list.to_vec()),
            _ => None,
        };
        match *ty.kind() {
            TyKind::FnPtr(list) => {
                let (result, params) =
                    list.split_last().expect("a function pointer type ends with its result");
                (Some(params.to_vec()), Some(*result))
            }
            TyKind::Dyn(id, args, bindings) if self.is_fn_trait(id) => {
                (args.first().and_then(|t| tuple(*t)), bindings.first().map(|b| b.1))
            }
            TyKind::Infer(..) => {
                let (mut params, mut result) = (None, None);
                let output = self.prog.lang_assoc("fn_output");
                for o in self.icx.pending.borrow().iter() {
                    match o.goal {
                        Goal::Trait(tr)
                            if self.is_fn_trait(tr.trait_id) && self.icx.shallow(tr.args[0]) == ty =>
                        {
                            params = params.or_else(|| tuple(tr.args[1]));
                        }
                        Goal::Project(a, args, t) if Some(a) == output && self.icx.shallow(args[0]) == ty => {
                            result = Some(t);
                            params = params.or_else(|| tuple(args[1]));
                        }
                        _ => {}
                    }
                }
                (params, result)
            }
            _ => (None, None),
        }
    }

    pub(super) fn is_fn_trait(&self, id: crate::ty::TraitId) -> bool {
        ["Fn", "FnMut", "FnOnce"].iter().any(|n| self.prog.lang_trait(n) == Some(id))
    }

    pub(super) fn check_closure(&mut self, c: &syn::ExprClosure, exp: Exp) -> R<ExprId> {
        let span = self.span(c.inputs_begin.span).to(spans::expr(&self.prog.sources, &c.body));
        if c.asyncness.is_some() {
            return Ok(self.unsupported(span, "an `async` closure", "make it synchronous"));
        }
        let (want_params, want_result) = self.expected_closure(exp);
        let id = self.new_closure();
        let outer = self.closure.replace(id);
        let names = self.names.len();
        let mut params = Vec::new();
        for (i, p) in c.inputs.iter().enumerate() {
            let wanted = want_params.as_ref().and_then(|w| w.get(i)).copied();
            let (pat, ty) = match p {
                syn::Pat::Type(t) => {
                    let ty = self.lower_ty(&t.ty);
                    if let Some(w) = wanted {
                        self.icx.attempt(|| self.icx.unify(ty, w));
                    }
                    (&*t.pat, ty)
                }
                other => (other, wanted.unwrap_or_else(|| self.fresh())),
            };
            let pat = self.check_pat_top(pat, ty);
            params.push(Param { pat, ty });
        }
        let result = match &c.output {
            syn::ReturnType::Type(_, t) => self.lower_ty(t),
            syn::ReturnType::Default => want_result.unwrap_or_else(|| self.fresh()),
        };
        let sig = ClosureSig {
            params: params.iter().map(|p| p.ty).collect(),
            result,
            kind: ClosureKind::Fn,
            captures: Vec::new(),
        };
        self.prog.closure_sigs.borrow_mut().insert(id, sig);
        self.moves.push((id, c.capture.is_some()));

        let loops = std::mem::take(&mut self.loops);
        let saved_result = std::mem::replace(&mut self.result, result);
        let diverges = std::mem::replace(&mut self.diverges, false);
        let value = self.check_coerced(&c.body, result);
        self.loops = loops;
        self.result = saved_result;
        self.diverges = diverges;
        self.closure = outer;
        self.names.truncate(names);
        let value = value?;
        let value = self.scope(value);
        self.body.closures.push(ClosureBody {
            id,
            kind: ClosureKind::Fn,
            params,
            result,
            value,
            captures: Vec::new(),
            span,
            source: Rc::new(ClosureSource {
                tokens: unmark(c.to_token_stream()),
                scope: self.tycx.scope,
                self_ty: self.tycx.self_ty,
            }),
        });
        let ty = Ty::new(TyKind::Closure(id, self.generic_args));
        Ok(self.node(ExprKind::Closure { id, captures: Vec::new() }, ty, span))
    }
}
