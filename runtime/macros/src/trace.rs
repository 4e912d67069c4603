//! `derive(Trace)`.
//!
//! In: a struct or an enum. Out: implementations of `Trace`, which visits every field, and of `Leaf`, which holds if it holds of
//! every field. A field's code carries the place of its type, so that what cannot be traced is reported there.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Generics, Result, Type};

/// What the attributes of a field say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Trace,
    Rescan,
    UnsafeSkip,
}

/// A field, and what its code calls it.
struct Part<'a> {
    ty: &'a Type,
    how: How,
    /// Its name or number in its struct or variant.
    member: syn::Member,
    /// The variable that a pattern binds to a reference to it.
    variable: syn::Ident,
}

pub fn derive(input: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    let krate = type_attributes(&input.attrs)?;
    let name = &input.ident;
    let mut errors = Errors::default();
    let (body, shape, parts) = match &input.data {
        Data::Struct(data) => {
            let parts = parts(&data.fields, &mut errors);
            let arm = arm(&quote!(Self), &parts, &krate);
            (quote!(match *self { #arm }), struct_shape(&parts, &krate), parts)
        }
        Data::Enum(data) => {
            let mut arms = Vec::new();
            let mut all = Vec::new();
            for variant in &data.variants {
                let ident = &variant.ident;
                let parts = parts(&variant.fields, &mut errors);
                arms.push(arm(&quote!(Self::#ident), &parts, &krate));
                all.extend(parts);
            }
            (quote!(match *self { #(#arms)* }), enum_shape(&all, &krate), all)
        }
        Data::Union(data) => {
            let message = "a union does not say which of its fields it holds, so its references cannot be found; use an \
                           enum, or implement `Trace` by hand";
            return Err(Error::new(data.union_token.span, message));
        }
    };
    errors.check()?;
    let body = if parts.is_empty() { quote!(let _ = tracer;) } else { body };
    let traced = bounded(&input.generics, &quote!(#krate::Trace));
    let leaf = bounded(&input.generics, &quote!(#krate::Leaf));
    let (trace_impl, generics, trace_where) = traced.split_for_impl();
    let (leaf_impl, _, leaf_where) = leaf.split_for_impl();
    let leaf_where =
        leaf_where.map(|clause| clause.predicates.iter().collect::<Vec<_>>()).unwrap_or_default();
    let fields = parts.iter().filter(|part| part.how != How::UnsafeSkip).map(|part| part.ty);
    let is_leaf = parts.iter().all(|part| part.how != How::Rescan);
    let leaf = is_leaf.then(|| {
        quote! {
            #[automatically_derived]
            // SAFETY: no field holds a reference.
            unsafe impl #leaf_impl #krate::Leaf for #name #generics
            where #(#leaf_where,)* #(for<'__metatrace> #fields: #krate::LeafIn<'__metatrace>,)* {}
        }
    });
    let drops = no_drop(&input, &krate);
    Ok(quote! {
        #[automatically_derived]
        // SAFETY: every field is visited, but for those whose author says that they hold no reference; fields can only change
        // as their own types allow.
        unsafe impl #trace_impl #krate::Trace for #name #generics #trace_where {
            const SHAPE: #krate::Shape = #shape;
            #[inline]
            fn trace(&self, tracer: &mut #krate::Tracer) {
                #body
            }
        }
        #leaf
        #drops
    })
}

/// Code that does not compile if the type implements `Drop`: the objects it refers to may be gone when it is dropped.
fn no_drop(input: &DeriveInput, krate: &TokenStream) -> TokenStream {
    let name = &input.ident;
    let (implementation, generics, clause) = input.generics.split_for_impl();
    quote_spanned! { name.span() =>
        #[automatically_derived]
        impl #implementation #krate::MustNotImplementDrop for #name #generics #clause {}
    }
}

/// Reads `#[trace(crate = path)]`; returns the path of the crate with the traits.
fn type_attributes(attributes: &[Attribute]) -> Result<TokenStream> {
    let mut krate = quote!(::metatrace::gc);
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("trace")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("`#[trace(…)]` on a type takes `crate = path` only"));
            }
            let path: syn::Path = meta.value()?.parse()?;
            krate = quote!(#path);
            Ok(())
        })?;
    }
    Ok(krate)
}

fn field_attributes(field: &Field) -> Result<How> {
    let mut how = How::Trace;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("trace")) {
        attribute.parse_nested_meta(|meta| {
            how = if meta.path.is_ident("rescan") {
                How::Rescan
            } else if meta.path.is_ident("unsafe_skip") {
                How::UnsafeSkip
            } else {
                let message = "`#[trace(…)]` on a field takes `rescan` (a cell the collector does not see change) or \
                               `unsafe_skip` (you vouch that it holds no reference into the heap)";
                return Err(meta.error(message));
            };
            Ok(())
        })?;
    }
    Ok(how)
}

/// Mistakes, reported together.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn check(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

fn parts<'a>(fields: &'a Fields, errors: &mut Errors) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (index, (member, field)) in fields.members().zip(fields).enumerate() {
        let how = field_attributes(field).unwrap_or_else(|error| {
            errors.add(error);
            How::Trace
        });
        if how == How::Trace
            && let Type::Ptr(pointer) = &field.ty
        {
            let message = "the collector cannot follow a raw pointer, and does not know whether it may point into the heap; \
                           use `Gc`, or mark the field `#[trace(unsafe_skip)]` if it holds no reference into the heap";
            errors.add(Error::new(pointer.span(), message));
        }
        parts.push(Part { ty: &field.ty, how, member, variable: format_ident!("field{index}") });
    }
    parts
}

/// An arm that takes a struct or variant apart and traces its parts.
fn arm(path: &TokenStream, parts: &[Part], krate: &TokenStream) -> TokenStream {
    let used: Vec<&Part> = parts.iter().filter(|part| part.how != How::UnsafeSkip).collect();
    let (members, variables): (Vec<_>, Vec<_>) =
        used.iter().map(|part| (&part.member, &part.variable)).unzip();
    let traced = used.iter().map(|part| {
        let (ty, variable) = (part.ty, &part.variable);
        match part.how {
            How::Rescan => quote_spanned! { ty.span() =>
                #krate::Tracer::rescan(tracer);
                <#ty as #krate::Rescan>::trace_rescan(#variable, tracer);
            },
            _ => quote_spanned!(ty.span() => <#ty as #krate::Trace>::trace(#variable, tracer);),
        }
    });
    quote!(#path { #(#members: ref #variables,)* .. } => { #(#traced)* })
}

fn struct_shape(parts: &[Part], krate: &TokenStream) -> TokenStream {
    let fields = parts.iter().filter(|part| part.how != How::UnsafeSkip).map(|part| {
        let (ty, member) = (part.ty, &part.member);
        let shape = field_shape(part, krate);
        quote_spanned!(ty.span() => .with(::core::mem::offset_of!(Self, #member), #shape))
    });
    quote!(#krate::Shape::NONE #(#fields)*)
}

fn enum_shape(parts: &[Part], krate: &TokenStream) -> TokenStream {
    let shapes = parts.iter().filter(|part| part.how != How::UnsafeSkip).map(|part| field_shape(part, krate));
    quote!(#krate::Shape::either(&[#(#shapes),*]))
}

fn field_shape(part: &Part, krate: &TokenStream) -> TokenStream {
    let ty = part.ty;
    match part.how {
        How::Rescan => quote!(#krate::Shape::Traced),
        _ => quote_spanned!(ty.span() => <#ty as #krate::Trace>::SHAPE),
    }
}

/// The generics with a bound on each type parameter.
fn bounded(generics: &Generics, bound: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(syn::parse_quote!(#bound));
    }
    generics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(source: &str) -> String {
        let input = source.parse().expect("tokens");
        let error = derive(input).expect_err("the type is refused");
        let mut messages = error.into_iter().map(|error| {
            let start = error.span().start();
            format!("{}:{}: {error}", start.line, start.column)
        });
        let all: Vec<String> = messages.by_ref().collect();
        all.join("\n")
    }

    #[test]
    fn refusals_are_located() {
        assert!(error("union U { a: u8 }").starts_with("1:0: a union does not say"));
        assert!(
            error("struct S { a: u8,\n p: *mut u8 }")
                .starts_with("2:4: the collector cannot follow a raw pointer")
        );
        assert!(error("struct S(#[trace(skip)] u8);").starts_with("1:17: `#[trace(…)]` on a field takes"));
        assert!(error("#[trace(rescan)] struct S;").starts_with("1:8: `#[trace(…)]` on a type takes"));
        let both = error("enum E { A(*const u8), B { p: *const u8 } }");
        assert_eq!(both.lines().count(), 2, "{both}");
    }
}
