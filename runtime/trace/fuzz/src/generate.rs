//! The generator: records a random program on random memory.

use metatrace_backend::{Context, FRAME_HEADER};
use metatrace_defs::inst::Operand as Register;
use metatrace_defs::{JitCodeId, Kind, PureOp, TraceOp};
use metatrace_trace::{Attached, Opnd, Snapshot, SnapshotFrame, SnapshotId, Trace};

use crate::objects::LOCAL_NODES;
use crate::world::{
    self, CALLEES, Callee, Content, NODE_WORDS, NODES, OBJECT, OBJECTS, REGISTERS, TAPE, Use, World,
};
use crate::{Case, ENTRY, FRAME_BYTES, FRAME_VALUES, LABEL, heap};

/// Generates the case of a seed; `size` is the number of steps, each of a few operations.
pub fn generate(seed: u64, size: usize) -> Case {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ size as u64);
    let words = (OBJECT / 8) as usize;
    let nodes = words * OBJECTS as usize;
    let mut memory = vec![0u64; nodes + (NODES * NODE_WORDS) as usize].into_boxed_slice();
    let mut frame = vec![0u64; FRAME_HEADER + FRAME_VALUES + FRAME_BYTES / 8].into_boxed_slice();
    let start = memory.as_ptr() as u64;
    let has_own_locals = seed % 5 < 2;
    let local_start = FRAME_HEADER + FRAME_VALUES;
    let locals_address = frame.as_ptr() as u64 + 8 * local_start as u64;
    let (in_objects, in_nodes) = memory.split_at_mut(nodes);
    let objects = in_objects.chunks_exact_mut(words).chain([&mut frame[local_start..][..words]]);
    let mut pointers = Random(seed ^ 77);
    for object in objects {
        World::fill(object, || random.word(), || start + OBJECT * pointers.below(OBJECTS));
    }
    for node in in_nodes.chunks_exact_mut(NODE_WORDS as usize) {
        node[3] = &raw const node[1] as u64;
        node[0] = pointers.word();
        node[1] = (pointers.below(100) as f64).to_bits();
        node[2] = start + 8 * (nodes as u64 + NODE_WORDS * pointers.below(NODES));
    }
    let image = memory.to_vec();
    let locals = frame[local_start..].to_vec();
    let mut generator = Generator {
        random,
        world: World::new(),
        trace: Trace::new(),
        known: Vec::new(),
        pools: Default::default(),
        context: Context { allocator: heap::allocator(), ..Context::default() },
        arrays: Vec::new(),
        locals_address,
        size,
        shape: match seed % 4 {
            0 => Shape::Line,
            1 => Shape::Any,
            _ => Shape::Recurrent,
        },
        with_objects: seed % 3 == 1,
        has_own_locals,
        activations: 0,
        favourites: Vec::new(),
    };
    for _ in 0..4 {
        let used = generator.any_use();
        generator.favourites.push(used);
    }
    let inputs = generator.run(start);
    heap::clear();
    let Generator { world, trace, .. } = generator;
    Case { program: world.program, trace, inputs, memory, image, frame, locals, has_own_locals }
}

const CONTENTS: [Content; 7] = [
    Content::Pointer,
    Content::Node,
    Content::Inside,
    Content::Word,
    Content::Float,
    Content::Index,
    Content::Cursor,
];

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    /// A word: small, at an edge, a float's bits, or any.
    fn word(&mut self) -> u64 {
        match self.below(8) {
            0..=2 => self.below(10),
            3 => (self.next() as i8) as u64,
            4 => self.pick(&[0xff, 0xffff, 0xffff_ffff, 1 << 63, u64::MAX, i64::MAX as u64, 0x80, 256]),
            5 => (self.below(100) as f64 / 4.0).to_bits(),
            6 => 1 << self.below(64),
            _ => self.next() >> self.below(64),
        }
    }
}

pub(crate) struct Generator {
    pub(crate) random: Random,
    pub(crate) world: World,
    pub(crate) trace: Trace,
    /// What each value is in the first passage.
    known: Vec<u64>,
    /// The values to choose from, by [`Content`].
    pools: [Vec<Opnd>; 7],
    pub(crate) context: Context,
    /// Arrays that were allocated.
    pub(crate) arrays: Vec<Opnd>,
    pub(crate) locals_address: u64,
    size: usize,
    shape: Shape,
    /// Whether much of the trace is about objects that it allocates.
    with_objects: bool,
    /// Whether local memory is only used by the steps that write it first.
    pub(crate) has_own_locals: bool,
    /// How many slots of local memory were used.
    pub(crate) activations: u64,
    /// What a recurrent loop uses most.
    favourites: Vec<Use>,
}

