//! Sources to flow graphs. Each case is a function in a small crate, reached from the portal; the expected graphs are in
//! `tests/lowering/`. `UPDATE_EXPECT=1 cargo test` accepts what lowering makes now.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use metatrace_translator::flow::{FuncId, Program, print, verify};
use metatrace_translator::front::Input;
use metatrace_translator::translate::translate_input;

/// A crate around `items`, whose portal evaluates `arm` on an accumulator `acc: i64`.
fn source(items: &str, arm: &str) -> String {
    format!(
        "use metatrace::{{Traced, jit}};
metatrace::glue!();
pub struct Code {{ bytes: Vec<u8> }}
{items}
#[jit::portal(owner = code, greens = [pc])]
pub fn interpret(mut pc: usize, code: &Traced<Code>, mut acc: i64, log: &mut Vec<u8>) -> Result<i64, String> {{
    loop {{
        jit::merge_point!();
        match code.bytes[pc] {{
            0 => return Ok(acc),
            _ => {arm}
        }}
        pc = pc.wrapping_add(1);
        jit::can_enter_jit!();
    }}
}}
"
    )
}

fn lower(items: &str, arm: &str) -> Program {
    let program = match translate_input(Input::text(&source(items, arm)), "demo") {
        Ok(program) => program,
        Err(failure) => panic!("{}", failure.render()),
    };
    assert_eq!(verify::program(&program), []);
    program
}

/// The user's functions and closures, with the names of callees in place of their numbers.
fn text(program: &Program) -> String {
    let mut out = String::new();
    let style = print::Style { without_positions: true };
    for (index, func) in program.funcs.iter().enumerate() {
        if func.name.starts_with("crate::")
            || func.name.starts_with("<crate::")
            || func.name.starts_with("closure")
        {
            out += &print::func(program, FuncId::new(index), style);
        }
    }
    for (index, func) in program.funcs.iter().enumerate().rev() {
        out = out.replace(&format!("fn{index}("), &format!("`{}`(", func.name));
        out = out.replace(&format!("fn fn{index} "), "fn ");
    }
    for (index, ext) in program.externs.iter().enumerate().rev() {
        let name = if ext.is_helper { &ext.rust } else { &ext.name };
        out = out.replace(&format!("ext{index}("), &format!("native `{name}`("));
    }
    for note in &program.notes {
        out += &format!("note: `{}` {} ({})\n", note.subject, note.message, note.chain.join(" -> "));
    }
    out
}

fn check(name: &str, items: &str, arm: &str) {
    let path: PathBuf = Path::new("lowering").join(format!("{name}.flow"));
    expect_file![path].assert_eq(&text(&lower(items, arm)));
}

/// Bodies that a lowering of syntax without types gets wrong.
#[test]
fn bodies_that_need_types() {
    for (name, items, arm) in [
        ("cast_u8", "", "acc = ((acc + 7) as u8) as i64,"),
        ("cast_i32", "", "acc = ((acc * 3 + 1) as i32) as i64,"),
        ("push", "", "log.push(1u8),"),
        ("local", "", "{ let mut count = acc; count = count + 1; acc = count; }"),
        ("host_call", "#[jit::dont_look_inside] fn host() -> i64 { 4 }", "acc = host(),"),
        ("for_range", "", "for k in 0..3 { acc += k },"),
        ("division", "", "acc = (0 - acc) / 2 + 5 / acc,"),
        ("unsigned", "", "{ let u = acc as u64; acc = ((u >> 3) / 7) as i64; if u > 5 { acc = 1 } }"),
        ("logic", "", "if !(acc < 3) && acc != 5 || acc == 9 { acc = 1 },"),
        ("wrapping_mul", "", "acc = acc.wrapping_mul(3),"),
        ("tuple_pattern", "", "{ let (a, b) = (acc, 2); acc = a - b; }"),
        ("helper", "mod other { pub fn twice(x: i64) -> i64 { x * 2 } }", "acc = other::twice(acc),"),
        ("match_values", "", "acc = match acc { 1 => 10, 2 | 3 => 20, -5..=0 => 30, _ => 40 },"),
        ("if_let", "", "if let Some(x) = acc.checked_add(1) { acc = x },"),
        ("while_loop", "", "while acc > 3 { acc -= 1 },"),
        (
            "struct_return",
            "struct P { x: i64, y: u8 } fn make(x: i64) -> P { P { x, y: x as u8 } }",
            "acc = make(acc).x,",
        ),
        (
            "closure_argument",
            "fn apply<F: Fn(i64) -> i64>(f: F, x: i64) -> i64 { f(x) }",
            "acc = apply(|x| x + 1, acc),",
        ),
        ("question_mark", "fn risky(x: i64) -> Result<i64, String> { Ok(x) }", "acc = risky(acc)?,"),
    ] {
        check(name, items, arm);
    }
}

