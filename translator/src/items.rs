//! The items of a program: functions, types, traits, impls, constants, with their signatures in [`Ty`] form.
//!
//! Everything here is generic and lifetime-free. Items come from three sources ([`Origin`]) that are read by the same
//! front end; only functions of the user's crate and of the core model have bodies.

use std::collections::HashMap;
use std::rc::Rc;

use crate::flow::Touches;
use crate::index_type;
use crate::names::Name;
use crate::resolve::Vis;
use crate::source::Span;
use crate::thir::{FieldIdx, VariantIdx};
use crate::ty::{AdtId, Args, AssocTyId, ConstId, FnId, ImplId, IntTy, StaticId, TraitId, TraitRef, Ty};

index_type!(/** A module, or the anonymous scope of a block that declares items. */ ModId, "mod");

/// Where an item is from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// The crate being translated.
    User,
    /// Our model of `core`, `alloc` and `std`.
    Std,
    /// Our model of the `metatrace` crate.
    Runtime,
}

/// A generic parameter.
#[derive(Clone, Debug)]
pub struct GenericParam {
    /// Its name.
    pub name: Name,
    /// For a const parameter its type; `None` for a type parameter.
    pub const_ty: Option<Ty>,
    /// Its default, in terms of earlier parameters.
    pub default: Option<Ty>,
    /// Where it is declared.
    pub span: Span,
    /// Whether an argument's size must be known: a type parameter without `?Sized`.
    pub sized: bool,
}

/// A bound: a trait that holds, or an associated type that is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Predicate {
    /// `args[0]: Trait<args[1..]>`
    Trait(TraitRef),
    /// `<args[0] as Trait<…>>::Name == ty`
    Projection(AssocTyId, Args, Ty),
}

impl std::fmt::Debug for TraitRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}<{:?}>", self.args[0], self.trait_id, &self.args[1..])
    }
}

/// Parameters and bounds of an item, those of the enclosing impl or trait first.
#[derive(Clone, Debug, Default)]
pub struct Generics {
    /// All parameters in [`Args`] order.
    pub params: Vec<GenericParam>,
    /// How many lifetimes the item itself has besides.
    pub lifetimes: usize,
    /// How many of the parameters belong to the enclosing impl or trait (a trait's `Self` counts).
    pub parent_count: usize,
    /// All bounds, elaborated: supertraits are included; in a trait, `Self: Trait` is the first.
    pub predicates: Vec<Predicate>,
}

/// Types of parameters and result; `self` is the first parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FnSig {
    /// In order.
    pub params: Vec<Ty>,
    /// The result.
    pub result: Ty,
    /// `unsafe fn`
    pub is_unsafe: bool,
}

impl FnSig {
    /// Substitutes parameters.
    pub fn subst(&self, args: Args) -> FnSig {
        FnSig {
            params: self.params.iter().map(|t| t.subst(args)).collect(),
            result: self.result.subst(args),
            is_unsafe: self.is_unsafe,
        }
    }
}

/// What a function's item stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Container {
    /// A module or block.
    Module,
    /// An impl.
    Impl(ImplId),
    /// A trait's declaration.
    Trait(TraitId),
}

/// What kind of function it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FnKind {
    /// It has a body, which [`Program::body`](crate::program::Program::body) infers on demand.
    Source,
    /// A trait's method without a default: only an impl has a body.
    Required,
    /// Only its signature is known; called through a shim. The path is Rust's own (`FnDef::path`).
    Opaque,
    /// A built-in operation of the lowering, by name (`wrapping_add`, `size_of`, …).
    Intrinsic(Name),
    /// A hint of the runtime, by its name in the hint table (`promote`, `merge_point`, …).
    Hint(Name),
    /// The constructor of a tuple struct or variant, as a function.
    Ctor(AdtId, VariantIdx),
}

/// An attribute of the runtime on a function, method or field: `#[jit::elidable]`.
#[derive(Clone, Debug)]
pub struct HintAttr {
    /// The hint's name in the hint table.
    pub name: Name,
    /// The tokens in its parentheses.
    pub args: proc_macro2::TokenStream,
    /// Where it is written.
    pub span: Span,
}

