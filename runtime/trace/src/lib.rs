//! The trace IR: data, text form, parser, verifier.
