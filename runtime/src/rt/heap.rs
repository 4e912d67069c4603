//! Allocation in the collected heap, for compiled code and those who go on from it.

use metatrace_backend::{Allocator, Context, alloc, pending};
use metatrace_gc::compiled;

/// Allocates in the heap that is current.
pub fn allocator() -> Allocator {
    Allocator { for_guest, collected, reserved, plain: alloc::plain, free: alloc::give_back, barrier }
}

extern "C" fn for_guest(_: *mut Context, header: u64, bytes: u64) -> u64 {
    let payload = usize::try_from(bytes).unwrap_or(usize::MAX);
    // SAFETY: the header is the address of a type's descriptor, as the glue told.
    let object = unsafe { compiled::allocate(header as usize as *const _, payload) };
    object.map_or(0, |object| object.as_ptr() as u64)
}

extern "C" fn collected(context: *mut Context, header: u64, bytes: u64) -> u64 {
    match for_guest(context, header, bytes) {
        0 => {
            // SAFETY: the context is the current VM's, and nothing else refers to it now.
            unsafe { (*context).pending |= pending::HEAP_FULL };
            reserved(context, header, bytes)
        }
        object => object,
    }
}

extern "C" fn reserved(_: *mut Context, header: u64, bytes: u64) -> u64 {
    // SAFETY: the header is the address of a type's descriptor, as the glue told.
    let object = unsafe { compiled::allocate_reserved(header as usize as *const _, bytes as usize) };
    match object {
        Some(object) => object.as_ptr() as u64,
        None => {
            eprintln!("out of memory: {bytes} bytes do not fit into the reserve of the collected heap");
            std::process::abort()
        }
    }
}

extern "C" fn barrier(_: *mut Context, address: u64) {
    metatrace_gc::barrier_at(address as usize);
}
