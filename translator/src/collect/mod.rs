//! Collecting items: from parsed modules to ids, names and imports; then signatures.
//!
//! Phases, each complete before the next begins: declare every item and expand item macros and derives ([`Collector`]);
//! resolve imports; lower signatures ([`sigs`]). Nothing here reads a function's body, except for the items declared in
//! its blocks.

pub(crate) mod local;
pub mod sigs;
pub mod types;

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use metatrace_defs::hint::{Hint, HintForm};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::visit::{self, Visit};

use crate::diag::{Code, Diagnostic};
use crate::expand::{crate_marker, derive, plain_name, rules::Rules};
use crate::items::{Container, ModId, Origin};
use crate::load::{Module, cfg, depth};
use crate::names::Name;
use crate::program::{Program, Reported, Table};
use crate::resolve::{AliasId, Def, Import, MacroId, Ns, Vis};
use crate::source::Span;
use crate::thir::VariantIdx;
use crate::ty::{AdtId, AssocTyId, ConstId, FnId, ImplId, StaticId, TraitId};

/// What was written for each item. Indexed like the program's tables.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) fns: Table<FnSrc>,
    pub(crate) adts: Table<AdtSrc>,
    pub(crate) traits: Table<TraitSrc>,
    pub(crate) impls: Table<ImplSrc>,
    pub(crate) consts: Table<ConstSrc>,
    pub(crate) statics: Table<StaticSrc>,
    pub(crate) aliases: Table<AliasSrc>,
    pub(crate) macros: Table<MacroSrc>,
    /// The constructors of tuple structs and variants.
    pub(crate) ctors: RefCell<HashMap<AdtId, Vec<(VariantIdx, FnId)>>>,
    /// The scope of a block that declares items, by the place of its opening brace.
    pub(crate) blocks: RefCell<HashMap<Span, ModId>>,
    /// The items of such a block.
    pub(crate) body_items: RefCell<HashMap<ModId, local::LocalItems>>,
    /// Errors in an item's signature; reported when something needs the item.
    pub(crate) errors: RefCell<HashMap<Def, Vec<Diagnostic>>>,
}

pub(crate) struct FnSrc {
    pub(crate) attrs: Vec<syn::Attribute>,
    pub(crate) sig: syn::Signature,
    pub(crate) block: Option<FnBlock>,
    pub(crate) scope: ModId,
    pub(crate) container: Container,
    pub(crate) vis: Vis,
    /// The constructor of a tuple struct or variant has no source of its own.
    pub(crate) ctor: Option<(AdtId, VariantIdx)>,
}

/// A function's body, parsed or not.
pub(crate) enum FnBlock {
    Parsed(Rc<syn::Block>),
    /// Its braces; parsed when it is asked for.
    Aside(Span, OnceCell<Result<Rc<syn::Block>, Reported>>),
}

pub(crate) enum AdtItem {
    Struct(syn::ItemStruct),
    Enum(syn::ItemEnum),
    Foreign,
}

pub(crate) struct AdtSrc {
    pub(crate) item: AdtItem,
    pub(crate) scope: ModId,
    pub(crate) variants: Vec<Name>,
}

impl AdtSrc {
    pub(crate) fn generics(&self) -> Option<&syn::Generics> {
        match &self.item {
            AdtItem::Struct(s) => Some(&s.generics),
            AdtItem::Enum(e) => Some(&e.generics),
            AdtItem::Foreign => None,
        }
    }
}

pub(crate) struct TraitSrc {
    pub(crate) item: syn::ItemTrait,
    pub(crate) scope: ModId,
    pub(crate) methods: Vec<(Name, FnId)>,
    pub(crate) assoc_tys: Vec<(Name, AssocTyId)>,
    pub(crate) consts: Vec<(Name, ConstId)>,
}

pub(crate) struct ImplSrc {
    pub(crate) item: syn::ItemImpl,
    pub(crate) scope: ModId,
    pub(crate) methods: HashMap<Name, FnId>,
    pub(crate) consts: HashMap<Name, ConstId>,
}

pub(crate) struct ConstSrc {
    pub(crate) name: Name,
    pub(crate) ty: syn::Type,
    pub(crate) expr: Option<Rc<syn::Expr>>,
    pub(crate) scope: ModId,
    pub(crate) container: Container,
    pub(crate) span: Span,
    pub(crate) intrinsic: bool,
}

pub(crate) struct StaticSrc {
    pub(crate) item: syn::ItemStatic,
    pub(crate) expr: Rc<syn::Expr>,
    pub(crate) scope: ModId,
}

