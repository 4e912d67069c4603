//! Executing jitcode: one interpreter, over a domain of values.
//!
//! In: a [`Stack`] of activations and a [`Domain`]. [`step`] executes one instruction and says how to go on. What a
//! value is, and what happens beside computing it, is the domain's: the blackhole interpreter computes words,
//! the recorder computes words and records.
//!
//! Relies on: a verified program, resolved with the numbers of the binary it runs in; shims of the same build. All
//! `unsafe` here and in the domains rests on that: jitcode does to memory what the interpreter's own code does.
//!
//! Guarantees: between two steps a stack is complete; any domain may go on with what another one left.

mod blackhole;
mod stack;

use std::any::Any;

use metatrace_defs::code::Field;
use metatrace_defs::inst::{ControlOp, Inst, Operand};
use metatrace_defs::jitcode::{Constant, JitCodeId, PortalId, SwitchTable};
use metatrace_defs::{AccessId, AllocId, CallId, Kind, PureOp};
use metatrace_trace::short;
use smallvec::SmallVec;

pub use blackhole::{Blackhole, Outcome, call_native};
pub use stack::{Frame, LocalArea, Stack, call_results};

use crate::loaded::Loaded;

/// What a panic carries.
pub type Panic = Box<dyn Any + Send>;

/// A short list of values.
pub type Values<V> = SmallVec<[V; 8]>;

/// What to do with a call into jitcode or a merge point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Go on in jitcode.
    Jitcode,
    /// Call the native portal.
    Native,
}

/// Where the words that jitcode computes come from, and what is noted on the way.
pub trait Domain {
    /// A value.
    type Value: Copy;

    /// A constant.
    fn constant(&mut self, kind: Kind, constant: &Constant) -> Self::Value;
    /// A number.
    fn number(kind: Kind, bits: u64) -> Self::Value;
    /// Its bits.
    fn bits(value: Self::Value) -> u64;
    /// The result of a pure operation.
    fn pure(&mut self, op: PureOp, args: &[Self::Value]) -> Self::Value;
    /// Reads memory.
    fn read(&mut self, access: AccessId, base: Self::Value, index: Option<Self::Value>) -> Self::Value;
    /// Writes memory.
    fn write(&mut self, access: AccessId, base: Self::Value, index: Option<Self::Value>, value: Self::Value);
    /// An address inside an object.
    fn interior(&mut self, access: AccessId, base: Self::Value, index: Option<Self::Value>) -> Self::Value;
    /// The address of local memory of the topmost activation, `byte` bytes from its start.
    fn local_addr(&mut self, stack: &Stack<Self::Value>, slot: (u32, u32)) -> Self::Value;
    /// A branch is about to be taken, by whether `value` is 0. The topmost activation stands at the branch.
    fn branch(&mut self, stack: &mut Stack<Self::Value>, value: Self::Value);
    /// A switch is about to be taken. The topmost activation stands at it.
    fn switch(&mut self, stack: &mut Stack<Self::Value>, value: Self::Value, table: &SwitchTable);
    /// `value`, known as a constant. The topmost activation stands at the `promote`.
    fn promote(&mut self, stack: &mut Stack<Self::Value>, value: Self::Value) -> Self::Value;
    /// A reference to the same owner, known as a constant. The topmost activation stands at the `promote_owner`.
    fn promote_owner(&mut self, stack: &mut Stack<Self::Value>, reference: Self::Value) -> Self::Value;
    /// Whether a value is a constant of the trace.
    fn is_constant(&self, value: Self::Value) -> bool;
    /// A value must be a constant of the trace.
    fn assert_green(&mut self, value: Self::Value);
    /// Whether the trace made the object at an address.
    fn is_virtual(&self, value: Self::Value) -> bool;
    /// A value is `known`, a constant of the trace.
    fn record_exact(&mut self, stack: &mut Stack<Self::Value>, value: Self::Value, known: Self::Value);
    /// The operations recorded so far; -1 if nothing is recorded.
    fn trace_length(&mut self) -> i64;
    /// The address `value` of a quasi-immutable field's value, where memory is frozen if the trace relies on it; `link` is
    /// the address of the field's link.
    fn quasi_immut(&mut self, link: Self::Value, value: Self::Value) -> Self::Value;
    /// Allocates an object, with so many elements if it has any: its address, or 0 if the collected heap is full. The topmost
    /// activation stands at the allocation.
    fn allocate(
        &mut self,
        stack: &Stack<Self::Value>,
        alloc: AllocId,
        length: Option<Self::Value>,
    ) -> Self::Value;
    /// Gives the memory of an object back, which has so many elements if it has any.
    fn free(&mut self, alloc: AllocId, address: Self::Value, length: Option<Self::Value>);
    /// A reference was written to an address.
    fn barrier(&mut self, address: Self::Value);
    /// Calls native code.
    fn call(&mut self, call: CallId, args: &[Self::Value]) -> Result<Values<Self::Value>, Panic>;
    /// A call returned, and its results are in their registers.
    fn called(&mut self, stack: &Stack<Self::Value>, call: CallId);
    /// How to call a function that has jitcode, with these values. The topmost activation stands at the call.
    fn inline(
        &mut self,
        stack: &mut Stack<Self::Value>,
        callee: JitCodeId,
        args: &mut Values<Self::Value>,
    ) -> Way;
    /// How to go on at the merge point of an activation that is not the outermost, with these values.
    fn inner_merge_point(
        &mut self,
        stack: &mut Stack<Self::Value>,
        portal: PortalId,
        args: &mut Values<Self::Value>,
    ) -> Way;
}

