//! Hidden classes: which short strings a table has as keys, and in which slot each.
//!
//! A shape is a number; tables that got the same keys in the same order have the same. Shapes are never freed, and their number
//! is limited: beyond it, and for tables that are used as dictionaries, keys are hashed. What a shape says of a key never changes.
//! Shapes of one line of descent share a table of keys: the shape with n keys knows the first n.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use metatrace::gc::Tracer;
use metatrace::jit;

use crate::function::ABSENT;
use crate::string::Str;

metatrace::glue!();

/// A shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Shape(pub u32);

impl Shape {
    /// No key.
    pub const EMPTY: Shape = Shape(0);
    /// Keys are hashed.
    pub const DICTIONARY: Shape = Shape(u32::MAX);
    /// The shape of no table, for caches.
    pub const NEVER: Shape = Shape(u32::MAX - 1);
}

/// Keys of a shape; more make a dictionary.
const MAX_KEYS: usize = 250;
/// Keys that a shape may get by computed names.
const MAX_COMPUTED: usize = 12;
/// Successors of a shape by computed names.
const MAX_CHILDREN: usize = 4;
/// Shapes of a machine.
const MAX_SHAPES: usize = 1 << 16;

/// The keys of a line of descent, and an index of them: open addressing over numbers of keys, plus one.
struct Keys {
    keys: Vec<Str>,
    index: Vec<u16>,
}

impl Keys {
    fn new(keys: &[Str]) -> Keys {
        let mut made = Keys { keys: Vec::new(), index: vec![0; 8] };
        keys.iter().for_each(|key| made.push(*key));
        made
    }

    fn push(&mut self, key: Str) {
        self.keys.push(key);
        if self.keys.len() * 2 > self.index.len() {
            self.index = vec![0; self.index.len() * 2];
            for number in 0..self.keys.len() {
                self.add(number);
            }
        } else {
            self.add(self.keys.len() - 1);
        }
    }

    fn add(&mut self, number: usize) {
        let mask = self.index.len() - 1;
        let mut at = self.keys[number].hash() as usize & mask;
        while self.index[at] != 0 {
            at = (at + 1) & mask;
        }
        self.index[at] = number as u16 + 1;
    }

    #[inline]
    fn find(&self, key: Str) -> Option<usize> {
        let mask = self.index.len() - 1;
        let mut at = key.hash() as usize & mask;
        loop {
            let number = usize::from(self.index[at]);
            if number == 0 {
                return None;
            }
            if self.keys[number - 1].is(key) {
                return Some(number - 1);
            }
            at = (at + 1) & mask;
        }
    }
}

struct Node {
    keys: Rc<RefCell<Keys>>,
    count: usize,
    children: RefCell<Vec<(Str, Shape)>>,
    /// The slot of `__index`, if it has one.
    index_slot: Cell<Option<u32>>,
    /// Which of the names in [`NOTED`] are among the keys: a set by position.
    noted: u8,
}

/// Names for which a metatable is asked when it is set or shown: whether a shape has them is known.
const NOTED: [&[u8]; 2] = [b"__gc", b"__mode"];
/// What setting a metatable looks at.
pub const ON_SETTING: u8 = 0b11;

/// The shapes of a machine.
pub struct Shapes {
    nodes: RefCell<Vec<Node>>,
}

impl Shapes {
    pub fn new() -> Shapes {
        let root = Node {
            keys: Rc::new(RefCell::new(Keys::new(&[]))),
            count: 0,
            children: RefCell::default(),
            index_slot: Cell::new(None),
            noted: 0,
        };
        Shapes { nodes: RefCell::new(vec![root]) }
    }

    /// The slot of a key.
    #[inline]
    pub fn find(&self, shape: Shape, key: Str) -> Option<u32> {
        let nodes = self.nodes.borrow();
        let node = &nodes[shape.0 as usize];
        let found = node.keys.borrow().find(key)?;
        (found < node.count).then_some(found as u32)
    }

    /// The slot of a key; [`ABSENT`] if the shape does not have it.
    #[jit::elidable]
    pub fn slot_of(&self, shape: Shape, key: Str) -> u32 {
        self.find(shape, key).unwrap_or(ABSENT)
    }

    /// The shape with one more key, which the shape does not have; [`Shape::NEVER`] if the table should become a dictionary.
    #[jit::elidable]
    pub fn successor(&self, shape: Shape, key: Str) -> Shape {
        self.with(shape, key, false).unwrap_or(Shape::NEVER)
    }

    /// The slot of `__index`.
    #[inline]
    #[jit::elidable]
    pub fn index_slot(&self, shape: Shape) -> Option<u32> {
        self.nodes.borrow()[shape.0 as usize].index_slot.get()
    }

    /// Whether no table of this shape, which is no dictionary, has one of these names, by the constants above.
    #[jit::elidable]
    pub fn has_none(&self, shape: Shape, names: u8) -> bool {
        self.nodes.borrow()[shape.0 as usize].noted & names == 0
    }

    /// How many keys a shape has.
    #[jit::elidable]
    pub fn count(&self, shape: Shape) -> usize {
        self.nodes.borrow()[shape.0 as usize].count
    }

    /// The key of a slot.
    pub fn key(&self, shape: Shape, slot: usize) -> Option<Str> {
        let nodes = self.nodes.borrow();
        let node = &nodes[shape.0 as usize];
        if slot < node.count { Some(node.keys.borrow().keys[slot]) } else { None }
    }

    /// The shape with one more key, which the shape does not have; nothing if the table should become a dictionary.
    pub fn with(&self, shape: Shape, key: Str, computed: bool) -> Option<Shape> {
        {
            let nodes = self.nodes.borrow();
            let node = &nodes[shape.0 as usize];
            let children = node.children.borrow();
            if let Some((_, child)) = children.iter().find(|(name, _)| name.is(key)) {
                return Some(*child);
            }
            let limit = if computed { MAX_COMPUTED } else { MAX_KEYS };
            if node.count >= limit
                || nodes.len() >= MAX_SHAPES
                || computed && children.len() >= MAX_CHILDREN
                || children.len() >= 64 && shape != Shape::EMPTY
                || children.len() >= 1024
            {
                return None;
            }
        }
        let mut nodes = self.nodes.borrow_mut();
        let new = Shape(nodes.len() as u32);
        let node = &nodes[shape.0 as usize];
        let count = node.count;
        let keys = if node.keys.borrow().keys.len() == count {
            Rc::clone(&node.keys)
        } else {
            Rc::new(RefCell::new(Keys::new(&node.keys.borrow().keys[..count])))
        };
        keys.borrow_mut().push(key);
        let noted = NOTED.iter().position(|name| *name == key.bytes()).map_or(0, |at| 1 << at);
        let noted = node.noted | noted;
        let index_slot = if key.bytes() == b"__index" { Some(count as u32) } else { node.index_slot.get() };
        node.children.borrow_mut().push((key, new));
        nodes.push(Node {
            keys,
            count: count + 1,
            children: RefCell::default(),
            index_slot: Cell::new(index_slot),
            noted,
        });
        Some(new)
    }

    /// Shows the keys to the collector.
    pub fn trace(&self, tracer: &mut Tracer) {
        for node in &*self.nodes.borrow() {
            // Of those that share keys one shows them.
            let keys = node.keys.borrow();
            if keys.keys.len() == node.count {
                keys.keys.iter().for_each(|key| tracer.reference(key.reference()));
            }
        }
    }
}