pub(crate) struct AliasSrc {
    pub(crate) item: syn::ItemType,
    pub(crate) scope: ModId,
}

pub(crate) struct MacroSrc {
    pub(crate) name: Name,
    pub(crate) rules: Result<Rules, String>,
    pub(crate) span: Span,
}

/// The types that a block declares.
fn type_names(block: &syn::Block) -> Vec<proc_macro2::Ident> {
    let of = |stmt: &syn::Stmt| match stmt {
        syn::Stmt::Item(syn::Item::Struct(s)) => Some(s.ident.clone()),
        syn::Stmt::Item(syn::Item::Enum(e)) => Some(e.ident.clone()),
        _ => None,
    };
    block.stmts.iter().filter_map(of).collect()
}

impl std::hash::Hash for Def {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match *self {
            Def::Fn(i) => i.hash(state),
            Def::Adt(i) => i.hash(state),
            Def::Const(i) => i.hash(state),
            Def::Static(i) => i.hash(state),
            Def::Trait(i) => i.hash(state),
            _ => {}
        }
    }
}

/// Declares items.
pub(crate) struct Collector<'p> {
    pub(crate) prog: &'p Program,
    pub(crate) imports: Vec<Import>,
    pub(crate) impls: Vec<ImplId>,
    origin: Origin,
    depth: u32,
    /// The macros that each module and block defines itself.
    macros: HashSet<(ModId, Name)>,
}

const EXPANSION_LIMIT: u32 = 64;
/// The greatest number of tokens that one use of a macro makes, over all steps.
const MAX_EXPANDED: usize = 200_000;

impl<'p> Collector<'p> {
    pub(crate) fn new(prog: &'p Program, origin: Origin) -> Self {
        Collector { prog, imports: Vec::new(), impls: Vec::new(), origin, depth: 0, macros: HashSet::new() }
    }

    /// Declares what is in a module and those in it.
    pub(crate) fn module(&mut self, id: ModId, module: &Module) {
        if self.origin == Origin::User
            && let Some(token) = module.items.first().and_then(|i| i.to_token_stream().into_iter().next())
        {
            self.prog.scopes.set_start(id, self.prog.sources.span(token.span()));
        }
        self.macros_first(id, &module.items);
        let mut children = module.children.iter();
        for item in &module.items {
            if let syn::Item::Mod(m) = item {
                let Some(child) = children.next() else { continue };
                let vis = self.vis(&m.vis, id);
                let child_id = self.prog.scopes.add(child.name, Some(id), false, self.origin);
                self.prog.scopes.declare(id, Ns::Type, child.name, Def::Mod(child_id), vis);
                self.inherit_macros(id, child_id);
                self.prog.scopes.set_start(child_id, self.prog.sources.span(m.ident.span()));
                self.module(child_id, child);
                if m.attrs.iter().any(|a| a.path().is_ident("macro_use")) {
                    self.inherit_macros(child_id, id);
                }
            } else {
                self.item(id, item.clone());
            }
        }
    }

    /// Macros are textually scoped; within one module ours are known from its beginning, which accepts no less as long as
    /// no name is given twice.
    fn macros_first(&mut self, id: ModId, items: &[syn::Item]) {
        for item in items {
            if let syn::Item::Macro(m) = item
                && m.mac.path.is_ident("macro_rules")
            {
                self.define_macro(id, m);
            }
        }
    }

    fn inherit_macros(&self, from: ModId, to: ModId) {
        for (name, def) in self.prog.scopes.names(from, Ns::Macro) {
            if matches!(def, Def::Macro(_)) {
                self.prog.scopes.declare(to, Ns::Macro, name, def, Vis::In(to));
            }
        }
    }

    fn define_macro(&mut self, id: ModId, m: &syn::ItemMacro) {
        let Some(ident) = &m.ident else { return };
        let name = plain_name(ident);
        let span = self.prog.sources.span(ident.span());
        if !self.macros.insert((id, name)) {
            self.prog.diags.push(
                Diagnostic::new(Code::Macro, span, format!("`{name}!` is defined twice here"))
                    .label("which one a use means would depend on where it stands")
                    .help("give one of them another name"),
            );
            return;
        }
        let library = self.prog.library_of(id).map(|library| crate_marker(&library.name));
        let rules = Rules::parse(m.mac.tokens.clone(), library.as_deref()).map_err(|e| e.to_string());
        let mac = MacroId::new(self.prog.src.macros.push(MacroSrc { name, rules, span }));
        if m.attrs.iter().any(|a| a.path().is_ident("macro_export")) {
            let root = self.prog.scopes.root(id);
            self.prog.scopes.declare(root, Ns::Macro, name, Def::Macro(mac), Vis::Public);
        }
        self.prog.scopes.declare(id, Ns::Macro, name, Def::Macro(mac), Vis::In(id));
    }

