//! rustc's types of variables and targets of calls, out of the text of its MIR.
//!
//! In: what `-Zunpretty=mir -Zmir-include-spans=yes` prints. Out: by position in the source, what rustc found there. One
//! position may have several answers: a macro's code, or a binding that a guard sees by reference.

use std::collections::HashMap;
use std::path::Path;

/// Where something begins and ends: file, line, column, line, column.
pub type Place = (String, u32, u32, u32, u32);

/// What rustc found.
#[derive(Debug, Default)]
pub struct Mir {
    /// The types of variables, by where they are declared.
    pub locals: HashMap<Place, Vec<String>>,
    /// The paths of called functions, by the whole call.
    pub calls: HashMap<Place, Vec<String>>,
}

impl Mir {
    /// Adds what was found in another crate.
    pub fn extend(&mut self, other: Mir) {
        for (all, more) in [(&mut self.locals, other.locals), (&mut self.calls, other.calls)] {
            more.into_iter().for_each(|(place, found)| all.entry(place).or_default().extend(found));
        }
    }

    /// Reads the text that rustc wrote in this folder.
    pub fn parse(text: &str, dir: &Path) -> Mir {
        let mut mir = Mir::default();
        let mut types: HashMap<String, String> = HashMap::new();
        let mut named: Vec<(String, Place)> = Vec::new();
        for line in text.lines() {
            let trimmed = line.trim();
            if !line.is_empty() && !line.starts_with([' ', '}']) {
                types = header(line);
                named.clear();
            }
            if line == "}" {
                for (local, place) in named.drain(..) {
                    if let Some(ty) = types.get(&local) {
                        mir.locals.entry(place).or_default().push(ty.clone());
                    }
                }
            }
            let Some((code, comment)) = trimmed.rsplit_once("// ") else { continue };
            let Some(place) = comment.split_once(" at ").and_then(|(_, span)| place(span, dir)) else {
                continue;
            };
            let code = code.trim_end().trim_end_matches(';');
            if let Some(debug) = code.strip_prefix("debug ") {
                if let Some((_, local)) = debug.split_once(" => ")
                    && local.starts_with('_')
                {
                    named.push((local.to_string(), place));
                }
            } else if let Some(rest) = code.strip_prefix("let ") {
                if let Some((local, ty)) = rest.trim_start_matches("mut ").split_once(": ") {
                    types.insert(local.to_string(), ty.to_string());
                }
            } else if let Some((call, _)) = code.split_once(" -> [return:").or(code.split_once(" -> unwind"))
                && let Some((_, call)) = call.split_once(" = ")
                && let Some(callee) = callee(call)
            {
                mir.calls.entry(place).or_default().push(callee);
            }
        }
        mir
    }
}

/// The types of the parameters in a function's first line.
fn header(line: &str) -> HashMap<String, String> {
    let mut types = HashMap::new();
    let Some(start) = line.find("(_1: ") else { return types };
    let (mut depth, mut from) = (0, start + 1);
    let bytes = line.as_bytes();
    for (at, &byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'<' | b'[' | b'{' => depth += 1,
            b'>' if bytes[at - 1] == b'-' => {}
            b')' | b'>' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        let ends = depth == 0 && byte == b')' || depth == 1 && byte == b',';
        if ends && let Some((local, ty)) = line[from..at].trim().split_once(": ") {
            types.insert(local.to_string(), ty.to_string());
            from = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    types
}

/// `src/lib.rs:5:10: 5:11`
fn place(span: &str, dir: &Path) -> Option<Place> {
    let mut parts = span.trim().rsplitn(5, ':').map(str::trim);
    let mut number = || parts.next()?.parse::<u32>().ok();
    let (c2, l2, c1, l1) = (number()?, number()?, number()?, number()?);
    Some((dir.join(parts.next()?).display().to_string(), l1, c1, l2, c2))
}

/// The path before a call's arguments; `None` for a call through a variable.
fn callee(call: &str) -> Option<String> {
    let mut depth = 0;
    let bytes = call.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'(' if depth == 0 => {
                let path = &call[..at];
                let through = ["move ", "copy ", "const "].iter().any(|word| path.starts_with(word));
                return (!through && !path.is_empty()).then(|| path.to_string());
            }
            b'(' | b'<' | b'[' | b'{' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b')' | b'>' | b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locals_and_calls_are_read() {
        let text = "\
fn f(_1: &S, _2: Option<(i64, u8)>) -> i64 {
    debug o => _2;                       // in scope 0 at src/lib.rs:5:17: 5:18
    scope 1 {
        debug x => _3;                   // in scope 1 at src/lib.rs:6:9: 6:10
        let _3: [u8; 4];                 // in scope 0 at src/lib.rs:6:9: 6:10
    }

        _3 = <F as Fn<(i32,)>>::call(move _4) -> [return: bb1, unwind continue]; // scope 0 at src/lib.rs:6:13: 6:18
        _3 = move _5(move _4) -> [return: bb1, unwind continue]; // scope 0 at src/lib.rs:7:13: 7:18
}
";
        let mir = Mir::parse(text, Path::new("/a"));
        let file = "/a/src/lib.rs".to_string();
        assert_eq!(mir.locals[&(file.clone(), 5, 17, 5, 18)], ["Option<(i64, u8)>"]);
        assert_eq!(mir.locals[&(file.clone(), 6, 9, 6, 10)], ["[u8; 4]"]);
        assert_eq!(mir.calls.len(), 1);
        assert_eq!(mir.calls[&(file, 6, 13, 6, 18)], ["<F as Fn<(i32,)>>::call"]);
    }
}
