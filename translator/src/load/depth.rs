//! How deeply source may be nested. Everything after the parser walks the syntax by recursion, as the parser itself does, so the depth is
//! bounded before it runs, on tokens.
//!
//! The depth of a token is an upper bound of the depth of the syntax it is part of: brackets nest, and so does each token of a run without
//! separators (`a + a + …`, `!!!…`, `if … {} else if …`).

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// The greatest depth.
const MAX_DEPTH: u32 = 3000;
/// The greatest depth of brackets, also where tokens are not parsed yet.
const MAX_BRACKETS: u32 = 200;
/// The stack that is enough for source of the greatest depth, in bytes. It is reserved, not used, unless the source is that deep.
pub const STACK: usize = 1 << 30;

/// One level of brackets.
struct Level {
    tokens: std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
    /// The depth of the brackets.
    base: u32,
    /// Tokens since the last separator.
    run: u32,
    /// Arguments of a macro: parsed when it is expanded.
    raw: bool,
}

/// The first token that is too deep, if any.
pub fn too_deep(tokens: TokenStream) -> Option<Span> {
    let level =
        |tokens: TokenStream, base, raw| Level { tokens: tokens.into_iter().peekable(), base, run: 0, raw };
    let mut levels = vec![level(tokens, 0, false)];
    let mut after_bang = false;
    while let Some(top) = levels.last_mut() {
        let Some(tree) = top.tokens.next() else {
            levels.pop();
            continue;
        };
        top.run += 1;
        let depth = top.base + top.run;
        if depth > MAX_DEPTH && !top.raw {
            return Some(tree.span());
        }
        let is_macro = std::mem::take(&mut after_bang);
        match &tree {
            TokenTree::Punct(p) if matches!(p.as_char(), ';' | ',') => top.run = 0,
            TokenTree::Punct(p) => after_bang = p.as_char() == '!',
            // `macro_rules! name { … }`
            TokenTree::Ident(_) => after_bang = is_macro,
            TokenTree::Literal(_) => {}
            TokenTree::Group(g) => {
                let goes_on = match top.tokens.peek() {
                    Some(TokenTree::Punct(p)) => p.as_char() != '#',
                    Some(TokenTree::Ident(i)) => i == "else" || i == "as",
                    _ => false,
                };
                if g.delimiter() == Delimiter::Brace && !goes_on {
                    top.run = 0;
                }
                let raw = top.raw || is_macro;
                if levels.len() as u32 > MAX_BRACKETS {
                    return Some(g.span_open());
                }
                levels.push(level(g.stream(), depth, raw));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::too_deep;

    fn deep(text: &str) -> bool {
        too_deep(text.parse().unwrap_or_else(|e| panic!("{e}"))).is_some()
    }

    #[test]
    fn depth_is_bounded_in_every_direction() {
        assert!(deep(&("(".repeat(1000) + &")".repeat(1000))));
        assert!(deep(&format!("m!{}{}", "(".repeat(1000), ")".repeat(1000))));
        assert!(deep(&"!".repeat(5000)));
        assert!(deep(&"a + ".repeat(5000)));
        assert!(deep(&("if a {} else ".repeat(5000) + "{}")));
        assert!(deep(&"a.b()".repeat(5000)));
    }

    #[test]
    fn long_is_not_deep() {
        assert!(!deep(&"fn f(a: u8, b: u8) -> u8 { a + b }".repeat(5000)));
        assert!(!deep(&"a = b + c;".repeat(5000)));
        assert!(!deep(&format!("const T: &[u8] = &[{}];", "1, ".repeat(5000))));
        assert!(!deep(&format!("match op {{ {} }}", "Op::A(x) => { x } ".repeat(5000))));
        assert!(!deep(&format!("code! {{ {} }}", "push 1 ".repeat(5000))));
    }
}
