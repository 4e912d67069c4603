//! The tables of a program while its jitcodes are made: access descriptors, alias classes, calls, shims, load-time
//! values. Equal entries are made once.

use std::collections::{HashMap, HashSet};

use metatrace_defs::descr::{Class, ClassId, Flags, LoadTime, Reach, Scalar};
use metatrace_defs::{Access, AccessId, Alloc, AllocId, CallId, Kind};
use metatrace_translator::flow::types::{Type, TypeId, Types};
use metatrace_translator::flow::{ExternId, FuncId};

use crate::layout::{Offset, short_name};
use crate::shape::{self, Shape};

/// What an alias class stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClassKey {
    /// A scalar of a field of a struct, tuple, closure or variant.
    Field {
        /// The type that has the field.
        of: TypeId,
        /// The variant; 0 unless it is an enum.
        variant: u32,
        /// The field.
        field: u32,
        /// The field's type, if it is one scalar or pointer; else the type of the part.
        leaf: TypeId,
        /// Which word of `leaf`.
        word: u32,
    },
    /// An element of arrays, slices and vectors, and what a reference to a scalar points to.
    Bare {
        /// Its type.
        leaf: TypeId,
        /// Which word of it.
        word: u32,
    },
    /// The tag of an enum.
    Tag(TypeId),
    /// The words of a `Vec` or `String` itself.
    Container(TypeId),
    /// What would be of the class `part`, in an `Apart`.
    Apart {
        /// The type that keeps it apart.
        of: TypeId,
        /// The class of the same scalar elsewhere.
        part: ClassId,
    },
    /// For descriptors that are only used to compute addresses.
    Address,
}

/// What a scalar is to those who have a reference to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeafKey {
    /// A word of a value of this type.
    Word(TypeId, u32),
    /// Nobody has a reference to it alone.
    Hidden(ClassKey),
}

impl ClassKey {
    /// By what references it can be reached.
    pub fn leaf(self) -> LeafKey {
        match self {
            ClassKey::Field { leaf, word, .. } | ClassKey::Bare { leaf, word } => LeafKey::Word(leaf, word),
            ClassKey::Tag(_) | ClassKey::Container(_) | ClassKey::Apart { .. } | ClassKey::Address => {
                LeafKey::Hidden(self)
            }
        }
    }
}

/// What a shim does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShimKind {
    /// Calls a function of the crate.
    Func(FuncId),
    /// Calls a native function.
    Extern(ExternId),
    /// Reads a value of the type at an address.
    Load(TypeId),
    /// Writes a value of the type to an address.
    Store(TypeId),
    /// The index of the variant of the enum at an address.
    Variant(TypeId),
    /// The address of a field of a variant of the enum at an address.
    Project(TypeId, u32, u32),
    /// Drops what is at an address.
    Drop(TypeId),
    /// Copies a value of the type from the second address to the first.
    Copy(TypeId),
}

/// A call, whose effects are computed when all classes are known.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its name in listings.
    pub name: String,
    /// What it does.
    pub kind: ShimKind,
    /// Whether the address it works on is a raw pointer of unknown origin.
    pub wild: bool,
    /// The kinds of its arguments.
    pub args: Vec<Kind>,
    /// The kinds of its results.
    pub results: Vec<Kind>,
    /// See [`metatrace_defs::descr::call_flag`].
    pub flags: Flags,
}

/// The tables.
#[derive(Default)]
pub struct Tables {
    /// Access descriptors.
    pub accesses: Vec<Access>,
    /// Alias classes.
    pub classes: Vec<ClassKey>,
    /// Calls.
    pub calls: Vec<Call>,
    /// Shims, by number.
    pub shims: Vec<ShimKind>,
    /// Load-time values, by number.
    pub values: Vec<Offset>,
    /// Allocations.
    pub allocs: Vec<Alloc>,
    /// Enums whose shape is asked for.
    pub shapes: Vec<Shape>,
    access_ids: HashMap<AccessKey, AccessId>,
    class_ids: HashMap<ClassKey, ClassId>,
    call_ids: HashMap<(ShimKind, bool), CallId>,
    shim_ids: HashMap<ShimKind, u32>,
    value_ids: HashMap<Offset, u32>,
}

/// All of an access but its name.
#[derive(Clone, PartialEq, Eq, Hash)]
struct AccessKey {
    offset: LoadTime,
    stride: Option<LoadTime>,
    scalar: Scalar,
    class: ClassId,
    reach: Reach,
    flags: Flags,
}

impl Tables {
    /// A number of bytes as descriptors have it.
    pub fn load_time(&mut self, offset: &Offset) -> LoadTime {
        if offset.terms.is_empty() {
            return LoadTime::Literal(offset.literal);
        }
        let next = self.values.len() as u32;
        let id = *self.value_ids.entry(offset.clone()).or_insert(next);
        if id == next {
            self.values.push(offset.clone());
        }
        LoadTime::Glue(id)
    }

    /// Notes that the shape of an enum is asked for, and of those that it depends on.
    pub fn shape(&mut self, types: &Types, ty: TypeId) {
        if self.shapes.iter().any(|shape| shape.ty == ty) {
            return;
        }
        let index = self.shapes.len();
        self.shapes.push(Shape { ty, niches: vec![] });
        for niche in shape::niches(types, ty) {
            for inner in shape::needs(types, &niche) {
                self.shape(types, inner);
            }
            let offset = self.load_time(&shape::offset(types, &niche));
            self.shapes[index].niches.push((niche, offset));
        }
    }

