//! From scalar functions to jitcode: dead code, registers, block order, moves of jumps, assembly, liveness.
//!
//! In: a [`Func`] and its name. Out: a [`JitCode`] that the verifier accepts, and where its merge point is.
//! A block's arguments become parallel moves on the edge: before the jump where the edge leaves a block with one
//! successor, else in a piece of code of their own at the end.

use std::collections::{HashMap, HashSet};

use metatrace_defs::Kind;
use metatrace_defs::code::{self, decode_all, encode, liveness};
use metatrace_defs::inst::{ControlOp, Inst, Operand};
use metatrace_defs::jitcode::{JitCode, Position, SwitchTable};
use metatrace_translator::flow::Pos;

use crate::regalloc::{Allocation, allocate};
use crate::scalar::{Block, Field, Func, Op, Reg, Src, Target, Term};

/// The jitcode of a function, and the position of its merge point if it has one.
///
/// # Errors
/// What does not fit into jitcode: too many registers or constants, or lists that are too long.
pub fn emit(name: String, mut func: Func) -> Result<(JitCode, Option<u32>), String> {
    remove_dead(&mut func);
    while skip_empty_blocks(&mut func) {
        remove_dead(&mut func);
    }
    renumber_constants(&mut func);
    if func.constants.len() > Operand::LIMIT {
        return Err(format!("it has {} constants, more than {}", func.constants.len(), Operand::LIMIT));
    }
    let order = func.reverse_postorder();
    let allocation = allocate(&func, &order);
    // One register more of each kind for cycles of moves.
    if allocation.words.max(allocation.floats) >= Operand::LIMIT {
        return Err("it has too many values that live at the same time".to_string());
    }
    let mut e = Emitter::new(&func, &allocation, &order);
    for (n, &block) in order.iter().enumerate() {
        e.block(block, order.get(n + 1).copied())?;
    }
    e.edges();
    Ok(e.finish(name))
}

/// Removes instructions and block parameters that nobody reads.
fn remove_dead(func: &mut Func) {
    let mut live = vec![false; func.kinds.len()];
    let mut work = Vec::new();
    let mut defined_by: HashMap<Reg, (usize, usize)> = HashMap::new();
    let mut param_of: HashMap<Reg, (usize, usize)> = HashMap::new();
    let mut edges: Vec<Vec<Target>> = vec![vec![]; func.blocks.len()];
    let order = func.reverse_postorder();
    for &block in &order {
        let b = block.index();
        let data = &func.blocks[b];
        data.params.iter().enumerate().for_each(|(n, &reg)| _ = param_of.insert(reg, (b, n)));
        for (n, op) in data.ops.iter().enumerate() {
            op.dsts().for_each(|reg| _ = defined_by.insert(reg, (b, n)));
            if !op.is_removable() {
                work.extend(op.sources());
            }
        }
        work.extend(data.term.sources());
        for target in data.term.targets() {
            edges[target.block.index()].push(target.clone());
        }
    }
    while let Some(src) = work.pop() {
        let Src::Reg(reg) = src else { continue };
        if std::mem::replace(&mut live[reg.index()], true) {
            continue;
        }
        if let Some(&(block, n)) = param_of.get(&reg) {
            work.extend(edges[block].iter().map(|target| target.args[n]));
        } else if let Some(&(block, n)) = defined_by.get(&reg) {
            work.extend(func.blocks[block].ops[n].sources());
        }
    }
    let keep: Vec<Vec<bool>> = func
        .blocks
        .iter()
        .enumerate()
        .map(|(n, b)| b.params.iter().map(|reg| n == 0 || live[reg.index()]).collect())
        .collect();
    for (n, block) in func.blocks.iter_mut().enumerate() {
        retain(&mut block.params, &keep[n]);
        block.ops.retain(|op| !op.is_removable() || op.dsts().any(|reg| live[reg.index()]));
        for target in block.term.targets_mut() {
            retain(&mut target.args, &keep[target.block.index()]);
        }
    }
}

