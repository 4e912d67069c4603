//! Arrays and vectors.

use metatrace::gc::{Array, Gc, GcCell, GcRefCell, GcVec, Trace};

use super::{Node, apart, collect_always, scrub, with_heap};

#[test]
fn arrays_of_all_lengths_hold_their_elements() {
    with_heap(|heap| {
        for length in [0, 1, 2, 7, 100, 1000, 2045, 2046, 2047, 5000, 100_000] {
            let array = Array::from_fn(length, |index| index as u64);
            heap.collect();
            assert_eq!(array.len(), length);
            assert!(array.iter().enumerate().all(|(index, &value)| value == index as u64));
            assert_eq!(&Array::from_slice(&array)[..], &array[..]);
        }
        assert_eq!(Array::from_slice(b"some text").len(), 9);
    });
}

#[test]
fn an_array_that_is_being_filled_survives_collections() {
    with_heap(|heap| {
        collect_always(heap);
        let array = Array::from_fn(300, |index| Node::new(index as i64, None));
        assert!(array.iter().enumerate().all(|(index, node)| node.value == index as i64));
    });
}

#[test]
fn young_objects_in_old_arrays_survive_minor_collections() {
    with_heap(|heap| {
        for length in [10, 3000, 50_000] {
            let cells = Array::cells(length, None);
            heap.collect();
            for index in [0, length / 2, length - 1] {
                cells[index].set(Some(Node::new(index as i64, None)));
            }
            heap.collect_minor();
            heap.collect_minor();
            for index in [0, length / 2, length - 1] {
                assert_eq!(cells[index].get().map(|node| node.value), Some(index as i64));
            }
            assert_eq!(cells.iter().filter(|cell| cell.get().is_some()).count(), 3);
        }
    });
}

/// A value as an interpreter may have: larger than a word, with a reference in one variant.
#[derive(Clone, Copy, Trace)]
enum Value {
    Int(i64),
    Node(Gc<Node>),
}

#[derive(Trace)]
struct List {
    items: GcVec<Value>,
    name: &'static str,
}

#[test]
fn a_vector_grows_and_shrinks_under_stress() {
    with_heap(|heap| {
        let list = Gc::new(List { items: GcVec::new(), name: "list" });
        collect_always(heap);
        for index in 0..200 {
            let value = if index % 3 == 0 { Value::Int(index) } else { Value::Node(Node::new(index, None)) };
            list.items.push(value);
        }
        for _ in 0..50 {
            list.items.pop();
        }
        list.items.set(7, Value::Node(Node::new(7, None)));
        heap.collect();
        let number = |value| match value {
            Value::Int(value) => value,
            Value::Node(node) => node.value,
        };
        assert_eq!(list.items.iter().map(number).collect::<Vec<_>>(), (0..150).collect::<Vec<_>>());
        assert!(list.items.get(150).is_none());
        assert_eq!(list.name, "list");
    });
}

#[derive(Trace)]
struct Boxed {
    boxed: Box<GcCell<Option<Gc<Node>>>>,
}

#[test]
fn cells_in_memory_of_malloc_are_looked_at_again() {
    with_heap(|heap| {
        let object = Gc::new(Boxed { boxed: Box::new(GcCell::new(None)) });
        heap.collect();
        for value in 0..5 {
            object.boxed.set(Some(Node::new(value, None)));
            heap.collect_minor();
            assert_eq!(object.boxed.get().map(|node| node.value), Some(value));
        }
    });
}

#[derive(Trace)]
struct Holder {
    vector: GcRefCell<Vec<Gc<Node>>>,
    #[trace(rescan)]
    plain: std::cell::RefCell<Vec<Value>>,
    #[trace(rescan)]
    cell: std::cell::Cell<Option<Gc<Node>>>,
}

