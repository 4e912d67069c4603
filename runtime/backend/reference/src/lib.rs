//! A backend that executes traces operation by operation: simple and exact, the oracle for all others.
//!
//! Takes verified traces; keeps the contract of [`metatrace_backend`] about frames, guards, bridges and jumps. Pure
//! operations are [`PureOp::eval`](metatrace_defs::PureOp::eval), memory accesses are
//! [`Scalar::read`](metatrace_defs::descr::Scalar::read) and `write`. Beyond the contract it counts what it executes, can
//! make a guard fail that would hold ([`Reference::force`]), and panics with the trace where a division is reached
//! whose divisor no guard kept from 0.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use metatrace_backend::{
    Backend, CodeId, Compiled, CompiledRegion, Context, Exit, FRAME_HEADER, FRAME_LOCALS, Job, PartStart,
    Region, Shim, alloc,
};
use metatrace_defs::{Abort, Access, Alloc, Program, TraceOp};
use metatrace_trace::{Attached, CALL_ASSEMBLER_PREFIX, GuardId, Inst, Opnd, TargetId, Trace};

/// Decides whether a guard that is about to be tested shall fail in any case.
pub type Force = Box<dyn FnMut(GuardId, &Context) -> bool>;

/// The backend.
#[derive(Default)]
pub struct Reference {
    codes: RefCell<HashMap<CodeId, Rc<Code>>>,
    bridges: RefCell<HashMap<GuardId, CodeId>>,
    /// The newest code of each guard.
    guards: RefCell<HashMap<GuardId, CodeId>>,
    targets: RefCell<HashMap<TargetId, CodeId>>,
    next: Cell<u32>,
    values: Cell<usize>,
    bytes: Cell<usize>,
    /// What `call_assembler` calls.
    called: RefCell<HashMap<TargetId, CodeId>>,
    executed: Cell<u64>,
    force: RefCell<Option<Force>>,
}

/// A trace with all that is needed to execute it.
struct Code {
    trace: Trace,
    steps: Vec<Step>,
    labels: Vec<(TargetId, usize)>,
    /// All codes of its region; empty if it is compiled alone.
    region: Rc<[CodeId]>,
}

/// What an operation needs beside itself.
enum Step {
    Plain,
    Access(Access),
    Call { shim: Shim, results: usize },
    Alloc(Alloc),
    Guard { id: GuardId, handed: Vec<Opnd>, stores: Vec<(Access, Vec<Opnd>)> },
}

/// Where to go on after an operation.
enum Next {
    Inst,
    Label(usize),
    /// The values are in the slots of the frame.
    Code(CodeId),
    Leave(Exit),
}

impl Reference {
    /// A backend without code.
    pub fn new() -> Reference {
        Reference::default()
    }

    /// The number of operations executed so far, labels included.
    pub fn executed(&self) -> u64 {
        self.executed.get()
    }

    /// Asks `force` from now on before each test of a guard, or nobody.
    pub fn force(&self, force: Option<Force>) {
        *self.force.borrow_mut() = force;
    }

    fn code(&self, id: CodeId) -> Rc<Code> {
        match self.codes.borrow().get(&id) {
            Some(code) => code.clone(),
            None => panic!("{id} was freed or never compiled"),
        }
    }

    /// Takes the code of a trace into the tables.
    fn add(&self, job: &Job, code: CodeId, region: Rc<[CodeId]>) {
        let trace = job.trace.clone();
        let mut guards = job.guards.iter().copied();
        let steps = trace.insts.iter().map(|inst| step(job.program, job, inst, &mut guards)).collect();
        let labels = (trace.insts.iter().enumerate())
            .filter(|(_, inst)| inst.op == TraceOp::Label)
            .map(|(n, inst)| (inst.target(), n))
            .collect();
        self.guards.borrow_mut().extend(job.guards.iter().map(|&guard| (guard, code)));
        self.codes.borrow_mut().insert(code, Rc::new(Code { trace, steps, labels, region }));
        if let Some(entry) = job.entry {
            self.targets.borrow_mut().insert(entry, code);
        }
    }

