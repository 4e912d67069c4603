//! What a trace's lowering needs to know before it starts.
//!
//! In: a verified trace. Out, for every value: what it stands for (label parameters that never change are what came
//! in), which frame slot holds it from entry to exit, which machine forms of it are asked for, and whether only exits need
//! it: such an operation is *sunk*, done on the way out instead of where it stands.
//!
//! Slots are written only on the way out, so an input is in its slot as long as the trace runs. Exits therefore store
//! no input that stays in its place, and read moved ones back instead of keeping them in registers.

use metatrace_backend::Job;
use metatrace_defs::{Kind, PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Trace, Value};

use crate::lower::pure;

/// Where the jump at a trace's end goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// Nowhere in this trace.
    No,
    /// To the label that is this operation.
    Label(usize),
    /// To the trace's own entry.
    Entry,
}

/// How a value is used.
#[derive(Clone, Copy, Default)]
struct Uses {
    /// As a condition.
    condition: bool,
    /// In any other way by what stays in the trace.
    full: bool,
    /// By exits that do not find it in its slot, or by what is sunk.
    exit: bool,
}

/// What is known beforehand.
pub(crate) struct Plan {
    /// Where the trace's end jumps.
    pub(crate) back: Back,
    /// Positions whose value changes around the loop: of the label's parameters, or of the inputs.
    pub(crate) changing: Vec<usize>,
    stands_for: Vec<Opnd>,
    home: Vec<Option<u32>>,
    /// How many slots hold inputs while the code runs.
    slots: usize,
    uses: Vec<Uses>,
    /// The operation that yields a value, if it is sunk.
    sunk: Vec<Option<u32>>,
    /// Whether a value is the result of a comparison or another test.
    is_bool: Vec<bool>,
}

impl Plan {
    /// Looks at a trace.
    pub(crate) fn new(job: &Job) -> Plan {
        let mut plan = Plan::without_homes(job, back(job));
        plan.find_homes(job.trace);
        plan.resolve_labels(job.trace);
        plan.count_uses(job.trace);
        plan
    }

    /// Looks at a trace of a region: its values have no slots, and its entry is a matter of the region.
    pub(crate) fn in_region(job: &Job) -> Plan {
        let back = match back(job) {
            Back::Entry => Back::No,
            back => back,
        };
        let mut plan = Plan::without_homes(job, back);
        plan.resolve_labels(job.trace);
        plan.count_uses(job.trace);
        plan
    }

    fn without_homes(job: &Job, back: Back) -> Plan {
        let trace = job.trace;
        let count = trace.values.len();
        let mut is_bool = vec![false; count];
        for inst in &trace.insts {
            if matches!(inst.op, TraceOp::Pure(op) if op.is_bool()) {
                is_bool[inst.result().index()] = true;
            }
        }
        Plan {
            back,
            changing: Vec::new(),
            stands_for: (0..count).map(|n| Opnd::Value(Value::new(n))).collect(),
            home: vec![None; count],
            slots: 0,
            uses: vec![Uses::default(); count],
            sunk: vec![None; count],
            is_bool,
        }
    }

    /// What an operand stands for.
    pub(crate) fn resolve(&self, opnd: Opnd) -> Opnd {
        match opnd {
            Opnd::Value(value) => self.stands_for[value.index()],
            Opnd::Word(_) | Opnd::Float(_) => opnd,
        }
    }

    /// The slot that holds a value from entry to exit.
    pub(crate) fn home(&self, value: Value) -> Option<u32> {
        self.home[value.index()]
    }

    /// Whether anything but exits uses a value.
    pub(crate) fn is_used(&self, value: Value) -> bool {
        let uses = self.uses[value.index()];
        uses.condition || uses.full
    }

    /// Whether the whole word of a truth value is asked for, not only the condition.
    pub(crate) fn needs_word(&self, value: Value) -> bool {
        let uses = self.uses[value.index()];
        uses.full || uses.exit
    }

    /// The number of the operation that yields a value, if only exits need it.
    pub(crate) fn sunk(&self, value: Value) -> Option<usize> {
        self.sunk[value.index()].map(|at| at as usize)
    }

    /// How many of the first slots are in use while the code runs.
    pub(crate) fn slots_in_use(&self) -> usize {
        self.slots
    }

    fn find_homes(&mut self, trace: &Trace) {
        self.slots = trace.inputs.len();
        for (slot, &input) in trace.inputs.iter().enumerate() {
            let changes = self.back == Back::Entry && terminator(trace).args[slot] != Opnd::Value(input);
            if changes {
                self.changing.push(slot);
            } else {
                self.home[input.index()] = Some(slot as u32);
            }
        }
    }

