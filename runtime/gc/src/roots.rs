//! Roots: the native stack with its registers, memory that is tested word by word, and values that are traced.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Range};
use std::rc::Rc;

use crate::mark::Tracer;
use crate::types::{Trace, TraceFn, trace_as};

/// Values that are traced, wherever they lie.
#[derive(Default)]
pub(crate) struct RootList {
    values: RefCell<Vec<(usize, Option<TraceFn>)>>,
    free: RefCell<Vec<usize>>,
}

impl RootList {
    /// Adds the value at an address.
    pub fn add<T: Trace>(&self, value: *const T) -> usize {
        let entry = (value as usize, Some(trace_as::<T> as TraceFn));
        let mut values = self.values.borrow_mut();
        match self.free.borrow_mut().pop() {
            Some(index) => {
                values[index] = entry;
                index
            }
            None => {
                values.push(entry);
                values.len() - 1
            }
        }
    }

    pub fn remove(&self, index: usize) {
        self.values.borrow_mut()[index] = (0, None);
        self.free.borrow_mut().push(index);
    }

    pub fn trace(&self, tracer: &mut Tracer) {
        for &(address, trace) in &*self.values.borrow() {
            if let Some(trace) = trace {
                // SAFETY: whoever added the value keeps it where it is until it is removed.
                unsafe { trace(address as *const u8, tracer) };
            }
        }
    }
}

/// A value in memory of Rust's own whose references keep objects alive.
pub struct Root<T: Trace> {
    value: Box<T>,
    index: usize,
    list: Rc<RootList>,
}

impl<T: Trace> Root<T> {
    /// A root of the current heap.
    ///
    /// # Panics
    /// If no heap is current.
    pub fn new(value: T) -> Root<T> {
        let list = crate::heap::with_current("make a root", |state| Rc::clone(&state.roots));
        let value = Box::new(value);
        Root { index: list.add(&raw const *value), value, list }
    }

    /// Gives the value back: it keeps nothing alive from here on.
    pub fn into_inner(self) -> T
    where
        T: Copy,
    {
        *self.value
    }
}

impl<T: Trace> Drop for Root<T> {
    fn drop(&mut self) {
        self.list.remove(self.index);
    }
}

impl<T: Trace> Deref for Root<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Trace> DerefMut for Root<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

thread_local! {
    static STACK: Cell<usize> = const { Cell::new(0) };
    /// Areas of [`Area`]s; those of dropped ones are empty.
    static AREAS: RefCell<Vec<Shape>> = const { RefCell::new(Vec::new()) };
    /// The innermost call of [`showing`].
    static SHOWN: RefCell<Vec<Show>> = const { RefCell::new(Vec::new()) };
}

/// What an [`Area`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    area: Range<usize>,
    /// If given, words count as far as this many bytes beyond the last address in the area that a root holds.
    reach: Option<usize>,
}

impl Shape {
    const NONE: Shape = Shape { area: 0..0, reach: None };

    /// Shows it until the result is dropped.
    fn show(self) -> Area {
        let index =
            AREAS.with_borrow_mut(|areas| match areas.iter().position(|shape| *shape == Shape::NONE) {
                Some(free) => {
                    areas[free] = self;
                    free
                }
                None => {
                    areas.push(self);
                    areas.len() - 1
                }
            });
        Area { index, _one_thread: PhantomData }
    }
}

/// Memory whose words keep objects alive, of whatever heap is collected on the thread that made it.
///
/// For memory of `malloc` that a runtime keeps values in, which may be references.
#[derive(Debug)]
pub struct Area {
    index: usize,
    _one_thread: PhantomData<*mut ()>,
}

impl Area {
    /// Shows an area until it is dropped.
    ///
    /// # Safety
    /// The area can be read until then.
    pub unsafe fn new(area: Range<*const u8>) -> Area {
        Shape { area: area.start as usize..area.end as usize, reach: None }.show()
    }

    /// Shows a stack until it is dropped: of the area, what lies before the last address in it that the native stack, or another
    /// area, holds, and as many bytes as `reach` from there. What whoever uses the stack has no address of is not in use.
    ///
    /// # Safety
    /// The area can be read until then.
    pub unsafe fn stack(area: Range<*const u8>, reach: usize) -> Area {
        Shape { area: area.start as usize..area.end as usize, reach: Some(reach) }.show()
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        // At the end of the thread the list may be gone, and nothing is collected any more.
        let _ = AREAS.try_with(|areas| areas.borrow_mut()[self.index] = Shape::NONE);
    }
}

/// Words that keep objects alive, of whatever heap is collected on the thread that made them.
#[derive(Debug)]
pub struct Words {
    // First, to be dropped first.
    _area: Area,
    _words: Box<[u64]>,
}

impl Words {
    /// Shows these words until they are dropped.
    pub fn new(words: Box<[u64]>) -> Words {
        let range = words.as_ptr_range();
        // SAFETY: the words lie in memory of their own, which is freed after the area is dropped.
        let area = unsafe { Area::new(range.start.cast()..range.end.cast()) };
        Words { _area: area, _words: words }
    }
}

