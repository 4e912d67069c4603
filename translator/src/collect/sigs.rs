//! Signatures: from collected items to the program's tables.
//!
//! Order: traits (parameters, supertraits, associated types), impl headers, types, functions, constants, statics, then
//! the associated types of impls. Errors are kept with the item they belong to.

use std::collections::HashMap;
use std::rc::Rc;

use metatrace_defs::hint::Hint;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;

use crate::collect::types::{AnonymousParams, TyCx};
use crate::collect::{AdtItem, FnSrc};
use crate::diag::{Code, Diagnostic};
use crate::expand::plain_name;
use crate::flow::Touches;
use crate::items::*;
use crate::names::Name;
use crate::program::{Head, Program};
use crate::resolve::{Def, Ns};
use crate::thir::{FieldIdx, VariantIdx};
use crate::ty::{AdtId, ConstId, FnId, ImplId, IntTy, Mutability, StaticId, TraitId, TraitRef, Ty, TyKind};

/// Items `from..` of each table: what one collector added.
#[derive(Clone, Copy, Default)]
pub(crate) struct Marks {
    fns: usize,
    adts: usize,
    traits: usize,
    impls: usize,
    consts: usize,
    statics: usize,
}

impl Program {
    /// Where the tables end now.
    pub(crate) fn marks(&self) -> Marks {
        Marks {
            fns: self.fns.len(),
            adts: self.adts.len(),
            traits: self.traits.len(),
            impls: self.impls.len(),
            consts: self.consts.len(),
            statics: self.statics.len(),
        }
    }

    /// Lowers the signatures of all items after `from`.
    pub(crate) fn lower_signatures(&self, from: Marks) {
        let to = self.marks();
        for i in from.traits..to.traits {
            self.lower_trait(TraitId::new(i));
        }
        for i in from.impls..to.impls {
            self.lower_impl_header(ImplId::new(i));
        }
        for i in from.adts..to.adts {
            if self.src.adts.get(i).generics().is_some() {
                self.lower_adt(AdtId::new(i));
            }
        }
        for id in (from.fns..to.fns).map(FnId::new).filter(|&id| !self.can_wait(id)) {
            self.lower_fn(id);
        }
        for i in from.consts..to.consts {
            self.lower_const(ConstId::new(i));
        }
        for i in from.statics..to.statics {
            self.lower_static(StaticId::new(i));
        }
        for i in from.impls..to.impls {
            self.lower_impl_types(ImplId::new(i));
        }
    }

    /// Whether a function's signature is lowered when it is asked for: one of a model, unless it is found by a name of its own, or declares
    /// types (`impl Trait` results), whose numbers must not depend on who asks.
    fn can_wait(&self, id: FnId) -> bool {
        let src = self.src.fns.get(id.index());
        self.scopes.origin(src.scope) != Origin::User
            && src.ctor.is_none()
            && lang_name(&src.attrs).is_none()
            && !hides_type(&src.sig.output)
    }

    fn keep_errors(&self, item: Def, cx: &TyCx<'_>) {
        let errors = std::mem::take(&mut *cx.errors.borrow_mut());
        if !errors.is_empty() {
            self.src.errors.borrow_mut().entry(item).or_default().extend(errors);
        }
    }

    /// Reports the errors in an item's signature; whether there were any.
    pub(crate) fn report_item(&self, item: Def) -> bool {
        match self.src.errors.borrow().get(&item) {
            Some(errors) => {
                errors.iter().for_each(|e| self.diags.push(e.clone()));
                true
            }
            None => false,
        }
    }

