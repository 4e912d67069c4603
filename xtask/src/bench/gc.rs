//! `gc/WORKLOAD`: the collector against `malloc` and `free`.

use std::path::Path;
use std::process::Command;

use super::measure::{Cmd, medians};
use super::{Bench, RUNS};
use crate::Result;

/// The workloads, and the part of `malloc`'s time here that the yardstick takes for the same work: a prototype without weak
/// tables, drops and checks, whose figures the collector is held to. Both were measured side by side, on one machine.
const WORKLOADS: [(&str, f64); 6] = [
    ("trees-16", 0.57),
    ("trees-18", 0.57),
    ("lists", 0.52),
    ("tables", 0.46),
    ("mixed", 0.42),
    ("churn", 0.24),
];

impl Bench<'_> {
    pub(super) fn gc(&mut self) -> Result<()> {
        let name = |workload: &str| format!("gc/{workload}");
        if !WORKLOADS.iter().any(|(workload, _)| self.wants(&name(workload))) {
            return Ok(());
        }
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).args(["build", "--quiet", "--release", "--package", "metatrace-gc"]);
        match cargo.args(["--example", "workloads"]).status() {
            Ok(status) if status.success() => {}
            _ => return Err("the workloads of the collector could not be built".to_string()),
        }
        let binary = self.root.join("target/release/examples/workloads");
        for (workload, yardstick) in WORKLOADS {
            if !self.wants(&name(workload)) {
                continue;
            }
            let cmd = |memory: &str| Cmd::new(&binary).arg(Path::new(workload)).arg(Path::new(memory));
            let times = medians(&[cmd("gc"), cmd("malloc")], RUNS)?;
            let ratio = times[0] / times[1];
            self.add(
                name(workload),
                &[
                    ("collector s", times[0]),
                    ("malloc s", times[1]),
                    ("collector/malloc", ratio),
                    ("yardstick/malloc", yardstick),
                    ("collector/yardstick", ratio / yardstick),
                ],
            );
        }
        Ok(())
    }
}
