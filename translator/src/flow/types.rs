//! The concrete types of flow graphs.
//!
//! Types are interned: equal types have equal [`TypeId`]s. A type knows what it is made of, not where its parts lie in
//! memory: offsets and sizes are load-time values that the glue asks rustc for.
//!
//! *Nominal* types (structs, enums, opaque types, trait objects) are found by their Rust spelling alone, so that a type
//! can be declared before its fields, which may mention it, are known. All others are found by their structure, and
//! [`Types::add`] derives what is asked of them from their parts.

use crate::flow::{MAX_ARRAY_WORDS, MAX_WORDS, ModuleId, Pos};
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
    /// `Box<T>`: one word by value, or two for an unsized `T`.
    Box(TypeId),
    /// `Vec<T>`: three words by value; fields: buffer `*mut T`, length, capacity.
    Vec(TypeId),
    /// `String`: as `Vec<u8>`.
    String,
    /// Any other type that is not looked into; moved bytewise.
    Opaque(Opaque),
}

impl Type {
    /// `usize`.
    pub const USIZE: Type = Type::Int { bits: 64, signed: false, size: true };
    /// `u8`.
    pub const U8: Type = Type::Int { bits: 8, signed: false, size: false };

    /// Whether it is found by its name.
    pub fn is_nominal(&self) -> bool {
        matches!(self, Type::Adt(_) | Type::Opaque(_) | Type::Dyn(_))
    }

    /// Whether it is a reference, raw pointer or function pointer.
    pub fn is_pointer(&self) -> bool {
        matches!(self, Type::Ref { .. } | Type::RawPtr { .. } | Type::FnPtr { .. })
    }

    /// The types that it is directly made of; of a struct or enum, the fields'.
    pub fn parts(&self) -> Vec<TypeId> {
        match self {
            Type::Slice(part) | Type::Array(part, _) | Type::Box(part) | Type::Vec(part) => vec![*part],
            Type::Ref { to, .. } | Type::RawPtr { to, .. } => vec![*to],
            Type::FnPtr { params, ret } => params.iter().chain([ret]).copied().collect(),
            Type::Tuple(parts) | Type::Closure { captures: parts, .. } => parts.clone(),
            Type::Adt(adt) => adt.variants.iter().flat_map(|v| v.fields.iter().map(|f| f.ty)).collect(),
            Type::Opaque(opaque) => opaque.reaches.clone(),
            Type::Bool
            | Type::Char
            | Type::Int { .. }
            | Type::F32
            | Type::F64
            | Type::Never
            | Type::Str
            | Type::String
            | Type::Dyn(_) => vec![],
        }
    }
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
    /// Set if not all fields can be named in `module`, since they are private to another crate.
    pub hidden: Option<Hidden>,
    /// Where it is declared, if that is in the user's crate.
    pub pos: Pos,
}

/// How the glue of the crate that declares a generic struct tells where its fields are, to the glue of crates that use it with their
/// own types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hidden {
    /// The module that declares it.
    pub module: ModuleId,
    /// The path of that module's glue.
    pub glue: String,
    /// Its name there.
    pub name: String,
    /// Its parameters as declared: `<T: Copy>`.
    pub params: String,
    /// The conditions on them: `where T: Copy`.
    pub bounds: String,
    /// Its path with its parameters: `code::Stack<T>`.
    pub generic: String,
    /// The arguments of this instance: `<crate::Value>`.
    pub args: String,
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
    /// The names of the interpreter's libraries.
    pub libraries: Vec<String>,
    data: Vec<TypeData>,
    structural: HashMap<Type, TypeId>,
    nominal: HashMap<String, TypeId>,
}

impl Types {
    /// Whether a struct or enum is of the interpreter's crates, so that its fields are known.
    pub fn is_own(&self, adt: &Adt) -> bool {
        self.library(adt).is_some() || adt.rust.starts_with("crate::")
    }

    /// The library that declares a struct or enum.
    pub fn library(&self, adt: &Adt) -> Option<&str> {
        let (first, _) = adt.rust.split_once("::")?;
        self.libraries.iter().map(String::as_str).find(|library| *library == first)
    }

    /// Adds a type, or finds it: `data.rust` and the rest are taken from the first time.
    pub fn intern(&mut self, data: TypeData) -> TypeId {
        if data.ty.is_nominal() {
            let (id, is_new) = self.declare(&data.rust, data.module);
            if is_new {
                self.define(id, data);
            }
            return id;
        }
        if let Some(&id) = self.structural.get(&data.ty) {
            return id;
        }
        let id = TypeId::new(self.data.len());
        self.structural.insert(data.ty.clone(), id);
        self.data.push(data);
        id
    }

    /// Finds a nominal type by its spelling, or makes room for it: then the second part is true, and
    /// [`Types::define`] must follow before anything is asked about it.
    pub fn declare(&mut self, rust: &str, module: ModuleId) -> (TypeId, bool) {
        if let Some(&id) = self.nominal.get(rust) {
            return (id, false);
        }
        let id = TypeId::new(self.data.len());
        self.nominal.insert(rust.to_string(), id);
        let ty = Type::Dyn(rust.to_string());
        self.data.push(TypeData { ty, rust: rust.to_string(), module, needs_drop: true, freeze: false });
        (id, true)
    }

    /// Says what a declared type is.
    pub fn define(&mut self, id: TypeId, data: TypeData) {
        assert!(
            data.ty.is_nominal() && data.rust == self.data[id.index()].rust,
            "{data:?} is not what was declared"
        );
        self.data[id.index()] = data;
    }