/// How a step ended.
pub enum Step<V> {
    /// The next step may follow.
    Continue,
    /// The outermost activation stands at its merge point, with these values.
    MergePoint(Values<V>),
    /// The outermost activation returned.
    Return(Values<V>),
    /// A panic left the outermost activation.
    Panic(Panic),
}

/// The fields of a decoded instruction, by place.
struct Fields<'a>(&'a [Field]);

impl<'a> Fields<'a> {
    fn operand(&self, n: usize) -> Operand {
        match &self.0[n] {
            Field::Dst(operand) | Field::Src(operand) => *operand,
            other => panic!("{other:?} is no operand"),
        }
    }

    fn number(&self, n: usize) -> u32 {
        match &self.0[n] {
            Field::Label(number) | Field::Index(number) => *number,
            other => panic!("{other:?} is no number"),
        }
    }

    fn list(&self, n: usize) -> &'a [Operand] {
        match &self.0[n] {
            Field::Sources(list) | Field::Dsts(list) => list,
            other => panic!("{other:?} is no list"),
        }
    }
}

/// Executes the instruction at which the topmost activation stands.
pub fn step<D: Domain>(domain: &mut D, loaded: &Loaded, stack: &mut Stack<D::Value>) -> Step<D::Value> {
    let frame = stack.top();
    let inst = &loaded.body(frame.jitcode).insts[frame.at];
    let mut run = Run { domain, loaded, stack, fields: Fields(&inst.fields) };
    match inst.inst {
        Inst::Pure(op) => {
            let args: SmallVec<[D::Value; 3]> = short((1..inst.fields.len()).map(|n| run.get(n)));
            let value = run.domain.pure(op, &args);
            run.set(value)
        }
        Inst::Control(op) => run.control(op),
    }
}

struct Run<'a, D: Domain> {
    domain: &'a mut D,
    loaded: &'a Loaded,
    stack: &'a mut Stack<D::Value>,
    fields: Fields<'a>,
}

