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

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::collect::Sources;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::load::cfg::Cfg;
use crate::load::packages::Outsider;
use crate::resolve::{AliasId, Scopes};
use crate::thir::BodyOwner;

use crate::items::{AdtDef, AssocTyDef, ConstDef, FnDef, ImplDef, ModId, Portal, StaticDef, TraitDef};
use crate::names::Name;
use crate::source::{FileId, SourceMap, Span};
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

/// An append-only table. Its entries live as long as the process, as types do: a translation is one run of a build
/// script, and its tables are used to the end.
pub(crate) struct Table<T: 'static>(RefCell<Vec<Option<&'static T>>>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table(RefCell::new(Vec::new()))
    }
}

impl<T> Table<T> {
    /// Makes room for an entry; it must be set before it is asked for.
    pub(crate) fn reserve(&self) -> usize {
        let mut v = self.0.borrow_mut();
        v.push(None);
        v.len() - 1
    }

    /// Sets or replaces an entry.
    pub(crate) fn set(&self, index: usize, value: T) {
        self.0.borrow_mut()[index] = Some(Box::leak(Box::new(value)));
    }

    /// Adds an entry.
    pub(crate) fn push(&self, value: T) -> usize {
        let index = self.reserve();
        self.set(index, value);
        index
    }

    /// The entry.
    pub(crate) fn get(&self, index: usize) -> &'static T {
        match self.try_get(index) {
            Some(v) => v,
            None => panic!("table entry {index} is used before it is made"),
        }
    }

    /// The entry, if it is set.
    pub(crate) fn try_get(&self, index: usize) -> Option<&'static T> {
        self.0.borrow().get(index).copied().flatten()
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}

/// The program.
#[derive(Default)]
pub struct Program {
    pub(crate) name: String,
    pub(crate) sources: SourceMap,
    pub(crate) diags: Diagnostics,
    pub(crate) warnings: Diagnostics,
    pub(crate) cfg: Cfg,
    pub(crate) edition: u32,
    /// The libraries that take part, after those they use.
    pub(crate) libraries: Vec<LibraryCrate>,
    /// By what name each is reached from the crate with the portal.
    pub(crate) names: Vec<(String, usize)>,
    /// The texts of all manifests that the translation depends on.
    pub(crate) manifests: Vec<String>,
    /// Libraries that do not take part.
    pub(crate) outside: Vec<Outsider>,
    pub(crate) scopes: Scopes,
    pub(crate) fns: Table<FnDef>,
    pub(crate) adts: Table<AdtDef>,
    pub(crate) traits: Table<TraitDef>,
    pub(crate) impls: Table<ImplDef>,
    pub(crate) consts: Table<ConstDef>,
    pub(crate) statics: Table<StaticDef>,
    pub(crate) assoc_tys: Table<AssocTyDef>,
    pub(crate) src: Sources,
    pub(crate) portals: RefCell<Vec<Portal>>,
    /// Functions marked as portals that are not of the form.
    pub(crate) broken_portals: RefCell<Vec<FnId>>,
    pub(crate) bodies: RefCell<HashMap<BodyOwner, Result<Rc<Body>, Reported>>>,
    /// The functions that bodies with errors call, as far as that is known.
    pub(crate) calls_of_failed: RefCell<HashMap<BodyOwner, Vec<FnId>>>,
    /// The errors in these bodies.
    pub(crate) errors_of_failed: RefCell<HashMap<BodyOwner, Vec<Diagnostic>>>,
    /// The type aliases that are being looked through.
    pub(crate) open_aliases: RefCell<Vec<AliasId>>,
    pub(crate) in_progress: RefCell<Vec<BodyOwner>>,
    /// What types of function results that are `impl Trait` are, in terms of the function's parameters.
    pub(crate) hidden_types: RefCell<HashMap<AssocTyId, Ty>>,
    /// What each closure is written in.
    pub(crate) closures: RefCell<Vec<BodyOwner>>,
    /// The closures of each body, in the order in which inference meets them.
    pub(crate) closure_ids: RefCell<HashMap<BodyOwner, Vec<ClosureId>>>,
    pub(crate) closure_sigs: RefCell<HashMap<ClosureId, ClosureSig>>,
    pub(crate) lang_adts: RefCell<HashMap<Name, AdtId>>,
    pub(crate) lang_traits: RefCell<HashMap<Name, TraitId>>,
    pub(crate) lang_fns: RefCell<HashMap<Name, FnId>>,
    pub(crate) lang_assoc: RefCell<HashMap<Name, AssocTyId>>,
    pub(crate) foreign_adts: RefCell<HashMap<Name, AdtId>>,
    pub(crate) impls_of_trait: RefCell<HashMap<TraitId, Vec<ImplId>>>,
    pub(crate) inherent_impls: RefCell<HashMap<Head, Vec<ImplId>>>,
    /// How many functions and types there are before any body is looked at: their numbers depend on the surroundings of bodies alone.
    pub(crate) declared: Cell<(usize, usize)>,
    pub(crate) expansions: Cell<usize>,
    /// The use of a macro that was expanded last, and how many tokens it has made.
    pub(crate) expanded_tokens: Cell<(Option<Span>, usize)>,
    /// Whether some macro that is not seen may declare items, or macros come from crates that are not seen.
    pub(crate) unseen_items: Cell<bool>,
    pub(crate) waiting: Option<(crate::collect::sigs::Marks, Vec<crate::resolve::Import>)>,
    pub(crate) query_cache: RefCell<HashMap<(Query, Ty), bool>>,
}

