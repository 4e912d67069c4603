//! The table of jitcode instructions that are not pure operations, and their encoding.
//!
//! An instruction is one opcode byte followed by its fields, little-endian, in the row's order. Opcodes below
//! [`FIRST_PURE`] are rows of this table; [`FIRST_PURE`]` + n` is the pure operation number `n`, whose fields are a
//! destination and one source per operand.

use crate::{Kind, PureOp};

/// Calls `$m!` with every jitcode instruction that is not pure.
///
/// Columns: text name, variant, fields, flags. Flags: `GUARDS` (recording it may emit a guard that resumes before it,
/// so liveness is kept for its position), `CALLS` (liveness is kept for the position after it), `ENDS` (control does
/// not fall through).
#[macro_export]
macro_rules! for_each_jit_inst {
    ($m:ident) => {
        $m! {
            /// Copies a register or constant.
            copy = Copy(Dst, Any) [];
            /// Continues elsewhere.
            goto = Goto(Label) [ENDS];
            /// Continues elsewhere if the word is 0.
            goto_if_not = GotoIfNot(Word, Label) [GUARDS];
            /// Continues where the switch table sends the word.
            switch = Switch(Word, Table) [GUARDS, ENDS];
            /// Reads a field of the object at an address.
            getfield = GetField(Dst, Word, Access) [];
            /// Writes a field of the object at an address.
            setfield = SetField(Word, Access, Any) [];
            /// Reads the element with an index from the array at an address.
            getelem = GetElem(Dst, Word, Word, Access) [];
            /// Writes the element with an index of the array at an address.
            setelem = SetElem(Word, Word, Access, Any) [];
            /// The address of a field of the object at an address.
            interior_field = InteriorField(Dst, Word, Access) [];
            /// The address of the element with an index of the array at an address.
            interior_elem = InteriorElem(Dst, Word, Word, Access) [];
            /// The address of a memory slot of this activation.
            local_addr = LocalAddr(Dst, Slot) [];
            /// Allocates an object: its address, or 0 if the collected heap is full.
            new = New(Dst, Alloc) [GUARDS];
            /// Allocates an object with so many elements: its address, or 0 if the collected heap is full.
            new_array = NewArray(Dst, Word, Alloc) [GUARDS];
            /// Gives the plain memory of an object without elements back.
            free = Free(Word, Alloc) [];
            /// Gives the plain memory of an object with so many elements back.
            free_array = FreeArray(Word, Word, Alloc) [];
            /// Unless the second word is 0, a reference was written to the address, which may be inside an object of the
            /// collected heap.
            barrier = Barrier(Word, Word) [];
            /// Calls native code through its shim.
            residual_call = ResidualCall(Call, Sources, Dsts) [GUARDS, CALLS];
            /// Calls the function with this jitcode; the recorder looks inside.
            inline_call = InlineCall(Jitcode, Sources, Dsts) [GUARDS, CALLS];
            /// Directly after a call: where to continue if it panicked. Does nothing otherwise.
            catch_panic = CatchPanic(Label) [];
            /// Leaves the activation with these results.
            return = Return(Sources) [ENDS];
            /// Leaves the activation with the panic that `catch_panic` caught.
            resume_unwind = ResumeUnwind() [ENDS];
            /// The start of the portal's loop, with the portal's parameters, scalar by scalar.
            merge_point = MergePoint(Portal, Sources) [GUARDS];
            /// A back edge of the interpreted program ends here: the next merge point may close a loop.
            loop_header = LoopHeader() [];
            /// Copies a value that the trace shall treat as a constant from here on.
            promote = Promote(Dst, Any) [GUARDS];
            /// The same for a reference to an owner of traces: what it holds is frozen from here on.
            promote_owner = PromoteOwner(Dst, Word) [GUARDS];
            /// 1 in jitcode (in native code the hint gives 0).
            we_are_jitted = WeAreJitted(Dst) [];
            /// 1 if the trace knows the value as a constant.
            is_constant = IsConstant(Dst, Any) [];
            /// 1 if the trace made the object at the address.
            is_virtual = IsVirtual(Dst, Word) [];
            /// The first value is the second, which the trace knows as a constant: gives the recording up otherwise.
            record_exact = RecordExact(Any, Any) [];
            /// Gives the recording up unless the trace knows the value as a constant.
            assert_green = AssertGreen(Any) [];
            /// The operations recorded so far; -1 outside of recordings.
            trace_length = TraceLength(Dst) [];
            /// Copies the address of a quasi-immutable field's value, its second operand; the first is the address of the field's link.
            /// What is there cannot change while the trace is valid.
            quasi_immut = QuasiImmut(Dst, Word, Word) [];
            /// Never reached.
            unreachable = Unreachable() [ENDS];
        }
    };
}

/// What a field of an instruction is, and so how it is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A register that is written: [`Operand`], 2 bytes.
    Dst,
    /// A word register or constant that is read: [`Operand`], 2 bytes.
    Word,
    /// A float register or constant that is read: [`Operand`], 2 bytes.
    Float,
    /// A register or constant of either kind that is read: [`Operand`], 2 bytes.
    Any,
    /// Registers and constants that are read: a count in 1 byte, then 2 bytes each.
    Sources,
    /// Registers that are written: a count in 1 byte, then 2 bytes each.
    Dsts,
    /// A position in the code: 4 bytes.
    Label,
    /// An index into the jitcode's switch tables: 4 bytes.
    Table,
    /// An index into the jitcode's memory slots: 4 bytes.
    Slot,
    /// An index into the program's access descriptors: 4 bytes.
    Access,
    /// An index into the program's call descriptors: 4 bytes.
    Call,
    /// An index into the program's allocation descriptors: 4 bytes.
    Alloc,
    /// An index into the program's jitcodes: 4 bytes.
    Jitcode,
    /// An index into the program's portals: 4 bytes.
    Portal,
}

