//! A guest language for tests of the runtime: an interpreter in Rust, its jitcode in text form, and glue by hand.

use std::mem::offset_of;
use std::sync::LazyLock;

use metatrace::rt::{Context, PortalGlue, ProgramGlue, Shim, TracedBox, shim_call};
use metatrace::{Options, Stats, Traced, Vm, jit};
use metatrace_defs::{image, text, verify};

/// Guest code.
#[repr(C)]
pub struct Code {
    pub ops: [u64; 64],
}

impl Code {
    pub fn new(ops: &[u64]) -> Traced<Code> {
        let mut all = [op::RETURN; 64];
        all[..ops.len()].copy_from_slice(ops);
        Traced::new(Code { ops: all })
    }
}

/// What the guest acts on.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    pub count: u64,
    pub limit: i64,
    pub bound: i64,
    pub cleanups: u64,
    pub fuel: u64,
    pub scale: f64,
    pub cells: [u8; 16],
    pub other: Other,
}

/// More guest code, which the host may replace.
#[repr(transparent)]
pub struct Other(Box<Traced<Code>>);

impl Default for Other {
    fn default() -> Other {
        Other(Box::new(Code::new(&[5])))
    }
}

impl Clone for Other {
    fn clone(&self) -> Other {
        Other(Box::new(Code::new(&self.0.ops)))
    }
}

impl PartialEq for Other {
    fn eq(&self, other: &Other) -> bool {
        self.0.ops == other.0.ops
    }
}

impl std::fmt::Debug for Other {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "code {}", self.0.ops[0])
    }
}

pub mod op {
    /// a += n; n -= 1
    pub const ADD: u64 = 0;
    /// to the operand unless n is 0; a back edge
    pub const LOOP: u64 = 1;
    pub const RETURN: u64 = 2;
    /// a = host.twist(a), which panics above the limit, with clean-up
    pub const TWIST: u64 = 3;
    /// a += what the host stores through a pointer to a local
    pub const LOCAL: u64 = 4;
    /// a = helper(a), looked inside, which calls the host
    pub const HELP: u64 = 5;
    /// to the operand if a is odd
    pub const IF_ODD: u64 = 6;
    /// a += run(operand, a, 3), the portal again
    pub const RECURSE: u64 = 7;
    /// host.scale = host.scale * 1.5 + a as f64
    pub const SCALE: u64 = 8;
    /// host.cells[operand] += 1; a += host.cells[operand]
    pub const CELL: u64 = 9;
    /// a += the recorded constant n & 3
    pub const PROMOTE: u64 = 10;
    /// n = operand
    pub const SET: u64 = 11;
    /// to the operand if a is below the host's bound; a back edge
    pub const LESS: u64 = 12;
    /// ends the activation when the fuel is used up
    pub const FUEL: u64 = 13;
    /// a += the first operation of the host's other code, a constant of the trace
    pub const PEEK: u64 = 14;
    /// replaces the host's other code
    pub const SWAP: u64 = 15;
    /// changes the host's other code in place
    pub const CHANGE: u64 = 16;
}

impl Host {
    fn twist(&mut self, a: i64) -> i64 {
        self.count += 1;
        assert!(a <= self.limit, "{a} is above {}", self.limit);
        a.wrapping_mul(3) ^ 1
    }

    fn swap(&mut self, in_place: bool) {
        let first = self.other.0.ops[0] + 1;
        if in_place {
            self.other.0.get_mut().ops[0] = first;
        } else {
            *self.other.0 = Code::new(&[first]);
        }
    }

    fn store(&mut self, to: &mut i64, a: i64) {
        self.count += 1;
        *to = a & 0xff;
    }
}

fn helper(a: i64, host: &mut Host) -> i64 {
    let b = a.wrapping_add(7);
    if b < 0 { host.twist(-1) } else { b }
}

struct Cleanup<'a>(&'a mut u64);

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0 += 1;
        }
    }
}

