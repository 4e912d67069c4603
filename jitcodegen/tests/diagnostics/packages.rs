//! Interpreters that are spread over several packages, and manifests that lack something.

use expect_test::{Expect, expect};

use crate::crates::check_text;

const VM: &str = "//# Cargo.toml
[package]
name = 'vm'
edition = '2024'
[workspace]
members = ['words']
[dependencies]
metatrace = '1'
words = { path = 'words' }
//# words/Cargo.toml
[package]
name = 'words'
edition = '2024'
[features]
default = ['jit']
jit = []
[dependencies]
metatrace = '1'
[build-dependencies]
metatrace-jitcodegen = '1'
//# words/build.rs
fn main() {}
//# words/src/lib.rs
";

fn said(library: &str, step: &str) -> String {
    check_text(&format!("{VM}{library}\n//# src/lib.rs\n{step}\n")).text()
}

fn check(library: &str, step: &str, expected: &Expect) {
    expected.assert_eq(&said(library, step));
}

#[test]
fn what_a_library_hides_is_looked_inside() {
    let library = "metatrace::glue!();
mod inner {
    metatrace::glue!();
    #[derive(Clone, Copy)]
    pub struct Word(i64);
    impl Word {
        pub fn new(n: i64) -> Word { Word(secret(n)) }
        pub fn get(self) -> i64 { self.0 }
    }
    fn secret(n: i64) -> i64 { n + TABLE[n as usize & 1] }
    static TABLE: [i64; 2] = [1, 2];
}
pub use inner::Word as Public;
#[macro_export]
macro_rules! word { ($e:expr) => { $crate::Public::new($crate::twice($e)) } }
pub fn twice(n: i64) -> i64 { n * 2 }
pub trait Shape { const SIDES: i64; fn area(&self) -> i64 { Self::SIDES } }
pub fn areas<T: Shape>(a: &T, b: &T) -> i64 { a.area() + b.area() }";
    let step = "use words::{Shape, areas, word};
struct Own(i64);
impl Shape for Own { const SIDES: i64 = 3; fn area(&self) -> i64 { self.0 * Self::SIDES } }
fn step(n: i64) -> i64 { areas(&Own(n), &Own(word!(n).get())) }";
    assert_eq!(said(library, step), "");
}

#[test]
fn macros_of_a_library_may_be_used_without_a_path() {
    let library = "metatrace::glue!();
#[macro_export]
macro_rules! twice { ($e:expr) => { $e * 2 } }";
    assert_eq!(said(library, "#[macro_use]\nextern crate words;\nfn step(n: i64) -> i64 { twice!(n) }"), "");
}

