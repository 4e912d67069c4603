//! Graphs as bytes, for keeping them between translations.
//!
//! One description serves both directions: a [`Coder`] writes what it is shown, or fills it from its input. What a graph refers to
//! (types, functions, load-time values, positions) is spelled by [`Refs`], so that bytes do not depend on how a program's tables
//! are numbered. Reading answers `None` for bytes that are no graph; it never panics.

use crate::flow::types::{Type, TypeId};
use crate::flow::{
    Block, BlockId, Callee, ExternId, FuncAttrs, FuncId, Graph, LoadTimeId, Memory, Op, OpKind, Place,
    PortalId, Pos, Proj, SlotData, SlotId, Target, Terminator, ValueId,
};
use metatrace_defs::PureOp;

/// What becomes of references: from a program's numbers to those in the bytes when writing, and back when reading.
pub(crate) trait Refs {
    fn ty(&mut self, id: TypeId) -> Option<TypeId>;
    fn func(&mut self, id: FuncId) -> Option<FuncId>;
    fn ext(&mut self, id: ExternId) -> Option<ExternId>;
    fn load_time(&mut self, id: LoadTimeId) -> Option<LoadTimeId>;
    /// The file, and three numbers that tell where in it.
    fn pos_out(&mut self, pos: Pos) -> [u64; 4];
    fn pos_in(&mut self, spelled: [u64; 4]) -> Option<Pos>;
}

/// Writes or reads.
pub(crate) struct Coder<'a> {
    /// What was written.
    pub(crate) out: Vec<u8>,
    /// What is left to read; none when writing.
    input: Option<&'a [u8]>,
    last_pos: Pos,
}

