//! The module tree and name resolution.
//!
//! In: declarations added while items are collected, and imports. Out: [`Scopes::lookup`], which says what a path means
//! in a module. Three namespaces as in Rust (types, values, macros). A path into a crate we have no model of is
//! [`Def::Foreign`]: not an error until something needs to know what it is.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::index_type;
use crate::items::{ModId, Origin};
use crate::names::Name;
use crate::source::Span;
use crate::thir::VariantIdx;
use crate::ty::{AdtId, ConstId, FnId, StaticId, TraitId, Ty};

index_type!(/** A type alias. */ AliasId, "alias");
index_type!(/** A `macro_rules!` macro. */ MacroId, "macro");

/// What a name means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Def {
    /// A module.
    Mod(ModId),
    /// A struct or enum.
    Adt(AdtId),
    /// A trait.
    Trait(TraitId),
    /// A type alias.
    Alias(AliasId),
    /// A primitive type.
    Prim(Ty),
    /// A variant of an enum, as a type-namespace name (for struct patterns and literals).
    Variant(AdtId, VariantIdx),
    /// A function.
    Fn(FnId),
    /// A constant.
    Const(ConstId),
    /// A static.
    Static(StaticId),
    /// The constructor of a tuple or unit struct, or of a variant, as a value.
    Ctor(AdtId, VariantIdx),
    /// A macro of the crate or of a model.
    Macro(MacroId),
    /// A hint of the runtime that is an attribute or a statement macro, by its name in the hint table.
    Hint(Name),
    /// Something in a crate we cannot see, by its path.
    Foreign(Name),
}

/// A namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ns {
    /// Types, traits, modules.
    Type,
    /// Functions, constants, constructors.
    Value,
    /// Macros.
    Macro,
}

const SPACES: [Ns; 3] = [Ns::Type, Ns::Value, Ns::Macro];

/// Where a name may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vis {
    /// Everywhere.
    Public,
    /// In this module and below.
    In(ModId),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    def: Def,
    vis: Vis,
    glob: bool,
}

/// A module or block scope.
#[derive(Debug)]
pub struct Scope {
    /// Its name.
    pub name: Name,
    /// Its path from the crate's root.
    pub path: Name,
    /// The enclosing module or scope.
    pub parent: Option<ModId>,
    /// The scope of a block's items: names not found are looked up in the parent.
    pub block: bool,
    /// Where it is from.
    pub origin: Origin,
    /// Whether `metatrace::glue!()` stands in it.
    pub glue: bool,
    /// Where its first item begins.
    pub start: Option<Span>,
    names: [HashMap<Name, Entry>; 3],
    anonymous_traits: Vec<TraitId>,
}

/// A `use` declaration's leaf.
#[derive(Clone, Debug)]
pub struct Import {
    /// The module it stands in.
    pub module: ModId,
    /// The path, with `crate`, `self`, `super` as written; a leading `::` is an empty first name.
    pub path: Vec<Name>,
    /// The name it introduces; `_` for an anonymous import; `None` for a glob.
    pub alias: Option<Name>,
    /// Its visibility.
    pub vis: Vis,
    /// Where it is written.
    pub span: Span,
}

/// All modules.
#[derive(Default, Debug)]
pub struct Scopes {
    scopes: RefCell<Vec<Scope>>,
    /// Crates that can be named everywhere: modelled ones.
    roots: RefCell<HashMap<Name, ModId>>,
    /// By the root of a crate, the names of others that can be named in it: those of the interpreter.
    crates: RefCell<HashMap<(ModId, Name), ModId>>,
    /// Crates that can be named but not seen, by the root of the crate that can.
    foreign_crates: RefCell<Vec<(ModId, Name)>>,
    /// Paths by which other crates can name items of libraries.
    public: RefCell<HashMap<Def, Name>>,
    prelude: RefCell<Option<ModId>>,
    /// Whether a name that a modelled crate lacks is foreign: false while the models' own imports are resolved.
    foreign_names: Cell<bool>,
}

/// The result of resolving a path: what its first `used` segments mean. Segments left over are associated items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// The meaning.
    pub def: Def,
    /// How many segments it took.
    pub used: usize,
}

