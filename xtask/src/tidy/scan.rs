//! Takes a Rust or C text apart into comments, string literals and code.
//!
//! In: any text, also one that does not parse. Out: the comments and strings with their lines, and the code line by
//! line with comments, strings and characters blanked, so that a search in it finds only code.

/// A comment or a string literal.
pub struct Piece {
    /// The line it begins on, counted from 1.
    pub line: usize,
    /// With its delimiters.
    pub text: String,
}

/// A text taken apart.
pub struct Scan {
    pub comments: Vec<Piece>,
    pub strings: Vec<Piece>,
    /// The code of each line.
    pub code: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Code,
    Comment,
    String,
    Character,
}

impl Scan {
    pub fn of(text: &str) -> Scan {
        let chars: Vec<char> = text.chars().collect();
        let mut scan = Scan { comments: Vec::new(), strings: Vec::new(), code: vec![String::new()] };
        let mut at = 0;
        while at < chars.len() {
            let (what, length) = piece(&chars, at);
            let text: String = chars[at..at + length].iter().collect();
            let line = scan.code.len();
            match what {
                What::Comment => scan.comments.push(Piece { line, text }),
                What::String => scan.strings.push(Piece { line, text }),
                What::Code | What::Character => {}
            }
            for &char in &chars[at..at + length] {
                if char == '\n' {
                    scan.code.push(String::new());
                } else if let Some(code) = scan.code.last_mut() {
                    code.push(if what == What::Code { char } else { ' ' });
                }
            }
            at += length;
        }
        scan
    }
}

/// What begins at `at`, and its length of at least one character.
fn piece(chars: &[char], at: usize) -> (What, usize) {
    let starts =
        |text: &str| text.chars().enumerate().all(|(index, char)| chars.get(at + index) == Some(&char));
    if starts("//") {
        let length = chars[at..].iter().position(|&char| char == '\n').unwrap_or(chars.len() - at);
        return (What::Comment, length);
    }
    if starts("/*") {
        return (What::Comment, block_comment(&chars[at..]));
    }
    let in_word = at > 0 && is_word(chars[at - 1]);
    let hashes = |from: usize| chars[from..].iter().take_while(|&&char| char == '#').count();
    let raw_at = at + usize::from(starts("br") || starts("cr")) + 1;
    if !in_word && (starts("r") || starts("br") || starts("cr")) && raw_at <= chars.len() {
        let count = hashes(raw_at);
        if chars.get(raw_at + count) == Some(&'"') {
            return (What::String, raw_at - at + raw_string(&chars[raw_at..], count));
        }
    }
    match chars[at] {
        '"' => (What::String, quoted(&chars[at..], '"')),
        '\'' if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => {
            (What::Character, quoted(&chars[at..], '\''))
        }
        _ => (What::Code, 1),
    }
}

pub fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn block_comment(chars: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(chars: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// The length of `##"…"##` with that many hashes.
fn raw_string(chars: &[char], hashes: usize) -> usize {
    let mut at = hashes + 1;
    while at < chars.len() {
        let closes =
            chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
        at += 1;
        if closes {
            return at + hashes;
        }
    }
    chars.len()
}

/// Whether `word` stands in `text` with no letter, digit or underscore on either side of it.
pub fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}
