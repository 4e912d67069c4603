//! The form in which diagnostics are printed.
