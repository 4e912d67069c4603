//! Which impl, bound or built-in rule makes a trait hold.
//!
//! As rustc does: bounds of the function come before impls; a goal whose self type is an open variable waits; of several impls
//! that unify, those whose own bounds cannot hold are dropped; what is still more than one waits for more to be
//! known. Nothing is ever chosen between two candidates.

use super::table::{Goal, Infer, Obligation};
use crate::items::{GenericParam, Predicate};
use crate::program::ClosureSig;
use crate::source::Span;
use crate::thir::CaptureMode;
use crate::ty::{
    Args, AssocTyId, ClosureId, ClosureKind, FnId, ImplId, InferKind, Mutability, TraitRef, Ty, TyKind,
    intern_list,
};

/// What makes a trait hold.
#[derive(Clone, Debug)]
pub(crate) enum Candidate {
    /// A bound of the function, or one on an associated type.
    Bound(TraitRef),
    /// An impl.
    Impl(ImplId),
    /// A rule of the language; holds if these goals do.
    Builtin(Vec<Goal>),
    /// A callable: its parameters as a tuple and its result.
    Callable(Ty, Ty),
    /// A trait object's own trait.
    Object(TraitRef),
}

/// The result of looking for candidates.
#[derive(Clone, Debug)]
pub(crate) enum Selection {
    /// Nothing makes it hold.
    None,
    /// Too little is known.
    Ambiguous,
    /// Exactly this.
    One(Candidate),
}

/// Whether a goal holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(crate) enum Answer {
    No,
    Maybe,
    Yes,
}

/// What an associated type is.
pub(crate) enum Projected {
    /// This type; goals remain to be shown.
    Ty(Ty),
    /// Nothing but itself: it depends on a parameter.
    Rigid,
    /// Not known yet.
    Stuck,
    /// The trait does not hold.
    Failed,
}

const DEPTH: u32 = 20;

