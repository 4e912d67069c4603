//! Witnesses: code that is never run, and compiles only if what the translator inferred is true.
//!
//! - functions that are looked inside have the signature that was inferred (those that are called are checked by their
//!   shims);
//! - fields have exactly the types that were inferred, and enums have just these variants, numbered so;
//! - types without drop glue have none; opaque values have the size that was assumed.
//!
//! Spellings have no lifetimes, so all stands in function bodies, where rustc infers them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use metatrace_translator::flow::ModuleId;
use metatrace_translator::flow::types::{Adt, Type, TypeId};

use super::Cx;
use super::convert::struct_path;
use super::shims::call_text;
use crate::layout::{EnumLayout, enum_layout, is_native, variant_path};

impl Cx<'_> {
    /// Adds the witnesses to the modules' files.
    pub(super) fn witnesses(&self, files: &mut BTreeMap<ModuleId, String>) {
        let program = self.program;
        for &id in &self.made.funcs {
            let func = program.func(id);
            let types = func.params.iter().chain([&func.ret]);
            let Some(path) = &func.rust else { continue };
            if types.into_iter().all(|&ty| is_native(&program.types, ty)) {
                let args: Vec<String> = func
                    .params
                    .iter()
                    .map(|&ty| format!("::metatrace::rt::any::<{}>()", program.types.data(ty).rust))
                    .collect();
                let ret = match program.types.get(func.ret) {
                    Type::Never => "()".to_string(),
                    _ => program.types.data(func.ret).rust.clone(),
                };
                let call = call_text(path, &args);
                let file = files.entry(func.module).or_default();
                _ = writeln!(file, "const _: fn() = || unsafe {{ _ = || -> {ret} {{ {call} }}; }};");
            }
        }
        let used = self.used();
        let types = &program.types;
        for (ty, data) in program.types.iter() {
            if !used.contains(&ty) || program.types.is_unsized(ty) || !is_native(&program.types, ty) {
                continue;
            }
            let file = files.entry(data.module).or_default();
            match &data.ty {
                Type::Adt(adt) if types.is_own(adt) && adt.is_enum => {
                    _ = writeln!(file, "{}", self.enum_witness(ty, adt));
                }
                // Fields that are private to another crate cannot be named here.
                Type::Adt(adt) if types.is_own(adt) && adt.hidden.is_none() => {
                    _ = writeln!(file, "{}", self.struct_witness(adt))
                }
                Type::Opaque(opaque) => {
                    if let Some(words) = opaque.words {
                        let bytes = usize::from(words) * 8;
                        let rust = &data.rust;
                        _ = writeln!(
                            file,
                            "const _: () = assert!(::core::mem::size_of::<{rust}>() == {bytes});"
                        );
                    }
                }
                _ => {}
            }
            if let Type::Adt(_) | Type::Opaque(_) = &data.ty
                && !data.needs_drop
            {
                let rust = &data.rust;
                _ = writeln!(file, "const _: () = assert!(!::core::mem::needs_drop::<{rust}>());");
            }
        }
    }

    /// The types of which jitcode or glue depends on what they are made of.
    fn used(&self) -> BTreeSet<TypeId> {
        use crate::tables::ClassKey;
        let mut used = self.converted();
        for class in &self.made.tables.classes {
            match *class {
                ClassKey::Field { of, leaf, .. } => used.extend([of, leaf]),
                ClassKey::Tag(ty) | ClassKey::Container(ty) | ClassKey::Bare { leaf: ty, .. } => {
                    _ = used.insert(ty)
                }
                ClassKey::Apart { .. } | ClassKey::Address => {}
            }
        }
        used
    }

    /// That `place`, a reference, refers to exactly this type.
    fn exactly(&self, ty: TypeId, place: &str) -> String {
        if !is_native(&self.program.types, ty) {
            return String::new();
        }
        let rust = &self.program.types.data(ty).rust;
        format!("let _: ::metatrace::rt::Exactly<{rust}> = ::metatrace::rt::exactly({place}); ")
    }

    fn struct_witness(&self, adt: &Adt) -> String {
        let path = struct_path(adt);
        let fields = &adt.variants[0].fields;
        let patterns: Vec<String> =
            fields.iter().enumerate().map(|(n, f)| format!("{}: f{n}", f.name)).collect();
        let checks: String =
            fields.iter().enumerate().map(|(n, f)| self.exactly(f.ty, &format!("f{n}"))).collect();
        let rust = &adt.rust;
        format!("const _: fn(&{rust}) = |x| {{ let {path} {{ {} }} = x; {checks}}};", patterns.join(", "))
    }

    fn enum_witness(&self, ty: TypeId, adt: &Adt) -> String {
        let rust = &adt.rust;
        let mut arms = String::new();
        for variant in &adt.variants {
            let fields = variant.fields.iter().enumerate();
            let patterns: Vec<String> = fields.clone().map(|(n, f)| format!("{}: f{n}", f.name)).collect();
            let checks: String = fields.map(|(n, f)| self.exactly(f.ty, &format!("f{n}"))).collect();
            let path = variant_path(adt, &variant.name);
            _ = write!(arms, "{path} {{ {} }} => {{ {checks}}} ", patterns.join(", "));
        }
        let mut out = format!("const _: fn(&{rust}) = |x| match x {{ {arms}}};\n");
        if let EnumLayout::Tag(scalar, tags) = enum_layout(&self.program.types, ty) {
            let bytes = scalar.bytes();
            for (variant, tag) in adt.variants.iter().zip(tags) {
                // Variants with fields are checked where their offsets are probed.
                if variant.fields.is_empty() {
                    let path = variant_path(adt, &variant.name);
                    let tag = if bytes == 8 { tag } else { tag & ((1 << (8 * bytes)) - 1) };
                    _ = writeln!(
                        out,
                        "const _: () = assert!(unsafe {{ *(&raw const *(&{path} {{}} as &{rust}) as *const u{}) }} \
                         == {tag});",
                        8 * bytes
                    );
                }
            }
        }
        if let EnumLayout::Null { some } = enum_layout(&self.program.types, ty) {
            let none = variant_path(adt, &adt.variants[1 - some as usize].name);
            _ = writeln!(
                out,
                "const _: () = assert!(unsafe {{ *(&raw const *(&{none} {{}} as &{rust}) as *const usize) }} == 0);"
            );
        }
        out
    }
}
