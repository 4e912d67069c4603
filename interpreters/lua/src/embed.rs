//! What programs that embed a machine use besides [`Vm`]'s own functions.

use crate::meta::Event;
use crate::value::Value;
use crate::vm::{Raised, Result, Vm};

/// Makes another value of an error, while the calls that it passed are still there.
pub type Handler<'a> = &'a dyn Fn(&Vm, Value) -> Value;

impl Vm {
    /// Calls a function and drops its results.
    ///
    /// # Errors
    /// If it raises an error: what the handler makes of it.
    pub fn call_with_handler(
        &self,
        function: Value,
        args: &[Value],
        handler: Handler,
    ) -> std::result::Result<(), Value> {
        self.with_handler(handler, || self.call_from(self.scratch(), function, args, 0).map(drop))
    }

    /// Calls a function without arguments, and the global `print` with its results, if there are any.
    ///
    /// # Errors
    /// If it raises an error: what the handler makes of it.
    pub fn call_and_print(&self, function: Value, handler: Handler) -> std::result::Result<(), Value> {
        self.with_handler(handler, || {
            let place = self.scratch();
            let count = self.call_from(place, function, &[], -1)?;
            if count == 0 {
                return Ok(());
            }
            place.up(1).copy_from(place, count);
            place.set(self.get_field(self.globals(), "print")?);
            if !matches!(place.get(), Value::Function(_) | Value::Native(_)) {
                return Err(self.error("'print' is not a function"));
            }
            self.call_at(place, count, 0).map(drop)
        })
    }

    /// Does something with the machine.
    ///
    /// # Errors
    /// If that raises an error: what the handler makes of it.
    pub fn with_handler(
        &self,
        handler: Handler,
        f: impl FnOnce() -> Result<()>,
    ) -> std::result::Result<(), Value> {
        let (depth, level, calls) = (self.thread().frames.depth(), self.scratch(), self.native_calls());
        f().map_err(|Raised| {
            self.set_native_calls(calls);
            let error = self.take_error();
            let handled = handler(self, error);
            self.raise(handled);
            self.unwind(depth, level)
        })
    }

    /// The function of a file, or of standard input.
    ///
    /// # Errors
    /// If it cannot be read or is not a program.
    pub fn load_file(&self, path: Option<&[u8]>) -> Result<Value> {
        crate::stdlib::load_path(self, path, Value::Table(self.globals()))
    }

    /// What `__tostring` says of a value, if it has that.
    pub fn own_text(&self, value: Value) -> Option<Value> {
        if self.metamethod(value, Event::ToString).is_nil() {
            return None;
        }
        self.protected(|| crate::meta::to_text(self, value)).ok()
    }

    /// Turns warnings on or off.
    pub fn set_warnings(&self, on: bool) {
        self.warnings.set(on);
    }
}
