//! Types of the front end as types of the flow graph, and Rust's spelling of types and functions for the glue.
//!
//! In: types without parameters. Out: [`TypeId`]s of the program under construction. Spellings are absolute
//! (`crate::…`), so that every module's glue that may see the item can use them.

use crate::flow::types::{Adt, Field, Hidden, Opaque, Repr, Type, TypeData, TypeId, Variant};
use crate::flow::{ModuleId, Pos};
use crate::items::{AdtDef, AdtKind, Container, FnDef, Generics, Origin};
use crate::lower::Cx;
use crate::names::Name;
use crate::program::Program;
use crate::resolve::{Def, Ns};
use crate::thir::{FieldIdx, VariantIdx};
use crate::ty::{AdtId, Args, AssocTyId, ConstId, FloatTy, FnId, IntTy, Mutability, Ty, TyKind};
use quote::ToTokens;

/// Sizes in words of types of `std` whose fields are not modelled. The glue asserts each that is used.
const KNOWN_WORDS: &[(&str, u8)] =
    &[("std::io::Error", 1), ("std::collections::BTreeMap", 3), ("std::collections::VecDeque", 4)];

/// The same for those that hash, with std's own hasher.
const KNOWN_HASHING: &[(&str, u8)] = &[("std::collections::HashMap", 6), ("std::collections::HashSet", 6)];

