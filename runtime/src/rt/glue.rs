//! The statics that generated glue defines, and what its call shims do.

use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;

use metatrace_backend::{Context, Shim, pending};
use metatrace_defs::CallDescr;
use metatrace_defs::jitcode::PortalId;

use super::Scalars;
use crate::loaded::Loaded;
use crate::vm::tables::Home;

/// What was generated for one interpreter. The root module's glue defines it as `PROGRAM`.
#[derive(Debug)]
pub struct ProgramGlue {
    pub(crate) image: &'static [u8],
    pub(crate) hash: u64,
    pub(crate) values: &'static [fn() -> u64],
    pub(crate) shims: &'static [Shim],
    loaded: OnceLock<Result<Loaded, String>>,
}

impl ProgramGlue {
    /// The jitcode image, the hash of the translator's input that both must carry, the load-time values and the shims
    /// in the order of [`metatrace_defs::Program::glue_values`] and [`metatrace_defs::Program::glue_shims`].
    pub const fn new(
        image: &'static [u8],
        hash: u64,
        values: &'static [fn() -> u64],
        shims: &'static [Shim],
    ) -> ProgramGlue {
        ProgramGlue { image, hash, values, shims, loaded: OnceLock::new() }
    }

    /// The program, ready to run; decoded at the first use.
    pub(crate) fn loaded(&'static self) -> Result<&'static Loaded, &'static str> {
        self.loaded.get_or_init(|| Loaded::new(self)).as_ref().map_err(String::as_str)
    }
}

/// A portal of an interpreter. The glue of its module defines it as `portal_NAME`, by the function's name.
#[derive(Debug)]
pub struct PortalGlue {
    pub(crate) program: &'static ProgramGlue,
    pub(crate) index: u32,
}

/// What generated glue says of portals that are methods of a type: `NAME` stands for the method's name.
pub trait PortalOf<const NAME: u64> {
    /// The portal's static.
    fn glue() -> &'static PortalGlue;
}

impl PortalGlue {
    /// Which portal it is.
    pub(crate) fn home(&self) -> Home {
        Home { program: self.program, portal: PortalId(self.index) }
    }

    /// Portal number `index` of the program.
    pub const fn new(program: &'static ProgramGlue, index: u32) -> PortalGlue {
        PortalGlue { program, index }
    }
}

/// The body of a call shim: runs `f`, returns its first word (0 if there is none) and leaves the others in the
/// context. A panic is caught into the context and becomes pending.
///
/// # Safety
/// `context` must be the current VM's.
#[inline(always)]
pub unsafe fn shim_call<R: Scalars>(context: *mut Context, f: impl FnOnce() -> R) -> u64 {
    const { assert!(R::WORDS <= CallDescr::MAX_RESULTS, "a call with too many results") };
    match std::panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => {
            let mut words = [0; CallDescr::MAX_RESULTS];
            value.pack(&mut words);
            if R::WORDS > 1 {
                // SAFETY: the caller vouches for the context, and nothing else refers to it now.
                let results = unsafe { &mut (*context).results };
                results[1..R::WORDS].copy_from_slice(&words[1..R::WORDS]);
            }
            words[0]
        }
        Err(payload) => {
            // SAFETY: as above.
            unsafe { catch(context, payload) };
            0
        }
    }
}

/// The body of the call shim of a portal: enters compiled code, or runs `native`, which is a shim's body, with the words
/// of the parameters.
///
/// # Safety
/// As for [`shim_call`]; the words must be those of the portal's parameters.
#[inline(always)]
pub unsafe fn portal_call(
    context: *mut Context,
    glue: &'static PortalGlue,
    words: &[u64],
    native: impl FnOnce(&[u64]) -> u64,
) -> u64 {
    match crate::entry::call(glue, words, native) {
        Ok(word) => word,
        Err(payload) => {
            // SAFETY: as above.
            unsafe { catch(context, payload) };
            0
        }
    }
}

/// # Safety
/// As for [`shim_call`].
#[cold]
pub(crate) unsafe fn catch(context: *mut Context, payload: Box<dyn std::any::Any + Send>) {
    // SAFETY: the caller vouches for the context, and nothing else refers to it now.
    let context = unsafe { &mut *context };
    context.panic = Some(payload);
    context.pending |= pending::PANIC;
}
