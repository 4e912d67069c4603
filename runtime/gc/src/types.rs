//! What the collector knows of types: [`Trace`], [`Leaf`], [`Shape`] and the descriptor in an object's header.
//!
//! In: Rust types, most by `derive(Trace)`. Out: for each type of object a [`TypeInfo`] from which the collector finds the
//! references in it. A descriptor's address is no identity of the type: a type may have several.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use crate::mark::Tracer;

#[diagnostic::on_unimplemented(
    message = "the collector does not know how to find the references in `{Self}`",
    label = "cannot be traced",
    note = "derive `Trace` for it; if it is of another crate and holds no reference into the heap, mark the field \
            `#[trace(unsafe_skip)]`"
)]
/// A type whose values the collector finds the references in.
///
/// Derive it. The derived code traces every field; a field that cannot be traced is an error at the field's type.
///
/// # Safety
/// - `trace` visits every reference ([`Gc`](crate::Gc) and what is made of it) that the value holds, and does nothing else with the heap.
/// - `SHAPE` says the same.
/// - A value of the type changes the references it holds only under `&mut self`, or marks a card for it
///   ([`barrier`](crate::barrier)), or has `trace` call [`Tracer::rescan`].
/// - Dropping a value follows no reference in it.
pub unsafe trait Trace {
    /// Where the references are.
    const SHAPE: Shape;
    /// Whether the type is one word that is never 0: `None` of it is 0 then.
    const NON_ZERO_WORD: bool = false;

    /// Visits every reference that the value holds.
    fn trace(&self, tracer: &mut Tracer);
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` may hold references into the collected heap, where the collector would not see them change",
    label = "changes here would be missed",
    note = "use `GcCell` for a `Cell` and `GcRefCell` for a `RefCell`, or mark the field `#[trace(rescan)]`"
)]
/// A type whose values never hold a reference into a collected heap.
///
/// Derived together with [`Trace`] for types all of whose fields are such. Only these may stand in a [`Cell`], a
/// [`RefCell`] or behind a shared pointer with interior mutability of Rust's own.
///
/// # Safety
/// No value of the type holds a reference into a collected heap.
pub unsafe trait Leaf {}

/// [`Leaf`] with a lifetime, so that a derived implementation can depend on types without parameters.
#[doc(hidden)]
pub trait LeafIn<'a> {}
impl<T: Leaf + ?Sized> LeafIn<'_> for T {}

/// Implemented by `derive(Trace)` for each type: a type with a `Drop` of its own cannot have it.
///
/// When a value is dropped, the objects that it refers to may be gone: it is a finalizer that may look at them.
#[doc(hidden)]
pub trait MustNotImplementDrop {}
#[expect(drop_bounds, reason = "the bound is there to be in conflict")]
impl<T: Drop> MustNotImplementDrop for T {}

/// Where the references of a type are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// In these of its first 64 words, each of which is 0 or a reference. No bit: it holds none.
    Words(u64),
    /// Where [`Trace::trace`] finds them.
    Traced,
}

impl Shape {
    /// No reference.
    pub const NONE: Shape = Shape::Words(0);
    /// One word, 0 or a reference.
    pub const WORD: Shape = Shape::Words(1);

    /// This, and a field at `offset` bytes.
    pub const fn with(self, offset: usize, field: Shape) -> Shape {
        match (self, field) {
            (shape, Shape::Words(0)) => shape,
            (Shape::Words(mine), Shape::Words(words))
                if offset % 8 == 0 && offset / 8 + (64 - words.leading_zeros() as usize) <= 64 =>
            {
                Shape::Words(mine | words << (offset / 8))
            }
            _ => Shape::Traced,
        }
    }

    /// The shape of a type that is one of several things at a time.
    pub const fn either(shapes: &[Shape]) -> Shape {
        let mut index = 0;
        while index < shapes.len() {
            if !shapes[index].is_none() {
                return Shape::Traced;
            }
            index += 1;
        }
        Shape::NONE
    }

    /// Whether there is no reference.
    pub const fn is_none(self) -> bool {
        matches!(self, Shape::Words(0))
    }
}

/// How the collector reads an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Each of these words of the payload is 0 or a reference.
    Words(u64),
    /// Elements of that many words behind a length, with references in these words of each.
    Elements { words: usize, mask: u64 },
    /// As its function says.
    Traced,
    /// As its function says, the length and elements of that many bytes.
    TracedElements { bytes: usize },
    /// A word that is cleared when what it points to dies.
    Weak,
    /// A word as above, and a value that is traced while that lives.
    Ephemeron,
}

/// Traces what lies at an address.
pub(crate) type TraceFn = unsafe fn(*const u8, &mut Tracer);

