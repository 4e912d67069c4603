//! One function: its variables, parameters and result.
//!
//! Values of memory types are handled as pointers (`*mut T`) to memory that belongs to the value: an *operand* is an SSA
//! value of the type itself or, for a memory type, such a pointer. Whoever takes an operand may keep the memory or
//! copy from it, and the one who made it does not touch it again.

use crate::flow::types::{Type, TypeId};
use crate::flow::{FuncId, Graph, LoadTimeValue, OpKind, Place, PortalId, SlotId, Terminator, ValueId};
use crate::lower::build::{Builder, Var};
use crate::lower::escape::{BodyInfo, MAX_ELEMENTS, PartPath, RootKey, Step, array_steps, single_parts};
use crate::lower::place::{Base, PlaceAt};
use crate::lower::scope::{LoopAt, Scope};
use crate::lower::{Cx, Result, unsupported};
use crate::source::Span;
use crate::thir::{BindingMode, Body, ExprId, LocalId, LoopId, Param, PatId, PatKind};
use crate::ty::{Args, ClosureId, ClosureKind, Ty, TyKind};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

metatrace_defs::entity! {
    /// A variable or temporary of the function that is lowered.
    Root = "root"
}

/// Where a variable lives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Storage {
    Var(Var),
    Slot(SlotId),
    /// A parameter or operand of a memory type.
    Pointer(ValueId),
}

/// A variable or temporary.
#[derive(Clone, Debug)]
pub(super) struct RootData {
    pub(super) storage: Storage,
    pub(super) ty: Ty,
    pub(super) flow: TypeId,
    /// Whether it holds something that must be dropped; none if it never does.
    pub(super) flag: Option<Var>,
    /// Which parts were moved out of it.
    pub(super) moved: Vec<(PartPath, Var)>,
}

/// A function that is being lowered.
pub(super) struct Lower<'c, 'p> {
    pub(super) cx: &'c mut Cx<'p>,
    pub(super) id: FuncId,
    pub(super) b: Builder,
    pub(super) body: Rc<Body>,
    pub(super) info: Rc<BodyInfo>,
    pub(super) args: Args,
    pub(super) closure: Option<ClosureEnv>,
    pub(super) roots: Vec<RootData>,
    pub(super) locals: HashMap<LocalId, PlaceAt>,
    /// The patterns of `let` in guards, whose variables are declared with their arm's: a guard may be lowered several times.
    pub(super) guard_lets: HashSet<PatId>,
    pub(super) scopes: Vec<Scope>,
    pub(super) loops: HashMap<LoopId, LoopAt>,
    pub(super) cleanups: HashMap<Vec<(Root, bool)>, crate::flow::BlockId>,
    pub(super) in_cleanup: bool,
    /// The type of the result, and where it goes if it is a memory type.
    pub(super) result: (Ty, Option<ValueId>),
    pub(super) portal: Option<PortalLoop>,
}

/// The environment of the closure that is lowered.
#[derive(Clone)]
pub(super) struct ClosureEnv {
    pub(super) id: ClosureId,
    /// The environment's place.
    pub(super) place: PlaceAt,
}

/// The loop of the portal that is lowered.
pub(super) struct PortalLoop {
    pub(super) id: PortalId,
    /// The portal's parameters, in order.
    pub(super) params: Vec<PortalParam>,
}

pub(super) struct PortalParam {
    pub(super) root: Root,
    /// For a parameter that lives in a slot: its value on the way to the merge point.
    pub(super) carried: Option<Var>,
}

fn new<'c, 'p>(cx: &'c mut Cx<'p>, id: FuncId, body: Rc<Body>, args: Args, result: Ty) -> Lower<'c, 'p> {
    let info = cx.body_info(&body);
    let mut lower = Lower {
        cx,
        id,
        b: Builder::new(),
        body,
        info,
        args,
        closure: None,
        roots: Vec::new(),
        locals: HashMap::new(),
        guard_lets: HashSet::new(),
        scopes: Vec::new(),
        loops: HashMap::new(),
        cleanups: HashMap::new(),
        in_cleanup: false,
        result: (result, None),
        portal: None,
    };
    let result = lower.inst(result);
    lower.result.0 = result;
    let flow = lower.cx.ty(result);
    if lower.cx.out.types.is_memory(flow) {
        let pointer = lower.cx.ptr_to(flow);
        lower.result.1 = Some(lower.b.param(pointer));
    }
    lower
}

