//! Lowering: from typed bodies to flow graphs, instance by instance, beginning with the portals.
//!
//! In: a loaded [`Program`]. Out: a [`flow::Program`] that holds the portals and all that they reach, each function once
//! per set of generic arguments, verified in debug builds.
//!
//! - [`types`] says what types are in the graph, and how Rust spells them;
//! - [`escape`] finds out which variables need an address;
//! - [`build`] makes SSA form, `crate::flow::simplify` makes it small;
//! - [`func`] sets up a function; [`expr`], [`cond`], [`place`], [`matching`], [`arith`], [`call`], [`intrinsic`] lower
//!   what stands in it; [`scope`] and [`glue`] run drops;
//! - [`dispatch`] makes the functions that call what is behind a trait object or function pointer;
//! - [`native`] makes the native helpers and load-time values that graphs refer to.
//!
//! A construct that cannot be lowered faithfully makes its function one that is called instead of entered, with a note
//! that shows the call chain; where that is impossible (a portal, a closure, a function of the core model) it is an
//! error. Nothing is left out or guessed.

mod arith;
mod build;
pub mod cache;
mod call;
mod cond;
mod dispatch;
mod escape;
mod expr;
mod func;
mod glue;
mod intrinsic;
mod local;
mod matching;
mod native;
mod place;
mod queries;
mod scope;

mod types;

use crate::diag::{Code, Diagnostic, chain_text};
use crate::flow::types::TypeId;
use crate::flow::{
    self, ExternId, Func, FuncAttrs, FuncId, Graph, LoadTimeId, Module, ModuleId, Note, PortalId, Pos,
};
use crate::items::{Container, FnKind, ModId, Origin};
use crate::lower::cache::{Cache, Log};
use crate::lower::escape::BodyInfo;
use crate::program::{Program, Reported};
use crate::source::Span;
use crate::thir::{Body, BodyOwner};
use crate::ty::{AdtId, Args, ClosureId, ClosureKind, FnId, Ty};
use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::rc::Rc;

/// Why a body is not lowered.
#[derive(Clone, Debug)]
enum Stop {
    /// It contains something that is not supported.
    Unsupported {
        span: Span,
        /// What, in one line.
        message: String,
        /// What to write instead.
        help: String,
    },
    /// It is in the diagnostics already.
    Reported,
}

impl From<Reported> for Stop {
    fn from(_: Reported) -> Stop {
        Stop::Reported
    }
}

/// More instances than any interpreter has.
const MAX_INSTANCES: usize = 50_000;

type Result<T> = std::result::Result<T, Stop>;

fn unsupported<T>(span: Span, message: impl Into<String>, help: impl Into<String>) -> Result<T> {
    Err(Stop::Unsupported { span, message: message.into(), help: help.into() })
}

/// What a function instance is an instance of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Key {
    Fn(FnId, Args),
    /// A closure's body; the environment is passed as the kind says.
    Closure(ClosureId, Args, ClosureKind),
    /// The dispatcher for a method of a trait object.
    Virtual(FnId, Args),
    /// The dispatcher for function pointers of a type.
    Pointer(Ty),
}

/// What is known while a program is lowered.
struct Cx<'p> {
    program: &'p Program,
    out: flow::Program,
    instances: HashMap<Key, FuncId>,
    /// The key of each function, and who asked for it first.
    keys: Vec<(Key, Option<FuncId>)>,
    queue: VecDeque<FuncId>,
    types: HashMap<Ty, TypeId>,
    closures: HashMap<Ty, u32>,
    /// The user's types whose fields are being made, the outermost first.
    open_types: Vec<AdtId>,
    modules: HashMap<ModId, ModuleId>,
    /// The root of the crate with the portals.
    home: ModuleId,
    externs: HashMap<(String, ModuleId, Vec<TypeId>), ExternId>,
    load_times: HashMap<(String, ModuleId), LoadTimeId>,
    infos: HashMap<BodyOwner, Rc<BodyInfo>>,
    cache: Cache,
    /// What the body that is being lowered asks for, if that is to be kept.
    log: Option<Log>,
}

