//! `gc/WORKLOAD`: the collector against `malloc` and `free`; `gc/compiled`: allocation in compiled code.

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
        if self.wants(&name("compiled")) {
            self.build("metatrace-backend-cranelift", "allocate")?;
            let output = Command::new(self.root.join("target/release/examples/allocate")).output();
            let output = output.map_err(|error| format!("compiled allocation could not be run: {error}"))?;
            let time = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
            let time = time.map_err(|_| "compiled allocation gave no time".to_string())?;
            self.add(name("compiled"), &[("ns/object of 32 bytes", time), ("asked", 2.5)]);
        }
        if !WORKLOADS.iter().any(|(workload, _)| self.wants(&name(workload))) {
            return Ok(());
        }
        self.build("metatrace-gc", "workloads")?;
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

    pub(super) fn build(&self, package: &str, example: &str) -> Result<()> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).args(["build", "--quiet", "--release", "--package", package]);
        match cargo.args(["--example", example]).status() {
            Ok(status) if status.success() => Ok(()),
            _ => Err(format!("the example `{example}` could not be built")),
        }
    }
}
