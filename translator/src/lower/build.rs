//! Builds a graph in SSA form while code is lowered, in one pass.
//!
//! Variables ([`Var`]) are written and read per block; block parameters appear where a read meets several definitions
//! (the construction of Braun et al., "Simple and Efficient Construction of Static Single Assignment Form"). A block is
//! *sealed* when all its predecessors are known; reads in an unsealed block make a parameter that is completed later.
//!
//! There is always a current block. After a terminator it is a fresh one that nothing leads to, so that code after a
//! jump can be lowered like any other; [`Builder::finish`] leaves it out. A variable that was never written reads as
//! zeros: drop flags rely on it.
//!
//! [`Builder::finish`] replaces values that turned out equal, and simplifies ([`crate::flow::simplify`]).

use crate::flow::simplify;
use crate::flow::types::TypeId;
use crate::flow::{
    Block, BlockId, Callee, Graph, Op, OpKind, Place, Pos, SlotData, SlotId, Target, Terminator, ValueId,
};
use metatrace_defs::PureOp;
use std::collections::HashMap;

metatrace_defs::entity! {
    /// A variable of a body under construction.
    Var = "x"
}

#[derive(Default)]
struct BlockState {
    /// The blocks that lead here, each once.
    before: Vec<BlockId>,
    sealed: bool,
    /// Parameters that wait for the block to be sealed.
    incomplete: Vec<(Var, ValueId)>,
    closed: bool,
}

/// A graph under construction.
pub(super) struct Builder {
    graph: Graph,
    states: Vec<BlockState>,
    vars: Vec<TypeId>,
    defs: HashMap<(BlockId, Var), ValueId>,
    /// What a value was replaced by.
    forward: Vec<ValueId>,
    /// Operations of the entry block that everything may use.
    shared: Vec<Op>,
    shared_consts: HashMap<(TypeId, u64), ValueId>,
    /// Which operation defines a value, as far as that is asked.
    made_by: HashMap<ValueId, OpKind>,
    current: BlockId,
    /// Whether nothing leads to the current block.
    dead: bool,
    /// Where the code that is being lowered stands.
    pub(super) pos: Pos,
}

impl Builder {
    pub(super) fn new() -> Builder {
        let mut b = Builder {
            graph: Graph::default(),
            states: Vec::new(),
            vars: Vec::new(),
            defs: HashMap::new(),
            forward: Vec::new(),
            shared: Vec::new(),
            shared_consts: HashMap::new(),
            made_by: HashMap::new(),
            current: BlockId(0),
            dead: false,
            pos: Pos::default(),
        };
        let entry = b.new_block();
        b.states[entry.index()].sealed = true;
        b
    }

    // ---- values, slots, variables -------------------------------------------------------------------------------

    fn new_value(&mut self, ty: TypeId) -> ValueId {
        let value = ValueId::new(self.graph.values.len());
        self.graph.values.push(ty);
        self.forward.push(value);
        value
    }

    /// The value's type.
    pub(super) fn ty(&self, value: ValueId) -> TypeId {
        self.graph.values[value.index()]
    }

    /// A parameter of the function.
    pub(super) fn param(&mut self, ty: TypeId) -> ValueId {
        let value = self.new_value(ty);
        self.graph.blocks[0].params.push(value);
        value
    }

    pub(super) fn slot(&mut self, ty: TypeId, name: &str) -> SlotId {
        self.graph.slots.push(SlotData { ty, name: name.to_string() });
        SlotId::new(self.graph.slots.len() - 1)
    }

    pub(super) fn slot_type(&self, slot: SlotId) -> TypeId {
        self.graph.slots[slot.index()].ty
    }

    pub(super) fn var(&mut self, ty: TypeId) -> Var {
        self.vars.push(ty);
        Var::new(self.vars.len() - 1)
    }

    /// What the value is now known to be.
    fn resolve(&self, mut value: ValueId) -> ValueId {
        while self.forward[value.index()] != value {
            value = self.forward[value.index()];
        }
        value
    }

