//! What keeps objects alive, and what does not.

use std::cell::Cell;

use metatrace::gc::{Area, Array, Config, Gc, GcCell, Root, Trace, Weak, Words, showing};

use super::{Node, apart, collect_always, config, heap, with_heap};

#[test]
fn locals_and_interior_references_keep_objects_alive() {
    with_heap(|heap| {
        collect_always(heap);
        let mut head = None;
        for value in 0..100 {
            head = Some(Node::new(value, head));
        }
        let mut values = Vec::new();
        while let Some(node) = head {
            values.push(node.value);
            head = node.left.get();
        }
        assert_eq!(values, (0..100).rev().collect::<Vec<_>>());
        let element = &Array::from_fn(10, |index| index)[7];
        Node::new(0, None);
        assert_eq!(*element, 7);
    });
}

#[test]
fn what_nothing_refers_to_dies() {
    with_heap(|heap| {
        let weak = apart(|| {
            (0..50).map(|value| Weak::new(Node::new(value, None))).collect::<metatrace_vec::Held<_>>()
        });
        apart(|| heap.collect());
        let alive = weak.iter().filter(|weak| weak.get().is_some()).count();
        // A word on the stack may look like a reference: one is a coincidence, most are not.
        assert!(alive <= 2, "{alive} of 50 live");
        assert!(heap.stats().live_bytes < 10_000);
    });
}

#[test]
fn threads_show_words_and_what_calls_ask_for() {
    let heap = heap(config());
    let (words, weak) = heap.enter(|| {
        apart(|| {
            let node = Node::new(1, None);
            (Words::new(Box::new([node.to_bits()])), Root::new(Weak::new(node)))
        })
    });
    heap.collect();
    assert!(weak.get().is_some());
    let hidden = apart(|| weak.get().map_or(0, |node| !node.to_bits()));
    drop(words);
    showing(&|tracer| tracer.word(!hidden), || apart(|| heap.collect()));
    assert!(apart(|| weak.get().is_some()));
    apart(|| heap.collect());
    assert!(weak.get().is_none());
}

/// Two stacks of 32 words in one memory; only the start of the first is known, which leads into the second.
#[test]
fn stacks_are_visited_as_far_as_they_are_known() {
    const HALF: usize = 32;
    const REACH: usize = 4;
    let heap = heap(config());
    let (places, living) = ([2, 10, HALF + 3, HALF + 10, HALF + 20], [true, false, true, true, false]);
    let (areas, start, weak) = heap.enter(|| {
        apart(|| {
            let memory = Box::leak(Box::new([0_u64; 2 * HALF]));
            let nodes = places.map(|place| Node::new(place as i64, None));
            places.iter().zip(nodes).for_each(|(&place, node)| memory[place] = node.to_bits());
            let start = memory.as_ptr();
            // SAFETY: the memory is never freed.
            let areas = unsafe {
                let (middle, end) = (start.add(HALF), start.add(2 * HALF));
                memory[1] = start.add(HALF + 8) as u64;
                let [first, second] = [start..middle, middle..end].map(|r| r.start.cast()..r.end.cast());
                [Area::stack(second, REACH * 8), Area::stack(first, REACH * 8)]
            };
            (areas, Words::new(Box::new([start as u64])), Root::new(nodes.map(Weak::new)))
        })
    });
    apart(|| heap.collect());
    assert_eq!(weak.map(|weak| weak.get().is_some()), living);
    drop(start);
    apart(|| heap.collect());
    assert_eq!(weak.map(|weak| weak.get().is_some()), [false; 5]);
    drop(areas);
}

/// Weak references that a test keeps.
mod metatrace_vec {
    use metatrace::gc::{Root, Trace};

    pub struct Held<T: Trace>(Root<Vec<T>>);

    impl<T: Trace> FromIterator<T> for Held<T> {
        fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Held<T> {
            let mut root = Root::new(Vec::new());
            for item in items {
                root.push(item);
            }
            Held(root)
        }
    }

    impl<T: Trace> std::ops::Deref for Held<T> {
        type Target = [T];

        fn deref(&self) -> &[T] {
            &self.0
        }
    }
}

#[test]
fn roots_keep_objects_alive_until_they_go() {
    let heap = heap(config());
    let (root, weak) = heap.enter(|| {
        apart(|| {
            let root = Root::new(vec![Node::new(1, None), Node::new(2, None)]);
            let weak = Root::new(Weak::new(root[1]));
            (root, weak)
        })
    });
    heap.collect();
    heap.enter(|| apart(|| assert_eq!(root[1].value, 2)));
    heap.enter(|| assert!(apart(|| weak.get().is_some())));
    drop(root);
    heap.collect();
    heap.enter(|| assert!(weak.get().is_none()));
    drop(heap);
    drop(weak);
}

