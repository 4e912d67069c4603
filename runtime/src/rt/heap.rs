//! Allocation in the collected heap, for compiled code and those who go on from it.

use metatrace_backend::{Allocator, Context, alloc, pending};
use metatrace_gc::compiled;

use super::glue::catch;
use crate::machine::Panic;

/// Allocates in the heap that is current.
pub fn allocator() -> Allocator {
    Allocator { collected, reserved, plain: alloc::plain, free: alloc::give_back, barrier }
}

/// The panic that says that an object of so many bytes does not fit into the heap.
pub fn heap_full(bytes: u64) -> Panic {
    let full = || compiled::heap_full(bytes);
    std::panic::catch_unwind(full).expect_err("to say that the heap is full is to panic")
}

extern "C" fn collected(context: *mut Context, header: u64, bytes: u64) -> u64 {
    let made = std::panic::catch_unwind(|| {
        let payload = usize::try_from(bytes).unwrap_or(usize::MAX);
        // SAFETY: the header is the address of a type's descriptor, as the glue told.
        unsafe { compiled::allocate(header as usize as *const _, payload) }
    });
    match made {
        Ok((address, is_full)) => {
            if is_full {
                // SAFETY: the context is the current VM's, and nothing else refers to it now.
                unsafe { (*context).pending |= pending::HEAP_FULL };
            }
            address as u64
        }
        Err(payload) => {
            // SAFETY: as above.
            unsafe { catch(context, payload) };
            0
        }
    }
}

extern "C" fn reserved(_: *mut Context, header: u64, bytes: u64) -> u64 {
    // SAFETY: the header is the address of a type's descriptor, as the glue told.
    let made = unsafe { compiled::allocate_reserved(header as usize as *const _, bytes as usize) };
    made as u64
}

extern "C" fn barrier(_: *mut Context, address: u64) {
    metatrace_gc::barrier_at(address as usize);
}
