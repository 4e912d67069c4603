//! The concrete types of flow graphs.
//!
//! Types are interned: equal types have equal [`TypeId`]s. A type knows what it is made of, not where its parts lie in
//! memory: offsets and sizes are load-time values that the glue asks rustc for.

use crate::flow::{MAX_WORDS, ModuleId};
use metatrace_defs::Kind;
use std::collections::HashMap;

metatrace_defs::entity! {
    /// A concrete type.
    TypeId = "ty"
}

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `char`.
    Char,
    /// An integer; `usize` and `isize` have 64 bits.
    Int {
        /// 8, 16, 32, 64 or 128.
        bits: u8,
        /// Whether it is signed.
        signed: bool,
        /// Whether it is `usize` or `isize`.
        size: bool,
    },
    /// `f32`, as its bits in a word.
    F32,
    /// `f64`.
    F64,
    /// `!`.
    Never,
    /// `str`; only behind pointers.
    Str,
    /// `[T]`; only behind pointers.
    Slice(TypeId),
    /// `dyn Trait`; only behind pointers.
    Dyn(String),
    /// `&T` or `&mut T`.
    Ref {
        /// What it points to.
        to: TypeId,
        /// Whether it is `&mut`.
        mutable: bool,
    },
    /// `*const T` or `*mut T`.
    RawPtr {
        /// What it points to.
        to: TypeId,
        /// Whether it is `*mut`.
        mutable: bool,
    },
    /// `fn(A, …) -> R`.
    FnPtr {
        /// The parameters.
        params: Vec<TypeId>,
        /// The result.
        ret: TypeId,
    },
    /// `(A, …)`.
    Tuple(Vec<TypeId>),
    /// `[T; N]`.
    Array(TypeId, u64),
    /// A struct or enum whose fields are known.
    Adt(Adt),
    /// A closure, by its captures; `id` tells closures apart. Also the type of a function item (no captures).
    Closure {
        /// Unique for each closure expression and instance.
        id: u32,
        /// The types of the captures.
        captures: Vec<TypeId>,
    },
    /// `Box<T>` of a sized `T`: one word by value.
    Box(TypeId),
    /// `Vec<T>`: three words by value; fields: buffer `*mut T`, length, capacity.
    Vec(TypeId),
    /// `String`: as `Vec<u8>`.
    String,
    /// Any other type that is not looked into; moved bytewise.
    Opaque(Opaque),
}

/// A struct or enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Adt {
    /// Its path and generic arguments, as Rust spells it in `module`.
    pub rust: String,
    /// The module whose glue can name it and its fields.
    pub module: ModuleId,
    /// Whether it is an enum.
    pub is_enum: bool,
    /// The variants; a struct has one.
    pub variants: Vec<Variant>,
    /// What `#[repr]` says.
    pub repr: Repr,
    /// Whether it is `UnsafeCell` or a type of the runtime that hides one (its content is never frozen).
    pub is_cell: bool,
    /// Whether a shared reference to it leads to content that never changes while traces live (`Traced<T>`).
    pub freezes: bool,
}

/// A variant of an enum, or the fields of a struct.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its discriminant, where it is known and matters.
    pub discriminant: Option<i128>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name; the index for tuples.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
}

/// What `#[repr]` says of an enum or struct.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Repr {
    /// `C`.
    pub c: bool,
    /// The integer type of the tag: bits and whether signed.
    pub int: Option<(u8, bool)>,
    /// `transparent`.
    pub transparent: bool,
}

/// A type that is not looked into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Opaque {
    /// As Rust spells it in `module`.
    pub rust: String,
    /// The module whose glue can name it.
    pub module: ModuleId,
    /// Its size in words if known (the glue asserts it); such values may be SSA values, moved bytewise.
    pub words: Option<u8>,
    /// The types that are reachable through it, as far as they are known (its generic arguments).
    pub reaches: Vec<TypeId>,
    /// Whether it may hold interior mutability.
    pub interior_mut: bool,
}

