//! Runs traces on the reference backend and on every variant of this one, and compares all that can be seen.

use metatrace_backend::{
    Allocator, Backend, CodeId, Context, Exit, FRAME_HEADER, Job, Shim, Spare, frame_words, locals_offset,
    pending,
};
use metatrace_backend_cranelift::{CraneliftBackend, OptLevel};
use metatrace_backend_reference::Reference;
use metatrace_defs::{Abort, Program};
use metatrace_trace::verify::assert_valid;
use metatrace_trace::{GuardId, TargetId, Trace, parse_file};

/// Value slots of the frames of tests.
pub const VALUES: usize = 600;
/// Bytes of local memory of the frames of tests.
pub const BYTES: usize = 1024;
/// Bytes of code that backends of tests may take.
pub const LIMIT: usize = 16 << 20;

/// A frame on the heap.
pub struct Frame(Vec<u128>);

impl Frame {
    pub fn new() -> Frame {
        Frame(vec![0; frame_words(VALUES, BYTES).div_ceil(2)])
    }

    pub fn pointer(&mut self) -> *mut u64 {
        self.0.as_mut_ptr().cast()
    }

    pub fn slots(&mut self) -> &mut [u64] {
        // SAFETY: the frame has its header and so many slots.
        unsafe { std::slice::from_raw_parts_mut(self.pointer().add(FRAME_HEADER), VALUES) }
    }

    pub fn locals(&mut self) -> &mut [u8] {
        // SAFETY: the frame has so many bytes behind its slots.
        unsafe {
            std::slice::from_raw_parts_mut(self.pointer().cast::<u8>().add(locals_offset(VALUES)), BYTES)
        }
    }
}

/// Declarations that most texts want: a jitcode for snapshots, accesses of 8 bytes.
pub const PRELUDE: &str = r#"
class class0 "word" leaf 0
access a0 "word" offset 0 word class0 class
access a1 "next word" offset 8 word class0 class
access a2 "[word]" offset 0 stride 8 word class0 class
jitcode j0 "f" words 1000 floats 1000
"#;

/// Traces that belong together. Titles say how: `t3` for an entry by that target, `g4` for a bridge of that guard.
/// Guards are numbered from 0 in the order of the text.
pub struct Traces {
    pub program: Program,
    pub shims: Vec<Shim>,
    pub traces: Vec<(String, Trace)>,
}

impl Traces {
    pub fn parse(text: &str) -> Traces {
        let file = parse_file(&format!("{PRELUDE}{text}")).unwrap_or_else(|e| panic!("{e}\n{PRELUDE}{text}"));
        Traces::new(file.program, file.traces)
    }

    pub fn new(program: Program, traces: Vec<(String, Trace)>) -> Traces {
        for (_, trace) in &traces {
            assert_valid(&program, trace, "the test");
        }
        Traces { program, shims: Vec::new(), traces }
    }

    pub fn with_shims(mut self, shims: &[Shim]) -> Traces {
        self.shims = shims.to_vec();
        self
    }

    /// Compiles all, attaches bridges, and returns the first.
    pub fn compile(&self, compile: &dyn Fn(&Job) -> Result<CodeId, Abort>, backend: &dyn Backend) -> CodeId {
        let mut guards = 0;
        let mut codes = Vec::new();
        for (title, trace) in &self.traces {
            let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
            let ids: Vec<GuardId> = (guards..guards + count).map(GuardId::new).collect();
            guards += count;
            let entry = title.split(' ').find_map(|word| word.parse::<TargetId>().ok());
            let job = Job { program: &self.program, shims: &self.shims, trace, guards: &ids, entry };
            let code = compile(&job).unwrap_or_else(|abort| panic!("{abort}: {title}"));
            codes.push(code);
            for guard in title.split(' ').filter_map(|word| word.parse::<GuardId>().ok()) {
                backend.attach_bridge(guard, code);
            }
        }
        codes[0]
    }

    /// The values that an exit leaves in the slots.
    fn exit_values(&self, exit: Exit) -> usize {
        let guards = self.traces.iter().flat_map(|(_, trace)| {
            trace.insts.iter().filter_map(|inst| inst.snapshot).map(|s| trace.fail_values(s).len())
        });
        match exit {
            Exit::Guard(guard) => guards.collect::<Vec<_>>()[guard.index()],
            Exit::Crossing(target) => panic!("no crossing is waited for, but one to {target} came"),
            Exit::Finish => {
                let end = |trace: &Trace| trace.insts.last().map_or(0, |inst| inst.args.len());
                self.traces.iter().map(|(_, trace)| end(trace)).min().unwrap_or(0)
            }
        }
    }
}

