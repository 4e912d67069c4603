//! The table of trace operations that are not pure.
//!
//! [`TraceOp`] is either a [`PureOp`] or a row of this table. Operands are described by kinds; `Any` is a word or a
//! float, `Rest` any number of operands of any kind. The last column says what the result is: nothing, a kind, what
//! the operation's access or call descriptor says, or (`Params`) one value for each operand.

use crate::{Kind, PureOp};

/// Calls `$m!` with every trace operation that is not pure.
///
/// Columns: text name, variant, operand kinds, result, attachment, flags.
///
/// Attachments: `Access` (a field or element descriptor), `Call` (a call descriptor), `Target` (a label of this or
/// another trace), `Alloc` (an allocation descriptor), `None`. Flags: `GUARD` (leaves the trace through its snapshot if its test fails), `READS` and
/// `WRITES` (memory as its descriptor says), `CALL`, `FOLDABLE` (with equal operands gives equal results while the
/// trace is valid), `TERMINATOR`.
#[macro_export]
macro_rules! for_each_trace_op {
    ($m:ident) => {
        $m! {
            /// Leaves the trace unless the operand is not 0.
            guard_true = GuardTrue(Word) -> None, None [GUARD];
            /// Leaves the trace unless the operand is 0.
            guard_false = GuardFalse(Word) -> None, None [GUARD];
            /// Leaves the trace unless the word operand equals the constant, its second operand.
            guard_value = GuardValue(Word, Word) -> None, None [GUARD];
            /// Leaves the trace unless the bits of the float equal those of the constant, its second operand.
            guard_float_value = GuardFloatValue(Float, Float) -> None, None [GUARD];
            /// Leaves the trace if the context has something pending: a panic, an interrupt, an invalidation.
            guard_not_pending = GuardNotPending() -> None, None [GUARD];
            /// Reads a field of the object at a base address.
            getfield = GetField(Word) -> Access, Access [READS];
            /// Reads a field that cannot change while the trace is valid.
            getfield_frozen = GetFieldFrozen(Word) -> Access, Access [READS, FOLDABLE];
            /// Writes a field of the object at a base address.
            setfield = SetField(Word, Any) -> None, Access [WRITES];
            /// Reads the element with an index from the array at a base address.
            getelem = GetElem(Word, Word) -> Access, Access [READS];
            /// Reads an element that cannot change while the trace is valid.
            getelem_frozen = GetElemFrozen(Word, Word) -> Access, Access [READS, FOLDABLE];
            /// Writes the element with an index of the array at a base address.
            setelem = SetElem(Word, Word, Any) -> None, Access [WRITES];
            /// The address of a field inside the object at a base address.
            interior_field = InteriorField(Word) -> Word, Access [FOLDABLE];
            /// The address of an element inside the array at a base address.
            interior_elem = InteriorElem(Word, Word) -> Word, Access [FOLDABLE];
            /// The address of a slot of local memory in the trace frame. The operands are constants: where it starts, how many bytes it
            /// has, and which activation's it is: 0 for those that are open where the trace starts. Whoever is given the address
            /// accesses no other bytes by it, and none once the activation has ended.
            local_addr = LocalAddr(Word, Word, Word) -> Word, None [FOLDABLE];
            /// Allocates an object. It never fails: memory of the collected heap comes from its reserve if there is no other, which
            /// is then pending. A `guard_not_pending` stands directly behind it then, which resumes before the allocation; that is done
            /// again and finds the heap full. The guard may go if the object is not made there, and all objects that were made since
            /// the last such guard are left to the next.
            new = New() -> Word, Alloc [ALLOCATES, COLLECTS];
            /// Allocates an object with so many elements; like `new`, it never fails. Whoever asks for plain memory has seen to it that
            /// there can be so many bytes.
            new_array = NewArray(Word) -> Word, Alloc [ALLOCATES, COLLECTS];
            /// Allocates an object of the collected heap that was optimised away further up, at a place where memory may not be as a
            /// collector wants it. So nothing is collected: if it is time for that, it is pending, and left to the next
            /// `guard_not_pending`.
            make = Make() -> Word, Alloc [ALLOCATES];
            /// As `make`, an object with so many elements.
            make_array = MakeArray(Word) -> Word, Alloc [ALLOCATES];
            /// Gives the plain memory of an object without elements back.
            free = Free(Word) -> None, Alloc [];
            /// Gives the plain memory of an object with so many elements back.
            free_array = FreeArray(Word, Word) -> None, Alloc [];
            /// A reference was written to this address, which may be inside an old object of the collected heap.
            barrier = Barrier(Word) -> None, None [];
            /// Calls native code through its shim, with the effects that its descriptor tells.
            call = Call(Rest) -> Call, Call [CALL, READS, WRITES];
            /// Calls native code whose results depend on its arguments alone.
            call_elidable = CallElidable(Rest) -> Call, Call [CALL, FOLDABLE];
            /// Calls a portal by its compiled code, where there is some. The first three operands are constants: the entry that is
            /// called (the number of a target), how many bytes of local memory are in use, and which arguments are inputs of the
            /// compiled code (a bit for each). The others are the arguments of the portal's call; those that are no inputs are
            /// constants.
            call_assembler = CallAssembler(Rest) -> Call, Call [CALL, READS, WRITES];
            /// Adds a constant to the count of merge points passed in compiled code.
            count_merge_points = CountMergePoints(Word) -> None, None [];
            /// Where jumps arrive: each operand is the first value of the result at the same place.
            label = Label(Rest) -> Params, Target [];
            /// Continues at a label of this trace or at the entry of another, handing over the operands.
            jump = Jump(Rest) -> None, Target [TERMINATOR];
            /// Leaves the portal; the operands are the words of its result.
            finish = Finish(Rest) -> None, None [TERMINATOR];
        }
    };
}