/// Lowers everything that the program's portals reach. `name` is the crate's, `hash` that of all source text; paths of
/// files are given relative to `base`.
///
/// # Errors
/// [`Reported`] if something is refused; the program's diagnostics say what.
pub fn lower(
    program: &Program,
    name: &str,
    hash: u64,
    base: &Path,
) -> std::result::Result<flow::Program, Reported> {
    lower_with(program, name, hash, base, &mut Cache::off())
}

/// The same with graphs that are kept between translations.
///
/// # Errors
/// As [`lower`].
pub fn lower_with(
    program: &Program,
    name: &str,
    hash: u64,
    base: &Path,
    cache: &mut Cache,
) -> std::result::Result<flow::Program, Reported> {
    let out = flow::Program {
        name: name.to_string(),
        hash,
        files: program.sources().files().map(|(_, f)| relative(&f.path, base)).collect(),
        ..flow::Program::default()
    };
    let mut cx = Cx::new(program, out);
    std::mem::swap(&mut cx.cache, cache);
    cx.add_crates();
    cx.add_modules();
    cx.add_statics();
    for portal in program.portals().to_vec() {
        cx.add_portal(&portal);
    }
    cx.run();
    cx.add_unreached();
    std::mem::swap(&mut cx.cache, cache);
    if !program.diagnostics().is_empty() {
        program.keep_notes(&cx.out.notes);
        return Err(Reported);
    }
    // Kept graphs were verified when they were made.
    let is_new = cfg!(debug_assertions) && cache.counts().0 == 0;
    let errors = if is_new { flow::verify::program(&cx.out) } else { Vec::new() };
    if !errors.is_empty() {
        let text = flow::print::program(&cx.out, flow::print::Style::default());
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("lowering made a broken program:\n{}\n{text}", errors.join("\n"));
    }
    Ok(cx.out)
}

/// Lowers every function of the user's crate that has no generic parameters, and what they reach, as if portals called them. For tests.
pub fn lower_functions(program: &Program) {
    let mut cx = Cx::new(program, flow::Program { name: "guest".to_string(), ..flow::Program::default() });
    cx.add_modules();
    cx.add_statics();
    for id in (0..program.fn_count()).map(FnId::new) {
        let def = program.fn_def(id);
        let plain =
            def.origin == Origin::User && def.kind == FnKind::Source && def.generics.params.is_empty();
        if plain && !program.report_item(crate::resolve::Def::Fn(id)) {
            cx.instance(Key::Fn(id, &[]), None);
        }
    }
    cx.run();
}

impl<'p> Cx<'p> {
    fn new(program: &'p Program, out: flow::Program) -> Cx<'p> {
        Cx {
            program,
            out,
            instances: HashMap::new(),
            keys: Vec::new(),
            queue: VecDeque::new(),
            types: HashMap::new(),
            closures: HashMap::new(),
            open_types: Vec::new(),
            modules: HashMap::new(),
            home: ModuleId(0),
            externs: HashMap::new(),
            load_times: HashMap::new(),
            infos: HashMap::new(),
            cache: Cache::off(),
            log: None,
        }
    }

    fn add_unreached(&mut self) {
        let reached: HashSet<FnId> = self
            .instances
            .keys()
            .filter_map(|key| match *key {
                Key::Fn(id, _) => Some(id),
                _ => None,
            })
            .collect();
        for id in (0..self.program.fn_count()).map(FnId::new).filter(|id| !reached.contains(id)) {
            if !self.program.is_users(id) {
                continue;
            }
            let def = self.program.fn_def(id);
            if def.origin == Origin::User && def.kind == FnKind::Source {
                self.out.unreached.push((def.path.to_string(), self.pos(def.span)));
            }
        }
    }

    /// Lowers what is asked for, and what that asks for.
    fn run(&mut self) {
        while let Some(id) = self.queue.pop_front() {
            self.lower_instance(id);
        }
        self.look_behind_errors();
    }
}

impl Cx<'_> {
    /// The user's modules, each after the one around it.
    fn add_modules(&mut self) {
        let scopes = &self.program.scopes;
        for module in self.program.user_modules() {
            let id = ModuleId::new(self.out.modules.len());
            if scopes.parent(module).is_none() {
                // That of the crate with the portal is the last.
                self.home = id;
            }
            self.out.modules.push(Module {
                path: self.module_path(&scopes.path(module)),
                parent: scopes.parent(module).and_then(|p| self.modules.get(&p).copied()),
                has_glue: scopes.has_glue(module),
                pos: scopes.start(module).map(|span| self.pos(span)).unwrap_or_default(),
            });
            self.modules.insert(module, id);
        }
    }

