//! Every case in every engine.

use generated::CASES;
use generated::check::check;

#[test]
fn engines_agree_with_native_code() {
    let (mut wrong, mut results, mut entries) = (Vec::new(), 0, 0);
    for (n, (name, seed)) in CASES.iter().enumerate() {
        let outcome = check(n, *seed);
        wrong.extend(outcome.wrong.map(|text| format!("{name} (seed {seed}): {text}")));
        results += outcome.results;
        entries += outcome.entries;
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
    // Cases that all panic at once, or that are never hot, would compare nothing.
    assert!(results > CASES.len() * 12, "{results} results of {} cases", CASES.len());
    assert!(entries > CASES.len() as u64 * 10, "compiled code was entered {entries} times");
}
