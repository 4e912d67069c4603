//! The standard derives, as the impls rustc would generate.
//!
//! `Debug` and `Hash` are declared without a body of their own: traces only ever call them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Fields, Generics};

/// A type with a derive.
pub struct Input<'a> {
    /// Its name.
    pub ident: &'a Ident,
    /// Its parameters.
    pub generics: &'a Generics,
    /// Variants with their fields; for a struct one, without a name.
    pub variants: Vec<(Option<&'a Ident>, &'a Fields)>,
    /// The variant marked `#[default]`.
    pub default: Option<&'a Ident>,
}

/// The impl for one derived trait; `None` for a trait that is not standard.
pub fn expand(input: &Input<'_>, name: &str, span: Span) -> Option<TokenStream> {
    Some(match name {
        "Copy" => implement(input, span, quote!(::core::marker::Copy), quote!()),
        "Eq" => implement(input, span, quote!(::core::cmp::Eq), quote!()),
        "Clone" => clone(input, span),
        "PartialEq" => partial_eq(input, span),
        "PartialOrd" => ordering(input, span, true),
        "Ord" => ordering(input, span, false),
        "Default" => default(input, span),
        "Debug" => implement(
            input,
            span,
            quote!(::core::fmt::Debug),
            quote!(
                #[opaque]
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {}
            ),
        ),
        "Hash" => implement(
            input,
            span,
            quote!(::core::hash::Hash),
            quote!(
                #[opaque]
                fn hash<__H: ::core::hash::Hasher>(&self, state: &mut __H) {}
            ),
        ),
        _ => return None,
    })
}

