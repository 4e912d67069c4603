//! Where things lie in memory, as far as it is said without rustc; the rest becomes load-time values.
//!
//! A number that only rustc knows is an [`Offset`]: a sum of a literal and of Rust expressions that the glue evaluates.
//! Nothing is guessed: how enums lie in memory whose layout Rust does not define is found out when the program starts
//! ([`EnumLayout::Probed`], see `shape`); where that cannot be, they are reached through generated accessors.
//!
//! Closures, iterators of `std` and what is made of them are never seen by native code; their layout is our own: parts one after the other, each at a multiple of 16 bytes, enums with their tag in the first 16.

use std::collections::HashSet;

use metatrace_defs::descr::Scalar;
use metatrace_translator::flow::ModuleId;
use metatrace_translator::flow::types::{Adt, Hidden, Opaque, Type, TypeId, Types};

use crate::shape;

/// A Rust expression of type `u64` that the glue of a module evaluates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    /// The module.
    pub module: ModuleId,
    /// The expression.
    pub rust: String,
    /// What to call it in listings.
    pub name: String,
}

/// A number of bytes: a literal and expressions, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Offset {
    /// What is known.
    pub literal: u64,
    /// What rustc knows.
    pub terms: Vec<Expr>,
}

impl Offset {
    /// A known number.
    pub fn literal(literal: u64) -> Offset {
        Offset { literal, terms: vec![] }
    }

    /// The value of one expression.
    pub fn term(module: ModuleId, rust: String, name: String) -> Offset {
        Offset { literal: 0, terms: vec![Expr { module, rust, name }] }
    }

    /// The sum.
    pub fn plus(mut self, other: &Offset) -> Offset {
        self.literal += other.literal;
        self.terms.extend(other.terms.iter().cloned());
        self
    }

    /// This number `n` times.
    pub fn times(&self, n: u64) -> Offset {
        let terms = self.terms.iter().map(|term| Expr {
            module: term.module,
            rust: format!("({}) * {n}", term.rust),
            name: format!("{n} * {}", term.name),
        });
        match n {
            0 => Offset::default(),
            1 => self.clone(),
            _ => Offset { literal: self.literal * n, terms: terms.collect() },
        }
    }

    /// Whether it is 0 for sure.
    pub fn is_zero(&self) -> bool {
        self.literal == 0 && self.terms.is_empty()
    }
}

/// How an enum lies in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnumLayout {
    /// One variant without fields: there is nothing in memory.
    Nothing,
    /// A tag at offset 0, for each variant this value as the scalar reads it; payloads where the glue finds them.
    Tag(Scalar, Vec<u64>),
    /// A pointer that is null for the variant without fields.
    Null {
        /// The variant with the pointer.
        some: u32,
    },
    /// As the glue finds out; by accessors if it cannot.
    Probed,
    /// Any other: only generated Rust code reads and writes it.
    Accessors,
}

/// The scalar that stands in memory for a scalar type; `None` for types of no or several scalars.
pub fn scalar(types: &Types, ty: TypeId) -> Option<Scalar> {
    Some(match types.get(ty) {
        Type::Bool => Scalar::U8,
        Type::Char | Type::F32 => Scalar::U32,
        Type::F64 => Scalar::Float,
        Type::Int { bits: 128, .. } => return None,
        Type::Int { bits, signed, .. } => integer(*bits, *signed),
        Type::FnPtr { .. } => Scalar::Word,
        Type::Ref { to, .. } | Type::RawPtr { to, .. } | Type::Box(to) if !types.is_unsized(*to) => {
            Scalar::Word
        }
        _ => return None,
    })
}

fn integer(bits: u8, signed: bool) -> Scalar {
    match (bits, signed) {
        (8, false) => Scalar::U8,
        (8, true) => Scalar::I8,
        (16, false) => Scalar::U16,
        (16, true) => Scalar::I16,
        (32, false) => Scalar::U32,
        (32, true) => Scalar::I32,
        _ => Scalar::Word,
    }
}

/// Structs of `std` and of the runtime whose fields are, by name and type, those of our model.
const TRUE_STRUCTS: &[&str] = &[
    "metatrace::Apart",
    "std::array::TryFromSliceError",
    "std::num::TryFromIntError",
    "metatrace::QuasiImmut",
    "metatrace::Traced",
    "metatrace::gc::HeapFull",
    "metatrace::rt::TracedBox",
    "metatrace::rt::RcCounts",
    "std::cell::Ref",
    "std::cell::RefCell",
    "std::cell::RefMut",
    "std::cmp::Reverse",
    "std::fmt::Error",
    "std::num::Wrapping",
    "std::ops::Range",
    "std::ops::RangeFrom",
    "std::ops::RangeFull",
    "std::ops::RangeTo",
    "std::ops::RangeToInclusive",
];

