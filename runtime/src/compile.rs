//! From a recording to code that is entered: optimise, compile, register.
//!
//! In: a [`Session`] that ended well. Out: its traces compiled and reachable: a loop from the cell of its merge point, a bridge
//! from its guard, what leads into a loop from its start. Nothing is registered of a trace that fails.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use metatrace_backend::{CodeId, Job, PartStart};
use metatrace_defs::{Abort, TraceOp};
use metatrace_optimizer::optimise_counted;
use metatrace_trace::{
    Attached, GuardId, KnownWord, OpenPortal, Opnd, TargetId, Trace, Value, Virtual, verify,
};

use crate::entry::Place;
use crate::record::{End, Session};
use crate::stress;
use crate::vm::stats::add;
use crate::vm::tables::{
    Entry, Guard, GuardFrame, Heat, LoopCell, Part, Source, Tree, TreeId, WordMap, show_constants,
};
use crate::vm::{VmState, log};

/// Where a recording started.
pub enum Start<'a> {
    /// At the merge point of a cell.
    Cell(&'a Rc<LoopCell>),
    /// At a failing guard.
    Guard(GuardId, &'a Guard),
}

impl<'a> Start<'a> {
    /// What decides when it is recorded again.
    pub fn heat(&self) -> &'a Heat {
        match self {
            Start::Cell(cell) => &cell.heat,
            Start::Guard(_, guard) => &guard.heat,
        }
    }
}

/// A trace that was compiled, but is not registered.
struct Piece {
    code: CodeId,
    bytes: usize,
    trace: Trace,
    guards: Vec<(GuardId, PieceGuard)>,
    flags: Option<Box<[u64]>>,
}

struct PieceGuard {
    frames: Vec<GuardFrame>,
    virtuals: Vec<Virtual<Source>>,
    merge_points: u32,
    known: Vec<KnownWord>,
    open: Arc<[OpenPortal]>,
    flag: Option<u64>,
    is_early: bool,
}

/// Compiles and registers what was recorded.
///
/// # Errors
/// Why the recording is lost.
pub fn install(
    vm: &Rc<VmState>,
    place: &Place,
    session: &mut Session,
    end: &End,
    start: &Start,
) -> Result<(), Abort> {
    let valid = {
        let mut tables = vm.tables.borrow_mut();
        session.owners().into_iter().all(|owner| tables.is_living(owner))
            && match start {
                Start::Cell(_) => true,
                Start::Guard(_, guard) => tables.tree(guard.tree).is_some(),
            }
    };
    if !valid {
        return Err(Abort::OwnerChanged);
    }
    let all = session.segments();
    let (lead, terminator, into) = match end {
        End::Close(0) => return install_loop(vm, place, session, 0).map(|_| ()),
        End::Close(n) => {
            let entry = install_loop(vm, place, session, *n)?;
            (0..*n, TraceOp::Jump, Some(entry))
        }
        End::Jump(entry) => (0..all, TraceOp::Jump, Some(*entry)),
        End::Finish => (0..all, TraceOp::Finish, None),
        End::Abort(_) | End::Panic(_) => unreachable!("a recording that was given up is not compiled"),
    };
    let attached = into.map_or(Attached::None, |entry| Attached::Target(entry.target));
    let trace = session.take_trace(lead, None, (terminator, attached));
    let into = into.map(|entry| entry.tree);
    match start {
        Start::Cell(cell) => {
            let target = vm.tables.borrow_mut().new_target();
            let piece = compile(vm, place, trace, "entry", Some(target), 0)?;
            plant(vm, session, cell, piece, (target, false), into);
        }
        Start::Guard(id, guard) => {
            let open =
                guard.frames.last().map(|frame| frame.locals + place.loaded.body(frame.jitcode).locals);
            let in_use = open.expect("a guard has a frame").into();
            let piece = compile(vm, place, trace, &format!("bridge of {id}"), None, in_use)?;
            attach(vm, session, *id, guard.tree, piece, into);
        }
    }
    let counters = &vm.shared.counters;
    let is_function = matches!((start, end), (Start::Cell(_), End::Finish));
    add(if is_function { &counters.functions } else { &counters.bridges }, 1);
    Ok(())
}

