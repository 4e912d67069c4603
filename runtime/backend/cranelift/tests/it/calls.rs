//! Calls of native code: arguments and results, panics, re-entrance, and code that is freed while it runs.

use crate::common::{BYTES, Engine, Frame, LIMIT, Outcome, Traces, VALUES, check, cranelift, run};
use metatrace_backend::{Backend, CodeId, Context, Exit, Job, Shim, pending};
use metatrace_backend_cranelift::{CraneliftBackend, OptLevel};
use metatrace_trace::GuardId;
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// A shim that mixes its arguments, each differently, and leaves eight results.
macro_rules! mixer {
    ($($arg:ident)*) => {{
        extern "C" fn shim(context: *mut Context $(, $arg: u64)*) -> u64 {
            let sum = 17u64;
            $( let sum = sum.wrapping_mul(31).wrapping_add($arg); )*
            // SAFETY: compiled code hands over the context of the run.
            let results = unsafe { &mut (*context).results };
            for (n, result) in results.iter_mut().enumerate() {
                *result = sum.rotate_left(n as u32 * 5);
            }
            sum
        }
        Shim(shim as *const ())
    }};
}

#[test]
fn arguments_and_results() {
    let shims = [
        mixer!(),
        mixer!(a),
        mixer!(a b),
        mixer!(a b c),
        mixer!(a b c d),
        mixer!(a b c d e),
        mixer!(a b c d e f),
        mixer!(a b c d e f g),
        mixer!(a b c d e f g h),
        mixer!(a b c d e f g h i),
        mixer!(a b c d e f g h i j),
        mixer!(a b c d e f g h i j k),
        mixer!(a b c d e f g h i j k l),
        mixer!(a b c d e f g h i j k l m),
        mixer!(a b c d e f g h i j k l m n),
    ];
    for count in 0..shims.len() {
        // Words and floats, values and constants.
        let kinds: Vec<&str> = (0..count).map(|n| if n % 3 == 1 { "f" } else { "w" }).collect();
        let args: Vec<&str> = (0..count).map(|n| ["%0", "%1", "-9", "7", "2.5"][n * 3 % 5]).collect();
        let fits = |n: usize| matches!((kinds[n], args[n]), ("f", "%1" | "2.5") | ("w", "%0" | "-9" | "7"));
        let args: Vec<&str> = (0..count)
            .map(|n| match (fits(n), kinds[n]) {
                (true, _) => args[n],
                (false, "f") => "%1",
                (false, _) => "%0",
            })
            .collect();
        let results = count % 9;
        let result_kinds: Vec<&str> = (0..results).map(|n| if n % 2 == 0 { "w" } else { "f" }).collect();
        let yields: Vec<String> = (2..2 + results).map(|n| format!("%{n}")).collect();
        let equals = if results == 0 { "" } else { " = " };
        let text = format!(
            "call call0 \"f\" shim {count} ({}) -> ({}) reads all writes all
            trace (%0 w, %1 f) {{ {}{equals}call[call0]({}) finish(%0, %1{}{}) }}",
            kinds.join(", "),
            result_kinds.join(", "),
            yields.join(", "),
            args.join(", "),
            if results == 0 { "" } else { ", " },
            yields.join(", "),
        );
        check(&Traces::parse(&text).with_shims(&shims), &[&[1, 2], &[u64::MAX, 1e9f64.to_bits()]]);
    }
}

extern "C" fn panics_if_odd(context: *mut Context, n: u64) -> u64 {
    let outcome = catch_unwind(|| {
        if n % 2 == 1 {
            resume_unwind(Box::new(n));
        }
        n * 10
    });
    outcome.unwrap_or_else(|payload| {
        // SAFETY: compiled code hands over the context of the run.
        let context = unsafe { &mut *context };
        context.pending |= pending::PANIC;
        context.panic = Some(payload);
        0
    })
}