/// The descriptor of a type of objects; its address is an object's header.
#[derive(Debug)]
pub struct TypeInfo {
    pub(crate) magic: u64,
    pub(crate) kind: Kind,
    /// Traces the payload; of elements one element; of an ephemeron its value.
    pub(crate) trace: TraceFn,
    /// Bytes of the payload, without elements.
    pub(crate) bytes: usize,
    pub(crate) name: fn() -> &'static str,
}

/// What every descriptor begins with, for the verifier.
pub(crate) const MAGIC: u64 = 0x6d74_7472_6163_6567;

impl TypeInfo {
    /// The descriptor of objects that are a `T`.
    pub const fn of<T: Trace>() -> &'static TypeInfo {
        const {
            &TypeInfo {
                magic: MAGIC,
                kind: match T::SHAPE {
                    Shape::Words(mask) => Kind::Words(mask),
                    Shape::Traced => Kind::Traced,
                },
                trace: trace_as::<T>,
                bytes: size_of::<T>(),
                name: std::any::type_name::<T>,
            }
        }
    }

    /// The descriptor of objects that are a length and elements `T`.
    pub const fn of_elements<T: Trace>() -> &'static TypeInfo {
        const {
            &TypeInfo {
                magic: MAGIC,
                kind: match T::SHAPE {
                    Shape::Words(0) => Kind::Words(0),
                    Shape::Words(mask) => Kind::Elements { words: size_of::<T>() / 8, mask },
                    Shape::Traced => Kind::TracedElements { bytes: size_of::<T>() },
                },
                trace: trace_as::<T>,
                bytes: 8,
                name: std::any::type_name::<[T]>,
            }
        }
    }

    /// Whether its objects hold no reference.
    #[inline(always)]
    pub const fn is_leaf(&self) -> bool {
        matches!(self.kind, Kind::Words(0))
    }

    /// Bytes of the payload, without elements.
    pub const fn payload_bytes(&self) -> usize {
        self.bytes
    }

    /// Which words of the payload are references, if that is the same for all its objects and there are no elements.
    pub const fn reference_words(&self) -> Option<u64> {
        match self.kind {
            Kind::Words(mask) => Some(mask),
            _ => None,
        }
    }

    /// The type's name, for messages.
    pub fn name(&self) -> &'static str {
        (self.name)()
    }
}

/// # Safety
/// A `T` lies at the address.
pub(crate) unsafe fn trace_as<T: Trace>(payload: *const u8, tracer: &mut Tracer) {
    // SAFETY: the caller vouches for it.
    unsafe { &*payload.cast::<T>() }.trace(tracer);
}

macro_rules! leaves {
    ($($ty:ty),* $(,)?) => { $(
        // SAFETY: the type holds no reference.
        unsafe impl Trace for $ty {
            const SHAPE: Shape = Shape::NONE;
            #[inline(always)]
            fn trace(&self, _: &mut Tracer) {}
        }
        // SAFETY: as above.
        unsafe impl Leaf for $ty {}
    )* };
}
leaves! {
    (), bool, char, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64, String, Box<str>, Rc<str>, Arc<str>,
    std::num::NonZeroU32, std::num::NonZeroU64, std::num::NonZeroUsize, std::time::Duration, std::time::Instant,
    std::path::PathBuf, std::ffi::OsString, std::any::TypeId, std::sync::atomic::AtomicBool,
    std::sync::atomic::AtomicU32, std::sync::atomic::AtomicU64, std::sync::atomic::AtomicUsize,
}

