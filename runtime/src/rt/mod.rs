//! What generated glue and the portal attribute's expansion refer to. Not for authors.
//!
//! - [`Scalars`] takes values apart into words as jitcode does;
//! - [`ProgramGlue`] and [`PortalGlue`] are the statics that generated glue defines;
//! - [`shim_call`] is the body of every call shim;
//! - [`claim_vtable`] and others say which implementation is behind a trait object or function pointer;
//! - [`EnumProbe`] finds out at start-up how an enum lies in memory;
//! - [`vec_offset`] and others find out at start-up what rustc tells nobody earlier.

mod borrow;
mod claims;
mod glue;
mod heap;
mod probe;
mod scalars;
mod shape;
mod symbols;

pub use crate::entry::{enter, enter_function, tick};
pub use crate::traced::{TracedBox, TracedHeader};
pub use crate::vm::log::{count_merge_point, counting};
pub use borrow::{Probed, RcCounts, pack_ref_cell, unpack_ref_cell};
pub use claims::{claim_function, claim_vtable, known_function, known_vtable};
pub(crate) use glue::catch;
pub use glue::{PortalGlue, PortalOf, ProgramGlue, portal_call, shim_call};
pub(crate) use heap::{INLINE_HEAP, allocator, current_heap};
pub use metatrace_backend::{Context, Shim};
pub use probe::{
    Container, Exactly, any, exactly, overflow_checks, rc_offset, shim_call_with, variant_offset, vec_offset,
};
pub use scalars::{Scalars, larger, pack_opaque, put, take, unpack_opaque};
pub use shape::{
    EnumProbe, EnumShape, Leaf, Made, place, sample_arc, sample_bits, sample_char, sample_default,
    sample_function, sample_memory, sample_rc,
};
