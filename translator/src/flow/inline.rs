//! Inlining: puts small functions in the place of their calls, so that what they take by reference need not be in memory.
//!
//! In: a verified program, and which functions are looked inside. Out: the same program with other graphs, which compute
//! the same; no function, type or load-time value is added or removed, so all ids stay.
//!
//! A function is inlined if it is looked inside, has no loop and is small, with its own calls inlined before. Functions
//! that are on their way themselves (recursion) are called. After its calls, each graph's slots become values where
//! nothing else needs their address ([`promote`]), and it is simplified.
//!
//! Relies on: a call and the function's blocks being enough to know what happens (no operation refers to the function
//! that it stands in, but for `MergePoint`, and portals are never inlined). A call within an `Invoke` becomes an `Invoke`
//! with the same clean-up; what cannot be one (`DropInPlace`) keeps the function from being inlined there.

use crate::flow::promote::promote;
use crate::flow::simplify;
use crate::flow::verify::{self, has_loop};
use crate::flow::{
    Block, BlockId, Callee, Func, FuncId, Graph, Op, OpKind, Program, SlotId, Target, Terminator, ValueId,
};

/// Operations of a function that is inlined, at most.
const SMALL: usize = 40;

/// Operations of a function that others are inlined into, at most.
const LARGE: usize = 6000;

/// The program with small functions inlined; `inside` tells which are looked inside.
///
/// # Panics
/// If a graph breaks the verifier's rules afterwards: a bug of this module.
pub fn program(program: &Program, inside: &dyn Fn(FuncId) -> bool) -> Program {
    let mut out = program.clone();
    let mut state = vec![State::New; program.funcs.len()];
    for index in 0..program.funcs.len() {
        visit(&mut out, FuncId::new(index), inside, &mut state);
    }
    out
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    /// Finished, and whether it may be inlined.
    Done(bool),
}

/// Inlines what a function calls, its callees first.
fn visit(program: &mut Program, root: FuncId, inside: &dyn Fn(FuncId) -> bool, state: &mut [State]) {
    let mut stack = vec![(root, None)];
    while let Some((id, callees)) = stack.pop() {
        let mut callees: Vec<FuncId> = match callees {
            Some(callees) => callees,
            None if state[id.index()] != State::New => continue,
            None => {
                state[id.index()] = State::Open;
                calls(program.func(id))
            }
        };
        if let Some(next) = callees.pop() {
            stack.push((id, Some(callees)));
            stack.push((next, None));
            continue;
        }
        state[id.index()] = State::Done(false);
        let Ok(graph) = &program.func(id).body else { continue };
        let mut graph = graph.clone();
        // Graphs come simplified.
        let mut changed = inline_calls(program, &mut graph, state);
        let mut is_new = changed;
        for _ in 0..3 {
            if changed {
                simplify::run(&mut graph);
            }
            changed = promote(&mut graph, &program.types);
            is_new |= changed;
            if !changed {
                break;
            }
        }
        if changed {
            simplify::run(&mut graph);
        }
        let may = inside(id) && may_be_inlined(program.func(id), &graph);
        program.funcs[id.index()].body = Ok(graph);
        let errors = if cfg!(debug_assertions) && is_new { verify::func(program, id) } else { Vec::new() };
        assert!(errors.is_empty(), "inlining into `{}` broke it: {errors:#?}", program.func(id).name);
        state[id.index()] = State::Done(may);
    }
}

/// The functions that a function calls.
fn calls(func: &Func) -> Vec<FuncId> {
    let Ok(graph) = &func.body else { return Vec::new() };
    let mut out = Vec::new();
    let mut note = |callee: &Callee| {
        if let Callee::Func(id) = callee {
            out.push(*id);
        }
    };
    for block in &graph.blocks {
        for op in &block.ops {
            if let OpKind::Call(callee, _) = &op.kind {
                note(callee);
            }
        }
        if let Terminator::Invoke { callee, .. } = &block.term {
            note(callee);
        }
    }
    out
}

fn may_be_inlined(func: &Func, graph: &Graph) -> bool {
    let attrs = func.attrs;
    let is_hinted = attrs.elidable || attrs.dont_look_inside || attrs.loop_invariant || attrs.not_in_trace;
    let ops = || graph.blocks.iter().flat_map(|block| &block.ops);
    let is_portal = ops().any(|op| matches!(op.kind, OpKind::MergePoint(..)));
    !is_hinted && !is_portal && ops().count() + graph.blocks.len() <= SMALL && !has_loop(graph)
}

