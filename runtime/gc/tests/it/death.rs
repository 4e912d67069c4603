//! Weak references, weak tables, finalizers and drops.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use metatrace::gc::{Config, Gc, GcCell, Root, Trace, Weak, WeakMap};

use super::{Node, apart, collect_always, config, heap, with_heap};

#[test]
fn weak_references_are_cleared_when_their_object_dies() {
    with_heap(|heap| {
        let kept = Node::new(1, None);
        let (weak, lost) = apart(|| (Root::new(Weak::new(kept)), Root::new(Weak::new(Node::new(2, None)))));
        apart(|| heap.collect_minor());
        assert_eq!(weak.get().map(|node| node.value), Some(1));
        assert!(lost.get().is_none());
        apart(|| heap.collect());
        assert!(weak.get().is_some_and(|node| node.ptr_eq(kept)));
    });
}

#[test]
fn weak_references_in_objects_do_not_keep_cycles_alive() {
    #[derive(Trace)]
    struct Child {
        parent: Weak<Node>,
        value: i64,
    }
    with_heap(|heap| {
        let child = apart(|| {
            let parent = Node::new(1, None);
            Root::new(Gc::new(Child { parent: Weak::new(parent), value: 7 }))
        });
        apart(|| heap.collect());
        assert!(child.parent.get().is_none());
        assert_eq!(child.value, 7);
    });
}

#[test]
fn entries_of_weak_maps_live_as_long_as_their_keys() {
    // No collection comes by itself: each would keep what the stack happens to name at that moment.
    let heap = heap(Config { nursery: 8 << 20, ..config() });
    heap.enter(|| {
        let map = Root::new(WeakMap::<Node, Gc<Node>>::new());
        let keys = Root::new((0..100).map(|value| apart(|| Node::new(value, None))).collect::<Vec<_>>());
        apart(|| {
            for (index, &key) in keys.iter().enumerate() {
                // The value refers to its own key: an entry must not keep itself alive.
                assert!(map.insert(key, Node::new(index as i64 + 1000, Some(key))).is_none());
                let other = Node::new(-1, None);
                map.insert(other, Node::new(-2, Some(other)));
            }
        });
        assert_eq!(heap.stats().collections, 0);
        apart(|| heap.collect_minor());
        apart(|| {
            assert!((100..=103).contains(&map.len()), "{} entries live", map.len());
            for (index, &key) in keys.iter().enumerate() {
                assert_eq!(map.get(key).map(|node| node.value), Some(index as i64 + 1000));
            }
            assert_eq!(map.remove(keys[5]).map(|node| node.value), Some(1005));
            assert!(map.get(keys[5]).is_none());
        });
        drop(keys);
        apart(|| heap.collect());
        assert!(map.len() <= 3, "{} entries live", map.len());
    });
}

#[test]
fn chains_of_weak_entries_are_followed_to_the_end() {
    with_heap(|heap| {
        let map = Root::new(WeakMap::<Node, Gc<Node>>::new());
        // Each value is the key of the next entry; only the first key is held. The entries are made from the last on.
        const LENGTH: i64 = 20_000;
        let first = apart(|| {
            let mut next = Node::new(LENGTH, None);
            for value in (0..LENGTH).rev() {
                let key = Node::new(value, None);
                map.insert(key, next);
                next = key;
            }
            Root::new(next)
        });
        apart(|| heap.collect());
        let mut at = *first;
        let mut length = 0;
        while let Some(next) = map.get(at) {
            at = next;
            length += 1;
        }
        assert_eq!((length, at.value), (LENGTH, LENGTH));
    });
}

thread_local! {
    static LOG: RefCell<Vec<i64>> = const { RefCell::new(Vec::new()) };
    static SAVED: Cell<usize> = const { Cell::new(0) };
}

