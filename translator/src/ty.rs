//! Interned types.
//!
//! A [`Ty`] is a pointer to an interned [`TyKind`]: copying and comparing are free, and matching needs no context:
//! `match ty.kind() { TyKind::Int(i) => … }`. Types are *generic*: a function's parameters appear as
//! [`TyKind::Param`], and `ty.subst(args)` replaces them. Lifetimes are erased everywhere: they select nothing.
//!
//! Generic arguments are one list, [`Args`], in rustc's order: first the parameters of the enclosing impl or trait
//! (for a trait, `Self` is number 0), then the item's own. A const argument is a [`Ty`] of kind [`TyKind::Const`].
//!
//! Guarantees for readers of THIR: no type in a finished body contains [`TyKind::Infer`] or [`TyKind::Error`];
//! projections may remain only where they depend on a parameter ([`crate::program::Program::normalize`] resolves
//! them after substitution).

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::names::Name;

/// Declares an index newtype printing with a prefix.
#[macro_export]
macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// The index as a subscript.
            pub fn index(self) -> usize {
                self.0 as usize
            }
            /// The newtype of a subscript.
            pub fn new(index: usize) -> Self {
                $name(index as u32)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

index_type!(/** A function, method, or required trait method. */ FnId, "fn");
index_type!(/** A struct or enum, ours, modelled or foreign. */ AdtId, "adt");
index_type!(/** A trait. */ TraitId, "trait");
index_type!(/** An impl block. */ ImplId, "impl");
index_type!(/** A constant, associated ones included. */ ConstId, "const");
index_type!(/** A static. */ StaticId, "static");
index_type!(/** An associated type as a trait declares it. */ AssocTyId, "assoc");
index_type!(/** A closure expression; each has its own type. */ ClosureId, "closure");
index_type!(/** An inference variable; never in a finished body. */ InferVar, "?");

/// An interned type, or a constant used as a generic argument.
#[derive(Clone, Copy)]
pub struct Ty(&'static TyData);

struct TyData {
    kind: TyKind,
    flags: Flags,
}

/// Generic arguments or the elements of a tuple.
pub type Args = &'static [Ty];

/// What a type contains, computed once.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Flags {
    /// Mentions a [`TyKind::Param`].
    pub has_param: bool,
    /// Mentions a [`TyKind::Infer`].
    pub has_infer: bool,
    /// Mentions a [`TyKind::Projection`].
    pub has_projection: bool,
    /// Mentions [`TyKind::Error`].
    pub has_error: bool,
    /// Of how many types it is made, itself included.
    pub size: u32,
}

impl Flags {
    fn join(self, o: Flags) -> Flags {
        Flags {
            has_param: self.has_param | o.has_param,
            has_infer: self.has_infer | o.has_infer,
            has_projection: self.has_projection | o.has_projection,
            has_error: self.has_error | o.has_error,
            size: self.size.saturating_add(o.size),
        }
    }
}

/// Width and signedness of an integer. `Isize`/`Usize` are kept apart from `I64`/`U64`: they are other types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IntTy {
    /// `i8`
    I8,
    /// `i16`
    I16,
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `i128`
    I128,
    /// `isize`
    Isize,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `usize`
    Usize,
}

impl IntTy {
    /// Every integer type.
    pub const ALL: [IntTy; 12] = [
        IntTy::I8,
        IntTy::I16,
        IntTy::I32,
        IntTy::I64,
        IntTy::I128,
        IntTy::Isize,
        IntTy::U8,
        IntTy::U16,
        IntTy::U32,
        IntTy::U64,
        IntTy::U128,
        IntTy::Usize,
    ];

    /// Width in bits; pointers have 64 on every supported target.
    pub fn bits(self) -> u32 {
        match self {
            IntTy::I8 | IntTy::U8 => 8,
            IntTy::I16 | IntTy::U16 => 16,
            IntTy::I32 | IntTy::U32 => 32,
            IntTy::I64 | IntTy::U64 | IntTy::Isize | IntTy::Usize => 64,
            IntTy::I128 | IntTy::U128 => 128,
        }
    }

