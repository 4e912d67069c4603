//! Queries on finished programs: instances, normalisation, properties of types, scalar constants.
//!
//! All types given and returned are free of inference variables. With parameters left in them, questions are answered
//! conservatively: not `Copy`, needs drop, not free of interior mutability.

use crate::collect::sigs::signed;
use crate::infer::solve::{Answer, Candidate, Selection, kind_allows};
use crate::infer::table::{Goal, Infer};
use crate::items::{AdtKind, AssocTyDef, Container, FnKind};
use crate::names::Name;
use crate::program::{Instance, NoInstance, Program, Query};
use crate::source::Span;
use crate::thir::*;
use crate::ty::*;

impl Program {
    /// Associated types replaced by what they are, where their parameters allow.
    pub fn normalize(&self, ty: Ty) -> Ty {
        if !ty.flags().has_projection || ty.flags().has_infer {
            return ty;
        }
        let icx = Infer::revealing(self);
        let out = icx.normalize(ty);
        icx.select_where_possible();
        let out = icx.resolve(out);
        if out.flags().has_infer { ty } else { out }
    }

    /// What a callee is, once its types are known.
    ///
    /// # Errors
    /// If the types still mention parameters that decide, or no impl fits.
    pub fn resolve_instance(&self, id: FnId, args: Args) -> Result<Instance, NoInstance> {
        let def = self.fn_def(id);
        let args = intern_list(&args.iter().map(|t| self.normalize(*t)).collect::<Vec<_>>());
        let Container::Trait(trait_id) = def.container else { return Ok(Instance::Fn(id, args)) };
        let count = self.trait_def(trait_id).generics.params.len();
        let tr = TraitRef { trait_id, args: intern_list(&args[..count]) };
        if let Some(kind) = self.closure_trait(trait_id) {
            return self.resolve_closure_call(tr.args[0], kind);
        }
        let icx = Infer::revealing(self);
        match icx.select(tr, 0) {
            Selection::One(Candidate::Impl(imp)) => {
                let impl_args = self.impl_args(&icx, imp, tr, def.span)?;
                if impl_args.iter().any(|t| t.flags().has_infer) {
                    return Err(NoInstance::TooGeneric);
                }
                match self.impl_def(imp).methods.get(&def.name) {
                    Some(&method) => {
                        let mut all = impl_args.to_vec();
                        all.extend(&args[count..]);
                        Ok(Instance::Fn(method, intern_list(&all)))
                    }
                    // an impl that lacks it, or has it from a macro that is not seen
                    None if def.kind == FnKind::Required => Err(self.not_implemented(tr)),
                    // the trait's own default
                    None => Ok(Instance::Fn(id, args)),
                }
            }
            Selection::One(Candidate::Object(_)) => Ok(Instance::Virtual { method: id, args }),
            Selection::One(Candidate::Builtin(_)) if def.name == "clone" => {
                Ok(Instance::CloneShim(tr.args[0]))
            }
            Selection::One(Candidate::Builtin(_)) => Ok(Instance::Fn(id, args)),
            Selection::One(_) => Err(NoInstance::TooGeneric),
            Selection::Ambiguous => Err(NoInstance::TooGeneric),
            Selection::None if tr.args.iter().any(|t| t.flags().has_param) => Err(NoInstance::TooGeneric),
            Selection::None => Err(self.not_implemented(tr)),
        }
    }

    /// What `impl Trait` in a function's result stands for, in terms of the function's parameters.
    pub(crate) fn hidden_type(&self, id: AssocTyId) -> Option<Ty> {
        if let Some(owner) = self.assoc_ty(id).hides_result_of {
            self.body(owner).ok()?;
        }
        self.hidden_types.borrow().get(&id).copied()
    }

    fn not_implemented(&self, tr: TraitRef) -> NoInstance {
        NoInstance::NotImplemented(format!("`{}: {}`", self.ty_name(tr.args[0]), self.trait_ref_name(tr)))
    }

    fn closure_trait(&self, id: TraitId) -> Option<ClosureKind> {
        [("Fn", ClosureKind::Fn), ("FnMut", ClosureKind::FnMut), ("FnOnce", ClosureKind::FnOnce)]
            .into_iter()
            .find(|(n, _)| self.lang_trait(n) == Some(id))
            .map(|(_, k)| k)
    }

