//! The cold part of a trace: what its guards do when they fail.

use super::{Forms, Lowering, OURS, ir_type, slot};
use crate::cells::{CELL_BYTES, CELL_TARGET};
use crate::machine::{self, HEADER_CELL};
use crate::plan::Plan;
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, types::I64};
use cranelift_frontend::FunctionBuilder;
use metatrace_defs::TraceOp;
use metatrace_trace::{DelayedStore, Opnd, SnapshotId, Trace, Value};
use std::collections::HashMap;

/// A store on the way out: the slot and what it gets.
pub(super) type Store = (u32, Opnd);

/// What one or more guards do on the way out.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Work {
    /// Stores to the guest's memory, which come first.
    delayed: Vec<DelayedStore>,
    stores: Vec<Store>,
}

/// The way out of one or more guards.
struct Exit {
    work: Work,
    guards: u32,
    /// Where guards that share the stores meet.
    block: Option<ir::Block>,
}

/// The exits of a trace, collected while its hot part is lowered.
#[derive(Default)]
pub(super) struct Exits {
    /// For each guard its cold block, its number, and its exit.
    guards: Vec<(ir::Block, usize, usize)>,
    exits: Vec<Exit>,
    by_snapshot: HashMap<(SnapshotId, Option<(Value, u64)>), usize>,
    by_work: HashMap<Work, usize>,
    signature: Option<ir::SigRef>,
    /// The exit that all guards share.
    shared: Option<ir::Block>,
}

impl Exits {
    /// Notes a guard, by its cold block and its number in the function, with its snapshot and what is known of a value
    /// where it has failed.
    pub(super) fn add(
        &mut self,
        trace: &Trace,
        plan: &Plan,
        (leave, number): (ir::Block, usize),
        (snapshot, known): (SnapshotId, Option<(Value, u64)>),
    ) {
        let exit = match self.by_snapshot.get(&(snapshot, known)) {
            Some(&exit) => exit,
            None => {
                let handed = trace.handed(snapshot);
                let opnds = handed.into_iter().map(|opnd| in_exit(plan, known, opnd));
                let work =
                    Work { delayed: delayed(trace, plan, snapshot, known), stores: stores(plan, opnds) };
                let next = self.exits.len();
                let exit = *self.by_work.entry(work.clone()).or_insert(next);
                if exit == next {
                    self.exits.push(Exit { work, guards: 0, block: None });
                }
                self.by_snapshot.insert((snapshot, known), exit);
                exit
            }
        };
        self.exits[exit].guards += 1;
        self.guards.push((leave, number, exit));
    }

    /// The signature of traces.
    pub(super) fn signature(&mut self, b: &mut FunctionBuilder) -> ir::SigRef {
        *self.signature.get_or_insert_with(|| b.import_signature(machine::trace_signature()))
    }
}

/// What an operand is in an exit where something may be known of the tested value.
fn in_exit(plan: &Plan, known: Option<(Value, u64)>, opnd: Opnd) -> Opnd {
    match (plan.resolve(opnd), known) {
        (opnd, Some((tested, bits))) if opnd == tested.into() => Opnd::Word(bits),
        (opnd, _) => opnd,
    }
}

/// The stores to the guest's memory that a guard does if it fails.
pub(super) fn delayed(
    trace: &Trace,
    plan: &Plan,
    snapshot: SnapshotId,
    known: Option<(Value, u64)>,
) -> Vec<DelayedStore> {
    let mut stores = trace.snapshots[snapshot.index()].stores.clone();
    for opnd in stores.iter_mut().flat_map(|store| &mut store.args) {
        *opnd = in_exit(plan, known, *opnd);
    }
    stores
}

/// The stores that bring operands into the first slots, without those that are there already.
pub(super) fn stores(plan: &Plan, opnds: impl Iterator<Item = Opnd>) -> Vec<Store> {
    let opnds = opnds.map(|opnd| plan.resolve(opnd));
    let stays = |&(slot, opnd): &Store| opnd.as_value().and_then(|v| plan.home(v)) == Some(slot);
    (0..).zip(opnds).filter(|store| !stays(store)).collect()
}

