//! What the compiler knows of a value that is not in a register yet.

/// Where a value is, or how it will be computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// No value.
    Void,
    Nil,
    True,
    False,
    Int(i64),
    Float(f64),
    /// A string, by the index of its constant.
    String(u32),
    /// In the register of a temporary.
    Temp(u8),
    /// A local variable: its register and its index among the variables.
    Local(u8, usize),
    Upvalue(u8),
    /// A variable that is a constant, by its index among the variables.
    Const(usize),
    /// An element of a table in a register, by a register.
    Index(u8, u8),
    /// By a constant string.
    Field(u8, u16),
    /// By a small integer.
    IndexInt(u8, i32),
    /// A field of an upvalue.
    UpField(u8, u16),
    /// The result of an instruction whose target is still free.
    Pending(usize),
    /// The jump at this instruction is taken if the value is true.
    Jump(usize),
    /// A call, and its instruction.
    Call(usize),
    /// `...`, and its instruction.
    VarArg(usize),
}

/// A chain of jumps whose target is not known: the last one; each holds the one before it as its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain(pub Option<usize>);

impl Chain {
    pub const EMPTY: Chain = Chain(None);

    pub fn is_empty(self) -> bool {
        self.0.is_none()
    }
}

/// A value, and the jumps that leave its computation when it is known to be true or false.
#[derive(Clone, Copy, Debug)]
pub struct Expr {
    pub kind: Kind,
    pub if_true: Chain,
    pub if_false: Chain,
}

impl Expr {
    pub fn new(kind: Kind) -> Expr {
        Expr { kind, if_true: Chain::EMPTY, if_false: Chain::EMPTY }
    }

    pub fn has_jumps(&self) -> bool {
        self.if_true != self.if_false
    }

    /// A number that is written down, and nothing else.
    pub fn number(&self) -> Option<crate::number::Number> {
        match self.kind {
            _ if self.has_jumps() => None,
            Kind::Int(int) => Some(crate::number::Number::Int(int)),
            Kind::Float(float) => Some(crate::number::Number::Float(float)),
            _ => None,
        }
    }

    pub fn has_many_values(&self) -> bool {
        matches!(self.kind, Kind::Call(_) | Kind::VarArg(_))
    }
}