#[jit::portal(owner = code, greens = [pc], name = "guest")]
pub fn run(mut pc: usize, code: &Traced<Code>, mut a: i64, mut n: i64, host: &mut Host) -> i64 {
    loop {
        jit::merge_point!();
        match code.ops[pc] {
            op::ADD => {
                a = a.wrapping_add(n);
                n -= 1;
                pc += 1;
            }
            op::LOOP | op::LESS => {
                if if code.ops[pc] == op::LOOP { n != 0 } else { a < host.bound } {
                    pc = code.ops[pc + 1] as usize;
                    jit::can_enter_jit!();
                }
                pc += 2;
            }
            op::TWIST => {
                let cleanups: *mut u64 = &mut host.cleanups;
                // SAFETY: `twist` does not touch `cleanups`.
                let _cleanup = Cleanup(unsafe { &mut *cleanups });
                a = host.twist(a);
                pc += 1;
            }
            op::LOCAL => {
                let mut local = 0;
                host.store(&mut local, a);
                a = a.wrapping_add(local);
                pc += 1;
            }
            op::HELP => {
                a = helper(a, host);
                pc += 1;
            }
            op::IF_ODD => {
                pc = if a & 1 != 0 { code.ops[pc + 1] as usize } else { pc + 2 };
            }
            op::RECURSE => {
                a = a.wrapping_add(run(code.ops[pc + 1] as usize, code, a, 3, host));
                pc += 2;
            }
            op::SCALE => {
                host.scale = host.scale * 1.5 + a as f64;
                pc += 1;
            }
            op::CELL => {
                let cell = &mut host.cells[code.ops[pc + 1] as usize];
                *cell = cell.wrapping_add(1);
                a = a.wrapping_add(i64::from(*cell));
                pc += 2;
            }
            op::PROMOTE => {
                a = a.wrapping_add(n & 3);
                pc += 1;
            }
            op::PEEK => {
                a = a.wrapping_add(host.other.0.ops[0] as i64);
                pc += 1;
            }
            op::SWAP | op::CHANGE => {
                host.swap(code.ops[pc] == op::CHANGE);
                pc += 1;
            }
            op::FUEL => {
                if host.fuel == 0 {
                    return a;
                }
                host.fuel -= 1;
                pc += 1;
            }
            op::SET => {
                n = code.ops[pc + 1] as i64;
                pc += 2;
            }
            _ => return a,
        }
    }
}

