//! `macro_rules!`: matching and substitution over tokens. Fragments are parsed by syn; every token of the output keeps
//! the span it came from.

use std::collections::HashMap;

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};

use super::MARK;

/// One element of a rule's left side.
#[derive(Clone, Debug)]
enum Matcher {
    Token(TokenTree),
    Var { name: String, fragment: String },
    Repeat { inner: Vec<Matcher>, separator: Vec<TokenTree>, op: char },
    Group(Delimiter, Vec<Matcher>),
}

/// One element of a rule's right side.
#[derive(Clone, Debug)]
enum Output {
    Token(TokenTree),
    Var(Ident),
    Repeat { inner: Vec<Output>, separator: Vec<TokenTree>, span: Span },
    Group(Delimiter, Vec<Output>, Span),
}

/// What a variable stands for.
#[derive(Clone, Debug)]
enum Binding {
    One(TokenStream),
    Many(Vec<Binding>),
}

type Bindings = HashMap<String, Binding>;

/// What a variable of a macro can stand for.
const FRAGMENTS: &[&str] = &[
    "block",
    "expr",
    "expr_2021",
    "ident",
    "item",
    "lifetime",
    "literal",
    "meta",
    "pat",
    "pat_param",
    "path",
    "stmt",
    "tt",
    "ty",
    "vis",
];

/// A macro's rules.
#[derive(Debug)]
pub struct Rules(Vec<(Vec<Matcher>, Vec<Output>)>);

impl Rules {
    /// Reads a definition's body. `home` is what its `$crate` stands for, if other crates may use it.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn parse(definition: TokenStream, home: Option<&str>) -> syn::Result<Rules> {
        let trees: Vec<TokenTree> = definition.into_iter().collect();
        let mut rules = Vec::new();
        let mut i = 0;
        while i < trees.len() {
            let at = trees[i].span();
            let malformed = || syn::Error::new(at, "expected a rule `(pattern) => { output }`");
            let arrow = is_punct(trees.get(i + 1), '=') && is_punct(trees.get(i + 2), '>');
            match (&trees[i], trees.get(i + 3)) {
                (TokenTree::Group(left), Some(TokenTree::Group(right))) if arrow => {
                    rules.push((matchers(left.stream())?, outputs(right.stream(), home)?));
                }
                _ => return Err(malformed()),
            }
            i += 4;
            if is_punct(trees.get(i), ';') {
                i += 1;
            }
        }
        Ok(Rules(rules))
    }

    /// Expands a use. `id` numbers the expansion; identifiers from the definition are marked with it.
    ///
    /// # Errors
    /// If no rule matches, with the reason of the rule that came furthest.
    pub fn expand(&self, argument: TokenStream, id: usize) -> syn::Result<TokenStream> {
        let mut errors = Vec::new();
        for (left, right) in &self.0 {
            let attempt = |input: ParseStream<'_>| {
                let bindings = match_all(left, input)?;
                if input.is_empty() { Ok(bindings) } else { Err(input.error("no rule expects this token")) }
            };
            match attempt.parse2(argument.clone()) {
                Ok(bindings) => return substitute(right, &[&bindings], Some(id)),
                Err(e) => errors.push(e),
            }
        }
        Err(errors.pop().unwrap_or_else(|| syn::Error::new(Span::call_site(), "the macro has no rules")))
    }
}

fn is_punct(tree: Option<&TokenTree>, c: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(p)) if p.as_char() == c)
}

/// Reads separator and operator after `$( … )`; gives them and the index behind.
fn repeat_tail(trees: &[TokenTree], mut i: usize, at: Span) -> syn::Result<(Vec<TokenTree>, char, usize)> {
    let op = |t: Option<&TokenTree>| match t {
        Some(TokenTree::Punct(p)) if matches!(p.as_char(), '*' | '+' | '?') => Some(p.as_char()),
        _ => None,
    };
    let mut separator = Vec::new();
    if op(trees.get(i)).is_none() || op(trees.get(i)) == Some('+') && op(trees.get(i + 1)).is_some() {
        separator.extend(trees.get(i).cloned());
        i += 1;
    }
    // `&&`, `=>`
    while op(trees.get(i)).is_none() && matches!(trees.get(i), Some(TokenTree::Punct(_))) {
        separator.extend(trees.get(i).cloned());
        i += 1;
    }
    match op(trees.get(i)) {
        Some(op) => Ok((separator, op, i + 1)),
        None => Err(syn::Error::new(at, "a repetition ends with `*`, `+` or `?`")),
    }
}

