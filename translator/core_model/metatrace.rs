//! The model of the `metatrace` crate. Attributes and macros come from the hint table; here are the types and functions.

pub mod jit {
    #[hint]
    pub fn promote<T: Copy>(value: T) -> T {}
    #[hint]
    pub fn we_are_jitted() -> bool {}
    #[hint]
    pub fn isconstant<T: Copy>(value: T) -> bool {}
    #[hint]
    pub fn isvirtual<T: Copy>(value: T) -> bool {}
    #[hint]
    pub fn record_exact_value<T: Copy + PartialEq>(value: T, known: T) {}
    pub fn loop_unrolling_heuristic<T: Copy>(list: T, size: usize, cutoff: usize) -> bool {
        size == 0 || isvirtual(list) || isconstant(size) && size <= cutoff
    }
    pub fn conditional_call<A, F: FnOnce(A)>(condition: bool, function: F, argument: A) {
        // What is not known must not be tested.
        if !isconstant(condition) || condition {
            __call_if(condition, function, argument)
        }
    }
    pub fn conditional_call_elidable<A, R: Copy, F: FnOnce(A) -> R>(value: Option<R>, function: F, argument: A) -> R {
        if !isconstant(value) {
            return __call_unless(value, function, argument);
        }
        match value {
            Some(known) => known,
            None => __call_unless(value, function, argument),
        }
    }
    #[hint = "__call_if"]
    fn __call_if<A, F: FnOnce(A)>(condition: bool, function: F, argument: A) {}
    #[hint = "__call_unless"]
    fn __call_unless<A, R: Copy, F: FnOnce(A) -> R>(value: Option<R>, function: F, argument: A) -> R {}
    #[hint]
    pub fn assert_green<T: Copy>(value: T) {}
    #[hint]
    pub fn current_trace_length() -> isize {}
    #[hint = "merge_point"]
    #[lang = "hint_merge_point"]
    pub fn __merge_point() {}
    #[hint = "can_enter_jit"]
    #[lang = "hint_can_enter_jit"]
    pub fn __can_enter_jit() {}
}

pub mod rt {
    // What stands before the content is the runtime's own.
    pub struct TracedBox<T> {
        pub content: T,
    }
    // What stands before the content of an `Rc`. They change behind shared references.
    #[lang]
    pub struct RcCounts<T: ?Sized> {
        pub strong: usize,
        pub weak: usize,
    }
}

pub struct Apart<T>(pub T);

impl<T: Clone> Clone for Apart<T> {
    fn clone(&self) -> Apart<T> {
        Apart(self.0.clone())
    }
}
impl<T: Copy> Copy for Apart<T> {}

#[lang]
pub struct Traced<T> {
    inner: *const rt::TracedBox<T>,
}

impl<T> ::std::ops::Drop for Traced<T> {
    #[opaque]
    fn drop(&mut self) {}
}

impl<T> Traced<T> {
    #[opaque]
    pub fn new(content: T) -> Traced<T> {}
    #[opaque]
    pub fn get_mut(&mut self) -> &mut T {}
    #[opaque]
    pub fn into_inner(self) -> T {}
}

impl<T> ::std::ops::Deref for Traced<T> {
    type Target = T;
    fn deref(&self) -> &T {
        unsafe { &(*self.inner).content }
    }
}

impl<T: ::std::fmt::Debug> ::std::fmt::Debug for Traced<T> {
    #[opaque]
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {}
}

impl<T: Clone> Clone for Traced<T> {
    #[opaque]
    fn clone(&self) -> Traced<T> {}
}

