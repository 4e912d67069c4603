//! The whole of code generation: a flow program to a jitcode program and its glue.

use std::collections::HashMap;

use metatrace_defs::descr::CallDescr;
use metatrace_defs::jitcode::{JitCode, JitCodeId, Portal, PortalParam, Program};
use metatrace_defs::verify::verify;
use metatrace_defs::{CallId, Kind};
use metatrace_translator::diag::Code;
use metatrace_translator::flow::{self, FuncId, ModuleId, Note, Pos};

use crate::classify::Classes;
use crate::effects::effects;
use crate::emit::emit;
use crate::glue;
use crate::layout::{EnumLayout, enum_layout, reaches_own, short_name};
use crate::lower::{Context, JitCodes, Refused, lower};
use crate::tables::{Call, ShimKind, Tables};

/// A mistake of the author that keeps the program from being translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind.
    pub code: Code,
    /// Where.
    pub pos: Pos,
    /// What is wrong.
    pub message: String,
    /// Beside the place: why.
    pub label: String,
    /// What to do about it.
    pub help: String,
    /// The text that does it, to be inserted at the place.
    pub insert: Option<String>,
}

/// A function that is called natively although it is of the crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Its path.
    pub name: String,
    /// Why.
    pub why: String,
    /// Whether that is because calls of it with the same arguments are interchangeable.
    pub elidable: bool,
    /// Where it is defined.
    pub pos: Pos,
}

/// What was generated.
#[derive(Debug)]
pub struct Output {
    /// The jitcodes and all they refer to.
    pub program: Program,
    /// The glue of each module that needs some: its path, and the text of its file.
    pub glue: Vec<(String, String)>,
    /// Functions that are looked inside but have no jitcode, for they were inlined wherever they are called.
    pub inlined: Vec<String>,
    /// Functions that are called and not looked inside.
    pub outside: Vec<Outside>,
    /// Functions of the crate that traces neither look inside nor call.
    pub unreached: Vec<(String, Pos)>,
    /// Functions that could not be looked inside though nothing in their source says so, and other advice.
    pub notes: Vec<Note>,
}

/// Generates jitcode and glue.
///
/// # Errors
/// All mistakes found.
///
/// # Panics
/// On bugs of the translator or of this crate: a flow program that breaks the rules, jitcode that does.
pub fn generate(program: &flow::Program) -> Result<Output, Vec<Error>> {
    let mut refused: HashMap<FuncId, Refused> = HashMap::new();
    let reached = loop {
        let survey = survey(program, &refused);
        if survey.refused.is_empty() {
            break survey;
        }
        refuse(program, survey.refused, &mut refused)?;
    };
    // Now that it is known which functions are looked inside, small ones are inlined.
    let smaller = flow::inline::program(program, &|id| reached.classes.is_inside(id));
    let (output, funcs) = match attempt(&smaller, &refused) {
        Ok(made) => finish(&smaller, made, &refused)?,
        // Some graph became too large for its instructions: all stay as they were written.
        Err(_) => as_written(program, refused)?,
    };
    let unreached = unreached(program, &reached);
    let gone = reached.funcs.iter().filter(|id| !funcs.contains(id));
    Ok(Output { inlined: gone.map(|&id| program.func(id).name.clone()).collect(), unreached, ..output })
}

fn as_written(
    program: &flow::Program,
    mut refused: HashMap<FuncId, Refused>,
) -> Result<(Output, Vec<FuncId>), Vec<Error>> {
    loop {
        match attempt(program, &refused) {
            Ok(made) => return finish(program, made, &refused),
            Err(found) => refuse(program, vec![found], &mut refused)?,
        }
    }
}