#[test]
fn a_pending_panic_leaves_the_trace_after_the_call() {
    let traces = Traces::parse(
        "call call0 \"f\" shim 0 (w) -> (w) reads all writes all can_panic
        trace (%0 w, %1 w) {
            %2 = int_add(%0, %1)
            %3 = call[call0](%0)
            guard_not_pending() s0
            finish(%3, %2)
        }
        s0 = j0 @0 locals 0 (w0 = %2, w1 = %1, w2 = %3) merge_points 0",
    )
    .with_shims(&[Shim(panics_if_odd as *const ())]);
    let outcomes = check(&traces, &[&[4, 5], &[5, 6]]);
    assert_eq!(outcomes[0].values, [40, 9]);
    assert_eq!(outcomes[1].exit, Exit::Guard(GuardId(0)));
    assert_eq!((&outcomes[1].values[..], outcomes[1].pending), (&[11, 6, 0][..], pending::PANIC));
}

thread_local! {
    static DROPS: Cell<u32> = const { Cell::new(0) };
    static BACKEND: RefCell<Option<Rc<CraneliftBackend>>> = const { RefCell::new(None) };
}

struct Noisy;

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPS.set(DROPS.get() + 1);
    }
}

extern "C-unwind" fn unwinds_at_zero(_: *mut Context, n: u64) -> u64 {
    let _noisy = Noisy;
    if n == 0 {
        resume_unwind(Box::new(1234u64));
    }
    n - 1
}

const CALLS_IN_A_LOOP: &str = r#"
    call call0 "f" shim 0 (w) -> (w) reads all writes all
    trace "t0" (%0 w, %1 w, %2 w, %3 w, %4 w, %5 w, %6 w, %7 w) {
        %10, %11, %12, %13, %14, %15 = label[t1](%0, %1, %2, %3, %4, %5)
        %20 = int_add(%11, %12)
        %21 = int_xor(%13, %14)
        %22 = int_sub(%15, %20)
        %23 = int_mul(%21, %6)
        %24 = call[call0](%10)
        guard_not_pending() s0
        %25 = int_and(%24, 3)
        guard_true(%25) s1
        jump[t1](%24, %20, %21, %22, %23, %13)
    }
    s0 = j0 @0 locals 0 (w0 = %24) merge_points 0
    s1 = j0 @0 locals 0 (w0 = %24, w1 = %20, w2 = %21, w3 = %22, w4 = %23, w5 = %13, w6 = %6, w7 = %7) merge_points 0
    trace "g1" (%0 w, %1 w, %2 w, %3 w, %4 w, %5 w, %6 w, %7 w) {
        %8 = call[call0](%0)
        %9 = int_add(%8, 1)
        jump[t0](%9, %1, %2, %3, %4, %5, %6, %7)
    }
"#;

/// Values that the caller holds in registers must survive a panic that passes compiled frames.
#[inline(never)]
fn registers_survive(backend: &dyn Backend, code: CodeId, frame: &mut Frame, inputs: &[u64]) -> bool {
    let seed = black_box(inputs[0] + 3);
    let held = [1, 3, 5, 7, 11, 13, 17].map(|n| black_box(seed * n));
    let [a, b, c, d, e, f, g] = held;
    frame.slots()[..inputs.len()].copy_from_slice(inputs);
    let mut context = Context::default();
    // SAFETY: the frame has the size that was set, and the traces access no memory.
    let outcome =
        catch_unwind(AssertUnwindSafe(|| unsafe { backend.run(code, frame.pointer(), &mut context) }));
    let payload = outcome.expect_err("the callee panics").downcast::<u64>().expect("with a word");
    *payload == 1234 && a + b + c + d + e + f + g == seed * 57
}

#[test]
fn panics_unwind_through_compiled_frames() {
    let traces = Traces::parse(CALLS_IN_A_LOOP).with_shims(&[Shim(unwinds_at_zero as *const ())]);
    for engine in [Engine::Quick, Engine::Speed] {
        let (backend, code) = engine.set_up(&traces);
        let mut frame = Frame::new();
        for start in 0..40 {
            DROPS.set(0);
            // The bridge calls with multiples of 4: 0 is reached there, or in the loop at the very start.
            assert!(registers_survive(&*backend, code, &mut frame, &[start, 1, 2, 3, 4, 5, 6, 7]));
            assert!(DROPS.get() > 0);
        }
    }
}

extern "C-unwind" fn runs_itself(context: *mut Context, n: u64) -> u64 {
    let _noisy = Noisy;
    if n == 0 {
        resume_unwind(Box::new(1234u64));
    }
    let backend = BACKEND.with_borrow(Clone::clone).expect("the test has set it");
    let mut frame = Frame::new();
    frame.slots()[0] = n - 1;
    // SAFETY: the frame has the size that was set; the trace takes one word.
    match unsafe { backend.run(CodeId(0), frame.pointer(), context) } {
        Exit::Finish => frame.slots()[0],
        exit => panic!("left by {exit:?}"),
    }
}