    /// The path of a module as `module_path!()` tells it.
    fn module_path(&self, path: &str) -> String {
        match path.strip_prefix("crate") {
            Some(rest) => format!("{}{rest}", self.out.name),
            None => path.to_string(),
        }
    }

    /// Says which crates there are, if there are several.
    fn add_crates(&mut self) {
        let libraries = &self.program.libraries;
        if libraries.is_empty() {
            return;
        }
        let mut reached: Vec<Vec<(String, String)>> = Vec::new();
        let own = (self.out.name.as_str(), &self.program.names, &Vec::new());
        for (name, names, features) in
            libraries.iter().map(|l| (l.name.as_str(), &l.names, &l.features)).chain([own])
        {
            let mut uses: Vec<(String, String)> = Vec::new();
            for (alias, index) in names {
                let of = (libraries[*index].name.clone(), format!("::{alias}"));
                uses.retain(|(name, _)| *name != of.0);
                uses.push(of);
                // Those that a library uses are reached through its glue.
                for (name, _) in &reached[*index] {
                    if !uses.iter().any(|(known, _)| known == name) {
                        uses.push((name.clone(), format!("::{alias}::__metatrace::{name}")));
                    }
                }
            }
            reached.push(uses.clone());
            self.out.crates.push(flow::Crate { name: name.to_string(), uses, features: features.clone() });
        }
        self.out.types.libraries = libraries.iter().map(|library| library.name.clone()).collect();
    }

    fn add_statics(&mut self) {
        for (_, def) in self.program.statics() {
            if def.origin == Origin::User {
                let (name, ty) = (def.path.to_string(), self.ty(def.ty));
                self.out.statics.push(flow::Static { name, ty, mutable: def.mutable });
            }
        }
    }

    fn add_portal(&mut self, portal: &crate::items::Portal) {
        let def = self.program.fn_def(portal.id);
        let func = self.instance(Key::Fn(portal.id, &[]), None);
        let name = portal_name(portal).unwrap_or_else(|| def.name.to_string());
        let method_of = match def.container {
            Container::Impl(id) if def.has_self => {
                Some(self.spell(self.program.normalize(self.program.impl_def(id).self_ty)))
            }
            _ => None,
        };
        self.out.portals.push(flow::Portal {
            name,
            ident: def.name.to_string(),
            method_of,
            func,
            params: def.param_names.iter().map(ToString::to_string).collect(),
            greens: portal.greens.clone(),
            owner: portal.owner,
        });
    }

    fn portal_of(&self, id: FuncId) -> Option<PortalId> {
        self.out.portals.iter().position(|p| p.func == id).map(PortalId::new)
    }

    fn pos(&self, span: Span) -> Pos {
        let at = self.program.sources().line_col(span);
        Pos { file: span.file.0, line: at.line, column: at.column }
    }

    /// The function for an instance; it is lowered when its turn comes.
    fn instance(&mut self, key: Key, caller: Option<FuncId>) -> FuncId {
        let log = self.log.take();
        let id = self.find_instance(key, caller);
        self.log = log;
        self.log.iter_mut().for_each(|log| log.func(key, id));
        id
    }

    fn find_instance(&mut self, key: Key, caller: Option<FuncId>) -> FuncId {
        if let Some(&id) = self.instances.get(&key) {
            return id;
        }
        let func = match key {
            Key::Fn(id, args) => self.fn_header(id, args),
            Key::Closure(id, args, via) => self.closure_header(id, args, via),
            Key::Virtual(id, args) => match self.virtual_header(id, args) {
                Some(func) => func,
                None => panic!("a dispatcher that native code cannot stand for"),
            },
            Key::Pointer(ty) => self.pointer_header(ty),
        };
        let id = FuncId::new(self.out.funcs.len());
        self.out.funcs.push(func);
        self.keys.push((key, caller));
        self.instances.insert(key, id);
        self.queue.push_back(id);
        id
    }