/// What kind of trace is generated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// No loop.
    Line,
    /// A loop of anything.
    Any,
    /// A loop that comes back to the same places, and whose guards mostly hold in later passages too.
    Recurrent,
}

impl Generator {
    fn run(&mut self, start: u64) -> Vec<u64> {
        let mut inputs = Vec::new();
        for content in CONTENTS {
            for _ in 0..2 + self.random.below(2) {
                let middle = 25 + self.random.below(13);
                let word = match content {
                    Content::Index => middle,
                    Content::Cursor => start + OBJECT * self.random.below(OBJECTS) + TAPE + 8 * middle,
                    Content::Pointer => start + OBJECT * self.random.below(OBJECTS),
                    Content::Node | Content::Inside => {
                        let node = start + OBJECT * OBJECTS + 8 * NODE_WORDS * self.random.below(NODES);
                        node + if content == Content::Inside { 8 } else { 0 }
                    }
                    Content::Word => self.random.word(),
                    Content::Float => (self.random.below(100) as f64 / 8.0).to_bits(),
                };
                self.input(content, word);
                inputs.push(word);
            }
        }
        let passages = 1 + self.random.below(9);
        let mut counter = self.input(Content::Word, passages);
        inputs.push(passages);
        let mut places: Vec<Opnd> = self.trace.inputs.iter().map(|&input| input.into()).collect();
        let target = if self.shape != Shape::Line && self.random.chance(30) {
            let params = self.emit(TraceOp::Label, &places, Attached::Target(LABEL));
            for (n, &param) in params.iter().enumerate() {
                self.give(param, inputs[n], None);
            }
            let pools = self.pools.iter_mut().flatten();
            for opnd in pools.chain([&mut counter]) {
                *opnd = params[places.iter().position(|place| place == opnd).expect("an input")];
            }
            places = params;
            LABEL
        } else {
            ENTRY
        };
        self.pools[Content::Word as usize].pop();

        let entry = self.pools.clone();
        self.emit(TraceOp::CountMergePoints, &[Opnd::Word(1)], Attached::None);
        self.guard_value_of(counter, true);
        for _ in 0..self.size {
            self.step();
        }
        if self.shape != Shape::Line {
            let less = self.pure(PureOp::IntSub, &[counter, Opnd::Word(1)]);
            self.pools[Content::Word as usize].pop();
            let mut args = Vec::new();
            for place in places {
                let next = if counter == place { less } else { self.next(&entry, place) };
                args.push(next);
            }
            self.emit(TraceOp::Jump, &args, Attached::Target(target));
        } else {
            let results: Vec<Opnd> = (0..4).map(|_| self.any()).collect();
            self.emit(TraceOp::Finish, &results, Attached::None);
        }
        inputs
    }

    fn input(&mut self, content: Content, word: u64) -> Opnd {
        let kind = if content == Content::Float { Kind::Float } else { Kind::Word };
        let value: Opnd = self.trace.new_input(kind, Some(word)).into();
        self.known.push(word);
        self.pools[content as usize].push(value);
        value
    }

    /// What an input of the loop is in the next passage: often what it was.
    fn next(&mut self, entry: &[Vec<Opnd>; 7], input: Opnd) -> Opnd {
        let content = entry.iter().position(|pool| pool.contains(&input));
        let content = content.expect("an input is in a pool");
        if content == Content::Index as usize || content == Content::Cursor as usize {
            let from = self.random.pick(&entry[content]);
            let unit: i64 = if content == Content::Index as usize { 1 } else { 8 };
            let step = unit * (self.random.below(4) as i64 - 1);
            let moved = self.pure(PureOp::IntAdd, &[from, Opnd::Word(step as u64)]);
            return if self.random.chance(30) { from } else { moved };
        }
        if self.shape == Shape::Recurrent && self.random.chance(50) {
            return input;
        }
        let pool = &self.pools[content];
        match self.random.below(3) {
            0 => input,
            1 => self.random.pick(pool),
            _ => self.random.pick(&pool[pool.len().saturating_sub(6)..]),
        }
    }

