//! What the collector is measured by: programs that allocate, over the collector and over `malloc` and `free`.
//!
//! In: the name of a workload and `gc` or `malloc`. Out: its checksum and, for the collector, what it counted. The time is
//! taken by whoever runs it.

use std::hint::black_box;
use std::marker::PhantomData;

use metatrace_gc::{Array, Config, Gc, GcCell, Heap, Trace};

/// A way to get memory, with the objects that the workloads use.
trait Memory {
    type Node: Copy;
    type Boxed: Copy;
    type Slots: Copy;

    fn node(left: Option<Self::Node>, right: Option<Self::Node>, value: i64) -> Self::Node;
    fn left(node: Self::Node) -> Option<Self::Node>;
    fn right(node: Self::Node) -> Option<Self::Node>;
    fn value(node: Self::Node) -> i64;
    fn set_right(node: Self::Node, right: Option<Self::Node>);
    fn free_node(node: Self::Node);

    fn boxed(value: i64) -> Self::Boxed;
    fn unboxed(boxed: Self::Boxed) -> i64;
    fn free_boxed(boxed: Self::Boxed);

    fn slots(length: usize) -> Self::Slots;
    fn length(slots: Self::Slots) -> usize;
    fn get(slots: Self::Slots, index: usize) -> Option<Self::Boxed>;
    fn set(slots: Self::Slots, index: usize, value: Option<Self::Boxed>);
    fn free_slots(slots: Self::Slots);
}

#[derive(Trace)]
#[trace(crate = metatrace_gc)]
struct Node {
    left: GcCell<Option<Gc<Node>>>,
    right: GcCell<Option<Gc<Node>>>,
    value: i64,
}

struct Collected;

impl Memory for Collected {
    type Node = Gc<Node>;
    type Boxed = Gc<i64>;
    type Slots = Gc<Array<GcCell<Option<Gc<i64>>>>>;

    #[inline(always)]
    fn node(left: Option<Gc<Node>>, right: Option<Gc<Node>>, value: i64) -> Gc<Node> {
        Gc::new(Node { left: GcCell::new(left), right: GcCell::new(right), value })
    }
    #[inline(always)]
    fn left(node: Gc<Node>) -> Option<Gc<Node>> {
        node.left.get()
    }
    #[inline(always)]
    fn right(node: Gc<Node>) -> Option<Gc<Node>> {
        node.right.get()
    }
    #[inline(always)]
    fn value(node: Gc<Node>) -> i64 {
        node.value
    }
    #[inline(always)]
    fn set_right(node: Gc<Node>, right: Option<Gc<Node>>) {
        node.right.set(right);
    }
    fn free_node(_: Gc<Node>) {}

    #[inline(always)]
    fn boxed(value: i64) -> Gc<i64> {
        Gc::new(value)
    }
    #[inline(always)]
    fn unboxed(boxed: Gc<i64>) -> i64 {
        *boxed
    }
    fn free_boxed(_: Gc<i64>) {}

    #[inline(always)]
    fn slots(length: usize) -> Self::Slots {
        Array::cells(length, None)
    }
    #[inline(always)]
    fn length(slots: Self::Slots) -> usize {
        slots.len()
    }
    #[inline(always)]
    fn get(slots: Self::Slots, index: usize) -> Option<Gc<i64>> {
        slots[index].get()
    }
    #[inline(always)]
    fn set(slots: Self::Slots, index: usize, value: Option<Gc<i64>>) {
        slots[index].set(value);
    }
    fn free_slots(_: Self::Slots) {}
}

/// A node with the header that a collected one has.
struct MallocNode {
    _header: u64,
    left: Option<*mut MallocNode>,
    right: Option<*mut MallocNode>,
    value: i64,
}

struct Malloc;

/// Memory with a header, a length and room for elements.
fn malloc_slots(length: usize) -> *mut usize {
    // SAFETY: the size is not 0, and the first words are in it.
    unsafe {
        let slots = libc::calloc(1, 16 + length * 8).cast::<usize>();
        slots.add(1).write(length);
        slots
    }
}

impl Memory for Malloc {
    type Node = *mut MallocNode;
    type Boxed = *mut [i64; 2];
    type Slots = *mut usize;

    #[inline(always)]
    fn node(left: Option<Self::Node>, right: Option<Self::Node>, value: i64) -> Self::Node {
        Box::into_raw(Box::new(MallocNode { _header: 1, left, right, value }))
    }
    #[inline(always)]
    fn left(node: Self::Node) -> Option<Self::Node> {
        // SAFETY: nodes are used until they are freed, here and below.
        unsafe { (*node).left }
    }
    #[inline(always)]
    fn right(node: Self::Node) -> Option<Self::Node> {
        // SAFETY: as above.
        unsafe { (*node).right }
    }
    #[inline(always)]
    fn value(node: Self::Node) -> i64 {
        // SAFETY: as above.
        unsafe { (*node).value }
    }
    #[inline(always)]
    fn set_right(node: Self::Node, right: Option<Self::Node>) {
        // SAFETY: as above.
        unsafe { (*node).right = right };
    }
    #[inline(always)]
    fn free_node(node: Self::Node) {
        // SAFETY: it was made of a box, and is freed once.
        drop(unsafe { Box::from_raw(node) });
    }

