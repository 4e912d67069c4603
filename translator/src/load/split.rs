//! Takes function bodies out of a source text, so that those nobody asks for are never parsed.
//!
//! In: the text of a file. Out: the same text with every body that can wait replaced by `{0}` and blanks, byte for byte at the same
//! places, and where the bodies are. Relies on Rust's lexical structure only. Guarantees: what is left parses into the same
//! items as the whole text does, but for the bodies taken out; a body that declares items, begins with an inner attribute, or
//! decides a type or constant (`-> impl Trait`, `const fn`) stays. Text that is not balanced is not split.

use std::ops::Range;

/// A body that was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// Its bytes, braces included.
    pub(crate) range: Range<usize>,
    /// Whether words stand in it that belong into portals.
    pub(crate) is_marked: bool,
}

/// A text in parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// The text with bodies blanked.
    pub(crate) rest: String,
    /// The bodies, in order.
    pub(crate) bodies: Vec<Body>,
}

/// What the item that is being read is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    /// None yet, or only modifiers.
    Start,
    /// `const`, which may begin a function.
    Const,
    /// After `fn`: whether its body stays, whether its arrow was seen, and how many `<` are open.
    Fn { stays: bool, arrow: bool, angles: u32 },
    /// `impl`, `trait`, `mod`, `extern`: items in braces.
    Container,
    /// Anything else.
    Other,
}

/// An open bracket.
struct Level {
    close: u8,
    /// The item that is being read, where items stand.
    item: Option<Item>,
    /// A body that began here, and what is known of it.
    body: Option<(usize, bool)>,
}

/// Words that begin items, so that a block in which they stand may declare some.
const ITEM_WORDS: &[&str] = &[
    "fn",
    "impl",
    "struct",
    "enum",
    "trait",
    "mod",
    "use",
    "const",
    "static",
    "type",
    "union",
    "macro_rules",
    "extern",
];

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    bodies: Vec<Body>,
    /// The last byte that was no blank and in no comment or literal, and the word before, if one ended there.
    last: u8,
    /// Whether `fn` was the last word.
    after_fn: Option<bool>,
    /// What the body that is being read contains.
    declares: bool,
    is_marked: bool,
}

