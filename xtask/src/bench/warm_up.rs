//! `warm-up/…`: how long compiling holds a program up; `rules/…`: what the optimiser's rules are good for.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::measure::{Cmd, medians};
use super::{Bench, RUNS};
use crate::Result;

impl Bench<'_> {
    /// Time to within a tenth of the steady state.
    ///
    /// What a program takes is a constant (recording, compiling, what was interpreted until then) and so much for each merge point.
    /// Two runs of different sizes tell both. When eleven times the constant has passed, a tenth too much was taken till then.
    pub(super) fn warm_up(&mut self) -> Result<()> {
        if !self.wants_any("warm-up/") {
            return Ok(());
        }
        let binary = self.translated("guests")?.binary;
        for (program, large) in programs(&binary)? {
            let name = format!("warm-up/{program}");
            if !self.wants(&name) {
                continue;
            }
            let of_size =
                |size: i64| Cmd::new(&binary).arg(Path::new(&program)).arg(Path::new(&size.to_string()));
            let passed = |cmd: &Cmd| -> Result<f64> {
                let stats = cmd.stats(&self.root)?;
                let count = |name: &str| stats[name].as_f64().unwrap_or(0.0);
                Ok(count("merge_points_interpreted") + count("merge_points_compiled"))
            };
            let whole = of_size(large);
            let many = passed(&whole)?;
            // Clearly less work, but so much that all is compiled, however work grows with the size.
            let mut half = None;
            for size in [large - 2, large / 4 * 3, large / 2] {
                let few = passed(&of_size(size))?;
                if few < 0.6 * many {
                    half = Some((of_size(size), few));
                    break;
                }
            }
            // What does not grow with the size has no steady state.
            let Some((half, few)) = half else { continue };
            let nothing = of_size(1).env("METATRACE", "off");
            let times = medians(&[half, whole, nothing], RUNS)?;
            let each = (times[1] - times[0]) / (many - few);
            let constant = times[0] - times[2] - each * few;
            self.add(
                name,
                &[
                    ("ms until within a tenth", (11e3 * constant).max(0.0)),
                    ("constant ms", 1e3 * constant),
                    ("ns per merge point", 1e9 * each),
                ],
            );
        }
        Ok(())
    }

    /// How often each rule was used in the guests' programs; rules that never were come with 0.
    pub(super) fn rules(&mut self) -> Result<()> {
        if !self.wants_any("rules/") {
            return Ok(());
        }
        let binary = self.translated("guests")?.binary;
        let mut uses: BTreeMap<String, f64> = BTreeMap::new();
        for (program, _) in programs(&binary)? {
            let stats = Cmd::new(&binary).arg(Path::new(&program)).stats(&self.root)?;
            let rules = stats["rules"].as_object().ok_or("the statistics do not tell `rules`")?;
            for (rule, count) in rules {
                *uses.entry(rule.clone()).or_default() += count.as_f64().unwrap_or(0.0);
            }
        }
        for (rule, uses) in uses {
            let name = format!("rules/{rule}");
            if self.wants(&name) {
                self.add(name, &[("uses", uses)]);
            }
        }
        Ok(())
    }

    /// Whether the filter leaves any line that begins so.
    fn wants_any(&self, kind: &str) -> bool {
        self.filter.is_none_or(|filter| filter.contains(kind) || kind.contains(filter))
    }
}

/// The guests' programs, with the sizes that they are measured with.
fn programs(binary: &Path) -> Result<Vec<(String, i64)>> {
    let list = Command::new(binary).arg("sizes").output().map_err(|error| format!("guests: {error}"))?;
    let text = String::from_utf8_lossy(&list.stdout);
    let program = |line: &str| {
        let (name, size) = line.split_once(' ')?;
        Some((name.to_string(), size.parse().ok()?))
    };
    text.lines().map(|line| program(line).ok_or_else(|| format!("guests: `{line}` is no program"))).collect()
}
