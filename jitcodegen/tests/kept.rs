//! Graphs that are kept between translations: after every kind of change, a translation that reuses what it can makes byte for byte what one
//! from nothing makes; and whatever is kept is as if there were nothing where it does not fit or is damaged.

use std::path::{Path, PathBuf};

use metatrace_jitcodegen::{Job, Translation, translate};
use metatrace_translator::load::cfg::Cfg;

const SOURCE: &str = r#"
use metatrace::{Traced, jit};

const LIMIT: i64 = 100;

macro_rules! twice {
    ($e:expr) => { $e + $e };
}

#[derive(Clone, Copy, PartialEq)]
pub struct Pair {
    pub left: i64,
    pub right: i64,
}

pub trait Area {
    fn area(&self) -> i64;
}

impl Area for Pair {
    fn area(&self) -> i64 {
        self.left * self.right
    }
}

pub fn small(x: i64) -> i64 {
    x + 1
}

pub fn larger<T: Area>(shape: &T, n: i64) -> i64 {
    // a comment
    let area = shape.area();
    if area > n { area } else { small(n) }
}

pub fn applied(f: impl Fn(i64) -> i64, x: i64) -> i64 {
    f(f(x))
}

pub fn with_closure(x: i64) -> i64 {
    let y = twice!(x);
    applied(|z| z * y + LIMIT, x)
}

pub fn chosen(x: Option<i64>, or: i64) -> i64 {
    x.map(|v| v + or).unwrap_or_else(|| or - 1)
}

#[cfg(feature = "extra")]
pub fn extra(x: i64) -> i64 {
    x ^ 7
}

#[cfg(not(feature = "extra"))]
pub fn extra(x: i64) -> i64 {
    x ^ 5
}

pub fn printed(x: i64) {
    println!("{}", x);
}

pub struct Code {
    pub ops: Vec<u8>,
}

#[jit::portal(owner = code, greens = [pc])]
pub fn interpret(mut pc: usize, code: &Traced<Code>, mut acc: i64, pair: &mut Pair) -> i64 {
    loop {
        jit::merge_point!();
        match code.ops[pc] {
            0 => return acc,
            1 => acc = small(acc),
            2 => acc = larger(pair, acc),
            3 => acc = with_closure(acc),
            4 => acc = chosen(Some(acc), 3),
            5 => acc = extra(acc),
            6 => {
                printed(acc);
                pair.left = acc;
            }
            _ => {
                pc = 0;
                jit::can_enter_jit!();
            }
        }
        pc += 1;
    }
}

metatrace::glue!();
"#;

struct Package {
    dir: PathBuf,
}

