#[intrinsic = "read_place"]
unsafe fn read<T>(from: *const T) -> T {}
#[intrinsic = "write_place"]
unsafe fn write<T>(to: *mut T, value: T) {}
#[intrinsic]
pub fn forget<T>(value: T) {}
#[intrinsic]
pub const fn size_of<T>() -> usize {}
#[intrinsic]
pub const fn align_of<T>() -> usize {}
#[intrinsic]
pub const fn needs_drop<T: ?Sized>() -> bool {}
#[intrinsic]
pub const unsafe fn transmute<Src, Dst>(src: Src) -> Dst {}
pub const fn size_of_val<T>(_value: &T) -> usize {
    size_of::<T>()
}
#[opaque(no_drop)]
pub struct Discriminant<T> {}
impl<T> Clone for Discriminant<T> {
    #[opaque]
    fn clone(&self) -> Discriminant<T> {}
}
impl<T> Copy for Discriminant<T> {}
#[opaque]
pub const fn discriminant<T>(v: &T) -> Discriminant<T> {}
impl<T> PartialEq for Discriminant<T> {
    #[opaque]
    fn eq(&self, other: &Discriminant<T>) -> bool {}
}
impl<T> Eq for Discriminant<T> {}

pub fn drop<T>(_value: T) {}

pub fn replace<T>(place: &mut T, value: T) -> T {
    unsafe {
        let old = read(place);
        write(place, value);
        old
    }
}
pub fn swap<T>(a: &mut T, b: &mut T) {
    unsafe {
        let x = read(a);
        let y = read(b);
        write(a, y);
        write(b, x);
    }
}
pub fn take<T: Default>(place: &mut T) -> T {
    replace(place, T::default())
}

#[lang]
pub struct ManuallyDrop<T> {
    value: T,
}
impl<T> ManuallyDrop<T> {
    pub const fn new(value: T) -> ManuallyDrop<T> {
        ManuallyDrop { value }
    }
    pub fn into_inner(slot: ManuallyDrop<T>) -> T {
        slot.value
    }
    pub unsafe fn take(slot: &mut ManuallyDrop<T>) -> T {
        unsafe { read(&slot.value) }
    }
    pub unsafe fn drop(slot: &mut ManuallyDrop<T>) {
        unsafe { crate::ptr::drop_in_place(&mut slot.value) }
    }
}
impl<T> crate::ops::Deref for ManuallyDrop<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}
impl<T> crate::ops::DerefMut for ManuallyDrop<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