impl Scopes {
    /// Adds a scope.
    pub fn add(&self, name: Name, parent: Option<ModId>, block: bool, origin: Origin) -> ModId {
        let path = match parent {
            Some(p) if block => self.path(p),
            Some(p) => Name::new(&format!("{}::{name}", self.path(p))),
            None => name,
        };
        let mut scopes = self.scopes.borrow_mut();
        scopes.push(Scope {
            name,
            path,
            parent,
            block,
            origin,
            glue: false,
            start: None,
            names: Default::default(),
            anonymous_traits: Vec::new(),
        });
        ModId::new(scopes.len() - 1)
    }

    /// Notes where the module's first item begins.
    pub fn set_start(&self, id: ModId, span: Span) {
        self.scopes.borrow_mut()[id.index()].start = Some(span);
    }

    /// Where the module's first item begins, or its name if it has none.
    pub fn start(&self, id: ModId) -> Option<Span> {
        self.scopes.borrow()[id.index()].start
    }

    /// Notes that `metatrace::glue!()` stands in the module.
    pub fn mark_glue(&self, id: ModId) {
        self.scopes.borrow_mut()[id.index()].glue = true;
    }

    /// Whether `metatrace::glue!()` stands in the module.
    pub fn has_glue(&self, id: ModId) -> bool {
        self.scopes.borrow()[id.index()].glue
    }

    /// The modules of an origin, each after the one around it; no scopes of blocks.
    pub fn modules(&self, origin: Origin) -> Vec<ModId> {
        let scopes = self.scopes.borrow();
        let of = |(n, s): (usize, &Scope)| (s.origin == origin && !s.block).then(|| ModId::new(n));
        scopes.iter().enumerate().filter_map(of).collect()
    }

    /// Names a modelled crate.
    pub fn add_root(&self, name: &str, module: ModId) {
        self.roots.borrow_mut().insert(Name::new(name), module);
    }

    /// Names a crate that cannot be seen in the crate of this root.
    pub fn add_foreign_crate(&self, root: ModId, name: &str) {
        self.foreign_crates.borrow_mut().push((root, Name::new(name)));
    }

    /// Names a crate of the interpreter in the crate of this root.
    pub fn add_crate(&self, root: ModId, name: &str, module: ModId) {
        self.crates.borrow_mut().insert((root, Name::new(name)), module);
    }

    /// Finds paths by which other crates can name the items of a library: shortest first, and in the order of names.
    pub fn publish(&self, root: ModId) {
        let mut seen = vec![root];
        let mut open = std::collections::VecDeque::from([(root, self.path(root))]);
        while let Some((module, path)) = open.pop_front() {
            for ns in [Ns::Type, Ns::Value] {
                for (name, def) in self.names(module, ns) {
                    if self.declared_vis(module, ns, name) != Some(Vis::Public) {
                        continue;
                    }
                    let path = Name::new(&format!("{path}::{name}"));
                    match def {
                        Def::Mod(m) if self.root_of(m) == root && !seen.contains(&m) => {
                            seen.push(m);
                            open.push_back((m, path));
                        }
                        _ => _ = self.public.borrow_mut().entry(def).or_insert(path),
                    }
                }
            }
        }
    }

    /// The path by which other crates can name an item of a library.
    pub fn public_path(&self, def: Def) -> Option<Name> {
        self.public.borrow().get(&def).copied()
    }

    /// What a name means that is declared in a scope itself.
    pub fn declared(&self, scope: ModId, ns: Ns, name: Name) -> Option<Def> {
        self.scopes.borrow()[scope.index()].names[ns as usize].get(&name).map(|e| e.def)
    }

    /// The macros that a library exports.
    pub fn exported_macros(&self, root: ModId) -> Vec<(Name, Def)> {
        let exported =
            |(name, _): &(Name, Def)| self.declared_vis(root, Ns::Macro, *name) == Some(Vis::Public);
        self.names(root, Ns::Macro).into_iter().filter(exported).collect()
    }

    /// Sets the module whose public names are known everywhere.
    pub fn set_prelude(&self, module: ModId) {
        *self.prelude.borrow_mut() = Some(module);
    }

    /// The scope's path from the crate's root.
    pub fn path(&self, id: ModId) -> Name {
        self.scopes.borrow()[id.index()].path
    }

    /// Where the scope is from.
    pub fn origin(&self, id: ModId) -> Origin {
        self.scopes.borrow()[id.index()].origin
    }

    /// Whether the scope, or one around it, is a block's.
    pub fn in_body(&self, mut id: ModId) -> bool {
        let scopes = self.scopes.borrow();
        loop {
            let s = &scopes[id.index()];
            match s.parent {
                _ if s.block => return true,
                Some(p) => id = p,
                None => return false,
            }
        }
    }

