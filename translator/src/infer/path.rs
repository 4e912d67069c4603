//! Paths in expressions and patterns.

use proc_macro2::Span as TokenSpan;
use syn::PathArguments;

use super::solve::Answer;
use super::table::Goal;
use super::{Exp, FnCx, R};
use crate::collect::types::{TyCx, primitive};
use crate::diag::{Code, Diagnostic};
use crate::expand::{plain_name, unmarked};
use crate::items::{AdtKind, Container, FnKind, Origin};
use crate::names::Name;
use crate::resolve::{Def, Ns};
use crate::source::Span;
use crate::thir::*;
use crate::ty::{AdtId, Args, ConstId, FnId, TraitId, TraitRef, Ty, TyKind, intern_list};
use metatrace_defs::hint::{Hint, HintForm};

/// What a path means as a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum ValuePath {
    Local(LocalId),
    Fn {
        id: FnId,
        args: Args,
    },
    Const {
        id: ConstId,
        args: Args,
        ty: Ty,
    },
    Static(StaticId_),
    /// A unit constructor.
    Ctor(Ty, VariantIdx),
    /// A tuple constructor.
    CtorFn(Ty, VariantIdx),
    ConstParam(u32, Name, Ty),
    /// Already reported.
    Error,
}

type StaticId_ = crate::ty::StaticId;

impl<'p> FnCx<'p> {
    pub(super) fn check_path(&mut self, p: &syn::ExprPath, _exp: Exp) -> R<ExprId> {
        let span = super::spans::expr(&self.prog.sources, &syn::Expr::Path(p.clone()));
        let found = self.value_path(p.qself.as_ref(), &p.path, span)?;
        self.path_value(found, span)
    }

    pub(super) fn path_value(&mut self, found: ValuePath, span: Span) -> R<ExprId> {
        Ok(match found {
            ValuePath::Local(id) => {
                let ty = self.body.local(id).ty;
                self.node(ExprKind::Local(id), ty, span)
            }
            ValuePath::Fn { id, args } => {
                let ty = Ty::new(TyKind::FnDef(id, args));
                self.node(ExprKind::FnItem { id, args }, ty, span)
            }
            ValuePath::Const { id, args, ty } => self.node(ExprKind::Const { id, args }, ty, span),
            ValuePath::Static(id) => {
                let ty = self.prog.static_def(id).ty;
                self.node(ExprKind::Static(id), ty, span)
            }
            ValuePath::Ctor(ty, v) | ValuePath::CtorFn(ty, v) => return self.ctor_value(ty, v, span),
            ValuePath::ConstParam(index, name, ty) => {
                self.node(ExprKind::ConstParam { index, name }, ty, span)
            }
            ValuePath::Error => self.error_node(span),
        })
    }

    pub(super) fn path_text(&self, path: &syn::Path) -> String {
        let parts: Vec<String> =
            path.segments.iter().map(|s| unmarked(&s.ident.to_string()).to_string()).collect();
        parts.join("::")
    }

    fn unresolved(&self, path: &syn::Path, span: Span) -> ValuePath {
        self.report(
            Diagnostic::new(Code::UnresolvedName, span, format!("cannot find `{}`", self.path_text(path)))
                .label("not found in this scope")
                .help("import it, or check its spelling; names made by procedural macros are not seen"),
        );
        ValuePath::Error
    }

    fn unknown_hint(&self, path: &str, span: Span) {
        let name = path.rsplit("::").next().unwrap_or(path);
        let functions = Hint::ALL.iter().filter(|h| h.form() == HintForm::Function).map(|h| h.name());
        self.report(
            Diagnostic::new(Code::HintUse, span, format!("there is no hint `{name}` that is called"))
                .label("unknown hint")
                .help(format!("the hints that are functions: {}", functions.collect::<Vec<_>>().join(", "))),
        );
    }

    fn flush_type_errors(&self) {
        let errors = std::mem::take(&mut *self.tycx.errors.borrow_mut());
        errors.into_iter().for_each(|e| self.report(e));
    }

