//! Calls from compiled code to compiled code, on the reference backend and on every variant of this one.

use crate::common::{CRANELIFT, Engine, Frame, Traces};
use metatrace_backend::{Backend, CodeId, Context, Exit, FRAME_HEADER, Shim};
use metatrace_trace::TargetId;
use std::cell::{Cell, RefCell};

/// The entry that traces of these tests call.
const ENTRY: TargetId = TargetId(7);

thread_local! {
    static NATIVE: Cell<u64> = const { Cell::new(0) };
    static SAMPLED: Cell<u64> = const { Cell::new(0) };
    static LEFT: RefCell<Vec<(u64, Vec<u64>)>> = const { RefCell::new(Vec::new()) };
}

/// The native portal, of a number and a float: gives `n + 1000` and the float.
extern "C" fn native(context: *mut Context, n: u64, float: u64, _: u64) -> u64 {
    NATIVE.set(NATIVE.get() + 1);
    // SAFETY: compiled code hands over the context of the run.
    unsafe { (*context).results[1] = float };
    n + 1000
}

/// Notes a frame that code has left, and gives its results.
///
/// # Safety
/// The frame has its header and two slots.
unsafe extern "C" fn left(_: *mut Context, frame: *mut u64, left_with: u64) {
    // SAFETY: the frame has its header and some slots.
    let slots = unsafe { std::slice::from_raw_parts_mut(frame.add(FRAME_HEADER), 2) };
    LEFT.with_borrow_mut(|left| left.push((left_with, slots.to_vec())));
    slots.copy_from_slice(&[77, 2.5f64.to_bits()]);
}

/// Counts.
///
/// # Safety
/// The context is that of the run.
unsafe extern "C" fn sample(context: *mut Context, entry: u64) {
    assert_eq!(entry, u64::from(ENTRY.0));
    SAMPLED.set(SAMPLED.get() + 1);
    // SAFETY: compiled code hands over the context of the run.
    unsafe { (*context).calls_left = 10 };
}

/// A function that calls itself: `f(n, x) = if n == 0 { (n, x) } else { (a, b) = f(n - 1, x + 0.5); (a + n, b + local) }`, where
/// `local` is a word of its local memory that holds `n` as a float.
const RECURSIVE: &str = r#"
call call0 "native" shim 0 (w, f, w) -> (w, f) reads all writes all
trace "t5" (%0 w, %1 f) {
    %2 = int_ne(%0, 0)
    guard_true(%2) s0
    %3 = local_addr(16, 16, 0)
    setfield[a0](%3, %0)
    %4 = int_sub(%0, 1)
    %5 = float_add(%1, 0.5)
    %6, %7 = call_assembler[call0](7, 32, 3, %4, %5, 9)
    %8 = getfield[a0](%3)
    %9 = int_add(%6, %8)
    %10 = float_from_int(%0)
    %11 = float_add(%7, %10)
    finish(%9, %11)
}
s0 = j0 @0 locals 0 (w0 = %0, f0 = %1) merge_points 0
trace "g0" (%0 w, %1 f) { finish(%0, %1) }
"#;

struct Run {
    backend: Box<dyn Backend>,
    code: CodeId,
    frame: Frame,
    context: Context,
}

impl Run {
    fn new(engine: &Engine, text: &str) -> Run {
        NATIVE.set(0);
        SAMPLED.set(0);
        LEFT.take();
        let traces = Traces::parse(text).with_shims(&[Shim(native as *const ())]);
        let (backend, code) = engine.set_up(&traces);
        let context = Context { left: Some(left), sample: Some(sample), ..Context::default() };
        Run { backend, code, frame: Frame::new(), context }
    }

    /// Lets frames of calls reach so many bytes beyond the first.
    fn room(mut self, frames: u64, locals: u64) -> Run {
        self.context.frames_limit = self.frame.pointer() as u64 + frames;
        self.context.locals_limit = self.frame.locals().as_ptr() as u64 + locals;
        self
    }

    fn run(&mut self, n: u64, x: f64) -> (u64, f64) {
        self.frame.slots()[..2].copy_from_slice(&[n, x.to_bits()]);
        // SAFETY: the frame has the size that was set, and the limits leave room for what the traces of these tests use.
        let exit = unsafe { self.backend.run(self.code, self.frame.pointer(), &mut self.context) };
        assert_eq!(exit, Exit::Finish);
        (self.frame.slots()[0], f64::from_bits(self.frame.slots()[1]))
    }
}

fn everywhere(test: impl Fn(&Engine)) {
    test(&Engine::Reference);
    CRANELIFT.iter().for_each(test);
}

#[test]
fn code_that_is_not_there_is_called_natively() {
    everywhere(|engine| {
        let mut run = Run::new(engine, RECURSIVE).room(1000, 500);
        assert_eq!(run.run(4, 1.0), (1003 + 4, 1.5 + 4.0));
        run.backend.set_entry(ENTRY, Some(run.code));
        assert_eq!(run.run(1, 1.0), (1, 2.5));
        run.backend.set_entry(ENTRY, None);
        assert_eq!(run.run(1, 1.0), (1001, 2.5));
        assert_eq!(NATIVE.get(), 2);
    });
}

#[test]
fn code_calls_itself_through_its_entry() {
    everywhere(|engine| {
        let mut run = Run::new(engine, RECURSIVE).room(4000, 900);
        run.backend.set_entry(ENTRY, Some(run.code));
        for n in 0..20 {
            let sum = n * (n + 1) / 2;
            assert_eq!(run.run(n, 0.25), (sum, 0.25 + n as f64 * 0.5 + sum as f64));
        }
        assert_eq!((NATIVE.get(), LEFT.take()), (0, vec![]));
        assert_eq!(run.context.calls_left, 0u64.wrapping_sub((0..20).sum()));
    });
}

#[test]
fn without_room_it_is_called_natively() {
    everywhere(|engine| {
        for (frames, locals, depth) in [(0, 900, 0), (4000, 64, 2), (4000, 95, 2)] {
            let mut run = Run::new(engine, RECURSIVE).room(frames, locals);
            run.backend.set_entry(ENTRY, Some(run.code));
            let n = 10;
            // The innermost frame that there is room for calls natively.
            let last = n - depth;
            let sum: u64 = (last..=n).sum();
            let x = (depth + 1) as f64 * 0.5 + sum as f64;
            assert_eq!(run.run(n, 0.0), (1000 + last - 1 + sum, x), "{frames} {locals}");
            assert_eq!(NATIVE.get(), 1);
        }
    });
}

#[test]
fn what_was_left_is_completed() {
    let text = RECURSIVE.replace("trace \"g0\"", "trace \"alone\"");
    everywhere(|engine| {
        let mut run = Run::new(engine, &text).room(4000, 900);
        run.backend.set_entry(ENTRY, Some(run.code));
        assert_eq!(run.run(2, 1.0), (77 + 1 + 2, 2.5 + 1.0 + 2.0));
        let left = LEFT.take();
        let [(left_with, slots)] = &left[..] else { panic!("{left:?}") };
        assert!(matches!(run.backend.exit(*left_with), Exit::Guard(guard) if guard.index() == 0));
        assert_eq!(slots[..], [0, 2f64.to_bits()]);
    });
}

#[test]
fn calls_are_sampled() {
    everywhere(|engine| {
        let mut run = Run::new(engine, RECURSIVE).room(4000, 900);
        run.backend.set_entry(ENTRY, Some(run.code));
        run.context.calls_left = 5;
        run.run(18, 0.0);
        assert_eq!((SAMPLED.get(), run.context.calls_left), (2, 7));
    });
}
