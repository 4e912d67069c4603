//! `RefCell`, its guards, and the counters of `Rc`: where std keeps their parts, which it does not say.
//!
//! All of it is found out at start-up, on samples of the very types; where a sample does not look as expected, that panics before anything
//! relies on it. The parts of a `RefCell` are the count of its borrows, an `isize` that is negative while it is borrowed mutably, and its
//! content; those of a guard are the address of the content and the address of the count.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::mem::{ManuallyDrop, MaybeUninit, size_of};
use std::rc::Rc;

use super::scalars::Scalars;

/// A type whose fields cannot be named.
pub trait Probed {
    /// The offset of a part in bytes.
    fn offset(part: u32) -> u64;
}

/// What an `Rc` has before its content.
#[repr(C)]
pub struct RcCounts<T: ?Sized> {
    strong: Cell<usize>,
    weak: Cell<usize>,
    of: std::marker::PhantomData<T>,
}

impl<T: ?Sized> Probed for RcCounts<T> {
    fn offset(part: u32) -> u64 {
        let sample = Rc::new(0u64);
        let others = [Rc::clone(&sample), Rc::clone(&sample)];
        let weak = [Rc::downgrade(&sample), Rc::downgrade(&sample), Rc::downgrade(&sample)];
        // SAFETY: an `Rc` of a sized type is the address of its counters and content, in this order: see the assertion.
        let counts = unsafe { *(&raw const sample).cast::<*const [usize; 2]>() };
        assert!(
            Rc::as_ptr(&sample).addr() == counts.addr() + 16,
            "the counters of an `Rc` are not the two words before its content"
        );
        // SAFETY: the content lies 16 bytes on in the same allocation.
        let found = unsafe { *counts };
        // All strong references together count as one weak one.
        assert!(found == [others.len() + 1, weak.len() + 1], "the counters of an `Rc` are not as they were");
        u64::from(part) * 8
    }
}

impl<T> Probed for RefCell<T> {
    fn offset(part: u32) -> u64 {
        let zeros = MaybeUninit::<RefCell<T>>::zeroed();
        // SAFETY: nobody looks at the content; a count of zero says that it is not borrowed, see the assertions.
        let sample = unsafe { &*zeros.as_ptr() };
        let start = (&raw const *sample).addr();
        let content = sample.as_ptr().addr() - start;
        if part == 1 {
            return content as u64;
        }
        let size = size_of::<RefCell<T>>();
        let words = |n: usize| {
            // SAFETY: the word lies in the sample, which was zeroed.
            unsafe { (start as *const u8).add(n).cast::<isize>().read() }
        };
        let inside = content..content + size_of::<T>();
        let outside = (0..size / 8).map(|n| n * 8).filter(|n| !inside.contains(n) || inside.is_empty());
        let candidates: Vec<usize> = outside.collect();
        let has = |value: isize| -> Vec<usize> {
            candidates.iter().copied().filter(|&n| words(n) == value).collect()
        };
        let borrowed = ManuallyDrop::new(sample.borrow());
        let once = has(1);
        drop(ManuallyDrop::into_inner(borrowed));
        let borrowed = ManuallyDrop::new(sample.borrow_mut());
        let mutably = has(-1);
        drop(ManuallyDrop::into_inner(borrowed));
        assert!(once.len() == 1 && once == mutably, "a `RefCell` does not count its borrows as it did");
        once[0] as u64
    }
}

/// The two words of a guard.
fn words<G>(guard: &G) -> [u64; 2] {
    const { assert!(size_of::<G>() == 16, "a guard of a `RefCell` is two words") };
    // SAFETY: a guard of sized content is two addresses.
    unsafe { (&raw const *guard).cast::<[u64; 2]>().read() }
}

/// Which word is the content's address; the other one is the count's.
fn content_word<G>(guard: &G, content: u64) -> usize {
    let words = words(guard);
    let found: Vec<usize> = (0..2).filter(|&n| words[n] == content).collect();
    assert!(found.len() == 1, "a guard of a `RefCell` does not hold its content's address");
    found[0]
}