fn implement(input: &Input<'_>, span: Span, path: TokenStream, body: TokenStream) -> TokenStream {
    let mut generics = input.generics.clone();
    for p in generics.type_params_mut() {
        p.default = None;
        p.bounds.push(syn::parse_quote!(#path));
    }
    let (params, args, clause) = generics.split_for_impl();
    let ident = input.ident;
    quote_spanned!(span => impl #params #path for #ident #args #clause { #body })
}

/// A pattern for a variant, binding each field to `prefix` and its number.
fn pattern(name: Option<&Ident>, fields: &Fields, prefix: &str, span: Span) -> (TokenStream, Vec<Ident>) {
    let path = match name {
        Some(v) => quote_spanned!(span => Self::#v),
        None => quote_spanned!(span => Self),
    };
    let binds: Vec<Ident> = (0..fields.len()).map(|i| Ident::new(&format!("{prefix}{i}"), span)).collect();
    let tokens = match fields {
        Fields::Named(f) => {
            let names = f.named.iter().filter_map(|f| f.ident.as_ref());
            quote_spanned!(span => #path { #(#names: #binds),* })
        }
        Fields::Unnamed(_) => quote_spanned!(span => #path(#(#binds),*)),
        Fields::Unit => path,
    };
    (tokens, binds)
}

/// An expression that builds a variant from one expression for each field.
fn build(name: Option<&Ident>, fields: &Fields, values: Vec<TokenStream>, span: Span) -> TokenStream {
    let path = match name {
        Some(v) => quote_spanned!(span => Self::#v),
        None => quote_spanned!(span => Self),
    };
    match fields {
        Fields::Named(f) => {
            let names = f.named.iter().filter_map(|f| f.ident.as_ref());
            quote_spanned!(span => #path { #(#names: #values),* })
        }
        Fields::Unnamed(_) => quote_spanned!(span => #path(#(#values),*)),
        Fields::Unit => path,
    }
}

fn clone(input: &Input<'_>, span: Span) -> TokenStream {
    let arms = input.variants.iter().map(|(name, fields)| {
        let (pat, binds) = pattern(*name, fields, "f", span);
        let values = binds.iter().map(|b| quote_spanned!(span => ::core::clone::Clone::clone(#b))).collect();
        let value = build(*name, fields, values, span);
        quote_spanned!(span => #pat => #value,)
    });
    let arms: TokenStream = arms.collect();
    let body = if input.variants.is_empty() {
        quote_spanned!(span => match *self {})
    } else {
        quote_spanned!(span => match self { #arms })
    };
    let method = quote_spanned!(span => fn clone(&self) -> Self { #body });
    implement(input, span, quote!(::core::clone::Clone), method)
}

fn partial_eq(input: &Input<'_>, span: Span) -> TokenStream {
    let mut arms = TokenStream::new();
    for (name, fields) in input.variants.iter().filter(|(_, f)| !f.is_empty()) {
        let (left, ls) = pattern(*name, fields, "a", span);
        let (right, rs) = pattern(*name, fields, "b", span);
        arms.extend(quote_spanned!(span => (#left, #right) => #(*#ls == *#rs)&&*,));
    }
    let several = input.variants.len() > 1;
    let all_payload = input.variants.iter().all(|(_, f)| !f.is_empty());
    let body = if input.variants.is_empty() {
        quote_spanned!(span => match *self {})
    } else if arms.is_empty() && !several {
        quote_spanned!(span => true)
    } else {
        let rest = (several || !all_payload).then(|| quote_spanned!(span => _ => true,));
        let fields = if arms.is_empty() {
            quote_spanned!(span => true)
        } else {
            quote_spanned!(span => match (self, other) { #arms #rest })
        };
        if several {
            quote_spanned!(span =>
                ::core::intrinsics::discriminant_value(self) == ::core::intrinsics::discriminant_value(other)
                && #fields)
        } else {
            fields
        }
    };
    let method = quote_spanned!(span => fn eq(&self, other: &Self) -> bool { #body });
    implement(input, span, quote!(::core::cmp::PartialEq), method)
}

fn ordering(input: &Input<'_>, span: Span, partial: bool) -> TokenStream {
    let equal = if partial {
        quote_spanned!(span => ::core::option::Option::Some(::core::cmp::Ordering::Equal))
    } else {
        quote_spanned!(span => ::core::cmp::Ordering::Equal)
    };
    let compare = if partial {
        quote_spanned!(span => ::core::cmp::PartialOrd::partial_cmp)
    } else {
        quote_spanned!(span => ::core::cmp::Ord::cmp)
    };
    let mut arms = TokenStream::new();
    for (name, fields) in input.variants.iter().filter(|(_, f)| !f.is_empty()) {
        let (left, ls) = pattern(*name, fields, "a", span);
        let (right, rs) = pattern(*name, fields, "b", span);
        let mut chain = equal.clone();
        for (l, r) in ls.iter().zip(&rs).rev() {
            chain = quote_spanned!(span => match #compare(#l, #r) { #equal => #chain, decided => decided });
        }
        arms.extend(quote_spanned!(span => (#left, #right) => #chain,));
    }
    let by_tag = quote_spanned!(span => #compare(
        &::core::intrinsics::discriminant_value(self), &::core::intrinsics::discriminant_value(other)));
    let body = if input.variants.is_empty() {
        quote_spanned!(span => match *self {})
    } else if arms.is_empty() {
        if input.variants.len() > 1 { by_tag } else { equal.clone() }
    } else if input.variants.len() > 1 {
        quote_spanned!(span => match (self, other) { #arms _ => #by_tag })
    } else {
        quote_spanned!(span => match (self, other) { #arms })
    };
    // variants are compared first: an arm is only taken when both sides are the same variant
    if partial {
        let method = quote_spanned!(span =>
            fn partial_cmp(&self, other: &Self) -> ::core::option::Option<::core::cmp::Ordering> { #body });
        implement(input, span, quote!(::core::cmp::PartialOrd), method)
    } else {
        let method = quote_spanned!(span => fn cmp(&self, other: &Self) -> ::core::cmp::Ordering { #body });
        implement(input, span, quote!(::core::cmp::Ord), method)
    }
}

fn default(input: &Input<'_>, span: Span) -> TokenStream {
    let chosen = input.variants.iter().find(|(n, _)| *n == input.default);
    let Some((name, fields)) = chosen else { return TokenStream::new() };
    let values = fields.iter().map(|_| quote_spanned!(span => ::core::default::Default::default())).collect();
    let value = build(*name, fields, values, span);
    let method = quote_spanned!(span => fn default() -> Self { #value });
    if name.is_some() {
        // a variant's default has no fields, so parameters need no bound
        let (params, args, clause) = input.generics.split_for_impl();
        let ident = input.ident;
        return quote_spanned!(span =>
            impl #params ::core::default::Default for #ident #args #clause { #method });
    }
    implement(input, span, quote!(::core::default::Default), method)
}
