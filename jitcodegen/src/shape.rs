//! Enums whose layout Rust does not define: what the glue must find out when the program starts.
//!
//! The answer is an `EnumShape` of the runtime (`metatrace::rt`): a tag, or a *niche* in one of the scalars of a variant's
//! payload. Which scalars may be niches is listed here ([`niches`]), because jitcode must say at translation what it
//! may access: an access through a niche has the alias class of the scalar that it is in. All numbers are load-time values.
//!
//! The glue needs values of each variant to see where rustc puts what. Types of which it cannot make values are told by
//! [`lacks_samples`]; enums with such are read through accessors.

use metatrace_defs::descr::{LoadTime, Scalar};
use metatrace_translator::flow::types::{Adt, Type, TypeId, Types};

use crate::layout::{self, EnumLayout, Offset, enum_layout, is_native};

/// A step from a value into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field of a struct or tuple.
    Field(TypeId, u32),
    /// A field of a variant of an enum.
    Variant(TypeId, u32, u32),
    /// The first element of an array.
    Element(TypeId),
}

/// The scalar that a path ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A word of a leaf of this type.
    Word(TypeId, u32),
    /// A part of a `Vec` or `String`.
    Container(TypeId, u32),
    /// The tag of an enum.
    Tag(TypeId),
}

/// A scalar of an enum's payload that may be a niche.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Niche {
    /// How it is reached; the first step is into the variant.
    pub path: Vec<Step>,
    /// What it is.
    pub end: End,
    /// How it stands in memory.
    pub scalar: Scalar,
    /// The least and the greatest value that it may have in its own right.
    pub valid: (i128, i128),
}

/// What is asked of an enum's shape, by enum.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The enum.
    pub ty: TypeId,
    /// The scalars that may be niches, with their offsets in the variant's field.
    pub niches: Vec<(Niche, LoadTime)>,
}

/// The most scalars that are tried.
const MOST_NICHES: usize = 8;

/// The name of the function that tells the shape of an enum, in its module's glue.
pub fn function(ty: TypeId) -> String {
    format!("mt_e{}", ty.index())
}

/// A number of an enum's shape.
pub fn part(types: &Types, ty: TypeId, part: &str) -> Offset {
    let data = types.data(ty);
    let name = format!("{} of {}", part.split('(').next().unwrap_or(part), layout::short(&data.rust));
    Offset::term(data.module, format!("{}().{part}", function(ty)), name)
}

/// The offset of a field of a variant.
pub fn field(types: &Types, ty: TypeId, variant: u32, field: u32) -> Offset {
    let data = types.data(ty);
    let Type::Adt(adt) = &data.ty else { panic!("a variant of {}", data.rust) };
    let variant_data = &adt.variants[variant as usize];
    let name = format!(
        "offset_of!({}, {}.{})",
        layout::short(&data.rust),
        variant_data.name,
        variant_data.fields[field as usize].name
    );
    Offset::term(data.module, format!("{}().field({variant}, {field})", function(ty)), name)
}

/// The scalars of an enum's payloads that may be niches.
pub fn niches(types: &Types, ty: TypeId) -> Vec<Niche> {
    let Type::Adt(adt) = types.get(ty) else { return vec![] };
    let inhabited = adt.variants.iter().filter(|v| !v.fields.iter().any(|f| is_uninhabited(types, f.ty)));
    let others = inhabited.count().saturating_sub(1) as i128;
    let mut out = Vec::new();
    let mut path = Vec::new();
    if others > 0 {
        variants(types, ty, adt, &mut path, &mut out);
    }
    out.retain(|niche| {
        let (least, most) = range(niche.scalar);
        niche.valid.0 - least >= others || most - niche.valid.1 >= others
    });
    out.truncate(MOST_NICHES);
    out
}

fn range(scalar: Scalar) -> (i128, i128) {
    let bits = 8 * scalar.bytes() as u32;
    match scalar {
        Scalar::I8 | Scalar::I16 | Scalar::I32 => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        _ => (0, (1 << bits) - 1),
    }
}

fn variants(types: &Types, ty: TypeId, adt: &Adt, path: &mut Vec<Step>, out: &mut Vec<Niche>) {
    for (variant, data) in adt.variants.iter().enumerate() {
        for (field, data) in data.fields.iter().enumerate() {
            path.push(Step::Variant(ty, variant as u32, field as u32));
            scalars(types, data.ty, path, out);
            path.pop();
        }
    }
}

