//! Graphs that stay from one translation to the next.
//!
//! In: what an earlier translation kept. Out: the same graphs, as lowering would make them now, and what the next translation may reuse.
//!
//! A function's graph depends on its own body and on the *surroundings*: all source text outside of bodies that were set aside
//! (signatures, types, constants, macros, `use`, impls, bodies that declare items or decide types), `cfg`, the manifest and the
//! translator itself. One digest stands for the surroundings and must be the same, or nothing is reused; a digest for each body
//! says whether its graphs are. Inlined callees do not matter: graphs are kept as they are before inlining.
//!
//! Lowering a body asks for types, functions, natives and load-time values, which are numbered in the order in which they are asked
//! for. That order is kept too (a [`Step`] each) and done again, so that a translation that reuses graphs makes byte for byte what
//! one from nothing makes. Positions are kept relative to the body (or the text between two bodies) that they are in.
//!
//! A closure is named by the function it is written in and its number there; its types are kept for each function, so that what
//! works with closures needs no body to be inferred that did not change.
//!
//! Not kept, and lowered each time: dispatchers, closures in constants, whatever gave a note or error.
//!
//! Relies on: items having the same numbers whenever the surroundings are the same. Bytes that are damaged in any way are as if
//! there were none.

mod types;

use crate::flow::types::{Type, TypeId};
use crate::flow::wire::{Coder, Refs};
use crate::flow::{
    Extern, ExternId, FuncAttrs, FuncId, Graph, LoadTimeId, LoadTimeValue, ModuleId, Pos, Touches,
};
use crate::lower::{Cx, Key};
use crate::program::{ClosureSig, Program};
use crate::source::{FileId, Span};
use crate::thir::BodyOwner;
use crate::ty::{Args, ClosureId, ClosureKind, FnId, Ty, TyKind, intern_list};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use types::{code_closure, read_ty, read_types, write_ty, write_types};

const MAGIC: &[u8; 8] = b"mtgraph1";

/// Two independent hashes of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Digest([u64; 2]);

impl Digest {
    fn new() -> Digest {
        Digest([0xcbf2_9ce4_8422_2325, 0x9e37_79b9_7f4a_7c15])
    }

