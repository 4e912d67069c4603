//! The verifier: what every trace must satisfy, whoever wrote it.
//!
//! Checks, each with a file in `tests/verify`, or a test in `tests/text.rs` for what the parser refuses already:
//!
//! 1. `ssa`: inputs and results are values of the trace, and each value is defined once.
//! 2. `dominance`: an operand, also of a snapshot, is defined before it is used.
//! 3. `operands`: as many operands as the table says, of the kinds that it says.
//! 4. `attachments`: what the operation carries is of the form that the table says, and the program has it.
//! 5. `results`: as many results as the table and the descriptors say, of the kinds that they say.
//! 6. `guards`: a guard has a snapshot that exists; nothing else has one.
//! 7. `snapshots`: its stores have the operands of their accesses; a snapshot has a frame, or says what it hands over; its jitcodes exist; each register is one of the jitcode's, no constant, named
//!    once, and holds an operand of its kind.
//! 8. `virtuals`: what a snapshot describes is defined by nothing before, and described once; it is an object with elements as many as a
//!    constant says, or an operation that may be done at any time, on what is defined or described before; fields are
//!    accessed as accesses say.
//! 9. `terminator`: the last operation ends the trace, and no other does.
//! 10. `constants`: the second operand of `guard_value` and `guard_float_value`, and the operand of `local_addr` and
//!    `count_merge_points`, are constants.
//! 11. `accesses`: an element access has a stride and a field access has none; what is stored is of the scalar's kind.
//! 12. `calls`: the arguments are as many and of the kinds that the descriptor says, within its limits; `call_elidable`
//!     calls what is elidable; `call_assembler` starts with three constants, and its arguments that are no inputs are constants.
//! 13. `labels`: no label stands twice; a jump to a label of the trace brings as many operands as it has parameters, of
//!     their kinds.
//! 14. `allocations`: `new` and `make` allocate an object without elements, `new_array` and `make_array` one with them, `free` takes a
//!     plain one without. What may collect is followed by `guard_not_pending`; what is made is of the collected heap, and if a
//!     loop makes it, a `guard_not_pending` of the loop asks whether it is time to collect.
//! 15. `notes`: notes are ascending and stand within the trace.
//!
//! Not checked here, because it depends on ranges: that a guard keeps the divisor of a `PARTIAL` operation from 0. The
//! reference backend checks it when it runs one.

use metatrace_defs::trace_op::OperandKind;
use metatrace_defs::{CallDescr, Kind, Program, PureOp, TraceOp};

use crate::{
    Attached, CALL_ASSEMBLER_PREFIX, DelayedStore, Inst, Opnd, SnapshotId, TargetId, Trace, Value,
    attachment_fits, operand_fits,
};

/// What is wrong with a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The operation, by its place; `None` if the trace as a whole is meant.
    pub inst: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