    #[inline(always)]
    fn boxed(value: i64) -> Self::Boxed {
        Box::into_raw(Box::new([1, value]))
    }
    #[inline(always)]
    fn unboxed(boxed: Self::Boxed) -> i64 {
        // SAFETY: as for nodes.
        unsafe { (*boxed)[1] }
    }
    #[inline(always)]
    fn free_boxed(boxed: Self::Boxed) {
        // SAFETY: as for nodes.
        drop(unsafe { Box::from_raw(boxed) });
    }

    #[inline(always)]
    fn slots(length: usize) -> Self::Slots {
        malloc_slots(length)
    }
    #[inline(always)]
    fn length(slots: Self::Slots) -> usize {
        // SAFETY: slots begin with a header and their length, here and below.
        unsafe { slots.add(1).read() }
    }
    #[inline(always)]
    fn get(slots: Self::Slots, index: usize) -> Option<Self::Boxed> {
        assert!(index < Self::length(slots));
        // SAFETY: the index was checked.
        let boxed = unsafe { slots.add(2 + index).cast::<Self::Boxed>().read() };
        (!boxed.is_null()).then_some(boxed)
    }
    #[inline(always)]
    fn set(slots: Self::Slots, index: usize, value: Option<Self::Boxed>) {
        assert!(index < Self::length(slots));
        // SAFETY: the index was checked.
        unsafe { slots.add(2 + index).cast::<Self::Boxed>().write(value.unwrap_or(std::ptr::null_mut())) };
    }
    #[inline(always)]
    fn free_slots(slots: Self::Slots) {
        // SAFETY: it came from `calloc`, and is freed once.
        unsafe { libc::free(slots.cast()) };
    }
}

#[inline(never)]
fn tree<M: Memory>(depth: u32) -> M::Node {
    if depth == 0 {
        return M::node(None, None, 1);
    }
    let left = tree::<M>(depth - 1);
    let right = tree::<M>(depth - 1);
    M::node(Some(left), Some(right), i64::from(depth))
}

fn count<M: Memory>(node: M::Node) -> i64 {
    1 + M::left(node).map_or(0, count::<M>) + M::right(node).map_or(0, count::<M>)
}

fn free_tree<M: Memory>(node: M::Node) {
    M::left(node).map(free_tree::<M>);
    M::right(node).map(free_tree::<M>);
    M::free_node(node);
}

/// A temporary tree is counted and freed. Freeing it costs the collector a walk it does not need, so it makes none.
fn temporary<M: Memory>(depth: u32, explicit: bool) -> i64 {
    let made = tree::<M>(depth);
    let nodes = count::<M>(made);
    if explicit {
        free_tree::<M>(made);
    }
    nodes
}

fn binary_trees<M: Memory>(depth: u32, explicit: bool) -> i64 {
    let mut sum = temporary::<M>(depth + 1, explicit);
    let long = tree::<M>(depth);
    for depth_of_short in (4..=depth).step_by(2) {
        for _ in 0..1u64 << (depth - depth_of_short + 4) {
            sum += temporary::<M>(depth_of_short, explicit);
        }
    }
    sum + count::<M>(long)
}

