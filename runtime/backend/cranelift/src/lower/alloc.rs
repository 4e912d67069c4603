//! Allocation, and what the collector wants to know of stores.
//!
//! Objects of the collected heap whose size is known are allocated inline: the cursor of their class advances, the header is
//! written, and the words are made 0 that are not written before the collector may look at them. Where the cursor comes to its
//! limit, cold code calls [`alloc::allocate`], or [`alloc::make`], through a stub that preserves all registers, so that the hot
//! code keeps what it has in them. Only in that stub can something become pending: a `guard_not_pending` directly behind the
//! allocation stands there too. Plain memory that is given back is kept inline for who takes as much next, within limits
//! ([`Spare`]).

use super::{GUEST, Lowering, OURS};
use crate::machine;
use cranelift_codegen::ir::{self, InstBuilder, condcodes::IntCC, types::I64};
use cranelift_codegen::isa::CallConv;
use metatrace_backend::Context;
use metatrace_backend::alloc::{self, Allocator, Site, Spare, SpareList};
use metatrace_defs::alloc::Memory;
use metatrace_defs::{Alloc, TraceOp};
use metatrace_trace::{Inst, Opnd, Value};
use std::mem::offset_of;

/// Objects with more words than this are not made 0 inline.
const MAX_CLEARED: u64 = 64;