    /// What a path means as a value.
    pub(super) fn value_path(
        &mut self,
        q: Option<&syn::QSelf>,
        path: &syn::Path,
        span: Span,
    ) -> R<ValuePath> {
        if let Some(q) = q {
            return self.qualified_value(q, path, span);
        }
        let segments: Vec<&syn::PathSegment> = path.segments.iter().collect();
        let first = plain_name(&segments[0].ident);
        let relative = path.leading_colon.is_none();
        if relative
            && segments.len() == 1
            && segments[0].arguments.is_none()
            && let Some(local) = self.find_local(&segments[0].ident)
        {
            return Ok(ValuePath::Local(local));
        }
        if relative && let Some(head) = self.type_head(first) {
            return match segments.len() {
                1 => Ok(self.head_value(head, first, span)),
                2 => self.assoc_value(head, segments[1], span),
                _ => {
                    let mut ty = head;
                    for s in &segments[1..segments.len() - 1] {
                        ty = match self.tycx.assoc_of(ty, plain_name(&s.ident)) {
                            Some((id, args)) => self.icx.normalize(Ty::new(TyKind::Projection(id, args))),
                            None => return Ok(self.unresolved(path, span)),
                        };
                    }
                    self.assoc_value(ty, segments[segments.len() - 1], span)
                }
            };
        }
        let names = self.prog.path_names(path);
        let skip = names.len() - segments.len();
        let prog = self.prog;
        let found = prog.scopes.lookup(self.tycx.scope, &names, Ns::Value, &|a, n| prog.variant_named(a, n));
        let Some(found) = found else {
            if segments.len() == 2
                && let Some(ty) = primitive(&first)
            {
                return self.assoc_value(ty, segments[1], span);
            }
            return Ok(self.unresolved(path, span));
        };
        let used = found.used - skip;
        let rest = &segments[used.min(segments.len())..];
        let last = segments[used - 1];
        match found.def {
            Def::Foreign(p) if p.starts_with("metatrace::jit::") => {
                self.unknown_hint(&p, span);
                Ok(ValuePath::Error)
            }
            Def::Foreign(p) => self.opaque(span, self.prog.why_foreign(p)),
            // std has modules named like primitive types
            Def::Mod(_) if rest.is_empty() => Ok(self.unresolved(path, span)),
            Def::Fn(id) if rest.is_empty() => {
                self.fn_value(id, Vec::new(), &last.arguments, last.ident.span())
            }
            Def::Const(id) if rest.is_empty() => self.const_value(id, &[], span),
            Def::Static(id) if rest.is_empty() => Ok(ValuePath::Static(id)),
            Def::Ctor(adt, v) if rest.is_empty() => {
                // arguments stand at the enum's or at the variant's segment
                let seg = if last.arguments.is_none() && used >= 2 { segments[used - 2] } else { last };
                let arguments = match self.prog.adts.get(adt.index()).kind {
                    AdtKind::Enum => &seg.arguments,
                    AdtKind::Struct => &last.arguments,
                };
                let ty = self.adt_with(adt, arguments, last.ident.span());
                Ok(self.ctor_path(ty, adt, v))
            }
            Def::Adt(adt) if rest.len() == 1 => {
                let ty = self.adt_with(adt, &last.arguments, last.ident.span());
                self.assoc_value(ty, rest[0], span)
            }
            Def::Alias(_) | Def::Prim(_) if rest.len() == 1 => {
                let prefix = syn::Path {
                    leading_colon: path.leading_colon,
                    segments: segments[..used].iter().map(|s| (*s).clone()).collect(),
                };
                let written = syn::Type::Path(syn::TypePath { attrs: Vec::new(), qself: None, path: prefix });
                let ty = self.lower_ty(&written);
                self.assoc_value(ty, rest[0], span)
            }
            Def::Trait(id) if rest.len() == 1 => {
                let self_ty = self.fresh();
                let args = self.trait_args(id, self_ty, &last.arguments, last.ident.span());
                self.trait_value(TraitRef { trait_id: id, args }, rest[0], span)
            }
            _ => Ok(self.unresolved(path, span)),
        }
    }

    /// `Self` or a parameter.
    fn type_head(&self, first: Name) -> Option<Ty> {
        if first == "Self" {
            return self.tycx.self_ty;
        }
        self.tycx.params.iter().rev().find(|(n, _)| *n == first).map(|(_, t)| *t)
    }

