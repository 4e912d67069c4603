//! `report.json`: what was translated, what was not and why, and how long it took.

use std::time::Duration;

use metatrace_defs::descr::{CallDescr, ClassSet, call_flag};
use metatrace_translator::flow::{Pos, Program};
use serde_json::{Value, json};

use crate::generate::{Output, Outside};

/// The stages of a translation, in their order, with the time each took.
#[derive(Clone, Debug, Default)]
pub struct Stages(pub Vec<(&'static str, Duration)>);

/// The report of a translation.
pub fn report(
    program: &Program,
    output: &Output,
    image: usize,
    stages: &Stages,
    (reused, translated): (usize, usize),
) -> Value {
    let at = |pos: Pos| {
        let file = program.files.get(pos.file as usize).filter(|_| pos.line != 0);
        file.map_or(Value::Null, |file| json!(format!("{file}:{}:{}", pos.line, pos.column)))
    };
    let jitcodes = &output.program.jitcodes;
    let outside = |elidable: bool| {
        let chosen = output.outside.iter().filter(|outside| outside.elidable == elidable);
        let entry =
            |outside: &Outside| json!({ "name": outside.name, "why": outside.why, "at": at(outside.pos) });
        chosen.map(entry).collect::<Vec<_>>()
    };
    json!({
        "crate": program.name,
        "hash": format!("{:#018x}", program.hash),
        "portals": output.program.portals.iter().map(|portal| json!({
            "name": portal.name,
            "function": output.program.jitcode(portal.jitcode).name,
            "greens": portal.params.iter().filter(|p| p.green).map(|p| &p.name).collect::<Vec<_>>(),
            "owner": portal.params.iter().find(|p| p.owner).map(|p| &p.name),
            "reds": portal.params.iter().filter(|p| !p.green).map(|p| &p.name).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "looked_inside": jitcodes.iter().map(|jitcode| (&jitcode.name, jitcode.code.len()))
            .chain(output.inlined.iter().map(|name| (name, 0)))
            .map(|(name, bytes)| json!({
                "name": name,
                "bytes": bytes,
                "at": program.funcs.iter().find(|f| f.name == *name).map(|f| at(f.pos)),
            })).collect::<Vec<_>>(),
        "called": outside(false),
        "elidable": outside(true),
        "never_reached": output.unreached.iter().map(|(name, pos)| json!({
            "name": name,
            "at": at(*pos),
        })).collect::<Vec<_>>(),
        "effects": output.program.calls.iter().map(|call| effects(&output.program, call)).collect::<Vec<_>>(),
        "notes": output.notes.iter().map(|note| json!({
            "code": note.code.id(),
            "subject": note.subject,
            "message": note.message,
            "help": note.help,
            "at": at(note.pos),
            "chain": note.chain,
        })).collect::<Vec<_>>(),
        "functions": { "reused": reused, "translated": translated },
        "jitcode_bytes": jitcodes.iter().map(|jitcode| jitcode.code.len()).sum::<usize>(),
        "image_bytes": image,
        "load_time_values": output.program.glue_values.len(),
        "call_shims": output.program.glue_shims.len(),
        "stages": stages.0.iter().map(|(name, time)| json!({
            "name": name,
            "nanoseconds": time.as_nanos() as u64,
        })).collect::<Vec<_>>(),
        "nanoseconds": stages.0.iter().map(|(_, time)| time.as_nanos() as u64).sum::<u64>(),
    })
}

/// What was inferred about a call: the kinds of memory that it may read and write, and what else may happen in it.
fn effects(program: &metatrace_defs::Program, call: &CallDescr) -> Value {
    let classes = |set: &ClassSet| match set {
        ClassSet::All => json!("everything"),
        ClassSet::Some(list) => {
            json!(list.iter().map(|c| &program.classes[c.index()].name).collect::<Vec<_>>())
        }
    };
    json!({
        "name": call.name,
        "reads": classes(&call.reads),
        "writes": classes(&call.writes),
        "may_panic": call.has(call_flag::CAN_PANIC),
        "may_collect": call.has(call_flag::CAN_COLLECT),
        "elidable": call.has(call_flag::ELIDABLE),
        "loop_invariant": call.has(call_flag::LOOP_INVARIANT),
    })
}