/// A function.
#[derive(Clone, Debug)]
pub struct FnDef {
    /// Its name.
    pub name: Name,
    /// Its path for messages and witnesses: `crate::m::f`, `<crate::m::T>::f`, `<i64 as core::ops::Add>::add`.
    pub path: Name,
    /// Where it is from.
    pub origin: Origin,
    /// Module it stands in.
    pub module: ModId,
    /// What it stands in.
    pub container: Container,
    /// Its parameters and bounds.
    pub generics: Rc<Generics>,
    /// Its types.
    pub sig: FnSig,
    /// Names of the parameters, for messages and for greens; `_` for patterns.
    pub param_names: Vec<Name>,
    /// Whether the first parameter is `self`.
    pub has_self: bool,
    /// `const fn`
    pub is_const: bool,
    /// What kind of function it is.
    pub kind: FnKind,
    /// The runtime's attributes on it, except `portal` (see [`Portal`]).
    pub hints: Vec<HintAttr>,
    /// What a call touches, if a model says so.
    pub touches: Option<Touches<Ty>>,
    /// Its name in the source.
    pub span: Span,
    /// Items it is nested in cannot be named from glue: it stands in a function's body.
    pub in_body: bool,
}

impl FnDef {
    /// Whether the attribute is on it.
    pub fn has_hint(&self, name: &str) -> bool {
        self.hints.iter().any(|h| h.name == name)
    }
}

/// What an [`AdtDef`] is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AdtKind {
    /// One variant, number 0.
    Struct,
    /// Any number of variants.
    Enum,
}

/// `#[repr(…)]`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Repr {
    /// `repr(u8)` and so on.
    pub int: Option<IntTy>,
    /// `repr(C)`
    pub c: bool,
    /// `repr(transparent)`
    pub transparent: bool,
    /// `repr(packed(N))`
    pub packed: Option<u32>,
    /// `repr(align(N))`
    pub align: Option<u32>,
}

/// How a struct or variant is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CtorKind {
    /// `S { a, b }`
    Named,
    /// `S(a, b)`
    Tuple,
    /// `S`
    Unit,
}

/// A field.
#[derive(Clone, Debug)]
pub struct FieldDef {
    /// Its name, or its number in digits.
    pub name: Name,
    /// Its type in terms of the type's parameters.
    pub ty: Ty,
    /// The runtime's attributes on it.
    pub hints: Vec<HintAttr>,
    /// Where it may be named.
    pub vis: Vis,
    /// Where it is declared.
    pub span: Span,
}

/// A variant of an enum, or the one of a struct.
#[derive(Clone, Debug)]
pub struct VariantDef {
    /// Its name; a struct's own.
    pub name: Name,
    /// How it is written.
    pub ctor: CtorKind,
    /// Its constructor as a function, if it is written as a tuple.
    pub ctor_fn: Option<FnId>,
    /// In order of declaration.
    pub fields: Vec<FieldDef>,
    /// The value of its tag as the language defines it (`A = 3`, else one more than the previous).
    pub discriminant: i128,
}

impl VariantDef {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<FieldIdx> {
        self.fields.iter().position(|f| f.name == name).map(FieldIdx::new)
    }
}

/// A struct or enum.
#[derive(Clone, Debug)]
pub struct AdtDef {
    /// Its name.
    pub name: Name,
    /// Its path: `crate::m::S`, `std::vec::Vec`.
    pub path: Name,
    /// Where it is from.
    pub origin: Origin,
    /// Module it stands in.
    pub module: ModId,
    /// What it is.
    pub kind: AdtKind,
    /// Its parameters and bounds.
    pub generics: Rc<Generics>,
    /// Its variants.
    pub variants: Vec<VariantDef>,
    /// Its `repr`.
    pub repr: Repr,
    /// Set for types the lowering knows by name (`Option`, `Vec`, `Box`, `UnsafeCell`, …).
    pub lang: Option<Name>,
    /// Its fields are not what the real type has: only its methods say anything about it. Such a type is opaque memory,
    /// and counts as needing drop and as interior mutable unless its model says otherwise.
    pub opaque: Option<OpaqueFacts>,
    /// The runtime's attributes on it.
    pub hints: Vec<HintAttr>,
    /// Where it is declared.
    pub span: Span,
}

/// What a model says of a type whose fields it does not give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OpaqueFacts {
    /// Has no drop glue whatever its parameters are.
    pub no_drop: bool,
    /// Has no interior mutability outside its parameters.
    pub freeze: bool,
}