    /// `Self` as a constructor, or a const parameter.
    fn head_value(&mut self, head: Ty, name: Name, span: Span) -> ValuePath {
        match *head.kind() {
            TyKind::Adt(adt, _) => self.ctor_path(head, adt, VariantIdx(0)),
            TyKind::Param(i, name) => {
                let generics = match self.owner {
                    BodyOwner::Fn(id) => Some(self.prog.fn_def(id).generics.clone()),
                    BodyOwner::Const(id) => Some(self.prog.const_def(id).generics.clone()),
                    BodyOwner::Static(_) => None,
                };
                match generics.as_ref().and_then(|g| g.params.get(i as usize)).and_then(|p| p.const_ty) {
                    Some(ty) => ValuePath::ConstParam(i, name, ty),
                    None => self.not_a_value(name, span),
                }
            }
            _ => self.not_a_value(name, span),
        }
    }

    fn not_a_value(&self, name: Name, span: Span) -> ValuePath {
        self.report(
            Diagnostic::new(Code::UnresolvedName, span, format!("`{name}` is a type, no value"))
                .label("a value is wanted here"),
        );
        ValuePath::Error
    }

    fn adt_with(&mut self, adt: AdtId, arguments: &PathArguments, at: TokenSpan) -> Ty {
        let src = self.prog.src.adts.get(adt.index());
        let Some(generics) = src.generics() else { return Ty::adt(adt, &[]) };
        let prog: &'p crate::program::Program = self.prog;
        let make = || TyCx::new(prog, src.scope);
        let args = self.tycx.fill_args(generics, arguments, Vec::new(), &make, at);
        self.flush_type_errors();
        self.icx.normalize(Ty::adt(adt, &args))
    }

    fn trait_args(&mut self, id: TraitId, self_ty: Ty, arguments: &PathArguments, at: TokenSpan) -> Args {
        let src = self.prog.src.traits.get(id.index());
        let prog: &'p crate::program::Program = self.prog;
        let make = || TyCx::new(prog, src.scope);
        let args = self.tycx.fill_args(&src.item.generics, arguments, vec![self_ty], &make, at);
        self.flush_type_errors();
        self.icx.normalize_list(intern_list(&args))
    }

    fn ctor_path(&self, ty: Ty, adt: AdtId, v: VariantIdx) -> ValuePath {
        let def = self.prog.adt(adt);
        match def.variants.get(v.index()) {
            Some(var) if var.ctor == crate::items::CtorKind::Tuple => ValuePath::CtorFn(ty, v),
            _ => ValuePath::Ctor(ty, v),
        }
    }

    /// A function with the arguments written for its own parameters; `parent` are those of what it stands in.
    pub(super) fn fn_value(
        &mut self,
        id: FnId,
        parent: Vec<Ty>,
        arguments: &PathArguments,
        at: TokenSpan,
    ) -> R<ValuePath> {
        let span = self.span(at);
        if self.prog.report_item(Def::Fn(id)) {
            return Ok(ValuePath::Error);
        }
        let args = self.fn_args(id, parent, arguments, at);
        let def = self.prog.fn_def(id);
        self.icx.require_predicates(&def.generics.predicates, args, span);
        Ok(ValuePath::Fn { id, args })
    }

    /// All arguments of a function: `parent`, then those written or fresh ones.
    pub(super) fn fn_args(
        &mut self,
        id: FnId,
        parent: Vec<Ty>,
        arguments: &PathArguments,
        at: TokenSpan,
    ) -> Args {
        let src = self.prog.src.fns.get(id.index());
        let def = self.prog.fn_def(id);
        let own = &src.sig.generics;
        let prog: &'p crate::program::Program = self.prog;
        let mut args = if matches!(def.kind, FnKind::Ctor(..)) {
            parent
        } else {
            let make = || TyCx::new(prog, src.scope);
            self.tycx.fill_args(own, arguments, parent, &make, at)
        };
        self.flush_type_errors();
        while args.len() < def.generics.params.len() {
            args.push(self.fresh());
        }
        self.icx.normalize_list(intern_list(&args))
    }