    fn fn_header(&mut self, id: FnId, args: Args) -> Func {
        self.program.report_item(crate::resolve::Def::Fn(id));
        let def = self.program.fn_def(id);
        let sig = def.sig.subst(args);
        let takes_closure = args.iter().any(|&a| !self.can_spell(a));
        let nameable =
            sig.params.iter().chain([&sig.result]).all(|&t| self.can_spell(self.program.normalize(t)));
        let rust = if def.origin == Origin::User && nameable { self.spell_fn(id, args) } else { None };
        Func {
            name: self.name_fn(id, args),
            rust,
            module: self.module_of_fn(id, args),
            params: self.tys(&sig.params),
            ret: self.ty(sig.result),
            attrs: FuncAttrs {
                elidable: def.has_hint("elidable"),
                dont_look_inside: def.has_hint("dont_look_inside") || def.has_hint("reads_only"),
                reads_only: def.has_hint("reads_only"),
                unroll_safe: def.has_hint("unroll_safe")
                    || def.has_hint("look_inside_iff")
                    || takes_closure && !args.is_empty()
                    || def.origin != Origin::User,
                loop_invariant: def.has_hint("loop_invariant"),
                not_in_trace: def.has_hint("not_in_trace"),
                conditional: false,
            },
            pos: self.pos(def.span),
            body: Err("not lowered".to_string()),
        }
    }

    /// A function instance for people.
    pub(crate) fn name_fn(&self, id: FnId, args: Args) -> String {
        let def = self.program.fn_def(id);
        if let Some(text) = self.spell_fn(id, args).filter(|_| !def.in_body) {
            return text;
        }
        let args: Vec<String> = args.iter().map(|&a| self.spell(a)).collect();
        if args.is_empty() { def.path.to_string() } else { format!("{}::<{}>", def.path, args.join(", ")) }
    }

    fn closure_header(&mut self, id: ClosureId, args: Args, via: ClosureKind) -> Func {
        let ty = Ty::new(crate::ty::TyKind::Closure(id, args));
        let env = self.ty(ty);
        let env = match via {
            ClosureKind::Fn => self.ref_to(env, false),
            ClosureKind::FnMut => self.ref_to(env, true),
            ClosureKind::FnOnce => env,
        };
        let (params, result) = self.program.closure_signature(id, args);
        let mut all = vec![env];
        all.extend(self.tys(&params));
        let number = self.closures.get(&ty).copied().unwrap_or_default();
        let kind = match via {
            ClosureKind::Fn => "",
            ClosureKind::FnMut => " by &mut",
            ClosureKind::FnOnce => " by value",
        };
        Func {
            name: format!("closure{number}{kind}"),
            rust: None,
            module: ModuleId(0),
            params: all,
            ret: self.ty(result),
            attrs: FuncAttrs { unroll_safe: true, ..FuncAttrs::default() },
            pos: self.closure_pos(id),
            body: Err("not lowered".to_string()),
        }
    }

    fn body_info(&mut self, body: &Body) -> Rc<BodyInfo> {
        Rc::clone(self.infos.entry(body.owner).or_insert_with(|| Rc::new(BodyInfo::of(body))))
    }

    // ---- lowering one instance ----------------------------------------------------------------------------------

    fn lower_instance(&mut self, id: FuncId) {
        let key = self.keys[id.index()].0;
        if self.is_endless(key) {
            self.out.funcs[id.index()].body = Err("it is too deep".to_string());
            return;
        }
        let _context = Context(self.chain(id));
        if let Some(reason) = self.why_closed(id, key) {
            self.out.funcs[id.index()].body = Err(reason);
            return;
        }
        if let Some(graph) = self.reuse(id, key) {
            self.out.funcs[id.index()].body = Ok(graph);
            return;
        }
        let result = self.graph_of(id, key);
        match result {
            Ok(graph) => {
                self.out.funcs[id.index()].body = Ok(graph);
                self.check(id);
            }
            Err(Stop::Reported) if self.is_beyond_limits(id, key) => self.call_instead(id, key),
            Err(Stop::Reported) => self.out.funcs[id.index()].body = Err("it has errors".to_string()),
            Err(Stop::Unsupported { span, message, help }) => self.refuse(id, span, message, help),
        }
    }

