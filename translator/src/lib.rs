//! Interpreter source to typed flow graphs.

pub mod flow;
pub mod items;
pub mod names;
pub mod program;
pub mod source;
pub mod thir;
pub mod ty;
