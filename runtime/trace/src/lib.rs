//! The trace IR: what the recorder writes, the optimiser rewrites and a backend compiles.
//!
//! A [`Trace`] is one straight line of operations in SSA form, from its inputs to one terminator (`jump` or `finish`).
//! A `label` inside it is where jumps arrive; its parameters are new values. Guards leave the trace through a
//! [`Snapshot`], which says for every activation that was open where to resume and what its live registers hold.
//!
//! Descriptors (accesses, calls, jitcodes) are those of the [`Program`](metatrace_defs::Program) that was traced.

mod delayed;
mod lex;
pub mod parse;
pub mod text;
pub mod verify;
mod virtuals;

pub use delayed::DelayedStore;
pub use parse::{ParseError, TraceFile, parse, parse_file, parse_with};
pub use text::{TextWriter, to_text};
pub use verify::{VerifyError, verify};
pub use virtuals::{Virtual, VirtualField};

use metatrace_defs::inst::Operand as Register;
use metatrace_defs::jitcode::PortalId;
use metatrace_defs::trace_op::{Attachment, OperandKind, ResultKind};
use metatrace_defs::{AccessId, AllocId, CallId, JitCodeId, Kind, Program, TraceOp};
use smallvec::SmallVec;
use std::collections::HashSet;
use std::sync::Arc;

/// Collects a short list.
///
/// Unlike `collect` it is a loop where it stands, which is several times faster for the few items that such lists have.
#[inline(always)]
pub fn short<A: smallvec::Array>(items: impl IntoIterator<Item = A::Item>) -> SmallVec<A> {
    let mut list = SmallVec::new();
    for item in items {
        list.push(item);
    }
    list
}

metatrace_defs::entity! {
    /// A value of a trace.
    Value = "%"
}
metatrace_defs::entity! {
    /// A snapshot of a trace.
    SnapshotId = "s"
}
metatrace_defs::entity! {
    /// A guard of compiled code, unique in its VM.
    GuardId = "g"
}
metatrace_defs::entity! {
    /// A label: of this trace, or the entry of a compiled loop, unique in its VM.
    TargetId = "t"
}

/// An operand: a value of the trace or a constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Opnd {
    /// A value.
    Value(Value),
    /// A constant word.
    Word(u64),
    /// A constant float, as its bits.
    Float(u64),
}

impl Opnd {
    /// A constant of a kind, a float as its bits.
    pub fn constant(kind: Kind, bits: u64) -> Opnd {
        match kind {
            Kind::Word => Opnd::Word(bits),
            Kind::Float => Opnd::Float(bits),
        }
    }

    /// The bits of a constant.
    pub fn as_const(self) -> Option<u64> {
        match self {
            Opnd::Value(_) => None,
            Opnd::Word(bits) | Opnd::Float(bits) => Some(bits),
        }
    }

    /// The value, unless it is a constant.
    pub fn as_value(self) -> Option<Value> {
        match self {
            Opnd::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// `%3` for a value, a signed decimal for a word, a decimal with a point or exponent for a float, or `f0x…` with its bits
/// if it is not finite.
impl std::fmt::Display for Opnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Opnd::Value(value) => write!(f, "{value}"),
            Opnd::Word(bits) => write!(f, "{}", bits as i64),
            Opnd::Float(bits) if f64::from_bits(bits).is_finite() => write!(f, "{:?}", f64::from_bits(bits)),
            Opnd::Float(bits) => write!(f, "f{bits:#x}"),
        }
    }
}

impl std::fmt::Debug for Opnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<Value> for Opnd {
    fn from(value: Value) -> Opnd {
        Opnd::Value(value)
    }
}

/// What an operation carries beside its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attached {
    /// Nothing.
    None,
    /// A field or element.
    Access(AccessId),
    /// A call.
    Call(CallId),
    /// An allocation.
    Alloc(AllocId),
    /// A label.
    Target(TargetId),
}

/// How many operands of a `call_assembler` stand before the arguments of its call.
pub const CALL_ASSEMBLER_PREFIX: usize = 3;

/// What a `call_assembler` calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalledEntry {
    /// The entry.
    pub target: TargetId,
    /// Bytes of local memory that are in use by the caller.
    pub locals: u64,
    /// Which arguments are inputs of the code: a bit for each, from the lowest on.
    pub inputs: u64,
}

