//! Places, loads and stores.
//!
//! An [`Address`] is a base, at most one index with its stride, and an offset that rustc adds up at start-up: constant
//! steps of a path cost nothing. Which class an access has depends on the innermost struct, tuple, variant or container
//! on its path; how far it may reach beyond it, on where the base comes from:
//!
//! | base | fields | elements and scalars |
//! |---|---|---|
//! | reference, box, slot, static | their class | any of the same leaf type |
//! | buffer of a `Vec` or `String` | their class | their class |
//! | any other raw pointer | everything | everything |
//!
//! What is part of a `metatrace::Apart` has a class that only parts of it have, wherever the base comes from.
//!
//! An element of an array that is itself a field has its class alone. Nothing read through a raw pointer is frozen:
//! that is how cells hand out their content.

use metatrace_defs::descr::{Flags, Reach, Scalar, access_flag};
use metatrace_defs::inst::ControlOp;
use metatrace_defs::{Access, AccessId, Kind};
use metatrace_translator::flow::types::{Type, TypeId};
use metatrace_translator::flow::{Memory, OpKind, Place, Proj, ValueId};

use super::{Builder, Lowered, is_enum};
use crate::layout::{self, Offset, short_name};
use crate::scalar::{Field, Src};
use crate::tables::ClassKey;

/// Where an access goes.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) base: Src,
    index: Option<(Src, Offset)>,
    offset: Offset,
    /// The reach of an access to a scalar right there.
    pub(super) reach: Reach,
    /// Whether an `UnsafeCell` was crossed, or the base is a raw pointer.
    pub(super) is_mutable: bool,
    /// Whether an `UnsafeCell` was crossed.
    in_cell: bool,
    /// Whether it is a field of an owner of traces.
    is_owned: bool,
    /// The `Apart` that it is part of.
    apart: Option<TypeId>,
    /// What it is part of.
    place: Holder,
    /// Its name in listings.
    name: String,
}

/// What a scalar is part of, as far as its class is concerned.
#[derive(Clone, Copy)]
enum Holder {
    Field { of: TypeId, variant: u32, field: u32 },
    Bare,
    Container(TypeId),
}

/// Where a pointer comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A reference, a box, a slot, a static.
    Typed,
    /// The buffer of a container.
    Buffer,
    /// A raw pointer that may be anything.
    Raw,
}

impl Address {
    /// What `base` points to, of type `ty`.
    pub(super) fn behind(base: Src, ty_name: String, reach: Reach, is_mutable: bool) -> Address {
        let (offset, place) = (Offset::default(), Holder::Bare);
        Address {
            base,
            index: None,
            offset,
            reach,
            is_mutable,
            in_cell: false,
            is_owned: false,
            apart: None,
            place,
            name: ty_name,
        }
    }

    /// An address somewhere inside, as far as it may reach as this one.
    pub(super) fn at(&self, base: Src) -> Address {
        let mut inner = Address::behind(base, self.name.clone(), self.reach, self.is_mutable);
        (inner.in_cell, inner.apart) = (self.in_cell, self.apart);
        inner
    }

    /// Whether nothing is known of what else is there, to those who know types only.
    pub(super) fn is_wild(&self) -> bool {
        self.reach == Reach::Anything || self.apart.is_some()
    }

    /// This many bytes further on.
    pub(super) fn advance(&mut self, bytes: &Offset) {
        self.offset = std::mem::take(&mut self.offset).plus(bytes);
    }

    /// Appends a part to the name in listings.
    pub(super) fn append(&mut self, part: &str) {
        self.name = format!("{}.{part}", self.name);
    }
}