#[test]
fn finalizers_run_once_at_safe_points_and_see_their_objects() {
    fn log(node: Gc<Node>) {
        let inner = node.left.get().map_or(0, |node| node.value);
        LOG.with_borrow_mut(|log| log.push(node.value * 100 + inner));
    }
    with_heap(|heap| {
        let weak = apart(|| {
            let made = Root::new(
                (1..=3)
                    .map(|value| apart(|| Node::new(value, Some(Node::new(value + 50, None)))))
                    .collect::<Vec<_>>(),
            );
            made.iter().for_each(|node| node.on_death(log));
            Root::new(made.iter().map(|node| Weak::new(*node)).collect::<Vec<_>>())
        });
        let kept = Node::new(9, None);
        kept.on_death(log);
        apart(|| heap.collect_minor());
        assert!(heap.has_finalizers_due());
        assert!(weak.iter().all(|weak| weak.get().is_none()), "weak references are cleared first");
        assert!(LOG.with_borrow(Vec::is_empty), "nothing runs within a collection");
        apart(|| heap.collect());
        assert_eq!(apart(|| heap.run_finalizers()), 3);
        assert_eq!(LOG.take(), [151, 252, 353]);
        let before = heap.stats().live_bytes;
        apart(|| heap.collect());
        assert!(heap.stats().live_bytes < before, "what was finalized dies");
        assert_eq!(apart(|| heap.run_finalizers()), 0);
        assert_eq!(kept.value, 9);
        assert_eq!(heap.stats().finalized, 3);
    });
}

#[test]
fn a_finalizer_may_bring_its_object_back() {
    fn save(node: Gc<Node>) {
        let saved = SAVED.get() as *const Root<GcCell<Option<Gc<Node>>>>;
        // SAFETY: the test keeps the root while finalizers run.
        unsafe { &*saved }.set(Some(node));
    }
    with_heap(|heap| {
        let root = Root::new(GcCell::new(None::<Gc<Node>>));
        SAVED.set(&raw const root as usize);
        apart(|| Node::new(5, None).on_death(save));
        apart(|| heap.collect());
        assert_eq!(apart(|| heap.run_finalizers()), 1);
        apart(|| heap.collect());
        assert_eq!(root.get().map(|node| node.value), Some(5));
    });
}

#[test]
fn values_are_dropped_once_when_their_object_dies() {
    #[derive(Trace)]
    struct Named {
        #[trace(unsafe_skip)]
        name: Rc<Cell<u32>>,
        text: String,
        node: Gc<Node>,
    }
    #[derive(Trace)]
    struct Dropped {
        #[trace(unsafe_skip)]
        _count: Count,
    }
    struct Count(Rc<Cell<u32>>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let name = Rc::new(Cell::new(0));
    with_heap(|heap| {
        let kept = apart(|| {
            for index in 0..20 {
                Gc::new(Named { name: name.clone(), text: index.to_string(), node: Node::new(index, None) });
                Gc::new(Dropped { _count: Count(name.clone()) });
            }
            metatrace::gc::Array::from_fn(5, |_| Dropped { _count: Count(name.clone()) });
            Root::new(Gc::new(Named { name: name.clone(), text: "kept".into(), node: Node::new(1, None) }))
        });
        apart(|| heap.collect_minor());
        apart(|| heap.collect());
        assert!(name.get() >= 20, "{} were dropped", name.get());
        assert_eq!((kept.text.as_str(), kept.node.value), ("kept", 1));
        assert_eq!(kept.name.get(), name.get());
    });
    assert_eq!(name.get(), 25, "the end of the heap drops what is left, once");
    assert_eq!(Rc::strong_count(&name), 1);
}

#[test]
fn weak_things_survive_a_collection_at_every_allocation() {
    with_heap(|heap| {
        collect_always(heap);
        let map = WeakMap::<Node, Gc<Node>>::new();
        let map = heap.rooted(&map, || {
            let keys = metatrace::gc::Array::from_fn(40, |index| Node::new(index as i64, None));
            for &key in keys.iter() {
                map.insert(key, Node::new(key.value + 1, None));
                map.insert(Node::new(0, None), key);
            }
            keys.iter().all(|&key| map.get(key).is_some_and(|node| node.value == key.value + 1))
        });
        assert!(map);
    });
}
