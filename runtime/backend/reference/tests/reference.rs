//! The contract of backends, kept by the reference.

use metatrace_backend::{Backend, CodeId, Context, Exit, FRAME_HEADER, Job, Shim, pending};
use metatrace_backend_reference::Reference;
use metatrace_defs::Abort;
use metatrace_trace::{GuardId, TargetId, parse, verify::assert_valid};

const VALUES: usize = 8;
const HEADER: &str = r#"
class class0 "P" leaf 0
access a0 "P.x" offset 8 u8 class0 class
access a1 "[i32]" offset 4 stride 4 i32 class0 class
access a2 "[word]" offset 0 stride 8 word class0 class
call call0 "two" shim 0 (w, f) -> (w, f) reads all writes all
call call1 "pend" shim 1 () -> () reads all writes all can_panic
jitcode j0 "interpret" words 4 floats 4
"#;

extern "C" fn two(context: *mut Context, a: u64, b: u64) -> u64 {
    // SAFETY: the backend hands its context over.
    unsafe { (*context).results[1] = (f64::from_bits(b) * 2.0).to_bits() };
    a + 1
}

extern "C" fn pend(context: *mut Context) -> u64 {
    // SAFETY: as above.
    unsafe { (*context).pending |= pending::PANIC };
    0
}

struct Vm {
    backend: Reference,
    context: Context,
    frame: [u64; FRAME_HEADER + VALUES + 4],
    guards: u32,
}

impl Vm {
    fn new() -> Vm {
        let backend = Reference::new();
        backend.set_frame(VALUES, 32);
        Vm { backend, context: Context::default(), frame: [0; FRAME_HEADER + VALUES + 4], guards: 0 }
    }

    fn compile(&mut self, text: &str, entry: Option<TargetId>) -> Result<CodeId, Abort> {
        let (program, trace) = parse(&format!("{HEADER}{text}")).unwrap();
        assert_valid(&program, &trace, "the test");
        let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count() as u32;
        let guards: Vec<GuardId> = (self.guards..self.guards + count).map(GuardId).collect();
        self.guards += count;
        let shims = [Shim(two as *const ()), Shim(pend as *const ())];
        let job = Job { program: &program, shims: &shims, trace: &trace, guards: &guards, entry };
        self.backend.compile(&job).map(|compiled| compiled.code)
    }

    fn run(&mut self, code: CodeId, inputs: &[u64]) -> (Exit, &[u64]) {
        self.frame[FRAME_HEADER..][..inputs.len()].copy_from_slice(inputs);
        // SAFETY: the frame has the size that was set; the traces here touch only memory of their tests.
        let exit = unsafe { self.backend.run(code, self.frame.as_mut_ptr(), &mut self.context) };
        (exit, &self.frame[FRAME_HEADER..])
    }
}

#[test]
fn loops_guards_bridges_and_jumps() {
    let mut vm = Vm::new();
    let text = "trace (%0 w, %1 w) {
        count_merge_points(1)
        %2 = int_ne(%0, 0)
        guard_true(%2) s0
        %3 = int_add(%1, %0)
        %4 = int_sub(%0, 1)
        jump[t5](%4, %3)
    }
    s0 = j0 @0 locals 0 (w0 = %1, w1 = 7, w2 = %0, w3 = %1) merge_points 0";
    let summing = vm.compile(text, Some(TargetId(5))).unwrap();
    let (exit, slots) = vm.run(summing, &[10, 0]);
    assert_eq!((exit, &slots[..2]), (Exit::Guard(GuardId(0)), &[55, 0][..]));
    assert_eq!(vm.context.merge_points, 11);
    assert_eq!(vm.backend.executed(), 10 * 6 + 3);

    let bridge = "trace (%0 w, %1 w) {
        %2 = uint_lt(%0, 100)
        guard_true(%2) s0
        jump[t5](3, %0)
    }
    s0 = j0 @0 locals 0 (w0 = %0) merge_points 0";
    let bridge = vm.compile(bridge, None).unwrap();
    vm.backend.attach_bridge(GuardId(0), bridge);
    let (exit, slots) = vm.run(summing, &[10, 0]);
    assert_eq!((exit, slots[0]), (Exit::Guard(GuardId(1)), 103));

    vm.backend.free(bridge);
    assert_eq!(vm.run(summing, &[1, 0]).0, Exit::Guard(GuardId(0)));
}

