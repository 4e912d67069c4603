//! Loading a program: sources, items, signatures, portals. The pipeline of the front end on one page.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use metatrace_defs::hint::{Hint, HintForm};

use crate::collect::Collector;
use crate::diag::{Code, Diagnostic};
use crate::expand::crate_marker;
use crate::items::{ModId, Origin};
use crate::load::cfg::Cfg;
use crate::load::manifest::ManifestError;
use crate::load::packages::{Library, Packages, packages};
use crate::load::{Files, Loader, Manifest};
use crate::names::Name;
use crate::program::{LibraryCrate, Program};
use crate::resolve::{Def, Import, Ns, Vis};
use crate::source::Span;

macro_rules! model {
    ($($name:literal),* $(,)?) => {
        &[$((concat!("core_model/", $name), include_str!(concat!("../core_model/", $name)))),*]
    };
}

const MODEL: &[(&str, &str)] = model![
    "std.rs",
    "array.rs",
    "boxed.rs",
    "cell.rs",
    "char.rs",
    "clone.rs",
    "cmp.rs",
    "collections.rs",
    "convert.rs",
    "iter.rs",
    "iter/adapters.rs",
    "iter/sources.rs",
    "mem.rs",
    "num.rs",
    "ops.rs",
    "option.rs",
    "ptr.rs",
    "rc.rs",
    "result.rs",
    "slice.rs",
    "str.rs",
    "string.rs",
    "vec.rs",
    "metatrace.rs",
];

/// A crate to be translated.
pub struct Input {
    /// Where its texts come from.
    pub files: Files,
    /// The root file.
    pub root: PathBuf,
    /// The conditions that hold in the build.
    pub cfg: Cfg,
    /// Its edition as a year.
    pub edition: u32,
    /// Names of other crates it can reach, apart from the standard ones and `metatrace`.
    pub extern_crates: Vec<String>,
    /// The libraries that it is spread over.
    pub packages: Packages,
}

impl Input {
    /// A crate of one text, for tests and experiments.
    pub fn text(source: &str) -> Input {
        let root = PathBuf::from("src/lib.rs");
        let files = Files::Memory(HashMap::from([(root.clone(), source.to_string())]));
        Input {
            files,
            root,
            cfg: Cfg::default(),
            edition: 2024,
            extern_crates: Vec::new(),
            packages: Packages::default(),
        }
    }
}

impl Program {
    /// Loads the package in `dir`: of its crates the first that has a portal, the library before binaries. Errors are in
    /// [`Program::diagnostics`].
    pub fn load_package(dir: &Path, cfg: &Cfg) -> Program {
        Program::load_package_from(&Files::Disk, dir, cfg)
    }

    /// The same for a package whose texts may be in memory.
    pub fn load_package_from(files: &Files, dir: &Path, cfg: &Cfg) -> Program {
        let manifest = match Manifest::read(dir, files) {
            Ok(m) => m,
            Err(error) => return Program::without_manifest(dir, error),
        };
        let packages = packages(&manifest, files, cfg);
        let mut first = None;
        for root in &manifest.roots {
            let mut extern_crates = manifest.extern_crates.clone();
            if root.file_name().is_some_and(|n| n != "lib.rs") {
                extern_crates.push(manifest.lib_name.clone());
            }
            let input = Input {
                files: files.clone(),
                root: root.clone(),
                cfg: cfg.clone(),
                edition: manifest.edition,
                extern_crates,
                packages: packages.clone(),
            };
            let mut prog = Program::load(input);
            prog.name = manifest.lib_name.clone();
            prog.manifests.push(manifest.text.clone());
            prog.check_manifest(&manifest);
            let errors = prog.diags.sorted();
            let only_missing = errors.iter().all(|d| d.code == Code::NoPortal) && !errors.is_empty();
            if !only_missing {
                return prog;
            }
            first.get_or_insert(prog);
        }
        first.unwrap_or_default()
    }

