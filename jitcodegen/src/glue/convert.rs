//! Rust text that takes values apart into words and puts them together.
//!
//! Types that have (or get here) an implementation of `Scalars` use it. Others are converted where they stand: trait
//! objects and foreign types bytewise, foreign enums variant by variant, tuples and arrays part by part. Text stands in
//! function bodies, where rustc infers the lifetimes that spellings lack.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use metatrace_translator::flow::ModuleId;
use metatrace_translator::flow::types::{Adt, Type, TypeId};

use super::Cx;
use crate::layout::{field_offset, is_native, variant_path};
use crate::tables::ShimKind;

impl Cx<'_> {
    /// Whether a struct or enum can get implementations in its module: its fields are known, and its own crate names it.
    pub(super) fn is_at_home(&self, ty: TypeId, adt: &Adt) -> bool {
        let types = &self.program.types;
        let host = self.program.crate_of(types.data(ty).module);
        types.is_own(adt) && types.library(adt).is_none_or(|library| library == host)
    }

    fn words(&self, ty: TypeId) -> usize {
        self.program.types.scalars(ty).map_or(0, |scalars| scalars.len())
    }

    fn spelling(&self, ty: TypeId) -> &str {
        &self.program.types.data(ty).rust
    }

    /// Whether the type implements `Scalars`.
    pub(super) fn has_scalars(&self, ty: TypeId) -> bool {
        let types = &self.program.types;
        match types.get(ty) {
            Type::Bool | Type::Char | Type::F32 | Type::F64 => true,
            Type::Int { bits, .. } => *bits <= 64,
            Type::Ref { to, .. } => !matches!(types.get(*to), Type::Dyn(_)),
            Type::RawPtr { to, .. } => !types.is_unsized(*to),
            Type::Box(_) | Type::Vec(_) | Type::String => true,
            Type::Tuple(parts) => parts.len() <= 8 && parts.iter().all(|&part| self.has_scalars(part)),
            Type::Array(elem, _) => self.has_scalars(*elem),
            // Foreign enums are taken apart here, as their parts need not implement it.
            Type::Adt(adt) if self.program.types.is_own(adt) => self.is_at_home(ty, adt),
            Type::Adt(adt) => !adt.is_enum && !is_ref_cell(adt),
            // Function types are implemented for some lifetimes, and not for all at once, as they are spelled.
            Type::FnPtr { .. }
            | Type::Never
            | Type::Str
            | Type::Slice(_)
            | Type::Dyn(_)
            | Type::Closure { .. }
            | Type::Opaque(_) => false,
        }
    }

    /// An expression that puts a value together from `words`, expressions of type `u64`.
    pub(super) fn unpack(&self, ty: TypeId, words: &[String]) -> String {
        let list = words.join(", ");
        if self.has_scalars(ty) {
            return format!("<{} as ::metatrace::rt::Scalars>::unpack(&[{list}])", self.spelling(ty));
        }
        let split = |parts: &[TypeId]| {
            let mut at = 0;
            let part = |&part: &TypeId| {
                let count = self.words(part);
                at += count;
                self.unpack(part, &words[at - count..at])
            };
            parts.iter().map(part).collect::<Vec<_>>()
        };
        match self.program.types.get(ty) {
            Type::Adt(adt) if is_ref_cell(adt) => {
                let content = self.unpack(self.ref_cell_content(ty), &words[1..]);
                format!("::metatrace::rt::unpack_ref_cell({}, {content})", words[0])
            }
            Type::Tuple(parts) => format!("({},)", split(parts).join(", ")),
            Type::Array(elem, len) => format!("[{}]", split(&vec![*elem; *len as usize]).join(", ")),
            Type::Adt(adt) if adt.hidden.is_some() => {
                let mut writes = String::new();
                let mut at = 0;
                for (n, field) in adt.variants[0].fields.iter().enumerate() {
                    let count = self.words(field.ty);
                    let (place, value) =
                        (self.hidden_place(ty, n, "x"), self.unpack(field.ty, &words[at..at + count]));
                    _ = write!(writes, "::core::ptr::write({place}, {value}); ");
                    at += count;
                }
                let rust = self.spelling(ty);
                format!(
                    "{{ let mut x = ::core::mem::MaybeUninit::<{rust}>::uninit(); let x = &mut x; {writes}x.assume_init_read() }}"
                )
            }
            Type::Adt(adt) if !adt.is_enum => {
                let fields: Vec<TypeId> = adt.variants[0].fields.iter().map(|f| f.ty).collect();
                let inits = adt.variants[0].fields.iter().zip(split(&fields));
                let inits: Vec<String> =
                    inits.map(|(field, value)| format!("{}: {value}", field.name)).collect();
                format!("{} {{ {} }}", struct_path(adt), inits.join(", "))
            }
            Type::Adt(adt) => {
                let mut arms = String::new();
                for (n, variant) in adt.variants.iter().enumerate() {
                    let fields: Vec<TypeId> = variant.fields.iter().map(|f| f.ty).collect();
                    let mut at = 1;
                    let mut inits = Vec::new();
                    for (field, &ty) in variant.fields.iter().zip(&fields) {
                        let count = self.words(ty);
                        inits.push(format!("{}: {}", field.name, self.unpack(ty, &words[at..at + count])));
                        at += count;
                    }
                    let pattern = if n + 1 == adt.variants.len() { "_".to_string() } else { n.to_string() };
                    let path = variant_path(adt, &variant.name);
                    _ = write!(arms, "{pattern} => {path} {{ {} }}, ", inits.join(", "));
                }
                format!("match {} {{ {arms}}}", words[0])
            }
            Type::Never => "::core::unreachable!()".to_string(),
            _ => format!("::metatrace::rt::unpack_opaque::<{}>(&[{list}])", self.spelling(ty)),
        }
    }

    /// The address of a field that cannot be named, of a `MaybeUninit` variable.
    fn hidden_place(&self, ty: TypeId, field: usize, of: &str) -> String {
        let types = &self.program.types;
        let Type::Adt(adt) = types.get(ty) else { panic!("a field of {}", self.spelling(ty)) };
        let offset = field_offset(types, ty, field as u32);
        let offset: Vec<&str> = offset.terms.iter().map(|term| term.rust.as_str()).collect();
        let rust = self.spelling(adt.variants[0].fields[field].ty);
        format!("({of}.as_mut_ptr() as *mut u8).add(({}) as usize) as *mut {rust}", offset.join(" + "))
    }

    /// What is in a `RefCell`.
    fn ref_cell_content(&self, ty: TypeId) -> TypeId {
        let types = &self.program.types;
        let cell = types.get(ty).parts()[1];
        types.get(cell).parts()[0]
    }

    /// Statements that take the value of the variable `from` apart into `out` from index `at` on, where all is 0.
    pub(super) fn pack(&self, ty: TypeId, from: &str, at: usize) -> String {
        let end = at + self.words(ty);
        if self.has_scalars(ty) {
            return format!("::metatrace::rt::Scalars::pack({from}, &mut out[{at}..{end}]);");
        }
        let split = |parts: &[TypeId], at: usize| {
            let mut at = at;
            let part = |(n, &part): (usize, &TypeId)| {
                let text = self.pack(part, &format!("{from}_{n}"), at);
                at += self.words(part);
                text
            };
            parts.iter().enumerate().map(part).collect::<Vec<_>>().join(" ")
        };
        let names = |count: usize| (0..count).map(|n| format!("{from}_{n}")).collect::<Vec<_>>().join(", ");
        match self.program.types.get(ty) {
            Type::Adt(adt) if is_ref_cell(adt) => {
                let content = self.pack(self.ref_cell_content(ty), &format!("{from}_0"), at + 1);
                format!(
                    "let {from}_0; (out[{at}], {from}_0) = ::metatrace::rt::pack_ref_cell({from}); {content}"
                )
            }
            Type::Tuple(parts) => format!("let ({},) = {from}; {}", names(parts.len()), split(parts, at)),
            Type::Array(elem, len) => {
                let parts = vec![*elem; *len as usize];
                format!("let [{}] = {from}; {}", names(parts.len()), split(&parts, at))
            }
            Type::Adt(adt) if adt.hidden.is_some() => {
                let fields: Vec<TypeId> = adt.variants[0].fields.iter().map(|f| f.ty).collect();
                let reads: String = (0..fields.len())
                    .map(|n| {
                        format!(
                            "let {from}_{n} = unsafe {{ ::core::ptr::read({}) }}; ",
                            self.hidden_place(ty, n, from)
                        )
                    })
                    .collect();
                format!(
                    "let mut {from} = ::core::mem::MaybeUninit::new({from}); {reads}{}",
                    split(&fields, at)
                )
            }
            // It may have a destructor, which forbids to take it apart by a pattern.
            Type::Adt(adt) if self.program.types.is_own(adt) => {
                let mut arms = String::new();
                for (n, variant) in adt.variants.iter().enumerate() {
                    let fields: Vec<TypeId> = variant.fields.iter().map(|f| f.ty).collect();
                    let names = variant.fields.iter().enumerate();
                    let names: Vec<String> =
                        names.map(|(n, field)| format!("{}: {from}_{n}", field.name)).collect();
                    let reads: String = (0..fields.len())
                        .map(|n| format!("let {from}_{n} = unsafe {{ ::core::ptr::read({from}_{n}) }}; "))
                        .collect();
                    let (path, tag) = match adt.is_enum {
                        true => (variant_path(adt, &variant.name), format!("out[{at}] = {n}; ")),
                        false => (struct_path(adt).to_string(), String::new()),
                    };
                    let inside = split(&fields, at + usize::from(adt.is_enum));
                    _ = write!(arms, "{path} {{ {} }} => {{ {tag}{reads}{inside} }} ", names.join(", "));
                }
                format!("let {from} = ::core::mem::ManuallyDrop::new({from}); match &*{from} {{ {arms}}}")
            }
            Type::Adt(adt) => {
                let mut arms = String::new();
                for (n, variant) in adt.variants.iter().enumerate() {
                    let fields: Vec<TypeId> = variant.fields.iter().map(|f| f.ty).collect();
                    let names = variant.fields.iter().enumerate();
                    let names: Vec<String> =
                        names.map(|(n, field)| format!("{}: {from}_{n}", field.name)).collect();
                    let path = variant_path(adt, &variant.name);
                    let inside = split(&fields, at + 1);
                    _ = write!(arms, "{path} {{ {} }} => {{ out[{at}] = {n}; {inside} }} ", names.join(", "));
                }
                format!("match {from} {{ {arms}}}")
            }
            Type::Never => String::new(),
            _ => format!("::metatrace::rt::pack_opaque({from}, &mut out[{at}..{end}]);"),
        }
    }

    /// Adds implementations of `Scalars` for the crate's types that are handed over by value.
    pub(super) fn scalars_impls(&self, files: &mut BTreeMap<ModuleId, String>) {
        for ty in self.converted() {
            let data = self.program.types.data(ty);
            if let Type::Adt(adt) = &data.ty
                && self.is_at_home(ty, adt)
            {
                *files.entry(data.module).or_default() += &self.scalars_impl(ty, adt);
            }
        }
    }

    /// The types that are taken apart or put together natively, with their parts.
    pub(super) fn converted(&self) -> BTreeSet<TypeId> {
        let program = self.program;
        let mut work = Vec::new();
        for &kind in &self.made.tables.shims {
            match kind {
                ShimKind::Func(id) => {
                    work.extend(&program.func(id).params);
                    work.push(program.func(id).ret);
                }
                ShimKind::Extern(id) => {
                    work.extend(&program.extern_fn(id).params);
                    work.push(program.extern_fn(id).ret);
                }
                ShimKind::Load(ty) | ShimKind::Store(ty) => work.push(ty),
                ShimKind::Variant(_) | ShimKind::Project(..) | ShimKind::Drop(_) | ShimKind::Copy(_) => {}
            }
        }
        for portal in &program.portals {
            work.extend(&program.func(portal.func).params);
            work.push(program.func(portal.func).ret);
        }
        let mut seen = BTreeSet::new();
        while let Some(ty) = work.pop() {
            let types = &program.types;
            if types.is_memory(ty) || !is_native(types, ty) || !seen.insert(ty) {
                continue;
            }
            if let Type::Tuple(_) | Type::Array(..) | Type::Adt(_) = types.get(ty) {
                work.extend(types.get(ty).parts());
            }
        }
        seen
    }

    fn scalars_impl(&self, ty: TypeId, adt: &Adt) -> String {
        let count = self.words(ty);
        let words: Vec<String> = (0..count).map(|n| format!("words[{n}]")).collect();
        let mut packs = String::new();
        let mut unpacks = String::new();
        for (n, variant) in adt.variants.iter().enumerate() {
            let path =
                if adt.is_enum { variant_path(adt, &variant.name) } else { struct_path(adt).to_string() };
            let mut at = usize::from(adt.is_enum);
            let (mut patterns, mut moves, mut inits) = (vec![], String::new(), vec![]);
            for (n, field) in variant.fields.iter().enumerate() {
                patterns.push(format!("{}: f{n}", field.name));
                let pack = self.pack(field.ty, &format!("f{n}"), at);
                _ = write!(moves, "let f{n} = ::core::ptr::read(f{n}); {pack} ");
                let end = at + self.words(field.ty);
                inits.push(format!("{}: {}", field.name, self.unpack(field.ty, &words[at..end])));
                at = end;
            }
            let tag = if adt.is_enum { format!("out[0] = {n}; ") } else { String::new() };
            _ = writeln!(packs, "            {path} {{ {} }} => {{ {tag}{moves}}}", patterns.join(", "));
            let pattern = if n + 1 == adt.variants.len() { "_".to_string() } else { n.to_string() };
            _ = writeln!(unpacks, "            {pattern} => {path} {{ {} }},", inits.join(", "));
        }
        let which = if adt.is_enum { "words[0]" } else { "0u64" };
        let (unpacks, packs) = match adt.variants.is_empty() {
            true => ("::core::unreachable!()".to_string(), "match *value {}".to_string()),
            false => (
                format!("match {which} {{\n{unpacks}        }}"),
                format!("match &*value {{\n{packs}        }}"),
            ),
        };
        format!(
            "impl ::metatrace::rt::Scalars for {rust} {{\n    \
             const WORDS: usize = {count};\n    \
             fn pack(self, out: &mut [u64]) {{\n        \
             let value = ::core::mem::ManuallyDrop::new(self);\n        \
             out[..{count}].fill(0);\n        \
             // SAFETY: the fields are moved out of a value that is never dropped.\n        \
             unsafe {{ {packs} }}\n    }}\n    \
             unsafe fn unpack(words: &[u64]) -> Self {{\n        \
             // SAFETY: passed on to the caller.\n        \
             unsafe {{ {unpacks} }}\n    }}\n}}\n",
            rust = adt.rust,
        )
    }
}

/// The path of a struct in patterns and expressions; generic arguments are left to inference.
pub(super) fn struct_path(adt: &Adt) -> &str {
    adt.rust.split('<').next().unwrap_or_default()
}

/// Whether it is a `RefCell`, which is taken apart into the count of its borrows and its content.
fn is_ref_cell(adt: &Adt) -> bool {
    crate::layout::path(&adt.rust) == "std::cell::RefCell"
}
