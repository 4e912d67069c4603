//! What a trace's lowering needs to know before it starts.
//!
//! In: a verified trace. Out, for every value: what it stands for (label parameters that never change are what came
//! in), which frame slot holds it from entry to exit, and which machine forms of it are asked for.
//!
//! Slots are written only on the way out, so an input is in its slot as long as the trace runs. Exits therefore store
//! no input that stays in its place, and read moved ones back instead of keeping them in registers.

use metatrace_backend::Job;
use metatrace_defs::{PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Trace, Value};

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
    /// In any other way, exits that find it in its slot not counted.
    full: bool,
}

/// What is known beforehand.
pub(crate) struct Plan {
    /// Where the trace's end jumps.
    pub(crate) back: Back,
    /// Positions whose value changes around the loop: of the label's parameters, or of the inputs.
    pub(crate) changing: Vec<usize>,
    stands_for: Vec<Opnd>,
    home: Vec<Option<u32>>,
    uses: Vec<Uses>,
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
        Plan {
            back,
            changing: Vec::new(),
            stands_for: (0..count).map(|n| Opnd::Value(Value::new(n))).collect(),
            home: vec![None; count],
            uses: vec![Uses::default(); count],
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
        self.uses[value.index()].full
    }

    fn find_homes(&mut self, trace: &Trace) {
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

    fn count_uses(&mut self, trace: &Trace) {
        for (at, inst) in trace.insts.iter().enumerate() {
            if inst.op == TraceOp::Label {
                if self.back == Back::Label(at) {
                    self.use_changing(inst);
                }
            } else if inst.op.is_terminator() {
                if self.back == Back::No {
                    self.use_in_exit(inst.args.iter().copied());
                } else {
                    self.use_changing(inst);
                }
            } else {
                for (n, &arg) in inst.args.iter().enumerate() {
                    if let Opnd::Value(value) = self.resolve(arg) {
                        let uses = &mut self.uses[value.index()];
                        if is_condition(inst.op, n) {
                            uses.condition = true;
                        } else {
                            uses.full = true;
                        }
                    }
                }
            }
        }
        for snapshot in &trace.snapshots {
            self.use_in_exit(snapshot.operands());
        }
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
                self.uses[value.index()].full = true;
            }
        }
    }
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
