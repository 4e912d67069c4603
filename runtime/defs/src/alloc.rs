//! Descriptors of allocations: what memory an object is made of.

use crate::descr::LoadTime;

crate::entity! {
    /// An allocation descriptor of a program.
    AllocId = "alloc"
}

/// Where the memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The collected heap. Fresh memory is all zero, so that a collector may look at it at any time.
    Collected {
        /// The address of the type's descriptor, which becomes the object's header.
        header: LoadTime,
    },
    /// Rust's global allocator. Fresh memory holds anything.
    Plain {
        /// In bytes.
        align: LoadTime,
    },
}

/// That an object has elements behind its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elements {
    /// Bytes from one element to the next.
    pub stride: LoadTime,
    /// Where the number of elements stands, as a word, in bytes from the start; `None` if it stands nowhere. Whoever
    /// allocates writes it.
    pub length: Option<LoadTime>,
}

/// An allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alloc {
    /// The name of what is allocated, such as `Point`.
    pub name: String,
    /// Where the memory comes from.
    pub memory: Memory,
    /// Bytes of an object; of one with elements, the bytes before the first.
    pub size: LoadTime,
    /// The elements, if it has any.
    pub elements: Option<Elements>,
}

impl Alloc {
    /// The bytes of an object with `length` elements; `u64::MAX` if there can be no such object.
    ///
    /// # Panics
    /// If the program was not resolved.
    pub fn bytes(&self, length: u64) -> u64 {
        let stride = self.elements.map_or(0, |elements| elements.stride.get());
        let bytes = stride.checked_mul(length).and_then(|bytes| bytes.checked_add(self.size.get()));
        bytes.filter(|&bytes| bytes <= i64::MAX as u64).unwrap_or(u64::MAX)
    }

    /// Whether the memory is the collected heap's.
    pub fn is_collected(&self) -> bool {
        matches!(self.memory, Memory::Collected { .. })
    }

    /// Every number that may be known only when the binary starts.
    pub(crate) fn load_times(&mut self) -> impl Iterator<Item = &mut LoadTime> {
        let memory = match &mut self.memory {
            Memory::Collected { header } => header,
            Memory::Plain { align } => align,
        };
        let elements = self.elements.iter_mut().flat_map(|e| [Some(&mut e.stride), e.length.as_mut()]);
        [memory, &mut self.size].into_iter().chain(elements.flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_do_not_overflow() {
        let elements = Some(Elements { stride: LoadTime::Literal(8), length: None });
        let memory = Memory::Plain { align: LoadTime::Literal(8) };
        let alloc = Alloc { name: String::new(), memory, size: LoadTime::Literal(16), elements };
        assert_eq!(alloc.bytes(3), 40);
        assert_eq!(alloc.bytes(u64::MAX / 8), u64::MAX);
        assert_eq!(Alloc { elements: None, ..alloc }.bytes(u64::MAX), 16);
    }
}
