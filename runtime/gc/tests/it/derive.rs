//! `derive(Trace)`: what it takes. What it refuses is in the documentation of the crate, as examples that do not compile.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::rc::Rc;

use metatrace::gc::{Gc, GcCell, GcRefCell, Leaf, Trace, TypeInfo};

use super::{Node, apart, collect_always, with_heap};

#[derive(Trace, Clone, Copy)]
struct Unit;

#[derive(Trace)]
struct Generic<'a, T, const N: usize> {
    items: [GcCell<Option<Gc<T>>>; N],
    text: &'a str,
    kind: PhantomData<T>,
    unit: Unit,
    call: fn(i64) -> i64,
}

#[derive(Trace)]
enum Tree {
    Leaf(i64),
    Branch { children: Box<[Tree]>, node: Gc<Node> },
    Shared(Rc<Tree>),
    Empty,
}

#[derive(Trace, Clone, Copy, PartialEq)]
enum Plain {
    One,
    Two(u8),
}

#[derive(Trace)]
struct Cells {
    cell: Cell<Plain>,
    list: RefCell<Vec<Plain>>,
    map: GcRefCell<HashMap<String, Gc<Node>>>,
    sorted: BTreeMap<u32, (Gc<Node>, Option<Plain>)>,
}

fn leaf<T: Leaf>() {}

/// Objects of all kinds. The nodes are held here until objects own them: boxes and maps that no object has yet keep nothing alive.
fn kinds() -> (Gc<Generic<'static, Node, 3>>, Gc<Tree>, Gc<Cells>) {
    let nodes = [1, 2, 3, 5].map(|value| Node::new(value, None));
    let [one, two, three, five] = nodes;
    let generic = Gc::new(Generic {
        items: [const { GcCell::new(None) }; 3],
        text: "text",
        kind: PhantomData,
        unit: Unit,
        call: |x| x + 1,
    });
    generic.items[1].set(Some(one));
    let inner = Tree::Branch { children: Box::new([Tree::Leaf(4), Tree::Empty]), node: two };
    let tree = Gc::new(Tree::Branch { children: Box::new([Tree::Shared(Rc::new(inner))]), node: three });
    let cells = Gc::new(Cells {
        cell: Cell::new(Plain::One),
        list: RefCell::new(vec![Plain::Two(1)]),
        map: GcRefCell::default(),
        sorted: [(1, (five, Some(Plain::One)))].into_iter().collect(),
    });
    std::hint::black_box(&nodes);
    (generic, tree, cells)
}

#[test]
fn types_of_all_kinds_are_traced() {
    leaf::<Plain>();
    leaf::<Unit>();
    leaf::<RefCell<Vec<Plain>>>();
    assert!(TypeInfo::of::<Plain>().is_leaf());
    with_heap(|heap| {
        collect_always(heap);
        let (generic, tree, cells) = apart(kinds);
        cells.map.borrow_mut().insert("six".into(), Node::new(6, None));
        cells.cell.set(Plain::Two(9));
        for value in 0..10 {
            Node::new(value, None);
        }
        assert_eq!(generic.items[1].get().map(|node| node.value), Some(1));
        assert_eq!((generic.text, (generic.call)(1)), ("text", 2));
        let Tree::Branch { children, node } = &*tree else { panic!("a branch") };
        let [Tree::Shared(shared)] = &children[..] else { panic!("one child") };
        let Tree::Branch { children, node: inner } = &**shared else { panic!("a branch") };
        assert!(matches!(children[..], [Tree::Leaf(4), Tree::Empty]));
        assert_eq!((node.value, inner.value), (3, 2));
        assert_eq!(cells.map.borrow()["six"].value, 6);
        assert_eq!(cells.sorted[&1].0.value, 5);
        assert!(cells.cell.get() == Plain::Two(9) && cells.list.borrow().len() == 1);
        let _ = (generic.kind, generic.unit);
    });
}