    /// The nominal type of this spelling.
    pub fn find(&self, rust: &str) -> Option<TypeId> {
        self.nominal.get(rust).copied()
    }

    /// Adds or finds a type that is not nominal; spelling, module, drop and freeze follow from its parts.
    pub fn add(&mut self, ty: Type) -> TypeId {
        if let Some(&id) = self.structural.get(&ty) {
            return id;
        }
        let parts = ty.parts();
        let owned: &[TypeId] = if ty.is_pointer() { &[] } else { &parts };
        let is_container = matches!(ty, Type::Box(_) | Type::Vec(_) | Type::String);
        let data = TypeData {
            rust: self.spell(&ty).unwrap_or_default(),
            module: parts.iter().map(|&part| self.data(part).module).max().unwrap_or(ModuleId(0)),
            needs_drop: is_container || owned.iter().any(|&part| self.data(part).needs_drop),
            freeze: is_container || owned.iter().all(|&part| self.data(part).freeze),
            ty,
        };
        let id = self.intern(data);
        let elem = match *self.get(id) {
            Type::Vec(elem) => Some(elem),
            Type::String => Some(self.add(Type::U8)),
            _ => None,
        };
        if let Some(elem) = elem {
            self.add(Type::RawPtr { to: elem, mutable: true });
            self.add(Type::USIZE);
        }
        id
    }

    /// Rust's spelling of a type that is not nominal; `None` if a part has none.
    fn spell(&self, ty: &Type) -> Option<String> {
        let of = |id: &TypeId| {
            let rust = &self.data(*id).rust;
            (!rust.is_empty()).then(|| rust.clone())
        };
        let list = |ids: &[TypeId]| Some(ids.iter().map(of).collect::<Option<Vec<_>>>()?.join(", "));
        Some(match ty {
            Type::Bool => "bool".to_string(),
            Type::Char => "char".to_string(),
            Type::Int { bits, signed, size } => {
                let sign = if *signed { 'i' } else { 'u' };
                if *size { format!("{sign}size") } else { format!("{sign}{bits}") }
            }
            Type::F32 => "f32".to_string(),
            Type::F64 => "f64".to_string(),
            Type::Never => "!".to_string(),
            Type::Str => "str".to_string(),
            Type::String => "String".to_string(),
            Type::Slice(elem) => format!("[{}]", of(elem)?),
            Type::Ref { to, mutable } => {
                let text = if *mutable { "&mut " } else { "&" };
                if matches!(self.get(*to), Type::Dyn(_)) {
                    format!("{text}({})", of(to)?)
                } else {
                    text.to_string() + &of(to)?
                }
            }
            Type::RawPtr { to, mutable } => {
                let text = if *mutable { "*mut " } else { "*const " };
                if matches!(self.get(*to), Type::Dyn(_)) {
                    format!("{text}({})", of(to)?)
                } else {
                    text.to_string() + &of(to)?
                }
            }
            Type::FnPtr { params, ret } => format!("fn({}) -> {}", list(params)?, of(ret)?),
            Type::Tuple(parts) if parts.len() == 1 => format!("({},)", of(&parts[0])?),
            Type::Tuple(parts) => format!("({})", list(parts)?),
            Type::Array(elem, len) => format!("[{}; {len}]", of(elem)?),
            Type::Box(of_ty) => format!("Box<{}>", of(of_ty)?),
            Type::Vec(elem) => format!("Vec<{}>", of(elem)?),
            Type::Closure { .. } | Type::Adt(_) | Type::Opaque(_) | Type::Dyn(_) => return None,
        })
    }

    /// Whether a call of a function with this result yields a value: not if it is returned by address, or never.
    pub fn returns_value(&self, ret: TypeId) -> bool {
        !self.is_memory(ret) && *self.get(ret) != Type::Never
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

    /// The type of the parts of a `Vec` or `String`: buffer, length, capacity. The buffer's pointer type and `usize`
    /// are in the table as soon as a container is.
    pub fn container_field(&self, container: TypeId, field: u32) -> Option<TypeId> {
        let find = |ty: Type| self.structural.get(&ty).copied();
        let elem = match self.get(container) {
            Type::Vec(elem) => *elem,
            Type::String => find(Type::U8)?,
            _ => return None,
        };
        match field {
            0 => find(Type::RawPtr { to: elem, mutable: true }),
            1 | 2 => find(Type::USIZE),
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
            Type::Bool | Type::Char | Type::F32 | Type::FnPtr { .. } => words(out, 1),
            Type::Int { bits, .. } => words(out, if *bits == 128 { 2 } else { 1 }),
            Type::F64 => out.push(Kind::Float),
            Type::Never => {}
            Type::Str | Type::Slice(_) | Type::Dyn(_) => return None,
            Type::Ref { to, .. } | Type::RawPtr { to, .. } | Type::Box(to) => {
                words(out, if self.is_unsized(*to) { 2 } else { 1 })
            }
            Type::Tuple(parts) | Type::Closure { captures: parts, .. } => {
                for &part in parts {
                    self.push_scalars(part, out)?;
                }
            }
            Type::Array(elem, len) => {
                let before = out.len();
                for _ in 0..*len {
                    self.push_scalars(*elem, out)?;
                    if out.len() - before > MAX_ARRAY_WORDS {
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
