//! The pages of codes and the language reference: their examples do what they say.

use metatrace_translator::diag::Code;

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
