//! The attributes that an interpreter author writes, one for each attribute row of the hint table.

mod portal;
mod trace;

use metatrace_defs::{Hint, for_each_hint};
use proc_macro::TokenStream;
use quote::ToTokens;
use syn::spanned::Spanned;

/// Defines the entry point of each hint that is an attribute, with the table's sentence as its documentation.
macro_rules! define_attributes {
    ($( $(#[$doc:meta])* $name:ident = $variant:ident, $form:ident; )*) => {
        $( define_attributes! { @$form $(#[$doc])* $name = $variant } )*
    };
    (@Attribute $(#[$doc:meta])* $name:ident = $variant:ident) => {
        $(#[$doc])*
        #[proc_macro_attribute]
        pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
            expand(Hint::$variant, arguments, item)
        }
    };
    (@$form:ident $($row:tt)*) => {};
}
for_each_hint!(define_attributes);

/// Implements `Trace` for a struct or an enum, so that it can be in a collected heap, and `Leaf` if no field can hold a
/// reference.
///
/// On a field, `#[trace(rescan)]` allows a plain cell, at the price that its object is looked at in every minor collection,
/// and `#[trace(unsafe_skip)]` leaves it out: its author vouches that it holds no reference into the heap. On the type,
/// `#[trace(crate = path)]` says where the traits are, if not in `metatrace::gc`.
#[proc_macro_derive(Trace, attributes(trace))]
pub fn derive_trace(input: TokenStream) -> TokenStream {
    trace::derive(input.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(hint: Hint, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = match hint {
        Hint::Portal => portal::expand(arguments.into(), item.clone().into()),
        _ => marker(hint, arguments.into(), item.clone().into()),
    };
    match expanded {
        Ok(tokens) => tokens.into(),
        // The item stays, so that the mistake is reported once and not at every use of the function too.
        Err(error) => [error.to_compile_error().into(), item].into_iter().collect(),
    }
}

/// An attribute that only the translator reads: the item stays as it is.
fn marker(
    hint: Hint,
    arguments: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> syn::Result<proc_macro2::TokenStream> {
    let name = hint.name();
    if hint == Hint::LookInsideIff {
        let message = format!("`#[jit::{name}(function)]` takes the name of a function");
        let predicate: syn::Ident =
            syn::parse2(arguments).map_err(|error| syn::Error::new(error.span(), message))?;
        if let Ok(mut function) = syn::parse2::<syn::ItemFn>(item.clone()) {
            // Native code asks nobody, but the name is used.
            function.block.stmts.insert(0, syn::parse_quote!(let _ = #predicate;));
            return Ok(function.into_token_stream());
        }
    } else if !arguments.is_empty() {
        let message = format!("`#[jit::{name}]` takes no arguments; remove them");
        return Err(syn::Error::new(arguments.span(), message));
    }
    if hint == Hint::NotInTrace
        && let Ok(function) = syn::parse2::<syn::ItemFn>(item.clone())
        && let syn::ReturnType::Type(_, result) = &function.sig.output
    {
        let message = "a call that compiled code leaves out has no result; remove it";
        return Err(syn::Error::new(result.span(), message));
    }
    let is_function = syn::parse2::<syn::ItemFn>(item.clone()).is_ok()
        || syn::parse2::<syn::TraitItemFn>(item.clone()).is_ok();
    if !is_function {
        let message = format!("`#[jit::{name}]` belongs on a function; move it to one");
        return Err(syn::Error::new(item.span(), message));
    }
    Ok(item.to_token_stream())
}