/// Inlines all calls that may be; whether there were any.
fn inline_calls(program: &Program, graph: &mut Graph, state: &[State]) -> bool {
    let blocks = graph.blocks.len();
    let mut size: usize = graph.blocks.iter().map(|block| block.ops.len()).sum();
    let mut body = |callee: &Callee| {
        let Callee::Func(id) = callee else { return None };
        let Ok(body) = &program.func(*id).body else { return None };
        let ops: usize = body.blocks.iter().map(|block| block.ops.len()).sum();
        let may = state[id.index()] == State::Done(true) && size + ops <= LARGE;
        may.then(|| {
            size += ops;
            body
        })
    };
    let mut index = 0;
    // What follows a call goes into a new block, which is looked at in its turn.
    while index < graph.blocks.len() {
        let call = graph.blocks[index].ops.iter().enumerate().find_map(|(at, op)| match &op.kind {
            OpKind::Call(callee, _) => body(callee).map(|body| (at, body)),
            _ => None,
        });
        if let Some((at, body)) = call {
            inline_call(graph, index, at, body);
        } else if let Terminator::Invoke { callee, args, normal, unwind } = &graph.blocks[index].term
            && let Some(body) = body(callee).filter(|body| can_unwind_to(body))
        {
            let (args, normal, unwind) = (args.clone(), normal.clone(), unwind.clone());
            inline_invoke(graph, index, &args, normal, &unwind, body);
        }
        index += 1;
    }
    graph.blocks.len() > blocks
}

/// Whether every operation that can panic can have a clean-up.
fn can_unwind_to(body: &Graph) -> bool {
    !body.blocks.iter().flat_map(|block| &block.ops).any(|op| matches!(op.kind, OpKind::DropInPlace(..)))
}

/// Inlines the call that is operation `at` of block `index`.
fn inline_call(graph: &mut Graph, index: usize, at: usize, body: &Graph) {
    let block = &mut graph.blocks[index];
    let rest = block.ops.split_off(at + 1);
    let call = block.ops.pop().expect("the call");
    let OpKind::Call(_, args) = call.kind else { panic!("{call:?} is no call") };
    let term = std::mem::replace(&mut block.term, Terminator::Unreachable);
    let (params, term_pos) = (call.result.into_iter().collect(), block.term_pos);
    let after = push_block(graph, Block { params, ops: rest, term, term_pos });
    let entry = copy_blocks(graph, body, &mut |value| {
        Terminator::Goto(Target { block: after, args: call.result.map(|_| value).into_iter().collect() })
    });
    graph.blocks[index].term = Terminator::Goto(Target { block: entry, args });
    graph.blocks[index].term_pos = call.pos;
}

/// Inlines the invocation that ends block `index`.
fn inline_invoke(
    graph: &mut Graph,
    index: usize,
    args: &[ValueId],
    normal: Target,
    unwind: &Target,
    body: &Graph,
) {
    let has_result = graph.blocks[normal.block.index()].params.len() > normal.args.len();
    let first = graph.blocks.len();
    let entry = copy_blocks(graph, body, &mut |value| {
        let mut target = normal.clone();
        target.args.extend(has_result.then_some(value));
        Terminator::Goto(target)
    });
    graph.blocks[index].term = Terminator::Goto(Target { block: entry, args: args.to_vec() });
    // Whatever can panic cleans up as the invocation did.
    let mut at = first;
    while at < graph.blocks.len() {
        let block = &mut graph.blocks[at];
        if let Terminator::ResumeUnwind = block.term {
            block.term = Terminator::Goto(unwind.clone());
        }
        if let Some(n) = block.ops.iter().position(|op| matches!(op.kind, OpKind::Call(..))) {
            let rest = block.ops.split_off(n + 1);
            let call = block.ops.pop().expect("the call");
            let OpKind::Call(callee, args) = call.kind else { panic!("{call:?} is no call") };
            let term = std::mem::replace(&mut block.term, Terminator::Unreachable);
            let (params, term_pos) = (call.result.into_iter().collect(), block.term_pos);
            let normal = push_block(graph, Block { params, ops: rest, term, term_pos });
            let normal = Target { block: normal, args: Vec::new() };
            graph.blocks[at].term = Terminator::Invoke { callee, args, normal, unwind: unwind.clone() };
            graph.blocks[at].term_pos = call.pos;
        }
        at += 1;
    }
}

fn push_block(graph: &mut Graph, block: Block) -> BlockId {
    graph.blocks.push(block);
    BlockId::new(graph.blocks.len() - 1)
}

/// Copies a function's blocks, values and slots into `graph`, its returns replaced: the copy of its entry.
fn copy_blocks(graph: &mut Graph, body: &Graph, returned: &mut dyn FnMut(ValueId) -> Terminator) -> BlockId {
    let (blocks, values, slots) = (graph.blocks.len(), graph.values.len(), graph.slots.len());
    graph.values.extend(&body.values);
    graph.slots.extend(body.slots.iter().cloned());
    let value = |v: ValueId| ValueId::new(values + v.index());
    for block in &body.blocks {
        let mut copy = block.clone();
        copy.params.iter_mut().for_each(|param| *param = value(*param));
        for op in &mut copy.ops {
            shift_op(op, &value, slots);
        }
        copy.term.map_uses(&mut |v| *v = value(*v));
        for target in copy.term.targets_mut() {
            target.block = BlockId::new(blocks + target.block.index());
        }
        if let Terminator::Return(result) = copy.term {
            copy.term = returned(result);
        }
        graph.blocks.push(copy);
    }
    BlockId::new(blocks)
}

