//! Inference variables and unification.

use std::cell::{Cell, RefCell};

use crate::items::Predicate;
use crate::program::Program;
use crate::source::Span;
use crate::ty::{Args, AssocTyId, InferKind, InferVar, TraitRef, Ty, TyKind, intern_list};

/// Something that must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Goal {
    /// The trait is implemented.
    Trait(TraitRef),
    /// The associated type, for these arguments, is this type.
    Project(AssocTyId, Args, Ty),
}

/// A goal with the place it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Obligation {
    pub(crate) goal: Goal,
    pub(crate) span: Span,
}

/// The state of inference: variables, what is known of parameters, what must still be shown.
pub(crate) struct Infer<'p> {
    pub(crate) prog: &'p Program,
    /// Bounds of the function whose body is inferred.
    pub(crate) env: Vec<Predicate>,
    /// Whether `impl Trait` in results is what it stands for.
    pub(crate) reveals: bool,
    /// What must still be shown.
    pub(crate) pending: RefCell<Vec<Obligation>>,
    /// What turned out not to hold.
    pub(crate) failed: RefCell<Vec<Obligation>>,
    values: RefCell<Vec<Option<Ty>>>,
    log: RefCell<Vec<usize>>,
    pub(crate) probing: Cell<u32>,
}

/// A state to come back to.
pub(crate) struct Snapshot {
    log: usize,
    pending: Vec<Obligation>,
    failed: usize,
}

impl<'p> Infer<'p> {
    pub(crate) fn new(prog: &'p Program, env: Vec<Predicate>) -> Self {
        Infer {
            prog,
            env,
            reveals: false,
            pending: RefCell::default(),
            failed: RefCell::default(),
            values: RefCell::default(),
            log: RefCell::default(),
            probing: Cell::new(0),
        }
    }

    /// For types without parameters: `impl Trait` in results is what it stands for.
    pub(crate) fn revealing(prog: &'p Program) -> Self {
        Infer { reveals: true, ..Infer::new(prog, Vec::new()) }
    }

    /// A fresh variable.
    pub(crate) fn fresh_kind(&self, kind: InferKind) -> Ty {
        let mut v = self.values.borrow_mut();
        v.push(None);
        Ty::new(TyKind::Infer(InferVar::new(v.len() - 1), kind))
    }