#[test]
fn references_in_memory_of_malloc_count_if_an_object_owns_it() {
    with_heap(|heap| {
        let holder = Gc::new(Holder {
            vector: GcRefCell::new(Vec::new()),
            plain: Default::default(),
            cell: Default::default(),
        });
        heap.collect();
        for index in 0..100 {
            collect_always(heap);
            holder.vector.borrow_mut().push(Node::new(index, None));
            holder.plain.borrow_mut().push(Value::Node(Node::new(index, None)));
            holder.cell.set(Some(Node::new(index, None)));
            heap.set_stress(Default::default());
            heap.collect_minor();
        }
        assert!(holder.vector.borrow().iter().enumerate().all(|(index, node)| node.value == index as i64));
        assert_eq!(holder.cell.get().map(|node| node.value), Some(99));
        assert_eq!(holder.plain.borrow().len(), 100);
        assert!(matches!(holder.plain.borrow()[42], Value::Node(node) if node.value == 42));
    });
}

#[test]
fn a_borrow_that_lasts_over_collections_is_looked_at_again() {
    with_heap(|heap| {
        let holder = Gc::new(GcRefCell::new(Vec::<Gc<Node>>::new()));
        heap.collect();
        let mut vector = holder.borrow_mut();
        for index in 0..10 {
            vector.push(Node::new(index, None));
            heap.collect_minor();
        }
        drop(vector);
        heap.collect_minor();
        assert!(holder.borrow().iter().enumerate().all(|(index, node)| node.value == index as i64));
    });
}

/// `array`, grown to `length` elements.
fn grown(array: Gc<Array<GcCell<u64>>>, length: usize) -> Gc<Array<GcCell<u64>>> {
    // SAFETY: no object refers to the arrays of these tests.
    unsafe { Array::try_grown(array, length, 7) }.expect("there is room")
}

#[test]
fn a_large_array_with_free_memory_behind_it_grows_where_it_is() {
    with_heap(|heap| {
        let mut array = Array::cells(4000, 0u64);
        let address = array.address();
        for length in [4100, 5000, 5000, 300_000] {
            let before = array.len();
            array = grown(array, length);
            assert_eq!(array.address(), address);
            array[length / 2].set(length as u64);
            assert_eq!(array.len(), length);
            assert_eq!(array[length / 2].get(), length as u64);
            assert!(array[before..].iter().all(|cell| [7, length as u64].contains(&cell.get())));
            heap.collect_minor();
            assert_eq!(heap.verify(), Ok(()));
        }
        let behind = Array::cells(10_000, 1u64);
        let moved = grown(array, 400_000);
        assert_ne!(moved.address(), address);
        assert_eq!(moved[150_000].get(), 300_000);
        assert!(moved[300_000..].iter().all(|cell| cell.get() == 7));
        assert!(behind.iter().all(|cell| cell.get() == 1));
        assert_eq!(heap.verify(), Ok(()));
    });
}

#[test]
fn an_array_that_grows_from_small_to_large_keeps_its_elements() {
    with_heap(|heap| {
        collect_always(heap);
        let mut array = Array::cells(1, 3u64);
        for length in [2, 5, 100, 2000, 2100, 9000, 70_000] {
            array = grown(array, length);
            assert_eq!(array[0].get(), 3);
            assert!(array[1..].iter().all(|cell| cell.get() == 7));
            assert_eq!(array.len(), length);
        }
    });
}

#[test]
fn a_minor_collection_frees_what_an_old_array_was_replaced_by_growing() {
    with_heap(|heap| {
        let used = || heap.stats().used_bytes;
        let holder = apart(|| Gc::new(GcCell::new(Array::cells(500_000, 0u64))));
        let behind = Array::cells(5000, 0u64);
        heap.collect();
        let before = used();
        apart(|| holder.set(grown(holder.get(), 1_000_000)));
        scrub();
        heap.collect_minor();
        assert!(used() < before + (6 << 20), "{} bytes, and {before} before", used());
        assert_eq!((holder.get().len(), behind.len()), (1_000_000, 5000));
    });
}
