//! Generated traces, optimised and not, do the same compiled and on the reference backend, whichever guard fails.
//!
//! `METATRACE_FUZZ=100000 cargo test --release -p metatrace-backend-cranelift --test fuzz` runs that many cases, from
//! `METATRACE_FUZZ_SEED` on.

use metatrace_backend::{Backend, CodeId, Compiled, CompiledRegion, Context, Exit, Job, Region};
use metatrace_backend_cranelift::{CraneliftBackend, OptLevel};
use metatrace_backend_reference::Reference;
use metatrace_defs::{Abort, Kind, PureOp, TraceOp};
use metatrace_optimizer::region::{Part, Start, optimise_region};
use metatrace_optimizer::{Options, optimise};
use metatrace_trace::{Attached, GuardId, Inst, Opnd, TargetId, Trace, Value};
use metatrace_trace_fuzz::{Case, ENTRY, FREE_TARGET, cut, generate};

const CASES: u64 = 150;

/// Bytes of code; every case frees its own.
const LIMIT: usize = 1 << 20;

#[test]
fn generated_traces_do_the_same() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let first = number("METATRACE_FUZZ_SEED").unwrap_or(0);
    let engines = [
        Compiling { backend: CraneliftBackend::new(LIMIT).unwrap(), level: OptLevel::None },
        Compiling { backend: CraneliftBackend::new(LIMIT).unwrap(), level: OptLevel::Speed },
        Compiling {
            backend: CraneliftBackend::with_baseline_processor(LIMIT).unwrap(),
            level: OptLevel::None,
        },
    ];
    for seed in first..first + number("METATRACE_FUZZ").unwrap_or(CASES) {
        let size = 3 + (seed as usize * 7) % 60;
        let mut case = generate(seed, size);
        let options =
            Options { entry: Some(ENTRY), label: Some(FREE_TARGET), locals_in_use: case.locals_in_use() };
        let recorded = with_one_nan(&case.trace);
        let optimised = optimise(&case.program, &recorded, options);
        for trace in [recorded, optimised] {
            compare(&mut case, &trace, &engines, seed);
            let guards: Vec<usize> =
                (0..trace.insts.len()).filter(|&n| trace.insts[n].op.is_guard()).collect();
            let step = 1 + guards.len() / 3;
            for &guard in guards.iter().skip(seed as usize % step).step_by(step) {
                compare(&mut case, &failing_at(&trace, guard), &engines, seed);
            }
        }
    }
    assert!(engines.iter().all(|engine| engine.backend.code_memory() == 0));
}

/// Traces in two, optimised together and compiled as one, do the same as before.
#[test]
fn generated_regions_do_the_same() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let first = number("METATRACE_FUZZ_SEED").unwrap_or(0);
    let engines = [OptLevel::None, OptLevel::Speed]
        .map(|level| Compiling { backend: CraneliftBackend::new(LIMIT).unwrap(), level });
    for seed in first..first + number("METATRACE_FUZZ").unwrap_or(CASES) {
        let mut case = generate(seed, 3 + (seed as usize * 7) % 60);
        let trace = with_one_nan(&case.trace);
        let expected = case.run(&Reference::new(), &trace);
        for at in (seed as usize % 4..trace.insts.len()).step_by(4) {
            let Some(cut) = cut(&trace, at) else { continue };
            let [first, bridge] = &cut.traces;
            let parts = [
                Part { trace: first, start: Start::Entry },
                Part { trace: bridge, start: Start::Guard(0, cut.guard) },
            ];
            let (joined, _) = optimise_region(&case.program, &parts, case.locals_in_use());
            let parts: Vec<_> =
                joined.iter().map(|joined| (joined.part, &joined.trace, joined.guards.clone())).collect();
            for engine in &engines {
                let actual = case.run_cut(engine, &cut, &parts);
                assert!(
                    actual == expected,
                    "seed {seed} at {at}, {:?}: {expected:?}\n{actual:?}",
                    engine.level
                );
            }
        }
    }
}

