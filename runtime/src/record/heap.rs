//! What the recorder knows of memory: values that were read or written since nothing may have changed them.

use std::collections::HashMap;

use metatrace_defs::descr::{ClassSet, may_alias};
use metatrace_defs::{AccessId, Program};
use metatrace_trace::Opnd;

use super::Root;
use crate::machine::Values;

/// A field or element, by the operands of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub access: AccessId,
    pub base: Opnd,
    pub index: Option<Opnd>,
}

impl Place {
    /// Whether its address is a constant.
    pub fn is_constant(&self) -> bool {
        self.base.as_const().is_some() && self.index.is_none_or(|index| index.as_const().is_some())
    }

    /// Base and index.
    pub fn operands(&self) -> Values<Opnd> {
        std::iter::once(self.base).chain(self.index).collect()
    }

    /// Whether the two are different elements of one array, or the same field of objects at different constant
    /// addresses.
    fn differs(&self, other: &Place) -> bool {
        let different = |a: Opnd, b: Opnd| a != b && a.as_const().is_some() && b.as_const().is_some();
        self.access == other.access
            && match (self.index, other.index) {
                (Some(a), Some(b)) => self.base == other.base && different(a, b),
                _ => different(self.base, other.base),
            }
    }
}

/// What is in a place.
#[derive(Clone, Copy)]
pub struct Known {
    pub value: Opnd,
    /// Whether it is an address of frozen memory, and whose: it stays one on its way through other memory.
    pub root: Root,
}

/// See the module.
#[derive(Default)]
pub struct HeapCache {
    known: HashMap<Place, Known>,
}

impl HeapCache {
    pub fn get(&self, place: &Place) -> Option<Known> {
        self.known.get(place).copied()
    }

    pub fn put(&mut self, place: Place, value: Opnd, root: Root) {
        self.known.insert(place, Known { value, root });
    }

    /// Drops what a store to `place` may change.
    pub fn store(&mut self, program: &Program, place: &Place) {
        let stored = program.access(place.access);
        self.known.retain(|known, _| {
            known.differs(place) || !may_alias(program.access(known.access), stored, &program.classes)
        });
    }

    /// Drops what a call that may write to `writes` may change.
    pub fn call(&mut self, program: &Program, writes: &ClassSet) {
        self.known.retain(|known, _| !writes.touches(program.access(known.access), &program.classes));
    }
}
