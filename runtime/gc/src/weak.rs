//! References that keep nothing alive: [`Weak`], and [`WeakMap`], whose entries live as long as their keys.

use std::cell::Cell;
use std::fmt;
use std::ptr::NonNull;

use crate::Tracer;
use crate::array::Array;
use crate::cell::GcCell;
use crate::gc::{Gc, HeapFull};
use crate::heap::with_current;
use crate::mark::HEADER;
use crate::types::{Kind, MAGIC, Shape, Trace, TypeInfo, trace_as};

/// A reference that does not keep its object alive, and knows when it is dead.
///
/// It is a reference to a small object itself: copies of it are cleared together.
#[repr(transparent)]
pub struct Weak<T> {
    cell: Gc<WeakCell<T>>,
}

/// The address of the object, or 0.
#[repr(C)]
struct WeakCell<T> {
    target: Cell<Option<Gc<T>>>,
}

impl<T: Trace> Weak<T> {
    const INFO: &'static TypeInfo = &TypeInfo {
        magic: MAGIC,
        kind: Kind::Weak,
        trace: trace_as::<()>,
        bytes: 8,
        name: std::any::type_name::<Weak<T>>,
    };

    /// A weak reference to an object.
    ///
    /// # Panics
    /// If the heap's limit is reached, or no heap is current.
    pub fn new(target: Gc<T>) -> Weak<T> {
        Weak::try_new(target).unwrap_or_else(|full| full.panic())
    }

    /// A weak reference to an object.
    ///
    /// # Errors
    /// If the heap's limit is reached.
    ///
    /// # Panics
    /// If no heap is current.
    pub fn try_new(target: Gc<T>) -> Result<Weak<T>, HeapFull> {
        let value = WeakCell { target: Cell::new(Some(target)) };
        // SAFETY: the descriptor is for a weak cell.
        unsafe { make(Self::INFO, value) }.map(|cell| Weak { cell })
    }

    /// The object, if it lives.
    pub fn get(self) -> Option<Gc<T>> {
        self.cell.as_ref().target.get()
    }
}

impl<T> Weak<T> {
    /// The address of what is cleared, as a word.
    #[doc(hidden)]
    pub fn to_bits(self) -> u64 {
        self.cell.to_bits()
    }

    /// A reference from [`Weak::to_bits`].
    ///
    /// # Safety
    /// The bits come from a reference of this type that the collector saw since.
    #[doc(hidden)]
    pub unsafe fn from_bits(bits: u64) -> Weak<T> {
        // SAFETY: the caller vouches for it.
        Weak { cell: unsafe { Gc::from_bits(bits) } }
    }
}

/// An object with a descriptor of its own.
///
/// # Safety
/// The descriptor is for a `V` that holds references or is to be scanned.
unsafe fn make<V>(info: &'static TypeInfo, value: V) -> Result<Gc<V>, HeapFull> {
    let cell = with_current("allocate", |state| state.allocate_bytes(size_of::<V>(), false, false));
    let Some(cell) = cell else { return Err(HeapFull::of(size_of::<V>())) };
    // SAFETY: the cell is fresh, with room for header and value.
    unsafe {
        (cell as *mut &'static TypeInfo).write(info);
        let target = (cell + HEADER) as *mut V;
        target.write(value);
        Ok(Gc::from_target(NonNull::new_unchecked(target)))
    }
}

impl<T> Clone for Weak<T> {
    fn clone(&self) -> Weak<T> {
        *self
    }
}

impl<T> Copy for Weak<T> {}

impl<T> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weak({:#x})", self.cell.address())
    }
}

// SAFETY: the reference to the cell is visited; what the cell refers to is not, on purpose.
unsafe impl<T> Trace for Weak<T> {
    const SHAPE: Shape = Shape::WORD;
    const NON_ZERO_WORD: bool = true;

    fn trace(&self, tracer: &mut Tracer) {
        self.cell.trace(tracer);
    }
}

/// An entry of a weak map: a key that is cleared when it dies, and a value that lives as long as the key and the entry do.
///
/// The first word must be the key: the collector knows.
#[repr(C)]
struct Ephemeron<K, V> {
    key: Cell<Option<Gc<K>>>,
    value: GcCell<V>,
}

impl<K: Trace, V: Trace + Copy> Ephemeron<K, V> {
    const INFO: &'static TypeInfo = &TypeInfo {
        magic: MAGIC,
        kind: Kind::Ephemeron,
        trace: trace_as::<GcCell<V>>,
        bytes: size_of::<Self>(),
        name: std::any::type_name::<WeakMap<K, V>>,
    };
}

/// A slot of a table: empty, or an entry, perhaps one whose key is dead.
type Slot<K, V> = GcCell<Option<Gc<Ephemeron<K, V>>>>;

