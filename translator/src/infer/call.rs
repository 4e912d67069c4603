//! Calls and their arguments.

use super::path::ValuePath;
use super::solve::Answer;
use super::table::Goal;
use super::{ClosureCall, Exp, FnCx, R, expr::strip, spans};
use crate::diag::{Code, Diagnostic};
use crate::items::{Container, FnKind};
use crate::source::Span;
use crate::thir::*;
use crate::ty::{Args, ClosureKind, FnId, Mutability, TraitRef, Ty, TyKind, intern_list};

impl FnCx<'_> {
    pub(super) fn check_call(&mut self, c: &syn::ExprCall, exp: Exp) -> R<ExprId> {
        let span = spans::expr(&self.prog.sources, &syn::Expr::Call(c.clone()));
        let at = spans::expr(&self.prog.sources, &c.func);
        if let syn::Expr::Path(p) = strip(&c.func) {
            match self.value_path(p.qself.as_ref(), &p.path, at)? {
                ValuePath::Fn { id, args } => return self.call_fn(id, args, c, exp, span),
                ValuePath::CtorFn(ty, v) => return self.call_ctor(ty, v, c, exp, span),
                ValuePath::Error => return Ok(self.error_node(span)),
                other => {
                    let callee = self.path_value(other, at)?;
                    return self.call_value(callee, c, exp, span);
                }
            }
        }
        let callee = self.check_expr(&c.func, Exp::None)?;
        self.call_value(callee, c, exp, span)
    }

    fn call_fn(&mut self, id: FnId, args: Args, c: &syn::ExprCall, exp: Exp, span: Span) -> R<ExprId> {
        let def = self.prog.fn_def(id);
        if let (FnKind::Ctor(_, v), result) = (def.kind, def.sig.result) {
            return self.call_ctor(result.subst(args), v, c, exp, span);
        }
        let (params, result) = self.icx.fn_sig(id, args);
        let nodes = self.check_args(&params, c.args.iter(), result, exp, span)?;
        if let Container::Trait(_) = def.container {
            self.icx.select_where_possible();
        }
        Ok(self.node(ExprKind::Call { callee: Callee::Fn { id, args }, args: nodes }, result, span))
    }

    fn call_ctor(&mut self, ty: Ty, v: VariantIdx, c: &syn::ExprCall, exp: Exp, span: Span) -> R<ExprId> {
        let TyKind::Adt(adt, _) = *ty.kind() else { return Ok(self.error_node(span)) };
        if self.prog.report_item(crate::resolve::Def::Adt(adt)) {
            return Ok(self.error_node(span));
        }
        let count = self.prog.adt(adt).variants[v.index()].fields.len();
        let params: Vec<Ty> = (0..count).map(|i| self.variant_field_ty(ty, v, FieldIdx::new(i))).collect();
        let nodes = self.check_args(&params, c.args.iter(), ty, exp, span)?;
        let fields = nodes.into_iter().enumerate().map(|(i, n)| (FieldIdx::new(i), n)).collect();
        Ok(self.node(ExprKind::Adt { adt, variant: v, fields, base: None }, ty, span))
    }

    /// Types arguments against parameters. Closures come last: what they are given depends on the others.
    pub(super) fn check_args<'a>(
        &mut self,
        params: &[Ty],
        args: impl Iterator<Item = &'a syn::Expr>,
        result: Ty,
        exp: Exp,
        span: Span,
    ) -> R<Vec<ExprId>> {
        let args: Vec<&syn::Expr> = args.collect();
        if args.len() != params.len() {
            self.report(
                Diagnostic::new(
                    Code::ArgumentCount,
                    span,
                    format!("{} arguments for {} parameters", args.len(), params.len()),
                )
                .label("in this call"),
            );
            return Ok(params.iter().map(|t| self.node(ExprKind::Tuple(Vec::new()), *t, span)).collect());
        }
        // what is wanted of the result tells what is wanted of the arguments, without deciding it yet
        let hints: Vec<Ty> = match exp.has() {
            Some(wanted) => self.icx.probe(|| {
                if self.icx.unify(result, wanted) {
                    params.iter().map(|p| self.icx.resolve(*p)).collect()
                } else {
                    params.to_vec()
                }
            }),
            None => params.to_vec(),
        };
        let mut nodes: Vec<Option<ExprId>> = vec![None; args.len()];
        for closures in [false, true] {
            if closures {
                self.icx.select_where_possible();
            }
            for (i, arg) in args.iter().enumerate() {
                let is_closure = matches!(strip(arg), syn::Expr::Closure(_));
                if is_closure != closures {
                    continue;
                }
                let id = self.check_outlining(arg, hints[i])?;
                let id = match self.try_coerce_hint(id, hints[i]) {
                    Some(id) => id,
                    None => id,
                };
                nodes[i] = Some(self.coerce_to(id, params[i]));
            }
        }
        Ok(nodes.into_iter().flatten().collect())
    }

    /// Coerces to a hint if that is possible; the parameter's own type decides afterwards.
    fn try_coerce_hint(&mut self, id: ExprId, hint: Ty) -> Option<ExprId> {
        let mark = self.icx.snapshot();
        let done = self.try_coerce(id, hint);
        if done.is_none() {
            self.icx.rollback(mark);
        }
        done
    }

    /// A call of a value: a function pointer, a closure, or anything with a closure trait, behind any references.
    fn call_value(&mut self, callee: ExprId, c: &syn::ExprCall, exp: Exp, span: Span) -> R<ExprId> {
        let mut at = callee;
        for _ in 0..16 {
            let ty = self.structural(self.ty(at));
            match *ty.kind() {
                TyKind::Error => return Ok(self.error_node(span)),
                TyKind::FnDef(id, args) => return self.call_fn(id, args, c, exp, span),
                TyKind::FnPtr(list) => {
                    let (result, params) =
                        list.split_last().expect("a function pointer type ends with its result");
                    let value = self.value(at);
                    let nodes = self.check_args(params, c.args.iter(), *result, exp, span)?;
                    let callee = Callee::Value(value);
                    return Ok(self.node(ExprKind::Call { callee, args: nodes }, *result, span));
                }
                TyKind::Closure(id, args) => {
                    let Some(sig) = self.icx.closure_sig(id) else { break };
                    let params: Vec<Ty> = sig.params.iter().map(|t| t.subst(args)).collect();
                    let result = sig.result.subst(args);
                    let place = self.place(at);
                    let nodes = self.check_args(&params, c.args.iter(), result, exp, span)?;
                    // how it is passed follows from what its body does, which is known at the end
                    let callee = Callee::Closure { kind: ClosureKind::FnOnce, callee: place };
                    let call = self.node(ExprKind::Call { callee, args: nodes }, result, span);
                    self.closure_calls.push(ClosureCall { call, closure: id });
                    return Ok(call);
                }
                TyKind::Infer(..) => {
                    self.cannot_infer(span, "the type of the called value must be known here");
                    return Ok(self.error_node(span));
                }
                _ => {
                    if let Some(done) = self.call_by_trait(at, ty, c, exp, span)? {
                        return Ok(done);
                    }
                }
            }
            match self.deref_once(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        let ty = self.ty(callee);
        let d = Diagnostic::new(
            Code::NotCallable,
            span,
            format!("a value of type `{}` cannot be called", self.show(ty)),
        )
        .label("no function, closure, or type with an `Fn` bound");
        self.report_types(d, &[ty]);
        Ok(self.error_node(span))
    }

    fn call_by_trait(
        &mut self,
        at: ExprId,
        ty: Ty,
        c: &syn::ExprCall,
        exp: Exp,
        span: Span,
    ) -> R<Option<ExprId>> {
        if !matches!(ty.kind(), TyKind::Param(..) | TyKind::Projection(..) | TyKind::Dyn(..)) {
            return Ok(None);
        }
        let ways = [("Fn", ClosureKind::Fn), ("FnMut", ClosureKind::FnMut), ("FnOnce", ClosureKind::FnOnce)];
        for (lang, kind) in ways {
            let Some(trait_id) = self.prog.lang_trait(lang) else { continue };
            let types: Vec<Ty> = c.args.iter().map(|_| self.fresh()).collect();
            let tr = TraitRef { trait_id, args: intern_list(&[ty, Ty::tuple(&types)]) };
            if self.icx.probe(|| self.icx.evaluate(Goal::Trait(tr), 0)) == Answer::No {
                continue;
            }
            self.icx.require(Goal::Trait(tr), span);
            self.icx.select_where_possible();
            let Some(output) = self.prog.lang_assoc("fn_output") else { return Ok(None) };
            let result = self.icx.normalize(Ty::new(TyKind::Projection(output, tr.args)));
            let place = self.place(at);
            let callee = match kind {
                ClosureKind::Fn => self.borrow(Mutability::Not, place, span),
                ClosureKind::FnMut => self.borrow(Mutability::Mut, place, span),
                ClosureKind::FnOnce => self.value(place),
            };
            let nodes = self.check_args(&types, c.args.iter(), result, exp, span)?;
            let callee = Callee::Closure { kind, callee };
            return Ok(Some(self.node(ExprKind::Call { callee, args: nodes }, result, span)));
        }
        Ok(None)
    }
}
