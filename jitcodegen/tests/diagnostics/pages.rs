//! The pages of codes and the language reference: their examples do what they say.

use metatrace_translator::diag::Code;

use metatrace_defs::hint::{Hint, HintForm};

use crate::crates::{check_examples, examples};

#[test]
fn examples_of_the_pages_do_what_they_say() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let page = code.page();
        let heading = format!("# {}: {}\n", code.id(), code.title());
        assert!(page.starts_with(&heading), "the page of {} begins with `{heading}`", code.id());
        let wants: Vec<Option<&str>> = examples(page).iter().map(|e| e.1).collect();
        assert!(wants.contains(&Some(code.id())), "the page of {} has no erroneous example", code.id());
        assert!(wants.contains(&None), "the page of {} has no corrected example", code.id());
        wrong.extend(check_examples(&format!("translator/errors/{}.md", code.id()), page));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples_of_the_reference_do_what_they_say() {
    let wrong = check_examples("docs/restricted-rust.md", include_str!("../../../docs/restricted-rust.md"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each row of the table has a section, with the table's words and an example.
#[test]
fn the_page_of_hints_is_the_table() {
    let page = include_str!("../../../docs/hints.md");
    let mut sections = page.split("\n## ").skip(1);
    for hint in Hint::ALL {
        let name = hint.name();
        let form = match hint.form() {
            HintForm::Attribute => format!("`#[jit::{name}]` on a function"),
            HintForm::Function => format!("`jit::{name}(…)`"),
            HintForm::Statement => format!("`jit::{name}!()`"),
            HintForm::FieldType => format!("`metatrace::{name}<…>`, the type of a field"),
            HintForm::PortalOption => format!("`{name} = …` in `#[jit::portal(…)]`"),
        };
        let head = format!("{name}\n\n{form}\n\n{}\n", hint.doc().trim());
        let section = sections.next().unwrap_or_else(|| panic!("docs/hints.md has no section `## {name}`"));
        assert!(section.starts_with(&head), "in docs/hints.md a section begins with\n## {head}");
        assert!(section.contains("\n```rust\n"), "`{name}` has an example");
        assert!(section.contains(name), "the example of `{name}` uses it");
    }
    assert_eq!(sections.next(), None, "docs/hints.md tells of what the table has not");
    let wrong = check_examples("docs/hints.md", page);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