    /// Reports a function or type of which there are instances without end.
    fn endless(&self, span: Span, path: &str) {
        self.program.diagnostics().push(
            Diagnostic::new(Code::TooDeep, span, format!("there is no end of instances of `{path}`"))
                .label("each uses itself with other, larger types")
                .help("pass what grows as a value, or through a reference to a `dyn` type"),
        );
    }

    /// Whether an instance is one of an endless series.
    fn is_endless(&self, key: Key) -> bool {
        let args: Args = match key {
            Key::Fn(_, args) | Key::Closure(_, args, _) | Key::Virtual(_, args) => args,
            Key::Pointer(_) => &[],
        };
        let endless = args.iter().any(|ty| ty.is_endless()) || self.out.funcs.len() > MAX_INSTANCES;
        if endless && let Key::Fn(id, _) = key {
            let def = self.program.fn_def(id);
            self.endless(def.span, &def.path);
        }
        endless
    }

    /// Refuses a body that works with values of endless types.
    fn ends(&self, body: &Body, args: Args) -> Result<()> {
        let expr = body.exprs.iter().find(|e| !args.is_empty() && e.ty.subst(args).is_endless());
        let Some(expr) = expr else { return Ok(()) };
        let (span, path) = match body.owner {
            BodyOwner::Fn(id) => (self.program.fn_def(id).span, self.program.fn_def(id).path),
            _ => (expr.span, crate::names::Name::new("this type")),
        };
        self.endless(span, &path);
        Err(Stop::Reported)
    }

    /// Why a function is not even looked at.
    fn why_closed(&self, id: FuncId, key: Key) -> Option<String> {
        let Key::Fn(fn_id, _) = key else { return None };
        let def = self.program.fn_def(fn_id);
        let attrs = self.out.func(id).attrs;
        match def.kind {
            _ if attrs.reads_only => Some("marked `reads_only`".to_string()),
            _ if attrs.dont_look_inside => Some("marked `dont_look_inside`".to_string()),
            _ if attrs.elidable => Some("marked `elidable`".to_string()),
            _ if attrs.loop_invariant => Some("marked `loop_invariant`".to_string()),
            _ if attrs.not_in_trace => Some("marked `not_in_trace`".to_string()),
            FnKind::Source => None,
            _ => Some("it has no body".to_string()),
        }
    }

    fn graph_of(&mut self, id: FuncId, key: Key) -> Result<Graph> {
        self.start_log();
        let before = (self.out.notes.len(), self.program.diagnostics().len());
        let graph = self.make_graph(id, key);
        let log = self.log.take();
        if let (Ok(graph), Some(log)) = (&graph, log)
            && before == (self.out.notes.len(), self.program.diagnostics().len())
        {
            self.keep(key, graph, log);
        }
        graph
    }

    fn make_graph(&mut self, id: FuncId, key: Key) -> Result<Graph> {
        match key {
            Key::Fn(fn_id, args) => {
                let body = self.program.body(fn_id)?;
                self.ends(&body, args)?;
                func::lower_fn(self, id, body, args)
            }
            Key::Closure(closure, args, via) => {
                let body = self.program.closure_body(closure)?;
                self.ends(&body, args)?;
                func::lower_closure(self, id, body, closure, args, via)
            }
            Key::Virtual(method, args) => Ok(self.virtual_graph(id, method, args)),
            Key::Pointer(ty) => Ok(self.pointer_graph(id, ty)),
        }
    }

    /// Looks for errors in the functions that are reached only through functions with errors, so that all come together.
    fn look_behind_errors(&self) {
        let with_errors = |key: &Key| match *key {
            Key::Fn(id, _) if self.program.body_calls(id).is_some() => Some(id),
            _ => None,
        };
        let mut open: Vec<FnId> = self.keys.iter().filter_map(|(key, _)| with_errors(key)).collect();
        open.extend(self.program.broken_portals.borrow().iter());
        let mut seen: HashSet<FnId> = self
            .instances
            .keys()
            .filter_map(|key| match *key {
                Key::Fn(id, _) => Some(id),
                _ => None,
            })
            .collect();
        while let Some(id) = open.pop() {
            let called = match self.program.body(id) {
                Ok(body) => body.called(),
                Err(Reported) => self.program.body_calls(id).unwrap_or_default(),
            };
            for id in called {
                let def = self.program.fn_def(id);
                let closed = ["dont_look_inside", "reads_only", "elidable", "loop_invariant", "not_in_trace"]
                    .iter()
                    .any(|h| def.has_hint(h));
                if def.origin == Origin::User && def.kind == FnKind::Source && !closed && seen.insert(id) {
                    open.push(id);
                }
            }
        }
    }