    /// Adds bytes and their end.
    fn add(&mut self, bytes: &[u8]) {
        let [mut a, mut b] = self.0;
        for &byte in bytes {
            a = (a ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            b = (b.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        let len = bytes.len() as u64 + 1;
        self.0 = [a.rotate_left(17).wrapping_add(len), b.rotate_left(29).wrapping_add(len)];
    }

    fn of(bytes: &[u8]) -> Digest {
        let mut digest = Digest::new();
        digest.add(bytes);
        digest
    }

    fn to_bytes(self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&self.0[0].to_le_bytes());
        out[8..].copy_from_slice(&self.0[1].to_le_bytes());
        out
    }
}

/// The graphs that are kept.
#[derive(Default)]
pub struct Cache {
    is_on: bool,
    surroundings: Vec<u8>,
    /// By key: the body's digest, and the graph with its steps.
    old: HashMap<Vec<u8>, (Vec<u8>, Vec<u8>)>,
    /// The entries for the next time, encoded.
    kept: Vec<u8>,
    reused: usize,
    lowered: usize,
    /// The bounds of bodies in files.
    bounds: Bounds,
    /// Where the closures are that are known from what was kept.
    closures_at: HashMap<ClosureId, Pos>,
    closures_kept: HashSet<FnId>,
}

/// A name, a digest of what it was made of, and what was made.
type Kept = (Vec<u8>, Vec<u8>, Vec<u8>);

const CLOSURE_KINDS: [ClosureKind; 3] = [ClosureKind::Fn, ClosureKind::FnMut, ClosureKind::FnOnce];

impl Cache {
    /// No graphs, and none are kept.
    pub fn off() -> Cache {
        Cache::default()
    }

    /// What an earlier translation kept, as far as it fits this program. `more` is what graphs depend on besides source text: the
    /// translator, `cfg`, the manifest.
    pub fn new(program: &Program, more: &[&[u8]], kept: &[u8]) -> Cache {
        let surroundings = surroundings(program, more).to_bytes().to_vec();
        let old = entries(kept, &surroundings).unwrap_or_default();
        Cache { is_on: true, surroundings, old, ..Cache::default() }
    }

    /// How many graphs were reused, and how many were made anew.
    pub fn counts(&self) -> (usize, usize) {
        (self.reused, self.lowered)
    }

    /// What the next translation is to be given.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(Digest::of(&self.kept).to_bytes());
        out.extend(&self.surroundings);
        out.extend(&self.kept);
        out
    }
}

/// The entries in what was kept, unless it is damaged or of other surroundings.
fn entries(kept: &[u8], surroundings: &[u8]) -> Option<HashMap<Vec<u8>, (Vec<u8>, Vec<u8>)>> {
    let (head, body) = kept.split_at_checked(MAGIC.len() + 32)?;
    let (magic, digests) = head.split_at(MAGIC.len());
    let (sum, around) = digests.split_at(16);
    if magic != MAGIC || around != surroundings || sum != Digest::of(body).to_bytes() {
        return None;
    }
    let mut coder = Coder::reader(body);
    let mut out = HashMap::new();
    while !coder.is_at_end() {
        let (mut key, mut digest, mut graph) = (Vec::new(), Vec::new(), Vec::new());
        coder.bytes(&mut key)?;
        coder.bytes(&mut digest)?;
        coder.bytes(&mut graph)?;
        out.insert(key, (digest, graph));
    }
    Some(out)
}

/// A digest of all text but the bodies that were set aside, with where these are.
fn surroundings(program: &Program, more: &[&[u8]]) -> Digest {
    let mut digest = Digest::new();
    more.iter().for_each(|bytes| digest.add(bytes));
    for (id, file) in program.sources().files() {
        digest.add(file.path.to_string_lossy().as_bytes());
        let mut from = 0;
        for range in program.sources().aside_in(id) {
            digest.add(&file.text.as_bytes()[from..range.start]);
            from = range.end;
        }
        digest.add(&file.text.as_bytes()[from..]);
    }
    digest
}

/// Lines and columns at which text outside of bodies and bodies begin, in turn, by file.
#[derive(Default)]
struct Bounds(HashMap<u32, Vec<(u32, u32)>>);

impl Bounds {
    fn of(&mut self, program: &Program, file: u32) -> &[(u32, u32)] {
        self.0.entry(file).or_insert_with(|| {
            let sources = program.sources();
            let file = FileId(file);
            let mut out = vec![(1, 1)];
            for range in sources.aside_in(file) {
                for byte in [range.start as u32, range.end as u32] {
                    let at = sources.line_col(Span { file, lo: byte, hi: byte });
                    out.push((at.line, at.column));
                }
            }
            out
        })
    }

    /// The file, the part of it, and line and column from where that begins.
    fn pos_out(&mut self, program: &Program, pos: Pos) -> [u64; 4] {
        if pos.line == 0 {
            return [0; 4];
        }
        let bounds = self.of(program, pos.file);
        let part = bounds.partition_point(|&start| start <= (pos.line, pos.column)).max(1);
        let (line, column) = bounds[part - 1];
        // Columns count from the part's beginning in its first line only.
        let from = if pos.line == line { column } else { 0 };
        [u64::from(pos.file), part as u64, u64::from(pos.line - line), u64::from(pos.column - from)]
    }

    fn pos_in(&mut self, program: &Program, [file, part, line, column]: [u64; 4]) -> Option<Pos> {
        if part == 0 {
            return Some(Pos::default());
        }
        let files = program.sources().files().count();
        let file = u32::try_from(file).ok().filter(|&file| (file as usize) < files)?;
        let (line, column) = (u32::try_from(line).ok()?, u32::try_from(column).ok()?);
        let &(first, start) = self.of(program, file).get(usize::try_from(part).ok()?.checked_sub(1)?)?;
        let from = if line == 0 { start } else { 0 };
        Some(Pos { file, line: first.checked_add(line)?, column: from.checked_add(column)? })
    }
}

/// Something that lowering asks for and that gets a number.
enum Step {
    Ty(Ty),
    Add(Type),
    /// Part `.1` of the type that step `.0` of those that give types gave.
    Part(u32, u32),
    Func(Key),
    Extern(Extern),
    LoadTime(LoadTimeValue),
}

/// What one body asked for, in order, each thing once.
#[derive(Default)]
pub(super) struct Log {
    steps: Vec<Step>,
    /// The number of each thing among those of its kind.
    types: HashMap<TypeId, u32>,
    funcs: HashMap<FuncId, u32>,
    externs: HashMap<ExternId, u32>,
    load_times: HashMap<LoadTimeId, u32>,
}

impl Log {
    pub(super) fn ty(&mut self, ty: Ty, id: TypeId) {
        self.typed(id, || Step::Ty(ty));
    }

