//! Allocation in the collected heap, for compiled code and those who go on from it.

use std::mem::offset_of;

use metatrace_backend::alloc::{self, InlineHeap, Site};
use metatrace_backend::{Allocator, Context, HeapMemory, pending};
use metatrace_gc::alloc::Hot;
use metatrace_gc::compiled;

/// How compiled code allocates inline.
pub static INLINE_HEAP: InlineHeap = InlineHeap {
    site,
    base: offset_of!(Hot, base) as i32,
    bytes: offset_of!(Hot, bytes) as i32,
    cards: offset_of!(Hot, cards) as i32,
    card_shift: compiled::CARD_SHIFT as i64,
};

/// What compiled code works on that is entered now.
pub fn current_heap() -> HeapMemory {
    HeapMemory(compiled::current().cast())
}

fn site(header: u64, bytes: u64) -> Option<Site> {
    // SAFETY: the header is the address of a type's descriptor, as the glue told; descriptors are statics.
    let info = unsafe { &*(header as usize as *const metatrace_gc::TypeInfo) };
    let site = compiled::Site::of(info, usize::try_from(bytes).ok()?)?;
    Some(Site {
        cursor: site.cursor_offset as i32,
        limit: site.limit_offset as i32,
        cell_bytes: site.cell_bytes as i64,
        header_bytes: compiled::HEADER_BYTES as i32,
    })
}

/// Allocates in the heap that is current.
pub fn allocator() -> Allocator {
    Allocator { for_guest, collected, reserved, made, plain: alloc::plain, free: alloc::give_back, barrier }
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
    object.map_or_else(|| reserve_is_used_up(bytes), |object| object.as_ptr() as u64)
}

extern "C" fn made(context: *mut Context, header: u64, bytes: u64) -> u64 {
    // SAFETY: the header is the address of a type's descriptor, as the glue told.
    let made = unsafe { compiled::make(header as usize as *const _, bytes as usize) };
    let Some((object, is_due)) = made else { reserve_is_used_up(bytes) };
    if is_due {
        // SAFETY: the context is the current VM's, and nothing else refers to it now.
        unsafe { (*context).pending |= pending::HEAP_FULL };
    }
    object.as_ptr() as u64
}

fn reserve_is_used_up(bytes: u64) -> ! {
    eprintln!("out of memory: {bytes} bytes do not fit into the reserve of the collected heap");
    std::process::abort()
}

extern "C" fn barrier(_: *mut Context, address: u64) {
    metatrace_gc::barrier_at(address as usize);
}