    /// Whether values are signed.
    pub fn signed(self) -> bool {
        matches!(self, IntTy::I8 | IntTy::I16 | IntTy::I32 | IntTy::I64 | IntTy::I128 | IntTy::Isize)
    }

    /// The type's name in Rust.
    pub fn name(self) -> &'static str {
        match self {
            IntTy::I8 => "i8",
            IntTy::I16 => "i16",
            IntTy::I32 => "i32",
            IntTy::I64 => "i64",
            IntTy::I128 => "i128",
            IntTy::Isize => "isize",
            IntTy::U8 => "u8",
            IntTy::U16 => "u16",
            IntTy::U32 => "u32",
            IntTy::U64 => "u64",
            IntTy::U128 => "u128",
            IntTy::Usize => "usize",
        }
    }

    /// `value` cut to this width (zero-extended two's complement).
    pub fn mask(self, value: u128) -> u128 {
        if self.bits() == 128 { value } else { value & ((1 << self.bits()) - 1) }
    }
}

/// Width of a float.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FloatTy {
    /// `f32`
    F32,
    /// `f64`
    F64,
}

/// `mut` or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mutability {
    /// `&T`, `*const T`
    Not,
    /// `&mut T`, `*mut T`
    Mut,
}

impl Mutability {
    /// `"mut "` or `""`.
    pub fn prefix(self) -> &'static str {
        match self {
            Mutability::Mut => "mut ",
            Mutability::Not => "",
        }
    }
}

/// Which kind of inference variable: what it may become.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum InferKind {
    /// Any type.
    General,
    /// An integer literal's type; falls back to `i32`.
    Int,
    /// A float literal's type; falls back to `f64`.
    Float,
}

/// The traits that make values callable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum ClosureKind {
    /// Callable through `&self`.
    Fn,
    /// Callable through `&mut self`.
    FnMut,
    /// Callable once, by value.
    FnOnce,
}

/// A trait with its arguments; `args[0]` is `Self`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraitRef {
    /// The trait.
    pub trait_id: TraitId,
    /// Its arguments, `Self` first.
    pub args: Args,
}

impl TraitRef {
    /// The type that implements.
    pub fn self_ty(self) -> Ty {
        self.args[0]
    }

    /// Substitutes parameters.
    pub fn subst(self, args: Args) -> TraitRef {
        TraitRef { trait_id: self.trait_id, args: subst_list(self.args, args) }
    }
}

/// The shape of a type.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum TyKind {
    /// `bool`
    Bool,
    /// `char`
    Char,
    /// An integer.
    Int(IntTy),
    /// A float.
    Float(FloatTy),
    /// `str`
    Str,
    /// `!`
    Never,
    /// A struct or enum with its arguments. `Box`, `Vec`, `String`, `Option`… of the core model too.
    Adt(AdtId, Args),
    /// `&T` or `&mut T`.
    Ref(Mutability, Ty),
    /// `*const T` or `*mut T`.
    RawPtr(Mutability, Ty),
    /// `[T; N]`; the second is a constant (or parameter).
    Array(Ty, Ty),
    /// `[T]`
    Slice(Ty),
    /// `(A, B, …)`; `()` is the empty tuple.
    Tuple(Args),
    /// The zero-sized type of one function item with all its arguments.
    FnDef(FnId, Args),
    /// `fn(A, B) -> C`: parameters, then the result as the last element.
    FnPtr(Args),
    /// A closure; the arguments are those of the function it stands in.
    Closure(ClosureId, Args),
    /// `dyn Trait<…>`: arguments *without* `Self`, then the values of the associated types that are bound.
    Dyn(TraitId, Args, &'static [(AssocTyId, Ty)]),
    /// A generic parameter, by its number in [`Args`] order.
    Param(u32, Name),
    /// `<args[0] as Trait<args[1..]>>::Name`, not known yet because it depends on a parameter.
    Projection(AssocTyId, Args),
    /// A constant's value as zero-extended bits, used as a generic argument.
    Const(u128),
    /// An inference variable.
    Infer(InferVar, InferKind),
    /// The type of something already reported; absorbs every further error.
    Error,
}

