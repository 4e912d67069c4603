//! Outlining: code that cannot be typed becomes a function of its own in the glue, if what goes in and comes out is known.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Ident};

use super::solve::Answer;
use super::{FnCx, Opaque, R, expr::strip, spans};
use crate::expand::unmarked;
use crate::names::Name;
use crate::thir::*;
use crate::ty::{Mutability, Ty, TyKind};

/// How outlined code uses a variable.
#[derive(Clone, Copy, Default, Debug)]
struct Use {
    moved: bool,
    borrowed: bool,
    mutated: bool,
    receiver: bool,
    in_macro: bool,
}

/// Finds uses of variables and jumps out of the code.
struct Uses<'c, 'p> {
    cx: &'c FnCx<'p>,
    found: Vec<(LocalId, Use)>,
    jumps: bool,
    loops: u32,
    closures: u32,
}

impl Uses<'_, '_> {
    fn note(&mut self, ident: &Ident, f: impl FnOnce(&mut Use)) {
        let Some((_, local)) = self.cx.token_local(ident) else { return };
        let at = match self.found.iter().position(|(l, _)| *l == local) {
            Some(i) => i,
            None => {
                self.found.push((local, Use::default()));
                self.found.len() - 1
            }
        };
        f(&mut self.found[at].1);
    }

    /// The variable a place begins with, and whether it is the variable itself.
    fn base(e: &Expr) -> Option<(&Ident, bool)> {
        match strip(e) {
            Expr::Path(p) if p.qself.is_none() => p.path.get_ident().map(|i| (i, true)),
            Expr::Field(f) => Self::base(&f.base).map(|(i, _)| (i, false)),
            Expr::Index(f) => Self::base(&f.expr).map(|(i, _)| (i, false)),
            _ => None,
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for t in tokens {
            match t {
                TokenTree::Ident(i) => self.note(&i, |u| {
                    u.moved = true;
                    u.in_macro = true;
                }),
                TokenTree::Group(g) => self.tokens(g.stream()),
                _ => {}
            }
        }
    }
}

impl<'a> Visit<'a> for Uses<'_, '_> {
    fn visit_expr(&mut self, e: &'a Expr) {
        match e {
            Expr::Path(p) => {
                if let Some(i) = p.path.get_ident() {
                    self.note(i, |u| u.moved = true);
                }
            }
            Expr::Reference(r) => match Self::base(&r.expr) {
                Some((i, _)) => {
                    let mutable = r.mutability.is_some();
                    self.note(i, |u| if mutable { u.mutated = true } else { u.borrowed = true });
                    if let Expr::Index(x) = strip(&r.expr) {
                        self.visit_expr(&x.index);
                    }
                }
                None => visit::visit_expr(self, e),
            },
            Expr::Assign(a) => {
                match Self::base(&a.left) {
                    Some((i, _)) => self.note(i, |u| u.mutated = true),
                    None => self.visit_expr(&a.left),
                }
                self.visit_expr(&a.right);
            }
            Expr::MethodCall(m) => {
                match Self::base(&m.receiver) {
                    Some((i, _)) => self.note(i, |u| u.receiver = true),
                    None => self.visit_expr(&m.receiver),
                }
                m.args.iter().for_each(|a| self.visit_expr(a));
            }
            Expr::Field(_) | Expr::Index(_) if Self::base(e).is_some() => {
                if let Some((i, _)) = Self::base(e) {
                    self.note(i, |u| u.borrowed = true);
                }
                if let Expr::Index(x) = e {
                    self.visit_expr(&x.index);
                }
            }
            Expr::Return(_) | Expr::Try(_) if self.closures == 0 => self.jumps = true,
            Expr::Break(_) | Expr::Continue(_) if self.loops == 0 && self.closures == 0 => self.jumps = true,
            Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => {
                self.loops += 1;
                visit::visit_expr(self, e);
                self.loops -= 1;
            }
            Expr::Closure(_) => {
                self.closures += 1;
                visit::visit_expr(self, e);
                self.closures -= 1;
            }
            _ => visit::visit_expr(self, e),
        }
    }

    fn visit_macro(&mut self, m: &'a syn::Macro) {
        self.tokens(m.tokens.clone());
    }
}

/// Replaces captured variables by their parameters.
struct Rename<'a> {
    names: &'a [(Name, Ident, bool)],
}

