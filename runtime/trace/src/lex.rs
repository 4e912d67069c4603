//! Splits the text form into tokens, with their places.

use crate::parse::ParseError;

type Result<T> = std::result::Result<T, ParseError>;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Letters, digits, `_` and `%`, not starting with a digit.
    Word(&'a str),
    /// Something that starts like a number.
    Number(&'a str),
    /// A string, without quotes and escapes.
    Str(String),
    /// A note, trimmed.
    Note(&'a str),
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Comma,
    Equals,
    At,
    /// `->`
    Arrow,
    /// `=>`
    Recorded,
    End,
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Token::Word(text) | Token::Number(text) => text,
            Token::Str(_) => "a string",
            Token::Note(_) => "a note",
            Token::Open => "(",
            Token::Close => ")",
            Token::OpenBracket => "[",
            Token::CloseBracket => "]",
            Token::OpenBrace => "{",
            Token::CloseBrace => "}",
            Token::Comma => ",",
            Token::Equals => "=",
            Token::At => "@",
            Token::Arrow => "->",
            Token::Recorded => "=>",
            Token::End => return f.write_str("the end of the text"),
        };
        write!(f, "`{text}`")
    }
}

/// The tokens of a text; there is always one more to look at, at last [`Token::End`].
pub(crate) struct Lexer<'a> {
    tokens: Vec<(Token<'a>, u32, u32)>,
    next: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Result<Lexer<'a>> {
        let mut tokens = Vec::new();
        let mut line = 0;
        for (n, content) in text.lines().enumerate() {
            line = n as u32 + 1;
            lex_line(content, line, &mut tokens)?;
        }
        tokens.push((Token::End, line + 1, 1));
        Ok(Lexer { tokens, next: 0 })
    }

    pub(crate) fn peek(&self) -> &Token<'a> {
        &self.tokens[self.next].0
    }

    /// Moves past the token last looked at; the end stays.
    pub(crate) fn advance(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        if token != Token::End {
            self.next += 1;
        }
        token
    }

    pub(crate) fn at_end(&self) -> bool {
        *self.peek() == Token::End
    }

    pub(crate) fn eat(&mut self, token: &Token<'a>) -> bool {
        let found = self.peek() == token;
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if *found == word);
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn expect(&mut self, token: Token<'a>) -> Result<()> {
        if self.eat(&token) { Ok(()) } else { self.unexpected(&token.to_string()) }
    }

    pub(crate) fn keyword(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word) { Ok(()) } else { self.unexpected(&format!("`{word}`")) }
    }

    pub(crate) fn word(&mut self, what: &str) -> Result<&'a str> {
        match *self.peek() {
            Token::Word(word) => {
                self.advance();
                Ok(word)
            }
            _ => self.unexpected(what),
        }
    }

    pub(crate) fn string(&mut self) -> Result<String> {
        match self.peek() {
            Token::Str(text) => {
                let text = text.clone();
                self.advance();
                Ok(text)
            }
            _ => self.unexpected("a string"),
        }
    }

    pub(crate) fn unexpected<T>(&self, what: &str) -> Result<T> {
        self.fail(format!("expected {what}, not {}", self.peek()))
    }

    /// An error at the next token.
    pub(crate) fn fail<T>(&self, reason: String) -> Result<T> {
        let (_, line, column) = self.tokens[self.next];
        Err(ParseError { line, column, reason })
    }

    /// An error at the token before the next.
    pub(crate) fn fail_last<T>(&self, reason: String) -> Result<T> {
        let (_, line, column) = self.tokens[self.next.saturating_sub(1)];
        Err(ParseError { line, column, reason })
    }
}

fn lex_line<'a>(content: &'a str, line: u32, tokens: &mut Vec<(Token<'a>, u32, u32)>) -> Result<()> {
    let mut rest = content;
    let mut column = 1;
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            c if c.is_whitespace() => (None, c.len_utf8()),
            '#' => return Ok(()),
            ';' => (Some(Token::Note(rest[1..].trim())), rest.len()),
            '(' => (Some(Token::Open), 1),
            ')' => (Some(Token::Close), 1),
            '[' => (Some(Token::OpenBracket), 1),
            ']' => (Some(Token::CloseBracket), 1),
            '{' => (Some(Token::OpenBrace), 1),
            '}' => (Some(Token::CloseBrace), 1),
            ',' => (Some(Token::Comma), 1),
            '@' => (Some(Token::At), 1),
            '=' if rest.starts_with("=>") => (Some(Token::Recorded), 2),
            '=' => (Some(Token::Equals), 1),
            '-' if rest.starts_with("->") => (Some(Token::Arrow), 2),
            '"' => {
                let Some((text, length)) = lex_string(rest) else {
                    let reason = "this string has no end on its line, or a wrong escape".to_string();
                    return Err(ParseError { line, column, reason });
                };
                (Some(Token::Str(text)), length)
            }
            c if c.is_ascii_digit() || c == '-' => {
                let length = number_length(rest);
                (Some(Token::Number(&rest[..length])), length)
            }
            c if c.is_ascii_alphabetic() || c == '_' || c == '%' => {
                let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '%');
                let length = rest.find(is_end).unwrap_or(rest.len());
                (Some(Token::Word(&rest[..length])), length)
            }
            c => {
                let reason = format!("unexpected character `{}`", c.escape_debug());
                return Err(ParseError { line, column, reason });
            }
        };
        if let Some(token) = token {
            tokens.push((token, line, column));
        }
        column += rest[..length].chars().count() as u32;
        rest = &rest[length..];
    }
    Ok(())
}

/// The text of the string that `rest` starts with, and the bytes it takes there.
fn lex_string(rest: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                c @ ('"' | '\\') => text.push(c),
                _ => return None,
            },
            c => text.push(c),
        }
    }
    None
}

/// The bytes of the number that `rest` starts with: a sign may stand at its start and after a decimal exponent.
fn number_length(rest: &str) -> usize {
    let mut previous = '-';
    let is_hex = rest.starts_with("0x");
    for (at, c) in rest.char_indices() {
        let is_sign = at == 0 || (!is_hex && previous == 'e');
        if !(c.is_ascii_alphanumeric() || c == '.' || (is_sign && (c == '-' || c == '+'))) {
            return at;
        }
        previous = c;
    }
    rest.len()
}