impl PartialEq for Ty {
    fn eq(&self, other: &Ty) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Ty {}

impl Hash for Ty {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

/// Interned kinds, found by content. Leaked: the set of types of one translation is small and used to its end.
struct Interner {
    types: std::collections::HashMap<TyKind, &'static TyData>,
    lists: HashSet<&'static [Ty]>,
    bindings: HashSet<&'static [(AssocTyId, Ty)]>,
}

static INTERNER: LazyLock<Mutex<Interner>> = LazyLock::new(|| {
    Mutex::new(Interner { types: Default::default(), lists: HashSet::new(), bindings: HashSet::new() })
});

fn interner() -> std::sync::MutexGuard<'static, Interner> {
    INTERNER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The interned form of a list of types.
pub fn intern_list(list: &[Ty]) -> Args {
    if list.is_empty() {
        return &[];
    }
    let mut i = interner();
    if let Some(&known) = i.lists.get(list) {
        return known;
    }
    let leaked: Args = Box::leak(list.into());
    i.lists.insert(leaked);
    leaked
}

/// The interned form of the associated-type bindings of a trait object.
pub fn intern_bindings(list: &[(AssocTyId, Ty)]) -> &'static [(AssocTyId, Ty)] {
    if list.is_empty() {
        return &[];
    }
    let mut i = interner();
    if let Some(&known) = i.bindings.get(list) {
        return known;
    }
    let leaked: &'static [(AssocTyId, Ty)] = Box::leak(list.into());
    i.bindings.insert(leaked);
    leaked
}

/// Substitutes parameters in each element.
pub fn subst_list(list: Args, args: Args) -> Args {
    if list.iter().all(|t| !t.flags().has_param) {
        return list;
    }
    intern_list(&list.iter().map(|t| t.subst(args)).collect::<Vec<_>>())
}

impl Ty {
    /// The interned type of this kind.
    pub fn new(kind: TyKind) -> Ty {
        if let Some(&data) = interner().types.get(&kind) {
            return Ty(data);
        }
        let flags = kind_flags(&kind);
        let mut i = interner();
        Ty(i.types.entry(kind).or_insert_with(|| Box::leak(Box::new(TyData { kind, flags }))))
    }

    /// What it is.
    pub fn kind(self) -> &'static TyKind {
        &self.0.kind
    }

    /// What it mentions.
    pub fn flags(self) -> Flags {
        self.0.flags
    }

    /// Whether it is so large that it can only come from generic code that makes ever larger types.
    pub fn is_endless(self) -> bool {
        self.flags().size > 250
    }

    /// `()`
    pub fn unit() -> Ty {
        Ty::new(TyKind::Tuple(&[]))
    }

    /// `bool`
    pub fn bool() -> Ty {
        Ty::new(TyKind::Bool)
    }

    /// `!`
    pub fn never() -> Ty {
        Ty::new(TyKind::Never)
    }

    /// `usize`
    pub fn usize() -> Ty {
        Ty::new(TyKind::Int(IntTy::Usize))
    }

    /// An integer type.
    pub fn int(int: IntTy) -> Ty {
        Ty::new(TyKind::Int(int))
    }

    /// The absorbing error type.
    pub fn error() -> Ty {
        Ty::new(TyKind::Error)
    }

    /// `&T`
    pub fn shared_ref(to: Ty) -> Ty {
        Ty::new(TyKind::Ref(Mutability::Not, to))
    }

    /// `&T` or `&mut T`
    pub fn reference(mutability: Mutability, to: Ty) -> Ty {
        Ty::new(TyKind::Ref(mutability, to))
    }

