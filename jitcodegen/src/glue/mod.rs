//! The generated Rust glue: one file per module with `metatrace::glue!()`.
//!
//! A module's file holds what can be named there: functions that tell load-time values, call shims, implementations of
//! `Scalars` for its types, portals' statics, and witnesses, which make rustc check what the translator inferred. The
//! root's file also holds the image and the tables of all values and shims, which it reaches through a chain of
//! re-exports: a child's glue is `mt_m_NAME` in its parent's.
//!
//! Everything is named with the prefix `mt_`, so that text of the author's that stands in the glue (outlined statements)
//! finds the author's own names.

mod convert;
mod samples;
mod shims;
mod witness;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use metatrace_defs::image;
use metatrace_translator::crate_marker;
use metatrace_translator::diag::Code;
use metatrace_translator::flow::types::{Adt, Hidden, Type};
use metatrace_translator::flow::{ModuleId, Portal, Program};

use crate::generate::{Error, Made, root};
use crate::layout::{Expr, hidden_function};
use crate::tables::ShimKind;

/// The file that the image is in, beside the glue.
pub const IMAGE_FILE: &str = "image.mtjit";

/// What glue is generated from.
struct Cx<'a> {
    program: &'a Program,
    made: &'a Made,
    /// The functions that tell terms of load-time values.
    names: HashMap<&'a Expr, String>,
}

/// The glue's files: the module's path as the file is called, and its text.
///
/// # Errors
/// Modules that need glue and do not ask for it.
pub(crate) fn generate(program: &Program, made: &Made) -> Result<Vec<(String, String)>, Vec<Error>> {
    let mut cx = Cx { program, made, names: HashMap::new() };
    let mut files: BTreeMap<ModuleId, String> = BTreeMap::new();
    let values = cx.values(&mut files);
    cx.hidden_fields(&mut files);
    let shims: Vec<(ModuleId, String)> =
        made.tables.shims.iter().enumerate().map(|(n, &kind)| cx.shim(n, kind)).collect();
    for (module, text) in &shims {
        *files.entry(*module).or_default() += text;
    }
    cx.scalars_impls(&mut files);
    cx.shapes(&mut files);
    cx.witnesses(&mut files);
    for (n, portal) in program.portals.iter().enumerate() {
        let file = files.entry(program.func(portal.func).module).or_default();
        let name = portal_static(n, portal);
        _ = writeln!(
            file,
            "pub static {name}: ::metatrace::rt::PortalGlue =\n    \
             ::metatrace::rt::PortalGlue::new(&crate::__metatrace::PROGRAM, {n});"
        );
        if let Some(ty) = &portal.method_of {
            let number = metatrace_defs::hint::name_number(&portal.ident);
            _ = writeln!(
                file,
                "impl ::metatrace::rt::PortalOf<{number}> for {ty} {{\n    \
                 fn glue() -> &'static ::metatrace::rt::PortalGlue {{ &{name} }}\n}}"
            );
        }
    }
    let Some(root) = root(program) else { return Ok(vec![]) };
    if program.portals.is_empty() {
        return Ok(empty_files(program));
    }
    let mut roots = vec![root];
    // The glue of a crate's root says how other crates are reached.
    roots.extend(
        (0..program.modules.len())
            .map(ModuleId::new)
            .filter(|&id| !program.crates.is_empty() && program.modules[id.index()].parent.is_none()),
    );
    let needed = cx.needed(root, files.keys().copied().chain(roots));
    let missing = cx.missing(&needed);
    if !missing.is_empty() {
        return Err(missing);
    }
    let mut text = cx.root(root, &values, &shims);
    text += &files.remove(&root).unwrap_or_default();
    files.insert(root, text);
    let mut out = Vec::new();
    for (n, module) in program.modules.iter().enumerate() {
        if module.has_glue {
            let id = ModuleId::new(n);
            let text = cx.crates(id) + &cx.reexports(id, &needed) + &files.remove(&id).unwrap_or_default();
            out.push((file_name(&module.path), text));
        }
    }
    Ok(out)
}

fn empty_files(program: &Program) -> Vec<(String, String)> {
    let asking = program.modules.iter().filter(|module| module.has_glue);
    asking.map(|module| (file_name(&module.path), String::new())).collect()
}

/// The name of a module's file: `glue!` asks for the path of the module it makes.
pub(crate) fn file_name(module: &str) -> String {
    format!("{module}::__metatrace.rs")
}

