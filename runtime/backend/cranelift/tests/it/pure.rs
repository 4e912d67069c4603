//! Every pure operation on edge values, its operands constant or not, its result as a value or tested by a guard.

use crate::common::{Traces, check_with};
use metatrace_defs::{JitCode, Kind, Program, PureOp, TraceOp};
use metatrace_trace::{Attached, Opnd, Snapshot, SnapshotFrame, Trace};

const WORDS: [u64; 17] = [
    0,
    1,
    2,
    3,
    7,
    63,
    64,
    65,
    255,
    0x8000,
    0xffff_ffff,
    0x8000_0000,
    u64::MAX,
    u64::MAX - 9,
    i64::MAX as u64,
    i64::MIN as u64,
    0x0123_4567_89ab_cdef,
];

const FLOATS: [f64; 18] = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.5,
    -2.5,
    1e-310,
    3e9,
    9.3e18,
    -9.3e18,
    1.9e19,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    123_456.789,
    4_503_599_627_370_497.5,
    16_777_217.0,
];

fn samples(op: PureOp, kind: Kind) -> Vec<u64> {
    match kind {
        Kind::Float => FLOATS.iter().map(|f| f.to_bits()).collect(),
        // Words of `f32` operations are singles.
        Kind::Word if op.name().starts_with("f32_") => FLOATS
            .iter()
            .map(|&f| u64::from((f as f32).to_bits()))
            .chain([0xdead_beef_3f80_0000])
            .chain(WORDS)
            .collect(),
        Kind::Word => WORDS.to_vec(),
    }
}

/// Not-a-number has many forms, and which one comes out is up to the machine.
fn same(op: PureOp, a: u64, b: u64) -> bool {
    let nan = |bits: u64| match op.row().result {
        Kind::Float => f64::from_bits(bits).is_nan(),
        Kind::Word => {
            op.name().starts_with("f32_") && bits >> 32 == 0 && f32::from_bits(bits as u32).is_nan()
        }
    };
    a == b || nan(a) && nan(b)
}

fn forbidden(op: PureOp, args: &[Opnd]) -> bool {
    op.is_partial() && args.last().and_then(|last| last.as_const()) == Some(0)
}

/// Results of one operation: on its inputs, and with each operand in turn replaced by each constant, and all.
fn results(op: PureOp) -> Trace {
    let program = Program::default();
    let mut trace = Trace::new();
    let kinds = op.row().operands;
    let inputs: Vec<Opnd> = kinds.iter().map(|&kind| trace.new_input(kind, None).into()).collect();
    let mut forms = vec![inputs.clone()];
    for (n, &kind) in kinds.iter().enumerate() {
        for bits in samples(op, kind) {
            let mut form = inputs.clone();
            form[n] = Opnd::constant(kind, bits);
            forms.push(form.clone());
            for (other, &kind) in kinds.iter().enumerate().skip(n + 1) {
                form[other] = Opnd::constant(kind, bits.rotate_left(9));
            }
            forms.push(form);
        }
    }
    forms.retain(|args| !forbidden(op, args));
    let results: Vec<Opnd> = forms
        .iter()
        .map(|args| trace.push(&program, TraceOp::Pure(op), args, Attached::None, &[])[0].into())
        .collect();
    trace.push(&program, TraceOp::Finish, &results, Attached::None, &[]);
    trace
}

/// The operation's result decides a guard.
fn guarded(op: PureOp, guard: TraceOp) -> (Program, Trace) {
    let jitcode = JitCode {
        name: "f".into(),
        params: vec![],
        results: vec![],
        words: 9,
        floats: 9,
        constants: vec![],
        slots: vec![],
        code: vec![],
        switches: vec![],
        live: vec![],
        positions: vec![],
    };
    let program = Program { jitcodes: vec![jitcode], ..Program::default() };
    let mut trace = Trace::new();
    let inputs: Vec<Opnd> =
        op.row().operands.iter().map(|&kind| trace.new_input(kind, None).into()).collect();
    let result = trace.push(&program, TraceOp::Pure(op), &inputs, Attached::None, &[])[0];
    let frame = SnapshotFrame { jitcode: metatrace_defs::JitCodeId(0), pc: 0, locals: 0, registers: vec![] };
    let snapshot = trace.push_snapshot(Snapshot {
        frames: vec![frame],
        merge_points: 0,
        handed: None,
        stores: vec![],
        virtuals: vec![],
        known: vec![],
        open: Default::default(),
    });
    trace.push_guard(guard, &[result.into()], snapshot);
    trace.push(&program, TraceOp::Finish, &[], Attached::None, &[]);
    (program, trace)
}

fn all_inputs(op: PureOp) -> Vec<Vec<u64>> {
    let mut all = vec![vec![]];
    for (n, &kind) in op.row().operands.iter().enumerate() {
        // A third operand is only chosen, not computed with.
        let mut samples = samples(op, kind);
        if n > 1 {
            samples.truncate(3);
        }
        all = all.iter().flat_map(|head| samples.iter().map(|&s| [&head[..], &[s]].concat())).collect();
    }
    all.retain(|args| !(op.is_partial() && args[1] == 0));
    all
}

#[test]
fn every_operation_computes_what_the_table_says() {
    for &op in PureOp::ALL {
        let traces = Traces::new(Program::default(), vec![(String::new(), results(op))]);
        let inputs = all_inputs(op);
        let inputs: Vec<&[u64]> = inputs.iter().map(Vec::as_slice).collect();
        let outcomes = check_with(&traces, &inputs, |a, b| same(op, a, b));
        for (inputs, outcome) in inputs.iter().zip(outcomes) {
            assert!(same(op, outcome.values[0], op.eval(inputs)), "{op} {inputs:x?}");
        }
    }
}

#[test]
fn every_truth_value_decides_guards() {
    for &op in PureOp::ALL.iter().filter(|op| op.row().result == Kind::Word) {
        for guard in [TraceOp::GuardTrue, TraceOp::GuardFalse] {
            let (program, trace) = guarded(op, guard);
            let inputs = all_inputs(op);
            let inputs: Vec<&[u64]> = inputs.iter().map(Vec::as_slice).collect();
            let outcomes =
                check_with(&Traces::new(program, vec![(String::new(), trace)]), &inputs, |_, _| false);
            assert!(
                !op.is_bool() || outcomes.iter().any(|o| o.exit != outcomes[0].exit),
                "{op} never decides"
            );
        }
    }
}