impl<T: PartialEq> PartialEq for Traced<T> {
    fn eq(&self, other: &Traced<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Traced<T> {}

impl<T: Default> Default for Traced<T> {
    #[opaque]
    fn default() -> Traced<T> {}
}

impl<T> From<T> for Traced<T> {
    #[opaque]
    fn from(content: T) -> Traced<T> {}
}

// A write tells the VM whose traces rely on the value, by the link.
#[lang]
pub struct QuasiImmut<T> {
    link: ::std::cell::Cell<u64>,
    value: ::std::cell::Cell<T>,
}

impl<T: Copy> QuasiImmut<T> {
    pub const fn new(value: T) -> QuasiImmut<T> {
        QuasiImmut { link: ::std::cell::Cell::new(0), value: ::std::cell::Cell::new(value) }
    }
    pub fn get(&self) -> T {
        let value: &T = ::std::intrinsics::quasi_immutable(&self.link, &raw const self.value as *const T);
        *value
    }
    #[opaque]
    pub fn set(&self, value: T) {}
}

impl<T: Copy + Default> Default for QuasiImmut<T> {
    fn default() -> QuasiImmut<T> {
        QuasiImmut::new(T::default())
    }
}

impl<T: Copy + ::std::fmt::Debug> ::std::fmt::Debug for QuasiImmut<T> {
    #[opaque]
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {}
}

pub mod gc {
    use ::std::cell::Cell;
    use ::std::fmt::{Debug, Display, Formatter};

    #[lang = "GcTrace"]
    pub trait Trace {
        const SHAPE: Shape;
        const NON_ZERO_WORD: bool = false;
        fn trace(&self, tracer: &mut Tracer);
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Shape {
        Words(u64),
        Traced,
    }

    impl Shape {
        pub const NONE: Shape = Shape::Words(0);
        pub const WORD: Shape = Shape::Words(1);
    }

    #[opaque]
    pub struct Tracer {}

    impl Tracer {
        #[opaque]
        pub fn reference<T>(&mut self, reference: Gc<T>) {}
        #[opaque]
        pub fn word(&mut self, word: u64) {}
        #[opaque]
        pub fn rescan(&mut self) {}
    }

    // What a reference points to: here frozen memory begins, for an object's plain fields never change.
    #[lang]
    pub struct GcBox<T> {
        content: T,
    }

    // The address of an object: a reference in all but its lifetime, so that it is never null.
    #[lang]
    pub struct Gc<T> {
        target: &'static GcBox<T>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HeapFull {
        pub limit: usize,
        pub requested: usize,
    }

    impl HeapFull {
        #[opaque]
        pub fn of(requested: usize) -> HeapFull {}
        #[opaque]
        pub fn panic(self) -> ! {}
    }

    impl Display for HeapFull {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> ::std::fmt::Result {}
    }

    impl<T> ::std::clone::Clone for Gc<T> {
        fn clone(&self) -> Gc<T> {
            *self
        }
    }

    impl<T> ::std::marker::Copy for Gc<T> {}

    impl<T> Debug for Gc<T> {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> ::std::fmt::Result {}
    }

    impl<T> Gc<T> {
        pub fn new(value: T) -> Gc<T> {
            match Gc::try_new(value) {
                Ok(object) => object,
                Err(full) => full.panic(),
            }
        }
        pub fn try_new(value: T) -> Result<Gc<T>, HeapFull> {
            if ::std::mem::needs_drop::<T>() {
                Gc::try_new_native(value)
            } else {
                let object = unsafe { ::std::intrinsics::new_collected::<T>() };
                if object.is_null() {
                    Err(HeapFull::of(::std::mem::size_of::<T>()))
                } else {
                    unsafe { ::std::intrinsics::write_place(object, value) }
                    Ok(Gc { target: unsafe { &*(object as *const GcBox<T>) } })
                }
            }
        }
        #[opaque]
        pub fn try_new_native(value: T) -> Result<Gc<T>, HeapFull> {}
        #[opaque]
        pub fn on_death(self, finalizer: fn(Gc<T>)) {}
        pub fn as_ref<'a>(self) -> &'a T {
            &self.target.content
        }
        pub fn address(self) -> usize {
            self.target as *const GcBox<T> as usize
        }
        pub fn to_bits(self) -> u64 {
            self.address() as u64
        }
        pub unsafe fn from_bits(bits: u64) -> Gc<T> {
            Gc { target: unsafe { &*(bits as usize as *const GcBox<T>) } }
        }
        pub fn ptr_eq(self, other: Gc<T>) -> bool {
            self.address() == other.address()
        }
    }

    impl<T> ::std::ops::Deref for Gc<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.target.content
        }
    }

    #[opaque]
    pub fn barrier(address: *const u8) {}
    // An address that is a number gives nothing away: the call touches no memory of the interpreter.
    #[opaque]
    pub fn barrier_at(address: usize) {}

    #[lang]
    pub struct GcCell<T> {
        value: Cell<T>,
    }

    impl<T> GcCell<T> {
        pub const fn new(value: T) -> GcCell<T> {
            GcCell { value: Cell::new(value) }
        }
    }

    impl<T: Copy> GcCell<T> {
        pub fn get(&self) -> T {
            self.value.get()
        }
        pub fn set(&self, value: T) {
            self.value.set(value);
            ::std::intrinsics::reference_written(self as *const GcCell<T> as *const T, value);
        }
        pub fn replace(&self, value: T) -> T {
            let before = self.get();
            self.set(value);
            before
        }
    }

    impl<T: Copy + Default> Default for GcCell<T> {
        fn default() -> GcCell<T> {
            GcCell::new(T::default())
        }
    }

    impl<T: Copy + Debug> Debug for GcCell<T> {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> ::std::fmt::Result {}
    }

    #[opaque]
    pub struct GcRefCell<T> {}
    #[opaque]
    pub struct GcRefMut<'a, T> {}

    impl<T> GcRefCell<T> {
        #[opaque]
        pub const fn new(value: T) -> GcRefCell<T> {}
        #[opaque]
        pub fn borrow(&self) -> ::std::cell::Ref<'_, T> {}
        #[opaque]
        pub fn borrow_mut(&self) -> GcRefMut<'_, T> {}
        #[opaque]
        pub fn try_borrow(&self) -> Result<::std::cell::Ref<'_, T>, ::std::cell::BorrowError> {}
        #[opaque]
        pub fn try_borrow_mut(&self) -> Result<GcRefMut<'_, T>, ::std::cell::BorrowMutError> {}
    }

    impl<T: Default> Default for GcRefCell<T> {
        fn default() -> GcRefCell<T> {
            GcRefCell::new(T::default())
        }
    }

    impl<'a, T> ::std::ops::Deref for GcRefMut<'a, T> {
        type Target = T;
        #[opaque]
        fn deref(&self) -> &T {}
    }

    impl<'a, T> ::std::ops::DerefMut for GcRefMut<'a, T> {
        #[opaque]
        fn deref_mut(&mut self) -> &mut T {}
    }

    // A length, which never changes once there is a reference to the array, and elements behind it.
    #[lang]
    pub struct Array<T> {
        length: usize,
        elements: [T; 0],
    }

    impl<T> Array<T> {
        // Taking a closure, it is looked inside though it has a loop.
        pub fn try_from_fn<F: FnMut(usize) -> T>(
            length: usize,
            mut element: F,
        ) -> Result<Gc<Array<T>>, HeapFull> {
            let array = Array::try_begin(length)?;
            let mut index = 0;
            while index < length {
                let value = element(index);
                unsafe { Array::put(array, index, value) }
                index = index.wrapping_add(1);
            }
            Ok(array)
        }
        pub fn from_fn<F: FnMut(usize) -> T>(length: usize, element: F) -> Gc<Array<T>> {
            match Array::try_from_fn(length, element) {
                Ok(array) => array,
                Err(full) => full.panic(),
            }
        }
        #[opaque]
        pub fn try_begin(length: usize) -> Result<Gc<Array<T>>, HeapFull> {}
        #[opaque]
        pub unsafe fn put(array: Gc<Array<T>>, index: usize, value: T) {}
        #[opaque]
        pub fn try_from_slice(elements: &[T]) -> Result<Gc<Array<T>>, HeapFull> {}
        #[opaque]
        pub fn from_slice(elements: &[T]) -> Gc<Array<T>> {}
    }

    // More cells are made by native code.
    const MOST_CELLS: usize = 16;

    impl<T: Copy> Array<GcCell<T>> {
        // Few elements are written one by one, so that a trace need not make the array.
        pub fn try_cells(length: usize, value: T) -> Result<Gc<Array<GcCell<T>>>, HeapFull> {
            if ::std::intrinsics::is_constant(length) && length <= MOST_CELLS {
                let array = unsafe { ::std::intrinsics::new_collected_array::<Array<GcCell<T>>>(length) };
                if array.is_null() {
                    Err(HeapFull::of(::std::mem::size_of::<T>().wrapping_mul(length)))
                } else {
                    unsafe { Array::fill(array, length, value) }
                    Ok(Gc { target: unsafe { &*(array as *const GcBox<Array<GcCell<T>>>) } })
                }
            } else {
                Array::try_cells_native(length, value)
            }
        }
        #[opaque]
        pub fn try_cells_native(length: usize, value: T) -> Result<Gc<Array<GcCell<T>>>, HeapFull> {}
        unsafe fn fill(array: *mut Array<GcCell<T>>, length: usize, value: T) {
            let elements = unsafe { &raw mut (*array).elements as *mut GcCell<T> };
            let mut index = 0;
            while index < length {
                unsafe { put_at(elements, index, GcCell::new(value)) }
                index = index.wrapping_add(1);
            }
        }
        pub fn cells(length: usize, value: T) -> Gc<Array<GcCell<T>>> {
            match Array::try_cells(length, value) {
                Ok(array) => array,
                Err(full) => full.panic(),
            }
        }
    }

    impl<T> ::std::ops::Deref for Array<T> {
        type Target = [T];
        fn deref(&self) -> &[T] {
            unsafe {
                &*::std::intrinsics::slice_from_raw_parts(&raw const self.elements as *const T, self.length)
            }
        }
    }

    // A length and a header, which never change, and elements behind them.
    #[lang]
    pub struct Headed<H, T> {
        length: usize,
        header: H,
        elements: [T; 0],
    }

    impl<H, T> Headed<H, T> {
        #[opaque]
        pub fn try_new(header: H, elements: &[T]) -> Result<Gc<Headed<H, T>>, HeapFull> {}
        pub fn elements(&self) -> &[T] {
            unsafe {
                &*::std::intrinsics::slice_from_raw_parts(&raw const self.elements as *const T, self.length)
            }
        }
    }

    impl<H, T> ::std::ops::Deref for Headed<H, T> {
        type Target = H;
        fn deref(&self) -> &H {
            &self.header
        }
    }

    impl<T: Debug> Debug for Array<T> {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> ::std::fmt::Result {}
    }

    #[lang]
    pub struct Buffer<T> {
        length: Cell<usize>,
        elements: [GcCell<T>; 0],
    }

    #[lang]
    pub struct GcVec<T> {
        buffer: GcCell<Option<Gc<Buffer<T>>>>,
        capacity: Cell<usize>,
    }

    #[intrinsic = "write_element"]
    unsafe fn put_at<T>(pointer: *mut T, index: usize, value: T) {}

    impl<T: Copy> GcVec<T> {
        pub const fn new() -> GcVec<T> {
            GcVec { buffer: GcCell::new(None), capacity: Cell::new(0) }
        }
        pub fn len(&self) -> usize {
            match self.buffer.get() {
                Some(buffer) => buffer.length.get(),
                None => 0,
            }
        }
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }
        pub fn get(&self, index: usize) -> Option<T> {
            match self.buffer.get() {
                Some(buffer) if index < buffer.length.get() => Some(cells(buffer)[index].get()),
                _ => None,
            }
        }
        pub fn set(&self, index: usize, value: T) {
            match self.buffer.get() {
                Some(buffer) => cells(buffer)[index].set(value),
                None => {
                    let empty: &[GcCell<T>] = &[];
                    empty[index].set(value)
                }
            }
        }
        pub fn try_push(&self, value: T) -> Result<(), HeapFull> {
            if self.len() == self.capacity.get() {
                self.try_grow()?;
            }
            if let Some(buffer) = self.buffer.get() {
                let length = buffer.length.get();
                let elements = &raw const buffer.elements as *const GcCell<T> as *mut GcCell<T>;
                unsafe { put_at(elements, length, GcCell::new(value)) }
                buffer.length.set(length.wrapping_add(1));
                let place = unsafe { ::std::intrinsics::ptr_offset(elements as *const GcCell<T>, length) };
                ::std::intrinsics::reference_written(place as *const T, value);
            }
            Ok(())
        }
        pub fn push(&self, value: T) {
            if let Err(full) = self.try_push(value) {
                full.panic()
            }
        }
        pub fn pop(&self) -> Option<T> {
            match self.buffer.get() {
                Some(buffer) if buffer.length.get() != 0 => {
                    let last = buffer.length.get().wrapping_sub(1);
                    let value = cells(buffer)[last].get();
                    buffer.length.set(last);
                    Some(value)
                }
                _ => None,
            }
        }
        pub fn truncate(&self, length: usize) {
            if let Some(buffer) = self.buffer.get() {
                if length < buffer.length.get() {
                    buffer.length.set(length);
                }
            }
        }
        #[opaque]
        pub fn try_grow(&self) -> Result<(), HeapFull> {}
    }