impl Cx<'_> {
    /// The flow type of a type without parameters.
    pub(super) fn ty(&mut self, ty: Ty) -> TypeId {
        let log = self.log.take();
        let id = self.find_ty(ty);
        self.log = log;
        self.log.iter_mut().for_each(|log| log.ty(ty, id));
        id
    }

    fn find_ty(&mut self, ty: Ty) -> TypeId {
        if let Some(&id) = self.types.get(&ty) {
            return id;
        }
        let normal = self.program.normalize(ty);
        let id = if normal == ty { self.convert(ty) } else { self.ty(normal) };
        self.types.insert(ty, id);
        id
    }

    /// Adds a flow type that is made of others.
    pub(super) fn add(&mut self, ty: Type) -> TypeId {
        match &mut self.log {
            None => self.out.types.add(ty),
            Some(log) => {
                let id = self.out.types.add(ty.clone());
                log.add(&ty, id);
                id
            }
        }
    }

    pub(super) fn tys(&mut self, types: &[Ty]) -> Vec<TypeId> {
        types.iter().map(|&t| self.ty(t)).collect()
    }

    pub(super) fn ref_to(&mut self, to: TypeId, mutable: bool) -> TypeId {
        self.add(Type::Ref { to, mutable })
    }

    /// `*mut T`: how values of memory types are handed over.
    pub(super) fn ptr_to(&mut self, to: TypeId) -> TypeId {
        self.add(Type::RawPtr { to, mutable: true })
    }

    fn convert(&mut self, ty: Ty) -> TypeId {
        let converted = match *ty.kind() {
            TyKind::Bool => Type::Bool,
            TyKind::Char => Type::Char,
            TyKind::Int(int) => int_type(int),
            TyKind::Float(FloatTy::F32) => Type::F32,
            TyKind::Float(FloatTy::F64) => Type::F64,
            TyKind::Str => Type::Str,
            TyKind::Never => Type::Never,
            TyKind::Ref(m, to) => Type::Ref { to: self.ty(to), mutable: m == Mutability::Mut },
            TyKind::RawPtr(m, to) => Type::RawPtr { to: self.ty(to), mutable: m == Mutability::Mut },
            TyKind::Array(elem, len) => {
                let len = u64::try_from(len.const_value().unwrap_or_default()).unwrap_or(u64::MAX);
                Type::Array(self.ty(elem), len)
            }
            TyKind::Slice(elem) => Type::Slice(self.ty(elem)),
            TyKind::Tuple(parts) => Type::Tuple(self.tys(parts)),
            TyKind::FnPtr(all) => {
                let mut all = self.tys(all);
                let ret = all.pop().expect("a function pointer type ends with its result");
                Type::FnPtr { params: all, ret }
            }
            TyKind::FnDef(..) => Type::Closure { id: self.closure_number(ty), captures: vec![] },
            TyKind::Closure(id, args) => {
                let captures = self.program.closure_captures(id, args);
                let captures = self.tys(&captures);
                Type::Closure { id: self.closure_number(ty), captures }
            }
            TyKind::Adt(id, args) => return self.adt(ty, id, args),
            TyKind::Dyn(..) => {
                let rust = self.spell(ty);
                let module = self.module_of(ty);
                return self.out.types.intern(TypeData {
                    ty: Type::Dyn(rust.clone()),
                    rust,
                    module,
                    needs_drop: true,
                    freeze: false,
                });
            }
            // Nothing comes out of the translation.
            _ if !self.program.diagnostics().is_empty() => Type::Tuple(vec![]),
            TyKind::Param(..)
            | TyKind::Projection(..)
            | TyKind::Const(_)
            | TyKind::Infer(..)
            | TyKind::Error => {
                panic!("{} has no values in an instance", self.program.ty_name(ty))
            }
        };
        self.add(converted)
    }

    fn closure_number(&mut self, ty: Ty) -> u32 {
        let next = self.closures.len() as u32;
        *self.closures.entry(ty).or_insert(next)
    }

    fn adt(&mut self, ty: Ty, id: AdtId, args: Args) -> TypeId {
        let def = self.program.adt(id).clone();
        self.program.report_item(crate::resolve::Def::Adt(id));
        let endless = ty.is_endless();
        if endless {
            self.endless_type(&def);
        }
        match def.lang.as_deref() {
            Some("Vec") => {
                let elem = self.ty(args[0]);
                return self.add(Type::Vec(elem));
            }
            Some("String") => return self.add(Type::String),
            Some("Box") => {
                let to = self.ty(args[0]);
                return self.add(Type::Box(to));
            }
            _ => {}
        }
        let rust = self.spell(ty);
        let module = self.module_of(ty);
        let (type_id, is_new) = self.out.types.declare(&rust, module);
        self.types.insert(ty, type_id);
        if !is_new {
            return type_id;
        }
        let data = TypeData {
            ty: if def.opaque.is_some() || endless {
                let is_std_hash =
                    args.last().is_some_and(|&last| self.program.ty_name(last) == "std::hash::RandomState");
                let hashing = KNOWN_HASHING.iter().filter(|_| is_std_hash);
                let known = KNOWN_WORDS.iter().chain(hashing).find(|(path, _)| *path == &*def.path);
                let known = known.map(|&(_, words)| words);
                Type::Opaque(Opaque {
                    rust: rust.clone(),
                    module,
                    words: match def.lang.as_deref() {
                        Some("PhantomData") => Some(0),
                        Some("Rc") => Some(if self.program.is_sized(args[0]) { 1 } else { 2 }),
                        _ => known,
                    },
                    reaches: {
                        let is_type = |a: &&Ty| a.const_value().is_none() && !endless;
                        let mut all: Vec<TypeId> = args.iter().filter(is_type).map(|&a| self.ty(a)).collect();
                        all.extend(self.counts_of(&def, args));
                        all
                    },
                    interior_mut: !self.program.is_freeze(ty),
                })
            } else {
                let is_users = def.origin == Origin::User;
                if is_users {
                    self.open_types.push(id);
                }
                let adt = self.adt_fields(ty, &def, &rust, module);
                if is_users {
                    self.open_types.pop();
                }
                Type::Adt(adt)
            },
            rust,
            module,
            needs_drop: self.program.needs_drop(ty),
            freeze: self.program.is_freeze(ty),
        };
        self.out.types.define(type_id, data);
        type_id
    }

    /// The counters that a counted pointer has before its content.
    fn counts_of(&mut self, def: &AdtDef, args: Args) -> Option<TypeId> {
        let counts = self.program.lang_adt("RcCounts")?;
        let is_counted = matches!(&*def.path, "std::rc::Rc" | "std::rc::Weak");
        is_counted.then(|| self.ty(Ty::adt(counts, &args[..1])))
    }

    /// Reports a type that contains ever larger ones, as that of the user's it is in.
    fn endless_type(&self, def: &AdtDef) {
        let outer = self.open_types.first().map(|&id| self.program.adt(id));
        let def = outer.filter(|_| def.origin != Origin::User).unwrap_or(def);
        self.endless(def.span, &def.path);
    }

    fn adt_fields(&mut self, ty: Ty, def: &AdtDef, rust: &str, module: ModuleId) -> Adt {
        let mut variants = Vec::new();
        for (index, variant) in def.variants.iter().enumerate() {
            let mut fields = Vec::new();
            for (n, field) in variant.fields.iter().enumerate() {
                let field_ty = self.program.field_ty(ty, VariantIdx::new(index), FieldIdx::new(n));
                fields.push(Field { name: field.name.to_string(), ty: self.ty(field_ty) });
            }
            let is_enum = def.kind == AdtKind::Enum;
            let discriminant = is_enum.then_some(variant.discriminant);
            variants.push(Variant { name: variant.name.to_string(), fields, discriminant });
        }
        let lang = def.lang.as_deref();
        Adt {
            rust: rust.to_string(),
            module,
            is_enum: def.kind == AdtKind::Enum,
            variants,
            repr: Repr {
                c: def.repr.c,
                int: def.repr.int.map(|int| (int.bits() as u8, int.signed())),
                transparent: def.repr.transparent,
            },
            is_cell: matches!(lang, Some("UnsafeCell" | "RcCounts")),
            freezes: lang == Some("Traced"),
            hidden: self.hidden(ty, def, module),
            pos: if def.origin == Origin::User { self.pos(def.span) } else { Pos::default() },
        }
    }

    /// Set for an instance of a library's struct with types of another crate, unless all its fields are public.
    fn hidden(&self, ty: Ty, def: &AdtDef, host: ModuleId) -> Option<Hidden> {
        let TyKind::Adt(id, args) = *ty.kind() else { return None };
        let is_library = def.origin == Origin::User && self.program.library_of(def.module).is_some();
        let home = self.module_id(def.origin, def.module);
        if !is_library || def.kind == AdtKind::Enum || self.crate_of(home) == self.crate_of(host) {
            return None;
        }
        if def.variants[0].fields.iter().all(|field| field.vis == crate::resolve::Vis::Public) {
            return None;
        }
        let generics = self.program.src.adts.get(id.index()).generics()?;
        let (params, own, bounds) = generics.split_for_impl();
        let text = |tokens: proc_macro2::TokenStream| tokens.to_string();
        Some(Hidden {
            module: home,
            glue: self.out.glue_path(home),
            name: def.name.to_string(),
            params: text(params.to_token_stream()),
            bounds: text(bounds.to_token_stream()),
            generic: format!("{}{}", def.path, text(own.to_token_stream())),
            args: self.spell_args(&def.generics, args, 0, ""),
        })
    }

    /// The module whose glue can name a type: of the types of the user's crate in it the deepest module.
    pub(super) fn module_of(&self, ty: Ty) -> ModuleId {
        let mut module = match *ty.kind() {
            TyKind::Adt(id, _) => self.module_id(self.program.adt(id).origin, self.program.adt(id).module),
            TyKind::Dyn(id, ..) => {
                self.module_id(self.program.trait_def(id).origin, self.program.trait_def(id).module)
            }
            TyKind::FnDef(id, _) => {
                self.module_id(self.program.fn_def(id).origin, self.program.fn_def(id).module)
            }
            _ => ModuleId(0),
        };
        ty.for_each_child(|child| module = module.max(self.module_of(child)));
        module
    }

    /// A type as the glue spells it.
    pub(super) fn spell(&self, ty: Ty) -> String {
        let list = |types: &[Ty]| types.iter().map(|&t| self.spell(t)).collect::<Vec<_>>().join(", ");
        match *ty.kind() {
            TyKind::Adt(id, args) => {
                let def = self.program.adt(id);
                if self.is_local(def.module) || !self.is_seen(ty) {
                    // braces say that Rust cannot spell it; the number tells types of one name apart
                    return format!("{{{} {id}}}{}", def.path, self.spell_args(&def.generics, args, 0, ""));
                }
                format!("{}{}", def.path, self.spell_type_args(&def.generics, args))
            }
            TyKind::Ref(m, to) => format!("&{}{}", m.prefix(), self.spell_pointee(to)),
            TyKind::RawPtr(Mutability::Mut, to) => format!("*mut {}", self.spell_pointee(to)),
            TyKind::RawPtr(Mutability::Not, to) => format!("*const {}", self.spell_pointee(to)),
            TyKind::Array(elem, len) => {
                format!("[{}; {}]", self.spell(elem), len.const_value().unwrap_or_default())
            }
            TyKind::Slice(elem) => format!("[{}]", self.spell(elem)),
            TyKind::Tuple([only]) => format!("({},)", self.spell(*only)),
            TyKind::Tuple(parts) => format!("({})", list(parts)),
            TyKind::FnPtr(all) => match all.split_last() {
                Some((ret, params)) => format!("fn({}) -> {}", list(params), self.spell(*ret)),
                None => String::new(),
            },
            TyKind::Dyn(id, args, bindings) => {
                let def = self.program.trait_def(id);
                if let ("Fn" | "FnMut" | "FnOnce", [params], [(_, result)]) =
                    (def.path.as_str().rsplit("::").next().unwrap_or_default(), &args[..], &bindings[..])
                    && let TyKind::Tuple(params) = *params.kind()
                {
                    // The only form that is stable.
                    return format!("dyn {}({}) -> {}", def.path, list(params), self.spell(*result));
                }
                let mut parts: Vec<String> = args.iter().map(|&a| self.spell(a)).collect();
                let assoc = |id: AssocTyId| self.program.assoc_ty(id).name;
                parts.extend(bindings.iter().map(|&(a, t)| format!("{} = {}", assoc(a), self.spell(t))));
                if parts.is_empty() {
                    format!("dyn {}", def.path)
                } else {
                    format!("dyn {}<{}>", def.path, parts.join(", "))
                }
            }
            TyKind::Closure(id, _) => format!("{{{}}}", self.program.closure_name(id)),
            TyKind::FnDef(id, args) => format!("{{{} {}}}", self.program.fn_def(id).path, list(args)),
            _ => self.program.ty_name(ty),
        }
    }

    fn spell_pointee(&self, ty: Ty) -> String {
        let text = self.spell(ty);
        if matches!(ty.kind(), TyKind::Dyn(..)) { format!("({text})") } else { text }
    }

    /// `<'_, A, B>` for a type's lifetimes and parameters; nothing if there are none.
    fn spell_type_args(&self, generics: &Generics, args: Args) -> String {
        let list = self.spell_args(generics, args, 0, "");
        let lifetimes = vec!["'_"; generics.lifetimes].join(", ");
        match (lifetimes.is_empty(), list.strip_prefix('<')) {
            (true, _) => list,
            (false, Some(rest)) => format!("<{lifetimes}, {rest}"),
            (false, None) => format!("<{lifetimes}>"),
        }
    }

    /// `<A, B>` for the parameters from `first` on; nothing if there are none.
    fn spell_args(&self, generics: &Generics, args: Args, first: usize, prefix: &str) -> String {
        let own: Vec<String> = args
            .iter()
            .enumerate()
            .skip(first)
            .map(|(n, &arg)| match (arg.const_value(), generics.params.get(n).and_then(|p| p.const_ty)) {
                (Some(value), Some(ty)) => spell_const(value, ty),
                (Some(value), None) => value.to_string(),
                (None, _) => self.spell(arg),
            })
            .collect();
        if own.is_empty() { String::new() } else { format!("{prefix}<{}>", own.join(", ")) }
    }

    /// Whether there is a type in it that the model of `std` makes differently than `std`, so that native code cannot drop it.
    pub(super) fn is_of_model(&self, ty: Ty) -> bool {
        if let TyKind::Adt(id, _) = *ty.kind() {
            let def = self.program.adt(id);
            let is_model = def.origin == Origin::Std
                && def.opaque.is_none()
                && def.kind == AdtKind::Struct
                && !matches!(def.lang.as_deref(), Some("Box" | "Vec" | "String"));
            if is_model {
                return true;
            }
        }
        let mut any = false;
        ty.for_each_child(|child| any |= self.is_of_model(child));
        any
    }

    /// Whether what std does with a value of this type, like hashing it, may run code of the user's.
    pub(super) fn runs_user_code(&self, ty: Ty) -> bool {
        let mut any = match *ty.kind() {
            TyKind::Adt(id, _) => self.program.adt(id).origin == Origin::User,
            TyKind::Dyn(..) | TyKind::Closure(..) => true,
            _ => false,
        };
        ty.for_each_child(|child| any |= self.runs_user_code(child));
        any
    }

    /// Whether items of a module are declared inside a function, where nothing outside can name them.
    fn is_local(&self, module: crate::items::ModId) -> bool {
        self.program.scopes.in_body(module)
    }

    /// Whether a type can be spelled: there is no closure, function item or type declared inside a function in it.
    pub(super) fn can_spell(&self, ty: Ty) -> bool {
        match *ty.kind() {
            TyKind::Closure(..) | TyKind::FnDef(..) => return false,
            TyKind::Adt(id, _) if self.is_local(self.program.adt(id).module) => return false,
            TyKind::Dyn(id, ..) if self.is_local(self.program.trait_def(id).module) => return false,
            _ if !self.is_seen(ty) => return false,
            _ => {}
        }
        let mut all = true;
        ty.for_each_child(|child| all &= self.can_spell(child));
        all
    }

    /// The root of the crate that a module is in.
    pub(super) fn crate_of(&self, module: ModuleId) -> ModuleId {
        let mut at = module;
        while let Some(parent) = self.out.modules.get(at.index()).and_then(|module| module.parent) {
            at = parent;
        }
        at
    }

    /// Whether a crate can name all of a type: what is of other crates must have a path that leads there.
    fn is_seen(&self, ty: Ty) -> bool {
        if self.program.libraries.is_empty() {
            return true;
        }
        let mut named = Vec::new();
        self.named_in(ty, &mut named);
        self.host(&named, Vec::new()).is_none_or(|(_, is_seen)| is_seen)
    }

    /// Whether some crate can name a function instance.
    fn can_name(&self, id: FnId, args: Args) -> bool {
        self.program.libraries.is_empty() || self.place_of_fn(id, args).is_none_or(|(_, is_seen)| is_seen)
    }

    /// A function instance as an expression; none if it cannot be named.
    pub(super) fn spell_fn(&self, id: FnId, args: Args) -> Option<String> {
        let def: &FnDef = self.program.fn_def(id);
        if !args.iter().all(|&a| self.can_spell(a)) || !self.can_name(id, args) {
            return None;
        }
        let own = self.spell_args(&def.generics, args, def.generics.parent_count, "::");
        if def.in_body {
            let is_plain = matches!(def.container, Container::Module);
            let expr = format!("{}{own}", def.name);
            return self.program.outside_of_body(def.module, &expr).filter(|_| is_plain);
        }
        let parent: Args = &args[..def.generics.parent_count.min(args.len())];
        Some(match def.container {
            Container::Module => format!("{}{own}", def.path),
            Container::Impl(impl_id) => {
                let impl_def = self.program.impl_def(impl_id);
                let self_ty = self.spell(self.program.normalize(impl_def.self_ty.subst(parent)));
                match impl_def.trait_ref {
                    None => format!("<{self_ty}>::{}{own}", def.name),
                    // A destructor cannot be called by its name.
                    Some(trait_ref) if self.program.lang_trait("Drop") == Some(trait_ref.trait_id) => {
                        return None;
                    }
                    Some(trait_ref) => {
                        let trait_def = self.program.trait_def(trait_ref.trait_id);
                        let trait_args = trait_ref.subst(parent).args;
                        let path = self.spell_args(&trait_def.generics, trait_args, 1, "");
                        format!("<{self_ty} as {}{path}>::{}{own}", trait_def.path, def.name)
                    }
                }
            }
            Container::Trait(trait_id) => {
                let trait_def = self.program.trait_def(trait_id);
                let path = self.spell_args(&trait_def.generics, parent, 1, "");
                format!("<{} as {}{path}>::{}{own}", self.spell(args[0]), trait_def.path, def.name)
            }
        })
    }

    /// A constant as an expression; none if it cannot be named.
    pub(super) fn spell_const_item(&self, id: ConstId, args: Args) -> Option<String> {
        let def = self.program.const_def(id);
        if !args.iter().all(|&a| self.can_spell(a)) {
            return None;
        }
        if def.in_body {
            let is_plain = matches!(def.container, Container::Module);
            return self.program.outside_of_body(def.module, &def.name).filter(|_| is_plain);
        }
        Some(match def.container {
            Container::Module => def.path.to_string(),
            Container::Impl(impl_id) => {
                let impl_def = self.program.impl_def(impl_id);
                let self_ty = self.spell(self.program.normalize(impl_def.self_ty.subst(args)));
                match impl_def.trait_ref {
                    None => format!("<{self_ty}>::{}", def.name),
                    Some(trait_ref) => {
                        let trait_def = self.program.trait_def(trait_ref.trait_id);
                        let list = self.spell_args(&trait_def.generics, trait_ref.subst(args).args, 1, "");
                        format!("<{self_ty} as {}{list}>::{}", trait_def.path, def.name)
                    }
                }
            }
            Container::Trait(trait_id) => {
                let trait_def = self.program.trait_def(trait_id);
                let list = self.spell_args(&trait_def.generics, args, 1, "");
                format!("<{} as {}{list}>::{}", self.spell(args[0]), trait_def.path, def.name)
            }
        })
    }

    /// The module whose glue names a function instance: of the modules that declare what is named the innermost that may
    /// name all of it.
    pub(super) fn module_of_fn(&self, method: FnId, args: Args) -> ModuleId {
        let place = self.place_of_fn(method, args);
        place.map_or(ModuleId(0), |(module, _)| self.module_id(Origin::User, module))
    }

    /// That module, and whether its crate can name what is of others; none if nothing of the user's is named.
    fn place_of_fn(&self, method: FnId, args: Args) -> Option<(crate::items::ModId, bool)> {
        let def = self.program.fn_def(method);
        let scopes = &self.program.scopes;
        let mut named = Vec::new();
        let trait_of = |trait_id: crate::ty::TraitId| {
            let def = self.program.trait_def(trait_id);
            Named::new(self.program, (def.origin, def.module), Def::Trait(trait_id), def.name)
        };
        let own = match def.container {
            Container::Trait(id) => trait_of(id),
            Container::Impl(id) => match self.program.impl_def(id).trait_ref {
                Some(tr) => trait_of(tr.trait_id),
                None => {
                    let vis = self.program.src.fns.get(method.index()).vis;
                    Named {
                        origin: def.origin,
                        module: def.module,
                        vis: Some(vis),
                        is_public: vis == crate::resolve::Vis::Public,
                    }
                }
            },
            Container::Module => {
                Named::new(self.program, (def.origin, def.module), Def::Fn(method), def.name)
            }
        };
        named.push(own);
        args.iter().for_each(|&a| self.named_in(a, &mut named));
        let mut modules: Vec<crate::items::ModId> = Vec::new();
        if let Container::Impl(id) = def.container {
            let imp = self.program.impl_def(id);
            let parent = &args[..def.generics.parent_count.min(args.len())];
            self.named_in(imp.self_ty.subst(parent), &mut named);
            imp.trait_ref
                .iter()
                .flat_map(|t| t.args)
                .for_each(|t| self.named_in(t.subst(parent), &mut named));
            // where the impl stands all that it names is seen
            if imp.origin == Origin::User {
                modules.push(scopes.module_of(imp.module));
            }
        }
        self.host(&named, modules)
    }

    /// The innermost of `modules` and of those that declare what is named that sees all of it, in the crate that knows all others; and
    /// whether that can name what is of these.
    fn host(
        &self,
        named: &[Named],
        mut modules: Vec<crate::items::ModId>,
    ) -> Option<(crate::items::ModId, bool)> {
        let scopes = &self.program.scopes;
        let user = named.iter().filter(|item| item.origin == Origin::User);
        let items: Vec<(crate::items::ModId, crate::items::ModId, bool)> = user
            .map(|item| {
                let module = scopes.module_of(item.module);
                let reach = scopes.reach(module, item.vis.unwrap_or(crate::resolve::Vis::In(module)));
                (module, reach, item.is_public)
            })
            .collect();
        modules.extend(items.iter().map(|(module, ..)| *module));
        modules.sort();
        let sees = |from: crate::items::ModId| {
            items.iter().all(|&(module, reach, is_public)| {
                let is_other = !self.program.libraries.is_empty() && scopes.root(module) != scopes.root(from);
                if is_other { is_public } else { scopes.visible(crate::resolve::Vis::In(reach), from) }
            })
        };
        // Only the crate that uses all others knows all of them.
        let knows = |from: crate::items::ModId| {
            modules.last().is_some_and(|&last| scopes.root(last) == scopes.root(from))
        };
        let chosen =
            modules.iter().rev().copied().find(|&m| sees(m) && knows(m)).or(modules.last().copied())?;
        let own = scopes.root(chosen);
        let is_seen = items.iter().all(|&(module, _, is_public)| is_public || scopes.root(module) == own);
        Some((chosen, is_seen))
    }

    /// The types of the crate that a type's spelling mentions, with their visibility.
    fn named_in(&self, ty: Ty, out: &mut Vec<Named>) {
        match *ty.kind() {
            TyKind::Adt(id, _) => {
                let def = self.program.adt(id);
                out.push(Named::new(self.program, (def.origin, def.module), Def::Adt(id), def.name));
            }
            TyKind::Dyn(id, ..) => {
                let def = self.program.trait_def(id);
                out.push(Named::new(self.program, (def.origin, def.module), Def::Trait(id), def.name));
            }
            _ => {}
        }
        ty.for_each_child(|child| self.named_in(child, out));
    }

    fn module_id(&self, origin: Origin, module: crate::items::ModId) -> ModuleId {
        match origin {
            Origin::User => {
                self.modules.get(&self.program.scopes.module_of(module)).copied().unwrap_or(ModuleId(0))
            }
            Origin::Std | Origin::Runtime => ModuleId(0),
        }
    }

    /// An item's module, for items other than functions and types.
    pub(super) fn item_module(&self, origin: Origin, module: crate::items::ModId) -> ModuleId {
        self.module_id(origin, module)
    }
}