pub(super) fn lower_fn(cx: &mut Cx, id: FuncId, body: Rc<Body>, args: Args) -> Result<Graph> {
    let result = body.result;
    let portal = cx.portal_of(id);
    let mut lower = new(cx, id, Rc::clone(&body), args, result);
    lower.push_scope(true);
    let roots = lower.params(&body.params)?;
    if let Some(portal) = portal {
        lower.portal_params(portal, &roots)?;
    }
    lower.finish(body.value)
}

pub(super) fn lower_closure(
    cx: &mut Cx,
    id: FuncId,
    body: Rc<Body>,
    closure: ClosureId,
    args: Args,
    via: ClosureKind,
) -> Result<Graph> {
    let Some(data) = body.closure(closure).cloned() else {
        panic!("{closure} is not written in the body of its owner");
    };
    let mut lower = new(cx, id, Rc::clone(&body), args, data.result);
    lower.push_scope(true);
    let env_ty = Ty::new(TyKind::Closure(closure, args));
    let env = lower.cx.ty(env_ty);
    let place = if via == ClosureKind::FnOnce {
        let value = lower.param(env);
        let root = lower.root(RootKey::Env, env_ty, "env");
        lower.init_root(root, value);
        lower.schedule(root);
        lower.root_place(root)
    } else {
        let pointer = lower.cx.ref_to(env, via == ClosureKind::FnMut);
        let value = lower.b.param(pointer);
        lower.deref_value(value, env_ty)
    };
    lower.closure = Some(ClosureEnv { id: closure, place });
    lower.params(&data.params)?;
    lower.finish(data.value)
}

impl Lower<'_, '_> {
    /// A type of the body as a type of this instance.
    pub(super) fn inst(&self, ty: Ty) -> Ty {
        self.cx.program.normalize(ty.subst(self.args))
    }

    /// The instance's type of an expression.
    pub(super) fn expr_ty(&self, e: ExprId) -> Ty {
        self.inst(self.body.expr(e).ty)
    }

    pub(super) fn flow_ty(&mut self, ty: Ty) -> TypeId {
        self.cx.ty(ty)
    }

    pub(super) fn get(&self, ty: TypeId) -> &Type {
        self.cx.out.types.get(ty)
    }

    pub(super) fn is_memory(&self, ty: TypeId) -> bool {
        self.cx.out.types.is_memory(ty)
    }

    pub(super) fn span(&self, e: ExprId) -> Span {
        self.body.expr(e).span
    }

    pub(super) fn unit_value(&mut self) -> ValueId {
        let unit = self.cx.unit();
        self.b.constant(unit, 0)
    }

    /// An operand of no importance, after code that does not end.
    pub(super) fn nothing(&mut self, ty: TypeId) -> ValueId {
        if self.is_memory(ty) { self.temp_memory(ty) } else { self.b.constant(ty, 0) }
    }

    /// Fresh memory for a value of the type.
    pub(super) fn temp_memory(&mut self, ty: TypeId) -> ValueId {
        let pointer = self.cx.ptr_to(ty);
        let slot = self.b.slot(ty, "");
        self.b.slot_addr(pointer, slot)
    }

    pub(super) fn load_time(&mut self, ty: TypeId, value: LoadTimeValue) -> ValueId {
        let id = self.cx.load_time(value);
        self.b.op(ty, OpKind::LoadTime(id))
    }

    // ---- variables ----------------------------------------------------------------------------------------------

    /// Makes a variable or temporary, not initialised.
    pub(super) fn root(&mut self, key: RootKey, ty: Ty, name: &str) -> Root {
        let flow = self.flow_ty(ty);
        let storage = if self.is_memory(flow) || self.info.is_addressed(key) {
            Storage::Slot(self.b.slot(flow, name))
        } else {
            Storage::Var(self.b.var(flow))
        };
        let info = Rc::clone(&self.info);
        self.root_with(storage, ty, info.moved_parts(key))
    }