    /// Says what the manifest of a package with a portal lacks.
    fn check_manifest(&mut self, manifest: &Manifest) {
        let has_portal = !self.portals.borrow().is_empty() || !self.broken_portals.borrow().is_empty();
        let mut wrong = Vec::new();
        if has_portal && !manifest.uses_runtime() {
            let message = "the package does not depend on `metatrace`".to_string();
            let place = manifest.place(&["dependencies"]).or(manifest.place(&["package"]));
            let error = Diagnostic::nowhere(Code::Dependency, message).label("nothing here names it");
            wrong.push((error.help("add `metatrace` to `[dependencies]`"), place));
        }
        if let Some(place) = manifest.proc_macro().filter(|_| has_portal) {
            let message = "a procedural macro is no interpreter".to_string();
            let error =
                Diagnostic::nowhere(Code::Manifest, message).label("this library runs inside of rustc");
            wrong.push((error.help("move the interpreter to a library or binary of its own"), Some(place)));
        }
        if wrong.is_empty() {
            return;
        }
        let file = self.sources.add(&manifest.dir.join("Cargo.toml"), manifest.text.clone());
        for (mut error, place) in wrong {
            error.span = place.map(|at| Span { file, lo: at.start as u32, hi: at.end as u32 });
            self.diags.push(error);
        }
    }

    /// A package of which nothing is known but what is wrong with its manifest.
    fn without_manifest(dir: &Path, error: ManifestError) -> Program {
        let mut prog = Program::default();
        let mut diagnostic = Diagnostic::nowhere(Code::Manifest, error.message).help(error.help);
        if let Some((text, at)) = error.at {
            let file = prog.sources.add(&dir.join("Cargo.toml"), text);
            diagnostic.span = Some(Span { file, lo: at.start as u32, hi: at.end as u32 });
        }
        prog.diags.push(diagnostic);
        prog
    }

    /// The crate's name as `module_path!()` begins with it.
    pub fn crate_name(&self) -> &str {
        if self.name.is_empty() { "guest" } else { &self.name }
    }

    /// Loads one crate. Errors are in [`Program::diagnostics`].
    pub fn load(input: Input) -> Program {
        let mut prog = Program { cfg: input.cfg, edition: input.edition, ..Program::default() };
        let model = Files::Memory(MODEL.iter().map(|(p, t)| (PathBuf::from(p), t.to_string())).collect());
        let mut load = |files: &Files, root: &Path, cfg: &Cfg| {
            let first = prog.sources.files().count() as u32;
            let mut loader = Loader { files, cfg, sources: &mut prog.sources, diags: &prog.diags };
            let module = loader.load_root(root);
            (module, first..prog.sources.files().count() as u32)
        };
        let (std_model, _) = load(&model, Path::new("core_model/std.rs"), &prog.cfg);
        let (runtime_model, _) = load(&model, Path::new("core_model/metatrace.rs"), &prog.cfg);
        let libraries: Vec<_> = input.packages.libraries.iter().collect();
        let of_libraries: Vec<_> = libraries
            .iter()
            .map(|l| load(&input.files, l.manifest.library.as_deref().unwrap_or(&l.manifest.dir), &l.cfg))
            .collect();
        let (user, _) = load(&input.files, &input.root, &prog.cfg);
        let (Some(std_model), Some(runtime_model)) = (std_model, runtime_model) else { return prog };

        // std: every path in it must resolve within it
        let std_root = prog.collect("std", Origin::Std, &std_model, &["std", "core", "alloc"]);
        if let Some(prelude) = prog
            .scopes
            .child(std_root, Name::new("prelude"))
            .and_then(|p| prog.scopes.child(p, Name::new("v1")))
        {
            prog.scopes.set_prelude(prelude);
        }
        prog.resolve_and_lower();

        // the runtime: hints come from the table
        let runtime = prog.collect("metatrace", Origin::Runtime, &runtime_model, &["metatrace"]);
        if let Some(jit) = prog.scopes.child(runtime, Name::new("jit")) {
            for hint in
                Hint::ALL.iter().filter(|h| matches!(h.form(), HintForm::Attribute | HintForm::Statement))
            {
                let name = Name::new(hint.name());
                prog.scopes.declare(jit, Ns::Macro, name, Def::Hint(name), Vis::Public);
            }
        }
        prog.resolve_and_lower();
        prog.scopes.models_complete();

        for (library, (module, files)) in libraries.into_iter().zip(of_libraries) {
            let Some(module) = module else { return prog };
            prog.library(library, &module, files);
        }
        prog.outside = input.packages.outside;
        prog.names = input.packages.names;
        prog.tell_outsiders();
        let Some(user) = user else { return prog };
        let root = prog.scopes.add(Name::new("crate"), None, false, Origin::User);
        prog.name_crates(root, &input.extern_crates, &prog.names);
        prog.collect_in(root, Origin::User, &user);
        prog.resolve_and_lower();
        prog.declared.set((prog.fns.len(), prog.adts.len()));
        prog.find_portals();
        prog
    }