    /// `(A, B, …)`
    pub fn tuple(elements: &[Ty]) -> Ty {
        Ty::new(TyKind::Tuple(intern_list(elements)))
    }

    /// A struct or enum.
    pub fn adt(id: AdtId, args: &[Ty]) -> Ty {
        Ty::new(TyKind::Adt(id, intern_list(args)))
    }

    /// `fn(params) -> result`
    pub fn fn_ptr(params: &[Ty], result: Ty) -> Ty {
        let mut all = params.to_vec();
        all.push(result);
        Ty::new(TyKind::FnPtr(intern_list(&all)))
    }

    /// Whether it is `()`.
    pub fn is_unit(self) -> bool {
        matches!(self.kind(), TyKind::Tuple([]))
    }

    /// Whether it is `!`.
    pub fn is_never(self) -> bool {
        matches!(self.kind(), TyKind::Never)
    }

    /// Whether it is the error type itself.
    pub fn is_error(self) -> bool {
        matches!(self.kind(), TyKind::Error)
    }

    /// Whether it is an inference variable of any kind.
    pub fn is_infer(self) -> bool {
        matches!(self.kind(), TyKind::Infer(..))
    }

    /// An integer type or a variable that can only become one.
    pub fn is_integral(self) -> bool {
        matches!(self.kind(), TyKind::Int(_) | TyKind::Infer(_, InferKind::Int))
    }

    /// A float type or a variable that can only become one.
    pub fn is_floating(self) -> bool {
        matches!(self.kind(), TyKind::Float(_) | TyKind::Infer(_, InferKind::Float))
    }

    /// The constant's value, if it is a known constant.
    pub fn const_value(self) -> Option<u128> {
        match self.kind() {
            TyKind::Const(v) => Some(*v),
            _ => None,
        }
    }

    /// Replaces parameter `i` by `args[i]`; parameters beyond the list stay (a generic item inside another).
    pub fn subst(self, args: Args) -> Ty {
        if !self.0.flags.has_param {
            return self;
        }
        match *self.kind() {
            TyKind::Param(i, _) => args.get(i as usize).copied().unwrap_or(self),
            _ => self.map_children(|t| t.subst(args)),
        }
    }

    /// Rebuilds the type with `f` applied to its direct components.
    pub fn map_children(self, mut f: impl FnMut(Ty) -> Ty) -> Ty {
        let mut list = |l: Args| intern_list(&l.iter().map(|&t| f(t)).collect::<Vec<_>>());
        Ty::new(match *self.kind() {
            TyKind::Adt(id, a) => TyKind::Adt(id, list(a)),
            TyKind::Ref(m, t) => TyKind::Ref(m, f(t)),
            TyKind::RawPtr(m, t) => TyKind::RawPtr(m, f(t)),
            TyKind::Array(t, n) => TyKind::Array(f(t), f(n)),
            TyKind::Slice(t) => TyKind::Slice(f(t)),
            TyKind::Tuple(a) => TyKind::Tuple(list(a)),
            TyKind::FnDef(id, a) => TyKind::FnDef(id, list(a)),
            TyKind::FnPtr(a) => TyKind::FnPtr(list(a)),
            TyKind::Closure(id, a) => TyKind::Closure(id, list(a)),
            TyKind::Dyn(id, a, b) => {
                let a = list(a);
                let b: Vec<_> = b.iter().map(|&(n, t)| (n, f(t))).collect();
                TyKind::Dyn(id, a, intern_bindings(&b))
            }
            TyKind::Projection(id, a) => TyKind::Projection(id, list(a)),
            TyKind::Bool
            | TyKind::Char
            | TyKind::Int(_)
            | TyKind::Float(_)
            | TyKind::Str
            | TyKind::Never
            | TyKind::Param(..)
            | TyKind::Const(_)
            | TyKind::Infer(..)
            | TyKind::Error => return self,
        })
    }