impl Package {
    fn new(name: &str) -> Package {
        let dir = std::env::temp_dir().join(format!("metatrace-kept-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("src")).expect("a folder for tests");
        let package = Package { dir };
        package.write(
            "Cargo.toml",
            "[package]\nname = \"kept\"\nedition = \"2024\"\n\n[dependencies]\nmetatrace = \"1\"\n",
        );
        package.write("src/lib.rs", SOURCE);
        package
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.join(name), text).expect("a file for tests");
    }

    fn kept(&self) -> PathBuf {
        self.dir.join("out").join("graphs.kept")
    }

    fn translate(&self, cfg: &Cfg, kept: Option<PathBuf>) -> Translation {
        let job = Job {
            package: self.dir.clone(),
            cfg: cfg.clone(),
            target: ("x86_64".to_string(), "linux".to_string()),
            emit_graph: false,
            emit_jitcode: false,
            library: None,
            kept,
        };
        translate(&job).unwrap_or_else(|e| panic!("{e}"))
    }

    /// Translates with what is kept, compares with what a translation from nothing made; how many functions were reused and made.
    fn compare(&self, cfg: &Cfg, fresh: &Translation, what: &str) -> (usize, usize) {
        let kept = self.translate(cfg, Some(self.kept()));
        assert!(kept.image == fresh.image, "{what}: the images differ");
        assert_eq!(kept.output.glue, fresh.output.glue, "{what}");
        assert_eq!(kept.warnings, fresh.warnings, "{what}");
        assert_eq!(fresh.reused.0, 0);
        kept.reused
    }

    /// The same with a translation from nothing made for it.
    fn compare_fresh(&self, cfg: &Cfg, what: &str) -> (usize, usize) {
        self.compare(cfg, &self.translate(cfg, None), what)
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A change of the source, and how many functions it makes anew; none for all.
const EDITS: &[(&str, &str, &str, Option<usize>)] = &[
    ("the text of a function", "area } else", "area + 1 } else", Some(1)),
    ("a function that is inlined", "x + 1\n", "x + 2\n", Some(1)),
    ("a comment, so that lines move", "// a comment", "// a comment\n    // of two lines", Some(1)),
    ("a closure's captures", "z * y + LIMIT", "z * (y + x) + LIMIT", None),
    ("a closure that std calls", "v + or", "v - or", None),
    ("a method", "self.left * self.right", "self.left + self.right * 2", Some(1)),
    ("native code", "println!(\"{}\", x)", "println!(\"{} {}\", x, x)", Some(1)),
    ("the portal", "3 => acc = with_closure(acc)", "3 => acc = with_closure(acc + 1)", Some(1)),
    ("a function that is called no more", "5 => acc = extra(acc)", "5 => acc = small(acc)", Some(1)),
    ("an error that is no error after all", "x ^ 5", "{ x ^ 5 }", Some(1)),
    ("a constant", "LIMIT: i64 = 100", "LIMIT: i64 = 101", None),
    ("a type", "pub right: i64,", "pub right: i64,\n    pub third: u8,", None),
    ("a macro", "$e + $e", "$e * $e", None),
    ("a signature", "pub fn small(x: i64) -> i64 {", "pub fn small(x: i64) -> i64 where i64: Copy {", None),
    (
        "a function that declares items",
        "let area = shape.area();",
        "const K: i64 = 3;\n    let area = shape.area() + K;",
        None,
    ),
    ("an attribute", "pub fn printed", "#[jit::dont_look_inside]\npub fn printed", None),
];

#[test]
fn what_is_reused_is_what_would_be_made() {
    let cfg = Cfg::default();
    let package = Package::new("edits");
    let original = package.translate(&cfg, None);
    let (reused, all) = package.compare(&cfg, &original, "from nothing");
    assert_eq!(reused, 0);
    assert_eq!(package.compare(&cfg, &original, "unchanged"), (all, 0));
    for (what, from, to, made) in EDITS {
        assert_eq!(SOURCE.matches(from).count(), 1, "{what}: `{from}`");
        package.write("src/lib.rs", &SOURCE.replace(from, to));
        let (reused, anew) = package.compare_fresh(&cfg, what);
        match made {
            Some(made) => assert_eq!(anew, *made, "{what}: {reused} reused"),
            None => assert!(anew > 0, "{what}: {reused} reused"),
        }
        // Back again: nothing of the change is left.
        package.write("src/lib.rs", SOURCE);
        package.compare(&cfg, &original, what);
    }
}

#[test]
fn conditions_and_manifest_count() {
    let package = Package::new("cfg");
    let plain = Cfg::default();
    let (_, all) = package.compare_fresh(&plain, "from nothing");
    let extra = Cfg::from_build_script([("CARGO_FEATURE_EXTRA".to_string(), "1".to_string())].into_iter());
    assert_eq!(package.compare_fresh(&extra, "with a feature").0, 0);
    assert_eq!(package.compare_fresh(&extra, "again"), (all, 0));
    package.write(
        "Cargo.toml",
        "[package]\nname = \"kept\"\nedition = \"2021\"\n\n[dependencies]\nmetatrace = \"1\"\n",
    );
    assert_eq!(package.compare_fresh(&extra, "another edition").0, 0);
}

const PART: &str = "pub const STEP: i64 = 3;\n\nmetatrace::glue!();\n\npub struct Part<T> {\n    held: T,\n}\n\n\
    impl<T: Copy> Part<T> {\n    pub fn new(held: T) -> Part<T> {\n        Part { held }\n    }\n\n    \
    pub fn held(&self) -> T {\n        self.held\n    }\n}\n\npub fn more(x: i64) -> i64 {\n    x + STEP\n}\n";

const PART_MANIFEST: &str = "[package]\nname = \"part\"\nedition = \"2024\"\n[features]\ndefault = [\"jit\"]\njit = []\n\
    [dependencies]\nmetatrace = \"1\"\n[build-dependencies]\nmetatrace-jitcodegen = \"1\"\n";

/// The same with a library: its bodies are looked at one by one, and all else in it is the surroundings of both crates.
#[test]
fn libraries_count() {
    let cfg = Cfg::default();
    let package = Package::new("libraries");
    std::fs::create_dir_all(package.dir.join("part/src")).expect("a folder for tests");
    package.write(
        "Cargo.toml",
        "[package]\nname = \"kept\"\nedition = \"2024\"\n\n[dependencies]\nmetatrace = \"1\"\npart = { path = \"part\" }\n",
    );
    package.write("part/Cargo.toml", PART_MANIFEST);
    package.write("part/build.rs", "");
    package.write("part/src/lib.rs", PART);
    let source = SOURCE.replace("acc = extra(acc)", "acc = part::more(part::Part::new(acc).held())");
    package.write("src/lib.rs", &source);
    let (_, all) = package.compare_fresh(&cfg, "from nothing");
    assert_eq!(package.compare_fresh(&cfg, "unchanged"), (all, 0));
    let edit = |file: &str, text: &str, what: &str, made: usize| {
        package.write(file, text);
        assert_eq!(package.compare_fresh(&cfg, what).1, made, "{what}");
    };
    edit("part/src/lib.rs", &PART.replace("x + STEP", "x - STEP"), "a body of the library", 1);
    edit("part/src/lib.rs", PART, "back again", 1);
    edit("src/lib.rs", &source.replace("x + 1\n", "x + 2\n"), "a body of the interpreter", 1);
    edit("part/src/lib.rs", &PART.replace("i64 = 3", "i64 = 4"), "a constant of the library", all);
    edit("part/Cargo.toml", &PART_MANIFEST.replace("2024", "2021"), "the library's edition", all);
}

#[test]
fn what_is_damaged_is_not_used() {
    let package = Package::new("damage");
    let cfg = Cfg::default();
    let fresh = package.translate(&cfg, None);
    let (_, all) = package.compare(&cfg, &fresh, "from nothing");
    let good = std::fs::read(package.kept()).expect("it was kept");
    let damage = |bytes: &[u8], what: &str| {
        write(&package.kept(), bytes);
        assert_eq!(package.compare(&cfg, &fresh, what), (0, all), "{what}");
        assert!(std::fs::read(package.kept()).expect("it was kept") == good, "{what}: it is not mended");
    };
    damage(&[], "empty");
    damage(b"something else altogether", "of something else");
    damage(&good[..good.len() / 2], "cut short");
    damage(&[good.as_slice(), &[0]].concat(), "too long");
    for n in 0..6 {
        let mut bytes = good.clone();
        let at = n * (bytes.len() - 1) / 5;
        bytes[at] ^= 1 << n;
        damage(&bytes, &format!("byte {at} is wrong"));
    }
    // A folder in its place: it cannot be read or written, and translation works all the same.
    std::fs::remove_file(package.kept()).expect("it was there");
    std::fs::create_dir(package.kept()).expect("a folder");
    assert_eq!(package.compare(&cfg, &fresh, "not to be read").0, 0);
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a file for tests");
}
