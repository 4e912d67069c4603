//! What a snapshot describes instead of naming what holds it: objects that were optimised away, and what is computed of their
//! addresses.
//!
//! A virtual is an operation that was not done, and for an object what its fields hold. It belongs to a value that no
//! operation before the guard defines; registers, other virtuals' fields and operands name it like any other. So one object may
//! be named twice, and objects may refer to each other in circles. Whoever goes on from the guard makes all objects first,
//! then computes the other virtuals in their order, then writes the fields.
//!
//! A sum may have fields too: it is the address of memory that is there already, and stores to it were put off.

use metatrace_defs::{AccessId, Alloc, Program, TraceOp};
use smallvec::SmallVec;

use crate::{Attached, Opnd};

/// A field, or an element with a constant index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VirtualField<O = Opnd> {
    /// How it is written.
    pub access: AccessId,
    /// Bytes from the object to where the access starts from: not 0 if it went through an address inside the object.
    pub base: u64,
    /// The index of an element.
    pub index: Option<u64>,
    /// What it holds.
    pub value: O,
}

/// An operation that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Virtual<O = Opnd> {
    /// `new`, `new_array` with a constant length, or an operation that may be done at any time.
    pub op: TraceOp,
    /// What it carries.
    pub attached: Attached,
    /// The operands; if it makes no object, of virtuals only those described before it.
    pub args: SmallVec<[O; 3]>,
    /// Of an object, what was written to it: all else in it is as in fresh memory. Of a sum, stores to memory at that address.
    pub fields: Vec<VirtualField<O>>,
}

impl<O> Virtual<O> {
    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.op.is_allocation()
    }

    /// The allocation of an object.
    pub fn alloc<'p>(&self, program: &'p Program) -> Option<&'p Alloc> {
        match self.attached {
            Attached::Alloc(id) => Some(program.alloc(id)),
            _ => None,
        }
    }

    /// Every operand, in order.
    pub fn operands(&self) -> impl Iterator<Item = &O> + '_ {
        self.args.iter().chain(self.fields.iter().map(|field| &field.value))
    }

    /// The same with other operands, made in order.
    pub fn map<P>(&self, mut operand: impl FnMut(&O) -> P) -> Virtual<P> {
        let args = crate::short(self.args.iter().map(&mut operand));
        let fields = self.fields.iter().map(|field| {
            let value = operand(&field.value);
            VirtualField { access: field.access, base: field.base, index: field.index, value }
        });
        Virtual { op: self.op, attached: self.attached, args, fields: fields.collect() }
    }
}
