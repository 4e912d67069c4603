//! The verifier of flow programs. Each rule has a filetest.
//!
//! **Program**: modules', load-time values' and portals' references exist; a portal's function has a graph; a portal's
//! owner is one of its greens.
//!
//! **Structure**
//! - S1 blocks, values, slots and callees that are mentioned exist;
//! - S2 the entry block has the function's parameters (after a result pointer, if the result is a memory type);
//! - S3 every value is defined exactly once, and its definition dominates its uses;
//! - S4 every block can be reached from the entry, and the entry is no target;
//! - S5 a target has an argument of the right type for each parameter (the normal target of an `Invoke` that yields a
//!   value: for each but the last, which is the value);
//! - S6 `ResumeUnwind` is reached through an unwinding edge only;
//! - S7 a `Switch` has each case once, canonical for its type.
//!
//! **Types**
//! - T1 no SSA value has a memory type or an unsized type;
//! - T2 a pure operation has as many operands as its row, each one scalar of the row's kind; so has the result;
//! - T3 `Const` fits its type (0 fits all); `LoadTime` is one word; `Retype` keeps the scalars;
//! - T4 `Make` has the fields of the variant, `Extract` takes a field that there is, `VariantOf` an enum;
//! - T5 `MakeFat`, `FatAddress`, `FatLen` are of pointers to unsized types;
//! - T6 a place begins with a pointer and every step fits what is there, without a dereference; indices are `usize`;
//! - T7 `Load`, `Store`, `Ref`, `LoadVariant`, `CopyMemory`, `DropInPlace`, `SlotAddr` agree with the type of the
//!   place, and only `CopyMemory` and `DropInPlace` take memory types;
//! - T8 calls agree with the callee's signature; `Return` with the function's;
//! - T9 `If` tests a bool or word, `Switch` a word.
//!
//! **Portals**
//! - P1 `MergePoint` is the first operation of its block, stands in its portal's function only, once, and has the
//!   portal's parameters;
//! - P2 `CanEnterJit` stands in a portal, ends its block, and only empty blocks that end in `Goto` lie between it and
//!   the merge point.

use crate::flow::print::type_text;
use crate::flow::types::{Type, TypeId};
use crate::flow::{
    Block, BlockId, Callee, Func, FuncId, Graph, Op, OpKind, Place, PortalId, Program, Proj, Target,
    Terminator, ValueId,
};
use metatrace_defs::Kind;
use std::fmt;

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The rule's name in the head of this module.
    pub rule: &'static str,
    /// Where: a function and a block, or an item.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}: {}", self.rule, self.at, self.message)
    }
}

/// All that is wrong with a program.
pub fn program(program: &Program) -> Vec<VerifyError> {
    let mut errors = Vec::new();
    let mut bad = |at: String, message: String| errors.push(VerifyError { rule: "program", at, message });
    let modules = program.modules.len();
    for (index, value) in program.load_times.iter().enumerate() {
        if value.module.index() >= modules {
            bad(format!("lt{index}"), format!("there is no {}", value.module));
        }
    }
    for (index, portal) in program.portals.iter().enumerate() {
        let func = program.funcs.get(portal.func.index());
        if func.is_none_or(|f| f.body.is_err() || f.params.len() != portal.params.len()) {
            bad(format!("portal{index}"), format!("{} has no graph with its parameters", portal.func));
        }
        if portal.owner.is_some_and(|owner| owner >= portal.params.len())
            || portal.greens.iter().any(|&green| green >= portal.params.len())
        {
            bad(format!("portal{index}"), "a green or the owner is no parameter".to_string());
        }
    }
    for func in &program.funcs {
        if func.module.index() >= modules {
            bad(func.name.clone(), format!("there is no {}", func.module));
        }
    }
    if errors.is_empty() {
        errors.extend((0..program.funcs.len()).flat_map(|index| func(program, FuncId::new(index))));
    }
    errors
}