#[test]
fn patterns() {
    check(
        "enum_by_reference",
        "enum Op { Add(i64), Halt, Pair { a: u8, b: u8 } }
         fn run(op: &Op, n: i64) -> i64 {
             match op {
                 Op::Add(k) if *k > 3 => n + k,
                 Op::Add(k) => *k,
                 Op::Halt => 0,
                 Op::Pair { a, b: 1..=5 } => *a as i64,
                 Op::Pair { b: c @ (7 | 9), .. } => *c as i64,
                 Op::Pair { .. } => 7,
             }
         }",
        "acc = run(&Op::Add(acc), acc),",
    );
    check(
        "enum_by_value",
        "enum Op { Add(i64, u8), Halt, Both(Option<i64>) }
         fn run(op: Op) -> i64 {
             match op { Op::Add(1, k) => k as i64, Op::Both(Some(k)) | Op::Add(k, _) => k, Op::Halt | Op::Both(None) => 0 }
         }",
        "acc = run(Op::Add(acc, 2)),",
    );
    check(
        "slices",
        "fn pick(v: &[u8]) -> u8 {
             match v { [] => 0, [a] => *a, [a, .., b] if a > b => *b, [a, rest @ ..] => a.wrapping_add(rest[0]) }
         }",
        "acc = pick(&code.bytes) as i64,",
    );
    check(
        "strings",
        "fn name(s: &str) -> i64 { match s { \"add\" => 1, \"sub\" => 2, _ => 3 } }",
        "acc = name(\"add\"),",
    );
    check(
        "let_else",
        "fn get(o: Option<i64>) -> i64 { let Some(x) = o else { return -1 }; x }",
        "acc = get(Some(acc)),",
    );
}

#[test]
fn control_flow() {
    check(
        "labels",
        "fn run(n: i64) -> i64 {
             let mut s = 0u8;
             'outer: loop {
                 let mut i = 0;
                 while i < n {
                     if s > 100 { break 'outer; }
                     if i == 3 { i += 2; continue 'outer; }
                     s = s.wrapping_add(1);
                     i += 1;
                 }
                 break;
             }
             let v = 'b: { if s > 70 { break 'b 1; } 2 };
             v
         }",
        "acc = run(acc),",
    );
}

#[test]
fn closures() {
    check(
        "captures",
        "fn apply<F: FnMut(i64) -> i64>(mut f: F) -> i64 { f(1) + f(2) }
         fn run(n: i64) -> i64 {
             let mut count = 0;
             let a = apply(|x| { count += x; count + n });
             let pair = (n, 3u8);
             let b = apply(move |x| x + pair.0);
             a + b + count
         }",
        "acc = run(acc),",
    );
}

#[test]
fn references() {
    check(
        "references",
        "struct Frame { regs: [i64; 16], at: usize }
         fn slot(f: &mut Frame, n: usize) -> &mut i64 { &mut f.regs[n] }
         fn run(f: &mut Frame, n: i64) -> i64 {
             *slot(f, 2) += n;
             let r = &mut f.at;
             *r = 3;
             let x = f.regs[f.at];
             let mut local = (n, n);
             let p = &mut local.1;
             *p = x;
             local.0 + local.1
         }",
        "acc = run(&mut Frame { regs: [0; 16], at: 1 }, acc),",
    );
}