/// A closure's types once its body is inferred, in terms of the parameters of the function it stands in.
#[derive(Clone, Debug)]
pub(crate) struct ClosureSig {
    pub(crate) params: Vec<Ty>,
    pub(crate) result: Ty,
    pub(crate) kind: ClosureKind,
    /// Types of the environment's fields.
    pub(crate) captures: Vec<Ty>,
}

/// What decides which inherent impls a type may have: its outermost constructor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Head {
    Adt(AdtId),
    Dyn(TraitId),
    Str,
    Slice,
    Array,
    RawPtr,
    Ref,
    Fn,
    Tuple,
    /// Scalars, and impls on a parameter bounded by one of the models' marker traits for them.
    Scalar,
}

/// A cached question about a type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Query {
    NeedsDrop,
    Freeze,
}

/// A library of the interpreter.
#[derive(Clone, Debug)]
pub(crate) struct LibraryCrate {
    /// Its name, by which its items' paths begin.
    pub(crate) name: String,
    pub(crate) dir: std::path::PathBuf,
    pub(crate) root: ModId,
    pub(crate) cfg: Cfg,
    pub(crate) edition: u32,
    /// Its features, and whether they are on.
    pub(crate) features: Vec<(String, bool)>,
    /// By what name each other library is reached from it.
    pub(crate) names: Vec<(String, usize)>,
    /// The numbers of its source files.
    pub(crate) files: std::ops::Range<u32>,
}

impl Program {
    /// The library that a scope is in; none for the crate with the portal, and for the models.
    pub(crate) fn library_of(&self, scope: ModId) -> Option<&LibraryCrate> {
        if self.libraries.is_empty() {
            return None;
        }
        let root = self.scopes.root(scope);
        self.libraries.iter().find(|library| library.root == root)
    }

    /// The conditions that hold in a scope's crate.
    pub(crate) fn cfg_of(&self, scope: ModId) -> &Cfg {
        self.library_of(scope).map_or(&self.cfg, |library| &library.cfg)
    }

    /// The conditions that hold in a file's crate.
    pub(crate) fn cfg_in(&self, file: FileId) -> &Cfg {
        self.library_in(file).map_or(&self.cfg, |library| &library.cfg)
    }

    /// The edition of a file's crate.
    pub(crate) fn edition_in(&self, file: FileId) -> u32 {
        self.library_in(file).map_or(self.edition, |library| library.edition)
    }

    /// The edition of a scope's crate.
    pub(crate) fn edition_of(&self, scope: ModId) -> u32 {
        self.library_of(scope).map_or(self.edition, |library| library.edition)
    }

    fn library_in(&self, file: FileId) -> Option<&LibraryCrate> {
        self.libraries.iter().find(|library| library.files.contains(&file.0))
    }

    /// What the author should know though it stops nothing.
    pub fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// Adds what lowering or code generation noted to the warnings.
    pub fn keep_notes(&self, notes: &[crate::flow::Note]) {
        notes.iter().for_each(|note| self.warnings.push(Diagnostic::from_note(note, &self.sources)));
    }

    /// All errors, then all warnings, both in the order of their places. Where items were lost, nothing is said about functions that
    /// cannot be looked inside: that may be why.
    pub fn everything(&self) -> Vec<Diagnostic> {
        let mut all = self.diags.sorted();
        let lost = all.iter().any(|d| d.code.loses_items());
        all.extend(self.warnings.sorted().into_iter().filter(|w| !lost || w.code != Code::Called));
        all
    }

    /// What is to be said of something in a crate that is not seen.
    pub(crate) fn why_foreign(&self, path: Name) -> String {
        let first = path.split("::").next().unwrap_or_default();
        match self.outside.iter().find(|outsider| outsider.name == first) {
            Some(Outsider { name, why, .. }) => {
                format!("`{path}`, for the library `{name}` takes no part in the translation: {why}")
            }
            None => format!("`{path}`, which is not modelled"),
        }
    }