    fn const_value(&mut self, id: ConstId, args: &[Ty], _span: Span) -> R<ValuePath> {
        if self.prog.report_item(Def::Const(id)) {
            return Ok(ValuePath::Error);
        }
        let args = intern_list(args);
        let ty = self.icx.normalize(self.prog.const_def(id).ty.subst(args));
        Ok(ValuePath::Const { id, args, ty })
    }

    fn qualified_value(&mut self, q: &syn::QSelf, path: &syn::Path, span: Span) -> R<ValuePath> {
        let ty = self.lower_ty(&q.ty);
        let segments: Vec<&syn::PathSegment> = path.segments.iter().collect();
        let Some(last) = segments.last() else { return Ok(self.unresolved(path, span)) };
        if q.position == 0 {
            return self.assoc_value(ty, last, span);
        }
        let trait_path = syn::Path {
            leading_colon: path.leading_colon,
            segments: segments[..q.position].iter().map(|s| (*s).clone()).collect(),
        };
        let Some(id) = self.tycx.trait_named(&trait_path) else {
            return self.opaque(span, format!("the trait `{}`", self.path_text(&trait_path)));
        };
        let args = self.trait_args(id, ty, &segments[q.position - 1].arguments, last.ident.span());
        self.trait_value(TraitRef { trait_id: id, args }, last, span)
    }

    /// An item of a trait, for a given `Self`.
    pub(super) fn trait_value(&mut self, tr: TraitRef, seg: &syn::PathSegment, span: Span) -> R<ValuePath> {
        let name = plain_name(&seg.ident);
        let def = self.prog.trait_def(tr.trait_id);
        if let Some((_, id)) = def.methods.iter().find(|(n, _)| *n == name) {
            return self.fn_value(*id, tr.args.to_vec(), &seg.arguments, seg.ident.span());
        }
        if let Some((_, id)) = def.consts.iter().find(|(n, _)| *n == name) {
            self.icx.require(Goal::Trait(tr), span);
            return self.const_value(*id, tr.args, span);
        }
        // the item may be a supertrait's
        let mut all = vec![crate::items::Predicate::Trait(tr)];
        self.prog.elaborate(&mut all);
        for p in &all[1..] {
            if let crate::items::Predicate::Trait(sup) = p {
                let d = self.prog.trait_def(sup.trait_id);
                if d.methods.iter().any(|(n, _)| *n == name) || d.consts.iter().any(|(n, _)| *n == name) {
                    return self.trait_value(*sup, seg, span);
                }
            }
        }
        if def.origin != Origin::User {
            return self.opaque(span, format!("`{name}` of the trait `{}`, which is not modelled", def.path));
        }
        self.report(
            Diagnostic::new(Code::UnresolvedName, span, format!("the trait `{}` has no `{name}`", def.path))
                .label("not found in the trait"),
        );
        Ok(ValuePath::Error)
    }

    /// `ty::name`: a variant, an inherent item, or a trait's.
    pub(super) fn assoc_value(&mut self, ty: Ty, seg: &syn::PathSegment, span: Span) -> R<ValuePath> {
        let ty = self.structural(ty);
        let name = plain_name(&seg.ident);
        if ty.is_error() {
            return Ok(ValuePath::Error);
        }
        if ty.is_infer() {
            self.cannot_infer(span, "the type before `::` must be known here");
            return Ok(ValuePath::Error);
        }
        if let TyKind::Adt(adt, _) = *ty.kind()
            && let Some(v) = self.prog.variant_named(adt, name)
        {
            return Ok(self.ctor_path(ty, adt, v));
        }
        let mut found: Vec<(crate::ty::ImplId, Ty)> = Vec::new();
        for id in self.inherent_candidates(ty) {
            let def = self.prog.impl_def(id);
            if !def.methods.contains_key(&name) && !def.consts.contains_key(&name) {
                continue;
            }
            let fits = self.icx.probe(|| self.match_inherent(id, ty).is_some_and(|(_, a)| a != Answer::No));
            if fits {
                found.push((id, ty));
            }
        }
        match found.as_slice() {
            [] => self.assoc_of_traits(ty, seg, name, span),
            [(id, _)] => {
                let def = self.prog.impl_def(*id);
                let Some((args, _)) = self.match_inherent(*id, ty) else { return Ok(ValuePath::Error) };
                self.icx.require_predicates(&def.generics.predicates, args, span);
                if let Some(f) = def.methods.get(&name) {
                    return self.fn_value(*f, args.to_vec(), &seg.arguments, seg.ident.span());
                }
                match def.consts.get(&name) {
                    Some(c) => self.const_value(*c, args, span),
                    None => Ok(ValuePath::Error),
                }
            }
            _ => {
                self.ambiguous(span, &name, "several inherent impls fit");
                Ok(ValuePath::Error)
            }
        }
    }

