//! From written types to [`Ty`].
//!
//! A [`TyCx`] says where a type stands: its scope, the parameters it may mention, what `Self` is, and, inside a body,
//! how to make an inference variable for `_`. Errors are kept in the context; its owner decides whether they matter.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use proc_macro2::Span as TokenSpan;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments};

use crate::collect::AdtItem;
use crate::diag::{Code, Diagnostic};
use crate::expand::{plain_name, unmarked};
use crate::items::{
    AdtDef, AdtKind, AssocTyDef, Container, GenericParam, Generics, ModId, OpaqueFacts, Origin, Predicate,
    Repr,
};
use crate::names::Name;
use crate::program::Program;
use crate::resolve::{AliasId, Def, Ns};
use crate::source::Span;
use crate::ty::{
    AdtId, Args, AssocTyId, FloatTy, FnId, IntTy, Mutability, TraitId, TraitRef, Ty, TyKind, intern_bindings,
    intern_list,
};

/// A bound as written, on a parameter.
type WrittenBound = (Name, syn::Path);

/// Where a type stands.
pub(crate) struct TyCx<'p> {
    pub(crate) prog: &'p Program,
    pub(crate) scope: ModId,
    /// Parameters by name, with their types; later ones shadow.
    pub(crate) params: Vec<(Name, Ty)>,
    pub(crate) self_ty: Option<Ty>,
    /// In a trait or an impl of one: `Self: Trait`.
    pub(crate) self_trait: Option<TraitRef>,
    /// Bounds as written, for `T::Item` while the bounds themselves are being lowered.
    pub(crate) written: Vec<WrittenBound>,
    /// Bounds as lowered, once they are.
    pub(crate) known: Vec<Predicate>,
    /// Makes an inference variable, in a body.
    pub(crate) infer: Option<Rc<dyn Fn() -> Ty + 'p>>,
    /// Collects the parameters that `impl Trait` arguments stand for; the number of the next one.
    pub(crate) anonymous: RefCell<Option<AnonymousParams>>,
    /// The function whose result `impl Trait` stands in, with its parameters as arguments.
    pub(crate) hidden: RefCell<Option<(FnId, Args)>>,
    pub(crate) errors: RefCell<Vec<Diagnostic>>,
    depth: Cell<u32>,
}

/// Parameters made from `impl Trait` in argument position.
#[derive(Default)]
pub(crate) struct AnonymousParams {
    pub(crate) next: u32,
    pub(crate) params: Vec<GenericParam>,
    pub(crate) predicates: Vec<Predicate>,
}

const ALIAS_DEPTH: u32 = 32;

/// The primitive type of this name.
pub(crate) fn primitive(name: &str) -> Option<Ty> {
    if let Some(&int) = IntTy::ALL.iter().find(|i| i.name() == name) {
        return Some(Ty::int(int));
    }
    Some(Ty::new(match name {
        "bool" => TyKind::Bool,
        "char" => TyKind::Char,
        "str" => TyKind::Str,
        "f32" => TyKind::Float(FloatTy::F32),
        "f64" => TyKind::Float(FloatTy::F64),
        _ => return None,
    }))
}

impl<'p> TyCx<'p> {
    pub(crate) fn new(prog: &'p Program, scope: ModId) -> Self {
        TyCx {
            prog,
            scope,
            params: Vec::new(),
            self_ty: None,
            self_trait: None,
            written: Vec::new(),
            known: Vec::new(),
            infer: None,
            anonymous: RefCell::new(None),
            hidden: RefCell::new(None),
            errors: RefCell::default(),
            depth: Cell::new(0),
        }
    }

    /// The context inside a trait.
    pub(crate) fn for_trait(prog: &'p Program, id: TraitId) -> Self {
        let src = prog.src.traits.get(id.index());
        let mut cx = TyCx::new(prog, src.scope);
        let self_ty = Ty::new(TyKind::Param(0, Name::new("Self")));
        cx.self_ty = Some(self_ty);
        let mut args = vec![self_ty];
        cx.add_params(&src.item.generics, 1, &mut args);
        cx.self_trait = Some(TraitRef { trait_id: id, args: intern_list(&args) });
        cx
    }