    pub(super) fn add(&mut self, ty: &Type, id: TypeId) {
        self.typed(id, || Step::Add(ty.clone()));
    }

    fn typed(&mut self, id: TypeId, step: impl FnOnce() -> Step) {
        let next = self.types.len() as u32;
        if let Entry::Vacant(entry) = self.types.entry(id) {
            entry.insert(next);
            self.steps.push(step());
        }
    }

    pub(super) fn func(&mut self, key: Key, id: FuncId) {
        let next = self.funcs.len() as u32;
        if let Entry::Vacant(entry) = self.funcs.entry(id) {
            entry.insert(next);
            self.steps.push(Step::Func(key));
        }
    }

    pub(super) fn ext(&mut self, ext: &Extern, id: ExternId) {
        let next = self.externs.len() as u32;
        if let Entry::Vacant(entry) = self.externs.entry(id) {
            entry.insert(next);
            self.steps.push(Step::Extern(ext.clone()));
        }
    }

    pub(super) fn load_time(&mut self, value: &LoadTimeValue, id: LoadTimeId) {
        let next = self.load_times.len() as u32;
        if let Entry::Vacant(entry) = self.load_times.entry(id) {
            entry.insert(next);
            self.steps.push(Step::LoadTime(value.clone()));
        }
    }
}

/// Writes a body's graph: its things are numbered as they were asked for.
struct Writing<'a> {
    program: &'a Program,
    types: &'a crate::flow::types::Types,
    bounds: &'a mut Bounds,
    log: &'a mut Log,
}

impl Refs for Writing<'_> {
    fn ty(&mut self, id: TypeId) -> Option<TypeId> {
        if let Some(&number) = self.log.types.get(&id) {
            return Some(TypeId(number));
        }
        // Not asked for, but found in a type that was.
        let mut open: Vec<TypeId> = self.log.types.keys().copied().collect();
        open.sort_by_key(|id| self.log.types[id]);
        for whole in open {
            let parts = self.types.get(whole).parts();
            if let Some(n) = parts.iter().position(|&part| part == id) {
                let step = Step::Part(self.log.types[&whole], n as u32);
                self.log.typed(id, || step);
                return Some(TypeId(self.log.types[&id]));
            }
        }
        None
    }

    fn func(&mut self, id: FuncId) -> Option<FuncId> {
        self.log.funcs.get(&id).copied().map(FuncId)
    }

    fn ext(&mut self, id: ExternId) -> Option<ExternId> {
        self.log.externs.get(&id).copied().map(ExternId)
    }

    fn load_time(&mut self, id: LoadTimeId) -> Option<LoadTimeId> {
        self.log.load_times.get(&id).copied().map(LoadTimeId)
    }

    fn pos_out(&mut self, pos: Pos) -> [u64; 4] {
        self.bounds.pos_out(self.program, pos)
    }

    fn pos_in(&mut self, _: [u64; 4]) -> Option<Pos> {
        None
    }
}

/// Reads a body's graph: numbers are those of what the steps gave.
struct Reading<'a> {
    program: &'a Program,
    bounds: &'a mut Bounds,
    types: Vec<TypeId>,
    funcs: Vec<FuncId>,
    externs: Vec<ExternId>,
    load_times: Vec<LoadTimeId>,
}

impl Refs for Reading<'_> {
    fn ty(&mut self, id: TypeId) -> Option<TypeId> {
        self.types.get(id.index()).copied()
    }

    fn func(&mut self, id: FuncId) -> Option<FuncId> {
        self.funcs.get(id.index()).copied()
    }

    fn ext(&mut self, id: ExternId) -> Option<ExternId> {
        self.externs.get(id.index()).copied()
    }

    fn load_time(&mut self, id: LoadTimeId) -> Option<LoadTimeId> {
        self.load_times.get(id.index()).copied()
    }

    fn pos_out(&mut self, _: Pos) -> [u64; 4] {
        [0; 4]
    }

    fn pos_in(&mut self, spelled: [u64; 4]) -> Option<Pos> {
        self.bounds.pos_in(self.program, spelled)
    }
}

