//! Patterns: matching by backtracking, straight on the pattern's bytes.
//!
//! In: subject and pattern, any bytes. Out: where a match ends and what was captured, or what is wrong with the pattern. Repetitions of
//! single characters are loops; only alternatives that need to come back recurse, to a limited depth.

/// Captures of a pattern.
pub const MAX_CAPTURES: usize = 32;
/// How deep alternatives may be nested.
const MAX_DEPTH: usize = 200;

/// What is wrong with a pattern.
pub type Malformed = &'static str;

/// A capture: where it begins, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    Open,
    /// A position instead of a text.
    Position,
    Length(usize),
}

/// A match in progress.
pub struct Matcher<'a> {
    pub subject: &'a [u8],
    pattern: &'a [u8],
    pub captures: [(usize, Extent); MAX_CAPTURES],
    pub count: usize,
    depth: usize,
}

type Found = Result<Option<usize>, Malformed>;

impl<'a> Matcher<'a> {
    pub fn new(subject: &'a [u8], pattern: &'a [u8]) -> Matcher<'a> {
        Matcher { subject, pattern, captures: [(0, Extent::Open); MAX_CAPTURES], count: 0, depth: 0 }
    }

    /// Matches the whole pattern at a position; where the match ends.
    pub fn run(&mut self, start: usize) -> Found {
        self.count = 0;
        self.depth = 0;
        self.matches(start, 0)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.pattern.get(at).copied()
    }

    fn matches(&mut self, s: usize, p: usize) -> Found {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("pattern too complex");
        }
        let found = self.matches_here(s, p);
        self.depth -= 1;
        found
    }

    fn matches_here(&mut self, mut s: usize, mut p: usize) -> Found {
        loop {
            let Some(byte) = self.byte(p) else { return Ok(Some(s)) };
            match byte {
                b'(' if self.byte(p + 1) == Some(b')') => return self.open(s, p + 2, Extent::Position),
                b'(' => return self.open(s, p + 1, Extent::Open),
                b')' => return self.close(s, p + 1),
                b'$' if p + 1 == self.pattern.len() => {
                    return Ok((s == self.subject.len()).then_some(s));
                }
                b'%' => match self.byte(p + 1) {
                    Some(b'b') => match self.balanced(s, p + 2)? {
                        Some(end) => {
                            (s, p) = (end, p + 4);
                            continue;
                        }
                        None => return Ok(None),
                    },
                    Some(b'f') => {
                        p += 2;
                        if self.byte(p) != Some(b'[') {
                            return Err("missing '[' after '%f' in pattern");
                        }
                        let end = self.class_end(p)?;
                        let before = if s == 0 { 0 } else { self.subject[s - 1] };
                        let here = self.subject.get(s).copied().unwrap_or(0);
                        if self.in_set(before, p, end - 1) || !self.in_set(here, p, end - 1) {
                            return Ok(None);
                        }
                        p = end;
                        continue;
                    }
                    Some(digit @ b'0'..=b'9') => match self.again(s, digit)? {
                        Some(end) => {
                            (s, p) = (end, p + 2);
                            continue;
                        }
                        None => return Ok(None),
                    },
                    _ => {}
                },
                _ => {}
            }
            let end = self.class_end(p)?;
            match self.byte(end) {
                Some(b'?') => {
                    if self.single(s, p, end)
                        && let Some(found) = self.matches(s + 1, end + 1)?
                    {
                        return Ok(Some(found));
                    }
                    p = end + 1;
                }
                Some(b'+') => {
                    return if self.single(s, p, end) { self.most(s + 1, p, end) } else { Ok(None) };
                }
                Some(b'*') => return self.most(s, p, end),
                Some(b'-') => return self.fewest(s, p, end),
                _ => {
                    if !self.single(s, p, end) {
                        return Ok(None);
                    }
                    (s, p) = (s + 1, end);
                }
            }
        }
    }

    /// As many as match, then fewer.
    fn most(&mut self, s: usize, p: usize, end: usize) -> Found {
        let mut count = 0;
        while self.single(s + count, p, end) {
            count += 1;
        }
        loop {
            if let Some(found) = self.matches(s + count, end + 1)? {
                return Ok(Some(found));
            }
            if count == 0 {
                return Ok(None);
            }
            count -= 1;
        }
    }

    fn fewest(&mut self, mut s: usize, p: usize, end: usize) -> Found {
        loop {
            if let Some(found) = self.matches(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.single(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, extent: Extent) -> Found {
        if self.count >= MAX_CAPTURES {
            return Err("too many captures");
        }
        self.captures[self.count] = (s, extent);
        self.count += 1;
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.count -= 1;
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Found {
        let open = self.captures[..self.count].iter().rposition(|(_, extent)| *extent == Extent::Open);
        let Some(open) = open else { return Err("invalid pattern capture") };
        self.captures[open].1 = Extent::Length(s - self.captures[open].0);
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.captures[open].1 = Extent::Open;
        }
        Ok(found)
    }

    /// `%bxy`.
    fn balanced(&self, s: usize, p: usize) -> Found {
        let (Some(open), Some(close)) = (self.byte(p), self.byte(p + 1)) else {
            return Err("malformed pattern (missing arguments to '%b')");
        };
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1;
        for (index, byte) in self.subject.iter().enumerate().skip(s + 1) {
            if *byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(index + 1));
                }
            } else if *byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// What was captured before, again.
    fn again(&self, s: usize, digit: u8) -> Found {
        let index = usize::from(digit).wrapping_sub(usize::from(b'1'));
        let Some((start, Extent::Length(length))) = self.captures[..self.count].get(index).copied() else {
            return Err(match digit {
                b'0' => "invalid capture index %0",
                _ => INVALID[usize::from(digit - b'1')],
            });
        };
        let text = &self.subject[start..start + length];
        Ok(self.subject[s..].starts_with(text).then_some(s + length))
    }

    /// Behind a single character of the pattern.
    fn class_end(&self, p: usize) -> Result<usize, Malformed> {
        match self.byte(p) {
            Some(b'%') => {
                if p + 1 >= self.pattern.len() {
                    return Err("malformed pattern (ends with '%')");
                }
                Ok(p + 2)
            }
            Some(b'[') => {
                let mut at = p + 1;
                if self.byte(at) == Some(b'^') {
                    at += 1;
                }
                let first = at;
                loop {
                    match self.byte(at) {
                        None => return Err("malformed pattern (missing ']')"),
                        Some(b']') if at > first => return Ok(at + 1),
                        Some(b'%') => at += 2,
                        _ => at += 1,
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    #[inline]
    fn single(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(&byte) = self.subject.get(s) else { return false };
        match self.pattern[p] {
            b'.' => true,
            b'%' => in_class(byte, self.pattern[p + 1]),
            b'[' => self.in_set(byte, p, end - 1),
            plain => plain == byte,
        }
    }

    /// Whether a byte is in the set from `[` at `p` to `]` at `last`.
    fn in_set(&self, byte: u8, p: usize, last: usize) -> bool {
        let mut at = p + 1;
        let negated = self.pattern[at] == b'^';
        at += usize::from(negated);
        while at < last {
            let item = self.pattern[at];
            if item == b'%' {
                if in_class(byte, self.pattern[at + 1]) {
                    return !negated;
                }
                at += 2;
            } else if at + 2 < last && self.pattern[at + 1] == b'-' {
                if (item..=self.pattern[at + 2]).contains(&byte) {
                    return !negated;
                }
                at += 3;
            } else {
                if item == byte {
                    return !negated;
                }
                at += 1;
            }
        }
        negated
    }
}

/// Messages for captures that are not there.
const INVALID: [&str; 9] = [
    "invalid capture index %1",
    "invalid capture index %2",
    "invalid capture index %3",
    "invalid capture index %4",
    "invalid capture index %5",
    "invalid capture index %6",
    "invalid capture index %7",
    "invalid capture index %8",
    "invalid capture index %9",
];

fn in_class(byte: u8, class: u8) -> bool {
    let found = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => crate::number::is_space(byte),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    found != class.is_ascii_uppercase()
}