#[test]
fn drops() {
    check(
        "moves_and_drops",
        "fn choose(n: i64) -> String {
             let s = String::new();
             let mut t = String::new();
             if n > 3 { t = s; } else { t.push('x'); }
             let (u, _) = (t, n);
             u
         }",
        "acc = choose(acc).len() as i64,",
    );
    check(
        "result_with_string",
        "#[jit::dont_look_inside] fn risky(x: i64) -> Result<i64, String> { if x > 3 { Err(String::new()) } else { Ok(x) } }
         fn run(x: i64) -> i64 { match risky(x) { Ok(v) => v, Err(_) => -1 } }
         fn both(x: i64) -> Result<i64, String> { let a = risky(x)?; risky(a) }",
        "acc = run(acc) + both(acc)?,",
    );
    check(
        "drop_impl",
        "struct Guard<'a>(&'a mut i64);
         impl Drop for Guard<'_> { fn drop(&mut self) { *self.0 += 1; } }
         #[jit::dont_look_inside] fn host() -> i64 { 4 }
         fn run(n: i64) -> i64 {
             let mut c = n;
             {
                 let g = Guard(&mut c);
                 if n > 100 { return 0; }
                 *g.0 = host();
             }
             c
         }",
        "acc = run(acc),",
    );
}

#[test]
fn numbers() {
    check(
        "widths",
        "fn run(a: i8, b: u32, c: i128) -> i64 {
             let x = a * 3 - -a;
             let y = (b << (a as u8)) ^ b.rotate_left(3);
             let z = c + 1;
             x as i64 + y as i64 + z as i64
         }",
        "acc = run(acc as i8, acc as u32, acc as i128),",
    );
    check(
        "floats",
        "fn run(a: f64, b: f32) -> i64 { let c = a / b as f64 - 1.5; if c >= 0.0 { c as i32 as i64 } else { (-b) as u8 as i64 } }",
        "acc = run(acc as f64, acc as f32),",
    );
}

#[test]
fn traits_and_pointers() {
    check(
        "traits",
        "trait Shape { fn area(&self) -> i64; fn twice(&self) -> i64 { self.area() * 2 } }
         struct Sq(i64);
         impl Shape for Sq { fn area(&self) -> i64 { self.0 } }
         impl Sq { fn area(&self) -> i64 { 7 } }
         fn generic<T: Shape>(t: &T) -> i64 { t.area() + t.twice() }
         fn dynamic(t: &dyn Shape) -> i64 { t.area() }
         fn pointer(f: fn(i64) -> i64, x: i64) -> i64 { f(x) }
         fn inc(x: i64) -> i64 { x + 1 }",
        "{ let s = Sq(acc); acc = generic(&s) + dynamic(&s) + s.area() + pointer(inc, acc); }",
    );
}

#[test]
fn constants() {
    check(
        "constants",
        "const LIMIT: i64 = 10;
         const TABLE: [u8; 16] = [1; 16];
         static NAMES: [i64; 3] = [4, 5, 6];
         fn run(i: usize) -> i64 { LIMIT + TABLE[i] as i64 + NAMES[i] }",
        "acc = run(pc),",
    );
}

/// The merge point takes a parameter that lives in memory by value.
#[test]
fn portal_parameter_in_memory() {
    check("portal_parameter_in_memory", "fn bump(x: &mut i64) { *x += 1; }", "bump(&mut acc),");
}

#[test]
fn code_that_is_not_analysed() {
    check("outlined", "fn warn(n: i64) { println!(\"{n}\"); eprintln!(\"{}\", n + 1); }", "warn(acc),");
}