    /// What is called through a closure trait. `callee` is the callable's own type, without the reference it is passed by.
    ///
    /// # Errors
    /// If the type is no callable, or still a parameter.
    pub fn resolve_closure_call(&self, callee: Ty, via: ClosureKind) -> Result<Instance, NoInstance> {
        match *self.normalize(callee).kind() {
            TyKind::Closure(id, args) => match self.closure_sigs.borrow().get(&id) {
                Some(sig) if kind_allows(sig.kind, via) => Ok(Instance::Closure { id, args, via }),
                _ => Err(NoInstance::NotImplemented(format!("the closure is not `{via:?}`"))),
            },
            TyKind::FnDef(id, args) => self.resolve_instance(id, args),
            TyKind::FnPtr(_) => Ok(Instance::FnPointer { ty: callee, via }),
            TyKind::Ref(Mutability::Not, inner) => self.resolve_closure_call(inner, ClosureKind::Fn),
            TyKind::Ref(Mutability::Mut, inner) => self.resolve_closure_call(inner, ClosureKind::FnMut),
            TyKind::Dyn(trait_id, args, _) => {
                let kind = self.closure_trait(trait_id).unwrap_or(via);
                let name = match kind {
                    ClosureKind::Fn => "call",
                    ClosureKind::FnMut => "call_mut",
                    ClosureKind::FnOnce => "call_once",
                };
                let method = self.trait_def(trait_id).methods.iter().find(|(n, _)| *n == name);
                let mut all = vec![callee];
                all.extend(args);
                match method {
                    Some((_, m)) => Ok(Instance::Virtual { method: *m, args: intern_list(&all) }),
                    None => Err(NoInstance::NotImplemented("the object cannot be called".into())),
                }
            }
            TyKind::Param(..) | TyKind::Projection(..) => Err(NoInstance::TooGeneric),
            _ => Err(NoInstance::NotImplemented(format!("`{}` cannot be called", self.ty_name(callee)))),
        }
    }

    /// The parameters of an impl that was selected for a trait.
    fn impl_args(&self, icx: &Infer, imp: ImplId, tr: TraitRef, span: Span) -> Result<Args, NoInstance> {
        let (args, goals) = icx.match_impl(imp, tr).ok_or_else(|| self.not_implemented(tr))?;
        for goal in goals {
            icx.require(goal, span);
        }
        icx.select_where_possible();
        Ok(icx.resolve_list(args))
    }

    /// The constant an associated one stands for, once `Self` is known.
    ///
    /// # Errors
    /// As for [`Program::resolve_instance`].
    pub fn resolve_const(&self, id: ConstId, args: Args) -> Result<(ConstId, Args), NoInstance> {
        let def = self.const_def(id);
        let Container::Trait(trait_id) = def.container else { return Ok((id, args)) };
        let tr = TraitRef { trait_id, args };
        let icx = Infer::revealing(self);
        match icx.select(tr, 0) {
            Selection::One(Candidate::Impl(imp)) => {
                let impl_args = self.impl_args(&icx, imp, tr, def.span)?;
                match self.impl_def(imp).consts.get(&def.name) {
                    Some(&c) => Ok((c, impl_args)),
                    None => Ok((id, args)),
                }
            }
            Selection::None if tr.args.iter().all(|t| !t.flags().has_param) => Err(self.not_implemented(tr)),
            _ => Err(NoInstance::TooGeneric),
        }
    }

    /// Whether the type implements the trait, other arguments of the trait being whatever fits.
    pub fn implements(&self, ty: Ty, trait_id: TraitId) -> bool {
        if ty.flags().has_infer {
            // A body with errors: nothing depends on the answer.
            return false;
        }
        let icx = Infer::revealing(self);
        let count = self.trait_def(trait_id).generics.params.len();
        let mut args = vec![ty];
        args.extend((1..count).map(|_| icx.fresh()));
        icx.evaluate(Goal::Trait(TraitRef { trait_id, args: intern_list(&args) }), 0) == Answer::Yes
    }

    /// Whether the crate says itself, without a derive, how the collector finds the references in a type.
    pub fn has_own_trace(&self, ty: Ty) -> bool {
        self.implements_lang(ty, "GcTrace")
    }

    fn implements_lang(&self, ty: Ty, lang: &str) -> bool {
        self.lang_trait(lang).is_some_and(|id| self.implements(ty, id))
    }

    /// Whether values are copied rather than moved.
    pub fn is_copy(&self, ty: Ty) -> bool {
        self.implements_lang(self.normalize(ty), "Copy")
    }

    /// Whether the size is known from the type.
    pub fn is_sized(&self, ty: Ty) -> bool {
        !matches!(self.normalize(ty).kind(), TyKind::Str | TyKind::Slice(_) | TyKind::Dyn(..))
    }

