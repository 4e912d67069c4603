//! Macro calls in bodies: the crate's own, hints, and the standard ones, each by what it means.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use super::{Exp, FnCx, R};
use crate::diag::{Code, Diagnostic};
use crate::expand::{marked_name, unmarked};
use crate::infer::outline::unmark;
use crate::items::Origin;
use crate::load::cfg;
use crate::names::Name;
use crate::resolve::Def;
use crate::source::Span;
use crate::thir::*;
use crate::ty::{Mutability, Ty};

const DEPTH: u32 = 64;

/// The text of a condition in the message of its assertion: as rustc spells it on one line. What rustc breaks over several lines,
/// being wider than 78 columns, stays on one; arguments of macros have the spaces of formatted code.
fn shown_condition(condition: &Expr) -> String {
    let file: syn::File = syn::parse_quote!(
        fn f() {
            #condition;
        }
    );
    let text = prettyplease::unparse(&file);
    let (first, last) = (text.find('{').map_or(0, |at| at + 1), text.rfind('}').unwrap_or(text.len()));
    let mut shown = String::new();
    for line in text[first..last].trim().trim_end_matches(';').lines() {
        let line = line.trim();
        if line.starts_with(['.', ')', ']', '?']) || shown.ends_with(['(', '[']) {
            shown.truncate(shown.trim_end_matches(',').len());
        } else if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(line);
    }
    shown
}

/// The macros that are known without import.
const STANDARD_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "compile_error",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "include",
    "include_bytes",
    "include_str",
    "is_x86_feature_detected",
    "line",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "thread_local",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// The arguments of a formatting macro.
struct Format {
    text: syn::LitStr,
    args: Vec<(Option<Ident>, Expr)>,
}

fn parse_format(s: ParseStream<'_>) -> syn::Result<Format> {
    let text = s.parse()?;
    let mut args = Vec::new();
    while !s.is_empty() {
        s.parse::<Token![,]>()?;
        if s.is_empty() {
            break;
        }
        let name = if s.peek(syn::Ident) && s.peek2(Token![=]) && !s.peek2(Token![==]) {
            let n: Ident = s.parse()?;
            s.parse::<Token![=]>()?;
            Some(n)
        } else {
            None
        };
        args.push((name, s.parse()?));
    }
    Ok(Format { text, args })
}

/// Names used by `{name}` and `{:width$}` in a format string.
fn inline_names(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    let ident = |s: &str| {
        let end = s.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(s.len());
        let name = &s[..end];
        (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then(|| name.to_string())
    };
    while let Some(i) = rest.find('{') {
        rest = &rest[i + 1..];
        if let Some(r) = rest.strip_prefix('{') {
            rest = r;
            continue;
        }
        let end = rest.find('}').unwrap_or(rest.len());
        let hole = &rest[..end];
        out.extend(ident(hole));
        if let Some((_, spec)) = hole.split_once(':') {
            for part in spec.split('$').collect::<Vec<_>>().split_last().map_or(&[][..], |s| s.1) {
                let start = part.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |i| i + 1);
                out.extend(ident(&part[start..]));
            }
        }
        rest = &rest[end..];
    }
    out
}

