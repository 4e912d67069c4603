//! Tests of the collector, as its users see it.

mod arrays;
mod compiled;
mod death;
mod derive;
mod fuzz;
mod limits;
mod roots;

use metatrace::gc::{Config, Gc, GcCell, Heap, Stress, Trace};

/// An object with two references that change.
#[derive(Trace)]
pub struct Node {
    pub left: GcCell<Option<Gc<Node>>>,
    pub right: GcCell<Option<Gc<Node>>>,
    pub value: i64,
}

impl Node {
    pub fn new(value: i64, left: Option<Gc<Node>>) -> Gc<Node> {
        Gc::new(Node { left: GcCell::new(left), right: GcCell::new(None), value })
    }
}

/// A small heap that checks itself.
pub fn config() -> Config {
    Config { limit: 64 << 20, nursery: 64 << 10, verify: true, poison: true, ..Config::default() }
}

pub fn heap(config: Config) -> Heap {
    // SAFETY: the tests keep their references on the stack, unless they test what happens otherwise.
    unsafe { Heap::new(config) }.expect("address space")
}

pub fn with_heap<R>(f: impl FnOnce(&Heap) -> R) -> R {
    let heap = heap(config());
    heap.enter(|| f(&heap))
}

/// Collects before every allocation.
pub fn collect_always(heap: &Heap) {
    heap.set_stress(Stress { collect_every: 1, ..Stress::default() });
}

/// Overwrites what earlier calls left on the stack, so that it keeps nothing alive.
#[inline(never)]
pub fn scrub() {
    std::hint::black_box([0usize; 4096]);
}

/// Calls `f` in a frame of its own that leaves nothing behind.
#[inline(never)]
pub fn apart<R>(f: impl FnOnce() -> R) -> R {
    let result = std::hint::black_box(f)();
    scrub();
    result
}
