//! Calls: of functions that are looked inside, of native code, and of generated accessors.

use metatrace_defs::descr::{CallDescr, Flags, call_flag};
use metatrace_defs::inst::ControlOp;
use metatrace_defs::{CallId, Kind};
use metatrace_translator::flow::types::{Type, TypeId};
use metatrace_translator::flow::{self, Callee, FuncAttrs, Place, ValueId};

use super::memory::Address;
use super::{Builder, Lowered};
use crate::layout::{is_native, reaches_own, short_name};
use crate::scalar::{Field, Src, Term};
use crate::tables::{Call, ShimKind, field_name};

impl Builder<'_> {
    /// A call, after which the block goes on.
    pub(super) fn call(&mut self, callee: Callee, args: &[ValueId]) -> Lowered<Vec<Src>> {
        let args = self.values(args);
        let (op, index, results) = match callee {
            Callee::Func(id) if self.cx.classes.is_inside(id) || self.is_portal(id) => {
                let ret = self.cx.program.func(id).ret;
                (ControlOp::InlineCall, self.cx.jitcodes.of(id), self.result_kinds(ret))
            }
            _ => {
                let call = self.native_call(callee)?;
                let results = self.cx.tables.calls[call.index()].results.clone();
                (ControlOp::ResidualCall, call.0, results)
            }
        };
        let regs: Vec<_> = results.into_iter().map(|kind| self.out.reg(kind)).collect();
        self.control(op, vec![Field::Index(index), Field::Sources(args), Field::Dsts(regs.clone())]);
        Ok(regs.into_iter().map(Src::Reg).collect())
    }

    /// Whether the function is a portal: the recorder decides whether a call of it is looked inside.
    fn is_portal(&self, id: flow::FuncId) -> bool {
        self.cx.program.portals.iter().any(|portal| portal.func == id)
    }

    /// A call that ends its block.
    pub(super) fn invoke(
        &mut self,
        callee: Callee,
        args: &[ValueId],
        normal: &flow::Target,
        unwind: &flow::Target,
    ) -> Lowered<()> {
        let results = self.call(callee, args)?;
        let mut normal = self.target(normal);
        let block = &self.out.blocks[normal.block.index()];
        // A result without scalars is an argument all the same, and one by address or never is none.
        if normal.args.len() < block.params.len() {
            normal.args.extend(results);
        }
        let unwind = self.target(unwind);
        self.end(Term::Caught(normal, unwind), self.current);
        Ok(())
    }

    /// The call descriptor of a callee that is not looked inside.
    fn native_call(&mut self, callee: Callee) -> Lowered<CallId> {
        let program = self.cx.program;
        let (name, params, ret, kind) = match callee {
            Callee::Func(id) => {
                let func = program.func(id);
                if func.rust.is_none() {
                    let why = self.cx.classes.why_outside(id);
                    return self
                        .refuse(format!("it calls `{}`, which has no name in Rust and {why}", func.name));
                }
                (&func.name, &func.params, func.ret, ShimKind::Func(id))
            }
            Callee::Extern(id) => {
                let callee = program.extern_fn(id);
                (&callee.name, &callee.params, callee.ret, ShimKind::Extern(id))
            }
        };
        let types = self.types();
        let mut kinds = Vec::new();
        if types.is_memory(ret) {
            kinds.push(Kind::Word);
        }
        for &param in params {
            match types.scalars(param) {
                Some(scalars) => kinds.extend(scalars),
                None => kinds.push(Kind::Word),
            }
        }
        let results = self.result_kinds(ret);
        self.check_signature(name, params, ret, &kinds, &results)?;
        let flags = match callee {
            Callee::Func(id) => {
                let func = program.func(id);
                flags(func.attrs, true, false, *types.get(ret) == Type::Never)
            }
            Callee::Extern(id) => {
                let callee = program.extern_fn(id);
                flags(callee.attrs, callee.can_panic, callee.is_helper, *types.get(ret) == Type::Never)
            }
        };
        let name = name.clone();
        let make = || Call { name, kind, wild: false, args: kinds, results, flags };
        Ok(self.cx.tables.call(kind, false, make))
    }

    /// Checks that a shim can be generated.
    fn check_signature(
        &self,
        name: &str,
        params: &[TypeId],
        ret: TypeId,
        args: &[Kind],
        results: &[Kind],
    ) -> Lowered<()> {
        let types = self.types();
        if let Some(ty) = params.iter().chain([&ret]).find_map(|&ty| reaches_own(types, ty)) {
            let ty = short_name(types, ty);
            let why = "which only code that is looked inside can work with";
            return self.refuse(format!("it calls `{name}`, which reaches a `{ty}`, {why}"));
        }
        let (most, have) = (CallDescr::MAX_ARGS, args.len());
        if have > most {
            return self
                .refuse(format!("it calls `{name}` with {have} words of arguments, more than {most}"));
        }
        let (most, have) = (CallDescr::MAX_RESULTS, results.len());
        if have > most {
            return self.refuse(format!("it calls `{name}`, which returns {have} words, more than {most}"));
        }
        Ok(())
    }

    /// A call of generated code that works on the value at an address; the address is the first argument.
    pub(super) fn accessor(
        &mut self,
        kind: ShimKind,
        address: &Address,
        args: &[Src],
        results: &[Kind],
    ) -> Lowered<Vec<Src>> {
        let wild = address.is_wild();
        let call = self.accessor_call(kind, wild, address.is_mutable, args, results)?;
        let regs: Vec<_> = results.iter().map(|&kind| self.out.reg(kind)).collect();
        let fields = vec![Field::Index(call.0), Field::Sources(args.to_vec()), Field::Dsts(regs.clone())];
        self.control(ControlOp::ResidualCall, fields);
        Ok(regs.into_iter().map(Src::Reg).collect())
    }

    fn accessor_call(
        &mut self,
        kind: ShimKind,
        wild: bool,
        is_mutable: bool,
        args: &[Src],
        results: &[Kind],
    ) -> Lowered<CallId> {
        let types = self.types();
        let (ty, name) = match kind {
            ShimKind::Load(ty) => (ty, format!("read {}", short_name(types, ty))),
            ShimKind::Store(ty) => (ty, format!("write {}", short_name(types, ty))),
            ShimKind::Variant(ty) => (ty, format!("variant of {}", short_name(types, ty))),
            ShimKind::Project(ty, variant, field) => {
                (ty, format!("address of {}", field_name(types, ty, variant, field)))
            }
            ShimKind::Drop(ty) => (ty, format!("drop {}", short_name(types, ty))),
            ShimKind::Copy(ty) => (ty, format!("copy {}", short_name(types, ty))),
            ShimKind::Func(_) | ShimKind::Extern(_) => panic!("{kind:?} is no accessor"),
        };
        if !is_native(types, ty) {
            return self.refuse(format!("it needs to {name}, which native code does not know"));
        }
        let kinds: Vec<Kind> = args.iter().map(|&src| self.out.kind(src)).collect();
        let words = types.scalars(ty).map_or(0, |scalars| scalars.len());
        let most = CallDescr::MAX_RESULTS.min(CallDescr::MAX_ARGS - 1);
        if words > most {
            return self.refuse(format!("it needs to {name} of {words} words, more than {most}"));
        }
        let flags = match kind {
            ShimKind::Drop(_) => call_flag::CAN_PANIC | call_flag::CAN_COLLECT,
            ShimKind::Project(..) => call_flag::ELIDABLE | call_flag::INTERIOR,
            ShimKind::Load(_) | ShimKind::Variant(_) if !is_mutable && types.data(ty).freeze => {
                call_flag::FROZEN_FOLDS
            }
            _ => 0,
        };
        let results = results.to_vec();
        // The flag must hold for every caller: reads of memory that may be in a cell are calls of their own.
        let wild = wild || is_mutable;
        Ok(self.cx.tables.call(kind, wild, || Call { name, kind, wild, args: kinds, results, flags }))
    }

    pub(super) fn drop_in_place(&mut self, place: &Place, ty: TypeId) -> Lowered<Vec<Src>> {
        let (address, _) = self.place(place)?;
        let base = self.materialise(&address);
        self.accessor(ShimKind::Drop(ty), &address, &[base], &[])
    }

    /// Copies by scalars where the type is small and has no enums, else by a call.
    pub(super) fn copy_memory(&mut self, to: &Place, from: &Place, ty: TypeId) -> Lowered<Vec<Src>> {
        let (from, _) = self.place(from)?;
        let (to, _) = self.place(to)?;
        if !is_native(self.types(), ty) || self.is_plain(ty) {
            self.copy_parts(&to, &from, ty)?;
            return Ok(vec![]);
        }
        self.copy_native(&to, &from, ty)
    }

    fn copy_native(&mut self, to: &Address, from: &Address, ty: TypeId) -> Lowered<Vec<Src>> {
        let args = [self.materialise(to), self.materialise(from)];
        let mut address = to.clone();
        address.is_mutable |= from.is_mutable;
        if from.reach == metatrace_defs::descr::Reach::Anything {
            address.reach = from.reach;
        }
        self.accessor(ShimKind::Copy(ty), &address, &args, &[])
    }

    /// Whether copying scalar by scalar keeps every byte that matters, in few instructions.
    fn is_plain(&self, ty: TypeId) -> bool {
        let types = self.types();
        let small = types.scalars(ty).is_some();
        small && !contains_enum(types, ty)
    }

    fn copy_parts(&mut self, to: &Address, from: &Address, ty: TypeId) -> Lowered<()> {
        if self.types().scalars(ty).is_some() {
            let scalars = self.load(from, ty)?;
            return self.store(to, ty, &scalars);
        }
        if is_native(self.types(), ty) {
            self.copy_native(to, from, ty)?;
            return Ok(());
        }
        if super::is_enum(self.types(), ty) {
            let name = short_name(self.types(), ty);
            return self.refuse(format!("it copies a `{name}`, a large enum that native code does not know"));
        }
        let (to, from) = (self.parts(to, ty), self.parts(from, ty));
        for ((to, ty), (from, _)) in to.iter().zip(&from) {
            self.copy_parts(to, from, *ty)?;
        }
        Ok(())
    }
}

fn contains_enum(types: &flow::types::Types, ty: TypeId) -> bool {
    match types.get(ty) {
        Type::Adt(adt) if adt.is_enum => true,
        Type::Adt(_) | Type::Tuple(_) | Type::Closure { .. } | Type::Array(..) => {
            types.get(ty).parts().into_iter().any(|part| contains_enum(types, part))
        }
        _ => false,
    }
}

fn flags(attrs: FuncAttrs, can_panic: bool, is_helper: bool, never: bool) -> Flags {
    let mut flags = 0;
    if can_panic {
        flags |= call_flag::CAN_PANIC;
    }
    if attrs.elidable {
        flags |= call_flag::ELIDABLE;
    } else if !is_helper {
        flags |= call_flag::CAN_COLLECT;
    }
    if attrs.loop_invariant {
        flags |= call_flag::LOOP_INVARIANT;
    }
    if attrs.not_in_trace {
        flags |= call_flag::NOT_IN_TRACE;
    }
    if attrs.conditional {
        flags |= call_flag::CONDITIONAL;
    }
    if never {
        flags |= call_flag::NEVER_RETURNS;
    }
    flags
}
