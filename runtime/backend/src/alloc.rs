//! Allocation for compiled code and for those who go on from it.
//!
//! In: a context, whose [`Allocator`] knows where memory comes from, and an allocation descriptor. Out: addresses. If the
//! collected heap is full, whoever allocates because the guest's code just asked for it ([`allocate_for_guest`]) gets 0, which that
//! code looks at. Compiled code takes from the reserve, and [`pending::HEAP_FULL`] has it leave at the next guard that looks,
//! to where the guest's code asks; so does whoever materialises an object that was optimised away.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};

use metatrace_defs::alloc::Memory;
use metatrace_defs::{Alloc, Program, TraceOp};
use metatrace_trace::{Attached, Virtual};

use crate::Context;

/// Where memory comes from.
#[derive(Clone, Copy, Debug)]
pub struct Allocator {
    /// An object of the collected heap, all zero, of the type whose descriptor has this address, with so many bytes; 0 if the
    /// heap is full.
    pub for_guest: extern "C" fn(*mut Context, u64, u64) -> u64,
    /// As `for_guest`, but of a full heap it takes from the reserve, with [`pending::HEAP_FULL`](crate::pending::HEAP_FULL).
    pub collected: extern "C" fn(*mut Context, u64, u64) -> u64,
    /// As `collected`, for an object that was optimised away and is made by who goes on from a guard: nothing is collected.
    pub reserved: extern "C" fn(*mut Context, u64, u64) -> u64,
    /// As `reserved`, for compiled code: if it is time to collect, or the reserve was needed, that is pending.
    pub made: extern "C" fn(*mut Context, u64, u64) -> u64,
    /// Plain memory: bytes and alignment. It never fails.
    pub plain: extern "C" fn(*mut Context, u64, u64) -> u64,
    /// Gives plain memory back: address, bytes, alignment.
    pub free: extern "C" fn(*mut Context, u64, u64, u64),
    /// A reference was written to an address.
    pub barrier: extern "C" fn(*mut Context, u64),
}

/// How objects of the collected heap are allocated inline, and written references told of. What the memory is that a heap is
/// known by inline ([`Context::heap`]) only those know who make this.
#[derive(Clone, Copy, Debug)]
pub struct InlineHeap {
    /// What it takes to allocate objects of the type whose descriptor has this address, with so many bytes; nothing if they
    /// are not allocated inline.
    pub site: fn(u64, u64) -> Option<Site>,
    /// Where the heap's first address stands, in bytes from [`Context::heap`].
    pub base: i32,
    /// Where the number of its bytes stands.
    pub bytes: i32,
    /// Where the address of its cards stands.
    pub cards: i32,
    /// An address in the heap, less its base, is shifted right by this to find its card, a byte that is 1 if something was
    /// written there.
    pub card_shift: i64,
}

/// What allocating objects of one type inline takes: the *cursor* advances by [`Site::cell_bytes`], but not beyond the *limit*.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// Where the cursor stands, in bytes from [`Context::heap`].
    pub cursor: i32,
    /// Where the limit stands.
    pub limit: i32,
    /// What the cursor advances by.
    pub cell_bytes: i64,
    /// Bytes from where the cursor was to the object; the header stands there.
    pub header_bytes: i32,
}

/// Small blocks of plain memory that compiled code gave back and takes again, by their size: memory from Rust's global allocator,
/// which gets them where there are too many, and in the end.
#[repr(C)]
#[derive(Debug)]
pub struct Spare {
    /// The most blocks of a size; 0 if none are kept, which is for allocators that are not Rust's.
    pub most: u64,
    /// The blocks of 8 bytes, of 16, and so on.
    pub lists: [SpareList; Spare::LISTS],
}

/// Blocks of one size.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SpareList {
    /// How many there are.
    pub count: u64,
    /// Their addresses.
    pub blocks: [u64; Spare::MOST],
}

