//! `code/…`: going into, between and out of compiled code; `compile/…`: what it takes to make it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::measure::{Cmd, medians};
use super::{Bench, RUNS};
use crate::Result;

/// The transitions that the example measures: its name for each, ours, and the nanoseconds asked, if any.
const TRANSITIONS: [(&str, &str, Option<f64>); 3] =
    [("enter", "code/enter", Some(10.0)), ("bridge", "code/bridge", Some(6.0)), ("call", "code/call", None)];

/// The program whose guards are made to fail, and parameters with which no failure becomes a bridge.
const FAILING: (&str, &str) = ("stack/sort", "trace_eagerness=1000000000");

impl Bench<'_> {
    pub(super) fn code(&mut self) -> Result<()> {
        if TRANSITIONS.iter().any(|(_, name, _)| self.wants(name)) {
            self.build("metatrace-backend-cranelift", "transitions")?;
            let output = Command::new(self.root.join("target/release/examples/transitions")).output();
            let output = output.map_err(|error| format!("transitions could not be run: {error}"))?;
            let text = String::from_utf8_lossy(&output.stdout);
            for (measured, name, asked) in TRANSITIONS {
                if !self.wants(name) {
                    continue;
                }
                let line = text.lines().find_map(|line| line.strip_prefix(measured)?.strip_prefix(' '));
                let time = line.and_then(|time| time.parse().ok());
                let time = time.ok_or_else(|| format!("transitions gave no time for `{measured}`"))?;
                let figures: Vec<(&str, f64)> =
                    [("ns", time)].into_iter().chain(asked.map(|asked| ("asked", asked))).collect();
                self.add(name.to_string(), &figures);
            }
        }
        self.failing()
    }

    /// What failing guards cost: the same program without bridges takes longer, by its failures.
    fn failing(&mut self) -> Result<()> {
        let name = "code/guard failure";
        if !self.wants(name) {
            return Ok(());
        }
        let (program, parameters) = FAILING;
        let cmd = Cmd::new(&self.translated("guests")?.binary).arg(Path::new(program));
        let without = cmd.clone().env("METATRACE", parameters);
        let failures = number(&without.stats(&self.root)?, "guard_failures")?;
        let times = medians(&[without, cmd], RUNS)?;
        let each = (times[0] - times[1]) * 1e9 / failures;
        self.add(
            name.to_string(),
            &[("ns until entered again", each), ("failures", failures), ("asked", 1000.0)],
        );
        Ok(())
    }

    pub(super) fn compile(&mut self) -> Result<()> {
        if self.filter.is_some_and(|filter| !filter.contains("compile")) {
            return Ok(());
        }
        let binary = self.translated("guests")?.binary;
        let list = Command::new(&binary).arg("list").output().map_err(|error| format!("guests: {error}"))?;
        for program in String::from_utf8_lossy(&list.stdout).lines() {
            let name = format!("compile/{program}");
            if !self.wants(&name) {
                continue;
            }
            let stats = Cmd::new(&binary).arg(Path::new(program)).stats(&self.root)?;
            let recorded = number(&stats, "operations_recorded")?;
            if recorded == 0.0 {
                continue;
            }
            let spent = |stage: &str| number(&stats["nanoseconds"], stage).map(|ns| ns / 1e3);
            let stages = [spent("recording")?, spent("optimising")?, spent("code_generation")?];
            let all: f64 = stages.iter().sum();
            let optimised = number(&stats, "operations_optimised")?;
            self.add(
                name,
                &[
                    ("recording us/op", stages[0] / recorded),
                    ("optimising us/op", stages[1] / recorded),
                    ("code us/op", stages[2] / recorded),
                    ("in all us/op", all / recorded),
                    ("asked", 15.0),
                    ("bytes/op", number(&stats, "code_bytes")? / optimised),
                    ("in all ms", all / 1e3),
                ],
            );
        }
        Ok(())
    }
}

fn number(stats: &Value, name: &str) -> Result<f64> {
    stats[name].as_f64().ok_or_else(|| format!("the statistics do not tell `{name}`"))
}
