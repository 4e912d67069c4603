//! What several of this crate's tests share: a small seeded generator of words.

/// A generator of words (SplitMix64).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A word: an edge, small, or any.
    pub(crate) fn word(&mut self, edges: &[u64]) -> u64 {
        match self.below(4) {
            0 | 1 => edges[self.below(edges.len() as u64) as usize],
            2 => (self.next() as i8) as u64,
            _ => self.next() >> self.below(64),
        }
    }
}

/// Words at which operations change their ways.
pub(crate) fn edge_words() -> Vec<u64> {
    let mut words = vec![0, 3, 5, 10, 63, 64, 65, 0xaa, 100, 1000];
    for shift in [0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 62, 63] {
        let power = 1u64 << shift;
        words.extend([power, power - 1, power + 1, power.wrapping_neg(), !power]);
    }
    words.sort();
    words.dedup();
    words
}
