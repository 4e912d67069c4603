//! The front end's types and calls are rustc's.

use std::path::Path;

#[test]
fn types_and_calls_are_those_of_rustc() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let reports = xtask::check_types::run(root).unwrap_or_else(|error| panic!("{error}"));
    let differences: Vec<&String> = reports.iter().flat_map(|report| &report.differences).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    // Nothing that is compared with nothing is right.
    let (locals, calls) = reports.iter().fold((0, 0), |(l, c), r| (l + r.locals, c + r.calls));
    assert!(locals > 1800 && calls > 2000, "only {locals} variables and {calls} calls were compared");
    assert!(reports.iter().all(|report| report.locals > 0), "{reports:#?}");
}