    fn lower_trait(&self, id: TraitId) {
        let src = self.src.traits.get(id.index());
        let mut cx = TyCx::for_trait(self, id);
        let self_ty = Ty::new(TyKind::Param(0, Name::new("Self")));
        let mut supertraits = Vec::new();
        for b in &src.item.supertraits {
            cx.bound(self_ty, b, &mut supertraits);
        }
        let mut generics = cx.generics(&src.item.generics, None, true);
        if let Some(tr) = cx.self_trait {
            generics.predicates.insert(0, Predicate::Trait(tr));
        }
        generics.predicates.extend(supertraits.iter().copied());
        cx.known = generics.predicates.clone();
        let name = plain_name(&src.item.ident);
        let origin = self.scopes.origin(src.scope);
        let lang = lang_name(&src.item.attrs).map(|l| if l.is_empty() { name } else { l });
        if let Some(lang) = lang {
            self.lang_traits.borrow_mut().insert(lang, id);
        }
        let assoc_tys = src.assoc_tys.iter().map(|(_, a)| *a).collect();
        let mut types = src.item.items.iter().filter_map(|i| match i {
            syn::TraitItem::Type(t) => Some(t),
            _ => None,
        });
        for (name, assoc) in &src.assoc_tys {
            let Some(t) = types.next() else { continue };
            let mut bounds = Vec::new();
            let args = cx.self_trait.map(|t| t.args).unwrap_or(&[]);
            let own = Ty::new(TyKind::Projection(*assoc, args));
            for b in &t.bounds {
                cx.bound(own, b, &mut bounds);
            }
            if let Some(lang) = lang_name(&t.attrs) {
                self.lang_assoc.borrow_mut().insert(lang, *assoc);
            }
            let span = self.sources.span(t.ident.span());
            self.assoc_tys.set(
                assoc.index(),
                AssocTyDef { name: *name, trait_id: id, bounds, hides_result_of: None, span },
            );
        }
        self.keep_errors(Def::Trait(id), &cx);
        self.traits.set(
            id.index(),
            TraitDef {
                name,
                path: self.path_in(src.scope, Ns::Type, name),
                origin,
                module: src.scope,
                generics: Rc::new(generics),
                supertraits,
                methods: src.methods.clone(),
                assoc_tys,
                consts: src.consts.clone(),
                lang,
                span: self.sources.span(src.item.ident.span()),
            },
        );
    }

    /// The path of an item: one by which other crates can name it, if there is one.
    fn path_in(&self, scope: ModId, ns: Ns, name: Name) -> Name {
        let public = self.scopes.declared(scope, ns, name).and_then(|def| self.scopes.public_path(def));
        public.unwrap_or_else(|| Name::new(&format!("{}::{name}", self.scopes.path(scope))))
    }

    /// Adds what supertraits say to what is known.
    pub(crate) fn elaborate(&self, predicates: &mut Vec<Predicate>) {
        let mut i = 0;
        while i < predicates.len() {
            if let Predicate::Trait(tr) = predicates[i]
                && let Some(def) = self.traits.try_get(tr.trait_id.index())
            {
                for s in &def.supertraits {
                    let s = match *s {
                        Predicate::Trait(t) => Predicate::Trait(t.subst(tr.args)),
                        Predicate::Projection(a, args, t) => {
                            Predicate::Projection(a, crate::ty::subst_list(args, tr.args), t.subst(tr.args))
                        }
                    };
                    if !predicates.contains(&s) {
                        predicates.push(s);
                    }
                }
            }
            i += 1;
        }
    }

    fn lower_impl_header(&self, id: ImplId) {
        let src = self.src.impls.get(id.index());
        let mut cx = TyCx::new(self, src.scope);
        cx.add_params(&src.item.generics, 0, &mut Vec::new());
        let self_ty = cx.lower(&src.item.self_ty);
        cx.self_ty = Some(self_ty);
        let trait_ref = match &src.item.trait_ {
            // an impl of a trait we cannot see has none: nothing will ask for it
            Some((path, _)) => cx.trait_ref(self_ty, path, &mut Vec::new()),
            None => None,
        };
        cx.self_trait = trait_ref;
        let mut generics = cx.generics(&src.item.generics, None, false);
        self.elaborate(&mut generics.predicates);
        let foreign_trait = src.item.trait_.is_some() && trait_ref.is_none();
        let broken = self_ty.flags().has_error
            || trait_ref.is_some_and(|t| t.args.iter().any(|a| a.flags().has_error));
        let def = ImplDef {
            origin: self.scopes.origin(src.scope),
            module: src.scope,
            generics: Rc::new(generics),
            trait_ref,
            self_ty,
            methods: src.methods.clone(),
            assoc_tys: HashMap::new(),
            consts: src.consts.clone(),
            negative: src.item.modifiers.polarity.is_some(),
            span: self.sources.span(src.item.impl_token.span),
        };
        if !foreign_trait && !broken && !def.negative {
            match trait_ref {
                Some(tr) => self.impls_of_trait.borrow_mut().entry(tr.trait_id).or_default().push(id),
                None => {
                    self.inherent_impls.borrow_mut().entry(head_of(self_ty)).or_default().push(id);
                }
            }
        }
        self.impls.set(id.index(), def);
    }

