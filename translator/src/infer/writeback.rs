//! The end of inference: fallbacks, remaining obligations, casts, literals, copies or moves, captures, promotion.

use super::FnCx;
use super::solve::Answer;
use super::table::{Goal, Obligation};
use crate::diag::{Code, Diagnostic};
use crate::items::{AdtKind, Container};
use crate::thir::*;
use crate::ty::{Args, FloatTy, FnId, InferKind, Mutability, Ty, TyKind};

impl Body {
    /// The nodes that belong to the body: attempts that were undone leave others behind.
    pub fn reachable(&self) -> Vec<bool> {
        let mut seen = vec![false; self.exprs.len()];
        let mut work = vec![self.value];
        work.extend(self.closures.iter().map(|c| c.value));
        let mut blocks: Vec<BlockId> = Vec::new();
        loop {
            if let Some(b) = blocks.pop() {
                let block = self.block(b);
                for s in &block.stmts {
                    match s {
                        Stmt::Let { init, els, .. } => {
                            work.extend(init);
                            blocks.extend(els);
                        }
                        Stmt::Expr(e) => work.push(*e),
                    }
                }
                work.extend(block.tail);
                continue;
            }
            let Some(e) = work.pop() else { break };
            if std::mem::replace(&mut seen[e.index()], true) {
                continue;
            }
            match &self.expr(e).kind {
                ExprKind::Block(b) => blocks.push(*b),
                ExprKind::Match { scrutinee, arms } => {
                    work.push(*scrutinee);
                    for a in arms {
                        work.extend(a.guard);
                        work.push(a.body);
                    }
                }
                other => work.extend(super::capture::children(other)),
            }
        }
        seen
    }
}