    /// The context inside what a function or constant stands in.
    pub(crate) fn for_container(prog: &'p Program, container: Container, scope: ModId) -> Self {
        match container {
            Container::Module => TyCx::new(prog, scope),
            Container::Trait(id) => TyCx::for_trait(prog, id),
            Container::Impl(id) => {
                let src = prog.src.impls.get(id.index());
                let mut cx = TyCx::new(prog, src.scope);
                cx.add_params(&src.item.generics, 0, &mut Vec::new());
                if let Some(def) = prog.impls.try_get(id.index()) {
                    cx.self_ty = Some(def.self_ty);
                    cx.self_trait = def.trait_ref;
                    cx.known = def.generics.predicates.clone();
                }
                cx
            }
        }
    }

    /// Adds parameters, numbered from `first`.
    pub(crate) fn add_params(&mut self, generics: &syn::Generics, first: u32, args: &mut Vec<Ty>) {
        let mut number = first;
        for p in &generics.params {
            let ident = match p {
                syn::GenericParam::Type(t) => &t.ident,
                syn::GenericParam::Const(c) => &c.ident,
                syn::GenericParam::Lifetime(_) => continue,
            };
            let name = plain_name(ident);
            let ty = Ty::new(TyKind::Param(number, name));
            self.params.push((name, ty));
            args.push(ty);
            number += 1;
        }
        self.written.extend(written_bounds(generics));
    }

    pub(crate) fn error(&self, d: Diagnostic) -> Ty {
        self.errors.borrow_mut().push(d);
        Ty::error()
    }

    pub(crate) fn span(&self, s: TokenSpan) -> Span {
        self.prog.sources.span(s)
    }

    fn unsupported(&self, s: TokenSpan, what: &str, help: &str) -> Ty {
        self.error(
            Diagnostic::new(Code::Unsupported, self.span(s), format!("{what} cannot be translated"))
                .label("in a type the tracer must know")
                .help(help.to_string()),
        )
    }

    /// The type as written.
    pub(crate) fn lower(&self, ty: &syn::Type) -> Ty {
        match ty {
            syn::Type::Path(p) => self.path_type(p.qself.as_ref(), &p.path),
            syn::Type::Reference(r) => {
                let m = if r.mutability.is_some() { Mutability::Mut } else { Mutability::Not };
                Ty::reference(m, self.lower(&r.elem))
            }
            syn::Type::Ptr(p) => {
                let m = match p.mutability {
                    syn::PointerMutability::Mut(_) => Mutability::Mut,
                    syn::PointerMutability::Const(_) => Mutability::Not,
                };
                Ty::new(TyKind::RawPtr(m, self.lower(&p.elem)))
            }
            syn::Type::Tuple(t) => Ty::tuple(&t.elems.iter().map(|t| self.lower(t)).collect::<Vec<_>>()),
            syn::Type::Slice(s) => Ty::new(TyKind::Slice(self.lower(&s.elem))),
            syn::Type::Array(a) => Ty::new(TyKind::Array(self.lower(&a.elem), self.length(&a.len))),
            syn::Type::Never(_) => Ty::never(),
            syn::Type::Group(g) => self.lower(&g.elem),
            syn::Type::Paren(p) => self.lower(&p.elem),
            syn::Type::Infer(i) => match &self.infer {
                Some(new) => new(),
                None => self.error(
                    Diagnostic::new(Code::Generics, self.span(i.span()), "`_` in a signature")
                        .label("not allowed here")
                        .help("write the type"),
                ),
            },
            syn::Type::FnPtr(f) => {
                let params: Vec<Ty> = f.inputs.iter().map(|a| self.lower(&a.ty)).collect();
                Ty::fn_ptr(&params, self.result(&f.output))
            }
            syn::Type::TraitObject(t) => self.object(&t.bounds, t.span()),
            syn::Type::ImplTrait(t) => self.impl_trait(t),
            syn::Type::Macro(m) => {
                self.unsupported(m.span(), "a macro in a type", "write the type out, or give it an alias")
            }
            other => self.unsupported(other.span(), "this type", "use a type of stable Rust"),
        }
    }

