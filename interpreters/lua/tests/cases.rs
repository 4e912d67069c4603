//! Every case prints what the reference implementation printed when the outputs were recorded, in each mode of the machine.

use std::path::Path;

mod common;

/// Runs all cases and compares.
fn check(environment: &[(&str, &str)]) {
    let interpreter = Path::new(env!("CARGO_BIN_EXE_lua"));
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in common::files() {
        let expected = std::fs::read_to_string(common::expected_path(&file.path)).expect("recorded outputs");
        let expected = common::split(&expected);
        assert_eq!(expected.len(), file.cases.len(), "{}: record the outputs anew", file.path.display());
        for ((name, program), (recorded, output)) in file.cases.iter().zip(expected) {
            assert_eq!(*name, recorded, "{}: record the outputs anew", file.path.display());
            count += 1;
            let found = common::output(interpreter, program, environment);
            if found != output {
                let differing = found.lines().zip(output.lines()).find(|(found, output)| found != output);
                wrong.push(format!("{}: {name}: {differing:?}", file.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn as_the_reference() {
    check(&[("METATRACE", "off")]);
}