/// Structs whose fields cannot be named: where they lie is found out when the program starts.
const PROBED_STRUCTS: &[&str] =
    &["metatrace::rt::RcCounts", "std::cell::Ref", "std::cell::RefCell", "std::cell::RefMut"];

/// Structs of `std` and of the runtime that have the layout of their one field, which cannot be named.
const TRANSPARENT_STRUCTS: &[&str] = &[
    "metatrace::gc::Gc",
    "metatrace::gc::GcBox",
    "metatrace::gc::GcCell",
    "metatrace::gc::Weak",
    "std::cell::Cell",
    "std::cell::UnsafeCell",
    "std::mem::ManuallyDrop",
    "std::ptr::NonNull",
];

/// Structs of the runtime with fields that cannot be named: the second at `metatrace::gc::LAYOUT`, a third where the type tells.
const FIXED_STRUCTS: &[&str] =
    &["metatrace::gc::Array", "metatrace::gc::Buffer", "metatrace::gc::GcVec", "metatrace::gc::Headed"];

/// Whether it is what references to collected objects point to.
pub fn is_collected(rust: &str) -> bool {
    path(rust) == "metatrace::gc::GcBox"
}

/// Whether memory of the type is that of `metatrace::Apart`: accessed as that only.
pub fn is_apart(types: &Types, ty: TypeId) -> bool {
    matches!(types.get(ty), Type::Adt(adt) if path(&adt.rust) == "metatrace::Apart")
}

/// Whether the type is a counted pointer, whose content nobody changes while it lives, but for interior mutability.
pub fn is_shared(opaque: &Opaque) -> bool {
    path(&opaque.rust) == "std::rc::Rc"
}

/// Whether a struct of `std` or of the runtime has the fields of our model, or just one.
pub fn is_known_struct(rust: &str) -> bool {
    [TRUE_STRUCTS, TRANSPARENT_STRUCTS, FIXED_STRUCTS].concat().contains(&path(rust))
}

/// Whether it is a struct of which glue makes no values, and whose fields it finds by probing.
pub fn is_probed_struct(adt: &Adt) -> bool {
    PROBED_STRUCTS.contains(&path(&adt.rust))
}

/// The path in a type's spelling, without generic arguments.
pub fn path(rust: &str) -> &str {
    rust.split('<').next().unwrap_or_default()
}

/// Whether the type lies in memory as rustc says. Types that Rust cannot spell (the translator spells them with braces),
/// structs of `std` that our model gives other fields, and what contains such by value, have our own layout.
pub fn is_native(types: &Types, ty: TypeId) -> bool {
    let data = types.data(ty);
    let parts = match &data.ty {
        _ if data.rust.is_empty() || data.rust.contains('{') => return false,
        Type::Adt(adt) => {
            if !types.is_own(adt) && !adt.is_enum && !is_known_struct(&adt.rust) {
                return false;
            }
            // Only those of sized content can be probed.
            let is_fat = |part: &TypeId| types.pointee(*part).is_some_and(|to| types.is_unsized(to));
            if is_probed_struct(adt) && data.ty.parts().iter().any(is_fat) {
                return false;
            }
            data.ty.parts()
        }
        Type::Tuple(parts) => parts.clone(),
        Type::Array(elem, _) => vec![*elem],
        _ => vec![],
    };
    parts.into_iter().all(|part| is_native(types, part))
}

/// A type with our own layout that can be reached from a value of this one, so that native code must not get it.
pub fn reaches_own(types: &Types, ty: TypeId) -> Option<TypeId> {
    let mut seen = HashSet::new();
    let mut work = vec![ty];
    while let Some(ty) = work.pop() {
        if seen.insert(ty) {
            if !is_native(types, ty) {
                return Some(ty);
            }
            if !matches!(types.get(ty), Type::FnPtr { .. }) {
                work.extend(types.get(ty).parts());
            }
        }
    }
    None
}

/// The last segments of the paths in a type's spelling, for names in listings.
pub fn short_name(types: &Types, ty: TypeId) -> String {
    match types.get(ty) {
        Type::Closure { id, .. } => format!("closure{id}"),
        _ => short(&types.data(ty).rust),
    }
}