impl CalledEntry {
    /// The operands that stand before the arguments.
    pub fn operands(self) -> [Opnd; CALL_ASSEMBLER_PREFIX] {
        [Opnd::Word(self.target.0.into()), Opnd::Word(self.locals), Opnd::Word(self.inputs)]
    }

    /// Whether argument `n` is an input.
    pub fn is_input(self, n: usize) -> bool {
        self.inputs >> n & 1 != 0
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inst {
    /// Which operation.
    pub op: TraceOp,
    /// The operands.
    pub args: SmallVec<[Opnd; 3]>,
    /// What it carries.
    pub attached: Attached,
    /// The values it yields.
    pub results: SmallVec<[Value; 1]>,
    /// Where to resume if it is a guard and fails.
    pub snapshot: Option<SnapshotId>,
}

impl Inst {
    /// The result of an operation that yields one value.
    ///
    /// # Panics
    /// If it yields none or several.
    pub fn result(&self) -> Value {
        assert_eq!(self.results.len(), 1, "{} yields {} values", self.op, self.results.len());
        self.results[0]
    }

    /// The access it carries.
    ///
    /// # Panics
    /// If it carries none.
    pub fn access(&self) -> AccessId {
        match self.attached {
            Attached::Access(id) => id,
            _ => panic!("{} carries no access", self.op),
        }
    }

    /// Where the slot of local memory ends whose address it gives; nothing if it gives none.
    pub fn local_end(&self) -> Option<u64> {
        match (self.op, &self.args[..]) {
            (TraceOp::LocalAddr, [start, size, _]) => start.as_const()?.checked_add(size.as_const()?),
            _ => None,
        }
    }

    /// The call it carries.
    ///
    /// # Panics
    /// If it carries none.
    pub fn call(&self) -> CallId {
        match self.attached {
            Attached::Call(id) => id,
            _ => panic!("{} carries no call", self.op),
        }
    }

    /// The allocation it carries.
    ///
    /// # Panics
    /// If it carries none.
    pub fn alloc(&self) -> AllocId {
        match self.attached {
            Attached::Alloc(id) => id,
            _ => panic!("{} carries no allocation", self.op),
        }
    }

    /// The operands that are arguments of the call that it is.
    pub fn call_args(&self) -> &[Opnd] {
        let prefix = if self.op == TraceOp::CallAssembler { CALL_ASSEMBLER_PREFIX } else { 0 };
        self.args.get(prefix..).unwrap_or_default()
    }

    /// What a `call_assembler` calls.
    ///
    /// # Panics
    /// If it is another operation.
    pub fn called_entry(&self) -> CalledEntry {
        match (self.op, &self.args[..]) {
            (TraceOp::CallAssembler, &[Opnd::Word(target), Opnd::Word(locals), Opnd::Word(inputs), ..]) => {
                CalledEntry { target: TargetId(target as u32), locals, inputs }
            }
            _ => panic!("{} calls no entry", self.op),
        }
    }

    /// The label it carries.
    ///
    /// # Panics
    /// If it carries none.
    pub fn target(&self) -> TargetId {
        match self.attached {
            Attached::Target(id) => id,
            _ => panic!("{} carries no label", self.op),
        }
    }
}

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueData {
    /// Its kind.
    pub kind: Kind,
    /// What it was when the trace was recorded, a float as its bits; `None` where no recording says.
    pub recorded: Option<u64>,
}

/// One activation in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFrame {
    /// What runs in it.
    pub jitcode: JitCodeId,
    /// Where to resume.
    pub pc: u32,
    /// Where the activation's local memory starts, in bytes from the start of the trace frame's local memory.
    pub locals: u32,
    /// The live registers and what they hold.
    pub registers: Vec<(Register, Opnd)>,
}

/// A word of local memory that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownWord {
    /// How it is read.
    pub access: AccessId,
    /// Where the object it is a field of starts, in bytes from the start of the trace frame's local memory.
    pub base: u32,
    /// What is there; a float as its bits.
    pub bits: u64,
}

