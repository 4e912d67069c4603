//! Strings: immutable bytes with their hash. Short ones exist once per machine.
//!
//! Guarantees: two short strings are equal if and only if they are the same object. The table of short strings keeps nothing alive;
//! after each collection it forgets the dead.

use std::cell::{Cell, RefCell};

use metatrace::gc::{Gc, Headed, HeapFull, Trace, Tracer};
use metatrace::jit;

metatrace::glue!();

/// What lies before the bytes.
#[derive(Clone, Copy, Debug, Trace)]
pub struct Head {
    hash: u32,
    is_short: bool,
}

/// A string.
#[derive(Clone, Copy, Debug, Trace)]
#[repr(transparent)]
pub struct Str(Gc<Headed<Head, u8>>);

/// The most bytes of a string that exists once.
pub const SHORT: usize = 40;

impl Str {
    #[inline(always)]
    pub fn bytes<'a>(self) -> &'a [u8] {
        self.0.as_ref().elements()
    }

    #[inline(always)]
    pub fn len(self) -> usize {
        self.bytes().len()
    }

    /// A byte, by an index below the length.
    #[inline(always)]
    pub fn byte_at(self, index: usize) -> u8 {
        self.bytes()[index]
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    pub fn hash(self) -> u32 {
        self.0.hash
    }

    #[inline(always)]
    pub fn is_short(self) -> bool {
        self.0.is_short
    }

    /// Whether both are the same object.
    #[inline(always)]
    pub fn is(self, other: Str) -> bool {
        self.0.ptr_eq(other.0)
    }

    #[inline(always)]
    pub fn equals(self, other: Str) -> bool {
        self.is(other) || !self.is_short() && self.equals_long(other)
    }

    #[inline(never)]
    #[jit::reads_only]
    fn equals_long(self, other: Str) -> bool {
        self.hash() == other.hash() && self.bytes() == other.bytes()
    }

    #[inline(always)]
    pub fn address(self) -> usize {
        self.0.address()
    }

    /// The text, with what is not UTF-8 replaced: for messages.
    pub fn lossy(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    pub(crate) fn reference(self) -> Gc<Headed<Head, u8>> {
        self.0
    }
}

/// Hashes bytes; of long strings only parts.
#[inline]
fn hash(bytes: &[u8]) -> u32 {
    const SEED: u64 = 0x51_7C_C1_B7_27_22_0A_95;
    let mut hash = bytes.len() as u64 ^ SEED;
    if bytes.len() <= 128 {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            hash = mix(hash, u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            hash = mix(hash, last_word(bytes, rest.len()));
        }
    } else {
        for word in bytes.as_chunks::<8>().0.iter().step_by(bytes.len() / 128) {
            hash = mix(hash, u64::from_le_bytes(*word));
        }
        hash = mix(hash, last_word(bytes, 8));
    }
    (hash ^ hash >> 32) as u32
}

/// Both halves of a product, so that each bit of the result depends on all of both words.
#[inline(always)]
fn mix(hash: u64, word: u64) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let product = u128::from(hash.rotate_left(23) ^ word) * u128::from(FACTOR);
    product as u64 ^ (product >> 64) as u64
}

/// The last `count` bytes, at most 8, as a word.
#[inline(always)]
fn last_word(bytes: &[u8], count: usize) -> u64 {
    match bytes.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * count),
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Places for strings, by hash: open addressing.
struct Slots {
    /// Of each place: 0 if it is empty, otherwise a part of the string's hash that does not tell the place, so that hardly any
    /// string is looked at in vain.
    tags: Vec<u8>,
    strings: Vec<Option<Str>>,
}

impl Slots {
    /// Empty ones, a power of two.
    fn new(count: usize) -> Slots {
        Slots { tags: vec![0; count], strings: vec![None; count] }
    }

    fn tag(hash: u32) -> u8 {
        (hash >> 24) as u8 | 0x80
    }

    #[inline]
    fn find(&self, hash: u32, bytes: &[u8]) -> Option<Str> {
        let (mask, tag) = (self.tags.len() - 1, Slots::tag(hash));
        let mut index = hash as usize & mask;
        loop {
            match self.tags[index] {
                0 => return None,
                found if found == tag => {
                    if let Some(string) = self.strings[index]
                        && string.bytes() == bytes
                    {
                        return Some(string);
                    }
                }
                _ => {}
            }
            index = (index + 1) & mask;
        }
    }

    fn insert(&mut self, string: Str) {
        let (mask, hash) = (self.tags.len() - 1, string.hash());
        let mut index = hash as usize & mask;
        while self.tags[index] != 0 {
            index = (index + 1) & mask;
        }
        self.tags[index] = Slots::tag(hash);
        self.strings[index] = Some(string);
    }