    fn vis(&self, vis: &syn::Visibility, scope: ModId) -> Vis {
        let scopes = &self.prog.scopes;
        let module = scopes.module_of(scope);
        match vis {
            syn::Visibility::Public(_) => Vis::Public,
            syn::Visibility::Inherited => Vis::In(module),
            syn::Visibility::Restricted(r) => {
                let first = r.path.segments.first().map(|s| s.ident.to_string()).unwrap_or_default();
                let mut at = match first.as_str() {
                    "self" => module,
                    "super" => scopes.parent(module).unwrap_or(module),
                    _ => scopes.root(module),
                };
                for seg in r.path.segments.iter().skip(1) {
                    at = match scopes.child(at, plain_name(&seg.ident)) {
                        Some(m) => m,
                        None => scopes.parent(at).filter(|_| seg.ident == "super").unwrap_or(at),
                    };
                }
                Vis::In(at)
            }
        }
    }

    fn declare(&self, scope: ModId, ns: Ns, ident: &syn::Ident, def: Def, vis: Vis) {
        self.prog.scopes.declare(scope, ns, plain_name(ident), def, vis);
    }

    /// Declares one item of a module or block.
    fn item(&mut self, scope: ModId, item: syn::Item) {
        match item {
            syn::Item::Fn(f) => {
                let vis = self.vis(&f.vis, scope);
                let ident = f.sig.ident.clone();
                let id = self.function(f.attrs, f.sig, Some(*f.block), scope, Container::Module, vis);
                self.declare(scope, Ns::Value, &ident, Def::Fn(id), vis);
            }
            syn::Item::Struct(s) => self.structure(scope, s),
            syn::Item::Enum(e) => self.enumeration(scope, e),
            syn::Item::Trait(t) => self.trait_item(scope, t),
            syn::Item::Impl(i) => self.impl_item(scope, i),
            syn::Item::Const(c) => {
                let vis = self.vis(&c.vis, scope);
                let ident = c.ident.clone();
                let id = self.constant(&c.ident, *c.ty, Some(*c.expr), scope, Container::Module, &c.attrs);
                if ident != "_" {
                    self.declare(scope, Ns::Value, &ident, Def::Const(id), vis);
                }
            }
            syn::Item::Static(s) => {
                let vis = self.vis(&s.vis, scope);
                let ident = s.ident.clone();
                let expr = Rc::new((*s.expr).clone());
                let id = StaticId::new(self.prog.src.statics.push(StaticSrc { item: s, expr, scope }));
                self.prog.statics.reserve();
                self.declare(scope, Ns::Value, &ident, Def::Static(id), vis);
            }
            syn::Item::Type(t) => {
                let vis = self.vis(&t.vis, scope);
                let ident = t.ident.clone();
                let id = AliasId::new(self.prog.src.aliases.push(AliasSrc { item: t, scope }));
                self.declare(scope, Ns::Type, &ident, Def::Alias(id), vis);
            }
            syn::Item::Use(u) => {
                let vis = self.vis(&u.vis, scope);
                let mut prefix = Vec::new();
                if u.leading_colon.is_some() {
                    prefix.push(Name::new(""));
                }
                self.use_tree(scope, vis, prefix, &u.tree);
            }
            syn::Item::ExternCrate(e) => {
                let name = plain_name(&e.ident);
                if e.attrs.iter().any(|a| a.path().is_ident("macro_use")) {
                    match self.prog.scopes.crate_named(scope, name) {
                        Some(Def::Mod(root)) if self.prog.scopes.origin(root) == Origin::User => {
                            for (name, def) in self.prog.scopes.exported_macros(root) {
                                self.prog.scopes.declare(scope, Ns::Macro, name, def, Vis::In(scope));
                            }
                        }
                        _ => self.prog.unseen_items.set(true),
                    }
                }
                let alias = e.rename.as_ref().map(|(_, i)| plain_name(i)).unwrap_or(name);
                let path = if name == "self" { vec![Name::new("crate")] } else { vec![Name::new(""), name] };
                let vis = self.vis(&e.vis, scope);
                let span = self.prog.sources.span(e.ident.span());
                self.imports.push(Import { module: scope, path, alias: Some(alias), vis, span });
            }
            // a module's own macros are defined before its items
            syn::Item::Macro(m) if m.mac.path.is_ident("macro_rules") && self.prog.scopes.in_body(scope) => {
                self.define_macro(scope, &m);
            }
            syn::Item::Macro(m) if m.mac.path.is_ident("macro_rules") => {}
            syn::Item::Macro(m) => self.macro_items(scope, &m.mac),
            syn::Item::Union(u) => {
                // known by name only; whoever looks into it is told
                let path = Name::new(&format!("{}::{}", self.prog.scopes.path(scope), u.ident));
                let vis = self.vis(&u.vis, scope);
                self.declare(scope, Ns::Type, &u.ident, Def::Foreign(path), vis);
            }
            syn::Item::ForeignMod(f) => {
                for item in f.items {
                    if let syn::ForeignItem::Fn(f) = item {
                        let vis = self.vis(&f.vis, scope);
                        let ident = f.sig.ident.clone();
                        let id = self.function(f.attrs, f.sig, None, scope, Container::Module, vis);
                        self.declare(scope, Ns::Value, &ident, Def::Fn(id), vis);
                    }
                }
            }
            syn::Item::Mod(m) => {
                // a module inside a block
                let vis = self.vis(&m.vis, scope);
                let id = self.prog.scopes.add(plain_name(&m.ident), Some(scope), false, self.origin);
                self.declare(scope, Ns::Type, &m.ident, Def::Mod(id), vis);
                for item in m.content.map(|c| c.1).unwrap_or_default() {
                    self.item(id, item);
                }
            }
            _ => {}
        }
    }

