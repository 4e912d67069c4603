//! Makes finished graphs small: jitcode is as long as they are.
//!
//! In: a graph whose blocks may be unreachable. Out: a graph that computes the same, with only reachable blocks, no
//! parameter that always has one value, no block that only jumps (but for those that the merge point's rules need), no
//! branch on a constant, no operation without effect whose result is unused, constants where they are used, calls
//! instead of invocations whose clean-up does nothing, and values and blocks numbered without gaps.

use crate::flow::verify::postorder;
use crate::flow::{Block, BlockId, Graph, Op, OpKind, Target, Terminator, ValueId};
use std::collections::HashMap;

/// Replaces every value by what `replaced` says, and drops parameters that were replaced with their arguments.
pub fn replace_values(graph: &mut Graph, replaced: &[ValueId]) {
    let keep: Vec<Vec<bool>> = graph
        .blocks
        .iter()
        .map(|block| block.params.iter().map(|&p| replaced[p.index()] == p).collect())
        .collect();
    for (index, block) in graph.blocks.iter_mut().enumerate() {
        if index > 0 {
            let mut kept = keep[index].iter();
            block.params.retain(|_| kept.next() == Some(&true));
        }
        for op in &mut block.ops {
            op.kind.map_uses(&mut |v| *v = replaced[v.index()]);
        }
        // An invocation's result is a parameter without argument, and is never replaced.
        for target in block.term.targets_mut() {
            let mut kept = keep[target.block.index()].iter();
            target.args.retain(|_| kept.next() != Some(&false));
        }
        block.term.map_uses(&mut |v| *v = replaced[v.index()]);
    }
}

/// Enough for every graph; a bound in case two steps undo each other.
const MAX_ROUNDS: usize = 100;

/// Simplifies until nothing changes, and numbers anew.
pub fn run(graph: &mut Graph) {
    for _ in 0..MAX_ROUNDS {
        let mut changed = fold_branches(graph);
        drop_unreachable(graph);
        changed |= trivial_params(graph);
        changed |= thread_jumps(graph);
        changed |= simplify_invokes(graph);
        changed |= merge_blocks(graph);
        changed |= unused(graph);
        if !changed {
            break;
        }
    }
    place_constants(graph);
    renumber(graph);
}

fn constants(graph: &Graph) -> HashMap<ValueId, u64> {
    let ops = graph.blocks.iter().flat_map(|b| &b.ops);
    ops.filter_map(|op| match (op.result, &op.kind) {
        (Some(result), OpKind::Const(bits)) => Some((result, *bits)),
        _ => None,
    })
    .collect()
}

fn fold_branches(graph: &mut Graph) -> bool {
    let constants = constants(graph);
    let mut changed = false;
    for block in &mut graph.blocks {
        let target = match &block.term {
            Terminator::If(_, yes, no) if yes == no => yes.clone(),
            Terminator::If(value, yes, no) => match constants.get(value) {
                Some(0) => no.clone(),
                Some(_) => yes.clone(),
                None => continue,
            },
            Terminator::Switch { value, cases, default } => {
                let found = constants.get(value).map(|bits| cases.iter().find(|(case, _)| case == bits));
                match (found, default, &cases[..]) {
                    (Some(Some((_, target))), ..) => target.clone(),
                    (Some(None), Some(default), _) => default.clone(),
                    (None, None, [(_, only)]) => only.clone(),
                    (None, Some(default), []) => default.clone(),
                    _ => continue,
                }
            }
            _ => continue,
        };
        block.term = Terminator::Goto(target);
        changed = true;
    }
    changed
}

/// Empties blocks that cannot be reached; [`renumber`] removes them.
fn drop_unreachable(graph: &mut Graph) {
    let mut reached = vec![false; graph.blocks.len()];
    for block in postorder(graph) {
        reached[block.index()] = true;
    }
    for (block, _) in graph.blocks.iter_mut().zip(&reached).filter(|(_, reached)| !**reached) {
        block.ops.clear();
        block.params.clear();
        block.term = Terminator::Unreachable;
    }
}

/// What a value is replaced with in the end.
fn resolve(replaced: &[ValueId], mut value: ValueId) -> ValueId {
    while replaced[value.index()] != value {
        value = replaced[value.index()];
    }
    value
}