impl Infer<'_> {
    /// Adds something that must be shown.
    pub(crate) fn require(&self, goal: Goal, span: Span) {
        self.pending.borrow_mut().push(Obligation { goal, span });
    }

    /// Adds predicates of an item, with its arguments.
    pub(crate) fn require_predicates(&self, predicates: &[Predicate], args: Args, span: Span) {
        for p in predicates {
            self.require(self.predicate_goal(p, args), span);
        }
    }

    fn predicate_goal(&self, p: &Predicate, args: Args) -> Goal {
        match *p {
            Predicate::Trait(tr) => {
                let tr = tr.subst(args);
                Goal::Trait(TraitRef { trait_id: tr.trait_id, args: self.normalize_list(tr.args) })
            }
            Predicate::Projection(a, list, ty) => {
                let list = self.normalize_list(crate::ty::subst_list(list, args));
                Goal::Project(a, list, self.normalize(ty.subst(args)))
            }
        }
    }

    pub(crate) fn normalize_list(&self, list: Args) -> Args {
        if list.iter().all(|t| !t.flags().has_projection) {
            return list;
        }
        intern_list(&list.iter().map(|t| self.normalize(*t)).collect::<Vec<_>>())
    }

    /// Replaces associated types by what they are; by a variable where that is not known yet.
    pub(crate) fn normalize(&self, ty: Ty) -> Ty {
        self.normalize_at(ty, 0)
    }

    fn normalize_at(&self, ty: Ty, depth: u32) -> Ty {
        if !ty.flags().has_projection || depth > DEPTH {
            return ty;
        }
        let ty = ty.map_children(|t| self.normalize_at(t, depth));
        let TyKind::Projection(assoc, args) = *ty.kind() else { return ty };
        match self.project(assoc, args) {
            Projected::Ty(t) => self.normalize_at(t, depth + 1),
            Projected::Rigid => ty,
            Projected::Stuck | Projected::Failed => {
                let var = self.fresh();
                self.require(
                    Goal::Project(assoc, args, var),
                    Span { file: crate::source::FileId(0), lo: 0, hi: 0 },
                );
                var
            }
        }
    }

    /// What an associated type is; goals of the impl that gives it are added.
    pub(crate) fn project(&self, assoc: AssocTyId, args: Args) -> Projected {
        let prog = self.prog;
        let def = prog.assoc_tys.get(assoc.index());
        if def.hides_result_of.is_some() {
            if !self.reveals {
                return Projected::Rigid;
            }
            return prog.hidden_type(assoc).map_or(Projected::Failed, |ty| Projected::Ty(ty.subst(args)));
        }
        if let TyKind::Infer(_, InferKind::General) = self.shallow(args[0]).kind() {
            // A bound on a parameter says nothing about a type that may turn out to be another one.
            return Projected::Stuck;
        }
        let trait_id = def.trait_id;
        for p in self.env.iter() {
            if let Predicate::Projection(a, list, ty) = *p
                && a == assoc
                && self.unify_lists(list, args)
            {
                return Projected::Ty(ty);
            }
        }
        let tr = TraitRef { trait_id, args };
        match self.select(tr, 0) {
            Selection::None => Projected::Failed,
            Selection::Ambiguous => Projected::Stuck,
            Selection::One(Candidate::Bound(b)) => {
                self.unify_lists(b.args, tr.args);
                self.bound_projection(assoc, tr).map_or(Projected::Rigid, Projected::Ty)
            }
            Selection::One(Candidate::Impl(id)) => {
                let Some((args, goals)) = self.match_impl(id, tr) else { return Projected::Failed };
                let Some(ty) = prog.impls.get(id.index()).assoc_tys.get(&assoc) else {
                    return Projected::Failed;
                };
                for g in goals {
                    self.require(g, prog.impls.get(id.index()).span);
                }
                Projected::Ty(ty.subst(args))
            }
            Selection::One(Candidate::Callable(params, result)) => {
                self.unify(params, tr.args[1]);
                Projected::Ty(result)
            }
            Selection::One(Candidate::Object(_)) => match self.shallow(tr.args[0]).kind() {
                TyKind::Dyn(_, _, bindings) => bindings
                    .iter()
                    .find(|(a, _)| *a == assoc)
                    .map_or(Projected::Failed, |(_, t)| Projected::Ty(*t)),
                _ => Projected::Failed,
            },
            Selection::One(Candidate::Builtin(goals)) => match goals.as_slice() {
                // callables behind a pointer: the result is that of what is pointed to
                [Goal::Trait(inner)] if inner.trait_id == tr.trait_id => {
                    Projected::Ty(Ty::new(TyKind::Projection(assoc, inner.args)))
                }
                _ => Projected::Failed,
            },
        }
    }

    /// What bounds on associated types say about an associated type of theirs.
    fn bound_projection(&self, assoc: AssocTyId, tr: TraitRef) -> Option<Ty> {
        let TyKind::Projection(outer, outer_args) = *self.shallow(tr.args[0]).kind() else { return None };
        self.prog.assoc_tys.get(outer.index()).bounds.iter().find_map(|p| match *p {
            Predicate::Projection(a, list, ty) if a == assoc => {
                let list = crate::ty::subst_list(list, outer_args);
                self.unify_lists(list, tr.args).then(|| ty.subst(outer_args))
            }
            _ => None,
        })
    }

    /// Finds what makes the trait hold.
    pub(crate) fn select(&self, tr: TraitRef, depth: u32) -> Selection {
        let prog = self.prog;
        let args = self.resolve_list(tr.args);
        let tr = TraitRef { trait_id: tr.trait_id, args };
        let self_ty = tr.args[0];
        let def = prog.traits.get(tr.trait_id.index());
        let lang = def.lang.map_or("", |n| n.as_str());
        if self_ty.is_error() || matches!(lang, "Send" | "Sync" | "Unpin") {
            return Selection::One(Candidate::Builtin(Vec::new()));
        }
        if let TyKind::Infer(_, InferKind::General) = self_ty.kind() {
            return if lang == "Sized" {
                Selection::One(Candidate::Builtin(Vec::new()))
            } else {
                Selection::Ambiguous
            };
        }
        if depth > DEPTH {
            return Selection::Ambiguous;
        }
        if let Some(found) = self.select_bound(tr) {
            return found;
        }
        if let Some(found) = self.select_builtin(tr, lang) {
            return found;
        }
        let impls = prog.impls_of_trait.borrow().get(&tr.trait_id).cloned().unwrap_or_default();
        let mut fitting: Vec<ImplId> = Vec::new();
        for id in impls {
            if !may_fit(prog.impls.get(id.index()).self_ty, self_ty) {
                continue;
            }
            let answer = self.probe(|| match self.match_impl(id, tr) {
                Some((_, goals)) => self.evaluate_all(&goals, depth + 1),
                None => Answer::No,
            });
            if answer != Answer::No {
                fitting.push(id);
            }
        }
        match fitting.as_slice() {
            [] => Selection::None,
            [one] => Selection::One(Candidate::Impl(*one)),
            _ => Selection::Ambiguous,
        }
    }

    fn select_bound(&self, tr: TraitRef) -> Option<Selection> {
        let mut candidates: Vec<TraitRef> = Vec::new();
        let mut add = |b: TraitRef| {
            if b.trait_id == tr.trait_id
                && !candidates.contains(&b)
                && self.probe(|| self.unify_lists(b.args, tr.args))
            {
                candidates.push(b);
            }
        };
        for p in &self.env {
            if let Predicate::Trait(b) = p {
                add(*b);
            }
        }
        if let TyKind::Projection(assoc, args) = *tr.args[0].kind() {
            let mut bounds = self.prog.assoc_tys.get(assoc.index()).bounds.clone();
            self.prog.elaborate(&mut bounds);
            for b in bounds {
                if let Predicate::Trait(b) = b {
                    add(b.subst(args));
                }
            }
        }
        match candidates.as_slice() {
            [] => None,
            [one] => Some(Selection::One(Candidate::Bound(*one))),
            // an exact one needs nothing to be learned, so it decides nothing
            several => match several.iter().find(|c| c.args == tr.args) {
                Some(exact) => Some(Selection::One(Candidate::Bound(*exact))),
                None => Some(Selection::Ambiguous),
            },
        }
    }

    fn select_builtin(&self, tr: TraitRef, lang: &str) -> Option<Selection> {
        let yes = |goals: Vec<Goal>| Some(Selection::One(Candidate::Builtin(goals)));
        let holds =
            |b: bool| Some(if b { Selection::One(Candidate::Builtin(Vec::new())) } else { Selection::None });
        let self_ty = tr.args[0];
        let each = |list: &[Ty]| {
            list.iter()
                .map(|t| Goal::Trait(TraitRef { trait_id: tr.trait_id, args: intern_list(&[*t]) }))
                .collect::<Vec<_>>()
        };
        if let TyKind::Dyn(id, args, _) = *self_ty.kind() {
            let mut full = vec![self_ty];
            full.extend(args);
            let mut all = vec![Predicate::Trait(TraitRef { trait_id: id, args: intern_list(&full) })];
            self.prog.elaborate(&mut all);
            for p in all {
                if let Predicate::Trait(t) = p
                    && t.trait_id == tr.trait_id
                    && self.probe(|| self.unify_lists(t.args, tr.args))
                {
                    return Some(Selection::One(Candidate::Object(t)));
                }
            }
        }
        match lang {
            "Sized" => holds(!matches!(self_ty.kind(), TyKind::Str | TyKind::Slice(_) | TyKind::Dyn(..))),
            "Copy" | "Clone" => match *self_ty.kind() {
                TyKind::Bool
                | TyKind::Char
                | TyKind::Int(_)
                | TyKind::Float(_)
                | TyKind::Never
                | TyKind::RawPtr(..)
                | TyKind::Ref(Mutability::Not, _)
                | TyKind::FnDef(..)
                | TyKind::FnPtr(_)
                | TyKind::Infer(..) => yes(Vec::new()),
                TyKind::Ref(Mutability::Mut, _) | TyKind::Str | TyKind::Slice(_) => holds(false),
                TyKind::Tuple(list) => yes(each(list)),
                TyKind::Array(t, _) => yes(each(&[t])),
                TyKind::Closure(id, args) => match self.closure_sig(id) {
                    Some(sig) => {
                        let captures: Vec<Ty> = sig.captures.iter().map(|t| t.subst(args)).collect();
                        yes(each(&captures))
                    }
                    None => holds(false),
                },
                _ => None,
            },
            "__Int" => holds(self_ty.is_integral()),
            "__Float" => holds(self_ty.is_floating()),
            "__Num" => holds(self_ty.is_integral() || self_ty.is_floating()),
            "__Signed" => holds(match self_ty.kind() {
                TyKind::Int(i) => i.signed(),
                TyKind::Infer(_, InferKind::Int | InferKind::Float) | TyKind::Float(_) => true,
                _ => false,
            }),
            "__Scalar" => holds(
                self_ty.is_integral()
                    || self_ty.is_floating()
                    || matches!(self_ty.kind(), TyKind::Bool | TyKind::Char),
            ),
            "Fn" | "FnMut" | "FnOnce" => self.select_callable(tr, lang),
            _ => None,
        }
    }

    fn select_callable(&self, tr: TraitRef, lang: &str) -> Option<Selection> {
        let pointed = |inner: Ty| {
            let args = intern_list(&[inner, tr.args[1]]);
            let goal = Goal::Trait(TraitRef { trait_id: tr.trait_id, args });
            Some(Selection::One(Candidate::Builtin(vec![goal])))
        };
        match *tr.args[0].kind() {
            TyKind::FnDef(id, args) => {
                let sig = self.fn_sig(id, args);
                Some(Selection::One(Candidate::Callable(Ty::tuple(&sig.0), sig.1)))
            }
            TyKind::FnPtr(list) => {
                let (result, params) = list.split_last()?;
                Some(Selection::One(Candidate::Callable(Ty::tuple(params), *result)))
            }
            TyKind::Closure(id, args) => {
                let sig = self.closure_sig(id)?;
                let params: Vec<Ty> = sig.params.iter().map(|t| self.normalize(t.subst(args))).collect();
                let result = self.normalize(sig.result.subst(args));
                Some(Selection::One(Candidate::Callable(Ty::tuple(&params), result)))
            }
            TyKind::Ref(m, inner) if lang == "FnOnce" || lang == "FnMut" || m == Mutability::Not => {
                pointed(inner)
            }
            TyKind::Adt(id, args) if self.prog.adt(id).lang.is_some_and(|l| l == "Box") => {
                pointed(*args.first()?)
            }
            _ => None,
        }
    }

    /// Parameters and result of a function item, normalised.
    pub(crate) fn fn_sig(&self, id: FnId, args: Args) -> (Vec<Ty>, Ty) {
        let sig = self.prog.fn_def(id).sig.subst(args);
        (sig.params.iter().map(|t| self.normalize(*t)).collect(), self.normalize(sig.result))
    }

    /// A closure's types: complete if its body is inferred, else as far as they are known.
    pub(crate) fn closure_sig(&self, id: ClosureId) -> Option<ClosureSig> {
        self.prog.closure_sigs.borrow().get(&id).cloned()
    }

    /// Unifies an impl's header with a goal; gives the impl's arguments and what its bounds ask for.
    pub(crate) fn match_impl(&self, id: ImplId, tr: TraitRef) -> Option<(Args, Vec<Goal>)> {
        let def = self.prog.impls.get(id.index());
        let fresh: Vec<Ty> = def.generics.params.iter().map(|_| self.fresh()).collect();
        let args = intern_list(&fresh);
        let header = def.trait_ref?.subst(args);
        let before = self.pending.borrow().len();
        let header = self.normalize_list(header.args);
        if !self.unify_lists(header, tr.args) {
            return None;
        }
        let is_sized = |(param, arg): (&GenericParam, &Ty)| {
            let arg = self.resolve(*arg);
            !(param.sized && matches!(arg.kind(), TyKind::Str | TyKind::Slice(_) | TyKind::Dyn(..)))
        };
        if !def.generics.params.iter().zip(&fresh).all(is_sized) {
            return None;
        }
        let mut goals: Vec<Goal> =
            def.generics.predicates.iter().map(|p| self.predicate_goal(p, args)).collect();
        goals.extend(self.pending.borrow_mut().drain(before..).map(|o| o.goal));
        Some((args, goals))
    }

    /// Whether all goals hold, as far as is known. Learns nothing that outlives the caller's probe.
    pub(crate) fn evaluate_all(&self, goals: &[Goal], depth: u32) -> Answer {
        let mut worst = Answer::Yes;
        for g in goals {
            match self.evaluate(*g, depth) {
                Answer::No => return Answer::No,
                a => worst = worst.min(a),
            }
        }
        worst
    }

    /// Whether a goal holds.
    pub(crate) fn evaluate(&self, goal: Goal, depth: u32) -> Answer {
        if depth > DEPTH {
            return Answer::Maybe;
        }
        match goal {
            Goal::Trait(tr) => match self.select(tr, depth) {
                Selection::None => Answer::No,
                Selection::Ambiguous => Answer::Maybe,
                Selection::One(c) => match self.confirm(&c, tr) {
                    Some(goals) => self.evaluate_all(&goals, depth + 1),
                    None => Answer::No,
                },
            },
            Goal::Project(assoc, args, ty) => {
                let before = self.pending.borrow().len();
                let found = self.project(assoc, args);
                let goals: Vec<Goal> = self.pending.borrow_mut().drain(before..).map(|o| o.goal).collect();
                let holds = match found {
                    Projected::Ty(t) => {
                        let t = self.normalize(t);
                        self.unify(t, ty)
                    }
                    Projected::Rigid => {
                        self.unify(Ty::new(TyKind::Projection(assoc, self.resolve_list(args))), ty)
                    }
                    Projected::Stuck => return Answer::Maybe,
                    Projected::Failed => false,
                };
                if holds { self.evaluate_all(&goals, depth + 1) } else { Answer::No }
            }
        }
    }

    /// Takes a candidate: learns what it implies and gives what it asks for. `None` if it does not fit.
    pub(crate) fn confirm(&self, c: &Candidate, tr: TraitRef) -> Option<Vec<Goal>> {
        match c {
            Candidate::Bound(b) | Candidate::Object(b) => self.unify_lists(b.args, tr.args).then(Vec::new),
            Candidate::Impl(id) => self.match_impl(*id, tr).map(|(_, goals)| goals),
            Candidate::Builtin(goals) => Some(goals.clone()),
            Candidate::Callable(params, _) => self.unify(*params, tr.args[1]).then(Vec::new),
        }
    }

    /// Shows what can be shown, until nothing more is learned.
    pub(crate) fn select_where_possible(&self) {
        loop {
            let work = std::mem::take(&mut *self.pending.borrow_mut());
            let mut progress = false;
            for o in work {
                progress |= self.step(o);
            }
            if !progress {
                break;
            }
        }
    }

    /// One obligation; whether anything was learned.
    fn step(&self, o: Obligation) -> bool {
        let keep = |goals: Vec<Goal>| {
            self.pending.borrow_mut().extend(goals.into_iter().map(|goal| Obligation { goal, span: o.span }));
        };
        match o.goal {
            Goal::Trait(tr) => match self.select(tr, 0) {
                Selection::Ambiguous => {
                    self.pending.borrow_mut().push(o);
                    false
                }
                Selection::None => {
                    self.failed.borrow_mut().push(o);
                    true
                }
                Selection::One(c) => {
                    match self.confirm(&c, tr) {
                        Some(goals) => keep(goals),
                        None => self.failed.borrow_mut().push(o),
                    }
                    true
                }
            },
            Goal::Project(assoc, args, ty) => {
                let before = self.pending.borrow().len();
                let found = self.project(assoc, args);
                for added in self.pending.borrow_mut()[before..].iter_mut() {
                    added.span = o.span;
                }
                let fits = match found {
                    Projected::Ty(t) => {
                        let t = self.normalize(t);
                        self.unify(t, ty)
                    }
                    Projected::Rigid => {
                        self.unify(Ty::new(TyKind::Projection(assoc, self.resolve_list(args))), ty)
                    }
                    Projected::Stuck => {
                        self.pending.borrow_mut().push(o);
                        return false;
                    }
                    Projected::Failed => false,
                };
                if !fits {
                    self.failed.borrow_mut().push(o);
                }
                true
            }
        }
    }

    /// Whether the trait holds for the type, with fresh variables for the trait's other arguments.
    pub(crate) fn implements(&self, ty: Ty, lang: &str) -> Answer {
        let Some(id) = self.prog.lang_trait(lang) else { return Answer::No };
        self.probe(|| {
            let mut args = vec![ty];
            let count = self.prog.traits.get(id.index()).generics.params.len();
            args.extend((1..count).map(|_| self.fresh()));
            self.evaluate(Goal::Trait(TraitRef { trait_id: id, args: intern_list(&args) }), 0)
        })
    }
}

