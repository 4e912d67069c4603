//! Heaps: made, entered, asked, and how one is found.
//!
//! In: a [`Config`]. Out: a [`Heap`], current on a thread while [`Heap::enter`] runs. All state of a heap is one [`State`]
//! at a stable address that begins with [`Hot`]; it is reached through a raw pointer, and no reference to it is held while
//! code of an interpreter runs, except for tracing and dropping, which must not use the heap.

use std::cell::Cell;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Duration;

use crate::alloc::{Class, Hot, Run, Stress};
use crate::mark::Tracer;
use crate::roots::RootList;
use crate::sizes::CLASSES;
use crate::space::Space;
use crate::types::{Trace, TypeInfo};

/// How a heap is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes that objects may take, rounded up to blocks and pages. Address space of several times as much is reserved.
    pub limit: usize,
    /// Bytes beyond the limit for [`Heap::allocate_reserved`].
    pub reserve: usize,
    /// Bytes of new objects after which a minor collection runs.
    pub nursery: usize,
    /// Whether there are minor collections at all.
    pub generational: bool,
    /// Words that may hold references are tested as they are and with these bits only: for tagged and boxed references.
    pub pointer_mask: u64,
    /// Fill freed objects with [`POISON`].
    pub poison: bool,
    /// Verify the heap before and after each collection.
    pub verify: bool,
}

/// The byte that freed objects are filled with.
pub const POISON: u8 = 0xDB;

impl Default for Config {
    fn default() -> Config {
        Config {
            limit: 4 << 30,
            reserve: 1 << 20,
            nursery: 4 << 20,
            generational: true,
            pointer_mask: !0,
            poison: cfg!(debug_assertions),
            verify: false,
        }
    }
}

/// What a heap counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Collections, minor ones included.
    pub collections: u64,
    /// Minor collections.
    pub minor_collections: u64,
    /// Wall time of all collections.
    pub time: Duration,
    /// Wall time of the longest one.
    pub longest: Duration,
    /// Bytes of the cells of the objects that the last collection found alive.
    pub live_bytes: u64,
    /// Bytes of blocks and pages in use.
    pub used_bytes: u64,
    /// The most that `used_bytes` was.
    pub peak_bytes: u64,
    /// Bytes of cells that were ever set out for allocation.
    pub allocated_bytes: u64,
    /// Finalizers that ran.
    pub finalized: u64,
}

/// Something of an object to be done when it dies.
#[derive(Clone, Copy)]
pub(crate) struct AtDeath {
    /// The reference.
    pub object: usize,
    pub action: Action,
    /// For the action.
    pub data: *const (),
}

/// Does something with an object, given its address and the data of the entry.
pub(crate) type Action = unsafe fn(*mut u8, *const ());

/// Entries of objects that were marked before, and of those that were not.
#[derive(Default)]
pub(crate) struct ByAge {
    pub young: Vec<AtDeath>,
    pub old: Vec<AtDeath>,
}

#[repr(C)]
pub(crate) struct State {
    pub hot: Hot,
    pub tracer: Tracer,
    pub classes: Vec<Class>,
    pub hidden_runs: [Run; CLASSES],
    pub config: Config,
    pub stress: Stress,
    /// Allocations under stress.
    pub allocations: u64,
    /// Bytes of blocks and pages in use.
    pub used: usize,
    /// Bytes set out for allocation since the last collection, and how many bring the next one.
    pub since: usize,
    pub trigger: usize,
    /// Whether only a full heap brings collections, and how far it may grow to be before a full one, in percent.
    pub stopped: bool,
    pub growth: usize,
    /// Bytes alive after the last collection, and after the last full one.
    pub live: usize,
    pub live_full: usize,
    pub last_was_full: bool,
    /// Whether an allocation that does not collect found that it is time to.
    pub is_due: bool,
    pub collecting: bool,
    pub stats: Stats,
    pub finalizers: ByAge,
    /// Finalizers of objects that are dead otherwise.
    pub due: VecDeque<AtDeath>,
    /// Called at the end of collections that leave some.
    pub on_due: Option<Rc<dyn Fn()>>,
    pub droppers: ByAge,
    pub roots: Rc<RootList>,
    /// Areas to be tested word by word; an entry that was removed is empty.
    pub areas: Vec<Range<usize>>,
    pub sources: Vec<Option<Source>>,
    pub weak_sources: Vec<WeakSource>,
    /// The stacks of the threads that have the heap entered.
    pub stack: Range<usize>,
    pub entered: usize,
}