impl std::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.inst {
            Some(inst) => write!(f, "operation {inst}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for VerifyError {}

/// Checks a trace; gives every error, in the trace's order.
pub fn verify(program: &Program, trace: &Trace) -> Result<(), Vec<VerifyError>> {
    let mut verifier = Verifier {
        program,
        trace,
        defined: vec![false; trace.values.len()],
        labels: Vec::new(),
        inst: None,
        errors: Vec::new(),
    };
    verifier.trace();
    if verifier.errors.is_empty() { Ok(()) } else { Err(verifier.errors) }
}

/// Checks a trace that our own code wrote.
///
/// # Panics
/// If it is wrong, with the trace and every error; `who` wrote it.
pub fn assert_valid(program: &Program, trace: &Trace, who: &str) {
    if let Err(errors) = verify(program, trace) {
        let errors: Vec<String> = errors.iter().map(VerifyError::to_string).collect();
        panic!("{who} wrote a wrong trace:\n{}\n{trace}", errors.join("\n"));
    }
}

struct Verifier<'a> {
    program: &'a Program,
    trace: &'a Trace,
    defined: Vec<bool>,
    labels: Vec<(TargetId, &'a Inst)>,
    inst: Option<usize>,
    errors: Vec<VerifyError>,
}

impl<'a> Verifier<'a> {
    fn error(&mut self, reason: String) {
        self.errors.push(VerifyError { inst: self.inst, reason });
    }

    fn trace(&mut self) {
        let trace = self.trace;
        for &input in &trace.inputs {
            self.define(input);
        }
        for (n, inst) in trace.insts.iter().enumerate() {
            self.inst = Some(n);
            self.inst(inst);
            let is_last = n + 1 == trace.insts.len();
            if inst.op.is_terminator() && !is_last {
                self.error(format!("{} does not stand at the end", inst.op));
            }
            if is_last && !inst.op.is_terminator() {
                self.error(format!("the trace ends with {}, which is no terminator", inst.op));
            }
        }
        self.inst = None;
        self.makes_and_asks();
        if trace.insts.is_empty() {
            self.error("the trace has no terminator".to_string());
        }
        let places = trace.notes.iter().map(|&(at, _)| at as usize);
        if !places.clone().is_sorted() || places.clone().any(|at| at > trace.insts.len()) {
            self.error("the notes do not stand in order within the trace".to_string());
        }
    }

    fn define(&mut self, value: Value) {
        match self.defined.get_mut(value.index()) {
            None => self.error(format!("{value} is no value of the trace")),
            Some(defined) if *defined => self.error(format!("{value} is defined twice")),
            Some(defined) => *defined = true,
        }
    }

    /// Whether an operand may be used here, and so has a kind.
    fn used(&mut self, opnd: Opnd) -> bool {
        match opnd.as_value() {
            Some(value) if !self.defined.get(value.index()).copied().unwrap_or(false) => {
                self.error(format!("{value} is used before it is defined"));
                false
            }
            _ => true,
        }
    }

    fn inst(&mut self, inst: &'a Inst) {
        let operands_are_defined = inst.args.iter().fold(true, |all, &arg| self.used(arg) & all);
        if operands_are_defined && self.attached(inst) {
            self.operands(inst);
            self.results(inst);
            self.accesses(inst);
            self.allocations(inst);
            self.collections(inst);
            self.calls(inst);
            self.labels(inst);
        }
        self.constants(inst);
        match (inst.op.is_guard(), inst.snapshot) {
            (true, None) => self.error(format!("{} has no snapshot", inst.op)),
            (false, Some(_)) => self.error(format!("{} is no guard but has a snapshot", inst.op)),
            (true, Some(id)) => self.snapshot(id),
            (false, None) => {}
        }
        for &result in &inst.results {
            self.define(result);
        }
    }

    fn operands(&mut self, inst: &Inst) {
        let expected: Vec<OperandKind> = match inst.op {
            TraceOp::Pure(op) => op.row().operands.iter().map(|&kind| operand_kind(kind)).collect(),
            op => op.impure_row().map_or(vec![], |row| row.operands.to_vec()),
        };
        if expected == [OperandKind::Rest] {
            return;
        }
        if expected.len() != inst.args.len() {
            self.error(format!("{} takes {} operands, not {}", inst.op, expected.len(), inst.args.len()));
        }
        for (n, (&expected, &arg)) in expected.iter().zip(&inst.args).enumerate() {
            if !operand_fits(expected, self.trace.kind(arg)) {
                self.error(format!("operand {n} of {}, {arg}, is of the wrong kind", inst.op));
            }
        }
    }

    fn attached(&mut self, inst: &Inst) -> bool {
        if !attachment_fits(inst.op.attachment(), inst.attached) {
            self.error(format!("{} cannot carry {:?}", inst.op, inst.attached));
            return false;
        }
        let exists = match inst.attached {
            Attached::None | Attached::Target(_) => true,
            Attached::Access(id) => id.index() < self.program.accesses.len(),
            Attached::Call(id) => id.index() < self.program.calls.len(),
            Attached::Alloc(id) => id.index() < self.program.allocs.len(),
        };
        if !exists {
            self.error(format!("the program has no {:?}", inst.attached));
        }
        exists
    }

    fn results(&mut self, inst: &Inst) {
        let kinds = self.trace.result_kinds(self.program, inst.op, &inst.args, inst.attached);
        if kinds.len() != inst.results.len() {
            self.error(format!("{} yields {} values, not {}", inst.op, kinds.len(), inst.results.len()));
        }
        for (&kind, &value) in kinds.iter().zip(&inst.results) {
            if self.trace.values.get(value.index()).is_some_and(|data| data.kind != kind) {
                self.error(format!("{value}, a result of {}, is of the wrong kind", inst.op));
            }
        }
    }

    fn accesses(&mut self, inst: &Inst) {
        let Attached::Access(id) = inst.attached else { return };
        let access = self.program.access(id);
        let takes_index = match inst.op {
            TraceOp::GetElem | TraceOp::GetElemFrozen | TraceOp::SetElem | TraceOp::InteriorElem => true,
            TraceOp::GetField | TraceOp::GetFieldFrozen | TraceOp::SetField | TraceOp::InteriorField => false,
            op => panic!("{op} carries an access"),
        };
        if takes_index != access.stride.is_some() {
            let what = if takes_index { "has no stride" } else { "has a stride" };
            self.error(format!("{id} {what}, so {} cannot use it", inst.op));
        }
        let is_store = matches!(inst.op, TraceOp::SetElem | TraceOp::SetField);
        if is_store
            && let Some(&stored) = inst.args.last()
            && self.trace.kind(stored) != access.scalar.kind()
        {
            self.error(format!("{stored} is not of the kind that {id} stores"));
        }
    }

    fn allocations(&mut self, inst: &Inst) {
        let Attached::Alloc(id) = inst.attached else { return };
        let alloc = self.program.alloc(id);
        let has_elements = alloc.elements.is_some();
        match inst.op {
            TraceOp::New | TraceOp::Make if has_elements => {
                self.error(format!("{id} has elements, so {} cannot make it", inst.op));
            }
            TraceOp::NewArray | TraceOp::MakeArray if !has_elements => {
                self.error(format!("{id} has no elements, so {} cannot make it", inst.op));
            }
            TraceOp::Free if has_elements || alloc.is_collected() => {
                self.error(format!("{id} is collected or has elements, so it is not given back"));
            }
            TraceOp::FreeArray if !has_elements || alloc.is_collected() => {
                self.error(format!("{id} is collected or has no elements, so {} is not for it", inst.op));
            }
            _ => {}
        }
    }

    fn collections(&mut self, inst: &Inst) {
        let Attached::Alloc(id) = inst.attached else { return };
        let alloc = self.program.alloc(id);
        let may_collect = inst.op.may_collect() && alloc.is_collected();
        let next = self.inst.and_then(|at| self.trace.insts.get(at + 1));
        if may_collect && next.is_none_or(|next| next.op != TraceOp::GuardNotPending) {
            self.error(format!(
                "no {} stands behind {} of {id}, which may collect",
                TraceOp::GuardNotPending,
                inst.op
            ));
        }
        if inst.op.is_allocation() && !inst.op.may_collect() && !alloc.is_collected() {
            self.error(format!("{id} is not collected, so {} does not make it", inst.op));
        }
    }

    /// A loop that makes objects has a guard that asks whether it is time to collect.
    fn makes_and_asks(&mut self) {
        let Some((last, before)) = self.trace.insts.split_last().filter(|(last, _)| last.op == TraceOp::Jump)
        else {
            return;
        };
        let is_label = |inst: &Inst| inst.op == TraceOp::Label && inst.attached == last.attached;
        let Some(start) = before.iter().position(is_label) else { return };
        let mut body = before[start..].iter();
        let makes = body.clone().any(|inst| inst.op.is_allocation() && !inst.op.may_collect());
        if makes && !body.any(|inst| inst.op == TraceOp::GuardNotPending) {
            self.error("the loop makes objects but never asks whether it is time to collect".to_string());
        }
    }

    fn calls(&mut self, inst: &Inst) {
        let Attached::Call(id) = inst.attached else { return };
        let call = self.program.call(id);
        if call.args.len() > CallDescr::MAX_ARGS || call.results.len() > CallDescr::MAX_RESULTS {
            self.error(format!("{id} has more arguments or results than calls may have"));
        }
        let kinds: Vec<Kind> = inst.call_args().iter().map(|&arg| self.trace.kind(arg)).collect();
        if inst.op == TraceOp::CallAssembler {
            self.portal_call(inst);
        }
        if kinds != call.args {
            self.error(format!("the arguments are not what {id} takes"));
        }
        if inst.op == TraceOp::CallElidable && !call.has(metatrace_defs::descr::call_flag::ELIDABLE) {
            self.error(format!("{id} is not elidable"));
        }
    }

    fn portal_call(&mut self, inst: &Inst) {
        if inst.args.len() < CALL_ASSEMBLER_PREFIX
            || inst.args[..CALL_ASSEMBLER_PREFIX].iter().any(|arg| arg.as_const().is_none())
        {
            self.error(format!("the first operands of {} must be constants", inst.op));
            return;
        }
        let called = inst.called_entry();
        let mut others = inst.call_args().iter().enumerate().filter(|&(n, _)| !called.is_input(n));
        if let Some((_, arg)) = others.find(|(_, arg)| arg.as_const().is_none()) {
            self.error(format!("{arg} of {} is no input and must be a constant", inst.op));
        }
    }

    fn labels(&mut self, inst: &'a Inst) {
        let Attached::Target(target) = inst.attached else { return };
        let known = self.labels.iter().find(|(label, _)| *label == target).map(|&(_, label)| label);
        match (inst.op, known) {
            (TraceOp::Label, None) => self.labels.push((target, inst)),
            (TraceOp::Label, Some(_)) => self.error(format!("{target} stands twice")),
            (_, Some(label)) => {
                let kinds = |args: &[Opnd]| args.iter().map(|&arg| self.trace.kind(arg)).collect::<Vec<_>>();
                if kinds(&inst.args) != kinds(&label.args) {
                    self.error(format!("the operands are not what {target} takes"));
                }
            }
            (_, None) => {}
        }
    }

    fn constants(&mut self, inst: &Inst) {
        let places = match inst.op {
            TraceOp::GuardValue | TraceOp::GuardFloatValue => 1..2,
            TraceOp::LocalAddr => 0..3,
            TraceOp::CountMergePoints => 0..1,
            _ => return,
        };
        for place in places {
            if inst.args.get(place).is_some_and(|arg| arg.as_const().is_none()) {
                self.error(format!("operand {place} of {} must be a constant", inst.op));
            }
        }
    }

    fn delayed_store(&mut self, id: SnapshotId, store: &DelayedStore) {
        let Some(access) = self.program.accesses.get(store.access.index()) else {
            self.error(format!("the program has no {}", store.access));
            return;
        };
        let wanted = 2 + usize::from(access.stride.is_some());
        if store.args.len() != wanted {
            self.error(format!("a store of {id} has {} operands, not {wanted}", store.args.len()));
            return;
        }
        for (n, &opnd) in store.args.iter().enumerate() {
            let kind = if n + 1 == wanted { access.scalar.kind() } else { Kind::Word };
            if self.used(opnd) && self.trace.kind(opnd) != kind {
                self.error(format!("a store of {id} cannot take {opnd}"));
            }
        }
    }

    fn snapshot(&mut self, id: SnapshotId) {
        let Some(snapshot) = self.trace.snapshots.get(id.index()) else {
            self.error(format!("the trace has no {id}"));
            return;
        };
        if snapshot.frames.is_empty() && snapshot.handed.is_none() {
            self.error(format!("{id} has no frame"));
        }
        for &opnd in snapshot.handed.iter().flatten() {
            self.used(opnd);
        }
        for store in &snapshot.stores {
            self.delayed_store(id, store);
        }
        let before = (!snapshot.virtuals.is_empty()).then(|| self.defined.clone());
        self.virtuals(id);
        for frame in &snapshot.frames {
            let Some(jitcode) = self.program.jitcodes.get(frame.jitcode.index()) else {
                self.error(format!("the program has no {}", frame.jitcode));
                continue;
            };
            for (n, &(register, opnd)) in frame.registers.iter().enumerate() {
                let count = match register.kind() {
                    Kind::Word => jitcode.words,
                    Kind::Float => jitcode.floats,
                };
                if register.is_const() || register.index() >= usize::from(count) {
                    self.error(format!("{register} of {id} is no register of {}", frame.jitcode));
                }
                if frame.registers[..n].iter().any(|&(earlier, _)| earlier == register) {
                    self.error(format!("{register} stands twice in {id}"));
                }
                if self.used(opnd) && self.trace.kind(opnd) != register.kind() {
                    self.error(format!("{register} of {id} cannot hold {opnd}"));
                }
            }
        }
        if let Some(before) = before {
            self.defined = before;
        }
    }

    /// Checks what a snapshot describes, which is defined until the snapshot ends.
    fn virtuals(&mut self, id: SnapshotId) {
        let virtuals = &self.trace.snapshots[id.index()].virtuals;
        for pass in [true, false] {
            for (value, made) in virtuals.iter().filter(|(_, made)| made.is_object() == pass) {
                let constant_length = made.args.iter().all(|arg| arg.as_const().is_some());
                let may_be_done = made.op.is_foldable() && !made.op.is_call() && !is_partial(made.op);
                if !(made.is_object() && constant_length || may_be_done) {
                    self.error(format!("{value} of {id} is {}, which is not put off", made.op));
                }
                let inst = Inst {
                    op: made.op,
                    args: made.args.clone(),
                    attached: made.attached,
                    results: [*value].into_iter().collect(),
                    snapshot: None,
                };
                let operands_are_defined = inst.args.iter().fold(true, |all, &arg| self.used(arg) & all);
                if operands_are_defined && self.attached(&inst) {
                    self.operands(&inst);
                    self.results(&inst);
                    self.accesses(&inst);
                    self.allocations(&inst);
                }
                self.define(*value);
            }
        }
        for (value, made) in virtuals {
            let is_address = made.is_object() || made.op == TraceOp::Pure(PureOp::IntAdd);
            if !made.fields.is_empty() && !is_address {
                self.error(format!("{value} of {id} is no address but has fields"));
            }
            for field in &made.fields {
                let Some(access) = self.program.accesses.get(field.access.index()) else {
                    self.error(format!("the program has no {}", field.access));
                    continue;
                };
                if access.stride.is_some() != field.index.is_some() {
                    self.error(format!("{} of {value} of {id} has an index or a stride only", field.access));
                }
                if self.used(field.value) && self.trace.kind(field.value) != access.scalar.kind() {
                    self.error(format!("{} of {value} of {id} cannot hold {}", field.access, field.value));
                }
            }
        }
    }
}

fn is_partial(op: TraceOp) -> bool {
    matches!(op, TraceOp::Pure(op) if op.is_partial())
}

fn operand_kind(kind: Kind) -> OperandKind {
    match kind {
        Kind::Word => OperandKind::Word,
        Kind::Float => OperandKind::Float,
    }
}