impl Spare {
    /// The most blocks that can be kept of a size.
    pub const MOST: usize = 15;
    /// How many sizes there are: multiples of their alignment.
    pub const LISTS: usize = 32;
    /// The alignment of all blocks.
    pub const ALIGN: u64 = 8;

    /// Whether blocks of a size that is a multiple of this, aligned so, may be kept.
    pub fn keeps(unit: u64, align: u64) -> bool {
        align == Spare::ALIGN && unit.is_multiple_of(Spare::ALIGN)
    }
}

impl Default for Spare {
    fn default() -> Spare {
        Spare { most: 0, lists: [SpareList::default(); Spare::LISTS] }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        for (list, bytes) in self.lists.iter().zip((1..).map(|n| n * Spare::ALIGN)) {
            for &block in &list.blocks[..list.count as usize] {
                // SAFETY: compiled code got it from Rust's allocator with this size and alignment, and gave it back.
                unsafe { dealloc(block as usize as *mut u8, layout(bytes, Spare::ALIGN)) };
            }
        }
    }
}

/// Without a collected heap: objects of it are memory that is never given back.
impl Default for Allocator {
    fn default() -> Allocator {
        Allocator {
            for_guest: leaked,
            collected: leaked,
            reserved: leaked,
            made: leaked,
            plain,
            free: give_back,
            barrier: nothing,
        }
    }
}

fn layout(bytes: u64, align: u64) -> Layout {
    Layout::from_size_align(bytes as usize, align as usize)
        .unwrap_or_else(|_| panic!("an object of {bytes} bytes aligned to {align}"))
}

/// Plain memory from Rust's global allocator.
pub extern "C" fn plain(_: *mut Context, bytes: u64, align: u64) -> u64 {
    if bytes == 0 {
        return align;
    }
    let layout = layout(bytes, align);
    // SAFETY: the size is not 0.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    memory as u64
}

/// Gives plain memory back to Rust's global allocator.
pub extern "C" fn give_back(_: *mut Context, address: u64, bytes: u64, align: u64) {
    if bytes != 0 {
        // SAFETY: the guest's code gives back what it allocated, once.
        unsafe { dealloc(address as usize as *mut u8, layout(bytes, align)) };
    }
}

extern "C" fn leaked(_: *mut Context, _: u64, bytes: u64) -> u64 {
    let layout = layout(bytes.max(8), 8);
    // SAFETY: the size is not 0.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    memory as u64
}

extern "C" fn nothing(_: *mut Context, _: u64) {}

/// Allocates an object with `length` elements (0 if it has none): its address, or 0 if the collected heap is full.
///
/// # Safety
/// `context` is the current VM's, and `alloc` a descriptor of a resolved program.
pub unsafe fn allocate_for_guest(context: *mut Context, alloc: &Alloc, length: u64) -> u64 {
    // SAFETY: the caller vouches for both.
    unsafe { object(context, alloc, length, (*context).allocator.for_guest) }
}

/// Allocates an object with `length` elements (0 if it has none): its address.
///
/// # Safety
/// `context` is the current VM's, and `alloc` a descriptor of a resolved program.
pub unsafe extern "C" fn allocate(context: *mut Context, alloc: *const Alloc, length: u64) -> u64 {
    // SAFETY: the caller vouches for both.
    unsafe { object(context, &*alloc, length, (*context).allocator.collected) }
}

/// Allocates an object that was optimised away, without collecting anything.
///
/// # Safety
/// As for [`allocate`].
pub unsafe fn allocate_reserved(context: *mut Context, alloc: &Alloc, length: u64) -> u64 {
    // SAFETY: the caller vouches for both.
    unsafe { object(context, alloc, length, (*context).allocator.reserved) }
}

