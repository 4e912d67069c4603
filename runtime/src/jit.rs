//! The hints an interpreter author writes, as `jit::…`: one for each row of the hint table.
//!
//! The translator reads them in the source. What stands here is what native code sees of them.

use metatrace_defs::for_each_hint;

pub use crate::{__can_enter_jit as can_enter_jit, __merge_point as merge_point};
pub use metatrace_macros::*;

/// The point of the portal's loop at which traces begin, end and are entered: its first statement.
#[doc(hidden)]
#[macro_export]
macro_rules! __merge_point {
    ($($arguments:tt)*) => {
        compile_error!(
            "`merge_point!` is the first statement of the one loop of a function with `#[jit::portal]`"
        )
    };
}

/// A backward jump of the guest program: counted, and the place at which compiled code is entered.
///
/// It ends the iteration: the portal's loop continues at its merge point.
#[doc(hidden)]
#[macro_export]
macro_rules! __can_enter_jit {
    () => {
        can_enter_jit_belongs_in_the_loop_of_a_portal!()
    };
}

/// Defines the hints that are functions: natively they do as good as nothing.
macro_rules! define_functions {
    ($( $(#[$doc:meta])* $name:ident = $variant:ident, $form:ident; )*) => {
        $( define_functions! { @$form $name $(#[$doc])* } )*
    };
    (@Function promote $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub const fn promote<T>(value: T) -> T {
            value
        }
    };
    (@Function we_are_jitted $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub const fn we_are_jitted() -> bool {
            false
        }
    };
    (@Function isconstant $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub const fn isconstant<T: Copy>(value: T) -> bool {
            let _ = value;
            false
        }
    };
    (@Function isvirtual $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub const fn isvirtual<T: Copy>(value: T) -> bool {
            let _ = value;
            false
        }
    };
    (@Function record_exact_value $(#[$doc:meta])*) => {
        $(#[$doc])*
        ///
        /// # Panics
        /// In debug builds, if it is another.
        #[inline(always)]
        pub fn record_exact_value<T: Copy + PartialEq>(value: T, known: T) {
            debug_assert!(value == known, "`record_exact_value` of another value");
        }
    };
    (@Function loop_unrolling_heuristic $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub const fn loop_unrolling_heuristic<T: Copy>(list: T, size: usize, cutoff: usize) -> bool {
            let _ = (list, cutoff);
            size == 0
        }
    };
    (@Function conditional_call $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn conditional_call<A, F: FnOnce(A)>(condition: bool, function: F, argument: A) {
            if condition {
                function(argument)
            }
        }
    };
    (@Function conditional_call_elidable $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn conditional_call_elidable<A, R: Copy, F: FnOnce(A) -> R>(
            value: Option<R>,
            function: F,
            argument: A,
        ) -> R {
            value.unwrap_or_else(|| function(argument))
        }
    };
    (@Function assert_green $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub const fn assert_green<T: Copy>(value: T) {
            let _ = value;
        }
    };
    (@Function current_trace_length $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[inline(always)]
        pub const fn current_trace_length() -> isize {
            -1
        }
    };
    (@Function $name:ident $($doc:tt)*) => {
        compile_error!(concat!("the hint `", stringify!($name), "` has no native meaning yet"));
    };
    (@$form:ident $($row:tt)*) => {};
}
for_each_hint!(define_functions);
