//! Expressions: the dispatch, and those without a page of their own.

use super::outline::block_like;
use super::{Exp, FnCx, R, spans};
use crate::diag::{Code, Diagnostic};
use crate::expand::plain_name;
use crate::items::{AdtKind, CtorKind};
use crate::names::Name;
use crate::source::Span;
use crate::thir::*;
use crate::ty::{FloatTy, InferKind, IntTy, Mutability, Ty, TyKind};

impl FnCx<'_> {
    /// Types an expression and coerces it to a type; code that cannot be seen is outlined here if the type is known.
    pub(super) fn check_coerced(&mut self, e: &syn::Expr, ty: Ty) -> R<ExprId> {
        let id = self.check_outlining(e, ty)?;
        Ok(self.coerce_to(id, ty))
    }

    /// Types an expression of which a type is expected. If it cannot be typed and the type is known, it is outlined.
    pub(super) fn check_outlining(&mut self, e: &syn::Expr, ty: Ty) -> R<ExprId> {
        let mark = self.mark();
        match self.check_caught(e, Exp::Has(ty)) {
            Ok(id) => Ok(id),
            Err(o) => {
                self.undo(mark);
                self.outline_expr(e, ty, o)
            }
        }
    }

    /// Types an expression that is outlined as a whole if something in it cannot be seen and it has no control flow of its own.
    pub(super) fn check_caught(&mut self, e: &syn::Expr, exp: Exp) -> R<ExprId> {
        let catches = u32::from(!block_like(strip(e)));
        self.catchers += catches;
        let out = self.check_expr(e, exp);
        self.catchers -= catches;
        out
    }

    /// Types an expression. The result is a place or a value.
    pub(super) fn check_expr(&mut self, e: &syn::Expr, exp: Exp) -> R<ExprId> {
        let id = self.check_kind(e, exp)?;
        if self.ty(id).is_never() {
            self.diverges = true;
        }
        Ok(id)
    }

    /// Types an expression as a value.
    pub(super) fn check_value(&mut self, e: &syn::Expr, exp: Exp) -> R<ExprId> {
        let id = self.check_expr(e, exp)?;
        Ok(self.value(id))
    }

    fn check_kind(&mut self, e: &syn::Expr, exp: Exp) -> R<ExprId> {
        let span = || spans::expr(&self.prog.sources, e);
        match e {
            syn::Expr::Lit(l) => {
                let span = span();
                self.check_literal(l, exp, false, span)
            }
            syn::Expr::Path(p) => self.check_path(p, exp),
            syn::Expr::Paren(p) => self.check_expr(&p.expr, exp),
            syn::Expr::Group(g) => self.check_expr(&g.expr, exp),
            syn::Expr::Binary(b) => self.check_binary(b),
            syn::Expr::Unary(u) => self.check_unary(u, exp),
            syn::Expr::Assign(a) => self.check_assign(a),
            syn::Expr::Field(f) => self.check_field(f),
            syn::Expr::Index(i) => self.check_index(i),
            syn::Expr::Call(c) => self.check_call(c, exp),
            syn::Expr::MethodCall(m) => self.check_method_call(m, exp),
            syn::Expr::Block(b) => self.check_block_expr(&b.block, b.label.as_ref(), exp),
            syn::Expr::Unsafe(u) => self.check_block_expr(&u.block, None, exp),
            syn::Expr::If(i) => self.check_if(i, exp),
            syn::Expr::Match(m) => self.check_match(m, exp),
            syn::Expr::Loop(l) => self.check_loop(l, exp),
            syn::Expr::While(w) => self.check_while(w),
            syn::Expr::ForLoop(f) => self.check_for(f),
            syn::Expr::Break(b) => self.check_break(b),
            syn::Expr::Continue(c) => self.check_continue(c),
            syn::Expr::Return(r) => self.check_return(r),
            syn::Expr::Try(t) => self.check_try(t),
            syn::Expr::Reference(r) => self.check_reference(r, exp),
            syn::Expr::RawAddr(r) => {
                let span = span();
                let m = match r.mutability {
                    syn::PointerMutability::Mut(_) => Mutability::Mut,
                    syn::PointerMutability::Const(_) => Mutability::Not,
                };
                let place = self.check_expr(&r.expr, Exp::None)?;
                let place = self.place(place);
                if m == Mutability::Mut {
                    self.make_mut(place);
                }
                let ty = Ty::new(TyKind::RawPtr(m, self.ty(place)));
                Ok(self.node(ExprKind::RawBorrow { mutability: m, place }, ty, span))
            }
            syn::Expr::Cast(c) => self.check_cast(c),
            syn::Expr::Tuple(t) => self.check_tuple(t, exp),
            syn::Expr::Array(a) => self.check_array(a, exp),
            syn::Expr::Repeat(r) => self.check_repeat(r, exp),
            syn::Expr::Struct(s) => self.check_struct(s, exp),
            syn::Expr::Closure(c) => self.check_closure(c, exp),
            syn::Expr::Range(r) => self.check_range(r),
            syn::Expr::Let(l) => self.check_let_condition(l),
            syn::Expr::Macro(m) => self.check_macro_expr(&m.mac, exp, span()),
            syn::Expr::Const(c) => self.check_block_expr(&c.block, None, exp),
            syn::Expr::Async(_) | syn::Expr::Await(_) => {
                let span = span();
                Ok(self.unsupported(span, "`async` code", "make it synchronous"))
            }
            // a lone semicolon
            syn::Expr::Verbatim(tokens) if tokens.is_empty() => {
                let span = span();
                Ok(self.unit(span))
            }
            _ => {
                let span = span();
                Ok(self.unsupported(span, "this expression", "write it with stable Rust's expressions"))
            }
        }
    }

    // ---- literals ---------------------------------------------------------------------------------------------------

    /// A literal, negated if `negative`.
    pub(super) fn check_literal(
        &mut self,
        l: &syn::ExprLit,
        exp: Exp,
        negative: bool,
        span: Span,
    ) -> R<ExprId> {
        let (lit, ty) = match &l.lit {
            syn::Lit::Bool(b) => (Lit::Bool(b.value), Ty::bool()),
            syn::Lit::Char(c) => (Lit::Char(c.value()), Ty::new(TyKind::Char)),
            syn::Lit::Byte(b) => (Lit::Int(b.value() as u128), Ty::int(IntTy::U8)),
            syn::Lit::Str(s) => (Lit::Str(Name::new(&s.value())), Ty::shared_ref(Ty::new(TyKind::Str))),
            syn::Lit::ByteStr(s) => {
                let bytes: std::rc::Rc<[u8]> = s.value().into();
                let len = Ty::new(TyKind::Const(bytes.len() as u128));
                let array = Ty::new(TyKind::Array(Ty::int(IntTy::U8), len));
                (Lit::Bytes(bytes), Ty::shared_ref(array))
            }
            syn::Lit::Int(i) => return Ok(self.integer_literal(i, exp, negative, span)),
            syn::Lit::Float(f) => {
                return Ok(self.float_literal(f.base10_digits(), f.suffix(), exp, negative, span));
            }
            _ => return Ok(self.unsupported(span, "this kind of literal", "use another")),
        };
        if negative {
            let d = Diagnostic::new(Code::BadOperand, span, "only numbers can be negated")
                .label("unary `-` on a literal that is no number");
            self.report(d);
            return Ok(self.error_node(span));
        }
        Ok(self.node(ExprKind::Literal(lit), ty, span))
    }

    fn integer_literal(&mut self, i: &syn::LitInt, exp: Exp, negative: bool, span: Span) -> ExprId {
        if matches!(i.suffix(), "f32" | "f64") {
            return self.float_literal(i.base10_digits(), i.suffix(), exp, negative, span);
        }
        let Ok(value) = i.base10_digits().parse::<u128>() else {
            self.report(
                Diagnostic::new(Code::Syntax, span, "this integer is too large").label("above 2^128"),
            );
            return self.error_node(span);
        };
        let ty = match IntTy::ALL.into_iter().find(|t| t.name() == i.suffix()) {
            Some(t) => Ty::int(t),
            None => match exp.hint().map(|t| *self.icx.shallow(t).kind()) {
                Some(TyKind::Int(t)) => Ty::int(t),
                Some(TyKind::Char) if matches!(exp, Exp::Cast(_)) => Ty::int(IntTy::U8),
                Some(TyKind::RawPtr(..) | TyKind::FnPtr(_)) if matches!(exp, Exp::Cast(_)) => Ty::usize(),
                _ => self.int_var(),
            },
        };
        // masked to its type's width when that is known for good
        let value = if negative { value.wrapping_neg() } else { value };
        self.node(ExprKind::Literal(Lit::Int(value)), ty, span)
    }

    fn float_literal(&mut self, digits: &str, suffix: &str, exp: Exp, negative: bool, span: Span) -> ExprId {
        let ty = match suffix {
            "f32" => Ty::new(TyKind::Float(FloatTy::F32)),
            "f64" => Ty::new(TyKind::Float(FloatTy::F64)),
            _ => match exp.hint().map(|t| self.icx.shallow(t)) {
                Some(t) if matches!(t.kind(), TyKind::Float(_)) => t,
                _ => self.icx.fresh_kind(InferKind::Float),
            },
        };
        // kept as text until the type is known: f32 is rounded once, from the decimal digits
        let text = if negative { format!("-{digits}") } else { digits.to_string() };
        self.node(ExprKind::Literal(Lit::Str(Name::new(&text))), ty, span)
    }

    // ---- simple compounds -------------------------------------------------------------------------------------------

    fn check_assign(&mut self, a: &syn::ExprAssign) -> R<ExprId> {
        let span = spans::expr(&self.prog.sources, &a.left).to(spans::expr(&self.prog.sources, &a.right));
        match strip(&a.left) {
            syn::Expr::Infer(_) => {
                let value = self.check_value(&a.right, Exp::None)?;
                let value = self.place(value);
                let wild = self.body.expr(value).ty;
                let pat = self.pat_node(PatKind::Wild, wild, span);
                let stmts = vec![Stmt::Let { pat, init: Some(value), els: None, span }];
                let block = self.block_node(Block { stmts, tail: None, label: None });
                return Ok(self.node(ExprKind::Block(block), Ty::unit(), span));
            }
            syn::Expr::Tuple(_) | syn::Expr::Array(_) | syn::Expr::Call(_) | syn::Expr::Struct(_) => {
                return self.destructuring_assign(a, span, Exp::None);
            }
            _ => {}
        }
        let place = self.check_expr(&a.left, Exp::None)?;
        self.expect_place(place, "assigned to");
        let place = self.place(place);
        self.make_mut(place);
        let ty = self.body.expr(place).ty;
        let value = self.check_coerced(&a.right, ty)?;
        Ok(self.node(ExprKind::Assign { place, value }, Ty::unit(), span))
    }

    /// `(a, b) = value` is `{ let (x, y) = value; a = x; b = y; }`.
    fn destructuring_assign(&mut self, a: &syn::ExprAssign, span: Span, exp: Exp) -> R<ExprId> {
        let mut leaves = Vec::new();
        let Some(pat) = assignee_pattern(&a.left, &mut leaves) else {
            return Ok(self.unsupported(
                span,
                "this left side of an assignment",
                "bind the parts with `let` first",
            ));
        };
        let value = &a.right;
        let (names, places): (Vec<_>, Vec<_>) = leaves.into_iter().unzip();
        let block: syn::Expr = syn::parse_quote!({ let #pat = #value; #(#places = #names;)* });
        self.check_expr(&block, exp)
    }

    fn check_reference(&mut self, r: &syn::ExprReference, exp: Exp) -> R<ExprId> {
        let span = self.span(r.and_token.span).to(spans::expr(&self.prog.sources, &r.expr));
        let m = if r.mutability.is_some() { Mutability::Mut } else { Mutability::Not };
        // `&expr` where `&T` is wanted: `T` is wanted of the expression, unless it is unsized
        let inner = match exp.has().map(|t| *self.icx.shallow(t).kind()) {
            Some(TyKind::Ref(_, t))
                if !matches!(
                    self.icx.shallow(t).kind(),
                    TyKind::Slice(_) | TyKind::Str | TyKind::Dyn(..)
                ) =>
            {
                // a place is borrowed as it is; only values are made for their place
                if is_place_syntax(&r.expr) { Exp::None } else { Exp::Has(t) }
            }
            Some(TyKind::Ref(_, t)) => match (strip(&r.expr), *self.icx.shallow(t).kind()) {
                (syn::Expr::Closure(_), TyKind::Dyn(..)) => Exp::Cast(t),
                (syn::Expr::Array(_), TyKind::Slice(elem)) => {
                    let len = self.fresh();
                    Exp::Has(Ty::new(TyKind::Array(elem, len)))
                }
                _ => Exp::None,
            },
            _ => Exp::None,
        };
        let place = self.check_expr(&r.expr, inner)?;
        Ok(self.borrow(m, place, span))
    }

    fn check_cast(&mut self, c: &syn::ExprCast) -> R<ExprId> {
        let span = spans::expr(&self.prog.sources, &c.expr).to(self.span(type_end(&c.ty)));
        let ty = self.lower_ty(&c.ty);
        let value = self.check_value(&c.expr, Exp::Cast(ty))?;
        let id = self.node(ExprKind::Cast { kind: CastKind::Numeric, value }, ty, span);
        self.casts.push(id);
        Ok(id)
    }

    fn check_tuple(&mut self, t: &syn::ExprTuple, exp: Exp) -> R<ExprId> {
        let span = self.span(t.paren_token.span.open()).to(self.span(t.paren_token.span.close()));
        let wanted: Vec<Ty> = match exp.has().map(|t| *self.icx.shallow(t).kind()) {
            Some(TyKind::Tuple(list)) if list.len() == t.elems.len() => list.to_vec(),
            _ => Vec::new(),
        };
        let (mut ids, mut types) = (Vec::new(), Vec::new());
        for (i, e) in t.elems.iter().enumerate() {
            let id = match wanted.get(i) {
                Some(w) => {
                    let id = self.check_outlining(e, *w)?;
                    let id = self.value(id);
                    self.try_coerce(id, *w).unwrap_or(id)
                }
                None => self.check_value(e, Exp::None)?,
            };
            types.push(self.body.expr(id).ty);
            ids.push(id);
        }
        Ok(self.node(ExprKind::Tuple(ids), Ty::tuple(&types), span))
    }

    fn check_array(&mut self, a: &syn::ExprArray, exp: Exp) -> R<ExprId> {
        let span = self.span(a.bracket_token.span.open()).to(self.span(a.bracket_token.span.close()));
        let wanted = match exp.has().map(|t| *self.icx.shallow(t).kind()) {
            Some(TyKind::Array(t, _) | TyKind::Slice(t)) => Some(t),
            _ => None,
        };
        let mut many = super::coerce::CoerceMany::new(wanted);
        let mut ids = Vec::new();
        for e in &a.elems {
            let target = many.merged.or(wanted);
            let id = match target {
                Some(t) => self.check_outlining(e, t)?,
                None => self.check_expr(e, Exp::None)?,
            };
            ids.push(self.merge(&mut many, id));
        }
        let elem = if ids.is_empty() {
            wanted.unwrap_or_else(|| self.fresh())
        } else {
            self.close_many(&many, &mut ids)
        };
        let len = Ty::new(TyKind::Const(ids.len() as u128));
        Ok(self.node(ExprKind::Array(ids), Ty::new(TyKind::Array(elem, len)), span))
    }

    fn check_repeat(&mut self, r: &syn::ExprRepeat, exp: Exp) -> R<ExprId> {
        let span = self.span(r.bracket_token.span.open()).to(self.span(r.bracket_token.span.close()));
        let wanted = match exp.has().map(|t| *self.icx.shallow(t).kind()) {
            Some(TyKind::Array(t, _)) => Some(t),
            _ => None,
        };
        let value = match wanted {
            Some(t) => self.check_coerced(&r.expr, t)?,
            None => self.check_value(&r.expr, Exp::None)?,
        };
        let len = self.tycx.length(&r.len);
        let errors = std::mem::take(&mut *self.tycx.errors.borrow_mut());
        errors.into_iter().for_each(|e| self.report(e));
        let ty = Ty::new(TyKind::Array(self.body.expr(value).ty, len));
        Ok(self.node(ExprKind::Repeat { value }, ty, span))
    }

    fn check_struct(&mut self, s: &syn::ExprStruct, exp: Exp) -> R<ExprId> {
        let span = spans::expr(&self.prog.sources, &syn::Expr::Struct(s.clone()));
        let Some((ty, variant)) = self.struct_path(s.qself.as_ref(), &s.path)? else {
            return Ok(self.error_node(span));
        };
        let TyKind::Adt(adt, _) = *ty.kind() else { return Ok(self.error_node(span)) };
        let def = self.prog.adt(adt);
        if self.prog.report_item(crate::resolve::Def::Adt(adt)) {
            return Ok(self.error_node(span));
        }
        if def.opaque.is_some() || def.variants.is_empty() {
            return self.opaque(span, format!("the fields of `{}`", def.path));
        }
        // what is wanted of the whole tells the arguments
        if let Some(t) = exp.has() {
            self.icx.attempt(|| self.icx.unify(ty, t));
        }
        let v = &def.variants[variant.index()];
        let mut fields = Vec::new();
        for f in &s.fields {
            let name = match &f.member {
                syn::Member::Named(i) => plain_name(i),
                syn::Member::Unnamed(i) => Name::new(&i.index.to_string()),
            };
            let Some(idx) = v.field(&name) else {
                let known: Vec<&str> = v.fields.iter().map(|f| f.name.as_str()).collect();
                self.report(
                    Diagnostic::new(
                        Code::UnknownField,
                        spans::expr(&self.prog.sources, &f.expr),
                        format!("`{}` has no field `{name}`", def.path),
                    )
                    .label("unknown field")
                    .help(format!("its fields are: {}", known.join(", "))),
                );
                continue;
            };
            let fty = self.variant_field_ty(ty, variant, idx);
            let value = self.check_coerced(&f.expr, fty)?;
            fields.push((idx, value));
        }
        let base = match &s.rest {
            Some(e) => {
                let base = self.check_expr(e, Exp::Has(ty))?;
                let base = self.place(base);
                let base_ty = self.body.expr(base).ty;
                if !self.icx.unify(base_ty, ty) {
                    let base = self.value(base);
                    self.coerce_to(base, ty);
                }
                Some(base)
            }
            None => {
                let missing: Vec<&str> = v
                    .fields
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| fields.iter().all(|(f, _)| f.index() != *i))
                    .map(|(_, f)| f.name.as_str())
                    .collect();
                if !missing.is_empty() {
                    self.report(
                        Diagnostic::new(
                            Code::UnknownField,
                            span,
                            format!("missing fields: {}", missing.join(", ")),
                        )
                        .label(format!("in this value of `{}`", def.path))
                        .help("give each field a value, or `..base`"),
                    );
                }
                None
            }
        };
        Ok(self.node(ExprKind::Adt { adt, variant, fields, base }, ty, span))
    }

    fn check_range(&mut self, r: &syn::ExprRange) -> R<ExprId> {
        let span = spans::expr(&self.prog.sources, &syn::Expr::Range(r.clone()));
        let closed = matches!(r.limits, syn::RangeLimits::Closed(_));
        let start = r.start.as_ref().map(|e| self.check_value(e, Exp::None)).transpose()?;
        let end = match (&r.end, start) {
            (Some(e), Some(s)) => {
                let t = self.ty(s);
                let id = self.check_expr(e, Exp::Has(t))?;
                Some(self.coerce_to(id, t))
            }
            (Some(e), None) => Some(self.check_value(e, Exp::None)?),
            (None, _) => None,
        };
        let name = match (start, end, closed) {
            (Some(_), Some(_), false) => "Range",
            (Some(_), Some(_), true) => "RangeInclusive",
            (Some(_), None, _) => "RangeFrom",
            (None, Some(_), false) => "RangeTo",
            (None, Some(_), true) => "RangeToInclusive",
            (None, None, _) => "RangeFull",
        };
        let Some(adt) = self.prog.lang_adt(name) else { return Ok(self.error_node(span)) };
        let mut args = Vec::new();
        if let Some(id) = start.or(end) {
            args.push(self.body.expr(id).ty);
        }
        let ty = Ty::adt(adt, &args);
        let def = &self.prog.adt(adt).variants[0];
        let mut fields = Vec::new();
        for (name, value) in [("start", start), ("end", end)] {
            if let (Some(v), Some(f)) = (value, def.field(name)) {
                fields.push((f, v));
            }
        }
        if let Some(f) = def.field("exhausted") {
            let no = self.node(ExprKind::Literal(Lit::Bool(false)), Ty::bool(), span);
            fields.push((f, no));
        }
        let kind = ExprKind::Adt { adt, variant: VariantIdx(0), fields, base: None };
        Ok(self.node(kind, ty, span))
    }

    /// A unit or tuple constructor named as a value.
    pub(super) fn ctor_value(&mut self, ty: Ty, v: VariantIdx, span: Span) -> R<ExprId> {
        let TyKind::Adt(adt, args) = *ty.kind() else { return Ok(self.error_node(span)) };
        if self.prog.report_item(crate::resolve::Def::Adt(adt)) {
            return Ok(self.error_node(span));
        }
        let def = self.prog.adt(adt);
        let Some(variant) = def.variants.get(v.index()) else { return Ok(self.error_node(span)) };
        match (variant.ctor, variant.ctor_fn) {
            (CtorKind::Unit, _) => {
                let kind = ExprKind::Adt { adt, variant: v, fields: Vec::new(), base: None };
                Ok(self.node(kind, ty, span))
            }
            (CtorKind::Tuple, Some(id)) => {
                let fty = Ty::new(TyKind::FnDef(id, args));
                Ok(self.node(ExprKind::FnItem { id, args }, fty, span))
            }
            _ => {
                let what = if def.kind == AdtKind::Struct { "struct" } else { "variant" };
                self.report(
                    Diagnostic::new(Code::UnresolvedName, span, format!("`{}` is no value", variant.name))
                        .label(format!("this {what} has named fields"))
                        .help("write `Name { field: value }`"),
                );
                Ok(self.error_node(span))
            }
        }
    }
}