    pub(crate) fn value(&self, opnd: Opnd) -> u64 {
        match opnd {
            Opnd::Value(value) => self.known[value.index()],
            Opnd::Word(bits) | Opnd::Float(bits) => bits,
        }
    }

    fn pointer(&mut self) -> Opnd {
        let pool = &self.pools[Content::Pointer as usize];
        let few = if self.shape == Shape::Recurrent { 2 } else { pool.len() };
        self.random.pick(&pool[..few])
    }

    /// A value of a kind of content, mostly a recent one, or a constant.
    pub(crate) fn operand(&mut self, content: Content) -> Opnd {
        let constant = match content {
            Content::Word => Opnd::Word(self.random.word()),
            Content::Float => Opnd::Float((self.random.below(40) as f64 / 4.0 - 3.0).to_bits()),
            Content::Pointer => return self.pointer(),
            Content::Node | Content::Inside => {
                let pool = &self.pools[content as usize];
                return match self.random.below(3) {
                    0 => self.random.pick(pool),
                    _ => self.random.pick(&pool[pool.len().saturating_sub(3)..]),
                };
            }
            Content::Index | Content::Cursor => return self.random.pick(&self.pools[content as usize]),
        };
        let pool = &self.pools[content as usize];
        match self.random.below(8) {
            0..=2 => constant,
            3 | 4 => self.random.pick(pool),
            _ => self.random.pick(&pool[pool.len().saturating_sub(5)..]),
        }
    }

    fn any(&mut self) -> Opnd {
        let content = self.random.pick(&[
            Content::Word,
            Content::Word,
            Content::Float,
            Content::Pointer,
            Content::Node,
            Content::Inside,
        ]);
        self.operand(content)
    }

    pub(crate) fn emit(&mut self, op: TraceOp, args: &[Opnd], attached: Attached) -> Vec<Opnd> {
        let results = self.trace.push(&self.world.program, op, args, attached, &[]);
        self.known.resize(self.trace.values.len(), 0);
        results.into_iter().map(Opnd::Value).collect()
    }

    /// Remembers what an operation gave in the first passage.
    pub(crate) fn give(&mut self, result: Opnd, word: u64, content: Option<Content>) -> Opnd {
        if let Opnd::Value(value) = result {
            self.known[value.index()] = word;
            self.trace.values[value.index()].recorded = Some(word);
        }
        if let Some(content) = content {
            self.pools[content as usize].push(result);
        }
        result
    }

    pub(crate) fn pure(&mut self, op: PureOp, args: &[Opnd]) -> Opnd {
        let words: Vec<u64> = args.iter().map(|&arg| self.value(arg)).collect();
        let result = self.emit(TraceOp::Pure(op), args, Attached::None)[0];
        let content = if op.row().result == Kind::Float { Content::Float } else { Content::Word };
        self.give(result, op.eval(&words), Some(content))
    }

    fn step(&mut self) {
        if self.random.chance(if self.with_objects { 45 } else { 3 }) {
            self.object_step();
            return;
        }
        if self.has_own_locals && self.random.chance(15) {
            if self.random.chance(30) {
                self.local_rows()
            } else {
                self.local_node()
            }
            return;
        }
        if self.shape == Shape::Recurrent && self.random.chance(70) {
            match self.random.below(8) {
                0..=3 => self.tape(),
                4 | 5 => self.recur(),
                6 => self.load(),
                _ => self.store(),
            }
            return;
        }
        match self.random.below(20) {
            0..=5 => self.any_pure(),
            6 | 7 => self.narrow(),
            8..=10 => self.load(),
            11..=13 => self.store(),
            14 | 15 => self.any_guard(),
            16 => self.call(),
            17 => self.overflow(),
            18 => self.new_pointer(),
            _ => {
                if self.random.chance(30) {
                    self.emit(TraceOp::CountMergePoints, &[Opnd::Word(1)], Attached::None);
                }
                let note = format!("step at {}", self.trace.insts.len());
                self.trace.notes.push((self.trace.insts.len() as u32, note));
            }
        }
    }

    fn any_pure(&mut self) {
        let op = self.random.pick(PureOp::ALL);
        let mut args: Vec<Opnd> = Vec::new();
        for &kind in op.row().operands {
            args.push(self.operand(if kind == Kind::Float { Content::Float } else { Content::Word }));
        }
        if op.is_partial() {
            let last = args.len() - 1;
            if self.value(args[last]) == 0 || self.random.chance(50) {
                args[last] = self.pure(PureOp::IntOr, &[args[last], Opnd::Word(1)]);
            } else {
                self.guard_value_of(args[last], true);
            }
        }
        self.pure(op, &args);
    }