    /// The type's own `Drop` impl.
    pub fn drop_impl(&self, ty: Ty) -> Option<(FnId, Args)> {
        let trait_id = self.lang_trait("Drop").filter(|_| !ty.flags().has_infer)?;
        let icx = Infer::revealing(self);
        let tr = TraitRef { trait_id, args: intern_list(&[ty]) };
        match icx.select(tr, 0) {
            Selection::One(Candidate::Impl(imp)) => {
                let (args, _) = icx.match_impl(imp, tr)?;
                let method = *self.impl_def(imp).methods.get(&Name::new("drop"))?;
                Some((method, icx.resolve_list(args)))
            }
            _ => None,
        }
    }

    /// Whether dropping a value does anything.
    pub fn needs_drop(&self, ty: Ty) -> bool {
        self.query(Query::NeedsDrop, ty)
    }

    /// Whether the type has no interior mutability outside pointers.
    pub fn is_freeze(&self, ty: Ty) -> bool {
        self.query(Query::Freeze, ty)
    }

    fn query(&self, q: Query, ty: Ty) -> bool {
        let ty = self.normalize(ty);
        if ty.is_endless() || ty.flags().has_infer {
            // The conservative answer.
            return q == Query::NeedsDrop;
        }
        if let Some(&known) = self.query_cache.borrow().get(&(q, ty)) {
            return known;
        }
        // a recursive type asks for itself: what it contains besides decides
        let assumed = q == Query::Freeze;
        self.query_cache.borrow_mut().insert((q, ty), assumed);
        let answer = match q {
            Query::NeedsDrop => self.needs_drop_of(ty),
            Query::Freeze => self.freeze_of(ty),
        };
        self.query_cache.borrow_mut().insert((q, ty), answer);
        answer
    }

    fn needs_drop_of(&self, ty: Ty) -> bool {
        match *ty.kind() {
            TyKind::Adt(id, args) => {
                let def = self.adt(id);
                if def.lang.is_some_and(|l| l == "ManuallyDrop" || l == "PhantomData") {
                    return false;
                }
                if let Some(o) = def.opaque {
                    return !o.no_drop;
                }
                self.drop_impl(ty).is_some()
                    || def.variants.iter().flat_map(|v| &v.fields).any(|f| self.needs_drop(f.ty.subst(args)))
            }
            TyKind::Tuple(list) => list.iter().any(|t| self.needs_drop(*t)),
            TyKind::Array(t, n) => n.const_value() != Some(0) && self.needs_drop(t),
            TyKind::Slice(t) => self.needs_drop(t),
            TyKind::Closure(id, args) => match self.closure_sigs.borrow().get(&id).cloned() {
                Some(sig) => sig.captures.iter().any(|t| self.needs_drop(t.subst(args))),
                None => true,
            },
            TyKind::Dyn(..) => true,
            TyKind::Param(..) | TyKind::Projection(..) => !self.is_copy(ty),
            _ => false,
        }
    }

    fn freeze_of(&self, ty: Ty) -> bool {
        match *ty.kind() {
            TyKind::Adt(id, args) => {
                let def = self.adt(id);
                if def.lang.is_some_and(|l| l == "UnsafeCell" || l == "RcCounts") {
                    return false;
                }
                if let Some(o) = def.opaque {
                    return o.freeze;
                }
                def.variants.iter().flat_map(|v| &v.fields).all(|f| self.is_freeze(f.ty.subst(args)))
            }
            TyKind::Tuple(list) => list.iter().all(|t| self.is_freeze(*t)),
            TyKind::Array(t, _) | TyKind::Slice(t) => self.is_freeze(t),
            TyKind::Closure(id, args) => match self.closure_sigs.borrow().get(&id).cloned() {
                Some(sig) => sig.captures.iter().all(|t| self.is_freeze(t.subst(args))),
                None => false,
            },
            TyKind::Dyn(..) | TyKind::Param(..) | TyKind::Projection(..) => false,
            _ => true,
        }
    }

    /// The type of a field of a struct, enum, or tuple.
    pub fn field_ty(&self, ty: Ty, variant: VariantIdx, field: FieldIdx) -> Ty {
        match *ty.kind() {
            TyKind::Adt(id, args) => {
                let f = crate::collect::sigs::field(self.adt(id), variant, field);
                self.normalize(f.ty.subst(args))
            }
            TyKind::Tuple(list) => list[field.index()],
            _ => Ty::error(),
        }
    }