/// Adds the scalars of a value that may have values to spare.
fn scalars(types: &Types, ty: TypeId, path: &mut Vec<Step>, out: &mut Vec<Niche>) {
    let not_null = (1, u64::MAX.into());
    let add = |end: End, scalar: Scalar, valid: (i128, i128), path: &[Step], out: &mut Vec<Niche>| {
        out.push(Niche { path: path.to_vec(), end, scalar, valid });
    };
    match types.get(ty) {
        Type::Bool => add(End::Word(ty, 0), Scalar::U8, (0, 1), path, out),
        Type::Char => add(End::Word(ty, 0), Scalar::U32, (0, 0x10_ffff), path, out),
        Type::Ref { .. } | Type::FnPtr { .. } | Type::Box(_) => {
            add(End::Word(ty, 0), Scalar::Word, not_null, path, out);
        }
        Type::Opaque(opaque) if opaque.words <= Some(2) && counted(&opaque.rust).is_some() => {
            add(End::Word(ty, 0), Scalar::Word, not_null, path, out);
        }
        Type::Vec(_) | Type::String => {
            add(End::Container(ty, 0), Scalar::Word, not_null, path, out);
            add(End::Container(ty, 2), Scalar::Word, (0, i64::MAX.into()), path, out);
        }
        Type::Tuple(parts) => {
            for (field, &part) in parts.iter().enumerate() {
                path.push(Step::Field(ty, field as u32));
                scalars(types, part, path, out);
                path.pop();
            }
        }
        Type::Array(elem, len) if *len > 0 => {
            path.push(Step::Element(ty));
            scalars(types, *elem, path, out);
            path.pop();
        }
        Type::Adt(adt) if adt.is_enum => {
            match enum_layout(types, ty) {
                EnumLayout::Tag(scalar, tags) if !tags.is_empty() && scalar != Scalar::Word => {
                    let signed = range(scalar).0 < 0;
                    let values =
                        tags.iter().map(|&tag| if signed { (tag as i64).into() } else { tag.into() });
                    let (least, most) =
                        values.fold((i128::MAX, i128::MIN), |(a, b), v: i128| (a.min(v), b.max(v)));
                    add(End::Tag(ty), scalar, (least, most), path, out);
                }
                EnumLayout::Probed if adt.variants.len() > 1 => {
                    add(End::Tag(ty), Scalar::U8, (0, adt.variants.len() as i128 - 1), path, out);
                }
                _ => {}
            }
            variants(types, ty, adt, path, out);
        }
        Type::Adt(adt) if is_owner(adt) || layout::path(&adt.rust) == "std::ptr::NonNull" => {
            let pointer = adt.variants[0].fields[0].ty;
            path.push(Step::Field(ty, 0));
            add(End::Word(pointer, 0), Scalar::Word, not_null, path, out);
            path.pop();
        }
        Type::Adt(adt) if !adt.is_cell => {
            for (field, data) in adt.variants[0].fields.iter().enumerate() {
                path.push(Step::Field(ty, field as u32));
                scalars(types, data.ty, path, out);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Where a niche lies in the variant's field.
pub fn offset(types: &Types, niche: &Niche) -> Offset {
    let mut sum = Offset::default();
    for step in &niche.path[1..] {
        sum = sum.plus(&match *step {
            Step::Field(of, field) => layout::field_offset(types, of, field),
            Step::Variant(of, variant, field) => match enum_layout(types, of) {
                EnumLayout::Tag(..) | EnumLayout::Probed => {
                    layout::variant_field_offset(types, of, variant, field)
                }
                _ => Offset::default(),
            },
            Step::Element(_) => Offset::default(),
        });
    }
    match niche.end {
        End::Word(_, word) => sum.plus(&Offset::literal(8 * u64::from(word))),
        End::Container(of, part) => sum.plus(&layout::field_offset(types, of, part)),
        End::Tag(of) if enum_layout(types, of) == EnumLayout::Probed => {
            sum.plus(&part(types, of, "tag_offset"))
        }
        End::Tag(_) => sum,
    }
}

/// The enums whose shapes a niche's place depends on, beside the one that it is a niche of: they must be known.
pub fn needs(types: &Types, niche: &Niche) -> Vec<TypeId> {
    let inner = niche.path[1..].iter().filter_map(|step| match *step {
        Step::Variant(of, ..) => Some(of),
        _ => None,
    });
    let tag = match niche.end {
        End::Tag(of) => Some(of),
        _ => None,
    };
    inner.chain(tag).filter(|&of| enum_layout(types, of) == EnumLayout::Probed).collect()
}

/// The enum in whose tag a niche is, if that tag is probed: it may have more bytes than are read.
pub fn wide_tag(types: &Types, niche: &Niche) -> Option<TypeId> {
    match niche.end {
        End::Tag(of) if enum_layout(types, of) == EnumLayout::Probed => Some(of),
        _ => None,
    }
}

/// The number of samples of a type that show all that it may be, as far as variants go.
pub fn samples(types: &Types, ty: TypeId) -> usize {
    match types.get(ty) {
        Type::Tuple(_) | Type::Array(..) | Type::Adt(_) => {
            let of_parts = types.get(ty).parts().into_iter().map(|part| samples(types, part)).max();
            let variants = match types.get(ty) {
                Type::Adt(adt) if adt.is_enum => adt.variants.len(),
                _ => 1,
            };
            (of_parts.unwrap_or(1) * variants).clamp(5, 64)
        }
        _ => 5,
    }
}

/// Whether there are no values of a type, as far as the declaration shows.
pub fn is_uninhabited(types: &Types, ty: TypeId) -> bool {
    let has_none =
        |v: &metatrace_translator::flow::types::Variant| v.fields.iter().any(|f| is_uninhabited(types, f.ty));
    match types.get(ty) {
        Type::Never => true,
        Type::Tuple(parts) => parts.iter().any(|&part| is_uninhabited(types, part)),
        Type::Adt(adt) => adt.variants.iter().all(has_none),
        _ => false,
    }
}

/// `Rc`, `Arc` or a collection, by its spelling: the function that makes samples of those of sized types.
pub fn counted(rust: &str) -> Option<&'static str> {
    match layout::path(rust) {
        "std::rc::Rc" => Some("sample_rc"),
        "std::sync::Arc" => Some("sample_arc"),
        "std::collections::BTreeMap" | "std::collections::VecDeque" => Some("sample_default"),
        "std::collections::HashMap" | "std::collections::HashSet" => Some("sample_default"),
        _ => None,
    }
}

/// Whether it is `Traced<T>`: a pointer that is not null.
pub fn is_owner(adt: &Adt) -> bool {
    adt.freezes
}

/// Structs of the runtime of which the glue makes values.
const SAMPLED: &[&str] =
    &["metatrace::gc::Gc", "metatrace::gc::GcCell", "metatrace::gc::HeapFull", "metatrace::gc::Weak"];

/// A type by value in this one of which the glue cannot make values.
pub fn lacks_samples(types: &Types, ty: TypeId) -> Option<TypeId> {
    if is_uninhabited(types, ty) {
        return None;
    }
    let all = |parts: &[TypeId]| parts.iter().find_map(|&part| lacks_samples(types, part));
    match types.get(ty) {
        Type::Bool
        | Type::Char
        | Type::Int { .. }
        | Type::F32
        | Type::F64
        | Type::Never
        | Type::FnPtr { .. }
        | Type::Ref { .. }
        | Type::Box(_)
        | Type::Vec(_)
        | Type::String => None,
        Type::RawPtr { to, .. } => matches!(types.get(*to), Type::Dyn(_)).then_some(ty),
        Type::Str | Type::Slice(_) | Type::Dyn(_) | Type::Closure { .. } => Some(ty),
        Type::Tuple(parts) => all(parts),
        Type::Array(elem, _) => lacks_samples(types, *elem),
        Type::Adt(adt) if is_owner(adt) => None,
        Type::Adt(adt) => {
            let known = types.is_own(adt) || adt.is_enum || layout::is_known_struct(&adt.rust);
            let path = layout::path(&adt.rust);
            let can_make = adt.hidden.is_none()
                && (!path.starts_with("metatrace::") || SAMPLED.contains(&path))
                && !layout::is_probed_struct(adt);
            if known && can_make && is_native(types, ty) { all(&types.get(ty).parts()) } else { Some(ty) }
        }
        Type::Opaque(opaque) => match counted(&opaque.rust) {
            Some(_) if opaque.words.is_some() => None,
            _ => Some(ty),
        },
    }
}
