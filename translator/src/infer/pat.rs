//! Patterns, with default binding modes made explicit.

use std::collections::HashMap;

use super::path::ValuePath;
use super::{FnCx, spans};
use crate::diag::{Code, Diagnostic};
use crate::expand::{marked_name, plain_name};
use crate::items::CtorKind;
use crate::names::Name;
use crate::source::Span;
use crate::thir::*;
use crate::ty::{Args, ConstId, Mutability, Ty, TyKind};

/// The variables of a pattern being typed.
#[derive(Default)]
pub(super) struct Bindings {
    found: HashMap<Name, LocalId>,
    order: Vec<(Name, LocalId)>,
    by_mut_ref: bool,
}

/// How names bind by default, after dereferencing implicitly.
type Default_ = Option<Mutability>;

impl FnCx<'_> {
    /// A pattern against a value of its own; its names come into scope.
    pub(super) fn check_pat_top(&mut self, p: &syn::Pat, ty: Ty) -> PatId {
        let mut b = Bindings::default();
        let id = self.check_pat(p, ty, None, &mut b);
        b.order.into_iter().for_each(|(n, l)| self.bind_name(n, l));
        id
    }

    /// A pattern against a place, which becomes mutable if the pattern borrows from it mutably.
    pub(super) fn check_pat_on(&mut self, p: &syn::Pat, ty: Ty, place: ExprId) -> PatId {
        let mut b = Bindings::default();
        let id = self.check_pat(p, ty, None, &mut b);
        if b.by_mut_ref {
            self.make_mut(place);
        }
        b.order.into_iter().for_each(|(n, l)| self.bind_name(n, l));
        id
    }

    /// Whether a lone identifier binds a variable, rather than naming a constant or unit constructor.
    pub(super) fn is_binding(&self, p: &syn::Pat) -> bool {
        match p {
            syn::Pat::Ident(i) => !self.names_value(i),
            _ => false,
        }
    }

    fn names_value(&self, i: &syn::PatIdent) -> bool {
        use crate::resolve::{Def, Ns};
        if i.by_ref.is_some() || i.mutability.is_some() || i.subpat.is_some() {
            return false;
        }
        match self.prog.scopes.lexical(self.tycx.scope, Ns::Value, plain_name(&i.ident)) {
            Some(Def::Const(_) | Def::Static(_)) => true,
            Some(Def::Ctor(adt, v)) => self
                .prog
                .adts
                .try_get(adt.index())
                .is_some_and(|d| d.variants[v.index()].ctor == CtorKind::Unit),
            _ => false,
        }
    }

    fn bad_pat(&mut self, span: Span, ty: Ty, why: &str) -> PatId {
        let d =
            Diagnostic::new(Code::BadPattern, span, format!("this pattern does not fit `{}`", self.show(ty)))
                .label(why.to_string())
                .help("`cargo check` says what the type is; match on its parts");
        self.report_types(d, &[ty]);
        self.pat_node(PatKind::Wild, Ty::error(), span)
    }

    /// Looks through references, as patterns that are not references do.
    fn peel(&self, mut ty: Ty, mut mode: Default_) -> (Ty, Default_, Vec<Ty>) {
        let mut layers = Vec::new();
        loop {
            ty = self.structural(ty);
            let TyKind::Ref(m, inner) = *ty.kind() else { return (ty, mode, layers) };
            layers.push(ty);
            mode = match mode {
                None => Some(m),
                Some(Mutability::Mut) => Some(m),
                Some(Mutability::Not) => mode,
            };
            ty = inner;
        }
    }

    fn wrap(&mut self, mut id: PatId, layers: Vec<Ty>, span: Span) -> PatId {
        for ty in layers.into_iter().rev() {
            id = self.pat_node(PatKind::Deref(id), ty, span);
        }
        id
    }

    fn check_pat(&mut self, p: &syn::Pat, ty: Ty, mode: Default_, b: &mut Bindings) -> PatId {
        let out = self.check_fitting_pat(p, ty, mode, b);
        let pat = &self.body.pats[out.index()];
        if matches!(pat.kind, PatKind::Wild) && pat.ty == Ty::error() {
            self.bind_errors(p, b);
        }
        out
    }

    /// Binds the names of a pattern that does not fit to values in error, so that their uses are not reported too.
    fn bind_errors(&mut self, p: &syn::Pat, b: &mut Bindings) {
        struct Names<'a>(Vec<&'a syn::PatIdent>);
        impl<'a> syn::visit::Visit<'a> for Names<'a> {
            fn visit_pat_ident(&mut self, p: &'a syn::PatIdent) {
                self.0.push(p);
                syn::visit::visit_pat_ident(self, p);
            }
            fn visit_expr(&mut self, _: &'a syn::Expr) {}
        }
        let mut names = Names(Vec::new());
        syn::visit::Visit::visit_pat(&mut names, p);
        for ident in names.0 {
            if !self.names_value(ident) && !b.found.contains_key(&marked_name(&ident.ident)) {
                let span = self.span(ident.ident.span());
                self.binding(ident, Ty::error(), None, b, span);
            }
        }
    }

    fn check_fitting_pat(&mut self, p: &syn::Pat, ty: Ty, mode: Default_, b: &mut Bindings) -> PatId {
        let span = spans::pat(&self.prog.sources, p);
        match p {
            syn::Pat::Wild(_) | syn::Pat::Rest(_) => self.pat_node(PatKind::Wild, ty, span),
            syn::Pat::Paren(p) => self.check_pat(&p.pat, ty, mode, b),
            syn::Pat::Ident(i) if !self.names_value(i) => self.binding(i, ty, mode, b, span),
            syn::Pat::Ident(i) => {
                let path: syn::Path = i.ident.clone().into();
                self.path_pat(None, &path, ty, mode, span)
            }
            syn::Pat::Path(p) => self.path_pat(p.qself.as_ref(), &p.path, ty, mode, span),
            syn::Pat::Lit(l) => self.literal_pat(l, ty, mode, span),
            syn::Pat::Range(r) => {
                let (inner, _, layers) = self.peel(ty, mode);
                let bound = |cx: &mut Self, e: &Option<Box<syn::Expr>>| match e {
                    Some(e) => cx.pattern_constant(e, inner).map(Some),
                    None => Some(None),
                };
                let (Some(lo), Some(hi)) = (bound(self, &r.start), bound(self, &r.end)) else {
                    return self.bad_pat(span, inner, "its bounds must be literals or known constants");
                };
                let inclusive = matches!(r.limits, syn::RangeLimits::Closed(_));
                let id = self.pat_node(PatKind::Range { lo, hi, inclusive }, inner, span);
                self.wrap(id, layers, span)
            }
            syn::Pat::Reference(r) => match *self.structural(ty).kind() {
                TyKind::Ref(_, inner) => {
                    let sub = self.check_pat(&r.pat, inner, None, b);
                    self.pat_node(PatKind::Deref(sub), ty, span)
                }
                TyKind::Infer(..) => {
                    let inner = self.fresh();
                    let m = if r.mutability.is_some() { Mutability::Mut } else { Mutability::Not };
                    self.icx.unify(ty, Ty::reference(m, inner));
                    let sub = self.check_pat(&r.pat, inner, None, b);
                    self.pat_node(PatKind::Deref(sub), ty, span)
                }
                _ => self.bad_pat(span, ty, "a reference pattern for what is no reference"),
            },
            syn::Pat::Tuple(t) => self.tuple_pat(t, ty, mode, b, span),
            syn::Pat::TupleStruct(t) => self.tuple_struct_pat(t, ty, mode, b, span),
            syn::Pat::Struct(s) => self.struct_pat(s, ty, mode, b, span),
            syn::Pat::Slice(s) => self.slice_pat(s, ty, mode, b, span),
            syn::Pat::Or(o) => {
                let alternatives = o.cases.iter().map(|c| self.check_pat(c, ty, mode, b)).collect();
                self.pat_node(PatKind::Or(alternatives), ty, span)
            }
            syn::Pat::Type(t) => {
                let written = self.lower_ty(&t.ty);
                self.icx.unify(written, ty);
                self.check_pat(&t.pat, ty, mode, b)
            }
            syn::Pat::Macro(m) => match self.expand_here(&m.mac, span) {
                Some(tokens) => {
                    match syn::parse::Parser::parse2(syn::Pat::parse_multi_with_leading_vert, tokens) {
                        Ok(p) => self.check_pat(&p, ty, mode, b),
                        Err(_) => self.bad_pat(span, ty, "this macro gives no pattern"),
                    }
                }
                None => self.bad_pat(span, ty, "this macro is not known"),
            },
            _ => {
                self.unsupported(span, "this pattern", "write it with stable Rust's patterns");
                self.pat_node(PatKind::Wild, Ty::error(), span)
            }
        }
    }

    fn binding(&mut self, i: &syn::PatIdent, ty: Ty, mode: Default_, b: &mut Bindings, span: Span) -> PatId {
        let name = marked_name(&i.ident);
        let mode = match (&i.by_ref, &i.mutability, mode) {
            (Some(_), Some(_), _) => BindingMode::Ref(Mutability::Mut),
            (Some(_), None, _) => BindingMode::Ref(Mutability::Not),
            (None, Some(_), _) | (None, None, None) => BindingMode::Value(ReadMode::Move),
            (None, None, Some(m)) => BindingMode::Ref(m),
        };
        let local_ty = match mode {
            BindingMode::Ref(m) => Ty::reference(m, ty),
            BindingMode::Value(_) => ty,
        };
        b.by_mut_ref |= mode == BindingMode::Ref(Mutability::Mut);
        let mutable = i.mutability.is_some() && i.by_ref.is_none();
        let local = match b.found.get(&name) {
            // the same name in another alternative
            Some(&local) => {
                let known = self.body.local(local).ty;
                if !self.icx.unify(known, local_ty) {
                    return self.bad_pat(span, ty, "the alternatives bind this name with different types");
                }
                local
            }
            None => {
                let at = self.span(i.ident.span());
                let local = self.local_node(name, local_ty, mutable, at);
                b.found.insert(name, local);
                b.order.push((name, local));
                local
            }
        };
        let inner_mode = None;
        let sub = i.subpat.as_ref().map(|(_, p)| self.check_pat(p, ty, inner_mode, b));
        self.pat_node(PatKind::Binding { local, mode, sub }, ty, span)
    }

    fn literal_pat(&mut self, l: &syn::ExprLit, ty: Ty, mode: Default_, span: Span) -> PatId {
        if let syn::Lit::ByteStr(bytes) = &l.lit {
            return self.bytes_pat(&bytes.value(), ty, mode, span);
        }
        let by_ref = matches!(l.lit, syn::Lit::Str(_));
        let (inner, layers) = if by_ref {
            // a string literal is a reference itself: one layer stays
            let (_, _, mut layers) = self.peel(ty, mode);
            match layers.pop() {
                Some(last) => (last, layers),
                None => (self.structural(ty), Vec::new()),
            }
        } else {
            let (inner, _, layers) = self.peel(ty, mode);
            (inner, layers)
        };
        match self.pattern_constant(&syn::Expr::Lit(l.clone()), inner) {
            Some(lit) => {
                let id = self.pat_node(PatKind::Literal(lit), inner, span);
                self.wrap(id, layers, span)
            }
            None => self.bad_pat(span, ty, "a literal of another type"),
        }
    }

    /// A byte string: the elements of an array or slice behind a reference.
    fn bytes_pat(&mut self, bytes: &[u8], ty: Ty, mode: Default_, span: Span) -> PatId {
        let (inner, _, layers) = self.peel(ty, mode);
        let u8 = Ty::int(crate::ty::IntTy::U8);
        let fits = match *inner.kind() {
            TyKind::Slice(elem) => self.icx.unify(elem, u8),
            TyKind::Array(elem, n) => {
                self.icx.unify(elem, u8) && n.const_value() == Some(bytes.len() as u128)
            }
            _ => false,
        };
        if !fits || layers.is_empty() {
            return self.bad_pat(span, ty, "a byte string is a reference to an array of bytes");
        }
        let prefix = bytes
            .iter()
            .map(|b| self.pat_node(PatKind::Literal(Lit::Int(u128::from(*b))), u8, span))
            .collect();
        let id = self.pat_node(PatKind::Slice { prefix, rest: None, suffix: Vec::new() }, inner, span);
        self.wrap(id, layers, span)
    }

    /// A constant's value as a pattern; none if it is not made of constructors and scalars.
    fn constant_pat(&mut self, id: ConstId, args: Args, ty: Ty, span: Span, depth: u32) -> Option<PatId> {
        if let Some(lit) = self.prog.eval_const(id, args) {
            return Some(self.pat_node(PatKind::Literal(lit), ty, span));
        }
        let (id, args) = self.prog.resolve_const(id, args).ok()?;
        let body = self.prog.const_body(id).ok().filter(|_| depth < 32)?;
        self.value_pat(&body, body.value, args, span, depth + 1)
    }

    fn value_pat(&mut self, body: &Body, e: ExprId, args: Args, span: Span, depth: u32) -> Option<PatId> {
        let ty = body.expr(e).ty.subst(args);
        if let Some(lit) = self.prog.eval_const_expr(body, e, args) {
            return Some(self.pat_node(PatKind::Literal(lit), ty, span));
        }
        let kind = match &body.expr(e).kind {
            ExprKind::Scope(inner) | ExprKind::Temp { value: inner, .. } => {
                return self.value_pat(body, *inner, args, span, depth);
            }
            ExprKind::Block(b) if body.block(*b).stmts.is_empty() => {
                return self.value_pat(body, body.block(*b).tail?, args, span, depth);
            }
            ExprKind::Const { id, args: own } => {
                let own = crate::ty::subst_list(own, args);
                return self.constant_pat(*id, own, ty, span, depth);
            }
            ExprKind::Adt { variant, fields, base: None, .. } => {
                let mut parts = Vec::new();
                for &(field, value) in fields {
                    parts.push((field, self.value_pat(body, value, args, span, depth)?));
                }
                return Some(self.variant_pat(ty, *variant, parts, span));
            }
            ExprKind::Tuple(list) => {
                let mut parts = Vec::new();
                for (n, &value) in list.iter().enumerate() {
                    parts.push((FieldIdx::new(n), self.value_pat(body, value, args, span, depth)?));
                }
                PatKind::Tuple(parts)
            }
            ExprKind::Array(list) => {
                let parts: Option<Vec<PatId>> =
                    list.iter().map(|&value| self.value_pat(body, value, args, span, depth)).collect();
                PatKind::Slice { prefix: parts?, rest: None, suffix: Vec::new() }
            }
            ExprKind::Borrow { place, .. } => {
                PatKind::Deref(self.value_pat(body, *place, args, span, depth)?)
            }
            _ => return None,
        };
        Some(self.pat_node(kind, ty, span))
    }

    /// The constant an expression in a pattern stands for.
    fn pattern_constant(&mut self, e: &syn::Expr, ty: Ty) -> Option<Lit> {
        let (l, negative) = match super::expr::strip(e) {
            syn::Expr::Lit(l) => (l, false),
            syn::Expr::Unary(u) => match (&u.op, super::expr::strip(&u.expr)) {
                (syn::UnOp::Neg(_), syn::Expr::Lit(l)) => (l, true),
                _ => return None,
            },
            syn::Expr::Path(p) => {
                let span = spans::expr(&self.prog.sources, e);
                return match self.value_path(p.qself.as_ref(), &p.path, span).ok()? {
                    ValuePath::Const { id, args, ty: found } => {
                        self.icx.unify(found, ty).then_some(())?;
                        self.prog.eval_const(id, self.icx.resolve_list(args))
                    }
                    _ => None,
                };
            }
            _ => return None,
        };
        let span = self.span(l.lit.span());
        let digits = match &l.lit {
            syn::Lit::Int(i) => i.base10_digits().to_string(),
            syn::Lit::Float(f) => f.base10_digits().to_string(),
            _ => String::new(),
        };
        let (l, negative) = match digits.strip_prefix('-') {
            // syn reads a minus sign as part of a literal in patterns
            Some(rest) => {
                let suffix = match &l.lit {
                    syn::Lit::Int(i) => i.suffix().to_string(),
                    syn::Lit::Float(f) => f.suffix().to_string(),
                    _ => String::new(),
                };
                let lit: syn::Lit = syn::parse_str(&format!("{rest}{suffix}")).ok()?;
                (syn::ExprLit { attrs: Vec::new(), lit }, !negative)
            }
            None => (l.clone(), negative),
        };
        let id = self.check_literal(&l, super::Exp::Has(ty), negative, span).ok()?;
        let found = self.body.expr(id).ty;
        self.icx.unify(found, ty).then_some(())?;
        match self.kind(id) {
            ExprKind::Literal(lit) => Some(lit.clone()),
            _ => None,
        }
    }

    fn path_pat(
        &mut self,
        q: Option<&syn::QSelf>,
        path: &syn::Path,
        ty: Ty,
        mode: Default_,
        span: Span,
    ) -> PatId {
        match self.value_path(q, path, span) {
            Ok(ValuePath::Ctor(found, v)) => {
                let (inner, _, layers) = self.peel(ty, mode);
                if !self.icx.unify(found, inner) {
                    return self.bad_pat(span, inner, "a constructor of another type");
                }
                let id = self.variant_pat(inner, v, Vec::new(), span);
                self.wrap(id, layers, span)
            }
            Ok(ValuePath::Const { id, args, ty: found }) => {
                // what is behind references is compared, unless the constant is a reference itself
                let (inner, layers) = match self.icx.shallow(found).kind() {
                    TyKind::Ref(..) => (ty, Vec::new()),
                    _ => {
                        let (inner, _, layers) = self.peel(ty, mode);
                        (inner, layers)
                    }
                };
                if !self.icx.unify(found, inner) {
                    return self.bad_pat(span, ty, "a constant of another type");
                }
                match self.constant_pat(id, self.icx.resolve_list(args), inner, span, 0) {
                    Some(id) => self.wrap(id, layers, span),
                    None => {
                        self.report(
                            Diagnostic::new(Code::ConstValue, span, "this constant cannot be evaluated")
                                .label("a pattern needs its value")
                                .help("constants in patterns must be made of literals, constants and constructors"),
                        );
                        self.pat_node(PatKind::Wild, Ty::error(), span)
                    }
                }
            }
            Ok(_) => self.bad_pat(span, ty, "no constructor or constant"),
            Err(o) => {
                self.report_opaque(&o);
                self.pat_node(PatKind::Wild, Ty::error(), span)
            }
        }
    }

    /// Positions of the elements of a sequence with at most one `..`, for `len` fields.
    fn positions(elems: usize, rest: Option<usize>, len: usize) -> Option<Vec<usize>> {
        match rest {
            None => (elems == len).then(|| (0..len).collect()),
            Some(at) => {
                let given = elems - 1;
                if given > len {
                    return None;
                }
                let after = elems - at - 1;
                Some((0..elems).map(|i| if i <= at { i } else { len - after + (i - at - 1) }).collect())
            }
        }
    }

    fn tuple_pat(
        &mut self,
        t: &syn::PatTuple,
        ty: Ty,
        mode: Default_,
        b: &mut Bindings,
        span: Span,
    ) -> PatId {
        let (mut inner, mode, layers) = self.peel(ty, mode);
        let rest = t.elems.iter().position(|p| matches!(p, syn::Pat::Rest(_)));
        if inner.is_infer() && rest.is_none() {
            let parts: Vec<Ty> = t.elems.iter().map(|_| self.fresh()).collect();
            self.icx.unify(inner, Ty::tuple(&parts));
            inner = self.icx.shallow(inner);
        }
        let TyKind::Tuple(types) = *inner.kind() else {
            return self.bad_pat(span, inner, "a tuple pattern for what is no tuple");
        };
        let Some(at) = Self::positions(t.elems.len(), rest, types.len()) else {
            return self.bad_pat(span, inner, "a tuple with another number of elements");
        };
        let mut fields = Vec::new();
        for (i, (p, f)) in t.elems.iter().zip(at).enumerate() {
            if Some(i) != rest {
                fields.push((FieldIdx::new(f), self.check_pat(p, types[f], mode, b)));
            }
        }
        let id = self.pat_node(PatKind::Tuple(fields), inner, span);
        self.wrap(id, layers, span)
    }

    fn tuple_struct_pat(
        &mut self,
        t: &syn::PatTupleStruct,
        ty: Ty,
        mode: Default_,
        b: &mut Bindings,
        span: Span,
    ) -> PatId {
        let found = match self.value_path(t.qself.as_ref(), &t.path, span) {
            Ok(ValuePath::CtorFn(found, v)) => Some((found, v)),
            Ok(_) => None,
            Err(o) => {
                self.report_opaque(&o);
                None
            }
        };
        let (inner, mode, layers) = self.peel(ty, mode);
        let Some((found, v)) = found else {
            // the names are bound all the same, so that no error follows from this one
            t.elems.iter().for_each(|p| {
                self.check_pat(p, Ty::error(), None, b);
            });
            return self.bad_pat(span, inner, "no tuple constructor of this name");
        };
        if !self.icx.unify(found, inner) {
            t.elems.iter().for_each(|p| {
                self.check_pat(p, Ty::error(), None, b);
            });
            return self.bad_pat(span, inner, "a constructor of another type");
        }
        let TyKind::Adt(adt, _) = *self.icx.shallow(found).kind() else {
            return self.bad_pat(span, inner, "no tuple constructor");
        };
        let count = self.prog.adt(adt).variants[v.index()].fields.len();
        let rest = t.elems.iter().position(|p| matches!(p, syn::Pat::Rest(_)));
        let Some(at) = Self::positions(t.elems.len(), rest, count) else {
            return self.bad_pat(span, inner, "the constructor has another number of fields");
        };
        let mut fields = Vec::new();
        for (i, (p, f)) in t.elems.iter().zip(at).enumerate() {
            if Some(i) != rest {
                let f = FieldIdx::new(f);
                let fty = self.variant_field_ty(found, v, f);
                fields.push((f, self.check_pat(p, fty, mode, b)));
            }
        }
        let id = self.variant_pat(inner, v, fields, span);
        self.wrap(id, layers, span)
    }

    fn struct_pat(
        &mut self,
        s: &syn::PatStruct,
        ty: Ty,
        mode: Default_,
        b: &mut Bindings,
        span: Span,
    ) -> PatId {
        let found = match self.struct_path(s.qself.as_ref(), &s.path) {
            Ok(Some(found)) => found,
            Ok(None) => return self.pat_node(PatKind::Wild, Ty::error(), span),
            Err(o) => {
                self.report_opaque(&o);
                return self.pat_node(PatKind::Wild, Ty::error(), span);
            }
        };
        let (inner, mode, layers) = self.peel(ty, mode);
        let (found, v) = found;
        let TyKind::Adt(adt, _) = *self.icx.shallow(found).kind() else {
            return self.bad_pat(span, inner, "no struct");
        };
        if !self.icx.unify(found, inner) {
            return self.bad_pat(span, inner, "a struct of another type");
        }
        let variant = &self.prog.adt(adt).variants[v.index()];
        let mut fields = Vec::new();
        for f in &s.fields {
            let name = match &f.member {
                syn::Member::Named(i) => plain_name(i),
                syn::Member::Unnamed(i) => Name::new(&i.index.to_string()),
            };
            let Some(idx) = variant.field(&name) else {
                self.report(
                    Diagnostic::new(
                        Code::UnknownField,
                        span,
                        format!("`{}` has no field `{name}`", variant.name),
                    )
                    .label("in this pattern"),
                );
                self.check_pat(&f.pat, Ty::error(), None, b);
                continue;
            };
            let fty = self.variant_field_ty(found, v, idx);
            fields.push((idx, self.check_pat(&f.pat, fty, mode, b)));
        }
        let id = self.variant_pat(inner, v, fields, span);
        self.wrap(id, layers, span)
    }

    fn slice_pat(
        &mut self,
        s: &syn::PatSlice,
        ty: Ty,
        mode: Default_,
        b: &mut Bindings,
        span: Span,
    ) -> PatId {
        let (inner, mode, layers) = self.peel(ty, mode);
        let is_rest = |p: &syn::Pat| match p {
            syn::Pat::Rest(_) => true,
            syn::Pat::Ident(i) => matches!(&i.subpat, Some((_, p)) if matches!(**p, syn::Pat::Rest(_))),
            _ => false,
        };
        let at = s.elems.iter().position(is_rest);
        let given = s.elems.len() - usize::from(at.is_some());
        let (elem, rest_ty) = match *inner.kind() {
            TyKind::Slice(t) => (t, inner),
            TyKind::Array(t, n) => {
                if at.is_none() && self.icx.shallow(n).is_infer() {
                    self.icx.unify(n, Ty::new(TyKind::Const(given as u128)));
                }
                let rest = self.icx.shallow(n).const_value().and_then(|n| n.checked_sub(given as u128));
                match rest {
                    Some(r) => (t, Ty::new(TyKind::Array(t, Ty::new(TyKind::Const(r))))),
                    None => return self.bad_pat(span, inner, "an array with another number of elements"),
                }
            }
            _ => return self.bad_pat(span, inner, "a slice pattern for what is no slice or array"),
        };
        let (mut prefix, mut suffix, mut rest) = (Vec::new(), Vec::new(), None);
        for (i, p) in s.elems.iter().enumerate() {
            if Some(i) == at {
                rest = Some(match p {
                    syn::Pat::Ident(ident) => {
                        let plain = syn::PatIdent { subpat: None, ..ident.clone() };
                        let at = spans::pat(&self.prog.sources, p);
                        self.binding(&plain, rest_ty, mode, b, at)
                    }
                    _ => self.pat_node(PatKind::Wild, rest_ty, span),
                });
            } else if at.is_some_and(|a| i > a) {
                suffix.push(self.check_pat(p, elem, mode, b));
            } else {
                prefix.push(self.check_pat(p, elem, mode, b));
            }
        }
        let id = self.pat_node(PatKind::Slice { prefix, rest, suffix }, inner, span);
        self.wrap(id, layers, span)
    }
}
