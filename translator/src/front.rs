//! Loading a program: sources, items, signatures, portals. The pipeline of the front end on one page.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use metatrace_defs::hint::{Hint, HintForm};

use crate::collect::Collector;
use crate::diag::{Code, Diagnostic};
use crate::items::Origin;
use crate::load::cfg::Cfg;
use crate::load::{Files, Loader, Manifest};
use crate::names::Name;
use crate::program::Program;
use crate::resolve::{Def, Import, Ns, Vis};

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
}

impl Input {
    /// A crate of one text, for tests and experiments.
    pub fn text(source: &str) -> Input {
        let root = PathBuf::from("src/lib.rs");
        let files = Files::Memory(HashMap::from([(root.clone(), source.to_string())]));
        Input { files, root, cfg: Cfg::default(), edition: 2024, extern_crates: Vec::new() }
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
            Err(message) => {
                let prog = Program::default();
                prog.diags.push(Diagnostic::nowhere(Code::Manifest, message));
                return prog;
            }
        };
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
            };
            let mut prog = Program::load(input);
            prog.name = manifest.lib_name.clone();
            let errors = prog.diags.sorted();
            let only_missing = errors.iter().all(|d| d.code == Code::NoPortal) && !errors.is_empty();
            if !only_missing {
                return prog;
            }
            first.get_or_insert(prog);
        }
        first.unwrap_or_default()
    }

    /// The crate's name as `module_path!()` begins with it.
    pub fn crate_name(&self) -> &str {
        if self.name.is_empty() { "guest" } else { &self.name }
    }

    /// Loads one crate. Errors are in [`Program::diagnostics`].
    pub fn load(input: Input) -> Program {
        let mut prog = Program { cfg: input.cfg, edition: input.edition, ..Program::default() };
        let model = Files::Memory(MODEL.iter().map(|(p, t)| (PathBuf::from(p), t.to_string())).collect());
        let mut load = |files: &Files, root: &Path| {
            let mut loader = Loader { files, cfg: &prog.cfg, sources: &mut prog.sources, diags: &prog.diags };
            loader.load_root(root)
        };
        let std_model = load(&model, Path::new("core_model/std.rs"));
        let runtime_model = load(&model, Path::new("core_model/metatrace.rs"));
        let user = load(&input.files, &input.root);
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

        let Some(user) = user else { return prog };
        for name in ["proc_macro", "test"] {
            prog.scopes.add_foreign_crate(name);
        }
        for name in &input.extern_crates {
            if name != "metatrace" {
                prog.scopes.add_foreign_crate(name);
            }
        }
        prog.collect("crate", Origin::User, &user, &[]);
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
        let marks = self.marks();
        let mut collector = Collector::new(self, origin);
        let root = collector.root(name, module);
        let imports = collector.imports;
        for n in names {
            self.scopes.add_root(n, root);
        }
        self.waiting = Some((marks, imports));
        root
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
        self.lower_signatures(marks);
    }
}