    /// A result type as written.
    pub(crate) fn result(&self, r: &syn::ReturnType) -> Ty {
        match r {
            syn::ReturnType::Default => Ty::unit(),
            syn::ReturnType::Type(_, t) => self.lower(t),
        }
    }

    fn impl_trait(&self, t: &syn::TypeImplTrait) -> Ty {
        if let Some((owner, args)) = *self.hidden.borrow() {
            return self.hidden_result(t, owner, args);
        }
        let number = match &mut *self.anonymous.borrow_mut() {
            Some(a) => {
                a.next += 1;
                a.next - 1
            }
            None => {
                return self.unsupported(
                    t.span(),
                    "`impl Trait` as a result",
                    "name the type, or mark the function `#[jit::dont_look_inside]` and give it a nameable result",
                );
            }
        };
        let name = Name::new(&format!("impl#{number}"));
        let ty = Ty::new(TyKind::Param(number, name));
        let mut predicates = Vec::new();
        for b in &t.bounds {
            self.bound(ty, b, &mut predicates);
        }
        if let Some(a) = &mut *self.anonymous.borrow_mut() {
            let span = self.span(t.span());
            a.params.push(GenericParam { name, const_ty: None, default: None, span, sized: true });
            a.predicates.extend(predicates);
        }
        ty
    }

    /// `impl Trait` as a function's result: an associated type of no trait, whose bounds are all that callers may know.
    fn hidden_result(&self, t: &syn::TypeImplTrait, owner: FnId, args: Args) -> Ty {
        let id = AssocTyId::new(self.prog.assoc_tys.reserve());
        let ty = Ty::new(TyKind::Projection(id, args));
        let mut bounds = Vec::new();
        for b in &t.bounds {
            self.bound(ty, b, &mut bounds);
        }
        self.prog.elaborate(&mut bounds);
        let def = AssocTyDef {
            name: Name::new("impl"),
            trait_id: TraitId::new(0),
            bounds,
            hides_result_of: Some(owner),
            span: self.span(t.span()),
        };
        self.prog.assoc_tys.set(id.index(), def);
        ty
    }

    fn object(
        &self,
        bounds: &syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>,
        at: TokenSpan,
    ) -> Ty {
        let mut predicates = Vec::new();
        let hidden = Ty::new(TyKind::Param(u32::MAX, Name::new("dyn")));
        for b in bounds {
            self.bound(hidden, b, &mut predicates);
        }
        let auto = |t: TraitId| {
            let name = self.prog.src.traits.get(t.index()).item.ident.to_string();
            matches!(name.as_str(), "Send" | "Sync" | "Unpin" | "UnwindSafe" | "RefUnwindSafe")
        };
        let principal = predicates.iter().find_map(|p| match p {
            Predicate::Trait(t) if !auto(t.trait_id) => Some(*t),
            _ => None,
        });
        let Some(tr) = principal else {
            return self.foreign_object(bounds, at);
        };
        let bindings: Vec<(AssocTyId, Ty)> = predicates
            .iter()
            .filter_map(|p| match p {
                Predicate::Projection(a, _, t) => Some((*a, *t)),
                _ => None,
            })
            .collect();
        Ty::new(TyKind::Dyn(tr.trait_id, intern_list(&tr.args[1..]), intern_bindings(&bindings)))
    }

    /// An object of a trait we cannot see: opaque by its name.
    fn foreign_object(
        &self,
        bounds: &syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>,
        at: TokenSpan,
    ) -> Ty {
        let names: Vec<String> = bounds
            .iter()
            .filter_map(|b| match b {
                syn::TypeParamBound::Trait(t) => {
                    let names = self.prog.path_names(&t.path);
                    Some(names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("::"))
                }
                _ => None,
            })
            .collect();
        let path = Name::new(&format!("dyn {}", names.join(" + ")));
        Ty::adt(self.prog.foreign_adt(path, self.span(at)), &[])
    }

