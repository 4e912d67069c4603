//! The run-time of translated interpreters: hints, driver, recorder, blackhole.

pub mod jit;
mod traced;

pub use traced::Traced;

/// Marks a module that holds traced types or functions; one line in each such module.
///
/// In a translated build it includes the glue that the translator generated for the module; otherwise it
/// expands to nothing.
#[macro_export]
macro_rules! glue {
    () => {};
}