impl Lowering<'_> {
    /// The allocation at a place in the trace: whether the guard behind it was lowered with it.
    pub(super) fn allocate(&mut self, at: usize) -> bool {
        let job = self.job;
        let inst = &job.trace.insts[at];
        let descr = job.program.alloc(inst.alloc());
        let is_new = matches!(inst.op, TraceOp::New | TraceOp::NewArray);
        if matches!(inst.op, TraceOp::New | TraceOp::Make)
            && let Memory::Collected { header } = descr.memory
            && descr.size.get() <= MAX_CLEARED * 8
            && let Some(site) = self.env.heap.and_then(|heap| (heap.site)(header.get(), descr.size.get()))
        {
            return self.allocate_inline(at, descr, header.get(), &site);
        }
        let length = inst.args.first().copied().unwrap_or(Opnd::Word(0));
        let address = match descr.memory {
            Memory::Plain { align } if descr.elements.is_none_or(|elements| elements.length.is_none()) => {
                let bytes = self.bytes(descr, length);
                self.allocate_plain(descr, length, bytes, align.get())
            }
            _ => {
                let args = [self.descriptor(descr), self.word(length)];
                let function = if is_new { alloc::allocate } else { alloc::make };
                let callee = self.b.ins().iconst(I64, function as *const () as i64);
                self.call_address(callee, &args)
            }
        };
        self.define(inst.result(), address);
        false
    }

    fn allocate_inline(&mut self, at: usize, descr: &Alloc, header: u64, site: &Site) -> bool {
        let job = self.job;
        let inst = &job.trace.insts[at];
        let guard = job.trace.insts.get(at + 1).filter(|next| next.op == TraceOp::GuardNotPending);
        let (fast, slow, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let object = self.b.append_block_param(done, I64);
        let heap = self.load(self.context, offset_of!(Context, heap) as i32);
        let cursor = self.load(heap, site.cursor);
        let limit = self.load(heap, site.limit);
        let next = self.b.ins().iadd_imm_s(cursor, site.cell_bytes);
        let is_full = self.b.ins().icmp(IntCC::UnsignedGreaterThan, next, limit);
        self.b.ins().brif(is_full, slow, &[], fast, &[]);
        self.b.set_cold_block(slow);

        self.b.switch_to_block(fast);
        self.b.ins().store(OURS, next, heap, site.cursor);
        let header = self.b.ins().iconst(I64, header as i64);
        self.b.ins().store(GUEST, header, cursor, 0);
        let zero = self.b.ins().iconst(I64, 0);
        for word in self.unwritten(at, descr.size.get().div_ceil(8), guard.is_some()) {
            self.b.ins().store(GUEST, zero, cursor, site.header_bytes + word * 8);
        }
        let made = self.b.ins().iadd_imm_s(cursor, i64::from(site.header_bytes));
        self.b.ins().jump(done, &[made.into()]);

        self.b.switch_to_block(slow);
        let is_made = u64::from(inst.op == TraceOp::Make);
        let descriptor = self.b.ins().iconst(I64, (std::ptr::from_ref(descr) as u64 | is_made) as i64);
        let b = &mut self.b;
        let signature = *self
            .slow_signature
            .get_or_insert_with(|| b.import_signature(machine::slow_signature(CallConv::PreserveAll)));
        let stub = self.b.ins().iconst(I64, self.env.allocate_slow as i64);
        self.b.ins().call_indirect(signature, stub, &[self.context, descriptor]);
        let made = self.load(self.context, offset_of!(Context, results) as i32);
        if let Some(guard) = guard {
            self.guard(guard, |this| (this.load(this.context, offset_of!(Context, pending) as i32), false));
            if let Some(block) = self.b.current_block() {
                self.b.set_cold_block(block);
            }
        }
        self.b.ins().jump(done, &[made.into()]);

        self.b.switch_to_block(done);
        self.define(inst.result(), object);
        guard.is_some()
    }

    /// The words of an object, allocated at a place in the trace, that the trace does not write before the collector may look
    /// at it.
    fn unwritten(&self, at: usize, words: u64, has_guard: bool) -> Vec<i32> {
        let insts = &self.job.trace.insts;
        let object: Value = insts[at].result();
        let mut missing = vec![true; words as usize];
        for inst in insts.iter().skip(at + 1 + usize::from(has_guard)) {
            match inst.op {
                TraceOp::SetField if inst.args[0] == Opnd::Value(object) => {
                    let access = self.job.program.access(inst.access());
                    let offset = access.offset.get();
                    if access.scalar.bytes() == 8
                        && offset % 8 == 0
                        && let Some(word) = missing.get_mut(offset as usize / 8)
                    {
                        *word = false;
                    }
                }
                TraceOp::Pure(_)
                | TraceOp::SetField
                | TraceOp::SetElem
                | TraceOp::GetField
                | TraceOp::GetFieldFrozen
                | TraceOp::GetElem
                | TraceOp::GetElemFrozen
                | TraceOp::InteriorField
                | TraceOp::InteriorElem
                | TraceOp::LocalAddr
                | TraceOp::Make
                | TraceOp::MakeArray
                | TraceOp::Barrier
                | TraceOp::CountMergePoints => {}
                _ => break,
            }
        }
        (0..).zip(missing).filter_map(|(word, missing)| missing.then_some(word)).collect()
    }

    fn load(&mut self, base: ir::Value, offset: i32) -> ir::Value {
        self.b.ins().load(I64, OURS, base, offset)
    }

    fn descriptor(&mut self, descr: &Alloc) -> ir::Value {
        self.b.ins().iconst(I64, std::ptr::from_ref(descr) as i64)
    }

    /// Calls a function of the context's allocator, at so many bytes in it, with words after the context.
    fn call_allocator(&mut self, function: usize, args: &[ir::Value]) -> ir::Value {
        let callee = self.load(self.context, (offset_of!(Context, allocator) + function) as i32);
        self.call_address(callee, args)
    }

    fn call_address(&mut self, callee: ir::Value, args: &[ir::Value]) -> ir::Value {
        let signature = self.shim_signature(args.len());
        let args: Vec<ir::Value> = std::iter::once(self.context).chain(args.iter().copied()).collect();
        let call = self.b.ins().call_indirect(signature, callee, &args);
        self.b.inst_results(call)[0]
    }

    pub(super) fn release(&mut self, inst: &Inst) {
        let descr = self.job.program.alloc(inst.alloc());
        let Memory::Plain { align } = descr.memory else {
            panic!("an object of the collected heap is given back")
        };
        let length = inst.args.get(1).copied().unwrap_or(Opnd::Word(0));
        let (address, bytes) = (self.word(inst.args[0]), self.bytes(descr, length));
        let (call, done) = (self.b.create_block(), self.b.create_block());
        if let Some(list) = self.spare_list(descr, length, bytes, align.get(), call) {
            let count = self.load(list, 0);
            let most = self.load(self.context, (offset_of!(Context, spare) + offset_of!(Spare, most)) as i32);
            let has_room = self.b.ins().icmp(IntCC::UnsignedLessThan, count, most);
            let keep = self.b.create_block();
            self.b.set_cold_block(call);
            self.b.ins().brif(has_room, keep, &[], call, &[]);
            self.b.switch_to_block(keep);
            let more = self.b.ins().iadd_imm_s(count, 1);
            let at = self.b.ins().ishl_imm_u(more, 3);
            let at = self.b.ins().iadd(list, at);
            self.b.ins().store(OURS, address, at, 0);
            self.b.ins().store(OURS, more, list, 0);
            self.b.ins().jump(done, &[]);
        } else {
            self.b.ins().jump(call, &[]);
        }
        self.b.switch_to_block(call);
        let align = self.word(Opnd::Word(align.get()));
        self.call_allocator(offset_of!(Allocator, free), &[address, bytes, align]);
        self.b.ins().jump(done, &[]);
        self.b.switch_to_block(done);
    }

    /// Plain memory: a block that was given back, or a new one.
    fn allocate_plain(&mut self, descr: &Alloc, length: Opnd, bytes: ir::Value, align: u64) -> ir::Value {
        let (call, done) = (self.b.create_block(), self.b.create_block());
        let made = self.b.append_block_param(done, I64);
        if let Some(list) = self.spare_list(descr, length, bytes, align, call) {
            let count = self.load(list, 0);
            let take = self.b.create_block();
            self.b.set_cold_block(call);
            self.b.ins().brif(count, take, &[], call, &[]);
            self.b.switch_to_block(take);
            let at = self.b.ins().ishl_imm_u(count, 3);
            let at = self.b.ins().iadd(list, at);
            let block = self.load(at, 0);
            let less = self.b.ins().iadd_imm_s(count, -1);
            self.b.ins().store(OURS, less, list, 0);
            self.b.ins().jump(done, &[block.into()]);
        } else {
            self.b.ins().jump(call, &[]);
        }
        self.b.switch_to_block(call);
        let align = self.word(Opnd::Word(align));
        let address = self.call_allocator(offset_of!(Allocator, plain), &[bytes, align]);
        self.b.ins().jump(done, &[address.into()]);
        self.b.switch_to_block(done);
        made
    }

    /// Where the list of the blocks of a size stands that may be kept; nothing if no object of the descriptor may. Goes to `other`
    /// if it is found out only then that this one may not.
    fn spare_list(
        &mut self,
        descr: &Alloc,
        length: Opnd,
        bytes: ir::Value,
        align: u64,
        other: ir::Block,
    ) -> Option<ir::Value> {
        const LIST: u64 = size_of::<SpareList>() as u64;
        const MOST_BYTES: u64 = Spare::LISTS as u64 * Spare::ALIGN;
        // A list has as many bytes as a power of 2 units: sizes become places by a shift.
        const SHIFT: i64 = (LIST / Spare::ALIGN).trailing_zeros() as i64;
        const { assert!((LIST / Spare::ALIGN).is_power_of_two() && offset_of!(SpareList, count) == 0) };
        let lists = (offset_of!(Context, spare) + offset_of!(Spare, lists)) as u64;
        // That of the objects without bytes, which have none.
        let before_first = lists as i64 - LIST as i64;
        if let (Opnd::Value(_), Some(elements)) = (length, descr.elements) {
            if !Spare::keeps(elements.stride.get() | descr.size.get(), align) {
                return None;
            }
            let before = self.b.ins().iadd_imm_s(bytes, -1);
            let is_small = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, before, MOST_BYTES as i64);
            let small = self.b.create_block();
            self.b.ins().brif(is_small, small, &[], other, &[]);
            self.b.switch_to_block(small);
            let place = self.b.ins().ishl_imm_u(bytes, SHIFT);
            let place = self.b.ins().iadd(self.context, place);
            return Some(self.b.ins().iadd_imm_s(place, before_first));
        }
        let bytes = descr.bytes(length.as_const().unwrap_or(0));
        let keeps = Spare::keeps(bytes, align) && (1..=MOST_BYTES).contains(&bytes);
        keeps.then(|| self.b.ins().iadd_imm_s(self.context, before_first + (bytes << SHIFT) as i64))
    }

    /// The bytes of an object with so many elements. There can be such an object.
    fn bytes(&mut self, descr: &Alloc, length: Opnd) -> ir::Value {
        match (length, descr.elements) {
            (Opnd::Value(_), Some(elements)) => {
                let length = self.word(length);
                let bytes = self.b.ins().imul_imm_s(length, elements.stride.get() as i64);
                self.b.ins().iadd_imm_s(bytes, descr.size.get() as i64)
            }
            _ => self.word(Opnd::Word(descr.bytes(length.as_const().unwrap_or(0)))),
        }
    }

    pub(super) fn barrier(&mut self, address: Opnd) {
        let address = self.word(address);
        let Some(inline) = self.env.heap else {
            self.call_allocator(offset_of!(Allocator, barrier), &[address]);
            return;
        };
        let (inside, after) = (self.b.create_block(), self.b.create_block());
        let heap = self.load(self.context, offset_of!(Context, heap) as i32);
        let (base, bytes) = (self.load(heap, inline.base), self.load(heap, inline.bytes));
        let offset = self.b.ins().isub(address, base);
        let is_inside = self.b.ins().icmp(IntCC::UnsignedLessThan, offset, bytes);
        self.b.ins().brif(is_inside, inside, &[], after, &[]);
        self.b.switch_to_block(inside);
        let cards = self.load(heap, inline.cards);
        let card = self.b.ins().ushr_imm_u(offset, inline.card_shift);
        let card = self.b.ins().iadd(cards, card);
        let one = self.b.ins().iconst(I64, 1);
        self.b.ins().istore8(OURS, one, card, 0);
        self.b.ins().jump(after, &[]);
        self.b.switch_to_block(after);
    }
}

/// Allocates an object without elements, and leaves its address where the first result of calls would be. The lowest bit beside the
/// descriptor's address tells that it is to be made without collecting.
///
/// # Safety
/// As for [`alloc::allocate`].
pub(crate) unsafe extern "C" fn allocate_slow(context: *mut Context, descr: *const Alloc) {
    let allocate = if descr.addr() & 1 == 0 { alloc::allocate } else { alloc::make };
    // SAFETY: the caller vouches for it; nothing else refers to the context meanwhile.
    unsafe { (*context).results[0] = allocate(context, descr.map_addr(|address| address & !1), 0) };
}
