//! What generated glue finds out at start-up because rustc tells it nobody earlier.

use std::mem::{ManuallyDrop, MaybeUninit, size_of};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::rc::Rc;
use std::sync::Arc;

use metatrace_backend::Context;
use metatrace_defs::CallDescr;

use super::glue::catch;

/// Where a `Vec` keeps a part of itself, in bytes: 0 the buffer's address, 1 the length, 2 the capacity.
///
/// # Panics
/// If a `Vec` is not three words, one of each.
pub fn vec_offset<V: Container>(part: usize) -> u64 {
    let parts = V::probe();
    let (words, values) = parts;
    let found: Vec<usize> = (0..3).filter(|&n| words[n] == values[part]).collect();
    assert!(found.len() == 1, "a `Vec` is not laid out as address, length and capacity");
    found[0] as u64 * 8
}

/// Where the content of an `Rc<T>` lies, in bytes from the address that the `Rc` holds.
pub fn rc_offset<T>() -> u64 {
    let sample: Rc<MaybeUninit<T>> = Rc::new(MaybeUninit::uninit());
    const { assert!(size_of::<Rc<T>>() == 8, "an `Rc` is one word") };
    // SAFETY: an `Rc` of a sized type is one word.
    let word = unsafe { (&raw const sample).cast::<usize>().read() };
    (Rc::as_ptr(&sample) as usize - word) as u64
}

/// `Vec<T>` of any `T`.
pub trait Container {
    /// The words of a sample, and its buffer's address, length and capacity, all different.
    fn probe() -> ([usize; 3], [usize; 3]);
}

impl<T> Container for Vec<T> {
    fn probe() -> ([usize; 3], [usize; 3]) {
        const { assert!(size_of::<Vec<T>>() == 24, "a `Vec` is three words") };
        let mut sample: ManuallyDrop<Vec<MaybeUninit<T>>> = ManuallyDrop::new(Vec::with_capacity(13));
        // SAFETY: the capacity is at least 13, and elements need no initialisation.
        unsafe { sample.set_len(5) };
        let mut values = [sample.as_ptr() as usize, sample.len(), sample.capacity()];
        // SAFETY: a `Vec<MaybeUninit<T>>` is laid out as a `Vec<T>` is probed: three words, all initialised.
        let words = unsafe { (&raw const *sample).cast::<[usize; 3]>().read() };
        if size_of::<T>() == 0 {
            // The capacity is not what the word says: it is the word that is nothing else.
            values[2] = words.into_iter().find(|word| !values[..2].contains(word)).unwrap_or(values[2]);
        }
        drop(ManuallyDrop::into_inner(sample));
        (words, values)
    }
}

/// The offset in bytes of what `find` gives the address of, in an `E` that is all zeros but for its tag, the first
/// `bytes` bytes of `tag`. `find` returns 0 if the value is not of the variant.
///
/// # Safety
/// `E` must be an enum with a tag of that size at its start, and `tag` the tag of a variant.
///
/// # Panics
/// If `find` returns 0: `tag` is not that variant's.
pub unsafe fn variant_offset<E>(tag: u64, bytes: usize, find: impl FnOnce(*const E) -> usize) -> u64 {
    let mut sample = MaybeUninit::<E>::zeroed();
    let start = sample.as_mut_ptr();
    // SAFETY: the tag lies in the sample, as the caller vouches.
    unsafe { std::ptr::copy_nonoverlapping(tag.to_le_bytes().as_ptr(), start.cast(), bytes) };
    let found = find(start);
    assert!(found != 0, "a variant of `{}` has another tag than was translated", std::any::type_name::<E>());
    (found - start as usize) as u64
}

/// Whether `overflow`, an addition that overflows, panics. If panics abort it is not tried out, and the answer is yes.
pub fn overflow_checks(overflow: impl FnOnce() -> u8) -> bool {
    if cfg!(panic = "abort") {
        return true;
    }
    // The panic is ours: this thread's message must not be shown, all others must.
    let me = std::thread::current().id();
    let previous = Arc::new(panic::take_hook());
    let others = previous.clone();
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        if std::thread::current().id() != me {
            others(info);
        }
    }));
    let panicked = panic::catch_unwind(AssertUnwindSafe(overflow)).is_err();
    drop(panic::take_hook());
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| previous(info)));
    panicked
}

/// As [`shim_call`](super::shim_call), for results that are taken apart by `pack` into `words` words.
///
/// # Safety
/// `context` must be the current VM's.
#[inline(always)]
pub unsafe fn shim_call_with<R>(
    context: *mut Context,
    words: usize,
    f: impl FnOnce() -> R,
    pack: impl FnOnce(R, &mut [u64]),
) -> u64 {
    match panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => {
            let mut out = [0; CallDescr::MAX_RESULTS];
            pack(value, &mut out[..words]);
            if words > 1 {
                // SAFETY: the caller vouches for the context, and nothing else refers to it now.
                let results = unsafe { &mut (*context).results };
                results[1..words].copy_from_slice(&out[1..words]);
            }
            out[0]
        }
        Err(payload) => {
            // SAFETY: as above.
            unsafe { catch(context, payload) };
            0
        }
    }
}

/// The address of what a witness pretends to have; never called.
pub fn any<T>() -> T {
    unreachable!("a witness was called")
}

/// `T` exactly: neither a subtype nor what coerces to it.
pub struct Exactly<T>(std::marker::PhantomData<fn(T) -> T>);

/// The exact type of what a witness refers to.
pub fn exactly<T>(_: &T) -> Exactly<T> {
    Exactly(std::marker::PhantomData)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_probed() {
        let mut of_nothing: Vec<u64> = (0..3).map(vec_offset::<Vec<()>>).collect();
        of_nothing.sort_unstable();
        assert_eq!(of_nothing, [0, 8, 16]);
        let mut parts: Vec<u64> = (0..3).map(vec_offset::<Vec<(u8, String)>>).collect();
        let sample: Vec<u64> = Vec::with_capacity(7);
        // SAFETY: the probe says that the word there is the capacity.
        let capacity = unsafe { *(&raw const sample).cast::<usize>().byte_add(parts[2] as usize) };
        assert_eq!(capacity, sample.capacity());
        parts.sort_unstable();
        assert_eq!(parts, [0, 8, 16]);
    }

    #[test]
    fn variants_are_probed() {
        #[repr(u8)]
        enum Op {
            Nop,
            Push(u8, i64),
        }
        let sizes = [Op::Nop, Op::Push(1, 2)].map(|op| match op {
            Op::Nop => 0,
            Op::Push(a, b) => i64::from(a) + b,
        });
        assert_eq!(sizes, [0, 3]);
        // SAFETY: `repr(u8)` puts a tag of one byte first, numbered from 0.
        let offset = unsafe {
            variant_offset::<Op>(1, 1, |e| match *e {
                Op::Push(_, ref x) => x as *const _ as usize,
                _ => 0,
            })
        };
        assert_eq!(offset, 8);
    }

    #[test]
    fn overflow_checks_are_found_out() {
        let checks = overflow_checks(|| std::hint::black_box(255u8) + std::hint::black_box(1u8));
        assert_eq!(checks, cfg!(debug_assertions));
    }
}
