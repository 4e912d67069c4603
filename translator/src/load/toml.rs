//! The values of a TOML text in order, each with its dotted path and the place of its key: `a = { b = "c" }`, `a.b = "c"` and `[a]`
//! with `b = "c"` are the same. Dates and numbers are words.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

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
    pub message: String,
    /// Bytes.
    pub at: Range<usize>,
}

/// Reads a text.
///
/// # Errors
/// The first thing that is no TOML.
pub fn parse(text: &str) -> Result<Vec<Entry>, Malformed> {
    let table = DeTable::parse(text).map_err(|e| Malformed {
        message: e.message().lines().collect::<Vec<_>>().join(", "),
        at: e.span().unwrap_or(0..0),
    })?;
    let mut out = Vec::new();
    flatten(text, &[], table.get_ref(), &mut out);
    out.sort_by_key(|entry| entry.at.start);
    Ok(out)
}

fn flatten(text: &str, path: &[String], table: &DeTable, out: &mut Vec<Entry>) {
    for (key, value) in table {
        let path = [path, &[key.get_ref().to_string()]].concat();
        // A table with a head of its own lies where that is, brackets included.
        let head = value.span();
        let has_head =
            value.get_ref().is_table() && text.get(head.clone()).is_some_and(|t| t.starts_with('['));
        let at = if has_head { head } else { key.span() };
        let mut add = |value| out.push(Entry { path: path.clone(), value, at: at.clone() });
        match value.get_ref() {
            DeValue::Table(inner) => {
                add(None);
                flatten(text, &path, inner, out);
            }
            DeValue::Array(array) if array.iter().any(|item| item.get_ref().is_table()) => {
                add(None);
                for inner in array.iter().filter_map(|item| item.get_ref().as_table()) {
                    flatten(text, &path, inner, out);
                }
            }
            DeValue::Array(array) => {
                add(Some(Value::List(array.iter().filter_map(|item| word(item.get_ref())).collect())))
            }
            DeValue::String(text) => add(Some(Value::Text(text.to_string()))),
            other => add(word(other).map(Value::Word)),
        }
    }
}

/// A value that is neither list nor table.
fn word(value: &DeValue) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(n) => Some(n.to_string()),
        DeValue::Float(n) => Some(n.to_string()),
        DeValue::Boolean(b) => Some(b.to_string()),
        DeValue::Datetime(date) => Some(date.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
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
        assert_eq!(flat("l = [{ a = 1 }, { a = 2 }]"), ["[l]", "l.a=1", "l.a=2"]);
    }

    #[test]
    fn what_is_malformed_is_said() {
        let starts = [
            ("[package", 8),
            ("a = ", 4),
            ("a", 1),
            ("a = \"b", 6),
            ("a = [1, 2", 9),
            ("a = 1 b", 4),
            ("= 1", 0),
        ];
        for (text, at) in starts {
            let wrong = parse(text).expect_err(text);
            assert!(!wrong.message.is_empty() && wrong.at.start == at, "{text}: {wrong:?}");
        }
        assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    }
}