    fn lower_impl_types(&self, id: ImplId) {
        let src = self.src.impls.get(id.index());
        let def = self.impls.get(id.index());
        let Some(tr) = def.trait_ref else { return };
        let cx = TyCx::for_container(self, Container::Impl(id), src.scope);
        let mut assoc_tys = HashMap::new();
        for item in &src.item.items {
            if let syn::ImplItem::Type(t) = item
                && let Some((_, assoc)) = self
                    .src
                    .traits
                    .get(tr.trait_id.index())
                    .assoc_tys
                    .iter()
                    .find(|(n, _)| *n == plain_name(&t.ident))
            {
                assoc_tys.insert(*assoc, cx.lower(&t.ty));
            }
        }
        if !assoc_tys.is_empty() {
            self.impls.set(id.index(), ImplDef { assoc_tys, ..def.clone() });
        }
    }

    fn lower_adt(&self, id: AdtId) {
        let src = self.src.adts.get(id.index());
        let (attrs, ident, written, kind) = match &src.item {
            AdtItem::Struct(s) => (&s.attrs, &s.ident, &s.generics, AdtKind::Struct),
            AdtItem::Enum(e) => (&e.attrs, &e.ident, &e.generics, AdtKind::Enum),
            AdtItem::Foreign => return,
        };
        let mut cx = TyCx::new(self, src.scope);
        let mut args = Vec::new();
        cx.add_params(written, 0, &mut args);
        cx.self_ty = Some(Ty::adt(id, &args));
        let mut generics = cx.generics(written, None, false);
        self.elaborate(&mut generics.predicates);
        let mut variants = Vec::new();
        match &src.item {
            AdtItem::Struct(s) => variants.push(self.variant(&cx, &s.ident, &s.fields, 0)),
            AdtItem::Enum(e) => {
                let repr = repr(attrs).int.unwrap_or(IntTy::Isize);
                let mut next: i128 = 0;
                for v in &e.variants {
                    if let Some((_, d)) = &v.discriminant {
                        match self.eval_int(d, src.scope, cx.self_ty, Some(repr), 0) {
                            Some((bits, ty)) => next = signed(bits, ty),
                            None => {
                                cx.error(
                                    Diagnostic::new(
                                        Code::ConstValue,
                                        cx.span(d.span()),
                                        "this discriminant cannot be evaluated",
                                    )
                                    .label("the variant's tag")
                                    .help("use literals, named integer constants, arithmetic and `as`"),
                                );
                            }
                        }
                    }
                    variants.push(self.variant(&cx, &v.ident, &v.fields, next));
                    next += 1;
                }
            }
            AdtItem::Foreign => {}
        }
        for (v, ctor) in self.src.ctors.borrow().get(&id).into_iter().flatten() {
            if let Some(variant) = variants.get_mut(v.index()) {
                let variant: &mut VariantDef = variant;
                variant.ctor_fn = Some(*ctor);
            }
        }
        let name = plain_name(ident);
        let lang = lang_name(attrs).map(|l| if l.is_empty() { name } else { l });
        if let Some(lang) = lang {
            self.lang_adts.borrow_mut().insert(lang, id);
        }
        let opaque = attrs.iter().find(|a| a.path().is_ident("opaque")).map(|a| {
            let words = match &a.meta {
                syn::Meta::List(l) => l.tokens.to_string(),
                _ => String::new(),
            };
            OpaqueFacts { no_drop: words.contains("no_drop"), freeze: words.contains("freeze") }
        });
        let hints = self.hints(src.scope, attrs, &cx);
        self.keep_errors(Def::Adt(id), &cx);
        self.adts.set(
            id.index(),
            AdtDef {
                name,
                path: self.path_in(src.scope, Ns::Type, name),
                origin: self.scopes.origin(src.scope),
                module: src.scope,
                kind,
                generics: Rc::new(generics),
                variants,
                repr: repr(attrs),
                lang,
                opaque,
                hints,
                span: self.sources.span(ident.span()),
            },
        );
    }

    fn variant(
        &self,
        cx: &TyCx<'_>,
        ident: &syn::Ident,
        fields: &syn::Fields,
        discriminant: i128,
    ) -> VariantDef {
        let ctor = match fields {
            syn::Fields::Named(_) => CtorKind::Named,
            syn::Fields::Unnamed(_) => CtorKind::Tuple,
            syn::Fields::Unit => CtorKind::Unit,
        };
        let fields = fields.iter().enumerate().map(|(i, f)| FieldDef {
            name: f.ident.as_ref().map(plain_name).unwrap_or_else(|| Name::new(&i.to_string())),
            ty: cx.lower(&f.ty),
            hints: self.hints(cx.scope, &f.attrs, cx),
            vis: self.vis_of(&f.vis, cx.scope),
            span: self.sources.span(f.ident.as_ref().map_or_else(|| f.ty.span(), |i| i.span())),
        });
        VariantDef { name: plain_name(ident), ctor, ctor_fn: None, fields: fields.collect(), discriminant }
    }

