//! The interface for generated code, followed step by step as such code would.

use metatrace::gc::alloc::Hot;
use metatrace::gc::compiled::{self, CARD_SHIFT, HEADER_BYTES, Site, allocate_slow};
use metatrace::gc::{Gc, GcCell, Heap, Trace, TypeInfo};

use super::{Node, config, heap};

/// Allocates as generated code does; 0 if the heap is full.
fn allocate(hot: *mut Hot, site: &Site) -> usize {
    // SAFETY: the heap is entered, and the site is for it.
    unsafe {
        let word = |offset: usize| hot.byte_add(offset).cast::<usize>();
        let mut cell = word(site.cursor_offset).read();
        let next = cell + site.cell_bytes;
        if next > word(site.limit_offset).read() {
            cell = allocate_slow(hot, site.class) as usize;
            if cell == 0 {
                return 0;
            }
        } else {
            word(site.cursor_offset).write(next);
        }
        (cell as *mut u64).write(site.header);
        cell + HEADER_BYTES
    }
}

fn barrier(hot: *mut Hot, address: usize) {
    // SAFETY: the heap lives, and the address is in it.
    unsafe { (*hot).cards.add((address - (*hot).base) >> CARD_SHIFT).write(1) };
}

#[test]
fn generated_code_allocates_and_writes() {
    let heap = heap(config());
    let site = Site::of(TypeInfo::of::<Node>(), size_of::<Node>()).expect("a node is small");
    assert_eq!(TypeInfo::of::<Node>().reference_words().map(u64::count_ones), Some(2));
    heap.enter(|| {
        let holder = Node::new(0, None);
        heap.collect();
        let hot = heap.hot();
        for turn in 0..20_000i64 {
            let address = allocate(hot, &site);
            // SAFETY: the fields are written before anything can collect, and the object is a node from then on.
            let node: Gc<Node> = unsafe {
                let value =
                    Node { left: GcCell::new(holder.left.get()), right: GcCell::new(None), value: turn };
                (address as *mut Node).write(value);
                Gc::from_bits(address as u64)
            };
            // SAFETY: a cell is as its content, and the field is one of an object.
            unsafe {
                ((&raw const holder.left) as *mut Option<Gc<Node>>).write((turn % 500 != 0).then_some(node))
            };
            barrier(hot, &raw const holder.left as usize);
        }
        assert!(heap.stats().minor_collections > 3);
        let (mut at, mut expected) = (holder.left.get(), 19_999);
        while let Some(node) = at {
            assert_eq!(node.value, expected);
            expected -= 1;
            at = node.left.get();
        }
        assert_eq!(expected, 19_500);
        assert_eq!(heap.verify(), Ok(()));
    });
}

#[test]
fn objects_of_types_known_at_run_time() {
    let heap = heap(config());
    heap.enter(|| {
        let info = TypeInfo::of::<(Option<Gc<Node>>, u64)>();
        let object = heap.allocate(info, 16).expect("the heap is empty").cast::<(Option<Gc<Node>>, u64)>();
        // SAFETY: the object is of that type, and 0 is a value of it.
        unsafe {
            assert!(object.as_ref().0.is_none() && object.as_ref().1 == 0);
            object.write((Some(Node::new(4, None)), 1));
            heap.collect_minor();
            assert_eq!(object.as_ref().0.map(|node| node.value), Some(4));
            assert_eq!(heap.object_at(object.as_ptr() as usize + 9), Some(object.cast()));
        }
        assert_eq!(heap.object_at(0x1000), None);
        assert!(Site::of(TypeInfo::of::<[u64; 4000]>(), 32_000).is_none());
    });
}

#[test]
fn what_is_made_collects_nothing_and_says_when_to() {
    let heap = heap(config());
    heap.enter(|| {
        let info = TypeInfo::of::<(Option<Gc<Node>>, u64)>();
        for turn in 1..4 {
            let before = heap.stats().minor_collections;
            // SAFETY: the descriptor is that of a type.
            let make = || unsafe { compiled::make(info, 16) }.expect("the heap is empty");
            let mut count = 0;
            while !make().1 {
                count += 1;
            }
            assert!(count > 10, "turn {turn}: {count}");
            assert!(make().1, "it stays time to collect");
            assert_eq!(heap.stats().minor_collections, before);
            // SAFETY: as above.
            unsafe { compiled::allocate(info, 16) }.expect("the heap is empty");
            assert_eq!(heap.stats().minor_collections, before + 1);
            assert!(!make().1);
        }
    });
}

fn is_leaf<T: Trace>() -> bool {
    TypeInfo::of::<T>().is_leaf()
}

#[test]
fn shapes_say_where_references_are() {
    assert!(is_leaf::<u64>() && is_leaf::<String>() && is_leaf::<Option<(u8, [f64; 3])>>());
    assert_eq!(
        TypeInfo::of::<(u64, Gc<u64>, Option<Gc<u8>>)>().reference_words().map(u64::count_ones),
        Some(2)
    );
    assert_eq!(TypeInfo::of::<[Option<Gc<u8>>; 3]>().reference_words(), Some(7));
    assert_eq!(TypeInfo::of::<Result<Gc<u8>, u64>>().reference_words(), None);
    assert_eq!(TypeInfo::of::<Vec<Gc<u8>>>().reference_words(), None);
    assert_eq!(size_of::<Option<Gc<Heap>>>(), 8);
}
