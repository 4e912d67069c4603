//! Printing what the build script reports of a translation.

use crate::build::Translated;
use crate::{Format, Result};
use serde_json::Value;

/// Prints the report of a translation.
pub fn print(out: &Translated, format: Format) -> Result<()> {
    match format {
        Format::Json => {
            println!("{}", serde_json::to_string_pretty(&out.report).map_err(|error| error.to_string())?)
        }
        Format::Text => print!("{}", text(out)),
    }
    Ok(())
}

fn names(report: &Value, key: &str) -> Vec<String> {
    let list = report.get(key).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|entry| match entry {
            Value::String(name) => name.clone(),
            other => {
                let part = |key| other.get(key).and_then(Value::as_str);
                let name = part("name").or_else(|| part("code")).unwrap_or("?");
                let why = part("why").or_else(|| part("message"));
                let mut text = why.map_or_else(|| name.to_string(), |why| format!("{name}: {why}"));
                if let Some(help) = part("help").filter(|help| !help.is_empty()) {
                    text.push_str(&format!("; {help}"));
                }
                if let Some(at) = part("at") {
                    text.push_str(&format!(" ({at})"));
                }
                text
            }
        })
        .collect()
}

/// What was inferred about a call, in one line.
fn effect(call: &Value) -> String {
    let set = |key: &str| match call.get(key) {
        Some(Value::Array(list)) if list.is_empty() => None,
        Some(Value::Array(list)) => {
            let names: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            Some(format!("{key} {}", names.join(", ")))
        }
        Some(Value::String(all)) => Some(format!("{key} {all}")),
        _ => None,
    };
    let flag = |key: &str, text: &str| {
        call.get(key).and_then(Value::as_bool).filter(|on| *on).map(|_| text.to_string())
    };
    let parts = [
        set("reads"),
        set("writes"),
        flag("may_panic", "may panic"),
        flag("may_collect", "may allocate"),
        flag("elidable", "elidable"),
        flag("loop_invariant", "loop-invariant"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let name = call.get("name").and_then(Value::as_str).unwrap_or("?");
    if parts.is_empty() { format!("{name}: nothing") } else { format!("{name}: {}", parts.join("; ")) }
}

/// The stages of the translation, with the milliseconds that each took.
pub fn stages(report: &Value) -> Vec<(String, f64)> {
    let list = report.get("stages").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|stage| {
            let ns = stage.get("nanoseconds")?.as_f64()?;
            Some((stage.get("name")?.as_str()?.to_string(), ns / 1e6))
        })
        .collect()
}

/// The report for people.
fn text(out: &Translated) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let report = &out.report;
    for (title, key) in [
        ("portals", "portals"),
        ("functions looked inside", "looked_inside"),
        ("functions called, and why", "called"),
        ("functions that are elidable", "elidable"),
        ("functions never reached by traces", "never_reached"),
        ("notes", "notes"),
    ] {
        let list = names(report, key);
        if !list.is_empty() {
            let _ = writeln!(text, "{title} ({}):", list.len());
            for name in list {
                let _ = writeln!(text, "    {name}");
            }
        }
    }
    let effects = report.get("effects").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !effects.is_empty() {
        let _ = writeln!(text, "effects of calls ({}):", effects.len());
        for call in effects {
            let _ = writeln!(text, "    {}", effect(call));
        }
    }
    let number = |key: &str| report.get(key).and_then(Value::as_u64).unwrap_or(0);
    let _ = writeln!(
        text,
        "jitcode: {} bytes in an image of {} bytes",
        number("jitcode_bytes"),
        number("image_bytes")
    );
    let count = |key: &str| report.get("functions").and_then(|f| f.get(key)).and_then(Value::as_u64);
    if let (Some(reused), Some(translated)) = (count("reused"), count("translated")) {
        let _ = writeln!(text, "functions: {reused} reused, {translated} translated");
    }
    let stages = stages(report);
    if !stages.is_empty() {
        let parts: Vec<String> = stages.iter().map(|(name, ms)| format!("{name} {ms:.1} ms")).collect();
        let total: f64 = stages.iter().map(|(_, ms)| ms).sum();
        let _ = writeln!(text, "time: {} (in all {total:.1} ms)", parts.join(", "));
    }
    let _ = writeln!(text, "binary: {}", out.binary.display());
    let _ = writeln!(text, "beside it: {}", out.dir.display());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn the_text_names_everything() {
        let report = serde_json::json!({
            "portals": ["toy::run"],
            "looked_inside": ["toy::run", "toy::step"],
            "called": [{ "name": "toy::print", "why": "#[dont_look_inside]", "at": "src/lib.rs:3:1" }],
            "elidable": [{ "name": "toy::square", "why": "is marked", "at": null }],
            "never_reached": [{ "name": "toy::main", "at": "src/main.rs:1:1" }],
            "effects": [
                { "name": "toy::print", "reads": "everything", "writes": ["Log.lines"], "may_panic": true },
                { "name": "toy::square", "reads": [], "writes": [], "elidable": true },
                { "name": "toy::none", "reads": [], "writes": [] },
            ],
            "jitcode_bytes": 120, "image_bytes": 400,
            "stages": [{ "name": "load", "nanoseconds": 1_500_000u64 }, { "name": "encode", "nanoseconds": 500_000u64 }],
        });
        let out = Translated { dir: PathBuf::from("d"), binary: PathBuf::from("d/toy"), report };
        let text = text(&out);
        for part in [
            "toy::step",
            "toy::print: #[dont_look_inside] (src/lib.rs:3:1)",
            "toy::square: is marked",
            "toy::main (src/main.rs:1:1)",
            "toy::print: reads everything; writes Log.lines; may panic",
            "toy::square: elidable",
            "toy::none: nothing",
            "120 bytes",
            "load 1.5 ms",
            "in all 2.0 ms",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