impl FnCx<'_> {
    pub(super) fn write_back(&mut self) {
        self.icx.select_where_possible();
        self.fall_back();
        self.icx.select_where_possible();
        self.report_obligations();
        let reachable = self.body.reachable();
        self.resolve_types(&reachable);
        self.build_in_operators(&reachable);
        self.finish_casts(&reachable);
        self.finish_literals(&reachable);
        self.finish_modes();
        self.analyse_captures();
        // closures are `Copy` or not only now
        self.finish_modes();
        self.mark_addresses();
        self.promote();
        self.body.portal_loop = match self.portal_loops.as_slice() {
            [(id, _)] => Some(*id),
            _ => None,
        };
    }

    /// Integer and float variables nothing decides become `i32` and `f64`; a type only a diverging expression has, `()` or `!`.
    fn fall_back(&mut self) {
        let mut open = Vec::new();
        let note = |t: Ty, open: &mut Vec<Ty>| collect_vars(self.icx.resolve(t), open);
        for e in &self.body.exprs {
            note(e.ty, &mut open);
        }
        for l in &self.body.locals {
            note(l.ty, &mut open);
        }
        for o in self.icx.pending.borrow().iter() {
            match o.goal {
                Goal::Trait(tr) => tr.args.iter().for_each(|t| note(*t, &mut open)),
                Goal::Project(_, args, t) => {
                    args.iter().for_each(|t| note(*t, &mut open));
                    note(t, &mut open);
                }
            }
        }
        for v in open {
            match self.icx.shallow(v).kind() {
                TyKind::Infer(_, InferKind::Int) => {
                    self.icx.unify(v, Ty::int(crate::ty::IntTy::I32));
                }
                TyKind::Infer(_, InferKind::Float) => {
                    self.icx.unify(v, Ty::new(TyKind::Float(FloatTy::F64)));
                }
                _ => {}
            }
        }
        self.icx.select_where_possible();
        let never_targets: Vec<Ty> = self
            .body
            .exprs
            .iter()
            .filter(|e| matches!(e.kind, ExprKind::NeverToAny(_)))
            .map(|e| self.icx.shallow(e.ty))
            .filter(|t| t.is_infer())
            .collect();
        let target = if self.prog.edition_of(self.tycx.scope) >= 2024 { Ty::never() } else { Ty::unit() };
        for t in never_targets {
            self.icx.unify(t, target);
        }
    }

    fn report_obligations(&mut self) {
        let failed: Vec<Obligation> = self.icx.failed.borrow().clone();
        let pending: Vec<Obligation> = self.icx.pending.borrow().clone();
        let mut shown = Vec::new();
        for (o, open) in failed.iter().map(|o| (o, false)).chain(pending.iter().map(|o| (o, true))) {
            if shown.contains(&o.span) {
                continue;
            }
            shown.push(o.span);
            let (text, types): (String, Vec<Ty>) = match o.goal {
                Goal::Trait(tr) => {
                    let args = self.icx.resolve_list(tr.args);
                    let tr = crate::ty::TraitRef { trait_id: tr.trait_id, args };
                    (format!("`{}: {}`", self.show(args[0]), self.prog.trait_ref_name(tr)), args.to_vec())
                }
                Goal::Project(assoc, args, ty) => {
                    let args = self.icx.resolve_list(args);
                    let p = Ty::new(TyKind::Projection(assoc, args));
                    let mut all = args.to_vec();
                    all.push(ty);
                    (format!("`{} == {}`", self.show(p), self.show(ty)), all)
                }
            };
            if open && self.prog.diags.len() > self.errors_before {
                // What is wrong elsewhere in the body may be what is not known here.
                continue;
            }
            let d = if open {
                Diagnostic::new(Code::CannotInfer, o.span, format!("cannot decide whether {text}"))
                    .label("too little is known of the types here")
                    .help("write the types")
            } else {
                Diagnostic::new(Code::Unsatisfied, o.span, format!("{text} is not known to hold"))
                    .label("required here")
                    .help("if it comes from a procedural macro's impl, name it by `metatrace::assume_impl!`")
            };
            self.report_types(d, &types);
        }
    }

    /// Operators whose operands turned out to be scalars only after they were typed become built in, as in rustc.
    fn build_in_operators(&mut self, reachable: &[bool]) {
        let mut methods = Vec::new();
        for op in super::ops::ALL {
            for assign in [false, true] {
                let (lang, name) = super::ops::operator_trait(op, assign);
                if let Some((_, id)) = self.trait_method(lang, name) {
                    methods.push((id, op, assign && !op.is_comparison()));
                }
            }
        }
        for i in (0..reachable.len()).filter(|i| reachable[*i]) {
            let ExprKind::Call { callee: Callee::Fn { id, args }, args: list } = &self.body.exprs[i].kind
            else {
                continue;
            };
            let (Some((_, op, assign)), [left, right], [l, r]) =
                (methods.iter().find(|m| m.0 == *id).copied(), list.as_slice(), *args)
            else {
                continue;
            };
            let (Some(lc), Some(rc)) = (self.scalar(*l), self.scalar(*r)) else { continue };
            if !super::ops::built_in(op, lc, rc) || !op.is_shift() && l != r {
                continue;
            }
            let (left, right) = (*left, *right);
            let kind = if assign {
                let ExprKind::Borrow { place, .. } = *self.kind(left) else { continue };
                ExprKind::AssignOp { op, place, value: right }
            } else if op.is_comparison() {
                let (Some(left), Some(right)) = (self.compared(left), self.compared(right)) else { continue };
                ExprKind::Binary { op, left, right }
            } else {
                ExprKind::Binary { op, left, right }
            };
            self.body.exprs[i].kind = kind;
        }
    }

    /// The operand of a comparison that was borrowed for its trait's method.
    fn compared(&mut self, id: ExprId) -> Option<ExprId> {
        let ExprKind::Borrow { place, .. } = *self.kind(id) else { return None };
        match *self.kind(place) {
            ExprKind::Temp { value, .. } => Some(value),
            _ => Some(self.value(place)),
        }
    }

    fn resolve_args(&self, args: Args) -> Args {
        self.icx.resolve_list(args)
    }

    fn resolve_types(&mut self, reachable: &[bool]) {
        let mut unknown: Option<crate::source::Span> = None;
        for i in 0..self.body.exprs.len() {
            let ty = self.icx.resolve(self.body.exprs[i].ty);
            self.body.exprs[i].ty = ty;
            if !reachable[i] {
                continue;
            }
            let mut open = ty.flags().has_infer;
            let kind = match self.body.exprs[i].kind.clone() {
                ExprKind::FnItem { id, args } => Some(ExprKind::FnItem { id, args: self.resolve_args(args) }),
                ExprKind::Const { id, args } => Some(ExprKind::Const { id, args: self.resolve_args(args) }),
                ExprKind::Call { callee: Callee::Fn { id, args }, args: list } => {
                    let args = self.resolve_args(args);
                    open |= args.iter().any(|t| t.flags().has_infer);
                    Some(ExprKind::Call { callee: Callee::Fn { id, args }, args: list })
                }
                _ => None,
            };
            if let Some(kind) = kind {
                self.body.exprs[i].kind = kind;
            }
            // an error type without an error would be a guess handed on
            open |= ty.flags().has_error;
            if open && unknown.is_none() {
                unknown = Some(self.body.exprs[i].span);
            }
        }
        for i in 0..self.body.locals.len() {
            self.body.locals[i].ty = self.icx.resolve(self.body.locals[i].ty);
        }
        for i in 0..self.body.pats.len() {
            self.body.pats[i].ty = self.icx.resolve(self.body.pats[i].ty);
            if let PatKind::Variant { adt, args, variant, fields } = self.body.pats[i].kind.clone() {
                let args = self.resolve_args(args);
                self.body.pats[i].kind = PatKind::Variant { adt, args, variant, fields };
            }
        }
        for i in 0..self.body.loops.len() {
            self.body.loops[i].ty = self.icx.resolve(self.body.loops[i].ty);
        }
        for i in 0..self.body.params.len() {
            self.body.params[i].ty = self.icx.resolve(self.body.params[i].ty);
        }
        for i in 0..self.body.closures.len() {
            let mut c = self.body.closures[i].clone();
            c.result = self.icx.resolve(c.result);
            c.params.iter_mut().for_each(|p| p.ty = self.icx.resolve(p.ty));
            if let Some(sig) = self.prog.closure_sigs.borrow_mut().get_mut(&c.id) {
                sig.params = c.params.iter().map(|p| p.ty).collect();
                sig.result = c.result;
            }
            self.body.closures[i] = c;
        }
        if let Some(span) = unknown
            && self.prog.diags.len() == self.errors_before
        {
            self.cannot_infer(span, "nothing decides this type");
        }
    }

    /// Every `as` now knows its types; the conversion must exist.
    fn finish_casts(&mut self, reachable: &[bool]) {
        for id in std::mem::take(&mut self.casts) {
            if !reachable[id.index()] {
                continue;
            }
            let ExprKind::Cast { value, .. } = *self.kind(id) else { continue };
            let (from, to, span) = (self.body.expr(value).ty, self.body.expr(id).ty, self.span_at(id));
            if from.flags().has_error || to.flags().has_error {
                continue;
            }
            if let Some(kind) = self.cast_kind(from, to) {
                self.body.exprs[id.index()].kind = ExprKind::Cast { kind, value };
                continue;
            }
            match self.try_coerce(value, to) {
                // a coercion written as a cast: the cast itself changes nothing
                Some(inner) => {
                    self.body.exprs[id.index()].kind = self.body.expr(inner).kind.clone();
                }
                None => {
                    let d = Diagnostic::new(
                        Code::BadCast,
                        span,
                        format!("`{}` cannot be cast to `{}`", self.show(from), self.show(to)),
                    )
                    .label("`as` converts between numbers, pointers, and what coerces")
                    .help("convert through a type that both allow, or call a conversion function");
                    self.report(d);
                }
            }
        }
    }

    fn cast_kind(&self, from: Ty, to: Ty) -> Option<CastKind> {
        let fieldless = |t: Ty| match *t.kind() {
            TyKind::Adt(id, _) => {
                let def = self.prog.adt(id);
                def.kind == AdtKind::Enum && def.variants.iter().all(|v| v.fields.is_empty())
            }
            _ => false,
        };
        let scalar_param =
            |t: Ty| matches!(t.kind(), TyKind::Param(..)) && self.icx.implements(t, "__Num") == Answer::Yes;
        Some(match (*from.kind(), *to.kind()) {
            (TyKind::Int(_) | TyKind::Float(_), TyKind::Int(_) | TyKind::Float(_)) => CastKind::Numeric,
            (TyKind::Bool | TyKind::Char, TyKind::Int(_)) => CastKind::Numeric,
            (TyKind::Int(crate::ty::IntTy::U8), TyKind::Char) => CastKind::Numeric,
            (TyKind::Bool, TyKind::Bool) | (TyKind::Char, TyKind::Char) => CastKind::Numeric,
            (_, TyKind::Int(_)) if fieldless(from) => CastKind::Numeric,
            _ if (scalar_param(from) || from.is_integral()) && (scalar_param(to) || to.is_integral()) => {
                CastKind::Numeric
            }
            (TyKind::RawPtr(..), TyKind::RawPtr(..)) if self.thin_enough(from, to) => CastKind::Pointer,
            (TyKind::RawPtr(..) | TyKind::FnPtr(_), TyKind::Int(_)) => CastKind::PointerToInt,
            (TyKind::Int(_), TyKind::RawPtr(..)) => CastKind::IntToPointer,
            (TyKind::FnPtr(_), TyKind::RawPtr(..)) => CastKind::Pointer,
            (TyKind::Ref(m, a), TyKind::RawPtr(n, e)) if m == n || n == Mutability::Not => match *a.kind() {
                TyKind::Array(elem, _) if elem == e => CastKind::ArrayToPointer,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// A pointer cast that does not make up metadata.
    fn thin_enough(&self, from: Ty, to: Ty) -> bool {
        let fat = |t: Ty| match *t.kind() {
            TyKind::RawPtr(_, t) => matches!(t.kind(), TyKind::Slice(_) | TyKind::Str | TyKind::Dyn(..)),
            _ => false,
        };
        !fat(to) || fat(from)
    }

    fn finish_literals(&mut self, reachable: &[bool]) {
        for i in 0..self.body.exprs.len() {
            let e = &self.body.exprs[i];
            if let ExprKind::Literal(lit) = &e.kind {
                let (lit, ty, span) = (lit.clone(), e.ty, e.span);
                let done = self.finish_literal(lit, ty, span, reachable.get(i) == Some(&true));
                self.body.exprs[i].kind = ExprKind::Literal(done);
            }
        }
        for i in 0..self.body.pats.len() {
            let (kind, ty, span) =
                (self.body.pats[i].kind.clone(), self.body.pats[i].ty, self.body.pats[i].span);
            self.body.pats[i].kind = match kind {
                PatKind::Literal(l) => PatKind::Literal(self.finish_literal(l, ty, span, false)),
                PatKind::Range { lo, hi, inclusive } => PatKind::Range {
                    lo: lo.map(|l| self.finish_literal(l, ty, span, false)),
                    hi: hi.map(|l| self.finish_literal(l, ty, span, false)),
                    inclusive,
                },
                other => other,
            };
        }
    }

    fn finish_literal(&self, lit: Lit, ty: Ty, span: crate::source::Span, check: bool) -> Lit {
        match (lit, ty.kind()) {
            (Lit::Int(v), TyKind::Int(int)) => {
                let bits = int.mask(v);
                let back = crate::collect::sigs::signed(bits, *int) as u128;
                if check && back != v {
                    self.report(
                        Diagnostic::new(
                            Code::Mismatch,
                            span,
                            format!("this literal is out of range for `{}`", int.name()),
                        )
                        .label("does not fit"),
                    );
                }
                Lit::Int(bits)
            }
            (Lit::Str(text), TyKind::Float(FloatTy::F32)) => {
                Lit::F32(text.parse::<f32>().unwrap_or(f32::NAN).to_bits())
            }
            (Lit::Str(text), TyKind::Float(FloatTy::F64)) => {
                Lit::F64(text.parse::<f64>().unwrap_or(f64::NAN).to_bits())
            }
            (lit, _) => lit,
        }
    }

    fn is_copy(&self, ty: Ty) -> bool {
        self.icx.implements(ty, "Copy") == Answer::Yes
    }

    /// Whether a read copies or moves.
    pub(super) fn set_read_mode(&mut self, id: ExprId) {
        let e = self.body.expr(id);
        if let ExprKind::Read { place, .. } = e.kind {
            let mode = if self.is_copy(e.ty) { ReadMode::Copy } else { ReadMode::Move };
            self.body.exprs[id.index()].kind = ExprKind::Read { place, mode };
        }
    }

    fn finish_modes(&mut self) {
        for i in 0..self.body.exprs.len() {
            self.set_read_mode(ExprId::new(i));
        }
        // a pointer that is only followed is not moved
        for i in 0..self.body.exprs.len() {
            if let ExprKind::Deref(op) = self.body.exprs[i].kind
                && let ExprKind::Read { place, .. } = *self.kind(op)
            {
                self.body.exprs[op.index()].kind = ExprKind::Read { place, mode: ReadMode::Copy };
            }
        }
        for i in 0..self.body.pats.len() {
            if let PatKind::Binding { local, mode: BindingMode::Value(_), sub } = self.body.pats[i].kind {
                let mode = if self.is_copy(self.body.pats[i].ty) { ReadMode::Copy } else { ReadMode::Move };
                self.body.pats[i].kind = PatKind::Binding { local, mode: BindingMode::Value(mode), sub };
            }
        }
    }

    /// The variable a place lies in, not counting what is behind pointers.
    fn root(&self, place: ExprId) -> Option<LocalId> {
        match *self.kind(place) {
            ExprKind::Local(id) => Some(id),
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => self.root(base),
            _ => None,
        }
    }

    fn binds_by_ref(&self, p: PatId) -> bool {
        match &self.body.pat(p).kind {
            PatKind::Binding { mode, sub, .. } => {
                matches!(mode, BindingMode::Ref(_)) || sub.is_some_and(|s| self.binds_by_ref(s))
            }
            PatKind::Variant { fields, .. } | PatKind::Tuple(fields) => {
                fields.iter().any(|(_, p)| self.binds_by_ref(*p))
            }
            PatKind::Or(list) => list.iter().any(|p| self.binds_by_ref(*p)),
            PatKind::Slice { prefix, rest, suffix } => {
                prefix.iter().chain(rest).chain(suffix).any(|p| self.binds_by_ref(*p))
            }
            // behind a pointer the variable itself is not borrowed
            PatKind::Deref(_) | PatKind::Wild | PatKind::Literal(_) | PatKind::Range { .. } => false,
        }
    }

    fn mark_addresses(&mut self) {
        let mut taken = Vec::new();
        let reachable = self.body.reachable();
        for (i, e) in self.body.exprs.iter().enumerate() {
            if !reachable[i] {
                continue;
            }
            match &e.kind {
                ExprKind::Borrow { place, .. } | ExprKind::RawBorrow { place, .. } => {
                    taken.extend(self.root(*place));
                }
                ExprKind::Let { place, pat } if self.binds_by_ref(*pat) => taken.extend(self.root(*place)),
                ExprKind::Match { scrutinee, arms } if arms.iter().any(|a| self.binds_by_ref(a.pat)) => {
                    taken.extend(self.root(*scrutinee));
                }
                _ => {}
            }
        }
        for b in &self.body.blocks {
            for s in &b.stmts {
                if let Stmt::Let { pat, init: Some(i), .. } = s
                    && self.binds_by_ref(*pat)
                {
                    taken.extend(self.root(*i));
                }
            }
        }
        for l in taken {
            self.body.locals[l.index()].address_taken = true;
        }
    }

    /// `&constant` lives for ever.
    fn promote(&mut self) {
        // operands of comparisons are borrowed for the comparison only: temporaries are enough, and better seen through
        let compared: std::collections::HashSet<ExprId> = self
            .body
            .exprs
            .iter()
            .filter_map(|e| match &e.kind {
                ExprKind::Call { callee: Callee::Fn { id, .. }, args } if self.compares(*id) => {
                    Some(args.clone())
                }
                _ => None,
            })
            .flatten()
            .collect();
        for i in 0..self.body.exprs.len() {
            if compared.contains(&ExprId::new(i)) {
                continue;
            }
            if let ExprKind::Borrow { mutability: Mutability::Not, place } = self.body.exprs[i].kind
                && let ExprKind::Temp { value, .. } = *self.kind(place)
                && self.is_constant(value)
            {
                self.body.exprs[place.index()].kind =
                    ExprKind::Temp { value, lifetime: TempLifetime::Static };
            }
        }
    }

    /// Whether a function is one of the comparison operators'.
    fn compares(&self, id: FnId) -> bool {
        match self.prog.fn_def(id).container {
            Container::Trait(id) => {
                ["PartialEq", "PartialOrd"].iter().any(|lang| self.prog.lang_trait(lang) == Some(id))
            }
            _ => false,
        }
    }

    fn is_constant(&self, id: ExprId) -> bool {
        match self.kind(id) {
            ExprKind::Literal(_) => true,
            ExprKind::Tuple(list) | ExprKind::Array(list) => list.iter().all(|e| self.is_constant(*e)),
            ExprKind::Adt { fields, base: None, .. } => {
                let ty = self.body.expr(id).ty;
                !ty.flags().has_param
                    && !self.prog.needs_drop(ty)
                    && self.prog.is_freeze(ty)
                    && fields.iter().all(|(_, e)| self.is_constant(*e))
            }
            _ => false,
        }
    }
}

fn collect_vars(ty: Ty, out: &mut Vec<Ty>) {
    if ty.is_infer() {
        if !out.contains(&ty) {
            out.push(ty);
        }
    } else if ty.flags().has_infer {
        ty.for_each_child(|t| collect_vars(t, out));
    }
}
