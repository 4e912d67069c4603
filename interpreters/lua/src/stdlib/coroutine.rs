//! The library `coroutine`.

use metatrace::gc::Gc;

use crate::call::Call;
use crate::coroutine as native;
use crate::stack::Slot;
use crate::table::Table;
use crate::thread::{Status, Thread};
use crate::value::Value;
use crate::vm::{Result, Vm};

pub fn open(vm: &Vm, table: Gc<Table>) -> Result<()> {
    super::register(
        vm,
        table,
        &[
            ("close", close),
            ("create", create),
            ("isyieldable", is_yieldable),
            ("resume", resume),
            ("running", running),
            ("status", status),
            ("wrap", wrap),
            ("yield", stop),
        ],
    )
}

fn thread(call: &Call, index: usize) -> Result<Gc<Thread>> {
    match call.arg(index) {
        Value::Thread(thread) => Ok(thread),
        _ => Err(call.bad_type(index, "thread")),
    }
}

fn create(call: Call) -> Result<usize> {
    let function = call.callable(0)?;
    let thread = native::create(call.vm, function)?;
    call.one(Value::Thread(thread))
}

/// Moves the values that a coroutine has given to a place of the results.
fn take(call: &Call, values: Slot, count: usize, first: usize) -> Result<usize> {
    if !call.reserve(first + count) {
        return Err(call.fail_plain("too many results to resume"));
    }
    call.place.up(first).copy_from(values, count);
    Ok(first + count)
}

fn resume(call: Call) -> Result<usize> {
    let thread = thread(&call, 0)?;
    match native::resume(call.vm, thread, call.place.up(2), call.count - 1) {
        Ok((values, count)) => {
            let total = take(&call, values, count, 1)?;
            call.place.set(Value::True);
            Ok(total)
        }
        Err(error) => call.many(&[Value::False, error]),
    }
}

fn stop(call: Call) -> Result<usize> {
    if call.vm.thread().is_main {
        return Err(call.fail_plain("attempt to yield from outside a coroutine"));
    }
    if !native::may_stop(&call.vm.thread()) {
        return Err(call.vm.raise_bytes(b"attempt to yield across a C-call boundary"));
    }
    call.place.copy_from(call.place.up(1), call.count);
    Ok(native::stop(call.vm, call.place, call.count))
}

fn wrap(call: Call) -> Result<usize> {
    let function = call.callable(0)?;
    let thread = native::create(call.vm, function)?;
    let wrapper = call.vm.native(wrapped, &[Value::Thread(thread)])?;
    call.one(wrapper)
}

fn wrapped(call: Call) -> Result<usize> {
    let Value::Thread(thread) = call.upvalue(0) else { return Ok(0) };
    let was_alive = thread.status.get() == Status::Suspended;
    match native::resume(call.vm, thread, call.place.up(1), call.count) {
        Ok((values, count)) => take(&call, values, count, 0),
        Err(mut error) => {
            if was_alive
                && thread.status.get() == Status::Dead
                && let Err(last) = native::close(call.vm, thread)
            {
                error = last;
            }
            if let Value::Str(text) = error {
                let mut message = crate::error::position(call.vm, 1);
                message.extend_from_slice(text.bytes());
                return Err(call.vm.raise_bytes(&message));
            }
            Err(call.vm.raise(error))
        }
    }
}

fn status_name(call: &Call, thread: Gc<Thread>) -> &'static str {
    if thread.ptr_eq(call.vm.thread()) {
        return "running";
    }
    match thread.status.get() {
        Status::Suspended => "suspended",
        Status::Running => "running",
        Status::Normal => "normal",
        Status::Dead => "dead",
    }
}

fn status(call: Call) -> Result<usize> {
    let thread = thread(&call, 0)?;
    call.text(status_name(&call, thread).as_bytes())
}

fn running(call: Call) -> Result<usize> {
    let thread = call.vm.thread();
    call.many(&[Value::Thread(thread), Value::bool(thread.is_main)])
}

fn is_yieldable(call: Call) -> Result<usize> {
    let thread = if call.arg(0).is_nil() { call.vm.thread() } else { thread(&call, 0)? };
    call.one(Value::bool(native::may_stop(&thread)))
}

fn close(call: Call) -> Result<usize> {
    let thread = thread(&call, 0)?;
    match status_name(&call, thread) {
        "suspended" | "dead" => {}
        name => return Err(call.fail(format!("cannot close a {name} coroutine"))),
    }
    match native::close(call.vm, thread) {
        Ok(()) => call.one(Value::True),
        Err(error) => call.many(&[Value::False, error]),
    }
}
