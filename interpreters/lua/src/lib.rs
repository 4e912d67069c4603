//! Lua 5.4: the language and its libraries, as an interpreter that metatrace gives a JIT compiler.
//!
//! [`Vm`] is a machine; programs are loaded and called within [`Vm::enter`]. Source is compiled by `compile` to the bytecode of `op`,
//! which `execute` runs by the operations in `ops`. What they work on: [`Value`], `string`, `table` with `shape`, `function`,
//! `thread` with `stack`. `meta` says what operations mean where these do not apply, `error` what messages say. `stdlib` holds the
//! libraries.

mod call;
mod chunk;
pub mod compile;
mod coroutine;
mod embed;
mod error;
mod execute;
mod function;
mod hook;
pub mod listing;
mod meta;
mod number;
pub mod op;
mod ops;
mod shape;
mod stack;
mod stdlib;
mod string;
mod table;
mod thread;
mod userdata;
mod value;
mod vm;
mod weak;

pub use call::Call;
pub use embed::Handler;
pub use error::text_of;
pub use function::{Function, Native, NativeFn};
pub use stdlib::{flush_standard, print, print_error, traceback};
pub use string::Str;
pub use table::Table;
pub use userdata::UserData;
pub use value::Value;
pub use vm::{Options, Raised, Result, Vm};

metatrace::glue!();