    /// What rules and ranges are about: sums of narrow values, masks, comparisons of the same operands.
    fn narrow(&mut self) {
        let [x, y] = [0; 2].map(|_| self.operand(Content::Word));
        let constant = Opnd::Word(self.random.word());
        let mask = Opnd::Word(self.random.pick(&[0xff, 0xffff, 0xffff_ffff, 0x7f, 1, 7]));
        match self.random.below(6) {
            0 => {
                let sum = self.pure(PureOp::IntAdd, &[x, constant]);
                self.pure(PureOp::IntAnd, &[sum, mask]);
            }
            1 => {
                let op = self.random.pick(&[PureOp::IntSext8, PureOp::IntSext16, PureOp::IntSext32]);
                let sum = self.pure(PureOp::IntAdd, &[x, y]);
                self.pure(op, &[sum]);
            }
            2 => {
                let op = self.random.pick(&[PureOp::IntSub, PureOp::IntMul, PureOp::IntXor, PureOp::IntOr]);
                let inner = self.pure(op, &[x, constant]);
                self.pure(op, &[inner, mask]);
            }
            _ => {
                let ops = [
                    PureOp::IntEq,
                    PureOp::IntNe,
                    PureOp::IntLt,
                    PureOp::IntLe,
                    PureOp::UintLt,
                    PureOp::UintLe,
                ];
                let op = self.random.pick(&ops);
                let right = if self.random.chance(50) { y } else { mask };
                let mut test = self.pure(op, &[x, right]);
                if self.random.chance(30) {
                    test = self.pure(PureOp::IntEq, &[test, Opnd::Word(0)]);
                }
                if self.random.chance(60) {
                    self.guard_value_of(test, true);
                }
            }
        }
    }

    /// Reads or writes words of a tape, or a byte of one.
    fn tape(&mut self) {
        if self.random.chance(40) {
            let [x, y] = [0; 2].map(|_| self.tape_word(None));
            let sum = self.pure(PureOp::IntAdd, &[x, y]);
            self.tape_word(Some(sum));
        } else {
            let stored = self.random.chance(30).then(|| self.operand(Content::Word));
            self.tape_word(stored);
        }
    }

    /// Reads a word of a tape, or writes it.
    fn tape_word(&mut self, stored: Option<Opnd>) -> Opnd {
        let mut args = Vec::new();
        let percent = if self.size.is_multiple_of(2) { 95 } else { 10 };
        let access = if self.random.chance(percent) {
            args.push(self.pools[Content::Pointer as usize][0]);
            let index = self.random.pick(&self.pools[Content::Index as usize][..2]);
            let step = self.random.below(3).wrapping_sub(1);
            args.push(self.pure(PureOp::IntAdd, &[index, Opnd::Word(step)]));
            self.world.tape
        } else {
            let few = if self.random.chance(90) { 1 } else { 2 };
            args.push(self.random.pick(&self.pools[Content::Cursor as usize][..few]));
            let few = if self.random.chance(95) { 4 } else { self.world.near.len() as u64 };
            self.world.near[self.random.below(few) as usize]
        };
        self.access(access, args, stored, Content::Word)
    }

    /// Changes a place by a little, and sometimes tests what it was.
    fn recur(&mut self) {
        let used = self.favourites[self.random.below(4) as usize];
        if used.content != Content::Word {
            return;
        }
        let args = self.address(used);
        let old = self.access(used.access, args.clone(), None, Content::Word);
        let change = Opnd::Word(1 + self.random.below(2));
        let op = self.random.pick(&[PureOp::IntAdd, PureOp::IntAdd, PureOp::IntSub, PureOp::IntXor]);
        let mut new = self.pure(op, &[old, change]);
        if self.random.chance(30) {
            new = self.pure(PureOp::IntAnd, &[new, Opnd::Word(0xff)]);
        }
        if self.random.chance(40) {
            let limit = Opnd::Word(self.value(new).saturating_add(10));
            let test = self.pure(PureOp::UintLt, &[new, limit]);
            self.guard_value_of(test, true);
        }
        self.access(used.access, args, Some(new), Content::Word);
    }

