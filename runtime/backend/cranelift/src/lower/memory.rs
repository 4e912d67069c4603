//! Accesses to memory, and calls.

use super::{GUEST, Lowering, OURS};
use crate::machine::HEADER_LOCALS;
use cranelift_codegen::ir::{
    self, AliasRegion, AliasRegionData, InstBuilder, MemFlagsData,
    types::{F64, I64},
};
use metatrace_backend::{Context, Job};
use metatrace_defs::descr::{Reach, Scalar, call_flag};
use metatrace_defs::trace_op::flag;
use metatrace_defs::{Access, AccessId};
use metatrace_trace::{Attached, Inst, Opnd};
use std::collections::{BTreeSet, HashMap};
use std::mem::offset_of;

/// Parts of memory that no two accesses of a function share, as far as descriptors tell.
#[derive(Default)]
pub(super) struct Aliases {
    /// The part of an access, by its scalar type or, where all are accesses of known classes, by its class.
    parts: HashMap<AccessId, AliasRegion>,
}

impl Lowering<'_> {
    /// Divides memory among the accesses of traces. An access that may touch anything forbids it.
    pub(super) fn find_aliases(&mut self, jobs: &[Job]) {
        let program = self.job.program;
        let all = jobs.iter().flat_map(|job| &job.trace.insts);
        let delayed = jobs.iter().flat_map(|job| &job.trace.snapshots).flat_map(|snapshot| &snapshot.stores);
        let accesses: BTreeSet<AccessId> = all
            .filter_map(|inst| match inst.attached {
                Attached::Access(id) if inst.op.flags() & (flag::READS | flag::WRITES) != 0 => Some(id),
                _ => None,
            })
            .chain(delayed.map(|store| store.access))
            .collect();
        let reaches = |reach| accesses.iter().filter(move |&&id| program.access(id).reach == reach);
        if reaches(Reach::Anything).next().is_some() {
            return;
        }
        let leaf = |id: AccessId| program.classes[program.access(id).class.index()].leaf;
        let shared: BTreeSet<u32> = reaches(Reach::Leaf).map(|&id| leaf(id)).collect();
        for &id in &accesses {
            let class = program.access(id).class.index() as u32;
            let user_id = if shared.contains(&leaf(id)) { 2 * leaf(id) } else { 2 * class + 1 };
            let part = AliasRegionData { user_id, description: "guest".into() };
            self.aliases.parts.insert(id, self.b.func.dfg.alias_regions.insert(part));
        }
    }

    fn guest(&self, id: AccessId) -> MemFlagsData {
        GUEST.with_alias_region(self.aliases.parts.get(&id).copied())
    }

    pub(super) fn read(&mut self, inst: &Inst, index: Option<Opnd>) {
        let access = self.job.program.access(inst.access());
        let (base, offset) = self.address(access, inst.args[0], index);
        let guest = self.guest(inst.access());
        let ins = self.b.ins();
        let value = match access.scalar {
            Scalar::U8 => ins.uload8(I64, guest, base, offset),
            Scalar::I8 => ins.sload8(I64, guest, base, offset),
            Scalar::U16 => ins.uload16(I64, guest, base, offset),
            Scalar::I16 => ins.sload16(I64, guest, base, offset),
            Scalar::U32 => ins.uload32(guest, base, offset),
            Scalar::I32 => ins.sload32(guest, base, offset),
            Scalar::Word => ins.load(I64, guest, base, offset),
            Scalar::Float => ins.load(F64, guest, base, offset),
        };
        self.define(inst.result(), value);
    }

    pub(super) fn write(&mut self, inst: &Inst, index: Option<Opnd>, value: Opnd) {
        self.write_at(inst.access(), inst.args[0], index, value);
    }

    /// Writes where an access with this base and index goes.
    pub(super) fn write_at(&mut self, id: AccessId, base: Opnd, index: Option<Opnd>, value: Opnd) {
        let access = self.job.program.access(id);
        let (base, offset) = self.address(access, base, index);
        let guest = self.guest(id);
        // A constant float is stored as its bits, without a way through a float register.
        let value = match self.plan.resolve(value) {
            constant @ Opnd::Float(_) => self.word(constant),
            _ => self.any(value),
        };
        let ins = self.b.ins();
        match access.scalar {
            Scalar::U8 | Scalar::I8 => ins.istore8(guest, value, base, offset),
            Scalar::U16 | Scalar::I16 => ins.istore16(guest, value, base, offset),
            Scalar::U32 | Scalar::I32 => ins.istore32(guest, value, base, offset),
            Scalar::Word | Scalar::Float => ins.store(guest, value, base, offset),
        };
    }

    pub(super) fn interior(&mut self, inst: &Inst, index: Option<Opnd>) {
        let access = self.job.program.access(inst.access());
        let (base, offset) = self.address(access, inst.args[0], index);
        let address = if offset == 0 { base } else { self.b.ins().iadd_imm_s(base, i64::from(offset)) };
        self.define(inst.result(), address);
    }

    /// A base and an offset; what is constant is added up here, and the rest in the form of the machine's addressing.
    fn address(&mut self, access: &Access, base: Opnd, index: Option<Opnd>) -> (ir::Value, i32) {
        let mut offset = access.offset.get();
        let mut scaled = None;
        if let Some(index) = index {
            let stride = access.stride.map_or(0, |stride| stride.get());
            match self.plan.resolve(index).as_const() {
                Some(index) => offset = offset.wrapping_add(stride.wrapping_mul(index)),
                None => scaled = Some((index, stride)),
            }
        }
        let mut address = match self.plan.resolve(base).as_const() {
            Some(base) => {
                let address = base.wrapping_add(offset);
                offset = 0;
                self.word(Opnd::Word(address))
            }
            None => self.word(base),
        };
        if let Some((index, stride)) = scaled {
            let index = self.word(index);
            let index = match stride {
                1 => index,
                _ if stride.is_power_of_two() => {
                    self.b.ins().ishl_imm_u(index, i64::from(stride.trailing_zeros()))
                }
                _ => self.b.ins().imul_imm_s(index, stride as i64),
            };
            address = self.b.ins().iadd(address, index);
        }
        match i32::try_from(offset as i64) {
            Ok(offset) => (address, offset),
            Err(_) => (self.b.ins().iadd_imm_s(address, offset as i64), 0),
        }
    }

    pub(super) fn local_addr(&mut self, inst: &Inst) {
        let byte = self
            .plan
            .resolve(inst.args[0])
            .as_const()
            .expect("a verified address of local memory has a constant");
        let locals = self.b.ins().load(I64, OURS, self.frame, HEADER_LOCALS);
        let address = if byte == 0 { locals } else { self.b.ins().iadd_imm_s(locals, byte as i64) };
        self.define(inst.result(), address);
    }

    pub(super) fn call(&mut self, inst: &Inst) {
        let args: Vec<ir::Value> = inst.args.iter().map(|&arg| self.bits(arg)).collect();
        if self.job.program.call(inst.call()).has(call_flag::CONDITIONAL) {
            let (call, done) = (self.b.create_block(), self.b.create_block());
            self.b.set_cold_block(call);
            self.b.ins().brif(args[0], call, &[], done, &[]);
            self.b.switch_to_block(call);
            self.native_call(inst, &args);
            self.b.ins().jump(done, &[]);
            self.b.switch_to_block(done);
            return;
        }
        let results = self.native_call(inst, &args);
        for (&result, bits) in inst.results.iter().zip(results) {
            self.define_bits(result, bits);
        }
    }

    /// Calls the shim of an operation's call: the bits of its results.
    pub(super) fn native_call(&mut self, inst: &Inst, args: &[ir::Value]) -> Vec<ir::Value> {
        let descr = self.job.program.call(inst.call());
        let shim = self.job.shims[descr.shim as usize];
        let signature = self.shim_signature(args.len());
        let callee = self.b.ins().iconst(I64, shim.0 as i64);
        let args: Vec<ir::Value> = [self.context].into_iter().chain(args.iter().copied()).collect();
        let call = self.b.ins().call_indirect(signature, callee, &args);
        let first = self.b.inst_results(call)[0];
        let results = (0..inst.results.len()).map(|n| {
            let offset = offset_of!(Context, results) + n * 8;
            if n == 0 { first } else { self.b.ins().load(I64, OURS, self.context, offset as i32) }
        });
        results.collect()
    }

    pub(super) fn count_merge_points(&mut self, count: Opnd) {
        let offset = offset_of!(Context, merge_points) as i32;
        let count = self.word(count);
        let before = self.b.ins().load(I64, OURS, self.context, offset);
        let after = self.b.ins().iadd(before, count);
        self.b.ins().store(OURS, after, self.context, offset);
    }
}
