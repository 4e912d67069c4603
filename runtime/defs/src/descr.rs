//! Descriptors: what a memory access touches, what a call does.

use crate::Kind;

crate::entity! {
    /// An access descriptor of a program.
    AccessId = "a"
}
crate::entity! {
    /// A call descriptor of a program.
    CallId = "call"
}
crate::entity! {
    /// A class of memory locations: accesses of different classes do not overlap, unless one is wild.
    ClassId = "class"
}

/// A number that may be known only when the binary starts, because only rustc knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoadTime {
    /// Known at translation.
    Literal(u64),
    /// The value number `.0` that the glue tells at start-up.
    Glue(u32),
}

impl LoadTime {
    /// The number.
    ///
    /// # Panics
    /// If the program was not [resolved](crate::Program::resolve).
    pub fn get(self) -> u64 {
        match self {
            LoadTime::Literal(value) => value,
            LoadTime::Glue(n) => panic!("load-time value {n} used before the program was resolved"),
        }
    }
}

/// How a scalar stands in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Scalar {
    /// One byte, zero-extended when read.
    U8,
    /// One byte, sign-extended when read.
    I8,
    /// Two bytes, zero-extended when read.
    U16,
    /// Two bytes, sign-extended when read.
    I16,
    /// Four bytes, zero-extended when read; also `f32`, `char`.
    U32,
    /// Four bytes, sign-extended when read.
    I32,
    /// Eight bytes: integers, addresses.
    Word,
    /// Eight bytes: `f64`.
    Float,
}

impl Scalar {
    /// Every scalar, in the order of its number.
    pub const ALL: &'static [Scalar] = &[
        Scalar::U8,
        Scalar::I8,
        Scalar::U16,
        Scalar::I16,
        Scalar::U32,
        Scalar::I32,
        Scalar::Word,
        Scalar::Float,
    ];

    /// Its kind in registers.
    pub const fn kind(self) -> Kind {
        match self {
            Scalar::Float => Kind::Float,
            _ => Kind::Word,
        }
    }

    /// Its size in memory, in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Scalar::U8 | Scalar::I8 => 1,
            Scalar::U16 | Scalar::I16 => 2,
            Scalar::U32 | Scalar::I32 => 4,
            Scalar::Word | Scalar::Float => 8,
        }
    }

    /// Its name in text forms.
    pub const fn name(self) -> &'static str {
        match self {
            Scalar::U8 => "u8",
            Scalar::I8 => "i8",
            Scalar::U16 => "u16",
            Scalar::I16 => "i16",
            Scalar::U32 => "u32",
            Scalar::I32 => "i32",
            Scalar::Word => "word",
            Scalar::Float => "float",
        }
    }

    /// Reads the scalar at `address`, canonical as [`Kind`] says; a float as its bits.
    ///
    /// # Safety
    /// `address` must be valid for reads of [`Scalar::bytes`].
    pub unsafe fn read(self, address: u64) -> u64 {
        let p = address as usize;
        // SAFETY: the caller vouches for the address; unaligned reads are used, so alignment does not matter.
        unsafe {
            match self {
                Scalar::U8 => (p as *const u8).read() as u64,
                Scalar::I8 => (p as *const i8).read() as u64,
                Scalar::U16 => (p as *const u16).read_unaligned() as u64,
                Scalar::I16 => (p as *const i16).read_unaligned() as u64,
                Scalar::U32 => (p as *const u32).read_unaligned() as u64,
                Scalar::I32 => (p as *const i32).read_unaligned() as u64,
                Scalar::Word | Scalar::Float => (p as *const u64).read_unaligned(),
            }
        }
    }

    /// Writes the low bits of `value` to `address`.
    ///
    /// # Safety
    /// `address` must be valid for writes of [`Scalar::bytes`].
    pub unsafe fn write(self, address: u64, value: u64) {
        let p = address as usize;
        // SAFETY: the caller vouches for the address; unaligned writes are used, so alignment does not matter.
        unsafe {
            match self.bytes() {
                1 => (p as *mut u8).write(value as u8),
                2 => (p as *mut u16).write_unaligned(value as u16),
                4 => (p as *mut u32).write_unaligned(value as u32),
                _ => (p as *mut u64).write_unaligned(value),
            }
        }
    }
}