    pub(super) fn root_with(&mut self, storage: Storage, ty: Ty, parts: &[PartPath]) -> Root {
        let flow = self.flow_ty(ty);
        let needs_drop = self.cx.out.types.data(flow).needs_drop;
        let bool = self.cx.bool();
        let flag = needs_drop.then(|| self.b.var(bool));
        let moved = match needs_drop {
            true => parts.iter().map(|part| (part.clone(), self.b.var(bool))).collect(),
            false => Vec::new(),
        };
        self.roots.push(RootData { storage, ty, flow, flag, moved });
        Root::new(self.roots.len() - 1)
    }

    pub(super) fn flag_value(&mut self, set: bool) -> ValueId {
        let bool = self.cx.bool();
        self.b.constant(bool, u64::from(set))
    }

    /// Says that a variable holds a value, whole.
    pub(super) fn mark_init(&mut self, root: Root) {
        let data = self.roots[root.index()].clone();
        let Some(flag) = data.flag else { return };
        let (yes, no) = (self.flag_value(true), self.flag_value(false));
        self.b.write(flag, yes);
        for (_, moved) in data.moved {
            self.b.write(moved, no);
        }
    }

    /// Gives a variable its first value.
    pub(super) fn init_root(&mut self, root: Root, operand: ValueId) {
        let place = self.root_place(root);
        self.store(&place, operand);
        self.mark_init(root);
    }

    pub(super) fn root_place(&self, root: Root) -> PlaceAt {
        let data = &self.roots[root.index()];
        let base = match data.storage {
            Storage::Var(var) => Base::Var(var),
            Storage::Slot(slot) => Base::Slot(slot),
            Storage::Pointer(pointer) => Base::Memory(pointer),
        };
        PlaceAt { base, path: Vec::new(), ty: data.ty, flow: data.flow, part: Some((root, PartPath::new())) }
    }

    /// Makes a variable that a pattern or `let` declares; it is dropped with the innermost scope of variables.
    pub(super) fn declare(&mut self, local: LocalId) -> Root {
        let data = self.body.local(local).clone();
        let ty = self.inst(data.ty);
        let root = self.root(RootKey::Local(local), ty, &data.name);
        self.bind(local, root);
        root
    }

    /// Lets the variable's name mean the root.
    pub(super) fn bind(&mut self, local: LocalId, root: Root) {
        self.schedule(root);
        let place = self.root_place(root);
        self.locals.insert(local, place);
    }

    // ---- parameters and result ----------------------------------------------------------------------------------

    /// A parameter in the form of an operand.
    fn param(&mut self, ty: TypeId) -> ValueId {
        if self.is_memory(ty) {
            let pointer = self.cx.ptr_to(ty);
            return self.b.param(pointer);
        }
        self.b.param(ty)
    }

    /// Binds the parameters; the roots that hold them.
    fn params(&mut self, params: &[Param]) -> Result<Vec<Root>> {
        let mut values = Vec::new();
        for param in params {
            let ty = self.inst(param.ty);
            let flow = self.flow_ty(ty);
            values.push((ty, flow, self.param(flow)));
        }
        let mut roots = Vec::new();
        for (param, (ty, flow, value)) in params.iter().zip(values) {
            let pat = self.body.pat(param.pat).clone();
            let is_memory = self.is_memory(flow);
            let (root, pattern) = match pat.kind {
                PatKind::Binding { local, mode: BindingMode::Value(_), sub: None } => {
                    let root = if is_memory {
                        let info = Rc::clone(&self.info);
                        let parts = info.moved_parts(RootKey::Local(local));
                        self.root_with(Storage::Pointer(value), ty, parts)
                    } else {
                        let name = self.body.local(local).name;
                        self.root(RootKey::Local(local), ty, &name)
                    };
                    self.bind(local, root);
                    (root, None)
                }
                _ => {
                    // A pattern takes parts out of it: it lives in memory, since they may be borrowed.
                    let slot = Storage::Slot(self.b.slot(flow, ""));
                    let storage = if is_memory { Storage::Pointer(value) } else { slot };
                    let parts = self.parts_of(param.pat);
                    let root = self.root_with(storage, ty, &parts);
                    self.schedule(root);
                    (root, Some(param.pat))
                }
            };
            if is_memory {
                self.mark_init(root);
            } else {
                self.init_root(root, value);
            }
            if let Some(pattern) = pattern {
                let place = self.root_place(root);
                self.bind_irrefutable(pattern, place)?;
            }
            roots.push(root);
        }
        Ok(roots)
    }

