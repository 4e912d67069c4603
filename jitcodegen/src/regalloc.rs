//! Register allocation: virtual registers of SSA functions to the two register files.
//!
//! In: a [`Func`]. Out: a register number for each virtual register that is used, and the sizes of the files.
//!
//! Guarantees: registers of one kind that are live at the same time have different numbers; the entry's parameters have
//! the first numbers of their kinds, in order. Block parameters get the register of their arguments where nothing
//! speaks against it, so that most jumps move nothing. A register that is written by an instruction differs from every
//! other that the same instruction writes, even if it is never read.
//!
//! Graph colouring: interference from exact liveness, aggressive coalescing, colours in the order of definition.
//! There are as many registers as needed, so nothing is ever spilled.

use std::collections::HashSet;

use metatrace_defs::Kind;

use crate::scalar::{Block, Func, Reg, Src};

/// Where virtual registers live.
pub struct Allocation {
    /// The number of each virtual register within its file; 0 for those never used.
    pub numbers: Vec<u16>,
    /// The number of word registers used.
    pub words: usize,
    /// The number of float registers used.
    pub floats: usize,
}

/// A set of virtual registers.
#[derive(Clone, PartialEq)]
struct Set(Vec<u64>);

impl Set {
    fn new(size: usize) -> Set {
        Set(vec![0; size.div_ceil(64)])
    }

    fn insert(&mut self, reg: Reg) {
        self.0[reg.index() / 64] |= 1 << (reg.index() % 64);
    }

    fn remove(&mut self, reg: Reg) {
        self.0[reg.index() / 64] &= !(1 << (reg.index() % 64));
    }

    fn union(&mut self, other: &Set) -> bool {
        let mut changed = false;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            changed |= theirs & !*mine != 0;
            *mine |= theirs;
        }
        changed
    }

    fn iter(&self) -> impl Iterator<Item = Reg> {
        self.0.iter().enumerate().flat_map(|(word, &bits)| {
            let mut bits = bits;
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros())?;
                bits &= bits - 1;
                Some(Reg(word as u32 * 64 + bit))
            })
        })
    }
}

/// Allocates the registers of `func`, whose blocks in this order are all that can be reached.
pub fn allocate(func: &Func, order: &[Block]) -> Allocation {
    let live_out = live_out(func, order);
    let mut graph = Graph::new(func);
    for (&block, live_out) in order.iter().zip(&live_out) {
        graph.add_block(block, live_out.clone());
    }
    for &block in order {
        for target in func.blocks[block.index()].term.targets() {
            let params = &func.blocks[target.block.index()].params;
            for (&param, arg) in params.iter().zip(&target.args) {
                if let Src::Reg(arg) = *arg {
                    graph.coalesce(param, arg);
                }
            }
        }
    }
    graph.colour(order)
}

/// The registers that are live at the end of each block, before its jump's moves: what the jump reads included.
fn live_out(func: &Func, order: &[Block]) -> Vec<Set> {
    let size = func.kinds.len();
    let mut place = vec![usize::MAX; func.blocks.len()];
    order.iter().enumerate().for_each(|(n, block)| place[block.index()] = n);
    let mut live_in = vec![Set::new(size); order.len()];
    let mut live_out = vec![Set::new(size); order.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (n, block) in order.iter().enumerate().rev() {
            let data = &func.blocks[block.index()];
            let mut live = Set::new(size);
            for target in data.term.targets() {
                live.union(&live_in[place[target.block.index()]]);
            }
            let mut read = data.term.sources();
            data.term.targets().iter().for_each(|target| read.extend(&target.args));
            for src in read {
                if let Src::Reg(reg) = src {
                    live.insert(reg);
                }
            }
            live_out[n] = live.clone();
            for op in data.ops.iter().rev() {
                op.dsts().for_each(|reg| live.remove(reg));
                for src in op.sources() {
                    if let Src::Reg(reg) = src {
                        live.insert(reg);
                    }
                }
            }
            data.params.iter().for_each(|&reg| live.remove(reg));
            changed |= live_in[n].union(&live);
        }
    }
    live_out
}

struct Graph<'a> {
    func: &'a Func,
    /// The representative of the set that a register was coalesced into.
    parent: Vec<Reg>,
    /// Registers that a representative must differ from; some of them may have been coalesced since.
    edges: Vec<HashSet<Reg>>,
    /// Colours that are fixed from the start.
    fixed: Vec<Option<u16>>,
}