/// Which block's parameter, and the arguments it gets.
fn trivial_params(graph: &mut Graph) -> bool {
    let mut args: Vec<Vec<ValueId>> = vec![Vec::new(); graph.values.len()];
    for block in &graph.blocks {
        for target in block.term.targets() {
            // The result of an invocation comes after the arguments, and has none.
            let params = &graph.blocks[target.block.index()].params;
            for (&param, &arg) in params.iter().zip(&target.args) {
                args[param.index()].push(arg);
            }
        }
    }
    let mut replaced: Vec<ValueId> = (0..graph.values.len()).map(ValueId::new).collect();
    let mut changed = false;
    loop {
        let mut again = false;
        for block in graph.blocks.iter().skip(1) {
            for &param in &block.params {
                if replaced[param.index()] != param {
                    continue;
                }
                let mut others =
                    args[param.index()].iter().map(|&a| resolve(&replaced, a)).filter(|&a| a != param);
                let Some(first) = others.next() else { continue };
                if others.all(|other| other == first) {
                    replaced[param.index()] = first;
                    again = true;
                }
            }
        }
        if !again {
            break;
        }
        changed = true;
    }
    if changed {
        let all: Vec<ValueId> = (0..replaced.len()).map(|n| resolve(&replaced, ValueId::new(n))).collect();
        replace_values(graph, &all);
    }
    changed
}

/// The target after an empty block that only jumps on, with the arguments for it.
fn next_target(graph: &Graph, target: &Target) -> Option<Target> {
    let block = &graph.blocks[target.block.index()];
    let Terminator::Goto(next) = &block.term else { return None };
    if !block.ops.is_empty() || next.block == target.block || block.params.len() != target.args.len() {
        return None;
    }
    // The block's parameters must not be used elsewhere.
    let substitute = |v: &ValueId| match block.params.iter().position(|p| p == v) {
        Some(n) => target.args[n],
        None => *v,
    };
    Some(Target { block: next.block, args: next.args.iter().map(substitute).collect() })
}

/// Parameters that are used outside their own block.
fn escaping_params(graph: &Graph) -> Vec<bool> {
    let mut home = vec![None; graph.values.len()];
    for (index, block) in graph.blocks.iter().enumerate() {
        for param in &block.params {
            home[param.index()] = Some(index);
        }
    }
    let mut escapes = vec![false; graph.blocks.len()];
    for (index, block) in graph.blocks.iter().enumerate() {
        let ops = block.ops.iter().flat_map(|op| op.kind.uses());
        for value in ops.chain(block.term.uses()) {
            if let Some(at) = home[value.index()].filter(|&at| at != index) {
                escapes[at] = true;
            }
        }
    }
    escapes
}

fn thread_jumps(graph: &mut Graph) -> bool {
    let escapes = escaping_params(graph);
    let mut changed = false;
    for index in 0..graph.blocks.len() {
        let mut term = graph.blocks[index].term.clone();
        let is_invoke = matches!(term, Terminator::Invoke { .. });
        let mut changed_here = false;
        for (n, target) in term.targets_mut().into_iter().enumerate() {
            if (is_invoke && n == 0) || escapes[target.block.index()] {
                continue;
            }
            if let Some(next) = next_target(graph, target) {
                changed_here |= *target != next;
                *target = next;
            }
        }
        if changed_here {
            graph.blocks[index].term = term;
            changed = true;
        }
    }
    changed
}

/// An invocation whose clean-up does nothing is a call.
fn simplify_invokes(graph: &mut Graph) -> bool {
    let mut changed = false;
    for index in 0..graph.blocks.len() {
        let Terminator::Invoke { callee, args, normal, unwind } = graph.blocks[index].term.clone() else {
            continue;
        };
        let cleanup = &graph.blocks[unwind.block.index()];
        if !matches!(cleanup.term, Terminator::ResumeUnwind) || !cleanup.ops.is_empty() {
            continue;
        }
        let params = &graph.blocks[normal.block.index()].params;
        let result = params.get(normal.args.len()).copied();
        let result = result.map(|param| {
            graph.values.push(graph.values[param.index()]);
            ValueId::new(graph.values.len() - 1)
        });
        let mut target = normal;
        target.args.extend(result);
        let block = &mut graph.blocks[index];
        block.ops.push(Op { result, kind: OpKind::Call(callee, args), pos: block.term_pos });
        block.term = Terminator::Goto(target);
        changed = true;
    }
    changed
}

