//! Memory that is one type's alone.

use metatrace_gc::{Shape, Trace, Tracer};

/// A value in memory that code which is traced only accesses as part of an `Apart<T>`: through pointers and references to that
/// type, and places that begin with them. Then traces know that stores through other pointers, raw ones too, leave it alone, and
/// that stores to it leave all else alone.
///
/// It is for memory that raw pointers lead to, such as a stack of values or of calls: what is stored through a raw pointer may
/// be anywhere as far as traces know otherwise. References to parts of it must not be used where it is written, and `T`
/// has no interior mutability of its own. Functions that are called may access it as they like, as long as they reach it through
/// their arguments' types.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Apart<T>(pub T);

// SAFETY: all references are those of the content.
unsafe impl<T: Trace> Trace for Apart<T> {
    const SHAPE: Shape = T::SHAPE;

    fn trace(&self, tracer: &mut Tracer) {
        self.0.trace(tracer);
    }
}
