metatrace::glue!();

/// The usual size of a tape.
pub const DEFAULT_CELLS: usize = 30_000;

/// The cells a program works on, all zero at first.
#[derive(Debug)]
pub struct Tape {
    pub(crate) cells: Vec<u8>,
    grows: bool,
}

impl Tape {
    /// A tape of `cells` cells (at least one) that ends there; none if there is no memory for it.
    pub fn fixed(cells: usize) -> Option<Tape> {
        let mut tape = Vec::new();
        tape.try_reserve_exact(cells.max(1)).ok()?;
        tape.resize(cells.max(1), 0);
        Some(Tape { cells: tape, grows: false })
    }

    /// A tape that grows to the right for as long as there is memory.
    pub fn growing() -> Tape {
        Tape { cells: vec![0; DEFAULT_CELLS], grows: true }
    }

    /// The cells there are now.
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }

    /// Doubles the tape, and says whether it could.
    #[cold]
    #[inline(never)]
    pub(crate) fn grow(&mut self) -> bool {
        let cells = self.cells.len();
        if !self.grows || self.cells.try_reserve_exact(cells).is_err() {
            return false;
        }
        self.cells.resize(2 * cells, 0);
        true
    }
}
