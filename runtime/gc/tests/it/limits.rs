//! Limits: clean errors, nothing corrupted, memory bounded.

use metatrace::gc::{Array, Config, Gc, GcCell, GcVec, Stress, TypeInfo};

use super::{Node, apart, config, heap, with_heap};

#[test]
fn at_the_limit_an_allocation_fails_and_the_heap_goes_on() {
    let heap = heap(Config { limit: 4 << 20, ..config() });
    heap.enter(|| {
        for _ in 0..3 {
            apart(|| {
                let mut list = None;
                let mut length = 0u64;
                let full = loop {
                    match Gc::try_new(Node { left: GcCell::new(list), right: GcCell::new(None), value: 1 }) {
                        Ok(node) => list = Some(node),
                        Err(full) => break full,
                    }
                    length += 1;
                };
                assert_eq!((full.limit, full.requested), (4 << 20, 32));
                assert!(length * 32 > 3 << 20, "only {length} nodes fit");
                assert!(heap.stats().used_bytes <= 4 << 20);
                while let Some(node) = list {
                    list = node.left.get();
                    length -= 1;
                }
                assert_eq!(length, 0);
            });
            apart(|| assert!(Gc::try_new([0u64; 10_000]).is_ok()));
        }
        assert_eq!(heap.verify(), Ok(()));
    });
}

#[test]
fn large_objects_count() {
    let heap = heap(Config { limit: 4 << 20, ..config() });
    heap.enter(|| {
        assert!(Array::<u8>::try_from_fn(5 << 20, |_| 0).is_err());
        assert!(Array::<u64>::try_from_fn(usize::MAX / 8, |_| 0).is_err());
        assert!(Array::<u64>::try_from_fn(usize::MAX / 2, |_| 0).is_err());
        for _ in 0..50 {
            assert_eq!(apart(|| Array::try_from_fn(1 << 20, |_| 1u8).map(|array| array.len())), Ok(1 << 20));
        }
        let vector = GcVec::new();
        while vector.try_push(1u64).is_ok() {}
        assert!(vector.len() >= 1 << 16, "{} elements", vector.len());
        assert!(vector.iter().all(|element| element == 1));
    });
}

#[test]
#[should_panic(expected = "out of memory: 32 bytes do not fit into a heap of 65536 bytes")]
fn new_panics_at_the_limit() {
    let heap = heap(Config { limit: 64 << 10, ..config() });
    heap.enter(|| {
        let mut list = None;
        loop {
            list = Some(Node::new(1, list));
        }
    });
}

#[test]
fn the_reserve_lies_beyond_the_limit_and_is_bounded() {
    let heap = heap(Config { limit: 1 << 20, reserve: 256 << 10, ..config() });
    heap.enter(|| {
        let held = GcVec::new();
        while let Ok(array) = Array::try_from_slice(&[0u64; 100]) {
            if held.try_push(array).is_err() {
                break;
            }
        }
        let info = TypeInfo::of::<[u64; 100]>();
        let mut reserved = 0;
        while let Some(object) = heap.allocate_reserved(info, 800) {
            // SAFETY: the object has 800 bytes.
            assert!(
                unsafe { std::slice::from_raw_parts(object.as_ptr(), 800) }.iter().all(|&byte| byte == 0)
            );
            reserved += 800;
        }
        assert!((128 << 10..=600 << 10).contains(&reserved), "{reserved} bytes came from the reserve");
        assert!(heap.stats().used_bytes <= (1 << 20) + (256 << 10));
        assert!(Gc::try_new([1u64; 1000]).is_err() || heap.stats().live_bytes < 1 << 20);
        assert_eq!(heap.verify(), Ok(()));
    });
}

/// A program whose every allocation is fallible: builds a list of arrays, then adds up.
fn program() -> Result<i64, metatrace::gc::HeapFull> {
    let items = GcVec::new();
    for index in 0..30 {
        let node = Gc::try_new(Node { left: GcCell::new(None), right: GcCell::new(None), value: index })?;
        let array = Array::try_from_slice(&[node, node])?;
        array[0].left.set(Some(Gc::try_new(Node {
            left: GcCell::new(Some(node)),
            right: GcCell::new(None),
            value: 1,
        })?));
        items.try_push(array)?;
    }
    Ok(items.iter().map(|array| array[1].value + array[0].left.get().map_or(0, |node| node.value)).sum())
}

#[test]
fn every_allocation_may_fail_in_turn() {
    with_heap(|heap| {
        let mut failed = 0;
        for fail_at in 1.. {
            heap.set_stress(Stress { fail_at, collect_every: 3, ..Stress::default() });
            match apart(program) {
                Ok(sum) => {
                    assert_eq!(sum, 465);
                    break;
                }
                Err(_) => failed += 1,
            }
            assert_eq!(heap.verify(), Ok(()));
        }
        assert!(failed >= 90, "{failed} allocations failed");
    });
}

#[test]
fn memory_stays_bounded_over_a_long_run() {
    let heap = heap(Config { limit: 16 << 20, verify: false, poison: false, ..config() });
    heap.enter(|| {
        let ring: Gc<Array<GcCell<Option<Gc<Array<u64>>>>>> = Array::cells(1000, None);
        let mut random = 1u64;
        for turn in 0..60_000usize {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Sizes change over time, so that what was freed has the wrong size.
            let most = 16 << (turn / 10_000);
            let length = (random >> 33) as usize % most;
            ring[(random >> 20) as usize % 1000].set(Some(Array::from_fn(length, |index| index as u64)));
        }
        let live: usize = ring.iter().filter_map(|cell| cell.get()).map(|array| array.len() * 8).sum();
        let peak = heap.stats().peak_bytes as usize;
        assert!(peak < 12 << 20, "{peak} bytes in use at most, and {live} live at the end");
    });
}

#[test]
fn starting_is_cheap() {
    for _ in 0..200 {
        let heap = heap(Config::default());
        assert_eq!(heap.enter(|| *Gc::new(7u64)), 7);
        assert_eq!(heap.stats().used_bytes, 32 << 10);
    }
}