    fn collect(
        &mut self,
        name: &str,
        origin: Origin,
        module: &crate::load::Module,
        names: &[&str],
    ) -> crate::items::ModId {
        let root = self.scopes.add(Name::new(name), None, false, origin);
        self.collect_in(root, origin, module);
        for n in names {
            self.scopes.add_root(n, root);
        }
        root
    }

    /// Declares what is in a crate.
    fn collect_in(&mut self, root: ModId, origin: Origin, module: &crate::load::Module) {
        let marks = self.marks();
        let mut collector = Collector::new(self, origin);
        collector.module(root, module);
        let imports = collector.imports;
        self.waiting = Some((marks, imports));
    }

    /// Says by which names code in a crate reaches others.
    fn name_crates(&self, root: ModId, all: &[String], ours: &[(String, usize)]) {
        for name in ["proc_macro", "test"] {
            self.scopes.add_foreign_crate(root, name);
        }
        let is_ours = |name: &String| ours.iter().any(|(own, _)| own == name);
        for name in all.iter().filter(|name| *name != "metatrace" && !is_ours(name)) {
            self.scopes.add_foreign_crate(root, name);
        }
        for (name, index) in ours {
            self.scopes.add_crate(root, name, self.libraries[*index].root);
        }
    }

    /// Warns of libraries that look as if they should take part.
    fn tell_outsiders(&mut self) {
        for outsider in self.outside.iter().filter(|outsider| outsider.is_meant) {
            let message =
                format!("the library `{}` is called, not looked inside: {}", outsider.name, outsider.why);
            let mut warning = Diagnostic::nowhere(Code::Outside, message).help(outsider.help.as_str());
            if let Some((dir, text, at)) = &outsider.place {
                let path = dir.join("Cargo.toml");
                let known = self.sources.files().find(|(_, file)| file.path == path).map(|(id, _)| id);
                let file = known.unwrap_or_else(|| self.sources.add(&path, text.clone()));
                warning.span = Some(Span { file, lo: at.start as u32, hi: at.end as u32 });
            }
            self.warnings.push(warning);
        }
    }

    /// Loads a library of the interpreter.
    fn library(&mut self, library: &Library, module: &crate::load::Module, files: std::ops::Range<u32>) {
        let manifest = &library.manifest;
        let root = self.scopes.add(Name::new(&manifest.lib_name), None, false, Origin::User);
        self.name_crates(root, &manifest.extern_crates, &library.names);
        let is_on = |name: &String| library.features.iter().any(|on| on == name);
        self.manifests.push(manifest.text.clone());
        self.libraries.push(LibraryCrate {
            name: manifest.lib_name.clone(),
            dir: manifest.dir.clone(),
            root,
            cfg: library.cfg.clone(),
            edition: manifest.edition,
            features: manifest.features.iter().map(|(name, _)| (name.clone(), is_on(name))).collect(),
            names: library.names.clone(),
            files,
        });
        // What `$crate` stands for where a macro of the library is used elsewhere.
        self.scopes.add_root(&crate_marker(&manifest.lib_name), root);
        self.collect_in(root, Origin::User, module);
        self.resolve_and_lower();
    }

    /// An import begins with a name that nothing has.
    fn unknown_crate(&self, import: &Import) {
        let name = import.path.iter().find(|n| **n != "").map_or("", |n| n.as_str());
        self.diags.push(
            Diagnostic::new(Code::Dependency, import.span, format!("there is no crate or module `{name}`"))
                .label("this path begins with it")
                .help(format!(
                    "add `{name}` to `[dependencies]` in `Cargo.toml`, or declare the module: `mod {name};`"
                )),
        );
    }

    fn resolve_and_lower(&mut self) {
        let Some((marks, imports)) = self.waiting.take() else { return };
        let variants = |adt: crate::ty::AdtId| self.src.adts.get(adt.index()).variants.clone();
        let nowhere = self.scopes.resolve_imports(&imports, &|a, n| self.variant_named(a, n), &variants);
        let globs = imports.iter().filter(|import| import.alias.is_none());
        for import in globs {
            let target =
                self.scopes.lookup(import.module, &import.path, Ns::Type, &|a, n| self.variant_named(a, n));
            if let Some(Def::Foreign(path)) = target.map(|t| t.def)
                && !path.starts_with("std::")
            {
                self.unseen_items.set(true);
            }
        }
        // A macro that is not seen may declare what these begin with.
        if !self.unseen_items.get() {
            nowhere.into_iter().for_each(|import| self.unknown_crate(import));
        }
        if let Some(library) = self.libraries.last() {
            self.scopes.publish(library.root);
        }
        self.lower_signatures(marks);
    }
}
