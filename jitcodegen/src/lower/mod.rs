//! From a flow graph to a scalar function: every value becomes its scalars, every place an access descriptor.
//!
//! In: the graph of a function that is looked inside. Out: a [`scalar::Func`](crate::scalar::Func) and entries in the
//! tables; or [`Refused`], then the function can only be called.
//!
//! - A value is a list of [`Src`], one for each of [`Types::scalars`]; `Make`, `Extract`, `VariantOf` only rearrange
//!   such lists. Floats in enum payloads are their bits, so they pass through bitcasts.
//! - Blocks are visited in an order in which definitions come before uses. A flow block may become several: a whole
//!   enum is read and written by a switch over its variants (`enums`).
//! - Pure operations on literals are computed here, branches on literals taken.
//!
//! Relies on the flow verifier's rules; what breaks them panics.

mod alloc;
mod calls;
mod enums;
mod memory;
mod probed;

use std::collections::HashMap;

use metatrace_defs::descr::LoadTime;
use metatrace_defs::inst::ControlOp;
use metatrace_defs::jitcode::{Constant, Slot};
use metatrace_defs::{Kind, PureOp};
use metatrace_translator::flow::types::{Type, TypeId, Types};
use metatrace_translator::flow::{
    self, BlockId, FuncId, Graph, Memory, OpKind, Pos, Program, Terminator, ValueId,
};

use crate::classify::Classes;
use crate::layout;
use crate::scalar::{Block, Field, Func, Op, Reg, Src, Target, Term};
use crate::tables::Tables;

/// Why a function cannot be looked inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where.
    pub pos: Pos,
    /// Why, as the end of a sentence that begins with the function.
    pub reason: String,
}

/// The jitcodes that functions have or will have, in the order in which they are asked for.
#[derive(Default)]
pub struct JitCodes {
    /// The functions, by jitcode number.
    pub funcs: Vec<FuncId>,
}

impl JitCodes {
    /// The number of a function's jitcode.
    pub fn of(&mut self, func: FuncId) -> u32 {
        let known = self.funcs.iter().position(|&f| f == func);
        known.unwrap_or_else(|| {
            self.funcs.push(func);
            self.funcs.len() - 1
        }) as u32
    }
}

/// What lowering needs beside the graph.
pub struct Context<'a> {
    /// The program.
    pub program: &'a Program,
    /// What is looked inside.
    pub classes: &'a Classes,
    /// The tables.
    pub tables: &'a mut Tables,
    /// Who has a jitcode.
    pub jitcodes: &'a mut JitCodes,
}

/// Lowers the graph of a function.
///
/// # Errors
/// What keeps the function from being looked inside.
pub fn lower(cx: Context<'_>, id: FuncId) -> Result<Func, Refused> {
    let func = cx.program.func(id);
    let graph = func.body.as_ref().expect("a function that is looked inside has a graph");
    let mut b = Builder::new(cx, graph, func.pos);
    b.out.results = b.result_kinds(func.ret);
    for (n, slot) in graph.slots.iter().enumerate() {
        let slot = b.slot(n, slot)?;
        b.out.slots.push(slot);
    }
    for block in order(graph) {
        b.block(block)?;
    }
    Ok(b.out)
}

/// The blocks that can be reached, definitions before uses.
fn order(graph: &Graph) -> Vec<BlockId> {
    let mut seen = vec![false; graph.blocks.len()];
    let mut out = Vec::new();
    let mut stack = vec![(BlockId(0), 0)];
    seen[0] = true;
    while let Some((block, next)) = stack.pop() {
        match graph.blocks[block.index()].term.targets().get(next).map(|target| target.block) {
            Some(successor) => {
                stack.push((block, next + 1));
                if !std::mem::replace(&mut seen[successor.index()], true) {
                    stack.push((successor, 0));
                }
            }
            None => out.push(block),
        }
    }
    out.reverse();
    out
}

