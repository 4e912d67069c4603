//! Stores that guards do on the way out.

use metatrace_defs::AccessId;
use smallvec::SmallVec;

use crate::Opnd;

/// A store that the trace has not done where a guard stands, and that the guard does if it fails.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DelayedStore {
    /// What is stored to.
    pub access: AccessId,
    /// The operands, as those of `setfield` or, if the access has a stride, `setelem`.
    pub args: SmallVec<[Opnd; 3]>,
}

impl DelayedStore {
    /// Whether another one writes the same with the same operands for its address.
    pub fn is_to_the_same(&self, other: &DelayedStore) -> bool {
        let ((base, index, _), (other_base, other_index, _)) = (self.parts(), other.parts());
        (self.access, base, index) == (other.access, other_base, other_index)
    }

    /// The base, the index if the access has one, and what is stored.
    ///
    /// # Panics
    /// If the store has no operands.
    pub fn parts(&self) -> (Opnd, Option<Opnd>, Opnd) {
        let (value, address) = self.args.split_last().expect("a store has operands");
        (address[0], address.get(1).copied(), *value)
    }
}