    /// Of the attributes only `portal` and `look_inside_iff` take arguments.
    fn hint_arguments(&self, hint: Hint, attr: &syn::Attribute, cx: &TyCx<'_>) {
        let name = hint.name();
        let span = match &attr.meta {
            _ if hint == Hint::LookInsideIff => {
                if attr.parse_args::<syn::Ident>().is_ok() {
                    return;
                }
                cx.error(
                    Diagnostic::new(
                        Code::HintUse,
                        cx.span(attr.path().span()),
                        format!("`{name}` takes the name of a function"),
                    )
                    .label("which tells whether to look inside")
                    .help(format!("write `#[jit::{name}(function)]`, and import it if it is elsewhere")),
                );
                return;
            }
            syn::Meta::Path(_) => return,
            syn::Meta::List(l) if hint == Hint::Portal || l.tokens.is_empty() => return,
            syn::Meta::List(l) => l.tokens.span(),
            syn::Meta::NameValue(nv) => nv.value.span(),
        };
        cx.error(
            Diagnostic::new(Code::HintUse, cx.span(span), format!("`{name}` takes no arguments"))
                .label("remove this")
                .help(format!("write `#[jit::{name}]`")),
        );
    }

    /// The runtime's attributes; `portal` is handled apart.
    fn hints(&self, scope: ModId, attrs: &[syn::Attribute], cx: &TyCx<'_>) -> Vec<HintAttr> {
        let mut out = Vec::new();
        for a in attrs {
            match self.hint_attr(scope, a) {
                Some(Ok(hint)) => {
                    self.hint_arguments(hint, a, cx);
                    out.push(HintAttr {
                        name: Name::new(hint.name()),
                        args: match &a.meta {
                            syn::Meta::List(l) => l.tokens.clone(),
                            _ => Default::default(),
                        },
                        span: self.sources.span(a.path().span()),
                    })
                }
                Some(Err(d)) => {
                    cx.error(d);
                }
                None => {}
            }
        }
        out
    }

