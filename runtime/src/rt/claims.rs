//! Which implementation is behind a vtable or a function pointer.
//!
//! Generated glue *claims* an address for each implementation that jitcode can stand for; dispatchers in jitcode ask for the
//! claim that an address belongs to. Addresses are no identities: rustc may give one type several vtables, a function
//! several copies, and two functions one address. So what is compared of a vtable are size, alignment and the entry of
//! the method that is called, and functions by their names too where addresses differ: where these are equal, the
//! call does the same. What more than one claimed belongs to none.
//!
//! Which entry is the method's nobody says. It is one of those in which every claimed table has the method of the
//! claiming type; all of them are compared.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::symbols::is_same_function;

/// One implementation.
struct Claim {
    number: usize,
    address: u64,
    /// Of a vtable: size and alignment. Else zeros.
    layout: (usize, usize),
    /// The functions in the vtable; or the function.
    entries: Vec<u64>,
}

/// The claims of a method of a trait object's, or of a function pointer's type.
#[derive(Default)]
struct Claims {
    all: Vec<Claim>,
    /// The entries that may be the method's.
    slots: Option<Vec<usize>>,
}

/// By the type's spelling.
static CLAIMS: LazyLock<Mutex<HashMap<String, Claims>>> = LazyLock::new(Mutex::default);

/// Words of a vtable before its methods: drop glue, size, alignment.
const HEAD: usize = 3;

impl Claims {
    /// Adds a claim of `method`.
    fn claim(&mut self, claim: Claim, method: u64) {
        let known =
            self.all.iter().any(|other| (other.number, other.address) == (claim.number, claim.address));
        if known {
            return;
        }
        let fits = |&n: &usize| claim.entries.get(n).is_some_and(|&entry| is_same_function(entry, method));
        let slots = self.slots.take().unwrap_or_else(|| (0..claim.entries.len()).collect());
        self.slots = Some(slots.into_iter().filter(fits).collect());
        self.all.push(claim);
    }

    /// The address of the only claim for these entries; 0 if there is not exactly one.
    fn find(&self, address: u64, layout: (usize, usize), entries: &[u64]) -> u64 {
        let slots = self.slots.as_deref().unwrap_or_default();
        let fits = |claim: &&Claim| match slots {
            [] => claim.address == address,
            _ => {
                claim.layout == layout
                    && slots.iter().all(|&n| is_same_function(claim.entries[n], entries[n]))
            }
        };
        let mut fitting = self.all.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => only.address,
            _ => 0,
        }
    }
}

fn with<R>(key: &str, f: impl FnOnce(&mut Claims) -> R) -> R {
    let mut claims = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner);
    match claims.get_mut(key) {
        Some(found) => f(found),
        None => f(claims.entry(key.to_string()).or_default()),
    }
}

/// Size and alignment, and the first `methods` entries, of a vtable.
///
/// # Safety
/// The address must be that of a vtable with at least so many entries.
unsafe fn content(address: u64, methods: usize) -> ((usize, usize), Vec<u64>) {
    let table = address as usize as *const usize;
    let word = |n: usize| {
        // SAFETY: the caller vouches for the table. Its words are initialised: rustc fills entries that cannot be called too.
        unsafe { table.add(n).read() }
    };
    ((word(1), word(2)), (0..methods).map(|n| word(HEAD + n) as u64).collect())
}

/// Claims the vtable at `address` for implementation `number` of those of the trait object and method `key`: the
/// address. The table is of the type `T`, whose method is the function `method`, and has at least `methods` entries.
pub fn claim_vtable<T>(key: &str, number: usize, methods: usize, address: u64, method: usize) -> u64 {
    // SAFETY: the glue found the address in a trait object.
    let (layout, entries) = unsafe { content(address, methods) };
    // Were vtables laid out in another way, only their addresses could be compared.
    let is_known = layout == (size_of::<T>(), align_of::<T>());
    let entries = if is_known { entries } else { vec![] };
    with(key, |claims| claims.claim(Claim { number, address, layout, entries }, method as u64));
    address
}

/// The address that was claimed for what the vtable at `address` is of; 0 if there is not exactly one. `methods` is that
/// of the claims.
pub fn known_vtable(key: &str, methods: usize, address: usize) -> usize {
    // SAFETY: the address comes from a trait object of this type.
    let (layout, entries) = unsafe { content(address as u64, methods) };
    with(key, |claims| claims.find(address as u64, layout, &entries) as usize)
}

/// Claims the address of a function for number `number` of those that a pointer of type `key` may point to: the address.
pub fn claim_function(key: &str, number: usize, address: u64) -> u64 {
    let claim = Claim { number, address, layout: (0, 0), entries: vec![address] };
    with(key, |claims| claims.claim(claim, address));
    address
}

/// The address that was claimed for the function at `address`; 0 if there is not exactly one.
pub fn known_function(key: &str, address: usize) -> usize {
    with(key, |claims| claims.find(address as u64, (0, 0), &[address as u64]) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    trait Shape {
        fn name(&self) -> String {
            "shape".to_string()
        }
        fn area(&self) -> u32;
    }
    struct Square(u32);
    struct Line(u32);
    impl Shape for Square {
        fn area(&self) -> u32 {
            self.0 * self.0
        }
    }
    impl Shape for Line {
        fn area(&self) -> u32 {
            self.0 - self.0
        }
        fn name(&self) -> String {
            "line".to_string()
        }
    }

    fn table(shape: &dyn Shape) -> u64 {
        // SAFETY: a reference to a trait object is two words, the second of which is its table's address.
        unsafe { std::mem::transmute::<&dyn Shape, [u64; 2]>(shape)[1] }
    }

    #[test]
    fn copies_of_a_table_are_one_claim() {
        let (square, line) = (table(&Square(3)), table(&Line(3)));
        assert_eq!((Square(3).area(), Line(3).name().as_str()), (9, "line"));
        let area = <Square as Shape>::area as fn(&Square) -> u32 as usize;
        for _ in 0..2 {
            claim_vtable::<Square>("Shape::area", 0, 2, square, area);
        }
        let area = <Line as Shape>::area as fn(&Line) -> u32 as usize;
        claim_vtable::<Line>("Shape::area", 1, 2, line, area);
        let copy = |table: u64| {
            // SAFETY: the table has its head and two methods.
            let ((size, align), entries) = unsafe { content(table, 2) };
            [0, size as u64, align as u64, 7, entries[1]]
        };
        let copies = (copy(square), copy(line));
        assert_eq!(known_vtable("Shape::area", 2, copies.0.as_ptr() as usize), square as usize);
        assert_eq!(known_vtable("Shape::area", 2, copies.1.as_ptr() as usize), line as usize);
        assert_eq!(known_vtable("Shape::area", 2, [0; 5].as_ptr() as usize), 0);
        assert_eq!(known_vtable("Shape::name", 2, line as usize), 0);
    }

    #[test]
    fn what_two_claimed_belongs_to_none() {
        claim_function("fn()", 0, 16);
        claim_function("fn()", 1, 32);
        claim_function("fn()", 2, 32);
        assert_eq!(known_function("fn()", 16), 16);
        assert_eq!(known_function("fn()", 32), 0);
        assert_eq!(known_function("fn()", 48), 0);
    }
}