/// Lists that die at once beside a live tree of 64 MB, into which each turn writes one reference.
fn lists<M: Memory>(turns: i64, depth: u32, explicit: bool) -> i64 {
    let live = tree::<M>(depth);
    let mut sum = 0;
    let mut random = 12345u64;
    for turn in 0..turns {
        let mut head = None;
        for value in 0..10_000 {
            head = Some(M::node(None, head, value));
        }
        let mut at = head;
        while let Some(node) = at {
            sum += M::value(node);
            at = M::right(node);
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut leaf = live;
        for level in 0..depth {
            let next = if random >> (20 + level) & 1 == 0 { M::left(leaf) } else { M::right(leaf) };
            leaf = next.expect("the tree is full");
        }
        let before = M::right(leaf);
        M::set_right(leaf, Some(M::node(None, None, turn)));
        if explicit {
            before.map(M::free_node);
            while let Some(node) = head {
                head = M::right(node);
                M::free_node(node);
            }
        }
    }
    sum + count::<M>(live)
}

/// A hash table from integers to integers, both boxed.
struct Table<M: Memory> {
    slots: M::Slots,
    entries: usize,
    explicit: bool,
    _memory: PhantomData<M>,
}

fn hash(key: i64) -> usize {
    ((key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20) as usize
}

impl<M: Memory> Table<M> {
    fn new(explicit: bool) -> Table<M> {
        Table { slots: M::slots(8), entries: 0, explicit, _memory: PhantomData }
    }

    #[inline(always)]
    fn insert(slots: M::Slots, key: M::Boxed, value: M::Boxed, explicit: bool) -> bool {
        let mask = M::length(slots) / 2 - 1;
        let mut index = hash(M::unboxed(key)) & mask;
        while let Some(found) = M::get(slots, 2 * index) {
            if M::unboxed(found) == M::unboxed(key) {
                let before = M::get(slots, 2 * index + 1);
                M::set(slots, 2 * index + 1, Some(value));
                if explicit {
                    M::free_boxed(key);
                    before.map(M::free_boxed);
                }
                return false;
            }
            index = (index + 1) & mask;
        }
        M::set(slots, 2 * index, Some(key));
        M::set(slots, 2 * index + 1, Some(value));
        true
    }

    #[inline(never)]
    fn set(&mut self, key: i64, value: i64) {
        let capacity = M::length(self.slots) / 2;
        if (self.entries + 1) * 4 > capacity * 3 {
            let (before, larger) = (self.slots, M::slots(capacity * 4));
            for index in 0..capacity {
                if let (Some(key), Some(value)) = (M::get(before, 2 * index), M::get(before, 2 * index + 1)) {
                    Self::insert(larger, key, value, false);
                }
            }
            self.slots = larger;
            if self.explicit {
                M::free_slots(before);
            }
        }
        let (key, value) = (M::boxed(key), M::boxed(value));
        self.entries += usize::from(Self::insert(self.slots, key, value, self.explicit));
    }

    fn get(&self, key: i64) -> i64 {
        let mask = M::length(self.slots) / 2 - 1;
        let mut index = hash(key) & mask;
        while let Some(found) = M::get(self.slots, 2 * index) {
            if M::unboxed(found) == key {
                return M::get(self.slots, 2 * index + 1).map_or(0, M::unboxed);
            }
            index = (index + 1) & mask;
        }
        0
    }

    fn free(self) {
        if self.explicit {
            for index in 0..M::length(self.slots) {
                M::get(self.slots, index).map(M::free_boxed);
            }
            M::free_slots(self.slots);
        }
    }
}

/// Many small tables that grow and live for a while, and a large one.
fn tables<M: Memory>(small: usize, large: i64, explicit: bool) -> i64 {
    const RING: usize = 1024;
    let mut ring: [Option<Table<M>>; RING] = [const { None }; RING];
    let mut sum = 0;
    let mut big = Table::<M>::new(explicit);
    let mut filled = 0;
    for turn in 0..small as i64 {
        let mut table = Table::<M>::new(explicit);
        for key in 0..48 {
            table.set(key * 7 + turn, key);
        }
        sum += (0..48).map(|key| table.get(key * 7 + turn)).sum::<i64>();
        if let Some(before) = ring[turn as usize % RING].replace(table) {
            before.free();
        }
        let target = large * (turn + 1) / small as i64;
        while filled < target {
            big.set(filled, filled);
            filled += 1;
        }
    }
    sum + (0..large).map(|key| big.get(key)).sum::<i64>()
}

/// Objects that die at once.
fn churn<M: Memory>(turns: i64, explicit: bool) -> i64 {
    for turn in 0..turns {
        let node = black_box(M::node(None, None, turn));
        if explicit {
            M::free_node(node);
        }
    }
    turns
}

/// Arrays of all sizes to 512 bytes, each of which lives for a while.
fn mixed<M: Memory>(turns: u64, explicit: bool) -> i64 {
    const RING: usize = 4096;
    let mut ring: [Option<M::Slots>; RING] = [None; RING];
    let mut random = 88_172_645_463_325_252u64;
    let mut sum = 0;
    for turn in 0..turns {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let length = (random >> 8) as usize & if random & 15 == 0 { 63 } else { 7 };
        let place = &mut ring[turn as usize % RING];
        if let Some(before) = place.replace(M::slots(length)) {
            sum += M::length(before) as i64;
            if explicit {
                M::free_slots(before);
            }
        }
    }
    sum
}

fn run<M: Memory>(workload: &str, explicit: bool) -> Option<i64> {
    Some(match workload {
        "trees-16" => binary_trees::<M>(16, explicit),
        "trees-18" => binary_trees::<M>(18, explicit),
        "lists" => lists::<M>(2000, 20, explicit),
        "tables" => tables::<M>(40_000, 500_000, explicit),
        "mixed" => mixed::<M>(20_000_000, explicit),
        "churn" => churn::<M>(100_000_000, explicit),
        "start" => temporary::<M>(1, explicit),
        _ => return None,
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let workload = arguments.first().map_or("", String::as_str);
    let result = match arguments.get(1).map(String::as_str) {
        Some("malloc") => run::<Malloc>(workload, true),
        Some("gc" | "full") => {
            let limit = arguments.get(2).and_then(|bytes| bytes.parse().ok()).unwrap_or(1 << 30);
            let generational = arguments[1] == "gc";
            // SAFETY: all references stay in the workload.
            let heap = unsafe { Heap::new(Config { limit, generational, ..Config::default() }) };
            let heap = heap.unwrap_or_else(|error| panic!("no address space for the heap: {error}"));
            let result = heap.enter(|| run::<Collected>(workload, false));
            println!("{:?}", heap.stats());
            result
        }
        _ => None,
    };
    match result {
        Some(sum) => println!("{sum}"),
        None => {
            eprintln!("usage: workloads WORKLOAD gc|full|malloc [LIMIT]");
            std::process::exit(2);
        }
    }
}
