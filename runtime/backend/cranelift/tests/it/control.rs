//! Guards, bridges, loops and jumps between traces.

use crate::common::{Traces, check, check_text};
use metatrace_backend::Exit;
use metatrace_trace::GuardId;

const ONE_WORD: &str = "s0 = j0 @0 locals 0 (w0 = %0) merge_points 0";

#[test]
fn every_guard_holds_and_fails() {
    for (inputs, guard) in [
        ("%0 w", "guard_true(%0)"),
        ("%0 w", "guard_false(%0)"),
        ("%0 w", "guard_value(%0, 7)"),
        ("%0 w", "guard_value(%0, -7)"),
        ("%0 w", "guard_value(%0, 1311768467463790320)"),
        ("%0 f", "guard_float_value(%0, 1.5)"),
        ("%0 f", "guard_float_value(%0, f0x8000000000000000)"),
        ("%0 w", "guard_true(1)"),
        ("%0 w", "guard_false(1)"),
        ("%0 w", "guard_value(3, 4)"),
        ("%0 w", "guard_not_pending()"),
    ] {
        let text = format!("trace ({inputs}) {{ {guard} s0 finish(%0) }}\n{ONE_WORD}")
            .replace(if inputs == "%0 f" { "w0" } else { "?" }, "f0");
        let samples = [0, 1, 7, -7i64 as u64, 1311768467463790320, 1.5f64.to_bits(), 1 << 63, 1 << 32];
        let inputs: Vec<&[u64]> = samples.iter().map(std::slice::from_ref).collect();
        let outcomes = check_text(&text, &inputs);
        assert_eq!(outcomes.iter().map(|o| o.values[0]).collect::<Vec<_>>(), samples);
    }
}

#[test]
fn fail_values_arrive_in_their_order() {
    let text = "trace (%0 w, %1 f, %2 w, %3 w) {
            %4 = int_add(%0, %2)
            guard_true(%3) s0
            %5 = int_mul(%4, 3)
            guard_false(%2) s1
            %6 = float_add(%1, %1)
            guard_true(%0) s2
            finish(%6, %5, %4)
        }
        s0 = j0 @0 locals 0 (w0 = %2, w1 = %4, f0 = %1, w3 = %0, w4 = %2, w5 = 7) merge_points 0
        s1 = j0 @1 locals 0 (w0 = %0, f1 = %1, w2 = %2, w3 = %3, w4 = %5) merge_points 0
        s2 = j0 @1 locals 0 (w0 = %3, w2 = %0, f0 = %6) j0 @2 locals 16 (f1 = %1, w1 = %5) merge_points 0";
    let f = 2.5f64.to_bits();
    let outcomes = check_text(text, &[&[1, f, 3, 0], &[1, f, 3, 9], &[0, f, 0, 9], &[5, f, 0, 9]]);
    assert_eq!(outcomes[0].values, [3, 4, f, 1]);
    assert_eq!(outcomes[1].values, [1, f, 3, 9, 12]);
    assert_eq!(outcomes[2].values, [9, 0, 5f64.to_bits(), f, 0]);
    assert_eq!(outcomes[3].exit, Exit::Finish);
}

#[test]
fn exits_permute_inputs_without_overwriting_them() {
    let text = "trace (%0 w, %1 w, %2 w, %3 w) {
            guard_true(%3) s0
            finish(%1, %2, %3, %0)
        }
        s0 = j0 @0 locals 0 (w0 = %3, w1 = %2, w2 = %1, w3 = %0) merge_points 0";
    let outcomes = check_text(text, &[&[1, 2, 3, 0], &[1, 2, 3, 4]]);
    assert_eq!(outcomes[0].values, [0, 3, 2, 1]);
    assert_eq!(outcomes[1].values, [2, 3, 4, 1]);
}

/// Counts down from the first input, adding up; the third input stays what it is.
const LOOP: &str = r#"trace "t0" (%0 w, %1 w, %2 w) {
        %3, %4, %5 = label[t1](%0, %1, %2)
        count_merge_points(1)
        %6 = int_lt(0, %3)
        guard_true(%6) s0
        %7 = int_sub(%3, 1)
        %8 = int_add(%4, %5)
        %9 = int_and(%8, 7)
        %10 = int_eq(%9, 3)
        guard_false(%10) s1
        jump[t1](%7, %8, %5)
    }
    s0 = j0 @0 locals 0 (w0 = %3, w1 = %4, w2 = %5) merge_points 0
    s1 = j0 @0 locals 0 (w0 = %7, w1 = %5, w2 = %8, w3 = %2) merge_points 0
