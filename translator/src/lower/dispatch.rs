//! Dispatchers: functions that call what a trait object's method or a function pointer is.
//!
//! In: a method of a trait object's type, or a function pointer's type. Out: the graph of a function with the same
//! parameters and result, which
//!
//! - promotes the address of the vtable, or of the function: in a trace it is a constant from there on, and where it was
//!   read from frozen memory it is one already;
//! - asks the runtime which of the implementations that can be seen has claimed it. Addresses are hints: one type may have
//!   several vtables and two functions one address, so the runtime compares what the tables hold, and answers 0 to
//!   what nobody or more than one claimed;
//! - calls that implementation, which can be looked inside; or, for 0, the native dispatch.
//!
//! Candidates of a method are the impls of the trait in the user's crates for types without parameters; of a function
//! pointer, the functions without parameters in modules with glue whose types fit.

use crate::flow::types::{Type, TypeId};
use crate::flow::{
    Callee, Extern, Func, FuncAttrs, FuncId, Graph, LoadTimeValue, ModuleId, OpKind, Pos, Terminator, ValueId,
};
use crate::items::{Container, FnKind, Origin, Predicate};
use crate::lower::build::Builder;
use crate::lower::native::Helper;
use crate::lower::{Cx, Key};
use crate::program::Instance;
use crate::ty::{Args, FnId, ImplId, TraitId, Ty, TyKind};
use metatrace_defs::PureOp;

/// The most candidates that a dispatcher tells apart.
const MAX_CANDIDATES: usize = 256;

/// What may be behind a pointer.
struct Candidate {
    key: (FnId, Args),
    /// Evaluates to the address that stands for it, and claims it.
    claim: LoadTimeValue,
    /// The type of the receiver, where it is another than the dispatcher's.
    receiver: Option<Ty>,
}