fn compare(case: &mut Case, trace: &Trace, engines: &[Compiling], seed: u64) {
    let expected = case.run(&Reference::new(), trace);
    for engine in engines {
        let actual = case.run(engine, trace);
        assert!(actual == expected, "seed {seed} at {:?}:\n{trace}\n{expected:?}\n{actual:?}", engine.level);
    }
}

/// The trace with one form of not-a-number as the result of operations on two floats: of two such operands, which one
/// comes out is up to rustc's and to Cranelift's choice of registers.
fn with_one_nan(trace: &Trace) -> Trace {
    let mut result = Trace { insts: Vec::new(), notes: Vec::new(), ..trace.clone() };
    for inst in &trace.insts {
        let op = match inst.op {
            TraceOp::Pure(op) if combines_floats(op) => op,
            _ => {
                result.insts.push(inst.clone());
                continue;
            }
        };
        let mut pure = |op: PureOp, args: &[Opnd], to: Option<Value>| -> Opnd {
            let value = to.unwrap_or_else(|| result.new_value(op.row().result, None));
            let op = TraceOp::Pure(op);
            let (args, results) = (args.iter().copied().collect(), [value].into_iter().collect());
            result.insts.push(Inst { op, args, attached: Attached::None, results, snapshot: None });
            value.into()
        };
        let (raw, end) = (pure(op, &inst.args, None), Some(inst.result()));
        match op.row().result {
            Kind::Word => {
                let is_number = pure(PureOp::F32Eq, &[raw, raw], None);
                let nan = Opnd::Word(f32::NAN.to_bits().into());
                pure(PureOp::IntSelect, &[is_number, raw, nan], end);
            }
            Kind::Float => {
                let is_number = pure(PureOp::FloatEq, &[raw, raw], None);
                let bits = pure(PureOp::FloatToBits, &[raw], None);
                let nan = Opnd::Word(f64::NAN.to_bits());
                let chosen = pure(PureOp::IntSelect, &[is_number, bits, nan], None);
                pure(PureOp::FloatFromBits, &[chosen], end);
            }
        }
    }
    result
}

fn combines_floats(op: PureOp) -> bool {
    let is_float = op.row().operands[0] == Kind::Float || op.name().starts_with("f32_");
    is_float && op.row().operands.len() == 2 && !op.is_bool()
}

/// The trace with a guard that always fails in the place of another.
fn failing_at(trace: &Trace, guard: usize) -> Trace {
    let mut trace = trace.clone();
    trace.insts[guard].op = TraceOp::GuardTrue;
    trace.insts[guard].args = [Opnd::Word(0)].into_iter().collect();
    trace
}

/// A backend that compiles at one level.
struct Compiling {
    backend: CraneliftBackend,
    level: OptLevel,
}

impl Backend for Compiling {
    fn set_frame(&self, values: usize, bytes: usize) {
        self.backend.set_frame(values, bytes);
    }

    fn compile(&self, job: &Job) -> Result<Compiled, Abort> {
        self.backend.compile_at(job, self.level)
    }

    fn compile_region(&self, region: &Region) -> Result<CompiledRegion, Abort> {
        self.backend.compile_region_at(region, self.level)
    }

    fn attach_bridge(&self, guard: GuardId, bridge: CodeId) {
        self.backend.attach_bridge(guard, bridge);
    }

    fn free(&self, code: CodeId) {
        self.backend.free(code);
    }

    fn set_entry(&self, entry: TargetId, code: Option<CodeId>) {
        self.backend.set_entry(entry, code);
    }

    fn exit(&self, left_with: u64) -> Exit {
        self.backend.exit(left_with)
    }

    fn frame_values(&self) -> usize {
        self.backend.frame_values()
    }

    unsafe fn enter(&self, code: CodeId, frame: *mut u64, context: *mut Context) -> Exit {
        // SAFETY: as the caller vouches.
        unsafe { self.backend.enter(code, frame, context) }
    }
}
