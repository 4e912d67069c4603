//! Programs are carried by compiled code: loops are compiled and entered, and few instructions are interpreted.

use std::process::Command;

/// What the machine counted while it ran a program.
struct Counts(serde_json::Value);

impl Counts {
    fn of(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap_or_else(|| panic!("no `{name}`: {}", self.0))
    }

    /// The share of instructions that ran in compiled code.
    fn share(&self) -> f64 {
        let (compiled, interpreted) = (self.of("merge_points_compiled"), self.of("merge_points_interpreted"));
        compiled / (compiled + interpreted)
    }
}

/// Runs a program with options for the JIT: what it prints, and what was counted.
fn run(name: &str, program: &str, options: &str) -> (String, Counts) {
    let log = std::env::temp_dir().join(format!("lua-jit-{}-{name}.json", std::process::id()));
    let output = Command::new(env!("CARGO_BIN_EXE_lua"))
        .args(["--jit", options, "-e", program])
        .env_remove("METATRACE")
        .env("METATRACE_LOG", format!("stats:{}", log.display()))
        .output()
        .expect("the interpreter starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let stats = std::fs::read(&log).expect("statistics");
    std::fs::remove_file(&log).expect("it was written");
    let stats = serde_json::from_slice(&stats).expect("JSON");
    (String::from_utf8(output.stdout).expect("text"), Counts(stats))
}

/// The program is carried by compiled code, and prints the same as without the JIT.
fn carried(name: &str, program: &str, share: f64) {
    let (expected, off) = run(&format!("{name}-off"), program, "off");
    assert_eq!(off.of("merge_points_compiled"), 0.0, "{name}: `--jit off` compiles nothing");
    let (printed, counts) = run(name, program, "threshold=100,function_threshold=150,trace_eagerness=20");
    assert_eq!(printed, expected, "{name}");
    assert!(counts.of("loops") >= 1.0 && counts.of("entries") >= 1.0, "{name}: {}", counts.0);
    assert!(counts.share() >= share, "{name}: {} of the work is compiled: {}", counts.share(), counts.0);
}

#[test]
fn numeric_loops() {
    carried("sum", "local s = 0 for i = 1, 300000 do s = s + i % 7 end print(s)", 0.99);
    carried("float", "local s = 0.0 for i = 1, 300000 do s = s + i / 3 end print(s)", 0.99);
    carried(
        "while",
        "local i, n = 0, 0 while i < 300000 do if i & 1 == 0 then n = n + i end i = i + 1 end print(n)",
        0.98,
    );
}

#[test]
fn tables() {
    let sieve = "local n, c, t = 30000, 0, {} for i = 2, n do t[i] = true end
        for i = 2, n do if t[i] then c = c + 1 for j = i + i, n, i do t[j] = false end end end print(c)";
    carried("sieve", sieve, 0.9);
    let fields =
        "local p = {x = 1, y = 2} for i = 1, 200000 do p.x = p.x + p.y p.y = p.x & 255 end print(p.x, p.y)";
    carried("fields", fields, 0.99);
}

#[test]
fn calls() {
    let inlined = "local function add(a, b) return a + b end local s = 0 for i = 1, 200000 do s = add(s, i) end print(s)";
    carried("inlined", inlined, 0.98);
    let fib =
        "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end print(fib(24))";
    carried("fib", fib, 0.7);
    let methods = "local A = {} A.__index = A function A:add(n) self.n = self.n + n end
        local a = setmetatable({n = 0}, A) for i = 1, 200000 do a:add(i) end print(a.n)";
    carried("methods", methods, 0.98);
}

#[test]
fn wrong_options_are_refused() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_lua")).args(["--jit", "treshold=1", "-e", "print(1)"]).output();
    let output = output.expect("the interpreter starts");
    assert!(!output.status.success() && output.stdout.is_empty());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("treshold") && message.contains("threshold"), "{message}");
}
