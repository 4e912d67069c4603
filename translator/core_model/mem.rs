#[intrinsic = "read_place"]
unsafe fn read<T>(from: *const T) -> T {}
#[intrinsic = "write_place"]
unsafe fn write<T>(to: *mut T, value: T) {}
#[intrinsic]
pub fn forget<T>(value: T) {}
#[intrinsic]
pub fn size_of<T>() -> usize {}
#[intrinsic]
pub fn needs_drop<T>() -> bool {}

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
