//! The jitcode image as an object file of the target, for linkers and tools other than rustc.

use metatrace_defs::image;
use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};

/// An object file with the image in its section, and a symbol `metatrace_jitcode` for it.
///
/// `arch` and `os` are Cargo's names of the target (`CARGO_CFG_TARGET_ARCH`, `CARGO_CFG_TARGET_OS`).
///
/// # Errors
/// A text for the user if there is no such target, or the file cannot be written.
pub fn object_file(image: &[u8], arch: &str, os: &str) -> Result<Vec<u8>, String> {
    let architecture = match arch {
        "x86_64" => Architecture::X86_64,
        "aarch64" => Architecture::Aarch64,
        other => return Err(format!("no object file of the jitcode is written for `{other}`")),
    };
    let (format, segment, section) = match os {
        "macos" | "ios" => (BinaryFormat::MachO, image::SECTION_MACHO.0, image::SECTION_MACHO.1),
        "windows" => (BinaryFormat::Coff, "", image::SECTION_COFF),
        _ => (BinaryFormat::Elf, "", image::SECTION_ELF),
    };
    let mut object = Object::new(format, architecture, Endianness::Little);
    let id = object.add_section(segment.into(), section.into(), SectionKind::ReadOnlyData);
    object.append_section_data(id, image, image::ALIGN as u64);
    object.add_symbol(Symbol {
        name: b"metatrace_jitcode".to_vec(),
        value: 0,
        size: image.len() as u64,
        kind: SymbolKind::Data,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(id),
        flags: SymbolFlags::None,
    });
    object.write().map_err(|e| format!("the object file of the jitcode cannot be written: {e}"))
}