/// What is needed to go on interpreting where a guard stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The open activations, outermost first. All but the last are inside a call, and resume after it.
    pub frames: Vec<SnapshotFrame>,
    /// What values that nothing holds are made of, where a register or another of them names them.
    pub virtuals: Vec<(Value, Virtual)>,
    /// Merge points passed since the last `count_merge_points`, for statistics.
    pub merge_points: u32,
    /// What a failing guard hands over instead of the values named here, if who goes on from it knows that: in a
    /// region, where the frames are those of the guard of the trace as it was compiled alone.
    pub handed: Option<Vec<Opnd>>,
    /// Stores that the guard does if it fails, in this order, before anything goes on from it.
    pub stores: Vec<DelayedStore>,
    /// Constants that local memory holds whenever the guard fails: what is recorded from there on may rely on them. They
    /// are advice, and not part of the text form.
    pub known: Vec<KnownWord>,
    /// The portals that are open, outermost first: advice for what is recorded from there on, and not part of the text form.
    pub open: Arc<[OpenPortal]>,
}

/// A portal that is open, by an activation of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPortal {
    /// The number of the activation, from the outermost.
    pub frame: u32,
    /// The portal.
    pub portal: PortalId,
    /// The words of the greens with which it was entered.
    pub greens: SmallVec<[u64; 8]>,
}

impl Snapshot {
    /// Every operand, in order.
    pub fn operands(&self) -> impl Iterator<Item = Opnd> + '_ {
        let registers = self.frames.iter().flat_map(|frame| frame.registers.iter().map(|&(_, opnd)| opnd));
        let virtuals = self.virtuals.iter().flat_map(|(_, made)| made.operands().copied());
        let stores = self.stores.iter().flat_map(|store| store.args.iter().copied());
        registers.chain(virtuals).chain(self.handed.iter().flatten().copied()).chain(stores)
    }

    /// The number of the virtual that a value is.
    pub fn virtual_number(&self, value: Value) -> Option<usize> {
        self.virtuals.iter().position(|&(of, _)| of == value)
    }

    /// Every operand, in order.
    pub fn operands_mut(&mut self) -> impl Iterator<Item = &mut Opnd> + '_ {
        let registers = self.frames.iter_mut().flat_map(|frame| &mut frame.registers);
        let virtuals = self.virtuals.iter_mut().flat_map(|(_, made)| {
            made.args.iter_mut().chain(made.fields.iter_mut().map(|field| &mut field.value))
        });
        let stores = self.stores.iter_mut().flat_map(|store| &mut store.args);
        let registers = registers.map(|(_, opnd)| opnd).chain(virtuals);
        registers.chain(self.handed.iter_mut().flatten()).chain(stores)
    }
}

/// A straight line of operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// What is handed over at the entry, in frame order.
    pub inputs: Vec<Value>,
    /// The operations.
    pub insts: Vec<Inst>,
    /// Kinds and recorded results, by value.
    pub values: Vec<ValueData>,
    /// The snapshots.
    pub snapshots: Vec<Snapshot>,
    /// Comments for people: before which operation, and the text (guest positions, entered functions).
    pub notes: Vec<(u32, String)>,
}

impl Trace {
    /// A trace without operations.
    pub fn new() -> Trace {
        Trace::default()
    }

    /// A new value.
    pub fn new_value(&mut self, kind: Kind, recorded: Option<u64>) -> Value {
        self.values.push(ValueData { kind, recorded });
        Value::new(self.values.len() - 1)
    }

    /// A new value that is handed over at the entry.
    pub fn new_input(&mut self, kind: Kind, recorded: Option<u64>) -> Value {
        let value = self.new_value(kind, recorded);
        self.inputs.push(value);
        value
    }

    /// The kind of an operand.
    pub fn kind(&self, opnd: Opnd) -> Kind {
        match opnd {
            Opnd::Value(value) => self.values[value.index()].kind,
            Opnd::Word(_) => Kind::Word,
            Opnd::Float(_) => Kind::Float,
        }
    }

    /// What an operand was when the trace was recorded, a float as its bits.
    pub fn recorded(&self, opnd: Opnd) -> Option<u64> {
        match opnd {
            Opnd::Value(value) => self.values[value.index()].recorded,
            Opnd::Word(bits) | Opnd::Float(bits) => Some(bits),
        }
    }