impl<'a> Coder<'a> {
    pub(crate) fn writer() -> Coder<'a> {
        Coder { out: Vec::new(), input: None, last_pos: Pos::default() }
    }

    pub(crate) fn reader(input: &'a [u8]) -> Coder<'a> {
        Coder { out: Vec::new(), input: Some(input), last_pos: Pos::default() }
    }

    /// Whether everything was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.input.is_some_and(<[u8]>::is_empty)
    }

    pub(crate) fn is_reading(&self) -> bool {
        self.input.is_some()
    }

    /// A number, seven bits to a byte.
    pub(crate) fn num(&mut self, n: &mut u64) -> Option<()> {
        let Some(input) = &mut self.input else {
            let mut rest = *n;
            while rest >= 0x80 {
                self.out.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            self.out.push(rest as u8);
            return Some(());
        };
        let (mut value, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = input.split_first()?;
            *input = rest;
            if shift > 63 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                *n = value;
                return Some(());
            }
        }
    }

    pub(crate) fn index(&mut self, n: &mut u32) -> Option<()> {
        let mut wide = u64::from(*n);
        self.num(&mut wide)?;
        *n = u32::try_from(wide).ok()?;
        Some(())
    }

    pub(crate) fn bool(&mut self, b: &mut bool) -> Option<()> {
        let mut n = u64::from(*b);
        self.num(&mut n)?;
        *b = match n {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(())
    }

    /// A sequence of bytes.
    pub(crate) fn bytes(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let mut len = bytes.len() as u64;
        self.num(&mut len)?;
        match &mut self.input {
            None => self.out.extend_from_slice(bytes),
            Some(input) => {
                let (taken, rest) = input.split_at_checked(usize::try_from(len).ok()?)?;
                *bytes = taken.to_vec();
                *input = rest;
            }
        }
        Some(())
    }

    pub(crate) fn text(&mut self, text: &mut String) -> Option<()> {
        let mut bytes = std::mem::take(text).into_bytes();
        self.bytes(&mut bytes)?;
        *text = String::from_utf8(bytes).ok()?;
        Some(())
    }

    /// A list; `blank` makes the elements that are filled when reading.
    pub(crate) fn list<T>(
        &mut self,
        list: &mut Vec<T>,
        blank: impl Fn() -> T,
        mut each: impl FnMut(&mut Self, &mut T) -> Option<()>,
    ) -> Option<()> {
        let mut len = list.len() as u64;
        self.num(&mut len)?;
        if let Some(input) = self.input {
            // Every element takes a byte at least.
            let len = usize::try_from(len).ok().filter(|&len| len <= input.len())?;
            list.clear();
            list.resize_with(len, blank);
        }
        list.iter_mut().try_for_each(|element| each(self, element))
    }

    fn values(&mut self, list: &mut Vec<ValueId>) -> Option<()> {
        self.list(list, || ValueId(0), |c, v| c.index(&mut v.0))
    }

    pub(crate) fn ty(&mut self, refs: &mut dyn Refs, id: &mut TypeId) -> Option<()> {
        let mut spelled = if self.is_reading() { *id } else { refs.ty(*id)? };
        self.index(&mut spelled.0)?;
        if self.is_reading() {
            *id = refs.ty(spelled)?;
        }
        Some(())
    }

    pub(crate) fn tys(&mut self, refs: &mut dyn Refs, list: &mut Vec<TypeId>) -> Option<()> {
        self.list(list, || TypeId(0), |c, ty| c.ty(refs, ty))
    }

    fn pos(&mut self, refs: &mut dyn Refs, pos: &mut Pos) -> Option<()> {
        let mut same = *pos == self.last_pos;
        self.bool(&mut same)?;
        if same {
            *pos = self.last_pos;
            return Some(());
        }
        let mut spelled = if self.is_reading() { [0; 4] } else { refs.pos_out(*pos) };
        spelled.iter_mut().try_for_each(|n| self.num(n))?;
        if self.is_reading() {
            *pos = refs.pos_in(spelled)?;
        }
        self.last_pos = *pos;
        Some(())
    }

    fn callee(&mut self, refs: &mut dyn Refs, callee: &mut Callee) -> Option<()> {
        let mut is_extern = matches!(callee, Callee::Extern(_));
        self.bool(&mut is_extern)?;
        let mut number = match *callee {
            _ if self.is_reading() => 0,
            Callee::Func(id) => refs.func(id)?.0,
            Callee::Extern(id) => refs.ext(id)?.0,
        };
        self.index(&mut number)?;
        if self.is_reading() {
            *callee = match is_extern {
                true => Callee::Extern(refs.ext(ExternId(number))?),
                false => Callee::Func(refs.func(FuncId(number))?),
            };
        }
        Some(())
    }

    fn memory(&mut self, memory: &mut Memory) -> Option<()> {
        let mut number = Memory::ALL.iter().position(|m| m == memory)? as u64;
        self.num(&mut number)?;
        *memory = *Memory::ALL.get(usize::try_from(number).ok()?)?;
        Some(())
    }

    fn place(&mut self, place: &mut Place) -> Option<()> {
        self.index(&mut place.base.0)?;
        self.list(&mut place.path, || Proj::Field(0), Coder::proj)
    }

    fn proj(&mut self, proj: &mut Proj) -> Option<()> {
        let (mut tag, mut a, mut b) = match *proj {
            Proj::Field(field) => (0, field, 0),
            Proj::Variant { variant, field } => (1, variant, field),
            Proj::Index(value) => (2, value.0, 0),
        };
        self.num(&mut tag)?;
        self.index(&mut a)?;
        self.index(&mut b)?;
        *proj = match tag {
            0 => Proj::Field(a),
            1 => Proj::Variant { variant: a, field: b },
            2 => Proj::Index(ValueId(a)),
            _ => return None,
        };
        Some(())
    }

    fn target(&mut self, target: &mut Target) -> Option<()> {
        self.index(&mut target.block.0)?;
        self.values(&mut target.args)
    }

    fn op(&mut self, refs: &mut dyn Refs, op: &mut Op) -> Option<()> {
        let mut result = op.result.map_or(0, |value| value.0 + 1);
        self.index(&mut result)?;
        op.result = result.checked_sub(1).map(ValueId);
        self.pos(refs, &mut op.pos)?;
        let mut tag = op_tag(&op.kind);
        self.num(&mut tag)?;
        if self.is_reading() {
            op.kind = op_of(tag)?;
        }
        self.op_kind(refs, &mut op.kind)
    }

    fn op_kind(&mut self, refs: &mut dyn Refs, kind: &mut OpKind) -> Option<()> {
        match kind {
            OpKind::Const(bits) => self.num(bits),
            OpKind::LoadTime(id) => {
                let mut number = if self.is_reading() { 0 } else { refs.load_time(*id)?.0 };
                self.index(&mut number)?;
                if self.is_reading() {
                    *id = refs.load_time(LoadTimeId(number))?;
                }
                Some(())
            }
            OpKind::Pure(op, args) => {
                let mut code = *op as u8 as u64;
                self.num(&mut code)?;
                *op = PureOp::from_u8(u8::try_from(code).ok()?)?;
                self.values(args)
            }
            OpKind::Retype(value)
            | OpKind::VariantOf(value)
            | OpKind::FatAddress(value)
            | OpKind::FatLen(value)
            | OpKind::Promote(value) => self.index(&mut value.0),
            OpKind::Make { variant, fields } => {
                self.index(variant)?;
                self.values(fields)
            }
            OpKind::Extract { value, variant, field } => {
                self.index(&mut value.0)?;
                self.index(variant)?;
                self.index(field)
            }
            OpKind::MakeFat { address, len } => {
                self.index(&mut address.0)?;
                self.index(&mut len.0)
            }
            OpKind::SlotAddr(slot) => self.index(&mut slot.0),
            OpKind::Ref(place) | OpKind::Load(place) | OpKind::LoadVariant(place) => self.place(place),
            OpKind::Store(place, value) => {
                self.place(place)?;
                self.index(&mut value.0)
            }
            OpKind::CopyMemory { to, from, ty } => {
                self.place(to)?;
                self.place(from)?;
                self.ty(refs, ty)
            }
            OpKind::DropInPlace(place, ty) => {
                self.place(place)?;
                self.ty(refs, ty)
            }
            OpKind::Call(callee, args) => {
                self.callee(refs, callee)?;
                self.values(args)
            }
            OpKind::MergePoint(portal, args) => {
                self.index(&mut portal.0)?;
                self.values(args)
            }
            OpKind::New(memory) => self.memory(memory),
            OpKind::NewArray(memory, length) => {
                self.memory(memory)?;
                self.index(&mut length.0)
            }
            OpKind::Free(value)
            | OpKind::IsConstant(value)
            | OpKind::IsVirtual(value)
            | OpKind::AssertGreen(value) => self.index(&mut value.0),
            OpKind::FreeArray { pointer, length } => {
                self.index(&mut pointer.0)?;
                self.index(&mut length.0)
            }
            OpKind::RecordExact(value, known) => {
                self.index(&mut value.0)?;
                self.index(&mut known.0)
            }
            OpKind::QuasiImmut { link, value } => {
                self.index(&mut link.0)?;
                self.index(&mut value.0)
            }
            OpKind::Barrier { address, holds } => {
                self.index(&mut address.0)?;
                self.index(&mut holds.0)
            }
            OpKind::CanEnterJit | OpKind::WeAreJitted | OpKind::TraceLength => Some(()),
        }
    }

    fn term(&mut self, refs: &mut dyn Refs, term: &mut Terminator) -> Option<()> {
        let mut tag = term_tag(term);
        self.num(&mut tag)?;
        if self.is_reading() {
            *term = term_of(tag)?;
        }
        match term {
            Terminator::Goto(target) => self.target(target),
            Terminator::If(value, yes, no) => {
                self.index(&mut value.0)?;
                self.target(yes)?;
                self.target(no)
            }
            Terminator::Switch { value, cases, default } => {
                self.index(&mut value.0)?;
                self.list(
                    cases,
                    || (0, no_target()),
                    |c, (case, target)| {
                        c.num(case)?;
                        c.target(target)
                    },
                )?;
                let mut has = default.is_some();
                self.bool(&mut has)?;
                if !has {
                    *default = None;
                    return Some(());
                }
                self.target(default.get_or_insert_with(no_target))
            }
            Terminator::Invoke { callee, args, normal, unwind } => {
                self.callee(refs, callee)?;
                self.values(args)?;
                self.target(normal)?;
                self.target(unwind)
            }
            Terminator::Return(value) => self.index(&mut value.0),
            Terminator::ResumeUnwind | Terminator::Unreachable => Some(()),
        }
    }

    /// A graph.
    pub(crate) fn graph(&mut self, refs: &mut dyn Refs, graph: &mut Graph) -> Option<()> {
        self.last_pos = Pos::default();
        self.tys(refs, &mut graph.values)?;
        let slot = || SlotData { ty: TypeId(0), name: String::new() };
        self.list(&mut graph.slots, slot, |c, slot| {
            c.ty(refs, &mut slot.ty)?;
            c.text(&mut slot.name)
        })?;
        let op = || Op { result: None, kind: OpKind::CanEnterJit, pos: Pos::default() };
        self.list(&mut graph.blocks, no_block, |c, block| {
            c.values(&mut block.params)?;
            c.list(&mut block.ops, op, |c, op| c.op(refs, op))?;
            c.pos(refs, &mut block.term_pos)?;
            c.term(refs, &mut block.term)
        })?;
        (!self.is_reading() || is_closed(graph)).then_some(())
    }

    pub(crate) fn attrs(&mut self, attrs: &mut FuncAttrs) -> Option<()> {
        attrs.each().try_for_each(|(_, fact)| self.bool(fact))
    }

    /// A type that is found by its structure; none of those that are found by name, nor closures.
    pub(crate) fn structure(&mut self, refs: &mut dyn Refs, ty: &mut Type) -> Option<()> {
        let mut tag = type_tag(ty)?;
        self.num(&mut tag)?;
        if self.is_reading() {
            *ty = type_of(tag)?;
        }
        match ty {
            Type::Int { bits, signed, size } => {
                let mut wide = u64::from(*bits);
                self.num(&mut wide)?;
                *bits = u8::try_from(wide).ok()?;
                self.bool(signed)?;
                self.bool(size)
            }
            Type::Slice(part) | Type::Box(part) | Type::Vec(part) => self.ty(refs, part),
            Type::Ref { to, mutable } | Type::RawPtr { to, mutable } => {
                self.ty(refs, to)?;
                self.bool(mutable)
            }
            Type::FnPtr { params, ret } => {
                self.tys(refs, params)?;
                self.ty(refs, ret)
            }
            Type::Tuple(parts) => self.tys(refs, parts),
            Type::Array(part, len) => {
                self.ty(refs, part)?;
                self.num(len)
            }
            _ => Some(()),
        }
    }
}