    fn cells<'a, T>(buffer: Gc<Buffer<T>>) -> &'a [GcCell<T>] {
        let buffer = buffer.as_ref();
        unsafe {
            &*::std::intrinsics::slice_from_raw_parts(
                &raw const buffer.elements as *const GcCell<T>,
                buffer.length.get(),
            )
        }
    }

    impl<T: Copy> Default for GcVec<T> {
        fn default() -> GcVec<T> {
            GcVec::new()
        }
    }

    impl<T: Copy> Clone for GcVec<T> {
        #[opaque]
        fn clone(&self) -> GcVec<T> {}
    }

    impl<T: Copy + Debug> Debug for GcVec<T> {
        #[opaque]
        fn fmt(&self, f: &mut Formatter<'_>) -> ::std::fmt::Result {}
    }

    // An address that is not null and that nobody follows.
    #[lang = "GcWeak"]
    pub struct Weak<T> {
        cell: &'static T,
    }

    impl<T> ::std::clone::Clone for Weak<T> {
        fn clone(&self) -> Weak<T> {
            *self
        }
    }

    impl<T> ::std::marker::Copy for Weak<T> {}

    impl<T> Weak<T> {
        #[opaque]
        pub fn new(target: Gc<T>) -> Weak<T> {}
        #[opaque]
        pub fn try_new(target: Gc<T>) -> Result<Weak<T>, HeapFull> {}
        #[opaque]
        pub fn get(self) -> Option<Gc<T>> {}
    }