    /// The type without the last arguments that are their parameters' defaults.
    fn without_defaults(&self, ty: Ty) -> Ty {
        let TyKind::Adt(id, args) = *ty.kind() else {
            return ty.map_children(|child| self.without_defaults(child));
        };
        let params = self.adts.try_get(id.index()).map_or(&[][..], |def| &def.generics.params);
        let is_default =
            |n: &usize| params.get(*n).and_then(|p| p.default).is_some_and(|ty| ty.subst(args) == args[*n]);
        let written = args.len() - (0..args.len()).rev().take_while(is_default).count();
        Ty::adt(id, &args[..written]).map_children(|child| self.without_defaults(child))
    }

    /// The type in Rust's syntax, with full paths; without arguments that are defaults, as rustc shows it.
    pub fn ty_name(&self, ty: Ty) -> String {
        let mut out = String::new();
        let name = |d: DefName| match d {
            DefName::Adt(id) => match self.adts.try_get(id.index()) {
                Some(def) => def.path.to_string(),
                None => self.adt_src_name(id),
            },
            DefName::Fn(id) => self.fn_def(id).path.to_string(),
            DefName::Trait(id) => {
                self.traits.try_get(id.index()).map_or_else(|| id.to_string(), |t| t.path.to_string())
            }
            DefName::Assoc(id) => match self.assoc_tys.try_get(id.index()) {
                Some(AssocTyDef { hides_result_of: Some(id), .. }) => {
                    format!("impl result of {}", self.fn_def(*id).path)
                }
                Some(a) => format!("{}::{}", self.traits.get(a.trait_id.index()).path, a.name),
                None => id.to_string(),
            },
            DefName::Closure(id) => format!("{{{}}}", self.closure_name(id)),
        };
        if print_ty(self.without_defaults(ty), &mut out, &name).is_err() {
            out.push('?');
        }
        out
    }

    /// A closure for people; unique in the program, and the same whatever was inferred before.
    pub(crate) fn closure_name(&self, id: ClosureId) -> String {
        let number = self.closure_number(id).unwrap_or_default();
        match self.closure_owner(id) {
            BodyOwner::Fn(owner) if self.fn_def(owner).in_body => {
                format!("closure {number} of {} {owner}", self.fn_def(owner).path)
            }
            BodyOwner::Fn(owner) => format!("closure {number} of {}", self.fn_def(owner).path),
            BodyOwner::Const(owner) => format!("closure {number} of {} {owner}", self.const_def(owner).path),
            BodyOwner::Static(owner) => format!("closure {number} of {}", self.static_def(owner).path),
        }
    }

    /// The path of a type whose definition is not lowered yet.
    fn adt_src_name(&self, id: AdtId) -> String {
        use crate::collect::AdtItem;
        let src = self.src.adts.get(id.index());
        let ident = match &src.item {
            AdtItem::Struct(s) => s.ident.to_string(),
            AdtItem::Enum(e) => e.ident.to_string(),
            AdtItem::Foreign => id.to_string(),
        };
        format!("{}::{ident}", self.scopes.path(src.scope))
    }

    /// The value of a scalar or string constant; `None` if it is something else or cannot be evaluated.
    pub fn eval_const(&self, id: ConstId, args: Args) -> Option<Lit> {
        let (id, args) = self.resolve_const(id, args).ok()?;
        let def = self.const_def(id);
        if def.intrinsic {
            let ty = *args.first()?.kind();
            let TyKind::Int(int) = ty else { return None };
            let ones = int.mask(u128::MAX);
            return Some(Lit::Int(match (def.name.as_str(), int.signed()) {
                ("MAX", true) => ones >> 1,
                ("MAX", false) => ones,
                ("MIN", true) => int.mask(1 << (int.bits() - 1)),
                ("MIN", false) => 0,
                ("BITS", _) => int.bits() as u128,
                ("__ONE", _) => 1,
                _ => return None,
            }));
        }
        let body = self.const_body(id).ok()?;
        Eval { prog: self, body: &body, args, depth: 0 }.expr_root()
    }

    /// The value of an expression in a constant's body, if it is a scalar or string.
    pub(crate) fn eval_const_expr(&self, body: &Body, e: ExprId, args: Args) -> Option<Lit> {
        Eval { prog: self, body, args, depth: 0 }.expr(e)
    }

    /// The function the models mark with `#[lang = "name"]`.
    pub fn lang_fn(&self, name: &str) -> Option<FnId> {
        self.lang_fns.borrow().get(&Name::new(name)).copied()
    }
}