impl Cx<'_> {
    /// The kept graph of a function, if it is still what lowering would make.
    pub(super) fn reuse(&mut self, id: FuncId, key: Key) -> Option<Graph> {
        let name = key_bytes(self.program, key)?;
        let bytes = self.cache.fitting(&name, &bodies_digest(self.program, key)?)?;
        let mut coder = Coder::reader(&bytes);
        let mut owners = Vec::new();
        coder.list(&mut owners, || 0, |c, owner| c.index(owner))?;
        owners.into_iter().try_for_each(|owner| self.restore_closures(FnId(owner)))?;
        let mut steps = Vec::new();
        let program = self.program;
        coder.list(&mut steps, || Step::Part(0, 0), |c, step| read_step(c, program, step))?;
        let mut bounds = std::mem::take(&mut self.cache.bounds);
        let mut reading = Reading {
            program,
            bounds: &mut bounds,
            types: Vec::new(),
            funcs: Vec::new(),
            externs: Vec::new(),
            load_times: Vec::new(),
        };
        let done = steps.into_iter().try_for_each(|step| self.redo(id, step, &mut reading));
        let mut graph = Graph::default();
        let read = done.and_then(|()| coder.graph(&mut reading, &mut graph));
        self.cache.bounds = bounds;
        read.filter(|()| coder.is_at_end())?;
        self.cache.reused += 1;
        let digest = bodies_digest(self.program, key)?;
        self.cache.push((name, digest, bytes));
        Some(graph)
    }

    /// Makes the closures of a function known, without its body if they are kept, and keeps them.
    fn restore_closures(&mut self, owner: FnId) -> Option<()> {
        let program = self.program;
        program.stable_fn(owner)?;
        let is_known = || program.closure_ids.borrow().contains_key(&BodyOwner::Fn(owner));
        if !is_known() {
            self.read_closures(owner).or_else(|| program.body(owner).ok().map(drop))?;
        }
        self.keep_closures(owner)
    }

    fn read_closures(&mut self, owner: FnId) -> Option<()> {
        let program = self.program;
        let bytes = self.cache.fitting(&closures_key(owner), &body_digest(program, &[owner]))?;
        let mut coder = Coder::reader(&bytes);
        let mut len = 0;
        coder.num(&mut len)?;
        let len = usize::try_from(len).ok().filter(|&len| len <= bytes.len())?;
        let ids: Vec<ClosureId> = (0..len).map(|_| program.new_closure(BodyOwner::Fn(owner))).collect();
        program.closure_ids.borrow_mut().insert(BodyOwner::Fn(owner), ids.clone());
        for id in ids {
            let (mut is_written, mut kind, mut at) = (false, 0, [0; 4]);
            coder.bool(&mut is_written)?;
            if !is_written {
                continue;
            }
            let params = read_types(&mut coder, program)?.to_vec();
            let result = read_ty(&mut coder, program)?;
            let captures = read_types(&mut coder, program)?.to_vec();
            coder.num(&mut kind)?;
            let kind = *CLOSURE_KINDS.get(usize::try_from(kind).ok()?)?;
            at.iter_mut().try_for_each(|n| coder.num(n))?;
            let at = self.cache.bounds.pos_in(program, at)?;
            self.cache.closures_at.insert(id, at);
            program.closure_sigs.borrow_mut().insert(id, ClosureSig { params, result, kind, captures });
        }
        Some(())
    }

    /// Keeps the types of a function's closures.
    fn keep_closures(&mut self, owner: FnId) -> Option<()> {
        if !self.cache.closures_kept.insert(owner) {
            return Some(());
        }
        let program = self.program;
        let ids = program.closure_ids.borrow().get(&BodyOwner::Fn(owner))?.clone();
        let body = program.bodies.borrow().get(&BodyOwner::Fn(owner)).cloned();
        let mut coder = Coder::writer();
        coder.num(&mut (ids.len() as u64))?;
        for id in ids {
            // Closures of attempts that were undone have numbers too.
            let is_written = match &body {
                Some(Ok(body)) => body.closure(id).is_some(),
                Some(Err(_)) => return None,
                None => self.cache.closures_at.contains_key(&id),
            };
            let sig = program.closure_sigs.borrow().get(&id).cloned().filter(|_| is_written);
            coder.bool(&mut sig.is_some())?;
            let Some(sig) = sig else { continue };
            write_types(&mut coder, program, &sig.params)?;
            write_ty(&mut coder, program, sig.result)?;
            write_types(&mut coder, program, &sig.captures)?;
            coder.num(&mut (CLOSURE_KINDS.iter().position(|&kind| kind == sig.kind)? as u64))?;
            let at = self.closure_pos(id);
            self.cache.bounds.pos_out(program, at).iter_mut().try_for_each(|n| coder.num(n))?;
        }
        self.cache.push((closures_key(owner), body_digest(program, &[owner]), coder.out));
        Some(())
    }

    /// Where a closure is written.
    pub(super) fn closure_pos(&self, id: ClosureId) -> Pos {
        match self.cache.closures_at.get(&id) {
            Some(&at) => at,
            None => self.program.closure_span(id).map(|span| self.pos(span)).unwrap_or_default(),
        }
    }

    /// Asks for what lowering asked for.
    fn redo(&mut self, id: FuncId, step: Step, reading: &mut Reading) -> Option<()> {
        match step {
            Step::Ty(ty) => {
                let ty = self.ty(ty);
                reading.types.push(ty);
            }
            Step::Add(mut ty) => {
                relocate(&mut ty, reading)?;
                reading.types.push(self.add(ty));
            }
            Step::Part(whole, n) => {
                let whole = *reading.types.get(whole as usize)?;
                let part = *self.out.types.get(whole).parts().get(n as usize)?;
                reading.types.push(part);
            }
            Step::Func(key) => reading.funcs.push(self.instance(key, Some(id))),
            Step::Extern(mut ext) => {
                for ty in ext.params.iter_mut().chain([&mut ext.ret]) {
                    *ty = reading.ty(*ty)?;
                }
                reading.externs.push(self.extern_fn(ext));
            }
            Step::LoadTime(value) => reading.load_times.push(self.load_time(value)),
        }
        Some(())
    }

    /// Begins to write down what a body asks for.
    pub(super) fn start_log(&mut self) {
        if self.cache.is_on {
            self.log = Some(Log::default());
        }
    }

    /// Keeps a graph that was made just now; whatever cannot be kept is left out.
    pub(super) fn keep(&mut self, key: Key, graph: &Graph, log: Log) {
        self.cache.lowered += 1;
        if let Some(entry) = self.encoded(key, graph, log) {
            self.cache.push(entry);
        }
    }

    fn encoded(&mut self, key: Key, graph: &Graph, mut log: Log) -> Option<Kept> {
        let (name, digest) = (key_bytes(self.program, key)?, bodies_digest(self.program, key)?);
        let mut owners = Vec::new();
        log.steps.iter().for_each(|step| match step {
            Step::Ty(ty) => owners_in(self.program, *ty, &mut owners),
            Step::Func(key) => key_owners(self.program, *key, &mut owners),
            _ => {}
        });
        owners.iter().try_for_each(|&owner| self.restore_closures(owner))?;
        let mut coder = Coder::writer();
        // The graph comes first, since it may need parts of what was asked for.
        let mut writing = Writing {
            program: self.program,
            types: &self.out.types,
            bounds: &mut self.cache.bounds,
            log: &mut log,
        };
        coder.graph(&mut writing, &mut graph.clone())?;
        let graph = coder.out;
        let mut coder = Coder::writer();
        let mut steps = std::mem::take(&mut log.steps);
        let mut writing = Writing {
            program: self.program,
            types: &self.out.types,
            bounds: &mut self.cache.bounds,
            log: &mut log,
        };
        let program = self.program;
        coder.list(&mut steps, || Step::Part(0, 0), |c, step| write_step(c, program, &mut writing, step))?;
        // What the steps themselves need was asked for before.
        if !log.steps.is_empty() {
            return None;
        }
        let steps = std::mem::take(&mut coder.out);
        let mut owners: Vec<u32> = owners.iter().map(|owner| owner.0).collect();
        coder.list(&mut owners, || 0, |c, owner| c.index(owner))?;
        coder.out.extend(steps);
        coder.out.extend(graph);
        Some((name, digest, coder.out))
    }
}

