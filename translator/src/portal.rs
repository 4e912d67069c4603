//! Portals: finding functions marked `#[jit::portal(…)]` and checking their form, and that the hints that belong into a portal stand
//! in one.
//!
//! In: a program with signatures. Out: its portals, and diagnostics for all that is not of the form that `docs/restricted-rust.md`
//! describes. A portal with mistakes is kept apart, so that what it calls can still be looked at. Bodies are read as syntax only: what
//! macros expand to is checked where it is lowered.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use metatrace_defs::hint::{Hint, HintForm};

use crate::diag::{Code, Diagnostic};
use crate::expand::plain_name;
use crate::items::{ModId, Origin, Portal};
use crate::names::Name;
use crate::program::Program;
use crate::resolve::Def;
use crate::source::Span;
use crate::ty::{FnId, Ty, TyKind};

/// The body of a portal whose first statement is the merge point, which stands for a function of the interpreted program,
/// as a loop that is never repeated; any other body as it is. The attribute rewrites it in the same way.
pub(crate) fn looped(block: syn::Block) -> syn::Block {
    let begins = match block.stmts.first() {
        Some(syn::Stmt::Macro(m)) => m.mac.path.segments.last(),
        Some(syn::Stmt::Expr(syn::Expr::Macro(m), _)) => m.mac.path.segments.last(),
        _ => None,
    };
    let Some(span) = begins.filter(|s| s.ident == "merge_point").map(|s| s.ident.span()) else {
        return block;
    };
    let (first, rest) = (&block.stmts[0], &block.stmts[1..]);
    syn::parse_quote_spanned! { span => { loop { #first return { #(#rest)* } } } }
}

/// Finds merge points and back-edge hints in a body.
struct Hints<'p> {
    prog: &'p Program,
    scope: ModId,
    closures: u32,
    merge_points: Vec<Span>,
    enters: Vec<Span>,
    /// Of these, those inside closures.
    enclosed: Vec<Span>,
}

impl<'p> Hints<'p> {
    fn of(prog: &'p Program, scope: ModId, block: &syn::Block) -> Hints<'p> {
        let mut hints = Hints {
            prog,
            scope,
            closures: 0,
            merge_points: Vec::new(),
            enters: Vec::new(),
            enclosed: Vec::new(),
        };
        hints.visit_block(block);
        hints
    }
}

impl<'a> Visit<'a> for Hints<'_> {
    fn visit_macro(&mut self, m: &'a syn::Macro) {
        let Some(last) = m.path.segments.last() else { return };
        match self.prog.find_macro(self.scope, &m.path) {
            Some(Def::Hint(n)) if n == "merge_point" => {
                self.merge_points.push(self.prog.sources.span(last.ident.span()));
            }
            Some(Def::Hint(n)) if n == "can_enter_jit" => {
                let span = self.prog.sources.span(last.ident.span());
                let list = if self.closures > 0 { &mut self.enclosed } else { &mut self.enters };
                list.push(span);
            }
            _ => visit::visit_macro(self, m),
        }
    }

    fn visit_expr_closure(&mut self, c: &'a syn::ExprClosure) {
        self.closures += 1;
        visit::visit_expr_closure(self, c);
        self.closures -= 1;
    }

    /// A function inside a function is one of its own.
    fn visit_item(&mut self, _: &'a syn::Item) {}
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
            let is_portal =
                |a: &&syn::Attribute| matches!(self.hint_attr(src.scope, a), Some(Ok(Hint::Portal)));
            match src.attrs.iter().find(is_portal) {
                Some(attr) => {
                    seen = true;
                    match self.check_portal(id, attr).filter(|_| self.has_own_name(id)) {
                        Some(portal) => self.portals.borrow_mut().push(portal),
                        None => self.broken_portals.borrow_mut().push(id),
                    }
                }
                None => self.no_portal_hints(id),
            }
        }
        if !seen && self.diags.is_empty() {
            self.diags.push(Diagnostic::nowhere(Code::NoPortal, "the crate has no portal").help(
                "mark the function with the interpreter's loop `#[jit::portal(owner = …, greens = […])]`",
            ));
        }
    }

    /// Whether no portal before has the same name in the module; methods have their types besides.
    fn has_own_name(&self, id: FnId) -> bool {
        let def = self.fn_def(id);
        let portals = self.portals.borrow();
        let mut others = portals.iter().map(|portal| self.fn_def(portal.id));
        let other =
            others.find(|o| !def.has_self && !o.has_self && (o.module, o.name) == (def.module, def.name));
        let Some(other) = other else { return true };
        self.diags.push(
            Diagnostic::new(Code::PortalForm, def.span, format!("the module has two portals `{}`", def.name))
                .label("this name stands for one portal in what is generated")
                .related(other.span, "the other is here")
                .help("give one of them another name, or make it a method with `&self`"),
        );
        false
    }

    fn check_portal(&self, id: FnId, attr: &syn::Attribute) -> Option<Portal> {
        let src = self.src.fns.get(id.index());
        let def = self.fn_def(id);
        let span = self.sources.span(attr.path().span());
        let before = self.diags.len();
        self.report_item(Def::Fn(id));
        self.portal_signature(&src.sig);
        let mut portal =
            Portal { id, greens: Vec::new(), owner: None, virtualizable: None, options: Vec::new(), span };
        let tokens = match &attr.meta {
            syn::Meta::List(l) => l.tokens.clone(),
            _ => TokenStream::new(),
        };
        let mut names: Vec<Name> = Vec::new();
        match parse_options.parse2(tokens) {
            Ok(options) => {
                for option in options {
                    let name = plain_name(&option.name);
                    if names.contains(&name) {
                        let at = self.sources.span(option.name.span());
                        let twice =
                            Diagnostic::new(Code::PortalOption, at, format!("`{name}` is given twice"));
                        self.diags.push(twice.label("the second time").help("keep one"));
                    }
                    names.push(name);
                    self.portal_option(&mut portal, option);
                }
                if !names.iter().any(|n| *n == "owner") {
                    self.no_owner(id, attr, span);
                }
            }
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
        self.green_types(&portal, &src.sig);
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
            "name" if syn::parse2::<syn::LitStr>(o.value.clone()).is_err() => self.portal_error(
                Code::PortalOption,
                at,
                "`name` takes a string",
                "the portal's name in logs",
                "write `name = \"…\"`",
            ),
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

    fn portal_error(&self, code: Code, span: Span, message: impl Into<String>, label: &str, help: &str) {
        self.diags.push(Diagnostic::new(code, span, message).label(label).help(help));
    }

    fn portal_signature(&self, sig: &syn::Signature) {
        let form = |token: proc_macro2::Span, message: &str, label: &str, help: &str| {
            self.portal_error(Code::PortalForm, self.sources.span(token), message, label, help);
        };
        if let Some(t) = &sig.asyncness {
            form(t.span(), "a portal cannot be `async`", "traces do not suspend", "make it a plain function");
        }
        if let Some(t) = &sig.constness {
            form(
                t.span(),
                "a portal cannot be `const`",
                "it is run, not evaluated",
                "make it a plain function",
            );
        }
        if let Some(p) = sig.generics.params.iter().find(|p| !matches!(p, syn::GenericParam::Lifetime(_))) {
            form(
                p.span(),
                "a portal cannot be generic",
                "a portal is one function of the translated program",
                "write it for the types that it is used with",
            );
        }
    }

    /// A portal needs an owner. If there is just one parameter that can be it, it is suggested.
    fn no_owner(&self, id: FnId, attr: &syn::Attribute, span: Span) {
        let def = self.fn_def(id);
        let error = Diagnostic::new(Code::Owner, span, "the portal has no owner")
            .label("which parameter holds the guest code, whose traces these are?");
        let fitting: Vec<usize> =
            (0..def.sig.params.len()).filter(|&n| self.can_own(def.sig.params[n])).collect();
        let error = match (&attr.meta, fitting.as_slice()) {
            (syn::Meta::List(list), [only]) => {
                let open = self.sources.span(list.delimiter.span().open());
                let after = Span { lo: open.hi, ..open };
                let comma = if list.tokens.is_empty() { "" } else { ", " };
                let name = def.param_names[*only];
                error.suggest(format!("`{name}` can be it"), after, format!("owner = {name}{comma}"))
            }
            _ => error.help("write `owner = …`, the name of a parameter of type `&Traced<T>`"),
        };
        self.diags.push(error);
    }

    /// Whether a parameter of this type can own traces: `&Traced<T>`.
    fn can_own(&self, ty: Ty) -> bool {
        let TyKind::Ref(_, inner) = *ty.kind() else { return false };
        matches!(*inner.kind(), TyKind::Adt(id, _) if self.lang_adt("Traced") == Some(id))
    }

    /// The owner can own, and greens can be compared.
    fn green_types(&self, portal: &Portal, sig: &syn::Signature) {
        let def = self.fn_def(portal.id);
        let at = |n: usize| match sig.inputs.get(n) {
            Some(syn::FnArg::Typed(t)) => self.sources.span(t.ty.span()),
            Some(syn::FnArg::Receiver(r)) => self.sources.span(r.self_token.span),
            None => def.span,
        };
        if let Some(owner) = portal.owner
            && !self.can_own(def.sig.params[owner])
            && !def.sig.params[owner].flags().has_error
        {
            let ty = self.ty_name(def.sig.params[owner]);
            let message = format!("a `{ty}` cannot own traces");
            let help = "make it `&Traced<T>`, where `T` is the type of the guest code, and make the value with `Traced::new`";
            self.portal_error(Code::Owner, at(owner), message, "the owner of the portal's traces", help);
        }
        for &green in portal.greens.iter().filter(|g| Some(**g) != portal.owner) {
            let ty = def.sig.params[green];
            if let Some(why) = self.never_green(ty) {
                let message = format!("`{}` cannot be green", def.param_names[green]);
                let help = "greens say where in the guest code one is: integers, `bool`, `char`, fieldless enums, function \
                            pointers and references; leave it out, and it is red";
                self.portal_error(Code::PortalOption, at(green), message, why, help);
            }
        }
    }

    /// Why values of a type cannot be the key of a trace.
    fn never_green(&self, ty: Ty) -> Option<&'static str> {
        match *ty.kind() {
            TyKind::Float(_) => {
                Some("floats are no keys: equal ones may differ, and different ones be equal")
            }
            _ if self.needs_drop(ty) => {
                Some("it owns memory, so that traces would have to keep copies of it")
            }
            _ => None,
        }
    }

    /// The body is one `loop` that begins with the only merge point.
    fn portal_body(&self, id: FnId) {
        let src = self.src.fns.get(id.index());
        let Some(Ok(block)) = self.fn_block(id) else { return };
        let def = self.fn_def(id);
        let hints = Hints::of(self, src.scope, &block);
        for &span in &hints.enclosed {
            self.portal_error(
                Code::BackEdge,
                span,
                "`can_enter_jit!` inside a closure",
                "a closure cannot continue the portal's loop",
                "move it to the portal's own body",
            );
        }
        if let [_, second, ..] = hints.merge_points.as_slice() {
            self.portal_error(
                Code::MergePoint,
                *second,
                "the portal has a second merge point",
                "only one is allowed",
                "keep the one at the beginning of the portal's loop",
            );
        }
        let is_loop = |s: &&syn::Stmt| matches!(s, syn::Stmt::Expr(syn::Expr::Loop(_), _));
        let main = block.stmts.iter().find_map(|s| match s {
            syn::Stmt::Expr(syn::Expr::Loop(l), _) => Some(l),
            _ => None,
        });
        for extra in block.stmts.iter().filter(|s| !is_loop(s)) {
            let (label, help) = match extra {
                syn::Stmt::Local(_) => (
                    "this variable lives across the merge point and is neither green nor red",
                    "make it a parameter; the function that calls the portal passes its first value",
                ),
                _ => (
                    "this is outside of the loop, and the portal is entered at its merge point",
                    "do it in the function that calls the portal",
                ),
            };
            let at = crate::infer::spans::stmt(&self.sources, extra);
            let message = "a portal's body is one `loop` and nothing else";
            self.portal_error(Code::PortalForm, at, message, label, help);
        }
        let Some(main) = main else {
            if block.stmts.is_empty() {
                let help = "write `loop { jit::merge_point!(); … }`";
                self.portal_error(
                    Code::PortalForm,
                    def.span,
                    "the portal has no `loop`",
                    "its body is empty",
                    help,
                );
            }
            return;
        };
        let inside = self.sources.span(main.body.brace_token.span.open());
        let inside = Span { lo: inside.hi, ..inside };
        let missing = |message: &str, span: Span, label: &str| {
            self.diags.push(Diagnostic::new(Code::MergePoint, span, message).label(label).suggest(
                "begin the portal's loop with it",
                inside,
                "\n        metatrace::jit::merge_point!();",
            ));
        };
        let first = match main.body.stmts.first() {
            Some(syn::Stmt::Macro(m)) => Some(&m.mac),
            Some(syn::Stmt::Expr(syn::Expr::Macro(m), _)) => Some(&m.mac),
            _ => None,
        };
        let begins = first.is_some_and(
            |m| matches!(self.find_macro(src.scope, &m.path), Some(Def::Hint(n)) if n == "merge_point"),
        );
        match hints.merge_points.as_slice() {
            [] => missing("the portal has no merge point", def.span, "its loop must begin with one"),
            [only] if !begins => self.portal_error(
                Code::MergePoint,
                *only,
                "the merge point is not the first statement of the portal's loop",
                "compiled code comes back here, and what stands before would not be done",
                "move it to the beginning of the loop",
            ),
            _ => {}
        }
    }

    /// What belongs into a portal stands in no other function.
    fn no_portal_hints(&self, id: FnId) {
        let src = self.src.fns.get(id.index());
        if !self.may_mark(id) {
            return;
        }
        let Some(Ok(block)) = self.fn_block(id) else { return };
        let hints = Hints::of(self, src.scope, &block);
        let help = "move it into the loop of the function with `#[jit::portal(…)]`, or mark this function so";
        for &span in &hints.merge_points {
            let message = "a merge point outside of a portal";
            self.portal_error(Code::MergePoint, span, message, "this function is no portal", help);
        }
        for &span in hints.enters.iter().chain(&hints.enclosed) {
            let message = "`can_enter_jit!` stands outside of a portal's loop";
            self.portal_error(Code::BackEdge, span, message, "this function is no portal", help);
        }
    }
}