    /// Reads, or writes what is to be stored.
    pub(crate) fn access(
        &mut self,
        id: metatrace_defs::AccessId,
        mut args: Vec<Opnd>,
        stored: Option<Opnd>,
        content: Content,
    ) -> Opnd {
        let access = self.world.program.access(id).clone();
        let address = access.address(self.value(args[0]), args.get(1).map_or(0, |&index| self.value(index)));
        let op = match (stored, access.stride) {
            (None, None) => TraceOp::GetField,
            (None, Some(_)) => TraceOp::GetElem,
            (Some(_), None) => TraceOp::SetField,
            (Some(_), Some(_)) => TraceOp::SetElem,
        };
        args.extend(stored);
        let results = self.emit(op, &args, Attached::Access(id));
        match stored {
            Some(stored) => {
                // SAFETY: `address` is inside an object of the case or of its frame.
                unsafe { access.scalar.write(address, self.value(stored)) };
                stored
            }
            None => {
                // SAFETY: as above.
                let word = unsafe { access.scalar.read(address) };
                self.give(results[0], word, Some(content))
            }
        }
    }

    fn overflow(&mut self) {
        let (test, op) = self.random.pick(&[
            (PureOp::IntAddOvf, PureOp::IntAdd),
            (PureOp::IntSubOvf, PureOp::IntSub),
            (PureOp::IntMulOvf, PureOp::IntMul),
        ]);
        let args = [0; 2].map(|_| self.operand(Content::Word));
        let result_first = self.random.chance(50);
        if result_first {
            self.pure(op, &args);
        }
        let overflow = self.pure(test, &args);
        self.guard_value_of(overflow, true);
        if !result_first {
            self.pure(op, &args);
        }
    }

    fn new_pointer(&mut self) {
        if self.has_own_locals {
            return self.local_node();
        }
        if self.random.chance(40) {
            let place = [0, LOCAL_NODES, 0].map(Opnd::Word);
            let result = self.emit(TraceOp::LocalAddr, &place, Attached::None)[0];
            self.give(result, self.locals_address, Some(Content::Pointer));
            return;
        }
        let (condition, p, q) = (self.operand(Content::Word), self.pointer(), self.pointer());
        self.pure(PureOp::IntSelect, &[condition, p, q]);
        let selected = self.pools[Content::Word as usize].pop().expect("the selected pointer");
        self.pools[Content::Pointer as usize].push(selected);
    }

    /// Address operands that are valid for a use in every passage.
    fn address(&mut self, used: Use) -> Vec<Opnd> {
        let mut args = vec![self.pointer()];
        if let Some(count) = used.elements {
            let index = match self.random.below(3) {
                0 => Opnd::Word(self.random.below(count)),
                1 if used.elements.is_some() => {
                    let index = self.operand(Content::Word);
                    if self.value(index) < count {
                        let in_bounds = self.pure(PureOp::UintLt, &[index, Opnd::Word(count)]);
                        self.guard_value_of(in_bounds, true);
                        index
                    } else {
                        self.pure(PureOp::IntAnd, &[index, Opnd::Word(count - 1)])
                    }
                }
                _ => {
                    let index = self.operand(Content::Word);
                    let next = self.pure(PureOp::IntAdd, &[index, Opnd::Word(1)]);
                    self.pure(PureOp::IntAnd, &[next, Opnd::Word(count - 1)])
                }
            };
            args.push(index);
        }
        if let Some(outer) = used.through {
            let outer_access = self.world.program.access(outer).clone();
            let op = match used.elements {
                Some(_) => TraceOp::InteriorElem,
                None => TraceOp::InteriorField,
            };
            let words: Vec<u64> = args.iter().map(|&arg| self.value(arg)).collect();
            let inner = self.emit(op, &args, Attached::Access(outer))[0];
            let address = outer_access.address(words[0], words.get(1).copied().unwrap_or(0));
            args = vec![self.give(inner, address, None)];
        }
        args
    }

    fn any_use(&mut self) -> Use {
        if self.shape == Shape::Recurrent && self.favourites.len() == 4 && self.random.chance(80) {
            return self.favourites[self.random.below(4) as usize];
        }
        let count = self.world.uses.len() as u64;
        self.world.uses[self.random.below(count) as usize]
    }

    fn load(&mut self) {
        let used = self.any_use();
        let args = self.address(used);
        self.access(used.access, args, None, used.content);
    }

    fn store(&mut self) {
        let used = self.any_use();
        let args = self.address(used);
        let stored = match used.content {
            // An object of the frame would be gone for those who look at the memory later.
            Content::Pointer => self.pointers_in_memory(),
            content => self.operand(content),
        };
        self.access(used.access, args, Some(stored), used.content);
    }

