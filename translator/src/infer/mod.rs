//! Type inference of bodies: from parsed functions to [`Body`].
//!
//! A body is inferred once, with its parameters as they are (not per instance), in the order rustc uses: expressions
//! from left to right with an expectation from outside, obligations shown as soon as possible, closures' bodies where they
//! stand, literals' fallbacks at the end, then captures and copies. Every name, adjustment and callee is decided here.
//!
//! What cannot be typed because it depends on something we cannot see is an [`Opaque`]: it travels outwards to the nearest
//! expression whose type is known from outside, which becomes outlined code; if there is none, it is an error.
//!
//! Guarantees: a [`Body`] is handed out only if no error was found in it; see `thir.rs` for what holds then.

mod call;
mod capture;
mod coerce;
mod expr;
mod flow;
mod macros;
mod method;
mod ops;
mod outline;
mod pat;
mod path;
mod place;
pub(crate) mod solve;
pub(crate) mod spans;
mod stmt;
pub(crate) mod table;
mod writeback;

pub(crate) use capture::children as operands;
pub(crate) use outline::unmark;

use std::cell::RefCell;
use std::rc::Rc;

use proc_macro2::Span as TokenSpan;

use crate::collect::types::TyCx;
use crate::diag::{Code, Diagnostic};
use crate::expand::marked_name;
use crate::expand::{peel, unmarked};
use crate::items::Predicate;
use crate::items::{FnKind, ModId};
use crate::names::Name;
use crate::program::{Program, Reported};
use crate::resolve::Def;
use crate::source::Span;
use crate::thir::*;
use crate::ty::{
    Args, AssocTyId, ClosureId, ConstId, FnId, InferKind, StaticId, TraitRef, Ty, TyKind, intern_list,
};
use table::{Goal, Infer, Snapshot};

/// Code that cannot be typed because of something we cannot see.
#[derive(Clone, Debug)]
pub(crate) struct Opaque {
    pub(crate) span: Span,
    /// What cannot be seen.
    pub(crate) what: String,
    /// A way out other than giving the surrounding expression a known type.
    pub(crate) help: String,
}

/// The result of typing.
pub(crate) type R<T> = Result<T, Box<Opaque>>;

/// What is expected of an expression's type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exp {
    /// Nothing.
    None,
    /// It will be coerced to this.
    Has(Ty),
    /// It will be cast to this by `as`.
    Cast(Ty),
}

impl Exp {
    /// The type hoped for, if it must be exactly that one.
    fn has(self) -> Option<Ty> {
        match self {
            Exp::Has(t) => Some(t),
            _ => None,
        }
    }

    /// The type hoped for, in any sense.
    fn hint(self) -> Option<Ty> {
        match self {
            Exp::Has(t) | Exp::Cast(t) => Some(t),
            Exp::None => None,
        }
    }
}

/// A name in scope of a body.
#[derive(Clone, Copy)]
enum InScope {
    Local(Name, LocalId),
    Items(ModId),
}

/// A loop or labelled block being typed.
struct LoopCx {
    label: Option<Name>,
    id: LoopId,
    /// Whether `continue` and unlabelled `break` may mean it.
    is_loop: bool,
    /// The values that leave it; `None` if `break` takes none.
    breaks: Option<coerce::CoerceMany>,
    broken: bool,
}

/// A closure call whose way of calling depends on what the closure does.
struct ClosureCall {
    call: ExprId,
    closure: ClosureId,
}

/// The state of typing one body.
pub(crate) struct FnCx<'p> {
    prog: &'p Program,
    icx: Rc<Infer<'p>>,
    tycx: TyCx<'p>,
    owner: BodyOwner,
    generic_args: Args,
    body: Body,
    names: Vec<InScope>,
    loops: Vec<LoopCx>,
    result: Ty,
    diverges: bool,
    closure: Option<ClosureId>,
    casts: Vec<ExprId>,
    closure_calls: Vec<ClosureCall>,
    /// How many closures were met, those of attempts that were undone included.
    closures_met: usize,
    /// Closures written so far that are not `move`-decided yet, with whether they are `move`.
    moves: Vec<(ClosureId, bool)>,
    macro_depth: u32,
    /// The outermost use of a macro that is being expanded.
    macro_use: Option<Span>,
    /// How many expressions around may still be outlined as a whole if something in them cannot be seen.
    catchers: u32,
    portal_loops: Vec<(LoopId, Span)>,
    /// The variables for each `impl Trait` in the function's result.
    hidden: Vec<(AssocTyId, Ty)>,
    /// How many errors there were before this body.
    errors_before: usize,
    /// Errors that may only follow from another in this body: about types that are not known yet.
    doubtful: RefCell<Vec<Diagnostic>>,
}