    /// The folders of the libraries that take part.
    pub fn packages(&self) -> Vec<std::path::PathBuf> {
        self.libraries.iter().map(|library| library.dir.clone()).collect()
    }

    /// The paths of the modules with `metatrace::glue!()`, as `module_path!()` tells them.
    pub fn modules_with_glue(&self) -> Vec<String> {
        let modules = self.scopes.modules(crate::items::Origin::User).into_iter();
        let with_glue = modules.filter(|&module| self.scopes.has_glue(module));
        with_glue
            .map(|module| {
                let path = self.scopes.path(module).to_string();
                path.strip_prefix("crate").map(|rest| format!("{}{rest}", self.crate_name())).unwrap_or(path)
            })
            .collect()
    }

    /// The texts of the manifests that the translation depends on.
    pub fn manifests(&self) -> &[String] {
        &self.manifests
    }

    /// Source texts and positions.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// The function's item.
    pub fn fn_def(&self, id: FnId) -> &FnDef {
        match self.fns.try_get(id.index()) {
            Some(def) => def,
            // The models' functions are lowered when they are asked for.
            None => {
                self.lower_fn(id);
                self.fns.get(id.index())
            }
        }
    }

    /// How many functions there are: their ids are the numbers below.
    pub fn fn_count(&self) -> usize {
        self.fns.len()
    }

    /// Whether a function is one of the user's crate; asks for nothing of a model's.
    pub(crate) fn is_users(&self, id: FnId) -> bool {
        self.scopes.origin(self.src.fns.get(id.index()).scope) == crate::items::Origin::User
    }

    /// A function that was declared before any body was looked at.
    pub(crate) fn stable_fn(&self, id: FnId) -> Option<FnId> {
        (id.index() < self.declared.get().0).then_some(id)
    }

    /// A type that was declared before any body was looked at.
    pub(crate) fn stable_adt(&self, id: AdtId) -> Option<AdtId> {
        (id.index() < self.declared.get().1).then_some(id)
    }

    /// The type's item.
    pub fn adt(&self, id: AdtId) -> &AdtDef {
        self.adts.get(id.index())
    }

    /// The trait's item.
    pub fn trait_def(&self, id: TraitId) -> &TraitDef {
        self.traits.get(id.index())
    }

    /// The impl.
    pub fn impl_def(&self, id: ImplId) -> &ImplDef {
        self.impls.get(id.index())
    }

    /// The constant's item.
    pub fn const_def(&self, id: ConstId) -> &ConstDef {
        self.consts.get(id.index())
    }

    /// The static's item.
    pub fn static_def(&self, id: StaticId) -> &StaticDef {
        self.statics.get(id.index())
    }

    /// All statics of the user's crate: what an opaque call may touch.
    pub fn statics(&self) -> impl Iterator<Item = (StaticId, &StaticDef)> {
        (0..self.statics.len()).map(|i| (StaticId::new(i), self.statics.get(i)))
    }

    /// The associated type's declaration.
    pub fn assoc_ty(&self, id: AssocTyId) -> &AssocTyDef {
        self.assoc_tys.get(id.index())
    }

    /// The functions marked as portals, checked, in source order.
    pub fn portals(&self) -> Vec<Portal> {
        self.portals.borrow().clone()
    }

    /// The errors found so far.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diags
    }

    /// What a body with errors calls, as far as that is known; `None` if there is no error in it.
    pub(crate) fn body_calls(&self, id: FnId) -> Option<Vec<FnId>> {
        self.calls_of_failed.borrow().get(&BodyOwner::Fn(id)).cloned()
    }

    /// The crate's edition as a year.
    pub fn edition(&self) -> u32 {
        self.edition
    }

    /// The type the core model marks with `#[lang = "name"]`.
    pub fn lang_adt(&self, name: &str) -> Option<AdtId> {
        self.lang_adts.borrow().get(&Name::new(name)).copied()
    }

    /// The trait the core model marks with `#[lang = "name"]`.
    pub fn lang_trait(&self, name: &str) -> Option<TraitId> {
        self.lang_traits.borrow().get(&Name::new(name)).copied()
    }

    /// A fresh closure.
    pub(crate) fn new_closure(&self, owner: BodyOwner) -> ClosureId {
        let mut all = self.closures.borrow_mut();
        all.push(owner);
        ClosureId::new(all.len() - 1)
    }

    /// A closure's number among those of the body that it is written in.
    pub(crate) fn closure_number(&self, id: ClosureId) -> Option<usize> {
        self.closure_ids.borrow().get(&self.closure_owner(id))?.iter().position(|&other| other == id)
    }

    /// The function (constant, static) whose body contains the closure.
    pub fn closure_owner(&self, id: ClosureId) -> BodyOwner {
        self.closures.borrow()[id.index()]
    }
}