    pub(crate) fn lower_fn(&self, id: FnId) {
        let src = self.src.fns.get(id.index());
        if let Some((adt, variant)) = src.ctor {
            return self.lower_ctor(id, src, adt, variant);
        }
        let mut cx = TyCx::for_container(self, src.container, src.scope);
        cx.scope = src.scope;
        let parent = self.container_generics(src.container);
        let count = parent.as_ref().map_or(0, |p| p.params.len());
        cx.add_params(&src.sig.generics, count as u32, &mut Vec::new());
        let mut generics = cx.generics(&src.sig.generics, parent.as_deref(), false);
        *cx.anonymous.borrow_mut() =
            Some(AnonymousParams { next: generics.params.len() as u32, ..AnonymousParams::default() });
        let (mut params, mut names) = (Vec::new(), Vec::new());
        let self_ty = cx.self_ty.unwrap_or_else(Ty::error);
        for a in &src.sig.inputs {
            match a {
                syn::FnArg::Receiver(r) => {
                    names.push(Name::new("self"));
                    params.push(match &r.kind {
                        syn::ReceiverKind::Reference(_, _, Some(_)) => {
                            Ty::reference(Mutability::Mut, self_ty)
                        }
                        syn::ReceiverKind::Reference(..) => Ty::shared_ref(self_ty),
                        syn::ReceiverKind::Typed(_, t) => cx.lower(t),
                        _ => self_ty,
                    });
                }
                syn::FnArg::Typed(t) => {
                    names.push(match &*t.pat {
                        syn::Pat::Ident(i) => plain_name(&i.ident),
                        _ => Name::new("_"),
                    });
                    params.push(cx.lower(&t.ty));
                }
            }
        }
        if let Some(a) = cx.anonymous.borrow_mut().take() {
            generics.params.extend(a.params);
            generics.predicates.extend(a.predicates);
        }
        self.elaborate(&mut generics.predicates);
        cx.known = generics.predicates.clone();
        let result = if src.sig.asyncness.is_some() {
            cx.error(
                Diagnostic::new(
                    Code::Unsupported,
                    cx.span(src.sig.ident.span()),
                    "`async fn` cannot be translated",
                )
                .label("its result is a future")
                .help("mark it `#[jit::dont_look_inside]`, or make it synchronous"),
            )
        } else {
            if !matches!(src.container, Container::Trait(_)) {
                let args = crate::ty::intern_list(&params_as_args(&generics));
                *cx.hidden.borrow_mut() = Some((id, args));
            }
            cx.result(&src.sig.output)
        };
        let name = plain_name(&src.sig.ident);
        let mut hints: Vec<HintAttr> =
            self.hints(src.scope, &src.attrs, &cx).into_iter().filter(|h| h.name != "portal").collect();
        let attr = |n: &str| src.attrs.iter().find(|a| a.path().is_ident(n));
        let model = self.scopes.origin(src.scope) != Origin::User;
        if let Some(pure) = attr("pure").filter(|_| model) {
            let total = matches!(&pure.meta, syn::Meta::List(l) if l.tokens.to_string() == "total");
            let names = ["elidable", "total"];
            hints.extend(names[..1 + usize::from(total)].iter().map(|n| HintAttr {
                name: Name::new(n),
                args: Default::default(),
                span: self.sources.span(src.sig.ident.span()),
            }));
        }
        let touches = if model { touched(&src.attrs, &cx) } else { None };
        let kind = if let Some(a) = attr("intrinsic") {
            FnKind::Intrinsic(attr_name(a).unwrap_or(name))
        } else if let Some(a) = attr("hint") {
            FnKind::Hint(attr_name(a).unwrap_or(name))
        } else if attr("opaque").is_some() || model && attr("pure").is_some() {
            FnKind::Opaque
        } else if src.block.is_some() {
            FnKind::Source
        } else if matches!(src.container, Container::Trait(_)) {
            FnKind::Required
        } else {
            FnKind::Opaque
        };
        if let Some(lang) = lang_name(&src.attrs) {
            self.lang_fns.borrow_mut().insert(if lang.is_empty() { name } else { lang }, id);
        }
        self.keep_errors(Def::Fn(id), &cx);
        let def = FnDef {
            name,
            path: self.fn_path(src, name),
            origin: self.scopes.origin(src.scope),
            module: src.scope,
            container: src.container,
            generics: Rc::new(generics),
            sig: FnSig { params, result, is_unsafe: matches!(src.sig.safety, syn::Safety::Unsafe(_)) },
            param_names: names,
            has_self: src.sig.receiver().is_some(),
            is_const: src.sig.constness.is_some(),
            kind,
            hints,
            touches,
            span: self.sources.span(src.sig.ident.span()),
            in_body: self.scopes.in_body(src.scope),
        };
        self.fns.set(id.index(), def);
    }

    fn lower_ctor(&self, id: FnId, src: &FnSrc, adt: AdtId, variant: VariantIdx) {
        let def = self.adts.get(adt.index());
        let v = &def.variants[variant.index()];
        let args: Vec<Ty> = params_as_args(&def.generics);
        let path = match def.kind {
            AdtKind::Struct => def.path,
            AdtKind::Enum => Name::new(&format!("{}::{}", def.path, v.name)),
        };
        let names = (0..v.fields.len()).map(|i| Name::new(&i.to_string())).collect();
        self.fns.set(
            id.index(),
            FnDef {
                name: v.name,
                path,
                origin: def.origin,
                module: src.scope,
                container: Container::Module,
                generics: def.generics.clone(),
                sig: FnSig {
                    params: v.fields.iter().map(|f| f.ty).collect(),
                    result: Ty::adt(adt, &args),
                    is_unsafe: false,
                },
                param_names: names,
                has_self: false,
                is_const: true,
                kind: FnKind::Ctor(adt, variant),
                hints: Vec::new(),
                touches: None,
                span: self.sources.span(src.sig.ident.span()),
                in_body: self.scopes.in_body(src.scope),
            },
        );
    }

    fn fn_path(&self, src: &FnSrc, name: Name) -> Name {
        match src.container {
            Container::Module => self.path_in(src.scope, Ns::Value, name),
            Container::Trait(t) => Name::new(&format!("{}::{name}", self.traits.get(t.index()).path)),
            Container::Impl(i) => {
                let def = self.impls.get(i.index());
                let ty = self.ty_name(def.self_ty);
                match def.trait_ref {
                    Some(tr) => Name::new(&format!("<{ty} as {}>::{name}", self.trait_ref_name(tr))),
                    None => Name::new(&format!("<{ty}>::{name}")),
                }
            }
        }
    }