macro_rules! leaves_over {
    ($($(#[$why:meta])* [$($param:ident)?] $ty:ty),* $(,)?) => { $(
        // SAFETY: the type holds no reference if what it is over holds none.
        unsafe impl<$($param: Leaf)?> Trace for $ty {
            const SHAPE: Shape = Shape::NONE;
            #[inline(always)]
            fn trace(&self, _: &mut Tracer) {}
        }
        // SAFETY: as above.
        unsafe impl<$($param: Leaf)?> Leaf for $ty {}
    )* };
}
leaves_over! { [T] Cell<T>, [T] RefCell<T>, [T] OnceCell<T>, [T] std::sync::Mutex<T>, [T] std::sync::OnceLock<T> }

// SAFETY: a reference to what holds no reference into a heap.
unsafe impl<T: Leaf + ?Sized> Trace for &T {
    const SHAPE: Shape = Shape::NONE;
    #[inline(always)]
    fn trace(&self, _: &mut Tracer) {}
}
// SAFETY: as above.
unsafe impl<T: Leaf + ?Sized> Leaf for &T {}
// SAFETY: holds nothing.
unsafe impl<T: ?Sized> Trace for PhantomData<T> {
    const SHAPE: Shape = Shape::NONE;
    fn trace(&self, _: &mut Tracer) {}
}
// SAFETY: holds nothing.
unsafe impl<T: ?Sized> Leaf for PhantomData<T> {}
// SAFETY: text.
unsafe impl Leaf for str {}
// SAFETY: elements that hold no reference.
unsafe impl<T: Leaf> Leaf for [T] {}

macro_rules! functions {
    ($($arg:ident)*) => {
        // SAFETY: a function's address holds no reference.
        unsafe impl<Out, $($arg),*> Trace for fn($($arg),*) -> Out {
            const SHAPE: Shape = Shape::NONE;
            fn trace(&self, _: &mut Tracer) {}
        }
        // SAFETY: as above.
        unsafe impl<Out, $($arg),*> Leaf for fn($($arg),*) -> Out {}
    };
}
functions!();
functions!(A);
functions!(A B);
functions!(A B C);
functions!(A B C D);

/// Collections in memory of `malloc`, traced through: they change only under `&mut`, or in a cell that sees to it.
macro_rules! through {
    ($([$($param:ident)*] $ty:ty: $value:ident => $each:expr),* $(,)?) => { $(
        // SAFETY: every element is visited.
        unsafe impl<$($param: Trace),*> Trace for $ty {
            const SHAPE: Shape = Shape::Traced;
            fn trace(&self, tracer: &mut Tracer) {
                let $value = self;
                #[allow(clippy::redundant_closure_call)]
                ($each)(tracer)
            }
        }
        // SAFETY: no element holds a reference.
        unsafe impl<$($param: Leaf),*> Leaf for $ty {}
    )* };
}
through! {
    [T] Box<T>: value => |t: &mut Tracer| (**value).trace(t),
    [T] Rc<T>: value => |t: &mut Tracer| (**value).trace(t),
    [T] Box<[T]>: value => |t: &mut Tracer| value.iter().for_each(|v| v.trace(t)),
    [T] Rc<[T]>: value => |t: &mut Tracer| value.iter().for_each(|v| v.trace(t)),
    [T] Vec<T>: value => |t: &mut Tracer| value.iter().for_each(|v| v.trace(t)),
    [T] VecDeque<T>: value => |t: &mut Tracer| value.iter().for_each(|v| v.trace(t)),
    [T] BTreeSet<T>: value => |t: &mut Tracer| value.iter().for_each(|v| v.trace(t)),
    [K V] BTreeMap<K, V>: value => |t: &mut Tracer| value.iter().for_each(|(k, v)| { k.trace(t); v.trace(t) }),
}
// SAFETY: every key and value is visited.
unsafe impl<K: Trace, V: Trace, S> Trace for HashMap<K, V, S> {
    const SHAPE: Shape = Shape::Traced;
    fn trace(&self, tracer: &mut Tracer) {
        self.iter().for_each(|(key, value)| {
            key.trace(tracer);
            value.trace(tracer);
        });
    }
}
// SAFETY: keys and values hold no reference; a hasher has no business with a heap.
unsafe impl<K: Leaf, V: Leaf, S> Leaf for HashMap<K, V, S> {}
// SAFETY: every element is visited.
unsafe impl<T: Trace, S> Trace for HashSet<T, S> {
    const SHAPE: Shape = Shape::Traced;
    fn trace(&self, tracer: &mut Tracer) {
        self.iter().for_each(|value| value.trace(tracer));
    }
}
// SAFETY: as for maps.
unsafe impl<T: Leaf, S> Leaf for HashSet<T, S> {}

// SAFETY: the value is visited if there is one.
unsafe impl<T: Trace> Trace for Option<T> {
    const SHAPE: Shape =
        if T::NON_ZERO_WORD && size_of::<Self>() == 8 { T::SHAPE } else { Shape::either(&[T::SHAPE]) };
    #[inline(always)]
    fn trace(&self, tracer: &mut Tracer) {
        if let Some(value) = self {
            value.trace(tracer);
        }
    }
}
// SAFETY: as above.
unsafe impl<T: Leaf> Leaf for Option<T> {}
// SAFETY: what there is is visited.
unsafe impl<T: Trace, E: Trace> Trace for Result<T, E> {
    const SHAPE: Shape = Shape::either(&[T::SHAPE, E::SHAPE]);
    #[inline(always)]
    fn trace(&self, tracer: &mut Tracer) {
        match self {
            Ok(value) => value.trace(tracer),
            Err(error) => error.trace(tracer),
        }
    }
}
// SAFETY: as above.
unsafe impl<T: Leaf, E: Leaf> Leaf for Result<T, E> {}
// SAFETY: every element is visited.
unsafe impl<T: Trace, const N: usize> Trace for [T; N] {
    const SHAPE: Shape = {
        let mut shape = Shape::NONE;
        let mut index = 0;
        while index < N && !T::SHAPE.is_none() && matches!(shape, Shape::Words(_)) {
            shape = shape.with(index * size_of::<T>(), T::SHAPE);
            index += 1;
        }
        shape
    };
    #[inline(always)]
    fn trace(&self, tracer: &mut Tracer) {
        self.iter().for_each(|value| value.trace(tracer));
    }
}
// SAFETY: as above.
unsafe impl<T: Leaf, const N: usize> Leaf for [T; N] {}

macro_rules! tuples {
    ($($name:ident $index:tt),*) => {
        // SAFETY: every field is visited.
        unsafe impl<$($name: Trace),*> Trace for ($($name,)*) {
            const SHAPE: Shape = Shape::NONE$(.with(std::mem::offset_of!(Self, $index), $name::SHAPE))*;
            #[inline(always)]
            fn trace(&self, tracer: &mut Tracer) {
                $(self.$index.trace(tracer);)*
            }
        }
        // SAFETY: as above.
        unsafe impl<$($name: Leaf),*> Leaf for ($($name,)*) {}
    };
}
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);

