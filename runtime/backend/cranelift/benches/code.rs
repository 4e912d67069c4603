//! What compiling costs and how fast the code is. Prints the minimum of several runs, in processor time of the thread,
//! and ratios of things measured in the same run.
//!
//! `cargo bench -p metatrace-backend-cranelift`

use metatrace_backend::{Backend, CodeId, Context, FRAME_HEADER, Job, frame_words};
use metatrace_backend_cranelift::{CraneliftBackend, OptLevel};
use metatrace_defs::inst::Operand;
use metatrace_defs::{AccessId, JitCodeId, Kind, Program, PureOp, TraceOp};
use metatrace_trace::{Attached, GuardId, Opnd, Snapshot, SnapshotFrame, TargetId, Trace, parse, parse_file};
use std::hint::black_box;

const VALUES: usize = 256;

fn main() {
    println!("enter and leave                {:8.2} ns", enter_and_leave());
    for level in [OptLevel::None, OptLevel::Speed] {
        println!("compile `finish()`, {level:?}       {:8.2} us", compile_trivial(level));
        for (live, shifted) in [(2, false), (8, false), (15, false), (8, true), (15, true)] {
            let (time, bytes, guards) = compile_large(500, live, shifted, level);
            println!(
                "500 ops, {guards} guards of {live:2}{}, {level:?}: {:5.2} us/op, {:5.1} bytes/op",
                if shifted { " shifted" } else { "" },
                time / 500.0,
                bytes as f64 / 500.0
            );
        }
    }
    let (fused, bridge) = crossing();
    println!("loop of 14 values              {fused:8.2} ns per turn");
    println!("the same through a bridge      {bridge:8.2} ns per turn, {:+.2} ns", bridge - fused);
    let (compiled, native) = counting_loop();
    println!(
        "sum in a loop                  {compiled:8.2} ns per turn, native {native:.2} ns, {:.2}x",
        compiled / native
    );
}

/// Nanoseconds of processor time that this thread has taken.
fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The least time of several runs, in nanoseconds.
fn least(runs: usize, mut work: impl FnMut()) -> f64 {
    let times = (0..runs).map(|_| {
        let start = now();
        work();
        now() - start
    });
    times.fold(f64::INFINITY, f64::min)
}

fn backend() -> CraneliftBackend {
    let backend = CraneliftBackend::new(64 << 20).unwrap();
    backend.set_frame(VALUES, 64);
    backend
}

/// Compiles the traces of a text; titles as in the tests: `t0` for an entry, `g1` for a bridge of a guard.
fn compile_text(backend: &CraneliftBackend, text: &str) -> CodeId {
    let file = parse_file(&format!("jitcode j0 \"f\" words 100 floats 100\n{text}")).unwrap();
    let mut first = None;
    let mut guards = 0;
    for (title, trace) in &file.traces {
        let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
        let ids: Vec<GuardId> = (guards..guards + count).map(GuardId::new).collect();
        guards += count;
        let entry = title.parse::<TargetId>().ok();
        let job = Job { program: &file.program, shims: &[], trace, guards: &ids, entry };
        let code = backend.compile(&job).unwrap().code;
        if let Ok(guard) = title.parse() {
            backend.attach_bridge(guard, code);
        }
        first.get_or_insert(code);
    }
    first.unwrap()
}

/// Runs code with these inputs; returns the first slot.
fn run(backend: &CraneliftBackend, code: CodeId, frame: &mut [u128], inputs: &[u64]) -> u64 {
    let frame = frame.as_mut_ptr().cast::<u64>();
    let mut context = Context::default();
    // SAFETY: the frame is large enough, and the traces access no memory but what the inputs give them.
    unsafe {
        frame.add(FRAME_HEADER).copy_from_nonoverlapping(inputs.as_ptr(), inputs.len());
        black_box(backend.run(code, frame, &mut context));
        frame.add(FRAME_HEADER).read()
    }
}

fn frame() -> Vec<u128> {
    vec![0; frame_words(VALUES, 64).div_ceil(2)]
}

fn enter_and_leave() -> f64 {
    const TIMES: u32 = 2_000_000;
    let backend = backend();
    let code = compile_text(&backend, "trace () { finish() }");
    let mut frame = frame();
    let mut context = Context::default();
    let pointer = frame.as_mut_ptr().cast::<u64>();
    let time = least(10, || {
        for _ in 0..TIMES {
            // SAFETY: the frame is large enough.
            black_box(unsafe { backend.run(code, pointer, &mut context) });
        }
    });
    time / f64::from(TIMES)
}