    fn use_tree(&mut self, scope: ModId, vis: Vis, mut prefix: Vec<Name>, tree: &syn::UseTree) {
        let span = self.prog.sources.span(
            tree.to_token_stream().into_iter().next().map_or_else(proc_macro2::Span::call_site, |t| t.span()),
        );
        let mut leaf = |path: Vec<Name>, alias: Option<Name>| {
            self.imports.push(Import { module: scope, path, alias, vis, span });
        };
        match tree {
            syn::UseTree::Path(p) => {
                prefix.push(plain_name(&p.ident));
                self.use_tree(scope, vis, prefix, &p.tree);
            }
            syn::UseTree::Name(n) if n.ident == "self" => {
                let alias = prefix.last().copied();
                leaf(prefix, alias);
            }
            syn::UseTree::Name(n) => {
                let name = plain_name(&n.ident);
                prefix.push(name);
                leaf(prefix, Some(name));
            }
            syn::UseTree::Rename(r) => {
                if r.ident != "self" {
                    prefix.push(plain_name(&r.ident));
                }
                leaf(prefix, Some(plain_name(&r.rename)));
            }
            syn::UseTree::Glob(_) => leaf(prefix, None),
            syn::UseTree::Group(g) => {
                for t in &g.items {
                    self.use_tree(scope, vis, prefix.clone(), t);
                }
            }
        }
    }

    fn function(
        &mut self,
        attrs: Vec<syn::Attribute>,
        sig: syn::Signature,
        block: Option<syn::Block>,
        scope: ModId,
        container: Container,
        vis: Vis,
    ) -> FnId {
        let is_portal = attrs.iter().any(|a| a.path().segments.last().is_some_and(|s| s.ident == "portal"));
        let block = block.map(|block| self.body(block, is_portal, scope));
        self.prog.fns.reserve();
        FnId::new(self.prog.src.fns.push(FnSrc { attrs, sig, block, scope, container, vis, ctor: None }))
    }

    /// A function's body as it was read: some are parsed later.
    fn body(&mut self, block: syn::Block, is_portal: bool, scope: ModId) -> FnBlock {
        let braces = self.prog.sources.span(block.brace_token.span.open());
        let is_aside = self.prog.sources.aside(braces).is_some();
        if is_aside && !is_portal {
            return FnBlock::Aside(braces, OnceCell::new());
        }
        let block = match is_aside {
            // What cannot be parsed is reported, and its function has no statements.
            true => self.prog.parse_aside(braces).unwrap_or(syn::Block { stmts: vec![], ..block }),
            false => block,
        };
        let block = if is_portal { crate::portal::looped(block) } else { block };
        if self.origin == Origin::User {
            self.block_items(scope, &block);
        }
        FnBlock::Parsed(Rc::new(block))
    }

    /// Declares the items of all blocks below a body, each block in a scope of its own.
    fn block_items(&mut self, scope: ModId, block: &syn::Block) {
        let mut found = Blocks { blocks: Vec::new() };
        found.visit_block(block);
        self.blocks(scope, found.blocks);
    }