    /// A fresh variable that may become any type.
    pub(crate) fn fresh(&self) -> Ty {
        self.fresh_kind(InferKind::General)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            log: self.log.borrow().len(),
            pending: self.pending.borrow().clone(),
            failed: self.failed.borrow().len(),
        }
    }

    pub(crate) fn rollback(&self, s: Snapshot) {
        let mut log = self.log.borrow_mut();
        let mut values = self.values.borrow_mut();
        for i in log.drain(s.log..) {
            values[i] = None;
        }
        *self.pending.borrow_mut() = s.pending;
        self.failed.borrow_mut().truncate(s.failed);
    }

    /// Runs `f` and undoes what it learned.
    pub(crate) fn probe<T>(&self, f: impl FnOnce() -> T) -> T {
        let s = self.snapshot();
        self.probing.set(self.probing.get() + 1);
        let out = f();
        self.probing.set(self.probing.get() - 1);
        self.rollback(s);
        out
    }

    /// Runs `f` and undoes what it learned if it fails.
    pub(crate) fn attempt(&self, f: impl FnOnce() -> bool) -> bool {
        let s = self.snapshot();
        let ok = f();
        if !ok {
            self.rollback(s);
        }
        ok
    }

    fn bind(&self, var: InferVar, ty: Ty) {
        self.values.borrow_mut()[var.index()] = Some(ty);
        self.log.borrow_mut().push(var.index());
    }

    /// Follows variables at the outermost level.
    pub(crate) fn shallow(&self, mut ty: Ty) -> Ty {
        while let TyKind::Infer(v, _) = ty.kind() {
            match self.values.borrow()[v.index()] {
                Some(t) => ty = t,
                None => break,
            }
        }
        ty
    }

    /// Replaces all variables that are known.
    pub(crate) fn resolve(&self, ty: Ty) -> Ty {
        if !ty.flags().has_infer {
            return ty;
        }
        let ty = self.shallow(ty);
        if !ty.flags().has_infer || ty.is_infer() {
            return ty;
        }
        ty.map_children(|t| self.resolve(t))
    }

    /// Replaces all known variables in a list.
    pub(crate) fn resolve_list(&self, list: Args) -> Args {
        if list.iter().all(|t| !t.flags().has_infer) {
            return list;
        }
        intern_list(&list.iter().map(|t| self.resolve(*t)).collect::<Vec<_>>())
    }

    fn occurs(&self, var: InferVar, ty: Ty) -> bool {
        let ty = self.shallow(ty);
        if let TyKind::Infer(v, _) = ty.kind() {
            return *v == var;
        }
        if !ty.flags().has_infer {
            return false;
        }
        let mut found = false;
        ty.for_each_child(|t| found |= self.occurs(var, t));
        found
    }

    /// Makes two types equal; on failure nothing is learned.
    pub(crate) fn unify(&self, a: Ty, b: Ty) -> bool {
        let mark = self.log.borrow().len();
        let ok = self.unify_inner(a, b);
        if !ok {
            let mut log = self.log.borrow_mut();
            let mut values = self.values.borrow_mut();
            for i in log.drain(mark..) {
                values[i] = None;
            }
        }
        ok
    }

    /// Makes two lists equal, element by element.
    pub(crate) fn unify_lists(&self, a: Args, b: Args) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.unify(*a, *b))
    }

    fn unify_inner(&self, a: Ty, b: Ty) -> bool {
        let (a, b) = (self.shallow(a), self.shallow(b));
        if a == b {
            return true;
        }
        let lists =
            |a: Args, b: Args| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.unify_inner(*a, *b));
        match (*a.kind(), *b.kind()) {
            (TyKind::Error, _) | (_, TyKind::Error) => true,
            (TyKind::Infer(x, kx), TyKind::Infer(y, ky)) => match (kx, ky) {
                (InferKind::General, _) => {
                    self.bind(x, b);
                    true
                }
                (_, InferKind::General) => {
                    self.bind(y, a);
                    true
                }
                _ if kx == ky => {
                    self.bind(x, b);
                    true
                }
                _ => false,
            },
            (TyKind::Infer(v, kind), _) => self.bind_kind(v, kind, b),
            (_, TyKind::Infer(v, kind)) => self.bind_kind(v, kind, a),
            (TyKind::Adt(x, xs), TyKind::Adt(y, ys)) => x == y && lists(xs, ys),
            (TyKind::Ref(m, x), TyKind::Ref(n, y)) => m == n && self.unify_inner(x, y),
            (TyKind::RawPtr(m, x), TyKind::RawPtr(n, y)) => m == n && self.unify_inner(x, y),
            (TyKind::Array(x, n), TyKind::Array(y, m)) => self.unify_inner(x, y) && self.unify_inner(n, m),
            (TyKind::Slice(x), TyKind::Slice(y)) => self.unify_inner(x, y),
            (TyKind::Tuple(x), TyKind::Tuple(y)) => lists(x, y),
            (TyKind::FnDef(x, xs), TyKind::FnDef(y, ys)) => x == y && lists(xs, ys),
            (TyKind::FnPtr(x), TyKind::FnPtr(y)) => lists(x, y),
            (TyKind::Closure(x, xs), TyKind::Closure(y, ys)) => x == y && lists(xs, ys),
            (TyKind::Dyn(x, xs, xb), TyKind::Dyn(y, ys, yb)) => {
                x == y
                    && lists(xs, ys)
                    && xb.len() == yb.len()
                    && xb.iter().zip(yb).all(|((p, s), (q, t))| p == q && self.unify_inner(*s, *t))
            }
            (TyKind::Projection(x, xs), TyKind::Projection(y, ys)) => x == y && lists(xs, ys),
            _ => false,
        }
    }

    fn bind_kind(&self, var: InferVar, kind: InferKind, ty: Ty) -> bool {
        let fits = match kind {
            InferKind::General => !self.occurs(var, ty),
            InferKind::Int => matches!(ty.kind(), TyKind::Int(_)),
            InferKind::Float => matches!(ty.kind(), TyKind::Float(_)),
        };
        if fits {
            self.bind(var, ty);
        }
        fits
    }
}