    /// Calls `f` on the direct components.
    pub fn for_each_child(self, mut f: impl FnMut(Ty)) {
        walk_kind(self.kind(), &mut f);
    }
}

fn walk_kind(kind: &TyKind, f: &mut dyn FnMut(Ty)) {
    match *kind {
        TyKind::Adt(_, a)
        | TyKind::Tuple(a)
        | TyKind::FnDef(_, a)
        | TyKind::FnPtr(a)
        | TyKind::Closure(_, a)
        | TyKind::Projection(_, a) => a.iter().for_each(|&t| f(t)),
        TyKind::Dyn(_, a, b) => {
            a.iter().for_each(|&t| f(t));
            b.iter().for_each(|&(_, t)| f(t));
        }
        TyKind::Ref(_, t) | TyKind::RawPtr(_, t) | TyKind::Slice(t) => f(t),
        TyKind::Array(t, n) => {
            f(t);
            f(n);
        }
        TyKind::Bool
        | TyKind::Char
        | TyKind::Int(_)
        | TyKind::Float(_)
        | TyKind::Str
        | TyKind::Never
        | TyKind::Param(..)
        | TyKind::Const(_)
        | TyKind::Infer(..)
        | TyKind::Error => {}
    }
}

fn kind_flags(kind: &TyKind) -> Flags {
    let mut flags = Flags {
        has_param: matches!(kind, TyKind::Param(..)),
        has_infer: matches!(kind, TyKind::Infer(..)),
        has_projection: matches!(kind, TyKind::Projection(..)),
        has_error: matches!(kind, TyKind::Error),
        size: 1,
    };
    walk_kind(kind, &mut |t| flags = flags.join(t.flags()));
    flags
}

/// Prints ids for items; [`crate::program::Program::ty_name`] prints paths.
impl fmt::Debug for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_ty(*self, f, &|def| match def {
            DefName::Adt(id) => id.to_string(),
            DefName::Fn(id) => id.to_string(),
            DefName::Trait(id) => id.to_string(),
            DefName::Assoc(id) => id.to_string(),
            DefName::Closure(id) => id.to_string(),
        })
    }
}

/// An item whose name a printer of types asks for.
#[derive(Clone, Copy)]
pub enum DefName {
    /// A struct or enum.
    Adt(AdtId),
    /// A function.
    Fn(FnId),
    /// A trait.
    Trait(TraitId),
    /// An associated type: answer `Trait>::Name` parts as `path::Trait` and name joined by `>::`.
    Assoc(AssocTyId),
    /// A closure.
    Closure(ClosureId),
}

fn print_list(items: &[Ty], f: &mut dyn fmt::Write, name: &dyn Fn(DefName) -> String) -> fmt::Result {
    for (i, &t) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        print_ty(t, f, name)?;
    }
    Ok(())
}

/// Prints a trait object's type, that of a closure as `dyn Fn(A) -> B`.
fn print_dyn(
    full: &str,
    a: Args,
    b: &[(AssocTyId, Ty)],
    f: &mut dyn fmt::Write,
    name: &dyn Fn(DefName) -> String,
) -> fmt::Result {
    let list = |f: &mut dyn fmt::Write, items: &[Ty]| print_list(items, f, name);
    write!(f, "dyn {full}")?;
    if let ("Fn" | "FnMut" | "FnOnce", [params], [(_, result)]) =
        (full.rsplit("::").next().unwrap_or_default(), &a[..], &b[..])
        && let TyKind::Tuple(params) = *params.kind()
    {
        f.write_str("(")?;
        list(f, params)?;
        f.write_str(")")?;
        if !result.is_unit() {
            f.write_str(" -> ")?;
            print_ty(*result, f, name)?;
        }
        return Ok(());
    }
    if !a.is_empty() || !b.is_empty() {
        f.write_str("<")?;
        list(f, a)?;
        for (i, &(assoc, t)) in b.iter().enumerate() {
            if i > 0 || !a.is_empty() {
                f.write_str(", ")?;
            }
            let full = name(DefName::Assoc(assoc));
            write!(f, "{} = ", full.rsplit("::").next().unwrap_or(&full))?;
            print_ty(t, f, name)?;
        }
        f.write_str(">")?;
    }
    Ok(())
}