fn no_target() -> Target {
    Target { block: BlockId(0), args: vec![] }
}

fn no_block() -> Block {
    Block { params: vec![], ops: vec![], term: Terminator::Unreachable, term_pos: Pos::default() }
}

/// Whether every number in a graph is one of the graph's.
fn is_closed(graph: &Graph) -> bool {
    let value = |v: &ValueId| v.index() < graph.values.len();
    graph.blocks.iter().all(|block| {
        let ops = block.ops.iter().all(|op| {
            let slot = match op.kind {
                OpKind::SlotAddr(slot) => slot.index() < graph.slots.len(),
                _ => true,
            };
            slot && op.result.iter().all(value) && op.kind.uses().iter().all(value)
        });
        let targets = block.term.targets().iter().all(|target| target.block.index() < graph.blocks.len());
        ops && targets && block.params.iter().all(value) && block.term.uses().iter().all(value)
    })
}

fn op_tag(kind: &OpKind) -> u64 {
    match kind {
        OpKind::Const(_) => 0,
        OpKind::LoadTime(_) => 1,
        OpKind::Pure(..) => 2,
        OpKind::Retype(_) => 3,
        OpKind::Make { .. } => 4,
        OpKind::Extract { .. } => 5,
        OpKind::VariantOf(_) => 6,
        OpKind::MakeFat { .. } => 7,
        OpKind::FatAddress(_) => 8,
        OpKind::FatLen(_) => 9,
        OpKind::SlotAddr(_) => 10,
        OpKind::Ref(_) => 11,
        OpKind::Load(_) => 12,
        OpKind::LoadVariant(_) => 13,
        OpKind::Store(..) => 14,
        OpKind::CopyMemory { .. } => 15,
        OpKind::DropInPlace(..) => 16,
        OpKind::Call(..) => 17,
        OpKind::MergePoint(..) => 18,
        OpKind::CanEnterJit => 19,
        OpKind::Promote(_) => 20,
        OpKind::WeAreJitted => 21,
        OpKind::New(_) => 22,
        OpKind::Free(_) => 23,
        OpKind::Barrier { .. } => 24,
        OpKind::IsConstant(_) => 25,
        OpKind::AssertGreen(_) => 26,
        OpKind::TraceLength => 27,
        OpKind::NewArray(..) => 28,
        OpKind::FreeArray { .. } => 29,
        OpKind::QuasiImmut { .. } => 30,
        OpKind::IsVirtual(_) => 31,
        OpKind::RecordExact(..) => 32,
    }
}