fn compile_trivial(level: OptLevel) -> f64 {
    let program = Program::default();
    let mut trace = Trace::new();
    trace.push(&program, TraceOp::Finish, &[], Attached::None, &[]);
    compile_time(&program, &trace, level).0 / 1e3
}

fn compile_time(program: &Program, trace: &Trace, level: OptLevel) -> (f64, usize) {
    let backend = backend();
    let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
    let guards: Vec<GuardId> = (0..count).map(GuardId::new).collect();
    let job = Job { program, shims: &[], trace, guards: &guards, entry: None };
    let mut bytes = 0;
    let time = least(40, || {
        let compiled = backend.compile_at(&job, level).unwrap();
        bytes = compiled.bytes;
        backend.free(compiled.code);
    });
    (time, bytes)
}

/// Microseconds to compile a loop of mixed operations, its bytes of code, and its guards.
fn compile_large(operations: usize, live: usize, shifted: bool, level: OptLevel) -> (f64, usize, usize) {
    let (program, trace) = mixed_loop(operations, live, shifted);
    let guards = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
    let (time, bytes) = compile_time(&program, &trace, level);
    (time / 1e3, bytes, guards)
}

/// A loop over ten words, four floats and a base, with a guard in every third place that keeps `live` values: always in
/// the same slots, as an interpreter's registers would be, or shifted each time.
fn mixed_loop(operations: usize, live: usize, shifted: bool) -> (Program, Trace) {
    let declarations = "class class0 \"x\" leaf 0
        access a0 \"word\" offset 8 word class0 class
        access a1 \"float\" offset 512 float class0 class
        jitcode j0 \"f\" words 100 floats 100 trace () { finish() }";
    let program = parse(declarations).unwrap().0;
    let mut trace = Trace::new();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let kind = |n: usize| if n < 11 { Kind::Word } else { Kind::Float };
    let inputs: Vec<Opnd> = (0..15).map(|n| trace.new_input(kind(n), None).into()).collect();
    let label = Attached::Target(TargetId(0));
    let results = trace.push(&program, TraceOp::Label, &inputs, label, &[]);
    let mut values: Vec<Opnd> = results.into_iter().map(Opnd::Value).collect();
    while trace.insts.len() < operations {
        if random(6) < 2 {
            let constant = Opnd::Word(0x5a5a_1234 + random(1000) as u64);
            let args = [values[1 + random(10)], constant];
            let test = trace.push(&program, TraceOp::Pure(PureOp::IntEq), &args, Attached::None, &[])[0];
            let start = if shifted { random(15) } else { 0 };
            let kept = (0..live).map(|n| values[(start + n) % 15]);
            let registers = (0..).map(|n| Operand::reg(Kind::Word, n)).zip(kept).collect();
            let frame = SnapshotFrame { jitcode: JitCodeId(0), pc: 0, locals: 0, registers };
            let snapshot = trace.push_snapshot(Snapshot {
                frames: vec![frame],
                merge_points: 0,
                handed: None,
                stores: vec![],
                virtuals: vec![],
                known: vec![],
                open: Default::default(),
            });
            trace.push_guard(TraceOp::GuardFalse, &[test.into()], snapshot);
            continue;
        }
        let access = Attached::Access(AccessId(0));
        let float_access = Attached::Access(AccessId(1));
        let (word, float) = (1 + random(10), 11 + random(4));
        let (a, b) = (values[1 + random(10)], values[1 + random(10)]);
        let floats = [values[11 + random(4)], values[11 + random(4)]];
        let (op, args, attached, to): (_, &[Opnd], _, _) = match random(14) {
            0 | 1 => (TraceOp::Pure(PureOp::IntAdd), &[a, b], Attached::None, word),
            2 => (TraceOp::Pure(PureOp::IntSub), &[a, b], Attached::None, word),
            3 => (TraceOp::Pure(PureOp::IntMul), &[a, b], Attached::None, word),
            4 => (TraceOp::Pure(PureOp::IntXor), &[a, b], Attached::None, word),
            5 => (TraceOp::Pure(PureOp::IntAnd), &[a, Opnd::Word(0x3fff_ffff)], Attached::None, word),
            6 => (TraceOp::Pure(PureOp::IntSar), &[a, Opnd::Word(3)], Attached::None, word),
            7 | 8 => (TraceOp::GetField, &[values[0]], access, word),
            9 => (TraceOp::SetField, &[values[0], a], access, 0),
            10 => (TraceOp::Pure(PureOp::FloatAdd), &floats, Attached::None, float),
            11 => (TraceOp::Pure(PureOp::FloatMul), &floats, Attached::None, float),
            12 => (TraceOp::GetField, &[values[0]], float_access, float),
            _ => (TraceOp::SetField, &[values[0], floats[0]], float_access, 0),
        };
        let results = trace.push(&program, op, args, attached, &[]);
        if let Some(&result) = results.first() {
            values[to] = result.into();
        }
    }
    trace.push(&program, TraceOp::Jump, &values, label, &[]);
    (program, trace)
}

