//! Portals: finding functions marked `#[jit::portal(…)]` and checking their form.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use metatrace_defs::hint::{Hint, HintForm};

use crate::diag::{Code, Diagnostic};
use crate::expand::plain_name;
use crate::items::{ModId, Origin, Portal};
use crate::program::Program;
use crate::resolve::Def;
use crate::source::Span;
use crate::ty::FnId;

/// Finds merge points and back-edge hints in a body.
struct Hints<'p> {
    prog: &'p Program,
    scope: ModId,
    merge_points: Vec<Span>,
    enters: Vec<Span>,
}

impl<'a> Visit<'a> for Hints<'_> {
    fn visit_macro(&mut self, m: &'a syn::Macro) {
        let Some(last) = m.path.segments.last() else { return };
        match self.prog.find_macro(self.scope, &m.path) {
            Some(Def::Hint(n)) if n == "merge_point" => {
                self.merge_points.push(self.prog.sources.span(last.ident.span()));
            }
            Some(Def::Hint(n)) if n == "can_enter_jit" => {
                self.enters.push(self.prog.sources.span(last.ident.span()));
            }
            _ => visit::visit_macro(self, m),
        }
    }
}

/// One `name = value` of the attribute.
struct Opt {
    name: syn::Ident,
    value: TokenStream,
}

fn parse_options(s: ParseStream<'_>) -> syn::Result<Vec<Opt>> {
    let mut out = Vec::new();
    while !s.is_empty() {
        let name: syn::Ident = s.parse()?;
        let mut value = TokenStream::new();
        if s.parse::<Option<syn::Token![=]>>()?.is_some() {
            while !s.is_empty() && !s.peek(syn::Token![,]) {
                value.extend([s.parse::<TokenTree>()?]);
            }
        }
        out.push(Opt { name, value });
        if !s.is_empty() {
            s.parse::<syn::Token![,]>()?;
        }
    }
    Ok(out)
}

impl Program {
    /// Finds and checks the portals of the user's crate.
    pub(crate) fn find_portals(&self) {
        let mut seen = false;
        for i in 0..self.fns.len() {
            let id = FnId::new(i);
            let Some(def) = self.fns.try_get(i) else { continue };
            if def.origin != Origin::User {
                continue;
            }
            let src = self.src.fns.get(i);
            for a in &src.attrs {
                if let Some(Ok(Hint::Portal)) = self.hint_attr(src.scope, a) {
                    seen = true;
                    if let Some(portal) = self.check_portal(id, a) {
                        self.portals.borrow_mut().push(portal);
                    }
                }
            }
        }
        if !seen && self.diags.is_empty() {
            self.diags.push(Diagnostic::nowhere(Code::NoPortal, "the crate has no portal").help(
                "mark the function with the interpreter's loop `#[jit::portal(owner = …, greens = […])]`",
            ));
        }
    }

    fn check_portal(&self, id: FnId, attr: &syn::Attribute) -> Option<Portal> {
        let src = self.src.fns.get(id.index());
        let def = self.fn_def(id);
        let span = self.sources.span(attr.path().span());
        let before = self.diags.len();
        let mut portal =
            Portal { id, greens: Vec::new(), owner: None, virtualizable: None, options: Vec::new(), span };
        let tokens = match &attr.meta {
            syn::Meta::List(l) => l.tokens.clone(),
            _ => TokenStream::new(),
        };
        match parse_options.parse2(tokens) {
            Ok(options) => options.into_iter().for_each(|o| self.portal_option(&mut portal, o)),
            Err(e) => self.diags.push(
                Diagnostic::new(
                    Code::PortalOption,
                    self.sources.span(e.span()),
                    format!("malformed option: {e}"),
                )
                .label("in the portal's attribute")
                .help("write `name = value`, separated by commas"),
            ),
        }
        for (a, name) in src.sig.inputs.iter().zip(&def.param_names) {
            if let syn::FnArg::Typed(t) = a
                && name == "_"
            {
                self.diags.push(
                    Diagnostic::new(
                        Code::PortalForm,
                        self.sources.span(t.pat.span()),
                        "a portal's parameters must be plain names",
                    )
                    .label("a pattern, whose parts the portal could not be entered with")
                    .help("name the parameter, and take it apart inside the loop"),
                );
            }
        }
        if let Some(owner) = portal.owner
            && !portal.greens.contains(&owner)
        {
            portal.greens.insert(0, owner);
        }
        self.portal_body(id);
        (self.diags.len() == before).then_some(portal)
    }

