//! Values of the program that the machine is embedded in, and of the libraries.

use std::any::Any;
use std::cell::RefCell;

use metatrace::gc::{Gc, GcCell, HeapFull, Trace};

use crate::table::Table;

metatrace::glue!();

/// A value of Rust, with a metatable.
#[derive(Trace)]
pub struct UserData {
    pub meta: GcCell<Option<Gc<Table>>>,
    #[trace(unsafe_skip)]
    pub data: RefCell<Box<dyn Any>>,
}

impl UserData {
    /// Takes a value, which must hold no reference into the heap.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn new(data: Box<dyn Any>, meta: Option<Gc<Table>>) -> Result<Gc<UserData>, HeapFull> {
        Gc::try_new(UserData { meta: GcCell::new(meta), data: RefCell::new(data) })
    }
}