    /// The enclosing scope.
    pub fn parent(&self, id: ModId) -> Option<ModId> {
        self.scopes.borrow()[id.index()].parent
    }

    /// The nearest module that is no block.
    pub fn module_of(&self, mut id: ModId) -> ModId {
        let scopes = self.scopes.borrow();
        while scopes[id.index()].block {
            match scopes[id.index()].parent {
                Some(p) => id = p,
                None => break,
            }
        }
        id
    }

    fn root_of(&self, mut id: ModId) -> ModId {
        let scopes = self.scopes.borrow();
        while let Some(p) = scopes[id.index()].parent {
            id = p;
        }
        id
    }

    /// Whether a name of visibility `vis` may be used in `from`.
    pub fn visible(&self, vis: Vis, from: ModId) -> bool {
        let Vis::In(limit) = vis else { return true };
        let scopes = self.scopes.borrow();
        let mut at = Some(from);
        while let Some(m) = at {
            if m == limit {
                return true;
            }
            at = scopes[m.index()].parent;
        }
        false
    }

    /// Declares a name. The first declaration stays.
    pub fn declare(&self, module: ModId, ns: Ns, name: Name, def: Def, vis: Vis) {
        let mut scopes = self.scopes.borrow_mut();
        scopes[module.index()].names[ns as usize].entry(name).or_insert(Entry { def, vis, glob: false });
    }

    /// The child module of this name.
    pub fn child(&self, module: ModId, name: Name) -> Option<ModId> {
        match self.scopes.borrow()[module.index()].names[Ns::Type as usize].get(&name) {
            Some(Entry { def: Def::Mod(m), .. }) => Some(*m),
            _ => None,
        }
    }

    /// The outermost module from which an item of `module` can be named: `vis` is its own visibility.
    pub fn reach(&self, module: ModId, vis: Vis) -> ModId {
        let module = self.module_of(module);
        let limit = |vis: Vis, from: ModId| match vis {
            Vis::Public => self.root_of(from),
            Vis::In(m) => self.module_of(m),
        };
        // all are on the way from the module to the root, where inner modules have higher numbers
        let mut reach = limit(vis, module);
        let scopes = self.scopes.borrow();
        let mut at = module;
        while let Some(parent) = scopes[at.index()].parent {
            let found = scopes[parent.index()].names[Ns::Type as usize]
                .values()
                .find(|e| matches!(e.def, Def::Mod(m) if m == at));
            if let Some(Entry { vis: Vis::In(m), .. }) = found {
                reach = reach.max(*m);
            }
            at = parent;
        }
        reach
    }

    /// The visibility of a name where it is declared.
    pub fn declared_vis(&self, module: ModId, ns: Ns, name: Name) -> Option<Vis> {
        self.scopes.borrow()[module.index()].names[ns as usize].get(&name).map(|e| e.vis)
    }

    fn direct(&self, module: ModId, ns: Ns, name: Name, from: ModId) -> Option<Def> {
        let entry = *self.scopes.borrow()[module.index()].names[ns as usize].get(&name)?;
        self.visible(entry.vis, from).then_some(entry.def)
    }

    /// What a single name means in a scope: the scope itself, enclosing blocks, the crates, the prelude.
    pub fn lexical(&self, module: ModId, ns: Ns, name: Name) -> Option<Def> {
        let mut at = module;
        loop {
            if let Some(def) = self.direct(at, ns, name, module) {
                return Some(def);
            }
            let (block, parent) = {
                let s = &self.scopes.borrow()[at.index()];
                (s.block, s.parent)
            };
            match parent {
                Some(p) if block => at = p,
                _ => break,
            }
        }
        if ns == Ns::Type
            && let Some(def) = self.crate_named(module, name)
        {
            return Some(def);
        }
        let prelude = *self.prelude.borrow();
        prelude.and_then(|p| self.direct(p, ns, name, p))
    }

    /// The crate of this name, as code in a scope sees it.
    pub fn crate_named(&self, from: ModId, name: Name) -> Option<Def> {
        let own = self.root_of(from);
        let crates = self.crates.borrow();
        if let Some(&m) = crates.get(&(own, name)).or(self.roots.borrow().get(&name)) {
            return Some(Def::Mod(m));
        }
        self.foreign_crates.borrow().contains(&(own, name)).then_some(Def::Foreign(name))
    }

