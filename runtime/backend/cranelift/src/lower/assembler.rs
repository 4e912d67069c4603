//! Calls from compiled code to compiled code.
//!
//! In: a `call_assembler`. Out: the callee's frame behind what this code keeps in its own, the inputs in its slots, and a call of
//! the code that the entry's cell names. What the callee returns is 0 if its results are in its slots. Otherwise a cold way
//! has the runtime put them there, or calls the portal natively: where there is no code for the entry, or no room for a frame.

use super::{Lowering, OURS, slot};
use crate::cells::{TARGET_ADDRESS, TARGET_SELECTOR};
use crate::machine::{self, ABSENT, HEADER_LOCALS, HEADER_SELECTOR};
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, condcodes::IntCC, types::I64};
use metatrace_backend::{Context, FRAME_HEADER};
use metatrace_trace::{CalledEntry, Inst};
use std::mem::offset_of;

/// The callee's frame.
struct Callee {
    frame: ir::Value,
    locals: ir::Value,
}

impl Lowering<'_> {
    pub(super) fn call_assembler(&mut self, inst: &Inst) {
        let called = inst.called_entry();
        let args: Vec<ir::Value> = inst.call_args().iter().map(|&arg| self.bits(arg)).collect();
        let (native, done, joined) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        for _ in &inst.results {
            self.b.append_block_param(joined, I64);
        }
        self.b.set_cold_block(native);
        let callee = self.callee(called, native);
        self.count_call(called);
        let left_with = self.call_code(&callee, called, &args);
        let is_left = self.b.create_block();
        self.b.set_cold_block(is_left);
        self.b.ins().brif(left_with, is_left, &[], done, &[]);

        self.b.switch_to_block(is_left);
        self.complete(&callee, left_with, native, done);

        self.b.switch_to_block(native);
        let results = self.native_call(inst, &args);
        self.join(joined, results);

        self.b.switch_to_block(done);
        let results = (0..inst.results.len())
            .map(|n| self.b.ins().load(I64, OURS, callee.frame, slot(n as u32)))
            .collect();
        self.join(joined, results);

        self.b.switch_to_block(joined);
        for (n, &result) in inst.results.iter().enumerate() {
            let bits = self.b.block_params(joined)[n];
            self.define_bits(result, bits);
        }
    }

    fn join(&mut self, joined: ir::Block, results: Vec<ir::Value>) {
        let args: Vec<BlockArg> = results.into_iter().map(BlockArg::Value).collect();
        self.b.ins().jump(joined, &args);
    }

    /// Where the callee's frame stands; goes on at `native` if there is no room for it.
    fn callee(&mut self, called: CalledEntry, native: ir::Block) -> Callee {
        let used = (FRAME_HEADER + self.plan.slots_in_use()).next_multiple_of(2) as i64 * 8;
        let frame = self.b.ins().iadd_imm_s(self.frame, used);
        self.check_limit(frame, offset_of!(Context, frames_limit), native);
        let mut locals = self.b.ins().load(I64, OURS, self.frame, HEADER_LOCALS);
        if called.locals > 0 {
            locals = self.b.ins().iadd_imm_s(locals, called.locals as i64);
            self.check_limit(locals, offset_of!(Context, locals_limit), native);
        }
        Callee { frame, locals }
    }

    fn check_limit(&mut self, address: ir::Value, limit: usize, beyond: ir::Block) {
        let limit = self.b.ins().load(I64, OURS, self.context, limit as i32);
        let is_beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThan, address, limit);
        let go_on = self.b.create_block();
        self.b.ins().brif(is_beyond, beyond, &[], go_on, &[]);
        self.b.switch_to_block(go_on);
    }

    /// Counts the call, and has the runtime look at it if this is the one that was waited for.
    fn count_call(&mut self, called: CalledEntry) {
        let offset = offset_of!(Context, calls_left) as i32;
        let before = self.b.ins().load(I64, OURS, self.context, offset);
        let left = self.b.ins().iadd_imm_s(before, -1);
        self.b.ins().store(OURS, left, self.context, offset);
        let (look, go_on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(look);
        self.b.ins().brif(left, go_on, &[], look, &[]);
        self.b.switch_to_block(look);
        let signature = self.procedure_signature(2);
        let sample = self.b.ins().load(I64, OURS, self.context, offset_of!(Context, sample) as i32);
        let entry = self.b.ins().iconst(I64, i64::from(called.target.0));
        self.b.ins().call_indirect(signature, sample, &[self.context, entry]);
        self.b.ins().jump(go_on, &[]);
        self.b.switch_to_block(go_on);
    }

    /// The signature of a function of the runtime that gives nothing back.
    fn procedure_signature(&mut self, params: usize) -> ir::SigRef {
        let mut signature = machine::signature(self.env.isa.default_call_conv(), params);
        signature.returns.clear();
        self.b.import_signature(signature)
    }

    /// Calls the code of the entry: what it is left with.
    fn call_code(&mut self, callee: &Callee, called: CalledEntry, args: &[ir::Value]) -> ir::Value {
        let inputs = args.iter().enumerate().filter(|&(n, _)| called.is_input(n));
        for (n, (_, &input)) in (0..).zip(inputs) {
            self.b.ins().store(OURS, input, callee.frame, slot(n));
        }
        self.b.ins().store(OURS, callee.locals, callee.frame, HEADER_LOCALS);
        let cell = self.b.ins().iconst(I64, (self.env.called)(called.target) as i64);
        let selector = self.b.ins().load(I64, OURS, cell, TARGET_SELECTOR);
        self.b.ins().store(OURS, selector, callee.frame, HEADER_SELECTOR);
        let code = self.b.ins().load(I64, OURS, cell, TARGET_ADDRESS);
        let signature = self.exits.signature(&mut self.b);
        let call = self.b.ins().call_indirect(signature, code, &[callee.frame, self.context]);
        self.b.inst_results(call)[0]
    }

    /// Has the runtime complete what the callee left open.
    fn complete(&mut self, callee: &Callee, left_with: ir::Value, native: ir::Block, done: ir::Block) {
        let is_absent = self.b.ins().icmp_imm_u(IntCC::Equal, left_with, ABSENT as i64);
        let complete = self.b.create_block();
        self.b.set_cold_block(complete);
        self.b.ins().brif(is_absent, native, &[], complete, &[]);
        self.b.switch_to_block(complete);
        let signature = self.procedure_signature(3);
        let left = self.b.ins().load(I64, OURS, self.context, offset_of!(Context, left) as i32);
        self.b.ins().call_indirect(signature, left, &[self.context, callee.frame, left_with]);
        self.b.ins().jump(done, &[]);
    }
}