    fn portal_option(&self, portal: &mut Portal, o: Opt) {
        let def = self.fn_def(portal.id);
        let at = self.sources.span(o.name.span());
        let param = |tokens: TokenStream| -> Option<usize> {
            let span = tokens.clone().into_iter().next().map_or(at, |t| self.sources.span(t.span()));
            let name = tokens.to_string();
            let found = def.param_names.iter().position(|p| *p == name.as_str());
            if found.is_none() {
                let known: Vec<&str> = def.param_names.iter().map(|n| n.as_str()).collect();
                self.diags.push(
                    Diagnostic::new(
                        Code::PortalOption,
                        span,
                        format!("`{name}` is no parameter of the portal"),
                    )
                    .label("unknown parameter")
                    .help(format!("the parameters are: {}", known.join(", "))),
                );
            }
            found
        };
        let name = plain_name(&o.name);
        match name.as_str() {
            "owner" => portal.owner = param(o.value),
            "virtualizable" => portal.virtualizable = param(o.value),
            "greens" => {
                let group = o.value.into_iter().find_map(|t| match t {
                    TokenTree::Group(g) => Some(g),
                    _ => None,
                });
                let list = syn::punctuated::Punctuated::<syn::Ident, syn::Token![,]>::parse_terminated;
                let names = group.map(|g| list.parse2(g.stream()));
                let Some(Ok(names)) = names else {
                    self.diags.push(
                        Diagnostic::new(Code::PortalOption, at, "`greens` takes a list of parameters")
                            .label("malformed")
                            .help("write `greens = [pc]`"),
                    );
                    return;
                };
                for n in names {
                    portal.greens.extend(param(quote::ToTokens::into_token_stream(n)));
                }
            }
            _ if Hint::find(&name, HintForm::PortalOption).is_some() => {
                portal.options.push((name, o.value));
            }
            _ => {
                let known: Vec<&str> = Hint::ALL
                    .iter()
                    .filter(|h| h.form() == HintForm::PortalOption)
                    .map(|h| h.name())
                    .collect();
                self.diags.push(
                    Diagnostic::new(Code::PortalOption, at, format!("`{name}` is no option of a portal"))
                        .label("unknown option")
                        .help(format!("the options are: {}", known.join(", "))),
                );
            }
        }
    }

    /// The body is one `loop` that begins with the only merge point.
    fn portal_body(&self, id: FnId) {
        let src = self.src.fns.get(id.index());
        let Some(block) = &src.block else { return };
        let at = self.fn_def(id).span;
        let mut hints = Hints { prog: self, scope: src.scope, merge_points: Vec::new(), enters: Vec::new() };
        hints.visit_block(block);
        let form = |span: Span, message: &str, label: &str, help: &str| {
            self.diags.push(Diagnostic::new(Code::PortalForm, span, message).label(label).help(help));
        };
        match hints.merge_points.as_slice() {
            [] => form(
                at,
                "the portal has no merge point",
                "its loop must begin with one",
                "write `jit::merge_point!();` as the first statement of the portal's `loop`",
            ),
            [_] => {}
            [_, second, ..] => form(
                *second,
                "the portal has a second merge point",
                "only one is allowed",
                "keep the one at the beginning of the portal's loop",
            ),
        }
        let [syn::Stmt::Expr(syn::Expr::Loop(l), _)] = block.stmts.as_slice() else {
            let extra = block.stmts.iter().find(|s| !matches!(s, syn::Stmt::Expr(syn::Expr::Loop(_), _)));
            let span = extra.map_or(at, |s| crate::infer::spans::stmt(&self.sources, s));
            form(
                span,
                "a portal's body is one `loop` and nothing else",
                "this is outside of the loop, so the portal could not be entered at its merge point",
                "pass what it computes as a parameter, or do it in a function that calls the portal",
            );
            return;
        };
        let first = match l.body.stmts.first() {
            Some(syn::Stmt::Macro(m)) => Some(&m.mac),
            Some(syn::Stmt::Expr(syn::Expr::Macro(m), _)) => Some(&m.mac),
            _ => None,
        };
        let begins = first.is_some_and(
            |m| matches!(self.find_macro(src.scope, &m.path), Some(Def::Hint(n)) if n == "merge_point"),
        );
        if !begins && let [only] = hints.merge_points.as_slice() {
            form(
                *only,
                "the merge point is not the first statement of the portal's loop",
                "it stands elsewhere",
                "move it to the beginning of the loop",
            );
        }
    }
}