/// All that is wrong with one function; nothing if it has no graph.
pub fn func(program: &Program, id: FuncId) -> Vec<VerifyError> {
    let func = program.func(id);
    let Ok(graph) = &func.body else { return Vec::new() };
    let mut v = Verifier { program, id, func, graph, errors: Vec::new(), at: format!("`{}`", func.name) };
    v.run();
    v.errors
}

struct Verifier<'a> {
    program: &'a Program,
    id: FuncId,
    func: &'a Func,
    graph: &'a Graph,
    errors: Vec<VerifyError>,
    at: String,
}

impl<'a> Verifier<'a> {
    fn bad(&mut self, rule: &'static str, message: impl Into<String>) {
        self.errors.push(VerifyError { rule, at: self.at.clone(), message: message.into() });
    }

    fn run(&mut self) {
        if self.graph.blocks.is_empty() {
            return self.bad("S2", "there is no entry block");
        }
        for (index, block) in self.graph.blocks.iter().enumerate() {
            self.at = format!("`{}` b{index}", self.func.name);
            self.existence(block);
        }
        if !self.errors.is_empty() {
            return;
        }
        for (index, &ty) in self.graph.values.iter().enumerate() {
            if self.program.types.is_memory(ty) {
                self.bad("T1", format!("v{index} has the memory type {}", self.text(ty)));
            }
        }
        self.entry();
        self.dominance();
        for (index, block) in self.graph.blocks.iter().enumerate() {
            self.at = format!("`{}` b{index}", self.func.name);
            for (n, op) in block.ops.iter().enumerate() {
                self.op(op);
                match op.kind {
                    OpKind::MergePoint(portal, _) if n > 0 => {
                        self.bad("P1", format!("the merge point of {portal} is not first in its block"))
                    }
                    OpKind::CanEnterJit if n + 1 < block.ops.len() => {
                        self.bad("P2", "something follows can_enter_jit in its block")
                    }
                    OpKind::CanEnterJit => self.back_edge(block),
                    _ => {}
                }
            }
            self.terminator(&block.term);
        }
        self.merge_points();
    }

    // ---- lookup -------------------------------------------------------------------------------------------------

    fn ty(&self, value: ValueId) -> TypeId {
        self.graph.values[value.index()]
    }

