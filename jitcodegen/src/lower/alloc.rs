//! Allocation: descriptors of what is allocated.

use metatrace_defs::Kind;
use metatrace_defs::alloc::{Alloc, AllocId, Elements, Memory as Source};
use metatrace_defs::inst::ControlOp;
use metatrace_translator::flow::types::{Type, TypeId, Types};
use metatrace_translator::flow::{Memory, OpKind};

use super::{Builder, Lowered};
use crate::layout::{self, Offset, short_name};
use crate::scalar::{Field, Src};

impl Builder<'_> {
    /// Memory for what a pointer of this type points to.
    pub(super) fn allocate(&mut self, kind: &OpKind, pointer: TypeId) -> Lowered<Src> {
        let (alloc, length) = match *kind {
            OpKind::New(memory) => (self.alloc(memory, pointer)?, None),
            OpKind::NewArray(Memory::Plain, length) => (self.alloc_elements(pointer), Some(length)),
            OpKind::NewArray(Memory::Collected, length) => (self.alloc_array(pointer)?, Some(length)),
            _ => panic!("{kind:?} allocates nothing"),
        };
        let alloc = Field::Index(alloc.0);
        Ok(match length {
            None => self.produce(ControlOp::New, Kind::Word, [alloc]),
            Some(length) => {
                let length = Field::Src(self.one(length));
                self.produce(ControlOp::NewArray, Kind::Word, [length, alloc])
            }
        })
    }

    /// The descriptor for elements, counted by whoever allocates, of the type that a pointer of this type points to.
    pub(super) fn alloc_elements(&mut self, pointer: TypeId) -> AllocId {
        let types = self.types();
        let ty =
            types.pointee(pointer).unwrap_or_else(|| panic!("{} is no pointer", types.data(pointer).rust));
        let name = format!("[{}]", short_name(types, ty));
        let (stride, align) = (layout::size(types, ty), layout::align(types, ty));
        let tables = &mut *self.cx.tables;
        let (stride, align) = (tables.load_time(&stride), tables.load_time(&align));
        let size = tables.load_time(&Offset::default());
        let elements = Some(Elements { stride, length: None });
        tables.alloc(Alloc { name, memory: Source::Plain { align }, size, elements })
    }

    /// The descriptor for arrays of the collected heap of the type that a pointer of this type points to: a length, and elements.
    pub(super) fn alloc_array(&mut self, pointer: TypeId) -> Lowered<AllocId> {
        let types = self.types();
        let array =
            types.pointee(pointer).unwrap_or_else(|| panic!("{} is no pointer", types.data(pointer).rust));
        let data = types.data(array);
        let Some(element) = element_of(types, array) else { panic!("{} is no array", data.rust) };
        let name = short_name(types, array);
        if !layout::is_native(types, array) {
            return self.refuse(format!("it allocates a `{name}`, which native code does not know"));
        }
        let rust = format!(
            "::core::ptr::from_ref(::metatrace::gc::TypeInfo::of_elements::<{}>()) as u64",
            types.data(element).rust
        );
        let header = Offset::term(data.module, rust, format!("TypeInfo of elements of {name}"));
        let length = layout::field_offset(types, array, 0);
        let (size, stride) = (layout::field_offset(types, array, 1), layout::size(types, element));
        let tables = &mut *self.cx.tables;
        let header = tables.load_time(&header);
        let elements =
            Some(Elements { stride: tables.load_time(&stride), length: Some(tables.load_time(&length)) });
        let size = tables.load_time(&size);
        Ok(tables.alloc(Alloc { name, memory: Source::Collected { header }, size, elements }))
    }

    /// The descriptor for what a pointer of this type points to.
    pub(super) fn alloc(&mut self, memory: Memory, pointer: TypeId) -> Lowered<AllocId> {
        let types = self.types();
        let ty =
            types.pointee(pointer).unwrap_or_else(|| panic!("{} is no pointer", types.data(pointer).rust));
        let name = short_name(types, ty);
        let data = types.data(ty);
        let size = layout::size(types, ty);
        let source = match memory {
            Memory::Plain => layout::align(types, ty),
            Memory::Collected if layout::is_native(types, ty) => {
                let rust =
                    format!("::core::ptr::from_ref(::metatrace::gc::TypeInfo::of::<{}>()) as u64", data.rust);
                Offset::term(data.module, rust, format!("TypeInfo of {name}"))
            }
            Memory::Collected => {
                return self.refuse(format!("it allocates a `{name}`, which native code does not know"));
            }
        };
        let tables = &mut *self.cx.tables;
        let source = tables.load_time(&source);
        let memory = match memory {
            Memory::Plain => Source::Plain { align: source },
            Memory::Collected => Source::Collected { header: source },
        };
        let size = tables.load_time(&size);
        Ok(tables.alloc(Alloc { name, memory, size, elements: None }))
    }
}

/// What the elements of an array of the collected heap are: of its two fields the second is an array of none of them.
fn element_of(types: &Types, array: TypeId) -> Option<TypeId> {
    let Type::Adt(adt) = types.get(array) else { return None };
    match types.get(adt.variants[0].fields.get(1)?.ty) {
        Type::Array(element, 0) => Some(*element),
        _ => None,
    }
}