fn matchers(stream: TokenStream) -> syn::Result<Vec<Matcher>> {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < trees.len() {
        match &trees[i] {
            TokenTree::Punct(p) if p.as_char() == '$' => match trees.get(i + 1) {
                Some(TokenTree::Ident(n)) if n == "crate" => {
                    out.push(Matcher::Token(TokenTree::Ident(n.clone())));
                    i += 2;
                }
                Some(TokenTree::Ident(n)) => match (is_punct(trees.get(i + 2), ':'), trees.get(i + 3)) {
                    (true, Some(TokenTree::Ident(f))) if !FRAGMENTS.iter().any(|known| f == known) => {
                        return Err(syn::Error::new(f.span(), format!("unknown fragment `{f}`")));
                    }
                    (true, Some(TokenTree::Ident(f))) => {
                        out.push(Matcher::Var { name: n.to_string(), fragment: f.to_string() });
                        i += 4;
                    }
                    _ => {
                        return Err(syn::Error::new(
                            n.span(),
                            "a macro variable needs a fragment: `$x:expr`",
                        ));
                    }
                },
                Some(TokenTree::Group(g)) => {
                    let (separator, op, next) = repeat_tail(&trees, i + 2, g.span())?;
                    out.push(Matcher::Repeat { inner: matchers(g.stream())?, separator, op });
                    i = next;
                }
                _ => return Err(syn::Error::new(p.span(), "expected a variable or repetition after `$`")),
            },
            TokenTree::Group(g) => {
                out.push(Matcher::Group(g.delimiter(), matchers(g.stream())?));
                i += 1;
            }
            other => {
                out.push(Matcher::Token(other.clone()));
                i += 1;
            }
        }
    }
    Ok(out)
}

fn outputs(stream: TokenStream, home: Option<&str>) -> syn::Result<Vec<Output>> {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < trees.len() {
        match &trees[i] {
            TokenTree::Punct(p) if p.as_char() == '$' => match trees.get(i + 1) {
                Some(TokenTree::Ident(n)) => {
                    if n == "crate" {
                        let home = home.map_or(n.clone(), |home| Ident::new(home, n.span()));
                        out.push(Output::Token(TokenTree::Ident(home)));
                    } else {
                        out.push(Output::Var(n.clone()));
                    }
                    i += 2;
                }
                Some(TokenTree::Group(g)) => {
                    let (separator, _, next) = repeat_tail(&trees, i + 2, g.span())?;
                    out.push(Output::Repeat { inner: outputs(g.stream(), home)?, separator, span: g.span() });
                    i = next;
                }
                _ => return Err(syn::Error::new(p.span(), "expected a variable or repetition after `$`")),
            },
            TokenTree::Group(g) => {
                out.push(Output::Group(g.delimiter(), outputs(g.stream(), home)?, g.span()));
                i += 1;
            }
            other => {
                out.push(Output::Token(other.clone()));
                i += 1;
            }
        }
    }
    Ok(out)
}

/// Parses one fragment; expressions, types and patterns stay one unit by an invisible group.
fn fragment(kind: &str, s: ParseStream<'_>) -> syn::Result<TokenStream> {
    let unit = |t: TokenStream| TokenTree::Group(Group::new(Delimiter::None, t)).into();
    Ok(match kind {
        "expr" | "expr_2021" => {
            let e: syn::Expr = s.parse()?;
            match &e {
                syn::Expr::Path(_) | syn::Expr::Lit(_) => e.to_token_stream(),
                _ => unit(e.to_token_stream()),
            }
        }
        "ty" => {
            let t: syn::Type = s.parse()?;
            match &t {
                syn::Type::Path(_) => t.to_token_stream(),
                _ => unit(t.to_token_stream()),
            }
        }
        "pat" => syn::Pat::parse_multi_with_leading_vert(s)?.to_token_stream(),
        "pat_param" => syn::Pat::parse_single(s)?.to_token_stream(),
        "path" => s.parse::<syn::Path>()?.to_token_stream(),
        "ident" => s.call(Ident::parse_any)?.to_token_stream(),
        "literal" => {
            let minus: Option<syn::Token![-]> = s.parse()?;
            let lit: syn::Lit = s.parse()?;
            let mut t = minus.to_token_stream();
            lit.to_tokens(&mut t);
            t
        }
        "tt" => token_tree(s)?,
        "block" => s.parse::<syn::Block>()?.to_token_stream(),
        "lifetime" => s.parse::<syn::Lifetime>()?.to_token_stream(),
        "item" => s.parse::<syn::Item>()?.to_token_stream(),
        "vis" => s.parse::<syn::Visibility>()?.to_token_stream(),
        "meta" => s.parse::<syn::Meta>()?.to_token_stream(),
        "stmt" => s.parse::<syn::Stmt>()?.to_token_stream(),
        _ => return Err(s.error(format!("unknown fragment `{kind}`"))),
    })
}

