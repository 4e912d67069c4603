//! Traces to Cranelift IR.
//!
//! In: a job, the addresses that its code refers to, the layout of frames. Out: one function of the signature
//! `(frame, context) -> word`, calling convention `Tail`, that refers to everything by absolute address.
//!
//! - Inputs are loaded from their frame slots at the entry, if anything but exits uses them.
//! - A guard is a branch to a cold block of its own without block arguments. The cold block stores the fail values
//!   that are not in their slots yet and goes to the one shared exit, which leaves the guard's cell in the frame's
//!   header and continues where the cell says: at the deoptimisation entry or in a bridge. Guards with the same fail
//!   values share the stores.
//! - A label that is jumped to is a block whose parameters are the values that change around the loop.
//! - Leaving for another trace stores what is not in its slot yet and continues there.
//!
//! Relies on [`Plan`] for what stays in its slot.

mod alloc;
mod assembler;
mod exits;
mod memory;
pub(crate) mod pure;
mod region;

use crate::cells::{CELL_BYTES, TARGET_ADDRESS, TARGET_LEFT, TARGET_SELECTOR};
use crate::machine::{self, HEADER_SELECTOR};
use crate::plan::{Back, Plan};
pub(crate) use alloc::allocate_slow;
use cranelift_codegen::ir::{
    self, BlockArg, InstBuilder, MemFlagsData,
    types::{F64, I64},
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use exits::Exits;
use memory::Aliases;
use metatrace_backend::{Context, FRAME_HEADER, InlineHeap, Job};
use metatrace_defs::{CallDescr, Kind, PureOp, TraceOp};
use metatrace_trace::{GuardId, Inst, Opnd, TargetId, Value};
pub(crate) use region::build_region;
use std::collections::HashMap;
use std::mem::offset_of;

/// What the code of a trace refers to.
pub(crate) struct Environment<'a> {
    /// The instruction set.
    pub(crate) isa: &'a dyn TargetIsa,
    /// Whether the instruction set rounds floats.
    pub(crate) rounds: bool,
    /// The address of the cell of the trace's first guard; the others follow.
    pub(crate) cells: u64,
    /// The addresses of the cells that say where other traces start.
    pub(crate) entries: &'a dyn Fn(TargetId) -> Option<u64>,
    /// The addresses of the cells that say what calls between traces call.
    pub(crate) called: &'a dyn Fn(TargetId) -> u64,
    /// How to allocate in the collected heap inline, if that is known.
    pub(crate) heap: Option<&'static InlineHeap>,
    /// The address of the stub for allocations that find no room inline.
    pub(crate) allocate_slow: u64,
    /// Whether to note for each instruction which operation it comes from.
    pub(crate) note_sources: bool,
}

/// What a value is in the IR.
#[derive(Clone, Copy, Default)]
struct Forms {
    /// The word or float.
    full: Option<ir::Value>,
    /// A truth value as a condition, or a word's low half as a single float.
    short: Option<ir::Value>,
}

/// Accesses to the frame and the context.
const OURS: MemFlagsData = MemFlagsData::trusted();
/// Accesses of the guest.
const GUEST: MemFlagsData = MemFlagsData::new().with_notrap();

pub(crate) struct Lowering<'a> {
    job: &'a Job<'a>,
    env: &'a Environment<'a>,
    plan: Plan,
    b: FunctionBuilder<'a>,
    frame: ir::Value,
    context: ir::Value,
    forms: Vec<Forms>,
    /// Results and overflow flags of arithmetic that is checked somewhere in the trace, by operation and operands.
    checked: HashMap<(PureOp, Opnd, Opnd), Option<(ir::Value, ir::Value)>>,
    /// The signatures of shims, by number of arguments.
    shims: [Option<ir::SigRef>; CallDescr::MAX_ARGS + 1],
    /// The block that the trace's end jumps to.
    head: Option<ir::Block>,
    exits: Exits,
    /// The number of the next guard in the function.
    next_guard: usize,
    /// The number of the trace's first guard in the function.
    first_guard: usize,
    /// In a region, where jumps to its traces arrive.
    heads: HashMap<TargetId, ir::Block>,
    /// In a region, the guards that a trace of it starts at: where, and with what.
    bridges: HashMap<GuardId, Option<region::Bridge>>,
    /// Values whose operations were done in the exit that is being built.
    made_in_exit: Vec<Value>,
    /// Which accesses of the guest cannot touch the same memory.
    aliases: Aliases,
    /// The signature of the stub for allocations.
    slow_signature: Option<ir::SigRef>,
    /// Whether the next operation, a guard, was lowered with the one before.
    has_guard: bool,
}