/// A spelling without the modules in its paths.
pub fn short(rust: &str) -> String {
    let mut out = String::new();
    let mut rest = rust;
    while let Some(c) = rest.chars().next() {
        if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            match tail.strip_prefix("::") {
                Some(after) if after.starts_with(|c: char| c.is_alphabetic() || c == '_') => rest = after,
                _ => {
                    out.push_str(word);
                    rest = tail;
                }
            }
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// The size of a type in memory.
pub fn size(types: &Types, ty: TypeId) -> Offset {
    if let Some(scalar) = scalar(types, ty) {
        return Offset::literal(scalar.bytes() as u64);
    }
    match types.get(ty) {
        Type::Ref { .. } | Type::RawPtr { .. } | Type::Box(_) | Type::Int { .. } => Offset::literal(16),
        Type::Never => Offset::default(),
        Type::Tuple(parts) if parts.is_empty() => Offset::default(),
        Type::Vec(_) | Type::String => Offset::literal(24),
        Type::Array(elem, len) => size(types, *elem).times(*len),
        _ if is_native(types, ty) => {
            let data = types.data(ty);
            let rust = format!("::core::mem::size_of::<{}>() as u64", data.rust);
            Offset::term(data.module, rust, format!("size_of::<{}>()", short(&data.rust)))
        }
        Type::Adt(adt) if adt.is_enum => {
            // The tag, then room for every variant one after the other.
            let parts: Vec<TypeId> =
                adt.variants.iter().flat_map(|v| v.fields.iter().map(|f| f.ty)).collect();
            Offset::literal(16).plus(&own_size(types, &parts))
        }
        other => own_size(types, &other.parts()),
    }
}

/// The alignment of a type in memory.
pub fn align(types: &Types, ty: TypeId) -> Offset {
    if let Some(scalar) = scalar(types, ty) {
        return Offset::literal(scalar.bytes() as u64);
    }
    match types.get(ty) {
        Type::Ref { .. } | Type::RawPtr { .. } | Type::Box(_) | Type::Vec(_) | Type::String => {
            Offset::literal(8)
        }
        Type::Never => Offset::literal(1),
        Type::Tuple(parts) if parts.is_empty() => Offset::literal(1),
        _ if is_native(types, ty) => {
            let data = types.data(ty);
            let rust = format!("::core::mem::align_of::<{}>() as u64", data.rust);
            Offset::term(data.module, rust, format!("align_of::<{}>()", short(&data.rust)))
        }
        _ => Offset::literal(16),
    }
}

/// The size of parts in our own layout.
fn own_size(types: &Types, parts: &[TypeId]) -> Offset {
    parts.iter().fold(Offset::default(), |sum, &part| sum.plus(&round_up(size(types, part))))
}

/// The next multiple of 16.
fn round_up(size: Offset) -> Offset {
    let Offset { literal, terms } = size;
    match (&terms[..], literal) {
        ([], n) => Offset::literal(n.next_multiple_of(16)),
        ([one], 0) => {
            let rust = format!("({}).next_multiple_of(16)", one.rust);
            Offset::term(one.module, rust, format!("{} rounded up to 16", one.name))
        }
        // More than any sum of roundings.
        (_, n) => terms.iter().fold(Offset::literal(n.next_multiple_of(16)), |sum, term| {
            sum.plus(&round_up(Offset { literal: 0, terms: vec![term.clone()] }))
        }),
    }
}

/// The offset of a field of a struct, tuple, closure, `Vec` or `String`.
pub fn field_offset(types: &Types, ty: TypeId, field: u32) -> Offset {
    let data = types.data(ty);
    match &data.ty {
        Type::Vec(_) | Type::String => {
            let container = if data.ty == Type::String { "Vec<u8>" } else { &data.rust };
            let rust = format!("::metatrace::rt::vec_offset::<{container}>({field})");
            let part = ["buffer", "length", "capacity"][field as usize];
            Offset::term(data.module, rust, format!("offset of {}'s {part}", short(&data.rust)))
        }
        Type::Array(elem, _) => size(types, *elem).times(u64::from(field)),
        Type::Adt(adt) if TRANSPARENT_STRUCTS.contains(&path(&adt.rust)) => Offset::default(),
        Type::Adt(adt) if FIXED_STRUCTS.contains(&path(&adt.rust)) => match field {
            0 => Offset::default(),
            2 => Offset::term(
                data.module,
                format!("<{}>::ELEMENTS as u64", data.rust),
                format!("{}::ELEMENTS", short(&data.rust)),
            ),
            _ => Offset::term(
                data.module,
                "::metatrace::gc::LAYOUT as u64".to_string(),
                "gc::LAYOUT".to_string(),
            ),
        },
        Type::Adt(adt) if is_probed_struct(adt) && is_native(types, ty) => {
            let rust = format!("<{} as ::metatrace::rt::Probed>::offset({field})", data.rust);
            let name = &adt.variants[0].fields[field as usize].name;
            Offset::term(data.module, rust, format!("offset of {}'s {name}", short(&data.rust)))
        }
        Type::Adt(Adt { hidden: Some(hidden), .. }) if is_native(types, ty) => {
            // Only the crate that declares the struct can name the field.
            let Type::Adt(adt) = &data.ty else { unreachable!("matched above") };
            let name = &adt.variants[0].fields[field as usize].name;
            let rust = format!("{}::{}::{}()", hidden.glue, hidden_function(hidden, name), hidden.args);
            Offset::term(data.module, rust, format!("offset_of!({}, {name})", short(&data.rust)))
        }
        _ if is_native(types, ty) => {
            let name = match &data.ty {
                Type::Adt(adt) => adt.variants[0].fields[field as usize].name.clone(),
                _ => field.to_string(),
            };
            let rust = format!("::core::mem::offset_of!({}, {name}) as u64", data.rust);
            Offset::term(data.module, rust, format!("offset_of!({}, {name})", short(&data.rust)))
        }
        other => own_size(types, &other.parts()[..field as usize]),
    }
}

/// The name of the function that tells where a field is that only the glue of the struct's own module can name.
pub fn hidden_function(hidden: &Hidden, field: &str) -> String {
    format!("mt_o_{}_{field}", hidden.name)
}

/// The offset of a field of a variant of an enum that has a tag or is probed.
pub fn variant_field_offset(types: &Types, ty: TypeId, variant: u32, field: u32) -> Offset {
    let data = types.data(ty);
    let Type::Adt(adt) = &data.ty else { panic!("a variant of {}", data.rust) };
    let (scalar, tags) = match enum_layout(types, ty) {
        EnumLayout::Tag(scalar, tags) => (scalar, tags),
        EnumLayout::Probed => return shape::field(types, ty, variant, field),
        _ => panic!("an offset in {}, which has accessors", data.rust),
    };
    let name = &adt.variants[variant as usize].name;
    let field_name = &adt.variants[variant as usize].fields[field as usize].name;
    if !is_native(types, ty) {
        let before = adt.variants[..variant as usize].iter().flat_map(|v| &v.fields);
        let before = before.chain(&adt.variants[variant as usize].fields[..field as usize]);
        let before: Vec<TypeId> = before.map(|f| f.ty).collect();
        return Offset::literal(16).plus(&own_size(types, &before));
    }
    let (bytes, tag) = (scalar.bytes(), tags[variant as usize]);
    let path = variant_path(adt, name);
    let rust = format!(
        "unsafe {{ ::metatrace::rt::variant_offset::<{}>({tag}, {bytes}, |e| match *e {{ \
         {path} {{ {field_name}: ref x, .. }} => x as *const _ as usize, _ => 0 }}) }}",
        data.rust
    );
    Offset::term(data.module, rust, format!("offset_of!({}, {name}.{field_name})", short(&data.rust)))
}

/// The path of a variant in patterns and expressions; generic arguments are left to inference.
pub fn variant_path(adt: &Adt, variant: &str) -> String {
    let path = adt.rust.split('<').next().unwrap_or_default();
    format!("{path}::{variant}")
}

/// How the enum `ty` lies in memory.
pub fn enum_layout(types: &Types, ty: TypeId) -> EnumLayout {
    let Type::Adt(adt) = types.get(ty) else { panic!("{} is no enum", types.data(ty).rust) };
    if !is_native(types, ty) {
        let tags = (0..adt.variants.len() as u64).collect();
        return EnumLayout::Tag(Scalar::Word, tags);
    }
    let has_fields = adt.variants.iter().any(|v| !v.fields.is_empty());
    if let Some(scalar) = tag_scalar(adt, has_fields) {
        return match discriminants(adt, scalar) {
            Some(tags) => EnumLayout::Tag(scalar, tags),
            None => EnumLayout::Accessors,
        };
    }
    if !has_fields {
        return if adt.variants.len() == 1 { EnumLayout::Nothing } else { EnumLayout::Accessors };
    }
    let probed = match shape::lacks_samples(types, ty) {
        Some(_) => EnumLayout::Accessors,
        None if adt.variants.len() > 256 => EnumLayout::Accessors,
        None => EnumLayout::Probed,
    };
    let [a, b] = &adt.variants[..] else { return probed };
    let is_pointer = |v: &metatrace_translator::flow::types::Variant| match &v.fields[..] {
        [field] => matches!(types.get(field.ty), Type::Ref { .. } | Type::Box(_) | Type::FnPtr { .. }),
        _ => false,
    };
    match (a.fields.is_empty(), b.fields.is_empty()) {
        (true, _) if is_pointer(b) => EnumLayout::Null { some: 1 },
        (_, true) if is_pointer(a) => EnumLayout::Null { some: 0 },
        _ => probed,
    }
}

/// The scalar of an enum's tag, where Rust defines it: by `repr`, or the smallest that fits for enums without fields
/// (which the glue asserts).
fn tag_scalar(adt: &Adt, has_fields: bool) -> Option<Scalar> {
    if let Some((bits, signed)) = adt.repr.int {
        return (bits <= 64).then(|| integer(bits, signed));
    }
    if adt.repr.c {
        return Some(Scalar::I32);
    }
    if has_fields || adt.variants.len() <= 1 {
        return None;
    }
    let values = numbers(adt);
    let (min, max) = (*values.iter().min()?, *values.iter().max()?);
    let fits = |bits: u8, signed: bool| match signed {
        true => min >= -(1 << (bits - 1)) && max < 1 << (bits - 1),
        false => min >= 0 && max < 1 << bits,
    };
    let signed = min < 0;
    let bits = [8, 16, 32, 64].into_iter().find(|&bits| fits(bits, signed))?;
    Some(integer(bits, signed))
}

/// The discriminants as the language counts them.
fn numbers(adt: &Adt) -> Vec<i128> {
    let mut next = 0;
    let count = |variant: &metatrace_translator::flow::types::Variant| {
        let number = variant.discriminant.unwrap_or(next);
        next = number + 1;
        number
    };
    adt.variants.iter().map(count).collect()
}

/// The discriminants as the tag's scalar reads them; `None` if one does not fit.
fn discriminants(adt: &Adt, scalar: Scalar) -> Option<Vec<u64>> {
    let canonical = |number: i128| match scalar {
        Scalar::U8 => u8::try_from(number).ok().map(u64::from),
        Scalar::U16 => u16::try_from(number).ok().map(u64::from),
        Scalar::U32 => u32::try_from(number).ok().map(u64::from),
        Scalar::I8 => i8::try_from(number).ok().map(|n| n as u64),
        Scalar::I16 => i16::try_from(number).ok().map(|n| n as u64),
        Scalar::I32 => i32::try_from(number).ok().map(|n| n as u64),
        Scalar::Word | Scalar::Float => {
            u64::try_from(number).ok().or_else(|| i64::try_from(number).ok().map(|n| n as u64))
        }
    };
    numbers(adt).into_iter().map(canonical).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use metatrace_translator::flow::parse;

    fn layout_of(declaration: &str, name: &str) -> EnumLayout {
        let text = format!("program \"demo\" 0x0\nmodule mod0 \"demo\" glue\n{declaration}\n");
        let program = parse::program(&text).unwrap_or_else(|e| panic!("{e}"));
        enum_layout(&program.types, program.types.find(name).unwrap())
    }

    #[test]
    fn enums_lie_where_rust_says() {
        let check = |declaration: &str, expected: EnumLayout| {
            assert_eq!(layout_of(declaration, "crate::E"), expected, "{declaration}");
        };
        check("enum crate::E in mod0 {A, B}", EnumLayout::Tag(Scalar::U8, vec![0, 1]));
        check("enum crate::E in mod0 {A = -1, B}", EnumLayout::Tag(Scalar::I8, vec![u64::MAX, 0]));
        check("enum crate::E in mod0 {A = 300, B}", EnumLayout::Tag(Scalar::U16, vec![300, 301]));
        check("enum crate::E in mod0 {A}", EnumLayout::Nothing);
        check("enum crate::E in mod0 {A{0: i64}, B}", EnumLayout::Probed);
        check("enum crate::E in mod0 repr(u8) {A{0: i64}, B}", EnumLayout::Tag(Scalar::U8, vec![0, 1]));
        check("enum crate::E in mod0 repr(C) {A{0: i64}, B}", EnumLayout::Tag(Scalar::I32, vec![0, 1]));
        check("enum crate::E in mod0 {A, B{0: &i64}}", EnumLayout::Null { some: 1 });
        check("enum crate::E in mod0 {A{0: Box<i64>}, B}", EnumLayout::Null { some: 0 });
        check("enum crate::E in mod0 {A{0: &i64}, B{0: u8}}", EnumLayout::Probed);
    }

    #[test]
    fn names_lose_their_modules() {
        assert_eq!(short("crate::a::Map<std::vec::Vec<u8>, &crate::B>"), "Map<Vec<u8>, &B>");
        assert_eq!(short("<crate::a::T as core::ops::Add>::add"), "<T as Add>::add");
    }
}
