//! Memory for machine code: one region of the process, shared by all backends.
//!
//! In: finished machine code. Out: where it lies, executable. The region is one memory file that is mapped twice, once
//! writable and once executable, so that no page is ever both. It is reserved at once and backed by memory only
//! where code was placed. Freed blocks go to a list of their size class and are reused from there; blocks are neither
//! split nor merged.
//!
//! The lock is taken when code is placed or freed, never when it runs.
//!
//! A process that forks shares the memory with its child: only one of the two may use compiled code afterwards.

use std::io;
use std::sync::{Mutex, PoisonError};

/// Bytes to reserve; halved until the system agrees.
const RESERVE: usize = 1 << 30;
const LEAST_RESERVE: usize = 1 << 22;
/// Every block starts at a multiple of this.
const ALIGN: usize = 64;
/// Four classes to each doubling, from 256 bytes on.
const CLASSES: usize = 4 * 23;

/// The region.
pub(crate) struct Arena {
    memory: Mappings,
    size: usize,
    state: Mutex<State>,
}

// SAFETY: the mappings live as long as the process; which bytes belong to whom is kept under the lock, and only the
// owner of a block writes to it.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

struct State {
    /// Where the memory that was never used starts.
    next: usize,
    /// The offsets of free blocks, by class.
    free: Vec<Vec<usize>>,
}

/// Machine code in the arena.
#[derive(Debug)]
pub(crate) struct Block {
    offset: usize,
    class: u8,
    /// Bytes of code.
    pub(crate) len: usize,
}

impl Block {
    /// Bytes of memory that the block takes.
    pub(crate) fn size(&self) -> usize {
        class_size(usize::from(self.class))
    }
}

impl Arena {
    /// Reserves the region.
    pub(crate) fn reserve() -> io::Result<Arena> {
        let mut size = RESERVE;
        loop {
            match Mappings::new(size) {
                Ok(memory) => {
                    let state = State { next: 0, free: vec![Vec::new(); CLASSES] };
                    return Ok(Arena { memory, size, state: Mutex::new(state) });
                }
                Err(error) if size == LEAST_RESERVE => return Err(error),
                Err(_) => size /= 2,
            }
        }
    }

    /// The executable addresses of the region.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        let start = self.memory.executable as usize;
        start..start + self.size
    }

    /// Copies code into a block; `None` if the region is full.
    pub(crate) fn place(&self, code: &[u8]) -> Option<Block> {
        let class = class_of(code.len());
        let (offset, reused) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match state.free.get_mut(class)?.pop() {
                Some(offset) => (offset, true),
                None => {
                    let offset = state.next;
                    let end = offset.checked_add(class_size(class)).filter(|&end| end <= self.size)?;
                    state.next = end;
                    (offset, false)
                }
            }
        };
        // SAFETY: the block lies in the writable mapping and is ours since it was taken from the state.
        unsafe { self.memory.writable.add(offset).copy_from_nonoverlapping(code.as_ptr(), code.len()) };
        let block = Block { offset, class: class as u8, len: code.len() };
        publish(self.address(&block), code.len());
        #[cfg(target_arch = "aarch64")]
        if reused {
            self.memory.renew(offset, code.len());
        }
        #[cfg(not(target_arch = "aarch64"))]
        let _ = reused;
        Some(block)
    }

    /// Where a block's code is executed.
    pub(crate) fn address(&self, block: &Block) -> *const u8 {
        self.memory.executable.wrapping_add(block.offset)
    }

    /// A block's code.
    pub(crate) fn bytes(&self, block: &Block) -> &[u8] {
        // SAFETY: the executable mapping is readable, and a block that is lent out is not written any more.
        unsafe { std::slice::from_raw_parts(self.address(block), block.len) }
    }

    /// Takes a block back.
    pub(crate) fn free(&self, block: Block) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.free[usize::from(block.class)].push(block.offset);
    }
}

fn class_size(class: usize) -> usize {
    (4 + class % 4) * ALIGN << (class / 4)
}

fn class_of(len: usize) -> usize {
    (0..CLASSES).find(|&class| class_size(class) >= len).unwrap_or(CLASSES)
}

/// Makes code that was just written through another mapping visible to instruction fetch.
fn publish(start: *const u8, len: usize) {
    #[cfg(target_arch = "aarch64")]
    {
        // SAFETY: the signature is that of the function in the compiler's support library.
        unsafe extern "C" {
            fn __clear_cache(start: *const u8, end: *const u8);
        }
        // SAFETY: the range is mapped.
        unsafe { __clear_cache(start, start.add(len)) }
    }
    // On x86-64 the caches are coherent.
    #[cfg(not(target_arch = "aarch64"))]
    let _ = (start, len);
}

/// The memory and its two mappings.
struct Mappings {
    writable: *mut u8,
    executable: *const u8,
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    file: std::os::fd::OwnedFd,
}