    fn blocks(&mut self, scope: ModId, blocks: Vec<&syn::Block>) {
        for b in blocks {
            let key = self.prog.sources.span(b.brace_token.span.open());
            let id = self.prog.scopes.add(Name::new("{}"), Some(scope), true, self.origin);
            self.prog.src.blocks.borrow_mut().insert(key, id);
            let mut inner = Blocks { blocks: Vec::new() };
            let types = type_names(b);
            for s in &b.stmts {
                match s {
                    syn::Stmt::Item(i) => {
                        self.prog.src.body_items.borrow_mut().entry(id).or_default().add(i, &types);
                        self.item(id, i.clone());
                    }
                    other => inner.visit_stmt(other),
                }
            }
            self.blocks(id, inner.blocks);
        }
    }

    fn constant(
        &mut self,
        ident: &syn::Ident,
        ty: syn::Type,
        expr: Option<syn::Expr>,
        scope: ModId,
        container: Container,
        attrs: &[syn::Attribute],
    ) -> ConstId {
        self.prog.consts.reserve();
        ConstId::new(self.prog.src.consts.push(ConstSrc {
            name: plain_name(ident),
            ty,
            expr: expr.map(Rc::new),
            scope,
            container,
            span: self.prog.sources.span(ident.span()),
            intrinsic: attrs.iter().any(|a| a.path().is_ident("intrinsic")),
        }))
    }

    fn ctor(&mut self, adt: AdtId, variant: usize, ident: &syn::Ident, scope: ModId, vis: Vis) -> FnId {
        self.prog.fns.reserve();
        let sig: syn::Signature = syn::Signature {
            constness: None,
            asyncness: None,
            safety: syn::Safety::Default,
            abi: None,
            fn_token: Default::default(),
            ident: ident.clone(),
            generics: Default::default(),
            paren_token: Default::default(),
            inputs: Default::default(),
            variadic: None,
            output: syn::ReturnType::Default,
        };
        let variant = VariantIdx::new(variant);
        let id = FnId::new(self.prog.src.fns.push(FnSrc {
            attrs: Vec::new(),
            sig,
            block: None,
            scope,
            container: Container::Module,
            vis,
            ctor: Some((adt, variant)),
        }));
        self.prog.src.ctors.borrow_mut().entry(adt).or_default().push((variant, id));
        id
    }

    fn structure(&mut self, scope: ModId, s: syn::ItemStruct) {
        let vis = self.vis(&s.vis, scope);
        let id = AdtId::new(self.prog.adts.reserve());
        self.prog.src.adts.reserve();
        self.declare(scope, Ns::Type, &s.ident, Def::Adt(id), vis);
        if !matches!(s.fields, syn::Fields::Named(_)) {
            self.declare(scope, Ns::Value, &s.ident, Def::Ctor(id, VariantIdx(0)), vis);
        }
        if matches!(s.fields, syn::Fields::Unnamed(_)) {
            self.ctor(id, 0, &s.ident, scope, vis);
        }
        let input = derive::Input {
            ident: &s.ident,
            generics: &s.generics,
            variants: vec![(None, &s.fields)],
            default: None,
        };
        self.derives(scope, &s.attrs, &input);
        let variants = vec![plain_name(&s.ident)];
        self.prog.src.adts.set(id.index(), AdtSrc { item: AdtItem::Struct(s), scope, variants });
    }

    fn enumeration(&mut self, scope: ModId, e: syn::ItemEnum) {
        let vis = self.vis(&e.vis, scope);
        let id = AdtId::new(self.prog.adts.reserve());
        self.prog.src.adts.reserve();
        self.declare(scope, Ns::Type, &e.ident, Def::Adt(id), vis);
        for (i, v) in e.variants.iter().enumerate() {
            if matches!(v.fields, syn::Fields::Unnamed(_)) {
                self.ctor(id, i, &v.ident, scope, vis);
            }
        }
        let default = |v: &&syn::Variant| v.attrs.iter().any(|a| a.path().is_ident("default"));
        let input = derive::Input {
            ident: &e.ident,
            generics: &e.generics,
            variants: e.variants.iter().map(|v| (Some(&v.ident), &v.fields)).collect(),
            default: e.variants.iter().find(default).map(|v| &v.ident),
        };
        self.derives(scope, &e.attrs, &input);
        let variants = e.variants.iter().map(|v| plain_name(&v.ident)).collect();
        self.prog.src.adts.set(id.index(), AdtSrc { item: AdtItem::Enum(e), scope, variants });
    }

