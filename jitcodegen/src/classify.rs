//! Which functions are looked inside.
//!
//! A function is looked inside if it has a graph, no hint speaks against it, and it has no loop (unless it is a portal
//! or marked `unroll_safe`). All others are called natively. Calls of a portal are for the recorder to decide: it looks
//! inside unless the call is recursive or there is compiled code to enter.

use std::collections::HashMap;

use metatrace_translator::flow::verify::has_loop;
use metatrace_translator::flow::{FuncId, Program};

use crate::lower::Refused;

/// The classification of a program's functions.
pub struct Classes {
    /// Why each function is not looked inside where it is called; `None` if it is.
    outside: Vec<Option<String>>,
}

impl Classes {
    /// Classifies the functions of `program`; those in `refused` turned out to be impossible to look inside.
    pub fn new(program: &Program, refused: &HashMap<FuncId, Refused>) -> Classes {
        let outside = |n: usize| {
            let id = FuncId::new(n);
            if let Some(refused) = refused.get(&id) {
                return Some(format!("cannot be looked inside: {}", refused.reason));
            }
            why_outside(program, id)
        };
        Classes { outside: (0..program.funcs.len()).map(outside).collect() }
    }

    /// Whether calls of a function are looked inside.
    pub fn is_inside(&self, id: FuncId) -> bool {
        self.outside[id.index()].is_none()
    }

    /// Why calls of a function are not looked inside, as the end of a sentence about it.
    pub fn why_outside(&self, id: FuncId) -> &str {
        self.outside[id.index()].as_deref().unwrap_or("is looked inside")
    }
}

fn why_outside(program: &Program, id: FuncId) -> Option<String> {
    let func = program.func(id);
    let hint = |on: bool, name: &str| on.then(|| format!("is marked `#[jit::{name}]`"));
    let hinted = hint(func.attrs.reads_only, "reads_only")
        .or_else(|| hint(func.attrs.dont_look_inside, "dont_look_inside"))
        .or_else(|| hint(func.attrs.elidable, "elidable"))
        .or_else(|| hint(func.attrs.loop_invariant, "loop_invariant"))
        .or_else(|| hint(func.attrs.not_in_trace, "not_in_trace"));
    if hinted.is_some() {
        return hinted;
    }
    let graph = match &func.body {
        Ok(graph) => graph,
        Err(why) => return Some(format!("cannot be entered: {why}")),
    };
    if program.portals.iter().any(|portal| portal.func == id) {
        return Some("is a portal".to_string());
    }
    let has_loop = !func.attrs.unroll_safe && has_loop(graph);
    has_loop.then(|| "has a loop and is not marked `#[jit::unroll_safe]`".to_string())
}