/// Lengths of the arenas, to undo an attempt.
struct Mark {
    infer: Snapshot,
    diags: usize,
    names: usize,
    casts: usize,
    calls: usize,
    moves: usize,
    closures: usize,
    diverges: bool,
}

impl<'p> FnCx<'p> {
    fn new(
        prog: &'p Program,
        owner: BodyOwner,
        mut tycx: TyCx<'p>,
        env: Vec<crate::items::Predicate>,
        args: Args,
    ) -> Self {
        let icx = Rc::new(Infer::new(prog, env.clone()));
        let maker = icx.clone();
        tycx.known = env;
        tycx.infer = Some(Rc::new(move || maker.fresh()));
        let body = Body {
            owner,
            params: Vec::new(),
            result: Ty::unit(),
            value: ExprId(0),
            exprs: Vec::new(),
            pats: Vec::new(),
            locals: Vec::new(),
            blocks: Vec::new(),
            loops: Vec::new(),
            closures: Vec::new(),
            portal_loop: None,
        };
        FnCx {
            prog,
            icx,
            tycx,
            owner,
            generic_args: args,
            body,
            names: Vec::new(),
            loops: Vec::new(),
            result: Ty::unit(),
            diverges: false,
            closure: None,
            casts: Vec::new(),
            closure_calls: Vec::new(),
            closures_met: 0,
            moves: Vec::new(),
            macro_depth: 0,
            macro_use: None,
            catchers: 0,
            portal_loops: Vec::new(),
            hidden: Vec::new(),
            errors_before: prog.diags.len(),
            doubtful: RefCell::new(Vec::new()),
        }
    }

    // ---- arenas -----------------------------------------------------------------------------------------------------

    fn node(&mut self, kind: ExprKind, ty: Ty, span: Span) -> ExprId {
        self.body.exprs.push(Expr { kind, ty, span });
        ExprId::new(self.body.exprs.len() - 1)
    }

    fn pat_node(&mut self, kind: PatKind, ty: Ty, span: Span) -> PatId {
        self.body.pats.push(Pat { kind, ty, span });
        PatId::new(self.body.pats.len() - 1)
    }

    fn block_node(&mut self, block: Block) -> BlockId {
        self.body.blocks.push(block);
        BlockId::new(self.body.blocks.len() - 1)
    }

    fn local_node(&mut self, name: Name, ty: Ty, mutable: bool, span: Span) -> LocalId {
        let name = Name::new(unmarked(&name));
        let closure = self.closure;
        self.body.locals.push(Local { name, ty, mutable, span, closure, address_taken: false });
        LocalId::new(self.body.locals.len() - 1)
    }

    /// A variable no source names.
    fn hidden_local(&mut self, name: &str, ty: Ty, mutable: bool, span: Span) -> (LocalId, PatId) {
        let local = self.local_node(Name::new(name), ty, mutable, span);
        let mode = BindingMode::Value(ReadMode::Move);
        let pat = self.pat_node(PatKind::Binding { local, mode, sub: None }, ty, span);
        (local, pat)
    }

    fn loop_node(&mut self, label: Option<Name>, ty: Ty) -> LoopId {
        let label = label.map(|l| Name::new(unmarked(&l)));
        self.body.loops.push(LoopInfo { label, ty });
        LoopId::new(self.body.loops.len() - 1)
    }

    /// The type of a node, as far as it is known.
    fn ty(&self, id: ExprId) -> Ty {
        self.icx.shallow(self.body.expr(id).ty)
    }

    fn span_at(&self, id: ExprId) -> Span {
        self.body.expr(id).span
    }

    fn kind(&self, id: ExprId) -> &ExprKind {
        &self.body.expr(id).kind
    }

    fn is_place(&self, id: ExprId) -> bool {
        self.kind(id).is_place()
    }

    /// The node as a value.
    fn value(&mut self, id: ExprId) -> ExprId {
        if !self.is_place(id) {
            return id;
        }
        let (ty, span) = (self.body.expr(id).ty, self.span_at(id));
        self.node(ExprKind::Read { place: id, mode: ReadMode::Move }, ty, span)
    }

    /// The node as a place.
    fn place(&mut self, id: ExprId) -> ExprId {
        if self.is_place(id) {
            return id;
        }
        let (ty, span) = (self.body.expr(id).ty, self.span_at(id));
        self.node(ExprKind::Temp { value: id, lifetime: TempLifetime::Scope }, ty, span)
    }

