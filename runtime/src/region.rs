//! Compiling connected trees as one.
//!
//! In: a target at which compiled code was left because jumps between traces were frequent. Out: the target's tree, the trees that
//! it jumps into and those that jump into it, and so on, nearest first and up to a limit of operations, compiled as one
//! function that replaces their code. Trees of a region stay together: where one is compiled anew, all are.
//!
//! Calls between traces count as crossings into what is called: a function's trace and its bridges become one, too.
//!
//! Crossings are sampled: every so many end up here, and all of them are put down to the tree that was jumped to. Trees
//! are compiled when the crossings put down to them since the last time would pay for compiling their operations, so that the
//! time spent here is in proportion to what crossings cost. Trees to which nothing was put down are left out. Nothing depends on
//! time: the same crossings lead to the same regions.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;
use std::time::Instant;

use metatrace_backend::{CodeId, Part as PartJob, PartStart, Region as RegionJob};
use metatrace_defs::TraceOp;
use metatrace_optimizer::region as optimizer;
use metatrace_trace::{GuardId, TargetId};

use crate::compile::log_trace;
use crate::entry::Place;
use crate::rt::Context;
use crate::vm::stats::add;
use crate::vm::tables::{Part, Region, Tables, TreeId, WordMap, show_constants};
use crate::vm::{self, VmState};

/// The trees to compile as one.
#[derive(Default)]
struct Connected {
    trees: Vec<TreeId>,
    parts: Vec<Rc<Part>>,
    operations: usize,
    /// The crossings put down to them.
    crossings: u64,
    /// How many parts no region has.
    fresh: usize,
}

/// Compiled code was left at a jump to a target: what to run to go on.
pub fn crossed(vm: &VmState, target: TargetId) -> CodeId {
    // SAFETY: the context is this VM's, and no reference to it is held.
    unsafe { (*vm.context()).crossings = vm.options.params.region_threshold };
    let tables = &mut *vm.tables.borrow_mut();
    let (tree, _) = tables.target(target);
    look(vm, tables, tree, 2);
    tables.target(target).1
}

/// What [`Context::sample`](metatrace_backend::Context::sample) is: compiled code calls compiled code often.
///
/// # Safety
/// The context must be that of the current VM.
pub unsafe extern "C" fn sample(_: *mut Context, entry: u64) {
    let vm = vm::current();
    wait_for_calls(&vm);
    let tables = &mut *vm.tables.borrow_mut();
    if let Some(tree) = tables.called(TargetId(entry as u32)) {
        look(&vm, tables, tree, 1);
    }
}

/// Puts the crossings since the last look down to a tree, and compiles it with what is connected if that pays and has at least
/// so many parts.
fn look(vm: &VmState, tables: &mut Tables, tree: TreeId, parts: usize) {
    let params = &vm.options.params;
    // The code that was left may have become invalid while it ran.
    let Some(sampled) = tables.tree(tree) else { return };
    sampled.crossings += params.region_threshold;
    let place = &Place::new(sampled.home);
    let connected = connected(tables, tree, params.region_limit as usize);
    let price = (connected.operations as u64).saturating_mul(params.region_cost);
    if connected.fresh > 0 && connected.parts.len() >= parts && connected.crossings >= price {
        compile(vm, place, tables, connected);
    }
}

/// Lets compiled code run until it has crossed from trace to trace often, or called.
pub fn wait(vm: &VmState) {
    // SAFETY: the context is this VM's, and no reference to it is held.
    unsafe { (*vm.context()).crossings = vm.options.params.region_threshold };
    wait_for_calls(vm);
}

fn wait_for_calls(vm: &VmState) {
    // SAFETY: as above.
    let context = unsafe { &mut *vm.context() };
    context.calls += vm.options.params.region_threshold;
    context.calls_left = vm.options.params.region_threshold;
}