impl VisitMut for Rename<'_> {
    fn visit_expr_mut(&mut self, e: &mut Expr) {
        if let Expr::Path(p) = e
            && let Some(i) = p.path.get_ident()
        {
            let text = i.to_string();
            if let Some((_, to, by_ref)) = self.names.iter().find(|(n, ..)| *n == text.as_str()) {
                let to = to.clone();
                *e = if *by_ref { syn::parse_quote!((*#to)) } else { syn::parse_quote!(#to) };
                return;
            }
        }
        visit_mut::visit_expr_mut(self, e);
    }
}

/// Code with control flow of its own is followed, not outlined as a whole.
pub(super) fn block_like(e: &Expr) -> bool {
    matches!(
        e,
        Expr::Block(_)
            | Expr::If(_)
            | Expr::Match(_)
            | Expr::Loop(_)
            | Expr::While(_)
            | Expr::ForLoop(_)
            | Expr::Unsafe(_)
            | Expr::Let(_)
            | Expr::Return(_)
            | Expr::Break(_)
            | Expr::Continue(_)
    )
}

impl FnCx<'_> {
    /// Outlines an expression of known type, or passes the reason on.
    pub(super) fn outline_expr(&mut self, e: &Expr, ty: Ty, o: Box<Opaque>) -> R<ExprId> {
        let ty = self.structural(ty);
        let ty = self.icx.resolve(ty);
        if ty.flags().has_infer || ty.flags().has_error || ty.flags().has_param || block_like(strip(e)) {
            return Err(o);
        }
        let mut uses = Uses { cx: self, found: Vec::new(), jumps: false, loops: 0, closures: 0 };
        uses.visit_expr(e);
        if uses.jumps {
            let help = "it contains `?` or a jump, so it cannot be moved out of the function as a whole: bind the part that cannot be seen to a variable of written type".to_string();
            return Err(Box::new(Opaque { help, ..*o }));
        }
        let found = uses.found;
        let span = spans::expr(&self.prog.sources, e);
        let (mut captures, mut names) = (Vec::new(), Vec::new());
        for (local, u) in found {
            let known = self.icx.resolve(self.body.local(local).ty);
            if known.flags().has_infer || known.flags().has_param {
                return Err(o);
            }
            let Some((mode, value)) = self.capture_for_outline(local, known, u, span) else { return Err(o) };
            let text = self.body.local(local).name;
            let param =
                if text == "self" { format_ident!("__self") } else { format_ident!("{}", unmarked(&text)) };
            if u.in_macro && (mode != CaptureMode::Value || text == "self") {
                return Err(o);
            }
            names.push((self.name_of(local), param.clone(), mode != CaptureMode::Value));
            captures.push(OutlinedCapture { name: Name::new(&param.to_string()), mode, value });
        }
        let mut code = e.clone();
        Rename { names: &names }.visit_expr_mut(&mut code);
        let tokens = unmark(code.to_token_stream());
        Ok(self.outlined(captures, tokens, ty, o.what, span))
    }

    /// Outlines a statement: its value is dropped, so its type need not be known.
    pub(super) fn outline_stmt(&mut self, e: &Expr, o: Box<Opaque>) -> R<ExprId> {
        if block_like(strip(e)) {
            return Err(o);
        }
        let block: Expr = syn::parse_quote!({ #e; });
        let wrapped = syn::Expr::Group(syn::ExprGroup {
            attrs: Vec::new(),
            group_token: Default::default(),
            expr: Box::new(block),
        });
        // the block made here is no control flow of the source's
        let as_tuple: Expr = syn::parse_quote!((#wrapped, ()).1);
        let span = spans::expr(&self.prog.sources, e);
        let id = self.outline_expr(&as_tuple, Ty::unit(), o)?;
        self.body.exprs[id.index()].span = span;
        Ok(id)
    }

    /// The marked name a local is found by.
    fn name_of(&self, local: LocalId) -> Name {
        self.names
            .iter()
            .rev()
            .find_map(|n| match n {
                super::InScope::Local(name, id) if *id == local => Some(*name),
                _ => None,
            })
            .unwrap_or(self.body.local(local).name)
    }

    fn capture_for_outline(
        &mut self,
        local: LocalId,
        ty: Ty,
        u: Use,
        span: crate::source::Span,
    ) -> Option<(CaptureMode, ExprId)> {
        let place = self.node(ExprKind::Local(local), ty, span);
        let mutable = self.body.local(local).mutable;
        if let TyKind::Ref(Mutability::Mut, inner) = *ty.kind() {
            let read = self.value(place);
            let target = self.node(ExprKind::Deref(read), inner, span);
            return Some((CaptureMode::Value, self.borrow(Mutability::Mut, target, span)));
        }
        if u.mutated || u.receiver && mutable {
            return Some((CaptureMode::Mut, self.borrow(Mutability::Mut, place, span)));
        }
        let copy = self.icx.implements(ty, "Copy") == Answer::Yes;
        if copy || u.moved {
            return Some((CaptureMode::Value, self.value(place)));
        }
        Some((CaptureMode::Shared, self.borrow(Mutability::Not, place, span)))
    }
}

/// Tokens as the source would spell them, without marks of hygiene.
pub(crate) fn unmark(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|t| match t {
            TokenTree::Ident(i) => {
                let text = i.to_string();
                match unmarked(&text) {
                    plain if plain != text && !text.starts_with("r#") => {
                        TokenTree::Ident(Ident::new(plain, i.span()))
                    }
                    _ => TokenTree::Ident(i),
                }
            }
            TokenTree::Group(g) => {
                let mut new = proc_macro2::Group::new(g.delimiter(), unmark(g.stream()));
                new.set_span(g.span());
                TokenTree::Group(new)
            }
            other => other,
        })
        .collect()
}