    fn get(&self, ty: TypeId) -> &'a Type {
        self.program.types.get(ty)
    }

    fn text(&self, ty: TypeId) -> String {
        type_text(self.program, ty)
    }

    fn scalars(&self, ty: TypeId) -> Vec<Kind> {
        self.program.types.scalars(ty).unwrap_or_default()
    }

    fn is_word(&self, value: ValueId) -> bool {
        self.scalars(self.ty(value)) == [Kind::Word]
    }

    // ---- structure ----------------------------------------------------------------------------------------------

    fn existence(&mut self, block: &Block) {
        let values = self.graph.values.len();
        let mut uses: Vec<ValueId> = block.params.clone();
        for op in &block.ops {
            uses.extend(op.result);
            uses.extend(op.kind.uses());
        }
        uses.extend(block.term.uses());
        for value in uses {
            if value.index() >= values {
                self.bad("S1", format!("there is no {value}"));
            }
        }
        for target in block.term.targets() {
            if target.block.index() >= self.graph.blocks.len() {
                self.bad("S1", format!("there is no {}", target.block));
            }
            if target.block.index() == 0 {
                self.bad("S4", "the entry block is a target");
            }
        }
        for op in &block.ops {
            let missing = match &op.kind {
                OpKind::SlotAddr(slot) => slot.index() >= self.graph.slots.len(),
                OpKind::LoadTime(id) => id.index() >= self.program.load_times.len(),
                OpKind::MergePoint(id, _) => id.index() >= self.program.portals.len(),
                OpKind::Call(callee, _) => !self.callee_exists(*callee),
                _ => false,
            };
            if missing {
                self.bad("S1", format!("{:?} mentions what does not exist", op.kind));
            }
        }
        if let Terminator::Invoke { callee, .. } = block.term
            && !self.callee_exists(callee)
        {
            self.bad("S1", format!("there is no {callee:?}"));
        }
    }

    fn callee_exists(&self, callee: Callee) -> bool {
        match callee {
            Callee::Func(id) => id.index() < self.program.funcs.len(),
            Callee::Extern(id) => id.index() < self.program.externs.len(),
        }
    }

    fn entry(&mut self) {
        self.at = format!("`{}` b0", self.func.name);
        let params: Vec<TypeId> = self.graph.blocks[0].params.iter().map(|&p| self.ty(p)).collect();
        self.signature("S2", &params, &self.func.params, self.func.ret);
    }

    /// Checks the types of values handed over as `params`, with a result of type `ret`.
    fn signature(&mut self, rule: &'static str, given: &[TypeId], params: &[TypeId], ret: TypeId) {
        let by_address = self.program.types.is_memory(ret);
        let expected: Vec<TypeId> =
            by_address.then_some(ret).into_iter().chain(params.iter().copied()).collect();
        self.handed_over(rule, given, &expected);
    }

    fn handed_over(&mut self, rule: &'static str, given: &[TypeId], expected: &[TypeId]) {
        if given.len() != expected.len() {
            return self
                .bad(rule, format!("{} parameters where {} are expected", given.len(), expected.len()));
        }
        for (&given, &expected) in given.iter().zip(expected) {
            let fits = match self.program.types.is_memory(expected) {
                true => self.program.types.pointee(given) == Some(expected),
                false => given == expected,
            };
            if !fits {
                self.bad(rule, format!("{} where {} is expected", self.text(given), self.text(expected)));
            }
        }
    }

    fn dominance(&mut self) {
        let dominators = Dominators::of(self.graph);
        let mut definition: Vec<Option<(usize, usize)>> = vec![None; self.graph.values.len()];
        for (index, block) in self.graph.blocks.iter().enumerate() {
            self.at = format!("`{}` b{index}", self.func.name);
            if !dominators.reachable(index) {
                self.bad("S4", "the block cannot be reached");
            }
            let params = block.params.iter().map(|&p| (p, 0));
            let results = block.ops.iter().enumerate().filter_map(|(n, op)| Some((op.result?, n + 1)));
            for (value, place) in params.chain(results) {
                if definition[value.index()].replace((index, place)).is_some() {
                    self.bad("S3", format!("{value} is defined twice"));
                }
            }
        }
        for (index, block) in self.graph.blocks.iter().enumerate() {
            self.at = format!("`{}` b{index}", self.func.name);
            let of_ops = block
                .ops
                .iter()
                .enumerate()
                .flat_map(|(n, op)| op.kind.uses().into_iter().map(move |v| (v, n + 1)));
            let of_end = block.term.uses().into_iter().map(|v| (v, block.ops.len() + 1));
            for (value, place) in of_ops.chain(of_end) {
                let fits = match definition[value.index()] {
                    None => false,
                    Some((at, n)) if at == index => n < place,
                    Some((at, _)) => dominators.dominates(at, index),
                };
                if !fits {
                    self.bad("S3", format!("{value} is used where it is not defined"));
                }
            }
        }
        self.unwinding();
    }

    /// S6: the blocks reached without unwinding do not resume it.
    fn unwinding(&mut self) {
        let mut seen = vec![false; self.graph.blocks.len()];
        let mut pending = vec![0];
        while let Some(index) = pending.pop() {
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            let term = &self.graph.blocks[index].term;
            match term {
                Terminator::ResumeUnwind => {
                    self.at = format!("`{}` b{index}", self.func.name);
                    self.bad("S6", "resume_unwind where nothing unwinds");
                }
                Terminator::Invoke { normal, .. } => pending.push(normal.block.index()),
                _ => pending.extend(term.targets().iter().map(|t| t.block.index())),
            }
        }
    }

    fn target(&mut self, target: &Target, extra: Option<TypeId>) {
        let params = &self.graph.blocks[target.block.index()].params;
        let given: Vec<TypeId> = target.args.iter().map(|&a| self.ty(a)).chain(extra).collect();
        if given.len() != params.len() {
            return self
                .bad("S5", format!("{} has {} parameters, not {}", target.block, params.len(), given.len()));
        }
        for (given, &param) in given.into_iter().zip(params) {
            if given != self.ty(param) {
                let message = format!("{param} of {} is given {}", target.block, self.text(given));
                self.bad("S5", message);
            }
        }
    }

    fn terminator(&mut self, term: &Terminator) {
        match term {
            Terminator::Invoke { callee, args, normal, unwind } => {
                let ret = self.call(*callee, args);
                self.target(normal, ret);
                self.target(unwind, None);
                return;
            }
            Terminator::Return(value) => {
                let ret = self.func.ret;
                let is_unit = matches!(self.get(self.ty(*value)), Type::Tuple(parts) if parts.is_empty());
                let fits = if self.program.types.is_memory(ret) { is_unit } else { self.ty(*value) == ret };
                if !fits {
                    self.bad("T8", format!("{} is returned", self.text(self.ty(*value))));
                }
            }
            Terminator::If(value, ..) if !self.is_word(*value) => {
                self.bad("T9", format!("{value} is no condition"));
            }
            Terminator::Switch { value, cases, .. } => self.switch(*value, cases),
            _ => {}
        }
        for target in term.targets() {
            self.target(target, None);
        }
    }

    fn switch(&mut self, value: ValueId, cases: &[(u64, Target)]) {
        if !self.is_word(value) {
            return self.bad("T9", format!("{value} is no word"));
        }
        for (n, &(bits, _)) in cases.iter().enumerate() {
            if cases[..n].iter().any(|&(other, _)| other == bits) {
                self.bad("S7", format!("the case {bits} stands twice"));
            }
            if !self.is_canonical(self.ty(value), bits) {
                self.bad("S7", format!("the case {bits} is not canonical"));
            }
        }
    }

    fn is_canonical(&self, ty: TypeId, bits: u64) -> bool {
        match *self.get(ty) {
            Type::Bool => bits <= 1,
            Type::Char => u32::try_from(bits).is_ok_and(|c| char::from_u32(c).is_some()),
            Type::F32 => bits <= u64::from(u32::MAX),
            Type::Int { bits: width @ (8 | 16 | 32), signed, .. } => {
                let shift = 64 - u32::from(width);
                let extended =
                    if signed { ((bits << shift) as i64 >> shift) as u64 } else { bits << shift >> shift };
                extended == bits
            }
            _ => true,
        }
    }

    // ---- operations ---------------------------------------------------------------------------------------------

    fn op(&mut self, op: &Op) {
        let result = op.result.map(|r| self.ty(r));
        match (&op.kind, result) {
            (OpKind::Const(bits), Some(ty)) => {
                let fits = self.scalars(ty).len() == 1 && self.is_canonical(ty, *bits);
                if !fits && *bits != 0 {
                    self.bad("T3", format!("{bits} is no constant of type {}", self.text(ty)));
                }
            }
            (OpKind::LoadTime(id), Some(ty)) => {
                if self.scalars(ty) != [Kind::Word] {
                    self.bad("T3", format!("{id} is no {}", self.text(ty)));
                }
            }
            (OpKind::Pure(pure, args), Some(ty)) => self.pure(*pure, args, ty),
            (OpKind::Retype(value), Some(ty)) => {
                if self.scalars(self.ty(*value)) != self.scalars(ty) {
                    self.bad("T3", format!("{value} has other scalars than {}", self.text(ty)));
                }
            }
            (OpKind::Make { variant, fields }, Some(ty)) => self.make(ty, *variant, fields),
            (OpKind::Extract { value, variant, field }, Some(ty)) => {
                let from = self.ty(*value);
                if self.fields(from, *variant).and_then(|f| f.get(*field as usize).copied()) != Some(ty) {
                    self.bad(
                        "T4",
                        format!("{} has no such field of type {}", self.text(from), self.text(ty)),
                    );
                }
            }
            (OpKind::VariantOf(value), Some(ty)) => {
                if !self.is_enum(self.ty(*value)) || !self.is_usize(ty) {
                    self.bad("T4", format!("{value} is no enum, or the result no usize"));
                }
            }
            (OpKind::MakeFat { address, len }, Some(ty)) => {
                if !self.is_fat(ty) || !self.is_word(*address) || !self.is_usize(self.ty(*len)) {
                    self.bad("T5", "not the parts of a fat pointer");
                }
            }
            (OpKind::FatAddress(value), Some(ty)) => {
                if !self.is_fat(self.ty(*value)) || self.scalars(ty) != [Kind::Word] {
                    self.bad("T5", format!("{value} is no fat pointer"));
                }
            }
            (OpKind::FatLen(value), Some(ty)) => {
                if !self.is_fat(self.ty(*value)) || !self.is_usize(ty) {
                    self.bad("T5", format!("{value} is no fat pointer"));
                }
            }
            (OpKind::SlotAddr(slot), Some(ty)) => {
                if self.program.types.pointee(ty) != Some(self.graph.slots[slot.index()].ty) {
                    self.bad("T7", format!("{slot} is of another type"));
                }
            }
            (OpKind::Promote(value), Some(ty)) if self.ty(*value) == ty => {}
            (OpKind::AssertGreen(_), None) => {}
            (OpKind::RecordExact(value, known), None) if self.ty(*value) == self.ty(*known) => {}
            (OpKind::TraceLength, Some(_)) => {}
            (OpKind::WeAreJitted | OpKind::IsConstant(_) | OpKind::IsVirtual(_), Some(ty))
                if *self.get(ty) == Type::Bool => {}
            (OpKind::Call(callee, args), result) => {
                let ret = self.call(*callee, args);
                if ret != result {
                    self.bad("T8", "the call yields something else");
                }
            }
            (OpKind::MergePoint(portal, args), None) => self.merge_point(*portal, args),
            (OpKind::CanEnterJit, None) => {}
            (kind, result) => self.memory_op(kind, result),
        }
    }

    fn memory_op(&mut self, kind: &OpKind, result: Option<TypeId>) {
        match (kind, result) {
            (OpKind::Ref(place), Some(ty)) => {
                let at = self.place(place);
                if at.is_some() && self.program.types.pointee(ty) != at {
                    self.bad("T7", format!("the address of a place as {}", self.text(ty)));
                }
            }
            (OpKind::Load(place), Some(ty)) => {
                let at = self.place(place);
                if at.is_some() && at != Some(ty) {
                    self.bad("T7", format!("{} is loaded from another type", self.text(ty)));
                }
            }
            (OpKind::LoadVariant(place), Some(ty)) => {
                let at = self.place(place);
                if at.is_some_and(|at| !self.is_enum(at)) || !self.is_usize(ty) {
                    self.bad("T7", "the variant of what is no enum");
                }
            }
            (OpKind::Store(place, value), None) => {
                let at = self.place(place);
                if at.is_some() && at != Some(self.ty(*value)) {
                    self.bad("T7", format!("{value} is stored to another type"));
                }
            }
            (OpKind::CopyMemory { to, from, ty }, None) => {
                if self.place(to).is_some_and(|at| at != *ty) || self.place(from).is_some_and(|at| at != *ty)
                {
                    self.bad("T7", "memory is copied as another type");
                }
            }
            (OpKind::DropInPlace(place, ty), None) => {
                if self.place(place).is_some_and(|at| at != *ty) {
                    self.bad("T7", "a place is dropped as another type");
                }
            }
            (OpKind::New(_), Some(ty)) => {
                if !matches!(self.get(ty), Type::RawPtr { mutable: true, .. }) || self.is_fat(ty) {
                    self.bad("T7", "memory is allocated as something else than a `*mut`");
                }
            }
            (OpKind::NewArray(_, length), Some(ty)) => {
                let is_pointer = matches!(self.get(ty), Type::RawPtr { mutable: true, .. });
                if !is_pointer || self.is_fat(ty) || !self.is_usize(self.ty(*length)) {
                    self.bad("T7", "elements are allocated as something else than a `*mut`, by a usize");
                }
            }
            (OpKind::Free(value) | OpKind::FreeArray { pointer: value, .. }, None) => {
                if !matches!(self.get(self.ty(*value)), Type::RawPtr { .. }) || self.is_fat(self.ty(*value)) {
                    self.bad("T7", format!("{value} is no raw pointer to memory"));
                }
                if let OpKind::FreeArray { length, .. } = kind
                    && !self.is_usize(self.ty(*length))
                {
                    self.bad("T7", format!("{length} is no number of elements"));
                }
            }
            (OpKind::QuasiImmut { link, value }, Some(ty)) => {
                let points = |ty| self.program.types.pointee(ty);
                let fits = points(self.ty(*link)).is_some() && points(self.ty(*value)) == points(ty);
                if !fits || points(ty).is_none() {
                    self.bad("T7", "a quasi-immutable value whose pointer is of another type");
                }
            }
            (OpKind::Barrier { address, holds }, None) => {
                if !self.is_word(*address) || !self.is_word(*holds) {
                    self.bad("T7", "a barrier of something else than a pointer and a scalar");
                }
            }
            (kind, _) => {
                self.bad("T7", format!("{kind:?} has a result where it must not, or none, or a wrong one"))
            }
        }
    }

    fn pure(&mut self, pure: metatrace_defs::PureOp, args: &[ValueId], ty: TypeId) {
        let row = pure.row();
        let kinds: Vec<Vec<Kind>> = args.iter().map(|&a| self.scalars(self.ty(a))).collect();
        if kinds.len() != row.operands.len()
            || kinds.iter().zip(row.operands).any(|(have, want)| *have != [*want])
        {
            self.bad("T2", format!("operands of {pure}"));
        }
        if self.scalars(ty) != [row.result] {
            self.bad("T2", format!("result of {pure}"));
        }
    }

    fn make(&mut self, ty: TypeId, variant: u32, fields: &[ValueId]) {
        let given: Vec<TypeId> = fields.iter().map(|&f| self.ty(f)).collect();
        if self.fields(ty, variant) != Some(given) {
            self.bad("T4", format!("not the fields of {}", self.text(ty)));
        }
    }

    /// The types of the fields of a variant, or of a struct, tuple, array or closure.
    fn fields(&self, ty: TypeId, variant: u32) -> Option<Vec<TypeId>> {
        match self.get(ty) {
            Type::Adt(adt) => {
                let variant = adt.variants.get(variant as usize)?;
                Some(variant.fields.iter().map(|f| f.ty).collect())
            }
            _ if variant > 0 => None,
            Type::Tuple(parts) | Type::Closure { captures: parts, .. } => Some(parts.clone()),
            Type::Array(elem, len) => Some(vec![*elem; usize::try_from(*len).ok()?]),
            Type::Vec(_) | Type::String => {
                Some((0..3).filter_map(|n| self.step(ty, &Proj::Field(n))).collect())
            }
            _ => None,
        }
    }

    fn is_enum(&self, ty: TypeId) -> bool {
        matches!(self.get(ty), Type::Adt(adt) if adt.is_enum)
    }

    fn is_usize(&self, ty: TypeId) -> bool {
        matches!(self.get(ty), Type::Int { size: true, signed: false, .. })
    }

    fn is_fat(&self, ty: TypeId) -> bool {
        self.program.types.pointee(ty).is_some_and(|to| self.program.types.is_unsized(to))
    }

    /// The type of a place, if it is one.
    fn place(&mut self, place: &Place) -> Option<TypeId> {
        for step in &place.path {
            if let Proj::Index(index) = step
                && !self.is_usize(self.ty(*index))
            {
                self.bad("T6", format!("the index {index} is no usize"));
            }
        }
        let Some(mut at) = self.program.types.pointee(self.ty(place.base)) else {
            self.bad("T6", format!("{} is no pointer", place.base));
            return None;
        };
        for (n, step) in place.path.iter().enumerate() {
            let offset = n == 0
                && matches!(step, Proj::Index(_))
                && !matches!(self.get(at), Type::Array(..) | Type::Slice(_));
            if offset && !self.program.types.is_unsized(at) {
                continue;
            }
            match self.step(at, step) {
                Some(next) => at = next,
                None => {
                    self.bad("T6", format!("{} has no part {step:?}", self.text(at)));
                    return None;
                }
            }
        }
        Some(at)
    }

    fn step(&self, at: TypeId, step: &Proj) -> Option<TypeId> {
        match (step, self.get(at)) {
            (Proj::Index(_), Type::Array(elem, _) | Type::Slice(elem)) => Some(*elem),
            (Proj::Field(n), Type::Tuple(parts) | Type::Closure { captures: parts, .. }) => {
                parts.get(*n as usize).copied()
            }
            (Proj::Field(n), Type::Adt(adt)) if !adt.is_enum => {
                adt.variants[0].fields.get(*n as usize).map(|f| f.ty)
            }
            (Proj::Field(n), Type::Vec(_) | Type::String) => self.program.types.container_field(at, *n),
            (Proj::Variant { variant, field }, Type::Adt(adt)) if adt.is_enum => {
                adt.variants.get(*variant as usize)?.fields.get(*field as usize).map(|f| f.ty)
            }
            _ => None,
        }
    }

    /// Checks a call: the type of what it yields.
    fn call(&mut self, callee: Callee, args: &[ValueId]) -> Option<TypeId> {
        let (params, ret) = match callee {
            Callee::Func(id) => (&self.program.func(id).params, self.program.func(id).ret),
            Callee::Extern(id) => (&self.program.extern_fn(id).params, self.program.extern_fn(id).ret),
        };
        let given: Vec<TypeId> = args.iter().map(|&a| self.ty(a)).collect();
        self.signature("T8", &given, params, ret);
        self.program.types.returns_value(ret).then_some(ret)
    }

    // ---- portals ------------------------------------------------------------------------------------------------

    fn merge_point(&mut self, portal: PortalId, args: &[ValueId]) {
        if self.program.portals[portal.index()].func != self.id {
            return self.bad("P1", format!("{portal} has another function"));
        }
        let given: Vec<TypeId> = args.iter().map(|&a| self.ty(a)).collect();
        self.handed_over("P1", &given, &self.func.params.clone());
    }

    fn merge_points(&mut self) {
        let ops = || self.graph.blocks.iter().flat_map(|b| &b.ops);
        let merges = ops().filter(|op| matches!(op.kind, OpKind::MergePoint(..))).count();
        let enters = ops().filter(|op| matches!(op.kind, OpKind::CanEnterJit)).count();
        self.at = format!("`{}`", self.func.name);
        if merges > 1 {
            self.bad("P1", format!("{merges} merge points"));
        }
        if enters > 0 && merges == 0 {
            self.bad("P2", "can_enter_jit without a merge point");
        }
    }

    /// P2: from a block that ends with `can_enter_jit` to the merge point.
    fn back_edge(&mut self, from: &Block) {
        let mut block = from;
        for _ in 0..self.graph.blocks.len() {
            let Terminator::Goto(target) = &block.term else {
                return self.bad("P2", "can_enter_jit is not followed by a jump");
            };
            block = &self.graph.blocks[target.block.index()];
            match block.ops.first().map(|op| &op.kind) {
                Some(OpKind::MergePoint(..)) => return,
                Some(_) => {
                    return self
                        .bad("P2", format!("{} between can_enter_jit and the merge point", target.block));
                }
                None => {}
            }
        }
        self.bad("P2", "can_enter_jit leads to no merge point");
    }
}

