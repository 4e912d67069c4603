//! What the recorder knows of memory: values that were read or written since nothing may have changed them.

use metatrace_defs::descr::{ClassSet, may_alias};
use metatrace_defs::{AccessId, Program};
use metatrace_trace::{Opnd, short};
use smallvec::SmallVec;

use super::Root;
use crate::vm::tables::WordMap;

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
    pub fn operands(&self) -> SmallVec<[Opnd; 3]> {
        short(std::iter::once(self.base).chain(self.index))
    }

    /// Where, without the access.
    fn address(&self) -> (Opnd, Option<Opnd>) {
        (self.base, self.index)
    }
}

/// Whether two places of the same access are different elements of one array, or the same field of objects at different
/// constant addresses.
fn differ(a: (Opnd, Option<Opnd>), b: (Opnd, Option<Opnd>)) -> bool {
    let different = |a: Opnd, b: Opnd| a != b && a.as_const().is_some() && b.as_const().is_some();
    match (a.1, b.1) {
        (Some(i), Some(j)) => a.0 == b.0 && different(i, j),
        _ => different(a.0, b.0),
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
///
/// By access, as that is what decides about most places: a store drops all places of another access or none.
#[derive(Default)]
pub struct HeapCache {
    known: Vec<(AccessId, WordMap<(Opnd, Option<Opnd>), Known>)>,
}

impl HeapCache {
    /// The fields that hold constants, with their bases.
    pub fn constants(&self) -> impl Iterator<Item = (AccessId, Opnd, Known)> + '_ {
        self.known.iter().flat_map(|(access, places)| {
            let constant = |(&(base, index), &known): (&(Opnd, Option<Opnd>), &Known)| {
                (index.is_none() && known.value.as_const().is_some()).then_some((*access, base, known))
            };
            places.iter().filter_map(constant)
        })
    }

    pub fn get(&self, place: &Place) -> Option<Known> {
        let (_, known) = self.known.iter().find(|(access, _)| *access == place.access)?;
        known.get(&place.address()).copied()
    }

    pub fn put(&mut self, place: Place, value: Opnd, root: Root) {
        let found = self.known.iter().position(|(access, _)| *access == place.access);
        let n = found.unwrap_or_else(|| {
            self.known.push((place.access, WordMap::default()));
            self.known.len() - 1
        });
        self.known[n].1.insert(place.address(), Known { value, root });
    }

    /// Drops what a store to `place` may change.
    pub fn store(&mut self, program: &Program, place: &Place) {
        let stored = program.access(place.access);
        for (access, known) in &mut self.known {
            if !known.is_empty() && may_alias(program.access(*access), stored, &program.classes) {
                known.retain(|&other, _| *access == place.access && differ(other, place.address()));
            }
        }
    }

    /// Drops what a call that may write to `writes` may change.
    pub fn call(&mut self, program: &Program, writes: &ClassSet) {
        self.known.retain(|(access, _)| !writes.touches(program.access(*access), &program.classes));
    }
}