/// What visits roots that only its maker knows.
pub type Source = Box<dyn Fn(&mut Tracer)>;

/// What handles weak structures that only its maker knows.
pub type WeakSource = Box<dyn Fn(&mut Tracer, WeakPhase)>;

/// When a [`WeakSource`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakPhase {
    /// What roots lead to is marked: mark what lives because of that. It is called again until nothing more is marked.
    Propagate,
    /// As above, and references that do not keep finalized objects alive are to be cleared: what has no mark dies, or lives
    /// only to be finalized.
    BeforeFinalizers,
    /// All that lives is marked: forget the rest.
    Clear,
}

struct Nothing(Hot);
// SAFETY: never written: its runs are empty and its range too.
unsafe impl Sync for Nothing {}
static NOTHING: Nothing = Nothing(Hot::NOTHING);

thread_local! {
    static CURRENT: Cell<*mut Hot> = const { Cell::new((&raw const NOTHING.0).cast_mut()) };
}

/// What of the current heap is used inline.
#[inline(always)]
pub(crate) fn hot() -> *mut Hot {
    CURRENT.get()
}

/// Whether a heap is current.
pub(crate) fn is_any() -> bool {
    !std::ptr::eq(hot(), &raw const NOTHING.0)
}

/// Calls `f` with the current heap.
///
/// # Panics
/// If there is none.
pub(crate) fn with_current<R>(what: &str, f: impl FnOnce(&mut State) -> R) -> R {
    // SAFETY: what is current lives.
    f(unsafe { State::of(hot(), what) })
}

/// Checks that the references in a value are objects of the current heap.
///
/// # Panics
/// If one is not.
pub(crate) fn check_stored<T: Trace>(value: &T) {
    with_current("store a reference", |state| {
        for reference in state.tracer.listed(|tracer| value.trace(tracer)) {
            let found = state.tracer.space.find(reference);
            assert!(
                found == Some(reference.wrapping_sub(crate::mark::HEADER)),
                "a reference to {reference:#x} is stored, which is no object of the current heap"
            );
        }
    });
}

impl State {
    /// The heap that begins with `hot`.
    ///
    /// # Safety
    /// `hot` is a heap's or [`NOTHING`], and no reference to the heap's state is in use.
    ///
    /// # Panics
    /// If it is [`NOTHING`]: no heap is current.
    pub unsafe fn of<'a>(hot: *mut Hot, what: &str) -> &'a mut State {
        assert!(
            !std::ptr::eq(hot, &raw const NOTHING.0),
            "cannot {what}: no heap is current; use `Heap::enter`"
        );
        // SAFETY: the caller vouches for it.
        unsafe { &mut *hot.cast::<State>() }
    }
}

/// A collected heap. It belongs to the thread that made it.
pub struct Heap {
    state: NonNull<State>,
    _one_thread: PhantomData<*mut ()>,
}

impl Heap {
    /// An empty heap.
    ///
    /// # Errors
    /// If the system does not give address space.
    ///
    /// # Safety
    /// Whoever makes a heap promises for all its references ([`Gc`](crate::Gc) and what holds one):
    /// - They are used while the heap is current, on its thread, and none outlives it or gets into another heap.
    /// - They lie where the collector sees them: on the native stack or one added by [`Heap::add_area`], in registers, in
    ///   objects of the heap, in a [`Root`], or in what a source visits. In other memory, as that of a `Vec` or a `Box`
    ///   which none of these owns, they do not keep their objects alive.
    pub unsafe fn new(config: Config) -> std::io::Result<Heap> {
        let space = Space::new(config.limit.saturating_add(config.reserve))?;
        let hot = Hot { base: space.base, bytes: space.bytes, cards: space.cards, ..Hot::NOTHING };
        let mut state = Box::new(State {
            hot,
            tracer: Tracer::new(space, config.pointer_mask as usize),
            classes: vec![Class::default(); CLASSES],
            hidden_runs: [Run::default(); CLASSES],
            stress: Stress::default(),
            allocations: 0,
            used: 0,
            since: 0,
            trigger: 0,
            stopped: false,
            growth: 200,
            live: 0,
            live_full: 0,
            last_was_full: true,
            is_due: false,
            collecting: false,
            stats: Stats::default(),
            finalizers: ByAge::default(),
            due: VecDeque::new(),
            on_due: None,
            droppers: ByAge::default(),
            roots: Rc::default(),
            areas: Vec::new(),
            sources: Vec::new(),
            weak_sources: Vec::new(),
            stack: 0..0,
            entered: 0,
            config,
        });
        state.set_trigger();
        Ok(Heap { state: NonNull::from(Box::leak(state)), _one_thread: PhantomData })
    }