/// The kind of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandKind {
    /// One word.
    Word,
    /// One float.
    Float,
    /// One word or float.
    Any,
    /// Any number of words and floats.
    Rest,
}

/// What an operation yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// Nothing.
    None,
    /// A value of this kind.
    One(Kind),
    /// A value of the kind that the access descriptor tells.
    Access,
    /// As many values as the call descriptor tells.
    Call,
    /// A value for each operand, of its kind.
    Params,
}

/// What an operation carries beside its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// Nothing.
    None,
    /// A field or element descriptor.
    Access,
    /// A call descriptor.
    Call,
    /// An allocation descriptor.
    Alloc,
    /// A label.
    Target,
}

/// Flags of a trace operation, a small bit set.
pub mod flag {
    /// Leaves the trace through its snapshot if its test fails.
    pub const GUARD: u16 = 1;
    /// Reads memory.
    pub const READS: u16 = 2;
    /// Writes memory.
    pub const WRITES: u16 = 4;
    /// Calls native code.
    pub const CALL: u16 = 8;
    /// With equal operands gives equal results while the trace is valid, and has no effect.
    pub const FOLDABLE: u16 = 16;
    /// The last operation of a trace.
    pub const TERMINATOR: u16 = 32;
    /// The operation is a pure one.
    pub const PURE: u16 = 64;
    /// Allocates an object.
    pub const ALLOCATES: u16 = 128;
    /// Collects, if it allocates in the collected heap and it is time for that.
    pub const COLLECTS: u16 = 256;
}

/// What the table says of one trace operation.
pub struct TraceRow {
    /// The name in text forms.
    pub name: &'static str,
    /// The kinds of the operands.
    pub operands: &'static [OperandKind],
    /// What it yields.
    pub result: ResultKind,
    /// What it carries.
    pub attachment: Attachment,
    /// See [`flag`].
    pub flags: u16,
}

macro_rules! result_kind {
    (None) => {
        ResultKind::None
    };
    (Access) => {
        ResultKind::Access
    };
    (Call) => {
        ResultKind::Call
    };
    (Params) => {
        ResultKind::Params
    };
    ($kind:ident) => {
        ResultKind::One(Kind::$kind)
    };
}