/// Builds the function of a job.
///
/// # Panics
/// If the trace jumps to an entry that is not there: that was to be checked before.
pub(crate) fn build<'a>(
    job: &'a Job<'a>,
    env: &'a Environment<'a>,
    function: &'a mut ir::Function,
    builder_context: &'a mut FunctionBuilderContext,
) {
    let mut lowering = Lowering::begin(job, env, Plan::new(job), function, builder_context);
    lowering.enter();
    lowering.insts();
    lowering.emit_exits();
    lowering.end();
}

impl Environment<'_> {
    fn frontend_config(&self) -> TargetFrontendConfig {
        self.isa.frontend_config()
    }
}

/// The byte offset of a value slot in the frame.
fn slot(n: u32) -> i32 {
    (FRAME_HEADER as i32 + n as i32) * 8
}

fn ir_type(kind: Kind) -> ir::Type {
    match kind {
        Kind::Word => I64,
        Kind::Float => F64,
    }
}

impl<'a> Lowering<'a> {
    /// Begins the function, which has the signature of traces.
    fn begin(
        job: &'a Job<'a>,
        env: &'a Environment<'a>,
        plan: Plan,
        function: &'a mut ir::Function,
        builder_context: &'a mut FunctionBuilderContext,
    ) -> Lowering<'a> {
        function.signature = machine::trace_signature();
        let mut b = FunctionBuilder::new(function, builder_context);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        Lowering::new(job, env, plan, b, entry)
    }

    /// Ends it.
    fn end(mut self) {
        self.b.seal_all_blocks();
        self.b.finalize(self.env.frontend_config());
    }

    /// Arithmetic of which the trace also wants to know whether it overflows is done once.
    fn new(
        job: &'a Job<'a>,
        env: &'a Environment<'a>,
        plan: Plan,
        b: FunctionBuilder<'a>,
        entry: ir::Block,
    ) -> Lowering<'a> {
        let (frame, context) = (b.block_params(entry)[0], b.block_params(entry)[1]);
        let mut lowering = Lowering {
            job,
            env,
            plan,
            b,
            frame,
            context,
            forms: vec![Forms::default(); job.trace.values.len()],
            checked: HashMap::new(),
            shims: [None; CallDescr::MAX_ARGS + 1],
            head: None,
            exits: Exits::default(),
            next_guard: 0,
            first_guard: 0,
            heads: HashMap::new(),
            bridges: HashMap::new(),
            made_in_exit: Vec::new(),
            aliases: Aliases::default(),
            slow_signature: None,
            has_guard: false,
        };
        lowering.find_checked();
        lowering
    }

    fn insts(&mut self) {
        for at in 0..self.job.trace.insts.len() {
            if self.env.note_sources {
                self.b.set_srcloc(ir::SourceLoc::new(at as u32));
            }
            self.inst(at);
        }
    }

    fn find_checked(&mut self) {
        for inst in &self.job.trace.insts {
            if let TraceOp::Pure(op) = inst.op
                && let Some(arithmetic) = pure::checks(op)
            {
                self.checked.insert((arithmetic, inst.args[0], inst.args[1]), None);
            }
        }
    }

    fn enter(&mut self) {
        let inputs = &self.job.trace.inputs;
        for (n, &input) in inputs.iter().enumerate() {
            let changes = self.plan.home(input).is_none();
            if changes || self.plan.is_used(input) {
                let ty = ir_type(self.job.trace.kind(input.into()));
                let value = self.b.ins().load(ty, OURS, self.frame, slot(n as u32));
                self.forms[input.index()].full = Some(value);
            }
        }
        if self.plan.back == Back::Entry {
            let args: Vec<Opnd> = inputs.iter().map(|&input| Opnd::Value(input)).collect();
            self.head(&args, inputs);
        }
    }

    /// Starts the block that the trace's end jumps to, with parameters for what changes.
    fn head(&mut self, args: &[Opnd], params: &[Value]) {
        let head = self.b.create_block();
        let args = self.changing(args);
        self.b.ins().jump(head, &args);
        for &n in &self.plan.changing {
            let ty = ir_type(self.job.trace.kind(params[n].into()));
            let param = self.b.append_block_param(head, ty);
            self.forms[params[n].index()].full = Some(param);
        }
        self.b.switch_to_block(head);
        self.head = Some(head);
    }

    /// The operands at the places that change around the loop.
    fn changing(&mut self, args: &[Opnd]) -> Vec<BlockArg> {
        let places = std::mem::take(&mut self.plan.changing);
        let args = places.iter().map(|&n| BlockArg::Value(self.any(args[n]))).collect();
        self.plan.changing = places;
        args
    }

    fn inst(&mut self, at: usize) {
        let job = self.job;
        let inst = &job.trace.insts[at];
        let args = &inst.args;
        match inst.op {
            TraceOp::Pure(op) => {
                if self.plan.sunk(inst.result()).is_none() {
                    self.pure(op, args, inst.result());
                }
            }
            TraceOp::GuardTrue => self.guard(inst, |this| (this.condition(args[0]), true)),
            TraceOp::GuardFalse => self.guard(inst, |this| (this.condition(args[0]), false)),
            TraceOp::GuardValue => self.guard(inst, |this| {
                let (a, b) = (this.word(args[0]), this.word(args[1]));
                (this.b.ins().icmp(ir::condcodes::IntCC::Equal, a, b), true)
            }),
            TraceOp::GuardFloatValue => self.guard(inst, |this| {
                let (a, b) = (this.bits(args[0]), this.bits(args[1]));
                (this.b.ins().icmp(ir::condcodes::IntCC::Equal, a, b), true)
            }),
            TraceOp::GuardNotPending if std::mem::take(&mut self.has_guard) => {}
            TraceOp::GuardNotPending => self.guard(inst, |this| {
                let offset = offset_of!(Context, pending) as i32;
                (this.b.ins().load(I64, OURS, this.context, offset), false)
            }),
            TraceOp::GetField | TraceOp::GetFieldFrozen => self.read(inst, None),
            TraceOp::GetElem | TraceOp::GetElemFrozen => self.read(inst, Some(args[1])),
            TraceOp::SetField => self.write(inst, None, args[1]),
            TraceOp::SetElem => self.write(inst, Some(args[1]), args[2]),
            TraceOp::InteriorField => self.interior(inst, None),
            TraceOp::InteriorElem => self.interior(inst, Some(args[1])),
            TraceOp::LocalAddr => self.local_addr(inst),
            TraceOp::New | TraceOp::NewArray | TraceOp::Make | TraceOp::MakeArray => {
                self.has_guard = self.allocate(at)
            }
            TraceOp::Free | TraceOp::FreeArray => self.release(inst),
            TraceOp::Barrier => self.barrier(args[0]),
            TraceOp::Call | TraceOp::CallElidable => self.call(inst),
            TraceOp::CallAssembler => self.call_assembler(inst),
            TraceOp::CountMergePoints => self.count_merge_points(args[0]),
            TraceOp::Label => {
                if self.plan.back == Back::Label(at) {
                    self.head(args, &inst.results);
                }
            }
            TraceOp::Jump => self.jump(inst),
            TraceOp::Finish => self.finish(inst),
        }
    }

    /// Leaves the trace if the test does not come out as wanted.
    fn guard(&mut self, inst: &Inst, test: impl FnOnce(&mut Self) -> (ir::Value, bool)) {
        let (condition, wanted) = test(self);
        let go_on = self.b.create_block();
        let leave = self.b.create_block();
        let number = self.next_guard;
        self.next_guard += 1;
        let (then, otherwise) = if wanted { (go_on, leave) } else { (leave, go_on) };
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        let is_bridged = self.start_bridge(inst, leave);
        if !is_bridged {
            self.b.set_cold_block(leave);
        }
        let snapshot = inst.snapshot.expect("a verified guard has a snapshot");
        if !is_bridged {
            let known = self.plan.known_in_exit(self.job.trace, inst);
            self.exits.add(self.job.trace, &self.plan, (leave, number), (snapshot, known));
        }
        self.b.switch_to_block(go_on);
    }

    fn jump(&mut self, inst: &Inst) {
        if let Some(head) = self.head {
            let args = self.changing(&inst.args);
            self.b.ins().jump(head, &args);
            return;
        }
        let target = inst.target();
        if let Some(&head) = self.heads.get(&target) {
            let args = inst.args.iter().map(|&arg| {
                if let Opnd::Value(value) = self.plan.resolve(arg) {
                    self.make_in_exit(value);
                }
                BlockArg::Value(self.any(arg))
            });
            let args: Vec<BlockArg> = args.collect();
            self.b.ins().jump(head, &args);
            self.forget_made();
            return;
        }
        let cell = (self.env.entries)(target).unwrap_or_else(|| panic!("no entry for {target}"));
        self.store_changed(&inst.args);
        self.cross(cell);
    }

    /// Continues where a target's cell says, or leaves if this is the crossing that was waited for.
    fn cross(&mut self, cell: u64) {
        let offset = offset_of!(Context, crossings) as i32;
        let before = self.b.ins().load(I64, OURS, self.context, offset);
        let left = self.b.ins().iadd_imm_s(before, -1);
        self.b.ins().store(OURS, left, self.context, offset);
        let go_on = self.b.create_block();
        let leave = self.b.create_block();
        self.b.set_cold_block(leave);
        self.b.ins().brif(left, go_on, &[], leave, &[]);
        self.b.switch_to_block(leave);
        let with = self.b.ins().iconst(I64, (cell | TARGET_LEFT as u64) as i64);
        self.b.ins().return_(&[with]);
        self.b.switch_to_block(go_on);
        let cell = self.b.ins().iconst(I64, cell as i64);
        let selector = self.b.ins().load(I64, OURS, cell, TARGET_SELECTOR);
        self.b.ins().store(OURS, selector, self.frame, HEADER_SELECTOR);
        let callee = self.b.ins().load(I64, OURS, cell, TARGET_ADDRESS);
        self.continue_at(callee);
    }

    fn finish(&mut self, inst: &Inst) {
        self.store_changed(&inst.args);
        let zero = self.b.ins().iconst(I64, 0);
        self.b.ins().return_(&[zero]);
    }

    /// Puts the operands into the first slots.
    fn store_changed(&mut self, args: &[Opnd]) {
        let stores = exits::stores(&self.plan, args.iter().copied());
        self.store(&stores);
    }

    /// Continues in another trace, for good.
    fn continue_at(&mut self, callee: ir::Value) {
        let signature = self.exits.signature(&mut self.b);
        self.b.ins().return_call_indirect(signature, callee, &[self.frame, self.context]);
    }

    /// A word operand.
    fn word(&mut self, opnd: Opnd) -> ir::Value {
        match self.plan.resolve(opnd) {
            Opnd::Value(value) => self.full(value),
            Opnd::Word(bits) | Opnd::Float(bits) => self.b.ins().iconst(I64, bits as i64),
        }
    }

    /// A float operand.
    fn float(&mut self, opnd: Opnd) -> ir::Value {
        match self.plan.resolve(opnd) {
            Opnd::Value(value) => self.full(value),
            Opnd::Word(bits) | Opnd::Float(bits) => self.b.ins().f64const(f64::from_bits(bits)),
        }
    }

    /// An operand of either kind.
    fn any(&mut self, opnd: Opnd) -> ir::Value {
        match self.job.trace.kind(opnd) {
            Kind::Word => self.word(opnd),
            Kind::Float => self.float(opnd),
        }
    }

    /// The bits of an operand of either kind.
    fn bits(&mut self, opnd: Opnd) -> ir::Value {
        match (self.plan.resolve(opnd), self.job.trace.kind(opnd)) {
            (Opnd::Value(value), Kind::Float) => {
                let full = self.full(value);
                self.b.ins().bitcast(I64, MemFlagsData::new(), full)
            }
            _ => self.word(opnd),
        }
    }

    /// Something that is not 0 if the operand is not 0.
    fn condition(&mut self, opnd: Opnd) -> ir::Value {
        match self.plan.resolve(opnd) {
            Opnd::Value(value) => match self.forms[value.index()].short {
                Some(short) if !self.b.func.dfg.value_type(short).is_float() => short,
                _ => self.full(value),
            },
            opnd => self.word(opnd),
        }
    }

    fn full(&self, value: Value) -> ir::Value {
        self.forms[value.index()].full.unwrap_or_else(|| panic!("{value} is used before it is made"))
    }

    fn define(&mut self, value: Value, full: ir::Value) {
        self.forms[value.index()].full = Some(full);
    }

    /// A value from its bits.
    fn define_bits(&mut self, value: Value, bits: ir::Value) {
        let full = match self.job.trace.kind(value.into()) {
            Kind::Word => bits,
            Kind::Float => self.b.ins().bitcast(F64, MemFlagsData::new(), bits),
        };
        self.define(value, full);
    }

    /// The signature of a shim with so many arguments after the context.
    fn shim_signature(&mut self, args: usize) -> ir::SigRef {
        let convention: CallConv = self.env.isa.default_call_conv();
        *self.shims[args]
            .get_or_insert_with(|| self.b.import_signature(machine::signature(convention, args + 1)))
    }
}

const _: () = assert!(CELL_BYTES > 0);
