//! Calls: what is called once the types are known, and how.

use crate::diag::{Code, Diagnostic};
use crate::flow::types::TypeId;
use crate::flow::{Callee as FlowCallee, Extern, FuncAttrs, ModuleId, OpKind, ValueId};
use crate::items::{AdtKind, FnKind, Origin};
use crate::lower::escape::MAX_ELEMENTS;
use crate::lower::func::Lower;
use crate::lower::native::Helper;
use crate::lower::{Key, Result, Stop, unsupported};
use crate::names::Name;
use crate::program::{Instance, NoInstance};
use crate::resolve::{Def, Ns};
use crate::source::Span;
use crate::thir::{Callee, ExprId, FieldIdx};
use crate::ty::{Args, ClosureKind, FnId, Mutability, Ty, TyKind};

/// A call whose operands are evaluated.
pub(super) struct CallSite {
    pub(super) operands: Vec<ValueId>,
    /// The types of the operands.
    pub(super) types: Vec<Ty>,
    pub(super) ret: Ty,
    pub(super) span: Span,
}

impl Lower<'_, '_> {
    pub(super) fn call_expr(&mut self, e: ExprId, callee: &Callee, args: &[ExprId]) -> Result<ValueId> {
        let span = self.span(e);
        let ret = self.expr_ty(e);
        let first = match callee {
            Callee::Fn { .. } => None,
            Callee::Value(first) | Callee::Closure { callee: first, .. } => Some(*first),
        };
        let all: Vec<ExprId> = first.into_iter().chain(args.iter().copied()).collect();
        let types: Vec<Ty> = all.iter().map(|&a| self.expr_ty(a)).collect();
        let operands = self.operands(&all)?;
        self.b.pos = self.cx.pos(span);
        let site = CallSite { operands, types, ret, span };
        match *callee {
            Callee::Fn { id, args } => {
                let args = self.inst_args(args);
                let instance = self.cx.program.resolve_instance(id, args);
                let instance = self.resolved(instance, span)?;
                self.call_resolved(instance, site)
            }
            Callee::Value(_) => Ok(self.call_pointer(site)),
            Callee::Closure { kind, .. } => {
                let mut site = site;
                let mut kind = kind;
                let mut callee_ty = match (kind, *site.types[0].kind()) {
                    (ClosureKind::FnOnce, _) => site.types[0],
                    (_, TyKind::Ref(_, to)) => to,
                    _ => panic!("a closure passed as {:?}", site.types[0]),
                };
                // a reference to something callable is called through
                while let TyKind::Ref(mutability, to) = *callee_ty.kind() {
                    if kind != ClosureKind::FnOnce {
                        let at = self.deref_value(site.operands[0], callee_ty);
                        site.operands[0] = self.read(&at);
                        site.types[0] = callee_ty;
                    }
                    callee_ty = to;
                    kind = match mutability {
                        Mutability::Not => ClosureKind::Fn,
                        Mutability::Mut => ClosureKind::FnMut,
                    };
                }
                let instance = self.cx.program.resolve_closure_call(callee_ty, kind);
                let instance = self.resolved(instance, span)?;
                self.call_resolved(instance, site)
            }
        }
    }

    pub(super) fn inst_args(&self, args: Args) -> Args {
        let list: Vec<Ty> = args.iter().map(|&a| self.inst(a)).collect();
        crate::ty::intern_list(&list)
    }

    fn resolved(&self, instance: std::result::Result<Instance, NoInstance>, span: Span) -> Result<Instance> {
        match instance {
            Ok(instance) => Ok(instance),
            Err(NoInstance::Reported) => Err(Stop::Reported),
            Err(NoInstance::TooGeneric) => panic!("a call in an instance still depends on parameters"),
            Err(NoInstance::NotImplemented(what)) => unsupported(
                span,
                format!("no implementation of {what} can be seen"),
                "if a procedural macro generates it, call it in a function marked `#[jit::dont_look_inside]`",
            ),
        }
    }

