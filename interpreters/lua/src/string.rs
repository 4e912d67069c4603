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
    #[jit::elidable]
    pub fn len(self) -> usize {
        self.bytes().len()
    }

    /// A byte, by an index below the length.
    #[inline(always)]
    #[jit::elidable]
    pub fn byte_at(self, index: usize) -> u8 {
        self.bytes()[index]
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    #[jit::elidable]
    pub fn hash(self) -> u32 {
        self.0.hash
    }

    #[inline(always)]
    #[jit::elidable]
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
    #[jit::dont_look_inside]
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

/// The short strings of a machine, by hash: open addressing over addresses.
pub struct Strings {
    slots: RefCell<Vec<Option<Str>>>,
    count: Cell<usize>,
    /// Those made since the last collection.
    young: RefCell<Vec<Str>>,
    /// Those of one byte that were made once: they stay.
    single: RefCell<Vec<Option<Str>>>,
}

impl Strings {
    pub fn new() -> Strings {
        Strings {
            slots: RefCell::new(vec![None; 512]),
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
        if let Some(found) = self.find(hash, bytes) {
            return Ok(found);
        }
        // The allocation may collect, which changes the table.
        let made = Str(Headed::try_new(Head { hash, is_short: true }, bytes)?);
        self.add(made);
        Ok(made)
    }

    #[inline]
    fn find(&self, hash: u32, bytes: &[u8]) -> Option<Str> {
        let slots = self.slots.borrow();
        let mask = slots.len() - 1;
        let mut index = hash as usize & mask;
        while let Some(found) = slots[index] {
            if found.hash() == hash && found.bytes() == bytes {
                return Some(found);
            }
            index = (index + 1) & mask;
        }
        None
    }

    fn add(&self, string: Str) {
        let mut slots = self.slots.borrow_mut();
        self.count.set(self.count.get() + 1);
        if self.count.get() * 4 > slots.len() * 3 {
            let larger = vec![None; slots.len() * 2];
            let before = std::mem::replace(&mut *slots, larger);
            before.into_iter().flatten().for_each(|string| insert(&mut slots, string));
        }
        insert(&mut slots, string);
        self.young.borrow_mut().push(string);
    }

    /// Forgets the strings that a collection has not marked.
    pub fn forget_dead(&self, tracer: &Tracer) {
        let mut slots = self.slots.borrow_mut();
        let mut young = self.young.borrow_mut();
        let lives = |string: &Str| tracer.is_marked(string.reference());
        if tracer.is_full() {
            let before = slots.len();
            let all = std::mem::replace(&mut *slots, vec![None; before]);
            let mut count = 0;
            for string in all.into_iter().flatten().filter(lives) {
                insert(&mut slots, string);
                count += 1;
            }
            self.count.set(count);
        } else {
            // Whatever was there at the last collection lives.
            for string in young.iter().filter(|string| !lives(string)) {
                remove(&mut slots, *string);
                self.count.set(self.count.get() - 1);
            }
        }
        young.clear();
    }
}

fn insert(slots: &mut [Option<Str>], string: Str) {
    let mask = slots.len() - 1;
    let mut index = string.hash() as usize & mask;
    while slots[index].is_some() {
        index = (index + 1) & mask;
    }
    slots[index] = Some(string);
}

/// Takes a string out, and moves those behind that would not be found any more.
fn remove(slots: &mut [Option<Str>], string: Str) {
    let mask = slots.len() - 1;
    let mut hole = string.hash() as usize & mask;
    while slots[hole].is_some_and(|found| !found.is(string)) {
        hole = (hole + 1) & mask;
    }
    let mut index = hole;
    loop {
        index = (index + 1) & mask;
        let Some(next) = slots[index] else { break };
        let home = next.hash() as usize & mask;
        if (index.wrapping_sub(home) & mask) >= (index.wrapping_sub(hole) & mask) {
            slots[hole] = Some(next);
            hole = index;
        }
    }
    slots[hole] = None;
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