/// Lets jumps to blocks that do nothing go where those go, and branches whose ways are the same be jumps; says whether a
/// branch went, so that what it tested may be dead.
fn skip_empty_blocks(func: &mut Func) -> bool {
    let empty = |func: &Func, block: Block| {
        let data = &func.blocks[block.index()];
        match &data.term {
            Term::Goto(target) if data.params.is_empty() && data.ops.is_empty() && target.block != block => {
                Some(target.clone())
            }
            _ => None,
        }
    };
    let mut changed = false;
    for n in 0..func.blocks.len() {
        let mut term = func.blocks[n].term.clone();
        for target in term.targets_mut() {
            // A ring of empty blocks is an endless loop of the program: no more steps than there are blocks.
            for _ in 0..func.blocks.len() {
                let Some(next) = empty(func, target.block) else { break };
                *target = next;
            }
        }
        let targets = term.targets();
        let is_branch = matches!(term, Term::If(..) | Term::Switch(..));
        if is_branch && targets.iter().all(|target| *target == targets[0]) {
            term = Term::Goto(targets[0].clone());
            changed = true;
        }
        func.blocks[n].term = term;
    }
    changed
}

fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    list.retain(|_| *keep.next().unwrap_or(&true));
}

/// Leaves only the constants that are used, in the order of their use.
fn renumber_constants(func: &mut Func) {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let order = func.reverse_postorder();
    let mut number = |src: &mut Src| {
        if let Src::Const(n, _) = src {
            let next = numbers.len() as u32;
            *n = *numbers.entry(*n).or_insert(next);
        }
    };
    for block in order {
        let block = &mut func.blocks[block.index()];
        for field in block.ops.iter_mut().flat_map(|op| &mut op.fields) {
            match field {
                Field::Src(src) => number(src),
                Field::Sources(list) => list.iter_mut().for_each(&mut number),
                _ => {}
            }
        }
        match &mut block.term {
            Term::If(src, ..) | Term::Switch(src, ..) => number(src),
            Term::Return(list) => list.iter_mut().for_each(&mut number),
            _ => {}
        }
        for target in block.term.targets_mut() {
            target.args.iter_mut().for_each(&mut number);
        }
    }
    let mut order: Vec<(u32, u32)> = numbers.into_iter().map(|(old, new)| (new, old)).collect();
    order.sort_unstable();
    func.constants = order.into_iter().map(|(_, old)| func.constants[old as usize].clone()).collect();
}

/// A place that jumps go to: the number of a block, or of an edge beyond the blocks.
type Label = u32;

enum Item {
    Label(Label),
    Inst(Inst, Vec<code::Field>, Pos),
}

struct Emitter<'a> {
    func: &'a Func,
    allocation: &'a Allocation,
    items: Vec<Item>,
    switches: Vec<SwitchTable>,
    /// Edges with moves, to be emitted at the end; their labels count on from the blocks'.
    edges: Vec<(Target, Pos)>,
    /// Whether a spare register of the kind was needed.
    spare: [bool; 2],
}