/// An operation to be filled; the inverse of [`op_tag`].
fn op_of(tag: u64) -> Option<OpKind> {
    let v = ValueId(0);
    let place = || Place { base: v, path: vec![] };
    let made = match tag {
        0 => OpKind::Const(0),
        1 => OpKind::LoadTime(LoadTimeId(0)),
        2 => OpKind::Pure(PureOp::from_u8(0)?, vec![]),
        3 => OpKind::Retype(v),
        4 => OpKind::Make { variant: 0, fields: vec![] },
        5 => OpKind::Extract { value: v, variant: 0, field: 0 },
        6 => OpKind::VariantOf(v),
        7 => OpKind::MakeFat { address: v, len: v },
        8 => OpKind::FatAddress(v),
        9 => OpKind::FatLen(v),
        10 => OpKind::SlotAddr(SlotId(0)),
        11 => OpKind::Ref(place()),
        12 => OpKind::Load(place()),
        13 => OpKind::LoadVariant(place()),
        14 => OpKind::Store(place(), v),
        15 => OpKind::CopyMemory { to: place(), from: place(), ty: TypeId(0) },
        16 => OpKind::DropInPlace(place(), TypeId(0)),
        17 => OpKind::Call(Callee::Func(FuncId(0)), vec![]),
        18 => OpKind::MergePoint(PortalId(0), vec![]),
        19 => OpKind::CanEnterJit,
        20 => OpKind::Promote(v),
        21 => OpKind::WeAreJitted,
        22 => OpKind::New(Memory::Plain),
        23 => OpKind::Free(v),
        24 => OpKind::Barrier { address: v, holds: v },
        25 => OpKind::IsConstant(v),
        26 => OpKind::AssertGreen(v),
        27 => OpKind::TraceLength,
        28 => OpKind::NewArray(Memory::Plain, v),
        29 => OpKind::FreeArray { pointer: v, length: v },
        30 => OpKind::QuasiImmut { link: v, value: v },
        31 => OpKind::IsVirtual(v),
        32 => OpKind::RecordExact(v, v),
        _ => return None,
    };
    assert_eq!(op_tag(&made), tag);
    Some(made)
}