/// Compiles and registers the loop that starts at segment `n`.
fn install_loop(vm: &Rc<VmState>, place: &Place, session: &mut Session, n: usize) -> Result<Entry, Abort> {
    let (label, target) = {
        let mut tables = vm.tables.borrow_mut();
        (tables.new_target(), tables.new_target())
    };
    let jump = (TraceOp::Jump, Attached::Target(label));
    let trace = session.take_trace(n..session.segments(), Some(label), jump);
    let piece = compile(vm, place, trace, &format!("loop {target}"), Some(target), 0)?;
    let cell = place.cell(vm, &session.segment_words(n));
    add(&vm.shared.counters.loops, 1);
    Ok(plant(vm, session, &cell, piece, (target, true), None))
}

/// Registers a trace as a tree that is entered at `cell`.
fn plant(
    vm: &VmState,
    session: &Session,
    cell: &Rc<LoopCell>,
    piece: Piece,
    (target, is_loop): (TargetId, bool),
    into: Option<TreeId>,
) -> Entry {
    let mut tables = vm.tables.borrow_mut();
    let tree = tables.new_tree(Tree {
        cell: cell.clone(),
        home: session.home(),
        parts: vec![],
        codes: vec![],
        region: None,
        crossings: 0,
        merged: 0,
        bytes: 0,
        bridges: 0,
        jumped_from: vec![],
        flags: vec![],
        frozen: WordMap::default(),
    });
    let entry = Entry { tree, code: piece.code, target, is_loop };
    cell.entry.set(Some(entry));
    tables.set_target(target, tree, piece.code);
    drop(tables);
    vm.tell_callers(cell);
    add_piece(vm, session, tree, piece, PartStart::Entry(target), into);
    entry
}

/// Registers a trace as a bridge.
fn attach(vm: &VmState, session: &Session, guard: GuardId, tree: TreeId, piece: Piece, into: Option<TreeId>) {
    let code = piece.code;
    if let Some(tree) = vm.tables.borrow_mut().tree(tree) {
        tree.bridges += 1;
    }
    add_piece(vm, session, tree, piece, PartStart::Guard(guard), into);
    vm.backend.attach_bridge(guard, code);
}

fn add_piece(
    vm: &VmState,
    session: &Session,
    id: TreeId,
    piece: Piece,
    start: PartStart,
    into: Option<TreeId>,
) {
    let tables = &mut *vm.tables.borrow_mut();
    tables.code_bytes += piece.bytes;
    let tree = tables.tree(id).expect("a tree that was just found valid");
    let home = tree.home;
    tree.codes.push(piece.code);
    tree.bytes += piece.bytes;
    tree.flags.extend(piece.flags);
    let guards = piece.guards.iter().map(|(id, _)| *id).collect();
    let _constants = show_constants(&piece.trace);
    tree.parts.push(Rc::new(Part { trace: piece.trace, guards, start, _constants }));
    tree.frozen.extend(session.frozen());
    let guards = piece.guards.into_iter().map(|(guard, piece)| {
        let PieceGuard { frames, virtuals, merge_points, known, open, flag, is_early } = piece;
        let (recording, heat, repeats) = Default::default();
        let guard_of = |tree| Guard {
            tree,
            home,
            frames,
            virtuals,
            merge_points,
            known,
            open,
            recording,
            heat,
            flag,
            is_early,
            repeats,
        };
        (guard, guard_of(id))
    });
    tables.add_guards(guards);
    tables.rely(id, &session.owners(), into);
}

