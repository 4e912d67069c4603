//! `cargo xtask explain-error`: the page of a diagnostic's code, or the list of all codes.

use metatrace_translator::diag::Code;

use crate::Result;

/// The page of `code`, ready to be printed.
pub fn page(code: &str) -> Result<&'static str> {
    let known = Code::find(code).ok_or_else(|| {
        format!("there is no diagnostic with the code `{code}`; `cargo xtask explain-error --list` shows all")
    })?;
    Ok(known.page())
}

/// All codes, one in a line.
pub fn list() -> String {
    let line = |code: &Code| format!("{}  {:7}  {}\n", code.id(), code.level().word(), code.title());
    Code::ALL.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_and_explained() {
        let list = list();
        for code in Code::ALL {
            assert!(list.contains(code.id()) && list.contains(code.title()));
            assert!(page(&code.id().to_lowercase()).is_ok_and(|page| page.contains(code.title())));
        }
        assert!(page("E9999").is_err_and(|e| e.contains("--list")));
    }
}
