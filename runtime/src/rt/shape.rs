//! How an enum lies in memory whose layout Rust does not define: found out at start-up, or not at all.
//!
//! In: an [`EnumProbe`], which makes values of every variant, tells the variant of a value and the addresses of its
//! fields. Out: an [`EnumShape`], whose [`how`](EnumShape::how) is [`CALLS`](EnumShape::CALLS) unless one encoding, and
//! only one, explains every byte that rustc wrote, and rustc reads back every value that is written by it.
//!
//! The encodings are those of rustc: a tag of its own that holds the variant's index, or a *niche*, values that a scalar of
//! one variant's payload never has. Samples are written over three different backgrounds, so that padding is seen to vary.
//!
//! Of a tag, how many bytes it has cannot be told from what was written if the rest is 0. It is read as one byte, which
//! holds the index whatever its size, and written with as many bytes as hold the index in every sample, which are at least
//! its own.
//!
//! Samples are never dropped; what they refer to is leaked, once per program.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::mem::{MaybeUninit, size_of};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

/// How an enum lies in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnumShape {
    /// One of the constants of this type.
    pub how: u64,
    /// Of a tag: its offset in bytes.
    pub tag_offset: u64,
    /// Of a tag: how many bytes are written.
    pub tag_bytes: u64,
    /// Of a niche: which of the probe's leaves it is in.
    pub leaf: u64,
    /// Of a niche: the value, as the leaf's scalar is read, for [`EnumShape::first`].
    pub start: u64,
    /// Of a niche: how many values from `start` on stand for variants, one after the other.
    pub count: u64,
    /// Of a niche: the first variant that a value stands for.
    pub first: u64,
    /// The variant without a value of its own; the only one that there is.
    pub only: u64,
    fields: Vec<Vec<u64>>,
}

impl EnumShape {
    /// Not known: reads and writes are calls.
    pub const CALLS: u64 = 0;
    /// A tag that holds the variant's index.
    pub const TAG: u64 = 1;
    /// Values in a scalar of a variant's payload.
    pub const NICHE: u64 = 2;
    /// There are values of one variant only, and nothing says which.
    pub const ONLY: u64 = 3;

    /// The offset of a field of a variant, in bytes; 0 of variants without values.
    pub fn field(&self, variant: usize, field: usize) -> u64 {
        self.fields.get(variant).and_then(|fields| fields.get(field)).copied().unwrap_or(0)
    }
}

/// A scalar in a variant's payload that may have values to spare.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// The variant.
    pub variant: usize,
    /// The field of the variant that it is in.
    pub field: usize,
    /// Its offset in the field, in bytes.
    pub offset: u64,
    /// Its size in bytes: 1, 2, 4 or 8.
    pub bytes: usize,
    /// How many bytes are written: of a tag, as many as it may have.
    pub written: usize,
    /// Whether it is read with its sign.
    pub signed: bool,
    /// The least and the greatest value, as a number with that sign, that it may have in its own right.
    pub valid: (i128, i128),
    /// Whether it is where it is said to be.
    pub exists: bool,
}

/// Whether a sample was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was written.
    Yes,
    /// There are no values of the type or variant.
    Uninhabited,
    /// There are, but none is known.
    Unknown,
}

/// What is asked of an enum.
pub struct EnumProbe<'a, E> {
    /// How many variants it has.
    pub variants: usize,
    /// How many samples of each variant there are.
    pub samples: usize,
    /// Writes a sample of a variant.
    pub sample: &'a dyn Fn(*mut E, usize, usize) -> Made,
    /// The variant of a value.
    pub variant: &'a dyn Fn(*const E) -> usize,
    /// Appends the address and the size in bytes of each field.
    pub fields: &'a dyn Fn(*const E, &mut Vec<(usize, usize)>),
    /// The scalars that may be niches.
    pub leaves: &'a [Leaf],
}

/// A value of a variant as rustc wrote it.
struct Sample {
    variant: usize,
    bytes: Vec<u8>,
}

/// What memory held before a sample was written.
const BACKGROUNDS: [u8; 3] = [0x00, 0xff, 0xa6];

