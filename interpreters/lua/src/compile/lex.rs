//! From source bytes to tokens.
//!
//! In: any bytes. Out: one token after the other, with its line; names are slices of the source. Guarantees: every input ends, in
//! `End` or in an error; nothing is read twice.

use std::borrow::Cow;

use super::SyntaxError;
use crate::number;

/// A token; keywords and symbols are their own kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'s> {
    And,
    Break,
    Do,
    Else,
    Elseif,
    End,
    False,
    For,
    Function,
    Goto,
    If,
    In,
    Local,
    Nil,
    Not,
    Or,
    Repeat,
    Return,
    Then,
    True,
    Until,
    While,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Caret,
    Hash,
    Ampersand,
    Tilde,
    Pipe,
    ShiftLeft,
    ShiftRight,
    DoubleSlash,
    Equal,
    NotEqual,
    LessEqual,
    GreaterEqual,
    Less,
    Greater,
    Assign,
    OpenParen,
    CloseParen,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    DoubleColon,
    Semicolon,
    Colon,
    Comma,
    Dot,
    Concat,
    Dots,
    Int(i64),
    Float(f64),
    String(Cow<'s, [u8]>),
    Name(&'s [u8]),
    Eof,
}

/// Keywords and their tokens.
const KEYWORDS: &[(&[u8], Token<'static>)] = &[
    (b"and", Token::And),
    (b"break", Token::Break),
    (b"do", Token::Do),
    (b"else", Token::Else),
    (b"elseif", Token::Elseif),
    (b"end", Token::End),
    (b"false", Token::False),
    (b"for", Token::For),
    (b"function", Token::Function),
    (b"goto", Token::Goto),
    (b"if", Token::If),
    (b"in", Token::In),
    (b"local", Token::Local),
    (b"nil", Token::Nil),
    (b"not", Token::Not),
    (b"or", Token::Or),
    (b"repeat", Token::Repeat),
    (b"return", Token::Return),
    (b"then", Token::Then),
    (b"true", Token::True),
    (b"until", Token::Until),
    (b"while", Token::While),
];

fn keyword(name: &[u8]) -> Option<Token<'static>> {
    if !(2..=8).contains(&name.len()) || !(b'a'..=b'w').contains(&name[0]) {
        return None;
    }
    KEYWORDS.iter().find(|(word, _)| *word == name).map(|(_, token)| token.clone())
}

/// Symbols as they are written, for messages.
fn symbol(token: &Token) -> &'static str {
    match token {
        Token::Plus => "+",
        Token::Minus => "-",
        Token::Star => "*",
        Token::Slash => "/",
        Token::Percent => "%",
        Token::Caret => "^",
        Token::Hash => "#",
        Token::Ampersand => "&",
        Token::Tilde => "~",
        Token::Pipe => "|",
        Token::ShiftLeft => "<<",
        Token::ShiftRight => ">>",
        Token::DoubleSlash => "//",
        Token::Equal => "==",
        Token::NotEqual => "~=",
        Token::LessEqual => "<=",
        Token::GreaterEqual => ">=",
        Token::Less => "<",
        Token::Greater => ">",
        Token::Assign => "=",
        Token::OpenParen => "(",
        Token::CloseParen => ")",
        Token::OpenBrace => "{",
        Token::CloseBrace => "}",
        Token::OpenBracket => "[",
        Token::CloseBracket => "]",
        Token::DoubleColon => "::",
        Token::Semicolon => ";",
        Token::Colon => ":",
        Token::Comma => ",",
        Token::Dot => ".",
        Token::Concat => "..",
        Token::Dots => "...",
        Token::Name(_) => "<name>",
        Token::Int(_) | Token::Float(_) => "<number>",
        Token::String(_) => "<string>",
        _ => "<eof>",
    }
}

/// How a kind of token is called in messages.
pub fn kind_name(token: &Token) -> String {
    match KEYWORDS.iter().find(|(_, keyword)| keyword == token) {
        Some((word, _)) => String::from_utf8_lossy(word).into_owned(),
        None => symbol(token).to_string(),
    }
}

