//! The form in which diagnostics are printed.

use expect_test::expect;

use crate::crates::check_text;

#[test]
fn a_suggestion_shows_the_text_to_write() {
    let text = "use metatrace::{Traced, jit};
metatrace::glue!();
#[jit::portal(greens = [pc])]
fn interpret(mut pc: usize, code: &Traced<u8>) {
    loop { jit::merge_point!(); pc += 1; }
}
";
    expect![[r#"
        error[E0408]: the portal has no owner
         --> src/lib.rs:3:3
          |
        3 | #[jit::portal(greens = [pc])]
          |   ^^^^^^^^^^^ which parameter holds the guest code, whose traces these are?
          |
        help: `code` can be it
          |
        3 | #[jit::portal(owner = code, greens = [pc])]
          |               +++++++++++++"#]]
    .assert_eq(&check_text(text).text());
}

#[test]
fn a_call_chain_leads_to_what_cannot_be_entered() {
    let text = "fn odd(n: i64) -> i64 { static mut N: i64 = 0; unsafe { N } }
fn step(n: i64) -> i64 { odd(n) }
";
    expect![[r#"
        warning[E0501]: `crate::odd` is called, not looked inside: `N` is declared inside a function, so its address cannot be known
         --> src/lib.rs:1:57
          |
        1 | fn odd(n: i64) -> i64 { static mut N: i64 = 0; unsafe { N } }
          |                                                         ^
          |
          = note: the portal reaches it through `crate::portal_of_the_example` → `crate::step` → `crate::odd`
          = help: declare it in the module, or make it a `const`"#]].assert_eq(&check_text(text).text());
}