    fn free_one(&self, code: CodeId) {
        self.codes.borrow_mut().remove(&code);
        self.targets.borrow_mut().retain(|_, target| *target != code);
        let guards = &mut *self.guards.borrow_mut();
        let bridges = &mut *self.bridges.borrow_mut();
        bridges.retain(|guard, bridge| guards.get(guard) != Some(&code) && *bridge != code);
        guards.retain(|_, of| *of != code);
    }

    fn fits(&self, trace: &Trace) -> bool {
        let values = self.values.get();
        let widest_exit = trace.insts.iter().map(|inst| match (inst.op, inst.snapshot) {
            (_, Some(snapshot)) => trace.handed(snapshot).len(),
            (op, None) if op.is_terminator() => inst.args.len(),
            _ => 0,
        });
        let bytes = self.bytes.get() as u64;
        let locals_fit = trace
            .insts
            .iter()
            .filter(|inst| inst.op == TraceOp::LocalAddr)
            .all(|inst| inst.local_end().is_some_and(|end| end <= bytes));
        widest_exit.max().unwrap_or(0).max(trace.inputs.len()) <= values && locals_fit
    }
}

fn step(program: &Program, job: &Job, inst: &Inst, guards: &mut impl Iterator<Item = GuardId>) -> Step {
    match (inst.attached, inst.snapshot) {
        (_, Some(snapshot)) => {
            let id = guards.next().expect("the job numbers every guard");
            let stores = job.trace.snapshots[snapshot.index()].stores.iter();
            let stores = stores.map(|store| (program.access(store.access).clone(), store.args.to_vec()));
            Step::Guard { id, handed: job.trace.handed(snapshot), stores: stores.collect() }
        }
        (Attached::Access(id), _) => Step::Access(program.access(id).clone()),
        (Attached::Call(id), _) => {
            let call = program.call(id);
            Step::Call { shim: job.shims[call.shim as usize], results: call.results.len() }
        }
        (Attached::Alloc(id), _) => Step::Alloc(program.alloc(id).clone()),
        (Attached::None | Attached::Target(_), None) => Step::Plain,
    }
}

impl Backend for Reference {
    fn set_frame(&self, values: usize, bytes: usize) {
        self.values.set(values);
        self.bytes.set(bytes);
    }

    fn compile(&self, job: &Job) -> Result<Compiled, Abort> {
        if !self.fits(job.trace) {
            return Err(Abort::FrameTooLarge);
        }
        let code = CodeId(self.next.replace(self.next.get() + 1));
        self.add(job, code, Rc::default());
        Ok(Compiled { code, bytes: 0 })
    }

    fn compile_region(&self, region: &Region) -> Result<CompiledRegion, Abort> {
        let first = self.next.get();
        self.next.set(first + region.parts.len() as u32);
        let codes: Rc<[CodeId]> = (first..self.next.get()).map(CodeId).collect();
        let &Region { program, shims, parts } = region;
        let mut entries = vec![];
        for (part, &code) in parts.iter().zip(codes.iter()) {
            let entry = match part.start {
                PartStart::Entry(target) => Some(target),
                PartStart::Guard(_) => None,
            };
            let job = Job { program, shims, trace: part.trace, guards: part.guards, entry };
            self.add(&job, code, codes.clone());
            match part.start {
                PartStart::Entry(target) => entries.push((target, code)),
                PartStart::Guard(guard) => self.attach_bridge(guard, code),
            }
        }
        Ok(CompiledRegion { entries, bytes: 0 })
    }

    fn attach_bridge(&self, guard: GuardId, bridge: CodeId) {
        self.bridges.borrow_mut().insert(guard, bridge);
    }

    fn set_entry(&self, entry: TargetId, code: Option<CodeId>) {
        let mut called = self.called.borrow_mut();
        match code {
            Some(code) => called.insert(entry, code),
            None => called.remove(&entry),
        };
    }

    fn exit(&self, left_with: u64) -> Exit {
        let number = (left_with >> 2) as u32;
        match left_with & 3 {
            0 => Exit::Finish,
            1 => Exit::Guard(GuardId(number)),
            _ => Exit::Crossing(TargetId(number)),
        }
    }

