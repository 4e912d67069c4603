//! Macros: the crate's own `macro_rules!`, and the standard derives as generated impls.
//!
//! Hygiene: every identifier that comes from a macro's definition is marked with the number of the expansion, by a
//! suffix no source can contain. A variable is found by its marked name only; everything else (items, fields, methods)
//! by the name without marks, see [`unmarked`].

pub mod derive;
pub mod rules;

use crate::names::Name;

/// Stands between an identifier and the number of the expansion that made it. A letter, so that the result is one.
pub const MARK: char = '\u{1c3}';

/// The identifier as written in the source.
pub fn unmarked(text: &str) -> &str {
    let text = text.strip_prefix("r#").unwrap_or(text);
    match text.find(MARK) {
        Some(i) => &text[..i],
        None => text,
    }
}

/// What `$crate` stands for in a library's macros, in all crates.
pub fn crate_marker(library: &str) -> String {
    format!("mt_crate_{library}")
}

/// The interned unmarked name.
pub fn plain_name(ident: &proc_macro2::Ident) -> Name {
    Name::new(unmarked(&ident.to_string()))
}

/// The interned name with marks: what variables are found by.
pub fn marked_name(ident: &proc_macro2::Ident) -> Name {
    let text = ident.to_string();
    Name::new(text.strip_prefix("r#").unwrap_or(&text))
}

/// A name with its outermost mark removed; `None` if it has none.
pub fn peel(name: Name) -> Option<Name> {
    name.as_str().rfind(MARK).map(|i| Name::new(&name.as_str()[..i]))
}