impl<E> EnumProbe<'_, E> {
    /// How the enum lies in memory.
    ///
    /// # Safety
    /// The functions must do what is said of them, for the addresses of values of `E`.
    pub unsafe fn shape(&self) -> EnumShape {
        let unknown = EnumShape::default();
        let Some(samples) = self.written() else { return unknown };
        let mut inhabited: Vec<usize> = samples.iter().map(|sample| sample.variant).collect();
        inhabited.dedup();
        let Some(fields) = self.field_offsets(&inhabited) else { return unknown };
        let mut candidates = match inhabited[..] {
            [only] => {
                let only = only as u64;
                vec![EnumShape { how: EnumShape::ONLY, only, ..EnumShape::default() }]
            }
            [] => vec![],
            _ => self.tags(&samples, &self.covered(&inhabited)),
        };
        if inhabited.len() > 1 {
            let niches = self.leaves.iter().enumerate();
            candidates
                .extend(niches.filter_map(|(n, leaf)| self.niche(n, leaf, &samples, &fields, &inhabited)));
        }
        let [candidate] = &mut candidates[..] else { return unknown };
        candidate.fields = fields;
        // The background of a sample does not matter here.
        match samples.iter().step_by(BACKGROUNDS.len()).all(|sample| self.reads_back(candidate, sample)) {
            true => candidate.clone(),
            false => unknown,
        }
    }

    /// Memory for a value, filled with a byte.
    fn memory(fill: u8) -> Box<MaybeUninit<E>> {
        let mut memory = Box::new(MaybeUninit::<E>::uninit());
        // SAFETY: the memory has that size, and any bytes may stand in it.
        unsafe { memory.as_mut_ptr().cast::<u8>().write_bytes(fill, size_of::<E>()) };
        memory
    }

    /// The bytes at a place, which the compiler knows nothing about: those between fields are whatever is there.
    fn bytes(at: *const E) -> Vec<u8> {
        let at = std::hint::black_box(at).cast::<u8>();
        // SAFETY: there is a whole value, all of whose bytes were written at least once.
        (0..size_of::<E>()).map(|n| unsafe { at.add(n).read_volatile() }).collect()
    }

    /// All samples over all backgrounds, variant by variant; `None` if a variant that has values has no sample.
    fn written(&self) -> Option<Vec<Sample>> {
        let mut out = Vec::new();
        for variant in 0..self.variants {
            for (n, fill) in (0..self.samples).flat_map(|n| BACKGROUNDS.map(|fill| (n, fill))) {
                let mut memory = Self::memory(fill);
                match (self.sample)(std::hint::black_box(memory.as_mut_ptr()), variant, n) {
                    Made::Yes => out.push(Sample { variant, bytes: Self::bytes(memory.as_ptr()) }),
                    Made::Uninhabited => {}
                    Made::Unknown => return None,
                }
            }
        }
        Some(out)
    }

    /// The offsets of the fields of each variant; `None` if they differ from value to value.
    fn field_offsets(&self, inhabited: &[usize]) -> Option<Vec<Vec<u64>>> {
        let mut out = vec![vec![]; self.variants];
        for &variant in inhabited {
            for n in 0..self.samples {
                let mut memory = Self::memory(0);
                if (self.sample)(memory.as_mut_ptr(), variant, n) != Made::Yes {
                    continue;
                }
                let offsets = self.offsets(memory.as_ptr());
                if n > 0 && offsets != out[variant] {
                    return None;
                }
                out[variant] = offsets;
            }
        }
        Some(out)
    }

    fn offsets(&self, at: *const E) -> Vec<u64> {
        let mut fields = Vec::new();
        (self.fields)(at, &mut fields);
        fields.iter().map(|(address, _)| (address - at as usize) as u64).collect()
    }

    /// Which bytes are of a field of some variant.
    fn covered(&self, inhabited: &[usize]) -> Vec<bool> {
        let mut out = vec![false; size_of::<E>()];
        for &variant in inhabited {
            let mut memory = Self::memory(0);
            let mut fields = Vec::new();
            if (self.sample)(memory.as_mut_ptr(), variant, 0) == Made::Yes {
                (self.fields)(memory.as_ptr(), &mut fields);
            }
            for (address, size) in fields {
                out[address - memory.as_ptr() as usize..][..size].fill(true);
            }
        }
        out
    }

    /// The tags that explain the samples. They are where no field is: what addresses have in common may look like a tag.
    fn tags(&self, samples: &[Sample], covered: &[bool]) -> Vec<EnumShape> {
        let holds = |offset: usize, bytes: usize| {
            !covered[offset]
                && offset.is_multiple_of(bytes)
                && offset + bytes <= size_of::<E>()
                && samples.iter().all(|s| number(&s.bytes[offset..offset + bytes]) == s.variant as u64)
        };
        if self.variants > 256 {
            return vec![];
        }
        let found = (0..size_of::<E>()).filter(|&offset| holds(offset, 1)).map(|offset| {
            let bytes = [8, 4, 2, 1].into_iter().find(|&bytes| holds(offset, bytes)).unwrap_or(1);
            let (tag_offset, tag_bytes) = (offset as u64, bytes as u64);
            EnumShape { how: EnumShape::TAG, tag_offset, tag_bytes, ..EnumShape::default() }
        });
        found.collect()
    }

    /// The niche in a leaf, if it explains the samples.
    fn niche(
        &self,
        index: usize,
        leaf: &Leaf,
        samples: &[Sample],
        fields: &[Vec<u64>],
        inhabited: &[usize],
    ) -> Option<EnumShape> {
        let offset = (*fields.get(leaf.variant)?.get(leaf.field)? + leaf.offset) as usize;
        let is_there = leaf.exists && inhabited.contains(&leaf.variant);
        if !is_there || offset + leaf.bytes.max(leaf.written) > size_of::<E>() {
            return None;
        }
        let value = |sample: &Sample| leaf.number(&sample.bytes[offset..offset + leaf.bytes]);
        let others = || samples.iter().filter(|sample| sample.variant != leaf.variant);
        let mut rest = inhabited.iter().copied().filter(|&variant| variant != leaf.variant);
        let first = rest.next()?;
        let last = rest.last().unwrap_or(first);
        let start = value(others().find(|sample| sample.variant == first)?);
        let explained = others().all(|s| value(s) == start + s.variant as i128 - first as i128);
        let end = start + (last - first) as i128;
        let free = end < leaf.valid.0 || leaf.valid.1 < start;
        let (least, most) = leaf.range();
        let own = samples.iter().filter(|sample| sample.variant == leaf.variant);
        let clear = own.map(value).all(|value| value < start || end < value);
        (explained && free && clear && least <= start && end <= most).then(|| EnumShape {
            how: EnumShape::NICHE,
            leaf: index as u64,
            start: start as u64,
            count: (last - first + 1) as u64,
            first: first as u64,
            only: leaf.variant as u64,
            ..EnumShape::default()
        })
    }

    /// Whether rustc reads what is written by this shape: a sample's fields, and its variant.
    fn reads_back(&self, shape: &EnumShape, sample: &Sample) -> bool {
        BACKGROUNDS.iter().all(|&fill| {
            let mut fields = Vec::new();
            let mut bytes = vec![fill; size_of::<E>()];
            let mut tag = |offset: u64, count: usize, value: u64| {
                bytes[offset as usize..][..count].copy_from_slice(&value.to_le_bytes()[..count]);
            };
            match shape.how {
                EnumShape::TAG => tag(shape.tag_offset, shape.tag_bytes as usize, sample.variant as u64),
                EnumShape::NICHE if sample.variant as u64 != shape.only => {
                    let leaf = &self.leaves[shape.leaf as usize];
                    let value = shape.start.wrapping_add(sample.variant as u64 - shape.first);
                    tag(shape.field(leaf.variant, leaf.field) + leaf.offset, leaf.written, value);
                }
                _ => {}
            }
            let mut memory = Self::memory(fill);
            let start = memory.as_mut_ptr();
            let fill_with = |bytes: &[u8]| {
                // SAFETY: the memory has that size, and any bytes may stand in it.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), start.cast(), bytes.len()) };
            };
            // Where the fields are is told of the sample itself.
            fill_with(&sample.bytes);
            (self.fields)(start, &mut fields);
            for (address, size) in fields {
                let offset = address - start as usize;
                bytes[offset..offset + size].copy_from_slice(&sample.bytes[offset..offset + size]);
            }
            fill_with(&bytes);
            (self.variant)(std::hint::black_box(start)) == sample.variant
                && self.offsets(start) == shape.fields[sample.variant]
        })
    }
}

