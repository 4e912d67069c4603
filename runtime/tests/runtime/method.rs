//! A portal that is a method, with parameters of several kinds and a result that owns memory.

use std::mem::offset_of;
use std::sync::LazyLock;

use crate::guest::portal_glue;
use metatrace::rt::{Context, PortalGlue, PortalOf, Shim, TracedBox, shim_call};
use metatrace::{Options, Traced, Vm, jit};
use metatrace_defs::hint::name_number;

/// How often to add what; then how the result is made.
#[repr(C)]
struct Code {
    ops: [u32; 4],
}

#[repr(C)]
#[derive(Default)]
struct Machine {
    sum: u64,
    sign: i32,
}

impl Machine {
    /// Adds the operations up until `left` is 0.
    #[jit::portal(owner = code, greens = [pc, twice])]
    fn run(
        &mut self,
        code: &Traced<Code>,
        mut pc: u8,
        twice: bool,
        mut left: Option<u32>,
        step: f64,
    ) -> Result<Vec<u64>, String> {
        loop {
            jit::merge_point!();
            match left {
                None => return Err(self.describe()),
                Some(0) => return Ok(vec![self.sum, step as u64]),
                Some(n) => {
                    self.sum += u64::from(code.ops[usize::from(pc)]);
                    if twice {
                        self.sum += 1;
                    }
                    self.sign = -self.sign;
                    left = if n == 13 { None } else { Some(n - 1) };
                    pc = (pc + 1) % 4;
                    jit::can_enter_jit!();
                }
            }
        }
    }

    fn describe(&self) -> String {
        format!("{} {}", self.sum, self.sign)
    }
}

const TEXT: &str = r#"program "method" hash 0x78
value "content"
value "sum"
value "sign"
shim "describe"
shim "finish"
shim "run"
class "Traced.inner" leaf 0
class "content" leaf 1
class "[u32]" leaf 2
class "Machine.sum" leaf 3
class "Machine.sign" leaf 4
access "Traced.inner" class "Traced.inner" offset 0 word flags freezes
access "TracedBox.content" class "content" offset "content" word flags keeps_frozen
access "[u32]" class "[u32]" offset 0 stride 4 u32
access "Machine.sum" class "Machine.sum" offset "sum" word
access "Machine.sign" class "Machine.sign" offset "sign" i32
call "describe" shim "describe" (w) -> (w, w, w) reads all writes {} flags can_panic
call "finish" shim "finish" (w, w) -> (w, w, w) reads {} writes {} flags can_panic
call "run" shim "run" (w, w, w, w, w, w, f) -> (w, w, w, w) reads all writes all flags can_panic
jitcode "run" (w, w, w, w, w, w, f) -> (w, w, w, w) {
L0:
  merge_point "run", (w0, w1, w2, w3, w4, w5, f0)
  goto_if_not w4, L1
  goto_if_not w5, L2
  w6 = getfield w1, "Traced.inner"
  w6 = interior_field w6, "TracedBox.content"
  w7 = getelem w6, w2, "[u32]"
  w8 = getfield w0, "Machine.sum"
  w8 = int_add w8, w7
  goto_if_not w3, L3
  w8 = int_add w8, #1
L3:
  setfield w0, "Machine.sum", w8
  w9 = getfield w0, "Machine.sign"
  w9 = int_sub #0, w9
  w9 = int_sext32 w9
  setfield w0, "Machine.sign", w9
  w10 = int_eq w5, #13
  w4 = int_eq w10, #0
  w5 = int_sub w5, #1
  w5 = int_select w10, #0, w5
  w2 = int_add w2, #1
  w2 = int_and w2, #3
  loop_header
  goto L0
L1:
  (w6, w7, w8) = residual_call "describe", (w0)
  return (#1, w6, w7, w8)
L2:
  w8 = getfield w0, "Machine.sum"
  w9 = float_to_uint f0
  (w6, w7, w8) = residual_call "finish", (w8, w9)
  return (#0, w6, w7, w8)
}
portal "run" jitcode "run" call "run" (self: w, code: w green owner, pc: w green, twice: w green, left: w w, step: f) -> (w, w, w, w)
"#;

extern "C" fn describe_shim(context: *mut Context, machine: u64) -> u64 {
    // SAFETY: the argument is what jitcode passes for `self`.
    unsafe { shim_call(context, || (*(machine as usize as *const Machine)).describe()) }
}

extern "C" fn finish_shim(context: *mut Context, sum: u64, step: u64) -> u64 {
    // SAFETY: the context is the current VM's.
    unsafe { shim_call(context, || vec![sum, step]) }
}

extern "C" fn run_shim(_: *mut Context, _: u64, _: u64, _: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    unreachable!("this portal does not call itself")
}

static VALUES: [fn() -> u64; 3] = [
    || offset_of!(TracedBox<Code>, content) as u64,
    || offset_of!(Machine, sum) as u64,
    || offset_of!(Machine, sign) as u64,
];
static SHIMS: [Shim; 3] =
    [Shim(describe_shim as *const ()), Shim(finish_shim as *const ()), Shim(run_shim as *const ())];

#[allow(non_upper_case_globals)]
mod __metatrace {
    use super::*;
    static RUN: LazyLock<PortalGlue> = LazyLock::new(|| portal_glue(TEXT, &VALUES, &SHIMS));

    impl PortalOf<{ name_number("run") }> for Machine {
        fn glue() -> &'static PortalGlue {
            &RUN
        }
    }
}

fn run(options: &str, left: u32, twice: bool) -> (Result<Vec<u64>, String>, u64) {
    let vm = Vm::new(Options::parse(options).unwrap()).unwrap();
    let result = vm.enter(|| {
        let code = Traced::new(Code { ops: [3, 1, 4, 1] });
        let mut machine = Machine { sum: 0, sign: 1 };
        machine.run(&code, 0, twice, Some(left), 2.5)
    });
    (result, vm.stats().entries)
}

#[test]
fn methods_options_and_owned_results() {
    for (left, twice) in [(0, false), (12, true), (12, false), (500, true)] {
        let (expected, _) = run("off", left, twice);
        assert_eq!(expected.is_ok(), left < 13);
        for options in [
            "threshold=1",
            "threshold=2,backend=1",
            "threshold=2,fail_guards=1",
            "threshold=1,blackhole_only=1",
        ] {
            let (result, entries) = run(options, left, twice);
            assert_eq!(result, expected, "{options}");
            assert!(entries > 0 || left == 0 || options.contains("blackhole"), "{options}");
        }
    }
}