/// The pattern that takes a value apart for the left side of an assignment, with a variable for each place in it.
fn assignee_pattern(e: &syn::Expr, leaves: &mut Vec<(syn::Ident, syn::Expr)>) -> Option<syn::Pat> {
    use quote::{ToTokens, format_ident, quote};
    let list = |elems: &syn::punctuated::Punctuated<syn::Expr, syn::Token![,]>,
                leaves: &mut Vec<(syn::Ident, syn::Expr)>| {
        elems.iter().map(|e| assignee_pattern(e, leaves)).collect::<Option<Vec<_>>>()
    };
    let tokens = match strip(e) {
        syn::Expr::Infer(_) => quote!(_),
        syn::Expr::Range(r) if r.start.is_none() && r.end.is_none() => quote!(..),
        syn::Expr::Tuple(t) => {
            let parts = list(&t.elems, leaves)?;
            quote!((#(#parts,)*))
        }
        syn::Expr::Array(a) => {
            let parts = list(&a.elems, leaves)?;
            quote!([#(#parts),*])
        }
        syn::Expr::Call(c) => {
            let syn::Expr::Path(path) = strip(&c.func) else { return None };
            let parts = list(&c.args, leaves)?;
            quote!(#path(#(#parts),*))
        }
        syn::Expr::Struct(s) => {
            let path = &s.path;
            let mut fields = Vec::new();
            for f in &s.fields {
                let (member, pat) = (&f.member, assignee_pattern(&f.expr, leaves)?);
                fields.push(quote!(#member: #pat));
            }
            if s.rest.is_some() {
                return None;
            }
            if s.dot2_token.is_some() {
                fields.push(quote!(..));
            }
            quote!(#path { #(#fields),* })
        }
        place => {
            // no name of the source is like this
            let name = format_ident!("lhs{}\u{1c3}a", leaves.len());
            leaves.push((name.clone(), place.clone()));
            name.to_token_stream()
        }
    };
    syn::parse::Parser::parse2(syn::Pat::parse_multi, tokens).ok()
}

/// The expression inside parentheses and invisible groups.
pub(super) fn strip(e: &syn::Expr) -> &syn::Expr {
    match e {
        syn::Expr::Paren(p) => strip(&p.expr),
        syn::Expr::Group(g) => strip(&g.expr),
        other => other,
    }
}

fn is_place_syntax(e: &syn::Expr) -> bool {
    match strip(e) {
        syn::Expr::Path(_) | syn::Expr::Field(_) | syn::Expr::Index(_) => true,
        syn::Expr::Unary(u) => matches!(u.op, syn::UnOp::Deref(_)),
        _ => false,
    }
}

fn type_end(t: &syn::Type) -> proc_macro2::Span {
    match t {
        syn::Type::Path(p) => {
            p.path.segments.last().map_or_else(proc_macro2::Span::call_site, |s| s.ident.span())
        }
        other => syn::spanned::Spanned::span(other),
    }
}