impl Builder<'_> {
    fn origin(&self, value: ValueId) -> Origin {
        let types = self.types();
        match types.get(self.type_of(value)) {
            Type::Ref { .. } | Type::Box(_) => return Origin::Typed,
            _ => {}
        }
        let Some(definition) = self.definitions[value.index()] else { return Origin::Raw };
        match definition {
            OpKind::SlotAddr(_) | OpKind::New(_) | OpKind::NewArray(Memory::Collected, _) => Origin::Typed,
            OpKind::NewArray(Memory::Plain, _) => Origin::Buffer,
            OpKind::LoadTime(id) if self.cx.program.load_times[id.index()].frozen => Origin::Typed,
            OpKind::Ref(place) => match self.origin(place.base) {
                Origin::Raw => Origin::Raw,
                _ => Origin::Typed,
            },
            OpKind::FatAddress(fat) => self.origin(*fat),
            OpKind::MakeFat { address, .. } => self.origin(*address),
            OpKind::Retype(from) if self.same_target(*from, value) => self.origin(*from),
            OpKind::Extract { value, field: 0, .. } if self.is_container(self.type_of(*value)) => {
                Origin::Buffer
            }
            OpKind::Load(place) => self.loaded_origin(place),
            _ => Origin::Raw,
        }
    }

    /// Where a raw pointer comes from that was read from `place`.
    fn loaded_origin(&self, place: &Place) -> Origin {
        let mut ty = self.types().pointee(self.type_of(place.base));
        let mut origin = Origin::Raw;
        for step in &place.path {
            let Some(current) = ty else { return Origin::Raw };
            match self.types().get(current) {
                Type::Vec(_) | Type::String if *step == Proj::Field(0) => return Origin::Buffer,
                Type::Adt(adt) if adt.freezes => origin = Origin::Typed,
                _ => {}
            }
            ty = self.step_type(current, *step);
        }
        origin
    }

    /// Whether two pointers are to the same type, or one to elements of the other's.
    fn same_target(&self, a: ValueId, b: ValueId) -> bool {
        let element = |value| {
            let ty = self.types().pointee(self.type_of(value))?;
            Some(match *self.types().get(ty) {
                Type::Slice(elem) | Type::Array(elem, _) => elem,
                _ => ty,
            })
        };
        element(a).is_some() && element(a) == element(b)
    }

    fn is_container(&self, ty: TypeId) -> bool {
        matches!(self.types().get(ty), Type::Vec(_) | Type::String)
    }

    /// The type of the part of a `ty` that a step leads to.
    fn step_type(&self, ty: TypeId, step: Proj) -> Option<TypeId> {
        match step {
            Proj::Field(field) if self.is_container(ty) => self.types().container_field(ty, field),
            Proj::Field(field) => self.field_types(ty, 0).get(field as usize).copied(),
            Proj::Variant { variant, field } => self.field_types(ty, variant).get(field as usize).copied(),
            Proj::Index(_) => Some(match *self.types().get(ty) {
                Type::Slice(elem) | Type::Array(elem, _) => elem,
                _ => ty,
            }),
        }
    }

    /// The address and the type of a place.
    pub(super) fn place(&mut self, place: &Place) -> Lowered<(Address, TypeId)> {
        let types = self.types();
        let base = self.value(place.base)[0];
        let pointer = self.type_of(place.base);
        let mut ty = types.pointee(pointer).unwrap_or_else(|| panic!("{} is no pointer", place.base));
        let origin = self.origin(place.base);
        let reach = match origin {
            Origin::Typed => Reach::Leaf,
            Origin::Buffer => Reach::Class,
            Origin::Raw => Reach::Anything,
        };
        let name = short_name(types, ty);
        let mut address = Address::behind(base, name, reach, origin == Origin::Raw);
        if layout::is_apart(types, ty) {
            (address.apart, address.reach) = (Some(ty), Reach::Class);
        }
        for &step in &place.path {
            address = match step {
                Proj::Field(field) => self.field(address, ty, 0, field),
                Proj::Variant { variant, field } => self.variant_field(address, ty, variant, field)?,
                Proj::Index(index) => self.element(address, ty, index),
            };
            ty = self.step_type(ty, step).unwrap_or_else(|| panic!("a step into {}", types.data(ty).rust));
        }
        Ok((address, ty))
    }

    /// The field of a struct, tuple, closure or container at an address.
    pub(super) fn field(&mut self, mut address: Address, of: TypeId, variant: u32, field: u32) -> Address {
        let types = self.types();
        let offset = match is_enum(types, of) {
            true => layout::variant_field_offset(types, of, variant, field),
            false => layout::field_offset(types, of, field),
        };
        address.offset = address.offset.plus(&offset);
        let begins_frozen = matches!(types.get(of), Type::Adt(adt) if layout::is_collected(&adt.rust));
        self.enter(&mut address, of, variant, field);
        if begins_frozen {
            address = self.frozen(address);
        }
        address
    }

    /// The content of a collected object: from here on memory is frozen, whatever the way to it was.
    fn frozen(&mut self, mut address: Address) -> Address {
        let (class, flags) = (ClassKey::Address, access_flag::FREEZES | access_flag::KEEPS_FROZEN);
        let access = self.access(&address, Scalar::Word, Offset::default(), class, flags);
        let fields = [Field::Src(address.base), Field::Index(access.0)];
        address.base = self.produce(ControlOp::InteriorField, Kind::Word, fields);
        (address.offset, address.is_mutable, address.in_cell) = (Offset::default(), false, false);
        (address.reach, address.place, address.apart) = (Reach::Leaf, Holder::Bare, None);
        address
    }

    /// Notes that an address now is that of a field.
    pub(super) fn enter(&self, address: &mut Address, of: TypeId, variant: u32, field: u32) {
        let types = self.types();
        if layout::is_apart(types, of) {
            address.apart = Some(of);
        }
        if address.reach == Reach::Leaf || address.apart.is_some() {
            address.reach = Reach::Class;
        }
        address.place = match types.get(of) {
            Type::Vec(_) | Type::String => Holder::Container(of),
            _ => Holder::Field { of, variant, field },
        };
        if let Type::Adt(adt) = types.get(of) {
            address.is_mutable |= adt.is_cell;
            address.in_cell |= adt.is_cell;
            address.is_owned = adt.freezes;
        }
        let part = match types.get(of) {
            Type::Adt(adt) if adt.is_enum => {
                let variant = &adt.variants[variant as usize];
                format!("{}.{}", variant.name, variant.fields[field as usize].name)
            }
            Type::Adt(adt) => adt.variants[0].fields[field as usize].name.clone(),
            Type::Vec(_) | Type::String => ["buffer", "length", "capacity"][field as usize].to_string(),
            _ => field.to_string(),
        };
        address.name = format!("{}.{part}", address.name);
    }

    fn element(&mut self, mut address: Address, ty: TypeId, index: ValueId) -> Address {
        let types = self.types();
        let elem = match *types.get(ty) {
            Type::Slice(elem) | Type::Array(elem, _) => elem,
            _ => ty,
        };
        let stride = layout::size(types, elem);
        let index = self.one(index);
        address.name = match address.place {
            Holder::Bare => format!("[{}]", short_name(types, elem)),
            _ => format!("{}[]", address.name),
        };
        address.place = Holder::Bare;
        match self.known(index) {
            Some(index) if index < 1 << 32 && stride.terms.len() <= 1 => {
                address.offset = address.offset.plus(&stride.times(index));
            }
            _ => {
                if address.index.is_some() {
                    address.base = self.materialise(&address);
                    address.offset = Offset::default();
                }
                address.index = Some((index, stride));
            }
        }
        address
    }

    /// The address as a word.
    pub(super) fn materialise(&mut self, address: &Address) -> Src {
        self.materialise_typed(address, None)
    }

    /// The address of a value of type `ty` as a word. What the address is of is said by its descriptor, where it can be,
    /// so that an access through the address is known to be one of that field or element.
    fn materialise_typed(&mut self, address: &Address, ty: Option<TypeId>) -> Src {
        // The content of a cell is not frozen though the cell is, and where it starts at the cell's own address the
        // words must be told apart all the same.
        if address.index.is_none() && address.offset.is_zero() && !address.in_cell {
            return address.base;
        }
        let keeps = if address.is_mutable { access_flag::INTERIOR_MUT } else { access_flag::KEEPS_FROZEN };
        let leaf = ty.and_then(|ty| Some((ty, self.plain_scalar(ty)?)));
        let (scalar, class, flags) = match leaf {
            Some((ty, scalar)) => {
                (scalar, self.leaf_class(address, ty, 0), keeps | self.leaf_flags(address, ty, 0))
            }
            None => (Scalar::Word, ClassKey::Address, keeps),
        };
        let access = self.access(address, scalar, Offset::default(), class, flags);
        let mut fields = vec![Field::Src(address.base)];
        let op = match address.index {
            Some((index, _)) => {
                fields.push(Field::Src(index));
                ControlOp::InteriorElem
            }
            None => ControlOp::InteriorField,
        };
        fields.push(Field::Index(access.0));
        self.produce(op, Kind::Word, fields)
    }

    pub(super) fn address_of(&mut self, place: &Place) -> Lowered<Vec<Src>> {
        if place.path.is_empty() {
            return Ok(self.value(place.base));
        }
        let (address, ty) = self.place(place)?;
        Ok(vec![self.materialise_typed(&address, Some(ty))])
    }

    /// The scalar of a type whose reading is described by the same flags as taking its address: of all single scalars but
    /// pointers that are not frozen where the memory they are in is.
    fn plain_scalar(&self, ty: TypeId) -> Option<Scalar> {
        match self.types().get(ty) {
            Type::Ref { mutable: true, .. } | Type::RawPtr { .. } | Type::FnPtr { .. } => None,
            _ => layout::scalar(self.types(), ty),
        }
    }

    fn access(
        &mut self,
        address: &Address,
        scalar: Scalar,
        plus: Offset,
        class: ClassKey,
        flags: Flags,
    ) -> AccessId {
        let tables = &mut *self.cx.tables;
        let offset = tables.load_time(&address.offset.clone().plus(&plus));
        let stride = address.index.as_ref().map(|(_, stride)| tables.load_time(stride));
        let reach = if class == ClassKey::Address { Reach::Class } else { address.reach };
        let class = tables.class_in(address.apart, class);
        tables.access(Access { name: address.name.clone(), offset, stride, scalar, class, reach, flags })
    }

    /// The class of word `word` of a leaf of type `leaf` at an address.
    pub(super) fn leaf_class(&self, address: &Address, leaf: TypeId, word: u32) -> ClassKey {
        match address.place {
            Holder::Field { of, variant, field } => ClassKey::Field { of, variant, field, leaf, word },
            Holder::Bare => ClassKey::Bare { leaf, word },
            Holder::Container(of) => ClassKey::Container(of),
        }
    }

    /// The flags of an access to word `word` of a leaf of type `leaf`.
    pub(super) fn leaf_flags(&self, address: &Address, leaf: TypeId, word: u32) -> Flags {
        let length = if self.is_length(address, leaf, word) { access_flag::LENGTH } else { 0 };
        if address.is_mutable || !self.types().data(leaf).freeze {
            return access_flag::INTERIOR_MUT | length;
        }
        let is_buffer = matches!(address.place, Holder::Container(_));
        length
            | match self.types().get(leaf) {
                Type::Ref { .. } | Type::RawPtr { .. } | Type::Box(_) if address.is_owned && word == 0 => {
                    access_flag::FREEZES | access_flag::KEEPS_FROZEN
                }
                Type::Ref { mutable: false, .. } | Type::Box(_) if word == 0 => access_flag::KEEPS_FROZEN,
                Type::RawPtr { .. } if is_buffer => access_flag::KEEPS_FROZEN,
                // Who holds an `Rc` keeps others from changing what it points to.
                Type::Opaque(opaque) if word == 0 && layout::is_shared(opaque) => access_flag::KEEPS_FROZEN,
                _ => 0,
            }
    }

    /// Whether the word of a leaf is the length or capacity of something whose elements take space.
    fn is_length(&self, address: &Address, leaf: TypeId, word: u32) -> bool {
        let types = self.types();
        let takes_space = |elem| types.scalars(elem).is_none_or(|scalars| !scalars.is_empty());
        match (address.place, types.get(leaf)) {
            (Holder::Container(of), Type::Int { .. }) => match *types.get(of) {
                Type::Vec(elem) => takes_space(elem),
                _ => true,
            },
            (_, &Type::Ref { to, .. }) if word == 1 => match *types.get(to) {
                Type::Slice(elem) => takes_space(elem),
                Type::Str => true,
                _ => false,
            },
            _ => false,
        }
    }

    /// Reads the scalar at `plus` bytes from an address.
    pub(super) fn get(
        &mut self,
        address: &Address,
        scalar: Scalar,
        plus: u64,
        class: ClassKey,
        flags: Flags,
    ) -> Src {
        let access = self.access(address, scalar, Offset::literal(plus), class, flags);
        let mut fields = vec![Field::Src(address.base)];
        let op = match address.index {
            Some((index, _)) => {
                fields.push(Field::Src(index));
                ControlOp::GetElem
            }
            None => ControlOp::GetField,
        };
        fields.push(Field::Index(access.0));
        self.produce(op, scalar.kind(), fields)
    }

    /// Writes the scalar at `plus` bytes from an address.
    pub(super) fn set(
        &mut self,
        address: &Address,
        scalar: Scalar,
        plus: u64,
        class: ClassKey,
        flags: Flags,
        src: Src,
    ) {
        let access = self.access(address, scalar, Offset::literal(plus), class, flags);
        let mut fields = vec![Field::Src(address.base)];
        let op = match address.index {
            Some((index, _)) => {
                fields.push(Field::Src(index));
                ControlOp::SetElem
            }
            None => ControlOp::SetField,
        };
        fields.extend([Field::Index(access.0), Field::Src(src)]);
        self.control(op, fields);
    }

    /// How a leaf stands in memory, scalar by scalar: at which byte, as what. `None` for aggregates.
    pub(super) fn leaf_scalars(&self, ty: TypeId) -> Option<Vec<(u64, Scalar)>> {
        let types = self.types();
        if let Some(scalar) = layout::scalar(types, ty) {
            return Some(vec![(0, scalar)]);
        }
        let words = |n: u64| Some((0..n).map(|n| (8 * n, Scalar::Word)).collect());
        match types.get(ty) {
            Type::Int { .. } | Type::Ref { .. } | Type::RawPtr { .. } | Type::Box(_) => words(2),
            Type::Vec(_) | Type::String => words(3),
            Type::Opaque(opaque) => words(u64::from(opaque.words?)),
            Type::Never => words(0),
            _ => None,
        }
    }

    /// A leaf's access: a container's own words share a class wherever it is.
    pub(super) fn leaf_address(&self, address: &Address, ty: TypeId) -> Address {
        let mut address = address.clone();
        if self.is_container(ty) {
            address.place = Holder::Container(ty);
            if address.reach == Reach::Leaf {
                address.reach = Reach::Class;
            }
        }
        address
    }

    /// The addresses and types of the direct parts of an aggregate that is no enum.
    pub(super) fn parts(&mut self, address: &Address, ty: TypeId) -> Vec<(Address, TypeId)> {
        let fields = self.field_types(ty, 0);
        if let Type::Array(elem, _) = *self.types().get(ty) {
            let stride = layout::size(self.types(), elem);
            let part = |n: usize| {
                let mut part = address.clone();
                part.offset = part.offset.plus(&stride.times(n as u64));
                part.place = Holder::Bare;
                part.name = format!("{}[{n}]", part.name);
                (part, elem)
            };
            return (0..fields.len()).map(part).collect();
        }
        let part = |(n, &field): (usize, &TypeId)| (self.field(address.clone(), ty, 0, n as u32), field);
        fields.iter().enumerate().map(part).collect()
    }

    /// Reads a value.
    pub(super) fn load(&mut self, address: &Address, ty: TypeId) -> Lowered<Vec<Src>> {
        if let Some(scalars) = self.leaf_scalars(ty) {
            let address = self.leaf_address(address, ty);
            let read = |b: &mut Self, (word, (plus, scalar)): (usize, (u64, Scalar))| {
                let class = b.leaf_class(&address, ty, word as u32);
                let flags = b.leaf_flags(&address, ty, word as u32);
                b.get(&address, scalar, plus, class, flags)
            };
            return Ok(scalars.into_iter().enumerate().map(|part| read(self, part)).collect());
        }
        if is_enum(self.types(), ty) {
            return self.load_enum(address, ty);
        }
        let mut out = Vec::new();
        for (part, ty) in self.parts(address, ty) {
            out.extend(self.load(&part, ty)?);
        }
        Ok(out)
    }

    /// Writes a value.
    pub(super) fn store(&mut self, address: &Address, ty: TypeId, scalars: &[Src]) -> Lowered<()> {
        if let Some(leaf) = self.leaf_scalars(ty) {
            if address.is_owned {
                return self.refuse("it replaces the content of an owner of traces".to_string());
            }
            let address = self.leaf_address(address, ty);
            for (word, (plus, scalar)) in leaf.into_iter().enumerate() {
                let class = self.leaf_class(&address, ty, word as u32);
                let flags = self.leaf_flags(&address, ty, word as u32);
                self.set(&address, scalar, plus, class, flags, scalars[word]);
            }
            return Ok(());
        }
        if is_enum(self.types(), ty) {
            return self.store_enum(address, ty, scalars);
        }
        let mut at = 0;
        for (part, ty) in self.parts(address, ty) {
            let count = self.kinds(ty).len();
            self.store(&part, ty, &scalars[at..at + count])?;
            at += count;
        }
        Ok(())
    }
}
