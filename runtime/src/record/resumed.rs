//! The start of a recording where a guard failed.
//!
//! In: the guard's activations and virtuals, and the words it handed over. Out: a segment whose inputs are these words, and a
//! stack. What the guard described instead of handing it over is made, and the trace starts with the operations that make
//! it: optimising takes them away again where they are not needed.

use metatrace_defs::trace_op::OperandKind;
use metatrace_defs::{AccessId, Kind, PureOp, TraceOp};
use metatrace_trace::{Attached, Opnd, Trace, Virtual};

use super::segment::Segment;
use super::{Interior, Recorder, Root, Traced, heap};
use crate::machine::{Stack, Values};
use crate::vm::tables::{Guard, Source};

/// What the sources of a guard are.
struct Resumed<'a> {
    /// The words handed over.
    words: &'a [u64],
    inputs: Vec<Traced>,
    virtuals: Vec<Option<Traced>>,
}

impl Resumed<'_> {
    /// The inputs are numbered by first use, so that a new one is the next.
    fn input(&mut self, trace: &mut Trace, kind: Kind, source: Source) {
        if let Source::Slot(slot) = source
            && slot as usize == self.inputs.len()
        {
            let bits = self.words[slot as usize];
            let opnd = Opnd::Value(trace.new_input(kind, Some(bits)));
            self.inputs.push(Traced { bits, opnd, root: Root::None });
        }
    }

    fn get(&self, recorder: &Recorder, kind: Kind, source: Source) -> Traced {
        match source {
            Source::Const(bits) => {
                let root = recorder.frozen.get(&bits).copied().unwrap_or(Root::None);
                Traced::constant(kind, bits, root)
            }
            Source::Slot(slot) => self.inputs[slot as usize],
            Source::Virtual(n) => self.virtuals[n as usize].expect("virtuals are made in order"),
        }
    }
}

/// Opens the activations of a guard, with the words it handed over and the words of its virtuals.
pub(super) fn open(
    recorder: &mut Recorder,
    stack: &mut Stack<Traced>,
    guard: &Guard,
    words: &[u64],
    made: &[u64],
) {
    let loaded = recorder.loaded;
    let mut resumed = Resumed { words, inputs: vec![], virtuals: vec![None; made.len()] };
    let mut trace = Trace::new();
    for &(register, source) in guard.frames.iter().flat_map(|frame| &frame.registers) {
        resumed.input(&mut trace, register.kind(), source);
    }
    for made in &guard.virtuals {
        for (n, &source) in made.args.iter().enumerate() {
            resumed.input(&mut trace, operand_kind(made.op, n), source);
        }
        for field in &made.fields {
            let kind = loaded.program.access(field.access).scalar.kind();
            resumed.input(&mut trace, kind, field.value);
        }
    }
    recorder.segments.push(Segment { trace, greens: None, handed: Values::new() });
    make(recorder, &mut resumed, &guard.virtuals, made);
    for frame in &guard.frames {
        let body = loaded.body(frame.jitcode);
        stack.push_at::<Recorder>(loaded, frame.jitcode, body.at(frame.pc), frame.locals);
        for &(register, source) in &frame.registers {
            let value = resumed.get(recorder, register.kind(), source);
            stack.set(loaded, register, value);
        }
    }
}

/// Records what makes the virtuals.
fn make(recorder: &mut Recorder, resumed: &mut Resumed, virtuals: &[Virtual<Source>], made: &[u64]) {
    for is_object in [true, false] {
        for (n, of) in virtuals.iter().enumerate().filter(|(_, of)| of.is_object() == is_object) {
            let args: Values<Traced> = (of.args.iter().enumerate())
                .map(|(n, &source)| resumed.get(recorder, operand_kind(of.op, n), source))
                .collect();
            let opnds: Values<Opnd> = args.iter().map(|arg| arg.opnd).collect();
            let is_collected = of.alloc(&recorder.loaded.program).is_some_and(|alloc| alloc.is_collected());
            let op = match of.op {
                TraceOp::New if is_collected => TraceOp::Make,
                TraceOp::NewArray if is_collected => TraceOp::MakeArray,
                op => op,
            };
            let value = recorder.push_one(op, &opnds, of.attached, made[n], Root::None);
            if let (Opnd::Value(address), Attached::Access(access)) = (value.opnd, of.attached) {
                let interior = Interior { access, base: args[0], index: args.get(1).copied() };
                recorder.interiors.insert(address, interior);
            }
            if is_object {
                recorder.objects.extend(value.opnd.as_value());
            }
            resumed.virtuals[n] = Some(value);
        }
    }
    for (n, object) in virtuals.iter().enumerate() {
        let base = resumed.virtuals[n].expect("all virtuals were made");
        for field in &object.fields {
            let scalar = recorder.loaded.program.access(field.access).scalar;
            let value = resumed.get(recorder, scalar.kind(), field.value);
            let from = inside(recorder, base, field.base);
            write(recorder, field.access, from, field.index, value);
            if !object.is_object() {
                tell(recorder, field.access, from, field.index);
            }
        }
    }
}

/// The address so many bytes inside an object.
fn inside(recorder: &mut Recorder, object: Traced, bytes: u64) -> Traced {
    if bytes == 0 {
        return object;
    }
    let args = [object.opnd, Opnd::Word(bytes)];
    let address = object.bits.wrapping_add(bytes);
    recorder.push_one(TraceOp::Pure(PureOp::IntAdd), &args, Attached::None, address, Root::None)
}

/// Tells the collector of a store to memory that was there already.
fn tell(recorder: &mut Recorder, access: AccessId, base: Traced, index: Option<u64>) {
    let address = recorder.loaded.program.access(access).address(base.bits, index.unwrap_or(0));
    let args: Values<Opnd> = std::iter::once(base.opnd).chain(index.map(Opnd::Word)).collect();
    let op = if index.is_some() { TraceOp::InteriorElem } else { TraceOp::InteriorField };
    let inside = recorder.push_one(op, &args, Attached::Access(access), address, Root::None);
    recorder.push(TraceOp::Barrier, &[inside.opnd], Attached::None, &[]);
}

fn write(recorder: &mut Recorder, access: AccessId, base: Traced, index: Option<u64>, value: Traced) {
    let place = heap::Place { access, base: base.opnd, index: index.map(Opnd::Word) };
    let mut operands = place.operands();
    operands.push(value.opnd);
    let op = if index.is_some() { TraceOp::SetElem } else { TraceOp::SetField };
    recorder.push(op, &operands, Attached::Access(access), &[]);
    recorder.heap.put(place, value.opnd, value.root);
}

/// The kind of an operand of an operation that is put off.
fn operand_kind(op: TraceOp, place: usize) -> Kind {
    match op {
        TraceOp::Pure(op) => op.row().operands[place],
        op => match op.impure_row().map(|row| row.operands[place]) {
            Some(OperandKind::Float) => Kind::Float,
            _ => Kind::Word,
        },
    }
}