impl Lowering<'_> {
    /// Emits stores to slots. Inputs are read back from their slots first, before any is overwritten.
    pub(super) fn store(&mut self, stores: &[Store]) {
        let values: Vec<ir::Value> = stores
            .iter()
            .map(|&(_, opnd)| match opnd.as_value().and_then(|value| self.plan.home(value)) {
                Some(home) => self.b.ins().load(I64, OURS, self.frame, slot(home)),
                None => self.constant_or_value(opnd),
            })
            .collect();
        for (&(to, _), value) in stores.iter().zip(values) {
            self.b.ins().store(OURS, value, self.frame, slot(to));
        }
        self.forget_made();
    }

    /// Emits stores to the guest's memory that were delayed.
    pub(super) fn write_delayed(&mut self, stores: &[DelayedStore]) {
        for store in stores {
            for value in store.args.iter().filter_map(|arg| arg.as_value()) {
                self.make_in_exit(value);
            }
            let (base, index, value) = store.parts();
            self.write_at(store.access, base, index, value);
        }
    }

    /// Emits what is done on the way out.
    fn leave(&mut self, work: &Work) {
        self.write_delayed(&work.delayed);
        self.store(&work.stores);
    }

    /// Does what was sunk, for a value that this exit needs.
    pub(super) fn make_in_exit(&mut self, value: Value) {
        if self.forms[value.index()].full.is_some() {
            return;
        }
        if let Some(home) = self.plan.home(value) {
            let ty = ir_type(self.job.trace.kind(value.into()));
            let loaded = self.b.ins().load(ty, OURS, self.frame, slot(home));
            self.define(value, loaded);
        } else if let Some(at) = self.plan.sunk(value) {
            let inst = &self.job.trace.insts[at];
            for &arg in &inst.args {
                if let Opnd::Value(arg) = self.plan.resolve(arg) {
                    self.make_in_exit(arg);
                }
            }
            let TraceOp::Pure(op) = inst.op else { panic!("{} was sunk", inst.op) };
            self.pure(op, &inst.args, value);
        }
        self.made_in_exit.push(value);
    }

    /// Ends an exit: what was made in it is not there in another.
    pub(super) fn forget_made(&mut self) {
        for value in std::mem::take(&mut self.made_in_exit) {
            self.forms[value.index()] = Forms::default();
        }
    }

    fn constant_or_value(&mut self, opnd: Opnd) -> ir::Value {
        match opnd {
            Opnd::Value(value) => {
                self.make_in_exit(value);
                self.full(value)
            }
            Opnd::Word(bits) | Opnd::Float(bits) => self.b.ins().iconst(I64, bits as i64),
        }
    }

    /// Emits the cold blocks of a trace's guards, and what they share.
    pub(super) fn emit_exits(&mut self) {
        let guards = std::mem::take(&mut self.exits.guards);
        if guards.is_empty() {
            return;
        }
        let mut exits = std::mem::take(&mut self.exits.exits);
        self.exits.by_snapshot.clear();
        self.exits.by_work.clear();
        let shared = match self.exits.shared {
            Some(shared) => shared,
            None => {
                let shared = self.cold_block_with_cell();
                self.emit_shared_exit(shared);
                *self.exits.shared.insert(shared)
            }
        };
        for (leave, n, exit) in guards {
            let exit = &mut exits[exit];
            self.b.switch_to_block(leave);
            let to = if exit.work.stores.is_empty() && exit.work.delayed.is_empty() {
                shared
            } else if exit.guards == 1 {
                self.leave(&exit.work);
                shared
            } else {
                *exit.block.get_or_insert_with(|| self.cold_block_with_cell())
            };
            let cell = self.b.ins().iconst(I64, (n * CELL_BYTES) as i64);
            self.b.ins().jump(to, &[BlockArg::Value(cell)]);
        }
        for exit in exits {
            if let Some(block) = exit.block {
                self.b.switch_to_block(block);
                self.leave(&exit.work);
                let cell = self.b.block_params(block)[0];
                self.b.ins().jump(shared, &[BlockArg::Value(cell)]);
            }
        }
    }

    /// A cold block whose parameter is the offset of the failing guard's cell from the first.
    fn cold_block_with_cell(&mut self) -> ir::Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        self.b.append_block_param(block, I64);
        block
    }

    fn emit_shared_exit(&mut self, shared: ir::Block) {
        self.b.switch_to_block(shared);
        let offset = self.b.block_params(shared)[0];
        let cells = self.b.ins().iconst(I64, self.env.cells as i64);
        let cell = self.b.ins().iadd(cells, offset);
        self.b.ins().store(OURS, cell, self.frame, HEADER_CELL);
        let target = self.b.ins().load(I64, OURS, cell, CELL_TARGET);
        self.continue_at(target);
    }
}
