//! The hints an interpreter author writes, as `jit::…`.

pub use crate::{__can_enter_jit as can_enter_jit, __merge_point as merge_point};
pub use metatrace_macros::{dont_look_inside, portal};

/// The point of the portal's loop at which traces begin, end and are entered: its first statement.
#[doc(hidden)]
#[macro_export]
macro_rules! __merge_point {
    () => {};
}

/// A backward jump of the guest program: counted, and the place at which compiled code is entered.
#[doc(hidden)]
#[macro_export]
macro_rules! __can_enter_jit {
    () => {};
}