#[cfg(target_os = "linux")]
impl Mappings {
    fn new(size: usize) -> io::Result<Mappings> {
        use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
        let create = |flags| {
            // SAFETY: the name is a C string.
            let fd = unsafe { libc::memfd_create(c"metatrace code".as_ptr(), libc::MFD_CLOEXEC | flags) };
            // SAFETY: the descriptor is new and nobody else's.
            (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
        };
        // Systems that forbid executable memory files by default want to be asked; old ones do not know the flag.
        let file = create(libc::MFD_EXEC).or_else(|| create(0)).ok_or_else(io::Error::last_os_error)?;
        let length = libc::off_t::try_from(size).map_err(io::Error::other)?;
        // SAFETY: the descriptor is open.
        if unsafe { libc::ftruncate(file.as_raw_fd(), length) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let anywhere = std::ptr::null_mut();
        // SAFETY: a new mapping at an address of the system's choice touches no memory of ours.
        let writable = unsafe { map(&file, anywhere, 0, size, libc::PROT_READ | libc::PROT_WRITE)? };
        // SAFETY: as above.
        match unsafe { map(&file, anywhere, 0, size, libc::PROT_READ | libc::PROT_EXEC) } {
            Ok(executable) => Ok(Mappings {
                writable,
                executable,
                #[cfg(target_arch = "aarch64")]
                file,
            }),
            Err(error) => {
                // SAFETY: nobody knows of this mapping yet.
                unsafe { libc::munmap(writable.cast(), size) };
                Err(error)
            }
        }
    }

    /// Maps the executable pages of memory that holds other code than before once more.
    ///
    /// Emulators keep translations of what they have seen at an address. They do not notice writes through another
    /// mapping, nor, some of them, the flush of the cache; this they do. On a processor it has no effect.
    #[cfg(target_arch = "aarch64")]
    fn renew(&self, offset: usize, len: usize) {
        // The largest page that the architecture knows.
        const PAGE: usize = 1 << 16;
        let start = offset / PAGE * PAGE;
        let size = (offset + len - start).next_multiple_of(PAGE);
        let at = self.executable.wrapping_add(start).cast_mut();
        // SAFETY: the same memory is mapped in the same place, at once for all threads. Should that fail, all stays as
        // it is.
        let _ = unsafe { map(&self.file, at, start, size, libc::PROT_READ | libc::PROT_EXEC) };
    }
}

/// Maps `size` bytes of the file from `offset` on, `at` an address or, if it is null, anywhere.
///
/// # Safety
/// What was mapped at the address before must not be in use, or be the same.
#[cfg(target_os = "linux")]
unsafe fn map(
    file: &std::os::fd::OwnedFd,
    at: *mut u8,
    offset: usize,
    size: usize,
    protection: libc::c_int,
) -> io::Result<*mut u8> {
    use std::os::fd::AsRawFd;
    let fixed = if at.is_null() { 0 } else { libc::MAP_FIXED };
    let flags = libc::MAP_SHARED | libc::MAP_NORESERVE | fixed;
    let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
    // SAFETY: the caller vouches for the address.
    let at = unsafe { libc::mmap(at.cast(), size, protection, flags, file.as_raw_fd(), offset) };
    if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(at.cast()) }
}

#[cfg(not(target_os = "linux"))]
impl Mappings {
    fn new(_: usize) -> io::Result<Mappings> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "code memory is implemented for Linux only"))
    }

    #[cfg(target_arch = "aarch64")]
    fn renew(&self, _: usize, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_ascend_and_are_aligned() {
        for class in 0..CLASSES - 1 {
            assert!(class_size(class) < class_size(class + 1));
            assert_eq!(class_size(class) % ALIGN, 0);
            assert_eq!(class_of(class_size(class)), class);
            assert_eq!(class_of(class_size(class) + 1), class + 1);
        }
    }

    #[test]
    fn blocks_are_reused_by_class_and_do_not_overlap() {
        let arena = Arena::reserve().unwrap();
        let a = arena.place(&[1; 300]).unwrap();
        let b = arena.place(&[2; 300]).unwrap();
        assert_eq!(arena.bytes(&a), [1; 300]);
        assert_eq!(arena.bytes(&b), [2; 300]);
        let at = arena.address(&a);
        assert_eq!(at as usize % ALIGN, 0);
        arena.free(a);
        let c = arena.place(&[3; 1000]).unwrap();
        assert_ne!(arena.address(&c), at);
        let d = arena.place(&[4; 270]).unwrap();
        assert_eq!(arena.address(&d), at);
        assert_eq!(arena.bytes(&d), [4; 270]);
        assert_eq!(arena.bytes(&b), [2; 300]);
    }

    #[test]
    fn a_full_region_refuses() {
        let arena = Arena::reserve().unwrap();
        arena.state.lock().unwrap().next = arena.size - 256;
        assert!(arena.place(&[0; 257]).is_none());
        assert!(arena.place(&[0; 256]).is_some());
        assert!(arena.place(&[0; 1]).is_none());
    }
}