fn int_type(int: IntTy) -> Type {
    let size = matches!(int, IntTy::Usize | IntTy::Isize);
    Type::Int { bits: int.bits() as u8, signed: int.signed(), size }
}

/// A constant generic argument.
fn spell_const(value: u128, ty: Ty) -> String {
    match *ty.kind() {
        TyKind::Bool => (value != 0).to_string(),
        TyKind::Char => format!("'\\u{{{value:x}}}'"),
        TyKind::Int(int) if int.signed() => {
            let shift = 128 - int.bits();
            format!("{{{}}}", (value << shift) as i128 >> shift)
        }
        _ => value.to_string(),
    }
}

/// Something of which a path is made.
struct Named {
    origin: Origin,
    module: crate::items::ModId,
    vis: Option<crate::resolve::Vis>,
    /// Whether other crates can name it.
    is_public: bool,
}

impl Named {
    fn new(
        program: &Program,
        (origin, module): (Origin, crate::items::ModId),
        def: Def,
        name: Name,
    ) -> Named {
        let ns = if matches!(def, Def::Fn(_)) { Ns::Value } else { Ns::Type };
        let vis = program.scopes.declared_vis(module, ns, name);
        Named { origin, module, vis, is_public: program.scopes.public_path(def).is_some() }
    }
}
