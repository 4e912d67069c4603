//! Assembles `.tlasm` files, each into the `.tlr` file beside it.

use std::path::Path;
use std::process::ExitCode;

fn assemble(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let bytes = tlr::assemble(&std::fs::read_to_string(path)?)?;
    tlr::Bytecode::load(bytes.clone())?;
    Ok(std::fs::write(path.with_extension("tlr"), bytes)?)
}

fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in std::env::args_os().skip(1) {
        if let Err(error) = assemble(Path::new(&path)) {
            eprintln!("{}: {error}", Path::new(&path).display());
            status = ExitCode::FAILURE;
        }
    }
    status
}