    /// What a path means. `variant` tells an enum's variants by name. `None` if the first segment, or a segment in a module of
    /// the user's crate, is not found; a name missing in a *modelled* crate is foreign.
    pub fn lookup(
        &self,
        module: ModId,
        path: &[Name],
        ns: Ns,
        variant: &dyn Fn(AdtId, Name) -> Option<VariantIdx>,
    ) -> Option<Resolved> {
        let (&first, mut rest) = path.split_first()?;
        let space = |rest: &[Name]| if rest.is_empty() { ns } else { Ns::Type };
        let mut used = 1;
        let mut def = match first.as_str() {
            "" => {
                let (&name, tail) = rest.split_first()?;
                rest = tail;
                used += 1;
                self.crate_named(module, name)?
            }
            "crate" => Def::Mod(self.root_of(module)),
            "self" if !rest.is_empty() || ns == Ns::Type => Def::Mod(self.module_of(module)),
            "super" => Def::Mod(self.parent(self.module_of(module))?),
            _ => self.lexical(module, space(rest), first)?,
        };
        while let Some((&name, tail)) = rest.split_first() {
            def = match def {
                Def::Mod(m) if name == "super" => Def::Mod(self.parent(m)?),
                Def::Mod(m) if name == "self" => Def::Mod(m),
                Def::Mod(m) => match self.direct(m, space(tail), name, module) {
                    Some(d) => d,
                    None if self.foreign_names.get() && self.origin(m) != Origin::User => {
                        Def::Foreign(Name::new(&format!("{}::{name}", self.path(m))))
                    }
                    None => return None,
                },
                Def::Foreign(p) => Def::Foreign(Name::new(&format!("{p}::{name}"))),
                Def::Adt(id) => match variant(id, name) {
                    Some(v) if space(tail) == Ns::Type => Def::Variant(id, v),
                    Some(v) => Def::Ctor(id, v),
                    None => return Some(Resolved { def, used }),
                },
                _ => return Some(Resolved { def, used }),
            };
            rest = tail;
            used += 1;
        }
        Some(Resolved { def, used })
    }

    /// Says that the models are complete: what they lack is foreign from now on.
    pub fn models_complete(&self) {
        self.foreign_names.set(true);
    }