    /// The operation that made the value, if it can be said already.
    pub(super) fn made_by(&self, value: ValueId) -> Option<&OpKind> {
        self.made_by.get(&self.resolve(value))
    }

    /// The constant that the value is, if that can be said already.
    pub(super) fn known_const(&self, value: ValueId) -> Option<u64> {
        match self.made_by(value) {
            Some(OpKind::Const(bits)) => Some(*bits),
            _ => None,
        }
    }

    // ---- operations ---------------------------------------------------------------------------------------------

    /// Adds an operation that yields a value.
    pub(super) fn op(&mut self, ty: TypeId, kind: OpKind) -> ValueId {
        let result = self.new_value(ty);
        self.made_by.insert(result, kind.clone());
        let op = Op { result: Some(result), kind, pos: self.pos };
        self.graph.blocks[self.current.index()].ops.push(op);
        result
    }

    /// Adds an operation that yields nothing.
    pub(super) fn effect(&mut self, kind: OpKind) {
        let op = Op { result: None, kind, pos: self.pos };
        self.graph.blocks[self.current.index()].ops.push(op);
    }

    /// A constant, made once per graph in its entry block.
    pub(super) fn constant(&mut self, ty: TypeId, bits: u64) -> ValueId {
        if let Some(&value) = self.shared_consts.get(&(ty, bits)) {
            return value;
        }
        let value = self.new_value(ty);
        self.shared_consts.insert((ty, bits), value);
        self.made_by.insert(value, OpKind::Const(bits));
        self.shared.push(Op { result: Some(value), kind: OpKind::Const(bits), pos: Pos::default() });
        value
    }

    pub(super) fn pure(&mut self, ty: TypeId, op: PureOp, args: &[ValueId]) -> ValueId {
        self.op(ty, OpKind::Pure(op, args.to_vec()))
    }

    pub(super) fn slot_addr(&mut self, pointer: TypeId, slot: SlotId) -> ValueId {
        self.op(pointer, OpKind::SlotAddr(slot))
    }

    // ---- blocks -------------------------------------------------------------------------------------------------

    pub(super) fn new_block(&mut self) -> BlockId {
        self.graph.blocks.push(Block {
            params: Vec::new(),
            ops: Vec::new(),
            term: Terminator::Unreachable,
            term_pos: Pos::default(),
        });
        self.states.push(BlockState::default());
        BlockId::new(self.graph.blocks.len() - 1)
    }

    pub(super) fn current(&self) -> BlockId {
        self.current
    }

    /// Whether nothing leads to where code is added now.
    pub(super) fn is_dead(&self) -> bool {
        self.dead
    }

    /// Goes on adding code at a block.
    pub(super) fn switch_to(&mut self, block: BlockId) {
        self.current = block;
        let state = &self.states[block.index()];
        self.dead = block.index() != 0 && state.sealed && state.before.is_empty();
    }

    /// Says that the block has no more predecessors, and goes on there.
    pub(super) fn seal_and_switch(&mut self, block: BlockId) {
        self.seal(block);
        self.switch_to(block);
    }

    /// Adds a parameter to a block whose only predecessor's arguments are known to fit.
    pub(super) fn block_param(&mut self, block: BlockId, ty: TypeId) -> ValueId {
        let value = self.new_value(ty);
        self.graph.blocks[block.index()].params.push(value);
        value
    }

    /// Ends the current block; the next code goes to a block that nothing leads to.
    pub(super) fn end(&mut self, term: Terminator) {
        let from = self.current;
        if !self.dead {
            for target in term.targets() {
                let before = &mut self.states[target.block.index()];
                assert!(!before.sealed, "{} is sealed and gets another predecessor", target.block);
                if !before.before.contains(&from) {
                    before.before.push(from);
                }
            }
            let block = &mut self.graph.blocks[from.index()];
            block.term = term;
            block.term_pos = self.pos;
        }
        self.states[from.index()].closed = true;
        let next = self.new_block();
        self.states[next.index()].sealed = true;
        self.switch_to(next);
    }

    pub(super) fn goto(&mut self, block: BlockId) {
        self.end(Terminator::Goto(to(block)));
    }

