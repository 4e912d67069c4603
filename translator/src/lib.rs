//! Interpreter source to typed flow graphs.

mod collect;
pub mod diag;
mod dump;
mod expand;
pub mod flow;
pub mod front;
mod infer;
mod instance;
pub mod items;
pub mod load;
pub mod lower;
pub mod names;
mod portal;
pub mod program;
pub mod resolve;
pub mod source;
pub mod thir;
pub mod translate;
pub mod ty;

pub use expand::crate_marker;
pub use translate::{Failure, Options, translate, with_stack};