/// Appends a block to its only predecessor, if that only jumps to it.
fn merge_blocks(graph: &mut Graph) -> bool {
    let mut before = vec![0; graph.blocks.len()];
    for block in &graph.blocks {
        for target in block.term.targets() {
            before[target.block.index()] += 1;
        }
    }
    let mut changed = false;
    let mut renamed = false;
    let mut replaced: Vec<ValueId> = (0..graph.values.len()).map(ValueId::new).collect();
    for index in 0..graph.blocks.len() {
        while let Terminator::Goto(target) = graph.blocks[index].term.clone() {
            let next = target.block.index();
            let starts_loop = matches!(graph.blocks[next].ops.first(), Some(op) if matches!(op.kind, OpKind::MergePoint(..)));
            let is_back_edge =
                matches!(graph.blocks[index].ops.last(), Some(op) if matches!(op.kind, OpKind::CanEnterJit));
            if before[next] != 1 || next == index || starts_loop || is_back_edge {
                break;
            }
            let taken = std::mem::replace(
                &mut graph.blocks[next],
                crate::flow::Block {
                    params: vec![],
                    ops: vec![],
                    term: Terminator::Unreachable,
                    term_pos: Default::default(),
                },
            );
            before[next] = 0;
            let block = &mut graph.blocks[index];
            block.ops.extend(taken.ops);
            block.term = taken.term;
            block.term_pos = taken.term_pos;
            changed = true;
            for (&param, &arg) in taken.params.iter().zip(&target.args) {
                replaced[param.index()] = arg;
                renamed = true;
            }
        }
    }
    if renamed {
        let all: Vec<ValueId> = (0..replaced.len()).map(|n| resolve(&replaced, ValueId::new(n))).collect();
        replace_values(graph, &all);
    }
    changed
}

/// Removes operations and parameters whose values nobody uses.
fn unused(graph: &mut Graph) -> bool {
    let mut used = vec![false; graph.values.len()];
    let mut pending: Vec<ValueId> = Vec::new();
    let mut made_from: Vec<Vec<ValueId>> = vec![Vec::new(); graph.values.len()];
    for (index, block) in graph.blocks.iter().enumerate() {
        for op in &block.ops {
            match op.result {
                Some(result) if op.kind.is_removable() => {
                    made_from[result.index()] = op.kind.uses();
                }
                _ => pending.extend(op.kind.uses()),
            }
        }
        match &block.term {
            Terminator::If(value, ..) | Terminator::Switch { value, .. } | Terminator::Return(value) => {
                pending.push(*value)
            }
            Terminator::Invoke { args, .. } => pending.extend(args),
            _ => {}
        }
        if index == 0 {
            pending.extend(&block.params);
        }
        for target in block.term.targets() {
            let params = &graph.blocks[target.block.index()].params;
            for (&param, &arg) in params.iter().zip(&target.args) {
                made_from[param.index()].push(arg);
            }
        }
    }
    while let Some(value) = pending.pop() {
        if !std::mem::replace(&mut used[value.index()], true) {
            pending.append(&mut made_from[value.index()]);
        }
    }
    let mut changed = false;
    let invoked: Vec<ValueId> = graph
        .blocks
        .iter()
        .filter_map(|b| match &b.term {
            Terminator::Invoke { normal, .. } => {
                graph.blocks[normal.block.index()].params.get(normal.args.len()).copied()
            }
            _ => None,
        })
        .collect();
    let keep: Vec<Vec<bool>> = graph
        .blocks
        .iter()
        .map(|b| b.params.iter().map(|p| used[p.index()] || invoked.contains(p)).collect())
        .collect();
    for (index, block) in graph.blocks.iter_mut().enumerate() {
        let ops = block.ops.len();
        block.ops.retain(|op| op.result.is_none_or(|r| used[r.index()]) || !op.kind.is_removable());
        let params = block.params.len();
        let mut kept = keep[index].iter();
        block.params.retain(|_| kept.next() == Some(&true));
        changed |= ops != block.ops.len() || params != block.params.len();
        for target in block.term.targets_mut() {
            let mut kept = keep[target.block.index()].iter();
            target.args.retain(|_| kept.next() == Some(&true));
        }
    }
    changed
}

/// Puts a copy of each constant of the entry block before its first use in each block that uses it.
fn place_constants(graph: &mut Graph) {
    let Some(entry) = graph.blocks.first_mut() else { return };
    let (shared, rest): (Vec<Op>, Vec<Op>) =
        std::mem::take(&mut entry.ops).into_iter().partition(|op| matches!(op.kind, OpKind::Const(_)));
    entry.ops = rest;
    let shared: HashMap<ValueId, Op> = shared.into_iter().filter_map(|op| Some((op.result?, op))).collect();
    for index in 0..graph.blocks.len() {
        let mut here: HashMap<ValueId, ValueId> = HashMap::new();
        let values = &mut graph.values;
        let block = &mut graph.blocks[index];
        let mut ops = Vec::with_capacity(block.ops.len());
        let mut local = |v: &mut ValueId, ops: &mut Vec<Op>| {
            if let Some(op) = shared.get(v) {
                *v = *here.entry(*v).or_insert_with(|| {
                    values.push(values[v.index()]);
                    let copy = ValueId::new(values.len() - 1);
                    ops.push(Op { result: Some(copy), ..op.clone() });
                    copy
                });
            }
        };
        for mut op in std::mem::take(&mut block.ops) {
            let mut before = Vec::new();
            op.kind.map_uses(&mut |v| local(v, &mut before));
            ops.extend(before);
            ops.push(op);
        }
        let mut before = Vec::new();
        block.term.map_uses(&mut |v| local(v, &mut before));
        // Nothing may follow `can_enter_jit`.
        let is_back_edge = matches!(ops.last(), Some(op) if matches!(op.kind, OpKind::CanEnterJit));
        let at = ops.len() - usize::from(is_back_edge);
        ops.splice(at..at, before);
        block.ops = ops;
    }
}