    #[opaque(no_drop)]
    pub struct WeakMap<K, V> {}

    impl<K, V: Copy> WeakMap<K, V> {
        #[opaque]
        pub const fn new() -> WeakMap<K, V> {}
        #[opaque]
        pub fn get(&self, key: Gc<K>) -> Option<V> {}
        #[opaque]
        pub fn insert(&self, key: Gc<K>, value: V) -> Option<V> {}
        #[opaque]
        pub fn try_insert(&self, key: Gc<K>, value: V) -> Result<Option<V>, HeapFull> {}
        #[opaque]
        pub fn remove(&self, key: Gc<K>) -> Option<V> {}
        #[opaque]
        pub fn len(&self) -> usize {}
        #[opaque]
        pub fn is_empty(&self) -> bool {}
    }

    impl<K, V: Copy> Default for WeakMap<K, V> {
        #[opaque]
        fn default() -> WeakMap<K, V> {}
    }

    #[opaque]
    pub struct Root<T> {}

    impl<T> Root<T> {
        #[opaque]
        pub fn new(value: T) -> Root<T> {}
        #[opaque]
        pub fn into_inner(self) -> T
        where
            T: Copy,
        {
        }
    }

    impl<T> ::std::ops::Deref for Root<T> {
        type Target = T;
        #[opaque]
        fn deref(&self) -> &T {}
    }

    impl<T> ::std::ops::DerefMut for Root<T> {
        #[opaque]
        fn deref_mut(&mut self) -> &mut T {}
    }

    #[opaque]
    pub struct Heap {}

    impl Heap {
        #[opaque]
        pub fn collect(&self) {}
        #[opaque]
        pub fn collect_minor(&self) {}
        #[opaque]
        pub fn has_finalizers_due(&self) -> bool {}
        #[opaque]
        pub fn run_finalizers(&self) -> usize {}
    }
}
