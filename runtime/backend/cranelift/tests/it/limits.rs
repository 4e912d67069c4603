//! Large traces, many values, and what is refused.

use crate::common::{BYTES, Frame, LIMIT, PRELUDE, Traces, VALUES, check, cranelift, run};
use metatrace_backend::{Backend, CodeId, Compiled, Context, Exit, Job};
use metatrace_backend_cranelift::{CraneliftBackend, OptLevel};
use metatrace_defs::inst::Operand;
use metatrace_defs::{Abort, JitCodeId, Kind, Program, PureOp, TraceOp};
use metatrace_trace::{
    Attached, GuardId, Opnd, Snapshot, SnapshotFrame, SnapshotId, TargetId, Trace, parse, parse_with,
};

/// A loop of so many operations, every sixth a guard that keeps all of `live` values; the first input counts down.
pub fn large_loop(operations: usize, live: usize) -> (Program, Trace) {
    let program = parse(&format!("{PRELUDE} trace () {{ finish() }}")).unwrap().0;
    let mut trace = Trace::new();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let inputs: Vec<Opnd> = (0..live).map(|_| trace.new_input(Kind::Word, None).into()).collect();
    let target = Attached::Target(TargetId(0));
    let mut values: Vec<Opnd> =
        trace.push(&program, TraceOp::Label, &inputs, target, &[]).into_iter().map(Opnd::Value).collect();
    let ops =
        [PureOp::IntAdd, PureOp::IntSub, PureOp::IntXor, PureOp::IntMul, PureOp::IntAnd, PureOp::UintShr];
    for n in 0..operations {
        if n % 6 == 5 {
            let snapshot = keep(&mut trace, &values);
            let (value, expected) = (values[random(live)], Opnd::Word(random(1 << 30) as u64 * 977));
            let op = TraceOp::Pure(PureOp::IntEq);
            let test = trace.push(&program, op, &[value, expected], Attached::None, &[])[0];
            trace.push_guard(TraceOp::GuardFalse, &[test.into()], snapshot);
        } else {
            let op = ops[random(ops.len())];
            let args = [values[random(live)], values[random(live)]];
            let result = trace.push(&program, TraceOp::Pure(op), &args, Attached::None, &[])[0];
            values[1 + random(live - 1)] = result.into();
        }
    }
    let op = TraceOp::Pure(PureOp::IntSub);
    values[0] = trace.push(&program, op, &[values[0], Opnd::Word(1)], Attached::None, &[])[0].into();
    let snapshot = keep(&mut trace, &values);
    trace.push_guard(TraceOp::GuardTrue, &[values[0]], snapshot);
    trace.push(&program, TraceOp::Jump, &values, target, &[]);
    (program, trace)
}

/// A snapshot of so many words.
fn keep(trace: &mut Trace, values: &[Opnd]) -> SnapshotId {
    let registers = (0..).map(|n| Operand::reg(Kind::Word, n)).zip(values.iter().copied()).collect();
    let frame = SnapshotFrame { jitcode: JitCodeId(0), pc: 0, locals: 0, registers };
    trace.push_snapshot(Snapshot {
        frames: vec![frame],
        merge_points: 0,
        handed: None,
        stores: vec![],
        virtuals: vec![],
        known: vec![],
        open: Default::default(),
    })
}

#[test]
fn large_traces() {
    for (operations, live) in [(600, 12), (6000, 30)] {
        let (program, trace) = large_loop(operations, live);
        assert!(trace.insts.iter().filter(|inst| inst.op.is_guard()).count() > operations / 6);
        let traces = Traces::new(program, vec![(String::new(), trace)]);
        let inputs: Vec<u64> = (0..live as u64).map(|n| 20 + n * 0x1234_5678_9abc).collect();
        let outcomes = check(&traces, &[&inputs]);
        assert!(matches!(outcomes[0].exit, Exit::Guard(_)));
    }
}

#[test]
fn frames_with_hundreds_of_values() {
    let (program, trace) = large_loop(160, 500);
    let traces = Traces::new(program, vec![(String::new(), trace)]);
    let inputs: Vec<u64> = (0..500).map(|n| 9 + n * 0x1234_5678_9abc).collect();
    assert!(check(&traces, &[&inputs])[0].values.len() > 400);
}

fn compile(backend: &CraneliftBackend, text: &str) -> Result<Compiled, Abort> {
    let program = parse(&format!("{PRELUDE} trace () {{ finish() }}")).unwrap().0;
    let trace = parse_with(&program, text).unwrap();
    let guards = [GuardId(0)];
    let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
    backend.compile(&Job {
        program: &program,
        shims: &[],
        trace: &trace,
        guards: &guards[..count],
        entry: None,
    })
}