/// Nanoseconds per turn of a loop of 14 values, of which each turn changes six, in one piece and with each turn ending
/// in a bridge.
fn crossing() -> (f64, f64) {
    const TURNS: u64 = 3_000_000;
    let list = |from: usize| (from..from + 14).map(|n| format!("%{n}")).collect::<Vec<_>>();
    let inputs = list(0).iter().map(|v| format!("{v} w")).collect::<Vec<_>>().join(", ");
    let snapshot = |values: &[String]| {
        let registers = values.iter().enumerate().map(|(n, v)| format!("w{n} = {v}")).collect::<Vec<_>>();
        format!("s0 = j0 @0 locals 0 ({}) merge_points 0\n", registers.join(", "))
    };
    let turn = "%21 = int_sub(%0, 1) %22 = int_add(%1, %2) %23 = int_xor(%2, %3) %24 = int_add(%3, %4)
        %25 = int_sub(%4, %5) %26 = int_xor(%5, %6)";
    let mut next = list(0);
    for (n, value) in next.iter_mut().enumerate().take(6) {
        *value = format!("%{}", 21 + n);
    }
    let next_list = next.join(", ");
    let fused = format!(
        "trace \"t0\" ({inputs}) {{ guard_true(%0) s0 {turn} jump[t0]({next_list}) }} {}",
        snapshot(&list(0))
    );
    // The guard on the second value always fails, and its bridge jumps back.
    let bridged = format!(
        "trace \"t0\" ({inputs}) {{ guard_true(%0) s0 {turn} guard_value(%7, 5) s1 jump[t0]({next_list}) }} {}{}
        trace \"g1\" ({inputs}) {{ jump[t0]({}) }}",
        snapshot(&list(0)),
        snapshot(&next).replace("s0", "s1"),
        list(0).join(", ")
    );
    let measure = |text: &str| {
        let backend = backend();
        let code = compile_text(&backend, text);
        let mut frame = frame();
        let mut inputs = [1u64; 14];
        inputs[0] = TURNS;
        least(10, || assert_eq!(run(&backend, code, &mut frame, &inputs), 0)) / TURNS as f64
    };
    (measure(&fused), measure(&bridged))
}

/// Nanoseconds per turn of a loop that adds up, compiled and native.
fn counting_loop() -> (f64, f64) {
    const TURNS: u64 = 20_000_000;
    let text = "trace \"t0\" (%0 w, %1 w, %2 w) {
            %3, %4, %5 = label[t1](%0, %1, %2)
            count_merge_points(1)
            guard_true(%3) s0
            %6 = int_add(%4, %5)
            %7 = int_sub(%3, 1)
            jump[t1](%7, %6, %5)
        }
        s0 = j0 @0 locals 0 (w0 = %3, w1 = %4, w2 = %5) merge_points 0";
    let backend = backend();
    let code = compile_text(&backend, text);
    let mut frame = frame();
    let compiled = least(10, || assert_eq!(run(&backend, code, &mut frame, &[TURNS, 0, 3]), 0));
    let native = least(10, || {
        let (mut count, mut sum) = (black_box(TURNS), 0u64);
        while count != 0 {
            sum = black_box(sum.wrapping_add(3));
            count -= 1;
        }
        black_box(sum);
    });
    (compiled / TURNS as f64, native / TURNS as f64)
}