#[test]
fn rooted_structures_are_traced() {
    #[derive(Trace, Default)]
    struct Machine {
        #[trace(rescan)]
        stack: std::cell::RefCell<Vec<Gc<Node>>>,
    }
    let heap = heap(config());
    let machine = Machine::default();
    heap.rooted(&machine, || {
        heap.enter(|| {
            collect_always(&heap);
            for value in 0..100 {
                let node = apart(|| Node::new(value, None));
                machine.stack.borrow_mut().push(node);
            }
            assert!(
                machine.stack.borrow().iter().enumerate().all(|(index, node)| node.value == index as i64)
            );
        });
    });
}

#[test]
fn areas_and_sources_show_roots() {
    let heap = heap(Config { pointer_mask: (1 << 48) - 1, ..config() });
    let memory = Box::new([const { Cell::new(0u64) }; 4]);
    let range = memory.as_ptr_range();
    // SAFETY: the memory lives until the area is removed.
    let area = unsafe { heap.add_area(range.start.cast()..range.end.cast()) };
    let weak = heap.enter(|| {
        apart(|| {
            let (plain, tagged, hidden) = (Node::new(1, None), Node::new(2, None), Node::new(3, None));
            memory[0].set(plain.to_bits());
            memory[1].set(tagged.to_bits() | 0xFFF8 << 48);
            memory[2].set(!hidden.to_bits());
            Root::new(vec![Weak::new(plain), Weak::new(tagged), Weak::new(hidden)])
        })
    });
    heap.collect();
    let alive = || weak.iter().map(|weak| weak.get().is_some()).collect::<Vec<_>>();
    assert_eq!(alive(), [true, true, false]);
    let bits = memory[1].get();
    let source = heap.add_source(Box::new(move |tracer| tracer.word(bits)));
    heap.remove_area(area);
    heap.collect();
    assert_eq!(alive(), [false, true, false]);
    heap.remove_source(source);
    heap.collect();
    assert_eq!(alive(), [false, false, false]);
}

#[test]
fn heaps_of_many_threads_and_nested_ones_are_apart() {
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            std::thread::spawn(move || {
                let outer = heap(config());
                let inner = heap(config());
                outer.enter(|| {
                    let mut list = Node::new(thread, None);
                    for value in 0..20_000 {
                        list = Node::new(value, (value % 100 != 0).then_some(list));
                        if value % 1000 == 0 {
                            let sum = inner.enter(|| {
                                let array = Array::from_fn(100, |index| Gc::new(index as i64 + thread));
                                inner.collect_minor();
                                array.iter().map(|boxed| **boxed).sum::<i64>()
                            });
                            assert_eq!(sum, 4950 + 100 * thread);
                        }
                    }
                    let mut length = 1;
                    while let Some(next) = list.left.get() {
                        list = next;
                        length += 1;
                    }
                    assert_eq!(length, 100);
                });
                assert!(outer.stats().collections > 0 && inner.stats().collections > 0);
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("the thread's assertions hold");
    }
}

#[test]
#[should_panic(expected = "no heap is current")]
fn an_object_needs_a_heap() {
    Gc::new(1u64);
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "no object of the current heap")]
fn a_reference_into_another_heap_is_found() {
    let (one, other) = (heap(config()), heap(config()));
    let node = one.enter(|| Node::new(1, None));
    other.enter(|| Node::new(2, Some(node)));
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "kept alive")]
fn a_reference_that_the_collector_does_not_see_is_found() {
    with_heap(|heap| {
        let hidden = apart(|| Box::new(Node::new(1, None)));
        apart(|| heap.collect());
        // The collected address is not on the stack: the box has it.
        std::hint::black_box(hidden.value);
    });
}

#[test]
fn a_missing_barrier_is_found() {
    struct Sneaky(Cell<Option<Gc<Node>>>);
    // SAFETY: it is wrong on purpose: changes are not told.
    unsafe impl Trace for Sneaky {
        const SHAPE: metatrace::gc::Shape = metatrace::gc::Shape::WORD;
        fn trace(&self, tracer: &mut metatrace::gc::Tracer) {
            self.0.get().trace(tracer);
        }
    }
    with_heap(|heap| {
        let sneaky = Gc::new(Sneaky(Cell::new(None)));
        heap.collect();
        let node = Node::new(1, None);
        sneaky.0.set(Some(node));
        let errors = heap.verify().expect_err("the barrier is missing");
        assert!(errors[0].contains("a barrier is missing"), "{errors:?}");
        sneaky.0.set(None);
        assert_eq!(heap.verify(), Ok(()));
        assert_eq!(GcCell::new(Some(node)).get().map(|node| node.value), Some(1));
    });
}