    /// Takes a string out, and moves those behind that would not be found any more.
    fn remove(&mut self, string: Str) {
        let mask = self.tags.len() - 1;
        let mut hole = string.hash() as usize & mask;
        while self.strings[hole].is_some_and(|found| !found.is(string)) {
            hole = (hole + 1) & mask;
        }
        let mut index = hole;
        loop {
            index = (index + 1) & mask;
            let Some(next) = self.strings[index] else { break };
            let home = next.hash() as usize & mask;
            if (index.wrapping_sub(home) & mask) >= (index.wrapping_sub(hole) & mask) {
                self.strings[hole] = Some(next);
                self.tags[hole] = self.tags[index];
                hole = index;
            }
        }
        self.strings[hole] = None;
        self.tags[hole] = 0;
    }

    /// All strings, into twice as many places.
    fn grow(&mut self) {
        let larger = Slots::new(self.tags.len() * 2);
        let before = std::mem::replace(self, larger);
        before.strings.into_iter().flatten().for_each(|string| self.insert(string));
    }
}

/// The short strings of a machine.
pub struct Strings {
    slots: RefCell<Slots>,
    count: Cell<usize>,
    /// Those made since the last collection.
    young: RefCell<Vec<Str>>,
    /// Those of one byte that were made once: they stay.
    single: RefCell<Vec<Option<Str>>>,
}

impl Strings {
    pub fn new() -> Strings {
        Strings {
            slots: RefCell::new(Slots::new(512)),
            count: Cell::new(0),
            young: RefCell::default(),
            single: RefCell::new(vec![None; 256]),
        }
    }

    /// The string with these bytes.
    ///
    /// # Errors
    /// If the heap is full.
    pub fn make(&self, bytes: &[u8]) -> Result<Str, HeapFull> {
        if let [byte] = bytes {
            return self.single(*byte);
        }
        self.make_any(bytes)
    }

    /// The string of one byte.
    ///
    /// # Errors
    /// If the heap is full.
    #[inline]
    pub fn single(&self, byte: u8) -> Result<Str, HeapFull> {
        let known = self.single.borrow()[usize::from(byte)];
        if let Some(known) = known {
            return Ok(known);
        }
        let made = self.make_any(&[byte])?;
        self.single.borrow_mut()[usize::from(byte)] = Some(made);
        Ok(made)
    }

    /// Shows the strings that stay to the collector.
    pub fn trace(&self, tracer: &mut Tracer) {
        self.single.borrow().iter().flatten().for_each(|string| tracer.reference(string.reference()));
    }

    fn make_any(&self, bytes: &[u8]) -> Result<Str, HeapFull> {
        let hash = hash(bytes);
        if bytes.len() > SHORT {
            return Headed::try_new(Head { hash, is_short: false }, bytes).map(Str);
        }
        if let Some(found) = self.slots.borrow().find(hash, bytes) {
            return Ok(found);
        }
        // The allocation may collect, which changes the table.
        let made = Str(Headed::try_new(Head { hash, is_short: true }, bytes)?);
        let mut slots = self.slots.borrow_mut();
        self.count.set(self.count.get() + 1);
        if self.count.get() * 4 > slots.tags.len() * 3 {
            slots.grow();
        }
        slots.insert(made);
        self.young.borrow_mut().push(made);
        Ok(made)
    }

    /// Forgets the strings that a collection has not marked.
    pub fn forget_dead(&self, tracer: &Tracer) {
        let mut slots = self.slots.borrow_mut();
        let mut young = self.young.borrow_mut();
        let lives = |string: &Str| tracer.is_marked(string.reference());
        if tracer.is_full() {
            let before = std::mem::replace(&mut *slots, Slots::new(0));
            *slots = Slots::new(before.tags.len());
            let mut count = 0;
            for string in before.strings.into_iter().flatten().filter(lives) {
                slots.insert(string);
                count += 1;
            }
            self.count.set(count);
        } else {
            // Whatever was there at the last collection lives.
            for string in young.iter().filter(|string| !lives(string)) {
                slots.remove(*string);
                self.count.set(self.count.get() - 1);
            }
        }
        young.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn hashes_differ_where_few_bytes_do() {
        // Names as programs make them, in tables as large as they get for so many.
        for prefix in
            ["", "w", "item ", "a name ", "field_of_a_record_", "some forty bytes of text before it "]
        {
            let mut counts = [0u32; 4096];
            for number in 0..2048 {
                counts[hash(format!("{prefix}{number}").as_bytes()) as usize % 4096] += 1;
            }
            let most = counts.iter().max().copied();
            assert!(most.is_some_and(|most| most <= 8), "{most:?} of {prefix:?}");
        }
    }
}