/// Which blocks dominate which.
pub struct Dominators {
    /// The immediate dominator, by block; none for blocks that cannot be reached.
    parent: Vec<Option<usize>>,
    /// The position in reverse postorder.
    order: Vec<usize>,
}

impl Dominators {
    /// Computes them by iterating to a fixed point in reverse postorder.
    pub fn of(graph: &Graph) -> Dominators {
        let postorder = postorder(graph);
        let mut order = vec![usize::MAX; graph.blocks.len()];
        for (n, block) in postorder.iter().rev().enumerate() {
            order[block.index()] = n;
        }
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); graph.blocks.len()];
        for &block in &postorder {
            for target in graph.blocks[block.index()].term.targets() {
                before[target.block.index()].push(block.index());
            }
        }
        let mut d = Dominators { parent: vec![None; graph.blocks.len()], order };
        d.parent[0] = Some(0);
        let mut changed = true;
        while changed {
            changed = false;
            for block in postorder.iter().rev().skip(1) {
                let known = before[block.index()].iter().copied().filter(|&b| d.parent[b].is_some());
                let new = known.reduce(|a, b| d.common(a, b));
                if d.parent[block.index()] != new {
                    d.parent[block.index()] = new;
                    changed = true;
                }
            }
        }
        d
    }

    fn common(&self, mut a: usize, mut b: usize) -> usize {
        while a != b {
            if self.order[a] > self.order[b] {
                a = self.parent[a].unwrap_or(0);
            } else {
                b = self.parent[b].unwrap_or(0);
            }
        }
        a
    }

    /// Whether the block can be reached from the entry.
    pub fn reachable(&self, block: usize) -> bool {
        self.parent[block].is_some()
    }

    /// Whether every way to `b` leads through `a`.
    pub fn dominates(&self, a: usize, mut b: usize) -> bool {
        loop {
            if a == b {
                return true;
            }
            match self.parent[b] {
                Some(next) if next != b => b = next,
                _ => return false,
            }
        }
    }
}

/// Whether control can come back to a block.
pub fn has_loop(graph: &Graph) -> bool {
    let mut number = vec![0; graph.blocks.len()];
    for (n, block) in postorder(graph).into_iter().enumerate() {
        number[block.index()] = n;
    }
    // In an order where each block comes after all that it leads to, only a loop leads back.
    graph.blocks.iter().enumerate().any(|(index, block)| {
        block.term.targets().iter().any(|target| number[target.block.index()] >= number[index])
    })
}

/// The blocks that can be reached, each after all that it leads to (but for loops).
pub fn postorder(graph: &Graph) -> Vec<BlockId> {
    let mut out = Vec::new();
    let mut seen = vec![false; graph.blocks.len()];
    let mut stack = vec![(0, 0)];
    seen[0] = true;
    while let Some((block, next)) = stack.pop() {
        let targets = graph.blocks[block].term.targets();
        match targets.get(next) {
            None => out.push(BlockId::new(block)),
            Some(target) => {
                stack.push((block, next + 1));
                let index = target.block.index();
                if !std::mem::replace(&mut seen[index], true) {
                    stack.push((index, 0));
                }
            }
        }
    }
    out
}
