//! What the process needs once: code memory, the instruction sets, the way into compiled code and out of it.

use crate::arena::Arena;
use crate::lower::allocate_slow;
use crate::unwind;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{self, AbiParam, BlockArg, InstBuilder, types::I64};
use cranelift_codegen::isa::unwind::UnwindInfo;
use cranelift_codegen::isa::{self, CallConv, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use metatrace_backend::{Context, FRAME_HEADER, FRAME_LOCALS};
use std::sync::OnceLock;

/// How thoroughly to compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptLevel {
    /// Quickly.
    None,
    /// With Cranelift's optimisations: for traces that stay hot.
    Speed,
}

/// Why machine code cannot be made here.
#[derive(Clone, Debug)]
pub struct SetupError(pub(crate) String);

impl std::fmt::Display for SetupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no machine code on this system: {}", self.0)
    }
}

impl std::error::Error for SetupError {}

/// Enters compiled code; returns what it leaves with: 0 from `finish`, else the address of the failing guard's cell.
pub(crate) type Enter = unsafe extern "C-unwind" fn(*const u8, *mut u64, *mut Context) -> usize;

/// The process's part of all backends.
pub(crate) struct Machine {
    /// The code memory.
    pub(crate) arena: Arena,
    /// The way in.
    pub(crate) enter: Enter,
    /// The common deoptimisation entry, where guards without a bridge go.
    pub(crate) deoptimise: *const u8,
    /// What stands for the code of an entry that has none.
    pub(crate) absent: *const u8,
    /// Calls [`allocate_slow`], preserving all registers.
    pub(crate) allocate_slow: *const u8,
    none: OwnedTargetIsa,
    speed: OwnedTargetIsa,
}

// SAFETY: everything in it is immutable but the arena, which has a lock.
unsafe impl Send for Machine {}
// SAFETY: as above.
unsafe impl Sync for Machine {}

impl Machine {
    /// The process's machine, set up by the first call.
    pub(crate) fn get() -> Result<&'static Machine, SetupError> {
        static MACHINE: OnceLock<Result<Machine, SetupError>> = OnceLock::new();
        MACHINE.get_or_init(Machine::set_up).as_ref().map_err(SetupError::clone)
    }

    /// The instruction set of the host.
    pub(crate) fn isa(&self, level: OptLevel) -> &OwnedTargetIsa {
        match level {
            OptLevel::None => &self.none,
            OptLevel::Speed => &self.speed,
        }
    }

    fn set_up() -> Result<Machine, SetupError> {
        let arena = Arena::reserve().map_err(|e| SetupError(format!("cannot reserve code memory: {e}")))?;
        let host = |level, unwind| native(level, unwind).map_err(SetupError);
        // The trampoline alone describes its own frame to the unwinder.
        let describing = host(OptLevel::None, true)?;
        let mut context = cranelift_codegen::Context::new();
        let (code, info) = trampoline(&mut context, &*describing)?;
        let block = arena.place(&code).ok_or_else(|| SetupError("no code memory".to_owned()))?;
        let trampoline = arena.address(&block);
        // What lies behind the trampoline is code of traces; the trampoline is described apart.
        let mut traces = arena.range();
        traces.start = trampoline as usize + block.size();
        let common = describing.create_systemv_cie().ok_or_else(|| SetupError("no unwinding".to_owned()))?;
        let frames =
            unwind::Frames { traces, trampoline: trampoline as usize, trampoline_info: &info, common };
        unwind::register(frames).map_err(|e| SetupError(format!("cannot describe frames: {e}")))?;

        let none = host(OptLevel::None, false)?;
        let place = |code: Vec<u8>| {
            let block = arena.place(&code).ok_or_else(|| SetupError("no code memory".to_owned()))?;
            Ok::<_, SetupError>(arena.address(&block))
        };
        // Leaves compiled code with the cell that the guard's exit left in the frame.
        let deoptimise = place(stub(&mut context, &*none, |b, frame| {
            b.ins().load(I64, ir::MemFlagsData::trusted(), frame, HEADER_CELL)
        })?)?;
        let absent = place(stub(&mut context, &*none, |b, _| b.ins().iconst(I64, ABSENT as i64))?)?;
        let allocate_slow = allocate_slow as *const () as usize;
        let allocate_slow = place(preserving_stub(&mut context, &*none, allocate_slow)?)?;
        // SAFETY: the trampoline was compiled with this signature.
        let enter = unsafe { std::mem::transmute::<*const u8, Enter>(trampoline) };
        Ok(Machine {
            arena,
            enter,
            deoptimise,
            absent,
            allocate_slow,
            none,
            speed: host(OptLevel::Speed, false)?,
        })
    }
}

/// The settings of Cranelift.
fn flags(level: OptLevel, unwind: bool) -> settings::Flags {
    let mut builder = settings::builder();
    let boolean = |on: bool| if on { "true" } else { "false" };
    let level = match level {
        OptLevel::None => "none",
        OptLevel::Speed => "speed",
    };
    for (name, value) in [
        ("opt_level", level),
        ("enable_verifier", boolean(cfg!(debug_assertions))),
        // `Tail` functions and the arena's one frame description rely on it.
        ("preserve_frame_pointers", "true"),
        ("unwind_info", boolean(unwind)),
        ("enable_probestack", "false"),
        ("is_pic", "false"),
        ("enable_table_access_spectre_mitigation", "false"),
        ("enable_heap_access_spectre_mitigation", "false"),
    ] {
        builder.set(name, value).expect("a setting of the pinned Cranelift");
    }
    settings::Flags::new(builder)
}