/// Declares the flags of a small bit set, and their names in text forms.
/// A set of flags of a descriptor.
pub type Flags = u16;

macro_rules! flags {
    ($($(#[$doc:meta])* $flag:ident = $name:ident = $bit:literal;)*) => {
        $($(#[$doc])* pub const $flag: $crate::descr::Flags = $bit;)*
        /// Every flag with its name in text forms.
        pub const NAMES: &[($crate::descr::Flags, &str)] = &[$(($flag, stringify!($name))),*];
    };
}

/// How far an access may reach beyond its own class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reach {
    /// It touches locations of its class only.
    Class,
    /// Through a `&T` or `&mut T` of unknown origin: any class with the same leaf type.
    Leaf,
    /// Through a raw pointer of unknown origin: everything.
    Anything,
}

impl Reach {
    /// Every reach, in the order of its number.
    pub const ALL: &'static [Reach] = &[Reach::Class, Reach::Leaf, Reach::Anything];

    /// Its name in text forms.
    pub const fn name(self) -> &'static str {
        match self {
            Reach::Class => "class",
            Reach::Leaf => "leaf",
            Reach::Anything => "anything",
        }
    }
}

/// Flags of an access, a small bit set.
pub mod access_flag {
    flags! {
        /// The location lies in an `UnsafeCell`, or in a foreign type not known to be free of one: a read is never frozen.
        INTERIOR_MUT = interior_mut = 1;
        /// From a frozen base, the pointer read (or the interior address) is frozen too.
        KEEPS_FROZEN = keeps_frozen = 2;
        /// The pointer read (or the interior address) is frozen whatever the base is.
        FREEZES = freezes = 4;
        /// The word is a length or a capacity: at most `isize::MAX`.
        LENGTH = length = 8;
    }
}

/// A field or element access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The symbolic name, such as `Point.x` or `[u8]`.
    pub name: String,
    /// Bytes from the base (of the element, if there is a stride) to the scalar.
    pub offset: LoadTime,
    /// Bytes from one element to the next; `None` for a field.
    pub stride: Option<LoadTime>,
    /// How the scalar stands in memory. Without meaning where only the address is taken.
    pub scalar: Scalar,
    /// The alias class.
    pub class: ClassId,
    /// How far it may reach beyond its class.
    pub reach: Reach,
    /// See [`access_flag`].
    pub flags: Flags,
}

impl Access {
    /// The address of the scalar: for a field, `index` is ignored.
    ///
    /// # Panics
    /// If the program was not resolved.
    pub fn address(&self, base: u64, index: u64) -> u64 {
        let scaled = self.stride.map_or(0, |stride| stride.get().wrapping_mul(index));
        base.wrapping_add(scaled).wrapping_add(self.offset.get())
    }
}

/// An alias class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The symbolic name: the field, `[T]` for elements, `*T` for wild accesses.
    pub name: String,
    /// A number for the Rust scalar type that stands there; equal numbers may be reached by one `&mut T`.
    pub leaf: u32,
}

/// A set of alias classes that a call may read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassSet {
    /// Every class.
    All,
    /// These, ascending.
    Some(Vec<ClassId>),
}

impl ClassSet {
    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        matches!(self, ClassSet::Some(classes) if classes.is_empty())
    }

    /// Whether a location that `access` touches may be in the set.
    pub fn touches(&self, access: &Access, classes: &[Class]) -> bool {
        match (self, access.reach) {
            (ClassSet::All, _) => true,
            (ClassSet::Some(set), Reach::Anything) => !set.is_empty(),
            (ClassSet::Some(set), Reach::Class) => set.binary_search(&access.class).is_ok(),
            (ClassSet::Some(set), Reach::Leaf) => {
                let leaf = classes[access.class.index()].leaf;
                set.iter().any(|c| classes[c.index()].leaf == leaf)
            }
        }
    }
}