macro_rules! define_trace_op {
    ($( $(#[$doc:meta])* $name:ident = $variant:ident($($kind:ident),*) -> $result:ident, $att:ident [$($flag:ident),*]; )*) => {
        /// A trace operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TraceOp {
            /// An operation of the table of pure operations.
            Pure(PureOp),
            $( $(#[$doc])* $variant, )*
        }

        impl TraceOp {
            /// Every trace operation that is not pure, in the table's order.
            pub const IMPURE: &'static [TraceOp] = &[$(TraceOp::$variant),*];

            /// The row of the table; `None` for pure operations, which have [`PureOp::row`].
            pub const fn impure_row(self) -> Option<&'static TraceRow> {
                match self {
                    TraceOp::Pure(_) => None,
                    $( TraceOp::$variant => {
                        const ROW: TraceRow = TraceRow {
                            name: stringify!($name),
                            operands: &[$(OperandKind::$kind),*],
                            result: result_kind!($result),
                            attachment: Attachment::$att,
                            flags: 0 $(| flag::$flag)*,
                        };
                        Some(&ROW)
                    } )*
                }
            }
        }

        impl core::str::FromStr for TraceOp {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $( stringify!($name) => Ok(TraceOp::$variant), )*
                    _ => text.parse().map(TraceOp::Pure),
                }
            }
        }
    };
}
for_each_trace_op!(define_trace_op);

impl TraceOp {
    /// The name in text forms.
    pub const fn name(self) -> &'static str {
        match self {
            TraceOp::Pure(op) => op.name(),
            _ => self.impure_row().unwrap().name,
        }
    }

    /// See [`flag`].
    pub const fn flags(self) -> u16 {
        match self.impure_row() {
            None => flag::PURE | flag::FOLDABLE,
            Some(row) => row.flags,
        }
    }

    /// What the operation carries beside its operands.
    pub const fn attachment(self) -> Attachment {
        match self.impure_row() {
            None => Attachment::None,
            Some(row) => row.attachment,
        }
    }

    /// Whether the operation is of the table of pure operations.
    pub const fn is_pure(self) -> bool {
        self.flags() & flag::PURE != 0
    }

    /// Whether the operation leaves the trace if its test fails.
    pub const fn is_guard(self) -> bool {
        self.flags() & flag::GUARD != 0
    }

    /// Whether the operation calls native code.
    pub const fn is_call(self) -> bool {
        self.flags() & flag::CALL != 0
    }

    /// Whether the operation may be removed where its results are not used, and shared where its operands are equal.
    pub const fn is_foldable(self) -> bool {
        self.flags() & flag::FOLDABLE != 0
    }

    /// Whether the operation allocates an object.
    pub const fn is_allocation(self) -> bool {
        self.flags() & flag::ALLOCATES != 0
    }

    /// Whether an allocation in the collected heap may collect.
    pub const fn may_collect(self) -> bool {
        self.flags() & flag::COLLECTS != 0
    }

    /// Whether the operation ends a trace.
    pub const fn is_terminator(self) -> bool {
        self.flags() & flag::TERMINATOR != 0
    }

    /// Whether the operation must stay though nobody uses its results.
    pub const fn has_effect(self) -> bool {
        !self.is_foldable() && (self.flags() & flag::READS == 0 || self.flags() & flag::WRITES != 0)
    }
}

impl core::fmt::Display for TraceOp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for op in TraceOp::IMPURE.iter().copied().chain(PureOp::ALL.iter().map(|&op| TraceOp::Pure(op))) {
            assert_eq!(op.name().parse(), Ok(op));
        }
    }

    #[test]
    fn effects() {
        assert!(!TraceOp::GetField.has_effect());
        assert!(TraceOp::SetField.has_effect());
        assert!(TraceOp::Call.has_effect());
        assert!(!TraceOp::CallElidable.has_effect());
        assert!(TraceOp::GuardTrue.has_effect());
        assert!(!TraceOp::Pure(PureOp::IntAdd).has_effect());
    }
}