"#;

#[test]
fn loops_run_until_a_guard_fails() {
    let outcomes = check_text(LOOP, &[&[10, 0, 4], &[10, 0, 1], &[0, 5, 6], &[1000, 8, 16]]);
    assert_eq!(outcomes[0].values, [0, 40, 4]);
    assert_eq!(outcomes[0].merge_points, 11);
    assert_eq!(outcomes[1].exit, Exit::Guard(GuardId(1)));
    assert_eq!(outcomes[1].values, [7, 1, 3, 1]);
    assert_eq!(outcomes[3].values, [0, 16008, 16]);
}

#[test]
fn a_bridge_leads_back_into_its_loop() {
    // Values: counter, step, sum, so the jump back exchanges two slots and changes one.
    let bridge = r#"
        trace "g1" (%0 w, %1 w, %2 w, %5 w) {
            %3 = int_add(%2, 1)
            %4 = int_lt(%0, 3)
            guard_false(%4) s0
            jump[t0](%0, %3, %5)
        }
        s0 = j0 @0 locals 0 (w2 = %2, w1 = %1) merge_points 0
        trace "g2" (%0 w, %1 w) {
            %2 = int_xor(%0, %1)
            guard_true(%2) s0
            finish(%2, %1, 0)
        }
        s0 = j0 @0 locals 0 (w2 = %2) merge_points 0
    "#;
    let text = format!("{LOOP}{bridge}");
    let outcomes = check_text(&text, &[&[10, 0, 1], &[100, 0, 3], &[2, 2, 1], &[1, 0, 3], &[100, 0, 8]]);
    let exits: Vec<Exit> = outcomes.iter().map(|o| o.exit).collect();
    let guard = |n| Exit::Guard(GuardId(n));
    assert_eq!(exits, [Exit::Finish, guard(0), Exit::Finish, guard(3), guard(0)]);
    assert!(outcomes[1].merge_points > 90);
}

#[test]
fn two_loops_jump_to_each_other() {
    let text = r#"
        trace "t0" (%0 w, %1 w, %2 f) {
            %3 = int_lt(0, %0)
            guard_true(%3) s0
            %4 = int_sub(%0, 1)
            %5 = float_add(%2, 0.5)
            %6 = int_and(%4, 3)
            guard_true(%6) s1
            jump[t0](%4, %1, %5)
        }
        s0 = j0 @0 locals 0 (w0 = %0, w1 = %1, f2 = %2) merge_points 0
        s1 = j0 @0 locals 0 (w0 = %1, f1 = %5, w2 = %4) merge_points 0
        trace "t1" (%0 w, %1 w, %2 f) {
            %3 = int_add(%1, %0)
            %4 = int_rem(%3, 5)
            guard_true(%4) s0
            jump[t0](%0, %3, %2)
        }
        s0 = j0 @0 locals 0 (w0 = %3, w1 = %0, f2 = %2) merge_points 0
        trace "g1" (%0 w, %1 f, %2 w) { jump[t1](%2, %0, %1) }
        trace "g2" (%0 w, %1 w, %2 f) { %3 = float_mul(%2, 2.0) jump[t0](%1, %0, %3) }
    "#;
    let f = 0.25f64.to_bits();
    let outcomes = check_text(text, &[&[0, 1, f], &[1, 1, f], &[100, 1, f], &[5000, 77, f]]);
    assert!(outcomes.iter().all(|o| o.exit == Exit::Guard(GuardId(0))));
    assert!(f64::from_bits(outcomes[2].values[2]) > 50.0);
}