impl<D: Domain> Run<'_, D> {
    /// The value of source field `n`.
    fn get(&mut self, n: usize) -> D::Value {
        self.value(self.fields.operand(n))
    }

    fn value(&mut self, operand: Operand) -> D::Value {
        let frame = self.stack.top();
        if operand.is_const() {
            let jitcode = self.loaded.program.jitcode(frame.jitcode);
            return self.domain.constant(operand.kind(), &jitcode.constants[operand.index()]);
        }
        frame.registers[self.loaded.body(frame.jitcode).register(operand)]
    }

    fn values(&mut self, n: usize) -> Values<D::Value> {
        short(self.fields.list(n).iter().map(|&operand| self.value(operand)))
    }

    /// Sets the register of field 0 and goes on.
    fn set(&mut self, value: D::Value) -> Step<D::Value> {
        let dst = self.fields.operand(0);
        self.stack.set(self.loaded, dst, value);
        self.next()
    }

    fn next(&mut self) -> Step<D::Value> {
        self.stack.top_mut().at += 1;
        Step::Continue
    }

    fn goto(&mut self, pc: u32) -> Step<D::Value> {
        let frame = self.stack.top_mut();
        frame.at = self.loaded.body(frame.jitcode).at(pc);
        Step::Continue
    }

    fn control(&mut self, op: ControlOp) -> Step<D::Value> {
        match op {
            ControlOp::Copy => {
                let value = self.get(1);
                self.set(value)
            }
            ControlOp::Goto => self.goto(self.fields.number(0)),
            ControlOp::GotoIfNot => {
                let value = self.get(0);
                self.domain.branch(self.stack, value);
                if D::bits(value) == 0 { self.goto(self.fields.number(1)) } else { self.next() }
            }
            ControlOp::Switch => self.switch(),
            ControlOp::GetField => {
                let base = self.get(1);
                let value = self.domain.read(AccessId(self.fields.number(2)), base, None);
                self.set(value)
            }
            ControlOp::SetField => {
                let (base, value) = (self.get(0), self.get(2));
                self.domain.write(AccessId(self.fields.number(1)), base, None, value);
                self.next()
            }
            ControlOp::GetElem => {
                let (base, index) = (self.get(1), self.get(2));
                let value = self.domain.read(AccessId(self.fields.number(3)), base, Some(index));
                self.set(value)
            }
            ControlOp::SetElem => {
                let (base, index, value) = (self.get(0), self.get(1), self.get(3));
                self.domain.write(AccessId(self.fields.number(2)), base, Some(index), value);
                self.next()
            }
            ControlOp::InteriorField => {
                let base = self.get(1);
                let value = self.domain.interior(AccessId(self.fields.number(2)), base, None);
                self.set(value)
            }
            ControlOp::InteriorElem => {
                let (base, index) = (self.get(1), self.get(2));
                let value = self.domain.interior(AccessId(self.fields.number(3)), base, Some(index));
                self.set(value)
            }
            ControlOp::LocalAddr => {
                let slot = self.loaded.body(self.stack.top().jitcode).slot(self.fields.number(1));
                let value = self.domain.local_addr(self.stack, slot);
                self.set(value)
            }
            ControlOp::New => self.allocate(AllocId(self.fields.number(1)), None),
            ControlOp::NewArray => {
                let length = self.get(1);
                self.allocate(AllocId(self.fields.number(2)), Some(length))
            }
            ControlOp::Free => {
                let address = self.get(0);
                self.domain.free(AllocId(self.fields.number(1)), address, None);
                self.next()
            }
            ControlOp::FreeArray => {
                let (address, length) = (self.get(0), self.get(1));
                self.domain.free(AllocId(self.fields.number(2)), address, Some(length));
                self.next()
            }
            ControlOp::Barrier => {
                let (address, is_reference) = (self.get(0), self.get(1));
                if D::bits(is_reference) != 0 {
                    self.domain.barrier(address);
                }
                self.next()
            }
            ControlOp::ResidualCall => {
                let args = self.values(1);
                self.call(CallId(self.fields.number(0)), &args)
            }
            ControlOp::InlineCall => self.inline_call(),
            ControlOp::CatchPanic => self.next(),
            ControlOp::Return => {
                let values = self.values(0);
                self.leave(values)
            }
            ControlOp::ResumeUnwind => {
                let payload = self.stack.top_mut().caught.take().expect("no panic was caught here");
                self.stack.pop();
                self.unwind(payload)
            }
            ControlOp::MergePoint => self.merge_point(),
            ControlOp::LoopHeader => {
                self.stack.top_mut().loop_header = true;
                self.next()
            }
            ControlOp::Promote => self.promote(D::promote),
            ControlOp::PromoteOwner => self.promote(D::promote_owner),
            ControlOp::WeAreJitted => self.set(D::number(Kind::Word, 1)),
            ControlOp::IsConstant => self.ask(D::is_constant),
            ControlOp::IsVirtual => self.ask(D::is_virtual),
            ControlOp::RecordExact => self.record_exact(),
            ControlOp::AssertGreen => {
                let value = self.get(0);
                self.domain.assert_green(value);
                self.next()
            }
            ControlOp::TraceLength => {
                let length = self.domain.trace_length();
                self.set(D::number(Kind::Word, length as u64))
            }
            ControlOp::QuasiImmut => {
                let (link, value) = (self.get(1), self.get(2));
                let value = self.domain.quasi_immut(link, value);
                self.set(value)
            }
            ControlOp::Unreachable => {
                let frame = self.stack.top();
                panic!("`unreachable` of {} was reached", self.loaded.program.jitcode(frame.jitcode).name)
            }
        }
    }

    fn promote(
        &mut self,
        promoted: impl Fn(&mut D, &mut Stack<D::Value>, D::Value) -> D::Value,
    ) -> Step<D::Value> {
        let value = self.get(1);
        let value = promoted(self.domain, self.stack, value);
        self.set(value)
    }

    fn ask(&mut self, question: impl Fn(&D, D::Value) -> bool) -> Step<D::Value> {
        let value = self.get(1);
        let answer = question(self.domain, value);
        self.set(D::number(Kind::Word, answer.into()))
    }

    fn record_exact(&mut self) -> Step<D::Value> {
        let (value, known) = (self.get(0), self.get(1));
        self.domain.record_exact(self.stack, value, known);
        self.next()
    }

    fn switch(&mut self) -> Step<D::Value> {
        let value = self.get(0);
        let jitcode = self.loaded.program.jitcode(self.stack.top().jitcode);
        let table = &jitcode.switches[self.fields.number(1) as usize];
        self.domain.switch(self.stack, value, table);
        let target = match table.cases.binary_search_by_key(&D::bits(value), |&(case, _)| case) {
            Ok(n) => table.cases[n].1,
            Err(_) => table.default,
        };
        self.goto(target)
    }

    fn inline_call(&mut self) -> Step<D::Value> {
        let (callee, mut args) = (JitCodeId(self.fields.number(0)), self.values(1));
        if self.domain.inline(self.stack, callee, &mut args) == Way::Native {
            let portal = self.loaded.portal_of(callee).expect("only a portal can be called natively");
            return self.call(self.loaded.portal(portal).call, &args);
        }
        self.stack.top_mut().at += 1;
        self.stack.push::<D>(self.loaded, callee, &args);
        Step::Continue
    }

    fn merge_point(&mut self) -> Step<D::Value> {
        let mut values = self.values(1);
        if self.stack.frames.len() == 1 {
            return Step::MergePoint(values);
        }
        let portal = PortalId(self.fields.number(0));
        match self.domain.inner_merge_point(self.stack, portal, &mut values) {
            Way::Jitcode => {
                self.stack.top_mut().loop_header = false;
                self.next()
            }
            Way::Native => {
                let call = self.loaded.portal(portal).call;
                self.stack.pop();
                self.finish_call(call, &values)
            }
        }
    }

    /// Allocates where the topmost activation stands. It may collect.
    fn allocate(&mut self, alloc: AllocId, length: Option<D::Value>) -> Step<D::Value> {
        let (stack, domain) = (&*self.stack, &mut *self.domain);
        let show = |tracer: &mut metatrace_gc::Tracer| stack.show(tracer, D::bits);
        let address = metatrace_gc::showing(&show, || domain.allocate(stack, alloc, length));
        self.set(address)
    }

    /// Calls native code where the topmost activation stands.
    fn call(&mut self, call: CallId, args: &[D::Value]) -> Step<D::Value> {
        self.stack.top_mut().at += 1;
        self.finish_call(call, args)
    }

    /// Calls native code from the topmost activation, which stands behind the call already.
    fn finish_call(&mut self, call: CallId, args: &[D::Value]) -> Step<D::Value> {
        let (stack, domain) = (&*self.stack, &mut *self.domain);
        let show = |tracer: &mut metatrace_gc::Tracer| {
            args.iter().for_each(|&arg| tracer.word(D::bits(arg)));
            stack.show(tracer, D::bits);
        };
        match metatrace_gc::showing(&show, || domain.call(call, args)) {
            Ok(results) => {
                self.stack.set_results(self.loaded, &results);
                self.domain.called(self.stack, call);
                Step::Continue
            }
            Err(payload) => self.unwind(payload),
        }
    }

    fn leave(&mut self, values: Values<D::Value>) -> Step<D::Value> {
        self.stack.pop();
        if self.stack.frames.is_empty() {
            return Step::Return(values);
        }
        self.stack.set_results(self.loaded, &values);
        Step::Continue
    }

    fn unwind(&mut self, payload: Panic) -> Step<D::Value> {
        match self.stack.unwind(self.loaded, payload) {
            None => Step::Continue,
            Some(payload) => Step::Panic(payload),
        }
    }
}