#[test]
fn private_items_of_a_library_stay_private() {
    let library = "metatrace::glue!();\nfn secret(n: i64) -> i64 { n }";
    check(
        library,
        "fn step(n: i64) -> i64 { words::secret(n) }",
        &expect![[r#"
        error[E0103]: cannot find `words::secret`
         --> src/lib.rs:1:26
          |
        1 | fn step(n: i64) -> i64 { words::secret(n) }
          |                          ^^^^^^^^^^^^^ not found in this scope
          |
          = help: import it, or check its spelling; names made by procedural macros are not seen"#]],
    );
}

#[test]
fn mistakes_of_all_crates_come_together() {
    let library = "metatrace::glue!();\npub fn wrong(n: i64) -> i64 { missing(n) }";
    check(
        library,
        "fn step(n: i64) -> i64 { let a = words::wrong(n); a + words::nothing(n) }",
        &expect![[r#"
            error[E0103]: cannot find `missing`
             --> words/src/lib.rs:2:31
              |
            2 | pub fn wrong(n: i64) -> i64 { missing(n) }
              |                               ^^^^^^^ not found in this scope
              |
              = help: import it, or check its spelling; names made by procedural macros are not seen

            error[E0103]: cannot find `words::nothing`
             --> src/lib.rs:1:55
              |
            1 | fn step(n: i64) -> i64 { let a = words::wrong(n); a + words::nothing(n) }
              |                                                       ^^^^^^^^^^^^^^ not found in this scope
              |
              = help: import it, or check its spelling; names made by procedural macros are not seen"#]],
    );
}

#[test]
fn a_librarys_module_needs_glue_too() {
    let library = "mod inner {\n    pub struct Word { n: i64 }\n    impl Word { pub fn new(n: i64) -> Word { Word { n } } \
                   #[metatrace::jit::dont_look_inside] pub fn get(&self) -> i64 { self.n } }\n}\npub use inner::Word;\n\
                   metatrace::glue!();";
    check(
        library,
        "fn step(n: i64) -> i64 { words::Word::new(n).get() }",
        &expect![[r#"
        error[E0409]: the module `words::inner` needs the line `metatrace::glue!();`
         --> words/src/lib.rs:2:5
          |
        2 |     pub struct Word { n: i64 }
          |     ^^^ traced code or types are in this module or below it
          |
        help: add the line, anywhere in the module
          |
        2 +     metatrace::glue!();
          |"#]],
    );
}

#[test]
fn what_no_crate_can_name_is_called_through_its_caller() {
    let library = "metatrace::glue!();
pub struct Held<T> { held: T }
impl<T: Copy> Held<T> {
    pub fn new(held: T) -> Held<T> { Held { held } }
    pub fn get(&self) -> T { self.secret() }
    #[metatrace::jit::dont_look_inside]
    fn secret(&self) -> T { self.held }
}";
    let step = "#[derive(Clone, Copy)]\nstruct Own(i64);\nfn step(n: i64) -> i64 { words::Held::new(Own(n)).get().0 }";
    check(
        library,
        step,
        &expect![[r#"
        warning[E0501]: `<words::Held<crate::Own>>::get` is called, not looked inside: it calls `<words::Held<T>>::secret::<crate::Own>`, which has no name in Rust and is marked `#[jit::dont_look_inside]`
         --> words/src/lib.rs:5:30
          |
        5 |     pub fn get(&self) -> T { self.secret() }
          |                              ^^^^"#]],
    );
}

/// The first line of what is said if the text `from` of the manifests is another.
fn without(from: &str, to: &str, step: &str) -> String {
    assert_eq!(VM.matches(from).count(), 1, "{from}");
    let library = "pub fn twice(n: i64) -> i64 { n * 2 }\nmetatrace::glue!();";
    check_text(&format!("{}{library}\n//# src/lib.rs\n{step}\n", VM.replace(from, to))).text()
}

#[test]
fn a_library_that_takes_no_part_says_why() {
    let step = "fn step(n: i64) -> i64 { n + 1 }";
    let why = |from: &str, to: &str| {
        let text = without(from, to, step);
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("words")).collect();
        lines.join("\n")
    };
    expect![[r#"
        warning[E0503]: the library `words` is called, not looked inside: it has no build script
        8 | words = { path = 'words' }
          = help: create `words/build.rs` with `fn main() { metatrace_jitcodegen::build_script(); }`"#]]
    .assert_eq(&why("//# words/build.rs", "//# words/other.rs"));
    expect![[r#"
        warning[E0503]: the library `words` is called, not looked inside: its build script cannot generate glue
        8 | words = { path = 'words' }
          = help: add `metatrace-jitcodegen` to `[build-dependencies]` in `words/Cargo.toml`"#]].assert_eq(&why("metatrace-jitcodegen = '1'\n", ""));
    expect![[r#"
        warning[E0503]: the library `words` is called, not looked inside: its feature `jit` is off
        8 | words = { path = 'words' }
          = help: let the feature `jit` of `vm` turn on `words/jit`"#]]
    .assert_eq(&why("default = ['jit']\n", ""));
    expect![""].assert_eq(&why("jit = []\n", ""));
    expect![[r#"
        warning[E0503]: the library `words` is called, not looked inside: `words/Cargo.toml` is malformed: unclosed table, expected `]`
        8 | words = { path = 'words' }"#]].assert_eq(&why("edition = '2024'\n[features]", "edition = '2024'\n[features"));
    // One that has nothing to do with metatrace is passed over, until its functions are asked for.
    let plain = "[dependencies]\nmetatrace = '1'\n[build-dependencies]\nmetatrace-jitcodegen = '1'\n";
    assert_eq!(why(plain, ""), "");
    let text = without(plain, "", "fn step(n: i64) -> i64 { let m = words::twice(n); m + 1 }");
    expect![[r#"
        warning[E0501]: `crate::step` is called, not looked inside: the type of this is not known: `words::twice`, for the library `words` takes no part in the translation: it does not depend on `metatrace`
         --> src/lib.rs:1:34
          |
        1 | fn step(n: i64) -> i64 { let m = words::twice(n); m + 1 }
          |                                  ^^^^^^^^^^^^
          |
          = note: the portal reaches it through `crate::portal_of_the_example` → `crate::step`
          = help: call it through a function marked `#[jit::dont_look_inside]`, or state the type of the result"#]].assert_eq(&text);
}