fn shift_op(op: &mut Op, value: &dyn Fn(ValueId) -> ValueId, slots: usize) {
    op.result = op.result.map(value);
    op.kind.map_uses(&mut |v| *v = value(*v));
    if let OpKind::SlotAddr(slot) = &mut op.kind {
        *slot = SlotId::new(slots + slot.index());
    }
}

#[cfg(test)]
mod tests {
    use crate::flow::{FuncId, parse, print, verify};

    const HEAD: &str = "program \"t\" 0x0\nmodule mod0 \"t\"\n\
                        extern ext0 \"e\" in mod0 (i64) -> i64 panics = \"e\"\n\
                        extern ext1 \"drop\" in mod0 (i64) -> () = \"d\"\n";

    /// What inlining makes of the first function of a program.
    fn check(program: &str, expected: &str) {
        let program = parse::program(&format!("{HEAD}{program}")).unwrap();
        assert_eq!(verify::program(&program), []);
        let inlined = super::program(&program, &|id| !program.func(id).name.starts_with("outside"));
        assert_eq!(verify::program(&inlined), []);
        let printed = print::func(&inlined, FuncId(0), print::Style::default());
        assert_eq!(printed.trim(), expected.trim());
    }

    #[test]
    fn what_is_taken_by_reference_becomes_a_value() {
        check(
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
  slot0: i64 \"a\"
b0(v0: i64):
  v1: *mut i64 = slot_addr slot0
  store v1, v0
  v2: () = call fn1(v1)
  v3: i64 = load v1
  return v3
}
fn fn1 \"increment\" in mod0 (*mut i64) -> () {
b0(v0: *mut i64):
  v1: i64 = load v0
  v2: i64 = const 1
  v3: i64 = int_add v1, v2
  store v0, v3
  v4: () = const 0
  return v4
}",
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  v1: i64 = const 1
  v2: i64 = int_add v0, v1
  return v2
}",
        );
    }

    #[test]
    fn an_address_that_goes_elsewhere_keeps_its_slot() {
        let text = "fn fn0 \"f\" in mod0 (i64) -> i64 {
  slot0: i64 \"a\"
b0(v0: i64):
  v1: *mut i64 = slot_addr slot0
  store v1, v0
  v2: () = call fn1(v1)
  v3: i64 = load v1
  return v3
}";
        let outside = "fn fn1 \"outside\" in mod0 (*mut i64) -> () {
b0(v0: *mut i64):
  v1: () = const 0
  return v1
}";
        check(&format!("{text}\n{outside}"), text);
    }

    #[test]
    fn a_panic_in_what_was_inlined_cleans_up() {
        check(
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  invoke fn1(v0) -> b1 unwind b2
b1(v1: i64):
  return v1
b2():
  v2: () = call ext1(v0)
  resume_unwind
}
fn fn1 \"twice\" in mod0 (i64) -> i64 {
b0(v0: i64):
  v1: i64 = call ext0(v0)
  v2: i64 = int_add v1, v1
  return v2
}",
            "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  invoke ext0(v0) -> b2 unwind b1
b1():
  v1: () = call ext1(v0)
  resume_unwind
b2(v2: i64):
  v3: i64 = int_add v2, v2
  return v3
}",
        );
    }

    #[test]
    fn recursion_stays_a_call() {
        let text = "fn fn0 \"f\" in mod0 (i64) -> i64 {
b0(v0: i64):
  v1: i64 = call fn0(v0)
  return v1
}";
        check(text, text);
    }

    #[test]
    fn a_slot_written_on_two_ways_is_one_value_after_them() {
        check(
            "fn fn0 \"f\" in mod0 (i64, bool) -> i64 {
  slot0: (i64, i64) \"pair\"
b0(v0: i64, v1: bool):
  v2: *mut (i64, i64) = slot_addr slot0
  store v2.0, v0
  store v2.1, v0
  if v1 b1 else b2
b1():
  v3: i64 = const 5
  store v2.1, v3
  goto b2
b2():
  v4: i64 = load v2.1
  return v4
}",
            "fn fn0 \"f\" in mod0 (i64, bool) -> i64 {
b0(v0: i64, v1: bool):
  v2: (i64, i64) = make(v0, v0)
  if v1 b1 else b2(v2)
b1():
  v3: i64 = const 5
  v4: (i64, i64) = make(v0, v3)
  goto b2(v4)
b2(v5: (i64, i64)):
  v6: i64 = extract v5.1
  return v6
}",
        );
    }
}