    /// A constant used in a type.
    pub(crate) fn length(&self, e: &syn::Expr) -> Ty {
        if let syn::Expr::Infer(_) = e
            && let Some(new) = &self.infer
        {
            return new();
        }
        if let Some(p) = const_param(e)
            && let Some((_, ty)) = self.params.iter().rev().find(|(n, _)| *n == unmarked(&p.to_string()))
        {
            return *ty;
        }
        match self.prog.eval_int(e, self.scope, self.self_ty, Some(IntTy::Usize), 0) {
            Some((v, _)) => Ty::new(TyKind::Const(v)),
            None => self.error(
                Diagnostic::new(Code::ConstValue, self.span(e.span()), "this constant cannot be evaluated")
                    .label("a type depends on its value")
                    .help("use literals, named integer constants, arithmetic and `as` between integers"),
            ),
        }
    }

    fn path_type(&self, qself: Option<&syn::QSelf>, path: &syn::Path) -> Ty {
        if let Some(q) = qself {
            return self.qualified(q, path);
        }
        let segments: Vec<&syn::PathSegment> = path.segments.iter().collect();
        let first = plain_name(&segments[0].ident);
        if path.leading_colon.is_none() {
            let head = if first == "Self" {
                self.self_ty
            } else {
                self.params.iter().rev().find(|(n, _)| *n == first).map(|(_, t)| *t)
            };
            if let Some(ty) = head {
                return self.associated(ty, &segments[1..]);
            }
        }
        let names = self.prog.path_names(path);
        let skip = names.len() - segments.len();
        let found =
            self.prog.scopes.lookup(self.scope, &names, Ns::Type, &|a, n| self.prog.variant_named(a, n));
        let Some(found) = found else {
            if let (Some(ty), 1) = (primitive(&first), segments.len()) {
                return ty;
            }
            return self.unresolved(path);
        };
        let used = found.used - skip;
        let last = segments[used - 1];
        let ty = match found.def {
            Def::Adt(id) => self.adt_type(id, &last.arguments, last.span()),
            Def::Alias(id) => self.alias(id, &last.arguments, last.span()),
            Def::Prim(ty) => ty,
            // a module named like a primitive: `std::u8` beside `u8`
            Def::Mod(_) if segments.len() == 1 && primitive(&first).is_some() => {
                primitive(&first).unwrap_or_else(Ty::error)
            }
            Def::Foreign(p) => {
                let args = self.loose_args(&last.arguments);
                Ty::adt(self.prog.foreign_adt(p, self.span(last.span())), &args)
            }
            Def::Trait(_) => {
                return self.error(
                    Diagnostic::new(Code::Generics, self.span(last.span()), "a trait is used as a type")
                        .label("expected a type")
                        .help("write `dyn` before it, or make it a bound"),
                );
            }
            _ => return self.unresolved(path),
        };
        self.associated(ty, &segments[used..])
    }

    fn unresolved(&self, path: &syn::Path) -> Ty {
        let text: Vec<String> =
            path.segments.iter().map(|s| unmarked(&s.ident.to_string()).to_string()).collect();
        self.error(
            Diagnostic::new(
                Code::UnresolvedName,
                self.span(path.span()),
                format!("cannot find type `{}`", text.join("::")),
            )
            .label("not found in this scope")
            .help("import it, or check its spelling"),
        )
    }

    fn qualified(&self, q: &syn::QSelf, path: &syn::Path) -> Ty {
        let ty = self.lower(&q.ty);
        let segments: Vec<&syn::PathSegment> = path.segments.iter().collect();
        if q.position == 0 {
            return self.associated(ty, &segments);
        }
        let trait_path = syn::Path {
            leading_colon: path.leading_colon,
            segments: segments[..q.position].iter().map(|s| (*s).clone()).collect(),
        };
        let Some(tr) = self.trait_ref(ty, &trait_path, &mut Vec::new()) else {
            return self.unsupported(
                path.span(),
                "an associated type of a trait that cannot be seen",
                "name the type",
            );
        };
        let name = plain_name(&segments[q.position].ident);
        match self.prog.find_assoc(tr, name) {
            Some((id, args)) => {
                let p = Ty::new(TyKind::Projection(id, args));
                self.associated(p, &segments[q.position + 1..])
            }
            None => self.no_assoc(ty, name, segments[q.position].span()),
        }
    }

