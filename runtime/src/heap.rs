//! Collected heaps under a VM: entering one, stress modes, and when finalizers run.

use metatrace_gc::Heap;

/// Runs `f` with this heap as the thread's current one, and with the thread's current VM serving it: the VM's stress modes
/// (`gc_every`, `gc_fail_at`) apply to the heap, and its finalizers run at merge points of portals.
///
/// Without feature `jit` it is [`Heap::enter`]: finalizers run when [`Heap::run_finalizers`] is called.
#[cfg(not(feature = "jit"))]
pub fn enter<R>(heap: &Heap, f: impl FnOnce() -> R) -> R {
    heap.enter(f)
}

/// Runs `f` with this heap as the thread's current one, and with the thread's current VM serving it: the VM's stress modes
/// (`gc_every`, `gc_fail_at`) apply to the heap, and its finalizers run at merge points of portals.
///
/// Without feature `jit` it is [`Heap::enter`]: finalizers run when [`Heap::run_finalizers`] is called.
#[cfg(feature = "jit")]
pub fn enter<R>(heap: &Heap, f: impl FnOnce() -> R) -> R {
    crate::vm::current().serve(heap, || heap.enter(f))
}

#[cfg(feature = "jit")]
mod served {
    use std::any::Any;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::ptr::NonNull;
    use std::rc::Rc;

    use metatrace_backend::pending;
    use metatrace_gc::{Heap, Stress, Tracer};

    use crate::vm::VmState;

    impl VmState {
        /// Runs `f` while this VM serves the heap.
        pub fn serve<R>(self: &Rc<VmState>, heap: &Heap, f: impl FnOnce() -> R) -> R {
            struct Leave<'a>(&'a VmState, &'a Heap, Option<Rc<dyn Fn()>>);
            impl Drop for Leave<'_> {
                fn drop(&mut self) {
                    self.1.when_finalizers_due(self.2.take());
                    self.0.heaps.borrow_mut().pop();
                }
            }
            let params = &self.options.params;
            if (params.gc_every, params.gc_fail_at) != (0, 0) {
                let (collect_every, fail_at) = (params.gc_every, params.gc_fail_at);
                heap.set_stress(Stress { collect_every, fail_at, ..Stress::default() });
            }
            let vm = Rc::downgrade(self);
            let tell = move || {
                if let Some(vm) = vm.upgrade() {
                    // SAFETY: the context is this thread's, and no reference to it is held while a heap collects.
                    unsafe { (*vm.context()).pending |= pending::FINALIZERS };
                }
            };
            let before = heap.when_finalizers_due(Some(Rc::new(tell)));
            self.heaps.borrow_mut().push(NonNull::from(heap));
            let _leave = Leave(self, heap, before);
            f()
        }

        /// Collects in the innermost heap if compiled code found that it is time to, at a merge point with these words.
        pub fn collect_due(&self, words: &[u64]) {
            if let Some(heap) = self.innermost() {
                metatrace_gc::showing(&show(words), || heap.collect_due());
            }
        }

        /// Runs the finalizers that are due in the innermost heap, at a merge point with these words.
        ///
        /// # Errors
        /// The panic of one; the others stay.
        pub fn run_finalizers(&self, words: &[u64]) -> Result<(), Box<dyn Any + Send>> {
            // SAFETY: the context is this thread's, and no reference to it is held.
            unsafe { (*self.context()).pending &= !pending::FINALIZERS };
            let Some(heap) = self.innermost() else { return Ok(()) };
            if heap.has_finalizers_due() {
                let run = || catch_unwind(AssertUnwindSafe(|| heap.run_finalizers()));
                metatrace_gc::showing(&show(words), run)?;
            }
            Ok(())
        }

        fn innermost(&self) -> Option<&Heap> {
            let heap = self.heaps.borrow().last().copied()?;
            // SAFETY: the heap is borrowed by the call of `serve` that put it there.
            Some(unsafe { heap.as_ref() })
        }
    }

    /// Shows words that nothing else may hold: many of them are not on the stack.
    fn show(words: &[u64]) -> impl Fn(&mut Tracer) {
        move |tracer| words.iter().for_each(|&word| tracer.word(word))
    }
}