    /// A trait with its arguments other than `Self`, as Rust writes it.
    pub(crate) fn trait_ref_name(&self, tr: TraitRef) -> String {
        let path =
            self.traits.try_get(tr.trait_id.index()).map_or_else(|| "_".to_string(), |t| t.path.to_string());
        if tr.args.len() < 2 {
            return path;
        }
        let args: Vec<String> = tr.args[1..].iter().map(|t| self.ty_name(*t)).collect();
        format!("{path}<{}>", args.join(", "))
    }

    pub(crate) fn container_generics(&self, container: Container) -> Option<Rc<Generics>> {
        match container {
            Container::Module => None,
            Container::Impl(i) => Some(self.impls.get(i.index()).generics.clone()),
            Container::Trait(t) => Some(self.traits.get(t.index()).generics.clone()),
        }
    }

    fn lower_const(&self, id: ConstId) {
        let src = self.src.consts.get(id.index());
        let cx = TyCx::for_container(self, src.container, src.scope);
        let ty = cx.lower(&src.ty);
        self.keep_errors(Def::Const(id), &cx);
        let path = match src.container {
            Container::Module => self.path_in(src.scope, Ns::Value, src.name),
            Container::Trait(t) => Name::new(&format!("{}::{}", self.traits.get(t.index()).path, src.name)),
            Container::Impl(i) => {
                let def = self.impls.get(i.index());
                Name::new(&format!("<{}>::{}", self.ty_name(def.self_ty), src.name))
            }
        };
        self.consts.set(
            id.index(),
            ConstDef {
                name: src.name,
                path,
                origin: self.scopes.origin(src.scope),
                module: src.scope,
                container: src.container,
                generics: self.container_generics(src.container).unwrap_or_default(),
                ty,
                has_value: src.expr.is_some(),
                intrinsic: src.intrinsic,
                span: src.span,
                in_body: self.scopes.in_body(src.scope),
            },
        );
    }

    fn lower_static(&self, id: StaticId) {
        let src = self.src.statics.get(id.index());
        let cx = TyCx::new(self, src.scope);
        let ty = cx.lower(&src.item.ty);
        self.keep_errors(Def::Static(id), &cx);
        let name = plain_name(&src.item.ident);
        self.statics.set(
            id.index(),
            StaticDef {
                name,
                path: self.path_in(src.scope, Ns::Value, name),
                origin: self.scopes.origin(src.scope),
                module: src.scope,
                ty,
                mutable: matches!(src.item.mutability, syn::StaticMutability::Mut(_)),
                span: self.sources.span(src.item.ident.span()),
            },
        );
    }

    /// Where something of this written visibility may be used.
    pub(crate) fn vis_of(&self, vis: &syn::Visibility, scope: ModId) -> crate::resolve::Vis {
        match vis {
            syn::Visibility::Public(_) => crate::resolve::Vis::Public,
            syn::Visibility::Inherited => crate::resolve::Vis::In(self.scopes.module_of(scope)),
            syn::Visibility::Restricted(r) => {
                let module = self.scopes.module_of(scope);
                let at = match r.path.segments.first().map(|s| s.ident.to_string()).as_deref() {
                    Some("self") => module,
                    Some("super") => self.scopes.parent(module).unwrap_or(module),
                    _ => self.scopes.root(module),
                };
                crate::resolve::Vis::In(at)
            }
        }
    }

