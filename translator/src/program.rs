//! The program as the front end knows it: item tables, and the queries a reader of typed bodies asks.
//!
//! All tables are complete after loading. Bodies are inferred when asked for ([`Program::body`]) and kept; an error in one is
//! collected in the program's diagnostics and answered with [`Reported`].
//!
//! Queries for readers of bodies, all on types without inference variables:
//! `body(FnId)`, `const_body(ConstId)`, `static_body(StaticId)` → `Result<Rc<Body>, Reported>`;
//! `resolve_instance(FnId, Args)` → `Result<Instance, NoInstance>` (also for functions that are no trait methods);
//! `resolve_closure_call(callee: Ty, via: ClosureKind)` → `Result<Instance, NoInstance>`, `callee` without the reference by
//! which it is passed; `resolve_const(ConstId, Args)` → `Result<(ConstId, Args), NoInstance>`;
//! `eval_const(ConstId, Args)` → `Option<Lit>` for scalar constants; `normalize(Ty)` → `Ty`;
//! `is_copy(Ty)`, `needs_drop(Ty)`, `is_freeze(Ty)`, `is_sized(Ty)` → `bool`; `drop_impl(Ty)` → `Option<(FnId, Args)>`;
//! `implements(Ty, TraitId)` → `bool`; `field_ty(Ty, VariantIdx, FieldIdx)` → `Ty`; `ty_name(Ty)` → `String`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::items::{AdtDef, AssocTyDef, ConstDef, FnDef, ImplDef, Portal, StaticDef, TraitDef};
use crate::names::Name;
use crate::source::SourceMap;
use crate::thir::Body;
use crate::ty::{
    AdtId, Args, AssocTyId, ClosureId, ClosureKind, ConstId, FnId, ImplId, StaticId, TraitId, Ty,
};

/// An error that is already in the diagnostics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported;

/// What a callee is once its types are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instance {
    /// A function with a body, an opaque one, an intrinsic, a hint or a constructor: see
    /// [`FnDef::kind`](crate::items::FnDef). Arguments are complete and in the function's own order.
    Fn(FnId, Args),
    /// A trait method on `dyn Trait`: through the vtable. The receiver is the first argument.
    Virtual {
        /// The method as the trait declares it.
        method: FnId,
        /// Its arguments; `args[0]` is the `dyn` type.
        args: Args,
    },
    /// A closure's body. `via` is the trait it is called through, `kind` of the closure may be weaker: a `Fn` closure
    /// called through `FnOnce` receives its environment by value.
    Closure {
        /// The closure.
        id: ClosureId,
        /// Arguments of the function it stands in.
        args: Args,
        /// How the callee operand is passed.
        via: ClosureKind,
    },
    /// A function pointer called through a closure trait.
    FnPointer {
        /// Its type.
        ty: Ty,
        /// How the callee operand is passed.
        via: ClosureKind,
    },
    /// `Clone::clone` of a tuple, array, closure, reference or function: component by component.
    CloneShim(Ty),
}

/// Why no impl was selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoInstance {
    /// The types still mention parameters.
    TooGeneric,
    /// No impl fits: `ty: Trait` does not hold as far as we can see.
    NotImplemented(String),
    /// Already reported.
    Reported,
}

/// The program.
pub struct Program {
    pub(crate) sources: SourceMap,
    pub(crate) fns: Vec<FnDef>,
    pub(crate) adts: Vec<AdtDef>,
    pub(crate) traits: Vec<TraitDef>,
    pub(crate) impls: Vec<ImplDef>,
    pub(crate) consts: Vec<ConstDef>,
    pub(crate) statics: Vec<StaticDef>,
    pub(crate) assoc_tys: Vec<AssocTyDef>,
    pub(crate) portals: Vec<Portal>,
    pub(crate) bodies: RefCell<HashMap<FnId, Result<Rc<Body>, Reported>>>,
    pub(crate) closure_owner: RefCell<HashMap<ClosureId, FnId>>,
    pub(crate) lang_adts: HashMap<Name, AdtId>,
    pub(crate) lang_traits: HashMap<Name, TraitId>,
}

impl Program {
    /// Source texts and positions.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// The function's item.
    pub fn fn_def(&self, id: FnId) -> &FnDef {
        &self.fns[id.index()]
    }

    /// The type's item.
    pub fn adt(&self, id: AdtId) -> &AdtDef {
        &self.adts[id.index()]
    }

    /// The trait's item.
    pub fn trait_def(&self, id: TraitId) -> &TraitDef {
        &self.traits[id.index()]
    }

    /// The impl.
    pub fn impl_def(&self, id: ImplId) -> &ImplDef {
        &self.impls[id.index()]
    }

    /// The constant's item.
    pub fn const_def(&self, id: ConstId) -> &ConstDef {
        &self.consts[id.index()]
    }

    /// The static's item.
    pub fn static_def(&self, id: StaticId) -> &StaticDef {
        &self.statics[id.index()]
    }

    /// All statics of the user's crate: what an opaque call may touch.
    pub fn statics(&self) -> impl Iterator<Item = (StaticId, &StaticDef)> {
        self.statics.iter().enumerate().map(|(i, s)| (StaticId::new(i), s))
    }

    /// The associated type's declaration.
    pub fn assoc_ty(&self, id: AssocTyId) -> &AssocTyDef {
        &self.assoc_tys[id.index()]
    }

    /// The functions marked as portals, checked, in source order.
    pub fn portals(&self) -> &[Portal] {
        &self.portals
    }

    /// The type the core model marks with `#[lang = "name"]`.
    pub fn lang_adt(&self, name: &str) -> Option<AdtId> {
        self.lang_adts.get(&Name::new(name)).copied()
    }

    /// The trait the core model marks with `#[lang = "name"]`.
    pub fn lang_trait(&self, name: &str) -> Option<TraitId> {
        self.lang_traits.get(&Name::new(name)).copied()
    }

    /// The function whose body contains the closure; known once that body was inferred.
    pub fn closure_owner(&self, id: ClosureId) -> Option<FnId> {
        self.closure_owner.borrow().get(&id).copied()
    }
}
