//! Damage to a crate's text, token by token.

use crate::Crate;

/// Numbers that look random and are the same for the same seed.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The series with this number.
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, or 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }
}

/// Texts that stand for themselves anywhere.
const WORDS: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "::",
    "=>",
    "..",
    "..=",
    "?",
    "!",
    "|",
    "&",
    "&mut",
    "*",
    "-",
    "@",
    "#",
    "'a",
    ";",
    ",",
    "=",
    ".",
    ":",
    "->",
    "_",
    "self",
    "Self",
    "super",
    "crate",
    "match",
    "if",
    "let",
    "else",
    "loop",
    "while",
    "for",
    "in",
    "return",
    "break",
    "continue",
    "fn",
    "struct",
    "enum",
    "trait",
    "impl",
    "mod",
    "use",
    "const",
    "static",
    "dyn",
    "ref",
    "mut",
    "move",
    "async",
    "await",
    "unsafe",
    "where",
    "as",
    "true",
    "0",
    "1.5",
    "\"a\"",
    "'c'",
    "b'x'",
    "u8",
    "i64",
    "f64",
    "bool",
    "str",
    "Option",
    "Some",
    "None",
    "Ok",
    "Err",
    "Vec",
    "Box",
    "String",
    "T",
    "i128::MAX",
    "18446744073709551616",
    "usize",
    "{}",
    "()",
    "[]",
    "vec!",
    "println!",
    "macro_rules!",
    "jit::merge_point!()",
    "jit::can_enter_jit!()",
    "#[derive(Clone)]",
    "#[cfg(test)]",
    "=> {",
    "<T>",
    "<'a>",
    "impl<T>",
    "..Default::default()",
];

/// The text in tokens, roughly: words, numbers, strings, characters, single signs, white space.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let len = if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else if first.is_whitespace() {
            rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |n| n + 2)
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(len);
        out.push(token);
        rest = after;
    }
    out
}

/// Where the brackets that open at `at` close, or `at` itself.
fn closing(tokens: &[&str], at: usize) -> usize {
    let mut depth = 0;
    for (n, token) in tokens.iter().enumerate().skip(at) {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth <= 0 {
            return n;
        }
    }
    at
}

/// A stretch of tokens: one, some, or all up to a closing bracket.
fn stretch(tokens: &[&str], rng: &mut Rng) -> std::ops::Range<usize> {
    let at = rng.below(tokens.len());
    let end = match rng.below(3) {
        0 => at,
        1 => at + rng.below(12),
        _ => {
            let open = tokens.iter().skip(at).position(|t| matches!(*t, "(" | "[" | "{"));
            open.map_or(at, |n| closing(tokens, at + n))
        }
    };
    at..(end + 1).min(tokens.len())
}

/// Crate number `seed` that is made of the seeds.
pub fn mutate(seeds: &[Crate], seed: u64) -> Crate {
    let mut rng = Rng::new(seed);
    let mut out = seeds[rng.below(seeds.len())].clone();
    let file = rng.below(out.files.len());
    let other = &seeds[rng.below(seeds.len())];
    let other = &other.files[rng.below(other.files.len())].1;
    let other = tokens(other);
    let text = out.files[file].1.clone();
    let mut now = tokens(&text);
    for _ in 0..=rng.below(4) {
        if now.is_empty() {
            break;
        }
        let part = stretch(&now, &mut rng);
        match rng.below(6) {
            0 => _ = now.drain(part),
            1 => {
                let copy: Vec<&str> = now[part.clone()].to_vec();
                now.splice(part.end..part.end, copy);
            }
            2 => {
                let to = rng.below(now.len());
                now.swap(part.start, to);
            }
            3 => _ = now.splice(part.start..part.start + 1, [WORDS[rng.below(WORDS.len())]]),
            4 => _ = now.splice(part.start..part.start, [" ", WORDS[rng.below(WORDS.len())], " "]),
            _ if !other.is_empty() => {
                let from = stretch(&other, &mut rng);
                now.splice(part, other[from].iter().copied());
            }
            _ => {}
        }
    }
    out.files[file].1 = now.concat();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_whole_text() {
        let text = "fn f() -> &'static str { \"a \\\" b\" } // ä\n 'x' b\"\" 1.5_f64";
        assert_eq!(tokens(text).concat(), text);
        assert!(tokens(text).contains(&"\"a \\\" b\""));
    }

    #[test]
    fn the_same_number_makes_the_same_crate() {
        let seeds = crate::seeds();
        assert!(seeds.len() > 10);
        assert_eq!(mutate(&seeds, 7), mutate(&seeds, 7));
        assert_ne!(mutate(&seeds, 7), mutate(&seeds, 8));
    }
}
