//! Words, numbers, strings and signs of the flow text form.

use crate::flow::parse::ParseError;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word or path; also a name in backquotes.
    Word(String),
    /// Digits, decimal or `0x`.
    Number(u128),
    /// A quoted string.
    Text(String),
    /// `->` or a single character.
    Sign(&'static str),
}

const SIGNS: [&str; 20] =
    ["->", "(", ")", "{", "}", "[", "]", "<", ">", ":", ";", ",", ".", "=", "&", "*", "!", "@", "-", "#"];

/// Cuts a text into tokens with their lines (from 1). Comments start with `//` and end with the line.
pub(super) fn lex(text: &str) -> Result<Vec<(Token, u32)>, ParseError> {
    let mut out = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index as u32 + 1;
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with("//") {
            let (token, after) = next(rest)
                .ok_or_else(|| ParseError { line: number, message: format!("cannot read `{rest}`") })?;
            out.push((token, number));
            rest = after.trim_start();
        }
    }
    Ok(out)
}

fn next(text: &str) -> Option<(Token, &str)> {
    let first = text.chars().next()?;
    if first == '"' {
        return string(text);
    }
    if first == '`' {
        let end = text[1..].find('`')? + 1;
        return Some((Token::Word(text[1..end].to_string()), &text[end + 1..]));
    }
    if first.is_ascii_digit() {
        if let Some(hex) = text.strip_prefix("0x") {
            let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
            return Some((Token::Number(u128::from_str_radix(&hex[..end], 16).ok()?), &hex[end..]));
        }
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        return Some((Token::Number(text[..end].parse().ok()?), &text[end..]));
    }
    if first.is_alphabetic() || first == '_' {
        return Some(word(text));
    }
    let sign = SIGNS.iter().find(|sign| text.starts_with(**sign))?;
    Some((Token::Sign(sign), &text[sign.len()..]))
}

/// A word with its `::`s; a single colon ends it.
fn word(text: &str) -> (Token, &str) {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        end += len;
        let after = &text[end..];
        let continues =
            after.strip_prefix("::").is_some_and(|t| t.starts_with(|c: char| c.is_alphabetic() || c == '_'));
        if !continues {
            return (Token::Word(text[..end].to_string()), after);
        }
        end += 2;
    }
}

/// A string as `{:?}` writes it.
fn string(text: &str) -> Option<(Token, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Token::Text(out), &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                '0' => out.push('\0'),
                'u' => {
                    let digits: String =
                        chars.by_ref().skip(1).map(|(_, c)| c).take_while(|&c| c != '}').collect();
                    out.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    None
}