/// Whether two accesses may touch the same location, by their descriptors alone.
pub fn may_alias(a: &Access, b: &Access, classes: &[Class]) -> bool {
    match (a.reach, b.reach) {
        (Reach::Anything, _) | (_, Reach::Anything) => true,
        (Reach::Class, Reach::Class) => a.class == b.class,
        _ => classes[a.class.index()].leaf == classes[b.class.index()].leaf,
    }
}

/// Flags of a call, a small bit set.
pub mod call_flag {
    flags! {
        /// The call may panic, or leave something else pending: a `guard_not_pending` follows it.
        CAN_PANIC = can_panic = 1;
        /// The results depend on the arguments alone, and there is no effect.
        ELIDABLE = elidable = 2;
        /// The results are the same whenever called within one run of a loop.
        LOOP_INVARIANT = loop_invariant = 4;
        /// The call may allocate and so collect.
        CAN_COLLECT = can_collect = 8;
        /// The call does not return.
        NEVER_RETURNS = never_returns = 16;
        /// If the first argument is frozen, the results depend on the arguments alone: what is read cannot change.
        FROZEN_FOLDS = frozen_folds = 32;
        /// The result is an address inside what the first argument points to, and as frozen as that.
        INTERIOR = interior = 64;
        /// Compiled code does not call it.
        NOT_IN_TRACE = not_in_trace = 128;
        /// If the first argument is 0, nothing happens. There is no result.
        CONDITIONAL = conditional = 256;
    }
}

/// A call of native code.
///
/// The shim is `extern "C" fn(context, arguments…) -> u64`: every argument is a word (floats as their bits); the first
/// result comes back in the register, the others in the context's result area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallDescr {
    /// The path of the callee.
    pub name: String,
    /// Which of the glue's shims.
    pub shim: u32,
    /// The kinds of the arguments.
    pub args: Vec<Kind>,
    /// The kinds of the results.
    pub results: Vec<Kind>,
    /// What it may read.
    pub reads: ClassSet,
    /// What it may write.
    pub writes: ClassSet,
    /// See [`call_flag`].
    pub flags: Flags,
}

impl CallDescr {
    /// The most arguments a call may have.
    pub const MAX_ARGS: usize = 24;
    /// The most results a call may have.
    pub const MAX_RESULTS: usize = 16;

    /// Whether all of `flags` are set.
    pub fn has(&self, flags: Flags) -> bool {
        self.flags & flags == flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(class: u32, reach: Reach) -> Access {
        Access {
            name: String::new(),
            offset: LoadTime::Literal(4),
            stride: Some(LoadTime::Literal(8)),
            scalar: Scalar::U8,
            class: ClassId(class),
            reach,
            flags: 0,
        }
    }

    #[test]
    fn aliasing() {
        let class = |leaf| Class { name: String::new(), leaf };
        let classes = [class(0), class(0), class(1)];
        let check = |a, ra, b, rb| may_alias(&access(a, ra), &access(b, rb), &classes);
        assert!(!check(0, Reach::Class, 1, Reach::Class));
        assert!(check(0, Reach::Leaf, 1, Reach::Class));
        assert!(!check(0, Reach::Leaf, 2, Reach::Class));
        assert!(check(0, Reach::Anything, 2, Reach::Class));
        let set = ClassSet::Some(vec![ClassId(1)]);
        assert!(set.touches(&access(0, Reach::Leaf), &classes));
        assert!(!set.touches(&access(0, Reach::Class), &classes));
    }

    #[test]
    fn scalars_are_canonical() {
        let mut cell = 0u64;
        let address = &raw mut cell as u64;
        for (scalar, expected) in
            [(Scalar::I8, u64::MAX), (Scalar::U8, 255), (Scalar::I32, 255), (Scalar::U16, 255)]
        {
            // SAFETY: `cell` is 8 writable bytes.
            let back = unsafe {
                Scalar::Word.write(address, 0);
                scalar.write(address, 255);
                scalar.read(address)
            };
            assert_eq!(back, expected, "{}", scalar.name());
        }
        assert_eq!(access(0, Reach::Class).address(100, 2), 120);
    }
}
