//! `inspect`: the jitcodes in a linked binary.

use crate::{Format, Result};
use metatrace_defs::jitcode::{JitCodeId, Program};
use metatrace_jitcodegen::inspect as read;
use std::path::Path;

/// Prints what `binary` contains: the functions' names, those that `function` names, or all.
pub fn inspect(binary: &Path, list: bool, function: Option<&str>, format: Format) -> Result<()> {
    let programs = read::read_file(binary).map_err(|error| format!("{}: {error}", binary.display()))?;
    let mut shown = Vec::new();
    for program in &programs {
        let only = function.map(|path| read::find(program, path));
        if only.as_ref().is_none_or(|found| !found.is_empty()) {
            shown.push((program, only));
        }
    }
    if let (Some(path), true) = (function, shown.is_empty()) {
        return Err(format!(
            "{}: no function called `{path}`; `--list` shows what there is",
            binary.display()
        ));
    }
    match format {
        Format::Text => {
            shown.iter().for_each(|(program, only)| print!("{}", text(program, list, only.as_deref())))
        }
        Format::Json => {
            let all: Vec<_> =
                shown.iter().map(|(program, only)| read::to_json(program, only.as_deref(), !list)).collect();
            println!("{}", serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?);
        }
    }
    Ok(())
}

fn text(program: &Program, list: bool, only: Option<&[JitCodeId]>) -> String {
    match only {
        _ if list => read::list(program),
        Some(found) => found.iter().map(|&id| read::show(program, id)).collect(),
        None => read::show_all(program),
    }
}
