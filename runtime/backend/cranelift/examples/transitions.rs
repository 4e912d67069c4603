//! What it costs to come into compiled code, to go from one piece of it to another, and to call one from another.
//!
//! Out: a line for each, its name and nanoseconds of processor time, the least of several runs. Crossing and calling are what a
//! loop takes longer that does it in each turn.

use std::hint::black_box;

use metatrace_backend::{Backend, CodeId, Context, FRAME_HEADER, Job, Shim, frame_words};
use metatrace_backend_cranelift::CraneliftBackend;
use metatrace_defs::Abort;
use metatrace_trace::{GuardId, TargetId, parse_file};

const VALUES: usize = 64;
/// Room for a frame of a call behind the first.
const FRAMES: usize = 4;
const BYTES: usize = 64;
const RUNS: usize = 9;
const TURNS: u64 = 5_000_000;

const PRELUDE: &str =
    "jitcode j0 \"f\" words 8 floats 2\ncall call0 \"portal\" shim 0 (w) -> (w) reads all writes all";
const SNAPSHOT: &str = "s0 = j0 @0 locals 0 (w0 = %1) merge_points 0";

/// A loop that counts down and is left at 0.
const COUNTS: &str = "trace \"t0\" (%0 w) {
    %1 = int_sub(%0, 1)
    guard_true(%1) s0
    jump[t0](%1)
}";
/// The same, left in each turn by a guard that always fails, whose bridge comes back.
const CROSSES: &str = "trace \"t0\" (%0 w) {
    %1 = int_sub(%0, 1)
    guard_true(%1) s0
    %2 = int_lt(%1, 0)
    guard_true(%2) s1
    jump[t0](%1)
}";
const BRIDGE: &str = "trace \"g1\" (%0 w) {
    jump[t0](%0)
}";
/// The same, with a call of other compiled code in each turn.
const CALLS: &str = "trace \"t0\" (%0 w) {
    %1 = call_assembler[call0](1, 0, 1, %0)
    guard_not_pending() s0
    guard_true(%1) s0
    jump[t0](%1)
}";
const CALLED: &str = "trace \"t1\" (%0 w) {
    %1 = int_sub(%0, 1)
    finish(%1)
}";

struct Code {
    backend: CraneliftBackend,
    /// The first trace.
    first: CodeId,
    frame: Vec<u128>,
    context: Context,
}

impl Code {
    /// Compiles the traces of a text: `t0` is entered, `t1` is called, `g1` is a bridge of guard 1.
    fn new(text: &str) -> Result<Code, Abort> {
        let file = parse_file(&format!("{PRELUDE}\n{text}")).unwrap_or_else(|error| panic!("{error}"));
        let backend = CraneliftBackend::new(1 << 20).expect("machine code can be made");
        backend.set_frame(VALUES, BYTES);
        let mut guards = 0;
        let mut first = None;
        for (title, trace) in &file.traces {
            let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
            let ids: Vec<GuardId> = (guards..guards + count).map(GuardId::new).collect();
            guards += count;
            let entry = title.parse::<TargetId>().ok();
            // Nobody calls it: there is code for all that is called.
            let shims = [Shim(std::ptr::null())];
            let job = Job { program: &file.program, shims: &shims, trace, guards: &ids, entry };
            let code = backend.compile(&job)?.code;
            first.get_or_insert(code);
            match (entry, title.parse::<GuardId>()) {
                (Some(entry), _) => backend.set_entry(entry, Some(code)),
                (None, Ok(guard)) => backend.attach_bridge(guard, code),
                (None, Err(_)) => panic!("{title} is no trace of these"),
            }
        }
        let frame = vec![0; FRAMES * frame_words(VALUES, BYTES).div_ceil(2)];
        let mut context = Context::default();
        // What starts below this has room behind it.
        context.frames_limit = frame.as_ptr() as u64 + 8 * frame.len() as u64;
        context.locals_limit = context.frames_limit;
        let first = first.expect("a text has traces");
        Ok(Code { backend, first, frame, context })
    }

    /// Enters the first trace: the first slot when it is left.
    fn run(&mut self, input: u64) -> u64 {
        let frame = self.frame.as_mut_ptr().cast::<u64>();
        // SAFETY: there is room for all frames of the calls, and the traces touch no other memory.
        unsafe {
            frame.add(FRAME_HEADER).write(input);
            black_box(self.backend.run(self.first, frame, &mut self.context));
            frame.add(FRAME_HEADER).read()
        }
    }
}

fn main() -> Result<(), Abort> {
    let mut trivial = Code::new("trace \"t0\" (%0 w) { finish(%0) }")?;
    let enter = least(TURNS, |turns| (0..turns).for_each(|n| _ = trivial.run(n)));
    let loop_of = |text: &str| -> Result<f64, Abort> {
        let mut code = Code::new(text)?;
        Ok(least(TURNS, |turns| assert_eq!(code.run(turns), 0, "the loop ends when all is counted")))
    };
    let counts = loop_of(&format!("{COUNTS}\n{SNAPSHOT}"))?;
    let left = SNAPSHOT.replace("s0", "s1");
    let crosses = loop_of(&format!("{CROSSES}\n{SNAPSHOT}\n{left}\n{BRIDGE}"))?;
    let calls = loop_of(&format!("{CALLS}\n{SNAPSHOT}\n{CALLED}"))?;
    println!("enter {enter:.3}");
    println!("bridge {:.3}", crosses - counts);
    println!("call {:.3}", calls - counts);
    Ok(())
}

/// Nanoseconds of processor time for each of so many turns, the least of several runs.
fn least(turns: u64, mut f: impl FnMut(u64)) -> f64 {
    let times = (0..RUNS).map(|_| {
        let before = now();
        f(turns);
        (now() - before) / turns as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Nanoseconds of processor time that this thread has taken.
fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
