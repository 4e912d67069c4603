//! How panics unwind through compiled code.
//!
//! Frames of traces differ only in size: all keep a frame pointer, and none saves other registers, since `Tail`
//! functions preserve none. So one description serves the whole arena: the caller's frame starts 16 bytes above the
//! frame pointer. The entry trampoline is another matter, as it saves every register that its caller wants preserved;
//! it has a description of its own. Both are registered once and stay.

use cranelift_codegen::gimli::{
    self,
    write::{
        Address, CallFrameInstruction, CommonInformationEntry, EhFrame, EndianVec, FrameDescriptionEntry,
        FrameTable,
    },
};
use cranelift_codegen::isa::unwind::systemv;

#[cfg(target_arch = "x86_64")]
const FRAME_POINTER_AND_RETURN_ADDRESS: (gimli::Register, gimli::Register) =
    (gimli::X86_64::RBP, gimli::X86_64::RA);
#[cfg(target_arch = "aarch64")]
const FRAME_POINTER_AND_RETURN_ADDRESS: (gimli::Register, gimli::Register) =
    (gimli::AArch64::X29, gimli::AArch64::X30);

// SAFETY: the signature is that of the function in the unwinder that std links.
unsafe extern "C" {
    fn __register_frame(start: *const u8);
}

/// What to describe.
pub(crate) struct Frames<'a> {
    /// The addresses of traces.
    pub(crate) traces: std::ops::Range<usize>,
    /// The address of the entry trampoline.
    pub(crate) trampoline: usize,
    /// How its frame unwinds.
    pub(crate) trampoline_info: &'a systemv::UnwindInfo,
    /// The common part of descriptions on this machine.
    pub(crate) common: CommonInformationEntry,
}

/// Tells the process's unwinder, for good.
///
/// # Errors
/// If the descriptions cannot be encoded.
pub(crate) fn register(frames: Frames<'_>) -> Result<(), gimli::write::Error> {
    let section = describe(frames)?.leak();
    if cfg!(any(target_os = "macos", target_env = "musl")) {
        // LLVM's unwinder takes one description at a time.
        for at in descriptions(section) {
            // SAFETY: a description starts there, and the section is never freed.
            unsafe { __register_frame(section[at..].as_ptr()) }
        }
    } else {
        // SAFETY: the section is well-formed, ends in an empty record, and is never freed.
        unsafe { __register_frame(section.as_ptr()) }
    }
    Ok(())
}

/// An `.eh_frame` section with an empty record at its end.
fn describe(frames: Frames<'_>) -> Result<Vec<u8>, gimli::write::Error> {
    let (frame_pointer, return_address) = FRAME_POINTER_AND_RETURN_ADDRESS;
    let encoding = gimli::Encoding { format: gimli::Format::Dwarf32, version: 1, address_size: 8 };
    let mut common = CommonInformationEntry::new(encoding, 1, -8, return_address);
    common.add_instruction(CallFrameInstruction::Cfa(frame_pointer, 16));
    common.add_instruction(CallFrameInstruction::Offset(return_address, -8));
    common.add_instruction(CallFrameInstruction::Offset(frame_pointer, -16));

    let mut table = FrameTable::default();
    let traces = table.add_cie(common);
    let start = Address::Constant(frames.traces.start as u64);
    let length = u32::try_from(frames.traces.len()).expect("the arena is at most 1 GiB");
    table.add_fde(traces, FrameDescriptionEntry::new(start, length));
    let trampoline = table.add_cie(frames.common);
    let start = Address::Constant(frames.trampoline as u64);
    table.add_fde(trampoline, frames.trampoline_info.to_fde(start));

    let mut section = EhFrame(EndianVec::new(gimli::NativeEndian));
    table.write_eh_frame(&mut section)?;
    let mut bytes = section.0.into_vec();
    bytes.extend([0; 4]);
    Ok(bytes)
}

/// Where descriptions (not common parts) start in a section.
fn descriptions(section: &[u8]) -> Vec<usize> {
    let word =
        |at: usize| u32::from_ne_bytes([section[at], section[at + 1], section[at + 2], section[at + 3]]);
    let mut found = Vec::new();
    let mut at = 0;
    while word(at) != 0 {
        if word(at + 4) != 0 {
            found.push(at);
        }
        at += 4 + word(at) as usize;
    }
    found
}