    pub(super) fn call_resolved(&mut self, instance: Instance, site: CallSite) -> Result<ValueId> {
        match instance {
            Instance::Fn(id, args) => self.call_fn(id, args, site),
            Instance::Closure { id, args, via } => {
                let ret = self.flow_ty(site.ret);
                let caller = self.id;
                let func = self.cx.instance(Key::Closure(id, args, via), Some(caller));
                Ok(self.call(FlowCallee::Func(func), site.operands, ret, true))
            }
            Instance::Virtual { method, args } => self.call_virtual(method, args, site),
            Instance::FnPointer { ty, via } => {
                let mut site = site;
                if via != ClosureKind::FnOnce {
                    let at = self.deref_value(site.operands[0], ty);
                    site.operands[0] = self.read(&at);
                    site.types[0] = ty;
                }
                Ok(self.call_pointer(site))
            }
            Instance::CloneShim(ty) => self.clone_shim(ty, site),
        }
    }

    fn call_fn(&mut self, id: FnId, args: Args, mut site: CallSite) -> Result<ValueId> {
        let def = self.cx.program.fn_def(id);
        let arity = def.sig.params.len();
        if site.operands.len() == arity + 1 {
            // A function item called through a closure trait: the item itself is no argument.
            site.operands.remove(0);
            site.types.remove(0);
        }
        match def.kind {
            FnKind::Source if def.has_hint("look_inside_iff") => self.call_iff(id, args, site),
            FnKind::Source => {
                let ret = self.flow_ty(site.ret);
                Ok(self.call_instance(id, args, site.operands, ret))
            }
            FnKind::Opaque => self.call_opaque(id, args, site),
            FnKind::Intrinsic(name) => self.intrinsic(name, args, site),
            FnKind::Hint(name) => self.hint(&name, site),
            FnKind::Ctor(adt, variant) => {
                let is_enum = self.cx.program.adt(adt).kind == AdtKind::Enum;
                let flow = self.flow_ty(site.ret);
                Ok(self.aggregate(flow, is_enum.then_some(variant.0), site.operands))
            }
            FnKind::Required => panic!("{} was resolved to a method without a body", def.path),
        }
    }