extern "C" fn recurses(context: *mut Context, n: u64) -> u64 {
    if n == 0 { 100 } else { runs_itself(context, n) }
}

const RECURSION: &str = r#"
    call call0 "f" shim 0 (w) -> (w) reads all writes all
    trace (%0 w) {
        %1 = call[call0](%0)
        %2 = int_mul(%0, 2)
        %3 = int_add(%1, %2)
        finish(%3)
    }"#;

fn compile_recursion(shim: Shim) -> (Rc<CraneliftBackend>, Traces) {
    let traces = Traces::parse(RECURSION).with_shims(&[shim]);
    let backend = Rc::new(cranelift());
    let compile = |job: &Job| backend.compile(job).map(|compiled| compiled.code);
    traces.compile(&compile, &*backend);
    BACKEND.set(Some(backend.clone()));
    (backend, traces)
}

#[test]
fn native_code_may_run_other_traces() {
    let (backend, traces) = compile_recursion(Shim(recurses as *const ()));
    let outcome: Outcome = run(&traces, &*backend, CodeId(0), &mut Frame::new(), &[30]);
    assert_eq!(outcome.values, [100 + 2 * (30 * 31 / 2)]);
}

#[test]
fn panics_unwind_through_nested_runs() {
    let (backend, _) = compile_recursion(Shim(runs_itself as *const ()));
    DROPS.set(0);
    assert!(registers_survive(&*backend, CodeId(0), &mut Frame::new(), &[50]));
    assert_eq!(DROPS.get(), 51);
    let before = backend.code_memory();
    backend.free(CodeId(0));
    assert!(backend.code_memory() < before, "nothing runs any more");
}

extern "C" fn frees_the_caller(_: *mut Context, _: u64) -> u64 {
    let backend = BACKEND.with_borrow(Clone::clone).expect("the test has set it");
    let before = backend.code_memory();
    backend.free(CodeId(0));
    // New code must not lie where the caller is still to return to.
    let traces = Traces::parse("trace (%0 w) { finish(0, 0, 0) }");
    for _ in 0..20 {
        let compile = |job: &Job| backend.compile(job).map(|compiled| compiled.code);
        traces.compile(&compile, &*backend);
    }
    assert!(backend.code_memory() > before);
    7
}

#[test]
fn code_that_runs_is_freed_when_it_was_left() {
    let (backend, traces) = compile_recursion(Shim(frees_the_caller as *const ()));
    let outcome = run(&traces, &*backend, CodeId(0), &mut Frame::new(), &[30]);
    assert_eq!(outcome.values, [67]);
    let used = backend.code_memory();
    for code in 1..=20 {
        backend.free(CodeId(code));
    }
    assert!(used > 0);
    assert_eq!(backend.code_memory(), 0);
    BACKEND.set(None);
}

#[test]
fn backends_work_in_threads() {
    let work = |seed: u64| {
        let traces = Traces::parse(CALLS_IN_A_LOOP).with_shims(&[Shim(unwinds_at_zero as *const ())]);
        for round in 0..5 {
            let backend = CraneliftBackend::new(LIMIT).unwrap();
            backend.set_frame(VALUES, BYTES);
            let compile = |job: &Job| backend.compile_at(job, OptLevel::None).map(|c| c.code);
            let code = traces.compile(&compile, &backend);
            for start in 0..100 {
                let inputs = [start + round, seed, 2, 3, 4, 5, 6, 7];
                assert!(registers_survive(&backend, code, &mut Frame::new(), &inputs));
            }
        }
    };
    std::thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || work(seed));
        }
    });
}

#[test]
fn a_backend_may_move_to_another_thread() {
    let traces = Traces::parse("trace (%0 w) { %1 = int_add(%0, 1) finish(%1) }");
    let backend = cranelift();
    let compile = |job: &Job| backend.compile(job).map(|compiled| compiled.code);
    let code = traces.compile(&compile, &backend);
    let moved = std::thread::spawn(move || run(&traces, &backend, code, &mut Frame::new(), &[4]).values);
    assert_eq!(moved.join().unwrap(), [5]);
}