/// Functions that turned out to be impossible to look inside are looked inside no more, so that their callers call them or
/// are refused themselves. Portals cannot be.
fn refuse(
    program: &flow::Program,
    found: Vec<(FuncId, Refused)>,
    refused: &mut HashMap<FuncId, Refused>,
) -> Result<(), Vec<Error>> {
    let is_portal = |id: FuncId| program.portals.iter().any(|portal| portal.func == id);
    let (portals, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|(id, _)| is_portal(*id));
    refused.extend(others);
    let errors: Vec<Error> = portals.into_iter().map(|(id, why)| portal_error(program, id, why)).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// What is reached from the portals, as far as it can be looked inside.
struct Survey {
    tables: Tables,
    funcs: Vec<FuncId>,
    classes: Classes,
    refused: Vec<(FuncId, Refused)>,
}

/// Lowers all functions that are reached, to see which can be.
fn survey(program: &flow::Program, known: &HashMap<FuncId, Refused>) -> Survey {
    let classes = Classes::new(program, known);
    let (mut tables, mut numbers) = (Tables::default(), JitCodes::default());
    program.portals.iter().for_each(|portal| _ = numbers.of(portal.func));
    let mut refused = Vec::new();
    let mut next = 0;
    while let Some(&id) = numbers.funcs.get(next) {
        let cx = Context { program, classes: &classes, tables: &mut tables, jitcodes: &mut numbers };
        refused.extend(lower(cx, id).err().map(|why| (id, why)));
        next += 1;
    }
    Survey { tables, funcs: numbers.funcs, classes, refused }
}

fn portal_error(program: &flow::Program, func: FuncId, why: Refused) -> Error {
    let name = &program.func(func).name;
    Error {
        code: Code::NotTraceable,
        pos: if why.pos.line == 0 { program.func(func).pos } else { why.pos },
        message: format!("the portal `{name}` cannot be traced: {}", why.reason),
        label: "a portal is always looked inside".to_string(),
        help: "move this code to a function with a name and `#[jit::dont_look_inside]`".to_string(),
        insert: None,
    }
}

/// What one attempt made.
pub(crate) struct Made {
    pub(crate) tables: Tables,
    pub(crate) jitcodes: Vec<JitCode>,
    pub(crate) funcs: Vec<FuncId>,
    portals: Vec<Portal>,
    classes: Classes,
}

fn attempt(program: &flow::Program, refused: &HashMap<FuncId, Refused>) -> Result<Made, (FuncId, Refused)> {
    let classes = Classes::new(program, refused);
    let (mut tables, mut numbers) = (Tables::default(), JitCodes::default());
    program.portals.iter().for_each(|portal| _ = numbers.of(portal.func));
    let mut jitcodes = Vec::new();
    let mut merge_points = Vec::new();
    while let Some(&id) = numbers.funcs.get(jitcodes.len()) {
        let cx = Context { program, classes: &classes, tables: &mut tables, jitcodes: &mut numbers };
        let lowered = lower(cx, id).map_err(|why| (id, why))?;
        let func = program.func(id);
        let too_large = |reason| (id, Refused { pos: func.pos, reason });
        let (jitcode, merge_point) = emit(func.name.clone(), lowered).map_err(too_large)?;
        jitcodes.push(jitcode);
        merge_points.push(merge_point);
    }
    let mut portals = Vec::new();
    for portal in &program.portals {
        let jitcode = JitCodeId(numbers.of(portal.func));
        let call = portal_call(program, &mut tables, portal, &jitcodes[jitcode.index()])
            .map_err(|why| (portal.func, why))?;
        let func = program.func(portal.func);
        let params = portal.params.iter().enumerate().map(|(n, name)| PortalParam {
            name: name.clone(),
            kinds: program.types.scalars(func.params[n]).unwrap_or_else(|| vec![Kind::Word]),
            green: portal.greens.contains(&n) || portal.owner == Some(n),
            owner: portal.owner == Some(n),
        });
        let merge_point = merge_points[jitcode.index()].unwrap_or(0);
        let results = jitcodes[jitcode.index()].results.clone();
        let name = portal.name.clone();
        portals.push(Portal { name, jitcode, merge_point, call, params: params.collect(), results });
    }
    tables.add_referenced_fields(&program.types);
    Ok(Made { tables, jitcodes, funcs: numbers.funcs, portals, classes })
}

/// The call of the native portal.
fn portal_call(
    program: &flow::Program,
    tables: &mut Tables,
    portal: &flow::Portal,
    jitcode: &JitCode,
) -> Result<CallId, Refused> {
    let func = program.func(portal.func);
    let refuse = |reason: String| Refused { pos: func.pos, reason };
    if let Some(n) = func.params.iter().position(|&ty| program.types.is_memory(ty)) {
        let name = &portal.params[n];
        return Err(refuse(format!("its parameter `{name}` is too large to be passed in registers")));
    }
    if program.types.is_memory(func.ret) {
        return Err(refuse("its result is too large to be passed in registers".to_string()));
    }
    let reached = func.params.iter().chain([&func.ret]).find_map(|&ty| reaches_own(&program.types, ty));
    if let Some(ty) = reached {
        let ty = short_name(&program.types, ty);
        return Err(refuse(format!("its parameters or result reach a `{ty}`, whose layout is not known")));
    }
    let (most, have) = (CallDescr::MAX_ARGS, jitcode.params.len());
    if have > most {
        return Err(refuse(format!("its parameters have {have} words, more than {most}")));
    }
    let kind = ShimKind::Func(portal.func);
    Ok(tables.call(kind, false, || Call {
        name: func.name.clone(),
        kind,
        wild: false,
        args: jitcode.params.clone(),
        results: jitcode.results.clone(),
        flags: metatrace_defs::descr::call_flag::CAN_PANIC | metatrace_defs::descr::call_flag::CAN_COLLECT,
    }))
}

fn finish(
    program: &flow::Program,
    made: Made,
    refused: &HashMap<FuncId, Refused>,
) -> Result<(Output, Vec<FuncId>), Vec<Error>> {
    let glue = glue::generate(program, &made)?;
    let mut calls = Vec::new();
    for call in &made.tables.calls {
        let effects = effects(program, &made.tables.classes, call);
        calls.push(CallDescr {
            name: call.name.clone(),
            shim: made.tables.shim(call.kind),
            args: call.args.clone(),
            results: call.results.clone(),
            reads: effects.reads,
            writes: effects.writes,
            flags: call.flags,
        });
    }
    let shim_name = |kind: &ShimKind| {
        let call = made.tables.calls.iter().find(|call| call.kind == *kind);
        call.map_or(String::new(), |call| call.name.clone())
    };
    let value_name = |offset: &crate::layout::Offset| {
        let literal = (offset.literal != 0).then(|| offset.literal.to_string());
        let names = offset.terms.iter().map(|term| term.name.clone()).chain(literal);
        names.collect::<Vec<_>>().join(" + ")
    };
    let image = Program {
        name: program.name.clone(),
        hash: program.hash,
        allocs: made.tables.allocs.clone(),
        glue_shims: made.tables.shims.iter().map(shim_name).collect(),
        glue_values: made.tables.values.iter().map(value_name).collect(),
        classes: made.tables.class_descriptors(&program.types),
        accesses: made.tables.accesses.clone(),
        calls,
        files: program.files.clone(),
        portals: made.portals.clone(),
        jitcodes: made.jitcodes.clone(),
    };
    if let Err(errors) = verify(&image) {
        let text = metatrace_defs::text::print(&image);
        panic!("generated jitcode breaks rules:\n{}\n{text}", errors.join("\n"));
    }
    let notes = notes(program, &made, refused);
    let outside = outside(program, &made);
    let output = Output { program: image, glue, inlined: Vec::new(), outside, unreached: Vec::new(), notes };
    Ok((output, made.funcs))
}

/// The functions of the crate that are called natively.
fn outside(program: &flow::Program, made: &Made) -> Vec<Outside> {
    let mut out = Vec::new();
    for kind in &made.tables.shims {
        let ShimKind::Func(id) = *kind else { continue };
        let func = program.func(id);
        let why = made.classes.why_outside(id).to_string();
        // The portal's own call is for going on natively, unless something calls it.
        let elidable = func.attrs.elidable;
        out.push(Outside { name: func.name.clone(), why, elidable, pos: func.pos });
    }
    out
}

/// The functions of the crate that traces have nothing to do with: nothing calls them, or only what is not looked inside.
fn unreached(program: &flow::Program, reached: &Survey) -> Vec<(String, Pos)> {
    let called = |id: FuncId| reached.tables.shims.contains(&ShimKind::Func(id));
    let unused = |(n, func): (usize, &flow::Func)| {
        let id = FuncId::new(n);
        let out = func.rust.is_some() && !reached.funcs.contains(&id) && !called(id);
        out.then(|| (func.name.clone(), func.pos))
    };
    let mut out = program.unreached.clone();
    out.extend(program.funcs.iter().enumerate().filter_map(unused));
    out.sort_by(|a, b| (a.1.file, a.1.line, &a.0).cmp(&(b.1.file, b.1.line, &b.0)));
    out
}

fn notes(program: &flow::Program, made: &Made, refused: &HashMap<FuncId, Refused>) -> Vec<Note> {
    let mut out = program.notes.clone();
    for (id, why) in refused {
        let subject = program.func(*id).name.clone();
        let message = format!("`{subject}` is called, not looked inside: {}", why.reason);
        let help = String::new();
        let note = Note { code: Code::Called, subject, message, help, pos: why.pos, width: 0, chain: vec![] };
        out.push(note);
    }
    for kind in &made.tables.shims {
        if let ShimKind::Variant(ty) | ShimKind::Load(ty) = *kind
            && enum_layout(&program.types, ty) == EnumLayout::Accessors
        {
            let note = read_by_calls(program, ty);
            if !out.iter().any(|n| n.message == note.message) {
                out.push(note);
            }
        }
    }
    out.sort_by(|a, b| (a.pos.file, a.pos.line, &a.subject).cmp(&(b.pos.file, b.pos.line, &b.subject)));
    out
}

/// Advice about a type whose layout rustc is free to choose.
fn read_by_calls(program: &flow::Program, ty: flow::types::TypeId) -> Note {
    let subject = program.types.data(ty).rust.clone();
    let message = format!("the layout of `{subject}` is not defined, so traces read it by calls");
    // Only the author of a type can give it a layout.
    let (pos, help) = match program.types.get(ty) {
        flow::types::Type::Adt(adt) if adt.pos != Pos::default() => {
            (adt.pos, "write `#[repr(u8)]` on it, and reads become part of traces".to_string())
        }
        _ => (
            Pos::default(),
            "where this is read often, use an enum of your own with `#[repr(u8)]` instead".to_string(),
        ),
    };
    Note { code: Code::ReadByCalls, subject, message, help, pos, width: 0, chain: vec![] }
}

/// The number of the module that is the root of the crate with the portals.
pub(crate) fn root(program: &flow::Program) -> Option<ModuleId> {
    program.modules.iter().rposition(|module| module.parent.is_none()).map(ModuleId::new)
}
