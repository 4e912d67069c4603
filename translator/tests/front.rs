//! Tests of the front end as a whole: the models are sound in themselves, bodies are typed as Rust types them, the two
//! interpreters load, and no input makes it panic.

use std::path::Path;

use metatrace_translator::diag::Code;
use metatrace_translator::front::Input;
use metatrace_translator::items::{FnKind, Origin};
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::program::Program;
use metatrace_translator::ty::FnId;

/// Loads a crate without looking for a portal.
fn load(source: &str) -> Program {
    Program::load(Input::text(source))
}

/// The functions of the user's crate that have a body.
fn functions(prog: &Program, origin: fn(Origin) -> bool) -> Vec<FnId> {
    (0..prog.fn_count())
        .map(FnId::new)
        .filter(|id| origin(prog.fn_def(*id).origin) && prog.fn_def(*id).kind == FnKind::Source)
        .collect()
}

/// Everything there is to say about a source, but not that it has no portal.
fn errors(prog: &Program) -> String {
    let all = prog.diagnostics().sorted();
    let shown: Vec<String> =
        all.iter().filter(|d| d.code != Code::NoPortal).map(|d| d.render(prog.sources())).collect();
    shown.join("\n\n")
}

#[test]
fn models_are_well_typed() {
    let prog = load("");
    for id in functions(&prog, |o| o != Origin::User) {
        let _ = prog.body(id);
    }
    assert_eq!(errors(&prog), "");
}

#[test]
fn interpreters_are_typed_from_their_portals() {
    for name in ["brainfuck", "tlr"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interpreters").join(name);
        let prog = Program::load_package(&dir, &Cfg::default());
        assert_eq!(errors(&prog), "", "{name}");
        let portals = prog.portals();
        assert_eq!(portals.len(), 1, "{name}");
        let body = prog.body(portals[0].id);
        assert_eq!(errors(&prog), "", "{name}");
        assert!(body.is_ok_and(|b| b.portal_loop.is_some()), "{name}");
    }
}

/// A bound on a parameter of the caller says nothing about a closure that is passed on.
#[test]
fn closures_are_no_parameters_of_the_caller() {
    let source = "
pub struct A { n: usize }
impl A {
    fn when(&mut self, body: impl FnOnce(&mut A)) -> &mut A { body(self); self }
    fn repeat(&mut self, body: impl FnOnce(&mut A)) -> &mut A {
        let start = self.n;
        self.when(|a| { body(a); a.n = start; })
    }
}";
    let prog = load(source);
    for id in functions(&prog, |o| o == Origin::User) {
        let _ = prog.body(id);
    }
    assert_eq!(errors(&prog), "");
}

/// `&&` between repetitions is one separator of two characters, and what `matches!` looks at may be a struct's literal.
#[test]
fn macros_keep_their_tokens_together() {
    let source = "
#[derive(Clone, Copy)]
pub struct P { x: i32 }
macro_rules! all { ($($e:expr),*) => { $($e)&&* }; }
fn f(a: bool, b: bool) -> bool { all!(a, b, matches!(P { x: 1 }, P { x: 1 })) }";
    let prog = load(source);
    for id in functions(&prog, |o| o == Origin::User) {
        let _ = prog.body(id);
    }
    assert_eq!(errors(&prog), "");
}

#[test]
fn every_function_hint_has_a_model() {
    use metatrace_defs::hint::{Hint, HintForm};
    let prog = load("");
    for hint in Hint::ALL.iter().filter(|h| h.form() == HintForm::Function) {
        let known = (0..prog.fn_count()).any(|i| {
            let def = prog.fn_def(FnId::new(i));
            // Some are looked inside, and made of others.
            let path = format!("metatrace::jit::{}", hint.name());
            matches!(def.kind, FnKind::Hint(n) if n == hint.name())
                || matches!(def.kind, FnKind::Source) && *def.path == *path
        });
        assert!(known, "`{}` is missing in core_model/metatrace.rs", hint.name());
    }
}

