//! The bytecode: one row per instruction, and what is derived from the rows.
//!
//! An instruction is 8 bytes: the operation, `a` (a register, mostly the result), `b` (16 bits: a register, a count, a constant) and `c`
//! (32 bits: a register, an immediate, the target of a jump, or a constant's index with a cache's index above it). Targets are
//! absolute. The rows say how each operand is shown in listings.

metatrace::glue!();

/// What an operand is, for listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Not used.
    None,
    /// A register.
    Reg,
    /// An upvalue.
    Up,
    /// A constant.
    Const,
    /// A register below 256, a constant above.
    RegConst,
    /// A constant in the low half, a cache in the high half.
    Field,
    /// A constant, and in the highest bit whether it is the left operand.
    Flip,
    /// A signed number.
    Int,
    /// A count or index.
    Count,
    /// An instruction.
    Target,
    /// A function of the function.
    Function,
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $name:ident $a:ident $b:ident $c:ident,)*) => {
        /// The operations.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $($(#[doc = $doc])* $name,)* }

        impl Op {
            /// All operations, by number.
            pub const ALL: &[Op] = &[$(Op::$name,)*];

            /// What the operands are.
            pub fn operands(self) -> [Operand; 3] {
                match self { $(Op::$name => [Operand::$a, Operand::$b, Operand::$c],)* }
            }
        }
    };
}

operations! {
    /// `R[a] = R[b]`
    Move Reg Reg None,
    /// `R[a] = c`
    LoadInt Reg None Int,
    /// `R[a] = K[c]`
    LoadK Reg None Const,
    /// `R[a] .. R[a+b-1] = nil`
    LoadNil Reg Count None,
    /// `R[a] = true`
    LoadTrue Reg None None,
    /// `R[a] = false`
    LoadFalse Reg None None,
    /// `R[a] = false; pc += c`
    FalseSkip Reg None Count,
    /// `R[a] = U[b]`
    GetUp Reg Up None,
    /// `U[b] = R[a]`
    SetUp Reg Up None,
    /// `R[a] = U[b][K[c]]`
    GetTabUp Reg Up Field,
    /// `U[a][K[c]] = RK[b]`
    SetTabUp Up RegConst Field,
    /// `R[a] = R[b][R[c]]`
    GetTable Reg Reg Reg,
    /// `R[a] = R[b][c]`
    GetInt Reg Reg Int,
    /// `R[a] = R[b][K[c]]`
    GetField Reg Reg Field,
    /// `R[a][R[c]] = RK[b]`
    SetTable Reg RegConst Reg,
    /// `R[a][c] = RK[b]`
    SetInt Reg RegConst Int,
    /// `R[a][K[c]] = RK[b]`
    SetField Reg RegConst Field,
    /// `R[a+1] = R[b]; R[a] = R[b][K[c]]`
    Method Reg Reg Field,
    /// `R[a] = {}` with room for `b` elements and `c` fields
    NewTable Reg Count Count,
    /// `R[a] = R[b] + R[c]`, and so on
    Add Reg Reg Reg,
    Sub Reg Reg Reg,
    Mul Reg Reg Reg,
    Mod Reg Reg Reg,
    Pow Reg Reg Reg,
    Div Reg Reg Reg,
    IDiv Reg Reg Reg,
    BAnd Reg Reg Reg,
    BOr Reg Reg Reg,
    BXor Reg Reg Reg,
    Shl Reg Reg Reg,
    Shr Reg Reg Reg,
    /// `R[a] = R[b] + K[c]`, and so on; the highest bit of `c` exchanges the operands
    AddK Reg Reg Flip,
    SubK Reg Reg Flip,
    MulK Reg Reg Flip,
    ModK Reg Reg Flip,
    PowK Reg Reg Flip,
    DivK Reg Reg Flip,
    IDivK Reg Reg Flip,
    BAndK Reg Reg Flip,
    BOrK Reg Reg Flip,
    BXorK Reg Reg Flip,
    ShlK Reg Reg Flip,
    ShrK Reg Reg Flip,
    /// `R[a] = R[b] + c`
    AddInt Reg Reg Int,
    /// `R[a] = R[b] - c`
    SubInt Reg Reg Int,
    /// `R[a] = -R[b]`
    Neg Reg Reg None,
    /// `R[a] = ~R[b]`
    BNot Reg Reg None,
    /// `R[a] = not R[b]`
    Not Reg Reg None,
    /// `R[a] = #R[b]`
    Len Reg Reg None,
    /// `R[a] = R[a] .. … .. R[a+b-1]`
    Concat Reg Count None,
    /// Closes upvalues and to-be-closed variables from `R[a]` on
    Close Reg None None,
    /// `R[a]` is to be closed
    ToClose Reg None None,
    /// `pc = c`
    Jump None None Target,
    /// `pc = c`, backwards
    Loop None None Target,
    /// `if R[a] then pc = c`
    JumpIf Reg None Target,
    /// `if not R[a] then pc = c`
    JumpIfNot Reg None Target,
    /// `if R[b] then R[a] = R[b]; pc = c`
    JumpIfSet Reg Reg Target,
    /// `if not R[b] then R[a] = R[b]; pc = c`
    JumpIfNotSet Reg Reg Target,
    /// `if R[a] == R[b] then pc = c`, and so on; each with its negation behind it
    JumpEq Reg Reg Target,
    JumpNe Reg Reg Target,
    JumpEqK Reg Const Target,
    JumpNeK Reg Const Target,
    JumpLt Reg Reg Target,
    JumpNotLt Reg Reg Target,
    JumpLe Reg Reg Target,
    JumpNotLe Reg Reg Target,
    JumpLtInt Reg Int Target,
    JumpNotLtInt Reg Int Target,
    JumpLeInt Reg Int Target,
    JumpNotLeInt Reg Int Target,
    JumpGtInt Reg Int Target,
    JumpNotGtInt Reg Int Target,
    JumpGeInt Reg Int Target,
    JumpNotGeInt Reg Int Target,
    /// `R[a], … = R[a](R[a+1], …)` with `b - 1` arguments and `c - 1` results; 0 for what there is
    Call Reg Count Count,
    /// `return R[a](R[a+1], …)`
    TailCall Reg Count None,
    /// `return R[a], …`, `b - 1` values
    Return Reg Count None,
    /// `return`
    Return0 None None None,
    /// `return R[a]`
    Return1 Reg None None,
    /// Prepares `for` over `R[a], R[a+1], R[a+2]`; `pc = c` if there is no turn
    ForPrep Reg None Target,
    /// `R[a+3]` = the next value and `pc = c`, if there is one
    ForLoop Reg None Target,
    /// `R[a+3]` is to be closed; `pc = c`
    ForInPrep Reg None Target,
    /// `R[a+4], … = R[a](R[a+1], R[a+2])`, `b` results
    ForInCall Reg Count None,
    /// `if R[a+4] ~= nil then R[a+2] = R[a+4]; pc = c`
    ForInLoop Reg None Target,
    /// `R[a][c + i] = R[a + i]`, for `1 <= i <= b`; 0 for what there is
    SetList Reg Count Count,
    /// `R[a]` = a closure of a function
    Closure Reg None Function,
    /// `R[a], … = ...`, `b - 1` values; 0 for all
    VarArg Reg Count None,
    /// Tells the thread's hook of the instruction behind
    Hook None None None,
}