    fn derives(&mut self, scope: ModId, attrs: &[syn::Attribute], input: &derive::Input<'_>) {
        let list = syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated;
        for a in attrs.iter().filter(|a| a.path().is_ident("derive")) {
            let Ok(paths) = a.parse_args_with(list) else { continue };
            for path in paths {
                let Some(last) = path.segments.last() else { continue };
                let Some(tokens) = derive::expand(input, &last.ident.to_string(), last.ident.span()) else {
                    continue;
                };
                // generated from a parsed item, so it parses, unless the item itself is too strange to be Rust
                if let Ok(file) = syn::parse2::<syn::File>(tokens) {
                    file.items.into_iter().for_each(|i| self.item(scope, i));
                }
            }
        }
    }

    fn trait_item(&mut self, scope: ModId, mut t: syn::ItemTrait) {
        let vis = self.vis(&t.vis, scope);
        let id = TraitId::new(self.prog.traits.reserve());
        self.prog.src.traits.reserve();
        self.declare(scope, Ns::Type, &t.ident, Def::Trait(id), vis);
        let container = Container::Trait(id);
        let (mut methods, mut assoc_tys, mut consts) = (Vec::new(), Vec::new(), Vec::new());
        for item in &mut t.items {
            match item {
                syn::TraitItem::Fn(f) => {
                    let name = plain_name(&f.sig.ident);
                    let block = f.default.take();
                    let fid =
                        self.function(f.attrs.clone(), f.sig.clone(), block, scope, container, Vis::Public);
                    methods.push((name, fid));
                }
                syn::TraitItem::Type(t) => {
                    assoc_tys.push((plain_name(&t.ident), AssocTyId::new(self.prog.assoc_tys.reserve())));
                }
                syn::TraitItem::Const(c) => {
                    let default = c.default.take().map(|d| d.1);
                    let cid = self.constant(&c.ident, c.ty.clone(), default, scope, container, &c.attrs);
                    consts.push((plain_name(&c.ident), cid));
                }
                _ => {}
            }
        }
        self.prog.src.traits.set(id.index(), TraitSrc { item: t, scope, methods, assoc_tys, consts });
    }

    fn impl_item(&mut self, scope: ModId, mut i: syn::ItemImpl) {
        let id = ImplId::new(self.prog.impls.reserve());
        self.prog.src.impls.reserve();
        let container = Container::Impl(id);
        let (mut methods, mut consts) = (HashMap::new(), HashMap::new());
        let public = i.trait_.is_some();
        let items = std::mem::take(&mut i.items);
        let mut queue: std::collections::VecDeque<syn::ImplItem> = items.into();
        while let Some(item) = queue.pop_front() {
            match item {
                syn::ImplItem::Fn(f) => {
                    let name = plain_name(&f.sig.ident);
                    let vis = if public { Vis::Public } else { self.vis(&f.vis, scope) };
                    let fid = self.function(f.attrs, f.sig, Some(f.block), scope, container, vis);
                    methods.entry(name).or_insert(fid);
                }
                syn::ImplItem::Const(c) => {
                    let cid = self.constant(&c.ident, c.ty, Some(c.expr), scope, container, &c.attrs);
                    consts.entry(plain_name(&c.ident)).or_insert(cid);
                }
                syn::ImplItem::Macro(m) => {
                    let parse = |s: syn::parse::ParseStream<'_>| {
                        let mut out = Vec::new();
                        while !s.is_empty() {
                            out.push(s.parse::<syn::ImplItem>()?);
                        }
                        Ok(out)
                    };
                    if let Some(tokens) = self.expand(scope, &m.mac) {
                        match parse.parse2(tokens) {
                            Ok(new) => new.into_iter().rev().for_each(|i| queue.push_front(i)),
                            Err(e) => self.bad_expansion(&m.mac, &e),
                        }
                    }
                }
                other => i.items.push(other),
            }
        }
        self.impls.push(id);
        self.prog.src.impls.set(id.index(), ImplSrc { item: i, scope, methods, consts });
    }

    fn macro_items(&mut self, scope: ModId, mac: &syn::Macro) {
        let Some(tokens) = self.expand(scope, mac) else { return };
        match syn::parse2::<syn::File>(tokens) {
            Ok(mut file) => {
                cfg::strip_items(
                    &mut file.items,
                    self.prog.cfg_of(scope),
                    &self.prog.sources,
                    &self.prog.diags,
                );
                self.depth += 1;
                self.macros_first(scope, &file.items);
                file.items.into_iter().for_each(|i| self.item(scope, i));
                self.depth -= 1;
            }
            Err(e) => self.bad_expansion(mac, &e),
        }
    }

    /// Expands a macro of ours in item position. Foreign macros declare nothing we can see.
    fn expand(&mut self, scope: ModId, mac: &syn::Macro) -> Option<TokenStream> {
        if self.depth > EXPANSION_LIMIT {
            let span = self.prog.sources.span(mac.path.segments[0].ident.span());
            self.prog.diags.push(
                Diagnostic::new(Code::Macro, span, "macro expansion does not end")
                    .label(format!("nested {EXPANSION_LIMIT} deep"))
                    .help("a recursive macro needs a rule without recursion"),
            );
            return None;
        }
        match self.prog.find_macro(scope, &mac.path) {
            Some(Def::Macro(id)) => {
                let ident = &mac.path.segments.last()?.ident;
                self.prog.expand_macro(id, mac, self.prog.sources.span(ident.span()))
            }
            _ => {
                if is_glue(&mac.path) {
                    self.prog.scopes.mark_glue(scope);
                } else if !mac.path.is_ident("thread_local") {
                    self.prog.unseen_items.set(true);
                }
                None
            }
        }
    }

    fn bad_expansion(&self, mac: &syn::Macro, e: &syn::Error) {
        let prog = self.prog;
        let span = prog.sources.span(mac.path.segments[0].ident.span());
        prog.diags.push(
            Diagnostic::new(
                Code::Macro,
                span,
                format!("the macro expands to something that is not items: {e}"),
            )
            .label("in this use")
            .related(prog.sources.span(e.span()), "this token does not fit"),
        );
    }
}

