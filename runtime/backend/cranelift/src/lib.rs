//! Traces to machine code.