/// Allocates an object that was optimised away further up in compiled code, without collecting anything.
///
/// # Safety
/// As for [`allocate`].
pub unsafe extern "C" fn make(context: *mut Context, alloc: *const Alloc, length: u64) -> u64 {
    // SAFETY: the caller vouches for both.
    unsafe { object(context, &*alloc, length, (*context).allocator.made) }
}

/// # Safety
/// As for [`allocate`].
unsafe fn object(
    context: *mut Context,
    alloc: &Alloc,
    length: u64,
    collected: extern "C" fn(*mut Context, u64, u64) -> u64,
) -> u64 {
    // SAFETY: the caller vouches for the context.
    let allocator = unsafe { (*context).allocator };
    let bytes = alloc.bytes(length);
    let address = match alloc.memory {
        Memory::Collected { header } => collected(context, header.get(), bytes),
        Memory::Plain { align } => (allocator.plain)(context, bytes, align.get()),
    };
    if let Some(at) = alloc.elements.and_then(|elements| elements.length)
        && address != 0
    {
        // SAFETY: the object was allocated with room for its length.
        unsafe { (address.wrapping_add(at.get()) as usize as *mut u64).write_unaligned(length) };
    }
    address
}

/// Gives the plain memory of an object back, which has so many elements (0 if it has none).
///
/// # Safety
/// As for [`allocate`]; the object was allocated so and is not used any more.
pub unsafe fn release(context: *mut Context, alloc: &Alloc, address: u64, length: u64) {
    // SAFETY: the caller vouches for both.
    let allocator = unsafe { (*context).allocator };
    match alloc.memory {
        Memory::Plain { align } => (allocator.free)(context, address, alloc.bytes(length), align.get()),
        Memory::Collected { .. } => panic!("an object of the collected heap is not given back"),
    }
}

/// A reference was written to an address.
///
/// # Safety
/// `context` is the current VM's.
pub unsafe extern "C" fn barrier(context: *mut Context, address: u64) {
    // SAFETY: the caller vouches for it.
    let barrier = unsafe { (*context).allocator.barrier };
    barrier(context, address);
}

/// Makes what a snapshot describes: the word of each virtual, in order. `get` is what an operand is, given the words of the
/// virtuals made so far. Nothing is collected meanwhile, so that nothing has to be shown.
///
/// # Safety
/// `context` is the current VM's, and the virtuals are a verified snapshot's of a trace of `program`, which is resolved.
pub unsafe fn materialise<O: Copy>(
    context: *mut Context,
    program: &Program,
    virtuals: &[Virtual<O>],
    get: impl Fn(O, &[u64]) -> u64,
) -> Vec<u64> {
    let mut made = vec![0; virtuals.len()];
    for (n, object) in virtuals.iter().enumerate() {
        if let Some(alloc) = object.alloc(program) {
            let length = object.args.first().map_or(0, |&length| get(length, &made));
            // SAFETY: the caller vouches for the context.
            made[n] = unsafe { allocate_reserved(context, alloc, length) };
        }
    }
    for (n, computed) in virtuals.iter().enumerate().filter(|(_, of)| !of.is_object()) {
        let args: Vec<u64> = computed.args.iter().map(|&arg| get(arg, &made)).collect();
        made[n] = match (computed.op, computed.attached) {
            (TraceOp::Pure(op), _) => op.eval(&args),
            (_, Attached::Access(id)) => program.access(id).address(args[0], args.get(1).map_or(0, |&n| n)),
            (op, _) => panic!("{op} is not put off"),
        };
    }
    for (object, &address) in virtuals.iter().zip(&made) {
        for field in &object.fields {
            let access = program.access(field.access);
            let at = access.address(address.wrapping_add(field.base), field.index.unwrap_or(0));
            // SAFETY: the object is fresh, and has this field; or the trace would have stored there.
            unsafe { access.scalar.write(at, get(field.value, &made)) };
            if !object.is_object() {
                // SAFETY: as above. What was made is younger than what it was stored to.
                unsafe { barrier(context, at) };
            }
        }
    }
    made
}