/// Prints `ty` in Rust's syntax, asking `name` for items.
pub fn print_ty(ty: Ty, f: &mut dyn fmt::Write, name: &dyn Fn(DefName) -> String) -> fmt::Result {
    let list = |f: &mut dyn fmt::Write, items: &[Ty]| print_list(items, f, name);
    let generic = |f: &mut dyn fmt::Write, head: String, args: &[Ty]| -> fmt::Result {
        f.write_str(&head)?;
        if !args.is_empty() {
            f.write_str("<")?;
            list(f, args)?;
            f.write_str(">")?;
        }
        Ok(())
    };
    match *ty.kind() {
        TyKind::Bool => f.write_str("bool"),
        TyKind::Char => f.write_str("char"),
        TyKind::Int(i) => f.write_str(i.name()),
        TyKind::Float(FloatTy::F32) => f.write_str("f32"),
        TyKind::Float(FloatTy::F64) => f.write_str("f64"),
        TyKind::Str => f.write_str("str"),
        TyKind::Never => f.write_str("!"),
        TyKind::Adt(id, a) => generic(f, name(DefName::Adt(id)), a),
        TyKind::Ref(m, t) => {
            write!(f, "&{}", m.prefix())?;
            print_ty(t, f, name)
        }
        TyKind::RawPtr(m, t) => {
            f.write_str(if m == Mutability::Mut { "*mut " } else { "*const " })?;
            print_ty(t, f, name)
        }
        TyKind::Array(t, n) => {
            f.write_str("[")?;
            print_ty(t, f, name)?;
            f.write_str("; ")?;
            print_ty(n, f, name)?;
            f.write_str("]")
        }
        TyKind::Slice(t) => {
            f.write_str("[")?;
            print_ty(t, f, name)?;
            f.write_str("]")
        }
        TyKind::Tuple(a) => {
            f.write_str("(")?;
            list(f, a)?;
            f.write_str(if a.len() == 1 { ",)" } else { ")" })
        }
        TyKind::FnDef(id, a) => {
            f.write_str("fn{")?;
            generic(f, name(DefName::Fn(id)), a)?;
            f.write_str("}")
        }
        TyKind::FnPtr(a) => {
            let (result, params) = a.split_last().expect("a function pointer type ends with its result");
            f.write_str("fn(")?;
            list(f, params)?;
            f.write_str(")")?;
            if !result.is_unit() {
                f.write_str(" -> ")?;
                print_ty(*result, f, name)?;
            }
            Ok(())
        }
        TyKind::Closure(id, _) => f.write_str(&name(DefName::Closure(id))),
        TyKind::Dyn(id, a, b) => print_dyn(&name(DefName::Trait(id)), a, b, f, name),
        TyKind::Param(_, n) => f.write_str(&n),
        TyKind::Projection(id, a) => {
            let full = name(DefName::Assoc(id));
            if full.starts_with("impl ") {
                // A hidden result: the function's arguments tell nothing of it.
                return f.write_str(&full);
            }
            f.write_str("<")?;
            print_ty(a[0], f, name)?;
            let (head, tail) = full.rsplit_once("::").unwrap_or(("_", &full));
            f.write_str(" as ")?;
            generic(f, head.to_string(), &a[1..])?;
            write!(f, ">::{tail}")
        }
        TyKind::Const(v) => write!(f, "{v}"),
        TyKind::Infer(_, InferKind::Int) => f.write_str("{integer}"),
        TyKind::Infer(_, InferKind::Float) => f.write_str("{float}"),
        TyKind::Infer(..) => f.write_str("_"),
        TyKind::Error => f.write_str("{error}"),
    }
}