impl<'a> Graph<'a> {
    fn new(func: &'a Func) -> Graph<'a> {
        let size = func.kinds.len();
        let mut fixed = vec![None; size];
        let mut next = [0; 2];
        for param in &func.blocks[0].params {
            let next = &mut next[func.kinds[param.index()] as usize];
            fixed[param.index()] = Some(*next);
            *next += 1;
        }
        let parent = (0..size).map(Reg::new).collect();
        Graph { func, parent, edges: vec![HashSet::new(); size], fixed }
    }

    fn find(&self, mut reg: Reg) -> Reg {
        while self.parent[reg.index()] != reg {
            reg = self.parent[reg.index()];
        }
        reg
    }

    fn add_edge(&mut self, a: Reg, b: Reg) {
        if a != b && self.func.kinds[a.index()] == self.func.kinds[b.index()] {
            self.edges[a.index()].insert(b);
            self.edges[b.index()].insert(a);
        }
    }

    fn add_block(&mut self, block: Block, mut live: Set) {
        let data = &self.func.blocks[block.index()];
        for op in data.ops.iter().rev() {
            let dsts: Vec<Reg> = op.dsts().collect();
            for (n, &dst) in dsts.iter().enumerate() {
                live.iter().for_each(|other| self.add_edge(dst, other));
                dsts[..n].iter().for_each(|&other| self.add_edge(dst, other));
            }
            dsts.iter().for_each(|&dst| live.remove(dst));
            for src in op.sources() {
                if let Src::Reg(reg) = src {
                    live.insert(reg);
                }
            }
        }
        for (n, &param) in data.params.iter().enumerate() {
            live.iter().for_each(|other| self.add_edge(param, other));
            data.params[..n].iter().for_each(|&other| self.add_edge(param, other));
        }
    }

    fn coalesce(&mut self, a: Reg, b: Reg) {
        let (a, b) = (self.find(a), self.find(b));
        let two_fixed = self.fixed[a.index()].is_some() && self.fixed[b.index()].is_some();
        if a == b || two_fixed || self.edges[a.index()].iter().any(|&other| self.find(other) == b) {
            return;
        }
        // A fixed colour must not be that of a neighbour.
        let clash = |fixed: Option<u16>, of: Reg| {
            fixed.is_some()
                && self.edges[of.index()].iter().any(|&other| self.fixed[self.find(other).index()] == fixed)
        };
        if clash(self.fixed[a.index()], b) || clash(self.fixed[b.index()], a) {
            return;
        }
        let edges = std::mem::take(&mut self.edges[b.index()]);
        for &other in &edges {
            let other = self.find(other);
            self.edges[other.index()].insert(a);
        }
        self.edges[a.index()].extend(edges);
        self.fixed[a.index()] = self.fixed[a.index()].or(self.fixed[b.index()]);
        self.parent[b.index()] = a;
    }

    fn colour(self, order: &[Block]) -> Allocation {
        let mut colours = self.fixed.clone();
        let mut sizes = [0; 2];
        let mut used = Vec::new();
        for &block in order {
            let data = &self.func.blocks[block.index()];
            let written = data.ops.iter().flat_map(|op| op.dsts());
            for reg in data.params.iter().copied().chain(written) {
                let root = self.find(reg);
                if colours[root.index()].is_none() {
                    used.clear();
                    used.extend(
                        self.edges[root.index()].iter().filter_map(|&o| colours[self.find(o).index()]),
                    );
                    used.sort_unstable();
                    used.dedup();
                    let free = used.iter().enumerate().find(|(n, colour)| *n != usize::from(**colour));
                    colours[root.index()] = Some(free.map_or(used.len(), |(n, _)| n) as u16);
                }
                let size = &mut sizes[self.func.kinds[reg.index()] as usize];
                *size = (*size).max(usize::from(colours[root.index()].unwrap_or(0)) + 1);
            }
        }
        let numbers = (0..self.parent.len()).map(|n| colours[self.find(Reg::new(n)).index()].unwrap_or(0));
        let numbers = numbers.collect();
        Allocation { numbers, words: sizes[Kind::Word as usize], floats: sizes[Kind::Float as usize] }
    }
}