/// A trait.
#[derive(Clone, Debug)]
pub struct TraitDef {
    /// Its name.
    pub name: Name,
    /// Its path.
    pub path: Name,
    /// Where it is from.
    pub origin: Origin,
    /// Module it stands in.
    pub module: ModId,
    /// `Self`, its parameters; predicates begin with `Self: Trait` and include supertraits.
    pub generics: Rc<Generics>,
    /// Its direct supertraits' predicates on `Self`.
    pub supertraits: Vec<Predicate>,
    /// Its methods in order.
    pub methods: Vec<(Name, FnId)>,
    /// Its associated types.
    pub assoc_tys: Vec<AssocTyId>,
    /// Its associated constants.
    pub consts: Vec<(Name, ConstId)>,
    /// Set for traits the language knows (`Copy`, `Fn`, `Add`, …).
    pub lang: Option<Name>,
    /// Where it is declared.
    pub span: Span,
}

/// An associated type as declared.
#[derive(Clone, Debug)]
pub struct AssocTyDef {
    /// For the type that stands for `impl Trait` in a function's result: the function. It belongs to no trait then.
    pub hides_result_of: Option<FnId>,
    /// Its name.
    pub name: Name,
    /// Its trait.
    pub trait_id: TraitId,
    /// Bounds on it, in terms of the trait's parameters, with the projection itself as `Self`.
    pub bounds: Vec<Predicate>,
    /// Where it is declared.
    pub span: Span,
}

/// An impl.
#[derive(Clone, Debug)]
pub struct ImplDef {
    /// Where it is from.
    pub origin: Origin,
    /// Module it stands in.
    pub module: ModId,
    /// Its parameters and bounds.
    pub generics: Rc<Generics>,
    /// The trait; `None` for an inherent impl.
    pub trait_ref: Option<TraitRef>,
    /// The type implemented on.
    pub self_ty: Ty,
    /// Its functions by name.
    pub methods: HashMap<Name, FnId>,
    /// Its associated types.
    pub assoc_tys: HashMap<AssocTyId, Ty>,
    /// Its constants by name.
    pub consts: HashMap<Name, ConstId>,
    /// `impl !Trait for T`
    pub negative: bool,
    /// Where it begins.
    pub span: Span,
}

/// A constant.
#[derive(Clone, Debug)]
pub struct ConstDef {
    /// Its name.
    pub name: Name,
    /// Its path.
    pub path: Name,
    /// Where it is from.
    pub origin: Origin,
    /// Module it stands in.
    pub module: ModId,
    /// What it stands in.
    pub container: Container,
    /// The parameters of what it stands in.
    pub generics: Rc<Generics>,
    /// Its type.
    pub ty: Ty,
    /// Whether it has a value here (a trait may only declare it).
    pub has_value: bool,
    /// Its value is a built-in of the lowering, by `name`: `MAX`, `MIN`, `BITS` of an integer type.
    pub intrinsic: bool,
    /// Where it is declared.
    pub span: Span,
    /// It stands in a function's body and cannot be named from glue.
    pub in_body: bool,
}

/// A static.
#[derive(Clone, Debug)]
pub struct StaticDef {
    /// Its name.
    pub name: Name,
    /// Its path.
    pub path: Name,
    /// Where it is from.
    pub origin: Origin,
    /// Module it stands in.
    pub module: ModId,
    /// Its type.
    pub ty: Ty,
    /// `static mut`
    pub mutable: bool,
    /// Where it is declared.
    pub span: Span,
}

/// A function marked `#[jit::portal(…)]`, checked.
#[derive(Clone, Debug)]
pub struct Portal {
    /// The function.
    pub id: FnId,
    /// Indices of the parameters that are greens, in the order written; the owner is one of them.
    pub greens: Vec<usize>,
    /// The parameter that owns the traces.
    pub owner: Option<usize>,
    /// The parameter that is the virtualizable.
    pub virtualizable: Option<usize>,
    /// Other options as written: name, tokens of the value.
    pub options: Vec<(Name, proc_macro2::TokenStream)>,
    /// The attribute.
    pub span: Span,
}

/// What a name was resolved to, for the parts of the program that name items.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Item {
    /// A module.
    Mod(ModId),
    /// A function.
    Fn(FnId),
    /// A type.
    Adt(AdtId),
    /// A trait.
    Trait(TraitId),
    /// A constant.
    Const(ConstId),
    /// A static.
    Static(StaticId),
}
