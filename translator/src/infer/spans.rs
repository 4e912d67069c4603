//! Where an expression or pattern begins and ends, without turning it back into tokens.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, Stmt};

use crate::source::{self, SourceMap};

/// The whole expression's place in our own terms.
pub(crate) fn expr(sources: &SourceMap, e: &Expr) -> source::Span {
    let start = sources.span(start(e));
    let end = sources.span(end(e));
    if start.lo > end.lo { start } else { start.to(end) }
}

/// The whole pattern's place.
pub(crate) fn pat(sources: &SourceMap, p: &syn::Pat) -> source::Span {
    match p {
        syn::Pat::Ident(i) if i.subpat.is_none() => sources.span(i.ident.span()),
        syn::Pat::Wild(w) => sources.span(w.underscore_token.span),
        other => sources.span(other.span()),
    }
}

/// The whole statement's place.
pub(crate) fn stmt(sources: &SourceMap, s: &Stmt) -> source::Span {
    match s {
        Stmt::Expr(e, None) => expr(sources, e),
        Stmt::Expr(e, Some(semi)) => expr(sources, e).to(sources.span(semi.span)),
        Stmt::Local(l) => sources.span(l.let_token.span).to(sources.span(l.semi_token.span)),
        other => sources.span(other.span()),
    }
}

fn path_start(q: &Option<syn::QSelf>, p: &syn::Path) -> Span {
    match (q, p.leading_colon) {
        (Some(q), _) => q.lt_token.span,
        (None, Some(c)) => c.spans[0],
        (None, None) => p.segments.first().map_or_else(Span::call_site, |s| s.ident.span()),
    }
}

fn path_end(p: &syn::Path) -> Span {
    let Some(last) = p.segments.last() else { return Span::call_site() };
    match &last.arguments {
        syn::PathArguments::None => last.ident.span(),
        syn::PathArguments::AngleBracketed(a) => a.gt_token.span,
        syn::PathArguments::Parenthesized(a) => a.paren_token.span.close(),
    }
}

/// The first token's span.
pub(crate) fn start(e: &Expr) -> Span {
    match e {
        Expr::Array(e) => e.bracket_token.span.open(),
        Expr::Assign(e) => start(&e.left),
        Expr::Binary(e) => start(&e.left),
        Expr::Block(e) => e.label.as_ref().map_or(e.block.brace_token.span.open(), |l| l.name.apostrophe),
        Expr::Break(e) => e.break_token.span,
        Expr::Call(e) => start(&e.func),
        Expr::Cast(e) => start(&e.expr),
        Expr::Continue(e) => e.continue_token.span,
        Expr::Field(e) => start(&e.base),
        Expr::ForLoop(e) => e.label.as_ref().map_or(e.for_token.span, |l| l.name.apostrophe),
        Expr::Group(e) => start(&e.expr),
        Expr::If(e) => e.if_token.span,
        Expr::Index(e) => start(&e.expr),
        Expr::Let(e) => e.let_token.span,
        Expr::Lit(e) => e.lit.span(),
        Expr::Loop(e) => e.label.as_ref().map_or(e.loop_token.span, |l| l.name.apostrophe),
        Expr::Macro(e) => path_start(&None, &e.mac.path),
        Expr::Match(e) => e.match_token.span,
        Expr::MethodCall(e) => start(&e.receiver),
        Expr::Paren(e) => e.paren_token.span.open(),
        Expr::Path(e) => path_start(&e.qself, &e.path),
        Expr::Range(e) => match (&e.start, &e.limits) {
            (Some(s), _) => start(s),
            (None, syn::RangeLimits::HalfOpen(t)) => t.spans[0],
            (None, syn::RangeLimits::Closed(t)) => t.spans[0],
        },
        Expr::Reference(e) => e.and_token.span,
        Expr::Repeat(e) => e.bracket_token.span.open(),
        Expr::Return(e) => e.return_token.span,
        Expr::Struct(e) => path_start(&e.qself, &e.path),
        Expr::Try(e) => start(&e.expr),
        Expr::Tuple(e) => e.paren_token.span.open(),
        Expr::Unsafe(e) => e.unsafe_token.span,
        Expr::While(e) => e.label.as_ref().map_or(e.while_token.span, |l| l.name.apostrophe),
        other => other.span(),
    }
}

/// The last token's span.
pub(crate) fn end(e: &Expr) -> Span {
    match e {
        Expr::Array(e) => e.bracket_token.span.close(),
        Expr::Assign(e) => end(&e.right),
        Expr::Binary(e) => end(&e.right),
        Expr::Block(e) => e.block.brace_token.span.close(),
        Expr::Break(e) => match (&e.expr, &e.label) {
            (Some(v), _) => end(v),
            (None, Some(l)) => l.ident.span(),
            (None, None) => e.break_token.span,
        },
        Expr::Call(e) => e.paren_token.span.close(),
        Expr::Continue(e) => e.label.as_ref().map_or(e.continue_token.span, |l| l.ident.span()),
        Expr::Field(e) => match &e.member {
            syn::Member::Named(i) => i.span(),
            syn::Member::Unnamed(i) => i.span,
        },
        Expr::ForLoop(e) => e.body.brace_token.span.close(),
        Expr::Group(e) => end(&e.expr),
        Expr::If(e) => match &e.else_branch {
            Some((_, els)) => end(els),
            None => e.then_branch.brace_token.span.close(),
        },
        Expr::Index(e) => e.bracket_token.span.close(),
        Expr::Let(e) => end(&e.expr),
        Expr::Lit(e) => e.lit.span(),
        Expr::Loop(e) => e.body.brace_token.span.close(),
        Expr::Macro(e) => match &e.mac.delimiter {
            syn::MacroDelimiter::Paren(p) => p.span.close(),
            syn::MacroDelimiter::Brace(p) => p.span.close(),
            syn::MacroDelimiter::Bracket(p) => p.span.close(),
        },
        Expr::Match(e) => e.brace_token.span.close(),
        Expr::MethodCall(e) => e.paren_token.span.close(),
        Expr::Paren(e) => e.paren_token.span.close(),
        Expr::Path(e) => path_end(&e.path),
        Expr::Range(e) => match (&e.end, &e.limits) {
            (Some(s), _) => end(s),
            (None, syn::RangeLimits::HalfOpen(t)) => t.spans[1],
            (None, syn::RangeLimits::Closed(t)) => t.spans[2],
        },
        Expr::Reference(e) => end(&e.expr),
        Expr::Repeat(e) => e.bracket_token.span.close(),
        Expr::Return(e) => e.expr.as_ref().map_or(e.return_token.span, |v| end(v)),
        Expr::Struct(e) => e.brace_token.span.close(),
        Expr::Try(e) => e.question_token.span,
        Expr::Tuple(e) => e.paren_token.span.close(),
        Expr::Unary(e) => end(&e.expr),
        Expr::Unsafe(e) => e.block.brace_token.span.close(),
        Expr::While(e) => e.body.brace_token.span.close(),
        other => other.span(),
    }
}
