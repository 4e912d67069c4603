//! No input makes the tools panic.
