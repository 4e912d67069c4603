//! The run-time of translated interpreters: hints, driver, recorder, blackhole.

mod apart;
mod heap;
pub mod jit;
mod native_stack;
mod quasi;
mod traced;

#[cfg(feature = "jit")]
mod compile;
#[cfg(feature = "jit")]
mod entry;
#[cfg(feature = "jit")]
mod loaded;
#[cfg(feature = "jit")]
mod machine;
#[cfg(feature = "jit")]
mod record;
#[cfg(feature = "jit")]
mod region;
#[cfg(feature = "jit")]
#[doc(hidden)]
pub mod rt;
#[cfg(feature = "jit")]
mod stress;
#[cfg(feature = "jit")]
mod vm;

pub use apart::Apart;
pub use heap::enter;
#[cfg(feature = "jit")]
pub use metatrace_defs::{Abort, param::Params};
/// The collected heap.
pub use metatrace_gc as gc;
pub use native_stack::NativeStack;
pub use quasi::QuasiImmut;
pub use traced::Traced;
#[cfg(feature = "jit")]
pub use vm::Vm;
#[cfg(feature = "jit")]
pub use vm::log::finish;
#[cfg(feature = "jit")]
pub use vm::options::{OptionError, Options};
#[cfg(feature = "jit")]
pub use vm::stats::Stats;

/// Marks a module that holds traced types or functions; one line in each such module.
///
/// In a translated build it includes the glue that the translator generated for the module; otherwise, and without
/// feature `jit`, it expands to nothing.
#[cfg(feature = "jit")]
#[macro_export]
macro_rules! glue {
    () => {
        #[doc(hidden)]
        #[allow(warnings)]
        pub mod __metatrace {
            #[cfg(metatrace)]
            use super::*;
            #[cfg(metatrace)]
            include!(concat!(env!("OUT_DIR"), "/metatrace/", module_path!(), ".rs"));
        }
    };
}

/// Marks a module that holds traced types or functions; expands to nothing without feature `jit`.
#[cfg(not(feature = "jit"))]
#[macro_export]
macro_rules! glue {
    () => {};
}
