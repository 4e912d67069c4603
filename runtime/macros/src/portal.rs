//! `#[jit::portal]`: checks a portal and gives it its entry into compiled code.
//!
//! In: the attribute's arguments and the function. Out: the function with
//!
//! - its one loop (a body that begins with the merge point is made one) labelled, and the merge point (the loop's first
//!   statement) removed;
//! - a local `macro_rules!` inside the loop, which `can_enter_jit!` calls. It is defined inside the loop body, so that
//!   label and parameters are visible where it is defined, wherever it is used: in nested matches and loops, and in
//!   the interpreter's own macros, whose tokens nobody can look into here.
//!
//! - the entry into compiled code at its beginning, where calls of functions of the interpreted program arrive;
//! - a second copy of its body before the first, taken where statistics are wanted: its merge point counts.
//!
//! `can_enter_jit!` ends the iteration: it counts, and on its cold path hands all parameters by value to the runtime
//! and gets back what they are now; either way the loop continues. A parameter's value thus moves into the call and back,
//! which is what makes rustc reload what a `&mut` parameter points to. Where the iteration ends anyway, no `continue` is
//! written: a back edge of its own would have LLVM split the interpreter's loop in two.

use metatrace_defs::{Hint, hint::HintForm};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Error, Expr, ExprLoop, FnArg, Ident, ItemFn, Lifetime, Lit, Macro, Meta, Pat, ReceiverKind, Result, Stmt,
    Token, Type, parse_quote,
};

/// Whether the runtime is there (feature `jit`).
const ACTIVE: bool = cfg!(feature = "jit");

