//! Steps of generated traces with objects that they allocate.
//!
//! Small objects are nodes: a word, a float, the address of another node, and that of a float inside a node, which are never null.
//! They are allocated, read and written, hold each other and addresses inside each other and themselves, go round loops, escape
//! into older ones and into calls. Plain memory is given back in the step
//! that allocated it, so that nobody uses it after. Arrays live until the passage ends.

use metatrace_defs::alloc::AllocId;
use metatrace_defs::{AccessId, PureOp, TraceOp};
use metatrace_trace::{Attached, Opnd};

use crate::generate::Generator;
use crate::world::{self, Content, NODE_WORDS};

/// Where nodes in local memory start, behind the object there.
pub(crate) const LOCAL_NODES: u64 = 768;

impl Generator {
    /// A step with objects.
    pub(crate) fn object_step(&mut self) {
        match self.random.below(17) {
            0..=2 => {
                let node = self.new_node();
                self.publish(node);
            }
            3 | 4 => self.renew_node(),
            5 | 6 => self.load_node(),
            7 | 8 => self.store_node(),
            9 if self.random.chance(50) => self.buffer(),
            9 => self.plain_node(),
            10 => self.compare_nodes(),
            11 => self.new_array(),
            12 => self.use_array(),
            13 | 14 => self.use_inside(),
            15 => self.new_pair(),
            _ => {
                let object = self.new_object();
                self.give_pool(object, Content::Pointer);
            }
        }
    }

    fn publish(&mut self, node: Opnd) {
        self.give_pool(node, Content::Node);
    }

    fn allocate(&mut self, alloc: AllocId, length: Option<(Opnd, u64)>) -> Opnd {
        let op = if length.is_some() { TraceOp::NewArray } else { TraceOp::New };
        let args: Vec<Opnd> = length.iter().map(|&(opnd, _)| opnd).collect();
        let result = self.emit(op, &args, Attached::Alloc(alloc))[0];
        let descr = self.world.program.alloc(alloc).clone();
        let elements = length.map_or(0, |(_, length)| length);
        // SAFETY: the context is the generator's own, and the program is resolved.
        let address = unsafe { metatrace_backend::alloc::allocate(&mut self.context, &descr, elements) };
        self.give(result, address, None);
        if descr.is_collected() {
            let snapshot = self.snapshot();
            self.trace.push_guard(TraceOp::GuardNotPending, &[], snapshot);
        }
        result
    }

    /// A node, with all or some of its fields written.
    fn new_node(&mut self) -> Opnd {
        let next = self.operand(Content::Node);
        let node = self.allocate(world::NODE, None);
        let next = if self.random.chance(15) { node } else { next };
        self.node_access(world::NODE_NEXT, node, Some(next));
        let of = if self.random.chance(40) { node } else { next };
        let inside = self.any_inside(of);
        self.set_inside(node, inside);
        for (access, content) in [(world::NODE_WORD, Content::Word), (world::NODE_FLOAT, Content::Float)] {
            if self.random.chance(70) {
                let value = self.operand(content);
                self.node_access(access, node, Some(value));
            }
        }
        node
    }

    /// A node like another, with what is in it changed: a boxed number.
    fn renew_node(&mut self) {
        let old = self.operand(Content::Node);
        let word = self.node_access(world::NODE_WORD, old, None);
        let changed = self.pure(PureOp::IntAdd, &[word, Opnd::Word(1)]);
        let next = if self.random.chance(50) { self.node_access(world::NODE_NEXT, old, None) } else { old };
        let node = self.allocate(world::NODE, None);
        self.node_access(world::NODE_WORD, node, Some(changed));
        self.node_access(world::NODE_NEXT, node, Some(next));
        let of = if self.random.chance(50) { node } else { old };
        let inside = self.any_inside(of);
        self.set_inside(node, inside);
        self.publish(node);
    }