    fn scope(&mut self, id: ExprId) -> ExprId {
        let (ty, span) = (self.body.expr(id).ty, self.span_at(id));
        self.node(ExprKind::Scope(id), ty, span)
    }

    fn unit(&mut self, span: Span) -> ExprId {
        self.node(ExprKind::Tuple(Vec::new()), Ty::unit(), span)
    }

    fn error_node(&mut self, span: Span) -> ExprId {
        self.node(ExprKind::Tuple(Vec::new()), Ty::error(), span)
    }

    // ---- attempts ---------------------------------------------------------------------------------------------------

    fn mark(&self) -> Mark {
        Mark {
            infer: self.icx.snapshot(),
            diags: self.prog.diags.len(),
            names: self.names.len(),
            casts: self.casts.len(),
            calls: self.closure_calls.len(),
            moves: self.moves.len(),
            closures: self.body.closures.len(),
            diverges: self.diverges,
        }
    }

    /// Undoes an attempt. Nodes stay in the arenas, unreachable.
    fn undo(&mut self, m: Mark) {
        self.icx.rollback(m.infer);
        self.prog.diags.truncate(m.diags);
        self.names.truncate(m.names);
        self.casts.truncate(m.casts);
        self.closure_calls.truncate(m.calls);
        self.moves.truncate(m.moves);
        self.body.closures.truncate(m.closures);
        self.diverges = m.diverges;
    }

    // ---- types ------------------------------------------------------------------------------------------------------

    fn span(&self, s: TokenSpan) -> Span {
        self.prog.sources.span(s)
    }

    /// The type after showing what can be shown.
    fn structural(&self, ty: Ty) -> Ty {
        let t = self.icx.shallow(ty);
        if !t.is_infer() {
            return t;
        }
        self.icx.select_where_possible();
        self.icx.shallow(t)
    }

    fn fresh(&self) -> Ty {
        self.icx.fresh()
    }

    fn show(&self, ty: Ty) -> String {
        self.prog.ty_name(self.icx.resolve(ty))
    }

    fn lower_ty(&mut self, ty: &syn::Type) -> Ty {
        let t = self.tycx.lower(ty);
        let errors = std::mem::take(&mut *self.tycx.errors.borrow_mut());
        errors.into_iter().for_each(|e| self.prog.diags.push(e));
        self.icx.normalize(t)
    }

    // ---- errors -----------------------------------------------------------------------------------------------------

    fn report(&self, d: Diagnostic) {
        self.prog.diags.push(d);
    }

    /// Reports an error about types, unless one of them is an error already, or is not known and something else in the
    /// body is wrong.
    fn report_types(&self, d: Diagnostic, types: &[Ty]) {
        let flags = |t: &Ty| self.icx.resolve(*t).flags();
        if types.iter().any(|t| flags(t).has_error) {
            return;
        }
        if types.iter().any(|t| flags(t).has_infer) {
            self.doubtful.borrow_mut().push(d);
        } else {
            self.report(d);
        }
    }

    fn unsupported(&mut self, span: Span, what: &str, help: &str) -> ExprId {
        self.report(
            Diagnostic::new(Code::Unsupported, span, format!("{what} cannot be translated"))
                .label("in a function the tracer looks inside")
                .help(format!("{help}; or move it to a function marked `#[jit::dont_look_inside]`")),
        );
        self.error_node(span)
    }

    fn opaque<T>(&self, span: Span, what: String) -> R<T> {
        let help =
            "call it through a function marked `#[jit::dont_look_inside]`, or state the type of the result"
                .into();
        Err(Box::new(Opaque { span, what, help }))
    }

    fn report_opaque(&self, o: &Opaque) {
        self.report(
            Diagnostic::new(Code::Foreign, o.span, format!("the type of this is not known: {}", o.what))
                .label("the translator cannot see what this is")
                .help(o.help.clone()),
        );
    }

    // ---- names ------------------------------------------------------------------------------------------------------

    /// The variable a single identifier names, by the rules of hygiene.
    fn find_local(&self, ident: &syn::Ident) -> Option<LocalId> {
        let mut name = Some(marked_name(ident));
        while let Some(n) = name {
            for entry in self.names.iter().rev() {
                match *entry {
                    InScope::Local(known, id) if known == n => return Some(id),
                    InScope::Items(m) => {
                        let plain = Name::new(unmarked(&n));
                        let here = |ns| self.prog.scopes.names(m, ns).iter().any(|(k, _)| *k == plain);
                        if here(crate::resolve::Ns::Value) {
                            return None;
                        }
                    }
                    InScope::Local(..) => {}
                }
            }
            name = peel(n);
        }
        None
    }