const TEXT: &str = r#"program "guest" hash 0x77
value "content"
value "limit"
value "cleanups"
value "bound"
value "fuel"
value "other"
value "scale"
value "cells"
shim "twist"
shim "store"
shim "run"
shim "swap"
class "Traced.inner" leaf 0
class "content" leaf 1
class "[u64]" leaf 2
class "Host.count" leaf 2
class "Host.limit" leaf 3
class "Host.cleanups" leaf 2
class "Host.scale" leaf 4
class "[u8]" leaf 5
class "*i64" leaf 3
class "Host.other" leaf 6
access "Traced.inner" class "Traced.inner" offset 0 word flags freezes
access "TracedBox.content" class "content" offset "content" word flags keeps_frozen
access "[u64]" class "[u64]" offset 0 stride 8 word
access "Host.cleanups" class "Host.cleanups" offset "cleanups" word
access "Host.fuel" class "Host.cleanups" offset "fuel" word
access "Host.other" class "Host.other" offset "other" word
access "Host.bound" class "Host.limit" offset "bound" word
access "Host.scale" class "Host.scale" offset "scale" float
access "Host.cells" class "[u8]" offset "cells" u8
access "[u8]" class "[u8]" offset 0 stride 1 u8
access "*i64" class "*i64" reach leaf offset 0 word
call "twist" shim "twist" (w, w) -> (w) reads {"Host.count", "Host.limit"} writes {"Host.count"} flags can_panic
call "store" shim "store" (w, w, w) -> () reads {"Host.count"} writes {"Host.count", "*i64"}
call "swap" shim "swap" (w, w) -> () reads all writes all flags can_panic
call "run" shim "run" (w, w, w, w, w) -> (w) reads all writes all flags can_panic
jitcode "helper" (w, w) -> (w) {
  w2 = int_add w0, #7
  w3 = int_lt w2, #0
  goto_if_not w3, L1
  (w4) = residual_call "twist", (w1, #-1)
  return (w4)
L1:
  return (w2)
}
jitcode "run" (w, w, w, w, w) -> (w) {
  slot "local" size 8 align 8
L0:
  merge_point "run", (w0, w1, w2, w3, w4)
  w5 = getfield w1, "Traced.inner"
  w5 = interior_field w5, "TracedBox.content"
  w6 = getelem w5, w0, "[u64]"
  w7 = int_add w0, #1
  w7 = getelem w5, w7, "[u64]"
  switch w6, {0: L1, 1: L2, 3: L3, 4: L4, 5: L5, 6: L6, 7: L7, 8: L8, 9: L9, 10: L10, 11: L11, 12: L15, 13: L16, 14: L17, 15: L18, 16: L19, else: L12}
L1:
  w2 = int_add w2, w3
  w3 = int_sub w3, #1
  w0 = int_add w0, #1
  goto L0
L2:
  w8 = int_ne w3, #0
  goto_if_not w8, L13
  w0 = copy w7
  loop_header
  goto L0
L13:
  w0 = int_add w0, #2
  goto L0
L3:
  (w2) = residual_call "twist", (w4, w2)
  catch_panic L14
  w0 = int_add w0, #1
  goto L0
L14:
  w9 = getfield w4, "Host.cleanups"
  w9 = int_add w9, #1
  setfield w4, "Host.cleanups", w9
  resume_unwind
L4:
  w9 = local_addr "local"
  () = residual_call "store", (w4, w9, w2)
  w10 = getfield w9, "*i64"
  w2 = int_add w2, w10
  w0 = int_add w0, #1
  goto L0
L5:
  (w2) = inline_call "helper", (w2, w4)
  w0 = int_add w0, #1
  goto L0
L6:
  w8 = int_and w2, #1
  w8 = int_ne w8, #0
  goto_if_not w8, L13
  w0 = copy w7
  goto L0
L7:
  (w9) = inline_call "run", (w7, w1, w2, #3, w4)
  w2 = int_add w2, w9
  w0 = int_add w0, #2
  goto L0
L8:
  f0 = getfield w4, "Host.scale"
  f0 = float_mul f0, #1.5
  f1 = float_from_int w2
  f0 = float_add f0, f1
  setfield w4, "Host.scale", f0
  w0 = int_add w0, #1
  goto L0
L9:
  w9 = interior_field w4, "Host.cells"
  w10 = getelem w9, w7, "[u8]"
  w10 = int_add w10, #1
  w10 = int_and w10, #255
  setelem w9, w7, "[u8]", w10
  w2 = int_add w2, w10
  w0 = int_add w0, #2
  goto L0
L10:
  w9 = int_and w3, #3
  w9 = promote w9
  w2 = int_add w2, w9
  w0 = int_add w0, #1
  goto L0
L11:
  w3 = copy w7
  w0 = int_add w0, #2
  goto L0
L12:
  return (w2)
L15:
  w8 = getfield w4, "Host.bound"
  w8 = int_lt w2, w8
  goto_if_not w8, L13
  w0 = copy w7
  loop_header
  goto L0
L17:
  w9 = getfield w4, "Host.other"
  w9 = getfield w9, "Traced.inner"
  w9 = promote w9
  w9 = interior_field w9, "TracedBox.content"
  w9 = getelem w9, #0, "[u64]"
  w2 = int_add w2, w9
  w0 = int_add w0, #1
  goto L0
L18:
  () = residual_call "swap", (w4, #0)
  w0 = int_add w0, #1
  goto L0
L19:
  () = residual_call "swap", (w4, #1)
  w0 = int_add w0, #1
  goto L0
L16:
  w8 = getfield w4, "Host.fuel"
  w9 = int_ne w8, #0
  goto_if_not w9, L12
  w8 = int_sub w8, #1
  setfield w4, "Host.fuel", w8
  w0 = int_add w0, #1
  goto L0
}
portal "run" jitcode "run" call "run" (pc: w green, code: w green owner, a: w, n: w, host: w) -> (w)
"#;

extern "C" fn twist_shim(context: *mut Context, host: u64, a: u64) -> u64 {
    // SAFETY: the arguments are what jitcode passes for these parameters.
    unsafe { shim_call(context, || (*(host as usize as *mut Host)).twist(a as i64)) }
}

extern "C" fn store_shim(context: *mut Context, host: u64, to: u64, a: u64) -> u64 {
    // SAFETY: as above.
    unsafe {
        shim_call(context, || {
            (*(host as usize as *mut Host)).store(&mut *(to as usize as *mut i64), a as i64)
        })
    }
}

extern "C" fn swap_shim(context: *mut Context, host: u64, in_place: u64) -> u64 {
    // SAFETY: as above.
    unsafe { shim_call(context, || (*(host as usize as *mut Host)).swap(in_place != 0)) }
}

extern "C" fn run_shim(context: *mut Context, pc: u64, code: u64, a: u64, n: u64, host: u64) -> u64 {
    // SAFETY: as above.
    unsafe {
        shim_call(context, || {
            let (code, host) = (&*(code as usize as *const Traced<Code>), &mut *(host as usize as *mut Host));
            run(pc as usize, code, a as i64, n as i64, host)
        })
    }
}

static VALUES: [fn() -> u64; 8] = [
    || offset_of!(TracedBox<Code>, content) as u64,
    || offset_of!(Host, limit) as u64,
    || offset_of!(Host, cleanups) as u64,
    || offset_of!(Host, bound) as u64,
    || offset_of!(Host, fuel) as u64,
    || offset_of!(Host, other) as u64,
    || offset_of!(Host, scale) as u64,
    || offset_of!(Host, cells) as u64,
];

static SHIMS: [Shim; 4] = [
    Shim(twist_shim as *const ()),
    Shim(store_shim as *const ()),
    Shim(run_shim as *const ()),
    Shim(swap_shim as *const ()),
];

/// Glue for one portal over jitcode in text form.
pub fn portal_glue(text: &str, values: &'static [fn() -> u64], shims: &'static [Shim]) -> PortalGlue {
    let program = text::parse(text).unwrap_or_else(|e| panic!("{e}"));
    verify::verify(&program).unwrap_or_else(|e| panic!("{e:#?}"));
    let image = Box::leak(image::encode(&program).into_boxed_slice());
    PortalGlue::new(Box::leak(Box::new(ProgramGlue::new(image, program.hash, values, shims))), 0)
}

#[allow(non_upper_case_globals)]
mod __metatrace {
    use super::*;
    pub static portal_run: LazyLock<PortalGlue> = LazyLock::new(|| portal_glue(TEXT, &VALUES, &SHIMS));
}

/// A guest program with its input.
#[derive(Clone, Debug)]
pub struct Case {
    pub ops: Vec<u64>,
    pub a: i64,
    pub n: i64,
    pub limit: i64,
    pub bound: i64,
}

/// What running a program gave: the result or the panic's message, and the host.
pub type Ran = (Result<i64, String>, Host);

impl Case {
    pub fn new(ops: &[u64], n: i64) -> Case {
        Case { ops: ops.to_vec(), a: 0, n, limit: i64::MAX, bound: 2000 }
    }

    /// Runs it in the current VM.
    pub fn run_on(&self, code: &Traced<Code>) -> Ran {
        let mut host =
            Host { limit: self.limit, bound: self.bound, fuel: 400, scale: 0.5, ..Host::default() };
        let (a, n) = (self.a, self.n);
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(0, code, a, n, &mut host)));
        let message = |e: Box<dyn std::any::Any + Send>| *e.downcast::<String>().expect("a message");
        (ran.map_err(message), host)
    }

    /// Runs it in a VM of its own.
    pub fn run(&self, options: &str) -> (Ran, Stats) {
        let vm = Vm::new(Options::parse(options).unwrap()).unwrap();
        let ran = vm.enter(|| self.run_on(&Code::new(&self.ops)));
        (ran, vm.stats())
    }

    /// The result without a JIT.
    pub fn expected(&self) -> Ran {
        self.run("off").0
    }

    /// Runs it in every engine, and with every stress: all must agree. Returns the statistics of Cranelift's run, which must
    /// have compiled and entered a loop.
    #[track_caller]
    pub fn check(&self) -> Stats {
        let stats = self.check_results();
        assert!(stats.loops > 0 && stats.entries > 0, "{stats:#?}");
        stats
    }

    /// As [`Case::check`], whether or not there are loops.
    #[track_caller]
    pub fn check_results(&self) -> Stats {
        let expected = self.expected();
        let engines = [
            "threshold=1,blackhole_only=1",
            "threshold=3,trace_eagerness=2,backend=1,optimise=0",
            "threshold=3,trace_eagerness=2,backend=1",
            "threshold=1,trace_eagerness=1,backend=1",
            "threshold=3,trace_eagerness=2,optimise=0",
            "threshold=1,trace_eagerness=1",
            "threshold=1,trace_eagerness=1,fail_guards=1,backend=1",
            "threshold=1,trace_eagerness=1,fail_guards=1",
            "threshold=3,trace_eagerness=1000,fail_guards=1",
            "threshold=3,trace_eagerness=2,region_threshold=2,region_cost=0",
            "threshold=1,trace_eagerness=1,region_threshold=1,region_cost=0,optimise=0",
            "threshold=1,trace_eagerness=1,region_threshold=2,region_cost=0,backend=1",
            "threshold=1,trace_eagerness=1,region_threshold=1,region_cost=0,fail_guards=1",
            "threshold=1,trace_eagerness=1,region_threshold=5,region_cost=0,region_limit=60",
            "threshold=2,trace_eagerness=2,trace_limit=20",
            "threshold=2,trace_eagerness=2,max_inline_depth=1",
        ];
        for options in engines {
            let (ran, _) = self.run(options);
            assert_eq!(ran, expected, "{self:?} with {options}");
        }
        let (ran, stats) = self.run("threshold=3,trace_eagerness=2");
        assert_eq!(ran, expected);
        stats
    }
}