    pub(super) fn ambiguous(&self, span: Span, name: &str, why: &str) {
        self.report(
            Diagnostic::new(Code::Ambiguous, span, format!("several candidates for `{name}`"))
                .label(why.to_string())
                .help("say which one: `<Type as Trait>::name(…)`"),
        );
    }

    fn assoc_of_traits(&mut self, ty: Ty, seg: &syn::PathSegment, name: Name, span: Span) -> R<ValuePath> {
        let has = |cx: &Self, id: TraitId| {
            let d = cx.prog.trait_def(id);
            d.methods.iter().any(|(n, _)| *n == name) || d.consts.iter().any(|(n, _)| *n == name)
        };
        // bounds count as inherent
        let mut bounds: Vec<TraitRef> = Vec::new();
        for p in self.bounds_on(ty) {
            if has(self, p.trait_id) && !bounds.contains(&p) {
                bounds.push(p);
            }
        }
        if let [one] = bounds.as_slice() {
            return self.trait_value(*one, seg, span);
        }
        if bounds.len() > 1 {
            self.ambiguous(span, &name, "several bounds declare it");
            return Ok(ValuePath::Error);
        }
        let mut traits = Vec::new();
        for id in self.prog.scopes.traits_in_scope(self.tycx.scope) {
            if !has(self, id) {
                continue;
            }
            let count = self.prog.trait_def(id).generics.params.len();
            let answer = self.icx.probe(|| {
                let mut args = vec![ty];
                args.extend((1..count).map(|_| self.icx.fresh()));
                self.icx.evaluate(Goal::Trait(TraitRef { trait_id: id, args: intern_list(&args) }), 0)
            });
            if answer != Answer::No {
                traits.push(id);
            }
        }
        match traits.as_slice() {
            [one] => {
                let count = self.prog.trait_def(*one).generics.params.len();
                let mut args = vec![ty];
                args.extend((1..count).map(|_| self.fresh()));
                self.trait_value(TraitRef { trait_id: *one, args: intern_list(&args) }, seg, span)
            }
            [] => {
                if self.is_foreign(ty) {
                    return self.opaque(span, format!("`{}::{name}`, which is not modelled", self.show(ty)));
                }
                let d = Diagnostic::new(
                    Code::UnresolvedName,
                    span,
                    format!("nothing named `{name}` is known for `{}`", self.show(ty)),
                )
                .label("no variant, inherent item, or item of a trait in scope")
                .help("import the trait; impls made by procedural macros must be named by `metatrace::assume_impl!`");
                self.report_types(d, &[ty]);
                Ok(ValuePath::Error)
            }
            _ => {
                self.ambiguous(span, &name, "several traits in scope declare it");
                Ok(ValuePath::Error)
            }
        }
    }

    /// Whether a type's items are, or may be, beyond what we can see.
    pub(super) fn is_foreign(&self, ty: Ty) -> bool {
        match *self.icx.shallow(ty).kind() {
            TyKind::Adt(id, _) => self.prog.adt(id).origin != Origin::User,
            TyKind::Dyn(id, ..) => self.prog.trait_def(id).origin != Origin::User,
            TyKind::Ref(_, t) | TyKind::RawPtr(_, t) => self.is_foreign(t),
            TyKind::Param(..) | TyKind::Projection(..) | TyKind::Infer(..) | TyKind::Error => false,
            _ => true,
        }
    }

