//! What it costs compiled code to allocate objects of 32 bytes that die at once: a loop of a trace over a heap of the collector.
//!
//! In: how many objects. Out: nanoseconds of processor time for each, the least of several runs, and what the heap counted.

use std::mem::offset_of;

use metatrace_backend::alloc::{InlineHeap, Site};
use metatrace_backend::{Allocator, Backend, Context, Exit, FRAME_HEADER, HeapMemory, Job, frame_words};
use metatrace_backend_cranelift::CraneliftBackend;
use metatrace_gc::alloc::Hot;
use metatrace_gc::{Config, Gc, GcCell, Heap, Trace, TypeInfo, compiled};
use metatrace_trace::{GuardId, TargetId, parse};

const VALUES: usize = 16;
const RUNS: usize = 7;

#[derive(Trace)]
#[trace(crate = metatrace_gc)]
struct Node {
    _left: GcCell<Option<Gc<Node>>>,
    _right: GcCell<Option<Gc<Node>>>,
    _value: i64,
}

static INLINE_HEAP: InlineHeap = InlineHeap {
    site,
    base: offset_of!(Hot, base) as i32,
    bytes: offset_of!(Hot, bytes) as i32,
    cards: offset_of!(Hot, cards) as i32,
    card_shift: compiled::CARD_SHIFT as i64,
};

fn site(_: u64, bytes: u64) -> Option<Site> {
    let site = compiled::Site::of(TypeInfo::of::<Node>(), bytes as usize)?;
    Some(Site {
        cursor: site.cursor_offset as i32,
        limit: site.limit_offset as i32,
        cell_bytes: site.cell_bytes as i64,
        header_bytes: compiled::HEADER_BYTES as i32,
    })
}

extern "C" fn collected(_: *mut Context, _: u64, bytes: u64) -> u64 {
    // SAFETY: the descriptor is a static.
    let object = unsafe { compiled::allocate(TypeInfo::of::<Node>(), bytes as usize) };
    object.expect("what died makes room").as_ptr() as u64
}

/// A loop that allocates, writes all fields, and keeps the object until the next one.
fn text() -> String {
    format!(
        r#"
        alloc alloc0 "Node" collected {header} size 24
        class class0 "left" leaf 0
        class class1 "right" leaf 0
        class class2 "value" leaf 1
        class class3 "kept" leaf 2
        access a0 "left" offset 0 word class0 class
        access a1 "right" offset 8 word class1 class
        access a2 "value" offset 16 word class2 class
        access a3 "kept" offset 0 word class3 class
        jitcode j0 "loop" words 8 floats 2
        trace (%0 w) {{
            %1 = new[alloc0]()
            guard_not_pending() s0
            setfield[a0](%1, 0)
            setfield[a1](%1, 0)
            setfield[a2](%1, %0)
            %2 = local_addr(0, 64, 0)
            setfield[a3](%2, %1)
            %3 = int_sub(%0, 1)
            guard_true(%3) s1
            jump[t0](%3)
        }}
        s0 = j0 @0 locals 0 (w0 = %0) merge_points 0
        s1 = j0 @0 locals 0 (w0 = %0) merge_points 0
        "#,
        header = std::ptr::from_ref(TypeInfo::of::<Node>()) as u64
    )
}

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000_000);
    let backend = CraneliftBackend::new(1 << 20).expect("machine code can be made");
    backend.set_frame(VALUES, 64);
    backend.set_heap(&INLINE_HEAP);
    let (program, trace) = parse(&text()).unwrap_or_else(|error| panic!("{error}"));
    let guards = [GuardId::new(0), GuardId::new(1)];
    let job =
        Job { program: &program, shims: &[], trace: &trace, guards: &guards, entry: Some(TargetId::new(0)) };
    let code = backend.compile(&job).expect("the trace can be compiled").code;
    // SAFETY: the objects are dead when the heap goes.
    let heap = unsafe { Heap::new(Config { limit: 64 << 20, ..Config::default() }) }.expect("address space");
    let mut frame = vec![0u128; frame_words(VALUES, 64).div_ceil(2)];
    let frame = frame.as_mut_ptr().cast::<u64>();
    let mut context = Context::default();
    context.allocator = Allocator { collected, ..Allocator::default() };
    let least = heap.enter(|| {
        context.heap = HeapMemory(compiled::current().cast());
        let times = (0..RUNS).map(|_| {
            let before = now();
            // SAFETY: the frame is large enough, and the trace touches nothing but it and its objects.
            let exit = unsafe {
                frame.add(FRAME_HEADER).write(count);
                backend.run(code, frame, &mut context)
            };
            assert_eq!(exit, Exit::Guard(guards[1]), "the loop ends when all were allocated");
            (now() - before) / count as f64
        });
        times.fold(f64::INFINITY, f64::min)
    });
    println!("{least:.3}");
    eprintln!("{:?}", heap.stats());
}

/// Nanoseconds of processor time that this thread has taken.
fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