    /// The descriptor that equals `alloc`.
    pub fn alloc(&mut self, alloc: Alloc) -> AllocId {
        let found = self.allocs.iter().position(|other| *other == alloc);
        AllocId::new(found.unwrap_or_else(|| {
            self.allocs.push(alloc);
            self.allocs.len() - 1
        }))
    }

    /// The class of this key.
    pub fn class(&mut self, key: ClassKey) -> ClassId {
        let next = ClassId::new(self.classes.len());
        let id = *self.class_ids.entry(key).or_insert(next);
        if id == next {
            self.classes.push(key);
        }
        id
    }

    /// The class of this key in an `Apart`, if it is in one.
    pub fn class_in(&mut self, apart: Option<TypeId>, key: ClassKey) -> ClassId {
        let part = self.class(key);
        match apart {
            Some(of) if key != ClassKey::Address => self.class(ClassKey::Apart { of, part }),
            _ => part,
        }
    }

    /// The access that equals `access` in all but its name.
    pub fn access(&mut self, access: Access) -> AccessId {
        let key = AccessKey {
            offset: access.offset,
            stride: access.stride,
            scalar: access.scalar,
            class: access.class,
            reach: access.reach,
            flags: access.flags,
        };
        let next = AccessId::new(self.accesses.len());
        let id = *self.access_ids.entry(key).or_insert(next);
        if id == next {
            self.accesses.push(access);
        }
        id
    }

    /// The call of this kind; `make` says the rest the first time.
    pub fn call(&mut self, kind: ShimKind, wild: bool, make: impl FnOnce() -> Call) -> CallId {
        if let Some(&id) = self.call_ids.get(&(kind, wild)) {
            return id;
        }
        let id = CallId::new(self.calls.len());
        self.call_ids.insert((kind, wild), id);
        let next = self.shims.len() as u32;
        if *self.shim_ids.entry(kind).or_insert(next) == next {
            self.shims.push(kind);
        }
        self.calls.push(make());
        id
    }

    /// The shim of a kind that was called.
    pub fn shim(&self, kind: ShimKind) -> u32 {
        self.shim_ids[&kind]
    }

    /// Adds the classes of all fields that a reference of unknown origin may point to, so that calls which touch them
    /// can say so although jitcode never names them.
    pub fn add_referenced_fields(&mut self, types: &Types) {
        let wild = self.accesses.iter().filter(|access| access.reach == Reach::Leaf);
        let wild = wild.map(|access| self.classes[access.class.index()].leaf());
        let leaves: HashSet<LeafKey> = wild.collect();
        let words: HashMap<TypeId, u32> = leaves
            .iter()
            .filter_map(|leaf| match *leaf {
                LeafKey::Word(ty, word) => Some((ty, word)),
                LeafKey::Hidden(_) => None,
            })
            .fold(HashMap::new(), |mut most, (ty, word)| {
                let entry = most.entry(ty).or_insert(0);
                *entry = word.max(*entry);
                most
            });
        for (of, data) in types.iter() {
            let variants: Vec<Vec<TypeId>> = match &data.ty {
                Type::Adt(adt) => {
                    adt.variants.iter().map(|v| v.fields.iter().map(|f| f.ty).collect()).collect()
                }
                Type::Tuple(parts) | Type::Closure { captures: parts, .. } => vec![parts.clone()],
                _ => vec![],
            };
            for (variant, fields) in variants.iter().enumerate() {
                for (field, &leaf) in fields.iter().enumerate() {
                    let Some(&most) = words.get(&leaf) else { continue };
                    for word in 0..=most {
                        let (variant, field) = (variant as u32, field as u32);
                        self.class(ClassKey::Field { of, variant, field, leaf, word });
                    }
                }
            }
        }
    }

    /// The class descriptors, with leaf types numbered.
    pub fn class_descriptors(&self, types: &Types) -> Vec<Class> {
        let mut leaves: HashMap<LeafKey, u32> = HashMap::new();
        let describe = |&key: &ClassKey| {
            let next = leaves.len() as u32;
            let leaf = *leaves.entry(key.leaf()).or_insert(next);
            Class { name: self.class_name(types, key), leaf }
        };
        self.classes.iter().map(describe).collect()
    }

    /// A class's name in listings.
    fn class_name(&self, types: &Types, key: ClassKey) -> String {
        let suffix = |word: u32| if word == 0 { String::new() } else { format!("#{word}") };
        match key {
            ClassKey::Field { of, variant, field, word, .. } => {
                format!("{}{}", field_name(types, of, variant, field), suffix(word))
            }
            ClassKey::Bare { leaf, word } => format!("[{}]{}", short_name(types, leaf), suffix(word)),
            ClassKey::Tag(ty) => format!("{}.tag", short_name(types, ty)),
            ClassKey::Container(ty) => format!("{} itself", short_name(types, ty)),
            ClassKey::Apart { of, part } => {
                format!("{}: {}", short_name(types, of), self.class_name(types, self.classes[part.index()]))
            }
            ClassKey::Address => "address".to_string(),
        }
    }
}

/// `Type.field`, `Enum.Variant.field`.
pub fn field_name(types: &Types, of: TypeId, variant: u32, field: u32) -> String {
    let name = short_name(types, of);
    match types.get(of) {
        Type::Adt(adt) => {
            let v = &adt.variants[variant as usize];
            let field = v.fields.get(field as usize).map_or("?", |f| &f.name);
            if adt.is_enum { format!("{name}.{}.{field}", v.name) } else { format!("{name}.{field}") }
        }
        _ => format!("{name}.{field}"),
    }
}