/// A reader of tokens.
pub struct Lexer<'s> {
    source: &'s [u8],
    at: usize,
    /// Where the current token begins.
    start: usize,
    /// The line that is read.
    pub line: u32,
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'s> Lexer<'s> {
    pub fn new(source: &'s [u8]) -> Lexer<'s> {
        Lexer { source, at: 0, start: 0, line: 1 }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// The text of the token that was read last.
    pub fn text(&self) -> &'s [u8] {
        &self.source[self.start..self.at]
    }

    /// An error at what is read, with that in the message.
    fn error(&self, message: &str) -> SyntaxError {
        self.error_near(message, Some(self.text()))
    }

    pub fn error_near(&self, message: &str, near: Option<&[u8]>) -> SyntaxError {
        let mut text = message.as_bytes().to_vec();
        if let Some(near) = near {
            text.extend_from_slice(b" near '");
            text.extend_from_slice(near);
            text.push(b'\'');
        }
        SyntaxError { line: self.line, text }
    }

    fn error_at_end(&self, message: &str) -> SyntaxError {
        SyntaxError { line: self.line, text: format!("{message} near <eof>").into_bytes() }
    }

    /// Reads an end of line, of one or two bytes.
    fn newline(&mut self, first: u8) {
        if let Some(second @ (b'\n' | b'\r')) = self.peek()
            && second != first
        {
            self.at += 1;
        }
        self.line += 1;
    }

    /// The next token.
    pub fn next(&mut self) -> Result<Token<'s>, SyntaxError> {
        loop {
            self.start = self.at;
            let Some(byte) = self.peek() else { return Ok(Token::Eof) };
            self.at += 1;
            let token = match byte {
                b'\n' | b'\r' => {
                    self.newline(byte);
                    continue;
                }
                b' ' | b'\t' | 0x0B | 0x0C => continue,
                b'-' if self.eat(b'-') => {
                    self.comment()?;
                    continue;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    while self.peek().is_some_and(is_name) {
                        self.at += 1;
                    }
                    let name = self.text();
                    keyword(name).unwrap_or(Token::Name(name))
                }
                b'0'..=b'9' => self.number()?,
                b'.' if self.peek().is_some_and(|byte| byte.is_ascii_digit()) => self.number()?,
                b'"' | b'\'' => self.string(byte)?,
                b'[' => match self.long_bracket() {
                    Some(level) => Token::String(self.long_string(level, "string")?.into()),
                    None if self.peek() == Some(b'=') => {
                        while self.eat(b'=') {}
                        return Err(self.error("invalid long string delimiter"));
                    }
                    None => Token::OpenBracket,
                },
                _ => self.symbol(byte)?,
            };
            return Ok(token);
        }
    }

    fn symbol(&mut self, byte: u8) -> Result<Token<'s>, SyntaxError> {
        if matches!(byte, b'<' | b'>') && self.eat(byte) {
            return Ok(if byte == b'<' { Token::ShiftLeft } else { Token::ShiftRight });
        }
        let mut either = |next: u8, long, short| if self.eat(next) { long } else { short };
        Ok(match byte {
            b'+' => Token::Plus,
            b'-' => Token::Minus,
            b'*' => Token::Star,
            b'/' => either(b'/', Token::DoubleSlash, Token::Slash),
            b'%' => Token::Percent,
            b'^' => Token::Caret,
            b'#' => Token::Hash,
            b'&' => Token::Ampersand,
            b'~' => either(b'=', Token::NotEqual, Token::Tilde),
            b'|' => Token::Pipe,
            b'<' => either(b'=', Token::LessEqual, Token::Less),
            b'>' => either(b'=', Token::GreaterEqual, Token::Greater),
            b'=' => either(b'=', Token::Equal, Token::Assign),
            b'(' => Token::OpenParen,
            b')' => Token::CloseParen,
            b'{' => Token::OpenBrace,
            b'}' => Token::CloseBrace,
            b']' => Token::CloseBracket,
            b':' => either(b':', Token::DoubleColon, Token::Colon),
            b';' => Token::Semicolon,
            b',' => Token::Comma,
            b'.' => {
                if !self.eat(b'.') {
                    Token::Dot
                } else if self.eat(b'.') {
                    Token::Dots
                } else {
                    Token::Concat
                }
            }
            other => {
                let near = match other {
                    // As the reference: its message ends there.
                    0 => String::new(),
                    _ if other.is_ascii_graphic() => format!(" near '{}'", other as char),
                    _ => format!(" near '<\\{other}>'"),
                };
                return Err(SyntaxError {
                    line: self.line,
                    text: format!("unexpected symbol{near}").into_bytes(),
                });
            }
        })
    }

    fn comment(&mut self) -> Result<(), SyntaxError> {
        if self.eat(b'[')
            && let Some(level) = self.long_bracket()
        {
            self.long_string(level, "comment")?;
            return Ok(());
        }
        while self.peek().is_some_and(|byte| byte != b'\n' && byte != b'\r') {
            self.at += 1;
        }
        Ok(())
    }

    /// Behind a `[`: reads `=*[` and returns how many `=`, or reads nothing.
    fn long_bracket(&mut self) -> Option<usize> {
        let level = self.source[self.at..].iter().take_while(|&&byte| byte == b'=').count();
        if self.source.get(self.at + level) != Some(&b'[') {
            return None;
        }
        self.at += level + 1;
        Some(level)
    }

    fn long_string(&mut self, level: usize, what: &str) -> Result<Vec<u8>, SyntaxError> {
        let first = self.line;
        let mut text = Vec::new();
        if let Some(byte @ (b'\n' | b'\r')) = self.peek() {
            self.at += 1;
            self.newline(byte);
        }
        loop {
            let Some(byte) = self.peek() else {
                return Err(self.error_at_end(&format!("unfinished long {what} (starting at line {first})")));
            };
            self.at += 1;
            match byte {
                b']' => {
                    let rest = &self.source[self.at..];
                    if rest.len() > level && rest[level] == b']' && rest[..level].iter().all(|&b| b == b'=') {
                        self.at += level + 1;
                        return Ok(text);
                    }
                    text.push(byte);
                }
                b'\n' | b'\r' => {
                    self.newline(byte);
                    text.push(b'\n');
                }
                _ => text.push(byte),
            }
        }
    }

    fn number(&mut self) -> Result<Token<'s>, SyntaxError> {
        let hexadecimal = self.source[self.start] == b'0' && matches!(self.peek(), Some(b'x' | b'X'));
        let exponents: &[u8] = if hexadecimal { b"pP" } else { b"eE" };
        while let Some(byte) = self.peek() {
            if exponents.contains(&byte) {
                self.at += 1;
                if let Some(b'+' | b'-') = self.peek() {
                    self.at += 1;
                }
            } else if is_name(byte) || byte == b'.' {
                self.at += 1;
            } else {
                break;
            }
        }
        match number::parse(self.text()) {
            Some(number::Number::Int(int)) => Ok(Token::Int(int)),
            Some(number::Number::Float(float)) => Ok(Token::Float(float)),
            None => Err(self.error("malformed number")),
        }
    }

    fn string(&mut self, quote: u8) -> Result<Token<'s>, SyntaxError> {
        let begin = self.at;
        while let Some(byte) = self.peek() {
            if byte == quote {
                let text = &self.source[begin..self.at];
                self.at += 1;
                return Ok(Token::String(Cow::Borrowed(text)));
            }
            if matches!(byte, b'\\' | b'\n' | b'\r') {
                break;
            }
            self.at += 1;
        }
        let mut text = self.source[begin..self.at].to_vec();
        loop {
            let Some(byte) = self.peek() else { return Err(self.error_at_end("unfinished string")) };
            match byte {
                b'\n' | b'\r' => return Err(self.error("unfinished string")),
                b'\\' => {
                    self.at += 1;
                    self.escape(&mut text)?;
                }
                _ => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(Token::String(Cow::Owned(text)));
                    }
                    text.push(byte);
                }
            }
        }
    }

    /// An error in an escape sequence: the byte that is wrong is part of the message.
    fn escape_error(&mut self, message: &str) -> SyntaxError {
        if self.peek().is_some() {
            self.at += 1;
        }
        self.error(message)
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        let Some(byte) = self.peek() else { return Err(self.error_at_end("unfinished string")) };
        let plain = match byte {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' | b'"' | b'\'' => byte,
            b'\n' | b'\r' => {
                self.at += 1;
                self.newline(byte);
                text.push(b'\n');
                return Ok(());
            }
            b'x' => {
                self.at += 1;
                let mut value = 0;
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|byte| (byte as char).to_digit(16)) else {
                        return Err(self.escape_error("hexadecimal digit expected"));
                    };
                    value = value * 16 + digit as u8;
                    self.at += 1;
                }
                text.push(value);
                return Ok(());
            }
            b'z' => {
                self.at += 1;
                while let Some(byte) = self.peek() {
                    match byte {
                        b'\n' | b'\r' => {
                            self.at += 1;
                            self.newline(byte);
                        }
                        b' ' | b'\t' | 11 | 12 => self.at += 1,
                        _ => break,
                    }
                }
                return Ok(());
            }
            b'u' => return self.utf8_escape(text),
            b'0'..=b'9' => {
                let mut value = 0;
                for _ in 0..3 {
                    let Some(digit @ b'0'..=b'9') = self.peek() else { break };
                    value = value * 10 + u32::from(digit - b'0');
                    self.at += 1;
                }
                let Ok(value) = u8::try_from(value) else {
                    return Err(self.escape_error("decimal escape too large"));
                };
                text.push(value);
                return Ok(());
            }
            _ => return Err(self.escape_error("invalid escape sequence")),
        };
        self.at += 1;
        text.push(plain);
        Ok(())
    }

    fn utf8_escape(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        self.at += 1;
        if !self.eat(b'{') {
            return Err(self.escape_error("missing '{'"));
        }
        let mut value: u64 = 0;
        let mut digits = 0;
        while let Some(digit) = self.peek().and_then(|byte| (byte as char).to_digit(16)) {
            value = value * 16 + u64::from(digit);
            if value > 0x7FFF_FFFF {
                return Err(self.escape_error("UTF-8 value too large"));
            }
            digits += 1;
            self.at += 1;
        }
        if digits == 0 {
            return Err(self.escape_error("hexadecimal digit expected"));
        }
        if !self.eat(b'}') {
            return Err(self.escape_error("missing '}'"));
        }
        crate::number::push_utf8(text, value as u32);
        Ok(())
    }
}