    /// The address of an object in memory.
    pub(crate) fn pointers_in_memory(&mut self) -> Opnd {
        self.random.pick(&self.pools[Content::Pointer as usize][..2])
    }

    /// Remembers a value for operands of a kind.
    pub(crate) fn give_pool(&mut self, opnd: Opnd, content: Content) {
        self.pools[content as usize].push(opnd);
    }

    /// Forgets what was remembered last for operands of a kind.
    pub(crate) fn pools_pop(&mut self, content: Content) {
        self.pools[content as usize].pop();
    }

    /// Hands a node to a call that changes it.
    pub(crate) fn poke_node(&mut self, node: Opnd) {
        self.call_of(&CALLEES[world::POKE_NODE.index()], vec![node]);
    }

    fn call(&mut self) {
        let callee = &CALLEES[self.random.below(CALLEES.len() as u64) as usize];
        let args: Vec<Opnd> = callee.args.iter().map(|&content| self.operand(content)).collect();
        self.call_of(callee, args);
    }

    fn call_of(&mut self, callee: &Callee, args: Vec<Opnd>) {
        let words: Vec<u64> = args.iter().map(|&arg| self.value(arg)).collect();
        let call = self.world.program.call(callee.call).clone();
        let is_elidable = call.has(metatrace_defs::descr::call_flag::ELIDABLE);
        let op = if is_elidable { TraceOp::CallElidable } else { TraceOp::Call };
        let results = self.emit(op, &args, Attached::Call(callee.call));
        // SAFETY: the shim takes these arguments, and pointers are addresses of objects.
        let first = unsafe { world::shims()[call.shim as usize].call(&mut self.context, &words) };
        for (n, result) in results.into_iter().enumerate() {
            let word = if n == 0 { first } else { self.context.results[n] };
            let content = if call.results[n] == Kind::Float { Content::Float } else { Content::Word };
            self.give(result, word, Some(content));
        }
        if call.has(metatrace_defs::descr::call_flag::CAN_PANIC) {
            let snapshot = self.snapshot();
            self.trace.push_guard(TraceOp::GuardNotPending, &[], snapshot);
            self.context.pending = 0;
        }
    }

    pub(crate) fn any_guard(&mut self) {
        let holds = !self.random.chance(2);
        match self.random.below(5) {
            0 => {
                let x = self.operand(Content::Word);
                let word = self.value(x).wrapping_add(u64::from(!holds));
                self.guard(TraceOp::GuardValue, &[x, Opnd::Word(word)]);
            }
            1 => {
                let x = self.operand(Content::Float);
                self.guard(TraceOp::GuardFloatValue, &[x, Opnd::Float(self.value(x))]);
            }
            _ => {
                let x = self.operand(Content::Word);
                self.guard_value_of(x, holds);
            }
        }
    }

    /// Guards that a word is 0, or is not, as it is in the first passage, or as it is not.
    pub(crate) fn guard_value_of(&mut self, x: Opnd, holds: bool) {
        let is_true = (self.value(x) != 0) == holds;
        self.guard(if is_true { TraceOp::GuardTrue } else { TraceOp::GuardFalse }, &[x]);
    }

    fn guard(&mut self, op: TraceOp, args: &[Opnd]) {
        let snapshot = self.snapshot();
        self.trace.push_guard(op, args, snapshot);
    }

    pub(crate) fn snapshot(&mut self) -> SnapshotId {
        let number = self.trace.snapshots.len() as u32;
        let mut frames = Vec::new();
        let depth = 1 + self.random.below(2) as u32;
        for n in 0..depth {
            let mut registers = Vec::new();
            for register in 0..self.random.below(REGISTERS.into()) as u16 {
                let content = self.random.pick(&CONTENTS);
                let kind = if content == Content::Float { Kind::Float } else { Kind::Word };
                registers.push((Register::reg(kind, register), self.operand(content)));
            }
            let jitcode = JitCodeId(u32::from(n > 0));
            frames.push(SnapshotFrame { jitcode, pc: number, locals: 16 * n, registers });
        }
        let merge_points = self.random.below(3) as u32;
        self.trace.push_snapshot(Snapshot {
            frames,
            merge_points,
            handed: None,
            stores: vec![],
            virtuals: vec![],
            known: vec![],
            open: Default::default(),
        })
    }
}
