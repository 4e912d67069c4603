//! Running commands and measuring them.

use crate::Result;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command to be measured. Its output is thrown away.
#[derive(Clone)]
pub struct Cmd {
    program: PathBuf,
    args: Vec<PathBuf>,
    env: Vec<(String, String)>,
    input: Option<PathBuf>,
}

impl Cmd {
    /// A command without arguments.
    pub fn new(program: &Path) -> Cmd {
        Cmd { program: program.to_path_buf(), args: Vec::new(), env: Vec::new(), input: None }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: &Path) -> Cmd {
        self.args.push(arg.to_path_buf());
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Cmd {
        self.env.push((name.to_string(), value.to_string()));
        self
    }

    /// Sets its standard input; without one it is empty.
    pub fn input(mut self, path: Option<&Path>) -> Cmd {
        self.input = path.map(Path::to_path_buf);
        self
    }

    fn command(&self) -> Result<Command> {
        self.wrapped(Command::new(&self.program))
    }

    fn wrapped(&self, mut command: Command) -> Result<Command> {
        command.args(&self.args).stdout(Stdio::null()).stderr(Stdio::null());
        command.env_remove("METATRACE").env_remove("METATRACE_LOG");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        match &self.input {
            None => command.stdin(Stdio::null()),
            Some(path) => {
                let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
                command.stdin(file)
            }
        };
        Ok(command)
    }

    fn run(&self, mut command: Command) -> Result<()> {
        let status = command.status().map_err(|error| format!("{}: {error}", self.program.display()))?;
        if status.success() { Ok(()) } else { Err(format!("{} failed: {status}", self.program.display())) }
    }

    /// Runs the command once and returns the statistics that its runtime wrote.
    pub fn stats(&self, root: &Path) -> Result<Value> {
        let path = root.join("target").join("bench-stats.json");
        let mut command = self.command()?;
        command.env("METATRACE_LOG", format!("stats:{}", path.display()));
        self.run(command)?;
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// The median wall time of each command, in seconds; the commands take turns.
pub fn medians(commands: &[Cmd], runs: usize) -> Result<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(runs); commands.len()];
    for _ in 0..runs {
        for (command, times) in commands.iter().zip(&mut times) {
            let process = command.command()?;
            let start = Instant::now();
            command.run(process)?;
            times.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(times.into_iter().map(median).collect())
}

/// What a command took: medians of several runs.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Seconds of the processor, or of the clock where `/usr/bin/time` is missing.
    pub seconds: f64,
    /// Memory at its peak, in megabytes.
    pub megabytes: Option<f64>,
}

/// What each command takes; the commands take turns.
pub fn usages(commands: &[Cmd], runs: usize, root: &Path) -> Result<Vec<Usage>> {
    let time = Path::new("/usr/bin/time");
    if !time.is_file() {
        let seconds = medians(commands, runs)?;
        return Ok(seconds.into_iter().map(|seconds| Usage { seconds, megabytes: None }).collect());
    }
    let out = root.join("target").join("bench-usage.txt");
    let mut used = vec![(Vec::new(), Vec::new()); commands.len()];
    for _ in 0..runs {
        for (command, (seconds, megabytes)) in commands.iter().zip(&mut used) {
            let mut process = Command::new(time);
            process.args(["-f", "%U %S %M", "-o"]).arg(&out).arg(&command.program);
            command.run(command.wrapped(process)?)?;
            let text =
                std::fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
            let (time, kilobytes) =
                usage(&text).ok_or_else(|| format!("{} has no figures", out.display()))?;
            seconds.push(time);
            megabytes.push(kilobytes / 1024.0);
        }
    }
    let usage = |(seconds, megabytes)| Usage { seconds: median(seconds), megabytes: Some(median(megabytes)) };
    Ok(used.into_iter().map(usage).collect())
}

/// Seconds and kilobytes; what takes less than the clock of `time` can tell counts as one tick of that.
fn usage(text: &str) -> Option<(f64, f64)> {
    let mut figures = text.lines().last()?.split_whitespace().map(str::parse::<f64>);
    let mut next = || figures.next()?.ok();
    let seconds = next()? + next()?;
    Some((seconds.max(0.01), next()?))
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The instructions that a command executes, as callgrind counts them.
pub fn callgrind(command: &Cmd, root: &Path) -> Result<f64> {
    let out = root.join("target").join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())])
        .arg(&command.program);
    command.run(command.wrapped(valgrind)?)?;
    let text = std::fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    instructions(&text).ok_or_else(|| format!("{} has no totals", out.display()))
}

fn instructions(text: &str) -> Option<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_totals() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(instructions("version: 1\ntotals: 1234\n"), Some(1234.0));
        assert_eq!(instructions("nothing"), None);
        assert_eq!(usage("1.50 0.25 2048\n"), Some((1.75, 2048.0)));
        assert_eq!(usage("0.00 0.00 1024\n"), Some((0.01, 1024.0)));
        assert_eq!(usage("nothing"), None);
    }
}