/// Numbers blocks in reverse postorder and values in the order of their definitions.
fn renumber(graph: &mut Graph) {
    let mut order = postorder(graph);
    order.reverse();
    let mut number: Vec<BlockId> = (0..graph.blocks.len()).map(BlockId::new).collect();
    let mut blocks = Vec::with_capacity(order.len());
    for &block in &order {
        number[block.index()] = BlockId::new(blocks.len());
        let nothing = Block {
            params: vec![],
            ops: vec![],
            term: Terminator::Unreachable,
            term_pos: Default::default(),
        };
        blocks.push(std::mem::replace(&mut graph.blocks[block.index()], nothing));
    }
    let mut values: Vec<ValueId> = (0..graph.values.len()).map(ValueId::new).collect();
    let mut types = Vec::new();
    for block in &blocks {
        for value in block.params.iter().copied().chain(block.ops.iter().filter_map(|op| op.result)) {
            values[value.index()] = ValueId::new(types.len());
            types.push(graph.values[value.index()]);
        }
    }
    let mut slots: HashMap<crate::flow::SlotId, crate::flow::SlotId> = HashMap::new();
    let mut kept = Vec::new();
    for block in &mut blocks {
        let new = |v: &mut ValueId| *v = values[v.index()];
        block.params.iter_mut().for_each(|p| new(p));
        for op in &mut block.ops {
            op.result.iter_mut().for_each(|r| new(r));
            op.kind.map_uses(&mut |v| new(v));
            if let OpKind::SlotAddr(slot) = &mut op.kind {
                *slot = *slots.entry(*slot).or_insert_with(|| {
                    kept.push(graph.slots[slot.index()].clone());
                    crate::flow::SlotId::new(kept.len() - 1)
                });
            }
        }
        block.term.map_uses(&mut |v| new(v));
        for target in block.term.targets_mut() {
            target.block = number[target.block.index()];
        }
    }
    *graph = Graph { blocks, values: types, slots: kept };
}

#[cfg(test)]
mod tests {
    use crate::flow::{parse, print, verify};

    fn check(before: &str, after: &str) {
        let head =
            "program \"t\" 0x0\nmodule mod0 \"t\"\nextern ext0 \"e\" in mod0 (i64) -> i64 panics = \"e\"\n";
        let mut program = parse::program(&format!("{head}{before}")).unwrap();
        let Ok(graph) = &mut program.funcs[0].body else { panic!("no graph") };
        super::run(graph);
        assert_eq!(verify::program(&program), []);
        let printed = print::func(&program, crate::flow::FuncId(0), print::Style::default());
        assert_eq!(printed.trim(), after.trim());
    }

    #[test]
    fn constant_branches_and_empty_blocks_go() {
        check(
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  v1: bool = const 1
  if v1 b1 else b2
b1():
  goto b3(v0)
b2():
  v2: i64 = const 7
  goto b3(v2)
b3(v3: i64):
  v4: i64 = int_add v3, v3
  v5: i64 = int_mul v3, v3
  return v4
}",
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  v1: i64 = int_add v0, v0
  return v1
}",
        );
    }

    #[test]
    fn an_invoke_without_clean_up_is_a_call() {
        check(
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  v1: bool = const 0
  invoke ext0(v0) -> b1 unwind b2(v1)
b1(v2: i64):
  return v2
b2(v3: bool):
  if v3 b3 else b4
b3():
  v4: i64 = call ext0(v0)
  goto b4
b4():
  resume_unwind
}",
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  v1: i64 = call ext0(v0)
  return v1
}",
        );
    }

    #[test]
    fn loop_parameters_that_do_not_change_go() {
        check(
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  v1: i64 = const 3
  goto b1(v0, v1)
b1(v2: i64, v3: i64):
  v4: i64 = int_sub v2, v3
  v5: bool = int_lt v4, v3
  if v5 b2 else b1(v4, v3)
b2():
  return v4
}",
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  goto b1(v0)
b1(v1: i64):
  v2: i64 = const 3
  v3: i64 = int_sub v1, v2
  v4: bool = int_lt v3, v2
  if v4 b2 else b1(v3)
b2():
  return v3
}",
        );
    }
}