/// Whether a macro's path is `metatrace::glue` or, imported, `glue`.
fn is_glue(path: &syn::Path) -> bool {
    let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    matches!(names.iter().map(String::as_str).collect::<Vec<_>>()[..], ["glue"] | ["metatrace", "glue"])
}

/// Finds the outermost blocks that declare items.
struct Blocks<'a> {
    blocks: Vec<&'a syn::Block>,
}

impl<'a> Visit<'a> for Blocks<'a> {
    fn visit_block(&mut self, b: &'a syn::Block) {
        if b.stmts.iter().any(|s| matches!(s, syn::Stmt::Item(_))) {
            self.blocks.push(b);
        } else {
            visit::visit_block(self, b);
        }
    }
}

/// How many tokens there are, brackets' content included.
fn count_tokens(tokens: TokenStream) -> usize {
    let mut open = vec![tokens];
    let mut count = 0;
    while let Some(tokens) = open.pop() {
        for tree in tokens {
            count += 1;
            if let proc_macro2::TokenTree::Group(g) = tree {
                open.push(g.stream());
            }
        }
    }
    count
}

impl Program {
    /// A function's body; none if it is declared without one.
    pub(crate) fn fn_block(&self, id: FnId) -> Option<Result<Rc<syn::Block>, Reported>> {
        Some(match self.src.fns.get(id.index()).block.as_ref()? {
            FnBlock::Parsed(block) => Ok(Rc::clone(block)),
            FnBlock::Aside(braces, made) => {
                made.get_or_init(|| self.parse_aside(*braces).map(Rc::new)).clone()
            }
        })
    }

    /// Whether a body may contain words that belong into portals.
    pub(crate) fn may_mark(&self, id: FnId) -> bool {
        match &self.src.fns.get(id.index()).block {
            Some(FnBlock::Aside(braces, _)) => self.sources.aside(*braces).is_some_and(|body| body.is_marked),
            Some(FnBlock::Parsed(_)) => true,
            None => false,
        }
    }

    /// The text of a function's body, if that was set aside when its file was read.
    pub(crate) fn body_text(&self, id: FnId) -> Option<&str> {
        let braces = match self.src.fns.get(id.index()).block.as_ref()? {
            FnBlock::Aside(braces, _) => *braces,
            FnBlock::Parsed(block) => self.sources.span(block.brace_token.span.open()),
        };
        let body = self.sources.aside(braces)?;
        Some(&self.sources.file(braces.file).text[body.range.clone()])
    }

    /// Parses a body that was set aside.
    fn parse_aside(&self, braces: Span) -> Result<syn::Block, Reported> {
        let body = self.sources.aside(braces).ok_or(Reported)?;
        let text = &self.sources.file(braces.file).text[body.range.clone()];
        let tokens = crate::load::tokens(text, braces.file, braces.lo, &self.sources, &self.diags)?;
        match syn::parse2::<syn::Block>(tokens) {
            Ok(mut block) => {
                cfg::strip_block(&mut block, self.cfg_in(braces.file), &self.sources, &self.diags);
                Ok(block)
            }
            Err(error) => {
                let end =
                    Span { file: braces.file, lo: body.range.end as u32 - 1, hi: body.range.end as u32 };
                crate::load::syntax_errors(error, braces.file, end, &self.sources, &self.diags);
                Err(Reported)
            }
        }
    }