impl Cache {
    /// What is kept under a name, if it was made of bodies with this digest.
    fn fitting(&self, name: &[u8], digest: &[u8]) -> Option<Vec<u8>> {
        let (old, bytes) = self.old.get(name)?;
        (old == digest).then(|| bytes.clone())
    }

    fn push(&mut self, (mut key, mut body, mut bytes): Kept) {
        let mut coder = Coder::writer();
        coder.out = std::mem::take(&mut self.kept);
        // Writing does not fail.
        _ = coder.bytes(&mut key);
        _ = coder.bytes(&mut body);
        _ = coder.bytes(&mut bytes);
        self.kept = coder.out;
    }
}

/// A digest of the bodies that a graph is made of: the function's, and those in which the closures that it works with are written.
fn bodies_digest(program: &Program, key: Key) -> Option<Vec<u8>> {
    let mut bodies = match key {
        Key::Fn(id, _) => vec![id],
        Key::Closure(..) => vec![],
        Key::Virtual(..) | Key::Pointer(_) => return None,
    };
    key_owners(program, key, &mut bodies);
    Some(body_digest(program, &bodies))
}

/// A digest of the texts of bodies; a body that stands in the surroundings counts as nothing.
fn body_digest(program: &Program, bodies: &[FnId]) -> Vec<u8> {
    let mut digest = Digest::new();
    bodies.iter().for_each(|&id| digest.add(program.body_text(id).unwrap_or_default().as_bytes()));
    digest.to_bytes().to_vec()
}