    /// Calls a function with `look_inside_iff`: itself where its predicate holds, natively otherwise.
    fn call_iff(&mut self, id: FnId, args: Args, site: CallSite) -> Result<ValueId> {
        let program = self.cx.program;
        let def = program.fn_def(id);
        let hint = def.hints.iter().find(|h| h.name == "look_inside_iff").expect("it has the hint");
        let name = Name::new(&hint.args.to_string());
        let wrong = |message: String, help: &str| unsupported(hint.span, message, help);
        let Some(Def::Fn(predicate)) = program.scopes.lexical(def.module, Ns::Value, name) else {
            return wrong(
                format!("there is no function `{name}` here"),
                "name one of this module, or import it",
            );
        };
        let asked = program.fn_def(predicate);
        let bool_ty = self.cx.program.normalize(asked.sig.result);
        let params = def.sig.subst(args).params;
        let fits = asked.generics.params.is_empty()
            && *bool_ty.kind() == TyKind::Bool
            && asked.sig.params.len() == params.len()
            && asked
                .sig
                .params
                .iter()
                .zip(&params)
                .all(|(&a, &b)| self.flow_ty(program.normalize(a)) == self.flow_ty(program.normalize(b)));
        if !fits {
            let help = "give it the same parameters, none generic, and the result `bool`";
            return wrong(format!("`{name}` does not fit `{}`", def.name), help);
        }
        let is_handed_twice = |&ty: &Ty| program.is_copy(ty) || matches!(ty.kind(), TyKind::Ref(..));
        if !site.types.iter().all(is_handed_twice) {
            let help = "let the function take references, or call it in another";
            return wrong(format!("`{name}` would take what `{}` needs", def.name), help);
        }
        let result = self.flow_ty(site.ret);
        let flow = self.flow_ty(bool_ty);
        let test = CallSite {
            operands: site.operands.clone(),
            types: site.types.clone(),
            ret: bool_ty,
            span: site.span,
        };
        let looks = self.call_fn(predicate, crate::ty::intern_list(&[]), test)?;
        debug_assert_eq!(self.b.ty(looks), flow);
        let (inside, outside, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        let var = self.b.var(result);
        self.b.branch(looks, inside, outside);
        self.b.seal_and_switch(inside);
        let value = self.call_instance(id, args, site.operands.clone(), result);
        self.b.write(var, value);
        self.b.goto(after);
        self.b.seal_and_switch(outside);
        let value = self.call_opaque(id, args, site)?;
        self.b.write(var, value);
        self.b.goto(after);
        self.b.seal_and_switch(after);
        Ok(self.b.read(var))
    }

    /// Calls an instance of a function with a body.
    pub(super) fn call_instance(
        &mut self,
        id: FnId,
        args: Args,
        operands: Vec<ValueId>,
        ret: TypeId,
    ) -> ValueId {
        let caller = self.id;
        let func = self.cx.instance(Key::Fn(id, args), Some(caller));
        self.call(FlowCallee::Func(func), operands, ret, true)
    }

    fn call_opaque(&mut self, id: FnId, args: Args, site: CallSite) -> Result<ValueId> {
        let def = self.cx.program.fn_def(id);
        let Some(rust) = self.cx.spell_fn(id, args) else {
            let message =
                format!("`{}` is called natively, and a closure cannot be handed to native code", def.path);
            return unsupported(site.span, message, "use a loop, or a function item instead of the closure");
        };
        let params = self.cx.tys(&site.types);
        let ret = self.flow_ty(site.ret);
        let has = |hint| def.has_hint(hint);
        let touches = def.touches.as_ref().map(|t| t.map(|ty| ty.subst(args)));
        let ext = Extern {
            name: rust.clone(),
            rust,
            module: self.cx.module_of_fn(id, args),
            params,
            ret,
            attrs: FuncAttrs {
                elidable: has("elidable"),
                dont_look_inside: has("dont_look_inside") || has("reads_only"),
                reads_only: has("reads_only"),
                unroll_safe: false,
                loop_invariant: has("loop_invariant"),
                not_in_trace: has("not_in_trace"),
                conditional: false,
            },
            can_panic: !has("total"),
            is_helper: def.origin == Origin::Std && has("elidable")
                || touches.as_ref().is_some_and(|t| !t.reads.iter().any(|&ty| self.cx.runs_user_code(ty))),
            touches: touches.map(|t| t.map(|&ty| self.cx.ty(ty))),
        };
        let can_panic = ext.can_panic;
        let id = self.cx.extern_fn(ext);
        Ok(self.call(FlowCallee::Extern(id), site.operands, ret, can_panic))
    }

    /// Text of a closure's parameters, and of their names as arguments.
    fn spelled_params(&self, types: &[Ty]) -> (String, String) {
        let params: Vec<String> =
            types.iter().enumerate().map(|(n, &t)| format!("a{n}: {}", self.cx.spell(t))).collect();
        let names: Vec<String> = (0..types.len()).map(|n| format!("a{n}")).collect();
        (params.join(", "), names.join(", "))
    }

    /// Calls native code that is a closure with these parameters; not known to leave memory alone.
    fn call_native(
        &mut self,
        name: String,
        rust: String,
        module: ModuleId,
        attrs: FuncAttrs,
        site: CallSite,
    ) -> Result<ValueId> {
        if !site.types.iter().chain([&site.ret]).all(|&t| self.cx.can_spell(t)) {
            return unsupported(
                site.span,
                "a closure cannot be handed to native code",
                "write it as a function",
            );
        }
        let module = site.types.iter().map(|&t| self.cx.module_of(t)).chain([module]).max().unwrap_or(module);
        let params = self.cx.tys(&site.types);
        let ret = self.flow_ty(site.ret);
        let ext = Extern {
            name,
            rust,
            module,
            params,
            ret,
            attrs,
            can_panic: true,
            is_helper: false,
            touches: None,
        };
        let id = self.cx.extern_fn(ext);
        Ok(self.call(FlowCallee::Extern(id), site.operands, ret, true))
    }

    fn call_virtual(&mut self, method: FnId, args: Args, mut site: CallSite) -> Result<ValueId> {
        let parts = Ty::tuple(site.types.get(1..).unwrap_or_default());
        if let Some(arity) = self.cx.closure_object(args[0])
            && site.types.get(1..).map(<[Ty]>::len) == Some(arity)
            && !matches!(*site.types, [_, only] if args.get(1) == Some(&only))
        {
            // The methods of the closure traits take their arguments as a tuple.
            let flow = self.flow_ty(parts);
            let operands = site.operands.split_off(1);
            let tuple = self.aggregate(flow, None, operands);
            site.operands.push(tuple);
            site.types.truncate(1);
            site.types.push(parts);
        }
        let borrows = matches!(*site.types[0].kind(), TyKind::Ref(_, to) if to == args[0]);
        let is_opaque = self.cx.program.fn_def(method).has_hint("dont_look_inside");
        if borrows && !is_opaque && self.cx.virtual_header(method, args).is_some() {
            let ret = self.flow_ty(site.ret);
            let caller = self.id;
            let func = self.cx.instance(Key::Virtual(method, args), Some(caller));
            return Ok(self.call(FlowCallee::Func(func), site.operands, ret, true));
        }
        let Some(path) = self.cx.spell_fn(method, args) else {
            return unsupported(
                site.span,
                "this trait method cannot be named",
                "make the trait reachable from its module",
            );
        };
        let (params, names) = self.spelled_params(&site.types);
        let rust = format!("|{params}| -> {} {{ {path}({names}) }}", self.cx.spell(site.ret));
        let module = self.cx.module_of_fn(method, args);
        self.call_native(path, rust, module, FuncAttrs::default(), site)
    }

    /// Calls a function pointer.
    fn call_pointer(&mut self, site: CallSite) -> ValueId {
        let ret = self.flow_ty(site.ret);
        let caller = self.id;
        let func = self.cx.instance(Key::Pointer(site.types[0]), Some(caller));
        self.call(FlowCallee::Func(func), site.operands, ret, true)
    }

    /// `Clone::clone` where the language defines it.
    fn clone_shim(&mut self, ty: Ty, site: CallSite) -> Result<ValueId> {
        if !self.cx.program.is_copy(ty) {
            return self.clone_parts(ty, site);
        }
        let at = self.deref_value(site.operands[0], ty);
        Ok(self.read(&at))
    }

    /// Clones a tuple, array or closure part by part.
    fn clone_parts(&mut self, ty: Ty, site: CallSite) -> Result<ValueId> {
        let program = self.cx.program;
        let method = program.lang_trait("Clone").and_then(|id| {
            program.trait_def(id).methods.iter().find(|(name, _)| *name == "clone").map(|m| m.1)
        });
        let parts = match *ty.kind() {
            TyKind::Tuple(parts) => parts.to_vec(),
            TyKind::Closure(id, args) => program.closure_captures(id, args),
            TyKind::Array(elem, len) => match len.const_value() {
                Some(len) if len <= MAX_ELEMENTS.into() => vec![elem; len as usize],
                _ => return self.clone_natively(ty, site),
            },
            _ => return self.clone_natively(ty, site),
        };
        let Some(method) = method else { return self.clone_natively(ty, site) };
        let whole = self.deref_value(site.operands[0], ty);
        let is_array = matches!(ty.kind(), TyKind::Array(..));
        let mut held = Vec::new();
        for (n, part) in parts.into_iter().map(|part| program.normalize(part)).enumerate() {
            let at = match is_array {
                true => self.element(&whole, n as u64, part),
                false => self.field(&whole, None, FieldIdx::new(n), part),
            };
            let reference = Ty::reference(Mutability::Not, part);
            let pointer = self.flow_ty(reference);
            let address = self.address(&at, pointer);
            let instance = program.resolve_instance(method, crate::ty::intern_list(&[part]));
            let instance = self.resolved(instance, site.span)?;
            let types = vec![reference];
            let one = CallSite { operands: vec![address], types, ret: part, span: site.span };
            let operand = self.call_resolved(instance, one)?;
            held.push(self.hold(operand, part));
        }
        let operands = held.into_iter().map(|h| self.release(h)).collect();
        let flow = self.flow_ty(ty);
        Ok(self.aggregate(flow, None, operands))
    }

    fn clone_natively(&mut self, ty: Ty, site: CallSite) -> Result<ValueId> {
        let name = self.cx.spell(ty);
        let rust = format!("|value: &{name}| -> {name} {{ ::core::clone::Clone::clone(value) }}");
        let module = self.cx.module_of(ty);
        self.call_native(format!("clone {name}"), rust, module, FuncAttrs::default(), site)
    }

    /// Calls a helper (a closure's text) that touches no memory but what its arguments point to.
    pub(super) fn call_helper(
        &mut self,
        name: &str,
        rust: String,
        args: &[(ValueId, TypeId)],
        ret: TypeId,
        can_panic: bool,
    ) -> ValueId {
        let types: Vec<TypeId> = args.iter().map(|a| a.1).collect();
        let all = || types.iter().chain([&ret]);
        let helper = Helper {
            name,
            rust,
            module: all().map(|&t| self.cx.out.types.data(t).module).max().unwrap_or(ModuleId(0)),
            can_panic,
            elidable: !can_panic && all().all(|&t| !self.get(t).is_pointer()),
            params: types,
            ret,
        };
        let id = self.cx.helper(helper);
        self.call(FlowCallee::Extern(id), args.iter().map(|a| a.0).collect(), ret, can_panic)
    }

    /// A native call that is done if a condition holds: `(condition, function, argument)`, or if there is no value:
    /// `(value, function, argument)`, of a function whose result depends on the argument alone.
    fn conditional_call(&mut self, on_condition: bool, mut site: CallSite) -> Result<ValueId> {
        let TyKind::FnDef(id, args) = *site.types[1].kind() else {
            return unsupported(
                site.span,
                "a conditional call of something else than a named function",
                "name a function; a closure that captures nothing can be written as one",
            );
        };
        let Some(path) = self.cx.spell_fn(id, args) else {
            return unsupported(
                site.span,
                "a conditional call of a function that cannot be named",
                "make it reachable from its module",
            );
        };
        site.operands.remove(1);
        site.types.remove(1);
        let [test, argument] = [0, 1].map(|n| self.cx.spell(site.types[n]));
        let rust = match on_condition {
            true => format!("|c: {test}, a: {argument}| {{ if c {{ {path}(a); }} }}"),
            false => format!("|v: {test}, a: {argument}| v.unwrap_or_else(|| {path}(a))"),
        };
        let module = self.cx.module_of_fn(id, args);
        let attrs = FuncAttrs { elidable: !on_condition, conditional: on_condition, ..FuncAttrs::default() };
        self.call_native(format!("{path} if asked"), rust, module, attrs, site)
    }

    /// A hint that is a function or statement.
    fn hint(&mut self, name: &str, site: CallSite) -> Result<ValueId> {
        let flow = self.flow_ty(site.ret);
        match name {
            "promote" if !self.is_memory(flow) => Ok(self.b.op(flow, OpKind::Promote(site.operands[0]))),
            "promote" => Ok(site.operands[0]),
            "we_are_jitted" => Ok(self.b.op(flow, OpKind::WeAreJitted)),
            "isconstant" | "isvirtual" | "assert_green" | "record_exact_value" => {
                let value = site.operands[0];
                let asked = self.flow_ty(site.types[0]);
                if self.is_memory(asked) {
                    let message = format!("`{name}` of a value that lives in memory");
                    return unsupported(site.span, message, "ask about its scalar fields");
                }
                if name == "isconstant" {
                    return Ok(self.b.op(flow, OpKind::IsConstant(value)));
                }
                if name == "isvirtual" {
                    let is_collected = matches!(*site.types[0].kind(), TyKind::Adt(id, _)
                        if self.cx.program.adt(id).lang.as_deref() == Some("Gc"));
                    if !is_collected && !self.get(asked).is_pointer() {
                        let message = "`isvirtual` of a value that is no pointer";
                        return unsupported(
                            site.span,
                            message,
                            "ask about the `Gc`, box or reference itself",
                        );
                    }
                    return Ok(self.b.op(flow, OpKind::IsVirtual(value)));
                }
                self.b.effect(match name {
                    "record_exact_value" => OpKind::RecordExact(value, site.operands[1]),
                    _ => OpKind::AssertGreen(value),
                });
                Ok(self.nothing(flow))
            }
            "__call_if" | "__call_unless" => self.conditional_call(name == "__call_if", site),
            "current_trace_length" => Ok(self.b.op(flow, OpKind::TraceLength)),
            // The head of the loop has it already.
            "merge_point" => Ok(self.nothing(flow)),
            "can_enter_jit" => {
                let (Some(target), true) = (self.body.portal_loop, self.portal.is_some()) else {
                    let help = "move it into the loop of the function with `#[jit::portal]`";
                    self.cx.program.diagnostics().push(
                        Diagnostic::new(
                            Code::BackEdge,
                            site.span,
                            "`can_enter_jit!` stands outside of a portal's loop",
                        )
                        .label("there is no loop here that it could continue")
                        .help(help),
                    );
                    return Err(Stop::Reported);
                };
                self.continue_loop(target, true);
                Ok(self.nothing(flow))
            }
            other => unsupported(site.span, format!("the hint `{other}` has no meaning here"), "remove it"),
        }
    }
}
