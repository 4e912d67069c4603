//! Several traces as one function.
//!
//! Every trace with an entry has a *head*: a block whose parameters are its inputs. Jumps to it are jumps; from outside it is
//! reached through the function's first block, which reads all inputs from their slots and goes on at the head that the
//! frame's header selects. A trace that starts at a guard is reached by that guard's branch alone, so it uses the values of the
//! guard's trace as they are. What is the same at all jumps to a head, Cranelift finds.
//!
//! Values have no slots while the code runs: exits store all that they hand over.

use super::{Environment, Forms, Lowering, OURS, exits, ir_type, slot};
use crate::machine::HEADER_SELECTOR;
use crate::plan::Plan;
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, types::I64};
use cranelift_frontend::{FunctionBuilderContext, Switch};
use metatrace_backend::{Job, PartStart};
use metatrace_defs::Kind;
use metatrace_trace::{Inst, Opnd};
use std::collections::HashMap;

/// Where a trace that starts at a guard starts, and its inputs there.
pub(super) struct Bridge {
    block: ir::Block,
    inputs: Vec<Input>,
}

enum Input {
    Value(Forms),
    Constant(Opnd),
}

/// Builds the function of a region, whose cells are in the order of its guards.
///
/// # Panics
/// If a trace jumps to an entry that is not there, or starts at a guard that no trace before it has.
pub(crate) fn build_region<'a>(
    jobs: &'a [Job<'a>],
    starts: &[PartStart],
    env: &'a Environment<'a>,
    function: &'a mut ir::Function,
    builder_context: &'a mut FunctionBuilderContext,
) {
    let mut lowering = Lowering::begin(&jobs[0], env, Plan::in_region(&jobs[0]), function, builder_context);
    lowering.find_aliases(jobs);
    lowering.make_heads(jobs, starts);
    for (job, &start) in jobs.iter().zip(starts) {
        lowering.start_part(job, start);
        lowering.insts();
        lowering.emit_exits();
    }
    lowering.end();
}

impl<'a> Lowering<'a> {
    /// Makes the heads, and the way to them from outside.
    fn make_heads(&mut self, jobs: &[Job], starts: &[PartStart]) {
        let mut loaded: HashMap<(usize, Kind), ir::Value> = HashMap::new();
        let mut ways: Vec<(ir::Block, ir::Block, Vec<BlockArg>)> = vec![];
        for (job, &start) in jobs.iter().zip(starts) {
            let target = match start {
                PartStart::Entry(target) => target,
                PartStart::Guard(guard) => {
                    self.bridges.insert(guard, None);
                    continue;
                }
            };
            let (way, head) = (self.b.create_block(), self.b.create_block());
            let mut args = vec![];
            for (n, &input) in job.trace.inputs.iter().enumerate() {
                let kind = job.trace.kind(input.into());
                self.b.append_block_param(head, ir_type(kind));
                let value = *loaded
                    .entry((n, kind))
                    .or_insert_with(|| self.b.ins().load(ir_type(kind), OURS, self.frame, slot(n as u32)));
                args.push(BlockArg::Value(value));
            }
            self.heads.insert(target, head);
            ways.push((way, head, args));
        }
        let (&(first, ..), others) = ways.split_first().expect("a region has an entry");
        if others.is_empty() {
            self.b.ins().jump(first, &[]);
        } else {
            let selector = self.b.ins().load(I64, OURS, self.frame, HEADER_SELECTOR);
            let mut switch = Switch::new();
            for (n, &(way, ..)) in others.iter().enumerate() {
                switch.set_entry(n as u128 + 1, way);
            }
            switch.emit(&mut self.b, selector, first);
        }
        for (way, head, args) in ways {
            self.b.switch_to_block(way);
            self.b.ins().jump(head, &args);
        }
    }

    fn start_part(&mut self, job: &'a Job<'a>, start: PartStart) {
        self.job = job;
        self.plan = Plan::in_region(job);
        self.forms = vec![Forms::default(); job.trace.values.len()];
        self.checked.clear();
        self.first_guard = self.next_guard;
        self.head = None;
        self.find_checked();
        let inputs = &job.trace.inputs;
        match start {
            PartStart::Entry(target) => {
                let head = self.heads[&target];
                self.b.switch_to_block(head);
                for (n, &input) in inputs.iter().enumerate() {
                    self.forms[input.index()].full = Some(self.b.block_params(head)[n]);
                }
            }
            PartStart::Guard(guard) => {
                let bridge = self.bridges.get_mut(&guard).and_then(Option::take);
                let bridge = bridge.unwrap_or_else(|| panic!("no part before has {guard}"));
                self.b.switch_to_block(bridge.block);
                for (&input, form) in inputs.iter().zip(bridge.inputs) {
                    self.forms[input.index()] = match form {
                        Input::Value(forms) => forms,
                        Input::Constant(opnd) => Forms { full: Some(self.any(opnd)), short: None },
                    };
                }
            }
        }
    }

    /// If a trace of the region starts at a guard: notes that it starts at `leave`.
    pub(super) fn start_bridge(&mut self, inst: &Inst, leave: ir::Block) -> bool {
        if self.bridges.is_empty() {
            return false;
        }
        let guard = self.job.guards[self.next_guard - self.first_guard - 1];
        if !self.bridges.contains_key(&guard) {
            return false;
        }
        let snapshot = inst.snapshot.expect("a verified guard has a snapshot");
        let known = self.plan.known_in_exit(self.job.trace, inst);
        let block = self.b.create_block();
        self.b.switch_to_block(leave);
        let stores = exits::delayed(self.job.trace, &self.plan, snapshot, known);
        self.write_delayed(&stores);
        let mut inputs = vec![];
        for opnd in self.job.trace.handed(snapshot) {
            inputs.push(match (self.plan.resolve(opnd), known) {
                (Opnd::Value(value), Some((tested, bits))) if value == tested => {
                    Input::Constant(Opnd::Word(bits))
                }
                (Opnd::Value(value), _) => {
                    if self.plan.sunk(value).is_some() {
                        self.make_in_exit(value);
                    }
                    Input::Value(self.forms[value.index()])
                }
                (constant, _) => Input::Constant(constant),
            });
        }
        self.b.ins().jump(block, &[]);
        self.forget_made();
        self.bridges.insert(guard, Some(Bridge { block, inputs }));
        true
    }
}