macro_rules! guards {
    ($($guard:ident $borrow:ident [$($mutable:tt)?];)*) => { $(
        impl<T> Probed for $guard<'_, T> {
            fn offset(part: u32) -> u64 {
                let cell = RefCell::new([0u64; 2]);
                let memory = MaybeUninit::<T>::uninit();
                let address = memory.as_ptr().addr() as u64;
                // SAFETY: nobody looks at the content.
                let guard = $guard::map(cell.$borrow(), |_| unsafe { &$($mutable)? *(address as usize as *mut T) });
                let content = content_word(&guard, address);
                (if part == 0 { content } else { 1 - content }) as u64 * 8
            }
        }

        /// The address of the content, then that of the count.
        impl<T> Scalars for $guard<'_, T> {
            const WORDS: usize = 2;

            fn pack(self, out: &mut [u64]) {
                let words = words(&ManuallyDrop::new(self));
                let content = (Self::offset(0) / 8) as usize;
                (out[0], out[1]) = (words[content], words[1 - content]);
            }

            unsafe fn unpack(words: &[u64]) -> Self {
                let mut own = [words[1]; 2];
                own[(Self::offset(0) / 8) as usize] = words[0];
                // SAFETY: the caller vouches for the words, and they stand where the guard has them.
                unsafe { std::mem::transmute_copy(&own) }
            }
        }
    )* };
}

guards! {
    Ref borrow [];
    RefMut borrow_mut [mut];
}

/// The count of a cell's borrows, and its content.
pub fn pack_ref_cell<T>(cell: RefCell<T>) -> (u64, T) {
    let count = count_of(&cell);
    // SAFETY: the count lies in the cell.
    let borrows = unsafe { count.read() };
    (borrows as u64, cell.into_inner())
}

/// A cell with this count of borrows.
pub fn unpack_ref_cell<T>(borrows: u64, content: T) -> RefCell<T> {
    let cell = RefCell::new(content);
    // SAFETY: the count lies in the cell, which is ours.
    unsafe { count_of(&cell).write(borrows as isize) };
    cell
}

fn count_of<T>(cell: &RefCell<T>) -> *mut isize {
    let offset = <RefCell<T> as Probed>::offset(0) as usize;
    // SAFETY: that is where the count lies; it may change behind a shared reference.
    unsafe { (&raw const *cell).cast::<u8>().add(offset).cast_mut().cast() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: PartialEq + std::fmt::Debug + Clone>(content: T) {
        let cell = RefCell::new(content.clone());
        let (borrows, inside) = {
            let first = std::mem::ManuallyDrop::new(cell.borrow());
            let mut out = [0; 2];
            let second = cell.borrow();
            second.pack(&mut out);
            assert_eq!(out[0], cell.as_ptr().addr() as u64);
            assert_eq!(out[1], count_of(&cell).addr() as u64);
            // SAFETY: these are a guard's words.
            let again = unsafe { Ref::<T>::unpack(&out) };
            assert_eq!(*again, content);
            drop(again);
            assert_eq!(**first, content);
            pack_ref_cell(cell)
        };
        // One was never given back.
        assert_eq!((borrows, &inside), (1, &content));
        let cell = unpack_ref_cell(borrows, inside);
        assert!(cell.try_borrow_mut().is_err());
        assert_eq!(*cell.borrow(), content);
        let cell = unpack_ref_cell(0, content.clone());
        let mut out = [0; 2];
        cell.borrow_mut().pack(&mut out);
        assert!(cell.try_borrow().is_err());
        // SAFETY: these are a guard's words.
        drop(unsafe { RefMut::<T>::unpack(&out) });
        assert_eq!(cell.into_inner(), content);
    }

    #[test]
    fn cells_and_guards_are_probed() {
        check(7u8);
        check(-1i64);
        check((1u8, "text".to_string()));
        check(vec![Some('x'), None]);
        check([[5u16; 3]; 7]);
        check(Some(Box::new(3)));
        check(u128::MAX);
        check(());
    }

    #[test]
    fn counters_are_probed() {
        assert_eq!((<RcCounts<str> as Probed>::offset(0), <RcCounts<u8> as Probed>::offset(1)), (0, 8));
    }
}