/// Operators that are one token tree to a macro although they are several characters to proc-macro2.
const JOINED: &[&str] = &[
    "<<=", ">>=", "...", "..=", "->", "=>", "::", "..", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "+=",
    "-=", "*=", "/=", "%=", "^=", "&=", "|=",
];

fn token_tree(s: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut ahead = Vec::new();
    let fork = s.fork();
    while ahead.len() < 3 {
        match fork.parse::<TokenTree>() {
            Ok(TokenTree::Punct(p)) => {
                let joint = p.spacing() == Spacing::Joint;
                ahead.push(p.as_char());
                if !joint {
                    break;
                }
            }
            _ => break,
        }
    }
    let text: String = ahead.into_iter().collect();
    let count = JOINED.iter().find(|j| text.starts_with(**j)).map_or(1, |j| j.len());
    let mut out = TokenStream::new();
    for _ in 0..count {
        out.extend([s.parse::<TokenTree>()?]);
    }
    Ok(out)
}

fn same_token(a: &TokenTree, b: &TokenTree) -> bool {
    match (a, b) {
        (TokenTree::Ident(a), TokenTree::Ident(b)) => {
            super::unmarked(&a.to_string()) == super::unmarked(&b.to_string())
        }
        (TokenTree::Punct(a), TokenTree::Punct(b)) => a.as_char() == b.as_char(),
        (TokenTree::Literal(a), TokenTree::Literal(b)) => a.to_string() == b.to_string(),
        _ => false,
    }
}

fn match_token(t: &TokenTree, s: ParseStream<'_>) -> syn::Result<()> {
    s.step(|cursor| match cursor.token_tree() {
        Some((found, rest)) if same_token(t, &found) => Ok(((), rest)),
        _ => Err(cursor.error(format!("expected `{t}`"))),
    })
}

fn match_all(pattern: &[Matcher], s: ParseStream<'_>) -> syn::Result<Bindings> {
    let mut bindings = Bindings::new();
    for (i, m) in pattern.iter().enumerate() {
        match m {
            Matcher::Token(t) => match_token(t, s)?,
            Matcher::Var { name, fragment: kind } => {
                bindings.insert(name.clone(), Binding::One(fragment(kind, s)?));
            }
            Matcher::Group(delimiter, inner) => {
                let group: Group = s.step(|cursor| match cursor.token_tree() {
                    Some((TokenTree::Group(g), rest)) if g.delimiter() == *delimiter => Ok((g, rest)),
                    _ => Err(cursor.error("expected a group in delimiters")),
                })?;
                let whole = |s: ParseStream<'_>| {
                    let b = match_all(inner, s)?;
                    if s.is_empty() { Ok(b) } else { Err(s.error("no rule expects this token")) }
                };
                bindings.extend(whole.parse2(group.stream())?);
            }
            Matcher::Repeat { inner, separator, op } => {
                let rest = &pattern[i + 1..];
                let turns = match_repeat(inner, separator, *op, rest, s)?;
                let mut names = Vec::new();
                variables(inner, &mut names);
                for name in names {
                    let column = turns.iter().filter_map(|t| t.get(&name).cloned()).collect();
                    bindings.insert(name, Binding::Many(column));
                }
            }
        }
    }
    Ok(bindings)
}

fn match_repeat(
    inner: &[Matcher],
    separator: &[TokenTree],
    op: char,
    rest: &[Matcher],
    s: ParseStream<'_>,
) -> syn::Result<Vec<Bindings>> {
    let mut turns = Vec::new();
    loop {
        if s.is_empty() || op == '?' && turns.len() == 1 {
            break;
        }
        let fork = s.fork();
        if !turns.is_empty() && separator.iter().any(|token| match_token(token, &fork).is_err()) {
            break;
        }
        // without a separator, the token that follows the repetition ends it
        if let ([], Some(Matcher::Token(next))) = (separator, rest.first())
            && match_token(next, &s.fork()).is_ok()
            && !matches!(inner.first(), Some(Matcher::Token(t)) if same_token(t, next))
        {
            break;
        }
        match match_all(inner, &fork) {
            Ok(_) => {
                if !turns.is_empty() {
                    separator.iter().try_for_each(|token| match_token(token, s))?;
                }
                turns.push(match_all(inner, s)?);
            }
            // what follows the repetition may begin where a turn cannot
            Err(_) if !rest.is_empty() => break,
            Err(e) => return Err(e),
        }
    }
    if op == '+' && turns.is_empty() { Err(s.error("expected at least one repetition")) } else { Ok(turns) }
}