    /// What a macro's path means.
    pub(crate) fn find_macro(&self, scope: ModId, path: &syn::Path) -> Option<Def> {
        let names: Vec<Name> = self.path_names(path);
        self.scopes.lookup(scope, &names, Ns::Macro, &|a, n| self.variant_named(a, n)).map(|r| r.def)
    }

    /// The names of a path, an empty first one for a leading `::`.
    pub(crate) fn path_names(&self, path: &syn::Path) -> Vec<Name> {
        let mut names = Vec::new();
        if path.leading_colon.is_some() {
            names.push(Name::new(""));
        }
        names.extend(path.segments.iter().map(|s| plain_name(&s.ident)));
        names
    }

    /// An enum's variant by name; structs have none.
    pub(crate) fn variant_named(&self, adt: AdtId, name: Name) -> Option<VariantIdx> {
        let src = self.src.adts.get(adt.index());
        match src.item {
            AdtItem::Enum(_) => src.variants.iter().position(|v| *v == name).map(VariantIdx::new),
            _ => None,
        }
    }

    /// Expands a use of one of the crate's macros; errors are reported. Expansions without end are those of the use at `root`.
    pub(crate) fn expand_macro(&self, id: MacroId, mac: &syn::Macro, root: Span) -> Option<TokenStream> {
        let src = self.src.macros.get(id.index());
        let number = self.expansions.get();
        self.expansions.set(number + 1);
        let span = self.sources.span(mac.path.segments.last()?.ident.span());
        match &src.rules {
            Ok(rules) => match rules.expand(mac.tokens.clone(), number) {
                Ok(tokens) => self.within_limits(tokens, root),
                Err(e) => {
                    let at = self.sources.span(e.span());
                    self.diags.push(
                        Diagnostic::new(
                            Code::Macro,
                            span,
                            format!("no rule of `{}!` matches: {e}", src.name),
                        )
                        .label("in this use")
                        .related(at, "here")
                        .related(src.span, "the macro is defined here"),
                    );
                    None
                }
            },
            Err(e) => {
                self.diags.push(
                    Diagnostic::new(Code::Macro, src.span, format!("malformed macro: {e}"))
                        .label("in this definition"),
                );
                None
            }
        }
    }

    /// What a macro made, unless the use at `span` made more than any program wants, or it is too deep.
    fn within_limits(&self, tokens: TokenStream, span: Span) -> Option<TokenStream> {
        let (last, before) = self.expanded_tokens.get();
        let before = if last == Some(span) { before } else { 0 };
        let count = before + count_tokens(tokens.clone());
        self.expanded_tokens.set((Some(span), count));
        if count > MAX_EXPANDED {
            self.diags.push(
                Diagnostic::new(Code::Macro, span, "macro expansion does not end")
                    .label(format!("this has made more than {MAX_EXPANDED} tokens"))
                    .help("a recursive macro needs a rule without recursion"),
            );
            return None;
        }
        if depth::too_deep(tokens.clone()).is_some() {
            self.diags.push(
                Diagnostic::new(Code::TooDeep, span, "this macro makes source that is nested too deeply")
                    .label("in this use")
                    .help("let it make a function for each part"),
            );
            return None;
        }
        Some(tokens)
    }

    /// The hint an attribute stands for, if its path leads into the runtime's crate.
    pub(crate) fn hint_attr(&self, scope: ModId, attr: &syn::Attribute) -> Option<Result<Hint, Diagnostic>> {
        let path = attr.path();
        if path.is_ident("doc") {
            return None;
        }
        match self.find_macro(scope, path)? {
            Def::Hint(name) => Hint::find(&name, HintForm::Attribute).map(Ok),
            Def::Foreign(p) if p.starts_with("metatrace::") => {
                let span = self.sources.span(path.segments.last()?.ident.span());
                let known: Vec<&str> =
                    Hint::ALL.iter().filter(|h| h.form() == HintForm::Attribute).map(|h| h.name()).collect();
                Some(Err(Diagnostic::new(
                    Code::HintUse,
                    span,
                    format!("`{}` is no attribute of metatrace", path.segments.last()?.ident),
                )
                .label("unknown hint")
                .help(format!("the attributes are: {}", known.join(", ")))))
            }
            _ => None,
        }
    }
}