impl FnCx<'_> {
    /// Expands one of the crate's macros; `None` if it is not one, or reported.
    pub(super) fn expand_here(&mut self, mac: &syn::Macro, span: Span) -> Option<TokenStream> {
        let Some(Def::Macro(id)) = self.prog.find_macro(self.tycx.scope, &mac.path) else { return None };
        if self.macro_depth == 0 {
            self.macro_use = Some(span);
        }
        let span = self.macro_use.unwrap_or(span);
        if self.macro_depth > DEPTH {
            self.report(
                Diagnostic::new(Code::Macro, span, "macro expansion does not end")
                    .label(format!("nested {DEPTH} deep"))
                    .help("a recursive macro needs a rule without recursion"),
            );
            return None;
        }
        self.prog.expand_macro(id, mac, span)
    }

    fn bad_expansion(&mut self, span: Span, e: &syn::Error) -> ExprId {
        let at = self.span(e.span());
        self.report(
            Diagnostic::new(Code::Macro, span, format!("the macro expands to something else: {e}"))
                .label("in this use")
                .related(at, "this token does not fit"),
        );
        self.error_node(span)
    }

    /// A macro as an expression.
    pub(super) fn check_macro_expr(&mut self, mac: &syn::Macro, exp: Exp, span: Span) -> R<ExprId> {
        match self.prog.find_macro(self.tycx.scope, &mac.path) {
            Some(Def::Hint(name)) => return Ok(self.hint_macro(mac, name, span)),
            Some(Def::Macro(_)) => {
                let Some(tokens) = self.expand_here(mac, span) else { return Ok(self.error_node(span)) };
                self.macro_depth += 1;
                let out = match syn::parse2::<Expr>(tokens.clone()) {
                    Ok(e) => self.check_expr(&e, exp),
                    Err(_) => match self.statements(tokens) {
                        Ok(block) => self.check_block_expr(&block, None, exp),
                        Err(e) => Ok(self.bad_expansion(span, &e)),
                    },
                };
                self.macro_depth -= 1;
                return out;
            }
            Some(Def::Foreign(p)) if !p.starts_with("std::") => {
                return self.opaque(span, format!("the macro `{p}!`"));
            }
            _ => {}
        }
        if self.is_unknown_macro(mac) {
            self.report(
                Diagnostic::new(
                    Code::UnknownMacro,
                    span,
                    format!("there is no macro `{}!`", self.path_text(&mac.path)),
                )
                .label("not defined here, and not imported")
                .help("define it above its use with `macro_rules!`, or import it"),
            );
            return Ok(self.error_node(span));
        }
        self.standard_macro(mac, exp, span)
    }

    /// Whether a macro is neither the standard library's nor one that may come from where the translator does not look.
    fn is_unknown_macro(&self, mac: &syn::Macro) -> bool {
        let standard = |name: &str| STANDARD_MACROS.contains(&name);
        !self.prog.unseen_items.get()
            && self.prog.scopes.origin(self.tycx.scope) == Origin::User
            && self.prog.find_macro(self.tycx.scope, &mac.path).is_none()
            && mac.path.segments.last().is_some_and(|s| !standard(unmarked(&s.ident.to_string())))
    }

    fn statements(&self, tokens: TokenStream) -> syn::Result<syn::Block> {
        let stmts = syn::Block::parse_within.parse2(tokens)?;
        let mut block = syn::Block { brace_token: Default::default(), stmts };
        cfg::strip_block(&mut block, self.prog.cfg_of(self.tycx.scope), &self.prog.sources, &self.prog.diags);
        Ok(block)
    }

    /// A macro as a statement; gives the block's value if it stands at the end without a semicolon.
    pub(super) fn check_macro_stmt(
        &mut self,
        m: &syn::StmtMacro,
        last: bool,
        exp: Exp,
        stmts: &mut Vec<Stmt>,
    ) -> R<Option<ExprId>> {
        let span = self.span(m.mac.path.segments[0].ident.span());
        if let Some(Def::Macro(_)) = self.prog.find_macro(self.tycx.scope, &m.mac.path) {
            let Some(tokens) = self.expand_here(&m.mac, span) else { return Ok(None) };
            let block = match self.statements(tokens) {
                Ok(b) => b,
                Err(e) => {
                    self.bad_expansion(span, &e);
                    return Ok(None);
                }
            };
            self.macro_depth += 1;
            let out = self.macro_stmts(&block, last && m.semi_token.is_none(), exp, stmts, span);
            self.macro_depth -= 1;
            return out;
        }
        let e = Expr::Macro(syn::ExprMacro { attrs: Vec::new(), mac: m.mac.clone() });
        if last && m.semi_token.is_none() {
            return match exp {
                Exp::Has(t) => self.check_outlining(&e, t).map(Some),
                _ => self.check_expr(&e, exp).map(Some),
            };
        }
        let id = self.check_statement(&e, Exp::None)?;
        stmts.push(Stmt::Expr(id));
        Ok(None)
    }

    /// The statements a macro expands to, in the block the macro stands in.
    fn macro_stmts(
        &mut self,
        b: &syn::Block,
        is_tail: bool,
        exp: Exp,
        stmts: &mut Vec<Stmt>,
        span: Span,
    ) -> R<Option<ExprId>> {
        for (i, s) in b.stmts.iter().enumerate() {
            let last = i + 1 == b.stmts.len();
            match s {
                syn::Stmt::Item(_) => {
                    self.unsupported(
                        span,
                        "a macro that declares items inside a function",
                        "declare them in the module",
                    );
                }
                syn::Stmt::Expr(e, None) if last && is_tail => {
                    return match exp {
                        Exp::Has(t) => self.check_outlining(e, t).map(Some),
                        _ => self.check_expr(e, exp).map(Some),
                    };
                }
                syn::Stmt::Macro(m) => {
                    if let Some(tail) = self.check_macro_stmt(m, last && is_tail, exp, stmts)? {
                        return Ok(Some(tail));
                    }
                }
                syn::Stmt::Expr(e, _) => {
                    let id = self.check_statement(e, Exp::None)?;
                    stmts.push(Stmt::Expr(id));
                }
                syn::Stmt::Local(_) => {
                    let one = syn::Block { brace_token: Default::default(), stmts: vec![s.clone()] };
                    let (mut new, _) = self.inline_block(&one)?;
                    stmts.append(&mut new);
                }
            }
        }
        Ok(None)
    }

    fn hint_macro(&mut self, mac: &syn::Macro, name: Name, span: Span) -> ExprId {
        let Some(id) = self.prog.lang_fn(&format!("hint_{name}")) else {
            self.report(
                Diagnostic::new(Code::HintUse, span, format!("`{name}` is no macro"))
                    .label("an attribute or function of this name exists"),
            );
            return self.error_node(span);
        };
        if !mac.tokens.is_empty() {
            self.report(
                Diagnostic::new(Code::HintUse, span, format!("`{name}!` takes no arguments"))
                    .label("remove them"),
            );
        }
        if self.closure.is_some() {
            let code = if name == "merge_point" { Code::MergePoint } else { Code::BackEdge };
            self.report(
                Diagnostic::new(code, span, format!("`{name}!` inside a closure"))
                    .label("a closure cannot continue the portal's loop")
                    .help("move it to the portal's own body"),
            );
        }
        let callee = Callee::Fn { id, args: &[] };
        self.node(ExprKind::Call { callee, args: Vec::new() }, Ty::unit(), span)
    }

    fn parsed<T>(&mut self, r: syn::Result<T>, span: Span) -> Option<T> {
        match r {
            Ok(t) => Some(t),
            Err(e) => {
                let at = self.span(e.span());
                self.report(
                    Diagnostic::new(Code::Macro, span, format!("malformed arguments: {e}"))
                        .label("in this use")
                        .related(at, "here"),
                );
                None
            }
        }
    }

    fn rewritten(&mut self, tokens: TokenStream, exp: Exp, span: Span) -> R<ExprId> {
        match syn::parse2::<Expr>(tokens) {
            Ok(e) => self.check_expr(&e, exp),
            Err(e) => Ok(self.bad_expansion(span, &e)),
        }
    }

    fn standard_macro(&mut self, mac: &syn::Macro, exp: Exp, span: Span) -> R<ExprId> {
        let Some(last) = mac.path.segments.last() else { return Ok(self.error_node(span)) };
        let name = unmarked(&last.ident.to_string()).to_string();
        let tokens = mac.tokens.clone();
        let at = last.ident.span();
        match name.as_str() {
            "println" | "print" | "eprintln" | "eprint" => self.format_macro(&name, tokens, Ty::unit(), span),
            "panic" | "unreachable" | "todo" | "unimplemented" => {
                self.format_macro(&name, tokens, Ty::never(), span)
            }
            "format" => match self.prog.lang_adt("String") {
                Some(s) => {
                    let (mark, ty) = (self.mark(), Ty::adt(s, &[]));
                    self.format_macro(&name, tokens, ty, span).or_else(|opaque| {
                        // Its type is known whatever its arguments are.
                        self.undo(mark);
                        let whole = syn::ExprMacro { attrs: Vec::new(), mac: mac.clone() };
                        self.outline_expr(&Expr::Macro(whole), ty, opaque)
                    })
                }
                None => Ok(self.error_node(span)),
            },
            "write" | "writeln" => self.write_macro(&name, tokens, exp, span),
            "assert" => {
                let parts = Punctuated::<TokenTreeList, Token![,]>::parse_terminated.parse2(tokens.clone());
                let Some(parts) = self.parsed(parts, span) else { return Ok(self.error_node(span)) };
                let mut parts = parts.into_iter().map(|p| p.0);
                let cond = parts.next().unwrap_or_default();
                let message: Vec<TokenStream> = parts.collect();
                let message = if message.is_empty() {
                    let Some(shown) = self.parsed(syn::parse2(unmark(cond.clone())), span) else {
                        return Ok(self.error_node(span));
                    };
                    let text = format!("assertion failed: {}", shown_condition(&shown));
                    let text = text.replace('{', "{{").replace('}', "}}");
                    quote_spanned!(at => #text)
                } else {
                    quote!(#(#message),*)
                };
                self.rewritten(quote_spanned!(at => if !(#cond) { panic!(#message) }), exp, span)
            }
            "assert_eq" | "assert_ne" => {
                let parts = Punctuated::<TokenTreeList, Token![,]>::parse_terminated.parse2(tokens);
                let Some(parts) = self.parsed(parts, span) else { return Ok(self.error_node(span)) };
                let parts: Vec<TokenStream> = parts.into_iter().map(|p| p.0).collect();
                let [a, b, rest @ ..] = parts.as_slice() else {
                    let e = syn::Error::new(at, "two values are compared");
                    self.parsed::<()>(Err(e), span);
                    return Ok(self.error_node(span));
                };
                let equal = name == "assert_eq";
                let (l, r) = (format_ident!("left_val\u{1c3}a"), format_ident!("right_val\u{1c3}a"));
                let sign = if equal { "==" } else { "!=" };
                let test = if equal { quote!(!(*#l == *#r)) } else { quote!(*#l == *#r) };
                let message = if rest.is_empty() {
                    let text =
                        format!("assertion `left {sign} right` failed\n  left: {{:?}}\n right: {{:?}}");
                    quote_spanned!(at => #text, *#l, *#r)
                } else {
                    let text =
                        format!("assertion `left {sign} right` failed: {{}}\n  left: {{:?}}\n right: {{:?}}");
                    quote_spanned!(at => #text, format!(#(#rest),*), *#l, *#r)
                };
                let code = quote_spanned!(at => match (&(#a), &(#b)) { (#l, #r) => { if #test { panic!(#message) } } });
                self.rewritten(code, exp, span)
            }
            "debug_assert" | "debug_assert_eq" | "debug_assert_ne" => {
                let plain = Ident::new(&name["debug_".len()..], at);
                self.rewritten(
                    quote_spanned!(at => if cfg!(debug_assertions) { #plain!(#tokens) }),
                    exp,
                    span,
                )
            }
            "matches" => {
                let parse = |s: ParseStream<'_>| {
                    let e: Expr = s.parse()?;
                    s.parse::<Token![,]>()?;
                    let rest: TokenStream = s.parse()?;
                    Ok((e, rest))
                };
                let Some((e, rest)) = self.parsed(parse.parse2(tokens), span) else {
                    return Ok(self.error_node(span));
                };
                let trees: Vec<TokenTree> = rest.into_iter().collect();
                let end = match trees.last() {
                    Some(TokenTree::Punct(p)) if p.as_char() == ',' => trees.len() - 1,
                    _ => trees.len(),
                };
                let pat: TokenStream = trees[..end].iter().cloned().collect();
                // In parentheses, as a struct's braces would begin the arms.
                self.rewritten(quote_spanned!(at => match (#e) { #pat => true, _ => false }), exp, span)
            }
            "__native" if self.prog.scopes.origin(self.tycx.scope) == Origin::Std => {
                self.native_macro(tokens, span)
            }
            "vec" => self.vec_macro(tokens, exp, at, span),
            "cfg" => {
                let parsed =
                    syn::parse2::<syn::Meta>(tokens).and_then(|m| self.prog.cfg_of(self.tycx.scope).eval(&m));
                let Some(value) = self.parsed(parsed, span) else { return Ok(self.error_node(span)) };
                Ok(self.node(ExprKind::Literal(Lit::Bool(value)), Ty::bool(), span))
            }
            "line" | "column" => {
                let at = self.prog.sources.line_col(span);
                let v = if name == "line" { at.line } else { at.column };
                let ty = Ty::int(crate::ty::IntTy::U32);
                Ok(self.node(ExprKind::Literal(Lit::Int(v as u128)), ty, span))
            }
            "stringify" => {
                let ty = Ty::shared_ref(Ty::new(crate::ty::TyKind::Str));
                Ok(self.node(ExprKind::Literal(Lit::Str(Name::new(&tokens.to_string()))), ty, span))
            }
            _ => self.opaque(span, format!("the macro `{name}!`")),
        }
    }

    /// `__native!([a, b] -> T { code })` in the core model: code that is called, with these variables by value.
    fn native_macro(&mut self, tokens: TokenStream, span: Span) -> R<ExprId> {
        let parse = |s: ParseStream<'_>| {
            let list;
            syn::bracketed!(list in s);
            let names = Punctuated::<Ident, Token![,]>::parse_terminated(&list)?;
            s.parse::<Token![->]>()?;
            let ty: syn::Type = s.parse()?;
            let code;
            syn::braced!(code in s);
            Ok((names, ty, code.parse::<TokenStream>()?))
        };
        let Some((names, ty, code)) = self.parsed(parse.parse2(tokens), span) else {
            return Ok(self.error_node(span));
        };
        let ty = self.lower_ty(&ty);
        let mut captures = Vec::new();
        for ident in &names {
            let Some(local) = self.find_local(ident) else { return Ok(self.error_node(span)) };
            let local_ty = self.body.local(local).ty;
            let place = self.node(ExprKind::Local(local), local_ty, span);
            let value = self.value(place);
            let name = Name::new(unmarked(&ident.to_string()));
            captures.push(OutlinedCapture { name, mode: CaptureMode::Value, value });
        }
        Ok(self.outlined(captures, unmark(code), ty, "it is std's own".into(), span))
    }

    /// `vec![…]`: a list's elements are typed here, the vector is made by outlined code; `vec![value; count]` is a call.
    fn vec_macro(&mut self, tokens: TokenStream, exp: Exp, at: proc_macro2::Span, span: Span) -> R<ExprId> {
        let Some(vec) = self.prog.lang_adt("Vec") else { return Ok(self.error_node(span)) };
        let wanted = match exp.has().map(|t| *self.icx.shallow(t).kind()) {
            Some(crate::ty::TyKind::Adt(id, args)) if id == vec => args.first().copied(),
            _ => None,
        };
        let repeat = |s: ParseStream<'_>| {
            let value: Expr = s.parse()?;
            s.parse::<Token![;]>()?;
            Ok((value, s.parse::<Expr>()?))
        };
        if let Ok((value, count)) = repeat.parse2(tokens.clone()) {
            return self.rewritten(quote_spanned!(at => ::std::vec::from_elem(#value, #count)), exp, span);
        }
        let list = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens);
        let Some(list) = self.parsed(list, span) else { return Ok(self.error_node(span)) };
        let elem = wanted.unwrap_or_else(|| self.fresh());
        let mut captures = Vec::new();
        let mut names = Vec::new();
        for e in &list {
            let value = self.check_coerced(e, elem)?;
            let name = format!("__{}", captures.len());
            names.push(format_ident!("{name}"));
            captures.push(OutlinedCapture { name: Name::new(&name), mode: CaptureMode::Value, value });
        }
        let code = quote!(vec![#(#names),*]);
        Ok(self.outlined(captures, code, Ty::adt(vec, &[elem]), "it allocates".into(), span))
    }

    /// A node of outlined code.
    pub(super) fn outlined(
        &mut self,
        captures: Vec<OutlinedCapture>,
        tokens: TokenStream,
        ty: Ty,
        reason: String,
        span: Span,
    ) -> ExprId {
        let scope = self.tycx.scope;
        let module = self.prog.scopes.path(self.prog.scopes.module_of(scope));
        let code = Outlined { captures, tokens, reason, module, scope, self_ty: self.tycx.self_ty };
        self.node(ExprKind::Outlined(std::rc::Rc::new(code)), ty, span)
    }

    fn capture_place(
        &mut self,
        place: ExprId,
        mode: Mutability,
        captures: &mut Vec<OutlinedCapture>,
    ) -> Ident {
        let span = self.span_at(place);
        let value = self.borrow(mode, place, span);
        let name = format_ident!("__{}", captures.len());
        let mode = if mode == Mutability::Mut { CaptureMode::Mut } else { CaptureMode::Shared };
        captures.push(OutlinedCapture { name: Name::new(&name.to_string()), mode, value });
        name
    }

    /// Formatting arguments, typed here and passed by reference; gives the tokens of the macro's arguments.
    fn format_args(&mut self, f: Format, captures: &mut Vec<OutlinedCapture>) -> R<TokenStream> {
        let text = &f.text;
        let mut code = text.to_token_stream();
        for (name, e) in &f.args {
            let id = self.check_expr(e, Exp::None)?;
            let var = self.capture_place(id, Mutability::Not, captures);
            match name {
                Some(n) => {
                    let n = Ident::new(unmarked(&n.to_string()), n.span());
                    code.extend(quote!(, #n = *#var));
                }
                None => code.extend(quote!(, *#var)),
            }
        }
        let mut done: Vec<String> = Vec::new();
        for name in inline_names(&text.value()) {
            let given =
                f.args.iter().any(|(n, _)| n.as_ref().is_some_and(|n| unmarked(&n.to_string()) == name));
            if given || done.contains(&name) {
                continue;
            }
            // the names are those where the text is written
            let ident = Ident::new(&name, text.span());
            let known = self.find_local(&ident).or_else(|| self.find_marked(&name));
            if let Some(local) = known {
                let ty = self.body.local(local).ty;
                let span = self.span(text.span());
                let place = self.node(ExprKind::Local(local), ty, span);
                let var = self.capture_place(place, Mutability::Not, captures);
                code.extend(quote!(, #ident = *#var));
            }
            done.push(name);
        }
        Ok(code)
    }

    /// A variable of a macro's definition by its plain name: a format string carries no mark.
    fn find_marked(&self, name: &str) -> Option<LocalId> {
        self.names.iter().rev().find_map(|n| match n {
            super::InScope::Local(known, id) if unmarked(known) == name => Some(*id),
            _ => None,
        })
    }

    fn format_macro(&mut self, name: &str, tokens: TokenStream, ty: Ty, span: Span) -> R<ExprId> {
        let ident = format_ident!("{name}");
        let mut captures = Vec::new();
        let code = if tokens.is_empty() {
            quote!(#ident!())
        } else {
            let parsed = parse_format.parse2(tokens);
            let Some(f) = self.parsed(parsed, span) else { return Ok(self.error_node(span)) };
            let args = self.format_args(f, &mut captures)?;
            quote!(#ident!(#args))
        };
        Ok(self.outlined(captures, code, ty, format!("`{name}!` is not followed"), span))
    }

    fn write_macro(&mut self, name: &str, tokens: TokenStream, exp: Exp, span: Span) -> R<ExprId> {
        let parse = |s: ParseStream<'_>| {
            let dest: Expr = s.parse()?;
            if s.parse::<Option<Token![,]>>()?.is_none() || s.is_empty() {
                return Ok((dest, None));
            }
            Ok((dest, Some(parse_format(s)?)))
        };
        let Some((dest, format)) = self.parsed(parse.parse2(tokens), span) else {
            return Ok(self.error_node(span));
        };
        let id = self.check_expr(&dest, Exp::None)?;
        let known = self.method_result(id, Name::new("write_fmt"));
        let ty = match known {
            Some(ty) => ty,
            None => match exp.has().map(|t| self.icx.resolve(t)).filter(|t| !t.flags().has_infer) {
                Some(ty) => ty,
                None => return self.opaque(span, format!("the result of `{name}!`")),
            },
        };
        let mut captures = Vec::new();
        let mut place = self.place(id);
        if let crate::ty::TyKind::Ref(..) = self.ty(place).kind() {
            place = self.deref_once(place).unwrap_or(place);
        }
        let target = self.capture_place(place, Mutability::Mut, &mut captures);
        let ident = format_ident!("{name}");
        let args = match format {
            Some(f) => {
                let args = self.format_args(f, &mut captures)?;
                quote!(, #args)
            }
            None => TokenStream::new(),
        };
        Ok(self.outlined(
            captures,
            quote!(#ident!(*#target #args)),
            ty,
            format!("`{name}!` is not followed"),
            span,
        ))
    }

    /// The local a single token names.
    pub(super) fn token_local(&self, t: &Ident) -> Option<(Name, LocalId)> {
        self.find_local(t).map(|l| (marked_name(t), l))
    }
}

/// Tokens up to the next comma.
struct TokenTreeList(TokenStream);

impl syn::parse::Parse for TokenTreeList {
    fn parse(s: ParseStream<'_>) -> syn::Result<Self> {
        // an expression where it parses as one: a comma may stand in its generic arguments
        let fork = s.fork();
        if fork.parse::<Expr>().is_ok()
            && (fork.is_empty() || fork.peek(Token![,]))
            && !(s.peek(syn::Ident) && s.peek2(Token![=]) && !s.peek2(Token![==]))
        {
            return Ok(TokenTreeList(s.parse::<Expr>()?.to_token_stream()));
        }
        let mut out = TokenStream::new();
        while !s.is_empty() && !s.peek(Token![,]) {
            out.extend([s.parse::<TokenTree>()?]);
        }
        Ok(TokenTreeList(out))
    }
}

#[cfg(test)]
mod tests {
    use super::shown_condition;

    /// The text is the one rustc gives the assertion compiled here.
    macro_rules! spelled {
        ($($condition:tt)*) => {{
            let ours = shown_condition(&syn::parse_str(stringify!($($condition)*)).expect("an expression"));
            let payload = std::panic::catch_unwind(|| assert!($($condition)*)).expect_err("it is false");
            let rustcs = payload.downcast_ref::<&str>().expect("a text");
            assert_eq!(Some(ours.as_str()), rustcs.strip_prefix("assertion failed: "));
        }};
    }

    #[test]
    #[rustfmt::skip]
    #[allow(clippy::all, unused_parens, unused_braces)]
    fn conditions_are_spelled_as_rustc_does() {
        let (x, v) = (1, [1, 2]);
        spelled!(x==2);
        spelled!( x  +1 ==  3 && {let y=3;y==4} );
        spelled!((x as u8)>3||!(v.len()==2));
        spelled!(match x {1=>false,_=>true});
        spelled!(v.iter().map(|x|x+1).any(|z| z==9));
        spelled!(/* a remark */ x ==
            5);
        spelled!(std::mem::size_of::<Vec::<u8>>()==1);
        spelled!(if x==1 {false}else{true});
        spelled!(!(v[0]==1) && -x<*&x);
        spelled!((0..2).contains(&v[1]));
        spelled!("a{b}"=="c\n");
        spelled!(matches!(x, 2 | 3));
        spelled!(Some(x)==None::<i32>);
        spelled!([x,2]==[3,4]||(x,2)==(5,6));
        spelled!(v.iter().map(|x| x + 1).filter(|x| *x > 17).any(|z| z == 9));
    }
}