impl Leaf {
    fn number(&self, bytes: &[u8]) -> i128 {
        let value = number(bytes);
        let unused = 64 - 8 * self.bytes as u32;
        if self.signed { i128::from(((value << unused) as i64) >> unused) } else { i128::from(value) }
    }

    fn range(&self) -> (i128, i128) {
        let bits = 8 * self.bytes as u32;
        if self.signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

/// Appends the address and the size of a field.
pub fn place<T>(field: &T, out: &mut Vec<(usize, usize)>) {
    out.push((&raw const *field as usize, size_of::<T>()));
}

/// Number `n` of some bits that are good to tell places apart.
pub fn sample_bits(n: usize) -> u64 {
    const BITS: [u64; 5] = [0, u64::MAX, 0x5a5a_5a5a_5a5a_5a5a, 1, 0x0123_4567_89ab_cdef];
    BITS.get(n).copied().unwrap_or((n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Number `n` of some characters.
pub fn sample_char(n: usize) -> char {
    ['\0', 'a', '\u{10ffff}', '\u{d7ff}', '\u{e000}'][n % 5]
}

/// Memory for a `T` that lives for ever: zeros, which need not be a `T`.
pub fn sample_memory<T>() -> *mut T {
    let layout = Layout::new::<T>();
    if layout.size() == 0 {
        return NonNull::dangling().as_ptr();
    }
    // SAFETY: the layout's size is not 0.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() {
        handle_alloc_error(layout)
    }
    memory.cast()
}

/// A function's address.
pub fn sample_function() -> *const () {
    fn function() {}
    function as fn() as *const ()
}

/// An `Rc` of memory that need not be a `T`, never to be dropped.
pub fn sample_rc<T>() -> Rc<T> {
    let memory = std::mem::ManuallyDrop::new(Rc::<MaybeUninit<T>>::new(MaybeUninit::zeroed()));
    // SAFETY: an `Rc<MaybeUninit<T>>` is a pointer to the same as an `Rc<T>`; nobody looks at the `T` nor drops it.
    unsafe { std::mem::transmute_copy(&memory) }
}

/// An empty collection.
pub fn sample_default<T: Default>() -> T {
    T::default()
}

/// An `Arc` of memory that need not be a `T`, never to be dropped.
pub fn sample_arc<T>() -> Arc<T> {
    let memory = std::mem::ManuallyDrop::new(Arc::<MaybeUninit<T>>::new(MaybeUninit::zeroed()));
    // SAFETY: as for `sample_rc`.
    unsafe { std::mem::transmute_copy(&memory) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Value {
        Nil,
        Bool(bool),
        Int(i64),
    }

    /// The shape of an enum of which `sample` makes samples, with the offset of the only field of each variant that has one.
    fn shape_of<E>(
        sample: &dyn Fn(usize, usize) -> Option<E>,
        variant: &dyn Fn(&E) -> usize,
        field: &dyn Fn(&E) -> Option<(usize, usize)>,
        variants: usize,
        leaves: &[Leaf],
    ) -> EnumShape {
        let probe = EnumProbe::<E> {
            variants,
            samples: 6,
            sample: &|out, variant, n| match sample(variant, n) {
                // SAFETY: there is room.
                Some(value) => unsafe {
                    out.write(value);
                    Made::Yes
                },
                None => Made::Uninhabited,
            },
            // SAFETY: there is a value.
            variant: &|at| variant(unsafe { &*at }),
            // SAFETY: as above.
            fields: &|at, out| out.extend(field(unsafe { &*at })),
            leaves,
        };
        // SAFETY: the functions do what they shall.
        unsafe { probe.shape() }
    }

    fn sized<T>(field: &T) -> Option<(usize, usize)> {
        let mut out = vec![];
        place(field, &mut out);
        out.pop()
    }

    fn value(variant: usize, n: usize) -> Option<Value> {
        Some([Value::Nil, Value::Bool(n % 2 == 1), Value::Int(sample_bits(n) as i64)][variant])
    }

    fn value_field(value: &Value) -> Option<(usize, usize)> {
        match value {
            Value::Nil => None,
            Value::Bool(b) => sized(b),
            Value::Int(n) => sized(n),
        }
    }

    fn leaf(variant: usize, bytes: usize, valid: (i128, i128)) -> Leaf {
        Leaf { variant, field: 0, offset: 0, bytes, written: bytes, signed: false, valid, exists: true }
    }

    #[test]
    fn what_addresses_have_in_common_is_no_tag() {
        // Every byte of the addresses is 1.
        let sample = |variant: usize, _| {
            Some(
                (variant == 1)
                    .then(|| NonNull::<u8>::without_provenance(0x0101_0101_0101_0101.try_into().unwrap())),
            )
        };
        let variant = |value: &Option<NonNull<u8>>| value.is_some() as usize;
        let field = |value: &Option<NonNull<u8>>| value.as_ref().and_then(sized);
        let shape = shape_of(&sample, &variant, &field, 2, &[leaf(1, 8, (1, u64::MAX.into()))]);
        assert_eq!((shape.how, shape.leaf, shape.start, shape.count), (EnumShape::NICHE, 0, 0, 1));
    }

    #[test]
    fn tags_are_found() {
        let variant = |value: &Value| match value {
            Value::Nil => 0,
            Value::Bool(_) => 1,
            Value::Int(_) => 2,
        };
        let shape = shape_of(&value, &variant, &value_field, 3, &[leaf(1, 1, (0, 1))]);
        assert_eq!(shape.how, EnumShape::TAG);
        // What rustc writes is read back.
        for value in [Value::Nil, Value::Bool(true), Value::Int(-5)] {
            // SAFETY: the tag is a byte in the value.
            let tag = unsafe { *(&raw const value).cast::<u8>().add(shape.tag_offset as usize) };
            assert_eq!(usize::from(tag), variant(&value));
        }
        assert_eq!(shape.field(2, 0), 8);
    }

    #[test]
    fn niches_are_found() {
        let sample = |variant: usize, n: usize| Some((variant == 1).then(|| value(n % 3, n / 3).unwrap()));
        let variant = |option: &Option<Value>| usize::from(option.is_some());
        let field = |option: &Option<Value>| option.as_ref().and_then(sized);
        let shape = shape_of(&sample, &variant, &field, 2, &[leaf(1, 1, (0, 2)), leaf(1, 8, (1, i128::MAX))]);
        let expected = (EnumShape::NICHE, 0, 1, 0, 1);
        assert_eq!((shape.how, shape.leaf, shape.count, shape.first, shape.only), expected);
        let none = None::<Value>;
        // SAFETY: the tag of a value is its first byte.
        assert_eq!(shape.start, u64::from(unsafe { *(&raw const none).cast::<u8>() }));
    }

    #[test]
    fn what_is_not_explained_is_not_known() {
        // The niche is in a place that is not tried.
        let sample = |variant: usize, n: usize| Some((variant == 1).then_some(n % 2 == 1));
        let variant = |option: &Option<bool>| usize::from(option.is_some());
        let field = |option: &Option<bool>| option.as_ref().and_then(sized);
        let shape = shape_of(&sample, &variant, &field, 2, &[]);
        assert_eq!(shape.how, EnumShape::CALLS);
        // A leaf that may have every value has none to spare.
        let shape = shape_of(&sample, &variant, &field, 2, &[leaf(1, 1, (0, 255))]);
        assert_eq!(shape.how, EnumShape::CALLS);
    }

    #[test]
    fn variants_without_values_need_no_tag() {
        let sample = |variant: usize, n: usize| {
            (variant == 0).then_some(Ok::<u64, std::convert::Infallible>(n as u64))
        };
        let field = |result: &Result<u64, _>| result.as_ref().ok().and_then(sized);
        let shape = shape_of(&sample, &|_| 0, &field, 2, &[]);
        assert_eq!((shape.how, shape.only, shape.field(0, 0)), (EnumShape::ONLY, 0, 0));
    }
}
