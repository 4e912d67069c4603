//! Native stacks besides that of the thread: coroutines.

/// What the JIT keeps of a native stack that an interpreter's coroutine runs on: compiled code that was left by a switch to another
/// stack goes on when the coroutine does.
///
/// One belongs to each coroutine. Whatever runs on the coroutine's stack is begun and gone on with by [`NativeStack::run`]: resuming, and
/// unwinding a stack that is given up. Without feature `jit` it does nothing.
#[derive(Default)]
pub struct NativeStack {
    #[cfg(feature = "jit")]
    suspended: Option<crate::vm::Suspended>,
}

impl NativeStack {
    /// That of a coroutine which has not begun.
    pub fn new() -> NativeStack {
        NativeStack::default()
    }

    /// Calls `f`, which goes on on this stack until that is left.
    #[cfg(not(feature = "jit"))]
    pub fn run<R>(&mut self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// Calls `f`, which goes on on this stack until that is left.
    #[cfg(feature = "jit")]
    pub fn run<R>(&mut self, f: impl FnOnce() -> R) -> R {
        struct Back<'a>(&'a mut crate::vm::Suspended);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.switch();
            }
        }
        let suspended = self.suspended.get_or_insert_with(crate::vm::Suspended::new);
        suspended.switch();
        let _back = Back(suspended);
        f()
    }
}