    fn bind_name(&mut self, name: Name, local: LocalId) {
        self.names.push(InScope::Local(name, local));
    }

    /// Types the body proper and finishes it.
    fn finish(mut self, value: R<ExprId>) -> Result<Body, Reported> {
        match value {
            Ok(v) => self.body.value = v,
            Err(o) => {
                self.report_opaque(&o);
                return self.failed();
            }
        }
        self.write_back();
        if self.prog.diags.len() == self.errors_before {
            self.doubtful.take().into_iter().for_each(|d| self.report(d));
        }
        self.body.result = self.icx.resolve(self.body.result);
        for &(id, var) in &self.hidden {
            self.prog.hidden_types.borrow_mut().insert(id, self.icx.resolve(var));
        }
        if self.prog.diags.len() > self.errors_before { self.failed() } else { Ok(self.body) }
    }

    fn failed(self) -> Result<Body, Reported> {
        self.prog.calls_of_failed.borrow_mut().insert(self.owner, self.body.called());
        let errors = self.prog.diags.since(self.errors_before);
        self.prog.errors_of_failed.borrow_mut().insert(self.owner, errors);
        Err(Reported)
    }
}

impl Program {
    /// The function's typed body. Errors are collected; the second question gives the same answer.
    ///
    /// # Errors
    /// If the function has no body, or there are errors in it.
    pub fn body(&self, id: FnId) -> Result<Rc<Body>, Reported> {
        self.cached(BodyOwner::Fn(id), || self.infer_fn(id))
    }

    /// The typed initialiser of a constant.
    ///
    /// # Errors
    /// If it has no value here, or there are errors in it.
    pub fn const_body(&self, id: ConstId) -> Result<Rc<Body>, Reported> {
        self.cached(BodyOwner::Const(id), || {
            let src = self.src.consts.get(id.index());
            let def = self.consts.get(id.index());
            if self.report_item(Def::Const(id)) {
                return Err(Reported);
            }
            let expr = src.expr.clone().ok_or(Reported)?;
            let tycx = TyCx::for_container(self, src.container, src.scope);
            let env = def.generics.predicates.clone();
            let args = crate::collect::sigs::params_as_args(&def.generics);
            let cx = FnCx::new(self, BodyOwner::Const(id), tycx, env, intern_list(&args));
            let ty = cx.icx.normalize(def.ty);
            cx.initialiser(&expr, ty)
        })
    }

    /// The typed initialiser of a static.
    ///
    /// # Errors
    /// If there are errors in it.
    pub fn static_body(&self, id: StaticId) -> Result<Rc<Body>, Reported> {
        self.cached(BodyOwner::Static(id), || {
            let src = self.src.statics.get(id.index());
            if self.report_item(Def::Static(id)) {
                return Err(Reported);
            }
            let tycx = TyCx::new(self, src.scope);
            let cx = FnCx::new(self, BodyOwner::Static(id), tycx, Vec::new(), &[]);
            cx.initialiser(&src.expr, self.statics.get(id.index()).ty)
        })
    }

    fn cached(
        &self,
        owner: BodyOwner,
        infer: impl FnOnce() -> Result<Body, Reported>,
    ) -> Result<Rc<Body>, Reported> {
        if let Some(known) = self.bodies.borrow().get(&owner) {
            return known.clone();
        }
        if self.in_progress.borrow().contains(&owner) {
            return Err(Reported);
        }
        self.in_progress.borrow_mut().push(owner);
        let made = infer().map(Rc::new);
        self.in_progress.borrow_mut().pop();
        self.bodies.borrow_mut().insert(owner, made.clone());
        made
    }

