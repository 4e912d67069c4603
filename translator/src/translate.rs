//! The translator's public entry: from a package to flow graphs.

use crate::diag::Diagnostics;
use crate::flow;
use crate::front::Input;
use crate::load::cfg::Cfg;
use crate::load::depth::STACK;
use crate::lower;
use crate::program::Program;
use std::path::{Path, PathBuf};

/// What to translate.
pub struct Options {
    /// The package's directory.
    pub package: PathBuf,
    /// The crate's name as `module_path!()` begins with it.
    pub crate_name: String,
    /// The conditions that hold in the build.
    pub cfg: Cfg,
}

/// Errors of a translation, with the texts that they point into.
pub struct Failure {
    program: Program,
}

impl Failure {
    /// The errors.
    pub fn diagnostics(&self) -> &Diagnostics {
        self.program.diagnostics()
    }

    /// All errors as a compiler prints them, without colour.
    pub fn render(&self) -> String {
        self.program.diagnostics().render(self.program.sources())
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.render())
    }
}

/// Runs `work` with a stack that is enough for the deepest source that is accepted. Translation is recursive, so whoever takes it apart into
/// steps runs them in here.
///
/// # Panics
/// If `work` does.
pub fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let joined = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.map(|thread| thread.join())
    });
    match joined {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(e) => panic!("no memory for the translator's stack: {e}"),
    }
}

/// Translates a package.
///
/// # Errors
/// Everything that is wrong with its source, or not supported.
pub fn translate(options: &Options) -> Result<flow::Program, Failure> {
    let program = Program::load_package(&options.package, &options.cfg);
    lower_loaded(program, &options.crate_name, &options.package)
}

/// Translates a crate whose texts are at hand.
///
/// # Errors
/// As [`translate`].
pub fn translate_input(input: Input, crate_name: &str) -> Result<flow::Program, Failure> {
    lower_loaded(Program::load(input), crate_name, Path::new(""))
}

fn lower_loaded(program: Program, crate_name: &str, base: &Path) -> Result<flow::Program, Failure> {
    if !program.diagnostics().is_empty() {
        return Err(Failure { program });
    }
    let hash = hash_of(&program, &[]);
    lower::lower(&program, crate_name, hash, base).map_err(|_| Failure { program })
}

/// A hash of all source text and of `more` that a translation depends on, the same on every machine (FNV-1a).
pub fn hash_of(program: &Program, more: &[&[u8]]) -> u64 {
    let texts = program.sources().files().map(|(_, file)| file.text.as_bytes());
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for text in texts.chain(more.iter().copied()) {
        for &byte in text.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}