/// All that can be seen of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub exit: Exit,
    pub values: Vec<u64>,
    /// What was changed in local memory.
    pub locals: Vec<(usize, u8)>,
    pub merge_points: u64,
    pub pending: u64,
}

/// Sets up a backend and compiles the traces.
pub enum Engine {
    Reference,
    Quick,
    Speed,
    Baseline,
}

pub const CRANELIFT: [Engine; 3] = [Engine::Quick, Engine::Speed, Engine::Baseline];

pub fn cranelift() -> CraneliftBackend {
    let backend = CraneliftBackend::new(LIMIT).unwrap();
    backend.set_frame(VALUES, BYTES);
    backend
}

impl Engine {
    pub fn set_up(&self, traces: &Traces) -> (Box<dyn Backend>, CodeId) {
        let level = match self {
            Engine::Reference => {
                let backend = Reference::new();
                backend.set_frame(VALUES, BYTES);
                let compile = |job: &Job| backend.compile(job).map(|compiled| compiled.code);
                let code = traces.compile(&compile, &backend);
                return (Box::new(backend), code);
            }
            Engine::Speed => OptLevel::Speed,
            Engine::Quick | Engine::Baseline => OptLevel::None,
        };
        let backend = match self {
            Engine::Baseline => CraneliftBackend::with_baseline_processor(LIMIT).unwrap(),
            _ => CraneliftBackend::new(LIMIT).unwrap(),
        };
        backend.set_frame(VALUES, BYTES);
        let compile = |job: &Job| backend.compile_at(job, level).map(|compiled| compiled.code);
        let code = traces.compile(&compile, &backend);
        (Box::new(backend), code)
    }
}

/// Runs code once, with inputs in the slots and local memory filled from a pattern.
pub fn run(
    traces: &Traces,
    backend: &dyn Backend,
    code: CodeId,
    frame: &mut Frame,
    inputs: &[u64],
) -> Outcome {
    frame.slots().fill(0x5555_5555_5555_5555);
    frame.slots()[..inputs.len()].copy_from_slice(inputs);
    for (n, byte) in frame.locals().iter_mut().enumerate() {
        *byte = pattern(n);
    }
    let allocator = Allocator { made: is_due, ..Allocator::default() };
    let mut context = Context { allocator, ..Context::default() };
    context.spare.most = Spare::MOST as u64;
    // SAFETY: the frame has the size that was set, with the inputs in its slots; traces of tests access its local
    // memory or memory of the test.
    let exit = unsafe { backend.run(code, frame.pointer(), &mut context) };
    let count = traces.exit_values(exit);
    let locals = frame.locals().to_vec();
    let changes = locals.into_iter().enumerate().filter(|&(n, byte)| byte != pattern(n));
    Outcome {
        exit,
        values: frame.slots()[..count].to_vec(),
        locals: changes.collect(),
        merge_points: context.merge_points,
        pending: context.pending,
    }
}

/// Makes an object whenever it is time to collect.
extern "C" fn is_due(context: *mut Context, header: u64, bytes: u64) -> u64 {
    // SAFETY: the engine hands its context over.
    unsafe {
        (*context).pending |= pending::HEAP_FULL;
        ((*context).allocator.reserved)(context, header, bytes)
    }
}

fn pattern(n: usize) -> u8 {
    (n * 37 + 11) as u8
}

/// Runs the first trace for all inputs everywhere, and returns what the reference backend saw.
pub fn check(traces: &Traces, inputs: &[&[u64]]) -> Vec<Outcome> {
    check_with(traces, inputs, |a, b| a == b)
}

/// The same, with values compared by `same`.
pub fn check_with(traces: &Traces, inputs: &[&[u64]], same: impl Fn(u64, u64) -> bool) -> Vec<Outcome> {
    let mut frame = Frame::new();
    let (backend, code) = Engine::Reference.set_up(traces);
    let expected: Vec<Outcome> =
        inputs.iter().map(|inputs| run(traces, &*backend, code, &mut frame, inputs)).collect();
    for engine in CRANELIFT {
        let (backend, code) = engine.set_up(traces);
        for (inputs, expected) in inputs.iter().zip(&expected) {
            let mut outcome = run(traces, &*backend, code, &mut frame, inputs);
            for (value, &expected) in outcome.values.iter_mut().zip(&expected.values) {
                if same(*value, expected) {
                    *value = expected;
                }
            }
            let text = || traces.traces.iter().map(|(_, trace)| trace.to_string()).collect::<String>();
            assert_eq!(&outcome, expected, "inputs {inputs:x?}\n{}", text());
        }
    }
    expected
}

/// Checks a text.
pub fn check_text(text: &str, inputs: &[&[u64]]) -> Vec<Outcome> {
    check(&Traces::parse(text), inputs)
}