    /// The type and variant a struct literal or pattern names; `None` if reported.
    pub(super) fn struct_path(
        &mut self,
        q: Option<&syn::QSelf>,
        path: &syn::Path,
    ) -> R<Option<(Ty, VariantIdx)>> {
        let span = self.span(path.segments[0].ident.span());
        let segments: Vec<&syn::PathSegment> = path.segments.iter().collect();
        let prog = self.prog;
        let variant = |cx: &mut Self, ty: Ty, seg: &syn::PathSegment| match *cx.structural(ty).kind() {
            TyKind::Adt(adt, _) => cx.prog.variant_named(adt, plain_name(&seg.ident)).map(|v| (ty, v)),
            _ => None,
        };
        let first = plain_name(&segments[0].ident);
        if q.is_none()
            && path.leading_colon.is_none()
            && self.type_head(first).is_some()
            && segments.len() == 2
        {
            let head = self.type_head(first).unwrap_or_else(Ty::error);
            if let Some(found) = variant(self, head, segments[1]) {
                return Ok(Some(found));
            }
        }
        if q.is_none() && self.type_head(first).is_none() {
            let names = prog.path_names(path);
            let skip = names.len() - segments.len();
            let found =
                prog.scopes.lookup(self.tycx.scope, &names, Ns::Type, &|a, n| prog.variant_named(a, n));
            match found.map(|f| (f.def, f.used - skip)) {
                Some((Def::Variant(adt, v), used)) if used == segments.len() => {
                    let last = segments[used - 1];
                    let seg = if last.arguments.is_none() && used >= 2 { segments[used - 2] } else { last };
                    let ty = self.adt_with(adt, &seg.arguments, last.ident.span());
                    return Ok(Some((ty, v)));
                }
                Some((Def::Alias(_), used)) if used + 1 == segments.len() => {
                    let prefix = syn::Path {
                        leading_colon: path.leading_colon,
                        segments: segments[..used].iter().map(|s| (*s).clone()).collect(),
                    };
                    let written =
                        syn::Type::Path(syn::TypePath { attrs: Vec::new(), qself: None, path: prefix });
                    let ty = self.lower_ty(&written);
                    return Ok(variant(self, ty, segments[used]));
                }
                Some((Def::Foreign(p), _)) => {
                    return self.opaque(span, format!("`{p}`, which is not modelled"));
                }
                _ => {}
            }
        }
        let written =
            syn::Type::Path(syn::TypePath { attrs: Vec::new(), qself: q.cloned(), path: path.clone() });
        let ty = self.lower_ty(&written);
        let ty = self.structural(ty);
        match *ty.kind() {
            TyKind::Adt(id, _) if self.prog.adt(id).kind == AdtKind::Struct => Ok(Some((ty, VariantIdx(0)))),
            TyKind::Error => Ok(None),
            _ => {
                self.report(
                    Diagnostic::new(
                        Code::UnresolvedName,
                        span,
                        format!("`{}` is no struct", self.path_text(path)),
                    )
                    .label("a struct or variant is wanted here"),
                );
                Ok(None)
            }
        }
    }

    /// The bounds known to hold for a parameter or an associated type.
    pub(super) fn bounds_on(&self, ty: Ty) -> Vec<TraitRef> {
        let mut out = Vec::new();
        for p in &self.icx.env {
            if let crate::items::Predicate::Trait(tr) = p
                && self.icx.resolve(tr.args[0]) == ty
            {
                out.push(*tr);
            }
        }
        match *ty.kind() {
            TyKind::Projection(assoc, args) => {
                let mut bounds = self.prog.assoc_ty(assoc).bounds.clone();
                self.prog.elaborate(&mut bounds);
                for b in bounds {
                    if let crate::items::Predicate::Trait(tr) = b {
                        let tr = tr.subst(args);
                        if tr.args[0] == ty {
                            out.push(tr);
                        }
                    }
                }
            }
            TyKind::Dyn(id, args, _) => {
                let mut full = vec![ty];
                full.extend(args);
                let mut all =
                    vec![crate::items::Predicate::Trait(TraitRef { trait_id: id, args: intern_list(&full) })];
                self.prog.elaborate(&mut all);
                for p in all {
                    if let crate::items::Predicate::Trait(tr) = p {
                        out.push(tr);
                    }
                }
            }
            _ => {}
        }
        out
    }

    /// Whether a function may be named where the body stands.
    pub(super) fn may_name(&self, id: FnId) -> bool {
        let src = self.prog.src.fns.get(id.index());
        match src.container {
            Container::Impl(_) => self.prog.scopes.visible(src.vis, self.tycx.scope),
            _ => true,
        }
    }
}
