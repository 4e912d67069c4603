//! The blackhole interpreter: runs jitcode on plain words from where something else left it.
//!
//! In: a stack, for example of a failing guard. Out: an [`Outcome`], as soon as the outermost activation reaches its
//! merge point, returns or panics. Inner activations of portals that reach their merge point are called natively.

use metatrace_backend::alloc;
use metatrace_defs::jitcode::{Constant, JitCodeId, PortalId, SwitchTable};
use metatrace_defs::{AccessId, AllocId, CallId, Kind, PureOp};

use super::{Domain, Panic, Stack, Step, Values, Way, step};
use crate::loaded::Loaded;
use crate::rt::Context;

/// How the outermost activation of a portal was left.
pub enum Outcome {
    /// At its merge point, with the words of the parameters.
    MergePoint(Values<u64>),
    /// It returned, with the words of the result.
    Return(Values<u64>),
    /// It panicked.
    Panic(Panic),
}

/// The domain of plain words.
pub struct Blackhole<'a> {
    loaded: &'a Loaded,
    context: *mut Context,
    /// Merge points passed.
    pub merge_points: u64,
}

impl<'a> Blackhole<'a> {
    /// An interpreter on the context of the current VM.
    pub fn new(loaded: &'a Loaded, context: *mut Context) -> Blackhole<'a> {
        Blackhole { loaded, context, merge_points: 0 }
    }

    /// Runs until the outermost activation is left.
    pub fn run(&mut self, stack: &mut Stack<u64>) -> Outcome {
        loop {
            match step(self, self.loaded, stack) {
                Step::Continue => {}
                Step::MergePoint(values) => return Outcome::MergePoint(values),
                Step::Return(values) => return Outcome::Return(values),
                Step::Panic(payload) => return Outcome::Panic(payload),
            }
        }
    }

    /// Runs one iteration of the guest loop: from the merge point at which the outermost activation stands to the one
    /// behind the next back edge.
    pub fn run_iteration(&mut self, stack: &mut Stack<u64>) -> Outcome {
        loop {
            let bottom = &mut stack.frames[0];
            (bottom.at, bottom.loop_header) = (bottom.at + 1, false);
            self.merge_points += 1;
            let outcome = self.run(stack);
            match outcome {
                Outcome::MergePoint(_) if !stack.frames[0].loop_header => {}
                outcome => return outcome,
            }
        }
    }
}

/// Calls native code: its results, or what it panicked with.
///
/// # Safety
/// `context` must be the current VM's; the arguments must be what the callee demands.
pub unsafe fn call_native(
    loaded: &Loaded,
    context: *mut Context,
    call: CallId,
    args: &[u64],
) -> Result<Values<u64>, Panic> {
    let descr = loaded.program.call(call);
    // SAFETY: passed on to the caller; the shim was generated for this call.
    let first = unsafe { loaded.shims[descr.shim as usize].call(context, args) };
    // SAFETY: the context is the current VM's, and no native code runs now.
    let context = unsafe { &mut *context };
    if let Some(payload) = context.take_panic() {
        return Err(payload);
    }
    let mut results: Values<u64> = context.results[..descr.results.len()].into();
    if let Some(result) = results.first_mut() {
        *result = first;
    }
    Ok(results)
}

impl Domain for Blackhole<'_> {
    type Value = u64;

    fn constant(&mut self, _: Kind, constant: &Constant) -> u64 {
        constant.value.get()
    }

    fn number(_: Kind, bits: u64) -> u64 {
        bits
    }

    fn bits(value: u64) -> u64 {
        value
    }

    fn pure(&mut self, op: PureOp, args: &[u64]) -> u64 {
        op.eval(args)
    }

    fn read(&mut self, access: AccessId, base: u64, index: Option<u64>) -> u64 {
        let access = self.loaded.program.access(access);
        // SAFETY: see the module above: jitcode does to memory what the interpreter's own code does.
        unsafe { access.scalar.read(access.address(base, index.unwrap_or(0))) }
    }

    fn write(&mut self, access: AccessId, base: u64, index: Option<u64>, value: u64) {
        let access = self.loaded.program.access(access);
        // SAFETY: as for `read`.
        unsafe { access.scalar.write(access.address(base, index.unwrap_or(0)), value) }
    }

    fn interior(&mut self, access: AccessId, base: u64, index: Option<u64>) -> u64 {
        self.loaded.program.access(access).address(base, index.unwrap_or(0))
    }

    fn local_addr(&mut self, stack: &Stack<u64>, (byte, _): (u32, u32)) -> u64 {
        stack.local_address(byte)
    }

    fn branch(&mut self, _: &mut Stack<u64>, _: u64) {}

    fn switch(&mut self, _: &mut Stack<u64>, _: u64, _: &SwitchTable) {}

    fn promote(&mut self, _: &mut Stack<u64>, value: u64) -> u64 {
        value
    }

    fn promote_owner(&mut self, _: &mut Stack<u64>, reference: u64) -> u64 {
        reference
    }

    fn is_constant(&self, _: u64) -> bool {
        false
    }

    fn assert_green(&mut self, _: u64) {}

    fn trace_length(&mut self) -> i64 {
        -1
    }

    fn is_virtual(&self, _: u64) -> bool {
        false
    }

    fn record_exact(&mut self, _: &mut Stack<u64>, _: u64, _: u64) {}

    fn quasi_immut(&mut self, _: u64, value: u64) -> u64 {
        value
    }

    fn allocate(&mut self, _: &Stack<u64>, alloc: AllocId, length: Option<u64>) -> u64 {
        let descr = self.loaded.program.alloc(alloc);
        // SAFETY: the context is the current VM's; the program is resolved.
        unsafe { alloc::allocate_for_guest(self.context, descr, length.unwrap_or(0)) }
    }

    fn free(&mut self, alloc: AllocId, address: u64, length: Option<u64>) {
        let descr = self.loaded.program.alloc(alloc);
        // SAFETY: see the module above; the context is the current VM's.
        unsafe { alloc::release(self.context, descr, address, length.unwrap_or(0)) };
    }

    fn barrier(&mut self, address: u64) {
        // SAFETY: the context is the current VM's.
        unsafe { alloc::barrier(self.context, address) };
    }

    fn call(&mut self, call: CallId, args: &[u64]) -> Result<Values<u64>, Panic> {
        // SAFETY: see the module above; the context is the current VM's.
        unsafe { call_native(self.loaded, self.context, call, args) }
    }

    fn called(&mut self, _: &Stack<u64>, _: CallId) {}

    fn inline(&mut self, _: &mut Stack<u64>, callee: JitCodeId, _: &mut Values<u64>) -> Way {
        if self.loaded.portal_of(callee).is_some() { Way::Native } else { Way::Jitcode }
    }

    fn inner_merge_point(&mut self, _: &mut Stack<u64>, _: PortalId, _: &mut Values<u64>) -> Way {
        Way::Native
    }
}
