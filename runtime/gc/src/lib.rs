//! The collector behind [`Gc<T>`].
//!
//! A [`Heap`] is made with a [`Config`] and made current on its thread by [`Heap::enter`]; many heaps may exist, each with its
//! thread. Objects are made by [`Gc::new`] (which panics at the heap's limit) and [`Gc::try_new`] (which returns an error), and
//! never move.
//!
//! **What keeps an object alive**: words on the native stack and in registers that point to it or into it, references in
//! other objects, in a [`Root`], in what [`Heap::rooted`] was given, and what sources and areas added to the heap show. Not: memory of
//! `malloc` that none of these owns, as a `Vec<Gc<T>>` in a local variable; for that there is [`GcVec`].
//!
//! **Types** of objects implement [`Trace`] by `#[derive(Trace)]`, which refuses what cannot be traced soundly: fields that change
//! are [`GcCell`] and [`GcRefCell`], which tell the collector; `Cell` and `RefCell` only of what holds no reference
//! ([`Leaf`]), or marked `#[trace(rescan)]`, at the price that the object is looked at in every minor collection.
//!
//! **What does not**: [`Weak`] and [`WeakMap`]. [`Gc::on_death`] sets a finalizer, which runs when the interpreter calls
//! [`Heap::run_finalizers`]. Values with something to drop (a `String` in an object) are dropped when their object is found dead.
//!
//! **Mistakes** show in debug builds: every reference that is stored is checked to be one of the current heap, and freed objects
//! are filled with [`POISON`], which using one finds. [`Stress`] collects at every allocation, or has the n-th one fail;
//! [`Heap::verify`] checks the heap, missing barriers included.
//!
//! How it works: `space` (blocks of cells of one size, pages, cards), [`alloc`] (bumping through free cells, swept when
//! needed), `mark` (conservative for roots, precise in the heap), `collect` (minor and full collections by
//! sticky marks). [`compiled`] is for generated code.

pub mod alloc;
mod array;
mod cell;
mod collect;
pub mod compiled;
mod gc;
mod heap;
mod mark;
mod roots;
mod sizes;
mod space;
mod types;
mod verify;
mod weak;

pub use alloc::{Stress, barrier, barrier_at};
pub use array::{Array, GcVec, Headed};
#[doc(hidden)]
pub use array::{Buffer, LAYOUT};
pub use cell::{GcCell, GcRefCell, GcRefMut};
#[doc(hidden)]
pub use gc::GcBox;
pub use gc::{Gc, HeapFull};
pub use heap::{Config, Heap, POISON, Source, Stats, WeakPhase, WeakSource};
pub use mark::Tracer;
pub use metatrace_macros::Trace;
pub use roots::{Area, Root, Words, showing};
pub use types::{Leaf, Rescan, Shape, Trace, TypeInfo};
#[doc(hidden)]
pub use types::{LeafIn, MustNotImplementDrop};
pub use weak::{Weak, WeakMap};

/// In debug builds: checks that the references in a value are objects of the current heap.
#[inline(always)]
pub(crate) fn check_stored<T: Trace>(value: &T) {
    if cfg!(debug_assertions) && !T::SHAPE.is_none() {
        heap::check_stored(value);
    }
}