impl<'a> Emitter<'a> {
    fn new(func: &'a Func, allocation: &'a Allocation, order: &[Block]) -> Emitter<'a> {
        let items = Vec::with_capacity(order.len() * 8);
        Emitter { func, allocation, items, switches: vec![], edges: vec![], spare: [false; 2] }
    }

    fn reg(&self, reg: Reg) -> Operand {
        Operand::reg(self.func.kinds[reg.index()], self.allocation.numbers[reg.index()])
    }

    fn src(&self, src: Src) -> Operand {
        match src {
            Src::Reg(reg) => self.reg(reg),
            Src::Const(n, kind) => Operand::constant(kind, n as u16),
        }
    }

    fn push(&mut self, op: ControlOp, fields: Vec<code::Field>, pos: Pos) {
        self.items.push(Item::Inst(Inst::Control(op), fields, pos));
    }

    fn block(&mut self, block: Block, next: Option<Block>) -> Result<(), String> {
        self.items.push(Item::Label(block.0));
        let data = &self.func.blocks[block.index()];
        for op in &data.ops {
            self.op(op)?;
        }
        let pos = data.pos;
        match &data.term {
            Term::Goto(target) => self.goto(target, next, pos),
            Term::If(condition, yes, no) => {
                let no = self.label(no, pos);
                let fields = vec![code::Field::Src(self.src(*condition)), code::Field::Label(no)];
                self.push(ControlOp::GotoIfNot, fields, pos);
                self.goto(yes, next, pos);
            }
            Term::Switch(value, cases, default) => {
                let mut table: Vec<(u64, u32)> =
                    cases.iter().map(|(value, target)| (*value, self.label(target, pos))).collect();
                table.sort_unstable_by_key(|case| case.0);
                let default = self.label(default, pos);
                let index = self.switches.len() as u32;
                self.switches.push(SwitchTable { cases: table, default });
                let fields = vec![code::Field::Src(self.src(*value)), code::Field::Index(index)];
                self.push(ControlOp::Switch, fields, pos);
            }
            Term::Caught(normal, unwind) => {
                let unwind = self.label(unwind, pos);
                self.push(ControlOp::CatchPanic, vec![code::Field::Label(unwind)], pos);
                self.goto(normal, next, pos);
            }
            Term::Return(results) => {
                let results = results.iter().map(|&src| self.src(src)).collect();
                self.push(ControlOp::Return, vec![code::Field::Sources(results)], pos);
            }
            Term::ResumeUnwind => self.push(ControlOp::ResumeUnwind, vec![], pos),
            Term::Unreachable => self.push(ControlOp::Unreachable, vec![], pos),
        }
        Ok(())
    }

    fn op(&mut self, op: &Op) -> Result<(), String> {
        let mut fields = Vec::with_capacity(op.fields.len());
        for field in &op.fields {
            fields.push(match field {
                Field::Dst(reg) => code::Field::Dst(self.reg(*reg)),
                Field::Src(src) => code::Field::Src(self.src(*src)),
                Field::Dsts(list) => code::Field::Dsts(list.iter().map(|&reg| self.reg(reg)).collect()),
                Field::Sources(list) => {
                    if list.len() > 255 {
                        return Err(format!("a call in it has {} words of arguments", list.len()));
                    }
                    code::Field::Sources(list.iter().map(|&src| self.src(src)).collect())
                }
                Field::Index(n) => code::Field::Index(*n),
            });
        }
        self.items.push(Item::Inst(op.inst, fields, op.pos));
        Ok(())
    }

    /// The moves of an edge.
    fn moves(&self, target: &Target) -> Vec<(Operand, Operand)> {
        let params = &self.func.blocks[target.block.index()].params;
        let pairs = params.iter().zip(&target.args).map(|(&to, &from)| (self.reg(to), self.src(from)));
        pairs.filter(|(to, from)| to != from).collect()
    }

    /// Where a jump along an edge goes that is not the only one of its block.
    fn label(&mut self, target: &Target, pos: Pos) -> Label {
        if self.moves(target).is_empty() {
            return target.block.0;
        }
        self.edges.push((target.clone(), pos));
        (self.func.blocks.len() + self.edges.len() - 1) as u32
    }

    /// Continues along an edge; `next` is the block that is emitted next.
    fn goto(&mut self, target: &Target, next: Option<Block>, pos: Pos) {
        for (to, from) in self.sequence(self.moves(target)) {
            self.push(ControlOp::Copy, vec![code::Field::Dst(to), code::Field::Src(from)], pos);
        }
        if next != Some(target.block) {
            self.push(ControlOp::Goto, vec![code::Field::Label(target.block.0)], pos);
        }
    }

    fn edges(&mut self) {
        let first = self.func.blocks.len();
        for (n, (target, pos)) in std::mem::take(&mut self.edges).into_iter().enumerate() {
            self.items.push(Item::Label((first + n) as u32));
            self.goto(&target, None, pos);
        }
    }

    /// Puts parallel moves in an order; a cycle goes through the spare register of its kind.
    fn sequence(&mut self, mut moves: Vec<(Operand, Operand)>) -> Vec<(Operand, Operand)> {
        let mut out = Vec::new();
        while !moves.is_empty() {
            let blocked: HashSet<Operand> = moves.iter().map(|(_, from)| *from).collect();
            match moves.iter().position(|(to, _)| !blocked.contains(to)) {
                Some(n) => out.push(moves.remove(n)),
                None => {
                    let from = moves[0].1;
                    let kind = from.kind();
                    self.spare[kind as usize] = true;
                    let spare = Operand::reg(kind, self.files()[kind as usize] as u16);
                    out.push((spare, from));
                    moves.iter_mut().filter(|m| m.1 == from).for_each(|m| m.1 = spare);
                }
            }
        }
        out
    }

    /// The sizes of the register files without the spare registers.
    fn files(&self) -> [usize; 2] {
        let mut files = [0; 2];
        files[Kind::Word as usize] = self.allocation.words;
        files[Kind::Float as usize] = self.allocation.floats;
        files
    }

    fn finish(self, name: String) -> (JitCode, Option<u32>) {
        let mut places: HashMap<Label, u32> = HashMap::new();
        let mut code = Vec::new();
        for item in &self.items {
            match item {
                Item::Label(label) => _ = places.insert(*label, code.len() as u32),
                Item::Inst(inst, fields, _) => encode(*inst, fields, &mut code),
            }
        }
        code.clear();
        let mut positions: Vec<Position> = Vec::new();
        let mut merge_point = None;
        for item in &self.items {
            let Item::Inst(inst, fields, pos) = item else { continue };
            let pc = code.len() as u32;
            let mut fields = fields.clone();
            for field in &mut fields {
                if let code::Field::Label(label) = field {
                    *label = places[label];
                }
            }
            if *inst == Inst::Control(ControlOp::MergePoint) {
                merge_point = Some(pc);
            }
            let last = positions.last();
            let is_new = last.is_none_or(|p| (p.file, p.line, p.column) != (pos.file, pos.line, pos.column));
            if pos.line != 0 && is_new {
                positions.push(Position { pc, file: pos.file, line: pos.line, column: pos.column });
            }
            encode(*inst, &fields, &mut code);
        }
        let mut switches = self.switches.clone();
        for table in &mut switches {
            table.cases.iter_mut().for_each(|(_, label)| *label = places[label]);
            table.default = places[&table.default];
        }
        let files = self.files();
        let size = |kind: Kind| (files[kind as usize] + usize::from(self.spare[kind as usize])) as u16;
        let (words, floats) = (size(Kind::Word), size(Kind::Float));
        let decoded = decode_all(&code).expect("what was just encoded");
        let live = liveness(&decoded, &switches, words, floats);
        let params = self.func.blocks[0].params.iter().map(|reg| self.func.kinds[reg.index()]).collect();
        let jitcode = JitCode {
            name,
            params,
            results: self.func.results.clone(),
            words,
            floats,
            constants: self.func.constants.clone(),
            slots: self.func.slots.clone(),
            code,
            switches,
            live,
            positions,
        };
        (jitcode, merge_point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metatrace_defs::PureOp;
    use metatrace_defs::descr::LoadTime;
    use metatrace_defs::jitcode::{Constant, Program};

    fn literal(func: &mut Func, n: u64) -> Src {
        let constant = Constant { value: LoadTime::Literal(n), name: String::new(), frozen: false };
        func.constant(constant, Kind::Word)
    }

    fn text(func: Func) -> String {
        let (jitcode, _) = emit("f".into(), func).unwrap();
        let program = Program { name: "p".into(), jitcodes: vec![jitcode], ..Program::default() };
        metatrace_defs::verify::verify(&program).unwrap_or_else(|e| panic!("{e:#?}"));
        metatrace_defs::text::print(&program)
    }

    /// A loop that exchanges its two variables each time round.
    #[test]
    fn cycles_of_moves_go_through_a_spare_register() {
        let mut f = Func::default();
        let (entry, head, exit) = (f.block(), f.block(), f.block());
        let [a, b, x, y] = [(); 4].map(|()| f.reg(Kind::Word));
        let word = Src::Reg;
        f.results = vec![Kind::Word];
        f.blocks[entry.index()].params = vec![a, b];
        f.blocks[entry.index()].term = Term::Goto(Target { block: head, args: vec![word(a), word(b)] });
        f.blocks[head.index()].params = vec![x, y];
        let again = Target { block: head, args: vec![word(y), word(x)] };
        f.blocks[head.index()].term = Term::If(word(x), again, Target { block: exit, args: vec![] });
        f.blocks[exit.index()].term = Term::Return(vec![word(y)]);
        let text = text(f);
        assert!(text.contains("words 3"), "{text}");
        assert!(text.contains("w2 = copy w1\n  w1 = copy w0\n  w0 = copy w2\n  goto L0"), "{text}");
    }

    #[test]
    fn dead_code_goes_and_calls_stay() {
        let mut f = Func::default();
        let entry = f.block();
        let [a, b, c] = [(); 3].map(|()| f.reg(Kind::Word));
        let one = literal(&mut f, 1);
        literal(&mut f, 77);
        f.results = vec![Kind::Word];
        let block = &mut f.blocks[entry.index()];
        block.params = vec![a];
        block.ops = vec![
            Op::pure(PureOp::IntAdd, b, &[Src::Reg(a), one], Pos::default()),
            Op::pure(PureOp::IntSub, c, &[Src::Reg(b), one], Pos::default()),
        ];
        block.term = Term::Return(vec![Src::Reg(b)]);
        let text = text(f);
        assert!(!text.contains("int_sub") && !text.contains("77"), "{text}");
        assert!(text.contains("w0 = int_add w0, #1\n  return (w0)"), "{text}");
    }
}