/// Optimises and compiles a trace, where so much local memory is in use at its start.
fn compile(
    vm: &VmState,
    place: &Place,
    trace: Trace,
    title: &str,
    entry: Option<TargetId>,
    locals_in_use: u64,
) -> Result<Piece, Abort> {
    let (params, counters) = (&vm.options.params, &vm.shared.counters);
    let (program, shims) = (&place.loaded.program, place.loaded.shims);
    if vm.tables.borrow().code_bytes as u64 >= params.code_limit {
        return Err(Abort::CodeMemoryFull);
    }
    add(&counters.operations_recorded, trace.insts.len() as u64);
    log_trace(place, &format!("{title}, recorded"), &trace);
    check(place, &trace, "the recorder");
    let trace = if params.optimise == 1 {
        let began = Instant::now();
        let label = Some(vm.tables.borrow_mut().new_target());
        let options = metatrace_optimizer::Options { entry, label, locals_in_use: Some(locals_in_use) };
        let (optimised, counts) = optimise_counted(program, &trace, options);
        counters.optimised(&counts);
        add(&counters.optimising, began.elapsed().as_nanos() as u64);
        check(place, &optimised, "the optimiser");
        log_trace(place, &format!("{title}, optimised"), &optimised);
        optimised
    } else {
        trace
    };
    add(&counters.operations_optimised, trace.insts.len() as u64);
    let (trace, flags) = if params.fail_guards == 1 {
        let (trace, flags) = stress::fail_guards(place.loaded, &trace);
        check(place, &trace, "the stress mode");
        (trace, Some(flags))
    } else {
        (trace, None)
    };
    let count = trace.insts.iter().filter(|inst| inst.op.is_guard()).count();
    let guards = vm.tables.borrow_mut().new_guards(count);
    let began = Instant::now();
    let compiled = vm.backend.compile(&Job { program, shims, trace: &trace, guards: &guards, entry });
    add(&counters.code_generation, began.elapsed().as_nanos() as u64);
    let compiled = compiled?;
    add(&counters.code_bytes, compiled.bytes as u64);
    let guards = guards.into_iter().zip(piece_guards(&trace, flags.as_deref())).collect();
    let trace = Trace { notes: vec![], ..trace };
    Ok(Piece { code: compiled.code, bytes: compiled.bytes, trace, guards, flags })
}

fn check(place: &Place, trace: &Trace, who: &str) {
    if cfg!(debug_assertions) {
        verify::assert_valid(&place.loaded.program, trace, who);
    }
}

/// Writes a trace to the log, if there is one.
pub fn log_trace(place: &Place, title: &str, trace: &Trace) {
    if log::wants_traces() {
        let portal = &place.loaded.portal(place.portal).name;
        log::write_trace(&place.loaded.program, &format!("{portal}: {title}"), trace);
    }
}

/// What the guards of a trace need to be resumed from, in order.
fn piece_guards(trace: &Trace, flags: Option<&[u64]>) -> Vec<PieceGuard> {
    let guards = trace.insts.iter().filter(|inst| inst.op.is_guard()).enumerate();
    let label = trace.insts.iter().position(|inst| inst.op == TraceOp::Label).unwrap_or(0);
    let early = trace.insts[..label].iter().filter(|inst| inst.op.is_guard()).count();
    guards
        .map(|(n, inst)| {
            let id = inst.snapshot.expect("a guard has a snapshot");
            let snapshot = &trace.snapshots[id.index()];
            let slots: WordMap<Value, u32> = trace.fail_values(id).into_iter().zip(0..).collect();
            let source = |opnd| match opnd {
                Opnd::Value(value) => match slots.get(&value) {
                    Some(&slot) => Source::Slot(slot),
                    None => {
                        Source::Virtual(snapshot.virtual_number(value).expect("held or described") as u32)
                    }
                },
                Opnd::Word(bits) | Opnd::Float(bits) => Source::Const(bits),
            };
            let frames = snapshot.frames.iter().map(|frame| GuardFrame {
                jitcode: frame.jitcode,
                pc: frame.pc,
                locals: frame.locals,
                registers: frame.registers.iter().map(|&(register, opnd)| (register, source(opnd))).collect(),
            });
            PieceGuard {
                frames: frames.collect(),
                virtuals: snapshot.virtuals.iter().map(|(_, made)| made.map(|&opnd| source(opnd))).collect(),
                merge_points: snapshot.merge_points,
                known: snapshot.known.clone(),
                open: snapshot.open.clone(),
                flag: flags.map(|flags| &raw const flags[n] as u64),
                is_early: n < early,
            }
        })
        .collect()
}