/// A map from objects, by identity, to values. It does not keep its keys alive, not even if values refer to them; an entry
/// goes when its key dies.
///
/// Objects do not move, so that addresses serve as hashes.
pub struct WeakMap<K, V> {
    slots: GcCell<Option<Gc<Array<Slot<K, V>>>>>,
    /// Slots that are not empty.
    taken: Cell<usize>,
}

impl<K: Trace, V: Trace + Copy> WeakMap<K, V> {
    /// An empty map.
    pub const fn new() -> WeakMap<K, V> {
        WeakMap { slots: GcCell::new(None), taken: Cell::new(0) }
    }

    /// The value of a key.
    pub fn get(&self, key: Gc<K>) -> Option<V> {
        self.entry(key).map(|entry| entry.as_ref().value.get())
    }

    /// Sets the value of a key, and returns the one before.
    ///
    /// # Panics
    /// If the heap's limit is reached.
    pub fn insert(&self, key: Gc<K>, value: V) -> Option<V> {
        self.try_insert(key, value).unwrap_or_else(|full| full.panic())
    }

    /// Sets the value of a key, and returns the one before.
    ///
    /// # Errors
    /// If the heap's limit is reached; the map is as it was.
    pub fn try_insert(&self, key: Gc<K>, value: V) -> Result<Option<V>, HeapFull> {
        if let Some(entry) = self.entry(key) {
            return Ok(Some(entry.as_ref().value.replace(value)));
        }
        let capacity = self.slots.get().map_or(0, |slots| slots.len());
        if (self.taken.get() + 1) * 4 > capacity * 3 {
            self.rebuild()?;
        }
        let new = Ephemeron { key: Cell::new(Some(key)), value: GcCell::new(value) };
        // SAFETY: the descriptor is for an ephemeron.
        let entry = unsafe { make(Ephemeron::<K, V>::INFO, new) }?;
        self.add(entry, key);
        Ok(None)
    }

    /// Takes a key out, and returns its value.
    pub fn remove(&self, key: Gc<K>) -> Option<V> {
        let entry = self.entry(key)?;
        entry.as_ref().key.set(None);
        Some(entry.as_ref().value.get())
    }

    /// Number of entries whose key lives; takes time proportional to the map's size.
    pub fn len(&self) -> usize {
        self.living().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.living().next().is_none()
    }

    fn living(&self) -> impl Iterator<Item = (Gc<Ephemeron<K, V>>, Gc<K>)> {
        let slots = self.slots.get();
        let length = slots.map_or(0, |slots| slots.len());
        (0..length).filter_map(move |index| {
            let entry = slots?[index].get()?;
            Some((entry, entry.as_ref().key.get()?))
        })
    }

    fn entry(&self, key: Gc<K>) -> Option<Gc<Ephemeron<K, V>>> {
        let slots = self.slots.get()?.as_ref();
        let mut index = hash(key) & (slots.len() - 1);
        loop {
            let entry = slots[index].get()?;
            if entry.as_ref().key.get().is_some_and(|found| found.ptr_eq(key)) {
                return Some(entry);
            }
            index = (index + 1) & (slots.len() - 1);
        }
    }

    /// Puts an entry into an empty slot, of which there is one.
    fn add(&self, entry: Gc<Ephemeron<K, V>>, key: Gc<K>) {
        let Some(slots) = self.slots.get() else { unreachable!("a map with entries has slots") };
        let mut index = hash(key) & (slots.len() - 1);
        while slots[index].get().is_some() {
            index = (index + 1) & (slots.len() - 1);
        }
        slots[index].set(Some(entry));
        self.taken.set(self.taken.get() + 1);
    }

    /// Makes room, and forgets the entries whose keys are dead.
    fn rebuild(&self) -> Result<(), HeapFull> {
        let capacity = ((self.len() + 1) * 2).next_power_of_two().max(8);
        let slots = Array::try_from_fn(capacity, |_| GcCell::new(None))?;
        let before = self.slots.replace(Some(slots));
        self.taken.set(0);
        for slot in before.iter().flat_map(|slots| slots.iter()) {
            if let Some(entry) = slot.get()
                && let Some(key) = entry.as_ref().key.get()
            {
                self.add(entry, key);
            }
        }
        Ok(())
    }
}

fn hash<K>(key: Gc<K>) -> usize {
    ((key.to_bits() >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
}

impl<K: Trace, V: Trace + Copy> Default for WeakMap<K, V> {
    fn default() -> WeakMap<K, V> {
        WeakMap::new()
    }
}

// SAFETY: the reference to the slots is visited.
unsafe impl<K, V> Trace for WeakMap<K, V> {
    const SHAPE: Shape = Shape::NONE.with(std::mem::offset_of!(Self, slots), Shape::WORD);

    fn trace(&self, tracer: &mut Tracer) {
        self.slots.trace(tracer);
    }
}