    fn frame_values(&self) -> usize {
        self.values.get()
    }

    fn free(&self, code: CodeId) {
        let freed = self.codes.borrow().get(&code).map(|code| code.region.clone());
        match freed.as_deref() {
            Some([]) => self.free_one(code),
            Some(region) => region.iter().for_each(|&code| self.free_one(code)),
            None => {}
        }
    }

    unsafe fn enter(&self, code: CodeId, frame: *mut u64, context: *mut Context) -> Exit {
        let mut id = code;
        loop {
            let code = self.code(id);
            let mut run =
                Run { backend: self, code: &code, values: vec![0; code.trace.values.len()], frame, context };
            // SAFETY: the caller vouches for frame, context and memory accesses; each trace that is jumped to finds
            // its inputs in the slots.
            match unsafe { run.run() } {
                Next::Code(next) => id = next,
                Next::Leave(exit) => return exit,
                Next::Inst | Next::Label(_) => unreachable!("run leaves the code"),
            }
        }
    }
}

/// One passage through one code.
struct Run<'a> {
    backend: &'a Reference,
    code: &'a Code,
    values: Vec<u64>,
    frame: *mut u64,
    context: *mut Context,
}

impl Run<'_> {
    /// # Safety
    /// As [`Backend::run`].
    unsafe fn run(&mut self) -> Next {
        let code = self.code;
        for (n, &input) in code.trace.inputs.iter().enumerate() {
            // SAFETY: the inputs were checked to fit the frame when the trace was compiled.
            self.values[input.index()] = unsafe { self.slot(n).read() };
        }
        let mut at = 0;
        loop {
            self.backend.executed.set(self.backend.executed.get() + 1);
            // SAFETY: as the caller vouches.
            match unsafe { self.inst(&code.trace.insts[at], &code.steps[at]) } {
                Next::Inst => at += 1,
                Next::Label(label) => at = label + 1,
                next => return next,
            }
        }
    }

    /// The address of a value slot.
    fn slot(&self, n: usize) -> *mut u64 {
        assert!(n < self.backend.values.get(), "value slot {n} is outside the frame");
        self.frame.wrapping_add(FRAME_HEADER + n)
    }

    fn get(&self, opnd: Opnd) -> u64 {
        match opnd {
            Opnd::Value(value) => self.values[value.index()],
            Opnd::Word(bits) | Opnd::Float(bits) => bits,
        }
    }

    /// # Safety
    /// As [`Backend::run`].
    unsafe fn inst(&mut self, inst: &Inst, step: &Step) -> Next {
        let args: Vec<u64> = inst.args.iter().map(|&arg| self.get(arg)).collect();
        if let Step::Guard { id, handed, stores } = step {
            // SAFETY: the context is valid, and nothing else holds a reference to it now.
            let context = unsafe { &*self.context };
            let forced = self.backend.force.borrow_mut().as_mut().is_some_and(|force| force(*id, context));
            let holds = guard_holds(inst.op, &args, context);
            if holds && !forced {
                return Next::Inst;
            }
            for (access, args) in stores {
                let args: Vec<u64> = args.iter().map(|&arg| self.get(arg)).collect();
                let (value, to) = args.split_last().expect("a store has operands");
                // SAFETY: the caller vouches that the trace's accesses are valid.
                unsafe { access.scalar.write(address(access, to), *value) };
            }
            return self.leave(*id, handed);
        }
        match (inst.op, step) {
            (TraceOp::Pure(op), _) => {
                let undefined = op.is_partial() && args.last() == Some(&0);
                assert!(!undefined, "{op} reached with a divisor of 0:\n{}", self.code.trace);
                self.values[inst.result().index()] = op.eval(&args);
            }
            (
                TraceOp::GetField | TraceOp::GetFieldFrozen | TraceOp::GetElem | TraceOp::GetElemFrozen,
                step,
            ) => {
                let access = access_of(step);
                // SAFETY: the caller vouches that the trace's accesses are valid.
                let value = unsafe { access.scalar.read(address(access, &args)) };
                self.values[inst.result().index()] = value;
            }
            (TraceOp::SetField | TraceOp::SetElem, step) => {
                let access = access_of(step);
                let value = args[args.len() - 1];
                // SAFETY: as above.
                unsafe { access.scalar.write(address(access, &args[..args.len() - 1]), value) };
            }
            (TraceOp::InteriorField | TraceOp::InteriorElem, step) => {
                self.values[inst.result().index()] = address(access_of(step), &args);
            }
            (TraceOp::LocalAddr, _) => {
                self.values[inst.result().index()] = self.locals().wrapping_add(args[0]);
            }
            (TraceOp::New | TraceOp::NewArray | TraceOp::Make | TraceOp::MakeArray, Step::Alloc(descr)) => {
                let length = args.first().copied().unwrap_or(0);
                let is_new = matches!(inst.op, TraceOp::New | TraceOp::NewArray);
                let allocate = if is_new { alloc::allocate } else { alloc::make };
                // SAFETY: the context is valid, and the descriptor one of a resolved program.
                let address = unsafe { allocate(self.context, descr, length) };
                self.values[inst.result().index()] = address;
            }
            (TraceOp::Free | TraceOp::FreeArray, Step::Alloc(descr)) => {
                let length = args.get(1).copied().unwrap_or(0);
                // SAFETY: as above; the guest's code gives back what it allocated, once.
                unsafe { alloc::release(self.context, descr, args[0], length) };
            }
            (TraceOp::Barrier, _) => {
                // SAFETY: as above.
                unsafe { alloc::barrier(self.context, args[0]) };
            }
            (TraceOp::Call | TraceOp::CallElidable, &Step::Call { shim, results }) => {
                // SAFETY: the verifier checked the arguments against the descriptor that the shim was made for.
                unsafe { self.call(inst, shim, &args, results) };
            }
            (TraceOp::CallAssembler, &Step::Call { shim, results }) => {
                // SAFETY: as above, behind the operands that stand before the arguments.
                unsafe {
                    if !self.call_code(inst, &args) {
                        self.call(inst, shim, &args[CALL_ASSEMBLER_PREFIX..], results);
                    }
                }
            }
            (TraceOp::CountMergePoints, _) => {
                // SAFETY: the context is valid, and nothing else holds a reference to it now.
                unsafe { (*self.context).merge_points += args[0] };
            }
            (TraceOp::Label, _) => self.enter_label(inst, &args),
            (TraceOp::Jump, _) => return self.jump(inst.target(), &args),
            (TraceOp::Finish, _) => {
                self.store_slots(&args);
                return Next::Leave(Exit::Finish);
            }
            (op, _) => panic!("{op} was prepared wrongly"),
        }
        Next::Inst
    }

    fn locals(&self) -> u64 {
        // SAFETY: the frame has a header.
        unsafe { self.frame.add(FRAME_LOCALS).read() }
    }

    /// Calls native code.
    ///
    /// # Safety
    /// The shim must be that of the call, with these arguments.
    unsafe fn call(&mut self, inst: &Inst, shim: Shim, args: &[u64], results: usize) {
        // SAFETY: as the caller vouches.
        let first = unsafe { shim.call(self.context, args) };
        for (n, &result) in inst.results.iter().enumerate().take(results) {
            // SAFETY: the context is valid; the shim has returned.
            let rest = unsafe { &(*self.context).results };
            self.values[result.index()] = if n == 0 { first } else { rest[n] };
        }
    }

    /// Calls compiled code, if there is some and room for its frame.
    ///
    /// # Safety
    /// As [`Backend::enter`].
    unsafe fn call_code(&mut self, inst: &Inst, args: &[u64]) -> bool {
        let called = inst.called_entry();
        // Nothing is kept in slots here.
        let frame = self.frame.wrapping_add(FRAME_HEADER.next_multiple_of(2));
        let locals = self.locals() + called.locals;
        // SAFETY: the context is valid, and nothing else holds a reference to it now.
        let context = unsafe { &mut *self.context };
        if frame as u64 > context.frames_limit || locals > context.locals_limit {
            return false;
        }
        context.calls_left = context.calls_left.wrapping_sub(1);
        let (left, is_sampled) = (context.left, context.calls_left == 0);
        if let Some(sample) = context.sample.filter(|_| is_sampled) {
            // SAFETY: as the caller vouches.
            unsafe { sample(self.context, called.target.0.into()) };
        }
        let Some(code) = self.backend.called.borrow().get(&called.target).copied() else { return false };
        let inputs = args[CALL_ASSEMBLER_PREFIX..].iter().enumerate().filter(|&(n, _)| called.is_input(n));
        for (slot, (_, &input)) in inputs.enumerate() {
            // SAFETY: below the limits there is room for a whole frame.
            unsafe { frame.add(FRAME_HEADER + slot).write(input) };
        }
        // SAFETY: as above; the callee's inputs are the portal's parameters.
        let exit = unsafe {
            frame.add(FRAME_LOCALS).write(locals);
            self.backend.enter(code, frame, self.context)
        };
        let left_with = match exit {
            Exit::Finish => 0,
            Exit::Guard(guard) => u64::from(guard.0) << 2 | 1,
            Exit::Crossing(target) => u64::from(target.0) << 2 | 2,
        };
        if left_with != 0 {
            let left = left.expect("who sets entries completes calls");
            // SAFETY: the frame was left so.
            unsafe { left(self.context, frame, left_with) };
        }
        for (n, &result) in inst.results.iter().enumerate() {
            // SAFETY: the results are in the slots.
            self.values[result.index()] = unsafe { frame.add(FRAME_HEADER + n).read() };
        }
        true
    }

    fn enter_label(&mut self, label: &Inst, args: &[u64]) {
        for (&result, &arg) in label.results.iter().zip(args) {
            self.values[result.index()] = arg;
        }
    }

    fn store_slots(&mut self, values: &[u64]) {
        for (n, &value) in values.iter().enumerate() {
            // SAFETY: `slot` checks that the slot is one of the frame's.
            unsafe { self.slot(n).write(value) };
        }
    }

    fn jump(&mut self, target: TargetId, args: &[u64]) -> Next {
        let code = self.code;
        if let Some(&(_, at)) = code.labels.iter().find(|(label, _)| *label == target) {
            self.enter_label(&code.trace.insts[at], args);
            return Next::Label(at);
        }
        self.store_slots(args);
        let Some(&to) = self.backend.targets.borrow().get(&target) else {
            panic!("jump to {target}, which is no entry of compiled code:\n{}", code.trace)
        };
        if !code.region.contains(&to) {
            // SAFETY: the context is valid, and nothing else holds a reference to it now.
            let crossings = unsafe { &mut (*self.context).crossings };
            *crossings = crossings.wrapping_sub(1);
            if *crossings == 0 {
                return Next::Leave(Exit::Crossing(target));
            }
        }
        Next::Code(to)
    }

    fn leave(&mut self, guard: GuardId, handed: &[Opnd]) -> Next {
        let values: Vec<u64> = handed.iter().map(|&opnd| self.get(opnd)).collect();
        self.store_slots(&values);
        match self.backend.bridges.borrow().get(&guard) {
            Some(&bridge) => Next::Code(bridge),
            None => Next::Leave(Exit::Guard(guard)),
        }
    }
}

fn guard_holds(op: TraceOp, args: &[u64], context: &Context) -> bool {
    match op {
        TraceOp::GuardTrue => args[0] != 0,
        TraceOp::GuardFalse => args[0] == 0,
        TraceOp::GuardValue | TraceOp::GuardFloatValue => args[0] == args[1],
        TraceOp::GuardNotPending => context.pending == 0,
        op => panic!("{op} is no guard"),
    }
}

fn access_of(step: &Step) -> &Access {
    match step {
        Step::Access(access) => access,
        _ => panic!("the verifier lets no access without its descriptor through"),
    }
}

/// The address that an access with these operands (base, and index if there is one) touches.
fn address(access: &Access, args: &[u64]) -> u64 {
    access.address(args[0], args.get(1).copied().unwrap_or(0))
}
