//! What the generators and the runtime must agree on: the tables, the jitcode container, entity indices.
//!
//! This crate depends on nothing. Every other crate derives what it needs (enums, text, encoders, checks) from the
//! tables here:
//!
//! - [`pure`]: operations without effects, shared by flow graphs, jitcode and traces, each with its meaning;
//! - [`trace_op`]: the other operations of traces;
//! - [`inst`]: the other instructions of jitcode;
//! - [`hint`], [`param`], [`abort`]: what authors write, what users set, why a trace was given up.
//!
//! [`jitcode`] is the one container that `jitcodegen` writes and the runtime reads; [`descr`] says what memory
//! accesses and calls are. [`image`] and [`text`] are its two written forms, [`code`] takes instructions apart and
//! [`verify`](mod@verify) checks it.

pub mod abort;
pub mod alloc;
pub mod code;
pub mod descr;
pub mod entity;
pub mod hint;
pub mod image;
pub mod inst;
pub mod jitcode;
pub mod param;
pub mod pure;
pub mod text;
pub mod trace_op;
pub mod verify;

pub use abort::Abort;
pub use alloc::{Alloc, AllocId};
pub use descr::{Access, AccessId, CallDescr, CallId};
pub use hint::Hint;
pub use inst::Inst;
pub use jitcode::{JitCode, JitCodeId, Program};
pub use param::Param;
pub use pure::PureOp;
pub use trace_op::TraceOp;

/// The two kinds of values that jitcode and traces know.
///
/// Integers of every width, `bool`, `char`, references, `f32` (as its bits) and enum payloads are words; `f64` is a
/// float. Narrow integers are kept *canonical* in words: zero-extended if unsigned, sign-extended if signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// 64 bits of an integer, an address or a payload.
    Word,
    /// A 64-bit IEEE 754 number.
    Float,
}

impl Kind {
    /// The letter that stands for the kind in text forms: `w` or `f`.
    pub const fn letter(self) -> char {
        match self {
            Kind::Word => 'w',
            Kind::Float => 'f',
        }
    }
}
