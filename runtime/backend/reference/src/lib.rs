//! Executes a trace operation by operation.