    pub(super) fn branch(&mut self, value: ValueId, yes: BlockId, no: BlockId) {
        match self.known_const(value) {
            Some(bits) => self.goto(if bits != 0 { yes } else { no }),
            None => self.end(Terminator::If(value, to(yes), to(no))),
        }
    }

    /// A call that goes on at `unwind` if it panics; code continues after it.
    pub(super) fn invoke(
        &mut self,
        callee: Callee,
        args: Vec<ValueId>,
        result: Option<TypeId>,
        unwind: BlockId,
    ) -> Option<ValueId> {
        let normal = self.new_block();
        let value = result.map(|ty| self.block_param(normal, ty));
        self.end(Terminator::Invoke { callee, args, normal: to(normal), unwind: to(unwind) });
        self.seal_and_switch(normal);
        value
    }

    // ---- variables ----------------------------------------------------------------------------------------------

    pub(super) fn write(&mut self, var: Var, value: ValueId) {
        self.defs.insert((self.current, var), value);
    }

    pub(super) fn read(&mut self, var: Var) -> ValueId {
        self.read_in(self.current, var)
    }

    fn read_in(&mut self, block: BlockId, var: Var) -> ValueId {
        if let Some(&value) = self.defs.get(&(block, var)) {
            return self.resolve(value);
        }
        let state = &self.states[block.index()];
        let value = if !state.sealed {
            let value = self.block_param(block, self.vars[var.index()]);
            self.states[block.index()].incomplete.push((var, value));
            value
        } else if state.before.is_empty() {
            self.constant(self.vars[var.index()], 0)
        } else if let [only] = state.before[..] {
            self.read_in(only, var)
        } else {
            let param = self.block_param(block, self.vars[var.index()]);
            self.defs.insert((block, var), param);
            self.complete(block, var, param)
        };
        self.defs.insert((block, var), value);
        value
    }

    /// Gives a parameter its arguments; what it is in the end.
    fn complete(&mut self, block: BlockId, var: Var, param: ValueId) -> ValueId {
        let before = self.states[block.index()].before.clone();
        let args: Vec<ValueId> = before.iter().map(|&from| self.read_in(from, var)).collect();
        for (from, &arg) in before.iter().zip(&args) {
            for target in self.graph.blocks[from.index()].term.targets_mut() {
                if target.block == block {
                    target.args.push(arg);
                }
            }
        }
        let mut others = args.iter().map(|&a| self.resolve(a)).filter(|&a| a != self.resolve(param));
        let first = others.next();
        if let Some(same) = first
            && others.all(|other| other == same)
        {
            self.forward[param.index()] = same;
            return same;
        }
        param
    }

    /// Says that the block has all its predecessors.
    pub(super) fn seal(&mut self, block: BlockId) {
        if std::mem::replace(&mut self.states[block.index()].sealed, true) {
            return;
        }
        for (var, param) in std::mem::take(&mut self.states[block.index()].incomplete) {
            self.complete(block, var, param);
        }
    }

    // ---- the end ------------------------------------------------------------------------------------------------

    /// The finished graph.
    pub(super) fn finish(mut self) -> Graph {
        for index in 0..self.graph.blocks.len() {
            self.seal(BlockId::new(index));
        }
        let shared = std::mem::take(&mut self.shared);
        self.graph.blocks[0].ops.splice(0..0, shared);
        let replaced: Vec<ValueId> = (0..self.forward.len()).map(|n| self.resolve(ValueId::new(n))).collect();
        let mut graph = self.graph;
        simplify::replace_values(&mut graph, &replaced);
        simplify::run(&mut graph);
        graph
    }
}

/// A target without arguments; variables add theirs.
pub(super) fn to(block: BlockId) -> Target {
    Target { block, args: Vec::new() }
}

/// The place that a pointer points to: what [`OpKind::Ref`] was taken of, if the pointer was made so.
pub(super) fn pointee_place(b: &Builder, pointer: ValueId) -> Place {
    match b.made_by(pointer) {
        Some(OpKind::Ref(place)) => place.clone(),
        _ => Place { base: pointer, path: Vec::new() },
    }
}