    /// The parts that a pattern moves out of what it is matched with.
    pub(super) fn parts_of(&self, pat: PatId) -> Vec<PartPath> {
        let mut parts = Vec::new();
        self.collect_parts(pat, &mut Vec::new(), &mut parts);
        parts
    }

    fn collect_parts(&self, pat: PatId, path: &mut PartPath, out: &mut Vec<PartPath>) {
        let mut fields = |variant: crate::thir::VariantIdx, fields: &[(crate::thir::FieldIdx, PatId)]| {
            for &(field, sub) in fields {
                path.push(Step::Field(variant, field));
                self.collect_parts(sub, path, out);
                path.pop();
            }
        };
        match &self.body.pat(pat).kind {
            PatKind::Binding { mode: BindingMode::Value(_), .. } => {
                for part in single_parts(path).into_iter().filter(|p| !p.is_empty()) {
                    if !out.contains(&part) {
                        out.push(part);
                    }
                }
            }
            PatKind::Variant { variant, fields: list, .. } => fields(*variant, list),
            PatKind::Tuple(list) => fields(crate::thir::VariantIdx(0), list),
            PatKind::Or(list) => list.iter().for_each(|&p| self.collect_parts(p, path, out)),
            PatKind::Slice { prefix, rest, suffix } => {
                let len = match self.inst(self.body.pat(pat).ty).kind() {
                    TyKind::Array(_, len) => len.const_value().map(|len| len as u64),
                    _ => None,
                };
                let Some(len) = len.filter(|&len| len <= MAX_ELEMENTS) else { return };
                let (first, middle, last) = array_steps(len, prefix.len(), suffix.len());
                let steps = first.into_iter().chain(rest.map(|_| middle)).chain(last);
                for (&sub, step) in prefix.iter().chain(rest).chain(suffix).zip(steps) {
                    path.push(step);
                    self.collect_parts(sub, path, out);
                    path.pop();
                }
            }
            PatKind::Binding { .. }
            | PatKind::Wild
            | PatKind::Deref(_)
            | PatKind::Literal(_)
            | PatKind::Range { .. } => {}
        }
    }

    fn portal_params(&mut self, portal: PortalId, roots: &[Root]) -> Result<()> {
        let mut params = Vec::new();
        for &root in roots {
            let data = self.roots[root.index()].clone();
            let carried = match data.storage {
                Storage::Slot(_) => Some(self.b.var(data.flow)),
                Storage::Var(_) | Storage::Pointer(_) => None,
            };
            params.push(PortalParam { root, carried });
        }
        self.portal = Some(PortalLoop { id: portal, params });
        Ok(())
    }

    /// Lowers the body and leaves the function with its value.
    fn finish(mut self, value: ExprId) -> Result<Graph> {
        if self.portal.is_some() && self.body.portal_loop.is_none() {
            let help = "make its body one `loop` that begins with `jit::merge_point!();`";
            return unsupported(self.span(value), "the portal has no merge point", help);
        }
        let operand = self.value(value)?;
        self.leave(operand);
        assert!(self.scopes.len() == 1, "a scope was left open");
        Ok(self.b.finish())
    }

    /// Leaves the function with a result: all scopes end.
    pub(super) fn leave(&mut self, operand: ValueId) {
        if self.b.is_dead() {
            return;
        }
        let (ty, pointer) = self.result;
        let value = match pointer {
            None => operand,
            Some(pointer) => {
                let flow = self.flow_ty(ty);
                let place = Place { base: pointer, path: vec![] };
                let from = Place { base: operand, path: vec![] };
                self.b.effect(OpKind::CopyMemory { to: place, from, ty: flow });
                self.unit_value()
            }
        };
        self.exit_scopes(0);
        self.b.end(Terminator::Return(value));
    }
}