struct Builder<'a> {
    cx: Context<'a>,
    graph: &'a Graph,
    out: Func,
    /// The scalars of each value, once defined.
    values: Vec<Option<Vec<Src>>>,
    /// What defines each value that an operation defines.
    definitions: Vec<Option<&'a OpKind>>,
    /// The first scalar block of each flow block.
    blocks: Vec<Block>,
    /// The floats that words are the bits of.
    bits_of: HashMap<Reg, Src>,
    /// Where instructions go.
    current: Block,
    /// The source of what is being lowered.
    pos: Pos,
}

type Lowered<T> = Result<T, Refused>;

impl<'a> Builder<'a> {
    fn new(cx: Context<'a>, graph: &'a Graph, pos: Pos) -> Builder<'a> {
        let mut definitions = vec![None; graph.values.len()];
        for op in graph.blocks.iter().flat_map(|block| &block.ops) {
            if let Some(result) = op.result {
                definitions[result.index()] = Some(&op.kind);
            }
        }
        let values = vec![None; graph.values.len()];
        let (out, blocks, bits_of) = (Func::default(), vec![], HashMap::new());
        let mut b = Builder { cx, graph, out, values, definitions, blocks, bits_of, current: Block(0), pos };
        for block in &graph.blocks {
            let id = b.out.block();
            b.blocks.push(id);
            for &param in &block.params {
                let scalars = b.kinds(graph.values[param.index()]).into_iter().map(|kind| b.out.reg(kind));
                let regs: Vec<Reg> = scalars.collect();
                b.values[param.index()] = Some(regs.iter().map(|&reg| Src::Reg(reg)).collect());
                b.out.blocks[id.index()].params.extend(regs);
            }
        }
        b
    }

    fn types(&self) -> &'a Types {
        &self.cx.program.types
    }

    fn type_of(&self, value: ValueId) -> TypeId {
        self.graph.values[value.index()]
    }

    /// The kinds of the scalars of a type that is no memory type.
    fn kinds(&self, ty: TypeId) -> Vec<Kind> {
        let scalars = self.types().scalars(ty);
        scalars.unwrap_or_else(|| panic!("a value of the memory type {}", self.types().data(ty).rust))
    }

    /// The kinds of what a function with this result returns in registers.
    fn result_kinds(&self, ret: TypeId) -> Vec<Kind> {
        self.types().scalars(ret).unwrap_or_default()
    }

    fn refuse<T>(&self, reason: String) -> Lowered<T> {
        Err(Refused { pos: self.pos, reason })
    }

    fn slot(&mut self, index: usize, slot: &flow::SlotData) -> Lowered<Slot> {
        let name = match slot.name.as_str() {
            "" => format!("{}: {}", flow::SlotId::new(index), layout::short_name(self.types(), slot.ty)),
            name => name.to_string(),
        };
        let size = layout::size(self.types(), slot.ty);
        let align = layout::align(self.types(), slot.ty);
        let size = self.cx.tables.load_time(&size);
        Ok(Slot { name, size, align: self.cx.tables.load_time(&align) })
    }

    // ---- what the current block gets

    fn push(&mut self, op: Op) {
        self.out.blocks[self.current.index()].ops.push(op);
    }

    fn control(&mut self, op: ControlOp, fields: Vec<Field>) {
        let op = Op::control(op, fields, self.pos);
        self.push(op);
    }

    /// An instruction whose first field is its only result.
    fn produce(&mut self, op: ControlOp, kind: Kind, rest: impl IntoIterator<Item = Field>) -> Src {
        let reg = self.out.reg(kind);
        let fields = [Field::Dst(reg)].into_iter().chain(rest).collect();
        self.control(op, fields);
        Src::Reg(reg)
    }

    fn literal(&mut self, bits: u64, kind: Kind) -> Src {
        let constant = Constant { value: LoadTime::Literal(bits), name: String::new(), frozen: false };
        self.out.constant(constant, kind)
    }

    fn word(&mut self, bits: u64) -> Src {
        self.literal(bits, Kind::Word)
    }

    /// The bits of a constant that is known now.
    fn known(&self, src: Src) -> Option<u64> {
        let Src::Const(n, _) = src else { return None };
        match self.out.constants[n as usize] {
            Constant { value: LoadTime::Literal(bits), frozen: false, .. } => Some(bits),
            _ => None,
        }
    }

    fn pure(&mut self, op: PureOp, args: &[Src]) -> Src {
        let kind = op.row().result;
        let known: Option<Vec<u64>> = args.iter().map(|&src| self.known(src)).collect();
        if let Some(bits) = known
            && !op.is_partial()
        {
            return self.literal(op.eval(&bits), kind);
        }
        match (op, args) {
            (PureOp::FloatFromBits, [Src::Reg(bits)]) if self.bits_of.contains_key(bits) => {
                return self.bits_of[bits];
            }
            _ => {}
        }
        let reg = self.out.reg(kind);
        if op == PureOp::FloatToBits {
            self.bits_of.insert(reg, args[0]);
        }
        let op = Op::pure(op, reg, args, self.pos);
        self.push(op);
        Src::Reg(reg)
    }

    /// Ends the current block and goes on in another.
    fn end(&mut self, term: Term, next: Block) {
        let block = &mut self.out.blocks[self.current.index()];
        block.term = term;
        block.pos = self.pos;
        self.current = next;
    }

    // ---- values

    fn value(&self, value: ValueId) -> Vec<Src> {
        self.values[value.index()].clone().unwrap_or_else(|| panic!("{value} is used before it is defined"))
    }

    /// The only scalar of a value.
    fn one(&self, value: ValueId) -> Src {
        match self.value(value)[..] {
            [src] => src,
            ref other => panic!("{value} has {} scalars instead of one", other.len()),
        }
    }

    fn values(&self, list: &[ValueId]) -> Vec<Src> {
        list.iter().flat_map(|&value| self.value(value)).collect()
    }

    fn to_words(&mut self, scalars: Vec<Src>) -> Vec<Src> {
        let word = |b: &mut Self, src| match b.out.kind(src) {
            Kind::Word => src,
            Kind::Float => b.pure(PureOp::FloatToBits, &[src]),
        };
        scalars.into_iter().map(|src| word(self, src)).collect()
    }

    fn from_words(&mut self, words: &[Src], kinds: &[Kind]) -> Vec<Src> {
        let scalar = |b: &mut Self, (&src, &kind): (&Src, &Kind)| match kind {
            Kind::Word => src,
            Kind::Float => b.pure(PureOp::FloatFromBits, &[src]),
        };
        words.iter().zip(kinds).map(|pair| scalar(self, pair)).collect()
    }

    // ---- blocks and operations

    fn block(&mut self, id: BlockId) -> Lowered<()> {
        let graph = self.graph;
        let block = &graph.blocks[id.index()];
        self.current = self.blocks[id.index()];
        for op in &block.ops {
            self.pos = op.pos;
            let scalars = self.op(op)?;
            if let Some(result) = op.result {
                self.values[result.index()] = Some(scalars);
            }
        }
        self.pos = block.term_pos;
        self.terminator(&block.term)
    }

    fn op(&mut self, op: &'a flow::Op) -> Lowered<Vec<Src>> {
        let result_type = op.result.map(|value| self.type_of(value));
        Ok(match &op.kind {
            OpKind::Const(bits) => {
                let kinds = result_type.map_or(vec![], |ty| self.kinds(ty));
                // Two words only for 128 bits, of which the constant gives the low ones.
                let bits = kinds.iter().enumerate().map(|(n, &kind)| (if n == 0 { *bits } else { 0 }, kind));
                bits.collect::<Vec<_>>().into_iter().map(|(bits, kind)| self.literal(bits, kind)).collect()
            }
            OpKind::LoadTime(id) => {
                let load_time = &self.cx.program.load_times[id.index()];
                let (rust, name) = (load_time.rust.clone(), load_time.name.clone());
                let offset = layout::Offset::term(load_time.module, rust, name.clone());
                let value = self.cx.tables.load_time(&offset);
                let constant = Constant { value, name, frozen: load_time.frozen };
                let kind = result_type.and_then(|ty| self.kinds(ty).first().copied()).unwrap_or(Kind::Word);
                vec![self.out.constant(constant, kind)]
            }
            OpKind::Pure(op, args) => {
                let args: Vec<Src> = args.iter().map(|&value| self.one(value)).collect();
                vec![self.pure(*op, &args)]
            }
            OpKind::Retype(value) => self.value(*value),
            OpKind::Make { variant, fields } => self.make(result_type, *variant, fields),
            OpKind::Extract { value, variant, field } => self.extract(*value, *variant, *field)?,
            OpKind::VariantOf(value) => vec![self.value(*value)[0]],
            OpKind::MakeFat { address, len } => self.values(&[*address, *len]),
            OpKind::FatAddress(value) => vec![self.value(*value)[0]],
            OpKind::FatLen(value) => vec![self.value(*value)[1]],
            OpKind::SlotAddr(slot) => {
                vec![self.produce(ControlOp::LocalAddr, Kind::Word, [Field::Index(slot.0)])]
            }
            OpKind::Ref(place) => self.address_of(place)?,
            OpKind::Load(place) => {
                let (address, ty) = self.place(place)?;
                self.load(&address, ty)?
            }
            OpKind::LoadVariant(place) => {
                let (address, ty) = self.place(place)?;
                vec![self.load_variant(&address, ty)?]
            }
            OpKind::Store(place, value) => {
                let (address, ty) = self.place(place)?;
                let scalars = self.value(*value);
                self.store(&address, ty, &scalars)?;
                vec![]
            }
            OpKind::CopyMemory { to, from, ty } => self.copy_memory(to, from, *ty)?,
            OpKind::DropInPlace(place, ty) => self.drop_in_place(place, *ty)?,
            OpKind::New(_) | OpKind::NewArray(..) => {
                let pointer = result_type.unwrap_or_else(|| panic!("memory that nobody gets"));
                vec![self.allocate(&op.kind, pointer)?]
            }
            OpKind::Free(pointer) => {
                let alloc = self.alloc(Memory::Plain, self.type_of(*pointer))?;
                let fields = vec![Field::Src(self.one(*pointer)), Field::Index(alloc.0)];
                self.control(ControlOp::Free, fields);
                vec![]
            }
            OpKind::FreeArray { pointer, length } => {
                let alloc = self.alloc_elements(self.type_of(*pointer));
                let (pointer, length) = (self.one(*pointer), self.one(*length));
                let fields = vec![Field::Src(pointer), Field::Src(length), Field::Index(alloc.0)];
                self.control(ControlOp::FreeArray, fields);
                vec![]
            }
            OpKind::QuasiImmut { link, value } => {
                let fields = [Field::Src(self.one(*link)), Field::Src(self.one(*value))];
                vec![self.produce(ControlOp::QuasiImmut, Kind::Word, fields)]
            }
            OpKind::Barrier { address, holds } => {
                let (address, holds) = (self.one(*address), self.one(*holds));
                if self.known(holds) != Some(0) {
                    self.control(ControlOp::Barrier, vec![Field::Src(address), Field::Src(holds)]);
                }
                vec![]
            }
            OpKind::Call(callee, args) => self.call(*callee, args)?,
            OpKind::MergePoint(portal, args) => {
                let args = self.values(args);
                self.control(ControlOp::MergePoint, vec![Field::Index(portal.0), Field::Sources(args)]);
                vec![]
            }
            OpKind::CanEnterJit => {
                self.control(ControlOp::LoopHeader, vec![]);
                vec![]
            }
            OpKind::Promote(value) if self.is_owner(*value) => {
                let reference = self.one(*value);
                vec![self.produce(ControlOp::PromoteOwner, Kind::Word, [Field::Src(reference)])]
            }
            OpKind::Promote(value) => {
                let promote = |b: &mut Self, src: Src| {
                    let kind = b.out.kind(src);
                    b.produce(ControlOp::Promote, kind, [Field::Src(src)])
                };
                self.value(*value).into_iter().map(|src| promote(self, src)).collect()
            }
            OpKind::IsConstant(value) => vec![self.is_constant(*value)],
            OpKind::IsVirtual(value) => {
                let src = self.value(*value)[0];
                vec![self.produce(ControlOp::IsVirtual, Kind::Word, [Field::Src(src)])]
            }
            OpKind::RecordExact(value, known) => self.record_exact(*value, *known),
            OpKind::AssertGreen(value) => {
                for src in self.value(*value) {
                    self.control(ControlOp::AssertGreen, vec![Field::Src(src)]);
                }
                vec![]
            }
            OpKind::TraceLength => vec![self.produce(ControlOp::TraceLength, Kind::Word, [])],
            OpKind::WeAreJitted => vec![self.produce(ControlOp::WeAreJitted, Kind::Word, [])],
        })
    }

    /// Whether all words of a value are constants of the trace.
    /// Whether it is a reference to an owner of traces.
    fn is_owner(&self, value: ValueId) -> bool {
        let types = self.types();
        let Type::Ref { to, .. } = types.get(self.type_of(value)) else { return false };
        matches!(types.get(*to), Type::Adt(adt) if crate::shape::is_owner(adt))
    }

    fn is_constant(&mut self, value: ValueId) -> Src {
        let mut all = self.literal(1, Kind::Word);
        for src in self.value(value) {
            let is_constant = self.produce(ControlOp::IsConstant, Kind::Word, [Field::Src(src)]);
            all = self.pure(PureOp::IntAnd, &[all, is_constant]);
        }
        all
    }

    fn record_exact(&mut self, value: ValueId, known: ValueId) -> Vec<Src> {
        for (value, known) in self.value(value).into_iter().zip(self.value(known)) {
            self.control(ControlOp::RecordExact, vec![Field::Src(value), Field::Src(known)]);
        }
        vec![]
    }

    fn make(&mut self, ty: Option<TypeId>, variant: u32, fields: &[ValueId]) -> Vec<Src> {
        let parts = self.values(fields);
        let Some(ty) = ty else { return vec![] };
        if let Type::Vec(_) | Type::String = self.types().get(ty) {
            return self.container(ty, &parts);
        }
        if !is_enum(self.types(), ty) {
            return parts;
        }
        let mut out = vec![self.word(u64::from(variant))];
        out.extend(self.to_words(parts));
        let nothing = self.word(0);
        out.resize(self.kinds(ty).len(), nothing);
        out
    }

    fn extract(&mut self, value: ValueId, variant: u32, field: u32) -> Lowered<Vec<Src>> {
        let ty = self.type_of(value);
        let scalars = self.value(value);
        let types = self.types();
        if let Type::Vec(_) | Type::String = types.get(ty) {
            return Ok(vec![self.container_part(ty, &scalars, field)]);
        }
        let fields = self.field_types(ty, variant);
        let counts: Vec<Vec<Kind>> = fields.iter().map(|&field| self.kinds(field)).collect();
        let before: usize = counts[..field as usize].iter().map(Vec::len).sum();
        let kinds = &counts[field as usize];
        if is_enum(types, ty) {
            return Ok(self.from_words(&scalars[1 + before..][..kinds.len()], kinds));
        }
        Ok(scalars[before..][..kinds.len()].to_vec())
    }

    /// The types of the fields of a struct, variant, tuple, closure or array.
    fn field_types(&self, ty: TypeId, variant: u32) -> Vec<TypeId> {
        match self.types().get(ty) {
            Type::Adt(adt) => adt.variants[variant as usize].fields.iter().map(|f| f.ty).collect(),
            Type::Tuple(parts) | Type::Closure { captures: parts, .. } => parts.clone(),
            Type::Array(elem, len) => vec![*elem; *len as usize],
            _ => panic!("a field of {}", self.types().data(ty).rust),
        }
    }

    /// A part of a container by value: its words stand in the order in which they are in memory.
    fn container_part(&mut self, ty: TypeId, words: &[Src], part: u32) -> Src {
        let offset = self.part_offset(ty, part);
        let is_first = self.word(0);
        let is_first = self.pure(PureOp::IntEq, &[offset, is_first]);
        let is_second = self.word(8);
        let is_second = self.pure(PureOp::IntEq, &[offset, is_second]);
        let later = self.pure(PureOp::IntSelect, &[is_second, words[1], words[2]]);
        self.pure(PureOp::IntSelect, &[is_first, words[0], later])
    }

    /// A container by value of its parts: its words in the order in which they are in memory.
    fn container(&mut self, ty: TypeId, parts: &[Src]) -> Vec<Src> {
        let offsets = [0, 1].map(|part| self.part_offset(ty, part));
        let word = |builder: &mut Self, place: u64| {
            let place = builder.word(place);
            let [is_buffer, is_length] = offsets.map(|offset| builder.pure(PureOp::IntEq, &[offset, place]));
            let other = builder.pure(PureOp::IntSelect, &[is_length, parts[1], parts[2]]);
            builder.pure(PureOp::IntSelect, &[is_buffer, parts[0], other])
        };
        [0, 8, 16].map(|place| word(self, place)).to_vec()
    }

    /// Where a part of a container stands, a constant of the program.
    fn part_offset(&mut self, ty: TypeId, part: u32) -> Src {
        let offset = layout::field_offset(self.types(), ty, part);
        let value = self.cx.tables.load_time(&offset);
        let name = offset.terms[0].name.clone();
        self.out.constant(Constant { value, name, frozen: false }, Kind::Word)
    }

    fn target(&self, target: &flow::Target) -> Target {
        Target { block: self.blocks[target.block.index()], args: self.values(&target.args) }
    }

    fn terminator(&mut self, term: &'a Terminator) -> Lowered<()> {
        let term = match term {
            Terminator::Goto(target) => Term::Goto(self.target(target)),
            Terminator::If(condition, yes, no) => {
                let condition = self.one(*condition);
                match self.known(condition) {
                    Some(0) => Term::Goto(self.target(no)),
                    Some(_) => Term::Goto(self.target(yes)),
                    None => Term::If(condition, self.target(yes), self.target(no)),
                }
            }
            Terminator::Switch { value, cases, default } => {
                let value = self.one(*value);
                let cases = cases.iter().map(|(bits, target)| (*bits, self.target(target))).collect();
                let default = default.as_ref().map(|target| self.target(target));
                self.switch(value, cases, default)
            }
            Terminator::Invoke { callee, args, normal, unwind } => {
                return self.invoke(*callee, args, normal, unwind);
            }
            Terminator::Return(value) => {
                let is_value = self.types().scalars(self.type_of(*value)).is_some();
                let mut results = if is_value { self.value(*value) } else { vec![] };
                results.truncate(self.out.results.len());
                Term::Return(results)
            }
            Terminator::ResumeUnwind => Term::ResumeUnwind,
            Terminator::Unreachable => Term::Unreachable,
        };
        self.end(term, self.current);
        Ok(())
    }

    /// A switch; without a default, the last case stands for all other values.
    fn switch(&mut self, value: Src, mut cases: Vec<(u64, Target)>, default: Option<Target>) -> Term {
        let default = default.or_else(|| cases.pop().map(|case| case.1));
        let Some(default) = default else { return Term::Unreachable };
        if let Some(bits) = self.known(value) {
            let taken = cases.into_iter().find(|case| case.0 == bits);
            return Term::Goto(taken.map_or(default, |case| case.1));
        }
        match cases.len() {
            0 => Term::Goto(default),
            _ => Term::Switch(value, cases, default),
        }
    }
}

fn is_enum(types: &Types, ty: TypeId) -> bool {
    matches!(types.get(ty), Type::Adt(adt) if adt.is_enum)
}