/// Evaluates the body of a constant as far as scalars go.
struct Eval<'p> {
    prog: &'p Program,
    body: &'p Body,
    args: Args,
    depth: u32,
}

impl Eval<'_> {
    fn expr_root(&self) -> Option<Lit> {
        self.expr(self.body.value)
    }

    fn int_of(&self, id: ExprId) -> Option<IntTy> {
        match *self.body.expr(id).ty.subst(self.args).kind() {
            TyKind::Int(i) => Some(i),
            _ => None,
        }
    }

    fn expr(&self, id: ExprId) -> Option<Lit> {
        match &self.body.expr(id).kind {
            ExprKind::Literal(l) => Some(l.clone()),
            ExprKind::Scope(e) => self.expr(*e),
            ExprKind::Block(b) => {
                let b = self.body.block(*b);
                if b.stmts.is_empty() { self.expr(b.tail?) } else { None }
            }
            ExprKind::Const { id, args } => {
                let args = subst_list(args, self.args);
                if self.depth > 32 { None } else { self.prog.eval_const(*id, args) }
            }
            ExprKind::Unary { op, value } => match (op, self.expr(*value)?) {
                (UnOp::Not, Lit::Bool(b)) => Some(Lit::Bool(!b)),
                (UnOp::Not, Lit::Int(v)) => Some(Lit::Int(self.int_of(id)?.mask(!v))),
                (UnOp::Neg, Lit::Int(v)) => Some(Lit::Int(self.int_of(id)?.mask(v.wrapping_neg()))),
                (UnOp::Neg, Lit::F64(v)) => Some(Lit::F64((-f64::from_bits(v)).to_bits())),
                (UnOp::Neg, Lit::F32(v)) => Some(Lit::F32((-f32::from_bits(v)).to_bits())),
                _ => None,
            },
            ExprKind::Binary { op, left, right } => self.binary(*op, *left, *right),
            ExprKind::Cast { kind: CastKind::Numeric, value } => self.cast(*value, self.int_of(id)?),
            _ => None,
        }
    }

    fn cast(&self, value: ExprId, to: IntTy) -> Option<Lit> {
        match self.expr(value) {
            Some(Lit::Int(v)) => Some(Lit::Int(to.mask(signed(v, self.int_of(value)?) as u128))),
            Some(Lit::Bool(b)) => Some(Lit::Int(b as u128)),
            Some(Lit::Char(c)) => Some(Lit::Int(to.mask(c as u128))),
            Some(_) => None,
            None => {
                // a fieldless enum's variant
                let ExprKind::Adt { adt, variant, .. } = self.body.expr(value).kind else { return None };
                let def = self.prog.adt(adt);
                let tag =
                    def.variants.get(variant.index()).filter(|_| def.kind == AdtKind::Enum)?.discriminant;
                Some(Lit::Int(to.mask(tag as u128)))
            }
        }
    }

    fn binary(&self, op: BinOp, left: ExprId, right: ExprId) -> Option<Lit> {
        let (Lit::Int(l), Lit::Int(r)) = (self.expr(left)?, self.expr(right)?) else { return None };
        let ty = self.int_of(left)?;
        let (a, b) = (signed(l, ty), signed(r, self.int_of(right)?));
        let fits = |v: i128| (signed(ty.mask(v as u128), ty) == v).then(|| Lit::Int(ty.mask(v as u128)));
        let amount = u32::try_from(b).ok().filter(|s| *s < ty.bits());
        match op {
            BinOp::Add => fits(a.checked_add(b)?),
            BinOp::Sub => fits(a.checked_sub(b)?),
            BinOp::Mul => fits(a.checked_mul(b)?),
            BinOp::Div => fits(a.checked_div(b)?),
            BinOp::Rem => fits(a.checked_rem(b)?),
            BinOp::BitAnd => Some(Lit::Int(l & r)),
            BinOp::BitOr => Some(Lit::Int(l | r)),
            BinOp::BitXor => Some(Lit::Int(l ^ r)),
            BinOp::Shl => Some(Lit::Int(ty.mask(l << amount?))),
            BinOp::Shr => Some(Lit::Int(ty.mask((a >> amount?) as u128))),
            BinOp::Eq => Some(Lit::Bool(a == b)),
            BinOp::Ne => Some(Lit::Bool(a != b)),
            BinOp::Lt => Some(Lit::Bool(a < b)),
            BinOp::Le => Some(Lit::Bool(a <= b)),
            BinOp::Gt => Some(Lit::Bool(a > b)),
            BinOp::Ge => Some(Lit::Bool(a >= b)),
        }
    }
}