/// The macro that the portal's loop defines and `can_enter_jit!` calls; its name is what rustc says elsewhere.
const LOCAL_MACRO: &str = "can_enter_jit_belongs_in_the_loop_of_a_portal";

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut function: ItemFn = syn::parse2(item.clone()).map_err(|_| {
        Error::new(item.span(), "`#[jit::portal]` belongs on a function with a body; move it to one")
    })?;
    let mut errors = Errors::default();
    check_signature(&function, &mut errors);
    loop_once(&mut function.block);
    let params = Params::new(&mut function, &mut errors);
    let options = Options::parse(arguments, &params, function.sig.ident.span(), &mut errors);
    let enter = entry(&function.sig.ident, &params, options.owner.as_ref(), &quote!(enter));
    let mut counting = function.block.clone();
    let mut rewrite =
        Loops { enter: enter.clone(), count: TokenStream::new(), found: 0, closures: 0, errors };
    rewrite.visit_block_mut(&mut function.block);
    let Loops { found, mut errors, .. } = rewrite;
    if ACTIVE {
        let count = quote!(#[cfg(metatrace)] ::metatrace::rt::count_merge_point(););
        let mut rewrite =
            Loops { enter: enter.clone(), count, found: 0, closures: 0, errors: Errors::default() };
        rewrite.visit_block_mut(&mut counting);
        function.block.stmts.insert(
            0,
            parse_quote! {
                #[cfg(metatrace)]
                if ::metatrace::rt::counting() { return #counting; }
            },
        );
        let start = entry(&function.sig.ident, &params, options.owner.as_ref(), &quote!(enter_function));
        function.block.stmts.insert(0, parse_quote! { { #start } });
    }
    if found != 1 {
        errors.add(
            function.sig.ident.span(),
            "a portal begins with `jit::merge_point!();`, or has exactly one `loop` that does",
        );
    }
    errors.finish()?;
    function.attrs.push(parse_quote! {
        #[allow(unused_mut, unused_assignments, unused_macros, unreachable_code, unexpected_cfgs)]
    });
    Ok(function.into_token_stream())
}

/// Makes a body that begins with the merge point a loop that is never repeated. The translator rewrites it in the same way.
fn loop_once(block: &mut syn::Block) {
    let begins = match block.stmts.first() {
        Some(Stmt::Macro(statement)) => is_macro(&statement.mac, Hint::MergePoint.name()),
        _ => false,
    };
    if begins {
        let (first, rest) = (&block.stmts[0], &block.stmts[1..]);
        *block = parse_quote! {{ loop { #first return { #(#rest)* } } }};
    }
}

/// Mistakes, reported together.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, span: Span, message: impl std::fmt::Display) {
        let error = Error::new(span, message);
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

fn check_signature(function: &ItemFn, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(token) = &sig.asyncness {
        errors
            .add(token.span(), "a portal cannot be `async`: traces do not suspend; make it a plain function");
    }
    if let Some(token) = &sig.constness {
        errors.add(token.span(), "a portal cannot be `const`; make it a plain function");
    }
    if let Some(token) = &sig.variadic {
        errors.add(token.span(), "a portal cannot be variadic; name its parameters");
    }
    for param in &sig.generics.params {
        if !matches!(param, syn::GenericParam::Lifetime(_)) {
            errors.add(
                param.span(),
                "a portal is one function of the translated program and cannot be generic; write it for the types it is used with",
            );
        }
    }
}

/// The parameters of a portal; those that can change are made mutable.
struct Params {
    /// Whether there is `&self` or `&mut self`, and which.
    receiver: Option<TokenStream>,
    names: Vec<Ident>,
    /// Those of the names that come back as they went: shared references that the source cannot assign. To leave them
    /// alone lets LLVM keep what it read through them; for an owner that is a load at every merge point.
    fixed: Vec<Ident>,
}

impl Params {
    fn new(function: &mut ItemFn, errors: &mut Errors) -> Params {
        let mut params = Params { receiver: None, names: vec![], fixed: vec![] };
        for argument in &mut function.sig.inputs {
            match argument {
                FnArg::Typed(typed) => match &mut *typed.pat {
                    Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
                        let shared =
                            matches!(&*typed.ty, Type::Reference(reference) if reference.mutability.is_none());
                        if shared && pattern.mutability.is_none() {
                            params.fixed.push(pattern.ident.clone());
                        } else {
                            pattern.mutability.get_or_insert_default();
                        }
                        params.names.push(pattern.ident.clone());
                    }
                    pattern => errors.add(
                        pattern.span(),
                        "a portal's parameters are plain names; take the pattern apart in the function's body",
                    ),
                },
                FnArg::Receiver(receiver) => {
                    let mutable = match &receiver.kind {
                        ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
                        _ => {
                            errors.add(
                                receiver.span(),
                                "a portal borrows `self`; write `&self` or `&mut self`, or make it a parameter with a name",
                            );
                            false
                        }
                    };
                    params.receiver = Some(if mutable { quote!(&mut *self) } else { quote!(&*self) });
                }
            }
        }
        params
    }
}

/// What `#[jit::portal(…)]` was given.
struct Options {
    owner: Option<Ident>,
}

impl Options {
    fn parse(arguments: TokenStream, params: &Params, function: Span, errors: &mut Errors) -> Options {
        let mut options = Options { owner: None };
        let list = match Punctuated::<Meta, Token![,]>::parse_terminated.parse2(arguments) {
            Ok(list) => list,
            Err(error) => {
                errors.add(error.span(), format_args!("expected `option = value`: {error}"));
                return options;
            }
        };
        let mut seen: Vec<Hint> = vec![];
        for meta in &list {
            let name = meta.path().get_ident().map(Ident::to_string).unwrap_or_default();
            let Some(hint) = Hint::find(&name, HintForm::PortalOption) else {
                errors.add(
                    meta.path().span(),
                    format_args!("no such option; a portal's options are {}", valid()),
                );
                continue;
            };
            if seen.contains(&hint) {
                errors.add(meta.path().span(), format_args!("`{name}` is given twice; keep one"));
            }
            seen.push(hint);
            let Meta::NameValue(pair) = meta else {
                errors.add(meta.span(), format_args!("`{name}` needs a value: `{name} = …`"));
                continue;
            };
            options.set(hint, &pair.value, params, errors);
        }
        if !seen.contains(&Hint::Owner) {
            errors.add(
                function,
                "a portal needs `owner = …`: the parameter of type `&Traced<T>` that holds the guest code",
            );
        }
        options
    }

    fn set(&mut self, hint: Hint, value: &Expr, params: &Params, errors: &mut Errors) {
        match hint {
            Hint::Owner => self.owner = param(value, params, errors),
            Hint::Greens => {
                let Expr::Array(list) = value else {
                    errors.add(value.span(), "`greens` is a list of parameters: `greens = [pc]`");
                    return;
                };
                for green in &list.elems {
                    param(green, params, errors);
                }
            }
            Hint::Name => {
                if !matches!(value, Expr::Lit(lit) if matches!(lit.lit, Lit::Str(_))) {
                    errors.add(value.span(), "`name` is a string: `name = \"main loop\"`");
                }
            }
            _ => unreachable!("a portal option of the hint table that the attribute does not know"),
        }
    }
}

fn valid() -> String {
    let options = Hint::ALL.iter().filter(|hint| hint.form() == HintForm::PortalOption);
    options.map(|hint| format!("`{}`", hint.name())).collect::<Vec<_>>().join(", ")
}

fn param(value: &Expr, params: &Params, errors: &mut Errors) -> Option<Ident> {
    if let Expr::Path(path) = value
        && let Some(name) = path.path.get_ident()
        && params.names.contains(name)
    {
        return Some(name.clone());
    }
    errors.add(value.span(), "not a parameter of the portal; name one of them");
    None
}

/// What `can_enter_jit!` stands for, but for the final `continue`; or the entry at the beginning.
fn entry(function: &Ident, params: &Params, owner: Option<&Ident>, enter: &TokenStream) -> TokenStream {
    let (true, Some(owner)) = (ACTIVE, owner) else { return TokenStream::new() };
    // Methods of several types may have one name.
    let glue = match &params.receiver {
        Some(_) => {
            let name = metatrace_defs::hint::name_number(&function.to_string());
            quote!(<Self as ::metatrace::rt::PortalOf<#name>>::glue())
        }
        None => {
            let glue = format_ident!("portal_{}", function);
            quote!(&__metatrace::#glue)
        }
    };
    let names = &params.names;
    let mut values = quote!(());
    let mut pattern = quote!(());
    for name in names.iter().rev() {
        values = quote!((#name, #values));
        let new = if params.fixed.contains(name) { quote!(_) } else { new_value(name).into_token_stream() };
        pattern = quote!((#new, #pattern));
    }
    if let Some(receiver) = &params.receiver {
        values = quote!((#receiver, #values));
        pattern = quote!((_, #pattern));
    }
    let changing = names.iter().filter(|name| !params.fixed.contains(name));
    let assign = changing.map(|name| {
        let new = new_value(name);
        quote!(#name = #new;)
    });
    quote! {
        #[cfg(metatrace)]
        if ::metatrace::rt::tick(#owner) {
            match ::metatrace::rt::#enter(|| #glue, #values) {
                ::core::result::Result::Ok(#pattern) => { #( #assign )* }
                ::core::result::Result::Err(result) => return result,
            }
        }
    }
}

/// What a parameter's new value is bound to.
fn new_value(name: &Ident) -> Ident {
    format_ident!("__new_{}", name)
}

fn is_macro(mac: &Macro, name: &str) -> bool {
    mac.path.segments.last().is_some_and(|segment| segment.ident == name)
}

/// Tells the `can_enter_jit!` with which a block ends that nothing follows it.
fn last_in_block(block: &mut syn::Block, local: &Ident) {
    match block.stmts.last_mut() {
        Some(Stmt::Macro(statement)) => last_is_macro(&mut statement.mac, local),
        Some(Stmt::Expr(expr, _)) => last_in_expr(expr, local),
        _ => {}
    }
}

fn last_in_expr(expr: &mut Expr, local: &Ident) {
    match expr {
        Expr::Macro(expr) => last_is_macro(&mut expr.mac, local),
        Expr::Block(expr) if expr.label.is_none() => last_in_block(&mut expr.block, local),
        Expr::If(expr) => {
            last_in_block(&mut expr.then_branch, local);
            if let Some((_, branch)) = &mut expr.else_branch {
                last_in_expr(branch, local);
            }
        }
        Expr::Match(expr) => {
            for arm in &mut expr.arms {
                last_in_expr(&mut arm.body, local);
            }
        }
        _ => {}
    }
}

fn last_is_macro(mac: &mut Macro, local: &Ident) {
    if is_macro(mac, Hint::CanEnterJit.name()) && mac.tokens.is_empty() {
        mac.path = local.clone().into();
        mac.tokens = quote!(last);
    }
}

/// Finds the portal's loop and puts the entry into it.
struct Loops {
    enter: TokenStream,
    /// What stands for the merge point.
    count: TokenStream,
    found: usize,
    closures: usize,
    errors: Errors,
}

impl VisitMut for Loops {
    fn visit_expr_loop_mut(&mut self, expr: &mut ExprLoop) {
        if let Some(Stmt::Macro(statement)) = expr.body.stmts.first()
            && is_macro(&statement.mac, Hint::MergePoint.name())
        {
            self.found += 1;
            if !statement.mac.tokens.is_empty() {
                self.errors
                    .add(statement.mac.tokens.span(), "`merge_point!` takes no arguments; remove them");
            }
            if self.closures > 0 {
                self.errors.add(
                    expr.loop_token.span(),
                    "the portal's loop is inside a closure; move it to the function's own body",
                );
            }
            let label: Lifetime = expr.label.get_or_insert_with(|| parse_quote!('__portal:)).name.clone();
            let (enter, name) = (&self.enter, format_ident!("{}", LOCAL_MACRO));
            let count = &self.count;
            let statements: syn::Block = parse_quote! {{
                #count
                macro_rules! #name {
                    () => {{ #enter continue #label; }};
                    (last) => {{ #enter }};
                }
            }};
            last_in_block(&mut expr.body, &name);
            expr.body.stmts.splice(0..1, statements.stmts);
        }
        visit_mut::visit_expr_loop_mut(self, expr);
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut syn::ExprClosure) {
        self.closures += 1;
        visit_mut::visit_expr_closure_mut(self, closure);
        self.closures -= 1;
    }

    /// Items inside the portal are functions of their own.
    fn visit_item_mut(&mut self, _: &mut syn::Item) {}

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        if self.closures > 0 && is_macro(mac, Hint::CanEnterJit.name()) {
            self.errors.add(
                mac.path.span(),
                "`can_enter_jit!` inside a closure cannot continue the portal's loop; move it to the portal's own body",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The portal must be refused with exactly these messages, each in order and in part.
    #[track_caller]
    fn refuse(arguments: TokenStream, item: TokenStream, expected: &[&str]) {
        let error = expand(arguments, item).expect_err("a mistake");
        let found: Vec<String> = error.into_iter().map(|e| e.to_string()).collect();
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found} has no {expected}");
        }
    }

    fn good() -> TokenStream {
        quote!(
            fn run(mut pc: usize, code: &Traced<Code>) {
                loop {
                    merge_point!();
                    jit::can_enter_jit!();
                }
            }
        )
    }

    #[test]
    fn a_portal_gets_its_entry() {
        let text = expand(quote!(owner = code, greens = [pc], name = "x"), good()).unwrap().to_string();
        assert!(text.contains("'__portal : loop"), "{text}");
        assert!(text.contains(&format!("macro_rules ! {LOCAL_MACRO}")), "{text}");
        assert!(!text.contains("merge_point ! ()"), "{text}");
    }

    #[test]
    fn only_an_entry_with_something_after_it_continues() {
        let item = quote!(
            fn run(mut pc: usize, code: &Traced<Code>) {
                loop {
                    merge_point!();
                    match pc {
                        0 => jit::can_enter_jit!(),
                        1 => {
                            if pc == 3 {
                                jit::can_enter_jit!();
                            }
                            pc = 7;
                        }
                        _ => {
                            pc = 2;
                            if pc == 3 {
                                jit::can_enter_jit!();
                            } else {
                                pc += 1;
                            }
                        }
                    }
                }
            }
        );
        let text = expand(quote!(owner = code, greens = [pc]), item).unwrap().to_string();
        let last = format!("{LOCAL_MACRO} ! (last)");
        let copies = if ACTIVE { 2 } else { 1 };
        assert_eq!(text.matches(&last).count(), 2 * copies, "{text}");
        assert_eq!(text.matches("can_enter_jit ! ()").count(), copies, "{text}");
    }

    #[test]
    fn options_are_checked() {
        refuse(quote!(greens = [pc]), good(), &["needs `owner = …`"]);
        refuse(quote!(owner = cod), good(), &["not a parameter"]);
        refuse(quote!(owner = code, greens = pc), good(), &["`greens` is a list"]);
        refuse(quote!(owner = code, reds = [pc]), good(), &["options are `owner`, `greens`, `name`"]);
        refuse(quote!(owner = code, owner = code), good(), &["given twice"]);
        refuse(quote!(owner), good(), &["needs a value"]);
        refuse(quote!(owner = code, name = 3), good(), &["is a string"]);
    }

    #[test]
    fn functions_are_checked() {
        let refuse = |item, expected: &[&str]| refuse(quote!(owner = code), item, expected);
        refuse(
            quote!(
                struct S;
            ),
            &["belongs on a function"],
        );
        refuse(
            quote!(
                fn run(code: &C) {
                    loop {
                        step();
                    }
                }
            ),
            &["exactly one `loop`"],
        );
        refuse(
            quote!(
                async fn run<T>(code: &C, (a, b): P) {
                    loop {
                        merge_point!();
                    }
                }
            ),
            &["cannot be `async`", "cannot be generic", "plain names"],
        );
        refuse(
            quote!(
                fn run(self, code: &C) {
                    loop {
                        merge_point!();
                    }
                }
            ),
            &["borrows `self`"],
        );
        refuse(
            quote!(
                fn run(code: &C) {
                    loop {
                        merge_point!();
                        step(|| can_enter_jit!());
                    }
                }
            ),
            &["inside a closure"],
        );
        refuse(
            quote!(
                fn run(code: &C) {
                    loop {
                        merge_point!(1);
                    }
                }
            ),
            &["takes no arguments"],
        );
        refuse(
            quote!(
                fn run(code: &C) {
                    step(|| {
                        loop {
                            merge_point!();
                        }
                    })
                }
            ),
            &["loop is inside a closure"],
        );
    }
}
