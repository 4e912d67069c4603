//! Items that function bodies declare, as text for native code.
//!
//! Nothing outside a block can name its items. Code that is generated for the block's module declares copies of them
//! instead, so far as a copy is the same thing: functions, constants, imports, types, and statics that never change. A static
//! that may change exists once, and an impl for a type from elsewhere may not be repeated: with these no copies are made.

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

use crate::infer::unmark;
use crate::items::ModId;
use crate::program::Program;
use crate::resolve::{Def, Ns};

/// The items that a block declares.
#[derive(Default)]
pub(crate) struct LocalItems {
    tokens: TokenStream,
    /// Whether all of them can be copied, apart from the statics.
    sealed: bool,
}

impl LocalItems {
    /// Adds an item of the block.
    pub(crate) fn add(&mut self, item: &syn::Item, types: &[Ident]) {
        let is_own = |ty: &syn::Type| match ty {
            syn::Type::Path(p) => p.path.get_ident().is_some_and(|name| types.contains(name)),
            _ => false,
        };
        let copies = match item {
            syn::Item::Use(_) | syn::Item::Type(_) | syn::Item::Struct(_) | syn::Item::Enum(_) => true,
            syn::Item::Macro(m) => m.mac.path.is_ident("macro_rules"),
            syn::Item::Static(_) => true,
            syn::Item::Fn(_) | syn::Item::Const(_) | syn::Item::Trait(_) => {
                !has_static(item.to_token_stream())
            }
            syn::Item::Impl(i) => is_own(&i.self_ty) && !has_static(item.to_token_stream()),
            _ => false,
        };
        self.sealed |= !copies;
        self.tokens.extend(item.to_token_stream());
    }
}

/// Whether a static or thread-local is declared somewhere in the code.
fn has_static(tokens: TokenStream) -> bool {
    let mut is_lifetime = false;
    for token in tokens {
        match &token {
            TokenTree::Ident(i) if !is_lifetime && (i == "static" || i == "thread_local") => return true,
            TokenTree::Group(g) if has_static(g.stream()) => return true,
            _ => {}
        }
        is_lifetime = matches!(&token, TokenTree::Punct(p) if p.as_char() == '\'');
    }
    false
}

impl Program {
    /// An expression that stands in a block, as one that may stand in a child of the block's module: the items that it may
    /// name are declared around it. None if that is impossible.
    pub fn outside_of_body(&self, mut scope: ModId, expr: &str) -> Option<String> {
        let mut text = expr.to_string();
        let module = self.scopes.module_of(scope);
        while scope != module {
            if let Some(items) = self.src.body_items.borrow().get(&scope) {
                let is_constant = |(_, def): &(_, Def)| match *def {
                    Def::Static(id) => {
                        let def = self.static_def(id);
                        !def.mutable && self.is_freeze(def.ty)
                    }
                    _ => true,
                };
                if items.sealed || !self.scopes.names(scope, Ns::Value).iter().all(is_constant) {
                    return None;
                }
                text = format!("({{ {} {text} }})", for_child_module(unmark(items.tokens.clone())));
            }
            scope = self.scopes.parent(scope)?;
        }
        Some(text)
    }
}

/// Tokens of a module as they must be written in its child: paths relative to the module begin one level further up.
pub(crate) fn for_child_module(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_colon = |n: usize, joint: bool| {
        let want = if joint { Spacing::Joint } else { Spacing::Alone };
        matches!(tokens.get(n), Some(TokenTree::Punct(p)) if p.as_char() == ':' && (p.spacing() == want || !joint))
    };
    let mut out = TokenStream::new();
    for (n, token) in tokens.iter().enumerate() {
        let follows_path = n >= 2 && is_colon(n - 2, true) && is_colon(n - 1, false);
        let begins_path = !follows_path && is_colon(n + 1, true) && is_colon(n + 2, false);
        match token {
            TokenTree::Ident(i) if begins_path && i == "self" => {
                out.extend([TokenTree::Ident(Ident::new("super", i.span()))]);
            }
            TokenTree::Ident(i) if begins_path && i == "super" => {
                out.extend(quote::quote_spanned!(i.span() => super::super));
            }
            TokenTree::Group(g) => {
                let mut new = proc_macro2::Group::new(g.delimiter(), for_child_module(g.stream()));
                new.set_span(g.span());
                out.extend([TokenTree::Group(new)]);
            }
            other => out.extend([other.clone()]),
        }
    }
    out
}
