//! Activations of jitcode.

use metatrace_defs::JitCodeId;
use metatrace_defs::Kind;
use metatrace_defs::code::Field;
use metatrace_defs::inst::{ControlOp, Inst, Operand};

use super::{Domain, Panic};
use crate::loaded::Loaded;

/// One activation.
pub struct Frame<V> {
    /// What runs in it.
    pub jitcode: JitCodeId,
    /// The number of the instruction at which it stands; of an activation that called another, the one after the call.
    pub at: usize,
    /// The word registers, then the float registers.
    pub registers: Vec<V>,
    /// Where its local memory starts, in bytes from the start of the area; meaningless if it has its own.
    pub locals: u32,
    /// Where the local memory of the next activation may start.
    pub end: u32,
    /// How many activations of functions were opened before it.
    pub number: u32,
    /// Local memory of its own, where the area was too small.
    own: Option<Box<[u128]>>,
    /// Whether a back edge of the guest program was passed since the last merge point.
    pub loop_header: bool,
    /// The panic for which clean-up runs.
    pub caught: Option<Panic>,
}

impl<V> Frame<V> {
    /// Whether its local memory is in the area.
    pub fn in_area(&self) -> bool {
        self.own.is_none()
    }
}

/// The local memory of a trace frame.
#[derive(Clone, Copy, Debug)]
pub struct LocalArea {
    /// Its address.
    pub address: u64,
    /// Its size in bytes.
    pub size: u32,
}

/// The open activations, outermost first, and their local memory.
pub struct Stack<V> {
    /// The activations.
    pub frames: Vec<Frame<V>>,
    /// The memory that local memory is taken from.
    pub area: LocalArea,
    /// How many activations were opened by calls.
    opened: u32,
    /// Register files of activations that were closed, for new ones.
    spare: Vec<Vec<V>>,
}

impl<V: Copy> Stack<V> {
    /// No activation.
    pub fn new(area: LocalArea) -> Stack<V> {
        Stack { frames: Vec::new(), area, opened: 0, spare: Vec::new() }
    }

    /// The topmost activation.
    ///
    /// # Panics
    /// If there is none.
    pub fn top(&self) -> &Frame<V> {
        self.frames.last().expect("an activation is open")
    }

    /// The topmost activation.
    ///
    /// # Panics
    /// If there is none.
    pub fn top_mut(&mut self) -> &mut Frame<V> {
        self.frames.last_mut().expect("an activation is open")
    }

    /// Opens an activation at the start of a function.
    pub fn push<D: Domain<Value = V>>(&mut self, loaded: &Loaded, jitcode: JitCodeId, args: &[V]) {
        let locals = self.frames.last().map_or(0, |frame| frame.end);
        self.opened += 1;
        self.push_at::<D>(loaded, jitcode, 0, locals);
        let frame = self.frames.last_mut().expect("an activation was just opened");
        let body = loaded.body(jitcode);
        let (mut words, mut floats) = (0, 0);
        for (&kind, &value) in loaded.program.jitcode(jitcode).params.iter().zip(args) {
            let next = if kind == Kind::Word { &mut words } else { &mut floats };
            frame.registers[body.register(Operand::reg(kind, *next))] = value;
            *next += 1;
        }
    }

    /// Opens an activation at an instruction, with all registers 0 and local memory at `locals` of the area.
    pub fn push_at<D: Domain<Value = V>>(
        &mut self,
        loaded: &Loaded,
        jitcode: JitCodeId,
        at: usize,
        locals: u32,
    ) {
        let (code, body) = (loaded.program.jitcode(jitcode), loaded.body(jitcode));
        let mut registers = self.spare.pop().unwrap_or_default();
        registers.reserve(body.registers);
        registers.resize(usize::from(code.words), D::number(Kind::Word, 0));
        registers.resize(body.registers, D::number(Kind::Float, 0));
        let fits = locals.checked_add(body.locals).is_some_and(|end| end <= self.area.size);
        let own = (!fits).then(|| vec![0u128; body.locals.div_ceil(16) as usize].into());
        let end = if fits { locals + body.locals } else { locals };
        self.frames.push(Frame {
            jitcode,
            at,
            registers,
            locals,
            end,
            number: self.opened,
            own,
            loop_header: false,
            caught: None,
        });
    }

    /// Shows the collector of a heap what may be references.
    pub fn show(&self, tracer: &mut metatrace_gc::Tracer, bits: fn(V) -> u64) {
        for frame in &self.frames {
            frame.registers.iter().for_each(|&value| tracer.word(bits(value)));
            for memory in frame.own.iter().flat_map(|memory| memory.iter()) {
                tracer.word(*memory as u64);
                tracer.word((*memory >> 64) as u64);
            }
        }
    }

    /// Closes the topmost activation.
    pub fn pop(&mut self) {
        let mut registers = self.frames.pop().expect("an activation is open").registers;
        registers.clear();
        self.spare.push(registers);
    }

    /// The address of local memory of the topmost activation, `byte` bytes from its start.
    pub fn local_address(&self, byte: u32) -> u64 {
        let frame = self.top();
        let start = match &frame.own {
            Some(memory) => memory.as_ptr() as u64,
            None => self.area.address + u64::from(frame.locals),
        };
        start + u64::from(byte)
    }

    /// Sets a register of the topmost activation.
    pub fn set(&mut self, loaded: &Loaded, dst: Operand, value: V) {
        let frame = self.top_mut();
        frame.registers[loaded.body(frame.jitcode).register(dst)] = value;
    }

    /// Puts the results of the call behind which the topmost activation stands into their registers.
    pub fn set_results(&mut self, loaded: &Loaded, results: &[V]) {
        let frame = self.top_mut();
        let body = loaded.body(frame.jitcode);
        for (&dst, &value) in call_results(loaded, frame.jitcode, frame.at).iter().zip(results) {
            frame.registers[body.register(dst)] = value;
        }
    }

    /// Unwinds to the next clean-up code; gives the panic back if there is none.
    ///
    /// A panic that leaves clean-up code ends the process, as it does natively.
    pub fn unwind(&mut self, loaded: &Loaded, payload: Panic) -> Option<Panic> {
        while let Some(frame) = self.frames.last_mut() {
            if frame.caught.is_some() {
                eprintln!("panic in a destructor during cleanup");
                std::process::abort();
            }
            let body = loaded.body(frame.jitcode);
            if let Some(inst) = body.insts.get(frame.at)
                && inst.inst == Inst::Control(ControlOp::CatchPanic)
                && let Field::Label(pc) = inst.fields[0]
            {
                frame.at = body.at(pc);
                frame.caught = Some(payload);
                return None;
            }
            self.frames.pop();
        }
        Some(payload)
    }

    /// The same activations with other values.
    pub fn map<W>(self, mut value: impl FnMut(V) -> W) -> Stack<W> {
        let frames = self.frames.into_iter().map(|frame| Frame {
            jitcode: frame.jitcode,
            at: frame.at,
            registers: frame.registers.into_iter().map(&mut value).collect(),
            locals: frame.locals,
            end: frame.end,
            number: frame.number,
            own: frame.own,
            loop_header: frame.loop_header,
            caught: frame.caught,
        });
        Stack { frames: frames.collect(), area: self.area, opened: self.opened, spare: Vec::new() }
    }
}

/// The registers that the call before instruction `at` writes.
pub fn call_results(loaded: &Loaded, jitcode: JitCodeId, at: usize) -> &[Operand] {
    match loaded.body(jitcode).insts[at - 1].fields.last() {
        Some(Field::Dsts(list)) => list,
        _ => panic!("an activation stands behind a call that is none"),
    }
}
