//! The stress mode that makes every guard fail once.
//!
//! In: a verified trace. Out: the same trace, where the test of each guard also depends on a flag, a word of memory that is 0 until the
//! guard has failed. The flags are in the order of the guards.
//!
//! Relies on: a guard may fail at any time, for it resumes before the test it protects.

use metatrace_defs::{PureOp, TraceOp};
use metatrace_trace::{Attached, Inst, Opnd, Trace};

use crate::loaded::Loaded;

/// See the module.
pub fn fail_guards(loaded: &Loaded, trace: &Trace) -> (Trace, Box<[u64]>) {
    let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
    // A guard of something pending is followed by a guard of its flag: nothing may come between it and what it guards.
    let pending = trace.insts.iter().filter(|inst| inst.op == TraceOp::GuardNotPending).count();
    let flags = vec![0u64; count + pending].into_boxed_slice();
    let mut out = Trace { insts: vec![], notes: vec![], ..trace.clone() };
    let mut rewrite = Rewrite { loaded, out: &mut out, flags: &flags, next: 0 };
    let mut notes = trace.notes.iter().peekable();
    for (n, inst) in trace.insts.iter().enumerate() {
        while let Some((_, text)) = notes.next_if(|(at, _)| *at as usize <= n) {
            let at = rewrite.out.insts.len() as u32;
            rewrite.out.notes.push((at, text.clone()));
        }
        if inst.op.is_guard() { rewrite.guard(inst) } else { rewrite.out.insts.push(inst.clone()) }
    }
    (out, flags)
}

struct Rewrite<'a> {
    loaded: &'a Loaded,
    out: &'a mut Trace,
    flags: &'a [u64],
    next: usize,
}

impl Rewrite<'_> {
    /// The flag of the next guard.
    fn flag(&mut self) -> Opnd {
        let address = &raw const self.flags[self.next] as u64;
        self.next += 1;
        self.push(TraceOp::GetField, &[Opnd::Word(address)], Attached::Access(self.loaded.flag))
    }

    fn push(&mut self, op: TraceOp, args: &[Opnd], attached: Attached) -> Opnd {
        Opnd::Value(self.out.push(&self.loaded.program, op, args, attached, &[])[0])
    }

    fn pure(&mut self, op: PureOp, args: &[Opnd]) -> Opnd {
        self.push(TraceOp::Pure(op), args, Attached::None)
    }

    fn guard(&mut self, inst: &Inst) {
        let snapshot = inst.snapshot.expect("a guard has a snapshot");
        if inst.op == TraceOp::GuardNotPending {
            self.out.push_guard(inst.op, &[], snapshot);
            self.next += 1;
        }
        let flag = self.flag();
        let bits = |opnd: Opnd| opnd.as_const().expect("a value is guarded against a constant");
        let (op, args) = match inst.op {
            TraceOp::GuardTrue => {
                (inst.op, vec![self.pure(PureOp::IntSelect, &[flag, inst.args[0], Opnd::Word(0)])])
            }
            TraceOp::GuardFalse => {
                (inst.op, vec![self.pure(PureOp::IntSelect, &[flag, inst.args[0], Opnd::Word(1)])])
            }
            TraceOp::GuardValue => {
                let expected = bits(inst.args[1]);
                let test = self.pure(PureOp::IntSelect, &[flag, inst.args[0], Opnd::Word(!expected)]);
                (inst.op, vec![test, Opnd::Word(expected)])
            }
            TraceOp::GuardFloatValue => {
                let expected = bits(inst.args[1]);
                let found = self.pure(PureOp::FloatToBits, &[inst.args[0]]);
                let test = self.pure(PureOp::IntSelect, &[flag, found, Opnd::Word(!expected)]);
                (TraceOp::GuardValue, vec![test, Opnd::Word(expected)])
            }
            TraceOp::GuardNotPending => (TraceOp::GuardTrue, vec![flag]),
            op => unreachable!("{op} is no guard"),
        };
        self.out.push_guard(op, &args, snapshot);
    }
}