#[test]
fn labels_take_all_operands_at_once() {
    let mut vm = Vm::new();
    let text = "trace (%0 w) {
        %1, %2, %3 = label[t0](%0, 1, 2)
        %4 = int_sub(%1, 1)
        guard_true(%4) s0
        jump[t0](%4, %3, %2)
    }
    s0 = j0 @0 locals 0 (w0 = %2, w1 = %3) merge_points 0";
    let code = vm.compile(text, None).unwrap();
    assert_eq!(vm.run(code, &[4]).1[..2], [2, 1]);
}

#[test]
fn memory_calls_and_locals() {
    let mut vm = Vm::new();
    let mut memory = [0u64; 4];
    let text = "trace (%0 w) {
        setfield[a0](%0, 511)
        %1 = getfield[a0](%0)
        %2 = interior_elem[a1](%0, 3)
        setelem[a1](%0, 3, -2)
        %3 = getelem[a1](%2, -1)
        %4, %5 = call[call0](%1, 1.5)
        guard_not_pending() s0
        %6 = local_addr(8, 16, 0)
        setelem[a2](%6, 1, %4)
        %7 = getelem_frozen[a2](%6, 1)
        call[call1]()
        guard_not_pending() s1
        finish()
    }
    s0 = j0 @0 locals 0 () merge_points 0
    s1 = j0 @0 locals 0 (w0 = %1, w1 = %3, f0 = %5, w2 = %7) merge_points 0";
    let code = vm.compile(text, None).unwrap();
    let address = memory.as_mut_ptr() as u64;
    let (exit, slots) = vm.run(code, &[address]);
    assert_eq!(exit, Exit::Guard(GuardId(1)));
    assert_eq!(slots[..4], [255, -2i64 as u64, 3f64.to_bits(), 256]);
    assert_eq!(slots[VALUES + 2], 256, "local memory follows the value slots");
    assert_eq!(memory, [0, 255, -2i64 as u32 as u64, 0]);
}

#[test]
fn what_does_not_fit_the_frame_is_refused() {
    let mut vm = Vm::new();
    let inputs: Vec<String> = (0..9).map(|n| format!("%{n} w")).collect();
    let text = format!("trace ({}) {{ finish() }}", inputs.join(", "));
    assert_eq!(vm.compile(&text, None), Err(Abort::FrameTooLarge));
    assert_eq!(
        vm.compile("trace () { %0 = local_addr(64, 8, 0) finish(%0) }", None),
        Err(Abort::FrameTooLarge)
    );
}

#[test]
fn a_guard_can_be_forced() {
    let mut vm = Vm::new();
    let text = "trace (%0 w) {
        guard_value(%0, 5) s0
        finish(%0)
    }
    s0 = j0 @0 locals 0 (w0 = %0) merge_points 0";
    let code = vm.compile(text, None).unwrap();
    assert_eq!(vm.run(code, &[5]).0, Exit::Finish);
    vm.backend.force(Some(Box::new(|guard, _| guard == GuardId(0))));
    assert_eq!(vm.run(code, &[5]).0, Exit::Guard(GuardId(0)));
}

#[test]
#[should_panic(expected = "int_div reached with a divisor of 0")]
fn an_unguarded_division_is_found() {
    let mut vm = Vm::new();
    let code = vm.compile("trace (%0 w) { %1 = int_div(1, %0) finish(%1) }", None).unwrap();
    vm.run(code, &[0]);
}