impl Cx<'_> {
    /// Parameters and result of a method for a receiver's type.
    fn method_types(&mut self, method: FnId, args: Args) -> (Vec<Ty>, Ty) {
        let sig = self.program.fn_def(method).sig.subst(args);
        let params = sig.params.iter().map(|&p| self.program.normalize(p)).collect();
        (params, self.program.normalize(sig.result))
    }

    /// The header of the dispatcher for a method of a trait object; none if native code cannot call it.
    pub(super) fn virtual_header(&mut self, method: FnId, args: Args) -> Option<Func> {
        let (params, ret) = self.method_types(method, args);
        let list: Vec<String> =
            params.iter().enumerate().map(|(n, &t)| format!("a{n}: {}", self.spell(t))).collect();
        let names: Vec<String> = (0..params.len()).map(|n| format!("a{n}")).collect();
        let call = match self.closure_object(args[0]) {
            // The methods of the closure traits cannot be named.
            Some(arity) => {
                let parts: Vec<String> = (0..arity).map(|n| format!("a1.{n}")).collect();
                format!("(*a0)({})", parts.join(", "))
            }
            None => format!("{}({})", self.spell_fn(method, args)?, names.join(", ")),
        };
        let rust = format!("|{}| -> {} {{ {call} }}", list.join(", "), self.spell(ret));
        let name = self.program.fn_def(method).name;
        let module = params.iter().chain([&ret]).map(|&t| self.module_of(t)).max();
        let module = module.unwrap_or(ModuleId(0)).max(self.module_of_fn(method, args));
        let name = format!("<{}>::{name}", self.spell(args[0]));
        params.iter().all(|&t| self.can_spell(t)).then(|| self.dispatcher(name, rust, module, &params, ret))
    }

    /// The number of arguments, if the type is `dyn Fn(…)` or the like.
    pub(super) fn closure_object(&self, ty: Ty) -> Option<usize> {
        let TyKind::Dyn(id, args, _) = *ty.kind() else { return None };
        let is_one = ["Fn", "FnMut"].into_iter().any(|name| self.program.lang_trait(name) == Some(id));
        match args.first().map(|ty| *ty.kind()) {
            Some(TyKind::Tuple(parts)) if is_one => Some(parts.len()),
            _ => None,
        }
    }

    /// The header of the dispatcher for a function pointer: its first parameter is the pointer.
    pub(super) fn pointer_header(&mut self, ty: Ty) -> Func {
        let TyKind::FnPtr(all) = *ty.kind() else { panic!("{ty:?} is no function pointer") };
        let (&ret, params) = all.split_last().expect("a function pointer type ends with its result");
        let params: Vec<Ty> = [ty].into_iter().chain(params.iter().copied()).collect();
        let list: Vec<String> =
            params.iter().enumerate().map(|(n, &t)| format!("a{n}: {}", self.spell(t))).collect();
        let rest: Vec<String> = (1..params.len()).map(|n| format!("a{n}")).collect();
        let rust = format!("|{}| -> {} {{ a0({}) }}", list.join(", "), self.spell(ret), rest.join(", "));
        let module = self.module_of(ty);
        let name = self.spell(ty);
        self.dispatcher(name, rust, module, &params, ret)
    }

    fn dispatcher(&mut self, name: String, rust: String, module: ModuleId, params: &[Ty], ret: Ty) -> Func {
        Func {
            name,
            rust: Some(rust),
            module,
            params: self.tys(params),
            ret: self.ty(ret),
            attrs: FuncAttrs::default(),
            pos: Pos::default(),
            body: Err("not lowered".to_string()),
        }
    }

    /// The graph of the dispatcher for a method.
    pub(super) fn virtual_graph(&mut self, id: FuncId, method: FnId, args: Args) -> Graph {
        let TyKind::Dyn(trait_id, ..) = *args[0].kind() else { panic!("a dispatcher for {:?}", args[0]) };
        let entries = self.vtable_entries(trait_id);
        let key = format!("{}::{}", self.spell(args[0]), self.program.fn_def(method).name);
        let candidates = self.implementations(method, args, trait_id, &key, entries);
        let find = format!("::metatrace::rt::known_vtable({key:?}, {entries}, address)");
        self.dispatch(id, candidates, find)
    }

    /// The graph of the dispatcher for a function pointer.
    pub(super) fn pointer_graph(&mut self, id: FuncId, ty: Ty) -> Graph {
        let pointer = self.spell(ty);
        let candidates = self.functions(ty, &pointer);
        let find = format!("::metatrace::rt::known_function({pointer:?}, address)");
        self.dispatch(id, candidates, find)
    }

    fn implementations(
        &mut self,
        method: FnId,
        args: Args,
        trait_id: TraitId,
        key: &str,
        entries: usize,
    ) -> Vec<Candidate> {
        let object = self.spell(args[0]);
        let impls: Vec<ImplId> =
            self.program.impls_of_trait.borrow().get(&trait_id).cloned().unwrap_or_default();
        let mut out = Vec::new();
        for id in impls {
            let def = self.program.impl_def(id);
            let ty = self.program.normalize(def.self_ty);
            if def.origin != Origin::User || !def.generics.params.is_empty() || !self.can_spell(ty) {
                continue;
            }
            if !self.program.is_sized(ty) || out.len() == MAX_CANDIDATES {
                continue;
            }
            let mut all = args.to_vec();
            all[0] = ty;
            let all = crate::ty::intern_list(&all);
            let Ok(Instance::Fn(callee, callee_args)) = self.program.resolve_instance(method, all) else {
                continue;
            };
            let Some(path) = self.spell_fn(method, all) else { continue };
            let sig = &self.program.fn_def(method).sig;
            let is_unsafe = if sig.is_unsafe { "unsafe " } else { "" };
            let pointer = format!("{is_unsafe}fn({}) -> _", vec!["_"; sig.params.len()].join(", "));
            let (source, number) = (self.spell(ty), out.len());
            let rust = format!(
                "{{ let p: *const ({object}) = ::core::ptr::null::<{source}>(); \
                 ::metatrace::rt::claim_vtable::<{source}>({key:?}, {number}, {entries}, \
                 unsafe {{ ::core::mem::transmute::<_, [u64; 2]>(p)[1] }}, {path} as {pointer} as usize) }}"
            );
            let module = self.module_of(ty).max(self.module_of(args[0]));
            let name = format!("vtable of {source} as {object}");
            let claim = LoadTimeValue { rust, module, name, frozen: false };
            out.push(Candidate { key: (callee, callee_args), claim, receiver: Some(ty) });
        }
        out
    }

    /// A number of methods that every vtable of the trait has, those of supertraits included.
    fn vtable_entries(&self, id: TraitId) -> usize {
        let def = self.program.trait_def(id);
        if def.origin != Origin::User {
            // Of others only some methods are known; these have one.
            return usize::from(matches!(&*def.name, "Debug" | "Display"));
        }
        let own = def.generics.params.len();
        let in_table = |id: FnId| {
            let method = self.program.fn_def(id);
            let is_sized = |predicate: &Predicate| match predicate {
                Predicate::Trait(bound) => {
                    Some(bound.trait_id) == self.program.lang_trait("Sized")
                        && matches!(bound.args[0].kind(), TyKind::Param(0, _))
                }
                Predicate::Projection(..) => false,
            };
            let is_generic = method.generics.params.len() != own;
            method.has_self && !is_generic && !method.generics.predicates.iter().any(is_sized)
        };
        let inherited = def.supertraits.iter().map(|predicate| match predicate {
            Predicate::Trait(bound) => self.vtable_entries(bound.trait_id),
            Predicate::Projection(..) => 0,
        });
        inherited.sum::<usize>() + def.methods.iter().filter(|(_, id)| in_table(*id)).count()
    }

    fn functions(&mut self, ty: Ty, pointer: &str) -> Vec<Candidate> {
        let TyKind::FnPtr(all) = *ty.kind() else { return Vec::new() };
        let mut out = Vec::new();
        for index in 0..self.program.fn_count() {
            let id = FnId::new(index);
            let Some(def) = self.program.fns.try_get(index) else { continue };
            let fits = def.origin == Origin::User
                && def.kind == FnKind::Source
                && def.generics.params.is_empty()
                && !def.in_body
                && !matches!(def.container, Container::Trait(_))
                && all.split_last() == Some((&def.sig.result, &def.sig.params[..]))
                && !def.has_hint("dont_look_inside")
                && !def.has_hint("reads_only")
                && !def.has_hint("elidable");
            let module = if fits { self.module_of_fn(id, &[]) } else { continue };
            if !self.out.modules[module.index()].has_glue || out.len() == MAX_CANDIDATES {
                continue;
            }
            let Some(path) = self.spell_fn(id, &[]) else { continue };
            let number = out.len();
            let rust = format!(
                "::metatrace::rt::claim_function({pointer:?}, {number}, ({path} as {pointer}) as usize as u64)"
            );
            let claim = LoadTimeValue { rust, module, name: format!("address of {path}"), frozen: false };
            out.push(Candidate { key: (id, &[]), claim, receiver: None });
        }
        out
    }

    fn dispatch(&mut self, id: FuncId, candidates: Vec<Candidate>, find: String) -> Graph {
        let func = self.out.func(id).clone();
        let mut b = Builder::new();
        let (usize, bool, unit) = (self.usize(), self.bool(), self.unit());
        let is_memory = |cx: &Self, ty| cx.out.types.is_memory(ty);
        let to = is_memory(self, func.ret).then(|| {
            let pointer = self.ptr_to(func.ret);
            b.param(pointer)
        });
        let mut params = Vec::new();
        for &ty in &func.params {
            let ty = if is_memory(self, ty) { self.ptr_to(ty) } else { ty };
            params.push(b.param(ty));
        }
        let receiver = params[0];
        let is_object = self.out.types.scalars(func.params[0]).is_some_and(|scalars| scalars.len() == 2);
        let address = if is_object {
            b.op(usize, OpKind::FatLen(receiver))
        } else {
            b.op(usize, OpKind::Retype(receiver))
        };
        let address = b.op(usize, OpKind::Promote(address));
        let helper = Helper {
            name: "known address",
            rust: format!("|address: usize| -> usize {{ {find} }}"),
            module: self.home,
            params: vec![usize],
            ret: usize,
            can_panic: false,
            elidable: true,
        };
        let helper = self.helper(helper);
        let known = b.op(usize, OpKind::Call(Callee::Extern(helper), vec![address]));
        let mut arms = Vec::new();
        for candidate in candidates {
            let claim = self.load_time(candidate.claim);
            let claim = b.op(usize, OpKind::LoadTime(claim));
            let is_it = b.pure(bool, PureOp::IntEq, &[known, claim]);
            let (yes, no) = (b.new_block(), b.new_block());
            b.branch(is_it, yes, no);
            arms.push((yes, candidate.key, candidate.receiver));
            b.seal_and_switch(no);
        }
        let native = Extern {
            name: func.name.clone(),
            rust: func.rust.clone().unwrap_or_default(),
            module: func.module,
            params: func.params.clone(),
            ret: func.ret,
            attrs: FuncAttrs::default(),
            can_panic: true,
            is_helper: false,
            touches: None,
        };
        let native = self.extern_fn(native);
        self.tail_call(&mut b, Callee::Extern(native), to, params.clone(), func.ret, unit);
        for (block, (callee, args), ty) in arms {
            b.seal_and_switch(block);
            let mut operands = if is_object { params.clone() } else { params[1..].to_vec() };
            if let Some(ty) = ty {
                let Type::Ref { mutable, .. } = *self.out.types.get(func.params[0]) else {
                    panic!("a method of a trait object that does not borrow it");
                };
                let flow = self.ty(ty);
                let thin = self.ref_to(flow, mutable);
                operands[0] = b.op(thin, OpKind::FatAddress(receiver));
            }
            let callee = self.instance(Key::Fn(callee, args), Some(id));
            self.tail_call(&mut b, Callee::Func(callee), to, operands, func.ret, unit);
        }
        b.finish()
    }

    fn tail_call(
        &mut self,
        b: &mut Builder,
        callee: Callee,
        to: Option<ValueId>,
        mut args: Vec<ValueId>,
        ret: TypeId,
        unit: TypeId,
    ) {
        args.splice(0..0, to);
        if self.out.types.returns_value(ret) {
            let value = b.op(ret, OpKind::Call(callee, args));
            b.end(Terminator::Return(value));
            return;
        }
        b.effect(OpKind::Call(callee, args));
        if *self.out.types.get(ret) == Type::Never {
            b.end(Terminator::Unreachable);
        } else {
            let value = b.constant(unit, 0);
            b.end(Terminator::Return(value));
        }
    }
}