    /// Resolves all imports, to a fixed point. What stays unresolved becomes foreign by its path: whoever uses the name is told. Gives the
    /// imports whose path begins with nothing that is known.
    pub fn resolve_imports<'i>(
        &self,
        imports: &'i [Import],
        variant: &dyn Fn(AdtId, Name) -> Option<VariantIdx>,
        variants: &dyn Fn(AdtId) -> Vec<Name>,
    ) -> Vec<&'i Import> {
        let mut done = vec![false; imports.len()];
        loop {
            let mut changed = false;
            for (import, done) in imports.iter().zip(&mut done) {
                changed |= self.resolve_import(import, done, variant, variants);
            }
            if !changed {
                break;
            }
        }
        for (import, done) in imports.iter().zip(&done) {
            if let (false, Some(alias)) = (*done, import.alias) {
                let text: Vec<&str> = import.path.iter().map(|n| n.as_str()).collect();
                let def = Def::Foreign(Name::new(&text.join("::")));
                for ns in SPACES {
                    self.declare(import.module, ns, alias, def, import.vis);
                }
            }
        }
        let nowhere = |import: &&Import| {
            let first = if import.path.first().is_some_and(|n| *n == "") { 2 } else { 1 };
            let start = import.path.get(..first).unwrap_or_default();
            // Its own name stands for itself where it could not be resolved.
            let known = |ns| match self.lookup(import.module, start, ns, variant) {
                Some(Resolved { def: Def::Foreign(path), .. }) => {
                    path.contains("::") || self.crate_named(import.module, path).is_some()
                }
                found => found.is_some(),
            };
            !SPACES.into_iter().any(known)
        };
        let open = imports.iter().zip(&done).filter(|(_, done)| !**done).map(|(import, _)| import);
        open.filter(nowhere).collect()
    }

    fn resolve_import(
        &self,
        import: &Import,
        done: &mut bool,
        variant: &dyn Fn(AdtId, Name) -> Option<VariantIdx>,
        variants: &dyn Fn(AdtId) -> Vec<Name>,
    ) -> bool {
        let full = |r: Resolved, n: usize| (r.used == n).then_some(r.def);
        match import.alias {
            Some(alias) => {
                let mut changed = false;
                let found = SPACES.map(|ns| {
                    (ns, self.lookup_import(import, ns, variant).and_then(|r| full(r, import.path.len())))
                });
                let seen = found.iter().any(|(_, d)| !matches!(d, None | Some(Def::Foreign(_))));
                for (ns, def) in found {
                    let Some(def) = def else { continue };
                    // what is known in one namespace is not foreign in another
                    if seen && matches!(def, Def::Foreign(_)) {
                        continue;
                    }
                    *done = true;
                    if alias == "_" {
                        if let Def::Trait(t) = def {
                            let scopes = &mut self.scopes.borrow_mut()[import.module.index()];
                            if !scopes.anonymous_traits.contains(&t) {
                                scopes.anonymous_traits.push(t);
                            }
                        }
                        continue;
                    }
                    let entry = Entry { def, vis: import.vis, glob: false };
                    changed |= self.import_entry(import.module, ns, alias, entry);
                }
                changed
            }
            None => {
                let target =
                    self.lookup_import(import, Ns::Type, variant).and_then(|r| full(r, import.path.len()));
                let mut changed = false;
                match target {
                    Some(Def::Mod(m)) => {
                        *done = true;
                        for ns in SPACES {
                            let entries: Vec<(Name, Entry)> = self.scopes.borrow()[m.index()].names
                                [ns as usize]
                                .iter()
                                .map(|(n, e)| (*n, *e))
                                .collect();
                            for (name, e) in entries {
                                if self.visible(e.vis, import.module) && m != import.module {
                                    let entry = Entry { def: e.def, vis: import.vis, glob: true };
                                    changed |= self.import_entry(import.module, ns, name, entry);
                                }
                            }
                        }
                    }
                    Some(Def::Adt(id)) => {
                        *done = true;
                        for (i, name) in variants(id).into_iter().enumerate() {
                            let v = VariantIdx::new(i);
                            let (t, c) = (Def::Variant(id, v), Def::Ctor(id, v));
                            for (ns, def) in [(Ns::Type, t), (Ns::Value, c)] {
                                let entry = Entry { def, vis: import.vis, glob: true };
                                changed |= self.import_entry(import.module, ns, name, entry);
                            }
                        }
                    }
                    _ => {}
                }
                changed
            }
        }
    }

    /// An import's path is looked up without the name it introduces itself: `use tape::tape` and the like.
    fn lookup_import(
        &self,
        import: &Import,
        ns: Ns,
        variant: &dyn Fn(AdtId, Name) -> Option<VariantIdx>,
    ) -> Option<Resolved> {
        self.lookup(import.module, &import.path, ns, variant)
    }

    fn import_entry(&self, module: ModId, ns: Ns, name: Name, entry: Entry) -> bool {
        let mut scopes = self.scopes.borrow_mut();
        let names = &mut scopes[module.index()].names[ns as usize];
        match names.get(&name) {
            None => {
                names.insert(name, entry);
                true
            }
            // an explicit name shadows a glob's
            Some(old) if old.glob && !entry.glob => {
                names.insert(name, entry);
                true
            }
            Some(_) => false,
        }
    }

    /// The traits whose methods may be called by name in a scope.
    pub fn traits_in_scope(&self, module: ModId) -> Vec<TraitId> {
        let mut out = Vec::new();
        let scopes = self.scopes.borrow();
        let mut add = |s: &Scope| {
            let named = s.names[Ns::Type as usize].values().filter_map(|e| match e.def {
                Def::Trait(t) => Some(t),
                _ => None,
            });
            for t in named.chain(s.anonymous_traits.iter().copied()) {
                if !out.contains(&t) {
                    out.push(t);
                }
            }
        };
        let mut at = module;
        loop {
            let s = &scopes[at.index()];
            add(s);
            match s.parent {
                Some(p) if s.block => at = p,
                _ => break,
            }
        }
        if let Some(p) = *self.prelude.borrow() {
            add(&scopes[p.index()]);
        }
        out.sort();
        out
    }
}

impl Scopes {
    /// The names a scope declares in a namespace, in alphabetical order.
    pub fn names(&self, id: ModId, ns: Ns) -> Vec<(Name, Def)> {
        let mut all: Vec<(Name, Def)> =
            self.scopes.borrow()[id.index()].names[ns as usize].iter().map(|(n, e)| (*n, e.def)).collect();
        all.sort_by_key(|(n, _)| *n);
        all
    }

    /// The root of the crate the scope belongs to.
    pub fn root(&self, id: ModId) -> ModId {
        self.root_of(id)
    }
}
