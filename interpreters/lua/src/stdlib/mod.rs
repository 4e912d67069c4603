//! The standard libraries.

mod args;
mod base;
mod coroutine;
mod debug;
mod format;
mod io;
mod math;
mod os;
mod pack;
mod package;
mod pattern;
mod sort;
mod string;
mod table;
mod utf8;

use metatrace::gc::Gc;

use crate::function::{Known, LeafFn};
use crate::table::Table;
use crate::value::Value;
use crate::vm::{NativeEntry, Result, Vm};

metatrace::glue!();

pub(crate) use base::{load_path, warn};
pub use debug::traceback;
pub use io::{flush_standard, write_error as print_error, write_standard as print};

/// Makes all libraries and their names.
pub(crate) fn open(vm: &Vm) -> Result<()> {
    let globals = vm.globals();
    base::open(vm, globals)?;
    publish(vm, "_G", globals)?;
    package::open(vm)?;
    let makers: [(&str, fn(&Vm, Gc<Table>) -> Result<()>); 8] = [
        ("coroutine", coroutine::open),
        ("table", table::open),
        ("io", io::open),
        ("os", os::open),
        ("string", string::open),
        ("math", math::open),
        ("utf8", utf8::open),
        ("debug", debug::open),
    ];
    for (name, open) in makers {
        let library = vm.table()?;
        vm.set_field(globals, name, Value::Table(library))?;
        publish(vm, name, library)?;
        open(vm, library)?;
    }
    Ok(())
}

/// Has `require` find a library.
fn publish(vm: &Vm, name: &str, library: Gc<Table>) -> Result<()> {
    vm.set_field(vm.loaded(), name, Value::Table(library))
}

/// Puts functions into a table that mostly need no frame.
fn register_leaves(vm: &Vm, table: Gc<Table>, functions: &[(&str, LeafFn)]) -> Result<()> {
    for (name, function) in functions {
        let function = vm.leaf(*function, Known::Leaf)?;
        vm.set_field(table, name, function)?;
    }
    Ok(())
}

/// Puts functions into a table.
fn register(vm: &Vm, table: Gc<Table>, functions: &[NativeEntry]) -> Result<()> {
    for (name, function) in functions {
        let function = vm.native(*function, &[])?;
        vm.set_field(table, name, function)?;
    }
    Ok(())
}
