//! An interpreter whose every instruction is a body that the front end must translate faithfully.
//!
//! `code` lists the instructions, `interpret` holds the portal, `bodies` what does not stand in its arms, by topic. The
//! tests run each instruction in a hot loop in every engine and compare with native code.

mod bodies;
mod code;
mod interpret;
mod state;

pub use bodies::errors::Fault;
pub use code::{Code, Op};
pub use interpret::{interpret, run};
pub use state::{Host, Point, State};

metatrace::glue!();