fn term_tag(term: &Terminator) -> u64 {
    match term {
        Terminator::Goto(_) => 0,
        Terminator::If(..) => 1,
        Terminator::Switch { .. } => 2,
        Terminator::Invoke { .. } => 3,
        Terminator::Return(_) => 4,
        Terminator::ResumeUnwind => 5,
        Terminator::Unreachable => 6,
    }
}

fn term_of(tag: u64) -> Option<Terminator> {
    let (v, t) = (ValueId(0), no_target);
    Some(match tag {
        0 => Terminator::Goto(t()),
        1 => Terminator::If(v, t(), t()),
        2 => Terminator::Switch { value: v, cases: vec![], default: None },
        3 => Terminator::Invoke { callee: Callee::Func(FuncId(0)), args: vec![], normal: t(), unwind: t() },
        4 => Terminator::Return(v),
        5 => Terminator::ResumeUnwind,
        6 => Terminator::Unreachable,
        _ => return None,
    })
}

fn type_tag(ty: &Type) -> Option<u64> {
    Some(match ty {
        Type::Bool => 0,
        Type::Char => 1,
        Type::Int { .. } => 2,
        Type::F32 => 3,
        Type::F64 => 4,
        Type::Never => 5,
        Type::Str => 6,
        Type::Slice(_) => 7,
        Type::Ref { .. } => 8,
        Type::RawPtr { .. } => 9,
        Type::FnPtr { .. } => 10,
        Type::Tuple(_) => 11,
        Type::Array(..) => 12,
        Type::Box(_) => 13,
        Type::Vec(_) => 14,
        Type::String => 15,
        Type::Dyn(_) | Type::Adt(_) | Type::Closure { .. } | Type::Opaque(_) => return None,
    })
}

fn type_of(tag: u64) -> Option<Type> {
    let ty = TypeId(0);
    Some(match tag {
        0 => Type::Bool,
        1 => Type::Char,
        2 => Type::U8,
        3 => Type::F32,
        4 => Type::F64,
        5 => Type::Never,
        6 => Type::Str,
        7 => Type::Slice(ty),
        8 => Type::Ref { to: ty, mutable: false },
        9 => Type::RawPtr { to: ty, mutable: false },
        10 => Type::FnPtr { params: vec![], ret: ty },
        11 => Type::Tuple(vec![]),
        12 => Type::Array(ty, 0),
        13 => Type::Box(ty),
        14 => Type::Vec(ty),
        15 => Type::String,
        _ => return None,
    })
}