    fn resolve_labels(&mut self, trace: &Trace) {
        for (at, label) in trace.insts.iter().enumerate().filter(|(_, inst)| inst.op == TraceOp::Label) {
            let jumped = self.back == Back::Label(at);
            for (n, (&arg, &param)) in label.args.iter().zip(&label.results).enumerate() {
                let incoming = self.resolve(arg);
                let unchanged = !jumped || {
                    let returning = self.resolve(terminator(trace).args[n]);
                    returning == Opnd::Value(param) || returning == incoming
                };
                if unchanged {
                    self.stands_for[param.index()] = incoming;
                } else {
                    self.changing.push(n);
                }
            }
        }
    }

    /// From the end to the start, so that all uses of a value are known where it is made.
    fn count_uses(&mut self, trace: &Trace) {
        let checked = checked_arithmetic(trace);
        for (at, inst) in trace.insts.iter().enumerate().rev() {
            if inst.op == TraceOp::Label {
                if self.back == Back::Label(at) {
                    self.use_changing(inst);
                }
                continue;
            }
            if inst.op.is_terminator() {
                if self.back == Back::No {
                    self.use_in_exit(inst.args.iter().copied());
                } else {
                    self.use_changing(inst);
                }
                continue;
            }
            let is_sunk = self.may_sink(inst, &checked);
            if is_sunk {
                self.sunk[inst.result().index()] = Some(at as u32);
            }
            for (n, &arg) in inst.args.iter().enumerate() {
                if let Opnd::Value(value) = self.resolve(arg) {
                    let uses = &mut self.uses[value.index()];
                    if is_sunk {
                        uses.exit = true;
                    } else if is_condition(inst.op, n) {
                        uses.condition = true;
                    } else {
                        uses.full = true;
                    }
                }
            }
            if let Some(id) = inst.snapshot {
                let known = self.known_in_exit(trace, inst);
                let operands = trace.snapshots[id.index()].operands().map(|opnd| self.resolve(opnd));
                let operands: Vec<Opnd> =
                    operands.filter(|&opnd| known.is_none_or(|(value, _)| opnd != value.into())).collect();
                self.use_in_exit(operands.into_iter());
            }
        }
    }

    /// Whether nothing in the trace itself needs an operation that can be done later as well.
    fn may_sink(&self, inst: &Inst, checked: &[(PureOp, Opnd, Opnd)]) -> bool {
        let TraceOp::Pure(op) = inst.op else { return false };
        if self.is_used(inst.result()) || op.is_partial() || pure::checks(op).is_some() {
            return false;
        }
        checked.is_empty() || inst.args.len() != 2 || !checked.contains(&(op, inst.args[0], inst.args[1]))
    }

    /// The value that a guard tests and what it is where the guard has failed, if that is known.
    pub(crate) fn known_in_exit(&self, trace: &Trace, guard: &Inst) -> Option<(Value, u64)> {
        let tested = self.resolve(*guard.args.first()?).as_value()?;
        match guard.op {
            TraceOp::GuardTrue => Some((tested, 0)),
            TraceOp::GuardFalse if self.is_bool[tested.index()] => Some((tested, 1)),
            _ => None,
        }
        .filter(|_| trace.kind(tested.into()) == Kind::Word)
    }

    fn use_changing(&mut self, inst: &Inst) {
        for &n in &self.changing {
            if let Opnd::Value(value) = self.resolve(inst.args[n]) {
                self.uses[value.index()].full = true;
            }
        }
    }

    fn use_in_exit(&mut self, opnds: impl Iterator<Item = Opnd>) {
        for opnd in opnds {
            if let Opnd::Value(value) = self.resolve(opnd)
                && self.home(value).is_none()
            {
                self.uses[value.index()].exit = true;
            }
        }
    }
}

/// The arithmetic of which the trace also wants to know whether it overflows, with its operands.
fn checked_arithmetic(trace: &Trace) -> Vec<(PureOp, Opnd, Opnd)> {
    let tests = trace.insts.iter().filter_map(|inst| match inst.op {
        TraceOp::Pure(op) => Some((pure::checks(op)?, inst.args[0], inst.args[1])),
        _ => None,
    });
    tests.collect()
}

/// Whether the operation looks at nothing but whether its operand at this place is 0.
fn is_condition(op: TraceOp, place: usize) -> bool {
    match op {
        TraceOp::GuardTrue | TraceOp::GuardFalse => true,
        TraceOp::Pure(PureOp::IntSelect) => place == 0,
        _ => false,
    }
}

fn terminator(trace: &Trace) -> &Inst {
    trace.insts.last().expect("a verified trace has a terminator")
}

fn back(job: &Job) -> Back {
    let end = terminator(job.trace);
    let Attached::Target(target) = end.attached else { return Back::No };
    let is_label = |inst: &Inst| inst.op == TraceOp::Label && inst.target() == target;
    match job.trace.insts.iter().position(is_label) {
        Some(at) => Back::Label(at),
        None if job.entry == Some(target) => Back::Entry,
        None => Back::No,
    }
}