    /// The kinds of the values that an operation yields.
    pub fn result_kinds(
        &self,
        program: &Program,
        op: TraceOp,
        args: &[Opnd],
        attached: Attached,
    ) -> SmallVec<[Kind; 8]> {
        let one = |kind| SmallVec::from_slice(&[kind]);
        let Some(row) = op.impure_row() else {
            let TraceOp::Pure(pure) = op else { unreachable!("only pure operations lack a row") };
            return one(pure.row().result);
        };
        match (row.result, attached) {
            (ResultKind::None, _) => SmallVec::new(),
            (ResultKind::One(kind), _) => one(kind),
            (ResultKind::Access, Attached::Access(id)) => one(program.access(id).scalar.kind()),
            (ResultKind::Call, Attached::Call(id)) => SmallVec::from_slice(&program.call(id).results),
            (ResultKind::Params, _) => short(args.iter().map(|&arg| self.kind(arg))),
            (result, attached) => panic!("{op} with result {result:?} carries {attached:?}"),
        }
    }

    /// Appends an operation; `recorded` are the concrete results, as many as it yields, or none.
    ///
    /// Returns the values it yields.
    pub fn push(
        &mut self,
        program: &Program,
        op: TraceOp,
        args: &[Opnd],
        attached: Attached,
        recorded: &[u64],
    ) -> SmallVec<[Value; 1]> {
        let kinds = self.result_kinds(program, op, args, attached);
        let mut results: SmallVec<[Value; 1]> = SmallVec::new();
        for (n, &kind) in kinds.iter().enumerate() {
            results.push(self.new_value(kind, recorded.get(n).copied()));
        }
        let args = SmallVec::from_slice(args);
        self.insts.push(Inst { op, args, attached, results: SmallVec::from_slice(&results), snapshot: None });
        results
    }

    /// Appends a guard.
    pub fn push_guard(&mut self, op: TraceOp, args: &[Opnd], snapshot: SnapshotId) {
        assert!(op.is_guard(), "{op} is no guard");
        let inst = Inst {
            op,
            args: SmallVec::from_slice(args),
            attached: Attached::None,
            results: SmallVec::new(),
            snapshot: Some(snapshot),
        };
        self.insts.push(inst);
    }

    /// Adds a snapshot.
    pub fn push_snapshot(&mut self, snapshot: Snapshot) -> SnapshotId {
        self.snapshots.push(snapshot);
        SnapshotId::new(self.snapshots.len() - 1)
    }

    /// What a failing guard with this snapshot hands over.
    ///
    /// A backend stores it in the first slots of the trace frame; a bridge has it as its inputs.
    pub fn handed(&self, snapshot: SnapshotId) -> Vec<Opnd> {
        match &self.snapshots[snapshot.index()].handed {
            Some(handed) => handed.clone(),
            None => self.fail_values(snapshot).into_iter().map(Opnd::Value).collect(),
        }
    }

    /// The values that the registers of a snapshot name, and those that its virtuals are made of, each once, in order of first
    /// use: what a failing guard with this snapshot hands over, unless the snapshot says otherwise.
    pub fn fail_values(&self, snapshot: SnapshotId) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        let mut seen = HashSet::new();
        let Snapshot { frames, virtuals, .. } = &self.snapshots[snapshot.index()];
        let registers = frames.iter().flat_map(|frame| frame.registers.iter().map(|&(_, opnd)| opnd));
        let made_of = virtuals.iter().flat_map(|(_, made)| made.operands().copied());
        let is_held = |value: &Value| virtuals.iter().all(|(of, _)| of != value);
        for value in registers.chain(made_of).filter_map(Opnd::as_value).filter(is_held) {
            // A scan is faster than hashing for the few values that most snapshots have.
            let is_new = if values.len() < 32 {
                !values.contains(&value)
            } else {
                if seen.is_empty() {
                    seen.extend(values.iter().copied());
                }
                seen.insert(value)
            };
            if is_new {
                values.push(value);
            }
        }
        values
    }
}

/// Whether an operand of `kind` may stand where the table says `expected`.
pub fn operand_fits(expected: OperandKind, kind: Kind) -> bool {
    match expected {
        OperandKind::Word => kind == Kind::Word,
        OperandKind::Float => kind == Kind::Float,
        OperandKind::Any | OperandKind::Rest => true,
    }
}

/// Whether `attached` is of the form that the table asks for.
pub fn attachment_fits(expected: Attachment, attached: Attached) -> bool {
    matches!(
        (expected, attached),
        (Attachment::None, Attached::None)
            | (Attachment::Access, Attached::Access(_))
            | (Attachment::Call, Attached::Call(_))
            | (Attachment::Alloc, Attached::Alloc(_))
            | (Attachment::Target, Attached::Target(_))
    )
}
