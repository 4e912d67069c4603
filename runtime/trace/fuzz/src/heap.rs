//! Objects that traces allocate, and how those of two runs are told to be the same.
//!
//! Each run has objects at addresses of its own. What is observed of it is therefore [`Canonical`]: an address in an object is
//! the number of the object, by the order in which it is met, and the bytes from its start. Two runs did the same if all
//! that can be reached is the same then.

use std::cell::RefCell;
use std::collections::HashMap;

use metatrace_backend::{Allocator, Context};

thread_local! {
    static OBJECTS: RefCell<Vec<Object>> = const { RefCell::new(Vec::new()) };
}

struct Object {
    words: Box<[u64]>,
    is_freed: bool,
}

impl Object {
    fn address(&self) -> u64 {
        self.words.as_ptr() as u64
    }

    fn bytes(&self) -> u64 {
        8 * self.words.len() as u64
    }
}

/// Allocates the objects of a run.
pub fn allocator() -> Allocator {
    Allocator { for_guest: collected, collected, reserved: collected, made: collected, plain, free, barrier }
}

/// Forgets all objects.
pub fn clear() {
    OBJECTS.with_borrow_mut(Vec::clear);
}

/// The number of objects that were allocated.
pub fn allocations() -> usize {
    OBJECTS.with_borrow(Vec::len)
}

fn new(bytes: u64) -> u64 {
    let words = vec![0; bytes.div_ceil(8).max(1) as usize].into_boxed_slice();
    OBJECTS.with_borrow_mut(|objects| {
        objects.push(Object { words, is_freed: false });
        objects[objects.len() - 1].address()
    })
}

extern "C" fn collected(_: *mut Context, _: u64, bytes: u64) -> u64 {
    new(bytes)
}

extern "C" fn plain(_: *mut Context, bytes: u64, _: u64) -> u64 {
    new(bytes)
}

extern "C" fn free(_: *mut Context, address: u64, bytes: u64, _: u64) {
    OBJECTS.with_borrow_mut(|objects| {
        let object = objects.iter_mut().find(|object| object.address() == address);
        let object = object.expect("what is given back was allocated");
        assert!(
            !object.is_freed && object.bytes() == bytes.next_multiple_of(8),
            "given back twice or in part"
        );
        object.is_freed = true;
    });
}

extern "C" fn barrier(_: *mut Context, _: u64) {}

/// See the module.
#[derive(Default)]
pub struct Canonical {
    numbers: HashMap<u64, u64>,
    met: Vec<u64>,
}

impl Canonical {
    /// A word with an address in an object replaced.
    pub fn word(&mut self, word: u64) -> u64 {
        let found = OBJECTS.with_borrow(|objects| {
            let is_in = |object: &&Object| word.wrapping_sub(object.address()) < object.bytes();
            objects.iter().filter(|object| !object.is_freed).find(is_in).map(Object::address)
        });
        let Some(address) = found else { return word };
        let next = self.numbers.len() as u64;
        let number = *self.numbers.entry(address).or_insert_with(|| {
            self.met.push(address);
            next
        });
        0xa11c << 48 | number << 16 | (word - address)
    }

    /// Words with addresses in objects replaced.
    pub fn words(&mut self, words: &[u64]) -> Vec<u64> {
        words.iter().map(|&word| self.word(word)).collect()
    }

    /// What all objects hold that can be reached from what was met.
    pub fn objects(&mut self) -> Vec<Vec<u64>> {
        let mut contents = Vec::new();
        while let Some(&address) = self.met.get(contents.len()) {
            let words = OBJECTS.with_borrow(|objects| {
                let object = objects.iter().find(|object| object.address() == address);
                object.expect("an object that was met").words.to_vec()
            });
            let words = self.words(&words);
            contents.push(words);
        }
        contents
    }
}