    /// Evaluates an integer constant as written: literals, names, arithmetic, casts. Gives masked bits and the type.
    pub(crate) fn eval_int(
        &self,
        e: &syn::Expr,
        scope: ModId,
        self_ty: Option<Ty>,
        expected: Option<IntTy>,
        depth: u32,
    ) -> Option<(u128, IntTy)> {
        if depth > 64 {
            return None;
        }
        let go = |e: &syn::Expr, t: Option<IntTy>| self.eval_int(e, scope, self_ty, t, depth + 1);
        match e {
            syn::Expr::Group(g) => go(&g.expr, expected),
            syn::Expr::Paren(p) => go(&p.expr, expected),
            syn::Expr::Block(b) => match b.block.stmts.as_slice() {
                [syn::Stmt::Expr(e, None)] => go(e, expected),
                _ => None,
            },
            syn::Expr::Lit(l) => match &l.lit {
                syn::Lit::Int(i) => {
                    let ty = IntTy::ALL.into_iter().find(|t| t.name() == i.suffix()).or(expected)?;
                    Some((ty.mask(i.base10_digits().parse().ok()?), ty))
                }
                syn::Lit::Byte(b) => Some((b.value() as u128, IntTy::U8)),
                _ => None,
            },
            syn::Expr::Unary(u) => {
                let (v, ty) = go(&u.expr, expected)?;
                match u.op {
                    syn::UnOp::Neg(_) => Some((ty.mask(v.wrapping_neg()), ty)),
                    syn::UnOp::Not(_) => Some((ty.mask(!v), ty)),
                    _ => None,
                }
            }
            syn::Expr::Cast(c) => {
                let syn::Type::Path(p) = &*c.ty else { return None };
                let name = p.path.get_ident()?.to_string();
                let ty = IntTy::ALL.into_iter().find(|t| t.name() == name)?;
                let (v, from) = go(&c.expr, None).or_else(|| go(&c.expr, Some(IntTy::I32)))?;
                Some((ty.mask(signed(v, from) as u128), ty))
            }
            syn::Expr::Binary(b) => {
                let (l, ty) = go(&b.left, expected).or_else(|| go(&b.left, None))?;
                let shift = matches!(b.op, syn::BinOp::Shl(_) | syn::BinOp::Shr(_));
                let (r, rty) = go(&b.right, if shift { Some(IntTy::I32) } else { Some(ty) })?;
                let (a, c) = (signed(l, ty), signed(r, rty));
                let value = match b.op {
                    syn::BinOp::Add(_) => a.checked_add(c)?,
                    syn::BinOp::Sub(_) => a.checked_sub(c)?,
                    syn::BinOp::Mul(_) => a.checked_mul(c)?,
                    syn::BinOp::Div(_) => a.checked_div(c)?,
                    syn::BinOp::Rem(_) => a.checked_rem(c)?,
                    syn::BinOp::BitAnd(_) => a & c,
                    syn::BinOp::BitOr(_) => a | c,
                    syn::BinOp::BitXor(_) => a ^ c,
                    syn::BinOp::Shl(_) => a.checked_shl(u32::try_from(c).ok().filter(|s| *s < ty.bits())?)?,
                    syn::BinOp::Shr(_) => a.checked_shr(u32::try_from(c).ok().filter(|s| *s < ty.bits())?)?,
                    _ => return None,
                };
                let bits = ty.mask(value as u128);
                // an overflow is an error in Rust too
                (shift || signed(bits, ty) == value).then_some((bits, ty))
            }
            syn::Expr::Path(p) if p.qself.is_none() => self.eval_int_path(&p.path, scope, self_ty, depth),
            _ => None,
        }
    }

    fn eval_int_path(
        &self,
        path: &syn::Path,
        scope: ModId,
        self_ty: Option<Ty>,
        depth: u32,
    ) -> Option<(u128, IntTy)> {
        let names = self.path_names(path);
        let int_named = |n: &str| IntTy::ALL.into_iter().find(|t| t.name() == n);
        if let [ty, what] = names.as_slice()
            && let Some(int) = int_named(ty)
        {
            let ones = int.mask(u128::MAX);
            return match (what.as_str(), int.signed()) {
                ("MAX", true) => Some((ones >> 1, int)),
                ("MAX", false) => Some((ones, int)),
                ("MIN", true) => Some((int.mask(1 << (int.bits() - 1)), int)),
                ("MIN", false) => Some((0, int)),
                ("BITS", _) => Some((int.bits() as u128, IntTy::U32)),
                _ => None,
            };
        }
        let id = if names.len() == 2 && names[0] == "Self" {
            let head = head_of(self_ty?);
            let impls = self.inherent_impls.borrow().get(&head).cloned().unwrap_or_default();
            impls.iter().find_map(|i| self.src.impls.get(i.index()).consts.get(&names[1]).copied())?
        } else {
            let found = self.scopes.lookup(scope, &names, Ns::Value, &|a, n| self.variant_named(a, n))?;
            match found.def {
                Def::Const(id) if found.used == names.len() => id,
                Def::Adt(a) if found.used + 1 == names.len() => {
                    let impls = self.inherent_impls.borrow().get(&Head::Adt(a)).cloned().unwrap_or_default();
                    let name = names[names.len() - 1];
                    impls.iter().find_map(|i| self.src.impls.get(i.index()).consts.get(&name).copied())?
                }
                _ => return None,
            }
        };
        let src = self.src.consts.get(id.index());
        let syn::Type::Path(p) = &src.ty else { return None };
        let ty = int_named(&p.path.get_ident()?.to_string())?;
        let (v, found) = self.eval_int(src.expr.as_ref()?, src.scope, self_ty, Some(ty), depth + 1)?;
        (found == ty).then_some((v, ty))
    }
}