/// A type and what is asked of it often.
#[derive(Clone, Debug)]
pub struct TypeData {
    /// What it is.
    pub ty: Type,
    /// As Rust spells it in [`TypeData::module`]. Closures have no spelling.
    pub rust: String,
    /// The module whose glue can name it: the deepest of its parts'.
    pub module: ModuleId,
    /// Whether dropping a value runs code.
    pub needs_drop: bool,
    /// Whether it holds no `UnsafeCell` by value.
    pub freeze: bool,
}

/// All types of a program.
#[derive(Clone, Debug, Default)]
pub struct Types {
    data: Vec<TypeData>,
    by_type: HashMap<Type, TypeId>,
}

impl Types {
    /// Adds a type, or finds it: `data.rust` and the rest are taken from the first time.
    pub fn intern(&mut self, data: TypeData) -> TypeId {
        if let Some(&id) = self.by_type.get(&data.ty) {
            return id;
        }
        let id = TypeId::new(self.data.len());
        self.by_type.insert(data.ty.clone(), id);
        self.data.push(data);
        id
    }

    /// All types in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (TypeId, &TypeData)> {
        self.data.iter().enumerate().map(|(n, data)| (TypeId::new(n), data))
    }

    /// What is known of a type.
    pub fn data(&self, id: TypeId) -> &TypeData {
        &self.data[id.index()]
    }

    /// What a type is.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.data(id).ty
    }

    /// The pointee of a reference, raw pointer or box.
    pub fn pointee(&self, id: TypeId) -> Option<TypeId> {
        match *self.get(id) {
            Type::Ref { to, .. } | Type::RawPtr { to, .. } | Type::Box(to) => Some(to),
            _ => None,
        }
    }

    /// Whether values of the type are two words when behind a pointer of it.
    pub fn is_unsized(&self, id: TypeId) -> bool {
        matches!(self.get(id), Type::Str | Type::Slice(_) | Type::Dyn(_))
    }

    /// The scalars that a value of the type is taken apart into; `None` for memory types.
    ///
    /// Enums are the index of the variant, then as many words as the largest payload has; a payload's scalars fill
    /// them from the start, floats as their bits. Opaque values and containers are their words.
    pub fn scalars(&self, id: TypeId) -> Option<Vec<Kind>> {
        let mut out = Vec::new();
        self.push_scalars(id, &mut out)?;
        (out.len() <= MAX_WORDS).then_some(out)
    }

    fn push_scalars(&self, id: TypeId, out: &mut Vec<Kind>) -> Option<()> {
        let words = |out: &mut Vec<Kind>, n: usize| out.extend(std::iter::repeat_n(Kind::Word, n));
        match self.get(id) {
            Type::Bool | Type::Char | Type::F32 | Type::FnPtr { .. } | Type::Box(_) => words(out, 1),
            Type::Int { bits, .. } => words(out, if *bits == 128 { 2 } else { 1 }),
            Type::F64 => out.push(Kind::Float),
            Type::Never => {}
            Type::Str | Type::Slice(_) | Type::Dyn(_) => return None,
            Type::Ref { to, .. } | Type::RawPtr { to, .. } => {
                words(out, if self.is_unsized(*to) { 2 } else { 1 })
            }
            Type::Tuple(parts) | Type::Closure { captures: parts, .. } => {
                for &part in parts {
                    self.push_scalars(part, out)?;
                }
            }
            Type::Array(elem, len) => {
                for _ in 0..*len {
                    self.push_scalars(*elem, out)?;
                    if out.len() > MAX_WORDS {
                        return None;
                    }
                }
            }
            Type::Adt(adt) if adt.is_enum => {
                let mut largest = 0;
                for variant in &adt.variants {
                    let mut payload = Vec::new();
                    for field in &variant.fields {
                        self.push_scalars(field.ty, &mut payload)?;
                    }
                    largest = largest.max(payload.len());
                }
                words(out, 1 + largest);
            }
            Type::Adt(adt) => {
                for field in &adt.variants[0].fields {
                    self.push_scalars(field.ty, out)?;
                }
            }
            Type::Vec(_) | Type::String => words(out, 3),
            Type::Opaque(opaque) => words(out, usize::from(opaque.words?)),
        }
        (out.len() <= MAX_WORDS).then_some(())
    }

    /// Whether values of the type live in memory only.
    pub fn is_memory(&self, id: TypeId) -> bool {
        self.scalars(id).is_none()
    }
}