/// Fields of cells that the collector does not see change: `#[trace(rescan)]` traces them by this.
///
/// The object is scanned in every minor collection then.
#[diagnostic::on_unimplemented(
    message = "`#[trace(rescan)]` does not know how to look into `{Self}`",
    note = "it is for `Cell`, `RefCell` and `OnceCell`"
)]
pub trait Rescan {
    /// Visits every reference that the value holds.
    fn trace_rescan(&self, tracer: &mut Tracer);
}
impl<T: Trace + Copy> Rescan for Cell<T> {
    fn trace_rescan(&self, tracer: &mut Tracer) {
        self.get().trace(tracer);
    }
}
impl<T: Trace> Rescan for RefCell<T> {
    fn trace_rescan(&self, tracer: &mut Tracer) {
        // SAFETY: the collector runs within an allocation or a safe point, where whoever borrows the cell mutably does not
        // write; every value it may hold is whole.
        unsafe { &*self.as_ptr() }.trace(tracer);
    }
}
impl<T: Trace> Rescan for OnceCell<T> {
    fn trace_rescan(&self, tracer: &mut Tracer) {
        if let Some(value) = self.get() {
            value.trace(tracer);
        }
    }
}

/// What `derive(Trace)` refuses.
///
/// A plain cell over something that may hold a reference:
/// ```compile_fail,E0277
/// # use metatrace_gc::{Gc, Trace};
/// #[derive(Trace)]
/// #[trace(crate = metatrace_gc)]
/// struct Object {
///     next: std::cell::Cell<Option<Gc<Object>>>, // error: use `GcCell`
/// }
/// ```
/// A foreign type that the collector cannot look into, a trait object among them:
/// ```compile_fail,E0277
/// # use metatrace_gc::Trace;
/// #[derive(Trace)]
/// #[trace(crate = metatrace_gc)]
/// struct Object {
///     call: Box<dyn Fn()>, // error: mark it `#[trace(unsafe_skip)]` if it holds no reference
/// }
/// ```
/// A raw pointer:
/// ```compile_fail
/// # use metatrace_gc::Trace;
/// #[derive(Trace)]
/// #[trace(crate = metatrace_gc)]
/// struct Object {
///     next: *const u64,
/// }
/// ```
/// A type with a `Drop` of its own, which might look at what is dead already:
/// ```compile_fail,E0119
/// # use metatrace_gc::{Gc, Trace};
/// #[derive(Trace)]
/// #[trace(crate = metatrace_gc)]
/// struct Object {
///     next: Gc<u64>,
/// }
/// impl Drop for Object {
///     fn drop(&mut self) {
///         println!("{}", *self.next);
///     }
/// }
/// ```
/// With the right cell it compiles:
/// ```
/// # use metatrace_gc::{Config, Gc, GcCell, Heap, Trace};
/// #[derive(Trace)]
/// #[trace(crate = metatrace_gc)]
/// struct Object {
///     next: GcCell<Option<Gc<Object>>>,
///     value: i64,
/// }
/// // SAFETY: the reference stays in this block.
/// let heap = unsafe { Heap::new(Config::default()) }?;
/// heap.enter(|| {
///     let object = Gc::new(Object { next: GcCell::new(None), value: 1 });
///     object.next.set(Some(object));
///     assert_eq!(object.next.get().map(|next| next.value), Some(1));
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
#[cfg(doctest)]
struct Refusals;