/// Whether an impl's type could be this type, by the outermost constructors alone.
fn may_fit(impl_ty: Ty, ty: Ty) -> bool {
    match (impl_ty.kind(), ty.kind()) {
        (TyKind::Param(..) | TyKind::Projection(..) | TyKind::Error, _) => true,
        (_, TyKind::Infer(_, InferKind::General) | TyKind::Error) => true,
        (TyKind::Int(_), TyKind::Infer(_, InferKind::Int)) => true,
        (TyKind::Float(_), TyKind::Infer(_, InferKind::Float)) => true,
        (TyKind::Adt(a, _), TyKind::Adt(b, _)) => a == b,
        (TyKind::Ref(a, _), TyKind::Ref(b, _)) | (TyKind::RawPtr(a, _), TyKind::RawPtr(b, _)) => a == b,
        (TyKind::Int(a), TyKind::Int(b)) => a == b,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// The environment's field for a capture.
pub(crate) fn capture_ty(mode: CaptureMode, ty: Ty) -> Ty {
    match mode {
        CaptureMode::Value => ty,
        CaptureMode::Shared => Ty::shared_ref(ty),
        CaptureMode::Mut => Ty::reference(Mutability::Mut, ty),
    }
}

/// Whether a callable of kind `has` may be called through `wants`.
pub(crate) fn kind_allows(has: ClosureKind, wants: ClosureKind) -> bool {
    has <= wants
}
