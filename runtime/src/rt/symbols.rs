//! Names of the functions of the running binary, from its symbol table.
//!
//! rustc makes a copy of a small function in every codegen unit that uses it. The copies have different addresses and
//! the same mangled name, which names one instance of one function. The table is read when two addresses are compared
//! for the first time. Where there is none (stripped binaries, other formats than ELF), no two addresses are the same
//! function.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::LazyLock;

/// Tells where the binary was loaded: the difference between its address and the symbol's value.
#[unsafe(no_mangle)]
extern "C" fn metatrace_symbols_anchor() {}

const ANCHOR: &str = "metatrace_symbols_anchor";

static NAMES: LazyLock<HashMap<u64, String>> = LazyLock::new(|| read().unwrap_or_default());

/// Whether the addresses are those of copies of one function.
pub fn is_same_function(a: u64, b: u64) -> bool {
    a == b || NAMES.get(&a).is_some_and(|name| NAMES.get(&b) == Some(name))
}

/// The name of each function by its address; addresses that have several names are left out.
fn read() -> Option<HashMap<u64, String>> {
    let file = File::open(std::env::current_exe().ok()?).ok()?;
    let symbols = parse(&mut |offset, bytes| file.read_exact_at(bytes, offset).ok())?;
    let anchor = symbols.iter().find(|(_, name)| name == ANCHOR)?.0;
    let base = (metatrace_symbols_anchor as *const () as u64).wrapping_sub(anchor);
    let mut names: HashMap<u64, Option<String>> = HashMap::new();
    for (value, name) in symbols {
        let known = names.entry(base.wrapping_add(value)).or_insert_with(|| Some(name.clone()));
        if known.as_ref() != Some(&name) {
            *known = None;
        }
    }
    Some(names.into_iter().filter_map(|(address, name)| Some((address, name?))).collect())
}

/// The functions in the symbol table of an ELF file of 64 bits: value and name. `None` if the file is another.
fn parse(read: &mut dyn FnMut(u64, &mut [u8]) -> Option<()>) -> Option<Vec<(u64, String)>> {
    const SYMBOL_TABLE: u64 = 2;
    const FUNCTION: u8 = 2;
    let mut header = [0; 64];
    read(0, &mut header)?;
    if header[..6] != *b"\x7fELF\x02\x01" {
        return None;
    }
    let sections = number(&header, 40, 8)?;
    let (size, count) = (number(&header, 58, 2)?, number(&header, 60, 2)?);
    let mut section = |n: u64| {
        let mut bytes = vec![0; usize::try_from(size).ok()?];
        read(sections.checked_add(n.checked_mul(size)?)?, &mut bytes)?;
        Some(bytes)
    };
    let table = (0..count).find_map(|n| section(n).filter(|s| number(s, 4, 4) == Some(SYMBOL_TABLE)))?;
    let strings = section(number(&table, 40, 4)?)?;
    let mut content = |section: &[u8]| {
        let mut bytes =
            vec![0; usize::try_from(number(section, 32, 8)?).ok().filter(|&size| size < 1 << 30)?];
        read(number(section, 24, 8)?, &mut bytes)?;
        Some(bytes)
    };
    let (table, strings) = (content(&table)?, content(&strings)?);
    let mut out = Vec::new();
    for symbol in table.chunks_exact(24) {
        let value = number(symbol, 8, 8)?;
        if symbol[4] & 15 == FUNCTION && value != 0 {
            let name = strings.get(usize::try_from(number(symbol, 0, 4)?).ok()?..)?;
            let name = name.split(|&byte| byte == 0).next()?;
            out.push((value, String::from_utf8_lossy(name).into_owned()));
        }
    }
    Some(out)
}

/// The little-endian number of `size` bytes at `at`.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let mut word = [0; 8];
    word[..size].copy_from_slice(bytes.get(at..at + size)?);
    Some(u64::from_le_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_own_symbols_are_found() {
        let anchor = metatrace_symbols_anchor as *const () as u64;
        assert_eq!(NAMES.get(&anchor).map(String::as_str), Some(ANCHOR));
        assert!(is_same_function(anchor, anchor));
        assert!(!is_same_function(anchor, read as *const () as u64));
    }

    #[test]
    fn other_files_have_none() {
        assert_eq!(parse(&mut |_, _| None), None);
        assert_eq!(parse(&mut |_, bytes| Some(bytes.fill(b'x'))), None);
        // A table that leads nowhere.
        let mut header = *b"\x7fELF\x02\x01";
        header.reverse();
        assert_eq!(parse(&mut |_, bytes| Some(bytes[..6].copy_from_slice(&header))), None);
    }
}