    /// Two nodes that hold each other and addresses inside each other.
    fn new_pair(&mut self) {
        let pair = [0; 2].map(|_| self.allocate(world::NODE, None));
        let of = if self.random.chance(80) { [1, 0] } else { [0, 1] };
        let insides = of.map(|n| self.interior(world::NODE_FLOAT, pair[n]));
        for n in 0..2 {
            self.node_access(world::NODE_NEXT, pair[n], Some(pair[1 - n]));
            self.set_inside(pair[n], insides[n]);
            let word = self.operand(Content::Word);
            self.node_access(world::NODE_WORD, pair[n], Some(word));
            if self.random.chance(60) {
                self.give_pool(insides[n], Content::Inside);
            }
        }
        // Who gets at them often has only an address inside one of them.
        if self.random.chance(50) {
            pair.into_iter().for_each(|node| self.publish(node));
        }
        if self.random.chance(50) {
            self.any_guard();
        }
    }

    /// The address of a float: of this node, or any.
    fn any_inside(&mut self, node: Opnd) -> Opnd {
        if self.random.chance(30) {
            return self.operand(Content::Inside);
        }
        self.interior(world::NODE_FLOAT, node)
    }

    fn set_inside(&mut self, node: Opnd, inside: Opnd) {
        self.access(world::NODE_INSIDE, vec![node], Some(inside), Content::Inside);
    }

    /// Reads or writes a float by an address inside of its node, or changes which address a node holds.
    fn use_inside(&mut self) {
        let node = self.operand(Content::Node);
        let inside = match self.random.below(4) {
            0 => self.operand(Content::Inside),
            1 => {
                let inside = self.interior(world::NODE_FLOAT, node);
                self.give_pool(inside, Content::Inside);
                inside
            }
            _ => self.access(world::NODE_INSIDE, vec![node], None, Content::Inside),
        };
        let stored = self.random.chance(40).then(|| self.operand(Content::Float));
        self.access(world::ANY_FLOAT, vec![inside], stored, Content::Float);
        if self.random.chance(40) {
            let holder = self.operand(Content::Node);
            self.set_inside(holder, inside);
            self.emit(TraceOp::Barrier, &[holder], Attached::None);
        }
    }

    fn node_access(&mut self, access: AccessId, node: Opnd, stored: Option<Opnd>) -> Opnd {
        let content =
            world::NODE_USES.iter().find(|used| used.0 == access).map_or(Content::Word, |used| used.1);
        self.access(access, vec![node], stored, content)
    }

    fn load_node(&mut self) {
        let node = self.operand(Content::Node);
        let (access, _) = self.random.pick(world::NODE_USES);
        if self.random.chance(25) {
            let inside = self.interior(world::NODE_FLOAT, node);
            self.access(world::ANY_FLOAT, vec![inside], None, Content::Float);
            return;
        }
        self.node_access(access, node, None);
    }

    fn store_node(&mut self) {
        let node = self.operand(Content::Node);
        let (access, content) = self.random.pick(world::NODE_USES);
        let stored = self.operand(content);
        if content == Content::Float && self.random.chance(30) {
            let inside = self.interior(world::NODE_FLOAT, node);
            self.access(world::ANY_FLOAT, vec![inside], Some(stored), Content::Float);
            return;
        }
        self.node_access(access, node, Some(stored));
        if content == Content::Node {
            self.emit(TraceOp::Barrier, &[node], Attached::None);
        }
    }

    fn interior(&mut self, access: AccessId, node: Opnd) -> Opnd {
        if self.random.chance(20) {
            let offset = self.world.program.access(access).offset.get();
            let args = [node, Opnd::Word(offset)];
            let inside = self.emit(TraceOp::Pure(PureOp::IntAdd), &args, Attached::None)[0];
            return self.give(inside, self.value(node).wrapping_add(offset), None);
        }
        let inside = self.emit(TraceOp::InteriorField, &[node], Attached::Access(access))[0];
        let address = self.world.program.access(access).address(self.value(node), 0);
        self.give(inside, address, None)
    }