#[test]
fn what_the_frame_cannot_hold_is_refused() {
    let backend = cranelift();
    backend.set_frame(2, 64);
    let inputs = "%0 w, %1 w, %2 w";
    for (text, fits) in [
        ("trace (%0 w, %1 w) { finish(%0, %1) }".to_owned(), true),
        (format!("trace ({inputs}) {{ finish(%0, %1) }}"), false),
        ("trace (%0 w, %1 w) { finish(%0, %1, 7) }".to_owned(), false),
        ("trace () { %0 = local_addr(48, 16, 0) finish(%0) }".to_owned(), true),
        ("trace () { %0 = local_addr(48, 17, 0) finish(%0) }".to_owned(), false),
    ] {
        assert_eq!(compile(&backend, &text).err(), (!fits).then_some(Abort::FrameTooLarge), "{text}");
    }
    for (registers, fits) in
        [("w0 = %0, w1 = %1, w2 = %0, w3 = 8", true), ("w0 = %0, w1 = %1, w2 = %2", false)]
    {
        let text = format!(
            "trace (%0 w, %1 w) {{ %2 = int_add(%0, %1) guard_true(%2) s0 finish(%2) }}
            s0 = j0 @0 locals 0 ({registers}) merge_points 0"
        );
        assert_eq!(compile(&backend, &text).err(), (!fits).then_some(Abort::FrameTooLarge), "{text}");
    }
}

#[test]
fn code_memory_is_limited_and_comes_back() {
    let backend = CraneliftBackend::new(4096).unwrap();
    backend.set_frame(VALUES, BYTES);
    let text = "trace (%0 w) { %1 = int_mul(%0, %0) finish(%1) }";
    for _ in 0..3 {
        let mut codes: Vec<CodeId> = Vec::new();
        let refused = loop {
            match compile(&backend, text) {
                Ok(compiled) => codes.push(compiled.code),
                Err(abort) => break abort,
            }
        };
        assert_eq!(refused, Abort::CodeMemoryFull);
        assert!(codes.len() > 3 && backend.code_memory() <= 4096);
        codes.into_iter().for_each(|code| backend.free(code));
        assert_eq!(backend.code_memory(), 0);
    }
}

#[test]
fn freed_memory_is_used_again() {
    let backend = CraneliftBackend::new(LIMIT).unwrap();
    backend.set_frame(VALUES, BYTES);
    let traces = Traces::parse("trace (%0 w) { %1 = int_mul(%0, %0) finish(%1) }");
    let mut frame = Frame::new();
    for n in 0..1000 {
        let compile = |job: &Job| backend.compile_at(job, OptLevel::None).map(|compiled| compiled.code);
        let code = traces.compile(&compile, &backend);
        assert_eq!(run(&traces, &backend, code, &mut frame, &[n]).values, [n * n]);
        backend.free(code);
    }
    assert_eq!(backend.code_memory(), 0);
}

#[test]
fn texts_for_people() {
    let (program, trace) = parse(&format!(
        "{PRELUDE} trace (%0 w) {{ %1 = int_mul(%0, %0) guard_true(%1) s0 finish(%1) }}
        s0 = j0 @0 locals 0 (w0 = %0) merge_points 0"
    ))
    .unwrap();
    let backend = cranelift();
    let job = Job { program: &program, shims: &[], trace: &trace, guards: &[GuardId(0)], entry: None };
    let clif = backend.clif_text(&job);
    assert!(clif.contains("@0000") && clif.contains("imul") && clif.contains("brif"), "{clif}");
    let assembly = backend.assembly_text(&job);
    assert!(assembly.contains("ret"), "{assembly}");
    let compiled = backend.compile(&job).unwrap();
    let bytes = backend.code_bytes(compiled.code).unwrap();
    assert_eq!(bytes.len(), compiled.bytes);
    assert!(backend.code_address(compiled.code).is_some());
    backend.free(compiled.code);
    assert_eq!(backend.code_bytes(compiled.code), None);
}

/// What only the way out needs is done there, and what a guard tests is known there.
#[test]
fn exits_do_what_only_they_need() {
    let (program, trace) = parse(&format!(
        "{PRELUDE} trace (%0 w, %1 w) {{ %2 = int_mul(%0, 5) %3 = int_lt(%0, %1) guard_true(%3) s0
        %4 = int_add(%0, %1) guard_true(%4) s1 finish(%4) }}
        s0 = j0 @0 locals 0 (w0 = %0, w1 = %2, w2 = %3) merge_points 0
        s1 = j0 @0 locals 0 (w0 = %2, w1 = %4) merge_points 0"
    ))
    .unwrap();
    let backend = cranelift();
    let guards = [GuardId(0), GuardId(1)];
    let job = Job { program: &program, shims: &[], trace: &trace, guards: &guards, entry: None };
    let clif = backend.clif_text(&job);
    let (hot, cold) = clif.split_once("cold").expect("exits are cold");
    assert!(!hot.contains("imul") && cold.matches("imul").count() == 2, "{clif}");
    assert!(!clif.contains("uextend"), "the comparison is nowhere needed as a word:\n{clif}");
    let compiled = backend.compile(&job).unwrap();
    let mut frame = Frame::new();
    let minus = |n: i64| -n as u64;
    for (inputs, guard, handed) in [([7, 3], 0, vec![7, 35, 0]), ([minus(4), 4], 1, vec![minus(20), 0])] {
        frame.slots()[..2].copy_from_slice(&inputs);
        // SAFETY: the frame has the size that was set, and the trace accesses no memory.
        let exit = unsafe { backend.run(compiled.code, frame.pointer(), &mut Context::default()) };
        assert_eq!(exit, Exit::Guard(GuardId(guard)));
        assert_eq!(frame.slots()[..handed.len()], handed[..]);
    }
    backend.free(compiled.code);
}
