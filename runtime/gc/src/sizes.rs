//! Size classes: what a small object's size is rounded up to, and where the cells of a block start.

/// Bytes of a granule: cells start at multiples of it.
pub const GRANULE: usize = 16;
/// Bytes of a block: all its cells have one size.
pub const BLOCK: usize = 1 << LOG_BLOCK;
pub const LOG_BLOCK: usize = 15;
/// Granules of a block.
pub const BLOCK_GRANULES: usize = BLOCK / GRANULE;
/// Words of a bitmap with a bit for each granule of a block.
pub const BITMAP: usize = BLOCK_GRANULES / 64;
/// Bytes of the largest small object with its header.
pub const SMALL_MAX: usize = 16 << 10;
/// Number of sizes.
pub const SIZES: usize = 38;
/// Number of classes: each size once for objects that may hold references, and once for those that hold none.
pub const CLASSES: usize = SIZES * 2;

/// The cell sizes in granules: each up to 16, then four for each doubling, then a third and a half of a block.
const GRANULES: [u16; SIZES] = {
    let mut sizes = [0; SIZES];
    let mut size = 0;
    let mut index = 0;
    while index < SIZES - 2 {
        size += if size < 16 { 1 } else { 1 << (15 - (size as u16).leading_zeros() - 2) };
        sizes[index] = size;
        index += 1;
    }
    sizes[SIZES - 2] = 682;
    sizes[SIZES - 1] = 1024;
    sizes
};

/// For a size in granules, the index of the smallest cell size that holds it.
const OF_GRANULES: [u8; SMALL_MAX / GRANULE + 1] = {
    let mut of = [0; SMALL_MAX / GRANULE + 1];
    let (mut granules, mut index) = (0, 0);
    while granules < of.len() {
        if granules > GRANULES[index] as usize {
            index += 1;
        }
        of[granules] = index as u8;
        granules += 1;
    }
    of
};

/// For each size, the bits of the granules at which cells start.
pub static STARTS: [[u64; BITMAP]; SIZES] = {
    let mut starts = [[0; BITMAP]; SIZES];
    let mut index = 0;
    while index < SIZES {
        let granules = GRANULES[index] as usize;
        let mut cell = 0;
        while (cell + 1) * granules <= BLOCK_GRANULES {
            let granule = cell * granules;
            starts[index][granule / 64] |= 1 << (granule % 64);
            cell += 1;
        }
        index += 1;
    }
    starts
};

/// The class of objects of `bytes` bytes, header included; `leaf` if they hold no reference.
#[inline(always)]
pub const fn class_of(bytes: usize, leaf: bool) -> usize {
    OF_GRANULES[bytes.div_ceil(GRANULE)] as usize * 2 + leaf as usize
}

/// Bytes of the cells of a class.
#[inline(always)]
pub const fn cell_bytes(class: usize) -> usize {
    GRANULES[class / 2] as usize * GRANULE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_its_sizes_and_wastes_little() {
        for bytes in 1..=SMALL_MAX {
            let cell = cell_bytes(class_of(bytes, false));
            assert!(cell >= bytes, "{bytes} bytes in cells of {cell}");
            let wasted = (cell - bytes) as f64 / cell as f64;
            let allowed = if bytes <= 256 { 0.94 } else { 0.34 };
            assert!(wasted < allowed, "{bytes} bytes in cells of {cell}");
        }
        assert_eq!(cell_bytes(class_of(8192, true)), 8192);
        assert_eq!(cell_bytes(class_of(32, false)), 32);
        assert!(GRANULES.is_sorted());
    }
}
