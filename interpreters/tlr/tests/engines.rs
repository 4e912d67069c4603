//! Programs give the same result on every engine, and the JIT carries the work; random programs too.
//!
//! The number of random programs is `METATRACE_FUZZ` if that is set.

use std::path::{Path, PathBuf};
use std::process::Command;

use metatrace::{Options, Stats, Traced, Vm};
use tlr::{Bytecode, run};

fn execute(options: &Options, bytes: &[u8], a: i64) -> (i64, Stats) {
    let vm = Vm::new(options.clone()).unwrap();
    let code = Traced::new(Bytecode::load(bytes.to_vec()).unwrap());
    (vm.enter(|| run(&code, a)), vm.stats())
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs").join(name).with_extension("tlr")
}

fn program(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn engines_agree() {
    for (name, a) in [
        ("square", 300),
        ("triangle", 300),
        ("fibonacci", 90),
        ("cube", 8),
        ("alternate", 101),
        ("reallocate", 60),
    ] {
        let bytes = program(name);
        let off = Options::parse("off").unwrap();
        let (expected, _) = execute(&off, &bytes, a);
        for (engine, options) in Options::engines() {
            let (result, stats) = execute(&options, &bytes, a);
            assert_eq!(result, expected, "{name} on {engine}");
            if options.records() {
                assert!(
                    stats.loops > 0 && stats.entries > 0,
                    "{name} on {engine} compiled nothing: {stats:?}"
                );
            }
        }
    }
}

#[test]
fn most_of_the_work_is_compiled() {
    let log = std::env::temp_dir().join(format!("tlr-{}.json", std::process::id()));
    let output = Command::new(env!("CARGO_BIN_EXE_tlr"))
        .args([path("square").to_str().unwrap(), "300000"])
        .env_remove("METATRACE")
        .env("METATRACE_LOG", format!("stats:{}", log.display()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "90000000000\n");
    let stats: serde_json::Value = serde_json::from_slice(&std::fs::read(&log).unwrap()).unwrap();
    std::fs::remove_file(&log).unwrap();
    let count = |key: &str| stats[key].as_f64().unwrap_or_else(|| panic!("no `{key}`: {stats}"));
    assert_eq!((count("loops"), count("bridges")), (1.0, 0.0), "{stats}");
    let (compiled, interpreted) = (count("merge_points_compiled"), count("merge_points_interpreted"));
    assert!(compiled / (compiled + interpreted) >= 0.9, "{stats}");
    // Every turn passes nine merge points ; three stand before the loop and two after it.
    assert_eq!(compiled + interpreted, 300_000.0 * 9.0 + 5.0, "{stats}");
}

/// A generator of numbers (xorshift).
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % n
    }
}

/// Nested loops that count down registers of their own, around straight code on the other registers.
fn generate(rng: &mut Rng) -> Vec<u8> {
    let mut code = vec![7, 8];
    block(rng, 0, &mut code);
    code.extend([2, 0, 6]);
    code
}

/// Register 4 + `depth` counts the loop at that depth; registers 0 to 3 are computed with.
fn block(rng: &mut Rng, depth: u64, code: &mut Vec<u8>) {
    for _ in 0..1 + rng.below(6) {
        let register = rng.below(4) as u8;
        match rng.below(if depth < 3 && code.len() < 120 { 7 } else { 5 }) {
            0 => code.extend([1, register]),
            1 => code.extend([2, register]),
            2 => code.extend([4, rng.below(256) as u8]),
            3 => code.extend([5, register]),
            4 => code.push(8),
            _ => counted(rng, depth, code),
        }
    }
}

fn counted(rng: &mut Rng, depth: u64, code: &mut Vec<u8>) {
    let counter = 4 + depth as u8;
    code.extend([4, 1 + rng.below(30) as u8, 1, counter]);
    let start = code.len() as u8;
    block(rng, depth + 1, code);
    // A branch on the data skips part of the body.
    if rng.below(2) == 0 {
        let register = rng.below(4) as u8;
        code.extend([2, register, 3, code.len() as u8 + 8, 4, 5, 1, register]);
    }
    code.extend([4, 1, 8, 5, counter, 1, counter, 3, start]);
}

/// The result, by a model written without the engines; `None` if it takes too long.
fn model(code: &[u8], mut a: i64) -> Option<i64> {
    let (mut registers, mut pc) = (vec![], 0);
    for _ in 0..100_000 {
        let operand = code.get(pc + 1).map_or(0, |&byte| byte as usize);
        let opcode = code[pc];
        pc += if opcode == 6 || opcode == 8 { 1 } else { 2 };
        match opcode {
            1 => registers[operand] = a,
            2 => a = registers[operand],
            3 if a != 0 => pc = operand,
            3 => {}
            4 => a = operand as i64,
            5 => a = a.wrapping_add(registers[operand]),
            6 => return Some(a),
            7 => registers = vec![0i64; operand],
            _ => a = a.wrapping_neg(),
        }
    }
    None
}

#[test]
fn random_programs() {
    let count =
        std::env::var("METATRACE_FUZZ").map_or(60, |text| text.parse().expect("METATRACE_FUZZ is a number"));
    let (mut tried, mut entries, mut seed) = (0u64, 0, 0);
    while tried < count {
        seed += 1;
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15 ^ (seed << 8));
        let code = generate(&mut rng);
        if code.len() > 255 {
            continue;
        }
        let Some(expected) = model(&code, seed as i64) else { continue };
        tried += 1;
        for (engine, options) in Options::engines() {
            let (result, stats) = execute(&options, &code, seed as i64);
            assert_eq!(result, expected, "program {seed} on {engine}: {code:?}");
            entries += stats.entries;
        }
    }
    assert!(entries > count, "hardly any program reached compiled code");
}