    /// Runs `f` with this heap as the thread's current one. Can be nested, also with other heaps.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Leave(*mut Hot, *mut State);
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.set(self.0);
                // SAFETY: the heap is borrowed for as long as it is entered.
                unsafe { (*self.1).entered -= 1 };
            }
        }
        let state = self.state.as_ptr();
        // SAFETY: the state lives as long as the heap, and nothing refers to it now.
        unsafe {
            if (*state).entered == 0 {
                (*state).stack = 0..crate::roots::stack_start();
            }
            (*state).entered += 1;
        }
        let _leave = Leave(CURRENT.replace(state.cast()), state);
        f()
    }

    /// Calls `f` with the state, which does not run code of an interpreter but for tracing and dropping.
    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        // SAFETY: the state lives as long as the heap, and is not in use: nothing that uses it calls us.
        f(unsafe { &mut *self.state.as_ptr() })
    }

    /// Runs a full collection.
    pub fn collect(&self) {
        self.with(|state| state.collect(true));
    }

    /// Runs a minor collection, or a full one if the heap has only those.
    pub fn collect_minor(&self) {
        self.with(|state| state.collect(false));
    }

    /// Collects if allocations of compiled code that must not do so found that it is time to.
    pub fn collect_due(&self) {
        self.with(|state| {
            if state.is_due {
                state.collect(false);
            }
            if state.used > state.config.limit && !state.last_was_full {
                state.collect(true);
            }
        });
    }

    /// Has allocations bring collections no more, unless the heap is full, or again.
    pub fn set_stopped(&self, stopped: bool) {
        self.with(|state| {
            state.stopped = stopped;
            state.set_trigger();
        });
    }

    /// What lives may grow to that many percent of what lived after the last full collection before the next one; at least 110.
    pub fn set_growth(&self, percent: usize) {
        self.with(|state| state.growth = percent.max(110));
    }

    /// What was counted.
    pub fn stats(&self) -> Stats {
        self.with(|state| Stats {
            live_bytes: state.live as u64,
            used_bytes: state.used as u64,
            allocated_bytes: state.stats.allocated_bytes + state.since as u64,
            ..state.stats.clone()
        })
    }

    /// How it was set up.
    pub fn config(&self) -> Config {
        self.with(|state| state.config.clone())
    }

    /// Sets a stress mode; its allocations are counted from here.
    pub fn set_stress(&self, stress: Stress) {
        self.with(|state| state.set_stress(stress));
    }

    /// Allocations since a stress mode was set; 0 without one.
    pub fn stress_allocations(&self) -> u64 {
        self.with(|state| state.allocations)
    }

    /// Checks the heap: headers, sizes, references, marks, barriers and counts.
    ///
    /// # Errors
    /// What is wrong, one line each.
    pub fn verify(&self) -> Result<(), Vec<String>> {
        self.with(crate::verify::verify)
    }

    /// Runs `f` while the references in `roots` keep their objects alive.
    pub fn rooted<T: Trace, R>(&self, roots: &T, f: impl FnOnce() -> R) -> R {
        struct Remove(Rc<RootList>, usize);
        impl Drop for Remove {
            fn drop(&mut self) {
                self.0.remove(self.1);
            }
        }
        let list = self.with(|state| Rc::clone(&state.roots));
        let index = list.add(roots);
        let _remove = Remove(list, index);
        f()
    }

    /// From now on words in this area keep objects alive; returns what [`Heap::remove_area`] wants. Of an area that the
    /// stack pointer is in, a coroutine's stack, only the part in use counts, and the thread's own stack is not looked at: code
    /// that switches stacks adds an area for the part of it that is in use.
    ///
    /// # Safety
    /// The area can be read until it is removed.
    pub unsafe fn add_area(&self, area: Range<*const u8>) -> usize {
        let area = area.start as usize..area.end as usize;
        self.with(|state| match state.areas.iter().position(Range::is_empty) {
            Some(free) => {
                state.areas[free] = area;
                free
            }
            None => {
                state.areas.push(area);
                state.areas.len() - 1
            }
        })
    }

    /// Takes an area back.
    pub fn remove_area(&self, area: usize) {
        self.with(|state| state.areas[area] = 0..0);
    }

    /// From now on collections ask `source` for roots; returns what [`Heap::remove_source`] wants.
    ///
    /// The source must not use the heap but through the tracer.
    pub fn add_source(&self, source: Source) -> usize {
        self.with(|state| match state.sources.iter().position(Option::is_none) {
            Some(free) => {
                state.sources[free] = Some(source);
                free
            }
            None => {
                state.sources.push(Some(source));
                state.sources.len() - 1
            }
        })
    }

    /// Takes a source back.
    pub fn remove_source(&self, source: usize) {
        let removed = self.with(|state| state.sources[source].take());
        drop(removed);
    }

    /// Has collections that leave finalizers to run call `tell` at their end, which must not use the heap; returns what did
    /// before.
    pub fn when_finalizers_due(&self, tell: Option<Rc<dyn Fn()>>) -> Option<Rc<dyn Fn()>> {
        self.with(|state| std::mem::replace(&mut state.on_due, tell))
    }

    /// From now on each collection calls `source` after marking, in every [`WeakPhase`].
    ///
    /// The source must not use the heap but through the tracer, and must not refer to objects that are dead after
    /// [`WeakPhase::Clear`].
    pub fn add_weak_source(&self, source: WeakSource) {
        self.with(|state| state.weak_sources.push(source));
    }

    /// From now on the native stack ends (has its highest address) at `end`, until this is called again; returns the end
    /// there was. For code that switches stacks, which adds an area for the part of the other one that is in use.
    ///
    /// # Safety
    /// Whenever the heap is used, the stack can be read from its pointer up to `end`.
    pub unsafe fn set_stack_end(&self, end: usize) -> usize {
        self.with(|state| std::mem::replace(&mut state.stack, 0..end).end)
    }

    /// Makes all finalizers due, also of objects that live: for an interpreter that ends.
    pub fn finalize_all(&self) {
        self.with(|state| {
            let finalizers = std::mem::take(&mut state.finalizers);
            state.due.extend(finalizers.old.into_iter().chain(finalizers.young));
        });
    }

    /// Bytes that live or were set out for allocation since the last collection.
    pub fn bytes(&self) -> usize {
        self.with(|state| state.live + state.since)
    }

    /// Whether there are finalizers to run.
    pub fn has_finalizers_due(&self) -> bool {
        self.with(|state| !state.due.is_empty())
    }

    /// Runs the finalizers of objects that were found dead, in the order in which they were set, and returns how many.
    ///
    /// Call it at a safe point: a finalizer is code of the interpreter.
    pub fn run_finalizers(&self) -> usize {
        let mut count = 0;
        while let Some(due) = self.with(|state| state.due.pop_front()) {
            // The object is held by this frame while its finalizer runs.
            let object = std::hint::black_box(due.object);
            self.with(|state| state.stats.finalized += 1);
            // SAFETY: the finalizer was set for this object, which was kept alive for it.
            self.enter(|| unsafe { (due.action)(object as *mut u8, due.data) });
            std::hint::black_box(object);
            count += 1;
        }
        count
    }

    /// An object of a type known at run time only, its payload 0; `payload` is its size in bytes.
    ///
    /// Returns nothing if the heap's limit is reached.
    pub fn allocate(&self, info: &'static TypeInfo, payload: usize) -> Option<NonNull<u8>> {
        self.with(|state| state.allocate_zeroed(info, payload, false))
    }

    /// As [`Heap::allocate`], but runs no collection, does not fail at the limit, and takes from the reserve beyond it. The
    /// next other allocation that finds the limit reached fails.
    ///
    /// Returns nothing if the reserve is used up too.
    pub fn allocate_reserved(&self, info: &'static TypeInfo, payload: usize) -> Option<NonNull<u8>> {
        self.with(|state| state.allocate_zeroed(info, payload, true))
    }

    /// The object that an address lies in, if it lies in one: the address of its payload.
    pub fn object_at(&self, address: usize) -> Option<NonNull<u8>> {
        self.with(|state| {
            state.retire_runs();
            let cell = state.tracer.space.find(address)?;
            NonNull::new((cell + crate::mark::HEADER) as *mut u8)
        })
    }

    /// What generated code uses inline.
    pub fn hot(&self) -> *mut Hot {
        self.state.as_ptr().cast()
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        self.with(|state| {
            assert!(state.entered == 0, "a heap is dropped while it is entered");
            state.collecting = true;
            let droppers = std::mem::take(&mut state.droppers);
            for AtDeath { object, action, data } in droppers.old.into_iter().chain(droppers.young) {
                // SAFETY: the object was never dropped, and nothing uses it any more.
                unsafe { action(object as *mut u8, data) };
            }
        });
        // SAFETY: the state was leaked from a box, and the heap owns it.
        drop(unsafe { Box::from_raw(self.state.as_ptr()) });
    }
}