    fn infer_fn(&self, id: FnId) -> Result<Body, Reported> {
        let def = self.fn_def(id);
        if self.report_item(Def::Fn(id)) || def.kind != FnKind::Source {
            return Err(Reported);
        }
        let src = self.src.fns.get(id.index());
        let block = self.fn_block(id).ok_or(Reported)??;
        let mut tycx = TyCx::for_container(self, src.container, src.scope);
        tycx.scope = src.scope;
        let first = def.generics.parent_count as u32;
        tycx.add_params(&src.sig.generics, first, &mut Vec::new());
        let args = intern_list(&crate::collect::sigs::params_as_args(&def.generics));
        let mut cx = FnCx::new(self, BodyOwner::Fn(id), tycx, def.generics.predicates.clone(), args);
        let result = cx.icx.normalize(def.sig.result);
        let result = cx.open_hidden(id, result);
        cx.result = result;
        cx.body.result = result;
        for (a, ty) in src.sig.inputs.iter().zip(&def.sig.params) {
            let ty = cx.icx.normalize(*ty);
            let pat = match a {
                syn::FnArg::Receiver(r) => {
                    let span = cx.span(r.self_token.span);
                    let local = cx.local_node(Name::new("self"), ty, r.mutability.is_some(), span);
                    cx.bind_name(Name::new("self"), local);
                    let mode = BindingMode::Value(ReadMode::Move);
                    cx.pat_node(PatKind::Binding { local, mode, sub: None }, ty, span)
                }
                syn::FnArg::Typed(t) => cx.check_pat_top(&t.pat, ty),
            };
            cx.body.params.push(Param { pat, ty });
        }
        let span = cx.span(block.brace_token.span.close());
        let value = cx.body_value(&block, result, span);
        cx.finish(value)
    }
}

impl FnCx<'_> {
    /// The function's result with a variable for each `impl Trait` in it, which its body decides.
    fn open_hidden(&mut self, owner: FnId, ty: Ty) -> Ty {
        let span = self.prog.fn_def(owner).span;
        let mut found = Vec::new();
        collect_hidden(self.prog, owner, ty, &mut found);
        let mut i = 0;
        while i < found.len() {
            for bound in &self.prog.assoc_ty(found[i].0).bounds {
                match *bound {
                    Predicate::Trait(tr) => {
                        tr.args.iter().for_each(|t| collect_hidden(self.prog, owner, *t, &mut found));
                    }
                    Predicate::Projection(_, _, t) => collect_hidden(self.prog, owner, t, &mut found),
                }
            }
            i += 1;
        }
        self.hidden = found.iter().map(|&(id, _)| (id, self.fresh())).collect();
        let hidden = self.hidden.clone();
        for &(id, _) in &hidden {
            for bound in self.prog.assoc_ty(id).bounds.clone() {
                let list =
                    |args: Args| intern_list(&args.iter().map(|t| opened(*t, &hidden)).collect::<Vec<_>>());
                let goal = match bound {
                    Predicate::Trait(tr) => {
                        Goal::Trait(TraitRef { trait_id: tr.trait_id, args: list(tr.args) })
                    }
                    Predicate::Projection(a, args, t) => Goal::Project(a, list(args), opened(t, &hidden)),
                };
                self.icx.require(goal, span);
            }
        }
        opened(ty, &hidden)
    }

    /// A function's or closure's block as the value it gives.
    fn body_value(&mut self, block: &syn::Block, result: Ty, _end: Span) -> R<ExprId> {
        let value = self.check_block_expr(block, None, Exp::Has(result))?;
        let value = self.coerce_to(value, result);
        Ok(self.scope(value))
    }

    fn initialiser(mut self, expr: &syn::Expr, ty: Ty) -> Result<Body, Reported> {
        self.result = ty;
        self.body.result = ty;
        let value = self.check_coerced(expr, ty).map(|v| self.scope(v));
        self.finish(value)
    }

    /// The next closure of this body; it may be known from an earlier translation.
    fn new_closure(&mut self) -> ClosureId {
        let number = self.closures_met;
        self.closures_met += 1;
        let known = |prog: &Program| prog.closure_ids.borrow().get(&self.owner)?.get(number).copied();
        known(self.prog).unwrap_or_else(|| {
            let id = self.prog.new_closure(self.owner);
            self.prog.closure_ids.borrow_mut().entry(self.owner).or_default().push(id);
            id
        })
    }

    fn int_var(&self) -> Ty {
        self.icx.fresh_kind(InferKind::Int)
    }
}

/// The types that stand for `impl Trait` in the function's result, in a type.
fn collect_hidden(prog: &Program, owner: FnId, ty: Ty, out: &mut Vec<(AssocTyId, Ty)>) {
    if let TyKind::Projection(id, _) = *ty.kind()
        && prog.assoc_ty(id).hides_result_of == Some(owner)
        && out.iter().all(|(known, _)| *known != id)
    {
        out.push((id, ty));
    }
    ty.for_each_child(|child| collect_hidden(prog, owner, child, out));
}

/// A type with variables for hidden types.
fn opened(ty: Ty, hidden: &[(AssocTyId, Ty)]) -> Ty {
    if !ty.flags().has_projection {
        return ty;
    }
    if let TyKind::Projection(id, _) = *ty.kind()
        && let Some((_, var)) = hidden.iter().find(|(known, _)| *known == id)
    {
        return *var;
    }
    ty.map_children(|t| opened(t, hidden))
}