    fn check(&self, id: FuncId) {
        if !cfg!(debug_assertions) {
            return;
        }
        let errors = flow::verify::func(&self.out, id);
        if let Some(error) = errors.first() {
            let text = flow::print::func(&self.out, id, flow::print::Style { without_positions: true });
            panic!("lowering made a broken graph: {error}\n{text}");
        }
    }

    /// Whether a function with errors can be called, and all that is wrong is that it cannot be followed.
    fn is_beyond_limits(&self, id: FuncId, key: Key) -> bool {
        let Key::Fn(fn_id, _) = key else { return false };
        let unseen = self.program.unseen_items.get();
        let errors = self.program.errors_of_failed.borrow();
        let errors = errors.get(&BodyOwner::Fn(fn_id)).map_or(&[][..], Vec::as_slice);
        let callable = self.out.func(id).rust.is_some() && self.portal_of(id).is_none();
        callable && !errors.is_empty() && errors.iter().all(|e| e.code.is_limit(unseen))
    }

    /// Makes a function that was not understood one that is called, with a warning in place of its errors.
    fn call_instead(&mut self, id: FuncId, key: Key) {
        let Key::Fn(fn_id, _) = key else { return };
        let owner = BodyOwner::Fn(fn_id);
        let errors = self.program.errors_of_failed.borrow().get(&owner).cloned().unwrap_or_default();
        self.program.diagnostics().take_back(&errors);
        self.program.calls_of_failed.borrow_mut().remove(&owner);
        for error in errors {
            let span = error.span.unwrap_or(self.program.fn_def(fn_id).span);
            self.refuse(id, span, error.message, error.help.unwrap_or_default());
        }
    }

    /// A function that cannot be entered: it is called, if that is possible.
    fn refuse(&mut self, id: FuncId, span: Span, message: String, help: String) {
        let chain = self.chain(id);
        let func = self.out.func(id);
        let callable = func.rust.is_some() && self.portal_of(id).is_none();
        if callable {
            let subject = func.name.clone();
            let pos = self.pos(span);
            self.out.funcs[id.index()].body = Err(message.clone());
            let message = format!("`{subject}` is called, not looked inside: {message}");
            let width = span.hi - span.lo;
            self.out.notes.push(Note { code: Code::Called, subject, message, help, pos, width, chain });
            return;
        }
        self.out.funcs[id.index()].body = Err(message.clone());
        if self.portal_of(id).is_none() {
            // Code without a name: what calls it is called, as far as that has a name, or a portal that cannot be traced.
            return;
        }
        let why_not_called = "in a portal, which is always looked inside";
        let mut error = Diagnostic::new(Code::Unsupported, span, message).label(why_not_called).help(help);
        if chain.len() > 1 {
            error = error.note(format!("the portal reaches it through {}", chain_text(&chain)));
        }
        self.program.diagnostics().push(error);
    }

    /// How the portal reaches a function, portal first.
    fn chain(&self, id: FuncId) -> Vec<String> {
        let mut chain = vec![self.out.func(id).name.clone()];
        let mut at = id;
        while let Some(caller) = self.keys[at.index()].1 {
            chain.push(self.out.func(caller).name.clone());
            at = caller;
        }
        chain.reverse();
        chain
    }
}

/// Says which function is being lowered when a bug of ours panics.
struct Context(Vec<String>);

impl Drop for Context {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("while lowering {}", self.0.join(" → "));
        }
    }
}

fn relative(path: &Path, base: &Path) -> String {
    path.strip_prefix(base).unwrap_or(path).display().to_string()
}

/// The option `name` of a portal, a string.
fn portal_name(portal: &crate::items::Portal) -> Option<String> {
    let (_, tokens) = portal.options.iter().find(|(name, _)| *name == "name")?;
    syn::parse2::<syn::LitStr>(tokens.clone()).ok().map(|lit| lit.value())
}
