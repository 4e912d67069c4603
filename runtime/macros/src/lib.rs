//! Attributes and macros that an interpreter author writes.

use proc_macro::TokenStream;

/// Marks the function that holds the interpreter's loop.
#[proc_macro_attribute]
pub fn portal(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    item
}

/// Marks a function that traces call instead of following.
#[proc_macro_attribute]
pub fn dont_look_inside(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    item
}