/// Types all functions of a source and compares their text form; there must be no error.
fn check(source: &str, expected: expect_test::ExpectFile) {
    let prog = load(source);
    let mut out = String::new();
    for id in functions(&prog, |o| o == Origin::User) {
        if let Ok(body) = prog.body(id) {
            out.push_str(&prog.dump_body(&body));
        }
    }
    let errors = errors(&prog);
    assert!(errors.is_empty(), "{errors}");
    expected.assert_eq(&out);
}

#[test]
fn casts_and_integer_arithmetic() {
    check(
        "fn f(mut acc: i64, n: i64, u: u64) -> i64 {
            acc = ((acc + 7) as u8) as i64;
            acc = ((acc * 3 + 1) as i32) as i64;
            acc += (0 - n) / 2;
            acc = acc.wrapping_mul(3);
            let b = u >> 3 > 7 && !(u / 2 == 1) || acc as f64 > 1.5;
            if b { acc = -acc; }
            acc << 2u8 | 1
        }",
        expect_test::expect_file!["thir/casts_and_integer_arithmetic.thir"],
    );
}

#[test]
fn loops_ranges_and_slices() {
    check(
        "fn f(v: &[u8], log: &mut Vec<u8>) -> u32 {
            let mut acc = 0;
            for k in 0..3 { acc += k }
            for (i, x) in v.iter().enumerate() { if i > 2 { break } acc += *x as u32; }
            while acc > 100 { acc -= 1 }
            log.push(1u8);
            'outer: loop { loop { if acc == 0 { break 'outer } continue 'outer } }
            acc + v[1] as u32 + v.len() as u32
        }",
        expect_test::expect_file!["thir/loops_ranges_and_slices.thir"],
    );
}

#[test]
fn enums_patterns_and_default_binding_modes() {
    check(
        "#[derive(Clone, Copy, PartialEq)] pub enum Op { Push(i64), Add, Jump { to: usize } }
        pub struct P { x: i64, y: (u8, bool) }
        const LIMIT: i64 = 2 * 8;
        fn f(op: &Op, p: &mut P, t: (i64, Option<u8>)) -> i64 {
            let P { x, y: (a, _) } = p;
            *x += 1;
            *a = 3;
            let (n, Some(b @ 1..=9)) = t else { return -1 };
            match op {
                Op::Push(v @ (1 | 2)) => *v,
                Op::Push(LIMIT) => 5,
                Op::Push(v) if *v < 0 => n,
                &Op::Push(v) => v + b as i64,
                Op::Jump { to, .. } => *to as i64,
                Op::Add => 0,
            }
        }
        fn g(v: &[u8]) -> u8 { match v { [] => 0, [a] => *a, [a, .., b] => a + b } }",
        expect_test::expect_file!["thir/enums_patterns_and_default_binding_modes.thir"],
    );
}

#[test]
fn generics_use_bounds_before_impls() {
    check(
        "trait Shape { fn area(&self) -> i64; fn twice(&self) -> i64 { self.area() * 2 } }
        struct Sq(i64);
        impl Sq { fn area(&self) -> i64 { -1 } }
        impl Shape for Sq { fn area(&self) -> i64 { self.0 * self.0 } }
        fn f<T: Shape>(t: &T) -> i64 { t.area() + t.twice() }
        fn g(s: &Sq, d: &dyn Shape) -> i64 { f(s) + s.area() + d.area() + s.twice() }",
        expect_test::expect_file!["thir/generics_use_bounds_before_impls.thir"],
    );
}

#[test]
fn closures_capture_places() {
    check(
        "struct S { a: i64, v: Vec<i64> }
        fn apply<F: Fn(i64) -> i64>(f: F, x: i64) -> i64 { f(x) }
        fn twice(mut f: impl FnMut()) { f(); f() }
        fn g(s: &mut S, n: i64) -> i64 {
            let k = 2;
            let r = apply(|x| x * k + n, 3);
            twice(|| s.a += r);
            let own = move || n + k;
            let v = vec![1, 2];
            let take = || v;
            take().len() as i64 + own()
        }",
        expect_test::expect_file!["thir/closures_capture_places.thir"],
    );
}

