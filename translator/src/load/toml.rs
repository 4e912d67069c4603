//! Reads TOML, as far as manifests need it.
//!
//! In: a text. Out: its values in order, each with its dotted path and the place of its key; tables inside of lines are taken apart,
//! so `a = { b = "c" }`, `a.b = "c"` and `[a]` with `b = "c"` are the same. Dates and numbers are kept as words. What is malformed
//! is an error with its place; nothing panics.

use std::ops::Range;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// `true`, a number, a date: as written.
    Word(String),
    /// The strings and words of an array.
    List(Vec<String>),
}

/// A key with its value, or the head of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The names on the way to it.
    pub path: Vec<String>,
    /// Its value; none for a table's head.
    pub value: Option<Value>,
    /// Where the key or head is written, in bytes.
    pub at: Range<usize>,
}

impl Entry {
    /// The value, if it is a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The strings of an array.
    pub fn list(&self) -> &[String] {
        match &self.value {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    /// Whether it is the word.
    pub fn is(&self, word: &str) -> bool {
        self.value == Some(Value::Word(word.to_string()))
    }

    /// Whether this is its path.
    pub fn is_at(&self, path: &[&str]) -> bool {
        self.path.iter().map(String::as_str).eq(path.iter().copied())
    }
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// In one line.
    pub message: &'static str,
    /// The byte.
    pub at: usize,
}

type Result<T> = std::result::Result<T, Malformed>;

/// Tables in tables in lines: more than any manifest has.
const DEEPEST: usize = 32;

/// Reads a text.
///
/// # Errors
/// The first thing that is no TOML.
pub fn parse(text: &str) -> Result<Vec<Entry>> {
    let mut p = Parser { text, at: 0, out: Vec::new() };
    let mut table = Vec::new();
    loop {
        p.blank(true);
        let start = p.at;
        match p.peek() {
            None => return Ok(p.out),
            Some('[') => {
                let double = p.text[p.at..].starts_with("[[");
                p.at += if double { 2 } else { 1 };
                table = p.key()?;
                p.expect(']', "this section has no end")?;
                if double {
                    p.expect(']', "this section has no end")?;
                }
                p.out.push(Entry { path: table.clone(), value: None, at: start..p.at });
            }
            Some(_) => p.pair(&table, 0)?,
        }
        p.blank(false);
        if !matches!(p.peek(), None | Some('\n' | '\r')) {
            return Err(Malformed { message: "the line should end here", at: p.at });
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    out: Vec<Entry>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn error<T>(&self, message: &'static str) -> Result<T> {
        Err(Malformed { message, at: self.at })
    }

    /// Skips spaces and comments, and on request the ends of lines.
    fn blank(&mut self, lines: bool) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' => _ = self.next(),
                '\n' | '\r' if lines => _ = self.next(),
                '#' => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                _ => break,
            }
        }
    }

    fn expect(&mut self, c: char, message: &'static str) -> Result<()> {
        self.blank(false);
        if self.peek() != Some(c) {
            return self.error(message);
        }
        self.at += c.len_utf8();
        Ok(())
    }

    /// A dotted key.
    fn key(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        loop {
            self.blank(false);
            names.push(match self.peek() {
                Some('"' | '\'') => self.string()?,
                _ => self.word(),
            });
            if names.last().is_some_and(String::is_empty) {
                return self.error("a name should stand here");
            }
            self.blank(false);
            if self.peek() != Some('.') {
                return Ok(names);
            }
            self.at += 1;
        }
    }

    fn word(&mut self) -> String {
        let rest = &self.text[self.at..];
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | ':');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_string()
    }

    fn string(&mut self) -> Result<String> {
        let rest = &self.text[self.at..];
        for quote in ["\"\"\"", "'''"] {
            if let Some(inner) = rest.strip_prefix(quote) {
                let Some(end) = inner.find(quote) else { return self.error("this string has no end") };
                self.at += end + 6;
                return Ok(inner[..end].to_string());
            }
        }
        let Some(quote) = self.next() else { return self.error("a string should stand here") };
        let mut out = String::new();
        loop {
            match self.next() {
                Some(c) if c == quote => return Ok(out),
                Some('\\') if quote == '"' => match self.next() {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some(c) => out.push(c),
                    None => return self.error("this string has no end"),
                },
                None | Some('\n') => return self.error("this string has no end"),
                Some(c) => out.push(c),
            }
        }
    }

