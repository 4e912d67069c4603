//! What a VM counts, and the JSON that says it.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use metatrace_defs::Abort;
use metatrace_optimizer::rules::RULES;

/// Declares the counters once: as atomics, as plain numbers, and their sum.
macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        /// The counters of one VM. Only its thread adds to them; every thread may read.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $( $(#[doc = $doc])* pub $name: AtomicU64, )*
            pub aborts: [AtomicU64; Abort::ALL.len()],
            pub rules: OfRules,
        }

        /// What was counted.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Stats {
            $( $(#[doc = $doc])* pub $name: u64, )*
            /// Recordings given up, by the number of the reason.
            pub aborts: [u64; Abort::ALL.len()],
            /// Uses of each of the optimiser's rules; of none, if nothing was counted.
            pub rules: Vec<u64>,
        }

        impl Stats {
            /// Adds what `counters` hold.
            pub(crate) fn add(&mut self, counters: &Counters) {
                $( self.$name += counters.$name.load(Relaxed); )*
                for (sum, count) in self.aborts.iter_mut().zip(&counters.aborts) {
                    *sum += count.load(Relaxed);
                }
                self.add_rules(counters.rules.0.iter().map(|count| count.load(Relaxed)));
            }

            /// Adds what `other` says.
            pub(crate) fn sum(&mut self, other: &Stats) {
                $( self.$name += other.$name; )*
                for (sum, count) in self.aborts.iter_mut().zip(&other.aborts) {
                    *sum += count;
                }
                self.add_rules(other.rules.iter().copied());
            }

            fn add_rules(&mut self, counts: impl Iterator<Item = u64> + Clone) {
                if counts.clone().all(|count| count == 0) {
                    return;
                }
                self.rules.resize(RULES.len(), 0);
                for (sum, count) in self.rules.iter_mut().zip(counts) {
                    *sum += count;
                }
            }
        }
    };
}

counters! {
    /// Loops compiled.
    loops;
    /// Functions compiled from their beginning to their end.
    functions;
    /// Bridges compiled, and traces that lead from a merge point into another loop.
    bridges;
    /// Sets of connected traces compiled as one.
    regions;
    /// Times that compiled code was entered from native code.
    entries;
    /// Calls that compiled code made of compiled code.
    calls;
    /// Times that compiled code was left through a guard without a bridge.
    guard_failures;
    /// Merge points passed by the interpreters: native, recorder and blackhole.
    merge_points_interpreted;
    /// Merge points passed in compiled code.
    merge_points_compiled;
    /// Operations recorded, over all traces.
    operations_recorded;
    /// Operations left after optimising, over all traces.
    operations_optimised;
    /// Bytes of machine code made.
    code_bytes;
    /// Nanoseconds in the recorder.
    recording;
    /// Nanoseconds in the optimiser.
    optimising;
    /// Nanoseconds in the backend.
    code_generation;
    /// Times that an interpreter resumed after a failing guard.
    blackholes;
    /// Traces made unenterable because an owner was dropped or changed.
    invalidated;
    /// Places that are never recorded again.
    blacklisted;
}

/// A counter for each of the optimiser's rules.
#[derive(Debug)]
pub(crate) struct OfRules(Vec<AtomicU64>);

impl Default for OfRules {
    fn default() -> OfRules {
        OfRules(RULES.iter().map(|_| AtomicU64::new(0)).collect())
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(n), Relaxed);
}

impl Counters {
    pub fn abort(&self, reason: Abort) {
        add(&self.aborts[reason as usize], 1);
    }

    /// Adds what the optimiser did.
    pub fn optimised(&self, counts: &metatrace_optimizer::Counts) {
        self.rules.0.iter().zip(&counts.rules).for_each(|(sum, &uses)| add(sum, uses.into()));
    }
}

impl Stats {
    /// How many recordings were given up for a reason.
    pub fn aborted(&self, reason: Abort) -> u64 {
        self.aborts[reason as usize]
    }

    /// The statistics as one JSON object.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\n");
        let mut field = |name: &str, value: &dyn std::fmt::Display| {
            writeln!(out, "  \"{name}\": {value},").expect("a string can be written to");
        };
        field("loops", &self.loops);
        field("functions", &self.functions);
        field("bridges", &self.bridges);
        field("regions", &self.regions);
        field("entries", &self.entries);
        field("calls", &self.calls);
        field("guard_failures", &self.guard_failures);
        let aborts: Vec<String> = Abort::ALL
            .iter()
            .filter(|&&reason| self.aborted(reason) > 0)
            .map(|&reason| format!("\"{reason}\": {}", self.aborted(reason)))
            .collect();
        field("aborts", &format_args!("{{{}}}", aborts.join(", ")));
        field("merge_points_interpreted", &self.merge_points_interpreted);
        field("merge_points_compiled", &self.merge_points_compiled);
        field("operations_recorded", &self.operations_recorded);
        field("operations_optimised", &self.operations_optimised);
        field("code_bytes", &self.code_bytes);
        let rules = RULES.iter().zip(&self.rules).map(|(rule, uses)| format!("\"{}\": {uses}", rule.name));
        field("rules", &format_args!("{{{}}}", rules.collect::<Vec<_>>().join(", ")));
        field("blackholes", &self.blackholes);
        field("invalidated", &self.invalidated);
        field("blacklisted", &self.blacklisted);
        let Stats { recording, optimising, code_generation, .. } = self;
        out.push_str(&format!(
            "  \"nanoseconds\": {{\"recording\": {recording}, \"optimising\": {optimising}, \"code_generation\": {code_generation}}}\n}}\n"
        ));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_fields() {
        let counters = Counters::default();
        add(&counters.loops, 2);
        counters.abort(Abort::TooDeep);
        let mut done = metatrace_optimizer::Counts::default();
        done.rules[1] = 3;
        counters.optimised(&done);
        let mut stats = Stats::default();
        stats.add(&counters);
        let json = stats.to_json();
        assert!(json.contains("\"loops\": 2,"), "{json}");
        assert!(json.contains("\"aborts\": {\"too_deep\": 1},"), "{json}");
        assert!(json.contains(&format!("\"{}\": 0, \"{}\": 3,", RULES[0].name, RULES[1].name)), "{json}");
    }
}