    fn no_assoc(&self, ty: Ty, name: Name, at: TokenSpan) -> Ty {
        if ty.flags().has_error {
            return Ty::error();
        }
        self.error(
            Diagnostic::new(
                Code::UnresolvedName,
                self.span(at),
                format!("no associated type `{name}` is known for `{}`", self.prog.ty_name(ty)),
            )
            .label("no bound or trait declares it")
            .help("write `<T as Trait>::Name`, or add the bound"),
        )
    }

    fn associated(&self, mut ty: Ty, rest: &[&syn::PathSegment]) -> Ty {
        for seg in rest {
            let name = plain_name(&seg.ident);
            ty = match self.assoc_of(ty, name) {
                Some((id, args)) => Ty::new(TyKind::Projection(id, args)),
                None => return self.no_assoc(ty, name, seg.span()),
            };
        }
        ty
    }

    /// The associated type `ty::name`, by the bounds on `ty`.
    pub(crate) fn assoc_of(&self, ty: Ty, name: Name) -> Option<(AssocTyId, Args)> {
        for p in &self.known {
            if let Predicate::Trait(tr) = p
                && tr.self_ty() == ty
                && let Some(found) = self.prog.find_assoc(*tr, name)
            {
                return Some(found);
            }
        }
        if let TyKind::Param(_, param) = ty.kind() {
            for (n, path) in &self.written {
                if n == param
                    && let Some(id) = self.trait_named(path)
                    && self.prog.trait_has_assoc(id, name)
                    && let Some(tr) = self.trait_ref(ty, path, &mut Vec::new())
                {
                    return self.prog.find_assoc(tr, name);
                }
            }
        }
        if let Some(tr) = self.self_trait
            && Some(ty) == self.self_ty
            && let Some(found) = self.prog.find_assoc(tr, name)
        {
            return Some(found);
        }
        // bounds on an associated type itself: `T::Iter: Iterator`
        if let TyKind::Projection(id, args) = *ty.kind() {
            let def = self.prog.assoc_tys.try_get(id.index())?;
            for b in &def.bounds {
                if let Predicate::Trait(tr) = b
                    && let Some(found) = self.prog.find_assoc(tr.subst(args), name)
                {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Arguments of something we cannot see: what is written.
    fn loose_args(&self, arguments: &PathArguments) -> Vec<Ty> {
        let PathArguments::AngleBracketed(a) = arguments else { return Vec::new() };
        a.args
            .iter()
            .filter_map(|a| match a {
                GenericArgument::Type(t) => Some(self.lower(t)),
                GenericArgument::Const(e) => Some(self.length(e)),
                _ => None,
            })
            .collect()
    }

    fn adt_type(&self, id: AdtId, arguments: &PathArguments, at: TokenSpan) -> Ty {
        let src = self.prog.src.adts.get(id.index());
        let Some(generics) = src.generics() else {
            return Ty::adt(id, &self.loose_args(arguments));
        };
        let make = || TyCx::new(self.prog, src.scope);
        let args = self.fill_args(generics, arguments, Vec::new(), &make, at);
        Ty::adt(id, &args)
    }

    fn alias(&self, id: AliasId, arguments: &PathArguments, at: TokenSpan) -> Ty {
        let src = self.prog.src.aliases.get(id.index());
        if self.depth.get() > ALIAS_DEPTH || self.prog.open_aliases.borrow().contains(&id) {
            return self.unsupported(at, "a type alias that contains itself", "write the type out");
        }
        let make = || TyCx::new(self.prog, src.scope);
        let args = self.fill_args(&src.item.generics, arguments, Vec::new(), &make, at);
        let mut cx = TyCx::new(self.prog, src.scope);
        cx.depth.set(self.depth.get() + 1);
        cx.add_params(&src.item.generics, 0, &mut Vec::new());
        self.prog.open_aliases.borrow_mut().push(id);
        let ty = cx.lower(&src.item.ty);
        self.prog.open_aliases.borrow_mut().pop();
        self.errors.borrow_mut().append(&mut cx.errors.borrow_mut());
        ty.subst(intern_list(&args))
    }

    /// Arguments for `generics` from those written, defaults, and, in a body, inference. `args` holds what comes before
    /// (a trait's `Self`).
    pub(crate) fn fill_args(
        &self,
        generics: &syn::Generics,
        arguments: &PathArguments,
        mut args: Vec<Ty>,
        make: &dyn Fn() -> TyCx<'p>,
        at: TokenSpan,
    ) -> Vec<Ty> {
        let first = args.len();
        let mut given = Vec::new();
        match arguments {
            PathArguments::None => {}
            PathArguments::AngleBracketed(a) => {
                given.extend(
                    a.args
                        .iter()
                        .filter(|a| matches!(a, GenericArgument::Type(_) | GenericArgument::Const(_))),
                );
            }
            PathArguments::Parenthesized(_) => {
                self.unsupported(at, "a type with arguments in parentheses", "only `Fn` traits take them");
            }
        }
        let none_given = given.is_empty();
        let mut given = given.into_iter();
        let mut own = make();
        own.add_params(generics, first as u32, &mut Vec::new());
        if first == 1 {
            own.self_ty = Some(Ty::new(TyKind::Param(0, Name::new("Self"))));
        }
        for p in &generics.params {
            let (is_const, default_ty, default_const) = match p {
                syn::GenericParam::Lifetime(_) => continue,
                syn::GenericParam::Type(t) => (false, t.default.as_ref().map(|d| &d.1), None),
                syn::GenericParam::Const(c) => (true, None, c.default.as_ref().map(|d| &d.1)),
            };
            let arg = match given.next() {
                Some(GenericArgument::Type(syn::Type::Path(p))) if is_const => {
                    self.length(&syn::Expr::Path(syn::ExprPath {
                        attrs: Vec::new(),
                        qself: p.qself.clone(),
                        path: p.path.clone(),
                    }))
                }
                Some(GenericArgument::Type(t)) => self.lower(t),
                Some(GenericArgument::Const(e)) => self.length(e),
                _ => match (&self.infer, default_ty, default_const) {
                    (Some(new), ..) if none_given => new(),
                    (_, Some(d), _) => own.lower(d).subst(intern_list(&args)),
                    (_, _, Some(d)) => own.length(d),
                    (Some(new), ..) => new(),
                    _ => self.error(
                        Diagnostic::new(Code::Generics, self.span(at), "a generic argument is missing")
                            .label("this takes more arguments")
                            .help("write all arguments"),
                    ),
                },
            };
            args.push(arg);
        }
        if given.next().is_some() {
            self.error(
                Diagnostic::new(Code::Generics, self.span(at), "too many generic arguments")
                    .label("this takes fewer arguments"),
            );
        }
        args
    }

    /// The trait a path names, if we can see it.
    pub(crate) fn trait_named(&self, path: &syn::Path) -> Option<TraitId> {
        let names = self.prog.path_names(path);
        let found =
            self.prog.scopes.lookup(self.scope, &names, Ns::Type, &|a, n| self.prog.variant_named(a, n))?;
        match found.def {
            Def::Trait(id) if found.used == names.len() => Some(id),
            _ => None,
        }
    }

    /// A trait with its arguments for `self_ty`; bindings of associated types go to `extra`. `None` for a trait we cannot see.
    pub(crate) fn trait_ref(
        &self,
        self_ty: Ty,
        path: &syn::Path,
        extra: &mut Vec<Predicate>,
    ) -> Option<TraitRef> {
        let id = self.trait_named(path)?;
        let src = self.prog.src.traits.get(id.index());
        let last = path.segments.last()?;
        if let PathArguments::Parenthesized(p) = &last.arguments {
            let inputs: Vec<Ty> = p.inputs.iter().map(|a| self.lower(&a.ty)).collect();
            let args = intern_list(&[self_ty, Ty::tuple(&inputs)]);
            let result = self.result(&p.output);
            if let Some(output) = self.prog.lang_assoc("fn_output") {
                extra.push(Predicate::Projection(output, args, result));
            }
            return Some(TraitRef { trait_id: id, args });
        }
        let make = || {
            let mut cx = TyCx::new(self.prog, src.scope);
            cx.params.push((Name::new("Self"), Ty::new(TyKind::Param(0, Name::new("Self")))));
            cx
        };
        let args = self.fill_args(&src.item.generics, &last.arguments, vec![self_ty], &make, path.span());
        let tr = TraitRef { trait_id: id, args: intern_list(&args) };
        if let PathArguments::AngleBracketed(a) = &last.arguments {
            for arg in &a.args {
                match arg {
                    GenericArgument::AssocType(b) => {
                        if let Some((assoc, args)) = self.prog.find_assoc(tr, plain_name(&b.ident)) {
                            extra.push(Predicate::Projection(assoc, args, self.lower(&b.ty)));
                        }
                    }
                    GenericArgument::Constraint(c) => {
                        if let Some((assoc, args)) = self.prog.find_assoc(tr, plain_name(&c.ident)) {
                            let ty = Ty::new(TyKind::Projection(assoc, args));
                            for b in &c.bounds {
                                self.bound(ty, b, extra);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        Some(tr)
    }

    /// Adds what `ty: bound` says. Lifetimes and `?Sized` say nothing; a trait we cannot see says nothing we could use.
    pub(crate) fn bound(&self, ty: Ty, bound: &syn::TypeParamBound, out: &mut Vec<Predicate>) {
        let syn::TypeParamBound::Trait(t) = bound else { return };
        if t.maybe.is_some() {
            return;
        }
        let mut extra = Vec::new();
        if let Some(tr) = self.trait_ref(ty, &t.path, &mut extra) {
            out.push(Predicate::Trait(tr));
        }
        out.append(&mut extra);
    }

    /// Parameters and bounds of an item, after those of `parent`. The context must already know the parameters.
    pub(crate) fn generics(
        &self,
        own: &syn::Generics,
        parent: Option<&Generics>,
        with_self: bool,
    ) -> Generics {
        let mut g = parent.cloned().unwrap_or_default();
        g.parent_count = g.params.len();
        g.lifetimes = own.lifetimes().count();
        if with_self {
            let span = self.span(own.span());
            let name = Name::new("Self");
            g.params.push(GenericParam { name, const_ty: None, default: None, span, sized: false });
        }
        for p in &own.params {
            let (ident, const_ty, default) = match p {
                syn::GenericParam::Type(t) => {
                    (&t.ident, None, t.default.as_ref().map(|(_, ty)| self.lower(ty)))
                }
                syn::GenericParam::Const(c) => {
                    let default = c.default.as_ref().map(|(_, value)| self.length(value));
                    (&c.ident, Some(self.lower(&c.ty)), default)
                }
                syn::GenericParam::Lifetime(_) => continue,
            };
            let span = self.span(ident.span());
            let sized = const_ty.is_none() && !is_unsized(own, ident);
            g.params.push(GenericParam { name: plain_name(ident), const_ty, default, span, sized });
        }
        for p in own.type_params() {
            let name = plain_name(&p.ident);
            let Some((_, ty)) = self.params.iter().rev().find(|(n, _)| *n == name) else { continue };
            for b in &p.bounds {
                self.bound(*ty, b, &mut g.predicates);
            }
        }
        for w in own.where_clause.iter().flat_map(|w| &w.predicates) {
            if let syn::WherePredicate::Type(t) = w {
                let ty = self.lower(&t.bounded_ty);
                for b in &t.bounds {
                    self.bound(ty, b, &mut g.predicates);
                }
            }
        }
        g
    }
}

/// The identifier of a bare constant path, possibly in braces.
fn const_param(e: &syn::Expr) -> Option<&syn::Ident> {
    match e {
        syn::Expr::Path(p) if p.qself.is_none() => p.path.get_ident(),
        syn::Expr::Group(g) => const_param(&g.expr),
        syn::Expr::Block(b) => match b.block.stmts.as_slice() {
            [syn::Stmt::Expr(e, None)] => const_param(e),
            _ => None,
        },
        _ => None,
    }
}

/// Whether `?Sized` is said of a parameter, at its declaration or in the where clause.
fn is_unsized(g: &syn::Generics, param: &syn::Ident) -> bool {
    let relaxed =
        |bound: &syn::TypeParamBound| matches!(bound, syn::TypeParamBound::Trait(t) if t.maybe.is_some());
    let named = |ty: &syn::Type| matches!(ty, syn::Type::Path(p) if p.path.is_ident(param));
    let clauses = g.where_clause.iter().flat_map(|w| &w.predicates);
    g.type_params().any(|t| t.ident == *param && t.bounds.iter().any(relaxed))
        || clauses.into_iter().any(|w| match w {
            syn::WherePredicate::Type(t) => named(&t.bounded_ty) && t.bounds.iter().any(relaxed),
            _ => false,
        })
}

fn written_bounds(g: &syn::Generics) -> Vec<WrittenBound> {
    let mut out = Vec::new();
    let mut add = |name: Name, bounds: &syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>| {
        for b in bounds {
            if let syn::TypeParamBound::Trait(t) = b
                && t.maybe.is_none()
            {
                out.push((name, t.path.clone()));
            }
        }
    };
    for p in g.type_params() {
        add(plain_name(&p.ident), &p.bounds);
    }
    for w in g.where_clause.iter().flat_map(|w| &w.predicates) {
        if let syn::WherePredicate::Type(t) = w
            && let syn::Type::Path(p) = &t.bounded_ty
            && let Some(ident) = p.path.get_ident()
        {
            add(plain_name(ident), &t.bounds);
        }
    }
    out
}

impl Program {
    /// A type of a crate we cannot see, by its path.
    pub(crate) fn foreign_adt(&self, path: Name, span: Span) -> AdtId {
        if let Some(&id) = self.foreign_adts.borrow().get(&path) {
            return id;
        }
        let name = Name::new(path.rsplit("::").next().unwrap_or(&path));
        let id = AdtId::new(self.adts.push(AdtDef {
            name,
            path,
            origin: Origin::Std,
            module: ModId(0),
            kind: AdtKind::Struct,
            generics: Rc::default(),
            variants: Vec::new(),
            repr: Repr::default(),
            lang: None,
            opaque: Some(OpaqueFacts::default()),
            hints: Vec::new(),
            span,
        }));
        let item = AdtItem::Foreign;
        self.src.adts.push(super::AdtSrc { item, scope: ModId(0), variants: Vec::new() });
        self.foreign_adts.borrow_mut().insert(path, id);
        id
    }

    /// Whether the trait or one of its supertraits declares the associated type.
    pub(crate) fn trait_has_assoc(&self, id: TraitId, name: Name) -> bool {
        let src = self.src.traits.get(id.index());
        if src.assoc_tys.iter().any(|(n, _)| *n == name) {
            return true;
        }
        let cx = TyCx::for_trait(self, id);
        src.item.supertraits.iter().any(|b| match b {
            syn::TypeParamBound::Trait(t) => {
                cx.trait_named(&t.path).is_some_and(|s| s != id && self.trait_has_assoc(s, name))
            }
            _ => false,
        })
    }

    /// The associated type of this name in a trait or its supertraits, with the arguments of the trait that declares it.
    pub(crate) fn find_assoc(&self, tr: TraitRef, name: Name) -> Option<(AssocTyId, Args)> {
        let src = self.src.traits.get(tr.trait_id.index());
        if let Some((_, id)) = src.assoc_tys.iter().find(|(n, _)| *n == name) {
            return Some((*id, tr.args));
        }
        let cx = TyCx::for_trait(self, tr.trait_id);
        let self_ty = cx.self_ty?;
        src.item.supertraits.iter().find_map(|b| match b {
            syn::TypeParamBound::Trait(t) => {
                let id = cx.trait_named(&t.path)?;
                if id == tr.trait_id || !self.trait_has_assoc(id, name) {
                    return None;
                }
                let sup = cx.trait_ref(self_ty, &t.path, &mut Vec::new())?;
                self.find_assoc(sup.subst(tr.args), name)
            }
            _ => None,
        })
    }

    /// The associated type the core model marks with `#[lang = "name"]`.
    pub(crate) fn lang_assoc(&self, name: &str) -> Option<AssocTyId> {
        self.lang_assoc.borrow().get(&Name::new(name)).copied()
    }
}