/// The value of zero-extended bits.
pub(crate) fn signed(bits: u128, ty: IntTy) -> i128 {
    if ty.signed() && ty.bits() < 128 && bits >> (ty.bits() - 1) & 1 == 1 {
        (bits | (u128::MAX << ty.bits())) as i128
    } else {
        bits as i128
    }
}

/// Which inherent impls a type may have.
pub(crate) fn head_of(ty: Ty) -> Head {
    match *ty.kind() {
        TyKind::Adt(id, _) => Head::Adt(id),
        TyKind::Dyn(id, ..) => Head::Dyn(id),
        TyKind::Str => Head::Str,
        TyKind::Slice(_) => Head::Slice,
        TyKind::Array(..) => Head::Array,
        TyKind::RawPtr(..) => Head::RawPtr,
        TyKind::Ref(..) => Head::Ref,
        TyKind::FnDef(..) | TyKind::FnPtr(_) | TyKind::Closure(..) => Head::Fn,
        TyKind::Tuple(_) => Head::Tuple,
        _ => Head::Scalar,
    }
}

/// The parameters themselves as arguments.
pub(crate) fn params_as_args(g: &Generics) -> Vec<Ty> {
    g.params.iter().enumerate().map(|(i, p)| Ty::new(TyKind::Param(i as u32, p.name))).collect()
}

fn attr_name(a: &syn::Attribute) -> Option<Name> {
    match &a.meta {
        syn::Meta::NameValue(nv) => match &nv.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(s), .. }) => Some(Name::new(&s.value())),
            _ => None,
        },
        _ => None,
    }
}

/// `#[lang = "name"]`; an empty name for a bare `#[lang]`.
fn lang_name(attrs: &[syn::Attribute]) -> Option<Name> {
    let a = attrs.iter().find(|a| a.path().is_ident("lang"))?;
    Some(attr_name(a).unwrap_or_else(|| Name::new("")))
}

fn repr(attrs: &[syn::Attribute]) -> Repr {
    let mut r = Repr::default();
    for a in attrs.iter().filter(|a| a.path().is_ident("repr")) {
        let _ = a.parse_nested_meta(|m| {
            let Some(name) = m.path.get_ident().map(|i| i.to_string()) else { return Ok(()) };
            let number = |m: &syn::meta::ParseNestedMeta<'_>| -> syn::Result<Option<u32>> {
                if !m.input.peek(syn::token::Paren) {
                    return Ok(None);
                }
                let inner;
                syn::parenthesized!(inner in m.input);
                Ok(Some(inner.parse::<syn::LitInt>()?.base10_parse()?))
            };
            match name.as_str() {
                "C" => r.c = true,
                "transparent" => r.transparent = true,
                "packed" => r.packed = Some(number(&m)?.unwrap_or(1)),
                "align" => r.align = number(&m)?,
                n => r.int = IntTy::ALL.into_iter().find(|t| t.name() == n),
            }
            Ok(())
        });
    }
    r
}

/// The type of a field by position.
pub(crate) fn field(def: &AdtDef, v: VariantIdx, f: FieldIdx) -> &FieldDef {
    &def.variants[v.index()].fields[f.index()]
}

/// Whether a result is, or contains, an `impl Trait`.
fn hides_type(output: &syn::ReturnType) -> bool {
    struct Finder(bool);
    impl<'a> syn::visit::Visit<'a> for Finder {
        fn visit_type_impl_trait(&mut self, _: &'a syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut finder = Finder(false);
    syn::visit::Visit::visit_return_type(&mut finder, output);
    finder.0
}

/// What `#[reads(…)]` and `#[moves(…)]` of a model say.
fn touched(attrs: &[syn::Attribute], cx: &TyCx) -> Option<Touches<Ty>> {
    let types_in = |name: &str| {
        let attr = attrs.iter().find(|a| a.path().is_ident(name))?;
        let all = attr.parse_args_with(Punctuated::<syn::Type, syn::Token![,]>::parse_terminated);
        Some(all.expect("types in a model's attribute").iter().map(|ty| cx.lower(ty)).collect())
    };
    match (types_in("reads"), types_in("moves")) {
        (None, None) => None,
        (reads, moves) => {
            Some(Touches { reads: reads.unwrap_or_default(), moves: moves.unwrap_or_default() })
        }
    }
}