    /// Plain memory that is used and given back.
    fn plain_node(&mut self) {
        let next = self.operand(Content::Node);
        let node = self.allocate(world::PLAIN_NODE, None);
        self.node_access(world::NODE_NEXT, node, Some(next));
        let own = self.interior(world::NODE_FLOAT, node);
        let inside = if self.random.chance(60) { own } else { self.operand(Content::Inside) };
        self.set_inside(node, inside);
        for _ in 0..self.random.below(4) {
            let (access, content) = self.random.pick(world::NODE_USES);
            let stored = self.random.chance(60).then(|| self.operand(content));
            self.node_access(access, node, stored);
            if self.random.chance(30) {
                let inside = self.access(world::NODE_INSIDE, vec![node], None, Content::Word);
                self.pools_pop(Content::Word);
                let stored = self.random.chance(50).then(|| self.operand(Content::Float));
                self.access(world::ANY_FLOAT, vec![inside], stored, Content::Float);
            }
            if self.random.chance(30) {
                self.any_guard();
            }
        }
        if self.random.chance(20) {
            // It escapes into a call, which does not keep it.
            self.poke_node(node);
        }
        self.emit(TraceOp::Free, &[node], Attached::Alloc(world::PLAIN_NODE));
        let descr = self.world.program.alloc(world::PLAIN_NODE).clone();
        // SAFETY: it was allocated above, and no later step knows it.
        unsafe { metatrace_backend::alloc::release(&mut self.context, &descr, self.value(node), 0) };
    }

    /// Plain memory for words, of a length that is known or not, that is used and given back.
    fn buffer(&mut self) {
        let length = self.any_length();
        let buffer = self.allocate(world::BUFFER, Some(length));
        for index in 0..4 {
            let stored = self.operand(Content::Word);
            self.access(world::BUFFER_WORDS, vec![buffer, Opnd::Word(index)], Some(stored), Content::Word);
        }
        for _ in 0..self.random.below(6) {
            let stored = self.random.chance(40).then(|| self.operand(Content::Word));
            let index = self.any_index();
            self.access(world::BUFFER_WORDS, vec![buffer, index], stored, Content::Word);
            if self.random.chance(30) {
                self.any_guard();
            }
        }
        self.emit(TraceOp::FreeArray, &[buffer, length.0], Attached::Alloc(world::BUFFER));
        let descr = self.world.program.alloc(world::BUFFER).clone();
        // SAFETY: it was allocated above with this length, and no later step knows it.
        unsafe { metatrace_backend::alloc::release(&mut self.context, &descr, self.value(buffer), length.1) };
    }

    /// A node in local memory that nobody keeps, where others may have been before. Fresh nodes and memory that was there are written
    /// in between.
    pub(crate) fn local_node(&mut self) {
        let slot = LOCAL_NODES + 8 * self.random.below(8);
        let local = self.local_addr(slot, 8 * NODE_WORDS);
        for (access, content) in [
            (world::NODE_WORD, Content::Word),
            (world::NODE_FLOAT, Content::Float),
            (world::NODE_NEXT, Content::Node),
            (world::NODE_INSIDE, Content::Inside),
        ] {
            let stored = self.operand(content);
            self.access(access, vec![local], Some(stored), content);
        }
        for _ in 0..self.random.below(7) {
            let (access, content) = self.random.pick(world::NODE_USES);
            match self.random.below(8) {
                0 | 1 => _ = self.access(access, vec![local], None, content),
                2 | 3 => {
                    let stored = self.operand(content);
                    self.access(access, vec![local], Some(stored), content);
                }
                4 => self.store_node(),
                5 => self.load_node(),
                6 => self.any_guard(),
                _ if self.random.chance(30) => self.poke_node(local),
                _ if self.random.chance(30) => self.lend(local),
                _ => self.renew_node(),
            }
        }
    }

    /// The address of a slot that another activation has than those before.
    fn local_addr(&mut self, start: u64, size: u64) -> Opnd {
        self.activations += 1;
        let slot = [start, size, self.activations].map(Opnd::Word);
        let local = self.emit(TraceOp::LocalAddr, &slot, Attached::None)[0];
        self.give(local, self.locals_address + start, None)
    }