#[test]
fn results_and_question_mark() {
    check(
        "struct Low(u8);
        enum High { Low(Low), End }
        impl From<Low> for High { fn from(l: Low) -> High { High::Low(l) } }
        fn low(n: i64) -> Result<i64, Low> { if n > 3 { Err(Low(1)) } else { Ok(n) } }
        fn high(n: i64) -> Result<(i64, bool), High> { let x = low(n)?; let y = Some(x).ok_or(High::End)?; Ok((y, true)) }
        fn opt(v: &Vec<i64>) -> Option<i64> { let x = v.get(1)?; Some(*x) }",
        expect_test::expect_file!["thir/results_and_question_mark.thir"],
    );
}

#[test]
fn macros_are_hygienic() {
    check(
        "macro_rules! swap { ($a:expr, $b:expr) => { let t = $a; $a = $b; $b = t; } }
        macro_rules! sum { () => { 0 }; ($x:expr $(, $r:expr)*) => { $x + sum!($($r),*) } }
        fn f(mut x: i64, mut t: i64) -> i64 { swap!(x, t); sum!(x, t, 1) }",
        expect_test::expect_file!["thir/macros_are_hygienic.thir"],
    );
}

#[test]
fn foreign_code_is_outlined() {
    check(
        "use std::time::Instant;
        fn f(path: &str, n: i64) -> u64 {
            println!(\"{} {n:?}\", n + 1);
            std::fs::remove_file(path);
            let size: u64 = std::fs::metadata(path).unwrap().len();
            assert!(n > 0, \"no {n}\");
            size
        }",
        expect_test::expect_file!["thir/foreign_code_is_outlined.thir"],
    );
}

#[test]
fn modules_imports_and_visibility() {
    check(
        "mod a { pub mod b { pub fn f() -> u8 { super::g() } #[derive(Default)] pub struct T { pub x: u32 } }
            fn g() -> u8 { 1 } pub use b::f as h; pub use self::b::*; }
        use a::{h, T as U, b};
        fn k() -> u32 { use crate::a::f; fn inner(x: u8) -> u32 { x as u32 } inner(h() + f() + b::f()) + U::default().x }",
        expect_test::expect_file!["thir/modules_imports_and_visibility.thir"],
    );
}

#[test]
fn no_portal_is_said() {
    let prog = load("fn f() {}");
    assert_eq!(prog.diagnostics().sorted().iter().map(|d| d.code).collect::<Vec<_>>(), [Code::NoPortal]);
}

#[test]
fn damaged_sources_do_not_panic() {
    const SEEDS: [&str; 3] = [
        include_str!("../../interpreters/brainfuck/src/interpret.rs"),
        include_str!("../../interpreters/brainfuck/src/program.rs"),
        include_str!("front.rs"),
    ];
    // deep nesting in a damaged source needs more stack than a test's thread has
    let run = || {
        arbtest::arbtest(|u| {
            let seed = u.choose(&SEEDS)?;
            let mut lines: Vec<&str> = seed.lines().collect();
            let start = u.choose_index(lines.len())?;
            let len = u.int_in_range(1..=60usize)?.min(lines.len() - start);
            lines = lines[start..start + len].to_vec();
            let mut text = lines.join("\n");
            for _ in 0..u.int_in_range(0..=4u8)? {
                let words: Vec<(usize, &str)> = text.match_indices(|c: char| !c.is_whitespace()).collect();
                let Ok((at, _)) = u.choose(&words) else { break };
                let put = u.choose(&[
                    "", "(", "}", "match", "::", "&mut", "=>", "x", "Self", "0", "?", "|", ";", "'a", "#",
                ])?;
                let end = text[*at..].char_indices().nth(1).map_or(text.len(), |(i, _)| at + i);
                text = format!("{}{put}{}", &text[..*at], &text[end..]);
            }
            let prog = load(&text);
            for id in functions(&prog, |o| o == Origin::User) {
                let _ = prog.body(id).map(|b| prog.dump_body(&b));
            }
            let _ = prog.diagnostics().render(prog.sources());
            Ok(())
        })
        .budget_ms(1_000);
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run);
    assert!(thread.is_ok_and(|t| t.join().is_ok()), "the front end panicked on a damaged source");
}

#[test]
fn operands_known_late_are_built_in() {
    check(
        "fn apply<F: FnMut(i64)>(mut f: F) { f(1) }
        fn f(n: i32) -> i32 { let g = |x| x + n; let mut t = 0; apply(|x| { let mut h = |y| t += x * y; h(2) }); g(1) }
        fn mixed(k: u8, s: &[i64]) -> bool { let lt = |a, b| a < b; lt(k as i64, s[0]) }",
        expect_test::expect_file!["thir/operands_known_late_are_built_in.thir"],
    );
}

#[test]
fn instances_are_selected_from_substituted_types() {
    use metatrace_translator::program::Instance;
    use metatrace_translator::ty::{IntTy, Ty};
    let prog = load(
        "trait Shape { fn area(&self) -> i64; fn twice(&self) -> i64 { self.area() * 2 } }
        struct Sq(i64);
        impl Shape for Sq { fn area(&self) -> i64 { 1 } }
        impl<T: Shape> Shape for Vec<T> { fn area(&self) -> i64 { 2 } }
        struct Owner(Vec<u8>);
        fn f(a: Sq, b: Vec<Sq>, c: Owner, d: (u8, String)) {}",
    );
    let find = |path: &str| (0..prog.fn_count()).map(FnId::new).find(|id| prog.fn_def(*id).path == path);
    let area = find("crate::Shape::area").expect("declared");
    let types = prog.fn_def(find("crate::f").expect("declared")).sig.params.clone();
    let name = |ty: Ty| match prog.resolve_instance(area, metatrace_translator::ty::intern_list(&[ty])) {
        Ok(Instance::Fn(id, args)) => format!("{} {args:?}", prog.fn_def(id).path),
        other => format!("{other:?}"),
    };
    assert!(name(types[0]).starts_with("<crate::Sq as crate::Shape>::area"), "{}", name(types[0]));
    assert!(name(types[1]).starts_with("<std::vec::Vec<T> as crate::Shape>::area"), "{}", name(types[1]));
    assert!(name(Ty::int(IntTy::U8)).starts_with("Err(NotImplemented"), "{}", name(Ty::int(IntTy::U8)));
    let drops: Vec<bool> = types.iter().map(|t| prog.needs_drop(*t)).collect();
    assert_eq!(drops, [false, true, true, true]);
    assert!(prog.is_copy(Ty::int(IntTy::U8)) && !prog.is_copy(types[0]));
}

#[test]
fn the_owner_is_a_green_in_either_order() {
    for options in
        ["owner = code, greens = [pc]", "greens = [pc], owner = code", "owner = code, greens = [code, pc]"]
    {
        let prog = load(&format!(
            "use metatrace::jit;
            #[jit::portal({options})]
            fn p(pc: usize, code: &metatrace::Traced<u8>) {{ loop {{ jit::merge_point!(); }} }}",
        ));
        assert_eq!(errors(&prog), "");
        assert_eq!(prog.portals()[0].greens, [1, 0], "{options}");
    }
}

/// What cannot be seen inside of `format!` takes no more than that with it: its result is a `String`.
#[test]
fn unknown_arguments_of_format_outline_it_alone() {
    let source = "fn bad(n: usize, message: impl AsRef<[u8]>) -> usize { n + message.as_ref().len() }
        fn option(o: Option<usize>, word: &[u8]) -> Result<usize, usize> {
            o.ok_or_else(|| bad(1, format!(\"'{}'\", String::from_utf8_lossy(word))))
        }";
    let prog = load(source);
    let mut text = String::new();
    for id in functions(&prog, |o| o == Origin::User) {
        text.push_str(&prog.dump_body(&prog.body(id).unwrap()));
    }
    assert_eq!(errors(&prog), "");
    assert!(text.contains("crate::bad::<std::string::String>(1_usize, outlined [word ="), "{text}");
}