fn connected(tables: &mut Tables, first: TreeId, limit: usize) -> Connected {
    let mut found = Connected::default();
    let mut seen = HashSet::from([first]);
    let mut next = VecDeque::from([first]);
    while let Some(id) = next.pop_front() {
        if found.trees.contains(&id) {
            continue;
        }
        let region = tables.tree(id).and_then(|tree| tree.region);
        let together = match region {
            Some(region) => tables.region(region).trees.clone(),
            None => vec![id],
        };
        let together: Vec<TreeId> = together.into_iter().filter(|&id| tables.tree(id).is_some()).collect();
        let mut parts = vec![];
        let mut neighbours = vec![];
        let (mut fresh, mut crossings) = (0, 0);
        for &id in &together {
            let tree = tables.tree(id).expect("a valid tree");
            parts.extend(tree.parts.iter().cloned());
            fresh += tree.parts.len() - tree.merged;
            crossings += tree.crossings;
            neighbours.extend(tree.jumped_from.iter().copied());
        }
        let size: usize = parts.iter().map(|part| part.trace.insts.len()).sum();
        if found.operations + size > limit {
            continue;
        }
        found.operations += size;
        found.crossings += crossings;
        found.fresh += fresh;
        let ends = parts.iter().filter_map(|part| part.trace.insts.last());
        for target in ends.filter(|inst| inst.op == TraceOp::Jump).map(|inst| inst.target()) {
            neighbours.extend(tables.find_target(target));
        }
        found.trees.extend(together);
        found.parts.extend(parts);
        neighbours.retain(|&id| {
            tables.tree(id).is_some_and(|tree| tree.crossings > 0 || tree.region.is_some()) && seen.insert(id)
        });
        next.extend(neighbours);
    }
    found
}

/// The parts, optimised together.
fn optimised(vm: &VmState, place: &Place, parts: &[Rc<Part>]) -> Vec<Part> {
    let mut guards: WordMap<GuardId, (usize, usize)> = WordMap::default();
    for (n, part) in parts.iter().enumerate() {
        guards.extend(part.guards.iter().enumerate().map(|(guard, &id)| (id, (n, guard))));
    }
    let sources: Vec<optimizer::Part> = (parts.iter())
        .map(|part| {
            let start = match part.start {
                PartStart::Entry(_) => optimizer::Start::Entry,
                PartStart::Guard(id) => {
                    let (of, guard) = guards[&id];
                    optimizer::Start::Guard(of, guard)
                }
            };
            optimizer::Part { trace: &part.trace, start }
        })
        .collect();
    let began = Instant::now();
    let (joined, counts) = optimizer::optimise_region(&place.loaded.program, &sources, Some(0));
    vm.shared.counters.optimised(&counts);
    add(&vm.shared.counters.optimising, began.elapsed().as_nanos() as u64);
    let joined = joined.into_iter().map(|joined| {
        let part = &parts[joined.part];
        let guards = joined.guards.iter().map(|&guard| part.guards[guard]).collect();
        let _constants = show_constants(&joined.trace);
        Part { trace: joined.trace, guards, start: part.start, _constants }
    });
    joined.collect()
}

fn compile(vm: &VmState, place: &Place, tables: &mut Tables, connected: Connected) {
    let counters = &vm.shared.counters;
    let joined =
        if vm.options.params.optimise == 1 { optimised(vm, place, &connected.parts) } else { vec![] };
    let sources: Vec<&Part> = if joined.is_empty() {
        connected.parts.iter().map(|part| &**part).collect()
    } else {
        joined.iter().collect()
    };
    for part in &sources {
        let title = match part.start {
            PartStart::Entry(target) => format!("in a region, from {target}"),
            PartStart::Guard(guard) => format!("in a region, bridge of {guard}"),
        };
        log_trace(place, &title, &part.trace);
    }
    let parts: Vec<PartJob> = (sources.iter())
        .map(|part| PartJob { trace: &part.trace, guards: &part.guards, start: part.start })
        .collect();
    let program = &place.loaded.program;
    let began = Instant::now();
    let compiled =
        vm.backend.compile_region(&RegionJob { program, shims: place.loaded.shims, parts: &parts });
    add(&counters.code_generation, began.elapsed().as_nanos() as u64);
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(reason) => return counters.abort(reason),
    };
    add(&counters.regions, 1);
    add(&counters.code_bytes, compiled.bytes as u64);
    let replaced = tables.new_region(Region {
        code: compiled.entries[0].1,
        trees: connected.trees,
        bytes: compiled.bytes,
    });
    for (target, code) in compiled.entries {
        let (tree, _) = tables.target(target);
        if let Some(cell) = tables.set_target(target, tree, code) {
            vm.tell_callers(&cell);
        }
    }
    replaced.into_iter().for_each(|code| vm.backend.free(code));
}