impl Op {
    /// The operation that jumps when this one does not.
    pub fn negated(self) -> Op {
        match self {
            Op::JumpIf => Op::JumpIfNot,
            Op::JumpIfNot => Op::JumpIf,
            Op::JumpIfSet => Op::JumpIfNotSet,
            Op::JumpIfNotSet => Op::JumpIfSet,
            _ if (Op::JumpEq as u8..=Op::JumpNotGeInt as u8).contains(&(self as u8)) => {
                Op::ALL[usize::from(((self as u8 - Op::JumpEq as u8) ^ 1) + Op::JumpEq as u8)]
            }
            _ => self,
        }
    }
}

/// An instruction.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Instr {
    pub op: Op,
    pub a: u8,
    pub b: u16,
    pub c: u32,
}

const _: () = assert!(size_of::<Instr>() == 8);

/// The first number of an operand that is a constant, where it may also be a register.
pub const FIRST_CONST: u32 = 256;
/// The bit that exchanges the operands.
pub const FLIP: u32 = 1 << 31;

impl Instr {
    pub fn new(op: Op, a: u8, b: u16, c: u32) -> Instr {
        Instr { op, a, b, c }
    }

    /// The constant of a `Field` operand.
    #[inline(always)]
    pub fn key(self) -> usize {
        (self.c & 0xFFFF) as usize
    }

    /// The cache of a `Field` operand.
    #[inline(always)]
    pub fn cache(self) -> usize {
        (self.c >> 16) as usize
    }
}