    /// `key = value`, below `table`.
    fn pair(&mut self, table: &[String], depth: usize) -> Result<()> {
        let start = self.at;
        let key = self.key()?;
        let at = start..self.at;
        self.expect('=', "`=` should stand after a name")?;
        self.blank(false);
        let path = [table, &key].concat();
        if self.peek() == Some('{') {
            self.at += 1;
            self.out.push(Entry { path: path.clone(), value: None, at });
            return self.inline_table(&path, depth + 1);
        }
        let value = self.value(depth)?;
        self.out.push(Entry { path, value: Some(value), at });
        Ok(())
    }

    fn inline_table(&mut self, path: &[String], depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return self.error("tables are nested too deeply");
        }
        loop {
            self.blank(true);
            if self.peek() == Some('}') {
                self.at += 1;
                return Ok(());
            }
            self.pair(path, depth)?;
            self.blank(true);
            match self.next() {
                Some(',') => {}
                Some('}') => return Ok(()),
                _ => return self.error("this table has no end"),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        match self.peek() {
            Some('"' | '\'') => Ok(Value::Text(self.string()?)),
            Some('[') => self.list(depth + 1),
            _ => {
                let start = self.at;
                let rest = &self.text[start..];
                let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']' | '#');
                self.at += rest.find(is_end).unwrap_or(rest.len());
                if self.at == start {
                    return self.error("a value should stand here");
                }
                Ok(Value::Word(self.text[start..self.at].to_string()))
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value> {
        if depth > DEEPEST {
            return self.error("lists are nested too deeply");
        }
        self.at += 1;
        let mut out = Vec::new();
        loop {
            self.blank(true);
            match self.peek() {
                Some(']') => {
                    self.at += 1;
                    return Ok(Value::List(out));
                }
                // Tables in lists say nothing that is asked for here.
                Some('{') => {
                    let before = self.out.len();
                    self.at += 1;
                    self.inline_table(&[], depth)?;
                    self.out.truncate(before);
                }
                _ => match self.value(depth)? {
                    Value::Text(text) | Value::Word(text) => out.push(text),
                    Value::List(inner) => out.extend(inner),
                },
            }
            self.blank(true);
            match self.peek() {
                Some(',') => self.at += 1,
                Some(']') => {}
                _ => return self.error("this list has no end"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> Vec<String> {
        let show = |e: Entry| match e.value {
            Some(Value::Text(t)) => format!("{}={t:?}", e.path.join(".")),
            Some(Value::Word(w)) => format!("{}={w}", e.path.join(".")),
            Some(Value::List(l)) => format!("{}={l:?}", e.path.join(".")),
            None => format!("[{}]", e.path.join(".")),
        };
        parse(text).expect("TOML").into_iter().map(show).collect()
    }

    #[test]
    fn ways_to_write_one_thing_are_the_same() {
        let lines =
            ["[a.b]\nc = 'd'", "a.b.c = \"d\"", "a = { b = { c = \"d\" } } # e", "[a]\nb.c = \"d\"\n"];
        for text in lines {
            let values: Vec<String> = flat(text).into_iter().filter(|e| !e.starts_with('[')).collect();
            assert_eq!(values, ["a.b.c=\"d\""], "{text}");
        }
    }

    #[test]
    fn lists_run_over_lines() {
        assert_eq!(
            flat("f = [\n  \"a\", # first\n  'b/c',\n]\nx = true\r\n[[bin]]\nname = \"é\""),
            ["f=[\"a\", \"b/c\"]", "x=true", "[bin]", "bin.name=\"é\""]
        );
        assert_eq!(flat("l = [{ a = 1 }, 2, [3]]"), ["l=[\"2\", \"3\"]"]);
    }

    #[test]
    fn what_is_malformed_is_said() {
        let cases = [
            ("[package", "this section has no end", 8),
            ("a = ", "a value should stand here", 4),
            ("a", "`=` should stand after a name", 1),
            ("a = \"b", "this string has no end", 6),
            ("a = [1, 2", "this list has no end", 9),
            ("a = 1 b", "the line should end here", 6),
            ("= 1", "a name should stand here", 0),
        ];
        for (text, message, at) in cases {
            assert_eq!(parse(text), Err(Malformed { message, at }), "{text}");
        }
        let deep = format!("a = {}", "[".repeat(100_000));
        assert_eq!(parse(&deep).map_err(|e| e.message), Err("lists are nested too deeply"));
    }
}