/// The functions in which the closures of a key are written, added to those known.
fn key_owners(program: &Program, key: Key, out: &mut Vec<FnId>) {
    match key {
        Key::Fn(_, args) | Key::Virtual(_, args) => args.iter().for_each(|&ty| owners_in(program, ty, out)),
        Key::Pointer(ty) => owners_in(program, ty, out),
        Key::Closure(id, args, _) => owners_in(program, Ty::new(TyKind::Closure(id, args)), out),
    }
}

fn owners_in(program: &Program, ty: Ty, out: &mut Vec<FnId>) {
    if let TyKind::Closure(id, _) = *ty.kind()
        && let BodyOwner::Fn(owner) = program.closure_owner(id)
        && !out.contains(&owner)
    {
        out.push(owner);
    }
    ty.for_each_child(|child| owners_in(program, child, out));
}

/// The name under which a function's closures are kept.
fn closures_key(owner: FnId) -> Vec<u8> {
    let mut key = b"closures".to_vec();
    key.extend(owner.0.to_le_bytes());
    key
}

fn key_bytes(program: &Program, key: Key) -> Option<Vec<u8>> {
    let mut coder = Coder::writer();
    write_key(&mut coder, program, key)?;
    Some(coder.out)
}

fn write_key(c: &mut Coder, program: &Program, key: Key) -> Option<()> {
    let (mut tag, mut id, types): (u64, u32, Args) = match key {
        Key::Fn(id, args) => (0, program.stable_fn(id)?.0, args),
        Key::Virtual(id, args) => (1, program.stable_fn(id)?.0, args),
        Key::Pointer(ty) => (2, 0, intern_list(&[ty])),
        Key::Closure(_, args, kind) => (3, CLOSURE_KINDS.iter().position(|&k| k == kind)? as u32, args),
    };
    c.num(&mut tag)?;
    c.index(&mut id)?;
    if let Key::Closure(mut id, ..) = key {
        code_closure(c, program, &mut id)?;
    }
    write_types(c, program, types)
}

fn read_key(c: &mut Coder, program: &Program) -> Option<Key> {
    let (mut tag, mut id) = (0, 0);
    c.num(&mut tag)?;
    c.index(&mut id)?;
    let mut closure = ClosureId(0);
    if tag == 3 {
        code_closure(c, program, &mut closure)?;
    }
    let types = read_types(c, program)?;
    Some(match tag {
        3 => Key::Closure(closure, types, *CLOSURE_KINDS.get(id as usize)?),
        0 => Key::Fn(program.stable_fn(FnId(id))?, types),
        1 => Key::Virtual(program.stable_fn(FnId(id))?, types),
        2 => Key::Pointer(*types.first()?),
        _ => return None,
    })
}