/// Flags of an instruction, a small bit set.
pub mod flag {
    /// Liveness is kept for the instruction's position.
    pub const GUARDS: u8 = 1;
    /// Liveness is kept for the position after the instruction.
    pub const CALLS: u8 = 2;
    /// Control does not fall through.
    pub const ENDS: u8 = 4;
}

/// What the table says of one instruction.
pub struct InstRow {
    /// The name in text forms.
    pub name: &'static str,
    /// The fields in their order.
    pub fields: &'static [FieldKind],
    /// See [`flag`].
    pub flags: u8,
}

macro_rules! define_inst {
    ($( $(#[$doc:meta])* $name:ident = $variant:ident($($field:ident),*) [$($flag:ident),*]; )*) => {
        /// The opcode of a jitcode instruction that is not a pure operation.
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ControlOp {
            $( $(#[$doc])* $variant, )*
        }

        impl ControlOp {
            /// Every row of the table, in its order.
            pub const ALL: &'static [ControlOp] = &[$(ControlOp::$variant),*];

            const ROWS: &'static [InstRow] = &[$(InstRow {
                name: stringify!($name),
                fields: &[$(FieldKind::$field),*],
                flags: 0 $(| flag::$flag)*,
            }),*];
        }
    };
}
for_each_jit_inst!(define_inst);

/// The opcode of pure operation number 0.
pub const FIRST_PURE: u8 = 64;

const _: () = assert!(ControlOp::ALL.len() <= FIRST_PURE as usize);
const _: () = assert!(PureOp::ALL.len() + FIRST_PURE as usize <= 256);

impl ControlOp {
    /// The row of the table.
    pub const fn row(self) -> &'static InstRow {
        &Self::ROWS[self as usize]
    }
}

/// The opcode of a jitcode instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inst {
    /// A pure operation: destination, then sources.
    Pure(PureOp),
    /// A row of this table.
    Control(ControlOp),
}

impl Inst {
    /// The opcode byte.
    pub const fn encode(self) -> u8 {
        match self {
            Inst::Pure(op) => FIRST_PURE + op as u8,
            Inst::Control(op) => op as u8,
        }
    }

    /// The instruction with this opcode byte, if there is one.
    pub fn decode(byte: u8) -> Option<Inst> {
        match byte.checked_sub(FIRST_PURE) {
            Some(n) => PureOp::from_u8(n).map(Inst::Pure),
            None => ControlOp::ALL.get(usize::from(byte)).copied().map(Inst::Control),
        }
    }

    /// The name in text forms.
    pub const fn name(self) -> &'static str {
        match self {
            Inst::Pure(op) => op.name(),
            Inst::Control(op) => op.row().name,
        }
    }

    /// See [`flag`].
    pub const fn flags(self) -> u8 {
        match self {
            Inst::Pure(_) => 0,
            Inst::Control(op) => op.row().flags,
        }
    }
}

/// A register or a constant of a jitcode, as instructions encode it.
///
/// Bit 15 tells constants from registers, bit 14 floats from words; the rest is the index into the register file or
/// into the constants. Text: `w3`, `f0`, `cw2`, `cf1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operand(pub u16);

impl Operand {
    const CONST: u16 = 1 << 15;
    const FLOAT: u16 = 1 << 14;
    /// The number of registers of a kind, and of constants, that a jitcode may have.
    pub const LIMIT: usize = 1 << 14;

    /// Register number `index` of the file of `kind`.
    pub fn reg(kind: Kind, index: u16) -> Operand {
        assert!((index as usize) < Self::LIMIT);
        Operand(index | if kind == Kind::Float { Self::FLOAT } else { 0 })
    }

    /// Constant number `index`, read as `kind`.
    pub fn constant(kind: Kind, index: u16) -> Operand {
        Operand(Self::reg(kind, index).0 | Self::CONST)
    }

    /// Whether this is a constant.
    pub const fn is_const(self) -> bool {
        self.0 & Self::CONST != 0
    }

    /// The kind of the value.
    pub const fn kind(self) -> Kind {
        if self.0 & Self::FLOAT != 0 { Kind::Float } else { Kind::Word }
    }

    /// The index into the register file or the constants.
    pub const fn index(self) -> usize {
        (self.0 & (Self::FLOAT - 1)) as usize
    }
}

impl core::fmt::Display for Operand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let c = if self.is_const() { "c" } else { "" };
        write!(f, "{c}{}{}", self.kind().letter(), self.index())
    }
}

impl core::fmt::Debug for Operand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_round_trip() {
        for byte in 0..=255 {
            if let Some(inst) = Inst::decode(byte) {
                assert_eq!(inst.encode(), byte);
            }
        }
        assert_eq!(Inst::decode(FIRST_PURE), Some(Inst::Pure(PureOp::IntAdd)));
    }

    #[test]
    fn operands_print_as_they_are() {
        assert_eq!(Operand::reg(Kind::Word, 3).to_string(), "w3");
        assert_eq!(Operand::constant(Kind::Float, 1).to_string(), "cf1");
    }
}