/// Splits a text; none if its brackets or literals are not balanced.
pub(crate) fn split(text: &str) -> Option<Split> {
    let top = Level { close: 0, item: Some(Item::Start), body: None };
    let mut scanner = Scanner {
        text: text.as_bytes(),
        at: 0,
        levels: vec![top],
        bodies: Vec::new(),
        last: 0,
        after_fn: None,
        declares: false,
        is_marked: false,
    };
    while scanner.at < scanner.text.len() {
        scanner.token()?;
    }
    if scanner.levels.len() != 1 {
        return None;
    }
    let mut rest = text.as_bytes().to_vec();
    for body in &scanner.bodies {
        rest[body.range.start + 1] = b'0';
        rest[body.range.start + 2..body.range.end - 1].fill(b' ');
    }
    Some(Split { rest: String::from_utf8(rest).ok()?, bodies: scanner.bodies })
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Reads one token, blank or comment.
    fn token(&mut self) -> Option<()> {
        let byte = self.peek(0);
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
            b'/' if self.peek(1) == b'/' => {
                while self.at < self.text.len() && self.peek(0) != b'\n' {
                    self.at += 1;
                }
            }
            b'/' if self.peek(1) == b'*' => self.comment()?,
            b'"' => self.string()?,
            b'\'' => self.quote()?,
            b'0'..=b'9' => {
                while is_word(self.peek(0)) {
                    self.at += 1;
                }
                self.significant(b'0');
            }
            _ if is_word(byte) => self.word()?,
            b'{' | b'(' | b'[' => self.open(byte),
            b'}' | b')' | b']' => self.close(byte)?,
            _ => {
                self.punct(byte);
                self.at += 1;
            }
        }
        Some(())
    }

    fn significant(&mut self, byte: u8) {
        self.last = byte;
        self.after_fn = None;
    }

    fn comment(&mut self) -> Option<()> {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Some(());
                    }
                }
                _ if self.at >= self.text.len() => return None,
                _ => self.at += 1,
            }
        }
    }

    /// A string whose quote is next.
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek(0) {
                b'"' => break,
                b'\\' => self.at += 2,
                _ if self.at >= self.text.len() => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.significant(b'"');
        Some(())
    }

    /// A raw string whose hashes or quote are next.
    fn raw_string(&mut self) -> Option<()> {
        let mut hashes = 0;
        while self.peek(0) == b'#' {
            hashes += 1;
            self.at += 1;
        }
        self.at += 1;
        loop {
            if self.at >= self.text.len() {
                return None;
            }
            let ends = self.peek(0) == b'"' && (1..=hashes).all(|n| self.peek(n) == b'#');
            self.at += 1;
            if ends {
                self.at += hashes;
                self.significant(b'"');
                return Some(());
            }
        }
    }

    /// A character or a lifetime.
    fn quote(&mut self) -> Option<()> {
        let next = self.peek(1);
        let width = match next {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        if next == b'\\' {
            self.at += 3;
            while self.peek(0) != b'\'' {
                if self.at >= self.text.len() {
                    return None;
                }
                self.at += 1;
            }
            self.at += 1;
        } else if self.peek(1 + width) == b'\'' {
            self.at += width + 2;
        } else {
            self.at += 1;
            while is_word(self.peek(0)) {
                self.at += 1;
            }
        }
        self.significant(b'\'');
        Some(())
    }

    fn word(&mut self) -> Option<()> {
        let start = self.at;
        while is_word(self.peek(0)) {
            self.at += 1;
        }
        let text: &str = std::str::from_utf8(&self.text[start..self.at]).ok()?;
        match (text, self.peek(0)) {
            ("b" | "c", b'"') => return self.string(),
            ("b", b'\'') => return self.quote(),
            ("r" | "br" | "cr", b'"') => return self.raw_string(),
            ("r" | "br" | "cr", b'#') => {
                let mut ahead = 0;
                while self.peek(ahead) == b'#' {
                    ahead += 1;
                }
                if self.peek(ahead) == b'"' {
                    return self.raw_string();
                }
                // `r#word`: no keyword.
                self.at += 1;
                while is_word(self.peek(0)) {
                    self.at += 1;
                }
                self.plain_word();
                return Some(());
            }
            _ => {}
        }
        self.declares |= ITEM_WORDS.contains(&text) && self.last != b'*';
        self.is_marked |= matches!(text, "merge_point" | "can_enter_jit");
        if text == "impl" {
            self.hides_result();
        }
        let Some(Level { item: Some(item), .. }) = self.levels.last_mut() else {
            self.significant(b'a');
            return Some(());
        };
        match (*item, text) {
            (Item::Start | Item::Const, "fn") => {
                self.after_fn = Some(*item == Item::Const);
                self.last = b'a';
                return Some(());
            }
            (Item::Start, "const") => *item = Item::Const,
            (Item::Start, "impl" | "trait" | "mod" | "extern") => *item = Item::Container,
            (Item::Container, "fn") if self.last == b'"' || self.last == b'e' => {
                // `extern "C" fn`
                self.after_fn = Some(false);
                self.last = b'a';
                return Some(());
            }
            (Item::Start, "pub" | "unsafe" | "async" | "default" | "safe" | "auto" | "crate" | "in") => {}
            (Item::Const, "unsafe" | "async" | "extern") => {}
            (Item::Start | Item::Const, _) => {
                let is_fn = self.after_fn;
                *item = match is_fn {
                    Some(stays) => Item::Fn { stays, arrow: false, angles: 0 },
                    None => Item::Other,
                };
            }
            _ => {
                if let (Item::Container, Some(stays)) = (*item, self.after_fn) {
                    *item = Item::Fn { stays, arrow: false, angles: 0 };
                }
            }
        }
        let last = if text == "extern" { b'e' } else { b'a' };
        self.significant(last);
        Some(())
    }

    /// A word that is no keyword.
    fn plain_word(&mut self) {
        let after_fn = self.after_fn;
        if let Some(Level { item: Some(item), .. }) = self.levels.last_mut() {
            match (*item, after_fn) {
                (Item::Start | Item::Const | Item::Container, Some(stays)) => {
                    *item = Item::Fn { stays, arrow: false, angles: 0 };
                }
                (Item::Start | Item::Const, None) => *item = Item::Other,
                _ => {}
            }
        }
        self.significant(b'a');
    }

    /// `impl` stands somewhere: in a result it makes the body decide a type.
    fn hides_result(&mut self) {
        if let Some(Item::Fn { stays, arrow: true, .. }) = self.innermost_item() {
            *stays = true;
        }
    }

    fn innermost_item(&mut self) -> Option<&mut Item> {
        self.levels.iter_mut().rev().find_map(|level| level.item.as_mut())
    }

    fn punct(&mut self, byte: u8) {
        if let Some(Level { item: Some(item), .. }) = self.levels.last_mut() {
            match (byte, &mut *item) {
                (b';', _) => *item = Item::Start,
                (b'>', Item::Fn { arrow, .. }) if self.last == b'-' => *arrow = true,
                (b'<', Item::Fn { angles, .. }) => *angles += 1,
                (b'>', Item::Fn { angles, .. }) => *angles = angles.saturating_sub(1),
                _ => {}
            }
        }
        self.significant(byte);
    }

    fn open(&mut self, byte: u8) {
        let close = match byte {
            b'{' => b'}',
            b'(' => b')',
            _ => b']',
        };
        let mut level = Level { close, item: None, body: None };
        let start = self.at;
        if byte == b'{'
            && let Some(Level { item: Some(item), .. }) = self.levels.last_mut()
        {
            match item {
                // A constant argument in braces: nothing is certain about this function.
                Item::Fn { stays, angles: 1.., .. } => *stays = true,
                Item::Fn { stays, .. } => {
                    level.body = Some((start, *stays));
                    (self.declares, self.is_marked) = (false, false);
                }
                Item::Container => level.item = Some(Item::Start),
                Item::Start | Item::Const | Item::Other => {}
            }
        }
        self.levels.push(level);
        self.at += 1;
        self.significant(byte);
    }

    fn close(&mut self, byte: u8) -> Option<()> {
        let level = self.levels.pop().filter(|level| level.close == byte)?;
        self.at += 1;
        if let Some((start, stays)) = level.body {
            let inside = &self.text[start + 1..self.at - 1];
            let first = inside.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
            let is_long = inside.len() > 2;
            if is_long && !stays && !self.declares && inside.get(first) != Some(&b'#') {
                self.bodies.push(Body { range: start..self.at, is_marked: self.is_marked });
            }
        }
        if byte == b'}'
            && let Some(Level { item: Some(item), .. }) = self.levels.last_mut()
        {
            let is_argument = level.body.is_none() && matches!(item, Item::Fn { .. });
            if !is_argument {
                *item = Item::Start;
            }
        }
        self.significant(byte);
        Some(())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::split;

    fn bodies(text: &str) -> Vec<&str> {
        let split = split(text).unwrap_or_else(|| panic!("not split: {text}"));
        assert_eq!(split.rest.len(), text.len());
        split.bodies.iter().map(|body| &text[body.range.clone()]).collect()
    }

    #[test]
    fn bodies_are_found_where_items_stand() {
        let text = "pub(crate) fn a() { 11111 } impl X for Y { fn b(&self) -> u8 { 22222 } const C: u8 = { 33333 }; }
            mod m { #[inline] unsafe extern \"C\" fn c<'a>(x: &'a str) { 44444 } struct S { a: fn(u8) -> u8 } }
            trait T { fn d(); fn e() { 55555 } } static S: [u8; 1] = [{ 66666 }]; use a::{b, c}; fn f() { 77777 }";
        assert_eq!(bodies(text), ["{ 11111 }", "{ 22222 }", "{ 44444 }", "{ 55555 }", "{ 77777 }"]);
    }

    #[test]
    fn bodies_that_say_more_stay() {
        assert!(bodies("const fn a() -> u8 { 11111 }").is_empty());
        assert!(bodies("fn a() -> impl Fn() { || 11111 }").is_empty());
        assert!(bodies("fn a() -> Box<(impl Fn(),)> { || 11111 }").is_empty());
        assert!(bodies("fn a() { struct S; let x = S; }").is_empty());
        assert!(bodies("fn a() { #![allow(unused)] 11111 }").is_empty());
        assert!(bodies("fn a() {}").is_empty());
        assert!(bodies("macro_rules! m { () => { fn a() { 11111 } } }").is_empty());
        assert!(bodies("m! { fn a() { 11111 } }").is_empty());
        assert!(bodies("fn a() where A<{ 12345 }>: B { 22222 }").is_empty());
        assert_eq!(bodies("fn a<T>() -> Vec<T> where T: Fn() -> u8, { 22222 }"), ["{ 22222 }"]);
    }

    #[test]
    fn literals_and_comments_hide_brackets() {
        let text = "fn a() { '{'; b'\\''; \"}\\\"\"; r#\"}\"}\"#; /* } /* */ } */ // }\n 'l: loop {} r#fn; '\\u{7d}'; 'é' }";
        assert_eq!(bodies(text), [&text[7..]]);
        assert_eq!(bodies("fn r#fn() { 11111 } fn b(x: impl Fn()) { 22222 }"), ["{ 11111 }", "{ 22222 }"]);
        assert_eq!(bodies("fn a(p: u8) -> *const u8 { p as *const u8 }"), ["{ p as *const u8 }"]);
        assert_eq!(bodies("pub union U { a: u8 } extern \"C\" { fn x(); } fn y() { 11111 }"), ["{ 11111 }"]);
    }

    #[test]
    fn portals_words_are_seen() {
        let split =
            split("fn a() { x + 1 } fn b() { jit::merge_point!(); }").unwrap_or_else(|| panic!("not split"));
        assert_eq!(split.bodies.iter().map(|b| b.is_marked).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn what_is_not_balanced_is_not_split() {
        for text in ["fn a() {", "fn a() }", "fn a() { ( }", "\"", "/* ", "'\\"] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
