//! Rust text that finds out at start-up how enums lie in memory whose layout Rust does not define.
//!
//! For each such enum `mt_eN` tells its shape, probed once; for each type by value in one `mt_tN(out, n)` writes sample
//! number `n` of it to `out`. Both stand in the module whose glue can name the type and its fields; `N` is the type.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use metatrace_defs::descr::{LoadTime, Scalar};
use metatrace_translator::flow::ModuleId;
use metatrace_translator::flow::types::{Adt, Type, TypeId, Variant};

use super::Cx;
use super::convert::struct_path;
use crate::layout::{path, variant_path};
use crate::shape::{Niche, Shape, counted, function, is_owner, is_uninhabited, needs, samples, wide_tag};

impl Cx<'_> {
    /// Adds the functions to the modules' files.
    pub(super) fn shapes(&self, files: &mut BTreeMap<ModuleId, String>) {
        let types = &self.program.types;
        let mut sampled = BTreeSet::new();
        for shape in &self.made.tables.shapes {
            let text = self.shape(shape, &mut sampled);
            *files.entry(types.data(shape.ty).module).or_default() += &text;
        }
        let mut work: Vec<TypeId> = sampled.iter().copied().collect();
        while let Some(ty) = work.pop() {
            let mut parts = BTreeSet::new();
            let text = self.sample_function(ty, &mut parts);
            *files.entry(types.data(ty).module).or_default() += &text;
            work.extend(parts.into_iter().filter(|&part| sampled.insert(part)));
        }
    }

    /// The path of an item of a module's glue, from anywhere.
    fn anywhere(&self, module: ModuleId, item: &str) -> String {
        self.path(module, item)
    }

    fn shape(&self, shape: &Shape, sampled: &mut BTreeSet<TypeId>) -> String {
        let types = &self.program.types;
        let data = types.data(shape.ty);
        let Type::Adt(adt) = &data.ty else { panic!("a shape of {}", data.rust) };
        let (mut arms, mut fields) = (String::new(), String::new());
        for (n, variant) in adt.variants.iter().enumerate() {
            let place = variant_path(adt, &variant.name);
            let patterns = variant.fields.iter().enumerate().map(|(n, f)| format!("{}: ref f{n}", f.name));
            let refs: Vec<String> =
                (0..variant.fields.len()).map(|n| format!("::metatrace::rt::place(f{n}, out); ")).collect();
            let patterns: Vec<String> = patterns.collect();
            _ = writeln!(
                fields,
                "            {place} {{ {} }} => {{ {}}}",
                patterns.join(", "),
                refs.concat()
            );
            if !variant.fields.iter().any(|field| is_uninhabited(types, field.ty)) {
                let text = self.sample_of(&data.rust, &place, variant, "n", sampled);
                _ = writeln!(arms, "            {n} => {text}");
            }
        }
        let of_parts = types.get(shape.ty).parts().into_iter().map(|part| samples(types, part)).max();
        let leaves: Vec<String> = shape.niches.iter().map(|(niche, at)| self.leaf(niche, *at)).collect();
        format!(
            "pub fn {name}() -> &'static ::metatrace::rt::EnumShape {{\n    \
             static SHAPE: ::std::sync::OnceLock<::metatrace::rt::EnumShape> = ::std::sync::OnceLock::new();\n    \
             SHAPE.get_or_init(|| unsafe {{\n        \
             // SAFETY: samples are values of the type, and the functions match on such.\n        \
             ::metatrace::rt::EnumProbe::<{rust}> {{\n        \
             variants: {variants}, samples: {samples},\n        \
             sample: &|out, variant, n| match variant {{\n{arms}            \
             _ => ::metatrace::rt::Made::Uninhabited,\n        }},\n        \
             variant: &|at| {which},\n        \
             fields: &|at, out| match *at {{\n{fields}        }},\n        \
             leaves: &[{leaves}],\n    }}.shape() }})\n}}\n",
            name = function(shape.ty),
            rust = data.rust,
            variants = adt.variants.len(),
            samples = of_parts.unwrap_or(1),
            which = self.variant_at(shape.ty, "*at", "usize"),
            leaves = leaves.join(", "),
        )
    }

    fn leaf(&self, niche: &Niche, at: LoadTime) -> String {
        let types = &self.program.types;
        let crate::shape::Step::Variant(_, variant, field) = niche.path[0] else {
            panic!("a niche in no variant: {niche:?}")
        };
        let offset = match at {
            LoadTime::Literal(n) => n.to_string(),
            LoadTime::Glue(n) => {
                let value = &self.made.tables.values[n as usize];
                let terms =
                    value.terms.iter().map(|term| format!("{}()", self.path(term.module, &self.names[term])));
                let all: Vec<String> = terms.chain([value.literal.to_string()]).collect();
                format!("({})", all.join(" + "))
            }
        };
        let known = needs(types, niche).into_iter().map(|of| {
            let shape = self.anywhere(types.data(of).module, &function(of));
            let test = match niche.end {
                crate::shape::End::Tag(tagged) if tagged == of => "== ::metatrace::rt::EnumShape::TAG",
                _ => "!= ::metatrace::rt::EnumShape::CALLS",
            };
            format!("{shape}().how {test}")
        });
        let known: Vec<String> = known.collect();
        let exists = if known.is_empty() { "true".to_string() } else { known.join(" && ") };
        let (bytes, (least, most)) = (niche.scalar.bytes(), niche.valid);
        let written = match wide_tag(types, niche) {
            Some(of) => {
                format!("{}().tag_bytes as usize", self.anywhere(types.data(of).module, &function(of)))
            }
            None => bytes.to_string(),
        };
        let signed = matches!(niche.scalar, Scalar::I8 | Scalar::I16 | Scalar::I32);
        format!(
            "::metatrace::rt::Leaf {{ variant: {variant}, field: {field}, offset: {offset}, bytes: {bytes}, \
             written: {written}, signed: {signed}, valid: ({least}, {most}), exists: {exists} }}"
        )
    }

    /// A block that writes a sample of a struct or variant to `out`.
    fn sample_of(
        &self,
        rust: &str,
        place: &str,
        variant: &Variant,
        number: &str,
        sampled: &mut BTreeSet<TypeId>,
    ) -> String {
        let mut text = String::from("{ ");
        let mut inits = Vec::new();
        for (n, field) in variant.fields.iter().enumerate() {
            text += &self.sample_part(n, field.ty, number, sampled);
            inits.push(format!("{}: f{n}.assume_init()", field.name));
        }
        _ = write!(
            text,
            "::core::ptr::write(out as *mut {rust}, {place} {{ {} }}); ::metatrace::rt::Made::Yes }}",
            inits.join(", ")
        );
        text
    }

    /// Statements that make the variable `fN` a sample.
    fn sample_part(&self, n: usize, ty: TypeId, number: &str, sampled: &mut BTreeSet<TypeId>) -> String {
        sampled.insert(ty);
        let data = self.program.types.data(ty);
        let make = self.anywhere(data.module, &format!("mt_t{}", ty.index()));
        format!(
            "let mut f{n} = ::core::mem::MaybeUninit::<{}>::uninit(); \
             match {make}(f{n}.as_mut_ptr() as *mut u8, {number} + {n}) \
             {{ ::metatrace::rt::Made::Yes => {{}} other => return other }} ",
            data.rust
        )
    }

    fn sample_function(&self, ty: TypeId, sampled: &mut BTreeSet<TypeId>) -> String {
        let types = &self.program.types;
        let data = types.data(ty);
        let rust = &data.rust;
        let body = match &data.ty {
            _ if is_uninhabited(types, ty) => "::metatrace::rt::Made::Uninhabited".to_string(),
            Type::Adt(adt) if is_owner(adt) => {
                let value =
                    format!("::core::mem::transmute::<*mut u64, {rust}>(::metatrace::rt::sample_memory())");
                format!("::core::ptr::write(out as *mut {rust}, {value}); ::metatrace::rt::Made::Yes")
            }
            Type::Adt(adt) if adt.is_enum => self.enum_sample(rust, adt, sampled),
            Type::Tuple(parts) => self.list(rust, parts, ["(", ",)"], sampled),
            Type::Array(elem, len) => self.list(rust, &vec![*elem; *len as usize], ["[", "]"], sampled),
            Type::Adt(adt) => self.struct_sample(ty, adt, sampled),
            _ => {
                let value = self.plain_sample(ty);
                format!("::core::ptr::write(out as *mut {rust}, {value}); ::metatrace::rt::Made::Yes")
            }
        };
        format!(
            "#[allow(unused_variables)]\n\
             pub fn mt_t{}(out: *mut u8, n: usize) -> ::metatrace::rt::Made {{\n    \
             // SAFETY: there is room for a value; what samples refer to lives for ever.\n    \
             unsafe {{ {body} }}\n}}\n",
            ty.index()
        )
    }

    fn enum_sample(&self, rust: &str, adt: &Adt, sampled: &mut BTreeSet<TypeId>) -> String {
        let types = &self.program.types;
        let inhabited = |v: &&Variant| !v.fields.iter().any(|field| is_uninhabited(types, field.ty));
        let variants: Vec<&Variant> = adt.variants.iter().filter(inhabited).collect();
        let count = variants.len();
        let mut arms = String::new();
        for (n, variant) in variants.into_iter().enumerate() {
            let place = variant_path(adt, &variant.name);
            let text = self.sample_of(rust, &place, variant, &format!("n / {count}"), sampled);
            let pattern = if n + 1 == count { "_".to_string() } else { n.to_string() };
            _ = write!(arms, "{pattern} => {text} ");
        }
        format!("match n % {count} {{ {arms}}}")
    }

    fn struct_sample(&self, ty: TypeId, adt: &Adt, sampled: &mut BTreeSet<TypeId>) -> String {
        let rust = &adt.rust;
        let variant = &adt.variants[0];
        let place = struct_path(adt);
        let wrap = match path(rust) {
            "std::cell::Cell"
            | "std::cell::UnsafeCell"
            | "std::mem::ManuallyDrop"
            | "metatrace::gc::GcCell" => "new",
            "metatrace::gc::Gc" => {
                let to = self.pointed_to(ty);
                return format!(
                    "::core::ptr::write(out as *mut {rust}, {place}::from_bits(\
                     ::metatrace::rt::sample_memory::<{to}>() as u64)); ::metatrace::rt::Made::Yes"
                );
            }
            "metatrace::gc::Weak" => {
                return "::core::ptr::write(out as *mut *mut u64, ::metatrace::rt::sample_memory::<u64>()); \
                        ::metatrace::rt::Made::Yes"
                    .to_string();
            }
            "std::ptr::NonNull" => {
                let to = self.pointed_to(ty);
                return format!(
                    "::core::ptr::write(out as *mut {rust}, {place}::new_unchecked(\
                     ::metatrace::rt::sample_memory::<{to}>())); ::metatrace::rt::Made::Yes"
                );
            }
            _ => return self.sample_of(rust, place, variant, "n", sampled),
        };
        let part = self.sample_part(0, variant.fields[0].ty, "n", sampled);
        format!(
            "{part}::core::ptr::write(out as *mut {rust}, {place}::{wrap}(f0.assume_init())); \
             ::metatrace::rt::Made::Yes"
        )
    }

    fn list(
        &self,
        rust: &str,
        parts: &[TypeId],
        [open, close]: [&str; 2],
        sampled: &mut BTreeSet<TypeId>,
    ) -> String {
        if parts.is_empty() {
            return "::metatrace::rt::Made::Yes".to_string();
        }
        let makes: String =
            parts.iter().enumerate().map(|(n, &part)| self.sample_part(n, part, "n", sampled)).collect();
        let values: Vec<String> = (0..parts.len()).map(|n| format!("f{n}.assume_init()")).collect();
        format!(
            "{makes}::core::ptr::write(out as *mut {rust}, {open}{}{close}); ::metatrace::rt::Made::Yes",
            values.join(", ")
        )
    }

    /// An expression for sample `n` of a type that is not taken apart.
    fn plain_sample(&self, ty: TypeId) -> String {
        let types = &self.program.types;
        let rust = &types.data(ty).rust;
        let bits = "::metatrace::rt::sample_bits(n)";
        let memory = |to: TypeId| format!("::metatrace::rt::sample_memory::<{}>()", types.data(to).rust);
        if let Some(wide) = self.wide_sample(ty) {
            return wide;
        }
        match types.get(ty) {
            Type::Bool => "n % 2 == 1".to_string(),
            Type::Char => "::metatrace::rt::sample_char(n)".to_string(),
            Type::Int { .. } => format!("{bits} as {rust}"),
            Type::F32 => format!("f32::from_bits({bits} as u32)"),
            Type::F64 => format!("f64::from_bits({bits})"),
            Type::FnPtr { .. } => {
                format!("::core::mem::transmute::<*const (), {rust}>(::metatrace::rt::sample_function())")
            }
            Type::Box(to) => format!("::std::boxed::Box::from_raw({})", memory(*to)),
            Type::Vec(_) => "::std::vec::Vec::with_capacity(5 * n)".to_string(),
            Type::String => "::std::string::String::with_capacity(5 * n)".to_string(),
            Type::Ref { to, mutable } => {
                let mutable = if *mutable { "mut " } else { "" };
                let raw_parts = if mutable.is_empty() { "from_raw_parts" } else { "from_raw_parts_mut" };
                match types.get(*to) {
                    Type::Str if mutable.is_empty() => "[\"\", \"a\", \"abc\"][n % 3]".to_string(),
                    Type::Str => {
                        let bytes = "::core::slice::from_raw_parts_mut(::metatrace::rt::sample_memory::<u8>(), n % 2)";
                        format!("::core::str::from_utf8_unchecked_mut({bytes})")
                    }
                    Type::Slice(elem) => format!("::core::slice::{raw_parts}({}, n % 2)", memory(*elem)),
                    _ => format!("&{mutable}*{}", memory(*to)),
                }
            }
            Type::RawPtr { to, mutable } => {
                let kind = if *mutable { "mut" } else { "const" };
                match types.get(*to) {
                    Type::Str => format!("[\"\", \"a\", \"abc\"][n % 3] as *const str as *{kind} str"),
                    Type::Slice(elem) => {
                        let rust = &types.data(*elem).rust;
                        format!("::core::ptr::slice_from_raw_parts({}, n) as *{kind} [{rust}]", memory(*elem))
                    }
                    _ => format!("{bits} as usize as {rust}"),
                }
            }
            Type::Opaque(opaque) => match counted(&opaque.rust) {
                Some(make) => format!("::metatrace::rt::{make}()"),
                None => panic!("a sample of {rust}"),
            },
            _ => panic!("a sample of {rust}"),
        }
    }

    /// A sample of an owner of something unsized, or of a reference to a trait object: two words, of which nobody uses what they
    /// refer to.
    fn wide_sample(&self, ty: TypeId) -> Option<String> {
        let types = &self.program.types;
        let to = match types.get(ty) {
            Type::Box(to) => *to,
            Type::Opaque(opaque) if counted(&opaque.rust).is_some() => *opaque.reaches.first()?,
            Type::Ref { to, .. } if matches!(types.get(*to), Type::Dyn(_)) => *to,
            _ => return None,
        };
        let memory = "::metatrace::rt::sample_memory::<[usize; 8]>() as usize";
        let second = match types.get(to) {
            Type::Dyn(_) => memory,
            Type::Str | Type::Slice(_) => "n % 2",
            _ => return None,
        };
        let rust = &types.data(ty).rust;
        Some(format!("::core::mem::transmute::<[usize; 2], {rust}>([{memory}, {second}])"))
    }

    /// What a `NonNull` points to.
    fn pointed_to(&self, ty: TypeId) -> String {
        let types = &self.program.types;
        let Type::Adt(adt) = types.get(ty) else { panic!("{} is no `NonNull`", types.data(ty).rust) };
        let to = types.pointee(adt.variants[0].fields[0].ty);
        to.map_or_else(|| "u8".to_string(), |to| types.data(to).rust.clone())
    }
}