/// What [`showing`] asks.
type Show = *const (dyn Fn(&mut Tracer) + 'static);

/// Runs `f`; collections on this thread meanwhile ask `show` for roots. Calls on different native stacks may end in any order.
///
/// `show` must not use a heap but through the tracer.
pub fn showing<R>(show: &dyn Fn(&mut Tracer), f: impl FnOnce() -> R) -> R {
    struct Hide(Show);
    impl Drop for Hide {
        fn drop(&mut self) {
            SHOWN.with_borrow_mut(|shown| {
                if let Some(place) = shown.iter().rposition(|show| std::ptr::addr_eq(*show, self.0)) {
                    shown.remove(place);
                }
            });
        }
    }
    // SAFETY: only the lifetime changes; it is in the list no longer than this call takes.
    let show: Show = unsafe { std::mem::transmute::<*const (dyn Fn(&mut Tracer) + '_), Show>(show) };
    SHOWN.with_borrow_mut(|shown| shown.push(show));
    let _hide = Hide(show);
    f()
}

/// The stacks among the areas that this thread shows.
pub(crate) fn stacks() -> Stacks {
    let stack = |shape: &Shape| shape.reach.map(|reach| Stack::new(shape.area.clone(), reach));
    Stacks::new(AREAS.with_borrow(|areas| areas.iter().filter_map(stack).collect()))
}

/// Visits what this thread shows, but stacks.
pub(crate) fn mark_shown(tracer: &mut Tracer) {
    AREAS.with_borrow(|areas| {
        for shape in areas.iter().filter(|shape| shape.reach.is_none()) {
            // SAFETY: whoever made the area keeps it readable.
            unsafe { tracer.area(shape.area.clone()) };
        }
    });
    SHOWN.with_borrow(|shown| {
        for show in shown {
            // SAFETY: the call of `showing` that put it there has not returned.
            unsafe { (**show)(tracer) };
        }
    });
}

/// Visits what is in use of the stacks that this thread shows, after all that may hold addresses in them.
pub(crate) fn mark_stacks(tracer: &mut Tracer) {
    while let Some(part) = tracer.stacks.next() {
        // SAFETY: whoever made the area keeps it readable.
        unsafe { tracer.area(part) };
    }
    tracer.stacks = Stacks::default();
}

/// Stacks, and how far they are known to be in use.
#[derive(Default)]
pub(crate) struct Stacks {
    /// From the first to the last of their addresses.
    around: Range<usize>,
    stacks: Vec<Stack>,
}

struct Stack {
    area: Range<usize>,
    reach: usize,
    /// Where the part begins that was not visited.
    next: usize,
    /// Where the part ends that is in use.
    end: usize,
}

impl Stack {
    fn new(area: Range<usize>, reach: usize) -> Stack {
        Stack { reach, next: area.start, end: area.start, area }
    }
}

impl Stacks {
    fn new(stacks: Vec<Stack>) -> Stacks {
        let start = stacks.iter().map(|stack| stack.area.start).min().unwrap_or(0);
        let end = stacks.iter().map(|stack| stack.area.end).max().unwrap_or(0);
        Stacks { around: start..end, stacks }
    }

    /// Notes a word of a root.
    #[inline(always)]
    pub fn note(&mut self, word: usize) {
        if word.wrapping_sub(self.around.start) < self.around.len() {
            self.note_address(word);
        }
    }

    fn note_address(&mut self, address: usize) {
        if let Some(stack) = self.stacks.iter_mut().find(|stack| stack.area.contains(&address)) {
            stack.end = stack.end.max(address.saturating_add(stack.reach).min(stack.area.end));
        }
    }

    /// A part in use that was not given before.
    fn next(&mut self) -> Option<Range<usize>> {
        let stack = self.stacks.iter_mut().find(|stack| stack.next < stack.end)?;
        let part = stack.next..stack.end;
        stack.next = stack.end;
        Some(part)
    }
}

/// The address at which the thread's stack begins: it grows down from there.
pub(crate) fn stack_start() -> usize {
    let known = STACK.get();
    if known != 0 {
        return known;
    }
    let start = ask_stack_start();
    STACK.set(start);
    start
}

#[cfg(target_os = "linux")]
fn ask_stack_start() -> usize {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut low, mut bytes) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes are filled in before they are read, and given back.
    unsafe {
        assert_eq!(
            libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()),
            0,
            "the stack's bounds"
        );
        libc::pthread_attr_getstack(attributes.as_ptr(), &mut low, &mut bytes);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
    }
    low as usize + bytes
}

#[cfg(target_os = "macos")]
fn ask_stack_start() -> usize {
    // SAFETY: asks about the calling thread.
    unsafe { libc::pthread_get_stackaddr_np(libc::pthread_self()) as usize }
}

/// Calls `f` with an address below which the stack holds nothing of the callers, their registers included.
#[inline(never)]
pub(crate) fn with_registers<R>(f: impl FnOnce(usize) -> R) -> R {
    let mut registers = [0u64; 20];
    // SAFETY: stores the registers that functions preserve for their callers into the array, which is large enough. The
    // others, float registers included, were stored by whoever called us if their values are needed again.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "mov [{0}], rbx", "mov [{0} + 8], rbp", "mov [{0} + 16], r12", "mov [{0} + 24], r13",
            "mov [{0} + 32], r14", "mov [{0} + 40], r15",
            in(reg) registers.as_mut_ptr(), options(nostack, preserves_flags)
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{0}]", "stp x21, x22, [{0}, #16]", "stp x23, x24, [{0}, #32]",
            "stp x25, x26, [{0}, #48]", "stp x27, x28, [{0}, #64]", "str x29, [{0}, #80]",
            "stp d8, d9, [{0}, #88]", "stp d10, d11, [{0}, #104]", "stp d12, d13, [{0}, #120]",
            "stp d14, d15, [{0}, #136]",
            in(reg) registers.as_mut_ptr(), options(nostack, preserves_flags)
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    compile_error!("the registers of this processor are not known to the collector");
    let result = f(registers.as_ptr() as usize);
    std::hint::black_box(&registers);
    result
}

/// The area of a stack that is in use, if `pointer` is an address on it; all of it otherwise.
pub(crate) fn in_use(stack: &Range<usize>, pointer: usize) -> Range<usize> {
    if stack.contains(&pointer) { pointer..stack.end } else { stack.clone() }
}