fn write_step(c: &mut Coder, program: &Program, writing: &mut Writing, step: &mut Step) -> Option<()> {
    let mut tag = match step {
        Step::Ty(_) => 0,
        Step::Add(_) => 1,
        Step::Part(..) => 2,
        Step::Func(_) => 3,
        Step::Extern(_) => 4,
        Step::LoadTime(_) => 5,
    };
    c.num(&mut tag)?;
    match step {
        Step::Ty(ty) => write_ty(c, program, *ty),
        Step::Func(key) => write_key(c, program, *key),
        Step::Add(ty) => c.structure(writing, ty),
        Step::Extern(ext) => code_extern(c, writing, ext),
        Step::Part(..) | Step::LoadTime(_) => code_plain(c, step),
    }
}

/// References that are left as they are in the bytes.
struct Local;

impl Refs for Local {
    fn ty(&mut self, id: TypeId) -> Option<TypeId> {
        Some(id)
    }

    fn func(&mut self, id: FuncId) -> Option<FuncId> {
        Some(id)
    }

    fn ext(&mut self, id: ExternId) -> Option<ExternId> {
        Some(id)
    }

    fn load_time(&mut self, id: LoadTimeId) -> Option<LoadTimeId> {
        Some(id)
    }

    fn pos_out(&mut self, _: Pos) -> [u64; 4] {
        [0; 4]
    }

    fn pos_in(&mut self, _: [u64; 4]) -> Option<Pos> {
        None
    }
}

/// Reads a step; the types in it are numbers of steps until it is done.
fn read_step(c: &mut Coder, program: &Program, step: &mut Step) -> Option<()> {
    let mut tag = 0;
    c.num(&mut tag)?;
    *step = match tag {
        0 => Step::Ty(read_ty(c, program)?),
        1 => {
            let mut ty = Type::Bool;
            c.structure(&mut Local, &mut ty)?;
            Step::Add(ty)
        }
        2 => Step::Part(0, 0),
        3 => Step::Func(read_key(c, program)?),
        4 => {
            let mut ext = Extern {
                name: String::new(),
                rust: String::new(),
                module: ModuleId(0),
                params: vec![],
                ret: TypeId(0),
                attrs: FuncAttrs::default(),
                can_panic: false,
                is_helper: false,
                touches: None,
            };
            code_extern(c, &mut Local, &mut ext)?;
            Step::Extern(ext)
        }
        5 => {
            let (rust, name) = (String::new(), String::new());
            Step::LoadTime(LoadTimeValue { rust, module: ModuleId(0), name, frozen: false })
        }
        _ => return None,
    };
    code_plain(c, step)
}

/// The steps that refer to nothing.
fn code_plain(c: &mut Coder, step: &mut Step) -> Option<()> {
    match step {
        Step::Part(whole, n) => {
            c.index(whole)?;
            c.index(n)
        }
        Step::LoadTime(value) => {
            c.text(&mut value.rust)?;
            c.index(&mut value.module.0)?;
            c.text(&mut value.name)?;
            c.bool(&mut value.frozen)
        }
        _ => Some(()),
    }
}

fn code_extern(c: &mut Coder, refs: &mut dyn Refs, ext: &mut Extern) -> Option<()> {
    c.text(&mut ext.name)?;
    c.text(&mut ext.rust)?;
    c.index(&mut ext.module.0)?;
    c.tys(refs, &mut ext.params)?;
    c.ty(refs, &mut ext.ret)?;
    c.attrs(&mut ext.attrs)?;
    c.bool(&mut ext.can_panic)?;
    c.bool(&mut ext.is_helper)?;
    let mut known = ext.touches.is_some();
    c.bool(&mut known)?;
    if !known {
        return Some(());
    }
    let touches = ext.touches.get_or_insert_with(|| Touches { reads: vec![], moves: vec![] });
    c.tys(refs, &mut touches.reads)?;
    c.tys(refs, &mut touches.moves)
}

/// Puts a program's types in the place of numbers of steps.
fn relocate(ty: &mut Type, reading: &mut Reading) -> Option<()> {
    match ty {
        Type::Slice(part) | Type::Array(part, _) | Type::Box(part) | Type::Vec(part) => {
            *part = reading.ty(*part)?
        }
        Type::Ref { to, .. } | Type::RawPtr { to, .. } => *to = reading.ty(*to)?,
        Type::FnPtr { params, ret } => {
            for part in params.iter_mut().chain([ret]) {
                *part = reading.ty(*part)?;
            }
        }
        Type::Tuple(parts) => {
            for part in parts {
                *part = reading.ty(*part)?;
            }
        }
        _ => {}
    }
    Some(())
}
