//! Allocation: descriptors of what is allocated.

use metatrace_defs::Kind;
use metatrace_defs::alloc::{Alloc, AllocId, Elements, Memory as Source};
use metatrace_defs::inst::ControlOp;
use metatrace_translator::flow::Memory;
use metatrace_translator::flow::types::TypeId;

use super::{Builder, Lowered};
use crate::layout::{self, Offset, short_name};
use crate::scalar::{Field, Src};

impl Builder<'_> {
    /// Memory for what a pointer of this type points to.
    pub(super) fn allocate(&mut self, memory: Memory, pointer: TypeId) -> Lowered<Src> {
        let alloc = self.alloc(memory, pointer)?;
        Ok(self.produce(ControlOp::New, Kind::Word, [Field::Index(alloc.0)]))
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