    /// Rows of words in local memory, by indices that may be constants.
    pub(crate) fn local_rows(&mut self) {
        let slot = LOCAL_NODES + 8 * self.random.below(8);
        let local = self.local_addr(slot, 64);
        for index in 0..8 {
            let stored = self.operand(Content::Word);
            self.access(world::BUFFER_WORDS, vec![local, Opnd::Word(index)], Some(stored), Content::Word);
        }
        let words = Attached::Access(world::BUFFER_WORDS);
        for _ in 0..1 + self.random.below(7) {
            let mut row = local;
            for _ in 0..self.random.below(3) {
                let index = self.random.below(3);
                let index = if self.random.chance(50) { Opnd::Word(index) } else { self.word_below(2) };
                let address = self.value(row) + 8 * self.value(index);
                let inside = self.emit(TraceOp::InteriorElem, &[row, index], words)[0];
                row = self.give(inside, address, None);
            }
            let index =
                if self.random.chance(50) { Opnd::Word(self.random.below(4)) } else { self.word_below(4) };
            let stored = self.random.chance(50).then(|| self.operand(Content::Word));
            self.access(world::BUFFER_WORDS, vec![row, index], stored, Content::Word);
            if self.random.chance(20) {
                self.any_guard();
            }
        }
    }

    /// Another node holds the address of one for a while, by which that is written and read.
    fn lend(&mut self, local: Opnd) {
        let holder = self.operand(Content::Node);
        self.access(world::NODE_NEXT, vec![holder], Some(local), Content::Node);
        let address = self.value(local);
        let next = Attached::Access(world::NODE_NEXT);
        let found = self.emit(TraceOp::GetField, &[holder], next)[0];
        let found = self.give(found, address, None);
        let stored = self.operand(Content::Word);
        self.access(world::NODE_WORD, vec![found], Some(stored), Content::Word);
        self.access(world::NODE_WORD, vec![local], None, Content::Word);
        let stored = self.operand(Content::Word);
        self.access(world::NODE_WORD, vec![local], Some(stored), Content::Word);
        self.access(world::NODE_WORD, vec![found], None, Content::Word);
        let other = self.operand(Content::Node);
        self.access(world::NODE_NEXT, vec![holder], Some(other), Content::Node);
    }

    fn compare_nodes(&mut self) {
        let (a, b) = (self.operand(Content::Node), self.operand(Content::Node));
        let op = self.random.pick(&[PureOp::IntEq, PureOp::IntNe]);
        let b = if self.random.chance(20) { Opnd::Word(0) } else { b };
        let test = self.pure(op, &[a, b]);
        if self.random.chance(50) {
            self.guard_value_of(test, true);
        }
    }

    /// An array of so many words that any index below 4 is in it.
    fn new_array(&mut self) {
        let length = self.any_length();
        let array = self.allocate(world::ARRAY, Some(length));
        self.arrays.push(array);
        for _ in 0..self.random.below(4) {
            self.use_array();
        }
    }

    /// A number of elements, at least 4.
    fn any_length(&mut self) -> (Opnd, u64) {
        if self.random.chance(80) {
            let length = 4 + self.random.below(5);
            return (Opnd::Word(length), length);
        }
        let word = self.operand(Content::Word);
        let few = self.pure(PureOp::IntAnd, &[word, Opnd::Word(3)]);
        let length = self.pure(PureOp::IntAdd, &[few, Opnd::Word(4)]);
        (length, self.value(length))
    }

    /// An index below 4.
    fn any_index(&mut self) -> Opnd {
        if self.random.chance(85) {
            return Opnd::Word(self.random.below(4));
        }
        self.word_below(4)
    }

    /// A word below a power of 2.
    fn word_below(&mut self, bound: u64) -> Opnd {
        let word = self.operand(Content::Word);
        self.pure(PureOp::IntAnd, &[word, Opnd::Word(bound - 1)])
    }

    fn use_array(&mut self) {
        let Some(&array) = self.arrays.last() else { return };
        if self.random.chance(15) {
            self.access(world::ARRAY_LENGTH, vec![array], None, Content::Word);
            return;
        }
        let index = self.any_index();
        let stored = self.random.chance(60).then(|| self.operand(Content::Word));
        self.access(world::ARRAY_WORDS, vec![array, index], stored, Content::Word);
    }

    /// An object of the kind that memory holds.
    fn new_object(&mut self) -> Opnd {
        let object = self.allocate(world::LARGE, None);
        for index in 0..2 {
            let held = self.pointers_in_memory();
            self.access(self.world.pointers, vec![object, Opnd::Word(index)], Some(held), Content::Pointer);
        }
        object
    }
}