/// A guard that several alternatives reach binds the same variables each time.
#[test]
fn guards_that_bind() {
    let items = "fn even(x: i64) -> Option<i64> { if x & 1 == 0 { Some(x) } else { None } }
         fn pick(t: (i64, i64)) -> i64 {
             match t { (1 | 2, n) | (n, 5) if let Some(m) = even(n) && m > 3 => m, (_, n) => n }
         }";
    check("guards_that_bind", items, "acc = pick((acc, 7)),");
    let items = "fn make() -> Option<String> { None }
         fn pick(x: i64) -> i64 { match x { 1 if let Some(s) = make() => s.len() as i64, _ => 0 } }";
    let program = lower(items, "acc = pick(acc),");
    let pick = program.funcs.iter().find(|f| f.name == "crate::pick").unwrap();
    let why = pick.body.as_ref().unwrap_err();
    assert!(why.starts_with("a guard that moves a value with a destructor"), "{why}");
}

/// Bits of narrow signed integers: what is in between is wider than the type.
#[test]
fn narrow_bits() {
    let items = "fn bits(x: i64) -> i64 {
             let (b, h) = (x as i8, x as i16);
             b.swap_bytes() as i64 ^ h.rotate_left(3) as i64 ^ b.trailing_zeros() as i64 ^ h.count_ones() as i64
         }";
    check("narrow_bits", items, "acc = bits(acc),");
}

/// A private constant is told by the glue of its module, and a destructor has no name to be called by.
#[test]
fn what_only_some_glue_can_name() {
    let items = "mod a { metatrace::glue!(); const ORIGIN: super::b::P = super::b::P { x: 1 };
             pub fn x(n: i64) -> i64 { let p = &ORIGIN; p.x + n } }
         mod b { metatrace::glue!(); pub struct P { pub x: i64 }
             pub struct D<'a>(pub &'a mut i64); impl Drop for D<'_> { fn drop(&mut self) { *self.0 += 1; } } }
         fn drops(mut n: i64) -> i64 { { let _d = b::D(&mut n); } n }";
    let program = lower(items, "acc = a::x(drops(acc)),");
    let value = program.load_times.iter().find(|value| value.name == "ORIGIN").unwrap();
    assert_eq!(program.modules[value.module.index()].path, "demo::a");
    let drop = program.funcs.iter().find(|f| f.name.ends_with("Drop>::drop")).unwrap();
    assert!(drop.body.is_ok() && drop.rust.is_none());
}

/// The methods of the closure traits take their arguments as one tuple.
#[test]
fn closure_objects_take_any_number_of_arguments() {
    let items = "type None = &'static dyn Fn() -> i64; type Two = &'static dyn Fn(i64, u8) -> i64;
         type One = &'static dyn Fn((i64, u8)) -> i64;
         #[jit::dont_look_inside] fn none() -> None { &|| 1 }
         #[jit::dont_look_inside] fn one() -> One { &|p| p.0 }
         #[jit::dont_look_inside] fn two() -> Two { &|a, _| a }
         fn all(n: i64) -> i64 { none()() + one()((n, 1)) + two()(n, 1) }";
    let program = lower(items, "acc = all(acc),");
    assert!(program.funcs.iter().any(|f| f.name == "crate::all" && f.body.is_ok()));
}

/// What cannot be looked inside is called, with a note that shows how the portal reaches it.
#[test]
fn refused_functions_are_called() {
    let items = "
         fn odd(x: i64) -> i64 { static mut N: i64 = 0; unsafe { N } }
         fn outer(x: i64) -> i64 { odd(x) }";
    let program = lower(items, "acc = outer(acc),");
    let odd = program.funcs.iter().find(|f| f.name == "crate::odd").unwrap();
    assert_eq!(
        odd.body.as_ref().unwrap_err(),
        "`N` is declared inside a function, so its address cannot be known"
    );
    let note = &program.notes[0];
    assert_eq!(note.chain, ["crate::interpret", "crate::outer", "crate::odd"]);
    assert_eq!((note.subject.as_str(), note.pos.line), ("crate::odd", 5));
}

#[test]
fn refused_portals_are_errors() {
    let text = source("", "{ static mut N: i64 = 0; acc = unsafe { N } }");
    let failure = translate_input(Input::text(&text), "demo").map(|_| ()).unwrap_err();
    let errors = failure.diagnostics().sorted();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].message, "`N` is declared inside a function, so its address cannot be known");
    assert_eq!(errors[0].help.as_deref(), Some("declare it in the module, or make it a `const`"));
}
