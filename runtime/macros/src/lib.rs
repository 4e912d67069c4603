//! Attributes and macros that an interpreter author writes.