#[test]
fn a_loop_may_jump_to_its_own_entry() {
    let text = r#"
        trace "t0" (%0 w, %1 w, %2 w, %3 f) {
            guard_true(%0) s0
            %4 = int_sub(%0, 1)
            %5 = int_mul(%1, %2)
            %6 = float_sub(%3, 1.0)
            jump[t0](%4, %5, %2, %6)
        }
        s0 = j0 @0 locals 0 (w0 = %0, w1 = %1, w2 = %2, f3 = %3) merge_points 0"#;
    let outcomes = check_text(text, &[&[0, 1, 3, 0], &[5, 1, 3, 9f64.to_bits()]]);
    assert_eq!(outcomes[1].values, [0, 243, 3, 4f64.to_bits()]);
}

#[test]
fn values_around_a_loop_may_change_places() {
    let text = r#"
        trace (%0 w, %1 w, %2 w, %3 f, %4 f) {
            %5, %6, %7, %8, %9, %10 = label[t0](%0, %1, %2, %3, %4, 5)
            guard_true(%5) s0
            %11 = int_sub(%5, 1)
            jump[t0](%11, %7, %6, %9, %8, 5)
        }
        s0 = j0 @0 locals 0 (w0 = %5, w1 = %6, w2 = %7, f3 = %8, f4 = %9, w5 = %10) merge_points 0"#;
    let (a, b) = (1f64.to_bits(), 2f64.to_bits());
    let outcomes = check_text(text, &[&[3, 1, 2, a, b], &[4, 1, 2, a, b]]);
    assert_eq!(outcomes[0].values, [0, 2, 1, b, a, 5]);
    assert_eq!(outcomes[1].values, [0, 1, 2, a, b, 5]);
}

#[test]
fn a_label_nobody_jumps_to_is_nothing() {
    let text = r#"
        trace (%0 w) {
            %1, %2 = label[t5](%0, 4)
            %3 = int_add(%1, %2)
            finish(%3, %2, %1)
        }"#;
    assert_eq!(check_text(text, &[&[3]])[0].values, [7, 4, 3]);
}

#[test]
fn checked_arithmetic_in_any_order() {
    for op in ["add", "sub", "mul"] {
        for reversed in [false, true] {
            let sum = format!("%3 = int_{op}(%0, %1)");
            let overflows = format!("%2 = int_{op}_ovf(%0, %1) guard_false(%2) s0");
            let (first, second) = if reversed { (&sum, &overflows) } else { (&overflows, &sum) };
            let text = format!(
                "trace (%0 w, %1 w) {{ {first} {second} finish(%3) }}
                s0 = j0 @0 locals 0 (w0 = %1, w1 = %0) merge_points 0"
            );
            let max = i64::MAX as u64;
            let outcomes = check_text(&text, &[&[3, 4], &[max, max], &[1 << 63, 1], &[1 << 63, u64::MAX]]);
            assert_eq!(outcomes[0].exit, Exit::Finish);
            assert!(outcomes.iter().any(|o| o.exit == Exit::Guard(GuardId(0))), "{op}");
        }
    }
}

#[test]
fn a_truth_value_is_also_a_word() {
    let text = r#"
        trace (%0 w, %1 w) {
            %2 = int_lt(%0, %1)
            %3 = int_select(%2, %0, %1)
            %4 = int_add(%2, %2)
            guard_true(%2) s0
            finish(%3, %4)
        }
        s0 = j0 @0 locals 0 (w0 = %2, w1 = %3) merge_points 0"#;
    let outcomes = check_text(text, &[&[1, 2], &[2, 1]]);
    assert_eq!(outcomes[0].values, [1, 2]);
    assert_eq!(outcomes[1].values, [0, 1]);
}

#[test]
fn bridges_that_are_freed_are_detached() {
    use crate::common::{Engine, Frame, run};
    use metatrace_backend::{Backend, CodeId};
    let traces = Traces::parse(
        r#"trace (%0 w) { guard_true(%0) s0 finish(%0) }
        s0 = j0 @0 locals 0 (w0 = %0) merge_points 0
        trace "g0" (%0 w) { finish(9) }"#,
    );
    check(&traces, &[&[0], &[5]]);
    let (backend, code) = Engine::Quick.set_up(&traces);
    let mut frame = Frame::new();
    assert_eq!(run(&traces, &*backend, code, &mut frame, &[0]).values, [9]);
    Backend::free(&*backend, CodeId(1));
    assert_eq!(run(&traces, &*backend, code, &mut frame, &[0]).exit, Exit::Guard(GuardId(0)));
}