/// The name of a portal's static.
fn portal_static(number: usize, portal: &Portal) -> String {
    match portal.method_of {
        Some(_) => format!("mt_portal{number}"),
        None => format!("portal_{}", portal.ident),
    }
}

/// The name of a module in its parent.
fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

impl Cx<'_> {
    /// Adds functions that tell load-time values to the modules' files; returns for each value the expressions that are
    /// added up, as modules and function names, and the literal.
    fn values(&mut self, files: &mut BTreeMap<ModuleId, String>) -> Vec<(Vec<(ModuleId, String)>, u64)> {
        let names = &mut self.names;
        let mut out = Vec::new();
        for value in &self.made.tables.values {
            let mut terms = Vec::new();
            for term in &value.terms {
                let next = names.len();
                let name = names.entry(term).or_insert_with(|| {
                    let name = format!("mt_v{next}");
                    let file = files.entry(term.module).or_default();
                    _ = writeln!(file, "pub fn {name}() -> u64 {{\n    {}\n}}", term.rust);
                    name
                });
                terms.push((term.module, name.clone()));
            }
            out.push((terms, value.literal));
        }
        out
    }

    /// The modules whose glue is needed: those that have something, and all around them.
    fn needed(&self, root: ModuleId, modules: impl Iterator<Item = ModuleId>) -> BTreeSet<ModuleId> {
        let mut needed = BTreeSet::from([root]);
        for module in modules {
            let mut next = Some(module);
            while let Some(module) = next {
                needed.insert(module);
                next = self.program.modules[module.index()].parent;
            }
        }
        needed
    }

    fn missing(&self, needed: &BTreeSet<ModuleId>) -> Vec<Error> {
        let missing = needed.iter().map(|id| &self.program.modules[id.index()]).filter(|m| !m.has_glue);
        let error = |module: &metatrace_translator::flow::Module| Error {
            code: Code::MissingGlue,
            pos: module.pos,
            message: format!("the module `{}` needs the line `metatrace::glue!();`", module.path),
            label: "traced code or types are in this module or below it".to_string(),
            help: "add the line, anywhere in the module".to_string(),
            insert: Some("metatrace::glue!();\n".to_string()),
        };
        missing.map(error).collect()
    }

    /// The path of an item of a module's glue, from that of all crates that know it.
    fn path(&self, module: ModuleId, item: &str) -> String {
        format!("{}::{item}", self.program.glue_path(module))
    }

    /// Makes the interpreter's crates known by their names in a module's glue, and compares what each was translated for.
    fn crates(&self, module: ModuleId) -> String {
        let program = self.program;
        let own = program.crate_of(module);
        let Some(this) = program.crates.iter().find(|one| one.name == own) else { return String::new() };
        let is_library = program.types.libraries.contains(&this.name);
        let mut out = String::new();
        let is_root = program.modules[module.index()].parent.is_none();
        let libraries: Vec<&str> = this.uses.iter().map(|(name, _)| name.as_str()).collect();
        for name in libraries.iter().copied().chain(is_library.then_some(own)) {
            let path = this.uses.iter().find(|(known, _)| known == name).map(|(_, path)| path.as_str());
            _ = match path {
                Some(path) if is_root => writeln!(out, "pub use {path} as {name};"),
                None if is_root => writeln!(out, "pub(crate) use crate as {name};"),
                _ => writeln!(out, "use crate::__metatrace::{name};"),
            };
            _ = writeln!(out, "use {name} as {};", crate_marker(name));
        }
        if !is_root {
            return out;
        }
        if is_library {
            _ = writeln!(out, "pub const MT_HASH: u64 = {:#x};", program.hash);
        }
        for (feature, is_on) in &this.features {
            let (not, word) = if *is_on { ("not", "without") } else { ("all", "with") };
            _ = writeln!(
                out,
                "#[cfg({not}(feature = {feature:?}))]\n::core::compile_error!(\"`{own}` is built {word} its feature \
                 `{feature}`, which is not what the manifest of `{}` asks for: say so there, or set METATRACE_FEATURES to the \
                 features that that package is built with\");",
                program.name
            );
        }
        for name in libraries {
            _ = writeln!(
                out,
                "const _: () = ::core::assert!({name}::__metatrace::MT_HASH == {:#x}, \"the library `{name}` was translated for \
                 another build of `{}`: set METATRACE_FEATURES to the features that this package is built with\");",
                program.hash, program.name
            );
        }
        out
    }

    /// Adds functions that tell other crates where private fields of generic structs are.
    fn hidden_fields(&self, files: &mut BTreeMap<ModuleId, String>) {
        let mut known = BTreeSet::new();
        for (_, data) in self.program.types.iter() {
            let Type::Adt(Adt { hidden: Some(hidden), variants, .. }) = &data.ty else { continue };
            let Hidden { module, params, bounds, generic, .. } = hidden;
            for field in &variants[0].fields {
                let name = hidden_function(hidden, &field.name);
                if known.insert((*module, name.clone())) {
                    _ = writeln!(
                        files.entry(*module).or_default(),
                        "pub fn {name}{params}() -> u64 {bounds} {{ ::core::mem::offset_of!({generic}, {}) as u64 }}",
                        field.name
                    );
                }
            }
        }
    }

    /// Makes the glue of a module's children reachable.
    fn reexports(&self, module: ModuleId, needed: &BTreeSet<ModuleId>) -> String {
        let mut out = String::new();
        for id in needed {
            let child = &self.program.modules[id.index()];
            if child.parent == Some(module) {
                let name = last_segment(&child.path);
                _ = writeln!(out, "pub use super::{name}::__metatrace as mt_m_{name};");
            }
        }
        out
    }

    fn root(
        &self,
        root: ModuleId,
        values: &[(Vec<(ModuleId, String)>, u64)],
        shims: &[(ModuleId, String)],
    ) -> String {
        let program = self.program;
        let mut out = String::new();
        let (segment, section) = image::SECTION_MACHO;
        _ = write!(
            out,
            "#[repr(C, align({align}))]\npub struct mt_Aligned<T>(pub T);\n\
             const MT_IMAGE: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/metatrace/{IMAGE_FILE}\"));\n\
             #[used]\n\
             #[cfg_attr(target_vendor = \"apple\", unsafe(link_section = \"{segment},{section}\"))]\n\
             #[cfg_attr(all(windows, not(target_vendor = \"apple\")), unsafe(link_section = \"{coff}\"))]\n\
             #[cfg_attr(not(any(windows, target_vendor = \"apple\")), unsafe(link_section = \"{elf}\"))]\n\
             static MT_SECTION: mt_Aligned<[u8; MT_IMAGE.len()]> = mt_Aligned(*include_bytes!(concat!(\n    \
             env!(\"OUT_DIR\"), \"/metatrace/{IMAGE_FILE}\"\n)));\n",
            align = image::ALIGN,
            coff = image::SECTION_COFF,
            elf = image::SECTION_ELF,
        );
        let mut sums = String::new();
        let mut list = String::new();
        for (n, (terms, literal)) in values.iter().enumerate() {
            match (&terms[..], literal) {
                ([(module, name)], 0) => _ = writeln!(list, "    {},", self.path(*module, name)),
                _ => {
                    let calls = terms.iter().map(|(module, name)| format!("{}()", self.path(*module, name)));
                    let sum: Vec<String> = calls.chain([format!("{literal}")]).collect();
                    _ = writeln!(sums, "pub fn mt_sum{n}() -> u64 {{\n    {}\n}}", sum.join(" + "));
                    _ = writeln!(list, "    mt_sum{n},");
                }
            }
        }
        out += &sums;
        _ = writeln!(
            out,
            "/// What was generated for this crate.\n\
             pub static PROGRAM: ::metatrace::rt::ProgramGlue = ::metatrace::rt::ProgramGlue::new(\n    \
             &MT_SECTION.0,\n    {:#x},\n    &MT_VALUES,\n    &MT_SHIMS,\n);",
            program.hash
        );
        _ = write!(out, "pub static MT_VALUES: [fn() -> u64; {}] = [\n{list}];\n", values.len());
        _ = writeln!(out, "static MT_SHIMS: [::metatrace::rt::Shim; {}] = [", shims.len());
        for (n, (module, _)) in shims.iter().enumerate() {
            let path = self.path(*module, &format!("mt_s{n}"));
            _ = writeln!(out, "    ::metatrace::rt::Shim({path} as *const ()),");
        }
        out += "];\n";
        debug_assert!(program.modules[root.index()].parent.is_none());
        out
    }

    /// The module of a shim.
    fn shim_module(&self, kind: ShimKind) -> ModuleId {
        match kind {
            ShimKind::Func(id) => self.program.func(id).module,
            ShimKind::Extern(id) => self.program.extern_fn(id).module,
            ShimKind::Load(ty)
            | ShimKind::Store(ty)
            | ShimKind::Variant(ty)
            | ShimKind::Project(ty, ..)
            | ShimKind::Drop(ty)
            | ShimKind::Copy(ty) => self.program.types.data(ty).module,
        }
    }
}