fn variables(pattern: &[Matcher], out: &mut Vec<String>) {
    for m in pattern {
        match m {
            Matcher::Var { name, .. } => out.push(name.clone()),
            Matcher::Repeat { inner, .. } | Matcher::Group(_, inner) => variables(inner, out),
            Matcher::Token(_) => {}
        }
    }
}

fn used(output: &[Output], out: &mut Vec<String>) {
    for o in output {
        match o {
            Output::Var(name) => out.push(name.to_string()),
            Output::Repeat { inner, .. } | Output::Group(_, inner, _) => used(inner, out),
            Output::Token(_) => {}
        }
    }
}

/// Keywords are not marked: they are no names.
const KEYWORDS: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "Self",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "type",
    "unsafe",
    "use",
    "where",
    "while",
    "async",
    "await",
    "_",
    "raw",
    "static",
    "macro_rules",
    "union",
    "auto",
    "safe",
];

fn mark(t: &TokenTree, id: Option<usize>) -> TokenTree {
    let Some(id) = id else { return t.clone() };
    match t {
        TokenTree::Ident(i) => {
            let text = i.to_string();
            if text.starts_with("r#") || KEYWORDS.contains(&text.as_str()) {
                return t.clone();
            }
            TokenTree::Ident(Ident::new(&format!("{text}{MARK}{id}"), i.span()))
        }
        other => other.clone(),
    }
}

/// Without `id` nothing is marked: attributes name nothing that hygiene is about.
fn substitute(output: &[Output], env: &[&Bindings], id: Option<usize>) -> syn::Result<TokenStream> {
    let mut out = TokenStream::new();
    let lookup = |n: &str| env.iter().rev().find_map(|e| e.get(n));
    let mut hash = false;
    for o in output {
        let attribute = std::mem::replace(&mut hash, false);
        match o {
            Output::Token(t) => {
                hash = is_punct(Some(t), '#') || attribute && is_punct(Some(t), '!');
                out.extend([mark(t, id)]);
            }
            Output::Group(d, inner, span) => {
                let inner_id = if attribute && *d == Delimiter::Bracket { None } else { id };
                let mut g = Group::new(*d, substitute(inner, env, inner_id)?);
                g.set_span(*span);
                out.extend([TokenTree::Group(g)]);
            }
            Output::Var(name) => match lookup(&name.to_string()) {
                Some(Binding::One(t)) => out.extend(t.clone()),
                Some(Binding::Many(_)) => {
                    return Err(syn::Error::new(name.span(), "this variable repeats; use it in `$( … )*`"));
                }
                None => {
                    return Err(syn::Error::new(name.span(), "no such macro variable in this rule"));
                }
            },
            Output::Repeat { inner, separator, span } => {
                let mut names = Vec::new();
                used(inner, &mut names);
                let columns: Vec<(&String, &Vec<Binding>)> = names
                    .iter()
                    .filter_map(|n| match lookup(n) {
                        Some(Binding::Many(v)) => Some((n, v)),
                        _ => None,
                    })
                    .collect();
                let Some(count) = columns.iter().map(|(_, v)| v.len()).max() else {
                    return Err(syn::Error::new(*span, "this repetition uses no variable that repeats"));
                };
                if columns.iter().any(|(_, v)| v.len() != count) {
                    return Err(syn::Error::new(
                        *span,
                        "the variables of this repetition repeat a different number of times",
                    ));
                }
                for turn in 0..count {
                    if turn > 0 {
                        out.extend(separator.iter().cloned());
                    }
                    let layer: Bindings =
                        columns.iter().map(|(n, v)| ((*n).clone(), v[turn].clone())).collect();
                    let mut inner_env = env.to_vec();
                    inner_env.push(&layer);
                    out.extend(substitute(inner, &inner_env, id)?);
                }
            }
        }
    }
    Ok(out)
}