/// The host's instruction set with all that it offers.
fn native(level: OptLevel, unwind: bool) -> Result<OwnedTargetIsa, String> {
    cranelift_native::builder()?.finish(flags(level, unwind)).map_err(|e| e.to_string())
}

/// The host's instruction set with what every processor of its kind offers: for tests of the replacements.
pub(crate) fn baseline(level: OptLevel) -> Result<OwnedTargetIsa, String> {
    let triple = native(level, false)?.triple().clone();
    isa::lookup(triple).map_err(|e| e.to_string())?.finish(flags(level, false)).map_err(|e| e.to_string())
}

/// The signature of traces: `(frame, context) -> what to leave with`.
pub(crate) fn trace_signature() -> ir::Signature {
    signature(CallConv::Tail, 2)
}

/// A signature of `params` words that returns a word.
pub(crate) fn signature(convention: CallConv, params: usize) -> ir::Signature {
    let mut signature = ir::Signature::new(convention);
    signature.params = vec![AbiParam::new(I64); params];
    signature.returns.push(AbiParam::new(I64));
    signature
}

/// The entry trampoline.
///
/// It calls through a `try_call` with an empty exception table: Cranelift then takes every register for overwritten,
/// so that the prologue saves all that the native caller wants preserved. Without this a panic that unwinds through
/// a trace, which saves nothing, would arrive in the catcher with wrong registers.
fn trampoline(
    context: &mut cranelift_codegen::Context,
    isa: &dyn TargetIsa,
) -> Result<(Vec<u8>, isa::unwind::systemv::UnwindInfo), SetupError> {
    context.func.signature = signature(isa.default_call_conv(), 3);
    let mut builder_context = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut context.func, &mut builder_context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    let callee = b.import_signature(trace_signature());
    let returned = b.create_block();
    let result = b.append_block_param(returned, I64);
    let to_returned = b.func.dfg.block_call(returned, &[BlockArg::TryCallRet(0)]);
    let table = ir::ExceptionTableData::new(callee, to_returned, []);
    let table = b.func.dfg.exception_tables.push(table);
    b.ins().try_call_indirect(params[0], &params[1..], table);
    b.switch_to_block(returned);
    b.ins().return_(&[result]);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
    let code = compile(context, isa)?;
    let compiled = context.compiled_code().expect("it was just compiled");
    let info = match compiled.create_unwind_info(isa) {
        Ok(Some(UnwindInfo::SystemV(info))) => info,
        other => return Err(SetupError(format!("no unwind information, but {other:?}"))),
    };
    context.clear();
    Ok((code, info))
}

/// Code that leaves compiled code with what it makes of the frame.
fn stub(
    context: &mut cranelift_codegen::Context,
    isa: &dyn TargetIsa,
    leave_with: impl FnOnce(&mut FunctionBuilder, ir::Value) -> ir::Value,
) -> Result<Vec<u8>, SetupError> {
    context.func.signature = trace_signature();
    let mut builder_context = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut context.func, &mut builder_context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let frame = b.block_params(entry)[0];
    let word = leave_with(&mut b, frame);
    b.ins().return_(&[word]);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
    let code = compile(context, isa)?;
    context.clear();
    Ok(code)
}

/// The signature of functions of two words without a result.
pub(crate) fn slow_signature(convention: CallConv) -> ir::Signature {
    let mut signature = signature(convention, 2);
    signature.returns.clear();
    signature
}

/// A stub that calls a native function of two words and preserves all registers, so that it can stand in a cold path.
fn preserving_stub(
    context: &mut cranelift_codegen::Context,
    isa: &dyn TargetIsa,
    function: usize,
) -> Result<Vec<u8>, SetupError> {
    context.func.signature = slow_signature(CallConv::PreserveAll);
    let mut builder_context = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut context.func, &mut builder_context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    let native = b.import_signature(slow_signature(isa.default_call_conv()));
    let callee = b.ins().iconst(I64, function as i64);
    b.ins().call_indirect(native, callee, &params);
    b.ins().return_(&[]);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
    let code = compile(context, isa)?;
    context.clear();
    Ok(code)
}

fn compile(context: &mut cranelift_codegen::Context, isa: &dyn TargetIsa) -> Result<Vec<u8>, SetupError> {
    let compiled = context
        .compile(isa, &mut ControlPlane::default())
        .map_err(|e| SetupError(format!("cannot compile the stubs: {:?}", e.inner)))?;
    assert!(compiled.buffer.relocs().is_empty(), "the stubs call nothing by name");
    Ok(compiled.code_buffer().to_vec())
}

/// Byte offset in the frame's header where a failing guard leaves the address of its cell.
pub(crate) const HEADER_CELL: i32 = 0;
/// Byte offset in the frame's header of the number of the entry at which code is entered.
pub(crate) const HEADER_SELECTOR: i32 = 8;
/// Byte offset in the frame's header of the address of local memory.
pub(crate) const HEADER_LOCALS: i32 = FRAME_LOCALS as i32 * 8;
const _: () = assert!(FRAME_HEADER > FRAME_LOCALS && FRAME_LOCALS > 1);

/// What code leaves with that is not there: no address of a cell.
pub(crate) const ABSENT: u64 = 2;
