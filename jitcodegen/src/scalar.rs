//! Functions taken apart into scalars: what stands between flow graphs and jitcode.
//!
//! Instructions are jitcode's own, on virtual registers in SSA form with block parameters instead of registers, and on
//! blocks instead of positions. Every value is one word or float; aggregates are gone.

use metatrace_defs::inst::{ControlOp, Inst};
use metatrace_defs::jitcode::{Constant, Slot};
use metatrace_defs::{Kind, PureOp};
use metatrace_translator::flow::Pos;

metatrace_defs::entity! {
    /// A virtual register.
    Reg = "r"
}
metatrace_defs::entity! {
    /// A block.
    Block = "block"
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Src {
    /// A virtual register.
    Reg(Reg),
    /// A constant of the function, read as this kind.
    Const(u32, Kind),
}

/// A field of an instruction; see [`metatrace_defs::code::Field`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A register that is written.
    Dst(Reg),
    /// What is read.
    Src(Src),
    /// Registers that are written.
    Dsts(Vec<Reg>),
    /// What is read.
    Sources(Vec<Src>),
    /// An index into the table that the field's kind names.
    Index(u32),
}

/// An instruction that control passes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// The opcode.
    pub inst: Inst,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its source.
    pub pos: Pos,
}

/// Where control goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The block.
    pub block: Block,
    /// A value for each parameter.
    pub args: Vec<Src>,
}

/// How a block ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Continues at a block.
    Goto(Target),
    /// Continues at the first if the word is not 0.
    If(Src, Target, Target),
    /// Continues where the word sends it.
    Switch(Src, Vec<(u64, Target)>, Target),
    /// The block's last instruction is a call: where to continue, and where if it panicked.
    Caught(Target, Target),
    /// Leaves the function.
    Return(Vec<Src>),
    /// Leaves the function with the panic that was caught.
    ResumeUnwind,
    /// Never reached.
    Unreachable,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockData {
    /// Its parameters.
    pub params: Vec<Reg>,
    /// What it does.
    pub ops: Vec<Op>,
    /// How it ends.
    pub term: Term,
    /// The source of its end.
    pub pos: Pos,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Func {
    /// Blocks; the first is the entry.
    pub blocks: Vec<BlockData>,
    /// The kind of every virtual register.
    pub kinds: Vec<Kind>,
    /// The constants.
    pub constants: Vec<Constant>,
    /// The memory slots.
    pub slots: Vec<Slot>,
    /// The kinds of the results.
    pub results: Vec<Kind>,
}

impl Func {
    /// A new virtual register.
    pub fn reg(&mut self, kind: Kind) -> Reg {
        self.kinds.push(kind);
        Reg::new(self.kinds.len() - 1)
    }

    /// A new block without instructions.
    pub fn block(&mut self) -> Block {
        let (params, ops, term, pos) = (vec![], vec![], Term::Unreachable, Pos::default());
        self.blocks.push(BlockData { params, ops, term, pos });
        Block::new(self.blocks.len() - 1)
    }

    /// A constant that equals this one.
    pub fn constant(&mut self, constant: Constant, kind: Kind) -> Src {
        let index = self.constants.iter().position(|c| *c == constant).unwrap_or_else(|| {
            self.constants.push(constant);
            self.constants.len() - 1
        });
        Src::Const(index as u32, kind)
    }

    /// The kind of what is read.
    pub fn kind(&self, src: Src) -> Kind {
        match src {
            Src::Reg(reg) => self.kinds[reg.index()],
            Src::Const(_, kind) => kind,
        }
    }

    /// The blocks that can be reached, each before what only it leads to, loops' bodies before what follows.
    pub fn reverse_postorder(&self) -> Vec<Block> {
        let mut seen = vec![false; self.blocks.len()];
        let mut out = Vec::new();
        let mut stack = vec![(Block(0), 0)];
        seen[0] = true;
        while let Some((block, next)) = stack.pop() {
            let targets = self.blocks[block.index()].term.targets();
            // Successors are visited last first, so that the first stands directly behind its predecessor.
            match targets.len().checked_sub(next + 1).map(|n| targets[n].block) {
                Some(successor) => {
                    stack.push((block, next + 1));
                    if !seen[successor.index()] {
                        seen[successor.index()] = true;
                        stack.push((successor, 0));
                    }
                }
                None => out.push(block),
            }
        }
        out.reverse();
        out
    }
}

impl Op {
    /// A pure operation.
    pub fn pure(op: PureOp, dst: Reg, args: &[Src], pos: Pos) -> Op {
        let fields = [Field::Dst(dst)].into_iter().chain(args.iter().map(|&src| Field::Src(src))).collect();
        Op { inst: Inst::Pure(op), fields, pos }
    }

    /// An instruction of the control table.
    pub fn control(op: ControlOp, fields: Vec<Field>, pos: Pos) -> Op {
        Op { inst: Inst::Control(op), fields, pos }
    }

    /// What it reads.
    pub fn sources(&self) -> impl Iterator<Item = Src> {
        self.fields.iter().flat_map(|field| match field {
            Field::Src(src) => std::slice::from_ref(src).iter().copied(),
            Field::Sources(list) => list.iter().copied(),
            _ => [].iter().copied(),
        })
    }

    /// What it writes.
    pub fn dsts(&self) -> impl Iterator<Item = Reg> {
        self.fields.iter().flat_map(|field| match field {
            Field::Dst(reg) => std::slice::from_ref(reg).iter().copied(),
            Field::Dsts(list) => list.iter().copied(),
            _ => [].iter().copied(),
        })
    }

    /// Whether it may go if nobody reads what it writes.
    pub fn is_removable(&self) -> bool {
        let Inst::Control(op) = self.inst else { return true };
        matches!(
            op,
            ControlOp::Copy
                | ControlOp::GetField
                | ControlOp::GetElem
                | ControlOp::InteriorField
                | ControlOp::InteriorElem
                | ControlOp::LocalAddr
                | ControlOp::WeAreJitted
                | ControlOp::IsConstant
                | ControlOp::TraceLength
                | ControlOp::QuasiImmut
                | ControlOp::IsVirtual
        )
    }
}

impl Term {
    /// Where control may go.
    pub fn targets(&self) -> Vec<&Target> {
        match self {
            Term::Goto(target) => vec![target],
            Term::If(_, yes, no) => vec![yes, no],
            Term::Switch(_, cases, default) => cases.iter().map(|case| &case.1).chain([default]).collect(),
            Term::Caught(normal, unwind) => vec![normal, unwind],
            Term::Return(_) | Term::ResumeUnwind | Term::Unreachable => vec![],
        }
    }

    /// Where control may go.
    pub fn targets_mut(&mut self) -> Vec<&mut Target> {
        match self {
            Term::Goto(target) => vec![target],
            Term::If(_, yes, no) => vec![yes, no],
            Term::Switch(_, cases, default) => {
                cases.iter_mut().map(|case| &mut case.1).chain([default]).collect()
            }
            Term::Caught(normal, unwind) => vec![normal, unwind],
            Term::Return(_) | Term::ResumeUnwind | Term::Unreachable => vec![],
        }
    }

    /// What it reads itself, without the arguments of its targets.
    pub fn sources(&self) -> Vec<Src> {
        match self {
            Term::If(src, ..) | Term::Switch(src, ..) => vec![*src],
            Term::Return(list) => list.clone(),
            _ => vec![],
        }
    }
}
