//! The front end's types and calls are rustc's.

use std::path::Path;

use metatrace_translator::load::Files;
use xtask::check_types;

#[test]
fn types_and_calls_are_those_of_rustc() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let reports = check_types::run(root).unwrap_or_else(|error| panic!("{error}"));
    let differences: Vec<&String> = reports.iter().flat_map(|report| &report.differences).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    // Nothing that is compared with nothing is right.
    let (locals, calls) = reports.iter().fold((0, 0), |(l, c), r| (l + r.locals, c + r.calls));
    assert!(locals > 1800 && calls > 2000, "only {locals} variables and {calls} calls were compared");
    assert!(reports.iter().all(|report| report.locals > 0), "{reports:#?}");
}

/// What rustc and our side read is not the same text: each difference is found, also where libraries other than `metatrace` are needed.
#[test]
fn a_planted_wrong_type_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let metadata = check_types::metadata(root).unwrap();
    let workspace = check_types::Workspace::open(root, &metadata).unwrap();
    let plain = "use metatrace::{Traced, jit};

#[jit::portal(owner = code, greens = [pc])]
pub fn run(mut pc: usize, code: &Traced<Vec<i64>>, mut sum: i64) -> i64 {
    loop {
        jit::merge_point!();
        let Some(item) = code.get(pc) else { return sum };
        let item = item.clone();
        sum = sum.wrapping_add(item);
        pc += 1;
        jit::can_enter_jit!();
    }
}
metatrace::glue!();

pub fn planted() {
    let word = 7i64;
    let _copy = Clone::clone(&word);
}
";
    let spread = "use spread_values::Value;\npub fn of(value: Value) -> Value {\n    value\n}\n";
    let with = |package: &str, first: &str| {
        let text = format!("{first}{plain}");
        let dir = metadata.target_directory.join("check-types").join(package).into_std_path_buf();
        let id = &check_types::package_named(&metadata, package).unwrap().id;
        let setting = workspace.libraries.of(id).unwrap();
        let used: String = setting.externs.iter().map(|(name, _)| format!("{name} = \"*\"\n")).collect();
        let manifest = format!("[package]\nname = \"planted\"\nedition = \"2024\"\n\n[dependencies]\n{used}");
        std::fs::create_dir_all(dir.join("src")).unwrap();
        std::fs::write(dir.join("Cargo.toml"), &manifest).unwrap();
        std::fs::write(dir.join("src/lib.rs"), &text).unwrap();
        let compare = |text: String| {
            let files = [(dir.join("Cargo.toml"), manifest.clone()), (dir.join("src/lib.rs"), text)];
            let files = Files::Memory(files.into_iter().collect());
            workspace.compare_alone(&dir, setting.clone(), &files).unwrap_or_else(|error| panic!("{error}"))
        };
        let same = compare(text.clone());
        assert!(same.locals >= 5 && same.calls > 2 && same.differences.is_empty(), "{same:#?}");
        let other = compare(text.replace("7i64", "7u64"));
        let found: Vec<&str> = other.differences.iter().filter_map(|d| d.split(": ").nth(1)).collect();
        let expected = [
            "`word` is `u64`, for rustc `i64`",
            "`_copy` is `u64`, for rustc `i64`",
            "`<u64 as Clone>::clone` is called, for rustc `<i64 as Clone>::clone`",
        ];
        assert_eq!(found, expected, "{other:#?}");
    };
    with("tlr", "");
    with("lua", "use libc::timespec;\npub fn of(n: timespec) -> timespec {\n    n\n}\n");
    with("spread-vm", spread);
}
